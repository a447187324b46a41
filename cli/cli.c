/* cli.c - the `gatehouse` command: finds the command, parses its options, runs it, tells what went wrong. */
#include "cli/command.h"
#include "core/str.h"
#include "core/suggest.h"
#include "db/store.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_DONE, EXIT_REFUSED, EXIT_USAGE };
enum { OUT_MAX = 256 << 20, HELP_COLUMN = 36 };

#define COMMAND(name) extern const struct command command_##name;
#include "cli/commands.def"
#undef COMMAND

static const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "cli/commands.def"
#undef COMMAND
};

static const struct option common[] = {
	{ "state", OPTION_TEXT, "DIR", "state directory (GATEHOUSE_STATE, else ./var)", false },
	{ "format", OPTION_TEXT, "text|json", "how data is printed (text)", false },
	OPTION_END,
};

/* ---- what commands call ----------------------------------------------------------------------------------------------- */

static bool usage_failed;

gh_rc cli_usage(struct cli *c UNUSED, struct gh_err *err, const char *fmt, ...)
{
	char text[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	usage_failed = true;
	FAIL(err, SYNTAX, "%s", text);
}

void cli_warn(const struct cli *c UNUSED, const char *fmt, ...)
{
	char text[1000];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fprintf(stderr, "gatehouse: warning: %s\n", text);
}

GH_RC cli_flush(struct cli *c, struct gh_err *err)
{
	struct str left = buf_view(&c->out);

	if (!buf_ok(&c->out))
		FAIL(err, LIMIT, "the output is larger than %d bytes", OUT_MAX);
	while (left.n) {
		ssize_t n = write(STDOUT_FILENO, left.p, left.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			FAIL(err, IO, "standard output: %s", strerror(errno));
		left = str_from(left, (size_t)n);
	}
	buf_clear(&c->out);
	return GH_RC_OK;
}

static void close_store(void *arg)
{
	store_free(arg);
}

GH_RC cli_store(struct cli *c, bool writable, struct store **out, struct gh_err *err)
{
	TRY(store_open(out, c->state_dir, writable ? STORE_WRITE : STORE_READ, err));
	if (!arena_defer(c->arena, close_store, *out)) {
		store_free(*out);
		FAIL(err, NOMEM, "opening the store");
	}
	return GH_RC_OK;
}

const char *cli_actor(struct cli *c)
{
	const struct passwd *user = getpwuid(geteuid());
	struct str name = user ? arena_printf(c->arena, "cli:%s", user->pw_name)
			       : arena_printf(c->arena, "cli:%u", (unsigned)geteuid());

	return name.p ? name.p : "cli";
}

/* ---- help ------------------------------------------------------------------------------------------------------------- */

/* From the line's beginning to the column of explanations. What is wider has its explanation on a line of its own. */
static void to_column(struct buf *b, size_t start)
{
	if (b->n - start >= HELP_COLUMN) {
		buf_char(b, '\n');
		start = b->n;
	}
	while (b->n - start < HELP_COLUMN && buf_ok(b))
		buf_char(b, ' ');
}

static void help_option(struct buf *b, const struct option *t)
{
	size_t start = b->n;

	buf_fmt(b, "  %s%s", t->name[1] ? "--" : "-", t->name);
	if (t->kind != OPTION_FLAG)
		buf_fmt(b, " %s", t->value ? t->value : "VALUE");
	to_column(b, start);
	buf_fmt(b, "%s%s\n", t->help, t->required ? " (needed)" : t->kind == OPTION_MANY ? " (may be repeated)" : "");
}

static void help_command(struct buf *b, const struct command *k)
{
	buf_fmt(b, "gatehouse %s - %s\n\nUsage: gatehouse %s", k->name, k->summary, k->name);
	if (k->args)
		buf_fmt(b, " %s", k->args);
	buf_cstr(b, " [options]\n");
	if (k->help)
		buf_fmt(b, "\n%.*s\n", STR_ARG(str_trim(str_of(k->help))));
	buf_cstr(b, "\nOptions:\n");
	for (const struct option *t = k->options; t && t->name; t++)
		help_option(b, t);
	for (const struct option *t = common; t->name; t++)
		help_option(b, t);
	help_option(b, &(const struct option){ "help", OPTION_FLAG, NULL, "this text", false });
	if (k->more)
		k->more(b);
}

/* All commands, or those whose name begins with `group` and a blank. */
static size_t help_commands(struct buf *b, const char *group)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct command *k = commands[i];
		size_t start = b->n;

		if (k->hidden || (group && (strncmp(k->name, group, strlen(group)) != 0 || k->name[strlen(group)] != ' ')))
			continue;
		buf_fmt(b, "  %s%s%s", k->name, k->args ? " " : "", k->args ? k->args : "");
		to_column(b, start);
		buf_fmt(b, "%s\n", k->summary);
		n++;
	}
	return n;
}

static void help_all(struct buf *b)
{
	buf_cstr(b, "gatehouse - manage, run and check a Gatehouse installation\n\n"
		    "Usage: gatehouse COMMAND [arguments] [options]\n\nCommands:\n");
	help_commands(b, NULL);
	buf_cstr(b, "\nEvery command takes --state DIR, --format text|json and --help.\n");
}

/* ---- finding and running ---------------------------------------------------------------------------------------------- */

static const struct command *find(const char *first, const char *second, bool *took_second)
{
	char both[128];

	*took_second = true;
	snprintf(both, sizeof(both), "%.60s %.60s", first, second ? second : "");
	for (size_t i = 0; second && i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i]->name, both) == 0)
			return commands[i];
	*took_second = false;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i]->name, first) == 0)
			return commands[i];
	return NULL;
}

