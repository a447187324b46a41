/* consumer_rule.c - `gatehouse consumer-rule …`: what one consumer may do at an API, without a product of its own. */
#include "cli/limit_option.h"
#include "cli/output.h"
#include "cli/resource.h"
#include "config/limit_list.h"
#include "core/str.h"
#include "db/consumer_rules.h"

struct printed {
	struct store_consumer_rule rule;
	struct str limits;
};

static const struct column columns[] = {
	{ "API", "api", COLUMN_TEXT, offsetof(struct printed, rule.api_id), NULL },
	{ "METHODS", "methods", COLUMN_TEXT, offsetof(struct printed, rule.methods), NULL },
	{ "OPERATIONS", "operations", COLUMN_TEXT, offsetof(struct printed, rule.operations), NULL },
	{ "LIMITS", "limits", COLUMN_TEXT, offsetof(struct printed, limits), NULL },
};

static const struct option set_options[] = {
	{ "api", OPTION_TEXT, "ID", "the API that it is about; without it every API that has no rule of its own", false },
	{ "methods", OPTION_TEXT, "LIST", "methods that it may use: GET,HEAD (any)", false },
	{ "operations", OPTION_TEXT, "LIST", "operations of the API that it may use: get-order,list-orders (any)", false },
	LIMIT_OPTIONS,
	OPTION_END,
};

/* "s1", or "s1/orders" */
static struct str id_of(struct cli *c)
{
	const char *api = option_text(&c->options, "api");

	return api ? arena_printf(c->arena, "%s/%s", c->options.args[0], api) : str_of(c->options.args[0]);
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	static const char *const lists[] = { "methods", "operations" };
	json_t *doc = jsn_keep(c->arena, json_object());
	struct store_limit v[STORE_TIER_LIMITS_MAX];
	size_t n;

	TRY(limit_options(c, v, &n, err));
	for (size_t i = 0; doc && i < ARRAY_LEN(lists); i++)
		json_object_set_new(doc, lists[i], cli_list_of(str_of(option_text_or(&c->options, lists[i], ""))));
	json_object_set_new(doc, "limits", limit_list(v, n));
	return cli_replace(c, "consumer-rule", id_of(c), doc, err);
}

const struct command command_consumer_rule_set = {
	.name = "consumer-rule set", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "say what a subscription may do at an API", .options = set_options, .run = set,
	.help = "The rule takes the place of the one that the subscription had for this API, and binds its next call. Its limits take\n"
		"the place of those of the tier. " LIMIT_ALGORITHMS_HELP,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	struct store_consumer_rule *v;
	struct store_limit *limits;
	struct printed *rows;
	struct store *s;
	size_t n, n_limits;

	TRY(cli_store(c, false, &s, err));
	TRY(store_consumer_rules(s, c->arena, str_of(c->options.args[0]), &v, &n, err));
	rows = arena_alloc(c->arena, n + 1, sizeof(*rows));
	if (!rows)
		FAIL(err, NOMEM, "%zu rules", n);
	for (size_t i = 0; i < n; i++) {
		TRY(store_consumer_rule_limits(s, c->arena, v[i].subscription_id, v[i].api_id, &limits, &n_limits, err));
		rows[i] = (struct printed){ v[i], limit_text(c->arena, limits, n_limits) };
	}
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_consumer_rule_list = {
	.name = "consumer-rule list", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "list what a subscription may do at which API", .run = list,
};

static const struct option delete_options[] = {
	{ "api", OPTION_TEXT, "ID", "the API that it is about; without it the rule for every API", false },
	OPTION_END,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "consumer-rule", id_of(c), err);
}

const struct command command_consumer_rule_delete = {
	.name = "consumer-rule delete", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "take the rule of a subscription for an API away", .options = delete_options, .run = delete,
};
