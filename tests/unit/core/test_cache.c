/* The shared cache: expiry, limit, name spaces, and what happens when a writer is killed. */
#include "tests/unit/check.h"

#include "core/cache.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];
static struct cache *cache;
static struct arena *arena;

static int set_up(void **state UNUSED)
{
	struct gh_err err = { 0 };

	snprintf(dir, sizeof(dir), "/tmp/gatehouse-cache-XXXXXX");
	arena = arena_new(64 << 20);
	return mkdtemp(dir) && arena && !cache_open(&cache, dir, 1 << 20, &err).code ? 0 : -1;
}

static int tear_down(void **state UNUSED)
{
	char path[96];

	cache_close(cache);
	arena_free(arena);
	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/lock.mdb", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/boot", dir);
	unlink(path);
	return rmdir(dir);
}

static struct str get(char space, struct str key, int64_t now)
{
	struct gh_err err = { 0 };
	struct str v;

	if (cache_get(cache, space, key, now, arena, &v, &err).code)
		fail_msg("%s", err.message);
	return v;
}

static void put(char space, struct str key, struct str value, int64_t now, int64_t expires)
{
	struct gh_err err = { 0 };

	if (cache_put(cache, space, key, value, now, expires, &err).code)
		fail_msg("%s", err.message);
}

static void values(void **state UNUSED)
{
	struct gh_err err;
	bool was_there;
	char *long_key = calloc(1, 5000);

	put('a', STR("k"), STR("one"), 10, 100);
	put('b', STR("k"), STR(""), 10, 100);
	CHECK_STR("found", get('a', STR("k"), 99), STR("one"));
	CHECK("an empty value is there", get('b', STR("k"), 99).p != NULL);
	CHECK("expired at its time", get('a', STR("k"), 100).p == NULL);
	CHECK("other name space", get('c', STR("k"), 50).p == NULL);
	put('a', STR("k"), STR("two"), 10, 200);
	CHECK_STR("replaced, with the new expiry", get('a', STR("k"), 150), STR("two"));
	put('a', (struct str){ long_key, 5000 }, STR("long"), 10, 100);
	CHECK_STR("a key of 5,000 bytes", get('a', (struct str){ long_key, 5000 }, 50), STR("long"));
	assert_int_equal(cache_remove(cache, 'a', STR("k"), &was_there, &err).code, GH_OK);
	CHECK("removed", was_there && get('a', STR("k"), 50).p == NULL);
	assert_int_equal(cache_remove(cache, 'a', STR("k"), &was_there, &err).code, GH_OK);
	CHECK("nothing left to remove", !was_there);
	free(long_key);
	check_done();
}

static void limit(void **state UNUSED)
{
	static char big[20000];
	struct cache_stats stats;
	struct gh_err err = { 0 };

	assert_int_equal(cache_put(cache, 'a', STR("k"), (struct str){ big, 1 << 19 }, 1, 2, NULL).code, GH_E_LIMIT);
	for (int i = 0; i < 500; i++)        /* ten times the limit */
		put('a', arena_printf(arena, "%d", i), (struct str){ big, sizeof(big) }, 10, 1000 + i);
	assert_int_equal(cache_stats(cache, &stats, &err).code, GH_OK);
	CHECK("what does not fit has gone", stats.evicted > 400 && stats.entries > 5 && stats.entries < 60);
	CHECK("the newest is there", get('a', STR("499"), 20).n == sizeof(big));
	CHECK("the first to expire went first", get('a', STR("0"), 20).p == NULL);
	check_done();
}

/* What has expired goes while other things come, without anybody who sweeps. */
static void expired(void **state UNUSED)
{
	struct cache_stats stats;
	struct gh_err err = { 0 };

	for (int i = 0; i < 100; i++)
		put('a', arena_printf(arena, "short %d", i), STR("x"), 10, 100);
	put('a', STR("long"), STR("x"), 10, 1000);
	for (int i = 0; i < 40; i++)
		put('a', arena_printf(arena, "while they live %d", i), STR("x"), 99, 1000);
	assert_int_equal(cache_stats(cache, &stats, &err).code, GH_OK);
	CHECK_INT("nothing goes before its time", stats.entries, 141);
	for (int i = 0; i < 50; i++)
		put('a', STR("the same again"), STR("x"), 100, 1000);
	assert_int_equal(cache_stats(cache, &stats, &err).code, GH_OK);
	CHECK_INT("all that expired has gone", stats.entries, 42);
	CHECK("and nothing else", get('a', STR("long"), 500).p && get('a', STR("while they live 39"), 500).p);
	check_done();
}

