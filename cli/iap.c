/* iap.c - `gatehouse iap …`: APIs that browsers reach only after signing in. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/str.h"
#include "db/identity_providers.h"

static const struct option set_options[] = {
	{ "api", OPTION_TEXT, "ID", "the API, or web application mounted as an API", true },
	{ "provider", OPTION_TEXT, "ID", "where people sign in", true },
	{ "groups", OPTION_TEXT, "A,B", "values of the provider's groups claim of which one is needed (default: none)", false },
	{ "idle", OPTION_INT, "SECONDS", "a session ends after this long without a request (default: 3600)", false },
	{ "max", OPTION_INT, "SECONDS", "a session ends this long after signing in (default: 43200)", false },
	OPTION_END,
};

static gh_rc set(struct cli *c, struct gh_err *err)
{
	static const struct doc_option fields[] = { { "provider", "provider", DOC_TEXT }, { "idle", "idleSeconds", DOC_INT }, { "max", "maxSeconds", DOC_INT },
						    DOC_END };
	struct str groups = str_of(option_text_or(&c->options, "groups", "")), group;
	json_t *doc = cli_document(c, fields), *list = json_array();

	while (groups.n && str_split(&groups, ',', &group))
		if (str_trim(group).n)
			json_array_append_new(list, json_stringn(str_trim(group).p, str_trim(group).n));
	json_object_set_new(doc, "groups", list);
	return cli_replace(c, "sign-in", str_of(option_text(&c->options, "api")), doc, err);
}

const struct command command_iap_set = {
	.name = "iap set", .summary = "require a sign-in at an OpenID provider for an API", .options = set_options, .run = set,
};

static struct str in_one_line(struct arena *a, struct str lines)
{
	char *p = arena_alloc_text(a, lines.n + 1);

	for (size_t i = 0; p && i < lines.n; i++)
		p[i] = lines.p[i] == '\n' ? ',' : lines.p[i];
	return (struct str){ p, p ? lines.n : 0 };
}

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "API", "api", COLUMN_TEXT, offsetof(struct store_api_sign_in, api_id), NULL },
		{ "PROVIDER", "provider", COLUMN_TEXT, offsetof(struct store_api_sign_in, provider_id), NULL },
		{ "GROUPS", "groups", COLUMN_TEXT, offsetof(struct store_api_sign_in, groups), NULL },
		{ "IDLE", "idleSeconds", COLUMN_INT, offsetof(struct store_api_sign_in, idle_s), NULL },
		{ "MAX", "maxSeconds", COLUMN_INT, offsetof(struct store_api_sign_in, max_s), NULL },
	};
	struct store_api_sign_in *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_api_sign_ins(s, c->arena, &rows, &n, err));
	for (size_t i = 0; i < n; i++)
		rows[i].groups = in_one_line(c->arena, rows[i].groups);
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_iap_list = { .name = "iap list", .summary = "list the APIs behind a sign-in", .run = list };

static const struct option unset_options[] = {
	{ "api", OPTION_TEXT, "ID", "the API", true },
	OPTION_END,
};

static gh_rc unset(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "sign-in", str_of(option_text(&c->options, "api")), err);
}

const struct command command_iap_unset = {
	.name = "iap unset", .summary = "let everybody reach an API again", .options = unset_options, .run = unset,
};
