/* kind_role.c - roles that people make of the rights of config/rights.def, and who has which role where. */
#include "config/kind.h"

#include "config/rights.h"
#include "core/str.h"
#include "db/products.h"
#include "db/roles.h"

/* ---- roles ------------------------------------------------------------------------------------------------------------- */

static bool permission(size_t i, struct resource_hint *out)
{
	if (i >= RIGHT__COUNT)
		return false;
	*out = (struct resource_hint){ .of = STR("permission"), .name = right_texts[i].name, .text = right_texts[i].about };
	return true;
}

static const struct resource_field role_fields[] = {
	FIELD_ID("Names the role: letters, digits, '-', '.', '_'", store_role, id),
	{ .name = "name", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Name", .most = 300,
	  .description = "What people read", AT(store_role, name) },
	{ .name = "description", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Description", .description = "Whom it is for",
	  AT(store_role, description) },
	{ .name = "permissions", .type = RESOURCE_TEXTS, .flags = RESOURCE_REQUIRED, .label = "Permissions", .most = 100,
	  .description = "What it allows: view-apis, change-apis, view-policies, change-policies, change-products, view-subscriptions, "
			 "manage-subscriptions, view-people, manage-people, view-settings, change-settings, view-credentials, "
			 "change-credentials, view-traffic, view-callers, capture-calls, view-audit, edit-pages, change-look",
	  .hints = permission, .offset = RESOURCE_BY_HAND },
	FIELD_END,
};

static void role_check_id(struct resource_change *c, struct str id)
{
	struct gh_err why;

	if (store_check_id("role", id, &why).code)
		resource_problem(c, &kind_role, id, STR("/id"), "%s", why.message);
	else if (rights_of_role(id) || str_eq(id, STR("developer")))
		resource_problem(c, &kind_role, id, STR("/id"), "is a role that is always there; take another name");
}

static GH_RC role_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_role_find(s, a, id, row, found, err);
}

static GH_RC role_show(struct store *s UNUSED, struct arena *a UNUSED, const void *row, json_t *doc, struct gh_err *err UNUSED)
{
	struct str rest = ((const struct store_role *)row)->permissions, word;
	json_t *list = json_array();

	while (str_word(&rest, &word))
		json_array_append_new(list, json_stringn(word.p, word.n));
	json_object_set_new(doc, "permissions", list);
	return GH_RC_OK;
}

/* The permissions in the order of the table, so that two orders are one role. */
static struct str words_of(struct arena *a, uint32_t rights)
{
	struct str out = STR("");

	for (size_t i = 0; i < RIGHT__COUNT; i++)
		if (rights >> i & 1)
			out = arena_printf(a, "%.*s%s%s", STR_ARG(out), out.n ? " " : "", right_texts[i].name);
	return out;
}

static GH_RC role_check(struct resource_put *p, struct gh_err *err UNUSED)
{
	struct store_role *row = p->row;
	uint32_t rights, all = 0;
	char pointer[40];
	size_t i;
	json_t *v;

	json_array_foreach(jsn_arr(p->doc, "permissions"), i, v) {
		snprintf(pointer, sizeof(pointer), "/permissions/%zu", i);
		if (!rights_parse(jsn_string(v), &rights) || !rights)
			put_problem(p, pointer, "is no permission; docs/roles.md has the table of them");
		else
			all |= rights;
	}
	if (!(all >> RIGHT_VIEW_APIS & 1))
		put_problem(p, "/permissions", "must hold view-apis: without it nobody gets into the dashboard");
	row->permissions = words_of(p->a, all);
	return GH_RC_OK;
}

static GH_RC role_save(struct resource_put *p, struct gh_err *err)
{
	return p->exists ? store_role_update(p->s, p->row, err) : store_role_create(p->s, p->row, err);
}

static GH_RC role_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_role_delete(s, id, err);
}

static const struct resource_ops role_ops = {
	.row_size = sizeof(struct store_role), .store = STORE_RESOURCE_ROLE, .check_id = role_check_id, .find = role_find, .show = role_show,
	.check = role_check, .save = role_save, .drop = role_drop,
};

const struct resource_kind kind_role = {
	.name = "role", .plural = "roles", .title = "Role",
	.description = "A role of one's own, made of permissions. Always there: owner, api-manager, policy-author, approver, analyst, auditor, "
		       "administrator, operator, publisher.",
	.area = RESOURCE_AREA_PEOPLE, .fields = role_fields, .ops = &role_ops, .filters = { { NULL } },
};

/* ---- who has which where ------------------------------------------------------------------------------------------------- */

static const struct resource_field assignment_fields[] = {
	FIELD_ID("Names the assignment; left out, one is made", store_assignment, id),
	{ .name = "role", .type = RESOURCE_TEXT, .ref = "role", .flags = RESOURCE_REQUIRED, .label = "Role", .most = 200,
	  .description = "owner, api-manager, policy-author, approver, analyst, auditor, or a role of your own", AT(store_assignment, role) },
	{ .name = "user", .type = RESOURCE_REF, .ref = "user", .label = "Person", .description = "Who has it; or a group",
	  AT(store_assignment, user_id) },
	{ .name = "group", .type = RESOURCE_REF, .ref = "group", .label = "Group", .description = "Whose members have it; or a person",
	  AT(store_assignment, group_id) },
	{ .name = "environment", .type = RESOURCE_REF, .ref = "environment", .label = "Environment",
	  .description = "Where it counts; neither this nor a business group: everywhere", AT(store_assignment, environment_id) },
	{ .name = "businessGroup", .type = RESOURCE_REF, .ref = "business-group", .label = "Business group",
	  .description = "It counts in all that the business group and its parts own", AT(store_assignment, business_group_id) },
	FIELD_END,
};

static GH_RC assignment_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_assignment_find(s, a, id, row, found, err);
}

static GH_RC assignment_check(struct resource_put *p, struct gh_err *err)
{
	const struct store_assignment *v = p->row;
	bool there;

	TRY(rights_role_exists(p->s, p->a, v->role, &there, err));
	if (!there)
		put_problem(p, "/role", "there is no role '%.*s'", STR_ARG(str_first(v->role, 200)));
	if (!v->user_id.n == !v->group_id.n)
		put_problem(p, "/user", v->user_id.n ? "give a person or a group, not both" : "give a person, or a group");
	if (v->environment_id.n && v->business_group_id.n)
		put_problem(p, "/businessGroup", "give an environment or a business group, not both");
	return GH_RC_OK;
}

static GH_RC assignment_save(struct resource_put *p, struct gh_err *err)
{
	return p->exists ? store_assignment_update(p->s, p->row, err) : store_assignment_create(p->s, p->row, err);
}

static GH_RC assignment_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_assignment_delete(s, id, err);
}

static const struct resource_ops assignment_ops = {
	.row_size = sizeof(struct store_assignment), .store = STORE_RESOURCE_ROLE_ASSIGNMENT, .find = assignment_find,
	.check = assignment_check, .save = assignment_save, .drop = assignment_drop,
};

const struct resource_kind kind_role_assignment = {
	.name = "role-assignment", .plural = "role-assignments", .title = "Role assignment",
	.description = "Who has which role where: a person or a group, everywhere, in one environment, or in one business group.",
	.area = RESOURCE_AREA_PEOPLE, .personal = true, .makes_id = true, .fields = assignment_fields, .ops = &assignment_ops,
	.filters = { { "user", "Only those of this person", NULL }, { "group", "Only those of this group", NULL },
		     { "environment", "Only those in this environment", NULL }, { "role", "Only those of this role", NULL } },
};
