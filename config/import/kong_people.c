/* kong_people.c - consumers, and the plugins that ask who calls.
 *
 *     keyauth_credentials   subscriptions of the product kong, two keys each      key-auth     the method key
 *     basicauth_credentials callers basic:USER                                    basic-auth   the method basic
 *     hmacauth_credentials  callers signing:USER                                  hmac-auth    the method hmac, HTTP Signatures
 *     jwt_secrets           a key in a named value, by its issuer                 jwt          a group of methods for each issuer
 *     acls                  groups of callers                                     acl          who of these is in one of the groups
 *
 * All plugins of a route must pass, so they are methods of one group; where each has `anonymous`, any will do. What cannot be said so
 * closes the API. */
#include "config/import/kong_people.h"

#include "config/import/kong_fields.h"
#include "config/import/operations.h"
#include "config/import/policy_text.h"
#include "core/access_rule.h"
#include "core/crypto.h"
#include "core/str.h"
#include "db/callers.h"
#include "db/subscriptions.h"

enum { DIGEST_HEX = 40, KEYS = 2, ID_DIGEST_BYTES = 4 };         /* hexadecimal digits of a SHA-1; keys of a subscription */

/* ---- consumers ---------------------------------------------------------------------------------------------------------------------- */

static struct str name_of(const json_t *consumer)
{
	return jsn_str(consumer, "username").n ? jsn_str(consumer, "username") : jsn_str(consumer, "custom_id");
}

static bool in_group(const json_t *consumer, const json_t *groups)
{
	size_t i, j;
	json_t *v, *g;

	json_array_foreach(jsn_arr(consumer, "acls"), i, v)
		json_array_foreach((json_t *)(uintptr_t)groups, j, g)
			if (str_eq(jsn_str(v, "group"), jsn_string(g)))
				return true;
	return false;
}

static const json_t *list_of(const json_t *config, const char *name, const char *before)
{
	return json_array_size(jsn_arr(config, name)) ? jsn_arr(config, name) : jsn_arr(config, before);
}

/* Whether the plugin acl (NULL: there is none) lets the consumer in. */
static bool lets_in(const json_t *acl, const json_t *consumer)
{
	const json_t *allow = list_of(acl, "allow", "whitelist"), *deny = list_of(acl, "deny", "blacklist");

	/* with neither nobody is let in */
	return !acl || (json_array_size(deny) && !json_array_size(allow) ? !in_group(consumer, deny) : in_group(consumer, allow));
}

/* "kong-ann"; of a name that is no id a digest stands behind what is left of it: two names never become one id, whatever stands beside
 * them in the file, for keys that are there stay with their id when the file comes again. */
static struct str id_of(struct arena *a, const char *begin, struct str name)
{
	struct str slug = import_slug(a, name);
	uint8_t hash[CRYPTO_SHA256_BYTES];

	if (slug.n && str_eq(slug, name))
		return arena_printf(a, "%s-%.*s", begin, STR_ARG(slug));
	crypto_sha256(name, hash);
	return arena_printf(a, "%s-%.*s%s%.*s", begin, STR_ARG(slug), slug.n ? "-" : "",
			    STR_ARG(crypto_hex(a, (struct str){ (const char *)hash, ID_DIGEST_BYTES })));
}

/* Of the n-th pair of keys: "kong-ann", "kong-ann.2", which no other name becomes. */
static struct str subscription_id(const struct kong_people *k, const json_t *consumer, size_t n)
{
	struct str id = id_of(k->bundle->arena, k->name, name_of(consumer));

	return n ? arena_printf(k->bundle->arena, "%.*s.%zu", STR_ARG(id), n + 1) : id;
}

static bool is_key(struct str key)
{
	return key.n >= STORE_KEY_MIN && key.n <= STORE_KEY_MAX;
}

