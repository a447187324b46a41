/* caller.c - `gatehouse caller …`: credentials of callers that come without a subscription key. A secret is printed when it is
 * made and never again; it is taken from a file, because a process list shows arguments. */
#include "cli/output.h"
#include "cli/password.h"
#include "cli/resource.h"
#include "core/file.h"
#include "core/str.h"
#include "db/callers.h"

#include <string.h>

enum { SECRET_FILE_MAX = 4096, OVERLAP_S = 86400 };

#define KINDS "client|basic|signing|token|certificate"

struct printed {
	struct store_caller row;
	struct str secret;
};

static const struct column columns[] = {
	{ "KIND", "kind", COLUMN_TEXT, offsetof(struct printed, row.kind), NULL },
	{ "ID", "id", COLUMN_TEXT, offsetof(struct printed, row.id), NULL },
	{ "APPLICATION", "application", COLUMN_TEXT, offsetof(struct printed, row.application_id), NULL },
	{ "NAME", "name", COLUMN_TEXT, offsetof(struct printed, row.name), NULL },
	{ "GROUPS", "groups", COLUMN_TEXT, offsetof(struct printed, row.groups), NULL },
	{ "STATE", "state", COLUMN_NAME, offsetof(struct printed, row.state), store_caller_state_names },
	{ "CHANGED", "changed", COLUMN_TIME, offsetof(struct printed, row.changed_us), NULL },
	{ "SECRET", "secret", COLUMN_TEXT, offsetof(struct printed, secret), NULL },
};
enum { COLUMNS_WITHOUT_SECRET = ARRAY_LEN(columns) - 1 };

static const char kinds_help[] =
	"client       ID is the client id; the secret is made, or the first line of --secret-file\n"
	"basic        ID is the user name; the password is the first line of --password-file, or made\n"
	"signing      ID is the access key's id, for signed requests (hmac, sigv4); the secret is made\n"
	"token        ID is \"ISSUER SUBJECT\": tokens of that issuer whose azp, client_id, appid or sub is SUBJECT\n"
	"certificate  ID is the SHA-256 thumbprint in lower-case hexadecimal, or the subject as RFC 2253 writes it";

/* ---- create ----------------------------------------------------------------------------------------------------------- */

static const struct option create_options[] = {
	{ "application", OPTION_TEXT, "ID", "application that it is: its subscriptions count", false },
	{ "name", OPTION_TEXT, "NAME", "name that people read", false },
	{ "group", OPTION_MANY, "ID", "group that it is in, for rules and for the backend", false },
	{ "secret-file", OPTION_TEXT, "FILE", "its first line is the secret; - is standard input", false },
	{ "password-file", OPTION_TEXT, "FILE", "its first line is the password; - is standard input", false },
	OPTION_END,
};

static gh_rc first_line(struct cli *c, const char *file, struct str *out, struct gh_err *err)
{
	struct str text;

	*out = STR_NULL;
	if (!file)
		return GH_RC_OK;
	TRY(file_read(c->arena, file, SECRET_FILE_MAX, &text, err));
	str_split(&text, '\n', out);
	*out = str_trim(*out);
	return GH_RC_OK;
}

/* Of the row as it stands, with the secret that is told once. */
static gh_rc print(struct cli *c, struct str secret, struct gh_err *err)
{
	struct printed p = { .secret = secret };
	struct store *s;
	bool found;

	TRY(cli_store(c, false, &s, err));
	TRY(store_caller_find(s, c->arena, str_of(c->options.args[0]), str_of(c->options.args[1]), false, &p.row, &found, err));
	output_row(c, columns, secret.p ? ARRAY_LEN(columns) : COLUMNS_WITHOUT_SECRET, &p, false);
	return GH_RC_OK;
}

static struct str id_of(struct cli *c)
{
	return arena_printf(c->arena, "%s:%s", c->options.args[0], c->options.args[1]);
}

static const struct doc_option fields[] = {
	{ "application", "application", DOC_OR_NULL }, { "name", "name", DOC_TEXT }, { "group", "groups", DOC_LIST }, DOC_END
};

static gh_rc take_password(struct cli *c, json_t *doc, struct str *secret, bool *made, struct gh_err *err)
{
	TRY(cli_password(c, option_text(&c->options, "password-file"), secret, made, err));
	if (json_object_set_new(doc, "secret", json_stringn(secret->p, secret->n)) != 0)
		FAIL(err, INVALID, "the password is no text in UTF-8");
	return GH_RC_OK;
}

static gh_rc create(struct cli *c, struct gh_err *err)
{
	json_t *doc = cli_document(c, fields);
	struct resource_outcome out = { .issued = NULL };
	struct str secret = STR_NULL, given;
	bool made = false;

	TRY(first_line(c, option_text(&c->options, "secret-file"), &given, err));
	if (given.p && json_object_set_new(doc, "secret", json_stringn(given.p, given.n)) != 0)
		FAIL(err, INVALID, "the secret is no text in UTF-8");
	if (strcmp(c->options.args[0], "basic") == 0)
		TRY(take_password(c, doc, &secret, &made, err));
	TRY(cli_create(c, "caller", id_of(c), doc, &out, err));
	return print(c, made ? secret : jsn_str(out.issued, "secret"), err);
}

