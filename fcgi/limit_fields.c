#include "fcgi/limit_fields.h"

#include "core/str.h"
#include "fcgi/call_gate.h"

enum { TEXT_BYTES = 80 };                /* two numbers of 20 digits and 30 characters */

void limit_note(struct gate_state *g, const struct shown_limit *l)
{
	struct shown_limit *have = &g->limit;
	double share = l->limit ? (double)l->remaining / (double)l->limit : 0, least = have->limit ? (double)have->remaining / (double)have->limit : 0;

	if (have->set && (share > least || (share >= least && l->reset_s < have->reset_s)))
		return;
	*have = *l;
	have->set = true;
}

static struct str number(const struct call *k, uint64_t n)
{
	return arena_printf(k->arena, "%llu", (unsigned long long)n);
}

static struct str name_of(const struct shown_limit *l)
{
	return l->at_once ? STR("\"concurrency\"") : l->rate ? STR("\"rate\"") : STR("\"quota\"");
}

/* Both stand in each answer of a limited API, so they are put together by hand. */
static struct str policy_text(const struct call *k, const struct shown_limit *l)
{
	char text[TEXT_BYTES], *to = str_put(str_put(text, name_of(l)), STR(";q="));

	to = str_put_u64(to, l->limit);
	if (l->at_once)
		to = str_put(to, STR(";qu=\"concurrent-requests\""));
	if (l->bytes)
		to = str_put(to, STR(";qu=\"content-bytes\""));
	if (l->window_s)
		to = str_put_u64(str_put(to, STR(";w=")), l->window_s);
	return arena_dup(k->arena, (struct str){ text, (size_t)(to - text) });
}

static struct str now_text(const struct call *k, const struct shown_limit *l)
{
	char text[TEXT_BYTES], *to = str_put(str_put(text, name_of(l)), STR(";r="));

	to = str_put_u64(to, l->remaining);
	if (l->window_s || (l->at_once && l->reset_s))
		to = str_put_u64(str_put(to, STR(";t=")), l->reset_s);
	return arena_dup(k->arena, (struct str){ text, (size_t)(to - text) });
}

size_t limit_fields(const struct call *k, struct field out[LIMIT_FIELDS])
{
	const struct shown_limit *l = k->gate ? &k->gate->limit : NULL;
	size_t n = 0;

	if (!l || !l->set)
		return 0;
	out[n++] = (struct field){ STR("RateLimit-Policy"), policy_text(k, l) };
	out[n++] = (struct field){ STR("RateLimit"), now_text(k, l) };
	if (k->wk->limits.old_limit_fields) {
		out[n++] = (struct field){ STR("X-RateLimit-Limit"), number(k, l->limit) };
		out[n++] = (struct field){ STR("X-RateLimit-Remaining"), number(k, l->remaining) };
		if (l->window_s)
			out[n++] = (struct field){ STR("X-RateLimit-Reset"), number(k, l->reset_s) };
	}
	return n;
}
