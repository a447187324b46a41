/* metrics.h - metrics with dimensions that policies emit, summed over all workers of a machine in one mapped file.
 *
 * A series is a namespace, a name and the values of its dimensions. Each has a count, a sum, the least and the greatest
 * value, which only grow: a reader that takes two looks has the difference. They last over restarts; a file of another size
 * is begun anew. The number of series is bounded (setting metrics.series): what comes when all places are taken is counted
 * as overflow, with what does not fit into METRIC_KEY_MAX.
 *
 *   header | place | place | …       place: state, hash, numbers, key. Open addressing; a place is never given back.
 *
 * Adding takes no lock and makes no system call: a place is claimed with one compare-and-swap and its numbers are atomic. A
 * process that dies while it claims one leaves it unused. Count and sum are two steps: a reader may see the one before the
 * other. A handle may be used by one thread; any number of processes may have the file open. */
#pragma once

#include "core/arena.h"
#include "core/buf.h"
#include "core/error.h"

enum {
	METRIC_LABELS_MAX = 10,
	METRIC_KEY_MAX = 1000,               /* bytes of namespace, name and dimensions together, with one more for each text */
};

struct metric_label {
	struct str name, value;
};

struct metrics;

GH_RC metrics_open(const char *path, size_t series, struct metrics **out, struct gh_err *err);
void metrics_close(struct metrics *m);                   /* NULL is fine */
/* False: it was counted as overflow. A value that is no finite number is not added (false, not counted). */
bool metrics_add(struct metrics *m, struct str ns, struct str name, const struct metric_label *labels, size_t n, double value,
		 int64_t now_us);

struct metric_series {
	struct str ns, name;
	struct metric_label labels[METRIC_LABELS_MAX];
	size_t n_labels;
	uint64_t count;
	double sum, least, greatest;
	int64_t changed_us;                  /* wall clock */
};

struct metrics_state {
	struct metric_series *v;             /* by namespace, name and dimensions; in the arena */
	size_t n, room;
	uint64_t overflow;
};

/* NOT_FOUND when no worker has made the file yet. */
GH_RC metrics_read(struct arena *a, const char *path, struct metrics_state *out, struct gh_err *err);

/* OpenMetrics 1.0 text: a family for each namespace and name, of type summary (_count and _sum), and
 * gatehouse_metric_overflow. Names that the format does not allow get "_" in place of other characters. */
void metrics_openmetrics(struct buf *out, struct arena *a, const struct metrics_state *s);

/* All that there is to read: these and what the keeper wrote of the traffic (keeper/export.h). What is not there yet is left out. */
GH_RC metrics_exposition(struct buf *out, struct arena *a, const char *state_dir, struct gh_err *err);
