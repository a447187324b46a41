/* schema.c - `gatehouse schema …`: JSON Schemas and XML Schemas that validate-content names by id. What is saved compiles,
 * together with the others that it refers to. */
#include "cli/output.h"
#include "cli/resource.h"
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

/* By its first character: XML, or JSON. */
static const char *kind_of(const json_t *doc)
{
	struct str text = str_trim(jsn_str(doc, "schema"));

	if (str_starts(text, STR("\xEF\xBB\xBF")))
		text = str_trim(str_from(text, 3));
	return kinds[text.n && *text.p == '<' ? STORE_SCHEMA_XML : STORE_SCHEMA_JSON];
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	static const struct doc_option fields[] = { { "kind", "kind", DOC_TEXT }, { "description", "description", DOC_TEXT }, DOC_END };
	struct str id = str_of(c->options.args[0]);
	json_t *doc = cli_document(c, fields);
	struct store_schema schema;
	struct store *s;
	bool found;

	TRY(cli_file_field(c, doc, "schema", option_text(&c->options, "file"), STORE_SCHEMA_MAX, err));
	if (!jsn_get(doc, "kind"))
		json_object_set_new(doc, "kind", json_string(kind_of(doc)));
	TRY(cli_replace(c, "schema", id, doc, err));
	TRY(cli_store(c, false, &s, err));
	TRY(store_schema_find(s, c->arena, id, &schema, &found, err));
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
