#include "cli/files_theme.h"

#include "config/files/set.h"
#include "core/file.h"
#include "core/str.h"

#include <unistd.h>

GH_RC files_theme(struct cli *c, const struct tree *t, const char *dir, bool apply, size_t *changes, struct gh_err *err)
{
	struct str prefix = STR(FILES_THEME), old;

	for (size_t i = 0; i < t->n; i++) {
		const struct tree_file *f = &t->files[i];
		struct str path;
		bool there;

		if (!str_starts(f->path, prefix))
			continue;
		if (!dir[0])
			FAIL(err, INVALID, "the files have a theme, and web.theme of this installation names no directory");
		path = arena_printf(c->arena, "%s/%.*s", dir, STR_ARG(str_from(f->path, prefix.n)));
		if (!path.p)
			FAIL(err, NOMEM, "theme");
		there = access(path.p, F_OK) == 0;
		if (there) {
			TRY(file_read(c->arena, path.p, FILES_ONE_MAX, &old, err));
			if (str_eq(old, f->bytes))
				continue;
		}
		++*changes;
		if (!apply) {
			if (!c->json)
				buf_fmt(&c->out, "%c theme file %.*s\n", there ? '~' : '+', STR_ARG(str_from(f->path, prefix.n)));
			continue;
		}
		TRY(file_make_dirs(arena_cstr(c->arena, str_first(path, str_rfind_char(path, '/'))), 0755, err));
		TRY(file_write_atomic(path.p, f->bytes, 0644, err));
	}
	return GH_RC_OK;
}
