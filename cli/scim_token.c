/* scim_token.c - `gatehouse scim-token …`: who may provision users and groups. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/clock.h"
#include "core/str.h"
#include "db/scim.h"

struct printed {
	struct store_scim_token t;
	struct str token;
};

static const struct column columns[] = {
	{ "NAME", "name", COLUMN_TEXT, offsetof(struct printed, t.id), NULL },
	{ "CREATED", "created", COLUMN_TIME, offsetof(struct printed, t.created_us), NULL },
	{ "LAST USED", "lastUsed", COLUMN_TIME, offsetof(struct printed, t.used_us), NULL },
	{ "ENDS", "ends", COLUMN_TIME, offsetof(struct printed, t.ends_us), NULL },
	{ "TOKEN", "token", COLUMN_TEXT, offsetof(struct printed, token), NULL },
};
enum { COLUMNS_WITHOUT_TOKEN = ARRAY_LEN(columns) - 1 };

static const struct option create_options[] = {
	{ "days", OPTION_INT, "N", "the token is good for this long (default: for ever)", false },
	OPTION_END,
};

static gh_rc create(struct cli *c, struct gh_err *err)
{
	int64_t days = option_int(&c->options, "days", 0);
	struct str id = str_of(c->options.args[0]);
	json_t *doc = jsn_keep(c->arena, json_object());
	struct resource_outcome out;
	char ends[CLOCK_ISO_MAX];
	struct printed p;
	struct store *s;
	bool found;

	if (days > 36500)
		return cli_usage(c, err, "--days needs at most 36500");
	if (days)
		json_object_set_new(doc, "ends", json_string(clock_iso(clock_wall_us() + days * 86400 * 1000000, 0, ends)));
	TRY(cli_create(c, "scim-token", id, doc, &out, err));
	TRY(cli_store(c, false, &s, err));
	TRY(store_scim_token_named(s, c->arena, id, &p.t, &found, err));
	p.token = jsn_str(out.issued, "token");
	output_row(c, columns, ARRAY_LEN(columns), &p, false);
	return GH_RC_OK;
}

const struct command command_scim_token_create = {
	.name = "scim-token create", .args = "NAME", .least_args = 1, .most_args = 1,
	.summary = "make a bearer token for provisioning (SCIM) and print it once", .options = create_options, .run = create,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	struct store_scim_token *rows;
	struct printed *out;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_scim_tokens(s, c->arena, &rows, &n, err));
	out = arena_alloc(c->arena, n + 1, sizeof(*out));
	if (!out)
		FAIL(err, NOMEM, "%zu tokens", n);
	for (size_t i = 0; i < n; i++)
		out[i].t = rows[i];
	output_list(c, columns, COLUMNS_WITHOUT_TOKEN, out, n, sizeof(*out));
	return GH_RC_OK;
}

const struct command command_scim_token_list = {
	.name = "scim-token list", .summary = "list the tokens for provisioning", .run = list,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "scim-token", str_of(c->options.args[0]), err);
}

const struct command command_scim_token_delete = {
	.name = "scim-token delete", .args = "NAME", .least_args = 1, .most_args = 1, .summary = "take back a token for provisioning",
	.run = delete,
};
