/* telemetry_read.c - the reader's side, and what is the same for all readers: names and JSON. */
#include "core/buf.h"
#include "core/clock.h"
#include "core/str.h"
#include "core/telemetry_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct segment {
	int fd;
	const unsigned char *map;
	const struct segment_header *header;
	size_t bytes;
	unsigned texts;                      /* of a record: those of its version */
	uint64_t serial;
	uint32_t mark;
	bool released;
	bool finished;
};

enum { SEGMENTS_MAX = 1 << 20 };

static int by_name(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static gh_rc keep_name(struct arena *a, const char *name, struct str **names, size_t *n, size_t *cap, struct gh_err *err)
{
	struct str copy = arena_dup(a, str_of(name));

	if (*n == *cap) {
		struct str *more = arena_alloc(a, *cap ? 2 * *cap : 64, sizeof(*more));

		if (!more)
			FAIL(err, NOMEM, "too many segments");
		if (*n)
			memcpy(more, *names, *n * sizeof(*more));
		*names = more;
		*cap = *cap ? 2 * *cap : 64;
	}
	if (!copy.p || *n == SEGMENTS_MAX)
		FAIL(err, NOMEM, "too many segments");
	(*names)[(*n)++] = copy;
	return GH_RC_OK;
}

gh_rc segments_list(struct arena *a, const char *dir, struct str **names, size_t *n, struct gh_err *err)
{
	DIR *d = opendir(dir);
	gh_rc rc = GH_RC_OK;
	struct dirent *e;
	size_t cap = 0;

	*names = NULL;
	*n = 0;
	if (!d && errno == ENOENT)
		return rc;
	if (!d)
		FAIL(err, IO, "%s: %s", dir, strerror(errno));
	while (!rc.code && (e = readdir(d)))
		if (str_ends(str_of(e->d_name), STR(".seg")) && strlen(e->d_name) < SEGMENT_NAME_MAX)
			rc = keep_name(a, e->d_name, names, n, &cap, err);
	closedir(d);
	if (*n)
		qsort(*names, *n, sizeof(**names), by_name);
	return rc;
}

static gh_rc path_of(const char *dir, struct str name, char out[4096], struct gh_err *err)
{
	if (snprintf(out, 4096, "%s/%.*s", dir, STR_ARG(name)) >= 4096)
		FAIL(err, INVALID, "%.60s...: path is too long", dir);
	return GH_RC_OK;
}

static gh_rc map_file(struct segment *s, const char *path, struct gh_err *err)
{
	struct stat st;
	void *p;

	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0 && errno == ENOENT)
		FAIL(err, NOT_FOUND, "%s: %s", path, strerror(errno));
	if (s->fd < 0 || fstat(s->fd, &st) < 0)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	if (st.st_size < SEGMENT_HEADER_BYTES)
		FAIL(err, SYNTAX, "%s: too short for a telemetry segment", path);
	s->bytes = (size_t)st.st_size;
	p = mmap(NULL, s->bytes, PROT_READ, MAP_SHARED, s->fd, 0);
	if (p == MAP_FAILED)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	s->map = p;
	s->header = p;
	if (s->header->magic != SEGMENT_MAGIC || s->header->bytes != s->bytes)
		FAIL(err, SYNTAX, "%s: not a telemetry segment", path);
	if (s->header->version != SEGMENT_VERSION && s->header->version != SEGMENT_VERSION_BEFORE)
		FAIL(err, SYNTAX, "%s: a telemetry segment of version %u, this program reads %d and %d", path, s->header->version,
		     SEGMENT_VERSION_BEFORE, SEGMENT_VERSION);
	s->released = atomic_load(&s->header->released);     /* before the serial number: is_anew */
	s->serial = atomic_load(&s->header->serial);
	s->mark = atomic_load(&s->header->mark);
	s->texts = s->header->version == SEGMENT_VERSION ? TELEMETRY_TEXT__ALL : TELEMETRY_TEXT__COUNT;
	return GH_RC_OK;
}

