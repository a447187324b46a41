/* Nobody reaches above himself: whoever may manage people does nothing to accounts, roles and tokens that may more than he, and gives
 * nothing that he lacks; by page, by call and by files. Every deed on an account stands in the table, and every kind that gives rights. */
#include "tests/unit/portal/places.h"

#include "config/guard.h"
#include "db/accounts.h"
#include "portal/admin/person.h"

#define DENIED_SAM "the account sam@example.com has rights that you lack (change-apis, view-policies, view-subscriptions and 13 more in the " \
	"environment 'sandbox'); ask somebody who has them, such as an administrator"

static void must_write(struct resource_change *c, const char *const docs[][3], size_t n)
{
	for (size_t i = 0; i < n; i++)
		write_one(c, docs[i][0], docs[i][1], docs[i][2]);
}

static void write_all(void)
{
	static const char *const docs[][3] = {
		{ "role", "helpdesk", "{\"name\":\"H\",\"permissions\":[\"view-apis\",\"view-people\",\"manage-people\"]}" },
		{ "role", "desk-and-keys", "{\"name\":\"K\",\"permissions\":[\"view-apis\",\"view-people\",\"manage-people\",\"view-subscriptions\",\"manage-subscriptions\"]}" },
		{ "role", "small", "{\"name\":\"S\",\"permissions\":[\"view-apis\",\"view-people\"]}" },
		{ "role", "settler", "{\"name\":\"C\",\"permissions\":[\"view-apis\",\"view-settings\",\"change-settings\"]}" },
		{ "business-group", "back", "{\"name\":\"Back\"}" }, { "business-group", "front", "{\"name\":\"Front\",\"parent\":\"sales\"}" },
		{ "environment", "backyard", "{\"name\":\"Backyard\",\"pathPrefix\":\"backyard\",\"businessGroup\":\"back\"}" },
		{ "business-group", "owned", "{\"name\":\"Owned\"}" }, { "user", "zoe", "{\"email\":\"zoe@example.com\"}" },
		{ "role-assignment", "of-zoe", "{\"role\":\"owner\",\"user\":\"zoe\",\"businessGroup\":\"owned\"}" },
		{ "group", "readers", "{\"name\":\"Readers\"}" }, { "group", "plain", "{\"name\":\"Plain\"}" }, { "group", "strong", "{\"name\":\"Strong\"}" },
		{ "role-assignment", "of-readers", "{\"role\":\"small\",\"group\":\"readers\"}" },
		{ "role-assignment", "of-strong", "{\"role\":\"auditor\",\"group\":\"strong\"}" },
		{ "user", "hal", "{\"email\":\"hal@example.com\",\"role\":\"developer\"}" },
		{ "role-assignment", "of-hal", "{\"role\":\"helpdesk\",\"user\":\"hal\"}" },
		{ "user", "dev", "{\"email\":\"dev@example.com\",\"role\":\"developer\"}" },
		{ "user", "eve", "{\"email\":\"eve@example.com\",\"role\":\"developer\",\"groups\":[\"readers\"]}" },
		{ "user", "ola", "{\"email\":\"ola@example.com\",\"role\":\"administrator\"}" },
		{ "identity-provider", "corp", "{\"issuer\":\"https://login.example\",\"clientId\":\"gw\"}" },
		{ "scim-token", "directory", "{}" },
		{ "subscription", "of-dev", "{\"name\":\"x\",\"product\":\"live-product\",\"user\":\"dev\"}" },
	};
	struct store *s = world.site.store;
	struct resource_change *c;
	struct gh_err err;

	must(resource_begin(s, world.a, STR("test"), &c, &err), &err);
	must_write(c, docs, ARRAY_LEN(docs));
	for (size_t i = 0; i < 3; i++)
		must(store_factor_set(s, world.a, &(struct store_factor){ .user_id = str_of((const char *[]){ "dev", "sam", "hal" }[i]),
									   .secret = STR("12345678901234567890"), .confirmed_us = 1 }, &err), &err);
	must(resource_end(c, GH_RC_OK, false, &err), &err);
}

