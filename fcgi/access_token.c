/* access_token.c - signed tokens (RFC 7519), of any issuer or of this installation.
 *
 * A token that was verified is remembered by its digest, with its claims, until it expires; times, audience, scopes and
 * claims are looked at with each call, the signature only once. It is verified again when the issuer's keys were fetched
 * anew (a key may have been withdrawn) and when the rule names other keys: those are part of the digest. For own tokens the store is asked once for each
 * of its generations whether the token was taken back. */
#include "core/clock.h"
#include "core/crypto.h"
#include "core/str.h"
#include "fcgi/access_flow.h"
#include "policy/elements/token_compared.h"

#include <stdio.h>

enum { SHOWN_MAX = 200 };
/* Keys that everybody can read must not be taken for secrets. */
#define SECRET_ALGS (JOSE_BIT(JOSE_HS256) | JOSE_BIT(JOSE_HS384) | JOSE_BIT(JOSE_HS512))

enum phase { PHASE_BEGIN, PHASE_KEYS, PHASE_RENEW };

struct token_check {
	struct str text;
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct openid_state provider;
	struct jose_token token;
	struct token_entry *known;           /* from the memory; held until the exchange ends */
};

/* ---- in the words of the record ------------------------------------------------------------------------------------------------ */

static struct str time_text(struct access_flow *f, const json_t *v)
{
	char text[CLOCK_ISO_MAX];
	double t = json_number_value(v);

	if (!json_is_number(v) || !(t >= 0 && t < 1e11))
		return STR("no time");
	return arena_dup(access_arena(f), str_of(clock_iso((int64_t)t * 1000000, 0, text)));
}

static struct str now_text(struct access_flow *f, int64_t shift_s, const char *what)
{
	char text[CLOCK_ISO_MAX];

	return arena_printf(access_arena(f), "%s %s", what, clock_iso(access_now_us(f) + shift_s * 1000000, 0, text));
}

static enum verdict refuse_time(struct access_flow *f, const struct snap_method *m, const json_t *claims, enum jose_reason r)
{
	switch (r) {
	case JOSE_NO_EXPIRY:
		return access_refuse(f, REASON_TOKEN_NO_EXPIRY, "exp", STR("an end"), STR("none"));
	case JOSE_EXPIRED:
		return access_refuse(f, REASON_TOKEN_EXPIRED, "exp", now_text(f, -m->leeway_s, "later than"),
				     time_text(f, jsn_get(claims, "exp")));
	case JOSE_NOT_YET:
		return access_refuse(f, REASON_TOKEN_NOT_YET, "nbf", now_text(f, m->leeway_s, "not later than"),
				     time_text(f, jsn_get(claims, "nbf")));
	default:
		return access_refuse(f, REASON_TOKEN_MALFORMED, "times", STR("numbers of seconds"), STR("something else"));
	}
}

static enum verdict refuse_signature(struct access_flow *f, const struct snap_method *m, const struct token_check *t,
				     enum jose_reason r)
{
	static const enum reason reasons[JOSE_REASON__COUNT] = {
		[JOSE_TOO_LARGE] = REASON_TOKEN_TOO_LARGE, [JOSE_CRITICAL] = REASON_TOKEN_CRITICAL,
		[JOSE_ALG_NOT_ALLOWED] = REASON_TOKEN_ALGORITHM, [JOSE_UNSIGNED] = REASON_TOKEN_UNSIGNED,
		[JOSE_KEY_NOT_FOUND] = REASON_TOKEN_KEY_UNKNOWN, [JOSE_SIGNATURE] = REASON_TOKEN_SIGNATURE,
		[JOSE_DECRYPTION] = REASON_TOKEN_DECRYPTION, [JOSE_MEMORY] = REASON_NO_MEMORY,
	};
	struct str keys = m->own ? STR("this installation") : str_first(m->issuer, SHOWN_MAX);
	struct token_compared was = token_compared_signature(access_arena(f), r, &t->token, keys, t->text.n);

	f->why.kid = str_first(was.kid, SHOWN_MAX);
	return access_refuse(f, reasons[r] ? reasons[r] : REASON_TOKEN_MALFORMED, was.check, was.expected, was.got);
}

/* ---- claims ---------------------------------------------------------------------------------------------------------------------- */

