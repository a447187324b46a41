#include "db/callers.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/subscription_rows.h"

enum { SCRATCH_BYTES = 1 << 20, SECRET_RANDOM_BYTES = 32 };
static const char SEALED_KIND[] = "caller";

const char *const store_caller_state_names[] = { "active", "suspended", NULL };

/* In the database `secret` holds the sealed bytes. */
static const struct field caller_fields[] = {
	FIELD(store_caller, TEXT, kind),
	FIELD(store_caller, TEXT, id),
	FIELD(store_caller, REF, application_id),
	FIELD(store_caller, TEXT, name),
	FIELD(store_caller, TEXT, groups),
	FIELD(store_caller, INT, state),
	FIELD_HIDDEN(store_caller, BLOB, digest),
	FIELD_HIDDEN(store_caller, BLOB, old_digest),
	FIELD(store_caller, TIME, old_ends_us),
	FIELD_HIDDEN(store_caller, REF, hash),
	FIELD_HIDDEN(store_caller, BLOB, secret),
	FIELD(store_caller, TIME, created_us),
	FIELD(store_caller, TIME, changed_us),
};
static const struct row_type caller_type = ROW_TYPE("caller", store_caller, caller_fields);

static const struct change caller_change = { .raises = RAISES_ACCESS };

/* ---- secrets ------------------------------------------------------------------------------------------------------------ */

static bool is_kind(const struct store_caller *c, const char *kind)
{
	return str_eq(c->kind, str_of(kind));
}

static gh_rc check_secret(struct str secret, struct gh_err *err)
{
	if (secret.n < STORE_SECRET_MIN || secret.n > STORE_SECRET_MAX)
		FAIL(err, INVALID, "a secret has %d to %d characters", STORE_SECRET_MIN, STORE_SECRET_MAX);
	for (size_t i = 0; i < secret.n; i++)
		if (secret.p[i] <= ' ' || secret.p[i] > '~')
			FAIL(err, INVALID, "a secret consists of printable ASCII characters without blanks");
	return GH_RC_OK;
}

/* Digests or seals `secret` into the row. */
static gh_rc put_secret(struct store *s, struct arena *a, struct store_caller *row, struct str secret, struct gh_err *err)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];

	TRY(check_secret(secret, err));
	if (is_kind(row, "signing"))
		return store_seal(s, a, SEALED_KIND, row->id, secret, &row->secret, err);
	crypto_sha256(secret, digest);
	row->digest = arena_dup(a, (struct str){ (const char *)digest, sizeof(digest) });
	if (!row->digest.p)
		FAIL(err, NOMEM, "caller '%.*s'", STR_ARG(row->id));
	return GH_RC_OK;
}

static gh_rc check_caller(const struct store_caller *c, struct gh_err *err)
{
	if (!c->id.n || c->id.n > STORE_CALLER_ID_MAX)
		FAIL(err, INVALID, "the id of a caller has 1 to %d characters", STORE_CALLER_ID_MAX);
	for (size_t i = 0; i < c->id.n; i++)
		if ((unsigned char)c->id.p[i] < ' ' || c->id.p[i] == 0x7f)
			FAIL(err, INVALID, "the id of a caller holds no control character");
	if (is_kind(c, "basic") && (!c->hash.n || str_find_char(c->id, ':') != SIZE_MAX))
		FAIL(err, INVALID, "a basic caller needs a password, and its name holds no colon");
	return GH_RC_OK;
}

GH_RC store_caller_create(struct store *s, struct arena *a, const struct store_caller *c, struct str *secret_out,
			  struct gh_err *err)
{
	bool secret = is_kind(c, "client") || is_kind(c, "signing");
	struct store_caller row = *c;
	struct change change = caller_change;
	struct str made = c->secret;

	TRY(check_caller(c, err));
	row.secret = row.digest = row.old_digest = STR_NULL;
	row.created_us = row.changed_us = clock_wall_us();
	if (secret && !made.p)
		TRY(crypto_random_hex(a, SECRET_RANDOM_BYTES, &made, err));
	if (secret)
		TRY(put_secret(s, a, &row, made, err));
	change.action = "create";
	change.id = row.id;
	TRY(change_row(s, SQL_CALLER_ADD, &caller_type, &row, change, err));
	if (secret_out)
		*secret_out = made;
	return is_kind(c, "client") ? store_auth_key_ensure(s, a, STR("token"), err) : GH_RC_OK;
}

