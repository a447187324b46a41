#include "portal/portal/portal.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/accounts.h"
#include "db/personal_tokens.h"
#include "db/identity_providers.h"

/* The page on which people see to their account: name, address, password, second factor, browsers, identities. */

enum { NAME_MAX = 100, HANDLE_DIGITS = PORTAL_SESSION_DIGITS };

/* ---- what the page shows ----------------------------------------------------------------------------------------------- */

/* "Firefox on Linux" of what a browser says it is; what claims to be everything is asked last. */
struct str portal_agent_words(struct web *w, struct str agent)
{
	static const char *const browsers[][2] = { { "Edg/", "Edge" }, { "OPR/", "Opera" }, { "Firefox/", "Firefox" }, { "Chrome/", "Chrome" },
						   { "CriOS/", "Chrome" }, { "Safari/", "Safari" }, { "curl/", "curl" } };
	static const char *const systems[][2] = { { "Windows", "Windows" }, { "Android", "Android" }, { "iPhone", "iPhone" },
						  { "iPad", "iPad" }, { "Mac OS X", "macOS" }, { "Linux", "Linux" } };
	const char *browser = NULL, *system = NULL;
	struct str name;

	for (size_t i = ARRAY_LEN(browsers); i-- > 0;)
		if (str_find(agent, str_of(browsers[i][0])) != SIZE_MAX)
			browser = browsers[i][1];
	for (size_t i = ARRAY_LEN(systems); i-- > 0;)
		if (str_find(agent, str_of(systems[i][0])) != SIZE_MAX)
			system = systems[i][1];
	name = browser ? str_of(browser) : web_text(w, STR("A browser"));
	return system ? web_textf(w, "{1} on {2}", LANG_STR(name), LANG_STR(str_of(system))) : name;
}

static GH_RC put_sessions(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "sessions");
	struct store_session *v;
	size_t n;

	TRY(store_sessions_of_user(w->site->store, w->a, w->user.id, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "handle", str_first(v[i].id, HANDLE_DIGITS));
		liquid_set_text(r, "agent", portal_agent_words(w, v[i].agent));
		liquid_set_text(r, "place", web_text(w, str_eq(v[i].app, STR("gh_admin")) ? STR("Dashboard") : STR("Portal")));
		liquid_set_text(r, "address", v[i].address);
		web_put_ago(w, r, "seen", v[i].seen_us);
		web_put_time(w, r, "since", v[i].created_us);
		liquid_set_bool(r, "here", str_eq(v[i].id, w->session.id));
	}
	return GH_RC_OK;
}

static GH_RC put_identities(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "identities");
	struct store_identity *own;
	struct store_provider *v;
	size_t n, n_own;

	TRY(store_providers(w->site->store, w->a, false, &v, &n, err));
	TRY(store_identities_of_user(w->site->store, w->a, w->user.id, &own, &n_own, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r;
		bool linked = false;

		for (size_t k = 0; k < n_own; k++)
			linked = linked || str_eq(own[k].provider_id, v[i].id);
		if (!v[i].for_portal && !linked)
			continue;
		r = liquid_push_record(list);
		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "name", v[i].name);
		liquid_set_bool(r, "linked", linked);
		/* the last way in stays */
		liquid_set_bool(r, "may_go", linked && (w->user.password_hash.n || n_own > 1));
	}
	liquid_set_text(w->page, "link_mark", web_link_mark(w));
	return GH_RC_OK;
}

static void keep_value(struct web *w, const char *field, struct str otherwise)
{
	const struct web_param *given = web_param_find(&w->rq.form, field);

	web_form_value(w, field, given ? given->value : otherwise);
}

