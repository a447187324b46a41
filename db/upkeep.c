/* upkeep.c - copies of the store and a look at its health. */
#include "core/paths.h"
#include "core/str.h"
#include "db/audit.h"
#include "db/environments.h"
#include "db/sql.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKUP_PAGES = 1024, BACKUP_PAUSE_MS = 5 };

/* ---- copies ----------------------------------------------------------------------------------------------------------- */

static gh_rc copy_pages(struct store *s, const char *schema, sqlite3 *to, const char *path, struct gh_err *err)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", s->db, schema);
	int code;

	if (!b)
		return sqlite_fail(to, sqlite3_extended_errcode(to), path, err);
	do {
		code = sqlite3_backup_step(b, BACKUP_PAGES);
		if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
			sqlite3_sleep(BACKUP_PAUSE_MS);
	} while (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED);
	sqlite3_backup_finish(b);
	if (code != SQLITE_DONE)
		return sqlite_fail(NULL, code, path, err);
	return GH_RC_OK;
}

/* The copy is one file in rollback mode: it can be moved about without its -wal. */
static gh_rc finish_copy(sqlite3 *to, const char *path, struct gh_err *err)
{
	return sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) == SQLITE_OK
		       ? GH_RC_OK
		       : sqlite_fail(to, sqlite3_extended_errcode(to), path, err);
}

