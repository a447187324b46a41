/* config_files.c - plan and apply, as far as the commands share them.
 *
 * An apply shows its plan first and asks on a terminal; --yes goes ahead. What was agreed to is what is done, and nothing else: if
 * somebody changes the store in between, it is refused. */
#include "cli/config_files.h"

#include "cli/files_theme.h"
#include "core/config.h"
#include "core/file.h"
#include "core/paths.h"
#include "core/str.h"
#include "core/yaml.h"
#include "db/store.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRETS_MAX = 1 << 20, PLAN_TEXT_MAX = 64 << 20 };

GH_RC config_files_theme(struct cli *c, struct theme *out, struct gh_err *err)
{
	struct str conf = arena_printf(c->arena, "%s/gatehouse.conf", c->state_dir);
	char *share = arena_alloc_text(c->arena, PATHS_MAX);
	struct config config;

	if (!conf.p || !share)
		FAIL(err, NOMEM, "theme");
	TRY(config_load(&config, c->arena, conf.p, err));
	TRY(paths_share(share, err));
	*out = (struct theme){ .share_dir = share };
	return theme_dir(c->arena, c->state_dir, config_text(&config, CONFIG_WEB_THEME), &out->dir, err);
}

GH_RC config_files_read(struct cli *c, const char *from, struct tree *out, const char **prefix, struct gh_err *err)
{
	struct str bytes, name = str_of(from);
	struct stat st;

	tree_init(out, c->arena);
	*prefix = "";
	if (strcmp(from, "-") == 0) {
		TRY(file_read(c->arena, from, FILES_ONE_MAX, &bytes, err));
		TRY(tree_add(out, STR("standard-input.yaml"), bytes, err));
		return tree_finish(out, err);
	}
	if (stat(from, &st) != 0)
		FAIL(err, NOT_FOUND, "there is no %s", from);
	if (!S_ISDIR(st.st_mode) && !str_ends(name, STR(".zip"))) {
		TRY(file_read(c->arena, from, FILES_ONE_MAX, &bytes, err));
		TRY(tree_add(out, str_from(name, str_rfind_char(name, '/') + 1), bytes, err));
		return tree_finish(out, err);
	}
	if (!S_ISDIR(st.st_mode)) {
		*prefix = arena_printf(c->arena, "%s:", from).p;
		TRY(file_read(c->arena, from, FILES_BYTES_MAX, &bytes, err));
		return tree_from_zip(out, bytes, err);
	}
	while (name.n > 1 && name.p[name.n - 1] == '/')
		name.n--;
	*prefix = arena_printf(c->arena, "%.*s/", STR_ARG(name)).p;
	return tree_read(out, from, err);
}

GH_RC config_files_options(struct cli *c, struct plan_options *o, struct gh_err *err)
{
	const char *path = option_text(&c->options, "secrets");
	struct text_where at = { 0, 0 };
	struct str text;
	json_t *secrets;

	o->placeholders = option_flag(&c->options, "placeholders");
	if (!path)
		return GH_RC_OK;
	TRY(file_read(c->arena, path, SECRETS_MAX, &text, err));
	gh_rc rc = yaml_or_json_parse(text, SECRETS_MAX, &secrets, &at, err);

	if (rc.code) {
		gh_err_prefix(err, "%s:%u:%u", path, at.line, at.column);
		return rc;
	}
	o->secrets = jsn_keep(c->arena, secrets);
	if (!json_is_object(o->secrets))
		FAIL(err, INVALID, "%s: secrets are a mapping, a line each: \"named-value/erp-password/secret: text\"", path);
	return GH_RC_OK;
}

void config_files_problems(struct cli *c, const struct files_set *set, const char *prefix)
{
	struct buf b;

	buf_init(&b, 1 << 22);
	files_problems_text(set, prefix, &b);
	fwrite(b.p ? b.p : "", 1, b.n, stderr);
	buf_release(&b);
	c->exit_code = 1;
}

void config_files_json(struct cli *c, json_t *plan, enum files_outcome outcome)
{
	if (outcome != FILES_PLANNED)
		json_object_set_new(plan, "applied", json_boolean(outcome == FILES_APPLIED));
	jsn_write(&c->out, plan, 0);
	buf_char(&c->out, '\n');
}

static void print_plan(struct cli *c, const struct plan *p, enum files_outcome outcome)
{
	json_t *v;

	if (!c->json) {
		plan_text(p, &c->out);
		return;
	}
	v = plan_json(p);
	config_files_json(c, v, outcome);
	json_decref(v);
}

