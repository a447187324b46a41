/* call_forward.c - the backend side of a call: one forward-request after another (retry), bodies through both ways.
 *
 * Request body: `up` holds what has come and not been taken. A body that is all here when it is sent, and small, goes as
 * one piece and stays where it is, so that it can be sent again; otherwise curl takes it from `up` as it comes (call_transfer.c,
 * which also takes the response). */
#include "fcgi/backend_line.h"
#include "fcgi/balance.h"
#include "fcgi/cached.h"
#include "fcgi/call_trace.h"
#include "fcgi/capture.h"
#include "fcgi/credential.h"
#include "fcgi/fixed.h"
#include "fcgi/share.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "fcgi/decode.h"
#include "fcgi/snapshot.h"
#include "fcgi/traffic.h"

/* ---- starting ---- */

static void fail_forward(struct call *k, struct forward *f, enum reason why)
{
	if (k->traffic)
		canary_outcome(k, why);
	backend_line_release(k);
	f->done = true;
	f->failure = call_failure_of(why);
	if (!f->failure_text.p)
		f->failure_text = arena_printf(k->arena, "%.*s (%.*s)", STR_ARG(answer_message(k, why)), STR_ARG(k->backend_host));
	f->failure_status = reason_info(why)->status;
	f->failure_body = answer_body(k, why);
	k->reason = why;
}

/* What the backend's configuration adds to each call: before the credential, whose signature covers it. */
static enum reason add_fixed(struct call *k, struct forward *f, struct upstream_request *rq, struct url *url, struct fields *fields)
{
	const struct snap_fixed *fixed = k->x.backend_id.n && k->backend ? k->backend->fixed : NULL;

	if (!fixed)
		return REASON_NONE;
	if (fixed->problem.n) {
		f->failure_text = arena_printf(k->arena, "fixed headers and parameters of backend %.*s: %.*s", STR_ARG(k->backend->id),
					       STR_ARG(fixed->problem));
		return REASON_CREDENTIAL;
	}
	rq->follow_redirects = rq->follow_redirects && fixed_may_travel(fixed);
	return fixed_hide(k, fixed) && fixed_apply(k->arena, fixed, url, fields) ? REASON_NONE : REASON_NO_MEMORY;
}

/* The gateway's own credential: onto the fields, the address or the connection. */
static enum reason show_credential(struct call *k, struct forward *f, struct upstream_request *rq, struct url *url,
				   struct fields *fields)
{
	struct credential_request cr = { .method = rq->method, .url = url, .host = rq->host, .fields = fields,
					 .body = rq->body == BODY_HELD ? rq->bytes : STR("") };
	enum reason why;

	if (!k->credential)
		return REASON_NONE;
	why = credential_apply(k, k->credential, k->need, &cr);
	if (why == REASON_NONE && cr.client_cert_id.n
	    && !gate_certificate(&k->x, cr.client_cert_id, &rq->client_cert_pem, &rq->client_key_pem)) {
		cr.problem = arena_printf(k->arena, "there is no certificate %.*s", STR_ARG(cr.client_cert_id));
		why = REASON_CREDENTIAL;
	}
	/* on the way to another host only curl's own rules for Authorization keep it back */
	rq->follow_redirects = rq->follow_redirects && credential_may_travel(k->credential);
	if (cr.problem.p)
		f->failure_text = arena_printf(k->arena, "credential %.*s: %.*s", STR_ARG(k->credential->c.id), STR_ARG(cr.problem));
	return why;
}

static enum reason start(struct call *k, struct forward *f)
{
	struct url url = k->x.request.url;
	struct upstream_request rq = {
		.method = k->x.request.method, .url = &url, .host = forward_host(k), .first_byte_ms = f->timeout_ms,
		.expect_continue_ms = f->continue_timeout_ms, .follow_redirects = f->follow_redirects,
		.http_version = f->http_version, .client_cert_pem = f->client_cert_pem, .client_key_pem = f->client_key_pem,
		.proxy_url = f->proxy_url, .proxy_user = f->proxy_user, .proxy_password = f->proxy_password,
	};
	struct fields fields;
	enum reason why;

	fields_init(&fields, k->arena);
	if (!forward_fields(k, &fields) || (k->cached && !cached_fields(k, &fields)))
		return REASON_NO_MEMORY;
	rq.headers = &fields;
	forward_body(k, &rq);
	why = add_fixed(k, f, &rq, &url, &fields);
	if (why == REASON_NONE)
		why = show_credential(k, f, &rq, &url, &fields);
	if (why != REASON_NONE)
		return why;
	if (k->x.trace_on)
		call_trace_sent(k, &fields);
	if (k->capture)
		capture_to_backend(k, &fields, rq.body == BODY_HELD ? rq.bytes : STR_NULL);
	if (rq.body == BODY_HELD)
		k->backend_bytes_out += rq.bytes.n;
	forward_options(k, &rq);
	k->hold = f->buffer_response || k->holds_response;
	k->forward_us = clock_mono_us();     /* what came before in this turn is the gateway's share */
	forward_note_try(k);
	k->forward = upstream_start(k->wk->up, k->arena, &rq, &forward_ops, k, &why);
	if (!k->forward)
		k->n_tried--;                /* nothing was sent */
	else if (k->traffic)
		mirror_call(k, &rq);
	return k->forward ? REASON_NONE : why;
}

