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

static const struct doc_option fields[] = { { "name", "name", DOC_TEXT }, { "description", "description", DOC_TEXT }, DOC_END };

static gh_rc user_id(struct cli *c, struct store *s, const char *email, struct str *out, struct gh_err *err)
{
	struct store_user user;

	TRY(cli_find_user(c, s, email, &user, err));
	*out = user.id;
	return GH_RC_OK;
}

static gh_rc create(struct cli *c, struct gh_err *err)
{
	struct str id = str_of(c->options.args[0]), owner = STR_NULL;
	json_t *doc = cli_document(c, fields);
	struct store_application app;
	struct store *s;
	bool found;

	TRY(cli_store(c, false, &s, err));
	if (!option_text(&c->options, "name"))
		json_object_set_new(doc, "name", json_stringn(id.p, id.n));
	if (option_text(&c->options, "owner"))
		TRY(user_id(c, s, option_text(&c->options, "owner"), &owner, err));
	if (owner.p)
		json_object_set_new(doc, "owners", json_pack("[s%]", owner.p, owner.n));
	TRY(cli_create(c, "application", id, doc, NULL, err));
	TRY(store_application_find(s, c->arena, id, &app, &found, err));
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

/* The team as it is after the options: who is added comes first, so that the last one may go then. */
static gh_rc take_owners(struct cli *c, struct store *s, struct str id, json_t *doc, struct gh_err *err)
{
	json_t *list = json_array();
	struct store_user *team;
	const char *email;
	struct str user;
	size_t n;

	json_object_set_new(doc, "owners", list);
	TRY(store_application_owners(s, c->arena, id, &team, &n, err));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_stringn(team[i].id.p, team[i].id.n));
	for (size_t i = 0; (email = option_nth(&c->options, "add-owner", i)); i++) {
		TRY(user_id(c, s, email, &user, err));
		json_array_append_new(list, json_stringn(user.p, user.n));
	}
	for (size_t i = 0; (email = option_nth(&c->options, "remove-owner", i)); i++) {
		bool member = false;

		TRY(user_id(c, s, email, &user, err));
		for (size_t k = json_array_size(list); k-- > 0;)
			if (str_eq(jsn_string(json_array_get(list, k)), user)) {
				json_array_remove(list, k);
				member = true;
			}
		if (!member)
			FAIL(err, NOT_FOUND, "'%.200s' does not look after '%.*s'", email, STR_ARG(id));
		if (!json_array_size(list))
			FAIL(err, CONFLICT, "'%.200s' is the last one who looks after '%.*s'; add another one first", email, STR_ARG(id));
	}
	return GH_RC_OK;
}

/* In one transaction: an owner who is put in meanwhile stays. */
static gh_rc change(struct cli_change *ch, struct gh_err *err)
{
	struct cli *c = ch->c;
	struct str id = str_of(c->options.args[0]);
	json_t *doc = cli_document(c, fields);

	if (option_nth(&c->options, "add-owner", 0) || option_nth(&c->options, "remove-owner", 0))
		TRY(take_owners(c, ch->store, id, doc, err));
	return cli_merge(ch, "application", id, doc, NULL, err);
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	struct cli_change ch;

	TRY(cli_change_begin(c, &ch, err));
	return cli_change_end(&ch, change(&ch, err), err);
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
