/* Signatures over requests: Amazon's test suite for Signature Version 4, the examples of RFC 9421 (appendix B), the
 * community's vectors of structured fields, and what each checker must refuse. */
#include "tests/unit/check.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/file.h"
#include "core/sign.h"

#include <stdlib.h>

static json_t *load(struct arena *a, const char *path)
{
	struct str text;
	json_t *v = NULL;

	if (file_read(a, path, 4 << 20, &text, NULL).code || jsn_parse_in(a, text, NULL, &v, NULL, NULL).code)
		return NULL;
	return v;
}

static struct sign_request request_of(struct arena *a, const json_t *m)
{
	struct sign_request rq = { .method = jsn_str(m, "method"), .scheme = STR("https"), .path = jsn_str(m, "path"),
				   .query = jsn_str(m, "query") };
	const json_t *headers = jsn_arr(m, "headers"), *h;
	struct sign_field *f = arena_alloc(a, json_array_size(headers) + 1, sizeof(*f));
	size_t i;

	json_array_foreach(headers, i, h)
		f[i] = (struct sign_field){ jsn_string(json_array_get(h, 0)), jsn_string(json_array_get(h, 1)) };
	rq.fields = f;
	rq.n_fields = json_array_size(headers);
	return rq;
}

#define CHECK_VERDICT(label, got, want)                                                                          \
	do {                                                                                                    \
		enum sign_verdict got_ = (got), want_ = (want);                                                  \
		if (got_ != want_) {                                                                            \
			check_failures++;                                                                       \
			fprintf(stderr, "# %d: %s: got %s, want %s\n", __LINE__, (label), sign_verdict_name(got_), sign_verdict_name(want_)); \
		}                                                                                               \
	} while (0)

/* ---- AWS ---------------------------------------------------------------------------------------------------------------- */

static void aws_row(struct arena *a, const json_t *v)
{
	const char *label = json_string_value(jsn_get(v, "name"));
	struct sign_request rq = request_of(a, jsn_get(v, "request")), query = rq;
	struct sigv4_key key = { jsn_str(v, "accessKeyId"), jsn_str(v, "secret"), jsn_str(v, "token"), jsn_str(v, "region"),
				 jsn_str(v, "service") };
	struct str payload = sign_sha256_hex(a, jsn_str(jsn_get(v, "request"), "body"));
	struct sigv4_rules rules = { .secret = key.secret, .region = key.region, .service = key.service, .window_s = 60,
				     .payload = payload };
	struct sigv4_texts texts;
	struct sigv4_claim claim;
	struct sign_added added;
	struct gh_err err;
	int64_t us;

	assert_true(clock_parse_iso(jsn_str(v, "timestamp"), &us));
	rules.now_s = us / 1000000;
	rules.flags = jsn_bool(v, "normalize", true) ? SIGV4_NORMALIZE : 0;
	if (jsn_bool(v, "omitToken", false))
		key.session_token = STR_NULL;
	assert_int_equal(sigv4_sign(a, &rq, &key, payload, rules.now_s,
				    rules.flags | (jsn_bool(v, "signBody", false) ? SIGV4_CONTENT_FIELD : 0), &added, &err).code, GH_OK);
	CHECK_STR(label, added.v[added.n - 1].value, jsn_str(v, "authorization"));
	struct sign_field f[32];
	memcpy(f, rq.fields, rq.n_fields * sizeof(*f));
	memcpy(f + rq.n_fields, added.v, added.n * sizeof(*f));
	rq.fields = f;
	rq.n_fields += added.n;
	CHECK_VERDICT(label, sigv4_parse(a, &rq, &claim), SIGN_OK);
	CHECK_VERDICT(label, sigv4_texts(a, &rq, &claim, payload, rules.flags, &texts), SIGN_OK);
	CHECK_STR(label, texts.canonical, jsn_str(v, "canonical"));
	CHECK_STR(label, texts.to_sign, jsn_str(v, "toSign"));
	CHECK_STR(label, claim.signature, jsn_str(v, "signature"));
	CHECK_VERDICT(label, sigv4_verify(a, &rq, &claim, &rules), SIGN_OK);
	query.query = jsn_str(v, "signedQuery");
	CHECK_VERDICT(label, sigv4_parse(a, &query, &claim), SIGN_OK);
	CHECK_STR(label, claim.signature, jsn_str(v, "querySignature"));
	/* the token that was left out of the signature stands in the address all the same */
	if (jsn_bool(v, "omitToken", false))
		return;
	CHECK_VERDICT(label, sigv4_texts(a, &query, &claim, payload, rules.flags, &texts), SIGN_OK);
	CHECK_STR(label, texts.canonical, jsn_str(v, "queryCanonical"));
	CHECK_STR(label, texts.to_sign, jsn_str(v, "queryToSign"));
	CHECK_VERDICT(label, sigv4_verify(a, &query, &claim, &rules), SIGN_OK);
	rules.now_s += 3600;
	CHECK_VERDICT(label, sigv4_verify(a, &query, &claim, &rules), SIGN_EXPIRED);
}

