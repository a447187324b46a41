#include "db/machine_tokens.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/str.h"
#include "db/sql.h"

/* The word in front tells a found token's origin to people and to programs that look for leaked secrets. */
static const char mark[] = "ghadmin_";
enum { TOKEN_BYTES = 32, PREFIX_CHARS = sizeof(mark) - 1 + 6 };

static const struct field token_fields[] = {
	FIELD(store_machine_token, TEXT, id),     FIELD(store_machine_token, TEXT, prefix),     FIELD(store_machine_token, TEXT, role),
	FIELD(store_machine_token, TEXT, scopes), FIELD(store_machine_token, TIME, created_us), FIELD(store_machine_token, TIME, used_us),
	FIELD(store_machine_token, TIME, ends_us), FIELD(store_machine_token, REF, environment_id), FIELD(store_machine_token, REF, business_group_id),
};
static const struct row_type token_type = ROW_TYPE("machine token", store_machine_token, token_fields);

static const struct field answer_fields[] = {
	FIELD(store_answer, TEXT, digest),
	FIELD(store_answer, TEXT, request),
	FIELD_HIDDEN(store_answer, BLOB, answer),
	FIELD(store_answer, TIME, at_us),
};
static const struct row_type answer_type = ROW_TYPE("answer", store_answer, answer_fields);

static gh_rc digest_of(struct arena *a, struct str token, struct str *out, struct gh_err *err)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];

	crypto_sha256(token, digest);
	*out = crypto_hex(a, (struct str){ (const char *)digest, sizeof(digest) });
	if (!out->p)
		FAIL(err, NOMEM, "machine token");
	return GH_RC_OK;
}

GH_RC store_machine_token_create(struct store *s, struct arena *a, const struct store_machine_token *t, struct str *token,
				 struct gh_err *err)
{
	struct store_machine_token row = *t;
	struct str digest, secret;
	sqlite3_stmt *st;

	TRY(crypto_random_hex(a, TOKEN_BYTES, &secret, err));
	*token = arena_printf(a, "%s%.*s", mark, STR_ARG(secret));
	if (!token->p)
		FAIL(err, NOMEM, "machine token");
	TRY(digest_of(a, *token, &digest, err));
	row.prefix = str_first(*token, PREFIX_CHARS);
	row.created_us = clock_wall_us();
	row.used_us = 0;
	st = sql_use(s, SQL_MACHINE_TOKEN_ADD);
	bind_row(st, &token_type, &row);
	bind_str(st, (int)ARRAY_LEN(token_fields) + 1, digest);
	return change_run(s, st, &(struct change){ .action = "create", .kind = "machine token", .id = row.id }, err);
}

GH_RC store_machine_token_update(struct store *s, const struct store_machine_token *t, struct gh_err *err)
{
	return change_row(s, SQL_MACHINE_TOKEN_SET, &token_type, t,
			  (struct change){ .action = "update", .id = t->id, .must_exist = true }, err);
}

GH_RC store_machine_token_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_MACHINE_TOKEN_DROP, id, STR_NULL,
			   (struct change){ .action = "delete", .kind = "machine token", .must_exist = true }, err);
}

GH_RC store_machine_token_find(struct store *s, struct arena *a, struct str id, struct store_machine_token *out, bool *found,
			       struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_MACHINE_TOKEN_GET);

	bind_str(st, 1, id);
	return find_row(s, st, &token_type, a, out, found, err);
}

GH_RC store_machine_token_of(struct store *s, struct arena *a, struct str token, struct store_machine_token *out, bool *found,
			     struct gh_err *err)
{
	struct str digest;
	sqlite3_stmt *st;

	*found = false;
	if (!str_starts(token, str_of(mark)))
		return GH_RC_OK;
	TRY(digest_of(a, token, &digest, err));
	st = sql_use(s, SQL_MACHINE_TOKEN_OF);
	bind_str(st, 1, digest);
	bind_int(st, 2, clock_wall_us());
	return find_row(s, st, &token_type, a, out, found, err);
}

GH_RC store_machine_token_used(struct store *s, struct str id, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_MACHINE_TOKEN_USED);

	bind_str(st, 1, id);
	bind_int(st, 2, clock_wall_us());
	return change_run(s, st, &(struct change){ .kind = "machine token", .id = id }, err);
}

bool store_scopes_allow(struct str scopes, bool write, struct str kind)
{
	struct str scope;

	while (str_word(&scopes, &scope)) {
		size_t colon = str_find_char(scope, ':');
		struct str verb = str_first(scope, colon), of = colon == SIZE_MAX ? STR_NULL : str_from(scope, colon + 1);

		if ((str_eq(verb, STR("write")) || (!write && str_eq(verb, STR("read")))) && (!of.p || (kind.n && str_eq(of, kind))))
			return true;
	}
	return false;
}

/* ---- answers ----------------------------------------------------------------------------------------------------------- */

static const int64_t ANSWER_US = STORE_ANSWER_HOURS * INT64_C(3600000000);

GH_RC store_answer_find(struct store *s, struct arena *a, struct str digest, struct store_answer *out, bool *found,
			struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ANSWER_GET);

	bind_str(st, 1, digest);
	bind_int(st, 2, clock_wall_us() - ANSWER_US);
	return find_row(s, st, &answer_type, a, out, found, err);
}

GH_RC store_answer_keep(struct store *s, const struct store_answer *v, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ANSWER_PRUNE);
	struct store_answer row = *v;

	TRY(change_begin(s, err));
	row.at_us = clock_wall_us();
	bind_int(st, 1, row.at_us - ANSWER_US);
	bind_int(st, 2, STORE_ANSWERS_MAX - 1);
	TRY(sql_done(s, st, err));
	return change_row(s, SQL_ANSWER_ADD, &answer_type, &row, (struct change){ .id = v->digest }, err);
}
