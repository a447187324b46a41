/* Which quotas are used up how far: noted from a share on, read by names, masked, bounded, free again after their window. */
#include "tests/unit/check.h"

#include "core/file.h"
#include "core/quota_watch.h"
#include "core/str.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 4, KEYS = 50 };
static const int64_t NOW = INT64_C(1700000000000000), SECOND = 1000000;

static char path[64];
static struct arena *a;

static int begin(void **state UNUSED)
{
	snprintf(path, sizeof(path), "/tmp/test-quotas-%d", (int)getpid());
	unlink(path);
	a = arena_new(1 << 26);
	return 0;
}

static int end(void **state UNUSED)
{
	unlink(path);
	arena_free(a);
	return 0;
}

static struct quota_watch *open_watch(void)
{
	struct quota_watch *w = NULL;

	CHECK("opens", !quota_watch_open(path, &w, NULL).code && w);
	return w;
}

static struct quota_name by_key(const char *key)
{
	return (struct quota_name){ .policy = STR("quota-by-key"), .scope = STR("api"), .api = STR("orders"), .key = str_of(key) };
}

static void note(struct quota_watch *w, const char *key, uint64_t used, uint32_t reset_s)
{
	const struct quota_use use = { .used = used, .limit = 100, .window_s = 300, .reset_s = reset_s };
	const struct quota_name name = by_key(key);

	quota_watch_note(w, &name, &use, NOW);
}

static size_t count(struct quota_watch *w, int64_t at_us, struct quota_entry **v)
{
	struct quota_entry *ignored;
	size_t n = 0;

	CHECK("reads", !quota_watch_read(w, a, at_us, v ? v : &ignored, &n, NULL).code);
	return n;
}

static void shares(void **state UNUSED)
{
	struct quota_watch *w = open_watch(), *other = open_watch();
	struct quota_entry *v;

	CHECK("nothing is wanted", !quota_watch_on(w) && !quota_watch_on(NULL));
	note(w, "203.0.113.9", 99, 60);
	CHECK_INT("so nothing is noted", count(w, NOW, NULL), 0);
	quota_watch_want(w, 800);
	CHECK("the others see it", quota_watch_on(other));
	note(other, "203.0.113.9", 79, 60);
	CHECK_INT("below the share", count(w, NOW, NULL), 0);
	note(other, "203.0.113.9", 80, 60);
	CHECK_INT("at the share", count(w, NOW, &v), 1);
	CHECK_INT("used", v->used, 80);
	CHECK_INT("of", v->limit, 100);
	CHECK_INT("until", v->end_us, NOW + 60 * SECOND);
	CHECK_STR("policy", v->name.policy, STR("quota-by-key"));
	CHECK_STR("scope", v->name.scope, STR("api"));
	CHECK_STR("api", v->name.api, STR("orders"));
	CHECK("the key is masked", str_starts(v->name.key, STR("203…#")) && v->name.key.n == 3 + 3 + 1 + 8);
	note(w, "203.0.113.9", 90, 60);
	note(w, "203.0.113.8", 85, 60);
	CHECK_INT("each key by itself", count(w, NOW, &v), 2);
	note(w, "203.0.113.9", 10, 30);
	note(w, "203.0.113.8", 11, 30);
	CHECK_INT("a new window is told too", count(w, NOW, &v), 2);
	CHECK("it has used little", v[0].used < 12 && v[1].used < 12);
	CHECK_INT("over", count(w, NOW + 31 * SECOND, NULL), 0);
	quota_watch_close(w);
	quota_watch_close(other);
	check_done();
}

static void masks(void **state UNUSED)
{
	static const struct { const char *label, *key, *shown; } rows[] = {
		{ "four characters of a long one", "abcdefghijklmnop", "abcd…#" },
		{ "a third of a short one", "secret", "se…#" },
		{ "nothing of two", "xy", "…#" },          /* no hexadecimal digits: the mark behind it is random */
		{ "no half of a character", "a\xc3\xa9zzzzzzzzzz", "a…#" },
		{ "none", "", "" },
	};
	struct quota_entry *v;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct quota_watch *w;

		unlink(path);
		w = open_watch();
		quota_watch_want(w, 1);
		note(w, rows[i].key, 50, UINT32_MAX);
		CHECK_INT(rows[i].label, count(w, NOW, &v), 1);
		CHECK(rows[i].label, str_starts(v->name.key, str_of(rows[i].shown)));
		CHECK(rows[i].label, !rows[i].key[0] || str_find(v->name.key, str_of(rows[i].key)) == SIZE_MAX);
		CHECK_INT("lasts for ever", v->end_us, INT64_MAX);
		quota_watch_close(w);
	}
	check_done();
}

static void bounded(void **state UNUSED)
{
	struct quota_watch *w = open_watch();
	char key[32];

	quota_watch_want(w, 500);
	for (int i = 0; i < 2 * QUOTA_WATCH_ENTRIES; i++) {
		snprintf(key, sizeof(key), "consumer %d", i);
		note(w, key, 60, 10);
	}
	CHECK("all places are taken, or nearly", count(w, NOW, NULL) > QUOTA_WATCH_ENTRIES * 9 / 10);
	CHECK_INT("the rest is counted", count(w, NOW, NULL) + quota_watch_overflow(w), 2 * QUOTA_WATCH_ENTRIES);
	CHECK_INT("the window is over", count(w, NOW + 11 * SECOND, NULL), 0);
	CHECK_INT("and some time later", count(w, NOW + 80 * SECOND, NULL), 0);
	note(w, "somebody new", 60, 100);
	CHECK_INT("there is room again", count(w, NOW, NULL), 1);
	quota_watch_close(w);
	check_done();
}

static void processes(void **state UNUSED)
{
	struct quota_watch *w = open_watch();
	struct quota_entry *v;
	size_t n;

	quota_watch_want(w, 100);
	for (unsigned p = 0; p < PROCESSES; p++)
		if (fork() == 0) {
			struct quota_watch *mine = NULL;
			char key[32];

			if (quota_watch_open(path, &mine, NULL).code)
				_exit(1);
			for (uint64_t used = 10; used <= 90; used++)
				for (int k = 0; k < KEYS; k++) {
					snprintf(key, sizeof(key), "consumer %d", k);
					note(mine, key, used, 60);
				}
			_exit(0);
		}
	for (unsigned p = 0, status; p < PROCESSES; p++)
		CHECK("ends well", wait((int *)&status) > 0 && !status);
	n = count(w, NOW, &v);
	CHECK("every key is there; one may be twice", n >= KEYS && n <= KEYS * PROCESSES);
	for (size_t i = 0; i < n; i++)
		CHECK("no entry is half of two", v[i].limit == 100 && v[i].used >= 10 && v[i].used <= 90 && str_eq(v[i].name.api, STR("orders")));
	quota_watch_close(w);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(shares, begin, end),
		cmocka_unit_test_setup_teardown(masks, begin, end),
		cmocka_unit_test_setup_teardown(bounded, begin, end),
		cmocka_unit_test_setup_teardown(processes, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
