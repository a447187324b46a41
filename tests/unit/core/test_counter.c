/* Limits over all processes: what each kind lets through, exactness under concurrency, death of a holder, eviction. */
#include "tests/unit/check.h"

#include "core/clock.h"
#include "core/counter.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[64];
static int64_t mono, wall;

static int64_t test_mono(void)
{
	return mono;
}

static int64_t test_wall(void)
{
	return wall;
}

static int begin(void **state UNUSED)
{
	snprintf(path, sizeof(path), "/tmp/gatehouse-counter-%d", getpid());
	unlink(path);
	mono = 1000000000;
	wall = 1700000000000000;
	return 0;
}

static int end(void **state UNUSED)
{
	unlink(path);
	return 0;
}

static struct counters *open_counters(size_t entries, bool test_clocks)
{
	struct counters *c = NULL;
	struct gh_err err = { .message = "" };

	if (counters_open(path, entries, &c, &err).code)
		fail_msg("%s", err.message);
	if (test_clocks)
		counters_set_clocks(c, test_mono, test_wall);
	return c;
}

/* A row: at this time ask for this much; what is answered. */
struct row {
	const char *label;
	int64_t at_ms;
	uint64_t amount;
	bool forced, allowed;
	uint64_t remaining;
	uint32_t retry_s, reset_s;
};

static void play(struct counter_ask ask, const struct row *rows, size_t n)
{
	struct counters *c = open_counters(64, true);
	int64_t mono0 = mono, wall0 = wall;

	for (size_t i = 0; i < n; i++) {
		struct counter_answer got;

		mono = mono0 + rows[i].at_ms * 1000;
		wall = wall0 + rows[i].at_ms * 1000;
		ask.amount = rows[i].amount;
		ask.forced = rows[i].forced;
		got = counter_take(c, &ask);
		CHECK_INT(rows[i].label, got.allowed, rows[i].allowed);
		CHECK_INT(rows[i].label, got.remaining, rows[i].remaining);
		CHECK_INT(rows[i].label, got.retry_after_s, rows[i].retry_s);
		CHECK_INT(rows[i].label, got.reset_s, rows[i].reset_s);
	}
	counters_close(c);
	check_done();
}

static void sliding(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "only looking", 0, 0, false, true, 3, 0, 0 },
		{ "first", 0, 1, false, true, 2, 0, 10 },
		{ "second", 4000, 1, false, true, 1, 0, 10 },
		{ "third", 4500, 1, false, true, 0, 0, 10 },
		{ "past the limit, rounded up", 4500, 1, false, false, 0, 6, 10 },
		{ "two: after the second has gone", 4500, 2, false, false, 0, 10, 10 },
		{ "more than the limit", 4500, 4, false, false, 0, UINT32_MAX, 10 },
		{ "looking when full tells when one passes", 4500, 0, false, true, 0, 6, 10 },
		{ "a moment before", 9999, 1, false, false, 0, 1, 5 },
		{ "the first has gone", 10000, 1, false, true, 0, 0, 10 },
		{ "forced", 10000, 2, true, true, 0, 0, 10 },
		{ "after that", 10000, 1, false, false, 0, 10, 10 },
		{ "all gone", 20000, 1, false, true, 2, 0, 10 },
	};

	play((struct counter_ask){ .type = COUNTER_TYPE_SLIDING, .key = STR("k"), .limit = 3, .window_s = 10 }, rows,
	     ARRAY_LEN(rows));
}

static void fixed(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "first", 0, 1, false, true, 1, 0, 60 },
		{ "second", 59000, 1, false, true, 0, 0, 1 },
		{ "looking when full tells when one passes", 59000, 0, false, true, 0, 1, 1 },
		{ "past the limit", 59001, 1, false, false, 0, 1, 1 },
		{ "next window", 60000, 1, false, true, 1, 0, 60 },
		{ "clock set back a little: no new quota", 30000, 1, false, true, 0, 0, 90 },
		{ "clock set back a little, used up", 30000, 1, false, false, 0, 90, 90 },
		{ "clock set back far: begun anew", -3600000, 2, false, true, 0, 0, 60 },
		{ "skipped windows", 600000, 1, false, true, 1, 0, 60 },
		{ "more than the limit", 600000, 3, false, false, 1, UINT32_MAX, 60 },
		{ "forced", 600000, 3, true, true, 0, 0, 60 },
	};

	play((struct counter_ask){ .type = COUNTER_TYPE_FIXED, .key = STR("k"), .limit = 2, .window_s = 60, .origin_us = wall },
	     rows, ARRAY_LEN(rows));
}

