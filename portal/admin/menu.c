/* menu.c - the menu beside each page: groups of entries, of which everybody sees those that he may open. A new page is one row
 * here and one in routes.c. */
#include "portal/admin/admin.h"

#include "core/str.h"

static const struct entry {
	const char *group, *label;
	const char *path;                /* behind the base path, without a slash in front; "" is the first page */
	const char *icon;                /* of www/icons.svg */
	enum web_right right;
} entries[] = {                          /* in the order of the menu; the entries of a group stand together */
	{ "APIs", "APIs", "", "apis", WEB_VIEW_APIS },
	{ "APIs", "API groups", "api-groups", "groups", WEB_VIEW_APIS },
	{ "APIs", "Policies", "policies", "policies", WEB_VIEW_POLICIES },
	{ "APIs", "Fragments", "policy-fragments", "fragments", WEB_VIEW_POLICIES },
	{ "APIs", "Backends", "backends", "backends", WEB_VIEW_SETTINGS },
	{ "APIs", "Traffic rules", "traffic-rules", "calls", WEB_VIEW_POLICIES },
	{ "APIs", "Named values", "named-values", "values", WEB_VIEW_SETTINGS },
	{ "APIs", "Loggers", "loggers", "loggers", WEB_VIEW_SETTINGS },
	{ "APIs", "Cache rules", "cache-rules", "values", WEB_VIEW_POLICIES },
	{ "APIs", "Schemas", "schemas", "fragments", WEB_VIEW_APIS },
	{ "APIs", "Version sets", "version-sets", "environments", WEB_VIEW_APIS },
	{ "Consumers", "Products", "products", "products", WEB_VIEW_APIS },
	{ "Consumers", "Tiers", "tiers", "tiers", WEB_VIEW_APIS },
	{ "Consumers", "Subscriptions", "subscriptions", "keys", WEB_VIEW_SUBSCRIPTIONS },
	{ "Consumers", "Consumer rules", "consumer-rules", "policies", WEB_VIEW_SUBSCRIPTIONS },
	{ "Consumers", "Applications", "applications", "applications", WEB_VIEW_PEOPLE },
	{ "Consumers", "Users", "users", "users", WEB_VIEW_PEOPLE },
	{ "Consumers", "Groups", "groups", "groups", WEB_VIEW_PEOPLE },
	{ "Consumers", "Mails", "mails", "mail", WEB_VIEW_PEOPLE },
	{ "Traffic", "Analytics", "analytics", "analytics", WEB_VIEW_TRAFFIC },
	{ "Traffic", "Calls", "calls", "calls", WEB_VIEW_TRAFFIC },
	{ "Traffic", "Alerts", "alerts", "alerts", WEB_VIEW_TRAFFIC },
	{ "Traffic", "Captures", "captures", "calls", WEB_CAPTURE_CALLS },
	{ "Traffic", "Kept answers", "kept-answers", "values", WEB_VIEW_SETTINGS },
	{ "Security", "Access rules", "access-rules", "keys", WEB_VIEW_POLICIES },
	{ "Security", "Network rules", "network-rules", "environments", WEB_VIEW_POLICIES },
	{ "Security", "Callers", "callers", "keys", WEB_VIEW_SUBSCRIPTIONS },
	{ "Security", "Identity providers", "identity-providers", "users", WEB_VIEW_PEOPLE },
	{ "Security", "Sign-in before APIs", "sign-ins", "keys", WEB_VIEW_POLICIES },
	{ "Security", "Certificates", "certificates", "certificates", WEB_VIEW_SETTINGS },
	{ "Security", "Credentials", "credentials", "credentials", WEB_VIEW_CREDENTIALS },
	{ "Security", "Roles", "roles", "users", WEB_VIEW_PEOPLE },
	{ "Security", "Role assignments", "role-assignments", "groups", WEB_VIEW_PEOPLE },
	{ "Security", "Machine tokens", "machine-tokens", "keys", WEB_VIEW_PEOPLE },
	{ "Security", "SCIM tokens", "scim-tokens", "keys", WEB_VIEW_PEOPLE },
	{ "Security", "Signing keys", "signing-keys", "keys", WEB_VIEW_SETTINGS },
	{ "Governance", "Report", "governance", "good", WEB_VIEW_APIS },
	{ "Governance", "Rulesets", "governance-rulesets", "policies", WEB_VIEW_SETTINGS },
	{ "Governance", "Exceptions", "governance-exceptions", "info", WEB_VIEW_SETTINGS },
	{ "Governance", "Audit", "audit", "audit", WEB_VIEW_AUDIT },
	{ "Settings", "First steps", "start", "start", WEB_CHANGE_APIS },
	{ "Settings", "Environments", "environments", "environments", WEB_VIEW_SETTINGS },
	{ "Settings", "Business groups", "business-groups", "groups", WEB_VIEW_SETTINGS },
	{ "Settings", "Pages", "pages", "pages", WEB_EDIT_PAGES },
	{ "Settings", "Look", "look", "look", WEB_CHANGE_LOOK },
	{ "Settings", "Terms of use", "terms-of-use", "pages", WEB_CHANGE_LOOK },
};

/* "products" is here at /products and at /products/gold, not at /products-of-mine; the first page at /apis/… too. */
static bool is_here(struct str here, struct str path)
{
	if (str_starts(here, STR("/edit/")))
		here = str_from(here, 5);
	if (!path.n)
		return str_eq(here, STR("/")) || str_eq(here, STR("/apis")) || str_starts(here, STR("/apis/")) || str_eq(here, STR("/operations"))
		       || str_eq(here, STR("/revisions")) || str_eq(here, STR("/api-descriptions")) || str_eq(here, STR("/new-api"));
	here = str_from(here, 1);
	if (str_eq(here, STR("live")))
		here = STR("analytics");
	if (str_starts(here, STR("alert-")))
		here = STR("alerts");
	return str_starts(here, path) && (here.n == path.n || here.p[path.n] == '/');
}

/* Rights that count in some places only open what keeps to places. */
static bool may_open(struct web *w, const struct entry *e)
{
	const struct web_route *r;
	struct str args[4];

	if (!web_may(w, e->right) || web_may_everywhere(w, e->right))
		return web_may(w, e->right);
	r = web_route_find(w->site->app->routes, STR("GET"), arena_printf(w->a, "/%s", e->path), args, NULL);
	return r && r->about != WEB_ABOUT_ALL;
}

gh_rc admin_menu(struct web *w, struct gh_err *err)
{
	struct liquid_list *menu = liquid_set_list(w->page, "menu"), *list = NULL;
	const char *group = NULL;

	for (size_t i = 0; w->signed_in && !w->factor_missing && i < ARRAY_LEN(entries); i++) {
		const struct entry *e = &entries[i];
		struct liquid_record *r;

		if (!may_open(w, e))
			continue;
		if (!group || strcmp(group, e->group) != 0) {
			r = liquid_push_record(menu);
			liquid_set_text(r, "label", str_of(e->group));
			list = liquid_set_list(r, "entries");
			group = e->group;
		}
		r = liquid_push_record(list);
		liquid_set_text(r, "label", str_of(e->label));
		liquid_set_text(r, "path", str_of(e->path));
		liquid_set_text(r, "icon", str_of(e->icon));
		liquid_set_bool(r, "here", is_here(w->rq.path, str_of(e->path)));
	}
	return w->signed_in && !w->factor_missing ? admin_environments_put(w, err) : GH_RC_OK;
}
