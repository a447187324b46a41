/* .NET strings in UTF-8: lengths, units, slices and joins in UTF-16 units, with and without remembered places. */
#include "tests/unit/check.h"

#include "policy/expr/text.h"

#define PAIR "\xF0\x9F\x98\x80"              /* U+1F600, D83D DE00 */
#define HIGH "\xED\xA0\xBD"                  /* D83D alone */
#define LOW "\xED\xB8\x80"                   /* DE00 alone */

static struct text *make(struct arena *a, const char *s)
{
	return text_new(a, str_of(s), false);
}

static void units(void **state UNUSED)
{
	static const struct {
		const char *label, *text;
		int64_t length;
		uint16_t second;
	} rows[] = {
		{ "empty", "", 0, 0 },
		{ "ASCII", "abc", 3, 'b' },
		{ "two bytes", "a\xC3\xA9", 2, 0xE9 },
		{ "three bytes", "a\xE2\x82\xAC", 2, 0x20AC },
		{ "a pair", PAIR, 2, 0xDE00 },
		{ "half a pair", "a" HIGH, 2, 0xD83D },
		{ "a byte that starts nothing", "a\xFFz", 3, 0xFFFD },
		{ "cut short", "a\xE2", 2, 0xFFFD },
	};
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text *t = make(a, rows[i].text);

		CHECK_INT(rows[i].label, text_length(t), rows[i].length);
		if (rows[i].length > 1)
			CHECK_INT(rows[i].label, text_unit(t, 1), rows[i].second);
		CHECK_INT(rows[i].label, text_offset(t, rows[i].length), t->n);
		CHECK_INT(rows[i].label, text_index(t, t->n), rows[i].length);
	}
	arena_free(a);
	check_done();
}

static void slices(void **state UNUSED)
{
	static const struct {
		const char *label, *text;
		int64_t from, count;
		const char *want;
	} rows[] = {
		{ "nothing", "abc", 1, 0, "" },
		{ "ASCII", "abc", 1, 1, "b" },
		{ "behind two bytes", "\xC3\xA9" "bc", 1, 2, "bc" },
		{ "a whole pair", "a" PAIR "b", 1, 2, PAIR },
		{ "first half", PAIR, 0, 1, HIGH },
		{ "second half", PAIR "x", 1, 2, LOW "x" },
		{ "to the end", "a" PAIR, 0, 3, "a" PAIR },
	};
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct text *t = text_slice(a, make(a, rows[i].text), rows[i].from, rows[i].count);

		CHECK_STR(rows[i].label, text_str(t), str_of(rows[i].want));
		CHECK_INT(rows[i].label, t->ascii, str_is_ascii(text_str(t)));
	}
	CHECK_STR("halves join", text_str(text_concat(a, make(a, "x" HIGH), make(a, LOW "y"))), STR("x" PAIR "y"));
	CHECK_STR("strangers do not", text_str(text_concat(a, make(a, LOW), make(a, HIGH))), STR(LOW HIGH));
	CHECK_STR("halves leave as U+FFFD", text_clean(a, STR("a" HIGH "b")), STR("a\xEF\xBF\xBD" "b"));
	CHECK_STR("so do wrong bytes", text_clean(a, STR("a\xFF")), STR("a\xEF\xBF\xBD"));
	arena_free(a);
	check_done();
}

static void order(void **state UNUSED)
{
	static const struct {
		const char *label, *l, *r;
		int want;
	} rows[] = {
		{ "same", "a\xC3\xA9", "a\xC3\xA9", 0 },
		{ "shorter first", "a", "ab", -1 },
		{ "by unit", "\xC3\xA9", "z", 1 },
		{ "a pair before U+E000", PAIR, "\xEE\x80\x80", -1 },
		{ "a pair behind U+D7FF", PAIR, "\xED\x9F\xBF", 1 },
	};
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int got = text_compare_ordinal(make(a, rows[i].l), make(a, rows[i].r));

		CHECK_INT(rows[i].label, got < 0 ? -1 : got > 0, rows[i].want);
	}
	arena_free(a);
	check_done();
}

/* Remembered places give the same answers as walking. */
static void remembered(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	char *long_text = arena_alloc_text(a, 4000);
	static const char *const pieces[] = { "a", "\xC3\xA9", "\xE2\x82\xAC", PAIR };
	size_t n = 0;
	struct text t;

	for (size_t i = 0; n < 3900; i = i * 7 + 3) {
		const char *piece = pieces[(i >> 3) % 4];

		memcpy(long_text + n, piece, strlen(piece));
		n += strlen(piece);
	}
	t = (struct text){ n, false, long_text };
	for (int64_t i = 0, length = text_length(&t); i <= length; i++) {
		size_t at = text_offset(&t, i);
		uint16_t unit = text_unit(&t, i);

		text_remember(true);
		CHECK_INT("length", text_length(&t), length);
		CHECK_INT("offset", text_offset(&t, i), at);
		CHECK_INT("unit", text_unit(&t, i), unit);
		text_remember(false);
	}
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units), cmocka_unit_test(slices), cmocka_unit_test(order), cmocka_unit_test(remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
