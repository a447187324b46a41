#include "fcgi/shared_state.h"

#include "core/config.h"
#include "core/str.h"
#include "fcgi/serving.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

enum { TOLD_MAX = 64, WORDS_FIRST = 6, TOLD_WORDS = 3, NAME_BYTES = 24, NUMBER_BYTES = 24, KEY_BYTES = 96, HEARD_WORDS = 4, ROUNDS_MISSED = 3,
       PREFIX_MAX = 64, BUSY_LEAST_US = 50000 };

struct telling {                         /* news on their way */
	struct telling *next, *prev;
	struct shared_ask wire;
	struct shared_states *s;
	size_t n;
	struct backend_news news[TOLD_MAX];
};

struct shared_states {
	struct worker *wk;
	struct timer turn;
	int64_t every_us;
	struct shared_ask hear;
	int64_t since;                   /* version that was heard last */
	struct telling *telling;
	char keys[2][KEY_BYTES];
};

/* ---- words ----------------------------------------------------------------------------------------------------------------- */

static const char letters[BACKEND_PART__COUNT] = { 'b', 'e', 'h' };

static struct str number(char out[NUMBER_BYTES], int64_t v)
{
	return (struct str){ out, (size_t)snprintf(out, NUMBER_BYTES, "%lld", (long long)v) };
}

/* "0123456789abcdef:b" */
static struct str name_of(char out[NAME_BYTES], uint64_t key, enum backend_part part)
{
	return (struct str){ out, (size_t)snprintf(out, NAME_BYTES, "%016llx:%c", (unsigned long long)key, letters[part]) };
}

static bool read_name(const redisReply *r, struct backend_news *out)
{
	unsigned long long key;
	char letter;

	if (r->type != REDIS_REPLY_STRING || sscanf(r->str, "%16llx:%c", &key, &letter) != 2)
		return false;
	out->key = key;
	for (unsigned i = 0; i < BACKEND_PART__COUNT; i++)
		if (letters[i] == letter) {
			out->part = (enum backend_part)i;
			return true;
		}
	return false;
}

static size_t begin(struct shared_states *s, struct str *words, struct str what)
{
	words[SHARED_RUN_COUNT] = STR("2");
	words[SHARED_RUN_KEY] = str_of(s->keys[0]);
	words[SHARED_RUN_KEY + 1] = str_of(s->keys[1]);
	words[SHARED_RUN_KEY + 2] = what;
	return WORDS_FIRST;
}

static bool run(struct shared_states *s, struct str *words, size_t n, struct shared_ask *ask)
{
	return shared_run(s->wk->shared, SHARED_SCRIPT_STATE, words, n, ask);
}

/* ---- telling ----------------------------------------------------------------------------------------------------------------- */

static void end_telling(struct telling *t, const redisReply *r)
{
	struct backend_states *states = t->s->wk->serving ? t->s->wk->serving->states : NULL;
	bool told = r && r->type == REDIS_REPLY_ARRAY && r->elements == t->n;

	for (size_t i = 0; states && i < t->n; i++) {
		if (told)
			backend_news_told(states, &t->news[i], r->element[i]->integer);
		else
			backend_news_again(states, t->news[i].key, t->news[i].part);
	}
	*(t->prev ? &t->prev->next : &t->s->telling) = t->next;
	if (t->next)
		t->next->prev = t->prev;
	free(t);
}

static void told(struct shared_ask *wire, const redisReply *r)
{
	end_telling(CONTAINER_OF(wire, struct telling, wire), r);
}

static bool send_news(struct shared_states *s, struct telling *t)
{
	struct str words[WORDS_FIRST + TOLD_MAX * TOLD_WORDS];
	char names[TOLD_MAX][NAME_BYTES], left[TOLD_MAX][NUMBER_BYTES], what[TOLD_MAX][NUMBER_BYTES];
	size_t n = begin(s, words, STR("tell"));

	for (size_t i = 0; i < t->n; i++) {
		words[n++] = name_of(names[i], t->news[i].key, t->news[i].part);
		words[n++] = number(left[i], t->news[i].left_us);
		words[n++] = number(what[i], t->news[i].what);
	}
	return run(s, words, n, &t->wire);
}

/* False: there are no more of them, or they cannot be told now. */
static bool tell_some(struct shared_states *s, struct backend_states *states, size_t *at)
{
	struct backend_news first;
	struct telling *t;

	if (!backend_news_next(states, at, s->wk->loop.now_us, &first))
		return false;
	t = calloc(1, sizeof(*t));
	if (!t) {
		backend_news_again(states, first.key, first.part);
		return false;
	}
	*t = (struct telling){ .next = s->telling, .wire.done = told, .s = s, .n = 1, .news = { first } };
	if (t->next)
		t->next->prev = t;
	s->telling = t;
	while (t->n < TOLD_MAX && backend_news_next(states, at, s->wk->loop.now_us, &t->news[t->n]))
		t->n++;
	if (send_news(s, t))
		return true;
	end_telling(t, NULL);
	return false;
}

