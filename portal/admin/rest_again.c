/* rest_again.c - a request that comes twice is carried out once (Idempotency-Key): the answer of the first is kept, sealed because it
 * may hold keys that are told once, and given to the second. It is kept in the transaction of the change, so there is no moment
 * in which one is there without the other, and of two at once the later one waits for the first. Only changes that were made are
 * kept: what was refused may be tried again. */
#include "portal/admin/rest.h"

#include "core/crypto.h"
#include "core/str.h"
#include "db/machine_tokens.h"

static const char *const kept_headers[] = { "ETag", "Location", "Content-Type" };

static struct str digest(struct arena *a, const struct str *parts, size_t n)
{
	uint8_t out[CRYPTO_SHA256_BYTES];
	struct str joined = STR("");

	for (size_t i = 0; i < n; i++)
		joined = arena_join(a, (struct str[]){ joined, arena_printf(a, "%zu:", parts[i].n), parts[i] }, 3);
	crypto_sha256(joined, out);
	return crypto_hex(a, (struct str){ (const char *)out, sizeof(out) });
}

static struct str key_of(struct rest *r)
{
	const struct str parts[] = { r->who.actor, r->w->rq.idempotency_key };

	return digest(r->w->a, parts, ARRAY_LEN(parts));
}

static struct str request_of(struct rest *r)
{
	const struct str parts[] = { r->w->rq.method, r->w->rq.target, r->w->rq.if_match, r->w->rq.body };

	return digest(r->w->a, parts, ARRAY_LEN(parts));
}

static const char *header_name(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(kept_headers); i++)
		if (str_eq(name, str_of(kept_headers[i])))
			return kept_headers[i];
	return NULL;
}

static GH_RC give(struct rest *r, const struct store_answer *kept, struct gh_err *err)
{
	struct web *w = r->w;
	struct str plain;
	const char *name;
	json_t *v, *value;

	if (crypto_open(w->a, w->site->keys.seal, kept->answer, kept->digest, &plain, err).code)
		return rest_problem(r, 409, "answer-lost", STR("The request was carried out before; its answer cannot be read any more."), NULL, err);
	TRY(jsn_parse_in(w->a, plain, NULL, &v, NULL, err));
	w->rs.status = (int)jsn_int(v, "status", 200);
	json_object_foreach(jsn_obj(v, "headers"), name, value)
		if (header_name(str_of(name)))
			web_header(w, header_name(str_of(name)), arena_dup(w->a, jsn_string(value)));
	web_header(w, "Idempotent-Replayed", STR("true"));
	buf_clear(&w->rs.body);
	buf_str(&w->rs.body, jsn_str(v, "body"));
	return GH_RC_OK;
}

gh_rc rest_again(struct rest *r, bool *given, struct gh_err *err)
{
	struct str key = r->w->rq.idempotency_key;
	struct store_answer kept;

	*given = false;
	if (!key.n || r->dry_run)
		return GH_RC_OK;
	if (key.n > REST_KEY_MAX) {
		*given = true;
		return rest_problem(r, 400, "bad-request", arena_printf(r->w->a, "Idempotency-Key has at most %d characters.", REST_KEY_MAX), NULL, err);
	}
	TRY(store_answer_find(r->w->site->store, r->w->a, key_of(r), &kept, given, err));
	if (!*given)
		return GH_RC_OK;
	if (!str_eq(kept.request, request_of(r)))
		return rest_problem(r, 422, "key-reused", STR("This Idempotency-Key came with another request before; take a new one."), NULL, err);
	return give(r, &kept, err);
}

gh_rc rest_remember(struct rest *r, struct gh_err *err)
{
	struct web *w = r->w;
	json_t *headers = json_object(), *v;
	struct store_answer row;
	struct str text;

	if (!w->rq.idempotency_key.n || r->dry_run) {
		json_decref(headers);
		return GH_RC_OK;
	}
	for (size_t i = 0; i < w->rs.n_headers; i++)
		if (header_name(str_of(w->rs.headers[i].name)))
			json_object_set_new(headers, w->rs.headers[i].name, json_stringn(w->rs.headers[i].value.p, w->rs.headers[i].value.n));
	v = jsn_keep(w->a, json_pack("{s:i, s:o, s:s%}", "status", w->rs.status, "headers", headers, "body", w->rs.body.p ? w->rs.body.p : "",
				    w->rs.body.n));
	text = v ? jsn_text(w->a, v, 0) : STR_NULL;
	if (!text.p)
		FAIL(err, NOMEM, "answer");
	row = (struct store_answer){ .digest = key_of(r), .request = request_of(r) };
	TRY(crypto_seal(w->a, w->site->keys.seal, text, row.digest, &row.answer, err));
	return store_answer_keep(w->site->store, &row, err);
}
