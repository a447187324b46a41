/* analytics.c - pages of traffic: the reports of db/reports.h as tables, charts that are drawn here as SVG (a script makes them
 * ones that can be zoomed), downloads, and what happens now. The address of a page holds all that was asked, so it can be kept. */
#include "portal/admin/admin.h"

#include "config/resource.h"
#include "core/clock.h"
#include "core/str.h"
#include "core/uri.h"
#include "db/reports.h"
#include "portal/admin/rest_deed.h"

#include <unistd.h>

enum { CHART_WIDTH = 960, CHART_HEIGHT = 160, LIVE_MINUTES = 30, LIVE_RETRY_MS = 2000, CELLS_MAX = 300 };
static const int64_t MINUTE_US = 60000000;

static const struct {
	const char *value, *words;
} ranges[] = {
	{ "1h", "Last hour" }, { "24h", "Last 24 hours" }, { "today", "Today" }, { "yesterday", "Yesterday" }, { "7d", "Last 7 days" },
	{ "14d", "Last 14 days" }, { "30d", "Last 30 days" }, { "90d", "Last 90 days" },
}, steps[] = { { "auto", "By itself" }, { "minute", "Minute" }, { "hour", "Hour" }, { "day", "Day" } };

static const char *const others[] = { "range", "step", "group", "compare", "limit" };

struct view {
	struct report_ask ask;
	struct str problem;              /* a sentence; STR_NULL: none */
	struct str query;                /* of an address that shows the same */
};

/* ---- what is asked -------------------------------------------------------------------------------------------------------------- */

static gh_rc take(struct web *w, struct view *v, const char *name, struct str value)
{
	struct gh_err why;
	bool known;
	gh_rc rc;

	if (!value.n)
		return GH_RC_OK;
	rc = report_set(&v->ask, str_of(name), value, &known, &why);
	if (rc.code) {
		v->problem = arena_dup(w->a, str_of(why.message));
		return rc;
	}
	v->query = arena_printf(w->a, "%.*s%s%s=%.*s", STR_ARG(v->query), v->query.n ? "&" : "", name,
				STR_ARG(uri_encode(w->a, value, URI_KEEP_UNRESERVED)));
	return GH_RC_OK;
}

static bool view_of(struct web *w, enum report_id id, struct view *v)
{
	struct str from = web_param(&w->rq.query, "from"), to = web_param(&w->rq.query, "to");
	bool good = true;

	*v = (struct view){ .ask = report_ask(id) };
	for (int i = 0; i < ROLLUP_DIMENSION__COUNT; i++) {
		const char *name = rollup_dimension_name((enum rollup_dimension)i);

		good = !take(w, v, name, str_trim(web_param(&w->rq.query, name))).code && good;
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct str value = web_param(&w->rq.query, others[i]);

		if (strcmp(others[i], "range") == 0 && from.n)
			value = arena_printf(w->a, "%.*s/%.*s", STR_ARG(from), STR_ARG(to));
		good = !take(w, v, others[i], value).code && good;
	}
	if (to.n && !from.n) {
		v->problem = STR("to: since when? There is no from.");
		good = false;
	}
	return good;
}

/* ---- who called --------------------------------------------------------------------------------------------------------------- */

/* The kind of an address ("address") names nobody. */
static bool tells_callers(enum rollup_dimension d)
{
	return d == ROLLUP_SUBSCRIPTION || d == ROLLUP_APPLICATION || d == ROLLUP_USER;
}

static bool report_tells_callers(enum report_id id)
{
	return id == REPORT_CALLS || id == REPORT_EXCEEDERS || id == REPORT_DEPRECATED;
}

