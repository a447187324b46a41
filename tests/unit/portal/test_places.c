/* Rights that count in one place only: a person and a token with rights on Sandbox meet every page and every route of the management
 * API, and neither see nor change what stands in Production. What is expected follows from the tables of routes and kinds, so that a
 * new one is walked without being named. */
#include "tests/unit/portal/places.h"

/* ---- pages ------------------------------------------------------------------------------------------------------------------------------ */

/* The address of a route with what {…} stands for: things of Production. */
static const char *address(const struct web_route *r)
{
	struct str rest = str_of(r->pattern), part, out = STR("/admin");

	while (rest.p && str_split(&rest, '/', &part)) {
		const char *value = str_eq(part, STR("{api}")) ? "live" : str_eq(part, STR("{environment}")) ? "default"
				    : str_eq(part, STR("{id}")) && strstr(r->pattern, "/subscriptions/") ? "live-sub" : str_eq(part, STR("{id}")) ? "erp" : "1";

		if (part.n)
			out = arena_printf(world.a, "%.*s/%.*s", STR_ARG(out), part.p[0] == '{' ? (int)strlen(value) : (int)part.n,
					   part.p[0] == '{' ? value : part.p);
	}
	return r->pattern[1] ? out.p : "/admin/";
}

static void every_page(void **state UNUSED)
{
	struct client c = { .site = &world.site };
	size_t open = 0;

	client_session(&c, "sam");
	for (const struct web_route *r = admin_app.routes; r->method; r++) {
		bool get = strcmp(r->method, "GET") == 0;
		const char *uri = address(r);
		int status;

		if (r->right <= WEB_OWN_ACCOUNT || r->right == WEB_TOKEN || strcmp(r->pattern, "/live/events") == 0)
			continue;
		if (r->about == WEB_ABOUT_THING && strstr(r->pattern, "/policies/"))
			uri = arena_printf(world.a, "%s?scope=api:live", uri).p;
		status = client_send(&c, r->method, uri, get ? NULL : "");
		CHECK(uri, status < 500);
		CHECK(uri, !client_shows(&c, MARK));
		if (strcmp(r->pattern, "/credentials/callback") == 0)
			CHECK_INT("nothing was begun, so it leads to the list", status, 303);
		else if (r->about == WEB_ABOUT_ALL || r->about == WEB_ABOUT_THING)
			CHECK_INT(uri, status, 403);
		if (get && (r->about == WEB_ABOUT_ENVIRONMENT || (r->about == WEB_ABOUT_RESOURCES && !strchr(r->pattern, '{'))))
			CHECK_INT(uri, status, 200);
		open += status == 200;
	}
	CHECK("some are open", open > 15);
	CHECK_INT("the own API", client_send(&c, "GET", "/admin/apis/sand-orders", NULL), 200);
	CHECK_INT("its policy", client_send(&c, "GET", "/admin/policies/edit?scope=api:sand-orders", NULL), 200);
	CHECK_INT("its form", client_send(&c, "GET", "/admin/edit/apis?id=sand-orders", NULL), 200);
	CHECK_INT("a form of Production", client_send(&c, "GET", "/admin/edit/apis?id=live", NULL), 404);
	CHECK_INT("the list of it", client_send(&c, "GET", "/admin/apis?environment=default", NULL), 403);
	CHECK_INT("the own list", client_send(&c, "GET", "/admin/apis?environment=sandbox&q=orders", NULL), 200);
	CHECK("has the own API", client_shows(&c, "sand-orders"));
	CHECK_INT("what acts on all is seen", client_send(&c, "GET", "/admin/policies/edit?scope=global", NULL), 200);
	CHECK_INT("and not changed", client_send(&c, "POST", "/admin/policies/edit?scope=global", ""), 403);
	client_end(&c);
	check_done();
}

