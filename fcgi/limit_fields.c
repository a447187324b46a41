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
static char *put_policy(char *to, const struct shown_limit *l)
{
	to = str_put_u64(str_put(str_put(to, name_of(l)), STR(";q=")), l->limit);
	if (l->at_once)
		to = str_put(to, STR(";qu=\"concurrent-requests\""));
	if (l->bytes)
		to = str_put(to, STR(";qu=\"content-bytes\""));
	return l->window_s ? str_put_u64(str_put(to, STR(";w=")), l->window_s) : to;
}

static char *put_now(char *to, const struct shown_limit *l)
{
	to = str_put_u64(str_put(str_put(to, name_of(l)), STR(";r=")), l->remaining);
	return l->window_s || (l->at_once && l->reset_s) ? str_put_u64(str_put(to, STR(";t=")), l->reset_s) : to;
}

size_t limit_fields(const struct call *k, struct field out[LIMIT_FIELDS])
{
	const struct shown_limit *l = k->gate ? &k->gate->limit : NULL;
	char *policy, *now, *end;
	size_t n = 0;

	if (!l || !l->set)
		return 0;
	policy = arena_alloc_text(k->arena, 2 * TEXT_BYTES);
	now = policy ? put_policy(policy, l) : NULL;
	end = policy ? put_now(now, l) : NULL;
	out[n++] = (struct field){ STR("RateLimit-Policy"), { policy, (size_t)(now - policy) } };
	out[n++] = (struct field){ STR("RateLimit"), { now, (size_t)(end - now) } };
	if (k->wk->limits.old_limit_fields) {
		out[n++] = (struct field){ STR("X-RateLimit-Limit"), number(k, l->limit) };
		out[n++] = (struct field){ STR("X-RateLimit-Remaining"), number(k, l->remaining) };
		if (l->window_s)
			out[n++] = (struct field){ STR("X-RateLimit-Reset"), number(k, l->reset_s) };
	}
	return n;
}
