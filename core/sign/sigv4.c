/* sigv4.c - AWS Signature Version 4: canonical request, text to sign, derived key. The rules are those of Amazon's "Signature
 * Version 4 signing process", the vectors those of its test suite.
 *
 * The path is escaped once more than it is on the wire (each "%" becomes "%25") unless SIGV4_SINGLE_ENCODE is set, which is
 * Amazon S3's way: there the wire's escapes are undone first. */
#include "core/clock.h"
#include "core/sign/internal.h"
#include "core/uri.h"

#include <stdlib.h>
#include <time.h>

enum { QUERY_PARTS_MAX = 512, SIGNATURE_HEX = 64, STAMP_CHARS = 16 };

#define ALGORITHM "AWS4-HMAC-SHA256"

/* ---- canonical request ------------------------------------------------------------------------------------------------- */

/* "." and ".." and empty segments go; a slash at the end stays. */
static struct str normalized(struct arena *a, struct str path)
{
	struct str *kept = arena_alloc(a, path.n + 1, sizeof(*kept)), rest = path, part;
	bool slash = str_ends(path, STR("/")) || str_ends(path, STR("/.")) || str_ends(path, STR("/.."));
	size_t n = 0;
	struct buf b;

	if (!kept)
		return STR_NULL;
	while (str_split(&rest, '/', &part)) {
		if (str_eq(part, STR("..")))
			n -= n > 0;
		else if (part.n && !str_eq(part, STR(".")))
			kept[n++] = part;
	}
	buf_init(&b, path.n + 2);
	for (size_t i = 0; i < n; i++) {
		buf_char(&b, '/');
		buf_str(&b, kept[i]);
	}
	if (!n || slash)
		buf_char(&b, '/');
	return sign_take(a, &b);
}

static bool add_escaped(struct arena *a, struct buf *b, struct str s)
{
	struct str e = uri_encode(a, s, URI_KEEP_UNRESERVED);

	buf_str(b, e);
	return e.p != NULL;
}

static bool add_path(struct arena *a, struct buf *b, struct str path, unsigned flags)
{
	struct str part;

	if (!path.n)
		path = STR("/");
	if (flags & SIGV4_NORMALIZE)
		path = normalized(a, path);
	if (flags & SIGV4_SINGLE_ENCODE)
		path = uri_decode(a, path, false);
	if (!path.p)
		return false;
	for (bool first = true; str_split(&path, '/', &part); first = false) {
		if (!first)
			buf_char(b, '/');
		if (!add_escaped(a, b, part))
			return false;
	}
	return true;
}

struct pair {
	struct str name, value;
};

static int by_name(const void *x, const void *y)
{
	const struct pair *p = x, *q = y;
	int c = str_cmp(p->name, q->name);

	return c ? c : str_cmp(p->value, q->value);
}

/* Names and values escaped anew, sorted; the signature itself left out. */
static bool add_query(struct arena *a, struct buf *b, struct str query)
{
	struct pair *v = arena_alloc(a, QUERY_PARTS_MAX, sizeof(*v));
	struct str name, value;
	size_t n = 0;

	while (v && uri_query_next(&query, &name, &value)) {
		if (str_eq(name, STR("X-Amz-Signature")))
			continue;
		if (n == QUERY_PARTS_MAX)
			return false;
		v[n].name = uri_encode(a, uri_decode(a, name, false), URI_KEEP_UNRESERVED);
		v[n].value = value.p ? uri_encode(a, uri_decode(a, value, false), URI_KEEP_UNRESERVED) : STR("");
		if (!v[n].name.p || !v[n].value.p)
			return false;
		n++;
	}
	if (v && n)
		qsort(v, n, sizeof(*v), by_name);
	for (size_t i = 0; v && i < n; i++)
		buf_fmt(b, "%s%.*s=%.*s", i ? "&" : "", STR_ARG(v[i].name), STR_ARG(v[i].value));
	return v != NULL;
}

static enum sign_verdict canonical(struct arena *a, const struct sign_request *rq, struct str names, struct str payload,
				   unsigned flags, struct str *out)
{
	struct str rest = names, name;
	struct buf b;
	bool ok;

	buf_init(&b, SIGN_TEXT_MAX);
	buf_str(&b, rq->method);
	buf_char(&b, '\n');
	ok = add_path(a, &b, rq->path, flags);
	buf_char(&b, '\n');
	ok = ok && add_query(a, &b, rq->query);
	buf_char(&b, '\n');
	while (ok && str_split(&rest, ';', &name)) {
		struct str value = sign_field_value(a, rq, name, ",", true);

		if (!value.p) {
			buf_release(&b);
			return SIGN_COMPONENT;
		}
		buf_str(&b, name);
		buf_char(&b, ':');
		buf_str(&b, value);
		buf_char(&b, '\n');
	}
	buf_char(&b, '\n');
	buf_str(&b, names);
	buf_char(&b, '\n');
	buf_str(&b, payload);
	b.failed |= !ok;
	*out = sign_take(a, &b);
	return out->p ? SIGN_OK : SIGN_NO_MEMORY;
}

