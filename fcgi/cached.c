/* cached.c - what becomes of a forward-request of a call with a cache rule: see the picture in cached.h.
 *
 * Where bytes of the backend arrive nothing but noting happens, as in call_forward.c; decisions fall in the call's turn. What is
 * kept is written when the whole body has passed by, so an answer that breaks off is never kept. */
#include "fcgi/cached.h"

#include "core/clock.h"
#include "core/config.h"
#include "core/str.h"
#include "fcgi/credential.h"
#include "fcgi/fill.h"

enum { FILL_WAIT_MS = 5000 };

const struct snap_cache *cached_rule(const struct call *k)
{
	const struct route *r = k->gate ? &k->gate->route : NULL;

	return !r || !r->api ? NULL : r->operation ? r->operation->cache : r->api->cache;
}

/* ---- before it is sent ------------------------------------------------------------------------------------------------------ */

/* A credential that is made for one caller makes an answer for one caller, and nothing of it stands in the request. */
static bool is_per_caller(const struct call *k)
{
	const struct snap_backend *b = k->x.backend_id.n ? k->backend : NULL;
	const struct snap_environment *e = k->gate->route.api->environment;
	const struct snap_credential *c = b && b->credential_id.n
		? snapshot_credential(k->gate->snapshot, e ? e->id : STR("default"), b->credential_id) : NULL;

	return c && credential_per_caller(&c->c);
}

