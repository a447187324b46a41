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
static const char NEXT_FILE[] = "master.key.new", NEXT_VARIABLE[] = "GATEHOUSE_MASTER_KEY_NEW";

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

GH_RC paths_master_key_read(const char *path, uint8_t key[PATHS_MASTER_KEY_BYTES], bool *found, struct gh_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	gh_rc rc;

	*found = fd >= 0;
	if (fd < 0 && errno == ENOENT)
		return GH_RC_OK;
	if (fd < 0)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	rc = key_read(fd, path, key, err);
	close(fd);
	return rc;
}

static gh_rc find_key(const char *state_dir, const char *variable_name, const char *file, uint8_t *key, bool *found,
		      struct gh_err *err)
{
	const char *variable = getenv(variable_name);
	char path[PATHS_MAX];

	*found = true;
	if (variable && *variable)
		return key_decode(str_of(variable), variable_name, key, err);
	TRY(paths_join(path, state_dir, file, err));
	return paths_master_key_read(path, key, found, err);
}

GH_RC paths_master_key(const char *state_dir, uint8_t key[PATHS_MASTER_KEY_BYTES], bool *found, struct gh_err *err)
{
	return find_key(state_dir, KEY_VARIABLE, KEY_FILE, key, found, err);
}

GH_RC paths_master_key_next(const char *state_dir, uint8_t key[PATHS_MASTER_KEY_BYTES], bool *found, struct gh_err *err)
{
	return find_key(state_dir, NEXT_VARIABLE, NEXT_FILE, key, found, err);
}

bool paths_master_key_is_variable(void)
{
	const char *variable = getenv(KEY_VARIABLE);

	return variable && *variable;
}

void paths_master_key_id(const uint8_t key[PATHS_MASTER_KEY_BYTES], char out[PATHS_KEY_ID_MAX])
{
	uint8_t digest[CRYPTO_SHA256_BYTES];

	crypto_hmac_sha256((struct str){ (const char *)key, PATHS_MASTER_KEY_BYTES }, STR("gatehouse master key id"), digest);
	for (size_t i = 0; i < (PATHS_KEY_ID_MAX - 1) / 2; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* What was renamed or made in the directory is there after a power cut. */
static gh_rc sync_dir(const char *dir, struct gh_err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	if (!done)
		FAIL(err, IO, "%s: %s", dir, strerror(errno));
	return GH_RC_OK;
}

GH_RC paths_master_key_next_create(const char *state_dir, const uint8_t *given, struct gh_err *err)
{
	char path[PATHS_MAX], present[PATHS_MAX], text[PATHS_MASTER_KEY_BYTES * 2 + 2];
	uint8_t key[PATHS_MASTER_KEY_BYTES];
	struct stat st;
	gh_rc rc;

	TRY(paths_join(path, state_dir, NEXT_FILE, err));
	TRY(paths_join(present, state_dir, KEY_FILE, err));
	if (given)
		memcpy(key, given, sizeof(key));
	else
		TRY(crypto_random(key, sizeof(key), err));
	for (size_t i = 0; i < sizeof(key); i++)
		snprintf(text + 2 * i, 3, "%02x", key[i]);
	text[sizeof(text) - 2] = '\n';
	rc = file_write_atomic(path, (struct str){ text, sizeof(text) - 1 }, 0600, err);
	crypto_wipe(key, sizeof(key));
	crypto_wipe(text, sizeof(text));
	TRY(rc);
	/* root may do it for the service's account */
	if ((stat(present, &st) == 0 || stat(state_dir, &st) == 0) && st.st_uid != geteuid()
	    && chown(path, st.st_uid, st.st_gid) < 0)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	return sync_dir(state_dir, err);
}

GH_RC paths_master_key_next_end(const char *state_dir, bool promote, struct gh_err *err)
{
	char path[PATHS_MAX], present[PATHS_MAX];

	TRY(paths_join(path, state_dir, NEXT_FILE, err));
	TRY(paths_join(present, state_dir, KEY_FILE, err));
	if ((promote ? rename(path, present) : unlink(path)) < 0 && (promote || errno != ENOENT))
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	return sync_dir(state_dir, err);
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
