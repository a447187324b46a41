/* What the compiler tells the loader, places of errors in the document, and limits that a caller sets. */
#include "tests/unit/check.h"

#include "policy/diag.h"
#include "policy/exchange.h"
#include "policy/expr/expr.h"

static void uses(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str source;
		bool request, response;
	} rows[] = {
		{ "nothing", STR_INIT("@(context.Request.Method)"), false, false },
		{ "request", STR_INIT("@(context.Request.Body.As<string>())"), true, false },
		{ "response", STR_INIT("@(context.Response.Body.As<string>())"), false, true },
		{ "both", STR_INIT("@(context.Request.Body == null || context.Response.Body == null)"), true, true },
		{ "conditional", STR_INIT("@(context.Response?.Body?.As<string>())"), false, true },
		{ "through a variable", STR_INIT("@{ var r = context.Response; return r.Body.As<string>(); }"), false, true },
		{ "in a lambda", STR_INIT("@{ Func<string> f = () => context.Response.Body.As<string>(); return f(); }"), false, true },
		{ "another response", STR_INIT("@(((IResponse)context.Variables[\"r\"]).Body.As<string>())"), false, false },
		{ "its variable", STR_INIT("@{ var r = (IResponse)context.Variables[\"r\"]; return r.Body.As<string>(); }"), false,
		  false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(16 << 20);
		struct policy_diags diags;
		struct expr_uses got = { 0 };

		policy_diags_init(&diags, a);
		CHECK(rows[i].label, expr_compile(a, rows[i].source, 1, 1, &diags, &got) != NULL);
		CHECK_INT(rows[i].label, got.request_body, rows[i].request);
		CHECK_INT(rows[i].label, got.response_body, rows[i].response);
		arena_free(a);
	}
	check_done();
}

static void places(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str source;
		unsigned line, column;
	} rows[] = {
		{ "first line", STR_INIT("@(a)"), 10, 7 },
		{ "second line", STR_INIT("@{\n  return a;\n}"), 11, 10 },
		{ "behind a comment", STR_INIT("@{ // x\n\t/* y\n */ return a; }"), 12, 12 },
		{ "in an interpolated string", STR_INIT("@($\"x{a}\")"), 10, 11 },
		{ "in a lambda", STR_INIT("@(new[] { 1 }.Select(x =>\n  a))"), 11, 3 },
		{ "not closed", STR_INIT("@(\"abc"), 10, 5 },
		{ "at the end", STR_INIT("@(1 +\n)"), 11, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(16 << 20);
		struct policy_diags diags;

		policy_diags_init(&diags, a);
		CHECK(rows[i].label, expr_compile(a, rows[i].source, 10, 5, &diags, NULL) == NULL);
		CHECK_INT(rows[i].label, diags.errors, 1);
		CHECK_INT(rows[i].label, diags.v[0].line, rows[i].line);
		CHECK_INT(rows[i].label, diags.v[0].column, rows[i].column);
		arena_free(a);
	}
	check_done();
}

static void limits(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str source;
		struct expr_limits limits;
		const char *want;            /* NULL: it runs */
	} rows[] = {
		{ "within", STR_INIT("@{ int n = 0; while (n < 100) n++; return n; }"), { 10000, 10, 1 << 16 }, NULL },
		{ "instructions", STR_INIT("@{ int n = 0; while (n < 10000) n++; return n; }"), { 10000, 10, 1 << 16 },
		  "The expression exceeded its limit of instructions." },
		{ "depth within", STR_INIT("@{ int f(int n) => n == 0 ? 0 : f(n - 1); return f(8); }"), { 10000, 10, 1 << 16 }, NULL },
		{ "depth", STR_INIT("@{ int f(int n) => n == 0 ? 0 : f(n - 1); return f(9); }"), { 10000, 10, 1 << 16 },
		  "The expression exceeded its limit of nested calls." },
		{ "memory within", STR_INIT("@{ return new byte[60000].Length; }"), { 10000, 10, 1 << 16 }, NULL },
		{ "memory", STR_INIT("@{ return new byte[66000].Length; }"), { 10000, 10, 1 << 16 },
		  "The expression exceeded its limit of memory." },
		{ "a limit is not caught", STR_INIT("@{ try { return new byte[66000].Length; } catch (Exception) { return 1; } "
						    "finally { } }"), { 10000, 10, 1 << 16 },
		  "The expression exceeded its limit of memory." },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(16 << 20);
		struct exchange x = { .arena = a };
		struct policy_diags diags;
		struct gh_err err = { 0 };
		struct value v;
		struct expr *e;

		policy_diags_init(&diags, a);
		e = expr_compile(a, rows[i].source, 1, 1, &diags, NULL);
		assert_non_null(e);
		CHECK_INT(rows[i].label, expr_run(e, &x, &rows[i].limits, &v, &err).code != GH_OK, rows[i].want != NULL);
		if (rows[i].want)
			CHECK_STR(rows[i].label, str_of(err.message), str_of(rows[i].want));
		arena_free(a);
	}
	check_done();
}

/* Sources that could exhaust the compiler itself. */
static void hostile(void **state UNUSED)
{
	static const struct {
		const char *label, *before, *piece, *after;
		size_t times;
	} rows[] = {
		{ "brackets", "@(", "(", "1", 100000 },
		{ "closed brackets", "@(1", "+(1)", ")", 100000 },
		{ "unary", "@(", "-", "1)", 100000 },
		{ "calls", "@(\"a\"", ".Trim()", ")", 5000 },
		{ "indexes", "@(new int[0]", "[0]", ")", 5000 },
		{ "sums", "@(1", "+1", ")", 50000 },
		{ "texts", "@(\"a\"", "+context.Tracing", ")", 700 },
		{ "blocks", "@{", "{", "", 100000 },
		{ "arrays", "@(", "new[]{", "1", 10000 },
		{ "lambdas", "@(new[]{1}", ".Select(x=>new[]{x}", ")", 300 },
		{ "nested lambdas", "@(new[]{1}", ".Select(x=>new[]{x}", "", 150 },
		{ "tuples that double", "@(new[]{1}", ".Select(x=>Tuple.Create(x,x))", ".Count())", 100 },
		{ "interpolation", "@(", "$\"{", "1", 1000 },
		{ "types", "@(new ", "List<", "int", 10000 },
		{ "locals", "@{ int a0 = 1;", "{ int a = 1; }", "return a0; }", 4000 },
		{ "conditional access", "@(\"a\"", "?.Trim()", ")", 300 },
		{ "elements", "@(new[] { 1", ",1", "}.Length)", 20000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(256 << 20);
		struct policy_diags diags;
		size_t piece = strlen(rows[i].piece), n = strlen(rows[i].before);
		char *p = arena_alloc_text(a, n + piece * rows[i].times + strlen(rows[i].after) + 1);

		memcpy(p, rows[i].before, n);
		for (size_t k = 0; k < rows[i].times; k++, n += piece)
			memcpy(p + n, rows[i].piece, piece);
		memcpy(p + n, rows[i].after, strlen(rows[i].after));
		n += strlen(rows[i].after);
		policy_diags_init(&diags, a);
		CHECK(rows[i].label, (expr_compile(a, (struct str){ p, n }, 1, 1, &diags, NULL) == NULL) == (diags.errors > 0));
		arena_free(a);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uses), cmocka_unit_test(places), cmocka_unit_test(limits), cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
