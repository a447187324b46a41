/* pool.h - which member of a backend pool gets the next call. */
#pragma once

#include "fcgi/snapshot.h"

/* Weighted round robin among the members of the most urgent priority (the lowest number); *rotation is the worker's place
 * in it. NULL when the pool is empty. */
const struct snap_backend *pool_choose(const struct snap_backend *pool, uint64_t *rotation);
