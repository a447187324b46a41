/* api_zip.c - an API as one ZIP: given out with what it needs, and taken over. What would be made and changed is shown first, with the
 * secrets that are missing here, then it is done: what `gatehouse export --api` and `import zip` do. In the same way the configuration of
 * other gateways is taken over: an export of API Gateway, a file of decK, a ZIP with the folder of APIOps' extractor, each with the report of
 * what became of its parts. What was uploaded travels in the form, so nothing is kept between the two requests. */
#include "portal/admin/admin.h"

#include "config/files/export.h"
#include "config/import/apiops.h"
#include "config/import/foreign.h"
#include "core/crypto.h"
#include "core/str.h"
#include "portal/admin/api_zip.h"
#include "portal/admin/plan_view.h"
#include "portal/admin/rest.h"

#define SECRET_FIELD API_ZIP_SECRET
enum { FORM_SLACK = 65536,               /* of the largest form: for its other fields */
       CLOSE_ROUNDS = 4 };               /* of closing policies that do not compile here, as in cli/import_bundle.c */

/* A role that counts everywhere is not asked for each resource (resource_allowed): here is where its rights count, also for what goes
 * because the files cover its kind and do not hold it. */
static GH_RC check_rights(struct web *w, const struct files_set *set, bool write, struct gh_err *err)
{
	for (size_t i = 0; resource_kinds[i]; i++) {
		const struct resource_kind *k = resource_kinds[i];
		bool touched = set->covers[i];

		for (size_t d = 0; d < set->n && !touched; d++)
			touched = set->docs[d].kind == k;
		if (touched && !web_may(w, admin_right_of(k, write)))
			FAIL(err, DENIED, "no right to %s %s", write ? "change" : "see", k->plural);
	}
	return GH_RC_OK;
}

/* ---- giving out ------------------------------------------------------------------------------------------------------------------ */

gh_rc api_zip_tree(struct web *w, struct str api, struct tree *t, struct files_set **set, struct gh_err *err)
{
	const struct files_export what = { .api = api };

	*set = arena_new_of(w->a, struct files_set);
	if (!*set)
		FAIL(err, NOMEM, "export");
	TRY(files_export(w->site->store, w->a, &what, t, err));
	return files_set_read(*set, w->a, t, err);
}

gh_rc api_zip_give(struct web *w, struct str api, const struct tree *t, struct gh_err *err)
{
	struct str bytes;
	char *name;

	TRY(tree_to_zip(t, &bytes, err));
	name = arena_alloc_text(w->a, api.n + 1);
	if (!name)
		FAIL(err, NOMEM, "export");
	for (size_t i = 0; i < api.n; i++)       /* of a header field: nothing that would have to be quoted */
		name[i] = ascii_is_alpha(api.p[i]) || ascii_is_digit(api.p[i]) || strchr("-._", api.p[i]) ? api.p[i] : '_';
	web_header(w, "Content-Type", STR("application/zip"));
	web_header(w, "Content-Disposition", arena_printf(w->a, "attachment; filename=\"%.*s.zip\"", (int)api.n, name));
	w->rs.status = 200;
	buf_str(&w->rs.body, bytes);
	return GH_RC_OK;
}

gh_rc admin_api_export(struct web *w, struct gh_err *err)
{
	struct files_set *set;
	struct tree t;

	TRY(api_zip_tree(w, w->rq.args[0], &t, &set, err));
	TRY(check_rights(w, set, false, err));
	return api_zip_give(w, w->rq.args[0], &t, err);
}

/* ---- taking over ----------------------------------------------------------------------------------------------------------------- */

bool admin_is_zip(struct str bytes)
{
	return str_starts(bytes, STR("PK\003\004"));
}

