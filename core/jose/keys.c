/* keys.c - sets of keys: from JWK, PEM, DER, secrets.
 *
 * Everything that can be done once per key is done here: numbers become an EVP_PKEY, secrets become HMAC contexts that a
 * verification only copies. A set is never changed after it has been handed out, so readers need no lock. */
#include "core/jose/internal.h"

#include "core/crypto.h"
#include "core/str.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <pthread.h>
#include <stdlib.h>

#define SET_MEMORY ((size_t)16 << 20)
#define RSA_LEAST_BITS 2048
#define RSA_MOST_BITS 16384
#define SECRET_LEAST_BYTES 16u

const struct alg_info jose_algs[JOSE_ALG__COUNT] = {
	[JOSE_NO_ALG] = { "none", KEY_SECRET, NULL, false, 0 },
	[JOSE_HS256] = { "HS256", KEY_SECRET, "SHA256", false, 32 },
	[JOSE_HS384] = { "HS384", KEY_SECRET, "SHA384", false, 48 },
	[JOSE_HS512] = { "HS512", KEY_SECRET, "SHA512", false, 64 },
	[JOSE_RS256] = { "RS256", KEY_RSA, "SHA256", false, 0 },
	[JOSE_RS384] = { "RS384", KEY_RSA, "SHA384", false, 0 },
	[JOSE_RS512] = { "RS512", KEY_RSA, "SHA512", false, 0 },
	[JOSE_PS256] = { "PS256", KEY_RSA, "SHA256", true, 0 },
	[JOSE_PS384] = { "PS384", KEY_RSA, "SHA384", true, 0 },
	[JOSE_PS512] = { "PS512", KEY_RSA, "SHA512", true, 0 },
	[JOSE_ES256] = { "ES256", KEY_EC, "SHA256", false, 0 },
	[JOSE_ES384] = { "ES384", KEY_EC, "SHA384", false, 0 },
	[JOSE_ES512] = { "ES512", KEY_EC, "SHA512", false, 0 },
	[JOSE_ES256K] = { "ES256K", KEY_EC, "SHA256", false, 0 },
	[JOSE_EdDSA] = { "EdDSA", KEY_OKP, NULL, false, 0 },
};

static const struct curve curves[] = {
	{ "P-256", "prime256v1", KEY_EC, 32, JOSE_ES256, true },     { "P-384", "secp384r1", KEY_EC, 48, JOSE_ES384, true },
	{ "P-521", "secp521r1", KEY_EC, 66, JOSE_ES512, true },      { "secp256k1", "secp256k1", KEY_EC, 32, JOSE_ES256K, false },
	{ "Ed25519", "ED25519", KEY_OKP, 32, JOSE_EdDSA, false },    { "X25519", "X25519", KEY_OKP, 32, JOSE_NO_ALG, true },
};

const char *jose_alg_name(enum jose_alg alg)
{
	return jose_algs[alg < JOSE_ALG__COUNT ? alg : JOSE_NO_ALG].name;
}

enum jose_alg jose_alg_of(struct str name)
{
	for (int i = JOSE_NO_ALG + 1; i < JOSE_ALG__COUNT; i++)
		if (str_eq(name, str_of(jose_algs[i].name)))
			return (enum jose_alg)i;
	return JOSE_NO_ALG;
}

const struct curve *curve_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(curves); i++)
		if (str_eq(name, str_of(curves[i].name)))
			return &curves[i];
	return NULL;
}

const struct curve *curve_of_group(const char *group)
{
	for (size_t i = 0; i < ARRAY_LEN(curves); i++)
		if (str_eq_ci(str_of(group), str_of(curves[i].group)) ||
		    (str_eq(str_of(group), STR("P-256")) && i == 0))
			return &curves[i];
	return NULL;
}

/* ---- algorithms of OpenSSL, looked up once: the lookup costs more than a short HMAC -------------------------------------------- */

static const char *const digest_names[] = { "SHA1", "SHA256", "SHA384", "SHA512" };
static const char *const cipher_names[] = { "AES-128-GCM", "AES-192-GCM", "AES-256-GCM", "AES-128-CBC", "AES-192-CBC",
					    "AES-256-CBC", "AES-128-WRAP", "AES-192-WRAP", "AES-256-WRAP" };
