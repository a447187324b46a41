/* A walk over every route of the portal and the dashboard, taken from their own tables: as a visitor, as each role, as the
 * owner of things and as a stranger who knows their ids. What is expected follows from the row of the route and from the few
 * tables here, so that a new route is walked without being named; one that stands on somebody's own things must say in `owned`
 * what its id is.
 *
 * What holds everywhere: no failure of ours, the headers that keep a browser from harm, cookies that script and other sites
 * cannot have, no form without its token, nothing of the owner's in an answer to somebody else, no address of another site
 * to go to. */
#include "tests/unit/check.h"

#include "core/clock.h"
#include "core/log.h"
#include "db/passkeys.h"
#include "db/personal_tokens.h"
#include "db/telemetry.h"
#include "portal/admin/admin.h"
#include "portal/portal/portal.h"
#include "tests/unit/portal/client.h"

static const char *const callers[] = { NULL, "developer", "auditor", "publisher", "operator", "administrator", "owner" };
enum { OWNER = 6, CALLERS = 7 };

/* Texts that stand in the owner's things and nowhere else. */
static const char *const marks[] = { "zebra", "owned-call", "owner@example.com" };

/* What {…} stands for, by how the pattern begins; `own`: it is the owner's alone. */
static const struct owned {
	const char *begins, *values[2];
	bool own;
} owned[] = {
	{ "/account/subscriptions/{", { "owned" }, true },
	{ "/account/calls/{", { "owned-call" }, true },
	{ "/account/traces/{", { "owned-trace" }, true },
	{ "/account/tokens/{", { "owned-token" }, true },
	{ "/account/applications/{", { "owned-app", "other" }, true },
	{ "/account/invitations/{", { "owned-invitation" }, true },
	{ "/account/passkeys/{", { "owned-passkey" }, true },
	{ "/account/identities/{", { "nobody" }, false },
	{ "/products/{", { "starter" }, false },
	{ "/language/{", { "de" }, false },
	{ "/portal/api/v1/subscriptions/{", { "owned" }, true },
	{ "/portal/api/v1/applications/{", { "other-app" }, true },
	{ "/portal/api/v1/calls/{", { "owned-call" }, true },
	{ "/portal/api/v1/traces/{", { "owned-trace" }, true },
	{ "/portal/api/v1/account/tokens/{", { "other-token" }, true },
	{ "/portal/api/v1/account/passkeys/{", { "other-passkey" }, true },
};
static bool gone[ARRAY_LEN(owned)];      /* the owner has ended it on the way */
/* Owned things that are not there in this world: nobody finds them, not even the owner. */
static const char *const absent[] = { "owned-trace", "owned-invitation", "other" };

static struct world {
	struct web_site site;
	struct store *s;
	struct arena *a;
	char dir[64];
} world;

/* ---- addresses --------------------------------------------------------------------------------------------------------------- */

static const struct owned *owned_of(const struct web_route *r)
{
	for (size_t i = 0; i < ARRAY_LEN(owned); i++)
		if (strncmp(r->pattern, owned[i].begins, strlen(owned[i].begins)) == 0)
			return &owned[i];
	return NULL;
}

static const char *value_of(const struct web_route *r, struct str name, size_t nth, const char *api)
{
	const struct owned *o = owned_of(r);

	if (str_eq(name, STR("api")))
		return api;
	if (str_eq(name, STR("operation")))
		return "get-order";
	if (str_eq(name, STR("product")) && r->right == WEB_ANYBODY)
		return strcmp(api, "partner-prices") == 0 ? "partner" : "starter";
	if (o && nth < 2 && o->values[nth])
		return o->values[nth];
	return str_eq(name, STR("file*")) ? "gatehouse.css" : "nobody";
}

