/* jose.h - signed and encrypted tokens: JWS, JWE (compact form), JWK and JWK sets, JWT claims. RFC 7515 to 7519, 8037, 8725.
 *
 * Rules that callers can rely on:
 *   - The key decides the algorithm, never the token alone: a key of type RSA is never used as an HMAC secret, and a key
 *     that names its algorithm is used with that one only.
 *   - Refused always: RSA1_5 and PBES2, compressed plaintext ("zip"), any "crit", names that stand twice in the header or
 *     the claims, base64url that is padded or not canonical, keys carried by the token itself (jwk, jku, x5u, x5c are
 *     ignored), RSA below 2048 bits, HMAC secrets below 128 bits. "none" is refused unless the caller asks for it.
 *   - A token is bounded (JOSE_MAX_TOKEN_BYTES) and its JSON is shallow (JOSE_MAX_DEPTH).
 *   - Every failed decryption gives one reason, whatever went wrong, and MACs are compared in constant time.
 *
 * A key set is built by one thread, then immutable and shared by any number of threads. Keys are parsed once. */
#pragma once

#include "core/json.h"

#define JOSE_MAX_TOKEN_BYTES 32768u       /* half of what a request may have of header fields */
#define JOSE_MAX_DEPTH 32u
#define JOSE_MAX_KEYS 256u               /* in one set */

/* Signature algorithms (RFC 7518 section 3.1, RFC 8037) */
#define JOSE_SIGNATURES(X) \
	X(HS256) X(HS384) X(HS512) X(RS256) X(RS384) X(RS512) X(PS256) X(PS384) X(PS512) X(ES256) X(ES384) X(ES512) \
	X(ES256K) X(EdDSA)

enum jose_alg {
	JOSE_NO_ALG,
#define X(name) JOSE_##name,
	JOSE_SIGNATURES(X)
#undef X
	JOSE_ALG__COUNT
};

#define JOSE_BIT(alg) (1u << (alg))
#define JOSE_ALL_ALGS (~0u)

const char *jose_alg_name(enum jose_alg alg);            /* "RS256"; "none" for JOSE_NO_ALG */
enum jose_alg jose_alg_of(struct str name);              /* JOSE_NO_ALG when not known */

/* ---- keys ----------------------------------------------------------------------------------------------------------- */

struct jose_keys;                        /* an ordered set of keys, counted by reference */

struct jose_keys *jose_keys_new(void);                   /* one reference; NULL when out of memory */
struct jose_keys *jose_keys_ref(struct jose_keys *k);
void jose_keys_free(struct jose_keys *k);                /* gives one reference back; NULL is fine */
size_t jose_keys_count(const struct jose_keys *k);
/* A number that no other set of this process has or had, from 1; 0 for NULL. What was verified is remembered with it: other
 * keys are another set, so nothing outlives a change of keys. */
uint64_t jose_keys_id(const struct jose_keys *k);

/* Adds the keys of a JWK set ({"keys":[…]}) or one JWK. Members of a set that are of an unknown type or curve, malformed or
 * too weak are left out and counted in *skipped (may be NULL), as RFC 7517 section 5 asks; a lone JWK must be good.
 * SYNTAX when the text is no such document. */
GH_RC jose_keys_add_jwks(struct jose_keys *k, struct str json, unsigned *skipped, struct gh_err *err);
GH_RC jose_keys_add_jwk(struct jose_keys *k, const json_t *jwk, struct gh_err *err);
/* kid may be STR_NULL in all of these. */
GH_RC jose_keys_add_secret(struct jose_keys *k, struct str kid, struct str secret, struct gh_err *err);
GH_RC jose_keys_add_rsa(struct jose_keys *k, struct str kid, struct str n_base64url, struct str e_base64url,
			struct gh_err *err);
/* PEM or DER: a certificate (its public key; the set also answers to its x5t thumbprints), a public or a private key. */
GH_RC jose_keys_add_pem(struct jose_keys *k, struct str kid, struct str pem_or_der, struct gh_err *err);
/* A new private key for signing: ES256, ES384, ES512, EdDSA, RS256 (2048 bits), HS256 … */
GH_RC jose_keys_generate(struct jose_keys *k, struct str kid, enum jose_alg alg, struct gh_err *err);
/* {"keys":[…]} with the public halves only; secrets are left out. Owned by the caller. */
json_t *jose_keys_public(const struct jose_keys *k);
/* {"keys":[…]} with private members, for storing (encrypted). Owned by the caller. NULL when out of memory. */
json_t *jose_keys_private(const struct jose_keys *k);

/* ---- verifying ------------------------------------------------------------------------------------------------------ */

