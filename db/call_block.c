#include "db/call_block.h"

#include "core/log.h"
#include "core/map.h"
#include "core/str.h"
#include "db/call_pack.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	BLOCK_ARENA = 4 << 20,           /* what 256 calls have of each kind, 700 bytes together, and tables for it */
	OPEN_CALLS = 128,                /* a block that has fewer takes more */
	IDLE_BLOCKS = 8,                 /* blocks that begin with a newer call and are looked into before a search for old ones ends */
	STATUS_TEXT = 8,
};

struct block {
	int64_t number, gone, calls, first_us, last_us, bytes;
};

struct call_blocks {
	struct arena *arena;             /* of the open block */
	struct map seen[CALL_SEEN__COUNT];
	struct call_packer *packer;
	struct block now;                /* the open one; bytes: as it stands in the store */
	int64_t next_row;                /* 0: not known yet in this drain */
	int64_t more_calls, more_bytes;  /* what this drain changes */
	bool open;
};

/* ---- writing ------------------------------------------------------------------------------------------------------------------ */

static void forget_seen(struct call_blocks *b)
{
	arena_reset(b->arena);
	for (size_t i = 0; i < CALL_SEEN__COUNT; i++)
		map_init(&b->seen[i], b->arena, false);
}

gh_rc call_blocks_begin(struct store *s, struct gh_err *err)
{
	struct call_blocks *b = s->blocks;

	if (!b) {
		b = calloc(1, sizeof(*b));
		if (!b || !(b->arena = arena_new(BLOCK_ARENA)) || !(b->packer = call_packer_new())) {
			call_blocks_free(b);
			FAIL(err, NOMEM, "no memory for a drain");
		}
		s->blocks = b;
	}
	forget_seen(b);
	b->open = false;
	b->next_row = b->more_calls = b->more_bytes = 0;
	return GH_RC_OK;
}

void call_blocks_free(struct call_blocks *b)
{
	if (!b)
		return;
	arena_free(b->arena);
	call_packer_free(b->packer);
	free(b);
}

static bool note(struct call_blocks *b, enum call_seen kind, struct str value)
{
	struct map *m = &b->seen[kind];
	struct str kept;

	if (!value.n || map_get(m, value))
		return true;
	kept = arena_dup(b->arena, value);
	return kept.p && map_put(m, kept, b);
}

/* "404" and "4xx"; nothing of a success, which is in every block. */
static struct str status_text(unsigned status, bool class, char out[STATUS_TEXT])
{
	if (status / 100 == 2)
		return STR("");
	return (struct str){ out, (size_t)snprintf(out, STATUS_TEXT, class ? "%uxx" : "%u", class ? status / 100 : status) };
}

static bool note_shared(struct call_blocks *b, const struct telemetry_call *call)
{
	char status[STATUS_TEXT];

	return note(b, CALL_SEEN_API, call->api) && note(b, CALL_SEEN_SUBSCRIPTION, call->subscription)
	       && note(b, CALL_SEEN_KEY, call->key_prefix) && note(b, CALL_SEEN_ADDRESS, call->client_ip)
	       && note(b, CALL_SEEN_STATUS, status_text(call->status, false, status))
	       && note(b, CALL_SEEN_STATUS, status_text(call->status, true, status));
}

/* Does it tell when the call was? Then it is found without being written down. */
static bool tells_time(struct str id, const struct telemetry_call *call)
{
	int64_t ms;

	return call_id_time(id, &ms) && ms == call->started_us / 1000;
}

static bool note_own(struct call_blocks *b, const struct telemetry_call *call, const struct call_packed *packed)
{
	bool known = packed->id_tells_time;

	return (known || tells_time(call->request_id, call) || note(b, CALL_SEEN_REQUEST, call->request_id))
	       && ((known && packed->trace_is_id) || tells_time(call->trace_id, call) || note(b, CALL_SEEN_TRACE, call->trace_id))
	       && note(b, CALL_SEEN_CORRELATION, call->correlation);
}

/* The newest block takes more as long as it is small, and what follows it is the next number (in a store of before calls were packed
 * numbers may be missing); else, and later in a drain, a new one begins. */
