/* read.c - kinds by name; resources one by one, and lists of them. */
#include "config/document.h"

#include "config/rights.h"
#include "core/str.h"

const struct resource_kind *const resource_kinds[] = {
#define X(name) &name,
#include "config/kinds.def"
#undef X
	NULL,
};

const struct resource_kind *resource_kind_find(struct str name)
{
	for (size_t i = 0; resource_kinds[i]; i++)
		if (str_eq(name, str_of(resource_kinds[i]->name)) || str_eq(name, str_of(resource_kinds[i]->plural)))
			return resource_kinds[i];
	return NULL;
}

GH_RC resource_read(struct store *s, struct arena *a, const struct resource_kind *k, struct str id, json_t **out,
		    struct gh_err *err)
{
	void *row = arena_alloc(a, 1, k->ops->row_size);
	bool found;

	*out = NULL;
	if (!row)
		FAIL(err, NOMEM, "%s", k->name);
	TRY(k->ops->find(s, a, id, row, &found, err));
	if (found)
		TRY(resource_allowed(s, k, id, false, &found, err));
	return found ? resource_show(s, a, k, row, out, err) : GH_RC_OK;
}

GH_RC resource_exists(struct store *s, const struct resource_kind *k, struct str id, bool *exists, struct gh_err *err)
{
	TRY(store_resource_has(s, k->ops->store, id, exists, err));
	return *exists ? resource_in_reach(s, k, id, exists, err) : GH_RC_OK;
}

/* ---- lists ------------------------------------------------------------------------------------------------------------- */

static GH_RC check_filters(const struct resource_kind *k, const struct resource_query *q, struct gh_err *err)
{
	for (size_t i = 0; k->filters[i].name; i++) {
		const char *const *v = k->filters[i].values;
		bool known = !v || !q->values[i].n;

		for (; !known && *v; v++)
			known = str_eq(q->values[i], str_of(*v));
		if (!known)
			FAIL(err, INVALID, "%s: there is no %s '%.*s'", k->plural, k->filters[i].name, STR_ARG(str_first(q->values[i], 80)));
	}
	return GH_RC_OK;
}

/* A page of what the viewer may see and the query keeps: as many pages of the store as it takes. page->limit is one more than is wanted. */
static GH_RC ids_in_sight(struct store *s, struct arena *a, const struct resource_kind *k, const struct resource_query *q,
			  struct store_resource_page *page, struct str **out, size_t *n, struct str *next, struct gh_err *err)
{
	size_t limit = page->limit - 1, got;
	struct str *ids;
	bool yes;

	*n = 0;
	*next = STR_NULL;
	*out = arena_alloc(a, page->limit, sizeof(**out));
	if (!*out)
		FAIL(err, NOMEM, "%s", k->plural);
	TRY(resource_holders_in_sight(s, a, k, &page->products, &page->apis, err));
	do {
		TRY(store_resource_ids(s, a, k->ops->store, page, &ids, &got, err));
		for (size_t i = 0; i < got; i++) {
			TRY(resource_allowed(s, k, ids[i], false, &yes, err));
			if (yes && q->keep)
				TRY(q->keep(q->keep_ctx, ids[i], &yes, err));
			if (yes && *n == limit) {
				*next = (*out)[limit - 1];
				return GH_RC_OK;
			}
			if (yes)
				(*out)[(*n)++] = ids[i];
		}
		if (got)
			page->after = ids[got - 1];
	} while (got == page->limit);
	return GH_RC_OK;
}

GH_RC resource_ids(struct store *s, struct arena *a, const struct resource_kind *k, const struct resource_query *q, struct str **out,
		   size_t *n, struct str *next, struct gh_err *err)
{
	static const struct resource_query all;
	struct store_resource_page page;
	size_t limit;

	q = q ? q : &all;
	limit = !q->limit ? RESOURCE_LIST_DEFAULT : q->limit < RESOURCE_LIST_MAX ? q->limit : RESOURCE_LIST_MAX;
	page = (struct store_resource_page){ .after = q->after, .search = q->search, .limit = limit + 1 };
	TRY(check_filters(k, q, err));
	memcpy(page.filters, q->values, sizeof(page.filters));
	if (store_viewer(s) || q->keep)
		return ids_in_sight(s, a, k, q, &page, out, n, next, err);
	TRY(store_resource_ids(s, a, k->ops->store, &page, out, n, err));
	*next = STR_NULL;
	if (*n > limit) {
		*n = limit;
		*next = (*out)[limit - 1];
	}
	return GH_RC_OK;
}

static size_t texts_size(const struct resource_kind *k, const json_t *doc)
{
	size_t n = 0;

	for (const struct resource_field *f = k->fields; f->name; f++)
		n += jsn_str(doc, f->name).n;
	return n;
}

GH_RC resource_list(struct store *s, struct arena *a, const struct resource_kind *k, const struct resource_query *q,
		    json_t **out, struct str *next, struct gh_err *err)
{
	struct str *ids;
	json_t *doc;
	size_t n, bytes = 0;

	*out = jsn_keep(a, json_array());
	if (!*out)
		FAIL(err, NOMEM, "%s", k->plural);
	TRY(resource_ids(s, a, k, q, &ids, &n, next, err));
	for (size_t i = 0; i < n; i++) {
		TRY(resource_read(s, a, k, ids[i], &doc, err));
		if (!doc)
			continue;                /* it went between two statements */
		json_array_append(*out, doc);
		bytes += texts_size(k, doc);
		if (bytes > RESOURCE_LIST_BYTES && i + 1 < n) {
			*next = ids[i];
			break;
		}
	}
	return GH_RC_OK;
}

GH_RC resource_uses(struct store *s, struct arena *a, const struct resource_kind *k, struct str id, size_t limit,
		    struct resource_name **out, size_t *n, struct gh_err *err)
{
	struct store_resource_use *uses;
	size_t found, more = 0;

	TRY(store_resource_uses(s, a, k->ops->store, id, limit, &uses, &found, err));
	*out = arena_alloc(a, limit + 1, sizeof(**out));
	if (!*out)
		FAIL(err, NOMEM, "references to %s", k->name);
	*n = 0;
	for (size_t i = 0; i < found; i++) {
		(*out)[*n] = (struct resource_name){ .kind = resource_kind_find(uses[i].kind), .id = uses[i].id };
		*n += (*out)[*n].kind != NULL;
	}
	if (k->ops->uses && *n < limit)
		TRY(k->ops->uses(s, a, id, limit - *n, *out + *n, &more, err));
	*n += more;
	return GH_RC_OK;
}
