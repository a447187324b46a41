/* Snapshots: documents at their places, one compilation for equal texts, errors that refuse the whole, references, and the
 * loader that follows the store. */
#include "tests/unit/fcgi/configuration.h"

#include "core/clock.h"
#include "core/str.h"
#include "fcgi/route.h"

#include <poll.h>

static const char *const items[] = { "GET /items/{id}", "GET /things/{name}", NULL };

static void set_policy(const char *scope, const char *text)
{
	struct store_policy_scope s;

	OK(store_policy_scope_parse(str_of(scope), &s, &err));
	OK(store_policy_set(store, &s, str_of(text), &err));
}

#define POLICIES(inbound)                                                                              \
	"<policies><inbound><base />" inbound "</inbound><backend><base /></backend><outbound><base />" \
	"</outbound><on-error><base /></on-error></policies>"
#define HEADER(value) "<set-header name=\"X\"><value>" value "</value></set-header>"

static int configure(void **state)
{
	struct store_api api;

	configuration_begin(state);
	change_begin();
	for (int i = 0; i < 3; i++) {
		api = api_of(arena_printf(arena, "api-%d", i).p, arena_printf(arena, "path-%d", i).p);
		add_api(&api, items);
	}
	change_end();
	return 0;
}

static struct route find(const char *path)
{
	struct route_request rq = { .method = STR("GET"), .path = str_of(path) };
	struct route r;

	assert_true(route_find(snapshot, arena, &rq, &r, NULL));
	return r;
}

static void documents(void **state UNUSED)
{
	const struct policy_document *docs[SCOPE__COUNT];
	struct store_product p = { .id = STR("gold"), .name = STR("gold") };
	struct route r;

	change_begin();
	OK(store_product_create(store, &p, &err));
	set_policy("global", "<policies><inbound>" HEADER("g") "</inbound><backend><forward-request /></backend><outbound />"
			     "<on-error /></policies>");
	set_policy("workspace:default", POLICIES(HEADER("w")));
	set_policy("environment:default", POLICIES(HEADER("e")));
	set_policy("product:gold", POLICIES(HEADER("p")));
	set_policy("api:api-0", POLICIES(HEADER("a")));
	set_policy("operation:api-0/GET..items.{id}", POLICIES(HEADER("o")));
	change_end();
	build_snapshot();
	r = find("/path-0/items/1");
	snapshot_documents(snapshot, r.api, r.operation, snapshot_product(snapshot, STR("gold")), docs);
	for (int i = 0; i < SCOPE__COUNT; i++)
		CHECK("every scope has its document", docs[i]);
	CHECK_INT("documents", snapshot->n_documents, 6);
	r = find("/path-0/things/1");
	snapshot_documents(snapshot, r.api, r.operation, NULL, docs);
	CHECK("another operation has none", !docs[SCOPE_OPERATION] && !docs[SCOPE_PRODUCT] && docs[SCOPE_API]);
	r = find("/path-1/items/1");
	snapshot_documents(snapshot, r.api, r.operation, NULL, docs);
	CHECK("another API has none but those for all", !docs[SCOPE_API] && docs[SCOPE_GLOBAL] && docs[SCOPE_ENVIRONMENT]);
	check_done();
}

static void equal_texts(void **state UNUSED)
{
	static const char rewrite[] = POLICIES("<rewrite-uri template=\"/x/{id}\" />");

	change_begin();
	for (int i = 0; i < 3; i++)
		set_policy(arena_printf(arena, "api:api-%d", i).p, POLICIES(HEADER("same")));
	set_policy("operation:api-0/GET..items.{id}", rewrite);
	set_policy("operation:api-1/GET..items.{id}", rewrite);
	change_end();
	build_snapshot();
	CHECK_INT("compiled once for each kind of place", snapshot->n_documents, 2);
	CHECK("shared", find("/path-0/items/1").api->policy == find("/path-2/items/1").api->policy);
	change_begin();
	set_policy("operation:api-2/GET..things.{name}", rewrite);      /* whose template has no {id} */
	change_end();
	struct gh_err err = { .message = "" };
	struct snapshot *s = NULL;

	CHECK_INT("a text that fits one template and not another", snapshot_build(store, NULL, &s, &err).code, GH_E_INVALID);
	CHECK("where", strstr(err.message, "operation api-2/GET..things.{name}"));
	check_done();
}

static void errors(void **state UNUSED)
{
	struct gh_err why = { .message = "" };
	struct snapshot *s = NULL;

	change_begin();
	set_policy("api:api-0", POLICIES("\n<nonsense />"));
	set_policy("api:api-1", POLICIES("<set-header nam=\"x\" />"));
	change_end();
	CHECK_INT("refused", snapshot_build(store, NULL, &s, &why).code, GH_E_INVALID);
	CHECK("how many, where and what", strstr(why.message, "errors, the first: ") && strstr(why.message, "API api-0, revision 1")
						   && strstr(why.message, "line 2, column 1") && strstr(why.message, "nonsense"));
	change_begin();
	set_policy("api:api-0", POLICIES(HEADER("{{missing}}")));
	set_policy("api:api-1", POLICIES(""));
	change_end();
	CHECK_INT("unknown named value", snapshot_build(store, NULL, &s, &why).code, GH_E_INVALID);
	CHECK("which", strstr(why.message, "missing"));
	change_begin();
	OK(store_named_value_set(store, &(struct store_named_value){ .id = STR("missing"), .value = STR("v"), .secret = true }, &err));
	change_end();
	build_snapshot();
	change_begin();
	set_policy("api:api-1", POLICIES("<include-fragment fragment-id=\"f\" />"));
	OK(store_fragment_set(store, &(struct store_fragment){ .id = STR("f"), .bytes = STR("<fragment>" HEADER("f") "</fragment>") },
			      &err));
	change_end();
	build_snapshot();
	check_done();
}

