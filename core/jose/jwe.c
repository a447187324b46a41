/* jwe.c - opening encrypted tokens (RFC 7516, 7518).
 *
 *   header . encrypted key . nonce . ciphertext . tag
 *
 * Two steps: the content key from the second part ("alg"), then the text with it ("enc"). Whatever fails in either gives
 * the same answer, and a content key that cannot be had is replaced by a random one, so that the time until the failure
 * says nothing about the padding (RFC 7516 section 11.5). */
#include "core/jose/internal.h"

#include "core/crypto.h"
#include "core/str.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#define KEY_MAX 64u

struct content {                         /* "enc" */
	const char *name, *cipher, *digest;      /* digest NULL: GCM */
	size_t key_bytes;
};

static const struct content contents[] = {
	{ "A128GCM", "AES-128-GCM", NULL, 16 },           { "A192GCM", "AES-192-GCM", NULL, 24 },
	{ "A256GCM", "AES-256-GCM", NULL, 32 },           { "A128CBC-HS256", "AES-128-CBC", "SHA256", 32 },
	{ "A192CBC-HS384", "AES-192-CBC", "SHA384", 48 }, { "A256CBC-HS512", "AES-256-CBC", "SHA512", 64 },
};

struct envelope {
	struct arena *a;
	json_t *header;
	const struct content *content;
	struct str header_text, key, nonce, ciphertext, tag;
};

typedef bool (*unwrap_fn)(const struct envelope *e, const struct jose_key *key, const char *cipher, size_t bytes,
			  unsigned char out[KEY_MAX]);

/* ---- the content key ------------------------------------------------------------------------------------------------------------------ */

static bool unwrap_with(const struct envelope *e, const unsigned char *kek, const char *cipher, unsigned char out[KEY_MAX])
{
	unsigned char buffer[KEY_MAX + 16];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	bool ok = ctx && e->key.n == e->content->key_bytes + 8;

	if (ok) {
		EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
		ok = EVP_DecryptInit_ex2(ctx, jose_cipher(cipher), kek, NULL, NULL) &&
		     EVP_DecryptUpdate(ctx, buffer, &n, (const unsigned char *)e->key.p, (int)e->key.n) > 0 &&
		     (size_t)n == e->content->key_bytes;
	}
	if (ok)
		memcpy(out, buffer, e->content->key_bytes);
	crypto_wipe(buffer, sizeof(buffer));
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

static bool unwrap_direct(const struct envelope *e, const struct jose_key *key, const char *cipher UNUSED, size_t bytes UNUSED,
			  unsigned char out[KEY_MAX])
{
	if (e->key.n > 0 || key->secret.n != e->content->key_bytes)
		return false;
	memcpy(out, key->secret.p, key->secret.n);
	return true;
}

static bool unwrap_aes(const struct envelope *e, const struct jose_key *key, const char *cipher, size_t bytes,
		       unsigned char out[KEY_MAX])
{
	return key->secret.n == bytes && unwrap_with(e, (const unsigned char *)key->secret.p, cipher, out);
}

static bool gcm_open(const char *cipher, const unsigned char *key, struct str nonce, struct str associated, struct str in,
		     struct str tag, unsigned char *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, last = 0;
	bool ok = ctx && nonce.n == 12 && tag.n == 16 &&
		  EVP_DecryptInit_ex2(ctx, jose_cipher(cipher), key, (const unsigned char *)nonce.p, NULL) &&
		  (associated.n == 0 ||
		   EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)associated.p, (int)associated.n)) &&
		  (in.n == 0 || EVP_DecryptUpdate(ctx, out, &n, (const unsigned char *)in.p, (int)in.n)) &&
		  EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, (void *)(uintptr_t)tag.p) > 0 &&
		  EVP_DecryptFinal_ex(ctx, out + (in.n ? n : 0), &last) > 0;

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

