/* kinds.c - the table of kinds and fields, and the checks that follow from it. */
#include "core/credential.h"

#include "core/credential_rotate.h"
#include "core/crypto.h"
#include "core/sign.h"
#include "core/str.h"
#include "core/uri.h"

static const struct credential_kind_info kinds[CREDENTIAL__COUNT] = {
#define X(name, word, token, text) [CREDENTIAL_##name] = { STR_INIT(word), STR_INIT(text), token },
	CREDENTIAL_KINDS(X)
#undef X
};

#define K(name) (1u << CREDENTIAL_##name)
#define OAUTH (K(CLIENT) | K(PASSWORD) | K(CODE) | K(JWT_BEARER) | K(EXCHANGE))

static const struct credential_field fields[] = {
	{ STR_INIT("token-url"), OAUTH, OAUTH, CREDENTIAL_URL, false, NULL, "address of the token endpoint" },
	{ STR_INIT("authorize-url"), K(CODE), K(CODE), CREDENTIAL_URL, false, NULL, "address where an administrator consents" },
	{ STR_INIT("client-id"), OAUTH, K(CLIENT) | K(CODE), CREDENTIAL_TEXT, false, NULL, "id of the client at the provider" },
	{ STR_INIT("auth"), OAUTH, 0, CREDENTIAL_CHOICE, false,
	  "client_secret_basic|client_secret_post|private_key_jwt|tls_client_auth|none", "how the client proves who it is" },
	{ STR_INIT("client-secret"), OAUTH, 0, CREDENTIAL_TEXT, true, NULL, "secret of the client" },
	{ STR_INIT("private-key"), OAUTH, 0, CREDENTIAL_PEM, true, NULL, "PEM of the key that signs assertions" },
	{ STR_INIT("key-id"), OAUTH | K(MESSAGE) | K(HMAC), 0, CREDENTIAL_TEXT, false, NULL, "name of the key, as the other side knows it" },
	{ STR_INIT("algorithm"), OAUTH | K(MESSAGE), 0, CREDENTIAL_TEXT, false, NULL,
	  "of the signature: RS256, PS256, ES256, EdDSA … for assertions; ed25519, rsa-pss-sha512, hmac-sha256 … for messages" },
	{ STR_INIT("certificate"), OAUTH | K(CERTIFICATE), K(CERTIFICATE), CREDENTIAL_TEXT, false, NULL,
	  "id of a certificate of `gatehouse certificate`" },
	{ STR_INIT("ca"), OAUTH, 0, CREDENTIAL_TEXT, false, NULL,
	  "id of a certificate: authority for the token endpoint's, in place of the system's" },
	{ STR_INIT("scope"), OAUTH, 0, CREDENTIAL_TEXT, false, NULL, "scopes to ask for, with blanks between" },
	{ STR_INIT("audience"), OAUTH, 0, CREDENTIAL_TEXT, false, NULL, "audience to ask for; of an assertion: its `aud`" },
	{ STR_INIT("resource"), OAUTH, 0, CREDENTIAL_TEXT, false, NULL,
	  "what the token is for (RFC 8707); policies find the credential by it as a managed identity" },
	{ STR_INIT("resource-parameter"), OAUTH, 0, CREDENTIAL_CHOICE, false, "no|yes", "send `resource` to the token endpoint" },
	{ STR_INIT("parameters"), OAUTH, 0, CREDENTIAL_TEXT, false, NULL, "further form parameters: a=1&b=2" },
	{ STR_INIT("username"), K(PASSWORD) | K(BASIC), K(PASSWORD) | K(BASIC), CREDENTIAL_TEXT, false, NULL, "the user" },
	{ STR_INIT("password"), K(PASSWORD) | K(BASIC), K(PASSWORD) | K(BASIC), CREDENTIAL_TEXT, true, NULL, "the user's password" },
	{ STR_INIT("assertion"), K(JWT_BEARER), 0, CREDENTIAL_CHOICE, false, "own|caller",
	  "own: signed with private-key; caller: the caller's token" },
	{ STR_INIT("issuer"), K(JWT_BEARER), 0, CREDENTIAL_TEXT, false, NULL, "`iss` of an own assertion; not given: client-id" },
	{ STR_INIT("subject"), K(JWT_BEARER), 0, CREDENTIAL_TEXT, false, NULL, "`sub` of an own assertion; not given: the issuer" },
	{ STR_INIT("claims"), K(JWT_BEARER), 0, CREDENTIAL_TEXT, false, NULL, "further claims of an own assertion, as JSON" },
	{ STR_INIT("subject-header"), K(EXCHANGE) | K(JWT_BEARER), 0, CREDENTIAL_TEXT, false, NULL,
	  "header of the call that holds the caller's token (Authorization)" },
	{ STR_INIT("subject-token-type"), K(EXCHANGE), 0, CREDENTIAL_TEXT, false, NULL,
	  "type of the caller's token (urn:ietf:params:oauth:token-type:access_token)" },
	{ STR_INIT("requested-token-type"), K(EXCHANGE), 0, CREDENTIAL_TEXT, false, NULL, "type of the token that is wanted" },
	{ STR_INIT("life"), OAUTH, 0, CREDENTIAL_NUMBER, false, NULL, "seconds that a token lives when the endpoint does not say (600)" },
	{ STR_INIT("value"), K(API_KEY), K(API_KEY), CREDENTIAL_TEXT, true, NULL, "the key" },
	{ STR_INIT("header"), OAUTH | K(API_KEY), 0, CREDENTIAL_TEXT, false, NULL, "header that carries it (Authorization; X-Api-Key)" },
	{ STR_INIT("query"), K(API_KEY), 0, CREDENTIAL_TEXT, false, NULL, "query parameter that carries it, in place of a header" },
	{ STR_INIT("prefix"), OAUTH | K(API_KEY) | K(HMAC), 0, CREDENTIAL_TEXT, false, NULL,
	  "what stands before it in the header, blank included (\"Bearer \" for tokens)" },
	{ STR_INIT("access-key-id"), K(AWS), K(AWS), CREDENTIAL_TEXT, false, NULL, "id of the access key" },
	{ STR_INIT("secret-access-key"), K(AWS), K(AWS), CREDENTIAL_TEXT, true, NULL, "the access key" },
	{ STR_INIT("session-token"), K(AWS), 0, CREDENTIAL_TEXT, true, NULL, "token of temporary credentials" },
	{ STR_INIT("region"), K(AWS), K(AWS), CREDENTIAL_TEXT, false, NULL, "region, such as eu-west-1" },
	{ STR_INIT("service"), K(AWS), K(AWS), CREDENTIAL_TEXT, false, NULL, "service, such as execute-api, s3, lambda" },
	{ STR_INIT("payload"), K(AWS), 0, CREDENTIAL_CHOICE, false, "signed|unsigned", "unsigned leaves the body out, so that it can stream" },
	{ STR_INIT("key"), K(MESSAGE) | K(HMAC), K(MESSAGE) | K(HMAC), CREDENTIAL_TEXT, true, NULL,
	  "PEM of the private key, or the shared secret" },
	{ STR_INIT("components"), K(MESSAGE), 0, CREDENTIAL_TEXT, false, NULL,
	  "what is covered: (\"@method\" \"@target-uri\" \"content-digest\")" },
	{ STR_INIT("label"), K(MESSAGE), 0, CREDENTIAL_TEXT, false, NULL, "label of the signature (sig1)" },
	{ STR_INIT("tag"), K(MESSAGE), 0, CREDENTIAL_TEXT, false, NULL, "the parameter `tag`" },
	{ STR_INIT("expires"), K(MESSAGE), 0, CREDENTIAL_NUMBER, false, NULL, "seconds until the signature expires; not given: never" },
	{ STR_INIT("nonce"), K(MESSAGE), 0, CREDENTIAL_CHOICE, false, "no|yes", "a nonce in each signature" },
	{ STR_INIT("content-digest"), K(MESSAGE), 0, CREDENTIAL_CHOICE, false, "sha-256|sha-512", "digest of the body, when it is covered" },
	{ STR_INIT("digest"), K(HMAC), 0, CREDENTIAL_CHOICE, false, "sha256|sha384|sha512", "digest of the HMAC" },
	{ STR_INIT("encoding"), K(HMAC), 0, CREDENTIAL_CHOICE, false, "hex|base64", "how the signature is written" },
	{ STR_INIT("key-encoding"), K(HMAC) | K(MESSAGE), 0, CREDENTIAL_CHOICE, false, "text|base64", "how a shared secret is written" },
	{ STR_INIT("parts"), K(HMAC), 0, CREDENTIAL_TEXT, false, NULL,
	  "what is signed (method,target,host,timestamp,nonce,body-sha256)" },
	{ STR_INIT("separator"), K(HMAC), 0, CREDENTIAL_TEXT, false, NULL, "between the parts (a line break); none: nothing" },
	{ STR_INIT("signature-header"), K(HMAC), 0, CREDENTIAL_TEXT, false, NULL, "header of the signature (X-Signature)" },
	{ STR_INIT("key-id-header"), K(HMAC), 0, CREDENTIAL_TEXT, false, NULL, "header of the key's name (X-Key-Id); none: it is not sent" },
	{ STR_INIT("timestamp-header"), K(HMAC), 0, CREDENTIAL_TEXT, false, NULL, "header of the time (X-Timestamp); none: it is not sent" },
	{ STR_INIT("timestamp-form"), K(HMAC), 0, CREDENTIAL_CHOICE, false, "seconds|rfc3339", "how the time is written" },
	{ STR_INIT("nonce-header"), K(HMAC), 0, CREDENTIAL_TEXT, false, NULL, "header of the nonce (X-Nonce); none: it is not sent" },
	{ STR_INIT("rotate"), OAUTH | K(API_KEY) | K(BASIC), 0, CREDENTIAL_CHOICE, false, "no|rfc7592|http|vault",
	  "how a new secret is got at its provider, by itself" },
	{ STR_INIT("rotate-days"), OAUTH | K(API_KEY) | K(BASIC), 0, CREDENTIAL_NUMBER, false, NULL, "days from one new secret to the next (30)" },
	{ STR_INIT("rotate-url"), K(CLIENT), 0, CREDENTIAL_URL, false, NULL,
	  "rfc7592: the client configuration endpoint; http: the address that makes a new secret" },
	{ STR_INIT("rotate-token"), K(CLIENT), 0, CREDENTIAL_TEXT, true, NULL, "bearer token for it; rfc7592: the registration access token" },
	{ STR_INIT("rotate-auth"), K(CLIENT), 0, CREDENTIAL_CHOICE, false, "token|own|none",
	  "http: what it is shown: rotate-token, or an access token of this credential" },
	{ STR_INIT("rotate-scope"), K(CLIENT), 0, CREDENTIAL_TEXT, false, NULL, "scope of such an access token" },
	{ STR_INIT("rotate-method"), K(CLIENT), 0, CREDENTIAL_CHOICE, false, "POST|PUT|PATCH", "http: the method" },
	{ STR_INIT("rotate-body"), K(CLIENT), 0, CREDENTIAL_TEXT, false, NULL, "http: JSON to send, with {{client-id}}, {{now}}, {{until}}" },
	{ STR_INIT("rotate-path"), K(CLIENT), 0, CREDENTIAL_TEXT, false, NULL, "http: where the new secret stands in the answer: $.secretText" },
	{ STR_INIT("rotate-vault"), OAUTH | K(API_KEY) | K(BASIC), 0, CREDENTIAL_TEXT, false, NULL,
	  "vault: the path that is told to rotate: database/rotate-role/erp" },
};

