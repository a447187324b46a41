/* Alert rules and their windows: what is counted, when it is breached, what slides. */
#include "tests/unit/check.h"

#include "core/alert.h"

#define S(n) ((n) * INT64_C(1000000))
static const int64_t START = S(1700000000);

static void checks(void **state UNUSED)
{
	static const struct {
		const char *label, *field;           /* field NULL: fine */
		struct alert_rule r;
	} rows[] = {
		{ "five in a minute", NULL, { .kind = ALERT_STATUS, .status = STR_INIT("5xx 404"), .threshold = 5000, .period_s = 60 } },
		{ "no codes", "status:", { .kind = ALERT_STATUS, .period_s = 60 } },
		{ "no code", "status:", { .kind = ALERT_STATUS, .status = STR_INIT("5xx 600"), .period_s = 60 } },
		{ "half a code", "status:", { .kind = ALERT_STATUS, .status = STR_INIT("50x"), .period_s = 60 } },
		{ "no such kind", "kind:", { .kind = ALERT_KIND__COUNT, .period_s = 60 } },
		{ "no period", "period:", { .kind = ALERT_REQUESTS } },
		{ "a period of a year", "period:", { .kind = ALERT_REQUESTS, .period_s = 365 * 86400 } },
		{ "too many periods", "periods:", { .kind = ALERT_REQUESTS, .period_s = 60, .periods = 61 } },
		{ "fewer errors", "comparison:", { .kind = ALERT_STATUS, .status = STR_INIT("500"), .period_s = 60, .comparison = ALERT_BELOW } },
		{ "fewer calls", NULL, { .kind = ALERT_REQUESTS, .threshold = 1000, .period_s = 60, .comparison = ALERT_BELOW } },
		{ "a share of requests", "measure:", { .kind = ALERT_REQUESTS, .period_s = 60, .measure = ALERT_MEASURE_PERCENT } },
		{ "101 %", "threshold:", { .kind = ALERT_VIOLATION, .period_s = 60, .measure = ALERT_MEASURE_PERCENT, .threshold = 101000 } },
		{ "0 ms", "threshold:", { .kind = ALERT_LATENCY, .period_s = 60 } },
		{ "a budget without target", "target:", { .kind = ALERT_BUDGET, .period_s = 3600, .threshold = 14400 } },
		{ "a budget", NULL, { .kind = ALERT_BUDGET, .period_s = 3600, .threshold = 14400, .target = 99900 } },
		{ "expiry in no days", "threshold:", { .kind = ALERT_EXPIRY } },
		{ "expiry", NULL, { .kind = ALERT_EXPIRY, .threshold = 14000 } },
	};
	struct gh_err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct alert_rule r = rows[i].r;
		bool ok = alert_rule_check(&r, &err).code == GH_OK;

		CHECK(rows[i].label, ok == !rows[i].field && (ok || strncmp(err.message, rows[i].field, strlen(rows[i].field)) == 0));
	}
	check_done();
}

