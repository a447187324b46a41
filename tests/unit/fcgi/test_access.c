/* Access: where the key stands, what it is good for, what the client reads, the cache and how it is forgotten. */
#include "tests/unit/fcgi/configuration.h"

#include "core/clock.h"
#include "fcgi/access.h"

static const char *const items[] = { "GET /items", NULL };
static const int64_t now = 1800000000000000;
static struct access_cache *cache;

static void add_product(const char *id, bool required, bool published)
{
	struct store_product p = { .id = str_of(id), .name = str_of(id), .subscription_required = required,
				   .state = published ? STORE_PRODUCT_PUBLISHED : STORE_PRODUCT_DRAFT };

	OK(store_product_create(store, &p, &err));
}

static void subscribe(const char *key, const struct store_subscription *sub)
{
	struct store_keys keys = { .primary = str_of(key), .secondary = arena_printf(arena, "%s-second", key) };

	OK(store_subscription_create(store, arena, sub, &keys, NULL, NULL, &err));
}

static void make_subscriptions(void)
{
	static const struct {
		const char *key;
		struct store_subscription sub;
	} rows[] = {
		{ "key-of-gold-123456", { .scope = STORE_SCOPE_PRODUCT, .product_id = STR_INIT("gold"), .state = STORE_SUB_ACTIVE } },
		{ "key-of-other-12345", { .scope = STORE_SCOPE_PRODUCT, .product_id = STR_INIT("other"), .state = STORE_SUB_ACTIVE } },
		{ "key-of-one-api-123", { .scope = STORE_SCOPE_API, .api_id = STR_INIT("closed"), .state = STORE_SUB_ACTIVE } },
		{ "key-of-everything1", { .scope = STORE_SCOPE_ALL_APIS, .state = STORE_SUB_ACTIVE } },
		{ "key-suspended-1234", { .scope = STORE_SCOPE_ALL_APIS, .state = STORE_SUB_SUSPENDED } },
		{ "key-submitted-1234", { .scope = STORE_SCOPE_ALL_APIS, .state = STORE_SUB_SUBMITTED } },
		{ "key-rejected-12345", { .scope = STORE_SCOPE_ALL_APIS, .state = STORE_SUB_REJECTED } },
		{ "key-cancelled-1234", { .scope = STORE_SCOPE_ALL_APIS, .state = STORE_SUB_CANCELLED } },
		{ "key-expired-123456", { .scope = STORE_SCOPE_ALL_APIS, .state = STORE_SUB_EXPIRED } },
		{ "key-ended-12345678", { .scope = STORE_SCOPE_ALL_APIS, .state = STORE_SUB_ACTIVE, .ends_us = now } },
		{ "key-not-ended-1234", { .scope = STORE_SCOPE_ALL_APIS, .state = STORE_SUB_ACTIVE, .ends_us = now + 1 } },
		{ "key-tomorrow-12345", { .scope = STORE_SCOPE_ALL_APIS, .state = STORE_SUB_ACTIVE, .starts_us = now + 1 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store_subscription sub = rows[i].sub;

		sub.id = sub.name = str_of(rows[i].key + 4);
		subscribe(rows[i].key, &sub);
	}
}

static int configure(void **state)
{
	struct access_options o = { .cache_entries = 16, .unknown_entries = 16 };
	struct store_api api;

	configuration_begin(state);
	change_begin();
	add_product("gold", true, true);
	add_product("other", true, true);
	add_product("open", false, true);
	add_product("open-draft", false, false);
	api = api_of("closed", "closed");
	api.subscription_required = true;
	add_api(&api, items);
	api = api_of("half", "half");
	api.subscription_required = true;
	api.key_header = STR("X-Partner-Key");
	api.key_query = STR("partner");
	add_api(&api, items);
	api = api_of("free", "free");
	add_api(&api, items);
	api = api_of("drafty", "drafty");
	api.subscription_required = true;
	add_api(&api, items);
	OK(store_product_add_api(store, STR("gold"), STR("closed"), &err));
	OK(store_product_add_api(store, STR("open"), STR("half"), &err));
	OK(store_product_add_api(store, STR("open-draft"), STR("drafty"), &err));
	make_subscriptions();
	change_end();
	build_snapshot();
	OK(access_cache_new(state_dir, &o, &cache, &err));
	return 0;
}

static int unconfigure(void **state)
{
	access_cache_free(cache);
	return configuration_end(state);
}

static const struct snap_api *api_at(const char *path)
{
	struct route_request rq = { .method = STR("GET"), .path = str_of(path) };
	struct route r;

	assert_true(route_find(snapshot, arena, &rq, &r, NULL) && r.api);
	return r.api;
}

static struct access check(struct arena *a, const char *path, const char *header, const char *value, const char *query)
{
	struct fields headers;
	struct access_request rq = { .api = api_at(path), .headers = &headers, .query = str_of(query), .scheme = STR("https"),
				     .host = STR("gw.example:8443"), .now_us = now };
	struct access out;

	fields_init(&headers, a);
	if (header)
		assert_true(fields_add(&headers, str_of(header), str_of(value)));
	assert_true(access_check(cache, snapshot, a, &rq, &out));
	return out;
}

#define KEY "Ocp-Apim-Subscription-Key"

static void decisions(void **state UNUSED)
{
	static const struct {
		const char *label, *path, *header, *value, *query;
		enum access_result want;
		const char *product, *reason;
	} rows[] = {
		{ "no key", "/closed", NULL, NULL, NULL, ACCESS_KEY_MISSING, NULL, "key_missing" },
		{ "empty key", "/closed", KEY, "", NULL, ACCESS_KEY_MISSING, NULL, "key_missing" },
		{ "empty key in the query", "/closed", NULL, NULL, "subscription-key=", ACCESS_KEY_MISSING, NULL, "key_missing" },
		{ "product's key", "/closed", KEY, "key-of-gold-123456", NULL, ACCESS_GRANTED, "gold", NULL },
		{ "header's case", "/closed", "ocp-apim-SUBSCRIPTION-key", "key-of-gold-123456", NULL, ACCESS_GRANTED, "gold", NULL },
		{ "second header", "/closed", "X-API-Key", "key-of-gold-123456", NULL, ACCESS_GRANTED, "gold", NULL },
		{ "query", "/closed", NULL, NULL, "a=1&subscription-key=key-of-gold-123456", ACCESS_GRANTED, "gold", NULL },
		{ "query, escaped", "/closed", NULL, NULL, "subscription%2Dkey=key%2dof-gold-123456", ACCESS_GRANTED, "gold", NULL },
		{ "secondary", "/closed", KEY, "key-of-gold-123456-second", NULL, ACCESS_GRANTED, "gold", NULL },
		{ "blanks around it", "/closed", KEY, " key-of-gold-123456 ", NULL, ACCESS_GRANTED, "gold", NULL },
		{ "header before query", "/closed", KEY, "wrong", "subscription-key=key-of-gold-123456", ACCESS_KEY_INVALID, NULL,
		  "key_invalid" },
		{ "nobody's", "/closed", KEY, "key-of-gold-123457", NULL, ACCESS_KEY_INVALID, NULL, "key_invalid" },
		{ "other case", "/closed", KEY, "KEY-OF-GOLD-123456", NULL, ACCESS_KEY_INVALID, NULL, "key_invalid" },
		{ "another product's", "/closed", KEY, "key-of-other-12345", NULL, ACCESS_KEY_WRONG_SCOPE, NULL, "key_wrong_scope" },
		{ "the API's", "/closed", KEY, "key-of-one-api-123", NULL, ACCESS_GRANTED, NULL, NULL },
		{ "another API's", "/drafty", KEY, "key-of-one-api-123", NULL, ACCESS_KEY_WRONG_SCOPE, NULL, "key_wrong_scope" },
		{ "for everything", "/drafty", KEY, "key-of-everything1", NULL, ACCESS_GRANTED, NULL, NULL },
		{ "suspended", "/closed", KEY, "key-suspended-1234", NULL, ACCESS_KEY_SUSPENDED, NULL, "key_suspended" },
		{ "submitted", "/closed", KEY, "key-submitted-1234", NULL, ACCESS_KEY_PENDING, NULL, "key_pending" },
		{ "rejected", "/closed", KEY, "key-rejected-12345", NULL, ACCESS_KEY_CANCELLED, NULL, "key_cancelled" },
		{ "cancelled", "/closed", KEY, "key-cancelled-1234", NULL, ACCESS_KEY_CANCELLED, NULL, "key_cancelled" },
		{ "expired", "/closed", KEY, "key-expired-123456", NULL, ACCESS_KEY_EXPIRED, NULL, "key_expired" },
		{ "ends now", "/closed", KEY, "key-ended-12345678", NULL, ACCESS_KEY_EXPIRED, NULL, "key_expired" },
		{ "ends in a moment", "/closed", KEY, "key-not-ended-1234", NULL, ACCESS_GRANTED, NULL, NULL },
		{ "begins in a moment", "/closed", KEY, "key-tomorrow-12345", NULL, ACCESS_KEY_NOT_STARTED, NULL, "key_not_started" },
		{ "open product", "/half", NULL, NULL, NULL, ACCESS_OPEN, "open", NULL },
		{ "open product, but a wrong key", "/half", "X-Partner-Key", "wrong", NULL, ACCESS_KEY_INVALID, NULL, "key_invalid" },
		{ "a name of its own", "/half", "X-Partner-Key", "key-of-everything1", NULL, ACCESS_GRANTED, NULL, NULL },
		{ "a name of its own in the query", "/half", NULL, NULL, "partner=key-of-everything1", ACCESS_GRANTED, NULL, NULL },
		{ "then the usual one is not looked at", "/half", KEY, "wrong", NULL, ACCESS_OPEN, "open", NULL },
		{ "open product that is a draft", "/drafty", NULL, NULL, NULL, ACCESS_KEY_MISSING, NULL, "key_missing" },
		{ "free API", "/free", NULL, NULL, NULL, ACCESS_OPEN, NULL, NULL },
		{ "free API with a wrong key", "/free", KEY, "wrong", NULL, ACCESS_OPEN, NULL, NULL },
		{ "free API with a key", "/free", KEY, "key-of-everything1", NULL, ACCESS_GRANTED, NULL, NULL },
	};

	for (int twice = 0; twice < 2; twice++) {    /* the second time from the cache */
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct access got = check(arena, rows[i].path, rows[i].header, rows[i].value, rows[i].query);

			CHECK_INT(rows[i].label, got.result, rows[i].want);
			CHECK_STR(rows[i].label, got.product ? got.product->ctx.id : STR_NULL, str_of(rows[i].product));
			CHECK_STR(rows[i].label, str_of(access_reason(got.result)), str_of(rows[i].reason));
			CHECK_INT(rows[i].label, got.status, rows[i].reason ? 401 : 0);
			CHECK(rows[i].label, (got.subscription != NULL) == (rows[i].want == ACCESS_GRANTED));
		}
	}
	check_done();
}

static void texts(void **state UNUSED)
{
	struct access missing = check(arena, "/closed", NULL, NULL, NULL), invalid = check(arena, "/half", "X-Partner-Key", "x", NULL);
	struct access good = check(arena, "/closed", KEY, "key-of-gold-123456", NULL);

	CHECK_STR("reason phrase", missing.status_reason, STR("Access Denied"));
	CHECK_STR("missing", missing.message,
		  STR("Access denied due to missing subscription key. Make sure to include subscription key when making requests to "
		      "an API."));
	CHECK_STR("invalid", invalid.message,
		  STR("Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription."));
	CHECK_STR("challenge", missing.challenge,
		  STR("AzureApiManagementKey realm=\"https://gw.example:8443/closed\",name=\"Ocp-Apim-Subscription-Key\","
		      "type=\"header\""));
	CHECK("challenge names the API's header", str_find(invalid.challenge, STR(",name=\"X-Partner-Key\",")) != SIZE_MAX);
	CHECK_STR("LastError", missing.error_reason, STR("SubscriptionKeyNotFound"));
	CHECK_STR("LastError", missing.error_message,
		  STR("Access denied due to missing subscription key. Make sure to include subscription key when making requests to "
		      "this API."));
	CHECK_STR("LastError", invalid.error_reason, STR("SubscriptionKeyInvalid"));
	CHECK_STR("subscription", good.subscription->id, STR("of-gold-123456"));
	CHECK_STR("key", good.subscription->key, STR("key-of-gold-123456"));
	CHECK_STR("prefix", good.key_prefix, STR("key-of"));
	check_done();
}

static void stripping(void **state UNUSED)
{
	struct str query = STR("a=1&subscription-key=k&Subscription-Key=l&b=2");
	struct fields headers;

	fields_init(&headers, arena);
	assert_true(fields_add(&headers, STR("Accept"), STR("x")) && fields_add(&headers, STR("X-API-KEY"), STR("k"))
		    && fields_add(&headers, STR(KEY), STR("k")) && fields_add(&headers, STR(KEY), STR("l")));
	assert_true(access_strip(api_at("/closed"), arena, &headers, &query));
	CHECK_INT("fields", headers.n, 1);
	CHECK_STR("query", query, STR("a=1&b=2"));
	query = STR("subscription-key=k&partner=p");
	assert_true(fields_add(&headers, STR("x-partner-key"), STR("k")) && fields_add(&headers, STR("X-Api-Key"), STR("backend's")));
	assert_true(access_strip(api_at("/half"), arena, &headers, &query));
	CHECK_STR("own name in the query", query, STR("subscription-key=k"));
	CHECK_INT("own name; a field of another meaning stays", headers.n, 2);
	check_done();
}

static void caching(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	struct access held;
	char key[32];

	check(a, "/closed", KEY, "key-of-gold-123456", NULL);
	CHECK_INT("asked once", access_stats(cache).lookups, 1);
	check(a, "/closed", KEY, "key-of-gold-123456", NULL);
	CHECK_INT("remembered", access_stats(cache).lookups, 1);
	CHECK_INT("hit", access_stats(cache).hits, 1);
	for (int i = 0; i < 1000; i++) {             /* somebody guesses */
		snprintf(key, sizeof(key), "guess-%d", i);
		check(a, "/closed", KEY, key, NULL);
	}
	CHECK_INT("guesses are looked up", access_stats(cache).lookups, 1001);
	check(a, "/closed", KEY, "guess-999", NULL);
	CHECK_INT("the last ones are remembered", access_stats(cache).unknown_hits, 1);
	check(a, "/closed", KEY, "key-of-gold-123456", NULL);
	CHECK_INT("a good key is not pushed out by them", access_stats(cache).lookups, 1001);

	held = check(a, "/closed", KEY, "key-of-gold-123456", NULL);
	change_begin();
	OK(store_subscription_set_state(store, STR("of-gold-123456"), STORE_SUB_SUSPENDED, STR(""), &err));
	change_end();
	CHECK_INT("a change is seen at once", check(a, "/closed", KEY, "key-of-gold-123456", NULL).result, ACCESS_KEY_SUSPENDED);
	CHECK_STR("an exchange keeps what it has", held.subscription->id, STR("of-gold-123456"));
	arena_free(a);
	check_done();
}

static void users(void **state UNUSED)
{
	struct store_user u = { .email = STR("ann@example.com"), .first_name = STR("Ann"), .last_name = STR("B"),
				.role = STR("developer"), .state = STORE_USER_ACTIVE };
	struct store_subscription sub = { .id = STR("anns"), .name = STR("anns"), .scope = STORE_SCOPE_ALL_APIS,
					  .state = STORE_SUB_ACTIVE };
	struct access got;

	change_begin();
	OK(store_user_create(store, arena, &u, &sub.user_id, &err));
	subscribe("key-of-ann-1234567", &sub);
	change_end();
	got = check(arena, "/closed", KEY, "key-of-ann-1234567", NULL);
	assert_non_null(got.user);
	CHECK_STR("mail", got.user->email, STR("ann@example.com"));
	CHECK_STR("name", got.user->first_name, STR("Ann"));
	CHECK_INT("no groups unless asked for", got.user->n_groups, 0);
	CHECK("no second key unless asked for", str_is_null(got.subscription->secondary_key));
	snapshot->uses_keys = snapshot->uses_groups = true;
	got = check(arena, "/closed", KEY, "key-of-ann-1234567", NULL);
	CHECK_STR("second key", got.subscription->secondary_key, STR("key-of-ann-1234567-second"));
	u.id = sub.user_id;
	u.state = STORE_USER_BLOCKED;
	change_begin();
	OK(store_user_update(store, &u, &err));
	change_end();
	got = check(arena, "/closed", KEY, "key-of-ann-1234567", NULL);
	CHECK_INT("blocked", got.result, ACCESS_USER_BLOCKED);
	check_done();
}

static void hit_cost(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 16);
	int64_t start = clock_mono_us();

	for (int i = 0; i < 20000; i++) {
		arena_reset(a);
		check(a, "/closed", KEY, "key-of-gold-123456", NULL);
	}
	printf("# route and check of a known key: %lld ns\n", (long long)(clock_mono_us() - start) / 20);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(decisions, configure, unconfigure),
		cmocka_unit_test_setup_teardown(texts, configure, unconfigure),
		cmocka_unit_test_setup_teardown(stripping, configure, unconfigure),
		cmocka_unit_test_setup_teardown(caching, configure, unconfigure),
		cmocka_unit_test_setup_teardown(users, configure, unconfigure),
		cmocka_unit_test_setup_teardown(hit_cost, configure, unconfigure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
