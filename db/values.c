/* values.c - named values and certificates: what policies and backends name, partly sealed. */
#include "core/clock.h"
#include "core/str.h"
#include "db/certificates.h"
#include "db/named_values.h"
#include "db/secrets.h"
#include "db/sql.h"

enum { SCRATCH_BYTES = 4 << 20 };
static const char VALUE_KIND[] = "named_value", CERTIFICATE_KIND[] = "certificate";

/* ---- named values ----------------------------------------------------------------------------------------------------- */

struct value_row {
	struct str id, value, sealed, tags, ref, problem;
	int64_t changed_us, rotate_by_us;
};
static const struct field value_fields[] = {
	FIELD(value_row, TEXT, id),
	FIELD_HIDDEN(value_row, BLOB, value),    /* bound as text below: an empty value is not NULL */
	FIELD_HIDDEN(value_row, BLOB, sealed),
	FIELD(value_row, TEXT, tags),
	FIELD(value_row, TIME, changed_us),
	FIELD(value_row, REF, ref),
	FIELD_HIDDEN(value_row, REF, problem),
	FIELD_HIDDEN(value_row, TIME, rotate_by_us),
};
static const struct row_type value_type = ROW_TYPE("named value", value_row, value_fields);

static gh_rc put_value(struct store *s, struct arena *scratch, const struct store_named_value *v, struct gh_err *err)
{
	struct str given = v->value.p ? v->value : STR(""), sealed = STR_NULL;
	bool secret = v->secret || v->ref.n;
	sqlite3_stmt *st;

	TRY(store_secret_bind(s, STORE_NAMED_VALUE_KIND, v->id, "value", v->ref, err));
	TRY(store_reminder_set(s, STORE_NAMED_VALUE_KIND, v->id, v->rotate_by_us, err));
	if (v->secret && !v->ref.n)
		TRY(store_seal(s, scratch, VALUE_KIND, v->id, given, &sealed, err));
	st = sql_use(s, SQL_NAMED_VALUE_PUT);
	bind_str(st, 1, v->id);
	if (!secret)
		bind_str(st, 2, given);
	bind_blob(st, 3, sealed);
	bind_str(st, 4, v->tags);
	bind_int(st, 5, clock_wall_us());
	bind_ref(st, 6, v->ref);
	return change_run(s, st, &(struct change){ .action = "set", .kind = "named value", .id = v->id, .raises = RAISES_CONFIG,
						   .detail = secret ? STR("{\"secret\":true}") : STR("{\"secret\":false}") },
			  err);
}

/* {{name}} in a document ends at the braces, so a name holds none; the reference system allows these characters. */
GH_RC store_named_value_check(struct str id, struct gh_err *err)
{
	for (size_t i = 0; i < id.n; i++)
		if (!ascii_is_alpha(id.p[i]) && !ascii_is_digit(id.p[i]) && !strchr("._-", id.p[i]))
			FAIL(err, INVALID, "named value '%.*s': a name consists of letters, digits, '.', '_' and '-'", STR_ARG(id));
	if (!id.n || id.n > 256)
		FAIL(err, INVALID, "the name of a named value has 1 to 256 characters");
	return GH_RC_OK;
}

GH_RC store_named_value_set(struct store *s, const struct store_named_value *v, struct gh_err *err)
{
	struct arena *scratch;
	gh_rc rc;

	TRY(store_named_value_check(v->id, err));
	if (v->value.n > STORE_TEXT_MAX)
		FAIL(err, LIMIT, "named value '%.*s' is larger than %d bytes", STR_ARG(v->id), STORE_TEXT_MAX);
	scratch = arena_new(SCRATCH_BYTES);
	if (!scratch)
		FAIL(err, NOMEM, "named value '%.*s'", STR_ARG(v->id));
	rc = put_value(s, scratch, v, err);
	arena_free(scratch);
	return rc;
}

GH_RC store_named_value_delete(struct store *s, struct str id, struct gh_err *err)
{
	TRY(store_secret_unbind(s, STORE_NAMED_VALUE_KIND, id, err));
	TRY(store_reminder_set(s, STORE_NAMED_VALUE_KIND, id, 0, err));
	return change_keys(s, SQL_NAMED_VALUE_DROP, id, STR_NULL, CHANGE_DROP(STORE_NAMED_VALUE_KIND), err);
}

