/* start.c - the first steps: from nothing to a protected call. What is done is told from the store, so the page may be left and
 * opened again at any time. */
#include "portal/admin/admin.h"

#include "core/str.h"
#include "core/uri.h"
#include "db/api_list.h"
#include "db/policies.h"

struct steps {
	struct web *w;
	struct liquid_list *list;
	bool open;                               /* the first step that is not done is the next one */
};

static void step(struct steps *s, bool done, const char *title, const char *help, struct str link, const char *label)
{
	struct liquid_record *r = liquid_push_record(s->list);

	liquid_set_text(r, "title", str_of(title));
	liquid_set_text(r, "help", str_of(help));
	liquid_set_text(r, "link", link);
	liquid_set_text(r, "label", str_of(label));
	liquid_set_bool(r, "done", done);
	liquid_set_bool(r, "next", !done && !s->open);
	s->open = s->open || !done;
}

/* The first API, or one that is called already; *called: any of the first ones was. */
static GH_RC find_api(struct web *w, struct store_api *api, bool *found, bool *called, struct gh_err *err)
{
	const struct store_api_filter published = { .state = STORE_API_PUBLISHED, .tracking = -1 };
	const struct store_page first = { .limit = 20 };
	struct store_api *v;
	int64_t last;
	size_t n;

	*called = false;
	TRY(store_api_list(w->site->store, w->a, &published, &first, &v, &n, NULL, err));
	*found = n > 0;
	if (n)
		*api = v[0];
	for (size_t i = 0; i < n && !*called; i++) {
		TRY(store_api_last_call(w->site->store, v[i].id, &last, err));
		*called = last > 0;
		if (*called)
			*api = v[i];
	}
	return GH_RC_OK;
}

/* A GET without parameters in its path, for a line to copy. */
static GH_RC put_call(struct web *w, const struct store_api *api, struct gh_err *err)
{
	struct str address, path = STR("/"), gateway = config_text(&w->site->config, CONFIG_GATEWAY_BASE_PATH);
	struct store_operation *v;
	struct gh_err why;
	size_t n;

	while (gateway.n && gateway.p[gateway.n - 1] == '/')
		gateway.n--;
	if (web_public_address(w, &address, &why).code)
		address = STR("https://your-gateway.example");
	TRY(store_operations_of(w->site->store, w->a, api->id, 0, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].method, STR("GET")) && str_find_char(v[i].uri_template, '{') == SIZE_MAX) {
			path = v[i].uri_template;
			break;
		}
	liquid_set_text(w->page, "call", arena_printf(w->a, "curl -H 'Ocp-Apim-Subscription-Key: YOUR-KEY' '%.*s%.*s/%.*s%s%.*s%.*s'", STR_ARG(address), STR_ARG(gateway),
						      STR_ARG(api->path), api->version.n ? "/" : "", STR_ARG(api->version), STR_ARG(path)));
	return GH_RC_OK;
}

gh_rc admin_start(struct web *w, struct gh_err *err)
{
	struct steps s = { .w = w, .list = liquid_set_list(w->page, "steps") };
	const struct store_subscription_filter active = { .state = STORE_SUB_ACTIVE };
	const struct store_page one = { .limit = 1 };
	struct store_product *products;
	struct store_policy *policies;
	struct store_api api = { .id = STR("") };
	int64_t subscriptions;
	bool found, called;
	size_t n_products, n_policies;

	TRY(find_api(w, &api, &found, &called, err));
	TRY(store_products(w->site->store, w->a, &one, &products, &n_products, err));
	TRY(store_policy_page(w->site->store, w->a, &one, &policies, &n_policies, err));
	TRY(store_subscriptions_count(w->site->store, &active, &subscriptions, err));
	step(&s, found, "Bring an API", "From its OpenAPI description, or by hand: where it stands and which backend answers.", STR("new-api"), "New API");
	step(&s, n_products > 0, "Make a product", "A product is what people subscribe to. Put the API into it.", STR("edit/products"), "New product");
	step(&s, n_policies > 0, "Protect it", "Write a policy: a limit of calls is one snippet away, or leave it to the product.",
	     found ? arena_printf(w->a, "policies/edit?scope=api:%.*s", STR_ARG(uri_encode(w->a, api.id, URI_KEEP_UNRESERVED))) : STR("policies"), "Open the policy");
	step(&s, subscriptions > 0, "Get a key", "A subscription has two keys; they are shown once, when it is made.",
	     n_products ? arena_printf(w->a, "edit/subscriptions?product=%.*s", STR_ARG(uri_encode(w->a, products[0].id, URI_KEEP_UNRESERVED)))
			: STR("edit/subscriptions"), "New subscription");
	step(&s, called, "Make the first call", "With the key it passes, without it is refused. A moment later it stands in the list of APIs.", STR(""), "");
	liquid_set_text(w->page, "call", STR(""));
	if (found)
		TRY(put_call(w, &api, err));
	liquid_set_bool(w->page, "finished", !s.open);
	liquid_set_text(w->page, "title", STR("First steps"));
	return web_page(w, "start", err);
}
