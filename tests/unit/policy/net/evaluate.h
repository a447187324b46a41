/* evaluate.h - runs a policy expression and gives its value as text: the tests of policy/net are tables of expressions. */
#pragma once

#include "tests/unit/check.h"

#include "core/arena.h"
#include "policy/diag.h"
#include "policy/exchange.h"
#include "policy/expr/expr.h"

struct row {
	const char *source;          /* what stands between "@(" and ")" , or a whole "@{ … }" */
	const char *want;            /* its ToString(); "! message" for an exception, "? text" for a part of a compile error */
};

static int64_t evaluate_now(struct exchange *x UNUSED)
{
	return INT64_C(1735787045123456);        /* 2025-01-02T03:04:05.123456Z */
}

static uint64_t evaluate_random(struct exchange *x UNUSED)
{
	static uint64_t state = 42;

	return state = state * 6364136223846793005u + 1442695040888963407u;
}

static const struct policy_host evaluate_host = { .now_us = evaluate_now, .random = evaluate_random };

/* Text in the arena. */
static struct str evaluate(struct arena *a, const char *source)
{
	struct str text = source[0] == '@' ? str_of(source) : arena_printf(a, "@(%s)", source);
	struct exchange x = { .arena = a, .host = &evaluate_host, .request_id = STR("0b5bd5e5-3ae0-4b0c-8a8b-f1c1f0c4d7a1") };
	struct policy_diags diags;
	struct expr_uses uses = { 0 };
	struct gh_err err = { 0 };
	struct value v;
	struct expr *e;

	policy_diags_init(&diags, a);
	e = expr_compile(a, text, 1, 1, &diags, &uses);
	if (!e)
		return arena_printf(a, "? %.*s", STR_ARG(diags.n ? diags.v[0].message : STR("no message")));
	if (expr_run(e, &x, NULL, &v, &err).code)
		return arena_printf(a, "! %s", err.message);
	text = value_to_text(a, v);
	return text.p ? text : STR("(no text)");
}

UNUSED static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct arena *a = arena_new(256 << 20);
		struct str got = evaluate(a, rows[i].source), want = str_of(rows[i].want);

		if (want.n && want.p[0] == '?' && str_starts(got, STR("? ")) && str_find(got, str_from(want, 2)) != SIZE_MAX)
			want = got;
		CHECK_STR(rows[i].source, got, want);
		arena_free(a);
	}
	check_done();
}

#define CHECK_ROWS(rows) check_rows((rows), ARRAY_LEN(rows))
