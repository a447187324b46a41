/* policy_try.c - the test pane: a request through the document as it stands in the form, unsaved, around it the saved documents
 * of the outer scopes. It runs in this process and reaches nothing: the backend's answer and those of other calls are what the
 * form says (policy/offline). Secrets do not take part: a named value that is secret is a placeholder. */
#include "portal/admin/policies.h"

#include "core/json.h"
#include "core/str.h"
#include "db/named_values.h"
#include "policy/offline/offline.h"

static const char *const fields[][2] = {         /* of the form, with what they begin with */
	{ "method", "GET" }, { "url", "" }, { "headers", "Accept: application/json" }, { "body", "" },
	{ "backend_status", "200" }, { "backend_headers", "Content-Type: application/json" }, { "backend_body", "{\"ok\":true}" },
	{ "context", "" },
};
enum { METHOD, URL, HEADERS, BODY, BACKEND_STATUS, BACKEND_HEADERS, BACKEND_BODY };

static struct str first_of(struct web *w, const struct policy_place *p, size_t field)
{
	struct str tail = p->operation.uri_template.n ? p->operation.uri_template : STR("/");

	if (strcmp(fields[field][0], "url") == 0)
		return arena_printf(w->a, "https://gateway.example/%.*s%.*s", STR_ARG(p->api.path), STR_ARG(tail));
	if (strcmp(fields[field][0], "method") == 0 && p->operation.method.n && !str_eq(p->operation.method, STR("*")))
		return p->operation.method;
	return str_of(fields[field][1]);
}

void policy_try_fields(struct web *w, const struct policy_place *p)
{
	bool sent = web_param_find(&w->rq.form, "method") != NULL;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		web_form_value(w, fields[i][0], sent ? web_param(&w->rq.form, fields[i][0]) : first_of(w, p, i));
}

static void set_text(json_t *to, const char *name, struct str value)
{
	json_object_set_new(to, name, json_stringn(value.p ? value.p : "", value.n));
}

/* "Name: value", a line each; a line without a colon is passed over. */
static json_t *headers_of(struct web *w, struct str text)
{
	struct str rest = admin_unix_lines(w, text), line;
	json_t *out = json_object();

	while (rest.n && str_split(&rest, '\n', &line)) {
		size_t colon = str_find_char(line, ':');
		struct str name = str_trim(str_first(line, colon == SIZE_MAX ? 0 : colon)), value = str_trim(str_from(line, colon + 1));
		json_t *old;

		if (colon == SIZE_MAX || !name.n)
			continue;
		old = json_object_getn(out, name.p, name.n);
		if (!json_is_array(old)) {
			old = json_array();
			json_object_setn_new(out, name.p, name.n, old);
		}
		json_array_append_new(old, json_stringn(value.p, value.n));
	}
	return out;
}

/* ---- the world around the document ----------------------------------------------------------------------------------------- */

