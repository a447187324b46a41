#include "fcgi/shared_limit.h"

#include "core/crypto.h"
#include "core/limit_key.h"
#include "core/str.h"

#include <hiredis/hiredis.h>
#include <sodium.h>
#include <stdlib.h>

enum { KEY_BYTES = 128, NUMBER_BYTES = 24, ARGS = 8, ANSWERS = 6, WORDS_MAX = 3 + SHARED_LIMITS_MAX * (1 + ARGS), LUMPS = 4096,
       LUMP_PART = 10, DIGEST_BYTES = 16 };

struct lump {                            /* calls that are counted there and have not passed here yet */
	uint8_t digest[DIGEST_BYTES];
	uint64_t left, remaining;
	int64_t until_us;                /* monotonic */
	uint32_t reset_s;
};

struct shared_limits {
	struct shared *s;
	struct str prefix;
	uint64_t most;                   /* redis.preallocate */
	bool local;
	struct lump lumps[LUMPS];
};

struct shared_limits *shared_limits_new(struct shared *s, const struct config *config)
{
	struct shared_limits *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->s = s;
	l->prefix = config_text(config, CONFIG_REDIS_PREFIX);
	l->most = (uint64_t)config_int(config, CONFIG_REDIS_PREALLOCATE);
	l->local = !str_eq(config_text(config, CONFIG_REDIS_AWAY), STR("closed"));
	return l;
}

void shared_limits_free(struct shared_limits *l)
{
	free(l);
}

bool shared_limits_local(const struct shared_limits *s)
{
	return s->local;
}

/* ---- keys ------------------------------------------------------------------------------------------------------------------ */

static char kind_of(const struct counter_ask *a)
{
	return a->type == COUNTER_TYPE_SLIDING ? 's' : a->type == COUNTER_TYPE_FIXED ? 'f' : 'b';
}

static void digest_of(struct str key, uint8_t out[DIGEST_BYTES])
{
	uint8_t whole[CRYPTO_SHA256_BYTES];

	crypto_sha256(key, whole);
	memcpy(out, whole, DIGEST_BYTES);
}

/* "prefix:{digest}:kind:window", with ":b" behind it of bytes. The key itself, in which addresses and names of people stand, does not leave the machine; the
 * braces put all counters of one key on one node of a Cluster. */
static struct str name_of(const struct shared_limits *s, const struct counter_ask *a, char out[KEY_BYTES])
{
	uint8_t digest[DIGEST_BYTES];
	char hex[2 * DIGEST_BYTES + 1];
	int n;

	digest_of(a->key, digest);
	sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
	n = snprintf(out, KEY_BYTES, "%.*s:{%s}:%c:%u%s", (int)(s->prefix.n < 64 ? s->prefix.n : 64), s->prefix.p, hex, kind_of(a), a->window_s,
		     a->part == LIMIT_PART_BYTES ? ":b" : "");
	return (struct str){ out, (size_t)n };
}

/* ---- calls that have been taken along -------------------------------------------------------------------------------------- */

static uint64_t may_take_along(const struct shared_limits *s, const struct shared_limit *l)
{
	uint64_t most;

	if (s->most < 2 || l->n != 1 || l->asks->part != LIMIT_PART_CALLS || l->asks->amount != 1 || l->asks->forced)
		return 0;
	most = l->asks->limit / LUMP_PART;
	return most < s->most ? most ? most - 1 : 0 : s->most - 1;
}

static struct lump *lump_of(struct shared_limits *s, const struct counter_ask *a, uint8_t digest[DIGEST_BYTES])
{
	uint32_t at;

	digest_of(a->key, digest);
	digest[0] ^= (uint8_t)kind_of(a);
	digest[1] ^= (uint8_t)a->window_s;
	digest[2] ^= (uint8_t)(a->window_s >> 8);
	digest[DIGEST_BYTES - 1] ^= a->part;
	/* who has a lower limit of the same counter may not live on what a higher one left */
	for (size_t i = 0; i < sizeof(a->limit); i++)
		digest[3 + i] ^= (uint8_t)(a->limit >> 8 * i);
	memcpy(&at, digest, sizeof(at));
	return &s->lumps[at % LUMPS];
}

static bool take_from_lump(struct shared_limits *s, const struct shared_limit *l)
{
	uint8_t digest[DIGEST_BYTES];
	struct lump *p = lump_of(s, l->asks, digest);

	if (!p->left || p->until_us <= l->call->wk->loop.now_us || memcmp(p->digest, digest, sizeof(digest)) != 0)
		return false;
	p->left--;
	*l->answers = (struct counter_answer){ .allowed = true, .remaining = p->remaining + p->left, .reset_s = p->reset_s,
					       .used = l->asks->limit - p->remaining - p->left };
	return true;
}

/* The seconds of the answer are rounded up, so the last one may already belong to the next window. */
static void keep_lump(struct shared_limits *s, const struct shared_limit *l, uint64_t more)
{
	struct counter_answer *a = l->answers;
	uint8_t digest[DIGEST_BYTES];
	int64_t now = l->call->wk->loop.now_us, until = now + (int64_t)(a->reset_s > 0 ? a->reset_s - 1 : 0) * 1000000;
	struct lump *p;
	bool same;

	if (!more)
		return;
	p = lump_of(s, l->asks, digest);
	/* calls that were under way at once each bring some */
	same = p->left && p->until_us > now && memcmp(p->digest, digest, sizeof(digest)) == 0;
	memcpy(p->digest, digest, sizeof(digest));
	p->until_us = same && p->until_us < until ? p->until_us : until;
	p->left = more + (same ? p->left : 0);
	p->remaining = a->remaining;
	p->reset_s = a->reset_s;
	a->remaining += p->left;
	a->used -= p->left < a->used ? p->left : a->used;
}

