/* change.c - what every write has in common: the transaction it must stand in, errors that a person can act on, the audit
 * entry, the generation.
 *
 * An entry's hash is SHA-256 over the hash of the entry before it and over its own columns, each with its length in front,
 * so that no two different entries feed the same bytes. */
#include "core/clock.h"
#include "core/str.h"
#include "db/audit.h"
#include "db/resources.h"
#include "db/sql.h"

#include <ctype.h>
#include <stdio.h>

enum { DETAIL_MAX = 16384, DETAIL_TEXT_MAX = 1000 };

GH_RC change_begin(struct store *s, struct gh_err *err)
{
	if (s->mode == STORE_READ)
		FAIL(err, UNAVAILABLE, "the store was opened for reading only");
	if (!s->in_tx)
		FAIL(err, INTERNAL, "a change stands outside a transaction");
	return GH_RC_OK;
}

/* ---- audit entries ---------------------------------------------------------------------------------------------------- */

static void hash_part(struct buf *b, struct str s)
{
	buf_u64(b, s.n);
	buf_char(b, ':');
	buf_str(b, s);
}

static bool entry_hash(const uint8_t previous[CRYPTO_SHA256_BYTES], const struct store_audit_entry *e,
		       uint8_t out[CRYPTO_SHA256_BYTES])
{
	struct buf b;
	bool ok;

	buf_init(&b, DETAIL_MAX * 4);
	buf_add(&b, previous, CRYPTO_SHA256_BYTES);
	buf_fmt(&b, "%lld:%lld:", (long long)e->seq, (long long)e->at_us);
	hash_part(&b, e->actor);
	hash_part(&b, e->action);
	hash_part(&b, e->kind);
	hash_part(&b, e->id);
	buf_char(&b, e->detail.p ? '1' : '0');
	hash_part(&b, e->detail);
	ok = buf_ok(&b);
	crypto_sha256(buf_view(&b), out);
	buf_release(&b);
	return ok;
}

static gh_rc last_entry(struct store *s, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_AUDIT_LAST);
	bool row;

	if (s->has_last_hash)
		return GH_RC_OK;
	TRY(sql_step(s, st, &row, err));
	memset(s->last_hash, 0, sizeof(s->last_hash));
	s->last_seq = 0;
	if (row) {
		s->last_seq = sqlite3_column_int64(st, 0);
		if (sqlite3_column_bytes(st, 1) == CRYPTO_SHA256_BYTES)
			memcpy(s->last_hash, sqlite3_column_blob(st, 1), CRYPTO_SHA256_BYTES);
		sqlite3_reset(st);
	}
	s->has_last_hash = true;
	return GH_RC_OK;
}

static gh_rc add_entry(struct store *s, const struct change *c, struct gh_err *err)
{
	struct store_audit_entry e = { .at_us = clock_wall_us(), .actor = str_of(s->actor), .action = str_of(c->action),
				       .kind = str_of(c->kind), .id = c->id, .detail = c->detail };
	uint8_t hash[CRYPTO_SHA256_BYTES];
	sqlite3_stmt *st;

	TRY(last_entry(s, err));
	e.seq = s->last_seq + 1;
	if (!entry_hash(s->last_hash, &e, hash))
		FAIL(err, LIMIT, "an audit entry is too large");
	st = sql_use(s, SQL_AUDIT_ADD);
	bind_int(st, 1, e.seq);
	bind_int(st, 2, e.at_us);
	bind_str(st, 3, e.actor);
	bind_str(st, 4, e.action);
	bind_str(st, 5, e.kind);
	bind_str(st, 6, e.id);
	if (e.detail.p)
		bind_str(st, 7, e.detail);
	bind_blob(st, 8, (struct str){ (const char *)s->last_hash, sizeof(s->last_hash) });
	bind_blob(st, 9, (struct str){ (const char *)hash, sizeof(hash) });
	TRY(sql_done(s, st, err));
	memcpy(s->last_hash, hash, sizeof(hash));
	s->last_seq = e.seq;
	return GH_RC_OK;
}

GH_RC change_note(struct store *s, const struct change *c, struct gh_err *err)
{
	TRY(change_begin(s, err));
	if (c->action && !s->holds_audit)
		TRY(add_entry(s, c, err));
	s->raises |= c->raises;
	return GH_RC_OK;
}

void store_audit_hold(struct store *s, bool hold)
{
	s->holds_audit = hold && s->in_tx;
}

GH_RC store_audit_note(struct store *s, struct str action, struct str kind, struct str id, struct str detail,
		       struct gh_err *err)
{
	char action_text[64], kind_text[64];

	snprintf(action_text, sizeof(action_text), "%.*s", STR_ARG(action));
	snprintf(kind_text, sizeof(kind_text), "%.*s", STR_ARG(kind));
	return change_note(s, &(struct change){ .action = action_text, .kind = kind_text, .id = str_first(id, 256),
						.detail = str_first(detail, DETAIL_MAX) }, err);
}

