#include "core/file.h"

#include "core/buf.h"
#include "core/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_STEP = 65536 };

gh_rc file_read(struct arena *a, const char *path, size_t max_bytes, struct str *out, struct gh_err *err)
{
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	struct buf b;
	ssize_t got = 0;
	char *to;

	if (fd < 0)
		FAIL(err, NOT_FOUND, "%s: %s", path, strerror(errno));
	buf_init(&b, max_bytes + 1);
	while (b.n <= max_bytes) {
		size_t room = max_bytes + 1 - b.n < READ_STEP ? max_bytes + 1 - b.n : READ_STEP;

		if (!(to = buf_room(&b, room)))
			break;
		got = read(fd, to, room);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		buf_wrote(&b, (size_t)got);
	}
	close(fd);
	if (got < 0) {
		buf_release(&b);
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	}
	if (b.n > max_bytes || !buf_ok(&b)) {
		buf_release(&b);
		FAIL(err, LIMIT, "%s: larger than %zu bytes", path, max_bytes);
	}
	*out = arena_dup(a, buf_view(&b));
	buf_release(&b);
	if (!out->p)
		FAIL(err, NOMEM, "%s: no memory to hold it", path);
	return GH_RC_OK;
}

static gh_rc write_all(int fd, struct str bytes, const char *path, struct gh_err *err)
{
	while (bytes.n) {
		ssize_t put = write(fd, bytes.p, bytes.n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			FAIL(err, IO, "%s: %s", path, strerror(errno));
		bytes = str_from(bytes, (size_t)put);
	}
	if (fsync(fd) < 0)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	return GH_RC_OK;
}

gh_rc file_write_atomic(const char *path, struct str bytes, unsigned mode, struct gh_err *err)
{
	char temp[4096];
	gh_rc rc;
	int fd;

	if (snprintf(temp, sizeof(temp), "%s.XXXXXX", path) >= (int)sizeof(temp))
		FAIL(err, INVALID, "%s: path is too long", path);
	fd = mkstemp(temp);
	if (fd < 0)
		FAIL(err, IO, "%s: %s", temp, strerror(errno));
	rc = write_all(fd, bytes, temp, err);
	if (!rc.code && fchmod(fd, mode) < 0)
		rc = gh_err_set(err, GH_E_IO, __FILE__, __LINE__, "%s: %s", temp, strerror(errno));
	close(fd);
	if (!rc.code && rename(temp, path) < 0)
		rc = gh_err_set(err, GH_E_IO, __FILE__, __LINE__, "%s: %s", path, strerror(errno));
	if (rc.code)
		unlink(temp);
	return rc;
}

gh_rc file_make_dirs(const char *path, unsigned mode, struct gh_err *err)
{
	char part[4096];
	size_t n = strlen(path);

	if (n >= sizeof(part))
		FAIL(err, INVALID, "%s: path is too long", path);
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, (mode_t)mode) < 0 && errno != EEXIST)
			FAIL(err, IO, "%s: %s", part, strerror(errno));
	}
	return GH_RC_OK;
}
