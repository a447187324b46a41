#include "db/passkeys.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/sql.h"

static const struct field fields[] = {
	FIELD(store_passkey, TEXT, id),        FIELD(store_passkey, TEXT, user_id),   FIELD(store_passkey, TEXT, name),
	FIELD_HIDDEN(store_passkey, BLOB, public_key), FIELD(store_passkey, INT, algorithm), FIELD(store_passkey, INT, sign_count),
	FIELD(store_passkey, TIME, created_us), FIELD(store_passkey, TIME, used_us),
};
static const struct row_type passkey_type = ROW_TYPE("passkey", store_passkey, fields);

gh_rc store_passkey_add(struct store *s, const struct store_passkey *k, struct gh_err *err)
{
	return change_row(s, SQL_PASSKEY_ADD, &passkey_type, k, (struct change){ .action = "create", .id = k->id }, err);
}

gh_rc store_passkey_find(struct store *s, struct arena *a, struct str id, struct store_passkey *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PASSKEY_GET);

	bind_str(st, 1, id);
	return find_row(s, st, &passkey_type, a, out, found, err);
}

gh_rc store_passkeys_of_user(struct store *s, struct arena *a, struct str user_id, struct store_passkey **out, size_t *n,
			     struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PASSKEY_OF_USER);

	bind_str(st, 1, user_id);
	return list_rows(s, st, &passkey_type, a, out, n, err);
}

gh_rc store_passkey_used(struct store *s, struct str id, int64_t sign_count, int64_t now_us, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PASSKEY_USED);

	bind_str(st, 1, id);
	bind_int(st, 2, sign_count);
	bind_int(st, 3, now_us);
	return change_run(s, st, &(struct change){ .kind = "passkey", .id = id, .must_exist = true }, err);
}

gh_rc store_passkey_remove(struct store *s, struct str id, struct str user_id, struct gh_err *err)
{
	return change_keys(s, SQL_PASSKEY_DROP, id, user_id,
			   (struct change){ .action = "delete", .kind = "passkey", .id = id, .must_exist = true }, err);
}

gh_rc store_passkey_challenge_use(struct store *s, struct str digest, int64_t ends_us, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PASSKEY_CHALLENGE_PRUNE);

	bind_int(st, 1, clock_wall_us());
	TRY(change_run(s, st, &(struct change){ .kind = "challenge", .id = STR("old") }, err));
	st = sql_use(s, SQL_PASSKEY_CHALLENGE_USE);
	bind_str(st, 1, digest);
	bind_int(st, 2, ends_us);
	return change_run(s, st, &(struct change){ .kind = "challenge", .id = STR("given") }, err);
}
