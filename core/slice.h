/* slice.h - asks the scheduler for short turns.
 *
 * Since Linux 6.12 a process of the normal class may say how long it wants to run at a stretch (sched_setattr(2),
 * sched_runtime). One with a short slice comes to its turn sooner when it wakes, and others need not wait long behind it; its
 * share of the processor stays the same. Where all cores are busy (web server, gateway, keeper and backend on one small
 * machine) that is most of the 99th percentile of a call. Older kernels ignore the wish. */
#pragma once

/* For the calling thread. Never fails: without it everything works, with longer waits. */
void slice_ask_short(void);
