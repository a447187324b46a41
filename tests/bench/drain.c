/* drain.c - what the record of a call costs, in processor time: for the gateway that writes it, for the keeper that takes it in,
 * and in bytes of the store.
 *
 *     drain STATE_DIR CALLS [PLACES]        a fresh state directory with a store; PLACES: of how many kinds calls are (20)
 *
 * Calls are as a gateway behind a product with a key makes them. They are written into the spool and taken out of it a part at a
 * time, as many as a busy second brings. Processor time, so that what else the machine does is not counted; for instructions:
 * valgrind --tool=callgrind --toggle-collect=drain_once (or telemetry_put). */
#include "core/arena.h"
#include "core/clock.h"
#include "core/str.h"
#include "keeper/drain.h"
#include "tests/bench/common.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { PART = 8192, NAMES = 32 };

/* Of this thread: another one makes the files that records are written into, beside the gateway's loop. */
static int64_t used_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000) + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

struct names {
	char id[40], trace[40], api[NAMES], operation[NAMES], subscription[40], path[64], tries[48], ip[NAMES], limits[64];
};

#define TEXT(to, ...) (struct str){ (to), (size_t)snprintf((to), sizeof(to), __VA_ARGS__) }

/* The keeper rests between calls that have just happened: these happened an hour ago. */
static struct telemetry_call call_of(uint64_t i, unsigned places, struct names *n)
{
	int64_t at_us = clock_wall_us() - INT64_C(3600000000);
	unsigned place = chance(places);
	struct telemetry_call c = {
		.started_us = at_us, .bytes_out = 1024, .backend_bytes_in = 1024, .gateway_us = 60 + chance(60), .backend_us = 200 + chance(400),
		.first_byte_us = 150 + chance(50), .status = 200, .backend_status = 200, .attempts = 1, .origin = TELEMETRY_BY_BACKEND,
		.environment = STR("default"), .revision = STR("1"), .product = STR("unlimited"), .user = STR("5c9de2a1-8a0e-4ab6-9d53-1f0b5f1d2d10"),
		.backend = STR("http://127.0.0.1:8080"), .method = STR("GET"), .host = STR("127.0.0.1:8000"), .key_prefix = STR("gh_4kQ2x"),
	};

	c.total_us = c.gateway_us + c.backend_us;
	c.request_id = TEXT(n->id, "%08llx-%04llx-7%03x-8%03x-%012llx", (unsigned long long)(at_us / 1000) >> 16,
			    (unsigned long long)(at_us / 1000) & 0xffff, chance(4096), chance(4096), (unsigned long long)i);
	c.trace_id = TEXT(n->trace, "%.8s%.4s%.4s%.4s%.12s", n->id, n->id + 9, n->id + 14, n->id + 19, n->id + 24);
	c.api = TEXT(n->api, "api-%u", place % 7);
	c.operation = TEXT(n->operation, "get-%u", place % 3);
	c.subscription = TEXT(n->subscription, "%08x-7d53-4f0b-9f1d-2d105c9de2a1", place);
	c.path = TEXT(n->path, "/api/unlimited/orders/%u", chance(100000));
	c.tries = TEXT(n->tries, "%08x%08x %u", chance(1U << 30), chance(1U << 30), 40 + chance(20));
	c.client_ip = TEXT(n->ip, "10.0.%u.%u", place / 250, place % 250 + 1);
	c.limits = TEXT(n->limits, "rate: %u of 1000000000 left in 60 s", chance(1000000));
	return c;
}

static struct telemetry *t;

static int64_t put_part(uint64_t from, uint64_t n, unsigned places)
{
	struct names *names = calloc(n, sizeof(*names));
	struct telemetry_call *calls = calloc(n, sizeof(*calls));
	int64_t began;

	if (!names || !calls)
		exit(1);
	for (uint64_t i = 0; i < n; i++)
		calls[i] = call_of(from + i, places, &names[i]);
	began = used_us();
	for (uint64_t i = 0; i < n; i++)
		if (!telemetry_put(t, &calls[i]))
			exit(1);
	began = used_us() - began;
	free(names);
	free(calls);
	return began;
}

int main(int argc, char **argv)
{
	struct telemetry_options o = { .segment_bytes = 8 << 20, .total_bytes = 64 << 20 };
	struct store_telemetry_stats before, after;
	int64_t put_us = 0, drain_us = 0;
	uint64_t calls, places = 20;
	struct store *store;
	struct gh_err err;
	char dir[4096];

	if (argc < 3 || argc > 4 || !str_to_u64(str_of(argv[2]), 1000000000, &calls) || !calls
	    || (argc == 4 && (!str_to_u64(str_of(argv[3]), 100000, &places) || !places))) {
		fprintf(stderr, "usage: drain STATE_DIR CALLS [PLACES]\n");
		return 2;
	}
	snprintf(dir, sizeof(dir), "%s/telemetry", argv[1]);
	must(store_open(&store, argv[1], STORE_WRITE, &err), &err);
	must(telemetry_open(dir, &o, &t, &err), &err);
	must(store_telemetry_sizes(store, &before, &err), &err);
	for (uint64_t done = 0; done < calls; done += PART) {
		uint64_t n = calls - done < PART ? calls - done : PART;
		struct drain d = { .store = store, .dir = dir, .keep_calls = true };
		struct drain_result r = { .more = true };
		int64_t began;

		put_us += put_part(done, n, (unsigned)places);
		began = used_us();
		while (r.more)
			must(drain_once(&d, &r, &err), &err);
		drain_us += used_us() - began;
	}
	telemetry_close(t);
	must(store_telemetry_sizes(store, &after, &err), &err);
	if (after.calls - before.calls != (int64_t)calls) {
		fprintf(stderr, "drain: %lld of %llu calls are stored\n", (long long)(after.calls - before.calls), (unsigned long long)calls);
		return 1;
	}
	printf("{\"kinds\":%llu,\"calls\":%llu,\"putNs\":%.0f,\"drainUs\":%.2f,\"bytes\":%.0f}\n", (unsigned long long)places, (unsigned long long)calls, 1000.0 * (double)put_us / (double)calls,
	       (double)drain_us / (double)calls, (double)(after.bytes - before.bytes) / (double)calls);
	store_free(store);
	return 0;
}
