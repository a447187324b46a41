/* Whatever is compiled runs to a value or to an error within its limits, twice with the same outcome; what is refused has an
 * error with a place inside the source. */
#include <stdlib.h>

#include "core/str.h"
#include "policy/diag.h"
#include "policy/exchange.h"
#include "policy/expr/expr.h"

enum { MEMORY = 64 << 20 };

static int64_t now_us(struct exchange *x)
{
	(void)x;
	return INT64_C(1735787045678000);
}

static uint64_t random_bits(struct exchange *x)
{
	(void)x;
	return 4;
}

static void fill(struct exchange *x, struct arena *a)
{
	static const struct policy_host host = { .now_us = now_us, .random = random_bits };

	*x = (struct exchange){ .arena = a, .host = &host, .request_id = STR("6ba7b810-9dad-11d1-80b4-00c04fd430c8") };
	fields_init(&x->request.headers, a);
	fields_init(&x->response.headers, a);
	fields_init(&x->matched, a);
	x->request.body = (struct body){ .kind = BODY_HELD, .bytes = STR("{\"a\":[1,\"x\",null]}") };
	if (!fields_add(&x->request.headers, STR("A"), STR("b")) || !exchange_set_variable(x, STR("v"), value_int(1)))
		abort();
}

/* In memory of its own each time, so that nothing of the first run is seen by the second. */
static struct str run(const struct expr *e)
{
	struct arena *a = arena_new(MEMORY);
	static const struct expr_limits limits = { 20000, 50, 4 << 20, 0 };     /* no limit of time: the outcome is always the same */
	struct exchange x;
	struct value v;
	struct gh_err err;
	struct str text, out;

	if (!a)
		abort();
	fill(&x, a);
	if (expr_run(e, &x, &limits, &v, &err).code || expr_json(&x, v, &limits, &text, &err).code)
		out = str_of(strdup(err.message));
	else
		out = str_of(strndup(text.p ? text.p : "", text.n));
	arena_free(a);
	return out;
}

static void check_place(struct str source, const struct policy_diags *d)
{
	unsigned lines = 1;

	if (!d->errors || !d->n)
		abort();
	for (size_t i = 0; i < source.n; i++)
		lines += source.p[i] == '\n';
	if (d->v[0].line < 1 || d->v[0].line > lines || d->v[0].column < 1 || d->v[0].column > source.n + 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct str source = { (const char *)data, size }, first, second;
	struct policy_diags diags;
	struct expr *e;

	if (!a && !(a = arena_new(MEMORY)))
		abort();
	arena_reset(a);
	policy_diags_init(&diags, a);
	e = expr_compile(a, source, 1, 1, &diags, NULL);
	if (!e) {
		check_place(source, &diags);
		return 0;
	}
	free((char *)(uintptr_t)run(e).p);      /* compiles its patterns, which later runs need not pay for */
	first = run(e);
	second = run(e);
	if (!str_eq(first, second))
		abort();
	free((char *)(uintptr_t)first.p);
	free((char *)(uintptr_t)second.p);
	return 0;
}
