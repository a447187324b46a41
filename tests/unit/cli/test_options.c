/* The command line: what is taken, what is refused, with which words. */
#include "tests/unit/check.h"

#include "cli/options.h"

static const struct option table[] = {
	{ "name", OPTION_TEXT, "NAME", "text", false },
	{ "count", OPTION_INT, "N", "number", false },
	{ "mode", OPTION_TEXT, "auto|manual", "choice", false },
	{ "api", OPTION_MANY, "ID", "many", false },
	{ "quiet", OPTION_FLAG, NULL, "flag", false },
	{ "f", OPTION_FLAG, NULL, "short", false },
	OPTION_END,
};
static const struct option needy[] = {
	{ "admin", OPTION_TEXT, "EMAIL", "needed", true },
	OPTION_END,
};
static const struct option common[] = {
	{ "state", OPTION_TEXT, "DIR", "directory", false },
	OPTION_END,
};

static gh_rc parse(struct options *o, struct arena *a, const struct option *t, const char *line, struct gh_err *err)
{
	static char words[32][64];
	static char *argv[32];
	struct str rest = str_of(line), word;
	int argc = 0;

	while (rest.n && str_split(&rest, ' ', &word)) {
		snprintf(words[argc], sizeof(words[argc]), "%.*s", STR_ARG(word));
		argv[argc] = words[argc];
		argc++;
	}
	return options_parse(o, a, t, common, argc, argv, err);
}

static void accepted(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	struct gh_err err = { 0 };
	struct options o;

	CHECK_INT("nothing", parse(&o, a, table, "", &err).code, GH_OK);
	CHECK_INT("nothing", o.n_args, 0);
	CHECK("not given", !option_text(&o, "name"));
	CHECK_STR("otherwise", str_of(option_text_or(&o, "name", "x")), STR("x"));
	CHECK_INT("otherwise", option_int(&o, "count", 7), 7);

	CHECK_INT("mixed", parse(&o, a, table, "one --name Ann --count=5 two --quiet -f --api a --api=b --state /s", &err).code, GH_OK);
	CHECK_INT("arguments", o.n_args, 2);
	CHECK_STR("second argument", str_of(o.args[1]), STR("two"));
	CHECK_STR("text", str_of(option_text(&o, "name")), STR("Ann"));
	CHECK_INT("number", option_int(&o, "count", 7), 5);
	CHECK("flags", option_flag(&o, "quiet") && option_flag(&o, "f"));
	CHECK_STR("second of many", str_of(option_nth(&o, "api", 1)), STR("b"));
	CHECK("past the last", !option_nth(&o, "api", 2));
	CHECK_STR("common", str_of(option_text(&o, "state")), STR("/s"));

	CHECK_INT("end of options", parse(&o, a, table, "-- --name - x", &err).code, GH_OK);
	CHECK_INT("arguments", o.n_args, 3);
	CHECK_INT("standard input", parse(&o, a, table, "-", &err).code, GH_OK);
	CHECK_STR("standard input", str_of(o.args[0]), STR("-"));
	CHECK_INT("empty value", parse(&o, a, table, "--name=", &err).code, GH_OK);
	CHECK_STR("empty value", str_of(option_text(&o, "name")), STR(""));
	CHECK_INT("a value that looks like an option", parse(&o, a, table, "--name --quiet", &err).code, GH_OK);
	CHECK_STR("is a value", str_of(option_text(&o, "name")), STR("--quiet"));
	CHECK_INT("help", parse(&o, a, needy, "--help", &err).code, GH_OK);
	CHECK("help needs nothing else", o.help);
	arena_free(a);
	check_done();
}

static void refused(void **state UNUSED)
{
	static const struct {
		const char *line;
		struct str message;
	} rows[] = {
		{ "--nmae x", STR_INIT("unknown option --nmae; did you mean --name?") },
		{ "--stat x", STR_INIT("unknown option --stat; did you mean --state?") },
		{ "--zzzzzzzzzzzz", STR_INIT("unknown option --zzzzzzzzzzzz") },
		{ "-quiet", STR_INIT("unknown option -quiet; did you mean --quiet?") },
		{ "--f", STR_INIT("unknown option --f; did you mean -f?") },
		{ "--name", STR_INIT("--name needs a value: NAME") },
		{ "--quiet=1", STR_INIT("--quiet takes no value") },
		{ "--count x", STR_INIT("--count takes a number, not 'x'") },
		{ "--count -1", STR_INIT("--count takes a number, not '-1'") },
		{ "--count 9223372036854775808", STR_INIT("--count takes a number, not '9223372036854775808'") },
		{ "--mode later", STR_INIT("--mode takes auto|manual, not 'later'") },
		{ "--mode auto|manual", STR_INIT("--mode takes auto|manual, not 'auto|manual'") },
		{ "--name a --name b", STR_INIT("--name is given twice") },
	};
	struct arena *a = arena_new(1 << 20);
	struct gh_err err = { 0 };
	struct options o;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(rows[i].line, parse(&o, a, table, rows[i].line, &err).code, GH_E_SYNTAX);
		CHECK_STR(rows[i].line, str_of(err.message), rows[i].message);
	}
	CHECK_INT("needed", parse(&o, a, needy, "x", &err).code, GH_E_SYNTAX);
	CHECK_STR("needed", str_of(err.message), STR("--admin EMAIL is needed"));
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(accepted), cmocka_unit_test(refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
