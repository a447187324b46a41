/* resources.h - lists of ids, existence, and who refers to what, for every kind of configuration resource alike (config/ builds
 * on it; one row of db/resources.def a kind). An id is the text that names a resource: "orders/get-order" is an operation. */
#pragma once

#include "db/store.h"

enum store_resource {
#define RESOURCE(name, has, ids, uses) STORE_RESOURCE_##name,
#include "db/resources.def"
#undef RESOURCE
	STORE_RESOURCE__COUNT
};

enum { STORE_RESOURCE_FILTERS = 4, STORE_RESOURCE_USES_MAX = 100 };
struct store_resource_page {
	struct str after;                /* ids behind this one; empty: all */
	struct str search;               /* part of id or name, without ASCII case; empty: all */
	struct str filters[STORE_RESOURCE_FILTERS];      /* what they mean says the kind's statement; empty: not narrowed */
	size_t limit;
	struct str products, apis;       /* JSON arrays of ids: only subscriptions to those; both STR_NULL: to any */
};
/* In the order of the ids, by key and not by counting: the last page costs what the first does. */
GH_RC store_resource_ids(struct store *s, struct arena *a, enum store_resource which, const struct store_resource_page *page,
			 struct str **out, size_t *n, struct gh_err *err);
GH_RC store_resource_has(struct store *s, enum store_resource which, struct str id, bool *has, struct gh_err *err);

/* What names the resource: kind as in config/resource.h ("named-value"), id. At most `limit`. */
struct store_resource_use {
	struct str kind, id;
};
GH_RC store_resource_uses(struct store *s, struct arena *a, enum store_resource which, struct str id, size_t limit,
			  struct store_resource_use **out, size_t *n, struct gh_err *err);

/* While held, changes raise their generation and add no audit entry of their own: whoever holds writes one for them all
 * (store_audit_note). Ends by itself with the transaction. */
void store_audit_hold(struct store *s, bool hold);