/* Whether the figures say who called, in a column or by what they are narrowed to: for those who may see that. */
static bool view_tells_callers(const struct view *v)
{
	bool tells = report_tells_callers(v->ask.id);

	for (int i = 0; i < ROLLUP_DIMENSION__COUNT; i++)
		tells |= v->ask.q.filter[i].p && tells_callers((enum rollup_dimension)i);
	for (size_t i = 0; i < v->ask.q.n_group; i++)
		tells |= tells_callers(v->ask.q.group[i]);
	return tells;
}

/* ---- JSON and CSV --------------------------------------------------------------------------------------------------------------- */

static GH_RC send_csv(struct web *w, const struct report *r, const char *name, struct gh_err *err UNUSED)
{
	table_csv(&w->rs.body, &r->table);
	w->rs.status = 200;
	web_header(w, "Content-Type", STR("text/csv; charset=utf-8"));
	web_header(w, "Content-Disposition", arena_printf(w->a, "attachment; filename=\"%s.csv\"", name));
	return GH_RC_OK;
}

static GH_RC send_json(struct web *w, const struct report *r, const char *name, struct gh_err *err)
{
	char from[CLOCK_ISO_MAX], to[CLOCK_ISO_MAX];
	json_t *v = jsn_keep(w->a, json_pack("{s:s,s:s,s:s,s:b,s:b,s:o}", "report", name, "from", clock_iso(r->from_us, 0, from), "to",
					     clock_iso(r->to_us, 0, to), "noData", r->all.sum.calls == 0, "more",
					     r->n_all > r->table.n_rows, "rows", table_json(&r->table)));

	if (!v)
		FAIL(err, NOMEM, "no memory for a report");
	return web_json(w, 200, "application/json", v, err);
}

#define X(name, column, title) column,
static const char *const parameters[] = { "range", "from", "to", "step", "group", "compare", "limit", "format", ROLLUP_DIMENSIONS(X) NULL };
#undef X

/* One row of the management API for each report: what stands behind the slash names it. */
gh_rc rest_analytics(struct rest *r, struct gh_err *err)
{
	struct web *w = r->w;
	struct str name = str_from(str_of(r->route->pattern), strlen("/analytics"));
	bool csv = str_eq(web_param(&w->rq.query, "format"), STR("csv"));
	struct report report;
	enum report_id id;
	struct view v;
	bool ok;

	TRY(rest_known(r, parameters, &ok, err));
	if (!ok)
		return GH_RC_OK;
	if (!str_eq(web_param(&w->rq.query, "format"), STR("json")) && web_param(&w->rq.query, "format").n && !csv)
		return rest_problem(r, 400, "bad-request", STR("format: json or csv"), NULL, err);
	if (!report_find(name.n ? str_from(name, 1) : STR(""), &id))
		return rest_problem(r, 404, "not-found", STR("There is no such report."), NULL, err);
	if (!view_of(w, id, &v))
		return rest_problem(r, 400, "bad-request", v.problem, NULL, err);
	if (view_tells_callers(&v) && !rights_everywhere(&r->who.rights, RIGHT_VIEW_CALLERS))
		return rest_problem(r, 403, "forbidden", STR("This tells who called; your role may see figures without that."), NULL, err);
	TRY(report_run(w->site->store, w->a, &v.ask, clock_wall_us(), &report, err));
	return csv ? send_csv(w, &report, report_infos[id].name, err) : send_json(w, &report, report_infos[id].name, err);
}

/* ---- tables --------------------------------------------------------------------------------------------------------------------- */

static struct str bytes_text(struct web *w, int64_t n)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double v = (double)n;
	size_t u = 0;

	while (v >= 1024 && u + 1 < ARRAY_LEN(units)) {
		v /= 1024;
		u++;
	}
	return arena_printf(w->a, "%.*s %s", STR_ARG(web_decimal(w, v, u && v < 100)), units[u]);
}

