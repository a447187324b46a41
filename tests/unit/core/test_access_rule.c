/* Access rules: the short form, JSON and YAML, what is refused and with which words. */
#include "tests/unit/check.h"

#include "core/access_rule.h"
#include "core/lru.h"
#include "core/refusal.h"
#include "fcgi/reason.h"

#include <stdlib.h>

static void good(void **state UNUSED)
{
	static const struct {
		const char *label, *written, *shorter;
	} rows[] = {
		{ "one method", "key", "key" },
		{ "blanks do not count", "  key|anonymous  ", "key | anonymous" },
		{ "empty parentheses", "key()", "key" },
		{ "any of all of", "key | jwt(issuer=https://login.example) + cert(ca=partners)",
		  "key | jwt(issuer=https://login.example) + cert(ca=partners)" },
		{ "a list by repetition", "cert(ca=a,ca=b , ca=c)", "cert(ca=a, ca=b, ca=c)" },
		{ "scopes in one text", "jwt(scope=a b)", "jwt(scope=a b)" },
		{ "quotes", "jwt(claim.role=\"a, (b) \\\"c\\\"\")", "jwt(claim.role=\"a, (b) \\\"c\\\"\")" },
		{ "operations", "jwt ; create: scope=w, claim.role=buyer ; list: key | anonymous",
		  "jwt ; create: scope=w, claim.role=buyer ; list: key | anonymous" },
		{ "a semicolon at the end", "key ;", "key" },
		{ "JSON", "{\"anyOf\":[{\"method\":\"key\"},{\"allOf\":[{\"method\":\"jwt\",\"leeway\":5},{\"method\":\"basic\"}]}]}",
		  "key | jwt(leeway=5) + basic" },
		{ "YAML", "anyOf:\n  - method: jwt\n    issuer: https://a.example\n    claims: { role: [x, y] }\n",
		  "jwt(issuer=https://a.example, claim.role=x, claim.role=y)" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 22);
		struct gh_err err = { 0 };
		json_t *v = NULL, *again = NULL;
		gh_rc rc = access_rule_normalise(a, str_of(rows[i].written), &v, &err);

		CHECK_INT(rows[i].label, rc.code, GH_OK);
		CHECK_STR(rows[i].label, rc.code ? str_of(err.message) : access_rule_short(a, v), str_of(rows[i].shorter));
		/* what is stored reads back as itself */
		CHECK_INT(rows[i].label, access_rule_normalise(a, rc.code ? STR("") : jsn_text(a, v, 0), &again, &err).code, GH_OK);
		CHECK(rows[i].label, json_equal(v, again));
		arena_free(a);
	}
	check_done();
}

static void bad(void **state UNUSED)
{
	static const struct {
		const char *label, *written, *says;
	} rows[] = {
		{ "nothing", "", "a method is expected" },
		{ "not UTF-8", "k\xff", "cannot be taken" },
		{ "unknown method", "kez", "did you mean \"key\"" },
		{ "unknown parameter", "jwt(issuer=https://a.example, audiance=x)", "did you mean \"audience\"" },
		{ "a hole", "key | ", "column 6" },
		{ "no value", "jwt(issuer)", "\"=\" and a value" },
		{ "not closed", "jwt(issuer=https://a.example", "\")\"" },
		{ "open quote", "jwt(issuer=\"x", "quotation mark" },
		{ "rubbish behind", "key )", "column 5" },
		{ "no address", "jwt(issuer=login)", "no http or https address" },
		{ "two issuers", "jwt(issuer=https://a.example, issuer=https://b.example)", "one value" },
		{ "keys of somebody", "jwt(key={{k}})", "needs issuer" },
		{ "number", "jwt(leeway=long)", "from 0 to 3600" },
		{ "choice", "client(from=cookie)", "any|headers|basic" },
		{ "claims of a key", "key(claim.x=y)", "there is no parameter" },
		{ "introspection without endpoint", "introspect(scope=a)", "endpoint" },
		{ "unknown member", "{\"anyOf\":[{\"method\":\"key\"}],\"operation\":{}}", "did you mean \"operations\"" },
		{ "no groups", "{\"anyOf\":[]}", "anyOf" },
		{ "nested too deep", "{\"anyOf\":[{\"allOf\":[{\"allOf\":[]}]}]}", "anyOf[0].allOf[0]" },
		{ "reserved header", "{\"anyOf\":[{\"method\":\"key\"}],\"identity\":{\"headers\":{\"Host\":\"id\"}}}", "Host" },
		{ "unknown source", "{\"anyOf\":[{\"method\":\"key\"}],\"identity\":{\"headers\":{\"X-A\":\"ip\"}}}", "source" },
		{ "life of the token", "{\"anyOf\":[{\"method\":\"key\"}],\"identity\":{\"token\":{\"lifetime\":4}}}", "lifetime" },
		{ "bad JSON", "{\"anyOf\":", "line 1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 22);
		struct gh_err err = { 0 };
		json_t *v = NULL;

		CHECK(rows[i].label, access_rule_normalise(a, str_of(rows[i].written), &v, &err).code != GH_OK);
		if (!strstr(err.message, rows[i].says))
			CHECK_STR(rows[i].label, str_of(err.message), str_of(rows[i].says));
		arena_free(a);
	}
	check_done();
}

static void values(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 22);
	struct access_rule r;
	struct gh_err err = { 0 };
	json_t *v;

	assert_int_equal(access_rule_normalise(a, STR("{\"anyOf\":[{\"method\":\"jwt\",\"issuer\":\"https://i.example\","
		"\"scope\":\"a b\",\"audience\":[\"x\",\"y\"],\"claims\":{\"role\":\"r\",\"mail\":true}}],\"profile\":\"anypoint\","
		"\"identity\":{\"headers\":{\"X-Mail\":\"claim:email\"},\"token\":{\"audience\":\"erp\",\"lifetime\":30}}}"), &v, &err).code,
		GH_OK);
	assert_int_equal(access_rule_read(a, v, &r, &err).code, GH_OK);
	CHECK_INT("scopes are split", access_given(&r.groups[0].methods[0], "scope").n, 2);
	CHECK_STR("the second", access_given(&r.groups[0].methods[0], "scope").v[1], STR("b"));
	CHECK_INT("audiences", access_given(&r.groups[0].methods[0], "audience").n, 2);
	CHECK_INT("claims", r.groups[0].methods[0].n_claims, 2);
	CHECK_INT("a claim that must be there", r.groups[0].methods[0].claims[1].values.n, 0);
	CHECK_INT("profile", r.profile, ACCESS_ANYPOINT);
	CHECK_STR("header of the token", r.token_header, STR("X-Consumer-Token"));
	CHECK_INT("its life", r.token_life_s, 30);
	CHECK_INT("a number that is not given", access_number(&r.groups[0].methods[0], "leeway", 7), 7);
	arena_free(a);
	check_done();
}

