/* crowd.h - a store as large as a whole organisation's, beside what fixture.h makes: for tests and measurements of pages.
 *
 * APIs are api-0000 …, each with ten operations and a description; product-000 … hold them evenly, "everything" holds all of
 * them; every fifth product is for a group. Users are user-00000 …, subscription N is sub-000000 … of user N modulo users.
 * `developer` of the fixture has subscriptions of his own, with calls; the first APIs have calls of the last day. */
#pragma once

#include "tests/unit/portal/client.h"
#include "tests/unit/portal/fixture.h"

#include "core/clock.h"
#include "db/rollup.h"
#include "db/telemetry.h"

struct crowd_size {
	size_t apis, products, users, subscriptions;
	size_t own, calls;               /* of `developer`: subscriptions, calls with each of the first ones */
};

enum { CROWD_GROUPS = 20, CROWD_OPERATIONS = 10, CROWD_OWN_CALLED = 5, CROWD_DAY_APIS = 200 };

static UNUSED void crowd_api(struct store *s, struct arena *a, size_t i)
{
	struct store_api api = { .id = arena_printf(a, "api-%04zu", i), .environment_id = STR("default"), .path = arena_printf(a, "area-%zu/api-%04zu", i % 10, i),
				 .name = arena_printf(a, "Orders of plant %zu", i), .subscription_required = true, .state = STORE_API_PUBLISHED,
				 .backend_url = STR("https://erp.example.com/v2"),
				 .description = arena_printf(a, "Orders of the plant %zu: read them, place them, cancel them before they are shipped. "
							     "For whoever plans the work of the week.\n\n# Notes\n\n- amounts are in cents\n- times are in UTC\n\n"
							     "%0600d", i, 7) };
	struct store_operation ops[CROWD_OPERATIONS];
	struct gh_err err;

	for (size_t k = 0; k < CROWD_OPERATIONS; k++)
		ops[k] = (struct store_operation){ .id = arena_printf(a, "op-%zu", k), .method = STR("GET"), .uri_template = arena_printf(a, "/r%zu/{id}", k),
						   .name = arena_printf(a, "Read thing %zu", k), .description = STR("With all its *lines*."), .position = (int64_t)k };
	must(store_api_create(s, &api, &err), &err);
	must(store_operations_replace(s, api.id, 1, ops, CROWD_OPERATIONS, &err), &err);
}

static UNUSED struct str crowd_product_id(struct arena *a, size_t i)
{
	return arena_printf(a, "product-%03zu", i);
}

static UNUSED void crowd_product(struct store *s, struct arena *a, struct str id, size_t i)
{
	static const char policy[] = "<policies><inbound><base /><rate-limit calls=\"100\" renewal-period=\"60\" /><quota calls=\"1000\" renewal-period=\"86400\" />"
				     "</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>";
	struct store_policy_scope scope = { .kind = STORE_POLICY_PRODUCT, .product_id = id };
	struct store_product p = { .id = id, .name = arena_printf(a, "Plan %zu", i), .description = STR("For people who plan."),
				   .subscription_required = true, .state = STORE_PRODUCT_PUBLISHED };
	struct gh_err err;

	must(store_product_create(s, &p, &err), &err);
	must(store_policy_set(s, &scope, str_of(policy), &err), &err);
	if (i % 5 == 4)
		must(store_product_add_group(s, id, arena_printf(a, "group-%zu", i % CROWD_GROUPS), &err), &err);
}

static UNUSED void crowd_catalog(struct store *s, struct arena *a, const struct crowd_size *n)
{
	struct gh_err err;

	for (size_t i = 0; i < CROWD_GROUPS; i++) {
		struct store_group g = { .id = arena_printf(a, "group-%zu", i), .name = arena_printf(a, "Group %zu", i) };

		must(store_group_create(s, &g, &err), &err);
	}
	crowd_product(s, a, STR("everything"), 0);
	for (size_t i = 0; i < n->products; i++)
		crowd_product(s, a, crowd_product_id(a, i), i);
	arena_reset(a);
	for (size_t i = 0; i < n->apis; i++, arena_reset(a)) {
		crowd_api(s, a, i);
		must(store_product_add_api(s, STR("everything"), arena_printf(a, "api-%04zu", i), &err), &err);
		must(store_product_add_api(s, crowd_product_id(a, i % n->products), arena_printf(a, "api-%04zu", i), &err), &err);
	}
}

