/* pem.c - keys from certificates and PEM or DER files; keys made anew; keys written as JWK. */
#include "core/jose/internal.h"

#include "core/crypto.h"
#include "core/str.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)1 << 20)

/* ---- reading --------------------------------------------------------------------------------------------------------------------- */

/* No password is ever asked for on a terminal. */
static int no_password(char *buf UNUSED, int size UNUSED, int rwflag UNUSED, void *u UNUSED)
{
	return -1;
}

static struct str thumbprint(struct arena *a, X509 *cert, const char *digest)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!X509_digest(cert, jose_digest(digest), md, &n))
		return STR_NULL;
	return crypto_base64url(a, (struct str){ (char *)md, n });
}

static X509 *read_certificate(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	BIO *bio;
	X509 *cert;

	if (str_find(s, STR("-----BEGIN")) == SIZE_MAX)
		return d2i_X509(NULL, &p, (long)s.n);
	bio = BIO_new_mem_buf(s.p, (int)s.n);
	cert = bio ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;
	BIO_free(bio);
	return cert;
}

static EVP_PKEY *read_pkey(struct str s, bool private_half)
{
	const unsigned char *p = (const unsigned char *)s.p;
	EVP_PKEY *pkey;
	BIO *bio;

	if (str_find(s, STR("-----BEGIN")) == SIZE_MAX)
		return private_half ? d2i_AutoPrivateKey(NULL, &p, (long)s.n) : d2i_PUBKEY(NULL, &p, (long)s.n);
	bio = BIO_new_mem_buf(s.p, (int)s.n);
	if (!bio)
		return NULL;
	pkey = private_half ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
	BIO_free(bio);
	return pkey;
}

static GH_RC classify(struct jose_key *key, struct gh_err *err)
{
	char group[64] = "";
	size_t n = 0;

	/* "RSA-PSS": a key that is marked for PSS signatures only; OpenSSL refuses the others itself */
	if (EVP_PKEY_is_a(key->pkey, "RSA") || EVP_PKEY_is_a(key->pkey, "RSA-PSS")) {
		key->type = KEY_RSA;
		return GH_RC_OK;
	}
	if (EVP_PKEY_is_a(key->pkey, "EC"))
		EVP_PKEY_get_group_name(key->pkey, group, sizeof(group), &n);
	else if (EVP_PKEY_is_a(key->pkey, "ED25519") || EVP_PKEY_is_a(key->pkey, "X25519"))
		snprintf(group, sizeof(group), "%s", EVP_PKEY_is_a(key->pkey, "X25519") ? "X25519" : "ED25519");
	key->curve = curve_of_group(group);
	if (!key->curve)
		FAIL(err, UNSUPPORTED, "the key is of a kind that no token algorithm uses");
	key->type = key->curve->type;
	return GH_RC_OK;
}

GH_RC jose_keys_add_pem(struct jose_keys *k, struct str kid, struct str text, struct gh_err *err)
{
	struct jose_key *key = key_new(k, kid, err);
	X509 *cert;
	gh_rc rc;

	if (!key)
		FAIL(err, LIMIT, "more than %u keys in one set", JOSE_MAX_KEYS);
	if (text.n == 0 || text.n > FILE_MAX)
		FAIL(err, INVALID, "the file holds no key");
	cert = read_certificate(text);
	if (cert) {
		key->pkey = X509_get_pubkey(cert);
		key->x5t = thumbprint(k->arena, cert, "SHA1");
		key->x5t_256 = thumbprint(k->arena, cert, "SHA256");
		X509_free(cert);
	} else {
		key->pkey = read_pkey(text, true);
		key->private_half = key->pkey != NULL;
		if (!key->pkey)
			key->pkey = read_pkey(text, false);
	}
	ERR_clear_error();
	if (!key->pkey)
		FAIL(err, INVALID, "the file holds neither a certificate nor a public or unencrypted private key");
	rc = classify(key, err);
	if (rc.code) {
		key_dropped(key);
		return rc;
	}
	return key_added(k, key, err);
}

/* ---- making ----------------------------------------------------------------------------------------------------------------------- */

GH_RC jose_keys_generate(struct jose_keys *k, struct str kid, enum jose_alg alg, struct gh_err *err)
{
	struct jose_key *key = key_new(k, kid, err);
	unsigned char secret[64];

	if (!key)
		FAIL(err, LIMIT, "more than %u keys in one set", JOSE_MAX_KEYS);
	if (alg == JOSE_NO_ALG || alg >= JOSE_ALG__COUNT)
		FAIL(err, INVALID, "a key needs an algorithm");
	key->type = jose_algs[alg].type;
	key->alg = str_of(jose_algs[alg].name);
	key->private_half = true;
	if (key->type == KEY_SECRET) {
		gh_rc rc = crypto_random(secret, jose_algs[alg].bytes, err);

		if (!rc.code)
			rc = key_take_secret(k, key, (struct str){ (char *)secret, jose_algs[alg].bytes }, err);
		crypto_wipe(secret, sizeof(secret));
		TRY(rc);
		return key_added(k, key, err);
	}
	for (size_t i = 0; i < 4 && !key->curve; i++) {
		static const char *const names[] = { "P-256", "P-384", "P-521", "secp256k1" };
		const struct curve *c = curve_of(str_of(names[i]));

		if (c->alg == alg)
			key->curve = c;
	}
	if (key->type == KEY_OKP)
		key->curve = curve_of(STR("Ed25519"));
	key->pkey = key->type == KEY_RSA ? EVP_RSA_gen(2048)
		    : key->type == KEY_EC ? EVP_EC_gen(key->curve->group) : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (!key->pkey)
		FAIL(err, INTERNAL, "a new key could not be made");
	return key_added(k, key, err);
}

