#include "db/access_rules.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/sql.h"

static const struct field rule_fields[] = {
	FIELD(store_access_rule, REF, api_id),
	FIELD(store_access_rule, REF, product_id),
	FIELD(store_access_rule, TEXT, rule),
	FIELD(store_access_rule, TIME, changed_us),
};
static const struct row_type rule_type = ROW_TYPE("access rule", store_access_rule, rule_fields);

GH_RC store_access_rule_set(struct store *s, const struct store_access_rule *r, struct gh_err *err)
{
	struct store_access_rule row = *r;

	if (r->rule.n > STORE_TEXT_MAX)
		FAIL(err, LIMIT, "an access rule is larger than %d bytes", STORE_TEXT_MAX);
	row.changed_us = clock_wall_us();
	return change_row(s, SQL_ACCESS_RULE_PUT, &rule_type, &row,
			  (struct change){ .action = "set", .id = r->api_id.n ? r->api_id : r->product_id, .raises = RAISES_CONFIG }, err);
}

GH_RC store_access_rule_delete(struct store *s, struct str api_id, struct str product_id, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ACCESS_RULE_DROP);
	struct change c = CHANGE_DROP("access rule");

	c.id = api_id.n ? api_id : product_id;
	c.must_exist = true;
	bind_str(st, 1, api_id);
	bind_str(st, 2, product_id);
	return change_run(s, st, &c, err);
}

GH_RC store_access_rule_find(struct store *s, struct arena *a, struct str api_id, struct str product_id,
			     struct store_access_rule *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ACCESS_RULE_GET);

	bind_str(st, 1, api_id);
	bind_str(st, 2, product_id);
	return find_row(s, st, &rule_type, a, out, found, err);
}

GH_RC store_access_rules(struct store *s, struct arena *a, struct store_access_rule **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_ACCESS_RULE_ALL), &rule_type, a, out, n, err);
}