static bool unwrap_gcm(const struct envelope *e, const struct jose_key *key, const char *cipher, size_t bytes,
		       unsigned char out[KEY_MAX])
{
	struct str nonce, tag;

	return key->secret.n == bytes && e->key.n == e->content->key_bytes && b64_decode(e->a, jsn_str(e->header, "iv"), &nonce) &&
	       b64_decode(e->a, jsn_str(e->header, "tag"), &tag) &&
	       gcm_open(cipher, (const unsigned char *)key->secret.p, nonce, STR(""), e->key, tag, out);
}

static bool unwrap_rsa(const struct envelope *e, const struct jose_key *key, const char *digest, size_t bytes UNUSED,
		       unsigned char out[KEY_MAX])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	unsigned char plain[2100];
	size_t n = sizeof(plain);
	bool ok = ctx && EVP_PKEY_decrypt_init(ctx) > 0 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
		  EVP_PKEY_CTX_set_rsa_oaep_md(ctx, jose_digest(digest)) > 0 &&
		  EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, jose_digest(digest)) > 0 &&
		  EVP_PKEY_decrypt(ctx, plain, &n, (const unsigned char *)e->key.p, e->key.n) > 0 && n == e->content->key_bytes;

	if (ok)
		memcpy(out, plain, n);
	crypto_wipe(plain, sizeof(plain));
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

/* ---- key agreement (RFC 7518 section 4.6) ------------------------------------------------------------------------------------------------ */

static void put_u32(struct buf *b, size_t v)
{
	const unsigned char bytes[] = { (unsigned char)(v >> 24), (unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v };

	buf_add(b, bytes, sizeof(bytes));
}

/* Concat KDF (NIST SP 800-56A) with SHA-256, which OpenSSL calls SSKDF. */
static bool concat_kdf(const struct envelope *e, const unsigned char *secret, size_t secret_n, struct str alg, size_t want,
		       unsigned char *out)
{
	struct str apu = STR(""), apv = STR("");
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SSKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	struct buf info;
	bool ok = ctx && (!jsn_get(e->header, "apu") || b64_decode(e->a, jsn_str(e->header, "apu"), &apu)) &&
		  (!jsn_get(e->header, "apv") || b64_decode(e->a, jsn_str(e->header, "apv"), &apv));

	buf_init(&info, 65536);
	put_u32(&info, alg.n);
	buf_str(&info, alg);
	put_u32(&info, apu.n);
	buf_str(&info, apu);
	put_u32(&info, apv.n);
	buf_str(&info, apv);
	put_u32(&info, want * 8);
	if (ok && buf_ok(&info)) {
		OSSL_PARAM params[] = {
			OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t) "SHA256", 0),
			OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, (void *)(uintptr_t)secret, secret_n),
			OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.p, info.n),
			OSSL_PARAM_construct_end(),
		};

		ok = EVP_KDF_derive(ctx, out, want, params) > 0;
	}
	buf_release(&info);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

static bool agree(const struct envelope *e, const struct jose_key *key, unsigned char *out, size_t *n)
{
	EVP_PKEY *theirs = pkey_of_jwk(e->a, jsn_obj(e->header, "epk"), key->curve);
	EVP_PKEY_CTX *ctx = theirs ? EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL) : NULL;
	/* OpenSSL checks that the point is on the curve, and refuses an all-zero X25519 result */
	bool ok = ctx && EVP_PKEY_derive_init(ctx) > 0 && EVP_PKEY_derive_set_peer(ctx, theirs) > 0 &&
		  EVP_PKEY_derive(ctx, out, n) > 0;

	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(theirs);
	return ok;
}

static bool unwrap_agreed(const struct envelope *e, const struct jose_key *key, const char *cipher, size_t bytes,
			  unsigned char out[KEY_MAX])
{
	unsigned char secret[KEY_MAX * 2], kek[KEY_MAX];
	size_t n = sizeof(secret);
	bool ok = key->curve->agreement && agree(e, key, secret, &n);

	if (ok && !cipher)
		ok = e->key.n == 0 && concat_kdf(e, secret, n, str_of(e->content->name), e->content->key_bytes, out);
	else if (ok)
		ok = concat_kdf(e, secret, n, jsn_str(e->header, "alg"), bytes, kek) && unwrap_with(e, kek, cipher, out);
	crypto_wipe(secret, sizeof(secret));
	crypto_wipe(kek, sizeof(kek));
	return ok;
}

