/* place.h - a place among so many calls at once under a key: over the workers of this machine (core/counter.h), or over all machines
 * that share a Redis (shared_place.h).
 *
 * Of several machines Redis decides. What is inside is noted here too, so that this machine knows of its own calls when Redis goes
 * away; then it counts for itself, or nobody comes in (redis.away). */
#pragma once

#include "fcgi/call.h"
#include "fcgi/shared_place.h"

struct place {                           /* in the call's arena, all zero before */
	struct shared_place shared;
	struct call *call;
	struct str key;
	uint32_t max;
	bool done, allowed, unavailable; /* unavailable: the count cannot be kept at present */
	bool noted;                      /* in the gauge of this machine */
	uint64_t inside;                 /* with this one; 0: not known yet */
	void (*over)(struct place *p);   /* done, after a wait; NULL: the turn of the call is enough. Set it and owner after place_enter */
	void *owner;
};

/* STEP_NEXT: done. STEP_WAIT: the call gets a turn when it is. The key must last. */
enum step place_enter(struct place *p, struct call *k, struct str key, uint32_t max);
void place_leave(struct place *p);               /* also while it waits; no harm when it is not inside */
