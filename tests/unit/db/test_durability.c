/* What must hold when things go wrong: killed writers, full disks, busy and read-only stores, damaged files, old schemas. */
#include "tests/unit/db/fixture.h"

#include "core/clock.h"
#include "db/audit.h"
#include "db/environments.h"
#include "db/named_values.h"
#include "db/sql.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { KILL_ROUNDS = 8 };

static gh_rc set_one(struct store *s, const char *name, const char *value, struct gh_err *err)
{
	TRY(store_tx_begin(s, STR("test"), err));
	return store_tx_end(s, store_setting_set(s, str_of(name), str_of(value), err), err);
}

static gh_rc reopen(struct fixture *f, enum store_mode mode)
{
	store_free(f->s);
	f->s = NULL;
	return store_open(&f->s, f->dir, mode, &f->err);
}

/* ---- killed writers --------------------------------------------------------------------------------------------------- */

/* Sets NAME.0, NAME.1 … and says in shared memory which ones have been reported as committed. */
static void write_until_killed(const char *dir, int round, volatile int64_t *acknowledged)
{
	struct gh_err err = { 0 };
	struct store *s = NULL;
	char name[64];

	if (store_open(&s, dir, STORE_WRITE, &err).code)
		_exit(1);
	for (int i = 0;; i++) {
		snprintf(name, sizeof(name), "round-%d.%d", round, i);
		if (set_one(s, name, "x", &err).code)
			_exit(2);
		*acknowledged = i + 1;
	}
}

static void a_killed_writer_loses_nothing(void **state)
{
	struct fixture *f = *state;
	volatile int64_t *acknowledged = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t row[GENFILE__COUNT];
	struct genfile *g = NULL;
	int64_t broken;

	assert_true(acknowledged != MAP_FAILED);
	for (int round = 0; round < KILL_ROUNDS; round++) {
		pid_t child;
		int status;

		*acknowledged = 0;
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			write_until_killed(f->dir, round, acknowledged);
		while (*acknowledged < 5 + round)
			usleep(200);
		usleep((unsigned)(round * 137));
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		CHECK("killed, not failed", WIFSIGNALED(status));
		CHECK_OK(f, reopen(f, STORE_WRITE));
		for (int64_t i = 0; i < *acknowledged; i++) {
			struct str value = STR_NULL;
			bool found = false;

			CHECK_OK(f, store_setting_get(f->s, f->a, arena_printf(f->a, "round-%d.%lld", round, (long long)i),
						      &value, &found, &f->err));
			CHECK("an acknowledged write is there", found);
		}
		CHECK_OK(f, store_audit_verify(f->s, &broken, &f->err));
		CHECK_INT("audit chain", broken, 0);
	}
	CHECK_OK(f, store_generation(f->s, row, &f->err));
	CHECK_OK(f, genfile_open(&g, f->dir, false, &f->err));
	CHECK_INT("published by who opened it next", genfile_get(g, GENFILE_CONFIG), row[GENFILE_CONFIG]);
	genfile_free(g);
	munmap((void *)(uintptr_t)acknowledged, 4096);
	check_done();
}

/* Several processes write at the same time: each commit is there, the trail is one chain, the generation counts them all. */
static void writers_take_turns(void **state)
{
	enum { WRITERS = 4, COMMITS = 25 };
	struct fixture *f = *state;
	uint64_t before[GENFILE__COUNT], after[GENFILE__COUNT];
	pid_t children[WRITERS];
	int64_t broken;

	CHECK_OK(f, store_generation(f->s, before, &f->err));
	for (int w = 0; w < WRITERS; w++) {
		children[w] = fork();
		assert_true(children[w] >= 0);
		if (children[w] == 0) {
			struct gh_err err = { 0 };
			struct store *s = NULL;
			char name[32];
			int failed = store_open(&s, f->dir, STORE_WRITE, &err).code != GH_OK;

			for (int i = 0; i < COMMITS && !failed; i++) {
				snprintf(name, sizeof(name), "writer-%d.%d", w, i);
				failed = set_one(s, name, "x", &err).code != GH_OK;
			}
			_exit(failed);
		}
	}
	for (int w = 0; w < WRITERS; w++) {
		int status = -1;

		waitpid(children[w], &status, 0);
		CHECK_INT("no writer fails", status, 0);
	}
	CHECK_OK(f, store_generation(f->s, after, &f->err));
	CHECK_INT("every commit counts", after[GENFILE_CONFIG] - before[GENFILE_CONFIG], WRITERS * COMMITS);
	CHECK_OK(f, store_audit_verify(f->s, &broken, &f->err));
	CHECK_INT("one chain", broken, 0);
	check_done();
}

/* ---- full disk -------------------------------------------------------------------------------------------------------- */

