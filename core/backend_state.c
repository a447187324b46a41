#include "core/backend_state_impl.h"

#include "core/crypto.h"
#include "core/str.h"
#include "core/traffic_rule.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* LOOKS: places that one key may have, so that nobody ever walks the whole table. TOUCH_US: how exactly it is known when a place was
 * last used; reading is shared between processors, writing is not. */
enum { DOUBLINGS_MAX = 16, TRIES = 100, LOOKS = 64, TOUCH_US = 10000000 };
enum { KEY_FREE = 0, KEY_BEING_CLEANED = 2 };        /* keys are odd */

/* ---- the file ---------------------------------------------------------------------------------------------------------- */

static bool fits(int fd, const char boot[CLOCK_BOOT_ID_BYTES])
{
	struct { uint64_t magic; char boot[CLOCK_BOOT_ID_BYTES]; } head;
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink > 0 && st.st_size == (off_t)sizeof(struct file)
	       && pread(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head) && head.magic == STATES_MAGIC
	       && memcmp(head.boot, boot, sizeof(head.boot)) == 0;
}

/* With the lock in hand. Blocks are taken now: a full disk is an error here and no SIGBUS later. */
static gh_rc begin(int fd, const char *path, const char boot[CLOCK_BOOT_ID_BYTES], struct gh_err *err)
{
	struct { uint64_t magic; char boot[CLOCK_BOOT_ID_BYTES]; } head = { .magic = STATES_MAGIC };
	int failed = posix_fallocate(fd, 0, sizeof(struct file));

	memcpy(head.boot, boot, sizeof(head.boot));
	if (failed || pwrite(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head))
		FAIL(err, IO, "%s: no room for %zu bytes: %s", path, sizeof(struct file), strerror(failed ? failed : errno));
	return GH_RC_OK;
}

/* A file that does not fit is taken away, never cut: others may have it mapped. */
static gh_rc open_file(const char *path, bool make, int *out, struct gh_err *err)
{
	char boot[CLOCK_BOOT_ID_BYTES];
	struct stat st;
	int fd;

	if (!clock_boot_id(boot))
		FAIL(err, IO, "%s: the boot id cannot be read: %s", path, strerror(errno));
	for (int i = 0; i < TRIES; i++) {
		fd = open(path, O_RDWR | O_CLOEXEC | (make ? O_CREAT : 0), 0640);
		if (fd < 0)
			FAIL(err, NOT_FOUND, "%s: %s", path, strerror(errno));
		while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
			;
		if (fits(fd, boot) || (make && fstat(fd, &st) == 0 && st.st_nlink > 0 && st.st_size == 0)) {
			gh_rc rc = fits(fd, boot) ? GH_RC_OK : begin(fd, path, boot, err);

			flock(fd, LOCK_UN);
			*out = fd;
			return rc;
		}
		if (make && fstat(fd, &st) == 0 && st.st_nlink > 0)
			unlink(path);
		close(fd);
		if (!make)
			FAIL(err, NOT_FOUND, "%s is from another boot or version", path);
	}
	FAIL(err, BUSY, "%s: others keep replacing it", path);
}

