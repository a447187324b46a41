#include "cli/output.h"
#include "cli/password.h"
#include "cli/resource.h"
#include "config/rights.h"
#include "core/str.h"
#include "db/sessions.h"
#include "db/users.h"

static const char *const states[] = { "pending", "active", "blocked", NULL };

struct printed {
	struct store_user user;
	struct str password;
};

static const struct column columns[] = {
	{ "ID", "id", COLUMN_TEXT, offsetof(struct printed, user.id), NULL },
	{ "EMAIL", "email", COLUMN_TEXT, offsetof(struct printed, user.email), NULL },
	{ "ROLE", "role", COLUMN_TEXT, offsetof(struct printed, user.role), NULL },
	{ "STATE", "state", COLUMN_NAME, offsetof(struct printed, user.state), states },
	{ "FIRST NAME", "firstName", COLUMN_TEXT, offsetof(struct printed, user.first_name), NULL },
	{ "LAST NAME", "lastName", COLUMN_TEXT, offsetof(struct printed, user.last_name), NULL },
	{ "PASSWORD", "password", COLUMN_TEXT, offsetof(struct printed, password), NULL },
};
enum { COLUMNS_WITHOUT_PASSWORD = ARRAY_LEN(columns) - 1 };

/* ---- create ----------------------------------------------------------------------------------------------------------- */

static const struct option create_options[] = {
	{ "role", OPTION_TEXT, "ROLE", "what the user may do: one of those below, or an own role", true },
	{ "first-name", OPTION_TEXT, "NAME", "first name", false },
	{ "last-name", OPTION_TEXT, "NAME", "last name", false },
	{ "password-file", OPTION_TEXT, "FILE", "its first line is the password; without it one is made and printed", false },
	{ "group", OPTION_MANY, "ID", "make the user a member", false },
	OPTION_END,
};

void cli_help_roles(struct buf *out)
{
	buf_cstr(out, "\nRoles:\n");
	for (size_t i = 0; rights_roles[i].name; i++)
		buf_fmt(out, "  %-16s%s\n", rights_roles[i].name, rights_roles[i].about);
	buf_cstr(out, "Own roles, and rights in one environment or business group: docs/roles.md\n");
}

static void help_roles(struct buf *out)
{
	cli_help_roles(out);
	buf_cstr(out, "The role developer opens nothing in the dashboard: for people who use the portal\n");
}

/* Those that an account itself may have; all others, own ones too, are assigned to it, everywhere. */
static bool is_of_accounts(struct str role)
{
	static const char *const names[] = { "administrator", "operator", "publisher", "auditor", "developer", NULL };
	size_t i = 0;

	while (names[i] && !str_eq(role, str_of(names[i])))
		i++;
	return names[i] != NULL;
}

/* The groups that a new account has by itself, and those that are asked for. */
static json_t *groups_of(struct cli *c, bool administrator)
{
	json_t *list = json_array();
	const char *group;

	json_array_append_new(list, json_string("developers"));
	if (administrator)
		json_array_append_new(list, json_string("administrators"));
	for (size_t i = 0; (group = option_nth(&c->options, "group", i)); i++)
		if (strcmp(group, "developers") != 0 && !(administrator && strcmp(group, "administrators") == 0))
			json_array_append_new(list, json_string(group));
	return list;
}

/* The account, its role where that is assigned, and its password, which is no part of a document. */
static gh_rc write_user(struct cli_change *ch, json_t *doc, struct str role, struct str hash, struct str *id, struct gh_err *err)
{
	struct resource_outcome out;

	TRY(cli_put(ch, "user", STR_NULL, doc, RESOURCE_CREATE, &out, err));
	*id = out.id;
	if (!is_of_accounts(role))
		TRY(cli_put(ch, "role-assignment", STR_NULL, jsn_keep(ch->c->arena, json_pack("{s:s%, s:s%}", "role", role.p, role.n, "user", id->p, id->n)),
			    RESOURCE_CREATE, NULL, err));
	return store_user_set_password(ch->store, *id, hash, err);
}

