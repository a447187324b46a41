/* sign.h - signatures over HTTP requests, made and checked: AWS Signature Version 4, HTTP Message Signatures (RFC 9421)
 * with Content-Digest (RFC 9530), and HMAC over a configured list of parts.
 *
 * The same functions serve both directions: a credential of the gateway signs what goes to a backend, and a caller's
 * signature is checked with them. Checking is in two steps: `..._parse` reads what the request claims (key id, time,
 * nonce), so that the caller of this library can find the secret and refuse a replay; `..._verify` then compares. Nothing
 * here remembers nonces or reads a clock: `now_s` is given (seconds since 1970).
 *
 * A request is seen as it is on the wire: path and query keep their escapes. Everything made lives in the arena. Secrets
 * are compared in constant time and appear in no message. Thread-safe. */
#pragma once

#include "core/jose.h"
#include "core/sfv.h"

struct sign_field {
	struct str name, value;
};

struct sign_request {
	struct str method;               /* as sent */
	struct str scheme;               /* "https" */
	struct str authority;            /* host, with its port when that is not the scheme's own */
	struct str path;                 /* "/a%20b"; as on the wire */
	struct str query;                /* without "?"; STR_NULL: none */
	const struct sign_field *fields; /* those that are looked at; Host may be missing (authority serves) */
	size_t n_fields;
};

enum { SIGN_ADDED_MAX = 8, SIGN_FIELDS_MAX = 512 };

struct sign_added {                      /* header fields that a signer asks to be set on the request */
	struct sign_field v[SIGN_ADDED_MAX];
	size_t n;
};

#define SIGN_VERDICTS(X) \
	X(OK, "The signature is valid") \
	X(MISSING, "The request is not signed") \
	X(MALFORMED, "The signature is malformed") \
	X(ALGORITHM, "The signature's algorithm is not allowed") \
	X(NOT_COVERED, "The signature does not cover a part that it must cover") \
	X(COMPONENT, "The signature covers a part that the request does not have, or has twice") \
	X(SCOPE, "The signature is for another region, service or day") \
	X(TIME, "The signature's time is too far from now") \
	X(EXPIRED, "The signature has expired") \
	X(PAYLOAD, "The body is not the one that was signed") \
	X(MISMATCH, "The signature does not match") \
	X(NO_MEMORY, "Out of memory")

enum sign_verdict {
#define X(name, text) SIGN_##name,
	SIGN_VERDICTS(X)
#undef X
	SIGN__COUNT
};
const char *sign_verdict_name(enum sign_verdict v);      /* "MISMATCH" */
const char *sign_verdict_text(enum sign_verdict v);

/* ---- AWS Signature Version 4 ------------------------------------------------------------------------------------------- */

enum {
	SIGV4_SINGLE_ENCODE = 1,         /* the path is escaped once and not normalised: Amazon S3 */
	SIGV4_NORMALIZE = 2,             /* dot segments and double slashes are removed: all other services */
	SIGV4_CONTENT_FIELD = 4,         /* signing: say the body's digest in X-Amz-Content-Sha256 (S3 needs it) */
	SIGV4_UNSIGNED_PAYLOAD = 8,      /* checking: a request may leave its body out of the signature */
};

struct sigv4_key {
	struct str access_key_id, secret;
	struct str session_token;        /* of temporary credentials; STR_NULL: none */
	struct str region, service;
};

/* The digest that stands for a body that is not signed; over TLS, where the service allows it. */
#define SIGV4_UNSIGNED STR("UNSIGNED-PAYLOAD")

/* Lower-case hexadecimal SHA-256 of a body. .p NULL when out of memory. */
struct str sign_sha256_hex(struct arena *a, struct str body);

/* Signs all fields of rq, Host and what it adds: X-Amz-Date, X-Amz-Security-Token, X-Amz-Content-Sha256 (by flag) and
 * Authorization. payload is sign_sha256_hex of the body, or SIGV4_UNSIGNED. */
GH_RC sigv4_sign(struct arena *a, const struct sign_request *rq, const struct sigv4_key *key, struct str payload,
		 int64_t now_s, unsigned flags, struct sign_added *out, struct gh_err *err);

struct sigv4_claim {
	struct str access_key_id, date, region, service; /* date: "20150830" */
	struct str signed_names;         /* "host;x-amz-date" */
	struct str signature;
	struct str timestamp;            /* "20150830T123600Z" */
	struct str session_token;        /* STR_NULL: none */
	int64_t at_s;
	int64_t expires_s;               /* seconds of validity of a signed address; 0: signed by header */
};

