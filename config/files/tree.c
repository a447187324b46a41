#include "config/files/tree.h"

#include "core/file.h"
#include "core/str.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void tree_init(struct tree *t, struct arena *a)
{
	*t = (struct tree){ .arena = a };
}

static bool path_is_fine(struct str path)
{
	struct str rest = path, part;
	unsigned depth = 0;

	if (path.n == 0 || path.n > FILES_PATH_MAX || !utf8_valid(path) || memchr(path.p, '\0', path.n) || memchr(path.p, '\\', path.n))
		return false;
	while (str_split(&rest, '/', &part))
		if (part.n == 0 || part.n > 255 || str_eq(part, STR(".")) || str_eq(part, STR("..")) || ++depth > FILES_DEPTH_MAX)
			return false;
	return true;
}

GH_RC tree_add(struct tree *t, struct str path, struct str bytes, struct gh_err *err)
{
	struct str copy;

	if (!path_is_fine(path))
		FAIL(err, INVALID, "'%.*s' is no path of a file in a configuration", STR_ARG(str_first(path, 120)));
	if (t->n == FILES_MAX || bytes.n > FILES_ONE_MAX || bytes.n > FILES_BYTES_MAX - t->total)
		FAIL(err, LIMIT, "%.*s: more than %d files, %zu bytes in one or %zu in all", STR_ARG(path), FILES_MAX, FILES_ONE_MAX,
		     FILES_BYTES_MAX);
	if (t->n == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 64;
		struct tree_file *files = arena_alloc(t->arena, cap, sizeof(*files));

		if (!files)
			FAIL(err, NOMEM, "files");
		if (t->n)
			memcpy(files, t->files, t->n * sizeof(*files));
		t->files = files;
		t->cap = cap;
	}
	copy = arena_dup(t->arena, path);
	if (!copy.p)
		FAIL(err, NOMEM, "files");
	t->files[t->n++] = (struct tree_file){ copy, bytes };
	t->total += bytes.n;
	t->sorted = false;
	return GH_RC_OK;
}

static int by_path(const void *a, const void *b)
{
	return str_cmp(((const struct tree_file *)a)->path, ((const struct tree_file *)b)->path);
}

GH_RC tree_finish(struct tree *t, struct gh_err *err)
{
	if (t->n)
		qsort(t->files, t->n, sizeof(*t->files), by_path);
	for (size_t i = 1; i < t->n; i++)
		if (str_eq(t->files[i - 1].path, t->files[i].path))
			FAIL(err, CONFLICT, "the file %.*s stands twice", STR_ARG(t->files[i].path));
	t->sorted = true;
	return GH_RC_OK;
}

const struct tree_file *tree_find(const struct tree *t, struct str path)
{
	const struct tree_file key = { .path = path };

	return t->n && t->sorted ? bsearch(&key, t->files, t->n, sizeof(*t->files), by_path) : NULL;
}

struct str tree_resolve(struct arena *a, struct str from_file, struct str to)
{
	size_t slash = str_rfind_char(from_file, '/');
	struct str dir = slash == SIZE_MAX ? STR("") : str_first(from_file, slash), rest = to, part;
	struct str out = arena_dup(a, dir);

	while (out.p && str_split(&rest, '/', &part)) {
		if (part.n == 0 || str_eq(part, STR(".")))
			continue;
		if (str_eq(part, STR(".."))) {
			size_t up = str_rfind_char(out, '/');

			if (out.n == 0)
				return STR_NULL;
			out = str_first(out, up == SIZE_MAX ? 0 : up);
			continue;
		}
		out = arena_printf(a, out.n ? "%.*s/%.*s" : "%.*s%.*s", STR_ARG(out), STR_ARG(part));
	}
	return out.p && path_is_fine(out) ? out : STR_NULL;
}

/* ---- directories ---------------------------------------------------------------------------------------------------------- */

static GH_RC read_level(struct tree *t, const char *dir, struct str below, unsigned depth, struct gh_err *err);

