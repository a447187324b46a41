/* snapshot_policies.c - named values, fragments and policy documents of a snapshot.
 *
 * Ten thousand APIs often share a few texts, so a text is compiled once for each kind of place: its scope and, on an
 * operation whose document names template parameters, the URL template. All errors of all documents are counted and the
 * first is told; a snapshot with any is refused. */
#include "core/str.h"
#include "fcgi/snapshot_impl.h"

#include <stdio.h>

static gh_rc no_memory(struct build *b)
{
	FAIL(b->err, NOMEM, "no memory for the policies");
}

/* ---- what documents refer to ---------------------------------------------------------------------------------------------- */

static bool named_value(void *ctx, struct str name, struct str *value, bool *secret)
{
	struct build *b = ctx;
	const struct store_named_value *v = map_get(&b->named_values, name);

	if (v && !v->value.p)
		build_error(b, "named value %.*s: nothing could be read from %.*s yet: %.*s", STR_ARG(name), STR_ARG(v->ref),
			    STR_ARG(str_first(v->problem, 200)));
	if (!v || !v->value.p)
		return false;
	*value = v->value;
	*secret = v->secret;
	return true;
}

static const struct policy_document *fragment(void *ctx, struct str id)
{
	const struct build *b = ctx;

	return map_get(&b->fragments, id);
}

static const struct policy_document *compile(struct build *b, struct str text, const struct policy_source *src)
{
	struct policy_env env = { .ctx = b, .named_value = named_value, .fragment = src->fragment ? NULL : fragment, .live = true };
	const struct policy_document *d;
	struct policy_diags diags;

	policy_diags_init(&diags, b->a);
	text = arena_dup(b->a, text);
	d = text.p ? policy_compile(b->a, text, src, &env, &diags) : NULL;
	if (d)
		b->s->n_documents++;
	for (size_t i = 0; i < diags.n && !d; i++) {
		if (diags.v[i].warning)
			continue;
		build_error(b, "%.*s, line %u, column %u: %.*s", STR_ARG(src->name), diags.v[i].line, diags.v[i].column,
			    STR_ARG(diags.v[i].message));
	}
	if (!d && !diags.errors)
		build_error(b, "%.*s: cannot be compiled", STR_ARG(src->name));
	return d;
}

/* Values live in the snapshot: documents borrow them. */
static gh_rc read_named_values(struct build *b)
{
	struct store_named_value *rows;
	size_t n;

	TRY(store_named_values(b->store, b->rows, true, &rows, &n, b->err));
	for (size_t i = 0; i < n; i++) {
		/* one by reference that was never read has none: a policy that names it is refused */
		TRY(build_text(b, rows[i].value.p || rows[i].ref.n ? rows[i].value : STR(""), &rows[i].value));
		if (!map_put(&b->named_values, rows[i].id, &rows[i]))
			return no_memory(b);
	}
	return GH_RC_OK;
}

/* What costs a look-up for each new key is asked of the store only when some text may want it. */
static void note_uses(struct build *b, struct str text)
{
	b->s->uses_keys |= str_find(text, STR("PrimaryKey")) != SIZE_MAX || str_find(text, STR("SecondaryKey")) != SIZE_MAX;
	b->s->uses_groups |= str_find(text, STR("Groups")) != SIZE_MAX;
}

static gh_rc read_fragments(struct build *b)
{
	struct store_fragment *rows;
	size_t n;

	TRY(store_fragments(b->store, b->rows, &rows, &n, b->err));
	for (size_t i = 0; i < n; i++) {
		struct policy_source src = { .fragment = true,
					     .name = arena_printf(b->a, "fragment %.*s", STR_ARG(rows[i].id)) };
		const struct policy_document *d = compile(b, rows[i].bytes, &src);

		note_uses(b, rows[i].bytes);
		if (d && !map_put(&b->fragments, rows[i].id, (void *)(uintptr_t)d))
			return no_memory(b);
	}
	return GH_RC_OK;
}

/* ---- documents by place ---------------------------------------------------------------------------------------------------- */

static struct str place_key(const struct store_policy_scope *p, char out[POLICY_KEY_MAX])
{
	const struct str *parts[] = { &p->business_group_id, &p->product_id, &p->api_id, &p->operation_id, &p->environment_id };
	int n = snprintf(out, POLICY_KEY_MAX, "%d;%lld", (int)p->kind, (long long)p->revision);

	for (size_t i = 0; i < ARRAY_LEN(parts) && n < POLICY_KEY_MAX; i++)
		n += snprintf(out + n, (size_t)(POLICY_KEY_MAX - n), ";%.*s", (int)parts[i]->n, parts[i]->p ? parts[i]->p : "");
	return (struct str){ out, n < POLICY_KEY_MAX ? (size_t)n : POLICY_KEY_MAX - 1 };
}

