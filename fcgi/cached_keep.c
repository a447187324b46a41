/* cached_keep.c - reading from the store of answers and writing to it. LMDB is mapped memory: it answers at once. */
#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "core/uri.h"
#include "fcgi/cached.h"
#include "policy/elements/cache_entry.h"

enum { PASS_S = 10, MARK_S = 120 };      /* an answer under way when its address is invalidated comes within that time */

/* A store that is away is a miss; the reason is logged, but not for each call. */
static bool trouble(struct worker *wk, gh_rc rc, const struct gh_err *err)
{
	if (!rc.code)
		return false;
	if (!wk->cache_complained_us || wk->loop.now_us - wk->cache_complained_us >= 10 * 1000 * 1000) {
		wk->cache_complained_us = wk->loop.now_us;
		log_warn("cache of answers failed", KV_CSTR("error", err->message));
	}
	return true;
}

static struct str get(struct call *k, char space, struct str key, int64_t now_us)
{
	struct str value = STR_NULL;
	struct gh_err err;

	if (k->wk->responses
	    && trouble(k->wk, cache_get(k->wk->responses, space, key, now_us, k->arena, &value, &err), &err))
		return STR_NULL;
	return value;
}

static void put(struct call *k, char space, struct str key, struct str value, int64_t until_us)
{
	int64_t now = clock_wall_us();
	struct gh_err err;

	if (k->wk->responses && value.p && key.p && until_us > now)
		(void)trouble(k->wk, cache_put(k->wk->responses, space, key, value, now, until_us, &err), &err);
}

static bool look_up_address(struct call *k, struct str key, int64_t now_us, struct cached_address *out)
{
	struct str bytes = get(k, RESPONSE_CACHE_ADDRESS, key, now_us);

	*out = (struct cached_address){ .vary = STR("") };
	return bytes.p && cached_address_read(bytes, out);
}

void cached_look(struct call *k, struct cached *c, int64_t now_us)
{
	struct cache *held = k->wk->responses;   /* both look-ups in one view of the store */
	struct str bytes;

	c->has_stored = false;
	if (held)
		cache_hold(held);
	c->has_address = look_up_address(k, c->address_key, now_us, &c->address);
	c->variant = !c->address.vary.n && c->plain_variant.p ? c->plain_variant
							      : cache_variant_key(&k->x, c->key, c->address.vary, &c->original);
	bytes = c->variant.p ? get(k, RESPONSE_CACHE_ANSWER, c->variant, now_us) : STR_NULL;
	if (held)
		cache_let_go(held);
	if (bytes.p && cached_answer_read(k->arena, bytes, &c->stored))
		c->has_stored = c->stored.pass || c->stored.asked_us > c->address.invalidated_us;
}

/* One worker may invalidate an address while another keeps an answer of it: neither may undo what the other writes. */
struct address_change {
	struct arena *arena;
	struct str vary;                         /* STR_NULL: as it is */
	int64_t invalidated_us, until_us;        /* at least */
};

static bool change_address(void *arg, struct str old, struct str *value, int64_t *expires_us)
{
	const struct address_change *want = arg;
	struct cached_address a = { .vary = STR("") };

	if (old.p)
		(void)!cached_address_read(old, &a);
	if (want->vary.p)
		a.vary = want->vary;
	if (a.invalidated_us < want->invalidated_us)
		a.invalidated_us = want->invalidated_us;
	if (a.until_us < want->until_us)
		a.until_us = want->until_us;
	*value = cached_address_write(want->arena, &a);
	*expires_us = a.until_us;
	return value->p != NULL;
}

static void write_address(struct call *k, struct str key, int64_t now_us, struct address_change *want)
{
	struct gh_err err;

	if (k->wk->responses && want->until_us > now_us)
		(void)trouble(k->wk, cache_change(k->wk->responses, RESPONSE_CACHE_ADDRESS, key, now_us, change_address, want, &err), &err);
}

/* What leads to the answer stays as long as the answer. */
static void keep_address(struct call *k, struct cached *c, struct str vary, int64_t until_us)
{
	struct address_change want = { .arena = k->arena, .vary = vary, .until_us = until_us };
	int64_t now_us = clock_wall_us();
	struct cached_address now;

	if (look_up_address(k, c->address_key, now_us, &now) && now.until_us >= until_us && str_eq(now.vary, vary))
		return;
	write_address(k, c->address_key, now_us, &want);
}

/* For people, so without the key of a subscription: access_strip has taken it out of this query. */
static struct str target_of(struct call *k)
{
	struct str path = k->x.request.original_url.path, query = k->gate->route.query;

	return query.n ? arena_printf(k->arena, "%.*s?%.*s", STR_ARG(path), STR_ARG(query)) : path;
}

