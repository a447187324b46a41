#include "core/crypto.h"

#include "core/str.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <sodium.h>
#include <sys/random.h>

enum {
	NONCE_BYTES = 12,
	TAG_BYTES = 16,
	/* OWASP's second choice for Argon2id: 19 MiB, two passes; about 30 ms of one core */
	PASSWORD_PASSES = 2,
	PASSWORD_MEMORY = 19 * 1024 * 1024,
};

static const char HEX_DIGITS[] = "0123456789abcdef";
static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char BASE64URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static const unsigned char *bytes_of(struct str s)
{
	return (const unsigned char *)(s.p ? s.p : "");
}

/* Found once: SHA256() and EVP_sha256() look for it each time, which takes longer than a short text. NULL: it could not be found. */
static const EVP_MD *sha256;

static void find_sha256(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static const EVP_MD *need_sha256(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, find_sha256);
	return sha256 ? sha256 : EVP_sha256();
}

static void start_sodium(void)
{
	if (sodium_init() < 0)
		sodium_misuse();
}

static void need_sodium(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, start_sodium);
}

void crypto_sha256(struct str in, uint8_t out[CRYPTO_SHA256_BYTES])
{
	if (!EVP_Digest(bytes_of(in), in.n, out, NULL, need_sha256(), NULL))
		SHA256(bytes_of(in), in.n, out);
}

bool crypto_sha256_joined(const struct str *parts, size_t n, uint8_t out[CRYPTO_SHA256_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, need_sha256(), NULL);

	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_DigestUpdate(ctx, bytes_of(parts[i]), parts[i].n);
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);
	return ok;
}

static uint8_t name_key[crypto_shorthash_siphashx24_KEYBYTES];

static void draw_name_key(void)
{
	need_sodium();
	randombytes_buf(name_key, sizeof(name_key));
}

void crypto_name(struct str in, uint8_t out[CRYPTO_SHA256_BYTES])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, draw_name_key);
	memset(out, 0, CRYPTO_SHA256_BYTES);
	crypto_shorthash_siphashx24(out, bytes_of(in), in.n, name_key);
}

void crypto_hmac_sha256(struct str key, struct str in, uint8_t out[CRYPTO_SHA256_BYTES])
{
	unsigned n = CRYPTO_SHA256_BYTES;

	HMAC(EVP_sha256(), bytes_of(key), (int)key.n, bytes_of(in), in.n, out, &n);
}

void crypto_sha1(struct str in, uint8_t out[CRYPTO_SHA1_BYTES])
{
	SHA1(bytes_of(in), in.n, out);
}

void crypto_hmac_sha1(struct str key, struct str in, uint8_t out[CRYPTO_SHA1_BYTES])
{
	unsigned n = CRYPTO_SHA1_BYTES;

	HMAC(EVP_sha1(), bytes_of(key), (int)key.n, bytes_of(in), in.n, out, &n);
}

GH_RC crypto_random(void *out, size_t n, struct gh_err *err)
{
	uint8_t *p = out;

	while (n) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			FAIL(err, IO, "getrandom: %s", strerror(errno));
		p += got, n -= (size_t)got;
	}
	return GH_RC_OK;
}

GH_RC crypto_random_hex(struct arena *a, size_t n, struct str *out, struct gh_err *err)
{
	uint8_t *raw = arena_alloc_raw(a, n ? n : 1);

	if (!raw)
		FAIL(err, NOMEM, "%zu random bytes", n);
	TRY(crypto_random(raw, n, err));
	*out = crypto_hex(a, (struct str){ (const char *)raw, n });
	crypto_wipe(raw, n);
	if (!out->p)
		FAIL(err, NOMEM, "%zu random bytes", n);
	return GH_RC_OK;
}

/* ---- sealing ---------------------------------------------------------------------------------------------------------- */

static bool gcm_seal(EVP_CIPHER_CTX *x, const uint8_t *key, struct str plain, struct str ad, uint8_t *out)
{
	uint8_t *text = out + NONCE_BYTES;
	int n = 0;

	return EVP_EncryptInit_ex(x, EVP_aes_256_gcm(), NULL, key, out)
	       && (!ad.n || EVP_EncryptUpdate(x, NULL, &n, bytes_of(ad), (int)ad.n))
	       && (!plain.n || EVP_EncryptUpdate(x, text, &n, bytes_of(plain), (int)plain.n))
	       && EVP_EncryptFinal_ex(x, text + plain.n, &n)
	       && EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, text + plain.n);
}

GH_RC crypto_seal(struct arena *a, const uint8_t key[CRYPTO_KEY_BYTES], struct str plain, struct str associated,
		  struct str *out, struct gh_err *err)
{
	EVP_CIPHER_CTX *x;
	uint8_t *sealed;
	bool done;

