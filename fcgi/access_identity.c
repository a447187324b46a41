/* access_identity.c - what the backend learns of the caller: header fields, and a short-lived token that the gateway signs.
 *
 * A backend may trust these fields because no client can set them: X-Consumer-* is taken out of every call to every API, and
 * the other fields of an API's rules out of the calls to that API, before anything else looks at them. */
#include "core/clock.h"
#include "core/crypto.h"
#include "core/log.h"
#include "core/str.h"
#include "core/uri.h"
#include "fcgi/access_flow.h"
#include "fcgi/auth_server.h"

enum { GROUPS_MAX_BYTES = 8192, JTI_BYTES = 16 };

static const struct str own_prefix = STR_INIT("X-Consumer-");

void access_drop_identity(struct fields *h)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->n; i++) {
		struct str n = h->v[i].name;

		/* a CGI variable may have been X_Consumer_Id: fcgi/fields_util.h has made it a dash already */
		if (n.n > own_prefix.n && (n.p[0] | 0x20) == 'x' && str_starts_ci(n, own_prefix))
			continue;
		h->v[kept++] = h->v[i];
	}
	h->n = kept;
}

/* ---- values ------------------------------------------------------------------------------------------------------------------------ */

static struct str user_groups(struct access_flow *f)
{
	const struct ctx_user *u = f->who.user;
	struct str out;
	struct buf b;

	if (f->who.groups.n || !u)
		return f->who.groups;
	buf_init(&b, GROUPS_MAX_BYTES);
	for (size_t i = 0; i < u->n_groups; i++) {
		buf_cstr(&b, i ? "," : "");
		buf_str(&b, u->groups[i].id);
	}
	out = b.n && buf_ok(&b) ? arena_dup(access_arena(f), buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return out;
}

static struct str first_of(struct str a, struct str b, struct str c, struct str d)
{
	return a.n ? a : b.n ? b : c.n ? c : d;
}

static struct str user_name(const struct principal *w)
{
	return w->username.n ? w->username : w->user ? w->user->email : w->subscription ? w->subscription->name : STR_NULL;
}

static struct str value_of(struct access_flow *f, struct str source)
{
	const struct principal *w = &f->who;

	if (str_starts(source, STR("claim:")))
		return access_claim_text(access_arena(f), access_claim_of(w->claims, str_from(source, 6)), ',');
	switch (source.p[0]) {
	case 'i':
		if (str_eq(source, STR("issuer")))
			return w->issuer;
		/* the application, else the owner of the subscription, else what the credential says */
		return first_of(w->application, w->user ? w->user->id : STR_NULL, w->id,
				w->subscription ? w->subscription->id : STR_NULL);
	case 'u':
		return user_name(w);
	case 'g':
		return user_groups(f);
	case 'a':
		return w->application;
	case 'c':
		return w->client;
	case 's':
		return str_eq(source, STR("scope")) ? w->scope : w->subscription ? w->subscription->id : STR_NULL;
	case 'p':
		return w->product ? w->product->ctx.id : STR_NULL;
	default:
		return str_of(w->method);
	}
}

/* A field holds no control character: a value that does is sent percent-encoded. */
static bool add_field(struct access_flow *f, struct fields *to, struct str name, struct str value)
{
	if (!value.n)
		return true;
	if (!field_value_ok(value))
		value = uri_encode(access_arena(f), value, URI_KEEP_UNRESERVED);
	return value.p && fields_add(to, name, value);       /* copies of the client have been dropped */
}

/* ---- the token ------------------------------------------------------------------------------------------------------------------------ */

static bool put_text(json_t *to, const char *name, struct str value)
{
	return !value.n || !json_object_set_new(to, name, json_stringn(value.p, value.n));
}

static json_t *claims_of(struct access_flow *f, const struct snap_rule *r)
{
	const struct principal *w = &f->who;
	json_t *c = jsn_keep(access_arena(f), json_object());
	struct str id = value_of(f, STR("id"));
	bool ok = c && put_text(c, "sub", id.n ? id : STR("anonymous")) && put_text(c, "aud", r->token_audience)
		  && put_text(c, "azp", w->client) && put_text(c, "application", w->application)
		  && put_text(c, "preferred_username", user_name(w)) && put_text(c, "groups", user_groups(f))
		  && put_text(c, "scope", w->scope) && put_text(c, "api", f->api->ctx.id)
		  && put_text(c, "subscription", w->subscription ? w->subscription->id : STR_NULL)
		  && put_text(c, "product", w->product ? w->product->ctx.id : STR_NULL) && put_text(c, "amr", str_of(w->method));

	for (size_t i = 0; ok && i < r->token_claims.n; i++) {
		json_t *v = access_claim_of(w->claims, r->token_claims.v[i]);

		if (v && !jsn_get_n(c, r->token_claims.v[i]))
			ok = !json_object_setn_nocheck(c, r->token_claims.v[i].p, r->token_claims.v[i].n, v);
	}
	return ok ? c : NULL;
}

static struct str issuer_of(struct access_flow *f)
{
	const struct url *u = &f->k->x.request.original_url;

