#include "portal/portal/docs.h"

#include "core/str.h"
#include "db/teams.h"

/* What the test console and the viewer of whole descriptions need of a caller. */

/* Whether a subscription opens the API: its own, everything, or a product that it is in. */
static bool opens(const struct store_subscription *s, const struct store_product *products, size_t n, const struct store_api *api)
{
	if (s->state != STORE_SUB_ACTIVE)
		return false;
	if (s->scope != STORE_SCOPE_PRODUCT)
		return s->scope == STORE_SCOPE_ALL_APIS || str_eq(s->api_id, api->id);
	for (size_t i = 0; i < n; i++)
		if (str_eq(products[i].id, s->product_id))
			return true;
	return false;
}

gh_rc portal_put_own_keys(struct web *w, const struct store_api *api, struct liquid_list *to, struct gh_err *err)
{
	struct store_subscription *own;
	struct store_product *products;
	size_t n = 0, n_products = 0;

	if (w->signed_in && str_eq(config_text(&w->site->config, CONFIG_PORTAL_SHOW_KEYS), STR("always")))
		TRY(store_own_subscriptions(w->site->store, w->a, w->user.id, &own, &n, err));
	if (n)
		TRY(store_products_of_api(w->site->store, w->a, api->id, &products, &n_products, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *k;

		if (!opens(&own[i], products, n_products, api))
			continue;
		k = liquid_push_record(to);
		liquid_set_text(k, "id", own[i].id);
		liquid_set_text(k, "name", own[i].name.n ? own[i].name : own[i].id);
	}
	return GH_RC_OK;
}