const struct credential_kind_info *credential_kind_info(enum credential_kind k)
{
	return &kinds[k];
}

bool credential_kind_of(struct str name, enum credential_kind *out)
{
	for (int i = 0; i < CREDENTIAL__COUNT; i++)
		if (str_eq(kinds[i].name, name)) {
			*out = (enum credential_kind)i;
			return true;
		}
	return false;
}

const struct credential_field *credential_field_at(size_t i)
{
	return i < ARRAY_LEN(fields) ? &fields[i] : NULL;
}

const struct credential_field *credential_field_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (str_eq(fields[i].name, name))
			return &fields[i];
	return NULL;
}

struct str credential_text(const struct credential *c, const char *field)
{
	const struct credential_field *f = credential_field_find(str_of(field));
	struct str value = jsn_str(f && f->secret ? c->secrets : c->settings, field);

	if (value.p || !f || f->type != CREDENTIAL_CHOICE)
		return value;
	value = str_of(f->choices);
	return str_first(value, str_find_char(value, '|'));
}

int64_t credential_number(const struct credential *c, const char *field, int64_t otherwise)
{
	uint64_t n;

	return str_to_u64(credential_text(c, field), INT32_MAX, &n) ? (int64_t)n : otherwise;
}

bool credential_per_caller(const struct credential *c)
{
	return c->kind == CREDENTIAL_EXCHANGE
	       || (c->kind == CREDENTIAL_JWT_BEARER && str_eq(credential_text(c, "assertion"), STR("caller")));
}