enum sign_verdict sigv4_texts(struct arena *a, const struct sign_request *rq, const struct sigv4_claim *c, struct str payload,
			      unsigned flags, struct sigv4_texts *out)
{
	enum sign_verdict v = canonical(a, rq, c->signed_names, payload, flags, &out->canonical);
	struct str digest;

	if (v)
		return v;
	digest = sign_sha256_hex(a, out->canonical);
	out->to_sign = digest.p ? arena_printf(a, ALGORITHM "\n%.*s\n%.*s/%.*s/%.*s/aws4_request\n%.*s", STR_ARG(c->timestamp),
					       STR_ARG(c->date), STR_ARG(c->region), STR_ARG(c->service), STR_ARG(digest))
				: STR_NULL;
	return out->to_sign.p ? SIGN_OK : SIGN_NO_MEMORY;
}

/* ---- the key ------------------------------------------------------------------------------------------------------------ */

static struct str signature_of(struct arena *a, struct str secret, const struct sigv4_claim *c, struct str to_sign)
{
	const struct str steps[] = { c->date, c->region, c->service, STR("aws4_request"), to_sign };
	uint8_t key[CRYPTO_SHA256_BYTES], next[CRYPTO_SHA256_BYTES];
	struct str first = arena_printf(a, "AWS4%.*s", STR_ARG(secret)), hex;

	if (!first.p)
		return STR_NULL;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		crypto_hmac_sha256(i ? (struct str){ (const char *)key, sizeof(key) } : first, steps[i], next);
		memcpy(key, next, sizeof(key));
	}
	hex = crypto_hex(a, (struct str){ (const char *)key, sizeof(key) });
	crypto_wipe((char *)(uintptr_t)first.p, first.n);
	crypto_wipe(key, sizeof(key));
	crypto_wipe(next, sizeof(next));
	return hex;
}

/* ---- signing ------------------------------------------------------------------------------------------------------------ */

static struct str stamp_of(struct arena *a, int64_t now_s)
{
	time_t t = (time_t)now_s;
	char text[STAMP_CHARS + 1];
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm) != STAMP_CHARS)
		return STR_NULL;
	return arena_dup(a, (struct str){ text, STAMP_CHARS });
}

