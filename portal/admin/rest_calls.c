/* rest_calls.c - single calls by the management API, with all that was decided of each: what the page Calls and `gatehouse log` find. */
#include "portal/admin/rest.h"

#include "core/refusal.h"
#include "core/str.h"
#include "core/telemetry.h"
#include "db/telemetry.h"
#include "portal/admin/admin.h"

enum { LISTED = 100, LISTED_MAX = 1000, RECORD_BYTES_MAX = 64 << 10 };

static const struct {
	const char *name, *description;
	size_t at;
} filters[] = {
	{ "id", "Request id, the backend's own id, traceparent or trace id, the first 6 characters of a key, or the caller's address",
	  offsetof(struct calls_sought, id) },
	{ "api", "Calls of this API", offsetof(struct calls_sought, api) },
	{ "subscription", "With keys of this subscription", offsetof(struct calls_sought, subscription) },
	{ "status", "Answered with this status (429) or class (5xx)", offsetof(struct calls_sought, status) },
	{ "range", "24h, 7d, today, yesterday, or FROM/TO: two days or two times (RFC 3339)", offsetof(struct calls_sought, range) },
};

/* The record as the log prints it; of a refusal besides what mends it. */
static GH_RC record_json(struct web *w, const struct telemetry_call *t, json_t **out, struct gh_err *err)
{
	struct refusal_help help = refusal_help(t->reason);
	struct buf b;
	gh_rc rc;

	buf_init(&b, RECORD_BYTES_MAX);
	telemetry_json(&b, t);
	rc = jsn_parse_in(w->a, buf_view(&b), NULL, out, NULL, err);
	buf_release(&b);
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
	struct str limit = web_param(&w->rq.query, "limit");
	json_t *items = json_array(), *one;
	struct store_call *rows = NULL;
	int64_t most = LISTED;
	size_t n;

	if (!jsn_keep(w->a, items))
		FAIL(err, NOMEM, "list of calls");
	if (limit.n && !str_to_i64(limit, 1, LISTED_MAX, &most))
		return rest_problem(r, 400, "bad-request", STR("limit is a number from 1 to 1000."), NULL, err);
	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		*(struct str *)(void *)((char *)&q + filters[i].at) = str_trim(web_param(&w->rq.query, filters[i].name));
	q.limit = (size_t)most;
	TRY(admin_find_calls(w, &q, &rows, &n, err));
	if (q.problem.n)
		return rest_problem(r, 400, "bad-request", q.problem, NULL, err);
	for (size_t i = n; i-- > 0;) {               /* newest first */
		TRY(record_json(w, &rows[i].call, &one, err));
		json_array_append(items, one);
	}
	one = jsn_keep(w->a, json_pack("{s:b, s:O}", "full", n == q.limit, "items", items));
	if (!one)
		FAIL(err, NOMEM, "list of calls");
	return web_json(w, 200, "application/json", one, err);
}

/* ---- in the OpenAPI document ---------------------------------------------------------------------------------------------- */

json_t *rest_describe_calls(const struct rest_route *route UNUSED, const struct resource_kind *kind UNUSED)
{
	static const char *const refusals[] = { "400", "401", "403", "406" };
	json_t *parameters = json_array(), *answers;

	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		json_array_append_new(parameters, json_pack("{s:s, s:s, s:s, s:{s:s}}", "name", filters[i].name, "in", "query", "description",
							   filters[i].description, "schema", "type", "string"));
	json_array_append_new(parameters, json_pack("{s:s, s:s, s:s, s:{s:s, s:i, s:i}}", "name", "limit", "in", "query", "description",
						   "At most so many, the newest first", "schema", "type", "integer", "minimum", 1, "maximum", LISTED_MAX));
	answers = json_pack("{s:{s:s, s:{s:{s:{s:s, s:[s, s], s:{s:{s:s, s:s}, s:{s:s, s:{s:s}}}}}}}}", "200", "description",
			    "The records, as gatehouse log --format json prints them", "content", "application/json", "schema", "type", "object", "required",
			    "full", "items", "properties", "full", "type", "boolean", "description", "There may be older ones; narrow the range", "items",
			    "type", "array", "items", "type", "object");
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		json_object_set_new(answers, refusals[i], json_pack("{s:s}", "$ref", "#/components/responses/Problem"));
	return json_pack("{s:s, s:s, s:s, s:[s], s:o, s:o, s:[{s:[]}]}", "operationId", "getCalls", "summary", "Single calls", "description",
			 "What was decided of each call, and why one was refused. Scope read or read:analytics.", "tags", "analytics", "parameters",
			 parameters, "responses", answers, "security", "token");
}
