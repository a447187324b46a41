#include "policy/elements/token_compared.h"

#include "core/buf.h"
#include "core/str.h"

/* A value of the client's must not forge a second one. */
static void add_value(struct buf *b, const char *name, struct str v)
{
	bool cut = v.n > COMPARED_VALUE_MAX;

	if (!v.n)
		return;
	buf_fmt(b, " %s=\"", name);
	v = str_first(v, COMPARED_VALUE_MAX);
	for (size_t i = 0; i < v.n; i++)
		buf_char(b, v.p[i] == '"' || v.p[i] == '\\' || (unsigned char)v.p[i] < ' ' || v.p[i] == 0x7f ? '\'' : v.p[i]);
	buf_cstr(b, cut ? "…\"" : "\"");
}

struct str token_compared_text(struct arena *a, const char *method, const struct token_compared *c)
{
	struct str out;
	struct buf b;

	buf_init(&b, 4 * COMPARED_MAX);
	buf_fmt(&b, "method=%s check=\"%s\"", method ? method : "none", c->check ? c->check : "none");
	add_value(&b, "expected", c->expected);
	add_value(&b, "got", c->got);
	add_value(&b, "kid", c->kid);
	add_value(&b, "missing", c->scope);
	out = buf_ok(&b) ? arena_dup(a, str_first(buf_view(&b), COMPARED_MAX)) : STR_NULL;
	buf_release(&b);
	return out;
}

struct str token_compared_list(struct arena *a, const struct str *v, size_t n)
{
	struct str out;
	struct buf b;

	buf_init(&b, COMPARED_MAX);
	for (size_t i = 0; i < n && b.n <= COMPARED_VALUE_MAX; i++)
		buf_fmt(&b, "%s%.*s", i ? ", " : "", STR_ARG(str_first(v[i], COMPARED_VALUE_MAX)));
	out = buf_ok(&b) ? arena_dup(a, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return out;
}

static struct str or_none(struct str s)
{
	return s.n ? s : STR("none");
}

struct token_compared token_compared_signature(struct arena *a, enum jose_reason r, const struct jose_token *t, struct str keys,
					       size_t bytes)
{
	struct str alg = or_none(jsn_str(t->header, "alg"));
	struct token_compared c = { .check = "form", .expected = STR("a compact JWS"), .got = str_of(jose_reason_text(r)), .shown = true,
				    .kid = t->kid };

	switch (r) {
	case JOSE_TOO_LARGE:
		c.check = "size";
		c.expected = arena_printf(a, "at most %u bytes", JOSE_MAX_TOKEN_BYTES);
		c.got = arena_printf(a, "%zu bytes", bytes);
		break;
	case JOSE_CRITICAL:
		c.check = "crit";
		c.expected = STR("no extension that is not understood");
		c.got = jsn_text(a, jsn_get(t->header, "crit"), 0);
		break;
	case JOSE_ALG_NOT_ALLOWED:
		c.check = "alg";
		c.expected = arena_printf(a, "an algorithm of the keys of %.*s", STR_ARG(keys));
		c.got = alg;
		break;
	case JOSE_UNSIGNED:
		c.check = "alg";
		c.expected = STR("a signed token");
		c.got = arena_printf(a, "%.*s without a signature", STR_ARG(str_first(alg, COMPARED_VALUE_MAX)));
		break;
	case JOSE_KEY_NOT_FOUND:
		c.check = "kid";
		c.expected = arena_printf(a, "a key of %.*s", STR_ARG(keys));
		c.got = or_none(t->kid);
		break;
	case JOSE_SIGNATURE:
		c.check = "signature";
		c.expected = arena_printf(a, "a signature by a key of %.*s", STR_ARG(keys));
		c.got = arena_printf(a, "another signature (%.*s)", STR_ARG(str_first(alg, COMPARED_VALUE_MAX)));
		break;
	case JOSE_DECRYPTION:
		c.check = "decryption";
		c.expected = STR("a token for a decryption key");
		c.got = STR("one that none of them opens");
		break;
	case JOSE_HEADER:
		c.check = "header";
		c.expected = STR("a JOSE header with alg");
		break;
	case JOSE_CLAIMS:
		c.check = "claims";
		c.expected = STR("a JSON object, each name once, times as numbers");
		break;
	case JOSE_MEMORY:
		c.check = "memory";
		break;
	default:
		break;
	}
	return c;
}

struct token_compared token_compared_claims(struct arena *a, enum jose_reason r, const struct jose_token *t,
					    const struct jose_claim_rules *rules)
{
	struct token_compared c = token_compared_signature(a, r, t, STR_NULL, 0);
	const char *claim = r == JOSE_NOT_YET ? "nbf" : r == JOSE_ISSUER ? "iss" : r == JOSE_AUDIENCE ? "aud" : "exp";
	json_t *v = jsn_get(t->claims, claim);
	struct str text = json_is_string(v) ? jsn_string(v) : v ? jsn_text(a, v, 0) : STR_NULL;

	if (r == JOSE_CLAIMS)
		return c;
	c.check = r == JOSE_ISSUER ? "issuer" : r == JOSE_AUDIENCE ? "audience" : claim;
	c.got = or_none(text);
	if (r == JOSE_NO_EXPIRY)
		c.expected = STR("a time");
	else if (r == JOSE_EXPIRED)
		c.expected = arena_printf(a, "after %lld", (long long)(rules->now_s - rules->skew_s));
	else if (r == JOSE_NOT_YET)
		c.expected = arena_printf(a, "not after %lld", (long long)(rules->now_s + rules->skew_s));
	else if (r == JOSE_ISSUER)
		c.expected = token_compared_list(a, rules->issuers, rules->n_issuers);
	else if (r == JOSE_AUDIENCE)
		c.expected = token_compared_list(a, rules->audiences, rules->n_audiences);
	return c;
}