static void keys(const struct kong_people *k, const json_t *consumer, struct str what, bool keyed)
{
	static const char *const fields[KEYS] = { "primaryKey", "secondaryKey" };
	struct import_report *r = k->bundle->report;
	size_t i, n = 0;
	json_t *v, *doc = NULL;

	json_array_foreach(jsn_arr(consumer, "keyauth_credentials"), i, v) {
		struct str key = jsn_str(v, "key");

		if (jsn_int(v, "ttl", 0) > 0) {          /* when it was made is not said, and without an end it would be good for ever */
			import_not_possible(r, what, "a key of it ends by itself (ttl) and is left out: gatehouse subscription create --product %s makes one, with --ends",
					    k->name);
			continue;
		}
		if (!keyed || !is_key(key)) {
			if (keyed)
				import_not_possible(r, what, "a key of it has not %d to %d characters: make a new one, gatehouse subscription create --product %s", STORE_KEY_MIN,
						    STORE_KEY_MAX, k->name);
			else
				import_not_possible(r, what, "no API here needs a key, so it has none to open (a key has %d to %d characters)", STORE_KEY_MIN, STORE_KEY_MAX);
			continue;
		}
		if (n % KEYS == 0) {
			struct str id = subscription_id(k, consumer, n / KEYS);

			doc = bundle_add(k->bundle, "subscription", id);
			bundle_text(doc, "name", name_of(consumer));
			bundle_text(doc, "product", str_of(k->name));
		}
		bundle_text(doc, fields[n++ % KEYS], key);
		import_taken(r, "key", 1);
	}
}

static void caller(const struct kong_people *k, const char *kind, struct str id, const json_t *consumer, struct str secret)
{
	json_t *doc = bundle_add(k->bundle, "caller", arena_printf(k->bundle->arena, "%s:%.*s", kind, STR_ARG(id))), *groups = json_array(), *v;
	size_t i;

	bundle_text(doc, "name", name_of(consumer));
	bundle_text(doc, "secret", secret);
	json_array_foreach(jsn_arr(consumer, "acls"), i, v)
		json_array_append(groups, jsn_get(v, "group"));
	if (json_array_size(groups))
		json_object_set(doc, "groups", groups);
	json_decref(groups);
	import_taken(k->bundle->report, "caller", 1);
}

/* What Kong writes out: a file has the password itself only where somebody wrote it there. */
static bool is_digest(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_digit(s.p[i]) && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
			return false;
	return s.n == DIGEST_HEX;
}

static void passwords(const struct kong_people *k, const json_t *consumer, struct str what)
{
	size_t i;
	json_t *v;

	json_array_foreach(jsn_arr(consumer, "basicauth_credentials"), i, v) {
		struct str user = jsn_str(v, "username"), password = jsn_str(v, "password");

		if (!user.n || !password.n || str_find_char(user, ':') != SIZE_MAX || is_digest(password))
			import_not_possible(k->bundle->report, what, "the file has no password of the user %.*s but a digest of it: gatehouse caller create basic '%.*s' "
					    "--password-file FILE", STR_ARG(user), STR_ARG(user));
		else
			caller(k, "basic", user, consumer, password);
	}
	json_array_foreach(jsn_arr(consumer, "hmacauth_credentials"), i, v) {
		struct str user = jsn_str(v, "username"), secret = jsn_str(v, "secret");

		if (!user.n || secret.n < STORE_SECRET_MIN || secret.n > STORE_SECRET_MAX)
			import_not_possible(k->bundle->report, what, "the secret that %.*s signs with has not %d to %d characters: gatehouse caller create signing makes a new one",
					    STR_ARG(user), STORE_SECRET_MIN, STORE_SECRET_MAX);
		else
			caller(k, "signing", user, consumer, secret);
	}
}

/* Keys of tokens that no rule took. */
static void left_tokens(const struct kong_people *k, const json_t *consumer, struct str what)
{
	struct arena *a = k->bundle->arena;
	size_t i;
	json_t *v;

	json_array_foreach(jsn_arr(consumer, "jwt_secrets"), i, v)
		if (!bundle_find(k->bundle, "named-value", id_of(a, "kong-jwt", jsn_str(v, "key"))))
			import_not_possible(k->bundle->report, what, "no access rule here asks for its tokens, so their key is left out: gatehouse access set 'jwt(issuer=, key=)'");
}

