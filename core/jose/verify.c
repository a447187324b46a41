/* verify.c - JWS: taking a token apart and checking its signature. RFC 7515, 7518, 8037, 8725.
 *
 * The order matters. Size and form first, so that nothing large is decoded; the header next, because it can only narrow
 * what the configured keys allow; then the signature; only bytes with a good signature are parsed as claims. */
#include "core/jose/internal.h"

#include "core/crypto.h"
#include "core/str.h"
#include "core/words.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#define WORD_OF_REASON(name, text) [JOSE_##name] = { #name, text },
static const struct word reasons[JOSE_REASON__COUNT] = { JOSE_REASONS(WORD_OF_REASON) };

const char *jose_reason_name(enum jose_reason r)
{
	return word_name(reasons, JOSE_REASON__COUNT, r);
}

const char *jose_reason_text(enum jose_reason r)
{
	return word_text(reasons, JOSE_REASON__COUNT, r);
}

/* ---- form -------------------------------------------------------------------------------------------------------------------------- */

enum jose_reason jose_read_header(struct arena *a, struct str part, json_t **out)
{
	const struct jsn_limits limits = { .max_bytes = 16384, .max_depth = JOSE_MAX_DEPTH,
					   .flags = JSN_UNIQUE_KEYS | JSN_BIG_INTEGERS };
	struct str text;

	if (part.n == 0 || !b64_decode(a, part, &text))
		return JOSE_MALFORMED;
	if (jsn_parse_in(a, text, &limits, out, NULL, NULL).code || !json_is_object(*out))
		return JOSE_HEADER;
	if (jsn_get(*out, "crit"))
		return JOSE_CRITICAL;
	if (jsn_get(*out, "zip") || (jsn_get(*out, "b64") && !json_is_true(jsn_get(*out, "b64"))))
		return JOSE_HEADER;
	if (!json_is_string(jsn_get(*out, "alg")) || (jsn_get(*out, "kid") && !json_is_string(jsn_get(*out, "kid"))))
		return JOSE_HEADER;
	return JOSE_OK;
}

struct parts {
	struct str header, payload, signature, signed_text;
};

static enum jose_reason split(struct str token, struct parts *p)
{
	struct str rest = token, extra;

	if (token.n > JOSE_MAX_TOKEN_BYTES)
		return JOSE_TOO_LARGE;
	if (!str_split(&rest, '.', &p->header) || !str_split(&rest, '.', &p->payload) || !str_split(&rest, '.', &p->signature) ||
	    str_split(&rest, '.', &extra) || p->header.n == 0)
		return JOSE_MALFORMED;
	p->signed_text = str_first(token, p->header.n + 1 + p->payload.n);
	return JOSE_OK;
}

static enum jose_reason read_claims(struct arena *a, struct jose_token *t)
{
	const struct jsn_limits limits = { .max_bytes = JOSE_MAX_TOKEN_BYTES, .max_depth = JOSE_MAX_DEPTH,
					   .flags = JSN_UNIQUE_KEYS | JSN_BIG_INTEGERS };

	if (jsn_parse_in(a, t->payload, &limits, &t->claims, NULL, NULL).code || !json_is_object(t->claims)) {
		t->claims = NULL;
		return JOSE_CLAIMS;
	}
	return JOSE_OK;
}

/* ---- one signature ------------------------------------------------------------------------------------------------------------------- */

bool key_fits(const struct jose_key *key, enum jose_alg alg)
{
	if (!key->sign || key->type != jose_algs[alg].type || alg == JOSE_NO_ALG)
		return false;
	if (key->curve && key->curve->alg != alg)
		return false;
	return str_is_null(key->alg) || str_eq(key->alg, str_of(jose_algs[alg].name));
}

static bool check_hmac(const struct jose_key *key, enum jose_alg alg, struct str text, struct str signature)
{
	const struct alg_info *info = &jose_algs[alg];
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(key->hmac[digest_index(info->digest)]);
	unsigned char mac[64];
	size_t n = 0;
	bool ok = ctx && EVP_MAC_update(ctx, (const unsigned char *)text.p, text.n) && EVP_MAC_final(ctx, mac, &n, sizeof(mac)) &&
		  crypto_equal((struct str){ (char *)mac, n }, signature);

	EVP_MAC_CTX_free(ctx);
	return ok;
}

/* JWS writes r and s side by side, OpenSSL reads a DER sequence. Returns the length, 0 when malformed; free *der. */
static int der_of(struct str signature, size_t width, unsigned char **der)
{
	ECDSA_SIG *sig = signature.n == 2 * width ? ECDSA_SIG_new() : NULL;
	BIGNUM *r = NULL, *s = NULL;
	int n = 0;

	*der = NULL;
	if (!sig)
		return 0;
	r = BN_bin2bn((const unsigned char *)signature.p, (int)width, NULL);
	s = BN_bin2bn((const unsigned char *)signature.p + width, (int)width, NULL);
	if (r && s && ECDSA_SIG_set0(sig, r, s)) {
		n = i2d_ECDSA_SIG(sig, der);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(sig);
	return n > 0 ? n : 0;
}

static bool check_public(const struct jose_key *key, enum jose_alg alg, struct str text, struct str signature)
{
	const struct alg_info *info = &jose_algs[alg];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	unsigned char *der = NULL;
	bool ok = ctx && EVP_DigestVerifyInit(ctx, &pctx, jose_digest(info->digest), NULL, key->pkey) > 0;

	if (ok && info->pss)
		ok = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0 &&
		     EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) > 0;
	if (ok && key->type == KEY_EC) {
		int n = der_of(signature, key->curve->bytes, &der);

		ok = n > 0;
		signature = (struct str){ (const char *)der, (size_t)n };
	}
	ok = ok && EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n, (const unsigned char *)text.p, text.n) == 1;
	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
	if (!ok)
		ERR_clear_error();
	return ok;
}

