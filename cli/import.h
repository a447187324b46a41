/* import.h - a description that becomes an API, whatever it was made from. */
#pragma once

#include "cli/command.h"

/* What every import of one API asks for; import_description reads them. */
#define IMPORT_OPTIONS                                                                                                        \
	{ "path", OPTION_TEXT, "PATH", "where the gateway serves the API, without the mount point: orders", true },           \
	{ "backend", OPTION_TEXT, "URL", "where calls go; without it the first absolute server of the description", false },  \
	{ "name", OPTION_TEXT, "ID", "id of the API; without it one made from the title", false },                            \
	{ "product", OPTION_TEXT, "ID", "product that the API is put into", false },                                          \
	{ "version", OPTION_TEXT, "V", "version, which becomes the first segment behind the path: v1", false },               \
	{ "env", OPTION_TEXT, "ENV", "environment (default)", false }

/* Makes or updates the API, and prints what came of it. `file` is the name in messages. What is wrong with the text is told and
 * sets the exit code. */
GH_RC import_description(struct cli *c, const char *file, struct str text, struct gh_err *err);
