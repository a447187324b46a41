/* json_owner.h - for test_json.c: the calls that see to an account itself, by one person from the first token to the end of the
 * account. Each is tried with a token that lacks the scope `account`, and without the password that a page asks for. */
#pragma once

#include "db/accounts.h"
#include "db/identity_providers.h"
#include "db/passkeys.h"
#include "portal/web/totp.h"
#include "tests/unit/portal/webauthn_sample.h"

#define OWNER_PASSWORD "\"currentPassword\":\"" FIXTURE_PASSWORD "\""

static void check_schema(const char *label, const struct client *c);
static void note_answer(const struct client *c);

/* One call with that token, held against the description. */
static int owner_call(struct client *c, struct str token, const char *method, const char *path, const char *body)
{
	const char *label = arena_printf(world.a, "%s %s %s", method, path, body ? body : "").p;
	int status;

	c->type = "application/json";
	c->authorization = token.n ? arena_printf(world.a, "Bearer %.*s", STR_ARG(token)).p : NULL;
	status = client_send(c, method, arena_printf(world.a, PORTAL_JSON "%s", path).p, body);
	check_schema(label, c);
	note_answer(c);
	return status;
}

static struct str answered(const struct client *c, const char *member)
{
	json_t *v = NULL;

	must(jsn_parse_in(world.a, buf_view(&c->w.rs.body), NULL, &v, NULL, NULL), NULL);
	return jsn_string(jsn_pointer(v, str_of(member)));
}

