/* One person's page, and one deed for many: what is shown to whom, what changes, what is passed over, and that it is all or nothing. */
#include "tests/unit/check.h"

#include "config/resource.h"
#include "db/accounts.h"
#include "db/audit.h"
#include "portal/admin/admin.h"
#include "tests/unit/portal/client.h"

static char directory[64], share[PATHS_MAX];

static int64_t state_of(struct web_site *site, struct arena *a, const char *id)
{
	struct store_subscription sub;
	struct gh_err err;
	bool found;

	must(store_subscription_find(site->store, a, str_of(id), &sub, &found, &err), &err);
	return found ? sub.state : -1;
}

static int64_t account_of(struct web_site *site, struct arena *a, const char *id)
{
	struct store_user u;
	struct gh_err err;
	bool found;

	must(store_user_find(site->store, a, str_of(id), &u, &found, &err), &err);
	return found ? u.state : -1;
}

static size_t entries(struct web_site *site, struct arena *a)
{
	const struct store_audit_filter all = { .limit = 10000 };
	struct store_audit_entry *v;
	struct gh_err err;
	size_t n;

	must(store_audit_find(site->store, a, &all, &v, &n, &err), &err);
	return n;
}

static int post(struct client *c, const char *uri, const char *page, const char *form)
{
	static char body[800];

	client_send(c, "GET", page, NULL);
	snprintf(body, sizeof(body), "csrf=%s%s", client_token(c), form);
	return client_send(c, "POST", uri, body);
}

static void many_subscriptions(void **state)
{
	struct client c = { .site = *state };
	struct arena *a = arena_new(4 << 20);
	struct store *s = c.site->store;
	struct gh_err err;
	size_t before;

	must(store_tx_begin(s, STR("test"), &err), &err);
	for (int i = 0; i < 3; i++) {
		const struct store_subscription sub = { .id = arena_printf(a, "b%d", i), .name = STR("Many"), .scope = STORE_SCOPE_PRODUCT,
							.product_id = STR("starter"), .state = i == 2 ? STORE_SUB_ACTIVE : STORE_SUB_SUBMITTED };

		must(store_subscription_create(s, a, &sub, NULL, NULL, NULL, &err), &err);
	}
	must(store_tx_commit(s, &err), &err);
	client_session(&c, "administrator");
	client_send(&c, "GET", "/admin/subscriptions?q=Many", NULL);
	CHECK("boxes", client_shows(&c, "form=\"bulk\" name=\"pick\" value=\"b0\"") && client_shows(&c, "value=\"suspend\">Suspend"));
	before = entries(c.site, a);
	CHECK_INT("approve", post(&c, "/admin/subscriptions/bulk", "/admin/subscriptions", "&action=approve&pick=b0&pick=b1&pick=b2&pick=gone"), 200);
	CHECK("what became of them", client_shows(&c, "2 of 4 approved.") && client_shows(&c, "note-good") && client_shows(&c, "It is active.") && client_shows(&c, "no such subscription"));
	CHECK_INT("first", state_of(c.site, a, "b0"), STORE_SUB_ACTIVE);
	CHECK_INT("second", state_of(c.site, a, "b1"), STORE_SUB_ACTIVE);
	CHECK_INT("an entry each", entries(c.site, a) - before, 2);
	CHECK_INT("nothing ticked", post(&c, "/admin/subscriptions/bulk", "/admin/subscriptions", "&action=suspend"), 303);
	CHECK_INT("no such deed", post(&c, "/admin/subscriptions/bulk", "/admin/subscriptions", "&action=explode&pick=b0"), 404);
	client_session(&c, "auditor");
	CHECK_INT("not everybody", post(&c, "/admin/subscriptions/bulk", "/admin/", "&action=suspend&pick=b0"), 403);
	CHECK_INT("stays", state_of(c.site, a, "b0"), STORE_SUB_ACTIVE);
	client_end(&c);
	arena_free(a);
	check_done();
}

