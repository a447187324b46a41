/* old_store.h - a telemetry.db as a program of before has left it, for tests of migrations. */
#pragma once

#include "tests/unit/db/fixture.h"

#include "db/sql.h"

#include "schema.h"

/* In place of the fixture's store, which is closed: one that has the migrations up to `newest` only. The caller closes the handle. */
static sqlite3 *old_telemetry(struct fixture *f, unsigned newest)
{
	struct migration old[ARRAY_LEN(migrations)];
	char path[160];
	size_t n = 0;
	sqlite3 *db;

	store_free(f->s);
	f->s = NULL;
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/telemetry.db%s", f->dir, i == 0 ? "" : i == 1 ? "-wal" : "-shm");
		remove(path);
	}
	for (size_t i = 0; i < ARRAY_LEN(migrations); i++)
		if (strcmp(migrations[i].file, "telemetry") == 0 && migrations[i].number <= newest)
			old[n++] = migrations[i];
	CHECK_OK(f, migrate_file(f->dir, "telemetry", old, n, &f->err));
	snprintf(path, sizeof(path), "%s/telemetry.db", f->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}