static int by_text(const void *x, const void *y)
{
	return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

/* "content-type;host;x-amz-date": each name once, lower case, sorted. */
static struct str names_of(struct arena *a, const struct sign_request *rq)
{
	struct str *v = arena_alloc(a, rq->n_fields + 1, sizeof(*v));
	size_t n = 0;
	struct buf b;

	if (!v)
		return STR_NULL;
	v[n++] = STR("host");
	for (size_t i = 0; i < rq->n_fields; i++) {
		struct str low = arena_dup(a, rq->fields[i].name);

		if (!low.p)
			return STR_NULL;
		for (size_t k = 0; k < low.n; k++)
			((char *)(uintptr_t)low.p)[k] = ascii_lower(low.p[k]);
		v[n++] = low;
	}
	qsort(v, n, sizeof(*v), by_text);
	buf_init(&b, SIGN_TEXT_MAX);
	for (size_t i = 0; i < n; i++) {
		if (i && str_eq(v[i], v[i - 1]))
			continue;
		if (i)
			buf_char(&b, ';');
		buf_str(&b, v[i]);
	}
	return sign_take(a, &b);
}

/* The request with the fields that are added for signing. */
static bool with_added(struct arena *a, const struct sign_request *rq, const struct sign_added *added, struct sign_request *out)
{
	struct sign_field *v = rq->n_fields <= SIGN_FIELDS_MAX ? arena_alloc(a, rq->n_fields + added->n, sizeof(*v)) : NULL;
	size_t n = 0;

	if (!v)
		return false;
	for (size_t i = 0; i < rq->n_fields; i++) {
		bool replaced = str_eq_ci(rq->fields[i].name, STR("Authorization"));

		for (size_t k = 0; k < added->n; k++)
			replaced |= str_eq_ci(rq->fields[i].name, added->v[k].name);
		if (!replaced)
			v[n++] = rq->fields[i];
	}
	memcpy(v + n, added->v, added->n * sizeof(*v));
	*out = *rq;
	out->fields = v;
	out->n_fields = n + added->n;
	return true;
}

GH_RC sigv4_sign(struct arena *a, const struct sign_request *rq, const struct sigv4_key *key, struct str payload,
		 int64_t now_s, unsigned flags, struct sign_added *out, struct gh_err *err)
{
	struct sigv4_claim c = { .access_key_id = key->access_key_id, .region = key->region, .service = key->service,
				 .timestamp = stamp_of(a, now_s) };
	struct sign_request all;
	struct sigv4_texts texts;
	struct str signature;
	enum sign_verdict v;

	out->n = 0;
	if (!c.timestamp.p || !sign_add(out, STR("X-Amz-Date"), c.timestamp)
	    || (key->session_token.n && !sign_add(out, STR("X-Amz-Security-Token"), key->session_token))
	    || (flags & SIGV4_CONTENT_FIELD && !sign_add(out, STR("X-Amz-Content-Sha256"), payload))
	    || !with_added(a, rq, out, &all))
		FAIL(err, NOMEM, "no memory to sign a request");
	c.date = str_first(c.timestamp, 8);
	c.signed_names = names_of(a, &all);
	v = c.signed_names.p ? sigv4_texts(a, &all, &c, payload, flags, &texts) : SIGN_NO_MEMORY;
	if (v)
		FAIL(err, INVALID, "the request cannot be signed: %s", sign_verdict_text(v));
	signature = signature_of(a, key->secret, &c, texts.to_sign);
	if (!signature.p
	    || !sign_add(out, STR("Authorization"),
			 arena_printf(a, ALGORITHM " Credential=%.*s/%.*s/%.*s/%.*s/aws4_request, SignedHeaders=%.*s, Signature=%.*s",
				      STR_ARG(c.access_key_id), STR_ARG(c.date), STR_ARG(c.region), STR_ARG(c.service),
				      STR_ARG(c.signed_names), STR_ARG(signature))))
		FAIL(err, NOMEM, "no memory to sign a request");
	return GH_RC_OK;
}

/* ---- checking ----------------------------------------------------------------------------------------------------------- */

/* KEY-ID/DATE/REGION/SERVICE/aws4_request, cut off from behind: the key id may hold slashes. */
static bool take_scope(struct str scope, struct sigv4_claim *c)
{
	struct str last, *const parts[] = { &last, &c->service, &c->region, &c->date };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		size_t at = str_rfind_char(scope, '/');

		if (at == SIZE_MAX)
			return false;
		*parts[i] = str_from(scope, at + 1);
		scope = str_first(scope, at);
	}
	c->access_key_id = scope;
	return str_eq(last, STR("aws4_request")) && scope.n && c->date.n == 8;
}

