/* buf.h - a byte buffer that grows up to a maximum. Failure is sticky: write a run of fields, ask buf_ok once.
 *
 * Life cycle: buf_init (no allocation) .. buf_release (contents only). After a failed write the buffer keeps what it had,
 * ignores further writes and buf_ok is false. The bytes are always followed by a zero byte that .n does not count. */
#pragma once

#include "core/base.h"

struct buf {
	char *p;
	size_t n, cap, max;
	bool failed;
};

void buf_init(struct buf *b, size_t max_bytes);
void buf_release(struct buf *b);                         /* frees; the buffer is as after buf_init */
void buf_clear(struct buf *b);                           /* empties, keeps the memory, forgets a failure */
char *buf_take(struct buf *b, size_t *n);                /* moves the bytes out (free them with free); NULL when failed */

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_str(struct buf *b, struct str s);
void buf_cstr(struct buf *b, const char *s);
void buf_field(struct buf *b, struct str name, struct str value);        /* "name: value\r\n" */
void buf_char(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_u64(struct buf *b, uint64_t v);
void buf_json(struct buf *b, struct str s);              /* as a JSON string with its quotes (RFC 8259 section 7);
                                                            bytes that are not UTF-8 become U+FFFD */
char *buf_grow(struct buf *b, size_t n);                  /* buf_room when there is no room yet */
/* Room for n bytes at the end, or NULL (and failed). Follow with buf_wrote. Inline: there nearly always is. */
static inline char *buf_room(struct buf *b, size_t n)
{
	return !b->failed && b->cap > b->n && n < b->cap - b->n && n <= b->max - b->n ? b->p + b->n : buf_grow(b, n);
}

static inline void buf_wrote(struct buf *b, size_t n)
{
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_drop_front(struct buf *b, size_t n);            /* forgets the first n bytes */

static inline bool buf_ok(const struct buf *b)
{
	return !b->failed;
}

static inline struct str buf_view(const struct buf *b)   /* valid until the next write */
{
	return (struct str){ b->p ? b->p : "", b->n };
}
