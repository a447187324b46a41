/* token_compared.h - what was compared when a token was refused, for the record of the call: validate-jwt, validate-azure-ad-token
 * and the access rules tell it with the same words. Never a token, a signature or a key. All text is borrowed or in the arena;
 * without memory a part is left out. For the loop's thread; nothing is kept. */
#pragma once

#include "core/jose.h"

enum { COMPARED_VALUE_MAX = 120, COMPARED_MAX = 512 };   /* bytes of one value, and of all */

struct token_compared {
	const char *check;               /* "exp", "audience", "claim roles"; NULL: none */
	struct str expected, got;        /* STR_NULL: left out */
	struct str kid, scope;           /* of the token; scopes that are missing. STR_NULL: left out */
	bool shown;                      /* a token was there (RFC 6750 section 3: only then an error is told) */
	bool too_little;                 /* the token is good, what it says is not enough */
};

/* `method=… check="…" expected="…" got="…" kid="…" missing="…"`; values are cut and cannot forge a second one. STR_NULL: no memory. */
struct str token_compared_text(struct arena *a, const char *method, const struct token_compared *c);
/* Of form, header, algorithm, key and signature. keys: whose keys would be taken ("https://login.example"). bytes: of the token. */
struct token_compared token_compared_signature(struct arena *a, enum jose_reason r, const struct jose_token *t, struct str keys,
					       size_t bytes);
/* Of times, issuer and audience (jose_check_claims). */
struct token_compared token_compared_claims(struct arena *a, enum jose_reason r, const struct jose_token *t,
					    const struct jose_claim_rules *rules);
/* "a, b, c" */
struct str token_compared_list(struct arena *a, const struct str *v, size_t n);