gh_rc backend_states_open(const char *path, bool make, struct backend_states **out, struct gh_err *err)
{
	struct backend_states *s = calloc(1, sizeof(*s));
	int fd = -1;
	gh_rc rc;

	if (!s)
		FAIL(err, NOMEM, "%s: no memory", path);
	rc = open_file(path, make, &fd, err);
	if (!rc.code) {
		s->file = mmap(NULL, sizeof(struct file), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (s->file == MAP_FAILED)
			rc = gh_err_set(err, GH_E_IO, __FILE__, __LINE__, "%s: %s", path, strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	if (rc.code)
		free(s);
	else
		*out = s;
	return rc;
}

void backend_states_close(struct backend_states *s)
{
	if (!s)
		return;
	munmap(s->file, sizeof(struct file));
	free(s->slots);
	free(s);
}

uint64_t backend_state_key(struct str id)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];
	uint64_t key;

	crypto_sha256(id, digest);
	memcpy(&key, digest, sizeof(key));
	return key | 1;                      /* 0 is a free slot */
}

/* The places of a key: as if drawn by lot, so that a table that is nearly full has one for nearly all. */
static struct backend_slot *place(struct backend_states *s, uint64_t key, unsigned look)
{
	return &s->file->slots[(key / 2 + look * (key >> 32 | 1)) % BACKEND_STATES_MAX];
}

struct backend_slot *backend_slot_find(struct backend_states *s, uint64_t key)
{
	for (unsigned i = 0; s && i < LOOKS; i++) {
		struct backend_slot *x = place(s, key, i);
		uint64_t is = atomic_load_explicit(&x->key, memory_order_acquire);

		if (is == key)
			return x;
		if (is == KEY_FREE)
			return NULL;
	}
	return NULL;
}

static void touch(struct backend_slot *x, int64_t now)
{
	if (now - atomic_load_explicit(&x->used, memory_order_relaxed) > TOUCH_US)
		atomic_store_explicit(&x->used, now, memory_order_relaxed);
}

/* Nobody has had to do with it for long. One whose breaker is open is waited for. */
static bool is_gone(struct backend_slot *x, int64_t now)
{
	return now - atomic_load_explicit(&x->used, memory_order_relaxed) > BACKEND_GONE_US && atomic_load(&x->breaker.until) <= now;
}

/* False: somebody was faster. A process that dies in the middle leaves a place that is gone later. */
static bool take_over(struct backend_slot *x, uint64_t was, uint64_t key, int64_t now)
{
	if (!atomic_compare_exchange_strong(&x->key, &was, KEY_BEING_CLEANED))
		return false;
	atomic_store(&x->used, now);
	memset((char *)x + offsetof(struct backend_slot, breaker), 0, sizeof(*x) - offsetof(struct backend_slot, breaker));
	atomic_store_explicit(&x->key, key, memory_order_release);
	return true;
}

/* Two processes that take over two places for one key at the same moment agree when they look again: the first of them is found. */
struct backend_slot *backend_slot(struct backend_states *s, uint64_t key, int64_t now)
{
	struct backend_slot *gone = NULL;
	uint64_t was = 0;

	for (unsigned i = 0; s && i < LOOKS; i++) {
		struct backend_slot *x = place(s, key, i);
		uint64_t is = atomic_load_explicit(&x->key, memory_order_acquire);

		if (is == KEY_FREE) {
			touch(x, now);       /* first, so that it never looks unused */
			if (atomic_compare_exchange_strong(&x->key, &is, key)) {
				atomic_fetch_add(&s->file->used, 1);
				return x;
			}
		}                            /* else is is what somebody made of it */
		if (is == key) {
			touch(x, now);
			return x;
		}
		if (!gone && is_gone(x, now)) {
			gone = x;
			was = is;
		}
	}
	return gone && take_over(gone, was, key, now) ? gone : NULL;
}

bool backend_slot_is(const struct backend_slot *x, uint64_t key)
{
	return atomic_load_explicit(&x->key, memory_order_relaxed) == key;
}

/* ---- a gate ------------------------------------------------------------------------------------------------------------ */

static enum backend_gate gate_state(const struct gate *g, int64_t now, int64_t *left_us)
{
	int64_t until = atomic_load_explicit(&g->until, memory_order_acquire), probe;

	*left_us = 0;
	if (!until)
		return BACKEND_PASS;
	probe = atomic_load_explicit(&g->probe, memory_order_acquire);
	if (until > now)
		*left_us = until - now;
	else if (probe > now)
		*left_us = 1;                /* the probe may end at any moment */
	return *left_us ? BACKEND_SHUT : BACKEND_PROBE;
}

static bool gate_claim(struct gate *g, int64_t now)
{
	int64_t probe = atomic_load(&g->probe), until = atomic_load(&g->until);

	return until && until <= now && probe <= now && atomic_compare_exchange_strong(&g->probe, &probe, now + BACKEND_PROBE_US);
}

/* ---- circuit breaker --------------------------------------------------------------------------------------------------- */

void backend_clear_window(struct backend_slot *s)
{
	for (int i = 0; i < PARTS; i++) {
		atomic_store(&s->failed[i], 0);
		atomic_store(&s->all[i], 0);
	}
}

/* What was counted for another rule says nothing about this one. */
static void adopt(struct backend_slot *s, const struct breaker_rule *r)
{
	uint32_t old = atomic_load_explicit(&s->print, memory_order_relaxed);

	if (old == r->print || !atomic_compare_exchange_strong(&s->print, &old, r->print))
		return;
	backend_clear_window(s);
	backend_gate_set(&s->breaker, 0);
}

static uint32_t part_of(const struct breaker_rule *r, int64_t now)
{
	return (uint32_t)(now / (r->interval_us / PARTS));
}

static void count(_Atomic uint64_t v[PARTS], uint32_t part)
{
	_Atomic uint64_t *w = &v[part % PARTS];
	uint64_t old = atomic_load(w);

	while (!atomic_compare_exchange_weak(w, &old, (uint32_t)(old >> 32) == part ? old + 1 : (uint64_t)part << 32 | 1)) {
	}
}

static uint64_t sum(_Atomic uint64_t v[PARTS], uint32_t part)
{
	uint64_t n = 0;

	for (int i = 0; i < PARTS; i++) {
		uint64_t w = atomic_load(&v[i]);

		if (part - (uint32_t)(w >> 32) < PARTS)
			n += (uint32_t)w;
	}
	return n;
}

enum backend_gate breaker_state(struct backend_slot *s, const struct breaker_rule *r, int64_t now, int64_t *left_us)
{
	*left_us = 0;
	if (!s)
		return BACKEND_PASS;
	adopt(s, r);
	return gate_state(&s->breaker, now, left_us);
}

bool breaker_claim(struct backend_slot *s, int64_t now)
{
	return gate_claim(&s->breaker, now);
}

void breaker_wait(struct backend_slot *s, int64_t until)
{
	atomic_store(&s->breaker.probe, until);
}

void breaker_release(struct backend_slot *s)
{
	atomic_store(&s->breaker.probe, 0);
}

static bool is_enough(struct backend_slot *s, const struct breaker_rule *r, uint32_t part)
{
	uint64_t failed = sum(s->failed, part), all;

	if (r->count)
		return failed >= r->count;
	all = sum(s->all, part);
	return all >= r->least_calls && failed * 100 >= all * r->percentage;
}

bool breaker_tell(struct backend_slot *s, const struct breaker_rule *r, bool failed, bool probe, int64_t trip_us, int64_t now)
{
	uint32_t part = part_of(r, now);
	int64_t closed = 0, until = now + (trip_us ? trip_us : r->trip_us);

	if (!s)
		return false;
	adopt(s, r);
	if (probe) {
		if (!failed)
			backend_clear_window(s);
		backend_gate_set(&s->breaker, failed ? until : 0);
		if (failed)
			atomic_fetch_add(&s->trips, 1);
		backend_has_news(s, BACKEND_PART_BREAKER);
		return failed;
	}
	if (r->percentage)
		count(s->all, part);
	if (!failed)
		return false;
	count(s->failed, part);
	if (!is_enough(s, r, part) || !atomic_compare_exchange_strong(&s->breaker.until, &closed, until))
		return false;
	atomic_fetch_add(&s->trips, 1);
	backend_has_news(s, BACKEND_PART_BREAKER);
	return true;
}

/* ---- ejection ---------------------------------------------------------------------------------------------------------- */

enum backend_gate eject_state(struct backend_slot *s, int64_t now)
{
	int64_t left;

	return s ? gate_state(&s->eject, now, &left) : BACKEND_PASS;
}

bool eject_claim(struct backend_slot *s, int64_t now)
{
	return gate_claim(&s->eject, now);
}

void eject_release(struct backend_slot *s)
{
	atomic_store(&s->eject.probe, 0);
}

bool eject_tell(struct backend_slot *s, bool failed, bool probe, int64_t first_us, int64_t most_us, int64_t now)
{
	int64_t until, pause;
	uint32_t level;

	if (!s)
		return false;
	until = atomic_load(&s->eject.until);
	level = atomic_load(&s->level);
	if (!failed) {
		if (until || level) {
			atomic_store(&s->level, 0);
			backend_gate_set(&s->eject, 0);
			backend_has_news(s, BACKEND_PART_EJECTION);
		}
		return false;
	}
	/* many calls fail at once when a node dies: that is one failure */
	if (until > now && !probe)
		return false;
	pause = first_us << (level < DOUBLINGS_MAX ? level : DOUBLINGS_MAX);
	if (!atomic_compare_exchange_strong(&s->eject.until, &until, now + (pause < most_us ? pause : most_us)))
		return false;
	atomic_store(&s->level, level + 1);
	atomic_fetch_add(&s->ejections, 1);
	atomic_store(&s->eject.probe, 0);
	backend_has_news(s, BACKEND_PART_EJECTION);
	return true;
}

/* ---- health ------------------------------------------------------------------------------------------------------------ */

void health_tell(struct backend_slot *s, enum backend_health h, int status, int64_t believed_us)
{
	if (!s)
		return;
	atomic_store(&s->health_status, (uint32_t)status);
	atomic_store(&s->health_until, believed_us);
	atomic_store(&s->health, (uint32_t)h);
	backend_has_news(s, BACKEND_PART_HEALTH);
}

enum backend_health health_state(struct backend_slot *s, int64_t now)
{
	uint32_t h = s ? atomic_load_explicit(&s->health, memory_order_relaxed) : BACKEND_UNKNOWN;

	if (h && atomic_load_explicit(&s->health_until, memory_order_relaxed) > now)
		return (enum backend_health)h;
	h = s ? atomic_load_explicit(&s->far_health, memory_order_relaxed) : BACKEND_UNKNOWN;
	return h && atomic_load_explicit(&s->far_health_until, memory_order_relaxed) > now ? (enum backend_health)h : BACKEND_UNKNOWN;
}

/* ---- canaries ---------------------------------------------------------------------------------------------------------- */

static uint64_t key_of(const char *what, struct str place)
{
	struct arena *a = arena_new(4096);
	struct str text = a ? arena_printf(a, "%s:%.*s", what, STR_ARG(place)) : STR_NULL;
	uint64_t key = backend_state_key(text.p ? text : place);

	arena_free(a);
	return key;
}

/* No id of a backend holds a line break. */
uint64_t canary_key(struct str place, bool canary)
{
	return key_of(canary ? "\ncanary" : "\nstable", place);
}

uint64_t mirror_key(struct str place)
{
	return key_of("\nmirror", place);
}

bool canary_is_back(struct backend_slot *canary, const struct canary_rule *r)
{
	return canary && r->watched && atomic_load_explicit(&canary->print, memory_order_relaxed) == r->watch.print
	       && atomic_load_explicit(&canary->breaker.until, memory_order_acquire) != 0;
}

/* Against the others it is judged once there are enough of them too. */
static bool is_worse(struct backend_slot *canary, struct backend_slot *stable, const struct canary_rule *r, uint32_t part)
{
	uint64_t failed = sum(canary->failed, part), all = sum(canary->all, part), others;

	if (all < r->watch.least_calls)
		return false;
	if (!r->against_stable)
		return failed * 100 > all * r->watch.percentage;
	others = stable ? sum(stable->all, part) : 0;
	if (others < r->watch.least_calls)
		return false;
	return failed * 100 * others > (sum(stable->failed, part) * 100 + others * r->watch.percentage) * all;
}

bool canary_tell(struct backend_slot *canary, struct backend_slot *stable, const struct canary_rule *r, bool on_canary, bool failed,
		 int64_t now)
{
	struct backend_slot *mine = on_canary ? canary : stable;
	uint32_t part = part_of(&r->watch, now);
	int64_t running = 0;

	if (!mine)
		return false;
	adopt(mine, &r->watch);
	count(mine->all, part);
	if (failed)
		count(mine->failed, part);
	if (!on_canary || !failed || !r->watched || !is_worse(canary, stable, r, part))
		return false;
	if (!atomic_compare_exchange_strong(&canary->breaker.until, &running, now))
		return false;
	atomic_fetch_add(&canary->trips, 1);
	return true;
}

void canary_look(struct backend_slot *canary, struct backend_slot *stable, const struct canary_rule *r, int64_t now, struct canary_view *out)
{
	struct backend_slot *sides[] = { stable, canary };
	uint32_t part = part_of(&r->watch, now);

	*out = (struct canary_view){ .back = canary_is_back(canary, r) };
	for (int i = 0; i < 2; i++) {
		if (!sides[i] || atomic_load(&sides[i]->print) != r->watch.print)
			continue;
		out->calls[i] = sum(sides[i]->all, part);
		out->failed[i] = sum(sides[i]->failed, part);
	}
}

/* ---- mirrors ------------------------------------------------------------------------------------------------------------ */

void mirror_count(struct backend_slot *s, enum mirror_outcome what)
{
	if (s)
		atomic_fetch_add_explicit(&s->copies[what], 1, memory_order_relaxed);
}

void mirror_look(struct backend_slot *s, uint64_t out[MIRROR__COUNT])
{
	for (int i = 0; i < MIRROR__COUNT; i++)
		out[i] = s ? atomic_load(&s->copies[i]) : 0;
}

/* ---- looking ----------------------------------------------------------------------------------------------------------- */

void backend_look(struct backend_slot *s, const struct breaker_rule *rule, int64_t now, struct backend_view *out)
{
	*out = (struct backend_view){ 0 };
	if (!s)
		return;
	/* without adopting the rule: looking changes nothing */
	if (rule && atomic_load(&s->print) == rule->print) {
		out->breaker = gate_state(&s->breaker, now, &out->breaker_left_us);
		if (out->breaker == BACKEND_SHUT && atomic_load(&s->breaker.until) <= now)
			out->breaker = BACKEND_PROBE;        /* half-open, the probe is under way */
	}
	out->ejection = gate_state(&s->eject, now, &out->ejected_left_us);
	out->trips = atomic_load(&s->trips);
	out->ejections = atomic_load(&s->ejections);
	out->health = health_state(s, now);
	out->health_status = (int)atomic_load(&s->health_status);
}
