/* application.c - `gatehouse application …`: programs that call APIs, whatever they show. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/str.h"
#include "db/teams.h"

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

static const struct option set_options[] = {
	{ "name", OPTION_TEXT, "NAME", "name that people read", false },
	{ "description", OPTION_TEXT, "TEXT", "what it is", false },
	{ "add-owner", OPTION_MANY, "EMAIL", "user who looks after it too", false },
	{ "remove-owner", OPTION_MANY, "EMAIL", "user who does no more; not the last one", false },
	OPTION_END,
};

static gh_rc change_owners(struct cli *c, struct store *s, const char *option, bool add, struct str id, struct gh_err *err)
{
	struct store_user user;
	const char *email;
	bool found;

	for (size_t i = 0; (email = option_nth(&c->options, option, i)); i++) {
		TRY(store_user_find_email(s, c->arena, str_of(email), &user, &found, err));
		if (!found)
			FAIL(err, NOT_FOUND, "there is no user '%.200s'", email);
		TRY(add ? store_application_add_owner(s, id, user.id, err) : store_application_leave(s, id, user.id, err));
	}
	return GH_RC_OK;
}

static gh_rc change(struct cli *c, struct store *s, const struct store_application *app, struct gh_err *err)
{
	TRY(store_application_update(s, app, err));
	TRY(change_owners(c, s, "add-owner", true, app->id, err));       /* first: then the last one may go */
	return change_owners(c, s, "remove-owner", false, app->id, err);
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	struct store_application app;
	struct store *s;
	bool found;

	TRY(cli_store(c, true, &s, err));
	TRY(store_application_find(s, c->arena, str_of(c->options.args[0]), &app, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no application '%.200s'", c->options.args[0]);
	app.name = str_of(option_text_or(&c->options, "name", arena_cstr(c->arena, app.name)));
	app.description = str_of(option_text_or(&c->options, "description", arena_cstr(c->arena, app.description)));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, change(c, s, &app, err), err);
}

const struct command command_application_set = {
	.name = "application set", .args = "ID", .least_args = 1, .most_args = 1, .summary = "change an application or who looks after it",
	.help = "What is not named stays as it is.", .options = set_options, .run = set,
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
	return cli_remove(c, "application", str_of(c->options.args[0]), err);
}

const struct command command_application_delete = {
	.name = "application delete", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "delete an application without subscriptions, with its credentials", .run = delete,
};
