/* Metrics in a mapped file: exact over processes, bounded, readable, in OpenMetrics text. */
#include "tests/unit/check.h"

#include "core/file.h"
#include "core/metrics.h"
#include "core/str.h"

#include <math.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 4, ADDS = 20000, SERIES = 16 };

static char path[64];
static struct arena *a;

static int begin(void **state UNUSED)
{
	snprintf(path, sizeof(path), "/tmp/test-metrics-%d", (int)getpid());
	unlink(path);
	a = arena_new(1 << 24);
	return 0;
}

static int end(void **state UNUSED)
{
	unlink(path);
	arena_free(a);
	return 0;
}

static struct metrics *open_metrics(size_t series)
{
	struct metrics *m = NULL;

	CHECK("opens", !metrics_open(path, series, &m, NULL).code && m);
	return m;
}

static struct metrics_state read_metrics(void)
{
	struct metrics_state s = { 0 };

	CHECK("reads", !metrics_read(a, path, &s, NULL).code);
	return s;
}

static bool add(struct metrics *m, const char *name, const char *value, double v)
{
	const struct metric_label l = { STR("d"), str_of(value) };

	return metrics_add(m, STR("ns"), str_of(name), &l, 1, v, 7000000);
}

static void one_process(unsigned number)
{
	struct metrics *m;

	if (metrics_open(path, SERIES, &m, NULL).code)
		_exit(1);
	for (int i = 0; i < ADDS; i++) {
		char own[8] = { (char)('a' + number), 0 };

		if (!add(m, "shared", i & 1 ? "x" : "y", 0.5) || !add(m, "own", own, i))
			_exit(2);
	}
	metrics_close(m);
	_exit(0);
}

static void exact_over_processes(void **state UNUSED)
{
	struct metrics_state s;

	for (unsigned i = 0; i < PROCESSES; i++)
		if (fork() == 0)
			one_process(i);
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status;

		CHECK("a process", wait(&status) > 0 && status == 0);
	}
	s = read_metrics();
	CHECK_INT("series", s.n, PROCESSES + 2);
	CHECK_STR("in order", s.v[0].labels[0].value, STR("a"));
	CHECK_INT("count of one", s.v[0].count, ADDS);
	CHECK("sum, least, greatest of one", s.v[0].sum == (double)ADDS * (ADDS - 1) / 2 && s.v[0].least == 0 && s.v[0].greatest == ADDS - 1);
	CHECK_STR("shared", s.v[PROCESSES].name, STR("shared"));
	CHECK_INT("shared count", s.v[PROCESSES].count, PROCESSES * ADDS / 2);
	CHECK("shared sum", s.v[PROCESSES].sum == PROCESSES * ADDS / 2 * 0.5);
	CHECK_INT("overflow", s.overflow, 0);
	check_done();
}

static void bounded(void **state UNUSED)
{
	static char longest[METRIC_KEY_MAX];
	struct metrics *m = open_metrics(SERIES), *again;
	const struct metric_label split = { STR("a\0b"), STR("c") };
	struct metrics_state s;
	char name[8];

	for (int i = 0; i < SERIES; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		CHECK(name, add(m, name, "v", 1));
	}
	CHECK("one too many", !add(m, "more", "v", 1));
	CHECK("a known one goes on", add(m, "n3", "v", 2));
	memset(longest, 'x', sizeof(longest) - 1);
	CHECK("too long", !metrics_add(m, STR("ns"), str_of(longest), NULL, 0, 1, 0));
	CHECK("a zero byte", !metrics_add(m, STR("ns"), STR("n0"), &split, 1, 1, 0));
	CHECK("no number", !add(m, "n3", "v", NAN));
	s = read_metrics();
	CHECK_INT("series", s.n, SERIES);
	CHECK_INT("overflow", s.overflow, 3);
	metrics_close(m);

	again = open_metrics(SERIES);
	CHECK_INT("kept over a restart", read_metrics().n, SERIES);
	metrics_close(again);
	again = open_metrics(2 * SERIES);
	CHECK_INT("another size begins anew", read_metrics().n, 0);
	metrics_close(again);
	check_done();
}

static void a_damaged_file_is_not_read(void **state UNUSED)
{
	struct metrics_state s;

	CHECK_INT("none", metrics_read(a, path, &s, NULL).code, GH_E_NOT_FOUND);
	CHECK("written", !file_write_atomic(path, STR("no metrics at all, but long enough to be mistaken for a header"), 0600, NULL).code);
	CHECK_INT("another file", metrics_read(a, path, &s, NULL).code, GH_E_SYNTAX);
	check_done();
}

static void text(void **state UNUSED)
{
	struct metrics *m = open_metrics(SERIES);
	const struct metric_label labels[] = { { STR("API ID"), STR("a\"\\\nb") }, { STR("API-ID"), STR("x") }, { STR("1st"), STR("") } };
	struct metrics_state s;
	struct buf b;

	CHECK("add", metrics_add(m, STR("my-metrics"), STR("Request"), labels, 3, 2.5, 1));
	CHECK("add", metrics_add(m, STR("API Management"), STR("n"), NULL, 0, -1, 1));
	s = read_metrics();
	buf_init(&b, 65536);
	metrics_openmetrics(&b, a, &s);
	CHECK_STR("text", buf_view(&b),
		  STR("# TYPE API_Management_n summary\nAPI_Management_n_count 1\nAPI_Management_n_sum -1.0\n"
		      "# TYPE my_metrics_Request summary\n"
		      "my_metrics_Request_count{API_ID=\"a\\\"\\\\\\nb\",API_ID_2=\"x\",_1st=\"\"} 1\n"
		      "my_metrics_Request_sum{API_ID=\"a\\\"\\\\\\nb\",API_ID_2=\"x\",_1st=\"\"} 2.5\n"
		      "# TYPE gatehouse_metric_series gauge\ngatehouse_metric_series 2\n"
		      "# TYPE gatehouse_metric_overflow counter\ngatehouse_metric_overflow_total 0\n# EOF\n"));
	buf_release(&b);
	metrics_close(m);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(exact_over_processes, begin, end), cmocka_unit_test_setup_teardown(bounded, begin, end),
		cmocka_unit_test_setup_teardown(a_damaged_file_is_not_read, begin, end),
		cmocka_unit_test_setup_teardown(text, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
