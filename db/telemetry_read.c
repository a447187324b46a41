/* telemetry_read.c - what pages, reports and the log ask of the calls. */
#include "db/telemetry.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/analytics.h"
#include "db/call_block.h"
#include "db/sql.h"

#include <stdlib.h>

static const int64_t SECOND_US = 1000000;

enum { CALLS_DEFAULT = 100 };

double store_traffic_error_percent(const struct store_traffic *t)
{
	int64_t errors = t->client_errors + t->gateway_errors + t->backend_errors;

	return t->calls ? 100.0 * (double)errors / (double)t->calls : -1;
}

double store_traffic_hit_percent(const struct store_traffic *t)
{
	int64_t asked = t->cache_hits + t->cache_misses;

	return asked ? 100.0 * (double)t->cache_hits / (double)asked : -1;
}

struct traffic_kind traffic_kind(struct str status, struct str origin)
{
	bool failed = str_eq(origin, str_of(telemetry_origin_name(TELEMETRY_BACKEND_FAILED)));
	bool backend = failed || str_eq(origin, str_of(telemetry_origin_name(TELEMETRY_BY_BACKEND)));
	unsigned class = status.n == 3 && status.p[0] >= '1' && status.p[0] <= '5' ? (unsigned)(status.p[0] - '0') : 0;

	return (struct traffic_kind){ .class = (uint8_t)class,
				      .refused = class == 4 && str_eq(origin, str_of(telemetry_origin_name(TELEMETRY_BY_GATEWAY))),
				      .gateway_error = class == 5 && !backend,
				      /* a backend that broke off had sent its 200 before; 4xx is an error already */
				      .backend_error = backend && (class == 5 || (failed && class != 4)) };
}

void traffic_add(struct store_traffic *t, struct traffic_kind kind, int64_t calls)
{
	t->calls += calls;
	t->status_class[kind.class] += calls;
	t->client_errors += kind.class == 4 ? calls : 0;
	t->refused += kind.refused ? calls : 0;
	t->gateway_errors += kind.gateway_error ? calls : 0;
	t->backend_errors += kind.backend_error ? calls : 0;
}

/* ---- totals ------------------------------------------------------------------------------------------------------------------ */

static struct analytics_query query_of(const struct store_traffic_filter *f)
{
	struct analytics_query q = { .latency = ANALYTICS_LATENCY, .limit = ANALYTICS_ROWS_MAX };

	if (!f)
		return q;
	q.from_us = f->from_us;
	q.to_us = f->to_us;
	q.filter[ROLLUP_ENVIRONMENT] = f->environment;
	q.filter[ROLLUP_API] = f->api;
	q.filter[ROLLUP_OPERATION] = f->operation;
	q.filter[ROLLUP_PRODUCT] = f->product;
	q.filter[ROLLUP_SUBSCRIPTION] = f->subscription;
	q.filter[ROLLUP_APPLICATION] = f->application;
	q.filter[ROLLUP_BACKEND] = f->backend;
	return q;
}

GH_RC store_traffic(struct store *s, struct arena *a, enum store_traffic_by by, const struct store_traffic_filter *f,
		    struct store_traffic_row **out, size_t *n, struct gh_err *err)
{
	static const enum rollup_dimension groups[STORE_TRAFFIC_BY__COUNT] = {
		[STORE_TRAFFIC_BY_ENVIRONMENT] = ROLLUP_ENVIRONMENT, [STORE_TRAFFIC_BY_API] = ROLLUP_API,
		[STORE_TRAFFIC_BY_OPERATION] = ROLLUP_OPERATION, [STORE_TRAFFIC_BY_PRODUCT] = ROLLUP_PRODUCT,
		[STORE_TRAFFIC_BY_SUBSCRIPTION] = ROLLUP_SUBSCRIPTION, [STORE_TRAFFIC_BY_APPLICATION] = ROLLUP_APPLICATION,
		[STORE_TRAFFIC_BY_BACKEND] = ROLLUP_BACKEND,
	};
	struct analytics_query q = query_of(f);
	struct analytics_result r;

