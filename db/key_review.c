#include "db/key_review.h"

#include "core/str.h"
#include "db/sql.h"

static const char KEY_KIND[] = "subscription_key";

static const struct field review_fields[] = {
	FIELD(store_key_review, TEXT, subscription_id), FIELD(store_key_review, INT, slot),
	FIELD(store_key_review, TEXT, prefix),          FIELD(store_key_review, TIME, created_us),
	FIELD(store_key_review, TIME, ends_us),         FIELD(store_key_review, TIME, last_used_us),
	FIELD(store_key_review, INT, state),            FIELD_HIDDEN(store_key_review, BLOB, key),
};
static const struct row_type review_type = ROW_TYPE("key", store_key_review, review_fields);

GH_RC store_key_reviews(struct store *s, struct arena *a, struct str after, size_t limit, bool in_clear,
			struct store_key_review **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_KEY_REVIEWS);

	bind_str(st, 1, after);
	bind_int(st, 2, (int64_t)limit);
	TRY(list_rows(s, st, &review_type, a, out, n, err));
	for (size_t i = 0; i < *n; i++) {
		struct store_key_review *k = &(*out)[i];
		struct str sealed = k->key;

		k->key = STR_NULL;
		if (in_clear)
			TRY(store_unseal(s, a, KEY_KIND, k->subscription_id, sealed, &k->key, err));
	}
	return GH_RC_OK;
}

GH_RC store_keys_of(struct store *s, struct arena *a, struct str subscription_id, int64_t now_us, struct store_key_review **out,
		    size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_KEYS_OF);

	bind_str(st, 1, subscription_id);
	bind_int(st, 2, now_us);
	return list_rows(s, st, &review_type, a, out, n, err);
}

GH_RC store_subscription_last_used(struct store *s, struct str id, int64_t *out, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_KEY_LAST_USED);

	bind_str(st, 1, id);
	return find_int(s, st, out, NULL, err);
}

GH_RC store_drain_key_use(struct store *s, struct str subscription_id, struct str prefix, int64_t last_us, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_KEY_USE_PUT);

	bind_str(st, 1, subscription_id);
	bind_str(st, 2, prefix);
	bind_int(st, 3, last_us);
	return sql_done(s, st, err);
}
