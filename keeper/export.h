/* export.h - what Prometheus and its kin read of the traffic: counters and histograms by environment and API, in OpenMetrics text
 * in DIR/run/traffic.prom, from where `gatehouse metrics` and the dashboard's /metrics take it.
 *
 * Counted from the records as the keeper takes them in, so the gateway has no part in it. A drain that is rolled back counts
 * nothing. Labels are bounded: what comes when setting metrics.apis pairs of environment and API are known goes to api="other".
 * Numbers begin anew with the keeper, as counters may. One thread. */
#pragma once

#include "core/config.h"
#include "core/telemetry.h"
#include "keeper/sinks.h"

struct exports;

/* What else the file says. */
struct export_facts {
	uint64_t calls, dropped, alerts_bad, alert_rules;
	int64_t telemetry_bytes;
	uint64_t counters_evicted;
	struct outbox_stats sinks[SINKS_MAX];
	size_t n_sinks;
};

GH_RC exports_new(const char *state_dir, const struct config *config, struct exports **out, struct gh_err *err);
void exports_free(struct exports *e);                    /* NULL is fine */
void exports_count(struct exports *e, const struct telemetry_call *call);
void exports_drained(struct exports *e, bool stored);
/* Writes the file when something was counted since, or when it was not written for a while. */
GH_RC exports_write(struct exports *e, const struct export_facts *facts, struct gh_err *err);
