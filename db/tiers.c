#include "db/tiers.h"

#include "core/str.h"
#include "db/limit_rows.h"

static const struct field tier_fields[] = {
	FIELD(store_tier, TEXT, id),          FIELD(store_tier, TEXT, product_id), FIELD(store_tier, TEXT, name),
	FIELD(store_tier, TEXT, description), FIELD(store_tier, INT, approval),    FIELD(store_tier, BOOL, deprecated),
};
static const struct row_type tier_type = ROW_TYPE("tier", store_tier, tier_fields);

static const struct field limit_fields[] = {
	FIELD(store_limit, INT, kind), FIELD(store_limit, INT, seconds), FIELD(store_limit, INT, calls), FIELD(store_limit, INT, algorithm),
	FIELD(store_limit, INT, queue), FIELD(store_limit, INT, delay_ms),
};
const struct row_type limit_type = ROW_TYPE("limit", store_limit, limit_fields);

/* Not part of the snapshot: limits are read with the subscription. */
static struct change tier_change(const char *action, struct str id)
{
	return (struct change){ .action = action, .kind = "tier", .id = id, .raises = RAISES_ACCESS, .must_exist = true };
}

GH_RC store_tier_create(struct store *s, const struct store_tier *t, struct gh_err *err)
{
	TRY(store_check_id("tier", t->id, err));
	return change_row(s, SQL_TIER_ADD, &tier_type, t, tier_change("create", t->id), err);
}

GH_RC store_tier_update(struct store *s, const struct store_tier *t, struct gh_err *err)
{
	return change_row(s, SQL_TIER_SET, &tier_type, t, tier_change("update", t->id), err);
}

GH_RC store_tier_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_TIER_DROP, id, STR_NULL, tier_change("delete", id), err);
}

GH_RC store_tier_find(struct store *s, struct arena *a, struct str id, struct store_tier *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_TIER_GET);

	bind_str(st, 1, id);
	return find_row(s, st, &tier_type, a, out, found, err);
}

GH_RC store_tiers(struct store *s, struct arena *a, struct str product_id, struct store_tier **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, product_id.n ? SQL_TIER_OF_PRODUCT : SQL_TIER_ALL);

	if (product_id.n)
		bind_str(st, 1, product_id);
	return list_rows(s, st, &tier_type, a, out, n, err);
}

/* ---- limits ------------------------------------------------------------------------------------------------------------ */

static gh_rc check_most(const struct store_limit *l, struct gh_err *err)
{
	int64_t most = l->kind == STORE_LIMIT_BANDWIDTH     ? STORE_LIMIT_BYTES_MAX
		       : l->kind == STORE_LIMIT_CONCURRENCY ? STORE_CONCURRENCY_MAX
							    : STORE_LIMIT_CALLS_MAX;

	if (l->kind < 0 || l->kind >= STORE_LIMIT__COUNT)
		FAIL(err, INVALID, "there is no kind %lld of a limit", (long long)l->kind);
	if (l->calls < 1 || l->calls > most)
		FAIL(err, INVALID, "a limit has 1 to %lld %s", (long long)most, l->kind == STORE_LIMIT_BANDWIDTH ? "bytes" : "calls");
	return GH_RC_OK;
}

static gh_rc check_queue(const struct store_limit *l, struct gh_err *err)
{
	if (!l->queue && !l->delay_ms)
		return GH_RC_OK;
	if (l->kind != STORE_LIMIT_RATE)
		FAIL(err, INVALID, "only a rate has a queue");
	if (l->queue < 1 || l->queue > STORE_QUEUE_MAX || l->delay_ms < 1 || l->delay_ms > STORE_DELAY_MS_MAX)
		FAIL(err, INVALID, "a queue has 1 to %d calls, which wait 1 to %d ms", STORE_QUEUE_MAX, STORE_DELAY_MS_MAX);
	return GH_RC_OK;
}