static const struct field entry_fields[] = {
	FIELD(store_audit_entry, INT, seq),     FIELD(store_audit_entry, TIME, at_us),  FIELD(store_audit_entry, TEXT, actor),
	FIELD(store_audit_entry, TEXT, action), FIELD(store_audit_entry, TEXT, kind),   FIELD(store_audit_entry, TEXT, id),
	FIELD(store_audit_entry, REF, detail),  FIELD(store_audit_entry, BLOB, hash),
};
static const struct row_type entry_type = ROW_TYPE("audit entry", store_audit_entry, entry_fields);

static gh_rc read_entries(struct store *s, sqlite3_stmt *st, struct arena *a, struct store_audit_entry **out, size_t *n,
			  struct gh_err *err)
{
	TRY(list_rows(s, st, &entry_type, a, out, n, err));
	for (size_t i = 0; i < *n; i++) {
		(*out)[i].hash = crypto_hex(a, (*out)[i].hash);
		if (!(*out)[i].hash.p)
			FAIL(err, NOMEM, "%zu audit entries", *n);
	}
	return GH_RC_OK;
}

GH_RC store_audit_list(struct store *s, struct arena *a, const struct store_page *page, struct store_audit_entry **out,
		       size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_AUDIT_LIST);
	char pattern[512];

	bind_page(st, 1, page, pattern);
	return read_entries(s, st, a, out, n, err);
}

GH_RC store_audit_find(struct store *s, struct arena *a, const struct store_audit_filter *f, struct store_audit_entry **out, size_t *n,
		       struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_AUDIT_FIND);
	char actor[512], id[512];

	bind_int(st, 1, f->before_seq ? f->before_seq : INT64_MAX);
	bind_part(st, 2, f->actor, actor);
	bind_str(st, 3, f->kind);
	bind_str(st, 4, f->action);
	bind_part(st, 5, f->id, id);
	bind_int(st, 6, f->from_us);
	bind_int(st, 7, f->to_us ? f->to_us : INT64_MAX);
	bind_int(st, 8, f->limit ? (int64_t)f->limit : STORE_PAGE_DEFAULT);
	return read_entries(s, st, a, out, n, err);
}

static struct str borrow(sqlite3_stmt *st, int at)
{
	const void *p = sqlite3_column_blob(st, at);

	if (!p)
		return sqlite3_column_type(st, at) == SQLITE_NULL ? STR_NULL : STR("");
	return (struct str){ p, (size_t)sqlite3_column_bytes(st, at) };
}

/* The statement stands on an entry: does it follow the one whose seq and hash are given? */
static bool fits(sqlite3_stmt *st, int64_t last_seq, uint8_t last[CRYPTO_SHA256_BYTES])
{
	struct str before = { (const char *)last, CRYPTO_SHA256_BYTES }, own;
	struct store_audit_entry e = { .seq = sqlite3_column_int64(st, 0), .at_us = sqlite3_column_int64(st, 1),
				       .actor = borrow(st, 2), .action = borrow(st, 3), .kind = borrow(st, 4),
				       .id = borrow(st, 5), .detail = borrow(st, 6) };
	uint8_t hash[CRYPTO_SHA256_BYTES];

	if (e.seq != last_seq + 1 || !str_eq(borrow(st, 7), before) || !entry_hash(last, &e, hash))
		return false;
	own = (struct str){ (const char *)hash, sizeof(hash) };
	if (!str_eq(borrow(st, 8), own))
		return false;
	memcpy(last, hash, sizeof(hash));
	return true;
}

GH_RC store_audit_verify(struct store *s, int64_t *broken_at, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_AUDIT_ALL);
	uint8_t last[CRYPTO_SHA256_BYTES] = { 0 };
	int64_t seq = 0;
	bool row;

	*broken_at = 0;
	for (;;) {
		TRY(sql_step(s, st, &row, err));
		if (!row)
			return GH_RC_OK;
		if (!fits(st, seq, last)) {
			*broken_at = sqlite3_column_int64(st, 0);
			sqlite3_reset(st);
			return GH_RC_OK;
		}
		seq++;
	}
}

/* ---- rows as JSON ----------------------------------------------------------------------------------------------------- */

static void field_json(struct buf *b, const struct field *f, const void *p)
{
	char when[CLOCK_ISO_MAX];
	struct str s;
	int64_t v;

	switch (f->kind) {
	case FIELD_TEXT:
	case FIELD_REF:
	case FIELD_BLOB:
		s = *(const struct str *)p;
		buf_json(b, s.n > DETAIL_TEXT_MAX ? str_first(s, DETAIL_TEXT_MAX) : s);
		break;
	case FIELD_INT:
		v = *(const int64_t *)p;
		buf_fmt(b, "%lld", (long long)v);
		break;
	case FIELD_TIME:
		v = *(const int64_t *)p;
		buf_json(b, str_of(clock_iso(v, 3, when)));
		break;
	case FIELD_BOOL:
		buf_cstr(b, *(const bool *)p ? "true" : "false");
		break;
	}
}

