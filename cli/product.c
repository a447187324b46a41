/* product.c - `gatehouse product …`. The limits of a product are written as its policy document, so that the gateway has one
 * way of limiting calls. */
#include "cli/limit_option.h"
#include "cli/output.h"
#include "cli/product.h"
#include "cli/resource.h"
#include "core/str.h"
#include "db/products.h"

static const char *const approvals[] = { "auto", "manual", NULL };
static const char *const states[] = { "draft", "published", NULL };
static const char *const priorities[] = { "normal", "high", "low", NULL };

static const struct column columns[] = {
	{ "ID", "id", COLUMN_TEXT, offsetof(struct store_product, id), NULL },
	{ "NAME", "name", COLUMN_TEXT, offsetof(struct store_product, name), NULL },
	{ "STATE", "state", COLUMN_NAME, offsetof(struct store_product, state), states },
	{ "APPROVAL", "approval", COLUMN_NAME, offsetof(struct store_product, approval), approvals },
	{ "PRIORITY", "priority", COLUMN_NAME, offsetof(struct store_product, priority), priorities },
	{ "KEY", "subscriptionRequired", COLUMN_BOOL, offsetof(struct store_product, subscription_required), NULL },
};

static const char *const kinds[] = { [STORE_KIND_PRODUCT] = "product", [STORE_KIND_API_GROUP] = "API group" };

static gh_rc find(struct cli *c, struct store *s, enum store_product_kind kind, struct store_product *p, struct gh_err *err)
{
	bool found;

	TRY(store_product_find(s, c->arena, str_of(c->options.args[0]), p, &found, err));
	if (!found || p->kind != (int64_t)kind)
		FAIL(err, NOT_FOUND, "there is no %s '%.200s'", kinds[kind], c->options.args[0]);
	return GH_RC_OK;
}

/* ---- limits ----------------------------------------------------------------------------------------------------------- */

static struct str limits_document(struct cli *c, struct store_limit rate, struct store_limit quota)
{
	struct str first = STR(""), second = STR("");

	if (rate.calls)
		first = arena_printf(c->arena, "\t\t<rate-limit calls=\"%lld\" renewal-period=\"%lld\" />\n",
				     (long long)rate.calls, (long long)rate.seconds);
	if (quota.calls)
		second = arena_printf(c->arena, "\t\t<quota calls=\"%lld\" renewal-period=\"%lld\" />\n",
				      (long long)quota.calls, (long long)quota.seconds);
	return arena_printf(c->arena,
			    "<policies>\n\t<inbound>\n\t\t<base />\n%.*s%.*s\t</inbound>\n"
			    "\t<backend>\n\t\t<base />\n\t</backend>\n\t<outbound>\n\t\t<base />\n\t</outbound>\n"
			    "\t<on-error>\n\t\t<base />\n\t</on-error>\n</policies>\n",
			    STR_ARG(first), STR_ARG(second));
}

/* ---- create ----------------------------------------------------------------------------------------------------------- */

static const struct option create_options[] = {
	{ "name", OPTION_TEXT, "NAME", "name that developers read (the id)", false },
	{ "description", OPTION_TEXT, "TEXT", "what it is for", false },
	{ "approval", OPTION_TEXT, "auto|manual", "whether somebody decides on a new subscription (auto)", false },
	{ "rate", OPTION_TEXT, "CALLS/SECONDS", "calls of one subscription in a sliding window of at most 300 s: 100/60", false },
	{ "quota", OPTION_TEXT, "CALLS/PERIOD", "calls of one subscription in a fixed period: 10000/day, 500/3600", false },
	{ "require-key", OPTION_TEXT, "yes|no", "whether calls need a subscription key (yes)", false },
	{ "priority", OPTION_TEXT, "normal|high|low", "whose calls a busy gateway refuses last (normal)", false },
	{ "draft", OPTION_FLAG, NULL, "do not show it in the portal yet", false },
	{ "api", OPTION_MANY, "API", "put this API into it", false },
	OPTION_END,
};

static const struct doc_option fields[] = {
	{ "name", "name", DOC_TEXT }, { "description", "description", DOC_TEXT }, { "terms", "terms", DOC_TEXT }, { "approval", "approval", DOC_TEXT },
	{ "require-key", "subscriptionRequired", DOC_YES }, { "priority", "priority", DOC_TEXT }, { "subscriptions-limit", "subscriptionsLimit", DOC_INT },
	DOC_END
};

