/* verified.h - tokens whose signature was found good, remembered so that one that comes again costs a short hash in
 * place of a signature.
 *
 * An entry is found under a name of the token (crypto_name) together with whatever verified it: the numbers of the key sets
 * (jose_keys_id) and what was asked. So nothing has to be forgotten when an issuer changes its keys or a document is
 * replaced: other keys are another set, and the token is looked for under another name. Times, audience, issuer and claims
 * are looked at with each call. An entry holds the claims, never the token. The table is the host's (policy_host.verified),
 * bounded, and the same for policies and access rules; entries of both kinds stand side by side in it.
 *
 * A verdict is more: one policy has passed the token, claims and all. A policy whose attributes are the same for each call
 * can only come to another verdict when a time of the token is reached or the keys of an issuer change; a verdict says until
 * when it holds, and with which keys. They have a table of their own (policy_host.verdicts), bounded too. */
#pragma once

#include "core/jose.h"
#include "core/lru.h"

enum { VERIFIED_SETS_MAX = 16 };

struct verified_by {
	uint64_t sets[VERIFIED_SETS_MAX];        /* jose_keys_id, in the order in which they were asked */
	size_t n;
	bool unsigned_too;                       /* a token without a signature would have been taken */
};

/* The name under `by` of a token, whose own name (crypto_name) is `token`. */
void verified_name(const struct verified_by *by, const uint8_t token[LRU_DIGEST_BYTES], uint8_t name[LRU_DIGEST_BYTES]);
/* Fills what a caller needs of *out: claims, kid, raw (of a token that came signed), encrypted. They live as long as the
 * arena. False: it is not known. `raw`: the signed token itself is needed, which is not kept of encrypted ones. */
bool verified_get(struct lru *l, const uint8_t name[LRU_DIGEST_BYTES], struct arena *a, struct str token, bool raw,
		  struct jose_token *out);
void verified_put(struct lru *l, const uint8_t name[LRU_DIGEST_BYTES], const struct jose_token *t);
void verified_forget(struct lru *l, const uint8_t name[LRU_DIGEST_BYTES]);

struct verdict {
	int64_t from_us, until_us;               /* it holds from then, and before then */
	uint64_t issuers;                        /* as long as openid_version() is this; 0: whatever that is */
	struct str kid;                          /* for the trace; may be cut */
};

/* Of a token, by the name of it (crypto_name), and a policy, by a number that no other of this process has. */
void verdict_name(uint64_t policy, const uint8_t token[LRU_DIGEST_BYTES], uint8_t name[LRU_DIGEST_BYTES]);
/* Whether it passed and would now. *kid lives until the table is written. */
bool verdict_get(struct lru *l, const uint8_t name[LRU_DIGEST_BYTES], int64_t now_us, uint64_t issuers, struct str *kid);
void verdict_put(struct lru *l, const uint8_t name[LRU_DIGEST_BYTES], const struct verdict *v);
