/* analytics.c - questions answered from the totals.
 *
 * First the places that fit the filter are read and each is given its group; then the totals of the time are walked: all of
 * them, or, when few places fit, those of each place by an index. Histograms stand in a table of their own and are read in a
 * second walk, for the groups that are shown only: with many groups they would not fit into memory. */
#include "db/analytics.h"

#include "core/clock.h"
#include "core/map.h"
#include "core/str.h"
#include "db/sql.h"

#include <stdio.h>
#include <stdlib.h>

static const int64_t SECOND_US = 1000000;

enum { FEW_PLACES = 48, KEY_MAX = 1024 };

struct group {
	struct analytics_group shown;
	bool chosen;                 /* among those that are shown */
};

/* A place that fits the filter. */
struct place_row {
	int64_t id;
	struct group *group;
	struct traffic_kind kind;
};

struct run {
	struct store *s;
	struct arena *a;
	const struct analytics_query *q;
	struct analytics_result *out;
	struct place_row *fitting;   /* of malloc */
	size_t n_fitting, cap;
	int64_t n_places;            /* one more than the highest number of all */
	uint32_t *by_number;         /* one more than the index in `fitting`, 0: does not fit; NULL: each one's totals are asked for */
	struct map groups;
	int64_t first_s;             /* of the series */
};

/* ---- times ---------------------------------------------------------------------------------------------------------------- */

static int64_t round_up(int64_t v, int64_t step)
{
	return (v + step - 1) / step * step;
}

struct part {
	int64_t period_s, from_s, to_s;
};

/* The middle of [from, to) in whole `period`s; what is left on both sides is for the finer ones. */
static size_t cut(int64_t from, int64_t to, int64_t period, struct part *out)
{
	static const int64_t finer[] = { ROLLUP_DAY_S, ROLLUP_HOUR_S, ROLLUP_MINUTE_S, 0 };
	int64_t whole_from = round_up(from, period), whole_to = to / period * period, next = 0;
	size_t n = 0;

	if (from >= to)
		return 0;
	for (size_t i = 0; finer[i]; i++)
		if (finer[i] == period)
			next = finer[i + 1];
	if (!next || whole_from >= whole_to) {
		if (!next) {
			out[0] = (struct part){ period, from, to };
			return 1;
		}
		return cut(from, to, next, out);
	}
	n = cut(from, whole_from, next, out);
	out[n++] = (struct part){ period, whole_from, whole_to };
	return n + cut(whole_to, to, next, out + n);
}

/* The coarsest totals that steps can be made of. */
static int64_t coarsest_of(int64_t step)
{
	return !step || step % ROLLUP_DAY_S == 0 ? ROLLUP_DAY_S : step % ROLLUP_HOUR_S == 0 ? ROLLUP_HOUR_S : ROLLUP_MINUTE_S;
}

static gh_rc set_times(struct run *r, struct gh_err *err)
{
	const struct analytics_query *q = r->q;
	struct analytics_result *out = r->out;
	int64_t step = q->step_s ? q->step_s : ROLLUP_MINUTE_S, to = q->to_us ? q->to_us : clock_wall_us() + ROLLUP_MINUTE_S * SECOND_US;

	if (step < ROLLUP_MINUTE_S || step % (step < ROLLUP_HOUR_S ? ROLLUP_MINUTE_S : step < ROLLUP_DAY_S ? ROLLUP_HOUR_S : ROLLUP_DAY_S))
		FAIL(err, INVALID, "a step of %lld s is no whole number of minutes, hours or days", (long long)step);
	if (q->from_us < 0 || to < q->from_us)
		FAIL(err, INVALID, "the range ends before it begins");
	out->from_us = round_up(q->from_us / SECOND_US + (q->from_us % SECOND_US > 0), ROLLUP_MINUTE_S) * SECOND_US;
	out->to_us = round_up(to / SECOND_US + (to % SECOND_US > 0), ROLLUP_MINUTE_S) * SECOND_US;
	TRY(analytics_fit(r->s, coarsest_of(q->step_s), &out->from_us, &out->to_us, err));
	out->step_s = q->step_s;
	r->first_s = out->from_us / SECOND_US / step * step;
	out->first_us = r->first_s * SECOND_US;
	if (!q->step_s)
		return GH_RC_OK;
	out->n_steps = (size_t)(round_up(out->to_us / SECOND_US - r->first_s, step) / step);
	if (out->n_steps > ANALYTICS_STEPS_MAX)
		FAIL(err, LIMIT, "%lld s are too short a step for this range: more than %d steps", (long long)step, ANALYTICS_STEPS_MAX);
	out->steps = arena_alloc(r->a, out->n_steps + 1, sizeof(*out->steps));
	if (!out->steps)
		FAIL(err, NOMEM, "no memory for %zu steps", out->n_steps);
	return GH_RC_OK;
}

