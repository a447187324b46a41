/* Totals of traffic: what many minutes add up to, the days of the status page, and the steps of a chart. */
#include "tests/unit/db/minute.h"

#include "core/clock.h"
#include "db/status.h"
#include "db/telemetry.h"

static void totals(void **state)
{
	struct fixture *f = *state;
	int64_t now = clock_wall_us(), hour_us = 60 * minute_us, day_ago = now - 24 * hour_us;
	struct store_traffic_filter filter = { .from_us = day_ago - 100 * hour_us };
	struct store_traffic_row *rows;
	size_t n;

	CHECK_OK(f, store_traffic(f->s, f->a, STORE_TRAFFIC_TOTAL, NULL, &rows, &n, &f->err));
	CHECK_INT("nothing yet: one row", n, 1);
	CHECK("no data is not zero percent", store_traffic_error_percent(&rows[0].traffic) < 0);
	CHECK_OK(f, store_traffic_day(f->s, f->a, &rows, &n, &f->err));
	CHECK_INT("no API", n, 0);

	CHECK_OK(f, store_drain_begin(f->s, &f->err));
	add_minute(f, now, "orders", "s1", 6, 2, 1, 1000);
	add_minute(f, now, "orders", "s1", 2, 0, 0, 3000);          /* the same place again */
	add_minute(f, now, "orders", "s2", 2, 0, 0, 1000);
	add_minute(f, now - 12 * hour_us, "orders", "s1", 10, 0, 0, 1000);
	add_minute(f, now, "stock", "", 1, 0, 0, 50);
	add_minute(f, day_ago - 2 * minute_us, "orders", "s1", 100, 0, 0, 1000);    /* too old */
	add_minute(f, day_ago + 2 * minute_us, "orders", "s1", 1000, 0, 0, 1000);   /* in the fringe before the first hour */
	CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));

	CHECK_OK(f, store_traffic_day(f->s, f->a, &rows, &n, &f->err));
	CHECK_INT("APIs", n, 2);
	CHECK_STR("the busier one first", rows[0].id, STR("orders"));
	CHECK_INT("calls", rows[0].traffic.calls, 1020);
	CHECK_INT("bytes", rows[0].traffic.bytes_in, 10200);
	CHECK_INT("refused", rows[0].traffic.refused, 2);
	CHECK_INT("class", rows[0].traffic.status_class[2], 1017);
	CHECK("error percentage", store_traffic_error_percent(&rows[0].traffic) > 0.29
				       && store_traffic_error_percent(&rows[0].traffic) < 0.3);
	CHECK_INT("latencies", rows[0].traffic.latency.n, 1020);
	CHECK("median", latency_quantile(&rows[0].traffic.latency, 0.5) > 990
				&& latency_quantile(&rows[0].traffic.latency, 0.5) < 1010);
	CHECK("slowest", latency_quantile(&rows[0].traffic.latency, 1) > 2970);
	CHECK("no errors is zero", store_traffic_error_percent(&rows[1].traffic) == 0);
	CHECK("last call", now - rows[0].traffic.last_call_us < hour_us);

	CHECK_OK(f, store_traffic(f->s, f->a, STORE_TRAFFIC_TOTAL, &filter, &rows, &n, &f->err));
	CHECK_INT("everything", rows[0].traffic.calls, 1121);
	filter.subscription = STR("s2");
	CHECK_OK(f, store_traffic(f->s, f->a, STORE_TRAFFIC_BY_SUBSCRIPTION, &filter, &rows, &n, &f->err));
	CHECK_INT("one subscription", n, 1);
	CHECK_INT("its calls", rows[0].traffic.calls, 2);
	filter.subscription = STR("");
	CHECK_OK(f, store_traffic(f->s, f->a, STORE_TRAFFIC_TOTAL, &filter, &rows, &n, &f->err));
	CHECK_INT("calls without a subscription", rows[0].traffic.calls, 1);
	check_done();
}