static struct str cell_text(struct web *w, enum table_kind kind, const struct table_value *v)
{
	if (v->none)
		return STR("–");
	switch (kind) {
	case TABLE_COUNT:
		return web_number(w, v->n);
	case TABLE_BYTES:
		return bytes_text(w, v->n);
	case TABLE_MS:
		return web_decimal(w, v->d, v->d < 10 ? 2 : v->d < 100);
	case TABLE_PERCENT:
		return web_decimal(w, v->d, v->d > 0 && v->d < 0.1 ? 3 : 1);
	case TABLE_TIME:
		return web_date(w, v->n);
	case TABLE_DAY:
		return web_day(w, v->n);
	case TABLE_TEXT:
		break;
	}
	return v->s.n ? v->s : STR("(none)");
}

/* The address of this page narrowed to one value of a dimension; STR_NULL: the column is none. */
static struct str narrowed(struct web *w, const struct view *v, const struct table *t, size_t c, struct str value)
{
	enum rollup_dimension d;

	if (!rollup_dimension_of(str_of(t->columns[c].name), &d) || v->ask.q.filter[d].p || v->ask.id == REPORT_FAILURES)
		return STR_NULL;
	return arena_printf(w->a, "%.*sanalytics/traffic?%.*s%s%s=%.*s", STR_ARG(w->site->base), STR_ARG(v->query), v->query.n ? "&" : "",
			    t->columns[c].name, STR_ARG(uri_encode(w->a, value.n ? value : STR("(none)"), URI_KEEP_UNRESERVED)));
}

/* The columns that are shown, in their order. Who asks for response times sees them before the counts, which may be beyond the edge. */
static size_t columns_of(const struct view *v, const struct table *t, size_t out[TABLE_COLUMNS_MAX])
{
	size_t first = table_find(t, "calls"), n = 0;

	for (int turn = 0; turn < 3; turn++)
		for (size_t c = 0; c < t->n_columns; c++) {
			bool time = v->ask.id == REPORT_LATENCY && t->columns[c].kind == TABLE_MS;

			if (!t->columns[c].detail && table_has(t, c) && turn == (c < first ? 0 : time ? 1 : 2))
				out[n++] = c;
		}
	return n;
}

static void put_table(struct web *w, const char *name, const struct view *v, const struct table *t)
{
	struct liquid_record *out = liquid_set_record(w->page, name);
	struct liquid_list *columns = liquid_set_list(out, "columns"), *rows = liquid_set_list(out, "rows");
	size_t order[TABLE_COLUMNS_MAX], n = columns_of(v, t, order);

	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(columns);
		size_t c = order[i];

		if (!r)
			break;
		liquid_set_text(r, "title", str_of(t->columns[c].title));
		liquid_set_bool(r, "number", t->columns[c].kind >= TABLE_COUNT && t->columns[c].kind <= TABLE_PERCENT);
	}
	for (size_t i = 0; i < t->n_rows && i < CELLS_MAX; i++) {
		struct liquid_list *cells = liquid_set_list(liquid_push_record(rows), "cells");

		for (size_t k = 0; k < n; k++) {
			const struct table_value *value = table_at(t, i, order[k]);
			struct liquid_record *r = liquid_push_record(cells);
			size_t c = order[k];
			struct str link;

			if (!r)
				break;
			link = t->columns[c].kind == TABLE_TEXT ? narrowed(w, v, t, c, value->s) : STR_NULL;
			liquid_set_text(r, "text", cell_text(w, t->columns[c].kind, value));
			liquid_set_text(r, "title", str_of(t->columns[c].title));
			liquid_set_text(r, "link", link.p ? link : STR(""));
			liquid_set_bool(r, "number", t->columns[c].kind >= TABLE_COUNT && t->columns[c].kind <= TABLE_PERCENT);
		}
	}
	liquid_set_bool(out, "cut", t->n_rows > CELLS_MAX);
}

/* ---- charts --------------------------------------------------------------------------------------------------------------------- */

