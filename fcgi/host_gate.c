/* host_gate.c - limits, log sinks, traces and metrics for policies. */
#include "fcgi/call_gate.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/quota_watch.h"
#include "core/str.h"
#include "fcgi/access_memory.h"
#include "fcgi/log_sink.h"
#include "fcgi/place.h"
#include "fcgi/shared_limit.h"

/* What policies ask of a counter, and what it answers. */
struct taken {
	struct shared_limit shared;
	struct counter_ask ask;
	struct counter_answer answer;
	struct counter_take *t;
};

static struct counter_ask ask_of(const struct counter_take *t)
{
	static const enum counter_type types[] = {
		[COUNTER_SLIDING] = COUNTER_TYPE_SLIDING,
		[COUNTER_FIXED] = COUNTER_TYPE_FIXED,
		[COUNTER_BUCKET] = COUNTER_TYPE_BUCKET,
	};

	return (struct counter_ask){ .type = types[t->kind], .key = t->key, .limit = t->limit, .amount = t->amount,
				     .window_s = t->window_s, .burst = t->burst, .origin_us = t->origin_us, .forced = t->forced };
}

/* For alerts about the share of a quota that is used. */
static void watch(const struct call *k, const struct counter_take *t, const struct counter_answer *a)
{
	const struct quota_use use = { .used = a->used, .limit = t->limit, .window_s = t->window_s, .reset_s = a->reset_s,
				       .bytes = t->shown == COUNTER_BYTES };

	gate_watch_quota(k, t->name, &use);
}

static void tell(struct call *k, struct counter_take *t, const struct counter_answer *a)
{
	uint64_t before = a->remaining + (a->allowed ? t->amount : 0);

	before = before > t->limit ? t->limit : before;
	t->done = true;
	t->allowed = a->allowed;
	t->remaining = a->remaining;
	t->retry_after_s = a->retry_after_s;
	t->reset_s = a->reset_s;
	if (t->name)
		watch(k, t, a);
	if (t->shown && k->gate)
		limit_note(k->gate, &(struct shown_limit){ .rate = t->kind != COUNTER_FIXED, .bytes = t->shown == COUNTER_BYTES,
							   .limit = t->limit, .remaining = a->remaining, .before = before, .window_s = t->window_s,
							   .reset_s = a->retry_after_s ? a->retry_after_s : a->reset_s });
}

/* A limit that cannot be kept is no reason to let everybody through. */
static enum step take_here(struct call *k, struct counter_take *t)
{
	struct counters *counters = k->wk->serving->counters;
	struct counter_ask ask = ask_of(t);
	struct counter_answer a;

	if (!counters) {
		t->done = true;
		return exchange_fail(&k->x, 503, STR("CountersUnavailable"), "The limits of this gateway cannot be kept at present.");
	}
	a = counter_take(counters, &ask);
	tell(k, t, &a);
	return STEP_NEXT;
}

static void take_over(struct shared_limit *l)
{
	struct taken *n = l->owner;
	struct counters *counters = l->call->wk->serving->counters;

	if (l->away && counters && shared_limits_local(l->call->wk->shared_limits))
		n->answer = counter_take(counters, &n->ask);
	else
		n->t->unavailable = l->away;
	n->t->done = true;
	if (!n->t->unavailable)
		tell(l->call, n->t, &n->answer);
}

static enum step take_shared(struct call *k, struct counter_take *t)
{
	struct taken *n = arena_new_of(k->arena, struct taken);

	if (!n)
		return exchange_fail(&k->x, 500, STR_NULL, "Out of memory.");
	t->done = t->unavailable = false;
	n->t = t;
	n->ask = ask_of(t);
	n->shared = (struct shared_limit){ .asks = &n->ask, .answers = &n->answer, .n = 1, .over = take_over, .owner = n };
	if (shared_limit_take(k->wk->shared_limits, k, &n->shared) == STEP_WAIT)
		return STEP_WAIT;
	take_over(&n->shared);
	return STEP_NEXT;
}

/* Those that nobody is shown are between the workers of this machine, such as who fetches keys. */
enum step gate_take(struct exchange *x, struct counter_take *t)
{
	struct call *k = x->owner;
	struct shared_limits *shared = t->shown ? k->wk->shared_limits : NULL;
	struct counter_ask ask;

	if (!shared)
		return take_here(k, t);
	if (!t->forced)
		return take_shared(k, t);
	ask = ask_of(t);
	if (!shared_limit_count(shared, &ask))
		return take_here(k, t);
	t->done = t->allowed = true;
	return STEP_NEXT;
}

