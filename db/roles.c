#include "db/roles.h"

#include "core/str.h"
#include "db/sql.h"

static const struct field role_fields[] = {
	FIELD(store_role, TEXT, id),
	FIELD(store_role, TEXT, name),
	FIELD(store_role, TEXT, description),
	FIELD(store_role, TEXT, permissions),
};
static const struct row_type role_type = ROW_TYPE("role", store_role, role_fields);

static const struct field assignment_fields[] = {
	FIELD(store_assignment, TEXT, id),      FIELD(store_assignment, TEXT, role),          FIELD(store_assignment, REF, user_id),
	FIELD(store_assignment, REF, group_id), FIELD(store_assignment, REF, environment_id), FIELD(store_assignment, REF, business_group_id),
};
static const struct row_type assignment_type = ROW_TYPE("role assignment", store_assignment, assignment_fields);

static const struct field place_fields[] = {
	FIELD(store_resource_use, TEXT, kind),
	FIELD(store_resource_use, TEXT, id),
};
static const struct row_type place_type = ROW_TYPE("place", store_resource_use, place_fields);

GH_RC store_role_create(struct store *s, const struct store_role *r, struct gh_err *err)
{
	return change_row(s, SQL_OWN_ROLE_ADD, &role_type, r, (struct change){ .action = "create", .id = r->id }, err);
}

GH_RC store_role_update(struct store *s, const struct store_role *r, struct gh_err *err)
{
	return change_row(s, SQL_OWN_ROLE_SET, &role_type, r, (struct change){ .action = "update", .id = r->id, .must_exist = true }, err);
}

GH_RC store_role_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_OWN_ROLE_DROP, id, STR_NULL, (struct change){ .action = "delete", .kind = "role", .must_exist = true }, err);
}

GH_RC store_role_find(struct store *s, struct arena *a, struct str id, struct store_role *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_OWN_ROLE_GET);

	bind_str(st, 1, id);
	return find_row(s, st, &role_type, a, out, found, err);
}

GH_RC store_roles(struct store *s, struct arena *a, struct store_role **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_OWN_ROLE_ALL), &role_type, a, out, n, err);
}

GH_RC store_assignment_create(struct store *s, const struct store_assignment *v, struct gh_err *err)
{
	return change_row(s, SQL_ASSIGNMENT_ADD, &assignment_type, v, (struct change){ .action = "create", .id = v->id }, err);
}

GH_RC store_assignment_update(struct store *s, const struct store_assignment *v, struct gh_err *err)
{
	return change_row(s, SQL_ASSIGNMENT_SET, &assignment_type, v,
			  (struct change){ .action = "update", .id = v->id, .must_exist = true }, err);
}

GH_RC store_assignment_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_ASSIGNMENT_DROP, id, STR_NULL,
			   (struct change){ .action = "delete", .kind = "role assignment", .must_exist = true }, err);
}

GH_RC store_assignment_find(struct store *s, struct arena *a, struct str id, struct store_assignment *out, bool *found,
			    struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ASSIGNMENT_GET);

	bind_str(st, 1, id);
	return find_row(s, st, &assignment_type, a, out, found, err);
}

GH_RC store_assignments(struct store *s, struct arena *a, struct store_assignment **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_ASSIGNMENT_ALL), &assignment_type, a, out, n, err);
}

GH_RC store_assignments_of(struct store *s, struct arena *a, struct str user, struct store_assignment **out, size_t *n,
			   struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ASSIGNMENT_OF_USER);

	bind_str(st, 1, user);
	return list_rows(s, st, &assignment_type, a, out, n, err);
}

static GH_RC places(struct store *s, struct arena *a, enum sql which, struct str id, struct store_resource_use **out, size_t *n,
		    struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, which);

	bind_str(st, 1, id);
	return list_rows(s, st, &place_type, a, out, n, err);
}

GH_RC store_places_of_group(struct store *s, struct arena *a, struct str group, struct store_resource_use **out, size_t *n,
			    struct gh_err *err)
{
	return places(s, a, SQL_PLACES_OF_GROUP, group, out, n, err);
}

GH_RC store_roles_in_group(struct store *s, struct arena *a, struct str group, struct store_resource_use **out, size_t *n,
			   struct gh_err *err)
{
	return places(s, a, SQL_ROLES_IN_GROUP, group, out, n, err);
}

GH_RC store_places(struct store *s, struct arena *a, enum store_placed what, struct str id, struct store_resource_use **out, size_t *n,
		   struct gh_err *err)
{
	static const enum sql statements[] = {
		[STORE_PLACE_API] = SQL_PLACE_API, [STORE_PLACE_PRODUCT] = SQL_PLACE_PRODUCT, [STORE_PLACE_TIER] = SQL_PLACE_TIER,
		[STORE_PLACE_APPLICATION] = SQL_PLACE_APPLICATION, [STORE_PLACE_SUBSCRIPTION] = SQL_PLACE_SUBSCRIPTION,
	};

	return places(s, a, statements[what], id, out, n, err);
}
