/* auth_token.c - access tokens of our own: made, asked about, taken back. */
#include "fcgi/auth_server_impl.h"

#include "core/crypto.h"
#include "core/json.h"
#include "core/log.h"
#include "core/str.h"

enum { SCOPE_MAX = 4096, JTI_BYTES = 16 };

/* ---- scopes ------------------------------------------------------------------------------------------------------------------------- */

static bool listed(struct str list, struct str word)
{
	struct str part;

	while (str_split(&list, ' ', &part))
		if (part.n && str_eq(part, word))
			return true;
	return false;
}

/* Products with a subscription that stands now. *others: the application may also call without a product. */
static struct str granted_scope(struct call *k, const struct caller_entry *c, bool *others)
{
	struct str out;
	struct buf b;

	*others = false;
	buf_init(&b, SCOPE_MAX);
	for (size_t i = 0; i < c->n_subscriptions; i++) {
		const struct key_entry *e = c->subscriptions[i];

		if (access_standing(e, k->x.started_us) != ACCESS_GRANTED)
			continue;
		if (!e->product_id.n) {
			*others = true;
		} else if (!listed(buf_view(&b), e->product_id)) {
			buf_cstr(&b, b.n ? " " : "");
			buf_str(&b, e->product_id);
		}
	}
	out = buf_ok(&b) ? arena_dup(k->arena, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return out;
}

static bool all_granted(struct str asked, struct str granted)
{
	struct str part;

	while (str_split(&asked, ' ', &part))
		if (part.n && !listed(granted, part))
			return false;
	return true;
}

/* ---- making one ------------------------------------------------------------------------------------------------------------------------ */

static struct str sign(struct call *k, const struct snap_auth_key *key, const struct caller_entry *c, struct str scope,
		       int64_t life_s)
{
	struct str iss = auth_issuer(k, STR("/-/oauth2"), &k->x.request.original_url);
	struct str aud = auth_issuer(k, STR(""), &k->x.request.original_url), out = STR_NULL, jti;
	int64_t now = k->x.started_us / 1000000;
	uint8_t random[JTI_BYTES];
	struct gh_err err = { 0 };
	json_t *claims, *header;

	worker_random(k->wk, random, sizeof(random));
	jti = crypto_hex(k->arena, (struct str){ (char *)random, sizeof(random) });
	header = jsn_keep(k->arena, json_pack("{s:s}", "typ", "at+jwt"));
	claims = jsn_keep(k->arena, json_pack("{s:s%,s:s%,s:s%,s:s%,s:s%,s:s%,s:I,s:I,s:s%}", "iss", iss.p, iss.n, "sub", c->row.id.p,
					      c->row.id.n, "client_id", c->row.id.p, c->row.id.n, "aud", aud.p, aud.n, "scope",
					      scope.p ? scope.p : "", scope.n, "application", c->application.id.p ? c->application.id.p : "",
					      c->application.id.n, "iat", (json_int_t)now, "exp", (json_int_t)(now + life_s), "jti",
					      jti.p, jti.n));
	if (!header || !claims || jose_sign_with(k->arena, key->keys, key->id, key->alg, header, claims, &out, &err).code)
		log_error("an access token could not be signed", KV_CSTR("error", err.message));
	return out;
}

void auth_token(struct call *k, struct auth_request *r)
{
	const struct snap_auth_key *key = auth_key_now(&k->gate->snapshot->auth_keys[AUTH_TOKEN], k->x.started_us);
	int64_t life_s = k->wk->limits.token_life_s;
	struct str granted, scope, token;
	json_t *answer;
	bool others;

	if (!str_eq(r->form.grant_type, STR("client_credentials"))) {
		auth_error(k, r->form.grant_type.n ? "unsupported_grant_type" : "invalid_request", "grant_type must be client_credentials");
		return;
	}
	granted = granted_scope(k, r->client, &others);
	if (!granted.p) {
		call_refuse(k, REASON_NO_MEMORY);
		return;
	}
	scope = r->form.scope.n ? r->form.scope : granted;
	if ((!granted.n && !others) || !all_granted(scope, granted)) {
		auth_error(k, "invalid_scope", !granted.n && !others ? "The application has no active subscription"
								     : "The application is not subscribed to one of these products");
		return;
	}
	token = key ? sign(k, key, r->client, scope, life_s) : STR_NULL;
	if (!token.n) {
		auth_error(k, "temporarily_unavailable", "There is no signing key; make one with gatehouse auth-key rotate");
		return;
	}
	answer = jsn_keep(k->arena, json_pack("{s:s%,s:s,s:I,s:s%}", "access_token", token.p, token.n, "token_type", "Bearer",
					      "expires_in", (json_int_t)life_s, "scope", scope.p, scope.n));
	if (answer)
		auth_answer(k, 200, jsn_text(k->arena, answer, 0), false);
	else
		call_refuse(k, REASON_NO_MEMORY);
}

/* ---- reading one back --------------------------------------------------------------------------------------------------------------------- */

/* Claims of a token of our own whose signature is good; NULL: it is none. */
static json_t *own_claims(struct call *k, struct str token)
{
	const struct snap_auth_keys *keys = &k->gate->snapshot->auth_keys[AUTH_TOKEN];
	const struct jose_rules rules = { .keys = keys->verify };
	struct jose_token t;

	if (jose_verify(k->arena, token, &rules, &t) || !auth_key_known(keys, t.kid, k->x.started_us)
	    || !str_eq_ci(jsn_str(t.header, "typ"), STR("at+jwt")))
		return NULL;
	return t.claims;
}

void auth_introspect(struct call *k, struct auth_request *r)
{
	struct serving *s = k->wk->serving;
	json_t *claims = own_claims(k, r->form.token);
	struct caller_entry *c = NULL;
	struct gh_err err = { 0 };
	struct str text;
	bool revoked = false;

	if (claims && jsn_int(claims, "exp", 0) > k->x.started_us / 1000000) {
		if (store_token_revoked(access_cache_store(s->access), jsn_str(claims, "jti"), &revoked, &err).code) {
			auth_error(k, "temporarily_unavailable", "The store cannot be read at present");
			return;
		}
		c = revoked ? NULL : access_memory_caller(s->memory, s->access, k->gate->snapshot, STR("client"),
							  jsn_str(claims, "client_id"), &err);
	}
	if (!c || !c->known || c->row.state != STORE_CALLER_ACTIVE) {
		text = STR("{\"active\":false}");
	} else {
		json_object_set_new(claims, "active", json_true());
		json_object_set_new(claims, "token_type", json_string("Bearer"));
		text = jsn_text(k->arena, claims, 0);
	}
	if (c)
		lru_unref(&c->lru);
	auth_answer(k, 200, text, false);
}

void auth_revoke(struct call *k, struct auth_request *r)
{
	json_t *claims;

	if (r->job) {
		bool good = access_job_good(r->job);

		if (!access_job_done(r->job))
			return;
		access_job_drop(r->job);
		r->job = NULL;
		if (good)
			auth_answer(k, 200, STR("{}"), false);
		else
			auth_error(k, "temporarily_unavailable", "The token could not be taken back, try again");
		return;
	}
	if (!r->form.token.n) {
		auth_error(k, "invalid_request", "token is missing");
		return;
	}
	/* RFC 7009 section 2.2: what is no token of ours is as good as taken back */
	claims = own_claims(k, r->form.token);
	if (!claims || jsn_int(claims, "exp", 0) <= k->x.started_us / 1000000) {
		auth_answer(k, 200, STR("{}"), false);
		return;
	}
	if (!str_eq(jsn_str(claims, "client_id"), r->client->row.id)) {
		auth_error(k, "unauthorized_client", "The token was issued to another client");
		return;
	}
	r->job = access_job_revoke(k->wk->serving->memory->jobs, k, jsn_str(claims, "jti"), jsn_int(claims, "exp", 0) * 1000000);
	if (!r->job)
		auth_error(k, "temporarily_unavailable", "The token could not be taken back, try again");
}
