/* token.c - finding and checking a token. RFC 7519; reasons and texts as the reference system documents them. */
#include "policy/elements/token.h"

#include "core/crypto.h"
#include "core/str.h"
#include "policy/elements/url.h"
#include "policy/net/make.h"

enum { MATCH_ALL, MATCH_ANY };

/* ---- saying no ------------------------------------------------------------------------------------------------------ */

/* RFC 6750 section 3: of nothing shown no error is told; a good token that says too little is one with 403 alone. A status
 * that is neither 401 nor 403 was chosen to tell nothing of tokens. Body and status stay those of the reference system. */
static struct str challenge_of(struct exchange *x, int code, bool shown, bool too_little)
{
	struct str realm = x->api && x->api->path.n ? x->api->path : x->api ? x->api->id : STR_NULL;

	if (code != 401 && code != 403)
		return STR_NULL;
	if (!realm.n || str_find_char(realm, '"') != SIZE_MAX || str_find_char(realm, '\\') != SIZE_MAX)
		realm = STR("gatehouse");
	return arena_printf(x->arena, "Bearer realm=\"%.*s\"%s", STR_ARG(realm), !shown ? "" : code == 403 && too_little
			    ? ", error=\"insufficient_scope\"" : ", error=\"invalid_token\"");
}

static enum step refuse(struct exchange *x, const struct token_config *c, struct str reason, struct str message, struct str otherwise,
			const struct token_compared *was)
{
	struct str said, challenge;
	enum step step;
	int64_t code;

	if (str_is_null(message))
		return exchange_no_memory(x);
	if (!arg_get_int(x, &c->code, &code) || !arg_get_text(x, &c->message, &said))
		return STEP_FAIL;
	challenge = challenge_of(x, (int)code, was->shown, was->too_little);
	step = exchange_refuse(x, (int)code, reason, message, str_is_null(said) ? otherwise : said);
	x->error.header = challenge.n ? STR("WWW-Authenticate") : STR_NULL;
	x->error.header_value = challenge;
	x->error.detail = token_compared_text(x->arena, "jwt", was);
	return step;
}

enum step token_refuse(struct exchange *x, const struct token_config *c, enum jose_reason why, struct str text,
		       const struct token_compared *was)
{
	static const struct {
		enum jose_reason why;
		struct str reason;
	} names[] = {
		{ JOSE_KEY_NOT_FOUND, STR_INIT("TokenSignatureKeyNotFound") }, { JOSE_SIGNATURE, STR_INIT("TokenSignatureInvalid") },
		{ JOSE_UNSIGNED, STR_INIT("TokenSignatureInvalid") },          { JOSE_ALG_NOT_ALLOWED, STR_INIT("TokenSignatureInvalid") },
		{ JOSE_EXPIRED, STR_INIT("TokenExpired") },                    { JOSE_NO_EXPIRY, STR_INIT("TokenExpired") },
		{ JOSE_ISSUER, STR_INIT("TokenIssuerNotAllowed") },            { JOSE_AUDIENCE, STR_INIT("TokenAudienceNotAllowed") },
	};
	struct str reason = STR("JwtInvalid");

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].why == why)
			reason = names[i].reason;
	return refuse(x, c, reason, arena_printf(x->arena, "%.*s. Access denied.", STR_ARG(text)), STR("Invalid JWT."), was);
}

static enum step not_present(struct exchange *x, const struct token_config *c)
{
	static const struct token_compared was = { .check = "token", .expected = STR_INIT("a token"), .got = STR_INIT("none") };

	return refuse(x, c, STR("TokenNotPresent"), STR("JWT not present."), STR("JWT not present."), &was);
}

/* ---- the token ------------------------------------------------------------------------------------------------------ */

static bool query_value(struct exchange *x, struct str name, struct str *out)
{
	struct str rest = x->request.url.query, n, v;

	*out = STR_NULL;
	while (rest.n && query_next(&rest, &n, &v)) {
		if (!str_eq_ci(url_decode(x->arena, n, true), name))
			continue;
		*out = v.p ? url_decode(x->arena, v, true) : STR_NULL;
		return true;
	}
	return false;
}

/* "Bearer abc" gives "abc"; a value without a scheme is the token, unless a scheme is asked for. */
static struct str without_scheme(struct str value, bool only_scheme, struct str scheme)
{
	size_t blank = str_find_char(value, ' ');

	if (blank == SIZE_MAX)
		return only_scheme ? STR_NULL : value;
	if (only_scheme && !str_eq_ci(str_first(value, blank), scheme))
		return STR_NULL;
	return str_trim(str_from(value, blank + 1));
}

