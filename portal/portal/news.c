/* news.c - what is new: new APIs and versions, new current revisions, deprecations; as a page, on the front page, and as an
 * Atom feed (RFC 4287) of what everybody may see, or, for who is signed in, of what he may see. */
#include "portal/portal/catalog.h"

#include "core/clock.h"
#include "core/str.h"
#include "core/uri.h"

enum { NEWS_ROWS = 30, FEED_ENTRIES = 50 };

/* "is new" behind the API's name. */
static struct str what_happened(struct web *w, const struct store_api_event *e)
{
	switch (e->kind) {
	case STORE_EVENT_PUBLISHED:
		return web_text(w, e->is_new_version ? STR("New version") : STR("New API"));
	case STORE_EVENT_PREVIEW:
		return web_text(w, e->is_new_version ? STR("New version, as a preview") : STR("New API, as a preview"));
	case STORE_EVENT_REVISION:
		return web_textf(w, "Revision {1} is current", web_count(w, e->revision));
	case STORE_EVENT_DEPRECATED:
		return web_text(w, STR("Deprecated"));
	default:
		return web_text(w, STR("Retired"));
	}
}

static struct str detail_of(struct web *w, const struct store_api_event *e)
{
	if (e->kind == STORE_EVENT_REVISION)
		return e->note;
	if (e->kind == STORE_EVENT_DEPRECATED && e->sunset_us)
		return web_textf(w, "Calls are answered until {1}.", LANG_STR(web_date(w, e->sunset_us)));
	return STR("");
}

static struct str title_of(struct arena *a, const struct store_api_event *e)
{
	struct str name = e->api_name.n ? e->api_name : e->api_id;

	return e->version.n ? arena_printf(a, "%.*s %.*s", STR_ARG(name), STR_ARG(e->version)) : name;
}

static void put_event(struct web *w, struct liquid_record *r, const struct store_api_event *e, int64_t now_us)
{
	char iso[CLOCK_ISO_MAX];

	liquid_set_text(r, "number", arena_printf(w->a, "%lld", (long long)e->id));
	liquid_set_text(r, "api_id", e->api_id);
	liquid_set_text(r, "title", title_of(w->a, e));
	liquid_set_text(r, "what", what_happened(w, e));
	liquid_set_text(r, "detail", detail_of(w, e));
	liquid_set_text(r, "on", web_date(w, e->at_us));
	liquid_set_text(r, "at", arena_dup(w->a, str_of(clock_iso(e->at_us, 0, iso))));
	portal_put_life(w, r, &(struct portal_life){ e->state, e->deprecated_us, e->sunset_us }, now_us);
}

static GH_RC load(struct web *w, size_t most, size_t offset, size_t *shown, bool *more, int64_t *newest_us, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(w->page, "news");
	int64_t now_us = clock_wall_us();
	struct store_api_event *v;
	size_t n;

	TRY(store_catalog_news(w->site->store, w->a, portal_viewer(w), most + 1, offset, &v, &n, err));
	*more = n > most;
	*shown = *more ? most : n;
	*newest_us = n ? v[0].at_us : 0;
	for (size_t i = 0; i < *shown; i++)
		put_event(w, liquid_push_record(l), &v[i], now_us);
	return GH_RC_OK;
}

gh_rc portal_put_news(struct web *w, size_t most, size_t offset, struct gh_err *err)
{
	int64_t newest_us;
	size_t shown;
	bool more;

	return load(w, most, offset, &shown, &more, &newest_us, err);
}

gh_rc portal_news(struct web *w, struct gh_err *err)
{
	struct str page = web_param(&w->rq.query, "page");
	int64_t newest_us;
	uint64_t n = 1;
	size_t shown;
	bool more;

	if (!page.n || !str_to_u64(page, 10000, &n) || !n)
		n = 1;
	TRY(load(w, NEWS_ROWS, (size_t)(n - 1) * NEWS_ROWS, &shown, &more, &newest_us, err));
	liquid_set_int(w->page, "page_number", (int64_t)n);
	liquid_set_bool(w->page, "more", more);
	liquid_set_text(w->page, "search", STR(""));             /* web/pages asks for it */
	web_title(w, "What’s new");
	return web_page(w, "news", err);
}

/* Where a feed reader finds the portal, which has no page to be relative to. */
static struct str own_address(struct web *w)
{
	struct gh_err unknown;
	struct str host;

	if (web_public_address(w, &host, &unknown).code)
		host = arena_printf(w->a, "%s://%.*s", w->rq.tls ? "https" : "http", STR_ARG(w->rq.host));
	return arena_printf(w->a, "%.*s%.*s", STR_ARG(host), STR_ARG(w->site->base));
}

gh_rc portal_feed(struct web *w, struct gh_err *err)
{
	char iso[CLOCK_ISO_MAX];
	int64_t newest_us;
	size_t shown;
	bool more;

	TRY(load(w, FEED_ENTRIES, 0, &shown, &more, &newest_us, err));
	liquid_set_text(w->page, "address", own_address(w));
	liquid_set_text(w->page, "updated", arena_dup(w->a, str_of(clock_iso(newest_us, 0, iso))));
	TRY(w->site->app->common(w, err));
	buf_cstr(&w->rs.body, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
	TRY(web_render(w, "portal/feed", &w->rs.body, err));
	web_header(w, "Content-Type", STR("application/atom+xml; charset=utf-8"));
	web_header(w, "Cache-Control", w->signed_in ? STR("private, no-cache") : STR("no-cache"));
	web_header(w, "Vary", STR("Cookie"));
	return GH_RC_OK;
}
