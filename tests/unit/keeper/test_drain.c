/* The way of a record into the store: exactly once whoever is killed when, totals that agree with the rows, removal. */
#include "tests/unit/db/fixture.h"

#include "core/clock.h"
#include "db/sql.h"
#include "keeper/drain.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char segments[128];

static struct telemetry *writer_of(struct fixture *f, size_t segment_bytes, uint64_t total_bytes)
{
	struct telemetry_options o = { .segment_bytes = segment_bytes, .total_bytes = total_bytes };
	struct telemetry *t = NULL;

	snprintf(segments, sizeof(segments), "%s/telemetry", f->dir);
	CHECK_OK(f, telemetry_open(segments, &o, &t, &f->err));
	return t;
}

static struct telemetry *writer(struct fixture *f, size_t segment_bytes)
{
	return writer_of(f, segment_bytes, 1 << 28);
}

static bool put(struct telemetry *t, int i, int status, enum telemetry_origin origin)
{
	char id[32];
	struct telemetry_call c = { .started_us = clock_wall_us(), .status = (uint16_t)status, .origin = (uint8_t)origin,
				    .total_us = 1000, .api = STR("orders"), .environment = STR("default"),
				    .subscription = i % 2 ? STR("odd") : STR("even"), .bytes_out = 10 };

	c.request_id = (struct str){ id, (size_t)snprintf(id, sizeof(id), "id-%d", i) };
	return telemetry_put(t, &c);
}

static struct drain_result drain_now(struct fixture *f)
{
	struct drain d = { .store = f->s, .dir = segments, .keep_calls = true };
	struct drain_result r;

	CHECK_OK(f, drain_once(&d, &r, &f->err));
	return r;
}

static size_t segments_left(struct fixture *f)
{
	struct str *names;
	size_t n = 0;

	CHECK_OK(f, segments_list(f->a, segments, &names, &n, &f->err));
	return n;
}

static void drains(void **state)
{
	struct fixture *f = *state;
	struct telemetry *t = writer(f, 65536);
	struct store_telemetry_stats stats;
	struct store_traffic_row *rows;
	struct str *known;
	size_t n;

	for (int i = 0; i < 10; i++)
		assert_true(put(t, i, 200, TELEMETRY_BY_BACKEND));
	CHECK_INT("of a live segment", drain_now(f).calls, 10);
	CHECK_INT("nothing twice", drain_now(f).calls, 0);
	CHECK("the live one stays", segments_left(f) >= 1);
	assert_true(put(t, 10, 401, TELEMETRY_BY_GATEWAY) && put(t, 11, 404, TELEMETRY_BY_BACKEND)
		    && put(t, 12, 500, TELEMETRY_BY_BACKEND) && put(t, 13, 502, TELEMETRY_BACKEND_FAILED)
		    && put(t, 14, 500, TELEMETRY_BY_GATEWAY) && put(t, 15, 0, TELEMETRY_CLIENT_GONE));
	telemetry_close(t);
	CHECK_INT("the rest", drain_now(f).calls, 6);
	CHECK_INT("finished segments go", segments_left(f), 0);
	t = writer(f, 65536);
	drain_now(f);
	telemetry_close(t);
	CHECK_OK(f, store_segments(f->s, f->a, &known, &n, &f->err));
	CHECK_INT("and are forgotten", n, 0);
	CHECK_OK(f, store_telemetry_stats(f->s, &stats, &f->err));
	CHECK_INT("rows", stats.calls, 16);
	CHECK_OK(f, store_traffic_day(f->s, f->a, &rows, &n, &f->err));
	assert_int_equal(n, 1);
	CHECK_INT("calls", rows[0].traffic.calls, 16);
	CHECK_INT("refused", rows[0].traffic.refused, 1);
	CHECK_INT("client errors", rows[0].traffic.client_errors, 2);
	CHECK_INT("backend errors", rows[0].traffic.backend_errors, 2);
	CHECK_INT("gateway errors", rows[0].traffic.gateway_errors, 1);
	CHECK_INT("without a status", rows[0].traffic.status_class[0], 1);
	CHECK_INT("latencies", rows[0].traffic.latency.n, 16);
	CHECK_OK(f, store_traffic(f->s, f->a, STORE_TRAFFIC_BY_SUBSCRIPTION, NULL, &rows, &n, &f->err));
	CHECK_INT("subscriptions", n, 2);
	check_done();
}

/* Records that a round waits for, so that a slow machine comes to as many. */
enum { ENOUGH = 50, DEADLINE_MS = 60000 };