enum step token_find(struct exchange *x, const struct token_config *c, bool only_scheme, struct str scheme, struct token_state *s)
{
	struct str name, value;

	if (c->value.given || c->value.expr) {
		if (!arg_get_text(x, &c->value, &value))
			return STEP_FAIL;
		s->text = str_trim(value);
	} else if (c->query.given || c->query.expr) {
		if (!arg_get_text(x, &c->query, &name))
			return STEP_FAIL;
		if (query_value(x, name, &value))
			s->text = str_trim(value);
	} else {
		if (!arg_get_text(x, &c->header, &name))
			return STEP_FAIL;
		value = str_trim(fields_get(&x->request.headers, name));
		s->text = without_scheme(value, only_scheme && str_eq_ci(name, STR("Authorization")), scheme);
	}
	if (s->text.n > 0 && x->trace_on && x->host->hide && !x->host->hide(x, s->text))
		return exchange_no_memory(x);
	return s->text.n > 0 ? STEP_NEXT : not_present(x, c);
}

/* ---- the signature ---------------------------------------------------------------------------------------------------- */

/* Of several refusals the one that says most. */
static unsigned weight(enum jose_reason r)
{
	switch (r) {
	case JOSE_KEY_NOT_FOUND:
		return 1;
	case JOSE_ALG_NOT_ALLOWED:
		return 2;
	case JOSE_SIGNATURE:
		return 3;
	default:
		return 4;
	}
}

static enum jose_reason verify_all(struct exchange *x, struct token_state *s, bool need_signature, struct jose_token *out)
{
	enum jose_reason worst = JOSE_KEY_NOT_FOUND;

	for (size_t i = 0; i <= s->n_providers; i++) {
		const struct jose_rules rules = {
			.keys = i < s->n_providers ? s->providers[i].keys : s->signing,
			.decryption_keys = s->decryption,
			.allow_unsigned = !need_signature,
		};
		enum jose_reason r = jose_verify(x->arena, s->text, &rules, out);

		if (r == JOSE_OK)
			return r;
		if (weight(r) > weight(worst))
			worst = r;
	}
	return worst;
}

/* Should the providers be asked for their keys again? */
static bool may_renew(struct token_state *s, enum jose_reason r, const struct jose_token *t)
{
	if (s->renewed || !(r == JOSE_KEY_NOT_FOUND || (r == JOSE_SIGNATURE && str_is_null(t->kid))))
		return false;
	for (size_t i = 0; i < s->n_providers; i++) {
		struct openid_state *p = &s->providers[i];

		*p = (struct openid_state){ .fetched = { .url = p->fetched.url, .renew = true } };
	}
	return s->n_providers > 0;
}

/* Under the keys that are there now. */
static void name_token(struct token_state *s, bool need_signature)
{
	struct verified_by by = { .unsigned_too = !need_signature };

	_Static_assert(TOKEN_PROVIDERS_MAX + 2 <= VERIFIED_SETS_MAX, "every set has room");
	for (size_t i = 0; i < s->n_providers; i++)
		by.sets[by.n++] = jose_keys_id(s->providers[i].keys);
	by.sets[by.n++] = jose_keys_id(s->signing);
	by.sets[by.n++] = jose_keys_id(s->decryption);
	verified_name(&by, s->of_text, s->name);
}

void token_settle(struct token_state *s, enum jose_reason r, const struct jose_token *t)
{
	if (!s->memory)
		return;
	if (r == JOSE_OK && !s->remembered)
		verified_put(s->memory, s->name, t);
	else if (r == JOSE_EXPIRED)
		verified_forget(s->memory, s->name);
}

static enum step keys_missing(struct exchange *x, const struct token_config *c, const struct fetched *f)
{
	const struct token_compared was = { .check = "keys", .expected = f->url, .got = f->why, .shown = true };

	return token_refuse(x, c, JOSE_KEY_NOT_FOUND, arena_printf(x->arena, "The keys of %.*s are not available: %.*s", STR_ARG(f->url),
			    STR_ARG(f->why)), &was);
}

/* For the record. */
static struct str whose_keys(struct exchange *x, const struct token_config *c, const struct token_state *s)
{
	struct str names[TOKEN_PROVIDERS_MAX + 1];
	size_t n = 0;

	for (; n < s->n_providers; n++)
		names[n] = s->providers[n].issuer.n ? s->providers[n].issuer : s->providers[n].fetched.url;
	if (c->signing_keys.n)
		names[n++] = STR("the policy");
	return n ? token_compared_list(x->arena, names, n) : STR("nobody");
}

