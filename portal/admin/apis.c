/* The list of APIs: each with its day, narrowed by environment, tracking, stage and tag. */
#include "portal/admin/admin.h"

#include "core/clock.h"
#include "core/map.h"
#include "core/str.h"
#include "db/api_list.h"
#include "db/environments.h"

/* Active subscriptions of products, each counted once however many of the page's APIs it opens. */
struct counts {
	struct map by_product;           /* -> int64_t */
};

static GH_RC subscriptions_of_product(struct web *w, struct counts *c, struct str id, int64_t *out, struct gh_err *err)
{
	struct store_subscription_filter f = { .product_id = id, .state = STORE_SUB_ACTIVE };
	int64_t *known = map_get(&c->by_product, id);

	if (!known) {
		known = arena_new_of(w->a, int64_t);
		if (!known)
			FAIL(err, NOMEM, "counts");
		TRY(store_subscriptions_count(w->site->store, &f, known, err));
		if (!map_put(&c->by_product, id, known))
			FAIL(err, NOMEM, "counts");
	}
	*out = *known;
	return GH_RC_OK;
}

/* Active subscriptions that open the API: its own and those of the products it is in. */
static GH_RC subscriptions_of_api(struct web *w, struct counts *c, struct str api_id, int64_t *out, struct gh_err *err)
{
	struct store_subscription_filter f = { .api_id = api_id, .state = STORE_SUB_ACTIVE };
	struct store_product *products;
	int64_t count = 0;
	size_t n;

	TRY(store_subscriptions_count(w->site->store, &f, out, err));
	TRY(store_products_of_api(w->site->store, w->a, api_id, &products, &n, err));
	for (size_t i = 0; i < n; i++) {
		TRY(subscriptions_of_product(w, c, products[i].id, &count, err));
		*out += count;
	}
	return GH_RC_OK;
}

/* ---- filters ---------------------------------------------------------------------------------------------------------- */

static void put_option(struct liquid_list *list, struct str value, struct str label, bool here)
{
	struct liquid_record *r = liquid_push_record(list);

	liquid_set_text(r, "value", value);
	liquid_set_text(r, "label", label);
	liquid_set_bool(r, "here", here);
}

/* One of a table of names; -1: none of them. */
static int64_t take_name(struct web *w, const char *field, const char *const names[])
{
	struct str wanted = web_param(&w->rq.query, field);
	struct liquid_list *list = liquid_set_list(w->page, field);
	int64_t found = -1;

	for (int i = 0; names[i]; i++) {
		bool here = str_eq(wanted, str_of(names[i]));

		put_option(list, str_of(names[i]), str_of(names[i]), here);
		if (here)
			found = i;
	}
	return found;
}

static GH_RC take_filter(struct web *w, struct store_api_filter *f, struct gh_err *err)
{
	struct liquid_list *environments = liquid_set_list(w->page, "environments"), *tags = liquid_set_list(w->page, "tags");
	struct str tag = web_param(&w->rq.query, "tag");
	struct store_environment *e;
	struct store_tag *t;
	size_t n;

	*f = (struct store_api_filter){ .state = take_name(w, "stage", store_api_state_names),
					.tracking = take_name(w, "status", store_tracking_names),
					.active_since_us = admin_active_since(w) };
	TRY(store_environments(w->site->store, w->a, &e, &n, err));
	for (size_t i = 0; i < n; i++) {
		if (web_may_in(w, WEB_VIEW_APIS, e[i].id))
			put_option(environments, e[i].id, e[i].name.n ? e[i].name : e[i].id, str_eq(w->environment, e[i].id));
	}
	f->environment = w->environment;
	TRY(store_tags_in_use(w->site->store, w->a, f->environment, &t, &n, err));
	for (size_t i = 0; i < n; i++) {
		put_option(tags, t[i].tag, t[i].tag, str_eq(tag, t[i].tag));
		if (str_eq(tag, t[i].tag))
			f->tag = tag;
	}
	liquid_set_bool(w->page, "filtered", f->environment.n || f->tag.n || f->state >= 0 || f->tracking >= 0);
	return GH_RC_OK;
}

int64_t admin_active_since(struct web *w)
{
	return clock_wall_us() - config_int(&w->site->config, CONFIG_ADMIN_INACTIVE_AFTER_S) * 1000000;
}

/* ---- rows ------------------------------------------------------------------------------------------------------------- */

static GH_RC put_row(struct web *w, struct counts *counts, const struct store_api *api, struct liquid_record *r, struct gh_err *err)
{
	int64_t subscriptions, last;

	TRY(subscriptions_of_api(w, counts, api->id, &subscriptions, err));
	TRY(store_api_last_call(w->site->store, api->id, &last, err));
	liquid_set_text(r, "id", api->id);
	liquid_set_text(r, "name", api->name.n ? api->name : api->id);
	liquid_set_text(r, "path", api->path);
	liquid_set_text(r, "version", api->version.n ? api->version : STR(""));
	liquid_set_int(r, "revision", api->revision);
	liquid_set_text(r, "environment", api->environment_id);
	liquid_set_text(r, "state", str_of(store_api_state_names[store_api_state_at(api, clock_wall_us())]));
	liquid_set_text(r, "status", str_of(store_tracking_names[store_tracking_of(last, admin_active_since(w))]));
	liquid_set_text(r, "subscriptions", web_number(w, subscriptions));
	return admin_traffic_put(w, api->id, r, err);
}

gh_rc admin_apis(struct web *w, struct gh_err *err)
{
	struct store_page window = admin_window(w);
	struct liquid_list *list = liquid_set_list(w->page, "apis");
	struct store_api_filter filter;
	struct counts counts;
	struct store_api *apis;
	int64_t total;
	size_t n;

	map_init(&counts.by_product, w->a, false);
	TRY(take_filter(w, &filter, err));
	TRY(store_api_list(w->site->store, w->a, &filter, &window, &apis, &n, &total, err));
	n = admin_pages(w, n);
	for (size_t i = 0; i < n; i++)
		TRY(put_row(w, &counts, &apis[i], liquid_push_record(list), err));
	liquid_set_text(w->page, "total", total >= 0 ? web_number(w, total) : STR(""));
	liquid_set_bool(w->page, "may_change", web_may(w, WEB_CHANGE_APIS));
	liquid_set_text(w->page, "title", STR("APIs"));
	return web_page(w, "apis", err);
}
