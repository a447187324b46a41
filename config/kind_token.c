/* kind_token.c - tokens of programs for the management API. The token itself is told once, when it is made. */
#include "config/kind.h"

#include "config/rights.h"
#include "core/clock.h"
#include "core/str.h"
#include "db/machine_tokens.h"

static const struct resource_field fields[] = {
	FIELD_ID("Names the token in the audit trail: letters, digits, '-', '.', '_'", store_machine_token, id),
	{ .name = "role", .type = RESOURCE_TEXT, .ref = "role", .flags = RESOURCE_REQUIRED, .most = 200, .label = "Role",
	  .description = "What it may do at most: owner, api-manager, policy-author, approver, analyst, auditor, operator, publisher, administrator, "
			 "or a role of your own", AT(store_machine_token, role) },
	{ .name = "environment", .type = RESOURCE_REF, .ref = "environment", .label = "Environment",
	  .description = "Where it counts; neither this nor a business group: everywhere", AT(store_machine_token, environment_id) },
	{ .name = "businessGroup", .type = RESOURCE_REF, .ref = "business-group", .label = "Business group",
	  .description = "It counts in all that the business group and its parts own", AT(store_machine_token, business_group_id) },
	{ .name = "scopes", .type = RESOURCE_TEXTS, .flags = RESOURCE_REQUIRED, .label = "Scopes", .most = 100,
	  .description = "What it is for: read, write (which includes reading), or these of one kind: read:apis, write:products",
	  .offset = RESOURCE_BY_HAND },
	{ .name = "ends", .type = RESOURCE_TIME, .label = "Ends", .description = "When it ends; null: it does not",
	  AT(store_machine_token, ends_us) },
	{ .name = "token", .type = RESOURCE_SECRET, .flags = RESOURCE_READ_ONLY, .label = "Token",
	  .description = "The token, told once when it is made", .offset = RESOURCE_BY_HAND },
	{ .name = "prefix", .type = RESOURCE_TEXT, .flags = RESOURCE_READ_ONLY, .label = "Begins", .description = "First characters, to recognise it",
	  AT(store_machine_token, prefix) },
	{ .name = "created", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Made", .description = "When it was made",
	  AT(store_machine_token, created_us) },
	{ .name = "used", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Used", .description = "The last time, to the minute",
	  AT(store_machine_token, used_us) },
	FIELD_END,
};

static void check_id(struct resource_change *c, struct str id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!ascii_is_alpha(id.p[i]) && !ascii_is_digit(id.p[i]) && !strchr("-._", id.p[i])) {
			resource_problem(c, &kind_machine_token, id, STR("/id"), "consists of letters, digits, '-', '.' and '_'");
			return;
		}
}

static GH_RC find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_machine_token_find(s, a, id, row, found, err);
}

static GH_RC show(struct store *s UNUSED, struct arena *a UNUSED, const void *row, json_t *doc, struct gh_err *err UNUSED)
{
	struct str rest = ((const struct store_machine_token *)row)->scopes, scope;
	json_t *scopes = json_array();

	while (str_word(&rest, &scope))
		json_array_append_new(scopes, json_stringn(scope.p, scope.n));
	json_object_set_new(doc, "scopes", scopes);
	json_object_set_new(doc, "token", resource_secret_shown(true, STR_NULL));
	return GH_RC_OK;
}

static bool known(struct str scope)
{
	size_t colon = str_find_char(scope, ':');
	struct str verb = str_first(scope, colon);
	const struct resource_kind *k = colon == SIZE_MAX ? NULL : resource_kind_find(str_from(scope, colon + 1));

	if (colon != SIZE_MAX && str_eq(str_from(scope, colon + 1), STR("captures")) && (str_eq(verb, STR("read")) || str_eq(verb, STR("write"))))
		return true;                     /* no resource either: calls that are written down for a while */
	if (str_eq(scope, STR("read:analytics")) || str_eq(scope, STR("read:audit")))    /* no resource: what happened, which nobody writes */
		return true;
	return (str_eq(verb, STR("read")) || str_eq(verb, STR("write")))
	       && (colon == SIZE_MAX || (k && str_eq(str_from(scope, colon + 1), str_of(k->plural))));
}

static GH_RC check(struct resource_put *p, struct gh_err *err)
{
	const struct store_machine_token *t = p->row;
	const json_t *scopes = jsn_get(p->doc, "scopes");
	char pointer[40];
	bool there;

	TRY(rights_role_exists(p->s, p->a, t->role, &there, err));
	if (!there)
		put_problem(p, "/role", "there is no role '%.*s'", STR_ARG(str_first(t->role, 200)));
	if (t->environment_id.n && t->business_group_id.n)
		put_problem(p, "/businessGroup", "give an environment or a business group, not both");
	if (!json_array_size(scopes))
		put_problem(p, "/scopes", "give at least one: read, write, read:KINDS, write:KINDS, read:analytics, read:audit, read:captures or write:captures");
	for (size_t i = 0; i < json_array_size(scopes); i++) {
		snprintf(pointer, sizeof(pointer), "/scopes/%zu", i);
		if (!known(jsn_string(json_array_get(scopes, i))))
			put_problem(p, pointer, "must be read, write, or one of them with a kind, like write:products");
	}
	if (!p->exists && t->ends_us && t->ends_us <= clock_wall_us())
		put_problem(p, "/ends", "is over already");
	return GH_RC_OK;
}

static GH_RC save(struct resource_put *p, struct gh_err *err)
{
	struct store_machine_token *t = p->row;
	struct str token;
	size_t i;
	json_t *scope;

	t->scopes = STR("");
	json_array_foreach(jsn_get(p->doc, "scopes"), i, scope)
		t->scopes = arena_printf(p->a, "%.*s%s%.*s", STR_ARG(t->scopes), i ? " " : "", STR_ARG(jsn_string(scope)));
	if (p->exists)
		return store_machine_token_update(p->s, t, err);
	TRY(store_machine_token_create(p->s, p->a, t, &token, err));
	p->c->issued = jsn_keep(p->c->arena, json_pack("{s:s%}", "token", token.p, token.n));
	return GH_RC_OK;
}

static GH_RC drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_machine_token_delete(s, id, err);
}

static const struct resource_ops ops = {
	.row_size = sizeof(struct store_machine_token), .store = STORE_RESOURCE_MACHINE_TOKEN, .check_id = check_id, .find = find,
	.show = show, .check = check, .save = save, .drop = drop,
};

const struct resource_kind kind_machine_token = {
	.name = "machine-token", .plural = "machine-tokens", .title = "Machine token",
	.description = "A token with which a program uses the management API.", .area = RESOURCE_AREA_PEOPLE, .personal = true,
	.fields = fields, .ops = &ops, .filters = { { NULL } },
};
