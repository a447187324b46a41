/* The dashboard: what lists show and what filters leave out, and the menu that each role gets. */
#include "tests/unit/check.h"

#include "core/clock.h"
#include "core/yaml.h"
#include "db/api_list.h"
#include "db/rollup.h"
#include "db/telemetry.h"
#include "policy/compiler.h"
#include "portal/admin/admin.h"
#include "tests/unit/portal/client.h"
#include "tests/unit/portal/crowd.h"

static struct world {
	struct web_site site;
	struct arena *a;
	char dir[64], share[PATHS_MAX];
} world;

static void lists_of_apis(void **state UNUSED)
{
	static const struct {
		const char *label, *uri, *shows, *hides;
	} rows[] = {
		{ "all", "/admin/", "apis/stock-v1\"", "Nothing matches" },
		{ "how many", "/admin/", "<span class=\"count\">5</span>", "found" },
		{ "called now is active", "/admin/?status=active", "apis/orders\"", "apis/stock-v1\"" },
		{ "called long ago is inactive", "/admin/?status=inactive", "apis/stock-v1\"", "apis/orders\"" },
		{ "never called is unregistered", "/admin/?status=unregistered", "apis/planned\"", "apis/stock-v1\"" },
		{ "a status that is none", "/admin/?status=zebra", "apis/orders\"", "No API is like that" },
		{ "what a row says", "/admin/?q=planned", "dot-unregistered", "dot-active" },
		{ "a row of an active one", "/admin/?q=orders", "dot-active", "dot-inactive" },
		{ "its calls", "/admin/?q=orders", "<span>10</span>", "No data" },
		{ "no calls of the day", "/admin/?q=stock-v1", "No data", "0 %" },
		{ "by stage", "/admin/?stage=draft", "apis/planned\"", "apis/orders\"" },
		{ "one whose sunset is over is retired", "/admin/?stage=retired", "apis/stock-v1\"", "apis/orders\"" },
		{ "and not deprecated", "/admin/?stage=deprecated", "No API is like that", "apis/stock-v1\"" },
		{ "by tag", "/admin/?tag=r%26d", "apis/orders\"", "apis/planned\"" },
		{ "by environment", "/admin/?environment=sandbox", "No API is like that", "apis/orders\"" },
		{ "an environment that is none", "/admin/?environment=zebra", "apis/orders\"", "No API is like that" },
		{ "two at once", "/admin/?stage=published&status=unregistered", "apis/stock-v2\"", "apis/orders\"" },
		{ "search and filter", "/admin/?q=stock&status=active", "Nothing matches", "apis/stock-v1\"" },
		{ "search words are escaped", "/admin/?q=%22%3E%3Cb%3E", "&quot;&gt;&lt;b&gt;", "\"><b>" },
		{ "a page behind the last", "/admin/?page=9&stage=draft", "No API is like that", "rel=\"next\"" },
		{ "a list of nothing", "/admin/loggers", "Nothing here yet", "Show all" },
		{ "a list without what is searched for", "/admin/loggers?q=zebra", "Show all loggers", "Nothing here yet" },
		{ "a list that a choice leaves empty", "/admin/operations?api=zebra", "Show all operations", "Nothing here yet" },
		{ "a list of several words", "/admin/sign-ins", "<h1>Sign-in before APIs</h1>", "an APIs" },
	};
	struct client c = { .site = &world.site };

	client_session(&c, "auditor");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(rows[i].label, client_send(&c, "GET", rows[i].uri, NULL), 200);
		CHECK(rows[i].label, client_shows(&c, rows[i].shows));
		CHECK(rows[i].label, !client_shows(&c, rows[i].hides));
	}
	client_end(&c);
	check_done();
}

/* The last moment at which an API still is active, for a row and for the list, which asks the store. */
static void border_of_inactive(void **state UNUSED)
{
	struct store *s = world.site.store;
	struct store_api_filter f = { .state = -1 };
	const struct store_page all = { .limit = 10 };
	struct store_api *v;
	struct gh_err err;
	int64_t last;
	size_t n;

	must(store_api_last_call(s, STR("stock-v1"), &last, &err), &err);
	CHECK("it was called", last > 0);
	for (int64_t late = 0; late < 2; late++) {
		f.active_since_us = last + late;
		CHECK_INT("a row", store_tracking_of(last, f.active_since_us), late ? STORE_INACTIVE : STORE_ACTIVE);
		for (f.tracking = STORE_ACTIVE; f.tracking <= STORE_INACTIVE; f.tracking++) {
			bool listed = false;

			must(store_api_list(s, world.a, &f, &all, &v, &n, NULL, &err), &err);
			for (size_t i = 0; i < n; i++)
				listed |= str_eq(v[i].id, STR("stock-v1"));
			CHECK_INT("the list", listed, f.tracking == (late ? STORE_INACTIVE : STORE_ACTIVE));
		}
	}
	CHECK_INT("never called", store_tracking_of(0, 1), STORE_UNREGISTERED);
	check_done();
}

