/* validate-jwt and validate-azure-ad-token: where the token is, keys and providers, claims, and what is told when not. */
#include "tests/unit/policy/issuer.h"

#include "core/crypto.h"
#include "tests/unit/policy/pki.h"

#define JWT(attrs, inside) "<validate-jwt header-name=\"Authorization\" " attrs ">" KEY inside "</validate-jwt>"
#define CLAIM(attrs, values) "<required-claims><claim " attrs ">" values "</claim></required-claims>"

static void verdicts(void **state UNUSED)
{
	static const struct {
		const char *label, *policy, *before, *claims;
		int status;
		const char *reason, *message, *client;
	} rows[] = {
		{ "good", JWT("", ""), "Bearer ", "{" EXP "}", 200, NULL, NULL, NULL },
		{ "without a scheme", JWT("", ""), "", "{" EXP "}", 200, NULL, NULL, NULL },
		{ "the scheme that is asked for", JWT("require-scheme=\"Bearer\"", ""), "bearer ", "{" EXP "}", 200, NULL, NULL, NULL },
		{ "another scheme", JWT("require-scheme=\"Bearer\"", ""), "Basic ", "{" EXP "}", 401, "TokenNotPresent", "JWT not present.",
		  "JWT not present." },
		{ "a scheme asked for and none given", JWT("require-scheme=\"Bearer\"", ""), "", "{" EXP "}", 401, "TokenNotPresent",
		  "JWT not present.", "JWT not present." },
		{ "own status and text", JWT("failed-validation-httpcode=\"403\" failed-validation-error-message=\"No.\"", ""), "Bearer ",
		  "{\"exp\":1}", 403, "TokenExpired", "JWT has expired. Access denied.", "No." },
		{ "expired", JWT("", ""), "Bearer ", "{\"exp\":1700000000}", 401, "TokenExpired", "JWT has expired. Access denied.", "Invalid JWT." },
		{ "expired within the tolerance", JWT("clock-skew=\"10\"", ""), "Bearer ", "{\"exp\":1699999995}", 200, NULL, NULL, NULL },
		{ "no expiry", JWT("", ""), "Bearer ", "{}", 401, "TokenExpired", "JWT has no expiration time. Access denied.", "Invalid JWT." },
		{ "no expiry needed", JWT("require-expiration-time=\"false\"", ""), "Bearer ", "{}", 200, NULL, NULL, NULL },
		{ "not yet", JWT("", ""), "Bearer ", "{" EXP ",\"nbf\":1700000001}", 401, "JwtInvalid", "JWT is not valid yet. Access denied.",
		  "Invalid JWT." },
		{ "audience", JWT("", "<audiences><audience>a</audience><audience>b</audience></audiences>"), "Bearer ",
		  "{" EXP ",\"aud\":[\"x\",\"b\"]}", 200, NULL, NULL, NULL },
		{ "another audience", JWT("", "<audiences><audience>a</audience></audiences>"), "Bearer ", "{" EXP ",\"aud\":\"b\"}", 401,
		  "TokenAudienceNotAllowed", "Audience is not allowed. Access denied.", "Invalid JWT." },
		{ "another issuer", JWT("", "<issuers><issuer>a</issuer></issuers>"), "Bearer ", "{" EXP ",\"iss\":\"b\"}", 401,
		  "TokenIssuerNotAllowed", "Issuer is not allowed. Access denied.", "Invalid JWT." },
		{ "all values", JWT("", CLAIM("name=\"r\"", "<value>a</value><value>b</value>")), "Bearer ", "{" EXP ",\"r\":[\"b\",\"c\",\"a\"]}", 200,
		  NULL, NULL, NULL },
		{ "not all values", JWT("", CLAIM("name=\"r\" match=\"all\"", "<value>a</value><value>b</value>")), "Bearer ",
		  "{" EXP ",\"r\":[\"b\"]}", 401, "TokenClaimValueNotAllowed", "Claim r value of [\"b\"] is not allowed. Access denied.", "Invalid JWT." },
		{ "any value", JWT("", CLAIM("name=\"r\" match=\"any\"", "<value>a</value><value>b</value>")), "Bearer ", "{" EXP ",\"r\":\"b\"}", 200,
		  NULL, NULL, NULL },
		{ "separator", JWT("", CLAIM("name=\"scp\" separator=\" \"", "<value>a</value>")), "Bearer ", "{" EXP ",\"scp\":\"b a\"}", 200, NULL,
		  NULL, NULL },
		{ "without a separator the text is one", JWT("", CLAIM("name=\"scp\"", "<value>a</value>")), "Bearer ", "{" EXP ",\"scp\":\"b a\"}", 401,
		  "TokenClaimValueNotAllowed", "Claim scp value of b a is not allowed. Access denied.", "Invalid JWT." },
		{ "a claim that only has to be there", JWT("", CLAIM("name=\"n\"", "")), "Bearer ", "{" EXP ",\"n\":1}", 200, NULL, NULL, NULL },
		{ "a number as a value", JWT("", CLAIM("name=\"n\"", "<value>1</value>")), "Bearer ", "{" EXP ",\"n\":1}", 200, NULL, NULL, NULL },
		{ "missing claims are named", JWT("", "<required-claims><claim name=\"p\"/><claim name=\"n\"><value>2</value></claim><claim name=\"q\"/>"
		  "</required-claims>"), "Bearer ", "{" EXP ",\"n\":1}", 401, "TokenClaimNotFound",
		  "JWT token is missing the following claims: p, q. Access denied.", "Invalid JWT." },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(16 << 20);
		struct policy_diags diags;
		const struct policy_document *d = compile(a, rows[i].policy, &diags);
		struct exchange *x;

		begin();
		if (!d) {
			fprintf(stderr, "# %s: %s\n", rows[i].label, diags.v[0].message.p);
			CHECK(rows[i].label, !"compiles");
			continue;
		}
		x = exchange_of(a, d, arena_printf(a, "%s%s", rows[i].before, hs256(a, rows[i].claims).p), NULL);
		exchange_start(x);
		CHECK_INT(rows[i].label, x->response.status, rows[i].status);
		CHECK_STR(rows[i].label, x->error.reason, str_of(rows[i].reason));
		CHECK_STR(rows[i].label, x->error.message, str_of(rows[i].message));
		CHECK_STR(rows[i].label, x->error.public_message, str_of(rows[i].client));
		CHECK_INT(rows[i].label, world.forwards, rows[i].status == 200);
		arena_free(a);
	}
	check_done();
}

