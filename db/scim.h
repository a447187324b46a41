/* scim.h - what provisioning (SCIM 2.0, RFC 7643) keeps of users and groups beyond our own columns, and who may provision.
 *
 * A record belongs to a row of user_account or user_group. One that was removed by the provisioner while its user still has
 * subscriptions stays as `removed`: for the provisioner it is gone. */
#pragma once

#include "db/store.h"

enum store_scim_kind { STORE_SCIM_USER, STORE_SCIM_GROUP };

struct store_scim_record {
	int64_t kind;
	struct str id;
	struct str name;                 /* userName; displayName of a group. Unique without case among those that stand */
	struct str attributes;           /* JSON: what the provisioner gave that has no column of ours */
	int64_t version, created_us, changed_us;
	bool removed;
};

GH_RC store_scim_put(struct store *s, const struct store_scim_record *r, struct gh_err *err);    /* makes or replaces; version + 1 */
GH_RC store_scim_find(struct store *s, struct arena *a, enum store_scim_kind kind, struct str id,
		      struct store_scim_record *out, bool *found, struct gh_err *err);
GH_RC store_scim_find_name(struct store *s, struct arena *a, enum store_scim_kind kind, struct str name,
			   struct store_scim_record *out, bool *found, struct gh_err *err);
/* By id; those that were removed as well, here and by id. */
GH_RC store_scim_records(struct store *s, struct arena *a, enum store_scim_kind kind, struct store_scim_record **out,
			 size_t *n, struct gh_err *err);
GH_RC store_scim_delete(struct store *s, enum store_scim_kind kind, struct str id, struct gh_err *err);  /* again is fine */

enum { STORE_SCIM_TOKEN_ID_MAX = 100 };
struct store_scim_token {
	struct str id;
	int64_t created_us, used_us, ends_us;
};
/* `token` in clear: the only time. ends_us 0: never. */
GH_RC store_scim_token_create(struct store *s, struct arena *a, struct str id, int64_t ends_us, struct str *token,
			      struct gh_err *err);
GH_RC store_scim_token_find(struct store *s, struct arena *a, struct str token, struct store_scim_token *out, bool *found,
			    struct gh_err *err);
GH_RC store_scim_token_named(struct store *s, struct arena *a, struct str id, struct store_scim_token *out, bool *found,
			     struct gh_err *err);
GH_RC store_scim_token_set_end(struct store *s, struct str id, int64_t ends_us, struct gh_err *err);
GH_RC store_scim_token_used(struct store *s, struct str id, struct gh_err *err);
GH_RC store_scim_tokens(struct store *s, struct arena *a, struct store_scim_token **out, size_t *n, struct gh_err *err);
GH_RC store_scim_token_delete(struct store *s, struct str id, struct gh_err *err);
