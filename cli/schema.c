/* schema.c - `gatehouse schema …`: JSON Schemas and XML Schemas that validate-content names by id. What is saved compiles,
 * together with the others that it refers to. */
#include "cli/output.h"
#include "cli/resource.h"
#include "config/schema_check.h"
#include "core/file.h"
#include "core/str.h"
#include "db/schemas.h"

#include <stdio.h>

static const char *const kinds[] = { [STORE_SCHEMA_JSON] = "json", [STORE_SCHEMA_XML] = "xml", NULL };

static const struct column columns[] = {
	{ "ID", "id", COLUMN_TEXT, offsetof(struct store_schema, id), NULL },
	{ "KIND", "kind", COLUMN_NAME, offsetof(struct store_schema, kind), kinds },
	{ "CHANGED", "changed", COLUMN_TIME, offsetof(struct store_schema, changed_us), NULL },
	{ "DESCRIPTION", "description", COLUMN_TEXT, offsetof(struct store_schema, description), NULL },
};

static gh_rc set(struct cli *c, struct gh_err *err)
{
	const char *file = option_text(&c->options, "file"), *kind = option_text(&c->options, "kind");
	struct store_schema schema = { .id = str_of(c->options.args[0]),
				       .description = str_of(option_text_or(&c->options, "description", "")) };
	struct str start;
	struct store *s;

	TRY(file_read(c->arena, file, STORE_SCHEMA_MAX, &schema.bytes, err));
	start = str_trim(schema.bytes);
	schema.kind = start.n && *start.p == '<' ? STORE_SCHEMA_XML : STORE_SCHEMA_JSON;
	if (str_starts(start, STR("\xEF\xBB\xBF")))
		schema.kind = start.n > 3 && start.p[3] == '<' ? STORE_SCHEMA_XML : STORE_SCHEMA_JSON;
	if (kind)
		schema.kind = str_eq(str_of(kind), STR("xml")) ? STORE_SCHEMA_XML : STORE_SCHEMA_JSON;
	if (kind && !str_eq(str_of(kind), str_of(kinds[schema.kind])))
		FAIL(err, INVALID, "--kind is json or xml, not '%s'", kind);
	TRY(cli_store(c, true, &s, err));
	TRY(check_schema(s, c->arena, &schema, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	TRY(store_tx_end(s, store_schema_set(s, &schema, err), err));
	output_row(c, columns, ARRAY_LEN(columns), &schema, false);
	return GH_RC_OK;
}

static const struct option set_options[] = {
	{ "file", OPTION_TEXT, "FILE", "JSON Schema, a document with schemas in it, or XML Schema (XSD)", true },
	{ "kind", OPTION_TEXT, "json|xml", "what it is; not given: what it looks like", false },
	{ "description", OPTION_TEXT, "TEXT", "what it is for", false },
	OPTION_END,
};
const struct command command_schema_set = {
	.name = "schema set", .args = "ID", .least_args = 1, .most_args = 1, .options = set_options,
	.summary = "take in a schema for validate-content", .run = set,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	struct store_schema *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_schemas(s, c->arena, &rows, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_schema_list = {
	.name = "schema list", .summary = "list the schemas", .run = list,
};

static gh_rc show(struct cli *c, struct gh_err *err)
{
	struct store_schema row;
	struct store *s;
	bool found;

	TRY(cli_store(c, false, &s, err));
	TRY(store_schema_find(s, c->arena, str_of(c->options.args[0]), &row, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no schema '%s'", c->options.args[0]);
	fwrite(row.bytes.p, 1, row.bytes.n, stdout);
	return GH_RC_OK;
}

const struct command command_schema_show = {
	.name = "schema show", .args = "ID", .least_args = 1, .most_args = 1, .summary = "print a schema as it was given", .run = show,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "schema", str_of(c->options.args[0]), err);
}

const struct command command_schema_delete = {
	.name = "schema delete", .args = "ID", .least_args = 1, .most_args = 1, .summary = "delete a schema", .run = delete,
};
