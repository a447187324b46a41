/* cache_scan.c - looking through all entries of the shared cache, for people's commands. */
#include "core/cache_impl.h"

#include <stdlib.h>

struct scan {
	char space;
	int64_t now_us;
	cache_judge *judge;
	void *arg;
	unsigned char at[DIGEST_BYTES], drop[EVICT_BATCH][DIGEST_BYTES];     /* at: seen last */
	size_t n_drop, dropped;
	bool begun, over;
};

static enum cache_verdict judge_record(const struct scan *s, MDB_val record)
{
	const unsigned char *p = record.mv_data;
	size_t key_n = record.mv_size < HEAD_BYTES ? 0 : (size_t)p[8] << 24 | (size_t)p[9] << 16 | (size_t)p[10] << 8 | p[11];
	const char *text = (const char *)p + HEAD_BYTES;

	if (record.mv_size < HEAD_BYTES || cache_u64(p) <= (uint64_t)s->now_us || (char)p[12] != s->space
	    || key_n > record.mv_size - HEAD_BYTES)
		return CACHE_KEEP;
	return s->judge(s->arg, (struct str){ text, key_n }, (struct str){ text + key_n, record.mv_size - HEAD_BYTES - key_n },
			(int64_t)cache_u64(p));
}

/* Goes on behind s->at, until there is enough to be dropped or the batch is over: a reader that stays long keeps old pages alive. */
static int scan_batch(struct cache *c, MDB_txn *txn, struct scan *s)
{
	MDB_val k = { DIGEST_BYTES, s->at }, record;
	MDB_cursor *cursor;
	int lmdb = mdb_cursor_open(txn, c->values, &cursor);

	if (lmdb)
		return lmdb;
	lmdb = mdb_cursor_get(cursor, &k, &record, s->begun ? MDB_SET_RANGE : MDB_FIRST);
	if (!lmdb && s->begun && memcmp(k.mv_data, s->at, DIGEST_BYTES) == 0)
		lmdb = mdb_cursor_get(cursor, &k, &record, MDB_NEXT);
	for (size_t seen = 0; !lmdb && seen < SCAN_BATCH && s->n_drop < EVICT_BATCH; seen++) {
		enum cache_verdict v = judge_record(s, record);

		memcpy(s->at, k.mv_data, DIGEST_BYTES);
		s->begun = true;
		if (v == CACHE_DROP)
			memcpy(s->drop[s->n_drop++], s->at, DIGEST_BYTES);
		s->over = v == CACHE_STOP;
		if (s->over)
			break;
		lmdb = mdb_cursor_get(cursor, &k, &record, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	s->over |= lmdb == MDB_NOTFOUND;
	return lmdb == MDB_NOTFOUND ? 0 : lmdb;
}

static int drop_batch(struct cache *c, struct scan *s)
{
	MDB_txn *txn;
	int lmdb = s->n_drop ? mdb_txn_begin(c->env, NULL, 0, &txn) : 0;

	if (lmdb || !s->n_drop)
		return lmdb;
	for (size_t i = 0; i < s->n_drop && (!lmdb || lmdb == MDB_NOTFOUND); i++) {
		lmdb = cache_remove_in(c, txn, s->drop[i]);
		s->dropped += !lmdb;
	}
	s->n_drop = 0;
	if (lmdb && lmdb != MDB_NOTFOUND) {
		mdb_txn_abort(txn);
		return lmdb;
	}
	return mdb_txn_commit(txn);
}

gh_rc cache_scan(struct cache *c, char space, int64_t now_us, cache_judge *judge, void *arg, size_t *dropped, struct gh_err *err)
{
	struct scan *s = calloc(1, sizeof(*s));
	int lmdb = 0;

	if (!s)
		FAIL(err, NOMEM, "cache: no memory");
	s->space = space;
	s->now_us = now_us;
	s->judge = judge;
	s->arg = arg;
	while (!lmdb && !s->over) {
		lmdb = mdb_txn_renew(c->reader);
		if (lmdb)
			break;
		lmdb = scan_batch(c, c->reader, s);
		mdb_txn_reset(c->reader);
		if (!lmdb)
			lmdb = drop_batch(c, s);
	}
	*dropped = s->dropped;
	free(s);
	if (lmdb)
		FAIL(err, IO, "cache: scan: %s", mdb_strerror(lmdb));
	return GH_RC_OK;
}
