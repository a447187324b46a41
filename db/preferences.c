#include "db/preferences.h"

#include "core/str.h"
#include "db/sql.h"

static const struct field fields[] = {
	FIELD(store_preference, TEXT, user_id),
	FIELD(store_preference, TEXT, language),
	FIELD(store_preference, TEXT, zone),
	FIELD(store_preference, TEXT, seen_language),
};
static const struct row_type row = ROW_TYPE("preference", store_preference, fields);
static const struct row_type set_row = { "preference", fields, 3, sizeof(struct store_preference) };

gh_rc store_preference_find(struct store *s, struct arena *a, struct str user_id, struct store_preference *out, bool *found,
			    struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PREFERENCE_GET);

	bind_str(st, 1, user_id);
	return find_row(s, st, &row, a, out, found, err);
}

gh_rc store_preference_find_email(struct store *s, struct arena *a, struct str email, struct store_preference *out, bool *found,
				  struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PREFERENCE_GET_EMAIL);

	bind_str(st, 1, email);
	return find_row(s, st, &row, a, out, found, err);
}

gh_rc store_preference_set(struct store *s, const struct store_preference *p, struct gh_err *err)
{
	return change_row(s, SQL_PREFERENCE_PUT, &set_row, p, (struct change){ .action = "set", .id = p->user_id }, err);
}

gh_rc store_preference_seen(struct store *s, struct str user_id, struct str language, struct gh_err *err)
{
	return change_keys(s, SQL_PREFERENCE_SEEN, user_id, language, (struct change){ .action = NULL }, err);
}
