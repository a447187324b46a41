/* Regular expressions: .NET's syntax on PCRE2, replacing, splitting, limits. */
#include "tests/unit/policy/net/evaluate.h"

static void matching(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "Regex.IsMatch(\"abc\", \"^a.c$\")", "True" },
		{ "Regex.IsMatch(\"ABC\", \"b\", RegexOptions.IgnoreCase)", "True" },
		{ "Regex.IsMatch(\"a\\nb\", \"a.b\") + \",\" + Regex.IsMatch(\"a\\nb\", \"a.b\", RegexOptions.Singleline)", "False,True" },
		{ "Regex.IsMatch(\"a\\nb\", \"^b$\", RegexOptions.Multiline)", "True" },
		{ "Regex.IsMatch(\"a\\rb\", \"a.b\")", "True" },
		{ "Regex.IsMatch(\"abc\\n\", \"c$\")", "True" },
		{ "Regex.IsMatch(\"ab\", \"a b\", RegexOptions.IgnorePatternWhitespace)", "True" },
		{ "Regex.IsMatch(\"x\", \"x\", RegexOptions.None, TimeSpan.FromSeconds(1))", "True" },
		{ "Regex.Match(\"a1b22\", \"\\\\d+\").Value + Regex.Match(\"a1b22\", \"\\\\d+\").NextMatch().Index", "13" },
		{ "Regex.Match(\"abc\", \"x\").Success + \",\" + Regex.Match(\"abc\", \"x\").Value + \",\" + Regex.Match(\"abc\", \"x\").Groups[1].Success",
		  "False,,False" },
		{ "Regex.Match(\"john@x.org\", @\"(?<user>\\w+)@(?<host>[\\w.]+)\").Groups[\"host\"]", "x.org" },
		{ "Regex.Match(\"ab\", \"(?<n>a)(b)\").Groups[1].Value + Regex.Match(\"ab\", \"(?<n>a)(b)\").Groups[2].Value", "ba" },
		{ "Regex.Match(\"abb\", @\"(?<n>a)(b)\\1\").Success", "True" },
		{ "Regex.Match(\"aba\", @\"(?<n>a)(b)\\k<n>\").Success", "True" },
		{ "Regex.Match(\"ab\", \"(a)|(b)\").Groups.Count", "3" },
		{ "Regex.Matches(\"a1b2\", @\"[a-z]\\d\").Count", "2" },
		{ "string.Join(\",\", Regex.Matches(\"a1b2\", @\"\\d\").Cast<Match>().Select(m => m.Value))", "1,2" },
		{ "@{ var s = \"\"; foreach (Match m in Regex.Matches(\"a1b2\", @\"\\d\")) { s += m.Index; } return s; }", "13" },
		{ "Regex.Matches(\"aaa\", \"x*\").Count", "4" },
		{ "Regex.Match(\"\xF0\x9F\x98\x80z\", \"z\").Index", "2" },
		{ "Regex.IsMatch(\"\xC3\xA9\", @\"^\\w$\") + \",\" + Regex.IsMatch(\"\xC3\x89\", \"\xC3\xA9\", RegexOptions.IgnoreCase)", "True,True" },
		{ "Regex.IsMatch(\"\xC3\xA9\", @\"\\u00e9\") + \",\" + Regex.IsMatch(\"\xF0\x9F\x98\x80\", @\"\\uD83D\\uDE00\")", "True,True" },
		{ "Regex.Replace(\"aeibcd\", \"[a-z-[aeiou]]\", \"_\")", "aei___" },
		{ "Regex.Replace(\"aeibcd\", \"[a-f-[b-d]]+\", \"_\")", "_ibcd" },
		{ "Regex.IsMatch(\"\xCE\xB1\", @\"\\p{IsGreek}\") + \",\" + Regex.IsMatch(\"a\", @\"\\P{IsGreek}\")", "True,True" },
		{ "Regex.IsMatch(\"[\", \"[[]\") + \",\" + Regex.IsMatch(\"a\", \"[[:alpha:]]\")", "True,False" },
		{ "Regex.IsMatch(\"ab\", \"(?(a)ab|c)\")", "True" },
		{ "Regex.IsMatch(\"ab\", \"(a)?(?(1)b|c)\")", "True" },
		{ "new Regex(\"(a)(?<x>b)\").GetGroupNames().Length + new Regex(\"a+\").ToString()", "3a+" },
		{ "new Regex(\"a\").IsMatch(\"bca\", 2)", "True" },
		{ "new Regex(\"(a)(b)\", RegexOptions.ExplicitCapture).Match(\"ab\").Groups.Count", "1" },
	};

	CHECK_ROWS(rows);
}

