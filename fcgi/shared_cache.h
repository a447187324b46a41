/* shared_cache.h - the external cache of policies (caching-type external and prefer-external) in the Redis of shared.h. */
#pragma once

#include "fcgi/call.h"
#include "policy/host.h"

enum shared_cache_verb { SHARED_CACHE_GET, SHARED_CACHE_PUT, SHARED_CACHE_REMOVE };

struct shared_value;                     /* an operation under way; in the call's arena */

/* STEP_WAIT: op is filled when the call has its turn. STEP_NEXT: Redis is away and op has not been touched. */
enum step shared_cache(struct call *k, enum shared_cache_verb verb, struct cache_op *op);
void shared_cache_drop(struct call *k);                  /* the call ends: it waits no longer */
