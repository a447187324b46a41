#include "fcgi/log_writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct log_writer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct log_job *waiting, **waiting_end, *done;
	bool stop;
	int event_fd;
};

static void give_back(struct log_writer *w, struct log_job *j)
{
	uint64_t one = 1;

	pthread_mutex_lock(&w->lock);
	j->next = w->done;
	w->done = j;
	pthread_mutex_unlock(&w->lock);
	while (write(w->event_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static struct log_job *next_job(struct log_writer *w)
{
	struct log_job *j;

	pthread_mutex_lock(&w->lock);
	while (!w->waiting && !w->stop)
		pthread_cond_wait(&w->changed, &w->lock);
	j = w->stop ? NULL : w->waiting;
	if (j) {
		w->waiting = j->next;
		if (!w->waiting)
			w->waiting_end = &w->waiting;
	}
	pthread_mutex_unlock(&w->lock);
	return j;
}

static void *writer_main(void *arg)
{
	struct log_writer *w = arg;
	struct log_job *j;

	while ((j = next_job(w))) {
		log_job_write(j);
		give_back(w, j);
	}
	return NULL;
}

gh_rc log_writer_start(struct log_writer **out, struct gh_err *err)
{
	struct log_writer *w = calloc(1, sizeof(*w));
	sigset_t all, before;
	bool started;

	if (!w)
		FAIL(err, NOMEM, "no memory to write messages of policies");
	w->waiting_end = &w->waiting;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	w->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = w->event_fd >= 0 && pthread_create(&w->thread, NULL, writer_main, w) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!started) {
		if (w->event_fd >= 0)
			close(w->event_fd);
		free(w);
		FAIL(err, INTERNAL, "the thread that writes messages of policies cannot be started: %s", strerror(errno));
	}
	*out = w;
	return GH_RC_OK;
}

void log_writer_stop(struct log_writer *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	close(w->event_fd);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->changed);
	free(w);
}

int log_writer_fd(const struct log_writer *w)
{
	return w->event_fd;
}

void log_writer_push(struct log_writer *w, struct log_job *j)
{
	j->next = NULL;
	j->failed = false;
	pthread_mutex_lock(&w->lock);
	*w->waiting_end = j;
	w->waiting_end = &j->next;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

struct log_job *log_writer_take(struct log_writer *w)
{
	struct log_job *j;
	uint64_t n;

	(void)!read(w->event_fd, &n, sizeof(n));
	pthread_mutex_lock(&w->lock);
	j = w->done;
	if (j)
		w->done = j->next;
	pthread_mutex_unlock(&w->lock);
	return j;
}
