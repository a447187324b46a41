#include "fcgi/shared_cache.h"

#include "core/str.h"
#include "fcgi/shared.h"

#include <hiredis/hiredis.h>

struct shared_value {
	struct shared_ask wire;
	struct call *call;
	struct shared_value *next, *prev;        /* of the call's */
	struct cache_op *op;
	enum shared_cache_verb verb;
};

static void unlink_value(struct shared_value *v)
{
	*(v->prev ? &v->prev->next : &v->call->values) = v->next;
	if (v->next)
		v->next->prev = v->prev;
}

/* Whatever goes wrong there is a miss: a cache may forget. */
static void answered(struct shared_ask *wire, const struct redisReply *r)
{
	struct shared_value *v = CONTAINER_OF(wire, struct shared_value, wire);

	if (v->verb == SHARED_CACHE_GET)
		v->op->value = r && r->type == REDIS_REPLY_STRING ? arena_dup(v->call->arena, (struct str){ r->str, r->len }) : STR_NULL;
	v->op->done = true;
	unlink_value(v);
	v->call->resume_due = true;
	call_wake(v->call);
}

enum step shared_cache(struct call *k, enum shared_cache_verb verb, struct cache_op *op)
{
	struct str prefix = config_text(k->wk->config, CONFIG_REDIS_PREFIX), key, seconds;
	struct shared_value *v = arena_new_of(k->arena, struct shared_value);
	bool sent;

	if (!v)
		return STEP_NEXT;
	key = arena_printf(k->arena, "%.*s:value:%.*s", STR_ARG(prefix), STR_ARG(op->key));
	seconds = arena_printf(k->arena, "%u", op->ttl_s ? op->ttl_s : 1);
	if (str_is_null(key) || str_is_null(seconds))
		return STEP_NEXT;
	*v = (struct shared_value){ .wire.done = answered, .call = k, .op = op, .verb = verb };
	if (verb == SHARED_CACHE_PUT)
		sent = shared_ask(k->wk->shared, key, (struct str[]){ STR("SET"), key, op->value, STR("EX"), seconds }, 5, &v->wire);
	else
		sent = shared_ask(k->wk->shared, key, (struct str[]){ verb == SHARED_CACHE_GET ? STR("GET") : STR("DEL"), key }, 2, &v->wire);
	if (!sent)
		return STEP_NEXT;
	op->done = false;
	v->next = k->values;
	if (v->next)
		v->next->prev = v;
	k->values = v;
	return STEP_WAIT;
}

void shared_cache_drop(struct call *k)
{
	while (k->values) {
		shared_drop(&k->values->wire);
		unlink_value(k->values);
	}
}