/* ---- places --------------------------------------------------------------------------------------------------------------- */

static struct str dimension(sqlite3_stmt *st, enum rollup_dimension d)
{
	return column_text(st, (int)d + 1);
}

static struct group *group_of(struct run *r, sqlite3_stmt *st)
{
	struct str key[ANALYTICS_GROUPS_MAX], text;
	char bytes[KEY_MAX], *to = bytes;
	struct group *g;

	for (size_t i = 0; i < r->q->n_group; i++) {
		key[i] = str_first(dimension(st, r->q->group[i]), 200);
		if (key[i].n)
			memcpy(to, key[i].p, key[i].n);
		to += key[i].n;
		*to++ = '\0';
	}
	text = (struct str){ bytes, (size_t)(to - bytes) };
	if ((g = map_get(&r->groups, text)))
		return g;
	g = arena_new_of(r->a, struct group);
	text = arena_dup(r->a, text);
	if (!g || !text.p || !map_put(&r->groups, text, g))
		return NULL;
	for (size_t i = 0, from = 0; i < r->q->n_group; from += key[i].n + 1, i++)
		g->shown.key[i] = (struct str){ text.p + from, key[i].n };
	return g;
}

static sqlite3_stmt *places_statement(struct run *r)
{
	const struct str *f = r->q->filter;
	sqlite3_stmt *st = sql_use(r->s, f[ROLLUP_SUBSCRIPTION].p ? SQL_PLACES_OF_SUBSCRIPTION
					 : f[ROLLUP_API].p	  ? SQL_PLACES_OF_API
								  : SQL_PLACES);

	for (int i = 0; i < ROLLUP_DIMENSION__COUNT; i++)
		if (f[i].p)
			bind_str(st, i + 1, f[i]);
	return st;
}

static struct place_row *add_place(struct run *r)
{
	if (r->n_fitting == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : FEW_PLACES;
		struct place_row *more = cap < UINT32_MAX ? realloc(r->fitting, cap * sizeof(*more)) : NULL;

		if (!more)
			return NULL;
		r->fitting = more;
		r->cap = cap;
	}
	return &r->fitting[r->n_fitting++];
}

static gh_rc read_places(struct run *r, struct gh_err *err)
{
	sqlite3_stmt *st;
	gh_rc rc;
	bool row;

	TRY(find_int(r->s, sql_use(r->s, SQL_PLACE_LAST), &r->n_places, NULL, err));
	r->n_places++;
	st = places_statement(r);
	while (rc = sql_step(r->s, st, &row, err), !rc.code && row) {
		struct place_row *p = add_place(r);

		if (p)
			*p = (struct place_row){ sqlite3_column_int64(st, 0), group_of(r, st),
						 traffic_kind(dimension(st, ROLLUP_STATUS), dimension(st, ROLLUP_ORIGIN)) };
		if (!p || !p->group) {
			rc = gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "no memory for places and groups");
			break;
		}
	}
	sqlite3_reset(st);
	return rc;
}

/* Few places are asked for one by one; else all totals are read, and each looks its place up. */
static gh_rc index_places(struct run *r, struct gh_err *err)
{
	if (r->n_fitting <= FEW_PLACES || r->n_fitting <= (size_t)r->n_places / 16)
		return GH_RC_OK;
	r->by_number = arena_alloc(r->a, (size_t)r->n_places, sizeof(*r->by_number));
	if (!r->by_number)
		FAIL(err, NOMEM, "no memory for %lld places", (long long)r->n_places);
	for (size_t i = 0; i < r->n_fitting; i++)
		if (r->fitting[i].id > 0 && r->fitting[i].id < r->n_places)
			r->by_number[r->fitting[i].id] = (uint32_t)i + 1;
	return GH_RC_OK;
}

/* ---- walking -------------------------------------------------------------------------------------------------------------- */

typedef gh_rc (*row_fn)(struct run *r, sqlite3_stmt *st, int64_t start_s, int64_t period_s, const struct place_row *p, struct gh_err *err);

