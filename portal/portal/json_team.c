#include "portal/portal/json.h"

#include "core/str.h"
#include "db/callers.h"
#include "db/teams.h"

/* The team of an application, its client ids, and invitations, as JSON. What decides on the pages decides here. */

static GH_RC no_content(struct web *w)
{
	w->rs.status = 204;
	web_header(w, "Cache-Control", STR("no-store"));
	return GH_RC_OK;
}

static json_t *invitation(const struct store_invitation *v)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "id", portal_json_text(v->id), "application", portal_json_text(v->application_id), "email",
			 portal_json_text(v->email), "invitedBy", portal_json_text(v->invited_by), "endsAt", portal_json_time(v->ends_us));
}

static GH_RC list(struct web *w, const struct store_invitation *v, size_t n, struct gh_err *err)
{
	struct portal_window win = portal_json_window(w, n);
	json_t *items = json_array();

	for (size_t i = win.from; i < win.from + win.n; i++)
		json_array_append_new(items, invitation(&v[i]));
	return portal_json_list(w, &win, items, err);
}

/* ---- those who are invited by the team ---------------------------------------------------------------------------------------- */

gh_rc portal_json_invited(struct web *w, struct gh_err *err)
{
	struct store_application app;
	struct store_invitation *v;
	size_t n;

	TRY(portal_own_application(w, w->rq.args[0], &app, err));
	TRY(store_invitations_of_application(w->site->store, w->a, app.id, &v, &n, err));
	return list(w, v, n, err);
}

gh_rc portal_json_invite(struct web *w, struct gh_err *err)
{
	struct store_application app;
	struct store_invitation *v;
	const char *problem;
	struct str email;
	json_t *body;
	size_t n;

	TRY(portal_own_application(w, w->rq.args[0], &app, err));
	TRY(web_json_body(w, &body, err));
	if (!body)
		return GH_RC_OK;
	email = str_trim(jsn_str(body, "email").p ? jsn_str(body, "email") : STR(""));
	TRY(portal_team_ask(w, &app, email, &problem, err));
	if (problem) {
		web_json_field(w, "email", problem);
		web_json_error(w, 422, NULL, NULL);
		return GH_RC_OK;
	}
	TRY(store_invitations_of_application(w->site->store, w->a, app.id, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (str_eq_ci(v[i].email, email))
			return portal_json_answer(w, 201, invitation(&v[i]), err);
	FAIL(err, INTERNAL, "the invitation is not there");
}

gh_rc portal_json_invitation_withdraw(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_application app;

	TRY(portal_own_application(w, w->rq.args[0], &app, err));
	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, store_invitation_drop(s, w->a, w->rq.args[1], app.id, STR_NULL, err), err));
	return no_content(w);
}

/* By the address that the application shows; one's own is leaving. */
gh_rc portal_json_owner_remove(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_application app;
	struct store_user *team;
	struct str id = STR_NULL;
	size_t n;
	gh_rc rc;

	TRY(portal_own_application(w, w->rq.args[0], &app, err));
	TRY(store_application_owners(s, w->a, app.id, &team, &n, err));
	for (size_t i = 0; i < n; i++)
		if (str_eq_ci(team[i].email, w->rq.args[1]))
			id = team[i].id;
	if (!id.n)
		FAIL(err, NOT_FOUND, "no such owner");
	TRY(store_tx_begin(s, web_actor(w), err));
	rc = store_tx_end(s, store_application_leave(s, app.id, id, err), err);
	if (rc.code == GH_E_CONFLICT) {
		web_json_error(w, 409, "last_owner", "An application keeps its last owner");
		return GH_RC_OK;
	}
	TRY(rc);
	return no_content(w);
}

/* ---- those who are invited ---------------------------------------------------------------------------------------------------- */

gh_rc portal_json_invitations(struct web *w, struct gh_err *err)
{
	struct store_invitation *v;
	size_t n;

	TRY(store_invitations_for(w->site->store, w->a, w->user.email, &v, &n, err));
	return list(w, v, n, err);
}

gh_rc portal_json_invitation_accept(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;

	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, store_invitation_accept(s, w->a, w->rq.args[0], &w->user, err), err));
	return no_content(w);
}

gh_rc portal_json_invitation_decline(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;

	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, store_invitation_drop(s, w->a, w->rq.args[0], STR_NULL, w->user.email, err), err));
	return no_content(w);
}

/* ---- client ids --------------------------------------------------------------------------------------------------------------- */

gh_rc portal_json_clients(struct web *w, struct gh_err *err)
{
	struct store_application app;
	struct portal_window win;
	struct store_caller *v;
	json_t *items;
	size_t n;

	TRY(portal_own_application(w, w->rq.args[0], &app, err));
	TRY(store_callers(w->site->store, w->a, STR("client"), app.id, NULL, &v, &n, err));
	win = portal_json_window(w, n);
	items = json_array();
	for (size_t i = win.from; i < win.from + win.n; i++)
		json_array_append_new(items, json_pack("{s:o, s:b, s:o}", "id", portal_json_text(v[i].id), "suspended",
						       v[i].state != STORE_CALLER_ACTIVE, "changedAt", portal_json_time(v[i].changed_us)));
	return portal_json_list(w, &win, items, err);
}

static GH_RC show_secret(struct web *w, int status, struct str id, struct str secret, struct gh_err *err)
{
	return portal_json_answer(w, status, json_pack("{s:o, s:o}", "id", portal_json_text(id), "secret", portal_json_text(secret)), err);
}

gh_rc portal_json_client_create(struct web *w, struct gh_err *err)
{
	struct store_application app;
	struct store_caller c;
	struct str secret;
	bool full;

	TRY(portal_own_application(w, w->rq.args[0], &app, err));
	TRY(portal_client_make(w, &app, &c, &secret, &full, err));
	if (full) {
		web_json_error(w, 409, "too_many_clients", "An application has at most five client ids");
		return GH_RC_OK;
	}
	return show_secret(w, 201, c.id, secret, err);
}

gh_rc portal_json_client_rotate(struct web *w, struct gh_err *err)
{
	struct store_application app;
	struct store_caller c;
	struct str secret;

	TRY(portal_own_client(w, &app, &c, err));
	TRY(portal_client_renew(w, &c, &secret, err));
	return show_secret(w, 200, c.id, secret, err);
}

gh_rc portal_json_client_delete(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_application app;
	struct store_caller c;

	TRY(portal_own_client(w, &app, &c, err));
	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, store_caller_delete(s, c.kind, c.id, err), err));
	return no_content(w);
}
