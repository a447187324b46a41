/* policy_store.c - the world of the policy compiler out of a store; see the header. */
#include "config/policy_store.h"

#include "config/rights.h"
#include "core/map.h"
#include "core/str.h"
#include "db/loggers.h"
#include "db/named_values.h"
#include "db/resources.h"
#include "db/apis.h"

struct policy_store {
	struct arena *arena;
	struct policy_broken *broken;
	size_t n_broken;
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

static GH_RC read_fragments(struct store *s, struct policy_store *p, struct gh_err *err)
{
	const struct policy_env env = policy_store_env(p);
	struct store_fragment *v;
	size_t n;

	TRY(store_fragments(s, p->arena, &v, &n, err));
	p->broken = arena_alloc(p->arena, n + 1, sizeof(*p->broken));
	if (!p->broken)
		FAIL(err, NOMEM, "policy fragments");
	for (size_t i = 0; i < n; i++) {
		const struct policy_source src = { .fragment = true, .name = v[i].id };
		struct policy_diags diags;
		const struct policy_document *f;

		policy_diags_init(&diags, p->arena);
		f = policy_compile(p->arena, v[i].bytes, &src, &env, &diags);
		if (!f)
			p->broken[p->n_broken++] = (struct policy_broken){ v[i].id, diags.v[0].message };
		else if (!map_put(&p->fragments, v[i].id, (void *)(uintptr_t)f))
			FAIL(err, NOMEM, "policy fragments");
	}
	return GH_RC_OK;
}

static GH_RC read_loggers(struct store *s, struct policy_store *p, struct gh_err *err)
{
	struct store_logger *v;
	size_t n;

	TRY(store_loggers(s, p->arena, false, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (!map_put(&p->loggers, v[i].id, &v[i]))
			FAIL(err, NOMEM, "loggers");
	return GH_RC_OK;
}

GH_RC policy_store_new(struct arena *a, struct store *s, struct policy_store **out, struct gh_err *err)
{
	struct policy_store *p = arena_new_of(a, struct policy_store);
	struct store_named_value *v;
	size_t n;

	*out = p;
	if (!p)
		FAIL(err, NOMEM, "named values");
	p->arena = a;
	map_init(&p->values, a, false);
	map_init(&p->fragments, a, false);
	map_init(&p->loggers, a, false);
	TRY(read_loggers(s, p, err));
	TRY(store_named_values(s, a, true, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (!map_put(&p->values, v[i].id, &v[i]))
			FAIL(err, NOMEM, "named values");
	return read_fragments(s, p, err);
}

const struct policy_broken *policy_store_broken(const struct policy_store *p, size_t *n)
{
	*n = p->n_broken;
	return p->broken;
}

enum scope policy_scope_of(int64_t kind)
{
	static const enum scope scopes[] = {
		[STORE_POLICY_GLOBAL] = SCOPE_GLOBAL,       [STORE_POLICY_WORKSPACE] = SCOPE_WORKSPACE,
		[STORE_POLICY_PRODUCT] = SCOPE_PRODUCT,     [STORE_POLICY_API] = SCOPE_API,
		[STORE_POLICY_OPERATION] = SCOPE_OPERATION, [STORE_POLICY_ENVIRONMENT] = SCOPE_ENVIRONMENT,
	};

	return scopes[kind];
}

/* The operation's template, so that rewrite-uri's placeholders can be checked; STR_NULL when it is not there. */
static GH_RC url_template(struct policy_store *p, struct store *s, const struct store_policy_scope *scope, struct str *out,
			  struct gh_err *err)
{
	struct store_operation *v;
	size_t n;

	*out = STR_NULL;
	if (scope->kind != STORE_POLICY_OPERATION)
		return GH_RC_OK;
	TRY(store_operations_of(s, p->arena, scope->api_id, scope->revision, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].id, scope->operation_id))
			*out = v[i].uri_template;
	return GH_RC_OK;
}

GH_RC policy_store_compile(struct policy_store *p, struct store *s, const struct store_policy_scope *scope, struct str name,
			   struct str text, const struct policy_document **out, struct policy_diags *diags, struct gh_err *err)
{
	struct policy_source src = { .name = name, .scope = policy_scope_of(scope->kind) };
	const struct policy_env env = policy_store_env(p);

	TRY(url_template(p, s, scope, &src.url_template, err));
	policy_diags_init(diags, p->arena);
	*out = policy_compile(p->arena, text, &src, &env, diags);
	return GH_RC_OK;
}

/* ---- values that change ------------------------------------------------------------------------------------------------- */

enum { CHECK_BYTES = 256 << 20 };

/* Who may not see what names the value is told neither which it is nor what stands there. */
static GH_RC refuse_value(struct store *s, const struct store_resource_use *use, struct str value, struct str why, struct gh_err *err)
{
	const char *what = str_eq(use->kind, STR("policy")) ? "policy" : "fragment";
	bool told;

	TRY(resource_told(s, resource_kind_find(use->kind), use->id, &told, err));
	if (!told)
		FAIL(err, INVALID, "a %s that you may not see names {{%.*s}} and would not compile", what, STR_ARG(value));
	FAIL(err, INVALID, "the %s %.*s names {{%.*s}} and would not compile: %.*s", what, STR_ARG(use->id), STR_ARG(value), STR_ARG(why));
}

static GH_RC check_user(struct policy_store *p, struct store *s, const struct store_resource_use *use, struct str value, struct gh_err *err)
{
	const struct policy_document *doc;
	struct store_policy_scope scope;
	struct policy_diags diags;
	struct str text;
	bool found;

	for (size_t i = 0; i < p->n_broken; i++)
		if (str_eq(use->kind, STR("policy-fragment")) && str_eq(p->broken[i].id, use->id))
			return refuse_value(s, use, value, p->broken[i].message, err);
	if (!str_eq(use->kind, STR("policy")))
		return GH_RC_OK;
	TRY(store_policy_scope_parse(use->id, &scope, err));
	TRY(store_policy_find(s, p->arena, &scope, &text, &found, err));
	if (!found)
		return GH_RC_OK;
	TRY(policy_store_compile(p, s, &scope, use->id, text, &doc, &diags, err));
	if (doc)
		return GH_RC_OK;
	return refuse_value(s, use, value, arena_printf(p->arena, "line %d: %.*s", (int)diags.v[0].line, STR_ARG(diags.v[0].message)), err);
}

GH_RC policy_store_check_value(struct store *s, struct str id, struct gh_err *err)
{
	struct arena *a = arena_new(CHECK_BYTES);
	struct store_resource_use *uses;
	struct policy_store *p;
	gh_rc rc;
	size_t n;

	if (!a)
		FAIL(err, NOMEM, "named value");
	rc = store_resource_uses(s, a, STORE_RESOURCE_NAMED_VALUE, id, STORE_RESOURCE_USES_MAX, &uses, &n, err);
	if (!rc.code && n)
		rc = policy_store_new(a, s, &p, err);
	for (size_t i = 0; i < n && !rc.code; i++)
		rc = check_user(p, s, &uses[i], id, err);
	arena_free(a);
	return rc;
}
