/* The table of routes: what matches, which role may, and a walk over every route of both apps as every kind of caller. */
#include "tests/unit/check.h"

#include "db/pages.h"
#include "portal/admin/admin.h"
#include "portal/admin/rest.h"
#include "portal/portal/portal.h"
#include "tests/unit/portal/client.h"

static GH_RC nothing(struct web *w UNUSED, struct gh_err *err UNUSED)
{
	return GH_RC_OK;
}

static void matching(void **state UNUSED)
{
	static const struct web_route table[] = {
		{ "GET", "/", WEB_ANYBODY, nothing },
		{ "GET", "/apis", WEB_ANYBODY, nothing },
		{ "GET", "/apis/{api}", WEB_ANYBODY, nothing },
		{ "POST", "/apis/{api}", WEB_ANYBODY, nothing },
		{ "GET", "/apis/{api}/operations/{op}", WEB_ANYBODY, nothing },
		{ "GET", "/static/{file*}", WEB_ANYBODY, nothing },
		{ NULL, NULL, WEB_ANYBODY, NULL },
	};
	static const struct {
		const char *label;
		struct str method, path;
		int row;                         /* -1: none */
		const char *arg0, *arg1, *allow;
	} rows[] = {
		{ "root", STR_INIT("GET"), STR_INIT("/"), 0, NULL, NULL, "" },
		{ "HEAD is GET", STR_INIT("HEAD"), STR_INIT("/"), 0, NULL, NULL, "" },
		{ "list", STR_INIT("GET"), STR_INIT("/apis"), 1, NULL, NULL, "" },
		{ "slash behind the list", STR_INIT("GET"), STR_INIT("/apis/"), -1, NULL, NULL, "" },
		{ "one", STR_INIT("GET"), STR_INIT("/apis/a b"), 2, "a b", NULL, "" },
		{ "by method", STR_INIT("POST"), STR_INIT("/apis/x"), 3, "x", NULL, "GET, HEAD" },
		{ "two parts", STR_INIT("GET"), STR_INIT("/apis/x/operations/y"), 4, "x", "y", "" },
		{ "the rest", STR_INIT("GET"), STR_INIT("/static/a/b.css"), 5, "a/b.css", NULL, "" },
		{ "no rest", STR_INIT("GET"), STR_INIT("/static/"), -1, NULL, NULL, "" },
		{ "wrong method", STR_INIT("DELETE"), STR_INIT("/apis/x"), -1, NULL, NULL, "GET, HEAD, POST" },
		{ "longer", STR_INIT("GET"), STR_INIT("/apis/x/y"), -1, NULL, NULL, "" },
		{ "case counts", STR_INIT("GET"), STR_INIT("/APIs"), -1, NULL, NULL, "" },
		{ "no path", STR_INIT("GET"), STR_INIT(""), -1, NULL, NULL, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct web_route *r;
		struct str args[4];
		struct buf allow;

		buf_init(&allow, 100);
		r = web_route_find(table, rows[i].method, rows[i].path, args, &allow);
		CHECK_INT(rows[i].label, r ? r - table : -1, rows[i].row);
		CHECK_STR(rows[i].label, buf_view(&allow), str_of(rows[i].allow));
		if (r && rows[i].arg0)
			CHECK_STR(rows[i].label, args[0], str_of(rows[i].arg0));
		if (r && rows[i].arg1)
			CHECK_STR(rows[i].label, args[1], str_of(rows[i].arg1));
		buf_release(&allow);
	}
	check_done();
}

static const char *const callers[] = { NULL, "developer", "auditor", "publisher", "operator", "administrator" };

/* What each caller gets, in the order above: 's' sent to sign in, 'n' refused, 'y' answered. */
static const struct {
	const char *method, *path, *uri, *want;
} walk[] = {
	{ "GET", "/", "/admin/", "snyyyy" },
	{ "GET", "/apis", "/admin/apis", "snyyyy" },
	{ "GET", "/apis/{api}", "/admin/apis/orders", "snyyyy" },
	{ "POST", "/environment", "/admin/environment", "snnnnn" },
	{ "GET", "/start", "/admin/start", "snnyyy" },
	{ "GET", "/new-api", "/admin/new-api", "snnyyy" },
	{ "POST", "/new-api", "/admin/new-api", "snnnnn" },
	{ "GET", "/apis/{api}/revisions", "/admin/apis/orders/revisions", "snyyyy" },
	{ "POST", "/apis/{api}/revisions/{revision}/{action}", "/admin/apis/orders/revisions/1/copy", "snnnnn" },
	{ "GET", "/apis/{api}/promote", "/admin/apis/orders/promote", "snnyyy" },
	{ "POST", "/apis/{api}/promote", "/admin/apis/orders/promote", "snnnnn" },
	{ "GET", "/apis/{api}/export", "/admin/apis/orders/export", "snnnyy" },
	{ "POST", "/import-api", "/admin/import-api", "snnnnn" },
	{ "POST", "/apis/{api}/life", "/admin/apis/orders/life", "snnnnn" },      /* without the form's token */
	{ "GET", "/products", "/admin/products", "snyyyy" },
	{ "GET", "/api-groups", "/admin/api-groups", "snyyyy" },
	{ "GET", "/subscriptions", "/admin/subscriptions", "snnyyy" },
	{ "GET", "/policies", "/admin/policies", "snynyy" },
	{ "GET", "/policies/edit", "/admin/policies/edit?scope=global", "snynyy" },
	{ "POST", "/policies/edit", "/admin/policies/edit", "snnnnn" },   /* without the form's token */
	{ "POST", "/policies/check", "/admin/policies/check", "snnnnn" },
	{ "POST", "/policies/form", "/admin/policies/form", "snnnnn" },
	{ "POST", "/policies/try", "/admin/policies/try", "snnnnn" },
	{ "GET", "/policies/history", "/admin/policies/history?scope=api:orders", "snynyy" },
	{ "GET", "/policies/effective", "/admin/policies/effective?scope=api:orders", "snynyy" },
	{ "GET", "/policies/catalogue.json", "/admin/policies/catalogue.json", "snynyy" },
	{ "GET", "/edit/apis", "/admin/edit/apis", "snyyyy" },
	{ "POST", "/edit/apis", "/admin/edit/apis", "snnnnn" },
	{ "GET", "/revisions", "/admin/revisions", "snyyyy" },
	{ "GET", "/edit/revisions", "/admin/edit/revisions", "snyyyy" },
	{ "POST", "/edit/revisions", "/admin/edit/revisions", "snnnnn" },
	{ "GET", "/operations", "/admin/operations", "snyyyy" },
	{ "GET", "/edit/operations", "/admin/edit/operations", "snyyyy" },
	{ "POST", "/edit/operations", "/admin/edit/operations", "snnnnn" },
	{ "GET", "/version-sets", "/admin/version-sets", "snyyyy" },
	{ "GET", "/edit/version-sets", "/admin/edit/version-sets", "snyyyy" },
	{ "POST", "/edit/version-sets", "/admin/edit/version-sets", "snnnnn" },
	{ "GET", "/edit/api-descriptions", "/admin/edit/api-descriptions", "snyyyy" },
	{ "POST", "/edit/api-descriptions", "/admin/edit/api-descriptions", "snnnnn" },
	{ "GET", "/edit/products", "/admin/edit/products", "snyyyy" },
	{ "POST", "/edit/products", "/admin/edit/products", "snnnnn" },
	{ "GET", "/tiers", "/admin/tiers", "snyyyy" },
	{ "GET", "/edit/tiers", "/admin/edit/tiers", "snyyyy" },
	{ "POST", "/edit/tiers", "/admin/edit/tiers", "snnnnn" },
	{ "GET", "/edit/subscriptions", "/admin/edit/subscriptions", "snnyyy" },
	{ "POST", "/edit/subscriptions", "/admin/edit/subscriptions", "snnnnn" },
	{ "GET", "/users", "/admin/users", "snnyyy" },
	{ "GET", "/edit/users", "/admin/edit/users", "snnyyy" },
	{ "POST", "/edit/users", "/admin/edit/users", "snnnnn" },
	{ "GET", "/users/{id}", "/admin/users/developer", "snnyyy" },
	{ "POST", "/users/bulk", "/admin/users/bulk", "snnnnn" },
	{ "POST", "/users/{id}/{action}", "/admin/users/developer/suspend", "snnnnn" },
	{ "POST", "/applications/bulk", "/admin/applications/bulk", "snnnnn" },
	{ "POST", "/subscriptions/bulk", "/admin/subscriptions/bulk", "snnnnn" },
	{ "GET", "/groups", "/admin/groups", "snnyyy" },
	{ "GET", "/edit/groups", "/admin/edit/groups", "snnyyy" },
	{ "POST", "/edit/groups", "/admin/edit/groups", "snnnnn" },
	{ "GET", "/callers", "/admin/callers", "snnyyy" },
	{ "GET", "/edit/callers", "/admin/edit/callers", "snnyyy" },
	{ "POST", "/edit/callers", "/admin/edit/callers", "snnnnn" },
	{ "GET", "/sign-ins", "/admin/sign-ins", "snynyy" },
	{ "GET", "/edit/sign-ins", "/admin/edit/sign-ins", "snynyy" },
	{ "POST", "/edit/sign-ins", "/admin/edit/sign-ins", "snnnnn" },
	{ "GET", "/identity-providers", "/admin/identity-providers", "snnyyy" },
	{ "GET", "/edit/identity-providers", "/admin/edit/identity-providers", "snnyyy" },
	{ "POST", "/edit/identity-providers", "/admin/edit/identity-providers", "snnnnn" },
	{ "GET", "/scim-tokens", "/admin/scim-tokens", "snnyyy" },
	{ "GET", "/edit/scim-tokens", "/admin/edit/scim-tokens", "snnyyy" },
	{ "POST", "/edit/scim-tokens", "/admin/edit/scim-tokens", "snnnnn" },
	{ "GET", "/machine-tokens", "/admin/machine-tokens", "snnyyy" },
	{ "GET", "/edit/machine-tokens", "/admin/edit/machine-tokens", "snnyyy" },
	{ "POST", "/edit/machine-tokens", "/admin/edit/machine-tokens", "snnnnn" },
	{ "GET", "/terms-of-use", "/admin/terms-of-use", "snnyny" },
	{ "GET", "/edit/terms-of-use", "/admin/edit/terms-of-use", "snnyny" },
	{ "POST", "/edit/terms-of-use", "/admin/edit/terms-of-use", "snnnnn" },
	{ "GET", "/signing-keys", "/admin/signing-keys", "snynyy" },
	{ "GET", "/edit/signing-keys", "/admin/edit/signing-keys", "snynyy" },
	{ "POST", "/edit/signing-keys", "/admin/edit/signing-keys", "snnnnn" },
	{ "GET", "/cache-rules", "/admin/cache-rules", "snynyy" },
	{ "GET", "/edit/cache-rules", "/admin/edit/cache-rules", "snynyy" },
	{ "POST", "/edit/cache-rules", "/admin/edit/cache-rules", "snnnnn" },
	{ "GET", "/roles", "/admin/roles", "snnyyy" },
	{ "GET", "/edit/roles", "/admin/edit/roles", "snnyyy" },
	{ "POST", "/edit/roles", "/admin/edit/roles", "snnnnn" },
	{ "GET", "/role-assignments", "/admin/role-assignments", "snnyyy" },
	{ "GET", "/edit/role-assignments", "/admin/edit/role-assignments", "snnyyy" },
	{ "POST", "/edit/role-assignments", "/admin/edit/role-assignments", "snnnnn" },
	{ "GET", "/applications", "/admin/applications", "snnyyy" },
	{ "GET", "/edit/applications", "/admin/edit/applications", "snnyyy" },
	{ "POST", "/edit/applications", "/admin/edit/applications", "snnnnn" },
	{ "GET", "/backends", "/admin/backends", "snynyy" },
	{ "GET", "/edit/backends", "/admin/edit/backends", "snynyy" },
	{ "POST", "/edit/backends", "/admin/edit/backends", "snnnnn" },
	{ "GET", "/named-values", "/admin/named-values", "snynyy" },
	{ "GET", "/edit/named-values", "/admin/edit/named-values", "snynyy" },
	{ "POST", "/edit/named-values", "/admin/edit/named-values", "snnnnn" },
	{ "GET", "/policy-fragments", "/admin/policy-fragments", "snynyy" },
	{ "GET", "/edit/policy-fragments", "/admin/edit/policy-fragments", "snynyy" },
	{ "POST", "/edit/policy-fragments", "/admin/edit/policy-fragments", "snnnnn" },
	{ "GET", "/environments", "/admin/environments", "snynyy" },
	{ "GET", "/edit/environments", "/admin/edit/environments", "snynyy" },
	{ "POST", "/edit/environments", "/admin/edit/environments", "snnnnn" },
	{ "GET", "/business-groups", "/admin/business-groups", "snynyy" },
	{ "GET", "/edit/business-groups", "/admin/edit/business-groups", "snynyy" },
	{ "POST", "/edit/business-groups", "/admin/edit/business-groups", "snnnnn" },
	{ "GET", "/consumer-rules", "/admin/consumer-rules", "snnyyy" },
	{ "GET", "/edit/consumer-rules", "/admin/edit/consumer-rules", "snnyyy" },
	{ "POST", "/edit/consumer-rules", "/admin/edit/consumer-rules", "snnnnn" },
	{ "GET", "/alert-rules", "/admin/alert-rules", "snynyy" },
	{ "GET", "/edit/alert-rules", "/admin/edit/alert-rules", "snynyy" },
	{ "POST", "/edit/alert-rules", "/admin/edit/alert-rules", "snnnnn" },
	{ "GET", "/alert-webhooks", "/admin/alert-webhooks", "snynyy" },
	{ "GET", "/edit/alert-webhooks", "/admin/edit/alert-webhooks", "snynyy" },
	{ "POST", "/edit/alert-webhooks", "/admin/edit/alert-webhooks", "snnnnn" },
	{ "GET", "/alert-silences", "/admin/alert-silences", "snynyy" },
	{ "GET", "/edit/alert-silences", "/admin/edit/alert-silences", "snynyy" },
	{ "POST", "/edit/alert-silences", "/admin/edit/alert-silences", "snnnnn" },
	{ "GET", "/certificates", "/admin/certificates", "snynyy" },
	{ "GET", "/edit/certificates", "/admin/edit/certificates", "snynyy" },
	{ "POST", "/edit/certificates", "/admin/edit/certificates", "snnnnn" },
	{ "GET", "/loggers", "/admin/loggers", "snynyy" },
	{ "GET", "/edit/loggers", "/admin/edit/loggers", "snynyy" },
	{ "POST", "/edit/loggers", "/admin/edit/loggers", "snnnnn" },
	{ "GET", "/schemas", "/admin/schemas", "snyyyy" },
	{ "GET", "/edit/schemas", "/admin/edit/schemas", "snyyyy" },
	{ "POST", "/edit/schemas", "/admin/edit/schemas", "snnnnn" },
	{ "GET", "/access-rules", "/admin/access-rules", "snynyy" },
	{ "GET", "/edit/access-rules", "/admin/edit/access-rules", "snynyy" },
	{ "POST", "/edit/access-rules", "/admin/edit/access-rules", "snnnnn" },
	{ "GET", "/network-rules", "/admin/network-rules", "snynyy" },
	{ "GET", "/edit/network-rules", "/admin/edit/network-rules", "snynyy" },
	{ "POST", "/edit/network-rules", "/admin/edit/network-rules", "snnnnn" },
	{ "GET", "/traffic-rules", "/admin/traffic-rules", "snynyy" },
	{ "GET", "/edit/traffic-rules", "/admin/edit/traffic-rules", "snynyy" },
	{ "POST", "/edit/traffic-rules", "/admin/edit/traffic-rules", "snnnnn" },
	{ "GET", "/edit/credentials", "/admin/edit/credentials", "snynyy" },
	{ "POST", "/edit/credentials", "/admin/edit/credentials", "snnnnn" },
	{ "GET", "/governance", "/admin/governance", "snyyyy" },
	{ "GET", "/apis/{api}/governance", "/admin/apis/orders/governance", "snyyyy" },
	{ "GET", "/governance-rulesets", "/admin/governance-rulesets", "snynyy" },
	{ "GET", "/edit/governance-rulesets", "/admin/edit/governance-rulesets", "snynyy" },
	{ "POST", "/edit/governance-rulesets", "/admin/edit/governance-rulesets", "snnnnn" },
	{ "GET", "/governance-exceptions", "/admin/governance-exceptions", "snynyy" },
	{ "GET", "/edit/governance-exceptions", "/admin/edit/governance-exceptions", "snynyy" },
	{ "POST", "/edit/governance-exceptions", "/admin/edit/governance-exceptions", "snnnnn" },
	{ "GET", "/audit", "/admin/audit", "snynyy" },
	{ "GET", "/audit/export", "/admin/audit/export", "snynyy" },
	{ "GET", "/pages", "/admin/pages", "snnyyy" },
	{ "GET", "/pages/edit", "/admin/pages/edit", "snnyyy" },
	{ "POST", "/pages/edit", "/admin/pages/edit", "snnnnn" },
	{ "GET", "/credentials", "/admin/credentials", "snynyy" },
	{ "GET", "/credentials/callback", "/admin/credentials/callback", "snnnyy" },      /* back to the list: nothing was begun */
	{ "GET", "/credentials/{environment}/{id}/connect", "/admin/credentials/default/erp/connect", "snnnnn" },         /* without the mark */
	{ "POST", "/credentials/{environment}/{id}/forget", "/admin/credentials/default/erp/forget", "snnnnn" },
	{ "POST", "/credentials/{environment}/{id}/rotate", "/admin/credentials/default/erp/rotate", "snnnnn" },
	{ "POST", "/credentials/{environment}/{id}/remind", "/admin/credentials/default/erp/remind", "snnnnn" },
	{ "POST", "/subscriptions/{id}/{action}", "/admin/subscriptions/s1/approve", "snnnnn" },      /* without the form's token */
	{ "GET", "/look", "/admin/look", "snnyny" },
	{ "POST", "/look", "/admin/look", "snnnnn" },     /* without the form's token */
	{ "POST", "/look/reset", "/admin/look/reset", "snnnnn" },
	{ "GET", "/alerts", "/admin/alerts", "snyyyy" },
	{ "GET", "/alert-history", "/admin/alert-history?rule=slow&api=orders&before=3", "snyyyy" },
	{ "GET", "/alert-messages", "/admin/alert-messages?state=failed", "snynyy" },
	{ "POST", "/alert-messages/{id}/again", "/admin/alert-messages/msg_1/again", "snnnnn" },      /* without the form's token */
	{ "GET", "/mails", "/admin/mails", "snnyyy" },
	{ "POST", "/mails/{id}/again", "/admin/mails/m1/again", "snnnnn" },
	{ "GET", "/alerts/{rule}", "/admin/alerts/slow", "sn????" },        /* 404 */
	{ "GET", "/alert-rule", "/admin/alert-rule", "snnnyy" },
	{ "POST", "/alert-rule", "/admin/alert-rule", "snnnnn" },         /* without the form's token */
	{ "POST", "/alert-silence", "/admin/alert-silence", "snnnnn" },
	{ "GET", "/analytics", "/admin/analytics", "snyyyy" },
	{ "GET", "/analytics/{report}", "/admin/analytics/failures", "snyyyy" },
	{ "GET", "/calls", "/admin/calls", "snyyyy" },
	{ "GET", "/calls/{row}", "/admin/calls/999999999", "sn????" },    /* none of that number */
	{ "GET", "/kept-answers", "/admin/kept-answers", "snynyy" },
	{ "POST", "/kept-answers/purge", "/admin/kept-answers/purge", "snnnnn" },
	{ "GET", "/captures", "/admin/captures", "snnnyy" },
	{ "POST", "/captures", "/admin/captures", "snnnnn" },      /* without the form's token */
	{ "GET", "/captures/calls/{id}", "/admin/captures/calls/c1", "snnn??" },     /* 404 */
	{ "GET", "/captures/{id}", "/admin/captures/c1", "snnn??" },
	{ "POST", "/captures/{id}/stop", "/admin/captures/c1/stop", "snnnnn" },
	{ "GET", "/live", "/admin/live", "snyyyy" },
	{ "GET", "/live/events", "/admin/live/events", "snyyyy" },
	{ "GET", "/sign-in", "/admin/sign-in", "yyyyyy" },
	{ "POST", "/sign-in", "/admin/sign-in", "nnnnnn" },       /* without the form's token */
	{ "GET", "/sign-in/code", "/admin/sign-in/code", "ssssss" },      /* no password was entered before */
	{ "POST", "/sign-in/code", "/admin/sign-in/code", "nnnnnn" },
	{ "GET", "/sign-in/passkey", "/admin/sign-in/passkey", "syyyyy" },
	{ "POST", "/sign-in/passkey", "/admin/sign-in/passkey", "nnnnnn" },
	{ "GET", "/sign-in/code/passkey", "/admin/sign-in/code/passkey", "ssssss" },      /* no password was entered before */
	{ "POST", "/sign-in/code/passkey", "/admin/sign-in/code/passkey", "nnnnnn" },
	{ "GET", "/sign-in/with/{provider}", "/admin/sign-in/with/nobody", "??????" },    /* 404 */
	{ "GET", "/sign-in/callback", "/admin/sign-in/callback", "??????" },              /* 400: nothing was begun */
	{ "POST", "/sign-out", "/admin/sign-out", "snnnnn" },
	{ "GET", "/account", "/admin/account", "syyyyy" },
	{ "GET", "/account/second-factor", "/admin/account/second-factor", "syyyyy" },
	{ "POST", "/account/second-factor", "/admin/account/second-factor", "snnnnn" },   /* without the form's token */
	{ "POST", "/account/second-factor/off", "/admin/account/second-factor/off", "snnnnn" },
	{ "POST", "/account/second-factor/codes", "/admin/account/second-factor/codes", "snnnnn" },
	{ "GET", "/account/passkeys", "/admin/account/passkeys", "syyyyy" },
	{ "POST", "/account/passkeys", "/admin/account/passkeys", "snnnnn" },
	{ "POST", "/account/passkeys/start", "/admin/account/passkeys/start", "snnnnn" },
	{ "POST", "/account/passkeys/{id}/remove", "/admin/account/passkeys/k/remove", "snnnnn" },
	/* programs with a token of their own; a session opens nothing here */
	/* programs with a token, and scripts of a session, which need its form token to change something */
	{ "GET", "/api/v1/{rest*}", "/admin/api/v1/me", "?nyyyy" },
	{ "POST", "/api/v1/{rest*}", "/admin/api/v1/products", "?nnnnn" },
	{ "PUT", "/api/v1/{rest*}", "/admin/api/v1/products/x", "?nnnnn" },
	{ "PATCH", "/api/v1/{rest*}", "/admin/api/v1/products/x", "?nnnnn" },
	{ "DELETE", "/api/v1/{rest*}", "/admin/api/v1/products/x", "?nnnnn" },
	{ "GET", "/metrics", "/admin/metrics", "??????" },
	{ "GET", "/scim/v2/{rest*}", "/admin/scim/v2/Users", "??????" },
	{ "POST", "/scim/v2/{rest*}", "/admin/scim/v2/Users", "??????" },
	{ "PUT", "/scim/v2/{rest*}", "/admin/scim/v2/Users/1", "??????" },
	{ "PATCH", "/scim/v2/{rest*}", "/admin/scim/v2/Users/1", "??????" },
	{ "DELETE", "/scim/v2/{rest*}", "/admin/scim/v2/Users/1", "??????" },
};

static char outcome(const struct client *c, int status)
{
	if (status == 303 && str_starts(client_header(c, "Location"), STR("/admin/sign-in")))
		return 's';
	return status == 403 ? 'n' : status < 400 ? 'y' : '?';
}

static void each_route_as_each_role(void **state)
{
	struct client c = { .site = *state };
	size_t rows = 0;

	for (const struct web_route *r = admin_app.routes; r->method; r++, rows++) {
		bool listed = false;

		for (size_t i = 0; i < ARRAY_LEN(walk); i++)
			listed |= strcmp(walk[i].method, r->method) == 0 && strcmp(walk[i].path, r->pattern) == 0;
		CHECK(r->pattern, listed);       /* a new route must be put into the walk */
	}
	CHECK_INT("as many rows as routes", rows, ARRAY_LEN(walk));
	for (size_t k = 0; k < ARRAY_LEN(callers); k++) {
		if (callers[k])
			client_session(&c, callers[k]);
		for (size_t i = 0; i < ARRAY_LEN(walk); i++) {
			char label[100], got = outcome(&c, client_send(&c, walk[i].method, walk[i].uri, NULL));

			snprintf(label, sizeof(label), "%s %s as %s", walk[i].method, walk[i].uri, callers[k] ? callers[k] : "visitor");
			CHECK_INT(label, got, walk[i].want[k]);
			CHECK(label, !str_is_null(client_header(&c, "Content-Security-Policy")));
			CHECK(label, !str_is_null(client_header(&c, "X-Request-Id")));
		}
		client_end(&c);
	}
	check_done();
}

/* The same page tells less to who may see less. */
static void policies_by_right(void **state)
{
	struct client c = { .site = *state };

	client_session(&c, "auditor");
	client_send(&c, "GET", "/admin/apis/orders", NULL);
	CHECK("an auditor sees the policy", client_shows(&c, "rate-limit"));
	CHECK("and no menu entry for what he may not open", !client_shows(&c, "/admin/subscriptions"));
	client_end(&c);
	client_session(&c, "publisher");
	client_send(&c, "GET", "/admin/apis/orders", NULL);
	CHECK("a publisher does not", !client_shows(&c, "rate-limit"));
	CHECK("but the operations", client_shows(&c, "/orders/{id}"));
	client_end(&c);
	check_done();
}

static void odd_requests(void **state)
{
	static const struct {
		const char *label, *method, *uri;
		int status;
		const char *location, *allow;
	} rows[] = {
		{ "no slash behind the base path", "GET", "/admin", 303, "/admin/", NULL },
		{ "unknown page", "GET", "/admin/nothing", 404, NULL, NULL },
		{ "wrong method", "DELETE", "/admin/products", 405, NULL, "GET, HEAD" },
		{ "bad escape", "GET", "/admin/%zz", 400, NULL, NULL },
		{ "bad escape in the query", "GET", "/admin/sign-in?q=%", 400, NULL, NULL },
		{ "other base path", "GET", "/adminx/", 404, NULL, NULL },
		{ "absolute target", "GET", "http://gw.example/admin/sign-in", 200, NULL, NULL },
		{ "where to go back to", "GET", "/admin/apis/a%20b?x=1&y=\"", 303,
		  "/admin/sign-in?return=/admin/apis/a%2520b%3Fx%3D1%26y%3D%22", NULL },
	};
	struct client c = { .site = *state };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(rows[i].label, client_send(&c, rows[i].method, rows[i].uri, NULL), rows[i].status);
		if (rows[i].location)
			CHECK_STR(rows[i].label, client_header(&c, "Location"), str_of(rows[i].location));
		if (rows[i].allow)
			CHECK_STR(rows[i].label, client_header(&c, "Allow"), str_of(rows[i].allow));
		if (rows[i].status >= 400)
			CHECK(rows[i].label, client_shows(&c, "</html>") && client_shows(&c, c.w.rq.id.p));
	}
	client_end(&c);
	check_done();
}

