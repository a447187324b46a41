#include "db/teams.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/subscription_rows.h"
#include "db/user_rows.h"

static const struct field invitation_fields[] = {
	FIELD(store_invitation, TEXT, id),    FIELD(store_invitation, TEXT, application_id),
	FIELD(store_invitation, TEXT, email), FIELD(store_invitation, TEXT, invited_by),
	FIELD(store_invitation, TIME, created_us), FIELD(store_invitation, TIME, ends_us),
};
static const struct row_type invitation_type = ROW_TYPE("invitation", store_invitation, invitation_fields);

static gh_rc note(struct store *s, const char *action, struct str application_id, const char *what, struct str who, struct gh_err *err)
{
	struct buf detail;
	gh_rc rc;

	buf_init(&detail, 4096);
	buf_fmt(&detail, "{\"%s\":", what);
	buf_json(&detail, str_first(who, 256));
	buf_char(&detail, '}');
	rc = change_note(s, &(struct change){ .action = action, .kind = "application", .id = application_id,
					      .detail = buf_view(&detail), .raises = RAISES_ACCESS }, err);
	buf_release(&detail);
	return rc;
}

/* ---- owners ------------------------------------------------------------------------------------------------------------ */

GH_RC store_application_owners(struct store *s, struct arena *a, struct str id, struct store_user **out, size_t *n,
			       struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_OWNER_LIST);

	bind_str(st, 1, id);
	return list_rows(s, st, &user_type, a, out, n, err);
}

GH_RC store_application_owned_by(struct store *s, struct str id, struct str user_id, bool *yes, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_OWNER_IS);
	int64_t n;

	bind_str(st, 1, id);
	bind_str(st, 2, user_id);
	TRY(find_int(s, st, &n, NULL, err));
	*yes = n > 0;
	return GH_RC_OK;
}

GH_RC store_application_leave(struct store *s, struct str id, struct str user_id, struct gh_err *err)
{
	sqlite3_stmt *st;
	bool still;

	TRY(change_begin(s, err));
	TRY(store_application_owned_by(s, id, user_id, &still, err));
	if (!still)
		FAIL(err, NOT_FOUND, "the user does not own this application");
	st = sql_use(s, SQL_OWNER_LEAVE);
	bind_str(st, 1, id);
	bind_str(st, 2, user_id);
	TRY(sql_done(s, st, err));
	TRY(store_application_owned_by(s, id, user_id, &still, err));
	if (still)
		FAIL(err, CONFLICT, "an application keeps its last owner");
	return note(s, "remove", id, "user", user_id, err);
}

/* ---- invitations ------------------------------------------------------------------------------------------------------- */

static gh_rc make_room(struct store *s, const struct store_invitation *v, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_INVITATION_PRUNE);
	int64_t people;

	bind_int(st, 1, clock_wall_us());
	TRY(sql_done(s, st, err));
	st = sql_use(s, SQL_OWNER_COUNT);
	bind_str(st, 1, v->application_id);
	bind_str(st, 2, v->email);
	TRY(find_int(s, st, &people, NULL, err));
	if (people >= STORE_TEAM_MAX)
		FAIL(err, LIMIT, "a team has at most %d people", STORE_TEAM_MAX);
	st = sql_use(s, SQL_INVITATION_REPLACE);
	bind_str(st, 1, v->application_id);
	bind_str(st, 2, v->email);
	return sql_done(s, st, err);
}

GH_RC store_invitation_create(struct store *s, struct arena *a, const struct store_invitation *v, struct gh_err *err)
{
	struct store_invitation row = *v;

	TRY(change_begin(s, err));
	TRY(store_user_check_email(v->email, err));
	TRY(make_room(s, v, err));
	TRY(store_new_id(a, &row.id, err));
	row.created_us = clock_wall_us();
	TRY(change_row(s, SQL_INVITATION_ADD, &invitation_type, &row, (struct change){ .id = row.id }, err));
	return note(s, "invite", row.application_id, "email", row.email, err);
}

static gh_rc invitations(struct store *s, struct arena *a, enum sql which, struct str key, struct store_invitation **out, size_t *n,
			 struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, which);

	bind_str(st, 1, key);
	bind_int(st, 2, clock_wall_us());
	return list_rows(s, st, &invitation_type, a, out, n, err);
}

GH_RC store_invitations_of_application(struct store *s, struct arena *a, struct str id, struct store_invitation **out, size_t *n,
				       struct gh_err *err)
{
	return invitations(s, a, SQL_INVITATION_OF_APPLICATION, id, out, n, err);
}

GH_RC store_invitations_for(struct store *s, struct arena *a, struct str email, struct store_invitation **out, size_t *n,
			    struct gh_err *err)
{
	return invitations(s, a, SQL_INVITATION_FOR, email, out, n, err);
}

static gh_rc take(struct store *s, struct arena *a, struct str id, struct str application_id, struct str email,
		  struct store_invitation *out, struct gh_err *err)
{
	struct store_invitation *v;
	sqlite3_stmt *st;
	size_t n;

	TRY(change_begin(s, err));
	TRY(invitations(s, a, SQL_INVITATION_GET, id, &v, &n, err));
	if (!n || (application_id.p && !str_eq(v->application_id, application_id)) || (email.p && !str_eq_ci(v->email, email)))
		FAIL(err, NOT_FOUND, "there is no such invitation");
	*out = *v;
	st = sql_use(s, SQL_INVITATION_DROP);
	bind_str(st, 1, id);
	return sql_done(s, st, err);
}

GH_RC store_invitation_accept(struct store *s, struct arena *a, struct str id, const struct store_user *user, struct gh_err *err)
{
	struct store_invitation v;

	TRY(take(s, a, id, STR_NULL, user->email, &v, err));
	return store_application_add_owner(s, v.application_id, user->id, err);
}

GH_RC store_invitation_drop(struct store *s, struct arena *a, struct str id, struct str application_id, struct str email,
			    struct gh_err *err)
{
	struct store_invitation v;

	TRY(take(s, a, id, application_id, email, &v, err));
	return note(s, email.p ? "decline" : "withdraw", v.application_id, "email", v.email, err);
}

/* ---- what is one's own --------------------------------------------------------------------------------------------------- */

GH_RC store_own_subscriptions(struct store *s, struct arena *a, struct str user_id, struct store_subscription **out, size_t *n,
			      struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SUBSCRIPTION_OWN);

	*n = 0;
	if (!user_id.n)
		return GH_RC_OK;
	bind_str(st, 1, user_id);
	bind_int(st, 2, STORE_OWN_SUBSCRIPTIONS_MAX);
	return list_rows(s, st, &subscription_type, a, out, n, err);
}

GH_RC store_subscription_owned_by(struct store *s, const struct store_subscription *sub, struct str user_id, bool *yes,
				  struct gh_err *err)
{
	*yes = user_id.n && sub->user_id.n && str_eq(sub->user_id, user_id);
	if (*yes || !sub->application_id.n || !user_id.n)
		return GH_RC_OK;
	return store_application_owned_by(s, sub->application_id, user_id, yes, err);
}
