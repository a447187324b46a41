/* Calls and totals: what goes in comes out, minutes make hours, "no data" is told from zero, a drain is all or nothing,
 * pruning. */
#include "tests/unit/db/minute.h"
#include "tests/unit/db/old_store.h"

#include "core/buf.h"
#include "core/clock.h"
#include "db/telemetry.h"

static struct telemetry_call sample(void)
{
	return (struct telemetry_call){
		.started_us = 1700000000000000, .bytes_in = 1, .bytes_out = 2, .backend_bytes_out = 3, .backend_bytes_in = 4,
		.total_us = 5, .gateway_us = 6, .backend_us = 7, .dns_us = 8, .connect_us = 9, .tls_us = 10, .first_byte_us = 11,
		.status = 200, .backend_status = 201, .attempts = 2, .origin = TELEMETRY_BY_BACKEND, .cache = TELEMETRY_CACHE_HIT,
		.request_id = STR("rid"), .environment = STR("env"), .api = STR("orders"), .version = STR("v1"),
		.revision = STR("2"), .operation = STR("get"), .product = STR("gold"), .subscription = STR("s1"),
		.user = STR("u1"), .application = STR("app"), .backend = STR("b"), .method = STR("GET"), .host = STR("h"),
		.path = STR("/p"), .reason = STR("r"), .client_ip = STR("::1"), .trace_id = STR("t"), .key_prefix = STR("k"),
		.decision = STR("d"), .place = STR("inbound, api, x"), .credential = STR("cred"), .limits = STR("rate"), .steps = STR("a\nb"),
	};
}

static void add_call(struct fixture *f, const char *id, const char *api, int status, int64_t at_us)
{
	struct telemetry_call c = sample();

	c.request_id = str_of(id);
	c.api = str_of(api);
	c.status = (uint16_t)status;
	c.started_us = at_us;
	CHECK_OK(f, store_drain_call(f->s, &c, &f->err));
}

static void round_trip(void **state)
{
	struct fixture *f = *state;
	struct store_calls_filter filter = { 0 };
	struct telemetry_call want = sample();
	struct store_call *rows;
	size_t n;

	CHECK_OK(f, store_drain_begin(f->s, &f->err));
	CHECK_OK(f, store_drain_call(f->s, &want, &f->err));
	CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));
	CHECK_OK(f, store_calls(f->s, f->a, &filter, &rows, &n, &f->err));
	assert_int_equal(n, 1);
	CHECK_INT("time", rows[0].call.started_us, want.started_us);
#define X(type, name) CHECK_INT(#name, rows[0].call.name, want.name);
	TELEMETRY_NUMBERS(X)
#undef X
#define X(name, max) CHECK_STR(#name, rows[0].call.name, want.name);
	TELEMETRY_TEXTS(X)
#undef X
	check_done();
}

static void filters(void **state)
{
	static const struct {
		const char *label;
		struct store_calls_filter filter;
		const char *want;
	} rows[] = {
		{ "all", { .limit = 0 }, "a b c d" },
		{ "newest", { .limit = 2 }, "c d" },
		{ "API", { .api = STR_INIT("orders") }, "a b" },
		{ "status", { .status = 404 }, "b" },
		{ "class", { .status = 4 }, "b d" },
		{ "request", { .request_id = STR_INIT("c") }, "c" },
		{ "request of another API", { .request_id = STR_INIT("c"), .api = STR_INIT("orders") }, "" },
		{ "from", { .from_us = 1200 }, "c d" },
		{ "to", { .to_us = 1200 }, "a b" },
		{ "behind a row", { .after_row = 3 }, "d" },
		{ "before a row", { .before_row = 3 }, "a b" },
		{ "before a row, the newest of an API", { .before_row = 4, .api = STR_INIT("stock"), .limit = 1 }, "c" },
		{ "subscription", { .subscription = STR_INIT("s1") }, "a b c d" },
		{ "subscription and API, the newest", { .subscription = STR_INIT("s1"), .api = STR_INIT("orders"), .limit = 1 }, "b" },
		{ "request of a subscription", { .request_id = STR_INIT("c"), .subscription = STR_INIT("s1") }, "c" },
		{ "key", { .key_prefix = STR_INIT("k") }, "a b c d" },
		{ "another key", { .key_prefix = STR_INIT("kk") }, "" },
		{ "address", { .address = STR_INIT("::1"), .limit = 1 }, "d" },
		{ "API and time", { .api = STR_INIT("orders"), .from_us = 1050, .to_us = 2000 }, "b" },
		{ "another subscription", { .subscription = STR_INIT("s2") }, "" },
	};
	struct fixture *f = *state;

	CHECK_OK(f, store_drain_begin(f->s, &f->err));
	add_call(f, "a", "orders", 200, 1000);
	add_call(f, "b", "orders", 404, 1100);
	add_call(f, "c", "stock", 500, 1200);
	add_call(f, "d", "stock", 429, 1300);
	CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store_call *got;
		struct buf b;
		size_t n;

		buf_init(&b, 1000);
		CHECK_OK(f, store_calls(f->s, f->a, &rows[i].filter, &got, &n, &f->err));
		for (size_t k = 0; k < n; k++)
			buf_fmt(&b, "%s%.*s", k ? " " : "", STR_ARG(got[k].call.request_id));
		CHECK_STR(rows[i].label, buf_view(&b), str_of(rows[i].want));
		buf_release(&b);
	}
	check_done();
}

