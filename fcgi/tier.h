/* tier.h - the limits of a subscription's tier (db/tiers.h) or of its rule for the API
 * (db/consumer_rules.h), kept before any policy runs: so no document can leave them out.
 *
 * All limits hold at once. A call that one of them refuses is counted by none. Beyond a rate or a number of calls at once
 * the answer is 429, beyond a quota 403, as the policies rate-limit, limit-concurrency and quota answer; all say in
 * Retry-After when to come again. A rate with a queue lets calls beyond it wait for their turn (spike.h), in place of
 * refusing them at once. Every answer to a call of a subscription with limits tells in RateLimit-Policy and RateLimit
 * (draft-ietf-httpapi-ratelimit-headers) where the tightest one stands; of calls at once only a refusal tells, or a call
 * that has no other limit, for whoever reads it has given its own place back. Counters belong to the subscription and the
 * window, not to the tier: who changes the tier takes along what he used.
 *
 * Bytes are known when the call is over. So a call comes in while there is room for one byte, which it takes, and its others are
 * counted at its end, even when they go over. A place among the calls at once is given back when the call is over, and by the
 * kernel when the worker dies. */
#pragma once

#include "fcgi/call_gate.h"

/* STEP_NEXT: the call may go on. STEP_FAIL: it is being answered. STEP_WAIT: other machines count with this one, or it waits in a
 * queue; `passed` is called when it may go on. */
enum step tier_pass(struct call *k, struct gate_state *g, void (*passed)(struct call *, struct gate_state *));
/* The call is over, so many bytes of bodies went to and fro. */
void tier_transferred(struct call *k, uint64_t bytes);
void tier_leave(struct call *k);                 /* gives back what the call holds */
