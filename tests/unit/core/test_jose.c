/* Tokens: vectors made by another library (jose_vectors.json, npm jose 6), those of RFC 7520 when its cookbook is there, and
 * the table of attacks. */
#include "tests/unit/check.h"

#include "core/crypto.h"
#include "core/file.h"
#include "core/jose.h"

#include <stdlib.h>

static json_t *load(struct arena *a, const char *path)
{
	struct str text;
	json_t *v = NULL;

	if (file_read(a, path, 1 << 20, &text, NULL).code || jsn_parse_in(a, text, NULL, &v, NULL, NULL).code)
		return NULL;
	return v;
}

static struct jose_keys *keys_of(const json_t *jwk)
{
	struct jose_keys *k = jose_keys_new();
	struct gh_err err = { 0 };

	if (jwk && jose_keys_add_jwk(k, jwk, &err).code)
		fprintf(stderr, "# key: %s\n", err.message);
	return k;
}

#define CHECK_REASON(label, got, want)                                                                          \
	do {                                                                                                    \
		enum jose_reason got_ = (got), want_ = (want);                                                  \
		if (got_ != want_) {                                                                            \
			check_failures++;                                                                       \
			fprintf(stderr, "# %d: %s: got %s, want %s\n", __LINE__, (label), jose_reason_name(got_), jose_reason_name(want_)); \
		}                                                                                               \
	} while (0)

static void signed_by_others(void **state UNUSED)
{
	struct arena *a = arena_new(16 << 20);
	json_t *vectors = load(a, "tests/unit/core/jose_vectors.json"), *list = json_object_get(vectors, "signed"), *v;
	struct jose_keys *all = jose_keys_new();
	size_t i;

	assert_int_equal(json_array_size(list), 13);
	json_array_foreach(list, i, v)
		assert_int_equal(jose_keys_add_jwk(all, jsn_get(v, "public"), NULL).code, GH_OK);
	json_array_foreach(list, i, v) {
		const char *label = json_string_value(jsn_get(v, "alg"));
		struct str token = jsn_str(v, "token");
		struct jose_keys *one = keys_of(jsn_get(v, "public"));
		enum jose_alg alg = jose_alg_of(str_of(label));
		struct jose_token t;
		char *broken = strdup(token.p);
		const struct jose_rules alone = { .keys = one, .algs = JOSE_BIT(alg) }, among = { .keys = all };
		const struct jose_rules other = { .keys = all, .algs = ~JOSE_BIT(alg) };

		CHECK_REASON(label, jose_verify(a, token, &alone, &t), JOSE_OK);
		CHECK_REASON(label, jose_verify(a, token, &among, &t), JOSE_OK);
		CHECK(label, json_equal(t.claims, jsn_get(vectors, "claims")));
		CHECK_INT(label, t.alg, alg);
		CHECK_STR(label, t.kid, jsn_str(jsn_get(v, "public"), "kid"));
		CHECK_REASON(label, jose_verify(a, token, &other, &t), JOSE_ALG_NOT_ALLOWED);
		/* one bit of the payload, one of the signature */
		broken[token.n / 2] = broken[token.n / 2] == 'A' ? 'B' : 'A';
		CHECK(label, jose_verify(a, str_of(broken), &among, &t) != JOSE_OK);
		memcpy(broken, token.p, token.n);
		broken[token.n - 10] = broken[token.n - 10] == 'A' ? 'B' : 'A';
		CHECK_REASON(label, jose_verify(a, str_of(broken), &among, &t), JOSE_SIGNATURE);
		free(broken);
		jose_keys_free(one);
	}
	jose_keys_free(all);
	arena_free(a);
	check_done();
}

