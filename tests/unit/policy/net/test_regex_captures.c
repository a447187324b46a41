/* What .NET's own tests hold of matches and their captures, RightToLeft above all: pattern, options, input, and for each group
 * "(index,length)" of every capture in its order, "-" for a group that took no part or a match that failed. Patterns with what
 * is refused here (looking around from the right, groups with numbers for names) are left out. */
#include "tests/unit/policy/net/evaluate.h"

static const struct {
	const char *pattern, *options, *input, *want;
} rows[] = {
	{ "^(foo)|(bar)$", "RightToLeft", "foobar", "(3,3) - (3,3)" },
	{ "b", "RightToLeft", "babaaa", "(2,1)" },
	{ "bab", "RightToLeft", "babababaa", "(4,3)" },
	{ "abb", "RightToLeft", "abb", "(0,3)" },
	{ "abb{2}", "RightToLeft", "abbb", "(0,4)" },
	{ "abb{1,2}", "RightToLeft", "abbb", "(0,4)" },
	{ "abb{1,2}", "RightToLeft", "abbbbbaaaa", "(0,4)" },
	{ "\\Ab", "RightToLeft", "bab\naaa", "(0,1)" },
	{ "\\Abab$", "RightToLeft", "bab", "(0,3)" },
	{ "b\\Z", "RightToLeft", "bab\naaa", "-" },
	{ "b\\Z", "RightToLeft", "babaaab", "(6,1)" },
	{ "b\\z", "RightToLeft", "babaaa", "-" },
	{ "b\\z", "RightToLeft", "babaaab", "(6,1)" },
	{ "a\\G", "RightToLeft", "babaaa", "(5,1)" },
	{ "\\Abaaa\\G", "RightToLeft", "baaa", "(0,4)" },
	{ "\\bc", "RightToLeft", "aaa c aaa c a", "(10,1)" },
	{ "\\bc", "RightToLeft", "c aaa c", "(6,1)" },
	{ "\\bc", "RightToLeft", "aaa ac", "-" },
	{ "\\bc", "RightToLeft", "aaac aaa", "-" },
	{ "\\bc", "RightToLeft", "aaa ca caaa", "(7,1)" },
	{ "\\Bc", "RightToLeft", "ac aaa ac", "(8,1)" },
	{ "\\Bc", "RightToLeft", "aaa c", "-" },
	{ "\\Bc", "RightToLeft", " acaca ", "(4,1)" },
	{ "b(a?)b", "RightToLeft", "aabababbaaababa", "(11,3) (12,1)" },
	{ "b{4}", "RightToLeft", "abbbbaabbbbaabbb", "(7,4)" },
	{ "b\\1aa(.)", "RightToLeft", "bBaaB", "(0,5) (4,1)" },
	{ "b(.)aa\\1", "RightToLeft", "bBaaB", "-" },
	{ "^(a\\1?){4}$", "RightToLeft", "aaaaaa", "(0,6) (5,1)(3,2)(2,1)(0,2)" },
	{ "^([0-9a-fA-F]+)(?:x([0-9a-fA-F]+)?)(?:x([0-9a-fA-F]+))?", "RightToLeft", "012cxx0190", "(0,10) (0,4) - (6,4)" },
	{ "^(b+?|a){1,2}c", "RightToLeft", "bbbac", "(0,5) (3,1)(0,3)" },
	{ "\\((\\w\\. \\w+)\\)", "RightToLeft", "cd. (A. Tw)", "(4,7) (5,5)" },
	{ "((?:aaaa|bbbb)cccc)?", "RightToLeft", "bbbbcccc", "(0,8) (0,8)" },
	{ "ab*bc", "RightToLeft", "abbbbc", "(0,6)" },
	{ ".{1}", "RightToLeft", "abbbbc", "(5,1)" },
	{ ".{3,4}", "RightToLeft", "abbbbc", "(2,4)" },
	{ "ab{3,4}bc", "RightToLeft", "abbbbc", "(0,6)" },
	{ "ab{4,5}bc", "RightToLeft", "abbbbc", "-" },
	{ "ab?bc", "RightToLeft", "abbbbc", "-" },
	{ "^abc$", "RightToLeft", "abcc", "-" },
	{ "^abc", "RightToLeft", "abcc", "(0,3)" },
	{ "abc$", "RightToLeft", "aabc", "(1,3)" },
	{ "^", "RightToLeft", "abc", "(0,0)" },
	{ "$", "RightToLeft", "abc", "(3,0)" },
	{ "a.*c", "RightToLeft", "axyzc", "(0,5)" },
	{ "a[b-d]", "RightToLeft", "aac", "(1,2)" },
	{ "\\By\\B", "RightToLeft", "xyz", "(1,1)" },
	{ "ab|cd", "RightToLeft", "abcd", "(2,2)" },
	{ "ab|cd", "RightToLeft", "abc", "(0,2)" },
	{ "()ef", "RightToLeft", "def", "(1,2) (1,0)" },
	{ "$b", "RightToLeft", "b", "-" },
	{ "((a))", "RightToLeft", "abc", "(0,1) (0,1) (0,1)" },
	{ "(a)b(c)", "RightToLeft", "abc", "(0,3) (0,1) (2,1)" },
	{ "a+b+c", "RightToLeft", "aabbabc", "(4,3)" },
	{ "a.+?c", "RightToLeft", "abcabc", "(3,3)" },
	{ "(a+|b)*", "RightToLeft", "ab", "(0,2) (1,1)(0,1)" },
	{ "(a+|b){1,}", "RightToLeft", "ab", "(0,2) (1,1)(0,1)" },
	{ "(a+|b)?", "RightToLeft", "ab", "(1,1) (1,1)" },
	{ "[^ab]*", "RightToLeft", "cde", "(0,3)" },
	{ "b$", "RightToLeft | RegexOptions.Multiline", "aab\naab", "(6,1)" },
	{ "^a", "RightToLeft | RegexOptions.Multiline", "aab\naab", "(4,1)" },
	{ "^aaab", "RightToLeft | RegexOptions.Multiline", "aaab\naab", "(0,4)" },
	{ "^([ab]*?)(b)?(c)$", "None", "abac", "(0,4) (0,3) - (3,1)" },
	{ "^(.,){2}c", "None", "a,b,c", "(0,5) (0,2)(2,2)" },
	{ "^([^,]*,){3}d", "None", "aaa,b,c,d", "(0,9) (0,4)(4,2)(6,2)" },
	{ "^([^,]*,){0,3}d", "None", "aaa,b,c,d", "(0,9) (0,4)(4,2)(6,2)" },
	{ "^([^,]{1,3},){3,}d", "None", "aaa,b,c,d", "(0,9) (0,4)(4,2)(6,2)" },
	{ "^([^,]{0,3},){0,3}d", "None", "aaa,b,c,d", "(0,9) (0,4)(4,2)(6,2)" },
	{ "^(a(b)?)+$", "None", "aba", "(0,3) (0,2)(2,1) (1,1)" },
	{ "^(aa(bb)?)+$", "None", "aabbaa", "(0,6) (0,4)(4,2) (2,2)" },
	{ "^(a)?a$", "None", "a", "(0,1) -" },
	{ "^(0+)?(?:x(1))?", "None", "x1", "(0,2) - (1,1)" },
	{ "^(b+?|a){1,2}c", "None", "bbbac", "(0,5) (0,3)(3,1)" },
	{ "^(b+?|a){1,2}c", "None", "bbbbac", "(0,6) (0,4)(4,1)" },
	{ "^((\\[(?<NAME>[^\\]]+)\\])|(?<NAME>[^\\.\\[\\]]+))$", "None", "[a]", "(0,3) (0,3) (0,3) (1,1)" },
	{ "(([a-c])b*?\\2)*", "None", "ababbbcbc", "(0,5) (0,3)(3,2) (0,1)(3,1)" },
	{ "(([a-c])b*?\\2){3}", "None", "ababbbcbc", "(0,9) (0,3)(3,3)(6,3) (0,1)(3,1)(6,1)" },
	{ "((\\3|b)\\2(a)x)+", "None", "aaxabxbaxbbx", "-" },
	{ "((\\3|b)\\2(a)x)+", "None", "aaaxabaxbaaxbbax", "(12,4) (12,4) (12,1) (14,1)" },
	{ "((\\3|b)\\2(a)){2,}", "None", "bbaababbabaaaaabbaaaabba", "(15,9) (15,3)(18,3)(21,3) (15,1)(18,1)(21,1) (17,1)(20,1)(23,1)" },
	{ "^(a\\1?){4}$", "None", "aaaaaaaaaa", "(0,10) (0,1)(1,2)(3,3)(6,4)" },
	{ "^(a(?(1)\\1)){4}$", "None", "aaaaaaaaaa", "(0,10) (0,1)(1,2)(3,3)(6,4)" },
	{ "^(?<w>\\w+)(?:\\s(?<w>\\w+))*$", "None", "one two three", "(0,13) (0,3)(4,3)(8,5)" },
};

