#include "portal/web/internal.h"

#include "core/log.h"
#include "core/str.h"
#include "db/audit.h"

/* Signing in with a password, for both apps. A wrong address and a wrong password get the same answer in the same time.
 * Where it goes on once somebody has proven who they are (second factor, session) is web_sign_in_user; identity providers
 * come there as well. */

/* Only a path of this app is gone back to, never another host. */
struct str web_way_back(struct web *w, struct str wish)
{
	struct str base = w->site->base;

	if (!str_starts(wish, base) || str_starts(str_from(wish, base.n), STR("/")) || str_find_char(wish, '\\') != SIZE_MAX)
		return STR("");
	for (size_t i = 0; i < wish.n; i++)
		if ((unsigned char)wish.p[i] <= ' ')
			return STR("");
	return str_from(wish, base.n);
}

const char *web_email_problem(struct str email)
{
	size_t at = str_find_char(email, '@');

	if (!email.n)
		return "Enter your e-mail address.";
	if (email.n > 254 || at == SIZE_MAX || at == 0 || at + 1 == email.n)
		return "This is not a complete e-mail address.";
	for (size_t i = 0; i < email.n; i++)
		if ((unsigned char)email.p[i] <= ' ' || email.p[i] == 0x7F || strchr("<>,;\"", email.p[i]))
			return "This is not a complete e-mail address.";
	return NULL;
}

static GH_RC show(struct web *w, int status, const char *error, struct gh_err *err)
{
	static const struct {
		const char *after, *text;
	} notes[] = {
		{ "sign-out", "You are signed out." },
		{ "password", "Your new password is set. Sign in with it." },
		{ "closed", "Your account is closed." },
		{ "second-factor", "This needs a second factor. Sign in again with yours." },
	};
	struct str back = web_param(&w->rq.form, "return"), after = web_param(&w->rq.query, "after"), place;
	struct gh_err unknown;

	if (str_is_null(back))
		back = web_param(&w->rq.query, "return");
	web_form_value(w, "email", web_param(&w->rq.form, "email"));
	web_form_value(w, "return", back);
	web_form_problem(w, error);
	web_title(w, "Sign in");
	liquid_set(w->page, "note", LIQUID_NIL_VALUE);
	for (size_t i = 0; i < ARRAY_LEN(notes); i++)
		if (str_eq(after, str_of(notes[i].after)))
			liquid_set_text(w->page, "note", web_text(w, str_of(notes[i].text)));
	liquid_set_text(w->page, "portal_base", web_portal_base(w->site, w->a));
	liquid_set_bool(w->page, "sign_up", !w->site->app->is_dashboard && config_bool(&w->site->config, CONFIG_PORTAL_SIGN_UP));
	liquid_set_text(w->page, "link", STR(""));
	liquid_set_bool(w->page, "passkeys", !web_public_address(w, &place, &unknown).code);
	TRY(web_put_providers(w, err));
	w->rs.status = status;
	return web_page(w, "web/sign-in", err);
}

gh_rc web_sign_in_form(struct web *w, struct gh_err *err)
{
	if (w->signed_in)
		return web_redirect(w, STR(""), err);
	return show(w, 200, NULL, err);
}

static bool check_fields(struct web *w, struct str email, struct str password)
{
	const char *problem = web_email_problem(email);

	if (problem)
		web_form_error(w, "email", str_of(problem));
	if (!password.n || password.n > CRYPTO_PASSWORD_MAX)
		web_form_error(w, "password", password.n ? STR("This is longer than any password.") : STR("Enter your password."));
	return !problem && password.n && password.n <= CRYPTO_PASSWORD_MAX;
}

static bool password_fits(const struct store_user *user, bool found, struct str password)
{
	if (found && user->state == STORE_USER_ACTIVE && user->password_hash.n)
		return crypto_password_verify(user->password_hash, password);
	crypto_password_pretend(password);
	return false;
}

static GH_RC note_refusal(struct web *w, struct str email, struct gh_err *err)
{
	struct store *s = w->site->store;

	log_warn("sign-in refused", KV_STR("request_id", w->rq.id), KV_STR("address", w->rq.address));
	TRY(store_tx_begin(s, STR("web"), err));
	return store_tx_end(s, store_audit_note(s, STR("sign-in-refused"), STR("user"), email, STR_NULL, err), err);
}

/* A hash that was made with weaker parameters than today's is made anew while the password is at hand. */
static GH_RC renew_hash(struct web *w, const struct store_user *user, struct str password, struct gh_err *err)
{
	char hash[CRYPTO_PASSWORD_HASH_MAX];
	struct store *s = w->site->store;

	if (!crypto_password_needs_rehash(user->password_hash))
		return GH_RC_OK;
	TRY(crypto_password_hash(password, hash, err));
	TRY(store_tx_begin(s, arena_printf(w->a, "user:%.*s", STR_ARG(user->email)), err));
	return store_tx_end(s, store_user_set_password(s, user->id, str_of(hash), err), err);
}

const char *web_wait_text(struct web *w, uint32_t wait)
{
	web_header(w, "Retry-After", arena_printf(w->a, "%u", wait));
	return web_textf(w, "There were too many failed tries. Wait {1} second, then try again. || "
			    "There were too many failed tries. Wait {1} seconds, then try again.", web_count(w, wait)).p;
}

static GH_RC refuse(struct web_refusal *no, int status, const char *text)
{
	*no = (struct web_refusal){ status, text };
	return GH_RC_OK;
}

gh_rc web_password_take(struct web *w, struct store_user *user, struct web_refusal *no, struct gh_err *err)
{
	struct str email = str_trim(web_param(&w->rq.form, "email")), password = web_param(&w->rq.form, "password");
	uint32_t wait;
	bool found;

	*no = (struct web_refusal){ 0 };
	*user = (struct store_user){ .id = STR_NULL };
	if (!check_fields(w, email, password))
		return refuse(no, 422, NULL);
	wait = web_brake(w, "sign-in", email);
	if (wait)
		return refuse(no, 429, web_wait_text(w, wait));
	TRY(store_user_find_email(w->site->store, w->a, email, user, &found, err));
	if (!password_fits(user, found, password)) {
		web_brake_count(w, "sign-in", email);
		TRY(note_refusal(w, email, err));
		return refuse(no, 422, "The e-mail address or the password is wrong.");
	}
	TRY(web_may_enter(w, user, &found, err));
	if (!found)
		return refuse(no, 403, "This account has no access to the dashboard.");
	return renew_hash(w, user, password, err);
}

gh_rc web_sign_in(struct web *w, struct gh_err *err)
{
	struct store_user user;
	struct web_refusal no;

	TRY(web_password_take(w, &user, &no, err));
	if (no.status)
		return show(w, no.status, no.text, err);
	return web_sign_in_user(w, &user, web_way_back(w, web_param(&w->rq.form, "return")), err);
}

gh_rc web_sign_out(struct web *w, struct gh_err *err)
{
	TRY(web_session_end(w, err));
	return web_redirect(w, STR("sign-in?after=sign-out"), err);
}
