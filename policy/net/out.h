/* out.h - text that grows in an arena. Failure is sticky: write a run of fields, look once at the end.
 * Growing leaves the smaller block behind in the arena, so the bytes used are at most twice the text. */
#pragma once

#include "core/arena.h"

struct out {
	struct arena *a;
	char *p;
	size_t n, cap;
	bool failed;
};

static inline struct out out_in(struct arena *a)
{
	return (struct out){ .a = a };
}
char *out_room(struct out *o, size_t n);                 /* NULL: out of memory; follow with o->n += written */
void out_add(struct out *o, const void *bytes, size_t n);
void out_fill(struct out *o, char c, size_t n);
void out_fmt(struct out *o, const char *fmt, ...) PRINTF_LIKE(2, 3);     /* at most 255 bytes */
void out_code_point(struct out *o, uint32_t cp);         /* a lone surrogate as the three bytes of WTF-8 */
struct str out_str(const struct out *o);                 /* STR_NULL when out of memory */

static inline void out_char(struct out *o, char c)
{
	if (o->n < o->cap && !o->failed)
		o->p[o->n++] = c;
	else
		out_add(o, &c, 1);
}
static inline void out_put(struct out *o, struct str s)
{
	out_add(o, s.p, s.n);
}