/* A token for this installation is not bound to the name under which it was asked for. */
static enum verdict check_issuer(struct access_flow *f, const struct snap_method *m, const json_t *claims)
{
	struct str iss = jsn_str(claims, "iss"), want = m->own ? f->k->wk->limits.oauth_issuer : m->issuer;

	if (!want.n || str_eq(iss, want))
		return V_PASS;
	/* discovery forgives a slash at the end, and so do many configurations */
	if (iss.n && (str_eq(iss.p[iss.n - 1] == '/' ? str_first(iss, iss.n - 1) : iss,
			     want.p[want.n - 1] == '/' ? str_first(want, want.n - 1) : want)))
		return V_PASS;
	return access_refuse(f, REASON_TOKEN_ISSUER, "issuer", want, iss.n ? str_first(iss, SHOWN_MAX) : STR("none"));
}

static enum verdict check_type(struct access_flow *f, const struct snap_method *m, const json_t *header)
{
	struct str want = m->own ? STR("at+jwt") : m->type, typ = jsn_str(header, "typ"), plain = typ;

	if (str_starts_ci(typ, STR("application/")))
		plain = str_from(typ, 12);
	if (!want.n || str_eq_ci(plain, want) || str_eq_ci(typ, want))
		return V_PASS;
	return access_refuse(f, REASON_TOKEN_TYPE, "typ", want, typ.n ? str_first(typ, SHOWN_MAX) : STR("none"));
}

static enum verdict check_times(struct access_flow *f, const struct snap_method *m, const json_t *claims)
{
	const struct jose_claim_rules rules = { .now_s = access_now_us(f) / 1000000, .skew_s = m->leeway_s, .require_expiry = true };
	enum jose_reason r = jose_check_claims(claims, &rules);

	return r ? refuse_time(f, m, claims, r) : V_PASS;
}

/* Asked once for each generation of the store: whatever takes a token back raises it. */
static enum verdict check_revoked(struct access_flow *f, struct token_entry *e)
{
	uint64_t generation = access_cache_generation(f->cache);
	struct str jti = jsn_str(e->claims, "jti");
	struct gh_err err = { 0 };
	bool revoked;

	if (e->generation == generation)
		return V_PASS;
	if (store_token_revoked(access_cache_store(f->cache), jti, &revoked, &err).code)
		return access_refuse(f, REASON_STORE_UNAVAILABLE, "revocation", STR("a store that can be read"), STR("none"));
	if (revoked)
		return access_refuse(f, REASON_TOKEN_REVOKED, "jti", STR("a token that stands"), str_first(jti, SHOWN_MAX));
	e->generation = generation;
	return V_PASS;
}

static enum verdict take(struct access_flow *f, const struct snap_method *m, struct token_entry *e)
{
	enum verdict v = check_times(f, m, e->claims);

	f->why.kid = str_of(e->kid);         /* the entry is held until the exchange ends */
	if (v == V_PASS && m->own)
		v = check_revoked(f, e);
	if (v != V_PASS)
		return v;
	f->who.token = e;
	return access_take_claims(f, m, e->claims);
}

/* ---- what was found, for the next call ---------------------------------------------------------------------------------------------- */

/* All that is asked of this token: its times, the keys of its issuer, what the method and the operation want. Not of our own ones,
 * which can be taken back. */
static void note_pass(struct access_flow *f, const struct snap_method *m, const struct token_check *t, struct token_entry *e)
{
	const struct jose_claim_rules rules = { .skew_s = m->leeway_s };
	int64_t now = access_now_us(f), until_us;
	struct token_said said;

	e->passed.method = 0;
	if (!m->number || (m->discovery.n && !t->provider.keys))
		return;
	jose_claim_window(e->claims, &rules, &e->passed.from_us, &e->passed.until_us);
	e->passed.from_us *= 1000000;
	e->passed.until_us *= 1000000;
	e->passed.issuers = 0;
	if (m->discovery.n) {
		until_us = openid_settled(&t->provider, now, &e->passed.issuers);
		if (until_us < e->passed.until_us)
			e->passed.until_us = until_us;
	}
	access_said(access_arena(f), m, e->claims, &said);
	if (now >= e->passed.until_us || !token_entry_keep(e, &said))
		return;
	e->passed.demand = f->demand;
	e->passed.method = m->number;
}

static bool has_passed(const struct access_flow *f, const struct snap_method *m, const struct token_entry *e)
{
	int64_t now = access_now_us(f);

	return m->number && e->passed.method == m->number && e->passed.demand == f->demand && e->passed.from_us <= now
	       && now < e->passed.until_us && (!e->passed.issuers || e->passed.issuers == openid_version());
}

