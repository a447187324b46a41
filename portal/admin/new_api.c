/* new_api.c - a new API: by hand, or from a description as a file, at an address or pasted: OpenAPI, WSDL, a Postman collection or a
 * recording (HAR). All that comes of it (the API, its operations, the description, its place in a product) is one change of the
 * configuration: all of it or nothing. A ZIP that `gatehouse export --api` wrote goes on in api_zip.c. */
#include "portal/admin/resources.h"

#include "config/import/bundle.h"
#include "config/import/describe.h"
#include "config/import/foreign.h"
#include "config/import/operations.h"
#include "core/openapi.h"
#include "core/str.h"
#include "core/uri.h"
#include "db/apis.h"
#include "db/environments.h"
#include "portal/admin/fetch.h"
#include "portal/admin/new_api.h"

static const char *const fields[] = { "name", "id", "path", "backend", "environment", "product", "description", "address" };

static GH_RC put_choices(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "environments");
	const struct store_page some = { .limit = 200 };
	struct store_environment *e;
	struct store_product *p;
	struct store_api *api;
	size_t n;

	TRY(store_environments(w->site->store, w->a, &e, &n, err));
	for (size_t i = 0; i < n; i++)
		if (web_may_in(w, WEB_CHANGE_APIS, e[i].id))
			liquid_set_text(liquid_push_record(list), "id", e[i].id);
	list = liquid_set_list(w->page, "apis");
	TRY(store_apis(w->site->store, w->a, &some, &api, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = web_may_in(w, WEB_VIEW_APIS, api[i].environment_id) ? liquid_push_record(list) : NULL;

		if (!r)
			continue;
		liquid_set_text(r, "id", api[i].id);
		liquid_set_text(r, "name", api[i].name.n ? api[i].name : api[i].id);
		liquid_set_text(r, "environment", api[i].environment_id);
	}
	list = liquid_set_list(w->page, "products");
	TRY(store_products(w->site->store, w->a, &some, &p, &n, err));
	for (size_t i = 0; i < n && web_may(w, WEB_CHANGE_PRODUCTS); i++) {
		struct liquid_record *r;
		bool seen;

		TRY(admin_shows(w, "product", p[i].id, &seen, err));
		if (!seen)
			continue;
		r = liquid_push_record(list);
		liquid_set_text(r, "id", p[i].id);
		liquid_set_text(r, "name", p[i].name.n ? p[i].name : p[i].id);
	}
	return GH_RC_OK;
}

static GH_RC page(struct web *w, int status, struct gh_err *err)
{
	web_form(w);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		web_form_value(w, fields[i], web_param(&w->rq.form, fields[i]));
	TRY(put_choices(w, err));
	liquid_set_text(w->page, "title", STR("New API"));
	w->rs.status = status;
	return web_page(w, "new_api", err);
}

/* From another environment: what goes along is chosen on the page of promotion. */
gh_rc admin_new_api(struct web *w, struct gh_err *err)
{
	struct str from = web_param(&w->rq.query, "from"), to = web_param(&w->rq.query, "to");

	if (from.n)
		return web_redirect(w, arena_printf(w->a, "apis/%.*s/promote?to=%.*s", STR_ARG(uri_encode(w->a, from, URI_KEEP_UNRESERVED)),
				    STR_ARG(uri_encode(w->a, to, URI_KEEP_UNRESERVED))), err);
	return page(w, 200, err);
}

/* ---- what was entered ------------------------------------------------------------------------------------------------------------ */

static struct str entered(struct web *w, const char *field)
{
	struct str v = str_trim(web_param(&w->rq.form, field));

	return v.p ? v : STR("");
}

enum source { SOURCE_OPENAPI, SOURCE_WSDL, SOURCE_HAR, SOURCE_POSTMAN };

/* By what the text is and not by the name of the file. */
static enum source source_of(struct web *w, struct str text)
{
	const struct jsn_limits limits = { .max_bytes = STORE_DOCUMENT_MAX, .flags = JSN_BIG_INTEGERS };
	struct gh_err why;
	json_t *v = NULL;