static void encrypted_by_others(void **state UNUSED)
{
	struct arena *a = arena_new(16 << 20);
	json_t *vectors = load(a, "tests/unit/core/jose_vectors.json"), *list = json_object_get(vectors, "encrypted"), *v;
	size_t i;

	assert_int_equal(json_array_size(list), 19);
	json_array_foreach(list, i, v) {
		struct str label = arena_printf(a, "%s %s", jsn_str(v, "alg").p, jsn_str(v, "enc").p), token = jsn_str(v, "token");
		struct jose_keys *keys = keys_of(jsn_get(v, "key"));
		const struct jose_rules rules = { .decryption_keys = keys, .allow_unsigned = true }, strict = { .decryption_keys = keys };
		const struct jose_rules none = { .allow_unsigned = true };
		struct jose_token t;

		CHECK_REASON(label.p, jose_verify(a, token, &rules, &t), JOSE_OK);
		CHECK(label.p, t.claims && json_equal(t.claims, jsn_get(vectors, "claims")) && t.encrypted);
		CHECK_REASON(label.p, jose_verify(a, token, &strict, &t), JOSE_UNSIGNED);
		CHECK_REASON(label.p, jose_verify(a, token, &none, &t), JOSE_KEY_NOT_FOUND);
		/* each of the last four parts with one character changed */
		for (size_t part = 1, at = str_find_char(token, '.') + 1; part < 5; part++) {
			struct str rest = str_from(token, at);
			size_t n = str_find_char(rest, '.') == SIZE_MAX ? rest.n : str_find_char(rest, '.');
			char *broken = strdup(token.p);

			if (n > 0) {
				broken[at] = broken[at] == 'A' ? 'B' : 'A';
				CHECK_REASON(label.p, jose_verify(a, str_of(broken), &rules, &t), JOSE_DECRYPTION);
			}
			at += n + 1;
			free(broken);
		}
		jose_keys_free(keys);
	}
	arena_free(a);
	check_done();
}

static void cookbook(void **state UNUSED)
{
	static const struct {
		const char *file;
		enum jose_reason want;
	} rows[] = {
		/* the payloads are prose: CLAIMS says that the signature is good */
		{ "jws/4_1.rsa_v15_signature.json", JOSE_CLAIMS },
		{ "jws/4_2.rsa-pss_signature.json", JOSE_CLAIMS },
		{ "jws/4_3.ecdsa_signature.json", JOSE_CLAIMS },
		{ "jws/4_4.hmac-sha2_integrity_protection.json", JOSE_CLAIMS },
		{ "curve25519/jws.json", JOSE_CLAIMS },
		{ "rfc7797/hmac-sha2_b64_false.json", JOSE_CRITICAL },
		{ "jws/4_5.signature_with_detached_content.json", JOSE_SIGNATURE },
		{ "jwe/5_1.key_encryption_using_rsa_v15_and_aes-hmac-sha2.json", JOSE_ALG_NOT_ALLOWED },
		{ "jwe/5_2.key_encryption_using_rsa-oaep_with_aes-gcm.json", JOSE_CLAIMS },
		{ "jwe/5_3.key_wrap_using_pbes2-aes-keywrap_with-aes-cbc-hmac-sha2.json", JOSE_ALG_NOT_ALLOWED },
		{ "jwe/5_4.key_agreement_with_key_wrapping_using_ecdh-es_and_aes-keywrap_with_aes-gcm.json", JOSE_CLAIMS },
		{ "jwe/5_5.key_agreement_using_ecdh-es_with_aes-cbc-hmac-sha2.json", JOSE_CLAIMS },
		{ "jwe/5_6.direct_encryption_using_aes-gcm.json", JOSE_CLAIMS },
		{ "jwe/5_7.key_wrap_using_aes-gcm_keywrap_with_aes-cbc-hmac-sha2.json", JOSE_CLAIMS },
		{ "jwe/5_8.key_wrap_using_aes-keywrap_with_aes-gcm.json", JOSE_CLAIMS },
		{ "jwe/5_9.compressed_content.json", JOSE_HEADER },
		{ "curve25519/ecdh-es.json", JOSE_CLAIMS },
	};
	const char *suites = getenv("GATEHOUSE_SUITES") ? getenv("GATEHOUSE_SUITES") : "../shared/suites";
	struct arena *a = arena_new(16 << 20);

	if (!load(a, arena_printf(a, "%s/jose-cookbook/jws/4_1.rsa_v15_signature.json", suites).p)) {
		arena_free(a);
		check_skip("what it needs is not here");
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *v = load(a, arena_printf(a, "%s/jose-cookbook/%s", suites, rows[i].file).p), *input = jsn_get(v, "input");
		struct str payload = jsn_str(input, "payload").p ? jsn_str(input, "payload") : jsn_str(input, "plaintext");
		json_t *jwk = json_incref(jsn_get(input, "key"));
		struct jose_keys *keys = keys_of(jwk);
		const struct jose_rules rules = { .keys = keys, .decryption_keys = keys, .allow_unsigned = true };
		struct jose_token t;

		CHECK_REASON(rows[i].file, jose_verify(a, jsn_str(jsn_get(v, "output"), "compact"), &rules, &t), rows[i].want);
		if (rows[i].want == JOSE_CLAIMS)
			CHECK_STR(rows[i].file, t.payload, payload);
		jose_keys_free(keys);
		json_decref(jwk);
	}
	arena_free(a);
	check_done();
}

