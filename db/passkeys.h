/* passkeys.h - keys in people's devices and browsers for signing in without a password. What they sign is checked elsewhere. */
#pragma once

#include "db/store.h"

struct store_passkey {
	struct str id;                   /* the credential's own, base64url */
	struct str user_id, name;
	struct str public_key;           /* bytes */
	int64_t algorithm, sign_count;
	int64_t created_us, used_us;     /* used 0: never */
};

enum { STORE_PASSKEYS_MAX = 20 };        /* of one person; the caller checks */

/* All changes need a transaction. CONFLICT: the key is known already. */
GH_RC store_passkey_add(struct store *s, const struct store_passkey *k, struct gh_err *err);
GH_RC store_passkey_find(struct store *s, struct arena *a, struct str id, struct store_passkey *out, bool *found, struct gh_err *err);
GH_RC store_passkeys_of_user(struct store *s, struct arena *a, struct str user_id, struct store_passkey **out, size_t *n,
			     struct gh_err *err);
/* NOT_FOUND when the counter is not beyond the one that stands there: of two uses at once only one succeeds. */
GH_RC store_passkey_used(struct store *s, struct str id, int64_t sign_count, int64_t now_us, struct gh_err *err);
GH_RC store_passkey_remove(struct store *s, struct str id, struct str user_id, struct gh_err *err);     /* NOT_FOUND: not theirs */
/* CONFLICT: it was answered before. */
GH_RC store_passkey_challenge_use(struct store *s, struct str digest, int64_t ends_us, struct gh_err *err);
