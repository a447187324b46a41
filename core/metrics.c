#include "core/metrics.h"

#include "core/shared_file.h"
#include "core/str.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PLACE_FREE, PLACE_CLAIMED, PLACE_READY };
enum { SLACK = 2, CLAIM_SPINS = 1000, PAGE = 4096 };
#define METRICS_MAGIC UINT64_C(0x31304d4554484721)

struct file_header {
	struct shared_file_head head;        /* size: how many series there may be */
	_Atomic uint64_t used, overflow;
};

struct place {
	_Atomic uint32_t state;
	uint32_t key_n;
	uint64_t hash;
	_Atomic uint64_t count, sum, least, greatest;        /* the last three: bits of a double */
	_Atomic int64_t changed_us;
	char key[METRIC_KEY_MAX];            /* namespace, name, then name and value of each dimension, a zero byte behind each */
};

struct metrics {
	size_t bytes, n;
	struct file_header *header;
	struct place *places;
};

static size_t file_bytes(size_t series)
{
	return PAGE + series * SLACK * sizeof(struct place);
}

/* ---- opening ----------------------------------------------------------------------------------------------------------- */

gh_rc metrics_open(const char *path, size_t series, struct metrics **out, struct gh_err *err)
{
	const struct shared_file_head head = { .magic = METRICS_MAGIC, .size = series };
	struct metrics *m = calloc(1, sizeof(*m));
	void *map;
	gh_rc rc;

	if (!m)
		FAIL(err, NOMEM, "no memory for metrics");
	m->n = series * SLACK;
	m->bytes = file_bytes(series);
	rc = shared_file_map(path, &head, m->bytes, NULL, &map, err);
	if (rc.code) {
		free(m);
		return rc;
	}
	m->header = map;
	m->places = (void *)((char *)map + PAGE);
	*out = m;
	return rc;
}

void metrics_close(struct metrics *m)
{
	if (!m)
		return;
	munmap(m->header, m->bytes);
	free(m);
}

/* ---- adding ------------------------------------------------------------------------------------------------------------ */

