/* telemetry_read.c - what pages, reports and the log ask of the calls. */
#include "db/telemetry.h"

#include "core/clock.h"
#include "core/map.h"
#include "core/str.h"
#include "db/sql.h"

#include <stdlib.h>

static const int64_t SECOND_US = 1000000, MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400;

enum { CALLS_DEFAULT = 100, STEPS_MAX = 100000 };

double store_traffic_error_percent(const struct store_traffic *t)
{
	int64_t errors = t->client_errors + t->gateway_errors + t->backend_errors;

	return t->calls ? 100.0 * (double)errors / (double)t->calls : -1;
}

/* ---- totals ------------------------------------------------------------------------------------------------------------------ */

/* Columns of TRAFFIC_ROWS. */
enum { COLUMN_START = 7, COLUMN_PERIOD, COLUMN_LATENCY, COLUMN_CALLS };

static bool add_row(sqlite3_stmt *st, struct arena *a, struct store_traffic *t)
{
	int64_t *const sums[] = { &t->calls, &t->refused, &t->client_errors, &t->gateway_errors, &t->backend_errors,
				  &t->status_class[0], &t->status_class[1], &t->status_class[2], &t->status_class[3],
				  &t->status_class[4], &t->status_class[5], &t->bytes_in, &t->bytes_out, &t->gateway_us,
				  &t->backend_us, &t->total_us };
	struct str latency = { sqlite3_column_blob(st, COLUMN_LATENCY), (size_t)sqlite3_column_bytes(st, COLUMN_LATENCY) };
	int64_t last = (sqlite3_column_int64(st, COLUMN_START) + sqlite3_column_int64(st, COLUMN_PERIOD) - MINUTE_S) * SECOND_US;

	for (int i = 0; i < (int)ARRAY_LEN(sums); i++)
		*sums[i] += sqlite3_column_int64(st, COLUMN_CALLS + i);
	if (last > t->last_call_us)
		t->last_call_us = last;
	return latency_unpack(&t->latency, a, latency);
}

static struct str dimension(sqlite3_stmt *st, int column)
{
	return (struct str){ (const char *)sqlite3_column_text(st, column), (size_t)sqlite3_column_bytes(st, column) };
}

/* Whoever sums up rows: gets each one. */
typedef gh_rc (*row_fn)(sqlite3_stmt *st, void *arg, struct gh_err *err);

static gh_rc rows_of(struct store *s, const struct store_traffic_filter *f, int64_t period_s, int64_t from_s, int64_t to_s,
		     row_fn each, void *arg, struct gh_err *err)
{
	const struct str *narrow[] = { &f->environment, &f->api, &f->operation, &f->product, &f->subscription, &f->application,
				       &f->backend };
	sqlite3_stmt *st = sql_use(s, f->subscription.n ? SQL_TRAFFIC_ROWS_SUBSCRIPTION : f->api.n ? SQL_TRAFFIC_ROWS_API : SQL_TRAFFIC_ROWS);
	gh_rc rc;
	bool row;

	if (from_s >= to_s)
		return GH_RC_OK;
	bind_int(st, 1, period_s);
	bind_int(st, 2, from_s);
	bind_int(st, 3, to_s);
	for (int i = 0; i < (int)ARRAY_LEN(narrow); i++)
		if (narrow[i]->p)
			bind_str(st, 4 + i, *narrow[i]);
	while (rc = sql_step(s, st, &row, err), !rc.code && row) {
		rc = each(st, arg, err);
		if (rc.code)
			break;
	}
	sqlite3_reset(st);
	return rc;
}

static int64_t round_up(int64_t v, int64_t step)
{
	return (v + step - 1) / step * step;
}

/* Whole hours from the hourly totals, what is before and behind them from those per minute. Returns how many parts. */
struct part {
	int64_t period_s, from_s, to_s;
};
static size_t parts_of(int64_t from_us, int64_t to_us, struct part out[3])
{
	int64_t from = round_up(from_us / SECOND_US, MINUTE_S);
	int64_t to = round_up((to_us ? to_us : clock_wall_us() + MINUTE_S * SECOND_US) / SECOND_US, MINUTE_S);
	int64_t hours_from = round_up(from, HOUR_S), hours_to = to / HOUR_S * HOUR_S;

	if (hours_from >= hours_to) {
		out[0] = (struct part){ MINUTE_S, from, to };
		return 1;
	}
	out[0] = (struct part){ MINUTE_S, from, hours_from };
	out[1] = (struct part){ HOUR_S, hours_from, hours_to };
	out[2] = (struct part){ MINUTE_S, hours_to, to };
	return 3;
}

static gh_rc all_rows(struct store *s, const struct store_traffic_filter *f, row_fn each, void *arg, struct gh_err *err)
{
	struct part parts[3];
	size_t n = parts_of(f->from_us, f->to_us, parts);

	for (size_t i = 0; i < n; i++)
		TRY(rows_of(s, f, parts[i].period_s, parts[i].from_s, parts[i].to_s, each, arg, err));
	return GH_RC_OK;
}

