/* revisions.c - the revisions of an API: worked on under an address of their own, made current with a line for the change log, and
 * back again. A revision that is not current is called with ";rev=N" behind the path of the API. */
#include "portal/admin/resources.h"

#include "core/str.h"
#include "db/apis.h"

static GH_RC put_list(struct web *w, const struct store_api *api, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "revisions");
	struct store_operation *ops;
	struct store_api *v;
	size_t n, n_ops;

	TRY(store_revisions_of_api(w->site->store, w->a, api->id, &v, &n, err));
	for (size_t i = n; i-- > 0;) {   /* newest first */
		struct liquid_record *r = liquid_push_record(list);

		TRY(store_operations_of(w->site->store, w->a, api->id, v[i].revision, &ops, &n_ops, err));
		liquid_set_text(r, "number", arena_printf(w->a, "%lld", (long long)v[i].revision));
		liquid_set_bool(r, "current", v[i].is_current);
		liquid_set_text(r, "description", v[i].revision_description.n ? v[i].revision_description : STR(""));
		liquid_set_text(r, "backend", v[i].backend_id.n ? v[i].backend_id : v[i].backend_url.n ? v[i].backend_url : STR(""));
		liquid_set_int(r, "operations", (int64_t)n_ops);
		liquid_set_text(r, "address", v[i].is_current ? arena_printf(w->a, "/%.*s", STR_ARG(api->path))
							     : arena_printf(w->a, "/%.*s;rev=%lld", STR_ARG(api->path), (long long)v[i].revision));
	}
	return GH_RC_OK;
}

static GH_RC page(struct web *w, int status, struct gh_err *err)
{
	struct store_api api;
	bool found;

	TRY(store_api_find(w->site->store, w->a, w->rq.args[0], 0, &api, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such API");
	TRY(put_list(w, &api, err));
	admin_put_api_head(w, &api);
	web_form(w);
	liquid_set_text(w->page, "note", status == 200 ? STR("") : web_param(&w->rq.form, "note"));
	liquid_set_bool(w->page, "may_change", web_may(w, WEB_CHANGE_APIS));
	liquid_set_bool(w->page, "see_policies", web_may(w, WEB_VIEW_POLICIES));
	liquid_set_text(w->page, "title", arena_printf(w->a, "Revisions of %.*s", STR_ARG(api.name.n ? api.name : api.id)));
	w->rs.status = status;
	return web_page(w, "revisions", err);
}

gh_rc admin_revisions(struct web *w, struct gh_err *err)
{
	return page(w, 200, err);
}

/* ---- changes ---------------------------------------------------------------------------------------------------------------- */

static GH_RC make(struct web *w, struct resource_change *c, struct str api, int64_t from, struct str note, struct gh_err *err)
{
	struct store_api *v;
	int64_t newest = 0;
	size_t n;

	TRY(store_revisions_of_api(w->site->store, w->a, api, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		newest = v[i].revision > newest ? v[i].revision : newest;
	return resource_write(c, resource_kind_find(STR("revision")), arena_printf(w->a, "%.*s;rev=%lld", STR_ARG(api), (long long)newest + 1),
			      jsn_keep(w->a, json_pack("{s:s%,s:I}", "description", note.p, note.n, "copyOf", (json_int_t)from)), RESOURCE_CREATE, NULL, err);
}

gh_rc admin_revision_current(struct web *w, struct resource_change *c, struct str api, int64_t number, struct str note, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(STR("api"));
	json_t *patch = jsn_keep(w->a, json_pack("{s:I}", "revision", (json_int_t)number)), *doc;
	struct store_api old;
	bool found;

	TRY(store_api_find(w->site->store, w->a, api, number, &old, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such revision");
	if (!note.n)
		note = old.revision_description.n ? old.revision_description : STR("");
	json_object_set_new(patch, "revisionDescription", json_stringn(note.p, note.n));
	json_object_set_new(patch, "backendUrl", old.backend_url.n ? json_stringn(old.backend_url.p, old.backend_url.n) : json_null());
	json_object_set_new(patch, "backend", old.backend_id.n ? json_stringn(old.backend_id.p, old.backend_id.n) : json_null());
	TRY(resource_merge(w->site->store, w->a, k, api, patch, &doc, err));
	return resource_write(c, k, api, doc, RESOURCE_REPLACE, NULL, err);
}

gh_rc admin_revision_act(struct web *w, struct gh_err *err)
{
	struct str action = w->rq.args[2], note = str_trim(admin_unix_lines(w, web_param(&w->rq.form, "note"))), api = w->rq.args[0];
	struct gh_err why = { .code = GH_OK };
	struct resource_change *c;
	const char *said = "The revision is made. Work on it under its own address.";
	int64_t number;
	size_t n;
	gh_rc rc;

	if (!str_to_i64(w->rq.args[1], 1, INT32_MAX, &number))
		FAIL(err, NOT_FOUND, "no such revision");
	TRY(resource_begin(w->site->store, w->a, web_actor(w), &c, err));
	if (str_eq(action, STR("copy"))) {
		rc = make(w, c, api, number, note.p ? note : STR(""), &why);
	} else if (str_eq(action, STR("current"))) {
		said = "Calls go to this revision from now on.";
		rc = admin_revision_current(w, c, api, number, note, &why);
	} else if (str_eq(action, STR("remove"))) {
		said = "The revision is removed.";
		rc = resource_remove(c, resource_kind_find(STR("revision")), arena_printf(w->a, "%.*s;rev=%lld", STR_ARG(api), (long long)number), NULL, &why);
	} else {
		rc = (gh_rc){ GH_E_NOT_FOUND };
		gh_err_set(&why, GH_E_NOT_FOUND, __FILE__, __LINE__, "no such action");
	}
	rc = resource_end(c, rc, false, &why);
	if (!rc.code) {
		TRY(web_flash(w, "good", str_of(said), err));
		return web_redirect(w, arena_printf(w->a, "apis/%.*s/revisions", STR_ARG(api)), err);
	}
	if (rc.code != GH_E_INVALID && rc.code != GH_E_CONFLICT) {
		*err = why;
		return rc;
	}
	web_form(w);
	liquid_set_text(w->form, "error", (resource_problems(c, &n), n) ? resource_problems(c, &n)[0].message : arena_dup(w->a, str_of(why.message)));
	return page(w, 422, err);
}
