/* program.c - an exchange through its sections.
 *
 *   inbound → backend → outbound → end
 *      └────────┴──────────┴── an error anywhere ──→ on-error → end
 *
 * When an error strikes, the answer for the client is put into exchange.response first; the on-error section then sees
 * and changes it (context.Response.StatusCode). return-response ends everything: no later section runs. */
#include "policy/program.h"

#include "core/http_status.h"
#include "core/str.h"
#include "policy/elements/cors.h"

#include <pthread.h>

static void begin_section(struct exchange *x, enum section s)
{
	struct program_state *p = x->program;
	enum scope scope;
	const struct policy_document *doc = document_from(x, SCOPE_FIRST, &scope);

	x->section = s;
	p->skipping &= s == SECTION_OUTBOUND;
	if (!fiber_start(x, &p->main, doc, s, scope))
		p->main.over = true;
}

static void end(struct exchange *x)
{
	struct program_state *p = x->program;

	p->finished = true;
	p->running = false;
	p->now = NULL;
	fiber_unwind(x, &p->main);
	for (struct end_hook *h = p->hooks; h; h = h->next)
		h->fn(x, h->arg);
	if (!x->response.status) {
		x->response.status = 200;
		x->response.reason = http_reason(200);
	}
	x->finished(x);
}

static bool answer_error(struct exchange *x)
{
	const struct last_error *e = &x->error;
	bool ok = e->keep_response || respond_error(x, e->status ? e->status : 500, e->public_message);

	if (ok && !str_is_null(e->public_body))
		x->response.body.bytes = e->public_body;
	if (!str_is_null(e->public_reason))
		x->response.reason = e->public_reason;
	if (ok && !str_is_null(e->header))
		ok = fields_set(&x->response.headers, e->header, e->header_value);
	return ok;
}

/* False when everything is over. */
static bool after_failure(struct exchange *x)
{
	bool again = x->section != SECTION_ON_ERROR;

	fiber_unwind(x, &x->program->main);
	if (!answer_error(x))
		again = false;
	if (again)
		begin_section(x, SECTION_ON_ERROR);
	return again;
}

static bool next_section(struct exchange *x)
{
	if (x->section == SECTION_OUTBOUND || x->section == SECTION_ON_ERROR)
		return false;
	begin_section(x, x->section + 1);
	return true;
}

/* A response out of the cache goes through what stands behind the cache-store that kept it; see fiber.c. */
static bool after_hit(struct exchange *x)
{
	struct program_state *p = x->program;

	if (!p->from_cache || x->section != SECTION_INBOUND)
		return false;
	fiber_unwind(x, &p->main);
	p->skipping = true;
	begin_section(x, SECTION_OUTBOUND);
	return true;
}

static void drive(struct exchange *x)
{
	struct program_state *p = x->program;
	bool more = true;

	p->running = true;
	while (more) {
		p->again = false;
		switch (fiber_run(x, &p->main)) {
		case FIBER_WAITS:
			more = p->again;
			if (!more) {
				p->running = false;
				return;
			}
			break;
		case FIBER_DONE:
			more = next_section(x);
			break;
		case FIBER_FAILED:
			more = after_failure(x);
			break;
		case FIBER_RESPONDS:
			more = after_hit(x);
			break;
		}
	}
	end(x);
}

/* The path of the API's service address, as far as request.url begins with it. */
static struct str own_path(const struct exchange *x)
{
	struct str path = x->api ? x->api->service_url.path : STR("");

	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	return str_starts(x->request.url.path, path) ? path : STR("");
}

static bool prepare(struct exchange *x)
{
	x->program = arena_new_of(x->arena, struct program_state);
	if (!x->response.headers.arena)
		fields_init(&x->response.headers, x->arena);
	if (x->program) {
		x->program->uses = policy_uses(x->documents);
		x->program->base_path = own_path(x);
		return true;
	}
	x->response = (struct response){ .status = 503, .reason = STR_INIT("Service Unavailable") };
	fields_init(&x->response.headers, x->arena);
	x->finished(x);
	return false;
}

void exchange_start(struct exchange *x)
{
	if (!prepare(x))
		return;
	begin_section(x, SECTION_INBOUND);
	drive(x);
}

void exchange_start_failed(struct exchange *x)
{
	if (!prepare(x))
		return;
	x->section = SECTION_INBOUND;
	x->error.set = true;
	policy_cors_refused(x);
	if (after_failure(x))
		drive(x);
	else
		end(x);
}

void exchange_resume(struct exchange *x)
{
	if (x->program->finished)
		return;
	if (x->program->running)
		x->program->again = true;
	else
		drive(x);
}

void exchange_cancel(struct exchange *x)
{
	if (!x->program || x->program->finished)
		return;
	x->program->finished = true;
	fiber_unwind(x, &x->program->main);
	cache_fill_drop(x);
}

void exchange_transferred(struct exchange *x, uint64_t request_bytes, uint64_t response_bytes)
{
	for (struct bandwidth_take *b = x->program ? x->program->bandwidth : NULL; b; b = b->next) {
		b->take.forced = true;
		b->take.done = false;
		b->take.amount = request_bytes + response_bytes;
		if (b->take.amount && !b->void_take)
			x->host->take(x, &b->take);
	}
}

/* ---- for policies ------------------------------------------------------------------------------------------------ */

bool exchange_at_end(struct exchange *x, void (*fn)(struct exchange *x, void *arg), void *arg)
{
	struct end_hook *h = arena_new_of(x->arena, struct end_hook), **to = &x->program->hooks;

	if (!h)
		return false;
	*h = (struct end_hook){ .fn = fn, .arg = arg };
	while (*to)
		to = &(*to)->next;
	*to = h;
	return true;
}

void **step_state(struct exchange *x)
{
	return &x->program->now->state;
}

bool works_on_response(const struct exchange *x)
{
	return x->section == SECTION_OUTBOUND || x->section == SECTION_ON_ERROR;
}

const struct policy_uses *exchange_uses(const struct exchange *x)
{
	return &x->program->uses;
}

struct fields *message_headers(struct exchange *x)
{
	return works_on_response(x) ? &x->response.headers : &x->request.headers;
}

struct body *message_body(struct exchange *x)
{
	return works_on_response(x) ? &x->response.body : &x->request.body;
}

/* ---- the document of a system that has none ---------------------------------------------------------------------- */

static const struct policy_document *standard;
static struct arena *standard_memory;

static void compile_standard(void)
{
	static const char text[] =
		"<policies><inbound /><backend><forward-request /></backend><outbound /><on-error /></policies>";
	struct policy_diags diags;

	standard_memory = arena_new(1024 * 1024);
	if (!standard_memory)
		return;
	policy_diags_init(&diags, standard_memory);
	standard = policy_compile(standard_memory, STR(text), &(struct policy_source){ .scope = SCOPE_GLOBAL }, NULL,
				  &diags);
}

const struct policy_document *policy_default(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, compile_standard);
	return standard;
}
