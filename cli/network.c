/* network.c - `gatehouse network …`: from which addresses calls may come, and whether only over https. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/file.h"
#include "core/str.h"
#include "db/network.h"
#include "db/policies.h"

static const struct option set_options[] = {
	{ "scope", OPTION_TEXT, "SCOPE", "global, product:ID or api:ID", true },
	{ "allow", OPTION_MANY, "NETWORK,...", "only from there: 10.0.0.0/8, 2001:db8::/32, 192.0.2.7; none: from anywhere", false },
	{ "deny", OPTION_MANY, "NETWORK,...", "never from there, whatever is allowed; none: nowhere", false },
	{ "allow-file", OPTION_TEXT, "FILE", "the same, from a file: one or several on a line", false },
	{ "deny-file", OPTION_TEXT, "FILE", "the same, from a file", false },
	{ "https-only", OPTION_TEXT, "yes|no", "whether calls over plain http are refused (no)", false },
	OPTION_END,
};

/* Its id as a resource: "all", "product:gold". */
static gh_rc place_of(struct cli *c, struct str *id, struct gh_err *err)
{
	struct store_policy_scope scope;

	*id = str_of(option_text(&c->options, "scope"));
	TRY(store_policy_scope_parse(*id, &scope, err));
	if ((scope.kind != STORE_POLICY_GLOBAL && scope.kind != STORE_POLICY_PRODUCT && scope.kind != STORE_POLICY_API)
	    || scope.revision)
		return cli_usage(c, err, "--scope is global, product:ID or api:ID");
	if (scope.kind == STORE_POLICY_GLOBAL)
		*id = STR("all");
	return GH_RC_OK;
}

/* What is given takes the place of the whole list. */
static gh_rc take_list(struct cli *c, const char *option, const char *file_option, json_t *doc, struct gh_err *err)
{
	const char *file = option_text(&c->options, file_option);
	json_t *list = cli_list_field(c, option);
	struct str text;

	if (file && list)
		return cli_usage(c, err, "give --%s or --%s, not both", option, file_option);
	if (file) {
		TRY(file_read(c->arena, file, STORE_TEXT_MAX, &text, err));
		list = cli_list_of(text);
	}
	if (list && json_object_set_new(doc, option, list) != 0)
		FAIL(err, INVALID, "--%s: no text in UTF-8", file ? file_option : option);
	return GH_RC_OK;
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	static const struct doc_option fields[] = { { "https-only", "httpsOnly", DOC_YES }, DOC_END };
	json_t *doc = cli_document(c, fields);
	struct str id;

	TRY(place_of(c, &id, err));
	TRY(take_list(c, "allow", "allow-file", doc, err));
	TRY(take_list(c, "deny", "deny-file", doc, err));
	return cli_set(c, "network-rule", id, doc, err);
}

const struct command command_network_set = {
	.name = "network set", .summary = "say from which addresses calls may come, and whether only over https",
	.help = "What is not named stays as it is. A call must pass the rules of all scopes that apply to it. The caller's address\n"
		"is that of the connection, or what the proxies in gateway.trusted_proxies say.",
	.options = set_options, .run = set,
};

struct printed {
	struct store_network_rule rule;
	struct str scope;
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "SCOPE", "scope", COLUMN_TEXT, offsetof(struct printed, scope), NULL },
		{ "HTTPS ONLY", "httpsOnly", COLUMN_BOOL, offsetof(struct printed, rule.https_only), NULL },
		{ "ALLOW", "allow", COLUMN_TEXT, offsetof(struct printed, rule.allow), NULL },
		{ "DENY", "deny", COLUMN_TEXT, offsetof(struct printed, rule.deny), NULL },
		{ "CHANGED", "changed", COLUMN_TIME, offsetof(struct printed, rule.changed_us), NULL },
	};
	struct store_network_rule *rules;
	struct printed *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_network_rules(s, c->arena, &rules, &n, err));
	rows = arena_alloc(c->arena, n + 1, sizeof(*rows));
	if (!rows)
		FAIL(err, NOMEM, "%zu network rules", n);
	for (size_t i = 0; i < n; i++) {
		const struct store_network_rule *r = &rules[i];

		rows[i].rule = *r;
		rows[i].scope = r->api_id.n ? arena_printf(c->arena, "api:%.*s", STR_ARG(r->api_id))
			      : r->product_id.n ? arena_printf(c->arena, "product:%.*s", STR_ARG(r->product_id))
						: STR("global");
	}
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_network_list = {
	.name = "network list", .summary = "list the rules of who may call from where", .run = list,
};

static const struct option unset_options[] = {
	{ "scope", OPTION_TEXT, "SCOPE", "global, product:ID or api:ID", true },
	OPTION_END,
};

static gh_rc unset(struct cli *c, struct gh_err *err)
{
	struct str id;

	TRY(place_of(c, &id, err));
	return cli_remove(c, "network-rule", id, err);
}

const struct command command_network_unset = {
	.name = "network unset", .summary = "take the rule of a scope away", .options = unset_options, .run = unset,
};