/* The totals of one place, NULL: of all. */
static gh_rc walk_part(struct run *r, const struct part *t, enum sql all, enum sql one, const struct place_row *place, row_fn each,
		       struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(r->s, place ? one : all);
	gh_rc rc;
	bool row;

	bind_int(st, 1, t->period_s);
	bind_int(st, 2, t->from_s);
	bind_int(st, 3, t->to_s);
	if (place)
		bind_int(st, 4, place->id);
	while (rc = sql_step(r->s, st, &row, err), !rc.code && row) {
		const struct place_row *p = place;

		if (!p) {
			int64_t id = sqlite3_column_int64(st, 1);
			uint32_t at = id > 0 && id < r->n_places ? r->by_number[id] : 0;

			if (!at)
				continue;
			p = &r->fitting[at - 1];
		}
		rc = each(r, st, sqlite3_column_int64(st, 0), t->period_s, p, err);
		if (rc.code)
			break;
	}
	sqlite3_reset(st);
	return rc;
}

static gh_rc walk(struct run *r, enum sql all, enum sql one, row_fn each, struct gh_err *err)
{
	struct part parts[8];
	size_t n = cut(r->out->from_us / SECOND_US, r->out->to_us / SECOND_US, coarsest_of(r->q->step_s), parts);

	for (size_t i = 0; i < n; i++) {
		if (r->by_number) {
			TRY(walk_part(r, &parts[i], all, one, NULL, each, err));
			continue;
		}
		for (size_t k = 0; k < r->n_fitting; k++)
			TRY(walk_part(r, &parts[i], all, one, &r->fitting[k], each, err));
	}
	return GH_RC_OK;
}

enum { COUNTS = 12 };

/* What a row counts is read once and added to up to four sums. */
static void read_counts(sqlite3_stmt *st, int64_t counts[COUNTS])
{
	for (int i = 0; i < COUNTS; i++)
		counts[i] = sqlite3_column_int64(st, 2 + i);
}

static void add_counts(const int64_t counts[COUNTS], const struct place_row *p, int64_t last_us, struct store_traffic *t)
{
	int64_t *const sums[] = { &t->bytes_in, &t->bytes_out, &t->backend_bytes_in, &t->backend_bytes_out, &t->total_us, &t->gateway_us,
				  &t->backend_us, &t->backend_calls, &t->attempts, &t->cache_hits, &t->cache_misses };

	for (size_t i = 0; i < ARRAY_LEN(sums); i++)
		*sums[i] += counts[1 + i];
	traffic_add(t, p->kind, counts[0]);
	if (last_us > t->last_call_us)
		t->last_call_us = last_us;
}

static gh_rc count_row(struct run *r, sqlite3_stmt *st, int64_t start_s, int64_t period_s UNUSED, const struct place_row *p, struct gh_err *err)
{
	struct group *g = p->group;
	int64_t last_us = start_s * SECOND_US, counts[COUNTS] = { 0 };
	size_t at;

	if (r->q->calls_only)
		counts[0] = sqlite3_column_int64(st, 2);
	else
		read_counts(st, counts);
	add_counts(counts, p, last_us, &g->shown.sum);
	add_counts(counts, p, last_us, &r->out->sum);
	if (!r->out->n_steps)
		return GH_RC_OK;
	at = (size_t)((start_s - r->first_s) / r->q->step_s);
	add_counts(counts, p, last_us, &r->out->steps[at]);
	if (!r->q->group_steps)
		return GH_RC_OK;
	if (!g->shown.steps && !(g->shown.steps = arena_alloc(r->a, r->out->n_steps, sizeof(*g->shown.steps))))
		FAIL(err, NOMEM, "no memory for so many series: ask for fewer groups or a longer step");
	add_counts(counts, p, last_us, &g->shown.steps[at]);
	return GH_RC_OK;
}

static bool add_latency(sqlite3_stmt *st, struct arena *a, struct store_traffic *t)
{
	struct latency *const into[] = { &t->latency, &t->gateway, &t->backend };
	int64_t *const sums[] = { &t->connects, &t->dns_us, &t->connect_us, &t->tls_us, &t->first_byte_us };

	for (int i = 0; i < (int)ARRAY_LEN(sums); i++)
		*sums[i] += sqlite3_column_int64(st, 5 + i);
	for (int i = 0; i < (int)ARRAY_LEN(into); i++) {
		struct str packed = { sqlite3_column_blob(st, 2 + i), (size_t)sqlite3_column_bytes(st, 2 + i) };

		if (!latency_unpack(into[i], a, packed))
			return false;
	}
	return true;
}

/* Unpacking is most of the work: each histogram is unpacked for as few sums as can be, and the sum of all made from theirs. */
enum sum_from { SUM_FROM_ROWS, SUM_FROM_STEPS, SUM_FROM_GROUPS };