static void aws_suite(void **state UNUSED)
{
	struct arena *a = arena_new(64 << 20);
	json_t *list = load(a, "tests/unit/core/sigv4_vectors.json"), *v;
	size_t i;

	assert_int_equal(json_array_size(list), 38);
	json_array_foreach(list, i, v)
		aws_row(a, v);
	arena_free(a);
	check_done();
}

/* The example of Amazon S3's documentation: the path is escaped once, the body's digest is a field. */
static void aws_s3(void **state UNUSED)
{
	static const struct sign_field fields[] = { { STR_INIT("Range"), STR_INIT("bytes=0-9") } };
	const struct sign_request rq = { STR("GET"), STR("https"), STR("examplebucket.s3.amazonaws.com"), STR("/test.txt"), STR_NULL,
					 fields, 1 };
	const struct sigv4_key key = { STR("AKIAIOSFODNN7EXAMPLE"), STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), STR_NULL,
				       STR("us-east-1"), STR("s3") };
	struct arena *a = arena_new(1 << 20);
	struct sign_added added;
	struct gh_err err;

	assert_int_equal(sigv4_sign(a, &rq, &key, sign_sha256_hex(a, STR("")), 1369353600,
				    SIGV4_SINGLE_ENCODE | SIGV4_CONTENT_FIELD, &added, &err).code, GH_OK);
	assert_true(str_ends(added.v[added.n - 1].value,
			     STR("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")));
	arena_free(a);
}

static void aws_refusals(void **state UNUSED)
{
	enum { NOW = 1440938160 };
	static const struct {
		const char *label;
		const char *change;      /* what is altered */
		enum sign_verdict want;
	} rows[] = {
		{ "as signed", "", SIGN_OK },
		{ "another path", "path", SIGN_MISMATCH },
		{ "another query", "query", SIGN_MISMATCH },
		{ "another method", "method", SIGN_MISMATCH },
		{ "another body", "body", SIGN_PAYLOAD },
		{ "a signed field changed", "field", SIGN_MISMATCH },
		{ "an unsigned x-amz field", "unsigned", SIGN_NOT_COVERED },
		{ "a signed field gone", "gone", SIGN_COMPONENT },
		{ "another secret", "secret", SIGN_MISMATCH },
		{ "another region wanted", "region", SIGN_SCOPE },
		{ "another service wanted", "service", SIGN_SCOPE },
		{ "15 minutes late", "late", SIGN_OK },
		{ "15 minutes and a second late", "later", SIGN_TIME },
		{ "15 minutes and a second early", "early", SIGN_TIME },
		{ "no body digest, body not signed", "unsigned-payload", SIGN_NOT_COVERED },
	};
	const struct sigv4_key key = { STR("AK/ID"), STR("secret-of-some-length"), STR_NULL, STR("eu-west-1"), STR("execute-api") };
	struct arena *a = arena_new(4 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sign_field f[16] = { { STR("Content-Type"), STR("text/plain") } };
		struct sign_request rq = { STR("POST"), STR("https"), STR("api.example"), STR("/a/b"), STR("x=1"), f, 1 };
		struct str change = str_of(rows[i].change), body = STR("body");
		bool open = str_eq(change, STR("unsigned-payload"));
		struct sigv4_rules r = { .secret = key.secret, .now_s = NOW, .window_s = 900 };
		struct sigv4_claim claim;
		struct sign_added added;

		assert_int_equal(sigv4_sign(a, &rq, &key, open ? SIGV4_UNSIGNED : sign_sha256_hex(a, body), NOW,
					    SIGV4_CONTENT_FIELD | SIGV4_NORMALIZE, &added, NULL).code, GH_OK);
		memcpy(f + 1, added.v, added.n * sizeof(*f));
		rq.n_fields += added.n;
		r.flags = SIGV4_NORMALIZE;
		if (str_eq(change, STR("path"))) rq.path = STR("/a/c");
		if (str_eq(change, STR("query"))) rq.query = STR("x=2");
		if (str_eq(change, STR("method"))) rq.method = STR("PUT");
		if (str_eq(change, STR("body"))) body = STR("bodY");
		if (str_eq(change, STR("field"))) f[0].value = STR("text/html");
		if (str_eq(change, STR("unsigned"))) f[rq.n_fields++] = (struct sign_field){ STR("X-Amz-Acl"), STR("public") };
		if (str_eq(change, STR("gone"))) f[0].name = STR("Content-Typ");
		if (str_eq(change, STR("secret"))) r.secret = STR("secret-of-some-lengti");
		if (str_eq(change, STR("region"))) r.region = STR("eu-west-2");
		if (str_eq(change, STR("service"))) r.service = STR("s3");
		if (str_eq(change, STR("late"))) r.now_s += 900;
		if (str_eq(change, STR("later"))) r.now_s += 901;
		if (str_eq(change, STR("early"))) r.now_s -= 901;
		r.payload = sign_sha256_hex(a, body);
		CHECK_VERDICT(rows[i].label, sigv4_parse(a, &rq, &claim), SIGN_OK);
		CHECK_STR(rows[i].label, claim.access_key_id, STR("AK/ID"));
		CHECK_VERDICT(rows[i].label, sigv4_verify(a, &rq, &claim, &r), rows[i].want);
	}
	arena_free(a);
	check_done();
}

