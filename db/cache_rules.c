#include "db/cache_rules.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/sql.h"

static const struct field rule_fields[] = {
	FIELD(store_cache_rule, TEXT, api_id), FIELD(store_cache_rule, TEXT, operation_id), FIELD(store_cache_rule, BOOL, enabled),
	FIELD(store_cache_rule, TEXT, shared_by), FIELD(store_cache_rule, INT, ttl_s),
	FIELD(store_cache_rule, INT, stale_while_revalidate_s), FIELD(store_cache_rule, INT, stale_if_error_s),
	FIELD(store_cache_rule, INT, max_bytes), FIELD(store_cache_rule, TEXT, vary_by), FIELD(store_cache_rule, BOOL, authorized),
	FIELD(store_cache_rule, BOOL, obeys_client), FIELD(store_cache_rule, BOOL, tells), FIELD(store_cache_rule, TIME, changed_us),
};
static const struct row_type rule_type = ROW_TYPE("cache rule", store_cache_rule, rule_fields);

GH_RC store_cache_rule_set(struct store *s, const struct store_cache_rule *r, struct gh_err *err)
{
	struct store_cache_rule row = *r;

	if (r->vary_by.n > STORE_TEXT_MAX)
		FAIL(err, LIMIT, "a list of fields is larger than %d bytes", STORE_TEXT_MAX);
	row.changed_us = clock_wall_us();
	return change_row(s, SQL_CACHE_RULE_PUT, &rule_type, &row,
			  (struct change){ .action = "set", .id = r->api_id, .raises = RAISES_CONFIG }, err);
}

GH_RC store_cache_rule_delete(struct store *s, struct str api_id, struct str operation_id, struct gh_err *err)
{
	struct change c = CHANGE_DROP("cache rule");

	c.id = api_id;
	return change_keys(s, SQL_CACHE_RULE_DROP, api_id, operation_id.p ? operation_id : STR(""), c, err);
}

GH_RC store_cache_rule_find(struct store *s, struct arena *a, struct str api_id, struct str operation_id,
			    struct store_cache_rule *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CACHE_RULE_GET);

	bind_str(st, 1, api_id);
	bind_str(st, 2, operation_id.p ? operation_id : STR(""));
	return find_row(s, st, &rule_type, a, out, found, err);
}

GH_RC store_cache_rules(struct store *s, struct arena *a, struct store_cache_rule **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_CACHE_RULE_ALL), &rule_type, a, out, n, err);
}