	q.n_group = by != STORE_TRAFFIC_TOTAL;
	q.group[0] = groups[by];
	TRY(analytics_run(s, a, &q, &r, err));
	*n = by == STORE_TRAFFIC_TOTAL ? 1 : r.n;
	*out = arena_alloc(a, *n + 1, sizeof(**out));
	if (!*out)
		FAIL(err, NOMEM, "no memory for totals");
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = by == STORE_TRAFFIC_TOTAL ? (struct store_traffic_row){ STR(""), r.sum }
						      : (struct store_traffic_row){ r.groups[i].key[0], r.groups[i].sum };
	return GH_RC_OK;
}

GH_RC store_traffic_day(struct store *s, struct arena *a, struct store_traffic_row **out, size_t *n, struct gh_err *err)
{
	struct store_traffic_filter f = { .from_us = clock_wall_us() - ROLLUP_DAY_S * SECOND_US };

	return store_traffic(s, a, STORE_TRAFFIC_BY_API, &f, out, n, err);
}

GH_RC store_traffic_day_of(struct store *s, struct str api, struct store_traffic *out, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ROLLUP_CALLS_OF_API);
	gh_rc rc;
	bool row;

	*out = (struct store_traffic){ .calls = 0 };
	bind_str(st, 1, api);
	bind_int(st, 2, clock_wall_us() / SECOND_US / ROLLUP_HOUR_S * ROLLUP_HOUR_S - 23 * ROLLUP_HOUR_S);
	while (rc = sql_step(s, st, &row, err), !rc.code && row)
		traffic_add(out, traffic_kind(column_text(st, 0), column_text(st, 1)), sqlite3_column_int64(st, 2));
	return rc;
}

GH_RC store_traffic_steps(struct store *s, struct arena *a, const struct store_traffic_filter *f, int64_t step_s,
			  struct store_traffic_step **out, size_t *n, struct gh_err *err)
{
	struct analytics_query q = query_of(f);
	struct analytics_result r;

	if (step_s < ROLLUP_MINUTE_S)
		FAIL(err, INVALID, "a step of %lld s is no number of whole minutes", (long long)step_s);
	q.latency = ANALYTICS_LATENCY_STEPS;
	q.step_s = step_s;
	TRY(analytics_run(s, a, &q, &r, err));
	*out = arena_alloc(a, r.n_steps, sizeof(**out));
	if (!*out)
		FAIL(err, NOMEM, "no memory for totals");
	for (size_t i = 0; i < r.n_steps; i++)
		(*out)[i] = (struct store_traffic_step){ r.first_us + (int64_t)i * step_s * SECOND_US, r.steps[i] };
	*n = r.n_steps;
	return GH_RC_OK;
}

/* ---- single calls ------------------------------------------------------------------------------------------------------------- */

/* What is kept of the blocks that are found, from the newest call on. */
struct taking {
	struct arena *a;
	struct store_call *v;                /* newest first */
	size_t n, cap, limit;
	bool failed;
};

static bool keep_call(struct arena *a, const struct store_call *from, struct store_call *to)
{
	*to = *from;
#define X(name, max)                                                            \
	to->call.name = arena_dup(a, from->call.name);                          \
	if (!to->call.name.p)                                                   \
		return false;
	TELEMETRY_TEXTS(X)
#undef X
	return true;
}

static bool have_room(struct taking *t)
{
	size_t cap = t->cap ? 2 * t->cap : 128;
	struct store_call *more;

	if (t->n < t->cap)
		return true;
	more = arena_alloc(t->a, cap, sizeof(*more));
	if (!more)
		return false;
	if (t->n)
		memcpy(more, t->v, t->n * sizeof(*more));
	t->v = more;
	t->cap = cap;
	return true;
}

static bool take(void *ctx, const struct store_call *calls, size_t n)
{
	struct taking *t = ctx;

	while (n && t->n < t->limit && !t->failed) {
		t->failed = !have_room(t) || !keep_call(t->a, &calls[n - 1], &t->v[t->n]);
		t->n += !t->failed;
		n--;
	}
	return t->n < t->limit && !t->failed;
}