static gh_rc copy_to(struct store *s, const char *schema, const char *path, struct gh_err *err)
{
	char draft[PATHS_MAX];
	sqlite3 *to = NULL;
	gh_rc rc = GH_RC_OK;

	if (snprintf(draft, sizeof(draft), "%s.part", path) >= (int)sizeof(draft))
		FAIL(err, INVALID, "%.60s...: path is too long", path);
	unlink(draft);
	if (sqlite3_open_v2(draft, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		rc = sqlite_fail(to, to ? sqlite3_extended_errcode(to) : SQLITE_NOMEM, draft, err);
	if (!rc.code)
		chmod(draft, 0600);
	if (!rc.code)
		rc = copy_pages(s, schema, to, draft, err);
	if (!rc.code)
		rc = finish_copy(to, draft, err);
	sqlite3_close(to);
	if (!rc.code && rename(draft, path) < 0)
		rc = gh_err_set(err, GH_E_IO, __FILE__, __LINE__, "%s: %s", path, strerror(errno));
	if (rc.code)
		unlink(draft);
	return rc;
}

GH_RC store_backup(struct store *s, const char *path, bool telemetry, struct gh_err *err)
{
	char second[PATHS_MAX];

	TRY(copy_to(s, "main", path, err));
	if (!telemetry)
		return GH_RC_OK;
	if (snprintf(second, sizeof(second), "%s.telemetry", path) >= (int)sizeof(second))
		FAIL(err, INVALID, "%.60s...: path is too long", path);
	return copy_to(s, "telemetry", second, err);
}

/* First column of the first row of a question to a file. */
static gh_rc ask(sqlite3 *db, const char *sql, const char *path, int64_t *number, char *text, size_t n, struct gh_err *err)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	if (code == SQLITE_ROW) {
		const char *found = (const char *)sqlite3_column_text(st, 0);

		*number = sqlite3_column_int64(st, 0);
		snprintf(text, n, "%s", found ? found : "");
	}
	sqlite3_finalize(st);
	if (code == SQLITE_DONE) {
		*number = 0;
		*text = '\0';
		return GH_RC_OK;
	}
	return code == SQLITE_ROW ? GH_RC_OK : sqlite_fail(db, sqlite3_extended_errcode(db), path, err);
}

/* Is the file a whole store of ours, with a schema that this program can use? */
static gh_rc check_copy(sqlite3 *db, const char *path, struct gh_err *err)
{
	char text[256];
	int64_t version, ignored;

	TRY(ask(db, "PRAGMA user_version", path, &version, text, sizeof(text), err));
	TRY(ask(db, "PRAGMA integrity_check(1)", path, &ignored, text, sizeof(text), err));
	if (strcmp(text, "ok") != 0)
		FAIL(err, INVALID, "%s: the copy is damaged: %s", path, text);
	if (version < 1 || version > migrate_known("config"))
		FAIL(err, INVALID, "%s: this is no copy of a store, or it was made by a newer Gatehouse (schema %lld)", path,
		     (long long)version);
	return ask(db, "SELECT config FROM generation", path, &ignored, text, sizeof(text), err);
}

/* Whoever has the old configuration must see that it is not the present one: the numbers go on from where they were. A
 * sign-in that has ended since the copy was made must not come back. */
static gh_rc continue_generation(sqlite3 *db, const char *state_dir, const char *path, struct gh_err *err)
{
	struct genfile *g;
	char text[256];

	TRY(genfile_open(&g, state_dir, true, err));
	snprintf(text, sizeof(text), "UPDATE generation SET config = max(config, %llu) + 1, access = max(access, %llu) + 1; DELETE FROM session",
		 (unsigned long long)genfile_get(g, GENFILE_CONFIG), (unsigned long long)genfile_get(g, GENFILE_ACCESS));
	genfile_free(g);
	return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK
		       ? GH_RC_OK
		       : sqlite_fail(db, sqlite3_extended_errcode(db), path, err);
}

static gh_rc replace_pages(const char *state_dir, sqlite3 *from, const char *path, struct gh_err *err)
{
	struct store to = { 0 };
	char target[PATHS_MAX];
	gh_rc rc = GH_RC_OK;

	TRY(paths_join(target, state_dir, "config.db", err));
	if (sqlite3_open_v2(target, &to.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		rc = sqlite_fail(to.db, to.db ? sqlite3_extended_errcode(to.db) : SQLITE_NOMEM, target, err);
	if (!rc.code) {
		struct store source = { .db = from };

		sqlite3_busy_timeout(to.db, STORE_BUSY_TIMEOUT_MS);
		rc = copy_pages(&source, "main", to.db, path, err);
	}
	if (!rc.code && sqlite3_exec(to.db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) != SQLITE_OK)
		rc = sqlite_fail(to.db, sqlite3_extended_errcode(to.db), target, err);
	if (!rc.code)
		rc = continue_generation(to.db, state_dir, target, err);
	sqlite3_close(to.db);
	return rc;
}

static gh_rc copy_present(const char *state_dir, struct gh_err *err)
{
	char kept[PATHS_MAX];
	struct store *s;
	gh_rc rc;

	TRY(store_open(&s, state_dir, STORE_READ, err));
	rc = paths_join(kept, state_dir, "config.db.before-restore", err);
	if (!rc.code)
		rc = store_backup(s, kept, false, err);
	store_free(s);
	return rc;
}

/* A file that cannot be read is put aside as it is, with its log: somebody may still want to look at it. */
static gh_rc put_aside(const char *state_dir, struct gh_err *err)
{
	static const char *const files[] = { "config.db", "config.db-wal", "config.db-shm" };
	char from[PATHS_MAX], to[PATHS_MAX + 16];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		TRY(paths_join(from, state_dir, files[i], err));
		snprintf(to, sizeof(to), "%s.damaged", from);
		if (rename(from, to) < 0 && errno != ENOENT)
			FAIL(err, IO, "%s: %s", from, strerror(errno));
	}
	return GH_RC_OK;
}

static gh_rc keep_present(const char *state_dir, struct gh_err *err)
{
	char path[PATHS_MAX];
	struct gh_err why;

	TRY(paths_join(path, state_dir, "config.db", err));
	if (access(path, F_OK) < 0 || !copy_present(state_dir, &why).code)
		return GH_RC_OK;
	if (why.code == GH_E_BUSY || why.code == GH_E_NOMEM) {
		*err = why;
		return (gh_rc){ why.code };
	}
	return put_aside(state_dir, err);
}

GH_RC store_restore(const char *state_dir, const char *path, struct gh_err *err)
{
	sqlite3 *from = NULL;
	struct store *s;
	gh_rc rc = GH_RC_OK;

	if (sqlite3_open_v2(path, &from, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		rc = sqlite_fail(from, from ? sqlite3_extended_errcode(from) : SQLITE_NOMEM, path, err);
	if (!rc.code)
		rc = check_copy(from, path, err);
	if (!rc.code)
		rc = keep_present(state_dir, err);
	if (!rc.code)
		rc = replace_pages(state_dir, from, path, err);
	sqlite3_close(from);
	TRY(rc);
	TRY(store_open(&s, state_dir, STORE_CREATE, err));       /* migrates an older copy, publishes the generation */
	store_free(s);
	return GH_RC_OK;
}

/* ---- health ----------------------------------------------------------------------------------------------------------- */

static void wrong(struct arena *a, struct store_check *out, bool *part, const char *what, const char *detail)
{
	*part = false;
	if (!out->detail.p)
		out->detail = arena_printf(a, "%s%s%s", what, *detail ? ": " : "", detail);
}

static gh_rc check_files(struct store *s, struct arena *a, struct store_check *out, struct gh_err *err)
{
	char text[512];
	int64_t n, broken;

	out->integrity = out->foreign_keys = out->audit_chain = true;
	TRY(ask(s->db, "PRAGMA main.quick_check(1)", "config.db", &n, text, sizeof(text), err));
	if (strcmp(text, "ok") != 0)
		wrong(a, out, &out->integrity, "config.db is damaged", text);
	TRY(ask(s->db, "PRAGMA telemetry.quick_check(1)", "telemetry.db", &n, text, sizeof(text), err));
	if (strcmp(text, "ok") != 0)
		wrong(a, out, &out->integrity, "telemetry.db is damaged", text);
	TRY(ask(s->db, "PRAGMA main.foreign_key_check", "config.db", &n, text, sizeof(text), err));
	if (*text)
		wrong(a, out, &out->foreign_keys, "a row refers to nothing, in table", text);
	TRY(store_audit_verify(s, &broken, err));
	snprintf(text, sizeof(text), "%lld", (long long)broken);
	if (broken)
		wrong(a, out, &out->audit_chain, "the audit trail was changed at entry", text);
	return GH_RC_OK;
}

static int64_t size_of(const char *dir, const char *name)
{
	char path[PATHS_MAX];
	struct stat st;

	return !paths_join(path, dir, name, NULL).code && stat(path, &st) == 0 ? st.st_size : 0;
}

/* Takes the writer's lock and a page, and gives both back. */
static void try_writing(struct store *s, struct arena *a, struct store_check *out)
{
	struct gh_err err = { 0 };
	gh_rc rc;

	out->writable = true;
	if (s->mode == STORE_READ)
		return;
	rc = store_tx_begin(s, STR("check"), &err);
	if (!rc.code)
		rc = store_setting_set(s, STR("check"), STR("rolled back"), &err);
	store_tx_rollback(s);
	if (rc.code)
		wrong(a, out, &out->writable, "the store cannot be written", err.message);
}

static gh_rc check_generation(struct store *s, struct arena *a, struct store_check *out, struct gh_err *err)
{
	uint64_t row[GENFILE__COUNT];
	struct genfile *g;

	TRY(store_generation(s, row, err));
	TRY(genfile_open(&g, s->dir, false, err));
	out->generation_published = true;
	for (int i = 0; i < GENFILE__COUNT; i++)
		if (genfile_get(g, (enum genfile_kind)i) != row[i])
			wrong(a, out, &out->generation_published, "DIR/generation differs from the store", "");
	genfile_free(g);
	return GH_RC_OK;
}

GH_RC store_check(struct store *s, struct arena *a, struct store_check *out, struct gh_err *err)
{
	struct store_versions v;
	bool found;

	*out = (struct store_check){ .config_bytes = size_of(s->dir, "config.db"),
				     .telemetry_bytes = size_of(s->dir, "telemetry.db") };
	TRY(store_versions(s->dir, &v, &found, err));
	out->config_version = v.config;
	out->telemetry_version = v.telemetry;
	TRY(check_files(s, a, out, err));
	TRY(check_generation(s, a, out, err));
	try_writing(s, a, out);
	return GH_RC_OK;
}
