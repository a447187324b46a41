/* group.c - `gatehouse group …` and `gatehouse user set`: who belongs where and may do what. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/str.h"
#include "db/sessions.h"
#include "db/users.h"

static gh_rc find_user(struct cli *c, struct store *s, const char *email, struct store_user *out, struct gh_err *err)
{
	bool found;

	TRY(store_user_find_email(s, c->arena, str_of(email), out, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no user '%.200s'", email);
	return GH_RC_OK;
}

/* ---- user set --------------------------------------------------------------------------------------------------------- */

static const char *const states[] = { "pending", "active", "blocked", NULL };
static const struct option user_options[] = {
	{ "role", OPTION_TEXT, "administrator|operator|publisher|auditor|developer", "what the user may do", false },
	{ "access", OPTION_TEXT, "pending|active|blocked", "whether the user may sign in and call", false },
	{ "first-name", OPTION_TEXT, "NAME", "first name", false },
	{ "last-name", OPTION_TEXT, "NAME", "last name", false },
	OPTION_END,
};

static gh_rc write_user(struct store *s, const struct store_user *u, struct gh_err *err)
{
	TRY(store_user_update(s, u, err));
	return u->state == STORE_USER_ACTIVE ? GH_RC_OK : store_sessions_delete_of_user(s, u->id, err);
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	const char *access = option_text(&c->options, "access");
	struct store_user u;
	struct store *s;

	TRY(cli_store(c, true, &s, err));
	TRY(find_user(c, s, c->options.args[0], &u, err));
	for (int64_t i = 0; access && states[i]; i++)
		if (strcmp(states[i], access) == 0)
			u.state = i;
	if (option_text(&c->options, "role"))
		u.role = str_of(option_text(&c->options, "role"));
	if (option_text(&c->options, "first-name"))
		u.first_name = str_of(option_text(&c->options, "first-name"));
	if (option_text(&c->options, "last-name"))
		u.last_name = str_of(option_text(&c->options, "last-name"));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, write_user(s, &u, err), err);
}

const struct command command_user_set = {
	.name = "user set", .args = "EMAIL", .least_args = 1, .most_args = 1, .summary = "change a user's role, access or name",
	.help = "Who is blocked is signed out at once.", .options = user_options, .run = set,
};

/* ---- groups ----------------------------------------------------------------------------------------------------------- */

static const struct option create_options[] = {
	{ "name", OPTION_TEXT, "NAME", "name that people read (the id)", false },
	{ "description", OPTION_TEXT, "TEXT", "who is in it", false },
	OPTION_END,
};

static gh_rc create(struct cli *c, struct gh_err *err)
{
	const char *id = c->options.args[0];
	struct store_group g = { .id = str_of(id), .name = str_of(option_text_or(&c->options, "name", id)),
				 .description = str_of(option_text_or(&c->options, "description", "")) };
	struct store *s;

	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_group_create(s, &g, err), err);
}

const struct command command_group_create = {
	.name = "group create", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "make a group; groups decide who sees which product", .options = create_options, .run = create,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "ID", "id", COLUMN_TEXT, offsetof(struct store_group, id), NULL },
		{ "NAME", "name", COLUMN_TEXT, offsetof(struct store_group, name), NULL },
		{ "BUILT IN", "builtIn", COLUMN_BOOL, offsetof(struct store_group, built_in), NULL },
		{ "DESCRIPTION", "description", COLUMN_TEXT, offsetof(struct store_group, description), NULL },
	};
	struct store_group *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_groups(s, c->arena, &rows, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_group_list = {
	.name = "group list", .summary = "list the groups", .run = list,
};

static gh_rc change_member(struct cli *c, bool add, struct gh_err *err)
{
	struct str group = str_of(c->options.args[0]);
	struct store_user u;
	struct store *s;
	gh_rc rc;

	TRY(cli_store(c, true, &s, err));
	TRY(find_user(c, s, c->options.args[1], &u, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	rc = store_tx_end(s, add ? store_group_add(s, group, u.id, err) : store_group_remove(s, group, u.id, err), err);
	if (rc.code == GH_E_CONFLICT)
		FAIL(err, NOT_FOUND, "there is no group '%.200s'", c->options.args[0]);
	return rc;
}

static gh_rc add_user(struct cli *c, struct gh_err *err)
{
	return change_member(c, true, err);
}

static gh_rc remove_user(struct cli *c, struct gh_err *err)
{
	return change_member(c, false, err);
}

const struct command command_group_add_user = {
	.name = "group add-user", .args = "ID EMAIL", .least_args = 2, .most_args = 2, .summary = "make a user a member",
	.run = add_user,
};
const struct command command_group_remove_user = {
	.name = "group remove-user", .args = "ID EMAIL", .least_args = 2, .most_args = 2, .summary = "end a user's membership",
	.run = remove_user,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "group", str_of(c->options.args[0]), err);
}

const struct command command_group_delete = {
	.name = "group delete", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "delete a group that is not built in", .run = delete,
};