static void reset_backend_side(struct call *k)
{
	forward_drop(k);
	k->x.response = (struct response){ 0 };
	fields_init(&k->x.response.headers, k->arena);
	buf_clear(&k->down);
	k->down_at = 0;
	k->down_ended = false;
	k->forward_reason = k->reason = REASON_NONE;
	k->tls_problem = NULL;
	k->backend_host = k->x.request.url.host;
	k->tries++;
	k->credential_refused = false;
}

/* A token that could not be had: what the caller gets, and what the record says. */
static void fail_token(struct call *k, struct forward *f)
{
	const struct credential_need *n = k->need;

	k->tries--;                      /* nothing was sent */
	f->failure_text = arena_printf(k->arena, "%.*s (credential %.*s, %.*s)", STR_ARG(reason_info(n->why)->message),
				       STR_ARG(n->credential->c.id), STR_ARG(n->problem));
	if (n->retry_after_s) {
		f->failure_header = STR("Retry-After");
		f->failure_header_value = arena_printf(k->arena, "%u", n->retry_after_s);
	} else if (reason_info(n->why)->status == 401) {
		f->failure_header = STR("WWW-Authenticate");
		f->failure_header_value = STR("Bearer error=\"invalid_token\"");
	}
	fail_forward(k, f, n->why);
}

static bool choose_credential(struct call *k, struct forward *f)
{
	const struct snap_backend *b = k->x.backend_id.n ? k->backend : NULL;
	const struct snap_api *api = k->gate ? k->gate->route.api : NULL;
	struct str environment = api && api->environment ? api->environment->id : STR("default");

	k->credential = NULL;
	k->need = NULL;
	k->replayed = false;
	if (!b || !b->credential_id.n)
		return true;
	k->credential = snapshot_credential(k->gate->snapshot, environment, b->credential_id);
	if (k->credential)
		return true;
	f->failure_text = arena_printf(k->arena, "environment %.*s has no credential %.*s", STR_ARG(environment), STR_ARG(b->credential_id));
	fail_forward(k, f, REASON_CREDENTIAL);
	return false;
}

/* Gets the token when the credential has one, then sends. WAIT: f->done comes later. */
static enum step begin(struct call *k, struct forward *f)
{
	enum reason why;

	if (k->credential && credential_kind_info(k->credential->c.kind)->token) {
		if (!k->need)
			k->need = arena_new_of(k->arena, struct credential_need);
		if (!k->need) {
			fail_forward(k, f, REASON_NO_MEMORY);
			return STEP_NEXT;
		}
		k->need->credential = k->credential;
		k->need->snapshot = k->gate->snapshot;
		k->need->id = k->credential->token_id;
		if (credential_per_caller(&k->credential->c)) {
			k->need->id.subject = credential_subject(k, k->credential);
			tokens_id_seal(&k->need->id);
		}
		if (credential_get(k, k->need) == STEP_WAIT)
			return STEP_WAIT;
		if (k->need->why != REASON_NONE) {
			fail_token(k, f);
			return STEP_NEXT;
		}
	}
	why = start(k, f);
	if (why == REASON_NONE)
		return STEP_WAIT;
	fail_forward(k, f, why);
	return STEP_NEXT;
}

/* All of the body is here: it is no stream any more. */
static void hold_body(struct call *k)
{
	k->x.request.body.kind = k->up.n ? BODY_HELD : BODY_NONE;
	k->x.request.body.bytes = buf_view(&k->up);
}

/* The request can be sent once more as it was. */
static bool can_replay(const struct call *k)
{
	return k->x.request.body.kind != BODY_STREAM || (k->up_ended && !k->body_gone);
}

static enum step refuse_place(struct call *k, struct forward *f, enum reason why)
{
	backend_line_leave(k, false);
	k->tries--;                      /* nothing was sent */
	if (why == REASON_OVERLOAD_BACKEND) {
		f->failure_header = STR("Retry-After");
		f->failure_header_value = STR("1");
	}
	fail_forward(k, f, why);
	return STEP_NEXT;
}

/* No backend, or no place there. It waits for one, or f is filled. */
static enum step no_place(struct call *k, struct forward *f, enum reason why)
{
	if (!backend_line_join(k, why))
		return refuse_place(k, f, why);
	k->wish = f;
	return STEP_WAIT;
}