/* For whoever is asked: with --format json on standard error, as standard output is for one object alone. */
static void show_plan(struct cli *c, const struct plan *p)
{
	struct buf text;

	if (!c->json) {
		plan_text(p, &c->out);
		return;
	}
	buf_init(&text, PLAN_TEXT_MAX);
	plan_text(p, &text);
	fwrite(text.p ? text.p : "", 1, text.n, stderr);
	buf_release(&text);
}

GH_RC config_files_agreed(struct cli *c, bool *yes, struct gh_err *err)
{
	char answer[16];

	*yes = option_flag(&c->options, "yes");
	if (*yes)
		return GH_RC_OK;
	if (!isatty(STDIN_FILENO))
		FAIL(err, INVALID, "nothing was changed: say --yes to apply this plan without being asked");
	TRY(cli_flush(c, err));
	fputs("Apply this? [y/N] ", stderr);
	*yes = fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
	return GH_RC_OK;
}

/* Files of the theme: they do not stand in the store, so they follow the transaction. */
static GH_RC theme_files(struct cli *c, const struct tree *t, bool apply, size_t *changes, struct gh_err *err)
{
	struct theme theme;

	*changes = 0;
	TRY(config_files_theme(c, &theme, err));
	return files_theme(c, t, theme.dir, apply, changes, err);
}

static GH_RC finish_apply(struct cli *c, const struct tree *t, const struct plan *p, struct gh_err *err)
{
	size_t theme = 0;

	if (t)
		TRY(theme_files(c, t, true, &theme, err));
	if (c->json)
		print_plan(c, p, FILES_APPLIED);
	else if (p->n || theme)
		buf_fmt(&c->out, "applied: %zu created, %zu changed, %zu deleted\n", plan_count(p, PLAN_CREATE), plan_count(p, PLAN_CHANGE),
			plan_count(p, PLAN_DELETE));
	return GH_RC_OK;
}

GH_RC config_files_walk(struct cli *c, struct store *s, struct files_set *set, const struct plan_options *o, struct plan *p, const char *prefix,
		  bool *ok, struct gh_err *err)
{
	gh_rc rc = plan_run(s, c->arena, set, o, p, err);

	*ok = !rc.code;
	if (rc.code == GH_E_INVALID && set->total_problems) {
		if (p->n_missing && !c->json)
			plan_text(p, &c->out);
		config_files_problems(c, set, prefix);
		return GH_RC_OK;
	}
	return rc;
}

GH_RC config_files_work(struct cli *c, const struct tree *t, struct files_set *set, const char *prefix, bool apply, struct gh_err *err)
{
	struct plan_options o = { .actor = str_of(cli_actor(c)), .dry_run = true, .impact = true };
	struct files_set own;
	struct store *s;
	struct plan p, done;
	struct theme look;
	size_t theme = 0;
	bool ok, yes = option_flag(&c->options, "yes");

	TRY(config_files_options(c, &o, err));
	TRY(config_files_theme(c, &look, err));
	o.theme = &look;
	if (!set) {
		set = &own;
		TRY(files_set_read(set, c->arena, t, err));
	}
	TRY(cli_store(c, true, &s, err));
	if (apply && yes) {                              /* one walk is enough */
		o.dry_run = false;
		o.impact = c->json;
	}
	TRY(config_files_walk(c, s, set, &o, &p, prefix, &ok, err));
	if (!ok)
		return GH_RC_OK;
	if (t)
		TRY(theme_files(c, t, false, &theme, err));
	if (!apply) {
		print_plan(c, &p, FILES_PLANNED);
		c->exit_code = p.n || theme ? 2 : 0;
		return GH_RC_OK;
	}
	if (!c->json || (o.dry_run && (p.n || theme)))
		show_plan(c, &p);
	if (!o.dry_run)
		return finish_apply(c, t, &p, err);
	if (p.n == 0 && theme == 0)
		return c->json ? finish_apply(c, NULL, &p, err) : GH_RC_OK;
	TRY(config_files_agreed(c, &yes, err));
	if (!yes) {
		if (c->json)
			print_plan(c, &p, FILES_DECLINED);
		else
			buf_cstr(&c->out, "nothing was changed\n");
		c->exit_code = 1;
		return GH_RC_OK;
	}
	o = (struct plan_options){ .actor = o.actor, .theme = o.theme, .secrets = o.secrets, .placeholders = o.placeholders, .agreed = &p };
	TRY(config_files_walk(c, s, set, &o, &done, prefix, &ok, err));
	return ok ? finish_apply(c, t, &p, err) : GH_RC_OK;
}
