/* access.c - `gatehouse access …`: who may call an API or the APIs of a product. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/access_rule.h"
#include "core/file.h"
#include "core/str.h"
#include "db/access_rules.h"
#include "db/apis.h"

static const char rule_help[] =
	"A rule is the methods that let a caller in: any of the groups between \"|\", each with all methods between \"+\":\n"
	"    key | jwt(issuer=https://login.example, audience=orders, scope=orders.read) + cert(ca=partners)\n"
	"What one operation asks besides stands behind \";\", by its id:\n"
	"    jwt(issuer=https://login.example) ; create-order: scope=orders.write, claim.role=buyer\n"
	"With --file the same as JSON or YAML (see docs/access.md). Secrets are named values: key={{name}}.\n"
	"Methods: key, client, jwt, introspect, cert, basic, hmac, sigv4, anonymous; `gatehouse access methods` lists their\n"
	"parameters. An API's own rule comes before those of its products.";

#define PLACE_OPTIONS                                                                            \
	{ "api", OPTION_TEXT, "ID", "of this API", false },                                      \
	{ "product", OPTION_TEXT, "ID", "of this product, for all its APIs without a rule", false }

/* Its id as a resource: "api:orders". */
static gh_rc take_place(struct cli *c, struct str *id, struct gh_err *err)
{
	const char *api = option_text(&c->options, "api"), *product = option_text(&c->options, "product");

	if ((api != NULL) + (product != NULL) != 1)
		return cli_usage(c, err, "give one of --api ID and --product ID");
	*id = arena_printf(c->arena, "%s:%s", api ? "api" : "product", api ? api : product);
	return GH_RC_OK;
}

/* ---- set ------------------------------------------------------------------------------------------------------------- */

static const struct option set_options[] = {
	PLACE_OPTIONS,
	{ "file", OPTION_TEXT, "FILE", "the rule as JSON or YAML, or in the short form; - is standard input", false },
	OPTION_END,
};

static gh_rc read_rule(struct cli *c, json_t **out, struct gh_err *err)
{
	const char *file = option_text(&c->options, "file");
	struct str text;

	if ((file != NULL) + (c->options.n_args > 0) != 1)
		return cli_usage(c, err, "give the rule as one argument in quotes, or --file FILE");
	if (!file)
		return access_rule_normalise(c->arena, str_of(c->options.args[0]), out, err);
	TRY(file_read(c->arena, file, ACCESS_RULE_BYTES, &text, err));
	if (!access_rule_normalise(c->arena, text, out, err).code)
		return GH_RC_OK;
	gh_err_prefix(err, "%s", file);
	return (gh_rc){ err->code };
}

/* Operations that are not there are most likely misspelt. */
static gh_rc check_operations(struct cli *c, struct store *s, struct str api, const json_t *rule, struct gh_err *err)
{
	struct store_api found_api;
	struct store_operation *ops;
	const char *id;
	json_t *ignored;
	bool found;
	size_t n;

	if (!api.p || !jsn_obj(rule, "operations"))
		return GH_RC_OK;
	TRY(store_api_find(s, c->arena, api, 0, &found_api, &found, err));
	TRY(store_operations_of(s, c->arena, api, found_api.revision, &ops, &n, err));
	json_object_foreach(jsn_obj(rule, "operations"), id, ignored) {
		found = false;
		for (size_t i = 0; i < n; i++)
			found |= str_eq(ops[i].id, str_of(id));
		if (!found)
			cli_warn(c, "API '%.*s' has no operation '%s' now", STR_ARG(api), id);
	}
	return GH_RC_OK;
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	struct store *s;
	struct str id;
	json_t *rule;

	TRY(take_place(c, &id, err));
	TRY(read_rule(c, &rule, err));
	TRY(cli_replace(c, "access-rule", id, jsn_keep(c->arena, json_pack("{s:O}", "rule", rule)), err));
	TRY(cli_store(c, false, &s, err));
	return check_operations(c, s, str_of(option_text(&c->options, "api")), rule, err);
}

const struct command command_access_set = {
	.name = "access set", .args = "[RULE]", .least_args = 0, .most_args = 1, .summary = "say who may call an API or a product's APIs",
	.options = set_options, .help = rule_help, .run = set,
};

/* ---- check, methods --------------------------------------------------------------------------------------------------- */

static const struct option check_options[] = {
	{ "file", OPTION_TEXT, "FILE", "the rule as JSON or YAML, or in the short form; - is standard input", false }, OPTION_END,
};