/* ---- asking ---------------------------------------------------------------------------------------------------------------- */

struct command {
	struct str words[WORDS_MAX];
	char keys[SHARED_LIMITS_MAX][KEY_BYTES], numbers[SHARED_LIMITS_MAX][ARGS][NUMBER_BYTES], count[NUMBER_BYTES];
	size_t n;
};

static struct str number(char out[NUMBER_BYTES], int64_t v)
{
	return (struct str){ out, (size_t)snprintf(out, NUMBER_BYTES, "%lld", (long long)v) };
}

/* Lua counts in doubles: what is beyond 2^53 is as good as no limit. */
static int64_t bounded(uint64_t v)
{
	return v > 1ull << 53 ? 1ll << 53 : (int64_t)v;
}

/* A window may begin with the calendar, longer ago than a double can count in microseconds: some window of the same row does. */
static int64_t origin_of(const struct counter_ask *a)
{
	return a->window_s ? a->origin_us % ((int64_t)a->window_s * 1000000) : 0;
}

static void add_args(struct command *c, const struct counter_ask *a, size_t i, uint64_t more)
{
	const int64_t v[ARGS] = { 0, bounded(a->limit), bounded(a->amount), a->window_s, bounded(a->burst), origin_of(a), a->forced, (int64_t)more };

	c->numbers[i][0][0] = kind_of(a);
	c->words[c->n++] = (struct str){ c->numbers[i][0], 1 };
	for (size_t j = 1; j < ARGS; j++)
		c->words[c->n++] = number(c->numbers[i][j], v[j]);
}

static bool ask(struct shared_limits *s, const struct counter_ask *asks, size_t n, uint64_t more, struct shared_ask *wire)
{
	struct command c;

	if (!n || n > SHARED_LIMITS_MAX)
		return false;
	c.words[SHARED_RUN_COUNT] = number(c.count, (int64_t)n);
	c.n = SHARED_RUN_KEY;
	for (size_t i = 0; i < n; i++)
		c.words[c.n++] = name_of(s, &asks[i], c.keys[i]);
	for (size_t i = 0; i < n; i++)
		add_args(&c, &asks[i], i, more);
	return shared_run(s->s, SHARED_SCRIPT_LIMIT, c.words, c.n, wire);
}

/* ---- answers ----------------------------------------------------------------------------------------------------------------- */

static uint32_t seconds(long long v)
{
	return v < 0 || v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static uint32_t seconds_up(long long us)
{
	return us <= 0 ? seconds(us) : seconds((us - 1) / 1000000 + 1);
}

static bool read_answers(struct shared_limit *l, const struct redisReply *r, uint64_t *more)
{
	if (!r || r->type != REDIS_REPLY_ARRAY || r->elements != l->n * ANSWERS)
		return false;
	for (size_t i = 0; i < r->elements; i++)
		if (r->element[i]->type != REDIS_REPLY_INTEGER)
			return false;
	for (size_t i = 0; i < l->n; i++) {
		redisReply **v = &r->element[i * ANSWERS];

		l->answers[i] = (struct counter_answer){ .allowed = v[0]->integer, .used = (uint64_t)v[1]->integer, .remaining = (uint64_t)v[2]->integer,
							 .retry_after_us = v[3]->integer < 0 ? INT64_MAX : v[3]->integer,
							 .retry_after_s = seconds_up(v[3]->integer), .reset_s = seconds(v[4]->integer) };
		*more = (uint64_t)v[5]->integer;
	}
	return true;
}

static void unlink_limit(struct shared_limit *l)
{
	*(l->prev ? &l->prev->next : &l->call->limits) = l->next;
	if (l->next)
		l->next->prev = l->prev;
	l->next = l->prev = NULL;
}

static void finish(struct shared_limit *l, bool away)
{
	unlink_limit(l);
	l->done = true;
	l->away = away;
	l->over(l);
	l->call->resume_due = true;
	call_wake(l->call);
}

static void answered(struct shared_ask *wire, const struct redisReply *r)
{
	struct shared_limit *l = CONTAINER_OF(wire, struct shared_limit, wire);
	uint64_t more = 0;

	/* after a restart, or SCRIPT FLUSH: nothing may be sent from here */
	if (shared_forgot_script(r) && !l->again) {
		l->again = true;
		call_wake(l->call);
		return;
	}
	if (!read_answers(l, r, &more)) {
		finish(l, true);
		return;
	}
	keep_lump(l->call->wk->shared_limits, l, more);
	finish(l, false);
}

void shared_limit_turn(struct call *k)
{
	for (struct shared_limit *l = k->limits, *next; l; l = next) {
		next = l->next;
		if (l->again && !l->wire.wait
		    && !ask(k->wk->shared_limits, l->asks, l->n, may_take_along(k->wk->shared_limits, l), &l->wire))
			finish(l, true);
	}
}

enum step shared_limit_take(struct shared_limits *s, struct call *k, struct shared_limit *l)
{
	uint64_t more;

	l->call = k;
	l->wire.done = answered;
	more = may_take_along(s, l);
	if (more && take_from_lump(s, l)) {
		l->done = true;
		return STEP_NEXT;
	}
	if (!ask(s, l->asks, l->n, more, &l->wire)) {
		l->done = l->away = true;
		return STEP_NEXT;
	}
	l->next = k->limits;
	if (l->next)
		l->next->prev = l;
	k->limits = l;
	return STEP_WAIT;
}

void shared_limit_drop(struct call *k)
{
	while (k->limits) {
		shared_drop(&k->limits->wire);
		unlink_limit(k->limits);
	}
}

bool shared_limit_count(struct shared_limits *s, const struct counter_ask *asked)
{
	return ask(s, asked, 1, 0, NULL);
}
