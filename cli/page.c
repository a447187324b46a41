/* page.c - `gatehouse page …`: pages of the portal in Markdown, of the whole portal or of one API. */
#include "cli/output.h"
#include "core/file.h"
#include "core/str.h"
#include "cli/page_file.h"
#include "db/pages.h"

#define API_OPTION { "api", OPTION_TEXT, "ID", "the API that the page is of; without it, the whole portal", false }

static const struct option place_options[] = { API_OPTION, OPTION_END };

static struct str api_of(const struct cli *c)
{
	return str_of(option_text(&c->options, "api"));
}

static gh_rc find(struct cli *c, struct store *s, struct store_portal_page *out, struct gh_err *err)
{
	bool found;

	TRY(store_portal_page_find(s, c->arena, api_of(c), str_of(c->options.args[0]), out, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no page '%s'; `gatehouse page list` shows all", c->options.args[0]);
	return GH_RC_OK;
}

/* ---- set ---------------------------------------------------------------------------------------------------------------- */

static const struct option set_options[] = {
	API_OPTION,
	{ "title", OPTION_TEXT, "TITLE", "what the page and links to it are called", false },
	{ "file", OPTION_TEXT, "FILE", "the text in Markdown; - reads standard input", false },
	{ "audience", OPTION_TEXT, "WHO", "everybody, users (signed in), group:ID, nobody (everybody for a new page)", false },
	{ "menu", OPTION_TEXT, "yes|no", "whether it stands in the portal's menu (yes for a new page of the portal)", false },
	{ "position", OPTION_TEXT, "N", "the lowest number comes first (0)", false },
	OPTION_END,
};

static gh_rc take_options(struct cli *c, struct store_portal_page *p, struct gh_err *err)
{
	const char *file = option_text(&c->options, "file"), *title = option_text(&c->options, "title");
	const char *menu = option_text(&c->options, "menu"), *audience = option_text(&c->options, "audience");
	const char *position = option_text(&c->options, "position");

	if (title)
		p->title = str_of(title);
	if (audience && !page_audience(str_of(audience), p))
		return cli_usage(c, err, "--audience is everybody, users, group:ID or nobody");
	if (menu && strcmp(menu, "yes") != 0 && strcmp(menu, "no") != 0)
		return cli_usage(c, err, "--menu is yes or no");
	if (menu)
		p->in_menu = strcmp(menu, "yes") == 0;
	if (position && !str_to_i64(str_of(position), INT32_MIN, INT32_MAX, &p->position))
		return cli_usage(c, err, "--position is a whole number");
	if (file)
		TRY(file_read(c->arena, file, STORE_PAGE_BYTES_MAX, &p->body, err));
	return GH_RC_OK;
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	struct store_portal_page p;
	struct store *s;
	bool found;

	TRY(cli_store(c, true, &s, err));
	TRY(store_portal_page_find(s, c->arena, api_of(c), str_of(c->options.args[0]), &p, &found, err));
	if (!found)
		p = (struct store_portal_page){ .api_id = api_of(c), .id = str_of(c->options.args[0]), .title = str_of(c->options.args[0]),
						.body = STR(""), .audience = STR("everybody"), .in_menu = !api_of(c).n };
	TRY(take_options(c, &p, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_portal_page_set(s, &p, str_of(cli_actor(c)), err), err);
}

const struct command command_page_set = {
	.name = "page set", .args = "ID", .least_args = 1, .most_args = 1, .summary = "make or change a page of the portal",
	.help = "What is not named stays as it is. The page stands at /pages/ID of the portal, that of an API at /apis/API/pages/ID;\n"
		"readers must also be allowed to see the API.",
	.options = set_options, .run = set,
};

/* ---- list, show, delete -------------------------------------------------------------------------------------------------- */

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "API", "api", COLUMN_TEXT, offsetof(struct store_portal_page, api_id), NULL },
		{ "ID", "id", COLUMN_TEXT, offsetof(struct store_portal_page, id), NULL },
		{ "TITLE", "title", COLUMN_TEXT, offsetof(struct store_portal_page, title), NULL },
		{ "AUDIENCE", "audience", COLUMN_TEXT, offsetof(struct store_portal_page, audience), NULL },
		{ "MENU", "menu", COLUMN_BOOL, offsetof(struct store_portal_page, in_menu), NULL },
		{ "POSITION", "position", COLUMN_INT, offsetof(struct store_portal_page, position), NULL },
		{ "CHANGED", "changed", COLUMN_TIME, offsetof(struct store_portal_page, changed_us), NULL },
		{ "BY", "changedBy", COLUMN_TEXT, offsetof(struct store_portal_page, changed_by), NULL },
	};
	struct store_portal_page *v;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_portal_pages(s, c->arena, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		v[i].audience = page_audience_text(c->arena, &v[i]);
	output_list(c, columns, ARRAY_LEN(columns), v, n, sizeof(*v));
	return GH_RC_OK;
}

const struct command command_page_list = { .name = "page list", .summary = "list the pages of the portal", .run = list };

static gh_rc show(struct cli *c, struct gh_err *err)
{
	struct store_portal_page p;
	struct store *s;

	TRY(cli_store(c, false, &s, err));
	TRY(find(c, s, &p, err));
	buf_str(&c->out, p.body);
	return GH_RC_OK;
}

const struct command command_page_show = {
	.name = "page show", .args = "ID", .least_args = 1, .most_args = 1, .summary = "print the text of a page",
	.options = place_options, .run = show,
};

static gh_rc drop(struct cli *c, struct gh_err *err)
{
	struct store_portal_page p;
	struct store *s;

	TRY(cli_store(c, true, &s, err));
	TRY(find(c, s, &p, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_portal_page_delete(s, p.api_id, p.id, err), err);
}

const struct command command_page_delete = {
	.name = "page delete", .args = "ID", .least_args = 1, .most_args = 1, .summary = "delete a page of the portal",
	.options = place_options, .run = drop,
};

/* ---- as files ------------------------------------------------------------------------------------------------------------- */

static gh_rc export(struct cli *c, struct gh_err *err)
{
	struct store_portal_page *v;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_portal_pages(s, c->arena, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		TRY(page_file_write(c->arena, c->options.args[0], &v[i], err));
	return GH_RC_OK;
}

const struct command command_page_export = {
	.name = "page export", .args = "DIR", .least_args = 1, .most_args = 1, .summary = "write all pages of the portal as files",
	.help = "DIR/ID.md for pages of the portal, DIR/apis/API/ID.md for those of APIs: Markdown behind a head with title, audience,\n"
		"menu and position. `gatehouse page import` reads them.",
	.run = export,
};

static gh_rc put_all(struct cli *c, struct store *s, const struct store_portal_page *v, size_t n, struct gh_err *err)
{
	for (size_t i = 0; i < n; i++)
		TRY(store_portal_page_set(s, &v[i], str_of(cli_actor(c)), err));
	return GH_RC_OK;
}

static gh_rc import(struct cli *c, struct gh_err *err)
{
	struct store_portal_page *v;
	struct store *s;
	size_t n;

	TRY(page_files_read(c->arena, c->options.args[0], &v, &n, err));
	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	TRY(store_tx_end(s, put_all(c, s, v, n, err), err));
	buf_fmt(&c->out, c->json ? "{\"pages\":%zu}\n" : "%zu pages\n", n);
	return GH_RC_OK;
}

const struct command command_page_import = {
	.name = "page import", .args = "DIR", .least_args = 1, .most_args = 1, .summary = "make or change pages of the portal from files",
	.help = "The files are those that `gatehouse page export` writes; a file without a head is taken as it is, its first heading\n"
		"is the title. Either all are taken or none. Pages that have no file stay.",
	.run = import,
};