/* ---- the first time ---------------------------------------------------------------------------------------------------------------- */

static enum verdict remember(struct access_flow *f, const struct snap_method *m, struct token_check *t)
{
	struct token_entry *e = token_entry_new(t->digest, t->token.claims);
	enum verdict v;

	if (!e)
		return V_NO_MEMORY;
	if (!arena_defer(access_arena(f), token_entry_unref, e)) {
		token_entry_unref(e);
		return V_NO_MEMORY;
	}
	e->keys = m->discovery.n ? jose_keys_id(t->provider.keys) : 0;
	e->generation = UINT64_MAX;
	snprintf(e->kid, sizeof(e->kid), "%.*s", STR_ARG(str_first(t->token.kid, sizeof(e->kid) - 1)));
	v = take(f, m, e);
	if (v == V_PASS || f->why.reason == REASON_TOKEN_SCOPE || f->why.reason == REASON_TOKEN_CLAIM
	    || f->why.reason == REASON_TOKEN_AUDIENCE || f->why.reason == REASON_SUBSCRIPTION_NONE)
		lru_put(&f->memory->tokens, &e->lru);
	if (v == V_PASS)
		note_pass(f, m, t, e);
	return v;
}

/* STEP_NEXT: *keys is set, or the refusal is noted. */
static enum verdict get_keys(struct access_flow *f, const struct snap_method *m, struct token_check *t, const struct jose_keys **keys)
{
	enum step step;

	*keys = m->own ? f->snapshot->auth_keys[AUTH_TOKEN].verify : m->keys;
	if (m->own || m->keys)
		return V_PASS;
	t->provider.fetched.url = m->discovery;
	step = openid_step(&f->k->x, &t->provider);
	if (step == STEP_WAIT)
		return V_WAIT;
	if (step == STEP_FAIL)
		return V_NO_MEMORY;
	*keys = t->provider.keys;
	if (*keys)
		return V_PASS;
	return access_refuse(f, REASON_ISSUER_UNAVAILABLE, "keys", m->discovery, str_first(t->provider.fetched.why, SHOWN_MAX));
}

static enum verdict verify(struct access_flow *f, const struct snap_method *m, struct token_check *t)
{
	struct jose_rules rules = { .algs = m->algs, .decryption_keys = m->decrypt };
	enum jose_reason r;
	enum verdict v = get_keys(f, m, t, &rules.keys);

	if (v != V_PASS)
		return v;
	if (!m->keys)
		rules.algs = (rules.algs ? rules.algs : JOSE_ALL_ALGS) & ~SECRET_ALGS;
	r = jose_verify(access_arena(f), t->text, &rules, &t->token);
	if (!r && m->own && !auth_key_known(&f->snapshot->auth_keys[AUTH_TOKEN], t->token.kid, access_now_us(f)))
		r = JOSE_KEY_NOT_FOUND;      /* its time is over */
	if (r == JOSE_KEY_NOT_FOUND && m->discovery.n && f->phase == PHASE_KEYS) {
		f->phase = PHASE_RENEW;      /* the issuer may have a new key */
		t->provider = (struct openid_state){ .fetched.renew = true };
		return verify(f, m, t);
	}
	if (r)
		return refuse_signature(f, m, t, r);
	v = check_type(f, m, t->token.header);
	if (v == V_PASS)
		v = check_issuer(f, m, t->token.claims);
	return v == V_PASS ? remember(f, m, t) : v;
}

/* What an unverified token says is looked at only to refuse it: a token of somebody else must not make us ask its issuer. */
static enum verdict begin(struct access_flow *f, const struct snap_method *m, struct token_check *t)
{
	struct jose_token token;
	enum jose_reason r;
	enum verdict v;
	size_t dots = 0;

	if (t->text.n > JOSE_MAX_TOKEN_BYTES)
		return refuse_signature(f, m, t, JOSE_TOO_LARGE);
	for (size_t i = 0; i < t->text.n; i++)
		dots += t->text.p[i] == '.';
	if (dots == 4 && !m->decrypt)
		return refuse_signature(f, m, t, JOSE_DECRYPTION);
	if (dots != 4) {                     /* an encrypted one says nothing yet */
		r = jose_decode(access_arena(f), t->text, &token);
		t->token = token;
		if (r)
			return refuse_signature(f, m, t, r);
		f->why.kid = str_first(token.kid, SHOWN_MAX);
		v = check_issuer(f, m, token.claims);
		if (v != V_PASS)
			return v;
	}
	f->phase = PHASE_KEYS;
	return verify(f, m, t);
}