static void aws_malformed(void **state UNUSED)
{
	static const struct {
		struct str authorization;
		enum sign_verdict want;
	} rows[] = {
		{ { NULL, 0 }, SIGN_MISSING },
		{ STR_INIT("Bearer x"), SIGN_MISSING },
		{ STR_INIT("AWS4-ECDSA-P256-SHA256 Credential=x"), SIGN_ALGORITHM },
		{ STR_INIT("AWS4-HMAC-SHA256 "), SIGN_MALFORMED },
		{ STR_INIT("AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=00"), SIGN_MALFORMED },
		{ STR_INIT("AWS4-HMAC-SHA256 Credential=/20150830/r/s/aws4_request, SignedHeaders=host, Signature=00"), SIGN_MALFORMED },
		{ STR_INIT("AWS4-HMAC-SHA256 Credential=k/20150830/r/s/aws4_request, SignedHeaders=host, Signature="
			   "0000000000000000000000000000000000000000000000000000000000000000"), SIGN_MALFORMED },
	};
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct sign_field f[] = { { STR("Authorization"), rows[i].authorization } };
		const struct sign_request rq = { STR("GET"), STR("https"), STR("h"), STR("/"), STR_NULL, f, rows[i].authorization.p ? 1 : 0 };
		struct sigv4_claim claim;

		CHECK_VERDICT(rows[i].authorization.p ? rows[i].authorization.p : "nothing", sigv4_parse(a, &rq, &claim), rows[i].want);
	}
	arena_free(a);
	check_done();
}

/* ---- RFC 9421 ----------------------------------------------------------------------------------------------------------- */

static struct jose_keys *rfc_key(struct arena *a, const json_t *vectors, const char *name)
{
	struct jose_keys *k = jose_keys_new();
	struct gh_err err = { 0 };
	struct str secret;
	gh_rc rc;

	if (strcmp(name, "test-shared-secret") == 0) {
		assert_true(crypto_base64_decode(a, jsn_str(vectors, name), &secret));
		rc = jose_keys_add_secret(k, str_of(name), secret, &err);
	} else if (strcmp(name, "test-key-rsa-pss") == 0) {
		rc = jose_keys_add_pem(k, str_of(name), jsn_str(vectors, "rsaPssPem"), &err);
	} else {
		rc = jose_keys_add_jwk(k, jsn_get(jsn_get(vectors, "keys"), name), &err);
	}
	if (rc.code)
		fprintf(stderr, "# %s: %s\n", name, err.message);
	assert_int_equal(rc.code, GH_OK);
	return k;
}