static void put_missing(struct api_zip *x)
{
	struct liquid_list *list = liquid_set_list(x->w->page, "missing");

	for (size_t i = 0; i < x->plan.n_missing; i++) {
		const struct plan_missing *m = &x->plan.missing[i];
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "name", arena_printf(x->w->a, SECRET_FIELD "%s/%.*s%.*s", m->doc->kind->name, STR_ARG(m->doc->id), STR_ARG(m->field)));
		liquid_set_text(r, "id", arena_printf(x->w->a, "secret-%zu", i));
		liquid_set_text(r, "label", arena_printf(x->w->a, "%s %.*s", m->doc->kind->title, STR_ARG(m->doc->id)));
		liquid_set_text(r, "field", str_from(m->field, 1));
		liquid_set_bool(r, "random", m->placeholder);
	}
}

static struct str entered(struct web *w, const char *field)
{
	struct str s = str_trim(web_param(&w->rq.form, field));

	return s.n ? s : STR("");
}

static GH_RC page(struct api_zip *x, int status, struct gh_err *err)
{
	struct liquid_list *problems = liquid_set_list(x->w->page, "problems");
	struct web *w = x->w;

	web_form(w);
	for (size_t i = 0; i < x->set->n_problems; i++)
		liquid_set_text(liquid_push_record(problems), "text", x->set->problems[i].doc
				? arena_printf(w->a, "%s %.*s: %.*s", x->set->problems[i].doc->kind->name, STR_ARG(x->set->problems[i].doc->id),
					       STR_ARG(x->set->problems[i].message)) : x->set->problems[i].message);
	put_missing(x);
	admin_put_report(w, &x->report);
	admin_put_changes(w, liquid_set_record(w->page, "plan"), &x->plan);
	liquid_set_bool(w->page, "any", x->plan.n > 0);
	liquid_set_text(w->page, "zip", crypto_base64(w->a, x->zip));
	liquid_set_text(w->page, "environment_id", x->environment);
	liquid_set_text(w->page, "state", x->plan.state.p ? x->plan.state : STR(""));
	liquid_set_text(w->page, "api_id", x->foreign ? STR("") : x->api);
	liquid_set_text(w->page, "wanted_id", x->foreign ? entered(w, "id") : STR(""));
	liquid_set_text(w->page, "wanted_path", x->foreign ? entered(w, "path") : STR(""));
	liquid_set_text(w->page, "title", x->foreign ? STR("Import from another gateway") : STR("Import an API"));
	w->rs.status = status;
	return web_page(w, "api_zip", err);
}

/* What the fields of missing secrets say; an empty one is not given. */
static GH_RC read_secrets(struct api_zip *x, struct gh_err *err)
{
	x->secrets = jsn_keep(x->w->a, json_object());
	if (!x->secrets)
		FAIL(err, NOMEM, "secrets");
	for (size_t i = 0; i < x->w->rq.form.n; i++) {
		const struct web_param *p = &x->w->rq.form.v[i];
		const char *key = arena_cstr(x->w->a, str_from(p->name, sizeof(SECRET_FIELD) - 1));

		if (str_starts(p->name, STR(SECRET_FIELD)) && p->value.n && key)
			json_object_set_new(x->secrets, key, json_stringn(p->value.p, p->value.n));
	}
	return GH_RC_OK;
}

/* How much of the path of a file stands before the extractor's layout, which may lie in a folder of the archive; SIZE_MAX: it is none. */
static size_t before_layout(struct str path)
{
	static const char *const folders[] = { "apis/", "products/", "named values/", "backends/", "version sets/", "policy fragments/", "groups/", "loggers/",
					       "subscriptions/", "tags/", "gateways/", "diagnostics/" };
	size_t least = SIZE_MAX;

	for (size_t i = 0; str_ends(path, STR("Information.json")) && i < ARRAY_LEN(folders); i++) {
		size_t at = str_find(path, str_of(folders[i]));

		if (at < least && (at == 0 || path.p[at - 1] == '/'))
			least = at;
	}
	return least;
}

