/* calls.c - single calls: found by any of their ids, by key, address or time; and one of them with all that was decided. */
#include "portal/admin/admin.h"

#include "core/clock.h"
#include "core/refusal.h"
#include "core/str.h"
#include "db/analytics.h"
#include "db/captures.h"
#include "db/subscriptions.h"
#include "db/telemetry.h"

#include <stdlib.h>

enum { CALLS_SHOWN = 100,
       CALLS_LOOKED_AT = 6400 };         /* of those who may see some environments only, until enough of theirs are found */

const char *admin_status_level(int status)
{
	return status >= 500 || !status ? "bad" : status >= 400 ? "warn" : "good";
}

static struct str milliseconds(struct web *w, uint32_t us)
{
	return arena_printf(w->a, "%.*s ms", STR_ARG(web_decimal(w, us / 1000.0, us < 10000 ? 2 : 1)));
}

/* ---- searching ------------------------------------------------------------------------------------------------------------------ */

/* A traceparent (W3C) is 00-TRACE-SPAN-FLAGS. */
static struct str trace_of(struct str s)
{
	return s.n == 55 && s.p[2] == '-' ? str_first(str_from(s, 3), 32) : s;
}

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_digit(s.p[i]) && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
			return false;
	return s.n > 0;
}

/* One field takes any id: what it may be is tried one after the other, the ids before key and address. */
static GH_RC by_any_id(struct web *w, struct store_calls_filter *f, struct str id, struct store_call **out, size_t *n, bool *by_caller,
		       struct gh_err *err)
{
	struct str *const places[] = { &f->request_id, &f->correlation, &f->trace_id, &f->key_prefix, &f->address };
	const struct str values[] = { id, id, trace_of(id), str_first(id, STORE_KEY_PREFIX), id };

	*n = 0;
	for (size_t i = 0; i < ARRAY_LEN(places) && !*n; i++) {
		*by_caller |= i > 2;
		if (i == 2 && !(values[i].n == 32 && is_hex(values[i])))
			continue;
		*places[i] = values[i];
		TRY(store_calls(w->site->store, w->a, f, out, n, err));
		*places[i] = STR_NULL;
	}
	return GH_RC_OK;
}

static struct str param(struct web *w, const char *name)
{
	struct str v = str_trim(web_param(&w->rq.query, name));

	liquid_set_text(w->page, name, v.n ? v : STR(""));
	return v;
}

static int status_of(struct str s)
{
	uint64_t v;

	if (s.n == 3 && s.p[0] >= '1' && s.p[0] <= '5' && str_eq_ci(str_from(s, 1), STR("xx")))
		return s.p[0] - '0';
	return str_to_u64(s, 599, &v) && v >= 100 ? (int)v : 0;
}

void admin_put_call(struct web *w, struct liquid_record *r, const struct store_call *c)
{
	const struct telemetry_call *t = &c->call;

	liquid_set_int(r, "row", c->row);
	web_put_time(w, r, "time", t->started_us);
	liquid_set_text(r, "status", t->status ? arena_printf(w->a, "%d", t->status) : STR("none"));
	liquid_set_text(r, "level", str_of(admin_status_level(t->status)));
	liquid_set_text(r, "method", t->method);
	liquid_set_text(r, "path", t->path.n ? t->path : STR("/"));
	liquid_set_text(r, "api", t->api);
	liquid_set_text(r, "subscription", t->subscription);
	liquid_set_text(r, "reason", t->reason);
	liquid_set_text(r, "took", milliseconds(w, t->total_us));
	liquid_set_text(r, "backend_took", t->backend_us ? milliseconds(w, t->backend_us) : STR("–"));
}

/* For who may look at traffic and not at those who make it. */
static void hide_caller(struct telemetry_call *t)
{
	t->subscription = t->key_prefix = t->application = t->user = t->client_ip = STR_NULL;
	if (t->detail.n)
		t->detail = STR("hidden");
}

/* What the account may see of what was found: calls of its environments, and who made them, also by asking for it, where it may see
 * that. How many are left. */