/* Among millions of calls those of one request, of one subscription or of one trace are found without reading the others. */
static void by_index(void **state)
{
#define TIMES "SEARCH b USING INTEGER PRIMARY KEY (rowid=?)\nSEARCH d USING INTEGER PRIMARY KEY (rowid=?)\n"
#define DATA "SEARCH b USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)\nSEARCH d USING INTEGER PRIMARY KEY (rowid=?)\n"
	static const struct {
		const char *label, *plan;
		enum sql statement;
	} rows[] = {
		{ "what is seen", "SEARCH s USING PRIMARY KEY (kind=? AND value=? AND block>? AND block<?)\n" TIMES, SQL_CALL_BLOCKS_SEEN },
		{ "an id that tells its time", "SEARCH b USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)\nLIST SUBQUERY 1\nSEARCH s USING PRIMARY KEY (kind=? AND value=?)\nSEARCH d", SQL_CALL_BLOCKS_OF_ID },
		{ "time", DATA, SQL_CALL_BLOCKS },
		{ "a number", "SEARCH b USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)\n", SQL_CALL_BLOCK_AT },
		{ "whether an older block has later calls", "SEARCH telemetry.call_block USING COVERING INDEX call_block_last (last_us>?)\n", SQL_CALL_BLOCK_LATER },
		{ "what to take off with a block", "SEARCH telemetry.call_seen USING COVERING INDEX call_seen_block (block=?)\n", SQL_CALL_SEEN_DROP },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str text = arena_printf(f->a, "EXPLAIN QUERY PLAN %s", sqlite3_sql(sql_use(f->s, rows[i].statement)));
		sqlite3_stmt *st = NULL;
		struct str plan = STR("");

		CHECK_INT(rows[i].label, sqlite3_prepare_v2(f->s->db, text.p, -1, &st, NULL), SQLITE_OK);
		while (sqlite3_step(st) == SQLITE_ROW)
			plan = arena_printf(f->a, "%.*s%s\n", STR_ARG(plan), (const char *)sqlite3_column_text(st, 3));
		sqlite3_finalize(st);
		CHECK(rows[i].label, str_find(plan, str_of(rows[i].plan)) != SIZE_MAX);
		CHECK("no sorting", str_find(plan, STR("TEMP B-TREE")) == SIZE_MAX);
	}
	check_done();
}

static void all_or_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_telemetry_stats stats;
	uint64_t offset, dropped;
	bool found;

	CHECK_OK(f, store_drain_begin(f->s, &f->err));
	add_call(f, "a", "x", 200, 1);
	CHECK_OK(f, store_drain_segment(f->s, STR("1.seg"), 100, 7, &f->err));
	CHECK_INT("given up", store_drain_end(f->s, (gh_rc){ GH_E_IO }, &f->err).code, GH_E_IO);
	CHECK_OK(f, store_segment_find(f->s, STR("1.seg"), &offset, &dropped, &found, &f->err));
	CHECK("nothing is there", !found);
	CHECK_OK(f, store_drain_begin(f->s, &f->err));
	add_call(f, "a", "x", 200, 1);
	CHECK_OK(f, store_drain_segment(f->s, STR("1.seg"), 100, 7, &f->err));
	CHECK_OK(f, store_drain_segment(f->s, STR("1.seg"), 200, 9, &f->err));
	CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));
	CHECK_OK(f, store_segment_find(f->s, STR("1.seg"), &offset, &dropped, &found, &f->err));
	CHECK_INT("read to", offset, 200);
	CHECK_OK(f, store_telemetry_stats(f->s, &stats, &f->err));
	CHECK_INT("calls", stats.calls, 1);
	CHECK_INT("drops are counted once", stats.dropped, 9);
	check_done();
}

