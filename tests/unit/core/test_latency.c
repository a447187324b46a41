/* The histogram of durations: error bound, quantiles, adding, the packed form. */
#include "tests/unit/check.h"

#include "core/latency.h"

static void error_bound(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 24);

	for (uint64_t us = 0; us <= UINT32_MAX; us = us < 5000 ? us + 1 : us + us / 97) {
		struct latency l = { 0 };
		uint64_t got, off;

		arena_reset(a);
		assert_true(latency_add(&l, a, us));
		got = latency_quantile(&l, 0.5);
		off = got > us ? got - us : us - got;
		CHECK("less than 1 % off", off * 100 < us || off == 0);
	}
	struct latency l = { 0 };

	assert_true(latency_add(&l, a, UINT64_MAX));
	CHECK("very long ones are in the last bucket", latency_quantile(&l, 1) > 4000000000);
	arena_free(a);
	check_done();
}

static void quantiles(void **state UNUSED)
{
	static const struct {
		double q;
		uint64_t want;
	} rows[] = { { 0, 1 }, { 0.01, 1 }, { 0.5, 50 }, { 0.501, 51 }, { 0.95, 95 }, { 0.99, 99 }, { 1, 100 }, { 2, 100 } };
	struct arena *a = arena_new(1 << 20);
	struct latency l = { 0 }, sum = { 0 }, copy = { 0 };
	struct str packed;

	CHECK_INT("nothing counted", latency_quantile(&l, 0.5), 0);
	CHECK_STR("nothing packed", latency_pack(&l, a), STR(""));
	for (uint64_t us = 1; us <= 100; us++)
		assert_true(latency_add(&l, a, us));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_INT("quantile", latency_quantile(&l, rows[i].q), rows[i].want);
	assert_true(latency_merge(&sum, a, &l) && latency_merge(&sum, a, &l));
	CHECK_INT("added", sum.n, 200);
	CHECK_INT("added, median", latency_quantile(&sum, 0.5), 50);
	assert_true(latency_add(&sum, a, 4000000));
	packed = latency_pack(&sum, a);
	CHECK("packed is small", packed.n < 210);
	assert_true(latency_unpack(&copy, a, packed));
	CHECK_INT("unpacked", copy.n, 201);
	CHECK_INT("unpacked", memcmp(copy.count, sum.count, LATENCY_BUCKETS * sizeof(uint32_t)), 0);
	CHECK("cut short", !latency_unpack(&copy, a, str_first(packed, packed.n - 1)));
	CHECK("bucket out of range", !latency_unpack(&copy, a, STR("\xC0\x0D\x01")));
	CHECK("number too long", !latency_unpack(&copy, a, STR("\xFF\xFF\xFF\xFF\xFF\x01\x01")));
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(error_bound), cmocka_unit_test(quantiles) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
