/* Reports: that none leaves out what it is about, and that what it does not know is refused. */
#include "tests/unit/db/fixture.h"

#include "core/clock.h"
#include "db/apis.h"
#include "db/reports.h"

static const int64_t second_us = 1000000, minute_us = 60000000, hour_us = 3600000000, day_us = 86400000000;
enum { T0_S = 1700006400 };                  /* 2023-11-15T00:00:00Z, a day's beginning */
#define RANGE "2023-11-15/2023-11-20"

static struct telemetry_call call_of(struct str api, struct str subscription, struct str backend)
{
	return (struct telemetry_call){
		.started_us = T0_S * second_us, .total_us = 3000, .gateway_us = 1000, .backend_us = 2000, .status = 200, .attempts = 1,
		.origin = TELEMETRY_BY_BACKEND, .environment = STR("default"), .api = api, .subscription = subscription, .backend = backend,
	};
}

static struct str named(struct fixture *f, const char *name, int i)
{
	return arena_printf(f->a, "%s-%d", name, i);
}

static void write_calls(struct fixture *f, struct rollup *r)
{
	CHECK_OK(f, store_drain_begin(f->s, &f->err));
	CHECK_OK(f, store_drain_end(f->s, rollup_write(r, &f->err), &f->err));
	rollup_free(r);
}

static struct report run(struct fixture *f, enum report_id id, const char *range, const char *limit)
{
	struct report_ask ask = report_ask(id);
	struct report r = { 0 };
	bool known;

	CHECK_OK(f, report_set(&ask, STR("range"), str_of(range), &known, &f->err));
	if (limit)
		CHECK_OK(f, report_set(&ask, STR("limit"), str_of(limit), &known, &f->err));
	CHECK_OK(f, report_run(f->s, f->a, &ask, (T0_S + 40 * 86400) * second_us, &r, &f->err));
	return r;
}

static const struct table_value *value(const struct report *r, size_t row, const char *column)
{
	static const struct table_value none = { .none = true };
	size_t c = table_find(&r->table, column);

	CHECK(column, c != SIZE_MAX && row < r->table.n_rows);
	return c != SIZE_MAX && row < r->table.n_rows ? table_at(&r->table, row, c) : &none;
}

/* One that fails each time is named though many others are called more often. */
static void failing_backends(void **state)
{
	struct fixture *f = *state;
	struct rollup *k = rollup_new(f->s, 0);
	struct report r;

	for (int i = 0; i < 80; i++) {
		struct telemetry_call c = call_of(STR("orders"), STR("s"), named(f, "fine", i));

		assert_true(rollup_add(k, &c, 100));
	}
	struct telemetry_call c = call_of(STR("orders"), STR("s"), STR("broken"));

	c.status = 502, c.origin = TELEMETRY_BACKEND_FAILED;
	assert_true(rollup_add(k, &c, 7));
	c = call_of(STR("orders"), STR("s"), STR("breaks-off"));         /* in the middle of its answer, whose status had left */
	c.origin = TELEMETRY_BACKEND_FAILED, c.reason = STR("backend_cut_off");
	assert_true(rollup_add(k, &c, 5));
	write_calls(f, k);
	r = run(f, REPORT_FAILURES, RANGE, NULL);
	CHECK_STR("the one that fails most", value(&r, 0, "backend")->s, STR("broken"));
	CHECK_INT("each time", value(&r, 0, "errors")->n, 7);
	CHECK_STR("one that breaks off fails", value(&r, 1, "backend")->s, STR("breaks-off"));
	CHECK_INT("each time, too", value(&r, 1, "errors")->n, 5);
	CHECK_INT("rows", r.table.n_rows, ANALYTICS_ROWS_DEFAULT);
	CHECK_INT("it is told that there are more", r.n_all, 82);
	r = run(f, REPORT_FAILURES, RANGE, "1");
	CHECK_INT("as many as asked for", r.table.n_rows, 1);
	r = run(f, REPORT_TRAFFIC, RANGE, NULL);
	CHECK_INT("errors of backends in the sum", value(&r, 0, "backendErrors")->n, 12);
	CHECK("and in the share", value(&r, 0, "errorPercent")->d > 0.149 && value(&r, 0, "errorPercent")->d < 0.1498);
	check_done();
}

