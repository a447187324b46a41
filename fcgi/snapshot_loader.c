/* snapshot_loader.c - builds off the loop.
 *
 * One thread with its own store handle. Every poll interval it compares the generation number (an atomic load of a mapped
 * file, no query) with the one it built last; when they differ it builds and puts the result into a mailbox of one: a
 * result that nobody took yet is replaced by a newer one. An eventfd tells the loop. A store that is not there or cannot
 * be read is tried again each interval, with the last good snapshot serving on. */
#include "core/clock.h"
#include "core/genfile.h"
#include "core/log.h"
#include "core/paths.h"
#include "core/str.h"
#include "db/store.h"
#include "fcgi/snapshot.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { DIR_MAX = 4000, SETTINGS_BYTES = 4 << 20, RETRY_MS = 500, RETRY_DOUBLINGS = 4, FILES_LOOK_US = 1000000 };

struct snapshot_loader {
	char dir[DIR_MAX];
	const struct config *config;
	uint32_t poll_ms;
	int event_fd;
	pthread_t thread;
	bool has_thread;

	struct store *store;                 /* these five: the thread's alone */
	struct genfile *gen;
	uint64_t built;                      /* generation, as in the file, of the last build */
	bool record_web;                     /* as the settings had it when they were last asked for */
	uint64_t files;                      /* state of the other files at the last build */
	int64_t files_us;                    /* when they were looked at */
	unsigned failures;                   /* builds in a row that failed for want of the store */

	pthread_mutex_t lock;                /* of what follows */
	pthread_cond_t changed;
	bool stop, wanted;
	struct snapshot *ready;
	struct gh_err refused;               /* code GH_OK: nothing to tell */
};

