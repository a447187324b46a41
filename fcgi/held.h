/* held.h - how long a place among calls at once is held, measured in this worker: what Retry-After says when no place is free. If the
 * calls inside take as long as those before them did, the next one is served after it.
 *
 * A table of HELD_KEYS means, by the hash of the gauge's key: two keys of one place take it from each other. One thread. */
#pragma once

#include "core/base.h"

enum { HELD_KEYS = 256, HELD_MOST_S = 60 };      /* HELD_MOST_S: calls that last longer are asked for again all the same */

struct held {                            /* all zero in the beginning */
	struct {
		uint64_t hash;
		int64_t mean_us;
	} v[HELD_KEYS];
};

void held_note(struct held *h, struct str key, int64_t us);      /* a place was held for so long */
uint32_t held_wait_s(const struct held *h, struct str key);      /* 1 to HELD_MOST_S; 1 when nothing is known */
