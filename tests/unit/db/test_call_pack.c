/* Packed calls: what goes in comes out, whatever it is; what is damaged is told and never read past its end. */
#include "tests/unit/check.h"

#include "core/arena.h"
#include "core/str.h"
#include "db/call_pack.h"

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
	struct telemetry_call calls[12];
	const char *labels[12] = { "all", "the same again", "nothing at all", "one text differs", "the largest numbers", "the longest texts",
				   "a UUID", "a UUID in capitals", "nearly a UUID", "before 1970", "a number of the shared ones", "all again" };
	struct call_packer *p = call_packer_new();
	struct call_unpacker *u = call_unpacker_new();
	struct telemetry_call got;
	struct str first;
	char *copy;
	bool fresh, damaged;

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
	assert_true(p && u && call_packer_begin(p, STR("")));
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		assert_true(call_packer_add(p, &calls[i], &fresh));
		CHECK(labels[i], fresh == (i != 1 && i != 6 && i != 7 && i != 8 && i != 9 && i != 11));
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
				assert_true(call_packer_add(p, &calls[i], &fresh));
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
	bool fresh, damaged;
	char api[16];

	assert_true(p && u && call_packer_begin(p, STR("")));
	for (int i = 0; i < 2000; i++) {
		c.api = (struct str){ api, (size_t)snprintf(api, sizeof(api), "api-%d", i % 700) };
		assert_true(call_packer_add(p, &c, &fresh));
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
	bool fresh, damaged;

	assert_true(p && u && call_packer_begin(p, STR("")));
	for (int i = 0; i < 3; i++) {
		c.request_id = i == 1 ? STR("018bcfe5-6800-7abc-8def-0123456789ab") : STR("id");
		assert_true(call_packer_add(p, &c, &fresh));
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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(round_trip), cmocka_unit_test(many_kinds), cmocka_unit_test(damaged_ones) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
