#include "fcgi/shared_token.h"

#include "core/config.h"
#include "core/str.h"

#include <hiredis/hiredis.h>
#include <sodium.h>

enum { LOOK_US = 50000, WHO_BYTES = 16, BELIEVED_EXTRA_US = 2000000, NUMBER_BYTES = 24 };

static struct str number(char out[NUMBER_BYTES], int64_t v)
{
	return (struct str){ out, (size_t)snprintf(out, NUMBER_BYTES, "%lld", (long long)v) };
}

static struct str key_of(const struct shared_token *t)
{
	return arena_printf(t->arena, "%.*s:token:%.*s", STR_ARG(config_text(t->wk->config, CONFIG_REDIS_PREFIX)), STR_ARG(t->name));
}

static bool run(struct shared_token *t, struct str what, const struct str *args, size_t n, struct shared_ask *wire)
{
	struct str words[SHARED_RUN_KEY + 3 + 4] = { [SHARED_RUN_COUNT] = STR("1"), key_of(t), what, str_of(t->who) };

	for (size_t i = 0; i < n; i++)
		words[SHARED_RUN_KEY + 3 + i] = args[i];
	return words[SHARED_RUN_KEY].p && shared_run(t->wk->shared, SHARED_SCRIPT_TOKEN, words, SHARED_RUN_KEY + 3 + n, wire);
}

static bool ask(struct shared_token *t)
{
	int64_t believed = config_int(t->wk->config, CONFIG_CREDENTIAL_TIMEOUT_MS) * 1000 + BELIEVED_EXTRA_US;
	char oldest[NUMBER_BYTES], lease[NUMBER_BYTES];

	return run(t, STR("take"), (struct str[]){ t->unwanted, number(oldest, t->oldest_us), number(lease, believed) }, 3, &t->wire);
}

static void end(struct shared_token *t, enum shared_token_outcome how)
{
	t->outcome = how;
	if (!loop_timer_set(&t->wk->loop, &t->turn, t->wk->loop.now_us))
		t->over(t);
}

static void look_later(struct shared_token *t, int64_t us)
{
	if (t->wk->loop.now_us >= t->until_us || !loop_timer_set(&t->wk->loop, &t->turn, t->wk->loop.now_us + us))
		end(t, SHARED_TOKEN_ASK);
}

static bool says(const struct redisReply *r, size_t elements, const char *word)
{
	return r && r->type == REDIS_REPLY_ARRAY && r->elements == elements && r->element[0]->type == REDIS_REPLY_STRING
	       && strcmp(r->element[0]->str, word) == 0;
}

static struct str copy_of(struct shared_token *t, const struct redisReply *r)
{
	return r->type == REDIS_REPLY_STRING && r->len ? arena_dup(t->arena, (struct str){ r->str, r->len }) : STR_NULL;
}

/* Nothing may be sent from here: the next turn does. */
static void answered(struct shared_ask *wire, const struct redisReply *r)
{
	struct shared_token *t = CONTAINER_OF(wire, struct shared_token, wire);

	if (says(r, 3, "token") && r->element[1]->type == REDIS_REPLY_INTEGER) {
		t->sealed = copy_of(t, r->element[2]);
		t->age_us = r->element[1]->integer > 0 ? r->element[1]->integer : 0;
		end(t, t->sealed.p ? SHARED_TOKEN_FOUND : SHARED_TOKEN_ASK);
	} else if (says(r, 2, "wait")) {
		look_later(t, LOOK_US);
	} else if (shared_forgot_script(r)) {
		look_later(t, 0);
	} else {
		t->asks = says(r, 2, "ask");
		t->sealed = t->asks ? copy_of(t, r->element[1]) : STR_NULL;
		end(t, SHARED_TOKEN_ASK);
	}
}

static void turn(struct timer *timer)
{
	struct shared_token *t = CONTAINER_OF(timer, struct shared_token, turn);

	if (t->outcome == SHARED_TOKEN_OPEN && ask(t))
		return;
	if (t->outcome == SHARED_TOKEN_OPEN)
		t->outcome = SHARED_TOKEN_ASK;
	t->over(t);
}

bool shared_token_take(struct shared_token *t)
{
	uint8_t random[WHO_BYTES];

	worker_random(t->wk, random, sizeof(random));
	sodium_bin2hex(t->who, sizeof(t->who), random, sizeof(random));
	t->wire.done = answered;
	t->turn.fire = turn;
	t->until_us = t->wk->loop.now_us + config_int(t->wk->config, CONFIG_CREDENTIAL_TIMEOUT_MS) * 1000;
	return shared_here(t->wk->shared) && ask(t);
}

void shared_token_keep(struct shared_token *t, struct str mark, struct str sealed, int64_t due_us, int64_t keep_us)
{
	char due[NUMBER_BYTES], keep[NUMBER_BYTES];

	t->asks = false;
	if (shared_here(t->wk->shared))
		(void)run(t, STR("keep"), (struct str[]){ mark, sealed, number(due, due_us), number(keep, keep_us) }, 4, NULL);
}

void shared_token_leave(struct shared_token *t)
{
	if (t->asks && shared_here(t->wk->shared))
		(void)run(t, STR("leave"), NULL, 0, NULL);
	t->asks = false;
}

void shared_token_drop(struct shared_token *t)
{
	if (!t->wk)
		return;
	t->asks |= t->wire.wait != NULL;         /* the answer may be that we ask */
	shared_drop(&t->wire);
	loop_timer_clear(&t->wk->loop, &t->turn);
	if (t->who[0])
		shared_token_leave(t);
}
