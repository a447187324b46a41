/* Requests to token endpoints and their answers, with the examples of the RFCs; the table of kinds; what messages may hold. */
#include "tests/unit/check.h"

#include "core/credential.h"
#include "core/crypto.h"
#include "core/jose.h"
#include "core/uri.h"

static struct credential made(struct arena *a, enum credential_kind kind, const char *settings, const char *secrets)
{
	struct credential c = { .environment = STR("default"), .id = STR("x"), .kind = kind };

	assert_int_equal(jsn_parse_in(a, str_of(settings), NULL, &c.settings, NULL, NULL).code, GH_OK);
	if (secrets)
		assert_int_equal(jsn_parse_in(a, str_of(secrets), NULL, &c.secrets, NULL, NULL).code, GH_OK);
	return c;
}

static struct str field(struct arena *a, struct str form, const char *name)
{
	struct str v;

	return uri_query_find(form, str_of(name), &v) ? uri_decode(a, v, true) : STR_NULL;
}

/* Each kind's form, exactly. */
static void forms(void **state UNUSED)
{
	static const struct {
		const char *label;
		enum credential_kind kind;
		const char *settings, *secrets;
		struct token_grant grant;
		const char *authorization, *body;
	} rows[] = {
		/* RFC 6749 section 4.4.2; the client of section 2.3.1 */
		{ "client credentials", CREDENTIAL_CLIENT, "{\"token-url\":\"https://s/t\",\"client-id\":\"s6BhdRkqt3\"}", "{\"client-secret\":\"7Fjfp0ZBr1KtDRbnfVdmIw\"}",
		  { .now_s = 0 }, "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3", "grant_type=client_credentials" },
		{ "id and secret are escaped before they are joined", CREDENTIAL_CLIENT, "{\"token-url\":\"https://s/t\",\"client-id\":\"a:b\"}", "{\"client-secret\":\"c:d/e\"}",
		  { .now_s = 0 }, "Basic YSUzQWI6YyUzQWQlMkZl", "grant_type=client_credentials" },
		{ "post", CREDENTIAL_CLIENT, "{\"token-url\":\"https://s/t\",\"client-id\":\"c\",\"auth\":\"client_secret_post\",\"scope\":\"a b\",\"parameters\":\"x=1&y=2\"}", "{\"client-secret\":\"s&t\"}",
		  { .now_s = 0 }, NULL, "grant_type=client_credentials&scope=a%20b&client_id=c&client_secret=s%26t&x=1&y=2" },
		/* RFC 6749 section 4.3.2 */
		{ "password", CREDENTIAL_PASSWORD, "{\"token-url\":\"https://s/t\",\"username\":\"johndoe\"}", "{\"password\":\"A3ddj3w\"}",
		  { .now_s = 0 }, NULL, "grant_type=password&username=johndoe&password=A3ddj3w" },
		/* RFC 6749 section 6 */
		{ "refresh", CREDENTIAL_CODE, "{\"token-url\":\"https://s/t\",\"authorize-url\":\"https://s/a\",\"client-id\":\"c\",\"auth\":\"none\"}", NULL,
		  { .refresh_token = STR_INIT("tGzv3JOkF0XG5Qx2TlKWIA") }, NULL, "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA&client_id=c" },
		/* RFC 6749 section 4.1.3 with RFC 7636 section 4.5 */
		{ "code", CREDENTIAL_CODE, "{\"token-url\":\"https://s/t\",\"authorize-url\":\"https://s/a\",\"client-id\":\"c\",\"auth\":\"none\",\"scope\":\"s\"}", NULL,
		  { .code = STR_INIT("SplxlOBeZQQYbYS6WxSbIA"), .redirect_uri = STR_INIT("https://c/cb"), .code_verifier = STR_INIT("v") }, NULL,
		  "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA&redirect_uri=https%3A%2F%2Fc%2Fcb&code_verifier=v&client_id=c" },
		/* RFC 8693 section 2.3 */
		{ "exchange", CREDENTIAL_EXCHANGE, "{\"token-url\":\"https://s/t\",\"resource\":\"https://backend.example.com/api\",\"resource-parameter\":\"yes\"}", NULL,
		  { .subject = STR_INIT("accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC") }, NULL,
		  "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC"
		  "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token&resource=https%3A%2F%2Fbackend.example.com%2Fapi" },
		/* RFC 7523 section 2.1, the caller's token as the assertion */
		{ "on behalf", CREDENTIAL_JWT_BEARER, "{\"token-url\":\"https://s/t\",\"assertion\":\"caller\",\"scope\":\"s\",\"parameters\":\"requested_token_use=on_behalf_of\"}", NULL,
		  { .subject = STR_INIT("eyJ.x.y") }, NULL,
		  "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=eyJ.x.y&scope=s&requested_token_use=on_behalf_of" },
	};
	struct arena *a = arena_new(4 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct credential c = made(a, rows[i].kind, rows[i].settings, rows[i].secrets);
		struct token_ask ask;
		struct gh_err err = { 0 };

		CHECK_INT(rows[i].label, credential_check(&c, &err).code, GH_OK);
		CHECK_INT(rows[i].label, token_ask_make(a, &c, &rows[i].grant, &ask, &err).code, GH_OK);
		CHECK_STR(rows[i].label, ask.body, str_of(rows[i].body));
		CHECK_STR(rows[i].label, ask.authorization, str_of(rows[i].authorization));
	}
	arena_free(a);
	check_done();
}

