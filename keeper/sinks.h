/* sinks.h - where records of calls go besides the store: the access log (settings access_log.*), traces and logs for
 * OpenTelemetry (otlp.*). Each has an outbox of its own (keeper/outbox.h), so that one receiver that is away holds up nobody
 * else. What is not set costs nothing. */
#pragma once

#include "core/config.h"
#include "core/telemetry.h"
#include "keeper/outbox.h"

enum { SINKS_MAX = 3 };

struct sinks;
/* A setting that is wrong stops that one only: it is logged, and told by sinks_stats. */
GH_RC sinks_start(const struct config *config, struct sinks **out, struct gh_err *err);
void sinks_stop(struct sinks *s);                        /* NULL is fine */
void sinks_add(struct sinks *s, const struct telemetry_call *call);
void sinks_drained(struct sinks *s, bool stored);
size_t sinks_stats(struct sinks *s, struct outbox_stats out[SINKS_MAX]);
