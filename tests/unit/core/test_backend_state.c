/* Circuit breakers, ejection and health as all processes share them, and the documents that operators write for them. */
#include "tests/unit/check.h"

#include "core/backend_state.h"
#include "core/traffic_rule.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { S = 1000000 };
static const int64_t T0 = 5000 * (int64_t)S;
static char dir[64], path[80];

static struct backend_states *open_states(void)
{
	struct backend_states *s = NULL;
	struct gh_err err;

	CHECK("opens", !backend_states_open(path, true, &s, &err).code);
	return s;
}

#define RULE(condition, rest) "{\"rules\":[{\"failureCondition\":{" condition "},\"tripDuration\":\"PT10S\"" rest "}]}"
#define FIVE RULE("\"count\":5,\"interval\":\"PT16S\"", "")

static struct breaker_rule rule_of(const char *json)
{
	struct breaker_rule r;
	struct gh_err err;

	if (breaker_rule_parse(str_of(json), &r, &err).code)
		fail_msg("%s: %s", json, err.message);
	return r;
}

/* ---- documents ---- */

static void breaker_documents(void **state UNUSED)
{
	static const struct { const char *label, *json, *wrong; } rows[] = {
		{ "count", FIVE, NULL },
		{ "the reference's name around it", "{\"circuitBreaker\":" FIVE "}", NULL },
		{ "percentage", RULE("\"percentage\":50,\"minimumRequests\":4,\"interval\":60", ""), NULL },
		{ "ranges and reasons", RULE("\"count\":1,\"interval\":\"PT1H\",\"statusCodeRanges\":[{\"min\":429,\"max\":429}],"
					     "\"errorReasons\":[\"Server errors\",\"backend_dns\"]", ",\"acceptRetryAfter\":true,\"name\":\"r\""), NULL },
		{ "no JSON", "{", "line 1" },
		{ "nothing in it", "{}", "one rule" },
		{ "no rule", "{\"rules\":[]}", "one rule" },
		{ "unknown member", "{\"rules\":[],\"rule\":1}", "no member \"rule\"" },
		{ "unknown member of a rule", RULE("\"count\":1,\"interval\":1", ",\"trip\":1"), "no member \"trip\"" },
		{ "both", RULE("\"count\":1,\"percentage\":1,\"interval\":1", ""), "either" },
		{ "neither", RULE("\"interval\":1", ""), "either" },
		{ "count 0", RULE("\"count\":0,\"interval\":1", ""), "from 1 to 10000" },
		{ "count 10001", RULE("\"count\":10001,\"interval\":1", ""), "from 1 to 10000" },
		{ "percentage 101", RULE("\"percentage\":101,\"interval\":1", ""), "from 1 to 100" },
		{ "no interval", RULE("\"count\":1", ""), "\"interval\"" },
		{ "interval 0", RULE("\"count\":1,\"interval\":\"PT0S\"", ""), "\"interval\"" },
		{ "a day and a second", RULE("\"count\":1,\"interval\":\"P1DT1S\"", ""), "\"interval\"" },
		{ "units in the wrong order", RULE("\"count\":1,\"interval\":\"PT1S1M\"", ""), "\"interval\"" },
		{ "a range backwards", RULE("\"count\":1,\"interval\":1,\"statusCodeRanges\":[{\"min\":599,\"max\":500}]", ""), "within" },
		{ "a reason that is none", RULE("\"count\":1,\"interval\":1,\"errorReasons\":[\"Bad mood\"]", ""), "Bad mood" },
	};
	struct breaker_rule r;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gh_err err = { 0 };
		bool ok = !breaker_rule_parse(str_of(rows[i].json), &r, &err).code;

		CHECK(rows[i].label, ok == !rows[i].wrong);
		if (!ok && rows[i].wrong)
			CHECK(rows[i].label, strstr(err.message, rows[i].wrong) != NULL);
	}
	r = rule_of(RULE("\"count\":1,\"interval\":\"PT1M30S\"", ""));
	CHECK_INT("interval", r.interval_us, 90 * (int64_t)S);
	CHECK("500 counts", status_ranges_hold(&r.statuses, 500) && status_ranges_hold(&r.statuses, 599));
	CHECK("499 does not", !status_ranges_hold(&r.statuses, 499) && !status_ranges_hold(&r.statuses, 200));
	CHECK_INT("every failure", r.failures, (1u << BACKEND_FAILURE__COUNT) - 1);
	r = rule_of(RULE("\"count\":1,\"interval\":1,\"errorReasons\":[\"backend_dns\"]", ""));
	CHECK_INT("one failure", r.failures, 1u << BACKEND_FAILURE_DNS);
	check_done();
}