static int64_t number(struct fixture *f, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t v = -1;

	if (sqlite3_prepare_v2(f->s->db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return v;
}

static void pruning(void **state)
{
	struct fixture *f = *state;
	struct store_retention r = { .raw_before_us = 1100, .max_rows = 60 };
	struct store_telemetry_stats stats;
	int64_t before;
	bool more;

	CHECK_OK(f, store_drain_begin(f->s, &f->err));
	for (int i = 0; i < 200; i++)
		add_call(f, "a", "x", 200, 1000 + i);
	add_minute(f, minute_us, "a", "", 1, 0, 0, 1);
	add_minute(f, 2 * minute_us, "a", "", 1, 0, 0, 1);
	CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));
	CHECK_OK(f, store_telemetry_prune(f->s, &r, &more, &f->err));
	CHECK("there is more", more);
	CHECK_OK(f, store_telemetry_prune(f->s, &r, &more, &f->err));
	CHECK("that was all", !more);
	CHECK_OK(f, store_telemetry_stats(f->s, &stats, &f->err));
	CHECK_INT("kept", stats.calls, 100);
	CHECK_INT("oldest", stats.first_call_us, 1100);
	r = (struct store_retention){ .raw_bytes = stats.raw_bytes * 9 / 10, .max_rows = 60, .minutes_before_us = 2 * minute_us };
	CHECK_OK(f, store_telemetry_prune(f->s, &r, &more, &f->err));
	CHECK_OK(f, store_telemetry_stats(f->s, &stats, &f->err));
	CHECK("by size, and not as many as a step may be", stats.calls >= 88 && stats.calls <= 90);
	CHECK_INT("bytes are counted", stats.raw_bytes, number(f, "SELECT sum(length(records)) FROM call_data"));
	r.raw_bytes = stats.raw_bytes / 10;
	r.max_rows = 9;
	before = stats.calls;
	CHECK_OK(f, store_telemetry_prune(f->s, &r, &more, &f->err));
	CHECK_OK(f, store_telemetry_stats(f->s, &stats, &f->err));
	CHECK_INT("a step has its size", stats.calls, before - 9);
	CHECK_INT("minutes", stats.minutes, 1);
	check_done();
}

static void rare_are(struct fixture *f, const char *label, struct store_calls_filter filter, const char *want)
{
	struct store_call *got;
	struct buf b;
	size_t n;

	buf_init(&b, 1000);
	CHECK_OK(f, store_calls(f->s, f->a, &filter, &got, &n, &f->err));
	for (size_t k = 0; k < n; k++)
		buf_fmt(&b, "%s%lld", k ? " " : "", (long long)got[k].row);
	CHECK_STR(label, buf_view(&b), str_of(want));
	buf_release(&b);
}

