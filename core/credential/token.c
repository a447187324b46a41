/* token.c - requests to token endpoints and their answers. */
#include "core/credential.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/jose.h"
#include "core/str.h"
#include "core/uri.h"

enum {
	FORM_MAX = 256 * 1024,
	ASSERTION_LIFE_S = 300,
	LIFE_DEFAULT_S = 600,            /* no expires_in and no setting: short, for a token may well die before its time */
	LIFE_MAX_S = 30 * 86400,
	ERROR_CODE_MAX = 64,
	JTI_BYTES = 16,
};

/* ---- the form ------------------------------------------------------------------------------------------------------ */

struct form {
	struct arena *a;
	struct buf b;
	bool ok;
};

static void add(struct form *f, const char *name, struct str value)
{
	struct str e;

	if (!value.p)
		return;
	e = uri_encode(f->a, value, URI_KEEP_UNRESERVED);
	f->ok &= e.p != NULL;
	buf_fmt(&f->b, "%s%s=", f->b.n ? "&" : "", name);
	buf_str(&f->b, e);
}

/* ---- assertions (RFC 7523) ------------------------------------------------------------------------------------------ */

static enum jose_alg default_alg(struct str pem)
{
	static const enum jose_alg by_kind[] = { JOSE_RS256, JOSE_ES256, JOSE_ES384, JOSE_ES512, JOSE_EdDSA };
	struct jose_keys *k = jose_keys_new();
	struct arena *a = arena_new(1 << 20);
	enum jose_alg found = JOSE_NO_ALG;
	struct str ignored;

	if (k && a && !jose_keys_add_pem(k, STR_NULL, pem, NULL).code)
		for (size_t i = 0; i < ARRAY_LEN(by_kind) && !found; i++)
			if (!jose_sign_bytes(a, k, STR_NULL, by_kind[i], STR("x"), &ignored, NULL).code)
				found = by_kind[i];
	jose_keys_free(k);
	arena_free(a);
	return found;
}

static gh_rc sign_assertion(struct arena *a, const struct credential *c, const json_t *claims, struct str *out,
			    struct gh_err *err)
{
	struct str pem = credential_text(c, "private-key"), alg_name = credential_text(c, "algorithm");
	enum jose_alg alg = alg_name.n ? jose_alg_of(alg_name) : default_alg(pem);
	struct jose_keys *keys = jose_keys_new();
	struct str kid = credential_text(c, "key-id");
	gh_rc rc;

	if (!keys)
		FAIL(err, NOMEM, "no memory for a key");
	rc = jose_keys_add_pem(keys, kid.n ? kid : STR_NULL, pem, err);
	if (rc.code)
		gh_err_prefix(err, "private-key");
	if (!rc.code && !alg)
		rc = gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, "the private key fits no algorithm for tokens");
	if (!rc.code)
		rc = jose_sign(a, keys, STR_NULL, alg, claims, out, err);
	jose_keys_free(keys);
	return rc;
}

static void set_text(json_t *o, const char *name, struct str value)
{
	if (value.n)
		json_object_set_new(o, name, json_stringn(value.p, value.n));
}

static gh_rc base_claims(struct arena *a, struct str iss, struct str sub, struct str aud, int64_t now_s, json_t **out,
			 struct gh_err *err)
{
	struct str jti;

	TRY(crypto_random_hex(a, JTI_BYTES, &jti, err));
	*out = jsn_keep(a, json_pack("{s:I, s:I, s:I}", "iat", (json_int_t)now_s, "nbf", (json_int_t)now_s, "exp",
				     (json_int_t)(now_s + ASSERTION_LIFE_S)));
	if (!*out)
		FAIL(err, NOMEM, "no memory for an assertion");
	set_text(*out, "iss", iss);
	set_text(*out, "sub", sub);
	set_text(*out, "aud", aud);
	set_text(*out, "jti", jti);
	return GH_RC_OK;
}

/* ---- who asks ------------------------------------------------------------------------------------------------------ */

