/* credential_apply.c - a credential on a request that goes to a backend: header, query parameter, certificate or signature.
 *
 * What the caller sent under the same name goes: nobody may pass his own credential off as the gateway's. */
#include "fcgi/credential.h"

#include "core/clock.h"
#include "core/sign.h"
#include "core/str.h"
#include "core/uri.h"

enum { NONCE_BYTES = 16 };

static bool set_field(struct credential_request *rq, struct str name, struct str value)
{
	return value.p && fields_set(rq->fields, name, value);
}

static struct str text_or(const struct snap_credential *c, const char *field, struct str otherwise)
{
	struct str s = credential_text(&c->c, field);

	return s.n ? s : otherwise;
}

/* ---- whose token ----------------------------------------------------------------------------------------------------- */

struct str credential_subject(struct call *k, const struct snap_credential *c)
{
	struct str value = fields_get(&k->x.request.headers, text_or(c, "subject-header", STR("Authorization")));

	if (str_is_null(value))
		value = k->caller_token;
	if (str_starts_ci(value, STR("Bearer ")))
		value = str_from(value, 7);
	else if (!credential_text(&c->c, "subject-header").n)
		return STR_NULL;         /* another scheme of Authorization */
	value = str_trim(value);
	return value.n ? value : STR_NULL;
}

/* ---- kinds ----------------------------------------------------------------------------------------------------------- */

static enum reason put_token(struct call *k, const struct snap_credential *c, const struct credential_need *need,
			     struct credential_request *rq)
{
	struct str prefix = credential_text(&c->c, "prefix");

	return set_field(rq, text_or(c, "header", STR("Authorization")),
			 arena_printf(k->arena, "%.*s%.*s", STR_ARG(prefix.p ? prefix : STR("Bearer ")), STR_ARG(need->token.access_token)))
		       ? REASON_NONE : REASON_NO_MEMORY;
}

static enum reason put_key(struct call *k, const struct snap_credential *c, struct credential_request *rq)
{
	struct str value = credential_text(&c->c, "value"), name = credential_text(&c->c, "query"), escaped, rest;

	if (!name.n)
		return set_field(rq, text_or(c, "header", STR("X-Api-Key")),
				 arena_printf(k->arena, "%.*s%.*s", STR_ARG(credential_text(&c->c, "prefix")), STR_ARG(value)))
			       ? REASON_NONE : REASON_NO_MEMORY;
	escaped = uri_encode(k->arena, value, URI_KEEP_UNRESERVED);
	name = uri_encode(k->arena, name, URI_KEEP_UNRESERVED);
	if (!escaped.p || !name.p || !uri_query_remove(k->arena, rq->url->query, credential_text(&c->c, "query"), &rest))
		return REASON_NO_MEMORY;
	rq->url->query = arena_printf(k->arena, "%.*s%s%.*s=%.*s", STR_ARG(rest), rest.n ? "&" : "", STR_ARG(name), STR_ARG(escaped));
	return rq->url->query.p ? REASON_NONE : REASON_NO_MEMORY;
}

static enum reason put_basic(struct call *k, const struct snap_credential *c, struct credential_request *rq)
{
	struct str both = arena_printf(k->arena, "%.*s:%.*s", STR_ARG(credential_text(&c->c, "username")),
				       STR_ARG(credential_text(&c->c, "password")));
	struct str text = both.p ? crypto_base64(k->arena, both) : STR_NULL;

	return text.p && set_field(rq, STR("Authorization"), arena_printf(k->arena, "Basic %s", text.p)) ? REASON_NONE : REASON_NO_MEMORY;
}

/* ---- signatures ------------------------------------------------------------------------------------------------------ */

/* The request as signers see it. only: a test of names; NULL: all fields. */
static bool as_sign_request(struct call *k, const struct credential_request *rq, bool (*only)(struct str name),
			    struct sign_request *out)
{
	struct sign_field *v = arena_alloc(k->arena, rq->fields->n + 1, sizeof(*v));
	struct buf b;

