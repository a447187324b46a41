/* fixture.h - a state directory with a small but complete store, for tests of the web apps. */
#pragma once

#include "core/file.h"
#include "core/paths.h"
#include "core/str.h"
#include "db/apis.h"
#include "db/environments.h"
#include "db/policies.h"
#include "db/products.h"
#include "db/sessions.h"
#include "db/subscriptions.h"
#include "db/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FIXTURE_PASSWORD "correct horse battery staple"

static void UNUSED must(gh_rc rc, const struct gh_err *err)
{
	if (rc.code) {
		fprintf(stderr, "# fixture: %s\n", err->message);
		abort();
	}
}

static void fixture_user(struct store *s, struct arena *a, const char *id, const char *role, const char *hash)
{
	struct gh_err err;
	struct store_user u = { .id = str_of(id), .email = arena_printf(a, "%.*s@example.com", STR_ARG(str_of(id))), .first_name = str_of("Ada"),
				.last_name = str_of("Byron"), .role = str_of(role), .state = STORE_USER_ACTIVE };

	must(store_user_create(s, a, &u, NULL, &err), &err);
	must(store_user_set_password(s, u.id, str_of(hash), &err), &err);
}

static void fixture_api(struct store *s, const char *id, enum store_api_state state, const char *set, const char *version)
{
	static const struct store_operation ops[] = {
		{ .id = STR_INIT("list-orders"), .method = STR_INIT("GET"), .uri_template = STR_INIT("/orders?status={status}"),
		  .name = STR_INIT("List orders"),
		  .description = STR_INIT("Newest first. **At most 100** a page; see [paging](https://example.com/paging).\n\n"
					  "| Field | Meaning |\n|---|---|\n| `status` | open, shipped |\n\n<script>alert(1)</script>") },
		{ .id = STR_INIT("create-order"), .method = STR_INIT("POST"), .uri_template = STR_INIT("/orders"),
		  .name = STR_INIT("Place an order"), .description = STR_INIT(""), .position = 1 },
		{ .id = STR_INIT("get-order"), .method = STR_INIT("GET"), .uri_template = STR_INIT("/orders/{id}"),
		  .name = STR_INIT("One order"), .description = STR_INIT("With its lines."), .position = 2 },
		{ .id = STR_INIT("cancel-order"), .method = STR_INIT("DELETE"), .uri_template = STR_INIT("/orders/{id}"),
		  .name = STR_INIT("Cancel an order that has not been shipped"), .description = STR_INIT(""), .position = 3 },
	};
	struct store_api api = { .id = str_of(id), .environment_id = STR_INIT("default"), .path = str_of(set ? set : id),
				 .name = str_of(id), .version_set_id = str_of(set), .version = str_of(version),
				 .subscription_required = true, .state = (int64_t)state,
				 .backend_url = STR_INIT("https://erp.example.com/v2"),
				 .description = STR_INIT("Orders of the ERP: read them, place them, cancel them.\n\n"
							 "# Notes\n\n- amounts are in cents\n- times are in UTC") };
	struct gh_err err;

	must(store_api_create(s, &api, &err), &err);
	must(store_operations_replace(s, api.id, 0, ops, ARRAY_LEN(ops), &err), &err);
}

static void fixture_kind(struct store *s, const char *id, enum store_product_kind kind, enum store_product_state state,
			 const char *group, const char *api)
{
	struct store_product p = { .id = str_of(id), .name = str_of(id), .description = STR_INIT("For trying things out"),
				   .subscription_required = true, .state = (int64_t)state, .kind = (int64_t)kind };
	struct gh_err err;

	must(store_product_create(s, &p, &err), &err);
	must(store_product_add_api(s, p.id, str_of(api), &err), &err);
	if (group)
		must(store_product_add_group(s, p.id, str_of(group), &err), &err);
}

static void fixture_product(struct store *s, const char *id, enum store_product_state state, const char *group,
			    const char *api)
{
	fixture_kind(s, id, STORE_KIND_PRODUCT, state, group, api);
}

static void fixture_policies(struct store *s)
{
	static const char xml[] = "<policies>\n\t<inbound>\n\t\t<base />\n\t\t<!-- each caller for itself -->\n"
				  "\t\t<rate-limit calls=\"100\" renewal-period=\"60\" />\n"
				  "\t\t<set-header name=\"X-Who\" exists-action=\"override\">\n"
				  "\t\t\t<value>@(context.Subscription?.Id ?? \"none\")</value>\n\t\t</set-header>\n"
				  "\t</inbound>\n\t<backend><base /></backend>\n</policies>\n";
	const struct store_policy_scope api = { .kind = STORE_POLICY_API, .api_id = STR_INIT("orders") };
	const struct store_policy_scope all = { .kind = STORE_POLICY_GLOBAL };
	struct gh_err err;

	must(store_policy_set(s, &api, str_of(xml), &err), &err);
	must(store_policy_set(s, &all, str_of(xml), &err), &err);
}

