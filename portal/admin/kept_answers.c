#include "portal/admin/admin.h"

#include "core/json.h"
#include "core/str.h"
#include "db/audit.h"
#include "policy/response_cache.h"

/* The answers that cache rules keep on this machine: what is there, and taking some away. What is shown is what the button removes. */

enum { LISTED = 100 };

static const struct {
	const char *name;
	size_t at;
} filters[] = {
	{ "api", offsetof(struct cached_filter, api) },       { "key", offsetof(struct cached_filter, key) },
	{ "prefix", offsetof(struct cached_filter, prefix) }, { "tag", offsetof(struct cached_filter, tag) },
	{ "subscription", offsetof(struct cached_filter, subscription) },
};

/* True: it narrows. What is asked for stands in the form again. */
static bool read_filter(struct web *w, const struct web_params *from, struct cached_filter *f)
{
	bool narrow = false;

	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		struct str v = str_trim(web_param(from, filters[i].name));

		*(struct str *)(void *)((char *)f + filters[i].at) = v;
		web_form_value(w, filters[i].name, v);
		narrow = narrow || v.n;
	}
	return narrow;
}

static void close_cache(void *c)
{
	cache_close(c);
}

/* Opened for the request alone: the gateway may begin the files anew. *out NULL: nothing was kept yet. */
static GH_RC open_answers(struct web *w, struct cache **out, struct gh_err *err)
{
	bool there;

	TRY(response_cache_open(&w->site->config, w->site->state_dir, out, &there, err));
	if (*out && !arena_defer(w->a, close_cache, *out)) {
		cache_close(*out);
		FAIL(err, NOMEM, "no memory for the cache");
	}
	return GH_RC_OK;
}

static struct str seconds(struct web *w, int64_t s)
{
	return arena_printf(w->a, "%.*s s", STR_ARG(web_number(w, s)));
}

static void put_line(struct web *w, struct liquid_record *r, const struct cached_line *l)
{
	liquid_set_text(r, "key", l->target);
	liquid_set_text(r, "api", l->api);
	liquid_set_text(r, "subscription", l->subscription.p ? l->subscription : STR(""));
	liquid_set_int(r, "status", l->status);
	liquid_set_text(r, "bytes", web_number(w, (int64_t)l->bytes));
	liquid_set_text(r, "age", seconds(w, l->age_s));
	liquid_set_text(r, "fresh", l->fresh_s > 0 ? seconds(w, l->fresh_s) : STR(""));
	liquid_set_text(r, "tags", l->tags.p ? l->tags : STR(""));
}

gh_rc admin_kept_answers(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "answers");
	struct cached_filter f = { .api = STR_NULL };
	struct cached_line *lines = NULL;
	struct cache_stats stats = { 0 };
	struct cache *cache;
	size_t n = 0;

	web_form(w);
	liquid_set_bool(w->page, "narrow", read_filter(w, &w->rq.query, &f));
	TRY(open_answers(w, &cache, err));
	if (cache) {
		TRY(cache_stats(cache, &stats, err));
		TRY(response_cache_list(cache, w->a, &f, LISTED + 1, &lines, &n, err));
	}
	for (size_t i = 0; i < n && i < LISTED; i++)
		put_line(w, liquid_push_record(list), &lines[i]);
	liquid_set_bool(w->page, "more", n > LISTED);
	liquid_set_bool(w->page, "may_purge", web_may(w, WEB_CHANGE_SETTINGS));
	liquid_set_text(w->page, "bytes", web_number(w, (int64_t)stats.bytes / 1024));
	liquid_set_text(w->page, "most", web_number(w, config_int(&w->site->config, CONFIG_CACHE_RESPONSES_MAX_BYTES) / 1024));
	liquid_set_text(w->page, "title", STR("Kept answers"));
	return web_page(w, "kept-answers", err);
}

gh_rc admin_kept_answers_purge(struct web *w, struct gh_err *err)
{
	struct cached_filter f = { .api = STR_NULL };
	bool narrow = read_filter(w, &w->rq.form, &f), all = web_param(&w->rq.form, "all").n > 0;
	struct cache *cache;
	size_t removed = 0;

	/* an empty field must not widen what is removed */
	if (narrow == all) {
		TRY(web_flash(w, "bad", STR("Nothing was removed: say which answers, or tick that it is all of them."), err));
		return web_redirect(w, STR("kept-answers"), err);
	}
	TRY(open_answers(w, &cache, err));
	if (cache)
		TRY(response_cache_purge(cache, &f, &removed, err));
	TRY(store_tx_begin(w->site->store, web_actor(w), err));
	TRY(store_tx_end(w->site->store, admin_purge_note(w, &f, removed, err), err));
	TRY(web_flash(w, "good", arena_printf(w->a, "Removed: %.*s", STR_ARG(web_number(w, (int64_t)removed))), err));
	return web_redirect(w, STR("kept-answers"), err);
}