static void replacing(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "Regex.Replace(\"abc\", \"(a)(b)\", \"$2$1\")", "bac" },
		{ "Regex.Replace(\"abc\", \"(?<x>b)\", \"[${x}]\")", "a[b]c" },
		{ "Regex.Replace(\"abc\", \"b\", \"$$\")", "a$c" },
		{ "Regex.Replace(\"abc\", \"b\", \"<$&>\")", "a<b>c" },
		{ "Regex.Replace(\"abc\", \"b\", \"[$`|$'|$_]\")", "a[a|c|abc]c" },
		{ "Regex.Replace(\"abc\", \"(a)|(b)\", \"$+.\")", ".b.c" },
		{ "Regex.Replace(\"abc\", \"b\", \"$1${nope}$\")", "a$1${nope}$c" },
		{ "Regex.Replace(\"a1\", \"(a)\", \"$10\")", "$101" },
		{ "Regex.Replace(\"a1b2\", @\"\\d\", m => (int.Parse(m.Value) * 2).ToString())", "a2b4" },
		{ "new Regex(\"a\").Replace(\"aaa\", \"b\", 2)", "bba" },
		{ "Regex.Replace(\"abc\", \"x*\", \"-\")", "-a-b-c-" },
		{ "Regex.Replace(\"abc\", \"z\", \"-\")", "abc" },
		{ "Regex.Match(\"ab\", \"(a)(b)\").Result(\"$2-$1\")", "b-a" },
		{ "string.Join(\"|\", Regex.Split(\"a, b,c\", @\",\\s*\"))", "a|b|c" },
		{ "string.Join(\"|\", Regex.Split(\"a1b2c\", @\"(\\d)\"))", "a|1|b|2|c" },
		{ "string.Join(\"|\", new Regex(\"-\").Split(\"a-b-c\", 2))", "a|b-c" },
		{ "string.Join(\"|\", Regex.Split(\"abc\", \"\"))", "|a|b|c|" },
		{ "Regex.Escape(\"a.b*c[d] e\")", "a\\.b\\*c\\[d]\\ e" },
		{ "Regex.Unescape(@\"a\\.b\\n\\x41\\u00e9\")", "a.b\nA\xC3\xA9" },
	};

	CHECK_ROWS(rows);
}