const struct command command_caller_create = {
	.name = "caller create", .args = KINDS " ID", .least_args = 2, .most_args = 2,
	.summary = "give an application a credential, and print its secret once", .options = create_options, .help = kinds_help, .run = create,
};

/* ---- rotate, set ------------------------------------------------------------------------------------------------------- */

static const struct option rotate_options[] = {
	{ "secret-file", OPTION_TEXT, "FILE", "its first line is the new secret; - is standard input", false },
	{ "keep-old", OPTION_INT, "SECONDS", "how long the old secret of a client stays good (86400)", false },
	OPTION_END,
};

static gh_rc rotate(struct cli *c, struct gh_err *err)
{
	struct printed p = { .row = { .kind = str_of(c->options.args[0]), .id = str_of(c->options.args[1]) } };
	struct str given;
	struct store *s;
	bool found;
	gh_rc rc;

	TRY(first_line(c, option_text(&c->options, "secret-file"), &given, err));
	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	rc = store_caller_rotate(s, c->arena, p.row.kind, p.row.id, given, option_int(&c->options, "keep-old", OVERLAP_S), &p.secret, err);
	TRY(store_tx_end(s, rc, err));
	TRY(store_caller_find(s, c->arena, p.row.kind, p.row.id, false, &p.row, &found, err));
	output_row(c, columns, given.p ? COLUMNS_WITHOUT_SECRET : ARRAY_LEN(columns), &p, false);
	return GH_RC_OK;
}

const struct command command_caller_rotate = {
	.name = "caller rotate", .args = KINDS " ID", .least_args = 2, .most_args = 2,
	.summary = "make a new secret; the old one stays good for a while", .options = rotate_options, .run = rotate,
};

static const struct option set_options[] = {
	{ "application", OPTION_TEXT, "ID", "application that it is; empty: none", false },
	{ "name", OPTION_TEXT, "NAME", "name that people read", false },
	{ "group", OPTION_MANY, "ID", "groups that it is in, in place of the old ones", false },
	{ "suspended", OPTION_TEXT, "yes|no", "whether it may not call for now", false },
	{ "password-file", OPTION_TEXT, "FILE", "new password of a basic caller; - is standard input", false },
	OPTION_END,
};

static gh_rc set(struct cli *c, struct gh_err *err)
{
	const char *suspended = option_text(&c->options, "suspended");
	json_t *doc = cli_document(c, fields);
	struct str secret;
	bool made;

	if (suspended)
		json_object_set_new(doc, "state", json_string(store_caller_state_names[strcmp(suspended, "yes") == 0 ? STORE_CALLER_SUSPENDED
											  : STORE_CALLER_ACTIVE]));
	if (option_text(&c->options, "password-file")) {
		if (strcmp(c->options.args[0], "basic") != 0)
			return cli_usage(c, err, "only a basic caller has a password");
		TRY(take_password(c, doc, &secret, &made, err));
	}
	return cli_patch(c, "caller", id_of(c), doc, err);
}

const struct command command_caller_set = {
	.name = "caller set", .args = KINDS " ID", .least_args = 2, .most_args = 2,
	.summary = "change, suspend or activate a caller", .options = set_options, .run = set,
	.help = "What is not named stays as it is.",
};

/* ---- list, delete ------------------------------------------------------------------------------------------------------- */

static const struct option list_options[] = {
	{ "kind", OPTION_TEXT, KINDS, "only of this kind", false },
	{ "application", OPTION_TEXT, "ID", "only of this application", false },
	{ "search", OPTION_TEXT, "TEXT", "only those whose id or name contains it", false },
	{ "limit", OPTION_INT, "N", "at most so many (1000)", false },
	OPTION_END,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	struct store_page page = { .search = str_of(option_text(&c->options, "search")),
				   .limit = (size_t)option_int(&c->options, "limit", 1000) };
	struct store_caller *rows;
	struct printed *out;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_callers(s, c->arena, str_of(option_text(&c->options, "kind")), str_of(option_text(&c->options, "application")), &page,
			  &rows, &n, err));
	out = arena_alloc(c->arena, n + 1, sizeof(*out));
	if (!out)
		FAIL(err, NOMEM, "%zu callers", n);
	for (size_t i = 0; i < n; i++)
		out[i].row = rows[i];
	output_list(c, columns, COLUMNS_WITHOUT_SECRET, out, n, sizeof(*out));
	return GH_RC_OK;
}

const struct command command_caller_list = {
	.name = "caller list", .summary = "list the callers, without their secrets", .options = list_options, .run = list,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "caller", id_of(c), err);
}

const struct command command_caller_delete = {
	.name = "caller delete", .args = KINDS " ID", .least_args = 2, .most_args = 2, .summary = "take a credential away", .run = delete,
};
