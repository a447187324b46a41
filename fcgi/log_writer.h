/* log_writer.h - the thread that writes log messages into files and to syslog, where a write may wait.
 *
 * The loop hands over a job and gets it back when it is done or has failed; in between the job belongs to the thread. A job
 * that failed keeps its place: given again, it goes on with the first message that has not left. Messages of one job leave
 * in order. The descriptor of log_writer_fd becomes readable when a job has come back. */
#pragma once

#include "core/error.h"
#include "core/logger.h"

struct log_writer;

/* A connection to a syslog, kept from job to job by whoever owns the jobs. */
struct log_link {
	int fd;                              /* -1: none */
	bool stream;
	char address[160];                   /* that it leads to */
};
#define LOG_LINK_INIT { .fd = -1 }
void log_link_close(struct log_link *l);

struct log_job {
	struct log_job *next;
	void *owner;
	const struct logger_settings *settings;
	struct log_link *link;
	const char *bytes;                   /* messages: length (u32) and bytes each */
	size_t n, at;                        /* what stands before `at` has left */
	size_t left, lost;                   /* messages: how many have left; how many were too large for their socket */
	bool failed;
	char error[200];                     /* for a person */
};

/* The next message of a job's bytes from *at on; moves *at behind it. False at the end. */
bool log_job_next(const struct log_job *j, size_t *at, struct str *message);

GH_RC log_writer_start(struct log_writer **out, struct gh_err *err);
void log_writer_stop(struct log_writer *w);              /* waits for the job under way; jobs that wait come back undone */
int log_writer_fd(const struct log_writer *w);
void log_writer_push(struct log_writer *w, struct log_job *j);
struct log_job *log_writer_take(struct log_writer *w);   /* one that has come back, or NULL */

/* What the thread does with one job; for it and for tests. */
void log_job_write(struct log_job *j);