static size_t keep_seen(const struct rights *rights, struct store_call *rows, size_t n, bool by_caller)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		bool callers = rights_in(rights, RIGHT_VIEW_CALLERS, rows[i].call.environment);

		if (!rights_in(rights, RIGHT_VIEW_TRAFFIC, rows[i].call.environment) || (by_caller && !callers))
			continue;
		rows[kept] = rows[i];
		if (!callers)
			hide_caller(&rows[kept].call);
		kept++;
	}
	return kept;
}

/* The newest that the account may see: as many are read as it takes, so that nobody is shown less for what others call. One more is
 * asked for than is wanted, so that it is known whether there are older ones; they are before q->next. */
static GH_RC newest(struct web *w, struct calls_sought *q, struct store_calls_filter *f, bool by_caller, struct store_call **rows, size_t *n,
		    struct gh_err *err)
{
	for (;; f->limit *= 4) {
		size_t got;

		if (q->id.n)
			TRY(by_any_id(w, f, q->id, rows, &got, &by_caller, err));
		else
			TRY(store_calls(w->site->store, w->a, f, rows, &got, err));
		q->next = got == f->limit ? (*rows)[0].row : 0;
		*n = keep_seen(q->rights, *rows, got, by_caller);
		if (*n > q->limit || got < f->limit || f->limit >= CALLS_LOOKED_AT)
			break;
	}
	if (*n > q->limit) {                 /* oldest first */
		*rows += *n - q->limit;
		*n = q->limit;
		q->next = (*rows)[0].row;
	}
	return GH_RC_OK;
}

GH_RC admin_find_calls(struct web *w, struct calls_sought *q, struct store_call **rows, size_t *n, struct gh_err *err)
{
	struct store_calls_filter f = { .limit = q->limit + 1, .by_time = true, .before_row = q->before, .api = q->api.n ? q->api : STR_NULL,
					.subscription = q->subscription.n ? q->subscription : STR_NULL, .status = status_of(q->status) };
	bool by_caller = q->subscription.n > 0;
	struct gh_err why = { 0 };

	*n = 0;
	q->next = 0;
	if (q->range.n)
		(void)analytics_range(q->range, clock_wall_us(), &f.from_us, &f.to_us, &why).code;
	if (q->status.n && !f.status)
		gh_err_set(&why, GH_E_INVALID, __FILE__, __LINE__, "\"%.*s\" is no status: write one from 100 to 599, or a class such as 5xx",
			   STR_ARG(str_first(q->status, 40)));
	q->problem = why.code ? arena_dup(w->a, str_of(why.message)) : STR_NULL;
	if (why.code)
		return GH_RC_OK;
	return newest(w, q, &f, by_caller, rows, n, err);
}

gh_rc admin_calls(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "calls");
	struct calls_sought q = { .limit = CALLS_SHOWN, .rights = &w->rights };
	struct store_call *rows = NULL;
	char next[24];
	size_t n;

	q.id = param(w, "q");
	q.api = param(w, "api");
	q.subscription = param(w, "subscription");
	q.status = param(w, "status");
	q.range = param(w, "range");
	if (!str_to_i64(web_param(&w->rq.query, "before"), 1, INT64_MAX, &q.before))
		q.before = 0;
	TRY(admin_find_calls(w, &q, &rows, &n, err));
	liquid_set_text(w->page, "problem", q.problem.n ? q.problem : STR(""));
	if (n == 1 && q.id.n && !q.before)
		return web_redirect(w, arena_printf(w->a, "calls/%lld", (long long)rows[0].row), err);
	for (size_t i = n; i-- > 0;)                 /* newest first */
		admin_put_call(w, liquid_push_record(list), &rows[i]);
	liquid_set_bool(w->page, "searched", q.id.n || q.api.n || q.subscription.n || q.status.n || q.range.n);
	snprintf(next, sizeof(next), "%lld", (long long)q.next);
	liquid_set_text(w->page, "next_page", q.next ? admin_query(w, (const char *const[]){ "before", next, NULL }) : STR(""));
	liquid_set_text(w->page, "previous_page", q.before ? admin_query(w, (const char *const[]){ "before", "", NULL }) : STR(""));
	liquid_set_bool(w->page, "see_keys", web_may(w, WEB_VIEW_SUBSCRIPTIONS));
	liquid_set_text(w->page, "title", STR("Calls"));
	return web_page(w, "calls", err);
}