static gh_rc open_block(struct store *s, struct gh_err *err)
{
	struct call_blocks *b = s->blocks;
	struct str before = STR("");
	sqlite3_stmt *st = NULL;
	bool row = false, ok;

	if (!b->next_row) {
		TRY(find_int(s, sql_use(s, SQL_CALL_NEXT_ROW), &b->next_row, NULL, err));
		st = sql_use(s, SQL_CALL_BLOCK_LAST);
		TRY(sql_step(s, st, &row, err));
	}
	b->now = (struct block){ .number = b->next_row, .first_us = INT64_MAX, .last_us = INT64_MIN };
	if (row && sqlite3_column_int64(st, 2) < OPEN_CALLS
	    && sqlite3_column_int64(st, 1) + sqlite3_column_int64(st, 2) < CALL_BLOCK_CALLS
	    && sqlite3_column_int64(st, 0) + sqlite3_column_int64(st, 1) + sqlite3_column_int64(st, 2) == b->next_row) {
		before = (struct str){ sqlite3_column_blob(st, 5), (size_t)sqlite3_column_bytes(st, 5) };
		b->now = (struct block){ .number = sqlite3_column_int64(st, 0), .gone = sqlite3_column_int64(st, 1),
					 .calls = sqlite3_column_int64(st, 2), .first_us = sqlite3_column_int64(st, 3),
					 .last_us = sqlite3_column_int64(st, 4), .bytes = (int64_t)before.n };
	}
	ok = call_packer_begin(b->packer, before);
	if (row)
		sqlite3_reset(st);
	if (!ok)
		FAIL(err, NOMEM, "no memory for a block of calls");
	b->open = true;
	return GH_RC_OK;
}

static gh_rc put_block(struct store *s, const struct block *b, struct str records, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CALL_BLOCK_PUT);

	bind_int(st, 1, b->number);
	bind_int(st, 2, b->gone);
	bind_int(st, 3, b->calls);
	bind_int(st, 4, b->first_us);
	bind_int(st, 5, b->last_us);
	TRY(sql_done(s, st, err));
	st = sql_use(s, SQL_CALL_DATA_PUT);
	bind_int(st, 1, b->number);
	bind_blob(st, 2, records);
	return sql_done(s, st, err);
}

static gh_rc write_seen(struct store *s, int64_t block, size_t kind, const struct map *values, struct gh_err *err)
{
	const struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(values, &i));) {
		sqlite3_stmt *st = sql_use(s, SQL_CALL_SEEN_ADD);

		bind_int(st, 1, (int64_t)kind);
		bind_str(st, 2, slot->key);
		bind_int(st, 3, block);
		TRY(sql_done(s, st, err));
	}
	return GH_RC_OK;
}

static gh_rc close_block(struct store *s, struct gh_err *err)
{
	struct call_blocks *b = s->blocks;
	struct str records = call_packer_bytes(b->packer);

	TRY(put_block(s, &b->now, records, err));
	for (size_t kind = CALL_SEEN_API; kind < CALL_SEEN__COUNT; kind++)
		TRY(write_seen(s, b->now.number, kind, &b->seen[kind], err));
	b->more_bytes += (int64_t)records.n - b->now.bytes;
	b->next_row = b->now.number + b->now.gone + b->now.calls;
	b->open = false;
	forget_seen(b);
	return GH_RC_OK;
}

gh_rc call_blocks_add(struct store *s, const struct telemetry_call *call, struct gh_err *err)
{
	struct call_blocks *b = s->blocks;
	struct call_packed packed;

	if (b->open && b->now.gone + b->now.calls == CALL_BLOCK_CALLS)
		TRY(close_block(s, err));
	if (!b->open)
		TRY(open_block(s, err));
	if (!call_packer_add(b->packer, call, &packed) || (packed.fresh && !note_shared(b, call)) || !note_own(b, call, &packed))
		FAIL(err, NOMEM, "no memory for a block of calls");
	if (call->started_us < b->now.first_us)
		b->now.first_us = call->started_us;
	if (call->started_us > b->now.last_us)
		b->now.last_us = call->started_us;
	b->now.calls++;
	b->more_calls++;
	return GH_RC_OK;
}

