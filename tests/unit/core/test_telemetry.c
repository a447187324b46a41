/* Records of calls: what goes in comes out, segments follow each other, a killed writer loses nothing, the spool is
 * bounded, damage is noticed. */
#include "tests/unit/core/spool.h"

#include "core/buf.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* All records of all segments, oldest first. */
static size_t read_all(void (*each)(const struct telemetry_call *, void *), void *arg, uint64_t *dropped, bool finished)
{
	struct telemetry_call call;
	struct str *names;
	size_t n, count = 0;
	bool damaged;

	assert_int_equal(segments_list(arena, dir, &names, &n, NULL).code, GH_OK);
	for (size_t i = 0; i < n; i++) {
		struct segment *s;
		uint64_t offset = 0;

		assert_int_equal(segment_open(dir, names[i], &s, NULL).code, GH_OK);
		if (finished)
			CHECK("finished", segment_finished(s));
		for (; segment_next(s, &offset, &call, &damaged); count++)
			each(&call, arg);
		CHECK("whole", !damaged);
		CHECK_INT("read to the end", offset, segment_committed(s));
		*dropped += segment_dropped(s);
		segment_close(s);
	}
	return count;
}

static void compare(const struct telemetry_call *got, void *arg)
{
	struct telemetry_call want = sample((*(int *)arg)++);

	CHECK_INT("time", got->started_us, want.started_us);
#define X(type, name) CHECK_INT(#name, got->name, want.name);
	TELEMETRY_NUMBERS(X)
#undef X
#define X(name, max) CHECK_STR(#name, got->name, want.name);
	TELEMETRY_TEXTS(X)
	TELEMETRY_PASSING_TEXTS(X)
#undef X
}

static void round_trip(void **state UNUSED)
{
	struct telemetry *t = open_writer(65536, 1 << 20);
	uint64_t dropped = 0;
	int i;

	for (i = 0; i < 100; i++) {
		struct telemetry_call c = sample(i);

		assert_true(telemetry_put(t, &c));
	}
	i = 0;
	CHECK_INT("read while it is written", read_all(compare, &i, &dropped, false), 100);
	telemetry_close(t);
	i = 0;
	CHECK_INT("all", read_all(compare, &i, &dropped, true), 100);
	CHECK_INT("none dropped", dropped, 0);
	check_done();
}

static void compare_older(const struct telemetry_call *got, void *arg)
{
	struct telemetry_call call = *got;

	CHECK_STR("did not exist", call.web, STR(""));
	call.web = sample(0).web;
	compare(&call, arg);
}

/* As the version before wrote it: without the length of `web`. */
static void older(void **state UNUSED)
{
	enum { LENGTHS = RECORD_FIXED_BYTES - LENGTHS_BYTES, FIXED = RECORD_FIXED_BYTES - 2, TEXTS = TELEMETRY_TEXT__COUNT };
	struct telemetry *t = open_writer(65536, 1 << 20);
	unsigned char *map, *from, *to, *records;
	struct segment_header *h;
	uint64_t dropped = 0;
	struct str *names;
	char path[200];
	int fd, i = 0;
	size_t n;

	for (; i < 5; i++) {
		struct telemetry_call c = sample(i);

		c.web = STR("");
		assert_true(telemetry_put(t, &c));
	}
	telemetry_close(t);
	assert_int_equal(segments_list(arena, dir, &names, &n, NULL).code, GH_OK);
	snprintf(path, sizeof(path), "%s/%.*s", dir, STR_ARG(names[0]));
	fd = open(path, O_RDWR);
	map = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(map != MAP_FAILED);
	h = (void *)map;
	records = from = to = map + SEGMENT_HEADER_BYTES;
	while (i--) {
		uint16_t lengths[TEXTS];
		uint32_t head[2];
		size_t texts = 0, whole;

		memcpy(head, from, sizeof(head));
		memcpy(lengths, from + LENGTHS, sizeof(lengths));
		for (size_t k = 0; k < TEXTS; k++)
			texts += lengths[k];
		whole = (FIXED + texts + 7) / 8 * 8;
		memmove(to, from, FIXED);
		memmove(to + FIXED, from + RECORD_FIXED_BYTES, texts);
		from += head[0];
		head[0] = (uint32_t)whole;
		head[1] = head[0] ^ RECORD_CHECK;
		memcpy(to, head, sizeof(head));
		to += whole;
	}
	h->version = SEGMENT_VERSION_BEFORE;
	h->committed = (uint64_t)(to - records);
	i = 0;
	CHECK_INT("all that waited at an upgrade", read_all(compare_older, &i, &dropped, true), 5);
	h->version = SEGMENT_VERSION + 1;
	CHECK_INT("of another one", segment_open(dir, names[0], &(struct segment *){ NULL }, NULL).code, GH_E_SYNTAX);
	munmap(map, 65536);
	close(fd);
	check_done();
}