static bool take_time(struct arena *a, struct sigv4_claim *c)
{
	struct str t = c->timestamp;
	int64_t us;
	struct str iso;

	if (t.n != STAMP_CHARS || t.p[8] != 'T' || t.p[15] != 'Z')
		return false;
	iso = arena_printf(a, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", t.p, t.p + 4, t.p + 6, t.p + 9, t.p + 11, t.p + 13);
	if (!iso.p || !clock_parse_iso(iso, &us))
		return false;
	c->at_s = us / 1000000;
	return true;
}

static enum sign_verdict parse_field(struct arena *a, const struct sign_request *rq, struct str value, struct sigv4_claim *c)
{
	struct str rest = str_trim(str_from(value, sizeof(ALGORITHM) - 1)), part, scope = STR_NULL;

	while (str_split(&rest, ',', &part)) {
		part = str_trim(part);
		if (str_starts(part, STR("Credential=")))
			scope = str_from(part, 11);
		else if (str_starts(part, STR("SignedHeaders=")))
			c->signed_names = str_from(part, 14);
		else if (str_starts(part, STR("Signature=")))
			c->signature = str_from(part, 10);
	}
	c->timestamp = sign_field_value(a, rq, STR("X-Amz-Date"), ",", true);
	c->session_token = sign_field_value(a, rq, STR("X-Amz-Security-Token"), ",", true);
	return scope.p && take_scope(scope, c) && c->signed_names.n && c->signature.n == SIGNATURE_HEX && take_time(a, c)
		       ? SIGN_OK : SIGN_MALFORMED;
}

static bool query_value(struct arena *a, struct str query, const char *name, struct str *out)
{
	struct str raw;

	*out = STR_NULL;
	if (!uri_query_find(query, str_of(name), &raw) || !raw.p)
		return false;
	*out = uri_decode(a, raw, false);
	return out->p != NULL;
}

static enum sign_verdict parse_query(struct arena *a, const struct sign_request *rq, struct sigv4_claim *c)
{
	struct str algorithm, scope, life;
	uint64_t n;

	if (!query_value(a, rq->query, "X-Amz-Algorithm", &algorithm))
		return SIGN_MISSING;
	if (!str_eq(algorithm, STR(ALGORITHM)))
		return SIGN_ALGORITHM;
	/* seven days is the most that the scheme allows */
	if (!query_value(a, rq->query, "X-Amz-Credential", &scope) || !query_value(a, rq->query, "X-Amz-Date", &c->timestamp)
	    || !query_value(a, rq->query, "X-Amz-SignedHeaders", &c->signed_names)
	    || !query_value(a, rq->query, "X-Amz-Signature", &c->signature)
	    || !query_value(a, rq->query, "X-Amz-Expires", &life) || !str_to_u64(life, 604800, &n) || !n)
		return SIGN_MALFORMED;
	query_value(a, rq->query, "X-Amz-Security-Token", &c->session_token);
	c->expires_s = (int64_t)n;
	return take_scope(scope, c) && c->signed_names.n && c->signature.n == SIGNATURE_HEX && take_time(a, c) ? SIGN_OK
													       : SIGN_MALFORMED;
}

enum sign_verdict sigv4_parse(struct arena *a, const struct sign_request *rq, struct sigv4_claim *out)
{
	struct str value = sign_field_value(a, rq, STR("Authorization"), ", ", true);

	*out = (struct sigv4_claim){ 0 };
	if (str_starts(value, STR(ALGORITHM)) && (value.n == sizeof(ALGORITHM) - 1 || value.p[sizeof(ALGORITHM) - 1] == ' '))
		return parse_field(a, rq, value, out);
	if (str_starts(value, STR("AWS4-")))
		return SIGN_ALGORITHM;
	return parse_query(a, rq, out);
}

static bool covers(struct str names, struct str name)
{
	struct str part;

	while (str_split(&names, ';', &part))
		if (str_eq_ci(part, name))
			return true;
	return false;
}

static enum sign_verdict check_cover(const struct sign_request *rq, const struct sigv4_claim *c)
{
	if (!covers(c->signed_names, STR("host")))
		return SIGN_NOT_COVERED;
	for (size_t i = 0; i < rq->n_fields; i++)
		if (str_starts_ci(rq->fields[i].name, STR("X-Amz-")) && !covers(c->signed_names, rq->fields[i].name))
			return SIGN_NOT_COVERED;
	return SIGN_OK;
}

static enum sign_verdict check_time(const struct sigv4_claim *c, const struct sigv4_rules *r)
{
	int64_t away = r->now_s > c->at_s ? r->now_s - c->at_s : c->at_s - r->now_s;

	if (!str_eq(c->date, str_first(c->timestamp, 8)))
		return SIGN_SCOPE;
	if (c->expires_s) {
		if (r->now_s >= c->at_s + c->expires_s)
			return SIGN_EXPIRED;
		return c->at_s - r->now_s > r->window_s && r->window_s ? SIGN_TIME : SIGN_OK;
	}
	return r->window_s && away > r->window_s ? SIGN_TIME : SIGN_OK;
}

/* The digest that goes into the canonical request. */
static enum sign_verdict choose_payload(struct arena *a, const struct sign_request *rq, const struct sigv4_claim *c,
					const struct sigv4_rules *r, struct str *out)
{
	struct str said = sign_field_value(a, rq, STR("X-Amz-Content-Sha256"), ",", true);

	*out = r->payload;
	if (!said.p && c->expires_s && (r->flags & SIGV4_UNSIGNED_PAYLOAD) && str_eq(c->service, STR("s3")))
		said = SIGV4_UNSIGNED;   /* a signed S3 address never covers the body */
	if (!said.p)
		return r->payload.p ? SIGN_OK : SIGN_PAYLOAD;
	*out = said;
	if (str_eq(said, SIGV4_UNSIGNED))
		return r->flags & SIGV4_UNSIGNED_PAYLOAD ? SIGN_OK : SIGN_NOT_COVERED;
	if (said.n != SIGNATURE_HEX)
		return SIGN_ALGORITHM;   /* a signed stream of chunks */
	return !r->payload.p || crypto_equal(said, r->payload) ? SIGN_OK : SIGN_PAYLOAD;
}

enum sign_verdict sigv4_verify(struct arena *a, const struct sign_request *rq, const struct sigv4_claim *c,
			       const struct sigv4_rules *r)
{
	struct sigv4_texts texts;
	struct str payload, want;
	enum sign_verdict v = check_cover(rq, c);

	if (!v && ((r->region.p && !str_eq(r->region, c->region)) || (r->service.p && !str_eq(r->service, c->service))))
		v = SIGN_SCOPE;
	if (!v)
		v = check_time(c, r);
	if (!v)
		v = choose_payload(a, rq, c, r, &payload);
	if (!v)
		v = sigv4_texts(a, rq, c, payload, r->flags, &texts);
	if (v)
		return v;
	want = signature_of(a, r->secret, c, texts.to_sign);
	if (!want.p)
		return SIGN_NO_MEMORY;
	return crypto_equal(want, c->signature) ? SIGN_OK : SIGN_MISMATCH;
}