struct grouping {
	struct arena *arena;
	struct map rows;
	enum store_traffic_by by;
};

static gh_rc add_to_group(sqlite3_stmt *st, void *arg, struct gh_err *err)
{
	/* of TRAFFIC_ROWS, by enum store_traffic_by */
	static const int columns[] = { -1, 0, 1, 2, 3, 4, 5, 6 };
	struct grouping *g = arg;
	struct str id = columns[g->by] < 0 ? STR("") : dimension(st, columns[g->by]);
	struct store_traffic_row *row = map_get(&g->rows, id);

	if (!row) {
		row = arena_new_of(g->arena, struct store_traffic_row);
		if (row)
			row->id = arena_dup(g->arena, id);
		if (!row || !row->id.p || !map_put(&g->rows, row->id, row))
			FAIL(err, NOMEM, "no memory for totals");
	}
	if (!add_row(st, g->arena, &row->traffic))
		FAIL(err, NOMEM, "totals are damaged or too large");
	return GH_RC_OK;
}

static int by_calls(const void *x, const void *y)
{
	const struct store_traffic_row *a = x, *b = y;
	int c = (a->traffic.calls < b->traffic.calls) - (a->traffic.calls > b->traffic.calls);

	return c ? c : str_cmp(a->id, b->id);
}

GH_RC store_traffic(struct store *s, struct arena *a, enum store_traffic_by by, const struct store_traffic_filter *f,
		    struct store_traffic_row **out, size_t *n, struct gh_err *err)
{
	static const struct store_traffic_filter none;
	struct grouping g = { .arena = a, .by = by };
	const struct map_slot *slot;
	size_t at = 0;

	map_init(&g.rows, a, false);
	TRY(all_rows(s, f ? f : &none, add_to_group, &g, err));
	*out = arena_alloc(a, g.rows.n + 1, sizeof(**out));
	*n = 0;
	if (!*out)
		FAIL(err, NOMEM, "no memory for totals");
	while ((slot = map_next(&g.rows, &at)))
		(*out)[(*n)++] = *(struct store_traffic_row *)slot->value;
	if (!*n && by == STORE_TRAFFIC_TOTAL)
		(*out)[(*n)++].id = STR("");
	qsort(*out, *n, sizeof(**out), by_calls);
	return GH_RC_OK;
}

GH_RC store_traffic_day(struct store *s, struct arena *a, struct store_traffic_row **out, size_t *n, struct gh_err *err)
{
	struct store_traffic_filter f = { .from_us = clock_wall_us() - DAY_S * SECOND_US };

	return store_traffic(s, a, STORE_TRAFFIC_BY_API, &f, out, n, err);
}

GH_RC store_traffic_day_of(struct store *s, struct str api, struct store_traffic *out, struct gh_err *err)
{
	struct part parts[3];
	size_t n = parts_of(clock_wall_us() - DAY_S * SECOND_US, 0, parts);

	*out = (struct store_traffic){ .calls = 0 };
	for (size_t i = 0; i < n; i++) {
		sqlite3_stmt *st = sql_use(s, SQL_TRAFFIC_SUM_API);
		bool row;

		bind_str(st, 1, api);
		bind_int(st, 2, parts[i].period_s);
		bind_int(st, 3, parts[i].from_s);
		bind_int(st, 4, parts[i].to_s);
		TRY(sql_step(s, st, &row, err));
		if (row) {
			out->calls += sqlite3_column_int64(st, 0);
			out->client_errors += sqlite3_column_int64(st, 1);
			out->gateway_errors += sqlite3_column_int64(st, 2);
			out->backend_errors += sqlite3_column_int64(st, 3);
		}
		sqlite3_reset(st);
	}
	return GH_RC_OK;
}

struct stepping {
	struct arena *arena;
	struct store_traffic_step *steps;
	size_t n;
	int64_t first_s, step_s;
};

static gh_rc add_to_step(sqlite3_stmt *st, void *arg, struct gh_err *err)
{
	struct stepping *p = arg;
	int64_t at = (sqlite3_column_int64(st, COLUMN_START) - p->first_s) / p->step_s;

	if (at >= 0 && (size_t)at < p->n && !add_row(st, p->arena, &p->steps[at].traffic))
		FAIL(err, NOMEM, "totals are damaged or too large");
	return GH_RC_OK;
}

GH_RC store_traffic_steps(struct store *s, struct arena *a, const struct store_traffic_filter *f, int64_t step_s,
			  struct store_traffic_step **out, size_t *n, struct gh_err *err)
{
	int64_t to_us = f->to_us ? f->to_us : clock_wall_us() + MINUTE_S * SECOND_US, to;
	struct stepping p = { .arena = a, .step_s = step_s };