	*out = (struct sign_request){ .method = rq->method, .scheme = rq->url->scheme, .path = rq->url->path, .query = rq->url->query,
				      .authority = rq->host, .fields = v };
	if (!v)
		return false;
	if (!rq->host.n) {
		buf_init(&b, 1024);
		url_write_authority(&b, rq->url);
		out->authority = buf_ok(&b) ? arena_dup(k->arena, buf_view(&b)) : STR_NULL;
		buf_release(&b);
	}
	for (size_t i = 0; i < rq->fields->n; i++)
		if (!only || only(rq->fields->v[i].name))
			v[out->n_fields++] = (struct sign_field){ rq->fields->v[i].name, rq->fields->v[i].value };
	return out->authority.p != NULL;
}

static enum reason add_signed(struct call *k, const struct sign_added *added, struct credential_request *rq)
{
	for (size_t i = 0; i < added->n; i++)
		if (!set_field(rq, added->v[i].name, arena_dup(k->arena, added->v[i].value)))
			return REASON_NO_MEMORY;
	return REASON_NONE;
}

static enum reason unsignable(struct call *k, const struct gh_err *err, struct credential_request *rq)
{
	rq->problem = arena_dup(k->arena, str_of(err->message));
	return REASON_CREDENTIAL;
}

/* The type of the body and what is Amazon's own; a proxy may change the rest on the way. */
static bool is_amazon(struct str name)
{
	return str_eq_ci(name, STR("Content-Type")) || (str_starts_ci(name, STR("X-Amz-")) && !str_starts_ci(name, STR("X-Amzn-")));
}

static enum reason sign_aws(struct call *k, const struct snap_credential *c, struct credential_request *rq)
{
	static const struct str own[] = { STR_INIT("Authorization"), STR_INIT("X-Amz-Date"), STR_INIT("X-Amz-Security-Token"),
					  STR_INIT("X-Amz-Content-Sha256") };
	const struct sigv4_key key = { credential_text(&c->c, "access-key-id"), credential_text(&c->c, "secret-access-key"),
				       credential_text(&c->c, "session-token"), credential_text(&c->c, "region"),
				       credential_text(&c->c, "service") };
	bool s3 = str_eq(key.service, STR("s3"));
	struct sign_request signed_rq;
	struct sign_added added;
	struct gh_err err;

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		fields_remove(rq->fields, own[i]);
	if (!as_sign_request(k, rq, is_amazon, &signed_rq))
		return REASON_NO_MEMORY;
	if (sigv4_sign(k->arena, &signed_rq, &key, credential_wants_body(c) ? sign_sha256_hex(k->arena, rq->body) : SIGV4_UNSIGNED,
		       clock_wall_us() / 1000000, SIGV4_CONTENT_FIELD | (s3 ? SIGV4_SINGLE_ENCODE : SIGV4_NORMALIZE), &added, &err).code)
		return unsignable(k, &err, rq);
	return add_signed(k, &added, rq);
}

#define COMPONENTS_DEFAULT STR("(\"@method\" \"@target-uri\" \"content-digest\")")

static bool covers_digest(const struct snap_credential *c)
{
	return str_find(text_or(c, "components", COMPONENTS_DEFAULT), STR("\"content-digest\"")) != SIZE_MAX;
}

static enum reason sign_message(struct call *k, const struct snap_credential *c, struct credential_request *rq)
{
	int64_t now = clock_wall_us() / 1000000, life = credential_number(&c->c, "expires", 0);
	struct msgsig_wish wish = { .label = credential_text(&c->c, "label"), .components = text_or(c, "components", COMPONENTS_DEFAULT),
				    .key_id = credential_text(&c->c, "key-id"), .tag = credential_text(&c->c, "tag"), .created_s = now,
				    .expires_s = life ? now + life : 0, .alg = c->alg };
	struct msgsig_message m = { .status = 0 };
	struct sign_added added;
	struct gh_err err;

