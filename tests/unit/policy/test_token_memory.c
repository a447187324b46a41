/* Tokens that were verified and are remembered; keys that are fetched beside the calls. */
#include "tests/unit/policy/issuer.h"

#include "core/crypto.h"
#include "policy/verified.h"

enum { KEPT = 4 };

#define BY_PROVIDER "<validate-jwt header-name=\"Authorization\" require-expiration-time=\"false\">" PROVIDER "</validate-jwt>"
#define BY_SECRET "<validate-jwt header-name=\"Authorization\">" KEY "</validate-jwt>"
#define ISSUED "\"iss\":\"https://login.example/t/\",\"tid\":\"t\""

static struct lru table;
static bool strict;                              /* the caller of the next exchanges says X-Strict */

static struct lru *verified(struct exchange *x UNUSED)
{
	return &table;
}

static const struct policy_host with_memory = { .now_us = now_us, .send = send, .sleep = sleep_for, .forward = forward,
						.certificate = certificate, .verified = verified };
static const struct policy_host with_errands = { .now_us = now_us, .send = send, .sleep = sleep_for, .forward = forward,
						 .certificate = certificate, .aside = aside };

/* The reason of the refusal, "signed" when the signature was checked for this call, "remembered" when it was not. */
static const char *outcome(const struct policy_document *d, struct str token)
{
	static char reason[64];
	struct arena *a = arena_new(16 << 20);
	struct exchange *x = exchange_of(a, d, token, NULL);
	const char *how = "signed";

	x->host = &with_memory;
	x->trace_on = true;
	if (strict)
		assert_true(fields_add(&x->request.headers, STR("X-Strict"), STR("1")));
	exchange_start(x);
	for (const struct trace_step *t = x->trace_first; t; t = t->next)
		if (str_find(t->decision, STR("was checked before")) != SIZE_MAX)
			how = "remembered";
	if (x->response.status != 200) {
		snprintf(reason, sizeof(reason), "%.*s", STR_ARG(x->error.reason));
		how = reason;
	}
	arena_free(a);
	return how;
}

#define OUTCOME(label, d, token, want) CHECK_STR(label, str_of(outcome(d, token)), STR(want))

