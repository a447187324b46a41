#include "portal/portal/json.h"

#include "core/clock.h"
#include "core/str.h"
#include "portal/portal/catalog.h"
#include "portal/web/markdown.h"

/* APIs, operations and products as JSON: the same that the catalog's pages show to the same person. */

/* A result of a search marks what was found. */
static struct str plain(struct arena *a, struct str s)
{
	struct buf b;
	struct str out;

	buf_init(&b, s.n + 1);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != STORE_MARK_ON && s.p[i] != STORE_MARK_OFF)
			buf_char(&b, s.p[i]);
	out = arena_dup(a, buf_view(&b));
	buf_release(&b);
	return out;
}

static json_t *api_short(struct arena *a, const struct store_catalog_row *row, bool found)
{
	const struct store_api api = { .state = row->state, .deprecated_us = row->deprecated_us, .sunset_us = row->sunset_us };
	struct str name = row->name.n ? plain(a, row->name) : row->id;

	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:b}", "id", portal_json_text(row->id), "name", portal_json_text(name), "summary",
			 portal_json_text(found ? plain(a, row->description) : web_markdown_summary(a, row->description)), "version",
			 portal_json_text(row->version.p ? row->version : STR("")), "state",
			 store_api_state_names[store_api_state_at(&api, clock_wall_us())], "deprecatedAt", portal_json_time(row->deprecated_us),
			 "sunsetAt", portal_json_time(row->sunset_us), "path", portal_json_text(row->path), "subscriptionRequired",
			 (int)row->subscription_required);
}

gh_rc portal_json_apis(struct web *w, struct gh_err *err)
{
	bool found = str_trim(web_param(&w->rq.query, "q")).n > 0;
	struct store_catalog_row *rows;
	struct portal_window win;
	json_t *items;
	size_t n;

	TRY(portal_catalog_rows(w, &rows, &n, err));
	win = portal_json_window(w, n);
	if (!found)
		TRY(store_catalog_describe(w->site->store, w->a, rows + win.from, win.n, err));
	items = json_array();
	for (size_t i = win.from; i < win.from + win.n; i++)
		json_array_append_new(items, api_short(w->a, &rows[i], found));
	return portal_json_list(w, &win, items, err);
}

static GH_RC versions(struct web *w, const struct store_api *api, json_t *list, struct gh_err *err)
{
	struct store_api *v;
	size_t n = 0;

	if (api->version_set_id.n)
		TRY(store_catalog_versions(w->site->store, w->a, portal_viewer(w), api->version_set_id, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:s}", "id", portal_json_text(v[i].id), "version",
						      portal_json_text(v[i].version.p ? v[i].version : STR("")), "state",
						      store_api_state_names[store_api_state_at(&v[i], clock_wall_us())]));
	return GH_RC_OK;
}

static GH_RC products_of(struct web *w, const struct store_api *api, json_t *products, json_t *groups, struct gh_err *err)
{
	struct store_product *p;
	size_t n;

	TRY(store_catalog_products_of(w->site->store, w->a, portal_viewer(w), api->id, &p, &n, err));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(p[i].kind == STORE_KIND_API_GROUP ? groups : products, json_pack("{s:o, s:o}", "id", portal_json_text(p[i].id), "name",
						      portal_json_text(p[i].name.n ? p[i].name : p[i].id)));
	return GH_RC_OK;
}

gh_rc portal_json_api(struct web *w, struct gh_err *err)
{
	struct store_catalog_row row;
	struct store_api api;
	struct str address;
	json_t *v;

	TRY(portal_find_api(w, w->rq.args[0], &api, err));
	TRY(portal_base_address(w, &api, &address, err));
	row = (struct store_catalog_row){ .id = api.id, .name = api.name, .path = api.path, .description = api.description, .version = api.version,
					  .subscription_required = api.subscription_required, .state = api.state,
					  .deprecated_us = api.deprecated_us, .sunset_us = api.sunset_us };
	v = jsn_keep(w->a, api_short(w->a, &row, false));
	if (!v)
		FAIL(err, NOMEM, "API");
	json_object_set_new(v, "description", portal_json_text(api.description.p ? api.description : STR("")));
	json_object_set_new(v, "address", portal_json_text(address));
	json_object_set_new(v, "keyHeader", portal_json_text(portal_key_header(&api)));
	json_object_set_new(v, "versions", json_array());
	json_object_set_new(v, "products", json_array());
	json_object_set_new(v, "groups", json_array());
	TRY(versions(w, &api, json_object_get(v, "versions"), err));
	TRY(products_of(w, &api, json_object_get(v, "products"), json_object_get(v, "groups"), err));
	return web_json(w, 200, "application/json", v, err);
}

static json_t *operation(const struct store_operation *op)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "id", portal_json_text(op->id), "method", portal_json_text(op->method), "template",
			 portal_json_text(op->uri_template), "name", portal_json_text(op->name.n ? op->name : op->id));
}

gh_rc portal_json_operations(struct web *w, struct gh_err *err)
{
	struct store_operation *ops;
	struct portal_window win;
	struct store_api api;
	json_t *items;
	size_t n;

	TRY(portal_find_api(w, w->rq.args[0], &api, err));
	TRY(store_operations_of(w->site->store, w->a, api.id, 0, &ops, &n, err));
	win = portal_json_window(w, n);
	items = json_array();
	for (size_t i = win.from; i < win.from + win.n; i++)
		json_array_append_new(items, operation(&ops[i]));
	return portal_json_list(w, &win, items, err);
}

