/* json_session.h - for test_json.c: in and out, by password, code and passkey, sign-up and the links of mails. Who has no session yet
 * has cookies and a form token all the same. */
#pragma once

#include "db/mail.h"

#define ADA "\"email\":\"ada@example.com\""
#define ADA_PASSWORD "a sentence that nobody guesses"

static const char *session_token(struct client *c)
{
	CHECK_INT("the state", owner_call(c, STR_NULL, "GET", "/session", NULL), 200);
	return c->csrf = arena_dup(world.a, answered(c, "/csrfToken")).p;
}

static int session_call(struct client *c, const char *method, const char *path, const char *body)
{
	int status = owner_call(c, STR_NULL, method, path, body);
	struct str token = status == 200 ? answered(c, "/csrfToken") : STR_NULL;

	if (token.n)
		c->csrf = arena_dup(world.a, token).p;   /* another one with each session */
	return status;
}

/* What stands behind "/link/" in the newest mail that waits. */
static struct str mailed_token(void)
{
	struct str link = STR("");
	struct store_mail v;
	struct gh_err err;
	bool found = true;

	while (found) {
		json_t *data = NULL;

		must(store_mail_take(world.site.store, world.a, INT64_MAX, &v, &found, &err), &err);
		if (found)
			must(jsn_parse_in(world.a, v.data, NULL, &data, NULL, &err), &err);
		if (found && str_find(jsn_str(data, "link"), STR("/link/")) != SIZE_MAX)
			link = jsn_str(data, "link");
	}
	return link.n ? str_from(link, str_find(link, STR("/link/")) + 6) : link;
}

static const char *link_path(void)
{
	struct str token = mailed_token();

	return arena_printf(world.a, "/links/%.*s", STR_ARG(token)).p;
}

/* From nothing to an account that is signed in to. */
static void session_sign_up(struct client *c)
{
	struct client other = { .site = c->site };
	const char *path;

	CHECK_INT("no form token", owner_call(c, STR_NULL, "POST", "/sign-ups", "{" ADA ",\"firstName\":\"Ada\"}"), 403);
	CHECK("says so", client_shows(c, "csrf_token"));
	session_token(c);
	CHECK("nobody", client_shows(c, "\"state\":\"signed_out\"") && client_shows(c, "\"signUp\":true"));
	CHECK_INT("a token of another visit", (other.csrf = c->csrf, session_call(&other, "POST", "/sign-ups", "{}")), 403);
	client_end(&other);
	CHECK_INT("nothing in it", session_call(c, "POST", "/sign-ups", NULL), 422);
	CHECK("names both", client_shows(c, "\"email\":\"Enter your e-mail address.\"") && client_shows(c, "\"firstName\":\"Enter your first name.\""));
	set_terms("Be kind.");
	CHECK_INT("no consent", session_call(c, "POST", "/sign-ups", "{" ADA ",\"firstName\":\"Ada\"}"), 422);
	CHECK("asks for it", client_shows(c, "\"agreeToTerms\""));
	CHECK_INT("asked for", session_call(c, "POST", "/sign-ups", "{" ADA ",\"firstName\":\"Ada\",\"agreeToTerms\":true}"), 202);
	CHECK("where to look", client_shows(c, "\"sentTo\":\"ada@example.com\""));
	path = link_path();
	CHECK_INT("the link", session_call(c, "GET", path, NULL), 200);
	CHECK("what for", client_shows(c, "\"kind\":\"sign-up\"") && client_shows(c, "\"asksPassword\":true"));
	CHECK_INT("too short", session_call(c, "POST", path, "{\"password\":\"x\"}"), 422);
	CHECK("is named", client_shows(c, "\"fields\":{\"password\""));
	CHECK_INT("made", session_call(c, "POST", path, "{\"password\":\"" ADA_PASSWORD "\"}"), 200);
	CHECK("and signed in to", client_shows(c, "\"state\":\"signed_in\""));
	CHECK_INT("consent is on record", session_call(c, "GET", "/subscriptions", NULL), 200);
	set_terms(NULL);
	CHECK_INT("once", session_call(c, "POST", path, "{\"password\":\"" ADA_PASSWORD "\"}"), 404);
	CHECK_INT("nor looked at", session_call(c, "GET", path, NULL), 404);
	CHECK_INT("out", session_call(c, "DELETE", "/session", NULL), 204);
	session_token(c);
	CHECK("out", client_shows(c, "\"state\":\"signed_out\""));
	CHECK_INT("nothing of hers", session_call(c, "GET", "/account", NULL), 401);
	CHECK_INT("an address that is known gets the same answer", session_call(c, "POST", "/sign-ups", "{" ADA ",\"firstName\":\"Eve\"}"), 202);
	CHECK_STR("to the letter", buf_view(&c->w.rs.body), STR("{\"sentTo\":\"ada@example.com\"}"));
}

