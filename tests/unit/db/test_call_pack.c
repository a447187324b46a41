/* Packed calls: what goes in comes out, whatever it is; what is damaged is told and never read past its end. In the store a damaged
 * block hides no other and goes as the others do; clocks that went backwards and numbers that are missing do no harm. */
#include "tests/unit/db/fixture.h"

#include "core/arena.h"
#include "core/log.h"
#include "core/str.h"
#include "db/call_pack.h"
#include "db/sql.h"
#include "db/telemetry.h"

#include <stdlib.h>

static struct telemetry_call sample(void)
{
	return (struct telemetry_call){
		.started_us = 1700000000000000, .bytes_in = 1, .bytes_out = 2, .backend_bytes_out = 3, .backend_bytes_in = 4,
		.total_us = 5, .gateway_us = 6, .backend_us = 7, .dns_us = 8, .connect_us = 9, .tls_us = 10, .first_byte_us = 11,
		.status = 200, .backend_status = 201, .attempts = 2, .origin = 1, .cache = 1, .trace_flags = 1,
		.request_id = STR("rid"), .environment = STR("env"), .api = STR("orders"), .version = STR("v1"),
		.revision = STR("2"), .operation = STR("get"), .product = STR("gold"), .subscription = STR("s1"),
		.user = STR("u1"), .application = STR("app"), .backend = STR("b"), .method = STR("GET"), .host = STR("h"),
		.path = STR("/p"), .reason = STR("r"), .client_ip = STR("::1"), .trace_id = STR("t"), .key_prefix = STR("k"),
		.decision = STR("d"), .detail = STR("x"), .correlation = STR("c"), .place = STR("inbound"), .credential = STR("cred"),
		.limits = STR("rate"), .steps = STR("a\nb"), .parent_span = STR("p"), .tries = STR("1 2"),
	};
}

static void same(const char *label, const struct telemetry_call *got, const struct telemetry_call *want)
{
	CHECK_INT(label, got->started_us, want->started_us);
#define X(type, name) CHECK_INT(label, (int64_t)got->name, (int64_t)want->name);
	TELEMETRY_NUMBERS(X)
#undef X
#define X(name, max) CHECK_STR(label, got->name, want->name);
	TELEMETRY_TEXTS(X)
#undef X
}

/* All of them in one, and again with what was packed before. */
static void round_trip(void **state UNUSED)
{
	static char longest[2048];
	struct telemetry_call calls[16];
	const char *labels[16] = { "all", "the same again", "nothing at all", "one text differs", "the largest numbers", "the longest texts",
				   "a UUID", "a UUID in capitals", "nearly a UUID", "before 1970", "a number of the shared ones", "all again",
				   "its own trace", "nearly its own trace", "its own trace in capitals", "the trace of another id" };
	struct call_packer *p = call_packer_new();
	struct call_unpacker *u = call_unpacker_new();
	struct telemetry_call got;
	struct str first;
	char *copy;
	struct call_packed packed;
	bool damaged;

	memset(longest, 'x', sizeof(longest));
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		calls[i] = sample();
	calls[2] = (struct telemetry_call){ 0 };
	calls[3].operation = STR("put");
#define X(type, name) calls[4].name = (type)~(type)0;
	TELEMETRY_NUMBERS(X)
#undef X
#define X(name, max) calls[5].name = (struct str){ longest, (max) };
	TELEMETRY_TEXTS(X)
#undef X
	calls[6].request_id = STR("018bcfe5-6800-7abc-8def-0123456789ab");
	calls[7].request_id = STR("018BCFE5-6800-7abc-8def-0123456789ab");
	calls[8].request_id = STR("018bcfe5-6800-7abc-8def0-123456789ab");
	calls[9].started_us = -1;
	calls[10].status = 503;
	for (size_t i = 12; i < 15; i++)
		calls[i].request_id = calls[6].request_id;
	calls[12].trace_id = STR("018bcfe568007abc8def0123456789ab");
	calls[13].trace_id = STR("018bcfe568007abc8def0123456789ac");
	calls[14].trace_id = STR("018BCFE568007ABC8DEF0123456789AB");
	calls[15].trace_id = calls[12].trace_id;
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)        /* as a drain has looked them up; [11] on are as [0] is, and one is not known */
		calls[i].kind = i == 7 ? 0 : i < 2 || (i >= 6 && i != 10) ? 1 : 1 + (unsigned)i;
	assert_true(p && u && call_packer_begin(p, STR("")));
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		assert_true(call_packer_add(p, &calls[i], &packed));
		CHECK(labels[i], packed.fresh == (i != 1 && i != 6 && i != 7 && i != 8 && i != 9 && i < 11));
	}
	first = call_packer_bytes(p);
	copy = malloc(first.n);
	memcpy(copy, first.p, first.n);
	first.p = copy;
	for (int round = 1; round <= 2; round++) {
		struct str all;

		if (round == 2) {
			assert_true(call_packer_begin(p, first));
			for (size_t i = 0; i < ARRAY_LEN(calls); i++)
				assert_true(call_packer_add(p, &calls[i], &packed));
		}
		all = call_packer_bytes(p);
		call_unpacker_begin(u, all);
		for (size_t i = 0; i < (size_t)round * ARRAY_LEN(calls); i++) {
			size_t k = i % ARRAY_LEN(calls);

			assert_true(call_unpacker_next(u, &got, &damaged));
			same(labels[k], &got, &calls[k]);
		}
		CHECK("the end", !call_unpacker_next(u, &got, &damaged) && !damaged);
	}
	free(copy);
	call_packer_free(p);
	call_unpacker_free(u);
	check_done();
}

