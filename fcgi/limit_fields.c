#include "fcgi/limit_fields.h"

#include "core/str.h"
#include "fcgi/call_gate.h"

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

size_t limit_fields(const struct call *k, struct field out[LIMIT_FIELDS])
{
	const struct shown_limit *l = k->gate ? &k->gate->limit : NULL;
	struct str policy, now;
	const char *name;
	size_t n = 0;

	if (!l || !l->set)
		return 0;
	name = l->rate ? "rate" : "quota";
	policy = arena_printf(k->arena, "\"%s\";q=%llu%s", name, (unsigned long long)l->limit, l->bytes ? ";qu=\"content-bytes\"" : "");
	now = arena_printf(k->arena, "\"%s\";r=%llu", name, (unsigned long long)l->remaining);
	if (l->window_s) {
		policy = arena_printf(k->arena, "%.*s;w=%u", STR_ARG(policy), l->window_s);
		now = arena_printf(k->arena, "%.*s;t=%u", STR_ARG(now), l->reset_s);
	}
	out[n++] = (struct field){ STR("RateLimit-Policy"), policy };
	out[n++] = (struct field){ STR("RateLimit"), now };
	if (k->wk->limits.old_limit_fields) {
		out[n++] = (struct field){ STR("X-RateLimit-Limit"), number(k, l->limit) };
		out[n++] = (struct field){ STR("X-RateLimit-Remaining"), number(k, l->remaining) };
		if (l->window_s)
			out[n++] = (struct field){ STR("X-RateLimit-Reset"), number(k, l->reset_s) };
	}
	return n;
}
