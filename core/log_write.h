/* log_write.h - messages into a file or to a syslog, as the settings of a logger say (core/logger.h).
 *
 * Waits for disk and network: for threads of their own, never for a loop. */
#pragma once

#include "core/logger.h"

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

/* Writes what has not left yet; sets left, lost, failed and error. */
void log_job_write(struct log_job *j);
