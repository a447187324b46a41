/* What all commands have in common: whoever calls one wrongly, against what its --help says, is told so with the exit status 2. */
#include "tests/unit/check.h"

#include "cli/command.h"
#include "core/str.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define COMMAND(name) extern const struct command command_##name;
#include "cli/commands.def"
#undef COMMAND

static const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "cli/commands.def"
#undef COMMAND
};

#define SAYS(cond, ...)                                      \
	do {                                                  \
		char says_[400];                              \
		snprintf(says_, sizeof(says_), __VA_ARGS__);  \
		CHECK(says_, cond);                           \
	} while (0)

#define NONE (~0u)
enum { WORDS_MAX = 120, WORD_BYTES = 200, USAGE = 2 };

struct line {
	char words[WORDS_MAX][WORD_BYTES];
	char *argv[WORDS_MAX + 1];
	int argc;
};

static void say(struct line *l, struct str word)
{
	snprintf(l->words[l->argc], WORD_BYTES, "%.*s", STR_ARG(word));
	l->argv[l->argc] = l->words[l->argc];
	l->argv[++l->argc] = NULL;
}

/* "gatehouse product create" with the options that it needs, each with the first of its choices, but for the one that is left out. */
static void begin(struct line *l, const struct command *k, const struct option *left_out)
{
	struct str rest = str_of(k->name), word;

	l->argc = 0;
	say(l, STR("gatehouse"));
	while (str_word(&rest, &word))
		say(l, word);
	say(l, STR("--state"));
	say(l, STR("/nowhere"));
	for (const struct option *t = k->options; t && t->name; t++) {
		struct str value = str_of(t->value ? t->value : "1");

		if (!t->required || t == left_out)
			continue;
		say(l, (struct str){ l->words[WORDS_MAX - 1], (size_t)snprintf(l->words[WORDS_MAX - 1], WORD_BYTES, "--%s", t->name) });
		say(l, t->kind == OPTION_INT ? STR("1") : option_takes(value, "x") ? STR("x") : str_first(value, str_find_char(value, '|')));
	}
}

static void arguments(struct line *l, const struct command *k, unsigned n, unsigned wrong)
{
	struct str rest = str_of(k->args), word = STR_NULL;

	for (unsigned i = 0; i < n; i++) {
		bool more = str_word(&rest, &word);

		say(l, !more || option_takes(word, "x") || i == wrong ? STR("x") : str_first(word, str_find_char(word, '|')));
	}
}

static void wants_usage(struct line *l, const struct command *k, const char *what)
{
	int kept = dup(STDERR_FILENO), nothing = open("/dev/null", O_WRONLY | O_CLOEXEC), code;

	dup2(nothing, STDERR_FILENO);
	code = cli_main(l->argc, l->argv);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(nothing);
	SAYS(code == USAGE, "%s: %s: exit status %d and not 2", k->name, what, code);
}

static void options_of(struct line *l, const struct command *k)
{
	for (const struct option *t = k->options; t && t->name; t++) {
		char word[WORD_BYTES];

		snprintf(word, sizeof(word), "%s%s", t->name[1] ? "--" : "-", t->name);
		if (t->required) {
			begin(l, k, t);
			arguments(l, k, k->least_args, NONE);
			wants_usage(l, k, word);
		}
		if (t->kind != OPTION_INT && (t->kind == OPTION_FLAG || option_takes(str_of(t->value ? t->value : ""), "no choice")))
			continue;
		begin(l, k, t);
		say(l, str_of(word));
		say(l, STR("no choice"));
		arguments(l, k, k->least_args, NONE);
		wants_usage(l, k, word);
	}
}

static void every_command(void **state UNUSED)
{
	static struct line l;

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct command *k = commands[i];
		struct str rest = str_of(k->args), word;

		begin(&l, k, NULL);
		arguments(&l, k, k->least_args, NONE);
		say(&l, STR("--no-such-option"));
		wants_usage(&l, k, "an unknown option");
		if (k->most_args < WORDS_MAX / 2) {
			begin(&l, k, NULL);
			arguments(&l, k, k->most_args + 1, NONE);
			wants_usage(&l, k, "one argument too many");
		}
		if (k->least_args) {
			begin(&l, k, NULL);
			arguments(&l, k, k->least_args - 1, NONE);
			wants_usage(&l, k, "one argument too few");
		}
		for (unsigned n = 0; n < k->least_args && str_word(&rest, &word); n++) {
			if (option_takes(word, "x"))
				continue;
			begin(&l, k, NULL);
			arguments(&l, k, k->least_args, n);
			wants_usage(&l, k, "an argument that is none of its choices");
		}
		options_of(&l, k);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_command) };

	return cmocka_run_group_tests_name("cli/usage", tests, NULL, NULL);
}
