/* cache.c - three LMDB tables.
 *
 *   values   digest (32 bytes, 16 of them used)    -> expiry (8) | key length (4) | space | key | value
 *   expiries expiry (8, big-endian) | digest (32)  -> nothing
 *   usage    "bytes"                               -> bytes that all entries take (8)
 *            "secret"                              -> key of the digests (16), drawn when the file is made
 *
 * LMDB keys end at 511 bytes, ours do not: a value is found by a digest of name space and key, and the key stands in the
 * record. So the digest need not be a cryptographic one, which would be a third of a look-up: two keys with the same SipHash
 * push each other out, and neither is ever taken for the other. Its key is drawn by lot, or callers could choose addresses that push
 * those of others out. The second table keeps entries in the order in which they expire: the
 * sweeping reads its front, and so does eviction, because what is about to expire is worth least. Least recently used
 * would need a write for every read. */
#include "core/cache_impl.h"

#include "core/cache_folder.h"
#include "core/crypto.h"
#include "core/file.h"
#include "core/log.h"
#include "core/str.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { EVICT_TRIES = 64, SWEPT_BY_PUT = 2, READERS_MAX = 512, PAGE = 4096, LEAST_BYTES = 1 << 20 };

struct entry_key {
	unsigned char expiry[8], digest[DIGEST_BYTES];
};

#define TRY_LMDB(call, what)                                                                      \
	do {                                                                                      \
		int lmdb_rc_ = (call);                                                            \
		if (lmdb_rc_)                                                                     \
			FAIL(err, IO, "cache: " what ": %s", mdb_strerror(lmdb_rc_));             \
	} while (0)

static void put_u64(unsigned char out[8], uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		out[i] = (unsigned char)(v >> (56 - 8 * i));
}

/* The same in all processes and after a restart. */
static void digest_of(const struct cache *c, char space, struct str key, unsigned char out[DIGEST_BYTES])
{
	unsigned char secret[SECRET_BYTES];

	memcpy(secret, c->secret, sizeof(secret));
	secret[sizeof(secret) - 1] ^= (unsigned char)space;
	memset(out, 0, DIGEST_BYTES);
	crypto_shorthash_siphashx24(out, (const unsigned char *)(key.n ? key.p : ""), key.n, secret);
}

/* The first to open the file draws it; writers take turns, so all read the same one. */
static int take_secret(struct cache *c, MDB_txn *txn)
{
	MDB_val k = { 6, (void *)(uintptr_t) "secret" }, v;
	int lmdb = mdb_get(txn, c->usage, &k, &v);

	if (lmdb && lmdb != MDB_NOTFOUND)
		return lmdb;
	if (!lmdb && v.mv_size == sizeof(c->secret)) {
		memcpy(c->secret, v.mv_data, sizeof(c->secret));
		return 0;
	}
	if (crypto_random(c->secret, sizeof(c->secret), NULL).code)
		return EIO;
	v = (MDB_val){ sizeof(c->secret), c->secret };
	return mdb_put(txn, c->usage, &k, &v, 0);
}

static int open_tables(struct cache *c)
{
	MDB_txn *txn;
	int lmdb = mdb_txn_begin(c->env, NULL, 0, &txn);

	if (lmdb)
		return lmdb;
	lmdb = mdb_dbi_open(txn, "values", MDB_CREATE, &c->values);
	if (!lmdb)
		lmdb = mdb_dbi_open(txn, "expiries", MDB_CREATE, &c->expiries);
	if (!lmdb)
		lmdb = mdb_dbi_open(txn, "usage", MDB_CREATE, &c->usage);
	if (!lmdb)
		lmdb = take_secret(c, txn);
	if (lmdb) {
		mdb_txn_abort(txn);
		return lmdb;
	}
	lmdb = mdb_txn_commit(txn);
	if (!lmdb)
		lmdb = mdb_txn_begin(c->env, NULL, MDB_RDONLY, &c->reader);
	if (!lmdb)
		mdb_txn_reset(c->reader);
	return lmdb;
}

static void close_env(struct cache *c)
{
	if (c->reader)
		mdb_txn_abort(c->reader);
	if (c->env)
		mdb_env_close(c->env);
	c->reader = NULL;
	c->env = NULL;
}

