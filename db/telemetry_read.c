/* telemetry_read.c - what pages, reports and the log ask of the calls. */
#include "db/telemetry.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/analytics.h"
#include "db/sql.h"

static const int64_t SECOND_US = 1000000;

enum { CALLS_DEFAULT = 100 };

double store_traffic_error_percent(const struct store_traffic *t)
{
	int64_t errors = t->client_errors + t->gateway_errors + t->backend_errors;

	return t->calls ? 100.0 * (double)errors / (double)t->calls : -1;
}

double store_traffic_hit_percent(const struct store_traffic *t)
{
	int64_t asked = t->cache_hits + t->cache_misses;

	return asked ? 100.0 * (double)t->cache_hits / (double)asked : -1;
}

struct traffic_kind traffic_kind(struct str status, struct str origin)
{
	bool backend = str_eq(origin, str_of(telemetry_origin_name(TELEMETRY_BY_BACKEND)))
		       || str_eq(origin, str_of(telemetry_origin_name(TELEMETRY_BACKEND_FAILED)));
	unsigned class = status.n == 3 && status.p[0] >= '1' && status.p[0] <= '5' ? (unsigned)(status.p[0] - '0') : 0;

	return (struct traffic_kind){ .class = (uint8_t)class,
				      .refused = class == 4 && str_eq(origin, str_of(telemetry_origin_name(TELEMETRY_BY_GATEWAY))),
				      .gateway_error = class == 5 && !backend, .backend_error = class == 5 && backend };
}

void traffic_add(struct store_traffic *t, struct traffic_kind kind, int64_t calls)
{
	t->calls += calls;
	t->status_class[kind.class] += calls;
	t->client_errors += kind.class == 4 ? calls : 0;
	t->refused += kind.refused ? calls : 0;
	t->gateway_errors += kind.gateway_error ? calls : 0;
	t->backend_errors += kind.backend_error ? calls : 0;
}

/* ---- totals ------------------------------------------------------------------------------------------------------------------ */

static struct analytics_query query_of(const struct store_traffic_filter *f)
{
	struct analytics_query q = { .latency = ANALYTICS_LATENCY, .limit = ANALYTICS_ROWS_MAX };

	if (!f)
		return q;
	q.from_us = f->from_us;
	q.to_us = f->to_us;
	q.filter[ROLLUP_ENVIRONMENT] = f->environment;
	q.filter[ROLLUP_API] = f->api;
	q.filter[ROLLUP_OPERATION] = f->operation;
	q.filter[ROLLUP_PRODUCT] = f->product;
	q.filter[ROLLUP_SUBSCRIPTION] = f->subscription;
	q.filter[ROLLUP_APPLICATION] = f->application;
	q.filter[ROLLUP_BACKEND] = f->backend;
	return q;
}

GH_RC store_traffic(struct store *s, struct arena *a, enum store_traffic_by by, const struct store_traffic_filter *f,
		    struct store_traffic_row **out, size_t *n, struct gh_err *err)
{
	static const enum rollup_dimension groups[STORE_TRAFFIC_BY__COUNT] = {
		[STORE_TRAFFIC_BY_ENVIRONMENT] = ROLLUP_ENVIRONMENT, [STORE_TRAFFIC_BY_API] = ROLLUP_API,
		[STORE_TRAFFIC_BY_OPERATION] = ROLLUP_OPERATION, [STORE_TRAFFIC_BY_PRODUCT] = ROLLUP_PRODUCT,
		[STORE_TRAFFIC_BY_SUBSCRIPTION] = ROLLUP_SUBSCRIPTION, [STORE_TRAFFIC_BY_APPLICATION] = ROLLUP_APPLICATION,
		[STORE_TRAFFIC_BY_BACKEND] = ROLLUP_BACKEND,
	};
	struct analytics_query q = query_of(f);
	struct analytics_result r;

	q.n_group = by != STORE_TRAFFIC_TOTAL;
	q.group[0] = groups[by];
	TRY(analytics_run(s, a, &q, &r, err));
	*n = by == STORE_TRAFFIC_TOTAL ? 1 : r.n;
	*out = arena_alloc(a, *n + 1, sizeof(**out));
	if (!*out)
		FAIL(err, NOMEM, "no memory for totals");
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = by == STORE_TRAFFIC_TOTAL ? (struct store_traffic_row){ STR(""), r.sum }
						      : (struct store_traffic_row){ r.groups[i].key[0], r.groups[i].sum };
	return GH_RC_OK;
}

GH_RC store_traffic_day(struct store *s, struct arena *a, struct store_traffic_row **out, size_t *n, struct gh_err *err)
{
	struct store_traffic_filter f = { .from_us = clock_wall_us() - ROLLUP_DAY_S * SECOND_US };

	return store_traffic(s, a, STORE_TRAFFIC_BY_API, &f, out, n, err);
}

