/* lru.h - what a process remembers, by a 32-byte digest, within a bound: the one that was used longest ago goes first.
 *
 * An entry is a struct of the caller's with a struct lru_entry in it. Entries are counted by reference: one that is in use
 * outlives its place in the table, and `release` runs when the last reference goes. Getting one costs no system call and
 * no malloc. One thread. */
#pragma once

#include "core/base.h"

enum { LRU_DIGEST_BYTES = 32 };      /* crypto_sha256 or crypto_name of whatever the key is */

struct lru_entry {
	uint8_t digest[LRU_DIGEST_BYTES];
	struct lru_entry *chain;     /* of its bucket */
	struct lru_entry *newer, *older;
	unsigned refs;               /* set to 1 by whoever makes it */
	void (*release)(struct lru_entry *);
};

struct lru {
	struct lru_entry **buckets, *newest, *oldest;
	size_t mask, n, max;
	uint64_t evicted;
};

/* False: out of memory. max at least 1. */
bool lru_init(struct lru *l, size_t max) MUST_USE;
void lru_release(struct lru *l);                         /* empties it; harmless on zeroed memory */
void lru_clear(struct lru *l);                           /* forgets all */
/* The entry with a reference for the caller, or NULL. It counts as used. */
struct lru_entry *lru_get(struct lru *l, const uint8_t digest[LRU_DIGEST_BYTES]);
/* Takes a reference of its own. What stood under the digest goes; when full the oldest does. */
void lru_put(struct lru *l, struct lru_entry *e);
void lru_remove(struct lru *l, struct lru_entry *e);     /* must be in it */
void lru_unref(void *entry);                             /* fits arena_defer */
