#include "portal/web/internal.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "db/accounts.h"
#include "db/audit.h"
#include "db/passkeys.h"
#include "portal/web/totp.h"

/* From "this is who they say they are" to a session. Whoever has a second factor in use is asked for a code in between; until
 * then a sealed cookie, good for some minutes, remembers whose code is awaited and where to go afterwards. */

enum { STEP_S = 300 };
static const char step_cookie[] = "gh_step";

gh_rc web_enter(struct web *w, const struct store_user *user, struct str back, bool *in, struct gh_err *err)
{
	bool code, passkey, demanded = false;

	TRY(web_has_factor(w, user->id, &code, &passkey, err));
	if (passkey && !code && !w->proof)
		TRY(web_factor_demanded_of(w, user, &demanded, err));
	*in = !code && !demanded;
	if (*in)
		return web_session_begin(w, user, err);
	return web_sealed_put(w, step_cookie, arena_printf(w->a, "%.*s\n%.*s", STR_ARG(user->id), STR_ARG(back)), STEP_S, err);
}

gh_rc web_sign_in_user(struct web *w, const struct store_user *user, struct str back, struct gh_err *err)
{
	bool in;

	TRY(web_enter(w, user, back, &in, err));
	return web_redirect(w, in ? back : STR("sign-in/code"), err);
}

gh_rc web_code_drop(struct web *w, struct gh_err *err)
{
	return web_sealed_put(w, step_cookie, STR_NULL, 0, err);
}

static GH_RC enter(struct web *w, const struct store_user *user, struct gh_err *err)
{
	TRY(web_code_drop(w, err));
	w->proof = WEB_PROOF_SECOND_FACTOR;
	return web_session_begin(w, user, err);
}

gh_rc web_code_awaited(struct web *w, struct store_user *user, struct str *back, bool *found, struct gh_err *err)
{
	struct str text = web_sealed_get(w, step_cookie), id;

	*found = text.n && str_split(&text, '\n', &id);
	if (!*found)
		return GH_RC_OK;
	*back = text.p ? text : STR("");
	TRY(store_user_find(w->site->store, w->a, id, user, found, err));
	*found = *found && user->state == STORE_USER_ACTIVE;
	return *found ? web_may_enter(w, user, found, err) : GH_RC_OK;
}

static GH_RC show(struct web *w, int status, const struct store_user *user, struct gh_err *err)
{
	bool code, passkey;

	web_form(w);
	TRY(web_has_factor(w, user->id, &code, &passkey, err));
	liquid_set_bool(w->page, "has_passkey", passkey);
	web_title(w, "Enter your code");
	w->rs.status = status;
	return web_page(w, "web/sign-in-code", err);
}

gh_rc web_code_form(struct web *w, struct gh_err *err)
{
	bool found, code, passkey;
	struct store_user user;
	struct str back;

	TRY(web_code_awaited(w, &user, &back, &found, err));
	if (!found)
		return web_redirect(w, STR("sign-in"), err);
	TRY(web_has_factor(w, user.id, &code, &passkey, err));
	return code || !passkey ? show(w, 200, &user, err) : web_redirect(w, STR("sign-in/code/passkey"), err);
}

/* "abcd-efgh" as it was shown, however it is typed. */
static struct str recovery_digest(struct arena *a, struct str code)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];
	char plain[64];
	size_t n = 0;

	for (size_t i = 0; i < code.n && n < sizeof(plain); i++)
		if (ascii_is_alpha(code.p[i]) || ascii_is_digit(code.p[i]))
			plain[n++] = ascii_lower(code.p[i]);
	crypto_sha256((struct str){ plain, n }, digest);
	return crypto_hex(a, (struct str){ (const char *)digest, sizeof(digest) });
}

gh_rc web_recovery_make(struct web *w, struct str user_id, struct str shown[WEB_RECOVERY_CODES], struct gh_err *err)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";         /* 32 that look unlike each other */
	struct str digests[WEB_RECOVERY_CODES];
	uint8_t random[10];

	for (size_t i = 0; i < WEB_RECOVERY_CODES; i++) {
		char code[sizeof(random) + 1];

		TRY(crypto_random(random, sizeof(random), err));
		for (size_t k = 0; k < sizeof(random); k++)
			code[k] = letters[random[k] & 31];
		shown[i] = arena_printf(w->a, "%.5s-%.5s", code, code + 5);
		if (!shown[i].p)
			FAIL(err, NOMEM, "recovery codes");
		digests[i] = recovery_digest(w->a, shown[i]);
	}
	return store_recovery_set(w->site->store, user_id, digests, WEB_RECOVERY_CODES, err);
}

