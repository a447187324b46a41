/* reports.h - questions about traffic that people ask, each answered by a table (core/table.h). What a question may be narrowed
 * by is given as name and text, the same for the command line, the JSON API and the address of a page:
 *
 *   range=7d  step=hour  group=api,operation  limit=50  compare=yes  api=orders  status=5xx  ... (every dimension)
 *
 * A dimension narrowed to "(none)" or to nothing means the calls that had none.
 *
 *   traffic      counts, bytes and times, by any dimension and over time
 *   calls        calls of each consumer a day
 *   latency      times of each operation: is it us or the backend?
 *   exceeders    who is over a limit on most days, at which hours, by how much, and which limit would fit
 *   failures     which backends fail, and at which hours
 *   deprecated   who still calls what is deprecated or retired */
#pragma once

#include "core/table.h"
#include "db/analytics.h"

enum report_id { REPORT_TRAFFIC, REPORT_CALLS, REPORT_LATENCY, REPORT_EXCEEDERS, REPORT_FAILURES, REPORT_DEPRECATED, REPORT__COUNT };

struct report_info {
	const char *name, *title;
	const char *question;        /* a sentence */
	const char *range;           /* when none is asked for */
	const char *none;            /* what an empty table means */
};
extern const struct report_info report_infos[REPORT__COUNT];
bool report_find(struct str name, enum report_id *out) MUST_USE;        /* "" is traffic */

struct report_ask {
	enum report_id id;
	struct analytics_query q;
	struct str range, step, group;       /* as asked for; STR_NULL: the report's own */
	bool compare;
};

struct report_ask report_ask(enum report_id id);
/* Sets one parameter. *known false: there is none of that name. INVALID says what the value may be. */
GH_RC report_set(struct report_ask *ask, struct str name, struct str value, bool *known, struct gh_err *err);

struct report {
	struct table table;
	struct analytics_result all;         /* TRAFFIC, LATENCY, CALLS: what the table was made of */
	struct analytics_result before;      /* with compare */
	int64_t from_us, to_us;
	size_t n_all;                        /* rows there would be without the limit */
};
GH_RC report_run(struct store *s, struct arena *a, struct report_ask *ask, int64_t now_us, struct report *out, struct gh_err *err);

/* The measures of some traffic as columns behind those that a table has, and into a row from `at` on. */
void report_measure_columns(struct table *t);
void report_measures(struct table_value *row, size_t at, const struct store_traffic *t);
