/* kind_identity.c - who people and programs are: OpenID providers, APIs behind a sign-in there (the identity-aware proxy), and tokens
 * for provisioning. */
#include "config/kind.h"

#include "core/clock.h"
#include "core/str.h"
#include "core/uri.h"
#include "db/identity_providers.h"
#include "db/scim.h"

/* ---- providers ----------------------------------------------------------------------------------------------------------- */

static const struct resource_field provider_fields[] = {
	FIELD_ID("Stands in addresses: letters, digits, '-' and '_'", store_provider, id),
	{ .name = "name", .type = RESOURCE_TEXT, .label = "Name", .most = 300, .description = "On the button; empty: the id", AT(store_provider, name) },
	{ .name = "issuer", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Issuer", .most = 2000,
	  .description = "The provider's issuer; its configuration is found below it", AT(store_provider, issuer) },
	{ .name = "clientId", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Client id", .most = 1000,
	  .description = "Of this installation at the provider", AT(store_provider, client_id) },
	{ .name = "clientSecret", .type = RESOURCE_SECRET, .flags = RESOURCE_STAYS | RESOURCE_NO_REF, .label = "Client secret",
	  .description = "null: a public client, PKCE alone", .offset = RESOURCE_BY_HAND },
	{ .name = "scopes", .type = RESOURCE_TEXT, .label = "Scopes", .otherwise = "\"openid email profile\"", .most = 2000,
	  .description = "Between blanks", AT(store_provider, scopes) },
	{ .name = "groupsClaim", .type = RESOURCE_TEXT, .label = "Groups claim", .otherwise = "\"groups\"", .most = 300,
	  .description = "Claim that lists groups; empty: none", AT(store_provider, groups_claim) },
	{ .name = "groups", .type = RESOURCE_OBJECT, .label = "Groups", .otherwise = "{}",
	  .description = "What the claim says, and the group that who has it is a member of: {\"engineering\": \"developers\"}", .offset = RESOURCE_BY_HAND },
	{ .name = "roles", .type = RESOURCE_OBJECT, .label = "Roles", .otherwise = "{}",
	  .description = "What the claim says, and the role that who has it has: {\"api-team\": \"operator\"}", .offset = RESOURCE_BY_HAND },
	{ .name = "portal", .type = RESOURCE_BOOL, .label = "Offered in the portal", .otherwise = "true", .description = "Developers sign in with it",
	  AT(store_provider, for_portal) },
	{ .name = "dashboard", .type = RESOURCE_BOOL, .label = "Offered in the dashboard", .otherwise = "false",
	  .description = "Administrators sign in with it", AT(store_provider, for_admin) },
	{ .name = "createUsers", .type = RESOURCE_BOOL, .label = "Makes accounts", .otherwise = "true",
	  .description = "Who is not known yet gets an account", AT(store_provider, create_users) },
	FIELD_END,
};

static void provider_check_id(struct resource_change *c, struct str id)
{
	bool fine = id.n && id.n <= 64;

	for (size_t i = 0; i < id.n; i++)
		fine = fine && (ascii_is_alpha(id.p[i]) || ascii_is_digit(id.p[i]) || id.p[i] == '-' || id.p[i] == '_');
	if (!fine)
		resource_problem(c, &kind_identity_provider, id, STR("/id"), "consists of 1 to 64 letters, digits, '-' and '_'");
}

/* With its secret in clear, which saving seals anew: it stays when it is not given. */
static GH_RC provider_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_provider_find(s, a, id, true, row, found, err);
}

static GH_RC provider_show(struct store *s UNUSED, struct arena *a, const void *row, json_t *doc, struct gh_err *err)
{
	const struct store_provider *p = row;
	json_t *groups, *roles;

	TRY(jsn_parse_in(a, p->group_map.n ? p->group_map : STR("{}"), NULL, &groups, NULL, err));
	TRY(jsn_parse_in(a, p->role_map.n ? p->role_map : STR("{}"), NULL, &roles, NULL, err));
	json_object_set(doc, "groups", groups);
	json_object_set(doc, "roles", roles);
	json_object_set_new(doc, "clientSecret", resource_secret_shown(p->has_secret, STR_NULL));
	return GH_RC_OK;
}

static GH_RC check_group(struct resource_put *p, const char *pointer, const json_t *v, struct gh_err *err)
{
	bool there = false;

	if (json_is_string(v))
		TRY(resource_exists(p->s, &kind_group, jsn_string(v), &there, err));
	if (!there)
		put_problem(p, pointer, "there is no group '%.*s'", STR_ARG(str_first(jsn_string(v), 200)));
	return GH_RC_OK;
}

static void check_role(struct resource_put *p, const char *pointer, const json_t *v)
{
	static const char *const roles[] = { "administrator", "operator", "publisher", "auditor", "developer" };

	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		if (str_eq(jsn_string(v), str_of(roles[i])))
			return;
	put_problem(p, pointer, "must be administrator, operator, publisher, auditor or developer");
}

