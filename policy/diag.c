#include "policy/diag.h"

#include "core/str.h"

#include <stdarg.h>
#include <stdio.h>

void policy_diags_init(struct policy_diags *d, struct arena *a)
{
	*d = (struct policy_diags){ .arena = a };
}

static void add(struct policy_diags *d, bool warning, unsigned line, unsigned column, const char *fmt, va_list ap)
{
	char text[1024];
	struct policy_diag *to;

	if (warning)
		d->warnings++;
	else
		d->errors++;
	if (d->n == DIAGS_MAX)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	to = &d->v[d->n++];
	*to = (struct policy_diag){ line, column, warning, arena_dup(d->arena, str_of(text)) };
	if (str_is_null(to->message))
		to->message = STR("out of memory");
}

void policy_error(struct policy_diags *d, unsigned line, unsigned column, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(d, false, line, column, fmt, ap);
	va_end(ap);
}

void policy_warning(struct policy_diags *d, unsigned line, unsigned column, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(d, true, line, column, fmt, ap);
	va_end(ap);
}
