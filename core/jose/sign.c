/* sign.c - making signed tokens. */
#include "core/jose/internal.h"

#include "core/crypto.h"
#include "core/str.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#define SIGNATURE_MAX 2100u

static const struct jose_key *signing_key(const struct jose_keys *k, struct str kid, enum jose_alg alg)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->v[i]->private_half && key_fits(k->v[i], alg) && (!kid.p || (k->v[i]->kid.p && str_eq(kid, k->v[i]->kid))))
			return k->v[i];
	return NULL;
}

static bool hmac_of(const struct jose_key *key, enum jose_alg alg, struct str text, unsigned char *out, size_t *n)
{
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(key->hmac[digest_index(jose_algs[alg].digest)]);
	bool ok = ctx && EVP_MAC_update(ctx, (const unsigned char *)text.p, text.n) && EVP_MAC_final(ctx, out, n, SIGNATURE_MAX);

	EVP_MAC_CTX_free(ctx);
	return ok;
}

/* DER to r and s side by side. */
static bool flatten(unsigned char *sig, size_t *n, size_t width)
{
	const unsigned char *p = sig;
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)*n);
	bool ok = s && BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, (int)width) > 0 &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + width, (int)width) > 0;

	ECDSA_SIG_free(s);
	*n = 2 * width;
	return ok;
}

static bool signature_of(const struct jose_key *key, enum jose_alg alg, struct str text, unsigned char *out, size_t *n)
{
	const struct alg_info *info = &jose_algs[alg];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	bool ok = ctx && EVP_DigestSignInit(ctx, &pctx, jose_digest(info->digest), NULL, key->pkey) > 0;

	if (ok && info->pss)
		ok = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0 &&
		     EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) > 0;
	*n = SIGNATURE_MAX;
	ok = ok && EVP_DigestSign(ctx, out, n, (const unsigned char *)text.p, text.n) > 0;
	EVP_MD_CTX_free(ctx);
	if (ok && key->type == KEY_EC)
		ok = flatten(out, n, key->curve->bytes);
	if (!ok)
		ERR_clear_error();
	return ok;
}

GH_RC jose_sign_bytes(struct arena *a, const struct jose_keys *keys, struct str kid, enum jose_alg alg, struct str bytes,
		      struct str *out, struct gh_err *err)
{
	const struct jose_key *key = alg && alg < JOSE_ALG__COUNT ? signing_key(keys, kid, alg) : NULL;
	unsigned char signature[SIGNATURE_MAX];
	size_t n = 0;

	if (!key)
		FAIL(err, INVALID, "no private key%s%.*s makes %s signatures", kid.p ? " " : "", STR_ARG(str_first(kid, 100)),
		     jose_alg_name(alg));
	if (!(key->type == KEY_SECRET ? hmac_of(key, alg, bytes, signature, &n) : signature_of(key, alg, bytes, signature, &n)))
		FAIL(err, INTERNAL, "the signature could not be made");
	*out = arena_dup(a, (struct str){ (char *)signature, n });
	if (!out->p)
		FAIL(err, NOMEM, "signature");
	return GH_RC_OK;
}

static struct str header_text(struct arena *a, const struct jose_key *key, enum jose_alg alg, const json_t *more)
{
	json_t *h = json_pack("{s:s, s:s}", "alg", jose_alg_name(alg), "typ", "JWT");
	struct str text;

	if (h && key->kid.p)
		json_object_set_new(h, "kid", json_stringn(key->kid.p, key->kid.n));
	if (h && more)
		json_object_update(h, (json_t *)(uintptr_t)more);
	text = jsn_text(a, h, 0);
	json_decref(h);
	return crypto_base64url(a, text);
}

GH_RC jose_sign_with(struct arena *a, const struct jose_keys *keys, struct str kid, enum jose_alg alg, const json_t *more,
		     const json_t *claims, struct str *out, struct gh_err *err)
{
	const struct jose_key *key = alg < JOSE_ALG__COUNT ? signing_key(keys, kid, alg) : NULL;
	struct str header, text, signature;

	if (!key)
		FAIL(err, INVALID, "no private key%s%.*s makes %s signatures", kid.p ? " " : "", STR_ARG(str_first(kid, 100)),
		     jose_alg_name(alg));
	header = header_text(a, key, alg, more);
	text = crypto_base64url(a, jsn_text(a, claims, 0));
	text = header.p && text.p ? arena_printf(a, "%.*s.%.*s", STR_ARG(header), STR_ARG(text)) : STR_NULL;
	if (!text.p || text.n > JOSE_MAX_TOKEN_BYTES)
		FAIL(err, LIMIT, "the token is larger than %u bytes", JOSE_MAX_TOKEN_BYTES);
	TRY(jose_sign_bytes(a, keys, kid, alg, text, &signature, err));
	signature = crypto_base64url(a, signature);
	*out = signature.p ? arena_printf(a, "%s.%s", text.p, signature.p) : STR_NULL;
	if (!out->p)
		FAIL(err, NOMEM, "token");
	return GH_RC_OK;
}

GH_RC jose_sign(struct arena *a, const struct jose_keys *keys, struct str kid, enum jose_alg alg, const json_t *claims,
		struct str *out, struct gh_err *err)
{
	return jose_sign_with(a, keys, kid, alg, NULL, claims, out, err);
}
