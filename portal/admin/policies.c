/* policies.c - the list of policy documents, and what every page of one needs: the scope that it names. */
#include "portal/admin/policies.h"

#include "core/str.h"
#include "db/environments.h"
#include "db/policy_history.h"

static const char *const kinds[] = { "Global", "Workspace", "Product", "API", "Operation", "Environment" };

static GH_RC find_operation(struct web *w, struct policy_place *out, bool *found, struct gh_err *err)
{
	struct store_operation *v;
	size_t n;

	*found = false;
	TRY(store_operations_of(w->site->store, w->a, out->scope.api_id, out->scope.revision, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].id, out->scope.operation_id)) {
			out->operation = v[i];
			*found = true;
		}
	return GH_RC_OK;
}

static GH_RC find_named(struct web *w, struct policy_place *out, bool *found, struct gh_err *err)
{
	struct store_business_group *groups;
	struct store_environment environment;
	struct store_product product;
	size_t n;

	if (out->scope.kind == STORE_POLICY_ENVIRONMENT) {
		TRY(store_environment_find(w->site->store, w->a, out->scope.environment_id, &environment, found, err));
		out->label = *found && environment.name.n ? environment.name : out->scope.environment_id;
		return GH_RC_OK;
	}
	if (out->scope.kind == STORE_POLICY_PRODUCT) {
		TRY(store_product_find(w->site->store, w->a, out->scope.product_id, &product, found, err));
		out->label = *found && product.name.n ? product.name : out->scope.product_id;
		return GH_RC_OK;
	}
	*found = false;
	TRY(store_business_groups(w->site->store, w->a, &groups, &n, err));
	for (size_t i = 0; i < n; i++)
		if (str_eq(groups[i].id, out->scope.business_group_id)) {
			out->label = groups[i].name.n ? groups[i].name : groups[i].id;
			*found = true;
		}
	return GH_RC_OK;
}

gh_rc policy_place_find(struct web *w, struct str text, struct policy_place *out, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct gh_err why;
	bool found = true;

	*out = (struct policy_place){ .label = STR("All APIs") };
	if (store_policy_scope_parse(str_trim(text), &out->scope, &why).code)
		FAIL(err, NOT_FOUND, "%s", why.message);
	if (out->scope.api_id.n) {
		TRY(store_api_find(s, w->a, out->scope.api_id, out->scope.revision, &out->api, &found, err));
		out->scope.revision = out->api.revision;
		out->label = out->api.name.n ? out->api.name : out->scope.api_id;
		if (found && out->scope.operation_id.n)
			TRY(find_operation(w, out, &found, err));
		if (found && out->scope.operation_id.n)
			out->label = arena_printf(w->a, "%.*s %.*s", STR_ARG(out->operation.method), STR_ARG(out->operation.uri_template));
	} else if (out->scope.kind != STORE_POLICY_GLOBAL) {
		TRY(find_named(w, out, &found, err));
	}
	if (found)
		TRY(store_policy_scope_name(s, w->a, &out->scope, &out->name, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "nothing has the scope %.*s", STR_ARG(str_first(text, 200)));
	return GH_RC_OK;
}

void policy_place_put(struct web *w, const struct policy_place *p)
{
	bool of_api = p->scope.api_id.n > 0;

	liquid_set_text(w->page, "scope", p->name);
	liquid_set_text(w->page, "label", p->label);
	liquid_set_text(w->page, "kind", str_of(kinds[p->scope.kind]));
	liquid_set_text(w->page, "api_id", of_api ? p->scope.api_id : STR(""));
	liquid_set_text(w->page, "api_name", of_api ? p->api.name.n ? p->api.name : p->api.id : STR(""));
	liquid_set_int(w->page, "revision", p->scope.revision);
	liquid_set_bool(w->page, "is_current", !of_api || p->api.is_current);
	liquid_set_bool(w->page, "may_change", web_may(w, WEB_CHANGE_POLICIES));
	liquid_set_text(w->page, "title", arena_printf(w->a, "Policy of %.*s", STR_ARG(p->label)));
}

GH_RC policy_check_put(struct web *w, const struct policy_diags *diags)
{
	struct liquid_list *list = liquid_set_list(w->page, "problems");

	for (size_t i = 0; i < diags->n; i++) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_int(r, "line", diags->v[i].line);
		liquid_set_int(r, "column", diags->v[i].column);
		liquid_set_bool(r, "warning", diags->v[i].warning);
		liquid_set_text(r, "message", diags->v[i].message);
	}
	return GH_RC_OK;
}