static bool has_credential(const json_t *consumer)
{
	static const char *const lists[] = { "keyauth_credentials", "basicauth_credentials", "hmacauth_credentials", "jwt_secrets" };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (json_array_size(jsn_arr(consumer, lists[i])))
			return true;
	return false;
}

void kong_consumers(const struct kong_people *k, bool keyed)
{
	size_t i, before;
	json_t *v;

	json_array_foreach(jsn_arr(k->doc, "consumers"), i, v) {
		struct str what = arena_printf(k->bundle->arena, "consumer %.*s", STR_ARG(name_of(v)));

		before = json_array_size(k->bundle->docs);
		keys(k, v, what, keyed);
		passwords(k, v, what);
		left_tokens(k, v, what);
		kong_tell(k->bundle->report, "consumer", v, what);
		if (json_array_size(k->bundle->docs) > before)
			import_taken(k->bundle->report, "consumer", 1);
		else if (!has_credential(v))
			import_not_possible(k->bundle->report, what, "it has no key, password or secret; gatehouse caller create makes clients that sign in otherwise");
	}
}

/* ---- rules -------------------------------------------------------------------------------------------------------------------------- */

static void closed(struct kong_plugins *p, struct str where, const char *why)
{
	policy_closed(&p->first, why);
	import_not_possible(p->bundle->report, where, "%s; calls are answered 501 until you say who may call (gatehouse access set) and take the return-response out of "
			    "the policy", why);
}

/* A named value with what tokens of that credential are verified with; the id. STR_NULL: it cannot be. */
static struct str token_key(const struct kong_people *k, const json_t *credential, const json_t *config, struct str issuer)
{
	struct arena *a = k->bundle->arena;
	bool secret = str_starts(jsn_str(credential, "algorithm"), STR("HS")) || !jsn_str(credential, "algorithm").n;
	struct str key = jsn_str(credential, secret ? "secret" : "rsa_public_key"), id = id_of(a, arena_printf(a, "%s-jwt", k->name).p, issuer);
	json_t *doc;

	if (secret && jsn_bool(config, "secret_is_base64", false) && !crypto_base64_decode(a, key, &key))
		return STR_NULL;
	if (!key.n || !utf8_valid(key) || (!secret && str_find(key, STR("-----BEGIN")) == SIZE_MAX))
		return STR_NULL;
	if (bundle_find(k->bundle, "named-value", id))           /* of another route */
		return str_eq(jsn_str(bundle_find(k->bundle, "named-value", id), "secret"), key) ? id : STR_NULL;
	doc = bundle_add(k->bundle, "named-value", id);
	bundle_text(doc, "secret", key);
	import_taken(k->bundle->report, "key of tokens", 1);
	return id;
}

/* A group for each issuer, into `groups`. */
static bool tokens(const struct kong_people *k, const json_t *config, const json_t *acl, struct kong_plugins *p, struct str where, json_t *groups)
{
	struct str header = jsn_string(json_array_get(jsn_arr(config, "header_names"), 0));
	size_t i, j;
	json_t *consumer, *v, *method;

	json_array_foreach(jsn_arr(k->doc, "consumers"), i, consumer)
		json_array_foreach(jsn_arr(consumer, "jwt_secrets"), j, v) {
			struct str issuer = jsn_str(v, "key"), alg = jsn_str(v, "algorithm").n ? jsn_str(v, "algorithm") : STR("HS256"), id;

			if (!lets_in(acl, consumer))
				continue;
			id = issuer.n ? token_key(k, v, config, issuer) : STR_NULL;
			if (!id.n) {
				import_not_possible(p->bundle->report, where, "the key of consumer %.*s that its tokens are verified with is no text, PEM or Base64: its tokens are refused; "
						    "gatehouse access set takes jwt(issuer=, key=)", STR_ARG(name_of(consumer)));
				continue;
			}
			method = json_pack("{s:s, s:s%, s:[o], s:[s%]}", "method", "jwt", "issuer", issuer.p, issuer.n, "key",
					   json_sprintf("{{%.*s}}", STR_ARG(id)), "alg", alg.p, alg.n);
			if (header.n && !str_eq_ci(header, STR("authorization")))
				bundle_text(method, "header", header);
			json_array_append_new(groups, method);
		}
	return json_array_size(groups) > 0 && json_array_size(groups) <= ACCESS_GROUPS_MAX;
}

