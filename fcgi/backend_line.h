/* backend_line.h - calls that find no free place at their backend and wait for one in place of being refused.
 *
 * A place is one of the calls that a backend may have under way (backend.max_calls, all workers) and one of the share that the calls
 * of this worker may have there (share.h). With gateway.backend_queue so many calls, of all workers, may stand in line for a backend
 * or pool, for at most gateway.backend_queue_ms: more important products first, then first come, first served (spike.h). Whoever
 * comes while others stand there stands behind them. The first tries again when a call of its worker gives its place back, and now
 * and then, for other workers do so too. Without waiting calls all of this costs a look at a pointer. */
#pragma once

#include "fcgi/call.h"

struct backend_line;                     /* call.line */

/* Others stand in line for the backend that the call goes to, and it does not itself. */
bool backend_line_stands(const struct call *k);
/* There was no place, and why says so. True: the call waits, and is woken. False: it is refused: there is no line, it is full, or
 * the time is over. */
bool backend_line_join(struct call *k, enum reason why);
bool backend_line_waits(const struct call *k);
/* In the turns of a call that waits: NONE: not yet; *over: why it is refused now, else it tries again. */
bool backend_line_turn(struct call *k, enum reason *over);
void backend_line_leave(struct call *k, bool passed);    /* no harm when it does not wait */
/* Gives back the places that the call has, and wakes the first in line. */
void backend_line_release(struct call *k);
