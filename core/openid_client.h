/* openid_client.h - what a client of an OpenID provider computes, without any network: the authorization request, the form that
 * exchanges its code, the checks of an ID token beyond its signature. OpenID Connect Core 1.0, RFC 6749, RFC 7636 (PKCE).
 *
 * The portal asks providers with requests that block, the gateway through its loop; both compute with this. */
#pragma once

#include "core/json.h"

enum { OPENID_SKEW_S = 60, OPENID_SUBJECT_MAX = 255 };

/* What one sign-in remembers between going and coming back: random, hexadecimal. */
struct openid_attempt {
	struct str state, nonce, verifier;
};
GH_RC openid_attempt_new(struct arena *a, struct openid_attempt *out, struct gh_err *err);

/* The address that the browser is sent to. STR_NULL: out of memory, or `endpoint` is no http or https address. */
struct str openid_authorize_address(struct arena *a, struct str endpoint, struct str client_id, struct str scopes,
				    struct str redirect_uri, const struct openid_attempt *attempt);
/* Body of the token request. STR_NULL: out of memory. */
struct str openid_code_form(struct arena *a, struct str code, struct str redirect_uri, struct str verifier);
/* How the client proves who it is (RFC 6749 section 2.3.1): whether the provider takes client_secret_basic; the two texts
 * of Basic, form-encoded first; or what goes behind the form instead ("&client_id=…"; secret STR_NULL: a public client). */
bool openid_takes_basic(const json_t *discovery);
struct str openid_basic_pair(struct arena *a, struct str client_id, struct str secret);
struct str openid_form_client(struct arena *a, struct str client_id, struct str secret);

/* Issuer, audience, authorized party, times, nonce, subject of an ID token whose signature is good (Core section
 * 3.1.3.7). nonce STR_NULL: of a refreshed token, which has none. NULL: it fits; else what does not, for the log. */
const char *openid_check_claims(const json_t *claims, struct str issuer, struct str client_id, struct str nonce, int64_t now_s);
/* A claim of the token, else of the user's information; either may be NULL. */
const json_t *openid_claim(const json_t *claims, const json_t *info, struct str name);
bool openid_is_true(const json_t *v);                    /* true, or the text "true", which some providers send */