static double of_bits(uint64_t bits)
{
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

static uint64_t bits_of(double d)
{
	uint64_t bits;

	memcpy(&bits, &d, sizeof(bits));
	return bits;
}

/* A zero byte ends each text: one inside would make two series look alike. */
static bool put_text(char key[METRIC_KEY_MAX], size_t *n, struct str s)
{
	if (s.n >= METRIC_KEY_MAX - *n || (s.n && memchr(s.p, 0, s.n)))
		return false;
	if (s.n)
		memcpy(key + *n, s.p, s.n);
	*n += s.n;
	key[(*n)++] = '\0';
	return true;
}

static bool make_key(char key[METRIC_KEY_MAX], size_t *n, struct str ns, struct str name, const struct metric_label *labels,
		     size_t n_labels)
{
	bool ok;

	*n = 0;
	ok = n_labels <= METRIC_LABELS_MAX && put_text(key, n, ns) && put_text(key, n, name);
	for (size_t i = 0; ok && i < n_labels; i++)
		ok = put_text(key, n, labels[i].name) && put_text(key, n, labels[i].value);
	return ok;
}

static bool is_of(const struct place *p, uint64_t hash, struct str key)
{
	return p->hash == hash && p->key_n == key.n && memcmp(p->key, key.p, key.n) == 0;
}

/* Somebody else writes its key now; that takes well under a microsecond, unless he died. */
static uint32_t settled(struct place *p)
{
	uint32_t state = atomic_load_explicit(&p->state, memory_order_acquire);

	for (int i = 0; state == PLACE_CLAIMED && i < CLAIM_SPINS; i++)
		state = atomic_load_explicit(&p->state, memory_order_acquire);
	return state;
}

static bool claim(struct metrics *m, struct place *p, uint64_t hash, struct str key)
{
	uint32_t state = PLACE_FREE;

	if (atomic_load_explicit(&m->header->used, memory_order_relaxed) >= m->header->head.size
	    || !atomic_compare_exchange_strong_explicit(&p->state, &state, PLACE_CLAIMED, memory_order_acquire, memory_order_acquire))
		return false;
	atomic_fetch_add_explicit(&m->header->used, 1, memory_order_relaxed);
	p->hash = hash;
	p->key_n = (uint32_t)key.n;
	memcpy(p->key, key.p, key.n);
	atomic_store_explicit(&p->least, bits_of(INFINITY), memory_order_relaxed);
	atomic_store_explicit(&p->greatest, bits_of(-INFINITY), memory_order_relaxed);
	atomic_store_explicit(&p->state, PLACE_READY, memory_order_release);
	return true;
}

static struct place *find(struct metrics *m, struct str key)
{
	uint64_t hash = str_hash(key);

	for (size_t i = 0; i < m->n; i++) {
		struct place *p = &m->places[(hash + i) % m->n];
		uint32_t state = settled(p);

		if (state == PLACE_FREE) {
			if (claim(m, p, hash, key))
				return p;
			state = settled(p);
			if (state == PLACE_FREE)
				return NULL;         /* full */
		}
		if (state == PLACE_READY && is_of(p, hash, key))
			return p;
	}
	return NULL;
}

static void change(_Atomic uint64_t *at, double v, double (*with)(double, double))
{
	uint64_t old = atomic_load_explicit(at, memory_order_relaxed);

	while (!atomic_compare_exchange_weak_explicit(at, &old, bits_of(with(of_bits(old), v)), memory_order_relaxed,
						      memory_order_relaxed)) {
	}
}

static double add(double a, double b)
{
	return a + b;
}

bool metrics_add(struct metrics *m, struct str ns, struct str name, const struct metric_label *labels, size_t n, double value,
		 int64_t now_us)
{
	char key[METRIC_KEY_MAX];
	struct place *p = NULL;
	size_t key_n;

	if (!isfinite(value))
		return false;
	if (make_key(key, &key_n, ns, name, labels, n))
		p = find(m, (struct str){ key, key_n });
	if (!p) {
		atomic_fetch_add_explicit(&m->header->overflow, 1, memory_order_relaxed);
		return false;
	}
	change(&p->sum, value, add);
	change(&p->least, value, fmin);
	change(&p->greatest, value, fmax);
	atomic_store_explicit(&p->changed_us, now_us, memory_order_relaxed);
	atomic_fetch_add_explicit(&p->count, 1, memory_order_release);
	return true;
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

static bool take_text(struct str *rest, struct str *out)
{
	size_t end = str_find_char(*rest, '\0');

	if (end == SIZE_MAX)
		return false;
	*out = str_first(*rest, end);
	*rest = str_from(*rest, end + 1);
	return true;
}

static bool read_key(struct str key, struct metric_series *out)
{
	struct metric_label *l = out->labels;

	if (!take_text(&key, &out->ns) || !take_text(&key, &out->name))
		return false;
	for (; key.n && out->n_labels < METRIC_LABELS_MAX; out->n_labels++, l++)
		if (!take_text(&key, &l->name) || !take_text(&key, &l->value))
			return false;
	return !key.n;
}

static int by_key(const void *a, const void *b)
{
	const struct metric_series *x = a, *y = b;
	int order = str_cmp(x->ns, y->ns);

	if (!order)
		order = str_cmp(x->name, y->name);
	for (size_t i = 0; !order && i < x->n_labels && i < y->n_labels; i++) {
		order = str_cmp(x->labels[i].name, y->labels[i].name);
		if (!order)
			order = str_cmp(x->labels[i].value, y->labels[i].value);
	}
	return order ? order : (x->n_labels > y->n_labels) - (x->n_labels < y->n_labels);
}

/* Two processes that claimed a place for the same key in the same moment are one series. */
static void merge(struct metrics_state *s)
{
	size_t kept = 0;

	qsort(s->v, s->n, sizeof(*s->v), by_key);
	for (size_t i = 0; i < s->n; i++) {
		struct metric_series *last = kept ? &s->v[kept - 1] : NULL;

		if (!last || by_key(last, &s->v[i]) != 0) {
			s->v[kept++] = s->v[i];
			continue;
		}
		last->count += s->v[i].count;
		last->sum += s->v[i].sum;
		last->least = fmin(last->least, s->v[i].least);
		last->greatest = fmax(last->greatest, s->v[i].greatest);
		if (s->v[i].changed_us > last->changed_us)
			last->changed_us = s->v[i].changed_us;
	}
	s->n = kept;
}

static gh_rc read_places(struct arena *a, const struct file_header *h, struct place *places, struct metrics_state *out,
			 struct gh_err *err)
{
	size_t n = (size_t)h->head.size * SLACK;

	*out = (struct metrics_state){ .room = (size_t)h->head.size, .overflow = atomic_load(&h->overflow) };
	out->v = arena_alloc(a, n, sizeof(*out->v));
	if (!out->v)
		FAIL(err, NOMEM, "no memory for metrics");
	for (size_t i = 0; i < n; i++) {
		struct place *p = &places[i];
		struct metric_series *s = &out->v[out->n];
		struct str key;

		if (settled(p) != PLACE_READY)
			continue;
		*s = (struct metric_series){ .count = atomic_load_explicit(&p->count, memory_order_acquire) };
		key = arena_dup(a, (struct str){ p->key, p->key_n <= METRIC_KEY_MAX ? p->key_n : 0 });
		if (!key.p)
			FAIL(err, NOMEM, "no memory for metrics");
		s->sum = of_bits(atomic_load(&p->sum));
		s->least = of_bits(atomic_load(&p->least));
		s->greatest = of_bits(atomic_load(&p->greatest));
		s->changed_us = atomic_load(&p->changed_us);
		if (s->count && read_key(key, s))
			out->n++;
	}
	merge(out);
	return GH_RC_OK;
}

gh_rc metrics_read(struct arena *a, const char *path, struct metrics_state *out, struct gh_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct file_header h = { 0 };
	struct stat st;
	void *map;
	gh_rc rc;

	if (fd < 0 && errno == ENOENT)
		FAIL(err, NOT_FOUND, "%s is not there: no gateway has counted anything yet", path);
	if (fd < 0)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || pread(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h) || h.head.magic != METRICS_MAGIC
	    || h.head.size > SIZE_MAX / SLACK / sizeof(struct place) / 2 || (size_t)st.st_size != file_bytes((size_t)h.head.size)) {
		close(fd);
		FAIL(err, SYNTAX, "%s holds no metrics of this version", path);
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	rc = read_places(a, map, (void *)((char *)map + PAGE), out, err);
	munmap(map, (size_t)st.st_size);
	return rc;
}