/* ---- one call -------------------------------------------------------------------------------------------------------------------- */

struct fact {
	const char *name;
	struct str value;
	const char *page;          /* with the value behind it: the page about it, NULL when there is none that the account may see */
};

static void put_facts(struct web *w, const char *list_name, const struct fact *v, size_t n)
{
	struct liquid_list *list = liquid_set_list(w->page, list_name);

	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = v[i].value.n ? liquid_push_record(list) : NULL;

		if (!r)
			continue;
		liquid_set_text(r, "name", str_of(v[i].name));
		liquid_set_text(r, "value", v[i].value);
		liquid_set_text(r, "page", v[i].page ? str_of(v[i].page) : STR(""));
	}
}

static struct str some_ms(struct web *w, uint32_t us)
{
	return us ? milliseconds(w, us) : STR_NULL;
}

/* "1: 503 after 2.1 ms …; 2: 200 after …" */
static struct str tries_text(struct web *w, const struct telemetry_call *t)
{
	struct str rest = t->tries, out = STR_NULL;
	struct telemetry_try one;
	struct buf words;

	if (!t->tries.n)
		return t->attempts ? arena_printf(w->a, "%d", t->attempts) : STR_NULL;
	buf_init(&words, 4096);
	for (int i = 1; telemetry_try_next(t, &rest, &one); i++) {
		buf_fmt(&words, "%s%d: ", i > 1 ? "; " : "", i);
		telemetry_try_words(&words, &one);
	}
	out = arena_dup(w->a, buf_view(&words));
	buf_release(&words);
	return out;
}

static void put_who(struct web *w, const struct telemetry_call *t)
{
	bool apis = web_may_in(w, WEB_VIEW_APIS, t->environment), keys = web_may_in(w, WEB_VIEW_SUBSCRIPTIONS, t->environment);
	bool people = web_may_everywhere(w, WEB_VIEW_PEOPLE);
	const struct fact who[] = {
		{ "Request id", t->request_id }, { "Environment", t->environment }, { "API", t->api, apis ? "apis/" : NULL },
		{ "Version", t->version }, { "Revision", t->revision }, { "Operation", t->operation },
		{ "Product", t->product, apis ? "edit/products?id=" : NULL },
		{ "Subscription", t->subscription, keys ? "edit/subscriptions?id=" : NULL }, { "Key begins with", t->key_prefix },
		{ "Application", t->application, people ? "edit/applications?id=" : NULL }, { "User", t->user, people ? "users/" : NULL },
		{ "Caller’s address", t->client_ip }, { "Host", t->host }, { "Trace", t->trace_id },
		{ "The backend’s own id", t->correlation },
	};

	put_facts(w, "who", who, ARRAY_LEN(who));
}

static void put_what(struct web *w, const struct telemetry_call *t)
{
	const struct fact decided[] = {
		{ "Answered by", str_of(telemetry_origin_name((enum telemetry_origin)t->origin)) },
		{ "Cache", t->cache ? str_of(telemetry_cache_name((enum telemetry_cache)t->cache)) : STR("not asked") },
		{ "Limit", t->limits }, { "Backend", t->backend }, { "Shown to the backend", t->credential },
		{ "Tries at the backend", tries_text(w, t) },
		{ "Its last status", t->backend_status ? arena_printf(w->a, "%d", t->backend_status) : STR_NULL },
		{ "Body from the client", arena_printf(w->a, "%.*s bytes", STR_ARG(web_number(w, (int64_t)t->bytes_in))) },
		{ "Body to the client", arena_printf(w->a, "%.*s bytes", STR_ARG(web_number(w, (int64_t)t->bytes_out))) },
		{ "Body to the backend", t->attempts ? arena_printf(w->a, "%.*s bytes", STR_ARG(web_number(w, (int64_t)t->backend_bytes_out))) : STR_NULL },
		{ "Body from the backend", t->attempts ? arena_printf(w->a, "%.*s bytes", STR_ARG(web_number(w, (int64_t)t->backend_bytes_in))) : STR_NULL },
	};
	const struct fact times[] = {
		{ "In all", milliseconds(w, t->total_us) }, { "In the gateway", milliseconds(w, t->gateway_us) },
		{ "Waiting for the backend", some_ms(w, t->backend_us) }, { "Last try: name", some_ms(w, t->dns_us) },
		{ "Last try: connection", some_ms(w, t->connect_us) }, { "Last try: TLS", some_ms(w, t->tls_us) },
		{ "Last try: first byte", some_ms(w, t->first_byte_us) },
	};

	put_who(w, t);
	put_facts(w, "decided", decided, ARRAY_LEN(decided));
	put_facts(w, "times", times, ARRAY_LEN(times));
}

