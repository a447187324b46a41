/* Totals and questions to them: each dimension, each period, ranges, what is left out, too many places, older stores. */
#include "tests/unit/db/old_store.h"

#include "core/clock.h"
#include "db/analytics.h"

static const int64_t second_us = 1000000, hour_us = 3600000000, day_us = 86400000000;
enum { T0_S = 1700006400 };                  /* 2023-11-15T00:00:00Z, a day's beginning */

static struct telemetry_call call_at(int64_t at_us)
{
	return (struct telemetry_call){
		.started_us = at_us, .bytes_in = 1, .bytes_out = 20, .backend_bytes_in = 300, .backend_bytes_out = 4000, .total_us = 30000,
		.gateway_us = 1000, .backend_us = 29000, .first_byte_us = 20000, .dns_us = 100, .connect_us = 200, .tls_us = 300,
		.status = 200, .attempts = 1, .origin = TELEMETRY_BY_BACKEND, .environment = STR("default"), .api = STR("orders"),
		.version = STR("v1"), .operation = STR("get"), .product = STR("gold"), .subscription = STR("s1"), .user = STR("ann"),
		.application = STR("app"), .backend = STR("erp"), .client_ip = STR("10.1.2.3"),
	};
}

static void count(struct fixture *f, const struct telemetry_call *c, uint32_t times, size_t places_max)
{
	struct rollup *r = rollup_new(f->s, places_max);

	assert_true(r && rollup_add(r, c, times));
	CHECK_OK(f, rollup_write(r, &f->err));
	rollup_free(r);
}

static struct analytics_result ask(struct fixture *f, struct analytics_query q)
{
	struct analytics_result r = { 0 };

	CHECK_OK(f, analytics_run(f->s, f->a, &q, &r, &f->err));
	return r;
}

static void dimensions(void **state)
{
	static const struct {
		enum rollup_dimension d;
		const char *first, *second;
	} rows[] = {
		{ ROLLUP_ENVIRONMENT, "default", "test" }, { ROLLUP_API, "orders", "stock" },     { ROLLUP_VERSION, "v1", "v2" },
		{ ROLLUP_OPERATION, "get", "put" },        { ROLLUP_PRODUCT, "gold", "" },         { ROLLUP_SUBSCRIPTION, "s1", "s2" },
		{ ROLLUP_APPLICATION, "app", "other" },    { ROLLUP_USER, "ann", "bob" },          { ROLLUP_BACKEND, "erp", "wms" },
		{ ROLLUP_STATUS, "2xx", "4xx" },           { ROLLUP_REASON, "", "key_missing" },   { ROLLUP_ORIGIN, "backend", "gateway" },
		{ ROLLUP_ADDRESS, "private", "public_ipv6" },
	};
	struct fixture *f = *state;
	struct telemetry_call a = call_at(T0_S * second_us), b = a;

	b.environment = STR("test"), b.api = STR("stock"), b.version = STR("v2"), b.operation = STR("put"), b.product = STR("");
	b.subscription = STR("s2"), b.application = STR("other"), b.user = STR("bob"), b.backend = STR("wms"), b.status = 401;
	b.reason = STR("key_missing"), b.origin = TELEMETRY_BY_GATEWAY, b.client_ip = STR("2001:db8::1");
	count(f, &a, 5, 0);
	count(f, &b, 2, 0);
	assert_int_equal(ARRAY_LEN(rows), ROLLUP_DIMENSION__COUNT);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct analytics_query q = { .from_us = T0_S * second_us, .to_us = T0_S * second_us + hour_us, .n_group = 1,
					     .group = { rows[i].d } };
		struct analytics_result r = ask(f, q);
		const char *name = rollup_dimension_name(rows[i].d);
		enum rollup_dimension d;

		CHECK(name, rollup_dimension_of(str_of(name), &d) && d == rows[i].d);
		CHECK_INT(name, r.n, 2);
		if (r.n != 2)
			continue;
		CHECK_STR(name, r.groups[0].key[0], str_of(rows[i].first));
		CHECK_STR(name, r.groups[1].key[0], str_of(rows[i].second));
		CHECK_INT(name, r.groups[0].sum.calls, 5);
		q.filter[rows[i].d] = str_of(rows[i].second);
		CHECK_INT(name, ask(f, q).sum.calls, 2);
		q.filter[rows[i].d] = STR("nobody");
		CHECK_INT(name, ask(f, q).sum.calls, 0);
	}
	check_done();
}

