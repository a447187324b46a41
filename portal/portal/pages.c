#include "portal/portal/docs.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/environments.h"
#include "portal/portal/catalog.h"
#include "portal/web/markdown.h"

/* TAGS_SHOWN of one API, its own first; operations that are more than fit a screen can be searched. */
enum { TAGS_SHOWN = 30, OPERATIONS_SEARCH = 15 };

static bool holds(struct str text, struct str part)
{
	for (; text.n >= part.n; text = str_from(text, 1))
		if (str_starts_ci(text, part))
			return true;
	return false;
}

void portal_put_api(struct web *w, struct liquid_record *r, const struct store_api *api)
{
	liquid_set_text(r, "id", api->id);
	liquid_set_text(r, "name", api->name.n ? api->name : api->id);
	liquid_set_text(r, "summary", web_markdown_summary(w->a, api->description));
	liquid_set_text(r, "version", api->version.p ? api->version : STR(""));
	liquid_set_text(r, "path", api->path);
	liquid_set_bool(r, "needs_key", api->subscription_required);
	liquid_set_bool(r, "found", false);
	portal_put_life(w, r, &(struct portal_life){ api->state, api->deprecated_us, api->sunset_us }, clock_wall_us());
}

struct str portal_key_header(const struct store_api *api)
{
	return api->key_header.n ? api->key_header : STR("Ocp-Apim-Subscription-Key");
}

/* ---- one API ------------------------------------------------------------------------------------------------------- */

gh_rc portal_base_address(struct web *w, const struct store_api *api, struct str *out, struct gh_err *err)
{
	struct str gateway = config_text(&w->site->config, CONFIG_GATEWAY_BASE_PATH), host;
	struct store_environment env = { .id = STR_NULL };
	struct store_version_set set = { .id = STR_NULL };
	bool found, by_segment = false;

	TRY(store_environment_find(w->site->store, w->a, api->environment_id, &env, &found, err));
	if (api->version_set_id.n && api->version.n) {
		TRY(store_version_set_find(w->site->store, w->a, api->version_set_id, &set, &found, err));
		by_segment = found && str_eq(set.scheme, STR("segment"));
	}
	while (gateway.n && gateway.p[gateway.n - 1] == '/')
		gateway.n--;
	host = env.host.n ? env.host : w->rq.host;
	*out = arena_printf(w->a, "%s%.*s%.*s%s%.*s%s%.*s%s%.*s", !host.n ? "" : w->rq.tls ? "https://" : "http://",
			    STR_ARG(host), STR_ARG(gateway), env.path_prefix.n ? "/" : "", STR_ARG(env.path_prefix),
			    api->path.n ? "/" : "", STR_ARG(api->path), by_segment ? "/" : "",
			    STR_ARG(by_segment ? api->version : STR("")));
	if (!out->p)
		FAIL(err, NOMEM, "address");
	return GH_RC_OK;
}

/* The other versions, the newest first. */
static GH_RC put_versions(struct web *w, const struct store_api *api, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(w->page, "versions");
	struct store_api *v, moved;
	size_t n, to;

	if (!api->version_set_id.n)
		return GH_RC_OK;
	TRY(store_catalog_versions(w->site->store, w->a, portal_viewer(w), api->version_set_id, &v, &n, err));
	for (size_t i = 1; i < n; i++) {
		moved = v[i];
		for (to = i; to && portal_version_cmp(v[to - 1].version, moved.version) < 0; to--)
			v[to] = v[to - 1];
		v[to] = moved;
	}
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(l);

		portal_put_api(w, r, &v[i]);
		liquid_set_text(r, "label", v[i].version.n ? v[i].version : STR("original"));
		liquid_set_bool(r, "here", str_eq(v[i].id, api->id));
	}
	return GH_RC_OK;
}

static GH_RC put_tags(struct web *w, const struct store_api *api, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(w->page, "tags");
	struct store_tag *tags;
	size_t n;

	TRY(store_api_tags(w->site->store, w->a, api->id, &tags, &n, err));
	for (size_t i = 0; i < n && i < TAGS_SHOWN; i++)
		liquid_set_text(liquid_push_record(l), "tag", tags[i].tag);
	return GH_RC_OK;
}

static GH_RC put_products(struct web *w, const struct store_api *api, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(w->page, "products");
	struct store_product *in;
	size_t n;

	TRY(store_catalog_products_of(w->site->store, w->a, portal_viewer(w), api->id, &in, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(l);

		liquid_set_text(r, "id", in[i].id);
		liquid_set_text(r, "place", portal_product_place(in[i].kind));
		liquid_set_text(r, "name", in[i].name.n ? in[i].name : in[i].id);
		liquid_set_text(r, "description", web_markdown_summary(w->a, in[i].description));
	}
	return GH_RC_OK;
}

void portal_put_operation(struct liquid_record *r, const struct store_operation *op)
{
	liquid_set_text(r, "id", op->id);
	liquid_set_text(r, "method", op->method);
	liquid_set_text(r, "template", op->uri_template);
	liquid_set_text(r, "name", op->name.n ? op->name : op->id);
}

/* Keeps the operations that hold the text; returns how many. */
static size_t search_operations(struct store_operation *ops, size_t n, struct str text)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!text.n || holds(ops[i].name, text) || holds(ops[i].uri_template, text) || holds(ops[i].id, text)
		    || str_eq_ci(ops[i].method, text))
			ops[kept++] = ops[i];
	return kept;
}

gh_rc portal_api(struct web *w, struct gh_err *err)
{
	struct str address, search = web_param(&w->rq.query, "q");
	struct liquid_value description;
	struct liquid_list *operations;
	struct store_operation *ops;
	struct store_api found;
	const struct store_api *api = &found;
	size_t n, from;

	TRY(portal_find_api(w, w->rq.args[0], &found, err));
	TRY(portal_base_address(w, api, &address, err));
	TRY(store_operations_of(w->site->store, w->a, api->id, 0, &ops, &n, err));
	TRY(web_markdown(w->a, api->description, &description, err));
	portal_put_api(w, liquid_set_record(w->page, "api"), api);
	liquid_set(w->page, "description", description);
	liquid_set_text(w->page, "address", address);
	liquid_set_text(w->page, "key_header", portal_key_header(api));
	TRY(portal_put_guides(w, api->id, STR(""), err));
	TRY(portal_put_downloads(w, api, err));
	TRY(put_versions(w, api, err));
	TRY(put_tags(w, api, err));
	TRY(put_products(w, api, err));
	operations = liquid_set_list(w->page, "operations");
	liquid_set_bool(w->page, "operations_many", n > OPERATIONS_SEARCH);
	search = str_first(str_trim(search.p ? search : STR("")), 200);
	n = search_operations(ops, n, search);
	liquid_set_int(w->page, "operations_total", (int64_t)n);
	n = web_slice(w, n, WEB_OPERATIONS_ROWS, &from);
	liquid_set_text(w->page, "search", search);
	for (size_t i = from; i < from + n; i++)
		portal_put_operation(liquid_push_record(operations), &ops[i]);
	liquid_set_text(w->page, "title", api->name.n ? api->name : api->id);
	return web_page(w, "api", err);
}
