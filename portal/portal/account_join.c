#include "portal/portal/portal.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "db/accounts.h"
#include "db/environments.h"
#include "db/audit.h"
#include "db/mail.h"

#include <time.h>

/* How an account comes to be, and how its owner gets back in: sign-up, invitation, reset. All three lead through a link that
 * was sent by mail to a page that asks for a password, so an address is proven before there is an account, and nobody can
 * put a password on an address that is not theirs.
 *
 * Whether an address has an account is told to nobody but that address: the answers are the same and take the same time. Not
 * because the work is the same (a link that is made and one that is not differ by some tenths of a millisecond, which
 * can be measured from outside), but because the answer waits for the next full EVEN_MS since the form came. */

enum { NAME_MAX = 100, EVEN_MS = 100 };

void portal_even_out(int64_t since_us)
{
	int64_t spent = clock_mono_us() - since_us, step = (int64_t)EVEN_MS * 1000, left = step - spent % step;
	const struct timespec pause = { .tv_nsec = left * 1000 };

	nanosleep(&pause, NULL);
}

const char *portal_password_problem(struct web *w, struct str password, struct str email)
{
	int64_t least = config_int(&w->site->config, CONFIG_WEB_PASSWORD_MIN);
	int64_t characters = 0;

	for (size_t i = 0; i < password.n; i++)
		characters += ((unsigned char)password.p[i] & 0xC0) != 0x80;
	if (!password.n)
		return "Enter a password.";
	if (characters < least)
		return web_textf(w, "Use at least {1} characters.", web_count(w, least)).p;
	if (password.n > CRYPTO_PASSWORD_MAX)
		return "Use a shorter one; this is longer than any password.";
	if (str_eq_ci(password, email))
		return "Do not use your e-mail address as the password.";
	return NULL;
}

static GH_RC set_text(json_t *data, const char *name, struct str value, struct gh_err *err)
{
	if (json_object_set_new(data, name, json_stringn(value.p ? value.p : "", value.n)) != 0)
		FAIL(err, NOMEM, "mail");
	return GH_RC_OK;
}

/* ---- terms of use ------------------------------------------------------------------------------------------------------ */

gh_rc portal_terms(struct web *w, struct str *text, struct str *version, bool *found, struct gh_err *err)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];

	*version = STR_NULL;
	TRY(store_setting_get(w->site->store, w->a, STR("portal.terms"), text, found, err));
	if (!*found)
		return GH_RC_OK;
	crypto_sha256(*text, digest);
	*version = crypto_hex(w->a, (struct str){ (const char *)digest, 8 });
	return GH_RC_OK;
}

/* ---- sign-up ----------------------------------------------------------------------------------------------------------- */

static bool sign_up_open(const struct web *w)
{
	return config_bool(&w->site->config, CONFIG_PORTAL_SIGN_UP);
}

static GH_RC show_sign_up(struct web *w, int status, const char *error, struct gh_err *err)
{
	static const char *const fields[] = { "email", "first_name", "last_name" };
	struct str text, version;
	bool terms;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		web_form_value(w, fields[i], web_param(&w->rq.form, fields[i]));
	web_form_problem(w, error);
	TRY(portal_terms(w, &text, &version, &terms, err));
	liquid_set_bool(w->page, "terms", terms);
	liquid_set_bool(w->page, "agreed", web_param(&w->rq.form, "agree").n > 0);
	web_title(w, "Make an account");
	TRY(web_put_providers(w, err));
	w->rs.status = status;
	return web_page(w, "sign-up", err);
}

static GH_RC show_sent(struct web *w, struct str email, const char *title, const char *text, struct gh_err *err)
{
	web_title(w, title);
	liquid_set_text(w->page, "text", web_text(w, str_of(text)));
	liquid_set_text(w->page, "email", email);
	return web_page(w, "sent", err);
}

gh_rc portal_sign_up_form(struct web *w, struct gh_err *err)
{
	if (!sign_up_open(w))
		FAIL(err, NOT_FOUND, "sign-up is closed");
	return w->signed_in ? web_redirect(w, STR("account"), err) : show_sign_up(w, 200, NULL, err);
}

static bool check_sign_up(struct web *w, struct str email, struct str first, struct str last, bool terms)
{
	const char *problem = web_email_problem(email);
	bool ok = !problem;

	if (problem)
		web_form_error(w, "email", str_of(problem));
	if (!first.n || first.n > NAME_MAX) {
		web_form_error(w, "first_name", first.n ? STR("This is too long.") : STR("Enter your first name."));
		ok = false;
	}
	if (last.n > NAME_MAX) {
		web_form_error(w, "last_name", STR("This is too long."));
		ok = false;
	}
	if (terms && !web_param(&w->rq.form, "agree").n) {
		web_form_error(w, "agree", STR("Agree to the terms of use to go on."));
		ok = false;
	}
	return ok;
}

static GH_RC send_sign_up(struct web *w, struct str email, struct str first, struct str last, struct str terms, struct gh_err *err)
{
	int64_t seconds = config_int(&w->site->config, CONFIG_WEB_LINK_S);
	json_t *kept = jsn_keep(w->a, json_object()), *data = json_object();
	struct store_link link = { .kind = STR("sign-up"), .email = email, .ends_us = clock_wall_us() + seconds * 1000000 };
	struct str token;

	if (!kept || !data)
		FAIL(err, NOMEM, "sign-up");
	TRY(set_text(kept, "first", first, err));
	TRY(set_text(kept, "last", last, err));
	TRY(set_text(kept, "terms", terms, err));
	TRY(set_text(kept, "address", w->rq.address, err));
	link.data = jsn_text(w->a, kept, 0);
	json_object_set_new(data, "hours", json_integer((seconds + 3599) / 3600));
	TRY(store_links_prune(w->site->store, err));
	TRY(store_link_create(w->site->store, w->a, &link, &token, err));
	return web_mail(w, email, "sign-up", first, arena_printf(w->a, "link/%.*s", STR_ARG(token)), data, err);
}