/* Blocks of calls: what stands at their borders, what several drains put into one, what came late, what was pruned. */
static void blocks(void **state)
{
	static const int ends[] = { 100, 200, 500, 600, 700 };           /* of drains */
	static const int rare[] = { 1, 200, 201, 456, 457, 600, 601, 700, 0 };   /* ends of blocks: of 200, 256, 144 and 100 calls */
	static const struct store_calls_filter api = { .api = STR_INIT("rare") };
	struct fixture *f = *state;
	struct store_retention r = { .raw_before_us = 1500, .max_rows = 1000 };
	struct store_calls_filter part = api;
	struct store_telemetry_stats stats;
	struct store_call *got;
	size_t n;
	bool more;

	for (int d = 0, row = 1, k = 0; d < (int)ARRAY_LEN(ends); d++) {
		CHECK_OK(f, store_drain_begin(f->s, &f->err));
		for (; row <= ends[d]; row++) {
			add_call(f, "a", row == rare[k] ? "rare" : "x", row == 456 ? 503 : 200, row == 300 ? 50 : 1000 + row);
			k += row == rare[k];
		}
		CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));
	}
	rare_are(f, "all blocks", api, "1 200 201 456 457 600 601 700");
	part.limit = 3;
	rare_are(f, "the newest", part, "600 601 700");
	part = (struct store_calls_filter){ .api = STR_INIT("rare"), .after_row = 200 };
	rare_are(f, "behind a row", part, "201 456 457 600 601 700");
	part = (struct store_calls_filter){ .api = STR_INIT("rare"), .from_us = 1200, .to_us = 1457 };
	rare_are(f, "of a time", part, "200 201 456");
	part = (struct store_calls_filter){ .to_us = 1000 };
	rare_are(f, "one that came late", part, "300");
	part = (struct store_calls_filter){ .from_us = 1455, .to_us = 1459 };
	rare_are(f, "a time across two blocks", part, "455 456 457 458");
	part = (struct store_calls_filter){ .status = 5 };
	rare_are(f, "a class of status that is rare", part, "456");
	part = (struct store_calls_filter){ .status = 503 };
	rare_are(f, "a status that is rare", part, "456");
	CHECK_INT("blocks", number(f, "SELECT count(*) FROM call_block"), 4);
	CHECK_INT("a value once a block", number(f, "SELECT count(*) FROM call_seen WHERE kind = 1 AND value = 'rare'"), 4);
	CHECK_INT("a status only in its block", number(f, "SELECT count(*) FROM call_seen WHERE kind = 8"), 2);

	CHECK_OK(f, store_telemetry_prune(f->s, &r, &more, &f->err));
	rare_are(f, "after pruning", api, "600 601 700");
	CHECK_INT("blocks without calls are gone", number(f, "SELECT min(block) FROM call_seen"), 457);
	CHECK_INT("their times as well", number(f, "SELECT min(block) FROM call_block"), 457);
	CHECK_INT("their records as well", number(f, "SELECT min(block) FROM call_data"), 457);
	CHECK_OK(f, store_call_at(f->s, f->a, 499, &got, &n, &f->err));
	CHECK_INT("the last that went", n, 0);
	CHECK_OK(f, store_call_at(f->s, f->a, 500, &got, &n, &f->err));
	CHECK("the first that is kept", n == 1 && got[0].row == 500 && got[0].call.started_us == 1500);
	CHECK_OK(f, store_telemetry_stats(f->s, &stats, &f->err));
	CHECK_INT("calls", stats.calls, 201);
	CHECK_INT("bytes", stats.raw_bytes, number(f, "SELECT sum(length(records)) FROM call_data"));
	r.raw_before_us = INT64_MAX;
	CHECK_OK(f, store_telemetry_prune(f->s, &r, &more, &f->err));
	CHECK_INT("nothing is left", number(f, "SELECT (SELECT count(*) FROM call_seen) + (SELECT count(*) FROM call_block)"
					       " + (SELECT count(*) FROM call_data)"), 0);
	CHECK_OK(f, store_telemetry_stats(f->s, &stats, &f->err));
	CHECK_INT("no bytes", stats.raw_bytes, 0);
	CHECK_OK(f, store_drain_begin(f->s, &f->err));
	add_call(f, "a", "x", 200, 5000);
	CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));
	rare_are(f, "a number is never given again", (struct store_calls_filter){ .api = STR_INIT("x") }, "701");
	check_done();
}

/* An id that the gateway made is found by its time; one that looks like it and is another's is found too. */
static void ids(void **state)
{
	static const struct {
		const char *label, *id;
		int64_t at_us;
		bool seen;
	} rows[] = {
		{ "of the gateway", "018bcfe5-6800-7abc-8def-0123456789ab", 1700000000000999, false },
		{ "of the gateway, the next millisecond", "018bcfe5-6801-7abc-8def-0123456789ab", 1700000000001000, false },
		{ "of another time", "018bcfe5-6800-7abc-8def-0123456789ac", 1700000500000000, true },
		{ "of the caller", "order-17", 1700000000000500, true },
		{ "a UUID of another version", "018bcfe5-6800-4abc-8def-0123456789ab", 1700000000000500, true },
		{ "in capitals", "018BCFE5-6800-7ABC-8DEF-0123456789AB", 1700000000000500, true },
	};
	struct fixture *f = *state;
	int64_t seen = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_OK(f, store_drain_begin(f->s, &f->err));
		for (int k = 0; k < 200; k++)            /* a block each */
			add_call(f, k == 100 ? rows[i].id : "", "x", 200, rows[i].at_us);
		CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));
		seen += rows[i].seen;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str want = arena_printf(f->a, "%zu", i * 200 + 101);

		rare_are(f, rows[i].label, (struct store_calls_filter){ .request_id = str_of(rows[i].id) }, want.p);
	}
	rare_are(f, "nobody's", (struct store_calls_filter){ .request_id = STR_INIT("018bcfe5-6800-7abc-8def-ffffffffffff") }, "");
	rare_are(f, "none", (struct store_calls_filter){ .request_id = STR_INIT("") }, "");
	CHECK_INT("only those of others are written down", number(f, "SELECT count(*) FROM call_seen WHERE kind = 5"), seen);
	check_done();
}

