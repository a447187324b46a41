/* kind_product.c - products with the APIs in them and the groups that may see them. */
#include "config/kind.h"

#include "config/rights.h"
#include "core/str.h"
#include "db/products.h"

static const char *const states[] = { "draft", "published", NULL }, *const approvals[] = { "auto", "manual", NULL },
	*const kinds[] = { "product", "api-group", NULL }, *const priorities[] = { "normal", "high", "low", NULL };

static const struct resource_field fields[] = {
	FIELD_ID("Names the product: letters, digits, '-', '.', '_'", store_product, id),
	{ .name = "name", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Name", .most = 300,
	  .description = "What developers read", AT(store_product, name) },
	{ .name = "kind", .type = RESOURCE_ENUM, .values = kinds, .flags = RESOURCE_FIXED, .otherwise = "\"product\"", .label = "Kind",
	  .description = "A product, or a group of APIs that act as one with one contract", AT(store_product, kind) },
	{ .name = "description", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Description",
	  .description = "What it is for, in Markdown", AT(store_product, description) },
	{ .name = "terms", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Terms",
	  .description = "What a subscriber agrees to", AT(store_product, terms) },
	{ .name = "state", .type = RESOURCE_ENUM, .values = states, .otherwise = "\"published\"", .label = "State",
	  .description = "Whether the portal shows it", AT(store_product, state) },
	{ .name = "subscriptionRequired", .type = RESOURCE_BOOL, .otherwise = "true", .label = "Key required",
	  .description = "Whether calls need a subscription key", AT(store_product, subscription_required) },
	{ .name = "approval", .type = RESOURCE_ENUM, .values = approvals, .otherwise = "\"auto\"", .label = "Approval",
	  .description = "Whether somebody decides on each new subscription", AT(store_product, approval) },
	{ .name = "subscriptionsLimit", .type = RESOURCE_INT, .least = 0, .most = 1000000, .label = "Subscriptions of one person",
	  .description = "How many subscriptions one person may have to it; 0: any number", AT(store_product, subscriptions_limit) },
	{ .name = "priority", .type = RESOURCE_ENUM, .values = priorities, .otherwise = "\"normal\"", .label = "Priority",
	  .description = "When a gateway is busy it refuses calls of low priority first, then normal ones", AT(store_product, priority) },
	{ .name = "businessGroup", .type = RESOURCE_REF, .ref = "business-group", .otherwise = "\"default\"", .label = "Business group",
	  .description = "Who owns it", AT(store_product, business_group_id) },
	{ .name = "apis", .type = RESOURCE_REFS, .ref = "api", .label = "APIs", .description = "The APIs that it opens",
	  .offset = RESOURCE_BY_HAND },
	{ .name = "groups", .type = RESOURCE_REFS, .ref = "group", .label = "Groups",
	  .description = "Whose members see it and may subscribe; none: everybody", .offset = RESOURCE_BY_HAND },
	{ .name = "created", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Made", .description = "When it was made",
	  AT(store_product, created_us) },
	FIELD_END,
};

static void check_id(struct resource_change *c, struct str id)
{
	struct gh_err why;

	if (store_check_id("product", id, &why).code)
		resource_problem(c, &kind_product, id, STR("/id"), "%s", why.message);
}

static GH_RC find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_product_find(s, a, id, row, found, err);
}

static GH_RC show(struct store *s, struct arena *a, const void *row, json_t *doc, struct gh_err *err)
{
	const struct store_product *p = row;
	struct str *ids;
	size_t n;

	TRY(store_product_api_ids(s, a, p->id, &ids, &n, err));
	json_object_set_new(doc, "apis", resource_id_list(ids, n));
	TRY(store_product_groups(s, a, p->id, &ids, &n, err));
	json_object_set_new(doc, "groups", resource_id_list(ids, n));
	return GH_RC_OK;
}

static bool lists(const json_t *list, struct str id)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (str_eq(jsn_string(json_array_get(list, i)), id))
			return true;
	return false;
}

/* What a product opens is given away to its subscribers: who may see an API only, or owns the product's business group only, does not
 * open it. What is in it already may stay. */
static GH_RC check(struct resource_put *p, struct gh_err *err)
{
	char pointer[40];
	size_t i;
	json_t *v;

	json_array_foreach(store_viewer(p->s) ? jsn_get(p->doc, "apis") : NULL, i, v) {
		bool may = lists(jsn_get(p->before, "apis"), jsn_string(v));

		if (!may)
			TRY(resource_has_right(p->s, &kind_api, jsn_string(v), RIGHT_CHANGE_PRODUCTS, true, &may, err));
		snprintf(pointer, sizeof(pointer), "/apis/%zu", i);
		if (!may)
			put_problem(p, pointer, "the API '%.*s' is in an environment where you may not change products; ask somebody who may",
				    STR_ARG(str_first(jsn_string(v), 200)));
	}
	return GH_RC_OK;
}

static GH_RC save(struct resource_put *p, struct gh_err *err)
{
	TRY(p->exists ? store_product_update(p->s, p->row, err) : store_product_create(p->s, p->row, err));
	TRY(put_links(p, "apis", store_product_api_ids, store_product_add_api, store_product_remove_api, err));
	return put_links(p, "groups", store_product_groups, store_product_add_group, store_product_remove_group, err);
}

static GH_RC drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_product_delete(s, id, err);
}

static const struct resource_ops ops = {
	.row_size = sizeof(struct store_product), .store = STORE_RESOURCE_PRODUCT, .check_id = check_id, .find = find, .show = show,
	.check = check, .save = save, .drop = drop,
};

const struct resource_kind kind_product = {
	.name = "product", .plural = "products", .title = "Product",
	.description = "What developers subscribe to: a set of APIs, and who may have it. Its limits are its policy.",
	.area = RESOURCE_AREA_PRODUCTS, .fields = fields, .ops = &ops,
	.filters = { { "state", "Only products in this state", states }, { "api", "Only products that open this API", NULL } },
};