/* Was its file taken for another one between the look-up of the name and now? The name ends in one less than the serial number. The writer
 * changes that before it takes the release back: so what was not released a moment ago and still has its number is not used again
 * before the keeper releases it. */
static bool is_anew(const struct segment *s, struct str name)
{
	struct str number = name;
	uint64_t made;

	number = str_first(number, number.n > 4 ? number.n - 4 : 0);     /* ".seg" */
	number = str_from(number, str_rfind_char(number, '-') + 1);
	return s->serial && str_to_u64(number, UINT32_MAX, &made) && made + 1 != s->serial;
}

gh_rc segment_open(const char *dir, struct str name, struct segment **out, struct gh_err *err)
{
	char path[4096];
	struct segment *s;
	gh_rc rc;

	TRY(path_of(dir, name, path, err));
	s = calloc(1, sizeof(*s));
	if (!s)
		FAIL(err, NOMEM, "%s: no memory", path);
	s->fd = -1;
	rc = map_file(s, path, err);
	if (!rc.code && is_anew(s, name))
		rc = segment_left(s) ? gh_err_set(err, GH_E_SYNTAX, __FILE__, __LINE__, "%s: the header is of an earlier segment (a power cut)", path)
				     : gh_err_set(err, GH_E_NOT_FOUND, __FILE__, __LINE__, "%s: used again meanwhile", path);
	if (rc.code) {
		segment_close(s);
		return rc;
	}
	*out = s;
	return rc;
}

