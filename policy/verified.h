/* verified.h - tokens whose signature was found good, remembered so that one that comes again costs a short hash in
 * place of a signature.
 *
 * An entry is found under a name of the token (crypto_name) together with whatever verified it: the numbers of the key sets
 * (jose_keys_id) and what was asked. So nothing has to be forgotten when an issuer changes its keys or a document is
 * replaced: other keys are another set, and the token is looked for under another name. Times, audience, issuer and claims
 * are looked at with each call. An entry holds the claims, never the token. The table is the host's (policy_host.verified),
 * bounded, and the same for policies and access rules; entries of both kinds stand side by side in it. */
#pragma once

#include "core/jose.h"
#include "core/lru.h"

enum { VERIFIED_SETS_MAX = 16 };

struct verified_by {
	uint64_t sets[VERIFIED_SETS_MAX];        /* jose_keys_id, in the order in which they were asked */
	size_t n;
	bool unsigned_too;                       /* a token without a signature would have been taken */
};

/* The name of a token under `by`. False: out of memory. */
bool verified_name(struct arena *a, const struct verified_by *by, struct str token, uint8_t name[LRU_DIGEST_BYTES]) MUST_USE;
/* Fills what a caller needs of *out: claims, kid, raw (of a token that came signed), encrypted. They live as long as the
 * arena. False: it is not known. `raw`: the signed token itself is needed, which is not kept of encrypted ones. */
bool verified_get(struct lru *l, const uint8_t name[LRU_DIGEST_BYTES], struct arena *a, struct str token, bool raw,
		  struct jose_token *out);
void verified_put(struct lru *l, const uint8_t name[LRU_DIGEST_BYTES], const struct jose_token *t);
void verified_forget(struct lru *l, const uint8_t name[LRU_DIGEST_BYTES]);