static void takes(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct alert_rule r;
		uint16_t status;
		uint8_t origin;
		const char *reason;
		int want;                            /* -1: not looked at; 0: looked at; 1: counted */
	} rows[] = {
		{ "class", { .kind = ALERT_STATUS, .status = STR_INIT("5xx") }, 503, TELEMETRY_BY_BACKEND, "", 1 },
		{ "other class", { .kind = ALERT_STATUS, .status = STR_INIT("5xx") }, 404, TELEMETRY_BY_BACKEND, "", 0 },
		{ "code", { .kind = ALERT_STATUS, .status = STR_INIT("401, 404") }, 404, TELEMETRY_BY_BACKEND, "", 1 },
		{ "of the gateway", { .kind = ALERT_STATUS, .status = STR_INIT("5xx"), .origin = ALERT_ORIGIN_GATEWAY }, 503, TELEMETRY_BY_GATEWAY, "overload", 1 },
		{ "of the gateway, not the backend", { .kind = ALERT_STATUS, .status = STR_INIT("5xx"), .origin = ALERT_ORIGIN_BACKEND }, 503,
		  TELEMETRY_BY_GATEWAY, "overload", 0 },
		{ "a backend that cannot be reached", { .kind = ALERT_STATUS, .status = STR_INIT("5xx"), .origin = ALERT_ORIGIN_BACKEND }, 502,
		  TELEMETRY_BACKEND_FAILED, "backend_connect", 1 },
		{ "refused", { .kind = ALERT_VIOLATION }, 429, TELEMETRY_BY_GATEWAY, "RateLimitExceeded", 1 },
		{ "refused by the backend", { .kind = ALERT_VIOLATION }, 429, TELEMETRY_BY_BACKEND, "", 0 },
		{ "for that reason", { .kind = ALERT_VIOLATION, .reasons = STR_INIT("key_missing RateLimitExceeded") }, 429, TELEMETRY_BY_GATEWAY,
		  "RateLimitExceeded", 1 },
		{ "for another", { .kind = ALERT_VIOLATION, .reasons = STR_INIT("key_missing") }, 429, TELEMETRY_BY_GATEWAY, "RateLimitExceeded", 0 },
		{ "of another API", { .kind = ALERT_REQUESTS, .api = STR_INIT("other") }, 200, TELEMETRY_BY_BACKEND, "", -1 },
		{ "of this API", { .kind = ALERT_REQUESTS, .api = STR_INIT("orders") }, 200, TELEMETRY_BY_BACKEND, "", 1 },
		{ "slow", { .kind = ALERT_LATENCY, .threshold = 99999 }, 200, TELEMETRY_BY_BACKEND, "", 1 },
		{ "the backend was slow", { .kind = ALERT_LATENCY, .time = ALERT_TIME_BACKEND, .threshold = 99999, .backend = STR_INIT("b") }, 200,
		  TELEMETRY_BY_BACKEND, "", 1 },
		{ "a time of the backend, but none was asked", { .kind = ALERT_LATENCY, .time = ALERT_TIME_BACKEND, .threshold = 99999 }, 429,
		  TELEMETRY_BY_GATEWAY, "RateLimitExceeded", -1 },
		{ "just as slow as it may be", { .kind = ALERT_LATENCY, .threshold = 100000 }, 200, TELEMETRY_BY_BACKEND, "", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct telemetry_call c = { .status = rows[i].status, .origin = rows[i].origin, .reason = { rows[i].reason, strlen(rows[i].reason) },
					    .api = STR("orders"), .total_us = 100000 };
		bool hit = false;
		int got;

		if (rows[i].r.backend.n) {
			c.backend = rows[i].r.backend;
			c.backend_us = 100000;
			c.attempts = 1;
		}
		got = alert_rule_takes(&rows[i].r, &c, &hit) ? hit : -1;

		CHECK_INT(rows[i].label, got, rows[i].want);
	}
	check_done();
}

static bool bad_at(const struct alert_window *w, const struct alert_rule *r, int64_t at)
{
	struct alert_verdict v;

	alert_window_judge(w, r, at, 0, &v);
	return v.bad;
}

static void add(struct alert_window *w, const struct alert_rule *r, int64_t at, int n)
{
	for (int i = 0; i < n; i++)
		assert_true(alert_window_add(w, r, at, true, 1000));
}

static void slides(void **state UNUSED)
{
	struct alert_rule r = { .kind = ALERT_STATUS, .threshold = 5000, .period_s = 60, .periods = 1 };
	struct alert_window w;
	int64_t minute = START / S(60) * S(60);      /* a minute of the clock begins */

	assert_true(alert_window_init(&w, &r));
	add(&w, &r, minute - S(2), 3);
	add(&w, &r, minute + S(2), 2);
	CHECK("five are not more than five", !bad_at(&w, &r, minute + S(3)));
	add(&w, &r, minute + S(3), 1);
	CHECK("a burst across a minute's border", bad_at(&w, &r, minute + S(3)));
	CHECK("still in the window", bad_at(&w, &r, minute + S(56)));
	CHECK("out of it", !bad_at(&w, &r, minute + S(63)));
	add(&w, &r, minute + S(1000), 1);
	CHECK("one in ten minutes", !bad_at(&w, &r, minute + S(1000)));
	CHECK("what is too old is not counted", !alert_window_add(&w, &r, minute + S(900), true, 0));
	alert_window_release(&w);
	check_done();
}

