/* share.h - how many calls of this worker are under way at one backend, so that a slow one cannot take all of its places
 * (gateway.backend_share_percent of gateway.max_in_flight).
 *
 * A backend is what answers at one scheme, host and port, or Unix socket, however many APIs, revisions and snapshots name
 * it. A call is counted from its forward-request until that is over; one that would be too many is refused at once, and the
 * places that are left are for the calls to all others. Counting is a look into a small table and no allocation but for the
 * first call to a backend that was idle. */
#pragma once

#include "fcgi/worker.h"

struct share_entry;

struct share_table *share_table_new(void);               /* NULL: out of memory */
void share_table_free(struct share_table *t);            /* NULL is fine */

/* A place for the call at the backend that its request goes to now; one that it had elsewhere is given back. False: none is free, or
 * there is no memory. */
bool share_pass(struct call *k);
void share_drop(struct call *k);                         /* gives it back; no harm when it has none */
