/* snapshot_access.c - access rules and signing keys of a snapshot: from the stored JSON to what fcgi/access_rules.h holds.
 *
 * A value that reads {{name}} is that named value. A rule that cannot be made good (a named value that is not there, an
 * authority that is no certificate) refuses the snapshot: serving an API with less than what was asked for is no way out. */
#include "core/crypto.h"
#include "core/str.h"
#include "db/access_rules.h"
#include "db/callers.h"
#include "fcgi/access_rules.h"
#include "fcgi/snapshot_impl.h"
#include "policy/trust.h"

#include <stdatomic.h>

enum { LEEWAY_S = 30, WINDOW_S = 300, CACHE_S = 60 };

struct making {
	struct build *b;
	struct str what;             /* "access rule of API orders", for messages */
	const struct access_method *m;
	struct snap_method *to;
	const char *method;
	bool failed;                 /* told already */
};

static gh_rc no_memory(struct build *b)
{
	FAIL(b->err, NOMEM, "no memory for the access rules");
}

static gh_rc wrong(struct making *k, const char *parameter, const char *what, struct str which)
{
	k->failed = true;
	return build_error(k->b, "%.*s, %s, %s: %s%s%.*s%s", STR_ARG(k->what), k->method, parameter, what, which.n ? " \"" : "",
			   STR_ARG(str_first(which, 100)), which.n ? "\"" : "");
}

/* ---- named values --------------------------------------------------------------------------------------------------------- */

/* "{{name}}" as a whole; anything else stays. */
static gh_rc fill_in(struct making *k, const char *parameter, struct str *value)
{
	struct str name = *value;
	const struct store_named_value *v;

	if (!str_starts(name, STR("{{")) || !str_ends(name, STR("}}")) || name.n < 5)
		return GH_RC_OK;
	name = str_trim((struct str){ name.p + 2, name.n - 4 });
	v = map_get(&k->b->named_values, name);
	if (!v)
		return wrong(k, parameter, "there is no named value", name);
	*value = v->value;
	return GH_RC_OK;
}

static gh_rc fill_all(struct making *k)
{
	const struct access_parameter *table = access_methods[k->m->kind].parameters;

	for (size_t i = 0; table[i].name; i++)
		for (size_t n = 0; n < k->m->given[i].n; n++)
			TRY(fill_in(k, table[i].name, &k->m->given[i].v[n]));
	return GH_RC_OK;
}

/* ---- tokens ---------------------------------------------------------------------------------------------------------------- */

static void drop_keys(void *keys)
{
	jose_keys_free(keys);
}

static gh_rc new_keys(struct making *k, struct jose_keys **out)
{
	*out = jose_keys_new();
	if (!*out || !arena_defer(k->b->a, drop_keys, *out)) {
		jose_keys_free(*out);
		return no_memory(k->b);
	}
	return GH_RC_OK;
}

/* PEM, JWK or JWK set; anything else is a secret. */
static gh_rc add_key(struct making *k, const char *parameter, struct str text, struct jose_keys *keys)
{
	struct gh_err err = { 0 };
	struct str t = str_trim(text);
	gh_rc rc;

	if (str_starts(t, STR("-----BEGIN")))
		rc = jose_keys_add_pem(keys, STR_NULL, t, &err);
	else if (t.n && t.p[0] == '{')
		rc = jose_keys_add_jwks(keys, t, NULL, &err);
	else
		rc = jose_keys_add_secret(keys, STR_NULL, text, &err);
	return rc.code ? wrong(k, parameter, err.message, STR_NULL) : GH_RC_OK;
}

static gh_rc take_algorithms(struct making *k)
{
	struct access_values names = access_given(k->m, "alg");

	for (size_t i = 0; i < names.n; i++) {
		enum jose_alg alg = jose_alg_of(names.v[i]);

		if (alg == JOSE_NO_ALG)
			return wrong(k, "alg", "there is no signature algorithm", names.v[i]);
		k->to->algs |= JOSE_BIT(alg);
	}
	return GH_RC_OK;
}