static void bad_key(void **state UNUSED)
{
	struct arena *a = arena_new(16 << 20);
	struct credential c = made(a, CREDENTIAL_CLIENT, "{\"token-url\":\"https://s/t\",\"client-id\":\"c\",\"auth\":\"private_key_jwt\"}",
				   "{\"private-key\":\"-----BEGIN PRIVATE KEY-----\\nnot one\\n-----END PRIVATE KEY-----\"}");
	const struct token_grant g = { .now_s = 1800000000 };
	struct token_ask ask;
	struct gh_err err = { 0 };

	CHECK("a key that is none is refused, by name and without its text",
	      token_ask_make(a, &c, &g, &ask, &err).code && strstr(err.message, "private-key") && !strstr(err.message, "not one"));
	arena_free(a);
	check_done();
}

static void consent(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	struct credential c = made(a, CREDENTIAL_CODE, "{\"authorize-url\":\"https://s/a?tenant=1\",\"client-id\":\"s6BhdRkqt3\",\"scope\":\"a b\"}", NULL);
	struct str url = STR_NULL;

	assert_int_equal(token_consent_url(a, &c, STR("https://client.example.com/cb"), STR("xyz"), STR("ch"), &url, NULL).code, GH_OK);
	CHECK_STR("address", url, STR("https://s/a?tenant=1&response_type=code&client_id=s6BhdRkqt3&redirect_uri=https%3A%2F%2Fclient.example.com%2Fcb"
				      "&scope=a%20b&state=xyz&code_challenge=ch&code_challenge_method=S256"));
	CHECK_STR("and back", field(a, str_from(url, str_find_char(url, '?') + 1), "redirect_uri"), STR("https://client.example.com/cb"));
	arena_free(a);
	check_done();
}

static void answers(void **state UNUSED)
{
	static const struct {
		const char *label;
		enum credential_kind kind;
		int status;
		const char *body, *retry;
		enum token_verdict want;
		int64_t life_s;
		const char *says;
	} rows[] = {
		{ "RFC 6749 section 5.1", CREDENTIAL_CLIENT, 200, "{\"access_token\":\"2YotnFZFEjr1zCsicMWpAA\",\"token_type\":\"example\",\"expires_in\":3600,\"refresh_token\":\"tGzv3JOkF0XG5Qx2TlKWIA\",\"example_parameter\":\"example_value\"}",
		  NULL, TOKEN_OK, 3600, NULL },
		{ "expires_in as text", CREDENTIAL_CLIENT, 200, "{\"access_token\":\"t\",\"expires_in\":\"59\"}", NULL, TOKEN_OK, 59, NULL },
		{ "no expires_in", CREDENTIAL_CLIENT, 200, "{\"access_token\":\"t\"}", NULL, TOKEN_OK, 600, NULL },
		{ "expires_in of a century", CREDENTIAL_CLIENT, 200, "{\"access_token\":\"t\",\"expires_in\":3155760000}", NULL, TOKEN_OK, 2592000, NULL },
		{ "expires_in below zero", CREDENTIAL_CLIENT, 200, "{\"access_token\":\"t\",\"expires_in\":-5}", NULL, TOKEN_OK, 0, NULL },
		{ "RFC 6749 section 5.2", CREDENTIAL_CLIENT, 400, "{\"error\":\"invalid_request\"}", NULL, TOKEN_REFUSED, 0, "answered 400 (invalid_request)" },
		{ "descriptions may hold anything and are not told", CREDENTIAL_CLIENT, 401, "{\"error\":\"invalid_client\",\"error_description\":\"secret abc\"}", NULL, TOKEN_REFUSED, 0, "answered 401 (invalid_client)" },
		{ "an error code that is none", CREDENTIAL_CLIENT, 400, "{\"error\":\"<b>\\n\"}", NULL, TOKEN_REFUSED, 0, "answered 400" },
		{ "the caller's token", CREDENTIAL_EXCHANGE, 400, "{\"error\":\"invalid_grant\"}", NULL, TOKEN_SUBJECT, 0, "answered 400 (invalid_grant)" },
		{ "our own grant", CREDENTIAL_CODE, 400, "{\"error\":\"invalid_grant\"}", NULL, TOKEN_REFUSED, 0, "answered 400 (invalid_grant)" },
		{ "too many", CREDENTIAL_CLIENT, 429, "", "17", TOKEN_BUSY, 0, "answered 429" },
		{ "broken", CREDENTIAL_CLIENT, 503, "<html>", "soon", TOKEN_BUSY, 0, "answered 503" },
		{ "a redirect is no answer", CREDENTIAL_CLIENT, 302, "", NULL, TOKEN_BUSY, 0, "answered 302" },
		{ "no token", CREDENTIAL_CLIENT, 200, "{}", NULL, TOKEN_REFUSED, 0, "answered without a usable access_token" },
		{ "a token that would end the line", CREDENTIAL_CLIENT, 200, "{\"access_token\":\"a\\r\\nb\"}", NULL, TOKEN_REFUSED, 0, "answered without a usable access_token" },
		{ "a token that is no text", CREDENTIAL_CLIENT, 200, "{\"access_token\":7}", NULL, TOKEN_REFUSED, 0, "answered without a usable access_token" },
		{ "no object", CREDENTIAL_CLIENT, 200, "[1]", NULL, TOKEN_REFUSED, 0, "answered without a usable access_token" },
	};
	struct arena *a = arena_new(4 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct credential c = made(a, rows[i].kind, "{}", NULL);
		struct token_answer t;

		CHECK_INT(rows[i].label, token_answer_read(a, &c, rows[i].status, str_of(rows[i].body), str_of(rows[i].retry), &t), rows[i].want);
		if (rows[i].want == TOKEN_OK)
			CHECK_INT(rows[i].label, t.life_s, rows[i].life_s);
		CHECK_STR(rows[i].label, t.problem, str_of(rows[i].says));
		CHECK_INT(rows[i].label, t.retry_after_s, rows[i].retry && rows[i].retry[0] == '1' ? 17 : 0);
	}
	arena_free(a);
	check_done();
}