/* The management API narrows its list in the same way. */
static void tracking_by_rest(void **state UNUSED)
{
	static const struct {
		const char *query;
		int status;
		const char *shows, *hides;
	} rows[] = {
		{ "status=active", 200, "\"id\":\"orders\"", "\"id\":\"stock-v1\"" },
		{ "status=inactive", 200, "\"id\":\"stock-v1\"", "\"id\":\"orders\"" },
		{ "status=unregistered", 200, "\"id\":\"planned\"", "\"id\":\"stock-v1\"" },
		{ "status=unregistered&limit=1", 200, "\"next\":\"", "\"id\":\"stock-v2\"" },
		{ "status=inactive&limit=1", 200, "\"next\":null", "\"id\":\"orders\"" },
		{ "status=inactive&search=orders", 200, "\"items\":[]", "stock-v1" },
		{ "status=unregistered&state=draft", 200, "\"id\":\"planned\"", "\"id\":\"stock-v2\"" },
		{ "status=", 200, "\"id\":\"orders\"", "zebra" },
		{ "status=zebra", 422, "unregistered, active or inactive", "\"items\"" },
	};
	struct client c = { .site = &world.site };

	client_session(&c, "auditor");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(rows[i].query, client_send(&c, "GET", arena_printf(world.a, "/admin/api/v1/apis?%s", rows[i].query).p, NULL), rows[i].status);
		CHECK(rows[i].query, client_shows(&c, rows[i].shows) && !client_shows(&c, rows[i].hides));
	}
	CHECK_INT("only of APIs", client_send(&c, "GET", "/admin/api/v1/products?status=active", NULL), 400);
	client_send(&c, "GET", "/admin/api/v1/openapi.json", NULL);
	CHECK("described", client_shows(&c, "\"unregistered\""));
	client_end(&c);
	check_done();
}

/* The menu has what the role may open, under the heads of its groups. */
static void menu(void **state UNUSED)
{
	static const struct {
		const char *role, *shows, *hides;
	} rows[] = {
		{ "administrator", "/admin/look\"", "zebra" },   { "administrator", ">Consumers<", "zebra" },
		{ "operator", "/admin/credentials\"", "look\"" }, { "publisher", "/admin/look\"", "credentials\"" },
		{ "auditor", ">Security<", "admin/users\"" },        { "auditor", "/admin/products\"", "/admin/subscriptions\"" },
	};
	struct client c = { .site = &world.site };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		client_session(&c, rows[i].role);
		client_send(&c, "GET", "/admin/", NULL);
		CHECK(rows[i].role, client_shows(&c, rows[i].shows) && !client_shows(&c, rows[i].hides));
	}
	client_end(&c);
	check_done();
}

/* One page leads to the next with what narrows the list. */
static void links_between_pages(void **state UNUSED)
{
	struct client c = { .site = &world.site };

	client_session(&c, "administrator");
	client_send(&c, "GET", "/admin/subscriptions?state=submitted&page=2", NULL);
	CHECK("back", client_shows(&c, "href=\"?state=submitted&amp;page=1\" rel=\"prev\"") && !client_shows(&c, "rel=\"next\""));
	client_send(&c, "GET", "/admin/subscriptions?q=planning&state=submitted&x=", NULL);
	CHECK("on", client_shows(&c, "href=\"?q=planning&amp;state=submitted&amp;page=2\" rel=\"next\"") && !client_shows(&c, "rel=\"prev\""));
	client_end(&c);
	check_done();
}

/* Where the lines of the effective policy come from: the environment's first, which binds what stands inside it. */
static void effective_policy(void **state UNUSED)
{
	static const char binding[] = "<policies><inbound>\n<set-header name=\"X-Bound\" exists-action=\"delete\" />\n<base />\n</inbound>\n"
				      "<backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>";
	const struct store_policy_scope scope = { .kind = STORE_POLICY_ENVIRONMENT, .environment_id = STR("default") };
	struct client c = { .site = &world.site };
	struct store *s = world.site.store;
	struct str body;
	struct gh_err err;

	must(store_tx_begin(s, STR("test"), &err), &err);
	must(store_policy_set(s, &scope, str_of(binding), &err), &err);
	must(store_tx_commit(s, &err), &err);
	client_session(&c, "auditor");
	CHECK_INT("effective", client_send(&c, "GET", "/admin/policies/effective?scope=operation:orders/get-order", NULL), 200);
	body = buf_view(&c.w.rs.body);
	CHECK("of the environment", client_shows(&c, "from-Environment") && client_shows(&c, "X-Bound"));
	CHECK("before that of the API", str_find(body, STR("from-Environment")) < str_find(body, STR("from-API")));
	CHECK("which is inside", client_shows(&c, "from-API") && client_shows(&c, "from-Global"));
	CHECK_INT("its own", client_send(&c, "GET", "/admin/policies/edit?scope=environment:default", NULL), 200);
	CHECK("its text", client_shows(&c, "X-Bound") && client_shows(&c, ">Environment<"));
	CHECK_INT("listed", client_send(&c, "GET", "/admin/policies?q=default", NULL), 200);
	CHECK("with its scope", client_shows(&c, "scope=environment%3Adefault"));
	CHECK_INT("none", client_send(&c, "GET", "/admin/policies/edit?scope=environment:nobody", NULL), 404);
	client_end(&c);
	check_done();
}

