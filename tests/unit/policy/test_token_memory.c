/* Tokens that were verified and are remembered; keys that are fetched beside the calls. */
#include "tests/unit/policy/issuer.h"

#include "core/crypto.h"
#include "policy/verified.h"

enum { KEPT = 4 };

#define BY_PROVIDER "<validate-jwt header-name=\"Authorization\" require-expiration-time=\"false\">" PROVIDER "</validate-jwt>"
#define BY_SECRET "<validate-jwt header-name=\"Authorization\">" KEY "</validate-jwt>"
#define ISSUED "\"iss\":\"https://login.example/t/\",\"tid\":\"t\""

static struct lru table, kept;                   /* tokens; what policies found of them */
static bool strict;                              /* the caller of the next exchanges says X-Strict */

static struct lru *verified(struct exchange *x UNUSED)
{
	return &table;
}

static struct lru *verdicts(struct exchange *x UNUSED)
{
	return &kept;
}

static const struct policy_host with_verdicts = { .now_us = now_us, .send = send, .sleep = sleep_for, .forward = forward,
						  .certificate = certificate, .verified = verified, .verdicts = verdicts };
static const struct policy_host with_memory = { .now_us = now_us, .send = send, .sleep = sleep_for, .forward = forward,
						.certificate = certificate, .verified = verified };
static const struct policy_host with_errands = { .now_us = now_us, .send = send, .sleep = sleep_for, .forward = forward,
						 .certificate = certificate, .aside = aside };

/* The reason of the refusal, "signed" when the signature was checked for this call, "remembered" when it was not. */
static const char *outcome(const struct policy_document *d, struct str token, const struct policy_host *h)
{
	static char reason[64];
	struct arena *a = arena_new(16 << 20);
	struct exchange *x = exchange_of(a, d, token, NULL);
	const char *how = "signed";

	x->host = h;
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

#define OUTCOME(label, d, token, want) CHECK_STR(label, str_of(outcome(d, token, &with_memory)), STR(want))
/* Of a token that nobody has verified: "remembered" says that the verdict was. */
#define VERDICT(label, d, token, want)                                                                  \
	do {                                                                                            \
		lru_clear(&table);                                                                      \
		CHECK_STR(label, str_of(outcome(d, token, &with_verdicts)), STR(want));                 \
	} while (0)

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

/* ---- verdicts ----------------------------------------------------------------------------------------------------------- */

#define CLAIMS(value) "<required-claims><claim name=\"role\"><value>" value "</value></claim></required-claims>"
#define BY_ROLE(value) "<validate-jwt header-name=\"Authorization\">" KEY CLAIMS(value) "</validate-jwt>"

static void begin_verdicts(void)
{
	begin();
	assert_true(lru_init(&table, KEPT) && lru_init(&kept, KEPT));
}

static void end_verdicts(struct arena *a)
{
	lru_release(&table);
	lru_release(&kept);
	arena_free(a);
	check_done();
}

static void verdicts_of_policies(void **state UNUSED)
{
	struct arena *a = arena_new(16 << 20);
	struct policy_diags diags;
	const struct policy_document *d = compile(a, BY_ROLE("clerk"), &diags), *other;
	struct str token = hs256(a, "{" EXP ",\"role\":\"clerk\",\"nbf\":1699999990}"), torn;

	begin_verdicts();
	VERDICT("the first time", d, token, "signed");
	VERDICT("the second time", d, token, "remembered");
	torn = arena_dup(a, token);
	((char *)(uintptr_t)torn.p)[torn.n - 5] = torn.p[torn.n - 5] == 'A' ? 'B' : 'A';
	VERDICT("nearly the same token", d, torn, "TokenSignatureInvalid");
	other = compile(a, BY_ROLE("chief"), &diags);
	VERDICT("a policy that wants another role", other, token, "TokenClaimValueNotAllowed");
	VERDICT("nor the next time", other, token, "TokenClaimValueNotAllowed");
	VERDICT("the same document, compiled anew", compile(a, BY_ROLE("clerk"), &diags), token, "signed");
	VERDICT("and the first one still", d, token, "remembered");
	VERDICT("a token without the role", d, hs256(a, "{" EXP "}"), "TokenClaimNotFound");
	world.now_us -= (int64_t)11 * 1000000;
	VERDICT("before its time", d, token, "JwtInvalid");
	world.now_us += (int64_t)110 * 1000000;
	VERDICT("just before its end", d, token, "remembered");
	world.now_us += (int64_t)1000000;
	VERDICT("its time is over", d, token, "TokenExpired");
	for (unsigned i = 0; i < 3 * KEPT; i++)
		VERDICT("one of many", d, hs256(a, arena_printf(a, "{\"exp\":1700009999,\"role\":\"clerk\",\"n\":%u}", i).p), "signed");
	CHECK_INT("no more than there is room for", kept.n, KEPT);
	end_verdicts(a);
}

static void verdicts_that_depend(void **state UNUSED)
{
#define ASKED(what) "@(context.Request.Headers.ContainsKey(&quot;X-Strict&quot;) ? &quot;" what "&quot; : &quot;clerk&quot;)"
	static const struct { const char *label, *element, *refusal; } rows[] = {
		{ "a value", BY_ROLE(ASKED("chief")), "TokenClaimValueNotAllowed" },
		{ "the name of a claim", "<validate-jwt header-name=\"Authorization\">" KEY "<required-claims><claim name=\"@(context.Request"
		  ".Headers.ContainsKey(&quot;X-Strict&quot;) ? &quot;place&quot; : &quot;role&quot;)\"><value>clerk</value></claim>"
		  "</required-claims></validate-jwt>", "TokenClaimNotFound" },
		{ "an audience", "<validate-jwt header-name=\"Authorization\">" KEY "<audiences><audience>" ASKED("x") "</audience></audiences>"
		  "</validate-jwt>", "TokenAudienceNotAllowed" },
		{ "an issuer", "<validate-jwt header-name=\"Authorization\">" KEY "<issuers><issuer>" ASKED("x") "</issuer></issuers>"
		  "</validate-jwt>", "TokenIssuerNotAllowed" },
		{ "the tolerance", "<validate-jwt header-name=\"Authorization\" clock-skew=\"@(context.Request.Headers.ContainsKey("
		  "&quot;X-Strict&quot;) ? 0 : 60)\">" KEY "</validate-jwt>", "TokenExpired" },
	};
	struct arena *a = arena_new(16 << 20);
	struct policy_diags diags;
	struct str token = hs256(a, "{\"exp\":1699999990,\"role\":\"clerk\",\"aud\":\"clerk\",\"iss\":\"clerk\"}"),
		   fresh = hs256(a, "{" EXP ",\"role\":\"clerk\",\"aud\":\"clerk\",\"iss\":\"clerk\"}");

	begin_verdicts();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct policy_document *d = compile(a, rows[i].element, &diags);
		struct str one = i + 1 < ARRAY_LEN(rows) ? fresh : token;

		assert_non_null(d);
		VERDICT(rows[i].label, d, one, "signed");
		strict = true;
		CHECK_STR(rows[i].label, str_of(outcome(d, one, &with_verdicts)), str_of(rows[i].refusal));
		strict = false;
	}
	CHECK_INT("nothing is kept of them", kept.n, 0);
	end_verdicts(a);
}

