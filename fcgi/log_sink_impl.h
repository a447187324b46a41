/* log_sink_impl.h - what the parts of log_sink share: queues (log_sink.c) and batches over HTTP (log_post.c). */
#pragma once

#include "fcgi/log_sink.h"
#include "fcgi/log_writer.h"
#include "fcgi/snapshot.h"

enum { TARGET_BYTES = 1 << 20, BATCH_BYTES = 1 << 20 };

enum log_outcome {
	LOG_DONE,
	LOG_LATER,                           /* to be tried again */
	LOG_REFUSED,                         /* it would be refused again */
};

/* Settings as they were when a message was queued; lives as long as a sink or a batch uses it. */
struct log_target {
	struct arena *arena;
	unsigned refs;
	enum logger_kind kind;
	struct str text, secrets;            /* as stored, to see whether they have changed */
	struct logger_settings settings;
};
void log_target_unref(struct log_target *t);             /* NULL is fine */

struct log_batch {
	struct log_job job;
	struct sink *sink;
	struct log_target *target;
	char *bytes;
	uint64_t messages, counted;          /* counted: already in sink.sent */
	unsigned tries;
	bool under_way;
	struct arena *arena;                 /* of the request, and its transfer: log_post.c */
	struct transfer *transfer;
	struct buf body;
};

struct sink {
	struct sink *next;
	struct log_sinks *all;
	struct log_target *target;
	struct buf queue;                    /* messages: length (u32) and bytes each */
	uint64_t queued, sent, dropped;      /* messages */
	struct log_batch *batch;             /* on its way, or to be tried again */
	struct timer timer;                  /* of the next start */
	struct log_link link;                /* the writer thread's, while a batch is under way */
	struct str host;                     /* of the snapshot of the call that is logged */
	int64_t told_us[2];                  /* when the log said that messages wait, that they were lost */
	uint64_t told_dropped;
	char error[200];                     /* why the last try failed; empty: it did not */
	size_t id_n;
	char id[];
};

struct log_sinks {
	struct worker *wk;
	struct sink *first;
	size_t n;
	struct log_writer *writer;           /* NULL until a file or syslog is written */
	struct watch watch;
	uint64_t change, unknown;
	bool draining;
};

void sink_start(struct sink *k);                         /* sends a batch now, unless one is under way */
void sink_done(struct sink *k, enum log_outcome outcome, const char *why);
bool sinks_writer(struct log_sinks *s);

void sink_post(struct sink *k);                          /* log_post.c: k->batch to an HTTP logger */
void sink_cancel(struct sink *k);                        /* of a batch under way; nobody is told */
