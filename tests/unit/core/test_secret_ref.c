#include "tests/unit/check.h"

#include "core/secret_ref.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void references(void **state UNUSED)
{
	static const struct { const char *label, *text; enum gh_code want; const char *name, *mount, *path, *field; } rows[] = {
		{ "a variable", "env:ERP_PASSWORD", GH_OK, "ERP_PASSWORD", "", "", "" },
		{ "a variable without a name", "env:", GH_E_INVALID, NULL, NULL, NULL, NULL },
		{ "no variable has an equals sign", "env:A=B", GH_E_INVALID, NULL, NULL, NULL, NULL },
		{ "a file", "file:/run/secrets/erp", GH_OK, "/run/secrets/erp", "", "", "" },
		{ "a file without its root", "file:secrets/erp", GH_E_INVALID, NULL, NULL, NULL, NULL },
		{ "the root is no file", "file:/", GH_E_INVALID, NULL, NULL, NULL, NULL },
		{ "a credential", "credential:erp", GH_OK, "erp", "", "", "" },
		{ "a credential is no path", "credential:a/b", GH_E_INVALID, NULL, NULL, NULL, NULL },
		{ "nor its parent", "credential:..", GH_E_INVALID, NULL, NULL, NULL, NULL },
		{ "a vault", "vault:kv/erp#password", GH_OK, "kv/erp#password", "kv", "erp", "password" },
		{ "a vault with a deep path", "vault:kv/a/b/c#x", GH_OK, "kv/a/b/c#x", "kv", "a/b/c", "x" },
		{ "a mount of several parts", "vault:team/kv//a/b#x", GH_OK, "team/kv//a/b#x", "team/kv", "a/b", "x" },
		{ "slashes at the ends", "vault:/kv/erp/#x", GH_OK, "/kv/erp/#x", "kv", "erp", "x" },
		{ "the field is behind the last sign", "vault:kv/a#b#c", GH_OK, "kv/a#b#c", "kv", "a#b", "c" },
		{ "a vault without a field", "vault:kv/erp", GH_E_INVALID, NULL, NULL, NULL, NULL },
		{ "with an empty one", "vault:kv/erp#", GH_E_INVALID, NULL, NULL, NULL, NULL },
		{ "without a path", "vault:kv#x", GH_E_INVALID, NULL, NULL, NULL, NULL },
		{ "out of its mount", "vault:kv/../sys/x#y", GH_E_INVALID, NULL, NULL, NULL, NULL },
		{ "an empty part", "vault:kv//a//b#x", GH_E_INVALID, NULL, NULL, NULL, NULL },
		{ "an unknown place", "s3:bucket", GH_E_INVALID, NULL, NULL, NULL, NULL },
		{ "a plain value", "hunter2", GH_E_INVALID, NULL, NULL, NULL, NULL },
		{ "nothing", "", GH_E_INVALID, NULL, NULL, NULL, NULL },
		{ "a line break", "file:/a\nb", GH_E_INVALID, NULL, NULL, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct secret_ref r = { 0 };
		struct gh_err err;

		CHECK_INT(rows[i].label, secret_ref_parse(str_of(rows[i].text), &r, &err).code, rows[i].want);
		if (rows[i].want)
			continue;
		CHECK_STR(rows[i].label, r.name, str_of(rows[i].name));
		CHECK_STR(rows[i].label, r.mount, str_of(rows[i].mount));
		CHECK_STR(rows[i].label, r.path, str_of(rows[i].path));
		CHECK_STR(rows[i].label, r.field, str_of(rows[i].field));
	}
	check_done();
}

static void put(const char *path, const char *text, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	fclose(f);
}

struct tried {
	struct secret_source *source;
	struct arena *arena;
};

static enum gh_code value_of(struct tried *t, const char *text, struct secret_value *out, struct gh_err *err)
{
	struct secret_ref r;

	assert_int_equal(secret_ref_parse(str_of(text), &r, NULL).code, GH_OK);
	return secret_resolve(t->source, t->arena, &r, out, err).code;
}

static void places(void **state UNUSED)
{
	char dir[] = "/tmp/gatehouse-secret-XXXXXX", path[128], text[160], big[SECRET_VALUE_MAX + 1];
	struct tried t = { .arena = arena_new(1 << 22) };
	struct secret_value v;
	struct config config;
	struct gh_err err;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(config_load(&config, t.arena, NULL, &err).code, GH_OK);
	assert_int_equal(secret_source_new(&config, &t.source, &err).code, GH_OK);
	setenv("GATEHOUSE_TEST_SECRET", "of the environment", 1);
	CHECK_INT("variable", value_of(&t, "env:GATEHOUSE_TEST_SECRET", &v, &err), GH_OK);
	CHECK_STR("variable", v.value, STR("of the environment"));
	CHECK_INT("no variable", value_of(&t, "env:GATEHOUSE_TEST_NOTHING", &v, &err), GH_E_NOT_FOUND);

	snprintf(path, sizeof(path), "%s/one", dir);
	snprintf(text, sizeof(text), "file:%s", path);
	CHECK_INT("no file", value_of(&t, text, &v, &err), GH_E_NOT_FOUND);
	put(path, "line\r\n", 6);
	CHECK_INT("file", value_of(&t, text, &v, &err), GH_OK);
	CHECK_STR("one line break is left out", v.value, STR("line"));
	put(path, "a\n\n", 3);
	CHECK_INT("file", value_of(&t, text, &v, &err), GH_OK);
	CHECK_STR("and only one", v.value, STR("a\n"));
	memset(big, 'x', sizeof(big));
	put(path, big, SECRET_VALUE_MAX);
	CHECK_INT("the largest file", value_of(&t, text, &v, &err), GH_OK);
	put(path, big, sizeof(big));
	CHECK_INT("a larger one", value_of(&t, text, &v, &err), GH_E_LIMIT);

	snprintf(text, sizeof(text), "file:%s", dir);
	CHECK_INT("a folder", value_of(&t, text, &v, &err), GH_E_INVALID);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(text, sizeof(text), "file:%s", path);
	CHECK_INT("a pipe is not waited for", value_of(&t, text, &v, &err), GH_E_INVALID);
	unlink(path);

	unsetenv("CREDENTIALS_DIRECTORY");
	CHECK_INT("no credentials", value_of(&t, "credential:one", &v, &err), GH_E_UNAVAILABLE);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	put(path, "systemd's", 9);
	CHECK_INT("a credential", value_of(&t, "credential:one", &v, &err), GH_OK);
	CHECK_STR("a credential", v.value, STR("systemd's"));
	CHECK_INT("no vault", value_of(&t, "vault:kv/a#b", &v, &err), GH_E_UNAVAILABLE);
	CHECK("what is missing", strstr(err.message, "vault.address"));
	unlink(path);
	rmdir(dir);
	secret_source_free(t.source);
	arena_free(t.arena);
	check_done();
}

static void peeks(void **state UNUSED)
{
	char path[] = "/tmp/gatehouse-peek-XXXXXX", text[64], one[SECRET_VERSION_MAX], two[SECRET_VERSION_MAX];
	struct secret_ref r;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	put(path, "aaaa", 4);
	snprintf(text, sizeof(text), "file:%s", path);
	assert_int_equal(secret_ref_parse(str_of(text), &r, NULL).code, GH_OK);
	secret_peek(&r, one);
	secret_peek(&r, two);
	CHECK("a file that stays", one[0] && strcmp(one, two) == 0);
	for (int i = 0; i < 200 && strcmp(one, two) == 0; i++) {     /* the clock of a file system ticks in milliseconds */
		usleep(1000);
		put(path, "bbbb", 4);
		secret_peek(&r, two);
	}
	CHECK("as many other bytes", strcmp(one, two) != 0);
	unlink(path);
	secret_peek(&r, two);
	CHECK("a file that is gone", !two[0]);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references),
		cmocka_unit_test(places),
		cmocka_unit_test(peeks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
