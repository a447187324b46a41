#include "db/resources.h"

#include "core/str.h"
#include "db/sql.h"

static const struct {
	enum sql has, ids, uses;
} statements[] = {
#define RESOURCE(name, has, ids, uses) [STORE_RESOURCE_##name] = { SQL_HAS_##name, SQL_IDS_##name, SQL_USES_##name },
#include "db/resources.def"
#undef RESOURCE
};

static const struct field id_fields[] = { { "id", FIELD_TEXT, 0 } };
static const struct row_type id_type = { "id", id_fields, 1, sizeof(struct str) };
static const struct field use_fields[] = {
	FIELD(store_resource_use, TEXT, kind),
	FIELD(store_resource_use, TEXT, id),
};
static const struct row_type use_type = ROW_TYPE("reference", store_resource_use, use_fields);

/* "orders;rev=2/get-order" in its parts: operations are kept in the order of those. */
static void bind_operation(sqlite3_stmt *st, struct str after)
{
	size_t slash = str_find_char(after, '/');
	struct str place = str_first(after, slash), operation = slash == SIZE_MAX ? STR("") : str_from(after, slash + 1);
	size_t mark = str_find(place, STR(";rev="));

	bind_str(st, 1, str_first(place, mark));
	bind_str(st, 5, mark == SIZE_MAX ? STR("") : str_from(place, mark + 5));
	bind_str(st, 6, operation);
}

GH_RC store_resource_ids(struct store *s, struct arena *a, enum store_resource which, const struct store_resource_page *page,
			 struct str **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, statements[which].ids);
	const struct store_page text = { .search = page->search };
	char pattern[512];

	bind_page(st, 2, &text, pattern);        /* also binds ?3 and ?4, which the filters take over */
	bind_str(st, 1, page->after);
	for (int i = 0; i < STORE_RESOURCE_FILTERS; i++)
		bind_str(st, 3 + i, page->filters[i]);
	if (which == STORE_RESOURCE_OPERATION)
		bind_operation(st, page->after);
	bind_int(st, 3 + STORE_RESOURCE_FILTERS, (int64_t)page->limit);
	if (which == STORE_RESOURCE_SUBSCRIPTION) {
		bind_str(st, 4 + STORE_RESOURCE_FILTERS, page->products);
		bind_str(st, 5 + STORE_RESOURCE_FILTERS, page->apis);
	}
	return list_rows(s, st, &id_type, a, out, n, err);
}

GH_RC store_resource_has(struct store *s, enum store_resource which, struct str id, bool *has, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, statements[which].has);
	int64_t one;

	bind_str(st, 1, id);
	return find_int(s, st, &one, has, err);
}

GH_RC store_resource_uses(struct store *s, struct arena *a, enum store_resource which, struct str id, size_t limit,
			  struct store_resource_use **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, statements[which].uses);

	bind_str(st, 1, id);
	bind_int(st, 2, (int64_t)(limit < STORE_RESOURCE_USES_MAX ? limit : STORE_RESOURCE_USES_MAX));
	return list_rows(s, st, &use_type, a, out, n, err);
}