/* ---- in the order of time --------------------------------------------------------------------------------------------------------- */

/* The latest of all that were looked at, the latest first. Blocks come by falling numbers, which is nearly by falling times: what was
 * taken in later began later, but for what a worker kept for long. So it is over when no block before has a call as late as the last of
 * those that are kept. */
struct latest {
	struct store *s;
	struct arena *a;
	struct store_call **v;
	size_t n, limit;
	int64_t before_us, before_row;       /* before_row 0: any */
	int64_t to_us;                       /* 0: open */
	gh_rc rc;
	struct gh_err *err;
};

static bool is_before(const struct store_call *c, int64_t us, int64_t row)
{
	return c->call.started_us != us ? c->call.started_us < us : c->row < row;
}

/* How many of the kept are later. */
static size_t place_of(const struct latest *l, const struct store_call *c)
{
	size_t from = 0, to = l->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (is_before(c, l->v[middle]->call.started_us, l->v[middle]->row))
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static bool keep_latest(struct latest *l, const struct store_call *c)
{
	size_t at = place_of(l, c);
	struct store_call *kept;

	if (at == l->limit)
		return true;
	kept = l->n == l->limit ? l->v[--l->n] : arena_new_of(l->a, struct store_call);
	if (!kept || !keep_call(l->a, c, kept))
		return false;
	memmove(l->v + at + 1, l->v + at, (l->n - at) * sizeof(struct store_call *));
	l->v[at] = kept;
	l->n++;
	return true;
}

static bool has_later(struct latest *l, int64_t row)
{
	sqlite3_stmt *st = sql_use(l->s, SQL_CALL_BLOCK_LATER);
	bool found = false;

	bind_int(st, 1, row);
	bind_int(st, 2, l->v[l->n - 1]->call.started_us);
	bind_int(st, 3, l->to_us ? l->to_us : INT64_MAX);
	l->rc = sql_step(l->s, st, &found, l->err);
	sqlite3_reset(st);
	return found && !l->rc.code;
}

static bool take_latest(void *ctx, const struct store_call *calls, size_t n)
{
	struct latest *l = ctx;

	for (size_t i = n; i-- > 0;) {
		if (l->before_row && !is_before(&calls[i], l->before_us, l->before_row))
			continue;
		if (!keep_latest(l, &calls[i])) {
			l->rc = gh_err_set(l->err, GH_E_NOMEM, __FILE__, __LINE__, "no memory for %zu calls", l->limit);
			return false;
		}
	}
	return l->n < l->limit || has_later(l, calls[0].row);
}

static GH_RC calls_by_time(struct store *s, struct arena *a, const struct store_calls_filter *f, size_t limit, struct store_call **out, size_t *n,
			   struct gh_err *err)
{
	struct store_calls_filter within = *f;
	struct latest l = { .s = s, .a = a, .limit = limit, .before_row = f->before_row, .err = err };

	l.v = arena_alloc(a, limit + 1, sizeof(struct store_call *));
	*out = arena_alloc(a, limit + 1, sizeof(**out));
	*n = 0;
	if (!l.v || !*out)
		FAIL(err, NOMEM, "no memory for calls");
	if (f->before_row) {
		struct store_call *from;
		size_t found;

		TRY(store_call_at(s, a, f->before_row, &from, &found, err));
		if (!found)
			return GH_RC_OK;
		l.before_us = from->call.started_us;
		within.before_row = 0;
		if (!within.to_us || within.to_us > l.before_us + 1)
			within.to_us = l.before_us + 1;
	}
	l.to_us = within.to_us;
	TRY(call_blocks_find(s, &within, take_latest, &l, err));
	TRY(l.rc);
	for (*n = 0; *n < l.n; (*n)++)
		(*out)[*n] = *l.v[l.n - 1 - *n];
	return GH_RC_OK;
}

GH_RC store_calls(struct store *s, struct arena *a, const struct store_calls_filter *f, struct store_call **out, size_t *n,
		  struct gh_err *err)
{
	struct taking t = { .a = a, .limit = f->limit ? f->limit : CALLS_DEFAULT };

	if (t.limit > STORE_LIST_MAX)
		t.limit = STORE_LIST_MAX;
	if (f->by_time)
		return calls_by_time(s, a, f, t.limit, out, n, err);
	if (!have_room(&t))                          /* also nothing has an address */
		FAIL(err, NOMEM, "no memory for calls");
	TRY(call_blocks_find(s, f, take, &t, err));
	if (t.failed)
		FAIL(err, NOMEM, "no memory for %zu calls", t.limit);
	for (size_t i = 0; i < t.n / 2; i++) {       /* newest first were read: oldest first are wanted */
		struct store_call swap = t.v[i];

		t.v[i] = t.v[t.n - 1 - i];
		t.v[t.n - 1 - i] = swap;
	}
	*out = t.v;
	*n = t.n;
	return GH_RC_OK;
}

struct taking_one {
	struct taking t;
	int64_t row;
};

static bool take_one(void *ctx, const struct store_call *calls, size_t n UNUSED)
{
	struct taking_one *one = ctx;

	if (calls[0].row == one->row)
		(void)take(&one->t, calls, 1);
	return false;
}

GH_RC store_call_at(struct store *s, struct arena *a, int64_t row, struct store_call **out, size_t *n, struct gh_err *err)
{
	struct taking_one one = { .t = { .a = a, .limit = 1 }, .row = row };

	*n = 0;
	if (!have_room(&one.t))
		FAIL(err, NOMEM, "no memory for a call");
	if (row > 0)
		TRY(call_blocks_at(s, row, take_one, &one, err));
	if (one.t.failed)
		FAIL(err, NOMEM, "no memory for a call");
	*out = one.t.v;
	*n = one.t.n;
	return GH_RC_OK;
}

/* ---- reasons ------------------------------------------------------------------------------------------------------------------ */

enum { REASONS_MAX = 500 };          /* words of the gateway with a status each, and what policies say */

struct reasons {
	struct arena *a;
	struct store_reason *v;
	size_t n, left;
};

/* NULL: there are too many already. */
static struct store_reason *reason_at(struct reasons *r, const struct telemetry_call *c)
{
	struct str reason;

	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].status == c->status && str_eq(r->v[i].reason, c->reason))
			return &r->v[i];
	reason = arena_dup(r->a, c->reason);
	if (!reason.p || r->n == REASONS_MAX)
		return NULL;
	r->v[r->n] = (struct store_reason){ .reason = reason, .status = c->status };
	return &r->v[r->n++];
}