static struct str api_key(struct str api_id, int64_t revision, char out[POLICY_KEY_MAX])
{
	int n = snprintf(out, POLICY_KEY_MAX, "%lld;%.*s", (long long)revision, (int)api_id.n, api_id.p ? api_id.p : "");

	return (struct str){ out, n < POLICY_KEY_MAX ? (size_t)n : POLICY_KEY_MAX - 1 };
}

static gh_rc read_documents(struct build *b)
{
	struct store_policy *rows;
	size_t n;

	TRY(store_policies(b->store, b->rows, &rows, &n, b->err));
	for (size_t i = 0; i < n; i++) {
		char key[POLICY_KEY_MAX];

		if (!map_put(&b->policies, arena_dup(b->rows, place_key(&rows[i].scope, key)), &rows[i]))
			return no_memory(b);
		if (rows[i].scope.kind == STORE_POLICY_OPERATION
		    && !map_put(&b->operation_apis,
				arena_dup(b->rows, api_key(rows[i].scope.api_id, rows[i].scope.revision, key)), &rows[i]))
			return no_memory(b);
		note_uses(b, rows[i].bytes);
	}
	return GH_RC_OK;
}

gh_rc build_read_policies(struct build *b)
{
	TRY(read_named_values(b));
	TRY(read_fragments(b));
	return read_documents(b);
}

bool build_has_operation_policies(const struct build *b, struct str api_id, int64_t revision)
{
	char key[POLICY_KEY_MAX];

	return b->operation_apis.n && map_get(&b->operation_apis, api_key(api_id, revision, key));
}

static struct str place_name(struct build *b, const struct store_policy_scope *p)
{
	switch (p->kind) {
	case STORE_POLICY_GLOBAL:
		return STR("global policy");
	case STORE_POLICY_WORKSPACE:
		return arena_printf(b->a, "policy of business group %.*s", STR_ARG(p->business_group_id));
	case STORE_POLICY_ENVIRONMENT:
		return arena_printf(b->a, "policy of environment %.*s", STR_ARG(p->environment_id));
	case STORE_POLICY_PRODUCT:
		return arena_printf(b->a, "policy of product %.*s", STR_ARG(p->product_id));
	case STORE_POLICY_API:
		return arena_printf(b->a, "policy of API %.*s, revision %lld", STR_ARG(p->api_id), (long long)p->revision);
	default:
		return arena_printf(b->a, "policy of operation %.*s/%.*s, revision %lld", STR_ARG(p->api_id),
				    STR_ARG(p->operation_id), (long long)p->revision);
	}
}

/* Key of a compiled text: where it stands as far as that matters, and the text. */
static struct str same_text(struct build *b, const struct policy_source *src, struct str bytes)
{
	size_t n = src->url_template.n + bytes.n + 2;
	char *p = arena_alloc_text(b->rows, n);

	if (!p)
		return STR_NULL;
	p[0] = (char)('0' + src->scope);
	if (src->url_template.n)
		memcpy(p + 1, src->url_template.p, src->url_template.n);
	p[1 + src->url_template.n] = '\n';
	if (bytes.n)
		memcpy(p + n - bytes.n, bytes.p, bytes.n);
	return (struct str){ p, n };
}

/* Marks a text whose compilation failed, so that it is reported once and not for each place. */
static const char failed;

gh_rc build_policy(struct build *b, const struct store_policy_scope *place, struct str url_template,
		   const struct policy_document **out)
{
	static const enum scope scopes[] = {
		[STORE_POLICY_GLOBAL] = SCOPE_GLOBAL, [STORE_POLICY_WORKSPACE] = SCOPE_WORKSPACE,
		[STORE_POLICY_PRODUCT] = SCOPE_PRODUCT, [STORE_POLICY_API] = SCOPE_API, [STORE_POLICY_OPERATION] = SCOPE_OPERATION,
		[STORE_POLICY_ENVIRONMENT] = SCOPE_ENVIRONMENT,
	};
	char key[POLICY_KEY_MAX];
	const struct store_policy *p = map_get(&b->policies, place_key(place, key));
	struct policy_source src = { .scope = scopes[place->kind] };
	struct str same;
	const void *d;

	*out = NULL;
	if (!p)
		return GH_RC_OK;
	if (str_find(p->bytes, STR("rewrite-uri")) != SIZE_MAX)
		src.url_template = url_template;
	same = same_text(b, &src, p->bytes);
	if (!same.p)
		return no_memory(b);
	d = map_get(&b->documents, same);
	if (!d) {
		src.name = place_name(b, place);
		d = compile(b, p->bytes, &src);
		if (!map_put(&b->documents, same, (void *)(uintptr_t)(d ? d : &failed)))
			return no_memory(b);
	}
	*out = d == &failed ? NULL : d;
	return GH_RC_OK;
}