static const char *with_token(const struct client *c, const char *fields)
{
	static char form[400];

	snprintf(form, sizeof(form), "csrf=%s&%s", client_token(c), fields);
	return form;
}

/* Saving what the form shows must not open a page to everybody because the group that could read it was deleted. */
static void a_page_whose_group_is_gone(void **state)
{
	const struct store_portal_page page = { .id = STR("prices"), .title = STR("Prices"), .body = STR("Ours"), .audience = STR("group"),
						.group_id = STR("friends") };
	const struct store_group friends = { .id = STR("friends"), .name = STR("Friends") };
	struct web_site *site = *state;
	struct client c = { .site = site };
	struct gh_err err;

	must(store_tx_begin(site->store, STR("test"), &err), &err);
	must(store_group_create(site->store, &friends, &err), &err);
	must(store_portal_page_set(site->store, &page, STR("test"), &err), &err);
	must(store_group_delete(site->store, friends.id, &err), &err);
	must(store_tx_commit(site->store, &err), &err);
	client_session(&c, "publisher");
	CHECK_INT("its form", client_send(&c, "GET", "/admin/pages/edit?id=prices", NULL), 200);
	CHECK("is for nobody", client_shows(&c, "<option value=\"nobody\" selected>"));
	CHECK_INT("deleted while the form was open", client_send(&c, "POST", "/admin/pages/edit", with_token(&c,
		  "action=save&is_new=yes&id=new&title=New&audience=group:friends")), 422);
	CHECK("the same", client_shows(&c, "<option value=\"nobody\" selected>"));
	CHECK_INT("no number", client_send(&c, "POST", "/admin/pages/edit", with_token(&c,
		  "action=save&is_new=yes&id=new&title=New&audience=nobody&position=first")), 422);
	CHECK("stays as it was typed", client_shows(&c, "value=\"first\""));
	client_end(&c);
	check_done();
}

