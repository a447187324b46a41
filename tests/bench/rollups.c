/* rollups.c - many calls in the store, and how long the questions to them take.
 *
 *     rollups STATE_DIR CALLS RAW        a fresh state directory with a store; 100000000 10000000 is what is promised;
 *                                        CALLS 0 asks one that was filled before
 *
 * The calls are spread over 60 days and 300 places (100 consumers of 40 APIs, each with three kinds of answers); those of the last day stand minute by minute,
 * those before hour by hour. Each question is asked several times; the 95th percentile of each, in processor time, is told. */
#include "core/clock.h"
#include "core/str.h"
#include "db/reports.h"
#include "db/rollup.h"
#include "tests/bench/common.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { DAYS = 60, APIS = 40, OPERATIONS = 5, CONSUMERS = 100, EACH = 3, ROUNDS = 20, BATCH = 20000 };
static const int64_t HOUR_US = 3600000000, DAY_US = 86400000000;

static struct store *store;

struct names {
	char api[16], operation[16], subscription[16], backend[16], id[40], path[40], tries[40];
};

static struct telemetry_call call_of(unsigned place, int64_t at_us, struct names *n)
{
	unsigned consumer = place / EACH, api = (consumer * 7 + place % EACH) % APIS;
	uint32_t backend = 3000 + chance(30000);
	unsigned kind = chance(100);
	struct telemetry_call c = { .started_us = at_us, .bytes_in = 200, .bytes_out = 4000, .gateway_us = 300 + chance(500), .backend_us = backend,
				    .status = kind < 2 ? 429 : kind < 3 ? 502 : 200, .attempts = kind >= 2, .environment = STR("default"),
				    .version = STR("v1"), .product = STR("gold"), .reason = kind < 2 ? STR("RateLimitExceeded") : STR(""),
				    .origin = kind < 2 ? TELEMETRY_BY_GATEWAY : kind < 3 ? TELEMETRY_BACKEND_FAILED : TELEMETRY_BY_BACKEND,
				    .client_ip = STR("192.0.2.1"), .method = STR("GET"), .host = STR("gw.example"), .path = STR("/api/orders/7"),
				    .key_prefix = STR("k-12"), .user = STR("u") };

	c.total_us = c.gateway_us + c.backend_us;
	c.api = (struct str){ n->api, (size_t)snprintf(n->api, sizeof(n->api), "api-%u", api) };
	c.operation = (struct str){ n->operation, (size_t)snprintf(n->operation, sizeof(n->operation), "op-%u", place % OPERATIONS) };
	c.subscription = (struct str){ n->subscription, (size_t)snprintf(n->subscription, sizeof(n->subscription), "sub-%u", consumer) };
	c.backend = (struct str){ n->backend, (size_t)snprintf(n->backend, sizeof(n->backend), "backend-%u", api % 10) };
	return c;
}

static void write_out(struct rollup *r)
{
	struct gh_err err;

	must(store_drain_begin(store, &err), &err);
	must(store_drain_end(store, rollup_write(r, &err), &err), &err);
}

/* A step of each place at `at_us`: `calls` calls, in a few lots so that there are histograms. */
static void add_step(struct rollup *r, int64_t at_us, uint64_t calls)
{
	enum { LOTS = 4 };
	struct names n;

	for (unsigned p = 0; p < CONSUMERS * EACH; p++)
		for (int lot = 0; lot < LOTS && calls; lot++) {
			struct telemetry_call c = call_of(p, at_us, &n);

			uint64_t times = calls / LOTS + (lot == 0 ? calls % LOTS : 0);

			if (rollup_full(r))
				write_out(r);
			if (times && !rollup_add(r, &c, (uint32_t)times))
				exit(1);
		}
}

static void fill(uint64_t calls, int64_t now_us)
{
	struct rollup *r = rollup_new(store, 0);
	int64_t first = (now_us / DAY_US - DAYS) * DAY_US;
	uint64_t each = calls / ((uint64_t)DAYS * 24 * CONSUMERS * EACH);

	for (int64_t h = 0; h < (DAYS - 1) * 24; h++)
		add_step(r, first + h * HOUR_US, each);
	for (int64_t m = 0; m < 1440; m++)
		add_step(r, first + (DAYS - 1) * DAY_US + m * 60000000, each > 60 ? each / 60 : 1);
	write_out(r);
	rollup_free(r);
}