static void session_password(struct client *c)
{
	const char *path;

	CHECK_INT("nobody there", session_call(c, "POST", "/session", "{\"email\":\"nobody@example.com\",\"password\":\"guess\"}"), 422);
	CHECK("one sentence for both", client_shows(c, "The e-mail address or the password is wrong."));
	CHECK_INT("a wrong one", session_call(c, "POST", "/session", "{" ADA ",\"password\":\"guess\"}"), 422);
	CHECK("the same", client_shows(c, "The e-mail address or the password is wrong.") && !client_header(c, "Set-Cookie").n);
	CHECK_INT("no form", (c->type = "text/plain", client_send(c, "POST", PORTAL_JSON "/session", "{}")), 415);
	CHECK_INT("in", session_call(c, "POST", "/session", "{" ADA ",\"password\":\"" ADA_PASSWORD "\"}"), 200);
	CHECK("in", client_shows(c, "\"state\":\"signed_in\"") && str_starts(client_header(c, "Set-Cookie"), STR("gh_portal=")));
	CHECK_INT("a token for later", session_call(c, "POST", "/account/tokens", "{\"name\":\"cli\"}"), 201);
	CHECK_INT("a new address", session_call(c, "POST", "/account/address", "{\"email\":\"ada@byron.example\",\"currentPassword\":\"" ADA_PASSWORD "\"}"), 202);
	path = link_path();
	CHECK_INT("its link", session_call(c, "POST", path, NULL), 200);
	CHECK_INT("it is hers", session_call(c, "GET", "/account", NULL), 200);
	CHECK("it is hers", client_shows(c, "ada@byron.example"));
	CHECK_INT("out", session_call(c, "DELETE", "/session", NULL), 204);
	session_token(c);
	CHECK_INT("nobody to send to", session_call(c, "POST", "/password-resets", "{\"email\":\"nobody@example.com\"}"), 202);
	CHECK("is told to nobody", client_shows(c, "\"sentTo\":\"nobody@example.com\""));
	CHECK_INT("half an address", session_call(c, "POST", "/password-resets", "{\"email\":\"x\"}"), 422);
	CHECK_INT("forgotten", session_call(c, "POST", "/password-resets", "{\"email\":\"ada@byron.example\"}"), 202);
	path = link_path();
	CHECK_INT("set", session_call(c, "POST", path, "{\"password\":\"" FIXTURE_PASSWORD "\"}"), 200);
	CHECK("to sign in with", client_shows(c, "\"state\":\"signed_out\""));
}

#define SIGN_IN "{\"email\":\"ada@byron.example\",\"password\":\"" FIXTURE_PASSWORD "\"}"

/* A new password ends the sessions of its owner, this one too, and the answer says so. */
static void session_reset_within(struct client *c)
{
	const char *path;

	CHECK_INT("in", session_call(c, "POST", "/session", SIGN_IN), 200);
	CHECK_INT("forgotten", session_call(c, "POST", "/password-resets", "{\"email\":\"ada@byron.example\"}"), 202);
	path = link_path();
	CHECK_INT("set", session_call(c, "POST", path, "{\"password\":\"" FIXTURE_PASSWORD "\"}"), 200);
	CHECK("the session is over", client_shows(c, "\"state\":\"signed_out\""));
	CHECK_INT("nothing of hers", session_call(c, "GET", "/account", NULL), 401);
	CHECK_INT("the token that came with it serves", session_call(c, "POST", "/session", SIGN_IN), 200);
	CHECK_INT("out", session_call(c, "DELETE", "/session", NULL), 204);
	session_token(c);
}

