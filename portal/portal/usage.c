#include "portal/portal/usage.h"

#include "core/clock.h"
#include "core/refusal.h"
#include "core/str.h"
#include "db/teams.h"
#include "db/telemetry.h"

/* What somebody's own keys were used for: calls a day, what was refused, how long it took, the last calls, one call in all
 * its detail. Everything is asked by subscription id, of own subscriptions only, so no figure of anybody else can get in. */

enum { LAST_CALLS = 25, CALLS_EACH = 50, CHART_HEIGHT = 80, BAR = 20, DAY_S = 86400, CSV_CALLS = 1000, REASON_CALLS = 20000, LEFT_MAX = 5 };

static const struct {
	const char *value, *words;
	int days;
} ranges[] = { { "week", "7 days", 7 }, { "day", "Today", 1 }, { "month", "30 days", 30 } };

gh_rc portal_usage_load(struct web *w, struct portal_usage *u, struct gh_err *err)
{
	struct str range = web_param(&w->rq.query, "range");
	struct store_application app;
	size_t kept = 0, chosen = 0;

	u->wanted = web_param(&w->rq.query, "subscription");
	u->application = web_param(&w->rq.query, "application");
	if (u->application.n)
		TRY(portal_own_application(w, u->application, &app, err));
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		if (str_eq(range, str_of(ranges[i].value)))
			chosen = i;
	u->days = ranges[chosen].days;
	u->from_us = (clock_wall_us() / 1000000 / DAY_S - u->days + 1) * DAY_S * 1000000;
	TRY(store_own_subscriptions(w->site->store, w->a, w->user.id, &u->own, &u->n, err));
	for (size_t i = 0; i < u->n; i++)
		if ((!u->wanted.n || str_eq(u->own[i].id, u->wanted))
		    && (!u->application.n || str_eq(u->own[i].application_id, u->application)))
			u->own[kept++] = u->own[i];
	if (u->wanted.n && !kept)
		FAIL(err, NOT_FOUND, "no such subscription");
	u->n = kept;
	return GH_RC_OK;
}

/* ---- days --------------------------------------------------------------------------------------------------------------- */

gh_rc portal_usage_days(struct web *w, const struct portal_usage *u, struct portal_day **out, struct gh_err *err)
{
	struct portal_day *days = arena_alloc(w->a, (size_t)u->days, sizeof(*days));

	if (!days)
		FAIL(err, NOMEM, "days");
	for (size_t i = 0; i < u->n; i++) {
		struct store_traffic_filter f = { .subscription = u->own[i].id, .from_us = u->from_us };
		struct store_traffic_step *steps;
		size_t n;

		TRY(store_traffic_steps(w->site->store, w->a, &f, DAY_S, &steps, &n, err));
		for (size_t k = 0; k < n; k++) {
			int64_t at = (steps[k].start_us - u->from_us) / 1000000 / DAY_S;
			const struct store_traffic *t = &steps[k].traffic;

			if (at < 0 || at >= u->days)
				continue;
			days[at].calls += t->calls;
			days[at].refused += t->refused;
			days[at].failed += t->gateway_errors + t->backend_errors;
			for (size_t c = 0; c < ARRAY_LEN(days[at].status_class); c++)
				days[at].status_class[c] += t->status_class[c];
			if (!latency_merge(&days[at].latency, w->a, &t->latency))
				FAIL(err, NOMEM, "latencies");
		}
	}
	*out = days;
	return GH_RC_OK;
}

static struct str milliseconds(struct web *w, const struct latency *l, double share)
{
	uint64_t us = latency_quantile(l, share);

	return web_textf(w, "{1} ms", LANG_STR(web_decimal(w, (double)us / 1000, us < 10000)));
}

static int bar_height(int64_t value, int64_t most)
{
	return most && value ? (int)(value * CHART_HEIGHT / most) + (value * CHART_HEIGHT < most) : 0;
}

static void put_day(struct web *w, struct liquid_record *r, const struct portal_day *d, int64_t start_us, int at, int64_t most)
{
	int bad = bar_height(d->refused + d->failed, most), all = bar_height(d->calls, most);

	liquid_set_text(r, "date", web_day(w, start_us));
	liquid_set_text(r, "calls", web_number(w, d->calls));
	liquid_set_text(r, "refused", web_number(w, d->refused));
	liquid_set_text(r, "failed", web_number(w, d->failed));
	liquid_set_bool(r, "none", d->calls == 0);
	liquid_set_text(r, "typical", d->calls ? milliseconds(w, &d->latency, 0.5) : STR(""));
	liquid_set_text(r, "slow", d->calls ? milliseconds(w, &d->latency, 0.95) : STR(""));
	liquid_set_int(r, "x", at * BAR);
	liquid_set_int(r, "y", CHART_HEIGHT - all);
	liquid_set_int(r, "height", all);
	liquid_set_int(r, "bad_y", CHART_HEIGHT - bad);
	liquid_set_int(r, "bad_height", bad);
}

