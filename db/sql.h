/* sql.h - how the files of db/ speak to SQLite. For db/ only.
 *
 * Every statement stands in a table, one db/SUBJECT.def a subject, and has a number. Statements are prepared when a store is
 * opened, so one that does not fit the schema fails the start (and a unit test); they are kept until it is closed.
 *
 * A row type is described once, by a table of fields: which member of the struct stands in which column. The same table
 * binds parameters (?1, ?2 … in its order), reads result columns (in its order) and prints the row for the audit trail. */
#pragma once

#include "core/buf.h"
#include "core/crypto.h"
#include "core/paths.h"
#include "db/store.h"

#include <sqlite3.h>

enum sql {
#define SQL(id, text) SQL_##id,
#include "db/sql.def"
#undef SQL
	SQL__COUNT
};
extern const char *const sql_text[SQL__COUNT];

enum field_kind {
	FIELD_TEXT,              /* struct str; STR_NULL is written as '' */
	FIELD_REF,               /* struct str; empty and STR_NULL are written as NULL, NULL is read as STR_NULL */
	FIELD_BLOB,              /* struct str; the same, as bytes */
	FIELD_INT,               /* int64_t */
	FIELD_BOOL,              /* bool */
	FIELD_TIME,              /* int64_t microseconds; only the audit trail tells it from an INT */
};
struct field {
	const char *name;        /* in the audit trail; NULL: never shown there (secrets, large bytes) */
	enum field_kind kind;
	size_t offset;
};
#define FIELD(type, kind, member) { #member, FIELD_##kind, offsetof(struct type, member) }
#define FIELD_HIDDEN(type, kind, member) { NULL, FIELD_##kind, offsetof(struct type, member) }

struct row_type {
	const char *kind;        /* "product": for messages and the audit trail */
	const struct field *fields;
	size_t n;
	size_t size;             /* of the struct */
};
#define ROW_TYPE(kind, type, fields) { (kind), (fields), ARRAY_LEN(fields), sizeof(struct type) }

struct store {
	sqlite3 *db;
	sqlite3_stmt *stmt[SQL__COUNT];
	char dir[4096];
	enum store_mode mode;
	struct genfile *gen;
	bool in_tx, in_read;
	bool full;                               /* the last failure was a full disk */
	struct call_blocks *blocks;              /* of the open drain: db/call_block.h */
	unsigned raises;                         /* bits 1 << enum genfile_kind, of the open transaction */
	char actor[256];
	bool has_key, has_other, key_checked;    /* of sealed values: db/seal.c; checked: in the open transaction */
	uint8_t key[CRYPTO_KEY_BYTES];           /* what is sealed with */
	uint8_t other[CRYPTO_KEY_BYTES];         /* what may have been sealed with, while the key is being changed */
	char key_id[PATHS_KEY_ID_MAX];
	bool has_last_hash;                      /* of the newest audit entry, within the open transaction */
	uint8_t last_hash[CRYPTO_SHA256_BYTES];
	int64_t last_seq;
	const struct rights *viewer;             /* db/store.h */
	bool holds_audit;                        /* entries are written by who holds them: db/resources.h */
};

/* What SQLite reports, as one of our errors: "WHAT: message". Resets st when given. */
gh_rc sql_fail(struct store *s, sqlite3_stmt *st, const char *what, struct gh_err *err);

/* The statement, reset and with no parameter bound. */
sqlite3_stmt *sql_use(struct store *s, enum sql which);
/* Binding: sticky in SQLite's own way, the step fails when one did. Texts must live until the statement is reset. */
void bind_str(sqlite3_stmt *st, int at, struct str s);           /* STR_NULL is '' */
void bind_ref(sqlite3_stmt *st, int at, struct str s);           /* empty is NULL */
void bind_blob(sqlite3_stmt *st, int at, struct str s);          /* STR_NULL is NULL */
void bind_int(sqlite3_stmt *st, int at, int64_t v);
void bind_row(sqlite3_stmt *st, const struct row_type *t, const void *row);
/* The pattern of LIKE (ESCAPE '\') for texts that hold the part, of which 200 bytes count; '%' for an empty one. The caller keeps it until
 * the statement has run. */
void bind_part(sqlite3_stmt *st, int at, struct str part, char pattern[512]);
/* ?at LIKE pattern, ?at+1 limit, ?at+2 offset */
void bind_page(sqlite3_stmt *st, int at, const struct store_page *page, char pattern[512]);