static void many_people(void **state)
{
	struct client c = { .site = *state };
	struct arena *a = arena_new(4 << 20);

	client_session(&c, "administrator");
	CHECK_INT("suspend", post(&c, "/admin/users/bulk", "/admin/users", "&action=suspend&pick=developer&pick=administrator"), 200);
	CHECK("one's own is passed over", client_shows(&c, "1 of 2 suspended.") && client_shows(&c, "This is your own account."));
	CHECK_INT("suspended", account_of(c.site, a, "developer"), STORE_USER_BLOCKED);
	CHECK_INT("again", post(&c, "/admin/users/bulk", "/admin/users", "&action=suspend&pick=developer"), 200);
	CHECK("says why", client_shows(&c, "The account is suspended."));
	CHECK_INT("restore", post(&c, "/admin/users/bulk", "/admin/users", "&action=restore&pick=developer"), 200);
	CHECK_INT("active", account_of(c.site, a, "developer"), STORE_USER_ACTIVE);
	client_end(&c);
	arena_free(a);
	check_done();
}

/* An application is suspended by its subscriptions, and a person by the page. */
static void a_person(void **state)
{
	const struct resource_kind *apps = resource_kind_find(STR("application")), *subs = resource_kind_find(STR("subscription"));
	struct client c = { .site = *state };
	struct arena *a = arena_new(4 << 20);
	struct resource_change *change;
	struct gh_err err;
	json_t *doc;

	must(resource_begin(c.site->store, a, STR("test"), &change, &err), &err);
	doc = jsn_keep(a, json_pack("{s:s, s:s, s:[s]}", "id", "till", "name", "Till", "owners", "developer"));
	must(resource_write(change, apps, STR_NULL, doc, RESOURCE_CREATE, NULL, &err), &err);
	doc = jsn_keep(a, json_pack("{s:s, s:s, s:s}", "id", "till-1", "product", "starter", "application", "till"));
	must(resource_write(change, subs, STR_NULL, doc, RESOURCE_CREATE, NULL, &err), &err);
	doc = jsn_keep(a, json_pack("{s:s, s:s, s:s, s:s}", "id", "own-1", "product", "starter", "user", "developer", "name", "<Own>"));
	must(resource_write(change, subs, STR_NULL, doc, RESOURCE_CREATE, NULL, &err), &err);
	must(resource_end(change, GH_RC_OK, false, &err), &err);
	client_session(&c, "developer");
	client_session(&c, "administrator");
	CHECK_INT("the page", client_send(&c, "GET", "/admin/users/developer", NULL), 200);
	CHECK("what is his", client_shows(&c, "&lt;Own&gt;") && client_shows(&c, "edit/subscriptions?id=till-1") && client_shows(&c, ">Till</a>"));
	CHECK("where he is signed in", client_shows(&c, "Sign out everywhere"));
	CHECK("the trail", client_shows(&c, "trail-title") && client_shows(&c, "<code>developer</code>"));
	CHECK_INT("nobody", client_send(&c, "GET", "/admin/users/nobody", NULL), 404);
	CHECK_INT("all of an application", post(&c, "/admin/applications/bulk", "/admin/applications", "&action=suspend&pick=till"), 200);
	CHECK_INT("its key", state_of(c.site, a, "till-1"), STORE_SUB_SUSPENDED);
	CHECK_INT("not his own", state_of(c.site, a, "own-1"), STORE_SUB_ACTIVE);
	post(&c, "/admin/applications/bulk", "/admin/applications", "&action=suspend&pick=till");
	CHECK("none left", client_shows(&c, "0 of 1 suspended.") && client_shows(&c, "no active subscription") && client_shows(&c, "note-warn"));
	CHECK_INT("groups", post(&c, "/admin/users/developer/groups", "/admin/users/developer", "&group=administrators"), 303);
	must(resource_read(c.site->store, a, resource_kind_find(STR("user")), STR("developer"), &doc, &err), &err);
	CHECK_STR("in one", jsn_text(a, jsn_get(doc, "groups"), 0), STR("[\"administrators\"]"));
	CHECK_INT("to nobody", post(&c, "/admin/users/developer/move", "/admin/users/developer", "&to=nobody@example.com"), 303);
	client_send(&c, "GET", "/admin/users/developer", NULL);
	CHECK("is told", client_shows(&c, "Name the address of another account."));
	must(resource_read(c.site->store, a, resource_kind_find(STR("user")), STR("auditor"), &doc, &err), &err);
	CHECK_INT("to another", post(&c, "/admin/users/developer/move", "/admin/users/developer", arena_printf(a, "&to=%.*s", STR_ARG(jsn_str(doc, "email"))).p), 303);
	must(resource_read(c.site->store, a, apps, STR("till"), &doc, &err), &err);
	CHECK_STR("the team", jsn_text(a, jsn_get(doc, "owners"), 0), STR("[\"auditor\"]"));
	must(resource_read(c.site->store, a, subs, STR("own-1"), &doc, &err), &err);
	CHECK_STR("his own", jsn_str(doc, "user"), STR("auditor"));
	CHECK_INT("suspend", post(&c, "/admin/users/developer/suspend", "/admin/users/developer", ""), 303);
	CHECK_INT("suspended", account_of(c.site, a, "developer"), STORE_USER_BLOCKED);
	client_send(&c, "GET", "/admin/users/developer", NULL);
	CHECK("signed out", client_shows(&c, "Nowhere.") && client_shows(&c, "/restore"));
	CHECK_INT("no such deed", post(&c, "/admin/users/developer/explode", "/admin/users/developer", ""), 404);
	client_session(&c, "publisher");
	CHECK_INT("as a publisher", client_send(&c, "GET", "/admin/users/developer", NULL), 200);
	CHECK("no deeds, no trail", !client_shows(&c, "/restore") && !client_shows(&c, "trail-title") && !client_shows(&c, "Save groups"));
	client_end(&c);
	arena_free(a);
	check_done();
}

