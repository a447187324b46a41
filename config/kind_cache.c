/* kind_cache.c - cache rules: which APIs and operations answer from the shared cache. Their id is the place: "api:orders",
 * "operation:orders/get-order". */
#include "config/kind.h"

#include "core/str.h"
#include "db/apis.h"
#include "db/cache_rules.h"

struct cache_row {
	struct str id;
	struct store_cache_rule rule;
};

static const char *const sharings[] = { "subscription", "everyone", NULL };

static const struct resource_field fields[] = {
	FIELD_ID("The place: api:ID or operation:API/OPERATION, which takes the place of its API's rule", cache_row, id),
	{ .name = "enabled", .type = RESOURCE_BOOL, .otherwise = "true", .label = "On",
	  .description = "Whether answers are kept; off leaves an operation out of its API's rule", AT(cache_row, rule.enabled) },
	{ .name = "sharedBy", .type = RESOURCE_ENUM, .flags = RESOURCE_AS_TEXT, .values = sharings, .otherwise = "\"subscription\"",
	  .label = "Shared by", .description = "subscription: no answer goes to another subscription or caller; everyone: one answer for all",
	  AT(cache_row, rule.shared_by) },
	{ .name = "ttl", .type = RESOURCE_INT, .otherwise = "0", .most = STORE_CACHE_SECONDS_MAX, .label = "Fresh for (s)",
	  .description = "Seconds for which an answer is fresh that does not say it itself; 0: as RFC 9111 guesses",
	  AT(cache_row, rule.ttl_s) },
	{ .name = "staleWhileRevalidate", .type = RESOURCE_INT, .otherwise = "0", .most = STORE_CACHE_SECONDS_MAX, .label = "Stale while asked (s)",
	  .description = "For so many seconds an old answer still goes out while the backend is asked, when the answer does not say it itself",
	  AT(cache_row, rule.stale_while_revalidate_s) },
	{ .name = "staleIfError", .type = RESOURCE_INT, .otherwise = "0", .most = STORE_CACHE_SECONDS_MAX, .label = "Stale on error (s)",
	  .description = "For so many seconds an old answer goes out in place of a backend's error, when the answer does not say it itself",
	  AT(cache_row, rule.stale_if_error_s) },
	{ .name = "maxBytes", .type = RESOURCE_INT, .otherwise = "1048576", .least = 1, .most = STORE_CACHE_BYTES_MAX, .label = "Largest body",
	  .description = "Bytes of the largest body that is kept", AT(cache_row, rule.max_bytes) },
	{ .name = "varyBy", .type = RESOURCE_TEXTS, .label = "Kept apart by", .most = 200,
	  .description = "Request headers by whose values answers are kept apart, besides what Vary says", .offset = RESOURCE_BY_HAND },
	{ .name = "authorized", .type = RESOURCE_BOOL, .otherwise = "false", .label = "Answers to Authorization",
	  .description = "Whether answers to requests with Authorization are kept too, for each value of it by itself; else only where the answer allows it",
	  AT(cache_row, rule.authorized) },
	{ .name = "obeysClient", .type = RESOURCE_BOOL, .otherwise = "true", .label = "Callers may refresh",
	  .description = "Whether Cache-Control of requests counts (no-cache, no-store, max-age)", AT(cache_row, rule.obeys_client) },
	{ .name = "statusHeaders", .type = RESOURCE_BOOL, .otherwise = "true", .label = "Tell callers",
	  .description = "Whether answers carry X-Cache and Cache-Status (RFC 9211)", AT(cache_row, rule.tells) },
	{ .name = "changed", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Changed", .description = "When it was last written",
	  AT(cache_row, rule.changed_us) },
	FIELD_END,
};