/* The same of a trace, whose id has no dashes; other calls of it, which came with it, are found beside the first. */
static void traces(void **state)
{
	static const struct {
		const char *label, *id;
		int64_t at_us;
		bool seen;
		const char *found;
	} rows[] = {
		{ "begun by the gateway", "018bcfe568007abc8def0123456789ab", 1700000000000999, false, "101 701" },
		{ "of the caller", "4bf92f3577b34da6a3ce929d0e0e4736", 1700000000000500, true, "301" },
		{ "of a caller who makes them alike", "018bcfe568007abc8def0123456789ac", 1700000500000000, true, "501" },
		{ "a later call of the first trace", "018bcfe568007abc8def0123456789ab", 1700000600000000, true, "101 701" },
	};
	struct fixture *f = *state;
	int64_t seen = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_OK(f, store_drain_begin(f->s, &f->err));
		for (int k = 0; k < 200; k++) {          /* a block each */
			struct telemetry_call c = sample();

			c.trace_id = str_of(k == 100 ? rows[i].id : "");
			c.started_us = rows[i].at_us;
			CHECK_OK(f, store_drain_call(f->s, &c, &f->err));
		}
		CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));
		seen += rows[i].seen;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		rare_are(f, rows[i].label, (struct store_calls_filter){ .trace_id = str_of(rows[i].id) }, rows[i].found);
	rare_are(f, "nobody's", (struct store_calls_filter){ .trace_id = STR_INIT("018bcfe568007abc8defffffffffffff") }, "");
	CHECK_INT("only those of others are written down", number(f, "SELECT count(*) FROM call_seen WHERE kind = 7"), seen);
	check_done();
}

/* Several calls of one block, each with the trace that it began: read together, each has its own. */
static void own_traces(void **state)
{
	static const struct { const char *id, *trace; } rows[] = {
		{ "018bcfe5-6800-7abc-8def-0123456789ab", "018bcfe568007abc8def0123456789ab" },
		{ "018bcfe5-6800-7abc-8def-0123456789ac", "018bcfe568007abc8def0123456789ac" },
		{ "018bcfe5-6800-7abc-8def-0123456789ad", "4bf92f3577b34da6a3ce929d0e0e4736" },
		{ "018bcfe5-6800-7abc-8def-0123456789ae", "" },
	};
	const struct store_calls_filter all = { 0 };
	struct fixture *f = *state;
	struct store_call *got;
	size_t n;

	CHECK_OK(f, store_drain_begin(f->s, &f->err));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct telemetry_call c = sample();

		c.request_id = str_of(rows[i].id);
		c.trace_id = str_of(rows[i].trace);
		CHECK_OK(f, store_drain_call(f->s, &c, &f->err));
	}
	CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));
	CHECK_OK(f, store_calls(f->s, f->a, &all, &got, &n, &f->err));
	assert_int_equal(n, ARRAY_LEN(rows));
	for (size_t i = 0; i < n; i++) {
		CHECK_STR(rows[i].id, got[i].call.request_id, str_of(rows[i].id));
		CHECK_STR(rows[i].id, got[i].call.trace_id, str_of(rows[i].trace));
	}
	check_done();
}

