#include "core/theme_check.h"

#include "core/colour.h"
#include "core/file.h"
#include "core/lang.h"
#include "core/liquid.h"
#include "core/str.h"
#include "core/suggest.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char *const folders[] = { "templates/web", "templates/portal", "templates/admin", "templates/mail", "templates/lang",
				       "www" };
enum { FILE_BYTES_MAX = 4 << 20, DEPTH_MAX = 6 };

struct walk {
	struct arena *a;
	struct theme_file *v;
	size_t n;
	bool own;
};

static GH_RC note(struct walk *w, struct str name, struct gh_err *err)
{
	for (size_t i = 0; i < w->n; i++)
		if (str_eq(w->v[i].name, name)) {
			w->v[i].own = w->v[i].own || w->own;
			return GH_RC_OK;
		}
	if (w->n == THEME_LISTED_MAX)
		FAIL(err, LIMIT, "more than %d files", THEME_LISTED_MAX);
	w->v[w->n++] = (struct theme_file){ .name = name, .shipped = !w->own, .own = w->own };
	return GH_RC_OK;
}

/* Everything below root/name; what is no file or directory is passed over. */
static GH_RC walk(struct walk *w, const char *root, struct str name, unsigned depth, struct gh_err *err)
{
	struct str path = arena_printf(w->a, "%s%s%.*s", root, name.n ? "/" : "", STR_ARG(name));
	DIR *d = path.p ? opendir(path.p) : NULL;
	gh_rc rc = GH_RC_OK;
	struct dirent *e;

	if (!d || depth > DEPTH_MAX) {
		if (d)
			closedir(d);
		return GH_RC_OK;
	}
	while (!rc.code && (e = readdir(d))) {
		struct str one = arena_printf(w->a, "%.*s%s%s", STR_ARG(name), name.n ? "/" : "", e->d_name);
		const char *full = one.p ? arena_printf(w->a, "%s/%s", root, one.p).p : NULL;
		struct stat st;

		if (!full)
			rc = gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "theme");
		else if (e->d_name[0] == '.' || stat(full, &st) != 0)
			continue;
		else if (S_ISDIR(st.st_mode))
			rc = walk(w, root, one, depth + 1, err);
		else if (S_ISREG(st.st_mode))
			rc = note(w, one, err);
	}
	closedir(d);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(((const struct theme_file *)a)->name, ((const struct theme_file *)b)->name);
}

gh_rc theme_list(const struct theme *t, struct arena *a, struct theme_file **out, size_t *n, struct gh_err *err)
{
	struct walk w = { .a = a, .v = arena_alloc(a, THEME_LISTED_MAX, sizeof(struct theme_file)) };

	if (!w.v)
		FAIL(err, NOMEM, "theme");
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		TRY(walk(&w, t->share_dir, str_of(folders[i]), 0, err));
	w.own = true;
	if (t->dir && t->dir[0])
		TRY(walk(&w, t->dir, STR(""), 0, err));
	qsort(w.v, w.n, sizeof(*w.v), by_name);
	*out = w.v;
	*n = w.n;
	return GH_RC_OK;
}

bool theme_is_shipped(const struct theme_file *files, size_t n, struct str name, struct arena *a, struct str *near)
{
	const char **names = arena_alloc(a, n + 1, sizeof(char *)), *found;
	size_t k = 0;

	*near = STR_NULL;
	for (size_t i = 0; i < n; i++) {
		if (!files[i].shipped)
			continue;
		if (str_eq(files[i].name, name))
			return true;
		if (names)
			names[k++] = arena_cstr(a, files[i].name);
	}
	found = names ? suggest(name, names) : NULL;
	*near = str_of(found);
	return false;
}

/* ---- checks ----------------------------------------------------------------------------------------------------------------- */

struct check {
	const struct theme *t;
	struct arena *a;
	const struct theme_file *files;
	size_t n;
	void (*tell)(void *ctx, struct str file, const char *what);
	void *ctx;
	struct str file;                 /* being looked at */
	unsigned bad;
};

static void wrong(struct check *c, const char *what)
{
	c->bad++;
	c->tell(c->ctx, c->file, what);
}

