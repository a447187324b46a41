#include "db/sql.h"

#include "core/str.h"
#include "core/telemetry.h"   /* db/telemetry.def lists its columns */

#include <stdlib.h>

const char *const sql_text[SQL__COUNT] = {
#define SQL(id, text) [SQL_##id] = text,
#include "db/sql.def"
#undef SQL
};

/* ---- errors ----------------------------------------------------------------------------------------------------------- */

static enum gh_code code_of(int primary)
{
	static const struct {
		int sqlite;
		enum gh_code code;
	} table[] = {
		{ SQLITE_BUSY, GH_E_BUSY },       { SQLITE_LOCKED, GH_E_BUSY },        { SQLITE_READONLY, GH_E_UNAVAILABLE },
		{ SQLITE_FULL, GH_E_IO },         { SQLITE_IOERR, GH_E_IO },           { SQLITE_CANTOPEN, GH_E_IO },
		{ SQLITE_CORRUPT, GH_E_IO },      { SQLITE_NOTADB, GH_E_IO },          { SQLITE_PERM, GH_E_IO },
		{ SQLITE_NOMEM, GH_E_NOMEM },     { SQLITE_TOOBIG, GH_E_LIMIT },       { SQLITE_CONSTRAINT, GH_E_CONFLICT },
		{ SQLITE_MISMATCH, GH_E_INVALID }, { SQLITE_INTERRUPT, GH_E_TIMEOUT }, { SQLITE_AUTH, GH_E_DENIED },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].sqlite == primary)
			return table[i].code;
	return GH_E_INTERNAL;
}