static void rfc_row(struct arena *a, const json_t *vectors, const json_t *v)
{
	const char *label = json_string_value(jsn_get(v, "label")), *key = json_string_value(jsn_get(v, "key"));
	struct msgsig_message m = { .rq = request_of(a, jsn_get(v, "message")),
				    .status = (int)jsn_int(jsn_get(v, "message"), "status", 0) };
	enum jose_alg alg = msgsig_alg_of(jsn_str(v, "alg"));
	struct jose_keys *keys = rfc_key(a, vectors, key);
	const struct msgsig_rules rules = { .keys = keys, .algs = JOSE_BIT(alg) };
	bool valid = jsn_bool(v, "valid", true);
	struct msgsig_claim c, mine;
	struct sign_added added;
	struct gh_err err = { 0 };
	struct buf b;

	CHECK_VERDICT(label, msgsig_parse(a, &m, str_of(label), &c), SIGN_OK);
	CHECK_STR(label, c.key_id, str_of(key));
	CHECK_VERDICT(label, msgsig_verify(a, &m, &c, &rules), valid ? SIGN_OK : SIGN_MISMATCH);
	if (jsn_str(v, "base").p)
		CHECK_STR(label, c.base, jsn_str(v, "base"));
	/* signed again: the same input, and for the algorithms without chance the same signature */
	buf_init(&b, 4096);
	struct sfv_item only = *c.input;
	only.n_params = 0;
	sfv_write_item(&b, &only);
	const struct msgsig_wish wish = { .label = c.label, .components = buf_view(&b), .key_id = c.key_id, .nonce = c.nonce,
					  .tag = c.tag, .created_s = c.created_s, .alg = alg };
	if (msgsig_sign(a, &m, keys, STR_NULL, &wish, &added, &err).code) {
		CHECK_STR(label, str_of(err.message), STR(""));
	} else {
		struct msgsig_message again = m;
		struct sign_field f[32];
		size_t n = 0;

		for (size_t i = 0; i < m.rq.n_fields; i++)
			if (!str_starts_ci(m.rq.fields[i].name, STR("Signature")))
				f[n++] = m.rq.fields[i];
		memcpy(f + n, added.v, added.n * sizeof(*f));
		again.rq.fields = f;
		again.rq.n_fields = n + added.n;
		CHECK_VERDICT(label, msgsig_parse(a, &again, STR_NULL, &mine), SIGN_OK);
		CHECK_VERDICT(label, msgsig_verify(a, &again, &mine, &rules), SIGN_OK);
		CHECK_STR(label, mine.base, c.base);
		if (valid && (alg == JOSE_HS256 || alg == JOSE_EdDSA))
			CHECK_STR(label, mine.signature, c.signature);
	}
	buf_release(&b);
	jose_keys_free(keys);
}

static void rfc9421(void **state UNUSED)
{
	struct arena *a = arena_new(32 << 20);
	json_t *vectors = load(a, "tests/unit/core/msgsig_vectors.json"), *list = jsn_get(vectors, "cases"), *v;
	size_t i;

	assert_int_equal(json_array_size(list), 13);
	json_array_foreach(list, i, v)
		rfc_row(a, vectors, v);
	arena_free(a);
	check_done();
}