static bool count_reasons(void *ctx, const struct store_call *calls, size_t n)
{
	struct reasons *r = ctx;

	for (; n && r->left; n--, r->left--) {
		const struct telemetry_call *c = &calls[n - 1].call;
		struct store_reason *one;

		if (!c->reason.n)
			continue;
		one = reason_at(r, c);
		if (!one)
			continue;
		one->calls++;
		one->last_us = c->started_us > one->last_us ? c->started_us : one->last_us;
	}
	return r->left;
}

static int by_frequency(const void *x, const void *y)
{
	const struct store_reason *a = x, *b = y;
	int c = (a->calls < b->calls) - (a->calls > b->calls);

	return c ? c : str_cmp(a->reason, b->reason);
}

GH_RC store_call_reasons(struct store *s, struct arena *a, struct str subscription, int64_t from_us, size_t most,
			 struct store_reason **out, size_t *n, struct gh_err *err)
{
	const struct store_calls_filter f = { .subscription = subscription, .from_us = from_us };
	struct reasons r = { .a = a, .v = arena_alloc(a, REASONS_MAX, sizeof(*r.v)), .left = most };

	if (!r.v)
		FAIL(err, NOMEM, "no memory for reasons");
	if (most)
		TRY(call_blocks_find(s, &f, count_reasons, &r, err));
	qsort(r.v, r.n, sizeof(*r.v), by_frequency);
	*out = r.v;
	*n = r.n;
	return GH_RC_OK;
}
