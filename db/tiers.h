/* tiers.h - service-level tiers: what a subscription to a product is limited to, by name.
 *
 * A tier belongs to one product and has any number of limits up to STORE_TIER_LIMITS_MAX, which hold all at once: "100 calls a
 * second and 10,000 a day". The gateway reads them with the subscription (not with its snapshot), so a change binds all
 * subscriptions with their next call. All writing functions need a transaction. */
#pragma once

#include "core/counter.h"
#include "db/products.h"

enum store_limit_kind {
	STORE_LIMIT_RATE,        /* sliding window of 1 to STORE_RATE_SECONDS_MAX seconds; beyond it 429, or a wait in its queue */
	STORE_LIMIT_QUOTA,       /* fixed windows from the subscription's start on, 0 seconds: once and for all; beyond it 403 */
	STORE_LIMIT_BANDWIDTH,   /* the same of bytes, bodies both ways; the call that goes over is the last one */
	STORE_LIMIT_CONCURRENCY, /* calls at once; one more 429 */
	STORE_LIMIT__COUNT
};
enum { STORE_TIER_LIMITS_MAX = 8, STORE_RATE_SECONDS_MAX = 300, STORE_CONCURRENCY_MAX = 1000000, STORE_QUEUE_MAX = 10000,
       STORE_DELAY_MS_MAX = 60000 };
static const int64_t STORE_LIMIT_CALLS_MAX = 1000000000, STORE_LIMIT_BYTES_MAX = INT64_C(1) << 50,
		     STORE_QUOTA_SECONDS_MAX = 100 * 366 * INT64_C(86400);

/* How it counts (core/counter.h). */
enum store_limit_algorithm {
	STORE_ALGORITHM_USUAL,   /* a rate: sliding window; a quota: fixed window */
	STORE_ALGORITHM_FIXED,   /* windows one after the other: up to twice the calls around the border of two */
	STORE_ALGORITHM_SLIDING, /* never more in any window */
	STORE_ALGORITHM_BUCKET,  /* token bucket (GCRA): a whole window's calls at once, then evenly */
	STORE_ALGORITHM_LEAKY,   /* leaky bucket, of a rate: evenly from the first on, 10 in 1 s are one each 100 ms */
	STORE_ALGORITHM__COUNT
};

struct store_limit {
	int64_t kind;                    /* enum store_limit_kind */
	int64_t seconds, calls;          /* calls: bytes, calls at once; seconds 0 of those */
	int64_t algorithm;               /* enum store_limit_algorithm */
	int64_t queue, delay_ms;         /* of a rate: calls beyond it that wait in place of being refused, and for how long; 0: none */
};
enum counter_type store_limit_counter(const struct store_limit *l);

struct store_tier {
	struct str id, product_id, name, description;
	int64_t approval;                /* enum store_approval; of a product that asks for approval every tier does */
	bool deprecated;                 /* takes no new subscription */
};

GH_RC store_tier_create(struct store *s, const struct store_tier *t, struct gh_err *err);
GH_RC store_tier_update(struct store *s, const struct store_tier *t, struct gh_err *err);
GH_RC store_tier_delete(struct store *s, struct str id, struct gh_err *err);     /* CONFLICT while subscriptions stand */
GH_RC store_tier_find(struct store *s, struct arena *a, struct str id, struct store_tier *out, bool *found, struct gh_err *err);
/* By product and id; product STR_NULL: all. */
GH_RC store_tiers(struct store *s, struct arena *a, struct str product_id, struct store_tier **out, size_t *n, struct gh_err *err);
/* In place of all limits that it had. INVALID: too many, or a number out of bounds; none at all is no limit. */
GH_RC store_tier_set_limits(struct store *s, struct str id, const struct store_limit *v, size_t n, struct gh_err *err);
/* The shortest windows first. */
GH_RC store_tier_limits(struct store *s, struct arena *a, struct str id, struct store_limit **out, size_t *n, struct gh_err *err);