static void a_full_disk_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, small;
	struct stat st;
	char *large = malloc(200000), path[128];
	struct str value = STR_NULL;
	bool found = true;

	assert_non_null(large);
	memset(large, 'x', 199999);
	large[199999] = '\0';
	CHECK_OK(f, set_one(f->s, "before", "y", &f->err));
	snprintf(path, sizeof(path), "%s/config.db-wal", f->dir);
	assert_int_equal(stat(path, &st), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = (rlim_t)st.st_size + 20000;
	setrlimit(RLIMIT_FSIZE, &small);
	CHECK_INT("refused", set_one(f->s, "large", large, &f->err).code, GH_E_IO);
	CHECK_OK(f, store_setting_get(f->s, f->a, STR("before"), &value, &found, &f->err));
	CHECK("reading goes on", found);
	setrlimit(RLIMIT_FSIZE, &old);
	CHECK_OK(f, store_setting_get(f->s, f->a, STR("large"), &value, &found, &f->err));
	CHECK("nothing of it is there", !found);
	CHECK_OK(f, set_one(f->s, "after", "z", &f->err));
	free(large);
	check_done();
}

/* ---- busy, read-only, damaged, without a key -------------------------------------------------------------------------- */

static void a_locked_store_is_busy(void **state)
{
	struct fixture *f = *state;
	struct str value = STR_NULL;
	struct store *other = NULL;
	bool found;

	CHECK_OK(f, store_open(&other, f->dir, STORE_WRITE, &f->err));
	sqlite3_busy_timeout(f->s->db, 20);
	CHECK_OK(f, store_tx_begin(other, STR("other"), &f->err));
	CHECK_INT("busy", store_tx_begin(f->s, STR("test"), &f->err).code, GH_E_BUSY);
	CHECK("no transaction is left open", !store_in_tx(f->s));
	CHECK_OK(f, store_setting_get(f->s, f->a, STR("x"), &value, &found, &f->err));
	CHECK_OK(f, store_tx_commit(other, &f->err));
	CHECK_OK(f, set_one(f->s, "x", "y", &f->err));
	store_free(other);
	check_done();
}

static void telemetry_does_not_wait_for_the_configuration(void **state)
{
	struct fixture *f = *state;
	struct store *other = NULL;

	CHECK_OK(f, store_open(&other, f->dir, STORE_WRITE, &f->err));
	CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
	sqlite3_busy_timeout(other->db, 20);
	CHECK_OK(f, sql_exec(other, "CREATE TABLE telemetry.probe (n INTEGER)", "writing telemetry", &f->err));
	store_tx_rollback(f->s);
	store_free(other);
	check_done();
}

static void a_read_is_one_state(void **state)
{
	struct fixture *f = *state;
	struct str value = STR_NULL;
	struct store *reader = NULL;
	bool found;

	CHECK_OK(f, store_open(&reader, f->dir, STORE_READ, &f->err));
	CHECK_OK(f, set_one(f->s, "x", "old", &f->err));
	CHECK_OK(f, store_read_begin(reader, &f->err));
	CHECK_OK(f, set_one(f->s, "x", "new", &f->err));
	CHECK_OK(f, store_setting_get(reader, f->a, STR("x"), &value, &found, &f->err));
	CHECK_STR("as it was when the read began", value, STR("old"));
	store_read_end(reader);
	CHECK_OK(f, store_setting_get(reader, f->a, STR("x"), &value, &found, &f->err));
	CHECK_STR("as it is now", value, STR("new"));
	store_free(reader);
	check_done();
}

static void a_damaged_file_is_an_error(void **state)
{
	struct fixture *f = *state;
	char path[128], garbage[4096];
	int fd;

	store_free(f->s);
	f->s = NULL;
	snprintf(path, sizeof(path), "%s/config.db", f->dir);
	memset(garbage, 'g', sizeof(garbage));
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, garbage, sizeof(garbage)), sizeof(garbage));
	close(fd);
	CHECK_INT("reading", store_open(&f->s, f->dir, STORE_READ, &f->err).code, GH_E_IO);
	CHECK_INT("creating", store_open(&f->s, f->dir, STORE_CREATE, &f->err).code, GH_E_IO);
	CHECK("the message names the file", strstr(f->err.message, "config.db") != NULL);
	check_done();
}