	text = str_trim(str_starts(text, STR("\xef\xbb\xbf")) ? str_from(text, 3) : text);
	if (str_starts(text, STR("<")))
		return SOURCE_WSDL;
	if (!str_starts(text, STR("{")) || jsn_parse_in(w->a, text, &limits, &v, NULL, &why).code)
		return SOURCE_OPENAPI;           /* whose reader says what is wrong */
	if (jsn_arr(jsn_obj(v, "log"), "entries"))
		return SOURCE_HAR;
	return jsn_arr(v, "item") && jsn_obj(v, "info") ? SOURCE_POSTMAN : SOURCE_OPENAPI;
}

/* What is no OpenAPI document becomes one. */
static GH_RC described(struct web *w, struct new_api *x, struct gh_err *err)
{
	struct described d = { .openapi = NULL };
	struct text_where at = { 0 };
	struct gh_err why;
	gh_rc rc;

	switch (source_of(w, x->text)) {
	case SOURCE_WSDL:
		rc = import_wsdl(w->a, x->text, STR_NULL, NULL, &x->report, &d, &at, &why);
		break;
	case SOURCE_HAR:
		rc = import_har(w->a, x->text, STR_NULL, &x->report, &d, &at, &why);
		break;
	case SOURCE_POSTMAN:
		rc = import_postman(w->a, x->text, &x->report, &d, &at, &why);
		break;
	default:
		return GH_RC_OK;
	}
	if (rc.code == GH_E_SYNTAX || rc.code == GH_E_INVALID || rc.code == GH_E_LIMIT) {
		web_form_error(w, "description", arena_printf(w->a, "Line %u, column %u: %s", at.line ? at.line : 1, at.column ? at.column : 1, why.message));
		x->fine = false;
		return GH_RC_OK;
	}
	if (rc.code) {
		*err = why;
		return rc;
	}
	x->text = jsn_text(w->a, d.openapi, JSN_INDENT);
	x->file = STR_NULL;              /* what is kept is not that file */
	if (!x->name.n && d.title.n)
		x->name = d.title;
	if (!x->backend.n && d.server.n)
		x->backend = d.server;
	return GH_RC_OK;
}

/* A server of the description as the address of a backend; one without a host is beside the address that was fetched (OpenAPI
 * 3.1, Server Object). Empty: it is of no use. */
static struct str server_at(struct web *w, const struct new_api *x, struct str url)
{
	struct uri u;

	if (str_starts(url, STR("http://")) || str_starts(url, STR("https://")))
		return url;
	if (!x->address.n || !str_starts(url, STR("/")) || str_starts(url, STR("//")) || !uri_parse(x->address, &u) || !u.path.p)
		return STR("");
	return arena_printf(w->a, "%.*s%.*s", (int)(u.path.p - x->address.p), x->address.p, STR_ARG(url.n > 1 ? url : STR("")));
}

/* Title and address stand in the description; what was entered comes first. */
static GH_RC from_description(struct web *w, struct new_api *x, struct gh_err *err)
{
	struct openapi *doc;
	struct text_where at = { 0 };
	struct gh_err why;
	gh_rc rc;

	if (!str_trim(x->text).n)
		return GH_RC_OK;
	rc = openapi_parse(w->a, x->text, &doc, &at, &why);
	if (rc.code == GH_E_NOMEM)
		FAIL(err, NOMEM, "description");
	if (rc.code) {
		web_form_error(w, "description", arena_printf(w->a, "Line %u, column %u: %s", at.line, at.column, why.message));
		x->fine = false;
		return GH_RC_OK;
	}
	if (!x->name.n)
		x->name = doc->title.p ? doc->title : STR("");
	for (size_t i = 0; !x->backend.n && i < doc->n_servers; i++)
		x->backend = server_at(w, x, doc->servers[i].url);
	return GH_RC_OK;
}

