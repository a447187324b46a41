/* requests.h - what the owners of a subscription ask for and wait for: the subscription itself, or another tier for it. One
 * open request a subscription; it goes when it is decided, withdrawn, or the subscription ends. Writing needs a transaction. */
#pragma once

#include "db/subscriptions.h"
#include "db/tiers.h"

enum { STORE_REQUEST_MESSAGE_MAX = 1000 };

struct store_request {
	struct str subscription_id;
	struct str tier_id;              /* that is wished for; STR_NULL: the subscription itself */
	struct str message;              /* to whoever decides; cut to STORE_REQUEST_MESSAGE_MAX bytes */
	struct str user_id;              /* who asks; STR_NULL: his account is gone */
	int64_t created_us;
};

/* In place of an open one. */
GH_RC store_request_set(struct store *s, const struct store_request *r, struct gh_err *err);
GH_RC store_request_drop(struct store *s, struct str subscription_id, struct gh_err *err);       /* none is fine */
GH_RC store_request_find(struct store *s, struct arena *a, struct str subscription_id, struct store_request *out, bool *found,
			 struct gh_err *err);
/* Oldest first: all that wish for a tier (tier_id STR_NULL: any), at most `limit`. */
GH_RC store_tier_wishes(struct store *s, struct arena *a, struct str tier_id, size_t limit, struct store_request **out, size_t *n,
			struct gh_err *err);
/* Subscriptions that wait for approval with that tier, by id. */
GH_RC store_tier_waiting(struct store *s, struct arena *a, struct str tier_id, struct store_subscription **out, size_t *n,
			 struct gh_err *err);

/* ---- ends of subscriptions ------------------------------------------------------------------------------------------------ */

/* Those that work and end between `now_us` and `before_us`, whose warning `days` before the end (or a later one) was not sent, and
 * that are not younger than that time: at most `limit`. */
GH_RC store_expiring(struct store *s, struct arena *a, int64_t now_us, int64_t before_us, int64_t days, size_t limit,
		     struct store_subscription **out, size_t *n, struct gh_err *err);
/* For alerts: those that work and end between the two times, soonest first. */
enum { STORE_SUBSCRIPTIONS_ENDING_MAX = 10000, STORE_SUBSCRIPTIONS_QUOTA_MAX = 100000 };
GH_RC store_subscriptions_ending(struct store *s, struct arena *a, int64_t after_us, int64_t before_us,
				 struct store_subscription **out, size_t *n, struct gh_err *err);
/* For alerts: active ones whose tier has a quota; id empty: all. */
GH_RC store_subscriptions_with_quota(struct store *s, struct arena *a, struct str id, struct store_subscription **out, size_t *n,
				     struct gh_err *err);
/* Notes that the warning was sent; in the transaction that queues its mails. */
GH_RC store_expiry_note(struct store *s, const struct store_subscription *sub, int64_t days, struct gh_err *err);
