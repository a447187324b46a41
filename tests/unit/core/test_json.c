/* JSON helpers: reading with places, shortest numbers, pointers. */
#include "tests/unit/check.h"

#include "core/json.h"

#include <float.h>

static void reading(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str text;
		struct jsn_limits limits;
		enum gh_code want;
		unsigned line, column;
		const char *written;
	} rows[] = {
		{ "object", STR_INIT("{\"a\":1}"), { 0 }, GH_OK, 0, 0, "{\"a\":1}" },
		{ "nothing", STR_INIT(""), { 0 }, GH_E_SYNTAX, 1, 1, NULL },
		{ "a lone number is refused", STR_INIT("1"), { 0 }, GH_E_SYNTAX, 1, 1, NULL },
		{ "a lone number when asked for", STR_INIT("1"), { .flags = JSN_ANY }, GH_OK, 0, 0, "1" },
		{ "the place of an error", STR_INIT("{\n  \"a\" 1}"), { 0 }, GH_E_SYNTAX, 2, 7, NULL },
		{ "text behind the end", STR_INIT("{} x"), { 0 }, GH_E_SYNTAX, 1, 4, NULL },
		{ "the last duplicate wins", STR_INIT("{\"a\":1,\"a\":2}"), { 0 }, GH_OK, 0, 0, "{\"a\":2}" },
		{ "duplicates refused", STR_INIT("{\"a\":1,\"a\":2}"), { .flags = JSN_UNIQUE_KEYS }, GH_E_SYNTAX, 1, 10, NULL },
		{ "depth at the limit", STR_INIT("[[[]]]"), { .max_depth = 3 }, GH_OK, 0, 0, "[[[]]]" },
		{ "depth past the limit", STR_INIT("[[\n[[]]]]"), { .max_depth = 3 }, GH_E_LIMIT, 2, 2, NULL },
		{ "brackets in a text do not count", STR_INIT("[\"[[[\\\"[[[\"]"), { .max_depth = 1 }, GH_OK, 0, 0,
		  "[\"[[[\\\"[[[\"]" },
		{ "size at the limit", STR_INIT("[1,2]"), { .max_bytes = 5 }, GH_OK, 0, 0, "[1,2]" },
		{ "size past the limit", STR_INIT("[1,2]"), { .max_bytes = 4 }, GH_E_LIMIT, 0, 0, NULL },
		{ "largest integer", STR_INIT("[9223372036854775807]"), { 0 }, GH_OK, 0, 0, "[9223372036854775807]" },
		{ "integer past 64 bits", STR_INIT("[9223372036854775808]"), { 0 }, GH_E_SYNTAX, 1, 20, NULL },
		{ "integer past 64 bits as a real", STR_INIT("[18446744073709551615,5,{\"a\":-3}]"),
		  { .flags = JSN_BIG_INTEGERS }, GH_OK, 0, 0, "[1.8446744073709552e+19,5,{\"a\":-3}]" },
		{ "exact integers stay", STR_INIT("[9007199254740993]"), { .flags = JSN_BIG_INTEGERS }, GH_OK, 0, 0,
		  "[9007199254740993]" },
		{ "U+0000 refused", STR_INIT("[\"\\u0000\"]"), { 0 }, GH_E_SYNTAX, 1, 9, NULL },
		{ "U+0000 allowed", STR_INIT("[\"\\u0000\"]"), { .flags = JSN_NUL }, GH_OK, 0, 0, "[\"\\u0000\"]" },
		{ "broken UTF-8", STR_INIT("[\"\xff\"]"), { 0 }, GH_E_SYNTAX, 1, 2, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 20);
		struct text_where at;
		json_t *v;
		gh_rc rc = jsn_parse_in(a, rows[i].text, &rows[i].limits, &v, &at, NULL);

		CHECK_INT(rows[i].label, rc.code, rows[i].want);
		CHECK_INT(rows[i].label, at.line, rows[i].line);
		if (rows[i].column)
			CHECK(rows[i].label, at.column >= 1 && at.column <= rows[i].column + 3);
		if (rows[i].written && !rc.code)
			CHECK_STR(rows[i].label, jsn_text(a, v, 0), str_of(rows[i].written));
		arena_free(a);
	}
	check_done();
}

