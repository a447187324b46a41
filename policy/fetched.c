#include "policy/fetched.h"

#include "core/buf.h"
#include "core/str.h"

enum { PAUSE_MS = 20, PAUSES_MAX = SHELF_FETCH_MOST_S * 1000 / PAUSE_MS, HOPS_MAX = 3, CLAIM_PAUSES_MAX = 25, CLAIM_S = 5 };

struct given {
	const struct fetched_kind *kind;
	void *thing;
};

static void give_back(void *p)
{
	const struct given *g = p;

	g->kind->shelf->release(g->thing);
}

/* Keeps a held thing until the exchange ends. */
static enum step keep(struct exchange *x, const struct fetched_kind *kind, struct fetched *f, void *thing)
{
	struct given *g = arena_new_of(x->arena, struct given);

	f->phase = FETCHED_DONE;
	if (!thing)
		return STEP_NEXT;
	if (g)
		*g = (struct given){ kind, thing };
	if (!g || !arena_defer(x->arena, give_back, g)) {
		kind->shelf->release(thing);
		return exchange_no_memory(x);
	}
	f->thing = thing;
	return STEP_NEXT;
}

static struct str key_of(const struct fetched *f)
{
	return f->key.n ? f->key : f->url;
}

/* ---- between processes --------------------------------------------------------------------------------------------- */

static struct str shared_key(struct exchange *x, const struct fetched *f)
{
	return arena_printf(x->arena, "fetched:%.*s", STR_ARG(key_of(f)));
}

/* TIME \n, then LENGTH \n BYTES of each answer. A cache that cannot take it is no harm. */
static void share(struct exchange *x, const struct fetched *f)
{
	struct cache_op *op = arena_new_of(x->arena, struct cache_op);
	struct buf b;

	if (!x->host->cache_put || !op || f->fresh_s < 1)
		return;
	buf_init(&b, SIZE_MAX / 2);
	buf_fmt(&b, "%lld\n", (long long)x->host->now_us(x));
	for (size_t i = 0; i < f->n_parts; i++) {
		buf_fmt(&b, "%zu\n", f->parts[i].n);
		buf_str(&b, f->parts[i]);
	}
	op->store = CACHE_INTERNAL;
	op->key = shared_key(x, f);
	op->value = buf_ok(&b) ? arena_dup(x->arena, buf_view(&b)) : STR_NULL;
	op->ttl_s = f->fresh_s > UINT32_MAX ? UINT32_MAX : (uint32_t)f->fresh_s;
	buf_release(&b);
	if (op->key.p && op->value.p)
		(void)x->host->cache_put(x, op);
}

static bool number_line(struct str *rest, int64_t *out)
{
	struct str line;

	return str_split(rest, '\n', &line) && rest->p && str_to_i64(line, 0, INT64_MAX, out);
}

/* What another process has fetched since `than_us`; NULL: nothing. Then *at_us is when. */
static void *shared(struct exchange *x, const struct fetched_kind *kind, struct fetched *f, int64_t than_us, int64_t *at_us)
{
	struct cache_op *op = arena_new_of(x->arena, struct cache_op);
	struct fetched before = *f;
	enum fetched_take taken = FETCHED_ON;
	void *thing = NULL;
	int64_t n;

	if (!x->host->cache_get || !op)
		return NULL;
	op->store = CACHE_INTERNAL;
	op->key = shared_key(x, f);
	if (!op->key.p || x->host->cache_get(x, op) != STEP_NEXT || !number_line(&op->value, at_us) || *at_us <= than_us)
		return NULL;
	for (; taken == FETCHED_ON && number_line(&op->value, &n) && (uint64_t)n <= op->value.n; f->hops++) {
		taken = kind->take(x, f, str_first(op->value, (size_t)n), &thing);
		op->value = str_from(op->value, (size_t)n);
	}
	if (taken == FETCHED_THING)
		return thing;
	*f = before;
	return NULL;
}

/* May this process ask? Without counters everybody may. */
static bool claim(struct exchange *x, const struct fetched_kind *kind, const struct fetched *f)
{
	struct counter_take *t = arena_new_of(x->arena, struct counter_take);

	if (!x->host->take || !t)
		return true;
	t->kind = COUNTER_SLIDING;
	t->key = arena_printf(x->arena, f->renew ? "renew:%.*s" : "fetch:%.*s", STR_ARG(key_of(f)));
	t->limit = t->amount = 1;
	t->window_s = f->renew && kind->pace.floor_s ? (uint32_t)kind->pace.floor_s : CLAIM_S;
	if (!t->key.p)
		return true;
	if (x->host->take(x, t) != STEP_NEXT) {
		x->error = (struct last_error){ 0 };     /* that limits cannot be kept is no failure of this exchange */
		return true;
	}
	return t->allowed;
}

