/* The keeper when the store is away, full, held by somebody else, or kept by another keeper: nothing is lost, and it goes on. */
#include "tests/unit/db/fixture.h"
#include "tests/unit/keeper/own_disk.h"

#include "core/clock.h"
#include "core/counter.h"
#include "core/file.h"
#include "core/log.h"
#include "core/str.h"
#include "core/telemetry.h"
#include "db/telemetry.h"
#include "keeper/keeper.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

static struct config config;

static struct keeper *keeper_of(struct fixture *f)
{
	struct keeper *k = NULL;

	CHECK_OK(f, config_load(&config, f->a, "/nonexistent/gatehouse.conf", &f->err));
	CHECK_OK(f, keeper_new(f->dir, &config, &k, &f->err));
	return k;
}

static int64_t started_us = 1700000000000000;

static void record(struct fixture *f, int n)
{
	struct telemetry_options o = { .segment_bytes = 65536, .total_bytes = 1 << 24 };
	struct telemetry_call c = { .started_us = 1, .status = 200, .api = STR("a") };
	struct telemetry *t = NULL;
	char dir[128];

	snprintf(dir, sizeof(dir), "%s/telemetry", f->dir);
	CHECK_OK(f, telemetry_open(dir, &o, &t, &f->err));
	c.started_us = started_us;
	for (int i = 0; t && i < n; i++)
		while (!telemetry_put(t, &c))        /* the next segment is being made */
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	telemetry_close(t);
}

/* All that were ever counted: single calls of 2023 are pruned at once. */
static int64_t counted(struct fixture *f)
{
	struct store_traffic_row *rows;
	size_t n;

	CHECK_OK(f, store_traffic(f->s, f->a, STORE_TRAFFIC_TOTAL, NULL, &rows, &n, &f->err));
	return n ? rows[0].traffic.calls : -1;
}

static void works(void **state)
{
	struct fixture *f = *state;
	struct keeper *k = keeper_of(f);
	struct store_telemetry_stats stats;
	char path[128];

	record(f, 10);
	CHECK("nothing is left", !keeper_turn(k));
	CHECK_INT("hours stay", counted(f), 10);
	CHECK_OK(f, store_telemetry_stats(f->s, &stats, &f->err));
	CHECK_INT("what is too old is pruned", stats.calls, 0);
	CHECK_INT("minutes too", stats.minutes, 0);
	snprintf(path, sizeof(path), "%s/run/keeper.json", f->dir);
	CHECK("says that it works", access(path, R_OK) == 0);
	keeper_free(k);
	check_done();
}

static void store_comes_later(void **state)
{
	struct fixture *f = *state;
	char away[128], here[128];
	struct keeper *k = keeper_of(f);

	record(f, 5);
	store_free(f->s);
	f->s = NULL;
	snprintf(here, sizeof(here), "%s/config.db", f->dir);
	snprintf(away, sizeof(away), "%s/config.db.away", f->dir);
	assert_int_equal(rename(here, away), 0);
	CHECK("waits", !keeper_turn(k));
	assert_int_equal(rename(away, here), 0);
	keeper_turn(k);
	CHECK_OK(f, store_open(&f->s, f->dir, STORE_WRITE, &f->err));
	CHECK_INT("nothing is lost", counted(f), 5);
	keeper_free(k);
	check_done();
}

/* What is wrong with the folder of the segments is no reason to open the store anew each second. */
static void segments_are_away(void **state)
{
	struct fixture *f = *state;
	struct keeper *k = keeper_of(f);
	enum { TURNS = 20, OTHERS = 8 };         /* mail and webhooks open it too, once */
	char store[128], segments[128], events[4096];
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), opened = 0;

	snprintf(store, sizeof(store), "%s/telemetry.db-wal", f->dir);
	snprintf(segments, sizeof(segments), "%s/telemetry", f->dir);
	CHECK_OK(f, file_write_atomic(segments, STR("no folder"), 0640, &f->err));
	CHECK("watched", watch >= 0 && inotify_add_watch(watch, store, IN_OPEN) >= 0);
	for (int i = 0; i < TURNS; i++) {
		CHECK("nothing to do", !keeper_turn(k));
		opened += read(watch, events, sizeof(events)) > 0;
	}
	CHECK("the store stays open", opened <= OTHERS);
	close(watch);
	CHECK("a folder again", unlink(segments) == 0);
	record(f, 5);
	CHECK("nothing is left", !keeper_turn(k));
	CHECK_INT("all are there", counted(f), 5);
	keeper_free(k);
	check_done();
}

