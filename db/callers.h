/* callers.h - callers that come without a subscription key: by what they are known and proven, and which application they
 * are. Also the keys that the gateway signs with, and the tokens that were taken back.
 *
 * A secret or password is given once and then never again: of a client's secret the store holds the SHA-256 digest (it is
 * made by the system, or has at least STORE_SECRET_MIN characters), of a password the Argon2id hash. An access key's secret
 * is kept sealed, because signatures are computed with it. */
#pragma once

#include "core/crypto.h"
#include "db/subscriptions.h"

enum store_caller_state { STORE_CALLER_ACTIVE, STORE_CALLER_SUSPENDED };
extern const char *const store_caller_state_names[];     /* "active", "suspended"; ends with NULL */

enum { STORE_SECRET_MIN = 16, STORE_SECRET_MAX = 256, STORE_CALLER_ID_MAX = 1024 };

struct store_caller {
	struct str kind;                 /* "client", "basic", "signing", "token", "certificate" */
	struct str id;
	struct str application_id;       /* STR_NULL: none */
	struct str name, groups;         /* groups: blank-separated */
	int64_t state;                   /* enum store_caller_state */
	struct str digest, old_digest;   /* client: SHA-256 */
	int64_t old_ends_us;
	struct str hash;                 /* basic */
	struct str secret;               /* signing: in clear where it was asked for; sealed in the store */
	int64_t created_us, changed_us;
};

/* For a client or signing caller without a secret one is made and told by *secret_out; basic needs a hash, the others
 * nothing. Making a client makes the first signing key of the authorization server too, when there is none. CONFLICT when
 * the id is taken. */
GH_RC store_caller_create(struct store *s, struct arena *a, const struct store_caller *c, struct str *secret_out,
			  struct gh_err *err);
/* A new secret (made when STR_NULL); the old one of a client stays good for keep_old_s more seconds. */
GH_RC store_caller_rotate(struct store *s, struct arena *a, struct str kind, struct str id, struct str secret,
			  int64_t keep_old_s, struct str *secret_out, struct gh_err *err);
/* Name, groups, application, state, hash. */
GH_RC store_caller_update(struct store *s, const struct store_caller *c, struct gh_err *err);
GH_RC store_caller_delete(struct store *s, struct str kind, struct str id, struct gh_err *err);
/* One indexed point query. in_clear unseals the secret of an access key. */
GH_RC store_caller_find(struct store *s, struct arena *a, struct str kind, struct str id, bool in_clear,
			struct store_caller *out, bool *found, struct gh_err *err);
/* By kind and id; kind or application STR_NULL: all. Never in clear. */
GH_RC store_callers(struct store *s, struct arena *a, struct str kind, struct str application_id, const struct store_page *page,
		    struct store_caller **out, size_t *n, struct gh_err *err);
/* The subscriptions of an application as access control sees them, active ones first; at most STORE_CALLER_SUBSCRIPTIONS. */
enum { STORE_CALLER_SUBSCRIPTIONS = 64 };
GH_RC store_access_of_application(struct store *s, struct arena *a, struct str application_id, struct store_access **out,
				  size_t *n, struct gh_err *err);

/* ---- signing keys ----------------------------------------------------------------------------------------------------- */

struct store_auth_key {
	struct str id, purpose, alg;     /* kid; "token" or "identity"; "ES256" ... */
	struct str jwks;                 /* private, in clear where it was asked for; sealed in the store */
	int64_t created_us, signs_us, ends_us;   /* ends_us 0: none */
};

/* Makes the bytes of a key. INVALID: the algorithm has no public key. */
GH_RC store_auth_key_add(struct store *s, struct arena *a, const struct store_auth_key *k, struct gh_err *err);
GH_RC store_auth_key_times(struct store *s, const struct store_auth_key *k, struct gh_err *err);          /* when it signs and ends */
/* The present keys of the purpose end then, where they do not end before; those that have ended are forgotten. */
GH_RC store_auth_keys_end(struct store *s, struct str purpose, int64_t at_us, struct gh_err *err);
/* Makes the first key of the purpose when there is none that has not ended. */
GH_RC store_auth_key_ensure(struct store *s, struct arena *a, struct str purpose, struct gh_err *err);
/* Oldest first. */
GH_RC store_auth_keys(struct store *s, struct arena *a, bool in_clear, struct store_auth_key **out, size_t *n,
		      struct gh_err *err);
GH_RC store_auth_key_delete(struct store *s, struct str id, struct gh_err *err);

/* ---- tokens that were taken back ---------------------------------------------------------------------------------------- */

/* Also forgets those whose end has passed. Again is fine. */
GH_RC store_token_revoke(struct store *s, struct str jti, int64_t ends_us, struct gh_err *err);
GH_RC store_token_revoked(struct store *s, struct str jti, bool *revoked, struct gh_err *err);
