#include "tests/unit/check.h"

#include "policy/compiler.h"
#include "policy/element.h"

/* A host that counts what it is asked to do. */
static struct {
	unsigned forwards, takes, limit_hits, entered, left;
	struct str sent_to;
	bool wait, refuse, asks;
	struct place_take *place;
	int64_t held_us;
	enum call_failure failure;
} world;

static enum step forward(struct exchange *x, struct forward *f)
{
	world.forwards++;
	world.sent_to = url_text(x->arena, &x->request.url);
	f->failure = world.failure;
	f->failure_text = STR("connection refused by 127.0.0.1:1");
	if (!f->failure) {
		x->response.status = 200;
		x->response.reason = STR("OK");
	}
	f->done = !world.wait;
	return world.wait ? STEP_WAIT : STEP_NEXT;
}

static enum step take(struct exchange *x, struct counter_take *t)
{
	(void)x;
	world.takes++;
	t->allowed = !world.refuse;
	t->remaining = world.refuse ? 0 : 4;
	t->retry_after_s = 57;
	return STEP_NEXT;
}

static enum step enter(struct exchange *x UNUSED, struct place_take *t)
{
	world.entered++;
	world.place = t;
	t->done = t->allowed = !world.asks;
	return t->done ? STEP_NEXT : STEP_WAIT;
}

static void leave(struct exchange *x UNUSED, struct place_take *t UNUSED, int64_t held_us)
{
	world.left++;
	world.held_us = held_us;
}

static int64_t now_us(struct exchange *x UNUSED)
{
	return 1000000;
}

static enum step send(struct exchange *x UNUSED, struct subrequest *w UNUSED)
{
	return STEP_WAIT;
}

static bool backend(struct exchange *x, struct str id, struct str *url)
{
	(void)x;
	*url = STR("https://pool.example/p");
	return str_eq(id, STR("pool"));
}

static const struct policy_host host = { .forward = forward, .take = take, .backend = backend, .enter = enter, .leave = leave, .send = send,
					 .now_us = now_us };
static bool finished;

static void done(struct exchange *x)
{
	(void)x;
	assert_false(finished);
	finished = true;
}

static const struct policy_document *compile(struct arena *a, const char *text, enum scope scope, struct policy_diags *d)
{
	policy_diags_init(d, a);
	return policy_compile(a, str_of(text), &(struct policy_source){ .scope = scope }, NULL, d);
}

static struct exchange *exchange_new(struct arena *a)
{
	static const struct ctx_api api = { .id = STR_INIT("orders"), .service_url = { .path = STR_INIT("/base") } };
	static const struct ctx_operation op = { .id = STR_INIT("get"), .url_template = STR_INIT("/orders/{id}?a={b}") };
	static const struct ctx_subscription sub = { .id = STR_INIT("s1") };
	struct exchange *x = arena_new_of(a, struct exchange);

	x->arena = a;
	x->host = &host;
	x->finished = done;
	x->api = &api;
	x->operation = &op;
	x->subscription = &sub;
	x->request_id = STR("3f2504e0-4f89-11d3-9a0c-0305e82c3301");
	x->request.method = STR("GET");
	assert_true(url_parse(STR("http://backend.example/base/orders/7?a=1&c=d"), &x->request.url));
	fields_init(&x->request.headers, a);
	fields_init(&x->matched, a);
	assert_true(fields_add(&x->matched, STR("id"), STR("7")));
	assert_true(fields_add(&x->matched, STR("b"), STR("1")));
	memset(&world, 0, sizeof(world));
	finished = false;
	return x;
}

#define BACKEND "<backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>"
#define IN(text) "<policies><inbound><base />" text "</inbound>" BACKEND

static const struct {
	const char *label, *policy, *sent_to;
	int status;
	const char *body, *reason, *path;
} runs[] = {
	{ "no change", IN(""), "http://backend.example/base/orders/7?a=1&c=d", 200, "", "", "" },
	{ "another backend keeps the operation's path", IN("<set-backend-service base-url=\"https://other.example:8443/v2/\" />"),
	  "https://other.example:8443/v2/orders/7?a=1&c=d", 200, "", "", "" },
	{ "a configured backend", IN("<set-backend-service backend-id=\"pool\" />"),
	  "https://pool.example/p/orders/7?a=1&c=d", 200, "", "", "" },
	{ "an unknown backend", IN("<set-backend-service backend-id=\"none\" />"), NULL, 500,
	  "{ \"statusCode\": 500, \"message\": \"Internal server error\", \"activityId\": \"3f2504e0-4f89-11d3-9a0c-0305e82c3301\" }",
	  "BackendNotFound", "set-backend-service" },
	{ "rewrite with a parameter", IN("<rewrite-uri template=\"/v2/{id}/x\" />"), "http://backend.example/base/v2/7/x?c=d",
	  200, "", "", "" },
	{ "rewrite without the caller's query", IN("<rewrite-uri template=\"/put\" copy-unmatched-params=\"false\" />"),
	  "http://backend.example/base/put", 200, "", "", "" },
	{ "rewrite with a query", IN("<rewrite-uri template=\"/put?x={b}\" />"), "http://backend.example/base/put?x=1&c=d",
	  200, "", "", "" },
	{ "rewrite, then another backend", IN("<rewrite-uri template=\"/put\" /><set-backend-service base-url=\"http://o\" />"),
	  "http://o/put?c=d", 200, "", "", "" },
	{ "an own answer ends everything",
	  IN("<return-response><set-status code=\"418\" reason=\"Teapot\" /><set-body>short</set-body></return-response>"), NULL,
	  418, "short", "", "" },
	{ "no base and no forward-request in backend",
	  "<policies><inbound /><backend /><outbound /><on-error /></policies>", NULL, 200, "", "", "" },
	{ "a missing section inherits", "<policies><inbound /></policies>", "http://backend.example/base/orders/7?a=1&c=d", 200, "",
	  "", "" },
	{ "limit", IN("<rate-limit calls=\"5\" renewal-period=\"60\" />"), "http://backend.example/base/orders/7?a=1&c=d", 200, "", "", "" },
};

