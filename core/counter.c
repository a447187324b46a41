/* counter.c - the shared table of limits.
 *
 *   file   header | sets of sliding counters | sets of plain counters (fixed, bucket) | sets of gauges
 *   set    lock, 64 x { digest of the key, time of last use }, and behind all sets the 64 bodies of each
 *
 * A key belongs to one set (by its digest, SipHash-2-4 with a secret of the file, so nobody can make keys that collide).
 * The set's robust mutex is held for finding the key, making room and the take itself: a few hundred nanoseconds. One word
 * with compare-and-swap would do for buckets and fixed windows, but not for a window that slides exactly; one mechanism
 * for all is simpler, and sets are so many that two workers meet only on the same key, where they must wait anyway.
 *
 * Death. The kernel marks the lock of a killed holder (robust list); the next one to lock gets EOWNERDEAD and repairs the
 * set. Nothing but sums can be wrong then: bodies are written before the digest that makes them valid, runs before the
 * count that covers them. A power cut leaves locks that no kernel will mark, so the file knows the boot it belongs to and
 * the first process after a boot makes all locks new; it holds a file lock meanwhile.
 *
 * Gauges keep one count per process slot. A slot is held by a lock on a byte of the file (open file description lock),
 * which the kernel takes away with the process, however it dies; who takes a slot over clears what was left in it, and a
 * refused enter looks for dead slots once a second.
 *
 * The file's blocks are taken when it is made: a write to a mapped hole of a full disk would be a SIGBUS. */
#include "core/counter.h"

#include "core/clock.h"
#include "core/counter_impl.h"
#include "core/str.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- places in the file ------------------------------------------------------------------------------------------------ */

static size_t body_bytes(enum table t)
{
	static const size_t bytes[] = {
		[TABLE_SLIDING] = sizeof(struct sliding), [TABLE_PLAIN] = sizeof(struct plain), [TABLE_GAUGE] = sizeof(struct gauge),
	};

	return bytes[t];
}

static size_t layout(size_t entries, struct counters *c)
{
	size_t at = (sizeof(struct file_header) + 4095) & ~(size_t)4095;

	for (int t = 0; t < TABLE__COUNT; t++) {
		size_t sets = 1;

		while (sets * WAYS < SLACK * (t == TABLE_GAUGE ? entries / 16 : entries))
			sets *= 2;
		c->sets_at[t] = at;
		c->sets[t] = sets;
		at += (sets * sizeof(struct set) + 4095) & ~(size_t)4095;
		c->bodies_at[t] = at;
		at += (sets * WAYS * body_bytes((enum table)t) + 4095) & ~(size_t)4095;
	}
	return at;
}

static struct set *set_at(const struct counters *c, enum table t, size_t i)
{
	return (struct set *)(void *)(c->map + c->sets_at[t]) + i;
}

static void *body_at(const struct counters *c, enum table t, size_t set, unsigned way)
{
	return c->map + c->bodies_at[t] + (set * WAYS + way) * body_bytes(t);
}

/* ---- opening ----------------------------------------------------------------------------------------------------------- */

static gh_rc make_locks(struct counters *c, struct gh_err *err)
{
	pthread_mutexattr_t attr;
	bool ok = !pthread_mutexattr_init(&attr) && !pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED)
		  && !pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);

	for (int t = 0; t < TABLE__COUNT && ok; t++)
		for (size_t i = 0; i < c->sets[t] && ok; i++)
			ok = !pthread_mutex_init(&set_at(c, (enum table)t, i)->lock, &attr);
	if (!ok)
		FAIL(err, INTERNAL, "counters: robust mutexes are not to be had");
	pthread_mutexattr_destroy(&attr);
	return GH_RC_OK;
}

/* Everything that the monotonic clock measures is void: only fixed windows stay. */
static void forget_boot(struct counters *c)
{
	for (size_t i = 0; i < c->sets[TABLE_PLAIN]; i++) {
		struct set *s = set_at(c, TABLE_PLAIN, i);

		for (unsigned w = 0; w < WAYS; w++) {
			const struct plain *p = body_at(c, TABLE_PLAIN, i, w);

			if (s->lo[w] && p->type != COUNTER_TYPE_FIXED && p->type != PLAIN_NOTE)
				s->lo[w] = 0;
			s->used[w] = 0;
		}
	}
}