/* Which backend it is, when there is a choice. Else why not. */
static enum reason choose_backend(struct call *k, struct forward *f)
{
	enum reason why;

	if (!balance_wanted(k))
		return REASON_NONE;
	if (!balance_choose(k, f, can_replay(k), &why))
		return why;
	k->backend_host = k->x.request.url.host;
	return REASON_NONE;
}

/* The backend is known, and nothing of this try has been sent. */
static enum step go_there(struct call *k, struct forward *f)
{
	enum step step;

	/* one place of those that calls to this backend may have */
	if (!share_pass(k)) {
		balance_end(k);
		return no_place(k, f, REASON_OVERLOAD_BACKEND);
	}
	backend_line_leave(k, true);
	if (!choose_credential(k, f))
		return STEP_NEXT;
	if (k->x.request.body.kind == BODY_STREAM && k->body_gone) {
		fail_forward(k, f, REASON_BACKEND_SEND);
		f->failure_text = STR("The request body has been sent already and was not kept; set buffer-request-body");
		return STEP_NEXT;
	}
	k->wish = f;
	if (k->x.request.body.kind == BODY_STREAM && !k->up_ended
	    && (f->buffer_request_body || (k->credential && credential_wants_body(k->credential)))) {
		k->forward_waits_body = true;
		if (k->conn)
			conn_pause(k->conn, false);
		return STEP_WAIT;
	}
	if (k->credential && credential_wants_body(k->credential) && k->x.request.body.kind == BODY_STREAM)
		hold_body(k);
	step = begin(k, f);
	if (step != STEP_WAIT)
		k->wish = NULL;
	return step;
}

static enum step go_now(struct call *k, struct forward *f)
{
	enum reason why;

	f->failure_text = f->failure_header = STR_NULL;      /* of the last try to get a place */
	why = choose_backend(k, f);
	if (why != REASON_NONE)
		return no_place(k, f, why);
	if (!balance_asks(k))
		return go_there(k, f);
	k->wish = f;
	return STEP_WAIT;
}

/* Nobody passes those who stand in line for a place. */
static enum step go(struct call *k, struct forward *f)
{
	return backend_line_stands(k) ? no_place(k, f, REASON_OVERLOAD_BACKEND) : go_now(k, f);
}

/* The cache has nothing that would do now. When the backend cannot even be asked, an old answer may. */
static enum step behind_cache(struct call *k, struct forward *f, enum step step)
{
	if (k->cached && step == STEP_NEXT && (f->failure == CALL_OK || !cached_failed(k, f)))
		cached_drop(k);
	return step;
}

static enum step go_behind_cache(struct call *k, struct forward *f)
{
	return behind_cache(k, f, go(k, f));
}

static enum step ask_cache(struct call *k, struct forward *f, const struct snap_cache *rule)
{
	enum step step = cached_begin(k, f, rule);

	if (!k->cached)
		return go(k, f);
	if (step == STEP_JUMP)
		return go_behind_cache(k, f);
	k->wish = step == STEP_WAIT ? f : NULL;
	return step;
}

/* No fault has to be waited for, or the wait is over. */
static enum step go_on(struct call *k, struct forward *f)
{
	const struct snap_cache *rule = cached_rule(k);

	if (k->traffic && fault_answer(k, f))
		return STEP_NEXT;
	if (k->traffic)
		canary_choose(k);
	return rule ? ask_cache(k, f, rule) : go(k, f);
}

enum step host_forward(struct exchange *x, struct forward *f)
{
	struct call *k = x->owner;

	reset_backend_side(k);
	k->need = NULL;                  /* of the request before: what this one waits for first is something else */
	k->replayed = false;
	balance_begin(k);
	f->done = false;
	f->failure = CALL_OK;
	f->failure_text = f->failure_header = STR_NULL;
	if (!traffic_begin(k) || fault_begin(k) != STEP_WAIT)
		return go_on(k, f);
	k->wish = f;
	return STEP_WAIT;
}

void forward_body_arrived(struct call *k)
{
	if (k->forward && !k->forward_waits_body)
		transfer_resume(k->forward);
}

void forward_resume(struct call *k)
{
	transfer_resume(k->forward);
}

void forward_drop(struct call *k)
{
	struct transfer *t = k->forward;

	k->forward = NULL;
	k->wish = NULL;
	backend_line_leave(k, false);
	if (k->cached)
		cached_drop(k);
	backend_line_release(k);
	if (k->need)
		credential_drop(k->need);
	if (t)
		transfer_cancel(t);
}

bool forward_over(const struct call *k)
{
	return !k->forward;
}

/* The held body is complete: it becomes text of the exchange. False when it is too large without its coding. */
static bool hand_over_held(struct call *k, bool policy_reads)
{
	struct response *r = &k->x.response;

	if (policy_reads && !message_decode(&r->headers, &k->down, k->wk->limits.held_body))
		return false;
	r->body.kind = BODY_HELD;
	r->body.bytes = buf_view(&k->down);
	return true;
}