void credential_print(const struct credential *c, struct str secrets, uint8_t out[CREDENTIAL_PRINT_BYTES])
{
	struct arena *a = arena_new(4 << 20);
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct str settings = jsn_text(a, c->settings, JSN_SORTED);
	struct str all = arena_printf(a, "%d\n%.*s\n%.*s", c->kind, STR_ARG(settings), STR_ARG(secrets));

	crypto_sha256(all, digest);
	memcpy(out, digest, CREDENTIAL_PRINT_BYTES);
	crypto_wipe(digest, sizeof(digest));
	if (all.p)
		crypto_wipe((char *)(uintptr_t)all.p, all.n);
	arena_free(a);
}

/* ---- checking ------------------------------------------------------------------------------------------------------ */

static bool is_choice(const char *choices, struct str value)
{
	struct str rest = str_of(choices), one;

	while (str_split(&rest, '|', &one))
		if (str_eq(one, value))
			return true;
	return false;
}

static gh_rc check_value(const struct credential_field *f, struct str v, struct gh_err *err)
{
	struct uri u;
	uint64_t n;

	if (f->type == CREDENTIAL_URL
	    && (!uri_parse(v, &u) || !u.host.n || (!str_eq_ci(u.scheme, STR("https")) && !str_eq_ci(u.scheme, STR("http")))))
		FAIL(err, INVALID, "%s: '%.*s' is no http or https address", f->name.p, STR_ARG(str_first(v, 200)));
	if (f->type == CREDENTIAL_NUMBER && !str_to_u64(v, INT32_MAX, &n))
		FAIL(err, INVALID, "%s: '%.*s' is no number of seconds", f->name.p, STR_ARG(str_first(v, 80)));
	if (f->type == CREDENTIAL_CHOICE && !is_choice(f->choices, v))
		FAIL(err, INVALID, "%s: '%.*s' is none of %s", f->name.p, STR_ARG(str_first(v, 80)), f->choices);
	if (f->type == CREDENTIAL_PEM && str_find(v, STR("-----BEGIN")) == SIZE_MAX)
		FAIL(err, INVALID, "%s: this is no PEM text", f->name.p);
	for (size_t i = 0; !f->secret && i < v.n; i++)
		if ((unsigned char)v.p[i] < ' ' && !str_eq(f->name, STR("separator")))
			FAIL(err, INVALID, "%s: a line break or control character stands in it", f->name.p);
	return GH_RC_OK;
}