/* What the request claims, by its Authorization field or (a signed address) its query. MISSING when it has neither. */
enum sign_verdict sigv4_parse(struct arena *a, const struct sign_request *rq, struct sigv4_claim *out);

struct sigv4_rules {
	struct str secret;
	struct str region, service;      /* that the scope must name; STR_NULL: any */
	int64_t now_s;
	int64_t window_s;                /* largest distance of a header signature's time from now; 0: not checked */
	struct str payload;              /* sign_sha256_hex of the body that came; STR_NULL: it is not known */
	unsigned flags;                  /* SIGV4_SINGLE_ENCODE, SIGV4_NORMALIZE, SIGV4_UNSIGNED_PAYLOAD */
};

/* Host and every X-Amz-* field of the request must be signed. A body that is not known is taken to be what
 * X-Amz-Content-Sha256 says, so pass `payload` wherever the body is at hand. */
enum sign_verdict sigv4_verify(struct arena *a, const struct sign_request *rq, const struct sigv4_claim *claim,
			       const struct sigv4_rules *rules);

/* The two texts that are signed, for tests and for finding out why a signature differs; they hold no secret. */
struct sigv4_texts {
	struct str canonical, to_sign;
};
enum sign_verdict sigv4_texts(struct arena *a, const struct sign_request *rq, const struct sigv4_claim *claim,
			      struct str payload, unsigned flags, struct sigv4_texts *out);

/* ---- HTTP Message Signatures (RFC 9421) -------------------------------------------------------------------------------- */

struct msgsig_message {
	struct sign_request rq;
	int status;                      /* of a response; 0: this is a request */
	const struct sign_request *request;      /* response: what it answers, for components with ";req"; NULL: not known */
};

/* The algorithms are those of core/jose.h: RS256 is rsa-v1_5-sha256, PS512 rsa-pss-sha512, HS256 hmac-sha256, ES256
 * ecdsa-p256-sha256, ES384 ecdsa-p384-sha384, EdDSA ed25519. JOSE_NO_ALG when not known. */
enum jose_alg msgsig_alg_of(struct str name);
struct str msgsig_alg_name(enum jose_alg alg);           /* STR_NULL: not one of them */

struct msgsig_wish {
	struct str label;                /* STR_NULL: "sig1" */
	struct str components;           /* as an inner list: ("@method" "@path" "content-digest") */
	struct str key_id, nonce, tag;   /* STR_NULL: left out */
	int64_t created_s, expires_s;    /* 0: left out */
	bool say_alg;                    /* put the algorithm's name into the parameters */
	enum jose_alg alg;
};

/* Gives Signature-Input and Signature. key_kid: of the key in `keys`, STR_NULL: the first that can. */
GH_RC msgsig_sign(struct arena *a, const struct msgsig_message *m, const struct jose_keys *keys, struct str key_kid,
		  const struct msgsig_wish *wish, struct sign_added *out, struct gh_err *err);

struct msgsig_claim {
	struct str label, key_id, alg, nonce, tag;       /* STR_NULL: not given */
	int64_t created_s, expires_s;    /* 0: not given */
	struct str signature;            /* bytes */
	const struct sfv_item *input;    /* components and parameters */
	struct str base;                 /* what was signed, filled by msgsig_verify */
};

/* The signature with that label (STR_NULL: the first). */
enum sign_verdict msgsig_parse(struct arena *a, const struct msgsig_message *m, struct str label, struct msgsig_claim *out);

/* Whether the signature covers the component, without quotes: "@method". */
bool msgsig_covers(struct arena *a, const struct msgsig_claim *c, struct str component);

struct msgsig_rules {
	const struct jose_keys *keys;    /* that may have signed: those of the claim's key id */
	unsigned algs;                   /* JOSE_BIT(…) of what is allowed; 0: all that the keys allow */
	const struct str *required;      /* components that must be covered, without quotes: "@method", "content-digest" */
	size_t n_required;
	int64_t now_s;
	int64_t window_s;                /* created must be given and no further from now; 0: not checked */
};

/* Content-Digest is one component as any other here: check it against the body with content_digest_check. */
enum sign_verdict msgsig_verify(struct arena *a, const struct msgsig_message *m, struct msgsig_claim *claim,
				const struct msgsig_rules *rules);