static void settle_failed(struct call *k, struct forward *f, enum reason why)
{
	forward_drop(k);
	k->x.response = (struct response){ 0 };
	fields_init(&k->x.response.headers, k->arena);
	fail_forward(k, f, why);
}

/* The backend answered 401 to what the gateway showed: another token and the same request once more, or the end. */
static enum step after_refusal(struct call *k, struct forward *f)
{
	bool token = k->need != NULL, again = token && !k->replayed && credential_refused(k, k->need) && can_replay(k);

	if (token && k->replayed)
		credential_accepted(k, k->need, false);
	reset_backend_side(k);
	if (!again) {
		k->tries--;
		f->failure_text = arena_printf(k->arena, "%.*s (credential %.*s%s, %.*s)", STR_ARG(reason_info(REASON_BACKEND_CREDENTIAL)->message),
					       STR_ARG(k->credential->c.id), k->replayed ? ", also with a new token" : "",
					       STR_ARG(k->backend_host));
		fail_forward(k, f, REASON_BACKEND_CREDENTIAL);
		return STEP_NEXT;
	}
	k->replayed = true;
	k->wish = f;
	if (k->balance)
		balance_same_again(k);
	if (share_pass(k))
		return begin(k, f);
	return refuse_place(k, f, REASON_OVERLOAD_BACKEND);
}

/* What is next of a forward-request that has not been sent or was refused. False: nothing, it is under way. */
static bool forward_goes_on(struct call *k, struct forward *f, enum step *step)
{
	if (k->traffic && k->traffic->waiting) {
		*step = fault_waits(k) ? STEP_WAIT : go_on(k, f);
		return true;
	}
	if (balance_is_asking(k)) {
		enum balance_answer answer = balance_answer(k);

		*step = answer == BALANCE_WAITS ? STEP_WAIT : behind_cache(k, f, answer == BALANCE_GOES ? go_there(k, f) : go_now(k, f));
		return true;
	}
	if (backend_line_waits(k)) {
		enum reason over;

		*step = !backend_line_turn(k, &over) ? STEP_WAIT : behind_cache(k, f, over != REASON_NONE ? no_place(k, f, over) : go_now(k, f));
		return true;
	}
	if (k->forward_waits_body && k->up_ended) {
		k->forward_waits_body = false;
		hold_body(k);
		*step = begin(k, f);
		return true;
	}
	if (k->credential_refused) {
		*step = after_refusal(k, f);
		return true;
	}
	if (!k->forward && !k->down_ended && k->need && k->need->done && k->forward_reason == REASON_NONE) {
		if (k->need->why == REASON_NONE && (k->forward_reason = start(k, f)) == REASON_NONE) {
			*step = STEP_WAIT;
			return true;
		}
		if (k->need->why != REASON_NONE)
			fail_token(k, f);
		else
			fail_forward(k, f, k->forward_reason);
		*step = STEP_NEXT;
		return true;
	}
	return false;
}

/* What the cache has to do with it. True: it has been seen to. */
static bool settle_cached(struct call *k, struct forward *f)
{
	bool send = false;
	enum step step = cached_turn(k, f, &send);

	if (send)
		step = go_behind_cache(k, f);
	if (step == STEP_NEXT) {
		k->wish = NULL;
		k->resume_due = true;
	}
	return step != STEP_JUMP;
}

void forward_settle(struct call *k)
{
	struct forward *f = k->wish;
	enum step step;

	if (f && forward_goes_on(k, f, &step)) {
		if (step == STEP_WAIT)
			return;
		k->wish = NULL;
		k->resume_due = true;
		return;
	}
	if (f && k->cached && settle_cached(k, f))
		return;
	if (!f || k->forward_waits_body || (!k->forward && !k->down_ended))
		return;
	if (k->forward_reason != REASON_NONE && (k->hold || !k->x.response.status)) {
		if (!k->x.response.status && balance_again(k, k->forward_reason, can_replay(k))) {
			reset_backend_side(k);
			if (go_now(k, f) == STEP_WAIT)
				return;
		} else if (!k->cached || !cached_failed(k, f)) {
			settle_failed(k, f, k->forward_reason);
		}
	} else if (k->x.response.status && (!k->hold || k->down_ended || k->x.response.body.kind == BODY_NONE)) {
		if (k->hold && k->x.response.body.kind == BODY_STREAM && !hand_over_held(k, f->buffer_response))
			settle_failed(k, f, REASON_BACKEND_BODY);
		else if (k->replayed)
			credential_accepted(k, k->need, true);
		f->done = true;
	} else {
		return;
	}
	k->wish = NULL;
	k->resume_due = true;
}