/* More kinds of calls than a section takes. */
static void many_kinds(void **state UNUSED)
{
	struct call_packer *p = call_packer_new();
	struct call_unpacker *u = call_unpacker_new();
	struct telemetry_call c = sample(), got;
	struct call_packed packed;
	bool damaged;
	char api[16];

	assert_true(p && u && call_packer_begin(p, STR("")));
	for (int i = 0; i < 2000; i++) {
		c.api = (struct str){ api, (size_t)snprintf(api, sizeof(api), "api-%d", i % 700) };
		assert_true(call_packer_add(p, &c, &packed));
	}
	call_unpacker_begin(u, call_packer_bytes(p));
	for (int i = 0; i < 2000; i++) {
		c.api = (struct str){ api, (size_t)snprintf(api, sizeof(api), "api-%d", i % 700) };
		assert_true(call_unpacker_next(u, &got, &damaged));
		CHECK_STR("API", got.api, c.api);
	}
	call_packer_free(p);
	call_unpacker_free(u);
	check_done();
}

/* Cut off anywhere, or with any byte changed: some calls, or "damaged", and nothing of what lies behind (ASan looks). */
static void damaged_ones(void **state UNUSED)
{
	struct call_packer *p = call_packer_new();
	struct call_unpacker *u = call_unpacker_new();
	struct telemetry_call c = sample(), got;
	struct str all;
	size_t told = 0;
	struct call_packed packed;
	bool damaged;

	assert_true(p && u && call_packer_begin(p, STR("")));
	for (int i = 0; i < 3; i++) {
		c.request_id = i == 1 ? STR("018bcfe5-6800-7abc-8def-0123456789ab") : STR("id");
		assert_true(call_packer_add(p, &c, &packed));
	}
	all = call_packer_bytes(p);
	for (size_t n = 0; n <= 2 * all.n; n++) {
		size_t keep = n < all.n ? n : all.n, seen = 0;
		char *copy = malloc(keep + !keep);

		memcpy(copy, all.p, keep);
		if (n >= all.n && n < 2 * all.n)
			copy[n - all.n] = (char)(copy[n - all.n] ^ 0xff);
		call_unpacker_begin(u, (struct str){ copy, keep });
		while (call_unpacker_next(u, &got, &damaged) && seen < 1000)
			seen++;
		told += damaged;
		CHECK("it ends", seen < 1000);
		free(copy);
	}
	CHECK("most damage is told", told > all.n / 2);
	call_packer_free(p);
	call_unpacker_free(u);
	check_done();
}

/* ---- in the store --------------------------------------------------------------------------------------------------------------- */