/* All that is asked of a token once, when it is first seen. One that was verified under the same digest need not be again. */
static gh_rc sum_up(struct making *k)
{
	static _Atomic uint64_t last_number;
	static const char *const names[] = { "issuer", "discovery", "jwks", "key", "decrypt", "alg", "type" };
	struct buf b;
	bool complete;

	buf_init(&b, ACCESS_RULE_BYTES + (size_t)STORE_TEXT_MAX * 4);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct access_values v = access_given(k->m, names[i]);

		for (size_t n = 0; n < v.n; n++)
			buf_fmt(&b, "%s=%zu:%.*s;", names[i], v.v[n].n, STR_ARG(v.v[n]));
	}
	complete = buf_ok(&b);
	crypto_sha256(buf_view(&b), k->to->verifier);
	/* our own tokens are asked after with each call: they can be taken back */
	k->to->number = k->to->own ? 0 : atomic_fetch_add_explicit(&last_number, 1, memory_order_relaxed) + 1;
	if (b.p)
		crypto_wipe(b.p, b.n);
	buf_release(&b);
	/* a digest of a part would let tokens of one rule be taken by another */
	return complete ? GH_RC_OK : wrong(k, "key", "there is no memory for the rule", STR_NULL);
}

static gh_rc make_names(struct making *k)
{
	static struct str client[] = { STR_INIT("azp"), STR_INIT("client_id"), STR_INIT("appid"), STR_INIT("sub") },
			  user[] = { STR_INIT("preferred_username"), STR_INIT("email"), STR_INIT("name"), STR_INIT("sub") },
			  groups[] = { STR_INIT("groups"), STR_INIT("roles") };
	struct caller_claims *n = &k->to->names;

	n->client = access_given(k->m, "client");
	n->user = access_given(k->m, "user");
	n->groups = access_given(k->m, "groups");
	if (!n->client.n)
		n->client = (struct access_values){ client, ARRAY_LEN(client) };
	if (!n->user.n)
		n->user = (struct access_values){ user, ARRAY_LEN(user) };
	if (!n->groups.n)
		n->groups = (struct access_values){ groups, ARRAY_LEN(groups) };
	return GH_RC_OK;
}

static gh_rc make_token(struct making *k)
{
	struct snap_method *to = k->to;
	struct str scheme = access_text(k->m, "scheme");

	to->header = access_text(k->m, "header");
	to->scheme = to->header.n && !scheme.n ? STR_NULL : scheme.n ? scheme : STR("Bearer");
	if (!to->header.n)
		to->header = STR("Authorization");
	to->scopes = access_given(k->m, "scope");
	to->audiences = access_given(k->m, "audience");
	to->issuer = access_text(k->m, "issuer");
	to->claims = k->m->claims;
	to->n_claims = k->m->n_claims;
	return make_names(k);
}

static struct str discovery_of(struct making *k)
{
	struct str issuer = access_text(k->m, "issuer"), given = access_text(k->m, "jwks");

	if (!given.n)
		given = access_text(k->m, "discovery");
	if (given.n)
		return given;
	return arena_printf(k->b->a, "%.*s%s.well-known/openid-configuration", STR_ARG(issuer),
			    str_ends(issuer, STR("/")) ? "" : "/");
}

static gh_rc make_jwt(struct making *k)
{
	struct access_values given = access_given(k->m, "key");
	struct str decrypt = access_text(k->m, "decrypt");
	struct snap_method *to = k->to;

	TRY(make_token(k));
	TRY(take_algorithms(k));
	to->own = !to->issuer.n;
	to->type = access_text(k->m, "type");
	to->leeway_s = access_number(k->m, "leeway", LEEWAY_S);
	if (given.n)
		TRY(new_keys(k, &to->keys));
	for (size_t i = 0; i < given.n; i++)
		TRY(add_key(k, "key", given.v[i], to->keys));
	if (!to->own && !given.n)
		to->discovery = discovery_of(k);
	if (decrypt.n) {
		TRY(new_keys(k, &to->decrypt));
		TRY(add_key(k, "decrypt", decrypt, to->decrypt));
	}
	return sum_up(k);
}

static gh_rc make_introspect(struct making *k)
{
	struct snap_method *to = k->to;
	struct url ignored;

	TRY(make_token(k));
	to->endpoint = access_text(k->m, "endpoint");
	to->client_id = access_text(k->m, "client-id");
	to->client_secret = access_text(k->m, "client-secret");
	to->cache_s = access_number(k->m, "cache", CACHE_S);
	return url_parse(to->endpoint, &ignored) ? GH_RC_OK : wrong(k, "endpoint", "no http or https address:", to->endpoint);
}