static void assign(const char *role, const char *environment)
{
	struct resource_change *c;
	struct gh_err err;

	must(resource_begin(world.site.store, world.a, STR("test"), &c, &err), &err);
	write_one(c, "role-assignment", "1", arena_printf(world.a, "{\"role\":\"%s\",\"user\":\"sam\",\"environment\":\"%s\"}", role, environment).p);
	must(resource_end(c, GH_RC_OK, false, &err), &err);
}

/* Goes to the provider for the credential of Sandbox; what it comes back with. */
static const char *begin_consent(struct client *c)
{
	struct str page, link, state;

	CHECK_INT("the list", client_send(c, "GET", "/admin/credentials", NULL), 200);
	CHECK("has the own one alone", client_shows(c, "Sand CRM") && !client_shows(c, MARK));
	page = buf_view(&c->w.rs.body);
	link = str_from(page, str_find(page, STR("/admin/credentials/sandbox/crm/connect?link=")));
	CHECK_INT("there", client_send(c, "GET", arena_dup(world.a, str_first(link, str_find_char(link, '"'))).p, NULL), 303);
	CHECK("at the provider", str_starts(client_header(c, "Location"), STR("https://login.example/authorize")));
	state = client_header(c, "Location");
	state = str_from(state, str_find(state, STR("state=")));
	return arena_printf(world.a, "/admin/credentials/callback?error=access_denied&%.*s", STR_ARG(str_first(state, str_find_char(state, '&')))).p;
}

/* To the provider and back, with a right in one environment; and back when it is gone meanwhile. */
static void consent(void **state UNUSED)
{
	struct client c = { .site = &world.site };
	const char *back;

	client_session(&c, "sam");
	back = begin_consent(&c);
	CHECK_INT("and back", client_send(&c, "GET", back, NULL), 303);
	CHECK_STR("to the list", client_header(&c, "Location"), STR("/admin/credentials"));
	client_send(&c, "GET", "/admin/credentials", NULL);
	CHECK("which says what came of it", client_shows(&c, "crm was not connected: the provider refused (access_denied)."));
	back = begin_consent(&c);
	assign("api-manager", "sandbox");
	client_send(&c, "GET", "/admin/credentials", NULL);
	CHECK_INT("a reminder there", client_send(&c, "POST", "/admin/credentials/sandbox/crm/remind", arena_printf(world.a, "csrf=%s&by=2031-01-01", client_token(&c)).p), 303);
	CHECK_INT("and none elsewhere", client_send(&c, "POST", "/admin/credentials/default/crm/remind", arena_printf(world.a, "csrf=%s&by=2031-01-01", client_token(&c)).p), 403);
	assign("owner", "default");
	CHECK_INT("with a right elsewhere", client_send(&c, "GET", back, NULL), 403);
	assign("owner", "sandbox");
	client_end(&c);
	check_done();
}

/* A right on the way of a group and of a business group, from a role that somebody made. */
static void by_group(void **state UNUSED)
{
	struct client c = { .site = &world.site };

	client_session(&c, "tess");
	CHECK_INT("the own API", client_send(&c, "GET", "/admin/apis/sand-orders", NULL), 200);
	CHECK_INT("one of Production", client_send(&c, "GET", "/admin/apis/live", NULL), 403);
	CHECK_INT("no policies in the role", client_send(&c, "GET", "/admin/policies", NULL), 403);
	CHECK_INT("no settings either", client_send(&c, "GET", "/admin/environments", NULL), 403);
	client_end(&c);
	check_done();
}

