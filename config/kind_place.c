/* kind_place.c - business groups, environments, groups of people, version sets: small tables that others refer to. */
#include "config/kind.h"

#include "config/guard.h"
#include "core/str.h"
#include "db/apis.h"
#include "db/environments.h"
#include "db/users.h"

/* ---- business groups --------------------------------------------------------------------------------------------------- */

static const struct resource_field business_group_fields[] = {
	FIELD_ID("Names the business group", store_business_group, id),
	{ .name = "name", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Name", .most = 300,
	  .description = "What people read", AT(store_business_group, name) },
	{ .name = "parent", .type = RESOURCE_REF, .ref = "business-group", .label = "Part of",
	  .description = "The business group that it belongs to", AT(store_business_group, parent_id) },
	FIELD_END,
};

static GH_RC business_group_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct store_business_group *rows;
	size_t n;

	TRY(store_business_groups(s, a, &rows, &n, err));
	return pick_row(rows, n, sizeof(*rows), id, row, found);
}

/* Roles of the business group that it goes into count in it from then on. What is new has nothing in it yet. */
static GH_RC check_joins(struct resource_put *p, const char *field, bool is_group, struct str group, struct gh_err *err)
{
	if (!p->exists || str_eq(jsn_str(p->before, field), group.n ? group : STR("")))
		return GH_RC_OK;
	return guard_joins(p->s, p->a, is_group, p->id, group, err);
}

/* Nothing may be a part of itself, also not by way of others. */
static GH_RC business_group_check(struct resource_put *p, struct gh_err *err)
{
	const struct store_business_group *g = p->row;
	struct store_business_group up = { .parent_id = g->parent_id };
	bool found = true;

	for (int depth = 0; up.parent_id.n && found; depth++) {
		if (str_eq(up.parent_id, p->id) || depth > 50) {
			put_problem(p, "/parent", "a business group cannot be a part of itself");
			break;
		}
		TRY(business_group_find(p->s, p->a, up.parent_id, &up, &found, err));
	}
	return check_joins(p, "parent", true, g->parent_id, err);
}

static GH_RC business_group_save(struct resource_put *p, struct gh_err *err)
{
	return p->exists ? store_business_group_update(p->s, p->row, err) : store_business_group_create(p->s, p->row, err);
}

static GH_RC business_group_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_business_group_delete(s, id, err);
}

static const struct resource_ops business_group_ops = {
	.row_size = sizeof(struct store_business_group), .store = STORE_RESOURCE_BUSINESS_GROUP, .find = business_group_find,
	.check = business_group_check, .save = business_group_save, .drop = business_group_drop,
};

const struct resource_kind kind_business_group = {
	.name = "business-group", .plural = "business-groups", .title = "Business group",
	.description = "Who owns environments, products and applications.", .area = RESOURCE_AREA_SETTINGS,
	.fields = business_group_fields, .ops = &business_group_ops, .filters = { { NULL } },
};

/* ---- environments ------------------------------------------------------------------------------------------------------ */

static const char *const environment_kinds[] = { "production", "sandbox", NULL };

static const struct resource_field variable_fields[] = {
	{ .name = "name", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Name", .most = 200, .description = "The same in each environment" },
	{ .name = "value", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Value", .most = 2000,
	  .description = "What it is here: https://orders.example.com" },
	FIELD_END,
};

static const struct resource_field environment_fields[] = {
	FIELD_ID("Names the environment", store_environment, id),
	{ .name = "name", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Name", .most = 300,
	  .description = "What people read", AT(store_environment, name) },
	{ .name = "kind", .type = RESOURCE_ENUM, .flags = RESOURCE_AS_TEXT, .otherwise = "\"production\"", .label = "Kind", .values = environment_kinds,
	  .description = "production or sandbox", AT(store_environment, kind) },
	{ .name = "host", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .label = "Host", .most = 253,
	  .description = "Calls to this host name go there, in lower case; null: any", AT(store_environment, host) },
	{ .name = "pathPrefix", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .label = "Path prefix", .most = 400,
	  .description = "Calls whose path begins so go there, without slashes at the ends; null: any", AT(store_environment, path_prefix) },
	{ .name = "businessGroup", .type = RESOURCE_REF, .ref = "business-group", .otherwise = "\"default\"", .label = "Business group",
	  .description = "Who owns it", AT(store_environment, business_group_id) },
	{ .name = "variables", .type = RESOURCE_OBJECTS, .fields = variable_fields, .label = "Variables",
	  .description = "What differs between environments: addresses of backends, by which an API that is promoted finds its own. No secrets",
	  .offset = RESOURCE_BY_HAND },
	FIELD_END,
};

static int by_name(const json_t *a, const json_t *b)
{
	return str_cmp(jsn_str(a, "name"), jsn_str(b, "name"));
}

static GH_RC environment_show(struct store *s UNUSED, struct arena *a, const void *row, json_t *doc, struct gh_err *err)
{
	struct str text = ((const struct store_environment *)row)->variables;
	json_t *list;

	TRY(jsn_parse_in(a, text.n ? text : STR("[]"), &(struct jsn_limits){ .flags = JSN_ANY }, &list, NULL, err));
	json_object_set(doc, "variables", list);
	return GH_RC_OK;
}

static GH_RC environment_check(struct resource_put *p, struct gh_err *err)
{
	json_t *list = jsn_get(p->doc, "variables");
	struct store_environment *e = p->row;

	sort_objects(list, by_name);
	for (size_t i = 1; i < json_array_size(list); i++)
		if (str_eq(jsn_str(json_array_get(list, i - 1), "name"), jsn_str(json_array_get(list, i), "name")))
			put_problem(p, "/variables", "has '%.*s' twice", STR_ARG(jsn_str(json_array_get(list, i), "name")));
	e->variables = list ? jsn_text(p->a, list, 0) : STR("[]");
	if (!e->variables.p)
		FAIL(err, NOMEM, "variables");
	return check_joins(p, "businessGroup", false, e->business_group_id, err);
}

static GH_RC environment_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_environment_find(s, a, id, row, found, err);
}