static void figures(void **state)
{
	struct fixture *f = *state;
	struct telemetry_call c = call_at(T0_S * second_us);
	struct analytics_query q = { .from_us = T0_S * second_us, .to_us = T0_S * second_us + hour_us, .latency = ANALYTICS_LATENCY };
	struct store_traffic t;

	count(f, &c, 3, 0);
	c.attempts = 0, c.backend_us = 0, c.status = 200, c.origin = TELEMETRY_BY_CACHE, c.cache = TELEMETRY_CACHE_HIT, c.total_us = 500;
	c.gateway_us = 500, c.connect_us = 0;
	count(f, &c, 1, 0);
	CHECK("only hits", store_traffic_hit_percent(&(struct store_traffic){ .cache_hits = 1 }) == 100);
	CHECK("no cache is no share", store_traffic_hit_percent(&(struct store_traffic){ .calls = 1 }) < 0);
	c.status = 429, c.origin = TELEMETRY_BY_GATEWAY, c.cache = TELEMETRY_CACHE_NONE;
	count(f, &c, 1, 0);
	c.status = 500;
	count(f, &c, 1, 0);
	c.status = 502, c.origin = TELEMETRY_BACKEND_FAILED, c.attempts = 2, c.cache = TELEMETRY_CACHE_MISS;
	count(f, &c, 1, 0);
	t = ask(f, q).sum;
	CHECK_INT("calls", t.calls, 7);
	CHECK_INT("refused", t.refused, 1);
	CHECK_INT("errors of the gateway", t.gateway_errors, 1);
	CHECK_INT("errors of the backend", t.backend_errors, 1);
	CHECK_INT("served", t.status_class[2], 4);
	CHECK_INT("from the cache", t.cache_hits, 1);
	CHECK_INT("not in the cache", t.cache_misses, 1);
	CHECK("half of what the cache was asked for", store_traffic_hit_percent(&t) == 50);
	CHECK_INT("tries", t.attempts, 5);
	CHECK_INT("calls at the backend", t.backend_calls, 4);
	CHECK_INT("bytes in", t.bytes_in, 7);
	CHECK_INT("bytes out", t.bytes_out, 140);
	CHECK_INT("bytes from backends", t.backend_bytes_in, 2100);
	CHECK_INT("bytes to backends", t.backend_bytes_out, 28000);
	CHECK_INT("total", t.total_us, 3 * 30000 + 4 * 500);
	CHECK_INT("of the gateway", t.gateway_us, 3 * 1000 + 4 * 500);
	CHECK_INT("of the backend", t.backend_us, 3 * 29000);
	CHECK_INT("connections", t.connects, 3);
	CHECK_INT("names", t.dns_us, 300);
	CHECK_INT("connecting", t.connect_us, 600);
	CHECK_INT("TLS", t.tls_us, 900);
	CHECK_INT("first bytes", t.first_byte_us, 4 * 20000);
	CHECK_INT("histogram", t.latency.n, 7);
	CHECK_INT("of backends: only where one was asked", t.backend.n, 4);
	CHECK("p99 is less than 1 % off", latency_quantile(&t.latency, 0.99) > 29700 && latency_quantile(&t.latency, 0.99) < 30300);
	check_done();
}

/* One call in each minute of three days; every range must count its minutes, whichever totals it is made of. */
static void ranges(void **state)
{
	static const struct {
		const char *label;
		int64_t from_s, to_s, step_s, want, steps;
	} rows[] = {
		{ "nothing", 0, 0, 0, 0, 0 },
		{ "a minute", 0, 60, 0, 1, 0 },
		{ "half minutes are left out before, taken in behind", 30, 90, 0, 1, 0 },
		{ "an hour", 0, 3600, 0, 60, 0 },
		{ "a day and a minute", 0, 86460, 0, 1441, 0 },
		{ "minutes, hours, days, hours, minutes", 3540, 2 * 86400 + 3660, 0, 2882, 0 },
		{ "all and more", -86400, 10 * 86400, 0, 3 * 1440, 0 },
		{ "hours as they are", 0, 86400, 3600, 1440, 24 },
		{ "halves of two hours", 1800, 5400, 3600, 60, 2 },
		{ "a day and parts of two", 86340, 2 * 86400 + 120, 86400, 1 + 1440 + 2, 3 },
		{ "days", 0, 3 * 86400, 86400, 3 * 1440, 3 },
		{ "five minutes", 0, 3600, 300, 60, 12 },
		{ "six hours", 0, 86400, 21600, 1440, 4 },
	};
	struct fixture *f = *state;
	struct rollup *r = rollup_new(f->s, 0);

	assert_non_null(r);
	for (int64_t i = 0; i < 3 * 1440; i++) {
		struct telemetry_call c = call_at((T0_S + i * 60) * second_us + 5);

		assert_true(rollup_add(r, &c, 1));
	}
	CHECK_OK(f, store_drain_begin(f->s, &f->err));
	CHECK_OK(f, rollup_write(r, &f->err));
	CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));
	rollup_free(r);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct analytics_query q = { .from_us = (T0_S + rows[i].from_s) * second_us, .to_us = (T0_S + rows[i].to_s) * second_us,
					     .step_s = rows[i].step_s, .latency = ANALYTICS_LATENCY_STEPS };
		struct analytics_result got = ask(f, q);
		int64_t sum = 0, timed = 0;

		CHECK_INT(rows[i].label, got.sum.calls, rows[i].want);
		CHECK_INT(rows[i].label, (int64_t)got.sum.latency.n, rows[i].want);
		CHECK_INT(rows[i].label, got.n_steps, rows[i].steps);
		for (size_t k = 0; k < got.n_steps; k++) {
			sum += got.steps[k].calls;
			timed += (int64_t)got.steps[k].latency.n;
		}
		CHECK_INT(rows[i].label, rows[i].steps ? sum : rows[i].want, rows[i].want);
		CHECK_INT(rows[i].label, rows[i].steps ? timed : rows[i].want, rows[i].want);
	}
	check_done();
}

