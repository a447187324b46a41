/* call.c - the life of a call: what comes from the client, whose turn it is, when it is over.
 *
 *   READING ── first STDIN record ──> gate ──┬── refused ──────────────────────────> ANSWERING ──> OVER
 *                                            ├── body needed: WANTS_BODY ──┐
 *                                            └── exchange_start: RUNNING <─┘ ──> finished ──^
 *
 * Nothing but noting happens where bytes arrive; decisions are made in the call's turn. So a small request that came in
 * one read is seen whole, and no policy ever runs inside a curl callback. */
#include "fcgi/call.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "fcgi/access_flow.h"
#include "fcgi/auth_server.h"
#include "fcgi/call_request.h"
#include "fcgi/call_trace.h"
#include "fcgi/capture.h"
#include "fcgi/decode.h"
#include "fcgi/shared_limit.h"
#include "fcgi/tier.h"

#include <stdlib.h>

enum { PARAMS_KEPT_BYTES = 8192, UP_KEPT_BYTES = 16384 };

struct call *call_from_pool(struct worker *wk)
{
	struct call *k = wk->pool;

	if (k) {
		wk->pool = k->next;
		wk->n_pool--;
		return k;
	}
	k = calloc(1, sizeof(*k));
	if (!k)
		return NULL;
	k->arena = arena_new(wk->limits.request_memory);
	if (!k->arena) {
		free(k);
		return NULL;
	}
	buf_init(&k->params, wk->limits.header_bytes);
	buf_init(&k->up, SIZE_MAX / 2);
	buf_init(&k->down, SIZE_MAX / 2);
	return k;
}

struct call *call_new(struct conn *c)
{
	struct worker *wk = c->wk;
	struct call *k = call_from_pool(wk);

	if (!k)
		return NULL;
	k->wk = wk;
	k->conn = c;
	k->overload = wk->n_calls >= wk->limits.max_in_flight;
	k->up_length = -1;
	k->begun_us = k->up_touched_us = wk->loop.now_us;
	k->prev = NULL;
	k->next = wk->calls;
	if (k->next)
		k->next->prev = k;
	wk->calls = k;
	wk->n_calls++;
	k->x.arena = k->arena;
	k->x.owner = k;
	return k;
}

static void trim(struct buf *b, size_t keep)
{
	if (b->cap > keep)
		buf_release(b);
	else
		buf_clear(b);
}

void call_free(struct call *k)
{
	arena_free(k->arena);
	buf_release(&k->params);
	buf_release(&k->up);
	buf_release(&k->down);
	free(k);
}

/* Everything that lasts longer than one exchange is carried over; all else starts from zero. */
void call_recycle(struct call *k)
{
	struct worker *wk = k->wk;
	struct arena *arena = k->arena;
	struct buf params, up, down;

	if (wk->n_pool >= CALLS_KEPT) {
		call_free(k);
		return;
	}
	arena_reset(arena);
	trim(&k->params, PARAMS_KEPT_BYTES);
	trim(&k->up, UP_KEPT_BYTES);
	trim(&k->down, UP_KEPT_BYTES);
	params = k->params;
	up = k->up;
	down = k->down;
	memset(k, 0, sizeof(*k));
	k->arena = arena;
	k->params = params;
	k->up = up;
	k->down = down;
	k->next = wk->pool;
	wk->pool = k;
	wk->n_pool++;
}

/* ---- what comes from the client ---- */

void call_params(struct call *k, struct str bytes)
{
	if (k->params_over)
		return;
	buf_str(&k->params, bytes);
	k->params_over = !buf_ok(&k->params);
}

void call_params_end(struct call *k)
{
	k->up_touched_us = k->wk->loop.now_us;
}

static bool takes_body(const struct call *k)
{
	return k->stage < CALL_ANSWERING || (k->forward && !k->discard_up);
}

static bool body_too_large(struct call *k)
{
	const struct worker_limits *l = &k->wk->limits;

	if (l->max_body && k->up_bytes > l->max_body)
		return true;
	if (k->form_most)
		return k->up_bytes > k->form_most;
	if (k->stage == CALL_WANTS_BODY || k->forward_waits_body || k->access_waits_body)
		return k->up_bytes > l->held_body;
	return k->up_length >= 0 && k->up_bytes > (uint64_t)k->up_length;
}

