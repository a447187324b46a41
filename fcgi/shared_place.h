/* shared_place.h - calls at once that several machines count together, in Redis (shared.h): never one more inside than may be, over
 * all of them.
 *
 * Who comes in stands in a set there with a time (redis.lease_ms) for which it is believed. The worker says again that it is there
 * when a third of that time has gone; a worker or machine that dies says no more, and its places are free when their time is over.
 * A machine that stands still for longer than that has lost its places meanwhile; its calls count again as soon as it goes on.
 *
 * Once in, a call costs nothing until it leaves, unless it lasts longer than a third of redis.lease_ms. All on the loop's thread. */
#pragma once

#include "fcgi/shared.h"
#include "fcgi/worker.h"

struct shared_places;                    /* of a worker */

enum { SHARED_PLACE_TOKEN = 36 };

struct shared_place {                    /* in the call's arena, all zero before */
	struct shared_ask wire;
	struct shared_places *of;        /* NULL: neither asked for nor held */
	struct shared_place *next, *prev;
	struct str key;                  /* must last */
	uint32_t max;
	int64_t told_us;                 /* when it was last said that it is there */
	char token[SHARED_PLACE_TOKEN];
	bool asking, again;              /* again: the server has forgotten the script */
	bool allowed, away;              /* away: there is no answer */
	uint64_t inside;                 /* with this one, when it was allowed */
	void (*over)(struct shared_place *p);    /* after a wait */
};

struct shared_places *shared_places_new(struct worker *wk);      /* NULL: out of memory */
void shared_places_free(struct shared_places *s);        /* NULL is fine */

/* One of at most `max` under p->key. True: it waits, and over is called. False: away; shared_place_keep when it goes on all the same. */
bool shared_place_enter(struct shared_places *s, struct shared_place *p);
/* It is inside although Redis was not asked: that is said when it is back. */
void shared_place_keep(struct shared_places *s, struct shared_place *p);
void shared_place_leave(struct shared_place *p);         /* also while it waits; no harm when it is not inside */