static UNUSED void crowd_people(struct store *s, struct arena *a, const struct crowd_size *n)
{
	struct gh_err err;

	for (size_t i = 0; i < n->users; i++, arena_reset(a)) {
		struct store_user u = { .id = arena_printf(a, "user-%05zu", i), .email = arena_printf(a, "person.%zu@plant.example.com", i),
					.first_name = STR("Ada"), .last_name = arena_printf(a, "Byron %zu", i), .role = STR("developer"),
					.state = STORE_USER_ACTIVE };

		must(store_user_create(s, a, &u, NULL, &err), &err);
		must(store_group_add(s, STR("developers"), u.id, &err), &err);
		must(store_group_add(s, arena_printf(a, "group-%zu", i % CROWD_GROUPS), u.id, &err), &err);
	}
	for (size_t i = 0; i < n->subscriptions; i++, arena_reset(a)) {
		struct store_subscription sub = { .id = arena_printf(a, "sub-%06zu", i), .name = arena_printf(a, "Planning %zu", i),
						  .scope = STORE_SCOPE_PRODUCT, .product_id = crowd_product_id(a, i % n->products),
						  .user_id = arena_printf(a, "user-%05zu", i % n->users),
						  .state = i % 500 ? STORE_SUB_ACTIVE : STORE_SUB_SUBMITTED };

		must(store_subscription_create(s, a, &sub, NULL, NULL, NULL, &err), &err);
	}
	for (size_t i = 0; i < n->own; i++, arena_reset(a)) {
		struct store_subscription sub = { .id = arena_printf(a, "own-%03zu", i), .name = arena_printf(a, "Mine %zu", i), .scope = STORE_SCOPE_PRODUCT,
						  .product_id = crowd_product_id(a, i % n->products), .user_id = STR("developer"), .state = STORE_SUB_ACTIVE };

		must(store_subscription_create(s, a, &sub, NULL, NULL, NULL, &err), &err);
	}
}

static UNUSED void crowd_count(struct rollup *totals, const struct telemetry_call *c, uint32_t times)
{
	struct gh_err err;

	if (rollup_full(totals))
		must(rollup_write(totals, &err), &err);
	if (!rollup_add(totals, c, times))
		abort();
}

/* Traffic of the last day: each of the first APIs once an hour by a subscription of the crowd, and calls of the developer. */
static UNUSED void crowd_traffic(struct store *s, struct arena *a, const struct crowd_size *n)
{
	int64_t now = clock_wall_us();
	struct rollup *totals = rollup_new(s, 0);
	struct gh_err err;

	must(store_drain_begin(s, &err), &err);
	for (size_t i = 0; i < CROWD_DAY_APIS * 24; i++, arena_reset(a)) {
		struct telemetry_call c = { .started_us = now - ((int64_t)(i / CROWD_DAY_APIS) * 60 + 1) * 60000000, .status = 200,
					    .environment = STR("default"), .api = arena_printf(a, "api-%04zu", i % CROWD_DAY_APIS),
					    .operation = STR("op-1"), .product = STR("everything"), .origin = TELEMETRY_BY_BACKEND,
					    .subscription = arena_printf(a, "sub-%06zu", i % n->subscriptions), .backend = STR("b") };

		crowd_count(totals, &c, 9);
		c.status = 429;
		c.origin = TELEMETRY_BY_GATEWAY;
		crowd_count(totals, &c, 1);
	}
	for (size_t i = 0; i < CROWD_OWN_CALLED * n->calls; i++, arena_reset(a)) {
		struct telemetry_call c = { .started_us = now - (int64_t)i * 1000000, .status = i % 10 ? 200 : 429, .total_us = 1000,
					    .request_id = arena_printf(a, "call-%zu", i), .environment = STR("default"), .api = STR("api-0001"),
					    .operation = STR("op-1"), .product = STR("everything"), .method = STR("GET"), .path = STR("/api/api-0001/r1/7"),
					    .subscription = arena_printf(a, "own-%03zu", i % CROWD_OWN_CALLED), .reason = i % 10 ? STR("") : STR("rate_limit") };

		must(store_drain_call(s, &c, &err), &err);
		crowd_count(totals, &c, 1);
	}
	must(rollup_write(totals, &err), &err);
	rollup_free(totals);
	must(store_drain_end(s, GH_RC_OK, &err), &err);
}