static gh_rc create(struct cli *c, struct gh_err *err)
{
	static const struct doc_option fields[] = { { "first-name", "firstName", DOC_TEXT }, { "last-name", "lastName", DOC_TEXT }, DOC_END };
	struct str role = str_of(option_text(&c->options, "role"));
	json_t *doc = cli_document(c, fields);
	char hash[CRYPTO_PASSWORD_HASH_MAX];
	struct cli_change ch;
	struct printed p;
	bool made, found;

	TRY(cli_password(c, option_text(&c->options, "password-file"), &p.password, &made, err));
	TRY(crypto_password_hash(p.password, hash, err));
	json_object_set_new(doc, "email", json_string(c->options.args[0]));
	if (is_of_accounts(role))
		json_object_set_new(doc, "role", json_stringn(role.p, role.n));
	if (option_nth(&c->options, "group", 0))
		json_object_set_new(doc, "groups", groups_of(c, str_eq(role, STR("administrator"))));
	TRY(cli_change_begin(c, &ch, err));
	TRY(cli_change_end(&ch, write_user(&ch, doc, role, str_of(hash), &p.user.id, err), err));
	TRY(store_user_find(ch.store, c->arena, p.user.id, &p.user, &found, err));
	p.user.role = role;                      /* as it was asked for */
	output_row(c, columns, made ? ARRAY_LEN(columns) : COLUMNS_WITHOUT_PASSWORD, &p, false);
	return GH_RC_OK;
}

const struct command command_user_create = {
	.name = "user create", .args = "EMAIL", .least_args = 1, .most_args = 1, .summary = "add a user",
	.options = create_options, .more = help_roles, .run = create,
};

/* ---- the others ------------------------------------------------------------------------------------------------------- */

static const struct option list_options[] = {
	{ "search", OPTION_TEXT, "TEXT", "only those whose e-mail address or name contains it", false },
	OPTION_END,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	struct store_page page = { .search = str_of(option_text(&c->options, "search")) };
	struct store_user *users;
	struct printed *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_users(s, c->arena, &page, &users, &n, err));
	rows = arena_alloc(c->arena, n + 1, sizeof(*rows));
	if (!rows)
		FAIL(err, NOMEM, "%zu users", n);
	for (size_t i = 0; i < n; i++)
		rows[i].user = users[i];
	output_list(c, columns, COLUMNS_WITHOUT_PASSWORD, rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_user_list = {
	.name = "user list", .summary = "list the users", .options = list_options, .run = list,
};

static const struct option password_options[] = {
	{ "password-file", OPTION_TEXT, "FILE", "its first line is the password; without it one is made and printed", false },
	OPTION_END,
};

static gh_rc set_password(struct cli *c, struct gh_err *err)
{
	char hash[CRYPTO_PASSWORD_HASH_MAX];
	struct printed p = { 0 };
	bool made;
	struct store *s;
	gh_rc rc;

	TRY(cli_password(c, option_text(&c->options, "password-file"), &p.password, &made, err));
	TRY(cli_store(c, true, &s, err));
	TRY(cli_find_user(c, s, c->options.args[0], &p.user, err));
	TRY(crypto_password_hash(p.password, hash, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	rc = store_user_set_password(s, p.user.id, str_of(hash), err);
	if (!rc.code)
		rc = store_sessions_delete_of_user(s, p.user.id, err);   /* whoever knew the old one is signed out */
	TRY(store_tx_end(s, rc, err));
	if (made)
		output_row(c, columns, ARRAY_LEN(columns), &p, false);
	return GH_RC_OK;
}

const struct command command_user_set_password = {
	.name = "user set-password", .args = "EMAIL", .least_args = 1, .most_args = 1,
	.summary = "give a user a new password and end all sign-ins", .options = password_options, .run = set_password,
};
