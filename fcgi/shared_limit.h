/* shared_limit.h - limits that several machines count together, in Redis (shared.h), by a script that tests and counts in one
 * step with the server's clock: over all machines exactly the limit passes. The kinds are those of core/counter.h.
 *
 * With redis.preallocate N above 1, a worker that takes one call of a limit takes up to N - 1 more along (never more than a
 * tenth of the limit) and lets the next calls pass by itself, until the window that they were counted in ends. What that may
 * cost, with W workers in all: W x (N - 1) calls of a limit may be refused too early, because another worker has them; and in a
 * sliding window as many may pass too much, because they pass later than they were counted. A fixed window never lets more
 * than its limit pass.
 *
 * While Redis is away each machine counts for itself (redis.away = local), or nothing passes (closed). */
#pragma once

#include "core/counter.h"
#include "fcgi/call.h"
#include "fcgi/shared.h"

struct shared_limits;                    /* of a worker: the script and what it has taken along */

/* NULL: out of memory. */
struct shared_limits *shared_limits_new(struct shared *s, const struct config *config);
void shared_limits_free(struct shared_limits *l);        /* NULL is fine */

enum { SHARED_LIMITS_MAX = 16 };

struct shared_limit {                    /* in the call's arena */
	struct shared_ask wire;
	struct call *call;
	struct shared_limit *next, *prev;        /* of the call's */
	const struct counter_ask *asks;
	struct counter_answer *answers;  /* as many */
	size_t n;
	bool again;                      /* the server has forgotten the script: it is sent anew when the call has its turn */
	bool done, away;                 /* away: there are no answers */
	void (*over)(struct shared_limit *l);    /* it is done: called once, then the call gets a turn */
	void *owner;
};

/* Takes from all of them or from none. STEP_NEXT: done at once. STEP_WAIT: `over` is called later. asks and answers must last. */
enum step shared_limit_take(struct shared_limits *s, struct call *k, struct shared_limit *l);
/* In each turn of a call that waits: sends again what must be sent again. */
void shared_limit_turn(struct call *k);
void shared_limit_drop(struct call *k);                  /* the call ends: it waits no longer */
/* Counts what has happened already; nobody waits for it. False: away. */
bool shared_limit_count(struct shared_limits *s, const struct counter_ask *ask);

/* May limits be counted by this machine alone while Redis is away? */
bool shared_limits_local(const struct shared_limits *s);
