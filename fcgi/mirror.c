/* mirror.c - copies of calls for another backend. Nobody waits for them and nobody sees what is answered: a copy has an arena of its
 * own, starts behind the call it copies, and is left out when too many of its API are under way or its body is not at hand. It has
 * gateway.mirror_timeout_ms in all: no client goes away that would end a stream. Nothing that carries a credential goes along,
 * unless the rule says so and the client sent it; what the gateway or a policy showed to the first backend never does. The mirror has
 * its own fixed fields (fixed.h). */
#include "fcgi/traffic.h"

#include "core/str.h"
#include "fcgi/balance.h"
#include "fcgi/fixed.h"
#include "fcgi/trace_mask.h"

struct mirror {
	struct mirror *next, *prev;              /* worker.mirrors */
	struct worker *wk;
	struct arena *arena;                     /* holds this too */
	struct snapshot *snapshot;               /* whose texts the request borrows */
	struct transfer *transfer;
	struct backend_slot *slot;
	uint64_t key;                            /* mirror_key of its API */
};

static void end(struct mirror *m, enum mirror_outcome what)
{
	*(m->prev ? &m->prev->next : &m->wk->mirrors) = m->next;
	if (m->next)
		m->next->prev = m->prev;
	m->wk->n_mirrors--;
	mirror_count(m->slot, what);
	snapshot_unref(m->snapshot);
	arena_free(m->arena);
}

void mirrors_drop(struct worker *wk)
{
	while (wk->mirrors) {
		struct mirror *m = wk->mirrors;

		transfer_cancel(m->transfer);
		end(m, MIRROR_FAILED);
	}
}

static void on_head(struct transfer *t UNUSED)
{
}

static bool on_body(struct transfer *t UNUSED, struct str bytes UNUSED)
{
	return true;
}

static size_t no_upload(struct transfer *t UNUSED, char *to UNUSED, size_t n UNUSED)
{
	return 0;
}

static void on_done(struct transfer *t, enum reason why)
{
	end(transfer_owner(t), why == REASON_NONE ? MIRROR_SENT : MIRROR_FAILED);
}

static const struct transfer_ops ops = { .head = on_head, .body = on_body, .upload = no_upload, .done = on_done };

/* ---- what goes along ------------------------------------------------------------------------------------------------------ */

/* As the web server handed it over: what stands in the request now may be a policy's. The names there have been given their usual
 * form in place (call_request.c). */
static bool came_with_the_call(const struct call *k, const struct field *f)
{
	const struct str prefix = STR("HTTP_");
	struct str rest = buf_view(&k->params), name, value;

	while (fcgi_pair_next(&rest, &name, &value) == FCGI_PAIR_OK)
		if (str_starts(name, prefix) && str_eq_ci(str_from(name, prefix.n), f->name) && str_eq(str_trim(value), f->value))
			return true;
	return false;
}

/* A field whose name says credential, or whose value holds something that is kept secret elsewhere. */
static bool may_go(struct trace_writer *w, const struct mirror_rule *r, const struct field *f)
{
	if (trace_field_is_secret(w->k, f->name))
		return r->credentials && came_with_the_call(w->k, f);
	return str_eq(trace_mask(w, f->value), f->value);
}

static bool copy_fields(struct trace_writer *w, const struct mirror_rule *r, const struct fields *from, struct arena *a, struct fields *to)
{
	fields_init(to, a);
	for (size_t i = 0; i < from->n; i++) {
		struct str name = from->v[i].name, value = from->v[i].value;

		if (!may_go(w, r, &from->v[i]))
			continue;
		name = arena_dup(a, name);
		value = arena_dup(a, value);
		if (!name.p || !value.p || !fields_add(to, name, value))
			return false;
	}
	return true;
}

/* The address of the call as it went out, at the mirror. False: a policy has sent it elsewhere, or its query holds a secret. */
static bool address_of(struct call *k, struct trace_writer *w, const struct snap_backend *to, struct arena *a, struct url *out)
{
	const struct url *from = k->x.backend_id.n && k->backend ? &k->backend->base : &k->gate->route.api->ctx.service_url;
	bool moved;

	*out = k->x.request.url;
	if (out->query.n && !str_eq(trace_mask(w, out->query), out->query))
		return false;
	if (!url_rebase(a, out, from, &to->base, &moved) || !moved)
		return false;
	out->path = arena_dup(a, out->path);
	if (out->query.p)
		out->query = arena_dup(a, out->query);
	return out->path.p && (!k->x.request.url.query.p || out->query.p);
}