enum file_fit { FILE_NEW, FILE_FITS, FILE_OTHER };

static enum file_fit fit(const struct counters *c, size_t bytes, size_t entries)
{
	struct file_header h = { 0 };
	struct stat st;

	if (fstat(c->fd, &st) < 0 || st.st_nlink == 0)
		return FILE_OTHER;
	if (st.st_size == 0)
		return FILE_NEW;
	return (size_t)st.st_size == bytes && pread(c->fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) && h.magic == COUNTER_MAGIC
			       && h.entries == entries
		       ? FILE_FITS
		       : FILE_OTHER;
}

static bool still_there(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

/* Opens and locks. A file of another size is taken away, never cut: others may have it mapped and go on with it. */
static gh_rc open_locked(struct counters *c, const char *path, size_t bytes, size_t entries, bool *fresh, struct gh_err *err)
{
	enum file_fit f = FILE_OTHER;
	int failed = 0;

	for (int tries = 0; tries < 100 && f == FILE_OTHER; tries++) {
		c->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
		if (c->fd < 0)
			FAIL(err, IO, "%s: %s", path, strerror(errno));
		while (flock(c->fd, LOCK_EX) < 0)
			if (errno != EINTR)
				FAIL(err, IO, "%s: %s", path, strerror(errno));
		f = fit(c, bytes, entries);
		if (f == FILE_OTHER && still_there(c->fd))
			unlink(path);
		if (f != FILE_OTHER)
			break;
		close(c->fd);
		c->fd = -1;
	}
	if (f == FILE_OTHER)
		FAIL(err, BUSY, "%s: others keep replacing it", path);
	*fresh = f == FILE_NEW;
	if (*fresh && (failed = posix_fallocate(c->fd, 0, (off_t)bytes))) {
		(void)!ftruncate(c->fd, 0);
		FAIL(err, IO, "%s: no room for %zu bytes: %s", path, bytes, strerror(failed));
	}
	return GH_RC_OK;
}

/* With the file lock held: a new file, or the first process since the boot, makes the locks. */
static gh_rc prepare(struct counters *c, size_t entries, bool fresh, struct gh_err *err)
{
	char boot[CLOCK_BOOT_ID_BYTES];
	struct file_header *h = c->header;

	if (!clock_boot_id(boot))
		FAIL(err, IO, "counters: the boot id cannot be read: %s", strerror(errno));
	if (!fresh && memcmp(h->boot, boot, sizeof(boot)) == 0)
		return GH_RC_OK;
	h->boot_us = c->wall_us();
	if (fresh)
		h->made_us = h->boot_us;
	if (!fresh) {
		forget_boot(c);
		memset(c->map + c->sets_at[TABLE_SLIDING], 0, c->sets[TABLE_SLIDING] * sizeof(struct set));
		memset(c->map + c->sets_at[TABLE_GAUGE], 0, c->sets[TABLE_GAUGE] * sizeof(struct set));
	}
	TRY(make_locks(c, err));
	if (fresh)
		randombytes_buf(h->secret, sizeof(h->secret));
	memcpy(h->boot, boot, sizeof(boot));
	h->entries = entries;
	atomic_thread_fence(memory_order_release);
	h->magic = COUNTER_MAGIC;
	return GH_RC_OK;
}

static bool slot_lock(int fd, unsigned slot, short type, int command, struct flock *l)
{
	*l = (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = SLOT_LOCKS_AT + slot, .l_len = 1 };
	return fcntl(fd, command, l) == 0;
}

/* With the slot's lock in hand nobody else can begin to use it. */
void counter_slot_clear_dead(struct counters *c, unsigned slot)
{
	struct flock l;

	if (slot == c->slot || !slot_lock(c->fd, slot, F_WRLCK, F_OFD_SETLK, &l))
		return;
	counter_gauges_clear(c, slot);
	slot_lock(c->fd, slot, F_UNLCK, F_OFD_SETLK, &l);
}

static gh_rc take_slot(struct counters *c, struct gh_err *err)
{
	struct flock l;

	for (c->slot = 0; c->slot < COUNTER_PROCESSES_MAX; c->slot++) {
		if (!slot_lock(c->fd, c->slot, F_WRLCK, F_OFD_SETLK, &l))
			continue;
		counter_gauges_clear(c, c->slot);
		return GH_RC_OK;
	}
	FAIL(err, LIMIT, "counters: more than %d processes", COUNTER_PROCESSES_MAX);
}

static gh_rc open_file(struct counters *c, const char *path, size_t entries, struct gh_err *err)
{
	size_t bytes = layout(entries, c);
	bool fresh;

	TRY(open_locked(c, path, bytes, entries, &fresh, err));
	c->map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	if (c->map == MAP_FAILED) {
		c->map = NULL;
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	}
	c->bytes = bytes;
	c->header = (void *)c->map;
	TRY(prepare(c, entries, fresh, err));
	TRY(take_slot(c, err));
	flock(c->fd, LOCK_UN);
	return GH_RC_OK;
}

gh_rc counters_open(const char *path, size_t entries, struct counters **out, struct gh_err *err)
{
	struct counters *c = calloc(1, sizeof(*c));
	gh_rc rc;

	if (!c || sodium_init() < 0) {
		free(c);
		FAIL(err, NOMEM, "counters: no memory");
	}
	c->fd = -1;
	c->slot = COUNTER_PROCESSES_MAX;
	c->mono_us = clock_mono_us;
	c->wall_us = clock_wall_us;
	rc = open_file(c, path, entries, err);
	if (rc.code) {
		counters_close(c);
		return rc;
	}
	*out = c;
	return rc;
}

void counters_close(struct counters *c)
{
	if (!c)
		return;
	if (c->map && c->slot < COUNTER_PROCESSES_MAX)
		counter_gauges_clear(c, c->slot);
	if (c->map)
		munmap(c->map, c->bytes);
	if (c->fd >= 0)
		close(c->fd);                        /* gives slot and file lock back */
	free(c);
}

gh_rc counters_flush(const char *path, struct gh_err *err)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), failed;

	if (fd < 0 && errno == ENOENT)
		return GH_RC_OK;
	if (fd < 0)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	failed = fdatasync(fd) < 0 ? errno : 0;
	close(fd);
	if (failed)
		FAIL(err, IO, "%s: %s", path, strerror(failed));
	return GH_RC_OK;
}

