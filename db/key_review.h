/* key_review.h - subscription keys as whoever looks after them sees them: how old, when last used, how strong. */
#pragma once

#include "db/subscriptions.h"

struct store_key_review {
	struct str subscription_id;
	int64_t slot;                    /* enum store_key_slot */
	struct str prefix;
	int64_t created_us;
	int64_t ends_us;                 /* of one that was replaced; 0: the present one */
	int64_t last_used_us;            /* to the minute; 0: never */
	int64_t state;                   /* of the subscription: enum store_subscription_state */
	struct str key;                  /* in clear where it was asked for; else STR_NULL */
};

/* At most `limit` keys in the order of subscription and slot, behind the subscription `after` (STR_NULL: from the first); all keys
 * of a subscription are in one answer, so it may be a few more. */
GH_RC store_key_reviews(struct store *s, struct arena *a, struct str after, size_t limit, bool in_clear,
			struct store_key_review **out, size_t *n, struct gh_err *err);
/* Those of one subscription that are good now, by slot, the present one of each first. */
GH_RC store_keys_of(struct store *s, struct arena *a, struct str subscription_id, int64_t now_us, struct store_key_review **out,
		    size_t *n, struct gh_err *err);
/* When any key of the subscription was last used; 0: never. */
GH_RC store_subscription_last_used(struct store *s, struct str id, int64_t *out, struct gh_err *err);

/* For the keeper, in an open drain: nothing is written when it was used less than a minute before. */
GH_RC store_drain_key_use(struct store *s, struct str subscription_id, struct str prefix, int64_t last_us, struct gh_err *err);
