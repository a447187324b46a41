/* export.c - `gatehouse export`: the configuration as files. */
#include "cli/config_files.h"
#include "cli/remote.h"
#include "config/files/export.h"
#include "core/file.h"
#include "core/str.h"

#include <dirent.h>
#include <errno.h>
#include <unistd.h>

static const struct option options[] = {
	{ "env", OPTION_TEXT, "ENV", "only what belongs to this environment, and what belongs to none", false },
	{ "api", OPTION_TEXT, "ID", "only this API with what it needs, as one ZIP: gatehouse export --api orders orders.zip", false },
	{ "people", OPTION_FLAG, NULL, "people, their applications and subscriptions too (without keys and passwords)", false },
	REMOTE_OPTIONS,
	OPTION_END,
};

/* A directory that is not there or empty is fine, and one that holds an earlier export. */
static GH_RC check_dir(struct cli *c, const char *dir, bool *again, struct gh_err *err)
{
	struct str head = arena_printf(c->arena, "%s/" FILES_HEAD, dir);
	struct dirent *entry;
	bool empty = true;
	DIR *d;

	*again = head.p && access(head.p, F_OK) == 0;
	d = opendir(dir);
	if (!d && errno == ENOENT)
		return GH_RC_OK;
	if (!d)
		FAIL(err, IO, "%s: %s", dir, strerror(errno));
	while ((entry = readdir(d)))
		empty = empty && entry->d_name[0] == '.';
	closedir(d);
	if (!*again && !empty)
		FAIL(err, CONFLICT, "%s holds other files and no " FILES_HEAD "; name a new directory, or one with an earlier export", dir);
	return GH_RC_OK;
}

static GH_RC read_here(struct cli *c, struct files_export what, struct tree *t, struct gh_err *err)
{
	struct theme theme = { .dir = "" };
	struct store *s;

	if (!what.api.n)
		TRY(config_files_theme(c, &theme, err));
	what.theme_dir = theme.dir;
	TRY(cli_store(c, false, &s, err));
	return files_export(s, c->arena, &what, t, err);
}

/* What an export from elsewhere may sweep: the theme's folder is not of it. */
static const char *const *folders_of(struct cli *c, bool elsewhere)
{
	const char **list = (const char **)(uintptr_t)files_folders(c->arena);
	size_t n = 0;

	while (list && list[n])
		n++;
	if (elsewhere && n && strcmp(list[n - 1], "theme") == 0)
		list[n - 1] = NULL;
	return list;
}

static GH_RC to_zip(struct cli *c, const struct tree *t, const char *path, struct gh_err *err)
{
	struct str bytes;

	TRY(tree_to_zip(t, &bytes, err));
	TRY(file_write_atomic(path, bytes, 0644, err));
	if (c->json)
		buf_fmt(&c->out, "{\"files\":%zu,\"bytes\":%zu}\n", t->n, bytes.n);
	else
		buf_fmt(&c->out, "%s: %zu files, %zu bytes\n", path, t->n, bytes.n);
	return GH_RC_OK;
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	const char *to = c->options.args[0];
	bool zip = str_ends(str_of(to), STR(".zip")), again = false;
	struct files_export what = {
		.environment = str_of(option_text(&c->options, "env")),
		.api = str_of(option_text(&c->options, "api")),
		.personal = option_flag(&c->options, "people"),
	};
	bool elsewhere = option_text(&c->options, "server") != NULL;
	size_t written, removed;
	struct tree t;

	if (elsewhere && what.personal)
		return cli_usage(c, err, "--people does not go with --server: the management API gives out no people as files");
	if (!zip)
		TRY(check_dir(c, to, &again, err));
	TRY(elsewhere ? remote_export(c, what.environment, what.api, &t, err) : read_here(c, what, &t, err));
	if (zip)
		return to_zip(c, &t, to, err);
	TRY(file_make_dirs(to, 0755, err));
	TRY(tree_write(&t, to, again ? folders_of(c, elsewhere) : NULL, &written, &removed, err));
	if (c->json)
		buf_fmt(&c->out, "{\"files\":%zu,\"written\":%zu,\"removed\":%zu}\n", t.n, written, removed);
	else
		buf_fmt(&c->out, "%s: %zu files, %zu written, %zu removed\n", to, t.n, written, removed);
	return GH_RC_OK;
}

const struct command command_export = {
	.name = "export", .args = "DIR|FILE.zip", .least_args = 1, .most_args = 1,
	.summary = "write the configuration as files: YAML, descriptions of APIs, policies, theme",
	.help = "Equal configurations give equal bytes. Into a directory with an earlier export only what differs is written, and files\n"
		"in its folders that are no more are removed. Secrets are never in the files: only their references, or that they are kept.\n",
	.options = options, .run = run,
};