void counters_set_clocks(struct counters *c, int64_t (*mono_us)(void), int64_t (*wall_us)(void))
{
	c->mono_us = mono_us ? mono_us : clock_mono_us;
	c->wall_us = wall_us ? wall_us : clock_wall_us;
}

static struct counter_stats stats_in(const struct file_header *h)
{
	return (struct counter_stats){
		.entries = h->entries,
		.evicted = atomic_load(&h->evicted),
		.recovered = atomic_load(&h->recovered),
		.gauges_full = atomic_load(&h->gauges_full),
	};
}

struct counter_stats counter_stats(const struct counters *c)
{
	return stats_in(c->header);
}

gh_rc counter_stats_of(const char *path, struct counter_stats *out, bool *found, struct gh_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct file_header h = { 0 };
	ssize_t n;

	*found = false;
	if (fd < 0 && errno == ENOENT)
		return GH_RC_OK;
	if (fd < 0)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	n = pread(fd, &h, sizeof(h), 0);
	if (n < 0) {
		gh_rc rc = gh_err_set(err, GH_E_IO, __FILE__, __LINE__, "%s: %s", path, strerror(errno));

		close(fd);
		return rc;
	}
	close(fd);
	*found = (size_t)n == sizeof(h) && h.magic == COUNTER_MAGIC;
	*out = stats_in(&h);
	return GH_RC_OK;
}

/* ---- finding a counter, with its set locked ------------------------------------------------------------------------------ */

struct digest counter_digest(const struct counters *c, struct str key, uint32_t salt)
{
	union {
		struct digest d;
		unsigned char bytes[crypto_shorthash_siphashx24_BYTES];
	} out;