/* ---- certificates ---------------------------------------------------------------------------------------------------------- */

static void drop_trust(void *t)
{
	trust_free(t);
}

static gh_rc make_cert(struct making *k)
{
	struct access_values ca = access_given(k->m, "ca"), lists = access_given(k->m, "crl");
	struct str *pems = arena_alloc(k->b->rows, ca.n + 1, sizeof(*pems));
	struct trust_options o = { .authorities = pems, .n_authorities = ca.n, .lists = lists.v, .n_lists = lists.n };
	struct str revocation = access_text(k->m, "revocation");
	const char *problem;
	struct gh_err err = { 0 };

	if (!pems)
		return no_memory(k->b);
	k->to->thumbprints = access_given(k->m, "thumbprint");
	k->to->subjects = access_given(k->m, "subject");
	k->to->dns = access_given(k->m, "dns");
	k->to->online = str_eq(revocation, STR("online"));
	k->to->revocation = revocation.n ? !str_eq(revocation, STR("none")) : lists.n > 0;
	o.responder = access_text(k->m, "responder");
	problem = snap_revocation_problem(k->to, ca.n, lists.n, o.responder);
	if (problem)
		return wrong(k, "revocation", problem, revocation);
	for (size_t i = 0; i < ca.n; i++) {
		const struct snap_certificate *c = map_get(&k->b->s->priv->certificates, ca.v[i]);

		if (!c)
			return wrong(k, "ca", "there is no certificate", ca.v[i]);
		pems[i] = c->cert_pem;
	}
	if (!ca.n && !lists.n)
		return k->to->thumbprints.n ? GH_RC_OK
					    : wrong(k, "ca", "name the authorities, or the thumbprints of the certificates", STR_NULL);
	if (!ca.n)
		return wrong(k, "crl", "a revocation list needs its authority in ca", STR_NULL);
	if (trust_new(&k->to->trust, &o, &err).code)
		return wrong(k, "ca or crl", err.message, STR_NULL);
	if (!arena_defer(k->b->a, drop_trust, k->to->trust)) {
		trust_free(k->to->trust);
		return no_memory(k->b);
	}
	return GH_RC_OK;
}

/* ---- the others ------------------------------------------------------------------------------------------------------------ */

static gh_rc make_nothing(struct making *k UNUSED)
{
	return GH_RC_OK;
}

static gh_rc make_client(struct making *k)
{
	struct str from = access_text(k->m, "from");

	k->to->from_headers = !str_eq(from, STR("basic"));
	k->to->from_basic = !str_eq(from, STR("headers"));
	return GH_RC_OK;
}

static gh_rc make_basic(struct making *k)
{
	k->to->groups = access_given(k->m, "group");
	k->to->realm = access_text(k->m, "realm");
	if (!k->to->realm.n)
		k->to->realm = STR("gatehouse");
	for (size_t i = 0; i < k->to->realm.n; i++)
		if (k->to->realm.p[i] == '"' || k->to->realm.p[i] == '\\' || (unsigned char)k->to->realm.p[i] < ' ')
			return wrong(k, "realm", "a realm holds no quotation mark, backslash or control character", STR_NULL);
	return GH_RC_OK;
}

/* Whoever leaves the time out of what is signed lets a request be sent again for ever. */
static gh_rc make_plain(struct making *k)
{
	struct access_values parts = access_given(k->m, "parts");
	struct hmac_scheme *s = &k->to->plain;
	struct gh_err err = { 0 };
	bool timed = !parts.n;

	k->to->signing = SIGNED_PLAIN;
	*s = (struct hmac_scheme){ .digest = access_text(k->m, "digest"), .encoding = access_text(k->m, "encoding"),
				   .field = access_text(k->m, "signature-header"), .key_id_field = access_text(k->m, "key-header"),
				   .timestamp_field = access_text(k->m, "timestamp-header"), .nonce_field = access_text(k->m, "nonce-header") };
	for (size_t i = 0; i < parts.n; i++) {
		timed |= str_eq(parts.v[i], STR("timestamp"));
		s->parts = arena_printf(k->b->a, "%.*s%s%.*s", STR_ARG(s->parts), i ? "," : "", STR_ARG(parts.v[i]));
		if (!s->parts.p)
			return no_memory(k->b);
	}
	if (!timed)
		return wrong(k, "parts", "timestamp must be among them", STR_NULL);
	return hmac_scheme_check(s, &err).code ? wrong(k, "parts", "a part is not known", STR_NULL) : GH_RC_OK;
}

