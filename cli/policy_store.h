/* policy_store.h - what the compiler of policies asks of a store: named values and compiled fragments. */
#pragma once

#include "cli/command.h"
#include "db/store.h"
#include "policy/compiler.h"

struct policy_store;

/* Reads all named values and compiles all fragments of the store. A fragment that does not compile is left out with a
 * warning on standard error. */
GH_RC policy_store_new(struct cli *c, struct store *s, struct policy_store **out, struct gh_err *err);
/* The environment for policy_compile: for a scope that serves calls. Valid as long as the command. */
struct policy_env policy_store_env(struct policy_store *p);

/* "FILE:LINE:COL: error: …" on standard error for everything in diags; with warnings, too. */
void policy_print_diags(const char *file, const struct policy_diags *d);
