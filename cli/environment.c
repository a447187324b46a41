/* environment.c - `gatehouse environment …` and `gatehouse version-set …`: where APIs stand and how their versions are told
 * apart. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/str.h"
#include "db/apis.h"
#include "db/environments.h"

/* ---- environments ----------------------------------------------------------------------------------------------------- */

static const struct option create_options[] = {
	{ "name", OPTION_TEXT, "NAME", "name that people read (the id)", false },
	{ "host", OPTION_TEXT, "HOST", "calls to this host name belong to it", false },
	{ "prefix", OPTION_TEXT, "PATH", "calls below this path belong to it: sandbox", false },
	{ "kind", OPTION_TEXT, "production|sandbox", "what it is for (sandbox)", false },
	OPTION_END,
};

static gh_rc create(struct cli *c, struct gh_err *err)
{
	const char *id = c->options.args[0];
	struct store_environment e = { .id = str_of(id), .name = str_of(option_text_or(&c->options, "name", id)),
				       .business_group_id = STR("default"), .host = str_of(option_text(&c->options, "host")),
				       .path_prefix = str_of(option_text(&c->options, "prefix")),
				       .kind = str_of(option_text_or(&c->options, "kind", "sandbox")) };
	struct store *s;

	if (!e.host.n && !e.path_prefix.n)
		return cli_usage(c, err, "give --host HOST, --prefix PATH or both");
	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_environment_create(s, &e, err), err);
}

const struct command command_environment_create = {
	.name = "environment create", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "make an environment that is reached by host or path prefix", .options = create_options, .run = create,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "ID", "id", COLUMN_TEXT, offsetof(struct store_environment, id), NULL },
		{ "NAME", "name", COLUMN_TEXT, offsetof(struct store_environment, name), NULL },
		{ "KIND", "kind", COLUMN_TEXT, offsetof(struct store_environment, kind), NULL },
		{ "HOST", "host", COLUMN_TEXT, offsetof(struct store_environment, host), NULL },
		{ "PREFIX", "prefix", COLUMN_TEXT, offsetof(struct store_environment, path_prefix), NULL },
	};
	struct store_environment *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_environments(s, c->arena, &rows, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_environment_list = {
	.name = "environment list", .summary = "list the environments", .run = list,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "environment", str_of(c->options.args[0]), err);
}

const struct command command_environment_delete = {
	.name = "environment delete", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "delete an environment without APIs", .run = delete,
};

/* ---- version sets ----------------------------------------------------------------------------------------------------- */

static const struct option set_options[] = {
	{ "scheme", OPTION_TEXT, "segment|header|query", "where a call names the version", true },
	{ "parameter", OPTION_TEXT, "NAME", "name of the header or query parameter", false },
	{ "name", OPTION_TEXT, "NAME", "name that people read (the id)", false },
	OPTION_END,
};

static gh_rc set(struct cli *c, struct gh_err *err)
{
	const char *id = c->options.args[0], *scheme = option_text(&c->options, "scheme");
	struct store_version_set v = { .id = str_of(id), .scheme = str_of(scheme), .name = str_of(id),
				       .parameter = str_of(option_text(&c->options, "parameter")) }, old;
	struct store *s;
	bool found;
	gh_rc rc;

	if ((strcmp(scheme, "segment") == 0) != (v.parameter.p == NULL))
		return cli_usage(c, err, "--parameter NAME belongs to the schemes header and query, and only to them");
	TRY(cli_store(c, true, &s, err));
	TRY(store_version_set_find(s, c->arena, v.id, &old, &found, err));
	if (found)
		v.name = old.name, v.description = old.description;
	v.name = option_text(&c->options, "name") ? str_of(option_text(&c->options, "name")) : v.name;
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	rc = found ? store_version_set_update(s, &v, err) : store_version_set_create(s, &v, err);
	return store_tx_end(s, rc, err);
}

const struct command command_version_set_set = {
	.name = "version-set set", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "say how the versions of an API are told apart", .options = set_options, .run = set,
};

static gh_rc list_sets(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "ID", "id", COLUMN_TEXT, offsetof(struct store_version_set, id), NULL },
		{ "NAME", "name", COLUMN_TEXT, offsetof(struct store_version_set, name), NULL },
		{ "SCHEME", "scheme", COLUMN_TEXT, offsetof(struct store_version_set, scheme), NULL },
		{ "PARAMETER", "parameter", COLUMN_TEXT, offsetof(struct store_version_set, parameter), NULL },
	};
	struct store_version_set *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_version_sets(s, c->arena, &rows, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_version_set_list = {
	.name = "version-set list", .summary = "list the version sets", .run = list_sets,
};