	if (plain.n > INT32_MAX || associated.n > INT32_MAX)
		FAIL(err, LIMIT, "too large to seal");
	sealed = arena_alloc_raw(a, plain.n + CRYPTO_SEAL_BYTES);
	x = EVP_CIPHER_CTX_new();
	if (!sealed || !x) {
		EVP_CIPHER_CTX_free(x);
		FAIL(err, NOMEM, "sealing %zu bytes", plain.n);
	}
	done = !crypto_random(sealed, NONCE_BYTES, NULL).code && gcm_seal(x, key, plain, associated, sealed);
	EVP_CIPHER_CTX_free(x);
	if (!done)
		FAIL(err, INTERNAL, "AES-256-GCM failed");
	*out = (struct str){ (const char *)sealed, plain.n + CRYPTO_SEAL_BYTES };
	return GH_RC_OK;
}

/* Writes n bytes and a zero byte behind them. */
static bool gcm_open(EVP_CIPHER_CTX *x, const uint8_t *key, struct str sealed, struct str ad, uint8_t *out, size_t n)
{
	const uint8_t *in = bytes_of(sealed);
	uint8_t tag[TAG_BYTES];
	int done = 0;

	memcpy(tag, in + NONCE_BYTES + n, TAG_BYTES);
	return EVP_DecryptInit_ex(x, EVP_aes_256_gcm(), NULL, key, in)
	       && (!ad.n || EVP_DecryptUpdate(x, NULL, &done, bytes_of(ad), (int)ad.n))
	       && (!n || EVP_DecryptUpdate(x, out, &done, in + NONCE_BYTES, (int)n))
	       && EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) && EVP_DecryptFinal_ex(x, out + n, &done);
}

GH_RC crypto_open(struct arena *a, const uint8_t key[CRYPTO_KEY_BYTES], struct str sealed, struct str associated,
		  struct str *out, struct gh_err *err)
{
	EVP_CIPHER_CTX *x;
	uint8_t *plain;
	size_t n;
	bool done;

	if (sealed.n < CRYPTO_SEAL_BYTES || sealed.n > INT32_MAX || associated.n > INT32_MAX)
		FAIL(err, DENIED, "a sealed value is cut short");
	n = sealed.n - CRYPTO_SEAL_BYTES;
	plain = arena_alloc_raw(a, n + 1);
	x = EVP_CIPHER_CTX_new();
	if (!plain || !x) {
		EVP_CIPHER_CTX_free(x);
		FAIL(err, NOMEM, "opening %zu bytes", n);
	}
	done = gcm_open(x, key, sealed, associated, plain, n);
	EVP_CIPHER_CTX_free(x);
	if (!done) {
		crypto_wipe(plain, n);
		FAIL(err, DENIED, "a sealed value does not open with this master key");
	}
	plain[n] = '\0';
	*out = (struct str){ (const char *)plain, n };
	return GH_RC_OK;
}

bool crypto_equal(struct str a, struct str b)
{
	return a.n == b.n && (!a.n || sodium_memcmp(a.p, b.p, a.n) == 0);
}

void crypto_wipe(void *p, size_t n)
{
	if (p && n)
		explicit_bzero(p, n);
}

/* ---- text forms ------------------------------------------------------------------------------------------------------- */

struct str crypto_hex(struct arena *a, struct str bytes)
{
	char *out = bytes.n < SIZE_MAX / 2 ? arena_alloc_text(a, bytes.n * 2 + 1) : NULL;

	if (!out)
		return STR_NULL;
	for (size_t i = 0; i < bytes.n; i++) {
		out[2 * i] = HEX_DIGITS[bytes_of(bytes)[i] >> 4];
		out[2 * i + 1] = HEX_DIGITS[bytes_of(bytes)[i] & 15];
	}
	out[2 * bytes.n] = '\0';
	return (struct str){ out, bytes.n * 2 };
}