/* ---- hearing ------------------------------------------------------------------------------------------------------------------- */

static bool is_number(const redisReply *r)
{
	return r->type == REDIS_REPLY_INTEGER;
}

static void heard(struct shared_ask *wire, const redisReply *r)
{
	struct shared_states *s = CONTAINER_OF(wire, struct shared_states, hear);
	struct backend_states *states = s->wk->serving->states;

	if (!r || r->type != REDIS_REPLY_ARRAY || !r->elements || !is_number(r->element[0]) || (r->elements - 1) % HEARD_WORDS)
		return;
	for (size_t i = 1; i < r->elements; i += HEARD_WORDS) {
		redisReply **v = &r->element[i];
		struct backend_news news;

		if (!read_name(v[0], &news) || !is_number(v[1]) || !is_number(v[2]) || !is_number(v[3]))
			continue;
		news.left_us = v[1]->integer;
		news.what = (uint32_t)v[2]->integer;
		backend_news_hear(states, &news, v[3]->integer, s->wk->loop.now_us);
	}
	s->since = r->element[0]->integer;
}

static void ask_news(struct shared_states *s)
{
	struct str words[WORDS_FIRST + 1];
	char since[NUMBER_BYTES];
	size_t n = begin(s, words, STR("hear"));

	words[n++] = number(since, s->since);
	(void)run(s, words, n, &s->hear);
}

/* ---- probes --------------------------------------------------------------------------------------------------------------------- */

static bool send_probe(struct shared_states *s, struct str what, uint64_t key, struct shared_ask *ask)
{
	struct str words[WORDS_FIRST + 3];
	char name[NAME_BYTES], machine[NUMBER_BYTES], believed[NUMBER_BYTES];
	size_t n = begin(s, words, what);

	words[n++] = name_of(name, key, BACKEND_PART_BREAKER);
	words[n++] = number(machine, (int64_t)backend_machine(s->wk->serving->states));
	words[n++] = number(believed, BACKEND_PROBE_US);
	return run(s, words, n, ask);
}

static void answered(struct shared_ask *wire, const redisReply *r)
{
	struct shared_probe *p = CONTAINER_OF(wire, struct shared_probe, wire);
	bool refused = r && r->type == REDIS_REPLY_ARRAY && r->elements == 2 && is_number(r->element[0]) && is_number(r->element[1])
		       && !r->element[0]->integer;

	p->done = true;
	p->again = shared_forgot_script(r);
	if (refused)
		p->busy_us = r->element[1]->integer > BUSY_LEAST_US ? r->element[1]->integer : BUSY_LEAST_US;
	call_wake(p->call);
}

bool shared_probe_ask(struct shared_states *s, struct shared_probe *p)
{
	if (!s || !shared_here(s->wk->shared))
		return false;
	p->wire.done = answered;
	p->done = p->again = false;
	p->busy_us = 0;
	return send_probe(s, STR("claim"), p->key, &p->wire);
}

void shared_probe_release(struct shared_states *s, uint64_t key)
{
	if (s && shared_here(s->wk->shared))
		(void)send_probe(s, STR("release"), key, NULL);
}

/* ---- time ------------------------------------------------------------------------------------------------------------------------ */

static void turn(struct timer *timer)
{
	struct shared_states *s = CONTAINER_OF(timer, struct shared_states, turn);
	struct backend_states *states = s->wk->serving ? s->wk->serving->states : NULL;
	int64_t now = s->wk->loop.now_us;
	size_t at = 0;

	(void)!loop_timer_set(&s->wk->loop, timer, now + s->every_us);
	if (!states || !shared_here(s->wk->shared))
		return;
	while (tell_some(s, states, &at)) {
	}
	if (!s->hear.wait && backend_listens(states, now, s->every_us * ROUNDS_MISSED))
		ask_news(s);
}

void shared_states_soon(struct shared_states *s)
{
	if (s)
		(void)!loop_timer_set(&s->wk->loop, &s->turn, s->wk->loop.now_us);
}

struct shared_states *shared_states_new(struct worker *wk)
{
	struct str prefix = str_first(config_text(wk->config, CONFIG_REDIS_PREFIX), PREFIX_MAX);
	struct shared_states *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->wk = wk;
	s->every_us = config_int(wk->config, CONFIG_REDIS_BACKENDS_MS) * 1000;
	s->turn.fire = turn;
	s->hear.done = heard;
	snprintf(s->keys[0], KEY_BYTES, "%.*s:{backends}", STR_ARG(prefix));
	snprintf(s->keys[1], KEY_BYTES, "%.*s:{backends}:changed", STR_ARG(prefix));
	if (!loop_timer_set(&wk->loop, &s->turn, wk->loop.now_us)) {
		free(s);
		return NULL;
	}
	return s;
}

void shared_states_free(struct shared_states *s)
{
	if (!s)
		return;
	loop_timer_clear(&s->wk->loop, &s->turn);
	shared_drop(&s->hear);
	while (s->telling) {
		shared_drop(&s->telling->wire);
		end_telling(s->telling, NULL);
	}
	free(s);
}
