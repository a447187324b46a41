/* access_introspect.c - tokens that only their issuer can read: OAuth 2.0 introspection (RFC 7662).
 *
 * Answers are remembered by the digest of endpoint and token: active ones for the time that the rule gives but not beyond
 * their exp, others for a shorter time, so that a wrong token that comes again and again does not flood the issuer. */
#include "core/crypto.h"
#include "core/str.h"
#include "core/uri.h"
#include "fcgi/access_flow.h"

enum {
	TIMEOUT_MS = 5000,
	ANSWER_MAX = 262144,
	INACTIVE_S = 10,             /* for which an inactive token is remembered */
	TOKEN_MAX = 16384,
	SHOWN_MAX = 200,
};

struct introspection {
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct subrequest call;
};

static enum verdict judge(struct access_flow *f, const struct snap_method *m, struct token_entry *e)
{
	struct str iss = jsn_str(e->claims, "iss");
	int64_t exp = jsn_int(e->claims, "exp", 0);

	if (!e->claims)
		return access_refuse(f, REASON_TOKEN_INACTIVE, "active", STR("true"), STR("false"));
	if (exp && access_now_us(f) / 1000000 >= exp)
		return access_refuse(f, REASON_TOKEN_EXPIRED, "exp", STR("a later time"), STR("it has passed"));
	if (m->issuer.n && iss.n && !str_eq(iss, m->issuer))
		return access_refuse(f, REASON_TOKEN_ISSUER, "issuer", m->issuer, str_first(iss, SHOWN_MAX));
	f->who.token = e;
	return access_take_claims(f, m, e->claims);
}

static enum verdict unavailable(struct access_flow *f, const struct snap_method *m, struct str what)
{
	return access_refuse(f, REASON_ISSUER_UNAVAILABLE, "introspection", m->endpoint, str_first(what, SHOWN_MAX));
}

static enum verdict take_answer(struct access_flow *f, const struct snap_method *m, struct introspection *i)
{
	const struct jsn_limits limits = { .max_bytes = ANSWER_MAX, .max_depth = JOSE_MAX_DEPTH, .flags = JSN_BIG_INTEGERS };
	int64_t now = access_now_us(f), life_s = m->cache_s, exp;
	struct token_entry *e;
	struct gh_err err;
	json_t *v;

	if (i->call.failure != CALL_OK)
		return unavailable(f, m, i->call.failure_text);
	if (i->call.response.status != 200)
		return unavailable(f, m, arena_printf(access_arena(f), "status %d", i->call.response.status));
	if (jsn_parse_in(access_arena(f), i->call.response.body.bytes, &limits, &v, NULL, &err).code
	    || !json_is_boolean(jsn_get(v, "active")))
		return unavailable(f, m, STR("an answer without \"active\""));
	e = token_entry_new(i->digest, jsn_bool(v, "active", false) ? v : NULL);
	if (!e || !arena_defer(access_arena(f), token_entry_unref, e)) {
		if (e)
			token_entry_unref(e);
		return V_NO_MEMORY;
	}
	exp = jsn_int(v, "exp", 0);
	if (!e->claims && life_s > INACTIVE_S)
		life_s = INACTIVE_S;
	e->until_us = now + life_s * 1000000;
	if (exp > 0 && exp < e->until_us / 1000000)
		e->until_us = exp * 1000000;
	if (life_s)
		lru_put(&f->memory->answers, &e->lru);
	return judge(f, m, e);
}

/* The client that asks, as RFC 6749 section 2.3.1 wants it: both parts form-encoded, then Basic. */
static bool add_credentials(struct access_flow *f, const struct snap_method *m, struct fields *headers)
{
	struct arena *a = access_arena(f);
	struct str id = uri_encode(a, m->client_id, URI_KEEP_UNRESERVED), secret = uri_encode(a, m->client_secret, URI_KEEP_UNRESERVED);
	struct str pair = arena_printf(a, "%.*s:%.*s", STR_ARG(id), STR_ARG(secret));
	struct str value = pair.p ? crypto_base64(a, pair) : STR_NULL;

	value = value.p ? arena_printf(a, "Basic %.*s", STR_ARG(value)) : STR_NULL;
	return value.p && fields_add(headers, STR("Authorization"), value);
}

static enum verdict ask(struct access_flow *f, const struct snap_method *m, struct str token, struct introspection *i)
{
	struct arena *a = access_arena(f);
	struct request *rq = &i->call.request;
	struct str encoded = uri_encode(a, token, URI_KEEP_UNRESERVED);

	i->call.timeout_ms = TIMEOUT_MS;
	i->call.max_response_bytes = ANSWER_MAX;
	rq->method = STR("POST");
	rq->body = (struct body){ .kind = BODY_HELD,
				  .bytes = arena_printf(a, "token=%.*s&token_type_hint=access_token", STR_ARG(encoded)) };
	fields_init(&rq->headers, a);
	if (!encoded.p || !rq->body.bytes.p || !url_parse(m->endpoint, &rq->url)
	    || !fields_add(&rq->headers, STR("Content-Type"), STR("application/x-www-form-urlencoded"))
	    || !fields_add(&rq->headers, STR("Accept"), STR("application/json"))
	    || (m->client_id.n && !add_credentials(f, m, &rq->headers)))
		return V_NO_MEMORY;
	f->phase = 1;
	if (f->k->x.host->send(&f->k->x, &i->call) == STEP_FAIL)
		return V_NO_MEMORY;
	return i->call.done ? take_answer(f, m, i) : V_WAIT;
}

enum verdict access_by_introspection(struct access_flow *f, const struct snap_method *m)
{
	struct introspection *i = f->state;
	struct token_entry *e;
	struct lru_entry *l;
	struct str token, both;

	if (i)
		return i->call.done ? take_answer(f, m, i) : V_WAIT;
	token = access_token_text(f, m);
	if (!token.n)
		return access_refuse(f, REASON_TOKEN_MISSING, "token", m->header, STR("none"));
	if (token.n > TOKEN_MAX)
		return access_refuse(f, REASON_TOKEN_TOO_LARGE, "size", STR("at most 16384 bytes"), STR("more"));
	both = arena_printf(access_arena(f), "%.*s\n%.*s", STR_ARG(m->endpoint), STR_ARG(token));
	f->state = i = arena_new_of(access_arena(f), struct introspection);
	if (!i || !both.p)
		return V_NO_MEMORY;
	crypto_sha256(both, i->digest);
	l = lru_get(&f->memory->answers, i->digest);
	if (!l)
		return ask(f, m, token, i);
	e = CONTAINER_OF(l, struct token_entry, lru);
	if (!arena_defer(access_arena(f), token_entry_unref, e)) {
		token_entry_unref(e);
		return V_NO_MEMORY;
	}
	return access_now_us(f) < e->until_us ? judge(f, m, e) : ask(f, m, token, i);
}
