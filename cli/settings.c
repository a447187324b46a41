/* `gatehouse config`: every setting with its value, where the value comes from, and what it does. */
#include "cli/command.h"
#include "core/config.h"

static void put_value(struct buf *out, const struct config *c, enum setting s)
{
	switch (config_info(s)->kind) {
	case SETTING_KIND_INT:
		buf_fmt(out, "%lld", (long long)config_int(c, s));
		break;
	case SETTING_KIND_BOOL:
		buf_cstr(out, config_bool(c, s) ? "yes" : "no");
		break;
	case SETTING_KIND_TEXT:
		buf_str(out, config_text(c, s));
		break;
	}
}

static void put_json(struct buf *out, const struct config *c, enum setting s)
{
	const struct setting_info *info = config_info(s);

	buf_cstr(out, s ? ",\n  {\"name\": " : "  {\"name\": ");
	buf_json(out, (struct str){ info->name, strlen(info->name) });
	buf_cstr(out, ", \"value\": ");
	if (info->kind == SETTING_KIND_INT)
		put_value(out, c, s);
	else if (info->kind == SETTING_KIND_BOOL)
		buf_cstr(out, config_bool(c, s) ? "true" : "false");
	else
		buf_json(out, config_text(c, s));
	buf_fmt(out, ", \"default\": %s, \"help\": ", c->v[s].given ? "false" : "true");
	buf_json(out, (struct str){ info->help, strlen(info->help) });
	buf_char(out, '}');
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	char conf[PATHS_MAX];
	struct config config;

	TRY(paths_join(conf, c->state_dir, "gatehouse.conf", err));
	TRY(config_load(&config, c->arena, conf, err));
	if (c->json)
		buf_cstr(&c->out, "[\n");
	for (unsigned s = 0; s < CONFIG__COUNT; s++) {
		if (c->json) {
			put_json(&c->out, &config, (enum setting)s);
			continue;
		}
		buf_fmt(&c->out, "# %s\n%s%s = ", config_info((enum setting)s)->help, config.v[s].given ? "" : "#",
			config_info((enum setting)s)->name);
		put_value(&c->out, &config, (enum setting)s);
		buf_cstr(&c->out, "\n\n");
	}
	if (c->json)
		buf_cstr(&c->out, "\n]\n");
	return GH_RC_OK;
}

const struct command command_config = {
	.name = "config",
	.summary = "print every setting with its value",
	.help = "The output is a valid DIR/gatehouse.conf: what stands at its default is commented out.",
	.run = run,
};