static bool has_latency_steps(const struct run *r)
{
	return r->q->latency == ANALYTICS_LATENCY_STEPS && r->out->n_steps;
}

static enum sum_from sum_from(const struct run *r)
{
	return has_latency_steps(r) ? SUM_FROM_STEPS : r->q->n_group && r->out->n == r->out->n_all ? SUM_FROM_GROUPS : SUM_FROM_ROWS;
}

static gh_rc latency_row(struct run *r, sqlite3_stmt *st, int64_t start_s, int64_t period_s UNUSED, const struct place_row *p,
			 struct gh_err *err)
{
	bool ok = sum_from(r) != SUM_FROM_ROWS || add_latency(st, r->a, &r->out->sum);

	if (p->group->chosen && r->q->n_group)
		ok = ok && add_latency(st, r->a, &p->group->shown.sum);
	if (has_latency_steps(r))
		ok = ok && add_latency(st, r->a, &r->out->steps[(start_s - r->first_s) / r->q->step_s]);
	if (!ok)
		FAIL(err, NOMEM, "totals are damaged or too large");
	return GH_RC_OK;
}

static bool merge_latency(struct arena *a, struct store_traffic *to, const struct store_traffic *from)
{
	to->connects += from->connects;
	to->dns_us += from->dns_us;
	to->connect_us += from->connect_us;
	to->tls_us += from->tls_us;
	to->first_byte_us += from->first_byte_us;
	return latency_merge(&to->latency, a, &from->latency) && latency_merge(&to->gateway, a, &from->gateway)
	       && latency_merge(&to->backend, a, &from->backend);
}

static gh_rc sum_latency(struct run *r, struct group **chosen, struct gh_err *err)
{
	enum sum_from from = sum_from(r);
	bool ok = true;

	for (size_t i = 0; from == SUM_FROM_STEPS && i < r->out->n_steps; i++)
		ok = ok && merge_latency(r->a, &r->out->sum, &r->out->steps[i]);
	for (size_t i = 0; from == SUM_FROM_GROUPS && i < r->out->n; i++)
		ok = ok && merge_latency(r->a, &r->out->sum, &chosen[i]->shown.sum);
	if (!r->q->n_group && r->out->n)             /* all is one group */
		ok = ok && merge_latency(r->a, &chosen[0]->shown.sum, &r->out->sum);
	if (!ok)
		FAIL(err, NOMEM, "totals are too large");
	return GH_RC_OK;
}

/* ---- the answer ----------------------------------------------------------------------------------------------------------- */

static int by_calls(const void *x, const void *y)
{
	const struct group *a = *(struct group *const *)x, *b = *(struct group *const *)y;
	int c = (a->shown.sum.calls < b->shown.sum.calls) - (a->shown.sum.calls > b->shown.sum.calls);

	for (size_t i = 0; i < ANALYTICS_GROUPS_MAX && !c; i++)
		c = str_cmp(a->shown.key[i], b->shown.key[i]);
	return c;
}

/* The groups that had calls, the busiest first, marked. */
static gh_rc choose(struct run *r, struct group ***chosen, struct gh_err *err)
{
	size_t limit = r->q->limit ? r->q->limit : ANALYTICS_ROWS_DEFAULT, n = 0, at = 0;
	struct group **v = arena_alloc(r->a, r->groups.n + 1, sizeof(struct group *));
	const struct map_slot *slot;

	if (!v)
		FAIL(err, NOMEM, "no memory for groups");
	while ((slot = map_next(&r->groups, &at))) {
		struct group *g = slot->value;

		if (g->shown.sum.calls)
			v[n++] = g;
	}
	qsort(v, n, sizeof(struct group *), by_calls);
	r->out->n_all = n;
	r->out->n = n < limit ? n : limit;
	for (size_t i = 0; i < r->out->n; i++)
		v[i]->chosen = true;
	*chosen = v;
	return GH_RC_OK;
}

static gh_rc answer(struct run *r, struct gh_err *err)
{
	struct group **chosen = NULL;

	TRY(set_times(r, err));
	TRY(read_places(r, err));
	TRY(index_places(r, err));
	TRY(r->q->calls_only ? walk(r, SQL_ROLLUP_SCAN_CALLS, SQL_ROLLUP_CALLS_OF_PLACE, count_row, err)
			     : walk(r, SQL_ROLLUP_SCAN, SQL_ROLLUP_OF_PLACE, count_row, err));
	TRY(choose(r, &chosen, err));
	if (r->q->latency != ANALYTICS_NO_LATENCY && !r->q->calls_only && r->out->sum.calls) {
		TRY(walk(r, SQL_LATENCY_SCAN, SQL_LATENCY_OF_PLACE, latency_row, err));
		TRY(sum_latency(r, chosen, err));
	}
	r->out->groups = arena_alloc(r->a, r->out->n + 1, sizeof(*r->out->groups));
	if (!r->out->groups)
		FAIL(err, NOMEM, "no memory for groups");
	for (size_t i = 0; i < r->out->n; i++)
		r->out->groups[i] = chosen[i]->shown;
	return GH_RC_OK;
}

