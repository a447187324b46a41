/* secret.c - `gatehouse secret list`: the secrets that stand elsewhere, who uses them, and whether they can be read. */
#include "cli/output.h"
#include "core/str.h"
#include "db/secrets.h"

struct printed {
	struct store_secret secret;
	struct str users;
};

static struct str users_of(struct arena *a, const struct store_secret_use *uses, size_t n, struct str ref)
{
	struct str out = STR("");

	for (size_t i = 0; i < n; i++)
		if (str_eq(uses[i].ref, ref))
			out = arena_printf(a, "%.*s%s%.*s %.*s", STR_ARG(out), out.n ? ", " : "", STR_ARG(uses[i].kind),
					   STR_ARG(uses[i].holder_id));
	return out;
}

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "REFERENCE", "ref", COLUMN_TEXT, offsetof(struct printed, secret.ref), NULL },
		{ "READ", "hasValue", COLUMN_BOOL, offsetof(struct printed, secret.has_value), NULL },
		{ "VERSION", "version", COLUMN_TEXT, offsetof(struct printed, secret.version), NULL },
		{ "CHANGED", "changed", COLUMN_TIME, offsetof(struct printed, secret.changed_us), NULL },
		{ "USED BY", "usedBy", COLUMN_TEXT, offsetof(struct printed, users), NULL },
		{ "PROBLEM", "problem", COLUMN_TEXT, offsetof(struct printed, secret.problem), NULL },
		{ "SINCE", "problemSince", COLUMN_TIME, offsetof(struct printed, secret.problem_us), NULL },
	};
	struct store_secret_use *uses;
	struct store_secret *secrets;
	struct printed *rows;
	struct store *s;
	size_t n, n_uses;

	TRY(cli_store(c, false, &s, err));
	TRY(store_secrets(s, c->arena, &secrets, &n, err));
	TRY(store_secret_uses(s, c->arena, &uses, &n_uses, err));
	rows = arena_alloc(c->arena, n + 1, sizeof(*rows));
	if (!rows)
		FAIL(err, NOMEM, "%zu secrets", n);
	for (size_t i = 0; i < n; i++)
		rows[i] = (struct printed){ secrets[i], users_of(c->arena, uses, n_uses, secrets[i].ref) };
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_secret_list = {
	.name = "secret list", .summary = "list the secrets that stand elsewhere, who uses them, and what cannot be read",
	.run = list,
};
