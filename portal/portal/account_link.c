#include "portal/portal/json.h"

#include "core/str.h"
#include "db/accounts.h"
#include "db/personal_tokens.h"
#include "portal/web/markdown.h"

/* What a link in a mail leads to. Looking at the page uses nothing up: mail scanners look at every link. The form's button
 * does, once. */

static GH_RC refuse(struct web_refusal *no, int status, const char *text)
{
	*no = (struct web_refusal){ status, text };
	return GH_RC_OK;
}

static GH_RC gone(struct web_refusal *no)
{
	return refuse(no, 404, "This link was used already, or it is too old. Ask for a new one.");
}

gh_rc portal_link_find(struct web *w, struct store_link *link, struct web_refusal *no, struct gh_err *err)
{
	bool found = w->rq.args[0].n == 64;

	*no = (struct web_refusal){ 0 };
	if (found)
		TRY(store_link_find(w->site->store, w->a, w->rq.args[0], link, &found, err));
	return found ? GH_RC_OK : gone(no);
}

static GH_RC show(struct web *w, int status, const struct store_link *link, struct gh_err *err)
{
	bool address = str_eq(link->kind, STR("address")), reset = str_eq(link->kind, STR("reset"));

	web_form(w);
	web_title(w, address ? "Confirm your address" : reset ? "Set a new password" : "Finish your account");
	liquid_set_text(w->page, "token", w->rq.args[0]);
	liquid_set_text(w->page, "email", link->email);
	liquid_set_bool(w->page, "asks_password", !address);
	liquid_set_bool(w->page, "resets", reset);
	liquid_set_int(w->page, "password_min", config_int(&w->site->config, CONFIG_WEB_PASSWORD_MIN));
	liquid_set_text(w->page, "button", web_text(w, address ? STR("Confirm") : reset ? STR("Set the password") : STR("Make the account")));
	w->rs.status = status;
	return web_page(w, "link", err);
}

gh_rc portal_link_form(struct web *w, struct gh_err *err)
{
	struct store_link link;
	struct web_refusal no;

	TRY(portal_link_find(w, &link, &no, err));
	if (!no.status)
		return show(w, 200, &link, err);
	web_error_page(w, no.status, no.text);
	return GH_RC_OK;
}

/* ---- a new account ----------------------------------------------------------------------------------------------------- */

static GH_RC join_groups(struct web *w, const json_t *data, struct str user_id, struct str role, struct gh_err *err)
{
	const json_t *groups = jsn_arr(data, "groups");

	TRY(store_group_add(w->site->store, STR("developers"), user_id, err));
	if (str_eq(role, STR("administrator")))
		TRY(store_group_add(w->site->store, STR("administrators"), user_id, err));
	for (size_t i = 0; i < json_array_size(groups); i++) {
		gh_rc rc = store_group_add(w->site->store, jsn_string(json_array_get(groups, i)), user_id, err);

		if (rc.code && rc.code != GH_E_CONFLICT)         /* the group may be gone since the invitation */
			return rc;
	}
	return GH_RC_OK;
}

static GH_RC make(struct web *w, const struct store_link *link, const char *hash, struct store_user *user, struct gh_err *err)
{
	struct store *s = w->site->store;
	json_t *data;

	TRY(jsn_parse_in(w->a, link->data, NULL, &data, NULL, err));
	TRY(store_link_use(s, link->digest, err));
	*user = (struct store_user){ .email = link->email, .first_name = jsn_str(data, "first"), .last_name = jsn_str(data, "last"),
				     .role = jsn_str(data, "role").n ? jsn_str(data, "role") : STR("developer"),
				     .state = STORE_USER_ACTIVE, .password_hash = str_of(hash) };
	TRY(store_user_create(s, w->a, user, &user->id, err));
	TRY(join_groups(w, data, user->id, user->role, err));
	if (jsn_str(data, "terms").n)
		TRY(store_consent_add(s, user->id, jsn_str(data, "terms"), jsn_str(data, "address"), err));
	TRY(store_links_drop(s, "sign-up", link->email, err));
	return store_links_drop(s, "invitation", link->email, err);
}

