/* outbox.h - a bounded queue of what leaves the house (lines of the access log, spans), and the thread that sends it.
 *
 * The keeper adds while it drains and says at the end whether the drain was stored; only then do the items stand in the queue, so
 * that a drain that is done again sends nothing twice. What has no room is dropped and counted, as is what the receiver refuses
 * for good. What could not be sent is tried again, later each time, or when the receiver says. The queue is in memory: what waits
 * when the keeper is killed is lost; one that is told to end tries for OUTBOX_LAST_MS to send the rest.
 *
 * outbox_add, outbox_drained: one thread. outbox_stats: any. */
#pragma once

#include "core/buf.h"
#include "core/error.h"

#include <stdatomic.h>

enum { OUTBOX_LAST_MS = 2000, OUTBOX_ERROR_MAX = 200 };

enum outbox_outcome {
	OUTBOX_SENT,
	OUTBOX_LATER,                        /* to be tried again */
	OUTBOX_REFUSED,                      /* would be refused again: dropped */
};

struct outbox_batch {
	const char *bytes;                   /* items: length (u32) and bytes each, as in struct log_job */
	size_t n;
	uint64_t items;
	/* set by whoever sends */
	size_t at;                           /* LATER: what stands before it has left all the same */
	uint64_t left;                       /* … so many items */
	uint64_t lost;                       /* SENT: items that the receiver did not take */
	int64_t retry_after_s;               /* LATER: the receiver says when; 0: it does not */
	char error[OUTBOX_ERROR_MAX];        /* for a person; no secret */
};

struct outbox_options {
	const char *name;                    /* "access_log": in logs, doctor and metrics */
	size_t queue_bytes;                  /* most that waits, the batch that is under way besides */
	size_t batch_bytes;
	uint64_t batch_items;
	/* Called by the thread; may wait, but ends soon when *stop is set. */
	enum outbox_outcome (*send)(void *ctx, struct outbox_batch *b, const atomic_bool *stop);
	void *ctx;
};

struct outbox;
GH_RC outbox_start(const struct outbox_options *o, struct outbox **out, struct gh_err *err);
void outbox_stop(struct outbox *o);                      /* NULL is fine */

/* The item to be; write into it and call outbox_add, or do not. Holds at most a batch. */
struct buf *outbox_item(struct outbox *o);
void outbox_add(struct outbox *o);
void outbox_drained(struct outbox *o, bool stored);

struct outbox_stats {
	const char *name;
	uint64_t sent, dropped, waiting, waiting_bytes;  /* items; since the keeper began */
	char error[OUTBOX_ERROR_MAX];        /* why the last try failed; empty: it did not */
};
void outbox_stats(struct outbox *o, struct outbox_stats *out);
