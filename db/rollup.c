/* rollup.c - from calls to totals.
 *
 *   calls of a drain ──> facts (place number, minute, figures) ──sort by place and time──> runs of one period ──> rows
 *
 * Summing in memory first makes a row be written once in a drain and not once a call. Facts are kept whole instead of in
 * histograms per place and period: those would take 20 KB each, and a drain may touch thousands; so one set of histograms is
 * filled, merged with what the row has, packed and emptied for each run. Hours and days are runs of the same facts in order.
 *
 * Facts of a place are chained as they come, which mostly is the order of time; so they are put in order by following the chains, and
 * only a chain that is in another order is sorted. */
#include "db/rollup.h"

#include "core/ip.h"
#include "core/latency.h"
#include "core/map.h"
#include "core/str.h"
#include "core/telemetry_kind.h"
#include "db/sql.h"
#include "db/telemetry.h"

#include <stdlib.h>

enum { FACTS_MAX = 1 << 16, FACTS_ARENA = 64 << 20, PLACE_BYTES_MAX = 1024 };

struct figures {
#define X(type, name) type name;
	TELEMETRY_NUMBERS(X)
#undef X
};

struct fact {
	int64_t start_s;                     /* of the minute */
	int64_t place;                       /* its number in the store, once number_places has run */
	const struct place *at;
	uint32_t times;
	uint32_t next;                       /* of the same place: its index plus 1; 0: the last one */
	struct figures figures;
};

struct place {
	struct str at[ROLLUP_DIMENSION__COUNT];
	int64_t id, last_s;                  /* last_s: start of its last minute */
	uint64_t calls;
	uint32_t first, last;                /* of its facts: index plus 1 */
};

struct rollup {
	struct store *store;
	struct arena *arena;                 /* of places; emptied by each write */
	struct arena *scratch;               /* of one run */
	struct map by_text;                  /* text of the place -> struct place */
	struct place *of_kind[TELEMETRY_KINDS_MAX + 1];     /* the same, by the kind of the call */
	struct fact *facts;
	uint32_t *order;                     /* indexes of facts by place and time, once put_in_order has run */
	size_t n, places_max;
};

struct sums {
	int64_t calls, bytes_in, bytes_out, backend_bytes_in, backend_bytes_out, total_us, gateway_us, backend_us, backend_calls,
		attempts, cache_hits, cache_misses;
	int64_t connects, dns_us, connect_us, tls_us, first_byte_us;
	struct latency total, gateway, backend;
};

/* Facts that follow each other in r->order, of one place and period. */
struct run {
	size_t from, n;
	const struct fact *first;
	struct sums sums;
};

/* ---- dimensions --------------------------------------------------------------------------------------------------------- */

static const struct {
	struct str name;
	const char *title;
} dimensions[ROLLUP_DIMENSION__COUNT] = {
#define X(name, column, title) [ROLLUP_##name] = { STR_INIT(column), title },
	ROLLUP_DIMENSIONS(X)
#undef X
};

const char *rollup_dimension_name(enum rollup_dimension d)
{
	return dimensions[d].name.p;
}

const char *rollup_dimension_title(enum rollup_dimension d)
{
	return dimensions[d].title;
}

bool rollup_dimension_of(struct str name, enum rollup_dimension *out)
{
	for (size_t i = 0; i < ARRAY_LEN(dimensions); i++)
		if (str_eq(dimensions[i].name, name)) {
			*out = (enum rollup_dimension)i;
			return true;
		}
	return false;
}

static struct str status_class(uint16_t status)
{
	static const struct str names[] = { STR_INIT("none"), STR_INIT("1xx"), STR_INIT("2xx"), STR_INIT("3xx"), STR_INIT("4xx"),
					    STR_INIT("5xx") };
	unsigned c = status / 100;

	return names[c < ARRAY_LEN(names) ? c : 0];
}

