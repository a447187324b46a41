/* subscriptions.h - subscriptions, their keys, and the look-up that the gateway makes for each call.
 *
 * A subscription opens a product, one API, or all APIs. It has a primary and a secondary key, so that one can be replaced
 * while the other is in use; a replaced key may stay valid for a while. Of a key the store holds the SHA-256 digest (by
 * which it is found), the first characters (to recognise it) and a sealed copy (to show it to its owner). */
#pragma once

#include "core/crypto.h"
#include "db/store.h"

enum store_scope { STORE_SCOPE_PRODUCT, STORE_SCOPE_API, STORE_SCOPE_ALL_APIS };
enum store_subscription_state {
	STORE_SUB_SUBMITTED,     /* waits for approval */
	STORE_SUB_ACTIVE,
	STORE_SUB_SUSPENDED,
	STORE_SUB_REJECTED,
	STORE_SUB_CANCELLED,
	STORE_SUB_EXPIRED,
};
extern const char *const store_subscription_state_names[];       /* "submitted", ...; ends with NULL */
enum store_key_slot { STORE_KEY_PRIMARY, STORE_KEY_SECONDARY };

enum { STORE_KEY_MIN = 16, STORE_KEY_MAX = 256, STORE_KEY_PREFIX = 6 };

struct store_subscription {
	struct str id, name;
	int64_t scope;                   /* enum store_scope */
	struct str product_id, api_id;   /* the one that scope names; else STR_NULL */
	struct str user_id, application_id;      /* owner; both may be STR_NULL */
	struct str tier_id;
	int64_t state;                   /* enum store_subscription_state */
	int64_t created_us, starts_us, ends_us;  /* 0: none */
	struct str note;                 /* of whoever approved or refused */
};

/* What access control needs to know of the subscription behind a key. */
struct store_access {
	struct store_subscription subscription;
	int64_t key_slot;                /* enum store_key_slot */
	int64_t key_ends_us;             /* of a replaced key that is still valid; 0: none */
	struct str user_email, user_first_name, user_last_name;
	int64_t user_state;              /* enum store_user_state */
	struct str application_name;
};

/* One indexed point query by SHA-256 of the key; found whatever the state, so that the caller can tell why it refuses. */
GH_RC store_access_find(struct store *s, struct arena *a, const uint8_t digest[CRYPTO_SHA256_BYTES],
			struct store_access *out, bool *found, struct gh_err *err);

/* Makes the keys when they are STR_NULL; keys_out (may be NULL) gets the two in clear, the only time besides
 * store_subscription_keys. sub->id STR_NULL: one is made; id_out (may be NULL) tells it. */
struct store_keys {
	struct str primary, secondary;
};
GH_RC store_subscription_create(struct store *s, struct arena *a, const struct store_subscription *sub,
				const struct store_keys *given, struct str *id_out, struct store_keys *keys_out,
				struct gh_err *err);
GH_RC store_subscription_update(struct store *s, const struct store_subscription *sub, struct gh_err *err);
GH_RC store_subscription_set_state(struct store *s, struct str id, enum store_subscription_state state, struct str note,
				   struct gh_err *err);
GH_RC store_subscription_delete(struct store *s, struct str id, struct gh_err *err);
GH_RC store_subscription_find(struct store *s, struct arena *a, struct str id, struct store_subscription *out, bool *found,
			      struct gh_err *err);
/* By id; each condition that is STR_NULL (state: below 0) does not narrow. */
struct store_subscription_filter {
	struct str product_id, api_id, user_id, application_id;
	int64_t state;
};
GH_RC store_subscriptions(struct store *s, struct arena *a, const struct store_subscription_filter *filter,
			  const struct store_page *page, struct store_subscription **out, size_t *n, struct gh_err *err);
GH_RC store_subscriptions_count(struct store *s, const struct store_subscription_filter *filter, int64_t *out,
				struct gh_err *err);

/* Puts a new key into the slot (made when `key` is STR_NULL). The old one stays valid for keep_old_s more seconds. */
GH_RC store_key_replace(struct store *s, struct arena *a, struct str subscription_id, enum store_key_slot slot, struct str key,
			int64_t keep_old_s, struct str *key_out, struct gh_err *err);
/* Keeps no copy of its keys, only their digests and first characters: nobody can be shown them again. */
GH_RC store_keys_forget(struct store *s, struct str subscription_id, struct gh_err *err);
/* The keys in clear, unsealed with the master key. For the gateway's own use; a person is shown them by the next one. */
GH_RC store_subscription_keys(struct store *s, struct arena *a, struct str id, struct store_keys *out, struct gh_err *err);
/* The same in a transaction of its own that leaves an audit entry: who was shown the keys. */
GH_RC store_subscription_keys_shown(struct store *s, struct arena *a, struct str id, struct str actor, struct store_keys *out,
				    struct gh_err *err);
/* First characters of the two keys, for lists. */
GH_RC store_subscription_prefixes(struct store *s, struct arena *a, struct str id, struct store_keys *out, struct gh_err *err);

/* For samples and benchmarks: n subscriptions to a product in one transaction of its own, ids PREFIX0…, without an audit
 * entry each; key i is what `key` writes. Indexes are made once at the end. */
GH_RC store_subscriptions_bulk(struct store *s, struct str actor, struct str product_id, size_t n, const char *prefix,
			       void (*key)(size_t i, char out[STORE_KEY_MAX + 1], void *arg), void *arg, struct gh_err *err);
