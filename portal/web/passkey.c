#include "portal/web/internal.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "core/uri.h"
#include "db/audit.h"
#include "db/passkeys.h"
#include "portal/web/webauthn.h"

/* Challenges for passkeys, and signing in with one: without a password, or in place of the code of the second factor.
 *
 * A challenge is random, stands in a sealed cookie for some minutes together with what it is for, and is noted as used by the
 * first answer that fits: visitors who only look write nothing to the store. A browser that answers must be at the address
 * that people know us by. */

enum { CHALLENGE_S = 300, FIELD_MAX = 24 * 1024 };
static const char cookie[] = "gh_passkey";

static GH_RC place(struct web *w, struct webauthn_expect *e, struct gh_err *err)
{
	struct str host;
	unsigned port;
	size_t at;

	TRY(web_public_address(w, &e->origin, err));
	at = str_find(e->origin, STR("://"));
	host = str_from(e->origin, at == SIZE_MAX ? 0 : at + 3);
	if (!uri_parse_authority(host, &e->rp_id, &port))
		FAIL(err, INTERNAL, "no host in %.*s", STR_ARG(e->origin));
	return GH_RC_OK;
}

gh_rc web_passkey_new(struct web *w, const char *purpose, struct str user_id, struct str *challenge, struct str *rp_id, struct gh_err *err)
{
	char bytes[WEBAUTHN_CHALLENGE_BYTES];
	struct webauthn_expect e;

	TRY(place(w, &e, err));
	TRY(crypto_random(bytes, sizeof(bytes), err));
	*challenge = crypto_base64url(w->a, (struct str){ bytes, sizeof(bytes) });
	*rp_id = e.rp_id;
	if (!challenge->p)
		FAIL(err, NOMEM, "passkey");
	return web_sealed_put(w, cookie, arena_printf(w->a, "%s\n%.*s\n%.*s", purpose, STR_ARG(user_id), STR_ARG(*challenge)), CHALLENGE_S,
			      err);
}

gh_rc web_passkey_challenge(struct web *w, const char *purpose, struct str user_id, struct gh_err *err)
{
	struct str challenge, rp_id;

	TRY(web_passkey_new(w, purpose, user_id, &challenge, &rp_id, err));
	liquid_set_text(w->page, "challenge", challenge);
	liquid_set_text(w->page, "rp_id", rp_id);
	return GH_RC_OK;
}

static GH_RC expected(struct web *w, const char *purpose, struct str *user_id, struct webauthn_expect *e, struct gh_err *err)
{
	struct str text = web_sealed_get(w, cookie), what;

	TRY(place(w, e, err));
	if (!text.n || !str_split(&text, '\n', &what) || !str_eq(what, str_of(purpose)) || !str_split(&text, '\n', user_id))
		FAIL(err, INVALID, "no challenge was given to this browser, or too long ago");
	e->challenge = text;
	return GH_RC_OK;
}

struct str web_passkey_bytes(struct web *w, const char *field)
{
	struct str text = web_param(&w->rq.form, field), out;

	return text.n && text.n <= FIELD_MAX && crypto_base64url_decode(w->a, text, &out) ? out : STR("");
}

static GH_RC use_challenge(struct web *w, struct str challenge, struct gh_err *err)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];

	crypto_sha256(challenge, digest);
	return store_passkey_challenge_use(w->site->store, crypto_hex(w->a, (struct str){ (const char *)digest, sizeof(digest) }),
					   clock_wall_us() + (int64_t)CHALLENGE_S * 1000000, err);
}

gh_rc web_passkey_made(struct web *w, const char *purpose, struct store_passkey *out, struct gh_err *err)
{
	struct webauthn_expect e;
	struct webauthn_key key;
	struct str user_id;

	TRY(expected(w, purpose, &user_id, &e, err));
	if (!w->signed_in || !str_eq(user_id, w->user.id))
		FAIL(err, INVALID, "the challenge was given to somebody else");
	TRY(webauthn_register(w->a, &e, web_passkey_bytes(w, "client_data"), web_passkey_bytes(w, "auth_data"), &key, err));
	TRY(use_challenge(w, e.challenge, err));
	*out = (struct store_passkey){ .id = crypto_base64url(w->a, key.id), .user_id = w->user.id, .public_key = key.public_key,
				       .algorithm = key.algorithm, .sign_count = key.sign_count, .created_us = clock_wall_us() };
	return web_sealed_put(w, cookie, STR_NULL, 0, err);
}

/* ---- signing in ------------------------------------------------------------------------------------------------------------- */