bool gate_enter(struct exchange *x, struct str key, uint32_t max)
{
	struct call *k = x->owner;

	return k->wk->serving->counters && counter_enter(k->wk->serving->counters, key, max);
}

void gate_leave(struct exchange *x, struct str key)
{
	struct call *k = x->owner;

	if (k->wk->serving->counters)
		counter_leave(k->wk->serving->counters, key);
}

static void tell_place(struct place *p)
{
	struct place_take *t = p->owner;

	t->done = p->done;
	t->allowed = p->allowed;
	t->unavailable = p->unavailable;
}

enum step gate_enter_place(struct exchange *x, struct place_take *t)
{
	struct call *k = x->owner;
	struct place *p;
	enum step step;

	if (!k->wk->shared_places) {
		t->allowed = gate_enter(x, t->key, t->max);
		t->done = true;
		return STEP_NEXT;
	}
	t->state = p = arena_new_of(k->arena, struct place);
	if (!p)
		return exchange_fail(x, 500, STR_NULL, "Out of memory.");
	step = place_enter(p, k, t->key, t->max);
	p->over = tell_place;
	p->owner = t;
	tell_place(p);
	return step;
}

void gate_leave_place(struct exchange *x, struct place_take *t, int64_t held_us)
{
	if (held_us >= 0)
		held_note(&((struct call *)x->owner)->wk->held, t->key, held_us);
	if (t->state)
		place_leave(t->state);
	else if (t->allowed)
		gate_leave(x, t->key);
}

uint32_t gate_enter_wait_s(struct exchange *x, struct str key)
{
	return held_wait_s(&((struct call *)x->owner)->wk->held, key);
}

void gate_log_to(struct exchange *x, const struct log_message *m)
{
	struct call *k = x->owner;

	log_sinks_put(k->wk->sinks, k->gate ? k->gate->snapshot : NULL, m, x->request_id);
}

/* ---- policy trace ---- */

static const enum log_level trace_levels[] = {
	[TRACE_VERBOSE] = LOG_DEBUG, [TRACE_INFORMATION] = LOG_INFO, [TRACE_ERROR] = LOG_ERROR,
};

bool gate_wants_trace(struct exchange *x UNUSED, enum trace_severity severity)
{
	return log_wants(trace_levels[severity]);
}

enum { TRACE_TEXT_MAX = 2048, TRACE_METADATA_MAX = 2048 };

void gate_trace(struct exchange *x, enum trace_severity severity, struct str source, struct str message,
		const struct fields *metadata)
{
	struct str masked = exchange_mask(x, message);
	struct buf b;

	buf_init(&b, 4 * TRACE_METADATA_MAX);
	for (size_t i = 0; i < metadata->n && b.n < TRACE_METADATA_MAX; i++)
		buf_fmt(&b, "%s%.*s=%.*s", i ? " " : "", STR_ARG(metadata->v[i].name),
			STR_ARG(str_first(exchange_mask(x, metadata->v[i].value), TRACE_METADATA_MAX)));
	log_at(trace_levels[severity], "trace", KV_STR("source", source), KV_STR("request_id", x->request_id),
	       KV_STR("api", x->api ? x->api->id : STR_NULL), KV_STR("message", str_first(masked, TRACE_TEXT_MAX)),
	       KV_STR("metadata", buf_view(&b)));
	buf_release(&b);
}

/* ---- metrics ---- */

void gate_metric(struct exchange *x, struct str ns, struct str name, double value, const struct fields *dimensions)
{
	struct metric_label labels[METRIC_LABELS_MAX];
	struct call *k = x->owner;
	size_t n = 0;

	for (; n < dimensions->n && n < METRIC_LABELS_MAX; n++)
		labels[n] = (struct metric_label){ dimensions->v[n].name, exchange_mask(x, dimensions->v[n].value) };
	if (k->wk->metrics)
		metrics_add(k->wk->metrics, ns, name, labels, n, value, clock_wall_us());
}

void gate_watch_quota(const struct call *k, const struct quota_name *name, const struct quota_use *use)
{
	struct quota_name with = *name;

	if (!quota_watch_on(k->wk->quotas))
		return;
	if (with.api.n && k->gate && k->gate->route.environment)
		with.environment = k->gate->route.environment->id;
	quota_watch_note(k->wk->quotas, &with, use, clock_wall_us());
}

struct lru *gate_verified(struct exchange *x)
{
	struct access_memory *m = ((struct call *)x->owner)->wk->serving->memory;

	return m ? &m->tokens : NULL;
}

struct lru *gate_verdicts(struct exchange *x)
{
	struct access_memory *m = ((struct call *)x->owner)->wk->serving->memory;

	return m ? &m->verdicts : NULL;
}
