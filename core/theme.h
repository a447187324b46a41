/* theme.h - files of the operator that stand in place of the shipped ones.
 *
 * A theme is a directory that looks like the share directory: THEME/templates/portal/home.html stands in place of
 * SHARE/templates/portal/home.html, THEME/www/icons.svg in place of SHARE/www/icons.svg, and the texts of
 * THEME/templates/lang/de.yaml in place of those with the same key. Whatever is not there is the shipped one, file by file.
 * A file of a theme must never keep a program from running: who reads one and cannot use it tells `problem` and takes the
 * shipped one. */
#pragma once

#include "core/arena.h"
#include "core/error.h"

struct theme {
	const char *share_dir;
	const char *dir;                 /* NULL or empty: there is none */
	/* What is wrong with which file of the theme; NULL: nobody wants to know. */
	void (*problem)(void *ctx, struct str path, const char *what);
	void *ctx;
};

enum { THEME_FILES_MAX = 500 };          /* of one folder */

/* `setting` (web.theme) as a path: relative to the state directory; empty stays empty. */
GH_RC theme_dir(struct arena *a, const char *state_dir, struct str setting, const char **out, struct gh_err *err);

/* Where `name` ("templates/portal/home.html") stands: *own is the theme's path or STR_NULL, *shipped the other. */
GH_RC theme_paths(const struct theme *t, struct arena *a, struct str name, struct str *own, struct str *shipped,
		  struct gh_err *err);
void theme_problem(const struct theme *t, struct str path, const char *what);

/* The files of a folder ("templates/web") whose names end in `ending`, of the theme and the shipped ones, each once, by name.
 * A folder that is missing in the share directory is an error, in the theme it is not. */
GH_RC theme_folder(const struct theme *t, struct arena *a, const char *folder, const char *ending, struct str **names, size_t *n,
		   struct gh_err *err);
