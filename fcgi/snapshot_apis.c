/* snapshot_apis.c - APIs, their revisions, operations and routes of a snapshot. */
#include "core/str.h"
#include "fcgi/life.h"
#include "fcgi/snapshot_impl.h"

#include <stdlib.h>

static const struct str default_key_header = STR_INIT("Ocp-Apim-Subscription-Key");
static const struct str default_key_query = STR_INIT("subscription-key");

static gh_rc no_memory(struct build *b)
{
	FAIL(b->err, NOMEM, "no memory for the APIs");
}

/* ---- operations ------------------------------------------------------------------------------------------------------------ */

/* Most operations have one of a handful of methods. */
static gh_rc method_text(struct build *b, struct str from, struct str *to)
{
	static const struct str common[] = { STR_INIT("GET"), STR_INIT("POST"), STR_INIT("PUT"), STR_INIT("DELETE"),
					     STR_INIT("PATCH"), STR_INIT("HEAD"), STR_INIT("OPTIONS"), STR_INIT("*") };

	for (size_t i = 0; i < ARRAY_LEN(common); i++) {
		if (str_eq(from, common[i])) {
			*to = common[i];
			return GH_RC_OK;
		}
	}
	return build_text(b, from, to);
}

static gh_rc add_operation(struct build *b, struct snap_api *api, const struct store_operation *row, struct snap_operation *o,
			   bool policies)
{
	struct gh_err err;
	gh_rc rc;

	o->cache = build_cache_rule(b, api->ctx.id, row->id, api->cache);
	TRY(build_text(b, row->id, &o->ctx.id));
	TRY(build_text(b, row->name, &o->ctx.name));
	TRY(build_text(b, row->uri_template, &o->ctx.url_template));
	TRY(method_text(b, row->method, &o->ctx.method));
	if (policies) {
		struct store_policy_scope place = { .kind = STORE_POLICY_OPERATION, .api_id = row->api_id,
						    .revision = row->revision, .operation_id = row->id };

		TRY(build_policy(b, &place, o->ctx.url_template, &o->policy));
	}
	rc = uritemplate_parse(b->a, o->ctx.url_template, &o->template, &err);
	if (!rc.code)
		rc = uritemplate_set_add(api->operations, o->template, o->ctx.method, o, NULL, &err);
	if (rc.code == GH_E_NOMEM)
		return no_memory(b);
	if (rc.code)
		return build_error(b, "API %.*s, operation %.*s: %s", STR_ARG(row->api_id), STR_ARG(row->id), err.message);
	b->s->n_operations++;
	return GH_RC_OK;
}

static gh_rc add_operations(struct build *b, struct snap_api *api, const struct store_operation *rows, size_t n)
{
	struct snap_operation *list = arena_alloc(b->a, n, sizeof(*list));
	bool policies = build_has_operation_policies(b, api->ctx.id, api->revision);

	api->operations = uritemplate_set_new(b->a);
	if (!list || !api->operations)
		return no_memory(b);
	for (size_t i = 0; i < n; i++)
		TRY(add_operation(b, api, &rows[i], &list[i], policies));
	return GH_RC_OK;
}

/* ---- APIs ------------------------------------------------------------------------------------------------------------------ */

static const struct store_version_set *version_set_of(const struct build *b, const struct store_api *row)
{
	return row->version_set_id.n ? map_get(&b->version_sets, row->version_set_id) : NULL;
}

static enum version_scheme scheme_of(const struct store_version_set *v)
{
	static const char *const names[] = { [VERSION_NONE] = "", [VERSION_SEGMENT] = "segment", [VERSION_HEADER] = "header",
					     [VERSION_QUERY] = "query" };

	for (unsigned i = 0; v && i < ARRAY_LEN(names); i++)
		if (str_eq(v->scheme, str_of(names[i])))
			return (enum version_scheme)i;
	return VERSION_NONE;
}

static gh_rc fill_base_path(struct build *b, const struct store_api *row, enum version_scheme scheme, struct snap_api *api)
{
	struct str parts[] = { api->environment->path_prefix, row->path, scheme == VERSION_SEGMENT ? row->version : STR_NULL };
	size_t n = 0, room = 1;
	char *p;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		room += parts[i].n + 1;
	p = arena_alloc_text(b->a, room);
	if (!p)
		return no_memory(b);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (!parts[i].n)
			continue;
		p[n++] = '/';
		memcpy(p + n, parts[i].p, parts[i].n);
		n += parts[i].n;
	}
	if (!n)
		p[n++] = '/';
	api->base_path = (struct str){ p, n };
	return GH_RC_OK;
}