void call_stdin(struct call *k, struct str bytes)
{
	k->up_bytes += bytes.n;
	k->up_touched_us = k->wk->loop.now_us;
	if (!takes_body(k))
		return;
	buf_str(&k->up, bytes);
	if (k->capture)
		capture_client_sent(k, bytes);
	if (body_too_large(k)) {
		k->reason = k->up_length >= 0 && k->up_bytes > (uint64_t)k->up_length ? REASON_BAD_LENGTH
										     : REASON_BODY_TOO_LARGE;
		k->up_broken = true;
		call_wake(k);
		return;
	}
	if (k->stage == CALL_READING)
		call_wake(k);
	if (k->stage == CALL_WANTS_BODY || k->forward_waits_body || k->access_waits_body || k->form_most)
		return;
	if (k->up.n - k->up_at > k->wk->limits.stream_buffer)
		conn_pause(k->conn, true);
	forward_body_arrived(k);
}

void call_stdin_end(struct call *k)
{
	k->up_ended = true;
	if (k->up_length >= 0 && k->up_bytes < (uint64_t)k->up_length && takes_body(k)) {
		k->up_broken = true;     /* the web server passed on less than it had announced */
		k->reason = REASON_BAD_LENGTH;
	}
	if (k->stage <= CALL_WANTS_BODY || k->forward_waits_body || k->up_broken)
		call_wake(k);
	forward_body_arrived(k);
}

void call_client_gone(struct call *k)
{
	k->conn = NULL;
	if (k->stage == CALL_OVER)
		return;
	if (k->reason == REASON_NONE)
		k->reason = REASON_CLIENT_GONE;
	if (k->started && !k->finished)
		exchange_cancel(&k->x);
	call_over(k);
}

/* ---- turns ---- */

void call_wake(struct call *k)
{
	struct worker *wk = k->wk;

	if (k->on_turn)
		return;
	k->on_turn = true;
	k->next_turn = NULL;
	*wk->turns_end = k;
	wk->turns_end = &k->next_turn;
}

bool call_wants_form(struct call *k, size_t most)
{
	k->form_most = most;
	if (k->up_bytes > most || (k->up_length > 0 && (uint64_t)k->up_length > most)) {
		call_refuse(k, REASON_BODY_TOO_LARGE);
		return false;
	}
	if (k->conn)
		conn_pause(k->conn, false);
	return true;
}

static void finished(struct exchange *x)
{
	((struct call *)x->owner)->finished = true;
}

/* It is here as a whole, and larger than what policies may read (also: than its coding had it). on-error says how it goes on. */
static void body_refused(struct call *k)
{
	const struct reason_info *why = reason_info(REASON_BODY_TOO_LARGE);

	k->word = why->word;
	k->x.error = (struct last_error){
		.set = true, .source = STR("request"), .reason = STR("BodyTooLarge"), .message = why->message,
		.status = why->status, .public_message = why->message,
	};
	k->up.n = 0;
	k->x.request.body.kind = BODY_NONE;
	call_start_failed(k);
}

void call_start(struct call *k, bool needs_body)
{
	struct body *body = &k->x.request.body;

	if (needs_body && !k->up_ended) {
		if (k->up_length > 0 && (uint64_t)k->up_length > k->wk->limits.held_body) {
			call_refuse(k, REASON_BODY_TOO_LARGE);
			return;
		}
		k->stage = CALL_WANTS_BODY;
		if (k->conn)
			conn_pause(k->conn, false);
		return;
	}
	if (needs_body && (k->up.n > k->wk->limits.held_body
			   || !message_decode(&k->x.request.headers, &k->up, k->wk->limits.held_body))) {
		body_refused(k);
		return;
	}
	body->kind = k->up_ended && !k->up.n ? BODY_NONE : needs_body ? BODY_HELD : BODY_STREAM;
	if (body->kind == BODY_HELD)
		body->bytes = buf_view(&k->up);
	k->stage = CALL_RUNNING;
	k->started = true;
	k->x.host = &live_host;
	k->x.finished = finished;
	exchange_start(&k->x);
}