gh_rc portal_json_operation(struct web *w, struct gh_err *err)
{
	const struct store_operation *op = NULL;
	struct store_operation *ops;
	struct store_api api;
	struct str address;
	json_t *v;
	size_t n;

	TRY(portal_find_api(w, w->rq.args[0], &api, err));
	TRY(store_operations_of(w->site->store, w->a, api.id, 0, &ops, &n, err));
	for (size_t i = 0; i < n && !op; i++)
		if (str_eq(ops[i].id, w->rq.args[1]))
			op = &ops[i];
	if (!op)
		FAIL(err, NOT_FOUND, "no such operation");
	TRY(portal_base_address(w, &api, &address, err));
	v = operation(op);
	json_object_set_new(v, "description", portal_json_text(op->description.p ? op->description : STR("")));
	json_object_set_new(v, "address", portal_json_text(arena_printf(w->a, "%.*s%.*s", STR_ARG(address), STR_ARG(op->uri_template))));
	return portal_json_answer(w, 200, v, err);
}

/* ---- products ---------------------------------------------------------------------------------------------------------------- */

static GH_RC product(struct web *w, const struct store_product *p, json_t **out, struct gh_err *err)
{
	struct portal_limits limits;
	json_t *list;

	TRY(portal_limits(w, p->id, &limits, err));
	list = json_array();
	for (size_t i = 0; i < limits.n; i++)
		json_array_append_new(list, portal_json_text(limits.words[i]));
	*out = json_pack("{s:o, s:o, s:o, s:b, s:s, s:o}", "id", portal_json_text(p->id), "name", portal_json_text(p->name.n ? p->name : p->id),
			 "summary", portal_json_text(web_markdown_summary(w->a, p->description)), "subscriptionRequired",
			 (int)p->subscription_required, "approval", p->approval == STORE_APPROVAL_MANUAL ? "manual" : "auto", "limits", list);
	if (!*out)
		FAIL(err, NOMEM, "product");
	return GH_RC_OK;
}

static GH_RC tiers(struct web *w, const struct store_product *p, json_t *list, struct gh_err *err)
{
	struct store_tier *v;
	size_t n;

	TRY(store_tiers(w->site->store, w->a, p->id, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct store_limit *limits;
		json_t *words;
		size_t k;

		if (v[i].deprecated)
			continue;
		TRY(store_tier_limits(w->site->store, w->a, v[i].id, &limits, &k, err));
		words = json_array();
		for (size_t j = 0; j < k; j++)
			json_array_append_new(words, portal_json_text(portal_stored_limit_words(w, &limits[j])));
		json_array_append_new(list, json_pack("{s:o, s:o, s:s, s:o}", "id", portal_json_text(v[i].id), "name",
						      portal_json_text(v[i].name.n ? v[i].name : v[i].id), "approval",
						      v[i].approval == STORE_APPROVAL_MANUAL ? "manual" : "auto", "limits", words));
	}
	return GH_RC_OK;
}

static GH_RC list_kind(struct web *w, enum store_product_kind kind, struct gh_err *err)
{
	struct portal_window win;
	struct portal_sight s;
	json_t *items = json_array(), *one;

	if (!jsn_keep(w->a, items))
		FAIL(err, NOMEM, "products");
	TRY(portal_sight_load(w, &s, err));
	win = portal_json_window(w, portal_sight_of_kind(&s, kind));
	for (size_t i = win.from; i < win.from + win.n; i++) {
		TRY(product(w, &s.products[i], &one, err));
		json_array_append_new(items, one);
	}
	return portal_json_list(w, &win, json_incref(items), err);
}

gh_rc portal_json_products(struct web *w, struct gh_err *err)
{
	return list_kind(w, STORE_KIND_PRODUCT, err);
}

gh_rc portal_json_groups(struct web *w, struct gh_err *err)
{
	return list_kind(w, STORE_KIND_API_GROUP, err);
}

static GH_RC show_kind(struct web *w, enum store_product_kind kind, struct gh_err *err)
{
	const struct store_product *p;
	struct portal_sight s;
	json_t *v, *apis;

	TRY(portal_sight_load(w, &s, err));
	p = portal_sight_product(&s, w->rq.args[0]);
	if (!p || p->kind != (int64_t)kind)
		FAIL(err, NOT_FOUND, kind == STORE_KIND_PRODUCT ? "no such product" : "no such API group");
	TRY(product(w, p, &v, err));
	if (!jsn_keep(w->a, v))
		FAIL(err, NOMEM, "product");
	json_object_set_new(v, "tiers", json_array());
	TRY(tiers(w, p, json_object_get(v, "tiers"), err));
	apis = json_array();
	for (size_t i = 0; i < s.n_links; i++) {
		const struct store_catalog_name *api = str_eq(s.links[i].product_id, p->id) ? portal_sight_find(&s, s.links[i].api_id) : NULL;

		if (api)
			json_array_append_new(apis, json_pack("{s:o, s:o}", "id", portal_json_text(api->id), "name",
							      portal_json_text(api->name.n ? api->name : api->id)));
	}
	json_object_set_new(v, "apis", apis);
	json_object_set_new(v, "description", portal_json_text(p->description.p ? p->description : STR("")));
	json_object_set_new(v, "terms", portal_json_text(p->terms.p ? p->terms : STR("")));
	return portal_json_answer(w, 200, json_incref(v), err);
}

gh_rc portal_json_product(struct web *w, struct gh_err *err)
{
	return show_kind(w, STORE_KIND_PRODUCT, err);
}

gh_rc portal_json_group(struct web *w, struct gh_err *err)
{
	return show_kind(w, STORE_KIND_API_GROUP, err);
}