/* With an API that everybody may see, or with one of a group. */
static const char *uri_of(const char *prefix, const struct web_route *r, const char *api)
{
	static char uri[300];
	struct str rest = str_of(r->pattern), part;
	size_t n = (size_t)snprintf(uri, sizeof(uri), "%s", prefix), nth = 0;

	while (rest.p && str_split(&rest, '/', &part))
		if (part.n > 2 && part.p[0] == '{')
			n += (size_t)snprintf(uri + n, sizeof(uri) - n, "/%s", value_of(r, (struct str){ part.p + 1, part.n - 2 }, nth++, api));
		else if (part.n)
			n += (size_t)snprintf(uri + n, sizeof(uri) - n, "/%.*s", STR_ARG(part));
	if (r->pattern[1] == '\0')
		snprintf(uri + n, sizeof(uri) - n, "/");
	return uri;
}

static bool is_absent(const char *uri)
{
	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		if (str_ends(str_of(uri), str_of(absent[i])) || strstr(uri, arena_printf(world.a, "/%s/", absent[i]).p))
			return true;
	return false;
}

static bool is_json(const struct web_route *r)
{
	return world.site.app->json && strncmp(r->pattern, world.site.app->json, strlen(world.site.app->json)) == 0;
}

/* ---- what holds for every answer --------------------------------------------------------------------------------------------- */

static void check_cookies(const char *label, const struct client *c)
{
	for (size_t i = 0; i < c->w.rs.n_headers; i++) {
		struct str v = c->w.rs.headers[i].value;

		if (strcmp(c->w.rs.headers[i].name, "Set-Cookie") != 0)
			continue;
		CHECK(label, str_find(v, STR("; HttpOnly")) != SIZE_MAX);
		CHECK(label, str_find(v, STR("; SameSite=Lax")) != SIZE_MAX || str_find(v, STR("; SameSite=Strict")) != SIZE_MAX);
		CHECK(label, str_find(v, STR("; Path=/")) != SIZE_MAX);
		CHECK(label, !c->tls || str_find(v, STR("; Secure")) != SIZE_MAX);
	}
}

/* To a path of this app, or one of the same machine; never to "//host" or a whole address. */
static void check_location(const char *label, const struct client *c)
{
	struct str to = client_header(c, "Location");

	if (!to.n || (c->w.rs.status == 201 && is_json(c->w.route)))
		return;
	CHECK(label, to.p[0] == '/' && (to.n == 1 || (to.p[1] != '/' && to.p[1] != '\\')));
	CHECK(label, str_find_char(to, '\\') == SIZE_MAX);
}

static void check_answer(const char *label, const struct client *c)
{
	static const char *const always[][2] = { { "X-Content-Type-Options", "nosniff" }, { "X-Frame-Options", "DENY" },
						 { "Referrer-Policy", "same-origin" }, { "Cross-Origin-Opener-Policy", "same-origin" } };
	struct str csp = client_header(c, "Content-Security-Policy"), type = client_header(c, "Content-Type");

	CHECK(label, c->w.rs.status < 500);
	CHECK(label, str_starts(csp, STR("default-src 'self'")) && str_find(csp, STR("unsafe")) == SIZE_MAX && str_find(csp, STR("*")) == SIZE_MAX);
	CHECK(label, str_find(csp, STR("frame-ancestors 'none'")) != SIZE_MAX && str_find(csp, STR("form-action 'self'")) != SIZE_MAX
		     && str_find(csp, STR("base-uri 'none'")) != SIZE_MAX);
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		CHECK_STR(always[i][0], client_header(c, always[i][0]), str_of(always[i][1]));
	CHECK(label, client_header(c, "X-Request-Id").n > 0);
	if (c->w.signed_in && str_starts(type, STR("text/html")))
		CHECK_STR(label, client_header(c, "Cache-Control"), STR("no-store"));
	check_cookies(label, c);
	check_location(label, c);
}

static void check_no_marks(const char *label, const struct client *c)
{
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		CHECK(label, !client_shows(c, marks[i]));
}

/* ---- the walk ---------------------------------------------------------------------------------------------------------------- */

static const char *label_of(const char *method, const char *uri, size_t who)
{
	static char label[400];

	snprintf(label, sizeof(label), "%s %s as %s", method, uri, callers[who] ? callers[who] : "visitor");
	return label;
}

