/* backend_rules.h - what is configured about how a backend may fail: its circuit breaker and its health check, read from the
 * JSON that operators write.
 *
 * The breaker has the form of Azure's `circuitBreaker`, with or without that name around it:
 *
 *   { "rules": [ { "name": "erp", "tripDuration": "PT1M", "acceptRetryAfter": true,
 *                  "failureCondition": { "count": 5, "interval": "PT1M", "statusCodeRanges": [ { "min": 500, "max": 599 } ],
 *                                        "errorReasons": [ "BackendConnectionFailure", "Timeout" ] } } ] }
 *
 * `percentage` in place of `count` asks for a share of the calls; of these there must have been `minimumRequests` (10, ours).
 * Without statusCodeRanges 500 to 599 count, without errorReasons every way of not getting an answer. Unknown names are
 * errors. Durations are ISO 8601 ("PT1M30S") or as clock_parse_duration reads them ("90s").
 *
 * The health check is ours: { "path": "/health", "interval": "PT10S", "timeout": "PT2S", "unhealthyThreshold": 3,
 * "healthyThreshold": 2, "statusCodeRanges": [ { "min": 200, "max": 399 } ] }; all but the path may be left out. */
#pragma once

#include "core/error.h"

/* Ways of not getting an answer, by the word that records show (fcgi/reason.h). */
#define BACKEND_FAILURES(X)                                                                          \
	X(CONNECT, "backend_connect") X(DNS, "backend_dns") X(TLS, "backend_tls")                    \
	X(CONNECT_TIMEOUT, "backend_connect_timeout") X(TLS_TIMEOUT, "backend_tls_timeout")          \
	X(TIMEOUT, "backend_timeout") X(IDLE, "backend_idle") X(TOTAL, "backend_total")              \
	X(GARBAGE, "backend_garbage") X(CUT_OFF, "backend_cut_off") X(SEND, "backend_send")
enum backend_failure {
#define X(name, word) BACKEND_FAILURE_##name,
	BACKEND_FAILURES(X)
#undef X
	BACKEND_FAILURE__COUNT
};

enum { BACKEND_RANGES_MAX = 16, BACKEND_RULES_MAX_BYTES = 65536 };

struct status_ranges {
	size_t n;
	struct {
		uint16_t min, max;
	} v[BACKEND_RANGES_MAX];
};
bool status_ranges_hold(const struct status_ranges *r, int status);

struct breaker_rule {
	uint32_t print;              /* of the text: another rule begins with a clean slate */
	uint32_t count;              /* failures in the interval that open it; 0: percentage */
	uint32_t percentage, least_calls;
	int64_t interval_us, trip_us;
	bool accept_retry_after;
	struct status_ranges statuses;
	uint32_t failures;           /* bits by enum backend_failure */
};

struct health_check {
	char path[1024];             /* and query, as it is sent */
	int64_t interval_us, timeout_us;
	uint32_t unhealthy, healthy; /* answers in a row that change its state */
	struct status_ranges statuses;
};

/* INVALID: says which member and what it may be. */
GH_RC breaker_rule_parse(struct str json, struct breaker_rule *out, struct gh_err *err);
GH_RC health_check_parse(struct str json, struct health_check *out, struct gh_err *err);

enum { BREAKER_TRIP_MAX_S = 86400 };         /* longest that a Retry-After keeps a breaker open */