/* Each leaves the mark of a reader. There is room for 512. */
static void killed_readers(void **state UNUSED)
{
	put('a', STR("k"), STR("one"), 10, 100);
	for (int i = 0; i < 520; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			struct cache *own;
			struct str v;

			_exit(cache_open(&own, dir, 1 << 20, NULL).code || cache_get(own, 'a', STR("k"), 20, arena, &v, NULL).code || !v.p);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

/* A writer is killed at a random moment, many times: the others go on reading and writing. */
static void killed_writer(void **state UNUSED)
{
	static char value[3000];

	for (int round = 0; round < 20; round++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct cache *own;

			if (cache_open(&own, dir, 1 << 20, NULL).code)
				_exit(1);
			for (unsigned i = 0;; i++) {
				char key[16];
				int n = snprintf(key, sizeof(key), "%u", i % 200);

				if (cache_put(own, 'k', (struct str){ key, (size_t)n }, (struct str){ value, sizeof(value) }, 1, 1000,
					      NULL)
					    .code)
					_exit(1);
			}
		}
		usleep(2000 + (useconds_t)rand() % 3000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		put('m', STR("mine"), arena_printf(arena, "%d", round), 1, 1000);
		CHECK_STR("still works", get('m', STR("mine"), 2), arena_printf(arena, "%d", round));
	}
	check_done();
}

/* Another process changes what was just read here. */
static void by_another(void **state UNUSED)
{
	for (int round = 0; round < 3; round++) {
		int status;

		put('a', STR("k"), STR("mine"), 1, 1000);
		CHECK_STR("looked at once", get('a', STR("k"), 2), STR("mine"));
		CHECK_STR("and again", get('a', STR("k"), 2), STR("mine"));
		if (fork() == 0) {
			struct cache *own;
			bool was_there;
			bool ok = !cache_open(&own, dir, 1 << 20, NULL).code;

			ok = ok && (round ? !cache_put(own, 'a', STR("k"), STR("another's"), 1, 1000, NULL).code
					  : !cache_remove(own, 'a', STR("k"), &was_there, NULL).code);
			for (int i = 0; ok && i < 50; i++)     /* what held it is used for other things */
				ok = !cache_put(own, 'b', arena_printf(arena, "%d", i), STR("x"), 1, 1000, NULL).code;
			_exit(!ok);
		}
		CHECK("the other process", wait(&status) > 0 && status == 0);
		CHECK_STR("seen here", get('a', STR("k"), 2), round ? STR("another's") : STR_NULL);
	}
	check_done();
}

/* What is seen while it is held is of one moment, whatever others write. */
static void held(void **state UNUSED)
{
	int status;

	put('a', STR("one"), STR("before"), 1, 1000);
	put('a', STR("two"), STR("before"), 1, 1000);
	cache_hold(cache);
	CHECK_STR("the first", get('a', STR("one"), 2), STR("before"));
	if (fork() == 0) {
		struct cache *own;

		_exit(cache_open(&own, dir, 1 << 20, NULL).code || cache_put(own, 'a', STR("two"), STR("after"), 1, 1000, NULL).code);
	}
	CHECK("the other process", wait(&status) > 0 && status == 0);
	CHECK_STR("of the same moment", get('a', STR("two"), 2), STR("before"));
	cache_let_go(cache);
	CHECK_STR("now", get('a', STR("two"), 2), STR("after"));
	put('a', STR("one"), STR("mine"), 1, 1000);
	CHECK_STR("and what is written here", get('a', STR("one"), 2), STR("mine"));
	check_done();
}

static bool count_up(void *arg, struct str old, struct str *value, int64_t *expires_us)
{
	char *text = arg;
	long n = old.p ? strtol(old.p, NULL, 10) : 0;

	*value = (struct str){ text, (size_t)snprintf(text, 24, "%ld;", n + 1) };
	*expires_us = 1000;
	return n < 399;
}

/* Four processes count in one entry: none takes back what another has written. */
static void changes(void **state UNUSED)
{
	for (int i = 0; i < 4; i++)
		if (fork() == 0) {
			struct cache *own;
			char text[24];
			bool ok = !cache_open(&own, dir, 1 << 20, NULL).code;

			for (int k = 0; ok && k < 100; k++)
				ok = !cache_change(own, 'c', STR("k"), 2, count_up, text, NULL).code;
			_exit(!ok);
		}
	for (int i = 0; i < 4; i++) {
		int status;

		CHECK("a process", wait(&status) > 0 && status == 0);
	}
	CHECK_STR("all but the last, which was left as it is", get('c', STR("k"), 3), STR("399;"));
	CHECK("until its time", get('c', STR("k"), 1000).p == NULL);
	check_done();
}

/* Four processes push into one list: no line is lost but the oldest, none is torn. */
static void lines(void **state UNUSED)
{
	struct gh_err err;
	struct str all, line;
	size_t n = 0;
	bool whole = true;

	CHECK("first", !cache_push(cache, 'l', STR("k"), STR("a"), 2, 1, 100, &err).code);
	CHECK_STR("one line", get('l', STR("k"), 2), STR("a\n"));
	CHECK("more", !cache_push(cache, 'l', STR("k"), STR("b"), 2, 1, 100, &err).code
			      && !cache_push(cache, 'l', STR("k"), STR("c"), 2, 1, 100, &err).code);
	CHECK_STR("newest first, at most two", get('l', STR("k"), 2), STR("c\nb\n"));
	CHECK("after it expired", !cache_push(cache, 'l', STR("k"), STR("d"), 2, 200, 300, &err).code);
	CHECK_STR("begins anew", get('l', STR("k"), 201), STR("d\n"));
	for (int i = 0; i < 4; i++)
		if (fork() == 0) {
			struct cache *own;

			if (cache_open(&own, dir, 1 << 20, NULL).code)
				_exit(1);
			for (int k = 0; k < 100; k++)
				if (cache_push(own, 'l', STR("many"), STR("0123456789"), 500, 1, 1000, NULL).code)
					_exit(1);
			_exit(0);
		}
	for (int i = 0; i < 4; i++) {
		int status;

		CHECK("a process", wait(&status) > 0 && status == 0);
	}
	all = get('l', STR("many"), 2);
	while (all.n && str_split(&all, '\n', &line)) {
		n += line.n > 0;
		whole &= !line.n || str_eq(line, STR("0123456789"));
	}
	CHECK_INT("all lines", n, 400);
	CHECK("whole lines", whole);
	check_done();
}

static void overwrite(const char *name, long from, int byte, size_t n)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fseek(f, from, SEEK_SET), 0);
	while (n--)
		assert_int_not_equal(fputc(byte, f), EOF);
	assert_int_equal(fclose(f), 0);
}

