#include "db/rotation.h"

#include "core/credential_rotate.h"
#include "core/str.h"
#include "db/credentials.h"
#include "db/sql.h"

enum { SCRATCH_BYTES = 1 << 20 };
static const char KIND[] = "credential_rotation";

static const struct field fields[] = {
	FIELD(store_rotation, TEXT, environment_id), FIELD(store_rotation, TEXT, credential_id), FIELD(store_rotation, TIME, rotated_us),
	FIELD(store_rotation, TIME, tried_us),       FIELD(store_rotation, BOOL, wanted),        FIELD_HIDDEN(store_rotation, BLOB, next),
	FIELD(store_rotation, TEXT, problem),
};
static const struct row_type type = ROW_TYPE("rotation of credential", store_rotation, fields);

static gh_rc put(struct store *s, struct arena *a, const struct store_rotation *r, const char *action, struct gh_err *err)
{
	struct store_rotation row = *r;
	struct str place = arena_printf(a, "%.*s/%.*s", STR_ARG(r->environment_id), STR_ARG(r->credential_id));

	if (!place.p)
		FAIL(err, NOMEM, "rotation of a credential");
	TRY(store_seal(s, a, KIND, place, r->next, &row.next, err));
	return change_row(s, SQL_ROTATION_PUT, &type, &row, (struct change){ .action = action, .id = place }, err);
}

GH_RC store_rotation_set(struct store *s, const struct store_rotation *r, const char *action, struct gh_err *err)
{
	struct arena *scratch = arena_new(SCRATCH_BYTES);
	gh_rc rc;

	if (!scratch)
		FAIL(err, NOMEM, "rotation of a credential");
	rc = put(s, scratch, r, action, err);
	arena_free(scratch);
	return rc;
}

GH_RC store_rotation_find(struct store *s, struct arena *a, struct str environment_id, struct str id, struct store_rotation *out,
			  bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ROTATION_GET);
	struct str place = arena_printf(a, "%.*s/%.*s", STR_ARG(environment_id), STR_ARG(id)), sealed;

	bind_str(st, 1, environment_id);
	bind_str(st, 2, id);
	TRY(find_row(s, st, &type, a, out, found, err));
	if (!*found)
		return GH_RC_OK;
	sealed = out->next;
	return store_unseal(s, a, KIND, place, sealed, &out->next, err);
}

GH_RC store_rotations(struct store *s, struct arena *a, struct store_rotation **out, size_t *n, struct gh_err *err)
{
	TRY(list_rows(s, sql_use(s, SQL_ROTATION_ALL), &type, a, out, n, err));
	for (size_t i = 0; i < *n; i++)
		(*out)[i].next = STR_NULL;
	return GH_RC_OK;
}

GH_RC store_rotation_want(struct store *s, struct arena *a, struct str environment_id, struct str id, struct gh_err *err)
{
	struct store_credential row;
	struct store_rotation r;
	struct credential k;
	bool found;

	TRY(store_credential_find(s, a, environment_id, id, false, &row, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no credential '%.*s' in environment '%.*s'", STR_ARG(id), STR_ARG(environment_id));
	TRY(store_credential_parse(a, &row, &k, err));
	if (rotation_of(&k) == ROTATION_NONE)
		FAIL(err, INVALID, "nothing replaces the secret of '%.*s' by itself: see `rotate` in `gatehouse credential kinds`", STR_ARG(id));
	TRY(store_rotation_find(s, a, environment_id, id, &r, &found, err));
	if (!found)
		r = (struct store_rotation){ .environment_id = environment_id, .credential_id = id };
	r.wanted = true;
	r.tried_us = 0;
	r.problem = STR("");
	return store_rotation_set(s, &r, "ask", err);
}
