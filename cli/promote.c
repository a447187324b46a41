/* promote.c - `gatehouse promote`: an API from one environment into another. */
#include "cli/config_files.h"
#include "config/files/promote.h"
#include "core/str.h"

static const struct option options[] = {
	{ "from", OPTION_TEXT, "ENV", "environment that the API stands in; checked when it is given", false },
	{ "to", OPTION_TEXT, "ENV", "environment that it goes to", true },
	{ "with", OPTION_TEXT, "LIST", "what goes along: policies,tiers,alerts,contracts (default: nothing of these)", false },
	{ "backend", OPTION_TEXT, "URL", "address of the backend there, in place of the one that its variables say", false },
	{ "dry-run", OPTION_FLAG, NULL, "show what would be done", false },
	OPTION_END,
};

static void print(struct cli *c, const struct promotion *p, const struct plan *plan)
{
	if (c->json) {
		json_t *v = jsn_keep(c->arena, plan_json(plan)), *alerts = json_array();

		for (size_t i = 0; i < p->n_alerts; i++)
			json_array_append_new(alerts, json_stringn(p->alert_ids[i].p, p->alert_ids[i].n));
		json_object_set_new(v, "alerts", alerts);
		json_object_set_new(v, "instance", json_stringn(p->instance.p, p->instance.n));
		jsn_write(&c->out, v, 0);
		buf_char(&c->out, '\n');
		return;
	}
	buf_fmt(&c->out, "%.*s in %.*s\n", STR_ARG(p->instance), STR_ARG(p->to));
	plan_text(plan, &c->out);
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	struct plan_options o = { .actor = str_of(cli_actor(c)), .dry_run = option_flag(&c->options, "dry-run"), .impact = true };
	struct promotion p = { .api = str_of(c->options.args[0]), .from = str_of(option_text(&c->options, "from")),
			       .to = str_of(option_text(&c->options, "to")), .backend = str_of(option_text(&c->options, "backend")) };
	struct files_set *set = arena_new_of(c->arena, struct files_set);
	struct store *s;
	struct plan plan;
	gh_rc rc;

	if (!set)
		FAIL(err, NOMEM, "promotion");
	TRY(promotion_with(&p, str_of(option_text_or(&c->options, "with", "")), err));
	TRY(cli_store(c, true, &s, err));
	TRY(promotion_set(s, c->arena, &p, set, err));
	rc = plan_run(s, c->arena, set, &o, &plan, err);
	if (rc.code == GH_E_INVALID && set->total_problems) {
		config_files_problems(c, set, "");
		return GH_RC_OK;
	}
	TRY(rc);
	print(c, &p, &plan);
	return GH_RC_OK;
}

const struct command command_promote = {
	.name = "promote", .args = "API", .least_args = 1, .most_args = 1,
	.summary = "take an API from one environment into another, or bring the earlier instance up to date",
	.help = "The instance is the API at the same path and version there; a new one is named after the environment. Its backend is what the\n"
		"variables of the environment say. Nothing else goes along but what --with names.\n",
	.options = options, .run = run,
};
