/* reports.c - what may be asked, and the reports that are one question each. Those that weigh days and hours: reports_hours.c. */
#include "db/reports.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/apis.h"
#include "db/reports_impl.h"

#include <stdlib.h>

static const int64_t SECOND_US = 1000000, MINUTE_US = 60000000;

const struct report_info report_infos[REPORT__COUNT] = {
	{ "traffic", "Traffic", "How many calls, from whom, how many failed, and how long did they take?", "24h", "No data: no call in this range." },
	{ "calls", "Calls per consumer and day", "How many calls does each consumer make a day?", "7d", "No data: no call in this range." },
	{ "latency", "Response times", "What is the response time of each operation, and is it us or the backend?", "24h",
	  "No data: no call in this range." },
	{ "exceeders", "Over their limit", "Who is over a limit again and again, when, by how much, and which limit would fit?", "14d",
	  "Nobody was over a limit again and again in this range: on three days at least, and on more than half of the days with calls." },
	{ "failures", "Failing backends", "Which backend fails most, and at what times?", "7d", "No backend was asked in this range." },
	{ "deprecated", "Use of deprecated versions", "Who still calls what is deprecated or retired?", "30d",
	  "Nobody called a deprecated or retired API in this range." },
};

bool report_find(struct str name, enum report_id *out)
{
	*out = REPORT_TRAFFIC;
	if (!name.n)
		return true;
	for (int i = 0; i < REPORT__COUNT; i++)
		if (str_eq(name, str_of(report_infos[i].name))) {
			*out = (enum report_id)i;
			return true;
		}
	return false;
}

/* ---- what is asked ---------------------------------------------------------------------------------------------------------- */

struct report_ask report_ask(enum report_id id)
{
	return (struct report_ask){ .id = id };
}

static gh_rc set_step(struct report_ask *ask, struct str value, struct gh_err *err)
{
	static const struct {
		struct str word;
		int64_t seconds;
	} words[] = { { STR_INIT("minute"), 60 }, { STR_INIT("hour"), 3600 }, { STR_INIT("day"), 86400 }, { STR_INIT("none"), 0 } };
	int64_t s;

	ask->step = value;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq(words[i].word, value)) {
			ask->q.step_s = words[i].seconds;
			return GH_RC_OK;
		}
	if (str_eq(value, STR("auto"))) {
		ask->q.step_s = -1;
		return GH_RC_OK;
	}
	if (!clock_parse_duration(value, &s) || s < 60)
		FAIL(err, INVALID, "step: \"%.*s\" is none of auto, none, minute, hour, day and a duration such as 15m", STR_ARG(str_first(value, 40)));
	ask->q.step_s = s;
	return GH_RC_OK;
}

static gh_rc set_group(struct report_ask *ask, struct str value, struct gh_err *err)
{
	struct str rest = value, one;

	ask->group = value;
	ask->q.n_group = 0;
	while (str_word(&rest, &one)) {
		enum rollup_dimension d;

		if (!rollup_dimension_of(one, &d))
			FAIL(err, INVALID, "group: \"%.*s\" is no dimension; there are environment, api, version, operation, product, subscription, "
			     "application, user, backend, status, reason, origin and address", STR_ARG(str_first(one, 40)));
		if (ask->q.n_group == ANALYTICS_GROUPS_MAX)
			FAIL(err, INVALID, "group: at most %d dimensions", ANALYTICS_GROUPS_MAX);
		for (size_t i = 0; i < ask->q.n_group; i++)
			if (ask->q.group[i] == d)
				FAIL(err, INVALID, "group: %s is named twice", rollup_dimension_name(d));
		ask->q.group[ask->q.n_group++] = d;
	}
	return GH_RC_OK;
}

