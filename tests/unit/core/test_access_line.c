/* Formats of access logs: what is understood, and that no value can make a line or a field of its own. */
#include "tests/unit/check.h"

#include "core/access_line.h"
#include "core/arena.h"
#include "core/buf.h"

static void lines(void **state UNUSED)
{
	static const struct {
		const char *label, *format, *want;       /* want NULL: refused */
	} rows[] = {
		{ "common", "common", "203.0.113.9 - ann [14/Nov/2023:22:13:20 +0000] \"GET /a\\\"b\\\\\\x0A HTTP/1.1\" 200 12" },
		{ "combined", "combined", "203.0.113.9 - ann [14/Nov/2023:22:13:20 +0000] \"GET /a\\\"b\\\\\\x0A HTTP/1.1\" 200 12 \"-\" \"-\"" },
		{ "own", "$status $api ${total_us}us $origin/$cache $time", "200 - 7us backend/hit 2023-11-14T22:13:20.000001Z" },
		{ "a dollar", "$$$status$$", "$200$" },
		{ "names side by side", "$status$method", "200GET" },
		{ "an unknown value", "$nothing", NULL },
		{ "an end within braces", "${status", NULL },
		{ "a dollar at the end", "$status$", NULL },
		{ "no value at all", "hello", NULL },
		{ "nothing", "", NULL },
		{ "two lines", "$status\n$api", NULL },
	};
	const struct telemetry_call call = { .started_us = 1700000000000001, .status = 200, .bytes_out = 12, .total_us = 7, .cache = TELEMETRY_CACHE_HIT,
					     .origin = TELEMETRY_BY_BACKEND, .client_ip = STR("203.0.113.9"), .user = STR("ann"),
					     .method = STR("GET"), .path = STR("/a\"b\\\n") };
	struct arena *a = arena_new(1 << 20);
	struct gh_err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct access_format *f;
		struct buf b;
		bool ok = !access_format_parse(a, str_of(rows[i].format), &f, &err).code;

		CHECK(rows[i].label, ok == (rows[i].want != NULL));
		if (!ok || !rows[i].want)
			continue;
		buf_init(&b, 4096);
		access_line(&b, f, &call);
		CHECK_STR(rows[i].label, buf_view(&b), str_of(rows[i].want));
		buf_release(&b);
	}
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lines) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
