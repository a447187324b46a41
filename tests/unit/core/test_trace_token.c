/* The debug credential: what is signed is honoured for its time and its subscription, everything else is refused. */
#include "tests/unit/check.h"

#include "core/trace_token.h"

#include <string.h>

enum { NOW = 1800000000 };

static const uint8_t master[CRYPTO_KEY_BYTES] = { 1, 2, 3 };

static struct str made(struct arena *a, const uint8_t key[CRYPTO_KEY_BYTES], struct str sub, int64_t expires_s)
{
	const struct trace_claims claims = { .expires_s = expires_s, .subscription = sub, .admin = sub.n == 0 };
	struct str out = STR_NULL;
	struct gh_err err;

	assert_int_equal(trace_token_make(a, key, &claims, &out, &err).code, GH_OK);
	return out;
}

static enum trace_token_result check(struct arena *a, const uint8_t key[CRYPTO_KEY_BYTES], struct str token, struct str subscription)
{
	const struct trace_call call = { .subscription = subscription };

	return trace_token_check(a, key, token, NOW, &call, NULL);
}

static void claims(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str sub;
		int64_t expires_s;
		struct str call;
		enum trace_token_result want;
	} rows[] = {
		{ "own subscription", STR_INIT("s1"), NOW + 60, STR_INIT("s1"), TRACE_TOKEN_OK },
		{ "another subscription", STR_INIT("s1"), NOW + 60, STR_INIT("s2"), TRACE_TOKEN_OTHER },
		{ "a longer id", STR_INIT("s1"), NOW + 60, STR_INIT("s11"), TRACE_TOKEN_OTHER },
		{ "a call without one", STR_INIT("s1"), NOW + 60, { NULL, 0 }, TRACE_TOKEN_OTHER },
		{ "administrator", { NULL, 0 }, NOW + 60, STR_INIT("s2"), TRACE_TOKEN_OK },
		{ "administrator, no subscription", { NULL, 0 }, NOW + 60, { NULL, 0 }, TRACE_TOKEN_OK },
		{ "last second", STR_INIT("s1"), NOW + 1, STR_INIT("s1"), TRACE_TOKEN_OK },
		{ "just expired", STR_INIT("s1"), NOW, STR_INIT("s1"), TRACE_TOKEN_EXPIRED },
		{ "expired administrator", { NULL, 0 }, NOW - 1, STR_INIT("s1"), TRACE_TOKEN_EXPIRED },
		{ "an hour", STR_INIT("s1"), NOW + 3600, STR_INIT("s1"), TRACE_TOKEN_OK },
		{ "more than an hour", STR_INIT("s1"), NOW + 3601, STR_INIT("s1"), TRACE_TOKEN_TOO_LONG },
		{ "quotes in the id", STR_INIT("s\"1\\"), NOW + 60, STR_INIT("s\"1\\"), TRACE_TOKEN_OK },
	};
	struct arena *a = arena_new(1 << 20);
	uint8_t key[CRYPTO_KEY_BYTES];

	trace_token_key(master, key);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str token = made(a, key, rows[i].sub, rows[i].expires_s);

		CHECK_INT(rows[i].label, check(a, key, token, rows[i].call), rows[i].want);
	}
	arena_free(a);
	check_done();
}

static void of_an_api_and_of_refused_calls(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct trace_claims token;
		struct trace_call call;
		enum trace_token_result want;
	} rows[] = {
		{ "its API", { .admin = true, .api = STR_INIT("orders") }, { .api = STR_INIT("orders") }, TRACE_TOKEN_OK },
		{ "another API", { .admin = true, .api = STR_INIT("orders") }, { .api = STR_INIT("prices") }, TRACE_TOKEN_OTHER_API },
		{ "no API at all", { .admin = true, .api = STR_INIT("orders") }, { .refused = true }, TRACE_TOKEN_OTHER_API },
		{ "its API, another subscription", { .subscription = STR_INIT("s1"), .api = STR_INIT("orders") },
		  { .subscription = STR_INIT("s2"), .api = STR_INIT("orders") }, TRACE_TOKEN_OTHER },
		{ "refused, whose is not known", { .subscription = STR_INIT("s1") }, { .refused = true }, TRACE_TOKEN_OK },
		{ "refused, its own", { .subscription = STR_INIT("s1") }, { .refused = true, .subscription = STR_INIT("s1") }, TRACE_TOKEN_OK },
		{ "refused, of another", { .subscription = STR_INIT("s1") }, { .refused = true, .subscription = STR_INIT("s2") }, TRACE_TOKEN_OTHER },
		{ "let in without a key", { .subscription = STR_INIT("s1") }, { .refused = false }, TRACE_TOKEN_OTHER },
	};
	struct arena *a = arena_new(1 << 20);
	uint8_t key[CRYPTO_KEY_BYTES];

	trace_token_key(master, key);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct trace_claims claims = rows[i].token, read;
		struct str token;

		claims.expires_s = NOW + 60;
		CHECK(rows[i].label, !trace_token_make(a, key, &claims, &token, NULL).code);
		CHECK_INT(rows[i].label, trace_token_check(a, key, token, NOW, &rows[i].call, &read), rows[i].want);
		CHECK_STR(rows[i].label, read.api, claims.api);
	}
	arena_free(a);
	check_done();
}

