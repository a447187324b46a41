/* cached_serve.c - an answer from the store, as the policies and the caller see it. */
#include "core/str.h"
#include "fcgi/cached.h"
#include "fcgi/decode.h"

int64_t cached_age_s(const struct cached_answer *e, int64_t now_us)
{
	int64_t here = (now_us - e->came_us) / 1000000;

	return e->initial_age_s + (here > 0 ? here : 0);
}

/* RFC 9211; the caller's side sees the list with us at its end. */
static void tell(struct call *k, const struct cached *c, const char *state, struct str status)
{
	struct fields *h = &k->x.response.headers;

	if (c->rule->tells && status.p)
		(void)!(fields_set(h, STR("X-Cache"), str_of(state)) && fields_add(h, STR("Cache-Status"), status));
}

void cached_tell(struct call *k, struct cached *c)
{
	const char *state = strcmp(c->forwarded, "bypass") == 0 || strcmp(c->forwarded, "method") == 0 ? "BYPASS" : "MISS";

	tell(k, c, state, arena_printf(k->arena, "Gatehouse; fwd=%s%s", c->forwarded, c->stores ? "; stored" : ""));
}

static void not_modified(struct response *r)
{
	r->status = 304;
	r->reason = STR("Not Modified");
	r->body = (struct body){ .kind = BODY_NONE, .changed = false };
	fields_remove(&r->headers, STR("Content-Length"));
}

/* RFC 9110 section 15.3.7: one part of what is stored. */
static bool part_of(struct call *k, struct response *r, uint64_t from, uint64_t to)
{
	uint64_t size = r->body.bytes.n;

	r->status = 206;
	r->reason = STR("Partial Content");
	r->body.bytes = str_first(str_from(r->body.bytes, (size_t)from), (size_t)(to - from + 1));
	fields_remove(&r->headers, STR("Content-Length"));
	return fields_set(&r->headers, STR("Content-Range"),
			  arena_printf(k->arena, "bytes %llu-%llu/%llu", (unsigned long long)from, (unsigned long long)to,
				       (unsigned long long)size));
}

static bool no_part(struct call *k, struct response *r)
{
	uint64_t size = r->body.bytes.n;

	r->status = 416;
	r->reason = STR("Range Not Satisfiable");
	r->body = (struct body){ .kind = BODY_HELD, .bytes = STR("") };
	fields_remove(&r->headers, STR("Content-Length"));
	fields_remove(&r->headers, STR("Content-Encoding"));
	return fields_set(&r->headers, STR("Content-Range"), arena_printf(k->arena, "bytes */%llu", (unsigned long long)size));
}

/* Conditions and ranges of the caller: RFC 9110 section 13.2.2. */
static bool answer_request(struct call *k, const struct cached *c, struct response *r)
{
	uint64_t from, to;

	if (http_cache_client_has(&c->original, r)) {
		not_modified(r);
		return true;
	}
	if (k->head_request)
		return true;
	switch (http_cache_range(&c->original, r, r->body.bytes.n, &from, &to)) {
	case HTTP_RANGE_PART:
		return part_of(k, r, from, to);
	case HTTP_RANGE_NONE:
		return no_part(k, r);
	default:
		return true;
	}
}

/* A policy that reads the body gets it without its coding, as it does of one that comes from the backend. */
static void decode(struct call *k, struct response *r)
{
	buf_clear(&k->down);
	buf_str(&k->down, r->body.bytes);
	if (buf_ok(&k->down) && message_decode(&r->headers, &k->down, k->wk->limits.held_body))
		r->body.bytes = buf_view(&k->down);
}

/* Of every hit, so put together by hand: the text, and a number of at most 19 digits and its sign behind it. */
static struct str with_number(struct arena *a, struct str text, int64_t n)
{
	enum { NUMBER_BYTES = 20 };
	char *to = arena_alloc_text(a, text.n + NUMBER_BYTES), *at = to;

	if (!to)
		return STR_NULL;
	at = str_put(at, text);
	if (n < 0)
		*at++ = '-';
	at = str_put_u64(at, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
	return (struct str){ to, (size_t)(at - to) };
}

void cached_serve(struct call *k, struct forward *f, struct cached *c, const char *state, bool hit, int64_t now_us)
{
	struct response *r = &k->x.response;
	int64_t age = cached_age_s(&c->stored, now_us), ttl = c->stored.lifetime_s - age;

	*r = c->stored.response;
	f->done = true;
	f->failure = CALL_OK;
	k->forward_length = -1;
	k->x.cached = EXCHANGE_CACHE_HIT;
	if (hit)
		k->tries--;                      /* nothing was sent */
	if (!fields_set(&r->headers, STR("Age"), with_number(k->arena, STR(""), age)) || !answer_request(k, c, r)) {
		f->failure = CALL_TOO_LARGE;
		return;
	}
	if (f->buffer_response && r->body.kind == BODY_HELD)
		decode(k, r);
	tell(k, c, state, with_number(k->arena, hit ? STR("Gatehouse; hit; ttl=")
					       : c->not_modified ? STR("Gatehouse; fwd=stale; fwd-status=304; stored; ttl=")
								 : STR("Gatehouse; fwd=stale; ttl="), ttl));
}

void cached_not_there(struct call *k, struct forward *f, struct cached *c)
{
	struct response *r = &k->x.response;

	*r = (struct response){ .status = 504, .reason = STR("Gateway Timeout") };
	fields_init(&r->headers, k->arena);
	(void)!fields_add(&r->headers, STR("Content-Type"), STR("application/json"));
	r->body = (struct body){ .kind = BODY_HELD, .changed = true, .bytes = arena_printf(k->arena,
		"{ \"statusCode\": 504, \"message\": \"The answer is not in the cache, and the caller wants no other (only-if-cached).\","
		" \"requestId\": \"%.*s\" }", STR_ARG(k->x.request_id)) };
	f->done = true;
	f->failure = CALL_OK;
	k->tries--;
	k->x.cached = EXCHANGE_CACHE_MISS;
	tell(k, c, "MISS", STR("Gatehouse; detail=only-if-cached"));
}
