#include "portal/portal/portal.h"

#include "core/map.h"
#include "core/str.h"

/* One place decides what a caller may see, so that lists, search and pages cannot differ. An API that may not be seen is
 * answered like one that does not exist. */

static const char guests[] = "guests";

static GH_RC callers_groups(struct web *w, struct map *groups, struct gh_err *err)
{
	struct store_group *v;
	size_t n;

	map_init(groups, w->a, false);
	if (!map_put(groups, STR("guests"), (void *)guests))
		FAIL(err, NOMEM, "groups");
	if (!w->signed_in)
		return GH_RC_OK;
	TRY(store_groups_of_user(w->site->store, w->a, w->user.id, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (!map_put(groups, v[i].id, &v[i]))
			FAIL(err, NOMEM, "groups");
	return GH_RC_OK;
}

static GH_RC product_open(struct web *w, const struct store_product *p, const struct map *groups, bool *open,
			  struct gh_err *err)
{
	struct str *ids;
	size_t n;

	*open = false;
	if (p->state != STORE_PRODUCT_PUBLISHED)
		return GH_RC_OK;
	TRY(store_product_groups(w->site->store, w->a, p->id, &ids, &n, err));
	*open = n == 0;
	for (size_t i = 0; i < n && !*open; i++)
		*open = map_get(groups, ids[i]) != NULL;
	return GH_RC_OK;
}

/* Products that may be seen stay in s->products; `open` gets their ids. */
static GH_RC load_products(struct web *w, struct portal_sight *s, struct map *open, struct gh_err *err)
{
	struct map groups;
	size_t kept = 0;
	bool yes;

	map_init(open, w->a, false);
	TRY(callers_groups(w, &groups, err));
	TRY(store_products(w->site->store, w->a, NULL, &s->products, &s->n_products, err));
	for (size_t i = 0; i < s->n_products; i++) {
		TRY(product_open(w, &s->products[i], &groups, &yes, err));
		if (!yes)
			continue;
		s->products[kept] = s->products[i];
		if (!map_put(open, s->products[kept].id, (void *)guests))
			FAIL(err, NOMEM, "products");
		kept++;
	}
	s->n_products = kept;
	return GH_RC_OK;
}

gh_rc portal_sight_load(struct web *w, struct portal_sight *s, struct gh_err *err)
{
	static const char in_some[] = "in a product", in_open[] = "in an open product";
	struct map open, place;
	size_t kept = 0;

	*s = (struct portal_sight){ .apis = NULL };
	map_init(&place, w->a, false);
	TRY(load_products(w, s, &open, err));
	TRY(store_product_apis(w->site->store, w->a, &s->links, &s->n_links, err));
	for (size_t i = 0; i < s->n_links; i++) {
		bool is_open = map_get(&open, s->links[i].product_id) != NULL;

		if (map_get(&place, s->links[i].api_id) != in_open
		    && !map_put(&place, s->links[i].api_id, (void *)(is_open ? in_open : in_some)))
			FAIL(err, NOMEM, "APIs");
	}
	TRY(store_apis(w->site->store, w->a, NULL, &s->apis, &s->n, err));
	for (size_t i = 0; i < s->n; i++) {
		bool shown = s->apis[i].state == STORE_API_PUBLISHED || s->apis[i].state == STORE_API_DEPRECATED;

		if (shown && map_get(&place, s->apis[i].id) != in_some)
			s->apis[kept++] = s->apis[i];
	}
	s->n = kept;
	return GH_RC_OK;
}

const struct store_api *portal_sight_find(const struct portal_sight *s, struct str id)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->apis[i].id, id))
			return &s->apis[i];
	return NULL;
}
