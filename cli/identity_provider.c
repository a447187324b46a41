/* identity_provider.c - `gatehouse identity-provider …`: OpenID providers that people sign in with. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/file.h"
#include "core/json.h"
#include "core/str.h"
#include "db/identity_providers.h"

enum { SECRET_MAX = 65536 };

static const struct column columns[] = {
	{ "ID", "id", COLUMN_TEXT, offsetof(struct store_provider, id), NULL },
	{ "NAME", "name", COLUMN_TEXT, offsetof(struct store_provider, name), NULL },
	{ "ISSUER", "issuer", COLUMN_TEXT, offsetof(struct store_provider, issuer), NULL },
	{ "CLIENT ID", "clientId", COLUMN_TEXT, offsetof(struct store_provider, client_id), NULL },
	{ "SECRET", "hasSecret", COLUMN_BOOL, offsetof(struct store_provider, has_secret), NULL },
	{ "SCOPES", "scopes", COLUMN_TEXT, offsetof(struct store_provider, scopes), NULL },
	{ "GROUPS CLAIM", "groupsClaim", COLUMN_TEXT, offsetof(struct store_provider, groups_claim), NULL },
	{ "GROUPS", "groups", COLUMN_TEXT, offsetof(struct store_provider, group_map), NULL },
	{ "ROLES", "roles", COLUMN_TEXT, offsetof(struct store_provider, role_map), NULL },
	{ "PORTAL", "portal", COLUMN_BOOL, offsetof(struct store_provider, for_portal), NULL },
	{ "DASHBOARD", "dashboard", COLUMN_BOOL, offsetof(struct store_provider, for_admin), NULL },
	{ "CREATES USERS", "createUsers", COLUMN_BOOL, offsetof(struct store_provider, create_users), NULL },
};

static const struct option create_options[] = {
	{ "issuer", OPTION_TEXT, "URL", "the provider's issuer; its configuration is found below it", true },
	{ "client-id", OPTION_TEXT, "ID", "of this installation at the provider", true },
	{ "client-secret-file", OPTION_TEXT, "FILE", "holds the client's secret; - is standard input; none for a public client", false },
	{ "name", OPTION_TEXT, "NAME", "on the button (default: the id)", false },
	{ "scopes", OPTION_TEXT, "SCOPES", "blank-separated (default: openid email profile)", false },
	{ "groups-claim", OPTION_TEXT, "CLAIM", "claim that lists groups (default: groups)", false },
	{ "group", OPTION_MANY, "VALUE=GROUP", "who has VALUE in that claim is a member of the group", false },
	{ "role", OPTION_MANY, "VALUE=ROLE", "who has VALUE in that claim has the role", false },
	{ "for", OPTION_TEXT, "portal|dashboard|both|apis", "where it is offered (default: portal); apis: for `gatehouse iap` only", false },
	{ "create-users", OPTION_TEXT, "yes|no", "make an account for whoever is not known yet (default: yes)", false },
	OPTION_END,
};

/* {"VALUE":"TARGET",…} of all the options of that name */
static gh_rc take_map(struct cli *c, const char *name, const char *field, json_t *doc, struct gh_err *err)
{
	json_t *map = jsn_keep(c->arena, json_object());
	const char *pair;

	for (size_t i = 0; map && (pair = option_nth(&c->options, name, i)); i++) {
		struct str text = str_of(pair);
		size_t eq = str_rfind_char(text, '=');

		if (eq == SIZE_MAX || eq == 0 || eq + 1 == text.n)
			return cli_usage(c, err, "--%s needs VALUE=%s, not '%.200s'", name, strcmp(name, "role") ? "GROUP" : "ROLE", pair);
		if (json_object_setn_new(map, text.p, eq, json_string(pair + eq + 1)) != 0)
			FAIL(err, INVALID, "--%s: no text in UTF-8", name);
	}
	json_object_set(doc, field, map);
	return GH_RC_OK;
}

static gh_rc take_secret(struct cli *c, json_t *doc, struct gh_err *err)
{
	const char *file = option_text(&c->options, "client-secret-file");
	struct str text = STR_NULL;

	if (file)
		TRY(file_read(c->arena, file, SECRET_MAX, &text, err));
	text = str_trim(text);
	if (json_object_set_new(doc, "clientSecret", text.n ? json_stringn(text.p, text.n) : json_null()) != 0)
		FAIL(err, INVALID, "%s is no text in UTF-8", file);
	return GH_RC_OK;
}

static gh_rc create(struct cli *c, struct gh_err *err)
{
	static const struct doc_option fields[] = { { "issuer", "issuer", DOC_TEXT }, { "client-id", "clientId", DOC_TEXT }, { "name", "name", DOC_TEXT },
						    { "scopes", "scopes", DOC_TEXT }, { "groups-claim", "groupsClaim", DOC_TEXT },
						    { "create-users", "createUsers", DOC_YES }, DOC_END };
	const char *where = option_text_or(&c->options, "for", "portal");
	json_t *doc = cli_document(c, fields);

	json_object_set_new(doc, "portal", json_boolean(strcmp(where, "portal") == 0 || strcmp(where, "both") == 0));
	json_object_set_new(doc, "dashboard", json_boolean(strcmp(where, "dashboard") == 0 || strcmp(where, "both") == 0));
	TRY(take_map(c, "group", "groups", doc, err));
	TRY(take_map(c, "role", "roles", doc, err));
	TRY(take_secret(c, doc, err));
	return cli_replace(c, "identity-provider", str_of(c->options.args[0]), doc, err);
}

const struct command command_identity_provider_create = {
	.name = "identity-provider create", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "let people sign in at an OpenID provider", .options = create_options, .run = create,
	.help = "An id that is there already is replaced.\n"
		"At the provider, register these redirect addresses: PORTAL/sign-in/callback, DASHBOARD/sign-in/callback, and\n"
		"for APIs behind a sign-in GATEWAY/-/iap/callback.",
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	struct store_provider *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_providers(s, c->arena, false, &rows, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_identity_provider_list = {
	.name = "identity-provider list", .summary = "list the OpenID providers", .run = list,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "identity-provider", str_of(c->options.args[0]), err);
}

const struct command command_identity_provider_delete = {
	.name = "identity-provider delete", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "take away an OpenID provider; accounts stay", .run = delete,
};