/* Where a call belongs. */
static void place_of(const struct telemetry_call *c, struct str at[ROLLUP_DIMENSION__COUNT])
{
	struct ip ip;

	at[ROLLUP_ENVIRONMENT] = c->environment;
	at[ROLLUP_API] = c->api;
	at[ROLLUP_VERSION] = c->version;
	at[ROLLUP_OPERATION] = c->operation;
	at[ROLLUP_PRODUCT] = c->product;
	at[ROLLUP_SUBSCRIPTION] = c->subscription;
	at[ROLLUP_APPLICATION] = c->application;
	at[ROLLUP_USER] = c->user;
	at[ROLLUP_BACKEND] = c->backend;
	at[ROLLUP_STATUS] = status_class(c->status);
	at[ROLLUP_REASON] = c->reason;
	at[ROLLUP_ORIGIN] = str_of(telemetry_origin_name((enum telemetry_origin)c->origin));
	at[ROLLUP_ADDRESS] = ip_parse(c->client_ip, &ip) ? str_of(ip_kind(&ip)) : STR("");
}

/* ---- adding --------------------------------------------------------------------------------------------------------------- */

struct rollup *rollup_new(struct store *s, size_t places_max)
{
	struct rollup *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->store = s;
	r->places_max = places_max ? places_max : ROLLUP_PLACES_MAX;
	r->arena = arena_new(FACTS_ARENA);
	r->scratch = arena_new(1 << 20);
	r->facts = malloc(FACTS_MAX * sizeof(*r->facts));
	r->order = malloc(FACTS_MAX * sizeof(*r->order));
	if (!r->arena || !r->scratch || !r->facts || !r->order) {
		rollup_free(r);
		return NULL;
	}
	map_init(&r->by_text, r->arena, false);
	return r;
}

void rollup_free(struct rollup *r)
{
	if (!r)
		return;
	arena_free(r->arena);
	arena_free(r->scratch);
	free(r->facts);
	free(r->order);
	free(r);
}

bool rollup_full(const struct rollup *r)
{
	return r->n == FACTS_MAX || arena_left(r->arena) < FACTS_ARENA / 8;
}

/* The texts, each ended by a byte that no id holds. */
static struct str place_key(const struct str at[ROLLUP_DIMENSION__COUNT], char out[PLACE_BYTES_MAX])
{
	char *to = out;

	for (size_t i = 0; i < ROLLUP_DIMENSION__COUNT; i++) {
		if (at[i].n)
			memcpy(to, at[i].p, at[i].n);
		to += at[i].n;
		*to++ = '\0';
	}
	return (struct str){ out, (size_t)(to - out) };
}

static struct place *place_take(struct rollup *r, const struct telemetry_call *call)
{
	struct str at[ROLLUP_DIMENSION__COUNT], key;
	char bytes[PLACE_BYTES_MAX];
	struct place *p;

	place_of(call, at);
	key = place_key(at, bytes);
	p = map_get(&r->by_text, key);
	if (p)
		return p;
	p = arena_new_of(r->arena, struct place);
	key = arena_dup(r->arena, key);
	if (!p || !key.p || !map_put(&r->by_text, key, p))
		return NULL;
	for (size_t i = 0, from = 0; i < ROLLUP_DIMENSION__COUNT; from += at[i].n + 1, i++)
		p->at[i] = (struct str){ key.p + from, at[i].n };
	return p;
}

bool rollup_add(struct rollup *r, const struct telemetry_call *call, uint32_t times)
{
	struct place *p = call->kind ? r->of_kind[call->kind] : NULL;

	if (rollup_full(r) || (!p && !(p = place_take(r, call))))
		return false;
	if (call->kind)
		r->of_kind[call->kind] = p;
	p->calls += times;
	if (call->started_us / 1000000 > p->last_s)
		p->last_s = call->started_us / 1000000 / ROLLUP_MINUTE_S * ROLLUP_MINUTE_S;
	*(p->last ? &r->facts[p->last - 1].next : &p->first) = (uint32_t)r->n + 1;
	p->last = (uint32_t)r->n + 1;
	r->facts[r->n++] = (struct fact){ .start_s = call->started_us / 1000000 / ROLLUP_MINUTE_S * ROLLUP_MINUTE_S, .at = p,
					  .times = times, .figures = {
#define X(type, name) .name = call->name,
						  TELEMETRY_NUMBERS(X)
#undef X
					  } };
	return true;
}

