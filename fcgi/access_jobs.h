/* access_jobs.h - what must not be done on the loop: checking a password (Argon2id takes tens of milliseconds) and writing
 * that a token was taken back. One thread for each worker, with a store handle of its own, and a short queue in front of it.
 *
 * A job is its own memory: the call that waits for it may go away at any moment and says so with access_job_drop; the job
 * is then finished for nobody. All functions are for the loop's thread. */
#pragma once

#include "core/error.h"

enum { ACCESS_JOBS_MAX = 64 };       /* waiting at once; beyond it the caller is told to try again */

struct access_jobs;
struct access_job;
struct call;
struct loop;

GH_RC access_jobs_start(struct loop *loop, const char *state_dir, struct access_jobs **out, struct gh_err *err);
void access_jobs_stop(struct access_jobs *j);            /* waits for the one under way; NULL is fine */

/* hash empty: of a user that is not known, which takes as long. NULL: the queue is full or memory is out. The call is woken
 * (resume_due) when it is done. Texts are copied. */
struct access_job *access_job_password(struct access_jobs *j, struct call *k, struct str hash, struct str password);
struct access_job *access_job_revoke(struct access_jobs *j, struct call *k, struct str jti, int64_t ends_us);
bool access_job_done(const struct access_job *job);
bool access_job_good(const struct access_job *job);      /* the password fits; the token is taken back */
void access_job_drop(struct access_job *job);            /* the call needs it no more; NULL is fine */