static void web(void **state UNUSED)
{
	static const struct { const char *label, *text, *scheme, *route, *query, *urls; uint64_t port; bool there; } rows[] = {
		{ "nothing", "", "", "", "", "", 0, false },
		{ "all", "https 8443\n/a/{b}\nx=1\nhttp://b/1\nhttp://c/1\n", "https", "/a/{b}", "x=1", "http://b/1\nhttp://c/1\n", 8443, true },
		{ "neither route, query nor tries", "http 80\n\n\n", "http", "", "", "", 80, true },
		{ "cut short", "http 80", "http", "", "", "", 80, true },
		{ "no port", "http x\n/a\n", "http", "/a", "", "", 0, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct telemetry_call c = { .web = { rows[i].text, strlen(rows[i].text) } };
		struct telemetry_web got;

		CHECK(rows[i].label, telemetry_web_read(&c, &got) == rows[i].there);
		CHECK_STR(rows[i].label, got.scheme, str_of(rows[i].scheme));
		CHECK_STR(rows[i].label, got.route, str_of(rows[i].route));
		CHECK_STR(rows[i].label, got.query, str_of(rows[i].query));
		CHECK_STR(rows[i].label, got.urls, str_of(rows[i].urls));
		CHECK_INT(rows[i].label, got.port, rows[i].port);
	}
	check_done();
}

static void long_texts(const struct telemetry_call *got, void *arg UNUSED)
{
#define X(name, max) CHECK_INT(#name, got->name.n, (max));
	TELEMETRY_TEXTS(X)
	TELEMETRY_PASSING_TEXTS(X)
#undef X
}

static void cut_text(const struct telemetry_call *got, void *arg UNUSED)
{
	CHECK_INT("whole characters", got->method.n, 15);
	CHECK("UTF-8", utf8_valid(got->method));
}

static void limits(void **state UNUSED)
{
	static char big[4096];
	struct telemetry_call c = sample(0);
	struct telemetry *t = open_writer(1, 1 << 20);       /* raised to what two records need */
	uint64_t dropped = 0;

	memset(big, 'x', sizeof(big));
	for (int i = 0; i < TELEMETRY_TEXT__COUNT; i++)
		*telemetry_text(&c, (enum telemetry_text)i) = (struct str){ big, sizeof(big) };
	c.web = (struct str){ big, sizeof(big) };
	assert_true(telemetry_put(t, &c) && telemetry_put(t, &c));
	telemetry_close(t);
	CHECK_INT("longest records", read_all(long_texts, NULL, &dropped, true), 2);
	end(NULL);
	begin(NULL);
	t = open_writer(65536, 1 << 20);
	c = sample(0);
	c.method = STR("abc\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC");   /* the 16th byte is inside a character */
	assert_true(telemetry_put(t, &c));
	telemetry_close(t);
	CHECK_INT("cut", read_all(cut_text, NULL, &dropped, true), 1);
	check_done();
}

static void count_only(const struct telemetry_call *got, void *arg)
{
	int64_t *next = arg;

	CHECK_INT("in order, none missing", got->started_us, 1700000000000000 + *next);
	++*next;
}

static void many_segments(void **state UNUSED)
{
	struct telemetry *t = open_writer(65536, 1 << 24);
	uint64_t dropped = 0;
	int64_t next = 0;
	int sent = 0;

	while (sent < 3000) {
		struct telemetry_call c = sample(sent);

		if (telemetry_put(t, &c))
			sent++;
		else
			usleep(1000);                /* the next segment is being made */
	}
	telemetry_close(t);
	CHECK_INT("all", read_all(count_only, &next, &dropped, true), 3000);
	check_done();
}

static void bounded(void **state UNUSED)
{
	struct telemetry *t = open_writer(65536, 4 * 65536), *other = NULL;
	struct telemetry_call c = sample(0);
	uint64_t dropped = 0, put = 0, tried = 0, before = UINT64_MAX;
	int64_t next = 0;
	struct gh_err err = { .message = "" };
	struct str *names;
	size_t n = 0;

	/* until all segments are there, which another thread makes, and nothing more goes in */
	for (int i = 0; i < 60000 && (n < 4 || put != before); i++) {
		before = put;
		for (int k = 0; k < 10; k++, tried++) {
			c.started_us = 1700000000000000 + (int64_t)put;
			put += telemetry_put(t, &c);
		}
		usleep(500);
		assert_int_equal(segments_list(arena, dir, &names, &n, NULL).code, GH_OK);
	}
	CHECK_INT("segments up to the total", n, 4);
	CHECK_INT("in the place of the folder is a file", telemetry_open("/dev/null", &(struct telemetry_options){ 65536, 4 * 65536 }, &other, &err).code, GH_E_IO);
	CHECK_STR("and that is what it says", str_of(err.message), STR("/dev/null: Not a directory"));
	CHECK_INT("another writer finds no room",
		  telemetry_open(dir, &(struct telemetry_options){ 65536, 4 * 65536 }, &other, NULL).code, GH_E_LIMIT);
	CHECK_INT("drops are told", telemetry_dropped(t), tried - put);
	CHECK("some", put < tried && put > 500);
	telemetry_close(t);
	CHECK_INT("what was taken is there", read_all(count_only, &next, &dropped, true), put);
	CHECK_INT("drops are recorded", dropped, tried - put);
	check_done();
}

static void killed(void **state UNUSED)
{
	_Atomic int64_t *sent = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t dropped = 0;
	int64_t next = 0;
	pid_t pid = fork();
	size_t got;

	if (!pid) {
		struct telemetry *t = open_writer(65536, 1 << 26);

		for (;;) {
			struct telemetry_call c = sample((int)*sent);

			if (telemetry_put(t, &c))
				++*sent;
		}
	}
	while (*sent < 20000)
		usleep(1000);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	got = read_all(count_only, &next, &dropped, true);
	CHECK("nothing that was appended is lost", (int64_t)got == *sent || (int64_t)got == *sent + 1);
	munmap((void *)sent, 4096);
	check_done();
}

static void damage(void **state UNUSED)
{
	struct telemetry *t = open_writer(65536, 1 << 20);
	struct telemetry_call c = sample(0), got;
	struct str *names;
	struct segment *s;
	uint64_t offset = 0;
	char path[200];
	size_t n;
	bool damaged;
	int fd;

	for (int i = 0; i < 3; i++)
		assert_true(telemetry_put(t, &c));
	telemetry_close(t);
	assert_int_equal(segments_list(arena, dir, &names, &n, NULL).code, GH_OK);
	assert_int_equal(segment_open(dir, names[0], &s, NULL).code, GH_OK);
	assert_true(segment_next(s, &offset, &got, &damaged));
	snprintf(path, sizeof(path), "%s/%.*s", dir, STR_ARG(names[0]));
	fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "\0\0\0\0\0\0\0\0", 8, 4096 + (off_t)offset), 8);
	CHECK("zeros are no record", !segment_next(s, &offset, &got, &damaged) && damaged);
	assert_int_equal(pwrite(fd, "\0\0\0\0", 4, 0), 4);
	segment_close(s);
	CHECK_INT("no segment", segment_open(dir, names[0], &s, NULL).code, GH_E_SYNTAX);
	CHECK_INT("not there", segment_open(dir, STR("x.seg"), &s, NULL).code, GH_E_NOT_FOUND);
	assert_int_equal(ftruncate(fd, 10), 0);
	CHECK_INT("too short", segment_open(dir, names[0], &s, NULL).code, GH_E_SYNTAX);
	close(fd);
	check_done();
}