/* ---- places --------------------------------------------------------------------------------------------------------------- */

static gh_rc place_find(struct store *s, const struct str at[ROLLUP_DIMENSION__COUNT], int64_t *id, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PLACE_FIND);

	for (int i = 0; i < ROLLUP_DIMENSION__COUNT; i++)
		bind_str(st, i + 1, at[i]);
	return find_int(s, st, id, found, err);
}

static gh_rc place_make(struct store *s, const struct str at[ROLLUP_DIMENSION__COUNT], int64_t *id, struct gh_err *err)
{
	sqlite3_stmt *st;
	bool found;

	TRY(place_find(s, at, id, &found, err));
	if (found)
		return GH_RC_OK;
	st = sql_use(s, SQL_PLACE_ADD);
	for (int i = 0; i < ROLLUP_DIMENSION__COUNT; i++)
		bind_str(st, i + 1, at[i]);
	TRY(sql_done(s, st, err));
	*id = sqlite3_last_insert_rowid(s->db);
	return GH_RC_OK;
}

/* What is kept of a place when there are too many: few values each, all known to the configuration. */
static void make_other(struct str at[ROLLUP_DIMENSION__COUNT])
{
	static const enum rollup_dimension many[] = { ROLLUP_VERSION, ROLLUP_OPERATION, ROLLUP_PRODUCT, ROLLUP_SUBSCRIPTION,
						      ROLLUP_APPLICATION, ROLLUP_USER, ROLLUP_BACKEND, ROLLUP_REASON };

	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		at[many[i]] = STR(ROLLUP_OTHER);
}

static gh_rc note_last(struct rollup *r, const struct place *p, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(r->store, SQL_API_LAST_SET);

	bind_str(st, 1, p->at[ROLLUP_API]);
	bind_int(st, 2, p->last_s);
	return sql_done(r->store, st, err);
}

/* Gives each place of this drain its number in the store. */
static gh_rc number_places(struct rollup *r, struct gh_err *err)
{
	const struct map_slot *slot;
	int64_t known, other = 0;
	size_t at = 0;

	TRY(find_int(r->store, sql_use(r->store, SQL_PLACE_COUNT), &known, NULL, err));
	while ((slot = map_next(&r->by_text, &at))) {
		struct place *p = slot->value;
		bool found;

		TRY(note_last(r, p, err));
		TRY(place_find(r->store, p->at, &p->id, &found, err));
		if (found)
			continue;
		if (known >= (int64_t)r->places_max) {
			make_other(p->at);
			other += (int64_t)p->calls;
		}
		TRY(place_make(r->store, p->at, &p->id, err));
		known++;
	}
	if (other) {
		sqlite3_stmt *st = sql_use(r->store, SQL_OTHER_ADD);

		bind_int(st, 1, other);
		TRY(sql_done(r->store, st, err));
	}
	for (size_t i = 0; i < r->n; i++)
		r->facts[i].place = r->facts[i].at->id;
	return GH_RC_OK;
}

/* ---- rows ----------------------------------------------------------------------------------------------------------------- */

static bool add_fact(struct sums *t, struct arena *a, const struct fact *f)
{
	const struct figures *c = &f->figures;
	int64_t n = f->times;

	t->calls += n;
	t->bytes_in += n * (int64_t)c->bytes_in;
	t->bytes_out += n * (int64_t)c->bytes_out;
	t->backend_bytes_in += n * (int64_t)c->backend_bytes_in;
	t->backend_bytes_out += n * (int64_t)c->backend_bytes_out;
	t->total_us += n * c->total_us;
	t->gateway_us += n * c->gateway_us;
	t->attempts += n * c->attempts;
	t->cache_hits += c->cache == TELEMETRY_CACHE_HIT ? n : 0;
	t->cache_misses += c->cache == TELEMETRY_CACHE_MISS ? n : 0;
	if (c->connect_us) {
		t->connects += n;
		t->dns_us += n * c->dns_us;
		t->connect_us += n * c->connect_us;
		t->tls_us += n * c->tls_us;
	}
	if (c->attempts) {
		t->backend_calls += n;
		t->backend_us += n * c->backend_us;
		t->first_byte_us += n * c->first_byte_us;
		if (!latency_add_many(&t->backend, a, c->backend_us, f->times))
			return false;
	}
	return latency_add_many(&t->total, a, c->total_us, f->times) && latency_add_many(&t->gateway, a, c->gateway_us, f->times);
}

