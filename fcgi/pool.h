/* pool.h - which member of a backend pool gets the next call.
 *
 * Of the first group (lowest priority number) that has a member which can be used. A member cannot be used while its circuit
 * breaker is open, while it is ejected because it could not be reached, or while its health checks fail. When none of the pool
 * is left, those that are only ejected or unwell are asked after all: a guess must not shut a pool. An open breaker, which
 * somebody asked for, holds.
 *
 *   round robin        smooth and weighted: of any run of calls each member gets its share, to within one call
 *   least outstanding  fewest calls under way in this worker, by weight; equals take turns
 *   hash               weighted rendezvous: a key stays with its member while that one is there, and when it leaves only its
 *                      own keys move
 *
 * An affinity token goes before all of these while its member can be used. */
#pragma once

#include "core/backend_state.h"
#include "fcgi/snapshot.h"

struct pool_live *pool_live_new(struct arena *a, size_t n_members);  /* NULL: out of memory */

/* The state that all processes share of a backend is looked for once a minute. */
struct backend_place {
	uint64_t key;
	struct backend_slot *slot;
	bool looked;
	int64_t looked_us;
};
/* NULL: out of memory. */
struct backend_place *backend_place_new(struct arena *a, uint64_t key);
/* NULL, with which every breaker is closed: there are no states, or no room for another backend, which the log tells by `id`. */
struct backend_slot *backend_place_find(struct backend_place *p, struct str id, struct backend_states *s, int64_t now);
struct backend_slot *backend_place_slot(const struct snap_backend *b, struct backend_states *s, int64_t now);

struct pool_ask {
	struct backend_states *states;       /* NULL: nothing is known */
	int64_t now_us;
	uint64_t tried;                      /* bits of members that this call has asked in vain */
	bool may_probe;                      /* the call can be made again elsewhere: it may find out whether one is back */
	struct str token;                    /* affinity; STR_NULL: none */
	uint64_t hash;                       /* POOL_HASH */
};

struct pool_pick {
	size_t member;
	bool breaker_probe, eject_probe;     /* claimed: end them with a result or give them back */
	int64_t left_us;                     /* false: until the first breaker lets somebody try; 0: not known */
};

/* False: no member can be asked. */
bool pool_pick(const struct snap_backend *pool, const struct pool_ask *ask, struct pool_pick *out);

/* Calls under way. */
void pool_enter(const struct snap_backend *pool, size_t member);
void pool_leave(const struct snap_backend *pool, size_t member);

/* The retry budget of the pool in this worker: `percent` retries for a hundred calls, and a few at the start. */
void pool_budget_add(const struct snap_backend *pool, int64_t percent);
bool pool_budget_take(const struct snap_backend *pool);
