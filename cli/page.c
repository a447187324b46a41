/* page.c - `gatehouse page …`: pages of the portal in Markdown, of the whole portal or of one API. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/str.h"
#include "cli/page_file.h"
#include "db/pages.h"

#define API_OPTION { "api", OPTION_TEXT, "ID", "the API that the page is of; without it, the whole portal", false }

static const struct option place_options[] = { API_OPTION, OPTION_END };

static struct str api_of(const struct cli *c)
{
	return str_of(option_text(&c->options, "api"));
}

/* Its id as a resource: "guide", or "orders/guide" of an API. */
static struct str place_of(struct arena *a, struct str api, struct str id)
{
	return api.n ? arena_printf(a, "%.*s/%.*s", STR_ARG(api), STR_ARG(id)) : id;
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

static void put_audience(json_t *doc, const struct store_portal_page *p)
{
	json_object_set_new(doc, "audience", json_stringn(p->audience.p, p->audience.n));
	json_object_set_new(doc, "group", p->group_id.n ? json_stringn(p->group_id.p, p->group_id.n) : json_null());
}

static gh_rc take_options(struct cli *c, json_t *doc, struct gh_err *err)
{
	const char *file = option_text(&c->options, "file"), *audience = option_text(&c->options, "audience");
	const char *position = option_text(&c->options, "position");
	struct store_portal_page who;
	int64_t number;

	if (audience && !page_audience(str_of(audience), &who))
		return cli_usage(c, err, "--audience is everybody, users, group:ID or nobody");
	if (audience)
		put_audience(doc, &who);
	if (position && !str_to_i64(str_of(position), INT32_MIN, INT32_MAX, &number))
		return cli_usage(c, err, "--position is a whole number");
	if (position)
		json_object_set_new(doc, "position", json_integer(number));
	return file ? cli_file_field(c, doc, "body", file, STORE_PAGE_BYTES_MAX, err) : GH_RC_OK;
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	static const struct doc_option fields[] = { { "title", "title", DOC_TEXT }, { "menu", "inMenu", DOC_YES }, DOC_END };
	struct str id = place_of(c->arena, api_of(c), str_of(c->options.args[0]));
	json_t *doc = cli_document(c, fields);
	struct store *s;
	bool found;

	TRY(take_options(c, doc, err));
	TRY(cli_store(c, false, &s, err));
	TRY(resource_exists(s, resource_kind_find(STR("page")), id, &found, err));
	if (!found && !jsn_get(doc, "title"))
		json_object_set_new(doc, "title", json_string(c->options.args[0]));
	if (!found && !jsn_get(doc, "inMenu"))
		json_object_set_new(doc, "inMenu", json_boolean(!api_of(c).n));
	return cli_set(c, "page", id, doc, err);
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
	bool found;

	TRY(cli_store(c, false, &s, err));
	TRY(store_portal_page_find(s, c->arena, api_of(c), str_of(c->options.args[0]), &p, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no page '%s'; `gatehouse page list` shows all", c->options.args[0]);
	buf_str(&c->out, p.body);
	return GH_RC_OK;
}

const struct command command_page_show = {
	.name = "page show", .args = "ID", .least_args = 1, .most_args = 1, .summary = "print the text of a page",
	.options = place_options, .run = show,
};

static gh_rc drop(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "page", place_of(c->arena, api_of(c), str_of(c->options.args[0])), err);
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

static gh_rc put_all(struct cli_change *ch, const struct store_portal_page *v, size_t n, struct gh_err *err)
{
	gh_rc rc = GH_RC_OK;

	for (size_t i = 0; i < n && (!rc.code || rc.code == GH_E_INVALID); i++) {
		json_t *doc = jsn_keep(ch->c->arena, json_pack("{s:s%, s:s%, s:b, s:I}", "title", v[i].title.p, v[i].title.n, "body",
							       v[i].body.p ? v[i].body.p : "", v[i].body.n, "inMenu", (int)v[i].in_menu,
							       "position", (json_int_t)v[i].position));
		struct gh_err one;
		gh_rc done;

		if (!doc)
			FAIL(err, INVALID, "the page '%.*s' is not UTF-8 text", STR_ARG(v[i].id));
		put_audience(doc, &v[i]);
		done = cli_put(ch, "page", place_of(ch->c->arena, v[i].api_id, v[i].id), doc, RESOURCE_PUT, NULL, &one);
		if (done.code) {
			rc = done;
			*err = one;
		}
	}
	return rc;
}

static gh_rc import(struct cli *c, struct gh_err *err)
{
	struct store_portal_page *v;
	struct cli_change ch;
	size_t n;

	TRY(page_files_read(c->arena, c->options.args[0], &v, &n, err));
	TRY(cli_change_begin(c, &ch, err));
	TRY(cli_change_end(&ch, put_all(&ch, v, n, err), err));
	buf_fmt(&c->out, c->json ? "{\"pages\":%zu}\n" : "%zu pages\n", n);
	return GH_RC_OK;
}

const struct command command_page_import = {
	.name = "page import", .args = "DIR", .least_args = 1, .most_args = 1, .summary = "make or change pages of the portal from files",
	.help = "The files are those that `gatehouse page export` writes; a file without a head is taken as it is, its first heading\n"
		"is the title. Either all are taken or none. Pages that have no file stay.",
	.run = import,
};
