/* policy_history.h - what the policy document of a scope said before, the newest POLICY_HISTORY_MAX times. store_policy_set
 * and store_policy_unset write it in their own transaction; a document that is written as it was leaves no row. */
#pragma once

#include "db/policies.h"

enum { POLICY_HISTORY_MAX = 100 };

struct store_policy_past {
	int64_t id, at_us;
	struct str actor;                /* "user:ann@example.com"; empty: not known */
	struct str bytes;                /* STR_NULL: the document was taken away then */
};

/* Newest first; `scope` as for store_policy_find. The texts of the documents are left out (bytes is not NULL in place of them). */
GH_RC store_policy_history(struct store *s, struct arena *a, const struct store_policy_scope *scope, struct store_policy_past **out,
			   size_t *n, struct gh_err *err);
/* One of that scope, with its text. */
GH_RC store_policy_past_find(struct store *s, struct arena *a, const struct store_policy_scope *scope, int64_t id,
			     struct store_policy_past *out, bool *found, struct gh_err *err);
/* "api:orders;rev=2": what store_policy_scope_parse reads, with the number of the revision. *found false: no such API. */
GH_RC store_policy_scope_name(struct store *s, struct arena *a, const struct store_policy_scope *scope, struct str *out, bool *found,
			      struct gh_err *err);