static gh_rc write_product(struct cli_change *ch, struct str id, json_t *doc, struct str limits, struct gh_err *err)
{
	struct cli *c = ch->c;

	TRY(cli_put(ch, "product", id, doc, RESOURCE_CREATE, NULL, err));
	if (!limits.p)
		return GH_RC_OK;
	return cli_put(ch, "policy", arena_printf(c->arena, "product:%.*s", STR_ARG(id)), jsn_keep(c->arena, json_pack("{s:s%}", "policy", limits.p, limits.n)),
		       RESOURCE_PUT, NULL, err);
}

gh_rc product_create(struct cli *c, enum store_product_kind kind, struct gh_err *err)
{
	static const struct doc_option apis[] = { { "api", "apis", DOC_LIST }, DOC_END };
	struct str id = str_of(c->options.args[0]), document = STR_NULL;
	const char *rate_text = option_text(&c->options, "rate"), *quota_text = option_text(&c->options, "quota");
	struct store_limit rate = { 0 }, quota = { 0 };
	json_t *doc = cli_document(c, fields), *opens = cli_document(c, apis);
	struct store_product p;
	struct cli_change ch;

	if (rate_text)
		TRY(limit_option(c, "rate", rate_text, STORE_LIMIT_RATE, &rate, err));
	if (quota_text)
		TRY(limit_option(c, "quota", quota_text, STORE_LIMIT_QUOTA, &quota, err));
	if (rate.calls || quota.calls)
		document = limits_document(c, rate, quota);
	if (!option_text(&c->options, "name"))
		json_object_set_new(doc, "name", json_stringn(id.p, id.n));
	json_object_update(doc, opens);
	json_object_set_new(doc, "kind", json_string(kind == STORE_KIND_API_GROUP ? "api-group" : "product"));
	json_object_set_new(doc, "state", json_string(option_flag(&c->options, "draft") ? "draft" : "published"));
	TRY(cli_change_begin(c, &ch, err));
	TRY(cli_change_end(&ch, write_product(&ch, id, doc, document, err), err));
	TRY(find(c, ch.store, kind, &p, err));
	output_row(c, columns, ARRAY_LEN(columns), &p, false);
	return GH_RC_OK;
}

static gh_rc create(struct cli *c, struct gh_err *err)
{
	return product_create(c, STORE_KIND_PRODUCT, err);
}

const struct command command_product_create = {
	.name = "product create", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "make a product that developers subscribe to",
	.help = "Limits become the product's policy document; see them with: gatehouse policy show --scope product:ID",
	.options = create_options, .run = create,
};

/* ---- set -------------------------------------------------------------------------------------------------------------- */

static const struct option set_options[] = {
	{ "name", OPTION_TEXT, "NAME", "name that developers read", false },
	{ "description", OPTION_TEXT, "TEXT", "what it is for", false },
	{ "terms", OPTION_TEXT, "TEXT", "what a subscriber agrees to", false },
	{ "approval", OPTION_TEXT, "auto|manual", "whether somebody decides on a new subscription", false },
	{ "require-key", OPTION_TEXT, "yes|no", "whether calls need a subscription key", false },
	{ "publish", OPTION_TEXT, "yes|no", "whether the portal shows it", false },
	{ "priority", OPTION_TEXT, "normal|high|low", "whose calls a busy gateway refuses last", false },
	{ "subscriptions-limit", OPTION_INT, "N", "subscriptions that one person may have to it; 0: any number", false },
	{ "group", OPTION_MANY, "ID", "only members of this group see it", false },
	OPTION_END,
};

/* The list of a product as it stands, with what is to be in it and without what is not. It is read in the transaction that writes it:
 * who adds another one meanwhile loses nothing. */
static json_t *changed_list(struct cli *c, const struct str *ids, size_t n, struct str without)
{
	json_t *list = jsn_keep(c->arena, json_array());

	for (size_t i = 0; i < n; i++)
		if (!str_eq(ids[i], without))
			json_array_append_new(list, json_stringn(ids[i].p, ids[i].n));
	return list;
}

