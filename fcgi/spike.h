/* spike.h - calls beyond a rate that wait for their turn in place of being refused (spike control).
 *
 * Calls of one key stand in a line of their worker, first come, first served. Only the first of a line asks its limits again, at the
 * moment when they said that one more passes; with it gone the next one asks at once. So N calls that wait cost about 2N questions,
 * a timer each and nothing else. How many may wait is counted over all workers (a gauge of core/counter.h: a worker that dies gives
 * its places back). Each has a moment after which it waits no longer. */
#pragma once

#include "fcgi/worker.h"

struct spike_line;

struct spike_place {                     /* in the call's arena, all zero before */
	struct timer timer;
	struct call *call;
	struct spike_line *line;         /* NULL: it does not wait */
	struct spike_place *next, *prev;
	int64_t since_us, deadline_us;
	int rank;
};

bool spike_waits(const struct worker *wk, struct str key);       /* somebody waits here: who comes now stands behind him */
/* In how many µs the first of the line asks again; 0: now, or nobody waits. */
int64_t spike_next_us(const struct worker *wk, struct str key);
/* Waits for at most delay_us; the first of a line is woken (call_wake) in retry_us. False: `most` wait already, or out of memory. */
bool spike_join(struct spike_place *p, struct call *k, struct str key, uint32_t most, int64_t delay_us, int64_t retry_us);
/* The same; whoever has a higher rank stands before those with a lower one. */
bool spike_join_ranked(struct spike_place *p, struct call *k, struct str key, int rank, uint32_t most, int64_t delay_us, int64_t retry_us);
void spike_poke(struct worker *wk, struct str key);      /* the first of the line, if there is one, asks again now */
bool spike_first(const struct spike_place *p);           /* woken: its turn has come; else its time is over */
bool spike_again(struct spike_place *p, int64_t retry_us);       /* refused once more. False: it would wait too long */
void spike_leave(struct spike_place *p);                 /* it passes, is refused or goes away; no harm when it does not wait */