/* Takes a code in a transaction of its own, so that of two uses at once only one counts. */
gh_rc web_code_take(struct web *w, const struct store_user *user, struct str code, bool *fits, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_factor factor;
	int64_t step;
	gh_rc rc;

	TRY(store_factor_find(s, w->a, user->id, &factor, fits, err));
	*fits = *fits && factor.confirmed_us;    /* one that is only being set up was shown to whoever has the password */
	if (!*fits)
		return GH_RC_OK;
	TRY(store_tx_begin(s, arena_printf(w->a, "user:%.*s", STR_ARG(user->email)), err));
	rc = totp_check(factor.secret, code, clock_wall_us() / 1000000, &step)
		     ? store_factor_step(s, user->id, step, err)
		     : store_recovery_use(s, user->id, recovery_digest(w->a, code), err);
	*fits = !rc.code;
	rc = store_tx_end(s, rc, err);
	return rc.code == GH_E_NOT_FOUND ? GH_RC_OK : rc;
}

/* The error stands beside the field `code`. */
static GH_RC refuse(struct web *w, struct web_refusal *no, int status, const char *text)
{
	web_form_error(w, "code", str_of(text));
	*no = (struct web_refusal){ status, NULL };
	return GH_RC_OK;
}

gh_rc web_code_enter(struct web *w, const struct store_user *user, struct web_refusal *no, struct gh_err *err)
{
	struct str code = str_first(str_trim(web_param(&w->rq.form, "code")), 64);
	struct store *s = w->site->store;
	uint32_t wait;
	bool fits;

	*no = (struct web_refusal){ 0 };
	if (!code.n)
		return refuse(w, no, 422, "Enter the code.");
	wait = web_brake(w, "code", user->email);
	if (wait)
		return refuse(w, no, 429, web_wait_text(w, wait));
	TRY(web_code_take(w, user, code, &fits, err));
	if (fits)
		return enter(w, user, err);
	web_brake_count(w, "code", user->email);
	log_warn("second factor refused", KV_STR("request_id", w->rq.id), KV_STR("address", w->rq.address));
	TRY(store_tx_begin(s, STR("web"), err));
	TRY(store_tx_end(s, store_audit_note(s, STR("code-refused"), STR("user"), user->email, STR_NULL, err), err));
	return refuse(w, no, 422, "This code is wrong or was used before. Enter the one that is shown now.");
}

gh_rc web_code(struct web *w, struct gh_err *err)
{
	struct web_refusal no;
	struct store_user user;
	struct str back;
	bool found;

	TRY(web_code_awaited(w, &user, &back, &found, err));
	if (!found)
		return web_redirect(w, STR("sign-in"), err);
	TRY(web_code_enter(w, &user, &no, err));
	return no.status ? show(w, no.status, &user, err) : web_redirect(w, back, err);
}

/* ---- a passkey in place of the code ----------------------------------------------------------------------------------------- */

static GH_RC ask_passkey(struct web *w, int status, const struct store_user *user, const char *problem, struct gh_err *err)
{
	struct store_passkey *keys;
	struct str ids = STR("");
	bool code, passkey;
	size_t n;

	TRY(web_has_factor(w, user->id, &code, &passkey, err));
	liquid_set_bool(w->page, "has_code", code);
	TRY(store_passkeys_of_user(w->site->store, w->a, user->id, &keys, &n, err));
	for (size_t i = 0; i < n; i++)
		ids = arena_printf(w->a, "%.*s%s%.*s", STR_ARG(ids), i ? " " : "", STR_ARG(keys[i].id));
	liquid_set_text(w->page, "key_ids", ids);
	web_form_problem(w, problem);
	TRY(web_passkey_challenge(w, "code", user->id, err));
	web_title(w, "Enter your code");
	w->rs.status = status;
	return web_page(w, "web/code-passkey", err);
}

gh_rc web_code_passkey_form(struct web *w, struct gh_err *err)
{
	struct store_user user;
	struct str back;
	bool found;

	TRY(web_code_awaited(w, &user, &back, &found, err));
	return found ? ask_passkey(w, 200, &user, NULL, err) : web_redirect(w, STR("sign-in"), err);
}

gh_rc web_code_passkey_enter(struct web *w, const struct store_user *user, struct web_refusal *no, struct gh_err *err)
{
	uint32_t wait = web_brake(w, "code", user->email);
	struct store_user same;
	bool fits;

	*no = (struct web_refusal){ 0 };
	if (wait) {
		*no = (struct web_refusal){ 429, web_wait_text(w, wait) };
		return GH_RC_OK;
	}
	TRY(web_passkey_answered(w, "code", user->id, &same, &fits, err));
	if (fits)
		return enter(w, user, err);
	web_brake_count(w, "code", user->email);
	*no = (struct web_refusal){ 422, "This passkey was not accepted. Try once more, or sign in another way." };
	return GH_RC_OK;
}

gh_rc web_code_passkey(struct web *w, struct gh_err *err)
{
	struct web_refusal no;
	struct store_user user;
	struct str back;
	bool found;

	TRY(web_code_awaited(w, &user, &back, &found, err));
	if (!found)
		return web_redirect(w, STR("sign-in"), err);
	TRY(web_code_passkey_enter(w, &user, &no, err));
	return no.status ? ask_passkey(w, no.status, &user, no.text, err) : web_redirect(w, back, err);
}