static enum step finish(struct exchange *x, const struct fetched_kind *kind, struct fetched *f, void *thing)
{
	void *usable;
	bool ok;

	if (thing)
		share(x, f);
	ok = shelf_put(kind->shelf, key_of(f), thing, f->why, f->fresh_s, f->stale_s, x->host->now_us(x), &usable, &f->put_us);

	exchange_trace(x, thing ? "%s of %.*s fetched" : "%s of %.*s could not be fetched", kind->name,
		       STR_ARG(str_first(f->url, 200)));
	return ok ? keep(x, kind, f, usable) : exchange_no_memory(x);
}

static enum step ask(struct exchange *x, const struct fetched_kind *kind, struct fetched *f, struct str url)
{
	f->call = arena_new_of(x->arena, struct subrequest);
	if (!f->call)
		return exchange_no_memory(x);
	f->phase = FETCHED_ASKED;
	f->call->timeout_ms = kind->timeout_ms;
	f->call->max_response_bytes = kind->max_bytes;
	f->call->request.method = f->post.n ? STR("POST") : STR("GET");
	if (f->post.n)
		f->call->request.body = (struct body){ .kind = BODY_HELD, .bytes = f->post };
	fields_init(&f->call->request.headers, x->arena);
	if (!url_parse(url, &f->call->request.url)) {
		f->why = arena_printf(x->arena, "%.*s is no http or https address", STR_ARG(str_first(url, 200)));
		return finish(x, kind, f, NULL);
	}
	if (!fields_add(&f->call->request.headers, STR("Accept"), str_of(kind->accept))
	    || (f->post.n && !fields_add(&f->call->request.headers, STR("Content-Type"), str_of(kind->post_type))))
		return exchange_no_memory(x);
	return x->host->send(x, f->call);
}

static enum step take(struct exchange *x, const struct fetched_kind *kind, struct fetched *f)
{
	const struct subrequest *call = f->call;
	void *thing = NULL;

	if (call->failure != CALL_OK) {
		f->why = arena_printf(x->arena, "the %s could not be fetched: %.*s", kind->name, STR_ARG(call->failure_text));
		return finish(x, kind, f, NULL);
	}
	if (call->response.status != 200) {
		f->why = arena_printf(x->arena, "the %s was answered with status %d", kind->name, call->response.status);
		return finish(x, kind, f, NULL);
	}
	if (f->n_parts < FETCHED_PARTS)
		f->parts[f->n_parts++] = call->response.body.bytes;
	if (kind->take(x, f, call->response.body.bytes, &thing) != FETCHED_ON)
		return finish(x, kind, f, thing);
	if (f->hops++ < HOPS_MAX)
		return ask(x, kind, f, f->next);
	f->why = arena_printf(x->arena, "the %s leads from one address to the next", kind->name);
	return finish(x, kind, f, NULL);
}

static enum step wait_a_moment(struct exchange *x, struct fetched *f)
{
	f->phase = FETCHED_PAUSE;
	f->pause = arena_new_of(x->arena, struct host_sleep);
	if (!f->pause)
		return exchange_no_memory(x);
	f->pause->ms = PAUSE_MS;
	return x->host->sleep(x, f->pause);
}

/* This exchange is to bring the thing: out of the shared cache, from the address, or by waiting for another process. */
static enum step bring(struct exchange *x, const struct fetched_kind *kind, struct fetched *f)
{
	int64_t than_us = f->put_us, at_us = 0, now = x->host->now_us(x);
	void *usable, *thing = shared(x, kind, f, than_us, &at_us);

	if (thing) {
		if (!shelf_put(kind->shelf, key_of(f), thing, STR_NULL, f->fresh_s - (now - at_us) / 1000000, f->stale_s, now, &usable,
			       &f->put_us))
			return exchange_no_memory(x);
		return keep(x, kind, f, usable);
	}
	if (f->pauses < CLAIM_PAUSES_MAX && !claim(x, kind, f)) {
		f->claims = true;
		f->pauses++;
		return wait_a_moment(x, f);
	}
	f->claims = false;
	return ask(x, kind, f, f->url);
}

/* Another process fetches for a key that is not known, and has found none: what is there serves on. */
static enum step give_up_claim(struct exchange *x, const struct fetched_kind *kind, struct fetched *f)
{
	f->claims = false;
	f->why = arena_printf(x->arena, "the %s was asked for a moment ago", kind->name);
	return finish(x, kind, f, NULL);
}

/* ---- who fetches --------------------------------------------------------------------------------------------------- */

struct errand {
	const struct fetched_kind *kind;
	struct str key;
	int64_t begun_us;
};

static void go_away(void *p)
{
	const struct errand *e = p;

	shelf_abandon(e->kind->shelf, e->key, e->begun_us);
}