/* The status page's days: what is refused says nothing, 5xx of whoever failed, sandboxes are another matter. */
static void status_days(void **state)
{
	static const struct status_rule rule = { .up_percent = 99, .down_percent = 90 };
	static const struct {
		const char *label;
		int64_t served, failed, success;
		enum status_state want;
	} rows[] = {
		{ "no call", 0, 0, -1, STATUS_NO_DATA },      { "all well", 5, 0, 10000, STATUS_UP },
		{ "just up", 1000, 10, 9900, STATUS_UP },     { "just not up", 1000, 11, 9890, STATUS_DEGRADED },
		{ "just not down", 10, 1, 9000, STATUS_DEGRADED }, { "just down", 1000, 101, 8990, STATUS_DOWN },
		{ "never 100 when one failed", 1000000, 1, 9999, STATUS_UP }, { "nothing works", 1, 1, 0, STATUS_DOWN },
	};
	struct fixture *f = *state;
	int64_t day_us = 24 * 60 * minute_us, now = 20000 * day_us + 5 * minute_us;
	struct store_retention keep = { .days_before_us = now - day_us };
	struct status_day v[90];
	bool more;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct status_day d = { .served = rows[i].served, .failed = rows[i].failed };

		CHECK_INT(rows[i].label, status_of(&rule, &d), rows[i].want);
		CHECK_INT(rows[i].label, status_success(&d), rows[i].success);
	}
	CHECK_OK(f, store_drain_begin(f->s, &f->err));
	add_minute(f, now, "a", "s1", 10, 4, 1, 1000);           /* 4 refused, 1 failed */
	add_minute(f, now - day_us, "a", "s2", 7, 7, 0, 1000);    /* all refused: nothing is known */
	add_minute(f, now - 89 * day_us, "a", "", 3, 0, 3, 1000);
	add_minute(f, now - 90 * day_us, "a", "", 5, 0, 5, 1000);
	add_minute(f, now, "b", "", 2, 0, 2, 1000);
	CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));
	CHECK_OK(f, store_status_days(f->s, STR("a"), now, ARRAY_LEN(v), v, &f->err));
	CHECK_INT("today's", v[89].served, 6);
	CHECK_INT("today's failures", v[89].failed, 1);
	CHECK_INT("today", v[89].day_us, 20000 * day_us);
	CHECK_INT("refused only", v[88].served, 0);
	CHECK_INT("the oldest", v[0].failed, 3);
	CHECK_OK(f, store_telemetry_prune(f->s, &keep, &more, &f->err));
	CHECK_OK(f, store_status_days(f->s, STR("a"), now, ARRAY_LEN(v), v, &f->err));
	CHECK_INT("too old", v[0].served, 0);
	CHECK_INT("not too old", v[89].served, 6);
	check_done();
}

static void steps(void **state)
{
	struct fixture *f = *state;
	int64_t t = 1700000000LL / 3600 * 3600 * 1000000;
	struct store_traffic_filter filter = { .from_us = t, .to_us = t + 3 * 60 * minute_us };
	struct store_traffic_step *v;
	size_t n;

	CHECK_OK(f, store_drain_begin(f->s, &f->err));
	add_minute(f, t, "a", "", 1, 0, 0, 1);
	add_minute(f, t + 59 * minute_us, "a", "", 2, 0, 0, 1);
	add_minute(f, t + 120 * minute_us, "a", "", 4, 0, 0, 1);
	CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));
	CHECK_OK(f, store_traffic_steps(f->s, f->a, &filter, 3600, &v, &n, &f->err));
	CHECK_INT("hours", n, 3);
	CHECK_INT("first", v[0].traffic.calls, 3);
	CHECK_INT("an empty one is there", v[1].traffic.calls, 0);
	CHECK_INT("third", v[2].traffic.calls, 4);
	CHECK_OK(f, store_traffic_steps(f->s, f->a, &filter, 60, &v, &n, &f->err));
	CHECK_INT("minutes", n, 180);
	CHECK_INT("last of the hour", v[59].traffic.calls, 2);
	CHECK_INT("half a minute", store_traffic_steps(f->s, f->a, &filter, 30, &v, &n, &f->err).code, GH_E_INVALID);
	check_done();
}
int main(void)
{
	const struct CMUnitTest tests[] = { store_test(totals), store_test(status_days), store_test(steps) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