static void secrets_need_the_key(void **state)
{
	struct fixture *f = *state;
	struct store_named_value v = { .id = STR("erp"), .value = STR("s3cret-value"), .secret = true }, got;
	char path[128];
	bool found;

	CHANGE(f, store_named_value_set(f->s, &v, &f->err));
	CHECK_OK(f, store_named_value_find(f->s, f->a, v.id, false, &got, &found, &f->err));
	CHECK("not shown", got.secret && !got.value.p);
	CHECK_OK(f, store_named_value_find(f->s, f->a, v.id, true, &got, &found, &f->err));
	CHECK_STR("in clear", got.value, v.value);
	snprintf(path, sizeof(path), "%s/master.key", f->dir);
	unlink(path);
	CHECK_OK(f, reopen(f, STORE_WRITE));
	CHECK_INT("no key", store_named_value_find(f->s, f->a, v.id, true, &got, &found, &f->err).code, GH_E_UNAVAILABLE);
	CHECK_OK(f, paths_master_key_create(f->dir, &f->err));
	CHECK_OK(f, reopen(f, STORE_WRITE));
	CHECK_INT("another key", store_named_value_find(f->s, f->a, v.id, true, &got, &found, &f->err).code, GH_E_DENIED);
	CHECK("no secret in the message", !strstr(f->err.message, "s3cret"));
	check_done();
}

/* As somebody to whom the files do not belong: a store that may be read but not written. */
static int as_nobody(const char *dir)
{
	struct gh_err err = { 0 };
	struct store *s = NULL;

	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 1;
	if (!store_open(&s, dir, STORE_WRITE, &err).code && !set_one(s, "x", "y", &err).code)
		return 2;
	return err.code == GH_E_UNAVAILABLE || err.code == GH_E_IO || err.code == GH_E_DENIED ? 0 : 3;
}

static void a_read_only_store_is_an_error(void **state)
{
	struct fixture *f = *state;
	int status = -1;
	pid_t child;

	if (geteuid() != 0)
		check_skip("only root can become another account");
	chmod(f->dir, 0755);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(as_nobody(f->dir));
	waitpid(child, &status, 0);
	CHECK_INT("an error and no crash", status, 0);
	check_done();
}

/* ---- audit trail ------------------------------------------------------------------------------------------------------ */

static void tampering_is_found(void **state)
{
	static const struct {
		const char *label, *sql;
		int64_t broken_at;
	} rows[] = {
		{ "nothing", "SELECT 1", 0 },
		{ "another actor", "UPDATE audit_entry SET actor = 'nobody' WHERE seq = 2", 2 },
		{ "another time", "UPDATE audit_entry SET at_us = at_us + 1 WHERE seq = 2", 2 },
		{ "other details", "UPDATE audit_entry SET detail = '{}' WHERE seq = 3", 3 },
		{ "no details", "UPDATE audit_entry SET detail = NULL WHERE seq = 3", 3 },
		{ "moved between columns", "UPDATE audit_entry SET kind = kind || 'x', object_id = substr(object_id, 2)"
					   " WHERE seq = 2", 2 },
		{ "an entry removed", "DELETE FROM audit_entry WHERE seq = 2", 3 },
		{ "the first one removed", "DELETE FROM audit_entry WHERE seq = 1", 2 },
		{ "its hash replaced", "UPDATE audit_entry SET hash = zeroblob(32) WHERE seq = 2", 2 },
		{ "two exchanged", "UPDATE audit_entry SET seq = -2 WHERE seq = 2; UPDATE audit_entry SET seq = 2 WHERE seq = 3;"
				   "UPDATE audit_entry SET seq = 3 WHERE seq = -2", 2 },
	};
	struct fixture *f = *state;
	int64_t broken;

	for (int i = 0; i < 4; i++)
		CHECK_OK(f, set_one(f->s, "name", i % 2 ? "a" : "b", &f->err));
	CHECK_INT("append-only", sqlite3_exec(f->s->db, "DELETE FROM audit_entry", NULL, NULL, NULL), SQLITE_CONSTRAINT_TRIGGER);
	CHECK_INT("append-only", sqlite3_exec(f->s->db, "UPDATE audit_entry SET actor = ''", NULL, NULL, NULL),
		  SQLITE_CONSTRAINT_TRIGGER);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		sqlite3_exec(f->s->db, "BEGIN; DROP TRIGGER audit_entry_stays; DROP TRIGGER audit_entry_remains", NULL, NULL, NULL);
		CHECK_INT(rows[i].label, sqlite3_exec(f->s->db, rows[i].sql, NULL, NULL, NULL), SQLITE_OK);
		CHECK_OK(f, store_audit_verify(f->s, &broken, &f->err));
		CHECK_INT(rows[i].label, broken, rows[i].broken_at);
		sqlite3_exec(f->s->db, "ROLLBACK", NULL, NULL, NULL);
	}
	check_done();
}

/* ---- migrations ------------------------------------------------------------------------------------------------------- */

