#include "core/theme.h"

#include "core/str.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

gh_rc theme_dir(struct arena *a, const char *state_dir, struct str setting, const char **out, struct gh_err *err)
{
	struct str path = !setting.n ? STR("") : setting.p[0] == '/' ? arena_dup(a, setting)
								     : arena_printf(a, "%s/%.*s", state_dir, STR_ARG(setting));

	if (!path.p)
		FAIL(err, NOMEM, "theme");
	*out = path.p;
	return GH_RC_OK;
}

void theme_problem(const struct theme *t, struct str path, const char *what)
{
	if (t->problem)
		t->problem(t->ctx, path, what);
}

static bool has_dir(const struct theme *t)
{
	return t->dir && t->dir[0];
}

gh_rc theme_paths(const struct theme *t, struct arena *a, struct str name, struct str *own, struct str *shipped,
		  struct gh_err *err)
{
	*own = STR_NULL;
	*shipped = arena_printf(a, "%s/%.*s", t->share_dir, STR_ARG(name));
	if (!shipped->p)
		FAIL(err, NOMEM, "theme");
	if (!has_dir(t))
		return GH_RC_OK;
	*own = arena_printf(a, "%s/%.*s", t->dir, STR_ARG(name));
	if (!own->p)
		FAIL(err, NOMEM, "theme");
	if (access(own->p, F_OK) != 0)
		*own = STR_NULL;
	return GH_RC_OK;
}

struct listing {
	struct str *v;
	size_t n;
};

static GH_RC read_folder(struct listing *l, struct arena *a, const char *path, const char *ending, struct gh_err *err)
{
	DIR *d = opendir(path);
	struct dirent *e;
	gh_rc rc = GH_RC_OK;

	if (!d)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	while (!rc.code && (e = readdir(d))) {
		struct str name = str_of(e->d_name);
		bool known = name.p[0] == '.' || !str_ends(name, str_of(ending));

		for (size_t i = 0; i < l->n && !known; i++)
			known = str_eq(l->v[i], name);
		if (known)
			continue;
		if (l->n == THEME_FILES_MAX)
			rc = gh_err_set(err, GH_E_LIMIT, __FILE__, __LINE__, "%s: more than %d files", path, THEME_FILES_MAX);
		else if (!(l->v[l->n++] = arena_dup(a, name)).p)
			rc = gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "theme");
	}
	closedir(d);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

gh_rc theme_folder(const struct theme *t, struct arena *a, const char *folder, const char *ending, struct str **names, size_t *n,
		   struct gh_err *err)
{
	struct listing l = { .v = arena_alloc(a, THEME_FILES_MAX, sizeof(struct str)) };
	struct str path = arena_printf(a, "%s/%s", t->share_dir, folder);

	if (!l.v || !path.p)
		FAIL(err, NOMEM, "theme");
	TRY(read_folder(&l, a, path.p, ending, err));
	if (has_dir(t)) {
		path = arena_printf(a, "%s/%s", t->dir, folder);
		if (!path.p)
			FAIL(err, NOMEM, "theme");
		if (access(path.p, F_OK) == 0)
			TRY(read_folder(&l, a, path.p, ending, err));
	}
	qsort(l.v, l.n, sizeof(struct str), by_name);
	*names = l.v;
	*n = l.n;
	return GH_RC_OK;
}
