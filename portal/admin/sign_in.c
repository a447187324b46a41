#include "portal/admin/admin.h"

#include "core/log.h"
#include "core/str.h"
#include "db/audit.h"

#include <arpa/inet.h>

/* Signing in. A wrong address and a wrong password get the same answer in the same time. Failed tries are counted per
 * account and address together, per account, and per address, over all processes; past the limit one more try passes per
 * pause, so guessing is slow while the owner of an account can still get in from elsewhere. */

static const struct {
	const char *name;
	bool account, address;
	uint64_t times;          /* of web.sign_in_tries */
} brakes[] = {
	{ "both", true, true, 1 },
	{ "account", true, false, 10 },
	{ "address", false, true, 4 },
};

/* Accounts are found without regard to case, so they are counted that way too. */
static struct str lower(struct arena *a, struct str s)
{
	char *p = arena_alloc_text(a, s.n);

	for (size_t i = 0; p && i < s.n; i++)
		p[i] = ascii_lower(s.p[i]);
	return (struct str){ p, p ? s.n : 0 };
}

/* One household or attacker has a whole /64 of IPv6 addresses: they count as one. */
static struct str network(struct arena *a, struct str address)
{
	const char *text = arena_cstr(a, address);
	struct in6_addr six;

	if (!text || inet_pton(AF_INET6, text, &six) != 1)
		return address;
	return crypto_hex(a, (struct str){ (const char *)&six, 8 });
}

/* Counts a failed try, or (amount 0) asks whether another may be made. */
static uint32_t brake(struct web *w, struct str email, bool count)
{
	uint64_t tries = (uint64_t)config_int(&w->site->config, CONFIG_WEB_SIGN_IN_TRIES);
	uint64_t pause = (uint64_t)config_int(&w->site->config, CONFIG_WEB_SIGN_IN_PAUSE_S);
	uint32_t wait = 0;
	struct str from;

	email = lower(w->a, email);
	from = network(w->a, w->rq.address);
	for (size_t i = 0; i < ARRAY_LEN(brakes); i++) {
		uint64_t burst = tries * brakes[i].times;
		struct counter_ask ask = {
			.type = COUNTER_TYPE_BUCKET,
			.limit = brakes[i].times,
			.window_s = (uint32_t)pause,
			.burst = burst,
			.amount = 1,
			.key = arena_printf(w->a, "sign-in %s|%.*s|%.*s", brakes[i].name,
					    STR_ARG(brakes[i].account ? email : STR("")),
					    STR_ARG(brakes[i].address ? from : STR(""))),
		};
		struct counter_answer answer;

		if (!count)
			ask.amount = 0;
		answer = counter_take(w->site->counters, &ask);
		if (!count && answer.remaining == 0)
			answer.allowed = false;
		if (!answer.allowed && answer.retry_after_s + (answer.retry_after_s == 0) > wait)
			wait = answer.retry_after_s ? answer.retry_after_s : (uint32_t)pause;
	}
	return wait;
}

/* Only a path of this app is gone back to, never another host. */
static struct str way_back(struct web *w, struct str wish)
{
	struct str base = w->site->base;

	if (!str_starts(wish, base) || str_starts(str_from(wish, base.n), STR("/")) || str_find_char(wish, '\\') != SIZE_MAX)
		return STR("");
	for (size_t i = 0; i < wish.n; i++)
		if ((unsigned char)wish.p[i] <= ' ')
			return STR("");
	return str_from(wish, base.n);
}

static GH_RC show(struct web *w, int status, const char *error, struct gh_err *err)
{
	struct str back = web_param(&w->rq.form, "return");

	if (str_is_null(back))
		back = web_param(&w->rq.query, "return");
	web_form_value(w, "email", web_param(&w->rq.form, "email"));
	web_form_value(w, "return", back);
	liquid_set(w->form, "error", error ? liquid_of_text(str_of(error)) : LIQUID_NIL_VALUE);
	liquid_set_text(w->page, "title", STR("Sign in"));
	liquid_set_bool(w->page, "signed_out", str_eq(web_param(&w->rq.query, "after"), STR("sign-out")));
	w->rs.status = status;
	return web_page(w, "sign-in", err);
}

gh_rc admin_sign_in_form(struct web *w, struct gh_err *err)
{
	if (w->signed_in)
		return web_redirect(w, STR(""), err);
	return show(w, 200, NULL, err);
}

static bool check_fields(struct web *w, struct str email, struct str password)
{
	bool ok = true;

	if (!email.n || email.n > 254 || str_find_char(email, '@') == SIZE_MAX) {
		web_form_error(w, "email", email.n ? STR("This is not a complete e-mail address.") : STR("Enter your e-mail address."));
		ok = false;
	}
	if (!password.n || password.n > CRYPTO_PASSWORD_MAX) {
		web_form_error(w, "password", password.n ? STR("This is longer than any password.") : STR("Enter your password."));
		ok = false;
	}
	return ok;
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

static GH_RC too_many(struct web *w, uint32_t wait, struct gh_err *err)
{
	struct str text = arena_printf(w->a, "There were too many failed tries. Wait %u second%s, then try again.", wait,
				       wait == 1 ? "" : "s");

	web_header(w, "Retry-After", arena_printf(w->a, "%u", wait));
	return show(w, 429, text.p, err);
}

gh_rc admin_sign_in(struct web *w, struct gh_err *err)
{
	struct str email = str_trim(web_param(&w->rq.form, "email")), password = web_param(&w->rq.form, "password");
	struct store_user user = { .id = STR_NULL };
	uint32_t wait;
	bool found;

	if (!check_fields(w, email, password))
		return show(w, 422, NULL, err);
	wait = brake(w, email, false);
	if (wait)
		return too_many(w, wait, err);
	TRY(store_user_find_email(w->site->store, w->a, email, &user, &found, err));
	if (!password_fits(&user, found, password)) {
		(void)brake(w, email, true);
		TRY(note_refusal(w, email, err));
		return show(w, 422, "The e-mail address or the password is wrong.", err);
	}
	if (!web_role_may(user.role, WEB_VIEW_APIS))
		return show(w, 403, "This account has no access to the dashboard.", err);
	TRY(renew_hash(w, &user, password, err));
	TRY(web_session_begin(w, &user, err));
	return web_redirect(w, way_back(w, web_param(&w->rq.form, "return")), err);
}

gh_rc admin_sign_out(struct web *w, struct gh_err *err)
{
	TRY(web_session_end(w, err));
	return web_redirect(w, STR("sign-in?after=sign-out"), err);
}
