/* refusal.h - why a caller was refused: the word that telemetry, log and pages show, the status and the sentence that the
 * client gets, and what mends it, for whoever looks at the record of the call.
 *
 * X(NAME, "word", status, "message for the client", "what mends it") */
#pragma once

#include "core/base.h"

#define ACCESS_REFUSALS(X)                                                                                              \
	X(TOKEN_MISSING, "token_missing", 401, "Access denied: a token is needed",                                      \
	  "Send the token as Authorization: Bearer TOKEN.")                                                             \
	X(TOKEN_MALFORMED, "token_malformed", 401, "Access denied: the token is not well formed",                       \
	  "Send the token whole and unchanged: three parts joined by dots, base64url without padding.")                 \
	X(TOKEN_TOO_LARGE, "token_too_large", 401, "Access denied: the token is too large",                             \
	  "Have the issuer put fewer claims (often groups) into its tokens.")                                           \
	X(TOKEN_ALGORITHM, "token_algorithm", 401, "Access denied: the token is signed with an algorithm that is not taken", \
	  "Have the issuer sign with an algorithm of its published keys, or add it to alg of the rule.")                \
	X(TOKEN_UNSIGNED, "token_unsigned", 401, "Access denied: the token is not signed",                              \
	  "Use a signed token; alg none is never taken.")                                                               \
	X(TOKEN_CRITICAL, "token_critical", 401, "Access denied: the token has an extension that is not understood",    \
	  "Have the issuer leave out the header member crit.")                                                          \
	X(TOKEN_KEY_UNKNOWN, "token_key_unknown", 401, "Access denied: the token is signed with an unknown key",        \
	  "Compare the token's kid with the keys that the issuer publishes; a new key is fetched at most once a minute.") \
	X(TOKEN_SIGNATURE, "token_signature", 401, "Access denied: the token's signature is not valid",                 \
	  "The token was changed, cut, or signed by somebody else: get a new one from the issuer.")                     \
	X(TOKEN_DECRYPTION, "token_decryption", 401, "Access denied: the token cannot be decrypted",                    \
	  "Have the issuer encrypt for the public key that belongs to decrypt of the rule.")                            \
	X(TOKEN_EXPIRED, "token_expired", 401, "Access denied: the token has expired",                                  \
	  "Get a new token before the old one ends; compare the clocks if it should be good.")                          \
	X(TOKEN_NO_EXPIRY, "token_no_expiry", 401, "Access denied: the token has no end",                               \
	  "Have the issuer write exp into its tokens.")                                                                 \
	X(TOKEN_NOT_YET, "token_not_yet", 401, "Access denied: the token is not valid yet",                             \
	  "Compare the clocks of the issuer and of this machine; leeway of the rule says how far they may differ.")     \
	X(TOKEN_ISSUER, "token_issuer", 401, "Access denied: the token is of another issuer",                           \
	  "Get the token from the issuer that the rule names, or add this issuer to the rule.")                         \
	X(TOKEN_AUDIENCE, "token_audience", 401, "Access denied: the token is meant for another audience",              \
	  "Ask the issuer for a token for this API (its audience or resource), or add the audience to the rule.")       \
	X(TOKEN_TYPE, "token_type", 401, "Access denied: the token is of another type",                                 \
	  "Send an access token, not an id token.")                                                                     \
	X(TOKEN_SCOPE, "token_scope", 403, "Access denied: the token lacks a scope",                                    \
	  "Ask the issuer for the missing scope, and have it granted to this client.")                                  \
	X(TOKEN_CLAIM, "token_claim", 403, "Access denied: a claim of the token does not allow this",                   \
	  "Give the caller the role or group that the rule asks for, at the issuer.")                                   \
	X(TOKEN_INACTIVE, "token_inactive", 401, "Access denied: the token is not active",                              \
	  "Its issuer says that the token has ended or was taken back: get a new one.")                                 \
	X(TOKEN_REVOKED, "token_revoked", 401, "Access denied: the token was revoked",                                  \
	  "Get a new token.")                                                                                           \
	X(ISSUER_UNAVAILABLE, "issuer_unavailable", 503, "The token cannot be checked at present, try again",           \
	  "The issuer's configuration or key set cannot be fetched: look at its address, name, certificate and at the network.") \
	X(CLIENT_MISSING, "client_missing", 401, "Access denied: client id and secret are needed",                      \
	  "Send the header fields client_id and client_secret, or both as Authorization: Basic.")                       \
	X(CLIENT_INVALID, "client_invalid", 401, "Access denied: invalid client id or secret",                          \
	  "Compare the client id; make a new secret with `gatehouse caller rotate` if it was lost.")                    \
	X(CALLER_SUSPENDED, "caller_suspended", 403, "Access denied: the caller is suspended",                          \
	  "Make the caller active again: `gatehouse caller set --suspended no`.")                                                \
	X(SUBSCRIPTION_NONE, "subscription_none", 403, "Access denied: no subscription to this API",                    \
	  "Subscribe the caller's application to a product that holds this API.")                                       \
	X(CERTIFICATE_MISSING, "certificate_missing", 401, "Access denied: a client certificate is needed",             \
	  "Show a certificate in the TLS handshake; check that the web server asks for one and hands it on.")           \
	X(CERTIFICATE_MALFORMED, "certificate_malformed", 401, "Access denied: the client certificate cannot be read",  \
	  "Look at the parameter or header field in which the web server hands the certificate on: PEM, also percent-encoded.") \
	X(CERTIFICATE_UNTRUSTED, "certificate_untrusted", 403, "Access denied: the client certificate is of no trusted authority", \
	  "Use a certificate that one of the rule's authorities has signed, with its chain.")                           \
	X(CERTIFICATE_EXPIRED, "certificate_expired", 403, "Access denied: the client certificate has expired",         \
	  "Renew the client certificate.")                                                                              \
	X(CERTIFICATE_NOT_YET, "certificate_not_yet", 403, "Access denied: the client certificate is not valid yet",    \
	  "Compare the clocks, or wait for the certificate's first day.")                                               \
	X(CERTIFICATE_REVOKED, "certificate_revoked", 403, "Access denied: the client certificate was revoked",         \
	  "Get a new client certificate.")                                                                              \
	X(CERTIFICATE_OTHER, "certificate_other", 403, "Access denied: another client certificate is expected",         \
	  "Use the certificate whose thumbprint, subject or name the rule lists, or add this one.")                     \
	X(BASIC_MISSING, "basic_missing", 401, "Access denied: user name and password are needed",                      \
	  "Send Authorization: Basic with user name and password.")                                                     \
	X(BASIC_INVALID, "basic_invalid", 401, "Access denied: invalid user name or password",                          \
	  "Compare the user name; set a new password with `gatehouse caller set`.")                                     \
	X(GROUP_MISSING, "group_missing", 403, "Access denied: the caller is in none of the groups that may call",      \
	  "Put the caller into a group of the rule: `gatehouse caller set --group`.")                                   \
	X(SIGNATURE_MISSING, "signature_missing", 401, "Access denied: the request must be signed",                     \
	  "Sign the request with an access key of this gateway.")                                                       \
	X(SIGNATURE_MALFORMED, "signature_malformed", 401, "Access denied: the request's signature cannot be read",     \
	  "Compare the signature's fields with the scheme that the rule names.")                                        \
	X(SIGNATURE_KEY, "signature_key", 401, "Access denied: the request is signed with an unknown key",              \
	  "Compare the access key's id; make one with `gatehouse caller create signing`.")                              \
	X(SIGNATURE_INVALID, "signature_invalid", 401, "Access denied: the request's signature is not valid",           \
	  "Compare what was signed with what arrived: method, path, query, header fields, secret.")                     \
	X(SIGNATURE_TIME, "signature_time", 401, "Access denied: the request's signature is too old or too early",      \
	  "Compare the clocks; window of the rule says how far they may differ.")                                       \
	X(SIGNATURE_COVER, "signature_cover", 401, "Access denied: the signature leaves out what must be signed",       \
	  "Sign the components that the rule asks for.")                                                                \
	X(SIGNATURE_BODY, "signature_body", 401, "Access denied: the body is not the one that was signed",              \
	  "Sign the digest of the body as it is sent; nothing on the way may change it.")                               \
	X(SIGNATURE_REPLAY, "signature_replay", 401, "Access denied: the signed request came twice",                    \
	  "Sign each request anew.")                                                                                    \
	X(ACCESS_BUSY, "access_busy", 503, "The caller cannot be checked at present, try again",                        \
	  "Too many passwords are being checked at once, or the shared state is away; look at the gateway's log.")

/* What mends a call that was refused or failed for this reason, and which layer of the gateway said no: "access",
 * "routing", "policy", "backend", "gateway". The fix is STR_NULL only where there is no word.
 * Of a word that nobody foresaw it says where to look. */
struct refusal_help {
	struct str layer, fix;
};
struct refusal_help refusal_help(struct str word);