/* What stands at the address, in place of a file. */
static GH_RC from_address(struct web *w, struct new_api *x, struct gh_err *err)
{
	struct gh_err why;
	gh_rc rc;

	x->address = entered(w, "address");
	if (!x->address.n || x->file.n || str_trim(x->text).n)
		return GH_RC_OK;
	rc = admin_fetch(w, x->address, STORE_DOCUMENT_MAX, &x->text, &why);
	if (!rc.code && !utf8_valid(x->text))
		rc = gh_err_set(&why, GH_E_INVALID, __FILE__, __LINE__, "What stands there is no text in UTF-8.");
	if (rc.code == GH_E_INVALID || rc.code == GH_E_UPSTREAM || rc.code == GH_E_LIMIT) {
		web_form_error(w, "address", arena_dup(w->a, str_of(why.message)));
		x->fine = false;
		return GH_RC_OK;
	}
	if (rc.code) {
		*err = why;
		return rc;
	}
	x->file = x->address;
	return GH_RC_OK;
}

gh_rc new_api_read(struct web *w, struct new_api *x, struct gh_err *err)
{
	const struct web_param *file = web_param_find(&w->rq.form, "file");

	*x = (struct new_api){ .name = entered(w, "name"), .id = entered(w, "id"), .path = entered(w, "path"), .backend = entered(w, "backend"),
			    .environment = entered(w, "environment"), .product = entered(w, "product"), .fine = true };
	x->text = admin_unix_lines(w, web_param(&w->rq.form, "description"));
	if (file && file->file.n) {
		x->text = file->file;
		x->file = file->file_name;
		if (!utf8_valid(x->text)) {
			web_form_error(w, "file", STR("The file is no text in UTF-8."));
			x->fine = false;
			return GH_RC_OK;
		}
	}
	TRY(from_address(w, x, err));
	x->whole = x->fine && import_foreign_of(w->a, x->text) != FOREIGN_NONE;
	if (x->whole)
		return GH_RC_OK;
	import_report_init(&x->report, w->a);
	if (str_trim(x->text).n && x->fine)
		TRY(described(w, x, err));
	if (x->fine)
		TRY(from_description(w, x, err));
	if (!x->name.n && x->fine) {
		web_form_error(w, "name", STR("Enter a name, or give a description that has a title."));
		x->fine = false;
	}
	if (!x->id.n)
		x->id = import_slug(w->a, x->name);
	if (!x->path.n)
		x->path = x->id;
	while (x->path.n && x->path.p[0] == '/')
		x->path = str_from(x->path, 1);
	return GH_RC_OK;
}

/* ---- the change -------------------------------------------------------------------------------------------------------------------- */

static GH_RC into_product(struct web *w, struct resource_change *c, const struct new_api *x, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(STR("product"));
	json_t *doc;

	if (!x->product.n)
		return GH_RC_OK;
	if (!web_may(w, WEB_CHANGE_PRODUCTS))    /* where the product stands resource_write asks; a role that counts everywhere only here */
		FAIL(err, DENIED, "You may not change products.");
	TRY(resource_read(w->site->store, w->a, k, x->product, &doc, err));
	if (!doc) {
		resource_problem(c, k, x->product, STR("/product"), "there is no such product");
		FAIL(err, INVALID, "no such product");
	}
	json_array_append_new(jsn_arr(doc, "apis"), json_stringn(x->id.p, x->id.n));
	return resource_write(c, k, x->product, doc, RESOURCE_REPLACE, NULL, err);
}

gh_rc new_api_write(struct web *w, struct resource_change *c, const struct new_api *x, struct gh_err *err)
{
	struct import_report report;
	struct bundle b;
	json_t *operations, *doc;
	size_t i;

	import_report_init(&report, w->a);
	TRY(bundle_init(&b, w->a, &report, err));
	doc = bundle_add(&b, "api", x->id);
	bundle_text(doc, "name", x->name);
	json_object_set_new(doc, "path", json_stringn(x->path.p, x->path.n));
	bundle_text(doc, "backendUrl", x->backend);
	bundle_text(doc, "environment", x->environment);
	if (str_trim(x->text).n)
		TRY(bundle_description(&b, x->id, x->text, x->file, &operations, err));
	json_array_foreach(b.docs, i, doc) {
		const struct resource_kind *k = resource_kind_find(jsn_str(doc, FILES_KIND));
		struct str id = arena_dup(w->a, jsn_str(doc, "id"));

		json_object_del(doc, FILES_KIND);
		TRY(resource_write(c, k, id, doc, RESOURCE_CREATE, NULL, err));
	}
	return into_product(w, c, x, err);
}

