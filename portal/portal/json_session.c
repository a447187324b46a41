#include "portal/portal/json.h"

#include "core/str.h"
#include "db/accounts.h"
#include "db/identity_providers.h"
#include "db/passkeys.h"

/* Signing in and out, sign-up, forgotten passwords and the links of mails, as JSON: the steps are those of the pages.
 *
 * What a sign-in gives is the session of the browser, in its cookie. A program that wants a token signs in, makes one by POST
 * /account/tokens and signs out. Who is not signed in yet has a form token too (GET /session, bound to a cookie of the visit), and
 * all that changes something needs it: without it another site could sign a browser in to an account of its choice. */

/* How far the sign-in of this browser is; `awaited`: whose second step comes next, NULL: nobody's. */
static GH_RC put_state(struct web *w, json_t *v, const struct store_user *awaited, struct gh_err *err)
{
	bool code, passkey;

	if (awaited) {
		json_t *ways = json_array();

		json_object_set_new(v, "secondFactors", ways);
		TRY(web_has_factor(w, awaited->id, &code, &passkey, err));
		if (code)
			json_array_append_new(ways, json_string("code"));
		if (passkey)
			json_array_append_new(ways, json_string("passkey"));
	}
	web_csrf_prepare(w);
	json_object_set_new(v, "state", json_string(awaited ? "second_factor" : w->signed_in ? "signed_in" : "signed_out"));
	json_object_set_new(v, "csrfToken", w->by_token ? json_null() : portal_json_text(w->csrf));
	return GH_RC_OK;
}

static GH_RC put_providers(struct web *w, json_t *list, struct gh_err *err)
{
	struct store_provider *v;
	size_t n;

	TRY(store_providers(w->site->store, w->a, false, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (v[i].for_portal)
			json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "id", portal_json_text(v[i].id), "name", portal_json_text(v[i].name),
							      "address", portal_json_text(arena_printf(w->a, "%.*ssign-in/with/%.*s",
												       STR_ARG(w->site->base), STR_ARG(v[i].id)))));
	return GH_RC_OK;
}

gh_rc portal_json_session(struct web *w, struct gh_err *err)
{
	json_t *v = json_object(), *providers = json_array();
	struct store_user user;
	struct str back;
	bool waits = false;

	if (!jsn_keep(w->a, v) || json_object_set_new(v, "providers", providers) != 0)
		FAIL(err, NOMEM, "answer");
	json_object_set_new(v, "signUp", json_boolean(config_bool(&w->site->config, CONFIG_PORTAL_SIGN_UP)));
	TRY(put_providers(w, providers, err));
	if (!w->signed_in)
		TRY(web_code_awaited(w, &user, &back, &waits, err));
	TRY(put_state(w, v, waits ? &user : NULL, err));
	return portal_json_answer(w, 200, json_incref(v), err);
}

static GH_RC answer_state(struct web *w, const struct store_user *awaited, struct gh_err *err)
{
	json_t *v = jsn_keep(w->a, json_object());

	if (!v)
		FAIL(err, NOMEM, "answer");
	TRY(put_state(w, v, awaited, err));
	return portal_json_answer(w, 200, json_incref(v), err);
}

static GH_RC refused(struct web *w, const struct web_refusal *no)
{
	web_json_error(w, no->status, NULL, no->text);
	return GH_RC_OK;
}

/* A token is no browser that could be signed in or out. The body becomes the form. *ok false: answered. */
static GH_RC form(struct web *w, const struct web_json_member *members, bool *ok, struct gh_err *err)
{
	*ok = !w->by_token;
	if (*ok)
		return web_json_form(w, members, ok, err);
	web_json_error(w, 409, "signed_in_by_token", "You showed a token: sign in, or sign up, without one");
	return GH_RC_OK;
}

/* ---- in and out ---------------------------------------------------------------------------------------------------------------- */

