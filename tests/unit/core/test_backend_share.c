/* What machines tell each other of their backends: two files, and news carried between them as a server with versions does. */
#include "tests/unit/check.h"

#include "core/backend_share.h"

#include <stdlib.h>
#include <unistd.h>

enum { S = 1000000 };
static const int64_t T0 = 5000 * (int64_t)S, FAR = 90 * (int64_t)S;      /* the clocks of two machines have nothing to do with each other */
static char dir[64], paths[2][80];
static struct backend_states *m[2];
static struct breaker_rule rule;
static int64_t version;

static int setup(void **state UNUSED)
{
	struct gh_err err;

	strcpy(dir, "/tmp/test-share-XXXXXX");
	assert_non_null(mkdtemp(dir));
	version = 100;
	for (int i = 0; i < 2; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/%d", dir, i);
		assert_int_equal(backend_states_open(paths[i], true, &m[i], &err).code, GH_OK);
	}
	assert_int_equal(breaker_rule_parse(STR("{\"rules\":[{\"failureCondition\":{\"count\":1,\"interval\":\"PT16S\"},\"tripDuration\":\"PT10S\"}]}"),
					    &rule, &err).code, GH_OK);
	return 0;
}

static int teardown(void **state UNUSED)
{
	for (int i = 0; i < 2; i++) {
		backend_states_close(m[i]);
		unlink(paths[i]);
	}
	rmdir(dir);
	return 0;
}

static int64_t clock_of(int machine, int64_t at)
{
	return machine ? at + FAR : at;
}

static struct backend_slot *slot(int machine)
{
	return backend_slot(m[machine], backend_state_key(STR("erp")), clock_of(machine, T0));
}

/* All that one has to tell, heard by the other. Returns how much it was. */
static int carry(int from, int64_t now)
{
	struct backend_news n;
	size_t at = 0;
	int told = 0;

	while (backend_news_next(m[from], &at, clock_of(from, now), &n)) {
		backend_news_told(m[from], &n, ++version);
		backend_news_hear(m[!from], &n, version, clock_of(!from, now));
		told++;
	}
	return told;
}

static bool fails(int machine, int64_t now, bool probe)
{
	return breaker_tell(slot(machine), &rule, true, probe, 0, clock_of(machine, now));
}

static enum backend_gate gate(int machine, int64_t now)
{
	int64_t left;

	return breaker_state(slot(machine), &rule, clock_of(machine, now), &left);
}

static void breakers(void **state UNUSED)
{
	int64_t now = T0, left;

	CHECK("opens", fails(0, now, false));
	CHECK_INT("told once", carry(0, now + S), 1);
	CHECK_INT("not twice", carry(0, now + S), 0);
	CHECK_INT("open there too", gate(1, now + S), BACKEND_SHUT);
	(void)breaker_state(slot(1), &rule, clock_of(1, now + S), &left);
	CHECK_INT("for what is left of it", left, 9 * S);
	now += 10 * (int64_t)S;
	CHECK_INT("half-open here", gate(0, now), BACKEND_PROBE);
	CHECK_INT("and there", gate(1, now), BACKEND_PROBE);
	CHECK("one here probes", breaker_claim(slot(0), clock_of(0, now)));
	breaker_wait(slot(1), clock_of(1, now + S));
	CHECK_INT("nobody there does", gate(1, now), BACKEND_SHUT);
	CHECK_INT("until then", gate(1, now + S), BACKEND_PROBE);
	CHECK("it fails", fails(0, now, true));
	CHECK_INT("told", carry(0, now), 1);
	CHECK_INT("open again there", gate(1, now + 9 * (int64_t)S), BACKEND_SHUT);
	now += 10 * (int64_t)S;
	CHECK("one there probes", breaker_claim(slot(1), clock_of(1, now)));
	CHECK("well", !breaker_tell(slot(1), &rule, false, true, 0, clock_of(1, now)));
	CHECK_INT("told back", carry(1, now), 1);
	CHECK_INT("closed here", gate(0, now), BACKEND_PASS);
	check_done();
}