static void begin(struct client *c, size_t who)
{
	*c = (struct client){ .site = &world.site, .address = "203.0.113.40" };
	if (callers[who])
		client_session(c, callers[who]);
}

static bool is_refused(const struct client *c, const struct web_route *r)
{
	if (is_json(r))
		return c->w.rs.status == (c->w.signed_in ? 403 : 401);
	if (c->w.signed_in)
		return c->w.rs.status == 403;
	return c->w.rs.status == 303 && str_find(client_header(c, "Location"), STR("/sign-in")) != SIZE_MAX;
}

static bool may(size_t who, const struct web_route *r)
{
	const char *role = !callers[who] ? NULL : who == OWNER ? "developer" : callers[who];

	return web_role_may(role ? str_of(role) : STR_NULL, r->right);
}

/* Who sees subscriptions sees whose they are. */
static bool sees_people(size_t who)
{
	return who == OWNER || web_role_may(callers[who] ? str_of(callers[who]) : STR_NULL, WEB_VIEW_SUBSCRIPTIONS);
}

static void get(const char *prefix, const struct web_route *r, size_t who)
{
	const char *uri = uri_of(prefix, r, "orders"), *label = label_of("GET", uri, who);
	const struct owned *o = owned_of(r);
	struct client c;
	int status;

	begin(&c, who);
	status = client_send(&c, "GET", uri, NULL);
	check_answer(label, &c);
	if (!sees_people(who) && r->right != WEB_VIEW_AUDIT)    /* whose trail names everybody */
		check_no_marks(label, &c);
	if (!may(who, r))
		CHECK(label, is_refused(&c, r));
	else if (o && o->own)
		CHECK_INT(label, status, who == OWNER && !is_absent(uri) && !gone[o - owned] ? 200 : 404);
	else
		CHECK(label, status < 400 || status == 404 || status == 400 || (status == 403 && strcmp(prefix, "/admin") == 0));
	CHECK_INT("HEAD as GET", client_send(&c, "HEAD", uri, NULL), status);
	client_end(&c);
}

/* What may not be seen is not there for anybody who is not of its group, whatever route shows it. */
static void get_hidden(const char *prefix, const struct web_route *r, size_t who)
{
	bool names_it = strstr(r->pattern, "{api}") || (strstr(r->pattern, "{product}") && r->right == WEB_ANYBODY);
	const char *uri = uri_of(prefix, r, "partner-prices"), *label = label_of("GET", uri, who);
	struct client c;

	begin(&c, who);
	client_send(&c, "GET", uri, NULL);
	if (names_it && who != OWNER)
		CHECK_INT(label, c.w.rs.status, 404);
	if (who != OWNER)
		CHECK(label, !client_shows(&c, "partner-prices") || (names_it && c.w.rs.status == 404));
	if (who == OWNER && names_it && strcmp(r->pattern, "/apis/{api}") == 0)
		CHECK_INT("its own people see it", c.w.rs.status, 200);
	client_end(&c);
}

static const char *token_form(struct client *c)
{
	return arena_printf(world.a, "csrf=%.*s", STR_ARG(c->w.session.csrf)).p;
}

/* Without a token, with one of another session, and with the right one and nothing else in the form. */
static void post(const char *prefix, const struct web_route *r, size_t who)
{
	const char *uri = uri_of(prefix, r, "orders"), *label = label_of(r->method, uri, who), *form, *token = NULL;
	const struct owned *o = owned_of(r);
	struct client c;
	int status;

	begin(&c, who);
	client_send(&c, r->method, uri, is_json(r) ? NULL : "");
	check_answer(label, &c);
	CHECK(label, may(who, r) ? c.w.rs.status == 403 : is_refused(&c, r));
	client_send(&c, r->method, uri, is_json(r) ? NULL : "csrf=0123456789abcdef0123456789abcdef");
	CHECK(label, may(who, r) ? c.w.rs.status == 403 : is_refused(&c, r));
	if (who && may(who, r) && strcmp(r->pattern, "/sign-out") != 0) {
		client_session(&c, callers[who]);
		form = token_form(&c);
		token = arena_dup(world.a, c.w.session.csrf).p;
		c.csrf = token;
		status = client_send(&c, r->method, uri, is_json(r) ? NULL : form);
		check_answer(label, &c);
		if (!sees_people(who))
			check_no_marks(label, &c);
		if (o && o->own && (who != OWNER || is_absent(uri)))
			CHECK_INT(label, status, 404);
		else if (o && o->own)
			CHECK(label, status != 403 && (status != 404 || gone[o - owned] || strchr(strchr(r->pattern, '}'), '{')));
		if (o && who == OWNER && (str_ends(str_of(r->pattern), STR("/delete")) || str_ends(str_of(r->pattern), STR("/end"))
					 || str_ends(str_of(r->pattern), STR("passkeys/{id}/remove"))
					 || strcmp(r->method, "DELETE") == 0))
			gone[o - owned] = true;
	}
	client_end(&c);
}

