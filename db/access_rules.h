/* access_rules.h - what APIs and products ask of their callers, as the JSON of core/access_rule.h. The store keeps the text;
 * whoever writes it has it validated first. A rule is part of the snapshot. */
#pragma once

#include "db/store.h"

struct store_access_rule {
	struct str api_id, product_id;           /* one of them */
	struct str rule;
	int64_t changed_us;                      /* set by the store */
};

GH_RC store_access_rule_set(struct store *s, const struct store_access_rule *r, struct gh_err *err);     /* makes or replaces */
GH_RC store_access_rule_delete(struct store *s, struct str api_id, struct str product_id, struct gh_err *err);
GH_RC store_access_rule_find(struct store *s, struct arena *a, struct str api_id, struct str product_id,
			     struct store_access_rule *out, bool *found, struct gh_err *err);
GH_RC store_access_rules(struct store *s, struct arena *a, struct store_access_rule **out, size_t *n, struct gh_err *err);
