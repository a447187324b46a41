/* hmac.c - HMAC over a list of parts that a partner has laid down. */
#include "core/clock.h"
#include "core/sign/internal.h"

#include <openssl/evp.h>

enum { MAC_MAX = 64 };

static struct str or_text(struct str s, const char *otherwise)
{
	return s.p ? s : str_of(otherwise);
}

static const char *digest_name(const struct hmac_scheme *s)
{
	static const struct {
		struct str name;
		const char *openssl;
	} digests[] = { { STR_INIT("sha256"), "SHA256" }, { STR_INIT("sha384"), "SHA384" }, { STR_INIT("sha512"), "SHA512" } };
	struct str name = or_text(s->digest, "sha256");

	for (size_t i = 0; i < ARRAY_LEN(digests); i++)
		if (str_eq(digests[i].name, name))
			return digests[i].openssl;
	return NULL;
}

enum part { PART_METHOD, PART_SCHEME, PART_HOST, PART_PATH, PART_QUERY, PART_TARGET, PART_TIMESTAMP, PART_NONCE, PART_KEY_ID,
	    PART_BODY, PART_BODY_SHA256, PART_BODY_SHA256_BASE64, PART_HEADER, PART_TEXT, PART__COUNT };

static const struct str part_names[PART_HEADER] = {
	STR_INIT("method"), STR_INIT("scheme"), STR_INIT("host"), STR_INIT("path"), STR_INIT("query"), STR_INIT("target"),
	STR_INIT("timestamp"), STR_INIT("nonce"), STR_INIT("key-id"), STR_INIT("body"), STR_INIT("body-sha256"),
	STR_INIT("body-sha256-base64"),
};

static enum part part_of(struct str text, struct str *rest)
{
	for (int i = 0; i < PART_HEADER; i++)
		if (str_eq(part_names[i], text))
			return (enum part)i;
	if (str_starts(text, STR("header:")) && text.n > 7) {
		*rest = str_from(text, 7);
		return PART_HEADER;
	}
	if (text.n >= 2 && text.p[0] == '\'' && text.p[text.n - 1] == '\'') {
		*rest = str_first(str_from(text, 1), text.n - 2);
		return PART_TEXT;
	}
	return PART__COUNT;
}

static struct str parts_of(const struct hmac_scheme *s)
{
	return s->parts.p ? s->parts : HMAC_DEFAULT_PARTS;
}

static bool has_part(const struct hmac_scheme *s, enum part wanted)
{
	struct str rest = parts_of(s), part, ignored;

	while (str_split(&rest, ',', &part))
		if (part_of(str_trim(part), &ignored) == wanted)
			return true;
	return false;
}

GH_RC hmac_scheme_check(const struct hmac_scheme *s, struct gh_err *err)
{
	struct str rest = parts_of(s), part, ignored, encoding = or_text(s->encoding, "hex");

	if (!digest_name(s))
		FAIL(err, INVALID, "digest '%.*s' is none of sha256, sha384 and sha512", STR_ARG(str_first(s->digest, 80)));
	if (!str_eq(encoding, STR("hex")) && !str_eq(encoding, STR("base64")))
		FAIL(err, INVALID, "encoding '%.*s' is neither hex nor base64", STR_ARG(str_first(encoding, 80)));
	while (str_split(&rest, ',', &part))
		if (part_of(str_trim(part), &ignored) == PART__COUNT)
			FAIL(err, INVALID, "'%.*s' is no part of a request: method, scheme, host, path, query, target, timestamp, "
			     "nonce, key-id, body, body-sha256, body-sha256-base64, header:NAME or 'text'",
			     STR_ARG(str_first(part, 80)));
	return GH_RC_OK;
}

bool hmac_needs_body(const struct hmac_scheme *s)
{
	return has_part(s, PART_BODY) || has_part(s, PART_BODY_SHA256) || has_part(s, PART_BODY_SHA256_BASE64);
}

struct words {
	struct str key_id, timestamp, nonce, body;
};

static bool add_part(struct arena *a, struct buf *b, const struct sign_request *rq, const struct words *w, enum part part,
		     struct str rest)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct str text = STR_NULL;

	switch (part) {
	case PART_METHOD: text = rq->method; break;
	case PART_SCHEME: text = rq->scheme; break;
	case PART_HOST: text = sign_field_value(a, rq, STR("Host"), ",", true); break;
	case PART_PATH: text = rq->path; break;
	case PART_QUERY: text = rq->query.p ? rq->query : STR(""); break;
	case PART_TARGET:
		text = rq->query.p ? arena_printf(a, "%.*s?%.*s", STR_ARG(rq->path), STR_ARG(rq->query)) : rq->path;
		break;
	case PART_TIMESTAMP: text = w->timestamp; break;
	case PART_NONCE: text = w->nonce; break;
	case PART_KEY_ID: text = w->key_id; break;
	case PART_BODY: text = w->body.p ? w->body : STR(""); break;
	case PART_BODY_SHA256: text = sign_sha256_hex(a, w->body); break;
	case PART_BODY_SHA256_BASE64:
		crypto_sha256(w->body, digest);
		text = crypto_base64(a, (struct str){ (const char *)digest, sizeof(digest) });
		break;
	case PART_HEADER:
		text = sign_field_value(a, rq, rest, ",", true);
		text = text.p ? text : STR("");
		break;
	case PART_TEXT: text = rest; break;
	case PART__COUNT: break;
	}
	buf_str(b, text);
	return text.p != NULL;
}