gh_rc portal_account_show(struct web *w, int status, struct gh_err *err)
{
	struct store_factor factor = { .confirmed_us = 0 };
	bool found;

	keep_value(w, "first_name", w->user.first_name);
	keep_value(w, "last_name", w->user.last_name);
	keep_value(w, "new_email", STR(""));
	web_form_value(w, "password_now", STR(""));
	web_form_value(w, "password_new", STR(""));
	web_form_value(w, "password_address", STR(""));
	TRY(store_factor_find(w->site->store, w->a, w->user.id, &factor, &found, err));
	liquid_set_bool(w->page, "has_factor", found && factor.confirmed_us);
	liquid_set_bool(w->page, "end_tokens", web_param(&w->rq.form, "end_tokens").n > 0);
	liquid_set_bool(w->page, "has_password", w->user.password_hash.n > 0);
	liquid_set_int(w->page, "password_min", config_int(&w->site->config, CONFIG_WEB_PASSWORD_MIN));
	TRY(put_sessions(w, err));
	TRY(put_identities(w, err));
	TRY(web_preferences_put(w, err));
	web_title(w, "Your account");
	w->rs.status = status;
	return web_page(w, "account", err);
}

gh_rc portal_account(struct web *w, struct gh_err *err)
{
	return portal_account_show(w, 200, err);
}

static GH_RC done(struct web *w, const char *text, struct gh_err *err)
{
	TRY(web_flash(w, "good", str_of(text), err));
	return web_redirect(w, STR("account"), err);
}

/* ---- name, password, address ------------------------------------------------------------------------------------------- */

gh_rc portal_names_set(struct web *w, struct str first, struct str last, struct gh_err *err)
{
	struct store_user u;
	bool found;

	TRY(store_user_find(w->site->store, w->a, w->user.id, &u, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such user");
	u.first_name = first;
	u.last_name = last;
	w->user = u;
	return store_user_update(w->site->store, &u, err);
}

gh_rc portal_account_name(struct web *w, struct gh_err *err)
{
	struct str first = str_trim(web_param(&w->rq.form, "first_name")), last = str_trim(web_param(&w->rq.form, "last_name"));
	struct store *s = w->site->store;

	if (!first.n || first.n > NAME_MAX)
		web_form_error(w, "first_name", first.n ? STR("This is too long.") : STR("Enter your first name."));
	if (last.n > NAME_MAX)
		web_form_error(w, "last_name", STR("This is too long."));
	if (!first.n || first.n > NAME_MAX || last.n > NAME_MAX)
		return portal_account_show(w, 422, err);
	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, portal_names_set(w, first, last, err), err));
	return done(w, "Your name is changed.", err);
}

/* Programs go on with their tokens unless their owner says otherwise: he knows why he changes the password. */
static GH_RC set_password(struct web *w, const char *hash, bool end_tokens, struct gh_err *err)
{
	struct store *s = w->site->store;

	TRY(store_user_set_password(s, w->user.id, str_of(hash), err));
	TRY(store_sessions_delete_others(s, w->user.id, web_present_session(w), err));
	if (end_tokens)
		TRY(store_personal_tokens_delete(s, w->user.id, err));
	TRY(store_links_drop(s, "reset", w->user.email, err));
	return web_mail(w, w->user.email, "password-changed", web_greeting(&w->user), STR_NULL, NULL, err);
}

gh_rc portal_password_take(struct web *w, bool *ok, struct gh_err *err)
{
	struct str password = web_param(&w->rq.form, "password_new");
	const char *problem = portal_password_problem(w, password, w->user.email);
	char hash[CRYPTO_PASSWORD_HASH_MAX];
	struct store *s = w->site->store;
	bool owner = web_owner_proven(w, "password_now");

	if (problem)
		web_form_error(w, "password_new", str_of(problem));
	*ok = owner && !problem;
	if (!*ok)
		return GH_RC_OK;
	TRY(crypto_password_hash(password, hash, err));
	TRY(store_tx_begin(s, web_actor(w), err));
	return store_tx_end(s, set_password(w, hash, web_param(&w->rq.form, "end_tokens").n > 0, err), err);
}

gh_rc portal_account_password(struct web *w, struct gh_err *err)
{
	bool ok;

	TRY(portal_password_take(w, &ok, err));
	if (!ok)
		return portal_account_show(w, 422, err);
	return done(w, web_param(&w->rq.form, "end_tokens").n ? "Your password is changed. All other browsers are signed out, and your access tokens have ended."
				  : "Your password is changed. All other browsers are signed out.", err);
}

