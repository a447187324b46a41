/* policies.h - policy documents by scope, and fragments. Bytes are kept as given; whoever saves one has checked it first
 * (the store does not know the policy language). */
#pragma once

#include "db/store.h"

enum store_policy_kind {
	STORE_POLICY_GLOBAL,
	STORE_POLICY_WORKSPACE,          /* business_group_id */
	STORE_POLICY_PRODUCT,            /* product_id */
	STORE_POLICY_API,                /* api_id, revision (0: the current one, when written or found) */
	STORE_POLICY_OPERATION,          /* api_id, revision, operation_id */
	STORE_POLICY_ENVIRONMENT,        /* environment_id: binds every API of it, whatever their documents say */
};

struct store_policy_scope {
	int64_t kind;                    /* enum store_policy_kind */
	struct str business_group_id, product_id, api_id;
	int64_t revision;
	struct str operation_id, environment_id;
};

struct store_policy {
	struct store_policy_scope scope;
	struct str bytes;
	int64_t changed_us;
};

struct store_fragment {
	struct str id, description, bytes;
	int64_t changed_us;
};

/* Parses "global", "environment:ID", "workspace:ID", "product:ID", "api:ID", "api:ID;rev=N", "operation:API/OP", "operation:API;rev=N/OP".
 * SYNTAX names the forms. Texts borrow from `text`. */
GH_RC store_policy_scope_parse(struct str text, struct store_policy_scope *out, struct gh_err *err);

GH_RC store_policy_set(struct store *s, const struct store_policy_scope *scope, struct str bytes, struct gh_err *err);
GH_RC store_policy_unset(struct store *s, const struct store_policy_scope *scope, struct gh_err *err);  /* none there is fine */
GH_RC store_policy_find(struct store *s, struct arena *a, const struct store_policy_scope *scope, struct str *bytes, bool *found,
			struct gh_err *err);
GH_RC store_policies(struct store *s, struct arena *a, struct store_policy **out, size_t *n, struct gh_err *err);

/* A window of them for pages, the texts left out; the search looks at the ids. */
GH_RC store_policy_page(struct store *s, struct arena *a, const struct store_page *page, struct store_policy **out, size_t *n,
			struct gh_err *err);

GH_RC store_fragment_set(struct store *s, const struct store_fragment *f, struct gh_err *err);   /* makes or replaces */
GH_RC store_fragment_delete(struct store *s, struct str id, struct gh_err *err);
GH_RC store_fragment_find(struct store *s, struct arena *a, struct str id, struct store_fragment *out, bool *found,
			  struct gh_err *err);
GH_RC store_fragments(struct store *s, struct arena *a, struct store_fragment **out, size_t *n, struct gh_err *err);
