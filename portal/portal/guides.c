#include "portal/portal/docs.h"

#include "core/str.h"
#include "db/pages.h"
#include "portal/web/markdown.h"

/* Pages that people wrote: of the whole portal at /pages/ID, of an API at /apis/API/pages/ID. Whoever may not see one is
 * answered as if it did not exist. */

static const struct str NONE = STR_INIT("");

static void put_links(struct web *w, const char *list, const struct store_portal_page *v, size_t n, bool menu_only, struct str here)
{
	struct liquid_list *l = liquid_set_list(w->page, list);

	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r;

		if (menu_only && !v[i].in_menu)
			continue;
		r = liquid_push_record(l);
		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "title", v[i].title);
		liquid_set_bool(r, "here", str_eq(v[i].id, here));
	}
}

/* The menu must not keep an error page from being shown. */
void portal_put_menu(struct web *w)
{
	struct str here = str_starts(w->rq.path, STR("/pages/")) ? str_from(w->rq.path, 7) : NONE;
	struct store_portal_page *v;
	struct gh_err err;
	size_t n;

	if (store_portal_pages_read(w->site->store, w->a, portal_viewer(w), STR_NULL, &v, &n, &err).code)
		n = 0;
	put_links(w, "menu_pages", v, n, true, here);
}

gh_rc portal_put_guides(struct web *w, struct str api_id, struct str here, struct gh_err *err)
{
	struct store_portal_page *v;
	size_t n;

	TRY(store_portal_pages_read(w->site->store, w->a, portal_viewer(w), api_id, &v, &n, err));
	put_links(w, "guides", v, n, false, here);
	return GH_RC_OK;
}

static GH_RC show(struct web *w, const struct store_api *api, struct str id, struct gh_err *err)
{
	struct store_portal_page page;
	struct liquid_value nodes;
	bool found;

	TRY(store_portal_page_read(w->site->store, w->a, portal_viewer(w), api ? api->id : STR_NULL, id, &page, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such page");
	TRY(web_markdown(w->a, page.body, &nodes, err));
	liquid_set(w->page, "nodes", nodes);
	web_put_time(w, w->page, "changed", page.changed_us);
	liquid_set(w->page, "api", LIQUID_NIL_VALUE);
	if (api)
		portal_put_api(w, liquid_set_record(w->page, "api"), api);
	TRY(portal_put_guides(w, api ? api->id : STR_NULL, id, err));
	liquid_set_text(w->page, "title", page.title);
	return web_page(w, "guide", err);
}

gh_rc portal_page(struct web *w, struct gh_err *err)
{
	return show(w, NULL, w->rq.args[0], err);
}

gh_rc portal_api_page(struct web *w, struct gh_err *err)
{
	struct store_api api;

	TRY(portal_find_api(w, w->rq.args[0], &api, err));
	return show(w, &api, w->rq.args[1], err);
}
