/* Loading any bytes as a policy document. What must hold: it ends, errors come with places inside the document, there is
 * no document without errors told, and what compiles once compiles again with the same warnings. */
#include "core/str.h"
#include "policy/compiler.h"

#include <stdlib.h>

enum { MEMORY = 32 << 20 };

static unsigned lines_of(struct str s)
{
	unsigned n = 1;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

static bool compile(struct str text, struct policy_diags *d, struct arena *a)
{
	const struct policy_env env = { .open_references = true };
	const struct policy_source src = { .scope = SCOPE_OPERATION, .either = true, .url_template = STR_INIT("/a/{b}") };

	policy_diags_init(d, a);
	return policy_compile(a, text, &src, &env, d) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = { (const char *)data, n };
	struct arena *a = arena_new(MEMORY), *b = arena_new(MEMORY);
	struct policy_diags first, second;
	bool ok;

	if (!a || !b)
		abort();
	ok = compile(text, &first, a);
	if (ok == (first.errors > 0))
		abort();
	for (size_t i = 0; i < first.n; i++)
		if (!first.v[i].line || first.v[i].line > lines_of(text) || !first.v[i].column || !first.v[i].message.n)
			abort();
	if (ok && (!compile(text, &second, b) || second.warnings != first.warnings))
		abort();
	arena_free(a);
	arena_free(b);
	return 0;
}
