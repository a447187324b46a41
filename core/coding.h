/* coding.h - undoes the content codings of HTTP (RFC 9110 section 8.4.1): gzip and x-gzip with any number of members
 * (RFC 1952), deflate in the zlib format (RFC 1950) or raw as some send it (RFC 1951), br (RFC 7932).
 *
 * The output's maximum is the protection against small bodies that become huge ones: give buf_init the limit of a body.
 * No allocation outlives a call; thread-safe. */
#pragma once

#include "core/buf.h"

enum coding_result {
	CODING_DONE,
	CODING_UNKNOWN,                  /* a coding that is none of these; nothing has been written */
	CODING_BROKEN,                   /* cut off, or not what it says */
	CODING_TOO_LARGE,                /* more than the output may hold */
};

/* Undoes all of `codings` ("gzip", "deflate, br": the last one was applied last). `out` is empty before; what it holds
 * after any other result than CODING_DONE is of no use. An empty `codings` and "identity" copy. */
enum coding_result coding_decode(struct str codings, struct str in, struct buf *out);
