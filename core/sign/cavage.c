/* cavage.c - HTTP Signatures as many gateways and clients had them before RFC 9421 (draft-cavage-http-signatures-12), with a
 * shared secret:
 *
 *   Authorization: Signature keyId="k",algorithm="hmac-sha256",headers="(request-target) host date digest",signature="base64"
 *   Authorization: hmac username="k", algorithm="hmac-sha256", headers="date @request-target", signature="base64"
 *
 * What is signed are lines "name: value", joined by line breaks, of the fields that `headers` names in its order. Of the body
 * there is the field Digest (RFC 3230). */
#include "core/sign/internal.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdio.h>

enum { MAC_MAX = 64, PARAMETERS_MAX = 16 };

/* Cuts `name="value"` or name=value off *rest. False: nothing more, or it cannot be read (*bad). */
static bool next_parameter(struct str *rest, struct str *name, struct str *value, bool *bad)
{
	struct str s = str_trim(*rest);
	size_t equals, end;

	while (s.n && (s.p[0] == ',' || ascii_is_space(s.p[0])))
		s = str_from(s, 1);
	*bad = false;
	if (!s.n)
		return false;
	equals = str_find_char(s, '=');
	*bad = true;
	if (equals == SIZE_MAX || !equals)
		return false;
	*name = str_trim(str_first(s, equals));
	s = str_from(s, equals + 1);
	if (s.n && s.p[0] == '"') {
		end = str_find_char(str_from(s, 1), '"');
		if (end == SIZE_MAX)
			return false;
		*value = str_first(str_from(s, 1), end);
		*rest = str_from(s, end + 2);
	} else {
		end = str_find_char(s, ',');
		*value = str_trim(str_first(s, end));
		*rest = end == SIZE_MAX ? str_from(s, s.n) : str_from(s, end + 1);
	}
	*bad = false;
	return true;
}

static void take_parameter(struct cavage_claim *c, struct str name, struct str value, struct str *signature)
{
	uint64_t n;

	if (str_eq_ci(name, STR("keyId")) || str_eq_ci(name, STR("username")))
		c->key_id = value;
	else if (str_eq_ci(name, STR("algorithm")))
		c->algorithm = value;
	else if (str_eq_ci(name, STR("headers")))
		c->headers = value;
	else if (str_eq_ci(name, STR("signature")))
		*signature = value;
	else if (str_eq_ci(name, STR("created")) && str_to_u64(value, INT64_MAX / 1000000, &n))
		c->created = value, c->created_s = (int64_t)n;
	else if (str_eq_ci(name, STR("expires")) && str_to_u64(str_first(value, str_find_char(value, '.')), INT64_MAX / 1000000, &n))
		c->expires = value, c->expires_s = (int64_t)n;
}

bool cavage_covers(const struct cavage_claim *c, struct str name)
{
	for (struct str rest = c->headers, one; str_word(&rest, &one);)
		if (str_eq_ci(one, name))
			return true;
	return false;
}

/* When it was signed, by what is signed: (created), else X-Date, else Date. 0: nothing signed says it. */
static int64_t signed_at(struct arena *a, const struct sign_request *rq, const struct cavage_claim *c)
{
	static const struct str fields[] = { STR_INIT("X-Date"), STR_INIT("Date") };

	if (cavage_covers(c, STR("(created)")))
		return c->created_s;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		struct str text = cavage_covers(c, fields[i]) ? sign_field_value(a, rq, fields[i], ", ", true) : STR_NULL;
		time_t at = text.n ? curl_getdate(arena_printf(a, "%.*s", STR_ARG(text)).p, NULL) : -1;

		if (text.n)
			return at > 0 ? (int64_t)at : 0;
	}
	return 0;
}

enum sign_verdict cavage_parse(struct arena *a, const struct sign_request *rq, struct cavage_claim *out)
{
	struct str text = sign_field_value(a, rq, STR("Authorization"), ", ", false), name, value, signature = STR_NULL;
	bool bad = false;

	*out = (struct cavage_claim){ .headers = STR("date") };      /* section 2.1.6: what is signed when nothing is named */
	if (str_starts_ci(text, STR("Signature ")))
		text = str_from(text, 10);
	else if (str_starts_ci(text, STR("hmac ")))
		text = str_from(text, 5);
	else
		text = sign_field_value(a, rq, STR("Signature"), ", ", false);
	if (!text.p)
		return SIGN_MISSING;
	for (size_t i = 0; next_parameter(&text, &name, &value, &bad); i++) {
		if (i == PARAMETERS_MAX)
			return SIGN_MALFORMED;
		take_parameter(out, name, value, &signature);
	}
	if (bad || !out->key_id.n || !signature.n || signature.n > MAC_MAX * 2 || !out->headers.n
	    || !crypto_base64_decode(a, signature, &out->signature))
		return SIGN_MALFORMED;
	out->at_s = signed_at(a, rq, out);
	return SIGN_OK;
}

