/* api_change.c - `gatehouse api set`, `revise`, `revisions`, `make-current`. */
#include "cli/output.h"
#include "cli/portal_site.h"
#include "core/clock.h"
#include "core/str.h"
#include "db/lifecycle.h"

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

static void take(struct cli *c, const char *option, struct str *field)
{
	const char *text = option_text(&c->options, option);

	if (text)
		*field = str_of(text);
}

static void apply_options(struct cli *c, struct store_api *api)
{
	const char *key = option_text(&c->options, "require-key"), *stage = option_text(&c->options, "stage");

	take(c, "name", &api->name);
	take(c, "description", &api->description);
	take(c, "path", &api->path);
	take(c, "key-header", &api->key_header);
	take(c, "key-query", &api->key_query);
	if (option_text(&c->options, "backend"))
		api->backend_url = str_of(option_text(&c->options, "backend")), api->backend_id = STR_NULL;
	if (option_text(&c->options, "backend-id"))
		api->backend_id = str_of(option_text(&c->options, "backend-id")), api->backend_url = STR_NULL;
	if (key)
		api->subscription_required = strcmp(key, "yes") == 0;
	for (int64_t i = 0; stage && store_api_state_names[i]; i++)
		if (strcmp(store_api_state_names[i], stage) == 0)
			api->state = i;
}

static gh_rc take_date(struct cli *c, const char *option, int64_t *field, struct gh_err *err)
{
	const char *text = option_text(&c->options, option);

	if (text && !*text)
		*field = 0;
	else if (text && !clock_parse_date(str_of(text), field))
		return cli_usage(c, err, "--%s takes a day such as 2027-01-31 or a time such as 2027-01-31T12:00:00Z, not '%.40s'",
				 option, text);
	return GH_RC_OK;
}

static gh_rc set_tags(struct cli *c, struct store *s, struct str id, struct gh_err *err)
{
	struct str tags[OPTION_VALUES_MAX];
	const char *text;
	size_t n = 0;

	if (!option_nth(&c->options, "tag", 0))
		return GH_RC_OK;
	for (size_t i = 0; i < OPTION_VALUES_MAX && (text = option_nth(&c->options, "tag", i)); i++)
		if (*text)
			tags[n++] = str_of(text);
	return store_api_tags_set(s, id, tags, n, err);
}

static gh_rc change(struct cli *c, struct store *s, const struct store_api *api, size_t *told, struct gh_err *err)
{
	struct store_site site;

	TRY(portal_site(c, &site, err));
	TRY(store_api_change(s, c->arena, api, site.portal, told, err));
	return set_tags(c, s, api->id, err);
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	struct store_api api;
	struct store *s;
	size_t told = 0;
	bool found;

	if (option_text(&c->options, "backend") && option_text(&c->options, "backend-id"))
		return cli_usage(c, err, "give --backend URL or --backend-id ID, not both");
	TRY(cli_store(c, true, &s, err));
	TRY(store_api_find(s, c->arena, str_of(c->options.args[0]), option_int(&c->options, "revision", 0), &api, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no such API or revision: '%.200s'", c->options.args[0]);
	apply_options(c, &api);
	TRY(take_date(c, "deprecation-date", &api.deprecated_us, err));
	TRY(take_date(c, "sunset-date", &api.sunset_us, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	TRY(store_tx_end(s, change(c, s, &api, &told, err), err));
	if (told && !c->json)
		buf_fmt(&c->out, "%zu subscriber%s told by mail\n", told, told == 1 ? " is" : "s are");
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
		FAIL(err, NOT_FOUND, "there is no API '%.200s'", c->options.args[0]);
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

static gh_rc revise(struct cli *c, struct gh_err *err)
{
	struct str id = str_of(c->options.args[0]);
	struct store_api api;
	struct store *s;
	int64_t number;
	bool found;
	gh_rc rc;

	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	rc = store_revision_create(s, id, option_int(&c->options, "from", 0),
				   str_of(option_text_or(&c->options, "description", "")), &number, err);
	TRY(store_tx_end(s, rc, err));
	TRY(store_api_find(s, c->arena, id, number, &api, &found, err));
	output_row(c, columns, ARRAY_LEN(columns), &api, false);
	return GH_RC_OK;
}

const struct command command_api_revise = {
	.name = "api revise", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "copy an API into a new revision, which callers reach with ;rev=N", .options = revise_options, .run = revise,
};

static gh_rc make_current(struct cli *c, struct gh_err *err)
{
	struct store *s;
	int64_t number;

	if (!str_to_i64(str_of(c->options.args[1]), 1, INT64_MAX, &number))
		return cli_usage(c, err, "'%.40s' is no revision number", c->options.args[1]);
	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_revision_make_current(s, str_of(c->options.args[0]), number, err), err);
}

const struct command command_api_make_current = {
	.name = "api make-current", .args = "ID REVISION", .least_args = 2, .most_args = 2,
	.summary = "let calls without ;rev=N go to this revision", .run = make_current,
};
