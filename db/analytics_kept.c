/* analytics_kept.c - which totals are kept of a time. Those per minute go first, then those per hour (db/telemetry.h), and calls of
 * which only coarser totals are left are still calls: a range is widened to whole hours or days where it begins or ends in such a
 * time, and a series begins where its totals do. */
#include "db/analytics.h"

#include "core/clock.h"
#include "db/sql.h"

static const int64_t SECOND_US = 1000000;

static gh_rc calls_in(struct store *s, int64_t period_s, int64_t from_s, int64_t to_s, int64_t *calls, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ROLLUP_CALLS_BETWEEN);

	bind_int(st, 1, period_s);
	bind_int(st, 2, from_s);
	bind_int(st, 3, to_s);
	return find_int(s, st, calls, NULL, err);
}

/* Coarser totals from before the first one of this period tell that some were taken away; when there are none, nobody called. Of the
 * coarse total in which the first one lies a part may be gone, which shows in its calls. */
static gh_rc kept_since(struct store *s, int64_t period_s, int64_t from_s, int64_t *since_s, struct gh_err *err)
{
	int64_t coarse_s = period_s < ROLLUP_HOUR_S ? ROLLUP_HOUR_S : ROLLUP_DAY_S, first_s, around_s, last_s, fine, coarse;
	sqlite3_stmt *st = sql_use(s, SQL_ROLLUP_FIRST);

	*since_s = 0;
	bind_int(st, 1, period_s);
	TRY(find_int(s, st, &first_s, NULL, err));
	around_s = first_s ? first_s / coarse_s * coarse_s : INT64_MAX;
	if (first_s && from_s >= around_s + coarse_s)
		return GH_RC_OK;
	st = sql_use(s, SQL_ROLLUP_LAST_BEFORE);
	bind_int(st, 1, coarse_s);
	bind_int(st, 2, around_s);
	TRY(find_int(s, st, &last_s, NULL, err));
	if (!last_s)                                 /* the usual case: nothing was taken away yet */
		return GH_RC_OK;
	*since_s = last_s + coarse_s;
	if (!first_s)
		return GH_RC_OK;
	TRY(calls_in(s, period_s, around_s, around_s + coarse_s, &fine, err));
	TRY(calls_in(s, coarse_s, around_s, around_s + coarse_s, &coarse, err));
	if (fine < coarse)
		*since_s = around_s + coarse_s;
	return GH_RC_OK;
}

GH_RC analytics_kept_since(struct store *s, int64_t period_s, int64_t from_us, int64_t *us, struct gh_err *err)
{
	int64_t since_s;

	TRY(kept_since(s, period_s, from_us / SECOND_US, &since_s, err));
	*us = since_s * SECOND_US;
	return GH_RC_OK;
}

/* Where a whole `coarse_us` has to be taken, for what is finer is not kept there. */
static gh_rc widen(struct store *s, int64_t period_s, int64_t *from_us, int64_t *to_us, struct gh_err *err)
{
	int64_t coarse_us = (period_s < ROLLUP_HOUR_S ? ROLLUP_HOUR_S : ROLLUP_DAY_S) * SECOND_US, since_us;

	if (*from_us % coarse_us == 0 && *to_us % coarse_us == 0)
		return GH_RC_OK;
	TRY(analytics_kept_since(s, period_s, *from_us, &since_us, err));
	if (*from_us < since_us)
		*from_us -= *from_us % coarse_us;
	if (*to_us < since_us)
		*to_us = (*to_us + coarse_us - 1) / coarse_us * coarse_us;
	return GH_RC_OK;
}

GH_RC analytics_fit(struct store *s, int64_t period_s, int64_t *from_us, int64_t *to_us, struct gh_err *err)
{
	char text[CLOCK_ISO_MAX];
	int64_t since_us = 0;

	if (*from_us == *to_us)
		return GH_RC_OK;
	if (period_s > ROLLUP_MINUTE_S)
		TRY(widen(s, ROLLUP_MINUTE_S, from_us, to_us, err));
	if (period_s > ROLLUP_HOUR_S)
		TRY(widen(s, ROLLUP_HOUR_S, from_us, to_us, err));
	else
		TRY(analytics_kept_since(s, period_s, *from_us, &since_us, err));
	if (*to_us <= since_us)
		FAIL(err, INVALID, "totals per %s are kept from %s on: take a longer step, or a later range",
		     period_s < ROLLUP_HOUR_S ? "minute" : "hour", clock_iso(since_us, 0, text));
	if (*from_us < since_us)
		*from_us = since_us;
	return GH_RC_OK;
}

/* Steps below an hour are made of minutes, of which a day has 1,440 for each place: they are for a few hours only. */
static int64_t readable_step(int64_t range_us)
{
	static const struct {
		int64_t up_to_s, step_s;
	} rows[] = { { 2 * 3600, 60 }, { 6 * 3600, 300 }, { 3 * 86400, 3600 }, { 8 * 86400, 3 * 3600 }, { 15 * 86400, 6 * 3600 },
		     { 62 * 86400, 86400 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (range_us / SECOND_US <= rows[i].up_to_s + ROLLUP_MINUTE_S)
			return rows[i].step_s;
	return 7 * ROLLUP_DAY_S;
}

GH_RC analytics_step(struct store *s, int64_t from_us, int64_t to_us, int64_t *step_s, struct gh_err *err)
{
	int64_t since_us;

	*step_s = readable_step(to_us - from_us);
	if (*step_s < ROLLUP_HOUR_S) {
		TRY(analytics_kept_since(s, ROLLUP_MINUTE_S, from_us, &since_us, err));
		*step_s = from_us < since_us ? ROLLUP_HOUR_S : *step_s;
	}
	if (*step_s >= ROLLUP_HOUR_S && *step_s < ROLLUP_DAY_S) {
		TRY(analytics_kept_since(s, ROLLUP_HOUR_S, from_us, &since_us, err));
		*step_s = from_us < since_us ? ROLLUP_DAY_S : *step_s;
	}
	return GH_RC_OK;
}
