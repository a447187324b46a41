/* identity_provider.c - `gatehouse identity-provider …`: OpenID providers that people sign in with. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/file.h"
#include "core/json.h"
#include "core/str.h"
#include "core/uri.h"
#include "db/identity_providers.h"
#include "db/users.h"

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
static gh_rc map_of(struct cli *c, const char *name, struct str *out, struct gh_err *err)
{
	json_t *map = jsn_keep(c->arena, json_object());
	const char *pair;

	if (!map)
		FAIL(err, NOMEM, "identity provider");
	for (size_t i = 0; (pair = option_nth(&c->options, name, i)); i++) {
		struct str text = str_of(pair);
		size_t eq = str_rfind_char(text, '=');
		const char *key;

		if (eq == SIZE_MAX || eq == 0 || eq + 1 == text.n)
			return cli_usage(c, err, "--%s needs VALUE=%s, not '%.200s'", name, strcmp(name, "role") ? "GROUP" : "ROLE", pair);
		key = arena_cstr(c->arena, str_first(text, eq));
		if (!key || json_object_set_new(map, key, json_string(pair + eq + 1)) != 0)
			FAIL(err, NOMEM, "identity provider");
	}
	*out = jsn_text(c->arena, map, 0);
	return GH_RC_OK;
}

static gh_rc check_groups(struct cli *c, struct store *s, struct str map, struct gh_err *err)
{
	struct store_group *groups;
	json_t *v, *target;
	const char *key;
	size_t n;

	TRY(store_groups(s, c->arena, &groups, &n, err));
	TRY(jsn_parse_in(c->arena, map, NULL, &v, NULL, err));
	json_object_foreach(v, key, target) {
		bool found = false;

		for (size_t i = 0; i < n; i++)
			found = found || str_eq(groups[i].id, jsn_string(target));
		if (!found)
			FAIL(err, NOT_FOUND, "there is no group '%s'; make it with `gatehouse group create`", json_string_value(target));
	}
	return GH_RC_OK;
}

static gh_rc check_roles(struct cli *c, struct str map, struct gh_err *err)
{
	static const char *const roles[] = { "administrator", "operator", "publisher", "auditor", "developer" };
	json_t *v, *target;
	const char *key;

	TRY(jsn_parse_in(c->arena, map, NULL, &v, NULL, err));
	json_object_foreach(v, key, target) {
		bool known = false;

		for (size_t i = 0; i < ARRAY_LEN(roles); i++)
			known = known || strcmp(roles[i], json_string_value(target)) == 0;
		if (!known)
			return cli_usage(c, err, "'%s' is no role", json_string_value(target));
	}
	return GH_RC_OK;
}

static gh_rc check_issuer(struct cli *c, struct str issuer, struct gh_err *err)
{
	struct uri u;

	if (!uri_parse(issuer, &u) || !u.host.n || u.query.p || u.fragment.p
	    || (!str_eq_ci(u.scheme, STR("https")) && !str_eq_ci(u.scheme, STR("http"))))
		return cli_usage(c, err, "--issuer needs an https address without query, not '%.*s'", STR_ARG(str_first(issuer, 200)));
	return GH_RC_OK;
}

static gh_rc read_secret(struct cli *c, struct str *out, struct gh_err *err)
{
	const char *file = option_text(&c->options, "client-secret-file");

	*out = STR_NULL;
	if (!file)
		return GH_RC_OK;
	TRY(file_read(c->arena, file, SECRET_MAX, out, err));
	*out = str_trim(*out);
	return GH_RC_OK;
}

static gh_rc create(struct cli *c, struct gh_err *err)
{
	const char *where = option_text_or(&c->options, "for", "portal");
	struct store_provider p = { .id = str_of(c->options.args[0]), .issuer = str_of(option_text(&c->options, "issuer")),
				    .client_id = str_of(option_text(&c->options, "client-id")),
				    .name = str_of(option_text(&c->options, "name")),
				    .scopes = str_of(option_text(&c->options, "scopes")),
				    .groups_claim = str_of(option_text(&c->options, "groups-claim")) };
	struct store *s;

	p.for_portal = strcmp(where, "portal") == 0 || strcmp(where, "both") == 0;
	p.for_admin = strcmp(where, "dashboard") == 0 || strcmp(where, "both") == 0;
	p.create_users = strcmp(option_text_or(&c->options, "create-users", "yes"), "yes") == 0;
	while (p.issuer.n && p.issuer.p[p.issuer.n - 1] == '/' && p.issuer.n > 1 && p.issuer.p[p.issuer.n - 2] == '/')
		p.issuer.n--;
	TRY(check_issuer(c, p.issuer, err));
	TRY(map_of(c, "group", &p.group_map, err));
	TRY(map_of(c, "role", &p.role_map, err));
	TRY(check_roles(c, p.role_map, err));
	TRY(read_secret(c, &p.secret, err));
	TRY(cli_store(c, true, &s, err));
	TRY(check_groups(c, s, p.group_map, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_provider_set(s, &p, err), err);
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
