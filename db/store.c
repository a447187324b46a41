/* store.c - opening, transactions, the generation.
 *
 * A transaction of the configuration must not lock telemetry.db, or the keeper's drains and an administrator's changes
 * would wait for each other. BEGIN IMMEDIATE locks every attached file, so a transaction begins deferred and takes the
 * lock of config.db by a write that changes nothing. It also takes it before the first read, so a transaction never fails
 * half-way because somebody else wrote in between. */
#include "db/store.h"

#include "core/paths.h"
#include "core/str.h"
#include "db/audit.h"
#include "db/call_block.h"
#include "db/sql.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MMAP_BYTES = 1 << 30,
	CACHE_KIB = 16384,
	WAL_KEPT_BYTES = 64 << 20,       /* a larger one is cut after a checkpoint */
	READ_BUSY_TIMEOUT_MS = 1000,     /* readers wait only while a store is recovered or handed over */
};

static gh_rc prepare_all(struct store *s, struct gh_err *err)
{
	for (int i = 0; i < SQL__COUNT; i++)
		if (sqlite3_prepare_v3(s->db, sql_text[i], -1, SQLITE_PREPARE_PERSISTENT, &s->stmt[i], NULL) != SQLITE_OK) {
			gh_rc rc = sql_fail(s, NULL, "preparing a statement", err);

			gh_err_prefix(err, "%.200s", sql_text[i]);
			return rc;
		}
	return GH_RC_OK;
}

static gh_rc attach(struct store *s, struct gh_err *err)
{
	char path[PATHS_MAX];
	sqlite3_stmt *st;
	int code;

	TRY(paths_join(path, s->dir, "telemetry.db", err));
	if (sqlite3_prepare_v2(s->db, "ATTACH DATABASE ?1 AS telemetry", -1, &st, NULL) != SQLITE_OK)
		return sql_fail(s, NULL, path, err);
	bind_str(st, 1, str_of(path));
	code = sqlite3_step(st);
	sqlite3_finalize(st);
	return code == SQLITE_DONE ? GH_RC_OK : sql_fail(s, NULL, path, err);
}

static gh_rc set_pragmas(struct store *s, struct gh_err *err)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "PRAGMA foreign_keys = ON; PRAGMA main.synchronous = FULL; PRAGMA telemetry.synchronous = NORMAL;"
		 "PRAGMA main.cache_size = -%d; PRAGMA telemetry.cache_size = -%d; PRAGMA main.mmap_size = %d;"
		 "PRAGMA main.journal_size_limit = %d; PRAGMA telemetry.journal_size_limit = %d;"
		 "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;",
		 CACHE_KIB, CACHE_KIB, MMAP_BYTES, WAL_KEPT_BYTES, WAL_KEPT_BYTES);
	return sql_exec(s, text, "setting up the store", err);
}

/* Files of an older or newer schema are told apart before a statement fails on them. */
static gh_rc check_versions(const char *dir, struct gh_err *err)
{
	struct store_versions v;
	bool found;

	TRY(store_versions(dir, &v, &found, err));
	if (!found)
		FAIL(err, UNAVAILABLE, "there is no store in %s; make one with: gatehouse init --state %s --admin EMAIL", dir,
		     dir);
	if (v.config > v.config_known || v.telemetry > v.telemetry_known)
		FAIL(err, UNAVAILABLE, "the store in %s was written by a newer Gatehouse (schema %u, this one knows %u)", dir,
		     v.config, v.config_known);
	if (v.config < v.config_known || v.telemetry < v.telemetry_known)
		FAIL(err, UNAVAILABLE, "the store in %s has an older schema (%u, this Gatehouse needs %u); bring it up to "
		     "date with: gatehouse migrate --state %s", dir, v.config, v.config_known, dir);
	return GH_RC_OK;
}

