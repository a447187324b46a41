/* access_methods.c - the methods of access and their parameters, once: what the reader takes, what the help says. */
#include "core/access_rule.h"

#define TEXT(name, help) { name, ACCESS_TEXT, NULL, 0, 0, help }
#define LIST(name, help) { name, ACCESS_LIST, NULL, 0, 0, help }
#define SUBSCRIPTION                                                                                           \
	{ "subscription", ACCESS_CHOICE, "required|optional|none", 0, 0,                                       \
	  "whether the caller's application must have a subscription that opens this API" }
#define CALLER_CLAIMS                                                                                          \
	LIST("client", "claims that name the application: azp, client_id, appid, sub"),                        \
	LIST("user", "claims that name the person: preferred_username, email, name, sub"),                     \
	LIST("groups", "claims that list groups: groups, roles")
#define TOKEN_PLACE                                                                                            \
	TEXT("header", "field that carries the token (Authorization)"),                                        \
	TEXT("scheme", "word before the token in Authorization (Bearer)")
#define SCOPES LIST("scope", "scopes that the token must have, all of them")
#define WINDOW { "window", ACCESS_NUMBER, "seconds", 1, 86400, "how old or early a signed request may be, in seconds (300)" }
#define END { NULL, ACCESS_TEXT, NULL, 0, 0, NULL }

static const struct access_parameter none[] = { END };

static const struct access_parameter client[] = {
	{ "from", ACCESS_CHOICE, "any|headers|basic", 0, 0, "where id and secret stand: header fields client_id and client_secret, Basic" },
	SUBSCRIPTION, END,
};

static const struct access_parameter jwt[] = {
	TEXT("issuer", "address of the OpenID provider; without it the tokens of this installation"),
	TEXT("discovery", "address of its configuration (ISSUER/.well-known/openid-configuration)"),
	TEXT("jwks", "address of its key set, in place of discovery"),
	LIST("key", "keys in place of discovery: PEM, JWK or secret, usually {{named-value}}"),
	TEXT("decrypt", "private key for encrypted tokens: PEM or JWK, {{named-value}}"),
	LIST("alg", "signature algorithms that are taken; without it those that fit the keys"),
	LIST("audience", "audiences, one of which the token must name"),
	SCOPES,
	TEXT("type", "what the header's typ must be, such as at+jwt"),
	{ "leeway", ACCESS_NUMBER, "seconds", 0, 3600, "seconds by which clocks may differ (30)" },
	TOKEN_PLACE, CALLER_CLAIMS, SUBSCRIPTION, END,
};

static const struct access_parameter introspect[] = {
	TEXT("endpoint", "address of the introspection endpoint"),
	TEXT("client-id", "client that asks it"),
	TEXT("client-secret", "its secret, {{named-value}}"),
	TEXT("issuer", "what iss must be, when the answer has one"),
	LIST("audience", "audiences, one of which the answer must name"),
	SCOPES,
	{ "cache", ACCESS_NUMBER, "seconds", 0, 3600, "seconds for which an answer is remembered (60)" },
	TOKEN_PLACE, CALLER_CLAIMS, SUBSCRIPTION, END,
};

static const struct access_parameter cert[] = {
	LIST("ca", "ids of certificates of the store that must have signed it"),
	LIST("thumbprint", "SHA-1 or SHA-256 of the certificate, hexadecimal"),
	LIST("subject", "its subject as RFC 2253 writes it, or CN=name alone"),
	LIST("dns", "one of its DNS names"),
	LIST("crl", "revocation lists in PEM, {{named-value}}"),
	{ "revocation", ACCESS_CHOICE, "none|lists|online", 0, 0,
	  "whether it has been revoked: not asked, by crl, or what crl does not say by OCSP and the lists that certificates name (lists with crl, else none)" },
	TEXT("responder", "OCSP responder that is asked in place of the one that the certificate names"),
	SUBSCRIPTION, END,
};

static const struct access_parameter basic[] = {
	LIST("group", "groups of callers, one of which the user must be in"),
	TEXT("realm", "realm of the challenge"),
	SUBSCRIPTION, END,
};

static const struct access_parameter hmac[] = {
	{ "scheme", ACCESS_CHOICE, "rfc9421|cavage|plain", 0, 0,
	  "how it is signed: RFC 9421; the draft before it (Authorization: Signature or hmac); an HMAC over parts in a field of its own" },
	WINDOW,
	LIST("cover", "components that must be signed (@method, @authority, @path and @query or @target-uri, and content-digest of a body)"),
	LIST("parts", "plain: what is signed (method, target, host, timestamp, nonce, body-sha256)"),
	{ "digest", ACCESS_CHOICE, "sha256|sha384|sha512", 0, 0, "plain: digest of the HMAC" },
	{ "encoding", ACCESS_CHOICE, "hex|base64", 0, 0, "plain: how the signature is written" },
	TEXT("signature-header", "plain: field of the signature (X-Signature)"),
	TEXT("key-header", "plain: field of the key's id (X-Key-Id)"),
	TEXT("timestamp-header", "plain: field of the time (X-Timestamp)"),
	TEXT("nonce-header", "plain: field of the nonce (X-Nonce)"),
	SUBSCRIPTION, END,
};

static const struct access_parameter sigv4[] = {
	WINDOW,
	TEXT("region", "region of the credential scope"),
	TEXT("service", "service of the credential scope (execute-api)"),
	SUBSCRIPTION, END,
};

const struct access_method_info access_methods[ACCESS_KIND__COUNT] = {
	[ACCESS_KEY] = { "key", "a subscription key", none, false },
	[ACCESS_CLIENT] = { "client", "an application's client id and secret", client, false },
	[ACCESS_JWT] = { "jwt", "a signed token (JWT) in Authorization: Bearer", jwt, true },
	[ACCESS_INTROSPECT] = { "introspect", "a token that its issuer is asked about (RFC 7662)", introspect, true },
	[ACCESS_CERT] = { "cert", "a client certificate", cert, false },
	[ACCESS_BASIC] = { "basic", "a user name and a password (RFC 7617)", basic, false },
	[ACCESS_HMAC] = { "hmac", "a request signed with a shared secret (RFC 9421 with hmac-sha256, HTTP Signatures, HMAC)", hmac, false },
	[ACCESS_SIGV4] = { "sigv4", "a request signed with AWS Signature Version 4", sigv4, false },
	[ACCESS_ANONYMOUS] = { "anonymous", "anybody", none, false },
};