static void refusals(void **state)
{
	static const struct {
		const char *label;
		struct analytics_query q;
		enum gh_code want;
	} rows[] = {
		{ "ends before it begins", { .from_us = 100, .to_us = 50 }, GH_E_INVALID },
		{ "half a minute", { .to_us = 1, .step_s = 30 }, GH_E_INVALID },
		{ "90 minutes are no whole hours", { .to_us = 1, .step_s = 5400 }, GH_E_INVALID },
		{ "36 hours are no whole days", { .to_us = 1, .step_s = 129600 }, GH_E_INVALID },
		{ "too many steps", { .to_us = INT64_C(86400000000) * 100, .step_s = 60 }, GH_E_LIMIT },
		{ "too many rows", { .to_us = 1, .limit = ANALYTICS_ROWS_MAX + 1 }, GH_E_LIMIT },
	};
	struct fixture *f = *state;
	struct analytics_result r;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_INT(rows[i].label, analytics_run(f->s, f->a, &rows[i].q, &r, &f->err).code, rows[i].want);
	check_done();
}

static void written_ranges(void **state)
{
	static const struct {
		const char *text;
		int64_t from_s, to_s;                /* from T0; from = to: refused */
	} rows[] = {
		{ "1h", 12 * 3600 + 60 - 3600, 12 * 3600 + 60 }, { "today", 0, 12 * 3600 + 60 }, { "yesterday", -86400, 0 },
		{ "7d", 12 * 3600 + 60 - 7 * 86400, 12 * 3600 + 60 },
		{ "2023-11-14/2023-11-15", -86400, 86400 }, { "2023-11-15T01:00:00Z/2023-11-15T02:00:00Z", 3600, 7200 },
		{ "2023-11-15/2023-11-14", 0, 0 }, { "soon", 0, 0 }, { "", 0, 0 }, { "/", 0, 0 }, { "5s", 0, 0 },
		{ "2023-11-14/", -86400, 12 * 3600 + 60 }, { "/2023-11-14", 0, 0 }, { "2023-11-16/", 0, 0 }, { "2023-11-15T01:00/2023-11-15 02:00", 3600, 7200 },
		{ "2023-11-15T01:00:00/2023-11-15T02:00Z", 3600, 7200 }, { "2023-11-15T01:00:00+01:00/2023-11-15T01:00:00Z", 0, 3600 },
		{ "2023-11-15T01:00:00 01:00/2023-11-15T00:00:00-01:00", 0, 3600 }, { "2023-11-15T25:00/2023-11-16", 0, 0 },
		{ "2023-11-15T01/2023-11-16", 0, 0 },
	};
	int64_t from, to;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		gh_rc rc = analytics_range(str_of(rows[i].text), (T0_S + 12 * 3600) * second_us + 7, &from, &to, NULL);

		CHECK_INT(rows[i].text, rc.code, rows[i].from_s == rows[i].to_s ? GH_E_INVALID : GH_OK);
		if (rc.code)
			continue;
		CHECK_INT(rows[i].text, from, (T0_S + rows[i].from_s) * second_us);
		CHECK_INT(rows[i].text, to, (T0_S + rows[i].to_s) * second_us);
	}
	check_done();
}