#define JOSE_REASONS(X) \
	X(OK, "Token is valid") \
	X(MALFORMED, "JWT is not well formed") \
	X(TOO_LARGE, "JWT is larger than the limit") \
	X(HEADER, "JWT header is not acceptable") \
	X(CRITICAL, "JWT header has a critical extension that is not understood") \
	X(ALG_NOT_ALLOWED, "Signature algorithm is not allowed") \
	X(UNSIGNED, "JWT must be signed") \
	X(KEY_NOT_FOUND, "Signature key was not found") \
	X(SIGNATURE, "Signature validation failed") \
	X(DECRYPTION, "Decryption failed") \
	X(CLAIMS, "JWT payload is not a JSON object") \
	X(NO_EXPIRY, "JWT has no expiration time") \
	X(EXPIRED, "JWT has expired") \
	X(NOT_YET, "JWT is not valid yet") \
	X(ISSUER, "Issuer is not allowed") \
	X(AUDIENCE, "Audience is not allowed") \
	X(MEMORY, "Out of memory")

enum jose_reason {
#define X(name, text) JOSE_##name,
	JOSE_REASONS(X)
#undef X
	JOSE_REASON__COUNT
};

const char *jose_reason_name(enum jose_reason r);        /* "EXPIRED" */
const char *jose_reason_text(enum jose_reason r);

struct jose_rules {
	unsigned algs;                   /* JOSE_BIT(…) of what is allowed; 0 means all that the keys allow */
	const struct jose_keys *keys;    /* to check signatures with */
	const struct jose_keys *decryption_keys;         /* for encrypted tokens; NULL: they are refused */
	bool allow_unsigned;             /* "none", and encrypted tokens without a signature inside */
};

struct jose_token {
	struct str raw;                  /* the signed token itself (the inner one when it came encrypted); borrowed */
	json_t *header, *claims;         /* owned by the arena */
	struct str payload;              /* the bytes that were signed */
	enum jose_alg alg;               /* JOSE_NO_ALG when unsigned */
	struct str kid;                  /* of the token; STR_NULL when none */
	bool encrypted;
};

/* Takes a token apart without checking anything but its form, as .NET's AsJwt() does. Not a validation. */
enum jose_reason jose_decode(struct arena *a, struct str token, struct jose_token *out);

/* Checks form, header, signature (and decrypts first when it is a JWE), not the claims. *out is valid when JOSE_OK, and as
 * far as it came otherwise. A token that names a kid is checked with the keys of that id, else with those that have no id;
 * KEY_NOT_FOUND says that fetching the key set anew may help. */
enum jose_reason jose_verify(struct arena *a, struct str token, const struct jose_rules *rules, struct jose_token *out);

struct jose_claim_rules {
	int64_t now_s, skew_s;           /* seconds since 1970 and tolerance both ways */
	bool require_expiry;
	const struct str *issuers;       /* any of them; none: not checked */
	size_t n_issuers;
	const struct str *audiences;     /* any of them; none: not checked */
	size_t n_audiences;
};

/* exp, nbf, iss and aud (RFC 7519 section 4.1). Times are NumericDate with or without fraction. */
enum jose_reason jose_check_claims(const json_t *claims, const struct jose_claim_rules *rules);
/* The values of now_s, from *from_s and below *until_s, at which jose_check_claims finds the times of these claims good as it does
 * now; rules->skew_s is looked at. No time in the claims: a bound that is far away (a million years, so that µs fit too). */
void jose_claim_window(const json_t *claims, const struct jose_claim_rules *rules, int64_t *from_s, int64_t *until_s);

/* ---- signing and encrypting ----------------------------------------------------------------------------------------- */

/* A compact JWS over the claims with the key `kid` (STR_NULL: the first private key). The header has alg, typ "JWT" and
 * kid. Text in the arena. INVALID when there is no such key or it cannot do the algorithm. */
GH_RC jose_sign(struct arena *a, const struct jose_keys *keys, struct str kid, enum jose_alg alg, const json_t *claims,
		struct str *out, struct gh_err *err);

/* The same with further header members (an object, borrowed: "x5t", "typ"); they replace those of the same name. */
GH_RC jose_sign_with(struct arena *a, const struct jose_keys *keys, struct str kid, enum jose_alg alg, const json_t *header,
		     const json_t *claims, struct str *out, struct gh_err *err);

/* Signatures over bytes of any kind, in the form that JWS gives them (r and s of ECDSA side by side); RFC 9421 uses the
 * same. kid STR_NULL: the first private key that can. */
GH_RC jose_sign_bytes(struct arena *a, const struct jose_keys *keys, struct str kid, enum jose_alg alg, struct str bytes,
		      struct str *signature, struct gh_err *err);
/* Whether a key of that id (STR_NULL: any key; a key without an id answers to every id) made it with one of `algs`
 * (JOSE_BIT). */
bool jose_verify_bytes(const struct jose_keys *keys, struct str kid, unsigned algs, struct str bytes, struct str signature);

/* Decrypts a compact JWE: RSA-OAEP, RSA-OAEP-256, ECDH-ES and +A128KW … +A256KW (EC curves and X25519), A128KW … A256KW,
 * A128GCMKW … A256GCMKW, dir; with A128GCM … A256GCM and A128CBC-HS256 … A256CBC-HS512. */
enum jose_reason jose_decrypt(struct arena *a, struct str token, const struct jose_keys *keys, struct str *plaintext,
			      json_t **header);
