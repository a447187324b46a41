/* identity_providers.h - OpenID providers that people sign in with, who they are there, and the APIs behind a sign-in.
 *
 * A provider is part of the gateway's snapshot (an API may require a sign-in at it), so a change raises the
 * configuration's generation. Its secret is sealed with the master key. */
#pragma once

#include "db/store.h"

struct store_provider {
	struct str id;                   /* "corp": stands in addresses, so letters, digits, '-' and '_' */
	struct str name;                 /* on the button; STR_NULL: the id */
	struct str issuer;               /* "https://login.example"; discovery is below it */
	struct str client_id;
	struct str secret;               /* STR_NULL: a public client, or it was not asked for in clear */
	bool has_secret;                 /* filled when read */
	struct str scopes;               /* STR_NULL: "openid email profile" */
	struct str groups_claim;         /* STR_NULL: "groups" */
	struct str group_map, role_map;  /* JSON objects: value of the claim -> group id; -> role. STR_NULL: {} */
	bool for_portal, for_admin;      /* where it is offered */
	bool create_users;
	int64_t created_us;
};

GH_RC store_provider_set(struct store *s, const struct store_provider *p, struct gh_err *err);   /* makes or replaces */
GH_RC store_provider_delete(struct store *s, struct str id, struct gh_err *err);         /* CONFLICT while an API needs it */
GH_RC store_provider_find(struct store *s, struct arena *a, struct str id, bool in_clear, struct store_provider *out,
			  bool *found, struct gh_err *err);
GH_RC store_providers(struct store *s, struct arena *a, bool in_clear, struct store_provider **out, size_t *n,
		      struct gh_err *err);

/* ---- who somebody is there ------------------------------------------------------------------------------------------- */

struct store_identity {
	struct str provider_id, subject, user_id;
	int64_t created_us;
};
GH_RC store_identity_add(struct store *s, struct str provider_id, struct str subject, struct str user_id, struct gh_err *err);
GH_RC store_identity_remove(struct store *s, struct str provider_id, struct str user_id, struct gh_err *err);
GH_RC store_identity_find(struct store *s, struct arena *a, struct str provider_id, struct str subject,
			  struct store_identity *out, bool *found, struct gh_err *err);
GH_RC store_identities_of_user(struct store *s, struct arena *a, struct str user_id, struct store_identity **out, size_t *n,
			       struct gh_err *err);

/* ---- APIs behind a sign-in ------------------------------------------------------------------------------------------- */

struct store_api_sign_in {
	struct str api_id, provider_id;
	struct str groups;               /* one a line; STR_NULL: everybody who can sign in */
	int64_t idle_s, max_s;
};
GH_RC store_api_sign_in_set(struct store *s, const struct store_api_sign_in *x, struct gh_err *err);
GH_RC store_api_sign_in_delete(struct store *s, struct str api_id, struct gh_err *err);
GH_RC store_api_sign_in_find(struct store *s, struct arena *a, struct str api_id, struct store_api_sign_in *out, bool *found,
			     struct gh_err *err);
GH_RC store_api_sign_ins(struct store *s, struct arena *a, struct store_api_sign_in **out, size_t *n, struct gh_err *err);