static const struct migration steps[] = {
	{ "probe", 1, "probe-0001-start.sql", "CREATE TABLE t (n INTEGER NOT NULL) STRICT; INSERT INTO t VALUES (41);" },
	{ "probe", 2, "probe-0002-more.sql", "ALTER TABLE t ADD COLUMN m INTEGER; UPDATE t SET m = n + 1;" },
	{ "probe", 3, "probe-0003-wrong.sql", "UPDATE t SET n = 0; CREATE TABLE broken (;" },
};

static int64_t number_in(const char *path, const char *sql)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int64_t out = -1;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK
	    && sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		out = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return out;
}

/* The copy that was kept of a file with schema 1, by its name; false when there is none. */
static bool kept_copy(const char *dir, char out[512])
{
	char command[256];
	FILE *p;
	bool found;

	snprintf(command, sizeof(command), "ls %s/probe.db.v1-* 2>/dev/null", dir);
	p = popen(command, "r");
	found = p && fgets(out, 512, p);
	if (found)
		out[strcspn(out, "\n")] = '\0';
	if (p)
		pclose(p);
	return found;
}

static void migrations_are_all_or_nothing(void **state)
{
	struct fixture *f = *state;
	char path[128], copy[512];

	snprintf(path, sizeof(path), "%s/probe.db", f->dir);
	CHECK_OK(f, migrate_file(f->dir, "probe", steps, 1, &f->err));
	CHECK_INT("version", number_in(path, "PRAGMA user_version"), 1);
	CHECK("no copy of an empty file", !kept_copy(f->dir, copy));
	CHECK_INT("wrong", migrate_file(f->dir, "probe", steps, 3, &f->err).code, GH_E_INTERNAL);
	CHECK("names the migration", strstr(f->err.message, "probe-0003-wrong.sql") != NULL);
	CHECK_INT("version stays", number_in(path, "PRAGMA user_version"), 1);
	CHECK_INT("so does what was in it", number_in(path, "SELECT n FROM t"), 41);
	CHECK_INT("nothing of step 2 either", number_in(path, "SELECT m FROM t"), -1);
	assert_true(kept_copy(f->dir, copy));
	unlink(copy);
	CHECK_OK(f, migrate_file(f->dir, "probe", steps, 2, &f->err));
	CHECK_INT("version", number_in(path, "PRAGMA user_version"), 2);
	CHECK_INT("data", number_in(path, "SELECT m FROM t"), 42);
	CHECK("a copy is kept", kept_copy(f->dir, copy));
	CHECK_INT("with the old schema", number_in(copy, "PRAGMA user_version"), 1);
	CHECK_INT("and its data", number_in(copy, "SELECT n FROM t"), 41);
	CHECK_OK(f, migrate_file(f->dir, "probe", steps, 2, &f->err));
	CHECK_INT("a newer file", migrate_file(f->dir, "probe", steps, 1, &f->err).code, GH_E_UNAVAILABLE);
	check_done();
}

static int number_set(const char *dir, int version)
{
	char path[128], text[64];
	sqlite3 *db = NULL;
	int code;

	snprintf(path, sizeof(path), "%s/config.db", dir);
	snprintf(text, sizeof(text), "PRAGMA user_version = %d", version);
	code = sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK;
	sqlite3_close(db);
	return code;
}

static void versions_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct store_versions v;
	bool found;

	CHECK_OK(f, store_versions(f->dir, &v, &found, &f->err));
	CHECK("found", found);
	CHECK_INT("up to date", v.config, v.config_known);
	CHECK_OK(f, store_versions("/nowhere", &v, &found, &f->err));
	CHECK("none", !found);
	CHECK_OK(f, sql_exec(f->s, "PRAGMA user_version = 0", "setting a version", &f->err));
	CHECK_INT("older", reopen(f, STORE_WRITE).code, GH_E_UNAVAILABLE);
	CHECK("names the mending", strstr(f->err.message, "gatehouse migrate --state") != NULL);
	CHECK_INT("set by hand", number_set(f->dir, 999), 0);
	CHECK_INT("newer", reopen(f, STORE_WRITE).code, GH_E_UNAVAILABLE);
	CHECK("says so", strstr(f->err.message, "newer Gatehouse") != NULL);
	CHECK_INT("nowhere", store_open(&f->s, "/nowhere", STORE_READ, &f->err).code, GH_E_UNAVAILABLE);
	CHECK("names the mending", strstr(f->err.message, "gatehouse init") != NULL);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(a_killed_writer_loses_nothing),
		store_test(writers_take_turns),
		store_test(a_full_disk_is_an_error),
		store_test(a_locked_store_is_busy),
		store_test(telemetry_does_not_wait_for_the_configuration),
		store_test(a_read_is_one_state),
		store_test(a_damaged_file_is_an_error),
		store_test(secrets_need_the_key),
		store_test(a_read_only_store_is_an_error),
		store_test(tampering_is_found),
		store_test(migrations_are_all_or_nothing),
		store_test(versions_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
