/* theme.c - `gatehouse theme …`: what of the portal can be replaced, checking it, and taking it from one installation to another.
 *
 * An export is a directory: the files of the theme as they are, look.json (name, colours, texts, menu) and logo.EXT (the
 * picture), so it can be kept in version control and read by people. An import checks everything before it changes anything. */
#include "cli/config_files.h"
#include "cli/output.h"
#include "cli/resource.h"
#include "core/colour.h"
#include "core/crypto.h"
#include "core/file.h"
#include "core/look.h"
#include "core/str.h"
#include "core/theme_check.h"
#include "db/environments.h"
#include "db/look.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 4 << 20 };

static const struct {
	const char *ending, *type;
} pictures[] = { { "png", "image/png" }, { "jpg", "image/jpeg" }, { "webp", "image/webp" } };

/* ---- list, copy, check ------------------------------------------------------------------------------------------------------ */

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "FILE", "file", COLUMN_TEXT, offsetof(struct theme_file, name), NULL },
		{ "SHIPPED", "shipped", COLUMN_BOOL, offsetof(struct theme_file, shipped), NULL },
		{ "REPLACED", "replaced", COLUMN_BOOL, offsetof(struct theme_file, own), NULL },
	};
	struct theme_file *files;
	struct theme t;
	size_t n;

	TRY(config_files_theme(c, &t, err));
	TRY(theme_list(&t, c->arena, &files, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), files, n, sizeof(*files));
	return GH_RC_OK;
}

const struct command command_theme_list = {
	.name = "theme list", .summary = "list the templates, texts and static files that a theme can replace", .run = list,
};

/* from/NAME to to/NAME, with the directories in between. */
static GH_RC copy_file(struct cli *c, const char *from, const char *to, struct str name, struct gh_err *err)
{
	struct str source = arena_printf(c->arena, "%s/%.*s", from, STR_ARG(name)), bytes;
	struct str target = arena_printf(c->arena, "%s/%.*s", to, STR_ARG(name));
	const char *dir;

	if (!source.p || !target.p)
		FAIL(err, NOMEM, "theme");
	dir = arena_cstr(c->arena, str_first(target, str_rfind_char(target, '/')));
	TRY(file_read(c->arena, source.p, FILE_BYTES_MAX, &bytes, err));
	TRY(file_make_dirs(dir, 0755, err));
	return file_write_atomic(target.p, bytes, 0644, err);
}

static gh_rc copy(struct cli *c, struct gh_err *err)
{
	struct str name = str_of(c->options.args[0]), near;
	struct theme_file *files;
	struct theme t;
	size_t n;

	TRY(config_files_theme(c, &t, err));
	if (!t.dir[0])
		FAIL(err, INVALID, "web.theme names no directory");
	TRY(theme_list(&t, c->arena, &files, &n, err));
	if (!theme_is_shipped(files, n, name, c->arena, &near))
		FAIL(err, NOT_FOUND, "there is no shipped file '%.*s'%s%.*s%s", STR_ARG(name), near.p ? "; did you mean '" : "",
		     STR_ARG(near), near.p ? "'?" : "");
	for (size_t i = 0; i < n; i++)
		if (str_eq(files[i].name, name) && files[i].own)
			FAIL(err, CONFLICT, "%s/%.*s is there already", t.dir, STR_ARG(name));
	TRY(copy_file(c, t.share_dir, t.dir, name, err));
	buf_fmt(&c->out, "%s/%.*s\n", t.dir, STR_ARG(name));
	return GH_RC_OK;
}

const struct command command_theme_copy = {
	.name = "theme copy", .args = "FILE", .least_args = 1, .most_args = 1,
	.summary = "copy a shipped file into the theme, to be changed there", .run = copy,
};

static void tell_file(void *ctx UNUSED, struct str file, const char *what)
{
	bool has_place = str_starts(str_of(what), file);         /* templates name file, line and column themselves */

	fprintf(stderr, "%.*s%s%s\n", has_place ? 0 : (int)file.n, file.p, has_place ? "" : ": error: ", what);
}

static gh_rc check(struct cli *c, struct gh_err *err)
{
	struct theme t;
	unsigned bad;

	TRY(config_files_theme(c, &t, err));
	TRY(theme_check(&t, c->arena, tell_file, NULL, &bad, err));
	c->exit_code = bad ? 1 : 0;
	if (!bad)
		buf_fmt(&c->out, "%s: ok\n", t.dir[0] ? t.dir : "no theme");
	return GH_RC_OK;
}

