#include "db/users.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/user_rows.h"

static const struct field user_fields[] = {
	FIELD(store_user, TEXT, id),        FIELD(store_user, TEXT, email), FIELD(store_user, TEXT, first_name),
	FIELD(store_user, TEXT, last_name), FIELD(store_user, TEXT, role),  FIELD(store_user, INT, state),
	FIELD(store_user, TEXT, note),      FIELD_HIDDEN(store_user, REF, password_hash),
	FIELD(store_user, TIME, created_us), FIELD(store_user, TIME, signed_in_us),
};
enum { USER_SET_FIELDS = 7 };            /* what an update writes */
const struct row_type user_type = ROW_TYPE("user", store_user, user_fields);
static const struct row_type user_set_type = { "user", user_fields, USER_SET_FIELDS, sizeof(struct store_user) };

static const struct field group_fields[] = {
	FIELD(store_group, TEXT, id),
	FIELD(store_group, TEXT, name),
	FIELD(store_group, TEXT, description),
	FIELD(store_group, BOOL, built_in),
};
static const struct row_type group_type = ROW_TYPE("group", store_group, group_fields);

static const struct field application_fields[] = {
	FIELD(store_application, TEXT, id),           FIELD(store_application, TEXT, name),
	FIELD(store_application, TEXT, description),  FIELD(store_application, TEXT, redirect_url),
	FIELD(store_application, TEXT, business_group_id), FIELD(store_application, TIME, created_us),
};
static const struct row_type application_type = ROW_TYPE("application", store_application, application_fields);

#define ACCESS_CHANGE(verb, what, row_id) \
	((struct change){ .action = (verb), .kind = (what), .id = (row_id), .raises = RAISES_ACCESS, .must_exist = true })

/* ---- users ------------------------------------------------------------------------------------------------------------ */

GH_RC store_user_check_email(struct str email, struct gh_err *err)
{
	size_t at = str_find_char(email, '@');

	if (at == SIZE_MAX || at == 0 || at + 1 == email.n || email.n > 254)
		FAIL(err, INVALID, "'%.*s' is no e-mail address", STR_ARG(str_first(email, 254)));
	for (size_t i = 0; i < email.n; i++)
		if ((unsigned char)email.p[i] <= ' ' || strchr("<>,;\"", email.p[i]))
			FAIL(err, INVALID, "'%.*s' is no e-mail address", STR_ARG(email));
	return GH_RC_OK;
}

GH_RC store_user_create(struct store *s, struct arena *a, const struct store_user *u, struct str *id_out, struct gh_err *err)
{
	struct store_user row = *u;

	TRY(store_user_check_email(u->email, err));
	if (!row.id.n)
		TRY(store_new_id(a, &row.id, err));
	if (!row.role.n)
		row.role = STR("developer");
	if (!row.created_us)
		row.created_us = clock_wall_us();
	if (id_out)
		*id_out = row.id;
	return change_row(s, SQL_USER_ADD, &user_type, &row,
			  (struct change){ .action = "create", .id = row.email, .raises = RAISES_ACCESS }, err);
}

GH_RC store_user_update(struct store *s, const struct store_user *u, struct gh_err *err)
{
	TRY(store_user_check_email(u->email, err));
	return change_row(s, SQL_USER_SET, &user_set_type, u, ACCESS_CHANGE("update", "user", u->id), err);
}

GH_RC store_user_prove(struct store *s, struct str id, struct str email, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_USER_PROVE);

	bind_str(st, 1, id);
	bind_str(st, 2, email);
	return change_run(s, st, &(struct change){ .kind = "user", .id = id, .must_exist = true }, err);
}

GH_RC store_user_proven(struct store *s, struct str id, bool *out, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_USER_PROVEN);
	int64_t one;

	bind_str(st, 1, id);
	return find_int(s, st, &one, out, err);
}