static void session_code(struct client *c, struct str *recovery)
{
	char code[TOTP_DIGITS + 1];
	struct store_factor f;
	struct store_user u;
	struct gh_err err;
	bool found;

	CHECK_INT("in", session_call(c, "POST", "/session", SIGN_IN), 200);
	CHECK_INT("two steps from now on", session_call(c, "POST", "/account/second-factor", NULL), 201);
	must(store_user_find_email(world.site.store, world.a, STR("ada@byron.example"), &u, &found, &err), &err);
	must(store_factor_find(world.site.store, world.a, u.id, &f, &found, &err), &err);
	totp_code(f.secret, clock_wall_us() / 1000000 / TOTP_STEP_S, code);
	CHECK_INT("on", session_call(c, "POST", "/account/second-factor/confirm",
				     arena_printf(world.a, "{\"code\":\"%s\"," OWNER_PASSWORD "}", code).p), 200);
	*recovery = arena_dup(world.a, answered(c, "/recoveryCodes/0"));
	CHECK_INT("out", session_call(c, "DELETE", "/session", NULL), 204);
	session_token(c);
	CHECK_INT("no first step", session_call(c, "POST", "/session/code", "{\"code\":\"123456\"}"), 409);
	CHECK_INT("the first", session_call(c, "POST", "/session", SIGN_IN), 200);
	CHECK("is not all", client_shows(c, "\"state\":\"second_factor\"") && client_shows(c, "\"secondFactors\":[\"code\"]"));
	CHECK_INT("opens nothing", session_call(c, "GET", "/account", NULL), 401);
	session_token(c);
	CHECK("is remembered", client_shows(c, "\"state\":\"second_factor\""));
	CHECK_INT("a wrong code", session_call(c, "POST", "/session/code", "{\"code\":\"abc\"}"), 422);
	CHECK("is named", client_shows(c, "\"fields\":{\"code\""));
	CHECK_INT("one that was used", session_call(c, "POST", "/session/code", arena_printf(world.a, "{\"code\":\"%s\"}", code).p), 422);
	CHECK_INT("given up", session_call(c, "DELETE", "/session", NULL), 204);
	CHECK_INT("is given up", session_call(c, "POST", "/session/code", "{\"code\":\"123456\"}"), 409);
	CHECK_INT("the first", session_call(c, "POST", "/session", SIGN_IN), 200);
	CHECK_INT("the second", session_call(c, "POST", "/session/code", arena_printf(world.a, "{\"code\":\"%.*s\"}", STR_ARG(*recovery)).p), 200);
	CHECK("in", client_shows(c, "\"state\":\"signed_in\""));
	CHECK_INT("hers", session_call(c, "GET", "/account", NULL), 200);
}

static const char *signed_answer(struct client *c, EVP_PKEY *key, unsigned count, struct str user_id)
{
	struct str challenge = arena_dup(world.a, answered(c, "/publicKey/challenge"));
	struct str client_data = sample_client(world.a, "webauthn.get", challenge.p, "https://gw.example", "");
	struct str auth = sample_auth(world.a, "gw.example", 0x05, count, key), sig = sample_sign(world.a, key, auth, client_data);

	return arena_printf(world.a, "{\"credential\":{\"id\":\"%.*s\",\"response\":{\"clientDataJSON\":\"%.*s\",\"authenticatorData\":\"%.*s\","
			    "\"signature\":\"%.*s\",\"userHandle\":\"%.*s\"}}}", STR_ARG(crypto_base64url(world.a, str_of(sample_id))),
			    STR_ARG(crypto_base64url(world.a, client_data)), STR_ARG(crypto_base64url(world.a, auth)),
			    STR_ARG(crypto_base64url(world.a, sig)), STR_ARG(crypto_base64url(world.a, user_id))).p;
}

