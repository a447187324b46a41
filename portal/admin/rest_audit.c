/* rest_audit.c - the audit trail by the management API: the entries that the page Audit shows, its export, and whether the chain of
 * hashes is whole, which `gatehouse doctor` says too. */
#include "portal/admin/rest_deed.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/audit.h"
#include "portal/admin/admin.h"

enum { LISTED = 50, LISTED_MAX = 1000 };

/* The page passes over a day that is none; a program is told. *ok false: the answer stands. */
static GH_RC check_days(struct rest *r, bool *ok, struct gh_err *err)
{
	static const char *const days[] = { "from", "to" };

	*ok = true;
	for (size_t i = 0; i < ARRAY_LEN(days) && *ok; i++) {
		struct str v = str_trim(web_param(&r->w->rq.query, days[i]));
		int64_t us;

		*ok = !v.n || clock_parse_date(v, &us);
		if (!*ok)
			return rest_problem(r, 400, "bad-request", arena_printf(r->w->a, "%s is a day (2027-01-31) or a time (RFC 3339).", days[i]), NULL, err);
	}
	return GH_RC_OK;
}

gh_rc rest_audit(struct rest *r, struct gh_err *err)
{
	static const char *const known[] = { "actor", "kind", "action", "object", "from", "to", NULL };
	struct web *w = r->w;
	struct store_audit_filter f = admin_audit_filter(w);
	struct store_audit_entry *v;
	json_t *items = json_array();
	struct rest_window window;
	size_t n;
	bool ok;

	if (!jsn_keep(w->a, items))
		FAIL(err, NOMEM, "audit");
	TRY(rest_window(r, known, LISTED, LISTED_MAX, &window, &ok, err));
	if (ok)
		TRY(check_days(r, &ok, err));
	if (!ok)
		return GH_RC_OK;
	f.before_seq = window.before;
	f.limit = window.limit + 1;
	TRY(store_audit_find(w->site->store, w->a, &f, &v, &n, err));
	for (size_t i = 0; i < n && i < window.limit; i++)
		json_array_append_new(items, admin_audit_json(w, &v[i]));
	return rest_window_answer(r, items, n > window.limit ? v[window.limit - 1].seq : 0, err);
}

gh_rc rest_audit_export(struct rest *r, struct gh_err *err)
{
	static const char *const known[] = { "actor", "kind", "action", "object", "from", "to", "format", NULL };
	struct str format = web_param(&r->w->rq.query, "format");
	bool ok;

	TRY(rest_known(r, known, &ok, err));
	if (ok)
		TRY(check_days(r, &ok, err));
	if (ok && format.n && !str_eq(format, STR("csv")) && !str_eq(format, STR("json")))
		return rest_problem(r, 400, "bad-request", STR("format is csv or json."), NULL, err);
	return ok ? admin_audit_export(r->w, err) : GH_RC_OK;
}

gh_rc rest_audit_chain(struct rest *r, struct gh_err *err)
{
	const struct store_audit_filter newest = { .limit = 1 };
	struct store *s = r->w->site->store;
	struct store_audit_entry *last;
	int64_t broken;
	json_t *v;
	size_t n;

	TRY(store_read_begin(s, err));
	gh_rc rc = store_audit_find(s, r->w->a, &newest, &last, &n, err);
	if (!rc.code)
		rc = store_audit_verify(s, &broken, err);
	store_read_end(s);
	TRY(rc);
	v = jsn_keep(r->w->a, json_pack("{s:b, s:I, s:o, s:o}", "whole", !broken, "entries", n ? (json_int_t)last[0].seq : 0, "lastHash",
					n ? json_stringn(last[0].hash.p, last[0].hash.n) : json_null(), "brokenAt",
					broken ? json_integer((json_int_t)broken) : json_null()));
	if (!v)
		FAIL(err, NOMEM, "chain");
	return web_json(r->w, 200, "application/json", v, err);
}

/* ---- in the OpenAPI document ---------------------------------------------------------------------------------------------- */

#define FILTERS "{'name': 'actor', 'description': 'Who, or a part of it', 'schema': {'type': 'string'}},"                                \
	"{'name': 'kind', 'description': 'Of what: product', 'schema': {'type': 'string'}},"                                              \
	"{'name': 'action', 'description': 'update', 'schema': {'type': 'string'}},"                                                      \
	"{'name': 'object', 'description': 'Its id, or a part of it', 'schema': {'type': 'string'}},"                                     \
	"{'name': 'from', 'description': 'From this day or time on', 'schema': {'type': 'string'}},"                                      \
	"{'name': 'to', 'description': 'Up to this day, which belongs to it', 'schema': {'type': 'string'}}"
#define ENTRY "{'type': 'object', 'required': ['number', 'at', 'actor', 'action', 'kind', 'object', 'detail', 'hash'], 'properties': {"  \
	"'number': {'type': 'integer'}, 'at': {'type': 'string', 'format': 'date-time'}, 'actor': {'type': 'string'},"                   \
	"'action': {'type': 'string'}, 'kind': {'type': 'string'}, 'object': {'type': 'string'},"                                        \
	"'detail': {'description': 'What was written: mostly {before, after}, without secrets'},"                                        \
	"'hash': {'type': 'string', 'description': 'SHA-256 over the entry and the hash of the one before'}}}"

json_t *rest_describe_audit(const struct rest_route *route, const struct resource_kind *kind UNUSED)
{
	static const struct rest_about table[] = {
		{ .run = rest_audit, .operation = "listAudit", .summary = "Who changed what, the newest first", .tag = "observed",
		  .query = "[" FILTERS ", " REST_WINDOW("1000") "]", .answer = REST_LIST_OF(ENTRY), .refusals = "400" },
		{ .run = rest_audit_export, .operation = "exportAudit", .summary = "The trail as one file",
		  .description = "What the page exports: at most 10,000 entries, the newest. CSV unless format says json.", .tag = "observed",
		  .query = "[" FILTERS ", {'name': 'format', 'description': 'csv or json', 'schema': {'type': 'string', 'enum': ['csv', 'json']}}]",
		  .answer = "{'type': 'string'}", .refusals = "400", .media_type = "text/csv" },
		{ .run = rest_audit_chain, .operation = "verifyAudit", .summary = "Whether the chain of hashes is whole",
		  .description = "Reads the whole trail, as gatehouse doctor does. Keep entries and lastHash elsewhere to see that no newest ones are gone.",
		  .tag = "observed", .answer = "{'type': 'object', 'required': ['whole', 'entries', 'lastHash', 'brokenAt'], 'properties': {"
		  "'whole': {'type': 'boolean'}, 'entries': {'type': 'integer'}, 'lastHash': {'type': ['string', 'null']},"
		  "'brokenAt': {'type': ['integer', 'null'], 'description': 'Number of the first entry that does not fit'}}}", .refusals = "" },
		{ .run = NULL },
	};

	return rest_operation(route, table);
}
