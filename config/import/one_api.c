#include "config/import/one_api.h"

#include "config/import/bundle.h"
#include "config/import/operations.h"
#include "core/map.h"
#include "core/str.h"
#include "db/apis.h"

struct work {
	struct resource_change *c;
	struct store *s;
	struct arena *a;
	struct one_api *v;
	struct str id;                   /* of the API */
	struct str version_set;          /* empty: none */
};

static GH_RC put(struct work *w, const char *kind, struct str id, const json_t *doc, struct gh_err *err)
{
	if (!doc)
		FAIL(err, NOMEM, "%s", kind);
	return resource_write(w->c, resource_kind_find(str_of(kind)), id, doc, RESOURCE_PUT, NULL, err);
}

/* Lays the fields over what is there, or makes it of them alone. */
static GH_RC lay(struct work *w, const char *kind, struct str id, json_t *patch, struct gh_err *err)
{
	json_t *all = NULL;

	if (!patch)
		FAIL(err, NOMEM, "%s", kind);
	TRY(resource_merge(w->s, w->a, resource_kind_find(str_of(kind)), id, patch, &all, err));
	return put(w, kind, id, all ? all : patch, err);
}

static bool text(json_t *doc, const char *field, struct str s)
{
	return doc && json_object_set_new(doc, field, json_stringn(s.p ? s.p : "", s.n)) == 0;
}

/* ---- which API it is --------------------------------------------------------------------------------------------------------- */

/* Finds the API to update, or the id for a new one. */
static GH_RC choose(struct work *w, struct store_api *old, struct gh_err *err)
{
	struct one_api *v = w->v;
	bool found;

	v->created = false;
	TRY(store_api_find_path(w->s, w->a, v->environment, v->path, v->version, old, &found, err));
	if (found && v->named && !str_eq(old->id, v->id) && !str_starts(old->id, v->id))
		FAIL(err, CONFLICT, "the path '%.*s' belongs to the API '%.*s'", STR_ARG(v->path), STR_ARG(old->id));
	if (!found) {
		TRY(store_api_find(w->s, w->a, v->id, 0, old, &found, err));
		w->id = v->id;
		if (found && (!str_eq(old->version, v->version) || !str_eq(old->environment_id, v->environment))) {
			w->id = arena_printf(w->a, "%.*s-%.*s", STR_ARG(v->id), STR_ARG(import_slug(w->a, v->version.n ? v->version : v->environment)));
			found = false;
		}
		if (found && !v->named)          /* two services may have one title; the other one would be gone from its path */
			FAIL(err, CONFLICT, "there is an API '%.*s' already, at the path '%.*s': to move it here name it (--name %.*s), or give this one a name of its own",
			     STR_ARG(old->id), STR_ARG(old->path), STR_ARG(old->id));
	}
	v->created = !found;
	if (found)
		w->id = old->id;
	else
		*old = (struct store_api){ .id = w->id };
	return GH_RC_OK;
}

/* A versioned API needs a set: that of another version at the same path, or a new one, which the unversioned API at this path joins
 * as its original. */
static GH_RC join_versions(struct work *w, const struct store_api *old, struct gh_err *err)
{
	struct one_api *v = w->v;
	struct store_api *apis, *original = NULL;
	json_t *doc = jsn_keep(w->a, json_object());
	bool there;
	size_t n;

	w->version_set = old->version_set_id;
	if (!v->version.n || w->version_set.n)
		return GH_RC_OK;
	TRY(store_apis(w->s, w->a, NULL, &apis, &n, err));
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(apis[i].environment_id, v->environment) || !str_eq(apis[i].path, v->path) || str_eq(apis[i].id, w->id))
			continue;
		if (apis[i].version_set_id.n)
			w->version_set = apis[i].version_set_id;
		else
			original = &apis[i];
	}
	if (!w->version_set.n) {
		w->version_set = v->id;
		TRY(resource_exists(w->s, resource_kind_find(STR("version-set")), v->id, &there, err));
		if (!there && text(doc, "name", v->name) && text(doc, "scheme", STR("segment")))
			TRY(put(w, "version-set", v->id, doc, err));
	}
	doc = jsn_keep(w->a, json_object());
	return original && text(doc, "versionSet", w->version_set) ? lay(w, "api", original->id, doc, err) : GH_RC_OK;
}