static void too_many_places(void **state)
{
	struct fixture *f = *state;
	struct analytics_query q = { .from_us = T0_S * second_us, .to_us = T0_S * second_us + day_us, .n_group = 1, .limit = 1000,
				     .group = { ROLLUP_SUBSCRIPTION } };
	struct store_telemetry_stats stats;
	struct analytics_result r;
	int64_t other = 0;

	for (int i = 0; i < 30; i++) {
		struct telemetry_call c = call_at(T0_S * second_us);
		char name[16];

		c.subscription = (struct str){ name, (size_t)snprintf(name, sizeof(name), "s-%02d", i) };
		count(f, &c, 10, 20);
	}
	r = ask(f, q);
	CHECK_INT("no call is lost", r.sum.calls, 300);
	CHECK_INT("twenty, and one for all others", r.n, 21);
	for (size_t i = 0; i < r.n; i++)
		other += str_eq(r.groups[i].key[0], STR(ROLLUP_OTHER)) ? r.groups[i].sum.calls : 0;
	CHECK_INT("the others", other, 100);
	q.group[0] = ROLLUP_API;
	CHECK_INT("their API is known", ask(f, q).n, 1);
	CHECK_OK(f, store_telemetry_stats(f->s, &stats, &f->err));
	CHECK_INT("told", stats.other_calls, 100);
	q.limit = 5;
	q.group[0] = ROLLUP_SUBSCRIPTION;
	r = ask(f, q);
	CHECK_INT("as many as asked for", r.n, 5);
	CHECK_INT("how many there are", r.n_all, 21);
	CHECK_INT("all are in the sum", r.sum.calls, 300);
	check_done();
}

/* Finer totals are kept for a shorter time than coarser ones. What lies before that is counted from the coarser ones, and the answer
 * says what it is about; it is not "no call". */
static void what_is_kept(void **state)
{
	enum { DAYS = 6, NOW_S = DAYS * 86400 };
	static const struct {
		const char *label;
		int64_t from_s, to_s, step_s, want;          /* want: calls; -1: refused */
		int64_t from_got_s, to_got_s;
	} rows[] = {
		{ "hours and minutes are there", 5 * 86400 + 1800, 5 * 86400 + 5400, 0, 2, 5 * 86400 + 1800, 5 * 86400 + 5400 },
		{ "minutes are gone: whole hours", 4 * 86400 + 1800, 4 * 86400 + 9000, 0, 6, 4 * 86400, 4 * 86400 + 10800 },
		{ "hours are gone: whole days", 86400 + 1800, 2 * 86400 + 1800, 0, 2 * 48, 86400, 3 * 86400 },
		{ "from a time without hours into one with minutes", 2 * 86400 + 3600, 5 * 86400 + 1800, 0, 3 * 48 + 1, 2 * 86400, 5 * 86400 + 1800 },
		{ "days of days", 0, NOW_S, 86400, DAYS * 48, 0, NOW_S },
		{ "hours from where they begin", 86400, NOW_S, 3600, 3 * 48, 3 * 86400, NOW_S },
		{ "minutes from where they begin", 86400, NOW_S, 60, 48, 5 * 86400, NOW_S },
		{ "no hour of it is kept", 0, 2 * 86400, 3600, -1, 0, 0 },
		{ "no minute of it is kept", 86400, 2 * 86400, 60, -1, 0, 0 },
		{ "before the first call", -86400 * 3, -86400 * 2 + 60, 0, 0, -86400 * 3, -86400 },
	};
	struct fixture *f = *state;
	struct rollup *r = rollup_new(f->s, 0);
	struct store_retention before = { .hours_before_us = (T0_S + 3 * 86400) * second_us, .minutes_before_us = (T0_S + 5 * 86400) * second_us,
					  .max_rows = 100000 };
	bool more;

	assert_non_null(r);
	for (int64_t i = 0; i < DAYS * 48; i++) {    /* one in each half hour */
		struct telemetry_call c = call_at((T0_S + i * 1800) * second_us + 5);

		assert_true(rollup_add(r, &c, 1));
	}
	CHECK_OK(f, rollup_write(r, &f->err));
	rollup_free(r);
	CHECK_OK(f, store_telemetry_prune(f->s, &before, &more, &f->err));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct analytics_query q = { .from_us = (T0_S + rows[i].from_s) * second_us, .to_us = (T0_S + rows[i].to_s) * second_us,
					     .step_s = rows[i].step_s, .latency = ANALYTICS_LATENCY };
		struct analytics_result got = { 0 };
		gh_rc rc = analytics_run(f->s, f->a, &q, &got, &f->err);

		CHECK_INT(rows[i].label, rc.code, rows[i].want < 0 ? GH_E_INVALID : GH_OK);
		if (rc.code)
			continue;
		CHECK_INT(rows[i].label, got.sum.calls, rows[i].want);
		CHECK_INT(rows[i].label, (int64_t)got.sum.latency.n, rows[i].want);
		CHECK_INT(rows[i].label, got.from_us / second_us - T0_S, rows[i].from_got_s);
		CHECK_INT(rows[i].label, got.to_us / second_us - T0_S, rows[i].to_got_s);
	}
	check_done();
}

