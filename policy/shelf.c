#include "policy/shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Under the lock. */
static void changed(struct shelf *s)
{
	atomic_fetch_add_explicit(&s->version, 1, memory_order_release);
}

static void clear(struct shelf *s, struct shelf_place *p)
{
	changed(s);
	free(p->key);
	s->release(p->thing);
	*p = (struct shelf_place){ 0 };
}

void shelf_clear(struct shelf *s)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n; i++)
		clear(s, &s->places[i]);
	pthread_mutex_unlock(&s->lock);
}

/* Under the lock. NULL: the key has no place. */
static struct shelf_place *find(struct shelf *s, struct str key)
{
	uint64_t hash = str_hash(key);

	for (size_t i = 0; i < s->n; i++) {
		struct shelf_place *p = &s->places[i];

		if (p->key && p->hash == hash && str_eq(str_of(p->key), key))
			return p;
	}
	return NULL;
}

/* Under the lock. The place of a key, made when there is none; NULL when out of memory. */
static struct shelf_place *place_of(struct shelf *s, struct str key)
{
	struct shelf_place *oldest = &s->places[0], *there = find(s, key);

	if (there)
		return there;
	for (size_t i = 0; i < s->n; i++) {
		struct shelf_place *p = &s->places[i];

		if (!p->key || (oldest->key && p->used_us < oldest->used_us))
			oldest = p;
	}
	clear(s, oldest);
	oldest->key = strndup(key.p, key.n);
	oldest->hash = str_hash(key);
	return oldest->key ? oldest : NULL;
}

static bool older(int64_t now_us, int64_t than_us, int64_t seconds)
{
	return now_us - than_us >= seconds * 1000000;
}

/* Under the lock. */
static enum shelf_plan plan_for(struct shelf_place *p, const struct shelf_pace *pace, bool renew, int64_t now)
{
	bool again = renew && (!p->renewed_us || older(now, p->renewed_us, pace->floor_s));
	bool usable = p->thing && now < p->stale_us;
	bool due = !p->thing || now >= p->fresh_us || again;

	bool fetching = p->fetching_us && !older(now, p->fetching_us, SHELF_FETCH_MOST_S);

	if (fetching && renew)
		return SHELF_WAIT;               /* what is on its way may serve */
	if (!due)
		return SHELF_USE;
	if (fetching)
		return usable ? SHELF_USE : SHELF_WAIT;
	if (p->tried_us && !older(now, p->tried_us, pace->retry_s))
		return usable ? SHELF_USE : SHELF_GIVE_UP;
	if (again)
		p->renewed_us = now;
	return SHELF_FETCH;
}

enum shelf_plan shelf_look(struct shelf *s, struct str key, const struct shelf_pace *pace, bool renew, int64_t now_us,
			   void **thing, int64_t *put_us)
{
	enum shelf_plan plan = SHELF_NO_MEMORY;
	struct shelf_place *p;

	*thing = NULL;
	pthread_mutex_lock(&s->lock);
	p = place_of(s, key);
	if (p) {
		p->used_us = now_us;
		plan = plan_for(p, pace, renew, now_us);
		*put_us = p->thing ? p->put_us : 0;
		if (plan == SHELF_USE || (plan == SHELF_FETCH && !renew && p->thing && now_us < p->stale_us))
			*thing = s->hold(p->thing);
		if (plan == SHELF_FETCH)
			p->fetching_us = now_us;
	}
	pthread_mutex_unlock(&s->lock);
	return plan;
}

void shelf_abandon(struct shelf *s, struct str key, int64_t now_us)
{
	struct shelf_place *p;

	pthread_mutex_lock(&s->lock);
	p = find(s, key);
	if (p && p->fetching_us == now_us)
		p->fetching_us = 0;
	pthread_mutex_unlock(&s->lock);
}

uint64_t shelf_version(struct shelf *s)
{
	return atomic_load_explicit(&s->version, memory_order_acquire);
}

int64_t shelf_settled(struct shelf *s, struct str key, const void *thing, uint64_t *version)
{
	const struct shelf_place *p;
	int64_t until_us = 0;

	pthread_mutex_lock(&s->lock);
	p = find(s, key);
	if (p && thing && p->thing == thing)
		until_us = p->fresh_us < p->stale_us ? p->fresh_us : p->stale_us;
	*version = shelf_version(s);
	pthread_mutex_unlock(&s->lock);
	return until_us;
}

void shelf_why(struct shelf *s, struct str key, char to[SHELF_WHY_MAX])
{
	const struct shelf_place *p;

	pthread_mutex_lock(&s->lock);
	p = find(s, key);
	memcpy(to, p ? p->why : "", p ? SHELF_WHY_MAX : 1);
	pthread_mutex_unlock(&s->lock);
}

bool shelf_put(struct shelf *s, struct str key, void *thing, struct str why, int64_t fresh_s, int64_t stale_s, int64_t now_us,
	       void **out, int64_t *put_us)
{
	struct shelf_place *p;

	*out = NULL;
	pthread_mutex_lock(&s->lock);
	p = place_of(s, key);
	if (p) {
		p->fetching_us = 0;
		p->tried_us = thing ? 0 : now_us;
		p->used_us = now_us;
		if (!thing)
			snprintf(p->why, sizeof(p->why), "%.*s", STR_ARG(str_first(why, SHELF_WHY_MAX - 1)));
		if (thing) {
			changed(s);
			s->release(p->thing);
			p->thing = thing;
			p->put_us = now_us;
			p->fresh_us = now_us + fresh_s * 1000000;
			p->stale_us = now_us + stale_s * 1000000;
		}
		if (p->thing && now_us < p->stale_us) {
			*out = s->hold(p->thing);
			*put_us = p->put_us;
		}
	} else {
		s->release(thing);
	}
	pthread_mutex_unlock(&s->lock);
	return p != NULL;
}
