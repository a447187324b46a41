/* Settings from defaults, file and environment; and the "did you mean" of every error message. */
#include "tests/unit/check.h"

#include "core/config.h"
#include "core/suggest.h"

#include <stdlib.h>
#include <unistd.h>

static const char *path_of_test(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "/tmp/gatehouse-config-%d", (int)getpid());
	return path;
}

static void write_file(const char *text)
{
	FILE *f = fopen(path_of_test(), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void files(void **state UNUSED)
{
	static const struct {
		const char *label, *text, *error;        /* error: what the message must hold */
		int64_t want;                            /* gateway.max_in_flight */
	} rows[] = {
		{ "empty file keeps the default", "", NULL, 8192 },
		{ "a value", "gateway.max_in_flight = 7\n", NULL, 7 },
		{ "comment, blank line, no newline at the end", "# x\n\n gateway.max_in_flight=8", NULL, 8 },
		{ "powers of 1024", "gateway.max_in_flight = 2k\n", NULL, 2048 },
		{ "below the least", "gateway.max_in_flight = 0\n", "from 1 to 1000000, not \"0\"", 0 },
		{ "overflow", "gateway.max_in_flight = 99999999999G\n", "must be a number", 0 },
		{ "near miss", "\ngateway.max_inflight = 1\n", ":2:1: error: there is no setting \"gateway.max_inflight\"; "
		  "did you mean gateway.max_in_flight?", 0 },
		{ "no equals sign", "gateway\n", ":1:1: error: expected", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 20);
		struct gh_err err = { 0 };
		struct config c;
		gh_rc rc;

		write_file(rows[i].text);
		rc = config_load(&c, a, path_of_test(), &err);
		CHECK_INT(rows[i].label, rc.code != GH_OK, rows[i].error != NULL);
		if (rows[i].error)
			CHECK(err.message, strstr(err.message, rows[i].error) != NULL);
		else
			CHECK_INT(rows[i].label, config_int(&c, CONFIG_GATEWAY_MAX_IN_FLIGHT), rows[i].want);
		arena_free(a);
	}
	unlink(path_of_test());
	check_done();
}

static void environment(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	struct gh_err err;
	struct config c;

	setenv("GATEHOUSE_GATEWAY_MAX_IN_FLIGHT", "99", 1);
	setenv("GATEHOUSE_LOG_LEVEL", "debug", 1);
	write_file("gateway.max_in_flight = 7\n");
	assert_int_equal(config_load(&c, a, path_of_test(), &err).code, GH_OK);
	CHECK_INT("environment wins over the file", config_int(&c, CONFIG_GATEWAY_MAX_IN_FLIGHT), 99);
	CHECK_STR("text", config_text(&c, CONFIG_LOG_LEVEL), STR("debug"));
	setenv("GATEHOUSE_GATEWAY_MAX_IN_FLIGHT", "many", 1);
	CHECK_INT("a wrong value is an error", config_load(&c, a, NULL, &err).code, GH_E_INVALID);
	unsetenv("GATEHOUSE_GATEWAY_MAX_IN_FLIGHT");
	unsetenv("GATEHOUSE_LOG_LEVEL");
	CHECK_INT("no file is fine", config_load(&c, a, "/nonexistent", &err).code, GH_OK);
	unlink(path_of_test());
	arena_free(a);
	check_done();
}

static void suggestions(void **state UNUSED)
{
	static const char *const names[] = { "calls", "renewal-period", "counter-key", "Length", NULL };
	static const struct {
		struct str wrong;
		const char *want;
	} rows[] = {
		{ STR_INIT("call"), "calls" },           { STR_INIT("clals"), "calls" },
		{ STR_INIT("renewal_period"), "renewal-period" }, { STR_INIT("LENGTH"), "Length" },
		{ STR_INIT("Lenght"), "Length" },        { STR_INIT("zzz"), NULL },
		{ STR_INIT(""), NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_STR(rows[i].wrong.p, str_of(suggest(rows[i].wrong, names)), str_of(rows[i].want));
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),
		cmocka_unit_test(environment),
		cmocka_unit_test(suggestions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
