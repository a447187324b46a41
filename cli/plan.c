/* plan.c - `gatehouse plan` and `gatehouse apply`: files against the store. */
#include "cli/config_files.h"
#include "cli/remote.h"
#include "core/json.h"
#include "core/str.h"

static const struct option plan_options[] = {
	REMOTE_OPTIONS,
	CONFIG_FILES_OPTIONS,
	OPTION_END,
};

static const struct option apply_options[] = {
	{ "yes", OPTION_FLAG, NULL, "apply without asking", false },
	REMOTE_OPTIONS,
	CONFIG_FILES_OPTIONS,
	OPTION_END,
};

static const struct option zip_options[] = {
	{ "env", OPTION_TEXT, "ENV", "environment that the API is put into, in place of the one it came from", false },
	{ "yes", OPTION_FLAG, NULL, "import without asking", false },
	CONFIG_FILES_OPTIONS,
	OPTION_END,
};

/* What the management API does not take is said before anything else. */
static void tell_left_out(struct cli *c, const struct tree *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += str_starts(t->files[i].path, STR(FILES_THEME));
	if (n)
		cli_warn(c, "%zu file%s below %s %s not sent: a theme stands on the disk of a machine, not in its store; `gatehouse apply` or "
			 "`gatehouse theme import` on that machine puts it in place", n, n == 1 ? "" : "s", FILES_THEME, n == 1 ? "is" : "are");
}

static GH_RC elsewhere(struct cli *c, const struct tree *t, const char *prefix, bool apply, struct gh_err *err)
{
	bool yes = option_flag(&c->options, "yes");
	struct str state = STR_NULL;             /* of the plan that is shown: nothing else is applied */
	json_t *plan;
	size_t changes;

	tell_left_out(c, t);
	if (!apply || !yes) {
		TRY(remote_files(c, t, prefix, apply, true, &state, &plan, err));
		changes = json_array_size(jsn_arr(plan, "changes"));
		if (!apply && plan)
			c->exit_code = changes ? 2 : 0;
		if (apply && plan && !changes && c->json)
			config_files_json(c, plan, FILES_APPLIED);
		if (!apply || !changes)
			return GH_RC_OK;
		TRY(config_files_agreed(c, &yes, err));
	}
	if (yes)
		return remote_files(c, t, prefix, true, false, &state, &plan, err);
	if (c->json)
		config_files_json(c, plan, FILES_DECLINED);
	else
		buf_cstr(&c->out, "nothing was changed\n");
	c->exit_code = 1;
	return GH_RC_OK;
}

static gh_rc work(struct cli *c, bool apply, struct gh_err *err)
{
	const char *prefix;
	struct tree t;

	TRY(config_files_read(c, c->options.args[0], &t, &prefix, err));
	if (option_text(&c->options, "server"))
		return elsewhere(c, &t, prefix, apply, err);
	return config_files_work(c, &t, NULL, prefix, apply, err);
}

static gh_rc run_plan(struct cli *c, struct gh_err *err)
{
	return work(c, false, err);
}

static gh_rc run_apply(struct cli *c, struct gh_err *err)
{
	return work(c, true, err);
}

static gh_rc run_zip(struct cli *c, struct gh_err *err)
{
	const char *env = option_text(&c->options, "env"), *prefix;
	struct files_set *set = arena_new_of(c->arena, struct files_set);
	struct tree t;

	TRY(config_files_read(c, c->options.args[0], &t, &prefix, err));
	if (!set)
		FAIL(err, NOMEM, "import");
	TRY(files_set_read(set, c->arena, &t, err));
	files_set_take_nothing_away(set);
	for (size_t i = 0; env && i < set->n; i++)
		if (strcmp(set->docs[i].kind->name, "api") == 0)
			json_object_set_new(set->docs[i].doc, "environment", json_string(env));
	return config_files_work(c, &t, set, prefix, true, err);
}

const struct command command_import_zip = {
	.name = "import zip", .args = "FILE.zip", .least_args = 1, .most_args = 1,
	.summary = "take over an API that `export --api` wrote, with what it needs",
	.help = "Shows first what is created and changed and which secrets are missing here, and asks, unless --yes is given.\n",
	.options = zip_options, .run = run_zip,
};

const struct command command_plan = {
	.name = "plan", .args = "DIR|FILE", .least_args = 1, .most_args = 1,
	.summary = "show what apply would create, change and delete, and whom it touches",
	.help = "Ends with 0 when there is nothing to do, with 2 when there is, with 1 when the files are wrong. - reads YAML from standard\n"
		"input. Deletions are seen only where the document of $kind: configuration says that the files cover a kind.\n",
	.options = plan_options, .run = run_plan,
};

const struct command command_apply = {
	.name = "apply", .args = "DIR|FILE", .least_args = 1, .most_args = 1,
	.summary = "make the configuration what the files say, in one transaction",
	.help = "Shows the plan and asks, unless --yes is given. Everything is checked first; with one thing wrong nothing is changed.\n"
		"- reads YAML from standard input (with --yes).\n",
	.options = apply_options, .run = run_apply,
};
