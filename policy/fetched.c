#include "policy/fetched.h"

enum { PAUSE_MS = 20, PAUSES_MAX = 600, HOPS_MAX = 3 };

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

static enum step finish(struct exchange *x, const struct fetched_kind *kind, struct fetched *f, void *thing)
{
	void *usable;
	bool ok = shelf_put(kind->shelf, f->url, thing, f->fresh_s, f->stale_s, x->host->now_us(x), &usable, &f->put_us);

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
	f->call->request.method = STR("GET");
	fields_init(&f->call->request.headers, x->arena);
	if (!url_parse(url, &f->call->request.url)) {
		f->why = arena_printf(x->arena, "%.*s is no http or https address", STR_ARG(str_first(url, 200)));
		return finish(x, kind, f, NULL);
	}
	if (!fields_add(&f->call->request.headers, STR("Accept"), str_of(kind->accept)))
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

static enum step look(struct exchange *x, const struct fetched_kind *kind, struct fetched *f)
{
	void *thing;

	if (f->url.n == 0 || f->url.n > SHELF_KEY_MAX) {
		f->why = arena_printf(x->arena, "the address of the %s is empty or too long", kind->name);
		f->phase = FETCHED_DONE;
		return STEP_NEXT;
	}
	switch (shelf_look(kind->shelf, f->url, &kind->pace, f->renew, x->host->now_us(x), &thing, &f->put_us)) {
	case SHELF_USE:
		return keep(x, kind, f, thing);
	case SHELF_FETCH:
		return ask(x, kind, f, f->url);
	case SHELF_NO_MEMORY:
		return exchange_no_memory(x);
	case SHELF_WAIT:
		if (f->pauses++ < PAUSES_MAX)
			return wait_a_moment(x, f);
		break;
	case SHELF_GIVE_UP:
		break;
	}
	f->why = arena_printf(x->arena, "the %s could not be fetched a moment ago", kind->name);
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
		case FETCHED_PAUSE:
			if (!f->pause->done)
				return STEP_WAIT;
			f->phase = FETCHED_LOOK;
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