gh_rc call_blocks_write(struct store *s, struct gh_err *err)
{
	struct call_blocks *b = s->blocks;
	sqlite3_stmt *st;

	if (b->open)
		TRY(close_block(s, err));
	if (!b->more_calls && !b->more_bytes)
		return GH_RC_OK;
	st = sql_use(s, SQL_CALL_TOTAL_ADD);
	bind_int(st, 1, b->more_bytes);
	bind_int(st, 2, b->more_calls);
	bind_int(st, 3, b->next_row);
	b->more_bytes = b->more_calls = 0;
	return sql_done(s, st, err);
}

/* ---- deleting ----------------------------------------------------------------------------------------------------------------- */

static gh_rc drop_block(struct store *s, const struct block *b, struct gh_err *err)
{
	static const enum sql drops[] = { SQL_CALL_SEEN_DROP, SQL_CALL_DATA_DROP, SQL_CALL_BLOCK_DROP };

	for (size_t i = 0; i < ARRAY_LEN(drops); i++) {
		sqlite3_stmt *st = sql_use(s, drops[i]);

		bind_int(st, 1, b->number);
		TRY(sql_done(s, st, err));
	}
	s->blocks->more_calls -= b->calls;
	s->blocks->more_bytes -= b->bytes;
	return GH_RC_OK;
}

static void tell_damage(int64_t row)
{
	log_error("a block of single calls is damaged, the rest of it is lost", KV_INT("first", row));
}

/* Takes the first calls that are older, at most `most`, out of what is packed, and what is damaged; `left` is the block without them. */
static bool cut(struct call_packer *p, struct call_unpacker *u, struct str records, int64_t before_us, size_t most, struct block *left)
{
	struct telemetry_call call;
	struct call_packed packed;
	bool damaged = false, cutting = true;
	size_t gone = 0, kept = 0;

	left->first_us = INT64_MAX;
	left->last_us = INT64_MIN;
	call_unpacker_begin(u, records);
	if (!call_packer_begin(p, STR("")))
		return false;
	while (call_unpacker_next(u, &call, &damaged)) {
		cutting = cutting && gone < most && call.started_us < before_us;
		if (cutting) {
			gone++;
			continue;
		}
		if (!call_packer_add(p, &call, &packed))
			return false;
		left->first_us = call.started_us < left->first_us ? call.started_us : left->first_us;
		left->last_us = call.started_us > left->last_us ? call.started_us : left->last_us;
		kept++;
	}
	if (damaged)
		tell_damage(left->number + left->gone);
	left->gone += (int64_t)gone;
	left->calls = (int64_t)kept;
	return true;
}

static gh_rc drop_part(struct store *s, struct block *b, struct str records, int64_t before_us, size_t most, struct gh_err *err)
{
	struct call_unpacker *u = call_unpacker_new();
	struct call_blocks *w = s->blocks;
	struct block left = *b;
	bool ok = u && cut(w->packer, u, records, before_us, most, &left);

	call_unpacker_free(u);
	if (!ok)
		FAIL(err, NOMEM, "no memory for a block of calls");
	if (left.calls == b->calls)
		return GH_RC_OK;
	if (!left.calls) {
		TRY(drop_block(s, b, err));
		b->calls = 0;
		return GH_RC_OK;
	}
	w->more_calls += left.calls - b->calls;
	w->more_bytes += (int64_t)call_packer_bytes(w->packer).n - b->bytes;
	*b = left;
	return put_block(s, b, call_packer_bytes(w->packer), err);
}

/* One block; *gone: how many of its first `most` calls went; more where it is damaged. */
static gh_rc drop_some(struct store *s, struct block b, struct str records, int64_t before_us, size_t most, size_t *gone, struct gh_err *err)
{
	int64_t calls = b.calls;

	*gone = 0;
	if (b.first_us >= before_us)
		return GH_RC_OK;
	if (b.last_us < before_us && (size_t)b.calls <= most) {
		*gone = (size_t)b.calls;
		return drop_block(s, &b, err);
	}
	TRY(drop_part(s, &b, records, before_us, most, err));
	*gone = (size_t)(calls - b.calls);
	return GH_RC_OK;
}