static GH_RC provider_check(struct resource_put *p, struct gh_err *err)
{
	struct store_provider *row = p->row;
	char pointer[120];
	const char *name;
	struct str text;
	struct uri u;
	json_t *v;

	if (!uri_parse(row->issuer, &u) || !u.host.n || u.query.p || u.fragment.p || (!str_eq_ci(u.scheme, STR("https")) && !str_eq_ci(u.scheme, STR("http"))))
		put_problem(p, "/issuer", "must be an https address without query");
	json_object_foreach(jsn_get(p->doc, "groups"), name, v) {
		snprintf(pointer, sizeof(pointer), "/groups/%.80s", name);
		TRY(check_group(p, pointer, v, err));
	}
	json_object_foreach(jsn_get(p->doc, "roles"), name, v) {
		snprintf(pointer, sizeof(pointer), "/roles/%.80s", name);
		check_role(p, pointer, v);
	}
	switch (resource_secret(p->doc, "clientSecret", &text)) {
	case SECRET_TEXT:
		row->secret = text;
		break;
	case SECRET_NONE:
		row->secret = STR_NULL;
		break;
	case SECRET_STAYS:
		if (jsn_get(p->doc, "clientSecret") && !row->secret.n)
			put_problem(p, "/clientSecret", "there is nothing sealed yet; give the secret as a text");
		break;
	case SECRET_REF:
		put_problem(p, "/clientSecret", "takes no reference; give the secret as a text");
		break;
	}
	return GH_RC_OK;
}

static GH_RC provider_save(struct resource_put *p, struct gh_err *err)
{
	struct store_provider *row = p->row;

	row->group_map = jsn_text(p->a, jsn_get(p->doc, "groups"), JSN_SORTED);
	row->role_map = jsn_text(p->a, jsn_get(p->doc, "roles"), JSN_SORTED);
	return store_provider_set(p->s, row, err);
}

static GH_RC provider_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_provider_delete(s, id, err);
}

static const struct resource_ops provider_ops = {
	.row_size = sizeof(struct store_provider), .store = STORE_RESOURCE_IDENTITY_PROVIDER, .check_id = provider_check_id,
	.find = provider_find, .show = provider_show, .check = provider_check, .save = provider_save, .drop = provider_drop,
};

/* Of the area of people: who maps a claim to a role gives that role. */
const struct resource_kind kind_identity_provider = {
	.name = "identity-provider", .plural = "identity-providers", .title = "Identity provider",
	.description = "An OpenID provider that people sign in with. Register these redirect addresses there: PORTAL/sign-in/callback, "
		       "DASHBOARD/sign-in/callback, and for APIs behind a sign-in GATEWAY/-/iap/callback.",
	.area = RESOURCE_AREA_PEOPLE, .fields = provider_fields, .ops = &provider_ops, .filters = { { NULL } },
};

/* ---- APIs behind a sign-in -------------------------------------------------------------------------------------------------- */

static const struct resource_field sign_in_fields[] = {
	FIELD_ID("The API, or web application mounted as an API, that browsers reach after signing in", store_api_sign_in, api_id),
	{ .name = "api", .type = RESOURCE_REF, .ref = "api", .flags = RESOURCE_READ_ONLY, .label = "API", .description = "The same",
	  AT(store_api_sign_in, api_id) },
	{ .name = "provider", .type = RESOURCE_REF, .ref = "identity-provider", .flags = RESOURCE_REQUIRED, .label = "Identity provider",
	  .description = "Where people sign in", AT(store_api_sign_in, provider_id) },
	{ .name = "groups", .type = RESOURCE_TEXTS, .label = "Groups", .most = 1000,
	  .description = "Values of the provider's groups claim of which one is needed; none: everybody who can sign in", .offset = RESOURCE_BY_HAND },
	{ .name = "idleSeconds", .type = RESOURCE_INT, .label = "Idle, in seconds", .otherwise = "3600", .least = 1, .most = 31536000,
	  .description = "A session ends after this long without a request", AT(store_api_sign_in, idle_s) },
	{ .name = "maxSeconds", .type = RESOURCE_INT, .label = "Longest, in seconds", .otherwise = "43200", .least = 1, .most = 31536000,
	  .description = "A session ends this long after signing in", AT(store_api_sign_in, max_s) },
	FIELD_END,
};

static void sign_in_check_id(struct resource_change *c, struct str id)
{
	bool there = true;

	if (!resource_exists(c->store, &kind_api, id, &there, NULL).code && !there)
		resource_problem(c, &kind_sign_in, id, STR("/id"), "there is no API '%.*s'%.*s", STR_ARG(str_first(id, 200)),
				 STR_ARG(resource_meant(c, &kind_api, id)));
}

static GH_RC sign_in_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_api_sign_in_find(s, a, id, row, found, err);
}

static GH_RC sign_in_show(struct store *s UNUSED, struct arena *a UNUSED, const void *row, json_t *doc, struct gh_err *err UNUSED)
{
	struct str rest = ((const struct store_api_sign_in *)row)->groups, line;
	json_t *list = json_array();

	while (rest.n && str_split(&rest, '\n', &line))
		json_array_append_new(list, json_stringn(line.p, line.n));
	json_object_set_new(doc, "groups", list);
	return GH_RC_OK;
}

