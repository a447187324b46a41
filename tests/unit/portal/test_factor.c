/* A second factor that the dashboard demands: who has none sets one up and goes nowhere else, who has one shows it. */
#include "tests/unit/check.h"

#include "core/clock.h"
#include "core/log.h"
#include "db/accounts.h"
#include "db/passkeys.h"
#include "db/personal_tokens.h"
#include "portal/admin/admin.h"
#include "portal/portal/portal.h"
#include "portal/web/oidc.h"
#include "portal/web/totp.h"
#include "tests/unit/portal/client.h"

static struct web_site site, portal;
static char directory[64], share[PATHS_MAX], portal_share[PATHS_MAX];

static void demand(bool yes)
{
	site.config.v[CONFIG_ADMIN_REQUIRE_SECOND_FACTOR].number = yes;
	portal.config.v[CONFIG_ADMIN_REQUIRE_SECOND_FACTOR].number = yes;
}

static void check_redirect(const char *label, struct client *c, const char *method, const char *uri, const char *to)
{
	CHECK_INT(label, client_send(c, method, uri, strcmp(method, "GET") ? "" : NULL), 303);
	CHECK_STR(label, client_header(c, "Location"), str_of(to));
}

static void set_up_code(struct client *c, const char *user, char recovery[20])
{
	char code[TOTP_DIGITS + 1], form[400];
	struct store_factor f;
	struct gh_err err;
	struct str page;
	bool found;

	CHECK_INT("the page", client_send(c, "GET", "/admin/account/second-factor", NULL), 200);
	CHECK("says why", client_shows(c, "A second factor is needed here."));
	CHECK("and leads nowhere else", !client_shows(c, "/admin/products") && !client_shows(c, "Back to your account"));
	must(store_factor_find(site.store, c->a, str_of(user), &f, &found, &err), &err);
	totp_code(f.secret, clock_wall_us() / 1000000 / TOTP_STEP_S, code);
	snprintf(form, sizeof(form), "csrf=%s&code=x&password_factor=%s", client_token(c), FIXTURE_PASSWORD);
	CHECK_INT("a wrong code", client_send(c, "POST", "/admin/account/second-factor", form), 422);
	check_redirect("opens nothing", c, "GET", "/admin/", "/admin/account/second-factor");
	client_send(c, "GET", "/admin/account/second-factor", NULL);
	snprintf(form, sizeof(form), "csrf=%s&code=%s&password_factor=%s", client_token(c), code, FIXTURE_PASSWORD);
	CHECK_INT("set up", client_send(c, "POST", "/admin/account/second-factor", form), 200);
	page = buf_view(&c->w.rs.body);
	page = str_from(page, str_find(page, STR("<li><code>")) + 10);
	snprintf(recovery, 20, "%.*s", (int)str_find_char(page, '<'), page.p);
}