static GH_RC put_days(struct web *w, const struct portal_usage *u, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "days");
	struct liquid_list *statuses = liquid_set_list(w->page, "statuses");
	int64_t most = 0, calls = 0, refused = 0, failed = 0, classes[6] = { 0 };
	struct portal_day *days;

	TRY(portal_usage_days(w, u, &days, err));
	for (int i = 0; i < u->days; i++) {
		most = days[i].calls > most ? days[i].calls : most;
		calls += days[i].calls;
		refused += days[i].refused;
		failed += days[i].failed;
		for (size_t c = 0; c < ARRAY_LEN(classes); c++)
			classes[c] += days[i].status_class[c];
	}
	for (size_t c = 1; c < ARRAY_LEN(classes); c++)
		if (classes[c]) {
			struct liquid_record *r = liquid_push_record(statuses);

			liquid_set_text(r, "name", arena_printf(w->a, "%zuxx", c));
			liquid_set_text(r, "calls", web_number(w, classes[c]));
		}
	for (int i = 0; i < u->days; i++)
		put_day(w, liquid_push_record(list), &days[i], u->from_us + (int64_t)i * DAY_S * 1000000, i, most);
	liquid_set_text(w->page, "calls", web_number(w, calls));
	liquid_set_text(w->page, "refused", web_number(w, refused));
	liquid_set_text(w->page, "failed", web_number(w, failed));
	liquid_set_bool(w->page, "none", calls == 0);
	liquid_set_int(w->page, "chart_width", u->days * BAR);
	liquid_set_int(w->page, "chart_height", CHART_HEIGHT);
	return GH_RC_OK;
}

/* ---- by reason, what is left ------------------------------------------------------------------------------------------------ */

static int most_first(const void *x, const void *y)
{
	const struct store_reason *a = x, *b = y;

	return (a->calls < b->calls) - (a->calls > b->calls);
}

gh_rc portal_usage_reasons(struct web *w, const struct portal_usage *u, struct store_reason **out, size_t *n, struct gh_err *err)
{
	size_t room = 0;

	*out = NULL;
	*n = 0;
	for (size_t i = 0; i < u->n; i++) {
		struct store_reason *v, *all;
		size_t k;

		TRY(store_call_reasons(w->site->store, w->a, u->own[i].id, u->from_us, REASON_CALLS / u->n + 1, &v, &k, err));
		if (*n + k > room) {
			room = 2 * (*n + k);
			all = arena_alloc(w->a, room, sizeof(*all));
			if (!all)
				FAIL(err, NOMEM, "reasons");
			if (*n)
				memcpy(all, *out, *n * sizeof(*all));
			*out = all;
		}
		for (size_t j = 0; j < k; j++) {
			size_t at = 0;

			while (at < *n && ((*out)[at].status != v[j].status || !str_eq((*out)[at].reason, v[j].reason)))
				at++;
			if (at == *n)
				(*out)[(*n)++] = v[j];
			else {
				(*out)[at].calls += v[j].calls;
				(*out)[at].last_us = v[j].last_us > (*out)[at].last_us ? v[j].last_us : (*out)[at].last_us;
			}
		}
	}
	if (*n)
		qsort(*out, *n, sizeof(**out), most_first);
	return GH_RC_OK;
}

static GH_RC put_reasons(struct web *w, const struct portal_usage *u, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "reasons");
	struct store_reason *v;
	size_t n;

	TRY(portal_usage_reasons(w, u, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		const struct telemetry_call call = { .reason = v[i].reason };
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "reason", v[i].reason);
		liquid_set_int(r, "status", v[i].status);
		liquid_set_text(r, "calls", web_number(w, v[i].calls));
		web_put_ago(w, r, "last", v[i].last_us);
		liquid_set_text(r, "fix", portal_why(w, &call).fix);
	}
	return GH_RC_OK;
}