GH_RC store_traffic_day_of(struct store *s, struct str api, struct store_traffic *out, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ROLLUP_CALLS_OF_API);
	gh_rc rc;
	bool row;

	*out = (struct store_traffic){ .calls = 0 };
	bind_str(st, 1, api);
	bind_int(st, 2, clock_wall_us() / SECOND_US / ROLLUP_HOUR_S * ROLLUP_HOUR_S - 23 * ROLLUP_HOUR_S);
	while (rc = sql_step(s, st, &row, err), !rc.code && row)
		traffic_add(out, traffic_kind(column_text(st, 0), column_text(st, 1)), sqlite3_column_int64(st, 2));
	return rc;
}

GH_RC store_traffic_steps(struct store *s, struct arena *a, const struct store_traffic_filter *f, int64_t step_s,
			  struct store_traffic_step **out, size_t *n, struct gh_err *err)
{
	struct analytics_query q = query_of(f);
	struct analytics_result r;

	if (step_s < ROLLUP_MINUTE_S)
		FAIL(err, INVALID, "a step of %lld s is no number of whole minutes", (long long)step_s);
	q.latency = ANALYTICS_LATENCY_STEPS;
	q.step_s = step_s;
	TRY(analytics_run(s, a, &q, &r, err));
	*out = arena_alloc(a, r.n_steps, sizeof(**out));
	if (!*out)
		FAIL(err, NOMEM, "no memory for totals");
	for (size_t i = 0; i < r.n_steps; i++)
		(*out)[i] = (struct store_traffic_step){ r.first_us + (int64_t)i * step_s * SECOND_US, r.steps[i] };
	*n = r.n_steps;
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

/* By which index calls are found. */
static enum sql calls_statement(const struct store_calls_filter *f, struct str *id)
{
	const struct {
		struct str id;
		bool given;
		enum sql statement;
	} rows[] = {
		{ f->request_id, f->request_id.p, SQL_CALL_OF_REQUEST },      { f->correlation, f->correlation.p, SQL_CALL_OF_CORRELATION },
		{ f->trace_id, f->trace_id.p, SQL_CALL_OF_TRACE },            { f->key_prefix, f->key_prefix.p, SQL_CALL_OF_KEY },
		{ f->address, f->address.p, SQL_CALL_OF_ADDRESS },            { f->subscription, f->subscription.n, SQL_CALL_OF_SUBSCRIPTION },
		{ STR_NULL, f->from_us || f->to_us, SQL_CALL_IN_TIME },       { f->api, f->api.n, SQL_CALL_OF_API },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].given) {
			*id = rows[i].id;
			return rows[i].statement;
		}
	return SQL_CALL_LIST;
}

static void bind_calls_to(sqlite3_stmt *st, const struct store_calls_filter *f, size_t limit)
{
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
}

static sqlite3_stmt *bind_calls(struct store *s, const struct store_calls_filter *f, size_t limit)
{
	struct str id = STR_NULL;
	sqlite3_stmt *st = sql_use(s, calls_statement(f, &id));

	bind_calls_to(st, f, limit);
	if (sqlite3_bind_parameter_count(st) == 9)
		bind_str(st, 9, id);
	return st;
}

static gh_rc read_calls(struct store *s, sqlite3_stmt *st, struct arena *a, size_t limit, struct store_call **out, size_t *n, struct gh_err *err)
{
	gh_rc rc = GH_RC_OK;
	bool row;

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
	return GH_RC_OK;
}

GH_RC store_calls(struct store *s, struct arena *a, const struct store_calls_filter *f, struct store_call **out, size_t *n,
		  struct gh_err *err)
{
	size_t limit = f->limit ? f->limit : CALLS_DEFAULT;

	if (limit > STORE_LIST_MAX)
		limit = STORE_LIST_MAX;
	TRY(read_calls(s, bind_calls(s, f, limit), a, limit, out, n, err));
	for (size_t i = 0; i < *n / 2; i++) {        /* newest first were read: oldest first are wanted */
		struct store_call swap = (*out)[i];

		(*out)[i] = (*out)[*n - 1 - i];
		(*out)[*n - 1 - i] = swap;
	}
	return GH_RC_OK;
}

GH_RC store_call_at(struct store *s, struct arena *a, int64_t row, struct store_call **out, size_t *n, struct gh_err *err)
{
	static const struct store_calls_filter any;
	sqlite3_stmt *st = sql_use(s, SQL_CALL_AT);

	bind_calls_to(st, &any, 1);
	bind_int(st, 9, row);
	return read_calls(s, st, a, 1, out, n, err);
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