static EVP_MD *digests[ARRAY_LEN(digest_names)];
static EVP_CIPHER *ciphers[ARRAY_LEN(cipher_names)];
static EVP_MAC *hmac;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void fetch(void)
{
	for (size_t i = 0; i < ARRAY_LEN(digest_names); i++)
		digests[i] = EVP_MD_fetch(NULL, digest_names[i], NULL);
	for (size_t i = 0; i < ARRAY_LEN(cipher_names); i++)
		ciphers[i] = EVP_CIPHER_fetch(NULL, cipher_names[i], NULL);
	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

const EVP_MD *jose_digest(const char *name)
{
	pthread_once(&fetched, fetch);
	for (size_t i = 0; name && i < ARRAY_LEN(digest_names); i++)
		if (strcmp(digest_names[i], name) == 0)
			return digests[i];
	return NULL;
}

const EVP_CIPHER *jose_cipher(const char *name)
{
	pthread_once(&fetched, fetch);
	for (size_t i = 0; i < ARRAY_LEN(cipher_names); i++)
		if (strcmp(cipher_names[i], name) == 0)
			return ciphers[i];
	return NULL;
}

int digest_index(const char *name)
{
	return name[3] == '2' ? DIGEST_256 : name[3] == '3' ? DIGEST_384 : DIGEST_512;
}

/* ---- sets --------------------------------------------------------------------------------------------------------------------- */

static _Atomic uint64_t last_id;

struct jose_keys *jose_keys_new(void)
{
	struct jose_keys *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->arena = arena_new(SET_MEMORY);
	if (!k->arena) {
		free(k);
		return NULL;
	}
	atomic_init(&k->refs, 1);
	k->id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
	return k;
}

uint64_t jose_keys_id(const struct jose_keys *k)
{
	return k ? k->id : 0;
}

struct jose_keys *jose_keys_ref(struct jose_keys *k)
{
	if (k)
		atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
	return k;
}

void key_dropped(struct jose_key *key)
{
	EVP_PKEY_free(key->pkey);
	for (size_t i = 0; i < DIGEST__COUNT; i++)
		EVP_MAC_CTX_free(key->hmac[i]);
	if (key->secret.n)
		crypto_wipe((void *)(uintptr_t)key->secret.p, key->secret.n);
	memset(key, 0, sizeof(*key));
}

void jose_keys_free(struct jose_keys *k)
{
	if (!k || atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < k->n; i++)
		key_dropped(k->v[i]);
	arena_free(k->arena);
	free(k);
}

size_t jose_keys_count(const struct jose_keys *k)
{
	return k ? k->n : 0;
}

struct jose_key *key_new(struct jose_keys *k, struct str kid, struct gh_err *err)
{
	struct jose_key *key = k->n < JOSE_MAX_KEYS ? arena_new_of(k->arena, struct jose_key) : NULL;

	if (!key) {
		gh_err_set(err, GH_E_LIMIT, __FILE__, __LINE__, "more than %u keys in one set", JOSE_MAX_KEYS);
		return NULL;
	}
	key->kid = kid.p ? arena_dup(k->arena, kid) : STR_NULL;
	key->sign = key->encrypt = true;
	return key;
}

static GH_RC check_strength(const struct jose_key *key, struct gh_err *err)
{
	int bits;

	if (key->type == KEY_SECRET && key->secret.n < SECRET_LEAST_BYTES)
		FAIL(err, INVALID, "a secret needs at least %u bytes", SECRET_LEAST_BYTES);
	if (key->type != KEY_RSA)
		return GH_RC_OK;
	bits = EVP_PKEY_get_bits(key->pkey);
	if (bits < RSA_LEAST_BITS || bits > RSA_MOST_BITS)
		FAIL(err, INVALID, "an RSA key of %d bits is refused; %d to %d are accepted", bits, RSA_LEAST_BITS, RSA_MOST_BITS);
	return GH_RC_OK;
}

GH_RC key_added(struct jose_keys *k, struct jose_key *key, struct gh_err *err)
{
	gh_rc rc = check_strength(key, err);

	if (rc.code) {
		key_dropped(key);
		return rc;
	}
	k->v[k->n++] = key;
	return GH_RC_OK;
}

/* ---- secrets -------------------------------------------------------------------------------------------------------------------- */

GH_RC key_take_secret(struct jose_keys *k, struct jose_key *key, struct str secret, struct gh_err *err)
{
	static const char *const names[DIGEST__COUNT] = { "SHA256", "SHA384", "SHA512" };

	pthread_once(&fetched, fetch);
	key->type = KEY_SECRET;
	key->private_half = true;
	key->secret = arena_dup(k->arena, secret);
	for (size_t i = 0; i < DIGEST__COUNT && key->secret.p; i++) {
		OSSL_PARAM params[] = {
			OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)names[i], 0),
			OSSL_PARAM_construct_end(),
		};

		key->hmac[i] = EVP_MAC_CTX_new(hmac);
		if (!key->hmac[i] || !EVP_MAC_init(key->hmac[i], (const unsigned char *)key->secret.p, key->secret.n, params))
			key->secret.p = NULL;
	}
	if (!key->secret.p)
		FAIL(err, NOMEM, "secret");
	return GH_RC_OK;
}