/* Compact form with a header and payload of our choice, signed with HMAC over the secret. */
static struct str forged(struct arena *a, const char *header, struct str payload, struct str secret)
{
	struct str text = arena_printf(a, "%s.%s", crypto_base64url(a, str_of(header)).p, crypto_base64url(a, payload).p);
	uint8_t mac[32];

	crypto_hmac_sha256(secret, text, mac);
	return arena_printf(a, "%s.%s", text.p, crypto_base64url(a, (struct str){ (char *)mac, 32 }).p);
}

#define SECRET "0123456789abcdef0123456789abcdef"

static void attacks(void **state UNUSED)
{
	static const struct {
		const char *label, *header, *payload;
		enum jose_reason want;
	} rows[] = {
		{ "good", "{\"alg\":\"HS256\"}", "{\"a\":1}", JOSE_OK },
		{ "good, with its kid", "{\"alg\":\"HS256\",\"kid\":\"s\"}", "{\"a\":1}", JOSE_OK },
		{ "unknown kid", "{\"alg\":\"HS256\",\"kid\":\"x\"}", "{}", JOSE_KEY_NOT_FOUND },
		{ "kid is a path", "{\"alg\":\"HS256\",\"kid\":\"../../dev/null\"}", "{}", JOSE_KEY_NOT_FOUND },
		{ "kid is a query", "{\"alg\":\"HS256\",\"kid\":\"' or '1'='1\"}", "{}", JOSE_KEY_NOT_FOUND },
		{ "kid is no text", "{\"alg\":\"HS256\",\"kid\":{}}", "{}", JOSE_HEADER },
		{ "no algorithm", "{}", "{}", JOSE_HEADER },
		{ "algorithm is no text", "{\"alg\":1}", "{}", JOSE_HEADER },
		{ "unknown algorithm", "{\"alg\":\"HS257\"}", "{}", JOSE_ALG_NOT_ALLOWED },
		{ "algorithm in small letters", "{\"alg\":\"hs256\"}", "{}", JOSE_ALG_NOT_ALLOWED },
		{ "none with a signature", "{\"alg\":\"none\"}", "{}", JOSE_UNSIGNED },
		{ "NONE", "{\"alg\":\"NONE\"}", "{}", JOSE_ALG_NOT_ALLOWED },
		{ "another algorithm of the same kind", "{\"alg\":\"HS512\"}", "{}", JOSE_ALG_NOT_ALLOWED },
		{ "signature of another kind", "{\"alg\":\"RS256\"}", "{}", JOSE_ALG_NOT_ALLOWED },
		{ "critical extension", "{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}", "{}", JOSE_CRITICAL },
		{ "empty critical list", "{\"alg\":\"HS256\",\"crit\":[]}", "{}", JOSE_CRITICAL },
		{ "unencoded payload", "{\"alg\":\"HS256\",\"b64\":false}", "{}", JOSE_HEADER },
		{ "compressed", "{\"alg\":\"HS256\",\"zip\":\"DEF\"}", "{}", JOSE_HEADER },
		{ "name twice in the header", "{\"alg\":\"HS256\",\"alg\":\"HS256\"}", "{}", JOSE_HEADER },
		{ "name twice in the claims", "{\"alg\":\"HS256\"}", "{\"sub\":\"a\",\"sub\":\"b\"}", JOSE_CLAIMS },
		{ "claims are a list", "{\"alg\":\"HS256\"}", "[]", JOSE_CLAIMS },
		{ "claims are a text", "{\"alg\":\"HS256\"}", "\"a\"", JOSE_CLAIMS },
		{ "header is a list", "[\"alg\",\"HS256\"]", "{}", JOSE_HEADER },
		{ "header is broken", "{\"alg\":\"HS256\"", "{}", JOSE_HEADER },
		{ "a key of its own is ignored", "{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}}", "{}", JOSE_OK },
		{ "addresses of keys are ignored", "{\"alg\":\"HS256\",\"jku\":\"https://evil.example\",\"x5u\":\"https://evil.example\"}", "{}",
		  JOSE_OK },
		{ "a large integer does no harm", "{\"alg\":\"HS256\"}", "{\"n\":18446744073709551616}", JOSE_OK },
	};
	struct arena *a = arena_new(16 << 20);
	struct jose_keys *keys = jose_keys_new();
	const struct jose_rules rules = { .keys = keys, .algs = JOSE_BIT(JOSE_HS256) | JOSE_BIT(JOSE_RS256) };
	struct jose_token t;

	assert_int_equal(jose_keys_add_secret(keys, STR("s"), STR(SECRET), NULL).code, GH_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_REASON(rows[i].label, jose_verify(a, forged(a, rows[i].header, str_of(rows[i].payload), STR(SECRET)), &rules, &t),
			     rows[i].want);
	jose_keys_free(keys);
	arena_free(a);
	check_done();
}

static void confusion(void **state UNUSED)
{
	struct arena *a = arena_new(16 << 20);
	json_t *vectors = load(a, "tests/unit/core/jose_vectors.json");
	json_t *rs = json_array_get(json_object_get(vectors, "signed"), 3);
	json_t *jwk = json_deep_copy(jsn_get(rs, "public"));
	struct jose_keys *keys;
	struct jose_token t;
	struct str forms[2];

	assert_string_equal(json_string_value(jsn_get(rs, "alg")), "RS256");
	json_object_del(jwk, "alg");
	json_object_del(jwk, "kid");
	keys = keys_of(jwk);
	forms[0] = jsn_str(jwk, "n");
	forms[1] = jsn_text(a, jwk, 0);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		const struct jose_rules rules = { .keys = keys };

		CHECK_REASON("public key as a secret", jose_verify(a, forged(a, "{\"alg\":\"HS256\"}", STR("{}"), forms[i]), &rules, &t),
			     JOSE_ALG_NOT_ALLOWED);
	}
	json_decref(jwk);
	jose_keys_free(keys);
	arena_free(a);
	check_done();
}