/* Who owns a business group does not give away APIs of an environment where she may look at them and not sell them. */
static void given_away(void **state UNUSED)
{
	static const struct {
		const char *label, *id, *apis;
		enum gh_code want;
	} rows[] = {
		{ "an API of Production", "pia-1", "[\"live\"]", GH_E_INVALID },
		{ "one beside her own", "pia-1", "[\"live\",\"sand-orders\"]", GH_E_INVALID },
		{ "her own", "pia-1", "[\"sand-orders\"]", GH_OK },
		{ "added later", "pia-1", "[\"live\",\"sand-orders\"]", GH_E_INVALID },
		{ "what somebody else has put in stays", "pia-2", "[\"live\",\"sand-orders\"]", GH_OK },
		{ "and may be taken out", "pia-2", "[\"sand-orders\"]", GH_OK },
		{ "not put back", "pia-2", "[\"live\",\"sand-orders\"]", GH_E_INVALID },
	};
	struct store *s = world.site.store;
	struct resource_change *c;
	struct rights r;
	struct gh_err err;

	must(resource_begin(s, world.a, STR("test"), &c, &err), &err);
	write_one(c, "product", "pia-2", "{\"name\":\"Two\",\"businessGroup\":\"sales\",\"apis\":[\"live\"]}");
	must(resource_end(c, GH_RC_OK, false, &err), &err);
	must(rights_of_user(s, world.a, STR("pia"), STR("developer"), &r, &err), &err);
	store_viewer_set(s, &r);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct resource_problem *v;
		json_t *doc;
		size_t n;
		gh_rc rc;

		must(jsn_parse_in(world.a, arena_printf(world.a, "{\"name\":\"P\",\"businessGroup\":\"sales\",\"apis\":%s}", rows[i].apis), NULL, &doc, NULL, &err),
		     &err);
		must(resource_begin(s, world.a, STR("test"), &c, &err), &err);
		rc = resource_write(c, resource_kind_find(STR("product")), str_of(rows[i].id), doc, RESOURCE_PUT, NULL, &err);
		v = resource_problems(c, &n);
		CHECK_INT(rows[i].label, rc.code, rows[i].want);
		CHECK(rows[i].label, rc.code != GH_E_INVALID || (n == 1 && str_starts(v->message, STR("the API 'live' is in an environment"))));
		rc = resource_end(c, rc, false, &err);
		CHECK_INT(rows[i].label, rc.code, rows[i].want);
	}
	store_viewer_set(s, NULL);
	check_done();
}

/* The switcher keeps what was chosen, and only what one may choose. */
static void switcher(void **state UNUSED)
{
	struct client c = { .site = &world.site };
	const char *form;

	client_session(&c, "administrator");
	client_send(&c, "GET", "/admin/", NULL);
	CHECK("all at first", client_shows(&c, "sand-orders") && client_shows(&c, "partner-prices"));
	form = arena_printf(world.a, "csrf=%.*s&environment=sandbox&return=/products", STR_ARG(c.w.session.csrf)).p;
	CHECK_INT("chosen", client_send(&c, "POST", "/admin/environment", form), 303);
	CHECK_STR("back where it was", client_header(&c, "Location"), STR("/admin/products"));
	client_send(&c, "GET", "/admin/", NULL);
	CHECK("kept", client_shows(&c, "sand-orders") && !client_shows(&c, "partner-prices"));
	CHECK("shown", client_shows(&c, "<option value=\"sandbox\" selected"));
	client_send(&c, "GET", "/admin/apis?environment=", NULL);
	CHECK("the list's own choice counts more", client_shows(&c, "partner-prices"));
	form = arena_printf(world.a, "csrf=%.*s&environment=sandbox&return=//evil.example/", STR_ARG(c.w.session.csrf)).p;
	client_send(&c, "POST", "/admin/environment", form);
	CHECK_STR("back to no other place", client_header(&c, "Location"), STR("/admin/"));
	client_end(&c);
	client_session(&c, "sam");
	client_send(&c, "GET", "/admin/", NULL);
	form = arena_printf(world.a, "csrf=%.*s&environment=default", STR_ARG(c.w.session.csrf)).p;
	CHECK_INT("not what one may not see", client_send(&c, "POST", "/admin/environment", form), 403);
	client_end(&c);
	check_done();
}

/* ---- the management API ------------------------------------------------------------------------------------------------------------------- */