GH_RC jose_keys_add_secret(struct jose_keys *k, struct str kid, struct str secret, struct gh_err *err)
{
	struct jose_key *key = key_new(k, kid, err);

	if (!key)
		FAIL(err, LIMIT, "more than %u keys in one set", JOSE_MAX_KEYS);
	TRY(key_take_secret(k, key, secret, err));
	return key_added(k, key, err);
}

bool b64_decode(struct arena *a, struct str text, struct str *out)
{
	return str_find_char(text, '=') == SIZE_MAX && crypto_base64url_decode(a, text, out);
}

/* ---- JWK ------------------------------------------------------------------------------------------------------------------------- */

struct builder {
	struct arena *a;
	OSSL_PARAM_BLD *params;
	BIGNUM *numbers[8];
	size_t n_numbers;
	bool ok;
};

static void add_number(struct builder *b, const json_t *jwk, const char *member, const char *param, bool needed)
{
	struct str text = jsn_str(jwk, member), bytes;
	BIGNUM *n;

	if (str_is_null(text)) {
		b->ok = b->ok && !needed;
		return;
	}
	if (!b->ok || b->n_numbers == ARRAY_LEN(b->numbers) || !b64_decode(b->a, text, &bytes) || bytes.n == 0 || bytes.n > 2100) {
		b->ok = false;
		return;
	}
	n = BN_bin2bn((const unsigned char *)bytes.p, (int)bytes.n, NULL);
	crypto_wipe((void *)(uintptr_t)bytes.p, bytes.n);
	if (!n || !OSSL_PARAM_BLD_push_BN(b->params, param, n))
		b->ok = false;
	b->numbers[b->n_numbers++] = n;
}

static EVP_PKEY *build(struct builder *b, const char *type, bool private_half)
{
	EVP_PKEY_CTX *ctx = b->ok ? EVP_PKEY_CTX_new_from_name(NULL, type, NULL) : NULL;
	OSSL_PARAM *params = ctx ? OSSL_PARAM_BLD_to_param(b->params) : NULL;
	EVP_PKEY *pkey = NULL;

	if (params && EVP_PKEY_fromdata_init(ctx) > 0 &&
	    EVP_PKEY_fromdata(ctx, &pkey, private_half ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) <= 0)
		pkey = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_BLD_free(b->params);
	for (size_t i = 0; i < b->n_numbers; i++)
		BN_clear_free(b->numbers[i]);
	return pkey;
}

