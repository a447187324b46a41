#include "fcgi/spike.h"

#include "core/counter.h"
#include "core/str.h"
#include "fcgi/call.h"
#include "fcgi/serving.h"

#include <stdlib.h>

struct spike_line {
	struct spike_line *next;         /* of all of the worker */
	struct spike_place *first, *last;
	size_t n;
	char key[];                      /* of the gauge: KEY_PREFIX and the key of the limits */
};

/* No key of a policy begins like this when it was taken from a field of a request. */
static const struct str KEY_PREFIX = STR_INIT("\001queue:");

static struct str gauge_of(const struct spike_line *l)
{
	return (struct str){ l->key, l->n };
}

/* Lines are few: of subscriptions that go beyond a rate at this moment. */
static struct spike_line **find(struct worker *wk, struct str key)
{
	struct spike_line **at = &wk->spikes;

	while (*at && !str_eq(str_from(gauge_of(*at), KEY_PREFIX.n), key))
		at = &(*at)->next;
	return at;
}

bool spike_waits(const struct worker *wk, struct str key)
{
	return wk->spikes && *find((struct worker *)(uintptr_t)wk, key);
}

int64_t spike_next_us(const struct worker *wk, struct str key)
{
	const struct spike_line *l = *find((struct worker *)(uintptr_t)wk, key);
	const struct timer *t = l ? &l->first->timer : NULL;

	return t && t->at && t->due_us > wk->loop.now_us ? t->due_us - wk->loop.now_us : 0;
}

static struct spike_line *line_for(struct worker *wk, struct str key)
{
	struct spike_line **at = find(wk, key), *l = *at;

	if (l)
		return l;
	l = calloc(1, sizeof(*l) + KEY_PREFIX.n + key.n);
	if (!l)
		return NULL;
	memcpy(l->key, KEY_PREFIX.p, KEY_PREFIX.n);
	memcpy(l->key + KEY_PREFIX.n, key.p, key.n);
	l->n = KEY_PREFIX.n + key.n;
	*at = l;
	return l;
}

static void drop_if_empty(struct worker *wk, struct spike_line *l)
{
	struct spike_line **at = &wk->spikes;

	if (l->first)
		return;
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	free(l);
}

static void wake(struct timer *t)
{
	call_wake(CONTAINER_OF(t, struct spike_place, timer)->call);
}

static bool set_timer(struct spike_place *p, int64_t at_us)
{
	return loop_timer_set(&p->call->wk->loop, &p->timer, at_us < p->deadline_us ? at_us : p->deadline_us);
}

/* Behind all of its rank, and before those of a lower one. */
static void put(struct spike_line *l, struct spike_place *p)
{
	struct spike_place *before = l->last;

	while (before && before->rank < p->rank)
		before = before->prev;
	p->prev = before;
	p->next = before ? before->next : l->first;
	*(before ? &before->next : &l->first) = p;
	*(p->next ? &p->next->prev : &l->last) = p;
}

bool spike_join_ranked(struct spike_place *p, struct call *k, struct str key, int rank, uint32_t most, int64_t delay_us, int64_t retry_us)
{
	struct counters *counters = k->wk->serving->counters;
	int64_t now = k->wk->loop.now_us;
	struct spike_line *l = counters ? line_for(k->wk, key) : NULL;
	bool first;

	if (!l)
		return false;
	*p = (struct spike_place){ .timer.fire = wake, .call = k, .since_us = now, .deadline_us = now + delay_us, .rank = rank };
	first = !l->first || l->first->rank < rank;
	if (!counter_enter(counters, gauge_of(l), most)) {
		drop_if_empty(k->wk, l);
		return false;
	}
	if (!set_timer(p, first ? now + retry_us : INT64_MAX)) {
		counter_leave(counters, gauge_of(l));
		drop_if_empty(k->wk, l);
		return false;
	}
	if (first && l->first && l->first->timer.at)
		set_timer(l->first, INT64_MAX);      /* its turn is behind this one: moves it, takes no memory */
	p->line = l;
	put(l, p);
	return true;
}

bool spike_join(struct spike_place *p, struct call *k, struct str key, uint32_t most, int64_t delay_us, int64_t retry_us)
{
	return spike_join_ranked(p, k, key, 0, most, delay_us, retry_us);
}

void spike_poke(struct worker *wk, struct str key)
{
	struct spike_line *l = *find(wk, key);

	if (l && l->first->timer.at)
		set_timer(l->first, wk->loop.now_us);
}

bool spike_first(const struct spike_place *p)
{
	return p->line && p->line->first == p;
}

bool spike_again(struct spike_place *p, int64_t retry_us)
{
	int64_t now = p->call->wk->loop.now_us;

	return retry_us <= p->deadline_us - now && set_timer(p, now + retry_us);
}

void spike_leave(struct spike_place *p)
{
	struct spike_line *l = p->line;
	struct worker *wk = l ? p->call->wk : NULL;
	bool first;

	if (!l)
		return;
	first = l->first == p;
	p->line = NULL;
	loop_timer_clear(&wk->loop, &p->timer);
	*(p->prev ? &p->prev->next : &l->first) = p->next;
	*(p->next ? &p->next->prev : &l->last) = p->prev;
	counter_leave(wk->serving->counters, gauge_of(l));
	if (first && l->first)
		set_timer(l->first, wk->loop.now_us);    /* moves it: takes no memory */
	drop_if_empty(wk, l);
}
