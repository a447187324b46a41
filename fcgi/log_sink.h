/* log_sink.h - messages of log-to-eventhub on their way to their loggers (core/logger.h).
 *
 *   policy ── log_sinks_put ──> queue of the logger ──┬─ http ──> the worker's curl handle
 *                                                     └─ file, syslog ──> the writer thread (log_writer.h)
 *
 * Nothing here waits. A queue is bounded (setting logger.queue_bytes, for each logger of each worker); what comes while it is
 * full is dropped and counted, and the log says so every LOG_EVERY_S at most. Messages leave in batches: after
 * logger.flush_ms, or when a batch is full. A batch that cannot be delivered is kept and tried again, ever more slowly; only
 * one that an HTTP logger refuses for good (4xx) is dropped. When the worker stops, what is queued is tried once more.
 * A message may arrive twice when a connection breaks in the middle of a batch; it is not lost for that. */
#pragma once

#include "core/logger.h"
#include "fcgi/worker.h"

struct snapshot;

/* NULL: out of memory. Costs a few bytes until the first message comes. */
struct log_sinks *log_sinks_new(struct worker *wk);
void log_sinks_free(struct log_sinks *s);                /* what is still queued is lost; NULL is fine */

void log_sinks_put(struct log_sinks *s, const struct snapshot *snapshot, const struct log_message *m, struct str request_id);
/* The worker stops: everything leaves now, and nothing is tried twice. */
void log_sinks_drain(struct log_sinks *s);
bool log_sinks_busy(const struct log_sinks *s);          /* something is on its way or waits */
/* A number that changes when there is something new to report. */
uint64_t log_sinks_change(const struct log_sinks *s);
/* "[{"id":…,"sent":…,"dropped":…,"queuedBytes":…,"error":…}, …]" for the status file. */
void log_sinks_report(const struct log_sinks *s, struct buf *out);
