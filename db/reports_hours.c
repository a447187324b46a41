/* reports_hours.c - reports that weigh days and hours of the day (UTC): who exceeds a limit again and again, which backends fail
 * and when. Both look at totals per hour. */
#include "db/reports_impl.h"

#include "core/str.h"

#include <stdlib.h>

enum { HOURS = 24, LEAST_DAYS = 3, DEMANDS_MAX = 5, DEMAND_ARENA = 256 << 20 };
static const int64_t SECOND_US = 1000000;

static int64_t step_start_s(const struct analytics_result *r, size_t i)
{
	return r->first_us / SECOND_US + (int64_t)i * r->step_s;
}

/* "09:00-11:00, 14:00-15:00"; "all day" when each hour is in it. */
static struct str hours_text(struct arena *a, const bool in[HOURS])
{
	struct str text = STR("");
	int n = 0;

	for (int h = 0; h < HOURS; h++)
		n += in[h];
	if (n == HOURS)
		return STR("all day");
	for (int h = 0, end; h < HOURS; h = end + 1) {
		for (end = h; end < HOURS && in[end]; end++)
			;
		if (end > h)
			text = arena_printf(a, "%.*s%s%02d:00-%02d:00", STR_ARG(text), text.n ? ", " : "", h, end);
	}
	return text;
}

/* ---- who exceeds a limit -------------------------------------------------------------------------------------------------------- */

struct excess {
	int64_t days, refused;               /* days with refusals */
	int64_t days_at[HOURS];              /* of those, with refusals in that hour */
};

static struct excess weigh(const struct analytics_result *r, const struct store_traffic *steps)
{
	struct excess e = { 0 };
	int64_t last_day = -1;

	for (size_t i = 0; i < r->n_steps; i++) {
		int64_t start_s = step_start_s(r, i), day = start_s / ROLLUP_DAY_S;

		if (!steps[i].refused)
			continue;
		e.days += day != last_day;
		e.days_at[start_s % ROLLUP_DAY_S / ROLLUP_HOUR_S]++;
		e.refused += steps[i].refused;
		last_day = day;
	}
	return e;
}

struct demand {
	int64_t served_minute, minute, hour, day;        /* most in one; calls that were refused are counted but in the first */
};

/* What a consumer wants, minute by minute. */
static gh_rc demand_of(struct store *s, const struct report_ask *ask, const struct analytics_group *g, struct demand *d, struct gh_err *err)
{
	struct arena *a;
	struct analytics_query q = ask->q;
	struct analytics_result r = { 0 };
	int64_t hour = 0, day = 0, since_us;
	gh_rc rc;

	*d = (struct demand){ 0 };
	TRY(analytics_kept_since(s, ROLLUP_MINUTE_S, q.from_us, &since_us, err));
	if (q.to_us && since_us >= q.to_us)
		return GH_RC_OK;
	if (q.from_us < since_us)
		q.from_us = since_us;
	a = arena_new(DEMAND_ARENA);
	if (!a)
		FAIL(err, NOMEM, "no memory for a report");
	for (size_t i = 0; i < q.n_group; i++)
		q.filter[q.group[i]] = g->key[i];
	q.n_group = 0;
	q.group_steps = false;
	q.filter[ROLLUP_REASON] = STR_NULL;
	q.step_s = ROLLUP_MINUTE_S;
	rc = analytics_run(s, a, &q, &r, err);
	for (size_t i = 0; !rc.code && i < r.n_steps; i++) {
		const struct store_traffic *t = &r.steps[i];
		int64_t start_s = step_start_s(&r, i);

		hour = start_s % ROLLUP_HOUR_S ? hour + t->calls : t->calls;
		if (start_s % ROLLUP_DAY_S == 0)
			day = 0;
		day += t->calls;
		d->minute = t->calls > d->minute ? t->calls : d->minute;
		d->hour = hour > d->hour ? hour : d->hour;
		d->day = day > d->day ? day : d->day;
		if (t->refused && t->calls - t->refused > d->served_minute)
			d->served_minute = t->calls - t->refused;
	}
	arena_free(a);
	return rc;
}

/* The next number with two digits and zeros: a limit that people would set. */
static int64_t rounded_up(int64_t n)
{
	int64_t step = 1;

	while (n / step >= 100)
		step *= 10;
	return (n + step - 1) / step * step;
}

