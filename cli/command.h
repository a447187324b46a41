/* command.h - what a command of `gatehouse` is, and what it is given.
 *
 * A command is one constant `const struct command command_NAME` in a file of its own, and one line COMMAND(NAME) in
 * cli/commands.def. Its name may be of two words ("product create"). The framework parses the options by the command's own
 * table, answers --help, prints errors and chooses the exit status:
 *
 *   0  done              run returned GH_RC_OK and left exit_code at 0
 *   1  refused           run failed: "gatehouse: error: MESSAGE" on standard error; or run set exit_code to 1 because a
 *                        check failed and it has told so itself
 *   2  wrong usage       unknown option, missing value, too few arguments; or run returned cli_usage(...)
 *
 *     static const struct option options[] = {
 *         { "product", OPTION_TEXT, "ID", "product whose APIs the key opens" },
 *         OPTION_END,
 *     };
 *     const struct command command_subscription_create = {
 *         .name = "subscription create", .summary = "make a subscription and print its keys",
 *         .options = options, .run = run,
 *     };
 *
 * Every command also takes --state DIR, --format text|json and --help. */
#pragma once

#include "cli/options.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/paths.h"

enum { CLI_MEMORY_MAX = 1 << 30 };   /* bytes the arena of a command may hand out */

struct command;
struct store;
struct cache;

struct cli {
	const struct command *command;
	struct arena *arena;             /* lives as long as the command runs */
	struct options options;          /* ask with option_text and the like; arguments: options.args, options.n_args */
	const char *state_dir;           /* resolved; need not exist */
	bool json;                       /* --format json was given */
	struct buf out;                  /* written to standard output when run returns; see cli_flush */
	int exit_code;
};

struct command {
	const char *name;                /* "init", "product create" */
	const char *args;                /* how the arguments read in the usage line: "ID", "FILE..."; NULL for none */
	unsigned least_args, most_args;  /* most_args may be UINT_MAX */
	const char *summary;             /* one line, lower case, no full stop */
	const char *help;                /* further lines for --help; may be NULL */
	const struct option *options;    /* ends with OPTION_END; may be NULL */
	void (*more)(struct buf *out);   /* what --help says behind the options, out of a table; may be NULL */
	bool hidden;                     /* for tests and benchmarks: not listed */
	gh_rc (*run)(struct cli *c, struct gh_err *err);
};

/* Every role that is always there (config/rights.h) with what it may do, for --help. */
void cli_help_roles(struct buf *out);
/* Sets err and marks the failure as wrong usage: `return cli_usage(c, err, "--rate needs CALLS/SECONDS")`. */
gh_rc cli_usage(struct cli *c, struct gh_err *err, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Writes out what stands in c->out now: for commands that run on. */
GH_RC cli_flush(struct cli *c, struct gh_err *err);
/* "gatehouse: warning: ..." on standard error. */
void cli_warn(const struct cli *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Opens the store of c->state_dir, for the life of the command. UNAVAILABLE with "run gatehouse init" when there is none. */
GH_RC cli_store(struct cli *c, bool writable, struct store **out, struct gh_err *err);
/* Opens the cache that the workers share, for the life of the command. NOT_FOUND: no gateway has kept anything yet. */
GH_RC cli_cache(struct cli *c, struct cache **out, struct gh_err *err);
/* Who is written into the audit trail: "cli:USER". */
const char *cli_actor(struct cli *c);

int cli_main(int argc, char **argv);