static void numbers(void **state UNUSED)
{
	static const struct {
		double d;
		const char *want;
	} rows[] = {
		{ 0, "0.0" }, { -0.0, "-0.0" }, { 1, "1.0" }, { 1.1, "1.1" }, { 0.1, "0.1" }, { 1.10, "1.1" }, { 1e20, "1e+20" },
		{ 1.0 / 3, "0.3333333333333333" }, { DBL_MAX, "1.7976931348623157e+308" }, { DBL_MIN, "2.2250738585072014e-308" },
		{ 5e-324, "4.94065645841247e-324" }, { 123456789.125, "123456789.125" }, { 0.30000000000000004, "0.30000000000000004" },
		{ 9007199254740993.0, "9007199254740992.0" },
	};
	char out[JSN_NUMBER_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = jsn_number(rows[i].d, out);

		CHECK_STR(rows[i].want, ((struct str){ out, n }), str_of(rows[i].want));
	}
	check_done();
}

static void writing(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	json_t *v;

	assert_int_equal(jsn_parse_in(a, STR("{\"b\":[1,{}],\"a\":\"\\u00e9\\ud83d\\ude00\\n\"}"), NULL, &v, NULL, NULL).code, GH_OK);
	CHECK_STR("as inserted", jsn_text(a, v, 0), STR("{\"b\":[1,{}],\"a\":\"\xc3\xa9\xf0\x9f\x98\x80\\n\"}"));
	CHECK_STR("sorted", jsn_text(a, v, JSN_SORTED | JSN_ASCII), STR("{\"a\":\"\\u00e9\\ud83d\\ude00\\u000a\",\"b\":[1,{}]}"));
	CHECK_STR("indented", jsn_text(a, v, JSN_INDENT),
		  STR("{\n  \"b\": [\n    1,\n    {}\n  ],\n  \"a\": \"\xc3\xa9\xf0\x9f\x98\x80\\n\"\n}"));
	CHECK_STR("nothing", jsn_text(a, NULL, 0), STR("null"));
	arena_free(a);
	check_done();
}

static void pointers(void **state UNUSED)
{
	/* RFC 6901 section 5 */
	static const struct {
		struct str pointer;
		const char *want;
	} rows[] = {
		{ STR_INIT("/foo/0"), "\"bar\"" }, { STR_INIT("/"), "0" }, { STR_INIT("/a~1b"), "1" }, { STR_INIT("/c%d"), "2" },
		{ STR_INIT("/e^f"), "3" }, { STR_INIT("/i\\j"), "5" }, { STR_INIT("/k\"l"), "6" }, { STR_INIT("/ "), "7" },
		{ STR_INIT("/m~0n"), "8" }, { STR_INIT("/foo/2"), "null" }, { STR_INIT("/foo/00"), "null" },
		{ STR_INIT("/foo/-1"), "null" }, { STR_INIT("foo"), "null" }, { STR_INIT("/a~2b"), "null" },
		{ STR_INIT("/foo/0/x"), "null" }, { STR_INIT("/m~"), "null" },
	};
	struct arena *a = arena_new(1 << 20);
	struct buf b;
	json_t *v;

	assert_int_equal(jsn_parse_in(a, STR("{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"i\\\\j\":5,"
					     "\"k\\\"l\":6,\" \":7,\"m~n\":8}"), NULL, &v, NULL, NULL).code, GH_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_STR(rows[i].pointer.p, jsn_text(a, jsn_pointer(v, rows[i].pointer), 0), str_of(rows[i].want));
	CHECK("whole", jsn_pointer(v, STR("")) == v);
	CHECK_INT("fragment", json_integer_value(jsn_fragment(v, STR("/c%25d"))), 2);
	CHECK("bad escape", jsn_fragment(v, STR("/c%2")) == NULL);
	assert_int_equal(json_object_setn_new(v, "a\0b", 3, json_integer(9)), 0);       /* as a description of an API may have it */
	CHECK_INT("a name with a zero byte", json_integer_value(jsn_pointer(v, STR("/a\0b"))), 9);
	CHECK("not its beginning", jsn_pointer(v, STR("/a")) == NULL);
	CHECK("not another end", jsn_pointer(v, STR("/a\0c")) == NULL);
	buf_init(&b, 100);
	jsn_pointer_add(&b, STR("a/b~c"));
	CHECK_STR("built", buf_view(&b), STR("/a~1b~0c"));
	buf_release(&b);
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading),
		cmocka_unit_test(numbers),
		cmocka_unit_test(writing),
		cmocka_unit_test(pointers),
	};

	return cmocka_run_group_tests_name("core/json", tests, NULL, NULL);
}
