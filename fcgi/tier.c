/* tier.c - one attempt takes from all limits of a call: the place among calls at once first, for it can be given back, then the
 * counters, here or in Redis. A rate with a queue makes another attempt of a refusal, later.
 *
 *   tier_pass ── no queue, place or bytes, no Redis: take_here ──────────────> passed or refused
 *        └─ tier_state: attempt ──> settle ──┬── passed
 *              ^     └ Redis: WAIT ──^       ├── refused
 *              └── its turn ── queue <───────┘ */
#include "fcgi/tier.h"

#include "core/limit_key.h"
#include "core/quota_watch.h"
#include "core/str.h"
#include "db/tiers.h"
#include "fcgi/consumer_rule.h"
#include "fcgi/place.h"
#include "fcgi/shared_limit.h"
#include "fcgi/spike.h"
#include "policy/elements/limits.h"

enum { SECOND_US = 1000000 };

/* In the words of the record. */
static const char waited_long[] = "one that had waited as long as it may", queue_full[] = "one more, and the queue is full";

struct state {
	const struct ctx_limit *limit;
	struct counter_answer answer;
	bool taken;
};

struct tier_state {                      /* of a call that waits, or has something to give back */
	struct shared_limit shared;
	struct counter_ask asks[STORE_TIER_LIMITS_MAX];
	struct counter_answer answers[STORE_TIER_LIMITS_MAX];
	struct state v[STORE_TIER_LIMITS_MAX];       /* calls at once last */
	struct str key, gauge;
	size_t n, n_counted;                         /* all; those that are no calls at once */
	struct spike_place place;
	struct place inside;                         /* among calls at once */
	int64_t inside_us;                           /* since when */
	bool entering, counted, asking;              /* waits for its place; has passed; Redis is being asked */
	void (*passed)(struct call *k, struct gate_state *g);
};

static struct counter_ask ask_of(const struct call *k, struct str key, const struct state *s, uint64_t amount)
{
	const struct ctx_subscription *sub = k->gate->access.subscription;

	return (struct counter_ask){ .type = s->limit->type, .key = key, .limit = s->limit->calls, .window_s = s->limit->seconds,
				     .amount = amount, .burst = s->limit->burst,
				     .part = s->limit->kind == CTX_LIMIT_BANDWIDTH ? LIMIT_PART_BYTES : LIMIT_PART_CALLS,
				     .origin_us = sub->start_us ? sub->start_us : sub->created_us };
}

static void ask(struct call *k, struct str key, struct state *s, uint64_t amount)
{
	struct counter_ask a = ask_of(k, key, s, amount);

	s->answer = counter_take(k->wk->serving->counters, &a);
}

/* Of two that refuse the one that counts: without a queue before one with, then the one that lasts longer. */
static struct state *worse(struct state *a, struct state *b)
{
	if (!a || !b)
		return a ? a : b;
	if (!a->limit->queue != !b->limit->queue)
		return a->limit->queue ? b : a;
	return b->answer.retry_after_us > a->answer.retry_after_us ? b : a;
}

/* Looks at all before it takes from any. Between the two another worker may take the last one: then the limits before are one
 * call short, and never one too far. The one that refuses, or NULL. */
static struct state *take(struct call *k, struct str key, struct state *v, size_t n)
{
	struct state *refused = NULL;

	for (size_t i = 0; i < n; i++)
		v[i].taken = false;
	for (size_t i = 0; n > 1 && i < n; i++) {
		ask(k, key, &v[i], 0);
		if (v[i].answer.remaining)
			continue;
		ask(k, key, &v[i], 1);               /* tells for how long; or it has just become free, and is taken */
		v[i].taken = v[i].answer.allowed;
		if (!v[i].taken)
			refused = worse(refused, &v[i]);
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
	limit_note(g, &(struct shown_limit){ .rate = s->limit->kind == CTX_LIMIT_RATE, .bytes = s->limit->kind == CTX_LIMIT_BANDWIDTH,
					     .at_once = s->limit->kind == CTX_LIMIT_CONCURRENCY, .limit = s->limit->calls,
					     .remaining = s->answer.remaining, .before = s->answer.remaining + s->answer.allowed,
					     .window_s = s->limit->seconds,
					     .reset_s = s->answer.allowed ? s->answer.reset_s : s->answer.retry_after_s });
}

/* ---- refusing ---- */

static struct str expected(const struct call *k, const struct ctx_limit *l)
{
	unsigned long long n = l->calls;

