/* product.c - `gatehouse product …`. The limits of a product are written as its policy document, so that the gateway has one
 * way of limiting calls. */
#include "cli/limit_option.h"
#include "cli/output.h"
#include "cli/product.h"
#include "core/str.h"
#include "db/apis.h"
#include "db/policies.h"
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

static int64_t priority_of(const char *name)
{
	return strcmp(name, "high") == 0 ? STORE_PRIORITY_HIGH : strcmp(name, "low") == 0 ? STORE_PRIORITY_LOW : STORE_PRIORITY_NORMAL;
}

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

static gh_rc write_product(struct cli *c, struct store *s, const struct store_product *p, struct str document,
			   struct gh_err *err)
{
	struct store_policy_scope scope = { .kind = STORE_POLICY_PRODUCT, .product_id = p->id };
	const char *api;

	TRY(store_product_create(s, p, err));
	for (size_t i = 0; (api = option_nth(&c->options, "api", i)); i++) {
		gh_rc rc = store_product_add_api(s, p->id, str_of(api), err);

		if (rc.code == GH_E_CONFLICT)
			FAIL(err, NOT_FOUND, "there is no API '%.200s'", api);
		TRY(rc);
	}
	return document.p ? store_policy_set(s, &scope, document, err) : GH_RC_OK;
}

gh_rc product_create(struct cli *c, enum store_product_kind kind, struct gh_err *err)
{
	const char *id = c->options.args[0];
	const char *rate_text = option_text(&c->options, "rate"), *quota_text = option_text(&c->options, "quota");
	struct store_limit rate = { 0 }, quota = { 0 };
	struct store_product p = {
		.id = str_of(id),
		.kind = kind,
		.name = str_of(option_text_or(&c->options, "name", id)),
		.description = str_of(option_text_or(&c->options, "description", "")),
		.subscription_required = strcmp(option_text_or(&c->options, "require-key", "yes"), "yes") == 0,
		.approval = strcmp(option_text_or(&c->options, "approval", "auto"), "manual") == 0 ? STORE_APPROVAL_MANUAL
												   : STORE_APPROVAL_AUTO,
		.priority = priority_of(option_text_or(&c->options, "priority", "normal")),
		.state = option_flag(&c->options, "draft") ? STORE_PRODUCT_DRAFT : STORE_PRODUCT_PUBLISHED,
	};
	struct str document = STR_NULL;
	struct store *s;

	if (rate_text)
		TRY(limit_option(c, "rate", rate_text, STORE_LIMIT_RATE, &rate, err));
	if (quota_text)
		TRY(limit_option(c, "quota", quota_text, STORE_LIMIT_QUOTA, &quota, err));
	if (rate.calls || quota.calls)
		document = limits_document(c, rate, quota);
	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	TRY(store_tx_end(s, write_product(c, s, &p, document, err), err));
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

static void apply_options(struct cli *c, struct store_product *p)
{
	const char *approval = option_text(&c->options, "approval"), *key = option_text(&c->options, "require-key");
	const char *publish = option_text(&c->options, "publish");
	int64_t limit = option_int(&c->options, "subscriptions-limit", -1);

	if (limit >= 0)
		p->subscriptions_limit = limit;
	if (option_text(&c->options, "name"))
		p->name = str_of(option_text(&c->options, "name"));
	if (option_text(&c->options, "description"))
		p->description = str_of(option_text(&c->options, "description"));
	if (option_text(&c->options, "terms"))
		p->terms = str_of(option_text(&c->options, "terms"));
	if (approval)
		p->approval = strcmp(approval, "manual") == 0 ? STORE_APPROVAL_MANUAL : STORE_APPROVAL_AUTO;
	if (key)
		p->subscription_required = strcmp(key, "yes") == 0;
	if (option_text(&c->options, "priority"))
		p->priority = priority_of(option_text(&c->options, "priority"));
	if (publish)
		p->state = strcmp(publish, "yes") == 0 ? STORE_PRODUCT_PUBLISHED : STORE_PRODUCT_DRAFT;
}

static gh_rc change_product(struct cli *c, struct store *s, const struct store_product *p, struct gh_err *err)
{
	const char *group;

	TRY(store_product_update(s, p, err));
	for (size_t i = 0; (group = option_nth(&c->options, "group", i)); i++) {
		gh_rc rc = store_product_add_group(s, p->id, str_of(group), err);

		if (rc.code == GH_E_CONFLICT)
			FAIL(err, NOT_FOUND, "there is no group '%.200s'", group);
		TRY(rc);
	}
	return GH_RC_OK;
}

gh_rc product_set(struct cli *c, enum store_product_kind kind, struct gh_err *err)
{
	struct store_product p;
	struct store *s;

	TRY(cli_store(c, true, &s, err));
	TRY(find(c, s, kind, &p, err));
	apply_options(c, &p);
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, change_product(c, s, &p, err), err);
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

gh_rc product_change_apis(struct cli *c, enum store_product_kind kind, bool add, struct gh_err *err)
{
	struct str product = str_of(c->options.args[0]), api = str_of(c->options.args[1]);
	struct store_product found_product;
	struct store_api found_api;
	struct store *s;
	bool found;

	TRY(cli_store(c, true, &s, err));
	TRY(find(c, s, kind, &found_product, err));
	TRY(store_api_find(s, c->arena, api, 0, &found_api, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no API '%.*s'", STR_ARG(api));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, add ? store_product_add_api(s, product, api, err) : store_product_remove_api(s, product, api, err),
			    err);
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

	TRY(cli_store(c, true, &s, err));
	TRY(find(c, s, kind, &p, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_product_delete(s, p.id, err), err);
}

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return product_delete(c, STORE_KIND_PRODUCT, err);
}

const struct command command_product_delete = {
	.name = "product delete", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "delete a product that nobody is subscribed to", .run = delete,
};