static void put_excess(struct table *t, const struct report_ask *ask, const struct analytics_group *g, const struct excess *e,
		       const struct demand *d, int64_t days, const char *reason)
{
	struct table_value *row = table_row(t);
	bool usual[HOURS];
	size_t at = ask->q.n_group;

	if (!row)
		return;
	for (int h = 0; h < HOURS; h++)
		usual[h] = 2 * e->days_at[h] >= e->days;
	for (size_t i = 0; i < at; i++)
		row[i] = table_text(g->key[i]);
	row[at++] = table_text(str_of(reason));
	row[at++] = table_count(e->days);
	row[at++] = table_count(days);
	row[at++] = table_text(hours_text(t->a, usual));
	row[at++] = table_count(e->refused);
	row[at++] = table_count((e->refused + e->days / 2) / e->days);
	if (d->minute) {                             /* else the minutes are not kept any more, or it is one of too many */
		row[at] = table_count(d->served_minute);
		row[at + 1] = table_count(d->minute);
		row[at + 2] = table_count(rounded_up(d->minute));
		row[at + 3] = table_count(rounded_up(d->hour));
		row[at + 4] = table_count(rounded_up(d->day));
	}
}

/* On how many days it had calls, of whatever outcome. */
static int64_t days_of(const struct analytics_result *all, const struct analytics_group *g, size_t n_key)
{
	int64_t days = 0;

	for (size_t i = 0; i < all->n; i++) {
		size_t k = 0;

		while (k < n_key && str_eq(all->groups[i].key[k], g->key[k]))
			k++;
		for (size_t s = 0; k == n_key && s < all->n_steps; s++)
			days += all->groups[i].steps[s].calls > 0;
	}
	return days;
}

static gh_rc exceeders_by(struct store *s, struct arena *a, struct report_ask *ask, const struct analytics_result *days, const char *reason,
			  struct report *out, struct gh_err *err)
{
	size_t demands = 0;

	ask->q.filter[ROLLUP_REASON] = str_of(reason);
	TRY(analytics_run(s, a, &ask->q, &out->all, err));
	for (size_t i = 0; i < out->all.n; i++) {    /* those that were refused most often come first */
		const struct analytics_group *g = &out->all.groups[i];
		struct excess e = weigh(&out->all, g->steps);
		int64_t with_calls = days_of(days, g, ask->q.n_group);
		struct demand d = { 0 };

		if (e.days < LEAST_DAYS || 2 * e.days <= with_calls)     /* not on most of the days on which there were calls at all */
			continue;
		if (demands++ < DEMANDS_MAX)
			TRY(demand_of(s, ask, g, &d, err));
		put_excess(&out->table, ask, g, &e, &d, with_calls, reason);
	}
	ask->q.filter[ROLLUP_REASON] = STR_NULL;
	return GH_RC_OK;
}

GH_RC report_exceeders(struct store *s, struct arena *a, struct report_ask *ask, struct report *out, struct gh_err *err)
{
	static const struct table_column columns[] = {
		{ "reason", "Limit", TABLE_TEXT },
		{ "daysOver", "Days over", TABLE_COUNT },
		{ "days", "Days with calls", TABLE_COUNT },
		{ "hours", "At (UTC)", TABLE_TEXT },
		{ "refused", "Refused", TABLE_COUNT },
		{ "refusedPerDay", "Refused a day", TABLE_COUNT },
		{ "servedPerMinute", "Most served a minute", TABLE_COUNT },
		{ "wantedPerMinute", "Most wanted a minute", TABLE_COUNT },
		{ "fitsPerMinute", "Would fit, a minute", TABLE_COUNT },
		{ "fitsPerHour", "Would fit, an hour", TABLE_COUNT },
		{ "fitsPerDay", "Would fit, a day", TABLE_COUNT },
	};
	struct analytics_result days;
	size_t limit = ask->q.limit ? ask->q.limit : ANALYTICS_ROWS_DEFAULT;

	TRY(analytics_fit(s, ROLLUP_HOUR_S, &ask->q.from_us, &ask->q.to_us, err));     /* days and hours are weighed of the same time */
	if (!ask->q.n_group)
		ask->q.group[ask->q.n_group++] = ROLLUP_SUBSCRIPTION;
	for (size_t i = 0; i < ask->q.n_group; i++)
		table_column(&out->table, rollup_dimension_name(ask->q.group[i]), rollup_dimension_title(ask->q.group[i]), TABLE_TEXT);
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		table_column(&out->table, columns[i].name, columns[i].title, columns[i].kind);
	ask->q.group_steps = true;
	ask->q.calls_only = true;
	ask->q.limit = ANALYTICS_ROWS_MAX;
	ask->q.step_s = ROLLUP_DAY_S;
	TRY(analytics_run(s, a, &ask->q, &days, err));
	ask->q.step_s = ROLLUP_HOUR_S;
	TRY(exceeders_by(s, a, ask, &days, "RateLimitExceeded", out, err));
	TRY(exceeders_by(s, a, ask, &days, "QuotaExceeded", out, err));
	out->all = days;                             /* whether there were calls at all, and when it is about */
	out->n_all = out->table.n_rows;
	out->table.n_rows = out->n_all > limit ? limit : out->n_all;
	return GH_RC_OK;
}