static void remembered(void **state UNUSED)
{
	struct arena *a = arena_new(16 << 20);
	struct policy_diags diags;
	const struct policy_document *d = compile(a, BY_SECRET, &diags), *again, *other, *open;
	struct str token = hs256(a, "{" EXP "}"), bare;

	begin();
	assert_true(lru_init(&table, KEPT));
	OUTCOME("the first time", d, token, "signed");
	OUTCOME("the second time", d, token, "remembered");
	CHECK_INT("one entry", table.n, 1);
	again = compile(a, BY_SECRET, &diags);
	OUTCOME("a document that was replaced", again, token, "signed");
	other = compile(a, "<validate-jwt header-name=\"Authorization\"><issuer-signing-keys><key id=\"s\">"
			   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=</key></issuer-signing-keys></validate-jwt>", &diags);
	OUTCOME("a document with another key", other, token, "TokenSignatureInvalid");
	other = compile(a, "<validate-jwt header-name=\"Authorization\">" KEY "<audiences><audience>a</audience></audiences></validate-jwt>",
			&diags);
	OUTCOME("a refused one is not kept", other, token, "TokenAudienceNotAllowed");
	OUTCOME("nor taken later", other, token, "TokenAudienceNotAllowed");

	bare = arena_printf(a, "%s.%s.", crypto_base64url(a, STR("{\"alg\":\"none\"}")).p, crypto_base64url(a, STR("{" EXP "}")).p);
	open = compile(a, "<validate-jwt header-name=\"Authorization\" require-signed-tokens=\"@(context.Request.Headers.ContainsKey("
			  "&quot;X-Strict&quot;))\">" KEY "</validate-jwt>", &diags);
	OUTCOME("without a signature where that is allowed", open, bare, "signed");
	OUTCOME("the same again", open, bare, "remembered");
	strict = true;
	OUTCOME("where it is not", open, bare, "TokenSignatureInvalid");
	strict = false;

	world.now_us += (int64_t)99 * 1000000;
	OUTCOME("just before its end", again, token, "remembered");
	world.now_us += (int64_t)1000000;
	OUTCOME("its time is over", again, token, "TokenExpired");
	OUTCOME("for good", again, token, "TokenExpired");
	CHECK("an expired one makes room", table.n < 3);

	for (unsigned i = 0; i < 3 * KEPT; i++)
		OUTCOME("one of many", d, hs256(a, arena_printf(a, "{\"exp\":1700009999,\"n\":%u}", i).p), "signed");
	CHECK_INT("no more than there is room for", table.n, KEPT);
	lru_release(&table);
	arena_free(a);
	check_done();
}

static void keys_change(void **state UNUSED)
{
	struct arena *a = arena_new(16 << 20);
	struct policy_diags diags;
	const struct policy_document *d = compile(a, BY_PROVIDER, &diags);
	struct str token, newer;

	begin();
	assert_true(lru_init(&table, KEPT));
	token = by_provider(a, "p1", "{" ISSUED "}");
	OUTCOME("the first time", d, token, "signed");
	OUTCOME("the second time", d, token, "remembered");
	/* the issuer takes its key back; a token of the new one shows us */
	jose_keys_free(world.provider);
	world.provider = jose_keys_new();
	assert_int_equal(jose_keys_generate(world.provider, STR("p2"), JOSE_ES256, NULL).code, GH_OK);
	newer = by_provider(a, "p2", "{" ISSUED "}");
	OUTCOME("as long as nobody knows", d, token, "remembered");
	OUTCOME("a token of the new key", d, newer, "signed");
	OUTCOME("one of the key that is gone", d, token, "TokenSignatureKeyNotFound");
	OUTCOME("the new key's", d, newer, "remembered");
	/* or an hour shows us */
	jose_keys_free(world.provider);
	world.provider = jose_keys_new();
	assert_int_equal(jose_keys_generate(world.provider, STR("p3"), JOSE_ES256, NULL).code, GH_OK);
	world.now_us += (int64_t)OPENID_FRESH_S * 1000000;
	OUTCOME("the hour is over", d, newer, "TokenSignatureKeyNotFound");
	lru_release(&table);
	arena_free(a);
	check_done();
}

/* ---- who fetches ---------------------------------------------------------------------------------------------------------- */

static struct exchange *asked_with(const struct policy_host *h, struct arena *a, const struct policy_document *d, struct str token)
{
	struct exchange *x = exchange_of(a, d, token, NULL);

	x->host = h;
	exchange_start(x);
	return x;
}

/* Whoever fetches goes away without a word. */
static void abandoned(void **state UNUSED)
{
	struct arena *a = arena_new(16 << 20), *gone = arena_new(16 << 20);
	struct policy_diags diags;
	const struct policy_document *d = compile(a, BY_PROVIDER, &diags);
	struct str token;
	struct exchange *x;
	int64_t before;

	begin();
	token = by_provider(a, "p1", "{" ISSUED "}");
	world.wait = true;
	x = asked_with(&host, gone, d, token);
	assert_non_null(world.open);
	exchange_cancel(x);
	arena_free(gone);
	world.wait = false;
	before = world.now_us;
	x = asked_with(&host, a, d, token);
	CHECK_INT("the next one", x->response.status, 200);
	CHECK_INT("fetches at once", world.now_us, before);
	arena_free(a);
	check_done();
}

static void aside_of_calls(void **state UNUSED)
{
	struct arena *a = arena_new(16 << 20), *gone = arena_new(16 << 20);
	struct policy_diags diags;
	const struct policy_document *d = compile(a, BY_PROVIDER, &diags);
	struct str token;
	struct exchange *x;

	begin();
	token = by_provider(a, "p1", "{" ISSUED "}");
	x = asked_with(&with_errands, a, d, token);
	CHECK_INT("what nobody has is waited for", x->response.status, 200);
	CHECK_INT("one fetch", world.key_fetches, 1);

	world.now_us += (int64_t)OPENID_FRESH_S * 1000000;
	x = asked_with(&with_errands, gone, d, token);
	CHECK_INT("what is due is not", x->response.status, 200);
	CHECK("but sent for", world.errand.run != NULL);
	CHECK_INT("not fetched yet", world.key_fetches, 1);
	arena_free(gone);                        /* that call is over long before */
	x = asked_with(&with_errands, a, d, token);
	CHECK_INT("others go on", x->response.status, 200);
	run_errand_now();
	CHECK_INT("once", world.key_fetches, 2);
	x = asked_with(&with_errands, a, d, token);
	CHECK_INT("afterwards", x->response.status, 200);
	CHECK_INT("nobody fetches", world.key_fetches, 2);

	/* a provider that is away: the words of the fetch are told, and it is not asked for each call */
	openid_forget();
	world.failure = CALL_TIMEOUT;
	x = asked_with(&with_errands, a, d, token);
	CHECK_STR("no keys", x->error.reason, STR("TokenSignatureKeyNotFound"));
	CHECK("why", str_find(x->error.message, STR("could not be fetched: refused")) != SIZE_MAX);
	CHECK_INT("two were asked for in all, and one failed", world.discoveries, 3);
	asked_with(&with_errands, a, d, token);
	CHECK_INT("not at once again", world.discoveries, 3);
	arena_free(a);
	check_done();
}

static int clean(void **state UNUSED)
{
	openid_forget();
	jose_keys_free(world.provider);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remembered), cmocka_unit_test(keys_change), cmocka_unit_test(abandoned), cmocka_unit_test(aside_of_calls),
	};

	return cmocka_run_group_tests_name("policy/token_memory", tests, NULL, clean);
}
