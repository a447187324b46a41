/* call_block.h - single calls in the store: packed in blocks (db/call_pack.h), and what the calls of each block have, so that
 * they are found.
 *
 *     call_block (number, time)   call_data (what is packed)   call_seen (kind, value, block), each value once a block
 *
 * Calls come in the order of time, and those of a block mostly share a few values, so a block is the better unit than a call: a
 * search reads whole blocks, newest first, and the keeper writes a few rows for 256 calls. An id of a call or trace that the
 * gateway made itself tells its time, which leads to the block; it is seen nowhere. A block takes what several drains bring until it
 * has some calls: a drain that brings few would otherwise make a block for each second.
 *
 * For db/telemetry*.c only. What is written belongs to the open drain; db/telemetry.h says the rest. */
#pragma once

#include "db/sql.h"
#include "db/telemetry.h"

#define CALL_BLOCK_CALLS 256             /* at most; db/telemetry.def has the same number */

enum call_seen {                         /* as in the store */
	CALL_SEEN_API = 1, CALL_SEEN_SUBSCRIPTION, CALL_SEEN_KEY, CALL_SEEN_ADDRESS, CALL_SEEN_REQUEST, CALL_SEEN_CORRELATION, CALL_SEEN_TRACE,
	CALL_SEEN_STATUS, CALL_SEEN__COUNT
};

/* Forgets what an earlier drain left; takes memory the first time. */
GH_RC call_blocks_begin(struct store *s, struct gh_err *err);
GH_RC call_blocks_add(struct store *s, const struct telemetry_call *call, struct gh_err *err);
/* Writes the block that is open, and how many calls and bytes there are now. */
GH_RC call_blocks_write(struct store *s, struct gh_err *err);
/* Deletes the oldest calls before before_us, of the oldest `most`. *gone: how many. Not after an add. */
GH_RC call_blocks_drop(struct store *s, int64_t before_us, size_t most, size_t *gone, struct gh_err *err);
void call_blocks_free(struct call_blocks *b);    /* NULL is fine */

/* One block after the other that may have what is looked for, the newest first; false ends it. Texts are valid until it returns. */
typedef bool (*call_blocks_fn)(void *ctx, const struct store_call *calls, size_t n);
/* Those calls of each block that the filter lets through, in their order; all of them, whatever its limit. */
GH_RC call_blocks_find(struct store *s, const struct store_calls_filter *f, call_blocks_fn each, void *ctx, struct gh_err *err);
/* The block that has the call of that number, if there is one: that call and those behind it. */
GH_RC call_blocks_at(struct store *s, int64_t row, call_blocks_fn each, void *ctx, struct gh_err *err);
