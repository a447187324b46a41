/* host_gate.c - limits, log sinks and metrics for policies. */
#include "fcgi/call_gate.h"

#include "core/log.h"
#include "core/str.h"

enum step gate_take(struct exchange *x, struct counter_take *t)
{
	static const enum counter_type types[] = {
		[COUNTER_SLIDING] = COUNTER_TYPE_SLIDING,
		[COUNTER_FIXED] = COUNTER_TYPE_FIXED,
		[COUNTER_BUCKET] = COUNTER_TYPE_BUCKET,
	};
	struct call *k = x->owner;
	struct counters *counters = k->wk->serving->counters;
	struct counter_ask ask = { .type = types[t->kind], .key = t->key, .limit = t->limit, .amount = t->amount,
				   .window_s = t->window_s, .burst = t->burst, .origin_us = t->origin_us, .forced = t->forced };
	struct counter_answer a;

	t->done = true;
	/* a limit that cannot be kept is no reason to let everybody through */
	if (!counters)
		return exchange_fail(x, 503, STR("CountersUnavailable"), "The limits of this gateway cannot be kept at present.");
	a = counter_take(counters, &ask);
	t->allowed = a.allowed;
	t->remaining = a.remaining;
	t->retry_after_s = a.retry_after_s;
	t->reset_s = a.reset_s;
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

/* Log sinks and metrics leave through the worker's log. */
void gate_log_to(struct exchange *x, struct str logger_id, struct str message)
{
	log_info("policy log", KV_STR("logger", logger_id), KV_STR("request_id", x->request_id), KV_STR("message", message));
}

void gate_metric(struct exchange *x, struct str ns, struct str name, double value, const struct fields *dimensions UNUSED)
{
	log_debug("policy metric", KV_STR("namespace", ns), KV_STR("name", name), KV_INT("value", value),
		  KV_STR("request_id", x->request_id));
}