static int64_t period_start(const struct run *run, int64_t period_s)
{
	return run->first->start_s / period_s * period_s;
}

static void bind_row_key(sqlite3_stmt *st, int64_t period_s, const struct run *run)
{
	bind_int(st, 1, period_s);
	bind_int(st, 2, period_start(run, period_s));
	bind_int(st, 3, run->first->place);
}

/* The histograms with those added that the row has. */
static gh_rc pack_with_row(struct rollup *r, const struct run *run, int64_t period_s, struct str packed[3], struct gh_err *err)
{
	const struct latency *const from[] = { &run->sums.total, &run->sums.gateway, &run->sums.backend };
	sqlite3_stmt *st = sql_use(r->store, SQL_ROLLUP_LATENCY_GET);
	bool row, ok = true;

	bind_row_key(st, period_s, run);
	TRY(sql_step(r->store, st, &row, err));
	for (int i = 0; i < 3; i++) {
		struct str there = STR("");

		if (row)
			there = (struct str){ sqlite3_column_blob(st, i), (size_t)sqlite3_column_bytes(st, i) };
		packed[i] = latency_pack_added(from[i], there, r->scratch);
		ok = ok && packed[i].p;
	}
	sqlite3_reset(st);
	if (!ok)
		FAIL(err, NOMEM, "a histogram of the totals is damaged or too large");
	return GH_RC_OK;
}

static gh_rc write_latency(struct rollup *r, const struct run *run, int64_t period_s, struct gh_err *err)
{
	const struct sums *t = &run->sums;
	struct str packed[3];
	sqlite3_stmt *st;

	TRY(pack_with_row(r, run, period_s, packed, err));
	st = sql_use(r->store, SQL_ROLLUP_LATENCY_ADD);
	bind_row_key(st, period_s, run);
	for (int i = 0; i < 3; i++)
		bind_blob(st, 4 + i, packed[i]);
	bind_int(st, 7, t->connects);
	bind_int(st, 8, t->dns_us);
	bind_int(st, 9, t->connect_us);
	bind_int(st, 10, t->tls_us);
	bind_int(st, 11, t->first_byte_us);
	return sql_done(r->store, st, err);
}

/* For the status page (db/status.h), which says what counts. */
static gh_rc write_api_day(struct rollup *r, const struct place *p, int64_t day_s, int64_t calls, struct gh_err *err)
{
	struct traffic_kind kind = traffic_kind(p->at[ROLLUP_STATUS], p->at[ROLLUP_ORIGIN]);
	sqlite3_stmt *st;

	if (kind.refused || !p->at[ROLLUP_API].n)
		return GH_RC_OK;
	st = sql_use(r->store, SQL_API_DAY_ADD);
	bind_str(st, 1, p->at[ROLLUP_API]);
	bind_int(st, 2, day_s);
	bind_str(st, 3, p->at[ROLLUP_ENVIRONMENT]);
	bind_int(st, 4, calls);
	bind_int(st, 5, kind.class == 5 ? calls : 0);
	return sql_done(r->store, st, err);
}

/* Mostly all that a drain has of a place is of one minute, and so of one hour and one day: then it is summed once. */
static gh_rc sum_run(struct rollup *r, struct run *run, size_t from, size_t n, struct gh_err *err)
{
	if (run->n == n && run->from == from)
		return GH_RC_OK;
	arena_reset(r->scratch);
	*run = (struct run){ .from = from, .n = n, .first = &r->facts[r->order[from]] };
	for (size_t i = 0; i < n; i++)
		if (!add_fact(&run->sums, r->scratch, &r->facts[r->order[from + i]]))
			FAIL(err, NOMEM, "no memory for a histogram");
	return GH_RC_OK;
}