/* Whether a value is worth a place in the trail: what is empty or zero goes without saying. */
static bool given(const struct field *f, const void *p)
{
	if (f->kind == FIELD_INT || f->kind == FIELD_TIME)
		return *(const int64_t *)p != 0;
	return f->kind == FIELD_BOOL || ((const struct str *)p)->n;
}

void row_json(struct buf *b, const struct row_type *t, const void *row)
{
	const char *separator = "{";

	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->fields[i];
		const void *p = (const char *)row + f->offset;

		if (!f->name || !given(f, p))
			continue;
		buf_fmt(b, "%s\"%s\":", separator, f->name);
		field_json(b, f, p);
		separator = ",";
	}
	buf_cstr(b, *separator == '{' ? "{}" : "}");
}

/* ---- changes ---------------------------------------------------------------------------------------------------------- */

/* "UNIQUE constraint failed: api.environment_id, api.path" -> "environment_id, path" */
static void constraint_columns(const char *message, char out[128])
{
	const char *p = strstr(message, "failed: ");
	size_t n = 0;

	p = p ? p + 8 : message;
	while (*p && n < 127) {
		const char *dot = p;

		while (isalnum((unsigned char)*dot) || *dot == '_')
			dot++;
		if (*dot == '.' && dot > p)
			p = dot + 1;             /* the table's name tells nothing to a reader */
		while ((isalnum((unsigned char)*p) || *p == '_') && n < 127)
			out[n++] = *p++;
		if (*p && n < 127)
			out[n++] = *p++;
	}
	out[n] = '\0';
}

/* Indexes over expressions have a name in SQLite's message, and no columns. */
static const char *readable(const char *columns)
{
	static const struct {
		const char *index, *text;
	} indexes[] = {
		{ "index 'environment_place'", "host and path prefix" },
		{ "index 'user_account_email'", "e-mail address" },
	};

	for (size_t i = 0; i < ARRAY_LEN(indexes); i++)
		if (strcmp(indexes[i].index, columns) == 0)
			return indexes[i].text;
	return columns;
}

static gh_rc refuse(struct store *s, sqlite3_stmt *st, const struct change *c, struct gh_err *err)
{
	int code = sqlite3_extended_errcode(s->db);
	char columns[128];
	bool removes = c->action && strcmp(c->action, "delete") == 0;

	constraint_columns(sqlite3_errmsg(s->db), columns);
	sqlite3_reset(st);
	switch (code) {
	case SQLITE_CONSTRAINT_PRIMARYKEY:
		FAIL(err, CONFLICT, "%s '%.*s' is there already", c->kind, STR_ARG(c->id));
	case SQLITE_CONSTRAINT_UNIQUE:
		FAIL(err, CONFLICT, "%s '%.*s': another one has the same %s", c->kind, STR_ARG(c->id), readable(columns));
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		if (removes)
			FAIL(err, CONFLICT, "%s '%.*s' is in use", c->kind, STR_ARG(c->id));
		FAIL(err, CONFLICT, "%s '%.*s' refers to something that is not there", c->kind, STR_ARG(c->id));
	default:
		FAIL(err, INVALID, "%s '%.*s': %s", c->kind, STR_ARG(c->id), columns);
	}
}

GH_RC change_run(struct store *s, sqlite3_stmt *st, const struct change *c, struct gh_err *err)
{
	int code;

	TRY(change_begin(s, err));
	code = sqlite3_step(st);
	if ((code & 0xff) == SQLITE_CONSTRAINT)
		return refuse(s, st, c, err);
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		return sql_fail(s, st, c->kind, err);
	sqlite3_reset(st);
	if (c->must_exist && sqlite3_changes(s->db) == 0)
		FAIL(err, NOT_FOUND, "there is no %s '%.*s'", c->kind, STR_ARG(c->id));
	return change_note(s, c, err);
}

GH_RC change_row(struct store *s, enum sql which, const struct row_type *t, const void *row, struct change c,
		 struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, which);
	struct buf detail;
	gh_rc rc;

	if (!c.kind)
		c.kind = t->kind;
	buf_init(&detail, DETAIL_MAX);
	if (c.action)
		row_json(&detail, t, row);
	if (c.action)
		c.detail = buf_ok(&detail) ? buf_view(&detail) : STR("{\"cut\":true}");
	bind_row(st, t, row);
	rc = change_run(s, st, &c, err);
	buf_release(&detail);
	return rc;
}

GH_RC change_keys(struct store *s, enum sql which, struct str a, struct str b, struct change c, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, which);

	bind_str(st, 1, a);
	if (b.p)
		bind_str(st, 2, b);
	if (!c.id.p)
		c.id = a;
	return change_run(s, st, &c, err);
}

/* ---- ids -------------------------------------------------------------------------------------------------------------- */

GH_RC store_new_id(struct arena *a, struct str *out, struct gh_err *err)
{
	return crypto_random_hex(a, 8, out, err);
}