/* Half an hour of minutes was taken away in a small step, and a time without calls is no time that is not kept. */
static void what_is_kept_in_part(void **state)
{
	struct fixture *f = *state;
	struct store_retention before = { .minutes_before_us = (T0_S + 1800) * second_us, .max_rows = 100000 };
	struct analytics_query q = { .from_us = (T0_S + 1800) * second_us, .to_us = (T0_S + 3600) * second_us };
	bool more;

	for (int64_t i = -1; i < 60; i++) {
		struct telemetry_call c = call_at((T0_S + i * 60) * second_us);

		count(f, &c, 1, 0);
	}
	CHECK_OK(f, store_telemetry_prune(f->s, &before, &more, &f->err));
	CHECK_INT("what is left of the hour is not all of it", ask(f, q).sum.calls, 60);
	q.step_s = 60;
	CHECK_INT("nor minute by minute", analytics_run(f->s, f->a, &q, &(struct analytics_result){ 0 }, &f->err).code, GH_E_INVALID);
	q.from_us += day_us, q.to_us += day_us;
	CHECK_INT("nobody called then", ask(f, q).n_steps, 30);
	before.minutes_before_us = (T0_S + 86400) * second_us;
	CHECK_OK(f, store_telemetry_prune(f->s, &before, &more, &f->err));
	CHECK_INT("nobody called then, and there is no minute at all", ask(f, q).n_steps, 30);
	check_done();
}

/* A store of the schema before: its totals go on. */
static void older_store(void **state)
{
	struct fixture *f = *state;
	char text[2048];
	struct analytics_query q = { .from_us = T0_S * second_us, .to_us = T0_S * second_us + day_us, .latency = ANALYTICS_LATENCY };
	struct latency l = { 0 };
	sqlite3_stmt *st = NULL;
	struct str packed;
	struct store_traffic t;
	sqlite3 *db;

	assert_true(latency_add_many(&l, f->a, 1000, 10));
	packed = latency_pack(&l, f->a);
	db = old_telemetry(f, 5);
	for (int64_t i = 0; i < 4; i++) {            /* two hours of a day, with a minute each */
		snprintf(text, sizeof(text), "INSERT INTO traffic VALUES (%d, %lld, 'default', 'orders', 'get', '', 's1', '', 'erp', 10, 2, 3, 1, 1, 0,"
			 " 0, 5, 0, 3, 2, 100, 200, 11, 22, 33, ?1)", i % 2 ? 60 : 3600, (long long)(T0_S + i / 2 * 3600));
		assert_int_equal(sqlite3_prepare_v2(db, text, -1, &st, NULL), SQLITE_OK);
		sqlite3_bind_blob(st, 1, packed.p, (int)packed.n, SQLITE_STATIC);
		assert_int_equal(sqlite3_step(st), SQLITE_DONE);
		sqlite3_finalize(st);
	}
	sqlite3_close(db);
	CHECK_OK(f, store_open(&f->s, f->dir, STORE_CREATE, &f->err));
	for (int part = 0; part < 3; part++) {       /* of the day, of hours, of minutes */
		static const char *const names[] = { "day", "hours", "minutes" };

		q.step_s = part == 0 ? 86400 : part == 1 ? 3600 : 60;
		t = ask(f, q).sum;
		CHECK_INT(names[part], t.calls, 20);
		CHECK_INT(names[part], t.refused, 4);
		CHECK_INT(names[part], t.client_errors, 6);
		CHECK_INT(names[part], t.gateway_errors, 2);
		CHECK_INT(names[part], t.backend_errors, 2);
		CHECK_INT(names[part], t.status_class[2], 10);
		CHECK_INT(names[part], t.bytes_out, 400);
		CHECK_INT(names[part], t.total_us, 66);
		CHECK_INT(names[part], t.latency.n, 20);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(dimensions), store_test(figures), store_test(ranges), store_test(refusals), store_test(written_ranges),
		store_test(too_many_places), store_test(what_is_kept),
		store_test(what_is_kept_in_part), store_test(older_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