gh_rc portal_json_sign_in(struct web *w, struct gh_err *err)
{
	static const struct web_json_member members[] = { { "email", "email" }, { "password", "password" }, { NULL, NULL } };
	struct store_user user;
	struct web_refusal no;
	bool ok;

	TRY(form(w, members, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(web_password_take(w, &user, &no, err));
	if (no.status)
		return refused(w, &no);
	TRY(web_enter(w, &user, STR(""), &ok, err));
	return answer_state(w, ok ? NULL : &user, err);
}

static const struct web_json_member code_members[] = { { "code", "code" }, { NULL, NULL } };
static const struct web_json_member passkey_members[] = {
	{ "credential/id", "key" },
	{ "credential/response/clientDataJSON", "client_data" },
	{ "credential/response/authenticatorData", "auth_data" },
	{ "credential/response/signature", "signature" },
	{ "credential/response/userHandle", "handle" },
	{ NULL, NULL },
};

/* The second step of whoever took the first one. *ok false: answered. */
static GH_RC second_step(struct web *w, const struct web_json_member *members, struct store_user *user, bool *ok, struct gh_err *err)
{
	struct str back;

	TRY(form(w, members, ok, err));
	if (!*ok)
		return GH_RC_OK;
	TRY(web_code_awaited(w, user, &back, ok, err));
	if (!*ok)
		web_json_error(w, 409, "no_second_factor_awaited", "Begin with POST /session: no second factor is awaited from this browser, or not any more");
	return GH_RC_OK;
}

gh_rc portal_json_sign_in_code(struct web *w, struct gh_err *err)
{
	struct store_user user;
	struct web_refusal no;
	bool ok;

	TRY(second_step(w, code_members, &user, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(web_code_enter(w, &user, &no, err));
	return no.status ? refused(w, &no) : answer_state(w, NULL, err);
}

gh_rc portal_json_sign_out(struct web *w, struct gh_err *err)
{
	if (w->by_token) {
		web_json_error(w, 409, "signed_in_by_token", "You showed a token, which has no session: take it back by DELETE /account/tokens/{id}");
		return GH_RC_OK;
	}
	TRY(web_code_drop(w, err));
	TRY(web_session_end(w, err));
	w->rs.status = 204;
	web_header(w, "Cache-Control", STR("no-store"));
	return GH_RC_OK;
}

/* ---- passkeys ------------------------------------------------------------------------------------------------------------------- */

/* As PublicKeyCredential.parseRequestOptionsFromJSON takes it (W3C Web Authentication Level 3, section 5.1.9). */
static GH_RC ask_device(struct web *w, const char *purpose, struct str user_id, struct gh_err *err)
{
	struct str challenge, rp_id;
	struct store_passkey *v;
	json_t *keys;
	size_t n = 0;

	if (user_id.n)
		TRY(store_passkeys_of_user(w->site->store, w->a, user_id, &v, &n, err));
	TRY(web_passkey_new(w, purpose, user_id, &challenge, &rp_id, err));
	keys = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(keys, json_pack("{s:s, s:o}", "type", "public-key", "id", portal_json_text(v[i].id)));
	return portal_json_answer(w, 201, json_pack("{s:{s:o, s:o, s:o, s:s}}", "publicKey", "challenge", portal_json_text(challenge), "rpId",
						    portal_json_text(rp_id), "allowCredentials", keys, "userVerification", "required"), err);
}

gh_rc portal_json_sign_in_passkey_begin(struct web *w, struct gh_err *err)
{
	bool ok;

	TRY(form(w, code_members, &ok, err));
	return ok ? ask_device(w, "sign-in", STR(""), err) : GH_RC_OK;
}

gh_rc portal_json_sign_in_passkey(struct web *w, struct gh_err *err)
{
	struct web_refusal no;
	bool ok;

	TRY(form(w, passkey_members, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(web_passkey_enter(w, &no, err));
	return no.status ? refused(w, &no) : answer_state(w, NULL, err);
}

gh_rc portal_json_code_passkey_begin(struct web *w, struct gh_err *err)
{
	struct store_user user;
	bool ok;

	TRY(second_step(w, code_members, &user, &ok, err));
	return ok ? ask_device(w, "code", user.id, err) : GH_RC_OK;
}

gh_rc portal_json_code_passkey(struct web *w, struct gh_err *err)
{
	struct store_user user;
	struct web_refusal no;
	bool ok;

	TRY(second_step(w, passkey_members, &user, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(web_code_passkey_enter(w, &user, &no, err));
	return no.status ? refused(w, &no) : answer_state(w, NULL, err);
}

/* ---- accounts to be, and ways back in -------------------------------------------------------------------------------------------- */

static GH_RC sent(struct web *w, struct str email, const struct web_refusal *no, struct gh_err *err)
{
	if (no->status)
		return refused(w, no);
	return portal_json_answer(w, 202, json_pack("{s:o}", "sentTo", portal_json_text(email)), err);
}

gh_rc portal_json_sign_up(struct web *w, struct gh_err *err)
{
	static const struct web_json_member members[] = { { "email", "email" }, { "firstName", "first_name" }, { "lastName", "last_name" },
							  { "agreeToTerms", "agree" }, { NULL, NULL } };
	struct web_refusal no;
	struct str email;
	bool ok;

	TRY(form(w, members, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(portal_sign_up_take(w, &email, &no, err));
	return sent(w, email, &no, err);
}

gh_rc portal_json_forgot(struct web *w, struct gh_err *err)
{
	static const struct web_json_member members[] = { { "email", "email" }, { NULL, NULL } };
	struct web_refusal no;
	struct str email;
	bool ok;

	TRY(form(w, members, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(portal_forgot_take(w, &email, &no, err));
	return sent(w, email, &no, err);
}

/* Looking uses nothing up. */
gh_rc portal_json_link(struct web *w, struct gh_err *err)
{
	struct store_link link;
	struct web_refusal no;

	TRY(portal_link_find(w, &link, &no, err));
	if (no.status)
		return refused(w, &no);
	return portal_json_answer(w, 200, json_pack("{s:o, s:o, s:b, s:o}", "kind", portal_json_text(link.kind), "email", portal_json_text(link.email),
						    "asksPassword", !str_eq(link.kind, STR("address")), "endsAt", portal_json_time(link.ends_us)), err);
}

gh_rc portal_json_link_use(struct web *w, struct gh_err *err)
{
	static const struct web_json_member members[] = { { "password", "password" }, { NULL, NULL } };
	struct store_link link;
	struct web_refusal no;
	bool ok;

	TRY(form(w, members, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(portal_link_find(w, &link, &no, err));
	if (!no.status)
		TRY(portal_link_take(w, &link, &no, err));
	return no.status ? refused(w, &no) : answer_state(w, NULL, err);
}