/* Every kind: its list shows nothing of Production, and each of its resources is either open or forbidden, as the list says. */
static void every_kind(void **state UNUSED)
{
	struct store *s = world.site.store;
	struct client c = { .site = &world.site };
	size_t seen = 0, hidden = 0;

	c.authorization = arena_printf(world.a, "Bearer %.*s", STR_ARG(world.token)).p;
	for (size_t i = 0; resource_kinds[i]; i++) {
		const struct resource_kind *k = resource_kinds[i];
		const struct resource_query all = { .limit = RESOURCE_LIST_MAX };
		struct str *ids, next;
		struct gh_err err;
		size_t n;

		CHECK_INT(k->plural, call(&c, "GET", k->plural, NULL), 200);
		CHECK(k->plural, !client_shows(&c, MARK));
		must(resource_ids(s, world.a, k, &all, &ids, &n, &next, &err), &err);    /* all of them: nobody looks through the store now */
		for (size_t x = 0; x < n; x++) {
			const char *uri = arena_printf(world.a, "%s/%.*s", k->plural, STR_ARG(ids[x])).p, *quoted;
			bool listed;
			int status;

			quoted = arena_printf(world.a, "\"id\":\"%.*s\"", STR_ARG(ids[x])).p;
			call(&c, "GET", arena_printf(world.a, "%s?limit=1000", k->plural).p, NULL);
			listed = client_shows(&c, quoted);
			status = call(&c, "GET", uri, NULL);
			CHECK_INT(uri, status, listed ? 200 : 403);
			CHECK(uri, !client_shows(&c, MARK));
			seen += listed;
			hidden += !listed;
			if (!listed) {
				CHECK_INT(uri, call(&c, "DELETE", uri, NULL), k->single ? 405 : 403);
				CHECK_INT(uri, call(&c, "PATCH", uri, "{\"name\":\"x\"}"), 403);
				CHECK_INT(uri, call(&c, "PUT", uri, "{\"name\":\"x\"}"), 403);
			}
		}
	}
	if (seen <= 7 || hidden <= 15)
		fprintf(stderr, "# %zu seen, %zu hidden\n", seen, hidden);
	CHECK("some are seen, some are not", seen > 7 && hidden > 15);
	client_end(&c);
	check_done();
}

static void writing(void **state UNUSED)
{
	static const struct {
		const char *label, *method, *uri, *body;
		int status;
	} rows[] = {
		{ "a new API in Sandbox", "POST", "apis", "{\"id\":\"sand-2\",\"name\":\"Two\",\"path\":\"two\",\"environment\":\"sandbox\"}", 201 },
		{ "one in Production", "POST", "apis", "{\"id\":\"live-2\",\"name\":\"Two\",\"path\":\"two2\",\"environment\":\"default\"}", 422 },
		{ "the id of one in Production", "POST", "apis", "{\"id\":\"live\",\"name\":\"Two\",\"path\":\"two\",\"environment\":\"sandbox\"}", 403 },
		{ "moved to Production", "PATCH", "apis/sand-2", "{\"environment\":\"default\"}", 422 },
		{ "left out: the default environment", "POST", "apis", "{\"id\":\"live-3\",\"name\":\"Two\",\"path\":\"two3\"}", 403 },
		{ "a product with an API of Production", "PATCH", "products/sand-product", "{\"apis\":[\"sand-orders\",\"live\"]}", 422 },
		{ "a product of its own", "POST", "products", "{\"id\":\"p2\",\"name\":\"P\",\"apis\":[\"sand-2\"]}", 201 },
		{ "an empty one, which is of no environment", "POST", "products", "{\"id\":\"p3\",\"name\":\"P\"}", 403 },
		{ "a subscription to a product of Production", "POST", "subscriptions", "{\"name\":\"x\",\"product\":\"live-product\"}", 422 },
		{ "one to all APIs", "POST", "subscriptions", "{\"name\":\"x\",\"scope\":\"all-apis\"}", 403 },
		{ "the environment's address", "PATCH", "environments/sandbox", "{\"pathPrefix\":\"live\"}", 403 },
		{ "a policy of Production", "PUT", "policies/environment:default",
		  "{\"policy\":\"<policies><inbound/><backend/><outbound/><on-error/></policies>\"}", 403 },
		{ "the global policy", "PUT", "policies/global", "{\"policy\":\"<policies><inbound/><backend/><outbound/><on-error/></policies>\"}", 403 },
		{ "a shared value", "POST", "named-values", "{\"id\":\"v\",\"value\":\"x\"}", 403 },
		{ "a role for oneself", "POST", "role-assignments", "{\"role\":\"owner\",\"user\":\"sam\"}", 403 },
		{ "a token without bounds", "POST", "machine-tokens", "{\"id\":\"wide\",\"role\":\"owner\",\"scopes\":[\"write\"]}", 403 },
		{ "a report about all APIs", "GET", "governance", NULL, 403 },
		{ "nothing of the kind is there", "GET", "apis/nothing", NULL, 404 },
	};
	struct client c = { .site = &world.site };

	c.authorization = arena_printf(world.a, "Bearer %.*s", STR_ARG(world.token)).p;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int status = call(&c, rows[i].method, rows[i].uri, rows[i].body);

		CHECK_INT(rows[i].label, status, rows[i].status);
		if (status != rows[i].status)
			fprintf(stderr, "# %.*s\n", (int)c.w.rs.body.n, c.w.rs.body.p);
		CHECK(rows[i].label, !client_shows(&c, MARK));
	}
	client_end(&c);
	check_done();
}