static void health_documents(void **state UNUSED)
{
	static const struct { const char *label, *json; bool ok; } rows[] = {
		{ "only a path", "{\"path\":\"/health?deep=1\"}", true },
		{ "everything", "{\"path\":\"/h\",\"interval\":\"PT5S\",\"timeout\":1,\"healthyThreshold\":1,\"unhealthyThreshold\":100,"
				"\"statusCodeRanges\":[{\"min\":204,\"max\":204}]}", true },
		{ "no path", "{}", false }, { "no slash", "{\"path\":\"h\"}", false }, { "a blank", "{\"path\":\"/a b\"}", false },
		{ "a line end", "{\"path\":\"/a\\r\\nX: y\"}", false }, { "unknown member", "{\"path\":\"/\",\"port\":1}", false },
		{ "threshold 0", "{\"path\":\"/\",\"healthyThreshold\":0}", false },
	};
	struct health_check h;
	struct gh_err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK(rows[i].label, !health_check_parse(str_of(rows[i].json), &h, &err).code == rows[i].ok);
	CHECK("defaults", !health_check_parse(STR("{\"path\":\"/\"}"), &h, &err).code);
	CHECK_INT("interval", h.interval_us, 10 * (int64_t)S);
	CHECK_INT("unhealthy", h.unhealthy, 3);
	CHECK("302 is well", status_ranges_hold(&h.statuses, 302));
	check_done();
}

/* ---- breaker ---- */

static void opens_and_closes(void **state UNUSED)
{
	struct backend_states *s = open_states();
	struct backend_slot *x = backend_slot(s, backend_state_key(STR("a")), T0);
	struct breaker_rule r = rule_of(FIVE), other = rule_of(RULE("\"count\":4,\"interval\":\"PT16S\"", ""));
	struct backend_view v;
	int64_t left, now = T0;

	for (int i = 0; i < 4; i++)
		CHECK("four failures are not enough", !breaker_tell(x, &r, true, false, 0, now));
	CHECK_INT("still closed", breaker_state(x, &r, now, &left), BACKEND_PASS);
	CHECK("a failure long ago does not count", !breaker_tell(x, &r, true, false, 0, now + 16 * (int64_t)S));
	for (int i = 0; i < 3; i++)
		CHECK("nor do good answers", !breaker_tell(x, &r, i != 1, false, 0, now + 17 * (int64_t)S));
	now += 18 * (int64_t)S;
	CHECK("the fourth within the interval", !breaker_tell(x, &r, true, false, 0, now));
	CHECK("the fifth opens it", breaker_tell(x, &r, true, false, 0, now));
	CHECK("once", !breaker_tell(x, &r, true, false, 0, now));
	CHECK_INT("open", breaker_state(x, &r, now, &left), BACKEND_SHUT);
	CHECK_INT("for as long as the rule says", left, 10 * (int64_t)S);
	CHECK("nobody probes", !breaker_claim(x, now));
	now += 10 * (int64_t)S;
	CHECK_INT("half-open", breaker_state(x, &r, now, &left), BACKEND_PROBE);
	CHECK("one probe", breaker_claim(x, now));
	CHECK("not two", !breaker_claim(x, now));
	CHECK_INT("others wait", breaker_state(x, &r, now, &left), BACKEND_SHUT);
	backend_look(x, &r, now, &v);
	CHECK_INT("seen as half-open", v.breaker, BACKEND_PROBE);
	breaker_release(x);
	CHECK("given back", breaker_claim(x, now));
	CHECK("the probe fails", breaker_tell(x, &r, true, true, 3 * S, now));
	CHECK_INT("open again", breaker_state(x, &r, now, &left), BACKEND_SHUT);
	CHECK_INT("as long as Retry-After said", left, 3 * S);
	now += 3 * S;
	CHECK("another probe", breaker_claim(x, now));
	CHECK("which is free when its process died", !breaker_claim(x, now + BACKEND_PROBE_US - 1) && breaker_claim(x, now + BACKEND_PROBE_US));
	CHECK("the probe succeeds", !breaker_tell(x, &r, false, true, 0, now));
	CHECK_INT("closed", breaker_state(x, &r, now, &left), BACKEND_PASS);
	CHECK("with a clean slate", !breaker_tell(x, &r, true, false, 0, now));
	backend_look(x, &r, now, &v);
	CHECK_INT("trips are counted", v.trips, 2);
	for (int i = 0; i < 4; i++)
		breaker_tell(x, &r, true, false, 0, now);
	CHECK_INT("open once more", breaker_state(x, &r, now, &left), BACKEND_SHUT);
	CHECK_INT("another rule begins anew", breaker_state(x, &other, now, &left), BACKEND_PASS);
	CHECK_INT("without a file nothing is known", breaker_state(NULL, &r, now, &left), BACKEND_PASS);
	backend_states_close(s);
	check_done();
}

