#include "db/scim.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/str.h"
#include "db/sql.h"

enum { TOKEN_BYTES = 32 };

static const struct field record_fields[] = {
	FIELD(store_scim_record, INT, kind),       FIELD(store_scim_record, TEXT, id),
	FIELD(store_scim_record, TEXT, name),      FIELD_HIDDEN(store_scim_record, TEXT, attributes),
	FIELD(store_scim_record, INT, version),    FIELD(store_scim_record, TIME, created_us),
	FIELD(store_scim_record, TIME, changed_us), FIELD(store_scim_record, BOOL, removed),
};
static const struct row_type record_type = ROW_TYPE("SCIM record", store_scim_record, record_fields);

/* No audit entry: the change of the user or group that goes with it leaves one. */
#define QUIET ((struct change){ .kind = "SCIM record" })

GH_RC store_scim_put(struct store *s, const struct store_scim_record *r, struct gh_err *err)
{
	struct store_scim_record row = *r;
	struct change c = QUIET;

	row.changed_us = clock_wall_us();
	c.id = r->id;
	return change_row(s, SQL_SCIM_PUT, &record_type, &row, c, err);
}

GH_RC store_scim_find(struct store *s, struct arena *a, enum store_scim_kind kind, struct str id,
		      struct store_scim_record *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SCIM_GET);

	bind_int(st, 1, (int64_t)kind);
	bind_str(st, 2, id);
	return find_row(s, st, &record_type, a, out, found, err);
}

GH_RC store_scim_find_name(struct store *s, struct arena *a, enum store_scim_kind kind, struct str name,
			   struct store_scim_record *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SCIM_GET_NAME);

	bind_int(st, 1, (int64_t)kind);
	bind_str(st, 2, name);
	return find_row(s, st, &record_type, a, out, found, err);
}

GH_RC store_scim_records(struct store *s, struct arena *a, enum store_scim_kind kind, struct store_scim_record **out,
			 size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SCIM_ALL);

	bind_int(st, 1, (int64_t)kind);
	return list_rows(s, st, &record_type, a, out, n, err);
}

GH_RC store_scim_delete(struct store *s, enum store_scim_kind kind, struct str id, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SCIM_DROP);

	bind_int(st, 1, (int64_t)kind);
	bind_str(st, 2, id);
	return change_run(s, st, &QUIET, err);
}

/* ---- tokens ---------------------------------------------------------------------------------------------------------- */

static const struct field token_fields[] = {
	FIELD(store_scim_token, TEXT, id), FIELD(store_scim_token, TIME, created_us), FIELD(store_scim_token, TIME, used_us),
	FIELD(store_scim_token, TIME, ends_us),
};
static const struct row_type token_type = ROW_TYPE("SCIM token", store_scim_token, token_fields);

static gh_rc digest_of(struct arena *a, struct str token, struct str *out, struct gh_err *err)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];

	crypto_sha256(token, digest);
	*out = crypto_hex(a, (struct str){ (const char *)digest, sizeof(digest) });
	if (!out->p)
		FAIL(err, NOMEM, "SCIM token");
	return GH_RC_OK;
}

GH_RC store_scim_token_create(struct store *s, struct arena *a, struct str id, int64_t ends_us, struct str *token,
			      struct gh_err *err)
{
	struct str digest;
	sqlite3_stmt *st;

	if (!id.n || id.n > STORE_SCIM_TOKEN_ID_MAX)
		FAIL(err, INVALID, "a SCIM token has a name of 1 to %d characters", STORE_SCIM_TOKEN_ID_MAX);
	TRY(crypto_random_hex(a, TOKEN_BYTES, token, err));
	TRY(digest_of(a, *token, &digest, err));
	st = sql_use(s, SQL_SCIM_TOKEN_ADD);
	bind_str(st, 1, id);
	bind_str(st, 2, digest);
	bind_int(st, 3, clock_wall_us());
	bind_int(st, 4, ends_us);
	return change_run(s, st, &(struct change){ .action = "create", .kind = "SCIM token", .id = id }, err);
}

GH_RC store_scim_token_find(struct store *s, struct arena *a, struct str token, struct store_scim_token *out, bool *found,
			    struct gh_err *err)
{
	struct str digest;
	sqlite3_stmt *st;

	TRY(digest_of(a, token, &digest, err));
	st = sql_use(s, SQL_SCIM_TOKEN_GET);
	bind_str(st, 1, digest);
	bind_int(st, 2, clock_wall_us());
	return find_row(s, st, &token_type, a, out, found, err);
}

GH_RC store_scim_token_named(struct store *s, struct arena *a, struct str id, struct store_scim_token *out, bool *found,
			     struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SCIM_TOKEN_NAMED);

	bind_str(st, 1, id);
	return find_row(s, st, &token_type, a, out, found, err);
}

GH_RC store_scim_token_set_end(struct store *s, struct str id, int64_t ends_us, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SCIM_TOKEN_END);

	bind_str(st, 1, id);
	bind_int(st, 2, ends_us);
	return change_run(s, st, &(struct change){ .action = "update", .kind = "SCIM token", .id = id, .must_exist = true }, err);
}

GH_RC store_scim_token_used(struct store *s, struct str id, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SCIM_TOKEN_USED);

	bind_str(st, 1, id);
	bind_int(st, 2, clock_wall_us());
	return change_run(s, st, &(struct change){ .kind = "SCIM token", .id = id }, err);
}

GH_RC store_scim_tokens(struct store *s, struct arena *a, struct store_scim_token **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_SCIM_TOKEN_ALL), &token_type, a, out, n, err);
}

GH_RC store_scim_token_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_SCIM_TOKEN_DROP, id, STR_NULL,
			   (struct change){ .action = "delete", .kind = "SCIM token", .must_exist = true }, err);
}
