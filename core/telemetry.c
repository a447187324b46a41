/* telemetry.c - the writer's side.
 *
 *   loop thread                        maker thread
 *   append to `now`                    makes `ready`: file, blocks, mapping, pages; or one of `kept` that is released, anew
 *   full: now -> old, ready -> now     keeps `old`
 *
 * Making a file and giving its pages back takes the system longer than a record takes the gateway, so a file is used again once the
 * keeper has stored what was in it. It goes through a name that no reader looks at: whoever finds a segment under its name finds either
 * all of its records, or that it is released; whoever has it open sees by the serial number that it is another one now.
 *
 * The two hand segments over by atomic pointers and a semaphore that is posted once a segment. When `ready` is not there in
 * time, records are dropped and counted in the header of `now`, where the keeper finds the number. A segment is locked
 * (flock) by its writer as long as it is open; when the lock can be had, the writer is done with it or dead. It gets its
 * final name only after it is locked and has its header, so nobody sees it before. */
#include "core/telemetry.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/str.h"
#include "core/telemetry_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	RETRY_MS = 100, REST_MS = 2000, DIR_MAX = 3800,
	KEPT_MAX = 4,                        /* filled ones that wait for the keeper; the mapping of more is given back */
};

struct spool {                               /* a segment that is written */
	int fd;
	unsigned char *map;
	struct segment_header *header;
	size_t bytes, used;                  /* used: of records */
	uint32_t mark;
	char name[SEGMENT_NAME_MAX];
};

struct telemetry {
	char dir[DIR_MAX];
	struct telemetry_options o;
	struct spool *now;
	_Atomic(struct spool *) ready;
	_Atomic(struct spool *) old;
	struct spool *kept[KEPT_MAX];        /* of the maker, the oldest first */
	size_t n_kept;
	uint64_t dropped;
	unsigned made;
	pthread_t maker;
	bool has_maker;
	sem_t wake;
	_Atomic bool stop;
};

/* ---- making segments (maker thread, and the first one) -------------------------------------------------------------------- */

static bool path_of(const struct telemetry *t, const char *name, char out[4096])
{
	return snprintf(out, 4096, "%s/%s", t->dir, name) < 4096;
}