static void order(void **state UNUSED)
{
	struct backend_news n;
	size_t at = 0;

	CHECK("opens", fails(0, T0, false) && backend_news_next(m[0], &at, T0, &n));
	backend_news_hear(m[1], &n, 7, clock_of(1, T0));
	CHECK_INT("heard", gate(1, T0), BACKEND_SHUT);
	n.left_us = -1;
	backend_news_hear(m[1], &n, 7, clock_of(1, T0));
	backend_news_hear(m[1], &n, 6, clock_of(1, T0));
	CHECK_INT("what is as old or older says nothing", gate(1, T0), BACKEND_SHUT);
	backend_news_hear(m[1], &n, 8, clock_of(1, T0));
	CHECK_INT("what is newer does", gate(1, T0), BACKEND_PASS);
	CHECK("opens there", fails(1, T0, false));
	backend_news_hear(m[1], &n, 9, clock_of(1, T0));
	CHECK_INT("not while there is news of its own", gate(1, T0), BACKEND_SHUT);
	backend_news_again(m[0], n.key, BACKEND_PART_BREAKER);
	CHECK_INT("what could not be told is told later", carry(0, T0), 1);
	n.what ^= 1;
	backend_news_hear(m[0], &n, 1000, T0);
	CHECK_INT("of another rule", gate(0, T0), BACKEND_SHUT);
	n.what ^= 1;
	n.left_us = INT64_MAX;
	backend_news_hear(m[0], &n, 1002, T0);
	CHECK_INT("longer than anything lasts", gate(0, T0), BACKEND_SHUT);
	CHECK_INT("is not heard", gate(0, T0 + 60 * (int64_t)S), BACKEND_PROBE);
	n.part = BACKEND_PART__COUNT;
	n.left_us = S;
	backend_news_hear(m[0], &n, 1003, T0);
	check_done();
}

/* What others told before, and is heard while one's own news are on their way, holds no longer than until these are heard. */
static void crossing(void **state UNUSED)
{
	struct backend_news own, older;
	size_t at = 0;

	CHECK("opens", fails(0, T0, false) && backend_news_next(m[0], &at, T0, &own));
	older = own;
	older.left_us = -1;
	backend_news_hear(m[0], &older, 50, T0);
	backend_news_told(m[0], &own, 51);
	backend_news_hear(m[0], &own, 51, T0);
	CHECK_INT("the last word counts", gate(0, T0), BACKEND_SHUT);
	CHECK("opens there", fails(1, T0, false));
	CHECK_INT("told", carry(1, T0), 1);
	backend_news_hear(m[1], &older, version, clock_of(1, T0));
	CHECK_INT("one's own word is not heard when nothing came between", gate(1, T0), BACKEND_SHUT);
	check_done();
}

static void members_and_health(void **state UNUSED)
{
	CHECK("ejected", eject_tell(slot(0), true, false, S, 30 * S, T0));
	CHECK_INT("told", carry(0, T0), 1);
	CHECK_INT("out there", eject_state(slot(1), clock_of(1, T0)), BACKEND_SHUT);
	CHECK_INT("to be tried there", eject_state(slot(1), clock_of(1, T0 + S)), BACKEND_PROBE);
	CHECK("fails there", eject_tell(slot(1), true, true, S, 30 * S, clock_of(1, T0 + S)) && carry(1, T0 + S) == 1);
	CHECK_INT("for twice as long, here too", eject_state(slot(0), T0 + 3 * (int64_t)S - 1), BACKEND_SHUT);
	eject_tell(slot(0), false, true, S, 30 * S, T0 + 3 * (int64_t)S);
	CHECK_INT("told again", carry(0, T0 + 3 * (int64_t)S), 1);
	CHECK_INT("back", eject_state(slot(1), clock_of(1, T0 + 3 * (int64_t)S)), BACKEND_PASS);
	eject_tell(slot(0), false, false, S, 30 * S, T0);
	CHECK_INT("a good answer is no news", carry(0, T0), 0);

	health_tell(slot(0), BACKEND_DOWN, 503, T0 + 10 * (int64_t)S);
	CHECK_INT("told", carry(0, T0), 1);
	CHECK_INT("believed by who knows nothing", health_state(slot(1), clock_of(1, T0)), BACKEND_DOWN);
	CHECK_INT("for as long", health_state(slot(1), clock_of(1, T0 + 10 * (int64_t)S)), BACKEND_UNKNOWN);
	health_tell(slot(1), BACKEND_UP, 200, clock_of(1, T0 + 5 * (int64_t)S));
	CHECK_INT("its own checks say more", health_state(slot(1), clock_of(1, T0)), BACKEND_UP);
	check_done();
}

static void machines(void **state UNUSED)
{
	struct backend_states *other;
	struct gh_err err;

	assert_int_equal(backend_states_open(paths[0], true, &other, &err).code, GH_OK);
	CHECK("one listens", backend_listens(m[0], T0, S) && !backend_listens(other, T0, S) && backend_listens(m[0], T0 + S / 2, S));
	CHECK("another when it does no more", !backend_listens(other, T0 + S, S) && backend_listens(other, T0 + 2 * (int64_t)S, S)
					      && !backend_listens(m[0], T0 + 2 * (int64_t)S, S));
	CHECK("one number", backend_machine(m[0]) && backend_machine(m[0]) == backend_machine(other) && backend_machine(m[0]) != backend_machine(m[1]));
	backend_states_close(other);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(breakers, setup, teardown), cmocka_unit_test_setup_teardown(order, setup, teardown),
		cmocka_unit_test_setup_teardown(crossing, setup, teardown),
		cmocka_unit_test_setup_teardown(members_and_health, setup, teardown), cmocka_unit_test_setup_teardown(machines, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