const struct command command_theme_check = {
	.name = "theme check", .summary = "check that templates compile, texts fit, colours stand out and every file is used",
	.help = "The running portal takes changes at SIGHUP to `gatehouse serve`. A file that cannot be used leaves the shipped one\n"
		"in place; the log and `gatehouse doctor` say so.\n",
	.run = check,
};

/* ---- export, import --------------------------------------------------------------------------------------------------------- */

static GH_RC export_look(struct cli *c, struct store *s, const char *dir, struct gh_err *err)
{
	const struct jsn_limits limits = { .max_bytes = LOOK_BYTES_MAX, .max_depth = 8 };
	struct str name = STR_NULL, bytes, type, text;
	struct store_look stored;
	json_t *look;
	bool found;

	TRY(store_look_get(s, c->arena, &stored, err));
	TRY(jsn_parse_in(c->arena, stored.look, &limits, &look, NULL, err));
	TRY(store_setting_get(s, c->arena, STR("portal.title"), &name, &found, err));
	if (found && name.n)
		json_object_set_new(look, "name", json_stringn(name.p, name.n));
	text = jsn_text(c->arena, look, JSN_INDENT | JSN_SORTED);
	TRY(file_write_atomic(arena_printf(c->arena, "%s/look.json", dir).p, arena_printf(c->arena, "%.*s\n", STR_ARG(text)), 0644, err));
	TRY(store_logo_get(s, c->arena, &bytes, &type, &found, err));
	for (size_t i = 0; found && i < ARRAY_LEN(pictures); i++)
		if (str_eq(type, str_of(pictures[i].type)))
			return file_write_atomic(arena_printf(c->arena, "%s/logo.%s", dir, pictures[i].ending).p, bytes, 0644, err);
	return GH_RC_OK;
}

static gh_rc export(struct cli *c, struct gh_err *err)
{
	const char *dir = c->options.args[0];
	struct theme_file *files;
	struct theme t;
	struct store *s;
	size_t n;

	if (access(dir, F_OK) == 0)
		FAIL(err, CONFLICT, "%s is there already; name a directory that is not", dir);
	TRY(config_files_theme(c, &t, err));
	TRY(cli_store(c, false, &s, err));
	TRY(file_make_dirs(dir, 0755, err));
	TRY(theme_list(&t, c->arena, &files, &n, err));
	for (size_t i = 0; i < n; i++)
		if (files[i].own)
			TRY(copy_file(c, t.dir, dir, files[i].name, err));
	return export_look(c, s, dir, err);
}

const struct command command_theme_export = {
	.name = "theme export", .args = "DIR", .least_args = 1, .most_args = 1,
	.summary = "write the theme's files, the look set in the dashboard and the picture into a new directory", .run = export,
};

static void tell_look(void *ctx, const char *where, const char *what)
{
	fprintf(stderr, "%s/look.json: error: %s: %s\n", (const char *)ctx, where, what);
}

struct import {
	json_t *look;                    /* NULL: there is none */
	struct str picture, type;
};

/* What somebody sent must not bring a file along that stands elsewhere: a link to it would be published with the theme. */
static GH_RC within(struct cli *c, const char *dir, struct str name, struct gh_err *err)
{
	struct str path = arena_printf(c->arena, "%s/%.*s", dir, STR_ARG(name));
	char top[PATH_MAX], real[PATH_MAX];

	if (!path.p)
		FAIL(err, NOMEM, "theme");
	if (!realpath(dir, top) || !realpath(path.p, real))
		FAIL(err, IO, "%s: %s", path.p, strerror(errno));
	if (strncmp(real, top, strlen(top)) != 0 || real[strlen(top)] != '/')
		FAIL(err, INVALID, "%s leads out of %s, to %s; nothing was changed", path.p, dir, real);
	return GH_RC_OK;
}

