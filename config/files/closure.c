#include "config/files/closure.h"

#include "config/files/layout.h"
#include "core/str.h"

#include <stdlib.h>

enum { RESOURCES_MAX = 50000 };

struct found {
	const struct resource_kind *kind;
	json_t *doc;
};

struct closure {
	struct store *store;
	struct arena *arena;
	struct map seen;                 /* "kind id" */
	struct found *v;
	size_t n, cap, next;             /* those before `next` have been looked through */
};

/* Attributes of policies that name a resource. */
static const struct {
	const char *before, *kind;
} named[] = {
	{ "fragment-id=\"", "policy-fragment" }, { "backend-id=\"", "backend" }, { "logger-id=\"", "logger" },
	{ "certificate-id=\"", "certificate" }, { "schema-id=\"", "schema" },
};

static GH_RC add(struct closure *c, const struct resource_kind *k, json_t *doc, struct gh_err *err)
{
	struct str name = arena_printf(c->arena, "%s %.*s", k->name, STR_ARG(jsn_str(doc, "id")));

	if (name.p && map_get(&c->seen, name))
		return GH_RC_OK;
	if (c->n == RESOURCES_MAX)
		FAIL(err, LIMIT, "the API needs more than %d resources", RESOURCES_MAX);
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 64;
		struct found *v = arena_alloc(c->arena, cap, sizeof(*v));

		if (!v)
			FAIL(err, NOMEM, "export");
		if (c->n)
			memcpy(v, c->v, c->n * sizeof(*v));
		c->v = v;
		c->cap = cap;
	}
	if (!name.p || !map_put(&c->seen, name, c))
		FAIL(err, NOMEM, "export");
	c->v[c->n++] = (struct found){ k, doc };
	return GH_RC_OK;
}

static GH_RC add_by_name(struct closure *c, const char *kind, struct str id, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(str_of(kind));
	json_t *doc;

	if (!k || k->personal || strcmp(kind, "environment") == 0 || strcmp(kind, "business-group") == 0)
		return GH_RC_OK;
	TRY(resource_read(c->store, c->arena, k, id, &doc, err));
	return doc ? add(c, k, doc, err) : GH_RC_OK;
}

/* ---- what belongs to the API ------------------------------------------------------------------------------------------------------ */

static GH_RC add_owned(struct closure *c, const struct resource_kind *k, size_t filter, struct str api, struct gh_err *err)
{
	struct resource_query q = { .limit = RESOURCE_LIST_MAX };
	struct str next;
	json_t *page, *doc;
	size_t i;

	q.values[filter] = api;
	do {
		TRY(resource_list(c->store, c->arena, k, &q, &page, &next, err));
		json_array_foreach(page, i, doc) {
			struct layout_owner o = layout_owner(k, doc);

			if (o.kind && strcmp(o.kind, "api") == 0 && str_eq(o.id, api))
				TRY(add(c, k, doc, err));
		}
		q.after = next;
	} while (next.n);
	return GH_RC_OK;
}

/* ---- what is named --------------------------------------------------------------------------------------------------------------------- */

static GH_RC names_in_text(struct closure *c, struct str text, struct gh_err *err)
{
	struct str rest = text;
	size_t at;

	while ((at = str_find(rest, STR("{{"))) != SIZE_MAX) {
		size_t end;

		rest = str_from(rest, at + 2);
		end = str_find(rest, STR("}}"));
		if (end != SIZE_MAX && end < 300)
			TRY(add_by_name(c, "named-value", str_trim(str_first(rest, end)), err));
	}
	for (size_t i = 0; i < ARRAY_LEN(named); i++) {
		struct str before = str_of(named[i].before);

		for (rest = text; (at = str_find(rest, before)) != SIZE_MAX;) {
			rest = str_from(rest, at + before.n);
			TRY(add_by_name(c, named[i].kind, str_first(rest, str_find_char(rest, '"')), err));
		}
	}
	return GH_RC_OK;
}

static GH_RC names_in_fields(struct closure *c, const struct resource_field *fields, const json_t *doc, struct gh_err *err)
{
	for (const struct resource_field *f = fields; f && f->name; f++) {
		const json_t *v = jsn_get(doc, f->name);
		size_t n = json_is_array(v) ? json_array_size(v) : v != NULL;

		if (f->flags & RESOURCE_FILE && json_is_string(v))
			TRY(names_in_text(c, jsn_string(v), err));
		for (size_t i = 0; i < n; i++) {
			const json_t *one = json_is_array(v) ? json_array_get(v, i) : v;

			if (f->ref && json_is_string(one) && strcmp(f->ref, "api") != 0)
				TRY(add_by_name(c, f->ref, jsn_string(one), err));
			if (f->fields && json_is_object(one))
				TRY(names_in_fields(c, f->fields, one, err));
		}
	}
	return GH_RC_OK;
}

static int by_place(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	size_t i = files_kind_index(x->kind), j = files_kind_index(y->kind);

	return i != j ? (i < j ? -1 : 1) : str_cmp(jsn_str(x->doc, "id"), jsn_str(y->doc, "id"));
}

GH_RC closure_of_api(struct store *s, struct arena *a, struct str api,
		     gh_rc (*each)(void *ctx, const struct resource_kind *k, const json_t *doc, struct gh_err *err), void *ctx,
		     struct gh_err *err)
{
	struct closure c = { .store = s, .arena = a };

	map_init(&c.seen, a, false);
	TRY(add_by_name(&c, "api", api, err));
	if (c.n == 0)
		FAIL(err, NOT_FOUND, "there is no API '%.*s'%.*s", STR_ARG(str_first(api, 200)), STR_ARG(resource_did_you_mean(s, a, resource_kind_find(STR("api")), api)));
	for (size_t i = 0; resource_kinds[i]; i++)
		for (size_t k = 0; !resource_kinds[i]->personal && resource_kinds[i]->filters[k].name; k++)
			if (strcmp(resource_kinds[i]->filters[k].name, "api") == 0)
				TRY(add_owned(&c, resource_kinds[i], k, api, err));
	for (; c.next < c.n; c.next++)
		TRY(names_in_fields(&c, c.v[c.next].kind->fields, c.v[c.next].doc, err));
	qsort(c.v, c.n, sizeof(*c.v), by_place);
	for (size_t i = 0; i < c.n; i++)
		TRY(each(ctx, c.v[i].kind, c.v[i].doc, err));
	return GH_RC_OK;
}
