#include "db/status.h"

#include "db/rollup.h"
#include "db/sql.h"

static const int64_t SECOND_US = 1000000;

const char *status_state_name(enum status_state s)
{
	static const char *const names[STATUS_STATE__COUNT] = { "no-data", "up", "degraded", "down" };

	return names[s];
}

int64_t status_success(const struct status_day *d)
{
	return d->served ? (int64_t)((double)(d->served - d->failed) * 10000 / (double)d->served) : -1;
}

enum status_state status_of(const struct status_rule *rule, const struct status_day *d)
{
	int64_t good = d->served - d->failed;

	if (!d->served)
		return STATUS_NO_DATA;
	if (good * 100 >= rule->up_percent * d->served)
		return STATUS_UP;
	return good * 100 < rule->down_percent * d->served ? STATUS_DOWN : STATUS_DEGRADED;
}

GH_RC store_status_days(struct store *s, struct str api, int64_t now_us, size_t n, struct status_day *out, struct gh_err *err)
{
	int64_t today_s = now_us / SECOND_US / ROLLUP_DAY_S * ROLLUP_DAY_S, from_s = today_s - (int64_t)(n - 1) * ROLLUP_DAY_S;
	sqlite3_stmt *st = sql_use(s, SQL_API_DAYS);
	gh_rc rc;
	bool row;

	for (size_t i = 0; i < n; i++)
		out[i] = (struct status_day){ .day_us = (from_s + (int64_t)i * ROLLUP_DAY_S) * SECOND_US };
	bind_str(st, 1, api);
	bind_int(st, 2, from_s);
	bind_int(st, 3, today_s + ROLLUP_DAY_S);
	while (rc = sql_step(s, st, &row, err), !rc.code && row) {
		size_t at = (size_t)((sqlite3_column_int64(st, 0) - from_s) / ROLLUP_DAY_S);

		out[at].served = sqlite3_column_int64(st, 1);
		out[at].failed = sqlite3_column_int64(st, 2);
	}
	sqlite3_reset(st);
	return rc;
}
