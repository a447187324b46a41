/* access_methods.c - the methods of access and their parameters, once: what the reader takes, what the help says. */
#include "core/access_rule.h"

#define SUBSCRIPTION                                                                                           \
	{ "subscription", ACCESS_CHOICE, "required|optional|none", 0, 0,                                       \
	  "whether the caller's application must have a subscription that opens this API" }
#define CALLER_CLAIMS                                                                                          \
	{ "client", ACCESS_LIST, NULL, 0, 0, "claims that name the application: azp, client_id, appid, sub" }, \
	{ "user", ACCESS_LIST, NULL, 0, 0, "claims that name the person: preferred_username, email, name, sub" }, \
	{ "groups", ACCESS_LIST, NULL, 0, 0, "claims that list groups: groups, roles" }
#define TOKEN_PLACE                                                                                            \
	{ "header", ACCESS_TEXT, NULL, 0, 0, "field that carries the token (Authorization)" },                 \
	{ "scheme", ACCESS_TEXT, NULL, 0, 0, "word before the token in Authorization (Bearer)" }
#define SCOPES { "scope", ACCESS_LIST, NULL, 0, 0, "scopes that the token must have, all of them" }
#define WINDOW { "window", ACCESS_NUMBER, "seconds", 1, 86400, "how old or early a signed request may be, in seconds (300)" }
#define END { NULL, ACCESS_TEXT, NULL, 0, 0, NULL }

static const struct access_parameter none[] = { END };

static const struct access_parameter client[] = {
	{ "from", ACCESS_CHOICE, "any|headers|basic", 0, 0, "where id and secret stand: header fields client_id and client_secret, Basic" },
	SUBSCRIPTION, END,
};

static const struct access_parameter jwt[] = {
	{ "issuer", ACCESS_TEXT, NULL, 0, 0, "address of the OpenID provider; without it the tokens of this installation" },
	{ "discovery", ACCESS_TEXT, NULL, 0, 0, "address of its configuration (ISSUER/.well-known/openid-configuration)" },
	{ "jwks", ACCESS_TEXT, NULL, 0, 0, "address of its key set, in place of discovery" },
	{ "key", ACCESS_LIST, NULL, 0, 0, "keys in place of discovery: PEM, JWK or secret, usually {{named-value}}" },
	{ "decrypt", ACCESS_TEXT, NULL, 0, 0, "private key for encrypted tokens: PEM or JWK, {{named-value}}" },
	{ "alg", ACCESS_LIST, NULL, 0, 0, "signature algorithms that are taken; without it those that fit the keys" },
	{ "audience", ACCESS_LIST, NULL, 0, 0, "audiences, one of which the token must name" },
	SCOPES,
	{ "type", ACCESS_TEXT, NULL, 0, 0, "what the header's typ must be, such as at+jwt" },
	{ "leeway", ACCESS_NUMBER, "seconds", 0, 3600, "seconds by which clocks may differ (30)" },
	TOKEN_PLACE, CALLER_CLAIMS, SUBSCRIPTION, END,
};

static const struct access_parameter introspect[] = {
	{ "endpoint", ACCESS_TEXT, NULL, 0, 0, "address of the introspection endpoint" },
	{ "client-id", ACCESS_TEXT, NULL, 0, 0, "client that asks it" },
	{ "client-secret", ACCESS_TEXT, NULL, 0, 0, "its secret, {{named-value}}" },
	{ "issuer", ACCESS_TEXT, NULL, 0, 0, "what iss must be, when the answer has one" },
	{ "audience", ACCESS_LIST, NULL, 0, 0, "audiences, one of which the answer must name" },
	SCOPES,
	{ "cache", ACCESS_NUMBER, "seconds", 0, 3600, "seconds for which an answer is remembered (60)" },
	TOKEN_PLACE, CALLER_CLAIMS, SUBSCRIPTION, END,
};

static const struct access_parameter cert[] = {
	{ "ca", ACCESS_LIST, NULL, 0, 0, "ids of certificates of the store that must have signed it" },
	{ "thumbprint", ACCESS_LIST, NULL, 0, 0, "SHA-1 or SHA-256 of the certificate, hexadecimal" },
	{ "subject", ACCESS_LIST, NULL, 0, 0, "its subject as RFC 2253 writes it, or CN=name alone" },
	{ "dns", ACCESS_LIST, NULL, 0, 0, "one of its DNS names" },
	{ "crl", ACCESS_LIST, NULL, 0, 0, "revocation lists in PEM, {{named-value}}" },
	SUBSCRIPTION, END,
};

static const struct access_parameter basic[] = {
	{ "group", ACCESS_LIST, NULL, 0, 0, "groups of callers, one of which the user must be in" },
	{ "realm", ACCESS_TEXT, NULL, 0, 0, "realm of the challenge" },
	SUBSCRIPTION, END,
};

static const struct access_parameter hmac[] = {
	WINDOW,
	{ "cover", ACCESS_LIST, NULL, 0, 0, "components that must be signed (@method, @authority, @path and @query or @target-uri, and content-digest of a body)" },
	SUBSCRIPTION, END,
};

static const struct access_parameter sigv4[] = {
	WINDOW,
	{ "region", ACCESS_TEXT, NULL, 0, 0, "region of the credential scope" },
	{ "service", ACCESS_TEXT, NULL, 0, 0, "service of the credential scope (execute-api)" },
	SUBSCRIPTION, END,
};

const struct access_method_info access_methods[ACCESS_KIND__COUNT] = {
	[ACCESS_KEY] = { "key", "a subscription key", none, false },
	[ACCESS_CLIENT] = { "client", "an application's client id and secret", client, false },
	[ACCESS_JWT] = { "jwt", "a signed token (JWT) in Authorization: Bearer", jwt, true },
	[ACCESS_INTROSPECT] = { "introspect", "a token that its issuer is asked about (RFC 7662)", introspect, true },
	[ACCESS_CERT] = { "cert", "a client certificate", cert, false },
	[ACCESS_BASIC] = { "basic", "a user name and a password (RFC 7617)", basic, false },
	[ACCESS_HMAC] = { "hmac", "a request signed with a shared secret (RFC 9421, hmac-sha256)", hmac, false },
	[ACCESS_SIGV4] = { "sigv4", "a request signed with AWS Signature Version 4", sigv4, false },
	[ACCESS_ANONYMOUS] = { "anonymous", "anybody", none, false },
};