/* How much it grows is known from the second day on, and is of the last week. */
static void growth(void **state)
{
	struct fixture *f = *state;
	int64_t day_us = 24 * 60 * minute_us, first = 20000 * day_us, bytes, most;
	bool known;

	CHECK_OK(f, store_growth(f->s, f->a, &bytes, &known, &f->err));
	CHECK("nothing yet", !known);
	CHECK_OK(f, store_size_note(f->s, first, &f->err));
	CHECK_OK(f, store_size_note(f->s, first + day_us - 1, &f->err));
	CHECK_OK(f, store_growth(f->s, f->a, &bytes, &known, &f->err));
	CHECK("one day tells nothing", !known);
	for (int day = 1; day <= 9; day++) {
		CHECK_OK(f, store_drain_begin(f->s, &f->err));
		for (int i = 0; i < 2560; i++)
			add_call(f, "0123456789012345678901234567890123456789", "x", 200, first + day * day_us + i);
		CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));
		CHECK_OK(f, store_size_note(f->s, first + day * day_us, &f->err));
	}
	CHECK_OK(f, store_growth(f->s, f->a, &bytes, &known, &f->err));
	most = number(f, "SELECT sum(length(records)) / 9 FROM call_data");
	CHECK("as much as came in a day, in whole pages", known && bytes >= most && bytes < most + most / 4);
	CHECK_INT("of the last eight notes", bytes, number(f, "SELECT (max(bytes) - min(bytes)) / 7 FROM (SELECT bytes FROM store_size"
							       " ORDER BY day_s DESC LIMIT 8)"));
	check_done();
}

/* A store of before calls were packed: each call is there afterwards, with all it had. */
static void older_calls(void **state)
{
	struct fixture *f = *state;
	struct store_call *got;
	struct store_telemetry_stats stats;
	size_t n;
	sqlite3 *db;

	db = old_telemetry(f, 12);
	/* 600 calls in two orders; each number and text tells its row */
	assert_int_equal(sqlite3_exec(db, "WITH RECURSIVE n(i) AS (SELECT 5 UNION ALL SELECT i + 1 FROM n WHERE i < 604)"
		" INSERT INTO call_record SELECT i, 100, 1700000000000000 + i, i + 1, i + 2, i + 3, i + 4, i + 5, i + 6, i + 7, i + 8, i + 9, i + 10,"
		" i + 11, 200 + i % 7 * 50, 201, 2, i % 5, i % 3, 'id-' || i, 'env', 'api-' || (i % 3), 'v' || (i % 2), 'rev', 'op-' || (i % 4), 'prod',"
		" 'sub-' || (i % 5), 'user', 'app', 'backend', 'GET', 'host', '/path/' || i, 'reason', '10.0.0.' || (i % 9), 'trace-' || i, 'key',"
		" 'decision-' || i, 'detail', 'correlation-' || i, 'place', 'credential', 'limits', 'steps', 3, 'span', 'tries-' || i FROM n"
		" ORDER BY i % 100;"
		"UPDATE call_record SET request_id = '018bcfe5-6800-7abc-8def-0123456789ab' WHERE row = 77;"
		"INSERT OR IGNORE INTO call_seen SELECT 1, api, row / 256 FROM call_record;"
		"INSERT OR IGNORE INTO call_seen SELECT 2, subscription, row / 256 FROM call_record;", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	CHECK_OK(f, store_open(&f->s, f->dir, STORE_CREATE, &f->err));
	CHECK_OK(f, store_calls(f->s, f->a, &(struct store_calls_filter){ .limit = 1000 }, &got, &n, &f->err));
	assert_int_equal(n, 600);
	for (size_t i = 0; i < n; i++) {
		const struct telemetry_call *c = &got[i].call;
		int64_t row = (int64_t)i + 5;

		CHECK_INT("row", got[i].row, row);
		CHECK_INT("time", c->started_us, 1700000000000000 + row);
		CHECK_INT("bytes in", c->bytes_in, row + 1);
		CHECK_INT("first byte", c->first_byte_us, row + 11);
		CHECK_INT("status", c->status, 200 + row % 7 * 50);
		CHECK_INT("flags", c->trace_flags, 3);
		CHECK_STR("id", c->request_id, row == 77 ? STR("018bcfe5-6800-7abc-8def-0123456789ab") : arena_printf(f->a, "id-%lld", (long long)row));
		CHECK_STR("API", c->api, arena_printf(f->a, "api-%lld", (long long)row % 3));
		CHECK_STR("path", c->path, arena_printf(f->a, "/path/%lld", (long long)row));
		CHECK_STR("the last one", c->tries, arena_printf(f->a, "tries-%lld", (long long)row));
	}
	rare_are(f, "by id", (struct store_calls_filter){ .request_id = STR_INIT("id-300") }, "300");
	rare_are(f, "by the gateway's id", (struct store_calls_filter){ .request_id = STR_INIT("018bcfe5-6800-7abc-8def-0123456789ab") }, "77");
	CHECK_INT("which is not written down", number(f, "SELECT count(*) FROM call_seen WHERE kind = 5"), 599);
	rare_are(f, "by trace", (struct store_calls_filter){ .trace_id = STR_INIT("trace-604") }, "604");
	rare_are(f, "by correlation", (struct store_calls_filter){ .correlation = STR_INIT("correlation-5") }, "5");
	CHECK_OK(f, store_calls(f->s, f->a, &(struct store_calls_filter){ .api = STR_INIT("api-1"), .limit = 1000 }, &got, &n, &f->err));
	CHECK_INT("by API", n, 200);
	CHECK_OK(f, store_calls(f->s, f->a, &(struct store_calls_filter){ .status = 5, .limit = 1000 }, &got, &n, &f->err));
	CHECK_INT("by status", n, 86);
	CHECK_OK(f, store_telemetry_stats(f->s, &stats, &f->err));
	CHECK_INT("calls", stats.calls, 600);
	CHECK_INT("bytes", stats.raw_bytes, number(f, "SELECT sum(length(records)) FROM call_data"));
	CHECK_OK(f, store_drain_begin(f->s, &f->err));
	add_call(f, "new", "x", 200, 5000);
	CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));
	rare_are(f, "what comes next", (struct store_calls_filter){ .request_id = STR_INIT("new") }, "605");
	check_done();
}