static int open_env(struct cache *c, const char *dir)
{
	int dead, lmdb = mdb_env_create(&c->env);

	if (!lmdb)
		lmdb = mdb_env_set_maxdbs(c->env, 3);
	if (!lmdb)
		lmdb = mdb_env_set_maxreaders(c->env, READERS_MAX);
	if (!lmdb)
		lmdb = mdb_env_set_mapsize(c->env, 2 * c->max_bytes + LEAST_BYTES);
	if (!lmdb)
		lmdb = mdb_env_open(c->env, dir, MDB_NOSYNC | MDB_WRITEMAP | MDB_NOMEMINIT | MDB_NORDAHEAD, 0600);
	if (!lmdb)
		lmdb = mdb_reader_check(c->env, &dead);      /* of workers that were killed: they would keep old pages and places */
	if (!lmdb)
		lmdb = open_tables(c);
	if (lmdb)
		close_env(c);
	return lmdb;
}

static bool is_damage(int lmdb)
{
	return lmdb == MDB_INVALID || lmdb == MDB_CORRUPTED || lmdb == MDB_VERSION_MISMATCH || lmdb == MDB_PAGE_NOTFOUND || lmdb == MDB_PANIC
	       || lmdb == MDB_INCOMPATIBLE;
}

/* Under the folder's lock: who finds the files damaged begins them anew, and nobody may be between the two meanwhile. */
static gh_rc open_locked(struct cache *c, const char *dir, bool of_this_boot, struct gh_err *err)
{
	int lmdb;

	if (of_this_boot)
		TRY(cache_folder_of_boot(dir, err));
	lmdb = open_env(c, dir);
	if (is_damage(lmdb)) {
		log_warn("a damaged cache begins empty", KV_CSTR("folder", dir), KV_CSTR("error", mdb_strerror(lmdb)));
		TRY(cache_folder_empty(dir, err));
		lmdb = open_env(c, dir);
	}
	if (lmdb)
		FAIL(err, IO, "cache: %s: %s", dir, mdb_strerror(lmdb));
	return GH_RC_OK;
}

static gh_rc open_in(struct cache **out, const char *dir, size_t max_bytes, bool of_this_boot, struct gh_err *err)
{
	struct cache *c = calloc(1, sizeof(*c));
	int lock = -1;
	gh_rc rc;

	if (!c)
		FAIL(err, NOMEM, "cache: no memory");
	c->max_bytes = ((max_bytes < LEAST_BYTES ? LEAST_BYTES : max_bytes) + PAGE - 1) / PAGE * PAGE;
	rc = file_make_dirs(dir, 0700, err);
	if (!rc.code)
		rc = cache_folder_lock(dir, &lock, err);
	if (!rc.code) {
		rc = open_locked(c, dir, of_this_boot, err);
		close(lock);
	}
	if (rc.code)
		cache_close(c);
	else
		*out = c;
	return rc;
}

gh_rc cache_open(struct cache **out, const char *dir, size_t max_bytes, struct gh_err *err)
{
	return open_in(out, dir, max_bytes, false, err);
}

gh_rc cache_open_of_boot(struct cache **out, const char *dir, size_t max_bytes, struct gh_err *err)
{
	return open_in(out, dir, max_bytes, true, err);
}

void cache_close(struct cache *c)
{
	if (!c)
		return;
	close_env(c);
	free(c);
}

/* The stored value when the record is of this key and has not expired, else STR_NULL. Points into the map. */
static struct str value_of(MDB_val record, char space, struct str key, int64_t now_us)
{
	const unsigned char *p = record.mv_data;
	size_t key_n;

	if (record.mv_size < HEAD_BYTES || cache_u64(p) <= (uint64_t)now_us)
		return STR_NULL;
	key_n = (size_t)p[8] << 24 | (size_t)p[9] << 16 | (size_t)p[10] << 8 | p[11];
	if ((char)p[12] != space || key_n != key.n || key_n > record.mv_size - HEAD_BYTES
	    || (key_n && memcmp(p + HEAD_BYTES, key.p, key_n) != 0))
		return STR_NULL;
	return (struct str){ (const char *)p + HEAD_BYTES + key_n, record.mv_size - HEAD_BYTES - key_n };
}

/* Within the reader's transaction. A transaction that is the newest again leaves all pages of its time alone. */
static int find(struct cache *c, unsigned char digest[DIGEST_BYTES], MDB_val *record)
{
	struct seen *s = &c->seen[digest[0] & (SEEN - 1)];
	MDB_val k = { DIGEST_BYTES, digest };
	size_t txn = mdb_txn_id(c->reader);
	int lmdb;

	if (s->record.mv_data && s->txn == txn && memcmp(s->digest, digest, DIGEST_BYTES) == 0) {
		*record = s->record;
		return 0;
	}
	lmdb = mdb_get(c->reader, c->values, &k, record);
	if (lmdb)
		return lmdb;
	memcpy(s->digest, digest, DIGEST_BYTES);
	s->txn = txn;
	s->record = *record;
	return 0;
}