static void percentages(void **state UNUSED)
{
	struct backend_states *s = open_states();
	struct backend_slot *x = backend_slot(s, backend_state_key(STR("percent")), T0);
	struct breaker_rule r = rule_of(RULE("\"percentage\":50,\"minimumRequests\":8,\"interval\":\"PT60S\"", ""));

	for (int i = 0; i < 4; i++)
		breaker_tell(x, &r, false, false, 0, T0);
	for (int i = 0; i < 3; i++)
		CHECK("too few, or too small a share", !breaker_tell(x, &r, true, false, 0, T0));
	CHECK("half of eight", breaker_tell(x, &r, true, false, 0, T0));
	backend_states_close(s);
	check_done();
}

enum { PROCESSES = 4, EACH = 5000 };

/* Each process tells failures; how many of them are told that they opened it? Then all want the probe. */
static void over_processes(void **state UNUSED)
{
	struct breaker_rule r = rule_of(RULE("\"count\":10000,\"interval\":\"P1D\"", ""));
	int opened = 0, probes = 0, pipes[2];
	char answer;

	assert_int_equal(pipe(pipes), 0);
	for (int p = 0; p < PROCESSES; p++) {
		if (fork())
			continue;
		struct backend_states *s = open_states();
		struct backend_slot *x = backend_slot(s, backend_state_key(STR("shared")), T0);

		for (int i = 0; i < EACH; i++)
			if (breaker_tell(x, &r, true, false, 0, T0) && write(pipes[1], "o", 1) != 1)
				_exit(1);
		for (int64_t left; breaker_state(x, &r, T0, &left) == BACKEND_PASS;)
			;
		for (int i = 0; i < 1000; i++)
			if (breaker_claim(x, T0 + 60 * (int64_t)S) && write(pipes[1], "p", 1) != 1)
				_exit(1);
		_exit(0);
	}
	close(pipes[1]);
	while (read(pipes[0], &answer, 1) == 1)
		*(answer == 'o' ? &opened : &probes) += 1;
	while (wait(NULL) > 0)
		;
	CHECK_INT("one failure opens it", opened, 1);
	CHECK_INT("one process probes", probes, 1);
	check_done();
}

/* ---- ejection, health, table ---- */

static void ejection(void **state UNUSED)
{
	struct backend_states *s = open_states();
	struct backend_slot *x = backend_slot(s, backend_state_key(STR("eject")), T0);
	int64_t now = T0;

	CHECK("ejected", eject_tell(x, true, false, S, 3 * S, now));
	CHECK("failures at the same time are one", !eject_tell(x, true, false, S, 3 * S, now));
	CHECK_INT("out", eject_state(x, now + S - 1), BACKEND_SHUT);
	now += S;
	CHECK_INT("one may try", eject_state(x, now), BACKEND_PROBE);
	CHECK("claimed once", eject_claim(x, now) && !eject_claim(x, now));
	CHECK("fails again", eject_tell(x, true, true, S, 3 * S, now));
	CHECK_INT("twice as long", eject_state(x, now + 2 * S - 1), BACKEND_SHUT);
	now += 2 * S;
	CHECK("again", eject_claim(x, now) && eject_tell(x, true, true, S, 3 * S, now));
	CHECK_INT("not longer than the most", eject_state(x, now + 3 * S), BACKEND_PROBE);
	CHECK("an answer ends it", !eject_tell(x, false, false, S, 3 * S, now));
	CHECK_INT("back", eject_state(x, now), BACKEND_PASS);
	CHECK("and it begins with the first pause", eject_tell(x, true, false, S, 3 * S, now));
	CHECK_INT("again", eject_state(x, now + S), BACKEND_PROBE);
	backend_states_close(s);
	check_done();
}

