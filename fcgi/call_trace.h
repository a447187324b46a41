/* call_trace.h - tracing of one live call that showed a debug credential (core/trace_token.h).
 *
 * The field Apim-Debug-Authorization ends at this gateway. With a good token the answer carries Apim-Trace-Id and the
 * trace lies in the shared cache for an hour under that id; with a bad one the call goes on untraced and the answer says
 * why in Apim-Trace-Error. What is kept holds no secret: they are masked before it is written. */
#pragma once

#include "fcgi/call_gate.h"

/* The head is read: takes the field out of the request. Without the field this is one look-up and nothing else. */
void call_trace_take(struct call *k, struct gate_state *g);
/* Access has been granted and the request is still as it came: decides whether the call is traced. */
void call_trace_begin(struct call *k, struct gate_state *g);
/* These fields go to the backend now; of several tries the last one is kept. */
void call_trace_sent(struct call *k, const struct fields *sent);
/* The field for the client; false: none. */
bool call_trace_field(const struct call *k, struct field *out);
/* The call is over: writes the trace, if there is one. */
void call_trace_store(struct call *k);