static const struct wrapping {           /* "alg" */
	const char *name;
	enum key_type type;
	unwrap_fn unwrap;
	const char *cipher;              /* RSA: digest of OAEP */
	size_t bytes;                    /* of the wrapping key */
} wrappings[] = {
	{ "RSA-OAEP", KEY_RSA, unwrap_rsa, "SHA1", 0 },
	{ "RSA-OAEP-256", KEY_RSA, unwrap_rsa, "SHA256", 0 },
	{ "A128KW", KEY_SECRET, unwrap_aes, "AES-128-WRAP", 16 },
	{ "A192KW", KEY_SECRET, unwrap_aes, "AES-192-WRAP", 24 },
	{ "A256KW", KEY_SECRET, unwrap_aes, "AES-256-WRAP", 32 },
	{ "A128GCMKW", KEY_SECRET, unwrap_gcm, "AES-128-GCM", 16 },
	{ "A192GCMKW", KEY_SECRET, unwrap_gcm, "AES-192-GCM", 24 },
	{ "A256GCMKW", KEY_SECRET, unwrap_gcm, "AES-256-GCM", 32 },
	{ "dir", KEY_SECRET, unwrap_direct, NULL, 0 },
	{ "ECDH-ES", KEY_EC, unwrap_agreed, NULL, 0 },
	{ "ECDH-ES+A128KW", KEY_EC, unwrap_agreed, "AES-128-WRAP", 16 },
	{ "ECDH-ES+A192KW", KEY_EC, unwrap_agreed, "AES-192-WRAP", 24 },
	{ "ECDH-ES+A256KW", KEY_EC, unwrap_agreed, "AES-256-WRAP", 32 },
};

/* ---- the text ----------------------------------------------------------------------------------------------------------------------------- */

/* RFC 7518 section 5.2: the first half of the key authenticates, the second decrypts; authentication comes first. */
static bool cbc_open(const struct envelope *e, const unsigned char *cek, unsigned char *out, size_t *n)
{
	size_t half = e->content->key_bytes / 2, mac_n = 0;
	uint64_t bits = (uint64_t)e->header_text.n * 8;
	unsigned char mac[64], length[8];
	EVP_CIPHER_CTX *ctx;
	struct buf text;
	int got = 0, last = 0;
	bool ok;

	for (int i = 7; i >= 0; i--, bits >>= 8)
		length[i] = (unsigned char)bits;
	buf_init(&text, JOSE_MAX_TOKEN_BYTES * 2);
	buf_str(&text, e->header_text);
	buf_str(&text, e->nonce);
	buf_str(&text, e->ciphertext);
	buf_add(&text, length, sizeof(length));
	ok = buf_ok(&text) && EVP_Q_mac(NULL, "HMAC", NULL, e->content->digest, NULL, cek, half, (unsigned char *)text.p, text.n, mac,
					sizeof(mac), &mac_n);
	buf_release(&text);
	if (!ok || e->nonce.n != 16 || !crypto_equal((struct str){ (char *)mac, half }, e->tag))
		return false;
	ctx = EVP_CIPHER_CTX_new();
	ok = ctx && EVP_DecryptInit_ex2(ctx, jose_cipher(e->content->cipher), cek + half, (const unsigned char *)e->nonce.p, NULL) &&
	     EVP_DecryptUpdate(ctx, out, &got, (const unsigned char *)e->ciphertext.p, (int)e->ciphertext.n) &&
	     EVP_DecryptFinal_ex(ctx, out + got, &last) > 0;
	EVP_CIPHER_CTX_free(ctx);
	*n = (size_t)(got + last);
	return ok;
}

static bool open_content(const struct envelope *e, const unsigned char *cek, struct str *out)
{
	char *plain = arena_alloc_text(e->a, e->ciphertext.n + 32);
	size_t n = e->ciphertext.n;
	bool ok = plain && (e->content->digest ? cbc_open(e, cek, (unsigned char *)plain, &n)
					       : gcm_open(e->content->cipher, cek, e->nonce, e->header_text, e->ciphertext, e->tag,
							  (unsigned char *)plain));

	*out = (struct str){ plain, n };
	return ok;
}