static void references(void **state UNUSED)
{
	struct snapshot *second;

	build_snapshot();
	second = snapshot_ref(snapshot);
	snapshot_unref(snapshot);
	snapshot = second;
	CHECK_INT("still there", snapshot->n_apis, 3);
	CHECK_INT("operations", snapshot->n_operations, 6);
	CHECK_INT("generation", snapshot->generation, 2);
	check_done();
}

static struct snapshot *wait_for(struct snapshot_loader *l, struct gh_err *refused)
{
	struct pollfd p = { .fd = snapshot_loader_fd(l), .events = POLLIN };

	refused->code = GH_OK;
	assert_int_equal(poll(&p, 1, 60000), 1);
	return snapshot_loader_take(l, refused);
}

/* What an old version took for a circuit breaker, and nobody obeyed. */
static void old_breaker(void **state UNUSED)
{
	struct store_backend b = { .id = STR("erp"), .name = STR("erp"), .url = STR("http://127.0.0.1:9"),
				   .breaker = STR("{\"rules\":[{\"failureCondition\":{\"count\":1,\"interval\":60},\"tripDuration\":60}]}") };
	char command[256];

	change_begin();
	OK(store_backend_create(store, &b, &err));
	change_end();
	build_snapshot();
	CHECK("a breaker", snapshot_backend(snapshot, b.id)->breaker && !snapshot->backend_problem.n);
	snprintf(command, sizeof(command), "sqlite3 %s/config.db \"UPDATE backend SET breaker = '{}'\"", state_dir);
	assert_int_equal(system(command), 0);
	build_snapshot();
	CHECK("calls are served", find("/path-0/items/1").api);
	CHECK("without it", !snapshot_backend(snapshot, b.id)->breaker);
	CHECK("and it is told", str_starts(snapshot->backend_problem, STR("backend erp:")));
	check_done();
}

static void loader(void **state UNUSED)
{
	struct snapshot_loader_options o = { .state_dir = state_dir, .poll_ms = 10 };
	struct snapshot_loader *l = NULL;
	struct gh_err refused;
	struct snapshot *s;

	OK(snapshot_loader_start(&o, &l, &err));
	s = wait_for(l, &refused);
	assert_non_null(s);
	CHECK_INT("the first", s->generation, 2);
	CHECK("nothing new", !snapshot_loader_take(l, &refused));
	snapshot_unref(s);
	change_begin();
	set_policy("api:api-0", POLICIES("<nonsense />"));
	change_end();
	s = wait_for(l, &refused);
	CHECK("a change that does not compile gives none", !s);
	CHECK_INT("but says why", refused.code, GH_E_INVALID);
	change_begin();
	set_policy("api:api-0", POLICIES(HEADER("x")));
	change_end();
	s = wait_for(l, &refused);
	CHECK("the next good one", s && s->generation == 4 && !refused.code);
	snapshot_unref(s);
	snapshot_loader_wake(l);
	s = wait_for(l, &refused);
	CHECK("asked for", s && s->generation == 4);
	snapshot_unref(s);
	snapshot_loader_stop(l);
	check_done();
}

static void no_store_yet(void **state UNUSED)
{
	struct snapshot_loader_options o = { .poll_ms = 10 };
	struct snapshot_loader *l = NULL;
	struct gh_err refused;
	char other[100], command[300];

	snprintf(other, sizeof(other), "%s-later", state_dir);
	o.state_dir = other;
	setenv("GATEHOUSE_OTLP_ENDPOINT", "http://127.0.0.1:4318", true);
	OK(snapshot_loader_start(&o, &l, &err));
	CHECK("none", !wait_for(l, &refused));
	CHECK_INT("told", refused.code, GH_E_UNAVAILABLE);
	snprintf(command, sizeof(command), "cp -r %s %s", state_dir, other);
	assert_int_equal(system(command), 0);
	struct snapshot *s = wait_for(l, &refused);

	CHECK("it comes up by itself", s);
	CHECK("with the settings of the start", s && s->record_web);
	snapshot_unref(s);
	snapshot_loader_stop(l);
	unsetenv("GATEHOUSE_OTLP_ENDPOINT");
	snprintf(command, sizeof(command), "rm -rf %s", other);
	assert_int_equal(system(command), 0);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(documents, configure, configuration_end),
		cmocka_unit_test_setup_teardown(equal_texts, configure, configuration_end),
		cmocka_unit_test_setup_teardown(errors, configure, configuration_end),
		cmocka_unit_test_setup_teardown(references, configure, configuration_end),
		cmocka_unit_test_setup_teardown(old_breaker, configure, configuration_end),
		cmocka_unit_test_setup_teardown(loader, configure, configuration_end),
		cmocka_unit_test_setup_teardown(no_store_yet, configure, configuration_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