gh_rc sqlite_fail(sqlite3 *db, int code, const char *what, struct gh_err *err)
{
	static const struct {
		int sqlite;
		const char *text;
	} hints[] = {
		{ SQLITE_BUSY, "another program holds the store" },
		{ SQLITE_READONLY, "the store is read-only" },
		{ SQLITE_FULL, "the disk is full" },
		{ SQLITE_CORRUPT, "the file is damaged; restore a backup" },
		{ SQLITE_NOTADB, "the file is no store" },
	};
	int primary = code & 0xff;

	for (size_t i = 0; i < ARRAY_LEN(hints); i++)
		if (hints[i].sqlite == primary)
			return gh_err_set(err, code_of(primary), __FILE__, __LINE__, "%s: %s (%s)", what, hints[i].text,
					  db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
	return gh_err_set(err, code_of(primary), __FILE__, __LINE__, "%s: %s", what,
			  db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
}

gh_rc sql_fail(struct store *s, sqlite3_stmt *st, const char *what, struct gh_err *err)
{
	gh_rc rc = sqlite_fail(s->db, sqlite3_extended_errcode(s->db), what, err);

	s->full = (sqlite3_errcode(s->db) & 0xff) == SQLITE_FULL;      /* a rollback makes SQLite forget it */
	if (st)
		sqlite3_reset(st);
	return rc;
}

/* ---- statements ------------------------------------------------------------------------------------------------------- */

sqlite3_stmt *sql_use(struct store *s, enum sql which)
{
	sqlite3_stmt *st = s->stmt[which];

	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return st;
}

void bind_str(sqlite3_stmt *st, int at, struct str s)
{
	sqlite3_bind_text64(st, at, s.p ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}

void bind_ref(sqlite3_stmt *st, int at, struct str s)
{
	if (s.n)
		sqlite3_bind_text64(st, at, s.p, s.n, SQLITE_STATIC, SQLITE_UTF8);
}

void bind_blob(sqlite3_stmt *st, int at, struct str s)
{
	if (s.p)
		sqlite3_bind_blob64(st, at, s.p, s.n, SQLITE_STATIC);
}

void bind_int(sqlite3_stmt *st, int at, int64_t v)
{
	sqlite3_bind_int64(st, at, v);
}

void bind_row(sqlite3_stmt *st, const struct row_type *t, const void *row)
{
	for (size_t i = 0; i < t->n; i++) {
		const void *p = (const char *)row + t->fields[i].offset;
		int at = (int)i + 1;

		switch (t->fields[i].kind) {
		case FIELD_TEXT:
			bind_str(st, at, *(const struct str *)p);
			break;
		case FIELD_REF:
			bind_ref(st, at, *(const struct str *)p);
			break;
		case FIELD_BLOB:
			bind_blob(st, at, *(const struct str *)p);
			break;
		case FIELD_INT:
		case FIELD_TIME:
			bind_int(st, at, *(const int64_t *)p);
			break;
		case FIELD_BOOL:
			bind_int(st, at, *(const bool *)p);
			break;
		}
	}
}

void bind_part(sqlite3_stmt *st, int at, struct str part, char pattern[512])
{
	size_t n = 0;

	part = str_first(part, 200);
	pattern[n++] = '%';
	for (size_t i = 0; i < part.n; i++) {
		if (part.p[i] == '%' || part.p[i] == '_' || part.p[i] == '\\')
			pattern[n++] = '\\';
		pattern[n++] = ascii_lower(part.p[i]);
	}
	if (part.n)
		pattern[n++] = '%';
	bind_str(st, at, (struct str){ pattern, n });
}

void bind_page(sqlite3_stmt *st, int at, const struct store_page *page, char pattern[512])
{
	bind_part(st, at, page ? page->search : STR_NULL, pattern);
	bind_int(st, at + 1, page && page->limit ? (int64_t)page->limit : STORE_LIST_MAX);
	bind_int(st, at + 2, page ? (int64_t)page->offset : 0);
}

GH_RC sql_step(struct store *s, sqlite3_stmt *st, bool *row, struct gh_err *err)
{
	int code = sqlite3_step(st);

	*row = code == SQLITE_ROW;
	if (code == SQLITE_ROW)
		return GH_RC_OK;
	if (code != SQLITE_DONE)
		return sql_fail(s, st, "store", err);
	sqlite3_reset(st);
	return GH_RC_OK;
}

GH_RC sql_done(struct store *s, sqlite3_stmt *st, struct gh_err *err)
{
	bool row;

	TRY(sql_step(s, st, &row, err));
	if (row)
		sqlite3_reset(st);
	return GH_RC_OK;
}

GH_RC sql_exec(struct store *s, const char *text, const char *what, struct gh_err *err)
{
	if (sqlite3_exec(s->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return sql_fail(s, NULL, what, err);
	return GH_RC_OK;
}

/* ---- rows ------------------------------------------------------------------------------------------------------------- */

struct str column_str(sqlite3_stmt *st, int at, struct arena *a, bool *ok)
{
	const void *p = sqlite3_column_blob(st, at);     /* of a text: its UTF-8 bytes */
	size_t n = (size_t)sqlite3_column_bytes(st, at);
	struct str copy;

	if (!p && sqlite3_column_type(st, at) == SQLITE_NULL)
		return STR_NULL;
	copy = arena_dup(a, (struct str){ p ? p : "", n });
	if (!copy.p)
		*ok = false;
	return copy;
}

struct str column_text(sqlite3_stmt *st, int at)
{
	const char *p = (const char *)sqlite3_column_text(st, at);

	return (struct str){ p, (size_t)sqlite3_column_bytes(st, at) };
}

GH_RC read_row(sqlite3_stmt *st, const struct row_type *t, struct arena *a, void *row, struct gh_err *err)
{
	bool ok = true;

	for (size_t i = 0; i < t->n; i++) {
		void *p = (char *)row + t->fields[i].offset;
		int at = (int)i;

		switch (t->fields[i].kind) {
		case FIELD_TEXT:
		case FIELD_REF:
		case FIELD_BLOB:
			*(struct str *)p = column_str(st, at, a, &ok);
			break;
		case FIELD_INT:
		case FIELD_TIME:
			*(int64_t *)p = sqlite3_column_int64(st, at);
			break;
		case FIELD_BOOL:
			*(bool *)p = sqlite3_column_int(st, at) != 0;
			break;
		}
	}
	if (!ok)
		FAIL(err, NOMEM, "a row of %s does not fit into memory", t->kind);
	return GH_RC_OK;
}

GH_RC find_row(struct store *s, sqlite3_stmt *st, const struct row_type *t, struct arena *a, void *row, bool *found,
	       struct gh_err *err)
{
	gh_rc rc;

	TRY(sql_step(s, st, found, err));
	if (!*found)
		return GH_RC_OK;
	memset(row, 0, t->size);
	rc = read_row(st, t, a, row, err);
	sqlite3_reset(st);
	return rc;
}

/* Rows gather in memory of malloc, which may grow, and are copied once: an array that grew in the arena would leave its
 * smaller selves behind. */
GH_RC list_rows(struct store *s, sqlite3_stmt *st, const struct row_type *t, struct arena *a, void *out, size_t *n,
		struct gh_err *err)
{
	size_t cap = 0, count = 0;
	char *rows = NULL;
	void *copy;
	bool row;
	gh_rc rc;

	while (rc = sql_step(s, st, &row, err), !rc.code && row) {
		if (count == cap) {
			char *more = count < STORE_LIST_MAX ? realloc(rows, (cap = cap ? cap * 2 : 16) * t->size) : NULL;

			if (!more) {
				rc = gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "too many rows of %s", t->kind);
				break;
			}
			rows = more;
		}
		memset(rows + count * t->size, 0, t->size);
		rc = read_row(st, t, a, rows + count * t->size, err);
		if (rc.code)
			break;
		count++;
	}
	sqlite3_reset(st);
	copy = rc.code ? NULL : arena_alloc_raw(a, count ? count * t->size : 1);
	if (!rc.code && !copy)
		rc = gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "%zu rows of %s", count, t->kind);
	if (!rc.code) {
		if (count)
			memcpy(copy, rows, count * t->size);
		memcpy(out, &copy, sizeof(copy));        /* out is a `struct ROW **` of any kind */
		*n = count;
	}
	free(rows);
	return rc;
}

GH_RC find_int(struct store *s, sqlite3_stmt *st, int64_t *out, bool *found, struct gh_err *err)
{
	bool row;

	TRY(sql_step(s, st, &row, err));
	*out = row ? sqlite3_column_int64(st, 0) : 0;
	if (found)
		*found = row;
	if (row)
		sqlite3_reset(st);
	return GH_RC_OK;
}