/* What refers to something keeps it; what is out of sight is counted and not named. */
static void referred_to(void **state UNUSED)
{
	struct resource_change *c;
	struct rights rights;
	struct gh_err err;
	size_t n;

	must(rights_of_place(world.site.store, world.a, STR("owner"), STR_NULL, STR("sales"), &rights, &err), &err);
	must(resource_begin(world.site.store, world.a, STR("test"), &c, &err), &err);
	write_one(c, "application", "app", "{\"name\":\"App\",\"businessGroup\":\"sales\",\"owners\":[\"sam\"]}");
	write_one(c, "subscription", "there-1", "{\"name\":\"x\",\"product\":\"live-product\",\"application\":\"app\"}");
	write_one(c, "subscription", "there-2", "{\"name\":\"x\",\"product\":\"live-product\",\"application\":\"app\"}");
	store_viewer_set(world.site.store, &rights);
	CHECK_INT("kept", resource_remove(c, resource_kind_find(STR("application")), STR("app"), NULL, &err).code, GH_E_CONFLICT);
	store_viewer_set(world.site.store, NULL);
	CHECK("not named", str_find(str_of(err.message), STR("there-")) == SIZE_MAX);
	CHECK_STR("one sentence", resource_problems(c, &n)->message,
		  STR("2 things that you may not see refer to it; ask somebody who may see them to change or remove those first"));
	CHECK_INT("for all of them", n, 1);
	CHECK_INT("nothing of it stays", resource_end(c, (gh_rc){ GH_E_CONFLICT }, true, &err).code, GH_E_CONFLICT);
	check_done();
}

