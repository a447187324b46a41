#include "db/subscriptions.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/subscription_rows.h"

#include <stdio.h>

enum { KEY_RANDOM_BYTES = 16 };
static const char KEY_KIND[] = "subscription_key";       /* of what is sealed */

const char *const store_subscription_state_names[] = { "submitted", "active", "suspended", "rejected", "cancelled", "expired",
							NULL };

static const struct field subscription_fields[] = {
	FIELD(store_subscription, TEXT, id),
	FIELD(store_subscription, TEXT, name),
	FIELD(store_subscription, INT, scope),
	FIELD(store_subscription, REF, product_id),
	FIELD(store_subscription, REF, api_id),
	FIELD(store_subscription, REF, user_id),
	FIELD(store_subscription, REF, application_id),
	FIELD(store_subscription, REF, tier_id),
	FIELD(store_subscription, INT, state),
	FIELD(store_subscription, TIME, created_us),
	FIELD(store_subscription, TIME, starts_us),
	FIELD(store_subscription, TIME, ends_us),
	FIELD(store_subscription, TEXT, note),
};
const struct row_type subscription_type = ROW_TYPE("subscription", store_subscription, subscription_fields);

static const struct field access_fields[] = {
	FIELD(store_access, TEXT, subscription.id),
	FIELD(store_access, TEXT, subscription.name),
	FIELD(store_access, INT, subscription.scope),
	FIELD(store_access, REF, subscription.product_id),
	FIELD(store_access, REF, subscription.api_id),
	FIELD(store_access, REF, subscription.user_id),
	FIELD(store_access, REF, subscription.application_id),
	FIELD(store_access, REF, subscription.tier_id),
	FIELD(store_access, INT, subscription.state),
	FIELD(store_access, TIME, subscription.created_us),
	FIELD(store_access, TIME, subscription.starts_us),
	FIELD(store_access, TIME, subscription.ends_us),
	FIELD(store_access, TEXT, subscription.note),
	FIELD(store_access, INT, key_slot),
	FIELD(store_access, TIME, key_ends_us),
	FIELD(store_access, REF, user_email),
	FIELD(store_access, REF, user_first_name),
	FIELD(store_access, REF, user_last_name),
	FIELD(store_access, INT, user_state),
	FIELD(store_access, REF, application_name),
};
const struct row_type access_type = ROW_TYPE("subscription", store_access, access_fields);

struct key_row {
	int64_t slot;
	struct str prefix, sealed;
};
static const struct field key_fields[] = {
	FIELD(key_row, INT, slot),
	FIELD(key_row, TEXT, prefix),
	FIELD_HIDDEN(key_row, BLOB, sealed),
};
static const struct row_type key_type = ROW_TYPE("key", key_row, key_fields);

GH_RC store_access_find(struct store *s, struct arena *a, const uint8_t digest[CRYPTO_SHA256_BYTES],
			struct store_access *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ACCESS_GET);

	bind_blob(st, 1, (struct str){ (const char *)digest, CRYPTO_SHA256_BYTES });
	return find_row(s, st, &access_type, a, out, found, err);
}

/* ---- keys ------------------------------------------------------------------------------------------------------------- */

gh_rc subscription_check_key(struct str key, struct gh_err *err)
{
	if (key.n < STORE_KEY_MIN || key.n > STORE_KEY_MAX)
		FAIL(err, INVALID, "a subscription key has %d to %d characters", STORE_KEY_MIN, STORE_KEY_MAX);
	for (size_t i = 0; i < key.n; i++)
		if (key.p[i] <= ' ' || key.p[i] > '~')
			FAIL(err, INVALID, "a subscription key consists of printable ASCII characters without blanks");
	return GH_RC_OK;
}

gh_rc subscription_bind_key(struct store *s, sqlite3_stmt *st, struct arena *a, struct str subscription_id,
			     enum store_key_slot slot, struct str key, uint8_t digest[CRYPTO_SHA256_BYTES], struct gh_err *err)
{
	struct str sealed;

	crypto_sha256(key, digest);
	TRY(store_seal(s, a, KEY_KIND, subscription_id, key, &sealed, err));
	bind_str(st, 1, subscription_id);
	bind_int(st, 2, slot);
	bind_blob(st, 3, (struct str){ (const char *)digest, CRYPTO_SHA256_BYTES });
	bind_str(st, 4, str_first(key, STORE_KEY_PREFIX));
	bind_blob(st, 5, sealed);
	bind_int(st, 6, clock_wall_us());
	return GH_RC_OK;
}

