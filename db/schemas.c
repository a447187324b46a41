/* schemas.c - the rows of content_schema. */
#include "db/schemas.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/sql.h"

enum { ID_MAX = 80 };

static const struct field schema_fields[] = {
	FIELD(store_schema, TEXT, id),
	FIELD(store_schema, INT, kind),
	FIELD(store_schema, TEXT, description),
	FIELD_HIDDEN(store_schema, BLOB, bytes),
	FIELD(store_schema, TIME, changed_us),
};
static const struct row_type schema_type = ROW_TYPE("schema", store_schema, schema_fields);

static GH_RC check_id(struct str id, struct gh_err *err)
{
	for (size_t i = 0; i < id.n; i++)
		if (!ascii_is_alpha(id.p[i]) && !ascii_is_digit(id.p[i]) && !strchr("._-", id.p[i]))
			FAIL(err, INVALID, "schema '%.*s': an id consists of letters, digits, '.', '_' and '-'", STR_ARG(id));
	if (!id.n || id.n > ID_MAX)
		FAIL(err, INVALID, "the id of a schema has 1 to %d characters", ID_MAX);
	return GH_RC_OK;
}

GH_RC store_schema_set(struct store *s, const struct store_schema *schema, struct gh_err *err)
{
	struct store_schema row = *schema;

	TRY(check_id(row.id, err));
	if (row.bytes.n > STORE_SCHEMA_MAX)
		FAIL(err, LIMIT, "schema '%.*s' has %zu bytes; %d are allowed", STR_ARG(row.id), row.bytes.n, STORE_SCHEMA_MAX);
	row.changed_us = clock_wall_us();
	return change_row(s, SQL_SCHEMA_PUT, &schema_type, &row,
			  (struct change){ .action = "set", .id = row.id, .raises = RAISES_CONFIG }, err);
}

GH_RC store_schema_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_SCHEMA_DROP, id, STR_NULL, CHANGE_DROP("schema"), err);
}

GH_RC store_schema_find(struct store *s, struct arena *a, struct str id, struct store_schema *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SCHEMA_GET);

	bind_str(st, 1, id);
	return find_row(s, st, &schema_type, a, out, found, err);
}

GH_RC store_schemas(struct store *s, struct arena *a, struct store_schema **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_SCHEMA_ALL), &schema_type, a, out, n, err);
}
