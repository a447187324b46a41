/* network.c - `gatehouse network …`: from which addresses calls may come, and whether only over https. */
#include "cli/output.h"
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

static gh_rc place_of(struct cli *c, struct store_network_rule *r, struct gh_err *err)
{
	struct store_policy_scope scope;

	TRY(store_policy_scope_parse(str_of(option_text(&c->options, "scope")), &scope, err));
	if ((scope.kind != STORE_POLICY_GLOBAL && scope.kind != STORE_POLICY_PRODUCT && scope.kind != STORE_POLICY_API)
	    || scope.revision)
		return cli_usage(c, err, "--scope is global, product:ID or api:ID");
	r->product_id = scope.product_id;
	r->api_id = scope.api_id;
	return GH_RC_OK;
}

/* What is given takes the place of the whole list. */
static gh_rc take_list(struct cli *c, const char *option, const char *file_option, struct str *list, struct gh_err *err)
{
	const char *file = option_text(&c->options, file_option), *one;

	if (file && option_nth(&c->options, option, 0))
		return cli_usage(c, err, "give --%s or --%s, not both", option, file_option);
	if (file) {
		TRY(file_read(c->arena, file, STORE_TEXT_MAX, list, err));
		*list = str_trim(*list);
	}
	for (size_t i = 0; (one = option_nth(&c->options, option, i)); i++) {
		if (i == 0)
			*list = STR("");
		if (strcmp(one, "none") == 0)
			continue;
		*list = arena_printf(c->arena, "%.*s%s%s", STR_ARG(*list), list->n ? " " : "", one);
	}
	if (!list->p)
		*list = STR("");
	return GH_RC_OK;
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	const char *https = option_text(&c->options, "https-only");
	struct store_network_rule r = { 0 }, old;
	struct store *s;
	bool found;

	TRY(place_of(c, &r, err));
	TRY(cli_store(c, true, &s, err));
	TRY(store_network_rule_find(s, c->arena, r.product_id, r.api_id, &old, &found, err));
	if (found)
		r = old;
	TRY(take_list(c, "allow", "allow-file", &r.allow, err));
	TRY(take_list(c, "deny", "deny-file", &r.deny, err));
	if (https)
		r.https_only = strcmp(https, "yes") == 0;
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_network_rule_set(s, &r, err), err);
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
	struct store_network_rule r = { 0 };
	struct store *s;

	TRY(place_of(c, &r, err));
	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_network_rule_delete(s, r.product_id, r.api_id, err), err);
}

const struct command command_network_unset = {
	.name = "network unset", .summary = "take the rule of a scope away", .options = unset_options, .run = unset,
};
