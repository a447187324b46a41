/* places.h - a store in which somebody and a token have rights on Sandbox alone, beside Production. */
#pragma once

#include "tests/unit/check.h"

#include "config/rights.h"
#include "core/clock.h"
#include "core/log.h"
#include "db/environments.h"
#include "db/machine_tokens.h"
#include "db/roles.h"
#include "db/telemetry.h"
#include "portal/admin/admin.h"
#include "portal/admin/rest.h"
#include "tests/unit/portal/client.h"

/* The fixture's APIs stand in "default", which is the Production of this file; what is of Sandbox begins with "sand". What nobody with
 * rights on Sandbox alone may read has this in its texts. */
#define MARK "zebra"

static struct world {
	struct web_site site;
	struct arena *a;
	char dir[64], share[PATHS_MAX];
	struct str token;
} world;

static void write_one(struct resource_change *c, const char *kind, const char *id, const char *json)
{
	struct gh_err err;
	json_t *doc;

	must(jsn_parse_in(world.a, str_of(json), NULL, &doc, NULL, &err), &err);
	must(resource_write(c, resource_kind_find(str_of(kind)), str_of(id), doc, RESOURCE_PUT, NULL, &err), &err);
}

static const char policy[] = "{\"policy\":\"<policies><inbound><base /><!-- %s --></inbound><backend><base /></backend><outbound><base />"
			     "</outbound><on-error><base /></on-error></policies>\"}";

static void fill(struct store *s)
{
	static const char *const docs[][3] = {
		{ "business-group", "sales", "{\"name\":\"Sales\"}" },
		{ "environment", "sandbox", "{\"name\":\"Sandbox\",\"kind\":\"sandbox\",\"pathPrefix\":\"sandbox\",\"businessGroup\":\"sales\"}" },
		{ "role", "tester", "{\"name\":\"Tester\",\"permissions\":[\"view-apis\",\"change-apis\"]}" },
		{ "api", "sand-orders", "{\"name\":\"Orders\",\"path\":\"orders\",\"environment\":\"sandbox\"}" },
		{ "api", "live", "{\"name\":\"" MARK " live\",\"path\":\"live\",\"environment\":\"default\"}" },
		{ "operation", "live/get", "{\"name\":\"" MARK "\",\"method\":\"GET\",\"uriTemplate\":\"/" MARK "\"}" },
		{ "operation", "sand-orders/get", "{\"name\":\"Get\",\"method\":\"GET\",\"uriTemplate\":\"/get\"}" },
		{ "product", "live-product", "{\"name\":\"" MARK " product\",\"apis\":[\"live\"]}" },
		{ "product", "mixed", "{\"name\":\"" MARK " mixed\",\"apis\":[\"live\",\"sand-orders\"]}" },
		{ "product", "sand-product", "{\"name\":\"Try\",\"apis\":[\"sand-orders\"]}" },
		{ "user", "sam", "{\"email\":\"sam@example.com\",\"firstName\":\"Sam\",\"role\":\"developer\"}" },
		{ "user", "tess", "{\"email\":\"tess@example.com\",\"role\":\"developer\",\"groups\":[\"partners\"]}" },
		{ "role-assignment", "1", "{\"role\":\"owner\",\"user\":\"sam\",\"environment\":\"sandbox\"}" },
		{ "role-assignment", "2", "{\"role\":\"tester\",\"group\":\"partners\",\"businessGroup\":\"sales\"}" },
		{ "user", "pia", "{\"email\":\"pia@example.com\",\"role\":\"developer\"}" },
		{ "role-assignment", "4", "{\"role\":\"api-manager\",\"user\":\"pia\",\"businessGroup\":\"sales\"}" },
		{ "role-assignment", "5", "{\"role\":\"tester\",\"user\":\"pia\",\"environment\":\"default\"}" },
		{ "subscription", "live-sub", "{\"name\":\"" MARK " sub\",\"product\":\"live-product\",\"user\":\"sam\"}" },
		{ "subscription", "sand-sub", "{\"name\":\"Try\",\"product\":\"sand-product\",\"user\":\"sam\"}" },
		{ "credential", "sandbox/crm", "{\"kind\":\"authorization-code\",\"name\":\"Sand CRM\",\"settings\":{\"token-url\":\"https://login.example/token\","
		  "\"authorize-url\":\"https://login.example/authorize\",\"client-id\":\"gw\"},\"secrets\":{\"client-secret\":\"h\"}}" },
		{ "credential", "default/erp", "{\"kind\":\"api-key\",\"name\":\"" MARK "\",\"settings\":{\"header\":\"X-Key\"},\"secrets\":{\"value\":\"h\"}}" },
		{ "user", "lyn", "{\"email\":\"lyn@example.com\",\"role\":\"developer\"}" },
		{ "role-assignment", "3", "{\"role\":\"analyst\",\"user\":\"lyn\"}" },
		{ "machine-token", "other", "{\"role\":\"operator\",\"scopes\":[\"read\"]}" },
	};
	struct store_machine_token t = { .id = STR_INIT("pipeline"), .role = STR_INIT("owner"), .scopes = STR_INIT("write"),
					 .environment_id = STR_INIT("sandbox") };
	struct resource_change *c;
	struct gh_err err;

	must(resource_begin(s, world.a, STR("test"), &c, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(docs); i++)
		write_one(c, docs[i][0], docs[i][1], docs[i][2]);
	write_one(c, "policy", "api:live", arena_printf(world.a, policy, MARK).p);
	write_one(c, "policy", "environment:default", arena_printf(world.a, policy, MARK).p);
	write_one(c, "policy", "api:sand-orders", arena_printf(world.a, policy, "mine").p);
	must(store_machine_token_create(s, world.a, &t, &world.token, &err), &err);
	must(resource_end(c, GH_RC_OK, false, &err), &err);
}

static UNUSED int call(struct client *c, const char *method, const char *uri, const char *body)
{
	c->type = "application/json";
	return client_send(c, method, arena_printf(world.a, "/admin/api/v1/%s", uri).p, body);
}

/* What a new machine token of that role and those scopes sends. */
static UNUSED const char *bearer(const char *id, const char *role, const char *scopes)
{
	const struct store_machine_token t = { .id = str_of(id), .role = str_of(role), .scopes = str_of(scopes) };
	struct str token;
	struct gh_err err;

	must(store_tx_begin(world.site.store, STR("test"), &err), &err);
	must(store_tx_end(world.site.store, store_machine_token_create(world.site.store, world.a, &t, &token, &err), &err), &err);
	return arena_printf(world.a, "Bearer %.*s", STR_ARG(token)).p;
}

static int places_up(void **state UNUSED)
{
	world.a = arena_new(256 << 20);
	log_init("places", LOG_LEVEL__COUNT);            /* refusals by the hundred */
	fixture_make(world.dir);
	site_up(&world.site, &admin_app, world.dir, world.share);
	world.site.config.v[CONFIG_WEB_PUBLIC_URL].text = STR("https://gw.example");     /* providers lead back to it */
	fill(world.site.store);
	return 0;
}

static int places_down(void **state UNUSED)
{
	site_down(&world.site);
	fixture_drop(world.dir);
	arena_free(world.a);
	return 0;
}