enum step token_verify(struct exchange *x, const struct token_config *c, struct token_state *s, bool need_signature,
		       struct jose_token *out)
{
	struct token_compared was;
	enum jose_reason r;
	enum step step;

	if (s->memory)
		name_token(s, need_signature);
	s->remembered = s->memory && verified_get(s->memory, s->name, x->arena, s->text, c->variable.text.n > 0, out);
	if (s->remembered)
		return STEP_NEXT;
	r = verify_all(x, s, need_signature, out);
	if (may_renew(s, r, out)) {
		s->renewed = true;
		s->at = 0;
		step = token_keys(x, c, s);
		if (step != STEP_NEXT)
			return step;
		r = verify_all(x, s, need_signature, out);
		if (s->memory)
			name_token(s, need_signature);
	}
	if (r == JOSE_OK)
		return STEP_NEXT;
	if (r == JOSE_MEMORY)
		return exchange_no_memory(x);
	for (size_t i = 0; r == JOSE_KEY_NOT_FOUND && i < s->n_providers; i++)
		if (!s->providers[i].keys)
			return keys_missing(x, c, &s->providers[i].fetched);
	was = token_compared_signature(x->arena, r, out, whose_keys(x, c, s), s->text.n);
	return token_refuse(x, c, r, str_of(jose_reason_text(r)), &was);
}

/* ---- claims ----------------------------------------------------------------------------------------------------------- */

bool token_values(struct exchange *x, const struct children *lists, const struct str **out, size_t *n)
{
	struct str *v;
	size_t most = 0;

	for (size_t l = 0; l < lists->n; l++)
		most += ((const struct token_list *)lists->v[l].config)->items.n;
	v = arena_alloc(x->arena, most + 1, sizeof(*v));
	if (!v) {
		exchange_no_memory(x);
		return false;
	}
	*n = 0;
	for (size_t l = 0; l < lists->n; l++) {
		const struct children *items = &((const struct token_list *)lists->v[l].config)->items;

		for (size_t i = 0; i < items->n; i++)
			if (!arg_get_text(x, &((const struct token_value *)items->v[i].config)->text, &v[(*n)++]))
				return false;
	}
	*out = v;
	return true;
}

static struct str claim_text(struct arena *a, const json_t *v)
{
	return json_is_string(v) ? jsn_string(v) : jsn_text(a, v, 0);
}

/* The values of a claim: members of a list, or the parts of a text between separators. */
static const struct str *claim_values(struct arena *a, json_t *v, struct str separator, size_t *n)
{
	struct str text = claim_text(a, v), *out;
	size_t most = json_is_array(v) ? json_array_size(v) : text.n + 1, i;
	json_t *item;

	*n = 0;
	out = arena_alloc(a, most + 1, sizeof(*out));
	if (!out)
		return NULL;
	if (json_is_array(v)) {
		json_array_foreach(v, i, item)
			out[(*n)++] = claim_text(a, item);
		return out;
	}
	if (separator.n == 0) {
		out[(*n)++] = text;
		return out;
	}
	for (;;) {
		size_t at = str_find(text, separator);

		out[(*n)++] = str_first(text, at);
		if (at == SIZE_MAX)
			return out;
		text = str_from(text, at + separator.n);
	}
}

static bool has(const struct str *v, size_t n, struct str want)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i], want))
			return true;
	return false;
}

static enum step refuse_value(struct exchange *x, const struct token_config *c, struct str name, const struct str *wanted, size_t n,
			      struct str got)
{
	struct token_compared was = { .expected = token_compared_list(x->arena, wanted, n), .got = got, .shown = true, .too_little = true };

	was.check = arena_printf(x->arena, "claim %.*s", STR_ARG(str_first(name, COMPARED_VALUE_MAX))).p;
	return refuse(x, c, STR("TokenClaimValueNotAllowed"),
		      arena_printf(x->arena, "Claim %.*s value of %.*s is not allowed. Access denied.", STR_ARG(name),
				   STR_ARG(str_first(got, 200))), STR("Invalid JWT."), &was);
}

static enum step check_claim(struct exchange *x, const struct token_config *c, const struct token_claim *want, struct str name,
			     json_t *claim)
{
	struct str separator, *wanted = arena_alloc(x->arena, want->values.n + 1, sizeof(*wanted));
	const struct str *values;
	size_t n, found = 0;
	int64_t match;

	if (!arg_get_int(x, &want->match, &match) || !arg_get_text(x, &want->separator, &separator))
		return STEP_FAIL;
	values = claim_values(x->arena, claim, separator, &n);
	if (!values || !wanted)
		return exchange_no_memory(x);
	for (size_t i = 0; i < want->values.n; i++) {
		if (!arg_get_text(x, &((const struct token_value *)want->values.v[i].config)->text, &wanted[i]))
			return STEP_FAIL;
		found += has(values, n, wanted[i]);
	}
	if (want->values.n == 0 || (match == MATCH_ANY ? found > 0 : found == want->values.n))
		return STEP_NEXT;
	return refuse_value(x, c, name, wanted, want->values.n, claim_text(x->arena, claim));
}

