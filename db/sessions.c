#include "db/sessions.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/sql.h"

static const struct field session_fields[] = {
	FIELD(store_session, TEXT, id),         FIELD(store_session, REF, user_id),  FIELD(store_session, TEXT, csrf),
	FIELD(store_session, REF, data),        FIELD(store_session, TIME, created_us), FIELD(store_session, TIME, seen_us),
	FIELD(store_session, TIME, ends_us),    FIELD(store_session, TEXT, app),     FIELD(store_session, TEXT, address),
	FIELD(store_session, TEXT, agent),     FIELD(store_session, TEXT, proof),
};
static const struct row_type session_type = ROW_TYPE("session", store_session, session_fields);

/* No action: no audit entry; nothing raised. */
#define QUIET ((struct change){ .kind = "session" })

GH_RC store_session_create(struct store *s, const struct store_session *x, struct gh_err *err)
{
	return change_row(s, SQL_SESSION_ADD, &session_type, x, QUIET, err);
}

GH_RC store_session_find(struct store *s, struct arena *a, struct str id, struct store_session *out, bool *found,
			 struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SESSION_GET);

	bind_str(st, 1, id);
	bind_int(st, 2, clock_wall_us());
	return find_row(s, st, &session_type, a, out, found, err);
}

GH_RC store_session_update(struct store *s, const struct store_session *x, struct gh_err *err)
{
	return change_row(s, SQL_SESSION_SET, &session_type, x, QUIET, err);
}

GH_RC store_session_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_SESSION_DROP, id, STR_NULL, QUIET, err);
}

GH_RC store_sessions_delete_of_user(struct store *s, struct str user_id, struct gh_err *err)
{
	return change_keys(s, SQL_SESSION_DROP_USER, user_id, STR_NULL, QUIET, err);
}

GH_RC store_sessions_delete_others(struct store *s, struct str user_id, struct str keep_id, struct gh_err *err)
{
	return change_keys(s, SQL_SESSION_DROP_OTHERS, user_id, keep_id, QUIET, err);
}

GH_RC store_sessions_of_user(struct store *s, struct arena *a, struct str user_id, struct store_session **out, size_t *n,
			     struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SESSION_OF_USER);

	bind_str(st, 1, user_id);
	bind_int(st, 2, clock_wall_us());
	return list_rows(s, st, &session_type, a, out, n, err);
}

GH_RC store_sessions_prune(struct store *s, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SESSION_PRUNE);

	bind_int(st, 1, clock_wall_us());
	return change_run(s, st, &QUIET, err);
}