static gh_rc make_signed(struct making *k)
{
	k->to->window_s = access_number(k->m, "window", WINDOW_S);
	if (k->m->kind == ACCESS_SIGV4) {
		k->to->region = access_text(k->m, "region");
		k->to->service = access_text(k->m, "service").n ? access_text(k->m, "service") : STR("execute-api");
		return GH_RC_OK;
	}
	k->to->cover = access_given(k->m, "cover");
	if (str_eq(access_text(k->m, "scheme"), STR("cavage")))
		k->to->signing = SIGNED_CAVAGE;
	return str_eq(access_text(k->m, "scheme"), STR("plain")) ? make_plain(k) : GH_RC_OK;
}

static gh_rc (*const makers[ACCESS_KIND__COUNT])(struct making *k) = {
	[ACCESS_KEY] = make_nothing, [ACCESS_CLIENT] = make_client, [ACCESS_JWT] = make_jwt, [ACCESS_INTROSPECT] = make_introspect,
	[ACCESS_CERT] = make_cert, [ACCESS_BASIC] = make_basic, [ACCESS_HMAC] = make_signed, [ACCESS_SIGV4] = make_signed,
	[ACCESS_ANONYMOUS] = make_nothing,
};

/* A client of this installation is known by its contract; of others the token says enough. */
static enum subscription_need need_of(const struct making *k)
{
	struct str given = k->m->kind == ACCESS_KEY || k->m->kind == ACCESS_ANONYMOUS ? STR_NULL : access_text(k->m, "subscription");

	if (str_eq(given, STR("required")))
		return SUBSCRIPTION_REQUIRED;
	if (str_eq(given, STR("none")))
		return SUBSCRIPTION_NONE;
	if (given.n)
		return SUBSCRIPTION_OPTIONAL;
	return k->m->kind == ACCESS_CLIENT || k->to->own ? SUBSCRIPTION_REQUIRED : SUBSCRIPTION_OPTIONAL;
}

static gh_rc make_method(struct build *b, struct str what, const struct access_method *m, struct snap_method *to)
{
	struct making k = { .b = b, .what = what, .m = m, .to = to, .method = access_methods[m->kind].name };

	to->kind = m->kind;
	TRY(fill_all(&k));
	if (k.failed)
		return GH_RC_OK;
	TRY(makers[m->kind](&k));
	to->subscription = need_of(&k);
	return GH_RC_OK;
}

/* ---- rules ----------------------------------------------------------------------------------------------------------------- */

static gh_rc make_groups(struct build *b, struct str what, const struct access_group *from, size_t n,
			 const struct snap_group **out, size_t *n_out)
{
	struct snap_group *groups = arena_alloc(b->a, n, sizeof(*groups));

	if (!groups)
		return no_memory(b);
	for (size_t i = 0; i < n; i++) {
		struct snap_method *methods = arena_alloc(b->a, from[i].n, sizeof(*methods));

		if (!methods)
			return no_memory(b);
		for (size_t k = 0; k < from[i].n; k++)
			TRY(make_method(b, what, &from[i].methods[k], &methods[k]));
		groups[i] = (struct snap_group){ methods, from[i].n };
	}
	*out = groups;
	*n_out = n;
	return GH_RC_OK;
}

static gh_rc make_operations(struct build *b, struct str what, const struct access_rule *from, struct snap_rule *to)
{
	map_init(&to->operations, b->a, false);
	for (size_t i = 0; i < from->n_operations; i++) {
		const struct access_operation *o = &from->operations[i];
		struct snap_demand *d = arena_new_of(b->a, struct snap_demand);

		if (!d || !map_put(&to->operations, o->id, d))
			return no_memory(b);
		*d = (struct snap_demand){ .scopes = o->scopes, .claims = o->claims, .n_claims = o->n_claims };
		if (o->n_groups)
			TRY(make_groups(b, what, o->groups, o->n_groups, &d->groups, &d->n_groups));
	}
	return GH_RC_OK;
}

