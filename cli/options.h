/* options.h - the options of a command: a table in, values out.
 *
 * Long options only: --name VALUE, --name=VALUE, --flag. "--" ends them; options and arguments may be mixed. A single letter
 * is given with one dash (-f) and must stand in the table with a name of one letter. */
#pragma once

#include "core/arena.h"
#include "core/error.h"

enum { OPTIONS_MAX = 64, OPTION_VALUES_MAX = 64 };

enum option_kind {
	OPTION_FLAG,             /* takes no value */
	OPTION_TEXT,
	OPTION_INT,              /* a decimal number of 0 or more */
	OPTION_MANY,             /* TEXT that may be given several times */
};

struct option {
	const char *name;        /* without dashes */
	enum option_kind kind;
	const char *value;       /* how the value reads in the help: "ID", "yes|no" (then only these are taken) */
	const char *help;
	bool required;
};
#define OPTION_END { NULL, OPTION_FLAG, NULL, NULL, false }

struct option_value {
	const struct option *option;
	const char *text;        /* of argv; NULL for a flag */
	int64_t number;
};

struct options {
	struct option_value v[OPTION_VALUES_MAX];
	size_t n;
	const char **args;       /* of argv, in the arena */
	size_t n_args;
	bool help;
};

/* argv[0] is the first word behind the command's name. `common` is a second table that every command has. SYNTAX with a
 * message that names the nearest known option. Once --help stands there, nothing that is missing is an error. */
GH_RC options_parse(struct options *o, struct arena *a, const struct option *table, const struct option *common, int argc,
		    char **argv, struct gh_err *err);

/* Whether the text is one of "yes|no". A word in capitals, or one alone, is a name for any text. */
bool option_takes(struct str choices, const char *text);

const char *option_text(const struct options *o, const char *name);                 /* NULL when not given */
const char *option_text_or(const struct options *o, const char *name, const char *otherwise);
int64_t option_int(const struct options *o, const char *name, int64_t otherwise);
bool option_flag(const struct options *o, const char *name);
/* The i-th value of an OPTION_MANY, NULL past the last. */
const char *option_nth(const struct options *o, const char *name, size_t i);