/* False: no such form. */
static bool place_of(struct str id, struct str *api, struct str *operation)
{
	bool whole = str_starts(id, STR("api:"));
	struct api_place place;

	if (!whole && !str_starts(id, STR("operation:")))
		return false;
	if (!api_place_parse(str_from(id, str_find_char(id, ':') + 1), !whole, &place) || place.revision)
		return false;
	*api = place.api;
	*operation = whole ? STR("") : place.operation;
	return true;
}

static void check_id(struct resource_change *c, struct str id)
{
	struct str api, operation, place = str_from(id, str_find_char(id, ':') + 1);
	const struct resource_kind *k = str_starts(id, STR("api:")) ? &kind_api : &kind_operation;
	bool there;

	if (!place_of(id, &api, &operation)) {
		resource_problem(c, &kind_cache_rule, id, STR("/id"), "must be api:ID or operation:API/OPERATION");
		return;
	}
	if (resource_exists(c->store, &kind_api, api, &there, NULL).code)
		return;
	/* an operation of any revision: a rule outlives that another one is made current */
	if (there && operation.n && store_operation_anywhere(c->store, api, operation, &there, NULL).code)
		return;
	if (!there)
		resource_problem(c, &kind_cache_rule, id, STR("/id"), "there is no %s '%.*s'%.*s", k->name, STR_ARG(place),
				 STR_ARG(resource_meant(c, k, place)));
}

static GH_RC find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct cache_row *r = row;
	struct str api, operation;

	*found = false;
	r->id = id;
	if (!place_of(id, &api, &operation))
		return GH_RC_OK;
	return store_cache_rule_find(s, a, api, operation, &r->rule, found, err);
}

static GH_RC show(struct store *s UNUSED, struct arena *a UNUSED, const void *row, json_t *doc, struct gh_err *err UNUSED)
{
	struct str rest = ((const struct cache_row *)row)->rule.vary_by, word;
	json_t *list = json_array();

	while (str_word(&rest, &word))
		json_array_append_new(list, json_stringn(word.p, word.n));
	json_object_set_new(doc, "varyBy", list);
	return GH_RC_OK;
}

static GH_RC check(struct resource_put *p, struct gh_err *err UNUSED)
{
	const json_t *list = jsn_get(p->doc, "varyBy");
	char pointer[40];

	for (size_t i = 0; i < json_array_size(list); i++) {
		snprintf(pointer, sizeof(pointer), "/varyBy/%zu", i);
		if (!http_is_token(jsn_string(json_array_get(list, i))))
			put_problem(p, pointer, "is the name of a header, as Accept-Language");
	}
	return GH_RC_OK;
}

static GH_RC save(struct resource_put *p, struct gh_err *err)
{
	struct store_cache_rule row = ((struct cache_row *)p->row)->rule;
	const json_t *list = jsn_get(p->doc, "varyBy");

	(void)place_of(p->id, &row.api_id, &row.operation_id);
	row.vary_by = STR("");
	for (size_t i = 0; i < json_array_size(list); i++)
		row.vary_by = arena_printf(p->a, "%.*s%s%.*s", STR_ARG(row.vary_by), i ? " " : "",
					   STR_ARG(jsn_string(json_array_get(list, i))));
	return store_cache_rule_set(p->s, &row, err);
}

static GH_RC drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	struct str api, operation;

	if (!place_of(id, &api, &operation))
		FAIL(err, NOT_FOUND, "there is no cache rule '%.*s'", STR_ARG(id));
	return store_cache_rule_delete(s, api, operation, err);
}

static const struct resource_ops ops = {
	.row_size = sizeof(struct cache_row), .store = STORE_RESOURCE_CACHE_RULE, .check_id = check_id, .find = find, .show = show,
	.check = check, .save = save, .drop = drop,
};

const struct resource_kind kind_cache_rule = {
	.name = "cache-rule", .plural = "cache-rules", .title = "Cache rule",
	.description = "Answers of an API or operation are kept and used again, as RFC 9111 has it for shared caches.",
	.area = RESOURCE_AREA_POLICIES, .fields = fields, .ops = &ops, .filters = { { NULL } },
};
