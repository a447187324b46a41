/* tree.h - a directory of configuration files in memory: what an export makes, what plan and apply read, what a ZIP holds and
 * what travels to the management API. Paths are relative with '/', without "." and ".."; files stand in byte order of their
 * paths. Bounded by FILES_MAX and FILES_BYTES_MAX. Everything lives in the arena. Not thread-safe. */
#pragma once

#include "core/arena.h"
#include "core/error.h"

enum { FILES_MAX = 400000, FILES_PATH_MAX = 600, FILES_DEPTH_MAX = 16 };
#define FILES_BYTES_MAX ((size_t)1 << 30)
#define FILES_ONE_MAX ((size_t)64 << 20)

struct tree_file {
	struct str path, bytes;
};

struct tree {
	struct arena *arena;
	struct tree_file *files;
	size_t n, cap, total;            /* total: bytes of all files */
	bool sorted;
};

void tree_init(struct tree *t, struct arena *a);
/* Borrows the bytes; copies the path. INVALID for a path that leads out of the tree, LIMIT beyond the bounds. */
GH_RC tree_add(struct tree *t, struct str path, struct str bytes, struct gh_err *err);
/* Sorts; CONFLICT when one path stands twice. */
GH_RC tree_finish(struct tree *t, struct gh_err *err);
const struct tree_file *tree_find(const struct tree *t, struct str path);        /* of a finished tree; NULL: none */
/* "apis/orders/api.yaml" and "../x.xml" give "apis/x.xml"; STR_NULL when it leads out of the tree. */
struct str tree_resolve(struct arena *a, struct str from_file, struct str to);

/* All regular files below dir; names that begin with a dot are passed over, links are refused. Finished. */
GH_RC tree_read(struct tree *t, const char *dir, struct gh_err *err);
/* Writes what differs; files of an earlier export which are no more in the tree are removed from the folders that the tree
 * or `folders` names (NULL-terminated; only of the first level). *written and *removed count. Every file is replaced whole. */
GH_RC tree_write(const struct tree *t, const char *dir, const char *const *folders, size_t *written, size_t *removed,
		 struct gh_err *err);

/* ---- ZIP (PKWARE's format, by libzip). The same tree gives the same bytes. ---- */
GH_RC tree_to_zip(const struct tree *t, struct str *out, struct gh_err *err);
GH_RC tree_from_zip(struct tree *t, struct str bytes, struct gh_err *err);
