/* crypto.h - digests, sealing, random bytes, text forms of bytes, comparison in constant time, password hashes.
 *
 * Sealing is AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce: nonce (12) || ciphertext || tag (16). Associated
 * data binds a sealed value to its place ("named_value:erp-secret"), so that one cannot be moved onto another.
 * All functions are thread-safe. None of them logs or puts a secret into a message. */
#pragma once

#include "core/arena.h"
#include "core/error.h"

enum {
	CRYPTO_SHA1_BYTES = 20,
	CRYPTO_SHA256_BYTES = 32,
	CRYPTO_KEY_BYTES = 32,
	CRYPTO_SEAL_BYTES = 28,              /* what sealing adds: nonce and tag */
	CRYPTO_PASSWORD_MAX = 1024,          /* longest password that is hashed, in bytes */
	CRYPTO_PASSWORD_HASH_MAX = 128,      /* with the zero byte */
};

void crypto_sha256(struct str in, uint8_t out[CRYPTO_SHA256_BYTES]);
/* Of texts one after the other. False: out of memory. */
bool crypto_sha256_joined(const struct str *parts, size_t n, uint8_t out[CRYPTO_SHA256_BYTES]) MUST_USE;
/* A name for a text in tables of this process, a third of the price of a SHA-256: 128 bits of SipHash-2-4 under a key that the
 * process draws for itself, then zeros. Who does not know the key finds no other text of the same name; names must not leave
 * the process, where they would mean nothing. */
void crypto_name(struct str in, uint8_t out[CRYPTO_SHA256_BYTES]);
void crypto_sha1(struct str in, uint8_t out[CRYPTO_SHA1_BYTES]);       /* for names that others give out, such as Redis' of scripts */
void crypto_hmac_sha256(struct str key, struct str in, uint8_t out[CRYPTO_SHA256_BYTES]);   /* RFC 2104 */
void crypto_hmac_sha1(struct str key, struct str in, uint8_t out[CRYPTO_SHA1_BYTES]);        /* for one-time codes (RFC 4226) */

GH_RC crypto_random(void *out, size_t n, struct gh_err *err);           /* of the kernel's generator */
/* n random bytes as 2n hexadecimal digits, in the arena: keys, passwords, session ids. */
GH_RC crypto_random_hex(struct arena *a, size_t n, struct str *out, struct gh_err *err);

/* The sealed bytes in the arena. */
GH_RC crypto_seal(struct arena *a, const uint8_t key[CRYPTO_KEY_BYTES], struct str plain, struct str associated,
		  struct str *out, struct gh_err *err);
/* DENIED when the bytes were not sealed with this key and this associated data, or were changed since. */
GH_RC crypto_open(struct arena *a, const uint8_t key[CRYPTO_KEY_BYTES], struct str sealed, struct str associated,
		  struct str *out, struct gh_err *err);

bool crypto_equal(struct str a, struct str b);          /* time depends on the lengths only */
void crypto_wipe(void *p, size_t n);                    /* overwrites; the compiler may not drop it */

/* Text forms (RFC 4648). Encoders return text in the arena (.p NULL when out of memory). Decoders are strict: false for a
 * character outside the alphabet, white space, wrong padding or left-over bits. Hexadecimal is written in lower case and
 * read in both. base64url is written without padding and read with or without. */
struct str crypto_hex(struct arena *a, struct str bytes);
bool crypto_hex_decode(struct arena *a, struct str text, struct str *out);
bool crypto_hex_decode_to(struct str text, uint8_t *out, size_t n);     /* exactly n bytes */
struct str crypto_base32(struct arena *a, struct str bytes);          /* upper case, without padding */
struct str crypto_base64(struct arena *a, struct str bytes);
bool crypto_base64_decode(struct arena *a, struct str text, struct str *out);
struct str crypto_base64url(struct arena *a, struct str bytes);
bool crypto_base64url_decode(struct arena *a, struct str text, struct str *out);

/* Argon2id (RFC 9106) in the usual "$argon2id$..." text; each call costs tens of milliseconds and tens of megabytes.
 * LIMIT for a password longer than CRYPTO_PASSWORD_MAX. */
GH_RC crypto_password_hash(struct str password, char out[CRYPTO_PASSWORD_HASH_MAX], struct gh_err *err);
bool crypto_password_verify(struct str hash, struct str password);
bool crypto_password_needs_rehash(struct str hash);     /* made with weaker parameters than today's */
/* Takes as long as a verification: for a sign-in with a name that is not known. */
void crypto_password_pretend(struct str password);
