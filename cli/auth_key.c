/* auth_key.c - `gatehouse auth-key …`: the keys that sign access tokens and identities for backends. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/clock.h"
#include "core/str.h"
#include "db/callers.h"

enum { OVERLAP_S = 90000, LEAD_MAX_S = 366 * 86400 };    /* the first: the longest life of a token and an hour */

static const struct column columns[] = {
	{ "ID", "id", COLUMN_TEXT, offsetof(struct store_auth_key, id), NULL },
	{ "PURPOSE", "purpose", COLUMN_TEXT, offsetof(struct store_auth_key, purpose), NULL },
	{ "ALGORITHM", "algorithm", COLUMN_TEXT, offsetof(struct store_auth_key, alg), NULL },
	{ "CREATED", "created", COLUMN_TIME, offsetof(struct store_auth_key, created_us), NULL },
	{ "SIGNS FROM", "signsFrom", COLUMN_TIME, offsetof(struct store_auth_key, signs_us), NULL },
	{ "ENDS", "ends", COLUMN_TIME, offsetof(struct store_auth_key, ends_us), NULL },
};

static const struct option rotate_options[] = {
	{ "purpose", OPTION_TEXT, "token|identity", "what it signs (token)", false },
	{ "algorithm", OPTION_TEXT, "NAME", "ES256, ES384, EdDSA, RS256, PS256 … (ES256)", false },
	{ "lead", OPTION_INT, "SECONDS", "publish it so long before it signs, for verifiers that keep key sets (0)", false },
	{ "overlap", OPTION_INT, "SECONDS", "how long tokens of the old keys stay good after that (90000)", false },
	OPTION_END,
};

static gh_rc rotate(struct cli *c, struct gh_err *err)
{
	static const struct doc_option fields[] = { { "purpose", "purpose", DOC_TEXT }, { "algorithm", "algorithm", DOC_TEXT },
						    { "overlap", "endsOthersAfter", DOC_INT }, DOC_END };
	int64_t lead = option_int(&c->options, "lead", 0);
	json_t *doc = cli_document(c, fields);
	struct resource_outcome out;
	struct store_auth_key *rows;
	char iso[CLOCK_ISO_MAX];
	struct store *s;
	size_t n;

	if (lead > LEAD_MAX_S)
		return cli_usage(c, err, "--lead takes 0 to %d seconds", LEAD_MAX_S);
	if (!option_text(&c->options, "overlap"))
		json_object_set_new(doc, "endsOthersAfter", json_integer(OVERLAP_S));
	if (lead)
		json_object_set_new(doc, "signsFrom", json_string(clock_iso(clock_wall_us() + lead * 1000000, 6, iso)));
	TRY(cli_create(c, "signing-key", STR_NULL, doc, &out, err));
	TRY(cli_store(c, false, &s, err));
	TRY(store_auth_keys(s, c->arena, false, &rows, &n, err));
	for (size_t i = 0; i < n; i++)
		if (str_eq(rows[i].id, out.id))
			output_row(c, columns, ARRAY_LEN(columns), &rows[i], false);
	return GH_RC_OK;
}

const struct command command_auth_key_rotate = {
	.name = "auth-key rotate", .summary = "make a new signing key; the old ones end after an overlap", .options = rotate_options,
	.run = rotate,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	struct store_auth_key *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_auth_keys(s, c->arena, false, &rows, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_auth_key_list = { .name = "auth-key list", .summary = "list the signing keys", .run = list };

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "signing-key", str_of(c->options.args[0]), err);
}

const struct command command_auth_key_delete = {
	.name = "auth-key delete", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "delete a signing key at once: what it has signed is worth nothing any more", .run = delete,
};