static void nowhere_else(void **state UNUSED)
{
	struct client c = { .site = &site };
	char form[300], recovery[20] = "";
	size_t walked = 0;

	demand(true);
	CHECK_INT("the password", client_sign_in(&c, "operator@example.com", FIXTURE_PASSWORD), 303);
	for (const struct web_route *r = admin_app.routes; r->method; r++) {
		bool sets_up = strncmp(r->pattern, "/account/", 9) == 0 || strcmp(r->pattern, "/sign-out") == 0;

		if (r->right == WEB_ANYBODY || r->right == WEB_TOKEN || sets_up || strcmp(r->method, "GET") != 0 || !web_role_may(STR("operator"), r->right)
		    || r->about == WEB_ABOUT_THING)
			continue;
		snprintf(form, sizeof(form), "/admin%s", r->pattern);
		check_redirect(r->pattern, &c, "GET", form, "/admin/account/second-factor");
		walked++;
	}
	CHECK("many", walked > 30);
	CHECK_INT("the management API", client_send(&c, "GET", "/admin/api/v1/me", NULL), 401);
	CHECK_INT("passkeys", client_send(&c, "GET", "/admin/account/passkeys", NULL), 200);
	set_up_code(&c, "operator", recovery);
	CHECK_INT("from now on", client_send(&c, "GET", "/admin/", NULL), 200);
	CHECK_INT("all is open", client_send(&c, "GET", "/admin/api/v1/me", NULL), 200);
	CHECK_INT("its own page", client_send(&c, "GET", "/admin/account", NULL), 200);
	CHECK("knows it", client_shows(&c, "tag-active"));
	snprintf(form, sizeof(form), "csrf=%s", client_token(&c));
	CHECK_INT("out", client_send(&c, "POST", "/admin/sign-out", form), 303);
	CHECK_INT("the password", client_sign_in(&c, "operator@example.com", FIXTURE_PASSWORD), 303);
	CHECK_STR("is half of it", client_header(&c, "Location"), STR("/admin/sign-in/code"));
	client_send(&c, "GET", "/admin/sign-in/code", NULL);
	snprintf(form, sizeof(form), "csrf=%s&code=%s", client_token(&c), recovery);
	CHECK_INT("the code", client_send(&c, "POST", "/admin/sign-in/code", form), 303);
	CHECK_INT("in", client_send(&c, "GET", "/admin/", NULL), 200);
	demand(false);
	client_end(&c);
	check_done();
}

static void nobody_else_is_asked(void **state UNUSED)
{
	struct store_personal_token t = { .user_id = STR("auditor"), .name = STR("t") };
	struct client c = { .site = &site };
	struct arena *a = arena_new(1 << 16);
	struct str token;
	struct gh_err err;

	CHECK_INT("in", client_sign_in(&c, "auditor@example.com", FIXTURE_PASSWORD), 303);
	CHECK_INT("nothing is demanded", client_send(&c, "GET", "/admin/", NULL), 200);
	must(store_tx_begin(site.store, STR("test"), &err), &err);
	must(store_personal_token_create(site.store, a, &t, NULL, &token, &err), &err);
	must(store_tx_commit(site.store, &err), &err);
	demand(true);
	check_redirect("now it is", &c, "GET", "/admin/", "/admin/account/second-factor");
	client_end(&c);
	c.authorization = arena_printf(a, "Bearer %.*s", STR_ARG(token)).p;
	CHECK_INT("a token is none to ask", client_send(&c, "GET", "/admin/api/v1/me", NULL), 200);
	demand(false);
	client_end(&c);
	arena_free(a);
	check_done();
}

/* With a session that some other way of signing in has begun. */
static int with_proof_at(struct web_site *at, const char *user, const char *proof, const char *uri)
{
	struct client c = { .site = at };
	struct store_user u;
	struct gh_err err;
	bool found;
	int status;

	c.w = (struct web){ .site = at, .a = c.a = arena_new(1 << 20), .proof = proof };
	must(store_user_find(site.store, c.a, str_of(user), &u, &found, &err), &err);
	must(web_session_begin(&c.w, &u, &err), &err);
	client_store_cookie(&c, client_header(&c, "Set-Cookie"));
	status = client_send(&c, "GET", uri, NULL);
	client_end(&c);
	return status;
}

static int with_proof(const char *proof)
{
	return with_proof_at(&site, "auditor", proof, "/admin/");
}