/* Files: what is out of sight is neither compared nor deleted, and a document that reaches there refuses the whole. */
static void files(void **state UNUSED)
{
	static const struct {
		const char *label, *text;
		int status;
		bool deletes;
	} rows[] = {
		{ "deletions stay in sight", "$kind: configuration\\nformat: 1\\nkinds: [apis]\\n---\\n$kind: api\\nid: sand-orders\\nname: Orders\\npath: orders\\n"
		  "environment: sandbox\\n", 200, true },
		{ "Production is out of reach", "$kind: api\\nid: live\\nname: Taken\\npath: live\\nenvironment: sandbox\\n", 403, false },
		{ "so is making something there", "$kind: api\\nid: new\\nname: New\\npath: new\\nenvironment: default\\n", 422, false },
	};
	struct client c = { .site = &world.site };

	c.authorization = arena_printf(world.a, "Bearer %.*s", STR_ARG(world.token)).p;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *body = arena_printf(world.a, "{\"files\":[{\"path\":\"gatehouse.yaml\",\"text\":\"%s\"}]}", rows[i].text).p;

		CHECK_INT(rows[i].label, call(&c, "POST", "plan", body), rows[i].status);
		CHECK(rows[i].label, !client_shows(&c, MARK) && !client_shows(&c, "partner-prices"));
		CHECK_INT(rows[i].label, call(&c, "POST", "apply", body), rows[i].status);
	}
	c.authorization = NULL;
	client_session(&c, "administrator");
	CHECK_INT("what is out of sight stays", call(&c, "GET", "apis/live", NULL), 200);
	CHECK_INT("as it was", client_shows(&c, MARK), true);
	CHECK_INT("what was in sight and in no file is gone", call(&c, "GET", "apis/sand-2", NULL), 404);
	client_end(&c);
	check_done();
}

/* ---- roles and scopes that see figures and not who made the calls ----------------------------------------------------------------------- */

static void one_call(struct store *s)
{
	const struct telemetry_call call = { .started_us = clock_wall_us() - 1000000, .status = 200, .environment = STR_INIT("default"),
					     .api = STR_INIT("live"), .method = STR_INIT("GET"), .path = STR_INIT("/live"), .request_id = STR_INIT("r-1"),
					     .subscription = STR_INIT("hidden-sub"), .key_prefix = STR_INIT("hidden-key"),
					     .client_ip = STR_INIT("192.0.2.7") };
	struct gh_err err;

	must(store_drain_begin(s, &err), &err);
	must(store_drain_call(s, &call, &err), &err);
	must(store_drain_end(s, GH_RC_OK, &err), &err);
}

/* An analyst reads all figures that name nobody. */
static void without_callers(void **state UNUSED)
{
	static const struct {
		const char *report;
		int status;
	} rows[] = {
		{ "", 200 }, { "?group=api", 200 }, { "/traffic?group=operation&address=public_ipv4", 200 }, { "/latency", 200 }, { "/failures", 200 },
		{ "?group=subscription", 403 }, { "?group=api%20user", 403 }, { "/traffic?group=application", 403 }, { "?subscription=hidden-sub", 403 },
		{ "/failures?user=sam", 403 }, { "/latency?application=(none)", 403 }, { "/calls", 403 }, { "/exceeders", 403 }, { "/deprecated", 403 },
	};
	static const char *const asked[] = { "calls?subscription=hidden-sub", "calls?id=hidden-key", "calls?id=192.0.2.7" };
	struct client page = { .site = &world.site }, rest = { .site = &world.site };

	one_call(world.site.store);
	client_session(&page, "lyn");
	rest.authorization = bearer("figures", "analyst", "read:analytics");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *uri = arena_printf(world.a, "analytics%s", rows[i].report).p;

		CHECK_INT(uri, call(&rest, "GET", uri, NULL), rows[i].status);
		CHECK_INT(uri, client_send(&page, "GET", arena_printf(world.a, "/admin/%s", uri).p, NULL), rows[i].status);
		CHECK(uri, !client_shows(&page, "value=\"subscription\"") && !client_shows(&page, "hidden-sub"));
		CHECK(uri, rows[i].status != 200 || !client_shows(&page, "analytics/exceeders\""));
	}
	client_send(&page, "GET", "/admin/calls", NULL);
	CHECK("the call is listed", client_shows(&page, "/live"));
	CHECK("without whose it is", !client_shows(&page, "hidden-sub"));
	CHECK_INT("found by its own id", client_send(&page, "GET", "/admin/calls?q=r-1", NULL), 303);
	client_send(&page, "GET", arena_printf(world.a, "%.*s", STR_ARG(client_header(&page, "Location"))).p, NULL);
	CHECK("one call", client_shows(&page, "/live") && !client_shows(&page, "hidden-") && !client_shows(&page, "192.0.2.7"));
	client_send(&page, "GET", "/admin/calls?subscription=hidden-sub", NULL);
	CHECK("not found by whose it is", !client_shows(&page, ">GET /live<"));
	CHECK_INT("nor by the key", client_send(&page, "GET", "/admin/calls?q=hidden-key", NULL), 200);
	CHECK_INT("nor by the address", client_send(&page, "GET", "/admin/calls?q=192.0.2.7", NULL), 200);
	CHECK_INT("the same by the management API", call(&rest, "GET", "calls", NULL), 200);
	CHECK("without whose it is", client_shows(&rest, "/live") && !client_shows(&rest, "hidden-") && !client_shows(&rest, "192.0.2.7"));
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		CHECK_INT(asked[i], call(&rest, "GET", asked[i], NULL), 200);
		CHECK(asked[i], !client_shows(&rest, "/live"));
	}
	client_end(&page);
	client_session(&page, "administrator");
	client_send(&page, "GET", "/admin/calls?subscription=hidden-sub", NULL);
	CHECK("others find it so", client_shows(&page, ">GET /live<"));
	CHECK_INT("and see who exceeds", client_send(&page, "GET", "/admin/analytics/exceeders", NULL), 200);
	CHECK("how much is kept", client_shows(&page, "Kept: ") && client_shows(&page, "by how much it grows is known after two days."));
	client_end(&page);
	client_end(&rest);
	check_done();
}