static GH_RC send_address(struct web *w, struct str email, struct gh_err *err)
{
	int64_t seconds = config_int(&w->site->config, CONFIG_WEB_LINK_S);
	struct store_link link = { .kind = STR("address"), .email = email, .user_id = w->user.id, .data = STR("{}"),
				   .ends_us = clock_wall_us() + seconds * 1000000 };
	json_t *data = json_object();
	struct store_user other;
	struct str token;
	bool taken;

	json_object_set_new(data, "hours", json_integer((seconds + 3599) / 3600));
	if (!jsn_keep(w->a, data))
		FAIL(err, NOMEM, "mail");
	TRY(store_user_find_email(w->site->store, w->a, email, &other, &taken, err));
	if (taken)                                       /* told to the owner of that address and to nobody else */
		return web_mail(w, other.email, "known", web_greeting(&other), STR("sign-in"), NULL, err);
	TRY(store_link_create(w->site->store, w->a, &link, &token, err));
	return web_mail(w, email, "address", web_greeting(&w->user), arena_printf(w->a, "link/%.*s", STR_ARG(token)),
			   json_incref(data), err);
}

gh_rc portal_address_take(struct web *w, bool *ok, struct gh_err *err)
{
	struct str email = str_trim(web_param(&w->rq.form, "new_email"));
	const char *problem = web_email_problem(email);
	struct store *s = w->site->store;
	int64_t began;

	if (!problem && str_eq_ci(email, w->user.email))
		problem = "This is your address already.";
	if (problem)
		web_form_error(w, "new_email", str_of(problem));
	*ok = web_owner_proven(w, "password_address") && !problem;
	if (!*ok)
		return GH_RC_OK;
	began = clock_mono_us();
	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, send_address(w, email, err), err));
	portal_even_out(began);
	return GH_RC_OK;
}

gh_rc portal_account_address(struct web *w, struct gh_err *err)
{
	bool ok;

	TRY(portal_address_take(w, &ok, err));
	if (!ok)
		return portal_account_show(w, 422, err);
	return done(w, "A message with a link is on its way to the new address. It takes effect once you follow the link.", err);
}

gh_rc portal_account_preferences(struct web *w, struct gh_err *err)
{
	bool taken;

	TRY(web_preferences_take(w, &taken, err));
	return taken ? done(w, "Language and time zone are changed.", err) : portal_account_show(w, 422, err);
}

/* ---- browsers, identities ---------------------------------------------------------------------------------------------- */

gh_rc portal_sessions_end(struct web *w, struct gh_err *err)
{
	struct str handle = web_param(&w->rq.form, "session");
	struct store *s = w->site->store;
	struct store_session *v;
	gh_rc rc = GH_RC_OK;
	size_t n;

	TRY(store_sessions_of_user(s, w->a, w->user.id, &v, &n, err));
	TRY(store_tx_begin(s, web_actor(w), err));
	for (size_t i = 0; i < n && !rc.code; i++)
		if (str_eq(str_first(v[i].id, HANDLE_DIGITS), handle) && !str_eq(v[i].id, w->session.id))
			rc = store_session_delete(s, v[i].id, err);
	TRY(store_tx_end(s, rc, err));
	return done(w, "That browser is signed out.", err);
}

gh_rc portal_sessions_end_others(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;

	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, store_sessions_delete_others(s, w->user.id, w->session.id, err), err));
	return done(w, "All other browsers are signed out.", err);
}

gh_rc portal_identity_unlink(struct web *w, struct str provider, bool *only, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_identity *own;
	size_t n;

	TRY(store_identities_of_user(s, w->a, w->user.id, &own, &n, err));
	*only = !w->user.password_hash.n && n < 2;
	if (*only)
		return GH_RC_OK;
	TRY(store_tx_begin(s, web_actor(w), err));
	return store_tx_end(s, store_identity_remove(s, provider, w->user.id, err), err);
}

gh_rc portal_account_unlink(struct web *w, struct gh_err *err)
{
	bool only;

	TRY(portal_identity_unlink(w, w->rq.args[0], &only, err));
	if (only) {
		TRY(web_flash(w, "bad", STR("This is your only way to sign in. Set a password first."), err));
		return web_redirect(w, STR("account"), err);
	}
	return done(w, "The identity is no longer linked.", err);
}
