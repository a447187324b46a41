#include "portal/admin/admin.h"

#include "config/resource.h"
#include "core/clock.h"
#include "core/map.h"
#include "core/str.h"
#include "db/policies.h"
#include "portal/web/highlight.h"
#include "portal/admin/alerts.h"

enum { ALERT_ROWS = 10 };       /* the newest ones; the page of a rule has more */

/* One API: what it is, its operations, and the policy documents that act on it, outermost first. */

static struct str text_or(struct str s, struct str other)
{
	return s.n ? s : other;
}

void admin_put_api_head(struct web *w, const struct store_api *api)
{
	struct liquid_record *r = liquid_set_record(w->page, "api");

	liquid_set_text(r, "id", api->id);
	liquid_set_text(r, "name", text_or(api->name, api->id));
	liquid_set_text(r, "description", text_or(api->description, STR("")));
	liquid_set_text(r, "path", api->path);
	liquid_set_text(r, "version", text_or(api->version, STR("")));
	liquid_set_int(r, "revision", api->revision);
	liquid_set_text(r, "environment", api->environment_id);
	liquid_set_text(r, "state", str_of(store_api_state_names[store_api_state_at(api, clock_wall_us())]));
	liquid_set_bool(r, "needs_key", api->subscription_required);
	liquid_set_text(r, "backend", text_or(api->backend_id, text_or(api->backend_url, STR(""))));
	liquid_set_text(r, "backend_id", text_or(web_may(w, WEB_VIEW_SETTINGS) ? api->backend_id : STR_NULL, STR("")));
	liquid_set_text(r, "version_set", text_or(api->version_set_id, STR("")));
	liquid_set_bool(r, "may_promote", web_may(w, WEB_CHANGE_APIS));
	liquid_set_text(r, "created", web_date(w, api->created_us));
	liquid_set_text(r, "changed", web_date(w, api->changed_us));
}

static GH_RC put_policy(struct web *w, struct liquid_list *list, const struct store_policy_scope *scope, const char *kind,
			struct str name, bool *found, struct gh_err *err)
{
	struct liquid_record *r;
	struct str xml;

	TRY(store_policy_find(w->site->store, w->a, scope, &xml, found, err));
	if (!*found)
		return GH_RC_OK;
	r = liquid_push_record(list);
	liquid_set_text(r, "kind", str_of(kind));
	liquid_set_text(r, "name", name);
	liquid_set(r, "words", web_highlight_xml(w->a, xml));
	return GH_RC_OK;
}

static GH_RC put_products(struct web *w, const struct store_api *api, struct liquid_list *policies, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "products");
	struct store_product *products;
	bool found;
	size_t n;

	TRY(store_products_of_api(w->site->store, w->a, api->id, &products, &n, err));
	for (size_t i = 0; i < n; i++) {
		const struct store_policy_scope scope = { .kind = STORE_POLICY_PRODUCT, .product_id = products[i].id };
		struct str name = text_or(products[i].name, products[i].id);
		struct liquid_record *r;

		r = liquid_push_record(list);
		liquid_set_text(r, "name", name);
		liquid_set_text(r, "id", products[i].id);
		if (policies)
			TRY(put_policy(w, policies, &scope, "Product", name, &found, err));
	}
	return GH_RC_OK;
}

/* What else counts for its calls, and whether there is one yet. */
static GH_RC put_rules(struct web *w, const struct store_api *api, struct gh_err *err)
{
	static const char *const kinds[][2] = { { "access-rule", "Who may call" }, { "network-rule", "Networks" }, { "traffic-rule", "Canary, mirror, faults" },
						{ "cache-rule", "Kept answers" } };
	struct liquid_list *list = liquid_set_list(w->page, "rules");

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct resource_kind *k = resource_kind_find(str_of(kinds[i][0]));
		struct str id = arena_printf(w->a, "api:%.*s", STR_ARG(api->id));
		struct liquid_record *r = liquid_push_record(list);
		bool there;

		TRY(resource_exists(w->site->store, k, id, &there, err));
		liquid_set_text(r, "label", str_of(kinds[i][1]));
		liquid_set_text(r, "plural", str_of(k->plural));
		liquid_set_text(r, "id", id);
		liquid_set_bool(r, "there", there);
	}
	return GH_RC_OK;
}

static GH_RC put_operations(struct web *w, const struct store_api *api, struct liquid_list *policies, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "operations");
	struct store_operation *ops;
	size_t n, from, shown;

	TRY(store_operations_of(w->site->store, w->a, api->id, api->revision, &ops, &n, err));
	shown = web_slice(w, n, WEB_OPERATIONS_ROWS, &from);
	liquid_set_int(w->page, "operations_total", (int64_t)n);
	for (size_t i = 0; i < n; i++) {
		const struct store_policy_scope scope = { .kind = STORE_POLICY_OPERATION, .api_id = api->id,
							  .revision = api->revision, .operation_id = ops[i].id };
		struct liquid_record *r;
		bool own = false;

		if (policies)
			TRY(put_policy(w, policies, &scope, "Operation", text_or(ops[i].name, ops[i].id), &own, err));
		if (i < from || i - from >= shown)
			continue;
		r = liquid_push_record(list);
		liquid_set_text(r, "id", ops[i].id);
		liquid_set_text(r, "method", ops[i].method);
		liquid_set_text(r, "template", ops[i].uri_template);
		liquid_set_text(r, "name", text_or(ops[i].name, ops[i].id));
		liquid_set_bool(r, "own_policy", own);
	}
	return GH_RC_OK;
}

gh_rc admin_api_page(struct web *w, int status, struct gh_err *err)
{
	bool see_policies, found;
	const struct store_policy_scope global = { .kind = STORE_POLICY_GLOBAL };
	struct store_policy_scope own = { .kind = STORE_POLICY_API }, binding = { .kind = STORE_POLICY_ENVIRONMENT };
	struct liquid_list *policies = liquid_set_list(w->page, "policies");
	struct store_api api;

	TRY(store_api_find(w->site->store, w->a, w->rq.args[0], 0, &api, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such API");
	see_policies = web_may_in(w, WEB_VIEW_POLICIES, api.environment_id);
	admin_put_api_head(w, &api);
	TRY(admin_put_life(w, &api, err));
	TRY(admin_traffic_put(w, api.id, w->page, err));
	binding.environment_id = api.environment_id;
	own.api_id = api.id;
	own.revision = api.revision;
	liquid_set_bool(w->page, "see_policies", see_policies);
	if (see_policies)
		TRY(put_rules(w, &api, err));
	if (see_policies)
		TRY(put_policy(w, policies, &binding, "Environment", api.environment_id, &found, err));
	if (see_policies)
		TRY(put_policy(w, policies, &global, "Everything", STR("All APIs"), &found, err));
	TRY(put_products(w, &api, see_policies ? policies : NULL, err));
	if (see_policies)
		TRY(put_policy(w, policies, &own, "API", text_or(api.name, api.id), &found, err));
	TRY(put_operations(w, &api, see_policies ? policies : NULL, err));
	TRY(admin_put_alert_events(w, &(struct store_alert_event_filter){ .api_id = api.id, .limit = ALERT_ROWS }, NULL, err));
	liquid_set_text(w->page, "title", text_or(api.name, api.id));
	w->rs.status = status;
	return web_page(w, "api", err);
}

gh_rc admin_api(struct web *w, struct gh_err *err)
{
	return admin_api_page(w, 200, err);
}
