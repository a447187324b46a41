/* mail.c - `gatehouse mail …`: the queue of mails that the keeper sends. */
#include "cli/output.h"
#include "core/alert.h"
#include "core/str.h"
#include "db/mail.h"

static const struct option list_options[] = {
	{ "search", OPTION_TEXT, "TEXT", "only those whose address or template contains it", false },
	{ "state", OPTION_TEXT, "waiting|sending|handed|sent|uncertain|failed", "only those", false },
	{ "limit", OPTION_INT, "N", "at most this many, newest first (default: 100)", false },
	OPTION_END,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "ID", "id", COLUMN_TEXT, offsetof(struct store_mail, id), NULL },
		{ "TO", "to", COLUMN_TEXT, offsetof(struct store_mail, recipient), NULL },
		{ "TEMPLATE", "template", COLUMN_TEXT, offsetof(struct store_mail, template), NULL },
		{ "STATE", "state", COLUMN_NAME, offsetof(struct store_mail, state), store_mail_state_names },
		{ "TRIES", "tries", COLUMN_INT, offsetof(struct store_mail, tries), NULL },
		{ "CREATED", "created", COLUMN_TIME, offsetof(struct store_mail, created_us), NULL },
		{ "CHANGED", "changed", COLUMN_TIME, offsetof(struct store_mail, changed_us), NULL },
		{ "PROBLEM", "problem", COLUMN_TEXT, offsetof(struct store_mail, problem), NULL },
	};
	const struct store_mail_filter f = { .search = str_of(option_text(&c->options, "search")),
					     .state = alert_word(store_mail_state_names, str_of(option_text(&c->options, "state"))),
					     .limit = (size_t)option_int(&c->options, "limit", 100) };
	struct store_mail *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_mails(s, c->arena, &f, &rows, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_mail_list = {
	.name = "mail list", .summary = "list mails that wait, were sent or could not be", .options = list_options, .run = list,
};

static gh_rc again(struct cli *c, struct gh_err *err)
{
	struct store *s;

	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_mail_again(s, str_of(c->options.args[0]), err), err);
}

const struct command command_mail_again = {
	.name = "mail again", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "send a failed or uncertain mail once more", .run = again,
};

static gh_rc test(struct cli *c, struct gh_err *err)
{
	struct str to = str_of(c->options.args[0]);
	struct store *s;

	if (str_find_char(to, '@') == SIZE_MAX)
		return cli_usage(c, err, "'%.*s' is no e-mail address", STR_ARG(str_first(to, 200)));
	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_mail_add(s, to, "test", NULL, err), err);
}

const struct command command_mail_test = {
	.name = "mail test", .args = "ADDRESS", .least_args = 1, .most_args = 1,
	.summary = "put a test mail into the queue; see `gatehouse mail list` for what became of it", .run = test,
};
