/* traffic.c - plays days of traffic with a shifted clock and known totals into the spool of a state directory, from where its
 * keeper takes them as it takes those of workers, and prints the ledger: what every report must show.
 *
 *     traffic STATE_DIR END_S DAYS      END_S: first second behind the last day (midnight, UTC)
 *
 *   planning    asks the ERP all day, more on some days than on others
 *   mes         asks the MES each few minutes; its times are spread, and most of them are the backend's
 *   partner-b   is over its limit on 11 of 14 days from 9 to 11; partner-c once
 *   old-app     calls orders-v1, which is deprecated
 *   the ERP fails for 5 % of the calls from 0 to 5 o'clock
 *
 * The ledger is counted here, from the calls as they are made, and by nothing of the store. */
#include "core/arena.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/str.h"
#include "core/telemetry.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { DAYS_MAX = 400, TIMES_MAX = 2000000, MINUTES = 1440, LIMIT_A_MINUTE = 20, WANTED_A_MINUTE = 29 };

struct day {
	int64_t calls, refused, bytes_in, bytes_out;
};

struct consumer {
	const char *id, *api, *operation, *backend, *version;
	struct day days[DAYS_MAX];
	int64_t calls, total_us, gateway_us, backend_us, backend_calls;
	uint32_t *totals, *gateways, *backends;      /* of each call */
	size_t n_backend;
};

static struct consumer consumers[] = {
	{ .id = "planning", .api = "erp", .operation = "post-order", .backend = "bc365", .version = "v2" },
	{ .id = "mes", .api = "mes", .operation = "get-status", .backend = "mes-backend", .version = "" },
	{ .id = "partner-b", .api = "stock", .operation = "get-stock", .backend = "wms", .version = "" },
	{ .id = "partner-c", .api = "stock", .operation = "get-stock", .backend = "wms", .version = "" },
	{ .id = "old-app", .api = "orders-v1", .operation = "list-orders", .backend = "bc365", .version = "v1" },
};
enum { PLANNING, MES, PARTNER_B, PARTNER_C, OLD_APP, CONSUMERS };

static struct {
	struct telemetry *t;
	int64_t first_s;
	int days;
	uint64_t seed;
	unsigned long made;
	int64_t erp_calls[24], erp_errors[24];
} g;

static uint32_t chance(uint32_t below)               /* the same numbers on every machine */
{
	g.seed = g.seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(g.seed >> 33) % below;
}

static void put(const struct telemetry_call *c)
{
	static const struct timespec pause = { .tv_nsec = 2000000 };

	while (!telemetry_put(g.t, c))               /* the spool is full until the keeper has read it */
		nanosleep(&pause, NULL);
}

/* One call: `refused` by the limit, or `failed` by the backend, or fine. */
static void play(int who, int day, int minute, bool refused, bool failed)
{
	struct consumer *k = &consumers[who];
	uint32_t gateway = 300 + chance(900), backend = refused ? 0 : 5000 + chance(40000) + (chance(50) == 0 ? 400000 + chance(200000) : 0);
	char id[32];
	struct telemetry_call c = {
		.started_us = (g.first_s + (int64_t)day * 86400 + minute * 60) * 1000000 + chance(59000000), .bytes_in = 100 + chance(400),
		.bytes_out = refused ? 90 : 1000 + chance(9000), .gateway_us = gateway, .backend_us = backend, .total_us = gateway + backend,
		.first_byte_us = backend / 2, .status = refused ? 429 : failed ? 502 : 200, .backend_status = failed || refused ? 0 : 200,
		.attempts = !refused, .origin = refused ? TELEMETRY_BY_GATEWAY : failed ? TELEMETRY_BACKEND_FAILED : TELEMETRY_BY_BACKEND,
		.environment = STR("default"), .api = str_of(k->api), .version = str_of(k->version), .revision = STR("1"),
		.operation = str_of(k->operation), .product = STR("partners"), .subscription = str_of(k->id), .user = STR("u-1"),
		.application = str_of(k->id), .backend = refused ? STR("") : str_of(k->backend), .method = STR("GET"), .host = STR("gw.example"),
		.path = STR("/api/x"), .reason = refused ? STR("RateLimitExceeded") : failed ? STR("backend_connect") : STR(""),
		.client_ip = STR("192.0.2.7"), .key_prefix = STR("k-1234"),
	};
	struct day *d = &k->days[day];

	c.request_id = (struct str){ id, (size_t)snprintf(id, sizeof(id), "play-%lu", g.made++) };
	c.bytes_in += (uint64_t)who;
	d->calls++;
	d->refused += refused;
	d->bytes_in += (int64_t)c.bytes_in;
	d->bytes_out += (int64_t)c.bytes_out;
	if (k->calls < TIMES_MAX) {
		k->totals[k->calls] = c.total_us;
		k->gateways[k->calls] = c.gateway_us;
	}
	if (!refused && k->n_backend < TIMES_MAX)
		k->backends[k->n_backend++] = c.backend_us;
	k->calls++;
	k->total_us += c.total_us;
	k->gateway_us += c.gateway_us;
	k->backend_us += c.backend_us;
	k->backend_calls += !refused;
	if (!refused && strcmp(k->backend, "bc365") == 0) {
		g.erp_calls[minute / 60]++;
		g.erp_errors[minute / 60] += failed;
	}
	put(&c);
}

/* So many calls wanted in the minute, of which the limit lets through LIMIT_A_MINUTE. */
static void play_limited(int who, int day, int minute, int wanted)
{
	for (int i = 0; i < wanted; i++)
		play(who, day, minute, i >= LIMIT_A_MINUTE, false);
}

