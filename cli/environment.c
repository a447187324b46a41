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
	static const struct doc_option fields[] = { { "name", "name", DOC_TEXT }, { "host", "host", DOC_TEXT }, { "prefix", "pathPrefix", DOC_TEXT },
						    { "kind", "kind", DOC_TEXT }, DOC_END };
	json_t *doc = cli_document(c, fields);

	if (!option_text(&c->options, "host") && !option_text(&c->options, "prefix"))
		return cli_usage(c, err, "give --host HOST, --prefix PATH or both");
	if (!option_text(&c->options, "name"))
		json_object_set_new(doc, "name", json_string(c->options.args[0]));
	if (!option_text(&c->options, "kind"))
		json_object_set_new(doc, "kind", json_string("sandbox"));
	return cli_create(c, "environment", str_of(c->options.args[0]), doc, NULL, err);
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
	static const struct doc_option fields[] = { { "scheme", "scheme", DOC_TEXT }, { "parameter", "parameter", DOC_TEXT }, { "name", "name", DOC_TEXT }, DOC_END };
	const char *id = c->options.args[0], *scheme = option_text(&c->options, "scheme");
	json_t *doc = cli_document(c, fields);
	struct store_version_set old;
	struct store *s;
	bool found;

	if ((strcmp(scheme, "segment") == 0) != !option_text(&c->options, "parameter"))
		return cli_usage(c, err, "--parameter NAME belongs to the schemes header and query, and only to them");
	TRY(cli_store(c, false, &s, err));
	TRY(store_version_set_find(s, c->arena, str_of(id), &old, &found, err));
	if (!found && !option_text(&c->options, "name"))
		json_object_set_new(doc, "name", json_string(id));
	if (!option_text(&c->options, "parameter"))
		json_object_set_new(doc, "parameter", json_null());
	return cli_set(c, "version-set", str_of(id), doc, err);
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
