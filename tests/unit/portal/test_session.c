/* Signing in and out: sessions, cookies, form tokens, slow-down, ways back. */
#include "tests/unit/check.h"

#include "core/clock.h"
#include "portal/admin/admin.h"
#include "tests/unit/portal/client.h"

static void signing_in(void **state)
{
	struct client c = { .site = *state };
	char form[400], first[200];
	struct str cookie;

	CHECK_INT("the form", client_send(&c, "GET", "/admin/sign-in?return=/admin/products", NULL), 200);
	CHECK_STR("is not stored", client_header(&c, "Cache-Control"), STR("no-store"));
	CHECK("keeps the way back", client_shows(&c, "name=\"return\" value=\"/admin/products\""));
	snprintf(form, sizeof(form), "csrf=%s&email=Administrator%%40example.com&password=%s&return=/admin/products",
		 client_token(&c), FIXTURE_PASSWORD);
	CHECK_INT("accepted", client_send(&c, "POST", "/admin/sign-in", form), 303);
	CHECK_STR("goes back", client_header(&c, "Location"), STR("/admin/products"));
	cookie = client_header(&c, "Set-Cookie");
	CHECK("cookie", str_starts(cookie, STR("gh_admin=")));
	CHECK("out of reach of scripts", str_find(cookie, STR("; HttpOnly")) != SIZE_MAX);
	CHECK("not sent along from elsewhere", str_find(cookie, STR("; SameSite=Lax")) != SIZE_MAX);
	CHECK("for this app only", str_find(cookie, STR("; Path=/admin/;")) != SIZE_MAX);
	CHECK("no Secure without TLS", str_find(cookie, STR("Secure")) == SIZE_MAX);
	snprintf(first, sizeof(first), "%.*s", (int)str_find_char(cookie, ';'), cookie.p);
	CHECK_INT("signed in", client_send(&c, "GET", "/admin/", NULL), 200);
	CHECK("by name", client_shows(&c, "Ada Byron"));
	CHECK_INT("the form is behind us", client_send(&c, "GET", "/admin/sign-in", NULL), 303);
	client_send(&c, "GET", "/admin/", NULL);
	snprintf(form, sizeof(form), "csrf=%s", client_token(&c));
	CHECK_INT("out", client_send(&c, "POST", "/admin/sign-out", form), 303);
	CHECK("cookie taken back", str_find(client_header(&c, "Set-Cookie"), STR("gh_admin=; ")) != SIZE_MAX);
	snprintf(c.cookies[0], sizeof(c.cookies[0]), "%s", first);
	CHECK_INT("the old cookie is worth nothing", client_send(&c, "GET", "/admin/", NULL), 303);
	client_end(&c);
	check_done();
}

static void secure_cookie(void **state)
{
	struct client c = { .site = *state, .tls = true };

	client_sign_in(&c, "administrator@example.com", FIXTURE_PASSWORD);
	CHECK("Secure behind TLS", str_find(client_header(&c, "Set-Cookie"), STR("; Secure")) != SIZE_MAX);
	client_end(&c);
	check_done();
}

/* Behind a proxy that speaks TLS for the web server. */
static void told_to_be_secure(void **state)
{
	struct web_site *site = *state;
	struct client c = { .site = site };

	site->config.v[CONFIG_WEB_BEHIND_TLS].number = 1;
	client_sign_in(&c, "administrator@example.com", FIXTURE_PASSWORD);
	site->config.v[CONFIG_WEB_BEHIND_TLS].number = 0;
	CHECK("Secure", str_find(client_header(&c, "Set-Cookie"), STR("; Secure")) != SIZE_MAX);
	client_end(&c);
	check_done();
}

/* Sign-ins are slowed down by address: behind a load balancer all visitors would share one. */
static void behind_proxies(void **state)
{
	struct web_site *site = *state;
	struct client c = { .site = site, .forwarded_for = "198.51.100.1, 198.51.100.7", .forwarded_proto = "https" };
	struct arena *a = arena_new(1 << 16);

	client_send(&c, "GET", "/sign-in", NULL);
	CHECK_STR("nobody is trusted", c.w.rq.address, STR("203.0.113.9"));
	CHECK("nor believed", !c.w.rq.tls);
	assert_int_equal(ip_set_parse(a, STR("10.0.0.0/8"), &site->trust.proxies, NULL).code, GH_OK);
	client_send(&c, "GET", "/sign-in", NULL);
	CHECK_STR("not from elsewhere", c.w.rq.address, STR("203.0.113.9"));
	c.address = "10.0.0.1";
	client_send(&c, "GET", "/sign-in", NULL);
	CHECK_STR("the visitor", c.w.rq.address, STR("198.51.100.7"));
	CHECK("came by https", c.w.rq.tls);
	site->trust = (struct client_trust){ 0 };
	client_end(&c);
	arena_free(a);
	check_done();
}

