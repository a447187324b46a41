/* products.h - products and the APIs in them.
 *
 * A product is what a developer subscribes to. An API group is one too: several API instances that act as a single unit
 * under one contract, so that an application has one subscription, one pair of keys and one client id for all of them. What
 * is particular about it: an application stands at most once in a group (CONFLICT), and the portal shows it apart. Limits of
 * a product are its policy document (db/policies.h), so that one mechanism enforces them; those of a single subscription are
 * its tier's (db/tiers.h). */
#pragma once

#include "db/store.h"

enum store_approval { STORE_APPROVAL_AUTO, STORE_APPROVAL_MANUAL };
enum store_product_state { STORE_PRODUCT_DRAFT, STORE_PRODUCT_PUBLISHED };

enum store_product_kind { STORE_KIND_PRODUCT, STORE_KIND_API_GROUP };

/* Whose calls a busy gateway refuses last (gateway.shed_low_percent, gateway.shed_normal_percent). */
enum store_priority { STORE_PRIORITY_NORMAL, STORE_PRIORITY_HIGH, STORE_PRIORITY_LOW };

struct store_product {
	struct str id, name, description, terms;
	struct str business_group_id;            /* STR_NULL: "default" */
	bool subscription_required;
	int64_t approval;                        /* enum store_approval */
	int64_t state;                           /* enum store_product_state */
	int64_t subscriptions_limit;             /* of one user; 0: any number */
	int64_t created_us;
	int64_t kind;                            /* enum store_product_kind; set when it is created, then stays */
	int64_t priority;                        /* enum store_priority */
};

struct store_product_api {
	struct str product_id, api_id;
};

GH_RC store_product_create(struct store *s, const struct store_product *p, struct gh_err *err);
GH_RC store_product_update(struct store *s, const struct store_product *p, struct gh_err *err);
GH_RC store_product_delete(struct store *s, struct str id, struct gh_err *err);  /* CONFLICT while subscriptions stand */
GH_RC store_product_find(struct store *s, struct arena *a, struct str id, struct store_product *out, bool *found,
			 struct gh_err *err);
GH_RC store_products(struct store *s, struct arena *a, const struct store_page *page, struct store_product **out, size_t *n,
		     struct gh_err *err);
/* Only those of one kind; store_products gives all. */
GH_RC store_products_of_kind(struct store *s, struct arena *a, enum store_product_kind kind, const struct store_page *page,
			     struct store_product **out, size_t *n, struct gh_err *err);
GH_RC store_products_of_api(struct store *s, struct arena *a, struct str api_id, struct store_product **out, size_t *n,
			    struct gh_err *err);

GH_RC store_product_add_api(struct store *s, struct str product_id, struct str api_id, struct gh_err *err);  /* again is fine */
GH_RC store_product_remove_api(struct store *s, struct str product_id, struct str api_id, struct gh_err *err);
GH_RC store_product_api_ids(struct store *s, struct arena *a, struct str product_id, struct str **out, size_t *n,
			    struct gh_err *err);
GH_RC store_product_apis(struct store *s, struct arena *a, struct store_product_api **out, size_t *n, struct gh_err *err);

/* Who may see and subscribe to a product: members of these groups; a product with none is open to everybody. */
GH_RC store_product_add_group(struct store *s, struct str product_id, struct str group_id, struct gh_err *err);
GH_RC store_product_remove_group(struct store *s, struct str product_id, struct str group_id, struct gh_err *err);
GH_RC store_product_groups(struct store *s, struct arena *a, struct str product_id, struct str **out, size_t *n,
			   struct gh_err *err);

GH_RC store_check_id(const char *kind, struct str id, struct gh_err *err);        /* INVALID: an id of a product or tier is none */