/* Of the subscriptions that work, as many as one looks at at a glance. */
static GH_RC put_left(struct web *w, const struct portal_usage *u, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "limits");
	size_t shown = 0;

	for (size_t i = 0; i < u->n && shown < LEFT_MAX; i++) {
		struct liquid_record *r;

		if (u->own[i].state != STORE_SUB_ACTIVE)
			continue;
		r = liquid_push_record(list);
		liquid_set_text(r, "id", u->own[i].id);
		liquid_set_text(r, "name", u->own[i].name.n ? u->own[i].name : u->own[i].id);
		TRY(portal_put_left(w, r, &u->own[i], err));
		shown++;
	}
	return GH_RC_OK;
}

/* ---- by API, last calls --------------------------------------------------------------------------------------------------- */

gh_rc portal_put_names(struct web *w, const struct portal_sight *sight, struct liquid_record *r, const struct portal_named *ids, struct gh_err *err)
{
	const struct store_catalog_name *api = portal_sight_find(sight, ids->api);
	const struct store_product *product = portal_sight_product(sight, ids->product);
	struct store_subscription sub;
	bool found = false;

	if (ids->subscription.n)
		TRY(store_subscription_find(w->site->store, w->a, ids->subscription, &sub, &found, err));
	liquid_set_text(r, "api", api && api->version.n ? arena_printf(w->a, "%.*s %.*s", STR_ARG(api->name), STR_ARG(api->version))
				  : api ? api->name : ids->api.n ? ids->api : STR(""));
	liquid_set_text(r, "product", product ? product->name : ids->product.n ? ids->product : STR(""));
	liquid_set_text(r, "subscription", found && sub.name.n ? sub.name : ids->subscription.n ? ids->subscription : STR(""));
	return GH_RC_OK;
}

static GH_RC put_apis(struct web *w, const struct portal_usage *u, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "by_api");
	struct portal_sight sight;

	TRY(portal_sight_load(w, &sight, err));
	for (size_t i = 0; i < u->n; i++) {
		struct store_traffic_filter f = { .subscription = u->own[i].id, .from_us = u->from_us };
		struct store_traffic_row *rows;
		size_t n;

		TRY(store_traffic(w->site->store, w->a, STORE_TRAFFIC_BY_API, &f, &rows, &n, err));
		for (size_t k = 0; k < n; k++) {
			struct liquid_record *r = liquid_push_record(list);
			const struct store_traffic *t = &rows[k].traffic;

			TRY(portal_put_names(w, &sight, r, &(struct portal_named){ .api = rows[k].id, .subscription = u->own[i].id }, err));
			liquid_set_text(r, "calls", web_number(w, t->calls));
			liquid_set_text(r, "refused", web_number(w, t->refused));
			liquid_set_text(r, "failed", web_number(w, t->gateway_errors + t->backend_errors));
			liquid_set_text(r, "typical", milliseconds(w, &t->latency, 0.5));
			liquid_set_text(r, "slow", milliseconds(w, &t->latency, 0.95));
		}
	}
	return GH_RC_OK;
}

static int newest_first(const void *x, const void *y)
{
	const struct store_call *a = x, *b = y;

	return (a->call.started_us < b->call.started_us) - (a->call.started_us > b->call.started_us);
}

/* Of each subscription only what is newer than the oldest of those that are kept is looked for. */
gh_rc portal_usage_calls(struct web *w, const struct portal_usage *u, size_t each, struct store_call **out, size_t *n, struct gh_err *err)
{
	struct store_call *all = arena_alloc(w->a, 2 * each, sizeof(*all));
	int64_t from_us = u->from_us;
	size_t total = 0;

	if (!all)
		FAIL(err, NOMEM, "calls");
	for (size_t i = 0; i < u->n; i++) {
		struct store_calls_filter f = { .subscription = u->own[i].id, .from_us = from_us, .by_time = true, .limit = each };
		struct store_call *some;
		size_t k;

		TRY(store_calls(w->site->store, w->a, &f, &some, &k, err));
		if (!k)
			continue;
		memcpy(all + total, some, k * sizeof(*some));
		total += k;
		qsort(all, total, sizeof(*all), newest_first);
		if (total < each)
			continue;
		total = each;
		from_us = all[each - 1].call.started_us;
	}
	*out = all;
	*n = total;
	return GH_RC_OK;
}