static void check_partial(void *ctx, struct str name)
{
	struct check *c = ctx;
	struct str file = arena_printf(c->a, "templates/%.*s.html", STR_ARG(name));

	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->files[i].name, file))
			return;
	wrong(c, arena_printf(c->a, "includes '%.*s', which is not there", STR_ARG(name)).p);
}

static void check_template(struct check *c, struct str text)
{
	bool html = str_ends(c->file, STR(".html"));
	const struct liquid_options options = { .html = html, .texts = true, .strict_names = true };
	const struct liquid_template *t;
	struct gh_err err = { .message = "" };

	if (liquid_parse(c->a, c->file, text, &options, &t, &err).code) {
		wrong(c, err.message);
		return;
	}
	if (!html && !str_starts(text, STR("Subject: ")))
		wrong(c, "the first line of a mail is \"Subject: \" and a subject");
	liquid_each_partial(t, check_partial, c);
}

static void tell_contrast(void *ctx, const char *what)
{
	wrong(ctx, what);
}

static void check_css(struct check *c, struct str css)
{
	struct colours colours;
	struct gh_err err = { .message = "" };
	struct str shipped;
	const char *path = arena_printf(c->a, "%s/www/gatehouse.css", c->t->share_dir).p;

	memset(&colours, 0, sizeof(colours));
	if (!path || file_read(c->a, path, FILE_BYTES_MAX, &shipped, &err).code || colours_of_css(shipped, &colours, &err).code
	    || colours_of_css(css, &colours, &err).code) {
		wrong(c, err.message);
		return;
	}
	colours_check(&colours, tell_contrast, c);
}

static void check_catalogue(struct check *c, struct str yaml)
{
	struct gh_err err = { .message = "" };

	if (lang_check(c->a, yaml, &err).code)
		wrong(c, err.message);
}

/* Partials, languages and pictures may be added; anything else that is not shipped is never used. */
static bool may_be_added(struct str name)
{
	static const struct str ok[] = { STR_INIT("templates/web/"), STR_INIT("templates/portal/"), STR_INIT("templates/admin/"),
					 STR_INIT("templates/lang/"), STR_INIT("www/") };

	for (size_t i = 0; i < ARRAY_LEN(ok); i++)
		if (str_starts(name, ok[i]))
			return true;
	return false;
}

static void check_one(struct check *c)
{
	struct gh_err err = { .message = "" };
	const char *path = arena_printf(c->a, "%s/%.*s", c->t->dir, STR_ARG(c->file)).p;
	struct str near, bytes;
	bool known = theme_is_shipped(c->files, c->n, c->file, c->a, &near);

	if (!known && near.p && !str_starts(c->file, STR("templates/lang/"))) {
		wrong(c, arena_printf(c->a, "no file of this name can be replaced; did you mean '%.*s'?", STR_ARG(near)).p);
		return;
	}
	if (!known && !may_be_added(c->file)) {
		wrong(c, "no file of this name is ever used; `gatehouse theme list` names those that are");
		return;
	}
	if (!path || file_read(c->a, path, FILE_BYTES_MAX, &bytes, &err).code)
		wrong(c, err.message);
	else if (str_starts(c->file, STR("templates/lang/")))
		check_catalogue(c, bytes);
	else if (str_starts(c->file, STR("templates/")))
		check_template(c, bytes);
	else if (str_eq(c->file, STR("www/gatehouse.css")))
		check_css(c, bytes);
}

gh_rc theme_check(const struct theme *t, struct arena *a, void (*tell)(void *ctx, struct str file, const char *what), void *ctx,
		  unsigned *bad, struct gh_err *err)
{
	struct check c = { .t = t, .a = a, .tell = tell, .ctx = ctx };
	struct theme_file *files;

	TRY(theme_list(t, a, &files, &c.n, err));
	c.files = files;
	for (size_t i = 0; i < c.n; i++)
		if (files[i].own && !str_eq(files[i].name, STR("look.json")) && !str_starts(files[i].name, STR("logo."))) {
			c.file = files[i].name;
			check_one(&c);
		}
	*bad = c.bad;
	return GH_RC_OK;
}
