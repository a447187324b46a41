/* credential.h - how the gateway shows itself to backends: kinds of credentials, what each is configured with, and the
 * requests to token endpoints that some of them need. No network and no store here.
 *
 * A credential is a flat table of texts: settings, which anybody may see, and secrets. `credential_fields` says which a
 * kind has; command, dashboard and store check with the same table. OAuth 2.0 is RFC 6749, client authentication with a
 * signed JWT RFC 7523, with a certificate RFC 8705, assertions RFC 7523, token exchange RFC 8693, PKCE RFC 7636.
 * Functions do not log; messages name fields and addresses, never a secret. */
#pragma once

#include "core/json.h"

#define CREDENTIAL_KINDS(X) /* enum, name, needs a token endpoint, one sentence */ \
	X(CLIENT, "client-credentials", true, "OAuth 2.0 client credentials") \
	X(PASSWORD, "password", true, "OAuth 2.0 resource owner password") \
	X(CODE, "authorization-code", true, "OAuth 2.0 authorization code, consented to once by an administrator") \
	X(JWT_BEARER, "jwt-bearer", true, "an assertion that is exchanged for a token (RFC 7523)") \
	X(EXCHANGE, "token-exchange", true, "the caller's token exchanged for one that acts on the caller's behalf (RFC 8693)") \
	X(API_KEY, "api-key", false, "a fixed key in a header or the query") \
	X(BASIC, "basic", false, "a user name and a password (RFC 7617)") \
	X(CERTIFICATE, "certificate", false, "a client certificate") \
	X(AWS, "aws-sigv4", false, "AWS Signature Version 4") \
	X(MESSAGE, "http-signature", false, "HTTP Message Signatures (RFC 9421)") \
	X(HMAC, "hmac", false, "an HMAC over parts of the request")

enum credential_kind {
#define X(name, word, token, text) CREDENTIAL_##name,
	CREDENTIAL_KINDS(X)
#undef X
	CREDENTIAL__COUNT
};

struct credential_kind_info {
	struct str name, text;
	bool token;                      /* it gets tokens from a token endpoint */
};
const struct credential_kind_info *credential_kind_info(enum credential_kind k);
bool credential_kind_of(struct str name, enum credential_kind *out);

/* ---- fields -------------------------------------------------------------------------------------------------------- */

enum credential_type { CREDENTIAL_TEXT, CREDENTIAL_URL, CREDENTIAL_NUMBER, CREDENTIAL_CHOICE, CREDENTIAL_PEM };

struct credential_field {
	struct str name;
	unsigned kinds;                  /* 1 << CREDENTIAL_x that have it */
	unsigned needed;                 /* of these, those that cannot do without */
	enum credential_type type;
	bool secret;
	const char *choices;             /* CHOICE: "one|two"; the first is taken when none is given */
	const char *help;
};
/* NULL past the last. In the order in which people read them. */
const struct credential_field *credential_field_at(size_t i);
const struct credential_field *credential_field_find(struct str name);

struct credential {
	struct str environment, id;
	enum credential_kind kind;
	json_t *settings, *secrets;      /* objects of texts; borrowed; secrets may be NULL when they are not at hand, and in
	                                    place of a text may hold {"ref": "…"}, a reference (core/secret_ref.h) */
};

/* STR_NULL when it is not given (a CHOICE: its first). */
struct str credential_text(const struct credential *c, const char *field);
int64_t credential_number(const struct credential *c, const char *field, int64_t otherwise);

/* INVALID names the field that is missing, unknown or malformed, and what would be right. Needs the secrets. */
GH_RC credential_check(const struct credential *c, struct gh_err *err);

/* A digest of what the credential is, for keys of caches: another one when a setting or secret changed. `secrets` is the
 * text that stands for the secrets (as stored). */
enum { CREDENTIAL_PRINT_BYTES = 16 };
void credential_print(const struct credential *c, struct str secrets, uint8_t out[CREDENTIAL_PRINT_BYTES]);

/* Whether its tokens are for one caller each: `subject` of the grant is the caller's token. */
bool credential_per_caller(const struct credential *c);

/* ---- token endpoints ----------------------------------------------------------------------------------------------- */

struct token_grant {                     /* what changes from request to request; STR_NULL: not there */
	struct str refresh_token;        /* authorization-code */
	struct str code, code_verifier, redirect_uri;    /* authorization-code, the first time */
	struct str subject;              /* the caller's token */
	int64_t now_s;
};

struct token_ask {                       /* a POST of a form, Accept: application/json */
	struct str url, body;
	struct str authorization;        /* field of that name; STR_NULL: none */
	struct str certificate_id;       /* to show to the endpoint; STR_NULL: none */
	struct str ca_id;                /* certificate that vouches for the endpoint's; STR_NULL: the system's authorities */
};

GH_RC token_ask_make(struct arena *a, const struct credential *c, const struct token_grant *g, struct token_ask *out,
		     struct gh_err *err);

enum token_verdict {
	TOKEN_OK,
	TOKEN_SUBJECT,                   /* the endpoint refuses the caller's token (invalid_grant) */
	TOKEN_REFUSED,                   /* it refuses the credential itself: asking again at once will not help */
	TOKEN_BUSY,                      /* it cannot answer at present */
};

struct token_answer {
	struct str access_token, token_type, refresh_token;      /* STR_NULL: not given */
	int64_t life_s;
	struct str claims;               /* JSON object of all other members that are texts, numbers or truth values */
	struct str problem;              /* not TOKEN_OK: a sentence without secrets: "answered 400 (invalid_client)" */
	int64_t retry_after_s;           /* that the endpoint asked for; 0: none */
};
enum token_verdict token_answer_read(struct arena *a, const struct credential *c, int status, struct str body,
				     struct str retry_after, struct token_answer *out);

/* The address that a browser is sent to for consent. challenge: S256 of the verifier. */
GH_RC token_consent_url(struct arena *a, const struct credential *c, struct str redirect_uri, struct str state,
			struct str challenge, struct str *out, struct gh_err *err);
/* BASE64URL(SHA256(verifier)), RFC 7636 section 4.2. */
struct str token_challenge(struct arena *a, struct str verifier);

/* What is kept of an answer in the shared cache, and back; unpacking borrows from `packed` and costs next to nothing. */
struct str token_pack(struct arena *a, const struct token_answer *t);
bool token_unpack(struct str packed, struct token_answer *out);