static enum verdict take_known(struct access_flow *f, const struct snap_method *m, struct token_check *t)
{
	enum verdict v = take(f, m, t->known);

	if (v == V_PASS)
		note_pass(f, m, t, t->known);
	return v;
}

/* One that is remembered: its issuer was asked before, so asking for the keys again is no harm. */
static enum verdict known(struct access_flow *f, const struct snap_method *m, struct token_check *t)
{
	const struct jose_keys *keys;
	enum verdict v;

	f->phase = PHASE_KEYS;
	if (m->discovery.n) {
		v = get_keys(f, m, t, &keys);
		if (v != V_PASS)
			return v;
		if (jose_keys_id(keys) == t->known->keys)
			return take_known(f, m, t);
	} else if (!m->own || auth_key_known(&f->snapshot->auth_keys[AUTH_TOKEN], str_of(t->known->kid), access_now_us(f))) {
		return take_known(f, m, t);
	}
	t->known = NULL;
	return begin(f, m, t);
}

/* Of the token together with all that the rule asks of it once: its name, which has zeros behind it, and half of the rule's digest. */
static void digest_of(const struct snap_method *m, struct token_check *t)
{
	enum { NAME_BYTES = LRU_DIGEST_BYTES / 2 };

	crypto_name(t->text, t->digest);
	memcpy(t->digest + NAME_BYTES, m->verifier, NAME_BYTES);
}

enum verdict access_by_jwt(struct access_flow *f, const struct snap_method *m)
{
	struct token_check *t = f->state;
	struct lru_entry *l;

	if (t)
		return t->known ? known(f, m, t) : verify(f, m, t);
	f->state = t = arena_new_of(access_arena(f), struct token_check);
	if (!t)
		return V_NO_MEMORY;
	t->text = access_token_text(f, m);
	if (!t->text.n)
		return access_refuse(f, REASON_TOKEN_MISSING, "token", m->header, STR("none"));
	digest_of(m, t);
	l = lru_get(&f->memory->tokens, t->digest);
	if (!l)
		return begin(f, m, t);
	if (!arena_defer(access_arena(f), lru_unref, l)) {
		lru_unref(l);
		return V_NO_MEMORY;
	}
	t->known = CONTAINER_OF(l, struct token_entry, lru);
	if (!has_passed(f, m, t->known))
		return known(f, m, t);
	f->why.kid = str_of(t->known->kid);
	f->who.token = t->known;
	return access_take_said(f, m, t->known->claims, &t->known->said);
}

/* ---- tokens of our own, where no rule is ------------------------------------------------------------------------------------------- */

static struct str own_client[] = { STR_INIT("client_id") };
static const struct snap_method own_method = {
	.kind = ACCESS_JWT, .own = true, .subscription = SUBSCRIPTION_REQUIRED, .header = STR_INIT("Authorization"),
	.scheme = STR_INIT("Bearer"), .names = { .client = { own_client, 1 } },
};
static const struct snap_group own_group = { &own_method, 1 };
static const struct snap_rule own_rule = { .groups = &own_group, .n_groups = 1 };
const struct snap_rule *const own_token_rule = &own_rule;

/* The header alone, which anybody may write: a backend may want tokens of others, and those are left alone. */
bool access_shows_own_token(const struct call *k, const struct snapshot *s)
{
	const struct access_flow f = { .k = (struct call *)(uintptr_t)k };
	struct str token, header;
	json_t *v;

	if (!s->auth_keys[AUTH_TOKEN].n || !k->wk->serving->memory)
		return false;
	token = access_token_text(&f, &own_method);
	if (!str_starts(token, STR("eyJ")) || token.n > JOSE_MAX_TOKEN_BYTES
	    || !crypto_base64url_decode(k->arena, str_first(token, str_find_char(token, '.')), &header))
		return false;
	return !jsn_parse_in(k->arena, header, NULL, &v, NULL, NULL).code
	       && auth_key_known(&s->auth_keys[AUTH_TOKEN], jsn_str(v, "kid"), INT64_MIN);
}