/* ---- which backends fail ---------------------------------------------------------------------------------------------------------- */

struct by_hour {
	int64_t calls[HOURS], errors[HOURS], all, failed;
};

static struct by_hour hours_of(const struct analytics_result *r, const struct store_traffic *steps)
{
	struct by_hour b = { .all = 0 };

	for (size_t i = 0; i < r->n_steps; i++) {
		int64_t h = step_start_s(r, i) % ROLLUP_DAY_S / ROLLUP_HOUR_S;

		b.calls[h] += steps[i].calls;
		b.errors[h] += steps[i].backend_errors;
		b.all += steps[i].calls;
		b.failed += steps[i].backend_errors;
	}
	return b;
}

static double rate(int64_t errors, int64_t calls)
{
	return calls ? 100.0 * (double)errors / (double)calls : 0;
}

/* Hours that are clearly worse than the whole; none stand out: it fails at all hours alike. */
static void put_failing(struct table *t, const struct analytics_group *g, const struct by_hour *b)
{
	struct table_value *row = table_row(t);
	bool bad[HOURS], any = false;
	double whole = rate(b->failed, b->all), most = 0;
	int worst = 0;

	if (!row)
		return;
	for (int h = 0; h < HOURS; h++)
		if (rate(b->errors[h], b->calls[h]) > most) {
			most = rate(b->errors[h], b->calls[h]);
			worst = h;
		}
	for (int h = 0; h < HOURS; h++) {
		double r = rate(b->errors[h], b->calls[h]);

		bad[h] = r > 1.5 * whole && r >= most / 2;
		any |= bad[h];
	}
	row[0] = table_text(g->key[0]);
	row[1] = table_count(b->all);
	row[2] = table_count(b->failed);
	row[3] = table_real(whole);
	if (b->failed) {
		row[4] = table_text(any ? hours_text(t->a, bad) : STR("at all hours"));
		row[5] = table_text(arena_printf(t->a, "%02d:00", worst));
		row[6] = table_real(most);
	}
	row[7] = (struct table_value){ .none = !g->sum.backend_calls,
				       .d = g->sum.backend_calls ? (double)g->sum.backend_us / 1000 / (double)g->sum.backend_calls : 0 };
}

static int by_errors(const void *x, const void *y)
{
	const struct table_value *a = x, *b = y;

	return (a[2].n < b[2].n) - (a[2].n > b[2].n);
}

GH_RC report_failures(struct store *s, struct arena *a, struct report_ask *ask, struct report *out, struct gh_err *err)
{
	static const struct table_column columns[] = {
		{ "backend", "Backend", TABLE_TEXT },
		{ "calls", "Calls", TABLE_COUNT },
		{ "errors", "Failed", TABLE_COUNT },
		{ "errorPercent", "Failed, %", TABLE_PERCENT },
		{ "hours", "Mostly at (UTC)", TABLE_TEXT },
		{ "worstHour", "Worst hour", TABLE_TEXT },
		{ "worstPercent", "Failed then, %", TABLE_PERCENT },
		{ "averageMs", "Average, ms", TABLE_MS },
	};
	struct table *t = &out->table;
	size_t limit = ask->q.limit ? ask->q.limit : ANALYTICS_ROWS_DEFAULT;

	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		table_column(t, columns[i].name, columns[i].title, columns[i].kind);
	ask->q.limit = ANALYTICS_ROWS_MAX;           /* one that fails each time need not be one that is called most */
	ask->q.n_group = 1;
	ask->q.group[0] = ROLLUP_BACKEND;
	ask->q.step_s = ROLLUP_HOUR_S;
	ask->q.group_steps = true;
	TRY(analytics_run(s, a, &ask->q, &out->all, err));
	for (size_t i = 0; i < out->all.n; i++) {
		struct by_hour b = hours_of(&out->all, out->all.groups[i].steps);

		if (out->all.groups[i].key[0].n)     /* else no backend was asked */
			put_failing(t, &out->all.groups[i], &b);
	}
	if (t->n_rows)
		qsort(t->values, t->n_rows, t->n_columns * sizeof(*t->values), by_errors);
	out->n_all = t->n_rows;
	t->n_rows = t->n_rows > limit ? limit : t->n_rows;
	return GH_RC_OK;
}