/* For somebody who has lost phone and recovery codes: offered to those who may, where there is one, and not for one's own account. */
static void second_factor(void **state)
{
	static const char *const people[] = { "developer", "administrator" };
	struct client c = { .site = *state };
	struct arena *a = arena_new(4 << 20);
	struct store *s = c.site->store;
	struct store_factor f;
	struct gh_err err;
	bool found;

	client_session(&c, "administrator");
	client_send(&c, "GET", "/admin/users/developer", NULL);
	CHECK("none to reset", !client_shows(&c, "reset-second-factor"));
	must(store_tx_begin(s, STR("test"), &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(people); i++)
		must(store_factor_set(s, a, &(struct store_factor){ .user_id = str_of(people[i]), .secret = STR("12345678901234567890"), .confirmed_us = 1 }, &err), &err);
	must(store_tx_commit(s, &err), &err);
	client_session(&c, "publisher");
	client_send(&c, "GET", "/admin/users/developer", NULL);
	CHECK("who may not", !client_shows(&c, "reset-second-factor"));
	client_session(&c, "administrator");
	client_send(&c, "GET", "/admin/users/administrator", NULL);
	CHECK("one's own", !client_shows(&c, "reset-second-factor"));
	CHECK_INT("sent all the same", post(&c, "/admin/users/administrator/reset-second-factor", "/admin/users/administrator", ""), 303);
	must(store_factor_find(s, a, STR("administrator"), &f, &found, &err), &err);
	CHECK("stays", found);
	client_send(&c, "GET", "/admin/users/developer", NULL);
	CHECK("offered", client_shows(&c, "/admin/users/developer/reset-second-factor\"") && client_shows(&c, ">Reset second factor</button>"));
	CHECK_INT("reset", post(&c, "/admin/users/developer/reset-second-factor", "/admin/users/developer", ""), 303);
	must(store_factor_find(s, a, STR("developer"), &f, &found, &err), &err);
	CHECK("is gone", !found);
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
	const struct CMUnitTest tests[] = { cmocka_unit_test(many_subscriptions), cmocka_unit_test(many_people), cmocka_unit_test(a_person), cmocka_unit_test(second_factor) };

	return cmocka_run_group_tests(tests, up, down);
}