void call_start_failed(struct call *k)
{
	k->stage = CALL_RUNNING;
	k->started = true;
	k->x.host = &live_host;
	k->x.finished = finished;
	exchange_start_failed(&k->x);
}

void call_refuse(struct call *k, enum reason why)
{
	if (k->started && !k->finished)
		exchange_cancel(&k->x);
	k->finished = true;
	answer_reason(k, why);
}

/* The body may have come together with the parameters, before its announced length was known. */
static bool length_is_wrong(const struct call *k)
{
	return k->up_length >= 0
	       && (k->up_bytes > (uint64_t)k->up_length || (k->up_ended && k->up_bytes < (uint64_t)k->up_length));
}

static void first_turn(struct call *k)
{
	enum reason why;

	k->x.started_us = clock_wall_us();
	why = call_request_read(k);
	if (why == REASON_NONE && length_is_wrong(k))
		why = REASON_BAD_LENGTH;
	if (why != REASON_NONE)
		call_refuse(k, why);
	else if (k->overload)
		call_refuse(k, REASON_OVERLOAD);
	else
		call_gate(k);
}

void call_turn(struct call *k)
{
	if (k->limits)
		shared_limit_turn(k);
	if (k->stage == CALL_ASIDE) {
		aside_turn(k);
		return;
	}
	if (k->up_broken && k->stage < CALL_ANSWERING) {
		forward_drop(k);
		call_refuse(k, k->reason);
	} else if (k->stage == CALL_READING) {
		first_turn(k);
	} else if (k->stage == CALL_AT_GATE) {
		k->gate_turn(k);
	} else if (k->stage == CALL_WANTS_BODY && k->up_ended) {
		call_start(k, true);
	} else if (k->stage == CALL_RUNNING) {
		forward_settle(k);
		if (k->resume_due) {
			k->resume_due = false;
			exchange_resume(&k->x);
		}
	}
	if (k->finished && k->stage == CALL_RUNNING)
		answer_finished(k);
	if (k->stage == CALL_ANSWERING)
		answer_pump(k);
}

/* The client has announced a body and falls silent. */
bool call_client_is_late(struct call *k, int64_t now_us)
{
	bool waits = !k->up_ended && !k->conn->paused && takes_body(k);

	if (!waits || now_us - k->up_touched_us <= k->wk->limits.idle_us)
		return false;
	k->reason = REASON_CLIENT_TIMEOUT;
	k->up_broken = true;
	return true;
}

void call_drained(struct call *k)
{
	if (k->stage == CALL_ANSWERING && conn_queued(k->conn) <= k->wk->limits.stream_buffer / 2) {
		forward_resume(k);
		if (k->down.n > k->down_at || k->held.n > k->held_at || forward_over(k))
			call_wake(k);
	}
}

/* ---- the end ---- */

static void unlink_call(struct call *k)
{
	struct worker *wk = k->wk;

	*(k->prev ? &k->prev->next : &wk->calls) = k->next;
	if (k->next)
		k->next->prev = k->prev;
	wk->n_calls--;
	wk->n_let_in -= k->let_in;
}

void call_over(struct call *k)
{
	if (k->stage != CALL_OVER) {
		k->stage = CALL_OVER;
		k->over_us = clock_mono_us();      /* not the turn's time: what this turn took is the gateway's share */
		call_trace_store(k);
		capture_store(k);
		access_flow_drop(k->access);
		auth_drop(k);
		forward_drop(k);
		host_drop(k);
		exchange_transferred(&k->x, k->up_bytes, k->down_bytes);
		tier_transferred(k, k->up_bytes + k->down_bytes);
		call_record(k);
		if (k->conn)
			conn_end(k->conn);
		k->conn = NULL;
		call_leave_gate(k);
		unlink_call(k);
	}
	if (!k->on_turn)
		call_recycle(k);
}
