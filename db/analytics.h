/* analytics.h - one layer of questions about traffic, for pages, the JSON API and commands alike: so all show the same figures.
 *
 *     struct analytics_query q = { .from_us = a, .to_us = b, .step_s = 3600, .n_group = 1, .group = { ROLLUP_API } };
 *     q.filter[ROLLUP_STATUS] = STR("5xx");
 *     TRY(analytics_run(s, arena, &q, &result, err));
 *
 * The answer is made from totals per minute, hour and day, the coarsest that fit: whole days from days, what is left from
 * hours and minutes. Of a time of which minutes are not kept any more whole hours are counted, and without hours whole days;
 * a series begins where totals of its step do (db/analytics_kept.c). The answer says which time it is about. Times are UTC.
 * "No data" (calls 0) is different from no errors. */
#pragma once

#include "db/rollup.h"
#include "db/telemetry.h"

enum { ANALYTICS_GROUPS_MAX = 3, ANALYTICS_STEPS_MAX = 45000, ANALYTICS_ROWS_DEFAULT = 50, ANALYTICS_ROWS_MAX = 5000 };

enum analytics_latency {
	ANALYTICS_NO_LATENCY,        /* sums only: averages */
	ANALYTICS_LATENCY,           /* percentiles of each group and of all */
	ANALYTICS_LATENCY_STEPS,     /* also of each step of all */
};

struct analytics_query {
	int64_t from_us, to_us;      /* whole minutes: those that begin in it; to_us 0: now, with the running minute */
	int64_t step_s;              /* of the series: 60, 3600, 86400 or a multiple of one of them; 0: no series */
	struct str filter[ROLLUP_DIMENSION__COUNT];      /* STR_NULL does not narrow; "" are calls that had none */
	enum rollup_dimension group[ANALYTICS_GROUPS_MAX];
	size_t n_group;
	size_t limit;                /* groups, most calls first; 0: ANALYTICS_ROWS_DEFAULT */
	bool group_steps;            /* a series for each group too */
	enum analytics_latency latency;
	bool calls_only;             /* calls, refusals and errors; bytes, times, tries and hits stay 0, and no latency is read */
};

struct analytics_group {
	struct str key[ANALYTICS_GROUPS_MAX];
	struct store_traffic sum;
	struct store_traffic *steps;         /* result.n_steps of them; NULL without group_steps */
};

struct analytics_result {
	int64_t from_us, to_us, step_s;      /* as answered */
	int64_t first_us;                    /* start of the first step; steps at both ends may lie in the range in part only */
	struct store_traffic sum;            /* of all groups, shown or not */
	struct store_traffic *steps;         /* NULL without step_s */
	size_t n_steps;
	struct analytics_group *groups;
	size_t n, n_all;                     /* shown, and how many there are */
};

/* INVALID: times or step do not fit; LIMIT: more steps than ANALYTICS_STEPS_MAX. */
GH_RC analytics_run(struct store *s, struct arena *a, const struct analytics_query *q, struct analytics_result *out,
		    struct gh_err *err);
/* From when on totals of a period (60, 3600 s) are complete; only good for ranges that begin at `from_us`. 0: none was taken away. */
GH_RC analytics_kept_since(struct store *s, int64_t period_s, int64_t from_us, int64_t *us, struct gh_err *err);
/* A range of whole minutes as it can be answered from totals of `period_s` and finer ones at its ends. INVALID: none are kept of it. */
GH_RC analytics_fit(struct store *s, int64_t period_s, int64_t *from_us, int64_t *to_us, struct gh_err *err);
/* The same for the time before, of the same length. */
struct analytics_query analytics_before(const struct analytics_query *q, const struct analytics_result *r);
/* The step that gives a readable number of points for a range, and whose totals are kept of it: a minute to a week. */
GH_RC analytics_step(struct store *s, int64_t from_us, int64_t to_us, int64_t *step_s, struct gh_err *err);

/* "24h", "7d", "today", "yesterday" or two times "2026-01-02/2026-01-09": RFC 3339, whose end is not part of it, or days, whose
 * last is; "2026-01-02/" is until now. Relative ones end with the running minute. INVALID says what is understood. */
GH_RC analytics_range(struct str text, int64_t now_us, int64_t *from_us, int64_t *to_us, struct gh_err *err);