static void verdicts_with_keys(void **state UNUSED)
{
	struct arena *a = arena_new(16 << 20);
	struct policy_diags diags;
	const struct policy_document *d = compile(a, BY_PROVIDER, &diags);
	struct str token;

	begin_verdicts();
	token = by_provider(a, "p1", "{" ISSUED "}");
	VERDICT("the first time", d, token, "signed");
	VERDICT("the second time", d, token, "remembered");
	world.now_us += (int64_t)OPENID_SETTLED_S * 1000000;
	VERDICT("the provider is looked at now and then", d, token, "signed");
	VERDICT("and again not", d, token, "remembered");
	CHECK_INT("it is not asked for that", world.key_fetches, 1);
	jose_keys_free(world.provider);
	world.provider = jose_keys_new();
	assert_int_equal(jose_keys_generate(world.provider, STR("p2"), JOSE_ES256, NULL).code, GH_OK);
	VERDICT("a token of a new key shows us new keys", d, by_provider(a, "p2", "{" ISSUED "}"), "signed");
	VERDICT("then one of the key that is gone is refused at once", d, token, "TokenSignatureKeyNotFound");
	end_verdicts(a);
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
		cmocka_unit_test(verdicts_of_policies), cmocka_unit_test(verdicts_that_depend), cmocka_unit_test(verdicts_with_keys),
		cmocka_unit_test(remembered), cmocka_unit_test(keys_change), cmocka_unit_test(abandoned), cmocka_unit_test(aside_of_calls),
	};

	return cmocka_run_group_tests_name("policy/token_memory", tests, NULL, clean);
}
