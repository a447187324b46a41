/* auth_keys.c - the keys that the gateway signs with, and the tokens that were taken back. */
#include "core/clock.h"
#include "core/jose.h"
#include "core/str.h"
#include "db/callers.h"
#include "db/sql.h"

static const char SEALED_KIND[] = "auth_key";

/* In the database `jwks` holds the sealed bytes. */
static const struct field key_fields[] = {
	FIELD(store_auth_key, TEXT, id),
	FIELD(store_auth_key, TEXT, purpose),
	FIELD(store_auth_key, TEXT, alg),
	FIELD_HIDDEN(store_auth_key, BLOB, jwks),
	FIELD(store_auth_key, TIME, created_us),
	FIELD(store_auth_key, TIME, signs_us),
	FIELD(store_auth_key, TIME, ends_us),
};
static const struct row_type key_type = ROW_TYPE("signing key", store_auth_key, key_fields);

static gh_rc make(struct arena *a, struct str kid, struct str alg_name, struct str *out, struct gh_err *err)
{
	enum jose_alg alg = jose_alg_of(alg_name);
	struct jose_keys *keys;
	json_t *set;
	gh_rc rc;

	if (alg == JOSE_NO_ALG || alg == JOSE_HS256 || alg == JOSE_HS384 || alg == JOSE_HS512)
		FAIL(err, INVALID, "\"%.*s\" is no algorithm with a public key; take ES256, EdDSA, RS256 or PS256",
		     STR_ARG(str_first(alg_name, 40)));
	keys = jose_keys_new();
	if (!keys)
		FAIL(err, NOMEM, "no memory for a key");
	rc = jose_keys_generate(keys, kid, alg, err);
	set = rc.code ? NULL : jose_keys_private(keys);
	*out = set ? jsn_text(a, set, 0) : STR_NULL;
	json_decref(set);
	jose_keys_free(keys);
	if (!rc.code && !out->p)
		FAIL(err, NOMEM, "no memory for a key");
	return rc;
}

GH_RC store_auth_key_add(struct store *s, struct arena *a, const struct store_auth_key *k, struct gh_err *err)
{
	struct store_auth_key row = *k;
	struct str clear;

	row.created_us = clock_wall_us();
	TRY(make(a, row.id, row.alg, &clear, err));
	TRY(store_seal(s, a, SEALED_KIND, row.id, clear, &row.jwks, err));
	crypto_wipe((void *)(uintptr_t)clear.p, clear.n);
	return change_row(s, SQL_AUTH_KEY_ADD, &key_type, &row, CHANGE_ADD(row.id), err);
}

GH_RC store_auth_key_times(struct store *s, const struct store_auth_key *k, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_AUTH_KEY_TIMES);

	bind_str(st, 1, k->id);
	bind_int(st, 2, k->signs_us);
	bind_int(st, 3, k->ends_us);
	return change_run(s, st, &(struct change){ .action = "update", .kind = key_type.kind, .id = k->id, .raises = RAISES_CONFIG,
			  .must_exist = true }, err);
}

GH_RC store_auth_keys_end(struct store *s, struct str purpose, int64_t at_us, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_AUTH_KEY_PRUNE);

	TRY(change_begin(s, err));
	bind_int(st, 1, clock_wall_us());
	TRY(sql_done(s, st, err));
	st = sql_use(s, SQL_AUTH_KEY_END);
	bind_str(st, 1, purpose);
	bind_int(st, 2, at_us);
	return sql_done(s, st, err);
}

GH_RC store_auth_key_ensure(struct store *s, struct arena *a, struct str purpose, struct gh_err *err)
{
	struct store_auth_key first = { .purpose = purpose, .alg = STR("ES256"), .signs_us = clock_wall_us() };
	sqlite3_stmt *st = sql_use(s, SQL_AUTH_KEY_COUNT);
	int64_t n = 0;
	bool found;

	TRY(change_begin(s, err));
	bind_str(st, 1, purpose);
	bind_int(st, 2, clock_wall_us());
	TRY(find_int(s, st, &n, &found, err));
	if (n)
		return GH_RC_OK;
	TRY(store_new_id(a, &first.id, err));
	return store_auth_key_add(s, a, &first, err);
}

GH_RC store_auth_keys(struct store *s, struct arena *a, bool in_clear, struct store_auth_key **out, size_t *n,
		      struct gh_err *err)
{
	TRY(list_rows(s, sql_use(s, SQL_AUTH_KEY_ALL), &key_type, a, out, n, err));
	for (size_t i = 0; i < *n; i++) {
		struct store_auth_key *k = &(*out)[i];
		struct str sealed = k->jwks;

		k->jwks = STR_NULL;
		if (in_clear)
			TRY(store_unseal(s, a, SEALED_KIND, k->id, sealed, &k->jwks, err));
	}
	return GH_RC_OK;
}

GH_RC store_auth_key_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_AUTH_KEY_DROP, id, STR_NULL, CHANGE_DROP("signing key"), err);
}

GH_RC store_token_revoke(struct store *s, struct str jti, int64_t ends_us, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_TOKEN_REVOKED_PRUNE);

	TRY(change_begin(s, err));
	bind_int(st, 1, clock_wall_us());
	TRY(sql_done(s, st, err));
	st = sql_use(s, SQL_TOKEN_REVOKE);
	bind_str(st, 1, jti);
	bind_int(st, 2, ends_us);
	return change_run(s, st, &(struct change){ .action = "revoke", .kind = "token", .id = jti, .raises = RAISES_ACCESS }, err);
}

GH_RC store_token_revoked(struct store *s, struct str jti, bool *revoked, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_TOKEN_REVOKED);
	int64_t n = 0;
	bool found;

	bind_str(st, 1, jti);
	TRY(find_int(s, st, &n, &found, err));
	*revoked = n > 0;
	return GH_RC_OK;
}