static void drain(struct fixture *f, int n, int64_t first_us)
{
	struct telemetry_call c = sample();

	CHECK_OK(f, store_drain_begin(f->s, &f->err));
	for (int i = 0; i < n; i++) {
		c.started_us = first_us + i;
		CHECK_OK(f, store_drain_call(f->s, &c, &f->err));
	}
	CHECK_OK(f, store_drain_end(f->s, GH_RC_OK, &f->err));
}

static struct store_telemetry_stats pruned(struct fixture *f, int64_t before_us)
{
	const struct store_retention r = { .raw_before_us = before_us, .max_rows = 100000 };
	struct store_telemetry_stats stats = { 0 };
	bool more;

	CHECK_OK(f, store_telemetry_prune(f->s, &r, &more, &f->err));
	CHECK("that was all", !more);
	CHECK_OK(f, store_telemetry_stats(f->s, &stats, &f->err));
	return stats;
}

static void damaged_block(void **state)
{
	struct fixture *f = *state;
	struct store_call *got;
	int64_t readable;
	size_t n;

	drain(f, 200, 1001);
	drain(f, 200, 1201);
	drain(f, 200, 1401);
	assert_int_equal(sqlite3_exec(f->s->db, "UPDATE telemetry.call_data SET records = substr(records, 1, length(records) / 2) WHERE block = 201",
				      NULL, NULL, NULL), SQLITE_OK);
	CHECK_OK(f, store_calls(f->s, f->a, &(struct store_calls_filter){ .limit = 1000 }, &got, &n, &f->err));
	readable = (int64_t)n - 400;
	CHECK("what is whole is there, before and behind it", readable > 50 && readable < 150 && got[0].row == 1 && got[n - 1].row == 600);
	CHECK_INT("some of them have to go", pruned(f, 1211).calls, readable - 10 + 200);
	CHECK_OK(f, store_calls(f->s, f->a, &(struct store_calls_filter){ .limit = 1000 }, &got, &n, &f->err));
	CHECK("the first of what is left", (int64_t)n == readable + 190 && got[0].row == 211 && got[0].call.started_us == 1211);
	assert_int_equal(sqlite3_exec(f->s->db, "UPDATE telemetry.call_data SET records = x'08' WHERE block = 201", NULL, NULL, NULL), SQLITE_OK);
	CHECK_INT("nothing of it can be read: it goes", pruned(f, 1220).calls, 200);
	CHECK_INT("and the others", pruned(f, 2000).calls, 0);
	check_done();
}

/* Calls of a time to come stand before those of now. */
static void clock_went_back(void **state)
{
	static const int64_t to_come = INT64_C(9000000000000000);
	struct store_telemetry_stats stats;
	struct fixture *f = *state;

	drain(f, 20 * 256, to_come);
	drain(f, 100, 1000);
	drain(f, 100, 2000);
	stats = pruned(f, 2000);
	CHECK_INT("what is old goes, wherever it stands", stats.calls, 20 * 256 + 100);
	CHECK_INT("the oldest", stats.first_call_us, 2000);
	CHECK_INT("and the rest in its time", pruned(f, to_come + 10).calls, 20 * 256 - 10);
	check_done();
}

/* A store of before calls were packed may miss numbers; those that were given are not given again. */
static void numbers_go_on(void **state)
{
	struct fixture *f = *state;
	struct store_call *got;
	size_t n;

	drain(f, 10, 1000);
	assert_int_equal(sqlite3_exec(f->s->db, "UPDATE telemetry.telemetry_total SET next_row = 50", NULL, NULL, NULL), SQLITE_OK);
	drain(f, 2, 2000);
	drain(f, 1, 3000);
	CHECK_OK(f, store_calls(f->s, f->a, &(struct store_calls_filter){ .after_row = 10 }, &got, &n, &f->err));
	CHECK("behind the last one", n == 3 && got[0].row == 50 && got[1].row == 51 && got[2].row == 52 && got[2].call.started_us == 3000);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(round_trip), cmocka_unit_test(many_kinds), cmocka_unit_test(damaged_ones),
					    store_test(damaged_block), store_test(clock_went_back), store_test(numbers_go_on) };

	log_init("test_call_pack", LOG_LEVEL__COUNT);

	return cmocka_run_group_tests(tests, NULL, NULL);
}
