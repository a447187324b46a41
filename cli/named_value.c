/* named_value.c - `gatehouse named-value …`. Values come from a file or standard input: a process list shows arguments. */
#include "cli/output.h"
#include "core/file.h"
#include "core/str.h"
#include "db/named_values.h"

static const struct option set_options[] = {
	{ "file", OPTION_TEXT, "FILE", "holds the value; - is standard input; one line break at the end is left out", true },
	{ "secret", OPTION_FLAG, NULL, "seal it with the master key and never show it", false },
	{ "tags", OPTION_TEXT, "TAGS", "words to find it by", false },
	OPTION_END,
};

static gh_rc set(struct cli *c, struct gh_err *err)
{
	struct store_named_value v = { .id = str_of(c->options.args[0]), .secret = option_flag(&c->options, "secret"),
				       .tags = str_of(option_text_or(&c->options, "tags", "")) };
	struct store *s;

	TRY(file_read(c->arena, option_text(&c->options, "file"), STORE_TEXT_MAX, &v.value, err));
	if (str_ends(v.value, STR("\n")))
		v.value.n--;
	if (str_ends(v.value, STR("\r")))
		v.value.n--;
	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_named_value_set(s, &v, err), err);
}

const struct command command_named_value_set = {
	.name = "named-value set", .args = "NAME", .least_args = 1, .most_args = 1,
	.summary = "set what policies name as {{NAME}}", .options = set_options, .run = set,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "NAME", "name", COLUMN_TEXT, offsetof(struct store_named_value, id), NULL },
		{ "SECRET", "secret", COLUMN_BOOL, offsetof(struct store_named_value, secret), NULL },
		{ "TAGS", "tags", COLUMN_TEXT, offsetof(struct store_named_value, tags), NULL },
		{ "CHANGED", "changed", COLUMN_TIME, offsetof(struct store_named_value, changed_us), NULL },
		{ "VALUE", "value", COLUMN_TEXT, offsetof(struct store_named_value, value), NULL },
	};
	struct store_named_value *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_named_values(s, c->arena, false, &rows, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_named_value_list = {
	.name = "named-value list", .summary = "list named values; secret ones without their value", .run = list,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	struct store *s;

	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_named_value_delete(s, str_of(c->options.args[0]), err), err);
}

const struct command command_named_value_delete = {
	.name = "named-value delete", .args = "NAME", .least_args = 1, .most_args = 1, .summary = "delete a named value",
	.run = delete,
};