/* Of an account that may more, nothing; of one that may nothing, all. */
static void deeds(void **state UNUSED)
{
	static const struct {
		const char *deed, *body;
		int status;              /* to an account without rights */
	} rows[] = {
		{ "suspend", "{}", 200 }, { "restore", "{}", 409 }, { "approve", "{}", 409 }, { "reject", "{}", 409 }, { "groups", "{\"groups\":[\"plain\"]}", 200 },
		{ "move", "{\"to\":\"eve@example.com\"}", 403 }, { "sign-out", "{}", 200 }, { "reset-second-factor", "{}", 200 },
	};
	struct client c = { .site = &world.site }, page = { .site = &world.site };
	struct store_factor f;
	struct gh_err err;
	bool found;

	c.authorization = bearer("deeds", "helpdesk", "write");
	client_session(&page, "hal");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK(rows[i].deed, person_deed_known(str_of(rows[i].deed)));
		CHECK_INT(rows[i].deed, call(&c, "POST", arena_printf(world.a, "people/sam/%s", rows[i].deed).p, rows[i].body), 403);
		CHECK(rows[i].deed, client_shows(&c, DENIED_SAM));
		CHECK_INT(rows[i].deed, call(&c, "POST", arena_printf(world.a, "people/dev/%s?dry-run=true", rows[i].deed).p, rows[i].body), rows[i].status);
		client_send(&page, "GET", "/admin/users/dev", NULL);
		CHECK_INT(rows[i].deed, client_send(&page, "POST", arena_printf(world.a, "/admin/users/sam/%s", rows[i].deed).p,
						    arena_printf(world.a, "csrf=%s&to=eve@example.com", client_token(&page)).p), 303);
		client_send(&page, "GET", "/admin/users/sam", NULL);
		CHECK(rows[i].deed, client_shows(&page, "has rights that you lack (change-apis"));
	}
	CHECK("nothing is offered", client_shows(&page, "Only somebody who has them too") && !client_shows(&page, "/users/sam/suspend") && !client_shows(&page, "/users/sam/reset")
	      && !client_shows(&page, "Save groups") && !client_shows(&page, "Sign out everywhere"));
	must(store_factor_find(world.site.store, world.a, STR("sam"), &f, &found, &err), &err);
	CHECK("protected", found);
	CHECK_INT("many at once", call(&c, "POST", "bulk/users", "{\"action\":\"suspend\",\"ids\":[\"dev\",\"ola\"]}"), 403);
	CHECK("and who it was", client_shows(&c, "the account ola@example.com has rights that you lack"));
	client_send(&page, "GET", "/admin/users/dev", NULL);
	CHECK("of others it is offered", client_shows(&page, "/users/dev/suspend") && client_shows(&page, "/users/dev/reset-second-factor"));
	CHECK("without keys", !client_shows(&page, "Move everything"));
	CHECK_INT("by the page of many", client_send(&page, "POST", "/admin/users/bulk", arena_printf(world.a, "csrf=%s&action=suspend&pick=dev&pick=ola", client_token(&page)).p), 422);
	CHECK("says who", client_shows(&page, "the account ola@example.com has rights that you lack"));
	client_end(&c);
	client_end(&page);
	check_done();
}

