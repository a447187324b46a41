/* Where an expression ends: brackets in strings, characters, comments and holes do not count. */
#include "tests/unit/check.h"

#include "policy/expr/expr.h"

static void ends(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str in;
		size_t want;
	} rows[] = {
		{ "empty", STR_INIT(""), 0 },
		{ "only @", STR_INIT("@"), 0 },
		{ "not an expression", STR_INIT("x@(1)"), 0 },
		{ "shortest", STR_INIT("@()"), 3 },
		{ "text behind", STR_INIT("@(1) b)"), 4 },
		{ "nested", STR_INIT("@((1)+(2))x"), 10 },
		{ "statements", STR_INIT("@{ return \"}\"; }"), 16 },
		{ "bracket in a string", STR_INIT("@(\")\")"), 6 },
		{ "escaped quote", STR_INIT("@(\"\\\")\")"), 8 },
		{ "verbatim string", STR_INIT("@(@\"\\\")"), 7 },
		{ "doubled quote in verbatim", STR_INIT("@(@\"a\"\")\")"), 10 },
		{ "character", STR_INIT("@(')')"), 6 },
		{ "quote as character", STR_INIT("@('\"')"), 6 },
		{ "escaped apostrophe", STR_INIT("@('\\'')"), 7 },
		{ "line comment", STR_INIT("@{ // }\n}"), 9 },
		{ "line comment to the end", STR_INIT("@{ // }"), 0 },
		{ "block comment", STR_INIT("@( /* ) */ )"), 12 },
		{ "block comment not closed", STR_INIT("@( /* ) "), 0 },
		{ "interpolated", STR_INIT("@($\"){(1)}\")"), 12 },
		{ "string in a hole", STR_INIT("@($\"{f(\")\")}\")"), 14 },
		{ "verbatim interpolated", STR_INIT("@($@\"{a}\"\")\")"), 13 },
		{ "doubled brace", STR_INIT("@($\"{{)\")"), 9 },
		{ "string not closed", STR_INIT("@(\")"), 0 },
		{ "not closed", STR_INIT("@((1)"), 0 },
		{ "null-conditional index", STR_INIT("@(a?[0])"), 8 },
		{ "unknown character is left to the compiler", STR_INIT("@(a # b)"), 8 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *what = NULL;

		CHECK_INT(rows[i].label, expr_scan(rows[i].in, &what), rows[i].want);
		CHECK_INT(rows[i].label, what == NULL, rows[i].want != 0);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(ends) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
