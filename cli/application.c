/* application.c - `gatehouse application …`: programs that call APIs, whatever they show. */
#include "cli/output.h"
#include "core/str.h"
#include "db/users.h"

static const struct column columns[] = {
	{ "ID", "id", COLUMN_TEXT, offsetof(struct store_application, id), NULL },
	{ "NAME", "name", COLUMN_TEXT, offsetof(struct store_application, name), NULL },
	{ "CREATED", "created", COLUMN_TIME, offsetof(struct store_application, created_us), NULL },
};

static const struct option create_options[] = {
	{ "name", OPTION_TEXT, "NAME", "name that people read (the id)", false },
	{ "description", OPTION_TEXT, "TEXT", "what it is", false },
	{ "owner", OPTION_TEXT, "EMAIL", "user who owns it", false },
	OPTION_END,
};

static gh_rc create(struct cli *c, struct gh_err *err)
{
	struct str owner = str_of(option_text(&c->options, "owner"));
	struct store_application app = { .id = str_of(c->options.args[0]), .redirect_url = STR(""),
					 .name = str_of(option_text_or(&c->options, "name", c->options.args[0])),
					 .description = str_of(option_text_or(&c->options, "description", "")) };
	struct store_user user = { 0 };
	struct store *s;
	bool found = true;

	TRY(cli_store(c, true, &s, err));
	if (owner.p)
		TRY(store_user_find_email(s, c->arena, owner, &user, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no user '%.*s'", STR_ARG(str_first(owner, 200)));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	TRY(store_tx_end(s, store_application_create(s, c->arena, &app, user.id, NULL, err), err));
	TRY(store_application_find(s, c->arena, app.id, &app, &found, err));
	output_row(c, columns, ARRAY_LEN(columns), &app, false);
	return GH_RC_OK;
}

const struct command command_application_create = {
	.name = "application create", .args = "ID", .least_args = 1, .most_args = 1, .summary = "make an application",
	.options = create_options, .run = create,
	.help = "Subscribe it with `gatehouse subscription create --product ID --application ID`; give it credentials with\n"
		"`gatehouse caller create`.",
};

static const struct option list_options[] = {
	{ "search", OPTION_TEXT, "TEXT", "only those whose id or name contains it", false },
	{ "limit", OPTION_INT, "N", "at most so many (1000)", false },
	OPTION_END,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	struct store_page page = { .search = str_of(option_text(&c->options, "search")),
				   .limit = (size_t)option_int(&c->options, "limit", 1000) };
	struct store_application *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_applications(s, c->arena, &page, &rows, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_application_list = {
	.name = "application list", .summary = "list the applications", .options = list_options, .run = list,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	struct store *s;

	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_application_delete(s, str_of(c->options.args[0]), err), err);
}

const struct command command_application_delete = {
	.name = "application delete", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "delete an application without subscriptions, with its credentials", .run = delete,
};