static void passkeys_and_providers(void **state UNUSED)
{
	const struct store_passkey key = { .id = STR_INIT("key"), .user_id = STR_INIT("auditor"), .name = STR_INIT("Phone"), .public_key = STR_INIT("k"),
					   .algorithm = -7, .created_us = 1 };
	struct client c = { .site = &site };
	struct gh_err err;

	demand(true);
	CHECK_INT("by a provider whose word is taken", with_proof(WEB_PROOF_PROVIDER), 200);
	CHECK_INT("by one whose word is not", with_proof(NULL), 303);
	demand(false);
	CHECK_INT("by password", client_sign_in(&c, "auditor@example.com", FIXTURE_PASSWORD), 303);
	must(store_tx_begin(site.store, STR("test"), &err), &err);
	must(store_passkey_add(site.store, &key, &err), &err);
	must(store_tx_commit(site.store, &err), &err);
	CHECK_INT("as long as nothing is demanded", client_send(&c, "GET", "/admin/", NULL), 200);
	demand(true);
	check_redirect("a key that was not shown", &c, "GET", "/admin/account/second-factor", "/admin/sign-in?after=second-factor");
	CHECK_INT("says so", client_send(&c, "GET", "/admin/sign-in?after=second-factor", NULL), 200);
	CHECK("in words", client_shows(&c, "This needs a second factor."));
	CHECK_INT("the password", client_sign_in(&c, "auditor@example.com", FIXTURE_PASSWORD), 303);
	check_redirect("the key is asked for", &c, "GET", "/admin/sign-in/code", "/admin/sign-in/code/passkey");
	CHECK_INT("on its page", client_send(&c, "GET", "/admin/sign-in/code/passkey", NULL), 200);
	CHECK("which offers no code", !client_shows(&c, "Enter a code instead"));
	check_redirect("and nothing is open", &c, "GET", "/admin/account", "/admin/sign-in?return=/admin/account");
	CHECK_INT("by the key alone", with_proof(WEB_PROOF_SECOND_FACTOR), 200);
	demand(false);
	client_end(&c);
	check_done();
}

/* As whoever looks at the page leaves it: made, shown, and not confirmed. */
static void begin_code(struct arena *a, const char *user, char code[TOTP_DIGITS + 1])
{
	struct store_factor f = { .user_id = str_of(user), .secret = STR("twenty bytes in a row") };
	struct gh_err err;

	must(store_tx_begin(site.store, STR("test"), &err), &err);
	must(store_factor_set(site.store, a, &f, &err), &err);
	must(store_tx_commit(site.store, &err), &err);
	totp_code(f.secret, clock_wall_us() / 1000000 / TOTP_STEP_S, code);
}

/* The auditor has a passkey by now. Who knows the password alone must not get around it: by a secret that is only being set up, or by the
 * portal, where he could take the key away or make one of his own. */
static void not_by_the_password_alone(void **state UNUSED)
{
	static const struct store_passkey key = { .id = STR_INIT("key-2"), .user_id = STR_INIT("developer"), .name = STR_INIT("Phone"),
						  .public_key = STR_INIT("k"), .algorithm = -7, .created_us = 1 };
	struct client c = { .site = &site }, p = { .site = &portal };
	struct arena *a = arena_new(1 << 16);
	char form[300], code[TOTP_DIGITS + 1];
	struct gh_err err;

	demand(true);
	begin_code(a, "auditor", code);
	CHECK_INT("the password", client_sign_in(&c, "auditor@example.com", FIXTURE_PASSWORD), 303);
	client_send(&c, "GET", "/admin/sign-in/code/passkey", NULL);
	snprintf(form, sizeof(form), "csrf=%s&code=%s", client_token(&c), code);
	CHECK_INT("a secret that nobody confirmed", client_send(&c, "POST", "/admin/sign-in/code", form), 422);
	check_redirect("opens nothing", &c, "GET", "/admin/account", "/admin/sign-in?return=/admin/account");
	client_send(&p, "GET", "/sign-in", NULL);
	snprintf(form, sizeof(form), "csrf=%s&email=auditor@example.com&password=%s", client_token(&p), FIXTURE_PASSWORD);
	CHECK_INT("the portal", client_send(&p, "POST", "/sign-in", form), 303);
	CHECK_STR("asks too", client_header(&p, "Location"), STR("/sign-in/code"));
	check_redirect("for the key", &p, "GET", "/sign-in/code", "/sign-in/code/passkey");
	check_redirect("and nothing is open", &p, "GET", "/account/passkeys", "/sign-in?return=/account/passkeys");
	CHECK_INT("its JSON API", client_send(&p, "GET", "/portal/api/v1/session", NULL), 200);
	CHECK("says what is left", client_shows(&p, "\"secondFactors\":[\"passkey\"]"));
	CHECK_INT("a session from before", with_proof_at(&portal, "auditor", NULL, "/account/passkeys"), 303);
	CHECK_INT("in JSON", with_proof_at(&portal, "auditor", NULL, "/portal/api/v1/account"), 401);
	CHECK_INT("with the key", with_proof_at(&portal, "auditor", WEB_PROOF_SECOND_FACTOR, "/account/passkeys"), 200);
	CHECK_INT("by a provider", with_proof_at(&portal, "auditor", WEB_PROOF_PROVIDER, "/account/passkeys"), 200);
	must(store_tx_begin(site.store, STR("test"), &err), &err);
	must(store_passkey_add(site.store, &key, &err), &err);
	must(store_tx_commit(site.store, &err), &err);
	CHECK_INT("who never enters the dashboard is not asked", with_proof_at(&portal, "developer", NULL, "/account/passkeys"), 200);
	demand(false);
	CHECK_INT("nor anybody when nothing is demanded", with_proof_at(&portal, "auditor", NULL, "/account/passkeys"), 200);
	client_end(&c);
	client_end(&p);
	arena_free(a);
	check_done();
}