static void write_answer(struct call *k, struct cached *c, struct cached_answer *e)
{
	struct response *r = &e->response;
	struct http_cache_control cc;
	struct str vary = fields_joined(&r->headers, STR("Vary")), key;
	int64_t keep_s;

	http_cache_control_of_response(&r->headers, &cc);
	e->lifetime_s = http_cache_lifetime_s(&c->rule->policy, r, &cc);
	e->initial_age_s = http_cache_initial_age_s(r, e->asked_us, e->came_us);
	keep_s = http_cache_keep_s(&c->rule->policy, r, &cc, e->lifetime_s, e->initial_age_s);
	e->api = k->x.api->id;
	e->target = c->stored.target.n ? c->stored.target : target_of(k);
	e->tenant = c->tenant;
	e->tags = cached_tags(k->arena, &r->headers);
	vary = vary.p ? vary : STR("");
	key = cache_variant_key(&k->x, c->key, vary, &c->original);
	if (keep_s <= 0 || !key.p)
		return;
	put(k, RESPONSE_CACHE_ANSWER, key, cached_answer_write(k->arena, e), e->came_us + keep_s * 1000000);
	if (k->wk->responses && response_cache_purged(k->wk->responses, k->arena, e, clock_wall_us())) {
		bool was_there;
		struct gh_err err;

		(void)trouble(k->wk, cache_remove(k->wk->responses, RESPONSE_CACHE_ANSWER, key, &was_there, &err), &err);
		return;
	}
	keep_address(k, c, vary, e->came_us + keep_s * 1000000);
}

/* What is kept of an answer: without the fields that are for this hop or for one caller. False: out of memory. */
static bool copy_kept(struct call *k, struct response *to, const struct response *from)
{
	struct http_cache_control cc;

	*to = *from;
	fields_init(&to->headers, k->arena);
	http_cache_control_of_response(&from->headers, &cc);
	for (size_t i = 0; i < from->headers.n; i++) {
		const struct field *f = &from->headers.v[i];

		if (!http_cache_drops_field(from, &cc, f->name) && !fields_add(&to->headers, f->name, f->value))
			return false;
	}
	return true;
}

void cached_keep(struct call *k, struct cached *c, struct str body)
{
	struct cached_answer e = { .asked_us = c->asked_us, .came_us = c->came_us };

	if (!copy_kept(k, &e.response, &c->head))
		return;
	e.response.body = (struct body){ .kind = BODY_HELD, .bytes = body };
	write_answer(k, c, &e);
}

void cached_refreshed(struct call *k, struct cached *c)
{
	struct cached_answer e = c->stored;
	struct http_cache_control cc;

	e.asked_us = c->asked_us;
	e.came_us = c->came_us;
	if (!http_cache_merge(&e.response, &k->x.response))
		return;
	/* a 304 may say as well that the answer is for this caller alone: it has it, and nobody else gets it so */
	http_cache_control_of_response(&e.response.headers, &cc);
	if (!http_cache_refuses(&c->rule->policy, &c->original, &e.response, &cc)) {
		struct cached_answer kept = e;

		if (copy_kept(k, &kept.response, &e.response))
			write_answer(k, c, &kept);
		e.lifetime_s = kept.lifetime_s;
		e.initial_age_s = kept.initial_age_s;
	}
	c->stored = e;
}

void cached_mark_pass(struct call *k, struct cached *c)
{
	const struct cached_answer mark = { .pass = true };

	put(k, RESPONSE_CACHE_ANSWER, c->led, cached_answer_write(k->arena, &mark), clock_wall_us() + PASS_S * (int64_t)1000000);
}

/* ---- invalidation (RFC 9111 section 4.4) ---------------------------------------------------------------------------------- */

static void invalidate_address(struct call *k, const struct url *u)
{
	int64_t now = clock_wall_us();
	struct address_change want = { .arena = k->arena, .invalidated_us = now, .until_us = now + MARK_S * (int64_t)1000000 };
	struct str key;

	if (cached_address_key(k, u, &key))
		write_address(k, key, now, &want);
}

/* Location and Content-Location of the same origin: a whole address, or a path from the root. */
static void invalidate_named(struct call *k, struct str value)
{
	const struct url *asked = &k->x.request.url;
	struct url u = *asked;
	struct uri parts;

	if (!value.n || !uri_parse(str_trim(value), &parts) || !str_starts(parts.path, STR("/")))
		return;
	if (parts.host.p
	    && (!str_eq_ci(parts.host, asked->host) || (parts.scheme.p && !str_eq_ci(parts.scheme, asked->scheme))
		|| (parts.port ? parts.port : url_port(asked)) != url_port(asked)))
		return;
	u.path = parts.path;
	u.query = parts.query;
	invalidate_address(k, &u);
}

void cached_invalidate(struct call *k)
{
	const struct fields *h = &k->x.response.headers;

	invalidate_address(k, &k->x.request.url);
	invalidate_named(k, fields_get(h, STR("Location")));
	invalidate_named(k, fields_get(h, STR("Content-Location")));
}