enum step token_claims(struct exchange *x, const struct token_config *c, const json_t *claims)
{
	struct token_compared was = { .check = "claims", .got = STR_INIT("none"), .shown = true, .too_little = true };
	struct str missing = STR_NULL;

	for (size_t l = 0; l < c->claims.n; l++) {
		const struct children *items = &((const struct token_list *)c->claims.v[l].config)->items;

		for (size_t i = 0; i < items->n; i++) {
			const struct token_claim *want = items->v[i].config;
			enum step step = STEP_NEXT;
			struct str name;
			json_t *claim;

			if (!arg_get_text(x, &want->name, &name))
				return STEP_FAIL;
			claim = jsn_get_n(claims, name);
			if (!claim)
				missing = arena_printf(x->arena, "%.*s%s%.*s", STR_ARG(missing), missing.n ? ", " : "", STR_ARG(name));
			else if (!missing.n)
				step = check_claim(x, c, want, name, claim);
			if (step != STEP_NEXT)
				return step;
		}
	}
	if (!missing.n)
		return STEP_NEXT;
	was.expected = missing;
	return refuse(x, c, STR("TokenClaimNotFound"),
		      arena_printf(x->arena, "JWT token is missing the following claims: %.*s. Access denied.", STR_ARG(missing)),
		      STR("Invalid JWT."), &was);
}

enum step token_done(struct exchange *x, const struct token_config *c, const struct token_state *s, const struct jose_token *t)
{
	exchange_trace(x, "token is valid%s%.*s%s", t->kid.p ? ", key " : "", STR_ARG(str_first(t->kid, 80)),
		       s->remembered ? ", its signature was checked before" : "");
	if (!c->variable.text.n)
		return STEP_NEXT;
	if (!exchange_set_variable(x, c->variable.text, jwt_value(x->arena, t->raw)))
		return exchange_no_memory(x);
	return STEP_NEXT;
}

/* ---- verdicts ----------------------------------------------------------------------------------------------------------- */

/* Nothing is looked up under the name of one that is too large: that is refused, and has to be read whole for its name. */
bool token_passed(struct exchange *x, const struct token_config *c, struct token_state *s, enum step *step)
{
	struct lru *verdicts = c->number && x->host->verdicts ? x->host->verdicts(x) : NULL;
	struct jose_token t = { .raw = s->text };
	uint8_t name[LRU_DIGEST_BYTES];

	s->memory = s->text.n <= JOSE_MAX_TOKEN_BYTES && x->host->verified ? x->host->verified(x) : NULL;
	if (!s->memory)
		return false;
	crypto_name(s->text, s->of_text);
	if (!verdicts)
		return false;
	verdict_name(c->number, s->of_text, name);
	if (!verdict_get(verdicts, name, x->host->now_us(x), openid_version(), &t.kid))
		return false;
	s->remembered = true;
	*step = token_done(x, c, s, &t);
	return true;
}

void token_keep(struct exchange *x, const struct token_config *c, const struct token_state *s, const struct jose_token *t, int64_t skew_s)
{
	struct lru *verdicts = c->number && s->memory && x->host->verdicts ? x->host->verdicts(x) : NULL;
	const struct jose_claim_rules rules = { .skew_s = skew_s };
	int64_t now_us = x->host->now_us(x);
	struct verdict v = { .kid = t->kid };
	uint8_t name[LRU_DIGEST_BYTES];

	if (!verdicts || t->encrypted)           /* of an encrypted one the variable would want what was inside */
		return;
	jose_claim_window(t->claims, &rules, &v.from_us, &v.until_us);
	v.from_us *= 1000000;
	v.until_us *= 1000000;
	for (size_t i = 0; i < s->n_providers; i++) {
		uint64_t version;
		int64_t until_us = openid_settled(&s->providers[i], now_us, &version);

		if (i && version != v.issuers)
			return;                  /* another thread has changed one of them since */
		v.issuers = version;
		if (until_us < v.until_us)
			v.until_us = until_us;
	}
	if (now_us >= v.until_us)
		return;
	verdict_name(c->number, s->of_text, name);
	verdict_put(verdicts, name, &v);
}