gh_rc cache_get(struct cache *c, char space, struct str key, int64_t now_us, struct arena *a, struct str *value,
		struct gh_err *err)
{
	unsigned char digest[DIGEST_BYTES];
	struct str found = STR_NULL;
	MDB_val record;
	int lmdb;

	*value = STR_NULL;
	digest_of(c, space, key, digest);
	if (!c->held)
		TRY_LMDB(mdb_txn_renew(c->reader), "renew");
	lmdb = find(c, digest, &record);
	if (!lmdb)
		found = value_of(record, space, key, now_us);
	if (found.p)
		*value = arena_dup(a, found);
	if (!c->held)
		mdb_txn_reset(c->reader);
	if (lmdb && lmdb != MDB_NOTFOUND)
		FAIL(err, IO, "cache: get: %s", mdb_strerror(lmdb));
	if (found.p && !value->p)
		FAIL(err, NOMEM, "cache: a value of %zu bytes does not fit into the memory of the request", found.n);
	return GH_RC_OK;
}

void cache_hold(struct cache *c)
{
	c->held = !mdb_txn_renew(c->reader);         /* else each cache_get tries by itself, and says why */
}

void cache_let_go(struct cache *c)
{
	if (c->held)
		mdb_txn_reset(c->reader);
	c->held = false;
}

/* What an entry takes: a large record has pages of its own, a small one shares a page that is two thirds full. */
static uint64_t cost_of(size_t record_bytes)
{
	size_t small = (record_bytes + sizeof(struct entry_key) + 64) * 3 / 2;

	return record_bytes > PAGE / 2 ? (record_bytes + 16 + PAGE - 1) / PAGE * PAGE + 256 : small;
}

static int get_usage(struct cache *c, MDB_txn *txn, uint64_t *bytes)
{
	MDB_val k = { 5, (void *)(uintptr_t) "bytes" }, v;
	int lmdb = mdb_get(txn, c->usage, &k, &v);

	*bytes = !lmdb && v.mv_size == 8 ? cache_u64(v.mv_data) : 0;
	return lmdb == MDB_NOTFOUND ? 0 : lmdb;
}

static int change_usage(struct cache *c, MDB_txn *txn, uint64_t add, uint64_t remove)
{
	unsigned char bytes[8];
	MDB_val k = { 5, (void *)(uintptr_t) "bytes" }, v = { sizeof(bytes), bytes };
	uint64_t now;
	int lmdb = get_usage(c, txn, &now);

	if (lmdb)
		return lmdb;
	put_u64(bytes, now + add > remove ? now + add - remove : 0);
	return mdb_put(txn, c->usage, &k, &v, 0);
}

int cache_remove_in(struct cache *c, MDB_txn *txn, unsigned char digest[DIGEST_BYTES])
{
	MDB_val k = { DIGEST_BYTES, digest }, record, e;
	struct entry_key entry;
	uint64_t cost;
	int lmdb = mdb_get(txn, c->values, &k, &record);

	if (lmdb)
		return lmdb;
	cost = cost_of(record.mv_size);
	memcpy(entry.expiry, record.mv_data, sizeof(entry.expiry));
	memcpy(entry.digest, digest, DIGEST_BYTES);
	e = (MDB_val){ sizeof(entry), &entry };
	lmdb = mdb_del(txn, c->expiries, &e, NULL);
	if (lmdb && lmdb != MDB_NOTFOUND)
		return lmdb;
	lmdb = mdb_del(txn, c->values, &k, NULL);
	return lmdb ? lmdb : change_usage(c, txn, 0, cost);
}

/* Removes up to `most` entries from the front of the order of expiry, those that expire up to `until_us` only. */
static int drop_in(struct cache *c, MDB_txn *txn, uint64_t until_us, size_t most, size_t *dropped)
{
	int lmdb = 0;

	*dropped = 0;
	while (*dropped < most && !lmdb) {
		MDB_val k = { 0 }, nothing;
		MDB_cursor *cursor;
		struct entry_key entry;

		lmdb = mdb_cursor_open(txn, c->expiries, &cursor);
		if (lmdb)
			break;
		lmdb = mdb_cursor_get(cursor, &k, &nothing, MDB_FIRST);
		if (!lmdb)
			memcpy(&entry, k.mv_data, sizeof(entry));
		mdb_cursor_close(cursor);
		if (lmdb || cache_u64(entry.expiry) > until_us)
			break;
		lmdb = cache_remove_in(c, txn, entry.digest);
		++*dropped;
	}
	return lmdb == MDB_NOTFOUND ? 0 : lmdb;
}