static bool open_with(const struct envelope *e, const struct wrapping *w, const struct jose_key *key, struct str *out)
{
	unsigned char cek[KEY_MAX], spare[KEY_MAX];
	bool have, ok;

	if (RAND_bytes(spare, sizeof(spare)) != 1)
		return false;
	have = w->unwrap(e, key, w->cipher, w->bytes, cek);
	ok = open_content(e, have ? cek : spare, out) && have;
	crypto_wipe(cek, sizeof(cek));
	ERR_clear_error();
	return ok;
}

/* ---- the token ------------------------------------------------------------------------------------------------------------------------------ */

static enum jose_reason read_envelope(struct envelope *e, struct str token, const struct wrapping **w)
{
	struct str rest = token, part[5], enc;
	enum jose_reason r;

	if (token.n > JOSE_MAX_TOKEN_BYTES)
		return JOSE_TOO_LARGE;
	for (size_t i = 0; i < 5; i++)
		if (!str_split(&rest, '.', &part[i]))
			return JOSE_MALFORMED;
	if (rest.p)
		return JOSE_MALFORMED;
	r = jose_read_header(e->a, part[0], &e->header);
	if (r)
		return r;
	e->header_text = part[0];
	if (!b64_decode(e->a, part[1], &e->key) || !b64_decode(e->a, part[2], &e->nonce) ||
	    !b64_decode(e->a, part[3], &e->ciphertext) || !b64_decode(e->a, part[4], &e->tag))
		return JOSE_MALFORMED;
	enc = jsn_str(e->header, "enc");
	for (size_t i = 0; i < ARRAY_LEN(contents); i++)
		if (str_eq(enc, str_of(contents[i].name)))
			e->content = &contents[i];
	for (size_t i = 0; i < ARRAY_LEN(wrappings); i++)
		if (str_eq(jsn_str(e->header, "alg"), str_of(wrappings[i].name)))
			*w = &wrappings[i];
	return e->content && *w ? JOSE_OK : JOSE_ALG_NOT_ALLOWED;
}

static bool can_open(const struct jose_key *key, const struct wrapping *w, const struct content *content)
{
	bool type = key->type == w->type || (w->type == KEY_EC && key->type == KEY_OKP && key->curve->agreement);

	if (!type || !key->encrypt || !key->private_half)
		return false;
	/* a key for "dir" names the content encryption (RFC 7517 appendix C does so), the others their wrapping */
	return str_is_null(key->alg) || str_eq(key->alg, str_of(w->name)) ||
	       (w->unwrap == unwrap_direct && str_eq(key->alg, str_of(content->name)));
}

enum jose_reason jose_decrypt(struct arena *a, struct str token, const struct jose_keys *keys, struct str *plaintext,
			      json_t **header)
{
	struct envelope e = { .a = a };
	const struct wrapping *w = NULL;
	enum jose_reason r = read_envelope(&e, token, &w);
	struct str kid = jsn_str(e.header, "kid");
	bool known = false, tried = false;

	*plaintext = STR_NULL;
	*header = e.header;
	if (r)
		return r;
	for (size_t i = 0; kid.p && keys && i < keys->n; i++)
		known |= keys->v[i]->kid.p && str_eq(keys->v[i]->kid, kid);
	for (size_t i = 0; keys && i < keys->n; i++) {
		const struct jose_key *key = keys->v[i];

		/* a token that names a key nobody has is tried with the keys that have no name */
		if (kid.p && (known ? !(key->kid.p && str_eq(key->kid, kid)) : key->kid.p != NULL))
			continue;
		if (!can_open(key, w, e.content))
			continue;
		tried = true;
		if (open_with(&e, w, key, plaintext))
			return JOSE_OK;
	}
	*plaintext = STR_NULL;
	return tried ? JOSE_DECRYPTION : JOSE_KEY_NOT_FOUND;
}