/* A token opens what its scopes name, whatever its role may. */
static void scopes(void **state UNUSED)
{
	static const struct {
		const char *id, *scopes, *uri;
		int status;
	} rows[] = {
		{ "s1", "read:analytics", "governance", 403 }, { "s2", "read:apis", "governance", 200 }, { "s3", "read", "governance", 200 },
		{ "s4", "write:products", "governance", 403 }, { "s5", "read:apis", "analytics", 403 }, { "s6", "read:analytics", "analytics/exceeders", 200 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct client c = { .site = &world.site };

		c.authorization = bearer(rows[i].id, "owner", rows[i].scopes);
		CHECK_INT(rows[i].id, call(&c, "GET", rows[i].uri, NULL), rows[i].status);
		client_end(&c);
	}
	check_done();
}

/* A name that is nearly right is told to those who may read it in the list, and to nobody else. */
static void meant(void **state UNUSED)
{
	static const struct {
		const char *label, *role, *scopes;
		bool told;
	} rows[] = {
		{ "who sees people", "owner", "write", true },
		{ "who decides on subscriptions and sees no people", "approver", "write", false },
		{ "a token for subscriptions alone", "owner", "write:subscriptions", false },
		{ "one that may read people besides", "owner", "write:subscriptions read:users", true },
	};
	struct client c = { .site = &world.site };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		c.authorization = bearer(arena_printf(world.a, "meant-%zu", i).p, rows[i].role, rows[i].scopes);
		CHECK_INT(rows[i].label, call(&c, "POST", "subscriptions", "{\"name\":\"x\",\"product\":\"live-product\",\"user\":\"sam@exmaple.com\"}"), 422);
		CHECK_INT(rows[i].label, client_shows(&c, "sam@example.com"), rows[i].told);
	}
	client_end(&c);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_page), cmocka_unit_test(consent), cmocka_unit_test(by_group), cmocka_unit_test(given_away),
					    cmocka_unit_test(switcher),
					    cmocka_unit_test(every_kind), cmocka_unit_test(writing), cmocka_unit_test(referred_to), cmocka_unit_test(files),
					    cmocka_unit_test(without_callers), cmocka_unit_test(scopes), cmocka_unit_test(meant) };

	return cmocka_run_group_tests(tests, places_up, places_down);
}
