/* The foundation: text, arena, buffer, clock, map. */
#include "tests/unit/check.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/map.h"

#include <limits.h>
#include <stdlib.h>

static void numbers(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str in;
		int64_t min, max;
		bool ok;
		int64_t want;
	} rows[] = {
		{ "nothing", STR_INIT(""), 0, 9, false, 0 },
		{ "zero", STR_INIT("0"), 0, 9, true, 0 },
		{ "at the maximum", STR_INIT("9"), 0, 9, true, 9 },
		{ "above the maximum", STR_INIT("10"), 0, 9, false, 0 },
		{ "largest", STR_INIT("9223372036854775807"), INT64_MIN, INT64_MAX, true, INT64_MAX },
		{ "one more", STR_INIT("9223372036854775808"), INT64_MIN, INT64_MAX, false, 0 },
		{ "smallest", STR_INIT("-9223372036854775808"), INT64_MIN, INT64_MAX, true, INT64_MIN },
		{ "one less", STR_INIT("-9223372036854775809"), INT64_MIN, INT64_MAX, false, 0 },
		{ "plus sign", STR_INIT("+1"), 0, 9, false, 0 },
		{ "blank", STR_INIT(" 1"), 0, 9, false, 0 },
		{ "minus alone", STR_INIT("-"), -9, 9, false, 0 },
		{ "letters behind", STR_INIT("1x"), 0, 9, false, 0 },
		{ "past 64 bits", STR_INIT("99999999999999999999999"), 0, INT64_MAX, false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t got = 0;

		CHECK_INT(rows[i].label, str_to_i64(rows[i].in, rows[i].min, rows[i].max, &got), rows[i].ok);
		CHECK_INT(rows[i].label, got, rows[i].want);
	}
	check_done();
}

static void splitting(void **state UNUSED)
{
	struct str rest = STR("a,,b"), part;

	assert_true(str_split(&rest, ',', &part));
	CHECK_STR("first", part, STR("a"));
	assert_true(str_split(&rest, ',', &part));
	CHECK_STR("empty", part, STR(""));
	assert_true(str_split(&rest, ',', &part));
	CHECK_STR("last", part, STR("b"));
	assert_false(str_split(&rest, ',', &part));
	rest = STR("");
	assert_true(str_split(&rest, ',', &part));
	assert_false(str_split(&rest, ',', &part));
	check_done();
}