/* Each write of a kind that gives rights, by a role that may manage people and little else. */
static const struct write {
	const char *label, *method, *uri, *body;
	int status;
	const char *says;
} writes[] = {
	{ "an account without rights", "POST", "users", "{\"id\":\"n1\",\"email\":\"n1@example.com\"}", 201, "" },
	{ "one with more than one has", "POST", "users", "{\"id\":\"n2\",\"email\":\"n2@example.com\",\"role\":\"administrator\"}", 403, "the account n2@example.com has rights" },
	{ "the address of an administrator", "PATCH", "users/ola", "{\"email\":\"mine@example.com\"}", 403, "the account ola@example.com has rights that you lack (change-apis, "
	  "view-policies, view-subscriptions and 13 more)" },
	{ "his name", "PATCH", "users/ola", "{\"firstName\":\"O\"}", 403, "ola@example.com" },
	{ "his role", "PATCH", "users/ola", "{\"role\":\"developer\"}", 403, "ola@example.com" },
	{ "his state", "PATCH", "users/ola", "{\"state\":\"blocked\"}", 403, "ola@example.com" },
	{ "him", "DELETE", "users/ola", NULL, 403, "ola@example.com" },
	{ "one who has rights by a group in a place", "PATCH", "users/tess", "{\"note\":\"x\"}", 403, "(change-apis in the business group 'sales'; change-apis in the business group 'front'; and more in 1 other place)" },
	{ "one who has less by a group", "PATCH", "users/eve", "{\"note\":\"x\"}", 200, "" },
	{ "into a group that gives more", "PATCH", "users/dev", "{\"groups\":[\"strong\"]}", 403, "the account dev@example.com has rights that you lack" },
	{ "into one that gives less", "PATCH", "users/dev", "{\"groups\":[\"readers\"]}", 200, "" },
	{ "a role with more", "POST", "roles", "{\"id\":\"r1\",\"name\":\"R\",\"permissions\":[\"view-apis\",\"view-audit\"]}", 403, "the role gives rights that you lack (view-audit)" },
	{ "a role with less", "POST", "roles", "{\"id\":\"r2\",\"name\":\"R\",\"permissions\":[\"view-apis\"]}", 201, "" },
	{ "more into one's own role", "PATCH", "roles/helpdesk", "{\"permissions\":[\"view-apis\",\"manage-people\",\"change-settings\"]}", 403, "(change-settings)" },
	{ "out of a role with more", "PATCH", "roles/tester", "{\"permissions\":[\"view-apis\"]}", 403, "(change-apis)" },
	{ "one with more", "DELETE", "roles/desk-and-keys", NULL, 403, "(view-subscriptions, manage-subscriptions)" },
	{ "an assignment of more", "POST", "role-assignments", "{\"id\":\"a1\",\"role\":\"owner\",\"user\":\"dev\",\"environment\":\"sandbox\"}", 403, "the assignment gives rights" },
	{ "of less", "POST", "role-assignments", "{\"id\":\"a2\",\"role\":\"small\",\"user\":\"dev\",\"environment\":\"sandbox\"}", 201, "" },
	{ "of less to somebody with more", "POST", "role-assignments", "{\"id\":\"a3\",\"role\":\"small\",\"user\":\"ola\"}", 403, "the account ola@example.com has" },
	{ "one of more", "DELETE", "role-assignments/1", NULL, 403, "the assignment gives rights" },
	{ "one of more to somebody else", "PATCH", "role-assignments/1", "{\"user\":\"dev\"}", 403, "the assignment gives rights" },
	{ "a token with more", "POST", "machine-tokens", "{\"id\":\"t1\",\"role\":\"owner\",\"environment\":\"sandbox\",\"scopes\":[\"write\"]}", 403, "the token has rights" },
	{ "a token with less", "POST", "machine-tokens", "{\"id\":\"t2\",\"role\":\"small\",\"scopes\":[\"write\"]}", 201, "" },
	{ "somebody's token with more", "DELETE", "machine-tokens/pipeline", NULL, 403, "the token has rights" },
	{ "made shorter", "PATCH", "machine-tokens/pipeline", "{\"ends\":\"2031-01-01T00:00:00Z\"}", 403, "the token has rights" },
	{ "a group that gives more", "DELETE", "groups/strong", NULL, 403, "the group gives its members rights" },
	{ "its name", "PATCH", "groups/strong", "{\"name\":\"S\"}", 200, "" },
	{ "a group that gives nothing", "DELETE", "groups/plain", NULL, 204, "" },
	{ "an identity provider", "POST", "identity-providers", "{\"id\":\"own\",\"issuer\":\"https://mine.example\",\"clientId\":\"x\",\"dashboard\":true}", 403, "signs in as anybody" },
	{ "another address of one", "PATCH", "identity-providers/corp", "{\"issuer\":\"https://mine.example\"}", 403, "signs in as anybody" },
	{ "one less", "DELETE", "identity-providers/corp", NULL, 403, "signs in as anybody" },
	{ "a token for provisioning", "POST", "scim-tokens", "{\"id\":\"own\"}", 403, "blocks anybody" },
	{ "one less of these", "DELETE", "scim-tokens/directory", NULL, 403, "blocks anybody" },
	{ "files", "POST", "apply", "{\"files\":[{\"path\":\"x.yaml\",\"text\":\"$kind: user\\nid: ola\\nemail: mine@example.com\\nrole: administrator\\n\"}]}", 403, "" },
};

static int do_write(struct client *c, const struct write *x)
{
	bool there = strcmp(x->method, "DELETE") == 0;

	c->match = there ? "*" : NULL;
	return call(c, x->method, x->uri, x->body);
}

static void kinds(void **state UNUSED)
{
	struct client c = { .site = &world.site };

	c.authorization = bearer("kinds", "helpdesk", "write");
	for (size_t i = 0; i < ARRAY_LEN(writes); i++) {
		CHECK_INT(writes[i].label, do_write(&c, &writes[i]), writes[i].status);
		CHECK(writes[i].label, client_shows(&c, writes[i].says));
	}
	c.authorization = bearer("kinds-owner", "owner", "write");
	for (size_t i = 0; i < ARRAY_LEN(writes); i++)
		if (writes[i].status == 403 && strcmp(writes[i].uri, "apply") != 0)
			CHECK(writes[i].label, do_write(&c, &(struct write){ .method = writes[i].method, .uri = arena_printf(world.a, "%s?dry-run=true", writes[i].uri).p,
									     .body = writes[i].body }) != 403);
	client_end(&c);
	check_done();
}