void segment_close(struct segment *s)
{
	if (!s)
		return;
	if (s->map)
		munmap((void *)(uintptr_t)s->map, s->bytes);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

bool segment_released(const struct segment *s)
{
	return s->released;
}

/* Its writer uses the file for other records by now. */
static bool is_another(const struct segment *s)
{
	return atomic_load(&s->header->serial) != s->serial;
}

uint64_t segment_committed(const struct segment *s)
{
	uint64_t n = atomic_load_explicit(&s->header->committed, memory_order_acquire);

	if (is_another(s))
		return 0;
	return n < s->bytes - SEGMENT_HEADER_BYTES ? n : s->bytes - SEGMENT_HEADER_BYTES;
}

bool segment_left(const struct segment *s)
{
	if (flock(s->fd, LOCK_SH | LOCK_NB) < 0)
		return false;
	flock(s->fd, LOCK_UN);
	return true;
}

bool segment_finished(struct segment *s)
{
	if (s->finished || atomic_load_explicit(&s->header->finished, memory_order_acquire) || is_another(s))
		return s->finished = true;
	return s->finished = segment_left(s);
}

uint64_t segment_dropped(const struct segment *s)
{
	return atomic_load_explicit(&s->header->dropped, memory_order_relaxed);
}

gh_rc segment_remove(const char *dir, struct str name, struct gh_err *err)
{
	char path[4096];

	TRY(path_of(dir, name, path, err));
	if (unlink(path) < 0 && errno != ENOENT)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	return GH_RC_OK;
}

static bool segments_followed(const char *dir)
{
	char path[4096];
	bool held;
	int fd;

	if (path_of(dir, STR(SEGMENT_FOLLOWERS), path, NULL).code || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return errno != ENOENT;              /* not to be known: maybe */
	held = flock(fd, LOCK_EX | LOCK_NB) < 0;
	close(fd);
	return held;
}

/* A file whose lock is held by its writer, and that nobody follows, is the writer's again. */
static bool give_back(const char *dir, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	bool given = false;
	void *p;

	if (fd < 0)
		return false;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0 && !segments_followed(dir)) {
		p = mmap(NULL, SEGMENT_HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (p != MAP_FAILED) {
			atomic_store(&((struct segment_header *)p)->released, 1);
			munmap(p, SEGMENT_HEADER_BYTES);
			given = true;
		}
	}
	close(fd);
	return given;
}

gh_rc segment_release(const char *dir, struct str name, struct gh_err *err)
{
	char path[4096];

	TRY(path_of(dir, name, path, err));
	return give_back(dir, path) ? GH_RC_OK : segment_remove(dir, name, err);
}

/* ---- following -------------------------------------------------------------------------------------------------------------- */

int segments_follow(const char *dir)
{
	char path[4096];
	int fd;

	if (path_of(dir, STR(SEGMENT_FOLLOWERS), path, NULL).code)
		return -1;
	/* a lock needs no right to write: it is there for keeper and followers of any user, whoever made it with whatever umask */
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0)
		(void)fchmod(fd, 0644);
	if (fd >= 0 && flock(fd, LOCK_SH) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* ---- records ---------------------------------------------------------------------------------------------------------------- */

static const unsigned char *get(const unsigned char *from, void *p, size_t n)
{
	memcpy(p, from, n);
	return from + n;
}

/* All of a record but its texts. */
static size_t fixed_bytes(const struct segment *s)
{
	return RECORD_FIXED_BYTES - LENGTHS_BYTES + 2 * s->texts;
}

static bool record_read(const struct segment *s, const unsigned char *at, uint32_t bytes, struct telemetry_call *call)
{
	const unsigned char *from = at + RECORD_HEAD_BYTES;
	uint16_t lengths[TELEMETRY_TEXT__ALL] = { 0 };
	size_t sum = fixed_bytes(s);

	call->kind = 0;
	from = get(from, &call->started_us, 8);
#define X(type, name) from = get(from, &call->name, sizeof(type));
	TELEMETRY_NUMBERS(X)
#undef X
	from = get(from, lengths, 2 * s->texts);
	for (int i = 0; i < TELEMETRY_TEXT__ALL; i++) {
		if (lengths[i] > telemetry_text_max[i])
			return false;
		sum += lengths[i];
	}
	if (sum > bytes || bytes - sum > 7)
		return false;
#define X(name, max)                                                                                      \
	call->name = (struct str){ (const char *)from, lengths[TELEMETRY_TEXT_##name] };                  \
	from += lengths[TELEMETRY_TEXT_##name];
	TELEMETRY_TEXTS(X)
	TELEMETRY_PASSING_TEXTS(X)
#undef X
	return true;
}

bool segment_next(const struct segment *s, uint64_t *offset, struct telemetry_call *call, bool *damaged)
{
	uint64_t committed = segment_committed(s);
	const unsigned char *at = s->map + SEGMENT_HEADER_BYTES + *offset;
	uint32_t head[2];

	*damaged = false;
	if (*offset >= committed)
		return false;
	*damaged = true;
	if (committed - *offset < fixed_bytes(s))
		return false;
	memcpy(head, at, sizeof(head));
	if (head[1] != (head[0] ^ RECORD_CHECK ^ s->mark) || head[0] % 8 || head[0] < fixed_bytes(s)
	    || head[0] > committed - *offset || !record_read(s, at, head[0], call))
		return false;
	*damaged = false;
	*offset += head[0];
	return true;
}

/* ---- names ------------------------------------------------------------------------------------------------------------------ */

static const size_t text_offsets[TELEMETRY_TEXT__COUNT] = {
#define X(name, max) [TELEMETRY_TEXT_##name] = offsetof(struct telemetry_call, name),
	TELEMETRY_TEXTS(X)
#undef X
};

static const char *const text_names[TELEMETRY_TEXT__COUNT] = {
#define X(name, max) [TELEMETRY_TEXT_##name] = #name,
	TELEMETRY_TEXTS(X)
#undef X
};

struct str *telemetry_text(struct telemetry_call *c, enum telemetry_text t)
{
	return (struct str *)(void *)((char *)c + text_offsets[t]);
}

const char *telemetry_text_name(enum telemetry_text t)
{
	return text_names[t];
}

const char *telemetry_origin_name(enum telemetry_origin o)
{
	static const char *const names[] = { "gateway", "backend", "cache", "backend_failed", "client_gone" };

	return o < TELEMETRY_ORIGIN__COUNT ? names[o] : "unknown";
}

const char *telemetry_cache_name(enum telemetry_cache c)
{
	static const char *const names[] = { "none", "hit", "miss" };

	return c < TELEMETRY_CACHE__COUNT ? names[c] : "unknown";
}

/* The next number of the line; 0 when there is none. */
static uint32_t number(struct str *line)
{
	struct str word;
	uint64_t v = 0;

	return str_split(line, ' ', &word) && str_to_u64(word, UINT32_MAX, &v) ? (uint32_t)v : 0;
}

bool telemetry_try_next(const struct telemetry_call *c, struct str *tries, struct telemetry_try *out)
{
	struct str line;

	*out = (struct telemetry_try){ .host = STR_NULL };
	if (!tries->n || !str_split(tries, '\n', &line) || !str_split(&line, ' ', &out->span) || out->span.n != 16)
		return false;
	out->at_us = number(&line);
	if (!line.n) {
		out->took_us = c->backend_us;
		out->status = c->backend_status;
		out->dns_us = c->dns_us;
		out->connect_us = c->connect_us;
		out->tls_us = c->tls_us;
		out->first_byte_us = c->first_byte_us;
		return true;
	}
	out->took_us = number(&line);
	out->status = (uint16_t)number(&line);
	out->dns_us = number(&line);
	out->connect_us = number(&line);
	out->tls_us = number(&line);
	out->first_byte_us = number(&line);
	out->host = line;
	return true;
}

void telemetry_try_words(struct buf *b, const struct telemetry_try *t)
{
	const struct {
		const char *name;
		uint32_t us;
	} parts[] = { { "first byte", t->first_byte_us }, { "name", t->dns_us }, { "connection", t->connect_us }, { "TLS", t->tls_us } };
	bool any = false;

	if (t->status)
		buf_fmt(b, "%u", t->status);
	else
		buf_cstr(b, "no answer");
	buf_fmt(b, " after %.1f ms", t->took_us / 1000.0);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (parts[i].us) {
			buf_fmt(b, "%s%s %.1f", any ? ", " : " (", parts[i].name, parts[i].us / 1000.0);
			any = true;
		}
	if (any)
		buf_cstr(b, " ms)");
	if (t->host.n)
		buf_fmt(b, " at %.*s", STR_ARG(t->host));
}

bool telemetry_web_read(const struct telemetry_call *c, struct telemetry_web *out)
{
	struct str rest = c->web, first;

	*out = (struct telemetry_web){ .urls = STR_NULL };
	if (!rest.n || !str_split(&rest, '\n', &first))
		return false;
	(void)str_split(&first, ' ', &out->scheme);
	if (!str_to_u64(first, 65535, &out->port))
		out->port = 0;
	if (!str_split(&rest, '\n', &out->route))
		out->route = STR("");
	if (!str_split(&rest, '\n', &out->query))
		out->query = STR("");
	out->urls = rest;
	return true;
}

void telemetry_json(struct buf *b, const struct telemetry_call *c)
{
	char time[CLOCK_ISO_MAX];

	buf_fmt(b, "{\"time\":\"%s\"", clock_iso(c->started_us, 6, time));
#define X(type, name)                                   \
	buf_cstr(b, ",\"" #name "\":");                 \
	if (strcmp(#name, "origin") == 0)               \
		buf_json(b, str_of(telemetry_origin_name(c->origin)));  \
	else if (strcmp(#name, "cache") == 0)           \
		buf_json(b, str_of(telemetry_cache_name(c->cache)));    \
	else                                            \
		buf_u64(b, c->name);
	TELEMETRY_NUMBERS(X)
#undef X
#define X(name, max)                                    \
	buf_cstr(b, ",\"" #name "\":");                 \
	buf_json(b, c->name);
	TELEMETRY_TEXTS(X)
#undef X
	buf_char(b, '}');
}