static UNUSED void crowd_fill(struct store *s, const struct crowd_size *n)
{
	struct arena *a = arena_new(8 << 20);
	struct gh_err err;

	must(store_tx_begin(s, STR("test"), &err), &err);
	crowd_catalog(s, a, n);
	crowd_people(s, a, n);
	must(store_tx_commit(s, &err), &err);
	crowd_traffic(s, a, n);
	arena_free(a);
}

/* ---- pages ----------------------------------------------------------------------------------------------------------------- */

/* What the {…} of a route's pattern stand for. A route that is not named here is asked for by these names alone. */
static const struct {
	const char *app, *pattern, *uri;         /* uri behind the base path */
} crowd_special[] = {
	{ "portal", "/apis", "/apis?page=3" },
	{ "portal", "/apis", "/apis?q=plant" },
	{ "portal", "/apis", "/apis?q=plant+77" },
	{ "portal", "/products", "/products?page=2" },
	{ "portal", "/products/{product}", "/products/everything" },
	{ "portal", "/account/calls", "/account/calls?range=month" },
	{ "admin", "/", "/?page=12" },
	{ "admin", "/", "/?q=plant+7" },
	{ "admin", "/", "/?status=inactive" },
	{ "admin", "/", "/?status=active&stage=published&page=2" },
	{ "admin", "/products", "/products?q=plan" },
	{ "admin", "/audit", "/audit?kind=subscription&actor=nobody" },
	{ "admin", "/policies/edit", "/policies/edit?scope=product:product-001" },
	{ "admin", "/policies/effective", "/policies/effective?scope=operation:api-0077/op-3" },
	{ "admin", "/policies/history", "/policies/history?scope=product:product-001" },
	{ "admin", "/subscriptions", "/subscriptions?page=900" },
	{ "admin", "/subscriptions", "/subscriptions?q=planning+4711" },
	{ "admin", "/subscriptions", "/subscriptions?q=nobody" },
	{ "admin", "/subscriptions", "/subscriptions?state=submitted" },
	{ "admin", "/subscriptions", "/subscriptions?state=suspended" },
};

static UNUSED const char *crowd_value(const char *app, struct str pattern, struct str name)
{
	if (str_eq(name, STR("api")))
		return "api-0077";
	if (str_eq(name, STR("operation")))
		return "op-3";
	if (str_eq(name, STR("product")))
		return "product-001";
	if (str_eq(name, STR("request")))
		return "call-3";
	if (str_eq(name, STR("file*")))
		return "gatehouse.css";
	if (str_eq(name, STR("id")) && strcmp(app, "portal") == 0)
		return str_starts(pattern, STR("/account/subscriptions")) ? "own-001" : "1";
	return "x";
}

/* "/apis/api-0077" of "/apis/{api}" */
static UNUSED void crowd_uri(const char *app, const char *pattern, char to[200])
{
	struct str rest = str_of(pattern), part;
	size_t n = 0;

	to[0] = '\0';
	while (rest.p && str_split(&rest, '/', &part)) {
		bool variable = part.n > 2 && part.p[0] == '{';

		if (!part.n)
			continue;
		n += (size_t)snprintf(to + n, 200 - n, "/%.*s", variable ? 50 : (int)part.n,
				      variable ? crowd_value(app, str_of(pattern), (struct str){ part.p + 1, part.n - 2 }) : part.p);
	}
	if (!n)
		strcpy(to, "/");
}

