/* secret_ref.h - a secret by reference: where it stands, and reading it there.
 *
 *   env:NAME                   an environment variable of the process that reads
 *   file:/PATH                 a file; one line break at its end is left out
 *   credential:NAME            the same, below $CREDENTIALS_DIRECTORY, as systemd passes credentials (systemd.exec(5))
 *   vault:MOUNT/PATH#FIELD     a field of a secret in an HTTP vault, HashiCorp Vault's KV version 2 protocol; the mount is
 *                              the first part of the path, or what stands before "//" (vault:team/kv//erp/prod#password)
 *   vault-engine:PATH#FIELD    a field of what another engine of the vault gives, such as database/static-creds/erp#password
 *
 * Reading blocks (files, HTTP): the keeper does it, never the gateway's loop. What is read goes sealed into the store
 * (db/secrets.h), from where all others have it; who holds a reference needs that header and not this one.
 * No function puts a value or a token into a message. A source belongs to one thread. */
#pragma once

#include "core/config.h"

enum {
	SECRET_REF_MAX = 1024,               /* characters of a reference */
	SECRET_VALUE_MAX = 65536,            /* bytes of a value */
	SECRET_VERSION_MAX = 96,             /* with the zero byte */
};

enum secret_provider { SECRET_ENV, SECRET_FILE, SECRET_CREDENTIAL, SECRET_VAULT, SECRET_ENGINE, SECRET_PROVIDER__COUNT };

struct secret_ref {                          /* borrows from the text */
	enum secret_provider provider;
	struct str name;                     /* variable, path, credential */
	struct str mount, path, field;       /* VAULT; mount and path without slashes at their ends */
};

/* INVALID says what is wrong with the text and how a reference looks. */
GH_RC secret_ref_parse(struct str text, struct secret_ref *out, struct gh_err *err);

/* ---- reading -------------------------------------------------------------------------------------------------------- */

struct secret_source;                        /* how to reach the vault, with the token for it */

struct secret_value {
	struct str value;                    /* in the arena */
	char version[SECRET_VERSION_MAX];    /* changes when the value does; "" when the provider knows none */
	int64_t lease_s;                     /* read it again after so long; 0: the provider names no time */
};

/* Keeps `config`, which must live as long. curl_global_init must have been called. */
GH_RC secret_source_new(const struct config *config, struct secret_source **out, struct gh_err *err);
/* Nothing is read for a while: answers that were kept are wiped. */
void secret_source_rest(struct secret_source *s);
void secret_source_free(struct secret_source *s);        /* NULL is fine */

/* NOT_FOUND (no such variable, file, secret, field), DENIED (the vault refuses the token), UNAVAILABLE (no vault is
 * configured, it is sealed or away), LIMIT, IO. The message names the place, never the value. */
GH_RC secret_resolve(struct secret_source *s, struct arena *a, const struct secret_ref *ref, struct secret_value *out,
		     struct gh_err *err);
/* Has the vault make a new secret: a POST to this path (database/rotate-role/erp). What refers to it is read again by whoever
 * reads references. */
GH_RC secret_vault_rotate(struct secret_source *s, struct arena *a, struct str path, struct gh_err *err);
/* Prolongs the vault's token, when it is one that was given (vault.token_file, VAULT_TOKEN) and has an end. *again_s: when
 * to call this again; 0: never, the token has no end, or logging in anew renews it. DENIED: it cannot
 * be prolonged, and ends in *again_s seconds. */
GH_RC secret_vault_renew(struct secret_source *s, struct arena *a, int64_t *again_s, struct gh_err *err);
/* The version that a read would give now, when that costs next to nothing (files); else "". */
void secret_peek(const struct secret_ref *ref, char version[SECRET_VERSION_MAX]);