static void disk_is_full(void **state)
{
	struct fixture *f = *state;
	pid_t pid = 0;
	int status;

	record(f, 100);
	if (!(pid = fork())) {
		struct rlimit none = { 0, 0 };
		struct keeper *k = keeper_of(f);

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &none);      /* every write fails from here on */
		_exit(keeper_turn(k) ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	CHECK("survives", WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK_INT("nothing half done", counted(f), 0);
	struct keeper *k = keeper_of(f);

	keeper_turn(k);
	CHECK_INT("nothing is lost", counted(f), 100);
	keeper_free(k);
	check_done();
}

enum { FIRST_CALLS = 2000, MORE_CALLS = 12000 };

/* In the child: 0 when all calls are counted though not a byte of the disk is free. */
static int fill_and_drain(void *arg)
{
	struct fixture *f = arg;
	struct keeper *k;

	if (!own_disk(f->dir, "size=200m"))
		return NOT_ALLOWED;
	if (paths_master_key_create(f->dir, &f->err).code || store_open(&f->s, f->dir, STORE_CREATE, &f->err).code)
		return 2;
	k = keeper_of(f);
	started_us = clock_wall_us();                /* single calls of it are kept */
	record(f, FIRST_CALLS);
	while (keeper_turn(k))
		;
	record(f, MORE_CALLS);
	fill_disk(f->dir);
	for (int turns = 0; turns < 100 && counted(f) < FIRST_CALLS + MORE_CALLS; turns++) {
		keeper_turn(k);
		if (turns == 1)                      /* somebody else takes what was given back */
			fill_disk(f->dir);
	}
	CHECK_INT("all are counted", counted(f), FIRST_CALLS + MORE_CALLS);
	return check_failures ? 1 : 0;
}

static void not_a_byte_is_free(void **state)
{
	struct fixture *f = *state;
	int said;

	store_free(f->s);
	f->s = NULL;
	said = in_child(fill_and_drain, f);
	if (said == NOT_ALLOWED)
		check_skip("may not mount");
	CHECK_INT("calls make room for calls", said, 0);
	check_done();
}

static void store_is_held(void **state)
{
	struct fixture *f = *state;
	struct keeper *k = keeper_of(f);

	record(f, 7);
	CHECK_OK(f, store_drain_begin(f->s, &f->err));
	CHECK_OK(f, store_drain_segment(f->s, STR("other.seg"), 1, 0, &f->err));
	CHECK("gives up for now", !keeper_turn(k));
	CHECK_OK(f, store_drain_end(f->s, (gh_rc){ GH_E_IO }, &f->err).code ? GH_RC_OK : GH_RC_OK);
	keeper_turn(k);
	CHECK_INT("nothing is lost", counted(f), 7);
	keeper_free(k);
	check_done();
}

static void one_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct keeper *k = keeper_of(f), *second = keeper_of(f);

	keeper_turn(k);
	record(f, 3);
	keeper_turn(second);
	CHECK_INT("the second waits", counted(f), 0);
	keeper_free(k);
	keeper_turn(second);
	CHECK_INT("and takes over", counted(f), 3);
	keeper_free(second);
	check_done();
}

static struct str metrics(struct fixture *f)
{
	struct str text = STR_NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/run/traffic.prom", f->dir);
	CHECK_OK(f, file_read(f->a, path, 1 << 20, &text, &f->err));
	return text;
}

static void tells_of_forgotten_counters(void **state)
{
	struct counter_ask ask = { .type = COUNTER_TYPE_FIXED, .limit = 5, .amount = 1, .window_s = 86400 };
	struct fixture *f = *state;
	struct counters *c = NULL;
	struct str line;
	char path[128];

	snprintf(path, sizeof(path), "%s/counters", f->dir);
	CHECK_OK(f, counters_open(path, 64, &c, &f->err));
	for (int i = 0; i < 1000; i++) {
		ask.key = (struct str){ (char *)&i, sizeof(i) };
		(void)counter_take(c, &ask);
	}
	CHECK("some were forgotten", counter_stats(c).evicted > 0);
	struct keeper *k = keeper_of(f);

	keeper_turn(k);                              /* the first one makes DIR/run */
	line = arena_printf(f->a, "\ngatehouse_counters_evicted_total %llu\n", (unsigned long long)counter_stats(c).evicted);
	CHECK("the metrics say how many", str_find(metrics(f), line) != SIZE_MAX);
	keeper_free(k);
	counters_close(c);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { store_test(tells_of_forgotten_counters), store_test(works), store_test(store_comes_later), store_test(disk_is_full),
					    store_test(segments_are_away), store_test(not_a_byte_is_free),
					    store_test(store_is_held), store_test(one_at_a_time) };

	log_init("test_keeper", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
