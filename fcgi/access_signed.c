/* access_signed.c - requests that are signed with an access key of this gateway: HTTP Message Signatures with a shared secret
 * (RFC 9421, hmac-sha256) and AWS Signature Version 4.
 *
 * Replays: a signature is good within a window around its time and once in it. That it came is noted in the counters that
 * all workers share, under the digest of key and signature, until its window is over. Where that cannot be known, signed
 * requests are refused, because nothing would stop a second one: when the counters are away, when there is no room for
 * another note, and of signatures that are older than the notes. */
#include "core/crypto.h"
#include "core/sign.h"
#include "core/str.h"
#include "fcgi/access_flow.h"

enum { SHOWN_MAX = 200, SECOND_US = 1000000 };

struct signed_request {
	struct sign_request rq;
	struct caller_entry *caller;
};

/* ---- the request as it was signed --------------------------------------------------------------------------------------------------- */

static bool describe(struct access_flow *f, struct sign_request *out)
{
	const struct request *rq = &f->k->x.request;
	const struct fields *h = &rq->headers;
	struct sign_field *fields = arena_alloc(access_arena(f), h->n + 1, sizeof(*fields));

	if (!fields)
		return false;
	for (size_t i = 0; i < h->n; i++)
		fields[i] = (struct sign_field){ h->v[i].name, h->v[i].value };
	*out = (struct sign_request){ .method = rq->method, .scheme = rq->original_url.scheme, .authority = f->k->client_host,
				      .path = rq->original_url.path, .query = rq->original_url.query, .fields = fields,
				      .n_fields = h->n };
	return true;
}

static bool has_body(const struct access_flow *f)
{
	return f->k->up_length != 0 && !(f->k->up_ended && !f->k->up.n);
}

static struct str body_of(const struct access_flow *f)
{
	return buf_view(&f->k->up);
}

/* ---- verdicts ------------------------------------------------------------------------------------------------------------------------ */

static enum verdict refuse(struct access_flow *f, enum sign_verdict v, struct str got)
{
	static const struct {
		enum reason reason;
		const char *check;
	} table[SIGN__COUNT] = {
		[SIGN_MISSING] = { REASON_SIGNATURE_MISSING, "signature" },
		[SIGN_MALFORMED] = { REASON_SIGNATURE_MALFORMED, "signature" },
		[SIGN_ALGORITHM] = { REASON_SIGNATURE_MALFORMED, "algorithm" },
		[SIGN_NOT_COVERED] = { REASON_SIGNATURE_COVER, "covered components" },
		[SIGN_COMPONENT] = { REASON_SIGNATURE_COVER, "covered components" },
		[SIGN_SCOPE] = { REASON_SIGNATURE_KEY, "credential scope" },
		[SIGN_TIME] = { REASON_SIGNATURE_TIME, "time" },
		[SIGN_EXPIRED] = { REASON_SIGNATURE_TIME, "expiry" },
		[SIGN_PAYLOAD] = { REASON_SIGNATURE_BODY, "body" },
		[SIGN_MISMATCH] = { REASON_SIGNATURE_INVALID, "signature" },
		[SIGN_NO_MEMORY] = { REASON_NO_MEMORY, "memory" },
	};

	return access_refuse(f, table[v].reason, table[v].check, str_of(sign_verdict_text(v)), str_first(got, SHOWN_MAX));
}

/* Each signature passes once. */
static enum verdict check_replay(struct access_flow *f, const struct snap_method *m, struct str key_id, struct str signature, int64_t at_s)
{
	struct counters *counters = f->k->wk->serving->counters;
	struct str text = arena_printf(access_arena(f), "%.*s\n%.*s", STR_ARG(key_id), STR_ARG(signature)), hex, key;
	uint8_t digest[CRYPTO_SHA256_BYTES];

	if (!text.p)
		return V_NO_MEMORY;
	crypto_sha256(text, digest);
	hex = crypto_hex(access_arena(f), (struct str){ (char *)digest, sizeof(digest) });
	key = hex.p ? arena_printf(access_arena(f), "signed:%.*s", STR_ARG(hex)) : STR_NULL;
	if (!key.p)
		return V_NO_MEMORY;
	if (!counters)
		return access_refuse(f, REASON_ACCESS_BUSY, "replay", STR("shared counters"), STR("none"));
	if (at_s < counter_notes_since_us(counters, true) / SECOND_US)
		return access_refuse(f, REASON_SIGNATURE_TIME, "replay", STR("a signature made since this machine began to note them"),
				     STR("an older one"));
	switch (counter_note(counters, key, access_now_us(f), (at_s + m->window_s + 1) * SECOND_US)) {
	case COUNTER_NOTED:
		return V_PASS;
	case COUNTER_WAS_NOTED:
		return access_refuse(f, REASON_SIGNATURE_REPLAY, "replay", STR("a signature that has not been seen"), STR("seen before"));
	default:
		return access_refuse(f, REASON_ACCESS_BUSY, "replay", STR("room to note a signature (counter.entries)"), STR("none"));
	}
}