static gh_rc fill_service(struct build *b, const struct store_api *row, struct snap_api *api)
{
	struct str url;

	TRY(build_text(b, row->backend_id, &api->backend_id));
	TRY(build_text(b, row->backend_url, &url));
	if (api->backend_id.n) {
		const struct snap_backend *backend = map_get(&b->s->priv->backends, api->backend_id);

		url = backend ? backend->url : STR_NULL;
	}
	if (url.n && !url_parse(url, &api->ctx.service_url))
		return build_error(b, "API %.*s, revision %lld: \"%.*s\" is no http or https address", STR_ARG(row->id),
				   (long long)row->revision, STR_ARG(url));
	return GH_RC_OK;
}

static gh_rc fill_api(struct build *b, const struct store_api *row, struct snap_api *api)
{
	struct store_policy_scope place = { .kind = STORE_POLICY_API, .api_id = row->id, .revision = row->revision };
	const struct store_version_set *set = version_set_of(b, row);
	enum version_scheme scheme = scheme_of(set);

	TRY(build_text(b, row->id, &api->ctx.id));
	TRY(build_text(b, row->name, &api->ctx.name));
	TRY(build_text(b, row->path, &api->ctx.path));
	TRY(build_text(b, row->version, &api->ctx.version));
	TRY(build_text(b, row->key_header.n ? row->key_header : default_key_header, &api->ctx.key_header));
	TRY(build_text(b, row->key_query.n ? row->key_query : default_key_query, &api->ctx.key_query));
	if (scheme == VERSION_HEADER)
		TRY(build_text(b, set->parameter, &api->version_header));
	if (scheme == VERSION_QUERY)
		TRY(build_text(b, set->parameter, &api->version_query));
	api->ctx.revision = arena_printf(b->a, "%lld", (long long)row->revision);
	api->ctx.is_current_revision = row->is_current;
	api->revision = row->revision;
	TRY(life_build(b, row, &api->life));
	api->key_required = row->subscription_required;
	api->iap = map_get(&b->iap, row->id);
	api->network = map_get(&b->api_networks, row->id);
	api->cache = build_cache_rule(b, row->id, STR_NULL, NULL);
	api->traffic = map_get(&b->traffic_rules, row->id);
	TRY(fill_base_path(b, row, scheme, api));
	/* What was retired gets no call to a backend: a policy that no longer compiles or an address that is gone must not keep
	 * the others from being served. */
	if (row->state == STORE_API_RETIRED)
		return GH_RC_OK;
	TRY(fill_service(b, row, api));
	return build_policy(b, &place, STR_NULL, &api->policy);
}

/* Of an API that is retired nothing but its place is left, and only as long as no other stands there. */
static gh_rc add_route(struct build *b, const struct store_api *row, const struct snap_api *api)
{
	const struct store_version_set *set = version_set_of(b, row);
	struct route_place place = { .api = api, .path = row->path, .scheme = scheme_of(set), .revision = row->revision,
				     .is_current = row->is_current, .version = api->ctx.version };
	struct gh_err err;
	gh_rc rc;

	place.parameter = place.scheme == VERSION_HEADER ? api->version_header : api->version_query;
	rc = route_table_add(b->routes, &place, &err);
	if (rc.code == GH_E_NOMEM)
		return no_memory(b);
	if (rc.code == GH_E_CONFLICT && row->state == STORE_API_RETIRED)
		return GH_RC_OK;
	return rc.code ? build_error(b, "API %.*s: %s", STR_ARG(row->id), err.message) : rc;
}

static bool is_known(const struct store_api *row)
{
	return row->state != STORE_API_DRAFT;
}

static gh_rc add_retired_routes(struct build *b, const struct store_api *rows, size_t n, const struct map *by_id)
{
	for (size_t i = 0; i < n; i++) {
		struct str key;

		if (rows[i].state != STORE_API_RETIRED)
			continue;
		key = arena_printf(b->rows, "%.*s;%lld", STR_ARG(rows[i].id), (long long)rows[i].revision);
		TRY(add_route(b, &rows[i], map_get(by_id, key)));
	}
	return GH_RC_OK;
}

