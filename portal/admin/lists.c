#include "portal/admin/admin.h"

#include "core/clock.h"
#include "core/str.h"
#include "core/uri.h"
#include "db/requests.h"

/* The lists of products and subscriptions, and what every list shares: search, pages. */

enum { PRODUCT_APIS = 6 };               /* that a product's row names */

struct store_page admin_window(struct web *w)
{
	struct str search = web_param(&w->rq.query, "q"), page = web_param(&w->rq.query, "page");
	struct store_page window = { .limit = ADMIN_PAGE_ROWS + 1 };
	uint64_t n = 1;

	search = str_first(str_trim(search.p ? search : STR("")), 200);
	if (!page.n || !str_to_u64(page, 100000, &n) || !n)
		n = 1;
	window.search = search.n ? search : STR_NULL;
	window.offset = (size_t)(n - 1) * ADMIN_PAGE_ROWS;
	liquid_set_text(w->page, "search", search);
	liquid_set_int(w->page, "page_number", (int64_t)n);
	return window;
}

struct str admin_query(struct web *w, const char *const pairs[])
{
	const struct web_params *q = &w->rq.query;
	struct buf b;
	struct str out;

	buf_init(&b, 8192);
	for (size_t i = 0; i < q->n; i++) {
		bool replaced = !q->v[i].value.n;

		for (size_t k = 0; pairs[k]; k += 2)
			replaced = replaced || str_eq(q->v[i].name, str_of(pairs[k]));
		if (!replaced)
			buf_fmt(&b, "%c%.*s=%.*s", b.n ? '&' : '?', STR_ARG(uri_encode(w->a, q->v[i].name, URI_KEEP_UNRESERVED)),
				STR_ARG(uri_encode(w->a, q->v[i].value, URI_KEEP_UNRESERVED)));
	}
	for (size_t k = 0; pairs[k]; k += 2)
		if (pairs[k + 1][0])
			buf_fmt(&b, "%c%s=%.*s", b.n ? '&' : '?', pairs[k], STR_ARG(uri_encode(w->a, str_of(pairs[k + 1]), URI_KEEP_UNRESERVED)));
	out = arena_dup(w->a, b.n ? buf_view(&b) : STR("?"));
	buf_release(&b);
	return out.p ? out : STR("?");
}

int64_t admin_before(struct web *w)
{
	int64_t before;

	return str_to_i64(web_param(&w->rq.query, "before"), 1, INT64_MAX, &before) ? before : 0;
}

void admin_put_older(struct web *w, int64_t before, int64_t next)
{
	char last[24];

	snprintf(last, sizeof(last), "%lld", (long long)next);
	liquid_set_text(w->page, "next_page", next ? admin_query(w, (const char *const[]){ "before", last, NULL }) : STR(""));
	liquid_set_text(w->page, "previous_page", before ? admin_query(w, (const char *const[]){ "before", "", NULL }) : STR(""));
}

/* `by` pages on; "" when there is none. */
static void put_page_link(struct web *w, const char *name, int by)
{
	struct str page = web_param(&w->rq.query, "page");
	uint64_t n = 1;
	char to[24];

	if (!page.n || !str_to_u64(page, 100000, &n) || !n)
		n = 1;
	snprintf(to, sizeof(to), "%lld", (long long)n + by);
	liquid_set_text(w->page, name, by && (long long)n + by > 0 ? admin_query(w, (const char *const[]){ "page", to, NULL }) : STR(""));
}

void admin_page_links(struct web *w, bool more)
{
	liquid_set_bool(w->page, "more", more);
	put_page_link(w, "next_page", more ? 1 : 0);
	put_page_link(w, "previous_page", -1);
}

size_t admin_pages(struct web *w, size_t rows)
{
	bool more = rows > ADMIN_PAGE_ROWS;

	admin_page_links(w, more);
	return more ? ADMIN_PAGE_ROWS : rows;
}

static struct str or_id(struct str name, struct str id)
{
	return name.n ? name : id;
}

static GH_RC fetch_products(struct web *w, const void *kind, const struct store_page *window, void **rows, size_t *n, struct gh_err *err)
{
	struct store_product *v;

	TRY(store_products_of_kind(w->site->store, w->a, *(const enum store_product_kind *)kind, window, &v, n, err));
	*rows = v;
	return GH_RC_OK;
}

static struct str product_id(struct web *w UNUSED, const void *row)
{
	return ((const struct store_product *)row)->id;
}

