/* rest_files.c - configuration files over the management API: GET /export gives them out, POST /plan and POST /apply take the files of a directory as text and do
 * what `gatehouse plan` and `apply` do, in one transaction. Whoever asks needs the right to change each kind that stands in the files
 * or is covered by them; seeing a plan needs the right to see them. */
#include "portal/admin/rest_deed.h"

#include "config/files/export.h"
#include "config/files/plan.h"
#include "core/str.h"
#include "db/machine_tokens.h"

struct given {
	json_t *files, *secrets;
	bool placeholders;
	struct str state;
};

/* [{"path", "text"}] as a tree; *ok false: refused. */
static GH_RC tree_of(struct rest *r, const json_t *files, struct tree *t, bool *ok, struct gh_err *err)
{
	struct gh_err why;
	gh_rc rc = GH_RC_OK;
	struct str at = STR("#/files");
	size_t i;
	json_t *v;

	tree_init(t, r->w->a);
	json_array_foreach(files, i, v) {
		if (rc.code)
			break;
		at = arena_printf(r->w->a, "#/files/%zu", i);
		if (!json_is_string(jsn_get(v, "text")))
			rc = gh_err_set(&why, GH_E_INVALID, __FILE__, __LINE__, "file %zu has no text", i);
		else
			rc = tree_add(t, jsn_str(v, "path"), jsn_str(v, "text"), &why);
	}
	if (!rc.code)
		rc = tree_finish(t, &why);
	*ok = !rc.code;
	if (rc.code == GH_E_INVALID || rc.code == GH_E_LIMIT)
		return rest_problem(r, 422, "invalid", str_of(why.message), json_pack("[{s:s%, s:s}]", "pointer", at.p, at.n, "detail", why.message), err);
	return rc.code ? rest_refused(r, rc, &why, NULL, err) : GH_RC_OK;
}

const struct resource_kind *rest_forbidden(const struct rest *r, const struct files_set *set, bool write)
{
	for (size_t i = 0; resource_kinds[i]; i++) {
		const struct resource_kind *k = resource_kinds[i];
		bool touched = set->covers[i];

		for (size_t d = 0; d < set->n && !touched; d++)
			touched = set->docs[d].kind == k;
		if (touched && (!rest_may(r, admin_right_of(k, write)) || !store_scopes_allow(r->who.scopes, write, str_of(k->plural))))
			return k;
	}
	return NULL;
}

gh_rc rest_files_problems(struct rest *r, const struct files_set *set, const char *pointer, struct gh_err *err)
{
	json_t *list = json_array();

	for (size_t i = 0; i < set->n_problems; i++) {
		const struct files_problem *p = &set->problems[i];

		json_array_append_new(list, json_pack("{s:s, s:s%, s:s%, s:i, s:i}", "pointer", pointer, "detail", p->message.p, p->message.n, "file",
				      p->file.p ? p->file.p : "", p->file.n, "line", (int)p->at.line, "column", (int)p->at.column));
	}
	return rest_problem(r, 422, "invalid", arena_printf(r->w->a, "%zu problem%s in the files; nothing was changed.", set->total_problems,
			    set->total_problems == 1 ? "" : "s"), list, err);
}

bool rest_blind_to_alerts(const struct rest *r)
{
	const struct resource_kind *k = resource_kind_find(STR("alert-rule"));

	return !rest_may(r, admin_right_of(k, false)) || !store_scopes_allow(r->who.scopes, false, str_of(k->plural));
}

static GH_RC tell(struct rest *r, void *ctx, struct gh_err *err)
{
	json_t *v = jsn_keep(r->w->a, plan_json(ctx));

	if (!v)
		FAIL(err, NOMEM, "plan");
	return web_json(r->w, 200, "application/json", v, err);
}

