#include "portal/portal/portal.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/teams.h"

/* The team of an application: all its owners have equal rights, each may invite and remove, the last one stays.
 *
 * An invitation is for an address. Whether there is an account with it is told to nobody: the mail and the answer are the same. */

enum { INVITATIONS_PER_HOUR = 2 * STORE_TEAM_MAX };      /* of one person: anybody may have an account, and mails go to any address */
static const int64_t INVITATION_US = INT64_C(14) * 86400 * 1000000;

gh_rc portal_put_team(struct web *w, struct str id, struct gh_err *err)
{
	struct liquid_list *owners = liquid_set_list(w->page, "owners"), *invited = liquid_set_list(w->page, "invited");
	struct store_invitation *waiting;
	struct store_user *v;
	size_t n;

	TRY(store_application_owners(w->site->store, w->a, id, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(owners);

		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "name", v[i].first_name.n ? arena_printf(w->a, "%.*s%s%.*s", STR_ARG(v[i].first_name), v[i].last_name.n ? " " : "",
									    STR_ARG(v[i].last_name)) : v[i].email);
		liquid_set_text(r, "email", v[i].email);
		liquid_set_bool(r, "you", str_eq(v[i].id, w->user.id));
	}
	liquid_set_bool(w->page, "alone", n < 2);
	TRY(store_invitations_of_application(w->site->store, w->a, id, &waiting, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(invited);

		liquid_set_text(r, "id", waiting[i].id);
		liquid_set_text(r, "email", waiting[i].email);
		web_put_time(w, r, "until", waiting[i].ends_us);
	}
	return GH_RC_OK;
}

/* ---- inviting ---------------------------------------------------------------------------------------------------------------- */

static GH_RC invite(struct web *w, const struct store_application *app, struct str email, struct gh_err *err)
{
	struct store_invitation v = { .application_id = app->id, .email = email, .invited_by = w->user.email,
				      .ends_us = clock_wall_us() + INVITATION_US };
	json_t *data = json_object();

	if (!data || json_object_set_new(data, "application", json_stringn(app->name.p, app->name.n))
	    || json_object_set_new(data, "inviter", json_stringn(w->user.email.p, w->user.email.n))
	    || json_object_set_new(data, "days", json_integer(INVITATION_US / 86400 / 1000000))) {
		json_decref(data);
		FAIL(err, NOMEM, "mail");
	}
	jsn_keep(w->a, data);
	TRY(store_invitation_create(w->site->store, w->a, &v, err));
	return web_mail(w, email, "team", email, STR("account/applications"), json_incref(data), err);
}

static GH_RC is_member(struct web *w, struct str id, struct str email, bool *yes, struct gh_err *err)
{
	struct store_user *v;
	size_t n;

	*yes = false;
	TRY(store_application_owners(w->site->store, w->a, id, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		*yes = *yes || str_eq_ci(v[i].email, email);
	return GH_RC_OK;
}

gh_rc portal_team_ask(struct web *w, const struct store_application *app, struct str email, const char **problem, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct str host;
	bool member;
	gh_rc rc;

	*problem = web_email_problem(email);
	TRY(is_member(w, app->id, email, &member, err));
	if (!*problem && member)
		*problem = "Whoever has this address is in the team.";
	if (!*problem && !web_allowance(w, "invitation", w->user.id, INVITATIONS_PER_HOUR))
		*problem = "Wait a little before you try again.";
	if (*problem)
		return GH_RC_OK;
	TRY(web_public_address(w, &host, err));
	TRY(store_tx_begin(s, web_actor(w), err));
	rc = store_tx_end(s, invite(w, app, email, err), err);
	if (rc.code != GH_E_LIMIT)
		return rc;
	*problem = "The team has as many people as it may have, the invited ones included.";
	return GH_RC_OK;
}

gh_rc portal_team_invite(struct web *w, struct gh_err *err)
{
	struct str email = str_trim(web_param(&w->rq.form, "email"));
	struct store_application app;
	const char *problem;

	TRY(portal_own_application(w, w->rq.args[0], &app, err));
	TRY(portal_team_ask(w, &app, email, &problem, err));
	if (!problem)
		return portal_application_back(w, app.id, "good", "An invitation is on its way.", err);
	web_form_value(w, "name", app.name);
	web_form_value(w, "description", app.description);
	web_form_value(w, "email", email);
	web_form_error(w, "email", str_of(problem));
	return portal_application_show(w, &app, 422, err);
}

gh_rc portal_team_withdraw(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_application app;

	TRY(portal_own_application(w, w->rq.args[0], &app, err));
	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, store_invitation_drop(s, w->a, w->rq.args[1], app.id, STR_NULL, err), err));
	return portal_application_back(w, app.id, "good", "The invitation is taken back.", err);
}

gh_rc portal_team_remove(struct web *w, struct gh_err *err)
{
	bool self = str_eq(w->rq.args[1], w->user.id);
	struct store *s = w->site->store;
	struct store_application app;
	gh_rc rc;

	TRY(portal_own_application(w, w->rq.args[0], &app, err));
	TRY(store_tx_begin(s, web_actor(w), err));
	rc = store_tx_end(s, store_application_leave(s, app.id, w->rq.args[1], err), err);
	if (rc.code == GH_E_CONFLICT)
		return portal_application_back(w, app.id, "bad", "An application keeps its last owner. Invite somebody else first, or delete it.",
					       err);
	TRY(rc);
	if (!self)
		return portal_application_back(w, app.id, "good", "The team has one person less.", err);
	TRY(web_flash(w, "good", STR("You have left the team."), err));
	return web_redirect(w, STR("account/applications"), err);
}

/* ---- being invited ------------------------------------------------------------------------------------------------------------ */

gh_rc portal_invitation_accept(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;

	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, store_invitation_accept(s, w->a, w->rq.args[0], &w->user, err), err));
	TRY(web_flash(w, "good", STR("You are in the team now."), err));
	return web_redirect(w, STR("account/applications"), err);
}

gh_rc portal_invitation_decline(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;

	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, store_invitation_drop(s, w->a, w->rq.args[0], STR_NULL, w->user.email, err), err));
	TRY(web_flash(w, "good", STR("The invitation is declined."), err));
	return web_redirect(w, STR("account/applications"), err);
}