/* Keys of consumers that are in none of the groups are refused. Which those are is as the file says it. */
static void key_groups(const struct kong_people *k, const json_t *acl, struct kong_plugins *p, struct str where)
{
	size_t i, n = 0;
	json_t *v;

	buf_cstr(&p->first, "    <choose>\n    <when condition=\"@(!(new string[] { ");
	json_array_foreach(jsn_arr(k->doc, "consumers"), i, v)
		for (size_t pair = 0; lets_in(acl, v) && pair * KEYS < json_array_size(jsn_arr(v, "keyauth_credentials")); pair++) {
			buf_cstr(&p->first, n++ ? ", " : "");
			policy_literal(&p->first, subscription_id(k, v, pair));
		}
	buf_cstr(&p->first, n ? "" : "&quot;&quot;");
	buf_cstr(&p->first, " }).Contains(context.Subscription?.Id ?? &quot;nobody&quot;))\">\n    <return-response>\n      <set-status code=\"403\" reason=\"Forbidden\" />\n"
		 "    </return-response>\n    </when>\n    </choose>\n");
	import_approximated(p->bundle->report, where, "acl: the subscriptions of the consumers that are in its groups now stand in the policy; others are refused. For new ones make "
			    "a product of these APIs");
}

static const char *const told[KONG_ACL] = {
	[KONG_BASIC] = "basic-auth: the access rule asks for a user and a password; users are the callers basic:NAME",
	[KONG_HMAC] = "hmac-auth: signatures are HTTP Signatures of the callers signing:NAME with SHA-256 and above; they must cover (request-target) or "
		      "@request-target, host and a time, and pass once. Who signs request-line or with SHA-1 has to change",
	[KONG_JWT] = "jwt: each issuer of the consumers is a group of the access rule; tokens must have exp",
};

/* Whether a consumer may be in groups that its own acls do not name: who must not be in one of them cannot be told then. */
static bool are_groups_elsewhere(const struct kong_people *k, const json_t *acl)
{
	return jsn_get(k->doc, "acls") || jsn_bool(acl, "include_consumer_groups", false);
}

/* What keeps the plugins of a route from being a rule; NULL: nothing. */
static const char *hindrance(const struct kong_people *k, const json_t *const asked[KONG_ASKS__COUNT], bool key, bool any)
{
	const json_t *acl = asked[KONG_ACL], *jwt = asked[KONG_JWT];

	if (jwt && jsn_str(jwt, "key_claim_name").n && !str_eq(jsn_str(jwt, "key_claim_name"), STR("iss")))
		return "jwt: tokens are told apart by another claim than iss";
	if (!acl)
		return NULL;
	if (!key && !asked[KONG_BASIC] && !asked[KONG_HMAC] && !jwt)
		return "acl: nothing says who calls";
	if (json_array_size(list_of(acl, "deny", "blacklist")) && are_groups_elsewhere(k, acl))
		return "acl: who is in a group that must not call stands elsewhere than in the acls of the consumer";
	if (asked[KONG_HMAC] || any)
		return "acl: groups of those who sign, or of one of several ways in, cannot be asked for";
	return asked[KONG_BASIC] && !json_array_size(list_of(acl, "allow", "whitelist")) ? "acl: groups that users must not be in cannot be asked for" : NULL;
}

