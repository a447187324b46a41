/* kind_policy.c - policy documents by scope, and fragments. What is saved has been compiled; its bytes are kept as given. */
#include "config/kind.h"

#include "core/str.h"
#include "db/apis.h"
#include "db/policies.h"
#include "policy/compiler.h"

/* ---- fragments --------------------------------------------------------------------------------------------------------- */

static const struct resource_field fragment_fields[] = {
	FIELD_ID("Names the fragment in <include-fragment fragment-id=\"...\">", store_fragment, id),
	{ .name = "description", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Description", .description = "What it is for",
	  AT(store_fragment, description) },
	{ .name = "policy", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED | RESOURCE_LINES | RESOURCE_FILE, .label = "Policy",
	  .description = "<fragment> with policies in it, as XML", .most = 2 * DOCUMENT_BYTES_MAX, AT(store_fragment, bytes) },
	{ .name = "changed", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Changed", .description = "When it was last written",
	  AT(store_fragment, changed_us) },
	FIELD_END,
};

static GH_RC fragment_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_fragment_find(s, a, id, row, found, err);
}

static GH_RC fragment_check(struct resource_put *p, struct gh_err *err)
{
	return check_policy(p, "/policy", ((struct store_fragment *)p->row)->bytes, NULL, err);
}

static GH_RC fragment_save(struct resource_put *p, struct gh_err *err)
{
	return store_fragment_set(p->s, p->row, err);
}

static GH_RC fragment_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_fragment_delete(s, id, err);
}

static const struct resource_ops fragment_ops = {
	.row_size = sizeof(struct store_fragment), .store = STORE_RESOURCE_POLICY_FRAGMENT, .find = fragment_find, .check = fragment_check,
	.save = fragment_save, .drop = fragment_drop,
};

const struct resource_kind kind_policy_fragment = {
	.name = "policy-fragment", .plural = "policy-fragments", .title = "Policy fragment",
	.description = "Policies that other documents include.", .area = RESOURCE_AREA_POLICIES, .fields = fragment_fields,
	.ops = &fragment_ops, .filters = { { NULL } },
};

/* ---- policies ---------------------------------------------------------------------------------------------------------- */

struct policy_row {
	struct str id, bytes;
};

static const char *const scope_names[] = { "global", "workspace", "product", "api", "operation", "environment", NULL };
static const struct resource_field policy_fields[] = {
	FIELD_ID("The scope: global, environment:ID, workspace:ID, product:ID, api:ID, api:ID;rev=N, operation:API/OP or operation:API;rev=N/OP", policy_row, id),
	{ .name = "policy", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED | RESOURCE_LINES | RESOURCE_FILE, .label = "Policy",
	  .description = "The policy document as XML; it is checked and its bytes are kept", .most = DOCUMENT_BYTES_MAX, AT(policy_row, bytes) },
	FIELD_END,
};

/* Whether what the scope names is there, by the kinds that have it. */
static void check_place(struct resource_change *c, const struct store_policy_scope *scope, struct str id)
{
	static const char *const kinds[] = { [STORE_POLICY_WORKSPACE] = "business-group", [STORE_POLICY_PRODUCT] = "product",
					     [STORE_POLICY_ENVIRONMENT] = "environment" };
	struct str named = scope->kind == STORE_POLICY_WORKSPACE ? scope->business_group_id
			   : scope->kind == STORE_POLICY_PRODUCT ? scope->product_id : scope->environment_id;
	const struct resource_kind *k = scope->kind < (int64_t)ARRAY_LEN(kinds) && kinds[scope->kind]
					? resource_kind_find(str_of(kinds[scope->kind])) : NULL;
	struct str place = str_from(id, str_find_char(id, ':') + 1);
	bool there = true;

	if (k && !resource_exists(c->store, k, named, &there, NULL).code && !there)
		resource_problem(c, &kind_policy, id, STR("/id"), "there is no %s '%.*s'%.*s", k->name, STR_ARG(named),
				 STR_ARG(resource_meant(c, k, named)));
	if (scope->kind == STORE_POLICY_API)
		check_api_place(c, &kind_policy, place, false);
	if (scope->kind == STORE_POLICY_OPERATION)
		check_api_place(c, &kind_policy, place, true);
	if (scope->kind == STORE_POLICY_OPERATION && !resource_exists(c->store, &kind_operation, place, &there, NULL).code && !there)
		resource_problem(c, &kind_policy, id, STR("/id"), "there is no operation '%.*s'", STR_ARG(place));
}

static void policy_check_id(struct resource_change *c, struct str id)
{
	struct store_policy_scope scope;
	struct gh_err why;

	if (store_policy_scope_parse(id, &scope, &why).code)
		resource_problem(c, &kind_policy, id, STR("/id"), "%s", why.message);
	else
		check_place(c, &scope, id);
}

static GH_RC policy_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct policy_row *r = row;
	struct store_policy_scope scope;
	struct api_place place;
	int64_t number;
	bool current = false;

	*found = false;
	r->id = id;
	if (store_policy_scope_parse(id, &scope, NULL).code)
		return GH_RC_OK;
	place = (struct api_place){ .api = scope.api_id, .revision = scope.revision };
	if (scope.revision)
		TRY(api_place_find(s, a, &place, &number, &current, err));
	if (current)                             /* it is named without its number */
		return GH_RC_OK;
	return store_policy_find(s, a, &scope, &r->bytes, found, err);
}

static GH_RC policy_check(struct resource_put *p, struct gh_err *err)
{
	struct store_policy_scope scope;

	TRY(store_policy_scope_parse(p->id, &scope, err));
	return check_policy(p, "/policy", ((struct policy_row *)p->row)->bytes, &scope, err);
}

static GH_RC policy_save(struct resource_put *p, struct gh_err *err)
{
	struct store_policy_scope scope;

	TRY(store_policy_scope_parse(p->id, &scope, err));
	return store_policy_set(p->s, &scope, ((struct policy_row *)p->row)->bytes, err);
}

static GH_RC policy_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	struct store_policy_scope scope;

	TRY(store_policy_scope_parse(id, &scope, err));
	return store_policy_unset(s, &scope, err);
}

static const struct resource_ops policy_ops = {
	.row_size = sizeof(struct policy_row), .store = STORE_RESOURCE_POLICY, .check_id = policy_check_id, .find = policy_find,
	.check = policy_check, .save = policy_save, .drop = policy_drop,
};

const struct resource_kind kind_policy = {
	.name = "policy", .plural = "policies", .title = "Policy",
	.description = "The policy document of a scope: of all calls, an environment, a business group, a product, an API or an operation.",
	.area = RESOURCE_AREA_POLICIES, .fields = policy_fields, .ops = &policy_ops,
	.filters = { { "scope", "Only policies of this kind of scope", scope_names }, { "api", "Only policies of this API and its operations", NULL } },
};
