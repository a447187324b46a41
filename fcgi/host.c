/* host.c - what policies may do to the world, in the gateway: one function for each row of struct policy_host.
 *
 * Counters and cache are mapped memory: they answer at once and never wait, but for those that are shared with other machines
 * (shared.h). What takes time goes through the loop. */
#include "fcgi/credential.h"

#include "core/cache.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "fcgi/fill.h"
#include "fcgi/shared_cache.h"
#include "fcgi/shared_limit.h"

#include <stdlib.h>

static struct call *call_of(struct exchange *x)
{
	return x->owner;
}

static int64_t now_us(struct exchange *x UNUSED)
{
	return clock_wall_us();
}

static uint64_t random_bits(struct exchange *x)
{
	uint64_t v;

	worker_random(call_of(x)->wk, &v, sizeof(v));
	return v;
}

enum call_failure call_failure_of(enum reason why)
{
	static const unsigned char table[REASON__COUNT] = {
		[REASON_NONE] = CALL_OK,
		[REASON_BACKEND_TIMEOUT] = CALL_TIMEOUT,
		[REASON_BACKEND_CONNECT_TIMEOUT] = CALL_TIMEOUT,
		[REASON_BACKEND_TLS_TIMEOUT] = CALL_TIMEOUT,
		[REASON_BACKEND_IDLE] = CALL_TIMEOUT,
		[REASON_BACKEND_TOTAL] = CALL_TIMEOUT,
		[REASON_BACKEND_CONNECT] = CALL_CONNECT,
		[REASON_BACKEND_DNS] = CALL_CONNECT,
		[REASON_BACKEND_TLS] = CALL_TLS,
		[REASON_BACKEND_BODY] = CALL_TOO_LARGE,
		[REASON_BACKEND_HEADERS] = CALL_TOO_LARGE,
		[REASON_CLIENT_GONE] = CALL_CANCELLED,
	};

	return why == REASON_NONE ? CALL_OK : table[why] ? (enum call_failure)table[why] : CALL_PROTOCOL;
}

/* ---- sleeping ---- */

struct call_sleep {
	struct timer timer;
	struct call_sleep *next, *prev;
	struct call *call;
	struct host_sleep *wish;
};

static void unlink_sleep(struct call_sleep *s)
{
	*(s->prev ? &s->prev->next : &s->call->sleeps) = s->next;
	if (s->next)
		s->next->prev = s->prev;
}

static void wake_up(struct timer *t)
{
	struct call_sleep *s = CONTAINER_OF(t, struct call_sleep, timer);

	unlink_sleep(s);
	s->wish->done = true;
	s->call->resume_due = true;
	call_wake(s->call);
}

static enum step host_sleep(struct exchange *x, struct host_sleep *wish)
{
	struct call *k = call_of(x);
	struct call_sleep *s = arena_new_of(k->arena, struct call_sleep);

	wish->done = false;
	if (s) {
		s->timer.fire = wake_up;
		s->call = k;
		s->wish = wish;
		if (loop_timer_set(&k->wk->loop, &s->timer, k->wk->loop.now_us + (int64_t)wish->ms * 1000)) {
			s->next = k->sleeps;
			if (s->next)
				s->next->prev = s;
			k->sleeps = s;
			return STEP_WAIT;
		}
	}
	return exchange_fail(x, 500, STR_NULL, "Out of memory.");
}

void host_drop(struct call *k)
{
	host_send_drop(k);
	fill_drop(k);
	shared_limit_drop(k);
	shared_cache_drop(k);
	credential_drop_call(k);
	while (k->sleeps) {
		struct call_sleep *s = k->sleeps;

		unlink_sleep(s);
		loop_timer_clear(&k->wk->loop, &s->timer);
	}
}

/* ---- the shared cache ---- */

/* A cache that is away is a miss; the reason is logged, but not for each call. */
static void cache_trouble(struct worker *wk, const struct gh_err *err)
{
	if (wk->loop.now_us - wk->cache_complained_us < 10 * 1000 * 1000 && wk->cache_complained_us)
		return;
	wk->cache_complained_us = wk->loop.now_us;
	log_warn("cache failed", KV_CSTR("error", err->message));
}

static char space_of(const struct cache_op *op)
{
	return op->store == CACHE_INTERNAL ? CACHE_SPACE_POLICY : CACHE_SPACE_EXTERNAL;
}

/* The external cache is Redis where there is one. While that is away `external` has nothing, and `prefer-external` the internal
 * one. True: *step says how it goes on. */
static bool is_elsewhere(struct call *k, enum shared_cache_verb verb, struct cache_op *op, enum step *step)
{
	if (op->store == CACHE_INTERNAL || !k->wk->shared)
		return false;
	*step = shared_cache(k, verb, op);
	if (*step == STEP_WAIT)
		return true;
	op->done = true;
	op->value = verb == SHARED_CACHE_GET ? STR_NULL : op->value;
	return op->store == CACHE_EXTERNAL;
}

static enum step cache_read(struct exchange *x, struct cache_op *op)
{
	struct worker *wk = call_of(x)->wk;
	enum step step;
	struct gh_err err;

	if (is_elsewhere(call_of(x), SHARED_CACHE_GET, op, &step))
		return step;
	op->done = true;
	op->value = STR_NULL;
	if (wk->cache && cache_get(wk->cache, space_of(op), op->key, clock_wall_us(), x->arena, &op->value, &err).code)
		cache_trouble(wk, &err);
	return STEP_NEXT;
}

static enum step cache_write(struct exchange *x, struct cache_op *op)
{
	struct worker *wk = call_of(x)->wk;
	int64_t now = clock_wall_us();
	enum step step;
	struct gh_err err;

	if (is_elsewhere(call_of(x), SHARED_CACHE_PUT, op, &step))
		return step;
	op->done = true;
	if (wk->cache
	    && cache_put(wk->cache, space_of(op), op->key, op->value, now, now + (int64_t)op->ttl_s * 1000000, &err).code)
		cache_trouble(wk, &err);
	return STEP_NEXT;
}

static enum step cache_drop(struct exchange *x, struct cache_op *op)
{
	struct worker *wk = call_of(x)->wk;
	enum step step;
	struct gh_err err;
	bool was_there;

	if (is_elsewhere(call_of(x), SHARED_CACHE_REMOVE, op, &step))
		return step;
	op->done = true;
	if (wk->cache && cache_remove(wk->cache, space_of(op), op->key, &was_there, &err).code)
		cache_trouble(wk, &err);
	return STEP_NEXT;
}

const struct policy_host live_host = {
	.now_us = now_us,
	.random = random_bits,
	.forward = host_forward,
	.send = host_send,
	.aside = host_aside,
	.sleep = host_sleep,
	.take = gate_take,
	.enter = gate_enter_place,
	.leave = gate_leave_place, .enter_wait_s = gate_enter_wait_s,
	.cache_get = cache_read,
	.cache_put = cache_write,
	.cache_remove = cache_drop,
	.fill = gate_fill,
	.filled = gate_filled,
	.log_to = gate_log_to,
	.wants_trace = gate_wants_trace,
	.trace = gate_trace,
	.hide = gate_hide,
	.metric = gate_metric,
	.certificate = gate_certificate,
	.certificate_next = gate_certificate_next,
	.backend = gate_backend,
	.api_model = gate_api_model,
	.schemas = gate_schemas,
	.trust = gate_trust,
	.verified = gate_verified,
	.verdicts = gate_verdicts,
	.authorization = host_authorization,
};
