/* What a refusal of the management API tells: what refers to something, to those who may list it and to others as a number; which
 * references keep a named value; a body that was forgotten. */
#include "tests/unit/portal/places.h"

static struct str detail(const struct client *c)
{
	struct gh_err err;
	json_t *v;

	must(jsn_parse_in(world.a, arena_dup(world.a, buf_view(&c->w.rs.body)), NULL, &v, NULL, &err), &err);
	return jsn_str(v, "detail");
}

/* The details of all errors, a line each. */
static struct str errors(const struct client *c)
{
	struct str out = STR("");
	struct gh_err err;
	json_t *v, *one;
	size_t i;

	must(jsn_parse_in(world.a, arena_dup(world.a, buf_view(&c->w.rs.body)), NULL, &v, NULL, &err), &err);
	json_array_foreach(jsn_arr(v, "errors"), i, one)
		out = arena_printf(world.a, "%.*s%.*s\n", STR_ARG(out), STR_ARG(jsn_str(one, "detail")));
	return out;
}

static const char *tag_of(struct client *c, const char *uri)
{
	CHECK_INT(uri, call(c, "GET", uri, NULL), 200);
	return arena_printf(world.a, "%.*s", STR_ARG(client_header(c, "ETag"))).p;
}

static int take_away(struct client *c, const char *uri)
{
	const char *tag = tag_of(c, uri);

	c->match = tag;
	return call(c, "DELETE", uri, NULL);
}

#define POLICY(inbound) "{\"policy\":\"<policies><inbound><base />" inbound "</inbound><backend><base /></backend><outbound><base /></outbound>" \
	"<on-error><base /></on-error></policies>\"}"
#define SETS(name) "<set-header name='X' exists-action='override'><value>" name "</value></set-header>"

