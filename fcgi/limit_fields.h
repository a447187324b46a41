/* limit_fields.h - what an answer tells about the limits that its call met: the tightest of them, of the subscription's tier or of
 * a policy, in RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-09) and, by setting, in the X-RateLimit-*
 * fields that were usual before.
 *
 *   RateLimit-Policy: "rate";q=100;w=60        100 calls in 60 seconds; a quota in bytes says qu="content-bytes"
 *   RateLimit-Policy: "concurrency";q=5;qu="concurrent-requests"
 *   RateLimit: "rate";r=7;t=42                 7 are left; in 42 seconds all are there again, or after a refusal one more
 *
 * Numbers are kept while the call runs and written as text with the answer; a call that meets no limit pays nothing. */
#pragma once

#include "core/counter.h"
#include "policy/host.h"

struct call;
struct gate_state;

struct shown_limit {
	bool set, rate, bytes, at_once;      /* rate: of a window that slides; at_once: calls at a time; else a quota */
	uint64_t limit, remaining, before;   /* before: what was left when the call came */
	uint32_t window_s, reset_s;          /* window_s 0: it never ends */
};

/* Keeps the one with the smallest share left; of equals the one that lasts longer. */
void limit_note(struct gate_state *g, const struct shown_limit *l);

enum { LIMIT_FIELDS = 5 };
/* The fields of the answer: how many. */
size_t limit_fields(const struct call *k, struct field out[LIMIT_FIELDS]);
