/* lifecycle.h - an API on its way out: who is told, and what may no longer be subscribed to.
 *
 *   draft -> preview -> published -> deprecated -> retired         (any step may be skipped or taken back)
 *                                        └ sunset date ─┘           it is retired by itself on that day */
#pragma once

#include "db/apis.h"

/* As store_api_update, and tells the subscribers in the same transaction when it deprecates the API, or moves the sunset date of
 * one that is deprecated: one mail a person, to those who hold a subscription (waiting, active or suspended) to the API or to
 * a product it is in, and to the owners of such applications; at most LIFECYCLE_MAILS_MAX. `portal`
 * ("https://apis.example.com/") makes the link; STR_NULL: none. *told is how many. */
enum { LIFECYCLE_MAILS_MAX = 100000 };
GH_RC store_api_change(struct store *s, struct arena *a, const struct store_api *api, struct str portal, size_t *told,
		       struct gh_err *err);

/* False when the product holds APIs and all of them are deprecated or retired: what ends soon is nothing to begin with.
 * Subscriptions that are there go on. */
GH_RC store_product_takes_subscriptions(struct store *s, struct str product_id, bool *takes, struct gh_err *err);