GH_RC store_user_set_password(struct store *s, struct str id, struct str password_hash, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_USER_PASSWORD);

	bind_str(st, 1, id);
	bind_ref(st, 2, password_hash);
	return change_run(s, st, &(struct change){ .action = "set-password", .kind = "user", .id = id, .must_exist = true },
			  err);
}

GH_RC store_user_signed_in(struct store *s, struct str id, int64_t at_us, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_USER_SIGNED_IN);

	bind_str(st, 1, id);
	bind_int(st, 2, at_us);
	return change_run(s, st, &(struct change){ .action = "sign-in", .kind = "user", .id = id, .must_exist = true }, err);
}

GH_RC store_user_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_USER_DROP, id, STR_NULL, ACCESS_CHANGE("delete", "user", id), err);
}

GH_RC store_user_last_administrator(struct store *s, struct str id, bool *last, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_USER_LAST_ADMINISTRATOR);
	int64_t one;

	bind_str(st, 1, id);
	bind_int(st, 2, STORE_USER_ACTIVE);
	return find_int(s, st, &one, last, err);
}

GH_RC store_user_find(struct store *s, struct arena *a, struct str id, struct store_user *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_USER_GET);

	bind_str(st, 1, id);
	return find_row(s, st, &user_type, a, out, found, err);
}

GH_RC store_user_find_email(struct store *s, struct arena *a, struct str email, struct store_user *out, bool *found,
			    struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_USER_GET_EMAIL);

	bind_str(st, 1, email);
	return find_row(s, st, &user_type, a, out, found, err);
}

GH_RC store_scim_users(struct store *s, struct arena *a, const struct store_page *page, struct store_user **out, size_t *n,
		       struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SCIM_USERS);

	bind_int(st, 1, (int64_t)page->limit);
	bind_int(st, 2, (int64_t)page->offset);
	return list_rows(s, st, &user_type, a, out, n, err);
}

GH_RC store_scim_users_count(struct store *s, int64_t *out, struct gh_err *err)
{
	return find_int(s, sql_use(s, SQL_SCIM_USERS_COUNT), out, NULL, err);
}

GH_RC store_users_with_roles(struct store *s, struct arena *a, size_t limit, struct store_user **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_USER_WITH_ROLES);

	bind_int(st, 1, STORE_USER_ACTIVE);
	bind_int(st, 2, (int64_t)limit);
	return list_rows(s, st, &user_type, a, out, n, err);
}

GH_RC store_users(struct store *s, struct arena *a, const struct store_page *page, struct store_user **out, size_t *n,
		  struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_USER_PAGE);
	char pattern[512];

	bind_page(st, 1, page, pattern);
	return list_rows(s, st, &user_type, a, out, n, err);
}

/* ---- groups ----------------------------------------------------------------------------------------------------------- */

GH_RC store_group_create(struct store *s, const struct store_group *g, struct gh_err *err)
{
	return change_row(s, SQL_GROUP_ADD, &group_type, g,
			  (struct change){ .action = "create", .id = g->id, .raises = RAISES_ACCESS }, err);
}

GH_RC store_group_update(struct store *s, const struct store_group *g, struct gh_err *err)
{
	return change_row(s, SQL_GROUP_SET, &group_type, g, ACCESS_CHANGE("update", "group", g->id), err);
}

GH_RC store_group_delete(struct store *s, struct str id, struct gh_err *err)
{
	gh_rc rc = change_keys(s, SQL_GROUP_DROP, id, STR_NULL, ACCESS_CHANGE("delete", "group", id), err);

	if (rc.code == GH_E_NOT_FOUND)
		FAIL(err, NOT_FOUND, "there is no group '%.*s' that may be deleted", STR_ARG(id));
	return rc;
}

GH_RC store_groups(struct store *s, struct arena *a, struct store_group **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_GROUP_ALL), &group_type, a, out, n, err);
}

static gh_rc link_user(struct store *s, enum sql sql, const char *action, const char *kind, struct str id, struct str user_id,
		       struct gh_err *err)
{
	struct buf detail;
	gh_rc rc;