/* ---- writing ----------------------------------------------------------------------------------------------------------------------- */

static bool put_bytes(struct arena *a, json_t *jwk, const char *member, const unsigned char *bytes, size_t n)
{
	struct str text = crypto_base64url(a, (struct str){ (const char *)bytes, n });

	return text.p && json_object_set_new(jwk, member, json_stringn(text.p, text.n)) == 0;
}

/* A number of the key, left-padded to `width` bytes when that is not 0. */
static bool put_number(struct arena *a, json_t *jwk, const char *member, EVP_PKEY *pkey, const char *param, size_t width)
{
	unsigned char bytes[2100];
	BIGNUM *n = NULL;
	bool ok = false;

	if (EVP_PKEY_get_bn_param(pkey, param, &n)) {
		size_t size = width ? width : (size_t)BN_num_bytes(n);

		ok = size <= sizeof(bytes) && BN_bn2binpad(n, bytes, (int)size) >= 0 && put_bytes(a, jwk, member, bytes, size);
	}
	BN_clear_free(n);
	crypto_wipe(bytes, sizeof(bytes));
	return ok;
}

static bool put_rsa(struct arena *a, json_t *jwk, const struct jose_key *key, bool private_half)
{
	static const char *const parts[][2] = {
		{ "d", OSSL_PKEY_PARAM_RSA_D },            { "p", OSSL_PKEY_PARAM_RSA_FACTOR1 },
		{ "q", OSSL_PKEY_PARAM_RSA_FACTOR2 },      { "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1 },
		{ "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2 },   { "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
	};
	bool ok = put_number(a, jwk, "n", key->pkey, OSSL_PKEY_PARAM_RSA_N, 0) &&
		  put_number(a, jwk, "e", key->pkey, OSSL_PKEY_PARAM_RSA_E, 0);

	for (size_t i = 0; ok && private_half && i < ARRAY_LEN(parts); i++)
		ok = put_number(a, jwk, parts[i][0], key->pkey, parts[i][1], 0);
	return ok;
}

static bool put_okp(struct arena *a, json_t *jwk, const struct jose_key *key, bool private_half)
{
	unsigned char raw[32];
	size_t n = sizeof(raw);
	bool ok = EVP_PKEY_get_raw_public_key(key->pkey, raw, &n) && put_bytes(a, jwk, "x", raw, n);

	n = sizeof(raw);
	if (ok && private_half)
		ok = EVP_PKEY_get_raw_private_key(key->pkey, raw, &n) && put_bytes(a, jwk, "d", raw, n);
	crypto_wipe(raw, sizeof(raw));
	return ok;
}

static json_t *jwk_of(struct arena *a, const struct jose_key *key, bool private_half)
{
	static const char *const types[] = { [KEY_SECRET] = "oct", [KEY_RSA] = "RSA", [KEY_EC] = "EC", [KEY_OKP] = "OKP" };
	json_t *jwk = json_object();
	bool ok = json_object_set_new(jwk, "kty", json_string(types[key->type])) == 0;

	if (key->kid.p)
		json_object_set_new(jwk, "kid", json_stringn(key->kid.p, key->kid.n));
	if (key->alg.p)
		json_object_set_new(jwk, "alg", json_stringn(key->alg.p, key->alg.n));
	if (key->sign != key->encrypt)
		json_object_set_new(jwk, "use", json_string(key->sign ? "sig" : "enc"));
	if (key->curve)
		json_object_set_new(jwk, "crv", json_string(key->curve->name));
	if (key->type == KEY_SECRET)
		ok = ok && put_bytes(a, jwk, "k", (const unsigned char *)key->secret.p, key->secret.n);
	else if (key->type == KEY_RSA)
		ok = ok && put_rsa(a, jwk, key, private_half);
	else if (key->type == KEY_OKP)
		ok = ok && put_okp(a, jwk, key, private_half);
	else
		ok = ok && put_number(a, jwk, "x", key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, key->curve->bytes) &&
		     put_number(a, jwk, "y", key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, key->curve->bytes) &&
		     (!private_half || put_number(a, jwk, "d", key->pkey, OSSL_PKEY_PARAM_PRIV_KEY, key->curve->bytes));
	if (!ok) {
		json_decref(jwk);
		return NULL;
	}
	return jwk;
}

static json_t *write_set(const struct jose_keys *k, bool private_halves)
{
	struct arena *a = arena_new((size_t)4 << 20);
	json_t *list = json_array(), *set = json_pack("{s:o}", "keys", list);

	for (size_t i = 0; a && set && i < k->n; i++) {
		const struct jose_key *key = k->v[i];
		json_t *jwk;

		if (!private_halves && key->type == KEY_SECRET)
			continue;
		jwk = jwk_of(a, key, private_halves && key->private_half);
		if (!jwk || json_array_append_new(list, jwk)) {
			json_decref(set);
			set = NULL;
		}
	}
	arena_free(a);
	return set;
}

json_t *jose_keys_public(const struct jose_keys *k)
{
	return write_set(k, false);
}

json_t *jose_keys_private(const struct jose_keys *k)
{
	return write_set(k, true);
}
