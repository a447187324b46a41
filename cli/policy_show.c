/* policy_show.c - `gatehouse policy show`, `list` and `unset`: what stands in the store. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/str.h"
#include "db/policies.h"

static const struct option options[] = {
	{ "scope", OPTION_TEXT, "SCOPE", "global, environment:ID, workspace:ID, product:ID, api:ID, api:ID;rev=N or operation:API/OP", true },
	OPTION_END,
};

static gh_rc parse_scope(struct cli *c, struct store_policy_scope *scope, struct gh_err *err)
{
	gh_rc rc = store_policy_scope_parse(str_of(option_text(&c->options, "scope")), scope, err);

	return rc.code ? cli_usage(c, err, "%s", err->message) : rc;
}

static gh_rc show(struct cli *c, struct gh_err *err)
{
	struct store_policy_scope scope;
	struct str bytes;
	struct store *s;
	bool found;

	TRY(parse_scope(c, &scope, err));
	TRY(cli_store(c, false, &s, err));
	TRY(store_policy_find(s, c->arena, &scope, &bytes, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no policy document for %s", option_text(&c->options, "scope"));
	buf_str(&c->out, bytes);
	return GH_RC_OK;
}

const struct command command_policy_show = {
	.name = "policy show", .summary = "print the policy document of a scope, byte for byte", .options = options, .run = show,
};

static gh_rc unset(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "policy", str_of(option_text(&c->options, "scope")), err);
}

const struct command command_policy_unset = {
	.name = "policy unset", .summary = "remove the policy document of a scope", .options = options, .run = unset,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const char *const kinds[] = { "global", "workspace", "product", "api", "operation", "environment", NULL };
	static const struct column columns[] = {
		{ "SCOPE", "scope", COLUMN_NAME, offsetof(struct store_policy, scope.kind), kinds },
		{ "PRODUCT", "product", COLUMN_TEXT, offsetof(struct store_policy, scope.product_id), NULL },
		{ "API", "api", COLUMN_TEXT, offsetof(struct store_policy, scope.api_id), NULL },
		{ "REVISION", "revision", COLUMN_INT, offsetof(struct store_policy, scope.revision), NULL },
		{ "OPERATION", "operation", COLUMN_TEXT, offsetof(struct store_policy, scope.operation_id), NULL },
		{ "BYTES", "bytes", COLUMN_INT, offsetof(struct store_policy, bytes.n), NULL },
		{ "CHANGED", "changed", COLUMN_TIME, offsetof(struct store_policy, changed_us), NULL },
	};
	struct store_policy *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_policies(s, c->arena, &rows, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_policy_list = {
	.name = "policy list", .summary = "list the policy documents in the store", .run = list,
};