static void refused(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "Regex.IsMatch(\"a\", \"(\")", "! parsing \"(\" - Not enough )'s." },
		{ "Regex.IsMatch(\"a\", \")\")", "! parsing \")\" - Too many )'s." },
		{ "Regex.IsMatch(\"a\", \"[a\")", "! parsing \"[a\" - Unterminated [] set." },
		{ "Regex.IsMatch(\"a\", \"[z-a]\")", "! parsing \"[z-a]\" - [x-y] range in reverse order." },
		{ "Regex.IsMatch(\"a\", \"*a\")", "! parsing \"*a\" - Quantifier {x,y} following nothing." },
		{ "Regex.IsMatch(\"a\", @\"\\h\")", "! parsing \"\\h\" - Unrecognized escape sequence \\h." },
		{ "Regex.IsMatch(\"a\", @\"a\\\")", "! parsing \"a\\\" - Illegal \\ at end of pattern." },
		{ "Regex.IsMatch(\"a\", \"(?<a-b>x)\" + context.Api?.Id)", "! parsing \"(?<a-b>x)\" - Balancing groups are not supported." },
		{ "Regex.IsMatch(\"a\", \"(*UTF)a\")", "! parsing \"(*UTF)a\" - Quantifier {x,y} following nothing." },
		{ "Regex.IsMatch(\"a\", \"(?R)\")", "! parsing \"(?R)\" - Unrecognized grouping construct." },
		{ "Regex.IsMatch(\"a\", \"(?<=a+)b\" + context.Api?.Id)", "! parsing \"(?<=a+)b\" - A look-behind without a bound is not supported." },
		{ "Regex.IsMatch(\"a\", @\"\\2\")", "! parsing \"\\2\" - Reference to undefined group number 2." },
		{ "Regex.IsMatch(\"a\", @\"\\p{Foo}\")", "! parsing \"\\p{Foo}\" - Unknown property 'Foo'." },
		{ "Regex.IsMatch(\"a\", \"(?=a)\" + context.Api?.Id, RegexOptions.RightToLeft)",
		  "! parsing \"(?=a)\" - Looking ahead or behind is not supported together with RegexOptions.RightToLeft." },
		{ "Regex.IsMatch(\"a\", \"(a\", RegexOptions.RightToLeft)", "! parsing \"(a\" - Not enough )'s." },
		{ "Regex.IsMatch(\"a\", \"a)\", RegexOptions.RightToLeft)", "! parsing \"a)\" - Too many )'s." },
		{ "Regex.IsMatch(\"a\", \"[a\", RegexOptions.RightToLeft)", "! parsing \"[a\" - Unterminated [] set." },
		{ "Regex.IsMatch(\"a\", \"*a\", RegexOptions.RightToLeft)", "! parsing \"*a\" - Quantifier {x,y} following nothing." },
		{ "Regex.IsMatch(null, \"a\")", "! Value cannot be null. (Parameter 'input')" },
		{ "Regex.IsMatch(\"a\", null)", "! Value cannot be null. (Parameter 'pattern')" },
	};

	CHECK_ROWS(rows);
}

#define RTL(call) "Regex." call ", RegexOptions.RightToLeft)"
#define RTL_OF(call, more) "Regex." call ", RegexOptions.RightToLeft | RegexOptions." more ")"

