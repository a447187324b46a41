#include "db/requests.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/subscription_rows.h"

static const struct field request_fields[] = {
	FIELD(store_request, TEXT, subscription_id), FIELD(store_request, REF, tier_id), FIELD(store_request, TEXT, message),
	FIELD(store_request, REF, user_id),          FIELD(store_request, TIME, created_us),
};
static const struct row_type request_type = ROW_TYPE("request", store_request, request_fields);

/* A character is not cut in two. */
static struct str shortened(struct str s)
{
	size_t n = s.n < STORE_REQUEST_MESSAGE_MAX ? s.n : STORE_REQUEST_MESSAGE_MAX;

	while (n < s.n && n && ((unsigned char)s.p[n] & 0xC0) == 0x80)
		n--;
	return str_first(s, n);
}

GH_RC store_request_set(struct store *s, const struct store_request *r, struct gh_err *err)
{
	struct store_request row = *r;

	row.message = shortened(r->message);
	row.created_us = clock_wall_us();
	return change_row(s, SQL_REQUEST_SET, &request_type, &row,
			  (struct change){ .action = "request", .kind = "subscription", .id = r->subscription_id }, err);
}

GH_RC store_request_drop(struct store *s, struct str subscription_id, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_REQUEST_DROP);

	TRY(change_begin(s, err));
	bind_str(st, 1, subscription_id);
	return sql_done(s, st, err);
}

GH_RC store_request_find(struct store *s, struct arena *a, struct str subscription_id, struct store_request *out, bool *found,
			 struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_REQUEST_GET);

	bind_str(st, 1, subscription_id);
	return find_row(s, st, &request_type, a, out, found, err);
}

GH_RC store_tier_wishes(struct store *s, struct arena *a, struct str tier_id, size_t limit, struct store_request **out, size_t *n,
			struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_TIER_WISHES);

	bind_str(st, 1, tier_id);
	bind_int(st, 2, (int64_t)limit);
	return list_rows(s, st, &request_type, a, out, n, err);
}

GH_RC store_tier_waiting(struct store *s, struct arena *a, struct str tier_id, struct store_subscription **out, size_t *n,
			 struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_TIER_WAITING);

	bind_str(st, 1, tier_id);
	return list_rows(s, st, &subscription_type, a, out, n, err);
}

/* ---- ends of subscriptions ------------------------------------------------------------------------------------------------ */

GH_RC store_expiring(struct store *s, struct arena *a, int64_t now_us, int64_t before_us, int64_t days, size_t limit,
		     struct store_subscription **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_EXPIRING);

	bind_int(st, 1, now_us);
	bind_int(st, 2, before_us);
	bind_int(st, 3, days);
	bind_int(st, 4, (int64_t)limit);
	return list_rows(s, st, &subscription_type, a, out, n, err);
}

GH_RC store_subscriptions_ending(struct store *s, struct arena *a, int64_t after_us, int64_t before_us,
				 struct store_subscription **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ENDING);

	bind_int(st, 1, after_us);
	bind_int(st, 2, before_us);
	bind_int(st, 3, STORE_SUBSCRIPTIONS_ENDING_MAX);
	return list_rows(s, st, &subscription_type, a, out, n, err);
}

GH_RC store_subscriptions_with_quota(struct store *s, struct arena *a, struct str id, struct store_subscription **out, size_t *n,
				     struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_WITH_QUOTA);

	bind_str(st, 1, id);
	bind_int(st, 2, STORE_SUBSCRIPTIONS_QUOTA_MAX);
	return list_rows(s, st, &subscription_type, a, out, n, err);
}

GH_RC store_expiry_note(struct store *s, const struct store_subscription *sub, int64_t days, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_EXPIRY_NOTE);

	bind_str(st, 1, sub->id);
	bind_int(st, 2, sub->ends_us);
	bind_int(st, 3, days);
	return change_run(s, st, &(struct change){ .kind = "expiry notice", .id = sub->id }, err);
}