static void places(void **state UNUSED)
{
	struct arena *a = arena_new(16 << 20);
	struct policy_diags diags;
	struct str token = hs256(a, "{" EXP "}");
	const struct policy_document *query = compile(a, "<validate-jwt query-parameter-name=\"jwt\">" KEY "</validate-jwt>", &diags);
	const struct policy_document *value = compile(a, arena_printf(a, "<validate-jwt token-value=\"%s\">" KEY "</validate-jwt>", token.p).p,
						      &diags);
	const struct policy_document *unsigned_too =
		compile(a, "<validate-jwt header-name=\"Authorization\" require-signed-tokens=\"false\"/>", &diags);
	struct exchange *x;

	begin();
	assert_non_null(query);
	assert_non_null(value);
	assert_non_null(unsigned_too);
	x = exchange_of(a, query, STR_NULL, arena_printf(a, "a=1&JWT=%s", token.p).p);
	exchange_start(x);
	CHECK_INT("in the query", x->response.status, 200);
	x = exchange_of(a, query, token, "a=1");
	exchange_start(x);
	CHECK_STR("not in the query", x->error.reason, STR("TokenNotPresent"));
	x = exchange_of(a, value, STR_NULL, NULL);
	exchange_start(x);
	CHECK_INT("given", x->response.status, 200);
	x = exchange_of(a, unsigned_too, arena_printf(a, "Bearer %s.%s.", crypto_base64url(a, STR("{\"alg\":\"none\"}")).p,
						      crypto_base64url(a, STR("{" EXP "}")).p), NULL);
	exchange_start(x);
	CHECK_INT("unsigned", x->response.status, 200);
	x = exchange_of(a, unsigned_too, token, NULL);
	exchange_start(x);
	CHECK_STR("signed with a key that nobody knows", x->error.reason, STR("TokenSignatureKeyNotFound"));
	arena_free(a);
	check_done();
}

/* What the caller and the record are told: by RFC 6750 section 3.1 only a good token that says too little, refused with 403, has
 * a scope that does not suffice; a status that hides the check has no challenge. */
