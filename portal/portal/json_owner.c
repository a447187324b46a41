#include "portal/portal/json.h"

#include "core/str.h"
#include "db/accounts.h"
#include "db/identity_providers.h"
#include "db/passkeys.h"
#include "db/personal_tokens.h"
#include "portal/web/totp.h"
#include "portal/web/webauthn.h"

/* What proves who somebody is, as JSON: password, address, second factor, passkeys, identities, tokens, consent, the end of the
 * account. The lines that check are those of the pages (portal_…_take); a token needs the scope `account` for all that changes
 * something here (WEB_OWN_ACCOUNT), and what asks for the present password on a page asks for it here. */

static GH_RC no_content(struct web *w)
{
	w->rs.status = 204;
	web_header(w, "Cache-Control", STR("no-store"));
	return GH_RC_OK;
}

static GH_RC refused(struct web *w)
{
	web_json_error(w, 422, NULL, NULL);
	return GH_RC_OK;
}

static GH_RC not_now(struct web *w, const char *reason, const char *message)
{
	web_json_error(w, 409, reason, message);
	return GH_RC_OK;
}

/* ---- password, address, end ---------------------------------------------------------------------------------------------------- */

gh_rc portal_json_password(struct web *w, struct gh_err *err)
{
	static const struct web_json_member members[] = { { "currentPassword", "password_now" }, { "newPassword", "password_new" },
							  { "endTokens", "end_tokens" }, { NULL, NULL } };
	bool ok;

	TRY(web_json_form(w, members, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(portal_password_take(w, &ok, err));
	return ok ? no_content(w) : refused(w);
}

gh_rc portal_json_address(struct web *w, struct gh_err *err)
{
	static const struct web_json_member members[] = { { "currentPassword", "password_address" }, { "email", "new_email" }, { NULL, NULL } };
	bool ok;

	TRY(web_json_form(w, members, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(portal_address_take(w, &ok, err));
	if (!ok)
		return refused(w);
	return portal_json_answer(w, 202, json_pack("{s:o}", "sentTo", portal_json_text(str_trim(web_param(&w->rq.form, "new_email")))), err);
}

gh_rc portal_json_close(struct web *w, struct gh_err *err)
{
	static const struct web_json_member members[] = { { "currentPassword", "password_close" }, { NULL, NULL } };
	bool ok;

	TRY(web_json_form(w, members, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(portal_close_take(w, &ok, err));
	if (!ok)
		return refused(w);
	if (!w->by_token) {
		w->session.id = STR("gone");             /* its row went with the account; the cookie still has to */
		TRY(web_session_end(w, err));
	}
	return no_content(w);
}

/* ---- second factor -------------------------------------------------------------------------------------------------------------- */

static GH_RC show_factor(struct web *w, struct gh_err *err)
{
	struct store_factor f = { .confirmed_us = 0 };
	int64_t codes = 0;
	bool found;

	TRY(store_factor_find(w->site->store, w->a, w->user.id, &f, &found, err));
	if (found && f.confirmed_us)
		TRY(store_recovery_count(w->site->store, w->user.id, &codes, err));
	return portal_json_answer(w, 200, json_pack("{s:b, s:I}", "inUse", found && f.confirmed_us, "recoveryCodesLeft", (json_int_t)codes), err);
}

gh_rc portal_json_factor(struct web *w, struct gh_err *err)
{
	return show_factor(w, err);
}

/* The secret of the one that is being set up; it is asked for once a code of it was shown. */
gh_rc portal_json_factor_begin(struct web *w, struct gh_err *err)
{
	struct str title, secret, address;
	struct store_factor f;
	bool in_use;

	TRY(web_factor_current(w, &f, &in_use, err));
	if (in_use)
		return not_now(w, "second_factor_in_use", "Two-step sign-in is in use: remove it first");
	TRY(web_site_title(w, &title, err));
	secret = crypto_base32(w->a, f.secret);
	address = totp_address(w->a, title, w->user.email, f.secret);
	return portal_json_answer(w, 201, json_pack("{s:o, s:o}", "secret", portal_json_text(secret), "address", portal_json_text(address)), err);
}

static GH_RC show_codes(struct web *w, const struct str codes[WEB_RECOVERY_CODES], struct gh_err *err)
{
	json_t *list = json_array();

	for (size_t i = 0; i < WEB_RECOVERY_CODES; i++)
		json_array_append_new(list, portal_json_text(codes[i]));
	return portal_json_answer(w, 200, json_pack("{s:o}", "recoveryCodes", list), err);
}

static const struct web_json_member factor_members[] = { { "currentPassword", "password_factor" }, { "code", "code" }, { NULL, NULL } };

/* *ok false: answered. */
static GH_RC factor_form(struct web *w, bool wanted_in_use, struct store_factor *f, bool *ok, struct gh_err *err)
{
	bool in_use = false, found;

	TRY(web_json_form(w, factor_members, ok, err));
	if (!*ok)
		return GH_RC_OK;
	TRY(store_factor_find(w->site->store, w->a, w->user.id, f, &found, err));
	in_use = found && f->confirmed_us;
	*ok = found && in_use == wanted_in_use;
	if (*ok)
		return GH_RC_OK;
	return in_use ? not_now(w, "second_factor_in_use", "Two-step sign-in is in use already")
		      : not_now(w, "second_factor_not_in_use", wanted_in_use ? "Two-step sign-in is not in use" : "Begin with POST /account/second-factor");
}

gh_rc portal_json_factor_confirm(struct web *w, struct gh_err *err)
{
	struct str codes[WEB_RECOVERY_CODES];
	struct store_factor f;
	bool ok;

	TRY(factor_form(w, false, &f, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(web_factor_confirm(w, &f, codes, &ok, err));
	return ok ? show_codes(w, codes, err) : refused(w);
}

gh_rc portal_json_factor_codes(struct web *w, struct gh_err *err)
{
	struct str codes[WEB_RECOVERY_CODES];
	struct store_factor f;
	bool ok;

	TRY(factor_form(w, true, &f, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(web_factor_renew(w, codes, &ok, err));
	return ok ? show_codes(w, codes, err) : refused(w);
}

gh_rc portal_json_factor_remove(struct web *w, struct gh_err *err)
{
	struct store_factor f;
	bool ok;

	TRY(factor_form(w, true, &f, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(web_factor_remove(w, &ok, err));
	return ok ? no_content(w) : refused(w);
}

/* ---- passkeys -------------------------------------------------------------------------------------------------------------------- */

static json_t *passkey(const struct store_passkey *k)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "id", portal_json_text(k->id), "name", portal_json_text(k->name), "createdAt",
			 portal_json_time(k->created_us), "usedAt", portal_json_time(k->used_us));
}

gh_rc portal_json_passkeys(struct web *w, struct gh_err *err)
{
	struct portal_window win;
	struct store_passkey *v;
	json_t *items;
	size_t n;

	TRY(store_passkeys_of_user(w->site->store, w->a, w->user.id, &v, &n, err));
	win = portal_json_window(w, n);
	items = json_array();
	for (size_t i = win.from; i < win.from + win.n; i++)
		json_array_append_new(items, passkey(&v[i]));
	return portal_json_list(w, &win, items, err);
}

/* As PublicKeyCredential.parseCreationOptionsFromJSON takes it (W3C Web Authentication Level 3, section 5.1.8). */
static json_t *creation(struct web *w, struct str challenge, struct str rp_id, struct str title, const struct store_passkey *known, size_t n)
{
	struct str name = str_trim(arena_printf(w->a, "%.*s %.*s", STR_ARG(w->user.first_name), STR_ARG(w->user.last_name)));
	json_t *kinds = json_array(), *keys = json_array();

	for (const int *alg = webauthn_algorithms; *alg; alg++)
		json_array_append_new(kinds, json_pack("{s:s, s:i}", "type", "public-key", "alg", *alg));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(keys, json_pack("{s:s, s:o}", "type", "public-key", "id", portal_json_text(known[i].id)));
	return json_pack("{s:o, s:{s:o, s:o}, s:{s:o, s:o, s:o}, s:o, s:o, s:s, s:{s:s, s:b, s:s}}", "challenge", portal_json_text(challenge), "rp", "id",
			 portal_json_text(rp_id), "name", portal_json_text(title), "user", "id", portal_json_text(crypto_base64url(w->a, w->user.id)),
			 "name", portal_json_text(w->user.email), "displayName", portal_json_text(name.n ? name : w->user.email), "pubKeyCredParams",
			 kinds, "excludeCredentials", keys, "attestation", "none", "authenticatorSelection", "residentKey", "required",
			 "requireResidentKey", 1, "userVerification", "required");
}

gh_rc portal_json_passkey_begin(struct web *w, struct gh_err *err)
{
	static const struct web_json_member members[] = { { "currentPassword", "password_passkey" }, { "name", "name" }, { NULL, NULL } };
	struct str challenge, rp_id, title;
	struct store_passkey *known;
	size_t n;
	bool ok;

	TRY(web_json_form(w, members, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(web_passkey_begin(w, &challenge, &rp_id, &ok, err));
	if (!ok)
		return refused(w);
	TRY(web_site_title(w, &title, err));
	TRY(store_passkeys_of_user(w->site->store, w->a, w->user.id, &known, &n, err));
	return portal_json_answer(w, 201, json_pack("{s:o}", "publicKey", creation(w, challenge, rp_id, title, known, n)), err);
}

gh_rc portal_json_passkey_add(struct web *w, struct gh_err *err)
{
	static const struct web_json_member members[] = { { "name", "name" }, { "credential/response/clientDataJSON", "client_data" },
							  { "credential/response/authenticatorData", "auth_data" }, { NULL, NULL } };
	struct store_passkey key;
	bool ok;

	TRY(web_json_form(w, members, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(web_passkey_finish(w, &key, &ok, err));
	if (ok)
		return portal_json_answer(w, 201, passkey(&key), err);
	if (!w->fields)
		web_json_field(w, "credential", "The passkey was not accepted. Begin once more.");
	return refused(w);
}

gh_rc portal_json_passkey_remove(struct web *w, struct gh_err *err)
{
	TRY(web_passkey_drop(w, w->rq.args[0], err));
	return no_content(w);
}

/* ---- identities ------------------------------------------------------------------------------------------------------------------ */

gh_rc portal_json_identities(struct web *w, struct gh_err *err)
{
	struct store_identity *v;
	struct portal_window win;
	json_t *items;
	size_t n;

	TRY(store_identities_of_user(w->site->store, w->a, w->user.id, &v, &n, err));
	win = portal_json_window(w, n);
	items = json_array();
	for (size_t i = win.from; i < win.from + win.n; i++)
		json_array_append_new(items, json_pack("{s:o, s:o, s:o}", "provider", portal_json_text(v[i].provider_id), "subject",
						       portal_json_text(v[i].subject), "createdAt", portal_json_time(v[i].created_us)));
	return portal_json_list(w, &win, items, err);
}

gh_rc portal_json_identity_unlink(struct web *w, struct gh_err *err)
{
	bool only;

	TRY(portal_identity_unlink(w, w->rq.args[0], &only, err));
	return only ? not_now(w, "only_way_in", "This is your only way to sign in: set a password first") : no_content(w);
}

/* ---- tokens ---------------------------------------------------------------------------------------------------------------------- */

json_t *portal_json_token(const struct store_personal_token *t)
{
	json_t *scopes = json_pack("[s]", "read");

	if (t->may_write)
		json_array_append_new(scopes, json_string("write"));
	if (t->may_manage)
		json_array_append_new(scopes, json_string("account"));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", portal_json_text(t->id), "name", portal_json_text(t->name), "prefix",
			 portal_json_text(t->prefix), "scopes", scopes, "createdAt", portal_json_time(t->created_us), "usedAt",
			 portal_json_time(t->used_us), "endsAt", portal_json_time(t->ends_us));
}

gh_rc portal_json_token_make(struct web *w, struct gh_err *err)
{
	static const struct web_json_member members[] = { { "currentPassword", "password_token" }, { "name", "name" }, { "life", "life" },
							  { "write", "write" }, { "account", "manage" }, { NULL, NULL } };
	struct store_personal_token t, *v;
	json_t *out = NULL;
	struct str token;
	size_t n;
	bool ok;

	TRY(web_json_form(w, members, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(portal_token_take(w, &t, &token, &ok, err));
	if (!ok)
		return refused(w);
	TRY(store_personal_tokens(w->site->store, w->a, w->user.id, &v, &n, err));
	for (size_t i = 0; i < n && !out; i++)
		if (str_eq(v[i].id, t.id))
			out = portal_json_token(&v[i]);
	if (!out || json_object_set_new(out, "token", portal_json_text(token)) != 0)
		FAIL(err, INTERNAL, "the token is not there");
	return portal_json_answer(w, 201, out, err);
}

/* ---- terms of use ---------------------------------------------------------------------------------------------------------------- */

gh_rc portal_json_terms(struct web *w, struct gh_err *err)
{
	bool found, agreed = false;
	struct str text, version;

	TRY(portal_terms(w, &text, &version, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there are no terms");
	if (w->signed_in)
		TRY(portal_terms_agreed(w, version, &agreed, err));
	return portal_json_answer(w, 200, json_pack("{s:o, s:o, s:b}", "text", portal_json_text(text), "version", portal_json_text(version), "agreed",
						    agreed), err);
}

gh_rc portal_json_terms_agree(struct web *w, struct gh_err *err)
{
	static const struct web_json_member members[] = { { "version", "version" }, { NULL, NULL } };
	bool ok, found, changed;

	TRY(web_json_form(w, members, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(portal_terms_take(w, &found, &changed, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there are no terms");
	return changed ? not_now(w, "terms_changed", "This is not the present version of the terms: read them again") : no_content(w);
}