static gh_rc add_key(struct store *s, struct arena *a, struct str subscription_id, enum store_key_slot slot, struct str given,
		     struct str *out, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_KEY_ADD);
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct str key = given;
	gh_rc rc;

	if (!key.p)
		TRY(crypto_random_hex(a, KEY_RANDOM_BYTES, &key, err));
	TRY(subscription_check_key(key, err));
	TRY(subscription_bind_key(s, st, a, subscription_id, slot, key, digest, err));
	rc = change_run(s, st, &(struct change){ .kind = "key of subscription", .id = subscription_id,
						 .raises = RAISES_ACCESS }, err);
	if (rc.code == GH_E_CONFLICT)
		FAIL(err, CONFLICT, "the key is in use by another subscription, or there is no subscription '%.*s'",
		     STR_ARG(subscription_id));
	if (!rc.code && out)
		*out = key;
	return rc;
}

GH_RC store_key_replace(struct store *s, struct arena *a, struct str subscription_id, enum store_key_slot slot, struct str key,
			int64_t keep_old_s, struct str *key_out, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_KEY_PRUNE);
	int64_t now = clock_wall_us();
	struct str detail;

	TRY(change_begin(s, err));
	bind_str(st, 1, subscription_id);
	bind_int(st, 2, now);
	TRY(sql_done(s, st, err));
	st = sql_use(s, keep_old_s > 0 ? SQL_KEY_END : SQL_KEY_DROP);
	bind_str(st, 1, subscription_id);
	bind_int(st, 2, slot);
	if (keep_old_s > 0)
		bind_int(st, 3, now + keep_old_s * 1000000);
	detail = arena_printf(a, "{\"slot\":\"%s\",\"keep_old_s\":%lld}", slot == STORE_KEY_PRIMARY ? "primary" : "secondary",
			      (long long)keep_old_s);
	TRY(change_run(s, st, &(struct change){ .action = "replace-key", .kind = "subscription", .id = subscription_id,
						.detail = detail, .raises = RAISES_ACCESS }, err));
	return add_key(s, a, subscription_id, slot, key, key_out, err);
}

GH_RC store_keys_forget(struct store *s, struct str subscription_id, struct gh_err *err)
{
	return change_keys(s, SQL_KEY_FORGET, subscription_id, STR_NULL,
			   (struct change){ .action = "forget-keys", .kind = "subscription", .raises = RAISES_ACCESS }, err);
}

static gh_rc keys_of(struct store *s, struct arena *a, struct str id, struct key_row **rows, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_KEY_OF);

	bind_str(st, 1, id);
	return list_rows(s, st, &key_type, a, rows, n, err);
}

static struct str *slot_of(struct store_keys *keys, int64_t slot)
{
	return slot == STORE_KEY_PRIMARY ? &keys->primary : &keys->secondary;
}

GH_RC store_subscription_keys(struct store *s, struct arena *a, struct str id, struct store_keys *out, struct gh_err *err)
{
	struct key_row *rows;
	size_t n;

	*out = (struct store_keys){ STR_NULL, STR_NULL };
	TRY(keys_of(s, a, id, &rows, &n, err));
	for (size_t i = 0; i < n; i++)
		TRY(store_unseal(s, a, KEY_KIND, id, rows[i].sealed, slot_of(out, rows[i].slot), err));
	return GH_RC_OK;
}

GH_RC store_subscription_keys_shown(struct store *s, struct arena *a, struct str id, struct str actor, struct store_keys *out,
				    struct gh_err *err)
{
	gh_rc rc;

	TRY(store_tx_begin(s, actor, err));
	rc = change_note(s, &(struct change){ .action = "show-keys", .kind = "subscription", .id = id }, err);
	TRY(store_tx_end(s, rc, err));
	return store_subscription_keys(s, a, id, out, err);
}

GH_RC store_subscription_prefixes(struct store *s, struct arena *a, struct str id, struct store_keys *out, struct gh_err *err)
{
	struct key_row *rows;
	size_t n;

	*out = (struct store_keys){ STR_NULL, STR_NULL };
	TRY(keys_of(s, a, id, &rows, &n, err));
	for (size_t i = 0; i < n; i++)
		*slot_of(out, rows[i].slot) = rows[i].prefix;
	return GH_RC_OK;
}

/* ---- subscriptions ---------------------------------------------------------------------------------------------------- */

GH_RC store_subscription_create(struct store *s, struct arena *a, const struct store_subscription *sub,
				const struct store_keys *given, struct str *id_out, struct store_keys *keys_out,
				struct gh_err *err)
{
	static const struct store_keys none;
	struct store_subscription row = *sub;

	if (!given)
		given = &none;
	if (!row.id.n)
		TRY(store_new_id(a, &row.id, err));
	if (!row.created_us)
		row.created_us = clock_wall_us();
	TRY(change_row(s, SQL_SUBSCRIPTION_ADD, &subscription_type, &row,
		       (struct change){ .action = "create", .id = row.id, .raises = RAISES_ACCESS }, err));
	TRY(add_key(s, a, row.id, STORE_KEY_PRIMARY, given->primary, keys_out ? &keys_out->primary : NULL, err));
	TRY(add_key(s, a, row.id, STORE_KEY_SECONDARY, given->secondary, keys_out ? &keys_out->secondary : NULL, err));
	if (id_out)
		*id_out = row.id;
	return GH_RC_OK;
}