/* Whatever becomes of the exchange that fetches, the shelf does not wait for it longer than it lives. */
static bool promise(struct arena *a, const struct fetched_kind *kind, struct str key, int64_t begun_us)
{
	struct errand *e = arena_new_of(a, struct errand);

	if (e) {
		*e = (struct errand){ kind, arena_dup(a, key), begun_us };
		if (e->key.p && arena_defer(a, go_away, e))
			return true;
	}
	shelf_abandon(kind->shelf, key, begun_us);
	return false;
}

static enum step run_errand(struct exchange *x, void *state)
{
	struct fetched *f = state;

	return fetched_step(x, f->kind, f);
}

static bool hand_over(struct arena *a, const struct fetched *from, struct fetched *to)
{
	to->url = arena_dup(a, from->url);
	if (from->key.n)
		to->key = arena_dup(a, from->key);
	if (from->post.n)
		to->post = arena_dup(a, from->post);
	return to->url.p && (!from->key.n || to->key.p) && (!from->post.n || to->post.p);
}

/* In an exchange of its own: a caller who leaves takes no fetch with him, and none has to wait for one that is only due. */
static bool send_errand(struct exchange *x, const struct fetched_kind *kind, const struct fetched *f, int64_t begun_us)
{
	size_t bytes = kind->state_bytes ? kind->state_bytes : sizeof(struct fetched);
	struct arena *arena;
	struct fetched *g = x->host->aside ? x->host->aside(x, run_errand, bytes, &arena) : NULL;

	if (!g)
		return false;
	*g = (struct fetched){ .renew = f->renew, .put_us = f->put_us, .kind = kind, .phase = FETCHED_DONE };
	if (promise(arena, kind, key_of(f), begun_us) && hand_over(arena, f, g) && (!kind->brief || kind->brief(arena, f, g)))
		g->phase = FETCHED_BRING;
	return true;
}

/* `thing` is what may serve until then, or NULL. */
static enum step fetch(struct exchange *x, const struct fetched_kind *kind, struct fetched *f, int64_t begun_us, void *thing)
{
	if (send_errand(x, kind, f, begun_us)) {
		f->pauses++;
		return thing ? keep(x, kind, f, thing) : wait_a_moment(x, f);
	}
	kind->shelf->release(thing);
	return promise(x->arena, kind, key_of(f), begun_us) ? bring(x, kind, f) : exchange_no_memory(x);
}

/* The words of whoever tried last. */
static struct str last_why(struct exchange *x, const struct fetched_kind *kind, const struct fetched *f)
{
	char why[SHELF_WHY_MAX];

	shelf_why(kind->shelf, key_of(f), why);
	if (why[0])
		return arena_dup(x->arena, str_of(why));
	return arena_printf(x->arena, "the %s could not be fetched a moment ago", kind->name);
}

static enum step look(struct exchange *x, const struct fetched_kind *kind, struct fetched *f)
{
	int64_t now = x->host->now_us(x);
	void *thing;

	if (f->url.n == 0 || key_of(f).n > SHELF_KEY_MAX) {
		f->why = arena_printf(x->arena, "the address of the %s is empty or too long", kind->name);
		f->phase = FETCHED_DONE;
		return STEP_NEXT;
	}
	switch (shelf_look(kind->shelf, key_of(f), &kind->pace, f->renew, now, &thing, &f->put_us)) {
	case SHELF_USE:
		if (f->pauses)
			exchange_trace(x, "%s of %.*s fetched", kind->name, STR_ARG(str_first(f->url, 200)));
		return keep(x, kind, f, thing);
	case SHELF_FETCH:
		return fetch(x, kind, f, now, thing);
	case SHELF_NO_MEMORY:
		return exchange_no_memory(x);
	case SHELF_WAIT:
		if (f->pauses++ < PAUSES_MAX)
			return wait_a_moment(x, f);
		break;
	case SHELF_GIVE_UP:
		break;
	}
	f->why = last_why(x, kind, f);
	f->phase = FETCHED_DONE;
	return STEP_NEXT;
}

enum step fetched_step(struct exchange *x, const struct fetched_kind *kind, struct fetched *f)
{
	enum step step = STEP_NEXT;

	while (step == STEP_NEXT && f->phase != FETCHED_DONE) {
		switch (f->phase) {
		case FETCHED_LOOK:
			step = look(x, kind, f);
			break;
		case FETCHED_BRING:
			step = bring(x, kind, f);
			break;
		case FETCHED_PAUSE:
			if (!f->pause->done)
				return STEP_WAIT;
			f->phase = FETCHED_LOOK;
			if (f->claims)
				step = f->renew && f->pauses >= CLAIM_PAUSES_MAX ? give_up_claim(x, kind, f) : bring(x, kind, f);
			break;
		case FETCHED_ASKED:
			step = f->call->done ? take(x, kind, f) : STEP_WAIT;
			break;
		default:
			break;
		}
	}
	return step;
}