/* Enter in a field presses the first button that belongs to its form: it must not throw the colours and all that was typed away. */
static void enter_saves_the_look(void **state)
{
	struct client c = { .site = *state };
	struct str page, at = STR("type=\"submit\"");
	size_t form, button;

	client_session(&c, "publisher");
	CHECK_INT("the page", client_send(&c, "GET", "/admin/look", NULL), 200);
	page = buf_view(&c.w.rs.body);
	form = str_find(page, STR("action=\"/admin/look\""));
	CHECK("its form", form != SIZE_MAX);
	page = str_from(page, form == SIZE_MAX ? page.n : form);
	do {
		button = str_find(page, at);
		page = str_from(page, button == SIZE_MAX ? page.n : button + at.n);
	} while (str_starts(page, STR(" form=")));       /* of another one */
	CHECK("saves", str_starts(page, STR(">Save the look<")));
	client_end(&c);
	check_done();
}

/* ---- failures ------------------------------------------------------------------------------------------------------ */

static GH_RC fails_inside(struct web *w UNUSED, struct gh_err *err)
{
	FAIL(err, INTERNAL, "the disk said: secret words");
}

static GH_RC fails_busy(struct web *w UNUSED, struct gh_err *err)
{
	FAIL(err, BUSY, "another writer");
}