static void challenges(void **state UNUSED)
{
#define ROLE CLAIM("name=\"r\"", "<value>a</value>")
	static const struct {
		const char *label, *policy, *claims, *challenge, *detail;
	} rows[] = {
		{ "expired", JWT("", ""), "{\"exp\":1700000000}", "Bearer realm=\"gatehouse\", error=\"invalid_token\"",
		  "method=jwt check=\"exp\" expected=\"after 1700000000\" got=\"1700000000\" kid=\"s\"" },
		{ "a claim, with 401", JWT("", ROLE), "{" EXP ",\"r\":\"b\"}", "Bearer realm=\"gatehouse\", error=\"invalid_token\"",
		  "method=jwt check=\"claim r\" expected=\"a\" got=\"b\"" },
		{ "a claim, with 403", JWT("failed-validation-httpcode=\"403\"", ROLE), "{" EXP "}",
		  "Bearer realm=\"gatehouse\", error=\"insufficient_scope\"", "method=jwt check=\"claims\" expected=\"r\" got=\"none\"" },
		{ "expired, with 403", JWT("failed-validation-httpcode=\"403\"", ""), "{\"exp\":1}",
		  "Bearer realm=\"gatehouse\", error=\"invalid_token\"",
		  "method=jwt check=\"exp\" expected=\"after 1700000000\" got=\"1\" kid=\"s\"" },
		{ "hidden", JWT("failed-validation-httpcode=\"404\"", ""), "{}", NULL,
		  "method=jwt check=\"exp\" expected=\"a time\" got=\"none\" kid=\"s\"" },
	};
#undef ROLE

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(16 << 20);
		struct policy_diags diags;
		const struct policy_document *d = compile(a, rows[i].policy, &diags);
		struct exchange *x;

		begin();
		assert_non_null(d);
		x = exchange_of(a, d, hs256(a, rows[i].claims), NULL);
		exchange_start(x);
		CHECK_STR(rows[i].label, fields_get(&x->response.headers, STR("WWW-Authenticate")), str_of(rows[i].challenge));
		CHECK_STR(rows[i].label, x->error.detail, str_of(rows[i].detail));
		arena_free(a);
	}
	check_done();
}

static int call(const struct policy_document *d, const char *kid, const char *claims, const char *label, const char *reason)
{
	struct arena *a = arena_new(16 << 20);
	struct exchange *x = exchange_of(a, d, by_provider(a, kid, claims), NULL);
	int status;

	exchange_start(x);
	CHECK_STR(label, x->error.reason, str_of(reason));
	status = x->response.status;
	arena_free(a);
	return status;
}

static void providers(void **state UNUSED)
{
	static const char good[] = "{" EXP ",\"iss\":\"https://login.example/t1/\",\"tid\":\"t1\"}";
	struct arena *a = arena_new(16 << 20);
	struct policy_diags diags;
	const struct policy_document *d = compile(a, "<validate-jwt header-name=\"Authorization\">" PROVIDER "</validate-jwt>", &diags);

	begin();
	assert_non_null(d);
	CHECK_INT("good", call(d, "p1", good, "good", NULL), 200);
	CHECK_INT("again", call(d, "p1", good, "again", NULL), 200);
	CHECK_INT("one discovery", world.discoveries, 1);
	CHECK_INT("one fetch", world.key_fetches, 1);
	call(d, "p1", "{" EXP ",\"iss\":\"https://login.example/t2/\",\"tid\":\"t1\"}", "issuer of another tenant", "TokenIssuerNotAllowed");

	/* the provider has a new key: it is fetched at once, but not more often than the floor allows */
	assert_int_equal(jose_keys_generate(world.provider, STR("p2"), JOSE_ES256, NULL).code, GH_OK);
	CHECK_INT("new key", call(d, "p2", good, "new key", NULL), 200);
	CHECK_INT("a second fetch", world.key_fetches, 2);
	assert_int_equal(jose_keys_generate(world.provider, STR("p3"), JOSE_ES256, NULL).code, GH_OK);
	call(d, "p3", good, "too soon", "TokenSignatureKeyNotFound");
	CHECK_INT("no fetch", world.key_fetches, 2);
	world.now_us += (int64_t)OPENID_FLOOR_S * 1000000;
	CHECK_INT("newer key", call(d, "p3", good, "newer key", NULL), 200);
	CHECK_INT("a third fetch", world.key_fetches, 3);

	/* an hour later the set is fetched anew; when that fails the old one serves */
	world.now_us += (int64_t)30 * 1000000;
	CHECK_INT("fresh", call(d, "p1", good, "fresh", NULL), 200);
	CHECK_INT("no fourth fetch", world.key_fetches, 3);
	arena_free(a);

	a = arena_new(16 << 20);
	d = compile(a, "<validate-jwt header-name=\"Authorization\" require-expiration-time=\"false\">" PROVIDER "</validate-jwt>", &diags);
	world.now_us += (int64_t)OPENID_FRESH_S * 1000000;
	world.failure = CALL_TIMEOUT;
	CHECK_INT("old keys serve on", call(d, "p1", "{\"iss\":\"https://login.example/t/\",\"tid\":\"t\"}", "old keys", NULL), 200);
	world.now_us += (int64_t)OPENID_STALE_S * 1000000;
	call(d, "p1", "{\"iss\":\"https://login.example/t/\",\"tid\":\"t\"}", "not for ever", "TokenSignatureKeyNotFound");
	world.failure = CALL_OK;
	call(d, "p1", "{\"iss\":\"https://login.example/t/\",\"tid\":\"t\"}", "no second try at once", "TokenSignatureKeyNotFound");
	world.now_us += (int64_t)OPENID_RETRY_S * 1000000;
	CHECK_INT("back", call(d, "p1", "{\"iss\":\"https://login.example/t/\",\"tid\":\"t\"}", "back", NULL), 200);
	arena_free(a);
	check_done();
}