/* A writer and a keeper, both killed over and over; every record that was appended is there once. */
static void killed(void **state)
{
	struct fixture *f = *state;
	_Atomic int *sent = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct store_telemetry_stats stats;
	struct store_traffic_row *rows;
	pid_t pids[2] = { 0, 0 };
	unsigned maybe = 0;
	size_t n;

	snprintf(segments, sizeof(segments), "%s/telemetry", f->dir);
	for (int round = 0; round < 30; round++) {
		for (int who = 0; who < 2; who++) {
			if (pids[who] || (pids[who] = fork()))
				continue;
			if (who == 0) {
				struct telemetry *t = writer(f, 65536);

				for (;;) {
					if (put(t, *sent, 200, TELEMETRY_BY_BACKEND))
						++*sent;
					if (*sent % 100 == 0)
						usleep(1000);
				}
			}
			struct fixture mine = *f;

			if (store_open(&mine.s, f->dir, STORE_WRITE, &mine.err).code)
				_exit(1);
			for (;;)
				drain_now(&mine);
		}
		usleep(15000 + (useconds_t)(round * 7919 % 10000));
		for (int ms = 0, from = *sent; ms < DEADLINE_MS && *sent < from + ENOUGH; ms++)
			usleep(1000);
		kill(pids[round % 2], SIGKILL);
		waitpid(pids[round % 2], NULL, 0);
		pids[round % 2] = 0;
		maybe += round % 2 == 0;             /* a record may have been appended and not yet counted in *sent */
	}
	for (int who = 0; who < 2; who++) {
		if (!pids[who])
			continue;
		kill(pids[who], SIGKILL);
		waitpid(pids[who], NULL, 0);
		maybe++;
	}
	while (drain_now(f).more)
		;
	drain_now(f);
	CHECK_INT("no segment is left", segments_left(f), 0);
	CHECK_OK(f, store_telemetry_stats(f->s, &stats, &f->err));
	CHECK("some", *sent > 1000);
	CHECK("all are there, once", stats.calls >= *sent && stats.calls <= *sent + (int)maybe);
	CHECK_OK(f, store_traffic(f->s, f->a, STORE_TRAFFIC_TOTAL, NULL, &rows, &n, &f->err));
	CHECK_INT("totals agree with the rows", rows[0].traffic.calls, stats.calls);
	printf("# %d records, %u kills\n", *sent, 30);
	munmap((void *)sent, 4096);
	check_done();
}

/* Which files there were, and the highest number in a name: how many segments. */
struct census {
	ino_t files[64];
	size_t n_files;
	unsigned segments;
};

static void count_segments(struct fixture *f, struct census *c)
{
	struct str *names;
	char path[256];
	struct stat st;
	size_t n, k;

	CHECK_OK(f, segments_list(f->a, segments, &names, &n, &f->err));
	for (size_t i = 0; i < n; i++) {
		unsigned number = 1 + (unsigned)strtoul(strrchr(names[i].p, '-') + 1, NULL, 10);

		c->segments = number > c->segments ? number : c->segments;
		snprintf(path, sizeof(path), "%s/%.*s", segments, STR_ARG(names[i]));
		if (stat(path, &st) < 0)
			continue;                    /* it has its next name */
		for (k = 0; k < c->n_files && c->files[k] != st.st_ino; k++)
			;
		if (k == c->n_files && k < ARRAY_LEN(c->files))
			c->files[c->n_files++] = st.st_ino;
	}
}

/* A writer fills a hundred segments and more while the keeper works: they are a few files, and each record counts once. */
static void used_again(void **state)
{
	enum { RECORDS = 40000 };
	struct fixture *f = *state;
	struct store_telemetry_stats stats;
	struct census census = { 0 };
	pid_t pid = fork();
	int status = -1;

	snprintf(segments, sizeof(segments), "%s/telemetry", f->dir);
	if (!pid) {
		struct telemetry *t = writer_of(f, 65536, 10 * 65536);

		for (int i = 0; i < RECORDS;)
			if (put(t, i, 200, TELEMETRY_BY_BACKEND))
				i++;
			else
				usleep(100);
		telemetry_close(t);
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		drain_now(f);
		count_segments(f, &census);
		arena_reset(f->a);
	}
	CHECK_INT("the writer's end", status, 0);
	while (drain_now(f).more)
		;
	drain_now(f);
	CHECK_INT("no segment is left", segments_left(f), 0);
	CHECK("many segments", census.segments > 60);
	CHECK("in few files", census.n_files && census.n_files < 40);
	CHECK_OK(f, store_telemetry_stats(f->s, &stats, &f->err));
	CHECK_INT("what was dropped was put again", stats.calls, RECORDS);
	printf("# %u segments in %zu files\n", census.segments, census.n_files);
	check_done();
}

