/* alert.h - what an alert rule watches, and the sliding window that it counts in.
 *
 *   kind              breached when                                                          counted per call?
 *   requests          more (or fewer) than `threshold` calls in the period                   yes
 *   status            more than `threshold` calls (or per cent of them) were answered so     yes
 *   latency           the average or a percentile is above `threshold` ms                    yes
 *   policy-violation  more than `threshold` calls were refused by the gateway's policies     yes
 *   error-budget      the error budget is spent `threshold` times faster than it may be      yes
 *   backend           a breaker is open, health checks fail, or a pool leaves it out         no
 *   expiry            a certificate or key ends, or is to be replaced, in `threshold` days   no
 *   quota             a subscription has used `threshold` per cent of a quota                no
 *
 * A rule that counts is breached when each of its last `periods` periods is: "more than N in each of M consecutive periods".
 * Periods slide: they end now, not with the clock's minute, so a burst across its border counts whole. A period is cut into
 * ALERT_SLICES slices; the newest period holds the present slice besides, so it is at most 1/30 longer than it says.
 *
 * Thresholds and targets are in thousandths, so that 99.95 % and a burn rate of 14.4 are whole numbers. */
#pragma once

#include "core/arena.h"
#include "core/error.h"
#include "core/telemetry.h"

enum {
	ALERT_SLICES = 30,                   /* of a period */
	ALERT_PERIODS_MAX = 60,
	ALERT_PERIOD_LEAST_S = 1, ALERT_PERIOD_MOST_S = 7 * 86400,
	ALERT_WORDS_MAX = 32,                /* status patterns, reasons, recipients of one rule */
	ALERT_BURN_PART = 12,                /* a burn counts only while it also goes on in the last 1/12 of the period */
	ALERT_BUCKETS = 192,                 /* of a slice's histogram: 8 in each power of two from 128 µs */
};

#define ALERT_KINDS(X)                                                                          \
	X(REQUESTS, "requests") X(STATUS, "status") X(LATENCY, "latency")                       \
	X(VIOLATION, "policy-violation") X(BUDGET, "error-budget") X(BACKEND, "backend")        \
	X(EXPIRY, "expiry") X(QUOTA, "quota")
#define ALERT_ORIGINS(X) X(ANY, "any") X(GATEWAY, "gateway") X(BACKEND, "backend")
#define ALERT_STATISTICS(X)                                                                     \
	X(AVERAGE, "average") X(P50, "p50") X(P75, "p75") X(P90, "p90") X(P95, "p95") X(P99, "p99")
#define ALERT_TIMES(X) X(TOTAL, "total") X(GATEWAY, "gateway") X(BACKEND, "backend")
#define ALERT_MEASURES(X) X(COUNT, "count") X(PERCENT, "percent")
#define ALERT_COMPARISONS(X) X(ABOVE, "above") X(BELOW, "below")
/* One state for each of what there is, apart: "each": "subscription" watches every subscription by itself. */
#define ALERT_EACH(X)                                                                           \
	X(ALL, "") X(ENVIRONMENT, "environment") X(API, "api") X(OPERATION, "operation")        \
	X(PRODUCT, "product") X(SUBSCRIPTION, "subscription") X(APPLICATION, "application") X(BY_BACKEND, "backend")

#define ALERT_KIND_ENUM(id, name) ALERT_##id,
#define ALERT_ORIGIN_ENUM(id, name) ALERT_ORIGIN_##id,
#define ALERT_STATISTIC_ENUM(id, name) ALERT_STATISTIC_##id,
#define ALERT_TIME_ENUM(id, name) ALERT_TIME_##id,
#define ALERT_MEASURE_ENUM(id, name) ALERT_MEASURE_##id,
#define ALERT_COMPARISON_ENUM(id, name) ALERT_##id,
#define ALERT_EACH_ENUM(id, name) ALERT_EACH_##id,
enum alert_kind { ALERT_KINDS(ALERT_KIND_ENUM) ALERT_KIND__COUNT };
enum alert_origin { ALERT_ORIGINS(ALERT_ORIGIN_ENUM) ALERT_ORIGIN__COUNT };
enum alert_statistic { ALERT_STATISTICS(ALERT_STATISTIC_ENUM) ALERT_STATISTIC__COUNT };
enum alert_time { ALERT_TIMES(ALERT_TIME_ENUM) ALERT_TIME__COUNT };
enum alert_measure { ALERT_MEASURES(ALERT_MEASURE_ENUM) ALERT_MEASURE__COUNT };
enum alert_comparison { ALERT_COMPARISONS(ALERT_COMPARISON_ENUM) ALERT_COMPARISON__COUNT };
enum alert_each { ALERT_EACH(ALERT_EACH_ENUM) ALERT_EACH__COUNT };
/* Names in the order of the enumerations; each ends with NULL. */
extern const char *const alert_kinds[], *const alert_origins[], *const alert_statistics[], *const alert_times[],
	*const alert_measures[], *const alert_comparisons[], *const alert_eachs[];