static void health(void **state UNUSED)
{
	struct backend_states *s = open_states();
	struct backend_slot *x = backend_slot(s, backend_state_key(STR("health")), T0);

	CHECK_INT("not known", health_state(x, T0), BACKEND_UNKNOWN);
	health_tell(x, BACKEND_DOWN, 503, T0 + S);
	CHECK_INT("down", health_state(x, T0), BACKEND_DOWN);
	CHECK_INT("not believed for ever", health_state(x, T0 + S), BACKEND_UNKNOWN);
	backend_states_close(s);
	check_done();
}

static void table(void **state UNUSED)
{
	struct backend_states *s = open_states(), *again;
	char id[32];
	size_t found = 0;

	for (int i = 0; i < 3 * BACKEND_STATES_MAX; i++) {
		snprintf(id, sizeof(id), "backend %d", i);
		found += backend_slot(s, backend_state_key(str_of(id)), T0) != NULL;
		if (i == BACKEND_STATES_MAX * 3 / 4)
			CHECK_INT("three quarters find one at once", (long long)found, i + 1);
	}
	CHECK("as many as there is room for", found <= BACKEND_STATES_MAX && found >= BACKEND_STATES_MAX - 10);
	CHECK("a slot stays the same one", backend_slot(s, backend_state_key(STR("a")), T0) == backend_slot(s, backend_state_key(STR("a")), T0));
	CHECK("whoever only looks makes none", !backend_slot_find(s, backend_state_key(STR("new"))));
	again = open_states();
	CHECK_INT("seen by all", health_state(backend_slot(again, backend_state_key(STR("health")), T0), T0), BACKEND_DOWN);
	backend_states_close(again);
	backend_states_close(s);
	CHECK("another size is begun anew", truncate(path, 100) == 0);
	s = open_states();
	CHECK_INT("forgotten", health_state(backend_slot(s, backend_state_key(STR("health")), T0), T0), BACKEND_UNKNOWN);
	backend_states_close(s);
	check_done();
}

/* A backend that nobody has used for long makes room; what was known of it is not known of the next. */
static void places_of_the_gone(void **state UNUSED)
{
	static const int64_t later = T0 + BACKEND_GONE_US + 60 * (int64_t)S;
	struct backend_states *s = open_states();
	uint64_t kept = backend_state_key(STR("kept")), shut = backend_state_key(STR("shut"));
	struct breaker_rule rule = rule_of(RULE("\"count\":1,\"interval\":60", ""));
	struct backend_slot *a, *b, *mine;
	size_t found = 0, new = 0;
	char id[32];

	a = backend_slot(s, kept, T0);
	b = backend_slot(s, shut, T0);
	CHECK("open for two hours", breaker_tell(b, &rule, true, false, 7200 * (int64_t)S, T0));
	for (int i = 0; i < 3 * BACKEND_STATES_MAX; i++) {
		snprintf(id, sizeof(id), "old %d", i);
		mine = backend_slot(s, backend_state_key(str_of(id)), T0);
		found += mine != NULL;
		health_tell(mine, BACKEND_DOWN, 500, INT64_MAX);
	}
	CHECK("full", found > BACKEND_STATES_MAX / 2);
	CHECK("no room", !backend_slot(s, backend_state_key(STR("one more")), T0 + BACKEND_GONE_US / 2));
	(void)backend_slot(s, kept, later - S);
	for (int i = 0; i < 3 * BACKEND_STATES_MAX; i++) {
		snprintf(id, sizeof(id), "new %d", i);
		mine = backend_slot(s, backend_state_key(str_of(id)), later);
		new += mine != NULL;
		CHECK("nothing is known of it", health_state(mine, later) == BACKEND_UNKNOWN);
	}
	CHECK("as many as before", new >= found);
	CHECK("one that is in use stays", backend_slot_is(a, kept) && backend_slot_find(s, kept) == a);
	CHECK("one that is open stays", backend_slot_is(b, shut) && backend_slot_find(s, shut) == b);
	backend_states_close(s);
	unlink(path);                        /* full: the others begin with an empty one */
	check_done();
}