static GH_RC read_extract(struct api_zip *x, const struct tree *t, size_t prefix, struct gh_err *err)
{
	struct tree *inner = arena_new_of(x->w->a, struct tree);
	struct str folder = STR_NULL;

	if (!inner)
		FAIL(err, NOMEM, "import");
	tree_init(inner, x->w->a);
	for (size_t i = 0; i < t->n && !folder.p; i++)
		if (before_layout(t->files[i].path) == prefix)
			folder = str_first(t->files[i].path, prefix);
	for (size_t i = 0; i < t->n; i++)
		if (str_starts(t->files[i].path, folder))
			TRY(tree_add(inner, str_from(t->files[i].path, prefix), t->files[i].bytes, err));
	TRY(tree_finish(inner, err));
	return import_apiops(&x->bundle, inner, err);
}

static GH_RC read_text(struct api_zip *x, struct gh_err *err)
{
	struct text_where at = { 1, 1 };
	struct gh_err why;
	gh_rc rc;

	if (import_foreign_of(x->w->a, x->zip) == FOREIGN_AWS)
		rc = import_aws(&x->bundle, x->zip, entered(x->w, "id"), entered(x->w, "path"), &at, &why);
	else
		rc = import_kong(&x->bundle, x->zip, entered(x->w, "id"), &at, &why);
	if (rc.code == GH_E_SYNTAX || rc.code == GH_E_INVALID)
		FAIL(err, INVALID, "Line %u, column %u: %s", at.line ? at.line : 1, at.column ? at.column : 1, why.message);
	*err = why;
	return rc;
}

/* *foreign: the bundle holds what the file of another gateway becomes. */
static GH_RC read_foreign(struct api_zip *x, const struct tree *t, struct gh_err *err)
{
	size_t prefix = SIZE_MAX;

	for (size_t i = 0; t && i < t->n; i++)
		if (before_layout(t->files[i].path) < prefix)
			prefix = before_layout(t->files[i].path);
	if (t && prefix == SIZE_MAX)
		return GH_RC_OK;
	x->foreign = true;
	TRY(bundle_init(&x->bundle, x->w->a, &x->report, err));
	x->bundle.environment = x->environment;
	TRY(t ? read_extract(x, t, prefix, err) : read_text(x, err));
	TRY(bundle_check_gateway(&x->bundle, x->w->site->store, err));
	TRY(bundle_keep_secrets(&x->bundle, x->w->site->store, err));
	return bundle_set(&x->bundle, "file", x->set, err);
}

static GH_RC read_set(struct api_zip *x, struct gh_err *err)
{
	struct tree *t = admin_is_zip(x->zip) ? arena_new_of(x->w->a, struct tree) : NULL;

	if (!t && admin_is_zip(x->zip))
		FAIL(err, NOMEM, "import");
	if (t) {
		tree_init(t, x->w->a);
		TRY(tree_from_zip(t, x->zip, err));
	}
	TRY(read_foreign(x, t, err));
	if (x->foreign)
		return GH_RC_OK;
	TRY(files_set_read(x->set, x->w->a, t, err));
	files_set_take_nothing_away(x->set);
	for (size_t i = 0; i < x->set->n; i++) {
		struct files_doc *d = &x->set->docs[i];

		if (strcmp(d->kind->name, "api") != 0)
			continue;
		if (!x->api.n)
			x->api = d->id;
		if (x->environment.n)
			json_object_set_new(d->doc, "environment", json_stringn(x->environment.p, x->environment.n));
	}
	if (!x->api.n && !x->set->n_problems)
		FAIL(err, INVALID, "The archive holds no API. `gatehouse export --api` and the page of an API write one that does.");
	return GH_RC_OK;
}

gh_rc api_zip_walk(struct api_zip *x, bool dry_run, gh_rc *out, struct gh_err *why, struct gh_err *err)
{
	struct plan_options o = { .actor = web_actor(x->w), .dry_run = dry_run, .impact = dry_run, .secrets = x->secrets, .placeholders = x->random,
				  .theme = &x->w->site->theme, .state = dry_run ? STR_NULL : x->state, .blind_to_alerts = x->blind_to_alerts, .passwords_stand = x->foreign,
				  .look = x->look, .look_ctx = x->look_ctx };

	*out = GH_RC_OK;
	if (x->set->n_problems) {
		*out = gh_err_set(why, GH_E_INVALID, __FILE__, __LINE__, "the files of the archive are wrong");
		return GH_RC_OK;
	}
	TRY(check_rights(x->w, x->set, true, err));
	*out = plan_run(x->w->site->store, x->w->a, x->set, &o, &x->plan, why);
	for (int i = 1; x->foreign && i < CLOSE_ROUNDS && out->code == GH_E_INVALID && bundle_close_policies(&x->bundle, x->set); i++) {
		TRY(bundle_set(&x->bundle, "file", x->set, err));
		*out = plan_run(x->w->site->store, x->w->a, x->set, &o, &x->plan, why);
	}
	if (out->code && out->code != GH_E_INVALID && out->code != GH_E_CONFLICT && out->code != GH_E_LIMIT && out->code != GH_E_NOT_FOUND) {
		*err = *why;
		return *out;
	}
	return GH_RC_OK;
}

