/* policy.c - what policies cost without a network: an expression, and the compilation of many documents.
 * Prints one JSON object; tests/bench/bench.js runs it. */
#include "core/clock.h"
#include "core/str.h"
#include "policy/compiler.h"
#include "policy/expr/expr.h"

#include <stdio.h>
#include <stdlib.h>

enum { RUNS = 300000, DOCUMENTS = 10000, ROUNDS = 5 };

static const char expression[] = "@(context.Request.Headers.GetValueOrDefault(\"X\",\"\") == \"a\" && "
				 "context.Subscription.Id.StartsWith(\"s\"))";

/* As people write them: %d keeps the documents from being the same text. */
static const char document[] =
	"<policies>\n  <inbound>\n    <base />\n"
	"    <set-variable name=\"n\" value=\"%d\" />\n"
	"    <choose>\n"
	"      <when condition=\"@(context.Request.Headers.GetValueOrDefault(\"X-Kind\",\"\") == \"a\" && context.Request.Method != \"GET\")\">\n"
	"        <return-response><set-status code=\"403\" reason=\"Forbidden\" /></return-response>\n"
	"      </when>\n    </choose>\n"
	"    <set-header name=\"X-User\" exists-action=\"override\">\n"
	"      <value>@(context.User == null ? \"anonymous\" : context.User.Email.ToLower())</value>\n    </set-header>\n"
	"    <rate-limit-by-key calls=\"100\" renewal-period=\"60\" counter-key=\"@(context.Subscription?.Id ?? context.Request.IpAddress)\" />\n"
	"  </inbound>\n  <backend><base /></backend>\n  <outbound><base /></outbound>\n  <on-error><base /></on-error>\n</policies>\n";

static void die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static double expression_ns(void)
{
	static const struct ctx_subscription subscription = { .id = STR_INIT("s1") };
	struct arena *a = arena_new(1 << 24), *scratch = arena_new(1 << 26);
	struct policy_diags diags;
	struct expr_uses uses = { 0 };
	struct exchange x = { .subscription = &subscription };
	int64_t best = INT64_MAX;
	struct expr *e;

	policy_diags_init(&diags, a);
	e = expr_compile(a, str_of(expression), 1, 1, &diags, &uses);
	if (!e)
		die("the expression does not compile");
	for (int round = 0; round < ROUNDS; round++) {
		int64_t from = clock_mono_us();

		for (int i = 0; i < RUNS; i++) {
			struct value v;

			if (i % 1000 == 0) {
				arena_reset(scratch);
				x.arena = scratch;
				fields_init(&x.request.headers, scratch);
				if (!fields_add(&x.request.headers, STR("Accept"), STR("*/*"))
				    || !fields_add(&x.request.headers, STR("X"), STR("a")))
					die("no memory");
			}
			if (expr_run(e, &x, NULL, &v, NULL).code || v.kind != VALUE_BOOL || !v.b)
				die("the expression does not give true");
		}
		if (clock_mono_us() - from < best)
			best = clock_mono_us() - from;
	}
	arena_free(scratch);
	arena_free(a);
	return (double)best * 1000 / RUNS;
}

static double compile_seconds(void)
{
	static const struct policy_source src = { .scope = SCOPE_API };
	int64_t from = clock_mono_us();

	for (int i = 0; i < DOCUMENTS; i++) {
		struct arena *a = arena_new(1 << 24);
		struct policy_diags diags;

		policy_diags_init(&diags, a);
		if (!policy_compile(a, arena_printf(a, document, i), &src, NULL, &diags))
			die("a document does not compile");
		arena_free(a);
	}
	return (double)(clock_mono_us() - from) / 1e6;
}

int main(void)
{
	double ns = expression_ns();

	printf("{\"expressionNs\": %.0f, \"compileS\": %.3f, \"documents\": %d}\n", ns, compile_seconds(), DOCUMENTS);
	return 0;
}
