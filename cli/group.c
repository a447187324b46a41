/* group.c - `gatehouse group …` and `gatehouse user set`: who belongs where and may do what. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/str.h"
#include "db/users.h"

/* ---- user set --------------------------------------------------------------------------------------------------------- */

static const struct option user_options[] = {
	{ "role", OPTION_TEXT, "administrator|operator|publisher|auditor|developer", "what the user may do", false },
	{ "access", OPTION_TEXT, "pending|active|blocked", "whether the user may sign in and call", false },
	{ "first-name", OPTION_TEXT, "NAME", "first name", false },
	{ "last-name", OPTION_TEXT, "NAME", "last name", false },
	OPTION_END,
};

static gh_rc set(struct cli *c, struct gh_err *err)
{
	static const struct doc_option fields[] = { { "role", "role", DOC_TEXT }, { "access", "state", DOC_TEXT }, { "first-name", "firstName", DOC_TEXT },
						    { "last-name", "lastName", DOC_TEXT }, DOC_END };
	struct store_user u;
	struct store *s;

	TRY(cli_store(c, false, &s, err));
	TRY(cli_find_user(c, s, c->options.args[0], &u, err));
	return cli_patch(c, "user", u.id, cli_document(c, fields), err);
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
	static const struct doc_option fields[] = { { "name", "name", DOC_TEXT }, { "description", "description", DOC_TEXT }, DOC_END };
	json_t *doc = cli_document(c, fields);

	if (!option_text(&c->options, "name"))
		json_object_set_new(doc, "name", json_string(c->options.args[0]));
	return cli_create(c, "group", str_of(c->options.args[0]), doc, NULL, err);
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

/* In one transaction: who is put into another group meanwhile stays there. */
static gh_rc write_member(struct cli_change *ch, bool add, struct gh_err *err)
{
	struct cli *c = ch->c;
	struct str group = str_of(c->options.args[0]);
	json_t *list = jsn_keep(c->arena, json_array());
	struct store_group *have;
	struct store_user u;
	size_t n;

	TRY(cli_find_user(c, ch->store, c->options.args[1], &u, err));
	TRY(store_groups_of_user(ch->store, c->arena, u.id, &have, &n, err));
	for (size_t i = 0; i < n; i++)
		if (!str_eq(have[i].id, group))
			json_array_append_new(list, json_stringn(have[i].id.p, have[i].id.n));
	if (!add && json_array_size(list) == n)
		FAIL(err, NOT_FOUND, "'%.200s' is no member of a group '%.200s'", c->options.args[1], c->options.args[0]);
	if (add)
		json_array_append_new(list, json_stringn(group.p, group.n));
	return cli_merge(ch, "user", u.id, jsn_keep(c->arena, json_pack("{s:O}", "groups", list)), NULL, err);
}

static gh_rc change_member(struct cli *c, bool add, struct gh_err *err)
{
	struct cli_change ch;

	TRY(cli_change_begin(c, &ch, err));
	return cli_change_end(&ch, write_member(&ch, add, err), err);
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
