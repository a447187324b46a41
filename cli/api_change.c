/* api_change.c - `gatehouse api set`, `revise`, `revisions`, `make-current`. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/str.h"
#include "db/apis.h"

static const struct option set_options[] = {
	{ "revision", OPTION_INT, "N", "whose backend is set (the current one)", false },
	{ "name", OPTION_TEXT, "NAME", "name that developers read", false },
	{ "description", OPTION_TEXT, "TEXT", "what it is for", false },
	{ "path", OPTION_TEXT, "PATH", "where the gateway serves it", false },
	{ "backend", OPTION_TEXT, "URL", "where calls go", false },
	{ "backend-id", OPTION_TEXT, "ID", "backend or pool that calls go to", false },
	{ "require-key", OPTION_TEXT, "yes|no", "whether calls need a subscription key", false },
	{ "key-header", OPTION_TEXT, "NAME", "header that carries the key; empty: the usual ones", false },
	{ "key-query", OPTION_TEXT, "NAME", "query parameter that carries the key; empty: the usual one", false },
	{ "stage", OPTION_TEXT, "draft|preview|published|deprecated|retired", "stage of its life", false },
	{ "deprecation-date", OPTION_TEXT, "DATE", "since or from when it is deprecated (now)", false },
	{ "sunset-date", OPTION_TEXT, "DATE", "from when on its calls are answered 410; empty: not known", false },
	{ "tag", OPTION_MANY, "TAG", "a tag, in place of those it has; empty: none", false },
	OPTION_END,
};

static const struct doc_option api_fields[] = {
	{ "name", "name", DOC_TEXT }, { "description", "description", DOC_TEXT }, { "path", "path", DOC_TEXT },
	{ "require-key", "subscriptionRequired", DOC_YES }, { "key-header", "keyHeader", DOC_OR_NULL }, { "key-query", "keyQuery", DOC_OR_NULL },
	{ "stage", "state", DOC_TEXT }, { "deprecation-date", "deprecated", DOC_TIME }, { "sunset-date", "sunset", DOC_TIME }, { "tag", "tags", DOC_LIST },
	DOC_END
};

/* Of the two the one that is given takes the place of the other. */
static json_t *backend_of(struct cli *c)
{
	const char *url = option_text(&c->options, "backend"), *id = option_text(&c->options, "backend-id");
	json_t *doc = jsn_keep(c->arena, json_object());

	if (url || id) {
		json_object_set_new(doc, "backendUrl", url ? json_string(url) : json_null());
		json_object_set_new(doc, "backend", id ? json_string(id) : json_null());
	}
	return doc;
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	struct str id = str_of(c->options.args[0]);
	json_t *doc = cli_document(c, api_fields), *backend = backend_of(c);
	struct resource_outcome out = { .told = 0 };
	struct cli_change ch;
	struct store_api api;
	struct store *s;
	bool found;
	gh_rc rc;

	if (option_text(&c->options, "backend") && option_text(&c->options, "backend-id"))
		return cli_usage(c, err, "give --backend URL or --backend-id ID, not both");
	TRY(cli_store(c, false, &s, err));
	TRY(store_api_find(s, c->arena, id, option_int(&c->options, "revision", 0), &api, &found, err));
	if (!found)
		return cli_no_api(c, s, id, option_int(&c->options, "revision", 0), err);
	if (api.is_current)
		json_object_update(doc, backend);
	TRY(cli_change_begin(c, &ch, err));
	rc = cli_merge(&ch, "api", id, doc, &out, err);
	if (!rc.code && !api.is_current && json_object_size(backend))
		rc = cli_merge(&ch, "revision", arena_printf(c->arena, "%.*s;rev=%lld", STR_ARG(id), (long long)api.revision), backend, NULL, err);
	TRY(cli_change_end(&ch, rc, err));
	if (out.told && !c->json)
		buf_fmt(&c->out, "%zu subscriber%s told by mail\n", out.told, out.told == 1 ? " is" : "s are");
	return GH_RC_OK;
}