static void fixed_forever(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "first", 0, 1, false, true, 1, 0, UINT32_MAX },
		{ "years later", 4000000000, 1, false, true, 0, 0, UINT32_MAX },
		{ "never again", 8000000000, 1, false, false, 0, UINT32_MAX, UINT32_MAX },
	};

	play((struct counter_ask){ .type = COUNTER_TYPE_FIXED, .key = STR("k"), .limit = 2 }, rows, ARRAY_LEN(rows));
}

static void bucket(void **state UNUSED)
{
	static const struct row rows[] = {       /* 2 a second, 4 at once */
		{ "burst", 0, 4, false, true, 0, 0, 2 },
		{ "empty", 0, 1, false, false, 0, 1, 2 },
		{ "looking when empty tells when one passes", 0, 0, false, true, 0, 1, 2 },
		{ "one drop later", 500, 1, false, true, 0, 0, 2 },
		{ "three need longer", 500, 3, false, false, 0, 2, 2 },
		{ "and then pass", 2000, 3, false, true, 0, 0, 2 },
		{ "more than ever fits", 10000, 5, false, false, 4, UINT32_MAX, 0 },
		{ "full again", 10000, 1, false, true, 3, 0, 1 },
	};

	play((struct counter_ask){ .type = COUNTER_TYPE_BUCKET, .key = STR("k"), .limit = 2, .window_s = 1, .burst = 4 }, rows,
	     ARRAY_LEN(rows));
}

/* Whatever the pattern: no window holds more than the limit, and what Retry-After says is true. */
static void never_more(void **state UNUSED)
{
	static const uint64_t limits[] = { 1, 5, 127, 128, 129, 1000 };
	struct counters *c = open_counters(64, true);

	for (size_t l = 0; l < ARRAY_LEN(limits); l++) {
		struct counter_ask ask = { .type = COUNTER_TYPE_SLIDING, .key = STR("k"), .limit = limits[l], .amount = 1,
					   .window_s = 7 };
		static int64_t passed[40000];
		size_t n = 0, first = 0, lately = 0;
		unsigned seed = 42;

		ask.key.n = 1, ask.key.p = &"abcdef"[l];
		for (int i = 0; i < 40000; i++) {
			struct counter_answer got;

			seed = seed * 1103515245u + 12345u;
			mono += (seed >> 16) % (unsigned)(20000000 / limits[l] / 3 + 1);
			got = counter_take(c, &ask);
			while (first < n && passed[first] + 7000000 <= mono)
				first++;
			while (lately < n && passed[lately] + 7070000 <= mono)
				lately++;
			if (got.allowed) {
				passed[n++] = mono;
				CHECK("never more than the limit", n - first <= limits[l]);
				continue;
			}
			CHECK("refused only when full a hundredth of the window ago", n - lately >= limits[l]);
			if (i % 50 == 0) {
				mono += (int64_t)got.retry_after_s * 1000000;
				CHECK("Retry-After is true", counter_take(c, &ask).allowed);
				passed[n++] = mono;
			}
		}
		if (check_failures)
			break;
	}
	counters_close(c);
	check_done();
}

/* Each way of counting, calls of random weight at random moments, the wall clock pushed about by up to a window: after the seconds that
 * a refusal tells the same passes, and by the microseconds not one before. A wall clock that goes back keeps windows longer, and never
 * makes a promise untrue that was given after it had. */
