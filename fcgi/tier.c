#include "fcgi/tier.h"

#include "core/str.h"
#include "db/tiers.h"
#include "fcgi/consumer_rule.h"
#include "policy/elements/limits.h"

struct state {
	const struct ctx_limit *limit;
	struct counter_answer answer;
	bool taken;
};

static void ask(struct call *k, struct str key, struct state *s, uint64_t amount)
{
	const struct ctx_subscription *sub = k->gate->access.subscription;
	struct counter_ask a = { .type = s->limit->type, .key = key, .limit = s->limit->calls,
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
	limit_note(g, &(struct shown_limit){ .rate = s->limit->rate, .limit = s->limit->calls,
					     .remaining = s->answer.remaining, .window_s = s->limit->seconds,
					     .reset_s = s->answer.allowed ? s->answer.reset_s : s->answer.retry_after_s });
}

static void refuse(struct call *k, struct gate_state *g, const struct state *s)
{
	bool rate = s->limit->rate, ends = s->limit->seconds != 0;
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

/* Those of the subscription's rule for this API in place of those of its tier. */
static size_t limits_of(struct call *k, const struct gate_state *g, struct state v[STORE_TIER_LIMITS_MAX], struct str *key)
{
	const struct ctx_subscription *sub = g->access.subscription;
	const struct ctx_consumer_rule *rule = consumer_rule(g);
	bool own = rule && rule->n_limits;
	const struct ctx_limit *limits = own ? rule->limits : sub ? sub->limits : NULL;
	size_t n = own ? rule->n_limits : sub ? sub->n_limits : 0;

	if (!n)
		return 0;
	*key = own ? limit_rule_key(k->arena, sub->id, rule->api_id) : limit_tier_key(k->arena, sub->id);
	n = n < STORE_TIER_LIMITS_MAX ? n : STORE_TIER_LIMITS_MAX;
	for (size_t i = 0; i < n; i++)
		v[i] = (struct state){ .limit = &limits[i] };
	return n;
}

bool tier_pass(struct call *k, struct gate_state *g)
{
	struct state v[STORE_TIER_LIMITS_MAX], *refused;
	struct str key = STR_NULL;
	size_t n = limits_of(k, g, v, &key);

	if (!n)
		return true;
	/* a limit that cannot be kept is no reason to let everybody through */
	if (!key.p || !k->wk->serving->counters) {
		call_refuse(k, key.p ? REASON_NO_CONFIGURATION : REASON_NO_MEMORY);
		return false;
	}
	refused = take(k, key, v, n);
	tell(g, refused ? refused : tightest(v, n));
	if (refused)
		refuse(k, g, refused);
	return !refused;
}
