#include "portal/web/web.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "db/accounts.h"
#include "db/environments.h"
#include "db/mail.h"
#include "db/passkeys.h"

/* Who owns the account at which somebody sits, what is told to him, and the second factor that the dashboard may demand. */

enum { FRESH_S = 900 };

bool web_owner_proven(struct web *w, const char *field)
{
	struct str password = web_param(&w->rq.form, field);
	uint32_t wait;

	if (!w->user.password_hash.n) {
		if (clock_wall_us() - w->session.created_us < (int64_t)FRESH_S * 1000000)
			return true;
		web_form_error(w, field, STR("Sign out and in again first: this needs a fresh sign-in."));
		return false;
	}
	wait = web_brake(w, "sign-in", w->user.email);
	if (wait) {
		web_form_error(w, field, str_of(web_wait_text(w, wait)));
		return false;
	}
	if (password.n && password.n <= CRYPTO_PASSWORD_MAX && crypto_password_verify(w->user.password_hash, password))
		return true;
	if (password.n)
		web_brake_count(w, "sign-in", w->user.email);
	web_form_error(w, field, password.n ? STR("This is not your present password.") : STR("Enter your present password."));
	return false;
}

struct str web_present_session(const struct web *w)
{
	return w->session.id.n ? w->session.id : STR("");
}

struct str web_greeting(const struct store_user *user)
{
	return user->first_name.n ? user->first_name : user->email;
}

gh_rc web_mail(struct web *w, struct str to, const char *template, struct str name, struct str link, json_t *data,
		  struct gh_err *err)
{
	struct str host, path;

	data = jsn_keep(w->a, data ? data : json_object());
	if (!data)
		FAIL(err, NOMEM, "mail");
	TRY(web_public_address(w, &host, err));
	path = link.p ? arena_printf(w->a, "%.*s%.*s%.*s", STR_ARG(host), STR_ARG(web_portal_base(w->site, w->a)), STR_ARG(link)) : STR_NULL;
	if (json_object_set_new(data, "name", json_stringn(name.p ? name.p : "", name.n)) != 0
	    || json_object_set_new(data, "lang", json_string(w->lang ? lang_code(w->lang).p : "en")) != 0
	    || (link.p && json_object_set_new(data, "link", json_stringn(path.p ? path.p : "", path.n)) != 0))
		FAIL(err, NOMEM, "mail");
	if (!web_allowance(w, "mail", to, config_int(&w->site->config, CONFIG_WEB_MAILS_PER_HOUR))) {
		log_warn("mail held back", KV_STR("request_id", w->rq.id), KV_CSTR("template", template));
		return GH_RC_OK;
	}
	return store_mail_add(w->site->store, to, template, data, err);
}

gh_rc web_site_title(struct web *w, struct str *out, struct gh_err *err)
{
	bool found;

	TRY(store_setting_get(w->site->store, w->a, STR("portal.title"), out, &found, err));
	if (!found || !out->n)
		*out = config_text(&w->site->config, CONFIG_PORTAL_TITLE);
	return GH_RC_OK;
}

GH_RC web_enters_dashboard(struct web *w, const struct store_user *user, bool *yes, struct gh_err *err)
{
	struct rights r;

	TRY(rights_of_user(w->site->store, w->a, user->id, user->role, &r, err));
	*yes = rights_anywhere(&r, RIGHT_VIEW_APIS);
	return GH_RC_OK;
}

/* ---- a second factor that is demanded -------------------------------------------------------------------------------------------- */

bool web_factor_demanded(const struct web *w)
{
	return w->site->app->is_dashboard && config_bool(&w->site->config, CONFIG_ADMIN_REQUIRE_SECOND_FACTOR);
}

/* It is one account: if the portal let its password alone in, whoever has that could take the passkey away there or add one of his own,
 * and enter the dashboard with it. */
GH_RC web_factor_demanded_of(struct web *w, const struct store_user *user, bool *yes, struct gh_err *err)
{
	*yes = config_bool(&w->site->config, CONFIG_ADMIN_REQUIRE_SECOND_FACTOR);
	return *yes && !w->site->app->is_dashboard ? web_enters_dashboard(w, user, yes, err) : GH_RC_OK;
}

GH_RC web_has_factor(struct web *w, struct str user_id, bool *code, bool *passkey, struct gh_err *err)
{
	struct store_factor factor = { .confirmed_us = 0 };
	struct store_passkey *keys;
	bool found;
	size_t n;

	TRY(store_factor_find(w->site->store, w->a, user_id, &factor, &found, err));
	*code = found && factor.confirmed_us;
	TRY(store_passkeys_of_user(w->site->store, w->a, user_id, &keys, &n, err));
	*passkey = n > 0;
	return GH_RC_OK;
}

GH_RC web_factor_state(struct web *w, enum web_factor_state *out, struct gh_err *err)
{
	bool demanded, code, passkey, shown = str_eq(w->session.proof, STR(WEB_PROOF_SECOND_FACTOR));

	*out = WEB_FACTOR_FINE;
	if (!w->signed_in || w->by_token || str_eq(w->session.proof, STR(WEB_PROOF_PROVIDER)) || (shown && !w->site->app->is_dashboard))
		return GH_RC_OK;
	TRY(web_factor_demanded_of(w, &w->user, &demanded, err));
	if (!demanded)
		return GH_RC_OK;
	TRY(web_has_factor(w, w->user.id, &code, &passkey, err));
	if (!code && !passkey)
		*out = w->site->app->is_dashboard ? WEB_FACTOR_MISSING : WEB_FACTOR_FINE;        /* the portal makes nobody set one up */
	else if (!shown)
		*out = WEB_FACTOR_NOT_SHOWN;
	return GH_RC_OK;
}

/* Where a second factor is set up. */
static bool sets_up(struct str path)
{
	return str_starts(path, STR("/account/second-factor")) || str_starts(path, STR("/account/passkeys")) || str_eq(path, STR("/sign-out"));
}

gh_rc web_ask_factor(struct web *w, struct gh_err *err)
{
	enum web_factor_state state;

	TRY(web_factor_state(w, &state, err));
	w->factor_missing = state == WEB_FACTOR_MISSING;
	if (state == WEB_FACTOR_FINE || (w->factor_missing && sets_up(w->rq.path)))
		return GH_RC_OK;
	if (w->factor_missing)
		return web_redirect(w, STR("account/second-factor"), err);
	TRY(web_session_end(w, err));            /* it began before the factor was set up, or before it was demanded */
	if (web_is_json(w)) {
		web_json_error(w, 401, "second_factor_needed", "Sign in again, with your second factor: the dashboard demands one of your account");
		return GH_RC_OK;
	}
	return web_redirect(w, STR("sign-in?after=second-factor"), err);
}
