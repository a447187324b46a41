#include "cli/policy_diags.h"

#include <stdio.h>

void policy_print_diags(const char *file, const struct policy_diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		fprintf(stderr, "%s:%u:%u: %s: %.*s\n", file, d->v[i].line, d->v[i].column,
			d->v[i].warning ? "warning" : "error", STR_ARG(d->v[i].message));
	if (d->errors + d->warnings > d->n)
		fprintf(stderr, "%s: %zu more\n", file, d->errors + d->warnings - d->n);
}

GH_RC cli_policy_store(struct cli *c, struct store *s, struct policy_store **out, struct gh_err *err)
{
	const struct policy_broken *v;
	size_t n;

	TRY(policy_store_new(c->arena, s, out, err));
	v = policy_store_broken(*out, &n);
	for (size_t i = 0; i < n; i++)
		cli_warn(c, "the fragment %.*s has errors: %.*s", STR_ARG(v[i].id), STR_ARG(v[i].message));
	return GH_RC_OK;
}