static void json(void **state UNUSED)
{
	struct telemetry_call c = sample(0);
	struct buf b;

	buf_init(&b, 10000);
	c.path = STR("/a\"b");
	telemetry_json(&b, &c);
	CHECK("time", str_starts(buf_view(&b), STR("{\"time\":\"2023-11-14T22:13:20.000000Z\",\"bytes_in\":1,")));
	CHECK("escaped", str_find(buf_view(&b), STR("\"path\":\"/a\\\"b\"")) != SIZE_MAX);
	CHECK("names", str_find(buf_view(&b), STR("\"origin\":\"backend\",\"cache\":\"miss\"")) != SIZE_MAX);
	CHECK("end", str_ends(buf_view(&b), STR("\"tries\":\"\"}")));
	buf_release(&b);
	check_done();
}

static void cost(void **state UNUSED)
{
	struct telemetry *t = open_writer(16 << 20, 1 << 28);
	struct telemetry_call c = sample(0);
	int64_t start = clock_mono_us();

	for (int i = 0; i < 20000; i++)
		telemetry_put(t, &c);
	printf("# put: %lld ns\n", (long long)(clock_mono_us() - start) / 20);
	telemetry_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(web), cmocka_unit_test_setup_teardown(round_trip, begin, end), cmocka_unit_test_setup_teardown(older, begin, end),
		cmocka_unit_test_setup_teardown(limits, begin, end),
		cmocka_unit_test_setup_teardown(many_segments, begin, end), cmocka_unit_test_setup_teardown(bounded, begin, end),
		cmocka_unit_test_setup_teardown(killed, begin, end),
		cmocka_unit_test_setup_teardown(damage, begin, end),
		cmocka_unit_test_setup_teardown(json, begin, end), cmocka_unit_test_setup_teardown(cost, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