static GH_RC unknown_template(struct web *w, struct gh_err *err)
{
	return web_page(w, "nothing-of-this-name", err);
}

static GH_RC incomplete_page(struct web *w, struct gh_err *err)
{
	return web_page(w, "products", err);     /* whose data is not there */
}

static void failures(void **state)
{
	static const struct web_route routes[] = {
		{ "GET", "/inside", WEB_ANYBODY, fails_inside },
		{ "GET", "/busy", WEB_ANYBODY, fails_busy },
		{ "GET", "/template", WEB_ANYBODY, unknown_template },
		{ "GET", "/page", WEB_ANYBODY, incomplete_page },
		{ NULL, NULL, WEB_ANYBODY, NULL },
	};
	static const struct {
		const char *uri;
		int status;
		const char *shows;
	} rows[] = {
		{ "/admin/inside", 500, "Something went wrong on our side" },
		{ "/admin/busy", 503, "Not available right now" },
		{ "/admin/template", 500, "Something went wrong on our side" },
		{ "/admin/page", 500, "Something went wrong on our side" },
	};
	struct web_site *site = *state;
	const struct web_app *whole = site->app;
	struct web_app app = *whole;
	struct client c = { .site = site };

	app.routes = routes;
	site->app = &app;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(rows[i].uri, client_send(&c, "GET", rows[i].uri, NULL), rows[i].status);
		CHECK(rows[i].uri, client_shows(&c, rows[i].shows));
		CHECK(rows[i].uri, client_shows(&c, c.w.rq.id.p));
		CHECK(rows[i].uri, !client_shows(&c, "secret words"));
		CHECK(rows[i].uri, client_shows(&c, "</html>"));
	}
	client_end(&c);
	site->app = whole;
	check_done();
}

