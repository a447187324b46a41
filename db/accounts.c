#include "db/accounts.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/sql.h"

enum { LINK_BYTES = 32 };
static const char FACTOR_KIND[] = "user_factor";

/* ---- links ----------------------------------------------------------------------------------------------------------- */

static const struct field link_fields[] = {
	FIELD_HIDDEN(store_link, TEXT, digest), FIELD(store_link, TEXT, kind), FIELD(store_link, REF, user_id),
	FIELD(store_link, TEXT, email),         FIELD(store_link, TEXT, data), FIELD(store_link, TIME, created_us),
	FIELD(store_link, TIME, ends_us),
};
static const struct row_type link_type = ROW_TYPE("link", store_link, link_fields);

static struct str digest_of(struct str secret, char hex[2 * CRYPTO_SHA256_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[CRYPTO_SHA256_BYTES];

	crypto_sha256(secret, bytes);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	return (struct str){ hex, 2 * CRYPTO_SHA256_BYTES };
}

GH_RC store_link_create(struct store *s, struct arena *a, const struct store_link *link, struct str *token, struct gh_err *err)
{
	char hex[2 * CRYPTO_SHA256_BYTES];
	struct store_link row = *link;

	TRY(crypto_random_hex(a, LINK_BYTES, token, err));
	row.digest = digest_of(*token, hex);
	row.created_us = clock_wall_us();
	return change_row(s, SQL_LINK_ADD, &link_type, &row, (struct change){ .action = "create", .id = row.email }, err);
}

GH_RC store_link_find(struct store *s, struct arena *a, struct str token, struct store_link *out, bool *found,
		      struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_LINK_GET);
	char hex[2 * CRYPTO_SHA256_BYTES];

	bind_str(st, 1, digest_of(token, hex));
	bind_int(st, 2, clock_wall_us());
	return find_row(s, st, &link_type, a, out, found, err);
}

GH_RC store_link_use(struct store *s, struct str digest, struct gh_err *err)
{
	return change_keys(s, SQL_LINK_DROP, digest, STR_NULL,
			   (struct change){ .kind = "link", .id = STR("given"), .must_exist = true }, err);
}

GH_RC store_links_drop(struct store *s, const char *kind, struct str email, struct gh_err *err)
{
	return change_keys(s, SQL_LINK_DROP_EMAIL, str_of(kind), email, (struct change){ .kind = "link" }, err);
}

GH_RC store_links_prune(struct store *s, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_LINK_PRUNE);

	bind_int(st, 1, clock_wall_us());
	return change_run(s, st, &(struct change){ .kind = "link" }, err);
}

/* ---- second factor --------------------------------------------------------------------------------------------------- */

struct factor_row {
	struct str user_id, sealed;
	int64_t confirmed_us, last_step;
};
static const struct field factor_fields[] = {
	FIELD(factor_row, TEXT, user_id), FIELD_HIDDEN(factor_row, BLOB, sealed), FIELD(factor_row, TIME, confirmed_us),
	FIELD_HIDDEN(factor_row, INT, last_step),
};
static const struct row_type factor_type = ROW_TYPE("second factor", factor_row, factor_fields);

GH_RC store_factor_set(struct store *s, struct arena *a, const struct store_factor *f, struct gh_err *err)
{
	struct factor_row row = { .user_id = f->user_id, .confirmed_us = f->confirmed_us, .last_step = f->last_step };

	TRY(store_seal(s, a, FACTOR_KIND, f->user_id, f->secret, &row.sealed, err));
	return change_row(s, SQL_FACTOR_PUT, &factor_type, &row, (struct change){ .action = "set", .id = f->user_id }, err);
}

GH_RC store_factor_find(struct store *s, struct arena *a, struct str user_id, struct store_factor *out, bool *found,
			struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_FACTOR_GET);
	struct factor_row row = { .sealed = STR_NULL };

	bind_str(st, 1, user_id);
	TRY(find_row(s, st, &factor_type, a, &row, found, err));
	if (!*found)
		return GH_RC_OK;
	*out = (struct store_factor){ .user_id = row.user_id, .confirmed_us = row.confirmed_us, .last_step = row.last_step };
	return store_unseal(s, a, FACTOR_KIND, user_id, row.sealed, &out->secret, err);
}

GH_RC store_factor_delete(struct store *s, struct str user_id, struct gh_err *err)
{
	TRY(change_keys(s, SQL_RECOVERY_CLEAR, user_id, STR_NULL, (struct change){ .kind = "recovery code" }, err));
	return change_keys(s, SQL_FACTOR_DROP, user_id, STR_NULL,
			   (struct change){ .action = "delete", .kind = "second factor", .must_exist = true }, err);
}

GH_RC store_account_forget(struct store *s, struct str user_id, struct gh_err *err)
{
	static const struct {
		enum sql sql;
		const char *kind;
	} rows[] = {
		{ SQL_RECOVERY_CLEAR, "recovery code" }, { SQL_FACTOR_DROP, "second factor" }, { SQL_PASSKEY_DROP_ALL, "passkey" },
		{ SQL_LINK_DROP_USER, "link" }, { SQL_PREFERENCE_DROP, "preference" }, { SQL_PERSONAL_TOKEN_DROP_ALL, "personal token" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		TRY(change_keys(s, rows[i].sql, user_id, STR_NULL, (struct change){ .kind = rows[i].kind }, err));
	return GH_RC_OK;
}

GH_RC store_factor_step(struct store *s, struct str user_id, int64_t step, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_FACTOR_STEP);

	bind_str(st, 1, user_id);
	bind_int(st, 2, step);
	return change_run(s, st, &(struct change){ .kind = "time step", .id = user_id, .must_exist = true }, err);
}

GH_RC store_recovery_set(struct store *s, struct str user_id, const struct str *digests, size_t n, struct gh_err *err)
{
	TRY(change_keys(s, SQL_RECOVERY_CLEAR, user_id, STR_NULL,
			(struct change){ .action = "set", .kind = "recovery codes" }, err));
	for (size_t i = 0; i < n; i++)
		TRY(change_keys(s, SQL_RECOVERY_ADD, user_id, digests[i], (struct change){ .kind = "recovery code" }, err));
	return GH_RC_OK;
}

GH_RC store_recovery_use(struct store *s, struct str user_id, struct str digest, struct gh_err *err)
{
	return change_keys(s, SQL_RECOVERY_DROP, user_id, digest,
			   (struct change){ .action = "use", .kind = "recovery code", .must_exist = true }, err);
}

GH_RC store_recovery_count(struct store *s, struct str user_id, int64_t *out, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_RECOVERY_COUNT);
	bool found;

	bind_str(st, 1, user_id);
	return find_int(s, st, out, &found, err);
}

/* ---- consent --------------------------------------------------------------------------------------------------------- */

GH_RC store_consent_add(struct store *s, struct str user_id, struct str terms, struct str address, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CONSENT_ADD);

	bind_str(st, 1, user_id);
	bind_str(st, 2, terms);
	bind_int(st, 3, clock_wall_us());
	bind_str(st, 4, address);
	return change_run(s, st, &(struct change){ .action = "accept", .kind = "terms of use", .id = user_id }, err);
}

GH_RC store_consent_find(struct store *s, struct str user_id, struct str terms, int64_t *at_us, bool *found,
			 struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CONSENT_GET);

	bind_str(st, 1, user_id);
	bind_str(st, 2, terms);
	return find_int(s, st, at_us, found, err);
}