static gh_rc open_files(struct store *s, struct gh_err *err)
{
	int flags = (s->mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX;
	char path[PATHS_MAX];

	TRY(paths_join(path, s->dir, "config.db", err));
	if (sqlite3_open_v2(path, &s->db, flags, NULL) != SQLITE_OK) {
		gh_rc rc = sqlite_fail(s->db, s->db ? sqlite3_extended_errcode(s->db) : SQLITE_NOMEM, path, err);

		return rc;
	}
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, s->mode == STORE_READ ? READ_BUSY_TIMEOUT_MS : STORE_BUSY_TIMEOUT_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, STORE_DOCUMENT_MAX + STORE_TEXT_MAX);
	TRY(attach(s, err));
	TRY(set_pragmas(s, err));
	TRY(search_rank_add(s->db, err));
	return prepare_all(s, err);
}

/* SQLite counts what it allocates under a lock of its own, which nobody here asks for: a twentieth of a drain. It takes the
 * setting before its first use only. */
static void count_no_memory(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

GH_RC store_open(struct store **out, const char *state_dir, enum store_mode mode, struct gh_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct store *s = calloc(1, sizeof(*s));
	gh_rc rc;

	pthread_once(&once, count_no_memory);
	if (!s)
		FAIL(err, NOMEM, "opening a store");
	s->mode = mode;
	rc = strlen(state_dir) < sizeof(s->dir)
		     ? GH_RC_OK
		     : gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, "%.60s...: path is too long", state_dir);
	if (!rc.code)
		memcpy(s->dir, state_dir, strlen(state_dir) + 1);
	if (!rc.code && mode == STORE_CREATE)
		rc = migrate(state_dir, err);
	if (!rc.code)
		rc = check_versions(state_dir, err);
	if (!rc.code)
		rc = open_files(s, err);
	if (!rc.code)
		rc = seal_load_keys(s, err);
	if (!rc.code && mode != STORE_READ)
		rc = genfile_open(&s->gen, state_dir, true, err);
	if (!rc.code && mode != STORE_READ)
		rc = store_generation_publish(s, err);
	if (rc.code) {
		store_free(s);
		return rc;
	}
	*out = s;
	return GH_RC_OK;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	store_tx_rollback(s);
	store_read_end(s);
	for (int i = 0; i < SQL__COUNT; i++)
		sqlite3_finalize(s->stmt[i]);
	sqlite3_close(s->db);
	genfile_free(s->gen);
	call_blocks_free(s->blocks);
	crypto_wipe(s->key, sizeof(s->key));
	crypto_wipe(s->other, sizeof(s->other));
	free(s);
}

const char *store_dir(const struct store *s)
{
	return s->dir;
}

/* ---- transactions ----------------------------------------------------------------------------------------------------- */

GH_RC store_read_begin(struct store *s, struct gh_err *err)
{
	uint64_t fixed[GENFILE__COUNT];
	gh_rc rc;

	if (s->in_tx || s->in_read)
		FAIL(err, INTERNAL, "a read begins inside another transaction");
	TRY(sql_exec(s, "BEGIN", "beginning a read", err));
	s->in_read = true;
	rc = store_generation(s, fixed, err);    /* the first read fixes the state that is seen */
	if (rc.code)
		store_read_end(s);
	return rc;
}

void store_read_end(struct store *s)
{
	if (s->in_read)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	s->in_read = false;
}

void store_viewer_set(struct store *s, const struct rights *viewer)
{
	s->viewer = viewer;
}

const struct rights *store_viewer(const struct store *s)
{
	return s->viewer;
}

GH_RC store_tx_begin(struct store *s, struct str actor, struct gh_err *err)
{
	gh_rc rc;

	if (s->mode == STORE_READ)
		FAIL(err, UNAVAILABLE, "the store was opened for reading only");
	if (s->in_tx || s->in_read)
		FAIL(err, INTERNAL, "a transaction begins inside another one");
	TRY(sql_exec(s, "BEGIN", "beginning a transaction", err));
	s->in_tx = true;
	s->raises = 0;
	s->has_last_hash = s->key_checked = false;
	snprintf(s->actor, sizeof(s->actor), "%.*s", STR_ARG(str_first(actor, sizeof(s->actor) - 1)));
	rc = sql_done(s, sql_use(s, SQL_TAKE_LOCK), err);
	if (rc.code)
		store_tx_rollback(s);
	return rc;
}

