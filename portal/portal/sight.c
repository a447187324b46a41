#include "portal/portal/portal.h"

#include "core/str.h"
#include "db/catalog.h"

/* What a caller may see. The store decides it (db/catalog.def), so that lists, search and pages cannot differ. An API that may
 * not be seen is answered like one that does not exist. */

struct str portal_viewer(const struct web *w)
{
	return w->signed_in ? w->user.id : STR_NULL;
}

gh_rc portal_sight_load(struct web *w, struct portal_sight *s, struct gh_err *err)
{
	struct store *store = w->site->store;

	*s = (struct portal_sight){ .apis = NULL };
	TRY(store_catalog_apis(store, w->a, portal_viewer(w), &s->apis, &s->n, err));
	TRY(store_catalog_products(store, w->a, portal_viewer(w), &s->products, &s->n_products, err));
	return store_product_apis(store, w->a, &s->links, &s->n_links, err);
}

const struct store_api *portal_sight_find(const struct portal_sight *s, struct str id)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->apis[i].id, id))
			return &s->apis[i];
	return NULL;
}

gh_rc portal_find_api(struct web *w, struct str id, struct store_api *out, struct gh_err *err)
{
	bool found;

	TRY(store_catalog_api(w->site->store, w->a, portal_viewer(w), id, out, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such API");
	return GH_RC_OK;
}
