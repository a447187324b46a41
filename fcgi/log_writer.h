/* log_writer.h - the thread that writes log messages into files and to syslog, where a write may wait.
 *
 * The loop hands over a job and gets it back when it is done or has failed; in between the job belongs to the thread. A job
 * that failed keeps its place: given again, it goes on with the first message that has not left. Messages of one job leave
 * in order. The descriptor of log_writer_fd becomes readable when a job has come back. */
#pragma once

#include "core/error.h"
#include "core/log_write.h"

struct log_writer;

GH_RC log_writer_start(struct log_writer **out, struct gh_err *err);
void log_writer_stop(struct log_writer *w);              /* waits for the job under way; jobs that wait come back undone */
int log_writer_fd(const struct log_writer *w);
void log_writer_push(struct log_writer *w, struct log_job *j);
struct log_job *log_writer_take(struct log_writer *w);   /* one that has come back, or NULL */
