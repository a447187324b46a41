#include "db/personal_tokens.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/str.h"
#include "db/sql.h"

/* The word in front tells a found token's origin to people and to programs that look for leaked secrets. */
static const char mark[] = "ghportal_";
enum { TOKEN_BYTES = 32, PREFIX_CHARS = sizeof(mark) - 1 + 6 };

static const struct field fields[] = {
	FIELD(store_personal_token, TEXT, id),         FIELD(store_personal_token, TEXT, user_id),
	FIELD(store_personal_token, TEXT, name),       FIELD(store_personal_token, TEXT, prefix),
	FIELD(store_personal_token, BOOL, may_write),  FIELD(store_personal_token, BOOL, may_manage),
	FIELD(store_personal_token, TIME, created_us), FIELD(store_personal_token, TIME, used_us),
	FIELD(store_personal_token, TIME, ends_us),    FIELD(store_personal_token, TEXT, address),
};
static const struct row_type type = ROW_TYPE("personal token", store_personal_token, fields);

static gh_rc digest_of(struct arena *a, struct str token, struct str *out, struct gh_err *err)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];

	crypto_sha256(token, digest);
	*out = crypto_hex(a, (struct str){ (const char *)digest, sizeof(digest) });
	if (!out->p)
		FAIL(err, NOMEM, "personal token");
	return GH_RC_OK;
}

static gh_rc check_count(struct store *s, struct str user_id, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PERSONAL_TOKEN_COUNT);
	int64_t n;
	bool found;

	bind_str(st, 1, user_id);
	TRY(find_int(s, st, &n, &found, err));
	if (n >= STORE_PERSONAL_TOKENS_MAX)
		FAIL(err, LIMIT, "a person has at most %d tokens: take back one that is no longer used", STORE_PERSONAL_TOKENS_MAX);
	return GH_RC_OK;
}

GH_RC store_personal_token_create(struct store *s, struct arena *a, const struct store_personal_token *t, struct str *id_out,
				  struct str *token, struct gh_err *err)
{
	struct store_personal_token row = *t;
	struct str digest, secret;
	sqlite3_stmt *st;

	TRY(check_count(s, t->user_id, err));
	if (!row.id.n)
		TRY(store_new_id(a, &row.id, err));
	TRY(crypto_random_hex(a, TOKEN_BYTES, &secret, err));
	*token = arena_printf(a, "%s%.*s", mark, STR_ARG(secret));
	if (!token->p)
		FAIL(err, NOMEM, "personal token");
	TRY(digest_of(a, *token, &digest, err));
	row.prefix = str_first(*token, PREFIX_CHARS);
	row.created_us = clock_wall_us();
	row.used_us = 0;
	if (id_out)
		*id_out = row.id;
	st = sql_use(s, SQL_PERSONAL_TOKEN_ADD);
	bind_row(st, &type, &row);
	bind_str(st, (int)ARRAY_LEN(fields) + 1, digest);
	return change_run(s, st, &(struct change){ .action = "create", .kind = "personal token", .id = row.id }, err);
}

GH_RC store_personal_token_find(struct store *s, struct arena *a, struct str token, struct store_personal_token *out, bool *found,
				struct gh_err *err)
{
	struct str digest;
	sqlite3_stmt *st;

	*found = false;
	if (!str_starts(token, STR(mark)))
		return GH_RC_OK;
	TRY(digest_of(a, token, &digest, err));
	st = sql_use(s, SQL_PERSONAL_TOKEN_GET);
	bind_str(st, 1, digest);
	bind_int(st, 2, clock_wall_us());
	return find_row(s, st, &type, a, out, found, err);
}

GH_RC store_personal_tokens(struct store *s, struct arena *a, struct str user_id, struct store_personal_token **out, size_t *n,
			    struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PERSONAL_TOKEN_OF);

	bind_str(st, 1, user_id);
	return list_rows(s, st, &type, a, out, n, err);
}

GH_RC store_personal_token_used(struct store *s, struct str id, struct str address, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PERSONAL_TOKEN_USED);

	bind_str(st, 1, id);
	bind_int(st, 2, clock_wall_us());
	bind_str(st, 3, address);
	return change_run(s, st, &(struct change){ .kind = "personal token", .id = id }, err);
}

GH_RC store_personal_token_delete(struct store *s, struct str user_id, struct str id, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PERSONAL_TOKEN_DROP);

	bind_str(st, 1, user_id);
	bind_str(st, 2, id);
	return change_run(s, st, &(struct change){ .action = "delete", .kind = "personal token", .id = id, .must_exist = true }, err);
}

GH_RC store_personal_tokens_delete(struct store *s, struct str user_id, struct gh_err *err)
{
	return change_keys(s, SQL_PERSONAL_TOKEN_DROP_ALL, user_id, STR_NULL,
			   (struct change){ .action = "delete-all", .kind = "personal token", .id = user_id }, err);
}