/* The description of `orders`; `example` stands in two places of it. */
static void UNUSED fixture_document(struct store *s, struct arena *a, const char *example)
{
	const struct store_api_document doc = {
		.api_id = STR_INIT("orders"),
		.media_type = STR_INIT("application/json"),
		.bytes = arena_printf(a,
				      "{\"openapi\":\"3.0.3\",\"info\":{\"title\":\"O\",\"version\":\"1\"},\"paths\":{"
				      "\"/orders/{id}\":{\"get\":{\"parameters\":[{\"name\":\"id\",\"in\":\"path\",\"required\":true,"
				      "\"schema\":{\"type\":\"string\"},\"example\":\"%s\"}],\"responses\":{\"200\":{"
				      "\"description\":\"The *order*.\",\"content\":{\"application/json\":{\"example\":{\"id\":\"%s\"}}}}}}}}}",
				      example, example),
	};
	struct gh_err err;

	must(store_api_document_set(s, &doc, &err), &err);
}

/* An administrator, an operator, a publisher, an auditor and a developer; APIs that are public, restricted, in draft and
 * in two versions. */
static void fixture_fill(struct store *s, struct arena *a)
{
	static const char *const roles[] = { "administrator", "operator", "publisher", "auditor", "developer" };
	const struct store_version_set set = { .id = STR_INIT("stock"), .name = STR_INIT("Stock"), .scheme = STR_INIT("segment") };
	const struct store_group partners = { .id = STR_INIT("partners"), .name = STR_INIT("Partners") };
	struct store_subscription sub = { .name = STR_INIT("Planning"), .scope = STORE_SCOPE_PRODUCT,
					  .product_id = STR_INIT("starter"), .user_id = STR_INIT("developer"),
					  .state = STORE_SUB_ACTIVE };
	char hash[CRYPTO_PASSWORD_HASH_MAX];
	struct gh_err err;

	must(crypto_password_hash(str_of(FIXTURE_PASSWORD), hash, &err), &err);
	must(store_tx_begin(s, str_of("test"), &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		fixture_user(s, a, roles[i], roles[i], hash);
	must(store_version_set_create(s, &set, &err), &err);
	must(store_group_create(s, &partners, &err), &err);
	fixture_api(s, "orders", STORE_API_PUBLISHED, NULL, NULL);
	fixture_api(s, "planned", STORE_API_DRAFT, NULL, NULL);
	fixture_api(s, "partner-prices", STORE_API_PUBLISHED, NULL, NULL);
	fixture_api(s, "stock-v1", STORE_API_DEPRECATED, "stock", "v1");
	fixture_api(s, "stock-v2", STORE_API_PUBLISHED, "stock", "v2");
	fixture_product(s, "starter", STORE_PRODUCT_PUBLISHED, NULL, "orders");
	fixture_product(s, "partner", STORE_PRODUCT_PUBLISHED, "partners", "partner-prices");
	fixture_kind(s, "logistics", STORE_KIND_API_GROUP, STORE_PRODUCT_PUBLISHED, NULL, "stock-v2");
	fixture_kind(s, "partner-group", STORE_KIND_API_GROUP, STORE_PRODUCT_PUBLISHED, "partners", "partner-prices");
	fixture_policies(s);
	fixture_document(s, a, "a/7");
	must(store_subscription_create(s, a, &sub, NULL, NULL, NULL, &err), &err);
	must(store_tx_commit(s, &err), &err);
}

/* Makes all of it in a new folder, whose name is put into dir. fixture_drop removes it. */
static void UNUSED fixture_make(char dir[64])
{
	struct arena *a = arena_new(8 << 20);
	struct store *s;
	struct gh_err err;

	snprintf(dir, 64, "/tmp/gatehouse-web-XXXXXX");
	if (!mkdtemp(dir))
		abort();
	must(paths_master_key_create(dir, &err), &err);
	must(store_open(&s, dir, STORE_CREATE, &err), &err);
	fixture_fill(s, a);
	store_free(s);
	arena_free(a);
}

static void UNUSED fixture_drop(const char *dir)
{
	static const char *const files[] = { "config.db", "config.db-wal", "config.db-shm", "telemetry.db", "telemetry.db-wal",
					     "telemetry.db-shm", "generation", "master.key", "web-counters", "gatehouse.conf" };
	char path[200];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	if (rmdir(dir))
		fprintf(stderr, "# %s is not empty\n", dir);
}