/* ---- elements that both policies have ------------------------------------------------------------------------------------ */

static const struct arg_schema value_text = {
	.name = "value", .kind = ARG_TEXT, .flags = ARG_EXPR | ARG_REQUIRED, .offset = offsetof(struct token_value, text),
	.help = "an accepted value",
};

#define LIST(var, tag, item_tag, what, what_item)                                                                     \
	static const struct element_schema var##_item = {                                                             \
		.name = item_tag, .help = what_item, .config_size = sizeof(struct token_value), .text = &value_text,  \
	};                                                                                                            \
	static const struct child_schema var##_children[] = {                                                         \
		{ .element = &var##_item, .min = 1, .offset = offsetof(struct token_list, items) },                   \
	};                                                                                                            \
	const struct element_schema var = {                                                                           \
		.name = tag, .help = what, .config_size = sizeof(struct token_list), .children = var##_children, .n_children = 1, \
	}

LIST(token_audiences_schema, "audiences", "audience", "For whom the token may be: one of these must be its audience.",
     "An accepted audience.");
LIST(token_issuers_schema, "issuers", "issuer", "Who may have issued the token, besides the providers of openid-config.",
     "An accepted issuer.");

static const struct element_schema claim_value = {
	.name = "value", .help = "A value of the claim.", .config_size = sizeof(struct token_value), .text = &value_text,
};
static const struct child_schema claim_children[] = {
	{ .element = &claim_value, .offset = offsetof(struct token_claim, values) },
};
static const struct arg_schema claim_args[] = {
	{ .name = "name", .kind = ARG_TEXT, .flags = ARG_REQUIRED | ARG_EXPR, .offset = offsetof(struct token_claim, name),
	  .help = "name of the claim" },
	{ .name = "match", .kind = ARG_ENUM, .flags = ARG_EXPR, .choices = "all|any", .def = "all", .offset = offsetof(struct token_claim, match),
	  .help = "whether all of the values must be there or any of them" },
	{ .name = "separator", .kind = ARG_TEXT, .flags = ARG_EXPR | ARG_EMPTY, .offset = offsetof(struct token_claim, separator),
	  .help = "cuts one text into several values" },
};
static const struct element_schema claim_schema = {
	.name = "claim", .help = "A claim that must be there, with a value.", .config_size = sizeof(struct token_claim), .args = claim_args,
	.n_args = ARRAY_LEN(claim_args), .children = claim_children, .n_children = 1,
};
static const struct child_schema claims_children[] = {
	{ .element = &claim_schema, .min = 1, .offset = offsetof(struct token_list, items) },
};
const struct element_schema token_claims_schema = {
	.name = "required-claims", .help = "Claims that the token must have.", .config_size = sizeof(struct token_list),
	.children = claims_children, .n_children = 1,
};

static const struct arg_schema key_text = {
	.name = "key", .kind = ARG_TEXT, .flags = ARG_EXPR | ARG_EMPTY | ARG_SECRET, .offset = offsetof(struct token_key, text),
	.help = "a shared secret in Base64",
};
static const struct arg_schema key_args[] = {
	{ .name = "id", .kind = ARG_TEXT, .flags = ARG_EXPR, .offset = offsetof(struct token_key, id), .help = "the kid of tokens made with it" },
	{ .name = "certificate-id", .kind = ARG_TEXT, .flags = ARG_EXPR, .offset = offsetof(struct token_key, certificate),
	  .help = "a certificate of the installation" },
	{ .name = "n", .kind = ARG_TEXT, .offset = offsetof(struct token_key, n), .help = "modulus of an RSA key in base64url" },
	{ .name = "e", .kind = ARG_TEXT, .offset = offsetof(struct token_key, e), .help = "exponent of an RSA key in base64url" },
};
static const struct element_schema key_schema = {
	.name = "key", .help = "A key.", .config_size = sizeof(struct token_key), .args = key_args, .n_args = ARRAY_LEN(key_args),
	.text = &key_text,
};
static const struct child_schema keys_children[] = {
	{ .element = &key_schema, .min = 1, .offset = offsetof(struct token_list, items) },
};
const struct element_schema token_signing_schema = {
	.name = "issuer-signing-keys", .help = "Keys that tokens may be signed with.", .config_size = sizeof(struct token_list),
	.children = keys_children, .n_children = 1,
};
const struct element_schema token_decryption_schema = {
	.name = "decryption-keys", .help = "Keys that encrypted tokens are opened with.", .config_size = sizeof(struct token_list),
	.children = keys_children, .n_children = 1,
};
