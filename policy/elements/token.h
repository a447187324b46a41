/* token.h - what validate-jwt and validate-azure-ad-token share: finding the token, checking it, and saying no. */
#pragma once

#include "core/jose.h"
#include "policy/elements/openid.h"
#include "policy/elements/token_compared.h"
#include "policy/verified.h"

enum { TOKEN_PROVIDERS_MAX = 8 };        /* openid-config elements of one policy */

struct token_key {                       /* <key> */
	struct arg text, id, certificate, n, e;
};
struct token_list {                      /* <audiences>, <issuers>, <required-claims>, <issuer-signing-keys> … */
	struct children items;
};
struct token_value {                     /* <audience>, <issuer>, <value>, <application-id> */
	struct arg text;
};
struct token_claim {
	struct arg name, match, separator;
	struct children values;
};
struct token_config {
	struct arg header, query, value, code, message, variable;
	struct arg need_expiry, scheme, need_signature, skew;    /* validate-jwt */
	struct arg tenant, endpoint;                             /* validate-azure-ad-token */
	struct children providers;                               /* struct token_value: addresses */
	struct children signing_keys, decryption_keys, audiences, issuers, claims, clients, backends;    /* struct token_list */
	/* Keys that do not depend on the request, made when the document is compiled; NULL: some do. */
	struct jose_keys *signing, *decryption;
	/* Of a policy that asks the same of each token: its number in the table of verdicts; 0: an expression has a say, or a key
	 * that is known with the request only. */
	uint64_t number;
};

struct token_state {
	struct str text;                 /* the token */
	uint8_t of_text[LRU_DIGEST_BYTES];       /* its name, when the host remembers anything */
	struct openid_state *providers;  /* n_providers of them */
	size_t n_providers, at;
	bool renewed;
	const struct jose_keys *signing, *decryption;
	struct lru *memory;              /* NULL: nothing is remembered */
	uint8_t name[LRU_DIGEST_BYTES];  /* of the token in it */
	bool remembered;                 /* it was there */
};

extern const struct element_schema token_audiences_schema, token_issuers_schema, token_claims_schema, token_signing_schema,
	token_decryption_schema;

/* Rows that both policies have. */
#define TOKEN_COMMON_ARGS(default_header)                                                                             \
	{ .name = "header-name", .kind = ARG_TEXT, .flags = ARG_EXPR, .def = default_header,                          \
	  .offset = offsetof(struct token_config, header), .help = "header that holds the token" },                   \
	{ .name = "query-parameter-name", .kind = ARG_TEXT, .flags = ARG_EXPR, .offset = offsetof(struct token_config, query), \
	  .help = "query parameter that holds the token" },                                                           \
	{ .name = "token-value", .kind = ARG_TEXT, .flags = ARG_EXPR | ARG_SECRET | ARG_EMPTY,                        \
	  .offset = offsetof(struct token_config, value), .help = "the token itself, without its scheme" },           \
	{ .name = "failed-validation-httpcode", .kind = ARG_INT, .flags = ARG_EXPR, .least = 100, .most = 999, .def = "401", \
	  .offset = offsetof(struct token_config, code), .help = "status of the refusal" },                           \
	{ .name = "failed-validation-error-message", .kind = ARG_TEXT, .flags = ARG_EXPR | ARG_EMPTY,                 \
	  .offset = offsetof(struct token_config, message), .help = "text of the refusal" },                          \
	{ .name = "output-token-variable-name", .kind = ARG_TEXT, .offset = offsetof(struct token_config, variable),  \
	  .help = "variable for the token as a Jwt" }

/* Makes the keys that do not depend on the request; one of header, query and value must be there. For element_schema.check. */
bool token_check(struct compiler *c, const struct doc_node *n, struct token_config *config);
/* Gives it a number when nothing that is asked of a token depends on the request. For element_schema.check, when that was good. */
void token_number(struct token_config *config);

/* The values of a list for this request. False after exchange_fail. */
bool token_values(struct exchange *x, const struct children *lists, const struct str **out, size_t *n) MUST_USE;
/* Finds the token. STEP_NEXT, or STEP_FAIL with "JWT not present.". */
enum step token_find(struct exchange *x, const struct token_config *c, bool only_scheme, struct str scheme, struct token_state *s);
/* Whether this policy has passed the token before, and would now: then all is done. */
bool token_passed(struct exchange *x, const struct token_config *c, struct token_state *s, enum step *step);
/* Remembers that it did; skew_s: as it was. */
void token_keep(struct exchange *x, const struct token_config *c, const struct token_state *s, const struct jose_token *t, int64_t skew_s);
/* Keys of this request and of the providers whose addresses stand in s; STEP_NEXT when all are there. */
enum step token_keys(struct exchange *x, const struct token_config *c, struct token_state *s);
/* Signature, unless the token is remembered; with one renewal of the providers' keys when it names an unknown one.
 * STEP_NEXT: raw, claims, kid and encrypted of *out are valid. */
enum step token_verify(struct exchange *x, const struct token_config *c, struct token_state *s, bool need_signature,
		       struct jose_token *out);
/* What came of issuer, audience and times: a good token is remembered, one that has expired is forgotten. */
void token_settle(struct token_state *s, enum jose_reason r, const struct jose_token *t);
/* <required-claims>. */
enum step token_claims(struct exchange *x, const struct token_config *c, const json_t *claims);
/* Puts the token into the variable. */
enum step token_done(struct exchange *x, const struct token_config *c, const struct token_state *s, const struct jose_token *t);
/* Says no. `text` ends without a full stop; " Access denied." follows it. `was` goes into the record and, as far as RFC 6750 wants
 * it, into the challenge. */
enum step token_refuse(struct exchange *x, const struct token_config *c, enum jose_reason why, struct str text,
		       const struct token_compared *was);