GH_RC store_subscription_update(struct store *s, const struct store_subscription *sub, struct gh_err *err)
{
	return change_row(s, SQL_SUBSCRIPTION_SET, &subscription_type, sub,
			  (struct change){ .action = "update", .id = sub->id, .raises = RAISES_ACCESS, .must_exist = true }, err);
}

GH_RC store_subscription_set_state(struct store *s, struct str id, enum store_subscription_state state, struct str note,
				   struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SUBSCRIPTION_STATE);
	char detail[64];
	int n = snprintf(detail, sizeof(detail), "{\"state\":\"%s\"}", store_subscription_state_names[state]);

	bind_str(st, 1, id);
	bind_int(st, 2, state);
	bind_str(st, 3, note);
	return change_run(s, st, &(struct change){ .action = "set-state", .kind = "subscription", .id = id, .must_exist = true,
						   .detail = { detail, (size_t)n }, .raises = RAISES_ACCESS }, err);
}

GH_RC store_subscription_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_SUBSCRIPTION_DROP, id, STR_NULL,
			   (struct change){ .action = "delete", .kind = "subscription", .raises = RAISES_ACCESS,
					    .must_exist = true }, err);
}

GH_RC store_subscription_find(struct store *s, struct arena *a, struct str id, struct store_subscription *out, bool *found,
			      struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_SUBSCRIPTION_GET);

	bind_str(st, 1, id);
	return find_row(s, st, &subscription_type, a, out, found, err);
}

/* The narrowest condition that is given chooses the index. */
static sqlite3_stmt *use_filter(struct store *s, const struct store_subscription_filter *f, bool count)
{
	const struct {
		struct str given;
		enum sql list, count;
	} ways[] = {
		{ f->application_id, SQL_SUBSCRIPTION_LIST_APPLICATION, SQL_SUBSCRIPTION_COUNT_APPLICATION },
		{ f->user_id, SQL_SUBSCRIPTION_LIST_USER, SQL_SUBSCRIPTION_COUNT_USER },
		{ f->api_id, SQL_SUBSCRIPTION_LIST_API, SQL_SUBSCRIPTION_COUNT_API },
		{ f->product_id, SQL_SUBSCRIPTION_LIST_PRODUCT, SQL_SUBSCRIPTION_COUNT_PRODUCT },
	};
	enum sql which = count ? SQL_SUBSCRIPTION_COUNT_ALL : SQL_SUBSCRIPTION_LIST;
	size_t ways_n = ARRAY_LEN(ways);
	sqlite3_stmt *st;

	if (count && f->product_id.n && f->state >= 0 && !f->application_id.n && !f->user_id.n && !f->api_id.n)
		ways_n = 0, which = SQL_SUBSCRIPTION_COUNT_PRODUCT_STATE;
	for (size_t i = 0; i < ways_n; i++)
		if (ways[i].given.n) {
			which = count ? ways[i].count : ways[i].list;
			break;
		}
	st = sql_use(s, which);
	bind_str(st, 1, f->product_id);
	bind_int(st, 5, f->state);
	if (which == SQL_SUBSCRIPTION_COUNT_PRODUCT_STATE)
		return st;
	bind_str(st, 2, f->api_id);
	bind_str(st, 3, f->user_id);
	bind_str(st, 4, f->application_id);
	if (count)
		bind_str(st, 6, STR("%"));
	return st;
}

static const struct store_subscription_filter everything = { .state = -1 };

GH_RC store_subscriptions(struct store *s, struct arena *a, const struct store_subscription_filter *filter,
			  const struct store_page *page, struct store_subscription **out, size_t *n, struct gh_err *err)
{
	const struct store_subscription_filter *f = filter ? filter : &everything;
	bool only_words = page && page->search.n && !f->product_id.n && !f->api_id.n && !f->user_id.n && !f->application_id.n && f->state < 0;
	sqlite3_stmt *st = only_words ? sql_use(s, SQL_SUBSCRIPTION_SEARCH) : use_filter(s, f, false);
	char pattern[512];

	bind_page(st, 6, page, pattern);
	return list_rows(s, st, &subscription_type, a, out, n, err);
}

GH_RC store_subscriptions_count(struct store *s, const struct store_subscription_filter *filter, int64_t *out,
				struct gh_err *err)
{
	sqlite3_stmt *st = use_filter(s, filter ? filter : &everything, true);

	return find_int(s, st, out, NULL, err);
}