/* The form says so too, and keeps what was typed. */
static void form(void **state UNUSED)
{
	struct client c = { .site = &world.site };
	struct str mark;

	client_session(&c, "hal");
	CHECK_INT("the form", client_send(&c, "GET", "/admin/edit/users?id=ola", NULL), 200);
	mark = buf_view(&c.w.rs.body);
	mark = str_from(mark, str_find(mark, STR("name=\"mark\" value=\"")) + 19);
	mark = arena_dup(world.a, str_first(mark, str_find(mark, STR("\">"))));
	CHECK_INT("sent", client_send(&c, "POST", "/admin/edit/users", arena_printf(world.a, "csrf=%s&action=save&id=ola&mark=%%22%.*s%%22&%%2Femail=mine@example.com&%%2Frole=administrator&%%2Fstate=active",
		  client_token(&c), STR_ARG(str_first(str_from(mark, 6), mark.n - 12))).p), 403);
	CHECK("why", client_shows(&c, "the account ola@example.com has rights that you lack") && client_shows(&c, "mine@example.com"));
	client_end(&c);
	check_done();
}

/* Keys are given away by who may give keys. */
static void moving(void **state UNUSED)
{
	static const struct {
		const char *label, *role, *scopes;
		int status;
		const char *says;
	} rows[] = {
		{ "people alone", "helpdesk", "write", 403, "Moving subscriptions takes the right manage-subscriptions where they belong, which you lack for 1 of 1" },
		{ "a token that may not write subscriptions", "desk-and-keys", "write:users write:applications", 403, "The token may not write" },
		{ "both", "desk-and-keys", "write", 200, "1 moved." },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct client c = { .site = &world.site };

		c.authorization = bearer(arena_printf(world.a, "moving-%zu", i).p, rows[i].role, rows[i].scopes);
		CHECK_INT(rows[i].label, call(&c, "POST", "people/dev/move", "{\"to\":\"eve@example.com\"}"), rows[i].status);
		CHECK(rows[i].label, client_shows(&c, rows[i].says));
		client_end(&c);
	}
	check_done();
}

/* Who has a role in a business group gets it in what becomes a part of that: whoever may change settings gives no more than he has. */
static void joining(void **state UNUSED)
{
	static const struct write rows[] = {
		{ "an environment into a group with roles", "PATCH", "environments/backyard?dry-run=true", "{\"businessGroup\":\"sales\"}", 403, "it becomes a part of a business group "
		  "where roles give rights that you lack (change-apis, view-policies, view-subscriptions and 7 more in the environment 'backyard'); ask somebody" },
		{ "by way of a part of it", "PATCH", "environments/backyard?dry-run=true", "{\"businessGroup\":\"front\"}", 403, "in the environment 'backyard'" },
		{ "a group into one with roles", "PATCH", "business-groups/back?dry-run=true", "{\"parent\":\"sales\"}", 403, "in the business group 'back'; change-apis" },
		{ "out of it", "PATCH", "environments/sandbox?dry-run=true", "{\"businessGroup\":\"back\"}", 200, "" },
		{ "into one where nobody has a role", "PATCH", "business-groups/back?dry-run=true", "{\"parent\":\"default\"}", 200, "" },
		{ "what stands in it already", "PATCH", "environments/sandbox?dry-run=true", "{\"name\":\"S\"}", 200, "" },
		{ "something new", "POST", "environments?dry-run=true", "{\"id\":\"n\",\"name\":\"N\",\"pathPrefix\":\"n\",\"businessGroup\":\"sales\"}", 201, "" },
	};
	struct client c = { .site = &world.site };

	c.authorization = bearer("joining-operator", "operator", "write");
	CHECK_INT("people do not belong to environments", call(&c, "PATCH", "environments/backyard?dry-run=true", "{\"businessGroup\":\"owned\"}"), 200);
	CHECK_INT("applications belong to groups", call(&c, "PATCH", "business-groups/back?dry-run=true", "{\"parent\":\"owned\"}"), 403);
	CHECK("with what they lack", client_shows(&c, "(manage-people in the business group 'back')"));
	for (size_t as_owner = 0; as_owner < 2; as_owner++) {
		c.authorization = bearer(as_owner ? "joining-owner" : "joining", as_owner ? "owner" : "settler", "write");
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			CHECK_INT(rows[i].label, call(&c, rows[i].method, rows[i].uri, rows[i].body), as_owner && rows[i].status == 403 ? 200 : rows[i].status);
			CHECK(rows[i].label, as_owner || client_shows(&c, rows[i].says));
		}
	}
	client_end(&c);
	check_done();
}

static int guard_up(void **state)
{
	int rc = places_up(state);

	write_all();
	return rc;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(deeds), cmocka_unit_test(moving), cmocka_unit_test(form), cmocka_unit_test(joining), cmocka_unit_test(kinds) };

	return cmocka_run_group_tests(tests, guard_up, places_down);
}