static EVP_PKEY *rsa_of_jwk(struct arena *a, const json_t *jwk, bool *private_half)
{
	struct builder b = { .a = a, .params = OSSL_PARAM_BLD_new(), .ok = true };
	static const char *const crt[][2] = {
		{ "p", OSSL_PKEY_PARAM_RSA_FACTOR1 },      { "q", OSSL_PKEY_PARAM_RSA_FACTOR2 },
		{ "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1 },   { "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2 },
		{ "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
	};

	b.ok = b.params != NULL;
	*private_half = jsn_get(jwk, "d") != NULL;
	add_number(&b, jwk, "n", OSSL_PKEY_PARAM_RSA_N, true);
	add_number(&b, jwk, "e", OSSL_PKEY_PARAM_RSA_E, true);
	if (*private_half) {
		add_number(&b, jwk, "d", OSSL_PKEY_PARAM_RSA_D, true);
		for (size_t i = 0; i < ARRAY_LEN(crt) && jsn_get(jwk, "qi"); i++)
			add_number(&b, jwk, crt[i][0], crt[i][1], true);
		b.ok = b.ok && !jsn_get(jwk, "oth");     /* more than two primes */
	}
	return build(&b, "RSA", *private_half);
}

static EVP_PKEY *ec_of_jwk(struct arena *a, const json_t *jwk, const struct curve *c, bool private_half)
{
	struct builder b = { .a = a, .params = OSSL_PARAM_BLD_new() };
	struct str x, y, d;
	unsigned char point[1 + 2 * 66] = { 4 };

	/* coordinates have exactly the width of the curve (RFC 7518 section 6.2.1.2) */
	b.ok = b.params && b64_decode(a, jsn_str(jwk, "x"), &x) && b64_decode(a, jsn_str(jwk, "y"), &y) && x.n == c->bytes &&
	       y.n == c->bytes;
	if (b.ok) {
		memcpy(point + 1, x.p, x.n);
		memcpy(point + 1 + x.n, y.p, y.n);
		b.ok = OSSL_PARAM_BLD_push_utf8_string(b.params, OSSL_PKEY_PARAM_GROUP_NAME, c->group, 0) &&
		       OSSL_PARAM_BLD_push_octet_string(b.params, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * c->bytes);
	}
	if (private_half) {
		b.ok = b.ok && b64_decode(a, jsn_str(jwk, "d"), &d) && d.n == c->bytes;
		add_number(&b, jwk, "d", OSSL_PKEY_PARAM_PRIV_KEY, true);
	}
	return build(&b, "EC", private_half);
}

static EVP_PKEY *okp_of_jwk(struct arena *a, const json_t *jwk, const struct curve *c, bool private_half)
{
	unsigned char derived[32];
	size_t n = sizeof(derived);
	struct str x, d;
	EVP_PKEY *pkey;

	if (!b64_decode(a, jsn_str(jwk, "x"), &x) || x.n != c->bytes)
		return NULL;
	if (!private_half)
		return EVP_PKEY_new_raw_public_key_ex(NULL, c->group, NULL, (const unsigned char *)x.p, x.n);
	if (!b64_decode(a, jsn_str(jwk, "d"), &d) || d.n != c->bytes)
		return NULL;
	pkey = EVP_PKEY_new_raw_private_key_ex(NULL, c->group, NULL, (const unsigned char *)d.p, d.n);
	/* the halves must belong together, or signatures would betray the private one */
	if (pkey && (!EVP_PKEY_get_raw_public_key(pkey, derived, &n) || n != x.n || memcmp(derived, x.p, n) != 0)) {
		EVP_PKEY_free(pkey);
		return NULL;
	}
	return pkey;
}

EVP_PKEY *pkey_of_jwk(struct arena *a, const json_t *jwk, const struct curve *c)
{
	if (curve_of(jsn_str(jwk, "crv")) != c)
		return NULL;
	return c->type == KEY_EC ? ec_of_jwk(a, jwk, c, false) : okp_of_jwk(a, jwk, c, false);
}

static bool has_op(const json_t *ops, const char *one, const char *other)
{
	size_t i;
	json_t *op;

	if (!ops)
		return true;
	json_array_foreach(ops, i, op) {
		if (str_eq(jsn_string(op), str_of(one)) || str_eq(jsn_string(op), str_of(other)))
			return true;
	}
	return false;
}

static void read_uses(struct jose_key *key, const json_t *jwk)
{
	struct str use = jsn_str(jwk, "use");
	json_t *ops = jsn_arr(jwk, "key_ops");

	key->sign = (str_is_null(use) || str_eq(use, STR("sig"))) && has_op(ops, "verify", "sign");
	key->encrypt = (str_is_null(use) || str_eq(use, STR("enc"))) &&
		       (has_op(ops, "decrypt", "encrypt") || has_op(ops, "unwrapKey", "wrapKey") || has_op(ops, "deriveKey", "deriveBits"));
}

static bool is_pair(EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	bool ok = ctx && EVP_PKEY_pairwise_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static GH_RC fill_key(struct jose_keys *k, struct jose_key *key, const json_t *jwk, struct gh_err *err)
{
	struct str kty = jsn_str(jwk, "kty"), secret;
	gh_rc rc;

	read_uses(key, jwk);
	if (str_eq(kty, STR("oct"))) {
		if (!b64_decode(k->arena, jsn_str(jwk, "k"), &secret))
			FAIL(err, INVALID, "the member k of the key is no base64url text");
		rc = key_take_secret(k, key, secret, err);
		crypto_wipe((void *)(uintptr_t)secret.p, secret.n);
		return rc;
	}
	key->private_half = jsn_get(jwk, "d") != NULL;
	if (str_eq(kty, STR("RSA"))) {
		key->type = KEY_RSA;
		key->pkey = rsa_of_jwk(k->arena, jwk, &key->private_half);
	} else if (str_eq(kty, STR("EC")) || str_eq(kty, STR("OKP"))) {
		key->type = str_eq(kty, STR("EC")) ? KEY_EC : KEY_OKP;
		key->curve = curve_of(jsn_str(jwk, "crv"));
		if (!key->curve || key->curve->type != key->type)
			FAIL(err, UNSUPPORTED, "the curve '%.*s' is not known", STR_ARG(str_first(jsn_str(jwk, "crv"), 40)));
		key->pkey = key->type == KEY_EC ? ec_of_jwk(k->arena, jwk, key->curve, key->private_half)
						: okp_of_jwk(k->arena, jwk, key->curve, key->private_half);
	} else {
		FAIL(err, UNSUPPORTED, "the key type '%.*s' is not known", STR_ARG(str_first(kty, 40)));
	}
	if (!key->pkey || (key->private_half && key->type == KEY_EC && !is_pair(key->pkey)))
		FAIL(err, INVALID, "the key's numbers are missing, malformed or do not belong together");
	return GH_RC_OK;
}

GH_RC jose_keys_add_jwk(struct jose_keys *k, const json_t *jwk, struct gh_err *err)
{
	struct jose_key *key;
	gh_rc rc;

	if (!json_is_object(jwk))
		FAIL(err, SYNTAX, "a key is a JSON object");
	key = key_new(k, jsn_str(jwk, "kid"), err);
	if (!key)
		FAIL(err, LIMIT, "more than %u keys in one set", JOSE_MAX_KEYS);
	rc = fill_key(k, key, jwk, err);
	if (rc.code) {
		key_dropped(key);
		return rc;
	}
	if (jsn_str(jwk, "alg").p)
		key->alg = arena_dup(k->arena, jsn_str(jwk, "alg"));
	if (jsn_str(jwk, "x5t").p)
		key->x5t = arena_dup(k->arena, jsn_str(jwk, "x5t"));
	if (jsn_str(jwk, "x5t#S256").p)
		key->x5t_256 = arena_dup(k->arena, jsn_str(jwk, "x5t#S256"));
	return key_added(k, key, err);
}

GH_RC jose_keys_add_jwks(struct jose_keys *k, struct str json, unsigned *skipped, struct gh_err *err)
{
	const struct jsn_limits limits = { .max_bytes = 1 << 20, .max_depth = JOSE_MAX_DEPTH, .flags = JSN_UNIQUE_KEYS };
	struct text_where at;
	json_t *set, *list, *jwk;
	gh_rc rc = jsn_parse(json, &limits, &set, &at, err);
	unsigned left_out = 0;
	size_t i;

	if (rc.code) {
		gh_err_prefix(err, "key set, line %u column %u", at.line, at.column);
		return rc;
	}
	list = jsn_arr(set, "keys");
	if (!list && jsn_get(set, "kty")) {
		rc = jose_keys_add_jwk(k, set, err);
	} else if (!list) {
		rc = gh_err_set(err, GH_E_SYNTAX, __FILE__, __LINE__, "this is no key set: it has neither 'keys' nor 'kty'");
	}
	json_array_foreach(list, i, jwk) {
		if (jose_keys_add_jwk(k, jwk, NULL).code)
			left_out++;
	}
	if (skipped)
		*skipped = left_out;
	json_decref(set);
	return rc;
}

GH_RC jose_keys_add_rsa(struct jose_keys *k, struct str kid, struct str n_base64url, struct str e_base64url, struct gh_err *err)
{
	json_t *jwk = json_pack("{s:s, s:s%, s:s%}", "kty", "RSA", "n", n_base64url.p ? n_base64url.p : "", n_base64url.n, "e",
				e_base64url.p ? e_base64url.p : "", e_base64url.n);
	gh_rc rc;

	if (!jwk)
		FAIL(err, INVALID, "n and e of an RSA key are base64url texts");
	if (kid.p)
		json_object_set_new(jwk, "kid", json_stringn(kid.p, kid.n));
	rc = jose_keys_add_jwk(k, jwk, err);
	json_decref(jwk);
	return rc;
}
