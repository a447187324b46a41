/* The choice among the members of a pool: weights, groups, who is left out and who is asked again. */
#include "tests/unit/check.h"

#include "fcgi/pool.h"

#include <stdlib.h>
#include <unistd.h>

enum { S = 1000000 };
static const int64_t T0 = 5000 * (int64_t)S;
static char dir[64], path[80];
static struct backend_states *states;
static struct breaker_rule rule;
static struct snap_backend nodes[4];
static struct backend_place places[4];

static void clean_slate(void)
{
	static const char *const ids[] = { "a", "b", "c", "d" };
	struct gh_err err;

	backend_states_close(states);
	unlink(path);
	assert_int_equal(backend_states_open(path, true, &states, &err).code, 0);
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		places[i] = (struct backend_place){ .key = backend_state_key(str_of(ids[i])) };
		nodes[i] = (struct snap_backend){ .id = str_of(ids[i]), .place = &places[i] };
	}
}

/* 5:3:2 in the first group, d behind them. */
static struct snap_backend pool_of(struct arena *a, enum pool_balance balance)
{
	static struct snap_pool_member m[4];
	static const int64_t weights[] = { 5, 3, 2, 1 };

	for (size_t i = 0; i < 4; i++)
		m[i] = (struct snap_pool_member){ &nodes[i], weights[i], i < 3 ? 1 : 2, nodes[i].id };
	return (struct snap_backend){ .members = m, .n_members = 4, .balance = balance, .live = pool_live_new(a, 4) };
}

static struct pool_ask ask_at(int64_t now)
{
	return (struct pool_ask){ .now_us = now, .may_probe = true };
}

/* With the file as it is now. */
static bool pick_now(const struct snap_backend *pool, const struct pool_ask *ask, struct pool_pick *out)
{
	struct pool_ask now = *ask;

	now.states = states;
	return pool_pick(pool, &now, out);
}

static char one(const struct snap_backend *pool, const struct pool_ask *ask)
{
	struct pool_pick pick;

	return pick_now(pool, ask, &pick) ? *pool->members[pick.member].backend->id.p : '-';
}

static void weights(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	struct snap_backend pool = pool_of(a, POOL_ROUND_ROBIN), empty = { .live = pool_live_new(a, 0) };
	struct pool_ask ask = ask_at(T0);
	unsigned n[256] = { 0 };
	char first[11] = "";

	clean_slate();
	for (int i = 0; i < 10000; i++) {
		char c = one(&pool, &ask);

		n[(unsigned char)c]++;
		if (i < 10)
			first[i] = c;
		if (i % 10 == 9)
			CHECK("each ten calls hold to the weights", n['a'] * 2 == n['a'] + n['b'] + n['c'] && n['b'] * 2 == n['c'] * 3);
	}
	CHECK_STR("nobody is asked in a row for long", str_of(first), STR("abcaabacba"));
	CHECK_INT("five", n['a'], 5000);
	CHECK_INT("three", n['b'], 3000);
	CHECK_INT("two", n['c'], 2000);
	CHECK_INT("an empty pool", one(&empty, &ask), '-');
	arena_free(a);
	check_done();
}

static void eject(size_t i)
{
	eject_tell(backend_place_slot(&nodes[i], states, T0), true, false, S, 30 * S, T0);
}

static void groups(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	struct snap_backend pool = pool_of(a, POOL_ROUND_ROBIN);
	struct pool_ask ask = ask_at(T0), later = ask_at(T0 + 2 * S);
	struct pool_pick pick;
	int64_t left;

	clean_slate();
	eject(0);
	for (int i = 0; i < 50; i++)
		CHECK("who is ejected is left out", one(&pool, &ask) != 'a');
	eject(1);
	eject(2);
	CHECK_INT("the next group takes over", one(&pool, &ask), 'd');
	eject(3);
	CHECK("a guess does not shut a pool", one(&pool, &ask) != '-' && one(&pool, &ask) != 'd');
	ask.tried = 1;
	CHECK_INT("but nobody is asked twice in vain", one(&pool, &ask), '-');
	later.may_probe = false;
	CHECK("who cannot be asked again does not find out", pick_now(&pool, &later, &pick) && !pick.eject_probe);
	later.may_probe = true;
	CHECK("one call does", pick_now(&pool, &later, &pick) && pick.eject_probe);
	for (int i = 0; i < 3; i++)
		one(&pool, &later);
	CHECK("one for each, then none", pick_now(&pool, &later, &pick) && !pick.eject_probe);

	clean_slate();
	health_tell(backend_place_slot(&nodes[0], states, T0), BACKEND_DOWN, 500, T0 + S);
	for (int i = 0; i < 50; i++)
		CHECK("who is unwell is left out", one(&pool, &ask) != 'a');
	ask.tried = 0;
	CHECK("while that is believed", (ask.now_us = T0 + S, one(&pool, &ask)) != '-');

	clean_slate();
	for (size_t i = 0; i < 4; i++) {
		nodes[i].breaker = &rule;
		breaker_tell(backend_place_slot(&nodes[i], states, T0), &rule, true, false, (int64_t)(10 - i) * S, T0);
	}
	ask = ask_at(T0);
	CHECK("open breakers hold", !pick_now(&pool, &ask, &pick));
	CHECK_INT("until the first of them", pick.left_us, 7 * S);
	ask.now_us = T0 + 8 * S;
	CHECK("which is half-open then", pick_now(&pool, &ask, &pick) && pick.breaker_probe && pick.member >= 2);
	CHECK("one probe a member", pick_now(&pool, &ask, &pick) && pick.breaker_probe && !pick_now(&pool, &ask, &pick));
	CHECK_INT("the others stay", breaker_state(backend_place_slot(&nodes[0], states, T0), &rule, ask.now_us, &left), BACKEND_SHUT);
	arena_free(a);
	check_done();
}

