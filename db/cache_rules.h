/* cache_rules.h - which APIs and operations answer from the shared cache of responses (RFC 9111), and how. */
#pragma once

#include "db/store.h"

enum {
	STORE_CACHE_BYTES_DEFAULT = 1 << 20, STORE_CACHE_BYTES_MAX = 64 << 20,   /* of one body */
	STORE_CACHE_SECONDS_MAX = 31536000,
};

struct store_cache_rule {
	struct str api_id, operation_id;         /* operation_id empty: all operations that have no rule of their own */
	bool enabled;
	struct str shared_by;                    /* "subscription" (each has answers of its own) or "everyone" */
	int64_t ttl_s;                           /* freshness of what says nothing about it; 0: heuristic */
	int64_t stale_while_revalidate_s, stale_if_error_s;      /* of what says nothing about it (RFC 5861) */
	int64_t max_bytes;
	struct str vary_by;                      /* names of request fields that answers are kept apart by, blank-separated */
	bool authorized;                         /* also answers to Authorization, kept apart by its value */
	bool obeys_client;                       /* Cache-Control of requests counts */
	bool tells;                              /* X-Cache and Cache-Status */
	int64_t changed_us;
};

/* Makes or replaces the rule of that place. */
GH_RC store_cache_rule_set(struct store *s, const struct store_cache_rule *r, struct gh_err *err);
GH_RC store_cache_rule_delete(struct store *s, struct str api_id, struct str operation_id, struct gh_err *err);
GH_RC store_cache_rule_find(struct store *s, struct arena *a, struct str api_id, struct str operation_id,
			    struct store_cache_rule *out, bool *found, struct gh_err *err);
/* By API, then operation. */
GH_RC store_cache_rules(struct store *s, struct arena *a, struct store_cache_rule **out, size_t *n, struct gh_err *err);