static void write_all(void)
{
	static const char *const docs[][3] = {
		{ "named-value", "shared-key", "{\"value\":\"k\"}" }, { "named-value", "of-policies", "{\"value\":\"p\"}" },
		{ "named-value", "of-backend", "{\"value\":\"b\"}" }, { "named-value", "of-query", "{\"value\":\"q\"}" },
		{ "named-value", "of-token", "{\"value\":\"t\"}" }, { "named-value", "of-rule", "{\"value\":\"r\"}" },
		{ "named-value", "of-number", "{\"value\":\"204\"}" },
		{ "named-value", "of-nobody", "{\"value\":\"n\"}" },
		{ "policy", "operation:sand-orders/get", POLICY(SETS("{{shared-key}} {{ of-policies }}") "<return-response><set-status code='{{of-number}}' reason='x' /></return-response>") },
		{ "policy", "operation:live/get", POLICY(SETS("{{shared-key}}")) },
		{ "backend", "keyed", "{\"url\":\"http://127.0.0.1:9\",\"credentials\":\"{\\\"header\\\":{\\\"X-A\\\":[\\\"a\\\",\\\"b {{ of-backend }}\\\"],"
		  "\\\"X-B\\\":\\\"{{shared-key}}\\\"},\\\"query\\\":{\\\"c\\\":\\\"{{of-query}}\\\"},\\\"authorization\\\":{\\\"scheme\\\":\\\"Bearer\\\","
		  "\\\"parameter\\\":\\\"{{of-token}}\\\"}}\"}" },
		{ "access-rule", "api:live", "{\"rule\":{\"anyOf\":[{\"method\":\"jwt\",\"issuer\":\"x\",\"key\":\"{{ of-rule }}\"}]}}" },
		{ "role", "settings", "{\"name\":\"S\",\"permissions\":[\"view-apis\",\"view-settings\",\"change-settings\"]}" },
		{ "role", "policies", "{\"name\":\"P\",\"permissions\":[\"view-apis\",\"view-policies\",\"view-settings\",\"change-settings\"]}" },
	};
	struct resource_change *c;
	struct gh_err err;

	must(resource_begin(world.site.store, world.a, STR("test"), &c, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(docs); i++)
		write_one(c, docs[i][0], docs[i][1], docs[i][2]);
	must(resource_end(c, GH_RC_OK, false, &err), &err);
}

/* By role and scopes: what is said of a value that two policies and a backend name. */
static void told(void **state UNUSED)
{
	static const struct {
		const char *label, *role, *scopes, *detail, *errors;
	} rows[] = {
		{ "who may see all of it", "owner", "write", "named-value 'shared-key' is in use by policy 'operation:sand-orders/get'",
		  "the policy 'operation:sand-orders/get' refers to it; change or remove that first\n"
		  "the policy 'operation:live/get' refers to it; change or remove that first\n"
		  "the backend 'keyed' refers to it; change or remove that first\n" },
		{ "who sees no policies", "settings", "write", "named-value 'shared-key' is in use by backend 'keyed' and 2 others that you may not see",
		  "the backend 'keyed' refers to it; change or remove that first\n"
		  "2 others that you may not see refer to it; ask somebody who may see them to change or remove those first\n" },
		{ "a token for values alone", "owner", "write:named-values", "named-value 'shared-key' is in use by 3 things that you may not see",
		  "3 things that you may not see refer to it; ask somebody who may see them to change or remove those first\n" },
		{ "a token that reads policies besides", "policies", "write:named-values read:policies",
		  "named-value 'shared-key' is in use by policy 'operation:sand-orders/get' and 1 other that you may not see",
		  "the policy 'operation:sand-orders/get' refers to it; change or remove that first\n"
		  "the policy 'operation:live/get' refers to it; change or remove that first\n"
		  "1 other that you may not see refers to it; ask somebody who may see it to change or remove that first\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct client c = { .site = &world.site };

		c.authorization = bearer(arena_printf(world.a, "told-%zu", i).p, rows[i].role, rows[i].scopes);
		CHECK_INT(rows[i].label, take_away(&c, "named-values/shared-key"), 409);
		CHECK_STR(rows[i].label, detail(&c), str_of(rows[i].detail));
		CHECK_STR(rows[i].label, errors(&c), str_of(rows[i].errors));
		client_end(&c);
	}
	check_done();
}

/* Each place where {{name}} stands keeps the value, also with blanks in the braces. */
static void kept(void **state UNUSED)
{
	static const struct {
		const char *id, *detail;
	} rows[] = {
		{ "of-policies", "named-value 'of-policies' is in use by policy 'operation:sand-orders/get'" },
		{ "of-backend", "named-value 'of-backend' is in use by backend 'keyed'" },
		{ "of-query", "named-value 'of-query' is in use by backend 'keyed'" },
		{ "of-token", "named-value 'of-token' is in use by backend 'keyed'" },
		{ "of-rule", "named-value 'of-rule' is in use by access-rule 'api:live'" },
		{ "of-nobody", NULL },
	};
	struct client c = { .site = &world.site };

	c.authorization = bearer("kept", "owner", "write");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(rows[i].id, take_away(&c, arena_printf(world.a, "named-values/%s", rows[i].id).p), rows[i].detail ? 409 : 204);
		if (rows[i].detail)
			CHECK_STR(rows[i].id, detail(&c), str_of(rows[i].detail));
	}
	client_end(&c);
	check_done();
}

/* What would break who names a value is refused where it is written. */
static void broken(void **state UNUSED)
{
	static const struct {
		const char *label, *role, *uri, *body, *errors;
	} rows[] = {
		{ "a backend that names no value", "owner", "backends/keyed", "{\"credentials\":\"{\\\"header\\\":{\\\"X\\\":\\\"{{of-backnd}}\\\"}}\"}",
		  "there is no named value 'of-backnd'; did you mean 'of-backend'?\n" },
		{ "an access rule that does", "owner", "access-rules/api:live",
		  "{\"rule\":{\"anyOf\":[{\"method\":\"jwt\",\"issuer\":\"x\",\"key\":\"{{of-ruler}}\"}]}}", "there is no named value 'of-ruler'; did you mean 'of-rule'?\n" },
		{ "a line break in a header", "owner", "named-values/of-backend", "{\"value\":\"a\\nb\"}",
		  "the backend 'keyed' puts {{of-backend}} into a header: it may hold no line break\n" },
		{ "and not in the query", "owner", "named-values/of-query", "{\"value\":\"a\\nb\"}", NULL },
		{ "a value that breaks policies", "owner", "named-values/of-number", "{\"value\":\"x\"}",
		  "the policy operation:sand-orders/get names {{of-number}} and would not compile: line 1: attribute `code` of <set-status> must be a whole number from 100 to 999, not `x`\n" },
		{ "told without their names", "settings", "named-values/of-number", "{\"value\":\"x\"}",
		  "a policy that you may not see names {{of-number}} and would not compile\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct client c = { .site = &world.site };

		c.authorization = bearer(arena_printf(world.a, "broken-%zu", i).p, rows[i].role, "write");
		CHECK_INT(rows[i].label, call(&c, "PATCH", rows[i].uri, rows[i].body), rows[i].errors ? 422 : 200);
		if (rows[i].errors)
			CHECK_STR(rows[i].label, errors(&c), str_of(rows[i].errors));
		client_end(&c);
	}
	check_done();
}

/* A reminder is taken away by saying so. */
static void reminder(void **state UNUSED)
{
	static const struct {
		const char *label, *body;
		int status;
		const char *rest;
	} rows[] = {
		{ "a day", "{\"by\":\"2031-02-03\"}", 200, "2031-02-03" },
		{ "no body", "", 422, "is required: a day, 2027-01-31, or null to take the reminder away\n" },
		{ "an empty one", "{}", 422, "is required: a day, 2027-01-31, or null to take the reminder away\n" },
		{ "an empty day", "{\"by\":\"\"}", 422, "must be a text, 1 to 40 bytes long\n" },
		{ "it stands still", NULL, 200, "2031-02-03" },
		{ "null", "{\"by\":null}", 200, "\"rotateBy\":null" },
	};
	struct client c = { .site = &world.site };

	c.authorization = bearer("reminder", "owner", "write");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(rows[i].label, rows[i].body ? call(&c, "POST", "credentials/default/erp/remind", rows[i].body)
						      : call(&c, "GET", "credentials/default/erp", NULL), rows[i].status);
		if (rows[i].status == 200)
			CHECK(rows[i].label, client_shows(&c, rows[i].rest));
		else
			CHECK_STR(rows[i].label, errors(&c), str_of(rows[i].rest));
	}
	client_end(&c);
	check_done();
}

static int refusals_up(void **state)
{
	int rc = places_up(state);

	write_all();
	return rc;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(told), cmocka_unit_test(kept), cmocka_unit_test(broken), cmocka_unit_test(reminder) };

	return cmocka_run_group_tests(tests, refusals_up, places_down);
}