struct str new_api_problems(struct web *w, const struct resource_change *c, const char *otherwise)
{
	static const char *const places[][2] = { { "/name", "name" }, { "/id", "id" }, { "/path", "path" }, { "/backendUrl", "backend" },
						 { "/environment", "environment" }, { "/product", "product" } };
	const struct resource_problem *v;
	struct str general = STR("");
	size_t n;

	v = resource_problems(c, &n);
	for (size_t i = 0; i < n; i++) {
		const char *field = strcmp(v[i].kind->name, "api") == 0 || strcmp(v[i].kind->name, "product") == 0 ? NULL : "description";

		for (size_t k = 0; !field && k < ARRAY_LEN(places); k++)
			if (str_eq(v[i].pointer, str_of(places[k][0])))
				field = places[k][1];
		if (field)
			web_form_error(w, field, v[i].message);
		else
			general = v[i].message;
	}
	return n ? general : arena_dup(w->a, str_of(otherwise));
}

/* What became of each part of something that was no OpenAPI document. */
void admin_put_report(struct web *w, const struct import_report *report)
{
	static const char *const levels[] = { "good", "warn", "bad" };
	struct liquid_list *list = liquid_set_list(w->page, "rows");

	for (size_t i = 0; i < report->n; i++) {
		const struct import_row *row = &report->rows[i];
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "what", row->outcome == IMPORT_TAKEN ? arena_printf(w->a, "%zu %.*s%s", row->count, STR_ARG(row->what), row->count == 1 ? "" : "s") : row->what);
		liquid_set_text(r, "outcome", str_of(import_outcome_names[row->outcome]));
		liquid_set_text(r, "level", str_of(levels[row->outcome]));
		liquid_set_text(r, "note", row->note.n ? row->note : STR(""));
	}
	liquid_set_text(w->page, "left_out", report->left_out ? web_number(w, (int64_t)report->left_out) : STR(""));
}

static GH_RC show_report(struct web *w, const struct new_api *x, struct gh_err *err)
{
	admin_put_report(w, &x->report);
	liquid_set_text(w->page, "id", x->id);
	liquid_set_text(w->page, "title", x->name);
	return web_page(w, "import_report", err);
}

static GH_RC from_zip(struct web *w, struct str zip, const char *field, struct gh_err *err)
{
	struct gh_err why;
	bool fine;

	TRY(admin_zip_show(w, zip, &why, &fine, err));
	if (fine)
		return GH_RC_OK;
	web_form_error(w, field, arena_dup(w->a, str_of(why.message)));
	return page(w, 422, err);
}

gh_rc admin_new_api_act(struct web *w, struct gh_err *err)
{
	const struct web_param *file = web_param_find(&w->rq.form, "file");
	struct gh_err why = { .code = GH_OK };
	struct resource_change *c;
	struct new_api x;
	gh_rc rc;

	web_form(w);
	if (file && admin_is_zip(file->file))
		return from_zip(w, file->file, "file", err);
	TRY(new_api_read(w, &x, err));
	if (x.whole)
		return from_zip(w, x.text, x.address.n && x.file.n ? "address" : x.file.n ? "file" : "description", err);
	if (!x.fine)
		return page(w, 422, err);
	TRY(resource_begin(w->site->store, w->a, web_actor(w), &c, err));
	rc = new_api_write(w, c, &x, &why);
	rc = resource_end(c, rc, false, &why);
	if (rc.code && rc.code != GH_E_INVALID && rc.code != GH_E_CONFLICT && rc.code != GH_E_LIMIT) {
		*err = why;
		return rc;
	}
	if (rc.code) {
		struct str general = new_api_problems(w, c, why.message);

		if (general.n)
			liquid_set_text(w->form, "error", general);
		return page(w, 422, err);
	}
	if (x.report.n)
		return show_report(w, &x, err);
	TRY(web_flash(w, "good", STR("The API is made and serves calls."), err));
	return web_redirect(w, arena_printf(w->a, "apis/%.*s", STR_ARG(x.id)), err);
}