static GH_RC work(struct rest *r, bool apply, struct gh_err *err)
{
	static const struct rest_member members[] = {
		{ "files", REST_LIST, true, offsetof(struct given, files) }, { "secrets", REST_OBJECT, false, offsetof(struct given, secrets) },
		{ "placeholders", REST_BOOL, false, offsetof(struct given, placeholders) }, { "state", REST_TEXT, false, offsetof(struct given, state) },
		{ NULL },
	};
	struct plan p;
	struct rest_look look = { .r = r, .tell = tell, .ctx = &p };
	struct plan_options o = { .actor = r->who.actor, .dry_run = !apply || r->dry_run, .impact = true, .theme = &r->w->site->theme,
				  .blind_to_alerts = rest_blind_to_alerts(r), .look = rest_look, .look_ctx = &look };
	struct files_set *set = arena_new_of(r->w->a, struct files_set);
	const struct resource_kind *not;
	struct given x = { .files = NULL };
	struct gh_err why;
	struct tree t;
	bool ok;
	gh_rc rc;

	if (!set)
		FAIL(err, NOMEM, "files");
	r->dry_run = o.dry_run;
	TRY(rest_take_body(r, members, &x, &ok, err));
	if (ok)
		TRY(tree_of(r, x.files, &t, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(files_set_read(set, r->w->a, &t, err));
	not = rest_forbidden(r, set, apply);
	if (not)
		return rest_problem(r, 403, "forbidden", arena_printf(r->w->a, "You may not %s %s.", apply ? "change" : "see", not->plural), NULL, err);
	o.secrets = x.secrets;
	o.placeholders = x.placeholders;
	o.state = x.state;
	rc = plan_run(r->w->site->store, r->w->a, set, &o, &p, &why);
	if (!rc.code || look.again)
		return GH_RC_OK;
	buf_clear(&r->w->rs.body);
	if (rc.code == GH_E_INVALID && set->total_problems)
		return rest_files_problems(r, set, "#/files", err);
	return rest_refused(r, rc, &why, NULL, err);
}

gh_rc rest_plan(struct rest *r, struct gh_err *err)
{
	return work(r, false, err);
}

gh_rc rest_apply(struct rest *r, struct gh_err *err)
{
	return work(r, true, err);
}

gh_rc rest_export(struct rest *r, struct gh_err *err)
{
	const struct files_export what = { .api = web_param(&r->w->rq.query, "api"), .environment = web_param(&r->w->rq.query, "environment") };
	struct files_set *set = arena_new_of(r->w->a, struct files_set);
	const struct resource_kind *not;
	static const char *const known[] = { "api", "environment", NULL };
	json_t *files = json_array(), *v;
	struct gh_err why;
	struct tree t;
	bool ok;
	gh_rc rc;

	v = jsn_keep(r->w->a, json_pack("{s:o}", "files", files));
	if (!v || !set)
		FAIL(err, NOMEM, "export");
	TRY(rest_known(r, known, &ok, err));
	if (!ok)
		return GH_RC_OK;
	rc = files_export(r->w->site->store, r->w->a, &what, &t, &why);
	if (rc.code)
		return rest_refused(r, rc, &why, NULL, err);
	TRY(files_set_read(set, r->w->a, &t, err));
	not = rest_forbidden(r, set, false);
	if (not)
		return rest_problem(r, 403, "forbidden", arena_printf(r->w->a, "You may not see %s.", not->plural), NULL, err);
	for (size_t i = 0; i < t.n; i++)
		json_array_append_new(files, json_pack("{s:s%, s:s%}", "path", t.files[i].path.p, t.files[i].path.n, "text",
				      t.files[i].bytes.p ? t.files[i].bytes.p : "", t.files[i].bytes.n));
	return web_json(r->w, 200, "application/json", v, err);
}

/* ---- in the OpenAPI document ---------------------------------------------------------------------------------------------------------- */

static json_t *file_schema(void)
{
	return json_pack("{s:s, s:[s, s], s:{s:{s:s, s:s}, s:{s:s}}}", "type", "object", "required", "path", "text", "properties", "path", "type",
			 "string", "description", "From the directory, with /: apis/orders/api.yaml", "text", "type", "string");
}

static json_t *request_schema(void)
{
	return json_pack("{s:s, s:[s], s:{s:{s:s, s:o}, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s}}}", "type", "object", "required", "files", "properties", "files",
			 "type", "array", "items", file_schema(), "secrets", "type", "object", "description",
			 "Secrets that the files only say to be kept: {\"named-value/erp-password/secret\": \"text\"}", "placeholders", "type", "boolean",
			 "description", "A secret that is missing becomes a random text", "state", "type", "string", "description",
			 "The state of a plan: 409 when something else would be done now");
}

static json_t *plan_schema(void)
{
	json_t *change = json_pack("{s:s, s:{s:{s:s, s:[s, s, s]}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:{s:s}}}}", "type",
				   "object", "properties", "action", "type", "string", "enum", "create", "change", "delete", "kind", "type", "string", "id",
				   "type", "string", "file", "type", "string", "allCalls", "type", "boolean", "subscriptions", "type", "integer",
				   "description", "Live ones that it touches", "callsOfSevenDays", "type", "integer", "description",
				   "Calls through what it touches", "fields", "type", "array", "items", "type", "object");

	return json_pack("{s:s, s:[s, s, s], s:{s:{s:s, s:o}, s:{s:s, s:{s:s}}, s:{s:s, s:{s:s}}, s:{s:s, s:s}, s:{s:s}}}", "type", "object", "required",
			 "changes", "missing", "summary", "properties", "changes", "type", "array", "items", change, "missing", "type", "array", "items", "type",
			 "object", "warnings", "type", "array", "items", "type", "string", "state", "type", "string", "description",
			 "Of the configuration that it is for: give it to apply", "summary", "type", "object");
}

json_t *rest_describe_files(const struct rest_route *route, const struct resource_kind *kind UNUSED)
{
	bool apply = route->run == rest_apply, promote = route->run == rest_promote;
	json_t *answers = json_pack("{s:{s:s, s:{s:{s:o}}}}", "200", "description", apply || promote ? "What was done" : "What apply would do", "content",
				    "application/json", "schema", plan_schema());
	static const char *const refusals[] = { "400", "401", "403", "404", "406", "409", "413", "415", "422" };

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		json_object_set_new(answers, refusals[i], json_pack("{s:s}", "$ref", "#/components/responses/Problem"));
	return json_pack("{s:s, s:s, s:s, s:[s], s:o, s:{s:b, s:{s:{s:o}}}, s:o, s:[{s:[]}]}", "operationId", promote ? "promoteApi" : apply ? "applyFiles" : "planFiles", "summary",
			 promote ? "Take an API from one environment into another" : apply ? "Make the configuration what files say" : "What files would change", "description",
			 promote ? "What goes along is named; the instance that is there already is brought up to date. Dry-run shows the difference."
			 : "The files of a directory as `gatehouse export` writes it. One transaction; with one thing wrong nothing is changed.", "tags",
			 "about", "parameters", route->writes ? rest_write_parameters() : json_array(), "requestBody", "required", 1, "content", "application/json",
			 "schema", promote ? rest_promote_schema() : request_schema(), "responses", answers, "security", "token");
}

static json_t *export_parameter(const char *name, const char *description)
{
	return json_pack("{s:s, s:s, s:s, s:{s:s}}", "name", name, "in", "query", "description", description, "schema", "type", "string");
}

json_t *rest_describe_export(const struct rest_route *route UNUSED, const struct resource_kind *kind UNUSED)
{
	json_t *files = json_pack("{s:s, s:[s], s:{s:{s:s, s:o}}}", "type", "object", "required", "files", "properties", "files", "type", "array", "items",
				  file_schema());
	json_t *answers = json_pack("{s:{s:s, s:{s:{s:o}}}}", "200", "description", "The files, as POST /plan and /apply take them", "content",
				    "application/json", "schema", files);
	static const char *const refusals[] = { "400", "401", "403", "404", "406" };

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		json_object_set_new(answers, refusals[i], json_pack("{s:s}", "$ref", "#/components/responses/Problem"));
	return json_pack("{s:s, s:s, s:s, s:[s], s:[o, o], s:o, s:[{s:[]}]}", "operationId", "exportFiles", "summary", "The configuration as files", "description",
			 "What `gatehouse export` writes, without people and theme. Secrets are never in it.", "tags", "about", "parameters",
			 export_parameter("api", "Only this API, with what it needs"), export_parameter("environment", "Only what belongs to this environment"),
			 "responses", answers, "security", "token");
}
