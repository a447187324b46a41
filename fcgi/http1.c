/* http1.c - an HTTP/1 response cut into head, body bytes and end.
 *
 * The head nearly always comes in one read and is then reported where it lies; one that came in pieces is gathered. Chunk
 * sizes are read digit by digit, so that no size can overflow, and a line end must be CRLF: a lone CR or LF in the framing
 * is how two programs come to see different responses. */
#include "fcgi/http1.h"

#include "core/str.h"

enum { SIZE_DIGITS_MAX = 15, CHUNK_LINE_MAX = 4096 };

void http1_init(struct http1_reader *r, size_t max_head_bytes)
{
	*r = (struct http1_reader){ .max_head = max_head_bytes };
	buf_init(&r->head, max_head_bytes + 4);
}

void http1_release(struct http1_reader *r)
{
	buf_release(&r->head);
}

void http1_reset(struct http1_reader *r)
{
	r->state = HTTP1_IN_HEAD;
	r->left = 0;
	if (r->head.cap > 4096)
		buf_release(&r->head);
	else
		buf_clear(&r->head);
}

static struct http1_event event(enum http1_event_kind kind, const char *p, size_t n)
{
	return (struct http1_event){ kind, { p, n } };
}

static struct http1_event broken(struct http1_reader *r, enum http1_event_kind kind)
{
	r->state = HTTP1_BROKEN;
	return event(kind, NULL, 0);
}

static void begin_size(struct http1_reader *r)
{
	r->state = HTTP1_IN_SIZE;
	r->left = 0;
	r->line_n = r->digits = 0;
	r->in_extension = r->cr = false;
}

void http1_framing(struct http1_reader *r, enum http1_framing f, uint64_t length)
{
	static const enum http1_state states[] = {
		[HTTP1_INTERIM] = HTTP1_IN_HEAD, [HTTP1_NO_BODY] = HTTP1_AT_END, [HTTP1_LENGTH] = HTTP1_IN_LENGTH,
		[HTTP1_CHUNKED] = HTTP1_IN_SIZE, [HTTP1_UNTIL_CLOSE] = HTTP1_IN_REST,
	};

	buf_clear(&r->head);
	if (f == HTTP1_CHUNKED)
		begin_size(r);
	r->state = states[f];
	if (f == HTTP1_LENGTH) {
		r->left = length;
		if (!length)
			r->state = HTTP1_AT_END;
	}
}

/* Length of the head with its empty line, or 0. Line ends may be LF alone, as everybody accepts in a head. */
static size_t head_length(struct str s, size_t from)
{
	for (const char *p = s.p + from; (p = memchr(p, '\n', s.n - (size_t)(p - s.p))); p++) {
		size_t next = (size_t)(p - s.p) + 1;

		if (next < s.n && s.p[next] == '\n')
			return next + 1;
		if (next + 1 < s.n && s.p[next] == '\r' && s.p[next + 1] == '\n')
			return next + 2;
	}
	return 0;
}

static struct http1_event read_head(struct http1_reader *r, struct str *in)
{
	size_t had = r->head.n, n;

	if (!had) {
		n = head_length(*in, 0);
		if (n && n <= r->max_head) {
			struct http1_event ev = event(HTTP1_HEAD, in->p, n);

			*in = str_from(*in, n);
			return ev;
		}
	}
	n = in->n < r->max_head + 1 - had ? in->n : r->max_head + 1 - had;
	buf_add(&r->head, in->p, n);
	if (r->head.failed)
		return broken(r, HTTP1_TOO_LARGE);
	n = head_length(buf_view(&r->head), had > 3 ? had - 3 : 0);
	if (n && n <= r->max_head) {
		*in = str_from(*in, n - had);
		return event(HTTP1_HEAD, r->head.p, n);
	}
	if (r->head.n > r->max_head)
		return broken(r, HTTP1_TOO_LARGE);
	*in = str_from(*in, in->n);
	return event(HTTP1_MORE, NULL, 0);
}

static struct http1_event take_body(struct http1_reader *r, struct str *in, enum http1_state then)
{
	size_t n = in->n < r->left ? in->n : (size_t)r->left;
	struct http1_event ev = event(HTTP1_BODY, in->p, n);