/* A C# string of what is written verbatim there. */
static struct str quoted(struct arena *a, const char *text)
{
	struct str s = str_of(text), out = STR("");

	for (size_t i = 0; i < s.n; i++)
		out = arena_printf(a, s.p[i] == '"' ? "%.*s%c\"" : "%.*s%c", STR_ARG(out), s.p[i]);
	return arena_printf(a, "@\"%.*s\"", STR_ARG(out));
}

static void captures(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(64 << 20);
		struct str pattern = quoted(a, rows[i].pattern), input = quoted(a, rows[i].input);
		struct str label = arena_printf(a, "%s on %s, %s", rows[i].pattern, rows[i].input, rows[i].options);
		struct str got = evaluate(a, arena_printf(a, "@{ var m = Regex.Match(%.*s, %.*s, RegexOptions.%s); if (!m.Success) return \"-\"; "
			"return string.Join(\" \", m.Groups.Cast<Group>().Select(g => g.Success ? string.Concat(g.Captures.Cast<Capture>()"
			".Select(c => $\"({c.Index},{c.Length})\")) : \"-\")); }", STR_ARG(input), STR_ARG(pattern), rows[i].options).p);

		CHECK_STR(label.p, got, str_of(rows[i].want));
		arena_free(a);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(captures) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