static void forms(void **state UNUSED)
{
	struct arena *a = arena_new(16 << 20);
	struct jose_keys *keys = jose_keys_new();
	const struct jose_rules rules = { .keys = keys }, open = { .keys = keys, .allow_unsigned = true };
	struct str good = forged(a, "{\"alg\":\"HS256\"}", STR("{}"), STR(SECRET)), last;
	struct jose_token t;
	char *huge = malloc(JOSE_MAX_TOKEN_BYTES + 2), *deep = malloc(401);
	char *other;

	assert_int_equal(jose_keys_add_secret(keys, STR_NULL, STR(SECRET), NULL).code, GH_OK);
	CHECK_REASON("empty", jose_verify(a, STR(""), &rules, &t), JOSE_MALFORMED);
	CHECK_REASON("one part", jose_verify(a, STR("abc"), &rules, &t), JOSE_MALFORMED);
	CHECK_REASON("four parts", jose_verify(a, STR("a.b.c.d"), &rules, &t), JOSE_MALFORMED);
	CHECK_REASON("six parts", jose_verify(a, STR("a.b.c.d.e.f"), &rules, &t), JOSE_MALFORMED);
	CHECK_REASON("dots", jose_verify(a, STR(".."), &rules, &t), JOSE_MALFORMED);
	CHECK_REASON("four dots", jose_verify(a, STR("...."), &rules, &t), JOSE_MALFORMED);
	CHECK_REASON("good", jose_verify(a, good, &rules, &t), JOSE_OK);
	CHECK_REASON("cut within a byte", jose_verify(a, str_first(good, good.n - 4), &rules, &t), JOSE_MALFORMED);
	CHECK_REASON("cut", jose_verify(a, str_first(good, good.n - 3), &rules, &t), JOSE_SIGNATURE);
	CHECK_REASON("signature gone", jose_verify(a, str_first(good, str_rfind_char(good, '.') + 1), &rules, &t), JOSE_UNSIGNED);
	CHECK_REASON("padded", jose_verify(a, arena_printf(a, "%s=", good.p), &rules, &t), JOSE_MALFORMED);
	CHECK_REASON("line feed", jose_verify(a, arena_printf(a, "%s\n", good.p), &rules, &t), JOSE_MALFORMED);
	/* 32 bytes leave two bits over in the last character; they must be zero */
	other = strdup(good.p);
	other[good.n - 1] = (char)(other[good.n - 1] + 1);
	CHECK("left-over bits", jose_verify(a, str_of(other), &rules, &t) != JOSE_OK);
	free(other);
	memset(huge, 'a', JOSE_MAX_TOKEN_BYTES + 1);
	huge[JOSE_MAX_TOKEN_BYTES + 1] = '\0';
	CHECK_REASON("huge", jose_verify(a, str_of(huge), &rules, &t), JOSE_TOO_LARGE);
	memset(deep, '[', 200);
	memset(deep + 200, ']', 200);
	deep[400] = '\0';
	last = arena_printf(a, "{\"a\":%s}", deep);
	CHECK_REASON("deep claims", jose_verify(a, forged(a, "{\"alg\":\"HS256\"}", last, STR(SECRET)), &rules, &t), JOSE_CLAIMS);
	last = arena_printf(a, "%s.%s.", crypto_base64url(a, STR("{\"alg\":\"none\"}")).p, crypto_base64url(a, STR("{\"a\":1}")).p);
	CHECK_REASON("unsigned", jose_verify(a, last, &rules, &t), JOSE_UNSIGNED);
	CHECK_REASON("unsigned, allowed", jose_verify(a, last, &open, &t), JOSE_OK);
	CHECK_INT("and its claims", jsn_int(t.claims, "a", 0), 1);
	CHECK_REASON("decoding only", jose_decode(a, last, &t), JOSE_OK);
	CHECK_REASON("none of the keys", jose_verify(a, good, &(struct jose_rules){ .keys = NULL }, &t), JOSE_KEY_NOT_FOUND);
	free(huge);
	free(deep);
	jose_keys_free(keys);
	arena_free(a);
	check_done();
}