gh_rc portal_sign_up_take(struct web *w, struct str *email, struct web_refusal *no, struct gh_err *err)
{
	struct str first = str_trim(web_param(&w->rq.form, "first_name")), last = str_trim(web_param(&w->rq.form, "last_name"));
	struct str text, version, host;
	int64_t began = clock_mono_us();
	struct store *s = w->site->store;
	struct store_user user;
	bool terms, known;
	gh_rc rc;

	*no = (struct web_refusal){ 0 };
	*email = str_trim(web_param(&w->rq.form, "email"));
	if (!sign_up_open(w))
		FAIL(err, NOT_FOUND, "sign-up is closed");
	TRY(portal_terms(w, &text, &version, &terms, err));
	if (!check_sign_up(w, *email, first, last, terms))
		no->status = 422;
	else if (!web_allowance(w, "sign-up", web_network(w), config_int(&w->site->config, CONFIG_PORTAL_SIGN_UPS_PER_HOUR)))
		*no = (struct web_refusal){ 429, "Too many accounts were asked for from your network. Try again in an hour." };
	if (no->status)
		return GH_RC_OK;
	TRY(web_public_address(w, &host, err));
	TRY(store_user_find_email(s, w->a, *email, &user, &known, err));
	TRY(store_tx_begin(s, STR("web"), err));
	rc = known ? web_mail(w, user.email, "known", web_greeting(&user), STR("sign-in"), NULL, err)
		   : send_sign_up(w, *email, first, last, version, err);
	TRY(store_tx_end(s, rc, err));
	portal_even_out(began);
	return GH_RC_OK;
}

gh_rc portal_sign_up(struct web *w, struct gh_err *err)
{
	struct web_refusal no;
	struct str email;

	TRY(portal_sign_up_take(w, &email, &no, err));
	if (no.status)
		return show_sign_up(w, no.status, no.text, err);
	return show_sent(w, email, "Check your mail", "A message with a link to finish your account is on its way to |{1}|.", err);
}

/* ---- forgotten passwords ---------------------------------------------------------------------------------------------- */

static GH_RC show_forgot(struct web *w, int status, const char *error, struct gh_err *err)
{
	web_form_value(w, "email", web_param(&w->rq.form, "email"));
	web_form_problem(w, error);
	web_title(w, "Set a new password");
	w->rs.status = status;
	return web_page(w, "forgot", err);
}

gh_rc portal_forgot_form(struct web *w, struct gh_err *err)
{
	return show_forgot(w, 200, NULL, err);
}

static GH_RC send_reset(struct web *w, const struct store_user *user, struct gh_err *err)
{
	int64_t seconds = config_int(&w->site->config, CONFIG_WEB_RESET_S);
	struct store_link link = { .kind = STR("reset"), .email = user->email, .user_id = user->id, .data = STR("{}"),
				   .ends_us = clock_wall_us() + seconds * 1000000 };
	json_t *data = json_object();
	struct str token;

	json_object_set_new(data, "minutes", json_integer((seconds + 59) / 60));
	TRY(store_links_prune(w->site->store, err));
	TRY(store_link_create(w->site->store, w->a, &link, &token, err));
	return web_mail(w, user->email, "reset", web_greeting(user), arena_printf(w->a, "link/%.*s", STR_ARG(token)), data, err);
}

gh_rc portal_forgot_take(struct web *w, struct str *email, struct web_refusal *no, struct gh_err *err)
{
	const char *problem;
	int64_t began = clock_mono_us();
	struct store *s = w->site->store;
	struct store_user user;
	struct str host;
	bool known;
	gh_rc rc;

	*no = (struct web_refusal){ 0 };
	*email = str_trim(web_param(&w->rq.form, "email"));
	problem = web_email_problem(*email);
	if (problem) {
		web_form_error(w, "email", str_of(problem));
		no->status = 422;
		return GH_RC_OK;
	}
	if (!web_allowance(w, "sign-up", web_network(w), config_int(&w->site->config, CONFIG_PORTAL_SIGN_UPS_PER_HOUR))) {
		*no = (struct web_refusal){ 429, "Too many mails were asked for from your network. Try again in an hour." };
		return GH_RC_OK;
	}
	TRY(web_public_address(w, &host, err));
	TRY(store_user_find_email(s, w->a, *email, &user, &known, err));
	TRY(store_tx_begin(s, STR("web"), err));
	rc = known && user.state == STORE_USER_ACTIVE
		     ? send_reset(w, &user, err)
		     : store_audit_note(s, STR("reset-refused"), STR("user"), *email, STR_NULL, err);
	TRY(store_tx_end(s, rc, err));
	portal_even_out(began);
	return GH_RC_OK;
}

gh_rc portal_forgot(struct web *w, struct gh_err *err)
{
	struct web_refusal no;
	struct str email;

	TRY(portal_forgot_take(w, &email, &no, err));
	if (no.status)
		return show_forgot(w, no.status, no.text, err);
	return show_sent(w, email, "Check your mail", "If there is an account, a message with a link is on its way to |{1}|.", err);
}
