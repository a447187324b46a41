/* network.h - the first questions of the gate: from where does the call come, and over https? Rules stand on all calls, on
 * an API and on a product (db/network.h); the first two are asked before the caller's key is looked at. */
#pragma once

#include "core/ip.h"
#include "fcgi/call_gate.h"

/* The address and the scheme of the caller, behind trusted proxies: into x.request.ip and (*scheme, when they name one).
 * peer is REMOTE_ADDR. False: out of memory. */
bool network_client(struct call *k, struct str peer, struct str *scheme) MUST_USE;
/* Of X-Forwarded-For or Forwarded, what is sent on in front of the caller's own entry: `now` is the field as the policies left
 * it. The entries of trusted proxies go; their place takes the caller's address. */
struct str network_history(const struct call *k, struct str name, struct str now);

/* True: the call may go on. Else it has been refused. rule may be NULL; where: "api orders", for the record. */
bool network_pass(struct call *k, struct gate_state *g, const struct snap_network *rule, const char *kind, struct str id);
