#include "core/buf.h"

#include "core/pieces.h"
#include "core/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *b, size_t max_bytes)
{
	*b = (struct buf){ .max = max_bytes };
}

void buf_release(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = false;
	if (b->p)
		b->p[0] = '\0';
}

char *buf_take(struct buf *b, size_t *n)
{
	char *p;

	if (b->failed || (!b->p && !buf_room(b, 0)))
		return NULL;
	p = b->p;
	if (n)
		*n = b->n;
	*b = (struct buf){ .max = b->max };
	return p;
}

char *buf_grow(struct buf *b, size_t n)
{
	size_t want, cap;
	char *p;

	if (b->failed)
		return NULL;
	if (n > b->max - b->n) {
		b->failed = true;
		return NULL;
	}
	want = b->n + n + 1;
	if (want <= b->cap)
		return b->p + b->n;
	for (cap = b->cap ? b->cap : 256; cap < want; cap *= 2)
		if (cap > SIZE_MAX / 2)
			break;
	if (cap < want || cap > b->max + 1)
		cap = b->max + 1 > want ? b->max + 1 : want;
	p = realloc(b->p, cap);
	if (!p) {
		b->failed = true;
		return NULL;
	}
	b->p = p;
	b->cap = cap;
	b->p[b->n] = '\0';
	return b->p + b->n;
}

void buf_drop_front(struct buf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
	} else if (n) {
		memmove(b->p, b->p + n, b->n - n);
		b->n -= n;
	}
	if (b->p)
		b->p[b->n] = '\0';
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	char *to = buf_room(b, n);

	if (!to)
		return;
	if (n)
		memcpy(to, bytes, n);
	buf_wrote(b, n);
}

void buf_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

void buf_cstr(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_field(struct buf *b, struct str name, struct str value)
{
	enum { AROUND = 4 };             /* colon, blank, end of line */
	char *to = name.n < SIZE_MAX - AROUND - value.n ? buf_room(b, name.n + value.n + AROUND) : NULL;

	if (!to)
		return;
	to = str_put(str_put(str_put(to, name), STR(": ")), value);
	memcpy(to, "\r\n", 2);
	buf_wrote(b, name.n + value.n + AROUND);
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

static void fmt_by_libc(struct buf *b, const char *fmt, va_list *ap)
{
	va_list again;
	char *to;
	int n;

	va_copy(again, *ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		b->failed = true;
	to = n < 0 ? NULL : buf_room(b, (size_t)n);
	if (!to)
		return;
	vsnprintf(to, (size_t)n + 1, fmt, *ap);
	buf_wrote(b, (size_t)n);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	struct pieces p;
	va_list ap;
	bool ours;

	va_start(ap, fmt);
	ours = pieces_cut(&p, fmt, &ap);
	va_end(ap);
	if (ours) {
		char *to = buf_room(b, p.bytes);

		if (to)
			buf_wrote(b, (size_t)(pieces_put(&p, to) - to));
		return;
	}
	va_start(ap, fmt);
	fmt_by_libc(b, fmt, &ap);
	va_end(ap);
}

void buf_u64(struct buf *b, uint64_t v)
{
	char digits[20];

	buf_add(b, digits, (size_t)(str_put_u64(digits, v) - digits));
}

static void json_escape(struct buf *b, unsigned char c)
{
	static const char short_form[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (const char *s = short_form; *s; s += 2)
		if ((unsigned char)*s == c) {
			buf_char(b, '\\');
			buf_char(b, s[1]);
			return;
		}
	buf_fmt(b, "\\u%04x", c);
}

void buf_json(struct buf *b, struct str s)
{
	buf_char(b, '"');
	while (s.n) {
		size_t plain = 0;
		unsigned n;

		while (plain < s.n && (unsigned char)s.p[plain] >= 0x20 && (unsigned char)s.p[plain] < 0x7F
		       && s.p[plain] != '"' && s.p[plain] != '\\')
			plain++;
		buf_add(b, s.p, plain);
		s = str_from(s, plain);
		if (!s.n)
			break;
		if ((unsigned char)s.p[0] < 0x80) {
			json_escape(b, (unsigned char)s.p[0]);
			n = 1;
		} else if ((n = utf8_decode(s, NULL))) {
			buf_add(b, s.p, n);
		} else {
			buf_cstr(b, "\xEF\xBF\xBD");
			n = 1;
		}
		s = str_from(s, n);
	}
	buf_char(b, '"');
}