	buf_init(&detail, 4096);
	buf_cstr(&detail, "{\"user\":");
	buf_json(&detail, str_first(user_id, 256));
	buf_char(&detail, '}');
	rc = change_keys(s, sql, id, user_id, (struct change){ .action = action, .kind = kind, .detail = buf_view(&detail),
							       .raises = RAISES_ACCESS }, err);
	buf_release(&detail);
	return rc;
}

GH_RC store_group_add(struct store *s, struct str group_id, struct str user_id, struct gh_err *err)
{
	return link_user(s, SQL_MEMBER_ADD, "add", "group", group_id, user_id, err);
}

GH_RC store_group_remove(struct store *s, struct str group_id, struct str user_id, struct gh_err *err)
{
	return link_user(s, SQL_MEMBER_DROP, "remove", "group", group_id, user_id, err);
}

GH_RC store_groups_of_user(struct store *s, struct arena *a, struct str user_id, struct store_group **out, size_t *n,
			   struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_GROUP_OF_USER);

	bind_str(st, 1, user_id);
	return list_rows(s, st, &group_type, a, out, n, err);
}

GH_RC store_users_of_group(struct store *s, struct arena *a, struct str group_id, struct store_user **out, size_t *n,
			   struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_USER_OF_GROUP);

	bind_str(st, 1, group_id);
	return list_rows(s, st, &user_type, a, out, n, err);
}

/* ---- applications ----------------------------------------------------------------------------------------------------- */

static struct store_application filled(const struct store_application *app)
{
	struct store_application row = *app;

	if (!row.business_group_id.n)
		row.business_group_id = STR("default");
	if (!row.created_us)
		row.created_us = clock_wall_us();
	return row;
}

GH_RC store_application_create(struct store *s, struct arena *a, const struct store_application *app, struct str owner_id,
			       struct str *id_out, struct gh_err *err)
{
	struct store_application row = filled(app);

	if (!row.id.n)
		TRY(store_new_id(a, &row.id, err));
	if (id_out)
		*id_out = row.id;
	TRY(change_row(s, SQL_APPLICATION_ADD, &application_type, &row,
		       (struct change){ .action = "create", .id = row.id, .raises = RAISES_ACCESS }, err));
	return owner_id.n ? store_application_add_owner(s, row.id, owner_id, err) : GH_RC_OK;
}

GH_RC store_application_update(struct store *s, const struct store_application *app, struct gh_err *err)
{
	struct store_application row = filled(app);

	return change_row(s, SQL_APPLICATION_SET, &application_type, &row, ACCESS_CHANGE("update", "application", row.id), err);
}

GH_RC store_application_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_APPLICATION_DROP, id, STR_NULL, ACCESS_CHANGE("delete", "application", id), err);
}

GH_RC store_application_find(struct store *s, struct arena *a, struct str id, struct store_application *out, bool *found,
			     struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_APPLICATION_GET);

	bind_str(st, 1, id);
	return find_row(s, st, &application_type, a, out, found, err);
}

GH_RC store_applications(struct store *s, struct arena *a, const struct store_page *page, struct store_application **out,
			 size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_APPLICATION_PAGE);
	char pattern[512];

	bind_page(st, 1, page, pattern);
	return list_rows(s, st, &application_type, a, out, n, err);
}

GH_RC store_applications_of_user(struct store *s, struct arena *a, struct str user_id, struct store_application **out,
				 size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_APPLICATION_OF_USER);

	bind_str(st, 1, user_id);
	return list_rows(s, st, &application_type, a, out, n, err);
}

GH_RC store_application_add_owner(struct store *s, struct str id, struct str user_id, struct gh_err *err)
{
	return link_user(s, SQL_OWNER_ADD, "add", "application", id, user_id, err);
}

GH_RC store_application_remove_owner(struct store *s, struct str id, struct str user_id, struct gh_err *err)
{
	return link_user(s, SQL_OWNER_DROP, "remove", "application", id, user_id, err);
}
