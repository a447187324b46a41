#include "core/genfile.h"

#include "core/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES = 4096, LINE_WORDS = 8 };

/* Each number in a cache line of its own. */
struct words {
	_Atomic uint64_t v[GENFILE__COUNT][LINE_WORDS];
};

struct genfile {
	struct words *map;
};

static gh_rc map_file(struct genfile *g, int fd, bool writable, const char *path, struct gh_err *err)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	/* blocks are taken now: a full disk is an error here and no SIGBUS at the first store */
	if (st.st_size < FILE_BYTES && (!writable || posix_fallocate(fd, 0, FILE_BYTES)))
		FAIL(err, IO, "%s: cannot be made %d bytes long", path, FILE_BYTES);
	p = mmap(NULL, FILE_BYTES, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		FAIL(err, IO, "%s: mmap: %s", path, strerror(errno));
	g->map = p;
	return GH_RC_OK;
}

GH_RC genfile_open(struct genfile **out, const char *state_dir, bool writable, struct gh_err *err)
{
	char path[PATHS_MAX];
	struct genfile *g;
	gh_rc rc;
	int fd;

	TRY(paths_join(path, state_dir, "generation", err));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0 && !writable)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	else if (fd >= 0)
		writable = true;
	if (fd < 0)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	g = calloc(1, sizeof(*g));
	rc = g ? map_file(g, fd, writable, path, err) : gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "%s", path);
	close(fd);
	if (rc.code) {
		free(g);
		return rc;
	}
	*out = g;
	return GH_RC_OK;
}

void genfile_free(struct genfile *g)
{
	if (!g)
		return;
	munmap(g->map, FILE_BYTES);
	free(g);
}

uint64_t genfile_get(const struct genfile *g, enum genfile_kind kind)
{
	return atomic_load_explicit(&g->map->v[kind][0], memory_order_acquire);
}

void genfile_raise(struct genfile *g, enum genfile_kind kind, uint64_t value)
{
	uint64_t old = atomic_load_explicit(&g->map->v[kind][0], memory_order_relaxed);

	while (old < value
	       && !atomic_compare_exchange_weak_explicit(&g->map->v[kind][0], &old, value, memory_order_release,
							 memory_order_relaxed)) {
	}
}