static int64_t most_of(const struct analytics_result *r, bool time)
{
	int64_t most = 0;

	for (size_t i = 0; i < r->n_steps; i++) {
		int64_t v = time ? (int64_t)latency_quantile(&r->steps[i].latency, 0.95) : r->steps[i].calls;

		most = v > most ? v : most;
	}
	return most;
}

static void put_bar(struct web *w, struct liquid_list *bars, const struct store_traffic *t, double x, double width, int64_t most)
{
	struct liquid_record *r = liquid_push_record(bars);
	int64_t bad = t->refused + t->gateway_errors + t->backend_errors;
	double all = most ? (double)t->calls * CHART_HEIGHT / (double)most : 0, red = most ? (double)bad * CHART_HEIGHT / (double)most : 0;

	all = t->calls && all < 1 ? 1 : all;
	red = bad && red < 1 ? 1 : red;
	liquid_set_text(r, "x", arena_printf(w->a, "%.1f", x));
	liquid_set_text(r, "width", arena_printf(w->a, "%.1f", width));
	liquid_set_text(r, "y", arena_printf(w->a, "%.1f", CHART_HEIGHT - all));
	liquid_set_text(r, "height", arena_printf(w->a, "%.1f", all));
	liquid_set_text(r, "bad_y", arena_printf(w->a, "%.1f", CHART_HEIGHT - red));
	liquid_set_text(r, "bad_height", arena_printf(w->a, "%.1f", red));
}

/* A line through the steps that had calls; where there were none it is broken. */
static struct str line_of(struct web *w, const struct analytics_result *r, double share, int64_t most)
{
	struct buf b;
	struct str path;
	bool drawn = false;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; most && i < r->n_steps; i++) {
		const struct latency *l = &r->steps[i].latency;
		double x = ((double)i + 0.5) * CHART_WIDTH / (double)r->n_steps;

		if (l->n)
			buf_fmt(&b, "%s%.1f %.1f", drawn ? "L" : "M", x,
				CHART_HEIGHT - (double)latency_quantile(l, share) * (CHART_HEIGHT - 2) / (double)most);
		if (l->n && !drawn && (i + 1 == r->n_steps || !r->steps[i + 1].latency.n))
			buf_cstr(&b, "m-3 0h6");     /* a lone point is seen too */
		drawn = l->n > 0;
	}
	path = buf_ok(&b) ? arena_dup(w->a, buf_view(&b)) : STR("");
	buf_release(&b);
	return path;
}

static void put_chart(struct web *w, const struct report *r)
{
	struct liquid_record *chart = liquid_set_record(w->page, "chart");
	struct liquid_list *bars = liquid_set_list(chart, "bars");
	const struct analytics_result *all = &r->all;
	double width = all->n_steps ? (double)CHART_WIDTH / (double)all->n_steps : CHART_WIDTH;
	int64_t most = most_of(all, false), slow = most_of(all, true);

	for (size_t i = 0; i < all->n_steps; i++)
		put_bar(w, bars, &all->steps[i], (double)i * width, width > 3 ? width - 1 : width, most);
	liquid_set_text(chart, "most", web_number(w, most));
	liquid_set_text(chart, "slow", web_decimal(w, (double)slow / 1000, slow < 10000));
	liquid_set_text(chart, "p50", line_of(w, all, 0.5, slow));
	liquid_set_text(chart, "p95", line_of(w, all, 0.95, slow));
	liquid_set_text(chart, "from", web_date(w, all->from_us));
	liquid_set_text(chart, "to", web_date(w, all->to_us));
	liquid_set_int(chart, "width", CHART_WIDTH);
	liquid_set_int(chart, "height", CHART_HEIGHT);
}

/* ---- the form -------------------------------------------------------------------------------------------------------------------- */

static void put_option(struct liquid_list *list, struct str value, struct str label, bool here)
{
	struct liquid_record *r = liquid_push_record(list);

	liquid_set_text(r, "value", value);
	liquid_set_text(r, "label", label);
	liquid_set_bool(r, "here", here);
}