/* As the gateway makes it: version 7, which tells the time. Each hundredth is the caller's own. */
static struct str id_of(uint64_t i, int64_t started_us, char id[40])
{
	uint64_t ms = (uint64_t)started_us / 1000;

	if (i % 100 == 0)
		return (struct str){ id, (size_t)snprintf(id, 40, "order-%llu", (unsigned long long)i) };
	return (struct str){ id, (size_t)snprintf(id, 40, "%08llx-%04llx-7%03llx-8abc-%012llx", (unsigned long long)ms >> 16, (unsigned long long)ms & 0xffff,
						  (unsigned long long)(i & 0xfff), (unsigned long long)i) };
}

static int64_t raw_at(uint64_t i, uint64_t raw, int64_t now_us)
{
	return now_us - (int64_t)(raw - i) * 1000;
}

static void fill_raw(uint64_t raw, int64_t now_us)
{
	struct gh_err err;
	struct names n;

	for (uint64_t i = 0; i < raw; i++) {
		struct telemetry_call c = call_of(chance(CONSUMERS * EACH), raw_at(i, raw, now_us), &n);

		if (i % BATCH == 0)
			must(store_drain_begin(store, &err), &err);
		c.request_id = id_of(i, c.started_us, n.id);
		c.path = (struct str){ n.path, (size_t)snprintf(n.path, sizeof(n.path), "/api/orders/%u", chance(100000)) };
		c.tries = (struct str){ n.tries, (size_t)snprintf(n.tries, sizeof(n.tries), "%08x%08x %u", chance(1U << 30), chance(1U << 30), 40 + chance(20)) };
		must(store_drain_call(store, &c, &err), &err);
		if (i % BATCH == BATCH - 1 || i + 1 == raw)
			must(store_drain_end(store, GH_RC_OK, &err), &err);
	}
}

/* ---- asking -------------------------------------------------------------------------------------------------------------------- */

/* Processor time, so that what else the machine does is not counted. */
static int64_t used_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int by_size(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return (a > b) - (a < b);
}

static void tell(const char *what, int64_t us[ROUNDS], int64_t calls)
{
	qsort(us, ROUNDS, sizeof(us[0]), by_size);
	printf("%-44s p50 %8.2f ms  p95 %8.2f ms   %lld calls\n", what, (double)us[ROUNDS / 2] / 1000, (double)us[ROUNDS * 95 / 100 - 1] / 1000,
	       (long long)calls);
}

static void ask(const char *what, enum report_id id, const char *const parameters[][2], int64_t now_us)
{
	int64_t us[ROUNDS], calls = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct arena *a = arena_new((size_t)128 << 20);
		struct report_ask q = report_ask(id);
		struct report r;
		struct gh_err err;
		int64_t began = used_us();
		bool known;

		for (size_t k = 0; parameters[k][0]; k++)
			must(report_set(&q, str_of(parameters[k][0]), str_of(parameters[k][1]), &known, &err), &err);
		must(report_run(store, a, &q, now_us, &r, &err), &err);
		us[i] = used_us() - began;
		calls = r.all.sum.calls;
		arena_free(a);
	}
	tell(what, us, calls);
}

static void find_calls(const char *what, const struct store_calls_filter *f, size_t least, int64_t us[], int round)
{
	struct arena *a = arena_new(8 << 20);
	int64_t began = used_us();
	struct store_call *rows;
	struct gh_err err;
	size_t n;

	must(store_calls(store, a, f, &rows, &n, &err), &err);
	us[round] = used_us() - began;
	if (n < least) {
		fprintf(stderr, "rollups: %s: %zu calls, not %zu\n", what, n, least);
		exit(1);
	}
	arena_free(a);
}

static void look_up(const char *what, uint64_t raw, int64_t now_us, bool of_caller)
{
	int64_t us[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t k = chance((uint32_t)raw) / 100 * 100 + !of_caller;
		struct store_calls_filter f = { 0 };
		char id[40];

		f.request_id = id_of(k, raw_at(k, raw, now_us), id);
		find_calls(what, &f, 1, us, i);
	}
	tell(what, us, 1);
}

