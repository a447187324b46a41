/* tier.h - the limits of a subscription's tier (db/tiers.h) or of its rule for the API
 * (db/consumer_rules.h), kept before any policy runs: so no document can leave them out.
 *
 * All limits hold at once. A call that one of them refuses is counted by none. Beyond a rate the answer is 429, beyond a quota
 * 403, as the policies rate-limit and quota answer; both say in Retry-After when to come again. Every answer to a call of a
 * subscription with limits tells in RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers) where the tightest one
 * stands. Counters belong to the subscription and the window, not to the tier: who changes the tier takes along what he used. */
#pragma once

#include "fcgi/call_gate.h"

/* STEP_NEXT: the call may go on. STEP_FAIL: it is being answered. STEP_WAIT: other machines count with this one; `passed` is called
 * when it may go on. */
enum step tier_pass(struct call *k, struct gate_state *g, void (*passed)(struct call *, struct gate_state *));