static bool check_signature(const struct jose_key *key, enum jose_alg alg, struct str text, struct str signature)
{
	if (key->type == KEY_SECRET)
		return check_hmac(key, alg, text, signature);
	return check_public(key, alg, text, signature);
}

bool jose_verify_bytes(const struct jose_keys *keys, struct str kid, unsigned algs, struct str bytes, struct str signature)
{
	for (size_t i = 0; keys && i < keys->n; i++) {
		const struct jose_key *key = keys->v[i];

		if (kid.p && key->kid.p && !str_eq(kid, key->kid))
			continue;
		for (enum jose_alg alg = JOSE_HS256; alg < JOSE_ALG__COUNT; alg++)
			if (algs & JOSE_BIT(alg) && key_fits(key, alg) && check_signature(key, alg, bytes, signature))
				return true;
	}
	return false;
}

/* ---- choosing keys ------------------------------------------------------------------------------------------------------------------- */

static bool names_key(const struct jose_key *key, const json_t *header)
{
	struct str kid = jsn_str(header, "kid"), x5t = jsn_str(header, "x5t"), x5t_256 = jsn_str(header, "x5t#S256");

	return (kid.p && key->kid.p && str_eq(kid, key->kid)) || (x5t.p && key->x5t.p && str_eq(x5t, key->x5t)) ||
	       (x5t_256.p && key->x5t_256.p && str_eq(x5t_256, key->x5t_256)) ||
	       (kid.p && key->x5t.p && str_eq(kid, key->x5t));
}

static bool has_name(const struct jose_key *key)
{
	return key->kid.p || key->x5t.p;
}

/* Tries the keys that the token names; when it names none, all; when no key has that name, those without a name. */
static enum jose_reason try_keys(const struct jose_keys *keys, enum jose_alg alg, const json_t *header, const struct parts *p,
				 struct str signature)
{
	bool names = jsn_get(header, "kid") || jsn_get(header, "x5t") || jsn_get(header, "x5t#S256");
	bool known = false, considered = false, fits = false;

	for (size_t i = 0; names && keys && i < keys->n; i++)
		known |= names_key(keys->v[i], header);
	for (size_t i = 0; keys && i < keys->n; i++) {
		const struct jose_key *key = keys->v[i];

		if (names && (known ? !names_key(key, header) : has_name(key)))
			continue;
		considered = true;
		if (!key_fits(key, alg))
			continue;
		fits = true;
		if (check_signature(key, alg, p->signed_text, signature))
			return JOSE_OK;
	}
	if (!considered)
		return JOSE_KEY_NOT_FOUND;
	return fits ? JOSE_SIGNATURE : JOSE_ALG_NOT_ALLOWED;
}

/* ---- tokens --------------------------------------------------------------------------------------------------------------------------- */

static enum jose_reason open_token(struct arena *a, struct str token, struct parts *p, struct jose_token *out)
{
	enum jose_reason r = split(token, p);

	*out = (struct jose_token){ .raw = token };
	if (r)
		return r;
	r = jose_read_header(a, p->header, &out->header);
	if (r)
		return r;
	out->kid = jsn_str(out->header, "kid");
	out->alg = jose_alg_of(jsn_str(out->header, "alg"));
	return b64_decode(a, p->payload, &out->payload) ? JOSE_OK : JOSE_MALFORMED;
}

enum jose_reason jose_decode(struct arena *a, struct str token, struct jose_token *out)
{
	struct parts p;
	enum jose_reason r = open_token(a, token, &p, out);

	return r ? r : read_claims(a, out);
}

static enum jose_reason verify_signed(struct arena *a, struct str token, const struct jose_rules *rules, struct jose_token *out)
{
	struct str signature;
	struct parts p;
	enum jose_reason r = open_token(a, token, &p, out);

	if (r)
		return r;
	if (str_eq(jsn_str(out->header, "alg"), STR("none"))) {
		if (!rules->allow_unsigned || p.signature.n > 0)
			return JOSE_UNSIGNED;
		return read_claims(a, out);
	}
	if (out->alg == JOSE_NO_ALG || (rules->algs && !(rules->algs & JOSE_BIT(out->alg))))
		return JOSE_ALG_NOT_ALLOWED;
	if (p.signature.n == 0)
		return JOSE_UNSIGNED;
	if (!b64_decode(a, p.signature, &signature))
		return JOSE_MALFORMED;
	r = try_keys(rules->keys, out->alg, out->header, &p, signature);
	return r ? r : read_claims(a, out);
}

static unsigned count_dots(struct str s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '.';
	return n;
}

enum jose_reason jose_verify(struct arena *a, struct str token, const struct jose_rules *rules, struct jose_token *out)
{
	struct str inner;
	json_t *header = NULL;
	enum jose_reason r;

	*out = (struct jose_token){ .raw = token };
	if (token.n > JOSE_MAX_TOKEN_BYTES)
		return JOSE_TOO_LARGE;
	if (count_dots(token) != 4)
		return verify_signed(a, token, rules, out);
	r = jose_decrypt(a, token, rules->decryption_keys, &inner, &header);
	if (r) {
		out->header = header;
		out->encrypted = true;
		return r;
	}
	if (count_dots(inner) == 2 && inner.p[0] != '{') {
		r = verify_signed(a, inner, rules, out);
		out->encrypted = true;
		return r;
	}
	*out = (struct jose_token){ .raw = token, .header = header, .payload = inner, .encrypted = true,
				    .kid = jsn_str(header, "kid") };
	return rules->allow_unsigned ? read_claims(a, out) : JOSE_UNSIGNED;
}