const struct command command_api_set = {
	.name = "api set", .args = "ID", .least_args = 1, .most_args = 1, .summary = "change an API",
	.help = "What is not named stays as it is. Deprecating an API, or moving the sunset date of one that is, sends a mail to\n"
		"each of its subscribers. DATE is a day (its beginning in UTC) or a time: 2027-01-31, 2027-01-31T12:00:00Z.",
	.options = set_options, .run = set,
};

/* ---- revisions -------------------------------------------------------------------------------------------------------- */

static const struct column columns[] = {
	{ "REVISION", "revision", COLUMN_INT, offsetof(struct store_api, revision), NULL },
	{ "CURRENT", "current", COLUMN_BOOL, offsetof(struct store_api, is_current), NULL },
	{ "BACKEND", "backendUrl", COLUMN_TEXT, offsetof(struct store_api, backend_url), NULL },
	{ "BACKEND ID", "backendId", COLUMN_TEXT, offsetof(struct store_api, backend_id), NULL },
	{ "DESCRIPTION", "description", COLUMN_TEXT, offsetof(struct store_api, revision_description), NULL },
};

static gh_rc revisions(struct cli *c, struct gh_err *err)
{
	struct store_api *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_revisions_of_api(s, c->arena, str_of(c->options.args[0]), &rows, &n, err));
	if (!n)
		return cli_no_api(c, s, str_of(c->options.args[0]), 0, err);
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_api_revisions = {
	.name = "api revisions", .args = "ID", .least_args = 1, .most_args = 1, .summary = "list the revisions of an API",
	.run = revisions,
};

static const struct option revise_options[] = {
	{ "from", OPTION_INT, "N", "revision to copy (the current one)", false },
	{ "description", OPTION_TEXT, "TEXT", "what it tries", false },
	OPTION_END,
};

/* In one transaction, so that two of them at once get two numbers. */
static gh_rc make_revision(struct cli_change *ch, int64_t *number, struct gh_err *err)
{
	static const struct doc_option fields[] = { { "description", "description", DOC_TEXT }, { "from", "copyOf", DOC_INT }, DOC_END };
	struct cli *c = ch->c;
	struct str id = str_of(c->options.args[0]);
	json_t *doc = cli_document(c, fields);
	struct store_api *rows;
	size_t n;

	*number = 0;
	TRY(store_revisions_of_api(ch->store, c->arena, id, &rows, &n, err));
	if (!n)
		return cli_no_api(c, ch->store, id, 0, err);
	for (size_t i = 0; i < n; i++) {
		*number = rows[i].revision > *number ? rows[i].revision : *number;
		if (rows[i].is_current && !option_int(&c->options, "from", 0))
			json_object_set_new(doc, "copyOf", json_integer(rows[i].revision));
	}
	++*number;
	return cli_put(ch, "revision", arena_printf(c->arena, "%.*s;rev=%lld", STR_ARG(id), (long long)*number), doc, RESOURCE_CREATE, NULL, err);
}

static gh_rc revise(struct cli *c, struct gh_err *err)
{
	struct cli_change ch;
	struct store_api api;
	int64_t number = 0;
	bool found;

	TRY(cli_change_begin(c, &ch, err));
	TRY(cli_change_end(&ch, make_revision(&ch, &number, err), err));
	TRY(store_api_find(ch.store, c->arena, str_of(c->options.args[0]), number, &api, &found, err));
	output_row(c, columns, ARRAY_LEN(columns), &api, false);
	return GH_RC_OK;
}

const struct command command_api_revise = {
	.name = "api revise", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "copy an API into a new revision, which callers reach with ;rev=N", .options = revise_options, .run = revise,
};

static gh_rc make_current(struct cli *c, struct gh_err *err)
{
	int64_t number;

	if (!str_to_i64(str_of(c->options.args[1]), 1, INT32_MAX, &number))
		return cli_usage(c, err, "'%.40s' is no revision number", c->options.args[1]);
	return cli_patch(c, "api", str_of(c->options.args[0]), jsn_keep(c->arena, json_pack("{s:I}", "revision", (json_int_t)number)), err);
}

const struct command command_api_make_current = {
	.name = "api make-current", .args = "ID REVISION", .least_args = 2, .most_args = 2,
	.summary = "let calls without ;rev=N go to this revision", .run = make_current,
};
