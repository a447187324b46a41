#include "core/lru.h"

#include <stdlib.h>

enum { BUCKETS_LEAST = 64 };

bool lru_init(struct lru *l, size_t max)
{
	size_t buckets = BUCKETS_LEAST;

	*l = (struct lru){ .max = max ? max : 1 };
	while (buckets < l->max)
		buckets *= 2;
	l->mask = buckets - 1;
	l->buckets = calloc(buckets, sizeof(*l->buckets));
	return l->buckets != NULL;
}

void lru_release(struct lru *l)
{
	lru_clear(l);
	free(l->buckets);
	*l = (struct lru){ 0 };
}

void lru_clear(struct lru *l)
{
	while (l->oldest)
		lru_remove(l, l->oldest);
}

static struct lru_entry **bucket_of(const struct lru *l, const uint8_t digest[LRU_DIGEST_BYTES])
{
	uint64_t h;

	memcpy(&h, digest, sizeof(h));
	return &l->buckets[h & l->mask];
}

static void unlink_entry(struct lru *l, struct lru_entry *e)
{
	*(e->newer ? &e->newer->older : &l->newest) = e->older;
	*(e->older ? &e->older->newer : &l->oldest) = e->newer;
}

static void link_entry(struct lru *l, struct lru_entry *e)
{
	e->newer = NULL;
	e->older = l->newest;
	*(l->newest ? &l->newest->newer : &l->oldest) = e;
	l->newest = e;
}

void lru_unref(void *entry)
{
	struct lru_entry *e = entry;

	if (--e->refs == 0)
		e->release(e);
}

void lru_remove(struct lru *l, struct lru_entry *e)
{
	struct lru_entry **at = bucket_of(l, e->digest);

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	unlink_entry(l, e);
	l->n--;
	lru_unref(e);
}

static struct lru_entry *find(const struct lru *l, const uint8_t digest[LRU_DIGEST_BYTES])
{
	struct lru_entry *e = *bucket_of(l, digest);

	while (e && memcmp(e->digest, digest, LRU_DIGEST_BYTES) != 0)
		e = e->chain;
	return e;
}

struct lru_entry *lru_get(struct lru *l, const uint8_t digest[LRU_DIGEST_BYTES])
{
	struct lru_entry *e = find(l, digest);

	if (!e)
		return NULL;
	if (e->newer) {
		unlink_entry(l, e);
		link_entry(l, e);
	}
	e->refs++;
	return e;
}

void lru_put(struct lru *l, struct lru_entry *e)
{
	struct lru_entry *old = find(l, e->digest), **at;

	if (old)
		lru_remove(l, old);
	if (l->n >= l->max) {
		lru_remove(l, l->oldest);
		l->evicted++;
	}
	at = bucket_of(l, e->digest);
	e->chain = *at;
	*at = e;
	e->refs++;
	l->n++;
	link_entry(l, e);
}