static gh_rc change_product(struct cli_change *ch, enum store_product_kind kind, struct gh_err *err)
{
	struct cli *c = ch->c;
	const char *publish = option_text(&c->options, "publish"), *group;
	json_t *doc = cli_document(c, fields), *list;
	struct store_product p;
	struct str *ids;
	size_t n;

	TRY(find(c, ch->store, kind, &p, err));
	if (publish)
		json_object_set_new(doc, "state", json_string(strcmp(publish, "yes") == 0 ? "published" : "draft"));
	if (option_nth(&c->options, "group", 0)) {
		TRY(store_product_groups(ch->store, c->arena, p.id, &ids, &n, err));
		list = changed_list(c, ids, n, STR_NULL);
		for (size_t i = 0; (group = option_nth(&c->options, "group", i)); i++)
			json_array_append_new(list, json_string(group));
		json_object_set(doc, "groups", list);
	}
	return cli_merge(ch, "product", p.id, doc, NULL, err);
}

gh_rc product_set(struct cli *c, enum store_product_kind kind, struct gh_err *err)
{
	struct cli_change ch;

	TRY(cli_change_begin(c, &ch, err));
	return cli_change_end(&ch, change_product(&ch, kind, err), err);
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	return product_set(c, STORE_KIND_PRODUCT, err);
}

const struct command command_product_set = {
	.name = "product set", .args = "ID", .least_args = 1, .most_args = 1, .summary = "change a product",
	.help = "What is not named stays as it is. Limits: gatehouse policy set --scope product:ID FILE", .options = set_options,
	.run = set,
};

/* ---- list, APIs, delete ----------------------------------------------------------------------------------------------- */

static const struct option list_options[] = {
	{ "search", OPTION_TEXT, "TEXT", "only those whose id or name contains it", false },
	OPTION_END,
};

gh_rc product_list(struct cli *c, enum store_product_kind kind, struct gh_err *err)
{
	struct store_page page = { .search = str_of(option_text(&c->options, "search")) };
	struct store_product *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_products_of_kind(s, c->arena, kind, &page, &rows, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

static gh_rc list(struct cli *c, struct gh_err *err)
{
	return product_list(c, STORE_KIND_PRODUCT, err);
}

const struct command command_product_list = {
	.name = "product list", .summary = "list the products", .options = list_options, .run = list,
};

static gh_rc change_apis(struct cli_change *ch, enum store_product_kind kind, bool add, struct gh_err *err)
{
	struct cli *c = ch->c;
	struct str api = str_of(c->options.args[1]);
	struct store_product p;
	struct str *ids;
	json_t *list;
	size_t n;

	TRY(find(c, ch->store, kind, &p, err));
	TRY(store_product_api_ids(ch->store, c->arena, p.id, &ids, &n, err));
	list = changed_list(c, ids, n, api);
	if (!add && json_array_size(list) == n)
		FAIL(err, NOT_FOUND, "the %s '%.*s' has no API '%.*s'", kinds[kind], STR_ARG(p.id), STR_ARG(str_first(api, 200)));
	if (add)
		json_array_append_new(list, json_stringn(api.p, api.n));
	return cli_merge(ch, "product", p.id, jsn_keep(c->arena, json_pack("{s:O}", "apis", list)), NULL, err);
}

gh_rc product_change_apis(struct cli *c, enum store_product_kind kind, bool add, struct gh_err *err)
{
	struct cli_change ch;

	TRY(cli_change_begin(c, &ch, err));
	return cli_change_end(&ch, change_apis(&ch, kind, add, err), err);
}

static gh_rc add_api(struct cli *c, struct gh_err *err)
{
	return product_change_apis(c, STORE_KIND_PRODUCT, true, err);
}

static gh_rc remove_api(struct cli *c, struct gh_err *err)
{
	return product_change_apis(c, STORE_KIND_PRODUCT, false, err);
}

const struct command command_product_add_api = {
	.name = "product add-api", .args = "ID API", .least_args = 2, .most_args = 2, .summary = "put an API into a product",
	.run = add_api,
};
const struct command command_product_remove_api = {
	.name = "product remove-api", .args = "ID API", .least_args = 2, .most_args = 2,
	.summary = "take an API out of a product", .run = remove_api,
};

gh_rc product_delete(struct cli *c, enum store_product_kind kind, struct gh_err *err)
{
	struct store_product p;
	struct store *s;

	TRY(cli_store(c, false, &s, err));
	TRY(find(c, s, kind, &p, err));
	return cli_remove(c, "product", p.id, err);
}

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return product_delete(c, STORE_KIND_PRODUCT, err);
}

const struct command command_product_delete = {
	.name = "product delete", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "delete a product that nobody is subscribed to", .run = delete,
};