static struct str lower(struct arena *a, struct str s)
{
	char *p = arena_alloc_text(a, s.n + 1);

	for (size_t i = 0; p && i < s.n; i++)
		p[i] = ascii_lower(s.p[i]);
	return p ? (struct str){ p, s.n } : STR_NULL;
}

static bool add_line(struct arena *a, struct buf *b, const struct sign_request *rq, const struct cavage_claim *c, struct str name)
{
	struct str plain = lower(a, name), value;

	if (str_eq(plain, STR("(request-target)")) || str_eq(plain, STR("@request-target"))) {
		struct str method = lower(a, rq->method);

		buf_fmt(b, "%.*s: %.*s %.*s%s%.*s", STR_ARG(plain), STR_ARG(method), STR_ARG(rq->path), rq->query.n ? "?" : "",
			STR_ARG(rq->query));
		return method.p != NULL;
	}
	if (str_eq(plain, STR("(created)")))
		value = c->created;
	else if (str_eq(plain, STR("(expires)")))
		value = c->expires;
	else
		value = sign_field_value(a, rq, name, ", ", false);
	buf_fmt(b, "%.*s: %.*s", STR_ARG(plain), STR_ARG(value));
	return value.p != NULL;
}

struct str cavage_text(struct arena *a, const struct sign_request *rq, const struct cavage_claim *c)
{
	struct buf b;
	bool ok = true;

	buf_init(&b, SIGN_TEXT_MAX);
	for (struct str rest = c->headers, one; ok && str_word(&rest, &one);) {
		if (b.n)
			buf_char(&b, '\n');
		ok = add_line(a, &b, rq, c, one);
	}
	if (ok)
		return sign_take(a, &b);
	buf_release(&b);
	return STR_NULL;
}

static const char *digest_of(struct str algorithm)
{
	static const struct {
		struct str name;
		const char *digest;
	} table[] = { { STR_INIT("hmac-sha256"), "SHA256" }, { STR_INIT("hmac-sha384"), "SHA384" }, { STR_INIT("hmac-sha512"), "SHA512" } };

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (str_eq_ci(table[i].name, algorithm))
			return table[i].digest;
	return NULL;
}

/* What must be signed: the method and the address, the host, the time, and of a body its digest. */
static bool covers_enough(const struct cavage_claim *c, bool body)
{
	bool target = cavage_covers(c, STR("(request-target)")) || cavage_covers(c, STR("@request-target"));

	return target && cavage_covers(c, STR("host")) && c->at_s && (!body || cavage_covers(c, STR("digest")));
}

static enum sign_verdict check_digest(struct arena *a, const struct sign_request *rq, struct str body)
{
	struct str rest = sign_field_value(a, rq, STR("Digest"), ",", false), part, given;
	uint8_t digest[CRYPTO_SHA256_BYTES];

	crypto_sha256(body, digest);
	while (str_split(&rest, ',', &part)) {
		part = str_trim(part);
		if (str_starts_ci(part, STR("SHA-256=")) && crypto_base64_decode(a, str_from(part, 8), &given))
			return crypto_equal(given, (struct str){ (const char *)digest, sizeof(digest) }) ? SIGN_OK : SIGN_PAYLOAD;
	}
	return SIGN_PAYLOAD;
}

enum sign_verdict cavage_verify(struct arena *a, const struct sign_request *rq, const struct cavage_claim *c, struct str secret,
				struct str body, int64_t now_s, int64_t window_s)
{
	int64_t away = now_s > c->at_s ? now_s - c->at_s : c->at_s - now_s;
	const char *digest = digest_of(c->algorithm);
	uint8_t mac[MAC_MAX];
	struct str text;
	size_t n = 0;

	if (!digest)
		return SIGN_ALGORITHM;
	if (!covers_enough(c, body.n > 0))
		return SIGN_NOT_COVERED;
	if (away > window_s)
		return SIGN_TIME;
	if (c->expires_s && now_s > c->expires_s)
		return SIGN_EXPIRED;
	text = cavage_text(a, rq, c);
	if (!text.p)
		return SIGN_COMPONENT;
	if (!EVP_Q_mac(NULL, "HMAC", NULL, digest, NULL, secret.p, secret.n, (const unsigned char *)text.p, text.n, mac, sizeof(mac), &n))
		return SIGN_NO_MEMORY;
	if (!crypto_equal(c->signature, (struct str){ (const char *)mac, n }))
		return SIGN_MISMATCH;
	return cavage_covers(c, STR("digest")) ? check_digest(a, rq, body) : SIGN_OK;
}