gh_rc call_blocks_drop(struct store *s, int64_t before_us, size_t most, size_t *gone, struct gh_err *err)
{
	int64_t from = INT64_MIN, from_us = INT64_MIN;
	unsigned idle = 0;

	*gone = 0;
	while (*gone < most && idle < IDLE_BLOCKS) {
		sqlite3_stmt *st = sql_use(s, SQL_CALL_BLOCK_OLDEST);
		struct str records;
		struct block b;
		size_t n;
		bool row;
		gh_rc rc;

		bind_int(st, 1, before_us);
		bind_int(st, 2, from_us);
		bind_int(st, 3, from);
		TRY(sql_step(s, st, &row, err));
		if (!row)
			break;
		records = (struct str){ sqlite3_column_blob(st, 5), (size_t)sqlite3_column_bytes(st, 5) };
		b = (struct block){ .number = sqlite3_column_int64(st, 0), .gone = sqlite3_column_int64(st, 1),
				    .calls = sqlite3_column_int64(st, 2), .first_us = sqlite3_column_int64(st, 3),
				    .last_us = sqlite3_column_int64(st, 4), .bytes = (int64_t)records.n };
		rc = drop_some(s, b, records, before_us, most - *gone, &n, err);
		sqlite3_reset(st);
		if (rc.code)
			return rc;
		idle += !n;
		*gone += n;
		from = b.number;
		from_us = b.first_us;
	}
	return GH_RC_OK;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------ */

enum { ID_MAX = 64 };

struct search {
	const struct store_calls_filter *f;
	struct call_unpacker *unpacker;
	struct store_call found[CALL_BLOCK_CALLS];
	char ids[CALL_BLOCK_CALLS][ID_MAX], traces[CALL_BLOCK_CALLS][ID_MAX];    /* the unpacker has those of one call at a time */
	size_t n;
	int from_status, to_status;
};

static bool has(struct str wanted, struct str value)
{
	return !wanted.p || str_eq(wanted, value);
}

/* An id is none when it is empty. */
static bool has_id(struct str wanted, struct str value)
{
	return !wanted.p || (wanted.n && str_eq(wanted, value));
}

static bool fits(const struct search *q, int64_t row, const struct telemetry_call *c)
{
	const struct store_calls_filter *f = q->f;

	return row > f->after_row && (!f->before_row || row < f->before_row) && c->status >= q->from_status && c->status <= q->to_status && c->started_us >= f->from_us
	       && (!f->to_us || c->started_us < f->to_us) && has(f->api, c->api) && has(f->subscription, c->subscription)
	       && has_id(f->request_id, c->request_id) && has_id(f->correlation, c->correlation) && has_id(f->trace_id, c->trace_id)
	       && has_id(f->key_prefix, c->key_prefix) && has_id(f->address, c->client_ip);
}

/* A block that is damaged hides only what is damaged. */
static void read_block(struct search *q, int64_t row, struct str records)
{
	struct telemetry_call call;
	bool damaged = false;

	q->n = 0;
	call_unpacker_begin(q->unpacker, records);
	for (; q->n < CALL_BLOCK_CALLS && call_unpacker_next(q->unpacker, &call, &damaged); row++) {
		struct str id = str_first(call.request_id, ID_MAX), trace = str_first(call.trace_id, ID_MAX);

		if (!fits(q, row, &call))
			continue;
		if (id.n)
			memcpy(q->ids[q->n], id.p, id.n);
		if (trace.n)
			memcpy(q->traces[q->n], trace.p, trace.n);
		call.request_id = (struct str){ q->ids[q->n], id.n };
		call.trace_id = (struct str){ q->traces[q->n], trace.n };
		q->found[q->n++] = (struct store_call){ row, call };
	}
	if (damaged)
		tell_damage(row);
}

/* Which blocks may have what is looked for; what finds fewest comes first. */
static sqlite3_stmt *blocks_of(struct store *s, const struct store_calls_filter *f, char status[STATUS_TEXT])
{
	const struct {
		enum call_seen kind;
		bool given;
		struct str value;
	} rows[] = {
		{ CALL_SEEN_REQUEST, f->request_id.p, f->request_id },
		{ CALL_SEEN_CORRELATION, f->correlation.p, f->correlation },
		{ CALL_SEEN_TRACE, f->trace_id.p, f->trace_id },
		{ CALL_SEEN_KEY, f->key_prefix.p, f->key_prefix },
		{ CALL_SEEN_ADDRESS, f->address.p, f->address },
		{ CALL_SEEN_SUBSCRIPTION, f->subscription.n, f->subscription },
		{ CALL_SEEN_STATUS, f->status && f->status != 2 && f->status / 100 != 2,
		  status_text((unsigned)(f->status < 10 ? f->status * 100 : f->status), f->status < 10, status) },
		{ CALL_SEEN_API, f->api.n && !f->from_us && !f->to_us, f->api },
	};
	struct str own = f->request_id.p ? f->request_id : f->trace_id;
	sqlite3_stmt *st;
	int64_t ms;

	if (call_id_time(own, &ms)) {
		st = sql_use(s, SQL_CALL_BLOCKS_OF_ID);
		bind_int(st, 4, f->request_id.p ? CALL_SEEN_REQUEST : CALL_SEEN_TRACE);
		bind_str(st, 5, own);
		bind_int(st, 6, ms * 1000);
		return st;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].given) {
			st = sql_use(s, SQL_CALL_BLOCKS_SEEN);
			bind_int(st, 4, rows[i].kind);
			bind_str(st, 5, rows[i].value);
			return st;
		}
	return sql_use(s, SQL_CALL_BLOCKS);
}

