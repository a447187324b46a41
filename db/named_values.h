/* named_values.h - the values that policies refer to as {{name}}. A secret one is sealed with the master key; one by
 * reference (db/secrets.h) is always secret and has the last good value that the keeper read. */
#pragma once

#include "db/store.h"

#define STORE_NAMED_VALUE_KIND "named value"     /* in secret_use, rotation_reminder and the audit trail */

struct store_named_value {
	struct str id;                   /* the name in {{...}} */
	struct str value;                /* STR_NULL for a secret when it was not asked for in clear, or was never read */
	bool secret;
	struct str ref;                  /* STR_NULL: the value stands here; else `value` is ignored when it is set */
	struct str problem;              /* of the reference; STR_NULL: it can be read */
	struct str tags;                 /* blank-separated */
	int64_t changed_us;
	int64_t rotate_by_us;            /* reminder; 0: none */
};

GH_RC store_named_value_check(struct str id, struct gh_err *err);         /* INVALID: no name for one */
GH_RC store_named_value_set(struct store *s, const struct store_named_value *v, struct gh_err *err);     /* makes or replaces */
GH_RC store_named_value_delete(struct store *s, struct str id, struct gh_err *err);
/* in_clear unseals secrets: for the gateway and for whoever may see them. */
GH_RC store_named_value_find(struct store *s, struct arena *a, struct str id, bool in_clear, struct store_named_value *out,
			     bool *found, struct gh_err *err);
GH_RC store_named_values(struct store *s, struct arena *a, bool in_clear, struct store_named_value **out, size_t *n,
			 struct gh_err *err);