/* RFC 6749 section 2.3.1: id and secret are form-encoded before they are joined. */
static gh_rc basic(struct arena *a, struct str id, struct str secret, struct str *out, struct gh_err *err)
{
	struct str i = uri_encode(a, id, URI_KEEP_UNRESERVED), s = uri_encode(a, secret, URI_KEEP_UNRESERVED), both;

	both = i.p && s.p ? arena_printf(a, "%.*s:%.*s", STR_ARG(i), STR_ARG(s)) : STR_NULL;
	both = both.p ? crypto_base64(a, both) : STR_NULL;
	*out = both.p ? arena_printf(a, "Basic %s", both.p) : STR_NULL;
	if (!out->p)
		FAIL(err, NOMEM, "no memory for a token request");
	return GH_RC_OK;
}

static gh_rc authenticate(struct form *f, const struct credential *c, int64_t now_s, struct token_ask *out, struct gh_err *err)
{
	struct str auth = credential_text(c, "auth"), id = credential_text(c, "client-id"), secret = credential_text(c, "client-secret");
	struct str assertion;
	json_t *claims;

	if (!id.n)
		return GH_RC_OK;
	if (str_eq(auth, STR("client_secret_basic")) && secret.n)
		return basic(f->a, id, secret, &out->authorization, err);
	add(f, "client_id", id);
	if (str_eq(auth, STR("client_secret_post")))
		add(f, "client_secret", secret);
	if (str_eq(auth, STR("tls_client_auth")))
		out->certificate_id = credential_text(c, "certificate");
	if (!str_eq(auth, STR("private_key_jwt")))
		return GH_RC_OK;
	TRY(base_claims(f->a, id, id, credential_text(c, "token-url"), now_s, &claims, err));
	TRY(sign_assertion(f->a, c, claims, &assertion, err));
	add(f, "client_assertion_type", STR("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
	add(f, "client_assertion", assertion);
	return GH_RC_OK;
}

/* ---- what is asked for --------------------------------------------------------------------------------------------- */

static gh_rc add_bearer(struct form *f, const struct credential *c, const struct token_grant *g, struct gh_err *err)
{
	struct str iss = credential_text(c, "issuer"), sub = credential_text(c, "subject"), aud = credential_text(c, "audience");
	struct str more = credential_text(c, "claims"), assertion = g->subject;
	json_t *claims, *extra;

	add(f, "grant_type", STR("urn:ietf:params:oauth:grant-type:jwt-bearer"));
	if (!credential_per_caller(c)) {
		iss = iss.n ? iss : credential_text(c, "client-id");
		TRY(base_claims(f->a, iss, sub.n ? sub : iss, aud.n ? aud : credential_text(c, "token-url"), g->now_s, &claims, err));
		set_text(claims, "scope", credential_text(c, "scope"));
		if (more.n && (jsn_parse_in(f->a, more, NULL, &extra, NULL, err).code || json_object_update(claims, extra)))
			FAIL(err, INVALID, "claims: not a JSON object");
		TRY(sign_assertion(f->a, c, claims, &assertion, err));
	}
	add(f, "assertion", assertion);
	return GH_RC_OK;
}

static void add_exchange(struct form *f, const struct credential *c, const struct token_grant *g)
{
	struct str type = credential_text(c, "subject-token-type");

	add(f, "grant_type", STR("urn:ietf:params:oauth:grant-type:token-exchange"));
	add(f, "subject_token", g->subject);
	add(f, "subject_token_type", type.n ? type : STR("urn:ietf:params:oauth:token-type:access_token"));
	add(f, "requested_token_type", credential_text(c, "requested-token-type"));
}

static void add_code(struct form *f, const struct token_grant *g)
{
	if (g->code.p) {
		add(f, "grant_type", STR("authorization_code"));
		add(f, "code", g->code);
		add(f, "redirect_uri", g->redirect_uri);
		add(f, "code_verifier", g->code_verifier);
		return;
	}
	add(f, "grant_type", STR("refresh_token"));
	add(f, "refresh_token", g->refresh_token);
}

static gh_rc add_grant(struct form *f, const struct credential *c, const struct token_grant *g, struct gh_err *err)
{
	switch (c->kind) {
	case CREDENTIAL_PASSWORD:
		add(f, "grant_type", STR("password"));
		add(f, "username", credential_text(c, "username"));
		add(f, "password", credential_text(c, "password"));
		break;
	case CREDENTIAL_CODE:
		add_code(f, g);
		break;
	case CREDENTIAL_JWT_BEARER:
		TRY(add_bearer(f, c, g, err));
		break;
	case CREDENTIAL_EXCHANGE:
		add_exchange(f, c, g);
		break;
	default:
		add(f, "grant_type", STR("client_credentials"));
	}
	/* the code was given for the scopes that the consent named */
	if (!g->code.p && !(c->kind == CREDENTIAL_JWT_BEARER && !credential_per_caller(c)))
		add(f, "scope", credential_text(c, "scope").n ? credential_text(c, "scope") : STR_NULL);
	if (c->kind != CREDENTIAL_JWT_BEARER || credential_per_caller(c))
		add(f, "audience", credential_text(c, "audience"));
	if (str_eq(credential_text(c, "resource-parameter"), STR("yes")))
		add(f, "resource", credential_text(c, "resource"));
	return GH_RC_OK;
}

GH_RC token_ask_make(struct arena *a, const struct credential *c, const struct token_grant *g, struct token_ask *out,
		     struct gh_err *err)
{
	struct form f = { .a = a, .ok = true };
	struct str more = credential_text(c, "parameters");
	gh_rc rc;

	*out = (struct token_ask){ .url = credential_text(c, "token-url"), .ca_id = credential_text(c, "ca") };
	if (c->kind == CREDENTIAL_CODE && !g->code.p && !g->refresh_token.n)
		FAIL(err, UNAVAILABLE, "nobody has consented yet: open the credential in the dashboard and connect it");
	if (credential_per_caller(c) && !g->subject.n)
		FAIL(err, UNAUTHENTICATED, "the call carries no token to act on behalf of");
	buf_init(&f.b, FORM_MAX);
	rc = add_grant(&f, c, g, err);
	if (!rc.code)
		rc = authenticate(&f, c, g->now_s, out, err);
	if (more.n)
		buf_fmt(&f.b, "&%.*s", STR_ARG(more));
	if (!rc.code) {
		out->body = f.ok && buf_ok(&f.b) ? arena_dup(a, buf_view(&f.b)) : STR_NULL;
		if (!out->body.p)
			rc = gh_err_set(err, GH_E_LIMIT, __FILE__, __LINE__, "the token request is larger than %d bytes", FORM_MAX);
	}
	if (f.b.p)
		crypto_wipe(f.b.p, f.b.n);
	buf_release(&f.b);
	return rc;
}

/* ---- the answer ---------------------------------------------------------------------------------------------------- */

/* "invalid_client": only what RFC 6749 section 5.2 allows, for it goes into logs and traces. */
static struct str error_code(const json_t *j)
{
	struct str code = str_first(jsn_str(j, "error"), ERROR_CODE_MAX);

	for (size_t i = 0; i < code.n; i++)
		if (!ascii_is_alpha(code.p[i]) && !ascii_is_digit(code.p[i]) && !strchr("_-.", code.p[i]))
			return STR_NULL;
	return code;
}

static int64_t life_of(const struct credential *c, const json_t *j)
{
	json_t *v = jsn_get(j, "expires_in");
	int64_t life = credential_number(c, "life", LIFE_DEFAULT_S);

	if (json_is_number(v))
		life = (int64_t)json_number_value(v);
	else if (json_is_string(v))
		str_to_i64(jsn_string(v), 0, LIFE_MAX_S, &life);
	return life < 0 ? 0 : life > LIFE_MAX_S ? LIFE_MAX_S : life;
}

static struct str other_members(struct arena *a, json_t *j)
{
	static const char *const taken[] = { "access_token", "refresh_token", "id_token", "expires_in" };
	json_t *out = jsn_keep(a, json_object()), *v;
	const char *name;

	json_object_foreach(j, name, v) {
		bool skip = !json_is_string(v) && !json_is_number(v) && !json_is_boolean(v);

		for (size_t i = 0; i < ARRAY_LEN(taken); i++)
			skip |= strcmp(name, taken[i]) == 0;
		if (!skip && out)
			json_object_set(out, name, v);
	}
	return out ? jsn_text(a, out, 0) : STR_NULL;
}

static bool fits_header(struct str token)
{
	for (size_t i = 0; i < token.n; i++)
		if (token.p[i] <= ' ' || token.p[i] >= 127)
			return false;
	return token.n > 0;
}

enum token_verdict token_answer_read(struct arena *a, const struct credential *c, int status, struct str body,
				     struct str retry_after, struct token_answer *out)
{
	json_t *j = NULL;
	uint64_t wait = 0;
	struct str code;

	*out = (struct token_answer){ 0 };
	if (jsn_parse_in(a, body, NULL, &j, NULL, NULL).code)
		j = NULL;
	if (str_to_u64(retry_after, 3600, &wait))
		out->retry_after_s = (int64_t)wait;
	code = error_code(j);
	if (status != 200) {
		out->problem = arena_printf(a, "answered %d%s%.*s%s", status, code.n ? " (" : "", STR_ARG(code), code.n ? ")" : "");
		if (status == 429 || status >= 500 || status < 400)
			return TOKEN_BUSY;
		return credential_per_caller(c) && str_eq(code, STR("invalid_grant")) ? TOKEN_SUBJECT : TOKEN_REFUSED;
	}
	out->access_token = jsn_str(j, "access_token");
	if (!fits_header(out->access_token)) {
		out->problem = STR("answered without a usable access_token");
		return TOKEN_REFUSED;
	}
	out->token_type = jsn_str(j, "token_type");
	out->refresh_token = fits_header(jsn_str(j, "refresh_token")) ? jsn_str(j, "refresh_token") : STR_NULL;
	out->life_s = life_of(c, j);
	out->claims = other_members(a, j);
	return TOKEN_OK;
}

/* ---- consent ------------------------------------------------------------------------------------------------------- */

struct str token_challenge(struct arena *a, struct str verifier)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];

	crypto_sha256(verifier, digest);
	return crypto_base64url(a, (struct str){ (const char *)digest, sizeof(digest) });
}

