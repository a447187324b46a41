/* telemetry.c - what the keeper writes: calls, totals, and how far it has read.
 *
 * A drain is a transaction of telemetry.db alone: it begins deferred and touches no table of the configuration, so it
 * neither waits for an administrator's change nor holds one up. */
#include "db/telemetry.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/sql.h"

enum { ROW_BYTES = 150, MINUTE_S = 60, HOUR_S = 3600 };

/* ---- the transaction ------------------------------------------------------------------------------------------------------ */

GH_RC store_drain_begin(struct store *s, struct gh_err *err)
{
	if (s->mode == STORE_READ)
		FAIL(err, UNAVAILABLE, "the store was opened for reading only");
	if (s->in_tx || s->in_read)
		FAIL(err, INTERNAL, "a drain begins inside another transaction");
	TRY(sql_exec(s, "BEGIN", "beginning a drain", err));
	s->in_read = true;                           /* store_read_end rolls back */
	s->drained_bytes = 0;
	return GH_RC_OK;
}

static gh_rc add_to_total(struct store *s, int64_t bytes, int64_t dropped, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CALL_TOTAL_ADD);

	bind_int(st, 1, bytes);
	bind_int(st, 2, dropped);
	return sql_done(s, st, err);
}

GH_RC store_drain_end(struct store *s, gh_rc so_far, struct gh_err *err)
{
	if (!so_far.code && s->drained_bytes)
		so_far = add_to_total(s, s->drained_bytes, 0, err);
	if (!so_far.code)
		so_far = sql_exec(s, "COMMIT", "storing calls", err);
	if (so_far.code)
		store_read_end(s);
	s->in_read = false;
	return so_far;
}

GH_RC store_drain_call(struct store *s, const struct telemetry_call *call, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CALL_ADD);
	int64_t bytes = ROW_BYTES;
	int at = 3;

#define X(name, max) bytes += (int64_t)call->name.n;
	TELEMETRY_TEXTS(X)
#undef X
	bind_int(st, 1, bytes);
	bind_int(st, 2, call->started_us);
#define X(type, name) bind_int(st, at++, (int64_t)call->name);
	TELEMETRY_NUMBERS(X)
#undef X
#define X(name, max) bind_str(st, at++, call->name);
	TELEMETRY_TEXTS(X)
#undef X
	TRY(sql_done(s, st, err));
	s->drained_bytes += bytes;
	return GH_RC_OK;
}

/* ---- totals ------------------------------------------------------------------------------------------------------------------ */

static void bind_place(sqlite3_stmt *st, int64_t period_s, const struct store_minute *m)
{
	const struct str *dimensions[] = { &m->environment, &m->api, &m->operation, &m->product, &m->subscription,
					   &m->application, &m->backend };

	bind_int(st, 1, period_s);
	bind_int(st, 2, m->minute * MINUTE_S / period_s * period_s);
	for (int i = 0; i < (int)ARRAY_LEN(dimensions); i++)
		bind_str(st, 3 + i, *dimensions[i]);
}

static void bind_sums(sqlite3_stmt *st, int at, const struct store_traffic *t)
{
	const int64_t sums[] = { t->calls, t->refused, t->client_errors, t->gateway_errors, t->backend_errors, t->status_class[0],
				 t->status_class[1], t->status_class[2], t->status_class[3], t->status_class[4],
				 t->status_class[5], t->bytes_in, t->bytes_out, t->gateway_us, t->backend_us, t->total_us };

	for (int i = 0; i < (int)ARRAY_LEN(sums); i++)
		bind_int(st, at + i, sums[i]);
}

/* The histogram of the row together with the one that is there. */
static gh_rc merged_latency(struct store *s, struct arena *a, int64_t period_s, const struct store_minute *m, struct str *packed,
			    struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_TRAFFIC_LATENCY);
	struct latency sum = { 0 };
	bool row, ok = latency_merge(&sum, a, &m->add.latency);

	bind_place(st, period_s, m);
	TRY(sql_step(s, st, &row, err));
	if (row) {
		struct str there = { sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0) };

		ok = ok && latency_unpack(&sum, a, there);
		sqlite3_reset(st);
	}
	*packed = ok ? latency_pack(&sum, a) : STR_NULL;
	if (!packed->p)
		FAIL(err, NOMEM, "a histogram is damaged or too large");
	return GH_RC_OK;
}

GH_RC store_drain_minute(struct store *s, const struct store_minute *m, struct gh_err *err)
{
	static const int64_t periods[] = { MINUTE_S, HOUR_S };
	struct arena *a = arena_new(1 << 20);
	gh_rc rc = GH_RC_OK;

	if (!a)
		FAIL(err, NOMEM, "no memory for a histogram");
	for (size_t i = 0; i < ARRAY_LEN(periods) && !rc.code; i++) {
		struct str packed;
		sqlite3_stmt *st;

		rc = merged_latency(s, a, periods[i], m, &packed, err);
		if (rc.code)
			break;
		st = sql_use(s, SQL_TRAFFIC_ADD);
		bind_place(st, periods[i], m);
		bind_sums(st, 10, &m->add);
		bind_blob(st, 26, packed);
		rc = sql_done(s, st, err);
	}
	arena_free(a);
	return rc;
}