/* Conditions that only the origin can judge; a body, which no key would hold; a protocol of its own. */
static bool is_for_origin(const struct call *k)
{
	static const struct str names[] = { STR_INIT("If-Match"), STR_INIT("If-Unmodified-Since"), STR_INIT("Upgrade") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (fields_count(&k->x.request.headers, names[i]))
			return true;
	return k->x.request.body.kind != BODY_NONE || is_per_caller(k);
}

static bool may_look(struct call *k, struct cached *c)
{
	struct str method = k->x.request.method;

	c->invalidates = !http_method_is_safe(method);
	c->forwarded = "method";
	if (!str_eq(method, STR("GET")) && !str_eq(method, STR("HEAD")))
		return false;
	c->forwarded = "bypass";
	if (!k->wk->responses || is_for_origin(k))
		return false;
	if (c->rule->obeys_client)
		http_cache_control_of_request(&k->x.request.headers, &c->asked);
	else
		http_cache_control_parse(STR_NULL, &c->asked);
	c->forwarded = "request";
	return !c->asked.no_store;
}

static enum step serve(struct call *k, struct forward *f, struct cached *c, const char *state, int64_t now_us)
{
	cached_drop(k);                          /* those who wait for it can have it now */
	cached_serve(k, f, c, state, true, now_us);
	return STEP_NEXT;
}

static enum step send_now(struct cached *c, const char *why)
{
	c->forwarded = why;
	return STEP_JUMP;
}

/* The caller, or a policy in its place: what comes has no body. */
static bool wants_head(const struct call *k)
{
	return k->head_request || str_eq(k->x.request.method, STR("HEAD"));
}

static enum step validate(struct call *k, struct cached *c, const char *why)
{
	/* a caller who asks for the head alone does not pay for the whole */
	c->validating = !wants_head(k) && http_cache_has_validator(&c->stored.response);
	return send_now(c, why);
}

/* Asks for the right to fetch. Who has it looks once more: another call may have ended between its look and now. */
static enum step fill(struct call *k, struct cached *c, bool *again)
{
	enum step step;

	c->fill.key = c->variant.p ? c->variant : c->key;
	c->fill.done = false;
	step = gate_fill(&k->x, &c->fill);
	c->waiting = step == STEP_WAIT;
	*again = step != STEP_WAIT && c->fill.result != CACHE_FILL_ALONE;
	if (*again && c->fill.result == CACHE_FILL_LEAD)
		c->led = c->fill.key;
	return step == STEP_WAIT ? STEP_WAIT : STEP_JUMP;
}

/* Nothing is stored that would do: one call fetches it. A part, or a head alone, fills nothing. */
static enum step fetch(struct call *k, struct cached *c, const char *why, bool *again)
{
	*again = false;
	c->forwarded = why;
	if (c->led.p || wants_head(k) || c->asked.no_cache || c->asked.max_age == 0
	    || fields_count(&k->x.request.headers, STR("Range")))
		return STEP_JUMP;
	return fill(k, c, again);
}

/* One look: STEP_JUMP with *again means to look once more. */
static enum step look(struct call *k, struct forward *f, struct cached *c, bool *again)
{
	struct http_cached s = { .response = &c->stored.response };
	struct http_cache_control nothing;
	int64_t now_us = clock_wall_us();
	enum http_cache_use use;

	*again = false;
	cached_look(k, c, now_us);
	if (!c->has_stored || c->stored.pass) {
		if (c->asked.only_if_cached) {
			cached_not_there(k, f, c);
			return STEP_NEXT;
		}
		if (c->has_stored)
			return send_now(c, "uri-miss");
		return fetch(k, c, c->has_address && c->address.vary.n ? "vary-miss" : "uri-miss", again);
	}
	http_cache_control_of_response(&c->stored.response.headers, &s.cc);
	s.age_s = cached_age_s(&c->stored, now_us);
	s.lifetime_s = c->stored.lifetime_s;
	use = http_cache_use_of(&c->rule->policy, &s, &c->asked);
	if (use == HTTP_CACHE_FRESH && c->refresh) {     /* another has refreshed it */
		f->done = true;
		return STEP_NEXT;
	}
	if (use == HTTP_CACHE_FRESH)
		return serve(k, f, c, "HIT", now_us);
	if (use == HTTP_CACHE_STALE_OK && !c->refresh)
		cached_refresh(k, f, c);
	if ((use == HTTP_CACHE_STALE_OK || use == HTTP_CACHE_STALE_ASKED) && !c->refresh)
		return serve(k, f, c, "STALE", now_us);
	if (c->asked.only_if_cached) {
		cached_not_there(k, f, c);
		return STEP_NEXT;
	}
	http_cache_control_parse(STR_NULL, &nothing);
	if (c->refresh || http_cache_use_of(&c->rule->policy, &s, &nothing) == HTTP_CACHE_FRESH)
		return validate(k, c, "request");        /* it is this caller who wants another */
	if (s.cc.no_cache)
		return validate(k, c, "stale");          /* nobody may use another's, so nobody waits for one */
	if (fetch(k, c, "stale", again) == STEP_WAIT)
		return STEP_WAIT;
	return *again ? STEP_JUMP : validate(k, c, "stale");
}

static enum step walk(struct call *k, struct forward *f, struct cached *c)
{
	enum step step;
	bool again;

	do
		step = look(k, f, c, &again);
	while (again);
	return step;
}

enum step cached_begin(struct call *k, struct forward *f, const struct snap_cache *rule)
{
	struct cached *c;

	if (k->cached && k->cached->refresh)
		return walk(k, f, k->cached);
	c = k->cached = arena_new_of(k->arena, struct cached);
	if (!c)
		return STEP_JUMP;                /* then without */
	c->rule = rule;
	buf_init(&c->body, rule->max_bytes);
	fields_init(&c->original, k->arena);
	c->looks = may_look(k, c) && fields_copy(&c->original, &k->x.request.headers) && cached_keys(k, c);
	if (!c->looks)
		return STEP_JUMP;
	c->fill.wait_ms = FILL_WAIT_MS;
	k->x.cached = EXCHANGE_CACHE_MISS;
	return walk(k, f, c);
}

bool cached_fields(struct call *k, struct fields *to)
{
	struct cached *c = k->cached;

	c->asked_us = clock_wall_us();
	c->judged = c->not_modified = c->use_stale = false;
	if (!c->looks)
		return true;
	if (!c->rule->obeys_client) {
		fields_remove(to, STR("Cache-Control"));
		fields_remove(to, STR("Pragma"));
	}
	if (c->validating)
		return http_cache_ask_if_changed(to, &c->stored.response);
	if (!wants_head(k) && !fields_count(to, STR("Range")))
		http_cache_ask_for_all(to);      /* it is to be kept whole */
	return true;
}

/* ---- while it comes ----------------------------------------------------------------------------------------------------------- */

static void let_go(struct call *k, struct cached *c)
{
	k->wk->filling -= c->counted;
	c->counted = 0;
	c->keeping = false;
	buf_release(&c->body);
}

static bool may_keep(struct call *k, struct cached *c)
{
	const struct response *r = &k->x.response;
	struct http_cache_control cc;

	if (!c->looks || wants_head(k) || k->forward_length > (int64_t)c->rule->max_bytes)
		return false;
	http_cache_control_of_response(&r->headers, &cc);
	if (http_cache_refuses(&c->rule->policy, &c->original, r, &cc))
		return false;
	c->head = *r;
	fields_init(&c->head.headers, k->arena);
	return fields_copy(&c->head.headers, &r->headers);
}

void cached_head(struct call *k)
{
	struct cached *c = k->cached;
	struct http_cached s = { .response = &c->stored.response };
	int status = k->x.response.status;

	c->came_us = clock_wall_us();
	c->judged = true;
	c->not_modified = c->validating && status == 304;
	if (c->has_stored && !c->stored.pass && http_cache_is_error(status)) {
		http_cache_control_of_response(&c->stored.response.headers, &s.cc);
		s.age_s = cached_age_s(&c->stored, c->came_us);
		s.lifetime_s = c->stored.lifetime_s;
		c->use_stale = http_cache_stale_if_error(&c->rule->policy, &s, &c->asked);
	}
	c->keeping = c->stores = !c->not_modified && !c->use_stale && may_keep(k, c);
	if (c->not_modified || c->use_stale)
		call_wake(k);
}

bool cached_swallows(const struct call *k)
{
	return k->cached->not_modified || k->cached->use_stale || k->cached->refresh;
}

static void release(struct call *k, struct cached *c)
{
	if (c->led.p)
		gate_filled(&k->x, c->led);
	c->led = STR_NULL;
}

/* It will not be kept, and the next one would not be either: nobody waits for it. */
static void give_up(struct call *k, struct cached *c)
{
	let_go(k, c);
	if (c->led.p && !http_cache_is_error(k->backend_status) && !k->credential_refused)
		cached_mark_pass(k, c);
	release(k, c);
}

void cached_body(struct call *k, struct str bytes)
{
	struct cached *c = k->cached;

	if (!c->keeping)
		return;
	if (k->wk->limits.filling - k->wk->filling >= bytes.n)
		buf_str(&c->body, bytes);
	else
		c->body.failed = true;
	if (!buf_ok(&c->body)) {
		give_up(k, c);
		return;
	}
	c->counted += bytes.n;
	k->wk->filling += bytes.n;
}

static void keep(struct call *k, struct cached *c)
{
	cached_keep(k, c, buf_view(&c->body));
	let_go(k, c);
	release(k, c);
}

void cached_done(struct call *k, bool whole)
{
	struct cached *c = k->cached;

	if (c->keeping && whole)
		keep(k, c);
	else if (!c->not_modified && whole)
		give_up(k, c);
	else if (!c->not_modified)
		cached_drop(k);
}

/* It may have been given the right to fetch, and goes before its turn. */
static void stop_waiting(struct call *k, struct cached *c)
{
	if (c->waiting && !c->fill.done)
		fill_drop(k);
	else if (c->waiting && c->fill.result == CACHE_FILL_LEAD)
		gate_filled(&k->x, c->fill.key);
	c->waiting = false;
}

void cached_drop(struct call *k)
{
	stop_waiting(k, k->cached);
	let_go(k, k->cached);
	release(k, k->cached);
}

/* ---- in the call's turn --------------------------------------------------------------------------------------------------------- */

/* The stored one in place of what came. */
static enum step use_stored(struct call *k, struct forward *f, struct cached *c)
{
	if (c->not_modified)
		cached_refreshed(k, c);
	forward_drop(k);
	k->forward_reason = k->reason = REASON_NONE;
	k->down_ended = true;
	buf_clear(&k->down);
	cached_serve(k, f, c, c->not_modified ? "REVALIDATED" : "STALE", false, clock_wall_us());
	return STEP_NEXT;
}

/* What came goes on to the caller. */
static void pass_on(struct call *k, struct cached *c)
{
	c->judged = false;
	cached_tell(k, c);
	if (c->invalidates && http_cache_invalidates(k->x.response.status))
		cached_invalidate(k);
	if (!c->stores)
		give_up(k, c);
	else if (c->keeping && k->x.response.body.kind == BODY_NONE)
		keep(k, c);
}

enum step cached_turn(struct call *k, struct forward *f, bool *send)
{
	struct cached *c = k->cached;
	enum step step;

	if (c->waiting) {
		if (!c->fill.done)
			return STEP_WAIT;
		c->waiting = false;
		if (c->fill.result == CACHE_FILL_LEAD)
			c->led = c->fill.key;
		if (c->fill.result == CACHE_FILL_ALONE) {
			step = c->has_stored && !c->stored.pass ? validate(k, c, "stale") : send_now(c, c->forwarded);
		} else {
			step = walk(k, f, c);
		}
		*send = step == STEP_JUMP;
		return step;
	}
	if (!c->judged || k->credential_refused)
		return STEP_JUMP;
	if (c->not_modified || c->use_stale)
		return use_stored(k, f, c);
	pass_on(k, c);
	return STEP_JUMP;
}

bool cached_failed(struct call *k, struct forward *f)
{
	struct cached *c = k->cached;
	struct http_cached s = { .response = &c->stored.response };

	if (!c->looks || !c->has_stored || c->stored.pass)
		return false;
	http_cache_control_of_response(&c->stored.response.headers, &s.cc);
	s.age_s = cached_age_s(&c->stored, clock_wall_us());
	s.lifetime_s = c->stored.lifetime_s;
	if (!http_cache_stale_if_error(&c->rule->policy, &s, &c->asked))
		return false;
	(void)use_stored(k, f, c);
	return true;
}