/* Every snippet of the gallery compiles in the section that it names. */
static void snippets(void **state UNUSED)
{
	struct str text;
	json_t *all, *group, *s;
	size_t i, k, seen = 0;
	struct gh_err err;

	must(file_read(world.a, "templates/admin/snippets.yaml", 256 * 1024, &text, &err), &err);
	must(yaml_parse(text, NULL, &all, NULL, &err), &err);
	jsn_keep(world.a, all);
	json_array_foreach(all, i, group)
		json_array_foreach(jsn_arr(group, "snippets"), k, s) {
			struct str section = jsn_str(s, "section"), xml = jsn_str(s, "xml");
			struct policy_source src = { .scope = SCOPE_API, .name = jsn_str(s, "name") };
			struct policy_diags diags;

			policy_diags_init(&diags, world.a);
			CHECK(src.name.p, policy_compile(world.a, arena_printf(world.a, "<policies><%.*s>%.*s</%.*s></policies>", STR_ARG(section), STR_ARG(xml),
									       STR_ARG(section)), &src, NULL, &diags));
			for (size_t d = 0; d < diags.n && diags.errors; d++)
				CHECK_STR(src.name.p, diags.v[d].message, STR(""));
			CHECK(src.name.p, jsn_str(s, "help").n > 0);
			seen++;
		}
	CHECK("all of them", seen >= 20);
	check_done();
}

/* ---- the world ------------------------------------------------------------------------------------------------------------- */

static void fill(struct store *s)
{
	const struct store_environment sandbox = { .id = STR("sandbox"), .name = STR("Sandbox"), .business_group_id = STR("default"),
						   .path_prefix = STR("sandbox"), .kind = STR("sandbox") };
	const struct str tag = STR("r&d");
	struct telemetry_call now = { .started_us = clock_wall_us() - 60000000, .status = 200, .environment = STR("default"), .api = STR("orders"),
				      .operation = STR("get-order"), .origin = TELEMETRY_BY_BACKEND }, before = now;
	struct rollup *totals;
	struct store_api api;
	struct gh_err err;
	bool found;

	must(store_tx_begin(s, STR("test"), &err), &err);
	must(store_environment_create(s, &sandbox, &err), &err);
	must(store_api_tags_set(s, STR("orders"), &tag, 1, &err), &err);
	must(store_api_find(s, world.a, STR("stock-v1"), 0, &api, &found, &err), &err);
	api.deprecated_us = 1000000;
	api.sunset_us = 2000000;
	must(store_api_update(s, &api, &err), &err);
	for (size_t i = 0; i < ADMIN_PAGE_ROWS + 1; i++) {
		const struct store_subscription sub = { .name = STR("Planning"), .scope = STORE_SCOPE_PRODUCT, .product_id = STR("starter"),
							.state = STORE_SUB_SUBMITTED };

		must(store_subscription_create(s, world.a, &sub, NULL, NULL, NULL, &err), &err);
	}
	must(store_tx_commit(s, &err), &err);
	before.started_us -= INT64_C(3) * 24 * 3600 * 1000000;
	before.api = STR("stock-v1");
	totals = rollup_new(s, 0);
	must(store_drain_begin(s, &err), &err);
	crowd_count(totals, &now, 10);
	crowd_count(totals, &before, 1);
	must(rollup_write(totals, &err), &err);
	rollup_free(totals);
	must(store_drain_end(s, GH_RC_OK, &err), &err);
}

static int up(void **state UNUSED)
{
	world.a = arena_new(1 << 20);
	fixture_make(world.dir);
	site_up(&world.site, &admin_app, world.dir, world.share);
	fill(world.site.store);
	return 0;
}

static int down(void **state UNUSED)
{
	site_down(&world.site);
	fixture_drop(world.dir);
	arena_free(world.a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lists_of_apis), cmocka_unit_test(border_of_inactive),
					    cmocka_unit_test(tracking_by_rest), cmocka_unit_test(menu), cmocka_unit_test(links_between_pages), cmocka_unit_test(snippets), cmocka_unit_test(effective_policy) };

	return cmocka_run_group_tests(tests, up, down);
}