/* ---- the list ---------------------------------------------------------------------------------------------------------- */

/* revision 0 stands for the current one, which an id does not name. */
static struct str scope_text(struct web *w, const struct store_policy_scope *p)
{
	struct str of = p->revision ? arena_printf(w->a, "%.*s;rev=%lld", STR_ARG(p->api_id), (long long)p->revision) : p->api_id;

	switch (p->kind) {
	case STORE_POLICY_GLOBAL:
		return STR("global");
	case STORE_POLICY_WORKSPACE:
		return arena_printf(w->a, "workspace:%.*s", STR_ARG(p->business_group_id));
	case STORE_POLICY_ENVIRONMENT:
		return arena_printf(w->a, "environment:%.*s", STR_ARG(p->environment_id));
	case STORE_POLICY_PRODUCT:
		return arena_printf(w->a, "product:%.*s", STR_ARG(p->product_id));
	case STORE_POLICY_API:
		return arena_printf(w->a, "api:%.*s", STR_ARG(of));
	default:
		return arena_printf(w->a, "operation:%.*s/%.*s", STR_ARG(of), STR_ARG(p->operation_id));
	}
}

struct str policy_place_id(struct web *w, const struct policy_place *place)
{
	struct store_policy_scope scope = place->scope;

	if (place->api.is_current)
		scope.revision = 0;
	return scope_text(w, &scope);
}

static GH_RC fetch(struct web *w, const void *ctx UNUSED, const struct store_page *window, void **rows, size_t *n, struct gh_err *err)
{
	struct store_policy *v;

	TRY(store_policy_page(w->site->store, w->a, window, &v, n, err));
	*rows = v;
	return GH_RC_OK;
}

static struct str policy_id(struct web *w, const void *row)
{
	return scope_text(w, &((const struct store_policy *)row)->scope);
}

enum { SCOPES_OFFERED = 200 };           /* of each kind; others are typed */

/* Scopes that a policy may be of, for the field that opens one. */
static GH_RC put_scopes(struct web *w, struct gh_err *err)
{
	static const char *const of[] = { "environment", "product", "api" };
	const struct resource_query first = { .limit = SCOPES_OFFERED };
	struct liquid_list *list = liquid_set_list(w->page, "scopes");
	struct str *ids, next;
	size_t n;

	liquid_set_text(liquid_push_record(list), "value", STR("global"));
	for (size_t k = 0; k < ARRAY_LEN(of); k++) {
		TRY(resource_ids(w->site->store, w->a, resource_kind_find(str_of(of[k])), &first, &ids, &n, &next, err));
		for (size_t i = 0; i < n; i++)
			liquid_set_text(liquid_push_record(list), "value", arena_printf(w->a, "%s:%.*s", of[k], STR_ARG(ids[i])));
	}
	return GH_RC_OK;
}

gh_rc admin_policies(struct web *w, struct gh_err *err)
{
	const struct admin_source from = { "policy", sizeof(struct store_policy), fetch, policy_id, NULL };
	struct store_page window = admin_window(w);
	struct liquid_list *list = liquid_set_list(w->page, "policies");
	const struct store_policy *v;
	void *rows;
	size_t n;

	TRY(put_scopes(w, err));
	TRY(admin_rows(w, &from, &window, &rows, &n, err));
	v = rows;
	n = admin_pages(w, n);
	for (size_t i = 0; i < n; i++) {
		const struct store_policy_scope *p = &v[i].scope;
		struct liquid_record *r = liquid_push_record(list);
		struct str what = p->product_id.n ? p->product_id : p->api_id.n ? p->api_id
				: p->environment_id.n ? p->environment_id : p->business_group_id;

		liquid_set_text(r, "scope", scope_text(w, p));
		liquid_set_text(r, "kind", str_of(kinds[p->kind]));
		liquid_set_text(r, "what", what.n ? what : STR("All APIs"));
		liquid_set_text(r, "operation", p->operation_id.n ? p->operation_id : STR(""));
		liquid_set_int(r, "revision", p->revision);
		liquid_set_text(r, "changed", web_date(w, v[i].changed_us));
	}
	liquid_set_bool(w->page, "may_change", web_may(w, WEB_CHANGE_POLICIES));
	liquid_set_text(w->page, "title", STR("Policies"));
	return web_page(w, "policies", err);
}
