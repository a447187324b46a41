/* counter_impl.h - the layout of the counter file, for core/counter*.c only. A change of it changes COUNTER_MAGIC. */
#pragma once

#include "core/clock.h"
#include "core/counter.h"

#include <pthread.h>
#include <stdatomic.h>

/* Twice as much room as counters are promised: sets fill unevenly, and none may be full long before all are. */
enum { WAYS = 64, SLACK = 2 };
#define COUNTER_MAGIC UINT64_C(0x33304e5543484721)
#define SLOT_LOCKS_AT ((off_t)1 << 40)               /* far behind the file's end: locks need no bytes */

enum table { TABLE_SLIDING, TABLE_PLAIN, TABLE_GAUGE, TABLE__COUNT };

struct file_header {
	uint64_t magic, entries;
	char boot[CLOCK_BOOT_ID_BYTES];
	unsigned char secret[16];            /* of the digests */
	_Atomic uint64_t evicted, recovered, gauges_full;
	int64_t made_us, boot_us;            /* wall clock: of the file, and of its first opening since the boot; 0: long ago */
};

struct digest {
	uint64_t lo, hi;                     /* lo is never 0 */
};

struct set {
	pthread_mutex_t lock;
	uint64_t lo[WAYS], hi[WAYS];         /* of the digests; lo 0: free */
	int64_t used[WAYS];                  /* monotonic */
};

struct run {                                 /* calls that share one time */
	int64_t at_us;
	uint64_t count;
};

struct sliding {
	uint64_t total;                      /* of all runs */
	int64_t window_us;
	uint32_t first, n;                   /* a ring */
	struct run runs[COUNTER_EXACT_RUNS];
};

/* A note is a plain counter that is not forgotten before end_us; start_us is when it was noted. */
enum { PLAIN_NOTE = 16, NOTES_MOST = WAYS / 2 };

struct plain {
	uint32_t type;                       /* enum counter_type, or PLAIN_NOTE */
	uint32_t unused;
	uint64_t count;                      /* FIXED */
	int64_t start_us, end_us;            /* FIXED: of the window it counts, wall clock */
	int64_t full_ns;                     /* BUCKET: when the bucket will be full again ("theoretical arrival time") */
};

struct gauge {
	uint32_t in[COUNTER_PROCESSES_MAX];  /* by process slot */
};

struct counters {
	int fd;
	unsigned slot;
	unsigned char *map;
	size_t bytes;
	struct file_header *header;
	size_t sets[TABLE__COUNT], sets_at[TABLE__COUNT], bodies_at[TABLE__COUNT];
	int64_t (*mono_us)(void);
	int64_t (*wall_us)(void);
	int64_t reaped_us;                   /* when dead slots were last looked for */
};

struct place {
	struct set *set;
	enum table table;
	size_t index;
	struct digest digest;
};

struct digest counter_digest(const struct counters *c, struct str key, uint32_t salt);
struct place counter_place(struct counters *c, enum table t, struct digest d);
void counter_lock(struct counters *c, struct place *p);
void counter_unlock(struct place *p);
/* The body; NULL: not there, or no room. now_us: monotonic. */
void *counter_find(struct counters *c, struct place *p, int64_t now_us, bool make);

void counter_slot_clear_dead(struct counters *c, unsigned slot);
void counter_gauges_clear(struct counters *c, unsigned slot);

void sliding_repair(struct sliding *s);
bool sliding_idle(const struct sliding *s, int64_t now_us);
size_t counter_notes(struct counters *c, const struct place *p);         /* how many of the set still hold */
bool plain_idle(const struct plain *p, int64_t mono_us, int64_t wall_us);
bool gauge_idle(const struct gauge *g);
