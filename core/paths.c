#include "core/paths.h"

#include "core/crypto.h"
#include "core/file.h"
#include "core/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char KEY_FILE[] = "master.key";
static const char KEY_VARIABLE[] = "GATEHOUSE_MASTER_KEY";

static gh_rc copy(char out[PATHS_MAX], const char *path, struct gh_err *err)
{
	if (snprintf(out, PATHS_MAX, "%s", path) >= PATHS_MAX)
		FAIL(err, INVALID, "%.60s...: path is too long", path);
	return GH_RC_OK;
}

GH_RC paths_join(char out[PATHS_MAX], const char *dir, const char *name, struct gh_err *err)
{
	if (snprintf(out, PATHS_MAX, "%s/%s", dir, name) >= PATHS_MAX)
		FAIL(err, INVALID, "%.60s.../%s: path is too long", dir, name);
	return GH_RC_OK;
}

GH_RC paths_state(const char *option, char out[PATHS_MAX], struct gh_err *err)
{
	const char *variable = getenv("GATEHOUSE_STATE");

	if (option && !*option)
		FAIL(err, INVALID, "--state names no directory");
	if (option)
		return copy(out, option, err);
	return copy(out, variable && *variable ? variable : "./var", err);
}

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Drops the last n parts of a path. */
static void up(char *path, unsigned n)
{
	for (char *slash; n && (slash = strrchr(path, '/')); n--)
		*slash = '\0';
}

GH_RC paths_share(char out[PATHS_MAX], struct gh_err *err)
{
	static const struct {
		unsigned up;             /* from the program: "bin/gatehouse" is two */
		const char *then, *mark;
	} places[] = {
		{ 4, "", "/templates" },                         /* TREE/build/release/bin/gatehouse */
		{ 2, "/share/gatehouse", "" },                   /* PREFIX/bin/gatehouse */
		{ 5, "", "/templates" },                         /* TREE/build/asan/tests/unit/test_x and below */
		{ 6, "", "/templates" },
	};
	const char *variable = getenv("GATEHOUSE_SHARE");
	char exe[PATHS_MAX], base[PATHS_MAX], mark[PATHS_MAX];
	ssize_t n;

	if (variable && *variable)
		return copy(out, variable, err);
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n <= 0)
		FAIL(err, IO, "/proc/self/exe: %s", strerror(errno));
	exe[n] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		TRY(copy(base, exe, err));
		up(base, places[i].up);
		if (snprintf(out, PATHS_MAX, "%s%s", base, places[i].then) >= PATHS_MAX
		    || snprintf(mark, PATHS_MAX, "%s%s", out, places[i].mark) >= PATHS_MAX)
			FAIL(err, INVALID, "%.60s...: path is too long", exe);
		if (is_dir(mark))
			return GH_RC_OK;
	}
	FAIL(err, NOT_FOUND, "the templates are neither in the source tree nor in ../share/gatehouse of %s; name their "
	     "directory in GATEHOUSE_SHARE", exe);
}

static gh_rc key_decode(struct str text, const char *where, uint8_t key[PATHS_MASTER_KEY_BYTES], struct gh_err *err)
{
	if (!crypto_hex_decode_to(str_trim(text), key, PATHS_MASTER_KEY_BYTES))
		FAIL(err, INVALID, "%s: a master key is %d hexadecimal digits", where, PATHS_MASTER_KEY_BYTES * 2);
	return GH_RC_OK;
}

static gh_rc key_read(int fd, const char *path, uint8_t key[PATHS_MASTER_KEY_BYTES], struct gh_err *err)
{
	char text[PATHS_MASTER_KEY_BYTES * 2 + 64];
	struct stat st;
	ssize_t n;
	gh_rc rc;

	if (fstat(fd, &st) < 0)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		FAIL(err, DENIED, "%s: others may read or write it; mend that with: chmod 600 %s", path, path);
	n = read(fd, text, sizeof(text));
	if (n < 0)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	rc = key_decode((struct str){ text, (size_t)n }, path, key, err);
	crypto_wipe(text, sizeof(text));
	return rc;
}

GH_RC paths_master_key(const char *state_dir, uint8_t key[PATHS_MASTER_KEY_BYTES], bool *found, struct gh_err *err)
{
	const char *variable = getenv(KEY_VARIABLE);
	char path[PATHS_MAX];
	gh_rc rc;
	int fd;

	*found = true;
	if (variable && *variable)
		return key_decode(str_of(variable), KEY_VARIABLE, key, err);
	TRY(paths_join(path, state_dir, KEY_FILE, err));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		*found = false;
		return GH_RC_OK;
	}
	if (fd < 0)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	rc = key_read(fd, path, key, err);
	close(fd);
	return rc;
}

GH_RC paths_master_key_create(const char *state_dir, struct gh_err *err)
{
	char path[PATHS_MAX], text[PATHS_MASTER_KEY_BYTES * 2 + 2];
	uint8_t key[PATHS_MASTER_KEY_BYTES];
	bool done;
	int fd;

	TRY(paths_join(path, state_dir, KEY_FILE, err));
	TRY(crypto_random(key, sizeof(key), err));
	for (size_t i = 0; i < sizeof(key); i++)
		snprintf(text + 2 * i, 3, "%02x", key[i]);
	text[sizeof(text) - 2] = '\n';
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		FAIL(err, CONFLICT, "%s: there is a master key already", path);
	if (fd < 0)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	done = fchmod(fd, 0600) == 0 && write(fd, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1 && fsync(fd) == 0;
	if (close(fd) < 0 || !done) {
		unlink(path);
		FAIL(err, IO, "%s: cannot be written: %s", path, strerror(errno));
	}
	crypto_wipe(key, sizeof(key));
	crypto_wipe(text, sizeof(text));
	return GH_RC_OK;
}
