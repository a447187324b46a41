/* reason.h - every way in which a call can go wrong, once: the word that telemetry, log and console show, the status and
 * the sentence that the client gets. Policies bring their own reasons (azure names such as RateLimitExceeded) beside these.
 *
 * REASON(NAME, "word", status, "message") */
#pragma once

#include "core/refusal.h"

#define REASONS(X) GATEWAY_REASONS(X) ACCESS_REFUSALS(X)

#define GATEWAY_REASONS(X)                                                                                                      \
	X(NONE, "", 200, "")                                                                                            \
	X(BAD_REQUEST, "bad_request", 400, "Malformed request")                                                         \
	X(BAD_PATH, "bad_path", 400, "The path is not valid: it holds a bad percent-escape, a dot segment or an encoded slash") \
	X(BAD_HEADER, "bad_header", 400, "A header field of the request is not valid")                                  \
	X(BAD_LENGTH, "bad_length", 400, "The request has no valid Content-Length")                                     \
	X(BAD_METHOD, "bad_method", 400, "The request method is not valid")                                             \
	X(SIGN_IN_STATE, "sign_in_state", 400, "This sign-in was not begun in this browser, or too long ago")             \
	X(SIGN_IN_REQUIRED, "sign_in_required", 401, "Sign-in is required")                                             \
	X(SIGN_IN_FAILED, "sign_in_failed", 403, "The identity provider did not sign you in")                           \
	X(SIGN_IN_GROUPS, "sign_in_groups", 403, "Your account is in none of the groups that may use this")              \
	X(IP_DENIED, "ip_denied", 403, "Forbidden")                                                                     \
	X(CONSUMER_METHOD, "method_not_allowed_for_consumer", 403, "This subscription may not use this method here")        \
	X(CONSUMER_OPERATION, "operation_not_allowed_for_consumer", 403, "This subscription may not use this operation")   \
	X(HTTPS_REQUIRED, "https_required", 403, "This is served over https only")                                      \
	X(NO_ROUTE, "no_route", 404, "Resource not found")                                                              \
	X(CLIENT_TIMEOUT, "client_timeout", 408, "The request body did not arrive in time")                             \
	X(API_RETIRED, "api_retired", 410, "This version of the API is no longer served")                               \
	X(BODY_TOO_LARGE, "body_too_large", 413, "The request body is larger than the limit")                           \
	X(URI_TOO_LONG, "uri_too_long", 414, "The request URI is longer than the limit")                                \
	X(EXPECTATION, "expectation", 417, "The expectation of the request cannot be met")                              \
	X(HEADERS_TOO_LARGE, "headers_too_large", 431, "The header fields of the request are larger than the limit")    \
	X(CLIENT_GONE, "client_gone", 499, "The client closed the connection")                                          \
	X(INTERNAL, "internal", 500, "Internal server error")                                                           \
	X(NO_MEMORY, "no_memory", 500, "Internal server error")                                                         \
	X(SUBJECT_MISSING, "subject_token_missing", 401, "The call carries no token to act on behalf of")               \
	X(SUBJECT_REFUSED, "subject_token_refused", 401, "The call's token was refused by the token endpoint")          \
	X(CREDENTIAL, "credential_unusable", 502, "The gateway's credential for the backend cannot be used")            \
	X(BACKEND_CREDENTIAL, "backend_refused_credential", 502, "The backend refused the gateway's own credential")    \
	X(BACKEND_URL, "backend_url", 502, "The backend's address is not valid")                                        \
	X(BACKEND_CONNECT, "backend_connect", 502, "The backend cannot be reached")                                     \
	X(BACKEND_DNS, "backend_dns", 502, "The backend's name cannot be resolved")                                     \
	X(BACKEND_TLS, "backend_tls", 502, "The secure connection to the backend failed")                               \
	X(BACKEND_GARBAGE, "backend_garbage", 502, "The backend sent a malformed response")                             \
	X(BACKEND_CUT_OFF, "backend_cut_off", 502, "The backend closed the connection before its response was complete") \
	X(BACKEND_SEND, "backend_send", 502, "The request could not be sent to the backend")                            \
	X(BACKEND_HEADERS, "backend_headers", 502, "The header fields of the backend's response are larger than the limit") \
	X(BACKEND_BODY, "backend_body", 502, "The backend's response is larger than the limit")                         \
	X(BACKEND_REDIRECTS, "backend_redirects", 502, "The backend redirects too often")                               \
	X(NO_CONFIGURATION, "no_configuration", 503, "The gateway has no configuration yet")                            \
	X(LIMITS_AWAY, "limits_unavailable", 503, "The limits of this gateway cannot be kept at present, try again")      \
	X(SIGN_IN_UNAVAILABLE, "sign_in_unavailable", 503, "The identity provider cannot be reached, try again")        \
	X(STORE_UNAVAILABLE, "store_unavailable", 503, "The key cannot be checked at present, try again")               \
	X(TOKEN, "token_unavailable", 503, "The gateway has no token for the backend at present, try again")            \
	X(BACKEND_OPEN, "backend_breaker_open", 503, "The backend fails at present and is not asked, try again later")  \
	X(BACKEND_FULL, "backend_full", 503, "As many calls are under way to the backend as it may have, try again")      \
	X(OVERLOAD, "overload", 503, "The gateway is busy, try again")                                                  \
	X(OVERLOAD_PRIORITY, "overload_priority", 503, "The gateway is busy and serves more important calls first, try again") \
	X(OVERLOAD_BACKEND, "overload_backend", 503, "Too many calls wait for this backend already, try again")          \
	X(DRAINING, "draining", 503, "The gateway is stopping, try again")                                              \
	X(BACKEND_CONNECT_TIMEOUT, "backend_connect_timeout", 504, "The backend did not accept the connection in time") \
	X(BACKEND_TLS_TIMEOUT, "backend_tls_timeout", 504, "The backend did not finish the TLS handshake in time")      \
	X(BACKEND_TIMEOUT, "backend_timeout", 504, "The backend did not answer in time")                                \
	X(BACKEND_IDLE, "backend_idle", 504, "The backend fell silent in the middle of its response")                   \
	X(BACKEND_TOTAL, "backend_total", 504, "The exchange with the backend took too long")

/* NONE is the first: it is zero. Those of access come from core/refusal.h, with what mends them. */
enum reason {
#define X(name, word, status, message, ...) REASON_##name,
	REASONS(X)
#undef X
	REASON__COUNT
};

struct reason_info {
	struct str word, message;
	int status;
};

const struct reason_info *reason_info(enum reason r);
bool reason_is_backend(enum reason r);   /* the backend could not be used */