static gh_rc make_identity(struct build *b, const struct access_rule *from, struct snap_rule *to)
{
	static const struct access_header usual[] = {
		{ STR_INIT("X-Consumer-Id"), STR_INIT("id") }, { STR_INIT("X-Consumer-Username"), STR_INIT("username") },
		{ STR_INIT("X-Consumer-Groups"), STR_INIT("groups") },
	};

	to->identity = from->identity;
	to->keep_credentials = from->keep_credentials;
	to->profile = from->profile;
	to->headers = from->headers ? from->headers : usual;
	to->n_headers = from->headers ? from->n_headers : ARRAY_LEN(usual);
	b->needs_identity_key |= from->token_header.n > 0;
	to->token_header = from->token_header;
	to->token_audience = from->token_audience;
	to->token_claims = from->token_claims;
	to->token_life_s = from->token_life_s;
	for (size_t i = 0; to->identity && i < to->n_headers; i++)
		b->s->uses_groups |= str_eq(to->headers[i].source, STR("groups"));
	return GH_RC_OK;
}

static gh_rc make_rule(struct build *b, const struct store_access_rule *row, struct snap_rule **out)
{
	const struct jsn_limits limits = { .max_bytes = STORE_TEXT_MAX };
	struct str what = row->api_id.n ? arena_printf(b->rows, "access rule of API %.*s", STR_ARG(row->api_id))
					: arena_printf(b->rows, "access rule of product %.*s", STR_ARG(row->product_id));
	struct access_rule rule;
	struct gh_err err = { 0 };
	json_t *stored;
	gh_rc rc;

	*out = arena_new_of(b->a, struct snap_rule);
	if (!*out)
		return no_memory(b);
	rc = jsn_parse_in(b->rows, row->rule, &limits, &stored, NULL, &err);
	if (!rc.code)
		rc = access_rule_read(b->a, stored, &rule, &err);
	if (rc.code == GH_E_NOMEM)
		return no_memory(b);
	if (rc.code)
		return build_error(b, "%.*s: %s", STR_ARG(what), err.message);
	TRY(make_groups(b, what, rule.groups, rule.n_groups, &(*out)->groups, &(*out)->n_groups));
	TRY(make_operations(b, what, &rule, *out));
	return make_identity(b, &rule, *out);
}

gh_rc build_access_rules(struct build *b)
{
	struct store_access_rule *rows;
	size_t n;

	TRY(store_access_rules(b->store, b->rows, &rows, &n, b->err));
	for (size_t i = 0; i < n; i++) {
		struct snap_rule *rule;

		TRY(make_rule(b, &rows[i], &rule));
		if (rows[i].product_id.n)
			rule->product = map_get(&b->s->priv->products, rows[i].product_id);
		if (!map_put(rows[i].api_id.n ? &b->api_rules : &b->product_rules,
			     rows[i].api_id.n ? rows[i].api_id : rows[i].product_id, rule))
			return no_memory(b);
	}
	return GH_RC_OK;
}

/* The subscription key as a rule, for products that have none beside others that have one. */
static const struct snap_method key_method = { .kind = ACCESS_KEY };
static const struct snap_group key_group = { &key_method, 1 };

static const struct snap_rule *key_rule(struct build *b)
{
	struct snap_rule *r = arena_new_of(b->a, struct snap_rule);

	if (!r)
		return NULL;
	r->groups = &key_group;
	r->n_groups = 1;
	map_init(&r->operations, b->a, false);
	return r;
}

gh_rc build_api_rules(struct build *b, struct snap_api *api)
{
	const struct snap_rule *own = map_get(&b->api_rules, api->ctx.id), **list;
	size_t n = 0;

	if (!own && !b->product_rules.n)
		return GH_RC_OK;
	list = arena_alloc(b->a, api->n_products + 2, sizeof(*list));
	if (!list)
		return no_memory(b);
	if (own)
		list[n++] = own;
	for (size_t i = 0; !own && i < api->n_products; i++)
		if ((list[n] = map_get(&b->product_rules, api->products[i]->ctx.id)))
			n++;
	if (!n)
		return GH_RC_OK;
	if (!own && n < api->n_products && !(list[n++] = key_rule(b)))
		return no_memory(b);
	api->rules = list;
	api->n_rules = n;
	return GH_RC_OK;
}

