/* counter.h - limits that hold over all processes: counters in a mapped file under the state directory.
 *
 * A take tests and counts in one step under a lock of its own little group of counters, so N processes that hammer one
 * key let exactly the limit through. The locks are robust: a process that is killed while it holds one (for well under a
 * microsecond) leaves the counter as it was before or after its step, and the next one goes on. The file is mapped
 * shared, so fixed windows (quotas) survive a restart, kill -9 of everything, and a reboot; what is measured with the
 * monotonic clock (sliding windows, buckets, gauges) starts anew with the boot.
 *
 *   kind      what passes                                                   clock
 *   SLIDING   at most `limit` in any window of window_s                     monotonic
 *   FIXED     at most `limit` in each window [origin + k * window_s, ...)   wall; window_s 0 never ends
 *   BUCKET    `limit` per window_s evenly, and `burst` at once (GCRA)       monotonic
 *
 * SLIDING keeps the time of each call for limits up to COUNTER_EXACT_RUNS; beyond, calls that came within 1/120 of the
 * window share one time, the later one. So never more than the limit passes, and what is let in again late is late by
 * less than a hundredth of the window.
 *
 * The table is bounded: when a group is full, the counter that was used least recently is forgotten, which is counted.
 * Notes are never forgotten before their time: when half a group is notes, the next one is refused.
 * Not thread-safe: one struct counters per thread. Open it after fork. */
#pragma once

#include "core/error.h"

enum { COUNTER_EXACT_RUNS = 128, COUNTER_PROCESSES_MAX = 256 };

struct counters;

/* `entries` is how many counters are remembered (config counter.entries). A file of another version or size is begun
 * anew. Fails when the file cannot be made or COUNTER_PROCESSES_MAX processes have it open. */
GH_RC counters_open(const char *path, size_t entries, struct counters **out, struct gh_err *err);
void counters_close(struct counters *c);             /* leaves the gauges it still holds; NULL is fine */
/* Has the system write the file to disk now, against a loss of power. For the keeper: blocks. No file is no error. */
GH_RC counters_flush(const char *path, struct gh_err *err);

enum counter_type { COUNTER_TYPE_SLIDING, COUNTER_TYPE_FIXED, COUNTER_TYPE_BUCKET };

struct counter_ask {
	enum counter_type type;
	struct str key;              /* any bytes; the same key with another type or window is another counter */
	uint64_t limit, amount;      /* amount 0 only looks, and tells in retry_after_s when one passes */
	uint32_t window_s;           /* at least 1 but for FIXED */
	uint64_t burst;              /* BUCKET; 0: as limit */
	int64_t origin_us;           /* FIXED: start of a window, wall clock */
	bool forced;                 /* count even past the limit: it has happened already */
	uint8_t part;                /* what of the key is counted, where one key counts several things (core/limit_key.h) */
};

struct counter_answer {
	bool allowed;                /* when false nothing was counted */
	uint64_t used;               /* after this take */
	uint64_t remaining;          /* after this take */
	uint32_t retry_after_s;      /* not allowed: whole seconds after which the same amount passes (if nobody else comes);
	                                rounded up, at least 1; UINT32_MAX: never. 0 when allowed, but for a look that finds
	                                nothing left */
	int64_t retry_after_us;      /* the same to the microsecond, for who waits; INT64_MAX: never */
	uint32_t reset_s;            /* until nothing is counted any more, rounded up; UINT32_MAX: never */
};

struct counter_answer counter_take(struct counters *c, const struct counter_ask *ask);

/* How many are inside, over all processes: true when one more may go in. Every true is left once; a process that dies
 * leaves all of its own. False also when the table of gauges is full of busy ones. */
bool counter_enter(struct counters *c, struct str key, uint32_t max);
void counter_leave(struct counters *c, struct str key);
uint64_t counter_inside(struct counters *c, struct str key);     /* at this moment */

/* ---- notes: that something happened, until a time; for what must not happen a second time ------------------------------- */

enum counter_noted {
	COUNTER_NOTED,               /* it was not there */
	COUNTER_WAS_NOTED,           /* it was: the later of both times is kept */
	COUNTER_NO_ROOM,             /* nothing was noted: say no, for it could not be told from a second time */
};

/* Wall clock, µs. A note survives restarts and a reboot. */
enum counter_noted counter_note(struct counters *c, struct str key, int64_t at_us, int64_t until_us);
bool counter_find_note(struct counters *c, struct str key, int64_t *at_us);      /* false: there is none, or its time is over */
/* Notes from before this time (wall clock, µs) may be missing. `boot`: also for want of power, in the seconds before; else
 * because the file was begun anew, with another counter.entries. */
int64_t counter_notes_since_us(const struct counters *c, bool boot);

struct counter_stats {
	uint64_t entries;            /* room */
	uint64_t evicted;            /* counters forgotten while they still counted something */
	uint64_t recovered;          /* locks taken over from a dead process */
	uint64_t gauges_full;        /* enters refused because there was no room */
};
struct counter_stats counter_stats(const struct counters *c);
/* The same of a file that others have open, without being one of its processes. *found false: it is not there, or of another version. */
GH_RC counter_stats_of(const char *path, struct counter_stats *out, bool *found, struct gh_err *err);

/* For tests: the clocks that this handle reads, in µs; NULL is the real one. */
void counters_set_clocks(struct counters *c, int64_t (*mono_us)(void), int64_t (*wall_us)(void));