/* Value of a Content-Digest field: sha-256=:…:  .p NULL when out of memory. */
struct str content_digest(struct arena *a, struct str body, bool sha512);
/* MISSING: no digest that is known (sha-256, sha-512); PAYLOAD: one does not fit. */
enum sign_verdict content_digest_check(struct arena *a, struct str field, struct str body);

/* ---- HMAC -------------------------------------------------------------------------------------------------------------- */

/* How a partner wants it. The signed text is the parts, each followed by nothing, joined with `separator`:
 *   method, scheme, host, path, query, target (path?query), timestamp, nonce, key-id, body, body-sha256 (hexadecimal),
 *   body-sha256-base64, header:NAME, and any text between single quotes. */
struct hmac_scheme {
	struct str digest;               /* "sha256", "sha384", "sha512"; STR_NULL: sha256 */
	struct str encoding;             /* "hex" or "base64"; STR_NULL: hex */
	struct str parts;                /* comma-separated; STR_NULL: HMAC_DEFAULT_PARTS */
	struct str separator;            /* STR_NULL: a line break */
	struct str field;                /* that carries the signature; STR_NULL: X-Signature */
	struct str prefix;               /* before the signature, such as "sha256="; STR_NULL: none */
	struct str key_id_field, timestamp_field, nonce_field;   /* STR_NULL: X-Key-Id, X-Timestamp, X-Nonce; empty: none */
	bool iso_time;                   /* the timestamp is RFC 3339; else seconds since 1970 */
	bool secret_base64;              /* the secret is base64 of the key's bytes */
};
#define HMAC_DEFAULT_PARTS STR("method,target,host,timestamp,nonce,body-sha256")

/* INVALID: a part, digest or encoding that is not known; the message names it. */
GH_RC hmac_scheme_check(const struct hmac_scheme *s, struct gh_err *err);
/* Whether the signed text has the body in it: then the whole body must be at hand. */
bool hmac_needs_body(const struct hmac_scheme *s);

struct hmac_claim {
	struct str key_id, nonce, timestamp;     /* STR_NULL: not given */
	struct str signature;            /* bytes */
	int64_t at_s;                    /* 0: not given */
};

/* nonce: any text that is used once; used when the scheme has a nonce field or part. */
GH_RC hmac_sign(struct arena *a, const struct sign_request *rq, const struct hmac_scheme *s, struct str key_id,
		struct str secret, struct str body, int64_t now_s, struct str nonce, struct sign_added *out,
		struct gh_err *err);
enum sign_verdict hmac_parse(struct arena *a, const struct sign_request *rq, const struct hmac_scheme *s,
			     struct hmac_claim *out);
/* window_s: largest distance of the timestamp from now; 0: not checked. With a window the timestamp must be signed. */
enum sign_verdict hmac_verify(struct arena *a, const struct sign_request *rq, const struct hmac_scheme *s,
			      const struct hmac_claim *claim, struct str secret, struct str body, int64_t now_s,
			      int64_t window_s);

/* ---- HTTP Signatures, the draft before RFC 9421 (draft-cavage-http-signatures-12), with a shared secret -------------------- */

struct cavage_claim {
	struct str key_id, algorithm;    /* algorithm STR_NULL: not given */
	struct str headers;              /* names of what is signed, between blanks */
	struct str created, expires;     /* as written; STR_NULL: not given */
	int64_t created_s, expires_s;    /* 0: not given */
	struct str signature;            /* bytes */
	int64_t at_s;                    /* by (created), X-Date or Date, whichever is signed; 0: none is */
};

/* By `Authorization: Signature …` or `hmac …`, else by the field Signature. */
enum sign_verdict cavage_parse(struct arena *a, const struct sign_request *rq, struct cavage_claim *out);
bool cavage_covers(const struct cavage_claim *c, struct str name);
/* hmac-sha256, -384 or -512; (request-target) or @request-target, host and a time must be signed, of a body digest (SHA-256)
 * too, which is compared with `body`. */
enum sign_verdict cavage_verify(struct arena *a, const struct sign_request *rq, const struct cavage_claim *c, struct str secret,
				struct str body, int64_t now_s, int64_t window_s);
/* What is signed, for tests. STR_NULL: a part is missing. */
struct str cavage_text(struct arena *a, const struct sign_request *rq, const struct cavage_claim *c);
