/* loop_lag.h - how long turns of a worker's loop took: everything that came in meanwhile waited for so long. A worker counts, its
 * status file (DIR/run/gateway-N.json, member "loop") tells, and metrics show it as a histogram. */
#pragma once

#include "core/arena.h"
#include "core/buf.h"

enum { LOOP_LAG_BOUNDS = 6, LOOP_LAG_WORKERS_MAX = 256 };
extern const int64_t loop_lag_bounds_us[LOOP_LAG_BOUNDS];        /* up to and with each; the last class has no bound */

struct loop_lag {                        /* all zero in the beginning */
	uint64_t turns[LOOP_LAG_BOUNDS + 1];
	uint64_t sum_us;
};

/* In every turn: two comparisons while it is quick. */
static inline void loop_lag_count(struct loop_lag *l, int64_t took_us)
{
	size_t at = 0;

	while (at < LOOP_LAG_BOUNDS && took_us > loop_lag_bounds_us[at])
		at++;
	l->turns[at]++;
	l->sum_us += took_us > 0 ? (uint64_t)took_us : 0;
}

void loop_lag_write(struct buf *out, const struct loop_lag *l);  /* a JSON object for the status file */
/* OpenMetrics text of the workers whose status files stand below state_dir: gatehouse_loop_lag_seconds{worker=…}. Nothing when there
 * are none. Files that cannot be read are left out, and workers that have ended: their series end with them. One that is started again
 * under the same number counts from nothing, which Prometheus sees as the restart that it is. */
void loop_lag_metrics(struct buf *out, const char *state_dir);
