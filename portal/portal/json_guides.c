#include "portal/portal/json.h"

#include "core/str.h"
#include "db/pages.h"

/* Pages that people wrote, of the portal and of APIs, as JSON: the Markdown itself. Who may read one is decided as for the pages. */

static GH_RC list(struct web *w, struct str api_id, struct gh_err *err)
{
	struct store_portal_page *v;
	struct portal_window win;
	json_t *items;
	size_t n;

	TRY(store_portal_pages_read(w->site->store, w->a, portal_viewer(w), api_id, &v, &n, err));
	win = portal_json_window(w, n);
	items = json_array();
	for (size_t i = win.from; i < win.from + win.n; i++)
		json_array_append_new(items, json_pack("{s:o, s:o, s:o}", "id", portal_json_text(v[i].id), "title", portal_json_text(v[i].title),
						       "changedAt", portal_json_time(v[i].changed_us)));
	return portal_json_list(w, &win, items, err);
}

static GH_RC show(struct web *w, struct str api_id, struct str id, struct gh_err *err)
{
	struct store_portal_page p;
	bool found;

	TRY(store_portal_page_read(w->site->store, w->a, portal_viewer(w), api_id, id, &p, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such page");
	return portal_json_answer(w, 200, json_pack("{s:o, s:o, s:o, s:o}", "id", portal_json_text(p.id), "title", portal_json_text(p.title), "changedAt",
						    portal_json_time(p.changed_us), "body", portal_json_text(p.body)), err);
}

gh_rc portal_json_guides(struct web *w, struct gh_err *err)
{
	return list(w, STR_NULL, err);
}

gh_rc portal_json_guide(struct web *w, struct gh_err *err)
{
	return show(w, STR_NULL, w->rq.args[0], err);
}

gh_rc portal_json_api_guides(struct web *w, struct gh_err *err)
{
	struct store_api api;

	TRY(portal_find_api(w, w->rq.args[0], &api, err));
	return list(w, api.id, err);
}

gh_rc portal_json_api_guide(struct web *w, struct gh_err *err)
{
	struct store_api api;

	TRY(portal_find_api(w, w->rq.args[0], &api, err));
	return show(w, api.id, w->rq.args[1], err);
}