static void retry_is_true(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct counter_ask ask;
	} rows[] = {
		{ "sliding", { .type = COUNTER_TYPE_SLIDING, .limit = 20, .window_s = 7 } },
		{ "sliding, sliced", { .type = COUNTER_TYPE_SLIDING, .limit = 130, .window_s = 7 } },
		{ "fixed", { .type = COUNTER_TYPE_FIXED, .limit = 20, .window_s = 7, .origin_us = 1234567 } },
		{ "bucket", { .type = COUNTER_TYPE_BUCKET, .limit = 20, .window_s = 7 } },
		{ "bucket with a burst", { .type = COUNTER_TYPE_BUCKET, .limit = 20, .window_s = 7, .burst = 5 } },
		{ "leaky bucket", { .type = COUNTER_TYPE_BUCKET, .limit = 20, .window_s = 7, .burst = 1 } },
	};
	struct counters *c = open_counters(64, true);

	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		struct counter_ask ask = rows[r].ask;
		size_t refused = 0;
		unsigned seed = 7;

		ask.key = str_of(rows[r].label);
		for (int i = 0; i < 3000; i++) {
			struct counter_answer got;
			int64_t step;

			seed = seed * 1103515245u + 12345u;
			step = (seed >> 16) % 200000;
			mono += step;
			wall += i % 500 == 499 ? ((seed >> 8) % 14000000) - 7000000 : step;  /* now and then somebody sets it */
			ask.amount = 1 + (rows[r].ask.burst == 1 ? 0 : (seed >> 20) % 3);
			got = counter_take(c, &ask);
			if (got.allowed)
				continue;
			refused++;
			CHECK(rows[r].label, got.retry_after_s >= 1 && (got.retry_after_us + 999999) / 1000000 == got.retry_after_s);
			if (i % 2) {
				mono += got.retry_after_us - 1;
				wall += got.retry_after_us - 1;
				CHECK(rows[r].label, !counter_take(c, &ask).allowed);
				mono++, wall++;
			} else {
				mono += (int64_t)got.retry_after_s * 1000000;
				wall += (int64_t)got.retry_after_s * 1000000;
			}
			CHECK(rows[r].label, counter_take(c, &ask).allowed);
		}
		CHECK(rows[r].label, refused > 100);
		if (check_failures)
			break;
	}
	counters_close(c);
	check_done();
}

/* n processes ask `tries` times each as fast as they can; how many passed. */
static uint64_t stampede(int processes, int tries, const struct counter_ask *ask)
{
	_Atomic uint64_t *passed = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	_Atomic int *go = (void *)(passed + 1);
	uint64_t all;

	for (int i = 0; i < processes; i++) {
		if (fork())
			continue;
		struct counters *c = open_counters(256, false);

		++*go;
		while (*go < processes)
			;
		for (int t = 0; t < tries; t++)
			*passed += counter_take(c, ask).allowed;
		counters_close(c);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	all = *passed;
	munmap((void *)passed, 4096);
	return all;
}

static void exact(void **state UNUSED)
{
	static const struct {
		const char *label;
		enum counter_type type;
		uint64_t limit;
		int processes;
	} rows[] = {
		{ "sliding, 100", COUNTER_TYPE_SLIDING, 100, 4 },   { "sliding, 20", COUNTER_TYPE_SLIDING, 20, 8 },
		{ "sliding, 5000", COUNTER_TYPE_SLIDING, 5000, 4 }, { "fixed, 777", COUNTER_TYPE_FIXED, 777, 4 },
		{ "bucket, 300", COUNTER_TYPE_BUCKET, 300, 4 },
	};

	for (int round = 0; round < 5; round++) {
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct counter_ask ask = { .type = rows[i].type, .limit = rows[i].limit, .amount = 1, .window_s = 300 };

			if (rows[i].type == COUNTER_TYPE_FIXED)
				ask.window_s = 0;
			if (rows[i].type == COUNTER_TYPE_BUCKET)
				ask.window_s = 86400;
			ask.key = (struct str){ (char *)&(int){ round * 100 + (int)i }, sizeof(int) };
			CHECK_INT(rows[i].label, stampede(rows[i].processes, 3000, &ask), rows[i].limit);
		}
	}
	check_done();
}

/* Processes are killed while they hammer a few counters, whose locks they hold much of the time. The counters must go on
 * working and never let more through than the limit. */