/* A secret by reference is there though its value is not. */
static bool given(const struct credential *c, const char *field)
{
	const struct credential_field *f = credential_field_find(str_of(field));

	return credential_text(c, field).n || (f->secret && json_is_object(jsn_get(c->secrets, field)));
}

static gh_rc check_members(const struct credential *c, json_t *members, bool secret, struct gh_err *err)
{
	const char *name;
	json_t *v;

	json_object_foreach(members, name, v) {
		const struct credential_field *f = credential_field_find(str_of(name));

		if (!f || !(f->kinds & 1u << c->kind))
			FAIL(err, INVALID, "a credential of kind %s has no '%.80s'", kinds[c->kind].name.p, name);
		if (f->secret != secret)
			FAIL(err, INVALID, secret ? "%s is no secret: give it as a setting" : "%s is a secret: give it by file or reference", f->name.p);
		if (secret && json_is_object(v) && jsn_str(v, "ref").n)
			continue;
		if (!json_is_string(v))
			FAIL(err, INVALID, "%s: not a text", f->name.p);
		TRY(check_value(f, jsn_string(v), err));
	}
	return GH_RC_OK;
}

static gh_rc need(const struct credential *c, const char *field, const char *when, struct gh_err *err)
{
	if (given(c, field))
		return GH_RC_OK;
	FAIL(err, INVALID, "%s is missing: %s", field, when);
}

