#include "db/governance.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/sql.h"

static const struct field ruleset_fields[] = {
	FIELD(store_governance_ruleset, TEXT, id),
	FIELD(store_governance_ruleset, TEXT, name),
	FIELD(store_governance_ruleset, TEXT, description),
	FIELD(store_governance_ruleset, BOOL, enabled),
	FIELD_HIDDEN(store_governance_ruleset, TEXT, rules),
	FIELD(store_governance_ruleset, TEXT, environments),
	FIELD(store_governance_ruleset, TEXT, tags),
	FIELD(store_governance_ruleset, TEXT, severities),
	FIELD(store_governance_ruleset, TIME, changed_us),
};
static const struct row_type ruleset_type = ROW_TYPE("governance ruleset", store_governance_ruleset, ruleset_fields);

static const struct field exception_fields[] = {
	FIELD(store_governance_exception, TEXT, id),
	FIELD(store_governance_exception, REF, api_id),
	FIELD(store_governance_exception, TEXT, rule),
	FIELD(store_governance_exception, TEXT, reason),
	FIELD(store_governance_exception, TEXT, owner),
	FIELD(store_governance_exception, TIME, ends_us),
	FIELD(store_governance_exception, TIME, created_us),
};
static const struct row_type exception_type = ROW_TYPE("governance exception", store_governance_exception, exception_fields);

GH_RC store_governance_ruleset_set(struct store *s, const struct store_governance_ruleset *r, struct gh_err *err)
{
	struct store_governance_ruleset row = *r;

	row.changed_us = clock_wall_us();
	row.environments = row.environments.n ? row.environments : STR("[]");
	row.tags = row.tags.n ? row.tags : STR("[]");
	row.severities = row.severities.n ? row.severities : STR("{}");
	return change_row(s, SQL_RULESET_PUT, &ruleset_type, &row,
			  (struct change){ .action = "set", .id = row.id, .raises = RAISES_CONFIG }, err);
}

GH_RC store_governance_ruleset_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_RULESET_DROP, id, STR_NULL, CHANGE_DROP("governance ruleset"), err);
}

GH_RC store_governance_ruleset_find(struct store *s, struct arena *a, struct str id, struct store_governance_ruleset *out, bool *found,
				    struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_RULESET_GET);

	bind_str(st, 1, id);
	return find_row(s, st, &ruleset_type, a, out, found, err);
}

GH_RC store_governance_rulesets(struct store *s, struct arena *a, struct store_governance_ruleset **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_RULESET_ALL), &ruleset_type, a, out, n, err);
}

GH_RC store_governance_exception_set(struct store *s, const struct store_governance_exception *e, struct gh_err *err)
{
	struct store_governance_exception row = *e;

	row.created_us = clock_wall_us();                /* one that is there keeps its own */
	return change_row(s, SQL_EXCEPTION_PUT, &exception_type, &row,
			  (struct change){ .action = "set", .id = row.id, .raises = RAISES_CONFIG }, err);
}

GH_RC store_governance_exception_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_EXCEPTION_DROP, id, STR_NULL, CHANGE_DROP("governance exception"), err);
}

GH_RC store_governance_exception_find(struct store *s, struct arena *a, struct str id, struct store_governance_exception *out, bool *found,
				      struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_EXCEPTION_GET);

	bind_str(st, 1, id);
	return find_row(s, st, &exception_type, a, out, found, err);
}

GH_RC store_governance_exceptions(struct store *s, struct arena *a, struct store_governance_exception **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_EXCEPTION_ALL), &exception_type, a, out, n, err);
}
