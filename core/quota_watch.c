/* quota_watch.c
 *
 *   file   head, wanted share, secret | sets of WAYS entries
 *
 * A quota belongs to one set, by its digest (SipHash-2-4 with a secret of the file). An entry goes FREE → CLAIMED → READY by its
 * writer and back to FREE by the reader, a while after its window has ended, so that nobody still writes to it. A process that
 * dies while it claims one leaves it unused. Two that claim for the same quota at the same moment make two entries of it, which
 * tell nearly the same: the reader's subjects are names, not entries. */
#include "core/quota_watch.h"

#include "core/shared_file.h"
#include "core/str.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { STATE_FREE, STATE_CLAIMED, STATE_READY };
enum { WAYS = 16, SETS = QUOTA_WATCH_ENTRIES / WAYS, FREE_AFTER_US = 60000000 };
#define QUOTA_WATCH_MAGIC UINT64_C(0x31305a5554484721)

struct entry {
	_Atomic uint32_t state;
	uint32_t bytes;
	uint64_t digest;
	_Atomic uint64_t used, limit;
	_Atomic int64_t end_us;
#define X(name) char name[QUOTA_WATCH_TEXT];
	QUOTA_TEXTS(X)
#undef X
};

struct file {
	struct shared_file_head head;
	_Atomic uint32_t wanted;             /* thousandths */
	_Atomic uint64_t overflow;
	unsigned char secret[crypto_shorthash_siphashx24_KEYBYTES];
	struct entry entries[SETS][WAYS];
};

struct quota_watch {
	struct file *file;
};

static void begin(void *map)
{
	randombytes_buf(((struct file *)map)->secret, sizeof(((struct file *)map)->secret));
}

gh_rc quota_watch_open(const char *path, struct quota_watch **out, struct gh_err *err)
{
	const struct shared_file_head head = { .magic = QUOTA_WATCH_MAGIC, .size = sizeof(struct file) };
	struct quota_watch *w = calloc(1, sizeof(*w));
	void *map;
	gh_rc rc;

	if (!w || sodium_init() < 0) {
		free(w);
		FAIL(err, NOMEM, "%s: no memory", path);
	}
	rc = shared_file_map(path, &head, sizeof(struct file), begin, &map, err);
	if (rc.code) {
		free(w);
		return rc;
	}
	w->file = map;
	*out = w;
	return rc;
}

void quota_watch_close(struct quota_watch *w)
{
	if (!w)
		return;
	munmap(w->file, sizeof(struct file));
	free(w);
}

void quota_watch_want(struct quota_watch *w, uint32_t permille)
{
	if (atomic_load_explicit(&w->file->wanted, memory_order_relaxed) != permille)
		atomic_store_explicit(&w->file->wanted, permille, memory_order_relaxed);
}

bool quota_watch_on(const struct quota_watch *w)
{
	return w && atomic_load_explicit(&w->file->wanted, memory_order_relaxed);
}

uint64_t quota_watch_overflow(const struct quota_watch *w)
{
	return atomic_load_explicit(&w->file->overflow, memory_order_relaxed);
}

/* ---- noting ------------------------------------------------------------------------------------------------------------ */

static uint64_t digest_of(const struct quota_watch *w, const struct quota_name *name, const struct quota_use *use)
{
	union {
		uint64_t word;
		unsigned char bytes[crypto_shorthash_siphashx24_BYTES];
	} out;
	const struct str texts[] = {
#define X(name_) name->name_,
		QUOTA_TEXTS(X)
#undef X
	};
	uint64_t sum = (uint64_t)use->window_s << 1 | use->bytes;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		crypto_shorthash_siphashx24(out.bytes, (const unsigned char *)(texts[i].n ? texts[i].p : ""), texts[i].n, w->file->secret);
		sum = (sum << 7 | sum >> 57) * UINT64_C(0x9E3779B97F4A7C15) ^ out.word;
	}
	return sum;
}

static struct entry *find(struct entry *set, uint64_t digest)
{
	for (unsigned i = 0; i < WAYS; i++)
		if (atomic_load_explicit(&set[i].state, memory_order_acquire) == STATE_READY && set[i].digest == digest)
			return &set[i];
	return NULL;
}

