/* call_block.h - which blocks of single calls hold an API, a subscription, a key or an address, and of what time they are.
 *
 *     row / CALL_BLOCK_ROWS  ->  call_block (first and last time)  and  call_seen (kind, value), each value once
 *
 * An index on each of these columns cost the keeper half of its time. Calls come in the order of time, and those of a block
 * mostly share a few values, so a block is the better unit: a search reads whole blocks, newest first, and the keeper writes
 * a few rows for 256 calls. An id that each call has for itself (request, trace, correlation) has an index.
 *
 * For db/telemetry.c only; what it holds belongs to the open drain. */
#pragma once

#include "core/telemetry.h"
#include "db/sql.h"

#define CALL_BLOCK_ROWS 256              /* db/telemetry.def divides by the same number */

enum call_seen { CALL_SEEN_API = 1, CALL_SEEN_SUBSCRIPTION, CALL_SEEN_KEY, CALL_SEEN_ADDRESS, CALL_SEEN__COUNT };   /* in the store */

/* Forgets what an earlier drain left; takes memory the first time. */
GH_RC call_blocks_begin(struct store *s, struct gh_err *err);
/* The call that was stored as `row`. Writes the block before when this one begins another. */
GH_RC call_blocks_add(struct store *s, int64_t row, const struct telemetry_call *call, struct gh_err *err);
/* Writes the block that is open; more of it may come with a later drain. */
GH_RC call_blocks_write(struct store *s, struct gh_err *err);
/* Blocks all of whose calls were deleted. */
GH_RC call_blocks_prune(struct store *s, struct gh_err *err);
void call_blocks_free(struct call_blocks *b);    /* NULL is fine */
