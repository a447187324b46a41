/* cached_refresh.c - stale-while-revalidate: the caller has the stale answer, and a call that is nobody's (aside.c) asks the
 * backend once for all workers. It sends what the caller sent, without the caller's conditions. */
#include "fcgi/cached.h"

#include "core/counter.h"
#include "core/str.h"

struct cached_refresh {
	struct forward f;
	struct str gauge;
	struct counters *counters;
	bool begun;
};

static bool copy_text(struct arena *a, struct str *s)
{
	if (!s->p)
		return true;
	*s = arena_dup(a, *s);
	return s->p != NULL;
}

static bool copy_url(struct arena *a, struct url *u)
{
	return copy_text(a, &u->scheme) && copy_text(a, &u->host) && copy_text(a, &u->path) && copy_text(a, &u->query);
}

static bool copy_request(struct call *to, const struct call *from)
{
	struct request *rq = &to->x.request;
	const struct fields *h = &from->x.request.headers;
	struct arena *a = to->arena;

	rq->method = STR("GET");
	rq->url = from->x.request.url;
	rq->original_url = from->x.request.original_url;
	rq->ip = arena_dup(a, from->x.request.ip);
	fields_init(&rq->headers, a);
	fields_init(&to->x.response.headers, a);
	fields_init(&to->x.matched, a);
	for (size_t i = 0; i < h->n; i++)
		if (!fields_add(&rq->headers, arena_dup(a, h->v[i].name), arena_dup(a, h->v[i].value)))
			return false;
	http_cache_ask_for_all(&rq->headers);
	fields_remove(&rq->headers, STR("Cache-Control"));
	fields_remove(&rq->headers, STR("Pragma"));
	return copy_url(a, &rq->url) && copy_url(a, &rq->original_url);
}

static bool copy_call(struct call *to, const struct call *from)
{
	struct gate_state *g = arena_new_of(to->arena, struct gate_state);
	struct arena *a = to->arena;

	if (!g || !copy_request(to, from))
		return false;
	to->gate = g;
	g->snapshot = snapshot_ref(from->gate->snapshot);
	g->route.api = from->gate->route.api;
	g->route.operation = from->gate->route.operation;
	g->route.environment = from->gate->route.environment;
	g->route.query = arena_dup(to->arena, from->gate->route.query);
	to->x.api = from->x.api;
	to->x.operation = from->x.operation;
	to->x.deployment = from->x.deployment;
	to->x.backend_id = arena_dup(a, from->x.backend_id);
	to->x.backend_is_pool = from->x.backend_is_pool;
	to->x.request_id = arena_dup(a, from->x.request_id);
	to->backend = from->backend;
	to->pool = from->pool;
	to->client_host = arena_dup(a, from->client_host);
	to->hops_seen = arena_dup(a, from->hops_seen);
	to->hops_kept = arena_dup(a, from->hops_kept);
	to->trace = from->trace;
	to->up_ended = true;
	return true;
}

/* What tells the answer apart is the caller's; this call has none. */
static bool copy_keys(struct call *to, struct cached *c, const struct cached *from)
{
	c->rule = from->rule;
	c->looks = true;
	http_cache_control_parse(STR_NULL, &c->asked);
	c->address_key = arena_dup(to->arena, from->address_key);
	c->key = arena_dup(to->arena, from->key);
	c->tenant = arena_dup(to->arena, from->tenant);
	fields_init(&c->original, to->arena);
	for (size_t i = 0; i < from->original.n; i++)
		if (!fields_add(&c->original, arena_dup(to->arena, from->original.v[i].name),
				arena_dup(to->arena, from->original.v[i].value)))
			return false;
	buf_init(&c->body, c->rule->max_bytes);
	return c->address_key.p && c->key.p && c->tenant.p;
}

static enum step run(struct exchange *x, void *state)
{
	struct call *k = x->owner;
	struct cached_refresh *r = state;

	if (!r->begun) {
		r->begun = true;
		return host_forward(x, &r->f) == STEP_WAIT ? STEP_WAIT : STEP_NEXT;
	}
	forward_settle(k);
	return r->f.done && (!k->forward || !k->cached->keeping) ? STEP_NEXT : STEP_WAIT;
}

static void leave(void *arg)
{
	struct cached_refresh *r = arg;

	counter_leave(r->counters, r->gauge);
}

void cached_refresh(struct call *k, struct forward *f, const struct cached *c)
{
	struct counters *counters = k->wk->serving->counters;
	struct str gauge = arena_printf(k->arena, "refresh:%.*s", STR_ARG(c->variant));
	struct cached_refresh *r;
	struct call *n;

	if (!counters || !gauge.p || !counter_enter(counters, gauge, 1))
		return;
	n = aside_begin(k->wk, run, sizeof(*r));
	if (!n) {
		counter_leave(counters, gauge);
		return;
	}
	r = n->aside_state;
	*r = (struct cached_refresh){ .counters = counters, .gauge = arena_dup(n->arena, gauge) };
	if (!r->gauge.p || !arena_defer(n->arena, leave, r)) {
		counter_leave(counters, gauge);
		r->begun = r->f.done = true;     /* its first turn ends it */
		return;
	}
	r->f.timeout_ms = f->timeout_ms;
	r->f.http_version = f->http_version;
	r->f.client_cert_pem = arena_dup(n->arena, f->client_cert_pem);
	r->f.client_key_pem = arena_dup(n->arena, f->client_key_pem);
	r->f.proxy_url = arena_dup(n->arena, f->proxy_url);
	r->f.proxy_user = arena_dup(n->arena, f->proxy_user);
	r->f.proxy_password = arena_dup(n->arena, f->proxy_password);
	n->cached = arena_new_of(n->arena, struct cached);
	if (!n->cached || !copy_call(n, k) || !copy_keys(n, n->cached, c)) {
		r->begun = r->f.done = true;
		return;
	}
	n->cached->refresh = r;
}
