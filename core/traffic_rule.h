/* traffic_rule.h - what is configured about where the calls of an API go besides its backend: a canary, a mirror, faults for tests
 * of consumers. Read from the JSON that config/kind_traffic.c has checked and the store keeps.
 *
 *   canary  { "backend": "orders-v2", "percent": 5, "header": "X-Canary", "headerValue": null, "cookie": null,
 *             "subscriptions": [], "operations": [], "products": [], "stickyOn": null,
 *             "rollBack": { "windowSeconds": 60, "minimumCalls": 20, "errorPercent": 10, "against": "limit" } }
 *   mirror  { "backend": "orders-next", "percent": 100, "methods": ["GET", "HEAD"], "maxBodyBytes": 65536, "maxInFlight": 32,
 *             "credentials": false }
 *   faults  [ { "percent": 100, "delayMs": 500, "abortStatus": 503, "header": "X-Fault", "headerValue": null, "subscriptions": [] } ]
 *
 * The whole stands in the arena that is given; texts are copied. */
#pragma once

#include "core/backend_rules.h"
#include "core/json.h"

enum { TRAFFIC_FAULTS_MAX = 16, TRAFFIC_LIST_MAX = 100, TRAFFIC_DELAY_MAX_MS = 60000, TRAFFIC_BODY_MAX = 1 << 20,
       TRAFFIC_IN_FLIGHT_MAX = 1024, TRAFFIC_WINDOW_MAX_S = 86400 };

struct traffic_list {
	struct str *v;
	size_t n;
};
bool traffic_list_has(const struct traffic_list *l, struct str s);

enum canary_sticky { CANARY_EACH_CALL, CANARY_BY_SUBSCRIPTION, CANARY_BY_ADDRESS, CANARY_BY_COOKIE, CANARY_BY_HEADER };

struct canary_rule {
	struct str backend;
	uint32_t percent;                    /* of the calls that nothing else decides */
	struct str header, header_value, cookie;     /* STR_NULL: none; without a value "always" and "never" decide */
	struct traffic_list subscriptions;
	struct traffic_list operations, products;    /* n 0: any; other calls have no part in it and are not counted */
	enum canary_sticky sticky;
	struct str sticky_name;              /* of the cookie or header */
	bool watched;                        /* rolls back by itself: */
	bool against_stable;                 /* watch.percentage is how many points worse than the others it may be */
	struct breaker_rule watch;           /* print, interval_us, percentage, least_calls */
};

struct mirror_rule {
	struct str backend;
	uint32_t percent, max_in_flight;
	size_t max_body;
	struct traffic_list methods;
	bool credentials;                    /* fields by which the client shows who it is go along */
};

struct fault_rule {
	uint32_t percent, delay_ms;
	int abort_status;                    /* 0: it only delays */
	struct str header, header_value;     /* STR_NULL: any; without a value it need only be there */
	struct traffic_list subscriptions;   /* n 0: any */
};

/* True when s is null, "subscription", "address", "cookie:NAME" or "header:NAME". */
bool canary_sticky_parse(struct str s, enum canary_sticky *sticky, struct str *name);
/* False: out of memory, or no such document. since_us: when it was begun; a canary that is begun anew is watched anew. */
bool canary_rule_read(struct arena *a, struct str json, int64_t since_us, struct canary_rule *out) MUST_USE;
bool mirror_rule_read(struct arena *a, struct str json, struct mirror_rule *out) MUST_USE;
/* At most TRAFFIC_FAULTS_MAX; what stands behind them is left out. */
bool fault_rules_read(struct arena *a, struct str json, struct fault_rule **out, size_t *n) MUST_USE;
