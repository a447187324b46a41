/* password.h - where a command gets a password from. */
#pragma once

#include "cli/command.h"
#include "core/crypto.h"

/* The rule is that of the portal: at least web.password_min characters. The first line of `file` ("-" is standard input), or
 * a new password when file is NULL; then *made is true and the caller prints it, once. */
GH_RC cli_password(struct cli *c, const char *file, struct str *password, bool *made, struct gh_err *err);