static GH_RC read_entry(struct tree *t, const char *dir, struct str path, unsigned depth, struct gh_err *err)
{
	struct str full = arena_printf(t->arena, "%s/%.*s", dir, STR_ARG(path)), bytes;
	struct stat st;

	if (!full.p)
		FAIL(err, NOMEM, "files");
	if (lstat(full.p, &st) != 0)
		FAIL(err, IO, "%s: %s", full.p, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return read_level(t, dir, path, depth - 1, err);
	if (S_ISLNK(st.st_mode))
		FAIL(err, INVALID, "%s is a link; put the file itself there", full.p);
	if (!S_ISREG(st.st_mode))
		return GH_RC_OK;
	TRY(file_read(t->arena, full.p, FILES_ONE_MAX, &bytes, err));
	return tree_add(t, path, bytes, err);
}

static GH_RC read_level(struct tree *t, const char *dir, struct str below, unsigned depth, struct gh_err *err)
{
	struct str full = below.n ? arena_printf(t->arena, "%s/%.*s", dir, STR_ARG(below)) : str_of(dir);
	gh_rc rc = GH_RC_OK;
	struct dirent *entry;
	DIR *d;

	if (depth == 0)
		FAIL(err, LIMIT, "%.*s: folders are nested too deeply", STR_ARG(full));
	d = full.p ? opendir(full.p) : NULL;
	if (!d)
		FAIL(err, NOT_FOUND, "%.*s: %s", STR_ARG(full), strerror(errno));
	while (!rc.code && (entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		rc = read_entry(t, dir, below.n ? arena_printf(t->arena, "%.*s/%s", STR_ARG(below), entry->d_name) :
				arena_dup(t->arena, str_of(entry->d_name)), depth, err);
	}
	closedir(d);
	return rc;
}

GH_RC tree_read(struct tree *t, const char *dir, struct gh_err *err)
{
	TRY(read_level(t, dir, STR(""), FILES_DEPTH_MAX, err));
	return tree_finish(t, err);
}

static GH_RC write_one(const struct tree *t, const char *dir, const struct tree_file *f, size_t *written, struct gh_err *err)
{
	struct str full = arena_printf(t->arena, "%s/%.*s", dir, STR_ARG(f->path)), old;
	struct stat st;
	const char *parent;

	if (!full.p)
		FAIL(err, NOMEM, "files");
	if (lstat(full.p, &st) == 0) {
		if (!S_ISREG(st.st_mode))
			FAIL(err, CONFLICT, "%s is there and no file", full.p);
		if ((size_t)st.st_size == f->bytes.n) {
			TRY(file_read(t->arena, full.p, FILES_ONE_MAX, &old, err));
			if (str_eq(old, f->bytes))
				return GH_RC_OK;
		}
	}
	parent = arena_cstr(t->arena, str_first(full, str_rfind_char(full, '/')));
	if (!parent)
		FAIL(err, NOMEM, "files");
	TRY(file_make_dirs(parent, 0755, err));
	++*written;
	return file_write_atomic(full.p, f->bytes, 0644, err);
}

/* Removes what is not in the tree from one folder of the first level, and folders that become empty. */
static GH_RC sweep(const struct tree *t, const char *dir, struct str folder, size_t *removed, struct gh_err *err)
{
	struct str full = arena_printf(t->arena, "%s/%.*s", dir, STR_ARG(folder));
	struct tree there;
	struct stat st;

	tree_init(&there, t->arena);
	if (!full.p || lstat(full.p, &st) != 0 || !S_ISDIR(st.st_mode))
		return GH_RC_OK;
	TRY(read_level(&there, dir, folder, FILES_DEPTH_MAX, err));
	for (size_t i = 0; i < there.n; i++) {
		struct str path = there.files[i].path, gone;

		if (tree_find(t, path))
			continue;
		gone = arena_printf(t->arena, "%s/%.*s", dir, STR_ARG(path));
		if (!gone.p || unlink(gone.p) != 0)
			FAIL(err, IO, "%.*s: %s", STR_ARG(gone), strerror(errno));
		++*removed;
		for (size_t cut; (cut = str_rfind_char(path, '/')) != SIZE_MAX;) {
			path = str_first(path, cut);
			gone = arena_printf(t->arena, "%s/%.*s", dir, STR_ARG(path));
			if (!gone.p || rmdir(gone.p) != 0)
				break;                   /* not empty */
		}
	}
	return GH_RC_OK;
}

GH_RC tree_write(const struct tree *t, const char *dir, const char *const *folders, size_t *written, size_t *removed,
		 struct gh_err *err)
{
	*written = *removed = 0;
	for (size_t i = 0; i < t->n; i++)
		TRY(write_one(t, dir, &t->files[i], written, err));
	for (; folders && *folders; folders++)
		TRY(sweep(t, dir, str_of(*folders), removed, err));
	return GH_RC_OK;
}
