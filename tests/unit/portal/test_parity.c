/* Whatever an administrator does with the mouse a program does by the management API: each page of the dashboard, and each form, names
 * the operation that does the same. A new page without one is red here. */
#include "tests/unit/check.h"

#include "core/str.h"
#include "portal/admin/admin.h"
#include "portal/admin/rest.h"

/* The list of a kind, the form of one, what the form does. */
#define SHOW(p) { "GET", "/edit/" p, "GET /" p "/{id}", NULL }
#define CHANGE(p) { "POST", "/edit/" p, "POST /" p ", PUT /" p "/{id}, PATCH /" p "/{id}, DELETE /" p "/{id}", NULL }
#define LIST(p) { "GET", "/" p, "GET /" p, NULL }
#define FORM(p) SHOW(p), CHANGE(p)
#define KIND(p) LIST(p), FORM(p)
#define SIGN_IN "a person proves who he is; programs have tokens"
#define OWN "sees to the account of whoever is signed in, as the portal's own API does; a token has none"
#define OTHER "is itself for programs, with a token of its own"

/* Of each route: the operations, or why there is none. */
static const struct {
	const char *method, *pattern, *operations, *why;
} rows[] = {
	{ "GET", "/", "GET /apis", NULL },
	LIST("apis"),
	{ "GET", "/apis/{api}", "GET /apis/{id}, GET /operations, GET /products, GET /policies", NULL },
	{ "POST", "/environment", NULL, "keeps the browser's lists to one environment; the lists of the API take ?environment=" },
	{ "GET", "/start", NULL, "leads to other pages: what is done is told by GET /apis, /products and /subscriptions" },
	{ "GET", "/new-api", "POST /imports", NULL },
	{ "POST", "/new-api", "POST /imports, POST /apis", NULL },
	{ "GET", "/apis/{api}/revisions", "GET /revisions", NULL },
	{ "POST", "/apis/{api}/revisions/{revision}/{action}", "POST /revisions, POST /apis/{api}/current-revision, DELETE /revisions/{id}", NULL },
	{ "GET", "/apis/{api}/promote", "POST /promote", NULL },
	{ "POST", "/apis/{api}/promote", "POST /promote", NULL },
	{ "GET", "/apis/{api}/export", "GET /apis/{api}/archive, GET /export", NULL },
	{ "POST", "/import-api", "POST /imports", NULL },
	{ "POST", "/apis/{api}/life", "PATCH /apis/{id}", NULL },
	LIST("products"),
	{ "GET", "/api-groups", "GET /products", NULL },
	{ "GET", "/subscriptions", "GET /subscriptions, GET /subscriptions/{subscription}/request", NULL },
	LIST("policies"),
	{ "GET", "/policies/edit", "GET /policies/{id}, GET /policy-snippets, GET /policy-versions/{version}", NULL },
	{ "POST", "/policies/edit", "PUT /policies/{id}, DELETE /policies/{id}, POST /policy-checks, POST /policy-versions/{version}/restore", NULL },
	{ "POST", "/policies/check", "POST /policy-checks", NULL },
	{ "POST", "/policies/form", "PUT /policies/{id}, POST /policy-checks", NULL },    /* it writes an element into the text */
	{ "POST", "/policies/try", "POST /policy-trials", NULL },
	{ "GET", "/policies/history", "GET /policy-versions", NULL },
	{ "GET", "/policies/effective", "GET /effective-policies", NULL },
	{ "GET", "/policies/catalogue.json", "GET /policy-catalogue", NULL },
	FORM("apis"), KIND("revisions"), KIND("operations"), KIND("version-sets"), FORM("api-descriptions"), FORM("products"), KIND("tiers"),
	FORM("subscriptions"), KIND("users"),
	{ "GET", "/users/{id}", "GET /people/{user}", NULL },
	{ "POST", "/users/bulk", "POST /bulk/users", NULL },
	{ "POST", "/users/{id}/{action}", "POST /people/{user}/{action}", NULL },
	{ "POST", "/applications/bulk", "POST /bulk/applications", NULL },
	{ "POST", "/subscriptions/bulk", "POST /bulk/subscriptions", NULL },
	KIND("groups"), KIND("applications"), KIND("backends"), KIND("named-values"), KIND("policy-fragments"), KIND("environments"),
	KIND("business-groups"), KIND("consumer-rules"), KIND("callers"), KIND("sign-ins"), KIND("identity-providers"), KIND("scim-tokens"),
	KIND("machine-tokens"), LIST("terms-of-use"), SHOW("terms-of-use"),
	{ "POST", "/edit/terms-of-use", "PUT /terms-of-use/{id}, PATCH /terms-of-use/{id}", NULL },
	KIND("signing-keys"), KIND("cache-rules"), KIND("roles"), KIND("role-assignments"), KIND("alert-rules"), KIND("alert-webhooks"),
	KIND("alert-silences"), KIND("certificates"), KIND("loggers"), KIND("schemas"), KIND("access-rules"), KIND("network-rules"),
	KIND("traffic-rules"), FORM("credentials"),
	{ "GET", "/governance", "GET /governance", NULL },
	{ "GET", "/apis/{api}/governance", "GET /governance", NULL },
	KIND("governance-rulesets"), KIND("governance-exceptions"),
	{ "GET", "/audit", "GET /audit, GET /audit/chain", NULL },
	{ "GET", "/audit/export", "GET /audit/export", NULL },
	LIST("pages"),
	{ "GET", "/pages/edit", "GET /pages/{id}", NULL },
	{ "POST", "/pages/edit", "POST /pages, PUT /pages/{id}, PATCH /pages/{id}, DELETE /pages/{id}", NULL },
	{ "GET", "/credentials", "GET /credential-states", NULL },
	{ "GET", "/credentials/callback", NULL, "the provider leads the browser back here behind its consent" },
	{ "GET", "/credentials/{environment}/{id}/connect", "GET /credentials/{environment}/{credential}/consent", NULL },
	{ "POST", "/credentials/{environment}/{id}/forget", "POST /credentials/{environment}/{credential}/forget", NULL },
	{ "POST", "/credentials/{environment}/{id}/rotate", "POST /credentials/{environment}/{credential}/rotate", NULL },
	{ "POST", "/credentials/{environment}/{id}/remind", "POST /credentials/{environment}/{credential}/remind", NULL },
	{ "POST", "/subscriptions/{id}/{action}", "PATCH /subscriptions/{id}, POST /subscriptions/{subscription}/request, POST /subscriptions/{subscription}/keys", NULL },
	{ "GET", "/look", "GET /looks/{id}", NULL },
	{ "POST", "/look", "PUT /looks/{id}, PATCH /looks/{id}", NULL },
	{ "POST", "/look/reset", "PATCH /looks/{id}", NULL },             /* {"colours": null} */
	{ "GET", "/analytics", "GET /analytics", NULL },
	{ "GET", "/analytics/{report}", "GET /analytics/traffic, GET /analytics/calls, GET /analytics/latency, GET /analytics/exceeders, "
	  "GET /analytics/failures, GET /analytics/deprecated", NULL },
	LIST("calls"),
	{ "GET", "/calls/{row}", "GET /calls/{call}", NULL },
	{ "GET", "/captures", "GET /captures", NULL },
	{ "POST", "/captures", "POST /captures", NULL },
	{ "GET", "/captures/calls/{id}", "GET /captured-calls/{call}", NULL },
	{ "GET", "/captures/{id}", "GET /captures/{capture}", NULL },
	{ "POST", "/captures/{id}/stop", "POST /captures/{capture}/stop", NULL },
	{ "GET", "/kept-answers", "GET /cache", NULL },
	{ "POST", "/kept-answers/purge", "POST /cache/purge", NULL },
	{ "GET", "/live", "GET /live", NULL },
	{ "GET", "/live/events", "GET /live/events", NULL },
	{ "GET", "/alert-history", "GET /alert-events", NULL },
	{ "GET", "/alert-messages", "GET /alert-deliveries", NULL },
	{ "POST", "/alert-messages/{id}/again", "POST /alert-deliveries/{delivery}/again", NULL },
	{ "GET", "/mails", "GET /mails", NULL },
	{ "POST", "/mails/{id}/again", "POST /mails/{mail}/again", NULL },
	{ "GET", "/alerts", "GET /alerts, GET /alert-events, GET /alert-silences, GET /alert-rules", NULL },
	{ "GET", "/alerts/{rule}", "GET /alerts/{rule}, GET /alert-events, GET /alert-silences", NULL },
	{ "GET", "/alert-rule", "POST /alert-rules", NULL },
	{ "POST", "/alert-rule", "POST /alert-rules, PUT /alert-rules/{id}, PATCH /alert-rules/{id}, DELETE /alert-rules/{id}", NULL },
	{ "POST", "/alert-silence", "POST /alert-silences", NULL },
	{ "GET", "/metrics", NULL, OTHER },
	{ "GET", "/sign-in", NULL, SIGN_IN },
	{ "POST", "/sign-in", NULL, SIGN_IN },
	{ "GET", "/sign-in/code", NULL, SIGN_IN },
	{ "POST", "/sign-in/code", NULL, SIGN_IN },
	{ "GET", "/sign-in/passkey", NULL, SIGN_IN },
	{ "POST", "/sign-in/passkey", NULL, SIGN_IN },
	{ "GET", "/sign-in/code/passkey", NULL, SIGN_IN },
	{ "POST", "/sign-in/code/passkey", NULL, SIGN_IN },
	{ "GET", "/sign-in/with/{provider}", NULL, SIGN_IN },
	{ "GET", "/sign-in/callback", NULL, SIGN_IN },
	{ "POST", "/sign-out", NULL, SIGN_IN },
	{ "GET", "/account", NULL, OWN },
	{ "GET", "/account/second-factor", NULL, OWN },
	{ "POST", "/account/second-factor", NULL, OWN },
	{ "POST", "/account/second-factor/off", NULL, OWN },
	{ "POST", "/account/second-factor/codes", NULL, OWN },
	{ "GET", "/account/passkeys", NULL, OWN },
	{ "POST", "/account/passkeys", NULL, OWN },
	{ "POST", "/account/passkeys/start", NULL, OWN },
	{ "POST", "/account/passkeys/{id}/remove", NULL, OWN },
	{ "GET", "/api/v1/{rest*}", NULL, OTHER },
	{ "POST", "/api/v1/{rest*}", NULL, OTHER },
	{ "PUT", "/api/v1/{rest*}", NULL, OTHER },
	{ "PATCH", "/api/v1/{rest*}", NULL, OTHER },
	{ "DELETE", "/api/v1/{rest*}", NULL, OTHER },
	{ "GET", "/scim/v2/{rest*}", NULL, OTHER },
	{ "POST", "/scim/v2/{rest*}", NULL, OTHER },
	{ "PUT", "/scim/v2/{rest*}", NULL, OTHER },
	{ "PATCH", "/scim/v2/{rest*}", NULL, OTHER },
	{ "DELETE", "/scim/v2/{rest*}", NULL, OTHER },
};