	switch (l->kind) {
	case CTX_LIMIT_CONCURRENCY:
		return arena_printf(k->arena, "at most %llu calls at once", n);
	case CTX_LIMIT_BANDWIDTH:
		return arena_printf(k->arena, "at most %llu bytes in %u s", n, l->seconds);
	default:
		return arena_printf(k->arena, "at most %llu calls in %u s", n, l->seconds);
	}
}

static struct str sentence(const struct call *k, const struct ctx_limit *l, uint32_t after)
{
	struct str what = l->kind == CTX_LIMIT_BANDWIDTH ? STR("bandwidth") : STR("call volume");

	if (l->kind == CTX_LIMIT_CONCURRENCY)
		return STR("Concurrency limit is exceeded. Try again later.");
	if (l->kind == CTX_LIMIT_RATE)
		return arena_printf(k->arena, "Rate limit is exceeded. Try again in %u seconds.", after);
	if (!l->seconds)
		return arena_printf(k->arena, "Out of %.*s quota.", STR_ARG(what));
	return arena_printf(k->arena, "Out of %.*s quota. Quota will be replenished in %.*s.", STR_ARG(what),
			    STR_ARG(limit_time_span(k->arena, after)));
}

static void refuse(struct call *k, struct gate_state *g, const struct state *s, const char *got)
{
	const struct ctx_limit *l = s->limit;
	bool rate = l->kind == CTX_LIMIT_RATE, at_once = l->kind == CTX_LIMIT_CONCURRENCY;
	struct last_error e = { .set = true, .scope = STR("product"), .status = rate || at_once ? 429 : 403 };

	e.source = rate ? STR("rate-limit") : at_once ? STR("limit-concurrency") : STR("quota");
	e.reason = rate ? STR("RateLimitExceeded") : at_once ? STR("ConcurrencyLimitExceeded") : STR("QuotaExceeded");
	e.message = e.public_message = sentence(k, l, s->answer.retry_after_s);
	e.public_reason = rate || at_once ? STR_NULL : STR("Quota Exceeded");
	if (rate || at_once || l->seconds) {
		e.header = STR("Retry-After");
		e.header_value = arena_printf(k->arena, "%u", s->answer.retry_after_s);
	}
	k->word = e.reason;
	k->detail = arena_printf(k->arena, "check=tier expected=\"%.*s\" got=\"%s\"", STR_ARG(expected(k, l)), got);
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
	for (size_t i = 0; i < n; i++)               /* by kind: calls at once are the last */
		v[i] = (struct state){ .limit = &limits[i] };
	return n;
}

/* For alerts: how far the quotas among them are used. One that was not asked, as another refused first, says nothing. */
static void watch(const struct call *k, const struct state *v, size_t n)
{
	const struct gate_state *g = k->gate;
	const struct ctx_consumer_rule *rule = quota_watch_on(k->wk->quotas) ? consumer_rule(g) : NULL;
	bool own = rule && rule->n_limits;
	struct quota_name name = { .policy = own ? STR("consumer-rule") : STR("tier"), .scope = STR("subscription"),
				   .subscription = g->access.subscription->id };

	if (own && rule->api_id.p)
		name.api = rule->api_id;
	for (size_t i = 0; i < n && quota_watch_on(k->wk->quotas); i++) {
		const struct counter_answer *a = &v[i].answer;
		const struct quota_use use = { .used = a->used, .limit = v[i].limit->calls, .window_s = v[i].limit->seconds, .reset_s = a->reset_s,
					       .bytes = v[i].limit->kind == CTX_LIMIT_BANDWIDTH };

		if (a->used && (v[i].limit->kind == CTX_LIMIT_QUOTA || use.bytes))
			gate_watch_quota(k, &name, &use);
	}
}

/* ---- with nothing to wait for or to give back ---- */

static enum step take_here(struct call *k, struct gate_state *g, struct str key, struct state *v, size_t n)
{
	struct state *refused;

