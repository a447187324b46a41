/* call.h - what the parts of a call say to each other. call.c is its life, call_gate.c the way in (routing, access),
 * call_forward.c the backend side, call_answer.c the way out, host*.c what its policies may do to the world. */
#pragma once

#include "fcgi/worker.h"

/* A recycled one or a new one, all zero but for its memory. NULL: out of memory. */
struct call *call_from_pool(struct worker *wk);
/* Refuses the call with the reason's own answer. Nothing further runs for it but on-error, which is not asked. */
void call_refuse(struct call *k, enum reason why);
/* Where the web server mounts the gateway, without a slash at its end: "/api"; "" is the root. */
struct str call_mount(const struct call *k);
/* Everything of the client's side is known: find the route, check the access, start the policies or answer. */
void call_gate(struct call *k);
/* The gateway itself wants the body, a form of at most `most` bytes: it comes in whatever the size of the upload buffer is.
 * False: it is announced as larger, and the call has been refused. Of one that turns out to be larger the call is too. */
bool call_wants_form(struct call *k, size_t most);
/* A gate that had to wait lets the call in. */
void call_gate_passed(struct call *k);
/* Starts the policies, once the body is here when they need it. */
void call_start(struct call *k, bool needs_body);
/* Runs the on-error sections only: x.error says what the gate found. */
void call_start_failed(struct call *k);
/* Gives back what the gate took: snapshot, access. */
void call_leave_gate(struct call *k);
/* The telemetry record. */
void call_record(struct call *k);
bool call_steps_wanted(struct call *k, bool refused);     /* is what each policy decides to be kept for the record? */

/* ---- answers ---- */
void answer_finished(struct call *k);            /* exchange.finished: writes the head */
void answer_pump(struct call *k);                /* moves body bytes towards the client, ends the call with the last */
void answer_reason(struct call *k, enum reason why);     /* JSON with status, message and request id */
struct str answer_body(struct call *k, enum reason why); /* that JSON */
struct str answer_message(struct call *k, enum reason why);      /* the message in it */
void answer_json(struct call *k, int status, struct str json);
/* The same without sending it: x.response is in place, fields may be added. status_text STR_NULL: the usual one. */
void answer_prepare(struct call *k, int status, struct str status_text, struct str json);
struct str answer_status_text(int status);

/* ---- the backend side ---- */
enum step host_forward(struct exchange *x, struct forward *f);
void forward_body_arrived(struct call *k);       /* more of the request's body, or its end */
void forward_resume(struct call *k);             /* the client's side has room again */
void forward_drop(struct call *k);               /* cancels the transfer */
void forward_settle(struct call *k);             /* in its turn: tells the policy how its forward-request ended */
bool forward_over(const struct call *k);         /* no more bytes will come from the backend */
extern const struct transfer_ops forward_ops;    /* while curl runs */
/* Fields for the backend: the client's without what ends here, and what a gateway adds. False: out of memory. */
/* The trace that came with the call; one begins where none did. */
void call_trace_id(struct call *k);
bool forward_fields(struct call *k, struct fields *out);
struct str forward_host(const struct call *k);
void forward_options(struct call *k, struct upstream_request *rq);
void forward_body(struct call *k, struct upstream_request *rq);         /* what of the request's body can be sent, and how */
/* A try begins, and is over: for the record. */
void forward_note_try(struct call *k);
void forward_note_times(struct call *k, const struct transfer *t);
/* What a configured backend says about its TLS. */
void backend_options(struct exchange *x, const struct snap_backend *b, struct upstream_request *rq);

/* A call that is nobody's: aside.c. NULL: too many are under way. `run` is called in each turn until it does not answer WAIT. */
struct call *aside_begin(struct worker *wk, enum step (*run)(struct exchange *, void *state), size_t bytes);

/* ---- the host ---- */
extern const struct policy_host live_host;
/* name spaces of policies' values in core/cache.h: `internal` and `external` never meet */
enum { CACHE_SPACE_POLICY = 'p', CACHE_SPACE_EXTERNAL = 'x' };
enum call_failure call_failure_of(enum reason why);
enum step host_send(struct exchange *x, struct subrequest *w);
void host_send_drop(struct call *k);
void *host_aside(struct exchange *x, enum step (*run)(struct exchange *, void *state), size_t bytes, struct arena **arena);
void aside_turn(struct call *k);
void host_drop(struct call *k);                  /* cancels sub-requests and sleeps */
/* what needs the snapshot or the counters: host_gate.c */
enum step gate_take(struct exchange *x, struct counter_take *t);
bool gate_enter(struct exchange *x, struct str key, uint32_t max);
void gate_leave(struct exchange *x, struct str key);
enum step gate_enter_place(struct exchange *x, struct place_take *t);            /* over all machines that count together */
void gate_leave_place(struct exchange *x, struct place_take *t, int64_t held_us);        /* it counts for gate_enter_wait_s */
uint32_t gate_enter_wait_s(struct exchange *x, struct str key);
void gate_log_to(struct exchange *x, const struct log_message *m);
bool gate_wants_trace(struct exchange *x, enum trace_severity severity);
void gate_trace(struct exchange *x, enum trace_severity severity, struct str source, struct str message,
		const struct fields *metadata);
struct quota_name;
struct quota_use;
/* How far a quota is used, for alerts (core/quota_watch.h). */
void gate_watch_quota(const struct call *k, const struct quota_name *name, const struct quota_use *use);
void gate_metric(struct exchange *x, struct str ns, struct str name, double value, const struct fields *dimensions);
bool gate_certificate(struct exchange *x, struct str id, struct str *cert_pem, struct str *key_pem);
bool gate_certificate_next(struct exchange *x, size_t *cursor, struct str *id);
bool gate_backend(struct exchange *x, struct str id, struct str *url);
struct api_model *gate_api_model(struct exchange *x);
struct schemas *gate_schemas(struct exchange *x);
const struct trust *gate_trust(struct exchange *x);
struct lru *gate_verified(struct exchange *x);
struct lru *gate_verdicts(struct exchange *x);
bool gate_hide(struct exchange *x, struct str text);

/* ---- the end ---- */
void call_over(struct call *k);                  /* END_REQUEST has been queued, or there is nobody to tell */