	crypto_shorthash_siphashx24(out.bytes, (const unsigned char *)key.p, key.n, c->header->secret);
	out.d.hi += (uint64_t)salt * 0x9E3779B97F4A7C15u;
	out.d.lo = (out.d.lo ^ salt) | 1;            /* 0 marks a free way */
	return out.d;
}

/* A holder that is preempted keeps us waiting for a turn of the scheduler, so spinning is worth only a moment. */
void counter_lock(struct counters *c, struct place *p)
{
	int rc = EBUSY;

	for (int i = 0; i < 100 && rc == EBUSY; i++)
		rc = pthread_mutex_trylock(&p->set->lock);
	if (rc == EBUSY)
		rc = pthread_mutex_lock(&p->set->lock);
	if (rc != EOWNERDEAD)
		return;
	for (unsigned w = 0; w < WAYS; w++)
		if (p->table == TABLE_SLIDING && p->set->lo[w])
			sliding_repair(body_at(c, p->table, p->index, w));
	pthread_mutex_consistent(&p->set->lock);
	atomic_fetch_add(&c->header->recovered, 1);
}

void counter_unlock(struct place *p)
{
	pthread_mutex_unlock(&p->set->lock);
}

struct place counter_place(struct counters *c, enum table t, struct digest d)
{
	struct place p = { .table = t, .digest = d, .index = (size_t)(d.hi & (c->sets[t] - 1)) };

	p.set = set_at(c, t, p.index);
	return p;
}

static bool counts_nothing(const struct counters *c, enum table t, const void *body, int64_t mono_us)
{
	switch (t) {
	case TABLE_SLIDING:
		return sliding_idle(body, mono_us);
	case TABLE_PLAIN:
		return plain_idle(body, mono_us, c->wall_us());
	default:
		return gauge_idle(body);
	}
}

static bool is_note(const struct counters *c, const struct place *p, unsigned w)
{
	return p->table == TABLE_PLAIN && ((const struct plain *)body_at(c, p->table, p->index, w))->type == PLAIN_NOTE;
}

size_t counter_notes(struct counters *c, const struct place *p)
{
	int64_t now = c->mono_us();
	size_t n = 0;

	for (unsigned w = 0; w < WAYS; w++)
		n += p->set->lo[w] && is_note(c, p, w) && !counts_nothing(c, p->table, body_at(c, p->table, p->index, w), now);
	return n;
}

/* A free way, else one that counts nothing any more, else the one used least recently. A gauge that counts stays: what is
 * inside must be able to leave. So does a note, of which there are never as many as ways. WAYS: there is none. */
static unsigned make_room(struct counters *c, const struct place *p, int64_t now)
{
	unsigned oldest = WAYS;

	for (unsigned w = 0; w < WAYS; w++) {
		if (!p->set->lo[w] || counts_nothing(c, p->table, body_at(c, p->table, p->index, w), now))
			return w;
		if (!is_note(c, p, w) && (oldest == WAYS || p->set->used[w] < p->set->used[oldest]))
			oldest = w;
	}
	if (p->table == TABLE_GAUGE)
		return WAYS;
	atomic_fetch_add(&c->header->evicted, 1);
	return oldest;
}

void *counter_find(struct counters *c, struct place *p, int64_t now, bool make)
{
	struct set *s = p->set;
	unsigned w;
	void *body;

	for (w = 0; w < WAYS; w++) {
		if (s->lo[w] != p->digest.lo || s->hi[w] != p->digest.hi)
			continue;
		s->used[w] = now;
		return body_at(c, p->table, p->index, w);
	}
	if (!make || (w = make_room(c, p, now)) == WAYS)
		return NULL;
	body = body_at(c, p->table, p->index, w);
	s->lo[w] = 0;
	atomic_signal_fence(memory_order_seq_cst);
	memset(body, 0, p->table == TABLE_SLIDING ? offsetof(struct sliding, runs) : body_bytes(p->table));
	s->hi[w] = p->digest.hi;
	s->used[w] = now;
	atomic_signal_fence(memory_order_seq_cst);
	s->lo[w] = p->digest.lo;
	return body;
}