static void put_asks(const json_t *const asked[KONG_ASKS__COUNT], bool key, json_t *methods)
{
	json_t *basic = json_pack("{s:s}", "method", "basic"), *hmac = json_pack("{s:s, s:s}", "method", "hmac", "scheme", "cavage");

	if (key)
		json_array_append_new(methods, json_pack("{s:s}", "method", "key"));
	if (asked[KONG_ACL])
		json_object_set(basic, "group", (json_t *)(uintptr_t)list_of(asked[KONG_ACL], "allow", "whitelist"));
	bundle_text(basic, "realm", jsn_str(asked[KONG_BASIC], "realm"));
	if (jsn_int(asked[KONG_HMAC], "clock_skew", 0) > 0)
		json_object_set_new(hmac, "window", json_integer((json_int_t)jsn_int(asked[KONG_HMAC], "clock_skew", 0)));
	if (asked[KONG_BASIC])
		json_array_append(methods, basic);
	if (asked[KONG_HMAC])
		json_array_append(methods, hmac);
	json_decref(basic);
	json_decref(hmac);
}

/* Kong leaves credentials in the request unless it is told to hide them; those of tokens always. */
static bool keeps_credentials(const json_t *const asked[KONG_ASKS__COUNT])
{
	return asked[KONG_JWT] || (asked[KONG_BASIC] && !jsn_bool(asked[KONG_BASIC], "hide_credentials", false))
	       || (asked[KONG_HMAC] && !jsn_bool(asked[KONG_HMAC], "hide_credentials", false));
}

/* The rule of methods that all must pass, or any, and of issuers of tokens, one of which must. */
static json_t *rule_of(const json_t *const asked[KONG_ASKS__COUNT], json_t *methods, json_t *issuers, bool any)
{
	json_t *groups = json_array(), *rule = json_pack("{s:o}", "anyOf", groups), *v;
	size_t i;

	if (any)
		json_array_extend(groups, methods);
	json_array_foreach(issuers, i, v) {
		json_t *all = any ? json_array() : json_copy(methods);

		json_array_append(all, v);
		json_array_append_new(groups, json_pack("{s:o}", "allOf", all));
	}
	if (!any && !json_array_size(issuers))
		json_array_append_new(groups, json_pack("{s:O}", "allOf", methods));
	if (keeps_credentials(asked))
		json_object_set_new(rule, "identity", json_pack("{s:b}", "keepCredentials", 1));
	return rule;
}

/* Whether each way in has `anonymous`, so that any of them will do. */
static bool are_any(const struct kong_plugins *p, const json_t *const asked[KONG_ASKS__COUNT], bool key)
{
	size_t n = key;

	if (key && !p->key_anonymous)
		return false;
	for (unsigned i = 0; i < KONG_ACL; i++) {
		if (asked[i] && !jsn_str(asked[i], "anonymous").n)
			return false;
		n += asked[i] != NULL;
	}
	return n > 1;
}

const json_t *kong_access_rule(const struct kong_people *k, struct kong_plugins *p, bool key, struct str where)
{
	const json_t *asked[KONG_ASKS__COUNT];
	struct arena *a = k->bundle->arena;
	json_t *methods = jsn_keep(a, json_array()), *issuers = jsn_keep(a, json_array());
	const char *why;
	bool any, more = false;

	for (unsigned i = 0; i < KONG_ASKS__COUNT; i++) {
		asked[i] = p->asks[i] ? p->asks[i] : k->everywhere[i];
		more = more || asked[i];
	}
	any = are_any(p, asked, key);
	why = hindrance(k, asked, key, any);
	if (more && !why && asked[KONG_JWT] && !tokens(k, asked[KONG_JWT], asked[KONG_ACL], p, where, issuers))
		why = "jwt: no consumer has a key that tokens could be verified with, or more of them than a rule takes";
	if (why)
		closed(p, where, why);
	if (!more || why)
		return NULL;
	for (unsigned i = 0; i < KONG_ACL; i++)
		if (asked[i])
			import_approximated(k->bundle->report, where, "%s%s", told[i], any ? "; any of the ways in will do" : "");
	if (asked[KONG_ACL] && asked[KONG_BASIC])
		import_approximated(k->bundle->report, where, "acl: the rule asks for the groups of the callers");
	if (asked[KONG_ACL] && key)
		key_groups(k, asked[KONG_ACL], p, where);
	put_asks(asked, key, methods);
	if (json_array_size(methods) + json_array_size(issuers) == (size_t)key)
		return NULL;                     /* the key alone, with its groups */
	return jsn_keep(a, rule_of(asked, methods, issuers, any));
}