static void refusals(void **state)
{
	static const struct {
		const char *label, *email, *password;
		int status;
		const char *shows;
	} rows[] = {
		{ "wrong password", "operator@example.com", "guess", 422, "The e-mail address or the password is wrong." },
		{ "unknown address", "nobody@example.com", "guess", 422, "The e-mail address or the password is wrong." },
		{ "no address", "", "guess", 422, "Enter your e-mail address." },
		{ "half an address", "x<y", "guess", 422, "This is not a complete e-mail address." },
		{ "no password", "operator@example.com", "", 422, "Enter your password." },
		{ "no right", "developer@example.com", FIXTURE_PASSWORD, 403, "This account has no access to the dashboard." },
	};
	struct client c = { .site = *state, .address = "198.51.100.1" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(rows[i].label, client_sign_in(&c, rows[i].email, rows[i].password), rows[i].status);
		CHECK(rows[i].label, client_shows(&c, rows[i].shows));
		CHECK(rows[i].label, str_find(client_header(&c, "Set-Cookie"), STR("gh_admin=")) == SIZE_MAX);
	}
	CHECK_INT("input is kept", client_sign_in(&c, "x<y", "guess"), 422);
	CHECK("and escaped", client_shows(&c, "value=\"x&lt;y\""));
	CHECK("but never the password", !client_shows(&c, "guess"));
	client_end(&c);
	check_done();
}