/* Components one by one, with the examples of section 2. */
static void components(void **state UNUSED)
{
	static const struct sign_field fields[] = {
		{ STR_INIT("Host"), STR_INIT("www.Example.com:443") },
		{ STR_INIT("Example-Dict"), STR_INIT("  a=1, b=2;x=1;y=2, c=(a   b    c), d") },
		{ STR_INIT("Example-Header"), STR_INIT("value, with, lots") },
		{ STR_INIT("Example-Header"), STR_INIT("of, commas") },
		{ STR_INIT("X-Empty"), STR_INIT("") },
		{ STR_INIT("Cache-Control"), STR_INIT(" max-age=60 ") },
		{ STR_INIT("Cache-Control"), STR_INIT("   must-revalidate") },
		{ STR_INIT("Priority"), STR_INIT("u=1,   i") },
	};
	static const struct {
		struct str id, want;     /* want STR_NULL: the component is refused */
	} rows[] = {
		{ STR_INIT("\"@method\""), STR_INIT("GET") },
		{ STR_INIT("\"@authority\""), STR_INIT("www.example.com") },
		{ STR_INIT("\"@scheme\""), STR_INIT("https") },
		{ STR_INIT("\"@path\""), STR_INIT("/parameters") },
		{ STR_INIT("\"@query\""), STR_INIT("?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something&two=1&two=2&qux=") },
		{ STR_INIT("\"@target-uri\""), STR_INIT("https://www.example.com/parameters?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something&two=1&two=2&qux=") },
		{ STR_INIT("\"@query-param\";name=\"var\""), STR_INIT("this%20is%20a%20big%0Amultiline%20value") },
		{ STR_INIT("\"@query-param\";name=\"bar\""), STR_INIT("with%20plus%20whitespace") },
		{ STR_INIT("\"@query-param\";name=\"fa%C3%A7ade%22%3A%20\""), STR_INIT("something") },
		{ STR_INIT("\"@query-param\";name=\"qux\""), STR_INIT("") },
		{ STR_INIT("\"@query-param\";name=\"two\""), { NULL, 0 } },
		{ STR_INIT("\"@query-param\";name=\"none\""), { NULL, 0 } },
		{ STR_INIT("\"@query-param\""), { NULL, 0 } },
		{ STR_INIT("\"@status\""), { NULL, 0 } },
		{ STR_INIT("\"@method\";req"), { NULL, 0 } },
		{ STR_INIT("\"@unheard-of\""), { NULL, 0 } },
		{ STR_INIT("\"@signature-params\""), { NULL, 0 } },
		{ STR_INIT("\"example-dict\";key=\"a\""), STR_INIT("1") },
		{ STR_INIT("\"example-dict\";key=\"d\""), STR_INIT("?1") },
		{ STR_INIT("\"example-dict\";key=\"b\""), STR_INIT("2;x=1;y=2") },
		{ STR_INIT("\"example-dict\";key=\"c\""), STR_INIT("(a b c)") },
		{ STR_INIT("\"example-dict\";key=\"e\""), { NULL, 0 } },
		{ STR_INIT("\"example-header\";bs"), STR_INIT(":dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:") },
		{ STR_INIT("\"example-header\";bs;sf"), { NULL, 0 } },
		{ STR_INIT("\"example-header\";tr"), { NULL, 0 } },
		{ STR_INIT("\"priority\";sf"), STR_INIT("u=1, i") },
		{ STR_INIT("\"x-empty\""), STR_INIT("") },
		{ STR_INIT("\"cache-control\""), STR_INIT("max-age=60, must-revalidate") },
		{ STR_INIT("\"Cache-Control\""), { NULL, 0 } },
		{ STR_INIT("\"not-there\""), { NULL, 0 } },
		{ STR_INIT("\"@method\" \"@method\""), { NULL, 0 } },
	};
	const struct msgsig_message m = { .rq = { STR("GET"), STR("https"), STR_NULL, STR("/parameters"),
		STR("var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something&two=1&two=2&qux="),
		fields, ARRAY_LEN(fields) } };
	struct arena *a = arena_new(8 << 20);
	struct jose_keys *k = jose_keys_new();

	assert_int_equal(jose_keys_generate(k, STR_NULL, JOSE_HS256, NULL).code, GH_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str list = arena_printf(a, "(%.*s)", STR_ARG(rows[i].id));
		const struct msgsig_wish wish = { .components = list, .alg = JOSE_HS256 };
		struct msgsig_message again = m;
		const struct msgsig_rules rules = { .keys = k };
		struct sign_field f[16];
		struct msgsig_claim c;
		struct sign_added added;
		bool made = !msgsig_sign(a, &m, k, STR_NULL, &wish, &added, NULL).code;

		CHECK_INT(rows[i].id.p, made, rows[i].want.p != NULL);
		if (!made)
			continue;
		memcpy(f, fields, sizeof(fields));
		memcpy(f + ARRAY_LEN(fields), added.v, added.n * sizeof(*f));
		again.rq.fields = f;
		again.rq.n_fields += added.n;
		CHECK_VERDICT(rows[i].id.p, msgsig_parse(a, &again, STR_NULL, &c), SIGN_OK);
		CHECK_VERDICT(rows[i].id.p, msgsig_verify(a, &again, &c, &rules), SIGN_OK);
		CHECK_STR(rows[i].id.p, c.base, arena_printf(a, "%.*s: %.*s\n\"@signature-params\": (%.*s)", STR_ARG(rows[i].id),
							       STR_ARG(rows[i].want), STR_ARG(rows[i].id)));
	}
	jose_keys_free(k);
	arena_free(a);
	check_done();
}