/* `developer` gets all rights in an environment that nothing stands in: all of the lists is out of sight. */
static UNUSED void crowd_elsewhere(struct store *s)
{
	static const char *const docs[][3] = {
		{ "environment", "elsewhere", "{\"name\":\"Elsewhere\",\"kind\":\"sandbox\",\"pathPrefix\":\"elsewhere\"}" },
		{ "role-assignment", "elsewhere", "{\"role\":\"owner\",\"user\":\"developer\",\"environment\":\"elsewhere\"}" },
	};
	struct arena *a = arena_new(8 << 20);
	struct resource_change *c;
	struct gh_err err;
	json_t *doc;

	must(resource_begin(s, a, STR("test"), &c, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(docs); i++) {
		must(jsn_parse_in(a, str_of(docs[i][2]), NULL, &doc, NULL, &err), &err);
		must(resource_write(c, resource_kind_find(str_of(docs[i][0])), str_of(docs[i][1]), doc, RESOURCE_PUT, NULL, &err), &err);
	}
	must(resource_end(c, GH_RC_OK, false, &err), &err);
	arena_free(a);
}

/* Every list of the dashboard and of the management API, narrowed in every way that it knows: by words that nothing and that many things
 * have, by each filter with a value that nothing has, and far behind its beginning. */
static UNUSED void crowd_lists(struct client *c, const char *who, void (*page)(struct client *c, const char *name, const char *who, const char *uri))
{
	static const char *const windows[] = { "", "search=nosuchthing", "search=an", "limit=1000" };
	char uri[300];

	for (size_t i = 0; resource_kinds[i]; i++) {
		const struct resource_kind *k = resource_kinds[i];
		struct str args[4];

		for (size_t x = 0; x < ARRAY_LEN(windows); x++) {
			snprintf(uri, sizeof(uri), "/admin/api/v1/%s?%s", k->plural, windows[x]);
			page(c, "admin", who, uri);
		}
		for (size_t x = 0; k->filters[x].name; x++) {
			snprintf(uri, sizeof(uri), "/admin/api/v1/%s?%s=%s", k->plural, k->filters[x].name, k->filters[x].values ? k->filters[x].values[0] : "nosuchthing");
			page(c, "admin", who, uri);
		}
		snprintf(uri, sizeof(uri), "/admin/api/v1/%s?cursor=enp6eg", k->plural);         /* zzzz: behind all of them */
		page(c, "admin", who, uri);
		snprintf(uri, sizeof(uri), "/%s", k->plural);
		if (!web_route_find(c->site->app->routes, STR("GET"), str_of(uri), args, NULL))
			continue;
		for (size_t x = 0; x < 2; x++) {
			snprintf(uri, sizeof(uri), "/admin/%s?q=%s&page=1", k->plural, x ? "an" : "nosuchthing");
			page(c, "admin", who, uri);
		}
		snprintf(uri, sizeof(uri), "/admin/%s?after=t&page=40", k->plural);
		page(c, "admin", who, uri);
	}
}

/* Calls `page` for every GET route of an app that `who` (NULL: a visitor) may see, and for the addresses of crowd_special. */
static UNUSED void crowd_walk(const char *dir, const struct web_app *app, const char *name, const char *prefix, const char *who,
			      void (*page)(struct client *c, const char *name, const char *who, const char *uri))
{
	char share[PATHS_MAX], path[200], uri[300];
	struct web_site site;
	struct client c;

	site_up(&site, app, dir, share);
	c = (struct client){ .site = &site };
	if (who)
		client_session(&c, who);
	for (const struct web_route *r = app->routes; r->method; r++) {
		if (strcmp(r->method, "GET") != 0 || r->right == WEB_TOKEN || !web_role_may(who ? str_of(who) : STR_NULL, r->right))
			continue;
		crowd_uri(name, r->pattern, path);
		snprintf(uri, sizeof(uri), "%s%s", prefix, path);
		page(&c, name, who, uri);
		for (size_t i = 0; i < ARRAY_LEN(crowd_special); i++) {
			if (strcmp(crowd_special[i].app, name) != 0 || strcmp(crowd_special[i].pattern, r->pattern) != 0)
				continue;
			snprintf(uri, sizeof(uri), "%s%s", prefix, crowd_special[i].uri);
			page(&c, name, who, uri);
		}
	}
	client_end(&c);
	site_down(&site);
}