/* ---- segments ---------------------------------------------------------------------------------------------------------------- */

GH_RC store_segment_find(struct store *s, struct str name, uint64_t *offset, uint64_t *dropped, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SEGMENT_GET);

	bind_str(st, 1, name);
	TRY(sql_step(s, st, found, err));
	*offset = *found ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
	*dropped = *found ? (uint64_t)sqlite3_column_int64(st, 1) : 0;
	if (*found)
		sqlite3_reset(st);
	return GH_RC_OK;
}

GH_RC store_drain_segment(struct store *s, struct str name, uint64_t offset, uint64_t dropped, struct gh_err *err)
{
	uint64_t before, dropped_before;
	sqlite3_stmt *st;
	bool found;

	TRY(store_segment_find(s, name, &before, &dropped_before, &found, err));
	if (dropped > dropped_before)
		TRY(add_to_total(s, 0, (int64_t)(dropped - dropped_before), err));
	st = sql_use(s, SQL_SEGMENT_SET);
	bind_str(st, 1, name);
	bind_int(st, 2, (int64_t)offset);
	bind_int(st, 3, (int64_t)(dropped > dropped_before ? dropped : dropped_before));
	return sql_done(s, st, err);
}

GH_RC store_drain_forget(struct store *s, struct str name, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SEGMENT_DROP);

	bind_str(st, 1, name);
	return sql_done(s, st, err);
}

GH_RC store_segments(struct store *s, struct arena *a, struct str **out, size_t *n, struct gh_err *err)
{
	static const struct field fields[] = { { "name", FIELD_TEXT, 0 } };
	static const struct row_type type = { "segment", fields, 1, sizeof(struct str) };

	return list_rows(s, sql_use(s, SQL_SEGMENT_ALL), &type, a, out, n, err);
}

/* ---- upkeep ------------------------------------------------------------------------------------------------------------------ */

/* The oldest rows that are before before_us, at most max_rows of them. */
static gh_rc drop_calls(struct store *s, int64_t before_us, size_t max_rows, bool *more, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CALL_OLD_BYTES);
	int64_t n, bytes;
	bool row;

	bind_int(st, 1, (int64_t)max_rows);
	bind_int(st, 2, before_us);
	TRY(sql_step(s, st, &row, err));
	n = sqlite3_column_int64(st, 0);
	bytes = sqlite3_column_int64(st, 1);
	sqlite3_reset(st);
	if (!n)
		return GH_RC_OK;
	st = sql_use(s, SQL_CALL_OLD_DROP);
	bind_int(st, 1, (int64_t)max_rows);
	bind_int(st, 2, before_us);
	TRY(sql_done(s, st, err));
	*more |= n == (int64_t)max_rows;
	return add_to_total(s, -bytes, 0, err);
}

static gh_rc drop_minutes(struct store *s, int64_t before_us, size_t max_rows, bool *more, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_TRAFFIC_OLD_DROP);

	bind_int(st, 1, before_us / 1000000);
	bind_int(st, 2, (int64_t)max_rows);
	TRY(sql_done(s, st, err));
	*more |= sqlite3_changes(s->db) == (int)max_rows;
	return GH_RC_OK;
}

static gh_rc prune(struct store *s, const struct store_retention *r, bool *more, struct gh_err *err)
{
	size_t max_rows = r->max_rows ? r->max_rows : 1000;
	struct store_telemetry_stats stats;

	if (r->raw_before_us)
		TRY(drop_calls(s, r->raw_before_us, max_rows, more, err));
	if (r->minutes_before_us)
		TRY(drop_minutes(s, r->minutes_before_us, max_rows, more, err));
	TRY(store_telemetry_stats(s, &stats, err));
	if (r->raw_bytes && stats.raw_bytes > r->raw_bytes)
		TRY(drop_calls(s, INT64_MAX, max_rows, more, err));
	return GH_RC_OK;
}

GH_RC store_telemetry_prune(struct store *s, const struct store_retention *r, bool *more, struct gh_err *err)
{
	*more = false;
	TRY(store_drain_begin(s, err));
	return store_drain_end(s, prune(s, r, more, err), err);
}

GH_RC store_telemetry_stats(struct store *s, struct store_telemetry_stats *out, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CALL_TOTAL_GET);
	bool row;

	*out = (struct store_telemetry_stats){ 0 };
	TRY(sql_step(s, st, &row, err));
	out->raw_bytes = row ? sqlite3_column_int64(st, 0) : 0;
	out->dropped = row ? sqlite3_column_int64(st, 1) : 0;
	if (row)
		sqlite3_reset(st);
	st = sql_use(s, SQL_CALL_ENDS);
	TRY(sql_step(s, st, &row, err));
	if (row && sqlite3_column_type(st, 0) != SQLITE_NULL) {
		out->calls = sqlite3_column_int64(st, 1) - sqlite3_column_int64(st, 0) + 1;
		out->first_call_us = sqlite3_column_int64(st, 2);
		out->last_call_us = sqlite3_column_int64(st, 3);
	}
	if (row)
		sqlite3_reset(st);
	return find_int(s, sql_use(s, SQL_TRAFFIC_COUNT), &out->minutes, NULL, err);
}