	/* a limit that cannot be kept is no reason to let everybody through */
	if (!k->wk->serving->counters) {
		call_refuse(k, REASON_LIMITS_AWAY);
		return STEP_FAIL;
	}
	refused = take(k, key, v, n);
	watch(k, v, n);
	tell(g, refused ? refused : tightest(v, n));
	if (!refused)
		return STEP_NEXT;
	refuse(k, g, refused, "one more");
	return STEP_FAIL;
}

/* ---- attempts ---- */

static enum step give_up(struct call *k, struct tier_state *t, const struct state *s, const char *got)
{
	spike_leave(&t->place);
	watch(k, t->v, t->n_counted);
	tell(k->gate, s);
	refuse(k, k->gate, s, got);
	return STEP_FAIL;
}

static enum step away(struct call *k, struct tier_state *t)
{
	spike_leave(&t->place);
	call_refuse(k, REASON_LIMITS_AWAY);
	return STEP_FAIL;
}

static void leave_place(struct call *k, struct tier_state *t)
{
	if (t->inside.allowed && t->counted)
		held_note(&k->wk->held, t->gauge, k->wk->loop.now_us - t->inside_us);
	place_leave(&t->inside);
}

/* What it says of the place that it got, or did not get. */
static void note_place(struct call *k, struct tier_state *t)
{
	struct state *last = &t->v[t->n - 1];
	bool in = t->inside.allowed;
	uint64_t inside = t->inside.inside;
	uint32_t wait_s = in ? 1 : held_wait_s(&k->wk->held, t->gauge);

	if (in && t->n == 1 && !inside)
		inside = counter_inside(k->wk->serving->counters, t->gauge);
	t->inside_us = k->wk->loop.now_us;
	last->answer = (struct counter_answer){ .allowed = in, .retry_after_s = wait_s, .retry_after_us = (int64_t)wait_s * SECOND_US,
						.remaining = in && inside < last->limit->calls ? last->limit->calls - inside : 0 };
}

static enum step pass(struct call *k, struct tier_state *t)
{
	if (t->place.line)
		k->detail = arena_printf(k->arena, "check=tier queued_ms=%lld",
					 (long long)(k->wk->loop.now_us - t->place.since_us) / 1000);
	spike_leave(&t->place);
	t->counted = true;
	watch(k, t->v, t->n_counted);
	tell(k->gate, t->n_counted ? tightest(t->v, t->n_counted) : &t->v[0]);
	return STEP_NEXT;
}

static void tier_turn(struct call *k);

static enum step wait_in_line(struct call *k)
{
	k->stage = CALL_AT_GATE;
	k->gate_turn = tier_turn;
	return STEP_WAIT;
}

static enum step refused_by(struct call *k, struct tier_state *t, struct state *s)
{
	const struct ctx_limit *l = s->limit;
	int64_t delay_us = (int64_t)l->delay_ms * 1000, retry_us = s->answer.retry_after_us;

	leave_place(k, t);
	if (!l->queue)
		return give_up(k, t, s, "one more");
	if (t->place.line)
		return spike_again(&t->place, retry_us) ? wait_in_line(k) : give_up(k, t, s, waited_long);
	if (retry_us > delay_us)
		return give_up(k, t, s, "one that would wait too long");
	if (!spike_join(&t->place, k, t->key, l->queue, delay_us, retry_us))
		return give_up(k, t, s, queue_full);
	return wait_in_line(k);
}

static enum step settle(struct call *k, struct tier_state *t)
{
	struct state *refused = NULL;

	t->asking = false;
	if (t->shared.away) {
		if (!k->wk->serving->counters || !shared_limits_local(k->wk->shared_limits)) {
			leave_place(k, t);
			return away(k, t);
		}
		refused = take(k, t->key, t->v, t->n_counted);
	}
	for (size_t i = 0; !t->shared.away && i < t->n_counted; i++) {
		t->v[i].answer = t->answers[i];
		if (!t->v[i].answer.allowed)
			refused = worse(refused, &t->v[i]);
	}
	return refused ? refused_by(k, t, refused) : pass(k, t);
}

static enum step count(struct call *k, struct tier_state *t)
{
	struct state *refused;

	if (!t->n_counted)
		return pass(k, t);
	if (!k->wk->shared_limits) {
		refused = take(k, t->key, t->v, t->n_counted);
		return refused ? refused_by(k, t, refused) : pass(k, t);
	}
	for (size_t i = 0; i < t->n_counted; i++)
		t->asks[i] = ask_of(k, t->key, &t->v[i], 1);
	t->shared = (struct shared_limit){ .asks = t->asks, .answers = t->answers, .n = t->n_counted, .over = t->shared.over };
	t->asking = true;
	if (shared_limit_take(k->wk->shared_limits, k, &t->shared) == STEP_NEXT)
		return settle(k, t);
	return wait_in_line(k);
}

/* It has its place, or knows that there is none. */
static enum step entered(struct call *k, struct tier_state *t)
{
	t->entering = false;
	if (t->inside.unavailable)
		return away(k, t);
	note_place(k, t);
	return t->inside.allowed ? count(k, t) : give_up(k, t, &t->v[t->n - 1], "one more");
}

static enum step attempt(struct call *k, struct tier_state *t)
{
	if (t->n_counted == t->n)
		return count(k, t);
	if (place_enter(&t->inside, k, t->gauge, (uint32_t)t->v[t->n - 1].limit->calls) == STEP_NEXT)
		return entered(k, t);
	t->entering = true;
	return wait_in_line(k);
}

/* The first limit with a queue; NULL: none. */
static struct state *with_queue(struct tier_state *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].limit->queue)
			return &t->v[i];
	return NULL;
}

