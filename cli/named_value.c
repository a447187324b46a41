/* named_value.c - `gatehouse named-value …`. Secrets come from a file, from standard input or by reference: a process list
 * shows arguments. */
#include "cli/output.h"
#include "cli/resource.h"
#include "cli/secret_option.h"
#include "config/policy_store.h"
#include "core/str.h"
#include "db/named_values.h"

static const struct option set_options[] = {
	{ "value", OPTION_TEXT, "TEXT", "the value itself, of one that is no secret", false },
	SECRET_OPTIONS,
	{ "secret", OPTION_FLAG, NULL, "seal it with the master key and never show it", false },
	{ "tags", OPTION_TEXT, "TAGS", "words to find it by", false },
	ROTATE_BY_OPTION,
	OPTION_END,
};

static gh_rc read_value(struct cli *c, struct store_named_value *v, struct gh_err *err)
{
	const char *value = option_text(&c->options, "value");
	struct secret_option given;

	TRY(secret_option_read(c, &given, err));
	if (value && (given.value.p || given.ref.p))
		return cli_usage(c, err, "give one of --value TEXT, --file FILE, --secret-stdin and --ref REF");
	if (value && option_flag(&c->options, "secret"))
		return cli_usage(c, err, "a secret is no argument, because a process list shows those: use --secret-stdin or --file FILE");
	v->value = value ? str_of(value) : given.value;
	v->ref = given.ref;
	v->secret = given.secret || option_flag(&c->options, "secret");
	return GH_RC_OK;
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	struct store_named_value v = { .id = str_of(c->options.args[0]) }, old;
	const char *tags = option_text(&c->options, "tags");
	bool found, given;
	struct store *s;
	gh_rc rc;

	TRY(read_value(c, &v, err));
	given = v.value.p || v.ref.p;
	TRY(cli_store(c, true, &s, err));
	TRY(store_named_value_find(s, c->arena, v.id, !given, &old, &found, err));
	if (!given && !found)
		return cli_usage(c, err, "give the value: --value TEXT, --file FILE, --secret-stdin or --ref REF");
	if (!given)
		v.value = old.value, v.ref = old.ref;
	/* a secret does not become readable by a slip: only --value makes it plain */
	v.secret |= found && old.secret && !option_text(&c->options, "value");
	v.tags = tags ? str_of(tags) : found ? old.tags : STR("");
	v.rotate_by_us = found ? old.rotate_by_us : 0;
	TRY(rotate_by_read(c, &v.rotate_by_us, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	rc = store_named_value_set(s, &v, err);
	if (!rc.code && found && given && !v.ref.n)
		rc = policy_store_check_value(s, v.id, err);
	TRY(store_tx_end(s, rc, err));
	return v.ref.n ? secret_option_try(c, s, v.ref, err) : GH_RC_OK;
}

const struct command command_named_value_set = {
	.name = "named-value set", .args = "NAME", .least_args = 1, .most_args = 1,
	.summary = "set what policies name as {{NAME}}",
	.help = "A secret that stands elsewhere is read by the keeper, which sees its changes; see docs/secrets.md. Without a value\n"
		"only tags and reminder change.", .options = set_options, .run = set,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "NAME", "name", COLUMN_TEXT, offsetof(struct store_named_value, id), NULL },
		{ "SECRET", "secret", COLUMN_BOOL, offsetof(struct store_named_value, secret), NULL },
		{ "TAGS", "tags", COLUMN_TEXT, offsetof(struct store_named_value, tags), NULL },
		{ "CHANGED", "changed", COLUMN_TIME, offsetof(struct store_named_value, changed_us), NULL },
		{ "ROTATE BY", "rotateBy", COLUMN_TIME, offsetof(struct store_named_value, rotate_by_us), NULL },
		{ "REFERENCE", "ref", COLUMN_TEXT, offsetof(struct store_named_value, ref), NULL },
		{ "PROBLEM", "problem", COLUMN_TEXT, offsetof(struct store_named_value, problem), NULL },
		{ "VALUE", "value", COLUMN_TEXT, offsetof(struct store_named_value, value), NULL },
	};
	struct store_named_value *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_named_values(s, c->arena, false, &rows, &n, err));
	for (size_t i = 0; i < n && !c->json; i++)
		if (rows[i].secret)
			rows[i].value = STR("***");
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_named_value_list = {
	.name = "named-value list", .summary = "list named values; secret ones without their value", .run = list,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "named-value", str_of(c->options.args[0]), err);
}

const struct command command_named_value_delete = {
	.name = "named-value delete", .args = "NAME", .least_args = 1, .most_args = 1, .summary = "delete a named value",
	.run = delete,
};
