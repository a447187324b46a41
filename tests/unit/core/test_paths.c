/* State directory, master key, the generation file. */
#include "tests/unit/check.h"

#include "core/file.h"
#include "core/genfile.h"
#include "core/paths.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64], key_path[96];

static void state_directory(void **state UNUSED)
{
	char out[PATHS_MAX];
	struct gh_err err = { 0 };

	unsetenv("GATEHOUSE_STATE");
	CHECK_INT("default", paths_state(NULL, out, &err).code, GH_OK);
	CHECK_STR("default", str_of(out), STR("./var"));
	setenv("GATEHOUSE_STATE", "/srv/gh", 1);
	CHECK_INT("variable", paths_state(NULL, out, &err).code, GH_OK);
	CHECK_STR("variable", str_of(out), STR("/srv/gh"));
	CHECK_INT("option", paths_state("/tmp/x", out, &err).code, GH_OK);
	CHECK_STR("the option wins", str_of(out), STR("/tmp/x"));
	CHECK_INT("empty option", paths_state("", out, &err).code, GH_E_INVALID);
	unsetenv("GATEHOUSE_STATE");
	check_done();
}

static void share_directory(void **state UNUSED)
{
	char out[PATHS_MAX];
	struct gh_err err = { 0 };

	unsetenv("GATEHOUSE_SHARE");
	CHECK_INT("of the tree", paths_share(out, &err).code, GH_OK);
	strncat(out, "/templates", 16);
	CHECK_INT("holds the templates", access(out, F_OK), 0);
	setenv("GATEHOUSE_SHARE", "/usr/share/elsewhere", 1);
	CHECK_INT("variable", paths_share(out, &err).code, GH_OK);
	CHECK_STR("variable", str_of(out), STR("/usr/share/elsewhere"));
	unsetenv("GATEHOUSE_SHARE");
	check_done();
}

static void write_key(const char *text, unsigned mode)
{
	FILE *f = fopen(key_path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(key_path, mode);
}

#define DIGITS "00112233445566778899aabbccddeeff"

static void master_key(void **state UNUSED)
{
	static const struct {
		const char *label, *text;
		unsigned mode;
		enum gh_code want;
	} rows[] = {
		{ "64 digits", DIGITS DIGITS, 0600, GH_OK },
		{ "a line break behind", DIGITS DIGITS "\n", 0600, GH_OK },
		{ "read-only", DIGITS DIGITS, 0400, GH_OK },
		{ "a digit short", DIGITS "00112233445566778899aabbccddeef", 0600, GH_E_INVALID },
		{ "a digit too many", DIGITS DIGITS "0", 0600, GH_E_INVALID },
		{ "empty", "", 0600, GH_E_INVALID },
		{ "no digits", "the master key", 0600, GH_E_INVALID },
		{ "the group may read it", DIGITS DIGITS, 0640, GH_E_DENIED },
		{ "everybody may read it", DIGITS DIGITS, 0604, GH_E_DENIED },
	};
	uint8_t key[PATHS_MASTER_KEY_BYTES];
	struct gh_err err = { 0 };
	struct stat st;
	bool found;

	unsetenv("GATEHOUSE_MASTER_KEY");
	CHECK_INT("none", paths_master_key(dir, key, &found, &err).code, GH_OK);
	CHECK("none", !found);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		write_key(rows[i].text, rows[i].mode);
		CHECK_INT(rows[i].label, paths_master_key(dir, key, &found, &err).code, rows[i].want);
		CHECK(rows[i].label, rows[i].want == GH_OK || !strstr(err.message, "aabbcc"));
		unlink(key_path);
	}
	CHECK_INT("made", paths_master_key_create(dir, &err).code, GH_OK);
	CHECK_INT("mode", stat(key_path, &st) == 0 ? st.st_mode & 0777 : 0, 0600);
	CHECK_INT("read back", paths_master_key(dir, key, &found, &err).code, GH_OK);
	CHECK("read back", found);
	CHECK_INT("not replaced", paths_master_key_create(dir, &err).code, GH_E_CONFLICT);
	setenv("GATEHOUSE_MASTER_KEY", DIGITS DIGITS, 1);
	CHECK_INT("variable", paths_master_key(dir, key, &found, &err).code, GH_OK);
	CHECK("the variable wins", key[0] == 0 && key[1] == 0x11 && key[31] == 0xff);
	setenv("GATEHOUSE_MASTER_KEY", "abc", 1);
	CHECK_INT("bad variable", paths_master_key(dir, key, &found, &err).code, GH_E_INVALID);
	unsetenv("GATEHOUSE_MASTER_KEY");
	check_done();
}

static void generation_file(void **state UNUSED)
{
	struct genfile *writer = NULL, *reader = NULL;
	struct gh_err err = { 0 };
	int status = -1;
	pid_t child;

	assert_int_equal(genfile_open(&writer, dir, true, &err).code, GH_OK);
	assert_int_equal(genfile_open(&reader, dir, false, &err).code, GH_OK);
	CHECK_INT("fresh", genfile_get(reader, GENFILE_CONFIG), 0);
	genfile_raise(writer, GENFILE_CONFIG, 7);
	CHECK_INT("raised", genfile_get(reader, GENFILE_CONFIG), 7);
	CHECK_INT("the other stays", genfile_get(reader, GENFILE_ACCESS), 0);
	genfile_raise(writer, GENFILE_CONFIG, 3);
	CHECK_INT("never lowered", genfile_get(reader, GENFILE_CONFIG), 7);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct genfile *other = NULL;

		if (genfile_open(&other, dir, true, &err).code)
			_exit(1);
		genfile_raise(other, GENFILE_ACCESS, 9);
		genfile_free(other);
		_exit(0);
	}
	waitpid(child, &status, 0);
	CHECK_INT("child", status, 0);
	CHECK_INT("seen from another process", genfile_get(reader, GENFILE_ACCESS), 9);
	genfile_free(writer);
	genfile_free(reader);
	CHECK_INT("no directory", genfile_open(&writer, "/nowhere/at/all", true, &err).code, GH_E_IO);
	check_done();
}

static int setup(void **state UNUSED)
{
	snprintf(dir, sizeof(dir), "/tmp/gatehouse-paths-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(key_path, sizeof(key_path), "%s/master.key", dir);
	return 0;
}

static int teardown(void **state UNUSED)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/generation", dir);
	unlink(path);
	unlink(key_path);
	rmdir(dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_directory),
		cmocka_unit_test(share_directory),
		cmocka_unit_test(master_key),
		cmocka_unit_test(generation_file),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
