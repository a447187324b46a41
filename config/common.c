/* common.c - what several kinds share: names of places in APIs, addresses, links, the compiler of policies. */
#include "config/document.h"

#include "core/str.h"
#include "core/uri.h"
#include "db/apis.h"

enum { POLICY_MEMORY = 1 << 30, POLICY_MEMORY_KEPT = 256 << 20 };

GH_RC pick_row(const void *rows, size_t n, size_t size, struct str id, void *out, bool *found)
{
	*found = false;
	for (size_t i = 0; i < n && !*found; i++) {
		const char *row = (const char *)rows + i * size;

		*found = str_eq(*(const struct str *)(const void *)row, id);
		if (*found)
			memcpy(out, row, size);
	}
	return GH_RC_OK;
}

/* ---- links ------------------------------------------------------------------------------------------------------------- */

static bool has(const struct str *v, size_t n, struct str id)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i], id))
			return true;
	return false;
}

GH_RC put_links(struct resource_put *p, const char *field, resource_ids_of *have, resource_link *add, resource_link *take,
		struct gh_err *err)
{
	struct str *old, *new;
	size_t n_old, n_new;

	TRY(have(p->s, p->a, p->id, &old, &n_old, err));
	TRY(resource_texts(p->a, jsn_get(p->doc, field), &new, &n_new, err));
	for (size_t i = 0; i < n_old; i++)
		if (!has(new, n_new, old[i]))
			TRY(take(p->s, p->id, old[i], err));
	for (size_t i = 0; i < n_new; i++)
		if (!has(old, n_old, new[i]))
			TRY(add(p->s, p->id, new[i], err));
	return GH_RC_OK;
}

void sort_objects(json_t *list, int (*order)(const json_t *a, const json_t *b))
{
	/* lists are short; an insertion sort keeps the order of equals */
	for (size_t i = 1; i < json_array_size(list); i++) {
		json_t *v = json_incref(json_array_get(list, i));
		size_t k = i;

		while (k > 0 && order(v, json_array_get(list, k - 1)) < 0)
			k--;
		if (k < i) {
			json_array_remove(list, i);
			json_array_insert(list, k, v);
		}
		json_decref(v);
	}
}

/* ---- places in APIs ---------------------------------------------------------------------------------------------------- */

bool api_place_parse(struct str id, bool with_operation, struct api_place *out)
{
	size_t slash = with_operation ? str_find_char(id, '/') : id.n, at;
	struct str place = str_first(id, slash);

	*out = (struct api_place){ .operation = STR_NULL };
	if (slash == SIZE_MAX || (with_operation && slash + 1 >= id.n))
		return false;
	if (with_operation)
		out->operation = str_from(id, slash + 1);
	at = str_find(place, STR(";rev="));
	out->api = str_first(place, at == SIZE_MAX ? place.n : at);
	if (at != SIZE_MAX && !str_to_i64(str_from(place, at + 5), 1, INT32_MAX, &out->revision))
		return false;
	return out->api.n > 0 && str_find_char(out->api, '/') == SIZE_MAX && str_find_char(out->api, ';') == SIZE_MAX
	       && (!with_operation || str_find_char(out->operation, '/') == SIZE_MAX);
}

GH_RC api_place_find(struct store *s, struct arena *a, const struct api_place *p, int64_t *number, bool *current, struct gh_err *err)
{
	struct store_api api;
	bool found;

	TRY(store_api_find(s, a, p->api, p->revision, &api, &found, err));
	*number = found ? api.revision : 0;
	*current = found && api.is_current;
	return GH_RC_OK;
}