static GH_RC sign_in_check(struct resource_put *p, struct gh_err *err UNUSED)
{
	struct store_api_sign_in *row = p->row;
	char pointer[40];
	size_t i;
	json_t *v;

	if (row->max_s < row->idle_s)
		put_problem(p, "/maxSeconds", "must be at least idleSeconds");
	row->groups = STR("");
	json_array_foreach(jsn_get(p->doc, "groups"), i, v) {
		snprintf(pointer, sizeof(pointer), "/groups/%zu", i);
		if (!str_trim(jsn_string(v)).n || str_find_char(jsn_string(v), '\n') != SIZE_MAX)
			put_problem(p, pointer, "must be a value of the claim, in one line");
		row->groups = arena_printf(p->a, "%.*s%s%.*s", STR_ARG(row->groups), i ? "\n" : "", STR_ARG(jsn_string(v)));
	}
	return GH_RC_OK;
}

static GH_RC sign_in_save(struct resource_put *p, struct gh_err *err)
{
	return store_api_sign_in_set(p->s, p->row, err);
}

static GH_RC sign_in_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_api_sign_in_delete(s, id, err);
}

static const struct resource_ops sign_in_ops = {
	.row_size = sizeof(struct store_api_sign_in), .store = STORE_RESOURCE_SIGN_IN, .check_id = sign_in_check_id, .find = sign_in_find,
	.show = sign_in_show, .check = sign_in_check, .save = sign_in_save, .drop = sign_in_drop,
};

const struct resource_kind kind_sign_in = {
	.name = "sign-in", .plural = "sign-ins", .title = "Sign-in before an API",
	.description = "An API that browsers reach only after signing in at an identity provider (identity-aware proxy).",
	.area = RESOURCE_AREA_POLICIES, .fields = sign_in_fields, .ops = &sign_in_ops,
	.filters = { { "provider", "Only those of this identity provider", NULL } },
};

/* ---- tokens for provisioning ------------------------------------------------------------------------------------------------ */

static const struct resource_field token_fields[] = {
	FIELD_ID("Names the token", store_scim_token, id),
	{ .name = "ends", .type = RESOURCE_TIME, .label = "Ends", .description = "When it ends; null: it does not", AT(store_scim_token, ends_us) },
	{ .name = "token", .type = RESOURCE_SECRET, .flags = RESOURCE_READ_ONLY, .label = "Token",
	  .description = "The token, told once when it is made", .offset = RESOURCE_BY_HAND },
	{ .name = "created", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Made", .description = "When it was made",
	  AT(store_scim_token, created_us) },
	{ .name = "used", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Used", .description = "The last time", AT(store_scim_token, used_us) },
	FIELD_END,
};

static void token_check_id(struct resource_change *c, struct str id)
{
	if (id.n > STORE_SCIM_TOKEN_ID_MAX)
		resource_problem(c, &kind_scim_token, id, STR("/id"), "has at most %d bytes", STORE_SCIM_TOKEN_ID_MAX);
}

static GH_RC token_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_scim_token_named(s, a, id, row, found, err);
}

static GH_RC token_show(struct store *s UNUSED, struct arena *a UNUSED, const void *row UNUSED, json_t *doc, struct gh_err *err UNUSED)
{
	json_object_set_new(doc, "token", resource_secret_shown(true, STR_NULL));
	return GH_RC_OK;
}

static GH_RC token_check(struct resource_put *p, struct gh_err *err UNUSED)
{
	const struct store_scim_token *t = p->row;

	if (!p->exists && t->ends_us && t->ends_us <= clock_wall_us())
		put_problem(p, "/ends", "is over already");
	return GH_RC_OK;
}

static GH_RC token_save(struct resource_put *p, struct gh_err *err)
{
	const struct store_scim_token *t = p->row;
	struct str token;

	if (p->exists)
		return store_scim_token_set_end(p->s, t->id, t->ends_us, err);
	TRY(store_scim_token_create(p->s, p->a, t->id, t->ends_us, &token, err));
	p->c->issued = jsn_keep(p->c->arena, json_pack("{s:s%}", "token", token.p, token.n));
	return GH_RC_OK;
}

static GH_RC token_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_scim_token_delete(s, id, err);
}

static const struct resource_ops token_ops = {
	.row_size = sizeof(struct store_scim_token), .store = STORE_RESOURCE_SCIM_TOKEN, .check_id = token_check_id, .find = token_find,
	.show = token_show, .check = token_check, .save = token_save, .drop = token_drop,
};

const struct resource_kind kind_scim_token = {
	.name = "scim-token", .plural = "scim-tokens", .title = "SCIM token",
	.description = "A token with which a directory provisions users and groups (SCIM 2.0).", .area = RESOURCE_AREA_PEOPLE, .personal = true,
	.fields = token_fields, .ops = &token_ops, .filters = { { NULL } },
};