static void keeping(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	struct credential c = made(a, CREDENTIAL_CLIENT, "{}", NULL);
	struct token_answer t, back;

	assert_int_equal(token_answer_read(a, &c, 200, STR("{\"access_token\":\"abc\",\"refresh_token\":\"r\",\"id\":7,\"nested\":{},\"instance_url\":\"https://x\",\"id_token\":\"j\"}"), STR_NULL, &t), TOKEN_OK);
	assert_true(token_unpack(token_pack(a, &t), &back));
	CHECK_STR("access token", back.access_token, STR("abc"));
	CHECK_STR("refresh token", back.refresh_token, STR("r"));
	CHECK_STR("claims", back.claims, STR("{\"id\":7,\"instance_url\":\"https://x\"}"));
	CHECK("nothing", !token_unpack(STR_NULL, &back) && !token_unpack(STR(""), &back) && !token_unpack(STR("abc"), &back) && !token_unpack(STR("\n\n"), &back));
	/* RFC 7636 appendix B */
	CHECK_STR("challenge", token_challenge(a, STR("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")), STR("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
	arena_free(a);
	check_done();
}

static void table(void **state UNUSED)
{
	unsigned all = (1u << CREDENTIAL__COUNT) - 1;
	const struct credential_field *f;
	enum credential_kind kind;

	for (size_t i = 0; (f = credential_field_at(i)); i++) {
		CHECK(f->name.p, f->kinds && !(f->kinds & ~all) && !(f->needed & ~f->kinds));
		CHECK(f->name.p, (f->type == CREDENTIAL_CHOICE) == (f->choices != NULL));
		CHECK(f->name.p, f->help && f->help[0]);
		for (size_t k = 0; k < i; k++)
			CHECK(f->name.p, !str_eq(credential_field_at(k)->name, f->name));
	}
	for (int k = 0; k < CREDENTIAL__COUNT; k++) {
		CHECK_INT("found by its name", credential_kind_of(credential_kind_info((enum credential_kind)k)->name, &kind), true);
		CHECK_INT("the same", kind, k);
	}
	CHECK("unknown", !credential_kind_of(STR("oauth"), &kind));
	check_done();
}

static void prints(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	struct credential c = made(a, CREDENTIAL_BASIC, "{\"a\":\"1\",\"b\":\"2\"}", NULL), d = made(a, CREDENTIAL_BASIC, "{\"b\":\"2\",\"a\":\"1\"}", NULL);
	uint8_t x[CREDENTIAL_PRINT_BYTES], y[CREDENTIAL_PRINT_BYTES];

	credential_print(&c, STR("s"), x);
	credential_print(&d, STR("s"), y);
	CHECK("whatever the order", memcmp(x, y, sizeof(x)) == 0);
	credential_print(&c, STR("t"), y);
	CHECK("another secret", memcmp(x, y, sizeof(x)) != 0);
	d.kind = CREDENTIAL_API_KEY;
	credential_print(&d, STR("s"), y);
	CHECK("another kind", memcmp(x, y, sizeof(x)) != 0);
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms), cmocka_unit_test(bad_key), cmocka_unit_test(consent), cmocka_unit_test(answers), cmocka_unit_test(keeping),
		cmocka_unit_test(table), cmocka_unit_test(prints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