gh_rc limit_check(const struct store_limit *l, struct gh_err *err)
{
	bool rate = l->kind == STORE_LIMIT_RATE;

	TRY(check_most(l, err));
	TRY(check_queue(l, err));
	if (l->kind == STORE_LIMIT_CONCURRENCY && (l->seconds || l->algorithm))
		FAIL(err, INVALID, "calls at once have neither a window nor an algorithm");
	if (rate && (l->seconds < 1 || l->seconds > STORE_RATE_SECONDS_MAX))
		FAIL(err, INVALID, "the window of a rate has 1 to %d seconds", STORE_RATE_SECONDS_MAX);
	if (l->seconds < 0 || l->seconds > STORE_QUOTA_SECONDS_MAX)
		FAIL(err, INVALID, "the window of a quota has 0 to %lld seconds", (long long)STORE_QUOTA_SECONDS_MAX);
	if (l->algorithm < STORE_ALGORITHM_USUAL || l->algorithm >= STORE_ALGORITHM__COUNT)
		FAIL(err, INVALID, "there is no algorithm %lld of a limit", (long long)l->algorithm);
	if (!rate && l->algorithm == STORE_ALGORITHM_LEAKY)
		FAIL(err, INVALID, "only a rate is a leaky bucket");
	if (l->kind == STORE_LIMIT_BANDWIDTH && l->algorithm > STORE_ALGORITHM_FIXED)
		FAIL(err, INVALID, "bytes are counted in fixed windows");
	if (!l->seconds && l->algorithm != STORE_ALGORITHM_USUAL && l->algorithm != STORE_ALGORITHM_FIXED)
		FAIL(err, INVALID, "a quota that never begins anew has no other algorithm than fixed-window");
	return GH_RC_OK;
}

enum counter_type store_limit_counter(const struct store_limit *l)
{
	static const enum counter_type types[] = { [STORE_ALGORITHM_FIXED] = COUNTER_TYPE_FIXED, [STORE_ALGORITHM_SLIDING] = COUNTER_TYPE_SLIDING,
						   [STORE_ALGORITHM_BUCKET] = COUNTER_TYPE_BUCKET, [STORE_ALGORITHM_LEAKY] = COUNTER_TYPE_BUCKET };

	if (l->algorithm == STORE_ALGORITHM_USUAL)
		return l->kind == STORE_LIMIT_RATE ? COUNTER_TYPE_SLIDING : COUNTER_TYPE_FIXED;
	return types[l->algorithm];
}

void limits_json(struct buf *b, const struct store_limit *v, size_t n)
{
	buf_cstr(b, "[");
	for (size_t i = 0; i < n; i++) {
		buf_cstr(b, i ? "," : "");
		row_json(b, &limit_type, &v[i]);
	}
	buf_cstr(b, "]");
}

void limit_bind(sqlite3_stmt *st, int first, const struct store_limit *l)
{
	const int64_t v[] = { l->kind, l->seconds, l->calls, l->algorithm, l->queue, l->delay_ms };

	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		bind_int(st, first + (int)i, v[i]);
}

static gh_rc add_limit(struct store *s, struct str id, const struct store_limit *l, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_TIER_LIMIT_ADD);
	gh_rc rc;

	TRY(limit_check(l, err));
	bind_str(st, 1, id);
	limit_bind(st, 2, l);
	rc = change_run(s, st, &(struct change){ .kind = "limit of tier", .id = id }, err);
	if (rc.code == GH_E_CONFLICT)
		FAIL(err, CONFLICT, "tier '%.*s': there is no such tier, or it has two limits of a kind for the same time", STR_ARG(id));
	return rc;
}

GH_RC store_tier_set_limits(struct store *s, struct str id, const struct store_limit *v, size_t n, struct gh_err *err)
{
	struct change change = tier_change("set-limits", id);
	sqlite3_stmt *st;
	struct buf detail;
	gh_rc rc;

	if (n > STORE_TIER_LIMITS_MAX)
		FAIL(err, INVALID, "a tier has at most %d limits", STORE_TIER_LIMITS_MAX);
	TRY(change_begin(s, err));
	st = sql_use(s, SQL_TIER_LIMIT_DROP);
	bind_str(st, 1, id);
	TRY(sql_done(s, st, err));
	for (size_t i = 0; i < n; i++)
		TRY(add_limit(s, id, &v[i], err));
	buf_init(&detail, 4096);
	limits_json(&detail, v, n);
	change.detail = buf_view(&detail);
	rc = change_note(s, &change, err);
	buf_release(&detail);
	return rc;
}

GH_RC store_tier_limits(struct store *s, struct arena *a, struct str id, struct store_limit **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_TIER_LIMITS);

	bind_str(st, 1, id);
	return list_rows(s, st, &limit_type, a, out, n, err);
}
