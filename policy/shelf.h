/* shelf.h - things that were parsed once and are kept for the process, by a text: keys of identity providers, keys of
 * policies, lists of revoked certificates.
 *
 * Why not the shared cache of the host: what is kept is the parsed form. Parsing it for each request would cost more than
 * using it. A shelf is small, has a fixed number of places (the one used longest ago makes room) and one lock that is
 * never held while anything is fetched or parsed.
 *
 *     static struct shelf shelf = SHELF_INIT(places, hold, release);
 *
 * Things are counted by reference: what shelf_look and shelf_put give out is held for the caller, who releases it.
 * Times are µs of the exchange's clock. All functions are thread-safe. */
#pragma once

#include "core/str.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SHELF_KEY_MAX = 2048, SHELF_FETCH_MOST_S = 30, SHELF_WHY_MAX = 240 };

struct shelf_place {                     /* private */
	char *key;
	uint64_t hash;                   /* of the key: most places are passed over by it */
	void *thing;                     /* NULL: the first fetch has not succeeded yet */
	int64_t put_us, tried_us, fetching_us, used_us;  /* fetching_us 0: nobody fetches */
	int64_t renewed_us;              /* last time that somebody was sent because of `renew` */
	int64_t fresh_us, stale_us;
	char why[SHELF_WHY_MAX];         /* of the last failure */
};

struct shelf {
	pthread_mutex_t lock;
	_Atomic uint64_t version;        /* see shelf_version */
	struct shelf_place *places;
	size_t n;
	void *(*hold)(void *thing);      /* one more reference */
	void (*release)(void *thing);    /* one less; NULL is fine */
};

#define SHELF_INIT(array, hold_fn, release_fn) { PTHREAD_MUTEX_INITIALIZER, 0, (array), ARRAY_LEN(array), (hold_fn), (release_fn) }

enum shelf_plan {
	SHELF_USE,                       /* *thing is good */
	SHELF_FETCH,                     /* the caller fetches it and says how that ended with shelf_put, or shelf_abandon */
	SHELF_WAIT,                      /* somebody else fetches it: look again in a moment */
	SHELF_GIVE_UP,                   /* it could not be had a moment ago */
	SHELF_NO_MEMORY,
};

struct shelf_pace {
	int64_t floor_s;                 /* least time between two fetches because of `renew`; the first fetch is none */
	int64_t retry_s;                 /* after a failure */
};

/* `renew`: what is there did not serve; fetch again, as far as the floor allows. *thing is held for the caller: with
 * SHELF_USE always, with SHELF_FETCH when what is there may serve until the fetch is over. */
enum shelf_plan shelf_look(struct shelf *s, struct str key, const struct shelf_pace *pace, bool renew, int64_t now_us,
			   void **thing, int64_t *put_us);
/* Whoever was told at now_us to fetch goes away without a result: the next one that looks is told to. Harmless after
 * shelf_put, and when somebody else has been told since. */
void shelf_abandon(struct shelf *s, struct str key, int64_t now_us);
/* Why the last fetch of the key failed, at most SHELF_WHY_MAX - 1 bytes into `to`; empty when none has. */
void shelf_why(struct shelf *s, struct str key, char to[SHELF_WHY_MAX]);
/* A fetch is over. thing NULL: it failed because of `why`; otherwise the shelf takes the reference. It is used for fresh_s, and for
 * stale_s when it cannot be had anew. *out: what may be used now, held, or NULL. False: out of memory (*out is NULL). */
bool shelf_put(struct shelf *s, struct str key, void *thing, struct str why, int64_t fresh_s, int64_t stale_s, int64_t now_us,
	       void **out, int64_t *put_us) MUST_USE;
/* A number that is another one after any thing was put, replaced or taken away. */
uint64_t shelf_version(struct shelf *s);
/* Until when shelf_look gives this thing without more ado, as long as shelf_version says *version; 0: it does not now. */
int64_t shelf_settled(struct shelf *s, struct str key, const void *thing, uint64_t *version);
void shelf_clear(struct shelf *s);       /* for tests */