static int drop_front(struct cache *c, uint64_t until_us, size_t most, size_t *dropped)
{
	MDB_txn *txn;
	int lmdb = mdb_txn_begin(c->env, NULL, 0, &txn);

	*dropped = 0;
	if (lmdb)
		return lmdb;
	lmdb = drop_in(c, txn, until_us, most, dropped);
	if (lmdb) {
		mdb_txn_abort(txn);
		return lmdb;
	}
	return mdb_txn_commit(txn);
}

struct put {
	char space;
	struct str key, value;
	unsigned char digest[DIGEST_BYTES];
	uint64_t now_us, expires_us;
	cache_change_fn *change;             /* makes the value; NULL: it is given */
	void *arg;
	size_t lines;                        /* 0: value takes the place of what is there; else it is put before its lines */
};

static int put_in(struct cache *c, MDB_txn *txn, struct put *p, struct str value)
{
	struct entry_key entry;
	MDB_val k = { DIGEST_BYTES, p->digest }, e = { sizeof(entry), &entry }, nothing = { 0, NULL };
	MDB_val record = { HEAD_BYTES + p->key.n + value.n, NULL };
	unsigned char *to;
	uint64_t usage;
	int lmdb;

	put_u64(entry.expiry, p->expires_us);
	memcpy(entry.digest, p->digest, DIGEST_BYTES);
	lmdb = cache_remove_in(c, txn, p->digest);
	if (!lmdb || lmdb == MDB_NOTFOUND)
		lmdb = get_usage(c, txn, &usage);
	if (!lmdb && usage + cost_of(record.mv_size) > c->max_bytes)
		lmdb = MDB_MAP_FULL;
	if (!lmdb)
		lmdb = change_usage(c, txn, cost_of(record.mv_size), 0);
	if (!lmdb)
		lmdb = mdb_put(txn, c->expiries, &e, &nothing, 0);
	if (!lmdb)
		lmdb = mdb_put(txn, c->values, &k, &record, MDB_RESERVE);
	if (lmdb)
		return lmdb;
	to = record.mv_data;
	put_u64(to, p->expires_us);
	for (unsigned i = 0; i < 4; i++)
		to[8 + i] = (unsigned char)(p->key.n >> (24 - 8 * i));
	to[12] = (unsigned char)p->space;
	if (p->key.n)
		memcpy(to + HEAD_BYTES, p->key.p, p->key.n);
	if (value.n)
		memcpy(to + HEAD_BYTES + p->key.n, value.p, value.n);
	return 0;
}

/* The new line before those that are there, without the oldest. */
static int push_in(struct cache *c, MDB_txn *txn, struct put *p)
{
	MDB_val k = { DIGEST_BYTES, p->digest }, record;
	int lmdb = mdb_get(txn, c->values, &k, &record);
	struct str old = lmdb ? STR_NULL : value_of(record, p->space, p->key, (int64_t)p->now_us);
	size_t lines = 1, kept = 0;
	char *all;

	if (lmdb && lmdb != MDB_NOTFOUND)
		return lmdb;
	for (; kept < old.n && lines < p->lines; kept++)
		lines += old.p[kept] == '\n';
	all = malloc(p->value.n + 1 + kept);
	if (!all)
		return ENOMEM;
	memcpy(all, p->value.p, p->value.n);
	all[p->value.n] = '\n';
	if (kept)
		memcpy(all + p->value.n + 1, old.p, kept);
	lmdb = put_in(c, txn, p, (struct str){ all, p->value.n + 1 + kept });
	free(all);
	return lmdb;
}

static int change_in(struct cache *c, MDB_txn *txn, struct put *p)
{
	MDB_val k = { DIGEST_BYTES, p->digest }, record;
	int lmdb = mdb_get(txn, c->values, &k, &record);
	struct str old = lmdb ? STR_NULL : value_of(record, p->space, p->key, (int64_t)p->now_us), value;
	int64_t expires_us;

	if (lmdb && lmdb != MDB_NOTFOUND)
		return lmdb;
	if (!p->change(p->arg, old, &value, &expires_us))
		return 0;
	p->expires_us = (uint64_t)expires_us;
	return put_in(c, txn, p, value);
}