/* It is refused without having asked: what would it have been told? Of Redis that is when the first of the line asks again. */
static enum step unasked(struct call *k, struct tier_state *t, const char *got)
{
	struct state *s = with_queue(t);
	int64_t next_us = spike_next_us(k->wk, t->key);

	if (k->wk->shared_limits)
		s->answer = (struct counter_answer){ .retry_after_s = (uint32_t)((next_us + SECOND_US - 1) / SECOND_US) };
	else
		ask(k, t->key, s, 0);
	s->answer.allowed = false;
	s->answer.remaining = 0;
	s->answer.retry_after_s = s->answer.retry_after_s ? s->answer.retry_after_s : 1;
	return give_up(k, t, s, got);
}

static void tier_turn(struct call *k)
{
	struct tier_state *t = k->gate->tier;
	enum step step;

	if ((t->asking && !t->shared.done) || (t->entering && !t->inside.done))
		return;
	if (!t->asking && !t->entering && t->place.timer.at)         /* it waits, and something else woke it: bytes of its body */
		return;
	k->resume_due = false;
	step = t->asking ? settle(k, t) : t->entering ? entered(k, t) : spike_first(&t->place) ? attempt(k, t) : unasked(k, t, waited_long);
	if (step == STEP_NEXT)
		t->passed(k, k->gate);
}

static void nothing(struct shared_limit *l UNUSED)
{
}

static enum step begin(struct call *k, struct tier_state *t)
{
	const struct state *s = with_queue(t);

	if (!s || !spike_waits(k->wk, t->key))
		return attempt(k, t);
	/* who finds the line full may not pass those that stand in it */
	return spike_join(&t->place, k, t->key, s->limit->queue, (int64_t)s->limit->delay_ms * 1000, INT64_MAX / 4)
		       ? wait_in_line(k)
		       : unasked(k, t, queue_full);
}

static bool is_plain(const struct call *k, const struct state *v, size_t n)
{
	bool plain = !k->wk->shared_limits;

	for (size_t i = 0; i < n; i++)
		plain = plain && v[i].limit->kind <= CTX_LIMIT_QUOTA && !v[i].limit->queue;
	return plain;
}

enum step tier_pass(struct call *k, struct gate_state *g, void (*passed)(struct call *, struct gate_state *))
{
	struct state v[STORE_TIER_LIMITS_MAX];
	struct str key = STR_NULL;
	size_t n = limits_of(k, g, v, &key);
	struct tier_state *t;

	if (!n)
		return STEP_NEXT;
	if (key.p && is_plain(k, v, n))
		return take_here(k, g, key, v, n);
	t = key.p ? arena_new_of(k->arena, struct tier_state) : NULL;
	if (t)
		t->gauge = limit_place_key(k->arena, key);
	if (!t || !t->gauge.p) {
		call_refuse(k, REASON_NO_MEMORY);
		return STEP_FAIL;
	}
	memcpy(t->v, v, n * sizeof(*v));
	t->key = key;
	t->n = t->n_counted = n;
	while (t->n_counted && v[t->n_counted - 1].limit->kind == CTX_LIMIT_CONCURRENCY)
		t->n_counted--;
	t->passed = passed;
	t->shared.over = nothing;
	g->tier = t;
	/* Redis may do without; places and queues may not */
	if (!k->wk->serving->counters && (!k->wk->shared_limits || t->n_counted < n || with_queue(t)))
		return away(k, t);
	return begin(k, t);
}

/* ---- the end ---- */

void tier_transferred(struct call *k, uint64_t bytes)
{
	struct tier_state *t = k->gate ? k->gate->tier : NULL;

	for (size_t i = 0; t && t->counted && bytes > 1 && i < t->n_counted; i++) {
		struct counter_ask a = ask_of(k, t->key, &t->v[i], bytes - 1);

		if (t->v[i].limit->kind != CTX_LIMIT_BANDWIDTH)
			continue;
		a.forced = true;
		if (k->wk->shared_limits && shared_limit_count(k->wk->shared_limits, &a))
			continue;            /* nobody hears how many it were */
		if (k->wk->serving->counters) {
			t->v[i].answer = counter_take(k->wk->serving->counters, &a);
			watch(k, &t->v[i], 1);
		}
	}
}

void tier_leave(struct call *k)
{
	struct tier_state *t = k->gate ? k->gate->tier : NULL;

	if (!t)
		return;
	spike_leave(&t->place);
	leave_place(k, t);
}
