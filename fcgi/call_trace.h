/* call_trace.h - tracing of one live call that showed a debug credential (core/trace_token.h).
 *
 * The field Apim-Debug-Authorization ends at this gateway. With a good token the answer carries Apim-Trace-Id and the trace
 * lies in the shared cache for an hour under that id; with a bad one the call goes on untraced and the answer says why in
 * Apim-Trace-Error, and in Apim-Debug-Authorization-Expired or -WrongAPI where the reference system does. What is kept holds
 * no secret: they are masked before it is written. */
#pragma once

#include "fcgi/call_gate.h"

/* The head is read: takes the field out of the request. Without the field this is one look-up and nothing else. */
void call_trace_take(struct call *k, struct gate_state *g);
/* It is known whether the call may go in, and the request is still as it came: decides whether it is traced. refused: it may
 * not, for want of a route or a good key; then the token of a subscription is good for a call that shows no known key. */
void call_trace_begin(struct call *k, struct gate_state *g, bool refused);
/* These fields go to the backend now; of several tries the last one is kept. */
void call_trace_sent(struct call *k, const struct fields *sent);
/* The fields for the client: how many. */
enum { CALL_TRACE_FIELDS = 2 };
size_t call_trace_fields(const struct call *k, struct field out[CALL_TRACE_FIELDS]);
/* The call is over: writes the trace, if there is one. */
void call_trace_store(struct call *k);
