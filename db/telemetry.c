/* telemetry.c - what the keeper writes: calls, totals, and how far it has read.
 *
 * A drain is a transaction of telemetry.db alone: it begins deferred and touches no table of the configuration, so it
 * neither waits for an administrator's change nor holds one up. */
#include "db/telemetry.h"

#include "core/clock.h"
#include "db/call_block.h"
#include "db/rollup.h"
#include "db/sql.h"

/* ---- the transaction ------------------------------------------------------------------------------------------------------ */

GH_RC store_drain_begin(struct store *s, struct gh_err *err)
{
	if (s->mode == STORE_READ)
		FAIL(err, UNAVAILABLE, "the store was opened for reading only");
	if (s->in_tx || s->in_read)
		FAIL(err, INTERNAL, "a drain begins inside another transaction");
	TRY(call_blocks_begin(s, err));
	TRY(sql_exec(s, "BEGIN", "beginning a drain", err));
	s->in_read = true;                           /* store_read_end rolls back */
	s->full = false;
	return GH_RC_OK;
}

GH_RC store_drain_end(struct store *s, gh_rc so_far, struct gh_err *err)
{
	if (!so_far.code)
		so_far = call_blocks_write(s, err);
	if (!so_far.code)
		so_far = sql_exec(s, "COMMIT", "storing calls", err);
	if (so_far.code)
		store_read_end(s);
	s->in_read = false;
	return so_far;
}

GH_RC store_drain_call(struct store *s, const struct telemetry_call *call, struct gh_err *err)
{
	return call_blocks_add(s, call, err);
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
	if (dropped > dropped_before) {
		st = sql_use(s, SQL_CALL_DROPPED_ADD);
		bind_int(st, 1, (int64_t)(dropped - dropped_before));
		TRY(sql_done(s, st, err));
	}
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

/* The oldest calls that are before before_us, at most max_rows of them. */
static gh_rc drop_calls(struct store *s, int64_t before_us, size_t max_rows, bool *more, struct gh_err *err)
{
	size_t gone;

	TRY(call_blocks_drop(s, before_us, max_rows, &gone, err));
	*more |= gone >= max_rows;
	return GH_RC_OK;
}

/* The oldest totals of that period. Their histograms first: a total without one is still right. */
static gh_rc drop_totals(struct store *s, int64_t period_s, int64_t before_us, size_t max_rows, bool *more, struct gh_err *err)
{
	static const enum sql drops[] = { SQL_LATENCY_OLD_DROP, SQL_ROLLUP_OLD_DROP };

	for (size_t i = 0; i < ARRAY_LEN(drops); i++) {
		sqlite3_stmt *st = sql_use(s, drops[i]);

		bind_int(st, 1, period_s);
		bind_int(st, 2, before_us / 1000000);
		bind_int(st, 3, (int64_t)max_rows);
		TRY(sql_done(s, st, err));
		*more |= sqlite3_changes(s->db) == (int)max_rows;
	}
	return GH_RC_OK;
}

/* Few rows: one a day for each API and environment. */
static gh_rc drop_api_days(struct store *s, int64_t before_us, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_API_DAY_OLD_DROP);

	bind_int(st, 1, before_us / 1000000);
	return sql_done(s, st, err);
}

/* So many of the calls, the oldest, hold about so many bytes; at least one, at most all of `most`. A step that is sized by what came in
 * would throw away the newest calls too when a lot came in at once. */
static size_t rows_of(const struct store_telemetry_stats *stats, int64_t excess, size_t most)
{
	double rows = stats->raw_bytes > 0 ? (double)stats->calls * (double)excess / (double)stats->raw_bytes + 1 : 1;

	return rows < (double)most ? (size_t)rows : most;
}

/* More is kept than the size that was set: the oldest single calls go first, then minutes, then hours; days stay. */
static gh_rc drop_for_size(struct store *s, const struct store_retention *r, size_t max_rows, bool *more, struct gh_err *err)
{
	static const int64_t periods[] = { ROLLUP_MINUTE_S, ROLLUP_HOUR_S };
	struct store_telemetry_stats stats;

	TRY(store_telemetry_sizes(s, &stats, err));
	if (r->raw_bytes && stats.raw_bytes > r->raw_bytes)
		return drop_calls(s, INT64_MAX, rows_of(&stats, stats.raw_bytes - r->raw_bytes, max_rows), more, err);
	if (r->bytes && stats.bytes > r->bytes && stats.calls)
		return drop_calls(s, INT64_MAX, rows_of(&stats, stats.bytes - r->bytes, max_rows), more, err);
	for (size_t i = 0; r->bytes && stats.bytes > r->bytes && i < ARRAY_LEN(periods); i++) {
		bool had_some = false;

		TRY(drop_totals(s, periods[i], INT64_MAX, max_rows, &had_some, err));
		if (had_some) {
			*more = true;
			break;
		}
	}
	return GH_RC_OK;
}

static gh_rc prune(struct store *s, const struct store_retention *r, bool *more, struct gh_err *err)
{
	const struct {
		int64_t period_s, before_us;
	} totals[] = { { ROLLUP_MINUTE_S, r->minutes_before_us }, { ROLLUP_HOUR_S, r->hours_before_us }, { ROLLUP_DAY_S, r->days_before_us } };
	size_t max_rows = r->max_rows ? r->max_rows : 1000;

	if (r->raw_before_us)
		TRY(drop_calls(s, r->raw_before_us, max_rows, more, err));
	for (size_t i = 0; i < ARRAY_LEN(totals); i++)
		if (totals[i].before_us)
			TRY(drop_totals(s, totals[i].period_s, totals[i].before_us, max_rows, more, err));
	if (r->days_before_us)
		TRY(drop_api_days(s, r->days_before_us, err));
	return drop_for_size(s, r, max_rows, more, err);
}

