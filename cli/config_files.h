/* config_files.h - what the commands over configuration files share: reading them, printing a plan. */
#pragma once

#include "cli/command.h"
#include "config/files/plan.h"
#include "core/theme.h"

/* Options that plan, apply and the imports have in common; ends with OPTION_END where it is used. */
#define CONFIG_FILES_OPTIONS                                                                                                  \
	{ "secrets", OPTION_TEXT, "FILE", "YAML of secrets that are not in the files: \"named-value/erp-password/secret: text\"", false }, \
	{ "placeholders", OPTION_FLAG, NULL, "a secret that is missing becomes a random text, to be set later", false }

/* A directory, a .zip file, or - for YAML from standard input. *prefix is what stands before paths in messages. */
GH_RC config_files_read(struct cli *c, const char *from, struct tree *out, const char **prefix, struct gh_err *err);
/* What --secrets and --placeholders say. */
GH_RC config_files_options(struct cli *c, struct plan_options *o, struct gh_err *err);
/* A plan as JSON (plan_json); of an apply with "applied", true or false. */
enum files_outcome { FILES_PLANNED, FILES_APPLIED, FILES_DECLINED };
void config_files_json(struct cli *c, json_t *plan, enum files_outcome outcome);
/* Whether a plan that was shown is to be applied: --yes, or an answer on the terminal. INVALID where nobody can be asked. */
GH_RC config_files_agreed(struct cli *c, bool *yes, struct gh_err *err);
/* The portal's theme; its directory need not be there, and is "" when web.theme names none. */
GH_RC config_files_theme(struct cli *c, struct theme *out, struct gh_err *err);
/* The problems of a set on standard error, `prefix` before each path; the exit code becomes 1. */
void config_files_problems(struct cli *c, const struct files_set *set, const char *prefix);
/* One walk of the plan; *ok false: problems were told, and the exit code says so. */
GH_RC config_files_walk(struct cli *c, struct store *s, struct files_set *set, const struct plan_options *o, struct plan *p, const char *prefix,
			bool *ok, struct gh_err *err);
/* Plans or applies a tree or a set, prints what there is to print and sets the exit code. `set` NULL: read from the tree. */
GH_RC config_files_work(struct cli *c, const struct tree *t, struct files_set *set, const char *prefix, bool apply, struct gh_err *err);
