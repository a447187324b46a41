#include "core/cache_folder.h"

#include "core/cache.h"
#include "core/config.h"
#include "core/file.h"
#include "core/str.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

enum { BOOT_MAX = 64 };

gh_rc cache_folder_lock(const char *dir, int *lock, struct gh_err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = -1;

	while (fd >= 0 && (rc = flock(fd, LOCK_EX)) < 0 && errno == EINTR)
		;
	if (rc < 0) {
		int why = errno;

		if (fd >= 0)
			close(fd);
		FAIL(err, IO, "cache: %s: %s", dir, strerror(why));
	}
	*lock = fd;
	return GH_RC_OK;
}

gh_rc cache_folder_empty(const char *dir, struct gh_err *err)
{
	static const char *const names[] = { "data.mdb", "lock.mdb" };
	char path[PATHS_MAX];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		TRY(paths_join(path, dir, names[i], err));
		if (unlink(path) < 0 && errno != ENOENT)
			FAIL(err, IO, "cache: %s: %s", path, strerror(errno));
	}
	return GH_RC_OK;
}

gh_rc cache_folder_of_boot(const char *dir, struct gh_err *err)
{
	char path[PATHS_MAX];
	struct arena *a = arena_new(4096);
	struct str now, then;
	gh_rc rc = GH_RC_OK;

	if (!a)
		FAIL(err, NOMEM, "cache: no memory");
	if (!file_read(a, "/proc/sys/kernel/random/boot_id", BOOT_MAX, &now, NULL).code) {
		rc = paths_join(path, dir, "boot", err);
		if (!rc.code && (file_read(a, path, BOOT_MAX, &then, NULL).code || !str_eq(now, then))) {
			rc = cache_folder_empty(dir, err);
			if (!rc.code)
				rc = file_write_atomic(path, now, 0600, err);
		}
	}
	arena_free(a);
	return rc;
}

/* ---- where it is: cache.h ------------------------------------------------------------------------------------------------- */

static gh_rc folder(struct str dir, const char *setting, const char *state_dir, const char *name, char out[PATHS_MAX],
		    struct gh_err *err)
{
	if (!dir.n)
		return paths_join(out, state_dir, name, err);
	if (dir.n >= PATHS_MAX)
		FAIL(err, INVALID, "%s is longer than %d bytes", setting, PATHS_MAX - 1);
	memcpy(out, dir.p, dir.n);
	out[dir.n] = '\0';
	return GH_RC_OK;
}

gh_rc cache_path(const struct config *c, const char *state_dir, char out[PATHS_MAX], struct gh_err *err)
{
	return folder(config_text(c, CONFIG_CACHE_DIR), "cache.dir", state_dir, "cache", out, err);
}

gh_rc cache_responses_path(const struct config *c, const char *state_dir, char out[PATHS_MAX], struct gh_err *err)
{
	return folder(config_text(c, CONFIG_CACHE_RESPONSES_DIR), "cache.responses_dir", state_dir, "responses", out, err);
}
