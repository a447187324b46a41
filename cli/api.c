#include "cli/output.h"
#include "cli/resource.h"
#include "core/str.h"
#include "db/apis.h"

static const struct column columns[] = {
	{ "ID", "id", COLUMN_TEXT, offsetof(struct store_api, id), NULL },
	{ "NAME", "name", COLUMN_TEXT, offsetof(struct store_api, name), NULL },
	{ "ENVIRONMENT", "environment", COLUMN_TEXT, offsetof(struct store_api, environment_id), NULL },
	{ "PATH", "path", COLUMN_TEXT, offsetof(struct store_api, path), NULL },
	{ "VERSION", "version", COLUMN_TEXT, offsetof(struct store_api, version), NULL },
	{ "REVISION", "revision", COLUMN_INT, offsetof(struct store_api, revision), NULL },
	{ "STATE", "state", COLUMN_NAME, offsetof(struct store_api, state), store_api_state_names },
	{ "KEY", "subscriptionRequired", COLUMN_BOOL, offsetof(struct store_api, subscription_required), NULL },
	{ "BACKEND", "backendUrl", COLUMN_TEXT, offsetof(struct store_api, backend_url), NULL },
	{ "BACKEND ID", "backendId", COLUMN_TEXT, offsetof(struct store_api, backend_id), NULL },
	{ "DEPRECATED", "deprecated", COLUMN_TIME, offsetof(struct store_api, deprecated_us), NULL },
	{ "SUNSET", "sunset", COLUMN_TIME, offsetof(struct store_api, sunset_us), NULL },
};

static const struct column operation_columns[] = {
	{ "OPERATION", "id", COLUMN_TEXT, offsetof(struct store_operation, id), NULL },
	{ "METHOD", "method", COLUMN_TEXT, offsetof(struct store_operation, method), NULL },
	{ "URI TEMPLATE", "uriTemplate", COLUMN_TEXT, offsetof(struct store_operation, uri_template), NULL },
	{ "NAME", "name", COLUMN_TEXT, offsetof(struct store_operation, name), NULL },
};

static const struct option list_options[] = {
	{ "search", OPTION_TEXT, "TEXT", "only those whose id, name or path contains it", false },
	OPTION_END,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	struct store_page page = { .search = str_of(option_text(&c->options, "search")) };
	struct store_api *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_apis(s, c->arena, &page, &rows, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_api_list = {
	.name = "api list", .summary = "list the APIs", .options = list_options, .run = list,
};

/* Those that were given to the API; its operations bring more of their own. */
static void put_tags(struct cli *c, const struct store_tag *tags, size_t n)
{
	bool first = true;

	buf_cstr(&c->out, c->json ? ", \"tags\": [" : "");
	for (size_t i = 0; i < n; i++) {
		if (tags[i].of_operations)
			continue;
		if (c->json) {
			buf_cstr(&c->out, first ? "" : ", ");
			buf_json(&c->out, tags[i].tag);
		} else {
			buf_fmt(&c->out, "%s%.*s", first ? "TAGS  " : ", ", STR_ARG(tags[i].tag));
		}
		first = false;
	}
	buf_cstr(&c->out, c->json ? "]" : first ? "" : "\n");
}

static gh_rc show(struct cli *c, struct gh_err *err)
{
	struct store_operation *operations;
	struct store_tag *tags;
	struct store_api api;
	struct store *s;
	size_t n, n_tags;
	bool found;

	TRY(cli_store(c, false, &s, err));
	TRY(store_api_find(s, c->arena, str_of(c->options.args[0]), option_int(&c->options, "revision", 0), &api, &found, err));
	if (!found)
		return cli_no_api(c, s, str_of(c->options.args[0]), option_int(&c->options, "revision", 0), err);
	TRY(store_operations_of(s, c->arena, api.id, api.revision, &operations, &n, err));
	TRY(store_api_tags(s, c->arena, api.id, &tags, &n_tags, err));
	output_row(c, columns, ARRAY_LEN(columns), &api, true);
	put_tags(c, tags, n_tags);
	buf_cstr(&c->out, c->json ? ", \"operations\": " : "\n");
	output_list(c, operation_columns, ARRAY_LEN(operation_columns), operations, n, sizeof(*operations));
	if (c->json)
		buf_cstr(&c->out, "}\n");
	return GH_RC_OK;
}

static const struct option show_options[] = {
	{ "revision", OPTION_INT, "N", "this revision (the current one)", false },
	OPTION_END,
};

const struct command command_api_show = {
	.name = "api show", .args = "ID", .least_args = 1, .most_args = 1, .summary = "show an API with its operations",
	.options = show_options, .run = show,
};

static const struct option document_options[] = {
	{ "revision", OPTION_INT, "N", "this revision instead of the current one", false },
	{ "bundled", OPTION_FLAG, NULL, "one document with everything that stood in files beside it", false },
	OPTION_END,
};

static gh_rc document(struct cli *c, struct gh_err *err)
{
	struct store_api_document d;
	struct store *s;
	bool found;

	TRY(cli_store(c, false, &s, err));
	TRY(store_api_document_find(s, c->arena, str_of(c->options.args[0]), option_int(&c->options, "revision", 0), &d, &found,
				    err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no description of '%.200s'", c->options.args[0]);
	buf_str(&c->out, option_flag(&c->options, "bundled") ? store_api_description(&d) : d.bytes);
	return GH_RC_OK;
}

const struct command command_api_document = {
	.name = "api document", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "print the description an API was imported from, byte for byte", .options = document_options, .run = document,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "api", str_of(c->options.args[0]), err);
}

const struct command command_api_delete = {
	.name = "api delete", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "delete an API with its revisions, operations and policies", .run = delete,
};