static void rfc9421_rules(void **state UNUSED)
{
	enum { NOW = 1618884473 };
	static const struct str method = STR_INIT("@method"), digest = STR_INIT("content-digest");
	static const struct {
		const char *label;
		int64_t created_s, expires_s, now_s, window_s;
		const struct str *required;
		unsigned algs;
		bool say_alg;
		enum sign_verdict want;
	} rows[] = {
		{ "no rule", 0, 0, NOW, 0, NULL, 0, false, SIGN_OK },
		{ "in the window", NOW - 30, 0, NOW, 30, NULL, 0, false, SIGN_OK },
		{ "past the window", NOW - 31, 0, NOW, 30, NULL, 0, false, SIGN_TIME },
		{ "from the future", NOW + 31, 0, NOW, 30, NULL, 0, false, SIGN_TIME },
		{ "no time, window", 0, 0, NOW, 30, NULL, 0, false, SIGN_TIME },
		{ "last second", NOW, NOW + 1, NOW, 0, NULL, 0, false, SIGN_OK },
		{ "expired", NOW - 60, NOW, NOW, 0, NULL, 0, false, SIGN_EXPIRED },
		{ "covers the method", NOW, 0, NOW, 0, &method, 0, false, SIGN_OK },
		{ "does not cover the digest", NOW, 0, NOW, 0, &digest, 0, false, SIGN_NOT_COVERED },
		{ "algorithm allowed", NOW, 0, NOW, 0, NULL, JOSE_BIT(JOSE_HS256), true, SIGN_OK },
		{ "algorithm named, not allowed", NOW, 0, NOW, 0, NULL, JOSE_BIT(JOSE_ES256), true, SIGN_ALGORITHM },
		{ "algorithm not named, not allowed", NOW, 0, NOW, 0, NULL, JOSE_BIT(JOSE_ES256), false, SIGN_MISMATCH },
	};
	struct arena *a = arena_new(8 << 20);
	struct jose_keys *k = jose_keys_new();

	assert_int_equal(jose_keys_add_secret(k, STR("kk"), STR("0123456789abcdef0123456789abcdef"), NULL).code, GH_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct msgsig_wish wish = { .components = STR("(\"@method\")"), .created_s = rows[i].created_s, .key_id = STR("kk"),
						  .expires_s = rows[i].expires_s, .alg = JOSE_HS256, .say_alg = rows[i].say_alg };
		const struct msgsig_rules rules = { .keys = k, .now_s = rows[i].now_s, .window_s = rows[i].window_s,
						    .required = rows[i].required, .n_required = rows[i].required ? 1 : 0,
						    .algs = rows[i].algs };
		struct msgsig_message m = { .rq = { STR("GET"), STR("https"), STR("h"), STR("/"), STR_NULL, NULL, 0 } };
		struct msgsig_claim c;
		struct sign_added added;

		assert_int_equal(msgsig_sign(a, &m, k, STR_NULL, &wish, &added, NULL).code, GH_OK);
		m.rq.fields = added.v;
		m.rq.n_fields = added.n;
		CHECK_VERDICT(rows[i].label, msgsig_parse(a, &m, STR_NULL, &c), SIGN_OK);
		CHECK_VERDICT(rows[i].label, msgsig_verify(a, &m, &c, &rules), rows[i].want);
		c.key_id = STR("another");
		if (rows[i].want == SIGN_OK)
			CHECK_VERDICT(rows[i].label, msgsig_verify(a, &m, &c, &rules), SIGN_MISMATCH);
	}
	jose_keys_free(k);
	arena_free(a);
	check_done();
}