/* ---- canaries ---- */

#define CANARY(more) "{\"backend\":\"b\",\"rollBack\":{\"errorPercent\":10,\"minimumCalls\":10,\"windowSeconds\":16" more "}}"

/* Which canary goes back: calls and errors of both sides, the last call an error of the canary. */
static void canaries(void **state UNUSED)
{
	static const struct {
		const char *label, *json;
		int calls, errors, others, other_errors;
		int64_t later;           /* between all others and the last error of the canary */
		bool back;
	} rows[] = {
		{ "one error too few calls", CANARY(""), 9, 9, 0, 0, 0, false },
		{ "exactly the limit", CANARY(""), 10, 1, 0, 0, 0, false },
		{ "one more", CANARY(""), 10, 2, 0, 0, 0, true },
		{ "nobody watches", "{\"backend\":\"b\"}", 50, 50, 0, 0, 0, false },
		{ "what was before the window", CANARY(""), 10, 2, 0, 0, 17 * (int64_t)S, false },
		{ "against too few others", CANARY(",\"against\":\"stable\""), 20, 20, 9, 0, 0, false },
		{ "against others that are as bad", CANARY(",\"against\":\"stable\""), 20, 10, 20, 10, 0, false },
		{ "exactly so many points worse", CANARY(",\"against\":\"stable\""), 20, 6, 20, 4, 0, false },
		{ "worse than that", CANARY(",\"against\":\"stable\""), 20, 7, 20, 4, 0, true },
	};
	struct backend_states *s = open_states();
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str api = arena_printf(a, "api-%zu", i);
		struct backend_slot *canary = backend_slot(s, canary_key(api, true), T0), *stable = backend_slot(s, canary_key(api, false), T0);
		struct canary_rule rule, again;
		struct canary_view v;
		bool told = false;

		CHECK(rows[i].label, canary_rule_read(a, str_of(rows[i].json), 1, &rule) && canary_rule_read(a, str_of(rows[i].json), 2, &again));
		for (int n = 0; n < rows[i].others; n++)
			(void)!canary_tell(canary, stable, &rule, false, n < rows[i].other_errors, T0);
		for (int n = 1; n < rows[i].calls; n++)
			told |= canary_tell(canary, stable, &rule, true, n < rows[i].errors, T0);
		told |= canary_tell(canary, stable, &rule, true, true, T0 + rows[i].later);
		CHECK_INT(rows[i].label, told, rows[i].back);
		CHECK_INT(rows[i].label, canary_is_back(canary, &rule), rows[i].back);
		CHECK("told once", !canary_tell(canary, stable, &rule, true, true, T0 + rows[i].later) || !rows[i].back);
		CHECK("begun anew it gets calls", !canary_is_back(canary, &again));
		canary_look(canary, stable, &rule, T0 + rows[i].later, &v);
		CHECK_INT("the others", (long long)v.calls[0], rows[i].later ? 0 : rows[i].others);
	}
	CHECK("no room, nothing known", !canary_tell(NULL, NULL, &(struct canary_rule){ .watch = { .interval_us = S } }, true, true, T0));
	arena_free(a);
	backend_states_close(s);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(breaker_documents), cmocka_unit_test(health_documents), cmocka_unit_test(opens_and_closes),
		cmocka_unit_test(percentages), cmocka_unit_test(over_processes), cmocka_unit_test(ejection), cmocka_unit_test(health),
		cmocka_unit_test(table), cmocka_unit_test(places_of_the_gone), cmocka_unit_test(canaries),
	};
	int failed;

	snprintf(dir, sizeof(dir), "/tmp/gatehouse-backends-XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/backends", dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(dir);
	return failed;
}
