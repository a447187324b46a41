/* trace_token.h - the debug credential: a short-lived permission to trace calls, checked without a store.
 *
 *   base64url({"v":1,"exp":UNIX,"sub":"ID"|null,"api":"ID","admin":BOOL}) "." base64url(HMAC-SHA256 over the part before the dot)
 *
 * The key is made from the master key (core/paths.h), so that every process of an installation agrees on it and nobody
 * outside can sign. A token cannot be taken back; that is why none lives longer than TRACE_TOKEN_LIFE_S, whatever its
 * `exp` says. Thread-safe. No function puts a token into a message. */
#pragma once

#include "core/arena.h"
#include "core/crypto.h"
#include "core/error.h"

enum {
	TRACE_TOKEN_LIFE_S = 3600,           /* longest life of a token, and how long a trace is kept */
	TRACE_TOKEN_MAX = 1024,              /* bytes of a token */
	TRACE_CACHE_SPACE = 't',             /* name space of traces in core/cache.h; the key is the request's id */
	TRACE_LIST_SPACE = 'T',              /* of lists: a JSON object a line, newest first; key: a subscription, "" of all */
	TRACE_LIST_MAX = 50,                 /* lines of a list */
};

struct trace_claims {
	int64_t expires_s;                   /* seconds since 1970 */
	struct str subscription;             /* whose calls it traces; STR_NULL: see admin */
	struct str api;                      /* only calls of this API; STR_NULL: of all */
	bool admin;                          /* traces every call */
};

/* The call that is to be traced. */
struct trace_call {
	struct str subscription, api;        /* STR_NULL: it has none, or that is not known */
	bool refused;                        /* at the way in, before it was known whose it is */
};

enum trace_token_result {
	TRACE_TOKEN_OK,
	TRACE_TOKEN_MALFORMED,
	TRACE_TOKEN_FORGED,                  /* signed with another key, or changed since */
	TRACE_TOKEN_EXPIRED,
	TRACE_TOKEN_TOO_LONG,                /* would live longer than a token may */
	TRACE_TOKEN_OTHER,                   /* good, but for another subscription */
	TRACE_TOKEN_OTHER_API,               /* good, but for another API */
	TRACE_TOKEN__COUNT
};
struct str trace_token_reason(enum trace_token_result r);    /* a few words that a client may see */

/* The signing key of an installation. */
void trace_token_key(const uint8_t master[CRYPTO_KEY_BYTES], uint8_t key[CRYPTO_KEY_BYTES]);
/* The token in the arena. INVALID when it would trace nothing or be longer than TRACE_TOKEN_MAX. */
GH_RC trace_token_make(struct arena *a, const uint8_t key[CRYPTO_KEY_BYTES], const struct trace_claims *claims,
		       struct str *out, struct gh_err *err);
/* May whoever shows this token trace that call? The signature is compared in constant time and before anything in the token
 * is read. A token of a subscription is good for a call that was refused before its subscription was known: whoever asks
 * why his key does not work has nothing better to show. *claims (may be NULL) is filled when the signature is good. */
enum trace_token_result trace_token_check(struct arena *a, const uint8_t key[CRYPTO_KEY_BYTES], struct str token,
					  int64_t now_s, const struct trace_call *call, struct trace_claims *claims);