static void utf8(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str in;
		unsigned want;
	} rows[] = {
		{ "ASCII", STR_INIT("a"), 1 },
		{ "two bytes", STR_INIT("\xC3\xA9"), 2 },
		{ "overlong slash", STR_INIT("\xC0\xAF"), 0 },
		{ "overlong three", STR_INIT("\xE0\x80\xAF"), 0 },
		{ "surrogate", STR_INIT("\xED\xA0\x80"), 0 },
		{ "highest", STR_INIT("\xF4\x8F\xBF\xBF"), 4 },
		{ "beyond", STR_INIT("\xF4\x90\x80\x80"), 0 },
		{ "cut short", STR_INIT("\xE2\x82"), 0 },
		{ "lone continuation", STR_INIT("\x80"), 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_INT(rows[i].label, utf8_decode(rows[i].in, NULL), rows[i].want);
	check_done();
}

static void note(void *arg)
{
	++*(int *)arg;
}

static void arena(void **state UNUSED)
{
	struct arena *a = arena_new(100000);
	int calls = 0;

	assert_non_null(a);
	assert_true(arena_defer(a, note, &calls));
	for (int i = 0; i < 100; i++)
		assert_non_null(arena_alloc(a, 10, 10));
	assert_null(arena_alloc(a, 1, 100000));             /* past the cap */
	assert_null(arena_alloc(a, SIZE_MAX / 2, 4));       /* overflow */
	CHECK_STR("printf", arena_printf(a, "%d-%s", 7, "x"), STR("7-x"));
	arena_reset(a);
	CHECK_INT("deferred calls run on reset", calls, 1);
	CHECK_INT("empty after reset", arena_used(a), 0);
	assert_non_null(arena_alloc(a, 1, 99999));
	arena_free(a);
	check_done();
}

static void numbers_as_text(void **state UNUSED)
{
	uint64_t edge = 1;

	for (int i = 0; i < 20; i++, edge *= 10) {           /* each number of digits: the least, the largest, one within */
		const uint64_t all[] = { edge - 1, edge, edge + 1, edge * 7 / 3, UINT64_MAX / edge };

		for (size_t k = 0; k < ARRAY_LEN(all); k++) {
			char text[24], want[24];
			struct str got = { text, (size_t)(str_put_u64(text, all[k]) - text) };

			snprintf(want, sizeof(want), "%llu", (unsigned long long)all[k]);
			CHECK_STR("in decimal", got, str_of(want));
		}
	}
	check_done();
}

static void names_without_case(void **state UNUSED)
{
	CHECK("nothing is nothing", str_eq_ci(STR(""), STR_NULL));
	CHECK("one letter", str_eq_ci(STR("a"), STR("A")) && !str_eq_ci(STR("a"), STR("b")));
	CHECK("no letters are not told apart by that bit", !str_eq_ci(STR("["), STR("{")) && !str_eq_ci(STR("@"), STR("`")));
	CHECK("any length", str_eq_ci(STR("Content-Length-Of-It"), STR("content-LENGTH-of-it")));
	CHECK("the last letter counts", !str_eq_ci(STR("Content-Length-Of-It"), STR("Content-Length-Of-Is")));
	CHECK("the length too", !str_eq_ci(STR("Content-Length"), STR("Content-Length-Of-It")));
	check_done();
}

static void buffer(void **state UNUSED)
{
	struct buf b;

	buf_init(&b, 10);
	buf_cstr(&b, "12345");
	buf_u64(&b, 678);
	CHECK_STR("joined", buf_view(&b), STR("12345678"));
	buf_cstr(&b, "90x");
	assert_false(buf_ok(&b));
	CHECK_STR("kept on failure", buf_view(&b), STR("12345678"));
	buf_cstr(&b, "9");
	assert_false(buf_ok(&b));
	buf_release(&b);
	buf_init(&b, 1000);
	buf_json(&b, STR("a\"\\\n\x01\xFFz\xC3\xA9"));
	CHECK_STR("JSON", buf_view(&b), STR("\"a\\\"\\\\\\n\\u0001\xEF\xBF\xBDz\xC3\xA9\""));
	buf_release(&b);
	check_done();
}

static void dates(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str in;
		bool ok;
		int64_t us;
	} rows[] = {
		{ "epoch", STR_INIT("1970-01-01T00:00:00Z"), true, 0 },
		{ "fraction", STR_INIT("1970-01-01T00:00:01.5Z"), true, 1500000 },
		{ "offset", STR_INIT("1970-01-01T01:00:00+01:00"), true, 0 },
		{ "leap day", STR_INIT("2024-02-29T00:00:00Z"), true, 1709164800000000 },
		{ "no leap day", STR_INIT("2023-02-29T00:00:00Z"), false, 0 },
		{ "no zone", STR_INIT("2023-02-28T00:00:00"), false, 0 },
		{ "month 13", STR_INIT("2023-13-01T00:00:00Z"), false, 0 },
		{ "empty", STR_INIT(""), false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t us = 0;

		CHECK_INT(rows[i].label, clock_parse_iso(rows[i].in, &us), rows[i].ok);
		CHECK_INT(rows[i].label, us, rows[i].us);
	}
	char out[CLOCK_ISO_MAX];

	CHECK_STR("printed", str_of(clock_iso(1709164800123456, 3, out)), STR("2024-02-29T00:00:00.123Z"));
	CHECK_STR("before 1970", str_of(clock_iso(-1, 6, out)), STR("1969-12-31T23:59:59.999999Z"));
	check_done();
}

static void table(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	struct map m;
	int values[1000];

	map_init(&m, a, true);
	assert_null(map_get(&m, STR("x")));
	for (int i = 0; i < 1000; i++)
		assert_true(map_put(&m, arena_printf(a, "Key-%d", i), &values[i]));
	for (int i = 0; i < 1000; i++)
		assert_ptr_equal(map_get(&m, arena_printf(a, "kEY-%d", i)), &values[i]);
	assert_null(map_get(&m, STR("key-1000")));
	arena_free(a);
}

/* The same text as the C library's, whichever way it is made. */
static void formats(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	char want[400];
	struct buf b;

	buf_init(&b, sizeof(want));
#define SAME(...) do { \
		snprintf(want, sizeof(want), __VA_ARGS__); \
		CHECK_STR(#__VA_ARGS__, arena_printf(a, __VA_ARGS__), str_of(want)); \
		buf_clear(&b); \
		buf_fmt(&b, __VA_ARGS__); \
		CHECK_STR("in a buffer: " #__VA_ARGS__, buf_view(&b), str_of(want)); \
	} while (0)
	SAME("plain");
	SAME("%s", "");
	SAME("100%%");
	SAME("%.*s|%.*s|", 3, "abcdef", 9, "ab");
	SAME("%d %d %d %d", 0, -1, INT32_MAX, INT32_MIN);
	SAME("%u %u", 0u, UINT32_MAX);
	SAME("%llu %lld %lld %zu", ULLONG_MAX, LLONG_MIN, LLONG_MAX, SIZE_MAX);
	SAME("%u.%02u:%02u", 7u, 3u, 59u);
	SAME("%s=%5d;%x;%-4s|", "width", 42, 255u, "a");
	SAME("%s %ld %c %.1f", "others", -5L, 'x', 2.25);
	SAME("%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
	     14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34);
#undef SAME
	CHECK_STR("no text", arena_printf(a, "[%.*s]", STR_ARG(STR_NULL)), STR("[]"));
	buf_release(&b);
	buf_init(&b, 3);
	buf_fmt(&b, "%s", "1234");
	CHECK("more than its maximum", !buf_ok(&b) && !b.n);
	buf_release(&b);
	arena_free(a);
	check_done();
}

/* Every pair of bytes at every place of texts up to three words long, against the byte-wise comparison. */
static void equal_without_case(void **state UNUSED)
{
	char x[20], y[20];

	for (size_t n = 0; n <= sizeof(x); n++) {
		memset(x, 'q', sizeof(x));
		memset(y, 'Q', sizeof(y));
		assert_true(str_eq_ci((struct str){ x, n }, (struct str){ y, n }));
		for (size_t at = 0; at < n; at += n - 1 ? n - 1 : 1)
			for (int c = 0; c < 256; c++)
				for (int d = 0; d < 256; d++) {
					x[at] = (char)c;
					y[at] = (char)d;
					assert_int_equal(str_eq_ci((struct str){ x, n }, (struct str){ y, n }),
							 ascii_lower(x[at]) == ascii_lower(y[at]));
					x[at] = y[at] = 'q';
				}
	}
	assert_false(str_eq_ci(STR("abc"), STR("abcd")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers), cmocka_unit_test(splitting), cmocka_unit_test(utf8), cmocka_unit_test(arena),
		cmocka_unit_test(numbers_as_text), cmocka_unit_test(names_without_case), cmocka_unit_test(buffer),  cmocka_unit_test(dates),     cmocka_unit_test(table),
		cmocka_unit_test(formats),  cmocka_unit_test(equal_without_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
