/* configuration.h - a store in a folder of its own, filled by short calls, and a snapshot of it: for tests of routing,
 * access and snapshots. */
#pragma once

#include "tests/unit/check.h"

#include "core/paths.h"
#include "db/apis.h"
#include "db/backends.h"
#include "db/environments.h"
#include "db/named_values.h"
#include "db/policies.h"
#include "db/products.h"
#include "db/subscriptions.h"
#include "db/users.h"
#include "fcgi/snapshot.h"

#include <stdlib.h>
#include <unistd.h>

static char state_dir[64];
static struct store *store;
static struct arena *arena;
static struct snapshot *snapshot;

#define OK(call)                                                                        \
	do {                                                                            \
		struct gh_err err = { .message = "" };                                  \
		if ((call).code)                                                        \
			fail_msg("%s:%d: %s: %s", __FILE__, __LINE__, #call, err.message); \
	} while (0)

static int configuration_begin(void **state UNUSED)
{
	snprintf(state_dir, sizeof(state_dir), "/tmp/gatehouse-fcgi-XXXXXX");
	assert_non_null(mkdtemp(state_dir));
	arena = arena_new((size_t)1 << 30);
	OK(paths_master_key_create(state_dir, &err));
	OK(store_open(&store, state_dir, STORE_CREATE, &err));
	return 0;
}

static int configuration_end(void **state UNUSED)
{
	char command[128];

	snapshot_unref(snapshot);
	snapshot = NULL;
	store_free(store);
	store = NULL;
	arena_free(arena);
	snprintf(command, sizeof(command), "rm -rf %s", state_dir);
	return system(command);
}

static void change_begin(void)
{
	OK(store_tx_begin(store, STR("test"), &err));
}

static void change_end(void)
{
	OK(store_tx_end(store, GH_RC_OK, &err));
}

static void UNUSED add_environment(const char *id, const char *host, const char *prefix)
{
	struct store_environment e = { .id = str_of(id), .name = str_of(id), .business_group_id = STR("default"),
				       .host = str_of(host), .path_prefix = str_of(prefix), .kind = STR("sandbox") };

	OK(store_environment_create(store, &e, &err));
}

/* "id" at "path" of environment "default", published, no key needed unless changed in *api. */
static struct store_api UNUSED api_of(const char *id, const char *path)
{
	return (struct store_api){ .id = str_of(id), .environment_id = STR("default"), .path = str_of(path), .name = str_of(id),
				   .state = STORE_API_PUBLISHED, .backend_url = STR("http://127.0.0.1:9/base"),
				   .version = STR("") };
}

/* operations: "GET /a", "POST /b/{c}", … up to NULL; their ids are the texts themselves with "/" as ".". */
static void UNUSED add_operations(const char *api_id, int64_t revision, const char *const *operations)
{
	struct store_operation rows[64] = { 0 };
	size_t n = 0;

	for (; operations[n]; n++) {
		struct str text = str_of(operations[n]), id = arena_dup(arena, text);
		size_t blank = str_find_char(text, ' ');

		for (size_t i = 0; i < id.n; i++)
			if (id.p[i] == '/' || id.p[i] == ' ' || id.p[i] == ';')
				((char *)(uintptr_t)id.p)[i] = '.';
		rows[n] = (struct store_operation){ .api_id = str_of(api_id), .revision = revision, .id = id, .name = text,
						    .method = str_first(text, blank), .uri_template = str_from(text, blank + 1),
						    .position = (int64_t)n };
	}
	OK(store_operations_replace(store, str_of(api_id), revision, rows, n, &err));
}

static void UNUSED add_api(const struct store_api *api, const char *const *operations)
{
	OK(store_api_create(store, api, &err));
	add_operations(api->id.p, 0, operations);
}

static void UNUSED build_snapshot(void)
{
	snapshot_unref(snapshot);
	snapshot = NULL;
	OK(snapshot_build(store, NULL, &snapshot, &err));
}
