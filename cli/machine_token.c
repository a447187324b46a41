/* machine_token.c - `gatehouse machine-token …`: tokens of programs for the management API. */
#include "cli/output.h"
#include "cli/resource.h"
#include "config/resource.h"
#include "core/clock.h"
#include "core/str.h"
#include "db/machine_tokens.h"

static const struct option create_options[] = {
	{ "role", OPTION_TEXT, "ROLE", "what it may do at most: one of those below, or an own role", true },
	{ "env", OPTION_TEXT, "ENV", "it counts in this environment only", false },
	{ "business-group", OPTION_TEXT, "ID", "it counts only in what this business group owns", false },
	{ "scope", OPTION_MANY, "SCOPE", "read, write, read:KINDS or write:KINDS, like write:products; read:analytics, read:audit, read:captures, write:captures", true },
	{ "days", OPTION_INT, "N", "the token is good for this long (default: for ever)", false },
	OPTION_END,
};

static json_t *document(struct cli *c, int64_t days)
{
	json_t *scopes = json_array(), *v = jsn_keep(c->arena, json_object());
	char ends[CLOCK_ISO_MAX];
	const char *scope;

	for (size_t i = 0; (scope = option_nth(&c->options, "scope", i)); i++)
		json_array_append_new(scopes, json_string(scope));
	json_object_set_new(v, "role", json_string(option_text_or(&c->options, "role", "")));
	json_object_set_new(v, "scopes", scopes);
	if (option_text(&c->options, "env"))
		json_object_set_new(v, "environment", json_string(option_text(&c->options, "env")));
	if (option_text(&c->options, "business-group"))
		json_object_set_new(v, "businessGroup", json_string(option_text(&c->options, "business-group")));
	if (days)
		json_object_set_new(v, "ends", json_string(clock_iso(clock_wall_us() + days * 86400 * 1000000, 0, ends)));
	return v;
}

static gh_rc create(struct cli *c, struct gh_err *err)
{
	int64_t days = option_int(&c->options, "days", 0);
	struct resource_outcome out = { .issued = NULL };
	struct resource_change *change;
	struct store *s;
	gh_rc rc;

	if (days < 0 || days > 36500)
		return cli_usage(c, err, "--days needs 1 to 36500");
	TRY(cli_store(c, true, &s, err));
	TRY(resource_begin(s, c->arena, str_of(cli_actor(c)), &change, err));
	rc = resource_write(change, resource_kind_find(STR("machine-token")), str_of(c->options.args[0]), document(c, days), RESOURCE_CREATE, &out,
			    err);
	TRY(resource_end(change, rc, false, err));
	if (c->json)
		jsn_write(&c->out, out.issued, 0);
	else
		buf_str(&c->out, jsn_str(out.issued, "token"));
	buf_char(&c->out, '\n');
	return GH_RC_OK;
}

const struct command command_machine_token_create = {
	.name = "machine-token create", .args = "NAME", .least_args = 1, .most_args = 1,
	.summary = "make a token for the management API and print it once", .options = create_options, .more = cli_help_roles, .run = create,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "NAME", "name", COLUMN_TEXT, offsetof(struct store_machine_token, id), NULL },
		{ "BEGINS", "prefix", COLUMN_TEXT, offsetof(struct store_machine_token, prefix), NULL },
		{ "ROLE", "role", COLUMN_TEXT, offsetof(struct store_machine_token, role), NULL },
		{ "ENVIRONMENT", "environment", COLUMN_TEXT, offsetof(struct store_machine_token, environment_id), NULL },
		{ "BUSINESS GROUP", "businessGroup", COLUMN_TEXT, offsetof(struct store_machine_token, business_group_id), NULL },
		{ "SCOPES", "scopes", COLUMN_TEXT, offsetof(struct store_machine_token, scopes), NULL },
		{ "CREATED", "created", COLUMN_TIME, offsetof(struct store_machine_token, created_us), NULL },
		{ "LAST USED", "lastUsed", COLUMN_TIME, offsetof(struct store_machine_token, used_us), NULL },
		{ "ENDS", "ends", COLUMN_TIME, offsetof(struct store_machine_token, ends_us), NULL },
	};
	struct resource_query q = { .limit = RESOURCE_LIST_MAX };
	struct store_machine_token *rows;
	struct store *s;
	struct str *ids, next;
	bool found;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(resource_ids(s, c->arena, resource_kind_find(STR("machine-token")), &q, &ids, &n, &next, err));
	rows = arena_alloc(c->arena, n + 1, sizeof(*rows));
	if (!rows)
		FAIL(err, NOMEM, "%zu tokens", n);
	for (size_t i = 0; i < n; i++)
		TRY(store_machine_token_find(s, c->arena, ids[i], &rows[i], &found, err));
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_machine_token_list = {
	.name = "machine-token list", .summary = "list the tokens for the management API", .run = list,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "machine-token", str_of(c->options.args[0]), err);
}

const struct command command_machine_token_delete = {
	.name = "machine-token delete", .args = "NAME", .least_args = 1, .most_args = 1,
	.summary = "take back a token for the management API", .run = delete,
};