static void play_day(int day)
{
	bool b_over = day % 14 != 2 && day % 14 != 6 && day % 14 != 9;           /* 11 of 14 */

	for (int m = 0; m < MINUTES; m++) {
		int hour = m / 60;

		if (m % (2 + day % 3) == 0)
			play(PLANNING, day, m, false, hour < 5 && chance(20) == 0);
		if (m % 5 == 0)
			play(MES, day, m, false, false);
		if (m % 30 == 0)
			play(OLD_APP, day, m, false, false);
		if (m % 10 == 0)
			play_limited(PARTNER_B, day, m, b_over && (hour == 9 || hour == 10) ? WANTED_A_MINUTE : 3);
		if (m % 10 == 5)
			play_limited(PARTNER_C, day, m, day == 4 && hour == 15 ? WANTED_A_MINUTE : 2);
	}
}

/* ---- the ledger ---------------------------------------------------------------------------------------------------------------- */

static int by_size(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return (a > b) - (a < b);
}

static json_t *times(uint32_t *v, size_t n, int64_t sum_us)
{
	static const struct {
		const char *name;
		double q;
	} rows[] = { { "p50Ms", 0.5 }, { "p95Ms", 0.95 }, { "p99Ms", 0.99 } };
	json_t *o = json_object();

	qsort(v, n, sizeof(*v), by_size);
	json_object_set_new(o, "averageMs", json_real(n ? (double)sum_us / 1000 / (double)n : 0));
	for (size_t i = 0; n && i < ARRAY_LEN(rows); i++) {
		size_t rank = (size_t)(rows[i].q * (double)n);

		rank += (double)rank < rows[i].q * (double)n || !rank;
		json_object_set_new(o, rows[i].name, json_real((double)v[rank - 1] / 1000));
	}
	return o;
}

static json_t *consumer_ledger(struct consumer *k)
{
	json_t *days = json_array(), *o = json_object();
	struct day all = { 0 };

	for (int i = 0; i < g.days; i++) {
		const struct day *d = &k->days[i];
		char when[CLOCK_ISO_MAX];

		clock_iso((g.first_s + (int64_t)i * 86400) * 1000000, 0, when);
		json_array_append_new(days, json_pack("{s:s%,s:I,s:I,s:I,s:I}", "day", when, (size_t)10, "calls", (json_int_t)d->calls, "refused",
						      (json_int_t)d->refused, "bytesIn", (json_int_t)d->bytes_in, "bytesOut", (json_int_t)d->bytes_out));
		all.calls += d->calls;
		all.refused += d->refused;
		all.bytes_in += d->bytes_in;
		all.bytes_out += d->bytes_out;
	}
	json_object_set_new(o, "days", days);
	json_object_set_new(o, "calls", json_integer(all.calls));
	json_object_set_new(o, "refused", json_integer(all.refused));
	json_object_set_new(o, "bytesIn", json_integer(all.bytes_in));
	json_object_set_new(o, "bytesOut", json_integer(all.bytes_out));
	json_object_set_new(o, "total", times(k->totals, (size_t)k->calls, k->total_us));
	json_object_set_new(o, "gateway", times(k->gateways, (size_t)k->calls, k->gateway_us));
	json_object_set_new(o, "backend", times(k->backends, k->n_backend, k->backend_us));
	return o;
}

static void print_ledger(void)
{
	json_t *o = json_object(), *who = json_object(), *hours = json_array();
	struct buf b;

	for (int i = 0; i < CONSUMERS; i++)
		json_object_set_new(who, consumers[i].id, consumer_ledger(&consumers[i]));
	for (int h = 0; h < 24; h++)
		json_array_append_new(hours, json_pack("{s:I,s:I}", "calls", (json_int_t)g.erp_calls[h], "errors", (json_int_t)g.erp_errors[h]));
	json_object_set_new(o, "calls", json_integer((json_int_t)g.made));
	json_object_set_new(o, "consumers", who);
	json_object_set_new(o, "erpHours", hours);
	json_object_set_new(o, "wantedPerMinute", json_integer(WANTED_A_MINUTE));
	json_object_set_new(o, "servedPerMinute", json_integer(LIMIT_A_MINUTE));
	buf_init(&b, 64 << 20);
	jsn_write(&b, o, 0);
	printf("%s\n", buf_view(&b).p);
	buf_release(&b);
	json_decref(o);
}

int main(int argc, char **argv)
{
	struct telemetry_options o = { .segment_bytes = 4 << 20, .total_bytes = 64 << 20 };
	char dir[4096];
	struct gh_err err;
	int64_t end_s, days;

	if (argc != 4 || !str_to_i64(str_of(argv[2]), 86400, INT64_MAX / 2000000, &end_s) || !str_to_i64(str_of(argv[3]), 1, DAYS_MAX, &days)) {
		fprintf(stderr, "usage: traffic STATE_DIR END_S DAYS\n");
		return 2;
	}
	g.days = (int)days;
	g.first_s = end_s - days * 86400;
	g.seed = 42;
	snprintf(dir, sizeof(dir), "%s/telemetry", argv[1]);
	if (telemetry_open(dir, &o, &g.t, &err).code) {
		fprintf(stderr, "traffic: %s\n", err.message);
		return 1;
	}
	for (int i = 0; i < CONSUMERS; i++) {
		consumers[i].totals = calloc(TIMES_MAX, sizeof(uint32_t));
		consumers[i].gateways = calloc(TIMES_MAX, sizeof(uint32_t));
		consumers[i].backends = calloc(TIMES_MAX, sizeof(uint32_t));
	}
	for (int i = 0; i < g.days; i++)
		play_day(i);
	telemetry_close(g.t);
	print_ledger();
	for (int i = 0; i < CONSUMERS; i++) {
		free(consumers[i].totals);
		free(consumers[i].gateways);
		free(consumers[i].backends);
	}
	return 0;
}
