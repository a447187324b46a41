/* minute.h - traffic for tests of totals. */
#pragma once

#include "tests/unit/db/fixture.h"

#include "db/rollup.h"

static const int64_t minute_us = 60000000;

/* Calls of one minute, some of them refused by the gateway or failed by the backend, each as long. */
static void UNUSED add_minute(struct fixture *f, int64_t at_us, const char *api, const char *subscription, int64_t calls, int64_t refused,
		       int64_t backend_errors, uint32_t latency_us)
{
	struct telemetry_call c = { .started_us = at_us, .environment = STR("default"), .api = str_of(api), .operation = STR("op"),
				    .subscription = str_of(subscription), .backend = STR("b"), .bytes_in = 10, .total_us = latency_us,
				    .status = 200, .origin = TELEMETRY_BY_BACKEND, .attempts = 1 };
	struct rollup *r = rollup_new(f->s, 0);

	assert_non_null(r);
	assert_true(rollup_add(r, &c, (uint32_t)(calls - refused - backend_errors)));
	c.status = 429;
	c.origin = TELEMETRY_BY_GATEWAY;
	assert_true(!refused || rollup_add(r, &c, (uint32_t)refused));
	c.status = 502;
	c.origin = TELEMETRY_BACKEND_FAILED;
	assert_true(!backend_errors || rollup_add(r, &c, (uint32_t)backend_errors));
	CHECK_OK(f, rollup_write(r, &f->err));
	rollup_free(r);
}
