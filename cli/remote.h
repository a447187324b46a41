/* remote.h - plan, apply and export over the management API of another machine. */
#pragma once

#include "cli/command.h"
#include "config/files/tree.h"
#include "core/json.h"

#define REMOTE_OPTIONS                                                                                                        \
	{ "server", OPTION_TEXT, "URL", "work on the installation there, over its management API: https://gw.example.com/admin", false }, \
	{ "token-file", OPTION_TEXT, "FILE", "file with the token for it, a personal or a machine token", false }

/* The configuration there as files, without people and theme; environment and api may be STR_NULL. *t is finished. */
GH_RC remote_export(struct cli *c, struct str environment, struct str api, struct tree *t, struct gh_err *err);
/* Sends the files and prints the plan that comes back; problems go to standard error with their place, and set the exit code. With
 * apply false, or dry_run, nothing is changed there. *plan is what came back, NULL when there were problems; *state becomes that of the
 * configuration which the plan is for, and with one an apply is refused when it has changed since. */
GH_RC remote_files(struct cli *c, const struct tree *t, const char *prefix, bool apply, bool dry_run, struct str *state, json_t **plan,
		   struct gh_err *err);