static void list_calls(const char *what, struct store_calls_filter f, size_t least)
{
	int64_t us[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		find_calls(what, &f, least, us, i);
	tell(what, us, 100);
}

/* Steps as the keeper makes them while calls come in. */
static void prune_some(void)
{
	struct store_telemetry_stats stats;
	int64_t us[ROUNDS];
	struct gh_err err;
	bool more;

	must(store_telemetry_sizes(store, &stats, &err), &err);
	printf("%lld single calls in %.0f MB, %.0f MB in all\n", (long long)stats.calls, (double)stats.raw_bytes / 1e6, (double)stats.bytes / 1e6);
	for (int i = 0; i < ROUNDS; i++) {
		const struct store_retention r = { .raw_bytes = stats.raw_bytes / 2, .max_rows = 18000 };
		int64_t began = used_us();

		must(store_telemetry_prune(store, &r, &more, &err), &err);
		us[i] = used_us() - began;
	}
	tell("pruning 18,000 single calls", us, 18000);
}

int main(int argc, char **argv)
{
	static const char *const day[][2] = { { "range", "24h" }, { "step", "auto" }, { NULL, NULL } };
	static const char *const week_apis[][2] = { { "range", "7d" }, { "group", "api" }, { "compare", "yes" }, { NULL, NULL } };
	static const char *const month[][2] = { { "range", "30d" }, { "step", "auto" }, { NULL, NULL } };
	static const char *const month_consumers[][2] = { { "range", "30d" }, { "group", "subscription" }, { "limit", "100" }, { NULL, NULL } };
	static const char *const one[][2] = { { "range", "30d" }, { "step", "hour" }, { "subscription", "sub-17" }, { NULL, NULL } };
	static const char *const plain[][2] = { { NULL, NULL } };
	int64_t now = clock_wall_us() / DAY_US * DAY_US, began = clock_mono_us();
	struct gh_err err;
	uint64_t calls, raw;

	if (argc != 4 || !str_to_u64(str_of(argv[2]), UINT64_C(100000000000), &calls) || !str_to_u64(str_of(argv[3]), 100000000, &raw)) {
		fprintf(stderr, "usage: rollups STATE_DIR CALLS RAW\n");
		return 2;
	}
	must(store_open(&store, argv[1], STORE_WRITE, &err), &err);
	if (calls) {                                 /* 0: a directory that was filled before */
		fill(calls, now);
		fill_raw(raw, now);
	}
	printf("%llu calls in totals, %llu single ones, made in %.0f s\n", (unsigned long long)calls, (unsigned long long)raw,
	       (double)(clock_mono_us() - began) / 1e6);
	ask("traffic, 24 hours over time", REPORT_TRAFFIC, day, now);
	ask("traffic, 7 days by API, beside the week before", REPORT_TRAFFIC, week_apis, now);
	ask("traffic, 30 days over time", REPORT_TRAFFIC, month, now);
	ask("traffic, 30 days by subscription", REPORT_TRAFFIC, month_consumers, now);
	ask("one subscription, 30 days hour by hour", REPORT_TRAFFIC, one, now);
	ask("calls per consumer and day", REPORT_CALLS, plain, now);
	ask("response times, 24 hours", REPORT_LATENCY, plain, now);
	ask("over their limit, 14 days", REPORT_EXCEEDERS, plain, now);
	ask("failing backends, 7 days", REPORT_FAILURES, plain, now);
	if (raw) {
		look_up("one call by its request id", raw, now, false);
		look_up("one call by the id that the caller gave it", raw, now, true);
		list_calls("the newest calls", (struct store_calls_filter){ .limit = 100 }, 100);
		list_calls("the newest calls of a subscription", (struct store_calls_filter){ .subscription = STR_INIT("sub-17"), .limit = 100 }, 100);
		list_calls("the newest failures", (struct store_calls_filter){ .status = 5, .limit = 100 }, 100);
		list_calls("calls of an hour ago", (struct store_calls_filter){ .from_us = now - 2 * HOUR_US, .to_us = now - HOUR_US, .limit = 100 },
			   raw > 3600000 ? 100 : 0);
		list_calls("a status that nobody got", (struct store_calls_filter){ .status = 418 }, 0);
		prune_some();
	}
	store_free(store);
	return 0;
}