static gh_rc raise_generation(struct store *s, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_GENERATION_RAISE);

	bind_int(st, 1, s->raises & RAISES_CONFIG ? 1 : 0);
	bind_int(st, 2, s->raises & RAISES_ACCESS ? 1 : 0);
	return sql_done(s, st, err);
}

GH_RC store_tx_commit(struct store *s, struct gh_err *err)
{
	bool raised = s->raises != 0;
	gh_rc rc = GH_RC_OK;

	if (!s->in_tx)
		FAIL(err, INTERNAL, "there is no transaction to commit");
	if (s->raises & RAISES_CONFIG)
		rc = catalog_refresh(s, err);
	if (!rc.code && raised)
		rc = raise_generation(s, err);
	if (!rc.code)
		rc = sql_exec(s, "COMMIT", "committing", err);
	if (rc.code) {
		store_tx_rollback(s);
		return rc;
	}
	s->in_tx = false;
	s->holds_audit = false;
	s->raises = 0;
	/* what is committed stays so: a number that could not be read now is published by the next one who opens the store */
	if (raised)
		rc = store_generation_publish(s, NULL);
	return GH_RC_OK;
}

void store_tx_rollback(struct store *s)
{
	/* a full disk may have rolled it back already */
	if (s->in_tx && !sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	s->in_tx = false;
	s->holds_audit = false;
	s->raises = 0;
}

GH_RC store_tx_end(struct store *s, gh_rc so_far, struct gh_err *err)
{
	if (so_far.code) {
		store_tx_rollback(s);
		return so_far;
	}
	return store_tx_commit(s, err);
}

bool store_in_tx(const struct store *s)
{
	return s->in_tx;
}

/* ---- the generation --------------------------------------------------------------------------------------------------- */

GH_RC store_generation(struct store *s, uint64_t out[GENFILE__COUNT], struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_GENERATION_GET);
	bool row;

	TRY(sql_step(s, st, &row, err));
	if (!row)
		FAIL(err, IO, "the store has lost its generation; restore a backup");
	out[GENFILE_CONFIG] = (uint64_t)sqlite3_column_int64(st, 0);
	out[GENFILE_ACCESS] = (uint64_t)sqlite3_column_int64(st, 1);
	sqlite3_reset(st);
	return GH_RC_OK;
}

GH_RC store_state(struct store *s, struct arena *a, struct str *out, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_AUDIT_LAST_CHANGE);
	uint64_t now[GENFILE__COUNT];
	int64_t seq = 0;
	bool row;

	TRY(sql_step(s, st, &row, err));         /* what raises no number is in the trail */
	if (row) {
		seq = sqlite3_column_int64(st, 0);
		sqlite3_reset(st);
	}
	TRY(store_generation(s, now, err));
	*out = arena_printf(a, "%llu.%llu.%lld", (unsigned long long)now[GENFILE_CONFIG], (unsigned long long)now[GENFILE_ACCESS], (long long)seq);
	if (!out->p)
		FAIL(err, NOMEM, "state");
	return GH_RC_OK;
}

GH_RC store_generation_publish(struct store *s, struct gh_err *err)
{
	uint64_t now[GENFILE__COUNT];

	if (!s->gen)
		FAIL(err, UNAVAILABLE, "the store was opened for reading only");
	TRY(store_generation(s, now, err));
	for (int i = 0; i < GENFILE__COUNT; i++)
		genfile_raise(s->gen, (enum genfile_kind)i, now[i]);
	return GH_RC_OK;
}
