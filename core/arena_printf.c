/* arena_printf.c - text by a format, into an arena: by pieces (pieces.h), and what they cannot do by vsnprintf. */
#include "core/arena.h"

#include "core/pieces.h"

#include <stdio.h>

static struct str joined(struct arena *a, const struct pieces *p)
{
	char *text = arena_alloc_text(a, p->bytes + 1);

	if (!text)
		return STR_NULL;
	pieces_put(p, text);
	return (struct str){ text, p->bytes };
}

static struct str by_libc(struct arena *a, const char *fmt, va_list *ap)
{
	va_list again;
	char *p;
	int n;

	va_copy(again, *ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0 || !(p = arena_alloc_text(a, (size_t)n + 1)))
		return STR_NULL;
	vsnprintf(p, (size_t)n + 1, fmt, *ap);
	return (struct str){ p, (size_t)n };
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
	struct pieces p;
	struct str out;
	va_list ap;
	bool ours;

	va_start(ap, fmt);
	ours = pieces_cut(&p, fmt, &ap);
	va_end(ap);
	if (ours)
		return joined(a, &p);
	va_start(ap, fmt);
	out = by_libc(a, fmt, &ap);
	va_end(ap);
	return out;
}