static char directory[64], share[PATHS_MAX];

/* What a form may, the management API may, and nothing else: a right that one of the two lacks is a way around the other. */
static void one_right_for_forms_and_calls(void **state UNUSED)
{
	for (const struct web_route *r = admin_app.routes; r->method; r++) {
		struct str path = str_of(r->pattern + 1);
		bool form = str_starts(path, STR("edit/"));
		const struct resource_kind *k = resource_kind_find(form ? str_from(path, 5) : path);
		bool write = strcmp(r->method, "POST") == 0;

		for (size_t i = 0; k && form && i < ARRAY_LEN(callers); i++)
			if (callers[i] && web_role_may(str_of(callers[i]), r->right) != web_role_may(str_of(callers[i]), admin_right_of(k, write))) {
				fprintf(stderr, "# %s %s as %s\n", r->method, r->pattern, callers[i]);
				CHECK("the same for forms and calls", false);
			}
	}
	check_done();
}

/* A pool with more members than a form offers room for keeps them all. */
static void a_long_list_stays_whole(void **state)
{
	enum { MEMBERS = 55 };
	static char form[64000];
	struct client c = { .site = *state };
	struct store *s = c.site->store;
	struct arena *a = arena_new(1 << 22);
	const struct resource_kind *k = resource_kind_find(STR("backend"));
	struct resource_change *change;
	json_t *members = json_array(), *doc;
	struct gh_err err;
	size_t n;

	must(resource_begin(s, a, STR("test"), &change, &err), &err);
	for (int i = 0; i < MEMBERS; i++) {
		doc = json_pack("{s:o, s:s}", "id", json_sprintf("m%02d", i), "url", "http://b.example/");
		json_array_append_new(members, json_pack("{s:O}", "backend", json_object_get(doc, "id")));
		must(resource_write(change, k, STR_NULL, doc, RESOURCE_CREATE, NULL, &err), &err);
		json_decref(doc);
	}
	doc = json_pack("{s:s, s:o}", "id", "long-pool", "members", members);
	must(resource_write(change, k, STR_NULL, doc, RESOURCE_CREATE, NULL, &err), &err);
	json_decref(doc);
	must(resource_end(change, GH_RC_OK, false, &err), &err);
	must(resource_read(s, a, k, STR("long-pool"), &doc, &err), &err);
	client_session(&c, "administrator");
	CHECK_INT("its form", client_send(&c, "GET", "/admin/edit/backends?id=long-pool", NULL), 200);
	n = (size_t)snprintf(form, sizeof(form), "csrf=%s&action=save&id=long-pool&/name=Long&/verifyTls=1&/verifyName=1&/balance=round-robin&mark=%%22%.32s%%22",
			     client_token(&c), resource_etag(a, doc).p + 1);
	for (int i = 0; i < MEMBERS; i++)
		n += (size_t)snprintf(form + n, sizeof(form) - n, "&/members/%d/backend=m%02d&/members/%d/weight=1&/members/%d/priority=1", i, i, i, i);
	CHECK_INT("saved", client_send(&c, "POST", "/admin/edit/backends", form), 303);
	must(resource_read(s, a, k, STR("long-pool"), &doc, &err), &err);
	CHECK_STR("its name", jsn_str(doc, "name"), STR("Long"));
	CHECK_INT("its members", json_array_size(jsn_arr(doc, "members")), MEMBERS);
	client_end(&c);
	arena_free(a);
	check_done();
}

static int up(void **state)
{
	static struct web_site site;

	fixture_make(directory);
	site_up(&site, &admin_app, directory, share);
	*state = &site;
	return 0;
}

static int down(void **state)
{
	site_down(*state);
	fixture_drop(directory);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(matching), cmocka_unit_test(each_route_as_each_role),
					    cmocka_unit_test(policies_by_right), cmocka_unit_test(odd_requests), cmocka_unit_test(failures),
					    cmocka_unit_test(a_page_whose_group_is_gone), cmocka_unit_test(enter_saves_the_look),
					    cmocka_unit_test(one_right_for_forms_and_calls), cmocka_unit_test(a_long_list_stays_whole) };

	return cmocka_run_group_tests(tests, up, down);
}