static gh_rc each_block(struct store *s, struct search *q, sqlite3_stmt *st, call_blocks_fn each, void *ctx, struct gh_err *err)
{
	bool row;
	gh_rc rc;

	while (rc = sql_step(s, st, &row, err), !rc.code && row) {
		read_block(q, sqlite3_column_int64(st, 0),
			   (struct str){ sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1) });
		if (q->n && !each(ctx, q->found, q->n))
			break;
	}
	sqlite3_reset(st);
	return rc;
}

static struct search *search_new(const struct store_calls_filter *f)
{
	struct search *q = malloc(sizeof(*q));

	if (q && !(q->unpacker = call_unpacker_new())) {
		free(q);
		return NULL;
	}
	if (!q)
		return NULL;
	q->f = f;
	q->from_status = f->status > 0 && f->status < 10 ? f->status * 100 : f->status;
	q->to_status = f->status > 0 && f->status < 10 ? f->status * 100 + 99 : f->status ? f->status : 999;
	return q;
}

static void search_free(struct search *q)
{
	call_unpacker_free(q->unpacker);
	free(q);
}

gh_rc call_blocks_find(struct store *s, const struct store_calls_filter *f, call_blocks_fn each, void *ctx, struct gh_err *err)
{
	struct search *q = search_new(f);
	char status[STATUS_TEXT];
	sqlite3_stmt *st;
	gh_rc rc;

	if (!q)
		FAIL(err, NOMEM, "no memory for calls");
	st = blocks_of(s, f, status);
	bind_int(st, 1, f->after_row);
	bind_int(st, 2, f->from_us);
	bind_int(st, 3, f->to_us ? f->to_us : INT64_MAX);
	bind_int(st, 7, f->before_row ? f->before_row : INT64_MAX);
	rc = each_block(s, q, st, each, ctx, err);
	search_free(q);
	return rc;
}

gh_rc call_blocks_at(struct store *s, int64_t row, call_blocks_fn each, void *ctx, struct gh_err *err)
{
	const struct store_calls_filter f = { .after_row = row - 1 };
	struct search *q = search_new(&f);
	sqlite3_stmt *st;
	gh_rc rc;

	if (!q)
		FAIL(err, NOMEM, "no memory for calls");
	st = sql_use(s, SQL_CALL_BLOCK_AT);
	bind_int(st, 1, row);
	rc = each_block(s, q, st, each, ctx, err);
	search_free(q);
	return rc;
}