/* Where www/choices.js finds the values of a dimension: what has a list of its own stands there with its name, also before its first
 * call. An operation is named without its API here. */
static struct str source_of(struct web *w, enum rollup_dimension d)
{
	const struct resource_kind *k = d == ROLLUP_OPERATION ? NULL : resource_kind_find(str_of(rollup_dimension_name(d)));

	return k && web_may(w, admin_right_of(k, false)) ? str_of(k->plural) : arena_printf(w->a, "traffic/%s", rollup_dimension_name(d));
}

static void put_form(struct web *w, const struct view *v)
{
	struct liquid_list *range_list = liquid_set_list(w->page, "ranges"), *step_list = liquid_set_list(w->page, "steps");
	struct liquid_list *groups = liquid_set_list(w->page, "groups"), *filters = liquid_set_list(w->page, "filters");
	size_t slash = str_find_char(v->ask.range, '/');
	bool own = slash != SIZE_MAX, narrow = false, callers = web_may_everywhere(w, WEB_VIEW_CALLERS);

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		put_option(range_list, str_of(ranges[i].value), str_of(ranges[i].words), str_eq(v->ask.range, str_of(ranges[i].value)));
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		put_option(step_list, str_of(steps[i].value), str_of(steps[i].words), str_eq(v->ask.step, str_of(steps[i].value)));
	for (int i = 0; i < ROLLUP_DIMENSION__COUNT; i++) {
		enum rollup_dimension d = (enum rollup_dimension)i;
		struct str name = str_of(rollup_dimension_name(d)), title = str_of(rollup_dimension_title(d)), value = v->ask.q.filter[d];
		struct liquid_record *r;

		if (tells_callers(d) && !callers)
			continue;
		r = liquid_push_record(filters);
		put_option(groups, name, title, str_eq(v->ask.group, name));
		liquid_set_text(r, "name", name);
		liquid_set_text(r, "title", title);
		liquid_set_text(r, "source", source_of(w, d));
		liquid_set_text(r, "value", !value.p ? STR("") : value.n ? value : STR("(none)"));
		narrow |= value.p != NULL;
	}
	liquid_set_bool(w->page, "narrow", narrow);
	liquid_set_bool(w->page, "own_range", own);
	liquid_set_text(w->page, "own_value", own ? v->ask.range : STR(""));
	liquid_set_text(w->page, "from", own ? str_first(v->ask.range, slash) : STR(""));
	liquid_set_text(w->page, "to", own ? str_from(v->ask.range, slash + 1) : STR(""));
	liquid_set_bool(w->page, "compare", v->ask.compare);
}

static void put_reports(struct web *w, enum report_id here)
{
	struct liquid_list *list = liquid_set_list(w->page, "reports");

	for (int i = 0; i < REPORT__COUNT; i++)
		if (!report_tells_callers((enum report_id)i) || web_may_everywhere(w, WEB_VIEW_CALLERS))
			put_option(list, str_of(report_infos[i].name), str_of(report_infos[i].title), i == (int)here);
}

/* ---- the pages -------------------------------------------------------------------------------------------------------------------- */

static void put_sums(struct web *w, const struct report *r)
{
	static const char *const shown[] = { "calls", "served", "refused", "gatewayErrors", "backendErrors", "errorPercent", "averageMs", "p95Ms",
					     "p99Ms", "gatewayAverageMs", "backendAverageMs", "bytesIn", "bytesOut", "cacheHitPercent" };
	struct liquid_list *list = liquid_set_list(w->page, "sums");
	struct table t;

	table_init(&t, w->a);
	report_measure_columns(&t);
	report_measures(table_row(&t), 0, &r->all.sum);
	for (size_t i = 0; i < ARRAY_LEN(shown) && t.n_rows; i++) {
		size_t c = table_find(&t, shown[i]);
		struct liquid_record *s;

		if (strcmp(shown[i], "cacheHitPercent") == 0 && table_at(&t, 0, c)->none)
			continue;                    /* a cache is not everybody's: no dash for it */
		s = liquid_push_record(list);
		liquid_set_text(s, "title", str_of(t.columns[c].title));
		liquid_set_text(s, "value", cell_text(w, t.columns[c].kind, table_at(&t, 0, c)));
	}
}