static GH_RC list_products(struct web *w, enum store_product_kind kind, struct gh_err *err)
{
	const struct admin_source from = { "product", sizeof(struct store_product), fetch_products, product_id, &kind };
	struct store_page window = admin_window(w);
	struct liquid_list *list = liquid_set_list(w->page, "products");
	struct store_product *products;
	void *rows;
	size_t n;

	TRY(admin_rows(w, &from, &window, &rows, &n, err));
	products = rows;
	n = admin_pages(w, n);
	for (size_t i = 0; i < n; i++) {
		struct store_subscription_filter f = { .product_id = products[i].id, .state = STORE_SUB_ACTIVE };
		struct liquid_record *r;
		struct liquid_list *names;
		struct store_api *apis;
		const struct store_page first = { .limit = PRODUCT_APIS };
		int64_t count, total;
		size_t k;

		r = liquid_push_record(list);
		names = liquid_set_list(r, "apis");
		TRY(store_apis_of_product(w->site->store, w->a, products[i].id, &first, &apis, &k, err));
		TRY(store_apis_of_product_count(w->site->store, products[i].id, &total, err));
		TRY(store_subscriptions_count(w->site->store, &f, &count, err));
		liquid_set_text(r, "more_apis", total > PRODUCT_APIS ? web_number(w, total - PRODUCT_APIS) : STR(""));
		for (size_t j = 0; j < k; j++) {
			struct liquid_record *api = liquid_push_record(names);

			liquid_set_text(api, "id", apis[j].id);
			liquid_set_text(api, "name", or_id(apis[j].name, apis[j].id));
		}
		liquid_set_text(r, "id", products[i].id);
		liquid_set_text(r, "name", or_id(products[i].name, products[i].id));
		liquid_set_text(r, "description", products[i].description.n ? products[i].description : STR(""));
		liquid_set_bool(r, "published", products[i].state == STORE_PRODUCT_PUBLISHED);
		liquid_set_bool(r, "by_hand", products[i].approval == STORE_APPROVAL_MANUAL);
		liquid_set_bool(r, "needs_key", products[i].subscription_required);
		liquid_set_text(r, "subscriptions", web_number(w, count));
	}
	liquid_set_bool(w->page, "may_change", web_may(w, WEB_CHANGE_PRODUCTS));
	liquid_set_bool(w->page, "groups", kind == STORE_KIND_API_GROUP);
	liquid_set_text(w->page, "title", kind == STORE_KIND_API_GROUP ? STR("API groups") : STR("Products"));
	return web_page(w, "products", err);
}

gh_rc admin_products(struct web *w, struct gh_err *err)
{
	return list_products(w, STORE_KIND_PRODUCT, err);
}

gh_rc admin_groups(struct web *w, struct gh_err *err)
{
	return list_products(w, STORE_KIND_API_GROUP, err);
}

/* What a subscription opens, in words, and the API's id when it is one. */
static void put_scope(const struct store_subscription *s, struct liquid_record *r)
{
	liquid_set_text(r, "api_id", s->scope == STORE_SCOPE_API ? s->api_id : STR(""));
	liquid_set_text(r, "opens", s->scope == STORE_SCOPE_PRODUCT ? s->product_id : s->scope == STORE_SCOPE_API ? s->api_id
												: STR("all APIs"));
	liquid_set_text(r, "scope", s->scope == STORE_SCOPE_PRODUCT ? STR("Product") : s->scope == STORE_SCOPE_API ? STR("API")
											   : STR("Everything"));
}

static GH_RC put_owner(struct web *w, const struct store_subscription *s, struct liquid_record *r, struct gh_err *err)
{
	struct store_application app;
	struct store_user user;
	bool found;

	liquid_set_text(r, "owner", STR(""));
	if (s->application_id.n) {
		TRY(store_application_find(w->site->store, w->a, s->application_id, &app, &found, err));
		if (found)
			liquid_set_text(r, "owner", or_id(app.name, app.id));
	} else if (s->user_id.n) {
		TRY(store_user_find(w->site->store, w->a, s->user_id, &user, &found, err));
		if (found)
			liquid_set_text(r, "owner", user.email);
	}
	return GH_RC_OK;
}

/* "?state=submitted" narrows the list; the template offers each state. */
static void put_states(struct web *w, struct store_subscription_filter *f)
{
	struct liquid_list *list = liquid_set_list(w->page, "states");
	struct str state = web_param(&w->rq.query, "state");

	liquid_set_text(w->page, "state", STR(""));
	for (int i = 0; store_subscription_state_names[i]; i++) {
		struct str name = str_of(store_subscription_state_names[i]);
		struct liquid_record *r = liquid_push_record(list);
		bool here = str_eq(state, name);

		liquid_set_text(r, "value", name);
		liquid_set_bool(r, "here", here);
		if (!here)
			continue;
		f->state = i;
		liquid_set_text(w->page, "state", name);
	}
}

static struct str subscription_id(struct web *w UNUSED, const void *row)
{
	return ((const struct store_subscription *)row)->id;
}

