/* impact.c - from a resource over what refers to it to the APIs and products that calls go through.
 *
 * A subscription is counted once, as it opens either one product, or one API, or everything. Calls are those of the APIs that
 * are touched; where only a product is (its limits, its name), those made with its subscriptions. */
#include "config/files/impact.h"

#include "config/files/layout.h"
#include "core/clock.h"
#include "core/str.h"
#include "db/products.h"
#include "db/subscriptions.h"
#include "db/telemetry.h"

enum { STEPS_MAX = 2000, USES_MAX = 100 };
#define WEEK_US ((int64_t)7 * 86400 * 1000000)

/* What has been reached from one resource. */
struct reach {
	struct impact *im;
	struct map seen;                 /* "kind id" */
	struct map apis, products;       /* sets */
	unsigned steps;
	bool everything;
};

static GH_RC totals(struct impact *im, enum store_traffic_by by, struct map *to, struct gh_err *err)
{
	const struct store_traffic_filter f = { .from_us = clock_wall_us() - WEEK_US };
	struct store_traffic_row *rows;
	size_t n;

	map_init(to, im->arena, false);
	TRY(store_traffic(im->store, im->arena, by, &f, &rows, &n, err));
	for (size_t i = 0; i < n; i++) {
		if (by == STORE_TRAFFIC_TOTAL)
			im->all_calls = rows[i].traffic.calls;
		else if (rows[i].id.n && !map_put(to, rows[i].id, &rows[i].traffic.calls))
			FAIL(err, NOMEM, "traffic");
	}
	return GH_RC_OK;
}

GH_RC impact_begin(struct impact *im, struct store *s, struct arena *a, struct gh_err *err)
{
	const struct store_subscription_filter all = { .state = STORE_SUB_ACTIVE };
	struct map none;

	*im = (struct impact){ .store = s, .arena = a };
	map_init(&im->subscriptions, a, false);
	TRY(totals(im, STORE_TRAFFIC_TOTAL, &none, err));
	TRY(totals(im, STORE_TRAFFIC_BY_API, &im->by_api, err));
	TRY(totals(im, STORE_TRAFFIC_BY_PRODUCT, &im->by_product, err));
	TRY(store_subscriptions_count(s, &all, &im->all_subscriptions, err));
	im->ready = true;
	return GH_RC_OK;
}

/* ---- what is reached ---------------------------------------------------------------------------------------------------------- */

static GH_RC reach_api(struct reach *r, struct str api, struct gh_err *err)
{
	struct store_product *products;
	size_t n;

	if (map_get(&r->apis, api))
		return GH_RC_OK;
	TRY(store_products_of_api(r->im->store, r->im->arena, api, &products, &n, err));
	for (size_t i = 0; i < n; i++)
		if (!map_put(&r->products, products[i].id, r))
			FAIL(err, NOMEM, "impact");
	if (!map_put(&r->apis, api, r))
		FAIL(err, NOMEM, "impact");
	return GH_RC_OK;
}

static GH_RC reach_all(struct reach *r, const struct resource_kind *k, const json_t *doc, struct gh_err *err)
{
	struct layout_owner o = layout_owner(k, doc);
	struct str id = jsn_str(doc, "id"), name = arena_printf(r->im->arena, "%s %.*s", k->name, STR_ARG(id));
	struct resource_name *uses;
	size_t n;

	if (r->everything || map_get(&r->seen, name) || ++r->steps > STEPS_MAX)
		return GH_RC_OK;
	if (!name.p || !map_put(&r->seen, name, r))
		FAIL(err, NOMEM, "impact");
	if (o.kind && strcmp(o.kind, "api") == 0)
		return reach_api(r, o.id, err);
	if (o.kind) {
		if (!map_put(&r->products, o.id, r))
			FAIL(err, NOMEM, "impact");
		return GH_RC_OK;
	}
	if (strcmp(k->name, "policy") == 0 || k->single) {
		r->everything = strcmp(k->name, "policy") == 0;
		return GH_RC_OK;
	}
	TRY(resource_uses(r->im->store, r->im->arena, k, id, USES_MAX, &uses, &n, err));
	for (size_t i = 0; i < n; i++) {
		json_t *user;

		if (uses[i].kind->personal)
			continue;
		TRY(resource_read(r->im->store, r->im->arena, uses[i].kind, uses[i].id, &user, err));
		if (user)
			TRY(reach_all(r, uses[i].kind, user, err));
	}
	return GH_RC_OK;
}

/* ---- and what that means --------------------------------------------------------------------------------------------------- */

static GH_RC live(struct impact *im, bool product, struct str id, int64_t *out, struct gh_err *err)
{
	struct store_subscription_filter f = { .state = STORE_SUB_ACTIVE };
	struct str name = arena_printf(im->arena, "%s %.*s", product ? "product" : "api", STR_ARG(id));
	int64_t *known = name.p ? map_get(&im->subscriptions, name) : NULL;

	if (!known) {
		known = arena_new_of(im->arena, int64_t);
		if (product)
			f.product_id = id;
		else
			f.api_id = id;
		if (!known || !name.p || !map_put(&im->subscriptions, name, known))
			FAIL(err, NOMEM, "impact");
		TRY(store_subscriptions_count(im->store, &f, known, err));
	}
	*out += *known;
	return GH_RC_OK;
}

static int64_t calls_of(const struct map *m, struct str id)
{
	const int64_t *n = map_get(m, id);

	return n ? *n : 0;
}

GH_RC impact_find(struct impact *im, const struct resource_kind *k, const json_t *doc, struct impact_of *out, struct gh_err *err)
{
	struct reach r = { .im = im };
	const struct map_slot *slot;

	map_init(&r.seen, im->arena, false);
	map_init(&r.apis, im->arena, false);
	map_init(&r.products, im->arena, false);
	*out = (struct impact_of){ .everything = false };
	TRY(reach_all(&r, k, doc, err));
	if (r.everything) {
		*out = (struct impact_of){ true, im->all_subscriptions, im->all_calls };
		return GH_RC_OK;
	}
	for (size_t i = 0; (slot = map_next(&r.apis, &i));) {
		out->calls += calls_of(&im->by_api, slot->key);
		TRY(live(im, false, slot->key, &out->subscriptions, err));
	}
	for (size_t i = 0; (slot = map_next(&r.products, &i));) {
		if (r.apis.n == 0)
			out->calls += calls_of(&im->by_product, slot->key);
		TRY(live(im, true, slot->key, &out->subscriptions, err));
	}
	return GH_RC_OK;
}
