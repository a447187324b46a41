/* export.h - the store's configuration as a tree of files (set.h has their form). Equal configurations give equal bytes: the
 * order is that of resource_kinds and of ids, fields stand in the order of their table, defaults are left out.
 *
 *     gatehouse.yaml                           what the files cover
 *     apis/orders/api.yaml                     the API; openapi.yaml beside it: the description as it was imported
 *     apis/orders/operations.yaml              what belongs to it: one file a kind, a document a resource
 *     apis/orders/policies.yaml, policy.xml, get-order.policy.xml
 *     products/gold/product.yaml, policies.yaml, policy.xml
 *     named-values/erp-url.yaml                all others: a folder a kind, a file a resource
 *     theme/                                   files of the portal's theme, as they are */
#pragma once

#include "config/files/set.h"

struct files_export {
	struct str environment;          /* only what belongs to it, or to none; empty: all */
	struct str api;                  /* only this API, what belongs to it, and what it needs; empty: everything */
	bool personal;                   /* people and their subscriptions too */
	const char *theme_dir;           /* NULL or "": no theme */
};

/* NOT_FOUND: there is no such API or environment. The tree is finished. Reads in one transaction of the store. */
GH_RC files_export(struct store *s, struct arena *a, const struct files_export *what, struct tree *out, struct gh_err *err);

/* The folders of the first level that exports write: what `tree_write` may sweep. Ends with NULL; owned by the arena. */
const char *const *files_folders(struct arena *a);

/* The environment that a resource belongs to, by its own field or that of its API; STR_NULL: none. `doc` as it was read. */
GH_RC files_environment(struct store *s, struct arena *a, const struct resource_kind *k, const json_t *doc, struct str *out,
			struct gh_err *err);
/* The API that a resource belongs to ("orders" of the operation orders;rev=2/get-order); STR_NULL: to none. */
struct str files_api_of(const struct resource_kind *k, const json_t *doc);
