/* consumer_rule.c - `gatehouse consumer-rule …`: what one consumer may do at an API, without a product of its own. */
#include "cli/limit_option.h"
#include "cli/output.h"
#include "core/str.h"
#include "db/consumer_rules.h"
#include "db/subscriptions.h"

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

static gh_rc put(struct cli *c, struct store *s, const struct store_consumer_rule *r, const struct store_limit *v, size_t n,
		 struct gh_err *err)
{
	struct store_subscription sub;
	bool found;

	TRY(store_subscription_find(s, c->arena, r->subscription_id, &sub, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no subscription '%.*s'", STR_ARG(str_first(r->subscription_id, 200)));
	return store_consumer_rule_set(s, c->arena, r, v, n, err);
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	struct store_consumer_rule r = { .subscription_id = str_of(c->options.args[0]), .api_id = str_of(option_text(&c->options, "api")),
					 .methods = str_of(option_text_or(&c->options, "methods", "")),
					 .operations = str_of(option_text_or(&c->options, "operations", "")) };
	struct store_limit v[STORE_TIER_LIMITS_MAX];
	struct store *s;
	size_t n;

	TRY(limit_options(c, v, &n, err));
	if (!n && !r.methods.n && !r.operations.n)
		return cli_usage(c, err, "a rule says --methods, --operations, --rate, --quota, --bandwidth or --concurrency");
	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, put(c, s, &r, v, n, err), err);
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
	struct store *s;

	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_consumer_rule_delete(s, str_of(c->options.args[0]), str_of(option_text(&c->options, "api")), err), err);
}

const struct command command_consumer_rule_delete = {
	.name = "consumer-rule delete", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "take the rule of a subscription for an API away", .options = delete_options, .run = delete,
};