/* More goes than comes, so what has expired does not pile up, and nobody has to sweep. */
static int put_once(struct cache *c, struct put *p)
{
	size_t swept;
	MDB_txn *txn;
	int lmdb = mdb_txn_begin(c->env, NULL, 0, &txn);

	if (lmdb)
		return lmdb;
	lmdb = p->change ? change_in(c, txn, p) : p->lines ? push_in(c, txn, p) : put_in(c, txn, p, p->value);
	if (!lmdb)
		lmdb = drop_in(c, txn, p->now_us, SWEPT_BY_PUT, &swept);
	if (lmdb) {
		mdb_txn_abort(txn);
		return lmdb;
	}
	return mdb_txn_commit(txn);
}

static gh_rc put(struct cache *c, struct put *p, struct gh_err *err)
{
	int lmdb;

	if (p->key.n > c->max_bytes / 4 || p->value.n > c->max_bytes / 4 - p->key.n)
		FAIL(err, LIMIT, "cache: an entry of %zu bytes is more than a quarter of the cache (%zu bytes)",
		     p->key.n + p->value.n, c->max_bytes);
	digest_of(c, p->space, p->key, p->digest);
	lmdb = put_once(c, p);
	for (unsigned i = 0; lmdb == MDB_MAP_FULL && i < EVICT_TRIES; i++) {
		size_t dropped;

		/* what has expired first; when that is nothing, the next to expire */
		lmdb = drop_front(c, p->now_us, EVICT_BATCH, &dropped);
		if (!lmdb && !dropped) {
			lmdb = drop_front(c, UINT64_MAX, EVICT_BATCH, &dropped);
			c->evicted += dropped;
		}
		if (!lmdb)
			lmdb = put_once(c, p);
	}
	if (lmdb)
		FAIL(err, IO, "cache: put: %s", mdb_strerror(lmdb));
	return GH_RC_OK;
}

gh_rc cache_put(struct cache *c, char space, struct str key, struct str value, int64_t now_us, int64_t expires_us,
		struct gh_err *err)
{
	struct put p = { .space = space, .key = key, .value = value, .now_us = (uint64_t)now_us, .expires_us = (uint64_t)expires_us };

	return put(c, &p, err);
}

gh_rc cache_push(struct cache *c, char space, struct str key, struct str line, size_t most, int64_t now_us, int64_t expires_us,
		 struct gh_err *err)
{
	struct put p = { .space = space, .key = key, .value = line, .now_us = (uint64_t)now_us, .expires_us = (uint64_t)expires_us,
			 .lines = most };

	return put(c, &p, err);
}

gh_rc cache_change(struct cache *c, char space, struct str key, int64_t now_us, cache_change_fn *change, void *arg, struct gh_err *err)
{
	struct put p = { .space = space, .key = key, .now_us = (uint64_t)now_us, .change = change, .arg = arg };

	return put(c, &p, err);
}

gh_rc cache_remove(struct cache *c, char space, struct str key, bool *was_there, struct gh_err *err)
{
	unsigned char digest[DIGEST_BYTES];
	MDB_txn *txn;
	int lmdb;

	digest_of(c, space, key, digest);
	TRY_LMDB(mdb_txn_begin(c->env, NULL, 0, &txn), "begin");
	lmdb = cache_remove_in(c, txn, digest);
	*was_there = lmdb == 0;
	if (lmdb && lmdb != MDB_NOTFOUND) {
		mdb_txn_abort(txn);
		FAIL(err, IO, "cache: remove: %s", mdb_strerror(lmdb));
	}
	TRY_LMDB(mdb_txn_commit(txn), "commit");
	return GH_RC_OK;
}

gh_rc cache_stats(struct cache *c, struct cache_stats *out, struct gh_err *err)
{
	MDB_stat stat;
	uint64_t bytes = 0;
	int lmdb;

	TRY_LMDB(mdb_txn_renew(c->reader), "renew");
	lmdb = mdb_stat(c->reader, c->values, &stat);
	if (!lmdb)
		lmdb = get_usage(c, c->reader, &bytes);
	mdb_txn_reset(c->reader);
	if (lmdb)
		FAIL(err, IO, "cache: %s", mdb_strerror(lmdb));
	*out = (struct cache_stats){ .entries = stat.ms_entries, .bytes = bytes, .max_bytes = c->max_bytes, .evicted = c->evicted };
	return GH_RC_OK;
}