static GH_RC put_api(struct work *w, const struct store_api *old, struct gh_err *err)
{
	struct one_api *v = w->v;
	bool keeps = !v->created && !v->backend_given && (old->backend_id.n || old->backend_url.n);
	json_t *doc = jsn_keep(w->a, json_object());
	bool ok = text(doc, "name", v->name) && text(doc, "description", import_cut(v->doc->description, STORE_TEXT_MAX)) &&
		  text(doc, "environment", v->environment) && text(doc, "path", v->path) && text(doc, "version", v->version);

	if (ok && w->version_set.n)
		ok = text(doc, "versionSet", w->version_set);
	v->backend_now = keeps ? old->backend_url : v->backend;
	if (ok && !keeps)
		ok = text(doc, "backendUrl", v->backend) && json_object_set_new(doc, "backend", json_null()) == 0;
	return lay(w, "api", w->id, ok ? doc : NULL, err);
}

/* ---- what belongs to it ------------------------------------------------------------------------------------------------------ */

static struct str place_of(struct work *w, struct str operation)
{
	return arena_printf(w->a, "%.*s/%.*s", STR_ARG(w->id), STR_ARG(operation));
}

/* Those that the description no longer has, first, so that their routes are free. */
static GH_RC drop_gone(struct work *w, const struct bundle *b, struct gh_err *err)
{
	struct store_operation *old;
	struct map wanted;
	json_t *doc;
	size_t i, n;

	map_init(&wanted, w->a, false);
	json_array_foreach(b->docs, i, doc)
		if (str_eq(jsn_str(doc, FILES_KIND), STR("operation")) && !map_put(&wanted, jsn_str(doc, "id"), doc))
			FAIL(err, NOMEM, "operations");
	TRY(store_operations_of(w->s, w->a, w->id, 0, &old, &n, err));
	for (i = 0; i < n; i++)
		if (!map_get(&wanted, place_of(w, old[i].id)))
			TRY(resource_remove(w->c, resource_kind_find(STR("operation")), place_of(w, old[i].id), NULL, err));
	return GH_RC_OK;
}

static GH_RC put_belongings(struct work *w, struct gh_err *err)
{
	struct one_api *v = w->v;
	struct import_report report;     /* a description that could be read has nothing to tell */
	json_t *operations, *doc, *description = NULL;
	struct bundle b;
	size_t i;

	import_report_init(&report, w->a);
	TRY(bundle_init(&b, w->a, &report, err));
	TRY(bundle_parsed(&b, w->id, v->doc, v->text, v->bundled, v->source, &operations, &v->n_operations, err));
	if (report.failed)
		FAIL(err, NOMEM, "operations");
	TRY(drop_gone(w, &b, err));
	json_array_foreach(b.docs, i, doc) {
		bool operation = str_eq(jsn_str(doc, FILES_KIND), STR("operation"));

		json_object_del(doc, FILES_KIND);
		if (operation)
			TRY(put(w, "operation", jsn_str(doc, "id"), doc, err));
		else
			description = doc;
	}
	return put(w, "api-description", w->id, description, err);
}

static GH_RC into_product(struct work *w, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(STR("product"));
	json_t *doc, *apis, *v;
	size_t i;

	if (!w->v->product.n)
		return GH_RC_OK;
	TRY(resource_read(w->s, w->a, k, w->v->product, &doc, err));
	if (!doc)
		FAIL(err, NOT_FOUND, "there is no product '%.*s'", STR_ARG(str_first(w->v->product, 200)));
	apis = jsn_arr(doc, "apis");
	json_array_foreach(apis, i, v)
		if (str_eq(jsn_string(v), w->id))
			return GH_RC_OK;
	json_array_append_new(apis, json_stringn(w->id.p, w->id.n));
	return resource_write(w->c, k, w->v->product, doc, RESOURCE_REPLACE, NULL, err);
}

GH_RC one_api_write(struct resource_change *c, struct store *s, struct arena *a, struct one_api *v, struct gh_err *err)
{
	struct work w = { .c = c, .s = s, .a = a, .v = v };
	struct store_api old = { .id = STR_NULL };

	v->name = import_name(a, v->doc->title);
	if (!v->id.n)
		v->id = import_slug(a, v->name.n ? v->name : v->path);
	if (!v->id.n)
		v->id = STR("api");
	if (!v->name.n)
		v->name = v->id;
	TRY(choose(&w, &old, err));
	TRY(join_versions(&w, &old, err));
	TRY(put_api(&w, &old, err));
	TRY(put_belongings(&w, err));
	TRY(into_product(&w, err));
	v->id = w.id;
	return GH_RC_OK;
}
