#include "cli/beside.h"

#include "core/file.h"
#include "core/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

GH_RC beside_init(struct beside *b, const char *file, const char *root, struct gh_err *err)
{
	const char *slash = strrchr(file, '/');
	char dir[sizeof(b->dir)];

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - file) + 1 : 1, slash ? file : ".");
	if (strlen(dir) >= sizeof(dir) - 1 || !realpath(dir, b->dir))
		FAIL(err, INVALID, "%.300s: the directory of the description cannot be found", file);
	if (!realpath(root ? root : b->dir, b->root))
		FAIL(err, INVALID, "%.300s: there is no such directory", root);
	return GH_RC_OK;
}

static bool is_below(const char *file, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(file, dir, n) == 0 && (file[n] == '/' || (n && dir[n - 1] == '/'));
}

GH_RC beside_read(void *ctx, struct arena *a, struct str path, struct str *text, struct gh_err *err)
{
	const struct beside *b = ctx;
	struct str full = arena_printf(a, "%s/%.*s", b->dir, STR_ARG(path));
	char real[4096];
	struct stat st;

	if (!full.p || str_find_char(path, '\0') != SIZE_MAX)
		FAIL(err, INVALID, "this is no name of a file");
	if (!realpath(full.p, real))
		FAIL(err, NOT_FOUND, "there is no file %.*s", STR_ARG(str_first(full, 300)));
	if (!is_below(real, b->root))
		FAIL(err, DENIED, "it is outside of %.300s; name a directory above both with --files", b->root);
	if (stat(real, &st) || !S_ISREG(st.st_mode))
		FAIL(err, INVALID, "%.300s is no file", real);
	return file_read(a, real, OPENAPI_MAX_BYTES, text, err);
}