/* Over time for the chart, and by what it is grouped. */
static GH_RC show_traffic(struct web *w, struct view *v, struct gh_err *err)
{
	struct report_ask over_time = v->ask;
	struct report r;

	over_time.q.n_group = 0;
	if (!over_time.q.step_s)
		over_time.q.step_s = -1;
	TRY(report_run(w->site->store, w->a, &over_time, clock_wall_us(), &r, err));
	put_sums(w, &r);
	put_chart(w, &r);
	put_table(w, "series", v, &r.table);
	liquid_set_bool(w->page, "none", r.all.sum.calls == 0);
	liquid_set_text(w->page, "step", arena_printf(w->a, "%lld", (long long)over_time.q.step_s));
	v->ask.range = over_time.range;
	if (!v->ask.q.n_group)
		return GH_RC_OK;
	v->ask.q.step_s = 0;
	TRY(report_run(w->site->store, w->a, &v->ask, clock_wall_us(), &r, err));
	put_table(w, "table", v, &r.table);
	liquid_set_bool(w->page, "more", r.n_all > r.table.n_rows);
	return GH_RC_OK;
}

static GH_RC show_report(struct web *w, struct view *v, struct gh_err *err)
{
	struct report r;

	TRY(report_run(w->site->store, w->a, &v->ask, clock_wall_us(), &r, err));
	put_table(w, "table", v, &r.table);
	liquid_set_bool(w->page, "none", r.table.n_rows == 0);
	liquid_set_bool(w->page, "no_calls", r.all.sum.calls == 0);
	liquid_set_bool(w->page, "more", r.n_all > r.table.n_rows);
	return GH_RC_OK;
}

/* How much is kept of all this, and by how much that grows. */
static GH_RC put_store(struct web *w, struct gh_err *err)
{
	struct store_telemetry_stats t;
	int64_t growth;
	bool known;

	TRY(store_telemetry_sizes(w->site->store, &t, err));
	TRY(store_growth(w->site->store, w->a, &growth, &known, err));
	liquid_set_text(w->page, "store_bytes", bytes_text(w, t.bytes));
	liquid_set_text(w->page, "store_calls", web_number(w, t.calls));
	liquid_set_bool(w->page, "growth_known", known);
	liquid_set_bool(w->page, "shrinks", growth < 0);
	liquid_set_text(w->page, "growth", bytes_text(w, growth < 0 ? -growth : growth));
	return GH_RC_OK;
}

/* npm's uPlot, when it was copied in (tools/copy-viewer). */
static bool has_plot(struct web *w)
{
	struct str file = arena_printf(w->a, "%s/www/vendor/uplot/uPlot.iife.min.js", w->site->share_dir);

	return file.p && access(file.p, R_OK) == 0;
}