static enum verdict find_key(struct access_flow *f, struct str id, struct caller_entry **out)
{
	if (!id.n || id.n > STORE_CALLER_ID_MAX)
		return access_refuse(f, REASON_SIGNATURE_KEY, "key id", STR("an access key"), STR("none"));
	*out = access_caller(f, "signing", id);
	if (!*out)
		return V_REFUSED;
	return (*out)->known ? V_PASS
			     : access_refuse(f, REASON_SIGNATURE_KEY, "key id", STR("an access key"), str_first(id, SHOWN_MAX));
}

static enum verdict take(struct access_flow *f, const char *method, struct caller_entry *c)
{
	if (!f->who.method) {
		f->who.method = method;
		f->who.id = f->who.client = c->row.id;
	}
	return access_take_caller(f, c);
}

/* ---- RFC 9421 ------------------------------------------------------------------------------------------------------------------------ */

static void drop_keys(void *keys)
{
	jose_keys_free(keys);
}

static enum verdict secret_as_keys(struct access_flow *f, const struct caller_entry *c, struct jose_keys **out)
{
	*out = jose_keys_new();
	if (!*out || !arena_defer(access_arena(f), drop_keys, *out)) {
		jose_keys_free(*out);
		return V_NO_MEMORY;
	}
	if (jose_keys_add_secret(*out, c->row.id, c->row.secret, NULL).code)
		return access_refuse(f, REASON_SIGNATURE_KEY, "key", STR("a secret of 16 bytes or more"), STR("a shorter one"));
	return V_PASS;
}

/* The rule's components; without any, what tells one request from another: its method and its whole address, in one component
 * or in parts. A query that is not signed could be put behind a signed path. Of a request with a body its digest too. */
static struct access_values cover_of(struct access_flow *f, const struct snap_method *m, const struct msgsig_claim *claim)
{
	static const struct str parts[] = { STR_INIT("@authority"), STR_INIT("@path"), STR_INIT("@query") };
	struct access_values v = { arena_alloc(access_arena(f), m->cover.n + ARRAY_LEN(parts) + 2, sizeof(struct str)), 0 };
	size_t n_parts = ARRAY_LEN(parts) - (f->k->x.request.original_url.query.n == 0);
	bool digest = false;

	for (size_t i = 0; v.v && i < m->cover.n; i++) {
		v.v[v.n++] = m->cover.v[i];
		digest |= str_eq_ci(m->cover.v[i], STR("content-digest"));
	}
	if (v.v && !m->cover.n) {
		v.v[v.n++] = STR("@method");
		for (size_t i = 0; !msgsig_covers(access_arena(f), claim, STR("@target-uri")) && i < n_parts; i++)
			v.v[v.n++] = parts[i];
	}
	if (v.v && !digest && has_body(f))
		v.v[v.n++] = STR("content-digest");
	return v;
}

static enum verdict check_digest(struct access_flow *f)
{
	struct str field = fields_joined(&f->k->x.request.headers, STR("Content-Digest"));
	enum sign_verdict v;

	if (!has_body(f) && !field.n)
		return V_PASS;
	v = content_digest_check(access_arena(f), field, body_of(f));
	return v == SIGN_OK ? V_PASS : refuse(f, v == SIGN_MISSING ? SIGN_NOT_COVERED : v, STR("Content-Digest"));
}

/* ---- the older forms: HTTP Signatures (draft-cavage), an HMAC over parts -------------------------------------------------------------------- */

static enum verdict by_cavage(struct access_flow *f, const struct snap_method *m)
{
	struct sign_request rq;
	struct cavage_claim claim;
	struct caller_entry *c;
	enum sign_verdict s;
	enum verdict v;

	if (!describe(f, &rq))
		return V_NO_MEMORY;
	s = cavage_parse(access_arena(f), &rq, &claim);
	if (s != SIGN_OK)
		return refuse(f, s, STR("none"));
	if (has_body(f) && !f->k->up_ended) {
		f->phase = 1;
		return V_BODY;
	}
	v = find_key(f, claim.key_id, &c);
	if (v != V_PASS)
		return v;
	f->why.kid = str_first(claim.key_id, SHOWN_MAX);
	s = cavage_verify(access_arena(f), &rq, &claim, c->row.secret, body_of(f), access_now_us(f) / SECOND_US, m->window_s);
	if (s != SIGN_OK)
		return refuse(f, s, str_first(claim.headers, SHOWN_MAX));
	v = check_replay(f, m, claim.key_id, claim.signature, claim.at_s);
	return v == V_PASS ? take(f, "hmac", c) : v;
}