static gh_rc check_oauth(const struct credential *c, struct gh_err *err)
{
	struct str auth = credential_text(c, "auth");
	bool bearer = c->kind == CREDENTIAL_JWT_BEARER, own = bearer && str_eq(credential_text(c, "assertion"), STR("own"));

	if (own) {
		TRY(need(c, "private-key", "an own assertion is signed with it", err));
		if (!credential_text(c, "issuer").n)
			TRY(need(c, "client-id", "an own assertion needs an issuer, or a client id in its place", err));
	}
	/* an assertion, an exchange or a password may stand for the client as well */
	if (!credential_text(c, "client-id").n)
		return GH_RC_OK;
	if (str_eq(auth, STR("private_key_jwt")))
		TRY(need(c, "private-key", "private_key_jwt signs with it", err));
	if (str_eq(auth, STR("tls_client_auth")))
		TRY(need(c, "certificate", "tls_client_auth shows it", err));
	if ((str_eq(auth, STR("client_secret_basic")) || str_eq(auth, STR("client_secret_post"))) && !own)
		TRY(need(c, "client-secret", "or choose another `auth`", err));
	return GH_RC_OK;
}

static gh_rc check_message(const struct credential *c, struct gh_err *err)
{
	struct str alg = credential_text(c, "algorithm"), components = credential_text(c, "components");
	struct arena *a = arena_new(1 << 20);
	struct sfv_list l;
	bool good = !components.p || (a && sfv_parse_list(a, components, &l) && l.n == 1 && l.v[0].bare.type == SFV_INNER_LIST);

	arena_free(a);
	if (alg.p && !msgsig_alg_of(alg))
		FAIL(err, INVALID, "algorithm: '%.*s' is none of rsa-v1_5-sha256, rsa-pss-sha512, hmac-sha256, ecdsa-p256-sha256, "
		     "ecdsa-p384-sha384 and ed25519", STR_ARG(str_first(alg, 80)));
	if (!good)
		FAIL(err, INVALID, "components: not a list in parentheses of names in quotes: (\"@method\" \"@path\")");
	return GH_RC_OK;
}

static gh_rc check_hmac(const struct credential *c, struct gh_err *err)
{
	const struct hmac_scheme s = { .parts = credential_text(c, "parts") };

	return hmac_scheme_check(&s, err);
}

GH_RC credential_check(const struct credential *c, struct gh_err *err)
{
	TRY(check_members(c, c->settings, false, err));
	TRY(check_members(c, c->secrets, true, err));
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].needed & 1u << c->kind && !given(c, fields[i].name.p))
			FAIL(err, INVALID, "a credential of kind %s needs %s (%s)", kinds[c->kind].name.p, fields[i].name.p, fields[i].help);
	if (c->kind == CREDENTIAL_API_KEY && credential_text(c, "header").n && credential_text(c, "query").n)
		FAIL(err, INVALID, "give the key in a header or in the query, not in both");
	TRY(rotation_check(c, err));
	if (kinds[c->kind].token)
		return check_oauth(c, err);
	if (c->kind == CREDENTIAL_MESSAGE)
		return check_message(c, err);
	return c->kind == CREDENTIAL_HMAC ? check_hmac(c, err) : GH_RC_OK;
}
