/* cache_impl.h - the shared cache inside, for core/cache.c (values) and cache_scan.c (looking through all of them) only. */
#pragma once

#include "core/cache.h"

#include <lmdb.h>
#include <sodium.h>

enum { DIGEST_BYTES = 32, HEAD_BYTES = 13, EVICT_BATCH = 64, SCAN_BATCH = 512, SEEN = 64 /* a power of two */,
       SECRET_BYTES = crypto_shorthash_siphashx24_KEYBYTES };

/* A record that was found before. While nobody has written since, it is where it was. */
struct seen {
	unsigned char digest[DIGEST_BYTES];
	size_t txn;
	MDB_val record;
};

struct cache {
	MDB_env *env;
	MDB_dbi values, expiries, usage;
	MDB_txn *reader;                 /* reset between look-ups, so that one costs no allocation */
	bool held;                       /* it is not reset meanwhile: cache_hold */
	size_t max_bytes;
	uint64_t evicted;
	unsigned char secret[SECRET_BYTES];
	struct seen seen[SEEN];
};

static inline uint64_t cache_u64(const unsigned char in[8])
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++)
		v = v << 8 | in[i];
	return v;
}

/* Removes the record of the digest and its place in the order of expiry. MDB_NOTFOUND when there is none. */
int cache_remove_in(struct cache *c, MDB_txn *txn, unsigned char digest[DIGEST_BYTES]);