/* From the end of the text to its beginning: each match ends where the last began, and so do the elements of a pattern. */
static void right_to_left(void **state UNUSED)
{
	static const struct row rows[] = {
		{ RTL("Match(\"builder rob rabble\", @\"\\bb\\w+\\s\"") ".Value", "builder " },         /* the example of .NET's page */
		{ RTL("Match(\"abcabc\", \"abc\"") ".Index", "3" },
		{ RTL("Match(\"aaa\", \"a+?\"") ".Index", "2" },
		{ RTL("Match(\"1234\", @\"(\\d+)(\\d+)\"") ".Groups[1].Value + \",\" + " RTL("Match(\"1234\", @\"(\\d+)(\\d+)\"") ".Groups[2].Value",
		  "1,234" },
		{ RTL("Match(\"x=1;y=22\", @\"(?<k>\\w)=(\\d+)\"") ".Result(\"${k}:$1:$2\")", "y:22:y" },
		{ RTL("Match(\"ab\", \"(a|b)+\"") ".Groups[1].Value", "a" },
		{ RTL("IsMatch(\"aab\", @\"\\1(\\w)\"") " + \",\" + " RTL("IsMatch(\"aab\", @\"(\\w)\\1\""), "True,False" },
		{ "string.Join(\",\", " RTL("Matches(\"a1b2\", @\"\\d\"") ".Cast<Match>().Select(m => m.Index))", "3,1" },
		{ RTL("Match(\"a1b2\", @\"\\d\"") ".NextMatch().Value", "1" },
		{ RTL("Matches(\"aaa\", \"x*\"") ".Count", "4" },
		{ RTL("Match(\"ab\\n\", \"b$\"") ".Index + \",\" + " RTL("IsMatch(\"ab\\n\", @\"b\\z\"") " + \",\" + " RTL("IsMatch(\"ab\\n\", @\"^ab\\Z\""),
		  "1,False,True" },
		{ "string.Join(\",\", " RTL_OF("Matches(\"a\\nb\\n\", \"^\"", "Multiline") ".Cast<Match>().Select(m => m.Index))", "4,2,0" },
		{ "string.Join(\",\", " RTL_OF("Matches(\"a\\nb\\n\", \"$\"", "Multiline") ".Cast<Match>().Select(m => m.Index))", "4,3,1" },
		{ "Regex.Matches(\"a\\nb\\n\", \"^\", RegexOptions.Multiline).Count", "3" },
		{ RTL_OF("Match(\"AbC\", \"[a-c-[b]] b # the middle\\nc\"", "IgnoreCase | RegexOptions.IgnorePatternWhitespace") ".Value", "AbC" },
		{ RTL("Match(\"a[]b\", @\"[]a]\\[?\"") ".Index", "2" },
		{ RTL_OF("Match(\"ab\", \"(a)(?<n>b)\"", "ExplicitCapture") ".Groups.Count", "2" },
		{ RTL("Match(\"\xC3\xA9\xF0\x9F\x98\x80z\", \"\xC3\xA9.\"") ".Length", "3" },
		{ "new Regex(\"a\", RegexOptions.RightToLeft).Match(\"aXaXa\", 3).Index", "2" },
		{ "new Regex(\"a\", RegexOptions.RightToLeft).Replace(\"aaa\", \"b\", 2)", "abb" },
		{ RTL("Replace(\"a1b2\", @\"\\d\", m => m.Index.ToString()"), "a1b3" },
		{ RTL("Replace(\"abc\", \"x*\", \"-\""), "-a-b-c-" },
		{ RTL("Replace(\"abc\", \"abc\", \"\""), "" },
		{ "string.Join(\"|\", " RTL("Split(\"a1b2c\", @\"\\d\"") ")", "a|b|c" },
		{ "string.Join(\"|\", " RTL("Split(\"a1b2c\", @\"(\\d)\"") ")", "a|1|b|2|c" },
		{ "string.Join(\"|\", new Regex(@\"\\d\", RegexOptions.RightToLeft).Split(\"a1b2c\", 2))", "a1b|c" },
		{ "new Regex(\"a\", RegexOptions.RightToLeft | RegexOptions.ECMAScript)",
		  "! Specified argument was out of the range of valid values. (Parameter 'options')" },
	};

	CHECK_ROWS(rows);
}

/* What backtracks for ever ends soon, in the exception that .NET throws. */
static void backtracking(void **state UNUSED)
{
	static const char *const rows[] = {
		"Regex.IsMatch(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\", \"^(a+)+$\")",
		"Regex.IsMatch(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\", \"^(a|a)*$\")",
		"Regex.IsMatch(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\", \"^(a|aa)+$\")",
		"Regex.IsMatch(new string('x', 20000), \"(.*)(.*)(.*)(.*)y\")",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(256 << 20);
		struct str got = evaluate(a, rows[i]);

		CHECK(rows[i], str_starts(got, STR("! The RegEx engine has timed out")) || str_eq(got, STR("False")));
		arena_free(a);
	}
	check_done();
}

/* More patterns than the cache holds; and compiling has its price. */
static void many_patterns(void **state UNUSED)
{
	for (int round = 0; round < 10; round++) {
		struct arena *a = arena_new(256 << 20);

		CHECK_STR("300 patterns",
			  evaluate(a, arena_printf(a, "@{ var n = 0; for (int i = %d; i < %d; i++) { if (Regex.IsMatch(\"a\" + i, "
						      "\"^a\" + i + \"$\")) { n++; } } return n; }", round * 300, round * 300 + 300).p),
			  STR("300"));
		arena_free(a);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matching), cmocka_unit_test(replacing), cmocka_unit_test(refused), cmocka_unit_test(right_to_left), cmocka_unit_test(backtracking),
		cmocka_unit_test(many_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
