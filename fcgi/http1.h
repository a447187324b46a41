/* http1.h - an HTTP/1 response (RFC 9112) cut into head, body bytes and end. No sockets.
 *
 * What is reported does not depend on how the input was cut, but for body bytes, which come in as many pieces as there
 * were reads. The reader finds the end of the head; its owner looks into the head and says how the body is framed. */
#pragma once

#include "core/buf.h"

enum http1_event_kind {
	HTTP1_MORE,                  /* all input is used up */
	HTTP1_HEAD,                  /* .bytes: status line and fields, with the empty line; call http1_framing next */
	HTTP1_BODY,                  /* .bytes: next piece, at least one byte */
	HTTP1_END,                   /* the response is complete; what is left of the input does not belong to it */
	HTTP1_TOO_LARGE,             /* the head, a chunk's first line or the trailers are over the limit */
	HTTP1_BAD,                   /* the chunks are malformed */
};

struct http1_event {
	enum http1_event_kind kind;
	struct str bytes;            /* in the input or in the reader; valid until the next call */
};

enum http1_framing {
	HTTP1_INTERIM,               /* a 1xx: another head follows */
	HTTP1_NO_BODY,
	HTTP1_LENGTH,                /* `length` bytes */
	HTTP1_CHUNKED,
	HTTP1_UNTIL_CLOSE,
};

enum http1_state { HTTP1_IN_HEAD, HTTP1_IN_LENGTH, HTTP1_IN_SIZE, HTTP1_IN_CHUNK, HTTP1_IN_CHUNK_END, HTTP1_IN_TRAILER,
		   HTTP1_IN_REST, HTTP1_AT_END, HTTP1_BROKEN };

struct http1_reader {
	enum http1_state state;
	uint64_t left;               /* bytes of the body or of the chunk */
	size_t line_n;               /* bytes of the line or trailer section so far */
	unsigned digits;             /* of the chunk size */
	bool line_empty, in_extension, cr;
	struct buf head;             /* of a head that came in pieces */
	size_t max_head;
};

void http1_init(struct http1_reader *r, size_t max_head_bytes);
void http1_release(struct http1_reader *r);
void http1_reset(struct http1_reader *r);            /* for the next response */
void http1_framing(struct http1_reader *r, enum http1_framing f, uint64_t length);
struct http1_event http1_read(struct http1_reader *r, struct str *in);
/* The connection has ended. True when that completes the response. */
bool http1_closed(const struct http1_reader *r);
bool http1_untouched(const struct http1_reader *r);  /* not a byte of a response has come */