/* "PUT /products/{id}" in the table of routes; the right that it takes. */
static bool served(struct str operation, enum web_right *right)
{
	struct str method = str_first(operation, str_find_char(operation, ' ')), path = str_from(operation, method.n + 1);

	for (const struct rest_route *r = rest_routes; r->method; r++) {
		if (!str_eq(method, str_of(r->method)))
			continue;
		*right = r->right;
		if (!rest_is_of_kind(r) && str_eq(path, str_of(r->pattern)))
			return true;
		for (size_t i = 0; rest_is_of_kind(r) && resource_kinds[i]; i++) {
			char whole[100];

			snprintf(whole, sizeof(whole), "/%s%s", resource_kinds[i]->plural, r->pattern + 7);
			*right = admin_right_of(resource_kinds[i], r->writes);
			if (rest_serves(r, resource_kinds[i]) && str_eq(path, str_of(whole)))
				return true;
		}
	}
	return false;
}

/* What a page needs to be opened, its first operation needs too: whoever works with the mouse may work with a program. */
static void check_row(size_t i, enum web_right wanted)
{
	struct str rest = str_of(rows[i].operations), one;
	enum web_right right;
	char label[200];

	for (size_t nth = 0; str_split(&rest, ',', &one); nth++) {
		one = str_trim(one);
		snprintf(label, sizeof(label), "%s %s: %.*s", rows[i].method, rows[i].pattern, STR_ARG(one));
		CHECK(label, served(one, &right));
		if (!nth)
			CHECK_INT(label, right, wanted);
	}
}

static void every_page_has_an_operation(void **state UNUSED)
{
	size_t n = 0;

	for (const struct web_route *r = admin_app.routes; r->method; r++, n++) {
		size_t named = 0;

		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			if (strcmp(rows[i].method, r->method) != 0 || strcmp(rows[i].pattern, r->pattern) != 0)
				continue;
			named++;
			if (rows[i].operations)
				check_row(i, r->right);
			CHECK(r->pattern, !rows[i].operations == (rows[i].why != NULL));
		}
		CHECK_INT(r->pattern, named, 1);
	}
	CHECK_INT("as many rows as routes", n, ARRAY_LEN(rows));
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_page_has_an_operation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
