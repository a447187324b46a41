/* theme_check.h - what may be replaced by a theme, and what is wrong with one: for `gatehouse theme` and `gatehouse doctor`. */
#pragma once

#include "core/theme.h"

/* A shipped file that a theme may replace, or one of the theme beside them. */
struct theme_file {
	struct str name;                 /* "templates/portal/home.html" */
	bool shipped, own;
};

enum { THEME_LISTED_MAX = 2000 };

/* All of them, by name. */
GH_RC theme_list(const struct theme *t, struct arena *a, struct theme_file **out, size_t *n, struct gh_err *err);
/* Is this the name of a shipped file? Else the nearest one in *near (STR_NULL: none is near). */
bool theme_is_shipped(const struct theme_file *files, size_t n, struct str name, struct arena *a, struct str *near);
/* Looks at every file of the theme; `tell` gets what is wrong, with the file's name. Returns how much that is. */
GH_RC theme_check(const struct theme *t, struct arena *a, void (*tell)(void *ctx, struct str file, const char *what), void *ctx,
		  unsigned *bad, struct gh_err *err);