static void what_a_provider_tells(void **state UNUSED)
{
	static const struct {
		const char *label, *values, *amr, *acr;
		bool counts;
	} rows[] = {
		{ "any", "any", NULL, NULL, true },
		{ "none", "none", "[\"pwd\",\"mfa\"]", "1", false },
		{ "nothing is set", "", "[\"mfa\"]", "1", false },
		{ "one of amr", "mfa", "[\"pwd\",\"mfa\"]", NULL, true },
		{ "not in amr", "mfa", "[\"pwd\"]", NULL, false },
		{ "amr is told not at all", "mfa", NULL, NULL, false },
		{ "amr is a text", "mfa", "\"mfa\"", NULL, false },
		{ "one of several", "hwk  otp", "[\"otp\"]", NULL, true },
		{ "acr", "phr https://refeds.org/profile/mfa", NULL, "https://refeds.org/profile/mfa", true },
		{ "a part of acr", "phr", NULL, "phrh", false },
		{ "letters of another case", "MFA", "[\"mfa\"]", "mfa", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *amr = rows[i].amr ? json_loads(rows[i].amr, JSON_DECODE_ANY, NULL) : NULL;
		struct oidc_person who = { .amr = amr, .acr = rows[i].acr ? str_of(rows[i].acr) : STR_NULL };

		CHECK_INT(rows[i].label, oidc_counts_twice(str_of(rows[i].values), &who), rows[i].counts);
		json_decref(amr);
	}
	check_done();
}

static int up(void **state UNUSED)
{
	log_init("factor", LOG_LEVEL__COUNT);
	fixture_make(directory);
	site_up(&site, &admin_app, directory, share);
	site_up(&portal, &portal_app, directory, portal_share);
	site.config.v[CONFIG_WEB_PUBLIC_URL].text = portal.config.v[CONFIG_WEB_PUBLIC_URL].text = STR("https://gw.example");
	return 0;
}

static int down(void **state UNUSED)
{
	site_down(&portal);
	site_down(&site);
	fixture_drop(directory);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nowhere_else), cmocka_unit_test(nobody_else_is_asked), cmocka_unit_test(passkeys_and_providers),
		cmocka_unit_test(not_by_the_password_alone),
		cmocka_unit_test(what_a_provider_tells),
	};
	return cmocka_run_group_tests(tests, up, down);
}
