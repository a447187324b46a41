/* named_values.h - the values that policies refer to as {{name}}. A secret one is sealed with the master key. */
#pragma once

#include "db/store.h"

struct store_named_value {
	struct str id;                   /* the name in {{...}} */
	struct str value;                /* STR_NULL for a secret when it was not asked for in clear */
	bool secret;
	struct str tags;                 /* blank-separated */
	int64_t changed_us;
};

GH_RC store_named_value_set(struct store *s, const struct store_named_value *v, struct gh_err *err);     /* makes or replaces */
GH_RC store_named_value_delete(struct store *s, struct str id, struct gh_err *err);
/* in_clear unseals secrets: for the gateway and for whoever may see them. */
GH_RC store_named_value_find(struct store *s, struct arena *a, struct str id, bool in_clear, struct store_named_value *out,
			     bool *found, struct gh_err *err);
GH_RC store_named_values(struct store *s, struct arena *a, bool in_clear, struct store_named_value **out, size_t *n,
			 struct gh_err *err);