	return auth_issuer(f->k, STR("/-/identity"), u);
}

static struct str sign(struct access_flow *f, const struct snap_rule *r, const struct snap_auth_key *key, json_t *claims)
{
	int64_t now = access_now_us(f) / 1000000;
	uint8_t random[JTI_BYTES];
	struct str token = STR_NULL, jti;
	struct gh_err err;

	worker_random(f->k->wk, random, sizeof(random));
	jti = crypto_hex(access_arena(f), (struct str){ (char *)random, sizeof(random) });
	if (!put_text(claims, "iss", issuer_of(f)) || !put_text(claims, "jti", jti)
	    || json_object_set_new(claims, "iat", json_integer(now)) || json_object_set_new(claims, "nbf", json_integer(now))
	    || json_object_set_new(claims, "exp", json_integer(now + r->token_life_s)))
		return STR_NULL;
	if (jose_sign(access_arena(f), key->keys, key->id, key->alg, claims, &token, &err).code) {
		log_error("an identity could not be signed", KV_CSTR("error", err.message));
		return STR_NULL;
	}
	return token;
}

/* Signing takes longer than everything else that is done for a call, so the same identity is signed anew only when half of
 * its token's life is over. */
static struct str token_of(struct access_flow *f, const struct snap_rule *r)
{
	const struct snap_auth_key *key = auth_key_now(&f->snapshot->auth_keys[AUTH_IDENTITY], access_now_us(f));
	json_t *claims = key ? claims_of(f, r) : NULL;
	struct str text = claims ? jsn_text(access_arena(f), claims, JSN_SORTED) : STR_NULL, token;
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct note_entry *n;
	struct lru_entry *l;

	text = text.p ? arena_printf(access_arena(f), "%.*s %lld %.*s %.*s", STR_ARG(key->id), (long long)r->token_life_s,
				     STR_ARG(issuer_of(f)), STR_ARG(text)) : STR_NULL;
	if (!text.p)
		return STR_NULL;
	crypto_sha256(text, digest);
	l = lru_get(&f->memory->identities, digest);
	if (l) {
		n = CONTAINER_OF(l, struct note_entry, lru);
		token = access_now_us(f) < n->until_us ? arena_dup(access_arena(f), n->text) : STR_NULL;
		lru_unref(l);
		if (token.n)
			return token;
	}
	token = sign(f, r, key, claims);
	n = token.n ? note_entry_new(digest, token) : NULL;
	if (n) {
		n->until_us = access_now_us(f) + r->token_life_s * 500000;
		lru_put(&f->memory->identities, &n->lru);
		lru_unref(&n->lru);
	}
	return token;
}

/* ---- what goes out ---------------------------------------------------------------------------------------------------------------------- */

/* The credentials that let the call in are the gateway's business, not the backend's. */
static void drop_credentials(struct access_flow *f, struct fields *h)
{
	static const struct { enum access_kind kind; const char *names[4]; } table[] = {
		{ ACCESS_CLIENT, { "Client-Id", "Client-Secret", "client_id", "client_secret" } },
		{ ACCESS_BASIC, { "Authorization" } },
		{ ACCESS_HMAC, { "Signature", "Signature-Input" } },
		{ ACCESS_SIGV4, { "Authorization", "X-Amz-Security-Token" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		for (size_t n = 0; (f->used & 1u << table[i].kind) && n < ARRAY_LEN(table[i].names) && table[i].names[n]; n++)
			fields_remove(h, str_of(table[i].names[n]));
	if (f->tokens) {
		f->k->caller_token = fields_get(h, f->tokens->header);   /* for a credential that acts on the caller's behalf */
		fields_remove(h, f->tokens->header);
	}
	if ((f->used & 1u << ACCESS_CLIENT) && str_starts_ci(fields_get(h, STR("Authorization")), STR("Basic "))
	    && !str_is_null(f->who.client))
		fields_remove(h, STR("Authorization"));
}

static void drop_copies(struct access_flow *f, struct fields *h)
{
	for (size_t r = 0; r < f->n_rules; r++) {
		for (size_t i = 0; i < f->rules[r]->n_headers; i++)
			if (!str_starts_ci(f->rules[r]->headers[i].name, own_prefix))        /* those are out already */
				fields_remove(h, f->rules[r]->headers[i].name);
		if (f->rules[r]->token_header.n)
			fields_remove(h, f->rules[r]->token_header);
	}
}

void access_fill_gate(const struct access_flow *f, struct access *a)
{
	const struct principal *w = &f->who;

	*a = (struct access){ .result = w->subscription ? ACCESS_GRANTED : ACCESS_OPEN, .product = w->product,
			      .subscription = w->subscription, .user = w->user, .application = w->application,
			      .key_prefix = w->key_prefix, .subscription_id = w->subscription_id };
}

bool access_tell_backend(struct access_flow *f)
{
	const struct snap_rule *r = f->granted;
	struct fields *h = &f->k->x.request.headers;
	struct str token;

	if (!r->keep_credentials)
		drop_credentials(f, h);
	drop_copies(f, h);
	if (!r->identity)
		return true;
	for (size_t i = 0; i < r->n_headers; i++)
		if (!add_field(f, h, r->headers[i].name, value_of(f, r->headers[i].source)))
			return false;
	if (!r->token_header.n)
		return true;
	token = token_of(f, r);
	return token.n && fields_set(h, r->token_header, token);
}
