/* trace.c - the record of what each policy did: which ones there were of every call, what they decided only when somebody asked for it. */
#include "policy/program.h"

#include "core/clock.h"
#include "core/str.h"

#include <stdarg.h>
#include <stdio.h>

enum { TRACE_STEPS_MAX = 2000, PLAIN_STEPS_MAX = 100, DECISION_MAX = 1024 };

void trace_begin(struct exchange *x, struct fiber *f, const struct instruction *i)
{
	bool asked = x->trace_on || x->steps_on;
	struct trace_step *t;

	f->trace = NULL;
	if (!i->name.n || x->program->traced >= (asked ? TRACE_STEPS_MAX : PLAIN_STEPS_MAX))
		return;
	t = arena_new_of(x->arena, struct trace_step);
	if (!t)
		return;
	x->program->traced++;
	t->section = x->section;
	t->scope = f->frames[f->n_frames - 1].scope;
	t->policy = i->name;
	t->line = i->line;
	if (x->trace_last)
		x->trace_last->next = t;
	else
		x->trace_first = t;
	x->trace_last = t;
	/* the call may fail yet; the clock and words about what went well would cost more than the policies themselves */
	if (!asked) {
		t->duration_us = TRACE_NOT_TIMED;
		return;
	}
	f->trace = t;
	f->trace_started_us = clock_mono_us();
}

void trace_end(struct exchange *x, struct fiber *f)
{
	(void)x;
	if (f->trace)
		f->trace->duration_us = clock_mono_us() - f->trace_started_us;
	f->trace = NULL;
}

static void add(struct exchange *x, struct str text)
{
	struct trace_step *t = x->program && x->program->now ? x->program->now->trace : NULL;
	struct str all;

	if (!t)
		return;
	all = t->decision.n ? arena_printf(x->arena, "%.*s; %.*s", STR_ARG(t->decision), STR_ARG(text))
			    : arena_dup(x->arena, text);
	if (!str_is_null(all))
		t->decision = all;
}

void exchange_trace(struct exchange *x, const char *fmt, ...)
{
	char text[DECISION_MAX], *all;
	struct str masked;
	va_list ap;
	int n;

	if (!x->trace_on && !x->steps_on)
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < (int)sizeof(text)) {
		add(x, str_of(text));
		return;
	}
	/* half a secret at the edge would not be known as one later: masked before it is cut */
	all = arena_alloc_text(x->arena, (size_t)n + 1);
	if (!all)
		return;
	va_start(ap, fmt);
	vsnprintf(all, (size_t)n + 1, fmt, ap);
	va_end(ap);
	masked = exchange_mask(x, (struct str){ all, (size_t)n });
	if (!str_is_null(masked))
		add(x, str_first(masked, DECISION_MAX));
}

void exchange_trace_message(struct exchange *x, struct str text)
{
	struct str masked = x->trace_on ? exchange_mask(x, text) : STR_NULL;

	if (!str_is_null(masked))
		add(x, str_first(masked, DECISION_MAX));
}

/* ---- secrets ----------------------------------------------------------------------------------------------------- */

struct str mask_text(struct arena *a, struct str text, struct str secret)
{
	size_t n = 0, at;
	char *p, *to;

	for (struct str s = text; (at = str_find(s, secret)) != SIZE_MAX; s = str_from(s, at + secret.n))
		n++;
	if (!n)
		return text;
	to = p = arena_alloc_text(a, text.n + n * 3);
	if (!p)
		return STR_NULL;
	while ((at = str_find(text, secret)) != SIZE_MAX) {
		memcpy(to, text.p, at);
		memcpy(to + at, "***", 3);
		to += at + 3;
		text = str_from(text, at + secret.n);
	}
	if (text.n)
		memcpy(to, text.p, text.n);
	return (struct str){ p, (size_t)(to - p) + text.n };
}

static struct str mask_document(struct arena *a, struct str text, const struct policy_document *d)
{
	for (size_t i = 0; i < d->n_secrets && text.n; i++)
		text = mask_text(a, text, d->secrets[i]);
	for (enum section s = 0; s < SECTION__COUNT && !d->fragment; s++)
		for (uint32_t i = 0; i < d->sections[s].n; i++)
			if (d->sections[s].v[i].op == OP_FRAGMENT)
				text = mask_document(a, text, d->sections[s].v[i].config);
	return text;
}

static void each_secret(const struct policy_document *d, void (*see)(void *to, struct str secret), void *to)
{
	for (size_t i = 0; i < d->n_secrets; i++)
		see(to, d->secrets[i]);
	for (enum section s = 0; s < SECTION__COUNT && !d->fragment; s++)
		for (uint32_t i = 0; i < d->sections[s].n; i++)
			if (d->sections[s].v[i].op == OP_FRAGMENT)
				each_secret(d->sections[s].v[i].config, see, to);
}

void exchange_each_secret(const struct exchange *x, void (*see)(void *to, struct str secret), void *to)
{
	for (int s = 0; s < SCOPE__COUNT; s++)
		if (x->documents[s])
			each_secret(x->documents[s], see, to);
}

struct str exchange_mask(struct exchange *x, struct str text)
{
	for (int s = 0; s < SCOPE__COUNT; s++)
		if (x->documents[s])
			text = mask_document(x->arena, text, x->documents[s]);
	return text;
}