GH_RC analytics_run(struct store *s, struct arena *a, const struct analytics_query *q, struct analytics_result *out, struct gh_err *err)
{
	struct run r = { .s = s, .a = a, .q = q, .out = out };
	bool mine = !s->in_read && !s->in_tx;
	gh_rc rc;

	*out = (struct analytics_result){ .from_us = 0 };
	if (q->n_group > ANALYTICS_GROUPS_MAX || q->limit > ANALYTICS_ROWS_MAX)
		FAIL(err, LIMIT, "at most %d groups deep and %d rows", ANALYTICS_GROUPS_MAX, ANALYTICS_ROWS_MAX);
	map_init(&r.groups, a, false);
	if (mine)                                    /* counts and histograms of one moment */
		TRY(store_read_begin(s, err));
	rc = answer(&r, err);
	free(r.fitting);
	if (mine)
		store_read_end(s);
	return rc;
}

struct analytics_query analytics_before(const struct analytics_query *q, const struct analytics_result *r)
{
	struct analytics_query before = *q;

	before.from_us = r->from_us - (r->to_us - r->from_us);
	before.to_us = r->from_us;
	before.from_us = before.from_us < 0 ? 0 : before.from_us;
	return before;
}

/* ---- ranges --------------------------------------------------------------------------------------------------------------- */

static bool is_day(struct str s)
{
	return s.n == 10;
}

/* A day or a time, also as pages show it and people write it: without seconds, without the Z of UTC, and with the blank that a + becomes
 * in an address. */
static bool parse_time(struct str s, int64_t *us)
{
	char text[CLOCK_ISO_MAX];
	bool zone = s.n && s.p[s.n - 1] == 'Z';
	size_t n = zone ? s.n - 1 : s.n;

	if (is_day(s) || s.n >= sizeof(text) - 4)
		return clock_parse_date(s, us);
	if (n == strlen("2026-01-02T15:04"))
		snprintf(text, sizeof(text), "%.*s:00Z", (int)n, s.p);
	else
		snprintf(text, sizeof(text), "%.*s%s", STR_ARG(s), n == strlen("2026-01-02T15:04:05") && !zone ? "Z" : "");
	if (s.n == strlen("2026-01-02T15:04:05+01:00") && text[19] == ' ')
		text[19] = '+';
	return clock_parse_iso(str_of(text), us);
}

GH_RC analytics_range(struct str text, int64_t now_us, int64_t *from_us, int64_t *to_us, struct gh_err *err)
{
	const int64_t day_us = ROLLUP_DAY_S * SECOND_US, today = now_us / day_us * day_us, minute_us = ROLLUP_MINUTE_S * SECOND_US;
	size_t slash = str_find_char(text, '/');
	int64_t seconds;

	*to_us = now_us / minute_us * minute_us + minute_us;
	if (slash != SIZE_MAX) {
		struct str from = str_first(text, slash), to = str_from(text, slash + 1);

		if (parse_time(from, from_us) && (!to.n || parse_time(to, to_us))) {
			*to_us += is_day(to) ? day_us : 0;
			if (*from_us >= 0 && *from_us < *to_us)
				return GH_RC_OK;
			FAIL(err, INVALID, "the range %.*s ends before it begins", STR_ARG(text));
		}
	} else if (str_eq(text, STR("today"))) {
		*from_us = today;
		return GH_RC_OK;
	} else if (str_eq(text, STR("yesterday"))) {
		*from_us = today - day_us;
		*to_us = today;
		return GH_RC_OK;
	} else if (clock_parse_duration(text, &seconds) && seconds >= ROLLUP_MINUTE_S) {
		*from_us = *to_us - seconds * SECOND_US;
		return GH_RC_OK;
	}
	FAIL(err, INVALID, "\"%.*s\" is no range: write 24h, 7d, today, yesterday, or FROM/TO as 2026-01-02/2026-01-09 or "
	     "2026-01-02T09:00:00Z/2026-01-02T17:30:00Z, without TO until now", STR_ARG(str_first(text, 60)));
}