/* The folder is not there for a while (moved, not mounted): what has been read of its segments is not read again. */
static void moved_away(void **state)
{
	struct fixture *f = *state;
	struct telemetry *t = writer(f, 65536);
	struct store_telemetry_stats stats;
	char away[160];

	snprintf(away, sizeof(away), "%s-away", segments);
	for (int i = 0; i < 5; i++)
		assert_true(put(t, i, 200, TELEMETRY_BY_BACKEND));
	CHECK_INT("before", drain_now(f).calls, 5);
	assert_int_equal(rename(segments, away), 0);
	CHECK_INT("while it is away", drain_now(f).calls, 0);
	assert_int_equal(rename(away, segments), 0);
	assert_true(put(t, 5, 200, TELEMETRY_BY_BACKEND));
	CHECK_INT("back again", drain_now(f).calls, 1);
	telemetry_close(t);
	drain_now(f);
	CHECK_INT("no segment is left", segments_left(f), 0);
	CHECK_OK(f, store_telemetry_stats(f->s, &stats, &f->err));
	CHECK_INT("each once", stats.calls, 6);
	check_done();
}

static void damaged(void **state)
{
	struct fixture *f = *state;
	struct telemetry *t = writer(f, 65536);
	struct drain_result r;
	struct str *names;
	char path[256];
	FILE *file;
	size_t n;

	for (int i = 0; i < 5; i++)
		assert_true(put(t, i, 200, TELEMETRY_BY_BACKEND));
	telemetry_close(t);
	CHECK_OK(f, segments_list(f->a, segments, &names, &n, &f->err));
	snprintf(path, sizeof(path), "%s/%.*s", segments, STR_ARG(names[0]));
	file = fopen(path, "r+b");
	fseek(file, 4096 + 500, SEEK_SET);
	for (int i = 0; i < 200; i++)
		fputc(0, file);
	fclose(file);
	snprintf(path, sizeof(path), "%s/junk.seg", segments);
	file = fopen(path, "wb");
	fputs("not a segment", file);
	fclose(file);
	r = drain_now(f);
	CHECK("what could be read was taken", r.calls >= 1 && r.calls < 5);
	CHECK_INT("both are told", r.damaged, 2);
	CHECK_INT("both are gone", segments_left(f), 0);
	check_done();
}

/* A full disk (here: the file may not grow): the oldest calls make room, no total and no newer call is lost. */
static void full(void **state)
{
	struct fixture *f = *state;
	struct telemetry *t = writer(f, 1 << 20);
	struct drain d = { .store = f->s, .dir = segments, .keep_calls = true };
	struct store_traffic_row *rows;
	struct store_telemetry_stats stats;
	struct drain_result r;
	int64_t pages;
	bool none;
	size_t n;

	for (int i = 0; i < 3000; i++)
		assert_true(put(t, i, 200, TELEMETRY_BY_BACKEND));
	CHECK_INT("before", drain_now(f).calls, 3000);
	CHECK_OK(f, find_int(f->s, sql_use(f->s, SQL_PAGES), &pages, NULL, &f->err));
	CHECK_OK(f, sql_exec(f->s, arena_printf(f->a, "PRAGMA telemetry.max_page_count = %lld", (long long)pages).p, "limit", &f->err));
	for (int i = 3000; i < 5000; i++)
		assert_true(put(t, i, 200, TELEMETRY_BY_BACKEND));
	telemetry_close(t);
	CHECK("refused", drain_once(&d, &r, &f->err).code != GH_OK);
	CHECK("because it is full", store_is_full(f->s));
	CHECK_OK(f, store_telemetry_free(f->s, 2500, &none, &f->err));
	CHECK("there are more", !none);
	CHECK_INT("what the oldest left is enough", drain_now(f).calls, 2000);
	CHECK_OK(f, store_telemetry_stats(f->s, &stats, &f->err));
	CHECK_INT("single calls", stats.calls, 2500);
	CHECK_OK(f, store_traffic(f->s, f->a, STORE_TRAFFIC_TOTAL, NULL, &rows, &n, &f->err));
	CHECK_INT("totals", rows[0].traffic.calls, 5000);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { store_test(drains), store_test(killed), store_test(used_again), store_test(moved_away), store_test(damaged), store_test(full) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