/* ---- starting --------------------------------------------------------------------------------------------------------------- */

static bool wanted(struct call *k, const struct snap_traffic *r, const struct upstream_request *rq)
{
	const struct mirror_rule *m = r->mirror;

	if (!m || k->traffic->mirrored || k->traffic->on_canary || !traffic_list_has(&m->methods, rq->method))
		return false;
	k->traffic->mirrored = true;             /* once a call, however often it is sent */
	return traffic_share(&r->live->mirror_turn, m->percent);
}

static bool send_copy(struct mirror *m, struct call *k, const struct mirror_rule *r, const struct upstream_request *from)
{
	const struct snap_backend *b = snapshot_backend(m->snapshot, r->backend);
	struct upstream_request rq = { .body = from->body == BODY_HELD ? BODY_HELD : BODY_NONE, .http_version = from->http_version,
				       .total_ms = m->wk->limits.mirror_ms };
	struct trace_writer w = { .k = k };
	struct fields fields;
	struct url url;
	enum reason why;

	trace_hide_secrets(&w);
	if (!b || !b->base.host.n || (b->fixed && b->fixed->problem.n) || !address_of(k, &w, b, m->arena, &url) || !copy_fields(&w, r, from->headers, m->arena, &fields))
		return false;
	rq.method = arena_dup(m->arena, from->method);
	rq.bytes = rq.body == BODY_HELD ? arena_dup(m->arena, from->bytes) : STR_NULL;
	if (!rq.method.p || (rq.body == BODY_HELD && from->bytes.n && !rq.bytes.p))
		return false;
	if (b->fixed && !fixed_apply(m->arena, b->fixed, &url, &fields))
		return false;
	rq.url = &url;
	rq.headers = &fields;
	backend_options(&k->x, b, &rq);
	m->transfer = upstream_start(m->wk->up, m->arena, &rq, &ops, m, &why);
	return m->transfer != NULL;
}

bool mirror_wants_body(const struct call *k, const struct snap_api *api)
{
	const struct mirror_rule *m = api->traffic ? api->traffic->mirror : NULL;

	return m && k->up_length > 0 && k->up_length <= (int64_t)m->max_body && traffic_list_has(&m->methods, k->x.request.method);
}

/* Those of one API; the list is walked only while more are under way than it may have. */
static bool is_full(const struct worker *wk, uint64_t key, size_t most)
{
	size_t n = 0;

	if (wk->n_mirrors < most)
		return false;
	for (const struct mirror *m = wk->mirrors; m; m = m->next)
		n += m->key == key;
	return n >= most;
}

void mirror_call(struct call *k, const struct upstream_request *rq)
{
	const struct snap_traffic *r = k->traffic->rule;
	struct worker *wk = k->wk;
	struct backend_slot *slot;
	struct mirror *m = NULL;
	struct arena *a = NULL;

	if (!wanted(k, r, rq))
		return;
	slot = backend_place_find(&r->live->mirror, r->api, wk->serving->states, wk->loop.now_us);
	if (rq->body != BODY_STREAM && rq->bytes.n <= r->mirror->max_body && !is_full(wk, r->live->mirror.key, r->mirror->max_in_flight)
	    && (a = arena_new(wk->limits.request_memory)) && (m = arena_new_of(a, struct mirror))) {
		*m = (struct mirror){ .wk = wk, .arena = a, .slot = slot, .key = r->live->mirror.key,
				      .snapshot = snapshot_ref(k->gate->snapshot) };
		if (send_copy(m, k, r->mirror, rq)) {
			m->next = wk->mirrors;
			if (m->next)
				m->next->prev = m;
			wk->mirrors = m;
			wk->n_mirrors++;
			traffic_note(k, STR("mirrored"));
			return;
		}
		snapshot_unref(m->snapshot);
	}
	arena_free(a);
	mirror_count(slot, MIRROR_SKIPPED);
}
