#include "cli/policy_store.h"

#include "core/map.h"
#include "core/str.h"
#include "db/loggers.h"
#include "db/named_values.h"
#include "db/policies.h"

#include <stdio.h>

struct policy_store {
	struct map values, fragments, loggers;       /* struct store_named_value, policy_document, store_logger */
};

static bool named_value(void *ctx, struct str name, struct str *value, bool *secret)
{
	const struct policy_store *p = ctx;
	const struct store_named_value *v = map_get(&p->values, name);

	if (!v)
		return false;
	*value = v->value.p ? v->value : STR("");      /* by reference, and never read */
	*secret = v->secret;
	return true;
}

static const struct policy_document *fragment(void *ctx, struct str id)
{
	return map_get(&((const struct policy_store *)ctx)->fragments, id);
}

static bool logger(void *ctx, struct str id)
{
	return map_get(&((const struct policy_store *)ctx)->loggers, id) != NULL;
}

struct policy_env policy_store_env(struct policy_store *p)
{
	return (struct policy_env){ .ctx = p, .named_value = named_value, .fragment = fragment, .logger = logger,
				    .live = true };
}

void policy_print_diags(const char *file, const struct policy_diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		fprintf(stderr, "%s:%u:%u: %s: %.*s\n", file, d->v[i].line, d->v[i].column,
			d->v[i].warning ? "warning" : "error", STR_ARG(d->v[i].message));
	if (d->errors + d->warnings > d->n)
		fprintf(stderr, "%s: %zu more\n", file, d->errors + d->warnings - d->n);
}

static GH_RC read_fragments(struct cli *c, struct store *s, struct policy_store *p, struct gh_err *err)
{
	const struct policy_env env = policy_store_env(p);
	struct store_fragment *v;
	size_t n;

	TRY(store_fragments(s, c->arena, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		const struct policy_source src = { .fragment = true, .name = v[i].id };
		struct policy_diags diags;
		const struct policy_document *f;

		policy_diags_init(&diags, c->arena);
		f = policy_compile(c->arena, v[i].bytes, &src, &env, &diags);
		if (!f)
			cli_warn(c, "the fragment %.*s has errors: %.*s", STR_ARG(v[i].id),
				 STR_ARG(diags.v[0].message));
		else if (!map_put(&p->fragments, v[i].id, (void *)(uintptr_t)f))
			FAIL(err, NOMEM, "policy fragments");
	}
	return GH_RC_OK;
}

static GH_RC read_loggers(struct cli *c, struct store *s, struct policy_store *p, struct gh_err *err)
{
	struct store_logger *v;
	size_t n;

	TRY(store_loggers(s, c->arena, false, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (!map_put(&p->loggers, v[i].id, &v[i]))
			FAIL(err, NOMEM, "loggers");
	return GH_RC_OK;
}

GH_RC policy_store_new(struct cli *c, struct store *s, struct policy_store **out, struct gh_err *err)
{
	struct policy_store *p = arena_new_of(c->arena, struct policy_store);
	struct store_named_value *v;
	size_t n;

	*out = p;
	if (!p)
		FAIL(err, NOMEM, "named values");
	map_init(&p->values, c->arena, false);
	map_init(&p->fragments, c->arena, false);
	map_init(&p->loggers, c->arena, false);
	TRY(read_loggers(c, s, p, err));
	TRY(store_named_values(s, c->arena, true, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (!map_put(&p->values, v[i].id, &v[i]))
			FAIL(err, NOMEM, "named values");
	return read_fragments(c, s, p, err);
}
