#include "core/trace_token.h"

#include "core/json.h"
#include "core/str.h"

enum { VERSION = 1, CLAIMS_DEPTH = 2 };

struct str trace_token_reason(enum trace_token_result r)
{
	static const struct str reasons[TRACE_TOKEN__COUNT] = {
		[TRACE_TOKEN_OK] = STR_INIT(""),
		[TRACE_TOKEN_MALFORMED] = STR_INIT("malformed token"),
		[TRACE_TOKEN_FORGED] = STR_INIT("wrong signature"),
		[TRACE_TOKEN_EXPIRED] = STR_INIT("expired token"),
		[TRACE_TOKEN_TOO_LONG] = STR_INIT("token lives too long"),
		[TRACE_TOKEN_OTHER] = STR_INIT("token of another subscription"),
		[TRACE_TOKEN_OTHER_API] = STR_INIT("token of another API"),
	};

	return reasons[r];
}

void trace_token_key(const uint8_t master[CRYPTO_KEY_BYTES], uint8_t key[CRYPTO_KEY_BYTES])
{
	crypto_hmac_sha256((struct str){ (const char *)master, CRYPTO_KEY_BYTES }, STR("trace-token"), key);
}

static void sign(const uint8_t key[CRYPTO_KEY_BYTES], struct str text, uint8_t out[CRYPTO_SHA256_BYTES])
{
	crypto_hmac_sha256((struct str){ (const char *)key, CRYPTO_KEY_BYTES }, text, out);
}

gh_rc trace_token_make(struct arena *a, const uint8_t key[CRYPTO_KEY_BYTES], const struct trace_claims *claims,
		       struct str *out, struct gh_err *err)
{
	uint8_t mac[CRYPTO_SHA256_BYTES];
	struct str text, signature;
	struct buf b;

	if (claims->admin == (claims->subscription.n > 0))
		FAIL(err, INVALID, "a trace token is for one subscription or for all calls");
	buf_init(&b, TRACE_TOKEN_MAX);
	buf_fmt(&b, "{\"v\":%d,\"exp\":%lld,\"sub\":", VERSION, (long long)claims->expires_s);
	if (claims->admin)
		buf_cstr(&b, "null");
	else
		buf_json(&b, claims->subscription);
	if (claims->api.n) {
		buf_cstr(&b, ",\"api\":");
		buf_json(&b, claims->api);
	}
	buf_fmt(&b, ",\"admin\":%s}", claims->admin ? "true" : "false");
	text = buf_ok(&b) ? crypto_base64url(a, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	if (!text.p)
		FAIL(err, INVALID, "the id of the subscription is too long for a trace token");
	sign(key, text, mac);
	signature = crypto_base64url(a, (struct str){ (const char *)mac, sizeof(mac) });
	*out = arena_printf(a, "%.*s.%.*s", STR_ARG(text), STR_ARG(signature));
	if (!signature.p || !out->p)
		FAIL(err, NOMEM, "no memory for a trace token");
	if (out->n > TRACE_TOKEN_MAX)
		FAIL(err, INVALID, "the id of the subscription is too long for a trace token");
	return GH_RC_OK;
}

/* What the claims allow; they are known to be ours. */
static enum trace_token_result judge(const json_t *text, int64_t now_s, const struct trace_call *call, struct trace_claims *c)
{
	if (jsn_int(text, "v", 0) != VERSION)
		return TRACE_TOKEN_MALFORMED;
	*c = (struct trace_claims){ .expires_s = jsn_int(text, "exp", 0), .subscription = jsn_str(text, "sub"),
				    .api = jsn_str(text, "api"), .admin = jsn_bool(text, "admin", false) };
	if (c->expires_s <= now_s)
		return TRACE_TOKEN_EXPIRED;
	if (c->expires_s - now_s > TRACE_TOKEN_LIFE_S)
		return TRACE_TOKEN_TOO_LONG;
	if (c->api.n && !str_eq(c->api, call->api))
		return TRACE_TOKEN_OTHER_API;
	if (c->admin || (call->refused && !call->subscription.n && c->subscription.n))
		return TRACE_TOKEN_OK;
	return c->subscription.n && crypto_equal(c->subscription, call->subscription) ? TRACE_TOKEN_OK : TRACE_TOKEN_OTHER;
}

enum trace_token_result trace_token_check(struct arena *a, const uint8_t key[CRYPTO_KEY_BYTES], struct str token,
					  int64_t now_s, const struct trace_call *call, struct trace_claims *claims)
{
	const struct jsn_limits limits = { .max_bytes = TRACE_TOKEN_MAX, .max_depth = CLAIMS_DEPTH, .flags = JSN_UNIQUE_KEYS };
	size_t dot = token.n <= TRACE_TOKEN_MAX ? str_find_char(token, '.') : SIZE_MAX;
	uint8_t mac[CRYPTO_SHA256_BYTES];
	struct trace_claims ignored;
	struct str signature, text;
	json_t *parsed;

	if (dot == SIZE_MAX || !crypto_base64url_decode(a, str_from(token, dot + 1), &signature))
		return TRACE_TOKEN_MALFORMED;
	sign(key, str_first(token, dot), mac);
	if (!crypto_equal(signature, (struct str){ (const char *)mac, sizeof(mac) }))
		return TRACE_TOKEN_FORGED;
	if (!crypto_base64url_decode(a, str_first(token, dot), &text)
	    || jsn_parse_in(a, text, &limits, &parsed, NULL, NULL).code)
		return TRACE_TOKEN_MALFORMED;
	return judge(parsed, now_s, call, claims ? claims : &ignored);
}