static void damage(void **state UNUSED)
{
	struct arena *a = arena_new(16 << 20);
	uint8_t key[CRYPTO_KEY_BYTES], other[CRYPTO_KEY_BYTES], other_master[CRYPTO_KEY_BYTES] = { 1, 2, 4 };
	struct str token, forged, claim;
	char *p;

	trace_token_key(master, key);
	trace_token_key(other_master, other);
	assert_memory_not_equal(key, master, sizeof(key));
	token = made(a, key, STR("s1"), NOW + 60);
	CHECK_INT("other key", check(a, other, token, STR("s1")), TRACE_TOKEN_FORGED);
	for (size_t n = 0; n < token.n; n++)
		CHECK("cut", check(a, key, str_first(token, n), STR("s1")) != TRACE_TOKEN_OK);
	for (size_t i = 0; i < token.n; i++) {
		struct str copy = arena_dup(a, token);

		p = (char *)(uintptr_t)copy.p;
		p[i] = p[i] == 'A' ? 'B' : 'A';
		CHECK("one character changed", check(a, key, copy, STR("s1")) != TRACE_TOKEN_OK);
	}
	claim = crypto_base64url(a, STR("{\"v\":1,\"exp\":1800000060,\"sub\":null,\"admin\":true}"));
	forged = arena_printf(a, "%.*s%.*s", STR_ARG(claim), STR_ARG(str_from(token, str_find_char(token, '.'))));
	CHECK_INT("signature of other claims", check(a, key, forged, STR("s1")), TRACE_TOKEN_FORGED);
	forged = arena_printf(a, "%.*s.", STR_ARG(claim));
	CHECK_INT("no signature", check(a, key, forged, STR("s1")), TRACE_TOKEN_FORGED);
	forged = arena_printf(a, "%.*s.x", STR_ARG(token));
	CHECK_INT("something behind", check(a, key, forged, STR("s1")), TRACE_TOKEN_MALFORMED);
	CHECK_INT("nothing", check(a, key, STR(""), STR("s1")), TRACE_TOKEN_MALFORMED);
	p = arena_alloc_text(a, 5000);
	memset(p, 'A', 5000);
	p[100] = '.';
	CHECK_INT("too long", check(a, key, (struct str){ p, 5000 }, STR("s1")), TRACE_TOKEN_MALFORMED);
	arena_free(a);
	check_done();
}

static void refused(void **state UNUSED)
{
	const struct trace_claims none = { .expires_s = NOW + 60 };
	const struct trace_claims both = { .expires_s = NOW + 60, .subscription = STR("s1"), .admin = true };
	struct arena *a = arena_new(1 << 20);
	struct trace_claims longest = { .expires_s = NOW + 60 };
	uint8_t key[CRYPTO_KEY_BYTES];
	char *p = arena_alloc_text(a, 2000);
	struct str out;

	trace_token_key(master, key);
	memset(p, 's', 2000);
	longest.subscription = (struct str){ p, 2000 };
	CHECK_INT("for nobody", trace_token_make(a, key, &none, &out, NULL).code, GH_E_INVALID);
	CHECK_INT("for one and all", trace_token_make(a, key, &both, &out, NULL).code, GH_E_INVALID);
	CHECK_INT("long id", trace_token_make(a, key, &longest, &out, NULL).code, GH_E_INVALID);
	longest.subscription.n = 800;
	CHECK_INT("id that encodes too long", trace_token_make(a, key, &longest, &out, NULL).code, GH_E_INVALID);
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims), cmocka_unit_test(of_an_api_and_of_refused_calls), cmocka_unit_test(damage), cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