/* ---- signing keys ---------------------------------------------------------------------------------------------------------- */

static gh_rc make_key(struct build *b, const struct store_auth_key *row, struct snap_auth_key *to)
{
	struct gh_err err = { 0 };

	TRY(build_text(b, row->id, &to->id));
	to->alg = jose_alg_of(row->alg);
	to->signs_us = row->signs_us;
	to->ends_us = row->ends_us;
	to->keys = jose_keys_new();
	if (!to->keys || !arena_defer(b->a, drop_keys, to->keys)) {
		jose_keys_free(to->keys);
		return no_memory(b);
	}
	if (jose_keys_add_jwks(to->keys, row->jwks, NULL, &err).code)
		return build_error(b, "signing key %.*s: %s", STR_ARG(row->id), err.message);
	return GH_RC_OK;
}

/* What is published: the public halves, each with its use and algorithm. */
static gh_rc publish(struct build *b, struct snap_auth_keys *set)
{
	json_t *keys = json_array(), *all = jsn_keep(b->rows, json_pack("{s:o}", "keys", keys)), *one;
	size_t i;

	set->verify = jose_keys_new();
	if (!all || !set->verify || !arena_defer(b->a, drop_keys, set->verify)) {
		jose_keys_free(set->verify);
		return no_memory(b);
	}
	for (size_t k = 0; k < set->n; k++) {
		json_t *public = jsn_keep(b->rows, jose_keys_public(set->v[k].keys));

		json_array_foreach(jsn_arr(public, "keys"), i, one) {
			json_object_set_new(one, "use", json_string("sig"));
			json_object_set_new(one, "alg", json_string(jose_alg_name(set->v[k].alg)));
			json_array_append(keys, one);
		}
	}
	set->jwks = jsn_text(b->a, all, 0);
	if (!set->jwks.p)
		return no_memory(b);
	return set->n ? jose_keys_add_jwks(set->verify, set->jwks, NULL, b->err) : GH_RC_OK;
}

gh_rc build_auth_keys(struct build *b)
{
	static const struct str purposes[AUTH_PURPOSE__COUNT] = { [AUTH_TOKEN] = STR_INIT("token"),
								  [AUTH_IDENTITY] = STR_INIT("identity") };
	struct store_auth_key *rows;
	size_t n;

	TRY(store_auth_keys(b->store, b->rows, true, &rows, &n, b->err));
	for (unsigned p = 0; p < AUTH_PURPOSE__COUNT; p++) {
		struct snap_auth_keys *set = &b->s->auth_keys[p];
		struct snap_auth_key *keys = arena_alloc(b->a, n + 1, sizeof(*keys));

		if (!keys)
			return no_memory(b);
		set->v = keys;
		for (size_t i = 0; i < n; i++)
			if (str_eq(rows[i].purpose, purposes[p]))
				TRY(make_key(b, &rows[i], &keys[set->n++]));
		if (!b->n_errors)
			TRY(publish(b, set));
	}
	if (b->needs_identity_key && !b->s->auth_keys[AUTH_IDENTITY].n)
		return build_error(b, "an access rule wants signed identities and there is no key for them: "
				      "gatehouse auth-key rotate --purpose identity");
	return GH_RC_OK;
}

const struct snap_auth_key *auth_key_now(const struct snap_auth_keys *k, int64_t now_us)
{
	for (size_t i = k->n; i-- > 0;)
		if (k->v[i].signs_us <= now_us && (!k->v[i].ends_us || now_us < k->v[i].ends_us))
			return &k->v[i];
	return NULL;
}

bool auth_key_known(const struct snap_auth_keys *k, struct str id, int64_t now_us)
{
	for (size_t i = 0; i < k->n; i++)
		if (str_eq(k->v[i].id, id))
			return !k->v[i].ends_us || now_us < k->v[i].ends_us;
	return false;
}