static void digests(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	struct str body = STR("{\"hello\": \"world\"}");

	/* RFC 9530, appendix B; the 512 bits stand in RFC 9421 as well */
	CHECK_STR("sha-256", content_digest(a, body, false), STR("sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"));
	CHECK_STR("sha-512", content_digest(a, body, true), STR("sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"));
	CHECK_VERDICT("both", content_digest_check(a, arena_printf(a, "%s, %s", content_digest(a, body, false).p, content_digest(a, body, true).p), body), SIGN_OK);
	CHECK_VERDICT("one wrong", content_digest_check(a, arena_printf(a, "%s, %s", content_digest(a, body, false).p, content_digest(a, STR("x"), true).p), body), SIGN_PAYLOAD);
	CHECK_VERDICT("another", content_digest_check(a, content_digest(a, STR("x"), false), body), SIGN_PAYLOAD);
	CHECK_VERDICT("unknown only", content_digest_check(a, STR("md5=:AAAA:"), body), SIGN_MISSING);
	CHECK_VERDICT("no bytes", content_digest_check(a, STR("sha-256=1"), body), SIGN_MALFORMED);
	CHECK_VERDICT("none", content_digest_check(a, STR_NULL, body), SIGN_MISSING);
	arena_free(a);
	check_done();
}

/* ---- structured fields -------------------------------------------------------------------------------------------------- */

static void structured_fields(void **state UNUSED)
{
	struct arena *a = arena_new(32 << 20);
	json_t *list = load(a, "tests/unit/core/sfv_vectors.json"), *v;
	size_t i;

	assert_true(json_array_size(list) > 150);
	json_array_foreach(list, i, v) {
		const char *label = json_string_value(jsn_get(v, "name"));
		struct str type = jsn_str(v, "type"), raw = jsn_str(v, "raw");
		struct sfv_list l = { 0 };
		struct sfv_item item;
		struct buf b;
		bool ok;

		buf_init(&b, 65536);
		if (str_eq(type, STR("item"))) {
			ok = sfv_parse_item(a, raw, &item);
			if (ok)
				sfv_write_item(&b, &item);
		} else if (str_eq(type, STR("list"))) {
			ok = sfv_parse_list(a, raw, &l);
			sfv_write_list(&b, &l);
		} else {
			ok = sfv_parse_dictionary(a, raw, &l);
			sfv_write_dictionary(&b, &l);
		}
		CHECK_INT(label, ok, !jsn_bool(v, "fails", false));
		if (ok && !jsn_bool(v, "fails", false))
			CHECK_STR(label, buf_view(&b), jsn_str(v, "canonical"));
		buf_release(&b);
	}
	arena_free(a);
	check_done();
}

/* ---- HMAC --------------------------------------------------------------------------------------------------------------- */

