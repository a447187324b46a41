#include "core/shared_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_TRIES = 100 };
enum file_fit { FILE_NEW, FILE_FITS, FILE_OTHER };

static enum file_fit fit(int fd, const struct shared_file_head *head, size_t bytes)
{
	struct shared_file_head h = { 0 };
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_nlink == 0)
		return FILE_OTHER;
	if (st.st_size == 0)
		return FILE_NEW;
	return (size_t)st.st_size == bytes && pread(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) && h.magic == head->magic
			       && h.size == head->size
		       ? FILE_FITS
		       : FILE_OTHER;
}

static gh_rc open_locked(const char *path, const struct shared_file_head *head, size_t bytes, int *out, bool *fresh, struct gh_err *err)
{
	for (int tries = 0; tries < OPEN_TRIES; tries++) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
		enum file_fit f;
		struct stat st;

		if (fd < 0)
			FAIL(err, IO, "%s: %s", path, strerror(errno));
		while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
			;
		f = fit(fd, head, bytes);
		*fresh = f == FILE_NEW;
		*out = fd;
		if (f != FILE_OTHER)
			return GH_RC_OK;
		if (fstat(fd, &st) == 0 && st.st_nlink > 0)
			unlink(path);
		close(fd);
	}
	FAIL(err, BUSY, "%s: others keep replacing it", path);
}

static gh_rc map_file(const char *path, int fd, const struct shared_file_head *head, size_t bytes, void (*begin)(void *map), bool fresh,
		      void **out, struct gh_err *err)
{
	int failed = fresh ? posix_fallocate(fd, 0, (off_t)bytes) : 0;
	struct shared_file_head *h;

	if (failed) {
		(void)!ftruncate(fd, 0);
		FAIL(err, IO, "%s: no room for %zu bytes: %s", path, bytes, strerror(failed));
	}
	h = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (h == MAP_FAILED)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	*out = h;
	if (!fresh)
		return GH_RC_OK;
	if (begin)
		begin(h);
	h->size = head->size;
	atomic_thread_fence(memory_order_release);
	h->magic = head->magic;
	return GH_RC_OK;
}

gh_rc shared_file_map(const char *path, const struct shared_file_head *head, size_t bytes, void (*begin)(void *map), void **out,
		      struct gh_err *err)
{
	bool fresh;
	gh_rc rc;
	int fd;

	TRY(open_locked(path, head, bytes, &fd, &fresh, err));
	rc = map_file(path, fd, head, bytes, begin, fresh, out, err);
	flock(fd, LOCK_UN);                      /* closing alone leaves it to the mapping */
	close(fd);
	return rc;
}