static void put_key(const struct web_site *site, const char text[65])
{
	char path[PATHS_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/master.key", site->state_dir);
	f = fopen(path, "r+");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void other_master_key(void **state)
{
	struct web_site *site = *state, started_later;
	struct client c = { .site = site, .address = "198.51.100.7" };
	uint8_t master[PATHS_MASTER_KEY_BYTES];
	char form[400], before[65], old[100];
	struct gh_err err;
	bool found;

	assert_int_equal(paths_master_key(site->state_dir, master, &found, &err).code, GH_OK);
	for (size_t i = 0; i < sizeof(master); i++)
		snprintf(before + 2 * i, 3, "%02x", master[i]);
	client_send(&c, "GET", "/admin/sign-in", NULL);
	snprintf(old, sizeof(old), "%s", client_token(&c));
	put_key(site, "abababababababababababababababababababababababababababababababab");
	assert_int_equal(web_keys_read(site, &err).code, GH_OK);
	client_send(&c, "GET", "/admin/sign-in", NULL);
	CHECK("forms are signed with the new one", strcmp(client_token(&c), old) != 0);
	snprintf(form, sizeof(form), "csrf=%s&email=a%%40b&password=x", client_token(&c));
	CHECK_INT("which is taken", client_send(&c, "POST", "/admin/sign-in", form), 422);
	snprintf(form, sizeof(form), "csrf=%s&email=a%%40b&password=x", old);
	CHECK_INT("a form that was open is", client_send(&c, "POST", "/admin/sign-in", form), 422);
	started_later = *site;
	started_later.keys = (struct web_keys){ .form = { 0 } };
	assert_int_equal(web_keys_read(&started_later, &err).code, GH_OK);
	CHECK("a process that starts now agrees", memcmp(&started_later.keys, &site->keys, sizeof(site->keys)) == 0);
	site->keys_before_until_us = 1;
	CHECK_INT("but not for ever", client_send(&c, "POST", "/admin/sign-in", form), 403);
	put_key(site, before);
	assert_int_equal(web_keys_read(site, &err).code, GH_OK);
	client_end(&c);
	check_done();
}

static void form_tokens(void **state)
{
	struct client c = { .site = *state, .address = "198.51.100.2" }, other = { .site = *state };
	char form[400], token[100];

	client_send(&c, "GET", "/admin/sign-in", NULL);
	snprintf(token, sizeof(token), "%s", client_token(&c));
	CHECK_INT("token", strlen(token), 64);
	CHECK_INT("none", client_send(&c, "POST", "/admin/sign-in", "email=a%40b&password=x"), 403);
	CHECK_INT("empty", client_send(&c, "POST", "/admin/sign-in", "csrf=&email=a%40b&password=x"), 403);
	token[0] = token[0] == '0' ? '1' : '0';
	snprintf(form, sizeof(form), "csrf=%s&email=a%%40b&password=x", token);
	CHECK_INT("changed", client_send(&c, "POST", "/admin/sign-in", form), 403);
	token[0] = client_token(&c)[0];
	client_send(&c, "GET", "/admin/sign-in", NULL);
	snprintf(form, sizeof(form), "csrf=%s&email=a%%40b&password=x", client_token(&c));
	CHECK_INT("another visitor's", client_send(&other, "POST", "/admin/sign-in", form), 403);
	CHECK_INT("its own", client_send(&c, "POST", "/admin/sign-in", form), 422);
	client_sign_in(&c, "administrator@example.com", FIXTURE_PASSWORD);
	CHECK_INT("a visitor's token is none of a session", client_send(&c, "POST", "/admin/sign-out", form), 403);
	CHECK_INT("still signed in", client_send(&c, "GET", "/admin/", NULL), 200);
	client_end(&c);
	client_end(&other);
	check_done();
}

static void ways_back(void **state)
{
	static const struct {
		const char *label, *wish, *want;
	} rows[] = {
		{ "a page", "/admin/products?page=2", "/admin/products?page=2" },
		{ "nothing", "", "/admin/" },
		{ "another host", "https://evil.example/", "/admin/" },
		{ "another host without scheme", "//evil.example/", "/admin/" },
		{ "another app", "/apis", "/admin/" },
		{ "two slashes", "/admin//evil.example", "/admin/" },
		{ "backslash", "/admin/%5Cevil.example", "/admin/" },
		{ "line break", "/admin/%0d%0aX: y", "/admin/" },
		{ "script", "javascript:alert(1)", "/admin/" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct client c = { .site = *state };
		char form[600];

		client_send(&c, "GET", "/admin/sign-in", NULL);
		snprintf(form, sizeof(form), "csrf=%s&email=auditor%%40example.com&password=%s&return=%s", client_token(&c),
			 FIXTURE_PASSWORD, rows[i].wish);
		CHECK_INT(rows[i].label, client_send(&c, "POST", "/admin/sign-in", form), 303);
		CHECK_STR(rows[i].label, client_header(&c, "Location"), str_of(rows[i].want));
		client_end(&c);
	}
	check_done();
}

static void slow_down(void **state)
{
	struct web_site *site = *state;
	int64_t tries = config_int(&site->config, CONFIG_WEB_SIGN_IN_TRIES);
	struct client c = { .site = site, .address = "192.0.2.1" }, elsewhere = { .site = site, .address = "192.0.2.2" };

	for (int64_t i = 0; i < tries; i++)
		CHECK_INT("a few wrong ones", client_sign_in(&c, "publisher@example.com", "guess"), 422);
	CHECK_INT("then even the right one waits", client_sign_in(&c, "publisher@example.com", FIXTURE_PASSWORD), 429);
	CHECK("and is told how long", !str_is_null(client_header(&c, "Retry-After")));
	CHECK("in words", client_shows(&c, "There were too many failed tries."));
	CHECK_INT("letters of another case are no way round", client_sign_in(&c, "PUBLISHER@example.com", "guess"), 429);
	CHECK_INT("another account from there", client_sign_in(&c, "operator@example.com", "guess"), 422);
	CHECK_INT("the owner from elsewhere", client_sign_in(&elsewhere, "publisher@example.com", FIXTURE_PASSWORD), 303);
	c.address = "2001:db8:1:2::1";
	for (int64_t i = 0; i < tries; i++)
		client_sign_in(&c, "auditor@example.com", "guess");
	c.address = "2001:db8:1:2:ffff::9";
	CHECK_INT("another address of the same network", client_sign_in(&c, "auditor@example.com", "guess"), 429);
	c.address = "2001:db8:1:3::1";
	CHECK_INT("another network", client_sign_in(&c, "auditor@example.com", "guess"), 422);
	client_end(&c);
	client_end(&elsewhere);
	check_done();
}

static void blocked_users(void **state)
{
	struct web_site *site = *state;
	struct client c = { .site = site };
	struct arena *a = arena_new(1 << 20);
	struct store_user u;
	struct gh_err err;
	bool found;

	CHECK_INT("in", client_sign_in(&c, "operator@example.com", FIXTURE_PASSWORD), 303);
	CHECK_INT("may", client_send(&c, "GET", "/admin/", NULL), 200);
	must(store_user_find(site->store, a, STR("operator"), &u, &found, &err), &err);
	u.state = STORE_USER_BLOCKED;
	must(store_tx_begin(site->store, STR("test"), &err), &err);
	must(store_user_update(site->store, &u, &err), &err);
	must(store_tx_commit(site->store, &err), &err);
	CHECK_INT("a blocked user's session ends at once", client_send(&c, "GET", "/admin/", NULL), 303);
	CHECK_INT("and he cannot come in", client_sign_in(&c, "operator@example.com", FIXTURE_PASSWORD), 422);
	client_end(&c);
	arena_free(a);
	check_done();
}

static void session_life(void **state)
{
	struct web_site *site = *state;
	struct client c = { .site = site };
	struct arena *a = arena_new(1 << 20);
	struct store_session s;
	struct gh_err err;
	int64_t now = clock_wall_us();
	bool found;

	client_sign_in(&c, "auditor@example.com", FIXTURE_PASSWORD);
	client_send(&c, "GET", "/admin/", NULL);
	must(store_session_find(site->store, a, c.w.session.id, &s, &found, &err), &err);
	CHECK_INT("ends after the idle time", (s.ends_us - s.seen_us) / 1000000, config_int(&site->config, CONFIG_WEB_SESSION_IDLE_S));
	CHECK_INT("the store has no cookie", str_find(str_of(c.cookies[0]), s.id), SIZE_MAX);
	must(store_tx_begin(site->store, STR("test"), &err), &err);
	s.seen_us = now - 120 * 1000000;
	s.ends_us = now + 60 * 1000000;
	must(store_session_update(site->store, &s, &err), &err);
	must(store_tx_commit(site->store, &err), &err);
	c.accept = "text/event-stream";
	CHECK_INT("a page that follows events", client_send(&c, "GET", "/admin/live/events", NULL), 200);
	CHECK_INT("does not prolong it", c.w.session.ends_us, s.ends_us);
	c.accept = NULL;
	CHECK_INT("used again", client_send(&c, "GET", "/admin/", NULL), 200);
	CHECK("prolonged", c.w.session.ends_us > now + 3600 * 1000000LL);
	must(store_tx_begin(site->store, STR("test"), &err), &err);
	s.ends_us = now - 1;
	must(store_session_update(site->store, &s, &err), &err);
	must(store_tx_commit(site->store, &err), &err);
	CHECK_INT("over", client_send(&c, "GET", "/admin/", NULL), 303);
	client_end(&c);
	arena_free(a);
	check_done();
}

/* A message is shown once, on the next page. */
static void flashes(void **state)
{
	struct client c = { .site = *state };
	struct gh_err err;

	client_sign_in(&c, "auditor@example.com", FIXTURE_PASSWORD);
	client_send(&c, "GET", "/admin/", NULL);
	must(web_flash(&c.w, "good", STR("Saved <b>."), &err), &err);
	client_send(&c, "GET", "/admin/products", NULL);
	CHECK("shown, escaped", client_shows(&c, "Saved &lt;b&gt;."));
	client_send(&c, "GET", "/admin/products", NULL);
	CHECK("once", !client_shows(&c, "Saved"));
	client_end(&c);
	check_done();
}

static char directory[64], share[PATHS_MAX];

static int up(void **state)
{
	static struct web_site site;

	fixture_make(directory);
	site_up(&site, &admin_app, directory, share);
	*state = &site;
	return 0;
}

static int down(void **state)
{
	site_down(*state);
	fixture_drop(directory);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signing_in),  cmocka_unit_test(secure_cookie), cmocka_unit_test(told_to_be_secure), cmocka_unit_test(refusals),
		cmocka_unit_test(behind_proxies),
		cmocka_unit_test(form_tokens), cmocka_unit_test(other_master_key), cmocka_unit_test(ways_back),	cmocka_unit_test(slow_down),
		cmocka_unit_test(session_life), cmocka_unit_test(flashes),	cmocka_unit_test(blocked_users),
	};

	return cmocka_run_group_tests(tests, up, down);
}
