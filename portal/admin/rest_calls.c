/* rest_calls.c - single calls by the management API, with all that was decided of each: what the page Calls and `gatehouse log` find. */
#include "portal/admin/rest_deed.h"

#include "core/refusal.h"
#include "core/str.h"
#include "core/telemetry.h"
#include "db/telemetry.h"
#include "portal/admin/admin.h"

enum { LISTED = 100, LISTED_MAX = 1000, RECORD_BYTES_MAX = 64 << 10 };

static const struct {
	const char *name;
	size_t at;
} filters[] = {
	{ "id", offsetof(struct calls_sought, id) },         { "api", offsetof(struct calls_sought, api) },
	{ "subscription", offsetof(struct calls_sought, subscription) },
	{ "status", offsetof(struct calls_sought, status) }, { "range", offsetof(struct calls_sought, range) },
};

/* The record as the log prints it; of a refusal besides what mends it. */
gh_rc rest_call_json(struct web *w, const struct store_call *c, json_t **out, struct gh_err *err)
{
	const struct telemetry_call *t = &c->call;
	struct refusal_help help = refusal_help(t->reason);
	struct buf b;
	gh_rc rc;

	buf_init(&b, RECORD_BYTES_MAX);
	telemetry_json(&b, t);
	rc = jsn_parse_in(w->a, buf_view(&b), NULL, out, NULL, err);
	buf_release(&b);
	if (!rc.code)
		json_object_set_new(*out, "row", json_integer((json_int_t)c->row));
	if (!rc.code && t->reason.n) {
		json_object_set_new(*out, "layer", json_stringn(help.layer.p, help.layer.n));
		json_object_set_new(*out, "fix", help.fix.n ? json_stringn(help.fix.p, help.fix.n) : json_null());
	}
	return rc;
}

gh_rc rest_calls(struct rest *r, struct gh_err *err)
{
	struct web *w = r->w;
	struct calls_sought q = { .rights = &r->who.rights };
	const char *known[ARRAY_LEN(filters) + 1] = { NULL };
	json_t *items = json_array(), *one;
	struct store_call *rows = NULL;
	struct rest_window window;
	size_t n;
	bool ok;

	if (!jsn_keep(w->a, items))
		FAIL(err, NOMEM, "list of calls");
	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		known[i] = filters[i].name;
	TRY(rest_window(r, known, LISTED, LISTED_MAX, &window, &ok, err));
	if (!ok)
		return GH_RC_OK;
	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		*(struct str *)(void *)((char *)&q + filters[i].at) = str_trim(web_param(&w->rq.query, filters[i].name));
	q.limit = window.limit;
	q.before = window.before;
	TRY(admin_find_calls(w, &q, &rows, &n, err));
	if (q.problem.n)
		return rest_problem(r, 400, "bad-request", q.problem, NULL, err);
	for (size_t i = n; i-- > 0;) {               /* newest first */
		TRY(rest_call_json(w, &rows[i], &one, err));
		json_array_append(items, one);
	}
	return rest_window_answer(r, items, q.next, err);
}

gh_rc rest_call(struct rest *r, struct gh_err *err)
{
	static const char *const none[] = { NULL };
	bool found, denied, hidden, ok;
	struct store_call c;
	struct str captured;
	json_t *v;

	TRY(rest_known(r, none, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(admin_call_find(r->w, r->args[0], &c, &found, &denied, &hidden, err));
	if (!found)
		return rest_problem(r, 404, "not-found", STR("There is no such call; single calls are kept as telemetry.raw_days and telemetry.raw_bytes say."),
				    NULL, err);
	if (denied)
		return rest_problem(r, 403, "forbidden", STR("This is a call of an environment that you may not see."), NULL, err);
	TRY(admin_call_captured(r->w, &c.call, &captured, err));
	TRY(rest_call_json(r->w, &c, &v, err));
	json_object_set_new(v, "captured", json_boolean(captured.n > 0));
	json_object_set_new(v, "hidden", json_boolean(hidden));
	return web_json(r->w, 200, "application/json", v, err);
}

/* ---- in the OpenAPI document ---------------------------------------------------------------------------------------------- */

#define FILTER(name, words) "{'name': '" name "', 'description': '" words "', 'schema': {'type': 'string'}}"
#define RECORD "'row': {'type': 'integer'}, 'time': {'type': 'string', 'format': 'date-time'}, 'status': {'type': 'integer'}, 'request_id': {'type': 'string'}," \
	"'reason': {'type': 'string', 'description': 'Why the gateway answered; empty when it did not'},"                                       \
	"'steps': {'type': 'string', 'description': 'What each policy did, a line each'}, 'tries': {'type': 'string'},"                          \
	"'fix': {'type': ['string', 'null'], 'description': 'What mends a refusal'}"

json_t *rest_describe_calls(const struct rest_route *route, const struct resource_kind *kind UNUSED)
{
	static const struct rest_about table[] = {
		{ .run = rest_calls, .operation = "getCalls", .summary = "Single calls, the newest first",
		  .description = "The records as gatehouse log --format json prints them: what was decided of each call, and why one was refused.",
		  .tag = "analytics", .query = "[" FILTER("id", "Request id, the id of the backend, traceparent or trace id, the first 6 characters of a key, or the address "
		  "of the caller") "," FILTER("api", "Calls of this API") "," FILTER("subscription", "With keys of this subscription") ","
		  FILTER("status", "Answered with this status (429) or class (5xx)") "," FILTER("range", "24h, 7d, today, yesterday, or FROM/TO: two days or two "
		  "times (RFC 3339)") "," REST_WINDOW("1000") "]",
		  .answer = REST_LIST_OF("{'type': 'object', 'required': ['row', 'time', 'status'], 'properties': {" RECORD "}}"), .refusals = "400" },
		{ .run = rest_call, .operation = "getCall", .summary = "One call with all that was decided",
		  .description = "By the number of its row or by its request id. What the page of a call and gatehouse log --id show.", .tag = "analytics",
		  .answer = "{'type': 'object', 'required': ['row', 'time', 'status', 'captured', 'hidden'], 'properties': {" RECORD ","
		  "'captured': {'type': 'boolean', 'description': 'Headers and bodies are at /captured-calls/{request id}'},"
		  "'hidden': {'type': 'boolean', 'description': 'Who called is left out: the role does not tell'}}}", .refusals = "400 404" },
		{ .run = NULL },
	};

	return rest_operation(route, table);
}
