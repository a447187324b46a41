/* rest_policy.c - what the editor of policies does, as calls: the history of a document and going back in it, the check and the trial of
 * a text that nobody has saved, what really happens to a call, what there is to write. Saving is the kind "policies". */
#include "portal/admin/rest_deed.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/policy_history.h"
#include "portal/admin/diff.h"
#include "portal/admin/policies.h"

enum { VERSIONS_LISTED = 50, TEXT_MOST = 1 << 20, CATALOGUE_MOST = 4 << 20 };

/* The scope, and whether the caller may there what the page takes; *ok false: the answer stands. */
static GH_RC find_place(struct rest *r, struct str scope, struct policy_place *out, bool *ok, struct gh_err *err)
{
	bool change = r->route->right == WEB_CHANGE_POLICIES;
	struct gh_err why;
	gh_rc rc;

	*ok = false;
	scope = str_trim(scope);                 /* as policy_place_find reads it: the right is asked for of the place that is shown */
	if (!scope.n)
		return rest_problem(r, 400, "bad-request", STR("scope is required: global, product:ID, api:ID, operation:API/OP ..."), NULL, err);
	TRY(resource_allowed(r->w->site->store, resource_kind_find(STR("policy")), scope, change, ok, err));
	if (!*ok)
		return rest_problem(r, 403, "forbidden", STR("You have no right to where this belongs."), NULL, err);
	rc = policy_place_find(r->w, scope, out, &why);
	*ok = !rc.code;
	return rc.code ? rest_refused(r, rc, &why, NULL, err) : GH_RC_OK;
}

static GH_RC answer(struct rest *r, json_t *v, struct gh_err *err)
{
	v = jsn_keep(r->w->a, v);
	if (!v)
		FAIL(err, NOMEM, "answer");
	TRY(web_json(r->w, 200, "application/json", v, err));
	web_compress(r->w);
	return GH_RC_OK;
}

static json_t *text(struct str s)
{
	return s.p ? json_stringn(s.p, s.n) : json_null();
}

/* ---- history ------------------------------------------------------------------------------------------------------------------ */

static json_t *past_json(const struct store_policy_past *v, bool newest)
{
	char at[CLOCK_ISO_MAX];

	return json_pack("{s:o, s:s, s:o, s:b, s:b}", "version", json_sprintf("%lld", (long long)v->id), "at", clock_iso(v->at_us, 0, at), "actor",
			 v->actor.n ? text(v->actor) : json_null(), "removed", !v->bytes.p, "newest", newest);
}