/* Begins anew where it is damaged, and is whole afterwards. */
static void damaged(void **state UNUSED)
{
	static const struct {
		const char *label;
		long from;
		size_t n;
	} rows[] = { { "both heads", 0, 8192 }, { "the first head", 0, 4096 }, { "the whole file", 0, 65536 } };
	struct gh_err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put('a', STR("k"), STR("one"), 10, 100);
		cache_close(cache);
		overwrite("data.mdb", rows[i].from, 0x5a, rows[i].n);
		if (cache_open(&cache, dir, 1 << 20, &err).code)
			fail_msg("%s: %s", rows[i].label, err.message);
		CHECK(rows[i].label, get('a', STR("k"), 50).p == NULL);
		put('a', STR("k"), STR("two"), 10, 100);
		CHECK_STR(rows[i].label, get('a', STR("k"), 50), STR("two"));
	}
	check_done();
}

static void next_boot(void **state UNUSED)
{
	struct gh_err err = { 0 };

	for (int again = 0; again < 3; again++) {
		cache_close(cache);
		if (again == 2) {        /* the machine has started anew, and pages in the middle never came to disk */
			overwrite("boot", 0, '0', 8);
			overwrite("data.mdb", 8192, 0x5a, 32768);
		}
		if (cache_open_of_boot(&cache, dir, 1 << 20, &err).code)
			fail_msg("%s", err.message);
		CHECK_INT("there", get('a', STR("k"), 50).p != NULL, again == 1);
		put('a', STR("k"), STR("one"), 10, 100);
		CHECK_STR("kept", get('a', STR("k"), 50), STR("one"));
	}
	check_done();
}

static enum cache_verdict note_key(void *arg, struct str key, struct str value UNUSED, int64_t expires_us UNUSED)
{
	struct str *all = arg, parts[] = { *all, key };

	*all = arena_join(arena, parts, ARRAY_LEN(parts));
	return CACHE_KEEP;
}

/* The order of the digests. */
static struct str order(void)
{
	struct str all = STR("");
	size_t dropped;

	assert_int_equal(cache_scan(cache, 'a', 20, note_key, &all, &dropped, NULL).code, GH_OK);
	return all;
}

/* Nobody outside can tell which keys share a digest: it is another one in each file. */
static void secret(void **state UNUSED)
{
	struct str first = STR("");

	for (int round = 0; round < 3; round++) {
		cache_close(cache);
		if (round == 2)          /* another file */
			overwrite("data.mdb", 0, 0x5a, 8192);
		assert_int_equal(cache_open(&cache, dir, 1 << 20, NULL).code, GH_OK);
		for (int i = 0; round != 1 && i < 26; i++)
			put('a', arena_printf(arena, "%c", 'a' + i), STR("x"), 10, 100);
		if (!round)
			first = order();
		else if (round == 1)
			CHECK("the same after it was opened again", get('a', STR("q"), 20).p && str_eq(order(), first));
	}
	CHECK_INT("as many", order().n, first.n);
	CHECK("in another order", !str_eq(order(), first));
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(values, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(expired, set_up, tear_down),
		cmocka_unit_test_setup_teardown(killed_readers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(by_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(held, set_up, tear_down),
		cmocka_unit_test_setup_teardown(changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(killed_writer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(secret, set_up, tear_down),
		cmocka_unit_test_setup_teardown(next_boot, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
