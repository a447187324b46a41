/* fill.h - cache-lookup's parallel misses: one call of the machine fetches, the others wait for it.
 *
 * The right to fetch a key is a gauge of 1 in the counter file (core/counter.h), so it holds over all workers and comes
 * back by itself when a worker dies. Calls of this worker that wait for the same key stand in one queue here: it asks for
 * the right on their behalf every FILL_POLL_MS, and when the fetching call is of this worker too, it wakes them at once. */
#pragma once

#include "fcgi/worker.h"

struct fill_table;
struct fill_waiter;

/* NULL: out of memory. */
struct fill_table *fill_table_new(struct worker *wk);
void fill_table_free(struct fill_table *t);              /* nobody may wait any more; NULL is fine */

enum step gate_fill(struct exchange *x, struct cache_fill *wish);
void gate_filled(struct exchange *x, struct str key);
void fill_drop(struct call *k);                          /* the call ends: it waits no longer */