/* The place of a name in such a table, or -1. */
int alert_word(const char *const *names, struct str name);

struct alert_rule {
	int64_t kind;                        /* enum alert_kind; the others likewise */
	struct str environment, api, product, subscription, backend;     /* empty: of all */
	int64_t each;
	struct str status;                   /* "5xx", "404 5xx"; blank-separated; for error-budget empty is "5xx" */
	int64_t origin;                      /* who made the answer: 5XX of the gateway and of the backend apart */
	struct str reasons;                  /* policy-violation: words of the log, blank-separated; empty: all */
	int64_t statistic, time;             /* latency */
	int64_t measure, comparison;
	int64_t threshold;                   /* thousandths of calls, per cent, ms, days or times */
	int64_t target;                      /* error-budget: thousandths of a per cent that shall be good: 99900 */
	int64_t least_calls;                 /* a period with fewer says nothing about a share, a time or a budget */
	int64_t period_s, periods;
};

/* Fills in what was left open and refuses what makes no sense; the message names the field and says what to write. */
GH_RC alert_rule_check(struct alert_rule *r, struct gh_err *err);
bool alert_rule_counts(const struct alert_rule *r);      /* calls, in windows */
/* Changes with everything that decides what is counted; recipients, names and thresholds of counts do not matter. */
uint64_t alert_rule_hash(const struct alert_rule *r);
const char *alert_unit(const struct alert_rule *r);      /* "calls", "%", "ms", "days", "times" */

/* Is the call one that the rule looks at? *hit: is it one of those that it counts? */
bool alert_rule_takes(const struct alert_rule *r, const struct telemetry_call *c, bool *hit);
uint64_t alert_rule_us(const struct alert_rule *r, const struct telemetry_call *c);
/* The part of the call that `each` keeps apart; "" for ALL. */
struct str alert_rule_subject(const struct alert_rule *r, const struct telemetry_call *c);

/* ---- windows: of one rule and subject; not thread-safe ------------------------------------------------------------------ */

struct alert_slice {
	int64_t number;                      /* time / width; 0: empty */
	uint32_t calls, hits;
	uint64_t sum_us;
	uint32_t *histogram;                 /* ALERT_BUCKETS of them, or NULL; latency only */
	bool touched;                        /* for the owner: not stored yet; set by alert_window_add */
};
struct alert_window {
	int64_t width_us;
	size_t n;                            /* slices in the ring */
	struct alert_slice *ring;
	int64_t newest;                      /* number of the newest slice that holds something; 0: none */
};

/* Memory by malloc: windows live and go by themselves. False: out of memory. */
bool alert_window_init(struct alert_window *w, const struct alert_rule *r) MUST_USE;
void alert_window_release(struct alert_window *w);
size_t alert_window_bytes(const struct alert_rule *r);   /* at most */
/* The slice of a time; NULL: too old, or out of memory (histogram true asks for one). */
struct alert_slice *alert_window_at(struct alert_window *w, int64_t number, bool histogram);
/* Forgets what is later than at_us: the clock was set back. */
void alert_window_cut(struct alert_window *w, int64_t at_us);
/* A call that ended at at_us. The slice it went into; NULL as above. */
struct alert_slice *alert_window_add(struct alert_window *w, const struct alert_rule *r, int64_t at_us, bool hit, uint64_t us);

struct alert_verdict {
	bool bad;                            /* all periods are breached */
	bool newest_bad;                     /* the last one is: what is bad stays so until this is false */
	bool no_data;                        /* there were too few calls to say anything */
	int64_t value;                       /* of the last period, in thousandths of the rule's unit */
	int64_t calls, hits;                 /* of the last period */
};
/* begun_us: since when calls are counted: "fewer than" says nothing before whole periods have been seen. */
void alert_window_judge(const struct alert_window *w, const struct alert_rule *r, int64_t now_us, int64_t begun_us,
			struct alert_verdict *out);

/* A slice's histogram for the store, and back. */
struct str alert_histogram_pack(struct arena *a, const uint32_t *histogram);     /* "" for NULL */
bool alert_histogram_unpack(struct str packed, uint32_t *histogram) MUST_USE;    /* adds; false: damaged */

/* "14.4", "5", "99.95" of thousandths. */
#define ALERT_NUMBER_MAX 32
const char *alert_number(int64_t thousandths, char out[ALERT_NUMBER_MAX]);
bool alert_number_parse(struct str s, int64_t *thousandths);
