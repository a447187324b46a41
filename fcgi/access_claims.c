/* access_claims.c - what a token that is good says: audience, scopes, claims, and who its bearer is. */
#include "core/str.h"
#include "fcgi/access_flow.h"

enum { PATH_DEPTH_MAX = 8, SHOWN_MAX = 200, CLAIM_TEXT_MAX = 4096 };

/* ---- reading claims ---------------------------------------------------------------------------------------------------------- */

json_t *access_claim_of(const json_t *claims, struct str name)
{
	json_t *v = jsn_get_n(claims, name);
	const json_t *at = claims;
	struct str part;

	if (v || str_find_char(name, '.') == SIZE_MAX)
		return v;
	for (int depth = 0; depth < PATH_DEPTH_MAX && str_split(&name, '.', &part); depth++)
		at = v = jsn_get_n(at, part);
	return name.p ? NULL : v;
}

static void add_scalar(struct buf *b, const json_t *v)
{
	if (json_is_string(v))
		buf_str(b, jsn_string(v));
	else if (json_is_number(v) || json_is_boolean(v))
		jsn_write(b, v, 0);
}

struct str access_claim_text(struct arena *a, const json_t *v, char separator)
{
	struct str out;
	struct buf b;
	size_t i;
	json_t *one;

	if (!v)
		return STR_NULL;
	if (json_is_string(v))
		return jsn_string(v);
	buf_init(&b, CLAIM_TEXT_MAX);
	if (!json_is_array(v))
		add_scalar(&b, v);
	json_array_foreach((json_t *)(uintptr_t)v, i, one) {
		if (i)
			buf_char(&b, separator);
		add_scalar(&b, one);
	}
	out = b.n && buf_ok(&b) ? arena_dup(a, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return out;
}

/* Is one of the wanted values the claim, or in it? A text of several words counts as its words too, as scopes are written. */
static bool claim_has(const json_t *v, struct str wanted, bool words)
{
	struct str rest = jsn_string(v), part;
	size_t i;
	json_t *one;

	if (json_is_string(v)) {
		if (str_eq(rest, wanted))
			return true;
		while (words && str_split(&rest, ' ', &part))
			if (str_eq(part, wanted))
				return true;
		return false;
	}
	if (json_is_boolean(v))
		return str_eq(wanted, json_is_true(v) ? STR("true") : STR("false"));
	if (json_is_integer(v)) {
		int64_t n;

		return str_to_i64(wanted, INT64_MIN, INT64_MAX, &n) && n == json_integer_value(v);
	}
	json_array_foreach((json_t *)(uintptr_t)v, i, one)
		if (!json_is_array(one) && claim_has(one, wanted, false))
			return true;
	return false;
}

static struct str joined(struct arena *a, struct access_values v, const char *between)
{
	struct str out;
	struct buf b;

	buf_init(&b, CLAIM_TEXT_MAX);
	for (size_t i = 0; i < v.n; i++) {
		buf_cstr(&b, i ? between : "");
		buf_str(&b, v.v[i]);
	}
	out = buf_ok(&b) ? arena_dup(a, buf_view(&b)) : STR("many");
	buf_release(&b);
	return out;
}

static struct str shown(struct arena *a, const json_t *v)
{
	struct str s = access_claim_text(a, v, ' ');

	return s.n ? str_first(s, SHOWN_MAX) : v ? STR("no text") : STR("none");
}

/* ---- checks ------------------------------------------------------------------------------------------------------------------- */

static enum verdict check_audience(struct access_flow *f, const struct snap_method *m, const json_t *claims)
{
	const json_t *aud = jsn_get(claims, "aud");

	for (size_t i = 0; i < m->audiences.n; i++)
		if (claim_has(aud, m->audiences.v[i], false))
			return V_PASS;
	if (!m->audiences.n)
		return V_PASS;
	return access_refuse(f, REASON_TOKEN_AUDIENCE, "audience", joined(access_arena(f), m->audiences, " or "),
			     shown(access_arena(f), aud));
}

/* "scope" (RFC 8693, RFC 9068) or "scp", as a text or a list. */
static const json_t *scope_of(const json_t *claims)
{
	const json_t *v = jsn_get(claims, "scope");

	return v ? v : jsn_get(claims, "scp");
}

static enum verdict check_scopes(struct access_flow *f, struct access_values wanted, const json_t *claims)
{
	const json_t *scope = scope_of(claims);

	for (size_t i = 0; i < wanted.n; i++) {
		if (claim_has(scope, wanted.v[i], true))
			continue;
		f->why.scopes_needed = joined(access_arena(f), wanted, " ");
		f->why.scope = wanted.v[i];
		return access_refuse(f, REASON_TOKEN_SCOPE, "scope", f->why.scopes_needed, shown(access_arena(f), scope));
	}
	return V_PASS;
}

static enum verdict check_claims(struct access_flow *f, const struct access_claim *rules, size_t n, const json_t *claims)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *v = access_claim_of(claims, rules[i].name);
		bool fits = v && !rules[i].values.n;