static int by_api(struct str a_id, int64_t a_revision, struct str b_id, int64_t b_revision)
{
	int c = str_cmp(a_id, b_id);

	return c ? c : (a_revision > b_revision) - (a_revision < b_revision);
}

/* Both lists come sorted by API and revision, so they are walked side by side. */
static gh_rc add_apis(struct build *b, const struct store_api *rows, size_t n, struct map *by_id)
{
	struct store_operation *ops;
	size_t n_ops, at = 0, to;

	TRY(store_operations(b->store, b->rows, &ops, &n_ops, b->err));
	for (size_t i = 0; i < n; i++) {
		struct snap_api *api;

		while (at < n_ops && by_api(ops[at].api_id, ops[at].revision, rows[i].id, rows[i].revision) < 0)
			at++;
		for (to = at; to < n_ops && by_api(ops[to].api_id, ops[to].revision, rows[i].id, rows[i].revision) == 0; to++)
			;
		if (!is_known(&rows[i]))
			continue;
		api = arena_new_of(b->a, struct snap_api);
		if (!api)
			return no_memory(b);
		api->environment = map_get(&b->environments, rows[i].environment_id);
		if (!api->environment)
			FAIL(b->err, INTERNAL, "API %.*s is in no environment", STR_ARG(rows[i].id));
		TRY(fill_api(b, &rows[i], api));
		TRY(add_operations(b, api, ops + at, rows[i].state == STORE_API_RETIRED ? 0 : to - at));
		if (rows[i].state != STORE_API_RETIRED) {
			TRY(add_route(b, &rows[i], api));
			b->s->n_apis += rows[i].is_current;
		}
		/* the revisions of an API are chained by id for its products */
		if (!map_put(by_id, arena_printf(b->rows, "%.*s;%lld", STR_ARG(rows[i].id), (long long)rows[i].revision), api))
			return no_memory(b);
	}
	return add_retired_routes(b, rows, n, by_id);
}

/* ---- products ---------------------------------------------------------------------------------------------------------------- */

static int by_api_product(const void *x, const void *y)
{
	const struct store_product_api *a = x, *b = y;
	int c = str_cmp(a->api_id, b->api_id);

	return c ? c : str_cmp(a->product_id, b->product_id);
}

static gh_rc add_products(struct build *b, const struct store_api *rows, size_t n, const struct map *by_id)
{
	struct store_product_api *links;
	size_t n_links, at = 0;

	TRY(store_product_apis(b->store, b->rows, &links, &n_links, b->err));
	if (n_links)
		qsort(links, n_links, sizeof(*links), by_api_product);
	for (size_t i = 0; i < n; i++) {
		struct str key = arena_printf(b->rows, "%.*s;%lld", STR_ARG(rows[i].id), (long long)rows[i].revision);
		struct snap_api *api = map_get(by_id, key);
		const struct snap_product **list;
		size_t to, k = 0;

		while (at < n_links && str_cmp(links[at].api_id, rows[i].id) < 0)
			at++;
		for (to = at; to < n_links && str_eq(links[to].api_id, rows[i].id); to++)
			;
		if (!api)
			continue;
		list = arena_alloc(b->a, to - at, sizeof(*list));
		if (!list)
			return no_memory(b);
		for (size_t p = at; p < to; p++)
			if ((list[k] = map_get(&b->s->priv->products, links[p].product_id)))
				k++;
		api->products = list;
		api->n_products = k;
		TRY(build_api_rules(b, api));
	}
	return GH_RC_OK;
}

gh_rc build_apis(struct build *b)
{
	struct store_version_set *sets;
	struct store_api *rows;
	struct map by_id;
	size_t n_sets, n;

	map_init(&by_id, b->rows, false);
	TRY(store_version_sets(b->store, b->rows, &sets, &n_sets, b->err));
	for (size_t i = 0; i < n_sets; i++)
		if (!map_put(&b->version_sets, sets[i].id, &sets[i]))
			return no_memory(b);
	TRY(store_api_revisions(b->store, b->rows, &rows, &n, b->err));
	TRY(add_apis(b, rows, n, &by_id));
	return add_products(b, rows, n, &by_id);
}