/* Of all that waits, together with one more segment. False with errno: the folder cannot be read. */
static bool bytes_then(const struct telemetry *t, uint64_t *out)
{
	DIR *d = opendir(t->dir);
	uint64_t sum = t->o.segment_bytes;
	struct dirent *e;
	struct stat st;

	if (!d)
		return false;
	while ((e = readdir(d)))
		if (fstatat(dirfd(d), e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_size;
	closedir(d);
	*out = sum;
	return true;
}

static bool room_left(const struct telemetry *t)
{
	uint64_t bytes;

	return bytes_then(t, &bytes) && bytes <= t->o.total_bytes;
}

static void spool_free(struct telemetry *t, struct spool *s, bool unlink_it)
{
	char path[4096];

	if (!s)
		return;
	if (unlink_it && path_of(t, s->name, path))
		unlink(path);
	if (s->map)
		munmap(s->map, s->bytes);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

/* MAP_POPULATE leaves pages of a file write-protected: the loop would fault at each. Where the system is too old for it, it does. */
static void populate(struct spool *s)
{
#ifdef MADV_POPULATE_WRITE
	(void)madvise(s->map, s->bytes, MADV_POPULATE_WRITE);
#else
	(void)s;
#endif
}

static bool spool_map(struct spool *s)
{
	if (flock(s->fd, LOCK_EX | LOCK_NB) < 0 || posix_fallocate(s->fd, 0, (off_t)s->bytes) != 0)
		return false;
	s->map = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, s->fd, 0);
	if (s->map == MAP_FAILED) {
		s->map = NULL;
		return false;
	}
	populate(s);
	s->header = (void *)s->map;
	s->header->bytes = s->bytes;
	s->header->started_us = clock_wall_us();
	s->header->pid = (uint32_t)getpid();
	s->header->version = SEGMENT_VERSION;
	s->header->magic = SEGMENT_MAGIC;
	return true;
}

/* Gives it its next name. `temp`: the one that it has until it may be read. False: too long. */
static bool spool_name(struct telemetry *t, struct spool *s, char temp[4096], char path[4096])
{
	char name[SEGMENT_NAME_MAX + 8];

	snprintf(s->name, sizeof(s->name), "%016lld-%d-%u.seg", (long long)clock_wall_us(), (int)getpid(), t->made++);
	snprintf(name, sizeof(name), "%s.tmp", s->name);
	errno = ENAMETOOLONG;
	return path_of(t, name, temp) && path_of(t, s->name, path);
}

/* NULL with errno set. */
static struct spool *spool_make(struct telemetry *t)
{
	struct spool *s = calloc(1, sizeof(*s));
	char temp[4096], path[4096];
	int failed;

	if (!s)
		return NULL;
	s->bytes = t->o.segment_bytes;
	s->fd = -1;
	if (spool_name(t, s, temp, path))
		s->fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (s->fd >= 0 && spool_map(s)) {
		atomic_store(&s->header->serial, t->made);
		if (rename(temp, path) == 0)
			return s;
	}
	failed = errno;
	if (s->fd >= 0)
		unlink(temp);
	spool_free(t, s, false);
	errno = failed;
	return NULL;
}

static bool is_released(const struct spool *s)
{
	return atomic_load_explicit(&s->header->released, memory_order_acquire);
}

/* False: it cannot be used again, somebody took its file away. */
static bool spool_renew(struct telemetry *t, struct spool *s)
{
	struct segment_header *h = s->header;
	char temp[4096], path[4096], before[4096];

	if (!path_of(t, s->name, before) || !spool_name(t, s, temp, path) || rename(before, temp) < 0)
		return false;
	atomic_store(&h->serial, t->made);           /* who still has it open knows, before anything else changes */
	h->started_us = clock_wall_us();
	s->mark = t->made;
	atomic_store(&h->mark, s->mark);
	atomic_store(&h->committed, 0);
	atomic_store(&h->dropped, 0);
	atomic_store(&h->finished, 0);
	atomic_store(&h->released, 0);
	s->used = 0;
	populate(s);                                 /* pages that were written to the disk meanwhile are write-protected again */
	if (rename(temp, path) == 0)
		return true;
	unlink(temp);
	return false;
}

static void forget(struct telemetry *t, size_t i)
{
	memmove(t->kept + i, t->kept + i + 1, (--t->n_kept - i) * sizeof(struct spool *));
}

static void keep(struct telemetry *t, struct spool *s)
{
	if (!s)
		return;
	if (t->n_kept == KEPT_MAX) {
		spool_free(t, t->kept[0], is_released(t->kept[0]));
		forget(t, 0);
	}
	t->kept[t->n_kept++] = s;
}

/* The first of those kept that is released, anew; NULL: there is none. */
static struct spool *use_again(struct telemetry *t)
{
	for (size_t i = 0; i < t->n_kept;) {
		struct spool *s = t->kept[i];

		if (!is_released(s)) {
			i++;
			continue;
		}
		forget(t, i);
		if (spool_renew(t, s))
			return s;
		spool_free(t, s, false);
	}
	return NULL;
}

static void give_up_kept(struct telemetry *t)
{
	for (size_t i = 0; i < t->n_kept; i++)
		spool_free(t, t->kept[i], is_released(t->kept[i]));
	t->n_kept = 0;
}

/* False: the time is over. */
static bool woken(struct telemetry *t, long ms)
{
	struct timespec until;
	int failed;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += ms % 1000 * 1000000L;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	while ((failed = sem_timedwait(&t->wake, &until)) < 0 && errno == EINTR)
		;
	return !failed;
}

/* After a while in which no segment was filled those kept are given up: all files count against the limit of all workers together. */
static void wait_for_work(struct telemetry *t)
{
	if (!atomic_load(&t->ready))
		(void)woken(t, RETRY_MS);
	else if (!t->n_kept)
		while (sem_wait(&t->wake) < 0 && errno == EINTR)
			;
	else if (!woken(t, REST_MS))
		give_up_kept(t);
}

static void *maker_main(void *arg)
{
	struct telemetry *t = arg;
	struct spool *next;

	while (!atomic_load(&t->stop)) {
		keep(t, atomic_exchange(&t->old, NULL));
		if (!atomic_load(&t->ready)) {
			next = use_again(t);
			if (!next && room_left(t))
				next = spool_make(t);
			atomic_store(&t->ready, next);
		}
		wait_for_work(t);
	}
	return NULL;
}

static bool start_maker(struct telemetry *t)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	t->has_maker = pthread_create(&t->maker, NULL, maker_main, t) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return t->has_maker;
}

static gh_rc begin_writing(struct telemetry *t, struct gh_err *err)
{
	uint64_t bytes;

	if (!bytes_then(t, &bytes))
		FAIL(err, IO, "%s: %s", t->dir, strerror(errno));
	if (bytes > t->o.total_bytes)                /* also what workers leave that die over and over is bounded */
		FAIL(err, LIMIT, "%s: the records that wait there fill %llu bytes, more than telemetry.spool_bytes together with another segment; "
		     "is the keeper at work?", t->dir, (unsigned long long)(bytes - t->o.segment_bytes));
	if (!(t->now = spool_make(t)))
		FAIL(err, IO, "%s: %s", t->dir, strerror(errno));
	if (!start_maker(t))
		FAIL(err, INTERNAL, "%s: no thread: %s", t->dir, strerror(errno));
	return GH_RC_OK;
}

gh_rc telemetry_open(const char *dir, const struct telemetry_options *o, struct telemetry **out, struct gh_err *err)
{
	struct telemetry *t;
	gh_rc rc;

	if (strlen(dir) >= DIR_MAX)
		FAIL(err, INVALID, "%.60s...: path is too long", dir);
	TRY(file_make_dirs(dir, 0750, err));
	t = calloc(1, sizeof(*t));
	if (!t || sem_init(&t->wake, 0, 0) < 0) {
		free(t);
		FAIL(err, NOMEM, "%s: no memory", dir);
	}
	snprintf(t->dir, sizeof(t->dir), "%s", dir);
	t->o = *o;
	if (t->o.segment_bytes < SEGMENT_HEADER_BYTES + 2 * RECORD_MAX_BYTES)
		t->o.segment_bytes = SEGMENT_HEADER_BYTES + 2 * RECORD_MAX_BYTES;
	if (t->o.total_bytes < 2 * t->o.segment_bytes)       /* less would record nothing at all */
		t->o.total_bytes = 2 * t->o.segment_bytes;
	rc = begin_writing(t, err);
	if (rc.code) {
		telemetry_close(t);
		return rc;
	}
	*out = t;
	return GH_RC_OK;
}

void telemetry_close(struct telemetry *t)
{
	if (!t)
		return;
	atomic_store(&t->stop, true);
	sem_post(&t->wake);
	if (t->has_maker)
		pthread_join(t->maker, NULL);
	if (t->now)
		atomic_store_explicit(&t->now->header->finished, 1, memory_order_release);
	give_up_kept(t);
	spool_free(t, t->now, t->now && !t->now->used && !t->now->header->dropped);
	spool_free(t, atomic_load(&t->ready), true);
	spool_free(t, atomic_load(&t->old), false);
	sem_destroy(&t->wake);
	free(t);
}

uint64_t telemetry_dropped(const struct telemetry *t)
{
	return t->dropped;
}

/* ---- appending (loop thread) ------------------------------------------------------------------------------------------------ */

const uint16_t telemetry_text_max[TELEMETRY_TEXT__ALL] = {
#define X(name, max) [TELEMETRY_TEXT_##name] = (max),
	TELEMETRY_TEXTS(X)
	TELEMETRY_PASSING_TEXTS(X)
#undef X
};

/* The length to keep of a text that is longer than allowed: whole characters, where it is UTF-8. */
static uint16_t cut(struct str s, uint16_t max)
{
	size_t n = max;

	if (s.n <= max)
		return (uint16_t)s.n;
	while (n && max - n < 3 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
		n--;
	return (uint16_t)n;
}

static bool next_spool(struct telemetry *t)
{
	struct spool *next = atomic_load(&t->old) ? NULL : atomic_exchange(&t->ready, NULL);

	if (!next)                                   /* also when the maker has not yet taken the last one away */
		return false;
	atomic_store_explicit(&t->now->header->finished, 1, memory_order_release);
	atomic_store(&t->old, t->now);
	t->now = next;
	sem_post(&t->wake);
	return true;
}

static unsigned char *put(unsigned char *to, const void *p, size_t n)
{
	if (n)
		memcpy(to, p, n);
	return to + n;
}

static uint32_t record_write(unsigned char *at, const struct telemetry_call *call, const uint16_t lengths[], uint32_t mark)
{
	unsigned char *to = at + RECORD_HEAD_BYTES;
	uint32_t head[2];

	to = put(to, &call->started_us, 8);
#define X(type, name) to = put(to, &call->name, sizeof(type));
	TELEMETRY_NUMBERS(X)
#undef X
	to = put(to, lengths, LENGTHS_BYTES);
#define X(name, max) to = put(to, call->name.p, lengths[TELEMETRY_TEXT_##name]);
	TELEMETRY_TEXTS(X)
	TELEMETRY_PASSING_TEXTS(X)
#undef X
	while ((to - at) % 8)
		*to++ = 0;
	head[0] = (uint32_t)(to - at);
	head[1] = head[0] ^ RECORD_CHECK ^ mark;
	memcpy(at, head, sizeof(head));
	return head[0];
}

bool telemetry_put(struct telemetry *t, const struct telemetry_call *call)
{
	uint16_t lengths[TELEMETRY_TEXT__ALL];
	size_t bytes = RECORD_FIXED_BYTES + 7;

#define X(name, max) bytes += lengths[TELEMETRY_TEXT_##name] = cut(call->name, (max));
	TELEMETRY_TEXTS(X)
	TELEMETRY_PASSING_TEXTS(X)
#undef X
	if (bytes > t->now->bytes - SEGMENT_HEADER_BYTES - t->now->used && !next_spool(t)) {
		t->dropped++;
		atomic_fetch_add_explicit(&t->now->header->dropped, 1, memory_order_relaxed);
		return false;
	}
	t->now->used += record_write(t->now->map + SEGMENT_HEADER_BYTES + t->now->used, call, lengths, t->now->mark);
	atomic_store_explicit(&t->now->header->committed, t->now->used, memory_order_release);
	return true;
}