/* Bytes of the MAC. NULL: a part is missing, or no memory. */
static struct str mac_of(struct arena *a, const struct sign_request *rq, const struct hmac_scheme *s, struct str secret,
			 const struct words *w)
{
	struct str rest = parts_of(s), part, separator = or_text(s->separator, "\n"), key = secret;
	uint8_t mac[MAC_MAX];
	struct buf b;
	size_t n = 0;
	bool ok = digest_name(s) != NULL && (!s->secret_base64 || crypto_base64_decode(a, secret, &key));

	buf_init(&b, w->body.n + SIGN_TEXT_MAX);
	for (bool first = true; ok && str_split(&rest, ',', &part); first = false) {
		struct str more = STR_NULL;
		enum part p = part_of(str_trim(part), &more);

		if (!first)
			buf_str(&b, separator);
		ok = add_part(a, &b, rq, w, p, more);
	}
	ok = ok && buf_ok(&b)
	     && EVP_Q_mac(NULL, "HMAC", NULL, digest_name(s), NULL, key.p, key.n, (const unsigned char *)(b.p ? b.p : ""), b.n, mac,
			  sizeof(mac), &n);
	buf_release(&b);
	return ok ? arena_dup(a, (struct str){ (const char *)mac, n }) : STR_NULL;
}

static struct str field_name(struct str given, const char *otherwise)
{
	return given.p ? given : str_of(otherwise);
}

GH_RC hmac_sign(struct arena *a, const struct sign_request *rq, const struct hmac_scheme *s, struct str key_id,
		struct str secret, struct str body, int64_t now_s, struct str nonce, struct sign_added *out,
		struct gh_err *err)
{
	struct words w = { .key_id = key_id, .nonce = nonce, .body = body };
	struct str id_field = field_name(s->key_id_field, "X-Key-Id"), time_field = field_name(s->timestamp_field, "X-Timestamp");
	struct str nonce_field = field_name(s->nonce_field, "X-Nonce"), mac, text;
	char iso[CLOCK_ISO_MAX];

	out->n = 0;
	TRY(hmac_scheme_check(s, err));
	w.timestamp = s->iso_time ? arena_dup(a, str_of(clock_iso(now_s * 1000000, 0, iso)))
				  : arena_printf(a, "%lld", (long long)now_s);
	mac = w.timestamp.p ? mac_of(a, rq, s, secret, &w) : STR_NULL;
	if (!mac.p)
		FAIL(err, INVALID, "the request cannot be signed: the secret is not base64, or a part is missing");
	text = str_eq(or_text(s->encoding, "hex"), STR("hex")) ? crypto_hex(a, mac) : crypto_base64(a, mac);
	text = text.p ? arena_printf(a, "%.*s%s", STR_ARG(s->prefix), text.p) : STR_NULL;
	if ((id_field.n && key_id.n && !sign_add(out, id_field, key_id)) || (time_field.n && !sign_add(out, time_field, w.timestamp))
	    || (nonce_field.n && nonce.n && !sign_add(out, nonce_field, nonce))
	    || !sign_add(out, field_name(s->field, "X-Signature"), text))
		FAIL(err, NOMEM, "no memory to sign a request");
	return GH_RC_OK;
}

static struct str field_of(struct arena *a, const struct sign_request *rq, struct str name)
{
	return name.n ? sign_field_value(a, rq, name, ", ", true) : STR_NULL;
}

static bool take_timestamp(const struct hmac_scheme *s, struct hmac_claim *out)
{
	int64_t us;
	uint64_t n;

	if (!out->timestamp.p)
		return true;
	if (s->iso_time) {
		if (!clock_parse_iso(out->timestamp, &us))
			return false;
		out->at_s = us / 1000000;
		return true;
	}
	if (!str_to_u64(out->timestamp, INT64_MAX / 1000000, &n))
		return false;
	out->at_s = (int64_t)n;
	return true;
}

enum sign_verdict hmac_parse(struct arena *a, const struct sign_request *rq, const struct hmac_scheme *s,
			     struct hmac_claim *out)
{
	struct str text = field_of(a, rq, field_name(s->field, "X-Signature"));
	bool hex = str_eq(or_text(s->encoding, "hex"), STR("hex"));

	*out = (struct hmac_claim){ .key_id = field_of(a, rq, field_name(s->key_id_field, "X-Key-Id")),
				    .nonce = field_of(a, rq, field_name(s->nonce_field, "X-Nonce")),
				    .timestamp = field_of(a, rq, field_name(s->timestamp_field, "X-Timestamp")) };
	if (!text.p)
		return SIGN_MISSING;
	if (!str_starts(text, s->prefix.p ? s->prefix : STR("")))
		return SIGN_MALFORMED;
	text = str_from(text, s->prefix.n);
	if (!text.n || text.n > MAC_MAX * 2 || !take_timestamp(s, out))
		return SIGN_MALFORMED;
	return (hex ? crypto_hex_decode(a, text, &out->signature) : crypto_base64_decode(a, text, &out->signature)) ? SIGN_OK
														     : SIGN_MALFORMED;
}

enum sign_verdict hmac_verify(struct arena *a, const struct sign_request *rq, const struct hmac_scheme *s,
			      const struct hmac_claim *c, struct str secret, struct str body, int64_t now_s, int64_t window_s)
{
	const struct words w = { .key_id = c->key_id, .nonce = c->nonce, .timestamp = c->timestamp, .body = body };
	int64_t away = now_s > c->at_s ? now_s - c->at_s : c->at_s - now_s;
	struct str mac;

	if (window_s && (!c->at_s || !has_part(s, PART_TIMESTAMP)))
		return SIGN_NOT_COVERED;
	if (window_s && away > window_s)
		return SIGN_TIME;
	mac = mac_of(a, rq, s, secret, &w);
	if (!mac.p)
		return SIGN_COMPONENT;
	return crypto_equal(mac, c->signature) ? SIGN_OK : SIGN_MISMATCH;
}
