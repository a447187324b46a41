/* api_group.c - `gatehouse api-group …`: API instances that act as one unit with one contract (db/products.h). */
#include "cli/product.h"

static const struct option create_options[] = {
	{ "name", OPTION_TEXT, "NAME", "name that developers read (the id)", false },
	{ "description", OPTION_TEXT, "TEXT", "what it is for", false },
	{ "approval", OPTION_TEXT, "auto|manual", "whether somebody decides on a new contract (auto)", false },
	{ "rate", OPTION_TEXT, "CALLS/SECONDS", "calls of one contract in a sliding window of at most 300 s: 100/60", false },
	{ "quota", OPTION_TEXT, "CALLS/PERIOD", "calls of one contract in a fixed period: 10000/day, 500/3600", false },
	{ "draft", OPTION_FLAG, NULL, "do not show it in the portal yet", false },
	{ "api", OPTION_MANY, "API", "put this API into it", false },
	OPTION_END,
};

static gh_rc create(struct cli *c, struct gh_err *err)
{
	return product_create(c, STORE_KIND_API_GROUP, err);
}

const struct command command_api_group_create = {
	.name = "api-group create", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "make a group of APIs that one contract opens",
	.help = "An application asks for access once; its keys and client ids then open every API of the group. Tiers, policies and\n"
		"access rules take the group's id where they take a product's: gatehouse tier create gold --product ID",
	.options = create_options, .run = create,
};

static const struct option set_options[] = {
	{ "name", OPTION_TEXT, "NAME", "name that developers read", false },
	{ "description", OPTION_TEXT, "TEXT", "what it is for", false },
	{ "terms", OPTION_TEXT, "TEXT", "what a subscriber agrees to", false },
	{ "approval", OPTION_TEXT, "auto|manual", "whether somebody decides on a new contract", false },
	{ "publish", OPTION_TEXT, "yes|no", "whether the portal shows it", false },
	{ "subscriptions-limit", OPTION_INT, "N", "contracts that one person may have, with all applications; 0: any number", false },
	{ "group", OPTION_MANY, "ID", "only members of this group of users see it", false },
	OPTION_END,
};

static gh_rc set(struct cli *c, struct gh_err *err)
{
	return product_set(c, STORE_KIND_API_GROUP, err);
}

const struct command command_api_group_set = {
	.name = "api-group set", .args = "ID", .least_args = 1, .most_args = 1, .summary = "change an API group",
	.help = "What is not named stays as it is.", .options = set_options, .run = set,
};

static const struct option list_options[] = {
	{ "search", OPTION_TEXT, "TEXT", "only those whose id or name contains it", false },
	OPTION_END,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	return product_list(c, STORE_KIND_API_GROUP, err);
}

const struct command command_api_group_list = {
	.name = "api-group list", .summary = "list the API groups", .options = list_options, .run = list,
};

static gh_rc add_api(struct cli *c, struct gh_err *err)
{
	return product_change_apis(c, STORE_KIND_API_GROUP, true, err);
}

static gh_rc remove_api(struct cli *c, struct gh_err *err)
{
	return product_change_apis(c, STORE_KIND_API_GROUP, false, err);
}

const struct command command_api_group_add_api = {
	.name = "api-group add-api", .args = "ID API", .least_args = 2, .most_args = 2, .summary = "put an API into a group",
	.run = add_api,
};
const struct command command_api_group_remove_api = {
	.name = "api-group remove-api", .args = "ID API", .least_args = 2, .most_args = 2,
	.summary = "take an API out of a group", .run = remove_api,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return product_delete(c, STORE_KIND_API_GROUP, err);
}

const struct command command_api_group_delete = {
	.name = "api-group delete", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "delete an API group that nobody has a contract with", .run = delete,
};
