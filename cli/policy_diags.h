/* policy_diags.h - what the compiler of policies found, for people at a terminal. */
#pragma once

#include "cli/command.h"
#include "config/policy_store.h"

/* "FILE:LINE:COL: error: …" on standard error for everything in diags; with warnings, too. */
void policy_print_diags(const char *file, const struct policy_diags *d);
/* policy_store_new, with a warning on standard error for each fragment that has errors. */
GH_RC cli_policy_store(struct cli *c, struct store *s, struct policy_store **out, struct gh_err *err);