static void put_call(struct web *w, struct liquid_record *r, const struct telemetry_call *t)
{
	liquid_set_text(r, "id", t->request_id);
	web_put_ago(w, r, "ago", t->started_us);
	web_put_time(w, r, "time", t->started_us);
	liquid_set_text(r, "method", t->method);
	liquid_set_text(r, "path", t->path);
	liquid_set_int(r, "status", t->status);
	liquid_set_text(r, "class", t->status >= 500 ? STR("bad") : t->status >= 400 ? STR("warn") : STR("good"));
	liquid_set_text(r, "reason", t->reason);
	liquid_set_text(r, "took", web_textf(w, "{1} ms", LANG_STR(web_decimal(w, t->total_us / 1000.0, 1))));
}

static GH_RC put_filters(struct web *w, const struct portal_usage *u, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "choices"), *times = liquid_set_list(w->page, "ranges");
	struct store_subscription *v;
	size_t n;

	TRY(store_own_subscriptions(w->site->store, w->a, w->user.id, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "name", v[i].name.n ? v[i].name : v[i].id);
		liquid_set_bool(r, "here", str_eq(v[i].id, u->wanted));
	}
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		struct liquid_record *r = liquid_push_record(times);

		liquid_set_text(r, "value", str_of(ranges[i].value));
		liquid_set_text(r, "words", web_text(w, str_of(ranges[i].words)));
		liquid_set_bool(r, "here", ranges[i].days == u->days);
	}
	liquid_set_text(w->page, "wanted", u->wanted.n ? u->wanted : STR(""));
	liquid_set_text(w->page, "application", u->application.n ? u->application : STR(""));
	return GH_RC_OK;
}

gh_rc portal_usage(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "last");
	struct store_call *calls;
	struct portal_usage u;
	size_t n;

	TRY(portal_usage_load(w, &u, err));
	TRY(put_filters(w, &u, err));
	TRY(put_days(w, &u, err));
	TRY(put_apis(w, &u, err));
	TRY(put_reasons(w, &u, err));
	TRY(put_left(w, &u, err));
	TRY(portal_usage_calls(w, &u, LAST_CALLS, &calls, &n, err));
	for (size_t i = 0; i < n; i++)
		put_call(w, liquid_push_record(list), &calls[i].call);
	web_title(w, "Your calls");
	return web_page(w, "usage", err);
}

/* ---- as a file -------------------------------------------------------------------------------------------------------------- */

/* Quoted always; a text that a spreadsheet would take for a formula gets an apostrophe in front. */
static void add_cell(struct buf *b, struct str s, const char *end)
{
	buf_char(b, '"');
	if (s.n && strchr("=+-@\t\r", s.p[0]))
		buf_char(b, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_char(b, '"');
		buf_char(b, s.p[i]);
	}
	buf_char(b, '"');
	buf_cstr(b, end);
}

gh_rc portal_usage_csv(struct web *w, struct gh_err *err)
{
	struct buf *b = &w->rs.body;
	struct store_call *calls;
	struct portal_usage u;
	size_t n;

	TRY(portal_usage_load(w, &u, err));
	TRY(portal_usage_calls(w, &u, CSV_CALLS, &calls, &n, err));
	buf_cstr(b, "time,request_id,subscription,api,operation,method,path,status,reason,total_us,backend_us,bytes_in,bytes_out\r\n");
	for (size_t i = 0; i < n; i++) {
		const struct telemetry_call *t = &calls[i].call;
		const struct str texts[] = { t->request_id, t->subscription, t->api, t->operation, t->method, t->path };
		char time[CLOCK_ISO_MAX];

		add_cell(b, str_of(clock_iso(t->started_us, 3, time)), ",");
		for (size_t k = 0; k < ARRAY_LEN(texts); k++)
			add_cell(b, texts[k], ",");
		buf_fmt(b, "%d,", t->status);
		add_cell(b, t->reason, ",");
		buf_fmt(b, "%u,%u,%llu,%llu\r\n", t->total_us, t->backend_us, (unsigned long long)t->bytes_in,
			(unsigned long long)t->bytes_out);
	}
	w->rs.status = 200;
	web_header(w, "Content-Type", STR("text/csv; charset=utf-8"));
	web_header(w, "Content-Disposition", STR("attachment; filename=\"calls.csv\""));
	return GH_RC_OK;
}

gh_rc portal_put_last_use(struct web *w, struct str subscription_id, struct gh_err *err)
{
	struct store_calls_filter f = { .subscription = subscription_id, .limit = 1 };
	struct store_call *last;
	size_t n;

	TRY(store_calls(w->site->store, w->a, &f, &last, &n, err));
	web_put_ago(w, w->page, "last_use", n ? last[0].call.started_us : 0);
	liquid_set_text(w->page, "last_address", n ? last[0].call.client_ip : STR_NULL);
	return GH_RC_OK;
}