/* Every refusal has help, and words are unique. */
static void refusals(void **state UNUSED)
{
	static const char *const words[] = {
#define X(name, word, status, message, fix) word,
		ACCESS_REFUSALS(X)
#undef X
	};
	/* what the gateway says (the first, NONE, is no refusal), and its policies: `grep exchange_fail` */
	static const char *const others[] = {
#define X(name, word, status, message) word,
		GATEWAY_REASONS(X)
#undef X
		"ConcurrencyLimitExceeded", "CountersUnavailable", "JwtInvalid", "TokenNotPresent", "TokenSignatureInvalid",
		"TokenSignatureKeyNotFound", "TokenExpired", "TokenIssuerNotAllowed", "TokenAudienceNotAllowed", "TokenClaimNotFound",
		"TokenClaimValueNotAllowed", "HeaderNotFound", "HeaderValueNotAllowed", "CallerIpNotAllowed", "CallerIpBlocked",
		"FailedToParseCallerIP", "ClientCertificateNotFound", "ClientCertificateInvalid", "CertificateNotFound",
		"CertificateInvalid", "ValidationError", "ExpressionValueEvaluationFailure", "LiquidTemplateFailure", "ConversionFailure",
		"TransformationFailure", "StepLimitExceeded", "MemoryLimitExceeded", "BackendConnectionFailure", "Timeout",
		"BackendErrorStatusCode", "BackendNotFound", "TokenAcquisitionFailure", "TokenUnavailable", "AuthorizationNotFound",
		"AuthorizationFailed", "SubjectTokenMissing", "CallbackParameterInvalid", "BodyTooLarge", "HttpsRequired", "ApiRetired",
		"OperationNotFound", "SubscriptionKeyNotFound", "SubscriptionKeyInvalid", "RateLimitExceeded", "QuotaExceeded",
		"sign_in_redirect", "fault_injected", "invalid_client", "invalid_request", "invalid_scope", "unsupported_grant_type",
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		CHECK(words[i], refusal_help(str_of(words[i])).fix.n > 0);
		CHECK_STR(words[i], refusal_help(str_of(words[i])).layer, STR("access"));
		CHECK(words[i], strlen(words[i]) < 48);
		for (size_t k = 0; k < i; k++)
			CHECK(words[i], strcmp(words[i], words[k]) != 0);
	}
	for (size_t i = 1; i < ARRAY_LEN(others); i++) {
		CHECK(others[i], refusal_help(str_of(others[i])).fix.n > 0);
		CHECK(others[i], !str_starts(refusal_help(str_of(others[i])).fix, STR("Look for")));
	}
	CHECK("of a call that went well", !refusal_help(STR("")).fix.n);
	CHECK_STR("of a word that a policy made up", refusal_help(STR("TooEarly")).layer, STR("policy"));
	CHECK("where to look", refusal_help(STR("TooEarly")).fix.n > 0);
	CHECK_STR("of a policy", refusal_help(STR("RateLimitExceeded")).layer, STR("policy"));
	CHECK_STR("of a backend", refusal_help(STR("backend_garbage")).layer, STR("backend"));
	check_done();
}

struct thing {
	struct lru_entry lru;
	bool gone;
};

static void let_go(struct lru_entry *e)
{
	CONTAINER_OF(e, struct thing, lru)->gone = true;
}

static void remembering(void **state UNUSED)
{
	struct thing t[4] = { 0 };
	struct lru_entry *held;
	struct lru l;

	assert_true(lru_init(&l, 2));
	for (unsigned char i = 0; i < 4; i++) {
		t[i].lru = (struct lru_entry){ .digest = { i }, .refs = 1, .release = let_go };
		if (i == 2)
			lru_unref(lru_get(&l, t[0].lru.digest));         /* 0 was used after 1 */
		lru_put(&l, &t[i].lru);
		lru_unref(&t[i].lru);
		if (i == 2)
			CHECK("the one used longest ago goes", t[1].gone && !t[0].gone);
	}
	CHECK("and the next", t[0].gone);
	CHECK_INT("counted", l.evicted, 2);
	held = lru_get(&l, t[3].lru.digest);
	lru_clear(&l);
	CHECK("what is in use stays", !t[3].gone && t[2].gone);
	lru_unref(held);
	CHECK("until it is let go", t[3].gone);
	CHECK("it is not found any more", !lru_get(&l, t[3].lru.digest));
	lru_release(&l);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good), cmocka_unit_test(bad), cmocka_unit_test(values), cmocka_unit_test(refusals),
		cmocka_unit_test(remembering),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
