/* Every write, sync and truncation of the store fails once, in turn: with an I/O error, with a full disk, and for ever from
 * there on. Whatever was reported as done must be there, whatever failed must be an error with a message, nothing may crash,
 * and the store must go on as soon as the disk does.
 *
 * The faults are made in a copy of the methods of SQLite's own file layer. */
#include "tests/unit/db/fixture.h"

#include "db/audit.h"
#include "db/environments.h"
#include "db/sql.h"

#include <ftw.h>

enum { METHODS_MAX = 8, CHANGE_STEPS = 40, CREATE_STEPS = 60 };

static struct {
	const sqlite3_io_methods *own;
	sqlite3_io_methods faulty;
} methods[METHODS_MAX];

static int left = -1;            /* operations until the fault; below 0: none */
static bool lasting;             /* the disk stays broken */
static int error_code;
static int hits;

static bool fails(void)
{
	if (left < 0)
		return false;
	if (left > 0) {
		left--;
		return false;
	}
	hits++;
	if (!lasting)
		left = -1;
	return true;
}

static const sqlite3_io_methods *own_of(const sqlite3_file *f)
{
	for (size_t i = 0; i < METHODS_MAX; i++)
		if (f->pMethods == &methods[i].faulty)
			return methods[i].own;
	abort();
}

static int faulty_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	return fails() ? error_code : own_of(f)->xWrite(f, p, n, at);
}

static int faulty_sync(sqlite3_file *f, int flags)
{
	return fails() ? SQLITE_IOERR_FSYNC : own_of(f)->xSync(f, flags);
}

static int faulty_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	return fails() ? SQLITE_IOERR_TRUNCATE : own_of(f)->xTruncate(f, n);
}

static int (*own_open)(sqlite3_vfs *, sqlite3_filename, sqlite3_file *, int, int *);

static int faulty_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *f, int flags, int *out)
{
	int code = own_open(vfs, name, f, flags, out);
	size_t i = 0;

	if (code != SQLITE_OK || !f->pMethods)
		return code;
	while (i < METHODS_MAX && methods[i].own && methods[i].own != f->pMethods)
		i++;
	assert_true(i < METHODS_MAX);
	if (!methods[i].own) {
		methods[i].own = f->pMethods;
		methods[i].faulty = *f->pMethods;
		methods[i].faulty.xWrite = faulty_write;
		methods[i].faulty.xSync = faulty_sync;
		methods[i].faulty.xTruncate = faulty_truncate;
	}
	f->pMethods = &methods[i].faulty;
	return code;
}

static gh_rc set_one(struct store *s, const char *name, struct gh_err *err)
{
	TRY(store_tx_begin(s, STR("test"), err));
	return store_tx_end(s, store_setting_set(s, str_of(name), STR("x"), err), err);
}

static bool is_there(struct fixture *f, const char *name)
{
	struct str value;
	bool found = false;

	CHECK_OK(f, store_setting_get(f->s, f->a, str_of(name), &value, &found, &f->err));
	return found;
}

static const struct {
	const char *label;
	int code;
	bool lasting;
} kinds[] = {
	{ "one I/O error", SQLITE_IOERR_WRITE, false },
	{ "the disk is full for a moment", SQLITE_FULL, false },
	{ "the disk stays broken", SQLITE_IOERR_WRITE, true },
	{ "the disk stays full", SQLITE_FULL, true },
};

static void arm(size_t kind, int steps)
{
	error_code = kinds[kind].code;
	lasting = kinds[kind].lasting;
	left = steps;
}

static void one_fault(struct fixture *f, size_t kind, int step)
{
	struct gh_err err = { 0 };
	char name[64];
	gh_rc rc;

	snprintf(name, sizeof(name), "s%zu.%d", kind, step);
	if (step % 4 == 0)               /* so that the log is moved into the file while faults come */
		sqlite3_wal_autocheckpoint(f->s->db, 1);
	else
		sqlite3_wal_autocheckpoint(f->s->db, 1000);
	arm(kind, step);
	rc = set_one(f->s, name, &err);
	left = -1;
	if (rc.code) {
		CHECK_INT(kinds[kind].label, rc.code, GH_E_IO);
		CHECK(kinds[kind].label, err.message[0] != '\0');
		CHECK(kinds[kind].label, !store_in_tx(f->s));
		CHECK_OK(f, set_one(f->s, name, &f->err));
	}
	CHECK(kinds[kind].label, is_there(f, name));
}

static void changes(void **state)
{
	struct fixture *f = *state;
	int64_t broken;

	hits = 0;
	for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++) {
		char name[64];

		for (int step = 0; step < CHANGE_STEPS; step++)
			one_fault(f, kind, step);
		store_free(f->s);
		f->s = NULL;
		CHECK_OK(f, store_open(&f->s, f->dir, STORE_WRITE, &f->err));
		for (int step = 0; step < CHANGE_STEPS; step++) {
			snprintf(name, sizeof(name), "s%zu.%d", kind, step);
			CHECK("after opening again", is_there(f, name));
		}
	}
	CHECK("faults were met", hits > 20);
	CHECK_OK(f, store_audit_verify(f->s, &broken, &f->err));
	CHECK_INT("audit chain", broken, 0);
	check_done();
}

static void making_a_store(void **state)
{
	struct fixture *f = *state;

	hits = 0;
	for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++)
		/* the kinds take turns: between them each other step has its fault, for half a minute less */
		for (int step = (int)kind * 2; step < CREATE_STEPS; step += 8) {
			char dir[64] = "/tmp/gatehouse-fault-XXXXXX";
			struct gh_err err = { 0 };
			struct store *s = NULL;
			struct store_check k;
			gh_rc rc;

			assert_non_null(mkdtemp(dir));
			arm(kind, step);
			rc = store_open(&s, dir, STORE_CREATE, &err);
			left = -1;
			CHECK(kinds[kind].label, !rc.code || (rc.code == GH_E_IO && err.message[0]));
			store_free(s);
			s = NULL;
			CHECK_OK(f, store_open(&s, dir, STORE_CREATE, &f->err));
			CHECK_OK(f, store_check(s, f->a, &k, &f->err));
			CHECK("whole after all", k.integrity && k.writable && k.config_version == migrate_known("config"));
			store_free(s);
			nftw(dir, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
		}
	CHECK("faults were met", hits > 20);
	check_done();
}

static void backups(void **state)
{
	struct fixture *f = *state;
	char path[128], part[160];

	hits = 0;
	snprintf(path, sizeof(path), "%s/copy.db", f->dir);
	snprintf(part, sizeof(part), "%s.part", path);
	for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++)
		for (int step = 0; step < CREATE_STEPS; step += 5) {
			struct gh_err err = { 0 };
			gh_rc rc;

			arm(kind, step);
			rc = store_backup(f->s, path, false, &err);
			left = -1;
			CHECK(kinds[kind].label, !rc.code || (rc.code == GH_E_IO && err.message[0]));
			CHECK("a copy that failed is not there", (access(path, F_OK) == 0) == !rc.code);
			CHECK("nor half of it", access(part, F_OK) < 0);
			unlink(path);
		}
	CHECK("faults were met", hits > 20);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { store_test(changes), store_test(making_a_store), store_test(backups) };
	sqlite3_vfs *own = sqlite3_vfs_find(NULL);
	static sqlite3_vfs faulty;

	if (!own)
		return 1;
	faulty = *own;
	faulty.zName = "faulty";
	own_open = own->xOpen;
	faulty.xOpen = faulty_open;
	sqlite3_vfs_register(&faulty, 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