static void deliver(struct snapshot_loader *l, struct snapshot *s, const struct gh_err *refused)
{
	struct snapshot *old = NULL;
	uint64_t one = 1;

	pthread_mutex_lock(&l->lock);
	if (s) {
		old = l->ready;
		l->ready = s;
		l->refused.code = GH_OK;
	} else {
		l->refused = *refused;
	}
	pthread_mutex_unlock(&l->lock);
	snapshot_unref(old);
	while (write(l->event_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static bool open_store(struct snapshot_loader *l, struct gh_err *err)
{
	if (!l->store && store_open(&l->store, l->dir, STORE_READ, err).code)
		return false;
	return l->gen || !genfile_open(&l->gen, l->dir, false, err).code;
}

/* Has a file changed that is no part of the store? They are looked at once a second. */
static bool files_changed(struct snapshot_loader *l)
{
	int64_t now = clock_mono_us();
	uint64_t state;

	if (now - l->files_us < FILES_LOOK_US)
		return false;
	l->files_us = now;
	state = snapshot_files_state(l->config);
	if (state == l->files)
		return false;
	l->files = state;
	return true;
}

/* The keeper reads its settings anew at SIGHUP, so what it exports must be recorded from then on. Here, where a file may be read. */
static void read_settings(struct snapshot_loader *l)
{
	struct arena *a = arena_new(SETTINGS_BYTES);
	struct config *c = a ? arena_new_of(a, struct config) : NULL;
	struct gh_err err = { 0 };
	char path[PATHS_MAX];

	if (c && !paths_join(path, l->dir, "gatehouse.conf", &err).code && !config_load(c, a, path, &err).code)
		l->record_web = config_text(c, CONFIG_OTLP_ENDPOINT).n > 0;
	else
		log_warn("the settings cannot be read anew", KV_CSTR("error", err.message));
	arena_free(a);
}

/* False: to be tried again soon. */
static bool build(struct snapshot_loader *l, bool wanted)
{
	struct gh_err err = { 0 };
	struct snapshot *s = NULL;
	uint64_t generation;
	gh_rc rc;

	if (wanted)                                  /* also when there is no store yet: that is asked for once only */
		read_settings(l);
	if (!open_store(l, &err)) {
		if (err.code != GH_E_UNAVAILABLE || wanted)      /* "there is no store yet" is told when asked for */
			deliver(l, NULL, &err);
		return false;
	}
	generation = genfile_get(l->gen, GENFILE_CONFIG);
	if (files_changed(l))
		l->built = UINT64_MAX;
	if (generation == l->built && !wanted)
		return true;
	rc = snapshot_build(l->store, l->config, &s, &err);
	l->failures = rc.code && rc.code != GH_E_INVALID ? l->failures + 1 : 0;
	if (rc.code == GH_E_INVALID) {
		l->built = generation;               /* it will not compile better next time */
		deliver(l, NULL, &err);
		return true;
	}
	if (rc.code) {
		store_free(l->store);
		l->store = NULL;
		l->built = UINT64_MAX;               /* what was asked for is still to come */
		deliver(l, NULL, &err);
		return false;
	}
	l->built = generation;
	s->record_web = l->record_web;
	deliver(l, s, NULL);
	return true;
}

static bool wait_ms(struct snapshot_loader *l, uint32_t ms, bool *wanted)
{
	struct timespec until;
	bool go_on;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&l->lock);
	while (!l->stop && !l->wanted && pthread_cond_timedwait(&l->changed, &l->lock, &until) == 0)
		;
	*wanted = l->wanted;
	l->wanted = false;
	go_on = !l->stop;
	pthread_mutex_unlock(&l->lock);
	return go_on;
}

static void *loader_main(void *arg)
{
	struct snapshot_loader *l = arg;
	bool wanted = true, ok;
	uint32_t retry;

	do {
		ok = build(l, wanted);
		/* a large store that cannot be read must not cost a core; one that is not there yet costs nothing */
		retry = RETRY_MS << (l->failures < RETRY_DOUBLINGS ? l->failures : RETRY_DOUBLINGS);
	} while (wait_ms(l, ok ? l->poll_ms : retry, &wanted));
	return NULL;
}

static bool init_sync(struct snapshot_loader *l)
{
	pthread_condattr_t attr;

	return !pthread_condattr_init(&attr) && !pthread_condattr_setclock(&attr, CLOCK_MONOTONIC)
	       && !pthread_cond_init(&l->changed, &attr) && !pthread_mutex_init(&l->lock, NULL);
}

static bool start_thread(struct snapshot_loader *l)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	l->has_thread = pthread_create(&l->thread, NULL, loader_main, l) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return l->has_thread;
}

gh_rc snapshot_loader_start(const struct snapshot_loader_options *o, struct snapshot_loader **out, struct gh_err *err)
{
	struct snapshot_loader *l;

	if (strlen(o->state_dir) >= DIR_MAX)
		FAIL(err, INVALID, "%.60s...: path is too long", o->state_dir);
	l = calloc(1, sizeof(*l));
	if (!l)
		FAIL(err, NOMEM, "no memory for the snapshot loader");
	snprintf(l->dir, sizeof(l->dir), "%s", o->state_dir);
	l->config = o->config;
	l->poll_ms = o->poll_ms ? o->poll_ms : o->config ? (uint32_t)config_int(o->config, CONFIG_SNAPSHOT_POLL_MS) : 100;
	l->built = UINT64_MAX;
	l->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (l->event_fd < 0 || !init_sync(l) || !start_thread(l)) {
		snapshot_loader_stop(l);
		FAIL(err, INTERNAL, "the snapshot loader cannot be started: %s", strerror(errno));
	}
	*out = l;
	return GH_RC_OK;
}

int snapshot_loader_fd(const struct snapshot_loader *l)
{
	return l->event_fd;
}

void snapshot_loader_wake(struct snapshot_loader *l)
{
	pthread_mutex_lock(&l->lock);
	l->wanted = true;
	pthread_cond_signal(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

struct snapshot *snapshot_loader_take(struct snapshot_loader *l, struct gh_err *refused)
{
	struct snapshot *s;
	uint64_t n;

	if (read(l->event_fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		return NULL;
	pthread_mutex_lock(&l->lock);
	s = l->ready;
	l->ready = NULL;
	if (refused && l->refused.code)
		*refused = l->refused;
	l->refused.code = GH_OK;
	pthread_mutex_unlock(&l->lock);
	return s;
}

void snapshot_loader_stop(struct snapshot_loader *l)
{
	if (!l)
		return;
	if (l->has_thread) {
		pthread_mutex_lock(&l->lock);
		l->stop = true;
		pthread_cond_signal(&l->changed);
		pthread_mutex_unlock(&l->lock);
		pthread_join(l->thread, NULL);
	}
	snapshot_unref(l->ready);
	store_free(l->store);
	genfile_free(l->gen);
	if (l->event_fd >= 0)
		close(l->event_fd);
	free(l);
}