/* What a lesser token, no password and a wrong one are told; nothing has changed afterwards. */
static void owner_refusals(struct client *c, struct str all, struct str writes)
{
	static const struct {
		const char *path, *body;         /* body without the password; NULL: none is asked for */
	} table[] = {
		{ "/account/password", "\"newPassword\":\"a sentence that is new\"" },
		{ "/account/address", "\"email\":\"new@example.com\"" },
		{ "/account/tokens", "\"name\":\"another\",\"account\":true" },
		{ "/account/second-factor", NULL },
		{ "/account/passkeys/options", "\"name\":\"phone\"" },
		{ "/account/close", "\"x\":\"\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *body = table[i].body ? arena_printf(world.a, "{%s," OWNER_PASSWORD "}", table[i].body).p : NULL;

		CHECK_INT(table[i].path, owner_call(c, writes, "POST", table[i].path, body), 403);
		CHECK(table[i].path, client_shows(c, "scope_missing") && str_find(client_header(c, "WWW-Authenticate"), STR("scope=\"account\"")) != SIZE_MAX);
		if (!body)
			continue;
		CHECK_INT(table[i].path, owner_call(c, all, "POST", table[i].path, arena_printf(world.a, "{%s}", table[i].body).p), 422);
		CHECK(table[i].path, client_shows(c, "\"fields\":{\"currentPassword\":\"Enter your present password.\""));
		CHECK_INT(table[i].path, owner_call(c, all, "POST", table[i].path, arena_printf(world.a, "{%s,\"currentPassword\":\"guess\"}", table[i].body).p), 422);
		CHECK(table[i].path, client_shows(c, "This is not your present password."));
		counters_close(world.site.counters);     /* whoever guesses is slowed down: not this test's matter */
		unlink(arena_printf(world.a, "%s/web-counters", world.site.state_dir).p);
		must(counters_open(arena_printf(world.a, "%s/web-counters", world.site.state_dir).p, 1024, &world.site.counters, NULL), NULL);
	}
	CHECK_INT("a passkey of nobody", owner_call(c, writes, "DELETE", "/account/passkeys/nothing", NULL), 403);
	CHECK_INT("still the same", owner_call(c, all, "GET", "/account/tokens", NULL), 200);
	CHECK("no token more", client_shows(c, "\"total\":2"));
}

static void owner_second_factor(struct client *c, struct str all)
{
	char code[TOTP_DIGITS + 1];
	struct store_factor f;
	struct gh_err err;
	struct str secret, codes;
	bool found;

	CHECK_INT("off", owner_call(c, all, "GET", "/account/second-factor", NULL), 200);
	CHECK("off", client_shows(c, "\"inUse\":false"));
	CHECK_INT("not begun", owner_call(c, all, "POST", "/account/second-factor/confirm", "{\"code\":\"123456\"," OWNER_PASSWORD "}"), 409);
	CHECK_INT("not in use", owner_call(c, all, "POST", "/account/second-factor/remove", "{" OWNER_PASSWORD "}"), 409);
	CHECK_INT("begin", owner_call(c, all, "POST", "/account/second-factor", NULL), 201);
	secret = answered(c, "/secret");
	CHECK("for an app", str_find(answered(c, "/address"), secret) != SIZE_MAX);
	must(store_factor_find(world.site.store, world.a, STR("owner"), &f, &found, &err), &err);
	totp_code(f.secret, clock_wall_us() / 1000000 / TOTP_STEP_S, code);
	CHECK_INT("a wrong code", owner_call(c, all, "POST", "/account/second-factor/confirm", "{\"code\":\"x\"," OWNER_PASSWORD "}"), 422);
	CHECK("is named", client_shows(c, "\"fields\":{\"code\""));
	CHECK_INT("no password", owner_call(c, all, "POST", "/account/second-factor/confirm", arena_printf(world.a, "{\"code\":\"%s\"}", code).p), 422);
	CHECK_INT("on", owner_call(c, all, "POST", "/account/second-factor/confirm", arena_printf(world.a, "{\"code\":\"%s\"," OWNER_PASSWORD "}", code).p), 200);
	codes = answered(c, "/recoveryCodes/9");
	CHECK_INT("ten codes", (int64_t)codes.n, 11);
	CHECK_INT("again", owner_call(c, all, "POST", "/account/second-factor", NULL), 409);
	CHECK_INT("how many are left", owner_call(c, all, "GET", "/account/second-factor", NULL), 200);
	CHECK("ten", client_shows(c, "\"inUse\":true,\"recoveryCodesLeft\":10"));
	CHECK_INT("no password, no codes", owner_call(c, all, "POST", "/account/second-factor/recovery-codes", "{}"), 422);
	CHECK_INT("new codes", owner_call(c, all, "POST", "/account/second-factor/recovery-codes", "{" OWNER_PASSWORD "}"), 200);
	CHECK("others", !str_eq(answered(c, "/recoveryCodes/9"), codes));
	CHECK_INT("no password, it stays", owner_call(c, all, "POST", "/account/second-factor/remove", "{}"), 422);
	CHECK_INT("off", owner_call(c, all, "POST", "/account/second-factor/remove", "{" OWNER_PASSWORD "}"), 204);
}

static void owner_passkeys(struct client *c, struct str all, struct str others)
{
	EVP_PKEY *key = sample_key();
	struct str challenge, client_data, auth_data, id;
	const char *body;

	CHECK_INT("none", owner_call(c, all, "GET", "/account/passkeys", NULL), 200);
	CHECK_INT("begin", owner_call(c, all, "POST", "/account/passkeys/options", "{\"name\":\"Phone\"," OWNER_PASSWORD "}"), 201);
	challenge = answered(c, "/publicKey/challenge");
	CHECK_STR("for this host", answered(c, "/publicKey/rp/id"), STR("gw.example"));
	client_data = sample_client(world.a, "webauthn.create", arena_dup(world.a, challenge).p, "https://gw.example", "");
	auth_data = sample_auth(world.a, "gw.example", 0x45, 0, key);
	body = arena_printf(world.a, "{\"name\":\"Phone\",\"credential\":{\"response\":{\"clientDataJSON\":\"%.*s\",\"authenticatorData\":\"%.*s\"}}}",
			    STR_ARG(crypto_base64url(world.a, client_data)), STR_ARG(crypto_base64url(world.a, auth_data))).p;
	CHECK_INT("somebody else's turn", owner_call(c, others, "POST", "/account/passkeys", body), 422);
	CHECK_INT("no answer", owner_call(c, all, "POST", "/account/passkeys", "{\"name\":\"Phone\"}"), 422);
	CHECK("is named", client_shows(c, "\"fields\":{\"credential\""));
	CHECK_INT("kept", owner_call(c, all, "POST", "/account/passkeys", body), 201);
	id = answered(c, "/id");
	CHECK_INT("once", owner_call(c, all, "POST", "/account/passkeys", body), 422);
	CHECK_INT("a stranger's list", owner_call(c, others, "GET", "/account/passkeys", NULL), 200);
	CHECK("is empty", client_shows(c, "\"total\":0"));
	CHECK_INT("a stranger removes it", owner_call(c, others, "DELETE", arena_printf(world.a, "/account/passkeys/%.*s", STR_ARG(id)).p, NULL), 404);
	CHECK_INT("removed", owner_call(c, all, "DELETE", arena_printf(world.a, "/account/passkeys/%.*s", STR_ARG(id)).p, NULL), 204);
	EVP_PKEY_free(key);
}

static void owner_identities(struct client *c, struct str all)
{
	const struct store_provider p = { .id = STR("corp"), .issuer = STR("https://login.example"), .client_id = STR("x"), .for_portal = true };
	struct store *s = world.site.store;
	struct gh_err err;

	must(store_tx_begin(s, STR("test"), &err), &err);
	must(store_provider_set(s, &p, &err), &err);
	must(store_identity_add(s, STR("corp"), STR("ada-there"), STR("owner"), &err), &err);
	must(store_tx_commit(s, &err), &err);
	CHECK_INT("identities", owner_call(c, all, "GET", "/account/identities", NULL), 200);
	CHECK("one", client_shows(c, "ada-there"));
	CHECK_INT("unlinked", owner_call(c, all, "DELETE", "/account/identities/corp", NULL), 204);
	CHECK_INT("gone", owner_call(c, all, "DELETE", "/account/identities/corp", NULL), 404);
}

static void set_terms(const char *text)
{
	struct store *s = world.site.store;
	struct gh_err err;

	must(store_tx_begin(s, STR("test"), &err), &err);
	must(text ? store_setting_set(s, STR("portal.terms"), str_of(text), &err) : store_setting_unset(s, STR("portal.terms"), &err), &err);
	must(store_tx_commit(s, &err), &err);
}

static void owner_terms(struct client *c, struct str all)
{
	struct str version;

	CHECK_INT("none", owner_call(c, STR_NULL, "GET", "/terms", NULL), 404);
	CHECK_INT("none to agree to", owner_call(c, all, "POST", "/terms", "{\"version\":\"x\"}"), 404);
	set_terms("Be kind.");
	CHECK_INT("nothing without consent", owner_call(c, all, "GET", "/subscriptions", NULL), 403);
	CHECK("says so", client_shows(c, "terms_not_agreed"));
	CHECK_INT("to read them needs nobody", owner_call(c, STR_NULL, "GET", "/terms", NULL), 200);
	CHECK("the text", client_shows(c, "Be kind.") && client_shows(c, "\"agreed\":false"));
	version = answered(c, "/version");
	CHECK_INT("another version", owner_call(c, all, "POST", "/terms", "{\"version\":\"0123456789abcdef\"}"), 409);
	CHECK_INT("agreed", owner_call(c, all, "POST", "/terms", arena_printf(world.a, "{\"version\":\"%.*s\"}", STR_ARG(version)).p), 204);
	CHECK_INT("noted", owner_call(c, all, "GET", "/terms", NULL), 200);
	CHECK("noted", client_shows(c, "\"agreed\":true"));
	CHECK_INT("and all is open", owner_call(c, all, "GET", "/subscriptions", NULL), 200);
	set_terms(NULL);
}

static void the_owner(void **state UNUSED)
{
	struct client c = { .site = &world.site, .address = "203.0.113.30" }, browser = { .site = &world.site };
	struct store *s = world.site.store;
	char hash[CRYPTO_PASSWORD_HASH_MAX];
	struct str all, writes, made;
	struct gh_err err;

	must(crypto_password_hash(STR(FIXTURE_PASSWORD), hash, &err), &err);
	must(store_tx_begin(s, STR("test"), &err), &err);
	fixture_user(s, world.a, "owner", "developer", hash);
	writes = make_token("owner", true, 0, NULL);
	must(store_personal_token_create(s, world.a, &(struct store_personal_token){ .user_id = STR("owner"), .name = STR("all"), .may_write = true,
										     .may_manage = true }, NULL, &all, &err), &err);
	must(store_tx_commit(s, &err), &err);
	owner_refusals(&c, all, writes);
	owner_terms(&c, all);
	owner_second_factor(&c, all);
	owner_passkeys(&c, all, world.manages_other);
	owner_identities(&c, all);
	CHECK_INT("language and zone", owner_call(&c, writes, "PATCH", "/account", "{\"language\":\"de\",\"zone\":\"Europe/Berlin\"}"), 200);
	CHECK_INT("one of them", owner_call(&c, writes, "PATCH", "/account", "{\"zone\":null}"), 200);
	CHECK("the other stays", client_shows(&c, "\"language\":\"de\",\"zone\":null"));
	CHECK_INT("no such zone", owner_call(&c, writes, "PATCH", "/account", "{\"zone\":\"Moon/Base\"}"), 422);
	CHECK_INT("as before", owner_call(&c, writes, "PATCH", "/account", "{\"language\":\"\"}"), 200);
	CHECK_INT("a token", owner_call(&c, all, "POST", "/account/tokens", "{\"name\":\"made\",\"life\":\"week\"," OWNER_PASSWORD "}"), 201);
	made = answered(&c, "/token");
	CHECK("reads only", client_shows(&c, "\"scopes\":[\"read\"]"));
	CHECK_INT("works", owner_call(&c, made, "GET", "/account", NULL), 200);
	CHECK_INT("an address", owner_call(&c, all, "POST", "/account/address", "{\"email\":\"new@example.com\"," OWNER_PASSWORD "}"), 202);
	client_session(&browser, "owner");
	CHECK_INT("signed in", client_send(&browser, "GET", "/account", NULL), 200);
	CHECK_INT("too short", owner_call(&c, all, "POST", "/account/password", "{\"newPassword\":\"x\"," OWNER_PASSWORD "}"), 422);
	CHECK_INT("another password", owner_call(&c, all, "POST", "/account/password", "{\"newPassword\":\"a sentence that is new\"," OWNER_PASSWORD "}"), 204);
	CHECK_INT("browsers are signed out", client_send(&browser, "GET", "/account", NULL), 303);
	CHECK_INT("tokens go on", owner_call(&c, made, "GET", "/account", NULL), 200);
	CHECK_INT("the old one is no good", owner_call(&c, all, "POST", "/account/close", "{" OWNER_PASSWORD "}"), 422);
	CHECK_INT("closed", owner_call(&c, all, "POST", "/account/close", "{\"currentPassword\":\"a sentence that is new\"}"), 204);
	CHECK_INT("no token works any more", owner_call(&c, made, "GET", "/account", NULL), 401);
	client_end(&c);
	client_end(&browser);
	check_done();
}