	*in = str_from(*in, n);
	r->left -= n;
	if (!r->left)
		r->state = then;
	return ev;
}

static bool add_digit(struct http1_reader *r, char c)
{
	char l = ascii_lower(c);
	unsigned v;

	if (ascii_is_digit(c))
		v = (unsigned)(c - '0');
	else if (l >= 'a' && l <= 'f')
		v = (unsigned)(l - 'a') + 10;
	else
		return false;
	r->left = r->left << 4 | v;
	return ++r->digits <= SIZE_DIGITS_MAX;
}

/* One byte of "1a2b;ext=1\r\n". False: malformed. */
static bool size_byte(struct http1_reader *r, char c)
{
	if (r->cr) {
		if (c != '\n')
			return false;
		r->line_n = 0;
		r->line_empty = true;
		r->cr = false;
		r->state = r->left ? HTTP1_IN_CHUNK : HTTP1_IN_TRAILER;
		return true;
	}
	if (c == '\r') {
		r->cr = true;
		return r->digits > 0;
	}
	if (c == '\n')
		return false;
	if (!r->in_extension && (c == ';' || c == ' ' || c == '\t'))
		r->in_extension = true;
	return r->in_extension ? r->digits > 0 : add_digit(r, c);
}

/* Trailers are read over to their empty line. */
static bool trailer_byte(struct http1_reader *r, char c)
{
	if (c == '\n') {
		if (!r->cr)
			return false;
		if (r->line_empty)
			r->state = HTTP1_AT_END;
		r->line_empty = true;
		r->cr = false;
		return true;
	}
	if (r->cr)
		return false;
	r->cr = c == '\r';
	if (!r->cr)
		r->line_empty = false;
	return true;
}

static bool chunk_end_byte(struct http1_reader *r, char c)
{
	if (!r->cr) {
		r->cr = true;
		return c == '\r';
	}
	begin_size(r);
	return c == '\n';
}

static struct http1_event read_framing(struct http1_reader *r, struct str *in)
{
	enum http1_state at = r->state;

	while (in->n && r->state == at) {
		char c = in->p[0];
		bool ok = at == HTTP1_IN_SIZE ? size_byte(r, c) : at == HTTP1_IN_TRAILER ? trailer_byte(r, c)
											 : chunk_end_byte(r, c);

		*in = str_from(*in, 1);
		if (!ok)
			return broken(r, HTTP1_BAD);
		if (++r->line_n > (at == HTTP1_IN_TRAILER ? r->max_head : CHUNK_LINE_MAX))
			return broken(r, HTTP1_TOO_LARGE);
	}
	return event(HTTP1_MORE, NULL, 0);
}

static struct http1_event read_chunk(struct http1_reader *r, struct str *in)
{
	struct http1_event ev = take_body(r, in, HTTP1_IN_CHUNK_END);

	r->cr = false;
	r->line_n = 0;
	return ev;
}

struct http1_event http1_read(struct http1_reader *r, struct str *in)
{
	for (;;) {
		struct http1_event ev;

		if (r->state == HTTP1_AT_END)
			return event(HTTP1_END, NULL, 0);
		if (r->state == HTTP1_BROKEN)
			return event(HTTP1_BAD, NULL, 0);
		if (!in->n)
			return event(HTTP1_MORE, NULL, 0);
		if (r->state == HTTP1_IN_HEAD)
			return read_head(r, in);
		if (r->state == HTTP1_IN_LENGTH)
			return take_body(r, in, HTTP1_AT_END);
		if (r->state == HTTP1_IN_CHUNK)
			return read_chunk(r, in);
		if (r->state == HTTP1_IN_REST) {
			ev = event(HTTP1_BODY, in->p, in->n);
			*in = str_from(*in, in->n);
			return ev;
		}
		ev = read_framing(r, in);
		if (ev.kind != HTTP1_MORE)
			return ev;
	}
}

bool http1_closed(const struct http1_reader *r)
{
	return r->state == HTTP1_IN_REST || r->state == HTTP1_AT_END;
}

bool http1_untouched(const struct http1_reader *r)
{
	return r->state == HTTP1_IN_HEAD && !r->head.n;
}