static void bad_keys(void **state UNUSED)
{
	static const struct {
		const char *label, *jwk;
		enum gh_code want;
	} rows[] = {
		{ "short secret", "{\"kty\":\"oct\",\"k\":\"AAAAAAAAAAAAAAAAAAAA\"}", GH_E_INVALID },
		{ "padded secret", "{\"kty\":\"oct\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAA==\"}", GH_E_INVALID },
		{ "unknown type", "{\"kty\":\"lattice\"}", GH_E_UNSUPPORTED },
		{ "no type", "{\"k\":1}", GH_E_SYNTAX },
		{ "unknown curve", "{\"kty\":\"EC\",\"crv\":\"P-111\",\"x\":\"AA\",\"y\":\"AA\"}", GH_E_UNSUPPORTED },
		{ "curve of another type", "{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"x\":\"AA\",\"y\":\"AA\"}", GH_E_UNSUPPORTED },
		{ "point not on the curve", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		  "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1\"}", GH_E_INVALID },
		{ "short coordinate", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		  "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}", GH_E_INVALID },
		{ "small RSA", "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"ALuqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqs\"}",
		  GH_E_INVALID },
		{ "RSA without a modulus", "{\"kty\":\"RSA\",\"e\":\"AQAB\"}", GH_E_INVALID },
		{ "halves of two keys", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\","
		  "\"d\":\"AWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}", GH_E_INVALID },
	};
	struct arena *a = arena_new(1 << 20);
	struct jose_keys *keys = jose_keys_new();
	unsigned skipped = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gh_err err = { 0 };

		CHECK_INT(rows[i].label, jose_keys_add_jwks(keys, str_of(rows[i].jwk), NULL, &err).code, rows[i].want);
	}
	CHECK_INT("none was added", jose_keys_count(keys), 0);
	CHECK_INT("a set leaves out what it does not know", jose_keys_add_jwks(keys, STR("{\"keys\":[{\"kty\":\"x\"},1,{\"kty\":\"oct\","
		  "\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAA\"}]}"), &skipped, NULL).code, GH_OK);
	CHECK_INT("two", skipped, 2);
	CHECK_INT("one stays", jose_keys_count(keys), 1);
	CHECK_INT("no set", jose_keys_add_jwks(keys, STR("{\"a\":1}"), NULL, NULL).code, GH_E_SYNTAX);
	CHECK_INT("no JSON", jose_keys_add_jwks(keys, STR("<html>"), NULL, NULL).code, GH_E_SYNTAX);
	CHECK_INT("no PEM", jose_keys_add_pem(keys, STR_NULL, STR("-----BEGIN CERTIFICATE-----\n"), NULL).code, GH_E_INVALID);
	jose_keys_free(keys);
	arena_free(a);
	check_done();
}

