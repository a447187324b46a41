/* Settings of loggers and how messages leave. */
#include "tests/unit/check.h"

#include "core/clock.h"
#include "core/logger.h"
#include "core/str.h"

static void settings_are_checked(void **state UNUSED)
{
	static const struct {
		const char *label;
		enum logger_kind kind;
		const char *text, *secrets, *why;    /* why NULL: good */
	} cases[] = {
		{ "an http logger", LOGGER_HTTP, "{\"url\":\"https://logs.example/x\",\"headers\":{\"A\":\"b\"}}", "{\"C\":\"d\"}", NULL },
		{ "no url", LOGGER_HTTP, "{}", NULL, "`url`" },
		{ "another scheme", LOGGER_HTTP, "{\"url\":\"file:///etc\"}", NULL, "`url`" },
		{ "a password in the url", LOGGER_HTTP, "{\"url\":\"http://a:b@x/\"}", NULL, "password" },
		{ "a header of two lines", LOGGER_HTTP, "{\"url\":\"http://x/\"}", "{\"A\":\"b\\r\\nC: d\"}", "control character" },
		{ "a header without a name", LOGGER_HTTP, "{\"url\":\"http://x/\"}", "{\"\":\"b\"}", "no name" },
		{ "secrets that are no object", LOGGER_HTTP, "{\"url\":\"http://x/\"}", "[1]", "object" },
		{ "a time-out of 0", LOGGER_HTTP, "{\"url\":\"http://x/\",\"timeoutMs\":0}", NULL, "`timeoutMs`" },
		{ "a file", LOGGER_FILE, "{\"path\":\"/var/log/x\"}", NULL, NULL },
		{ "a relative path", LOGGER_FILE, "{\"path\":\"x\"}", NULL, "`path`" },
		{ "a file is no array", LOGGER_FILE, "{\"path\":\"/x\",\"format\":\"json\"}", NULL, "`format`" },
		{ "a file too small to be moved aside", LOGGER_FILE, "{\"path\":\"/x\",\"maxBytes\":65535}", NULL, "`maxBytes`" },
		{ "the least file", LOGGER_FILE, "{\"path\":\"/x\",\"maxBytes\":65536}", NULL, NULL },
		{ "a unix socket", LOGGER_SYSLOG, "{\"address\":\"unix:/dev/log\"}", NULL, NULL },
		{ "an IPv6 address", LOGGER_SYSLOG, "{\"address\":\"tcp://[::1]:601\"}", NULL, NULL },
		{ "no port", LOGGER_SYSLOG, "{\"address\":\"udp://x\"}", NULL, "`address`" },
		{ "another transport", LOGGER_SYSLOG, "{\"address\":\"tls://x:1\"}", NULL, "`address`" },
		{ "an unknown facility", LOGGER_SYSLOG, "{\"address\":\"udp://x:1\",\"facility\":\"local9\"}", NULL, "no facility" },
		{ "a blank in the name", LOGGER_SYSLOG, "{\"address\":\"udp://x:1\",\"appName\":\"a b\"}", NULL, "`appName`" },
		{ "no JSON", LOGGER_FILE, "{", NULL, "" },
	};
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct logger_settings s;
		struct gh_err err = { 0 };
		gh_rc rc = logger_settings_read(a, cases[i].kind, str_of(cases[i].text), str_of(cases[i].secrets), &s, &err);

		CHECK(cases[i].label, cases[i].why ? rc.code && strstr(err.message, cases[i].why) : !rc.code);
	}
	arena_free(a);
	check_done();
}

static void messages_leave_as_their_format_says(void **state UNUSED)
{
	static const struct {
		const char *label;
		enum logger_kind kind;
		const char *settings;
		struct str text;
		const char *want;
	} cases[] = {
		{ "a JSON line", LOGGER_FILE, "{\"path\":\"/x\"}", STR_INIT("a\n\"b\""),
		  "{\"time\":\"1970-01-01T00:00:01.500000Z\",\"logger\":\"l\",\"requestId\":\"r\",\"partitionKey\":\"k\\\"]\","
		  "\"message\":\"a\\n\\\"b\\\"\"}\n" },
		{ "bytes that are no text", LOGGER_HTTP, "{\"url\":\"http://x/\",\"format\":\"json\"}", STR_INIT("\xff"),
		  "{\"time\":\"1970-01-01T00:00:01.500000Z\",\"logger\":\"l\",\"requestId\":\"r\",\"partitionKey\":\"k\\\"]\","
		  "\"message\":\"\xEF\xBF\xBD\"}" },
		{ "a bare line stays one line", LOGGER_FILE, "{\"path\":\"/x\",\"format\":\"lines\"}", STR_INIT("a\r\nb"), "a  b\n" },
		{ "syslog", LOGGER_SYSLOG, "{\"address\":\"udp://x:1\",\"facility\":\"mail\",\"appName\":\"gw\"}", STR_INIT("m"),
		  "<22>1 1970-01-01T00:00:01.500000Z host gw - log-to-eventhub [gatehouse@32473 logger=\"l\" requestId=\"r\" "
		  "partitionKey=\"k\\\"\\]\"] \xEF\xBB\xBFm" },
		{ "syslog of bytes that are no UTF-8", LOGGER_SYSLOG, "{\"address\":\"udp://x:1\",\"sdId\":\"s@1\"}", STR_INIT("\xff"),
		  "<134>1 1970-01-01T00:00:01.500000Z host gatehouse - log-to-eventhub [s@1 logger=\"l\" requestId=\"r\" "
		  "partitionKey=\"k\\\"\\]\"] \xff" },
	};
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct logger_event e = { .time_us = 1500000, .logger = STR("l"), .request_id = STR("r"), .partition_key = STR("k\"]"),
					  .text = cases[i].text };
		struct logger_settings s;
		struct gh_err err;
		struct buf b;

		buf_init(&b, 4096);
		CHECK(cases[i].label, !logger_settings_read(a, cases[i].kind, str_of(cases[i].settings), STR_NULL, &s, &err).code);
		logger_encode(&b, &s, &e, STR("host"));
		CHECK_STR(cases[i].label, buf_view(&b), str_of(cases[i].want));
		buf_release(&b);
	}
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_are_checked), cmocka_unit_test(messages_leave_as_their_format_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
