#include "portal/portal/portal.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/accounts.h"
#include "db/identity_providers.h"
#include "db/requests.h"
#include "db/teams.h"

/* Closing an account: the person is forgotten, what must remain for the books stays without a name. Subscriptions are
 * cancelled at once, so their keys open nothing any more; their rows stay, as the record of calls refers to them, and keep a
 * user row that says nothing of who it was. Without subscriptions the row goes as well. Applications are left to the rest of
 * their teams, and deleted where there is none. */

static GH_RC show(struct web *w, int status, struct gh_err *err)
{
	const struct store_subscription_filter own = { .user_id = w->user.id, .state = STORE_SUB_ACTIVE };
	int64_t active;

	web_form_value(w, "password_close", STR(""));
	TRY(store_subscriptions_count(w->site->store, &own, &active, err));
	liquid_set_int(w->page, "active", active);
	liquid_set_bool(w->page, "has_password", w->user.password_hash.n > 0);
	web_title(w, "Close your account");
	w->rs.status = status;
	return web_page(w, "close", err);
}

gh_rc portal_close_form(struct web *w, struct gh_err *err)
{
	return show(w, 200, err);
}

static GH_RC cancel_all(struct web *w, size_t *n, struct gh_err *err)
{
	const struct store_subscription_filter own = { .user_id = w->user.id, .state = -1 };
	struct store *s = w->site->store;
	struct store_subscription *v;

	TRY(store_subscriptions(s, w->a, &own, NULL, &v, n, err));
	for (size_t i = 0; i < *n; i++)
		if (v[i].state != STORE_SUB_CANCELLED) {
			TRY(store_request_drop(s, v[i].id, err));
			TRY(store_subscription_set_state(s, v[i].id, STORE_SUB_CANCELLED, STR("The account was closed."), err));
		}
	return GH_RC_OK;
}

/* A team goes on without him; what only he looks after goes with him. */
static GH_RC leave_applications(struct web *w, struct gh_err *err)
{
	struct store_application *v;
	size_t n;

	TRY(store_applications_of_user(w->site->store, w->a, w->user.id, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		gh_rc rc = store_application_leave(w->site->store, v[i].id, w->user.id, err);

		if (rc.code == GH_E_CONFLICT)
			rc = portal_application_remove(w, v[i].id, err);
		TRY(rc);
	}
	return GH_RC_OK;
}

static GH_RC forget_name(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_user nobody = { .id = w->user.id, .role = STR("developer"), .state = STORE_USER_BLOCKED, .first_name = STR(""),
				     .last_name = STR(""), .note = STR("closed by its owner") };
	struct store_identity *own;
	size_t n;

	nobody.email = arena_printf(w->a, "closed-%.*s@invalid", STR_ARG(w->user.id));
	TRY(store_identities_of_user(s, w->a, w->user.id, &own, &n, err));
	for (size_t i = 0; i < n; i++)
		TRY(store_identity_remove(s, own[i].provider_id, w->user.id, err));
	TRY(store_account_forget(s, w->user.id, err));
	TRY(store_sessions_delete_of_user(s, w->user.id, err));
	TRY(store_user_set_password(s, w->user.id, STR_NULL, err));
	return store_user_update(s, &nobody, err);
}

static GH_RC close_account(struct web *w, struct gh_err *err)
{
	struct str email = w->user.email, name = web_greeting(&w->user);
	size_t n;

	TRY(cancel_all(w, &n, err));
	TRY(leave_applications(w, err));
	TRY(n ? forget_name(w, err) : store_user_delete(w->site->store, w->user.id, err));
	return web_mail(w, email, "closed", name, STR_NULL, NULL, err);
}

gh_rc portal_close_take(struct web *w, bool *ok, struct gh_err *err)
{
	struct store *s = w->site->store;
	bool last;

	*ok = web_owner_proven(w, "password_close");
	if (!*ok)
		return GH_RC_OK;
	TRY(web_last_administrator(w, &w->user, &last, err));
	if (last) {
		web_form_error(w, "password_close", STR("You are the only administrator. Make somebody else one first."));
		*ok = false;
		return GH_RC_OK;
	}
	TRY(store_tx_begin(s, arena_printf(w->a, "user:%.*s", STR_ARG(w->user.id)), err));
	return store_tx_end(s, close_account(w, err), err);
}

gh_rc portal_close(struct web *w, struct gh_err *err)
{
	bool ok;

	TRY(portal_close_take(w, &ok, err));
	if (!ok)
		return show(w, 422, err);
	w->session.id = STR("gone");                     /* its row went with the account; the cookie still has to */
	TRY(web_session_end(w, err));
	return web_redirect(w, STR("sign-in?after=closed"), err);
}