	fields_remove(rq->fields, STR("Signature"));
	fields_remove(rq->fields, STR("Signature-Input"));
	if (covers_digest(c)
	    && !set_field(rq, STR("Content-Digest"), content_digest(k->arena, rq->body, str_eq(credential_text(&c->c, "content-digest"), STR("sha-512")))))
		return REASON_NO_MEMORY;
	if (str_eq(credential_text(&c->c, "nonce"), STR("yes")) && crypto_random_hex(k->arena, NONCE_BYTES, &wish.nonce, &err).code)
		return REASON_NO_MEMORY;
	if (!as_sign_request(k, rq, NULL, &m.rq))
		return REASON_NO_MEMORY;
	if (!c->keys || msgsig_sign(k->arena, &m, c->keys, STR_NULL, &wish, &added, &err).code)
		return unsignable(k, &err, rq);
	return add_signed(k, &added, rq);
}

/* "none" is an empty text; what is not set is STR_NULL, and then the scheme has its own. */
static struct str or_none(const struct snap_credential *c, const char *field)
{
	struct str s = credential_text(&c->c, field);

	return str_eq(s, STR("none")) ? STR("") : s;
}

static struct hmac_scheme scheme_of(const struct snap_credential *c)
{
	return (struct hmac_scheme){
		.digest = credential_text(&c->c, "digest"), .encoding = credential_text(&c->c, "encoding"),
		.parts = credential_text(&c->c, "parts"), .separator = or_none(c, "separator"),
		.field = credential_text(&c->c, "signature-header"), .prefix = credential_text(&c->c, "prefix"),
		.key_id_field = or_none(c, "key-id-header"), .timestamp_field = or_none(c, "timestamp-header"),
		.nonce_field = or_none(c, "nonce-header"),
		.iso_time = str_eq(credential_text(&c->c, "timestamp-form"), STR("rfc3339")),
		.secret_base64 = str_eq(credential_text(&c->c, "key-encoding"), STR("base64")),
	};
}

static enum reason sign_hmac(struct call *k, const struct snap_credential *c, struct credential_request *rq)
{
	const struct hmac_scheme s = scheme_of(c);
	struct sign_request signed_rq;
	struct sign_added added;
	struct gh_err err;
	struct str nonce;

	if (!as_sign_request(k, rq, NULL, &signed_rq) || crypto_random_hex(k->arena, NONCE_BYTES, &nonce, &err).code)
		return REASON_NO_MEMORY;
	if (hmac_sign(k->arena, &signed_rq, &s, credential_text(&c->c, "key-id"), credential_text(&c->c, "key"), rq->body,
		      clock_wall_us() / 1000000, nonce, &added, &err).code)
		return unsignable(k, &err, rq);
	return add_signed(k, &added, rq);
}

/* ---- all of them ----------------------------------------------------------------------------------------------------- */

bool credential_wants_body(const struct snap_credential *c)
{
	struct hmac_scheme s;

	switch (c->c.kind) {
	case CREDENTIAL_AWS:
		return str_eq(credential_text(&c->c, "payload"), STR("signed"));
	case CREDENTIAL_MESSAGE:
		return covers_digest(c);
	case CREDENTIAL_HMAC:
		s = scheme_of(c);
		return hmac_needs_body(&s);
	default:
		return false;
	}
}

bool credential_may_travel(const struct snap_credential *c)
{
	if (c->c.kind == CREDENTIAL_BASIC || c->c.kind == CREDENTIAL_CERTIFICATE)
		return true;
	return credential_kind_info(c->c.kind)->token && str_eq_ci(text_or(c, "header", STR("Authorization")), STR("Authorization"));
}

enum reason credential_apply(struct call *k, const struct snap_credential *c, const struct credential_need *need,
			     struct credential_request *rq)
{
	if (c->problem.p) {
		rq->problem = c->problem;
		return REASON_CREDENTIAL;
	}
	switch (c->c.kind) {
	case CREDENTIAL_API_KEY:
		return put_key(k, c, rq);
	case CREDENTIAL_BASIC:
		return put_basic(k, c, rq);
	case CREDENTIAL_CERTIFICATE:
		rq->client_cert_id = credential_text(&c->c, "certificate");
		return REASON_NONE;
	case CREDENTIAL_AWS:
		return sign_aws(k, c, rq);
	case CREDENTIAL_MESSAGE:
		return sign_message(k, c, rq);
	case CREDENTIAL_HMAC:
		return sign_hmac(k, c, rq);
	default:
		return put_token(k, c, need, rq);
	}
}
