/* impact.h - whom a change touches: live subscriptions, and calls of the last seven days. For config/files/ only. */
#pragma once

#include "config/resource.h"
#include "core/map.h"

struct impact {
	struct store *store;
	struct arena *arena;
	struct map by_api, by_product;   /* id -> int64_t: calls of the last week */
	struct map subscriptions;        /* "product gold", "api orders" -> int64_t */
	int64_t all_calls, all_subscriptions;
	bool ready;
};

struct impact_of {
	bool everything;
	int64_t subscriptions, calls;
};

/* Reads the totals at the first question, before anything is changed by the one who asks. */
GH_RC impact_begin(struct impact *im, struct store *s, struct arena *a, struct gh_err *err);
GH_RC impact_find(struct impact *im, const struct resource_kind *k, const json_t *doc, struct impact_of *out, struct gh_err *err);