static GH_RC read_look(struct cli *c, const struct theme *from, struct import *in, unsigned *bad, struct gh_err *err)
{
	const struct jsn_limits limits = { .max_bytes = LOOK_BYTES_MAX, .max_depth = 8, .flags = JSN_UNIQUE_KEYS };
	struct str path = arena_printf(c->arena, "%s/look.json", from->dir), text;
	struct text_where where = { 0, 0 };
	struct colours colours;
	const char *why;

	TRY(look_shipped(from, c->arena, &colours, err));
	if (path.p && access(path.p, F_OK) == 0) {
		TRY(within(c, from->dir, STR("look.json"), err));
		TRY(file_read(c->arena, path.p, LOOK_BYTES_MAX, &text, err));
		if (jsn_parse_in(c->arena, text, &limits, &in->look, &where, err).code) {
			fprintf(stderr, "%s:%u:%u: error: %s\n", path.p, where.line, where.column, err->message);
			++*bad;
		} else {
			*bad += look_check(in->look, &colours, tell_look, (void *)from->dir);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(pictures) && !in->picture.n; i++) {
		path = arena_printf(c->arena, "%s/logo.%s", from->dir, pictures[i].ending);
		if (access(path.p, F_OK) != 0)
			continue;
		TRY(within(c, from->dir, str_from(path, strlen(from->dir) + 1), err));
		TRY(file_read(c->arena, path.p, LOOK_LOGO_MAX, &in->picture, err));
		in->type = look_picture_type(in->picture);
		if ((why = look_picture_wrong(in->picture))) {
			fprintf(stderr, "%s: error: %s\n", path.p, why);
			++*bad;
		}
	}
	return GH_RC_OK;
}

/* What is there with what came in place of whole fields; what did not come stays. */
static GH_RC look_document(struct cli_change *ch, const struct import *in, json_t **out, struct gh_err *err)
{
	static const char *const fields[] = { "colours", "texts", "menu" };
	const struct resource_kind *k = resource_kind_find(STR("look"));
	struct str logo = in->picture.n ? crypto_base64(ch->c->arena, in->picture) : STR_NULL;
	json_t *doc;

	TRY(resource_read(ch->store, ch->c->arena, k, STR("portal"), &doc, err));
	doc = resource_document(ch->c->arena, k, doc, RESOURCE_WRITABLE);
	if (!doc)
		FAIL(err, NOMEM, "look");
	for (size_t i = 0; in->look && i < ARRAY_LEN(fields); i++) {
		json_t *v = jsn_get(in->look, fields[i]);

		json_object_set_new(doc, fields[i], v ? json_incref(v) : strcmp(fields[i], "menu") ? json_null() : json_array());
	}
	if (jsn_str(in->look, "name").n)
		json_object_set(doc, "name", jsn_get(in->look, "name"));
	if (logo.n)
		json_object_set_new(doc, "logo", json_stringn(logo.p, logo.n));
	*out = doc;
	return GH_RC_OK;
}

static GH_RC write_look(struct cli_change *ch, const struct theme *from, const struct import *in, struct gh_err *err)
{
	json_t *doc = NULL;

	TRY(look_document(ch, in, &doc, err));
	resource_theme(ch->change, from);
	return cli_put(ch, "look", STR("portal"), doc, RESOURCE_REPLACE, NULL, err);
}

/* Files come last before the commit: they do not stand in the store, and nothing takes them back. */
static GH_RC put_files(struct cli *c, const struct theme *from, const struct theme *to, const struct theme_file *files, size_t n, struct gh_err *err)
{
	for (size_t i = 0; i < n; i++)
		if (files[i].own && str_find_char(files[i].name, '/') != SIZE_MAX)       /* look.json and logo.EXT go into the store */
			TRY(copy_file(c, from->dir, to->dir, files[i].name, err));
	return GH_RC_OK;
}

static gh_rc import(struct cli *c, struct gh_err *err)
{
	struct import in = { .look = NULL };
	struct theme t, from;
	struct theme_file *files;
	struct cli_change ch;
	unsigned bad = 0;
	size_t n;
	gh_rc rc;

	TRY(config_files_theme(c, &t, err));
	if (!t.dir[0])
		FAIL(err, INVALID, "web.theme names no directory");
	from = (struct theme){ .share_dir = t.share_dir, .dir = c->options.args[0] };
	if (access(from.dir, F_OK) != 0)
		FAIL(err, NOT_FOUND, "there is no directory %s", from.dir);
	TRY(theme_list(&from, c->arena, &files, &n, err));
	for (size_t i = 0; i < n; i++)
		if (files[i].own)
			TRY(within(c, from.dir, files[i].name, err));
	TRY(theme_check(&from, c->arena, tell_file, NULL, &bad, err));
	TRY(read_look(c, &from, &in, &bad, err));
	if (bad)
		FAIL(err, INVALID, "%u thing%s wrong in %s; nothing was changed", bad, bad == 1 ? " is" : "s are", from.dir);
	TRY(cli_change_begin(c, &ch, err));
	rc = write_look(&ch, &from, &in, err);
	return cli_change_end(&ch, rc.code ? rc : put_files(c, &from, &t, files, n, err), err);
}

const struct command command_theme_import = {
	.name = "theme import", .args = "DIR", .least_args = 1, .most_args = 1,
	.summary = "check a directory that `theme export` wrote and put it in place, all of it or nothing", .run = import,
};