static void walk(const struct web_app *app, const char *prefix)
{
	char share[PATHS_MAX];

	site_up(&world.site, app, world.dir, share);
	for (size_t who = 0; who < CALLERS; who++)
		for (const struct web_route *r = app->routes; r->method; r++) {
			if (r->right == WEB_TOKEN)
				continue;                /* SCIM: tests/http/scim.test.js */
			if (strncmp(r->pattern, "/account/", 9) == 0 && strchr(r->pattern, '{'))
				CHECK(r->pattern, owned_of(r) != NULL);          /* a new one: say in `owned` what its id is */
			if (strcmp(r->method, "GET") != 0) {
				post(prefix, r, who);    /* the owner's turn is the last: it may end what the others ask for */
				continue;
			}
			get(prefix, r, who);
			if (!*prefix)
				get_hidden(prefix, r, who);
		}
	site_down(&world.site);
}

static void portal_walk(void **state UNUSED)
{
	walk(&portal_app, "");
	check_done();
}

static void dashboard_walk(void **state UNUSED)
{
	walk(&admin_app, "/admin");
	check_done();
}

/* ---- ways back --------------------------------------------------------------------------------------------------------------- */

/* Where one lands behind a form or link that has an address to go back to. */
static void way_back(void **state UNUSED)
{
	static const struct {
		const char *wish, *lands;
	} rows[] = {
		{ "/apis/orders?x=1", "/apis/orders?x=1" },
		{ "/account", "/account" },
		{ "//evil.example", "/" },
		{ "//evil.example/account", "/" },
		{ "/\\evil.example", "/" },
		{ "\\\\evil.example", "/" },
		{ "/%09/evil.example", "/%09/evil.example" },    /* stays a path: a browser does not decode it first */
		{ "/\t/evil.example", "/" },
		{ "/\n/evil.example", "/" },
		{ "https://evil.example/", "/" },
		{ "https:evil.example", "/" },
		{ "javascript:alert(1)", "/" },
		{ "data:text/html,x", "/" },
		{ "evil.example", "/" },
		{ "@evil.example", "/" },
		{ ".evil.example", "/" },
		{ " /account", "/" },
		{ "", "/" },
	};
	char share[PATHS_MAX], form[700];

	site_up(&world.site, &portal_app, world.dir, share);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct client c = { .site = &world.site, .address = "203.0.113.41", .tls = true };
		struct str wish = STR("");

		for (const char *p = rows[i].wish; *p; p++)
			wish = arena_printf(world.a, "%.*s%%%02X", STR_ARG(wish), (unsigned char)*p);
		client_send(&c, "GET", arena_printf(world.a, "/language/de?return=%.*s", STR_ARG(wish)).p, NULL);
		CHECK_STR(rows[i].wish, client_header(&c, "Location"), str_of(rows[i].lands));
		check_cookies(rows[i].wish, &c);
		client_send(&c, "GET", "/sign-in", NULL);
		snprintf(form, sizeof(form), "csrf=%s&email=owner@example.com&password=%s&return=%.*s", client_token(&c), FIXTURE_PASSWORD, STR_ARG(wish));
		CHECK_INT(rows[i].wish, client_send(&c, "POST", "/sign-in", form), 303);
		CHECK_STR(rows[i].wish, client_header(&c, "Location"), str_of(rows[i].lands));
		check_answer(rows[i].wish, &c);
		client_end(&c);
	}
	site_down(&world.site);
	check_done();
}