static void signing(void **state UNUSED)
{
	struct arena *a = arena_new(32 << 20);
	json_t *vectors = load(a, "tests/unit/core/jose_vectors.json"), *list = json_object_get(vectors, "signed"), *v;
	size_t i;

	/* the same bytes as the other library makes, where the algorithm leaves no choice */
	json_array_foreach(list, i, v) {
		const char *name = json_string_value(jsn_get(v, "alg"));
		struct jose_keys *keys;
		struct str token = STR_NULL;

		if (!jsn_get(v, "private"))
			continue;
		keys = keys_of(jsn_get(v, "private"));
		CHECK_INT(name, jose_sign(a, keys, STR_NULL, jose_alg_of(str_of(name)), jsn_get(vectors, "claims"), &token, NULL).code, GH_OK);
		if (name[0] == 'H' || name[0] == 'R' || name[1] == 'd')
			CHECK_STR(name, token, jsn_str(v, "token"));
		jose_keys_free(keys);
	}
	for (int alg = JOSE_NO_ALG + 1; alg < JOSE_ALG__COUNT; alg++) {
		const char *name = jose_alg_name((enum jose_alg)alg);
		struct jose_keys *keys = jose_keys_new(), *public = jose_keys_new();
		const struct jose_rules rules = { .keys = name[0] == 'H' ? keys : public };
		struct jose_token t;
		struct str token = STR_NULL;
		json_t *set;

		CHECK_INT(name, jose_keys_generate(keys, STR("k1"), (enum jose_alg)alg, NULL).code, GH_OK);
		CHECK_INT(name, jose_sign(a, keys, STR("k1"), (enum jose_alg)alg, jsn_get(vectors, "claims"), &token, NULL).code, GH_OK);
		set = jose_keys_public(keys);
		CHECK_INT(name, jose_keys_add_jwks(public, jsn_text(a, set, 0), NULL, NULL).code, GH_OK);
		CHECK(name, str_find(jsn_text(a, set, 0), STR("\"d\":")) == SIZE_MAX);
		CHECK_INT(name, jose_keys_count(public), name[0] == 'H' ? 0 : 1);
		json_decref(set);
		CHECK_REASON(name, jose_verify(a, token, &rules, &t), JOSE_OK);
		/* written with its private half and read again, it signs for the same public key */
		set = jose_keys_private(keys);
		jose_keys_free(keys);
		keys = jose_keys_new();
		CHECK_INT(name, jose_keys_add_jwks(keys, jsn_text(a, set, 0), NULL, NULL).code, GH_OK);
		json_decref(set);
		CHECK_INT(name, jose_sign(a, keys, STR_NULL, (enum jose_alg)alg, jsn_get(vectors, "claims"), &token, NULL).code, GH_OK);
		CHECK_REASON(name, jose_verify(a, token, &(struct jose_rules){ .keys = name[0] == 'H' ? keys : public }, &t), JOSE_OK);
		CHECK_INT(name, jose_sign(a, keys, STR("other"), (enum jose_alg)alg, jsn_get(vectors, "claims"), &token, NULL).code, GH_E_INVALID);
		jose_keys_free(keys);
		jose_keys_free(public);
	}
	arena_free(a);
	check_done();
}