static GH_RC join(struct web *w, const struct store_link *link, const char *hash, struct web_refusal *no, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_user user;
	gh_rc rc;

	TRY(store_tx_begin(s, arena_printf(w->a, "user:%.*s", STR_ARG(link->email)), err));
	rc = store_tx_end(s, make(w, link, hash, &user, err), err);
	if (rc.code == GH_E_CONFLICT)
		return refuse(no, 409, "There is an account with this address by now. Sign in with it.");
	if (rc.code == GH_E_NOT_FOUND)
		return gone(no);
	TRY(rc);
	return web_session_begin(w, &user, err);
}

/* ---- a new password, a new address ------------------------------------------------------------------------------------ */

static GH_RC renew(struct web *w, const struct store_link *link, const char *hash, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_user user;
	bool found;

	TRY(store_link_use(s, link->digest, err));
	TRY(store_user_find(s, w->a, link->user_id, &user, &found, err));
	if (!found || user.state != STORE_USER_ACTIVE || !str_eq_ci(user.email, link->email))    /* it went to an address that is not the account's */
		FAIL(err, NOT_FOUND, "no such user");
	TRY(store_user_set_password(s, user.id, str_of(hash), err));
	TRY(store_user_prove(s, user.id, link->email, err));
	TRY(store_sessions_delete_of_user(s, user.id, err));     /* whoever knew the old one is signed out, */
	TRY(store_personal_tokens_delete(s, user.id, err));      /* and what he may have made for himself ends */
	TRY(store_links_drop(s, "reset", link->email, err));
	return web_mail(w, user.email, "password-changed", web_greeting(&user), STR_NULL, NULL, err);
}

static GH_RC move(struct web *w, const struct store_link *link, struct gh_err *err)
{
	struct store *s = w->site->store;
	json_t *data = json_object();
	struct store_user user;
	struct str old;
	bool found;

	json_object_set_new(data, "new_address", json_stringn(link->email.p, link->email.n));
	if (!jsn_keep(w->a, data))
		FAIL(err, NOMEM, "mail");
	TRY(store_link_use(s, link->digest, err));
	TRY(store_user_find(s, w->a, link->user_id, &user, &found, err));
	if (!found || user.state != STORE_USER_ACTIVE)
		FAIL(err, NOT_FOUND, "no such user");
	old = user.email;
	user.email = link->email;
	TRY(store_user_update(s, &user, err));
	TRY(store_user_prove(s, user.id, user.email, err));
	TRY(store_links_drop(s, "reset", old, err));             /* they went to an address that is the account's no more */
	return web_mail(w, old, "address-changed", web_greeting(&user), STR_NULL, json_incref(data), err);
}

static GH_RC change(struct web *w, const struct store_link *link, const char *hash, struct web_refusal *no, struct gh_err *err)
{
	struct store *s = w->site->store;
	gh_rc rc;

	TRY(store_tx_begin(s, arena_printf(w->a, "user:%.*s", STR_ARG(link->user_id)), err));
	rc = store_tx_end(s, hash ? renew(w, link, hash, err) : move(w, link, err), err);
	if (rc.code == GH_E_CONFLICT)
		return refuse(no, 409, "Another account uses this address by now.");
	return rc.code == GH_E_NOT_FOUND ? gone(no) : rc;
}

