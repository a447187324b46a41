#include "portal/portal/portal.h"

#include "core/str.h"
#include "db/catalog.h"
#include "db/teams.h"

/* What a caller may see. The store decides it (db/catalog.def, db/teams.def), so that lists, search and pages cannot differ. An API
 * that may not be seen, and a subscription or application that is not one's own, is answered like one that does not exist. */

struct str portal_viewer(const struct web *w)
{
	return w->signed_in ? w->user.id : STR_NULL;
}

gh_rc portal_sight_load(struct web *w, struct portal_sight *s, struct gh_err *err)
{
	struct store *store = w->site->store;

	*s = (struct portal_sight){ .apis = NULL };
	TRY(store_catalog_names(store, w->a, portal_viewer(w), &s->apis, &s->n, err));
	TRY(store_catalog_products(store, w->a, portal_viewer(w), &s->products, &s->n_products, err));
	TRY(store_product_apis(store, w->a, &s->links, &s->n_links, err));
	map_init(&s->by_id, w->a, false);
	for (size_t i = 0; i < s->n; i++)
		if (!map_put(&s->by_id, s->apis[i].id, &s->apis[i]))
			FAIL(err, NOMEM, "APIs");
	return GH_RC_OK;
}

const struct store_catalog_name *portal_sight_find(const struct portal_sight *s, struct str id)
{
	return map_get(&s->by_id, id);
}

gh_rc portal_find_api(struct web *w, struct str id, struct store_api *out, struct gh_err *err)
{
	bool found;

	TRY(store_catalog_api(w->site->store, w->a, portal_viewer(w), id, out, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such API");
	return GH_RC_OK;
}

/* ---- what is one's own --------------------------------------------------------------------------------------------------- */

GH_RC portal_own_subscription(struct web *w, struct str id, struct store_subscription *out, struct gh_err *err)
{
	bool yes = false;

	TRY(store_subscription_find(w->site->store, w->a, id, out, &yes, err));
	if (yes)
		TRY(store_subscription_owned_by(w->site->store, out, w->user.id, &yes, err));
	if (!yes)
		FAIL(err, NOT_FOUND, "no such subscription");
	return GH_RC_OK;
}

GH_RC portal_own_application(struct web *w, struct str id, struct store_application *out, struct gh_err *err)
{
	bool yes = false;

	TRY(store_application_find(w->site->store, w->a, id, out, &yes, err));
	if (yes)
		TRY(store_application_owned_by(w->site->store, id, w->user.id, &yes, err));
	if (!yes)
		FAIL(err, NOT_FOUND, "no such application");
	return GH_RC_OK;
}