/* A run as one row, or added to the one that is there. */
static gh_rc write_run(struct rollup *r, const struct run *run, int64_t period_s, struct gh_err *err)
{
	const struct sums *t = &run->sums;
	const int64_t values[] = { t->calls, t->bytes_in, t->bytes_out, t->backend_bytes_in, t->backend_bytes_out, t->total_us, t->gateway_us,
				   t->backend_us, t->backend_calls, t->attempts, t->cache_hits, t->cache_misses };
	sqlite3_stmt *st = sql_use(r->store, SQL_ROLLUP_ADD);

	bind_row_key(st, period_s, run);
	for (int i = 0; i < (int)ARRAY_LEN(values); i++)
		bind_int(st, 4 + i, values[i]);
	TRY(sql_done(r->store, st, err));
	if (period_s == ROLLUP_DAY_S)
		TRY(write_api_day(r, run->first->at, period_start(run, period_s), t->calls, err));
	return write_latency(r, run, period_s, err);
}

static int by_number(const void *x, const void *y)
{
	const struct place *a = *(struct place *const *)x, *b = *(struct place *const *)y;

	return (a->id > b->id) - (a->id < b->id);
}

static int by_time(const void *x, const void *y, void *facts)
{
	const struct fact *all = facts, *a = &all[*(const uint32_t *)x], *b = &all[*(const uint32_t *)y];

	return (a->start_s > b->start_s) - (a->start_s < b->start_s);
}

/* Fills r->order: place by place (several may have become one, "(other)"), each in the order of time. */
static gh_rc put_in_order(struct rollup *r, struct gh_err *err)
{
	struct place **places = arena_alloc(r->arena, r->by_text.n + 1, sizeof(struct place *));
	const struct map_slot *slot;
	size_t n = 0, at = 0, filled = 0;

	if (!places)
		FAIL(err, NOMEM, "no memory for totals");
	while ((slot = map_next(&r->by_text, &at)))
		places[n++] = slot->value;
	qsort(places, n, sizeof(struct place *), by_number);
	for (size_t i = 0; i < n;) {
		size_t first = filled;
		int64_t id = places[i]->id;
		bool sorted = true;

		for (; i < n && places[i]->id == id; i++)
			for (uint32_t k = places[i]->first; k; k = r->facts[k - 1].next) {
				sorted = sorted && (filled == first || r->facts[r->order[filled - 1]].start_s <= r->facts[k - 1].start_s);
				r->order[filled++] = k - 1;
			}
		if (!sorted)
			qsort_r(r->order + first, filled - first, sizeof(*r->order), by_time, r->facts);
	}
	return GH_RC_OK;
}

/* How many facts from the index on are of the same place and period. */
static size_t run_length(const struct rollup *r, size_t from, size_t end, int64_t period_s)
{
	const struct fact *f = &r->facts[r->order[from]], *g;
	size_t n = 1;

	for (; from + n < end; n++) {
		g = &r->facts[r->order[from + n]];
		if (g->place != f->place || g->start_s / period_s != f->start_s / period_s)
			break;
	}
	return n;
}

/* Facts of one place and day. */
static gh_rc write_day(struct rollup *r, size_t from, size_t end, struct gh_err *err)
{
	static const int64_t periods[] = { ROLLUP_MINUTE_S, ROLLUP_HOUR_S, ROLLUP_DAY_S };
	struct run run = { 0 };

	for (size_t p = 0; p < ARRAY_LEN(periods); p++)
		for (size_t i = from; i < end; i += run.n) {
			TRY(sum_run(r, &run, i, run_length(r, i, end, periods[p]), err));
			TRY(write_run(r, &run, periods[p], err));
		}
	return GH_RC_OK;
}

gh_rc rollup_write(struct rollup *r, struct gh_err *err)
{
	TRY(number_places(r, err));
	TRY(put_in_order(r, err));
	for (size_t i = 0, n; i < r->n; i += n) {
		n = run_length(r, i, r->n, ROLLUP_DAY_S);
		TRY(write_day(r, i, i + n, err));
	}
	r->n = 0;
	memset(r->of_kind, 0, sizeof(r->of_kind));
	arena_reset(r->arena);
	map_init(&r->by_text, r->arena, false);
	return GH_RC_OK;
}