/* ---- one call --------------------------------------------------------------------------------------------------------------- */

static void put_times(struct web *w, const struct telemetry_call *t)
{
	const struct {
		const char *name;
		uint32_t us;
	} rows[] = { { "In the gateway", t->gateway_us }, { "Waiting for the backend", t->backend_us },
		     { "… looking up its name", t->dns_us }, { "… connecting", t->connect_us }, { "… TLS handshake", t->tls_us },
		     { "… until its first byte", t->first_byte_us }, { "In all", t->total_us } };
	struct liquid_list *list = liquid_set_list(w->page, "times");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct liquid_record *r;

		if (!rows[i].us && i != 0)
			continue;
		r = liquid_push_record(list);
		liquid_set_text(r, "name", web_text(w, str_of(rows[i].name)));
		liquid_set_text(r, "took", web_textf(w, "{1} ms", LANG_STR(web_decimal(w, rows[i].us / 1000.0, 3))));
	}
}

struct portal_why portal_why(struct web *w, const struct telemetry_call *t)
{
	struct refusal_help help = refusal_help(t->reason);
	bool backend = str_eq(help.layer, STR("backend"));

	return (struct portal_why){
		.decision = backend ? web_text(w, STR("The system behind this API could not be used.")) : portal_decision(w, t->decision),
		.detail = backend ? STR("") : t->detail,
		.fix = !t->reason.n ? STR_NULL
				    : web_text(w, backend ? STR("Try again later. If it lasts, tell the people behind this API and quote "
								"the request id.") : help.fix),
	};
}

static void put_why(struct web *w, struct liquid_record *r, const struct telemetry_call *t)
{
	struct portal_why why = portal_why(w, t);

	liquid_set_text(r, "decision", why.decision);
	liquid_set_text(r, "detail", why.detail);
	liquid_set_text(r, "fix", why.fix);
}

/* Whether the call was made with one of the caller's own keys. */
static GH_RC is_own(struct web *w, const struct telemetry_call *t, bool *own, struct gh_err *err)
{
	struct store_subscription s;

	*own = false;
	if (!t->subscription.n)
		return GH_RC_OK;
	TRY(store_subscription_find(w->site->store, w->a, t->subscription, &s, own, err));
	return *own ? store_subscription_owned_by(w->site->store, &s, w->user.id, own, err) : GH_RC_OK;
}

gh_rc portal_own_call(struct web *w, struct str request_id, struct telemetry_call *out, struct gh_err *err)
{
	struct store_calls_filter f = { .request_id = request_id, .limit = CALLS_EACH };
	struct store_call *calls;
	size_t n;
	bool own = false;

	TRY(store_calls(w->site->store, w->a, &f, &calls, &n, err));
	for (size_t i = n; i-- > 0 && !own;) {   /* the id may be the client's own and stand in other people's calls as well */
		*out = calls[i].call;
		TRY(is_own(w, out, &own, err));
	}
	if (!own)
		FAIL(err, NOT_FOUND, "no such call");
	return GH_RC_OK;
}

gh_rc portal_call(struct web *w, struct gh_err *err)
{
	static const struct {
		const char *name;
		size_t offset;
	} shown[] = { { "operation", offsetof(struct telemetry_call, operation) },
		      { "address", offsetof(struct telemetry_call, client_ip) }, { "trace", offsetof(struct telemetry_call, trace_id) },
		      { "correlation", offsetof(struct telemetry_call, correlation) }, { "key", offsetof(struct telemetry_call, key_prefix) } };
	struct telemetry_call call;
	const struct telemetry_call *t = &call;
	struct portal_sight sight;
	struct liquid_record *r;

	TRY(portal_own_call(w, w->rq.args[0], &call, err));
	TRY(portal_sight_load(w, &sight, err));
	r = liquid_set_record(w->page, "call");
	put_call(w, r, t);
	TRY(portal_put_names(w, &sight, r, &(struct portal_named){ t->api, t->product, t->subscription }, err));
	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		liquid_set_text(r, shown[i].name, *(const struct str *)((const char *)t + shown[i].offset));
	put_why(w, r, t);
	put_times(w, t);
	web_title(w, "One call");
	return web_page(w, "call", err);
}