static gh_rc value_of(struct store *s, struct arena *a, bool in_clear, const struct value_row *row,
		      struct store_named_value *out, struct gh_err *err)
{
	*out = (struct store_named_value){ .id = row->id, .value = row->value, .secret = row->sealed.p || row->ref.p,
					   .tags = row->tags, .changed_us = row->changed_us, .ref = row->ref,
					   .problem = row->problem, .rotate_by_us = row->rotate_by_us };
	if (!out->secret || !in_clear)
		return GH_RC_OK;
	if (!row->ref.p)
		return store_unseal(s, a, VALUE_KIND, row->id, row->sealed, &out->value, err);
	return store_secret_value(s, a, row->ref, &out->value, &out->problem, err);
}

GH_RC store_named_value_find(struct store *s, struct arena *a, struct str id, bool in_clear, struct store_named_value *out,
			     bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_NAMED_VALUE_GET);
	struct value_row row;

	bind_str(st, 1, id);
	TRY(find_row(s, st, &value_type, a, &row, found, err));
	return *found ? value_of(s, a, in_clear, &row, out, err) : GH_RC_OK;
}

GH_RC store_named_values(struct store *s, struct arena *a, bool in_clear, struct store_named_value **out, size_t *n,
			 struct gh_err *err)
{
	struct value_row *rows;

	TRY(list_rows(s, sql_use(s, SQL_NAMED_VALUE_ALL), &value_type, a, &rows, n, err));
	*out = arena_alloc(a, *n + 1, sizeof(**out));
	if (!*out)
		FAIL(err, NOMEM, "%zu named values", *n);
	for (size_t i = 0; i < *n; i++)
		TRY(value_of(s, a, in_clear, &rows[i], &(*out)[i], err));
	return GH_RC_OK;
}

/* ---- certificates ----------------------------------------------------------------------------------------------------- */

static const struct field certificate_fields[] = {
	FIELD(store_certificate, TEXT, id),
	FIELD(store_certificate, TEXT, subject),
	FIELD(store_certificate, TEXT, thumbprint),
	FIELD(store_certificate, TIME, not_before_us),
	FIELD(store_certificate, TIME, expires_us),
	FIELD_HIDDEN(store_certificate, TEXT, pem),
	FIELD_HIDDEN(store_certificate, BLOB, key_pem),
	FIELD(store_certificate, BOOL, is_authority),
};
static const struct row_type certificate_type = ROW_TYPE("certificate", store_certificate, certificate_fields);

GH_RC store_certificate_set(struct store *s, const struct store_certificate *c, struct gh_err *err)
{
	struct arena *scratch = arena_new(SCRATCH_BYTES);
	struct store_certificate row = *c;
	gh_rc rc;

	if (!scratch)
		FAIL(err, NOMEM, "certificate '%.*s'", STR_ARG(c->id));
	rc = store_seal(s, scratch, CERTIFICATE_KIND, c->id, c->key_pem, &row.key_pem, err);
	if (!rc.code)
		rc = change_row(s, SQL_CERTIFICATE_PUT, &certificate_type, &row,
				(struct change){ .action = "set", .id = c->id, .raises = RAISES_CONFIG }, err);
	arena_free(scratch);
	return rc;
}

GH_RC store_certificate_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_CERTIFICATE_DROP, id, STR_NULL, CHANGE_DROP("certificate"), err);
}

GH_RC store_certificates(struct store *s, struct arena *a, bool in_clear, struct store_certificate **out, size_t *n,
			 struct gh_err *err)
{
	TRY(list_rows(s, sql_use(s, SQL_CERTIFICATE_ALL), &certificate_type, a, out, n, err));
	for (size_t i = 0; i < *n; i++) {
		struct store_certificate *c = &(*out)[i];
		struct str sealed = c->key_pem;

		c->key_pem = STR_NULL;
		if (in_clear)
			TRY(store_unseal(s, a, CERTIFICATE_KIND, c->id, sealed, &c->key_pem, err));
	}
	return GH_RC_OK;
}
