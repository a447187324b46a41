#include "portal/portal/json.h"

#include "db/catalog.h"

/* What is new, as the page and the feed have it: the same events under the same sight. */

/* Of more than these the oldest are not given; the feed has 50, a page 30. */
enum { NEWS_MAX = 300 };

static const char *kind_of(int64_t kind)
{
	static const char *const words[] = { [STORE_EVENT_PUBLISHED] = "published", [STORE_EVENT_PREVIEW] = "preview", [STORE_EVENT_REVISION] = "revision",
					     [STORE_EVENT_DEPRECATED] = "deprecated", [STORE_EVENT_RETIRED] = "retired" };

	return kind >= 0 && kind < (int64_t)ARRAY_LEN(words) ? words[kind] : "retired";
}

static json_t *event(const struct store_api_event *e)
{
	bool ends = e->kind == STORE_EVENT_DEPRECATED;

	return json_pack("{s:I, s:o, s:s, s:b, s:{s:o, s:o}, s:o, s:o, s:o, s:o}", "id", (json_int_t)e->id, "time", portal_json_time(e->at_us), "kind",
			 kind_of(e->kind), "newVersion", e->is_new_version != 0 && (e->kind == STORE_EVENT_PUBLISHED || e->kind == STORE_EVENT_PREVIEW),
			 "api", "id", portal_json_text(e->api_id), "name", portal_json_text(e->api_name.n ? e->api_name : e->api_id), "version",
			 portal_json_text(e->version), "revision", e->kind == STORE_EVENT_REVISION ? json_integer(e->revision) : json_null(), "note",
			 portal_json_text(e->kind == STORE_EVENT_REVISION ? e->note : STR("")), "sunsetAt", portal_json_time(ends ? e->sunset_us : 0));
}

gh_rc portal_json_news(struct web *w, struct gh_err *err)
{
	struct store_api_event *v;
	struct portal_window win;
	json_t *items;
	size_t n;

	TRY(store_catalog_news(w->site->store, w->a, portal_viewer(w), NEWS_MAX, 0, &v, &n, err));
	win = portal_json_window(w, n);
	items = json_array();
	for (size_t i = win.from; i < win.from + win.n; i++)
		json_array_append_new(items, event(&v[i]));
	return portal_json_list(w, &win, items, err);
}