static void hmac_schemes(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct hmac_scheme s;
		struct str secret, field, want;          /* of one field; STR_NULL: only the round trip */
	} rows[] = {
		{ "default", { .iso_time = false }, STR_INIT("secret"), STR_INIT("X-Timestamp"), STR_INIT("1700000000") },
		/* the example of GitHub's webhook documentation */
		{ "body, prefixed", { .parts = STR_INIT("body"), .field = STR_INIT("X-Hub-Signature-256"), .prefix = STR_INIT("sha256="),
				      .timestamp_field = STR_INIT(""), .nonce_field = STR_INIT(""), .key_id_field = STR_INIT("") },
		  STR_INIT("It's a Secret to Everybody"), STR_INIT("X-Hub-Signature-256"),
		  STR_INIT("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17") },
		{ "sha512 in base64 over all", { .digest = STR_INIT("sha512"), .encoding = STR_INIT("base64"), .iso_time = true,
			.separator = STR_INIT("."), .parts = STR_INIT("'v1',method,scheme,host,path,query,target,timestamp,nonce,key-id,body,"
			"body-sha256,body-sha256-base64,header:Content-Type") }, STR_INIT("s"), STR_INIT("X-Timestamp"),
		  STR_INIT("2023-11-14T22:13:20Z") },
		{ "secret in base64", { .secret_base64 = true }, STR_INIT("c2VjcmV0"), { NULL, 0 }, { NULL, 0 } },
	};
	struct arena *a = arena_new(8 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sign_field f[16] = { { STR("Content-Type"), STR("text/plain") } };
		struct sign_request rq = { STR("POST"), STR("https"), STR("h.example"), STR("/p"), STR("q=1"), f, 1 };
		const struct hmac_scheme *s = &rows[i].s;
		struct str body = STR("Hello, World!");
		struct hmac_claim c;
		struct sign_added added;
		int64_t window = s->timestamp_field.p ? 0 : 300;

		assert_int_equal(hmac_sign(a, &rq, s, STR("id1"), rows[i].secret, body, 1700000000, STR("n0nce"), &added, NULL).code, GH_OK);
		for (size_t k = 0; k < added.n; k++)
			if (str_eq(added.v[k].name, rows[i].field))
				CHECK_STR(rows[i].label, added.v[k].value, rows[i].want);
		memcpy(f + 1, added.v, added.n * sizeof(*f));
		rq.n_fields += added.n;
		CHECK_VERDICT(rows[i].label, hmac_parse(a, &rq, s, &c), SIGN_OK);
		if (window) {
			CHECK_STR(rows[i].label, c.key_id, STR("id1"));
			CHECK_STR(rows[i].label, c.nonce, STR("n0nce"));
		}
		CHECK_VERDICT(rows[i].label, hmac_verify(a, &rq, s, &c, rows[i].secret, body, 1700000300, window), SIGN_OK);
		CHECK_VERDICT(rows[i].label, hmac_verify(a, &rq, s, &c, rows[i].secret, body, 1700000301, window), window ? SIGN_TIME : SIGN_OK);
		CHECK_VERDICT(rows[i].label, hmac_verify(a, &rq, s, &c, rows[i].secret, STR("Hello, World"), 1700000000, window), SIGN_MISMATCH);
		CHECK_VERDICT(rows[i].label, hmac_verify(a, &rq, s, &c, STR("c2VjcmVU"), body, 1700000000, window), SIGN_MISMATCH);
		if (window) {
			rq.method = STR("PUT");
			CHECK_VERDICT(rows[i].label, hmac_verify(a, &rq, s, &c, rows[i].secret, body, 1700000000, window), SIGN_MISMATCH);
			c.at_s = 0;
			CHECK_VERDICT(rows[i].label, hmac_verify(a, &rq, s, &c, rows[i].secret, body, 1700000000, window), SIGN_NOT_COVERED);
		}
	}
	arena_free(a);
	check_done();
}

static void hmac_faults(void **state UNUSED)
{
	static const struct {
		struct hmac_scheme s;
		struct str says;
	} bad[] = {
		{ { .digest = STR_INIT("md5") }, STR_INIT("md5") },
		{ { .encoding = STR_INIT("rot13") }, STR_INIT("rot13") },
		{ { .parts = STR_INIT("method,header:") }, STR_INIT("header:") },
		{ { .parts = STR_INIT("") }, STR_INIT("no part") },
	};
	static const struct {
		struct str value;
		enum sign_verdict want;
	} rows[] = {
		{ { NULL, 0 }, SIGN_MISSING }, { STR_INIT(""), SIGN_MALFORMED }, { STR_INIT("sha256="), SIGN_MALFORMED },
		{ STR_INIT("sha1=00"), SIGN_MALFORMED }, { STR_INIT("sha256=0g"), SIGN_MALFORMED }, { STR_INIT("sha256=00"), SIGN_OK },
	};
	const struct hmac_scheme s = { .prefix = STR("sha256=") };
	struct arena *a = arena_new(1 << 20);
	struct hmac_claim c;
	struct gh_err err;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CHECK_INT(bad[i].says.p, hmac_scheme_check(&bad[i].s, &err).code, GH_E_INVALID);
		CHECK(bad[i].says.p, strstr(err.message, bad[i].says.p) != NULL);
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct sign_field f[] = { { STR("X-Signature"), rows[i].value } };
		const struct sign_request rq = { STR("GET"), STR("https"), STR("h"), STR("/"), STR_NULL, f, rows[i].value.p ? 1 : 0 };

		CHECK_VERDICT(rows[i].value.p ? rows[i].value.p : "none", hmac_parse(a, &rq, &s, &c), rows[i].want);
	}
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aws_suite), cmocka_unit_test(aws_s3), cmocka_unit_test(aws_refusals), cmocka_unit_test(aws_malformed),
		cmocka_unit_test(rfc9421), cmocka_unit_test(components), cmocka_unit_test(rfc9421_rules), cmocka_unit_test(digests),
		cmocka_unit_test(structured_fields), cmocka_unit_test(hmac_schemes), cmocka_unit_test(hmac_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