static gh_rc set_row(struct store *s, const char *action, const struct store_caller *row, struct gh_err *err)
{
	struct change change = caller_change;

	change.action = action;
	change.id = row->id;
	change.must_exist = true;
	return change_row(s, SQL_CALLER_SET, &caller_type, row, change, err);
}

/* The row as it stands in the database, still sealed. */
static gh_rc find_sealed(struct store *s, struct arena *a, struct str kind, struct str id, struct store_caller *out, bool *found,
			 struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CALLER_GET);

	bind_str(st, 1, kind);
	bind_str(st, 2, id);
	return find_row(s, st, &caller_type, a, out, found, err);
}

static gh_rc find_for_change(struct store *s, struct arena *a, struct str kind, struct str id, struct store_caller *out,
			     struct gh_err *err)
{
	bool found;

	TRY(change_begin(s, err));
	TRY(find_sealed(s, a, kind, id, out, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no %.*s caller '%.*s'", STR_ARG(kind), STR_ARG(str_first(id, 200)));
	return GH_RC_OK;
}

GH_RC store_caller_rotate(struct store *s, struct arena *a, struct str kind, struct str id, struct str secret,
			  int64_t keep_old_s, struct str *secret_out, struct gh_err *err)
{
	struct store_caller row;

	TRY(find_for_change(s, a, kind, id, &row, err));
	if (!is_kind(&row, "client") && !is_kind(&row, "signing"))
		FAIL(err, INVALID, "a %.*s caller has no secret that could be made anew", STR_ARG(kind));
	if (!secret.p)
		TRY(crypto_random_hex(a, SECRET_RANDOM_BYTES, &secret, err));
	row.old_digest = keep_old_s > 0 ? row.digest : STR_NULL;
	row.changed_us = clock_wall_us();
	row.old_ends_us = keep_old_s > 0 ? row.changed_us + keep_old_s * 1000000 : 0;
	TRY(put_secret(s, a, &row, secret, err));
	TRY(set_row(s, "rotate", &row, err));
	if (secret_out)
		*secret_out = secret;
	return GH_RC_OK;
}

GH_RC store_caller_update(struct store *s, const struct store_caller *c, struct gh_err *err)
{
	struct arena *scratch = arena_new(SCRATCH_BYTES);
	struct store_caller row;
	gh_rc rc;

	if (!scratch)
		FAIL(err, NOMEM, "caller '%.*s'", STR_ARG(c->id));
	rc = find_for_change(s, scratch, c->kind, c->id, &row, err);
	if (!rc.code) {
		if (!str_eq(row.hash, c->hash))
			row.changed_us = clock_wall_us();
		row.application_id = c->application_id;
		row.name = c->name;
		row.groups = c->groups;
		row.state = c->state;
		row.hash = c->hash;
		rc = check_caller(&row, err);
	}
	if (!rc.code)
		rc = set_row(s, "update", &row, err);
	arena_free(scratch);
	return rc;
}

GH_RC store_caller_delete(struct store *s, struct str kind, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_CALLER_DROP, kind, id,
			   (struct change){ .action = "delete", .kind = "caller", .id = id, .raises = RAISES_ACCESS,
					    .must_exist = true }, err);
}

GH_RC store_caller_find(struct store *s, struct arena *a, struct str kind, struct str id, bool in_clear,
			struct store_caller *out, bool *found, struct gh_err *err)
{
	struct str sealed;

	TRY(find_sealed(s, a, kind, id, out, found, err));
	if (!*found)
		return GH_RC_OK;
	sealed = out->secret;
	out->secret = STR_NULL;
	return in_clear && sealed.n ? store_unseal(s, a, SEALED_KIND, out->id, sealed, &out->secret, err) : GH_RC_OK;
}

GH_RC store_callers(struct store *s, struct arena *a, struct str kind, struct str application_id, const struct store_page *page,
		    struct store_caller **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CALLER_LIST);
	char pattern[512];

	bind_str(st, 1, kind);
	bind_str(st, 2, application_id);
	bind_page(st, 3, page, pattern);
	TRY(list_rows(s, st, &caller_type, a, out, n, err));
	for (size_t i = 0; i < *n; i++)
		(*out)[i].secret = (*out)[i].hash = (*out)[i].digest = (*out)[i].old_digest = STR_NULL;
	return GH_RC_OK;
}

GH_RC store_access_of_application(struct store *s, struct arena *a, struct str application_id, struct store_access **out,
				  size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ACCESS_OF_APPLICATION);

	bind_str(st, 1, application_id);
	bind_int(st, 2, STORE_CALLER_SUBSCRIPTIONS);
	return list_rows(s, st, &access_type, a, out, n, err);
}
