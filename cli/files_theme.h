/* files_theme.h - the files below theme/ of a tree against the directory of the portal's theme. */
#pragma once

#include "cli/command.h"
#include "config/files/tree.h"

/* Prints a line for each file that differs, and puts it in place when `apply`. Nothing when the tree has no theme. Files that
 * are only in the directory stay. What is wrong with a theme, `gatehouse theme check` tells: the portal then uses the shipped file. */
GH_RC files_theme(struct cli *c, const struct tree *t, const char *dir, bool apply, size_t *changes, struct gh_err *err);
