/* Kinds of calls: alike in each shared field or another number, whatever the rest is; bounded. */
#include "tests/unit/check.h"

#include "core/telemetry.h"
#include "core/telemetry_kind.h"

#include <stdlib.h>
#include <unistd.h>

static char dir[64];
static struct arena *arena;
static struct segment *segment;

/* Shared texts have one letter each, so that another letter shows in the bytes only. */
static struct telemetry_call sample(void)
{
	struct telemetry_call c = { .started_us = 1700000000000000, .status = 200, .backend_status = 200, .attempts = 1, .origin = TELEMETRY_BY_BACKEND,
				    .total_us = 7, .request_id = STR("a"), .path = STR("/a"), .limits = STR("rate") };

#define X(name) c.name = STR("a");
	TELEMETRY_SHARED_TEXTS(X)
#undef X
	return c;
}

/* The calls as they are read from a segment, since only those may be looked up. */
static void write_and_open(const struct telemetry_call *calls, size_t n)
{
	struct telemetry *t;
	struct str *names;
	size_t found;

	snprintf(dir, sizeof(dir), "/tmp/gatehouse-kinds-XXXXXX");
	assert_non_null(mkdtemp(dir));
	arena = arena_new(1 << 20);
	assert_int_equal(telemetry_open(dir, &(struct telemetry_options){ 4 << 20, 64 << 20 }, &t, NULL).code, GH_OK);
	for (size_t i = 0; i < n; i++)
		assert_true(telemetry_put(t, &calls[i]));
	telemetry_close(t);
	assert_int_equal(segments_list(arena, dir, &names, &found, NULL).code, GH_OK);
	assert_int_equal(segment_open(dir, names[0], &segment, NULL).code, GH_OK);
	assert_int_equal(segment_remove(dir, names[0], NULL).code, GH_OK);
	rmdir(dir);
}

static void end(void)
{
	segment_close(segment);
	arena_free(arena);
	check_done();
}

static unsigned next_kind(struct telemetry_kinds *k, uint64_t *offset)
{
	struct telemetry_call c;
	bool damaged;

	assert_true(segment_next(segment, offset, &c, &damaged));
	return telemetry_kind(k, &c);
}

#define ONE(name) +1
enum { DIFFERENT = 0 TELEMETRY_SHARED_TEXTS(ONE) TELEMETRY_SHARED_NUMBERS(ONE), LIKE = 6 };

static void alike(void **state UNUSED)
{
	struct telemetry_kinds *k = telemetry_kinds_new();
	struct telemetry_call calls[DIFFERENT + LIKE];
	const char *labels[DIFFERENT];
	unsigned seen[DIFFERENT];
	uint64_t offset = 0;
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		calls[i] = sample();
#define X(name)                                                 \
	labels[at] = #name;                                     \
	calls[at++].name = STR("x");
	TELEMETRY_SHARED_TEXTS(X)
#undef X
#define X(name)                                                 \
	labels[at] = #name;                                     \
	calls[at++].name += 3;
	TELEMETRY_SHARED_NUMBERS(X)
#undef X
	calls[at + 1].request_id = STR("another");
	calls[at + 2].path = STR("/another/and/longer");
	calls[at + 3].total_us = calls[at + 3].dns_us = 99;
	calls[at + 4].limits = calls[at + 4].trace_id = STR("other");
	calls[at + 5].started_us++;
	write_and_open(calls, ARRAY_LEN(calls));
	for (size_t i = 0; i < DIFFERENT; i++) {
		seen[i] = next_kind(k, &offset);
		CHECK(labels[i], seen[i] != 0);
		for (size_t j = 0; j < i; j++)
			CHECK(labels[i], seen[i] != seen[j]);
	}
	for (unsigned i = 0, first = 0; i < LIKE; i++) {
		unsigned kind = next_kind(k, &offset);

		first = first ? first : kind;
		CHECK_INT("what is not shared makes no other kind", kind, first);
		for (size_t j = 0; j < DIFFERENT; j++)
			CHECK(labels[j], kind != seen[j]);
	}
	offset = 0;
	for (size_t i = 0; i < DIFFERENT; i++)
		CHECK_INT("again", next_kind(k, &offset), seen[i]);
	telemetry_kinds_free(k);
	end();
}

/* "a" and "bc" are not "ab" and "c". */
static void borders(void **state UNUSED)
{
	struct telemetry_kinds *k = telemetry_kinds_new();
	struct telemetry_call calls[2] = { sample(), sample() };
	uint64_t offset = 0;
	unsigned first;

	calls[0].product = STR("a");
	calls[0].subscription = STR("bc");
	calls[1].product = STR("ab");
	calls[1].subscription = STR("c");
	write_and_open(calls, 2);
	first = next_kind(k, &offset);
	CHECK("the same bytes, other fields", next_kind(k, &offset) != first);
	telemetry_kinds_free(k);
	end();
}

static void bounded(void **state UNUSED)
{
	enum { CALLS = 3 * TELEMETRY_KINDS_MAX };
	static struct telemetry_call calls[CALLS];
	static char hosts[CALLS][16];
	static unsigned seen[CALLS];
	struct telemetry_kinds *k = telemetry_kinds_new();
	size_t known = 0;
	uint64_t offset = 0;

	for (size_t i = 0; i < CALLS; i++) {
		calls[i] = sample();
		calls[i].host = (struct str){ hosts[i], (size_t)snprintf(hosts[i], sizeof(hosts[i]), "host-%zu", i) };
	}
	write_and_open(calls, CALLS);
	for (size_t i = 0; i < CALLS; i++) {
		seen[i] = next_kind(k, &offset);
		known += seen[i] != 0;
		CHECK("a number in the tables of who asks", seen[i] <= TELEMETRY_KINDS_MAX);
	}
	CHECK("as many as there may be, the rest is told", known == TELEMETRY_KINDS_MAX);
	offset = 0;
	for (size_t i = 0; i < CALLS; i++)
		CHECK_INT("the same again", next_kind(k, &offset), seen[i]);
	telemetry_kinds_free(k);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(alike), cmocka_unit_test(borders), cmocka_unit_test(bounded) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