		for (size_t k = 0; v && !fits && k < rules[i].values.n; k++)
			fits = claim_has(v, rules[i].values.v[k], false);
		if (!fits)
			return access_refuse(f, REASON_TOKEN_CLAIM,
					     arena_cstr(access_arena(f), arena_printf(access_arena(f), "claim %.*s",
										      STR_ARG(str_first(rules[i].name, 80)))),
					     rules[i].values.n ? joined(access_arena(f), rules[i].values, " or ") : STR("any value"),
					     shown(access_arena(f), v));
	}
	return V_PASS;
}

/* ---- who it is ------------------------------------------------------------------------------------------------------------------ */

static struct str first_text(struct arena *a, struct access_values names, const json_t *claims)
{
	for (size_t i = 0; i < names.n; i++) {
		struct str s = access_claim_text(a, access_claim_of(claims, names.v[i]), ',');

		if (s.n)
			return s;
	}
	return STR_NULL;
}

/* Most tokens are nobody's: that is looked up once for each token and state of the store. */
static bool known_as_nobody(const struct access_flow *f, const struct snap_method *m)
{
	const struct token_entry *e = f->who.token;

	return e && e->nobody == m && e->nobody_config == f->snapshot->generation
	       && e->nobody_access == access_cache_generation(f->cache);
}

static void note_nobody(struct access_flow *f, const struct snap_method *m)
{
	struct token_entry *e = f->who.token;

	if (!e)
		return;
	e->nobody = m;
	e->nobody_config = f->snapshot->generation;
	e->nobody_access = access_cache_generation(f->cache);
}

/* Own tokens name a registered client. Those of others are an application's when somebody has said so:
 * `gatehouse caller create token "ISSUER SUBJECT" --application ID`. A claim alone is no proof of being that client. */
static enum verdict find_caller(struct access_flow *f, const struct snap_method *m, const json_t *claims)
{
	struct caller_entry *c;

	if (m->own) {
		c = access_caller(f, "client", jsn_str(claims, "client_id"));
		if (!c)
			return V_REFUSED;
		return c->known ? access_take_caller(f, c)
				: access_refuse(f, REASON_TOKEN_REVOKED, "client", STR("a registered client"), jsn_str(claims, "client_id"));
	}
	if (known_as_nobody(f, m))
		return V_PASS;
	for (size_t i = 0; i < m->names.client.n; i++) {
		struct str v = jsn_string(access_claim_of(claims, m->names.client.v[i])), id;

		if (!v.n || m->issuer.n + v.n + 1 > STORE_CALLER_ID_MAX)
			continue;
		id = arena_printf(access_arena(f), "%.*s %.*s", STR_ARG(m->issuer), STR_ARG(v));
		if (!id.p)
			return V_NO_MEMORY;
		c = access_caller(f, "token", id);
		if (!c)
			return V_REFUSED;
		if (c->known)
			return access_take_caller(f, c);
	}
	note_nobody(f, m);
	return V_PASS;
}

void access_said(struct arena *a, const struct snap_method *m, const json_t *claims, struct token_said *said)
{
	*said = (struct token_said){
		.issuer = jsn_str(claims, "iss"), .subject = jsn_str(claims, "sub"), .client = first_text(a, m->names.client, claims),
		.scope = access_claim_text(a, scope_of(claims), ' '), .username = first_text(a, m->names.user, claims),
		.groups = first_text(a, m->names.groups, claims),
	};
}

enum verdict access_take_said(struct access_flow *f, const struct snap_method *m, json_t *claims, const struct token_said *said)
{
	struct principal *who = &f->who;

	f->tokens = m;
	if (!who->claims) {
		who->claims = claims;
		who->names = &m->names;
		who->issuer = said->issuer;
		who->client = said->client;
		who->scope = said->scope;
		who->own_token = m->own;
		if (!who->username.n)
			who->username = said->username;
		if (!who->groups.n)
			who->groups = said->groups;
		if (!who->id.n)
			who->id = said->subject.n ? said->subject : said->client;
	}
	if (!who->method)
		who->method = access_methods[m->kind].name;
	return m->subscription == SUBSCRIPTION_NONE && !m->own ? V_PASS : find_caller(f, m, claims);
}

enum verdict access_take_claims(struct access_flow *f, const struct snap_method *m, json_t *claims)
{
	enum verdict v = check_audience(f, m, claims);
	struct token_said said;

	if (v == V_PASS)
		v = check_scopes(f, m->scopes, claims);
	if (v == V_PASS && f->demand)
		v = check_scopes(f, f->demand->scopes, claims);
	if (v == V_PASS)
		v = check_claims(f, m->claims, m->n_claims, claims);
	if (v == V_PASS && f->demand)
		v = check_claims(f, f->demand->claims, f->demand->n_claims, claims);
	if (v != V_PASS)
		return v;
	access_said(access_arena(f), m, claims, &said);
	return access_take_said(f, m, claims, &said);
}
