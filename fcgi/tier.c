#include "fcgi/tier.h"

#include "core/str.h"
#include "db/tiers.h"
#include "policy/elements/limits.h"

struct state {
	const struct ctx_limit *limit;
	struct counter_answer answer;
	bool taken;
};

static void ask(struct call *k, struct str key, struct state *s, uint64_t amount)
{
	const struct ctx_subscription *sub = k->gate->access.subscription;
	bool rate = s->limit->kind == STORE_LIMIT_RATE;
	struct counter_ask a = { .type = rate ? COUNTER_TYPE_SLIDING : COUNTER_TYPE_FIXED, .key = key, .limit = s->limit->calls,
				 .window_s = s->limit->seconds, .amount = amount,
				 .origin_us = sub->start_us ? sub->start_us : sub->created_us };

	s->answer = counter_take(k->wk->serving->counters, &a);
}

/* Looks at all before it takes from any. Between the two another worker may take the last one: then the limits before are one
 * call short, and never one too far. The one that refuses for the longest time, or NULL. */
static struct state *take(struct call *k, struct str key, struct state *v, size_t n)
{
	struct state *refused = NULL;

	for (size_t i = 0; n > 1 && i < n; i++) {
		ask(k, key, &v[i], 0);
		if (v[i].answer.remaining)
			continue;
		ask(k, key, &v[i], 1);               /* tells for how long; or it has just become free, and is taken */
		v[i].taken = v[i].answer.allowed;
		if (!v[i].taken && (!refused || v[i].answer.retry_after_s > refused->answer.retry_after_s))
			refused = &v[i];
	}
	for (size_t i = 0; i < n && !refused; i++) {
		if (!v[i].taken)
			ask(k, key, &v[i], 1);
		if (!v[i].answer.allowed)
			refused = &v[i];
	}
	return refused;
}

/* The one with the smallest part left. */
static const struct state *tightest(const struct state *v, size_t n)
{
	const struct state *least = &v[0];

	for (size_t i = 1; i < n; i++)
		if ((double)v[i].answer.remaining / (double)v[i].limit->calls
		    < (double)least->answer.remaining / (double)least->limit->calls)
			least = &v[i];
	return least;
}

static void tell(struct gate_state *g, const struct state *s)
{
	limit_note(g, &(struct shown_limit){ .rate = s->limit->kind == STORE_LIMIT_RATE, .limit = s->limit->calls,
					     .remaining = s->answer.remaining, .window_s = s->limit->seconds,
					     .reset_s = s->answer.allowed ? s->answer.reset_s : s->answer.retry_after_s });
}

static void refuse(struct call *k, struct gate_state *g, const struct state *s)
{
	bool rate = s->limit->kind == STORE_LIMIT_RATE, ends = s->limit->seconds != 0;
	uint32_t after = s->answer.retry_after_s;
	struct last_error e = { .set = true, .source = rate ? STR("rate-limit") : STR("quota"), .scope = STR("product"),
				.reason = rate ? STR("RateLimitExceeded") : STR("QuotaExceeded"), .status = rate ? 429 : 403 };

	if (rate)
		e.public_message = arena_printf(k->arena, "Rate limit is exceeded. Try again in %u seconds.", after);
	else if (ends)
		e.public_message = arena_printf(k->arena, "Out of call volume quota. Quota will be replenished in %.*s.",
						STR_ARG(limit_time_span(k->arena, after)));
	else
		e.public_message = STR("Out of call volume quota.");
	e.message = e.public_message;
	e.public_reason = rate ? STR_NULL : STR("Quota Exceeded");
	if (ends) {
		e.header = STR("Retry-After");
		e.header_value = arena_printf(k->arena, "%u", after);
	}
	k->word = e.reason;
	k->detail = arena_printf(k->arena, "check=tier expected=\"at most %llu calls in %u s\" got=\"one more\"",
				 (unsigned long long)s->limit->calls, s->limit->seconds);
	gate_fail(k, g, &e);
}

bool tier_pass(struct call *k, struct gate_state *g)
{
	const struct ctx_subscription *sub = g->access.subscription;
	struct state v[STORE_TIER_LIMITS_MAX], *refused;
	struct str key;
	size_t n;

	if (!sub || !sub->n_limits)
		return true;
	n = sub->n_limits < ARRAY_LEN(v) ? sub->n_limits : ARRAY_LEN(v);
	key = limit_tier_key(k->arena, sub->id);
	/* a limit that cannot be kept is no reason to let everybody through */
	if (!key.p || !k->wk->serving->counters) {
		call_refuse(k, key.p ? REASON_NO_CONFIGURATION : REASON_NO_MEMORY);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		v[i] = (struct state){ .limit = &sub->limits[i] };
	refused = take(k, key, v, n);
	tell(g, refused ? refused : tightest(v, n));
	if (refused)
		refuse(k, g, refused);
	return !refused;
}
