/* spool.h - a folder of segments of its own under /tmp, and a writer in it. */
#pragma once

#include "tests/unit/check.h"

#include "core/clock.h"
#include "core/telemetry.h"
#include "core/telemetry_impl.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static struct arena *arena;

static int begin(void **state UNUSED)
{
	snprintf(dir, sizeof(dir), "/tmp/gatehouse-telemetry-XXXXXX");
	assert_non_null(mkdtemp(dir));
	arena = arena_new(1 << 24);
	return 0;
}

static int end(void **state UNUSED)
{
	struct str *names;
	size_t n;

	assert_int_equal(segments_list(arena, dir, &names, &n, NULL).code, GH_OK);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(segment_remove(dir, names[i], NULL).code, GH_OK);
	rmdir(dir);
	arena_free(arena);
	return 0;
}

static struct telemetry *open_writer(size_t segment, uint64_t total)
{
	struct telemetry *t = NULL;
	struct gh_err err = { .message = "" };

	if (telemetry_open(dir, &(struct telemetry_options){ segment, total }, &t, &err).code)
		fail_msg("%s", err.message);
	return t;
}

static struct telemetry_call sample(int i)
{
	struct telemetry_call c = { .started_us = 1700000000000000 + i, .bytes_in = 1, .bytes_out = UINT64_MAX, .total_us = 7,
				    .gateway_us = 8, .backend_us = 9, .status = 200, .backend_status = 201, .attempts = 2,
				    .origin = TELEMETRY_BY_BACKEND, .cache = TELEMETRY_CACHE_MISS };

	c.request_id = STR("6f9619ff-8b86-d011-b42d-00cf4fc964ff");
	c.api = STR("orders");
	c.method = STR("GET");
	c.path = STR("/orders/7");
	c.client_ip = STR("2001:db8::1");
	c.web = STR("https 8443\n/api/orders/{id}\nx=1\nhttp://b/orders/7\nhttp://c/orders/7\n");
	return c;
}
