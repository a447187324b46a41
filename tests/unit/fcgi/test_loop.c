/* The loop's timers in order and lazy interest in descriptors. */
#include "tests/unit/check.h"

#include "fcgi/loop.h"

#include <stdlib.h>
#include <unistd.h>

static int64_t fired[64];
static size_t n_fired;

static void fire(struct timer *t)
{
	fired[n_fired++] = t->due_us;
}

static void timers(void **state UNUSED)
{
	enum { N = 50 };
	struct timer t[N] = { 0 };
	struct gh_err err;
	struct loop l;

	assert_int_equal(loop_init(&l, &err).code, GH_OK);
	n_fired = 0;
	for (int i = 0; i < N; i++) {
		t[i].fire = fire;
		assert_true(loop_timer_set(&l, &t[i], (i * 37) % N + 1));
	}
	for (int i = 0; i < N; i += 5)
		loop_timer_clear(&l, &t[i]);
	loop_timer_clear(&l, &t[0]);                     /* twice is harmless */
	assert_true(loop_timer_set(&l, &t[1], 1000));    /* moved behind all others */
	assert_true(loop_timer_set(&l, &t[2], INT64_MAX)); /* never in this test */
	loop_round(&l, 0);
	CHECK_INT("all that are due", n_fired, N - N / 5 - 1);
	for (size_t i = 1; i < n_fired; i++)
		CHECK("in order", fired[i - 1] <= fired[i]);
	CHECK_INT("the moved one last", fired[n_fired - 1], 1000);
	CHECK_INT("one is left", l.heap_n, 1);
	loop_release(&l);
	check_done();
}

static unsigned calls;
static uint32_t last_events;

static void ready(struct watch *w UNUSED, uint32_t events)
{
	calls++;
	last_events = events;
}

static void interest(void **state UNUSED)
{
	struct gh_err err;
	struct watch w;
	struct loop l;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(loop_init(&l, &err).code, GH_OK);
	loop_watch_init(&w, fds[0], ready);
	assert_true(loop_want(&l, &w, EPOLLIN));
	calls = 0;
	loop_round(&l, 0);
	CHECK_INT("nothing to read", calls, 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	loop_round(&l, 0);
	CHECK_INT("readable", calls, 1);
	CHECK_INT("readable", last_events, EPOLLIN);
	w.wanted = 0;
	CHECK_INT("still registered while nobody minds", w.registered, EPOLLIN);
	loop_round(&l, 0);
	CHECK_INT("an event that nobody wants is not handed out", calls, 1);
	CHECK_INT("and ends the interest", w.registered, 0);
	assert_true(loop_want(&l, &w, EPOLLIN));
	loop_round(&l, 0);
	CHECK_INT("wanted again", calls, 2);
	loop_forget(&l, &w, false);
	loop_round(&l, 0);
	CHECK_INT("forgotten", calls, 2);
	close(fds[0]);
	close(fds[1]);
	loop_release(&l);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(timers), cmocka_unit_test(interest) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