GH_RC store_telemetry_prune(struct store *s, const struct store_retention *r, bool *more, struct gh_err *err)
{
	*more = false;
	TRY(store_drain_begin(s, err));
	return store_drain_end(s, prune(s, r, more, err), err);
}

GH_RC store_telemetry_free(struct store *s, size_t max_rows, bool *none, struct gh_err *err)
{
	bool more = false;
	gh_rc rc;

	TRY(store_drain_begin(s, err));
	rc = drop_calls(s, INT64_MAX, max_rows, &more, err);
	*none = !more;
	return store_drain_end(s, rc, err);
}

bool store_is_full(const struct store *s)
{
	return s->full;
}

/* ---- how much there is -------------------------------------------------------------------------------------------------------- */

/* Pages that are free are used again: the file does not grow by what takes their place. */
static gh_rc bytes_used(struct store *s, int64_t *out, struct gh_err *err)
{
	int64_t pages, unused, each;

	TRY(find_int(s, sql_use(s, SQL_PAGES), &pages, NULL, err));
	TRY(find_int(s, sql_use(s, SQL_PAGES_FREE), &unused, NULL, err));
	TRY(find_int(s, sql_use(s, SQL_PAGE_BYTES), &each, NULL, err));
	*out = (pages - unused) * each;
	return GH_RC_OK;
}

GH_RC store_telemetry_sizes(struct store *s, struct store_telemetry_stats *out, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CALL_TOTAL_GET);
	bool row;

	*out = (struct store_telemetry_stats){ 0 };
	TRY(sql_step(s, st, &row, err));
	if (row) {
		out->raw_bytes = sqlite3_column_int64(st, 0);
		out->dropped = sqlite3_column_int64(st, 1);
		out->other_calls = sqlite3_column_int64(st, 2);
		out->calls = sqlite3_column_int64(st, 3);
		sqlite3_reset(st);
	}
	st = sql_use(s, SQL_CALL_ENDS);
	TRY(sql_step(s, st, &row, err));
	if (row && sqlite3_column_type(st, 0) != SQLITE_NULL) {
		out->first_call_us = sqlite3_column_int64(st, 0);
		out->last_call_us = sqlite3_column_int64(st, 1);
	}
	if (row)
		sqlite3_reset(st);
	return bytes_used(s, &out->bytes, err);
}

GH_RC store_telemetry_stats(struct store *s, struct store_telemetry_stats *out, struct gh_err *err)
{
	const struct {
		int64_t period_s, *rows;
	} totals[] = { { ROLLUP_MINUTE_S, &out->minutes }, { ROLLUP_HOUR_S, &out->hours }, { ROLLUP_DAY_S, &out->days } };

	TRY(store_telemetry_sizes(s, out, err));
	for (size_t i = 0; i < ARRAY_LEN(totals); i++) {
		sqlite3_stmt *st = sql_use(s, SQL_ROLLUP_COUNT);

		bind_int(st, 1, totals[i].period_s);
		TRY(find_int(s, st, totals[i].rows, NULL, err));
	}
	return find_int(s, sql_use(s, SQL_PLACE_COUNT), &out->places, NULL, err);
}

GH_RC store_size_note(struct store *s, int64_t now_us, struct gh_err *err)
{
	struct store_telemetry_stats stats;
	sqlite3_stmt *st;

	TRY(store_telemetry_sizes(s, &stats, err));
	st = sql_use(s, SQL_SIZE_SET);
	bind_int(st, 1, now_us / 1000000 / ROLLUP_DAY_S * ROLLUP_DAY_S);
	bind_int(st, 2, stats.bytes);
	bind_int(st, 3, stats.calls);
	return sql_done(s, st, err);
}

GH_RC store_sizes(struct store *s, struct arena *a, size_t days, struct store_size **out, size_t *n, struct gh_err *err)
{
	static const struct field fields[] = { FIELD(store_size, INT, day_us), FIELD(store_size, INT, bytes), FIELD(store_size, INT, calls) };
	static const struct row_type type = ROW_TYPE("size", store_size, fields);
	sqlite3_stmt *st = sql_use(s, SQL_SIZE_LIST);

	bind_int(st, 1, (int64_t)days);
	TRY(list_rows(s, st, &type, a, out, n, err));
	for (size_t i = 0; i < *n; i++)
		(*out)[i].day_us *= 1000000;
	return GH_RC_OK;
}

GH_RC store_growth(struct store *s, struct arena *a, int64_t *bytes_a_day, bool *known, struct gh_err *err)
{
	enum { DAYS = 7 };
	struct store_size *v;
	size_t n;

	TRY(store_sizes(s, a, DAYS + 1, &v, &n, err));
	*known = n > 1;
	*bytes_a_day = *known ? (v[0].bytes - v[n - 1].bytes) / ((v[0].day_us - v[n - 1].day_us) / (ROLLUP_DAY_S * INT64_C(1000000))) : 0;
	return GH_RC_OK;
}
