/* credentials.h - what the gateway shows to backends: named credentials of an environment, with their secrets sealed, and the
 * consent that an administrator gave for one of kind authorization-code.
 *
 * Settings and secrets are flat JSON objects of texts, checked with core/credential.h when they are written. */
#pragma once

#include "core/credential.h"
#include "db/store.h"

struct store_credential {
	struct str environment_id, id;
	struct str name, description;
	struct str provider;                     /* group that policies name it by; empty: its own id */
	struct str resource;                     /* the setting of that name, for finding it; empty: none */
	struct str kind;                         /* name of core/credential.h */
	struct str settings;                     /* JSON */
	struct str secrets;                      /* JSON; sealed in the store; STR_NULL unless asked for in clear */
	struct str refs;                         /* JSON of the secrets that are references: {"password": "vault:…"} */
	struct str problem;                      /* in clear: a reference that has no value, and why; STR_NULL: all have */
	uint8_t print[CREDENTIAL_PRINT_BYTES];   /* in clear: of settings and secrets as they were set, references unread */
	int64_t created_us, changed_us;
};

enum { STORE_CREDENTIAL_ID_MAX = 100 };

/* Makes or replaces. `secrets` are put over those that are there: a text or {"ref": "…"} sets one, null takes it away; what
 * the kind does not have goes by itself. The consent to an authorization-code credential goes when its client, endpoints or
 * scope change. INVALID says which field is wrong. */
GH_RC store_credential_set(struct store *s, const struct store_credential *c, struct gh_err *err);
/* CONFLICT while a backend names it and no other environment has one of that id. */
GH_RC store_credential_delete(struct store *s, struct str environment_id, struct str id, struct gh_err *err);
GH_RC store_credential_find(struct store *s, struct arena *a, struct str environment_id, struct str id, bool in_clear,
			    struct store_credential *out, bool *found, struct gh_err *err);
/* By environment and id. */
GH_RC store_credentials(struct store *s, struct arena *a, bool in_clear, struct store_credential **out, size_t *n,
			struct gh_err *err);
/* The row as core/credential.h sees it; its JSON belongs to the arena. With secrets when the row has them. */
GH_RC store_credential_parse(struct arena *a, const struct store_credential *row, struct credential *out, struct gh_err *err);

/* ---- consent ------------------------------------------------------------------------------------------------------- */

struct store_credential_grant {
	struct str environment_id, credential_id;
	struct str refresh_token;                /* STR_NULL unless asked for in clear */
	struct str granted_by;                   /* who consented: "user:ann@example.com" */
	int64_t granted_us, changed_us;          /* changed: when the provider last gave another refresh token */
};

GH_RC store_credential_grant_set(struct store *s, const struct store_credential_grant *g, struct gh_err *err);
/* The provider has replaced the refresh token `old` by refresh_token: who consented and when stays. *fits false: another one
 * than `old` stands there (somebody has consented anew, or the change before this one is not written yet), and nothing was
 * changed. NOT_FOUND: the consent was withdrawn. */
GH_RC store_credential_grant_rotate(struct store *s, struct str environment_id, struct str id, struct str old,
				    struct str refresh_token, bool *fits, struct gh_err *err);
GH_RC store_credential_grants(struct store *s, struct arena *a, bool in_clear, struct store_credential_grant **out, size_t *n,
			      struct gh_err *err);