static void others(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	struct snap_backend least = pool_of(a, POOL_LEAST_OUTSTANDING), hash = pool_of(a, POOL_HASH);
	struct pool_ask ask = ask_at(T0);
	unsigned n[256] = { 0 }, moved = 0;
	static char before[20000];
	struct pool_pick pick;

	clean_slate();
	for (int i = 0; i < 100; i++) {
		CHECK("there is one", pick_now(&least, &ask, &pick));
		pool_enter(&least, pick.member);
		n[pick.member]++;
	}
	CHECK("under way by weight", n[0] == 50 && n[1] == 30 && n[2] == 20);
	for (int i = 0; i < 10; i++)
		pool_leave(&least, 2);
	for (int i = 0; i < 8; i++) {
		CHECK("who has least is next", pick_now(&least, &ask, &pick) && pick.member == 2);
		pool_enter(&least, pick.member);
	}
	memset(n, 0, sizeof(n));
	for (int i = 0; i < 20000; i++) {
		ask.hash = str_hash(arena_printf(a, "203.0.113.%d", i));
		before[i] = one(&hash, &ask);
		n[(unsigned char)before[i]]++;
		CHECK("a key stays", one(&hash, &ask) == before[i]);
	}
	CHECK("keys by weight, within two in a hundred", n['a'] > 9600 && n['a'] < 10400 && n['b'] > 5600 && n['b'] < 6400);
	eject(1);
	for (int i = 0; i < 20000; i++) {
		ask.hash = str_hash(arena_printf(a, "203.0.113.%d", i));
		moved += before[i] != 'b' && one(&hash, &ask) != before[i];
	}
	CHECK_INT("only the keys of the one that left move", moved, 0);
	ask.token = STR("c");
	for (int i = 0; i < 10; i++)
		CHECK("a session stays", one(&hash, &ask) == 'c' && one(&least, &ask) == 'c');
	eject(2);
	CHECK("while its member is there", one(&least, &ask) != 'c');
	arena_free(a);
	check_done();
}

static void budget(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	struct snap_backend pool = pool_of(a, POOL_ROUND_ROBIN);
	int n = 0;

	while (pool_budget_take(&pool))
		n++;
	CHECK_INT("a few at the start", n, 10);
	for (int i = 0; i < 50; i++)
		pool_budget_add(&pool, 20);
	for (n = 0; pool_budget_take(&pool); n++)
		;
	CHECK_INT("a fifth of the calls", n, 10);
	for (int i = 0; i < 100000; i++)
		pool_budget_add(&pool, 20);
	for (n = 0; pool_budget_take(&pool); n++)
		;
	CHECK_INT("not saved up without end", n, 100);
	arena_free(a);
	check_done();
}

/* More backends than there is room for: those beyond are asked like any other, and looked for now and then. */
static void no_room(void **state UNUSED)
{
	static const int64_t hours = 3 * BACKEND_GONE_US;
	struct backend_place *place = &places[3];
	struct backend_slot *first;
	char id[32];

	clean_slate();
	first = backend_place_slot(&nodes[0], states, T0);
	CHECK("its own", first && backend_place_slot(&nodes[0], states, T0) == first);
	for (int i = 0; i < 3 * BACKEND_STATES_MAX; i++) {
		snprintf(id, sizeof(id), "other %d", i);
		(void)backend_slot(states, backend_state_key(str_of(id)), T0);
	}
	CHECK("none", !backend_place_slot(&nodes[3], states, T0) && place->looked);
	place->slot = first;
	place->key = places[0].key;
	CHECK("not looked for again so soon", backend_place_slot(&nodes[3], states, T0 + S) == first);
	place->key = backend_state_key(STR("d"));
	CHECK("the others are gone", backend_place_slot(&nodes[3], states, T0 + hours) != NULL);
	for (int i = 0; i < 3 * BACKEND_STATES_MAX; i++) {
		snprintf(id, sizeof(id), "third %d", i);
		(void)backend_slot(states, backend_state_key(str_of(id)), T0 + hours);
	}
	CHECK("its place went to another", !backend_slot_is(first, places[0].key));
	CHECK("so it is looked for", backend_place_slot(&nodes[0], states, T0 + 2 * hours) != NULL && backend_slot_is(places[0].slot, places[0].key));
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(weights), cmocka_unit_test(groups), cmocka_unit_test(others),
					    cmocka_unit_test(budget), cmocka_unit_test(no_room) };
	struct gh_err err;
	int failed;

	snprintf(dir, sizeof(dir), "/tmp/gatehouse-pool-XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/backends", dir);
	assert_int_equal(breaker_rule_parse(STR("{\"rules\":[{\"failureCondition\":{\"count\":1,\"interval\":60},\"tripDuration\":60}]}"),
					    &rule, &err).code, 0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	backend_states_close(states);
	unlink(path);
	rmdir(dir);
	return failed;
}