/* Page by page in the order of time, though one worker's calls of an hour were taken in behind another's: each comes once, wherever the
 * pages end, and what is taken in meanwhile moves none. */
static void pages_by_time(void **state)
{
	enum { EACH = 700, STEP_US = 1000 };
	static const struct {
		const char *label;
		struct store_calls_filter f;
		size_t want, page;
	} rows[] = {
		{ "all", { .by_time = true }, 2 * EACH + 1, 97 },
		{ "page ends at a block's end", { .by_time = true }, 2 * EACH + 1, 256 },
		{ "of one API", { .by_time = true, .api = STR_INIT("api-a") }, EACH, 33 },
		{ "of some time", { .by_time = true, .from_us = 100 * STEP_US, .to_us = 200 * STEP_US }, 200, 7 },
		{ "with errors", { .by_time = true, .status = 5 }, 200, 9 },
	};
	struct fixture *f = *state;

	for (int worker = 0; worker < 2; worker++) {     /* a drain each, as after the keeper was away */
		CHECK_OK(f, store_drain_begin(f->s, &f->err));
		for (int i = 0; i < EACH; i++)
			add_call(f, "r", worker ? "api-b" : "api-a", i % 7 ? 200 : 502 - 2 * worker, (int64_t)i / 2 * 2 * STEP_US + 1);
		if (worker)
			add_call(f, "long", "api-b", 200, 5 * STEP_US);   /* it ended late */
		CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store_calls_filter filter = rows[i].f;
		int64_t us = INT64_MAX, row = INT64_MAX;
		size_t seen = 0, n;

		filter.limit = rows[i].page;
		do {
			struct store_call *v;

			CHECK_OK(f, store_calls(f->s, f->a, &filter, &v, &n, &f->err));
			for (size_t k = n; k-- > 0; seen++) {
				bool falls = v[k].call.started_us < us || (v[k].call.started_us == us && v[k].row < row);

				CHECK(rows[i].label, falls);
				us = v[k].call.started_us;
				row = v[k].row;
			}
			filter.before_row = row;
			CHECK_OK(f, store_drain_begin(f->s, &f->err));
			add_call(f, "new", "api-new", 200, (EACH + 10) * STEP_US);
			CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));
		} while (n == rows[i].page);
		CHECK_INT(rows[i].label, seen, rows[i].want + (i == 1 ? 15 : 0));
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(round_trip),
		store_test(filters),
		store_test(pages_by_time),
		store_test(by_index),
		store_test(all_or_nothing),
		store_test(pruning),
		store_test(blocks),
		store_test(ids),
		store_test(traces),
		store_test(own_traces),
		store_test(older_calls),
		store_test(growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