gh_rc admin_analytics(struct web *w, struct gh_err *err)
{
	enum report_id id;
	struct gh_err why = { 0 };
	struct view v;
	gh_rc rc;

	if (!report_find(w->rq.args[0], &id))
		FAIL(err, NOT_FOUND, "no such report");
	if (!view_of(w, id, &v)) {
		struct str problem = v.problem;

		v = (struct view){ .ask = report_ask(id), .problem = problem };
	}
	if (view_tells_callers(&v) && !web_may_everywhere(w, WEB_VIEW_CALLERS))
		FAIL(err, DENIED, "figures that tell who called");
	liquid_set(w->page, "table", LIQUID_NIL_VALUE);
	liquid_set_bool(w->page, "more", false);
	liquid_set_bool(w->page, "no_calls", true);
	liquid_set_text(w->page, "step", STR("0"));
	rc = id == REPORT_TRAFFIC ? show_traffic(w, &v, &why) : show_report(w, &v, &why);
	if (rc.code == GH_E_INVALID || rc.code == GH_E_LIMIT) {
		v.problem = arena_dup(w->a, str_of(why.message));
		liquid_set_bool(w->page, "none", true);
	} else if (rc.code) {
		*err = why;
		return rc;
	}
	TRY(put_store(w, err));
	put_form(w, &v);
	put_reports(w, id);
	liquid_set_text(w->page, "report", str_of(report_infos[id].name));
	liquid_set_text(w->page, "question", str_of(report_infos[id].question));
	liquid_set_text(w->page, "no_rows", str_of(report_infos[id].none));
	liquid_set_text(w->page, "problem", v.problem.p ? v.problem : STR(""));
	liquid_set_text(w->page, "query", v.query.n ? v.query : STR(""));
	liquid_set_bool(w->page, "plot", has_plot(w));
	liquid_set_bool(w->page, "is_traffic", id == REPORT_TRAFFIC);
	liquid_set_text(w->page, "title", str_of(report_infos[id].title));
	return web_page(w, "analytics", err);
}

/* ---- what happens now --------------------------------------------------------------------------------------------------------------- */

static GH_RC live_minutes(struct web *w, struct report *r, struct gh_err *err)
{
	struct report_ask ask = report_ask(REPORT_TRAFFIC);
	int64_t now = clock_wall_us() / MINUTE_US * MINUTE_US;
	char from[CLOCK_ISO_MAX], to[CLOCK_ISO_MAX];

	ask.q.step_s = ROLLUP_MINUTE_S;
	clock_iso(now - (LIVE_MINUTES - 1) * MINUTE_US, 0, from);
	clock_iso(now + MINUTE_US, 0, to);
	ask.range = arena_printf(w->a, "%s/%s", from, to);
	return report_run(w->site->store, w->a, &ask, clock_wall_us(), r, err);
}

gh_rc admin_live(struct web *w, struct gh_err *err)
{
	struct view v = { .ask = report_ask(REPORT_TRAFFIC) };
	struct report r;

	TRY(live_minutes(w, &r, err));
	put_chart(w, &r);
	put_sums(w, &r);
	put_table(w, "series", &v, &r.table);
	put_reports(w, REPORT__COUNT);
	liquid_set_bool(w->page, "none", r.all.sum.calls == 0);
	liquid_set_text(w->page, "title", STR("Live traffic"));
	return web_page(w, "live", err);
}

/* Server-sent events (HTML Living Standard, 9.2): one event an answer, after which the browser asks again, as often as `retry`
 * says. A process of the dashboard answers one request at a time; an answer without end would keep one for each window. */
gh_rc admin_live_events(struct web *w, struct gh_err *err)
{
	struct report r;
	json_t *rows;
	struct buf *b = &w->rs.body;

	TRY(live_minutes(w, &r, err));
	rows = jsn_keep(w->a, table_json(&r.table));
	if (!rows)
		FAIL(err, NOMEM, "no memory for an event");
	buf_fmt(b, "retry: %d\nevent: traffic\ndata: ", LIVE_RETRY_MS);
	jsn_write(b, rows, 0);
	buf_cstr(b, "\n\n");
	w->rs.status = 200;
	web_header(w, "Content-Type", STR("text/event-stream; charset=utf-8"));
	web_header(w, "Cache-Control", STR("no-store"));
	return GH_RC_OK;
}

/* What /live shows, without its chart. */
gh_rc rest_live(struct rest *r, struct gh_err *err)
{
	struct report report;

	TRY(live_minutes(r->w, &report, err));
	return send_json(r->w, &report, "live", err);
}

gh_rc rest_live_events(struct rest *r, struct gh_err *err)
{
	return admin_live_events(r->w, err);
}
