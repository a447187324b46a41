/* Routing: environments, longest path, versions, revisions, operations, refused targets, and what a look-up costs. */
#include "tests/unit/fcgi/configuration.h"

#include "core/clock.h"
#include "fcgi/life.h"
#include "fcgi/route.h"

static const char *const items[] = { "GET /", "GET /items", "GET /items/{id}", "POST /items", "GET /search?q={q}", NULL };
static const char *const second[] = { "GET /items", "GET /second", NULL };
static const char *const all[] = { "GET /{*path}", NULL };

static void add_versions(const char *set, const char *scheme, const char *parameter, const char *path, bool original)
{
	struct store_version_set v = { .id = str_of(set), .name = str_of(set), .scheme = str_of(scheme),
				       .parameter = str_of(parameter) };
	struct store_api api = api_of(NULL, path);

	OK(store_version_set_create(store, &v, &err));
	api.version_set_id = v.id;
	for (int i = original ? 0 : 1; i <= 2; i++) {
		api.version = i ? arena_printf(arena, "v%d", i) : STR("");
		api.id = arena_printf(arena, "%s-v%d", set, i);
		add_api(&api, items);
	}
}

static int configure(void **state)
{
	struct store_api api;
	int64_t revision;

	configuration_begin(state);
	change_begin();
	add_environment("sandbox", NULL, "sandbox");
	add_environment("partner", "partner.example", NULL);
	add_environment("partner-test", "partner.example", "test");
	api = api_of("orders", "orders");
	add_api(&api, items);
	api = api_of("orders-admin", "orders/admin");
	add_api(&api, items);
	api = api_of("draft", "draft");
	api.state = STORE_API_DRAFT;
	add_api(&api, items);
	api = api_of("retired", "retired");
	api.state = STORE_API_RETIRED;
	add_api(&api, items);
	api = api_of("old stock", "old");
	api.state = STORE_API_DEPRECATED;
	api.deprecated_us = 1767323045000000, api.sunset_us = 32503593600000000;
	add_api(&api, items);
	api = api_of("a-retired", "only/v1");
	api.state = STORE_API_RETIRED;
	add_api(&api, items);
	api = api_of("sandbox-orders", "orders");
	api.environment_id = STR("sandbox");
	add_api(&api, items);
	api = api_of("partner-root", "");
	api.environment_id = STR("partner");
	add_api(&api, all);
	api = api_of("partner-test-orders", "orders");
	api.environment_id = STR("partner-test");
	add_api(&api, items);
	add_versions("seg", "segment", NULL, "seg", true);
	add_versions("seg-only", "segment", NULL, "only", false);
	add_versions("head", "header", "Api-Version", "head", true);
	add_versions("query", "query", "api-version", "query", false);
	OK(store_revision_create(store, STR("orders"), 0, STR("next"), &revision, &err));
	add_operations("orders", revision, second);
	change_end();
	build_snapshot();
	return 0;
}

/* What callers of an API on its way out hear; without an address of the portal the link is relative to the call. */
static void life(void **state UNUSED)
{
	struct fields headers;
	struct route_request rq = { .method = STR("GET"), .path = STR("/old/items"), .headers = &headers };
	struct route out;

	fields_init(&headers, arena);
	assert_true(route_find(snapshot, arena, &rq, &out, NULL));
	assert_non_null(out.api);
	assert_non_null(out.api->life);
	CHECK("served", !out.api->life->retired);
	CHECK_STR("Deprecation", out.api->life->deprecation, STR("@1767323045"));
	CHECK_STR("Sunset", out.api->life->sunset, STR("Tue, 31 Dec 2999 00:00:00 GMT"));
	CHECK_STR("Link", out.api->life->link, STR("</apis/old%20stock>; rel=\"deprecation\"; type=\"text/html\", "
						   "</apis/old%20stock>; rel=\"sunset\"; type=\"text/html\""));
	rq.path = STR("/retired/items");
	assert_true(route_find(snapshot, arena, &rq, &out, NULL));
	CHECK("retired", out.api && out.api->life && out.api->life->retired && !out.api->life->sunset.n);
	rq.path = STR("/orders/items");
	assert_true(route_find(snapshot, arena, &rq, &out, NULL));
	CHECK("what is current has none", out.api && !out.api->life);
	check_done();
}

