/* store.h - the store: two SQLite files opened together, config.db (small, backed up, promoted) and telemetry.db (large,
 * prunable), in the state directory.
 *
 * One handle per thread: a handle holds a connection and its prepared statements and is not thread-safe; any number of
 * handles, in any number of processes, may be open. WAL mode: readers never wait for the writer.
 *
 * Reading: a single call sees one state. Several calls that must see the same state stand between store_read_begin and
 * store_read_end.
 *
 * Writing: every function that changes something must stand in a transaction, which names who acts:
 *
 *     TRY(store_tx_begin(s, STR("user:ann@example.com"), err));
 *     rc = store_product_create(s, &product, err);
 *     rc = store_tx_end(s, rc, err);              commits when rc is GH_RC_OK, else rolls back; returns the outcome
 *
 * In the same transaction each change writes an audit entry and raises the generation; after the commit the number is
 * published in DIR/generation (core/genfile.h). A commit that was reported as done survives kill -9 and power loss.
 *
 * "Not there" is an answer of a find (bool *found) and NOT_FOUND of an update or delete. Other errors: CONFLICT (an id or
 * path is taken, or something still refers to the row; the message says what), INVALID (a value the schema refuses), BUSY
 * (another writer held the store longer than the busy timeout), UNAVAILABLE (read-only), IO (disk full, damaged file).
 * After an error the handle stays usable.
 *
 * Rows are given as structs (`struct store_api`) whose texts live in the arena of the call. Times are microseconds since
 * 1970 (core/clock.h), 0 meaning none. Texts that are not given are STR_NULL where a column may be empty. */
#pragma once

#include "core/arena.h"
#include "core/error.h"
#include "core/genfile.h"

struct store;

enum store_mode {
	STORE_READ,              /* opens what is there; the schema must be of this version */
	STORE_WRITE,             /* the same, and may write */
	STORE_CREATE,            /* makes the files when missing and brings an older schema up to date, keeping a copy */
};

enum {
	STORE_BUSY_TIMEOUT_MS = 5000,
	STORE_LIST_MAX = 10000000,       /* rows one list call may return */
	STORE_PAGE_DEFAULT = 50,
	STORE_DOCUMENT_MAX = 64 << 20,   /* bytes of one API description */
	STORE_TEXT_MAX = 1 << 20,        /* bytes of any other text */
};

/* UNAVAILABLE when there is no store in state_dir (and mode is not STORE_CREATE) or its schema needs a migration, naming
 * the command that mends it. All statements are prepared here, so one that does not fit the schema fails the start. */
GH_RC store_open(struct store **out, const char *state_dir, enum store_mode mode, struct gh_err *err);
void store_free(struct store *s);                        /* rolls back what is open; NULL is fine */
const char *store_dir(const struct store *s);

/* Who looks through this handle (config/rights.h); NULL, as at first: a program of the operator, who sees all. Borrowed. */
struct rights;
void store_viewer_set(struct store *s, const struct rights *viewer);
const struct rights *store_viewer(const struct store *s);

GH_RC store_read_begin(struct store *s, struct gh_err *err);
void store_read_end(struct store *s);                    /* harmless when none is begun */

GH_RC store_tx_begin(struct store *s, struct str actor, struct gh_err *err);
GH_RC store_tx_commit(struct store *s, struct gh_err *err);      /* on failure it has been rolled back */
void store_tx_rollback(struct store *s);                 /* harmless when none is begun */
/* Commits when `so_far` is GH_RC_OK, else rolls back and returns so_far. */
GH_RC store_tx_end(struct store *s, gh_rc so_far, struct gh_err *err);
bool store_in_tx(const struct store *s);

/* A name that is made once: 16 hexadecimal digits. */
GH_RC store_new_id(struct arena *a, struct str *out, struct gh_err *err);

/* The numbers as the store has them: the truth behind core/genfile.h. */
GH_RC store_generation(struct store *s, uint64_t out[GENFILE__COUNT], struct gh_err *err);
/* A text that is another one after each change: who has made a plan sees by it whether the configuration is still the one that was
 * planned for. */
GH_RC store_state(struct store *s, struct arena *a, struct str *out, struct gh_err *err);
/* Publishes them again: mends what a process that was killed between commit and publishing left behind. Opening for writing
 * does it; the keeper does it once a second. */
GH_RC store_generation_publish(struct store *s, struct gh_err *err);

/* A window of a list, for pages: at most `limit` rows (0: all) after skipping `offset`; `search` keeps rows whose id, name
 * or the like contains the text, without ASCII case. NULL in place of a page: everything. */
struct store_page {
	struct str search;
	size_t offset, limit;
};

/* ---- upkeep: backup, check -------------------------------------------------------------------------------------------- */

/* A consistent copy of the configuration (with telemetry: of both, as PATH and PATH.telemetry) while others go on. */
GH_RC store_backup(struct store *s, const char *path, bool telemetry, struct gh_err *err);
/* Puts a copy in place of the configuration of state_dir, after checking it. What was there is kept as
 * config.db.before-restore, or as config.db.damaged when it cannot be read. Other programs may go on: they see one change of
 * the whole configuration (after a damaged file they have to be started again). Sessions of the copy are dropped. */
GH_RC store_restore(const char *state_dir, const char *path, struct gh_err *err);

struct store_check {
	bool integrity, foreign_keys, audit_chain, generation_published, writable;
	int64_t config_bytes, telemetry_bytes;
	unsigned config_version, telemetry_version;      /* of the schema */
	struct str detail;                               /* first thing that is wrong; STR_NULL when nothing */
};
GH_RC store_check(struct store *s, struct arena *a, struct store_check *out, struct gh_err *err);
/* Versions in the files and versions this program knows, without opening the store for use. *found: config.db is there; a
 * telemetry.db that is missing has version 0. */
struct store_versions {
	unsigned config, telemetry, config_known, telemetry_known;
};
GH_RC store_versions(const char *state_dir, struct store_versions *out, bool *found, struct gh_err *err);