gh_rc api_zip_read(struct web *w, struct api_zip *x, struct str zip, struct gh_err *err)
{
	*x = (struct api_zip){ .w = w, .zip = zip, .environment = str_trim(web_param(&w->rq.form, "environment")), .random = true,
			     .state = web_param(&w->rq.form, "state"),
			     .set = arena_new_of(w->a, struct files_set) };
	if (!x->set)
		FAIL(err, NOMEM, "import");
	import_report_init(&x->report, w->a);
	TRY(read_secrets(x, err));
	return read_set(x, err);
}

/* What is shown travels in a form. */
static GH_RC begin(struct web *w, struct api_zip *x, struct str zip, struct gh_err *err)
{
	if (zip.n / 3 * 4 + FORM_SLACK > (size_t)config_int(&w->site->config, CONFIG_WEB_MAX_FORM_BYTES))
		FAIL(err, LIMIT, "The file is too large for a form (web.max_form_bytes). `gatehouse import` takes it.");
	return api_zip_read(w, x, zip, err);
}

GH_RC admin_zip_show(struct web *w, struct str zip, struct gh_err *why, bool *fine, struct gh_err *err)
{
	struct api_zip x;
	gh_rc rc = begin(w, &x, zip, why);

	*fine = !rc.code;
	if (rc.code == GH_E_INVALID || rc.code == GH_E_LIMIT || rc.code == GH_E_CONFLICT)
		return GH_RC_OK;
	if (rc.code) {
		*err = *why;
		return rc;
	}
	TRY(api_zip_walk(&x, true, &rc, why, err));
	if (rc.code)
		web_form_problem(w, "Nothing can be imported as it is:");
	return page(&x, rc.code ? 422 : 200, err);
}

gh_rc admin_api_import(struct web *w, struct gh_err *err)
{
	struct gh_err why = { .code = GH_OK };
	struct api_zip x;
	struct str zip;
	gh_rc rc;

	web_form(w);
	if (!crypto_base64_decode(w->a, web_param(&w->rq.form, "zip"), &zip))
		FAIL(err, INVALID, "the archive of the form is damaged");
	TRY(begin(w, &x, zip, err));
	TRY(api_zip_walk(&x, false, &rc, &why, err));
	if (rc.code == GH_E_CONFLICT && x.state.n && !str_starts(x.state, x.plan.state)) {        /* that of the store stands before the dash */
		x.secrets = NULL;            /* what was typed is asked for again, and never sent back */
		TRY(api_zip_walk(&x, true, &rc, &why, err));
		web_form_problem(w, "Somebody has changed the configuration since this was shown. Nothing was imported; look at it again:");
		return page(&x, 409, err);
	}
	if (rc.code) {
		web_form_problem(w, "Nothing was imported:");
		return page(&x, 422, err);
	}
	TRY(web_flash(w, "good", arena_printf(w->a, "Imported: %zu made, %zu changed, %zu as they were.%s", plan_count(&x.plan, PLAN_CREATE),
		      plan_count(&x.plan, PLAN_CHANGE), x.plan.same, x.plan.n_missing ? " Secrets that were missing hold a random text until you set them." : ""),
		      err));
	return web_redirect(w, x.foreign ? STR("") : arena_printf(w->a, "apis/%.*s", STR_ARG(x.api)), err);
}
