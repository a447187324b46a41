/* drain.h - takes call records out of the workers' segments and into the store.
 *
 * One call of drain_once is one transaction: rows, totals and the place up to which each segment has been read are stored
 * together or not at all. Only then are segments removed that are finished and read to their end. So whenever which process
 * is killed, each record that a worker appended counts exactly once. */
#pragma once

#include "db/telemetry.h"

struct alerts;
struct exports;
struct sinks;

enum {
	DRAIN_CALLS_MAX = 50000,             /* in one transaction; what is left comes with the next, at once */
	DRAIN_CALLS_PACED = 8192,            /* the same while the keeper is not late */
};

struct drain {
	struct store *store;
	const char *dir;                     /* of the segments */
	bool keep_calls;                     /* store single calls, not just totals */
	size_t places_max;                   /* db/rollup.h; 0: its default */
	struct alerts *alerts;               /* counts them too (keeper/alerts.h); may be NULL */
	struct exports *exports;             /* and for Prometheus (keeper/export.h); may be NULL */
	struct sinks *sinks;                 /* and for others (keeper/sinks.h); may be NULL */
};

struct drain_result {
	size_t calls;                        /* taken in */
	size_t segments, removed, damaged;
	bool more;                           /* there is more to read: call again at once */
};

GH_RC drain_once(const struct drain *d, struct drain_result *out, struct gh_err *err);

/* Files of segments that were never finished being made, of writers that were killed meanwhile. */
void drain_remove_leftovers(const char *dir);