/* "?state=asking": those whose owners wish for another tier, the oldest wish first. */
static GH_RC fetch_asking(struct web *w, const void *ctx UNUSED, const struct store_page *window, void **rows, size_t *n, struct gh_err *err)
{
	struct store_subscription *out;
	struct store_request *wishes;
	size_t count, kept = 0;
	bool found;

	TRY(store_tier_wishes(w->site->store, w->a, STR_NULL, window->offset + window->limit, &wishes, &count, err));
	*rows = out = arena_alloc(w->a, count + 1, sizeof(*out));
	if (!out)
		FAIL(err, NOMEM, "subscriptions");
	for (size_t i = window->offset; i < count; i++) {
		TRY(store_subscription_find(w->site->store, w->a, wishes[i].subscription_id, &out[kept], &found, err));
		kept += found;
	}
	*n = kept;
	return GH_RC_OK;
}

/* Those that the account may see of many: their ids come in the order of ids, however many are passed over. */
static GH_RC subscriptions_in_sight(struct web *w, const struct store_subscription_filter *wanted, const struct store_page *window,
				    struct store_subscription **out, size_t *n, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(STR("subscription"));
	struct resource_query q = { .search = window->search, .limit = RESOURCE_LIST_MAX };
	size_t got, passed = 0;
	struct str *ids;
	bool found;

	for (size_t i = 0; k->filters[i].name; i++)
		if (wanted->state >= 0 && strcmp(k->filters[i].name, "state") == 0)
			q.values[i] = str_of(store_subscription_state_names[wanted->state]);
	*n = 0;
	*out = arena_alloc(w->a, window->limit, sizeof(**out));
	if (!*out)
		FAIL(err, NOMEM, "subscriptions");
	do {
		q.limit = window->offset + window->limit - passed < RESOURCE_LIST_MAX ? window->offset + window->limit - passed : RESOURCE_LIST_MAX;
		TRY(resource_ids(w->site->store, w->a, k, &q, &ids, &got, &q.after, err));
		for (size_t i = 0; i < got; i++) {
			if (passed++ < window->offset)
				continue;
			TRY(store_subscription_find(w->site->store, w->a, ids[i], &(*out)[*n], &found, err));
			*n += found;
		}
	} while (q.after.n && passed < window->offset + window->limit);
	return GH_RC_OK;
}

static GH_RC list_subscriptions(struct web *w, const struct store_subscription_filter *wanted, const struct store_page *window,
				struct store_subscription **out, size_t *n, struct gh_err *err)
{
	const struct admin_source asking = { "subscription", sizeof(struct store_subscription), fetch_asking, subscription_id, NULL };
	bool is_asking = str_eq(web_param(&w->rq.query, "state"), STR("asking"));
	void *rows;

	liquid_set_bool(w->page, "asking", is_asking);
	if (!is_asking)
		return admin_shows_all(w, "subscription") ? store_subscriptions(w->site->store, w->a, wanted, window, out, n, err)
							  : subscriptions_in_sight(w, wanted, window, out, n, err);
	liquid_set_text(w->page, "state", STR("asking"));
	TRY(admin_rows(w, &asking, window, &rows, n, err));
	*out = rows;
	return GH_RC_OK;
}

gh_rc admin_subscriptions(struct web *w, struct gh_err *err)
{
	struct store_subscription_filter wanted = { .state = -1 };
	struct store_page window = admin_window(w);
	struct liquid_list *list = liquid_set_list(w->page, "subscriptions");
	struct store_subscription *v;
	struct store_keys prefixes;
	size_t n;

	put_states(w, &wanted);
	TRY(list_subscriptions(w, &wanted, &window, &v, &n, err));
	n = admin_pages(w, n);
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(list);

		TRY(store_subscription_prefixes(w->site->store, w->a, v[i].id, &prefixes, err));
		TRY(put_owner(w, &v[i], r, err));
		put_scope(&v[i], r);
		admin_put_actions(w, r, v[i].state);
		TRY(admin_put_request(w, r, &v[i], err));
		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "name", or_id(v[i].name, v[i].id));
		liquid_set_text(r, "state", str_of(store_subscription_state_names[v[i].state]));
		liquid_set_text(r, "primary", prefixes.primary.n ? prefixes.primary : STR(""));
		liquid_set_text(r, "secondary", prefixes.secondary.n ? prefixes.secondary : STR(""));
		liquid_set_text(r, "created", web_date(w, v[i].created_us));
		liquid_set_text(r, "ends", v[i].ends_us ? web_date(w, v[i].ends_us) : STR(""));
	}
	liquid_set_bool(w->page, "may_change", web_may(w, WEB_MANAGE_SUBSCRIPTIONS));
	admin_put_bulk(w, "subscriptions");
	liquid_set_text(w->page, "title", STR("Subscriptions"));
	return web_page(w, "subscriptions", err);
}