static GH_RC answer(struct web *w, const char *purpose, struct str only, struct store_user *user, struct gh_err *err)
{
	struct str id = web_param(&w->rq.form, "key"), bound, handle = web_passkey_bytes(w, "handle");
	struct store *s = w->site->store;
	struct store_passkey stored;
	struct webauthn_expect e;
	struct webauthn_key key;
	int64_t count;
	bool found;

	TRY(expected(w, purpose, &bound, &e, err));
	TRY(store_passkey_find(s, w->a, str_first(id.p ? id : STR(""), 2 * WEBAUTHN_ID_MAX), &stored, &found, err));
	if (!found || (only.n && (!str_eq(stored.user_id, only) || !str_eq(bound, only))))
		FAIL(err, INVALID, "this key is not known");
	if (handle.n ? !str_eq(handle, stored.user_id) : !only.n)        /* section 7.2, step 6 */
		FAIL(err, INVALID, "the key names another account");
	key = (struct webauthn_key){ .public_key = stored.public_key, .algorithm = stored.algorithm, .sign_count = stored.sign_count };
	TRY(webauthn_assert(w->a, &e, web_passkey_bytes(w, "client_data"), web_passkey_bytes(w, "auth_data"),
			    web_passkey_bytes(w, "signature"), &key, &count, err));
	TRY(use_challenge(w, e.challenge, err));
	TRY(store_passkey_used(s, stored.id, count, clock_wall_us(), err));
	TRY(store_user_find(s, w->a, stored.user_id, user, &found, err));
	if (!found || user->state != STORE_USER_ACTIVE)
		FAIL(err, INVALID, "the account is blocked or gone");
	return GH_RC_OK;
}

gh_rc web_passkey_answered(struct web *w, const char *purpose, struct str only, struct store_user *user, bool *fits, struct gh_err *err)
{
	struct store *s = w->site->store;
	gh_rc rc;

	*fits = false;
	TRY(store_tx_begin(s, STR("web"), err));
	rc = store_tx_end(s, answer(w, purpose, only, user, err), err);
	if (rc.code != GH_E_INVALID && rc.code != GH_E_CONFLICT && rc.code != GH_E_NOT_FOUND && rc.code != GH_OK)
		return rc;
	*fits = !rc.code;
	if (*fits)
		return web_sealed_put(w, cookie, STR_NULL, 0, err);
	log_warn("passkey refused", KV_STR("request_id", w->rq.id), KV_STR("address", w->rq.address), KV_CSTR("reason", err->message));
	TRY(store_tx_begin(s, STR("web"), err));
	return store_tx_end(s, store_audit_note(s, STR("passkey-refused"), STR("user"), only.n ? only : STR("?"), STR_NULL, err), err);
}

/* The page that asks the device; without script it says what to do instead. */
static GH_RC ask(struct web *w, int status, const char *problem, struct gh_err *err)
{
	struct str back = web_param(&w->rq.form, "return");

	web_form_value(w, "return", back.p ? back : web_param(&w->rq.query, "return"));
	web_form_problem(w, problem);
	TRY(web_passkey_challenge(w, "sign-in", STR(""), err));
	web_title(w, "Sign in with a passkey");
	w->rs.status = status;
	return web_page(w, "web/passkey", err);
}

/* Where nobody knows our address there are no passkeys; the sign-in page does not offer them then. */
static bool possible(struct web *w)
{
	struct webauthn_expect e;
	struct gh_err why;

	if (!place(w, &e, &why).code)
		return true;
	log_warn("no passkeys", KV_STR("request_id", w->rq.id), KV_CSTR("reason", why.message));
	return false;
}

gh_rc web_passkey_form(struct web *w, struct gh_err *err)
{
	if (!w->signed_in && !possible(w))
		return web_redirect(w, STR("sign-in"), err);
	return w->signed_in ? web_redirect(w, STR(""), err) : ask(w, 200, NULL, err);
}

gh_rc web_passkey_enter(struct web *w, struct web_refusal *no, struct gh_err *err)
{
	uint32_t wait = web_brake(w, "passkey", web_network(w));
	struct store_user user;
	bool fits;

	*no = (struct web_refusal){ wait ? 429 : 0, wait ? web_wait_text(w, wait) : NULL };
	if (wait)
		return GH_RC_OK;
	TRY(web_passkey_answered(w, "sign-in", STR(""), &user, &fits, err));
	if (!fits) {
		web_brake_count(w, "passkey", web_network(w));
		*no = (struct web_refusal){ 422, "This passkey was not accepted. Try once more, or sign in another way." };
		return GH_RC_OK;
	}
	TRY(web_may_enter(w, &user, &fits, err));
	if (fits) {
		w->proof = WEB_PROOF_SECOND_FACTOR;      /* device and its user's verification: two factors already */
		return web_session_begin(w, &user, err);
	}
	*no = (struct web_refusal){ 403, "This account has no access to the dashboard." };
	return GH_RC_OK;
}

gh_rc web_passkey_sign_in(struct web *w, struct gh_err *err)
{
	struct web_refusal no;

	if (!possible(w))
		return web_redirect(w, STR("sign-in"), err);
	TRY(web_passkey_enter(w, &no, err));
	if (no.status)
		return ask(w, no.status, no.text, err);
	return web_redirect(w, web_way_back(w, web_param(&w->rq.form, "return")), err);
}
