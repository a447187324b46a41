/* The histogram of durations: error bound, quantiles, adding, the packed form. */
#include "tests/unit/check.h"

#include "core/latency.h"

#include <math.h>
#include <stdlib.h>

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

/* ---- distributions ------------------------------------------------------------------------------------------------------------- */

static uint64_t seed = 42;

static double unit(void)                     /* in (0, 1), the same on every machine */
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return ((double)(seed >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
	return sqrt(-2 * log(unit())) * cos(6.283185307179586 * unit());
}

static double constant(void)
{
	return 12345;
}

static double uniform(void)
{
	return 1000 + 99000 * unit();
}

static double exponential(void)
{
	return -20000 * log(unit());
}

static double lognormal(void)                /* as answers of backends mostly are */
{
	return exp(9 + normal());
}

static double pareto(void)                   /* a long tail */
{
	return 500 / pow(unit(), 1 / 1.2);
}

static double two_humps(void)                /* hits of a cache, and calls of a slow backend */
{
	return unit() < 0.7 ? 80 + 10 * unit() : 400000 + 50000 * normal();
}

static double fast(void)                     /* each µs has its bucket there */
{
	return 1 + 126 * unit();
}

static int by_size(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return (a > b) - (a < b);
}

/* Percentiles of 60 packed histograms added up, as those of an hour are, beside those of the values themselves. */
static void distributions(void **state UNUSED)
{
	static const struct {
		const char *label;
		double (*draw)(void);
	} rows[] = { { "constant", constant }, { "uniform", uniform }, { "exponential", exponential }, { "log-normal", lognormal },
		     { "Pareto", pareto }, { "two humps", two_humps }, { "fast", fast } };
	static const double quantiles_of[] = { 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1 };
	enum { PARTS = 60, EACH = 500 };
	static uint64_t values[PARTS * EACH];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(8 << 20);
		struct latency sum = { 0 };

		for (size_t p = 0; p < PARTS; p++) {
			struct latency part = { 0 };

			for (size_t k = 0; k < EACH; k++) {
				double v = rows[i].draw();

				values[p * EACH + k] = v < 1 ? 1 : v > 4e9 ? 4000000000u : (uint64_t)v;
				assert_true(latency_add(&part, a, values[p * EACH + k]));
			}
			assert_true(latency_unpack(&sum, a, latency_pack(&part, a)));
		}
		qsort(values, ARRAY_LEN(values), sizeof(values[0]), by_size);
		for (size_t k = 0; k < ARRAY_LEN(quantiles_of); k++) {
			size_t rank = (size_t)ceil(quantiles_of[k] * (double)ARRAY_LEN(values));
			double want = (double)values[rank ? rank - 1 : 0], got = (double)latency_quantile(&sum, quantiles_of[k]);

			CHECK(rows[i].label, fabs(got - want) < want / 100);
		}
		CHECK_INT(rows[i].label, sum.n, ARRAY_LEN(values));
		arena_free(a);
	}
	check_done();
}

/* Packed histograms added up without unpacking are the same bytes as added up and packed. */
static void added_packed(void **state UNUSED)
{
	static const char *const damaged[] = { "\xC0\x0D\x01", "\xFF\xFF\xFF\xFF\xFF\x01\x01", "\x05" };
	struct arena *a = arena_new(1 << 24);

	for (int round = 0; round < 400; round++) {
		struct latency mine = { 0 }, theirs = { 0 }, sum = { 0 };
		struct str packed, want;

		arena_reset(a);
		for (int i = 0, n = rand() % (round + 1); i < n; i++)
			assert_true(latency_add_many(&mine, a, (uint64_t)exp(normal() * 2 + 8), 1 + (uint32_t)rand() % 300));
		for (int i = 0, n = rand() % (round + 1); i < n; i++)
			assert_true(latency_add_many(&theirs, a, (uint64_t)exp(normal() * 2 + 8), round % 7 ? 1 : UINT32_MAX));
		packed = latency_pack(&theirs, a);
		assert_true(latency_unpack(&sum, a, packed) && latency_merge(&sum, a, &mine));
		want = latency_pack(&sum, a);
		CHECK_STR("added", latency_pack_added(&mine, packed, a), want);
	}
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		struct latency one = { 0 };

		assert_true(latency_add(&one, a, 5));
		CHECK("damaged", !latency_pack_added(&one, str_of(damaged[i]), a).p);
	}
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(error_bound), cmocka_unit_test(quantiles), cmocka_unit_test(distributions),
					     cmocka_unit_test(added_packed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