static void set_back(void **state UNUSED)
{
	struct alert_rule r = { .kind = ALERT_LATENCY, .threshold = 1, .period_s = 60, .periods = 1, .least_calls = 1 };
	struct alert_verdict v;
	struct alert_window w;

	assert_true(alert_window_init(&w, &r));
	add(&w, &r, START, 2);
	add(&w, &r, START + S(30), 1);
	CHECK("in a time to come", alert_window_add(&w, &r, START + S(3600), true, 1000));
	CHECK("shuts calls of now out", !alert_window_add(&w, &r, START + S(31), true, 1000));
	alert_window_cut(&w, START + S(31));
	add(&w, &r, START + S(31), 4);
	alert_window_judge(&w, &r, START + S(31), 0, &v);
	CHECK("what was before stays, as far as it was not overwritten", v.calls >= 4 && v.calls <= 7 && v.bad);
	alert_window_release(&w);
	check_done();
}

static void in_each_of(void **state UNUSED)
{
	struct alert_rule r = { .kind = ALERT_REQUESTS, .threshold = 2000, .period_s = 30, .periods = 3 };
	struct alert_verdict v;
	struct alert_window w;

	assert_true(alert_window_init(&w, &r));
	add(&w, &r, START, 100);
	CHECK("much in one period is not enough", !bad_at(&w, &r, START + S(1)));
	add(&w, &r, START + S(30), 3);
	CHECK("two periods", !bad_at(&w, &r, START + S(31)));
	add(&w, &r, START + S(60), 3);
	CHECK("three", bad_at(&w, &r, START + S(61)));
	alert_window_judge(&w, &r, START + S(95), 0, &v);
	CHECK("the newest period is well", !v.bad && !v.newest_bad && v.value == 0);
	alert_window_release(&w);
	check_done();
}

/* What is compared is the share itself, not its three decimals. */
static void shares(void **state UNUSED)
{
	struct alert_rule r = { .kind = ALERT_STATUS, .measure = ALERT_MEASURE_PERCENT, .period_s = 60, .periods = 1, .least_calls = 1 };
	struct alert_window w;
	struct alert_slice *s;

	assert_true(alert_window_init(&w, &r));
	s = alert_window_add(&w, &r, START, true, 0);
	assert_non_null(s);
	s->calls = 200001;
	CHECK("one of 200,001 is more than 0 %", bad_at(&w, &r, START));
	s->hits = 0;
	CHECK("none is not", !bad_at(&w, &r, START));
	r.threshold = 5000;
	s->hits = 10001;
	CHECK("10,001 of 200,001 are more than 5 %", bad_at(&w, &r, START));
	s->hits = 10000;
	CHECK("10,000 are not", !bad_at(&w, &r, START));
	alert_window_release(&w);
	check_done();
}

static void too_few(void **state UNUSED)
{
	struct alert_rule r = { .kind = ALERT_REQUESTS, .threshold = 2000, .period_s = 30, .periods = 1, .comparison = ALERT_BELOW };
	struct alert_verdict v;
	struct alert_window w;

	assert_true(alert_window_init(&w, &r));
	alert_window_judge(&w, &r, START + S(10), START, &v);
	CHECK("nothing is said before a whole period", !v.bad);
	alert_window_judge(&w, &r, START + S(31), START, &v);
	CHECK("fewer", v.bad);
	add(&w, &r, START + S(31), 2);
	CHECK("enough", !bad_at(&w, &r, START + S(32)));
	alert_window_release(&w);
	check_done();
}