static void put_why(struct web *w, const struct telemetry_call *t)
{
	struct refusal_help help = refusal_help(t->reason);

	liquid_set_text(w->page, "reason", t->reason);
	liquid_set_text(w->page, "layer", t->reason.n ? help.layer : STR(""));
	liquid_set_text(w->page, "decision", t->decision);
	liquid_set_text(w->page, "place", t->place);
	liquid_set_text(w->page, "compared", t->detail);
	liquid_set_text(w->page, "fix", t->reason.n && help.fix.n ? help.fix : STR(""));
}

/* Lines as fcgi/call_record.c writes them: "inbound api rate-limit:12 15us what was decided". */
static void put_steps(struct web *w, const struct telemetry_call *t)
{
	static const char *const names[] = { "section", "scope", "policy", "took" };
	struct liquid_list *list = liquid_set_list(w->page, "steps");
	struct str rest = t->steps, line;

	while (rest.n && str_split(&rest, '\n', &line)) {
		struct liquid_record *r = liquid_push_record(list);

		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			size_t blank = str_find_char(line, ' ');

			liquid_set_text(r, names[i], str_first(line, blank));
			line = blank == SIZE_MAX ? STR("") : str_from(line, blank + 1);
		}
		liquid_set_text(r, "decision", line);
	}
}

GH_RC admin_call_captured(struct web *w, const struct telemetry_call *t, struct str *out, struct gh_err *err)
{
	struct cache *cache = NULL;
	json_t *v = NULL;

	if (web_may_everywhere(w, WEB_CAPTURE_CALLS))
		TRY(web_cache(w, &cache, err));
	if (cache)
		TRY(store_captured_call(cache, w->a, t->request_id, &v, err));
	*out = v ? t->request_id : STR("");
	return GH_RC_OK;
}

GH_RC admin_call_find(struct web *w, struct str id, struct store_call *out, bool *found, bool *denied, bool *hidden, struct gh_err *err)
{
	const struct store_calls_filter of_id = { .request_id = id, .limit = 1 };
	struct store_call *rows = NULL;
	uint64_t row = 0;
	size_t n = 0;

	*found = *denied = *hidden = false;
	if (str_to_u64(id, INT64_MAX - 1, &row) && row)
		TRY(store_call_at(w->site->store, w->a, (int64_t)row, &rows, &n, err));
	if (!n && id.n)
		TRY(store_calls(w->site->store, w->a, &of_id, &rows, &n, err));
	if (!n)
		return GH_RC_OK;
	*found = true;
	*out = rows[0];
	*denied = !web_may_in(w, WEB_VIEW_TRAFFIC, out->call.environment);
	*hidden = !web_may_in(w, WEB_VIEW_CALLERS, out->call.environment);
	if (*hidden)
		hide_caller(&out->call);
	return GH_RC_OK;
}

gh_rc admin_call(struct web *w, struct gh_err *err)
{
	bool found, denied, hidden;
	struct str captured;
	struct store_call c;

	TRY(admin_call_find(w, w->rq.args[0], &c, &found, &denied, &hidden, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such call");
	if (denied)
		FAIL(err, DENIED, "a call of another environment");
	liquid_set_bool(w->page, "hidden", hidden);
	admin_put_call(w, liquid_set_record(w->page, "call"), &c);
	put_what(w, &c.call);
	put_why(w, &c.call);
	put_steps(w, &c.call);
	TRY(admin_call_captured(w, &c.call, &captured, err));
	liquid_set_text(w->page, "captured", captured);
	liquid_set_text(w->page, "title", STR("One call"));
	return web_page(w, "call", err);
}
