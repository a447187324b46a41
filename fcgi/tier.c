#include "fcgi/tier.h"

#include "core/quota_watch.h"
#include "core/str.h"
#include "db/tiers.h"
#include "fcgi/consumer_rule.h"
#include "fcgi/shared_limit.h"
#include "policy/elements/limits.h"

struct state {
	const struct ctx_limit *limit;
	struct counter_answer answer;
	bool taken;
};

static struct counter_ask ask_of(const struct call *k, struct str key, const struct state *s, uint64_t amount)
{
	const struct ctx_subscription *sub = k->gate->access.subscription;

	return (struct counter_ask){ .type = s->limit->type, .key = key, .limit = s->limit->calls,
				     .window_s = s->limit->seconds, .amount = amount,
				     .origin_us = sub->start_us ? sub->start_us : sub->created_us };
}

static void ask(struct call *k, struct str key, struct state *s, uint64_t amount)
{
	struct counter_ask a = ask_of(k, key, s, amount);

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
					     .remaining = s->answer.remaining, .before = s->answer.remaining + s->answer.allowed, .window_s = s->limit->seconds,
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

/* For alerts: how far the quotas among them are used. One that was not asked, as another refused first, says nothing. */
static void watch(const struct call *k, const struct gate_state *g, const struct state *v, size_t n)
{
	const struct ctx_consumer_rule *rule = consumer_rule(g);
	bool own = rule && rule->n_limits;
	struct quota_name name = { .policy = own ? STR("consumer-rule") : STR("tier"), .scope = STR("subscription"),
				   .subscription = g->access.subscription->id };

	if (own && rule->api_id.p)
		name.api = rule->api_id;
	for (size_t i = 0; i < n; i++) {
		const struct counter_answer *a = &v[i].answer;
		const struct quota_use use = { .used = a->used, .limit = v[i].limit->calls, .window_s = v[i].limit->seconds, .reset_s = a->reset_s };

		if (!v[i].limit->rate && a->used)
			gate_watch_quota(k, &name, &use);
	}
}

static enum step answer(struct call *k, struct gate_state *g, struct state *refused, const struct state *v, size_t n)
{
	if (quota_watch_on(k->wk->quotas))
		watch(k, g, v, n);
	tell(g, refused ? refused : tightest(v, n));
	if (!refused)
		return STEP_NEXT;
	refuse(k, g, refused);
	return STEP_FAIL;
}

/* ---- counted together with other machines ---- */

struct tier_wait {                       /* until Redis has answered */
	struct shared_limit shared;
	struct counter_ask asks[STORE_TIER_LIMITS_MAX];
	struct counter_answer answers[STORE_TIER_LIMITS_MAX];
	struct state v[STORE_TIER_LIMITS_MAX];
	struct str key;
	size_t n;
	void (*passed)(struct call *k, struct gate_state *g);
};

static enum step take_here(struct call *k, struct gate_state *g, struct str key, struct state *v, size_t n)
{
	struct state *refused;

	/* a limit that cannot be kept is no reason to let everybody through */
	if (!k->wk->serving->counters) {
		call_refuse(k, REASON_LIMITS_AWAY);
		return STEP_FAIL;
	}
	refused = take(k, key, v, n);
	return answer(k, g, refused, v, n);
}

static enum step settle(struct call *k, struct tier_wait *w)
{
	struct state *refused = NULL;

	if (w->shared.away && shared_limits_local(k->wk->shared_limits))
		return take_here(k, k->gate, w->key, w->v, w->n);
	if (w->shared.away) {
		call_refuse(k, REASON_LIMITS_AWAY);
		return STEP_FAIL;
	}
	for (size_t i = 0; i < w->n; i++) {
		struct state *s = &w->v[i];

		s->answer = w->answers[i];
		if (!s->answer.allowed && (!refused || s->answer.retry_after_s > refused->answer.retry_after_s))
			refused = s;
	}
	return answer(k, k->gate, refused, w->v, w->n);
}

static void nothing(struct shared_limit *l UNUSED)
{
}

static void tier_turn(struct call *k)
{
	struct tier_wait *w = k->gate->tier;

	if (!w->shared.done)
		return;
	k->resume_due = false;
	if (settle(k, w) == STEP_NEXT)
		w->passed(k, k->gate);
}

static enum step take_shared(struct call *k, struct gate_state *g, struct str key, const struct state *v, size_t n,
			     void (*passed)(struct call *, struct gate_state *))
{
	struct tier_wait *w = arena_new_of(k->arena, struct tier_wait);

	if (!w) {
		call_refuse(k, REASON_NO_MEMORY);
		return STEP_FAIL;
	}
	memcpy(w->v, v, n * sizeof(*v));
	w->key = key;
	w->n = n;
	w->passed = passed;
	for (size_t i = 0; i < n; i++)
		w->asks[i] = ask_of(k, key, &v[i], 1);
	w->shared = (struct shared_limit){ .asks = w->asks, .answers = w->answers, .n = n, .over = nothing };
	g->tier = w;
	if (shared_limit_take(k->wk->shared_limits, k, &w->shared) == STEP_NEXT)
		return settle(k, w);
	k->stage = CALL_AT_GATE;
	k->gate_turn = tier_turn;
	return STEP_WAIT;
}

enum step tier_pass(struct call *k, struct gate_state *g, void (*passed)(struct call *, struct gate_state *))
{
	struct state v[STORE_TIER_LIMITS_MAX];
	struct str key = STR_NULL;
	size_t n = limits_of(k, g, v, &key);

	if (!n)
		return STEP_NEXT;
	if (!key.p) {
		call_refuse(k, REASON_NO_MEMORY);
		return STEP_FAIL;
	}
	return k->wk->shared_limits ? take_shared(k, g, key, v, n, passed) : take_here(k, g, key, v, n);
}