static gh_rc check(struct cli *c, struct gh_err *err)
{
	json_t *rule;

	TRY(read_rule(c, &rule, err));
	jsn_write(&c->out, rule, JSN_INDENT);
	buf_char(&c->out, '\n');
	return GH_RC_OK;
}

const struct command command_access_check = {
	.name = "access check", .args = "[RULE]", .least_args = 0, .most_args = 1,
	.summary = "check an access rule without a store and print it as JSON", .options = check_options, .help = rule_help, .run = check,
};

static gh_rc methods(struct cli *c, struct gh_err *err UNUSED)
{
	struct buf *b = &c->out;

	buf_cstr(b, c->json ? "[" : "");
	for (unsigned i = 0; i < ACCESS_KIND__COUNT; i++) {
		const struct access_method_info *m = &access_methods[i];

		if (c->json)
			buf_fmt(b, "%s{\"method\": \"%s\", \"help\": \"%s\", \"parameters\": [", i ? ",\n " : "", m->name, m->help);
		else
			buf_fmt(b, "%s%-12s %s\n", i ? "\n" : "", m->name, m->help);
		for (size_t k = 0; m->parameters[k].name; k++) {
			const struct access_parameter *p = &m->parameters[k];

			if (c->json)
				buf_fmt(b, "%s{\"name\": \"%s\", \"list\": %s, \"help\": \"%s\"}", k ? ", " : "", p->name,
					p->kind == ACCESS_LIST ? "true" : "false", p->help);
			else
				buf_fmt(b, "    %-14s %s%s\n", p->name, p->help, p->kind == ACCESS_LIST ? "; may stand several times" : "");
		}
		if (c->json)
			buf_cstr(b, "]}");
		else if (m->claims)
			buf_cstr(b, "    claim.NAME     values of a claim, any of which the token must have\n");
	}
	buf_cstr(b, c->json ? "]\n" : "");
	return GH_RC_OK;
}

const struct command command_access_methods = {
	.name = "access methods", .summary = "list the methods of access rules and their parameters", .run = methods,
};

/* ---- show, list, delete ------------------------------------------------------------------------------------------------- */

static const struct option place_options[] = { PLACE_OPTIONS, OPTION_END };

static gh_rc show(struct cli *c, struct gh_err *err)
{
	json_t *doc;
	struct store *s;
	struct str id;

	TRY(take_place(c, &id, err));
	TRY(cli_store(c, false, &s, err));
	TRY(resource_read(s, c->arena, resource_kind_find(STR("access-rule")), id, &doc, err));
	if (!doc)
		FAIL(err, NOT_FOUND, "there is no access-rule '%.*s'", STR_ARG(str_first(id, 200)));
	jsn_write(&c->out, jsn_get(doc, "rule"), JSN_INDENT);
	buf_char(&c->out, '\n');
	return GH_RC_OK;
}

const struct command command_access_show = {
	.name = "access show", .summary = "print an access rule as JSON", .options = place_options, .run = show,
};

struct printed {
	struct store_access_rule row;
	struct str text;
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "API", "api", COLUMN_TEXT, offsetof(struct printed, row.api_id), NULL },
		{ "PRODUCT", "product", COLUMN_TEXT, offsetof(struct printed, row.product_id), NULL },
		{ "CHANGED", "changed", COLUMN_TIME, offsetof(struct printed, row.changed_us), NULL },
		{ "RULE", "rule", COLUMN_TEXT, offsetof(struct printed, text), NULL },
	};
	struct store_access_rule *rows;
	struct printed *out;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_access_rules(s, c->arena, &rows, &n, err));
	out = arena_alloc(c->arena, n + 1, sizeof(*out));
	if (!out)
		FAIL(err, NOMEM, "%zu access rules", n);
	for (size_t i = 0; i < n; i++) {
		json_t *rule;

		TRY(jsn_parse_in(c->arena, rows[i].rule, NULL, &rule, NULL, err));
		out[i] = (struct printed){ rows[i], access_rule_short(c->arena, rule) };
	}
	output_list(c, columns, ARRAY_LEN(columns), out, n, sizeof(*out));
	return GH_RC_OK;
}

const struct command command_access_list = { .name = "access list", .summary = "list the access rules", .run = list };

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	struct str id;

	TRY(take_place(c, &id, err));
	return cli_remove(c, "access-rule", id, err);
}

const struct command command_access_delete = {
	.name = "access delete", .summary = "remove an access rule: subscription keys count again", .options = place_options, .run = delete,
};