GH_RC token_consent_url(struct arena *a, const struct credential *c, struct str redirect_uri, struct str state,
			struct str challenge, struct str *out, struct gh_err *err)
{
	struct form f = { .a = a, .ok = true };
	struct str url = credential_text(c, "authorize-url");

	buf_init(&f.b, FORM_MAX);
	add(&f, "response_type", STR("code"));
	add(&f, "client_id", credential_text(c, "client-id"));
	add(&f, "redirect_uri", redirect_uri);
	if (credential_text(c, "scope").n)
		add(&f, "scope", credential_text(c, "scope"));
	add(&f, "audience", credential_text(c, "audience"));
	add(&f, "state", state);
	add(&f, "code_challenge", challenge);
	add(&f, "code_challenge_method", STR("S256"));
	*out = f.ok && buf_ok(&f.b) ? arena_printf(a, "%.*s%s%.*s", STR_ARG(url), str_find_char(url, '?') == SIZE_MAX ? "?" : "&",
						    STR_ARG(buf_view(&f.b))) : STR_NULL;
	buf_release(&f.b);
	if (!out->p)
		FAIL(err, NOMEM, "no memory for an address");
	return GH_RC_OK;
}

/* ---- keeping ------------------------------------------------------------------------------------------------------- */

/* Lines: a token is no text with line breaks, and JSON is written on one line. */
struct str token_pack(struct arena *a, const struct token_answer *t)
{
	struct buf b;
	struct str out;

	buf_init(&b, FORM_MAX);
	buf_str(&b, t->access_token);
	buf_char(&b, '\n');
	buf_str(&b, t->refresh_token);
	buf_char(&b, '\n');
	buf_str(&b, t->claims);
	out = buf_ok(&b) ? arena_dup(a, buf_view(&b)) : STR_NULL;
	if (b.p)
		crypto_wipe(b.p, b.n);
	buf_release(&b);
	return out;
}

bool token_unpack(struct str packed, struct token_answer *out)
{
	*out = (struct token_answer){ 0 };
	if (!packed.p || !str_split(&packed, '\n', &out->access_token) || !str_split(&packed, '\n', &out->refresh_token))
		return false;
	out->claims = packed;
	return out->access_token.n > 0;
}