static int hex_digit(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool crypto_hex_decode_to(struct str text, uint8_t *out, size_t n)
{
	if (text.n != n * 2)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(text.p[2 * i]), low = hex_digit(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

bool crypto_hex_decode(struct arena *a, struct str text, struct str *out)
{
	char *p = arena_alloc_text(a, text.n / 2 + 1);

	if (!p || text.n % 2 || !crypto_hex_decode_to(text, (uint8_t *)p, text.n / 2))
		return false;
	p[text.n / 2] = '\0';
	*out = (struct str){ p, text.n / 2 };
	return true;
}

static struct str base64_encode(struct arena *a, struct str in, const char *alphabet, bool pad)
{
	char *out = in.n < SIZE_MAX / 2 ? arena_alloc_text(a, (in.n + 2) / 3 * 4 + 1) : NULL, *p = out;
	const unsigned char *b = bytes_of(in);
	size_t i = 0;

	if (!out)
		return STR_NULL;
	for (; in.n - i >= 3; i += 3, p += 4) {
		p[0] = alphabet[b[i] >> 2];
		p[1] = alphabet[(b[i] & 3) << 4 | b[i + 1] >> 4];
		p[2] = alphabet[(b[i + 1] & 15) << 2 | b[i + 2] >> 6];
		p[3] = alphabet[b[i + 2] & 63];
	}
	if (i < in.n) {
		unsigned second = in.n - i > 1 ? b[i + 1] : 0;

		*p++ = alphabet[b[i] >> 2];
		*p++ = alphabet[(b[i] & 3U) << 4 | second >> 4];
		if (in.n - i > 1)
			*p++ = alphabet[(second & 15) << 2];
		else if (pad)
			*p++ = '=';
		if (pad)
			*p++ = '=';
	}
	*p = '\0';
	return (struct str){ out, (size_t)(p - out) };
}

static int base64_digit(char c, const char *alphabet)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (ascii_is_digit(c))
		return c - '0' + 52;
	if (c == alphabet[62])
		return 62;
	return c == alphabet[63] ? 63 : -1;
}

/* The text without padding, or false when padding is wrong: too much, or missing where it must stand. */
static bool base64_unpad(struct str *text, bool must_pad)
{
	size_t n = text->n, pad = 0;

	while (pad < 2 && n && text->p[n - 1] == '=')
		n--, pad++;
	if (n % 4 == 1 || (pad && (n + pad) % 4) || (must_pad && (n + pad) % 4))
		return false;
	text->n = n;
	return true;
}

static bool base64_decode(struct arena *a, struct str text, const char *alphabet, bool must_pad, struct str *out)
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t n = 0;
	char *p;

	if (!base64_unpad(&text, must_pad))
		return false;
	p = arena_alloc_text(a, text.n / 4 * 3 + 3);
	if (!p)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		int v = base64_digit(text.p[i], alphabet);

		if (v < 0)
			return false;
		bits = bits << 6 | (unsigned)v, held += 6;
		if (held >= 8)
			p[n++] = (char)(bits >> (held -= 8));
	}
	if (bits & ((1U << held) - 1))
		return false;                    /* two texts for the same bytes would be a way round a comparison */
	p[n] = '\0';
	*out = (struct str){ p, n };
	return true;
}

struct str crypto_base32(struct arena *a, struct str bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	size_t n = (bytes.n * 8 + 4) / 5;
	char *out = arena_alloc_text(a, n + 1);

	if (!out)
		return STR_NULL;
	for (size_t i = 0; i < n; i++) {
		size_t bit = i * 5, at = bit / 8;
		unsigned two = (unsigned)bytes_of(bytes)[at] << 8 | (at + 1 < bytes.n ? bytes_of(bytes)[at + 1] : 0u);

		out[i] = digits[two >> (11 - bit % 8) & 31];
	}
	out[n] = '\0';
	return (struct str){ out, n };
}

struct str crypto_base64(struct arena *a, struct str bytes)
{
	return base64_encode(a, bytes, BASE64, true);
}

bool crypto_base64_decode(struct arena *a, struct str text, struct str *out)
{
	return base64_decode(a, text, BASE64, true, out);
}

struct str crypto_base64url(struct arena *a, struct str bytes)
{
	return base64_encode(a, bytes, BASE64URL, false);
}

bool crypto_base64url_decode(struct arena *a, struct str text, struct str *out)
{
	return base64_decode(a, text, BASE64URL, false, out);
}

/* ---- passwords -------------------------------------------------------------------------------------------------------- */

GH_RC crypto_password_hash(struct str password, char out[CRYPTO_PASSWORD_HASH_MAX], struct gh_err *err)
{
	_Static_assert(CRYPTO_PASSWORD_HASH_MAX >= crypto_pwhash_STRBYTES, "room for the hash");
	need_sodium();
	if (password.n > CRYPTO_PASSWORD_MAX)
		FAIL(err, LIMIT, "a password may have at most %d bytes", CRYPTO_PASSWORD_MAX);
	if (crypto_pwhash_str_alg(out, password.p ? password.p : "", password.n, PASSWORD_PASSES, PASSWORD_MEMORY,
				  crypto_pwhash_ALG_ARGON2ID13))
		FAIL(err, NOMEM, "hashing a password");
	return GH_RC_OK;
}

bool crypto_password_verify(struct str hash, struct str password)
{
	char text[crypto_pwhash_STRBYTES] = { 0 };

	need_sodium();
	if (hash.n >= sizeof(text) || password.n > CRYPTO_PASSWORD_MAX)
		return false;
	memcpy(text, hash.p ? hash.p : "", hash.n);
	return crypto_pwhash_str_verify(text, password.p ? password.p : "", password.n) == 0;
}

bool crypto_password_needs_rehash(struct str hash)
{
	char text[crypto_pwhash_STRBYTES] = { 0 };

	need_sodium();
	if (hash.n >= sizeof(text))
		return true;
	memcpy(text, hash.p ? hash.p : "", hash.n);
	return crypto_pwhash_str_needs_rehash(text, PASSWORD_PASSES, PASSWORD_MEMORY) != 0;
}

void crypto_password_pretend(struct str password)
{
	char hash[CRYPTO_PASSWORD_HASH_MAX];
	gh_rc rc = crypto_password_hash(str_first(password, CRYPTO_PASSWORD_MAX), hash, NULL);

	(void)rc;
}
