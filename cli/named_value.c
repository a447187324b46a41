/* named_value.c - `gatehouse named-value …`. Secrets come from a file, from standard input or by reference: a process list
 * shows arguments. */
#include "cli/output.h"
#include "cli/resource.h"
#include "cli/secret_option.h"
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

/* What the options say about the value; *ref is that of a secret which stands elsewhere. old NULL: it is new. */
static gh_rc read_value(struct cli *c, const struct store_named_value *old, json_t *doc, struct str *ref, struct gh_err *err)
{
	const char *value = option_text(&c->options, "value");
	bool was_secret = old && old->secret;
	struct secret_option given;
	bool secret;

	TRY(secret_option_read(c, &given, err));
	if (value && (given.value.p || given.ref.p))
		return cli_usage(c, err, "give one of --value TEXT, --file FILE, --secret-stdin and --ref REF");
	if (value && option_flag(&c->options, "secret"))
		return cli_usage(c, err, "a secret is no argument, because a process list shows those: use --secret-stdin or --file FILE");
	*ref = given.ref;
	/* a secret does not become readable by a slip: only --value makes it plain */
	secret = given.secret || option_flag(&c->options, "secret") || was_secret;
	if (value) {
		json_object_set_new(doc, "value", json_string(value));
		if (was_secret)
			json_object_set_new(doc, "secret", json_null());
	} else if (given.ref.p) {
		json_object_set_new(doc, "value", json_null());
		json_object_set_new(doc, "secret", json_pack("{s:s%}", "ref", given.ref.p, given.ref.n));
	} else if (given.value.p) {
		json_object_set_new(doc, "value", secret ? json_null() : json_stringn(given.value.p, given.value.n));
		if (secret)
			json_object_set_new(doc, "secret", json_stringn(given.value.p, given.value.n));
	} else if (old && secret && !was_secret) {       /* what was plain is sealed as it stands */
		json_object_set_new(doc, "value", json_null());
		json_object_set_new(doc, "secret", json_stringn(old->value.p ? old->value.p : "", old->value.n));
	}
	return GH_RC_OK;
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	static const struct doc_option fields[] = { { "rotate-by", "rotateBy", DOC_TIME }, DOC_END };
	struct str id = str_of(c->options.args[0]), rest = str_of(option_text(&c->options, "tags")), tag, ref;
	json_t *doc = cli_document(c, fields), *tags;
	struct store_named_value old;
	bool found;
	struct store *s;

	TRY(cli_store(c, true, &s, err));
	TRY(store_named_value_find(s, c->arena, id, false, &old, &found, err));
	TRY(read_value(c, found ? &old : NULL, doc, &ref, err));
	if (!found && !jsn_get(doc, "value"))
		return cli_usage(c, err, "give the value: --value TEXT, --file FILE, --secret-stdin or --ref REF");
	if (rest.p) {
		tags = json_array();
		while (str_word(&rest, &tag))
			json_array_append_new(tags, json_stringn(tag.p, tag.n));
		json_object_set_new(doc, "tags", tags);
	}
	TRY(cli_set(c, "named-value", id, doc, err));
	return ref.n ? secret_option_try(c, s, ref, err) : GH_RC_OK;
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
