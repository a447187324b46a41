#include "db/environments.h"

#include "core/str.h"
#include "db/sql.h"

static const struct field group_fields[] = {
	FIELD(store_business_group, TEXT, id),
	FIELD(store_business_group, TEXT, name),
	FIELD(store_business_group, REF, parent_id),
};
static const struct row_type group_type = ROW_TYPE("business group", store_business_group, group_fields);

static const struct field environment_fields[] = {
	FIELD(store_environment, TEXT, id),  FIELD(store_environment, TEXT, name), FIELD(store_environment, TEXT, business_group_id),
	FIELD(store_environment, REF, host), FIELD(store_environment, REF, path_prefix), FIELD(store_environment, TEXT, kind),
	FIELD(store_environment, TEXT, variables),
};
static const struct row_type environment_type = ROW_TYPE("environment", store_environment, environment_fields);

struct setting_row {
	struct str name, value;
};
static const struct field setting_fields[] = {
	FIELD(setting_row, TEXT, name),
	FIELD(setting_row, TEXT, value),
};
static const struct row_type setting_type = ROW_TYPE("setting", setting_row, setting_fields);

GH_RC store_business_group_create(struct store *s, const struct store_business_group *g, struct gh_err *err)
{
	return change_row(s, SQL_BUSINESS_GROUP_ADD, &group_type, g, CHANGE_ADD(g->id), err);
}

GH_RC store_business_group_update(struct store *s, const struct store_business_group *g, struct gh_err *err)
{
	return change_row(s, SQL_BUSINESS_GROUP_SET, &group_type, g, CHANGE_SET(g->id), err);
}

GH_RC store_business_group_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_BUSINESS_GROUP_DROP, id, STR_NULL, CHANGE_DROP("business group"), err);
}

GH_RC store_business_groups(struct store *s, struct arena *a, struct store_business_group **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_BUSINESS_GROUP_ALL), &group_type, a, out, n, err);
}

/* The gateway compares these with parts of a request and does not clean them up itself. */
static gh_rc check_place(const struct store_environment *e, struct gh_err *err)
{
	for (size_t i = 0; i < e->host.n; i++)
		if (e->host.p[i] != ascii_lower(e->host.p[i]) || e->host.p[i] == '/' || ascii_is_space(e->host.p[i]))
			FAIL(err, INVALID, "environment '%.*s': host '%.*s' must be a lower-case host name", STR_ARG(e->id),
			     STR_ARG(e->host));
	if (str_starts(e->path_prefix, STR("/")) || str_ends(e->path_prefix, STR("/")))
		FAIL(err, INVALID, "environment '%.*s': path prefix '%.*s' must have no slash at its ends", STR_ARG(e->id),
		     STR_ARG(e->path_prefix));
	return GH_RC_OK;
}

GH_RC store_environment_create(struct store *s, const struct store_environment *e, struct gh_err *err)
{
	TRY(check_place(e, err));
	return change_row(s, SQL_ENVIRONMENT_ADD, &environment_type, e, CHANGE_ADD(e->id), err);
}

GH_RC store_environment_update(struct store *s, const struct store_environment *e, struct gh_err *err)
{
	TRY(check_place(e, err));
	return change_row(s, SQL_ENVIRONMENT_SET, &environment_type, e, CHANGE_SET(e->id), err);
}

GH_RC store_environment_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_ENVIRONMENT_DROP, id, STR_NULL, CHANGE_DROP("environment"), err);
}

GH_RC store_environment_find(struct store *s, struct arena *a, struct str id, struct store_environment *out, bool *found,
			     struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ENVIRONMENT_GET);

	bind_str(st, 1, id);
	return find_row(s, st, &environment_type, a, out, found, err);
}

GH_RC store_environments(struct store *s, struct arena *a, struct store_environment **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_ENVIRONMENT_ALL), &environment_type, a, out, n, err);
}

GH_RC store_setting_get(struct store *s, struct arena *a, struct str name, struct str *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SETTING_GET);
	struct setting_row row;

	bind_str(st, 1, name);
	TRY(find_row(s, st, &setting_type, a, &row, found, err));
	if (*found)
		*out = row.value;
	return GH_RC_OK;
}

GH_RC store_setting_set(struct store *s, struct str name, struct str value, struct gh_err *err)
{
	struct setting_row row = { name, value };

	return change_row(s, SQL_SETTING_PUT, &setting_type, &row,
			  (struct change){ .action = "set", .id = name, .raises = RAISES_CONFIG }, err);
}

GH_RC store_setting_unset(struct store *s, struct str name, struct gh_err *err)
{
	return change_keys(s, SQL_SETTING_DROP, name, STR_NULL, CHANGE_DROP("setting"), err);
}