static void waiting(void **state UNUSED)
{
	struct arena *a = arena_new(16 << 20);
	struct policy_diags diags;
	const struct policy_document *d = compile(a, "<validate-jwt header-name=\"Authorization\">" PROVIDER "</validate-jwt>", &diags);
	struct exchange *x;

	begin();
	world.wait = true;
	x = exchange_of(a, d, by_provider(a, "p1", "{" EXP ",\"iss\":\"https://login.example/t1/\",\"tid\":\"t1\"}"), NULL);
	exchange_start(x);
	for (int i = 0; i < 2; i++) {
		assert_non_null(world.open);
		CHECK("still going", x->owner != NULL);
		answer(x, world.open);
		world.open = NULL;
		exchange_resume(x);
	}
	CHECK("finished", x->owner == NULL);
	CHECK_INT("good", x->response.status, 200);
	arena_free(a);
	check_done();
}

#define TENANT "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
#define ENTRA(inside) \
	"<validate-azure-ad-token tenant-id=\"" TENANT "\"><client-application-ids><application-id>app1</application-id>" \
	"</client-application-ids>" inside "</validate-azure-ad-token>"

static void entra(void **state UNUSED)
{
	static const struct {
		const char *label, *policy, *claims;
		int status;
		const char *reason;
	} rows[] = {
		{ "second generation", ENTRA(""), "{" EXP ",\"tid\":\"" TENANT "\",\"iss\":\"https://login.microsoftonline.com/" TENANT "/v2.0\","
		  "\"azp\":\"app1\"}", 200, NULL },
		{ "first generation", ENTRA(""), "{" EXP ",\"tid\":\"" TENANT "\",\"iss\":\"https://sts.windows.net/" TENANT "/\",\"appid\":\"APP1\"}", 200,
		  NULL },
		{ "another tenant", ENTRA(""), "{" EXP ",\"tid\":\"t2\",\"iss\":\"https://sts.windows.net/t2/\",\"appid\":\"app1\"}", 401,
		  "TokenIssuerNotAllowed" },
		{ "another issuer", ENTRA(""), "{" EXP ",\"tid\":\"" TENANT "\",\"iss\":\"https://evil.example/" TENANT "/\",\"appid\":\"app1\"}", 401,
		  "TokenIssuerNotAllowed" },
		{ "another client", ENTRA(""), "{" EXP ",\"tid\":\"" TENANT "\",\"iss\":\"https://sts.windows.net/" TENANT "/\",\"appid\":\"app2\"}", 401,
		  "TokenAudienceNotAllowed" },
		{ "for a backend", ENTRA("<backend-application-ids><application-id>b</application-id></backend-application-ids>"),
		  "{" EXP ",\"tid\":\"" TENANT "\",\"iss\":\"https://sts.windows.net/" TENANT "/\",\"appid\":\"app1\",\"aud\":\"api://b\"}", 200, NULL },
		{ "for another backend", ENTRA("<backend-application-ids><application-id>b</application-id></backend-application-ids>"),
		  "{" EXP ",\"tid\":\"" TENANT "\",\"iss\":\"https://sts.windows.net/" TENANT "/\",\"appid\":\"app1\",\"aud\":\"c\"}", 401,
		  "TokenAudienceNotAllowed" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(16 << 20);
		struct policy_diags diags;
		const struct policy_document *d = compile(a, rows[i].policy, &diags);

		begin();
		assert_non_null(d);
		CHECK_INT(rows[i].label, call(d, "p1", rows[i].claims, rows[i].label, rows[i].reason), rows[i].status);
		arena_free(a);
	}
	check_done();
}

static void refused_documents(void **state UNUSED)
{
	static const struct {
		const char *policy, *message;
	} rows[] = {
		{ "<validate-jwt>" KEY "</validate-jwt>", "say where the token is" },
		{ "<validate-jwt header-name=\"A\" token-value=\"b\">" KEY "</validate-jwt>", "say where the token is" },
		{ "<validate-jwt header-name=\"A\"><issuer-signing-keys><key>not base64!</key></issuer-signing-keys></validate-jwt>", "a key is Base64" },
		{ "<validate-jwt header-name=\"A\"><issuer-signing-keys><key>AAAA</key></issuer-signing-keys></validate-jwt>", "at least 16 bytes" },
		{ "<validate-jwt header-name=\"A\"><issuer-signing-keys><key/></issuer-signing-keys></validate-jwt>", "needs a Base64 text" },
		{ "<validate-jwt header-name=\"A\"><issuer-signing-keys><key n=\"AQAB\" e=\"AQAB\"/></issuer-signing-keys></validate-jwt>", "RSA key of" },
		{ "<validate-jwt header-name=\"A\" clock-skew=\"-1\">" KEY "</validate-jwt>", "clock-skew" },
		{ "<validate-azure-ad-token/>", "tenant-id" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(16 << 20);
		struct policy_diags diags;

		CHECK(rows[i].policy, compile(a, rows[i].policy, &diags) == NULL);
		if (!diags.n || !strstr(diags.v[0].message.p, rows[i].message)) {
			CHECK(rows[i].policy, !"message");
			fprintf(stderr, "# %s\n", diags.n ? diags.v[0].message.p : "none");
		}
		arena_free(a);
	}
	check_done();
}

/* ---- keys of expressions and certificates --------------------------------------------------------------------------- */

/* How often the keys of an exchange were read anew, by its trace. */
static unsigned keys_read(const struct exchange *x)
{
	unsigned n = 0;

	for (const struct trace_step *t = x->trace_first; t; t = t->next)
		n += str_find(t->decision, STR("keys read")) != SIZE_MAX;
	return n;
}

static struct exchange *traced(struct arena *a, const struct policy_document *d, struct str token)
{
	struct exchange *x = exchange_of(a, d, token, NULL);

	x->trace_on = true;
	exchange_start(x);
	return x;
}

static void keys_of_the_request(void **state UNUSED)
{
	static const char policy[] =
		"<validate-jwt header-name=\"Authorization\"><issuer-signing-keys><key id=\"s\">@(context.Request.Headers.GetValueOrDefault("
		"\"X-Key\", \"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\"))</key></issuer-signing-keys></validate-jwt>";
	struct arena *a = arena_new(32 << 20);
	struct policy_diags diags;
	const struct policy_document *d = compile(a, policy, &diags);
	struct str token = hs256(a, "{" EXP "}");
	struct exchange *x;

	begin();
	assert_non_null(d);
	for (unsigned i = 0; i < 3; i++) {
		x = traced(a, d, token);
		CHECK_INT("a key of an expression", x->response.status, 200);
		CHECK_INT("is read once", keys_read(x), i == 0);
	}
	x = exchange_of(a, d, token, NULL);
	assert_true(fields_add(&x->request.headers, STR("X-Key"), STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")));
	exchange_start(x);
	CHECK_STR("another key is another key", x->error.reason, STR("TokenSignatureInvalid"));
	x = exchange_of(a, d, token, NULL);
	assert_true(fields_add(&x->request.headers, STR("X-Key"), STR("no Base64")));
	exchange_start(x);
	CHECK_INT("no key at all", x->response.status, 500);
	CHECK("the key is not told", str_find(x->error.message, STR("no Base64")) == SIZE_MAX);
	world.now_us += (int64_t)7200 * 1000000;
	d = compile(a, "<validate-jwt header-name=\"Authorization\" require-expiration-time=\"false\"><issuer-signing-keys><key>@(\"MDEy"
		       "MzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\")</key></issuer-signing-keys></validate-jwt>", &diags);
	x = traced(a, d, hs256(a, "{}"));
	CHECK_INT("a key without an id serves tokens that name one", x->response.status, 200);
	arena_free(a);
	check_done();
}

static void keys_of_certificates(void **state UNUSED)
{
	static const char policy[] = "<validate-jwt header-name=\"Authorization\"><issuer-signing-keys><key certificate-id=\"signer\"/>"
				     "</issuer-signing-keys></validate-jwt>";
	struct arena *a = arena_new(32 << 20);
	const struct pki_wish wish = { .subject = "CN=Signer", .serial = 1, .from_s = NOW_S - 10, .to_s = NOW_S + 10 };
	struct pki *first = pki_make(a, &wish), *second = pki_make(a, &wish);
	struct policy_diags diags;
	const struct policy_document *d = compile(a, policy, &diags);
	struct str tokens[2];
	struct exchange *x;

	begin();
	assert_non_null(d);
	for (size_t i = 0; i < 2; i++) {
		struct jose_keys *k = jose_keys_new();
		json_t *claims;

		assert_int_equal(jose_keys_add_pem(k, STR_NULL, pki_key(a, i ? second : first), NULL).code, GH_OK);
		assert_int_equal(jsn_parse_in(a, STR("{" EXP "}"), NULL, &claims, NULL, NULL).code, GH_OK);
		assert_int_equal(jose_sign(a, k, STR_NULL, JOSE_ES256, claims, &tokens[i], NULL).code, GH_OK);
		jose_keys_free(k);
	}
	world.certificate = first->pem;
	for (unsigned i = 0; i < 3; i++) {
		x = traced(a, d, tokens[0]);
		CHECK_INT("by the certificate", x->response.status, 200);
		CHECK_INT("which is read once", keys_read(x), i == 0);
	}
	CHECK_INT("by another", traced(a, d, tokens[1])->response.status, 401);
	world.certificate = second->pem;         /* it has been exchanged: the same id, another key */
	CHECK_INT("by the new one", traced(a, d, tokens[1])->response.status, 200);
	CHECK_INT("no longer by the old one", traced(a, d, tokens[0])->response.status, 401);
	world.certificate = STR_NULL;
	CHECK_INT("it is gone", traced(a, d, tokens[1])->response.status, 500);
	arena_free(a);
	check_done();
}

static void several_providers(void **state UNUSED)
{
	struct arena *a = arena_new(16 << 20);
	struct policy_diags diags;
	const struct policy_document *d = compile(a, "<validate-jwt header-name=\"Authorization\" output-token-variable-name=\"jwt\">"
		"<openid-config url=\"https://away.example/c\"/>" PROVIDER KEY "<issuers><issuer>me</issuer></issuers></validate-jwt>", &diags);
	struct exchange *x;

	begin();
	assert_non_null(d);
	CHECK_INT("of the second provider", call(d, "p1", "{" EXP ",\"iss\":\"https://login.example/t/\",\"tid\":\"t\"}", "second", NULL), 200);
	x = exchange_of(a, d, hs256(a, "{" EXP ",\"iss\":\"me\",\"sub\":\"u\"}"), NULL);
	exchange_start(x);
	CHECK_INT("of the listed key", x->response.status, 200);
	CHECK("the token is kept", exchange_variable(x, STR("jwt")) != NULL);
	call(d, "p1", "{" EXP ",\"iss\":\"you\"}", "an issuer of none", "TokenIssuerNotAllowed");
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
		cmocka_unit_test(verdicts), cmocka_unit_test(challenges), cmocka_unit_test(places), cmocka_unit_test(providers),
		cmocka_unit_test(waiting),  cmocka_unit_test(entra),  cmocka_unit_test(refused_documents),
		cmocka_unit_test(keys_of_the_request), cmocka_unit_test(keys_of_certificates), cmocka_unit_test(several_providers),
	};

	return cmocka_run_group_tests_name("policy/token", tests, NULL, clean);
}