static void put(char to[QUOTA_WATCH_TEXT], struct str s)
{
	s = str_first(s, QUOTA_WATCH_TEXT - 1);
	if (s.n)
		memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

static void put_key(const struct quota_watch *w, char to[QUOTA_WATCH_TEXT], struct str key)
{
	unsigned char digest[crypto_shorthash_siphashx24_BYTES];
	size_t shown = key.n / 3 < QUOTA_KEY_SHOWN ? key.n / 3 : QUOTA_KEY_SHOWN;

	to[0] = '\0';
	if (!key.n)
		return;
	crypto_shorthash_siphashx24(digest, (const unsigned char *)key.p, key.n, w->file->secret);
	for (size_t i = 0; i < shown; i++)
		if (key.p[i] <= ' ' || key.p[i] > '~')
			shown = i;           /* no half of a character */
	snprintf(to, QUOTA_KEY_MASKED, "%.*s…#%02x%02x%02x%02x", (int)shown, key.p, digest[0], digest[1], digest[2], digest[3]);
}

static void update(struct entry *e, const struct quota_use *use, int64_t now_us)
{
	bool lasts = !use->window_s || use->reset_s == UINT32_MAX;

	atomic_store_explicit(&e->limit, use->limit, memory_order_relaxed);
	atomic_store_explicit(&e->end_us, lasts ? INT64_MAX : now_us + (int64_t)use->reset_s * 1000000, memory_order_relaxed);
	atomic_store_explicit(&e->used, use->used, memory_order_release);
}

static bool claim(struct quota_watch *w, struct entry *set, uint64_t digest, const struct quota_name *name, const struct quota_use *use,
		  int64_t now_us)
{
	for (unsigned i = 0; i < WAYS; i++) {
		struct entry *e = &set[i];
		uint32_t state = STATE_FREE;

		if (!atomic_compare_exchange_strong_explicit(&e->state, &state, STATE_CLAIMED, memory_order_acquire, memory_order_relaxed))
			continue;
#define X(name_) put(e->name_, name->name_);
		QUOTA_TEXTS(X)
#undef X
		put_key(w, e->key, name->key);
		e->digest = digest;
		e->bytes = use->bytes;
		update(e, use, now_us);
		atomic_store_explicit(&e->state, STATE_READY, memory_order_release);
		return true;
	}
	return false;
}

void quota_watch_note(struct quota_watch *w, const struct quota_name *name, const struct quota_use *use, int64_t now_us)
{
	uint32_t wanted = atomic_load_explicit(&w->file->wanted, memory_order_relaxed);
	uint64_t digest = digest_of(w, name, use);
	struct entry *set = w->file->entries[digest % SETS], *e = find(set, digest);

	if (e)
		update(e, use, now_us);
	else if (wanted && use->limit && (double)use->used * 1000 >= (double)use->limit * wanted
		 && !claim(w, set, digest, name, use, now_us))
		atomic_fetch_add_explicit(&w->file->overflow, 1, memory_order_relaxed);
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

gh_rc quota_watch_read(struct quota_watch *w, struct arena *a, int64_t now_us, struct quota_entry **out, size_t *n, struct gh_err *err)
{
	struct entry *all = &w->file->entries[0][0];

	*n = 0;
	*out = NULL;
	for (size_t i = 0; i < SETS * WAYS; i++) {
		struct entry *e = &all[i];
		struct quota_entry *to;
		int64_t end;

		if (atomic_load_explicit(&e->state, memory_order_acquire) != STATE_READY)
			continue;
		end = atomic_load_explicit(&e->end_us, memory_order_relaxed);        /* of this quota, not of one before it */
		if (end != INT64_MAX && end + FREE_AFTER_US < now_us)
			atomic_store_explicit(&e->state, STATE_FREE, memory_order_release);
		if (end <= now_us)
			continue;
		if (!*out && !(*out = arena_alloc(a, SETS * WAYS, sizeof(**out))))
			FAIL(err, NOMEM, "quotas");
		to = &(*out)[(*n)++];
#define X(name_) to->name.name_ = arena_dup(a, str_of(e->name_));
		QUOTA_TEXTS(X)
#undef X
		to->used = atomic_load_explicit(&e->used, memory_order_acquire);
		to->limit = atomic_load_explicit(&e->limit, memory_order_relaxed);
		to->end_us = end;
		to->bytes = e->bytes;
	}
	return GH_RC_OK;
}
