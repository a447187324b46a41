#include "fcgi/access_jobs.h"

#include "core/crypto.h"
#include "core/log.h"
#include "core/str.h"
#include "db/callers.h"
#include "fcgi/call.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum job_kind { JOB_PASSWORD, JOB_REVOKE };

struct access_job {
	struct access_job *next;
	enum job_kind kind;
	struct call *call;           /* NULL: nobody waits any more */
	bool done, good;             /* loop's thread only */
	bool result;                 /* of the helper */
	int64_t ends_us;
	struct str a, b;             /* in this block */
	size_t bytes;
};

struct access_jobs {
	struct watch watch;
	struct loop *loop;
	const char *state_dir;
	pthread_t thread;
	bool has_thread, has_lock;
	int event_fd;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock */
	struct access_job *queue, **end, *finished;
	bool stop;
	/* loop's thread only */
	size_t waiting;
	/* helper's thread only */
	struct store *store;
};

/* ---- the helper ---------------------------------------------------------------------------------------------------------- */

static gh_rc write_revocation(struct access_jobs *j, const struct access_job *job, struct gh_err *err)
{
	if (!j->store)
		TRY(store_open(&j->store, j->state_dir, STORE_WRITE, err));
	TRY(store_tx_begin(j->store, STR("gateway"), err));
	return store_tx_end(j->store, store_token_revoke(j->store, job->a, job->ends_us, err), err);
}

static void work(struct access_jobs *j, struct access_job *job)
{
	struct gh_err err = { 0 };

	if (job->kind == JOB_PASSWORD) {
		if (job->a.n)
			job->result = crypto_password_verify(job->a, job->b);
		else
			crypto_password_pretend(job->b);     /* a user that is not known takes as long */
		return;
	}
	job->result = !write_revocation(j, job, &err).code;
	if (!job->result)
		log_warn("a token could not be taken back", KV_CSTR("error", err.message));
}

static void *helper_main(void *arg)
{
	struct access_jobs *j = arg;
	uint64_t one = 1;

	pthread_mutex_lock(&j->lock);
	while (!j->stop) {
		struct access_job *job = j->queue;

		if (!job) {
			pthread_cond_wait(&j->changed, &j->lock);
			continue;
		}
		j->queue = job->next;
		if (!j->queue)
			j->end = &j->queue;
		pthread_mutex_unlock(&j->lock);
		work(j, job);
		pthread_mutex_lock(&j->lock);
		job->next = j->finished;
		j->finished = job;
		if (write(j->event_fd, &one, sizeof(one)) < 0)
			log_warn("the loop cannot be told", KV_INT("errno", errno));
	}
	pthread_mutex_unlock(&j->lock);
	store_free(j->store);
	return NULL;
}

/* ---- the loop's side ------------------------------------------------------------------------------------------------------ */

static void job_free(struct access_job *job)
{
	crypto_wipe(job, job->bytes);
	free(job);
}

static void collect(struct watch *w, uint32_t events UNUSED)
{
	struct access_jobs *j = CONTAINER_OF(w, struct access_jobs, watch);
	struct access_job *job, *next;
	uint64_t n;

	if (read(j->event_fd, &n, sizeof(n)) < 0)
		return;
	pthread_mutex_lock(&j->lock);
	job = j->finished;
	j->finished = NULL;
	pthread_mutex_unlock(&j->lock);
	for (; job; job = next) {
		next = job->next;
		j->waiting--;
		if (!job->call) {
			job_free(job);
			continue;
		}
		job->done = true;
		job->good = job->result;
		job->call->resume_due = true;
		call_wake(job->call);
	}
}

static bool start_thread(struct access_jobs *j)
{
	sigset_t all, before;

	sigfillset(&all);            /* signals are the loop's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	j->has_thread = pthread_create(&j->thread, NULL, helper_main, j) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return j->has_thread;
}

GH_RC access_jobs_start(struct loop *loop, const char *state_dir, struct access_jobs **out, struct gh_err *err)
{
	struct access_jobs *j = calloc(1, sizeof(*j));

	if (!j)
		FAIL(err, NOMEM, "no memory for the helper");
	j->loop = loop;
	j->state_dir = state_dir;
	j->end = &j->queue;
	j->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	j->has_lock = pthread_mutex_init(&j->lock, NULL) == 0 && pthread_cond_init(&j->changed, NULL) == 0;
	if (j->event_fd >= 0) {
		loop_watch_init(&j->watch, j->event_fd, collect);
		if (j->has_lock && loop_want(loop, &j->watch, EPOLLIN) && start_thread(j)) {
			*out = j;
			return GH_RC_OK;
		}
	}
	access_jobs_stop(j);
	FAIL(err, INTERNAL, "the helper cannot be started: %s", strerror(errno));
}

void access_jobs_stop(struct access_jobs *j)
{
	struct access_job *job, *next;

	if (!j)
		return;
	if (j->has_thread) {
		pthread_mutex_lock(&j->lock);
		j->stop = true;
		pthread_cond_signal(&j->changed);
		pthread_mutex_unlock(&j->lock);
		pthread_join(j->thread, NULL);
	}
	for (int list = 0; list < 2; list++)
		for (job = list ? j->finished : j->queue; job; job = next) {
			next = job->next;
			job_free(job);
		}
	if (j->event_fd >= 0) {
		loop_forget(j->loop, &j->watch, true);
		close(j->event_fd);
	}
	free(j);
}

static struct access_job *add(struct access_jobs *j, struct call *k, enum job_kind kind, struct str a, struct str b,
			      int64_t ends_us)
{
	size_t bytes = sizeof(struct access_job) + a.n + b.n + 1;
	struct access_job *job;
	char *text;

	if (!j || j->waiting >= ACCESS_JOBS_MAX || !(job = calloc(1, bytes)))
		return NULL;
	*job = (struct access_job){ .kind = kind, .call = k, .ends_us = ends_us, .bytes = bytes };
	text = (char *)(job + 1);
	job->a = (struct str){ text, a.n };
	job->b = (struct str){ text + a.n, b.n };
	if (a.n)
		memcpy(text, a.p, a.n);
	if (b.n)
		memcpy(text + a.n, b.p, b.n);
	j->waiting++;
	pthread_mutex_lock(&j->lock);
	*j->end = job;
	j->end = &job->next;
	pthread_cond_signal(&j->changed);
	pthread_mutex_unlock(&j->lock);
	return job;
}

struct access_job *access_job_password(struct access_jobs *j, struct call *k, struct str hash, struct str password)
{
	return add(j, k, JOB_PASSWORD, hash, password, 0);
}

struct access_job *access_job_revoke(struct access_jobs *j, struct call *k, struct str jti, int64_t ends_us)
{
	return add(j, k, JOB_REVOKE, jti, STR_NULL, ends_us);
}

bool access_job_done(const struct access_job *job)
{
	return job->done;
}

bool access_job_good(const struct access_job *job)
{
	return job->good;
}

void access_job_drop(struct access_job *job)
{
	if (!job)
		return;
	if (job->done)
		job_free(job);
	else
		job->call = NULL;
}