static void killed(void **state UNUSED)
{
	struct counter_ask ask = { .type = COUNTER_TYPE_SLIDING, .key = STR("hot"), .limit = 1u << 30, .amount = 1, .window_s = 300 };
	struct counter_ask quota = { .type = COUNTER_TYPE_FIXED, .key = STR("quota"), .limit = 100000, .amount = 1 };
	struct counters *c = open_counters(64, false);
	uint64_t before = 0;

	for (int round = 0; round < 60; round++) {
		pid_t pid = fork();
		struct counter_answer got;

		if (!pid) {
			struct counters *mine = open_counters(64, false);

			for (;;) {
				counter_take(mine, &ask);
				counter_take(mine, &quota);
				counter_enter(mine, STR("gauge"), 1000000);
			}
		}
		usleep(2000 + (useconds_t)(round * 37 % 1000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		got = counter_take(c, &ask);
		CHECK("counts on", got.allowed && got.used > before);
		before = got.used;
	}
	printf("# %llu locks taken over from the dead\n", (unsigned long long)counter_stats(c).recovered);
	CHECK("quota stands", counter_take(c, &quota).remaining < 100000);
	CHECK("the dead have left", counter_enter(c, STR("gauge"), 1));
	CHECK("one is inside", !counter_enter(c, STR("gauge"), 1));
	counters_close(c);
	check_done();
}

static void restart(void **state UNUSED)
{
	struct counter_ask ask = { .type = COUNTER_TYPE_FIXED, .key = STR("quota"), .limit = 10, .amount = 7 };
	struct counters *c = open_counters(64, false);

	assert_true(counter_take(c, &ask).allowed);
	counters_close(c);
	c = open_counters(64, false);
	CHECK_INT("remembered", counter_take(c, &ask).remaining, 3);
	counters_close(c);

	/* as after a reboot: another boot id in the file, and locks that nobody will ever give back */
	FILE *f = fopen(path, "r+b");
	fseek(f, 16, SEEK_SET);
	fwrite("another boot", 1, 12, f);
	fseek(f, 4096, SEEK_SET);
	for (int i = 0; i < 400; i++)
		fputc(0x41, f);
	fclose(f);
	c = open_counters(64, false);
	CHECK_INT("remembered over a reboot", counter_take(c, &ask).remaining, 3);
	ask.type = COUNTER_TYPE_SLIDING;
	ask.window_s = 10;
	CHECK_INT("locks are new", counter_take(c, &ask).remaining, 3);
	counters_close(c);
	c = open_counters(128, false);
	ask.type = COUNTER_TYPE_FIXED;
	ask.window_s = 0;
	CHECK_INT("another size begins anew", counter_take(c, &ask).remaining, 3);
	CHECK_INT("entries", counter_stats(c).entries, 128);
	counters_close(c);
	check_done();
}

static void overflow(void **state UNUSED)
{
	struct counters *c = open_counters(64, true);
	struct counter_stats seen;
	struct gh_err err;
	bool found;
	struct counter_ask ask = { .type = COUNTER_TYPE_SLIDING, .limit = 5, .amount = 1, .window_s = 60 };
	struct counter_ask kept = ask;

	kept.key = STR("in use");
	for (int i = 0; i < 5000; i++) {
		ask.key = (struct str){ (char *)&i, sizeof(i) };
		mono += 10;
		CHECK("lets through", counter_take(c, &ask).allowed);
		kept.amount = i < 5;
		mono += 10;
		CHECK_INT("what is in use is kept", counter_take(c, &kept).remaining, i < 5 ? 4 - i : 0);
	}
	CHECK("evictions are counted", counter_stats(c).evicted >= 5000 - 128 && counter_stats(c).evicted < 5001);
	CHECK("as who only looks sees", !counter_stats_of(path, &seen, &found, &err).code && found && seen.evicted == counter_stats(c).evicted);
	mono += 61000000;
	uint64_t before = counter_stats(c).evicted;

	ask.key = STR("late");
	counter_take(c, &ask);
	CHECK_INT("what counts nothing is not missed", counter_stats(c).evicted, before);
	counters_close(c);
	check_done();
}

/* Whatever else is counted, and over a restart: what was noted is there until its time is over, and nothing more fits in. */
static void notes(void **state UNUSED)
{
	struct counters *c = open_counters(64, true);
	struct counter_ask ask = { .type = COUNTER_TYPE_FIXED, .limit = 5, .amount = 1 };
	int64_t until = wall + 60000000, at = 0;
	char taken[5000] = { 0 };
	int n = 0;

	CHECK_INT("something new", counter_note(c, STR("a"), wall, until), COUNTER_NOTED);
	CHECK_INT("the same again", counter_note(c, STR("a"), wall - 5, until - 5), COUNTER_WAS_NOTED);
	CHECK("is found", counter_find_note(c, STR("a"), &at));
	CHECK_INT("with its time", at, wall);
	CHECK("another is not", !counter_find_note(c, STR("b"), &at));
	for (int i = 0; i < (int)sizeof(taken); i++) {
		taken[i] = counter_note(c, (struct str){ (char *)&i, sizeof(i) }, wall, until) == COUNTER_NOTED;
		n += taken[i];
	}
	CHECK("as many as there is room for", n >= 32 && n < 128);
	for (int i = 0; i < (int)sizeof(taken); i++) {
		mono += 10;
		ask.key = (struct str){ (char *)&i, sizeof(i) };
		CHECK("limits are counted beside them", counter_take(c, &ask).allowed);
	}
	counters_close(c);
	c = open_counters(64, true);
	for (int i = 0; i < (int)sizeof(taken); i++)
		CHECK_INT("none is forgotten", counter_find_note(c, (struct str){ (char *)&i, sizeof(i) }, &at), taken[i]);
	CHECK_INT("nor let in a second time", counter_note(c, STR("a"), wall, until), COUNTER_WAS_NOTED);
	wall = until;
	CHECK("its time is over", !counter_find_note(c, STR("a"), &at));
	for (int i = 0; i < 32; i++)
		CHECK_INT("and room is made", counter_note(c, (struct str){ (char *)&i, sizeof(i) }, wall, wall + 1), COUNTER_NOTED);
	CHECK("since when they are kept", counter_notes_since_us(c, false) > 0 && counter_notes_since_us(c, true) >= counter_notes_since_us(c, false));
	counters_close(c);
	check_done();
}

static void promised_room(void **state UNUSED)
{
	struct counters *c = open_counters(4096, true);
	struct counter_ask ask = { .type = COUNTER_TYPE_FIXED, .limit = 5, .amount = 1 };

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 4096; i++) {
			ask.key = (struct str){ (char *)&i, sizeof(i) };
			CHECK_INT("counts on", counter_take(c, &ask).remaining, 4 - round);
		}
	}
	CHECK("hardly any is forgotten within the promised number", counter_stats(c).evicted == 0);
	counters_close(c);
	check_done();
}