/* Whoever uses what is deprecated is found among any number of those who do not; when he last did, to the minute. */
static void deprecated_callers(void **state)
{
	enum { OTHERS = ANALYTICS_ROWS_MAX + 10 };
	struct store_api api = { .id = STR("old"), .name = STR("Old"), .path = STR("old"), .environment_id = STR("default"),
				 .state = STORE_API_DEPRECATED };
	struct fixture *f = *state;
	struct rollup *k = rollup_new(f->s, 0);
	struct telemetry_call c;
	struct report r;

	CHANGE(f, store_api_create(f->s, &api, &f->err));
	for (int i = 0; i < OTHERS; i++) {
		c = call_of(STR("new"), named(f, "s", i), STR("erp"));
		assert_true(rollup_add(k, &c, 2));
	}
	c = call_of(STR("old"), STR("late"), STR("erp"));
	c.started_us += day_us + 10 * hour_us + 5 * minute_us + 7;
	assert_true(rollup_add(k, &c, 1));
	c.started_us -= 3 * hour_us;
	assert_true(rollup_add(k, &c, 1));
	c = call_of(STR("old"), STR("busy"), STR("erp"));
	assert_true(rollup_add(k, &c, 3));
	write_calls(f, k);
	r = run(f, REPORT_DEPRECATED, RANGE, NULL);
	CHECK_INT("both callers", r.table.n_rows, 2);
	CHECK_STR("the busier one first", value(&r, 0, "subscription")->s, STR("busy"));
	CHECK_STR("the other", value(&r, 1, "subscription")->s, STR("late"));
	CHECK_INT("its calls", value(&r, 1, "calls")->n, 2);
	CHECK_INT("its last call", value(&r, 1, "lastCall")->n, T0_S * second_us + day_us + 10 * hour_us + 5 * minute_us);
	r = run(f, REPORT_DEPRECATED, RANGE, "1");
	CHECK_INT("as many as asked for", r.table.n_rows, 1);
	CHECK_INT("of so many", r.n_all, 2);
	check_done();
}

/* More than fifty are over their limit. */
static void many_exceeders(void **state)
{
	enum { PARTNERS = 120 };
	struct fixture *f = *state;
	struct rollup *k = rollup_new(f->s, 0);
	struct report r;

	for (int i = 0; i < PARTNERS; i++)
		for (int d = 0; d < 4; d++) {
			struct telemetry_call c = call_of(STR("orders"), named(f, "p", i), STR("erp"));

			c.started_us += d * day_us + 9 * hour_us;
			assert_true(rollup_add(k, &c, 20));
			c.status = 429, c.origin = TELEMETRY_BY_GATEWAY, c.reason = STR("RateLimitExceeded"), c.attempts = 0, c.backend = STR("");
			assert_true(rollup_add(k, &c, 9));
		}
	write_calls(f, k);
	r = run(f, REPORT_EXCEEDERS, RANGE, "500");
	CHECK_INT("each of them", r.table.n_rows, PARTNERS);
	CHECK_STR("at this hour", value(&r, 119, "hours")->s, STR("09:00-10:00"));
	CHECK_INT("a limit that fits", value(&r, 0, "fitsPerMinute")->n, 29);
	r = run(f, REPORT_EXCEEDERS, RANGE, "3");
	CHECK_INT("as many as asked for", r.table.n_rows, 3);
	CHECK_INT("of so many", r.n_all, PARTNERS);
	check_done();
}

static void what_is_refused(void **state)
{
	static const struct {
		enum report_id id;
		const char *name, *value, *says;     /* says NULL: taken */
	} rows[] = {
		{ REPORT_TRAFFIC, "compare", "yes", NULL },        { REPORT_LATENCY, "compare", "yes", "compare: the report latency has none" },
		{ REPORT_CALLS, "step", "hour", NULL },            { REPORT_LATENCY, "step", "hour", "step: the report latency has none" },
		{ REPORT_FAILURES, "step", "hour", "step: the report failures has none" },
		{ REPORT_FAILURES, "group", "api", "group: the report failures has none" },
		{ REPORT_DEPRECATED, "group", "api", "group: the report deprecated has none" },
		{ REPORT_EXCEEDERS, "group", "application", NULL }, { REPORT_EXCEEDERS, "step", "day", "step: the report exceeders has none" },
		{ REPORT_TRAFFIC, "group", "api,api", "group: api is named twice" },
		{ REPORT_FAILURES, "api", "orders", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct report_ask ask = report_ask(rows[i].id);
		struct gh_err err = { 0 };
		bool known;
		gh_rc rc = report_set(&ask, str_of(rows[i].name), str_of(rows[i].value), &known, &err);

		CHECK_INT(rows[i].name, rc.code, rows[i].says ? GH_E_INVALID : GH_OK);
		CHECK_STR(rows[i].name, str_of(err.message), str_of(rows[i].says ? rows[i].says : ""));
	}
	check_done();
}

/* Totals are of minutes: what is shorter has no answer, and it is not "no call". */
static void short_range(void **state)
{
	struct fixture *f = *state;
	struct report_ask ask = report_ask(REPORT_TRAFFIC);
	struct report r;

	ask.range = STR("2023-11-15T00:00:10Z/2023-11-15T00:00:50Z");
	CHECK_INT("refused", report_run(f->s, f->a, &ask, T0_S * second_us, &r, &f->err).code, GH_E_INVALID);
	CHECK("and said why", strstr(f->err.message, "whole minutes"));
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(failing_backends), store_test(deprecated_callers), store_test(many_exceeders), store_test(what_is_refused),
		store_test(short_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
