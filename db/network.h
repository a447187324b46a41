/* network.h - from where calls may come: lists of networks, and whether only over https. A rule stands on all calls, on a
 * product or on an API; a call must pass each that applies to it. */
#pragma once

#include "db/store.h"

struct store_network_rule {
	struct str product_id, api_id;   /* one of them; both STR_NULL: all calls */
	struct str allow;                /* networks, blank-separated; empty: any address */
	struct str deny;                 /* networks; these are refused even when allow holds them */
	bool https_only;
	int64_t changed_us;
};

/* Makes or replaces the rule of that place. INVALID names what is no network. */
GH_RC store_network_rule_set(struct store *s, const struct store_network_rule *r, struct gh_err *err);
GH_RC store_network_rule_delete(struct store *s, struct str product_id, struct str api_id, struct gh_err *err);
GH_RC store_network_rule_find(struct store *s, struct arena *a, struct str product_id, struct str api_id,
			      struct store_network_rule *out, bool *found, struct gh_err *err);
GH_RC store_network_rules(struct store *s, struct arena *a, struct store_network_rule **out, size_t *n, struct gh_err *err);
