/* internal.h - what the files of core/jose share. */
#pragma once

#include "core/arena.h"
#include "core/jose.h"

#include <openssl/evp.h>
#include <stdatomic.h>

enum key_type { KEY_SECRET, KEY_RSA, KEY_EC, KEY_OKP };

struct curve {
	const char *name;                /* in JWK */
	const char *group;               /* in OpenSSL */
	enum key_type type;
	size_t bytes;                    /* of a coordinate or raw key */
	enum jose_alg alg;               /* the signature it makes; JOSE_NO_ALG: key agreement only */
	bool agreement;
};

struct alg_info {
	const char *name;
	enum key_type type;
	const char *digest;              /* NULL: EdDSA */
	bool pss;
	size_t bytes;                    /* of an HMAC */
};

enum { DIGEST_256, DIGEST_384, DIGEST_512, DIGEST__COUNT };

struct jose_key {
	enum key_type type;
	struct str kid, x5t, x5t_256;    /* in the set's arena; STR_NULL: none */
	struct str alg;                  /* name of the only algorithm it may be used with; STR_NULL: any that fits */
	bool sign, encrypt;              /* what "use" and "key_ops" allow */
	bool private_half;
	const struct curve *curve;       /* EC, OKP */
	EVP_PKEY *pkey;
	struct str secret;
	EVP_MAC_CTX *hmac[DIGEST__COUNT];        /* ready with the key, copied for each use */
};

struct jose_keys {
	_Atomic unsigned refs;
	uint64_t id;                     /* see jose_keys_id */
	struct arena *arena;
	struct jose_key *v[JOSE_MAX_KEYS];
	size_t n;
};

extern const struct alg_info jose_algs[JOSE_ALG__COUNT];
const struct curve *curve_of(struct str name);
const struct curve *curve_of_group(const char *group);

const EVP_MD *jose_digest(const char *name);             /* fetched once for the process */
const EVP_CIPHER *jose_cipher(const char *name);
int digest_index(const char *name);

/* A new, empty key in the set, not counted yet; key_added counts it, key_dropped gives it back. */
struct jose_key *key_new(struct jose_keys *k, struct str kid, struct gh_err *err);
GH_RC key_added(struct jose_keys *k, struct jose_key *key, struct gh_err *err);
void key_dropped(struct jose_key *key);
GH_RC key_take_secret(struct jose_keys *k, struct jose_key *key, struct str secret, struct gh_err *err);

/* Strict base64url: no padding, no left-over bits. */
bool b64_decode(struct arena *a, struct str text, struct str *out);
/* Can the key make or check this signature? */
bool key_fits(const struct jose_key *key, enum jose_alg alg);
/* A public key on `c` from a JWK (the `epk` of a JWE). NULL when malformed. */
EVP_PKEY *pkey_of_jwk(struct arena *a, const json_t *jwk, const struct curve *c);
/* The protected header of a token as a strict JSON object in the arena, "crit" and "zip" refused. */
enum jose_reason jose_read_header(struct arena *a, struct str part, json_t **out);