static const char key_pem[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgBWkkvqK8LOuJomuv\n"
	"KCRqovHva8NcB0sIwQ9EkxMmJOyhRANCAASir31Sxoys1AHwOLa1BILTo/WD7wIY\n"
	"IRGq694CMiSMXmLaQOsinZC0J5pJ4KPg5h2RUWi8ujveaXU3K1q4rRIQ\n"
	"-----END PRIVATE KEY-----\n";
static const char cert_pem[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBbjCCARWgAwIBAgIUWmtTRFwCd5QD6EIEkSRKDz02zUkwCgYIKoZIzj0EAwIw\n"
	"DDEKMAgGA1UEAwwBdDAgFw0yNjExMjEwNzEzMzVaGA8yMTI2MTAyODA3MTMzNVow\n"
	"DDEKMAgGA1UEAwwBdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKKvfVLGjKzU\n"
	"AfA4trUEgtOj9YPvAhghEarr3gIyJIxeYtpA6yKdkLQnmkngo+DmHZFRaLy6O95p\n"
	"dTcrWritEhCjUzBRMB0GA1UdDgQWBBQ1WKLlj9/iuJNbAII8mp9mM9zCgzAfBgNV\n"
	"HSMEGDAWgBQ1WKLlj9/iuJNbAII8mp9mM9zCgzAPBgNVHRMBAf8EBTADAQH/MAoG\n"
	"CCqGSM49BAMCA0cAMEQCIA5L+HPG9ctgr/HSndVf+u/Njkyesd8gcZOtm2wW9DyR\n"
	"AiBQXKoF5rAwRhKIHNOcdxwmQ6pHK8w4NNHqhifnF0iWMg==\n"
	"-----END CERTIFICATE-----\n";

static void files(void **state UNUSED)
{
	struct arena *a = arena_new(4 << 20);
	struct jose_keys *private = jose_keys_new(), *cert = jose_keys_new(), *der = jose_keys_new();
	const struct jose_rules rules = { .keys = cert };
	struct str token, bytes, text = STR_NULL, body = str_of(cert_pem), rest;
	struct jose_token t;
	json_t *v;

	assert_int_equal(jose_keys_add_pem(private, STR_NULL, str_of(key_pem), NULL).code, GH_OK);
	assert_int_equal(jose_keys_add_pem(cert, STR_NULL, str_of(cert_pem), NULL).code, GH_OK);
	assert_int_equal(jsn_parse_in(a, STR("{\"a\":1}"), NULL, &v, NULL, NULL).code, GH_OK);
	assert_int_equal(jose_sign(a, private, STR_NULL, JOSE_ES256, v, &token, NULL).code, GH_OK);
	CHECK_REASON("signed with the key, checked with the certificate", jose_verify(a, token, &rules, &t), JOSE_OK);
	CHECK_INT("a certificate signs nothing", jose_sign(a, cert, STR_NULL, JOSE_ES256, v, &text, NULL).code, GH_E_INVALID);
	CHECK_INT("the curve decides", jose_sign(a, private, STR_NULL, JOSE_ES384, v, &text, NULL).code, GH_E_INVALID);
	/* the same certificate in DER: what stands between the lines of dashes, decoded */
	rest = str_from(body, str_find_char(body, '\n') + 1);
	rest = str_first(rest, str_find(rest, STR("-----")));
	for (struct str line; str_split(&rest, '\n', &line);)
		text = arena_printf(a, "%.*s%.*s", STR_ARG(text), STR_ARG(line));
	assert_true(crypto_base64_decode(a, text, &bytes));
	CHECK_INT("DER", jose_keys_add_pem(der, STR_NULL, bytes, NULL).code, GH_OK);
	CHECK_REASON("the same key", jose_verify(a, token, &(struct jose_rules){ .keys = der }, &t), JOSE_OK);
	jose_keys_free(private);
	jose_keys_free(cert);
	jose_keys_free(der);
	arena_free(a);
	check_done();
}

static void thumbprints(void **state UNUSED)
{
	static const struct {
		const char *label, *header;
		enum jose_reason want;
	} rows[] = {
		{ "SHA-1", "{\"alg\":\"ES256\",\"x5t\":\"vG5ZgP4GBflNk2idI6T-JIGK3EA\"}", JOSE_SIGNATURE },
		{ "SHA-256", "{\"alg\":\"ES256\",\"x5t#S256\":\"GSKzkVNpJCRVEprSPe_HMtv076TWAmiS4VvHEamzFNE\"}", JOSE_SIGNATURE },
		{ "as a kid", "{\"alg\":\"ES256\",\"kid\":\"vG5ZgP4GBflNk2idI6T-JIGK3EA\"}", JOSE_SIGNATURE },
		{ "of another certificate", "{\"alg\":\"ES256\",\"x5t\":\"vG5ZgP4GBflNk2idI6T-JIGK3EB\"}", JOSE_KEY_NOT_FOUND },
	};
	struct arena *a = arena_new(4 << 20);
	struct jose_keys *cert = jose_keys_new();
	const struct jose_rules rules = { .keys = cert };
	struct jose_token t;

	assert_int_equal(jose_keys_add_pem(cert, STR_NULL, str_of(cert_pem), NULL).code, GH_OK);
	/* the signature is not good, but the key was found by its thumbprint */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_REASON(rows[i].label, jose_verify(a, forged(a, rows[i].header, STR("{}"), STR(SECRET)), &rules, &t), rows[i].want);
	jose_keys_free(cert);
	arena_free(a);
	check_done();
}

static void claims(void **state UNUSED)
{
	static const struct str issuers[] = { STR_INIT("https://a"), STR_INIT("https://b") }, audiences[] = { STR_INIT("api") };
	static const struct {
		const char *label, *claims;
		int64_t skew;
		bool need_exp, check_iss, check_aud;
		enum jose_reason want;
	} rows[] = {
		{ "nothing asked", "{}", 0, false, false, false, JOSE_OK },
		{ "expiry asked", "{}", 0, true, false, false, JOSE_NO_EXPIRY },
		{ "a second left", "{\"exp\":1001}", 0, true, false, false, JOSE_OK },
		{ "the last instant", "{\"exp\":1000}", 0, true, false, false, JOSE_EXPIRED },
		{ "within the tolerance", "{\"exp\":991}", 10, true, false, false, JOSE_OK },
		{ "at its end", "{\"exp\":990}", 10, true, false, false, JOSE_EXPIRED },
		{ "fraction", "{\"exp\":1000.5}", 0, true, false, false, JOSE_OK },
		{ "expiry as a text", "{\"exp\":\"2000\"}", 0, false, false, false, JOSE_CLAIMS },
		{ "negative expiry", "{\"exp\":-1}", 0, false, false, false, JOSE_CLAIMS },
		{ "begins now", "{\"nbf\":1000}", 0, false, false, false, JOSE_OK },
		{ "begins in a second", "{\"nbf\":1001}", 0, false, false, false, JOSE_NOT_YET },
		{ "begins within the tolerance", "{\"nbf\":1010}", 10, false, false, false, JOSE_OK },
		{ "issuer", "{\"iss\":\"https://b\"}", 0, false, true, false, JOSE_OK },
		{ "another issuer", "{\"iss\":\"https://b/\"}", 0, false, true, false, JOSE_ISSUER },
		{ "no issuer", "{}", 0, false, true, false, JOSE_ISSUER },
		{ "issuer is a list", "{\"iss\":[\"https://b\"]}", 0, false, true, false, JOSE_ISSUER },
		{ "audience", "{\"aud\":\"api\"}", 0, false, false, true, JOSE_OK },
		{ "one of the audiences", "{\"aud\":[1,\"x\",\"api\"]}", 0, false, false, true, JOSE_OK },
		{ "another audience", "{\"aud\":[\"API\"]}", 0, false, false, true, JOSE_AUDIENCE },
		{ "no audience", "{}", 0, false, false, true, JOSE_AUDIENCE },
		{ "audience is an object", "{\"aud\":{\"api\":1}}", 0, false, false, true, JOSE_AUDIENCE },
	};
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct jose_claim_rules rules = {
			.now_s = 1000, .skew_s = rows[i].skew, .require_expiry = rows[i].need_exp, .issuers = issuers,
			.n_issuers = rows[i].check_iss ? 2 : 0, .audiences = audiences, .n_audiences = rows[i].check_aud ? 1 : 0,
		};
		json_t *v;

		assert_int_equal(jsn_parse_in(a, str_of(rows[i].claims), NULL, &v, NULL, NULL).code, GH_OK);
		CHECK_REASON(rows[i].label, jose_check_claims(v, &rules), rows[i].want);
	}
	arena_free(a);
	check_done();
}

/* The window and the check say the same at each second. */
static void windows(void **state UNUSED)
{
	static const char *const rows[] = {
		"{}", "{\"exp\":1000}", "{\"exp\":1000.5}", "{\"exp\":999.999999}", "{\"nbf\":1000}", "{\"nbf\":999.5,\"exp\":1002.25}",
		"{\"nbf\":1003,\"exp\":990}", "{\"exp\":1e300}", "{\"nbf\":1e300}", "{\"exp\":9007199254740993,\"nbf\":0}", "{\"exp\":0}",
		"{\"exp\":\"2000\"}", "{\"nbf\":-1}",
	};
	static const int64_t skews[] = { 0, 1, 7, 86400 };
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows) * ARRAY_LEN(skews); i++) {
		struct jose_claim_rules rules = { .skew_s = skews[i % ARRAY_LEN(skews)] };
		int64_t from, until;
		json_t *v;

		assert_int_equal(jsn_parse_in(a, str_of(rows[i / ARRAY_LEN(skews)]), NULL, &v, NULL, NULL).code, GH_OK);
		jose_claim_window(v, &rules, &from, &until);
		for (rules.now_s = 950; rules.now_s < 1050; rules.now_s++)
			CHECK(rows[i / ARRAY_LEN(skews)], (jose_check_claims(v, &rules) == JOSE_OK) == (from <= rules.now_s && rules.now_s < until));
		CHECK("in µs it fits", from * 1000000 / 1000000 == from && until * 1000000 / 1000000 == until);
	}
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows),          cmocka_unit_test(signed_by_others), cmocka_unit_test(encrypted_by_others), cmocka_unit_test(cookbook),
		cmocka_unit_test(attacks),          cmocka_unit_test(confusion),           cmocka_unit_test(forms),
		cmocka_unit_test(bad_keys),         cmocka_unit_test(signing),             cmocka_unit_test(claims),
		cmocka_unit_test(files),            cmocka_unit_test(thumbprints),
	};

	return cmocka_run_group_tests_name("core/jose", tests, NULL, NULL);
}
