/* call_gate.h - what the gate found out about a call: needed again by the host's functions and by the record. */
#pragma once

#include "fcgi/call.h"
#include "fcgi/limit_fields.h"
#include "fcgi/serving.h"

struct gate_state {                      /* in the call's arena */
	struct snapshot *snapshot;       /* with a reference of its own */
	struct route route;
	struct access access;
	struct iap *iap;                 /* iap.h; NULL: no sign-in is asked for */
	struct call_trace *traced;       /* call_trace.h; NULL: the call showed no debug credential */
	struct tier_state *tier;         /* tier.h; NULL: there is nothing to wait for or to give back */
	struct shown_limit limit;        /* the tightest one that counted the call */
};

/* The API is known, so its on-error sections may have a say; LastError tells them what the gate found. */
void gate_fail(struct call *k, struct gate_state *g, const struct last_error *error);
/* Whose key the call shows, for the record of one that is refused whatever the key. */
void gate_note_key(struct call *k, struct gate_state *g);
