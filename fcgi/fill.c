#include "fcgi/fill.h"

#include "core/str.h"
#include "fcgi/call_gate.h"

#include <stdlib.h>

enum { FILL_BUCKETS = 256, FILL_POLL_MS = 20 };

struct fill_key {
	struct fill_key *next;               /* of the bucket */
	struct fill_table *table;
	struct timer timer;
	struct fill_waiter *first, **end;
	uint64_t hash;
	size_t n;
	char text[];                         /* name of the gauge */
};

struct fill_waiter {                         /* in the call's arena */
	struct fill_waiter *next;
	struct fill_key *at;
	struct call *call;
	struct cache_fill *wish;
	int64_t since_us;
};

struct fill_table {
	struct worker *wk;
	struct fill_key *buckets[FILL_BUCKETS];
};

struct fill_table *fill_table_new(struct worker *wk)
{
	struct fill_table *t = calloc(1, sizeof(*t));

	if (t)
		t->wk = wk;
	return t;
}

void fill_table_free(struct fill_table *t)
{
	for (size_t i = 0; t && i < FILL_BUCKETS; i++)
		while (t->buckets[i]) {
			struct fill_key *k = t->buckets[i];

			t->buckets[i] = k->next;
			loop_timer_clear(&t->wk->loop, &k->timer);
			free(k);
		}
	free(t);
}

static struct fill_key **find(struct fill_table *t, struct str name)
{
	uint64_t hash = str_hash(name);
	struct fill_key **at = &t->buckets[hash % FILL_BUCKETS];

	while (*at && ((*at)->hash != hash || !str_eq((struct str){ (*at)->text, (*at)->n }, name)))
		at = &(*at)->next;
	return at;
}

static void drop_key(struct fill_key *k)
{
	struct fill_key **at = find(k->table, (struct str){ k->text, k->n });

	*at = k->next;
	loop_timer_clear(&k->table->wk->loop, &k->timer);
	free(k);
}

static void tell(struct fill_waiter *w, enum cache_fill_result result, int64_t now_us)
{
	uint64_t waited_ms = (uint64_t)(now_us - w->since_us) / 1000;

	w->wish->wait_ms = waited_ms < w->wish->wait_ms ? w->wish->wait_ms - (uint32_t)waited_ms : 0;
	w->wish->result = result;
	w->wish->done = true;
	w->call->filler = NULL;
	w->call->resume_due = true;
	call_wake(w->call);
}

static bool late(const struct fill_waiter *w, int64_t now_us)
{
	return now_us - w->since_us >= (int64_t)w->wish->wait_ms * 1000;
}

/* Those who have waited long enough go alone. Who came first need not be the first to give up: each key of a call has its
 * own time. */
static void dismiss_late(struct fill_key *k, int64_t now_us)
{
	struct fill_waiter **at = &k->first;

	while (*at) {
		struct fill_waiter *w = *at;

		if (!late(w, now_us)) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		tell(w, CACHE_FILL_ALONE, now_us);
	}
	k->end = at;
}

static void poll_key(struct timer *timer)
{
	struct fill_key *k = CONTAINER_OF(timer, struct fill_key, timer);
	struct worker *wk = k->table->wk;
	struct counters *counters = wk->serving ? wk->serving->counters : NULL;
	int64_t now = wk->loop.now_us;

	dismiss_late(k, now);
	if (k->first && counters && counter_enter(counters, (struct str){ k->text, k->n }, 1)) {
		struct fill_waiter *w = k->first;

		k->first = w->next;
		if (!k->first)
			k->end = &k->first;
		tell(w, CACHE_FILL_LEAD, now);
	}
	if (!k->first || !loop_timer_set(&wk->loop, &k->timer, now + FILL_POLL_MS * 1000)) {
		for (struct fill_waiter *w = k->first; w; w = w->next)
			tell(w, CACHE_FILL_ALONE, now);
		drop_key(k);
	}
}

static struct fill_key *key_for(struct fill_table *t, struct str name)
{
	struct fill_key **at = find(t, name), *k = *at;

	if (k)
		return k;
	k = calloc(1, sizeof(*k) + name.n);
	if (!k)
		return NULL;
	k->table = t;
	k->timer.fire = poll_key;
	k->end = &k->first;
	k->hash = str_hash(name);
	k->n = name.n;
	memcpy(k->text, name.p, name.n);
	if (!loop_timer_set(&t->wk->loop, &k->timer, t->wk->loop.now_us + FILL_POLL_MS * 1000)) {
		free(k);
		return NULL;
	}
	*at = k;
	return k;
}

static struct str gauge_name(struct call *k, struct str key)
{
	return arena_printf(k->arena, "fill:%.*s", STR_ARG(key));
}

enum step gate_fill(struct exchange *x, struct cache_fill *wish)
{
	struct call *k = x->owner;
	struct fill_table *t = k->wk->fills;
	struct counters *counters = k->wk->serving->counters;
	struct str name = gauge_name(k, wish->key);
	struct fill_waiter *w;

	wish->done = true;
	wish->result = CACHE_FILL_ALONE;
	if (!counters || !t || !name.p)
		return STEP_NEXT;
	if (counter_enter(counters, name, 1)) {
		wish->result = CACHE_FILL_LEAD;
		return STEP_NEXT;
	}
	w = wish->wait_ms ? arena_new_of(k->arena, struct fill_waiter) : NULL;
	if (!w || !(w->at = key_for(t, name)))
		return STEP_NEXT;
	w->call = k;
	w->wish = wish;
	w->since_us = k->wk->loop.now_us;
	*w->at->end = w;
	w->at->end = &w->next;
	k->filler = w;
	wish->done = false;
	return STEP_WAIT;
}

void gate_filled(struct exchange *x, struct str key)
{
	struct call *k = x->owner;
	struct str name = gauge_name(k, key);
	struct fill_key *waited;

	if (!name.p || !k->wk->serving->counters)
		return;
	counter_leave(k->wk->serving->counters, name);
	waited = k->wk->fills ? *find(k->wk->fills, name) : NULL;
	if (!waited)
		return;
	for (struct fill_waiter *w = waited->first; w; w = w->next)
		tell(w, CACHE_FILL_LOOK, k->wk->loop.now_us);
	drop_key(waited);
}

void fill_drop(struct call *k)
{
	struct fill_waiter *w = k->filler, **at;
	struct fill_key *key;

	if (!w)
		return;
	key = w->at;
	k->filler = NULL;
	for (at = &key->first; *at && *at != w;)
		at = &(*at)->next;
	if (*at)
		*at = w->next;
	for (key->end = &key->first; *key->end;)
		key->end = &(*key->end)->next;
	if (!key->first)
		drop_key(key);
}
