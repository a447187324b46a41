#include "db/secrets.h"

#include "core/clock.h"
#include "core/secret_ref.h"
#include "core/str.h"
#include "db/sql.h"

enum { SCRATCH_BYTES = 1 << 20, PROBLEM_MAX = 500 };
static const char KIND[] = "secret";         /* of what is sealed, and in the audit trail */

struct secret_row {
	struct str ref, sealed, version, problem;
	int64_t changed_us, problem_us;
};
static const struct field secret_fields[] = {
	FIELD(secret_row, TEXT, ref),     FIELD_HIDDEN(secret_row, BLOB, sealed), FIELD(secret_row, TEXT, version),
	FIELD(secret_row, TIME, changed_us), FIELD(secret_row, TEXT, problem),    FIELD(secret_row, TIME, problem_us),
};
static const struct row_type secret_type = ROW_TYPE(KIND, secret_row, secret_fields);

static const struct field use_fields[] = {
	FIELD(store_secret_use, TEXT, kind),
	FIELD(store_secret_use, TEXT, holder_id),
	FIELD(store_secret_use, TEXT, field),
	FIELD(store_secret_use, TEXT, ref),
};
static const struct row_type use_type = ROW_TYPE("use of secret", store_secret_use, use_fields);

static const struct field reminder_fields[] = {
	FIELD(store_reminder, TEXT, kind),
	FIELD(store_reminder, TEXT, object_id),
	FIELD(store_reminder, TIME, rotate_by_us),
};
static const struct row_type reminder_type = ROW_TYPE("reminder", store_reminder, reminder_fields);

/* ---- who uses what ---------------------------------------------------------------------------------------------------- */

static gh_rc prune(struct store *s, struct gh_err *err)
{
	return sql_done(s, sql_use(s, SQL_SECRET_PRUNE), err);
}

static gh_rc put_use(struct store *s, const char *kind, struct str holder_id, const char *field, struct str ref,
		     struct gh_err *err)
{
	struct store_secret_use row = { str_of(kind), holder_id, str_of(field), ref };
	sqlite3_stmt *st = sql_use(s, SQL_SECRET_ADD);

	bind_str(st, 1, ref);
	TRY(sql_done(s, st, err));
	st = sql_use(s, SQL_SECRET_USE_PUT);
	bind_row(st, &use_type, &row);
	return sql_done(s, st, err);
}

GH_RC store_secret_bind(struct store *s, const char *kind, struct str holder_id, const char *field, struct str ref,
			struct gh_err *err)
{
	struct secret_ref parsed;
	sqlite3_stmt *st;

	TRY(change_begin(s, err));
	if (ref.n) {
		TRY(secret_ref_parse(ref, &parsed, err));
		TRY(put_use(s, kind, holder_id, field, ref, err));
	} else {
		st = sql_use(s, SQL_SECRET_USE_DROP);
		bind_str(st, 1, str_of(kind));
		bind_str(st, 2, holder_id);
		bind_str(st, 3, str_of(field));
		TRY(sql_done(s, st, err));
	}
	TRY(prune(s, err));
	return change_note(s, &(struct change){ .kind = KIND, .id = ref, .raises = RAISES_CONFIG }, err);
}

GH_RC store_secret_unbind(struct store *s, const char *kind, struct str holder_id, struct gh_err *err)
{
	sqlite3_stmt *st;

	TRY(change_begin(s, err));
	st = sql_use(s, SQL_SECRET_USE_CLEAR);
	bind_str(st, 1, str_of(kind));
	bind_str(st, 2, holder_id);
	TRY(sql_done(s, st, err));
	return prune(s, err);
}

GH_RC store_secret_uses(struct store *s, struct arena *a, struct store_secret_use **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_SECRET_USE_ALL), &use_type, a, out, n, err);
}

/* ---- values ----------------------------------------------------------------------------------------------------------- */

static gh_rc find(struct store *s, struct arena *a, struct str ref, struct secret_row *row, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SECRET_GET);

	bind_str(st, 1, ref);
	return find_row(s, st, &secret_type, a, row, found, err);
}

GH_RC store_secret_value(struct store *s, struct arena *a, struct str ref, struct str *value, struct str *problem,
			 struct gh_err *err)
{
	struct secret_row row;
	struct str ignored;
	bool found;

	if (!problem)
		problem = &ignored;
	*value = *problem = STR_NULL;
	TRY(find(s, a, ref, &row, &found, err));
	if (!found)
		*problem = STR("the reference is not known");
	else if (!row.sealed.p)
		*problem = row.problem.n ? row.problem : STR("the keeper has not read it yet");
	return found ? store_unseal(s, a, KIND, ref, row.sealed, value, err) : GH_RC_OK;
}