static GH_RC environment_save(struct resource_put *p, struct gh_err *err)
{
	return p->exists ? store_environment_update(p->s, p->row, err) : store_environment_create(p->s, p->row, err);
}

static GH_RC environment_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_environment_delete(s, id, err);
}

static const struct resource_ops environment_ops = {
	.row_size = sizeof(struct store_environment), .store = STORE_RESOURCE_ENVIRONMENT, .find = environment_find,
	.show = environment_show, .check = environment_check, .save = environment_save, .drop = environment_drop,
};

const struct resource_kind kind_environment = {
	.name = "environment", .plural = "environments", .title = "Environment",
	.description = "A place where APIs stand: reached by host name, by path prefix, by both, or (one) by neither.",
	.area = RESOURCE_AREA_SETTINGS, .fields = environment_fields, .ops = &environment_ops, .filters = { { NULL } },
};

/* ---- groups of people -------------------------------------------------------------------------------------------------- */

static const struct resource_field group_fields[] = {
	FIELD_ID("Names the group", store_group, id),
	{ .name = "name", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Name", .most = 300,
	  .description = "What people read", AT(store_group, name) },
	{ .name = "description", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Description",
	  .description = "Who is in it", AT(store_group, description) },
	{ .name = "builtIn", .type = RESOURCE_BOOL, .flags = RESOURCE_READ_ONLY, .label = "Built in",
	  .description = "It is always there", AT(store_group, built_in) },
	FIELD_END,
};

static GH_RC group_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct store_group *rows;
	size_t n;

	TRY(store_groups(s, a, &rows, &n, err));
	return pick_row(rows, n, sizeof(*rows), id, row, found);
}

static GH_RC group_save(struct resource_put *p, struct gh_err *err)
{
	return p->exists ? store_group_update(p->s, p->row, err) : store_group_create(p->s, p->row, err);
}

static GH_RC group_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_group_delete(s, id, err);
}

static const struct resource_ops group_ops = {
	.row_size = sizeof(struct store_group), .store = STORE_RESOURCE_GROUP, .find = group_find, .save = group_save, .drop = group_drop,
};

const struct resource_kind kind_group = {
	.name = "group", .plural = "groups", .title = "Group", .description = "People who see the same products.",
	.area = RESOURCE_AREA_PEOPLE, .fields = group_fields, .ops = &group_ops, .filters = { { NULL } },
};

/* ---- version sets ------------------------------------------------------------------------------------------------------ */

static const char *const schemes[] = { "segment", "header", "query", NULL };

static const struct resource_field version_set_fields[] = {
	FIELD_ID("Names the version set", store_version_set, id),
	{ .name = "name", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Name", .most = 300,
	  .description = "What people read", AT(store_version_set, name) },
	{ .name = "description", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Description", .description = "What it is for",
	  AT(store_version_set, description) },
	{ .name = "scheme", .type = RESOURCE_ENUM, .flags = RESOURCE_AS_TEXT, .values = schemes, .otherwise = "\"segment\"", .label = "Scheme",
	  .description = "Where callers say the version: segment of the path, header or query", AT(store_version_set, scheme) },
	{ .name = "parameter", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .label = "Parameter", .most = 200,
	  .description = "Name of the header or query parameter; null with segment", AT(store_version_set, parameter) },
	FIELD_END,
};

static GH_RC version_set_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_version_set_find(s, a, id, row, found, err);
}

static GH_RC version_set_check(struct resource_put *p, struct gh_err *err UNUSED)
{
	const struct store_version_set *v = p->row;

	if (str_eq(v->scheme, STR("segment")) == (v->parameter.n > 0))
		put_problem(p, "/parameter", v->parameter.n ? "has no meaning with the scheme segment; leave it out"
			    : "a header or query scheme names its parameter");
	return GH_RC_OK;
}

static GH_RC version_set_save(struct resource_put *p, struct gh_err *err)
{
	return p->exists ? store_version_set_update(p->s, p->row, err) : store_version_set_create(p->s, p->row, err);
}

static GH_RC version_set_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_version_set_delete(s, id, err);
}

static const struct resource_ops version_set_ops = {
	.row_size = sizeof(struct store_version_set), .store = STORE_RESOURCE_VERSION_SET, .find = version_set_find,
	.check = version_set_check, .save = version_set_save, .drop = version_set_drop,
};

const struct resource_kind kind_version_set = {
	.name = "version-set", .plural = "version-sets", .title = "Version set", .description = "How the versions of one API are told apart.",
	.area = RESOURCE_AREA_APIS, .fields = version_set_fields, .ops = &version_set_ops, .filters = { { NULL } },
};
