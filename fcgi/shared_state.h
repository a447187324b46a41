/* shared_state.h - what several machines know together of their backends, through Redis (shared.h; core/backend_share.h).
 *
 * What changes in a worker is told at once; what changes elsewhere on the machine (the keeper's checks) within redis.backends_ms. One
 * worker of a machine asks each redis.backends_ms what others have told, and writes it into the machine's mapped file, where all
 * workers find it: a call costs nothing more. So a machine knows of a change redis.backends_ms and two ways to Redis later.
 *
 * One machine at a time probes a half-open breaker: the call that may probe here asks first, once in a trip, and waits for the answer.
 * While Redis is away each machine does as it knows; what it has to tell is told when Redis is back. */
#pragma once

#include "core/backend_share.h"
#include "fcgi/shared.h"
#include "fcgi/worker.h"

struct shared_states;                    /* of a worker */

struct shared_states *shared_states_new(struct worker *wk);      /* NULL: out of memory */
void shared_states_free(struct shared_states *s);        /* NULL is fine */
void shared_states_soon(struct shared_states *s);        /* there are news; NULL is fine */

struct shared_probe {
	struct shared_ask wire;
	struct call *call;               /* that waits, and is woken */
	uint64_t key;
	bool again;                      /* the server has forgotten the script */
	bool done;
	int64_t busy_us;                 /* done: 0: it may probe; else nobody here may for so long */
};
/* True: it waits. False: there is no Redis at present, it may probe. */
bool shared_probe_ask(struct shared_states *s, struct shared_probe *p);
/* The probe ended without a result. */
void shared_probe_release(struct shared_states *s, uint64_t key);