	if (step_s < MINUTE_S || step_s % MINUTE_S)
		FAIL(err, INVALID, "a step of %lld s is no number of whole minutes", (long long)step_s);
	p.first_s = f->from_us / SECOND_US / step_s * step_s;
	to = round_up(to_us / SECOND_US, step_s);
	p.n = to > p.first_s ? (size_t)((to - p.first_s) / step_s) : 0;
	if (p.n > STEPS_MAX)
		FAIL(err, LIMIT, "more than %d steps", STEPS_MAX);
	p.steps = arena_alloc(a, p.n, sizeof(*p.steps));
	if (!p.steps)
		FAIL(err, NOMEM, "no memory for totals");
	for (size_t i = 0; i < p.n; i++)
		p.steps[i].start_us = (p.first_s + (int64_t)i * step_s) * SECOND_US;
	TRY(rows_of(s, f, step_s % HOUR_S ? MINUTE_S : HOUR_S, p.first_s, to, add_to_step, &p, err));
	*out = p.steps;
	*n = p.n;
	return GH_RC_OK;
}

/* ---- single calls ------------------------------------------------------------------------------------------------------------- */

static bool read_call(sqlite3_stmt *st, struct arena *a, struct store_call *out)
{
	bool ok = true;
	int at = 2;

	out->row = sqlite3_column_int64(st, 0);
	out->call.started_us = sqlite3_column_int64(st, 1);
#define X(type, name) out->call.name = (type)sqlite3_column_int64(st, at++);
	TELEMETRY_NUMBERS(X)
#undef X
#define X(name, max) out->call.name = column_str(st, at++, a, &ok);
	TELEMETRY_TEXTS(X)
#undef X
	return ok;
}

static sqlite3_stmt *bind_calls(struct store *s, const struct store_calls_filter *f, size_t limit)
{
	struct str id = f->request_id.p ? f->request_id : f->correlation.p ? f->correlation : f->trace_id.p ? f->trace_id : f->subscription;
	sqlite3_stmt *st = sql_use(s, f->request_id.p		     ? SQL_CALL_OF_REQUEST
				      : f->correlation.p	     ? SQL_CALL_OF_CORRELATION
				      : f->trace_id.p		     ? SQL_CALL_OF_TRACE
				      : f->subscription.n	     ? SQL_CALL_OF_SUBSCRIPTION
								     : SQL_CALL_LIST);
	int from = f->status, to = f->status;

	if (f->status > 0 && f->status < 10) {
		from = f->status * 100;
		to = from + 99;
	}
	bind_int(st, 1, f->after_row);
	if (f->api.p)
		bind_str(st, 2, f->api);
	if (f->subscription.p)
		bind_str(st, 3, f->subscription);
	bind_int(st, 4, from);
	bind_int(st, 5, f->status ? to : 999);
	bind_int(st, 6, f->from_us);
	bind_int(st, 7, f->to_us ? f->to_us : INT64_MAX);
	bind_int(st, 8, (int64_t)limit);
	if (sqlite3_bind_parameter_count(st) == 9)
		bind_str(st, 9, id);
	return st;
}

GH_RC store_calls(struct store *s, struct arena *a, const struct store_calls_filter *f, struct store_call **out, size_t *n,
		  struct gh_err *err)
{
	size_t limit = f->limit ? f->limit : CALLS_DEFAULT;
	sqlite3_stmt *st = bind_calls(s, f, limit);
	gh_rc rc = GH_RC_OK;
	bool row;

	if (limit > STORE_LIST_MAX)
		limit = STORE_LIST_MAX;
	*out = arena_alloc(a, limit, sizeof(**out));
	*n = 0;
	while (*out && *n < limit) {
		rc = sql_step(s, st, &row, err);
		if (rc.code || !row)
			break;
		if (!read_call(st, a, &(*out)[(*n)++]))
			*out = NULL;
	}
	sqlite3_reset(st);
	if (rc.code)
		return rc;
	if (!*out)
		FAIL(err, NOMEM, "no memory for %zu calls", limit);
	for (size_t i = 0; i < *n / 2; i++) {        /* newest first were read: oldest first are wanted */
		struct store_call swap = (*out)[i];

		(*out)[i] = (*out)[*n - 1 - i];
		(*out)[*n - 1 - i] = swap;
	}
	return GH_RC_OK;
}

static const struct field reason_fields[] = {
	FIELD(store_reason, TEXT, reason), FIELD(store_reason, INT, status), FIELD(store_reason, INT, calls),
	FIELD(store_reason, TIME, last_us),
};
static const struct row_type reason_type = ROW_TYPE("reason", store_reason, reason_fields);

GH_RC store_call_reasons(struct store *s, struct arena *a, struct str subscription, int64_t from_us, size_t most,
			 struct store_reason **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CALL_REASONS);

	bind_str(st, 1, subscription);
	bind_int(st, 2, from_us);
	bind_int(st, 3, (int64_t)most);
	return list_rows(s, st, &reason_type, a, out, n, err);
}