static int unknown_command(struct cli *c, const char *first, const char *second)
{
	const char *names[ARRAY_LEN(commands) + 1], *near;
	size_t n = 0;

	if (help_commands(&c->out, first)) {
		fprintf(stderr, "gatehouse: error: %s%s%s is not complete; there are:\n%s", first, second ? " " : "",
			second ? second : "", c->out.p);
		buf_clear(&c->out);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (!commands[i]->hidden)
			names[n++] = commands[i]->name;
	names[n] = NULL;
	near = suggest(str_of(first), names);
	if (!near && second) {
		struct str both = arena_printf(c->arena, "%.60s %.60s", first, second);

		near = suggest(both, names);
	}
	fprintf(stderr, "gatehouse: error: there is no command '%.80s'%s%s%s\nSee: gatehouse --help\n", first,
		near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	return EXIT_USAGE;
}

static gh_rc check_args(const struct cli *c, struct gh_err *err)
{
	const struct command *k = c->command;
	struct str rest, word;

	if (c->options.n_args < k->least_args)
		FAIL(err, SYNTAX, "too few arguments");
	if (c->options.n_args > k->most_args)
		FAIL(err, SYNTAX, "'%.80s' is one argument too many", c->options.args[k->most_args]);
	rest = str_of(k->args);
	for (size_t i = 0; i < c->options.n_args && str_word(&rest, &word); i++)
		if (!option_takes(word, c->options.args[i]))
			FAIL(err, SYNTAX, "'%.80s' is none of %.*s", c->options.args[i], STR_ARG(word));
	return GH_RC_OK;
}

static gh_rc prepare(struct cli *c, int argc, char **argv, struct gh_err *err)
{
	char *state = arena_alloc_text(c->arena, PATHS_MAX);

	TRY(options_parse(&c->options, c->arena, c->command->options, common, argc, argv, err));
	if (c->options.help)
		return GH_RC_OK;
	TRY(check_args(c, err));
	if (!state)
		FAIL(err, NOMEM, "starting");
	TRY(paths_state(option_text(&c->options, "state"), state, err));
	c->state_dir = state;
	c->json = strcmp(option_text_or(&c->options, "format", "text"), "json") == 0;
	return GH_RC_OK;
}

static int run(struct cli *c, int argc, char **argv)
{
	struct gh_err err = { 0 }, flush_err = { 0 };
	gh_rc rc = prepare(c, argc, argv, &err);

	if (rc.code) {
		fprintf(stderr, "gatehouse: error: %s\nUsage: gatehouse %s%s%s [options]; see gatehouse %s --help\n", err.message,
			c->command->name, c->command->args ? " " : "", c->command->args ? c->command->args : "",
			c->command->name);
		return EXIT_USAGE;
	}
	if (c->options.help)
		help_command(&c->out, c->command);
	else
		rc = c->command->run(c, &err);
	if (cli_flush(c, &flush_err).code && !rc.code) {
		rc.code = flush_err.code;
		err = flush_err;
	}
	if (!rc.code)
		return c->exit_code;
	fprintf(stderr, "gatehouse: error: %s\n", err.message);
	return usage_failed ? EXIT_USAGE : EXIT_REFUSED;
}

/* Words of the command's name are taken out of the line wherever the common options leave them: `gatehouse --state D init`.
 * Returns the place of the next word that is no option, or argc. */
static int next_word(int argc, char **argv, int at)
{
	for (; at < argc && argv[at][0] == '-'; at++)
		if ((strcmp(argv[at], "--state") == 0 || strcmp(argv[at], "--format") == 0) && at + 1 < argc)
			at++;
	return at;
}

static int remove_word(int argc, char **argv, int at)
{
	memmove(argv + at, argv + at + 1, (size_t)(argc - at - 1) * sizeof(*argv));
	return argc - 1;
}

/* `help COMMAND ...` becomes `COMMAND ... --help`. */
static void turn_help(int argc, char **argv, int at)
{
	static char option[] = "--help";

	if (at >= argc || strcmp(argv[at], "help") != 0 || next_word(argc, argv, at + 1) >= argc)
		return;
	(void)remove_word(argc, argv, at);
	argv[argc - 1] = option;
}

static int dispatch(struct cli *c, int argc, char **argv)
{
	int first = next_word(argc, argv, 0);
	const char *second;
	bool two;

	turn_help(argc, argv, first);
	first = next_word(argc, argv, 0);
	if (first >= argc || strcmp(argv[first], "help") == 0) {
		bool asked = first < argc || (argc > 0 && strcmp(argv[0], "--help") == 0);

		help_all(&c->out);
		fprintf(asked ? stdout : stderr, "%s", c->out.p);
		buf_clear(&c->out);
		return asked ? EXIT_DONE : EXIT_USAGE;
	}
	second = first + 1 < argc ? argv[first + 1] : NULL;
	c->command = find(argv[first], second, &two);
	if (!c->command)
		return unknown_command(c, argv[first], second);
	argc = remove_word(argc, argv, first);
	if (two)
		argc = remove_word(argc, argv, first);
	return run(c, argc, argv);
}

int cli_main(int argc, char **argv)
{
	struct cli c = { .arena = arena_new(CLI_MEMORY_MAX) };
	int status;

	if (!c.arena) {
		fprintf(stderr, "gatehouse: error: out of memory\n");
		return EXIT_REFUSED;
	}
	umask(077);                      /* what a command writes holds keys and settings */
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		argv[1] += 2;
	buf_init(&c.out, OUT_MAX);
	status = argc > 0 ? dispatch(&c, argc - 1, argv + 1) : EXIT_USAGE;
	buf_release(&c.out);
	arena_free(c.arena);
	return status;
}
