/* fault.c - delays and refusals that consumers asked for, to test how they bear them. Never without a rule that says so. */
#include "fcgi/traffic.h"

#include "core/str.h"
#include "fcgi/call_gate.h"

bool traffic_begin(struct call *k)
{
	const struct snap_api *api = k->gate ? k->gate->route.api : NULL;

	if (!api || !api->traffic || k->stage == CALL_ASIDE)
		return false;
	if (!k->traffic) {
		k->traffic = arena_new_of(k->arena, struct call_traffic);
		if (!k->traffic)
			return false;
		k->traffic->rule = api->traffic;
	}
	k->traffic->told = false;
	return true;
}

bool traffic_share(uint32_t *turn, uint32_t percent)
{
	*turn += percent;
	if (*turn < 100)
		return false;
	*turn -= 100;
	return true;
}

void traffic_note(struct call *k, struct str text)
{
	struct call_traffic *t = k->traffic;

	t->note = t->note.n ? arena_printf(k->arena, "%.*s; %.*s", STR_ARG(t->note), STR_ARG(text)) : text;
	exchange_trace(&k->x, "%.*s", STR_ARG(text));
}

/* Whom it is for: everybody, unless it names a header or subscriptions. */
static bool is_for(const struct call *k, const struct fault_rule *f)
{
	const struct fields *h = &k->x.request.headers;

	if (f->header.n && !fields_count(h, f->header))
		return false;
	if (f->header_value.n && !str_eq(fields_get(h, f->header), f->header_value))
		return false;
	return !f->subscriptions.n || traffic_list_has(&f->subscriptions, k->gate->access.subscription_id);
}

/* Of a call that is forwarded again (retry) the same one counts: it met it once. */
enum step fault_begin(struct call *k)
{
	struct call_traffic *t = k->traffic;
	const struct snap_traffic *r = t->rule;

	if (t->begun)
		return STEP_NEXT;
	t->begun = true;
	for (size_t i = 0; i < r->n_faults && !t->fault; i++)
		if (is_for(k, &r->faults[i]) && traffic_share(&r->live->fault_turn[i], r->faults[i].percent))
			t->fault = &r->faults[i];
	if (!t->fault)
		return STEP_NEXT;
	if (t->fault->delay_ms && t->fault->abort_status)
		traffic_note(k, arena_printf(k->arena, "fault: delay of %u ms, status %d", t->fault->delay_ms, t->fault->abort_status));
	else
		traffic_note(k, t->fault->delay_ms ? arena_printf(k->arena, "fault: delay of %u ms", t->fault->delay_ms)
						   : arena_printf(k->arena, "fault: status %d", t->fault->abort_status));
	if (!t->fault->delay_ms)
		return STEP_NEXT;
	t->sleep.ms = t->fault->delay_ms;
	t->waiting = live_host.sleep(&k->x, &t->sleep) == STEP_WAIT;
	return t->waiting ? STEP_WAIT : STEP_NEXT;
}

bool fault_waits(struct call *k)
{
	k->traffic->waiting = !k->traffic->sleep.done;
	return k->traffic->waiting;
}

bool fault_answer(struct call *k, struct forward *f)
{
	const struct fault_rule *fault = k->traffic->fault;
	struct response *r = &k->x.response;

	if (!fault || !fault->abort_status)
		return false;
	*r = (struct response){ .status = fault->abort_status, .reason = answer_status_text(fault->abort_status) };
	fields_init(&r->headers, k->arena);
	r->body = (struct body){ .kind = BODY_HELD, .changed = true, .bytes = arena_printf(k->arena,
		"{ \"statusCode\": %d, \"message\": \"A fault for tests, as this API is configured; the backend was not asked.\","
		" \"requestId\": \"%.*s\" }", fault->abort_status, STR_ARG(k->x.request_id)) };
	if (!r->body.bytes.p || !fields_add(&r->headers, STR("Content-Type"), STR("application/json")))
		return false;
	k->word = STR("fault_injected");
	k->forward_length = -1;
	k->tries--;                              /* nothing was sent */
	f->done = true;
	return true;
}