static void test_runs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
		struct arena *a = arena_new(1 << 20);
		struct exchange *x = exchange_new(a);
		struct policy_diags d;

		x->documents[SCOPE_API] = compile(a, runs[i].policy, SCOPE_API, &d);
		if (!x->documents[SCOPE_API]) {
			fprintf(stderr, "# %s: %.*s\n", runs[i].label, STR_ARG(d.v[0].message));
			check_failures++;
			arena_free(a);
			continue;
		}
		exchange_start(x);
		CHECK(runs[i].label, finished);
		CHECK_STR(runs[i].label, world.sent_to, str_of(runs[i].sent_to));
		CHECK_INT(runs[i].label, x->response.status, runs[i].status);
		CHECK_STR(runs[i].label, x->response.body.bytes, str_of(runs[i].body));
		CHECK_STR(runs[i].label, x->error.reason, str_of(runs[i].reason));
		CHECK_STR(runs[i].label, x->error.path, str_of(runs[i].path));
		arena_free(a);
	}
	check_done();
}

static void test_refused(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct exchange *x = exchange_new(a);
	struct policy_diags d;

	(void)state;
	x->documents[SCOPE_PRODUCT] = compile(a, "<policies><inbound><rate-limit calls=\"5\" renewal-period=\"60\" "
		"remaining-calls-variable-name=\"left\" id=\"r1\" /></inbound>" BACKEND, SCOPE_PRODUCT, &d);
	x->documents[SCOPE_API] = compile(a, "<policies><inbound><base /></inbound><backend><base /></backend><outbound /><on-error>"
		"<base /><set-header name=\"X-Seen\"><value>yes</value></set-header></on-error></policies>", SCOPE_API, &d);
	world.refuse = true;
	exchange_start(x);
	CHECK("finished", finished);
	CHECK_INT("status", x->response.status, 429);
	CHECK_STR("body", x->response.body.bytes,
		  STR("{ \"statusCode\": 429, \"message\": \"Rate limit is exceeded. Try again in 57 seconds.\" }"));
	CHECK_STR("Retry-After", fields_get(&x->response.headers, STR("Retry-After")), STR("57"));
	CHECK_STR("type", fields_get(&x->response.headers, STR("Content-Type")), STR("application/json"));
	CHECK_STR("on-error ran", fields_get(&x->response.headers, STR("X-Seen")), STR("yes"));
	CHECK_STR("source", x->error.source, STR("rate-limit"));
	CHECK_STR("message", x->error.message, STR("Rate limit is exceeded"));
	CHECK_STR("scope", x->error.scope, STR("product"));
	CHECK_STR("section", x->error.section, STR("inbound"));
	CHECK_STR("id", x->error.policy_id, STR("r1"));
	CHECK_INT("nothing sent", world.forwards, 0);
	arena_free(a);
	check_done();
}

static void test_waits(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct exchange *x = exchange_new(a);

	(void)state;
	world.wait = true;
	world.failure = CALL_CONNECT;
	exchange_start(x);
	CHECK("waits", !finished);
	exchange_resume(x);
	CHECK("still waits", !finished);
	world.wait = false;
	exchange_cancel(x);
	exchange_resume(x);
	CHECK("cancelled", !finished);
	arena_free(a);
	a = arena_new(1 << 20);
	x = exchange_new(a);
	world.failure = CALL_TIMEOUT;
	exchange_start(x);
	CHECK_INT("status", x->response.status, 500);
	CHECK_STR("reason", x->error.reason, STR("Timeout"));
	CHECK_STR("scope", x->error.scope, STR("global"));
	arena_free(a);
	check_done();
}

/* A place is left whatever becomes of the call that holds it, or waits for it, in a branch too: it is in the call's memory. */
static void test_places(void **state)
{
#define HELD "<limit-concurrency key=\"k\" max-count=\"1\"><send-request response-variable-name=\"v\"><set-url>http://b.example/</set-url>" \
	     "</send-request></limit-concurrency>"
	static const char *const policies[] = { IN(HELD),
						IN("<wait><choose><when condition=\"@(true)\">" HELD "</when></choose></wait>") };

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(policies); i++) {
		struct arena *a = arena_new(1 << 20);
		struct exchange *x = exchange_new(a);
		struct policy_diags d;

		x->documents[SCOPE_API] = compile(a, policies[i / 2], SCOPE_API, &d);
		assert_non_null(x->documents[SCOPE_API]);
		world.asks = i % 2;
		exchange_start(x);
		CHECK("waits", !finished);
		CHECK_INT("entered", world.entered, 1);
		CHECK_INT("still inside", world.left, 0);
		world.place->done = world.place->allowed = true;     /* an answer that comes just before the client goes */
		exchange_cancel(x);
		CHECK_INT(policies[i / 2], world.left, 1);
		CHECK_INT("how long is not known", world.held_us, i % 2 ? -1 : 0);
		arena_free(a);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