static void gauges(void **state UNUSED)
{
	struct counters *c = open_counters(1024, false), *other = open_counters(1024, false);
	bool has_left = false;
	int pipes[2];
	pid_t pid;
	char byte;

	CHECK("first", counter_enter(c, STR("g"), 2));
	CHECK("second, of another", counter_enter(other, STR("g"), 2));
	CHECK("full", !counter_enter(c, STR("g"), 2));
	CHECK("another key", counter_enter(c, STR("h"), 1));
	counter_leave(c, STR("g"));
	CHECK("room again", counter_enter(other, STR("g"), 2));
	counters_close(other);
	CHECK("who closes has left", counter_enter(c, STR("g"), 1));
	counter_leave(c, STR("g"));
	counter_leave(c, STR("g"));
	counter_leave(c, STR("never entered"));
	CHECK("leaving twice makes no room", counter_enter(c, STR("g"), 1) && !counter_enter(c, STR("g"), 1));
	counter_leave(c, STR("g"));
	assert_int_equal(pipe(pipes), 0);
	if (!(pid = fork())) {
		other = open_counters(1024, false);
		for (int i = 0; i < 3; i++)
			counter_enter(other, STR("g"), 3);
		byte = 'x';
		if (write(pipes[1], &byte, 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	CHECK("three are inside", !counter_enter(c, STR("g"), 3));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 3000 && !has_left; i++) {        /* the dead are looked for once a second */
		usleep(20000);
		has_left = counter_enter(c, STR("g"), 1);
	}
	CHECK("the dead have left", has_left);
	counters_close(c);
	close(pipes[0]);
	close(pipes[1]);
	check_done();
}

static void cost(void **state UNUSED)
{
	struct counters *c = open_counters(16384, false);
	struct counter_ask ask = { .type = COUNTER_TYPE_SLIDING, .key = STR("some/longer/key:0123456789"), .limit = 1000000,
				   .amount = 1, .window_s = 60 };
	int64_t start = clock_mono_us();

	for (int i = 0; i < 100000; i++)
		counter_take(c, &ask);
	printf("# take: %lld ns\n", (long long)(clock_mono_us() - start) / 100);
	counters_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sliding, begin, end),  cmocka_unit_test_setup_teardown(fixed, begin, end),
		cmocka_unit_test_setup_teardown(fixed_forever, begin, end), cmocka_unit_test_setup_teardown(bucket, begin, end),
		cmocka_unit_test_setup_teardown(retry_is_true, begin, end),
		cmocka_unit_test_setup_teardown(never_more, begin, end), cmocka_unit_test_setup_teardown(exact, begin, end),
		cmocka_unit_test_setup_teardown(killed, begin, end),   cmocka_unit_test_setup_teardown(restart, begin, end),
		cmocka_unit_test_setup_teardown(notes, begin, end), cmocka_unit_test_setup_teardown(overflow, begin, end),
		cmocka_unit_test_setup_teardown(gauges, begin, end),
		cmocka_unit_test_setup_teardown(promised_room, begin, end),
		cmocka_unit_test_setup_teardown(cost, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