/* One step. *row is false at the end, and then the statement is reset. */
GH_RC sql_step(struct store *s, sqlite3_stmt *st, bool *row, struct gh_err *err);
/* Steps to the end, which must give no row. */
GH_RC sql_done(struct store *s, sqlite3_stmt *st, struct gh_err *err);
/* A column as text in the arena; NULL is STR_NULL. NOMEM leaves .p NULL and *ok false. */
struct str column_str(sqlite3_stmt *st, int at, struct arena *a, bool *ok);
struct str column_text(sqlite3_stmt *st, int at);         /* borrowed until the next step */
GH_RC read_row(sqlite3_stmt *st, const struct row_type *t, struct arena *a, void *row, struct gh_err *err);
/* Steps once, reads the row when there is one, resets. */
GH_RC find_row(struct store *s, sqlite3_stmt *st, const struct row_type *t, struct arena *a, void *row, bool *found,
	       struct gh_err *err);
/* All rows as an array in the arena. */
GH_RC list_rows(struct store *s, sqlite3_stmt *st, const struct row_type *t, struct arena *a, void *out, size_t *n,
		struct gh_err *err);
/* One number. */
GH_RC find_int(struct store *s, sqlite3_stmt *st, int64_t *out, bool *found, struct gh_err *err);
GH_RC sql_exec(struct store *s, const char *text, const char *what, struct gh_err *err);

/* ---- changes ---------------------------------------------------------------------------------------------------------- */

enum { RAISES_NOTHING = 0, RAISES_CONFIG = 1 << GENFILE_CONFIG, RAISES_ACCESS = 1 << GENFILE_ACCESS,
       RAISES_BOTH = RAISES_CONFIG | RAISES_ACCESS };

/* What a change is called in the audit trail and which numbers it raises. */
struct change {
	const char *action;              /* "create"; NULL: no audit entry (sessions) */
	const char *kind;                /* "product" */
	struct str id;
	struct str detail;               /* JSON; STR_NULL: none */
	unsigned raises;
	bool must_exist;                 /* a statement that touches no row is NOT_FOUND */
};

/* The usual three, of something that is part of the snapshot. */
#define CHANGE_ADD(row_id) ((struct change){ .action = "create", .id = (row_id), .raises = RAISES_CONFIG })
#define CHANGE_SET(row_id) ((struct change){ .action = "update", .id = (row_id), .raises = RAISES_CONFIG, .must_exist = true })
#define CHANGE_DROP(what)                                                                                       \
	((struct change){ .action = "delete", .kind = (what), .raises = RAISES_CONFIG, .must_exist = true })

/* UNAVAILABLE or INTERNAL unless a transaction is open. */
GH_RC change_begin(struct store *s, struct gh_err *err);
/* Runs a bound statement as a change: constraint errors become readable, the audit entry is written. */
GH_RC change_run(struct store *s, sqlite3_stmt *st, const struct change *c, struct gh_err *err);
/* Binds the row, runs it, and records the row as detail. */
GH_RC change_row(struct store *s, enum sql which, const struct row_type *t, const void *row, struct change c,
		 struct gh_err *err);
/* Binds one or two keys; b STR_NULL: one. */
GH_RC change_keys(struct store *s, enum sql which, struct str a, struct str b, struct change c, struct gh_err *err);
/* Only the audit entry and the numbers. */
GH_RC change_note(struct store *s, const struct change *c, struct gh_err *err);
void row_json(struct buf *b, const struct row_type *t, const void *row);

/* Sealed values: associated is "KIND:ID" of what holds them. UNAVAILABLE without a master key. STR_NULL stays STR_NULL. */
GH_RC store_seal(struct store *s, struct arena *a, const char *kind, struct str id, struct str plain, struct str *out,
		 struct gh_err *err);
GH_RC store_unseal(struct store *s, struct arena *a, const char *kind, struct str id, struct str sealed, struct str *out,
		   struct gh_err *err);
/* Reads the keys and which of them is the store's. A key that is not there is no error. */
GH_RC seal_load_keys(struct store *s, struct gh_err *err);
/* Brings the search of the catalog up to date with what this transaction changed: before each commit. */
gh_rc catalog_refresh(struct store *s, struct gh_err *err);

/* ---- files ------------------------------------------------------------------------------------------------------------ */

/* Brings DIR/config.db and DIR/telemetry.db up to this program's schema, keeping a copy of a file that had an older one. */
GH_RC migrate(const char *dir, struct gh_err *err);
/* The same for tests: other migrations. name is "config" or "telemetry". */
struct migration {
	const char *file;                /* "config", "telemetry" */
	unsigned number;
	const char *name;
	const char *sql;
};
GH_RC migrate_file(const char *dir, const char *name, const struct migration *v, size_t n, struct gh_err *err);
unsigned migrate_known(const char *name);
gh_rc search_rank_add(sqlite3 *db, struct gh_err *err);    /* the function search_rank: search_rank.c */
gh_rc sqlite_fail(sqlite3 *db, int code, const char *what, struct gh_err *err);