/* ---- the world --------------------------------------------------------------------------------------------------------------- */

static void make_owner(struct store *s)
{
	struct store_user u = { .id = STR("owner"), .email = STR("owner@example.com"), .first_name = STR("zebra"), .role = STR("developer"),
				.state = STORE_USER_ACTIVE };
	struct store_subscription sub = { .id = STR("owned"), .name = STR("zebra crossing"), .scope = STORE_SCOPE_PRODUCT, .product_id = STR("starter"),
					  .user_id = STR("owner"), .state = STORE_SUB_ACTIVE };
	struct store_personal_token t = { .id = STR("owned-token"), .user_id = STR("owner"), .name = STR("zebra") };
	struct store_application app = { .id = STR("owned-app"), .name = STR("zebra app") };
	struct store_passkey key = { .id = STR("owned-passkey"), .user_id = STR("owner"), .name = STR("zebra"), .public_key = STR("k"),
					   .algorithm = -7, .created_us = 1 };
	char hash[CRYPTO_PASSWORD_HASH_MAX];
	struct str token;
	struct gh_err err;

	must(crypto_password_hash(str_of(FIXTURE_PASSWORD), hash, &err), &err);
	must(store_tx_begin(s, STR("test"), &err), &err);
	must(store_user_create(s, world.a, &u, NULL, &err), &err);
	must(store_user_set_password(s, u.id, str_of(hash), &err), &err);
	must(store_group_add(s, STR("partners"), u.id, &err), &err);
	must(store_subscription_create(s, world.a, &sub, NULL, NULL, NULL, &err), &err);
	must(store_application_create(s, world.a, &app, u.id, NULL, &err), &err);
	app.id = STR("other-app");
	must(store_application_create(s, world.a, &app, u.id, NULL, &err), &err);
	must(store_passkey_add(s, &key, &err), &err);
	key.id = STR("other-passkey");
	must(store_passkey_add(s, &key, &err), &err);
	must(store_personal_token_create(s, world.a, &t, NULL, &token, &err), &err);
	t.id = STR("other-token");
	must(store_personal_token_create(s, world.a, &t, NULL, &token, &err), &err);
	must(store_tx_commit(s, &err), &err);
}

static void make_call(struct store *s)
{
	const struct telemetry_call c = { .started_us = clock_wall_us(), .status = 429, .request_id = STR("owned-call"), .environment = STR("default"),
					  .api = STR("orders"), .operation = STR("get-order"), .product = STR("starter"), .subscription = STR("owned"),
					  .method = STR("GET"), .path = STR("/api/orders/7"), .reason = STR("rate_limit") };
	struct gh_err err;

	must(store_drain_begin(s, &err), &err);
	must(store_drain_call(s, &c, &err), &err);
	must(store_drain_end(s, GH_RC_OK, &err), &err);
}

static int up(void **state UNUSED)
{
	struct gh_err err;
	FILE *conf;

	log_init("walk", LOG_LEVEL__COUNT);              /* refusals by the hundred */
	world.a = arena_new(256 << 20);
	fixture_make(world.dir);
	conf = fopen(arena_printf(world.a, "%s/gatehouse.conf", world.dir).p, "w");
	fputs("web.public_url = https://gw.example\n", conf);   /* mails have links */
	fclose(conf);
	must(store_open(&world.s, world.dir, STORE_WRITE, &err), &err);
	make_owner(world.s);
	make_call(world.s);
	store_free(world.s);
	return 0;
}

static int down(void **state UNUSED)
{
	fixture_drop(world.dir);
	arena_free(world.a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(way_back), cmocka_unit_test(dashboard_walk), cmocka_unit_test(portal_walk),
	};
	return cmocka_run_group_tests(tests, up, down);
}
