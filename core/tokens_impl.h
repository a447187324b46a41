/* tokens_impl.h - the layout of the token cache, for core/tokens*.c only. A change of it changes TOKENS_MAGIC. */
#pragma once

#include "core/tokens.h"

#include <stdatomic.h>

#define TOKENS_MAGIC UINT64_C(0x33304e454b4f5447)
enum {
	WAYS = 8,
	HEADER_BYTES = 4096,
	READ_TRIES = 1000, VALUE_TRIES = 4,
	SCRATCH_BYTES = TOKENS_SLOT_BYTES * 2 + 4096,
	BLAME_LEAST_S = 1, BLAME_MOST_S = 30,        /* after a new token was refused too */
	BLAME_DOUBLINGS = 5,
	LOCK_TRIES = 200, LOCK_PAUSE_NS = 100000,    /* 20 ms */
};

struct header {
	uint64_t magic, entries;
	uint8_t key_check[CRYPTO_SHA256_BYTES];      /* of the sealing key: tells when it is another one */
	_Atomic int64_t purged_us;
	/* Which entries were ever taken; in a large file a mark is for several. Looking through all entries stays away from the
	 * others, whose pages no process has touched: 16 MB of every worker's memory otherwise. */
	_Atomic uint8_t taken[];
};
enum { MARKS = HEADER_BYTES - sizeof(struct header) };

struct name {
	uint16_t n;
	char text[TOKENS_NAME_MAX];
};

struct entry {
	_Atomic uint64_t version;                    /* 0: never used; odd: being written */
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct name environment, credential;
	char subject[8];
	uint8_t print[TOKENS_PRINT_BYTES];
	int64_t issued_us, refresh_us, expires_us;
	char failure[TOKENS_FAILURE_MAX];
	uint32_t sealed_n;
	/* not covered by the version */
	_Atomic int64_t used_us, claim_until_us, retry_us, blame_until_us;
	_Atomic uint64_t uses, requests;
	_Atomic int32_t claim_pid;
	_Atomic uint32_t failures, blames;
	uint8_t sealed[];
};
#define SEALED_MAX (TOKENS_SLOT_BYTES - sizeof(struct entry))

struct kept {                                        /* what this handle has unsealed */
	uint64_t version;
	char *value;
	size_t n;
};

struct tokens {
	int fd;
	uint8_t *map;
	size_t bytes, entries;
	struct header *header;
	uint8_t key[CRYPTO_KEY_BYTES];
	struct kept *kept;
	struct arena *scratch;
	char failure[TOKENS_FAILURE_MAX];
};

static inline struct entry *tokens_entry(const struct tokens *t, size_t i)
{
	return (struct entry *)(void *)(t->map + HEADER_BYTES + i * TOKENS_SLOT_BYTES);
}

static inline _Atomic uint8_t *tokens_taken(const struct tokens *t, size_t i)
{
	return &t->header->taken[t->entries <= MARKS ? i : i * MARKS / t->entries];
}

bool tokens_lock(struct tokens *t, bool take);                       /* false: it cannot be had */
/* A copy of the head that no writer disturbed. False: it is being written all the time, or damaged. */
bool tokens_read_head(const struct entry *e, struct entry *copy);
void tokens_clear(struct entry *e);                                  /* with the lock held */