/* Of these dimensions the values are known beforehand: another one is a slip, and "no data" would be no answer to it. */
static gh_rc check_filter(enum rollup_dimension d, struct str value, struct gh_err *err)
{
	static const struct {
		enum rollup_dimension dimension;
		const char *values;
		const char *more;
	} closed[] = {
		{ ROLLUP_STATUS, "1xx 2xx 3xx 4xx 5xx none (other)", "; single calls have codes: gatehouse log --status 503, the page Calls" },
		{ ROLLUP_ORIGIN, "gateway backend cache backend_failed client_gone (other)", "" },
		{ ROLLUP_ADDRESS, "loopback private link_local shared public_ipv4 public_ipv6 (other)", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(closed); i++) {
		struct str rest = str_of(closed[i].values), one;
		bool found = !value.n || closed[i].dimension != d;

		while (!found && str_word(&rest, &one))
			found = str_eq(one, value);
		if (!found)
			FAIL(err, INVALID, "%s: \"%.*s\" is none of %s%s", rollup_dimension_name(d), STR_ARG(str_first(value, 40)), closed[i].values,
			     closed[i].more);
	}
	return GH_RC_OK;
}

/* What a report does not know it must not seem to have heeded. */
static gh_rc check_takes(enum report_id id, struct str name, struct gh_err *err)
{
	static const struct {
		const char *name;
		unsigned reports;            /* bits by id */
	} rows[] = {
		{ "step", 1u << REPORT_TRAFFIC | 1u << REPORT_CALLS },
		{ "group", 1u << REPORT_TRAFFIC | 1u << REPORT_CALLS | 1u << REPORT_LATENCY | 1u << REPORT_EXCEEDERS },
		{ "compare", 1u << REPORT_TRAFFIC },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_eq(name, str_of(rows[i].name)) && !(rows[i].reports & 1u << id))
			FAIL(err, INVALID, "%s: the report %s has none", rows[i].name, report_infos[id].name);
	return GH_RC_OK;
}

GH_RC report_set(struct report_ask *ask, struct str name, struct str value, bool *known, struct gh_err *err)
{
	enum rollup_dimension d;
	int64_t from, to;
	uint64_t n;

	*known = true;
	if (value.n)
		TRY(check_takes(ask->id, name, err));
	if (rollup_dimension_of(name, &d)) {
		ask->q.filter[d] = value.p && !str_eq(value, STR("(none)")) ? value : STR("");
		return check_filter(d, ask->q.filter[d], err);
	}
	if (str_eq(name, STR("range"))) {
		ask->range = value;
		return analytics_range(value, clock_wall_us(), &from, &to, err);
	}
	if (str_eq(name, STR("step")))
		return set_step(ask, value, err);
	if (str_eq(name, STR("group")))
		return set_group(ask, value, err);
	if (str_eq(name, STR("compare"))) {
		ask->compare = str_eq(value, STR("yes"));
		if (!ask->compare && !str_eq(value, STR("no")) && value.n)
			FAIL(err, INVALID, "compare: yes or no");
		return GH_RC_OK;
	}
	if (str_eq(name, STR("limit"))) {
		if (!str_to_u64(value, ANALYTICS_ROWS_MAX, &n) || !n)
			FAIL(err, INVALID, "limit: a number from 1 to %d", ANALYTICS_ROWS_MAX);
		ask->q.limit = (size_t)n;
		return GH_RC_OK;
	}
	*known = false;
	return GH_RC_OK;
}

/* ---- measures ---------------------------------------------------------------------------------------------------------------- */

static double ms(int64_t us)
{
	return (double)us / 1000;
}

static struct table_value average(int64_t us, int64_t calls)
{
	return calls ? table_real(ms(us) / (double)calls) : (struct table_value){ .none = true };
}

static struct table_value percent(double v)
{
	return v >= 0 ? table_real(v) : (struct table_value){ .none = true };
}

static struct table_value quantile(const struct latency *l, double q)
{
	return l->n ? table_real(ms((int64_t)latency_quantile(l, q))) : (struct table_value){ .none = true };
}

void report_measure_columns(struct table *t)
{
	static const struct table_column columns[] = {
		{ "calls", "Calls", TABLE_COUNT },
		{ "served", "Served", TABLE_COUNT },
		{ "refused", "Refused", TABLE_COUNT },
		{ "clientErrors", "4xx", TABLE_COUNT, true },
		{ "gatewayErrors", "5xx of the gateway", TABLE_COUNT },
		{ "backendErrors", "5xx of the backend", TABLE_COUNT },
		{ "errorPercent", "Errors, %", TABLE_PERCENT },
		{ "bytesIn", "Bytes in", TABLE_BYTES },
		{ "bytesOut", "Bytes out", TABLE_BYTES },
		{ "averageMs", "Average, ms", TABLE_MS },
		{ "p50Ms", "p50, ms", TABLE_MS },
		{ "p95Ms", "p95, ms", TABLE_MS },
		{ "p99Ms", "p99, ms", TABLE_MS },
		{ "gatewayAverageMs", "Gateway, ms", TABLE_MS },
		{ "gatewayP95Ms", "Gateway p95, ms", TABLE_MS, true },
		{ "backendAverageMs", "Backend, ms", TABLE_MS },
		{ "backendP95Ms", "Backend p95, ms", TABLE_MS, true },
		{ "backendCalls", "Calls at the backend", TABLE_COUNT, true },
		{ "attempts", "Tries", TABLE_COUNT, true },
		{ "cacheHits", "From the cache", TABLE_COUNT },
		{ "cacheMisses", "Not in the cache", TABLE_COUNT, true },
		{ "cacheHitPercent", "From the cache, %", TABLE_PERCENT },
		{ "backendBytesIn", "Bytes from the backend", TABLE_BYTES, true },
		{ "backendBytesOut", "Bytes to the backend", TABLE_BYTES, true },
		{ "firstByteMs", "First byte, ms", TABLE_MS, true },
		{ "dnsMs", "DNS, ms", TABLE_MS, true },
		{ "connectMs", "Connect, ms", TABLE_MS, true },
		{ "tlsMs", "TLS, ms", TABLE_MS, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		table_column(t, columns[i].name, columns[i].title, columns[i].kind);
		t->columns[t->n_columns - 1].detail = columns[i].detail;
	}
}

void report_measures(struct table_value *row, size_t at, const struct store_traffic *t)
{
	const struct table_value values[] = {
		table_count(t->calls), table_count(t->calls - t->refused), table_count(t->refused), table_count(t->client_errors),
		table_count(t->gateway_errors), table_count(t->backend_errors), table_real(store_traffic_error_percent(t)),
		table_count(t->bytes_in), table_count(t->bytes_out), average(t->total_us, t->calls),
		quantile(&t->latency, 0.5), quantile(&t->latency, 0.95), quantile(&t->latency, 0.99),
		average(t->gateway_us, t->calls), quantile(&t->gateway, 0.95),
		average(t->backend_us, t->backend_calls), quantile(&t->backend, 0.95),
		table_count(t->backend_calls), table_count(t->attempts), table_count(t->cache_hits),
		table_count(t->cache_misses), percent(store_traffic_hit_percent(t)),
		table_count(t->backend_bytes_in), table_count(t->backend_bytes_out),
		t->latency.n ? average(t->first_byte_us, t->backend_calls) : (struct table_value){ .none = true },
		average(t->dns_us, t->connects), average(t->connect_us, t->connects), average(t->tls_us, t->connects),
	};

	if (!row)
		return;
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		row[at + i] = values[i];
	for (size_t i = 1; !t->calls && i < ARRAY_LEN(values); i++)      /* "no data" is not zero */
		row[at + i] = (struct table_value){ .none = true };
}

/* ---- traffic ----------------------------------------------------------------------------------------------------------------- */

static void group_columns(struct table *t, const struct analytics_query *q)
{
	for (size_t i = 0; i < q->n_group; i++)
		table_column(t, rollup_dimension_name(q->group[i]), rollup_dimension_title(q->group[i]), TABLE_TEXT);
}

static void put_key(struct table_value *row, size_t at, const struct analytics_group *g, size_t n)
{
	for (size_t i = 0; row && i < n; i++)
		row[at + i] = table_text(g->key[i]);
}

static const struct analytics_group *same_group(const struct analytics_result *r, const struct analytics_group *g, size_t n)
{
	for (size_t i = 0; i < r->n; i++) {
		size_t k = 0;

		while (k < n && str_eq(r->groups[i].key[k], g->key[k]))
			k++;
		if (k == n)
			return &r->groups[i];
	}
	return NULL;
}

static void change_columns(struct table *t)
{
	table_column(t, "callsBefore", "Calls before", TABLE_COUNT);
	table_column(t, "changePercent", "Change, %", TABLE_PERCENT);
	table_column(t, "errorPercentBefore", "Errors before, %", TABLE_PERCENT);
	table_column(t, "averageMsBefore", "Average before, ms", TABLE_MS);
}

/* What it was before, and by how many percent the calls changed; none where there were none. */
static void put_change(struct table_value *row, size_t at, const struct store_traffic *now, const struct store_traffic *before)
{
	if (!row)
		return;
	row[at] = table_count(before ? before->calls : 0);
	if (!before || !before->calls)
		return;
	row[at + 1] = table_real(100.0 * (double)(now->calls - before->calls) / (double)before->calls);
	row[at + 2] = table_real(store_traffic_error_percent(before));
	row[at + 3] = average(before->total_us, before->calls);
}

static void traffic_rows(const struct report_ask *ask, struct report *out)
{
	const struct analytics_query *q = &ask->q;
	struct table *t = &out->table;
	bool by_time = q->step_s && !q->n_group;
	size_t at = by_time ? 1 : q->n_group, last;

	if (by_time)
		table_column(t, "time", "Time (UTC)", TABLE_TIME);
	group_columns(t, q);
	report_measure_columns(t);
	last = t->n_columns;
	if (ask->compare)
		change_columns(t);
	for (size_t i = 0; i < (by_time ? out->all.n_steps : q->n_group ? out->all.n : 1); i++) {
		const struct store_traffic *sum = by_time ? &out->all.steps[i] : q->n_group ? &out->all.groups[i].sum : &out->all.sum;
		struct table_value *row = table_row(t);

		if (row && by_time)
			row[0] = table_count(out->all.first_us + (int64_t)i * q->step_s * SECOND_US);
		if (q->n_group)
			put_key(row, 0, &out->all.groups[i], q->n_group);
		report_measures(row, at, sum);
		if (ask->compare && by_time)
			put_change(row, last, sum, i < out->before.n_steps ? &out->before.steps[i] : NULL);
		else if (ask->compare && q->n_group) {
			const struct analytics_group *b = same_group(&out->before, &out->all.groups[i], q->n_group);

			put_change(row, last, sum, b ? &b->sum : NULL);
		} else if (ask->compare) {
			put_change(row, last, sum, &out->before.sum);
		}
	}
}

static gh_rc traffic(struct store *s, struct arena *a, struct report_ask *ask, struct report *out, struct gh_err *err)
{
	if (ask->q.step_s < 0)
		TRY(analytics_step(s, ask->q.from_us, ask->q.to_us, &ask->q.step_s, err));
	ask->q.latency = ask->q.step_s && !ask->q.n_group ? ANALYTICS_LATENCY_STEPS : ANALYTICS_LATENCY;
	TRY(analytics_run(s, a, &ask->q, &out->all, err));
	if (ask->compare) {
		struct analytics_query q = analytics_before(&ask->q, &out->all);

		q.limit = ANALYTICS_ROWS_MAX;
		q.latency = ANALYTICS_NO_LATENCY;
		TRY(analytics_run(s, a, &q, &out->before, err));
	}
	traffic_rows(ask, out);
	out->n_all = ask->q.n_group ? out->all.n_all : out->table.n_rows;
	return GH_RC_OK;
}

/* ---- calls, latency ----------------------------------------------------------------------------------------------------------- */

static gh_rc calls(struct store *s, struct arena *a, struct report_ask *ask, struct report *out, struct gh_err *err)
{
	struct table *t = &out->table;

	if (ask->q.step_s <= 0)
		ask->q.step_s = ROLLUP_DAY_S;
	if (!ask->q.n_group)
		ask->q.group[ask->q.n_group++] = ROLLUP_SUBSCRIPTION;
	ask->q.group_steps = true;
	ask->q.from_us -= ask->q.from_us % (ask->q.step_s * SECOND_US);          /* a whole first day */
	TRY(analytics_run(s, a, &ask->q, &out->all, err));
	table_column(t, "time", ask->q.step_s % ROLLUP_DAY_S ? "Time (UTC)" : "Day", ask->q.step_s % ROLLUP_DAY_S ? TABLE_TIME : TABLE_DAY);
	group_columns(t, &ask->q);
	report_measure_columns(t);
	for (size_t g = 0; g < out->all.n; g++)
		for (size_t i = 0; i < out->all.n_steps; i++) {
			struct table_value *row = out->all.groups[g].steps[i].calls ? table_row(t) : NULL;

			if (!row)
				continue;
			row[0] = table_count(out->all.first_us + (int64_t)i * ask->q.step_s * SECOND_US);
			put_key(row, 1, &out->all.groups[g], ask->q.n_group);
			report_measures(row, 1 + ask->q.n_group, &out->all.groups[g].steps[i]);
		}
	out->n_all = out->all.n == out->all.n_all ? t->n_rows : t->n_rows + 1;
	return GH_RC_OK;
}

/* Whose time it is: of the typical slow call, and in words. */
static const char *whose(const struct store_traffic *t)
{
	double share = t->total_us ? (double)t->backend_us / (double)t->total_us : 0;

	return !t->backend_calls ? "gateway" : share >= 0.8 ? "backend" : share <= 0.2 ? "gateway" : "both";
}

static gh_rc latency(struct store *s, struct arena *a, struct report_ask *ask, struct report *out, struct gh_err *err)
{
	struct table *t = &out->table;
	size_t n;

	if (!ask->q.n_group) {
		ask->q.group[ask->q.n_group++] = ROLLUP_API;
		ask->q.group[ask->q.n_group++] = ROLLUP_OPERATION;
	}
	ask->q.step_s = 0;
	ask->q.latency = ANALYTICS_LATENCY;
	TRY(analytics_run(s, a, &ask->q, &out->all, err));
	group_columns(t, &ask->q);
	n = t->n_columns;
	table_column(t, "mostly", "Mostly", TABLE_TEXT);
	table_column(t, "backendSharePercent", "Share of the backend, %", TABLE_PERCENT);
	report_measure_columns(t);
	for (size_t i = 0; i < out->all.n; i++) {
		const struct store_traffic *sum = &out->all.groups[i].sum;
		struct table_value *row = table_row(t);

		put_key(row, 0, &out->all.groups[i], n);
		report_measures(row, n + 2, sum);
		if (!row)
			break;
		row[n] = table_text(str_of(whose(sum)));
		if (sum->total_us)
			row[n + 1] = table_real(100.0 * (double)sum->backend_us / (double)sum->total_us);
	}
	out->n_all = out->all.n_all;
	return GH_RC_OK;
}

/* ---- deprecated ---------------------------------------------------------------------------------------------------------------- */

/* The minute of the last call of a row, for the totals that it was found in may be of an hour or a day. */
static gh_rc find_last_call(struct store *s, struct arena *a, const struct report_ask *ask, const struct analytics_group *g, int64_t *us, struct gh_err *err)
{
	static const int64_t periods[] = { ROLLUP_HOUR_S, ROLLUP_MINUTE_S }, spans[] = { ROLLUP_DAY_S, ROLLUP_HOUR_S };
	struct analytics_query q = ask->q;
	struct analytics_result r;
	int64_t since_us;

	for (size_t i = 0; i < ask->q.n_group; i++)
		q.filter[ask->q.group[i]] = g->key[i];
	q.n_group = 0;
	q.calls_only = true;
	*us = g->sum.last_call_us;
	for (size_t i = 0; i < ARRAY_LEN(periods); i++) {
		q.from_us = *us - *us % (spans[i] * SECOND_US);
		q.to_us = q.from_us + spans[i] * SECOND_US;
		q.step_s = periods[i];
		TRY(analytics_kept_since(s, periods[i], q.from_us, &since_us, err));
		if (q.from_us < since_us)
			break;
		TRY(analytics_run(s, a, &q, &r, err));
		*us = r.sum.last_call_us > *us ? r.sum.last_call_us : *us;
	}
	return GH_RC_OK;
}

static gh_rc deprecated_rows(struct store *s, struct arena *a, const struct report_ask *ask, const struct store_api *api, enum store_api_state state,
			     struct report *out, struct gh_err *err)
{
	struct analytics_query q = ask->q;
	struct analytics_result r;

	q.filter[ROLLUP_API] = api->id;
	TRY(analytics_run(s, a, &q, &r, err));
	for (size_t i = 0; i < r.n; i++) {
		const struct analytics_group *g = &r.groups[i];
		struct table_value *row = table_row(&out->table);
		int64_t last_us;

		if (!row)
			break;
		TRY(find_last_call(s, a, ask, g, &last_us, err));
		put_key(row, 0, g, q.n_group);
		row[q.n_group] = table_text(str_of(store_api_state_names[state]));
		if (api->sunset_us)
			row[q.n_group + 1] = (struct table_value){ .n = api->sunset_us };
		row[q.n_group + 2] = table_count(last_us);
		report_measures(row, q.n_group + 3, &g->sum);
	}
	return GH_RC_OK;
}

enum { DEPRECATED_CALLS = 6 };               /* the column of the calls */

static int by_calls(const void *x, const void *y)
{
	const struct table_value *a = x, *b = y;

	return (a[DEPRECATED_CALLS].n < b[DEPRECATED_CALLS].n) - (a[DEPRECATED_CALLS].n > b[DEPRECATED_CALLS].n);
}

/* Those that are deprecated are found first: few callers of theirs would be lost among the many of all others. */
static gh_rc deprecated(struct store *s, struct arena *a, struct report_ask *ask, struct report *out, int64_t now_us, struct gh_err *err)
{
	struct analytics_query apis = ask->q;
	struct table *t = &out->table;
	size_t limit = ask->q.limit ? ask->q.limit : ANALYTICS_ROWS_MAX;

	apis.n_group = 1;
	apis.group[0] = ROLLUP_API;
	ask->q.n_group = 3;
	ask->q.group[0] = ROLLUP_API;
	ask->q.group[1] = ROLLUP_VERSION;
	ask->q.group[2] = ROLLUP_SUBSCRIPTION;
	ask->q.limit = apis.limit = ANALYTICS_ROWS_MAX;
	TRY(analytics_run(s, a, &apis, &out->all, err));
	group_columns(t, &ask->q);
	table_column(t, "state", "State", TABLE_TEXT);
	table_column(t, "sunset", "Sunset", TABLE_DAY);
	table_column(t, "lastCall", "Last call", TABLE_TIME);
	report_measure_columns(t);
	for (size_t i = 0; i < out->all.n; i++) {
		enum store_api_state state;
		struct store_api api;
		bool found = false;

		if (out->all.groups[i].key[0].n)
			TRY(store_api_find(s, a, out->all.groups[i].key[0], 0, &api, &found, err));
		state = found ? store_api_state_at(&api, now_us) : STORE_API_PUBLISHED;
		if (state == STORE_API_DEPRECATED || state == STORE_API_RETIRED)
			TRY(deprecated_rows(s, a, ask, &api, state, out, err));
	}
	if (t->n_rows)
		qsort(t->values, t->n_rows, t->n_columns * sizeof(*t->values), by_calls);
	out->n_all = t->n_rows;
	t->n_rows = t->n_rows > limit ? limit : t->n_rows;
	return GH_RC_OK;
}

/* ---- one report ------------------------------------------------------------------------------------------------------------------ */

GH_RC report_run(struct store *s, struct arena *a, struct report_ask *ask, int64_t now_us, struct report *out, struct gh_err *err)
{
	const struct report_info *info = &report_infos[ask->id];
	gh_rc rc = GH_RC_OK;

	*out = (struct report){ .n_all = 0 };
	table_init(&out->table, a);
	if (!ask->range.n)
		ask->range = str_of(info->range);
	TRY(analytics_range(ask->range, now_us, &ask->q.from_us, &ask->q.to_us, err));
	if ((ask->q.from_us + MINUTE_US - 1) / MINUTE_US >= (ask->q.to_us + MINUTE_US - 1) / MINUTE_US)
		FAIL(err, INVALID, "no minute begins in this range, and totals are of whole minutes; single calls: gatehouse log, the page Calls");
	switch (ask->id) {
	case REPORT_TRAFFIC:
		rc = traffic(s, a, ask, out, err);
		break;
	case REPORT_CALLS:
		rc = calls(s, a, ask, out, err);
		break;
	case REPORT_LATENCY:
		rc = latency(s, a, ask, out, err);
		break;
	case REPORT_EXCEEDERS:
		rc = report_exceeders(s, a, ask, out, err);
		break;
	case REPORT_FAILURES:
		rc = report_failures(s, a, ask, out, err);
		break;
	case REPORT_DEPRECATED:
		rc = deprecated(s, a, ask, out, now_us, err);
		break;
	case REPORT__COUNT:
		break;
	}
	TRY(rc);
	if (out->table.failed)
		FAIL(err, LIMIT, "the report is too large: narrow it or ask for fewer rows");
	out->from_us = out->all.from_us;
	out->to_us = out->all.to_us;
	return GH_RC_OK;
}