gh_rc rest_policy_versions(struct rest *r, struct gh_err *err)
{
	static const char *const known[] = { "scope", NULL };
	json_t *items = jsn_keep(r->w->a, json_array());
	struct store_policy_past *v;
	struct policy_place place;
	struct rest_window window;
	int64_t next = 0;
	bool ok;
	size_t n;

	TRY(rest_window(r, known, VERSIONS_LISTED, POLICY_HISTORY_MAX, &window, &ok, err));
	if (ok)
		TRY(find_place(r, web_param(&r->w->rq.query, "scope"), &place, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(store_policy_history(r->w->site->store, r->w->a, &place.scope, &v, &n, err));
	for (size_t i = 0; i < n && !next; i++) {
		if (window.before && v[i].id >= window.before)
			continue;
		if (json_array_size(items) == window.limit)
			next = v[i - 1].id;
		else
			json_array_append_new(items, past_json(&v[i], i == 0));
	}
	return rest_window_answer(r, items, next, err);
}

/* The version, with its text, and the text of the one before it. *ok false: the answer stands. */
static GH_RC find_version(struct rest *r, const struct policy_place *place, struct store_policy_past *out, struct store_policy_past *older,
			  bool *newest, bool *ok, struct gh_err *err)
{
	struct store *s = r->w->site->store;
	struct store_policy_past *v;
	bool found;
	int64_t id;
	size_t n;

	*ok = str_to_i64(r->args[0], 1, INT64_MAX, &id);
	*older = (struct store_policy_past){ .bytes = STR("") };
	if (*ok)
		TRY(store_policy_past_find(s, r->w->a, &place->scope, id, out, ok, err));
	if (!*ok)
		return rest_problem(r, 404, "not-found", STR("This document has no such version."), NULL, err);
	TRY(store_policy_history(s, r->w->a, &place->scope, &v, &n, err));
	*newest = n && v[0].id == id;
	for (size_t i = 0; i + 1 < n; i++)
		if (v[i].id == id)
			TRY(store_policy_past_find(s, r->w->a, &place->scope, v[i + 1].id, older, &found, err));
	return GH_RC_OK;
}

static struct str or_empty(struct str s)
{
	return s.p ? s : STR("");
}

gh_rc rest_policy_version(struct rest *r, struct gh_err *err)
{
	static const char *const known[] = { "scope", NULL };
	struct store_policy_past past, older;
	struct policy_place place;
	struct str saved = STR("");
	bool ok, newest, found;
	json_t *v;

	TRY(rest_known(r, known, &ok, err));
	if (ok)
		TRY(find_place(r, web_param(&r->w->rq.query, "scope"), &place, &ok, err));
	if (ok)
		TRY(find_version(r, &place, &past, &older, &newest, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(store_policy_find(r->w->site->store, r->w->a, &place.scope, &saved, &found, err));
	v = past_json(&past, newest);
	json_object_set_new(v, "policy", text(past.bytes));
	json_object_set(v, "changed", admin_diff_json(r->w->a, or_empty(older.bytes), or_empty(past.bytes)));
	json_object_set(v, "restoring", admin_diff_json(r->w->a, found ? saved : STR(""), or_empty(past.bytes)));
	return answer(r, v, err);
}

struct restoring {
	struct str scope;
};

static GH_RC restore(struct rest *r, struct resource_change *c, const json_t *body, json_t **out, struct gh_err *err)
{
	static const struct rest_member members[] = { { "scope", REST_TEXT, true, offsetof(struct restoring, scope) }, { NULL } };
	const struct resource_kind *k = resource_kind_find(STR("policy"));
	struct restoring x = { .scope = STR_NULL };
	struct store_policy_past past, older;
	struct policy_place place;
	bool ok, newest;

	if (!rest_take(c, body, members, &x))
		return GH_RC_OK;
	TRY(find_place(r, x.scope, &place, &ok, err));
	if (ok)
		TRY(find_version(r, &place, &past, &older, &newest, &ok, err));
	if (ok)
		TRY(rest_match(r, k, policy_place_id(r->w, &place), false, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(policy_put(r->w, c, &place, past.bytes, err));
	*out = json_pack("{s:o, s:o}", "id", text(policy_place_id(r->w, &place)), "policy", text(past.bytes));
	return GH_RC_OK;
}

gh_rc rest_policy_restore(struct rest *r, struct gh_err *err)
{
	return rest_deed(r, restore, err);
}

/* ---- a text that nobody has saved ---------------------------------------------------------------------------------------------- */

struct unsaved {
	struct str scope, policy;
	struct policy_trial trial;
};
#define UNSAVED(name, type, needed, member, ...) { name, type, needed, offsetof(struct unsaved, member), __VA_ARGS__ }

gh_rc rest_policy_check(struct rest *r, struct gh_err *err)
{
	static const struct rest_member members[] = { UNSAVED("scope", REST_TEXT, true, scope), UNSAVED("policy", REST_TEXT, true, policy, 0, TEXT_MOST),
						      { NULL } };
	struct unsaved x = { .scope = STR_NULL };
	struct policy_place place;
	struct policy_diags diags;
	struct str saved = STR("");
	bool ok, fine, found;

	TRY(rest_take_body(r, members, &x, &ok, err));
	if (ok)
		TRY(find_place(r, x.scope, &place, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(policy_compile_here(r->w, &place, x.policy, &fine, &diags, err));
	TRY(store_policy_find(r->w->site->store, r->w->a, &place.scope, &saved, &found, err));
	return answer(r, json_pack("{s:b, s:O, s:O}", "fine", fine, "problems", policy_diags_json(r->w, &diags), "diff",
				   admin_diff_json(r->w->a, found ? saved : STR(""), x.policy)), err);
}

gh_rc rest_policy_trial(struct rest *r, struct gh_err *err)
{
	static const struct rest_member members[] = {
		UNSAVED("scope", REST_TEXT, true, scope), UNSAVED("policy", REST_TEXT, true, policy, 0, TEXT_MOST),
		UNSAVED("method", REST_TEXT, false, trial.method, 1, 40), UNSAVED("url", REST_TEXT, false, trial.url, 1, 8192),
		UNSAVED("headers", REST_OBJECT, false, trial.headers), UNSAVED("body", REST_TEXT, false, trial.body, 0, TEXT_MOST),
		UNSAVED("backendStatus", REST_INT, false, trial.backend_status, 100, 599),
		UNSAVED("backendHeaders", REST_OBJECT, false, trial.backend_headers),
		UNSAVED("backendBody", REST_TEXT, false, trial.backend_body, 0, TEXT_MOST), UNSAVED("context", REST_OBJECT, false, trial.context),
		{ NULL },
	};
	struct unsaved given = { .scope = STR_NULL };
	struct policy_trial t;
	struct policy_place place;
	struct policy_diags diags;
	struct gh_err why;
	bool ok, fine;
	json_t *out;
	gh_rc rc;

	TRY(rest_take_body(r, members, &given, &ok, err));
	if (ok)
		TRY(find_place(r, given.scope, &place, &ok, err));
	if (!ok)
		return GH_RC_OK;
	policy_trial_begin(r->w, &place, &t);
	t.method = given.trial.method.p ? given.trial.method : t.method;
	t.url = given.trial.url.p ? given.trial.url : t.url;
	t.body = given.trial.body.p ? given.trial.body : t.body;
	t.headers = given.trial.headers ? given.trial.headers : t.headers;
	t.backend_status = given.trial.backend_status ? given.trial.backend_status : t.backend_status;
	t.backend_headers = given.trial.backend_headers ? given.trial.backend_headers : t.backend_headers;
	t.backend_body = given.trial.backend_body.p ? given.trial.backend_body : t.backend_body;
	t.context = given.trial.context;
	policy_diags_init(&diags, r->w->a);
	rc = policy_trial_run(r->w, &place, given.policy, &t, &diags, &out, &why);
	if (rc.code)
		return rest_refused(r, rc, &why, NULL, err);
	fine = out != NULL;
	if (!fine)                               /* in its place alone: those of a run name no document */
		TRY(policy_compile_here(r->w, &place, given.policy, &ok, &diags, err));
	return answer(r, json_pack("{s:b, s:O, s:o}", "fine", fine, "problems", policy_diags_json(r->w, &diags), "result",
				   fine ? json_incref(out) : json_null()), err);
}

/* ---- what happens to a call ----------------------------------------------------------------------------------------------------- */

struct listed {
	json_t *lines[SECTION__COUNT];
};

static void list_line(void *ctx, const struct policy_line *l)
{
	struct listed *x = ctx;

	json_array_append_new(x->lines[l->section], json_pack("{s:o, s:o, s:o, s:o, s:i}", "text", text(l->text), "from", text(l->layer->kind), "label",
			      text(l->layer->label), "scope", text(l->layer->name), "line", (int)l->line));
}

gh_rc rest_effective_policy(struct rest *r, struct gh_err *err)
{
	static const char *const known[] = { "scope", "product", NULL };
	json_t *products = json_array(), *sections = json_array(), *v;
	struct store_product *product;
	struct policy_place place;
	struct listed x;
	struct str through;
	bool ok;
	size_t n;

	v = jsn_keep(r->w->a, json_pack("{s:o, s:o}", "products", products, "sections", sections));
	if (!v)
		FAIL(err, NOMEM, "policy");
	TRY(rest_known(r, known, &ok, err));
	if (ok)
		TRY(find_place(r, web_param(&r->w->rq.query, "scope"), &place, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(policy_products(r->w, &place, &product, &n, &through, err));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(products, text(product[i].id));
	for (enum section s = 0; s < SECTION__COUNT; s++) {
		x.lines[s] = json_array();
		json_array_append_new(sections, json_pack("{s:o, s:o}", "name", text(section_name(s)), "lines", x.lines[s]));
	}
	TRY(policy_effective(r->w, &place, through, list_line, &x, err));
	json_object_set_new(v, "scope", text(place.name));
	json_object_set_new(v, "product", text(through));
	return answer(r, json_incref(v), err);
}

/* ---- what there is to write ------------------------------------------------------------------------------------------------------ */

gh_rc rest_policy_catalogue(struct rest *r, struct gh_err *err)
{
	struct buf b;
	json_t *v;
	gh_rc rc;

	buf_init(&b, CATALOGUE_MOST);
	policy_catalogue(&b);
	rc = b.failed ? gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "catalogue") : jsn_parse_in(r->w->a, buf_view(&b), NULL, &v, NULL, err);
	buf_release(&b);
	TRY(rc);
	return answer(r, json_incref(v), err);
}

gh_rc rest_policy_snippets(struct rest *r, struct gh_err *err)
{
	json_t *v;

	TRY(policy_snippets(r->w, &v, err));
	return answer(r, json_pack("{s:O}", "items", v), err);
}

/* ---- in the OpenAPI document ------------------------------------------------------------------------------------------------------ */

#define SCOPE "{'name': 'scope', 'required': true, 'description': 'Whose document: global, environment:ID, workspace:ID, product:ID, api:ID, " \
	      "api:ID;rev=N, operation:API/OP', 'schema': {'type': 'string'}}"
#define IN_BODY "'scope': {'type': 'string', 'description': 'Whose document: the id of a policy'}"
#define DIFF "{'type': 'array', 'description': 'Empty: the same', 'items': {'type': 'object', 'required': ['kind', 'text'], 'properties': {" \
	     "'kind': {'type': 'string', 'enum': ['same', 'old', 'new', 'gap']}, 'text': {'type': 'string'}, " \
	     "'before': {'type': ['integer', 'null']}, 'after': {'type': ['integer', 'null']}}}}"
#define VERSION "'version': {'type': 'string'}, 'at': {'type': 'string', 'format': 'date-time'}, 'actor': {'type': ['string', 'null']}, " \
		"'removed': {'type': 'boolean', 'description': 'The document was taken away'}, 'newest': {'type': 'boolean'}"
#define PROBLEMS "{'type': 'array', 'items': {'type': 'object', 'required': ['line', 'column', 'warning', 'message'], 'properties': {" \
		 "'line': {'type': 'integer'}, 'column': {'type': 'integer'}, 'warning': {'type': 'boolean'}, 'message': {'type': 'string'}}}}"
#define POLICY "'policy': {'type': 'string', 'maxLength': 1048576, 'description': 'The document as XML; nothing is saved'}"
#define FIELDS "{'type': 'object', 'description': 'Name: a text, or a list of texts'}"

static const struct rest_about about[] = {
	{ rest_policy_versions, "listPolicyVersions", "What the document of a scope said before, the newest first", NULL, "policies",
	  "[" SCOPE "," REST_WINDOW("100") "]", NULL, REST_LIST_OF("{'type': 'object', 'required': ['version', 'at', 'removed'], 'properties': {" VERSION "}}"),
	  "400 404" },
	{ rest_policy_version, "getPolicyVersion", "One version: its text, what it changed, what restoring it would change", NULL, "policies", "[" SCOPE "]",
	  NULL, "{'type': 'object', 'required': ['version', 'policy', 'changed', 'restoring'], 'properties': {" VERSION
	  ", 'policy': {'type': ['string', 'null']}, 'changed': " DIFF ", 'restoring': " DIFF "}}", "400 404" },
	{ rest_policy_restore, "restorePolicyVersion", "Make a version the document again; one that was removed removes it", NULL, "policies", NULL,
	  "{'type': 'object', 'required': ['scope'], 'additionalProperties': false, 'properties': {" IN_BODY "}}",
	  "{'type': 'object', 'required': ['id', 'policy'], 'properties': {'id': {'type': 'string'}, 'policy': {'type': ['string', 'null']}}}", "404",
	  .takes_match = true },
	{ rest_policy_check, "checkPolicy", "What is wrong with a text that is not saved, and what it changes", NULL, "policies", NULL,
	  "{'type': 'object', 'required': ['scope', 'policy'], 'additionalProperties': false, 'properties': {" IN_BODY ", " POLICY "}}",
	  "{'type': 'object', 'required': ['fine', 'problems', 'diff'], 'properties': {'fine': {'type': 'boolean'}, 'problems': " PROBLEMS
	  ", 'diff': " DIFF "}}", "404" },
	{ rest_policy_trial, "tryPolicy", "A request through a text that is not saved, with its trace",
	  "Inside the saved policies around it. Nothing is sent: the backend answers what is said here. Secret named values are placeholders.", "policies",
	  NULL, "{'type': 'object', 'required': ['scope', 'policy'], 'additionalProperties': false, 'properties': {" IN_BODY ", " POLICY
	  ", 'method': {'type': 'string', 'minLength': 1, 'maxLength': 40}, 'url': {'type': 'string', 'minLength': 1, 'maxLength': 8192}, 'headers': " FIELDS
	  ", 'body': {'type': 'string'}, 'backendStatus': {'type': 'integer', 'minimum': 100, 'maximum': 599}, 'backendHeaders': " FIELDS
	  ", 'backendBody': {'type': 'string'}, 'context': {'type': 'object', 'description': 'More of the world, as for gatehouse policy run'}}}",
	  "{'type': 'object', 'required': ['fine', 'problems', 'result'], 'properties': {'fine': {'type': 'boolean'}, 'problems': " PROBLEMS
	  ", 'result': {'type': ['object', 'array', 'null'], 'description': 'response, backendRequest, trace, lastError'}}}", "404" },
	{ rest_effective_policy, "getEffectivePolicy", "What happens to a call, with the origin of each line", NULL, "policies",
	  "[" SCOPE ", {'name': 'product', 'description': 'The product through which it is called; left out: the first, empty: none', 'schema': {'type': 'string'}}]",
	  NULL, "{'type': 'object', 'required': ['scope', 'product', 'products', 'sections'], 'properties': {'scope': {'type': 'string'}, 'product': {'type': ["
	  "'string', 'null']}, 'products': {'type': 'array', 'items': {'type': 'string'}}, 'sections': {'type': 'array', 'items': {'type': 'object', 'required': ["
	  "'name', 'lines'], 'properties': {'name': {'type': 'string'}, 'lines': {'type': 'array', 'items': {'type': 'object', 'required': ['text', 'from', "
	  "'label', 'scope', 'line'], 'properties': {'text': {'type': 'string'}, 'from': {'type': 'string'}, 'label': {'type': 'string'}, 'scope': {'type': "
	  "'string'}, 'line': {'type': 'integer'}}}}}}}}}", "400 404" },
	{ rest_policy_catalogue, "getPolicyCatalogue", "Elements and attributes of policies, and the members that expressions know", NULL, "policies", NULL, NULL,
	  "{'type': 'object', 'required': ['policies', 'types'], 'properties': {'policies': {'type': 'array', 'items': {'type': 'object'}}, 'types': {'type': "
	  "'object'}}}", "" },
	{ rest_policy_snippets, "listPolicySnippets", "Ready pieces of policy", NULL, "policies", NULL, NULL,
	  "{'type': 'object', 'required': ['items'], 'properties': {'items': {'type': 'array', 'items': {'type': 'object', 'properties': {'group': {'type': "
	  "'string'}, 'snippets': {'type': 'array', 'items': {'type': 'object', 'properties': {'name': {'type': 'string'}, 'help': {'type': 'string'}, 'section': "
	  "{'type': 'string'}, 'xml': {'type': 'string'}}}}}}}}}", "" },
	{ NULL },
};

json_t *rest_describe_policy(const struct rest_route *route, const struct resource_kind *kind UNUSED)
{
	return rest_operation(route, about);
}