static GH_RC put_values(struct web *w, json_t *context, struct gh_err *err)
{
	json_t *values = json_object(), *fragments = json_object();
	struct store_named_value *v;
	struct store_fragment *f;
	size_t n;

	json_object_set_new(context, "namedValues", values);
	json_object_set_new(context, "fragments", fragments);
	TRY(store_named_values(w->site->store, w->a, false, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		set_text(values, v[i].id.p, v[i].secret || !v[i].value.p ? arena_printf(w->a, "secret-of-%.*s", STR_ARG(v[i].id)) : v[i].value);
	TRY(store_fragments(w->site->store, w->a, &f, &n, err));
	for (size_t i = 0; i < n; i++)
		set_text(fragments, f[i].id.p, f[i].bytes);
	return GH_RC_OK;
}

static void put_api(json_t *context, const struct policy_place *p)
{
	json_t *api = json_object(), *op;

	if (!p->api.id.n)
		return;
	set_text(api, "id", p->api.id);
	set_text(api, "name", p->api.name.n ? p->api.name : p->api.id);
	set_text(api, "path", p->api.path);
	set_text(api, "version", p->api.version);
	json_object_set_new(api, "revision", json_sprintf("%lld", (long long)p->api.revision));
	json_object_set_new(api, "isCurrentRevision", json_boolean(p->api.is_current));
	set_text(api, "serviceUrl", p->api.backend_url.n ? p->api.backend_url : STR("https://backend.example"));
	json_object_set_new(context, "api", api);
	if (!p->operation.id.n)
		return;
	op = json_object();
	set_text(op, "id", p->operation.id);
	set_text(op, "name", p->operation.name.n ? p->operation.name : p->operation.id);
	set_text(op, "method", p->operation.method);
	set_text(op, "urlTemplate", p->operation.uri_template);
	json_object_set_new(context, "operation", op);
}

static GH_RC put_layers(struct web *w, const struct policy_place *p, json_t *context, struct gh_err *err)
{
	static const char *const names[] = { "global", "workspace", "product", "api", "operation", "environment" };
	struct policy_layer layers[POLICY_LAYERS_MAX];
	json_t *scopes = json_object();
	struct store_product *products;
	struct str product = STR_NULL;
	size_t n;

	if (p->scope.api_id.n) {
		TRY(store_products_of_api(w->site->store, w->a, p->scope.api_id, &products, &n, err));
		product = n ? products[0].id : STR_NULL;
	}
	TRY(policy_layers(w, p, product, layers, &n, err));
	for (size_t i = 0; i < n; i++)
		if (layers[i].scope.kind < p->scope.kind || (layers[i].scope.kind == STORE_POLICY_ENVIRONMENT && layers[i].scope.kind != p->scope.kind))
			set_text(scopes, names[layers[i].scope.kind], str_trim(layers[i].text));
	json_object_set_new(context, "scopes", scopes);
	json_object_set_new(context, "scope", json_string(names[p->scope.kind]));
	return GH_RC_OK;
}

static GH_RC context_of(struct web *w, const struct policy_place *p, const struct policy_trial *t, json_t **out, struct gh_err *err)
{
	json_t *context = jsn_keep(w->a, json_object()), *backend = json_object();

	json_object_set_new(context, "backend", backend);
	json_object_set_new(backend, "status", json_integer(t->backend_status));
	json_object_set(backend, "headers", t->backend_headers);
	set_text(backend, "body", t->backend_body);
	put_api(context, p);
	TRY(put_values(w, context, err));
	TRY(put_layers(w, p, context, err));
	*out = t->context ? jsn_keep(w->a, jsn_merge_patch(context, t->context)) : context;
	return GH_RC_OK;
}

void policy_trial_begin(struct web *w, const struct policy_place *p, struct policy_trial *out)
{
	*out = (struct policy_trial){ .method = first_of(w, p, METHOD), .url = first_of(w, p, URL), .body = STR(""), .backend_status = 200,
				      .backend_body = first_of(w, p, BACKEND_BODY),
				      .headers = jsn_keep(w->a, headers_of(w, first_of(w, p, HEADERS))),
				      .backend_headers = jsn_keep(w->a, headers_of(w, first_of(w, p, BACKEND_HEADERS))) };
}

/* ---- the run ---------------------------------------------------------------------------------------------------------------- */

GH_RC policy_trial_run(struct web *w, const struct policy_place *p, struct str text, const struct policy_trial *t, struct policy_diags *diags,
		       json_t **out, struct gh_err *err)
{
	json_t *context = NULL, *request = jsn_keep(w->a, json_object());
	const char *file = "the document";
	struct offline *o;
	gh_rc rc;

	*out = NULL;
	TRY(context_of(w, p, t, &context, err));
	set_text(request, "method", t->method);
	set_text(request, "url", t->url);
	json_object_set(request, "headers", t->headers);
	set_text(request, "body", t->body);
	TRY(offline_new(w->a, context, NULL, &o, err));
	rc = offline_load_text(o, text, "the document", diags, &file, err);
	if (rc.code && diags->errors && strcmp(file, "the document") == 0)
		return GH_RC_OK;                 /* the problems stand beside the text */
	if (rc.code && diags->errors)
		FAIL(err, INVALID, "%s around it has errors: %.*s", file, STR_ARG(diags->v[0].message));
	TRY(rc);
	return offline_run(o, request, out, err);
}

/* ---- the page ---------------------------------------------------------------------------------------------------------------- */

static GH_RC read_form(struct web *w, struct policy_trial *t, struct gh_err *err)
{
	struct str more = str_trim(web_param(&w->rq.form, "context")), status = web_param(&w->rq.form, "backend_status");
	struct text_where where = { 0 };

	*t = (struct policy_trial){ .method = web_param(&w->rq.form, "method"), .url = str_trim(web_param(&w->rq.form, "url")),
				    .body = admin_unix_lines(w, web_param(&w->rq.form, "body")),
				    .backend_body = admin_unix_lines(w, web_param(&w->rq.form, "backend_body")) };
	if (!str_to_i64(str_trim(status), 100, 599, &t->backend_status))
		FAIL(err, INVALID, "The status of the backend must be a number from 100 to 599.");
	t->headers = jsn_keep(w->a, headers_of(w, web_param(&w->rq.form, "headers")));
	t->backend_headers = jsn_keep(w->a, headers_of(w, web_param(&w->rq.form, "backend_headers")));
	if (more.n && jsn_parse_in(w->a, more, NULL, &t->context, &where, err).code)
		FAIL(err, INVALID, "The context is no JSON (line %u, column %u): %s", where.line, where.column, err->message);
	if (more.n && !json_is_object(t->context))
		FAIL(err, INVALID, "The context must be a JSON object.");
	return GH_RC_OK;
}

gh_rc admin_policy_try(struct web *w, struct gh_err *err)
{
	struct str text = policy_form_text(w);
	struct policy_place place;
	struct policy_trial trial;
	struct policy_diags diags, own;
	bool fine;
	struct gh_err why;
	json_t *out = NULL;
	gh_rc rc;

	policy_begin(w);
	TRY(policy_place_find(w, web_param(&w->rq.form, "scope"), &place, err));
	policy_diags_init(&diags, w->a);
	rc = read_form(w, &trial, &why);
	if (!rc.code)
		rc = policy_trial_run(w, &place, text, &trial, &diags, &out, &why);
	if (rc.code && rc.code != GH_E_INVALID && rc.code != GH_E_SYNTAX && rc.code != GH_E_LIMIT) {
		*err = why;
		return rc;
	}
	web_form(w);
	if (rc.code)
		liquid_set_text(w->form, "error", arena_dup(w->a, str_of(why.message)));
	/* those of a run are of the documents around it too, and no line says of which */
	policy_diags_init(&own, w->a);
	TRY(policy_compile_here(w, &place, text, &fine, &own, err));
	TRY(policy_check_put(w, fine && !out && !rc.code ? &diags : &own));
	liquid_set(w->page, "result", liquid_of_json(out));
	return policy_editor(w, &place, text, rc.code || !out ? 422 : 200, err);
}