static gh_rc write_value(struct store *s, struct arena *a, struct str ref, struct str value, struct str version,
			 struct gh_err *err)
{
	struct str sealed;
	sqlite3_stmt *st;

	TRY(store_seal(s, a, KIND, ref, value, &sealed, err));
	st = sql_use(s, SQL_SECRET_VALUE_SET);
	bind_str(st, 1, ref);
	bind_blob(st, 2, sealed);
	bind_str(st, 3, version);
	bind_int(st, 4, clock_wall_us());
	return change_run(s, st, &(struct change){ .action = "refresh", .kind = KIND, .id = ref, .raises = RAISES_CONFIG }, err);
}

static gh_rc resolved(struct store *s, struct arena *a, struct str ref, struct str value, struct str version, bool *changed,
		      struct gh_err *err)
{
	struct str old = STR_NULL;
	struct secret_row row;
	sqlite3_stmt *st;
	bool found;

	TRY(find(s, a, ref, &row, &found, err));
	if (!found)
		return GH_RC_OK;
	/* one that does not open any more is written anew */
	if (row.sealed.p && store_unseal(s, a, KIND, ref, row.sealed, &old, NULL).code)
		old = STR_NULL;
	if (!old.p || !crypto_equal(old, value)) {
		*changed = true;
		return write_value(s, a, ref, value, version, err);
	}
	if (!row.problem.n && str_eq(row.version, version))
		return GH_RC_OK;
	st = sql_use(s, SQL_SECRET_VERSION_SET);
	bind_str(st, 1, ref);
	bind_str(st, 2, version);
	return sql_done(s, st, err);
}

GH_RC store_secret_resolved(struct store *s, struct str ref, struct str value, struct str version, bool *changed,
			    struct gh_err *err)
{
	struct arena *scratch;
	bool ignored;
	gh_rc rc;

	if (!changed)
		changed = &ignored;
	*changed = false;
	TRY(change_begin(s, err));
	scratch = arena_new(SCRATCH_BYTES);
	if (!scratch)
		FAIL(err, NOMEM, "secret '%.*s'", STR_ARG(ref));
	rc = resolved(s, scratch, ref, value.p ? value : STR(""), version, changed, err);
	arena_free(scratch);
	return rc;
}

GH_RC store_secret_failed(struct store *s, struct str ref, struct str problem, struct gh_err *err)
{
	sqlite3_stmt *st;

	TRY(change_begin(s, err));
	st = sql_use(s, SQL_SECRET_PROBLEM_SET);
	bind_str(st, 1, ref);
	bind_str(st, 2, str_first(problem, PROBLEM_MAX));
	bind_int(st, 3, clock_wall_us());
	return sql_done(s, st, err);
}

GH_RC store_secrets(struct store *s, struct arena *a, struct store_secret **out, size_t *n, struct gh_err *err)
{
	struct secret_row *rows;

	TRY(list_rows(s, sql_use(s, SQL_SECRET_ALL), &secret_type, a, &rows, n, err));
	*out = arena_alloc(a, *n + 1, sizeof(**out));
	if (!*out)
		FAIL(err, NOMEM, "%zu secrets", *n);
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = (struct store_secret){ .ref = rows[i].ref, .has_value = rows[i].sealed.p != NULL,
						   .version = rows[i].version, .changed_us = rows[i].changed_us,
						   .problem = rows[i].problem, .problem_us = rows[i].problem_us };
	return GH_RC_OK;
}

/* ---- reminders -------------------------------------------------------------------------------------------------------- */

GH_RC store_reminder_set(struct store *s, const char *kind, struct str object_id, int64_t rotate_by_us, struct gh_err *err)
{
	struct store_reminder row = { str_of(kind), object_id, rotate_by_us };
	sqlite3_stmt *st;

	TRY(change_begin(s, err));
	if (rotate_by_us) {
		st = sql_use(s, SQL_REMINDER_PUT);
		bind_row(st, &reminder_type, &row);
		return sql_done(s, st, err);
	}
	st = sql_use(s, SQL_REMINDER_DROP);
	bind_str(st, 1, row.kind);
	bind_str(st, 2, object_id);
	return sql_done(s, st, err);
}

GH_RC store_reminder_find(struct store *s, struct arena *a, const char *kind, struct str object_id, int64_t *rotate_by_us, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_REMINDER_GET);
	struct store_reminder row;
	bool found;

	bind_str(st, 1, str_of(kind));
	bind_str(st, 2, object_id);
	TRY(find_row(s, st, &reminder_type, a, &row, &found, err));
	*rotate_by_us = found ? row.rotate_by_us : 0;
	return GH_RC_OK;
}

GH_RC store_reminders(struct store *s, struct arena *a, struct store_reminder **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_REMINDER_ALL), &reminder_type, a, out, n, err);
}
