#include "policy/net/out.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/str.h"

enum { FIRST_BYTES = 64 };

char *out_room(struct out *o, size_t n)
{
	size_t cap = o->cap ? o->cap : FIRST_BYTES;
	char *p;

	if (o->failed || n > SIZE_MAX / 4 || o->n > SIZE_MAX / 4) {
		o->failed = true;
		return NULL;
	}
	if (o->p && n <= o->cap - o->n)
		return o->p + o->n;
	while (cap - o->n < n)
		cap *= 2;
	p = arena_alloc_text(o->a, cap);
	if (!p) {
		o->failed = true;
		return NULL;
	}
	if (o->n)
		memcpy(p, o->p, o->n);
	o->p = p;
	o->cap = cap;
	return p + o->n;
}

void out_add(struct out *o, const void *bytes, size_t n)
{
	char *to = n ? out_room(o, n) : NULL;

	if (!to)
		return;
	memcpy(to, bytes, n);
	o->n += n;
}

void out_fill(struct out *o, char c, size_t n)
{
	char *to = n ? out_room(o, n) : NULL;

	if (!to)
		return;
	memset(to, c, n);
	o->n += n;
}

void out_fmt(struct out *o, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > 0)
		out_add(o, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

void out_code_point(struct out *o, uint32_t cp)
{
	char text[4];

	if (cp < 0x80) {
		out_char(o, (char)cp);
		return;
	}
	if (cp >= 0xD800 && cp <= 0xDFFF) {
		const char half[3] = { (char)(0xE0 | cp >> 12), (char)(0x80 | (cp >> 6 & 0x3F)), (char)(0x80 | (cp & 0x3F)) };

		out_add(o, half, 3);
		return;
	}
	out_add(o, text, utf8_encode(cp, text));
}

struct str out_str(const struct out *o)
{
	if (o->failed)
		return STR_NULL;
	return (struct str){ o->p ? o->p : "", o->n };
}