static void routes(void **state UNUSED)
{
	static const struct {
		const char *label, *method, *host, *path, *query, *version;
		enum route_result want;
		const char *api, *operation, *rest, *matched;
	} rows[] = {
		{ "operation", "GET", NULL, "/orders/items", NULL, NULL, ROUTE_FOUND, "orders", "GET..items", "/items", NULL },
		{ "parameter", "GET", NULL, "/orders/items/7%208", NULL, NULL, ROUTE_FOUND, "orders", "GET..items.{id}",
		  "/items/7%208", "7 8" },
		{ "case", "GET", NULL, "/Orders/ITEMS", NULL, NULL, ROUTE_FOUND, "orders", "GET..items", "/ITEMS", NULL },
		{ "escaped path", "GET", NULL, "/%6Frders/items", NULL, NULL, ROUTE_FOUND, "orders", "GET..items", "/items", NULL },
		{ "API alone", "GET", NULL, "/orders", NULL, NULL, ROUTE_FOUND, "orders", "GET..", "/", NULL },
		{ "API with a slash", "GET", NULL, "/orders/", NULL, NULL, ROUTE_FOUND, "orders", "GET..", "/", NULL },
		{ "query parameter", "GET", NULL, "/orders/search", "q=a+b", NULL, ROUTE_FOUND, "orders", "GET..search?q={q}",
		  "/search", "a b" },
		{ "longest path", "GET", NULL, "/orders/admin/items", NULL, NULL, ROUTE_FOUND, "orders-admin", "GET..items",
		  "/items", NULL },
		{ "segment boundary", "GET", NULL, "/ordersx/items", NULL, NULL, ROUTE_NO_API, NULL, NULL, NULL, NULL },
		{ "wrong method", "DELETE", NULL, "/orders/items", NULL, NULL, ROUTE_NO_OPERATION, "orders", NULL, "/items", NULL },
		{ "no operation", "GET", NULL, "/orders/nothing", NULL, NULL, ROUTE_NO_OPERATION, "orders", NULL, "/nothing", NULL },
		{ "no API", "GET", NULL, "/nothing", NULL, NULL, ROUTE_NO_API, NULL, NULL, NULL, NULL },
		{ "root", "GET", NULL, "", NULL, NULL, ROUTE_NO_API, NULL, NULL, NULL, NULL },
		{ "draft", "GET", NULL, "/draft/items", NULL, NULL, ROUTE_NO_API, NULL, NULL, NULL, NULL },
		{ "retired: its place, without operations", "GET", NULL, "/retired/items", NULL, NULL, ROUTE_NO_OPERATION, "retired", NULL, NULL, NULL },
		{ "retired, beside one that took its place", "GET", NULL, "/only/v1/items", NULL, NULL, ROUTE_FOUND, "seg-only-v1", "GET..items", "/items", NULL },

		{ "environment by prefix", "GET", NULL, "/sandbox/orders/items", NULL, NULL, ROUTE_FOUND, "sandbox-orders",
		  "GET..items", "/items", NULL },
		{ "environment's prefix alone", "GET", NULL, "/sandbox", NULL, NULL, ROUTE_NO_API, NULL, NULL, NULL, NULL },
		{ "environment by host", "GET", "partner.example", "/any/thing", NULL, NULL, ROUTE_FOUND, "partner-root",
		  "GET..{*path}", "/any/thing", "any/thing" },
		{ "host with port and case", "GET", "Partner.Example:8443", "/x", NULL, NULL, ROUTE_FOUND, "partner-root",
		  "GET..{*path}", "/x", "x" },
		{ "host and prefix", "GET", "partner.example", "/test/orders/items", NULL, NULL, ROUTE_FOUND,
		  "partner-test-orders", "GET..items", "/items", NULL },
		{ "other host", "GET", "other.example", "/orders/items", NULL, NULL, ROUTE_FOUND, "orders", "GET..items", "/items",
		  NULL },

		{ "version in the path", "GET", NULL, "/seg/v2/items", NULL, NULL, ROUTE_FOUND, "seg-v2", "GET..items", "/items",
		  NULL },
		{ "the original", "GET", NULL, "/seg/items", NULL, NULL, ROUTE_FOUND, "seg-v0", "GET..items", "/items", NULL },
		{ "no such version, the original has no such operation", "GET", NULL, "/seg/v9/items", NULL, NULL,
		  ROUTE_NO_OPERATION, "seg-v0", NULL, "/v9/items", NULL },
		{ "no such version", "GET", NULL, "/only/v9/items", NULL, NULL, ROUTE_NO_VERSION, NULL, NULL, NULL, NULL },
		{ "version by header", "GET", NULL, "/head/items", NULL, "v1", ROUTE_FOUND, "head-v1", "GET..items", "/items", NULL },
		{ "header's case", "GET", NULL, "/head/items", NULL, " V2 ", ROUTE_FOUND, "head-v2", "GET..items", "/items", NULL },
		{ "no header", "GET", NULL, "/head/items", NULL, NULL, ROUTE_FOUND, "head-v0", "GET..items", "/items", NULL },
		{ "unknown version in the header", "GET", NULL, "/head/items", NULL, "v3", ROUTE_NO_VERSION, NULL, NULL, NULL, NULL },
		{ "version by query", "GET", NULL, "/query/items", "a=1&api-version=v%32", NULL, ROUTE_FOUND, "query-v2",
		  "GET..items", "/items", NULL },
		{ "no query", "GET", NULL, "/query/items", NULL, NULL, ROUTE_NO_VERSION, NULL, NULL, NULL, NULL },

		{ "current revision has no such operation", "GET", NULL, "/orders/second", NULL, NULL, ROUTE_NO_OPERATION, "orders",
		  NULL, "/second", NULL },
		{ "revision", "GET", NULL, "/orders;rev=2/second", NULL, NULL, ROUTE_FOUND, "orders", "GET..second", "/second", NULL },
		{ "current revision by number", "GET", NULL, "/orders;rev=1/items", NULL, NULL, ROUTE_FOUND, "orders", "GET..items",
		  "/items", NULL },
		{ "no such revision", "GET", NULL, "/orders;rev=3/items", NULL, NULL, ROUTE_NO_REVISION, NULL, NULL, NULL, NULL },
		{ "revision 0", "GET", NULL, "/orders;rev=0/items", NULL, NULL, ROUTE_NO_REVISION, NULL, NULL, NULL, NULL },
		{ "revision of letters is a path", "GET", NULL, "/orders;rev=x/items", NULL, NULL, ROUTE_NO_API, NULL, NULL, NULL,
		  NULL },
		{ "revision of a version", "GET", NULL, "/seg/v1;rev=1/items", NULL, NULL, ROUTE_FOUND, "seg-v1", "GET..items",
		  "/items", NULL },
		{ "revision of an empty path", "GET", "partner.example", "/;rev=1/x/y", NULL, NULL, ROUTE_FOUND, "partner-root",
		  "GET..{*path}", "/x/y", "x/y" },
		{ "behind the API's path it is an ordinary segment", "GET", NULL, "/orders/items/a;rev=7", NULL, NULL, ROUTE_FOUND,
		  "orders", "GET..items.{id}", "/items/a;rev=7", "a;rev=7" },

		{ "dot segment", "GET", NULL, "/orders/../x", NULL, NULL, ROUTE_BAD_TARGET, NULL, NULL, NULL, NULL },
		{ "encoded slash", "GET", NULL, "/orders/a%2fb", NULL, NULL, ROUTE_BAD_TARGET, NULL, NULL, NULL, NULL },
		{ "bad query", "GET", NULL, "/orders", "%", NULL, ROUTE_BAD_TARGET, NULL, NULL, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fields headers, matched;
		struct route_request rq = { .method = str_of(rows[i].method), .host = str_of(rows[i].host),
					    .path = str_of(rows[i].path), .query = str_of(rows[i].query), .headers = &headers };
		struct route out;

		fields_init(&headers, arena);
		fields_init(&matched, arena);
		if (rows[i].version)
			assert_true(fields_add(&headers, STR("api-version"), str_of(rows[i].version)));
		assert_true(route_find(snapshot, arena, &rq, &out, &matched));
		CHECK_INT(rows[i].label, out.result, rows[i].want);
		CHECK_STR(rows[i].label, out.api ? out.api->ctx.id : STR_NULL, str_of(rows[i].api));
		CHECK_STR(rows[i].label, out.operation ? out.operation->ctx.id : STR_NULL, str_of(rows[i].operation));
		CHECK(rows[i].label, (route_reason(out.result) == NULL) == (out.result == ROUTE_FOUND));
		if (rows[i].rest)
			CHECK_STR(rows[i].label, out.rest, str_of(rows[i].rest));
		CHECK_STR(rows[i].label, matched.n ? matched.v[0].value : STR_NULL, str_of(rows[i].matched));
	}
	check_done();
}

static void preflight(void **state UNUSED)
{
	struct fields headers;
	struct route_request rq = { .method = STR("OPTIONS"), .path = STR("/orders/items"), .headers = &headers };
	struct route out;

	fields_init(&headers, arena);
	assert_true(route_find(snapshot, arena, &rq, &out, NULL));
	CHECK("plain OPTIONS", !out.preflight && out.result == ROUTE_NO_OPERATION);
	assert_true(fields_add(&headers, STR("origin"), STR("https://a.example"))
		    && fields_add(&headers, STR("Access-Control-Request-Method"), STR("GET")));
	assert_true(route_find(snapshot, arena, &rq, &out, NULL));
	CHECK("preflight", out.preflight && out.api && out.other_method);
	check_done();
}

static void places(void **state UNUSED)
{
	struct store_api api = api_of("clash", "seg/v1");
	struct gh_err err = { .message = "" };
	struct snapshot *s = NULL;
	struct route_request rq = { .method = STR("GET"), .path = STR("/seg/v1/items") };
	struct route out;

	assert_true(route_find(snapshot, arena, &rq, &out, NULL));
	CHECK_STR("what clients see", out.api->base_path, STR("/seg/v1"));
	rq.path = STR("/sandbox/orders");
	assert_true(route_find(snapshot, arena, &rq, &out, NULL));
	CHECK_STR("with the environment", out.api->base_path, STR("/sandbox/orders"));
	CHECK_STR("service", out.api->ctx.service_url.path, STR("/base"));
	change_begin();
	add_api(&api, items);
	change_end();
	CHECK_INT("two APIs at one place", snapshot_build(store, NULL, &s, &err).code, GH_E_INVALID);
	CHECK("both are named", strstr(err.message, "clash") && strstr(err.message, "seg-v1"));
	check_done();
}

/* Of this thread: what else the machine does must not count. */
static int64_t cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ns for one look-up among n APIs with ten operations each */
static int64_t cost(size_t n)
{
	struct arena *scratch = arena_new(1 << 24);
	struct fields matched;
	int64_t start, best = INT64_MAX;

	change_begin();
	for (size_t i = 0; i < n; i++) {
		struct store_operation ops[10] = { 0 };
		struct store_api api = api_of("", "");

		api.id = api.name = arena_printf(arena, "api-%zu", i);
		api.path = arena_printf(arena, "group-%zu/api-%zu", i % 10, i);
		OK(store_api_create(store, &api, &err));
		for (size_t k = 0; k < 10; k++)
			ops[k] = (struct store_operation){ .api_id = api.id, .id = arena_printf(arena, "op-%zu", k),
							   .name = STR("op"), .method = STR("GET"), .position = (int64_t)k,
							   .uri_template = arena_printf(arena, "/things-%zu/{id}/parts", k) };
		OK(store_operations_replace(store, api.id, 0, ops, 10, &err));
	}
	change_end();
	start = clock_mono_us();
	build_snapshot();
	printf("# snapshot of %zu APIs, %zu operations: %lld ms\n", snapshot->n_apis, snapshot->n_operations,
	       (long long)(clock_mono_us() - start) / 1000);
	for (int round = 0; round < 5; round++) {
		start = cpu_us();
		for (size_t i = 0; i < 20000; i++) {
			char path[100];
			size_t k = (i % 64) * 7919 % n;
			struct route_request rq = { .method = STR("GET"), .path.p = path };
			struct route out;

			rq.path.n = (size_t)snprintf(path, sizeof(path), "/group-%zu/api-%zu/things-%zu/4711/parts", k % 10, k, i % 10);
			arena_reset(scratch);
			fields_init(&matched, scratch);
			assert_true(route_find(snapshot, scratch, &rq, &out, &matched) && out.operation);
		}
		if (cpu_us() - start < best)
			best = cpu_us() - start;
	}
	arena_free(scratch);
	return best / 20;
}

static void scaling(void **state UNUSED)
{
	int64_t few, many;

	few = cost(10);
	configuration_end(NULL);
	configuration_begin(NULL);
	many = cost(2000);
	printf("# route: %lld ns among 10 APIs, %lld ns among 2000\n", (long long)few, (long long)many);
	assert_true(many < 3 * few + 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(life, configure, configuration_end),
		cmocka_unit_test_setup_teardown(routes, configure, configuration_end),
		cmocka_unit_test_setup_teardown(preflight, configure, configuration_end),
		cmocka_unit_test_setup_teardown(places, configure, configuration_end),
		cmocka_unit_test_setup_teardown(scaling, configuration_begin, configuration_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