static void times(void **state UNUSED)
{
	struct alert_rule r = { .kind = ALERT_LATENCY, .statistic = ALERT_STATISTIC_P95, .threshold = 50000, .period_s = 60, .periods = 1, .least_calls = 20 };
	struct alert_verdict v;
	struct alert_window w;

	assert_true(alert_window_init(&w, &r));
	for (int i = 0; i < 19; i++)
		assert_true(alert_window_add(&w, &r, START, true, 900000));
	alert_window_judge(&w, &r, START, 0, &v);
	CHECK("too few calls say nothing", !v.bad && v.no_data);
	for (int i = 0; i < 361; i++)
		assert_true(alert_window_add(&w, &r, START + S(1), false, 10000));
	alert_window_judge(&w, &r, START + S(1), 0, &v);
	CHECK_INT("19 of 380 are 5 %: not above", v.bad, 0);
	CHECK("the number agrees", v.value <= r.threshold);
	assert_true(alert_window_add(&w, &r, START + S(1), true, 900000));
	alert_window_judge(&w, &r, START + S(1), 0, &v);
	CHECK_INT("one more is above", v.bad, 1);
	CHECK("the number agrees, and is near", v.value > 845000 && v.value < 955000);
	alert_window_release(&w);
	assert_true(alert_window_init(&w, &r));
	for (int i = 0; i < 20; i++)
		assert_true(alert_window_add(&w, &r, START, true, 148000));
	alert_window_judge(&w, &r, START, 0, &v);
	CHECK("6 % off at most, also at the beginning of a step", v.value > 139000 && v.value < 158000);
	alert_window_release(&w);
	check_done();
}

static void budgets(void **state UNUSED)
{
	struct alert_rule r = { .kind = ALERT_BUDGET, .threshold = 10000, .target = 99000, .period_s = 3600, .periods = 1, .least_calls = 1 };
	struct alert_verdict v;
	struct alert_window w;

	assert_true(alert_window_init(&w, &r));
	for (int i = 0; i < 100; i++)
		assert_true(alert_window_add(&w, &r, START, i < 10, 0));
	alert_window_judge(&w, &r, START + S(1), 0, &v);
	CHECK("10 % failed of 1 % that may: ten times", v.bad && v.value == 10000);
	for (int i = 0; i < 5; i++)
		assert_true(alert_window_add(&w, &r, START + S(1200), false, 0));
	alert_window_judge(&w, &r, START + S(1200), 0, &v);
	CHECK("it has stopped", !v.bad);
	alert_window_release(&w);
	check_done();
}

static void histograms(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 16);
	uint32_t v[ALERT_BUCKETS] = { [0] = 1, [1] = 300, [77] = 70000, [ALERT_BUCKETS - 1] = UINT32_MAX }, back[ALERT_BUCKETS] = { 0 };

	CHECK("read back", alert_histogram_unpack(alert_histogram_pack(a, v), back) && memcmp(v, back, sizeof(v)) == 0);
	CHECK("none", alert_histogram_pack(a, NULL).n == 0);
	CHECK("cut short", !alert_histogram_unpack(STR("\x01"), back));
	CHECK("past the end", !alert_histogram_unpack(STR("\xff\x7f\x01"), back));
	arena_free(a);
	check_done();
}

static void numbers(void **state UNUSED)
{
	static const struct {
		const char *text;
		int64_t want;                        /* -1: none */
	} rows[] = { { "5", 5000 }, { "14.4", 14400 }, { "99.95", 99950 }, { "0.001", 1 }, { "1.2345", -1 }, { "", -1 }, { "5.", -1 },
		     { ".5", -1 }, { "-1", -1 }, { "1e3", -1 } };
	char text[ALERT_NUMBER_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t got = -1;

		if (!alert_number_parse((struct str){ rows[i].text, strlen(rows[i].text) }, &got))
			got = -1;
		CHECK_INT(rows[i].text, got, rows[i].want);
		if (got >= 0)
			CHECK(rows[i].text, strcmp(alert_number(got, text), rows[i].text) == 0);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks),  cmocka_unit_test(takes),   cmocka_unit_test(slides),     cmocka_unit_test(in_each_of), cmocka_unit_test(shares), cmocka_unit_test(set_back),
		cmocka_unit_test(too_few), cmocka_unit_test(times),   cmocka_unit_test(budgets),    cmocka_unit_test(histograms),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests_name("alert", tests, NULL, NULL);
}