static enum verdict by_parts(struct access_flow *f, const struct snap_method *m)
{
	struct sign_request rq;
	struct hmac_claim claim;
	struct caller_entry *c;
	enum sign_verdict s;
	enum verdict v;

	if (!describe(f, &rq))
		return V_NO_MEMORY;
	s = hmac_parse(access_arena(f), &rq, &m->plain, &claim);
	if (s != SIGN_OK)
		return refuse(f, s, STR("none"));
	if (has_body(f) && !f->k->up_ended) {
		f->phase = 1;
		return V_BODY;
	}
	v = find_key(f, claim.key_id, &c);
	if (v != V_PASS)
		return v;
	f->why.kid = str_first(claim.key_id, SHOWN_MAX);
	s = hmac_verify(access_arena(f), &rq, &m->plain, &claim, c->row.secret, body_of(f), access_now_us(f) / SECOND_US, m->window_s);
	if (s != SIGN_OK)
		return refuse(f, s, f->why.kid);
	v = check_replay(f, m, claim.key_id, claim.signature, claim.at_s);
	return v == V_PASS ? take(f, "hmac", c) : v;
}

enum verdict access_by_message_signature(struct access_flow *f, const struct snap_method *m)
{
	struct msgsig_message message = { 0 };
	struct msgsig_claim claim;
	struct msgsig_rules rules = { .algs = JOSE_BIT(JOSE_HS256), .now_s = access_now_us(f) / 1000000, .window_s = m->window_s };
	struct access_values cover;
	struct caller_entry *c;
	struct jose_keys *keys;
	enum sign_verdict s;
	enum verdict v;

	if (m->signing != SIGNED_RFC9421)
		return m->signing == SIGNED_CAVAGE ? by_cavage(f, m) : by_parts(f, m);
	if (!describe(f, &message.rq))
		return V_NO_MEMORY;
	s = msgsig_parse(access_arena(f), &message, STR_NULL, &claim);
	if (s != SIGN_OK)
		return refuse(f, s, STR("none"));
	if (has_body(f) && !f->k->up_ended) {
		f->phase = 1;
		return V_BODY;
	}
	v = find_key(f, claim.key_id, &c);
	if (v == V_PASS)
		v = secret_as_keys(f, c, &keys);
	if (v != V_PASS)
		return v;
	cover = cover_of(f, m, &claim);
	rules.keys = keys;
	rules.required = cover.v;
	rules.n_required = cover.n;
	s = cover.v ? msgsig_verify(access_arena(f), &message, &claim, &rules) : SIGN_NO_MEMORY;
	f->why.kid = str_first(claim.key_id, SHOWN_MAX);
	if (s != SIGN_OK)
		return refuse(f, s, f->why.kid);
	v = check_digest(f);
	if (v == V_PASS)
		v = check_replay(f, m, claim.key_id, claim.signature, claim.created_s);
	return v == V_PASS ? take(f, "hmac", c) : v;
}

/* ---- AWS Signature Version 4 ----------------------------------------------------------------------------------------------------------- */

enum verdict access_by_sigv4(struct access_flow *f, const struct snap_method *m)
{
	struct sign_request rq;
	struct sigv4_claim claim;
	struct sigv4_rules rules = { .region = m->region, .service = m->service, .now_s = access_now_us(f) / 1000000,
				     .window_s = m->window_s, .flags = SIGV4_NORMALIZE };
	struct caller_entry *c;
	enum sign_verdict s;
	enum verdict v;

	if (!describe(f, &rq))
		return V_NO_MEMORY;
	s = sigv4_parse(access_arena(f), &rq, &claim);
	if (s != SIGN_OK)
		return refuse(f, s, STR("none"));
	/* a signed address may name a life of days; here it passes once, within the window */
	if (rules.now_s > claim.at_s + m->window_s || rules.now_s < claim.at_s - m->window_s)
		return refuse(f, SIGN_TIME, claim.timestamp);
	if (has_body(f) && !f->k->up_ended) {
		f->phase = 1;
		return V_BODY;
	}
	v = find_key(f, claim.access_key_id, &c);
	if (v != V_PASS)
		return v;
	rules.secret = c->row.secret;
	rules.payload = sign_sha256_hex(access_arena(f), body_of(f));
	s = rules.payload.p ? sigv4_verify(access_arena(f), &rq, &claim, &rules) : SIGN_NO_MEMORY;
	f->why.kid = str_first(claim.access_key_id, SHOWN_MAX);
	if (s != SIGN_OK)
		return refuse(f, s, arena_printf(access_arena(f), "%.*s/%.*s/%.*s", STR_ARG(claim.date), STR_ARG(claim.region),
						 STR_ARG(claim.service)));
	v = check_replay(f, m, claim.access_key_id, claim.signature, claim.at_s);
	return v == V_PASS ? take(f, "sigv4", c) : v;
}
