/* portal.h - the developer portal: what is published, for everybody who may see it. */
#pragma once

#include "db/apis.h"
#include "db/products.h"
#include "portal/web/web.h"

extern const struct web_app portal_app;

/* Which APIs the caller may see: those that are published or deprecated and stand in no product at all, or in a published
 * product that is open to everybody or to one of the caller's groups. Computed for one request. */
struct portal_sight {
	struct store_api *apis;          /* current revisions that may be seen, by id */
	size_t n;
	struct store_product *products;  /* that may be seen */
	size_t n_products;
	struct store_product_api *links; /* of all products */
	size_t n_links;
};
GH_RC portal_sight_load(struct web *w, struct portal_sight *out, struct gh_err *err);
const struct store_api *portal_sight_find(const struct portal_sight *s, struct str id);  /* NULL: not there for this caller */

/* "https://gw.example/api/sandbox/orders/v1": what stands before an operation's template. */
GH_RC portal_base_address(struct web *w, const struct store_api *api, struct str *out, struct gh_err *err);
struct str portal_key_header(const struct store_api *api);
void portal_put_api(struct arena *a, struct liquid_record *r, const struct store_api *api);
void portal_put_operation(struct liquid_record *r, const struct store_operation *op);

web_handler portal_home, portal_apis, portal_api, portal_operation;
