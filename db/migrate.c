/* migrate.c - brings a file of the store up to this program's schema.
 *
 * The version of a file is SQLite's user_version: the number of the last migration that ran. All missing ones run in one
 * transaction, so a file has the old schema or the new one and nothing between. Before that a file that holds anything is
 * copied beside itself (config.db.v3-20261121T060102); going back is putting the copy in place with the older program. */
#include "core/clock.h"
#include "core/latency.h"
#include "core/paths.h"
#include "core/str.h"
#include "db/migrate_calls.h"
#include "db/sql.h"

#include "schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static gh_rc run(sqlite3 *db, const char *text, const char *what, struct gh_err *err)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK
		       ? GH_RC_OK
		       : sqlite_fail(db, sqlite3_extended_errcode(db), what, err);
}

static gh_rc user_version(sqlite3 *db, unsigned *out, const char *what, struct gh_err *err)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	if (code == SQLITE_ROW)
		*out = (unsigned)sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return code == SQLITE_ROW ? GH_RC_OK : sqlite_fail(db, sqlite3_extended_errcode(db), what, err);
}

/* VACUUM INTO writes a consistent copy without the pages that are free. */
static gh_rc keep_copy(sqlite3 *db, const char *path, unsigned version, struct gh_err *err)
{
	char copy[PATHS_MAX + 64], when[CLOCK_ISO_MAX], *to = when;
	sqlite3_stmt *st = NULL;
	int code;

	clock_iso(clock_wall_us(), 0, when);
	for (const char *from = when; *from; from++)
		if (*from != '-' && *from != ':' && *from != 'Z')
			*to++ = *from;
	*to = '\0';
	snprintf(copy, sizeof(copy), "%s.v%u-%s", path, version, when);
	code = sqlite3_prepare_v2(db, "VACUUM INTO ?1", -1, &st, NULL);
	if (code == SQLITE_OK) {
		bind_str(st, 1, str_of(copy));
		code = sqlite3_step(st);
	}
	sqlite3_finalize(st);
	if (code != SQLITE_DONE)
		return sqlite_fail(db, sqlite3_extended_errcode(db), copy, err);
	chmod(copy, 0600);
	return GH_RC_OK;
}

/* latency_sum(BLOB): histograms (core/latency.h) added up, for migrations that make totals from totals. */
struct latency_sum {
	struct arena *a;
	struct latency sum;
	bool failed;
};

static void latency_sum_step(sqlite3_context *ctx, int n UNUSED, sqlite3_value **v)
{
	struct latency_sum *t = sqlite3_aggregate_context(ctx, sizeof(*t));
	struct str packed = { sqlite3_value_blob(v[0]), (size_t)sqlite3_value_bytes(v[0]) };

	if (t && !t->a)
		t->a = arena_new(1 << 20);
	if (t && (!t->a || !latency_unpack(&t->sum, t->a, packed)))
		t->failed = true;
}

static void latency_sum_end(sqlite3_context *ctx)
{
	struct latency_sum *t = sqlite3_aggregate_context(ctx, sizeof(*t));
	struct str packed = t && t->a && !t->failed ? latency_pack(&t->sum, t->a) : STR("");

	if (!packed.p)
		sqlite3_result_error_nomem(ctx);
	else
		sqlite3_result_blob64(ctx, packed.p, packed.n, SQLITE_TRANSIENT);
	if (t)
		arena_free(t->a);
}

static gh_rc apply(sqlite3 *db, const char *path, unsigned from, const char *name, const struct migration *v, size_t n,
		   struct gh_err *err)
{
	char text[64];
	unsigned last = from;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(v[i].file, name) != 0 || v[i].number <= last)
			continue;
		TRY(run(db, v[i].sql, v[i].name, err));
		last = v[i].number;
	}
	snprintf(text, sizeof(text), "PRAGMA user_version = %u", last);
	TRY(run(db, text, path, err));
	return run(db, "COMMIT", path, err);
}

static unsigned newest(const char *name, const struct migration *v, size_t n)
{
	unsigned most = 0;

	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].file, name) == 0 && v[i].number > most)
			most = v[i].number;
	return most;
}

static gh_rc migrate_db(sqlite3 *db, const char *path, const char *name, const struct migration *v, size_t n,
			struct gh_err *err)
{
	unsigned version = 0, known = newest(name, v, n);
	gh_rc rc;

	sqlite3_extended_result_codes(db, 1);
	sqlite3_busy_timeout(db, STORE_BUSY_TIMEOUT_MS);
	if (sqlite3_create_function_v2(db, "latency_sum", 1, SQLITE_UTF8, NULL, NULL, latency_sum_step, latency_sum_end, NULL) != SQLITE_OK
	    || !migrate_calls_functions(db))
		return sqlite_fail(db, sqlite3_extended_errcode(db), path, err);
	TRY(user_version(db, &version, path, err));
	if (version > known)
		FAIL(err, UNAVAILABLE, "%s was written by a newer Gatehouse (schema %u, this one knows %u)", path, version, known);
	if (version == 0)
		TRY(run(db, "PRAGMA journal_mode = WAL", path, err));
	if (version == known)
		return GH_RC_OK;
	if (version)
		TRY(keep_copy(db, path, version, err));
	TRY(run(db, "BEGIN IMMEDIATE", path, err));
	rc = user_version(db, &version, path, err);      /* another process may have been faster */
	if (!rc.code && version < known)
		rc = apply(db, path, version, name, v, n, err);
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

GH_RC migrate_file(const char *dir, const char *name, const struct migration *v, size_t n, struct gh_err *err)
{
	char path[PATHS_MAX], file[64];
	sqlite3 *db = NULL;
	gh_rc rc;

	snprintf(file, sizeof(file), "%s.db", name);
	TRY(paths_join(path, dir, file, err));
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		rc = sqlite_fail(db, db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM, path, err);
	else
		rc = migrate_db(db, path, name, v, n, err);
	sqlite3_close(db);
	return rc;
}

GH_RC migrate(const char *dir, struct gh_err *err)
{
	TRY(migrate_file(dir, "config", migrations, ARRAY_LEN(migrations), err));
	return migrate_file(dir, "telemetry", migrations, ARRAY_LEN(migrations), err);
}

unsigned migrate_known(const char *name)
{
	return newest(name, migrations, ARRAY_LEN(migrations));
}

static gh_rc version_of(const char *dir, const char *file, unsigned *out, bool *found, struct gh_err *err)
{
	char path[PATHS_MAX];
	sqlite3 *db = NULL;
	gh_rc rc;

	TRY(paths_join(path, dir, file, err));
	if (access(path, F_OK) != 0) {
		*found = false;
		return GH_RC_OK;
	}
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		rc = sqlite_fail(db, db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM, path, err);
	} else {
		sqlite3_busy_timeout(db, STORE_BUSY_TIMEOUT_MS);
		rc = user_version(db, out, path, err);
	}
	sqlite3_close(db);
	return rc;
}

GH_RC store_versions(const char *state_dir, struct store_versions *out, bool *found, struct gh_err *err)
{
	bool telemetry = true;

	*out = (struct store_versions){ .config_known = migrate_known("config"),
					.telemetry_known = migrate_known("telemetry") };
	*found = true;
	TRY(version_of(state_dir, "config.db", &out->config, found, err));
	return *found ? version_of(state_dir, "telemetry.db", &out->telemetry, &telemetry, err) : GH_RC_OK;
}