gh_rc portal_link_take(struct web *w, const struct store_link *link, struct web_refusal *no, struct gh_err *err)
{
	struct str password = web_param(&w->rq.form, "password");
	char hash[CRYPTO_PASSWORD_HASH_MAX];
	const char *problem;

	*no = (struct web_refusal){ 0 };
	if (str_eq(link->kind, STR("address")))
		return change(w, link, NULL, no, err);
	problem = portal_password_problem(w, password, link->email);
	if (problem) {
		web_form_error(w, "password", str_of(problem));
		return refuse(no, 422, NULL);
	}
	TRY(crypto_password_hash(password, hash, err));
	if (!str_eq(link->kind, STR("reset")))
		return join(w, link, hash, no, err);
	TRY(change(w, link, hash, no, err));
	/* this browser's session may be one of those that have ended */
	return !no->status && w->signed_in && str_eq(w->user.id, link->user_id) ? web_session_end(w, err) : GH_RC_OK;
}

gh_rc portal_link(struct web *w, struct gh_err *err)
{
	struct store_link link;
	struct web_refusal no;

	TRY(portal_link_find(w, &link, &no, err));
	if (!no.status)
		TRY(portal_link_take(w, &link, &no, err));
	if (no.status == 422)
		return show(w, 422, &link, err);
	if (no.status) {
		web_error_page(w, no.status, no.text);
		return GH_RC_OK;
	}
	if (str_eq(link.kind, STR("reset")))
		return web_redirect(w, STR("sign-in?after=password"), err);
	if (str_eq(link.kind, STR("address"))) {
		if (w->signed_in)
			TRY(web_flash(w, "good", STR("Your address is changed."), err));
		return web_redirect(w, STR("account"), err);
	}
	TRY(web_flash(w, "good", STR("Your account is ready."), err));
	return web_redirect(w, STR(""), err);
}

/* ---- terms of use ------------------------------------------------------------------------------------------------------ */

gh_rc portal_terms_agreed(struct web *w, struct str version, bool *agreed, struct gh_err *err)
{
	int64_t at;

	return store_consent_find(w->site->store, w->user.id, version, &at, agreed, err);
}

gh_rc portal_ask_terms(struct web *w, struct gh_err *err)
{
	struct str text, version;
	bool found, agreed;

	if (str_eq(w->rq.path, STR("/terms")) || str_eq(w->rq.path, STR(PORTAL_JSON "/terms")) || str_eq(w->rq.path, STR("/sign-out")))
		return GH_RC_OK;
	TRY(portal_terms(w, &text, &version, &found, err));
	if (!found)
		return GH_RC_OK;
	TRY(portal_terms_agreed(w, version, &agreed, err));
	if (agreed || !web_is_json(w))
		return agreed ? GH_RC_OK : web_redirect(w, STR("terms"), err);
	web_json_error(w, 403, "terms_not_agreed", "Agree to the terms of use first: in the portal, or by POST /terms");
	return GH_RC_OK;
}

gh_rc portal_terms_page(struct web *w, struct gh_err *err)
{
	struct liquid_value html;
	struct str text, version;
	bool found, agreed = true;

	TRY(portal_terms(w, &text, &version, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there are no terms");
	if (w->signed_in)
		TRY(portal_terms_agreed(w, version, &agreed, err));
	TRY(web_markdown(w->a, text, &html, err));
	web_form_value(w, "version", version);
	liquid_set(w->page, "text", html);
	liquid_set_bool(w->page, "asks", !agreed);
	web_title(w, "Terms of use");
	return web_page(w, "terms", err);
}

gh_rc portal_terms_take(struct web *w, bool *found, bool *changed, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct str text, version;

	*changed = false;
	TRY(portal_terms(w, &text, &version, found, err));
	if (!*found)
		return GH_RC_OK;
	*changed = !str_eq(web_param(&w->rq.form, "version"), version);
	if (*changed)
		return GH_RC_OK;
	TRY(store_tx_begin(s, web_actor(w), err));
	return store_tx_end(s, store_consent_add(s, w->user.id, version, w->rq.address, err), err);
}

gh_rc portal_terms_accept(struct web *w, struct gh_err *err)
{
	bool found, changed;

	TRY(portal_terms_take(w, &found, &changed, err));
	return web_redirect(w, changed ? STR("terms") : STR(""), err);
}