static void session_passkey(struct client *c)
{
	EVP_PKEY *key = sample_key(), *other = sample_key();
	struct str challenge, user_id;

	CHECK_INT("who", session_call(c, "GET", "/account", NULL), 200);
	user_id = arena_dup(world.a, answered(c, "/id"));
	CHECK_INT("a key", session_call(c, "POST", "/account/passkeys/options", "{\"name\":\"Phone\"," OWNER_PASSWORD "}"), 201);
	challenge = arena_dup(world.a, answered(c, "/publicKey/challenge"));
	CHECK_INT("kept", session_call(c, "POST", "/account/passkeys",
		  arena_printf(world.a, "{\"name\":\"Phone\",\"credential\":{\"response\":{\"clientDataJSON\":\"%.*s\",\"authenticatorData\":\"%.*s\"}}}",
			       STR_ARG(crypto_base64url(world.a, sample_client(world.a, "webauthn.create", challenge.p, "https://gw.example", ""))),
			       STR_ARG(crypto_base64url(world.a, sample_auth(world.a, "gw.example", 0x45, 0, key)))).p), 201);
	CHECK_INT("out", session_call(c, "DELETE", "/session", NULL), 204);
	session_token(c);
	CHECK_INT("none was asked for", session_call(c, "POST", "/session/passkey", "{}"), 422);
	CHECK_INT("a challenge", session_call(c, "POST", "/session/passkey/options", NULL), 201);
	CHECK_INT("somebody else's key", session_call(c, "POST", "/session/passkey", signed_answer(c, other, 1, user_id)), 422);
	CHECK_INT("another", session_call(c, "POST", "/session/passkey/options", NULL), 201);
	CHECK_INT("hers", session_call(c, "POST", "/session/passkey", signed_answer(c, key, 1, user_id)), 200);
	CHECK("in, without a password", client_shows(c, "\"state\":\"signed_in\""));
	CHECK_INT("out", session_call(c, "DELETE", "/session", NULL), 204);
	session_token(c);
	CHECK_INT("no first step", session_call(c, "POST", "/session/code/passkey/options", NULL), 409);
	CHECK_INT("the first", session_call(c, "POST", "/session", SIGN_IN), 200);
	CHECK("either", client_shows(c, "\"secondFactors\":[\"code\",\"passkey\"]"));
	CHECK_INT("not as one that stands alone", session_call(c, "POST", "/session/passkey/options", NULL), 201);
	CHECK_INT("refused", session_call(c, "POST", "/session/code/passkey", signed_answer(c, key, 2, user_id)), 422);
	CHECK_INT("a challenge", session_call(c, "POST", "/session/code/passkey/options", NULL), 201);
	CHECK_INT("the second", session_call(c, "POST", "/session/code/passkey", signed_answer(c, key, 3, user_id)), 200);
	CHECK("in", client_shows(c, "\"state\":\"signed_in\""));
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

/* The counters are those of the pages: whoever guesses here has guessed there. */
static void session_slowed(struct client *c)
{
	int64_t tries = config_int(&world.site.config, CONFIG_WEB_SIGN_IN_TRIES);
	const char *form;

	CHECK_INT("out", session_call(c, "DELETE", "/session", NULL), 204);
	c->address = "203.0.113.61";
	session_token(c);
	for (int64_t i = 0; i < tries; i++)
		CHECK_INT("guessed", session_call(c, "POST", "/session", "{\"email\":\"auditor@example.com\",\"password\":\"guess\"}"), 422);
	CHECK_INT("has to wait", session_call(c, "POST", "/session", "{\"email\":\"auditor@example.com\",\"password\":\"" FIXTURE_PASSWORD "\"}"), 429);
	CHECK("for so long", client_header(c, "Retry-After").n > 0 && client_shows(c, "too_many_tries"));
	client_send(c, "GET", "/sign-in", NULL);
	form = arena_printf(world.a, "csrf=%s&email=auditor@example.com&password=%s", client_token(c), FIXTURE_PASSWORD).p;
	c->type = NULL;
	CHECK_INT("on the page too", client_send(c, "POST", "/sign-in", form), 429);
	CHECK_INT("a token is no browser", owner_call(c, world.writes, "POST", "/session", "{" ADA ",\"password\":\"x\"}"), 409);
	CHECK_INT("nor signed out", owner_call(c, world.writes, "DELETE", "/session", NULL), 409);
	CHECK_INT("it may look", owner_call(c, world.writes, "GET", "/session", NULL), 200);
	CHECK("and has no form token", client_shows(c, "\"state\":\"signed_in\"") && client_shows(c, "\"csrfToken\":null"));
}

static void in_and_out(void **state UNUSED)
{
	struct client c = { .site = &world.site, .address = "203.0.113.60" };
	struct str recovery;

	session_sign_up(&c);
	session_password(&c);
	session_reset_within(&c);
	session_code(&c, &recovery);
	session_passkey(&c);
	session_slowed(&c);
	client_end(&c);
	check_done();
}