void check_api_place(struct resource_change *c, const struct resource_kind *k, struct str id, bool with_operation)
{
	struct api_place place;
	int64_t number;
	bool current;

	if (!api_place_parse(id, with_operation, &place)) {
		resource_problem(c, k, id, STR("/id"), with_operation ? "must be API/OPERATION or API;rev=N/OPERATION" : "must be API or API;rev=N");
		return;
	}
	if (api_place_find(c->store, c->scratch, &place, &number, &current, NULL).code)
		return;                          /* the next statement says what is wrong with the store */
	if (!number && !place.revision)
		resource_problem(c, k, id, STR("/id"), "there is no API '%.*s'%.*s", STR_ARG(place.api),
				 STR_ARG(resource_meant(c, &kind_api, place.api)));
	else if (!number && k != &kind_revision)
		resource_problem(c, k, id, STR("/id"), "there is no revision %lld of API '%.*s'", (long long)place.revision, STR_ARG(place.api));
	else if (place.revision && current)
		resource_problem(c, k, id, STR("/id"), "revision %lld is the current one: leave ';rev=%lld' out", (long long)number, (long long)number);
}

/* ---- addresses --------------------------------------------------------------------------------------------------------- */

void check_address(struct resource_put *p, const char *pointer, struct str url)
{
	struct uri u;

	if (!url.n || str_find(url, STR("{{")) != SIZE_MAX)      /* with a named value in it, it is known later */
		return;
	if (!uri_parse(url, &u) || !(str_eq_ci(u.scheme, STR("http")) || str_eq_ci(u.scheme, STR("https"))) || !u.host.n)
		put_problem(p, pointer, "must be an address like https://backend.example/path");
}

/* ---- policies ---------------------------------------------------------------------------------------------------------- */

void resource_forget_policies(struct resource_change *c, const struct resource_kind *k)
{
	if (k != &kind_named_value && k != &kind_policy_fragment && strcmp(k->name, "logger") != 0)
		return;
	arena_free(c->policy_arena);
	c->policy_arena = NULL;
}

static GH_RC compiled_with(struct resource_put *p, struct gh_err *err)
{
	struct resource_change *c = p->c;

	/* documents are compiled into this memory too, so now and then it begins anew */
	if (c->policy_arena && arena_used(c->policy_arena) > POLICY_MEMORY_KEPT) {
		arena_free(c->policy_arena);
		c->policy_arena = NULL;
	}
	if (c->policy_arena)
		return GH_RC_OK;
	c->policy_arena = arena_new(POLICY_MEMORY);
	if (!c->policy_arena)
		FAIL(err, NOMEM, "policies");
	return policy_store_new(c->policy_arena, p->s, &c->policies, err);
}

GH_RC check_policy(struct resource_put *p, const char *pointer, struct str text, const struct store_policy_scope *scope,
		   struct gh_err *err)
{
	const struct policy_source src = { .name = p->id, .fragment = true };
	const struct policy_document *compiled;
	struct policy_diags diags;
	struct policy_env env;

	TRY(compiled_with(p, err));
	env = policy_store_env(p->c->policies);
	policy_diags_init(&diags, p->a);
	if (scope)
		TRY(policy_store_compile(p->c->policies, p->s, scope, p->id, text, &compiled, &diags, err));
	else
		compiled = policy_compile(p->a, text, &src, &env, &diags);
	if (compiled)
		return GH_RC_OK;
	for (size_t i = 0; i < diags.n; i++)
		if (!diags.v[i].warning)
			put_problem(p, pointer, "line %u, column %u: %.*s", diags.v[i].line, diags.v[i].column, STR_ARG(diags.v[i].message));
	if (!diags.errors)
		FAIL(err, NOMEM, "policy");
	return GH_RC_OK;
}

json_t *json_words(struct str rest)
{
	json_t *list = json_array();
	struct str word;

	while (str_word(&rest, &word))
		json_array_append_new(list, json_stringn(word.p, word.n));
	return list;
}

bool http_is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && !strchr("!#$%&'*+-.^_`|~", s.p[i]))
			return false;
	return s.n > 0;
}

GH_RC check_named_value(struct resource_put *p, const char *pointer, struct str name, struct gh_err *err)
{
	bool there;

	TRY(resource_exists(p->s, &kind_named_value, name, &there, err));
	if (!there)
		put_problem(p, pointer, "there is no named value '%.*s'%.*s", STR_ARG(str_first(name, 200)),
			    STR_ARG(resource_meant(p->c, &kind_named_value, name)));
	return GH_RC_OK;
}
