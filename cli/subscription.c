/* subscription.c - `gatehouse subscription …`. Keys are printed by create and keys only; they are never arguments, because a
 * process list shows those. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/file.h"
#include "core/str.h"
#include "db/key_review.h"
#include "db/products.h"
#include "db/subscriptions.h"
#include "db/users.h"

enum { KEY_FILE_MAX_BYTES = 4096 };

static const char *const scopes[] = { "product", "api", "all", NULL };

/* What is printed: a subscription with names where it holds ids, and its keys. */
struct printed {
	struct store_subscription sub;
	struct str user;
	int64_t last_used_us;            /* 0: never */
	struct store_keys keys;
};

static const struct column columns[] = {
	{ "ID", "id", COLUMN_TEXT, offsetof(struct printed, sub.id), NULL },
	{ "NAME", "name", COLUMN_TEXT, offsetof(struct printed, sub.name), NULL },
	{ "SCOPE", "scope", COLUMN_NAME, offsetof(struct printed, sub.scope), scopes },
	{ "PRODUCT", "product", COLUMN_TEXT, offsetof(struct printed, sub.product_id), NULL },
	{ "API", "api", COLUMN_TEXT, offsetof(struct printed, sub.api_id), NULL },
	{ "USER", "user", COLUMN_TEXT, offsetof(struct printed, user), NULL },
	{ "APPLICATION", "application", COLUMN_TEXT, offsetof(struct printed, sub.application_id), NULL },
	{ "TIER", "tier", COLUMN_TEXT, offsetof(struct printed, sub.tier_id), NULL },
	{ "STATE", "state", COLUMN_NAME, offsetof(struct printed, sub.state), store_subscription_state_names },
	{ "ENDS", "ends", COLUMN_TIME, offsetof(struct printed, sub.ends_us), NULL },
	{ "LAST USED", "lastUsed", COLUMN_TIME, offsetof(struct printed, last_used_us), NULL },
	{ "PRIMARY KEY", "primaryKey", COLUMN_TEXT, offsetof(struct printed, keys.primary), NULL },
	{ "SECONDARY KEY", "secondaryKey", COLUMN_TEXT, offsetof(struct printed, keys.secondary), NULL },
};
enum { COLUMNS_WITHOUT_KEYS = ARRAY_LEN(columns) - 2 };

/* ---- create ----------------------------------------------------------------------------------------------------------- */

static const struct option create_options[] = {
	{ "product", OPTION_TEXT, "ID", "the keys open the APIs of this product", false },
	{ "api-group", OPTION_TEXT, "ID", "the keys open all APIs of this group: its one contract", false },
	{ "api", OPTION_TEXT, "ID", "the keys open this API", false },
	{ "all-apis", OPTION_FLAG, NULL, "the keys open every API", false },
	{ "user", OPTION_TEXT, "EMAIL", "owner", false },
	{ "application", OPTION_TEXT, "ID", "application that calls with it", false },
	{ "tier", OPTION_TEXT, "ID", "tier of the product, whose limits it has", false },
	{ "name", OPTION_TEXT, "NAME", "name that its owner reads", false },
	{ "id", OPTION_TEXT, "ID", "id; without it one is made", false },
	{ "ends", OPTION_TEXT, "TIME", "when it ends: 2027-01-01T00:00:00Z", false },
	{ "key-file", OPTION_TEXT, "FILE", "take over existing keys: first line primary, second line secondary", false },
	OPTION_END,
};

static gh_rc find_scope(struct cli *c, struct store *s, json_t *doc, struct gh_err *err)
{
	const char *product = option_text(&c->options, "product"), *api = option_text(&c->options, "api");
	const char *group = option_text(&c->options, "api-group");
	bool all = option_flag(&c->options, "all-apis"), found = true;
	struct store_product p;

	if ((product != NULL) + (group != NULL) + (api != NULL) + all != 1)
		return cli_usage(c, err, "give one of --product ID, --api-group ID, --api ID and --all-apis");
	if (group)
		TRY(store_product_find(s, c->arena, str_of(group), &p, &found, err));
	if (!found || (group && p.kind != STORE_KIND_API_GROUP))
		FAIL(err, NOT_FOUND, "there is no API group '%.200s'", group);
	json_object_set_new(doc, "scope", json_string(api ? "api" : all ? "all-apis" : "product"));
	if (product || group)
		json_object_set_new(doc, "product", json_string(product ? product : group));
	if (api)
		json_object_set_new(doc, "api", json_string(api));
	return GH_RC_OK;
}

static gh_rc find_owner(struct cli *c, struct store *s, struct str *id, struct gh_err *err)
{
	const char *email = option_text(&c->options, "user");
	struct store_user user;

	if (!email)
		return GH_RC_OK;
	TRY(cli_find_user(c, s, email, &user, err));
	*id = user.id;
	return GH_RC_OK;
}

static gh_rc read_keys(struct cli *c, struct store_keys *out, struct gh_err *err)
{
	const char *file = option_text(&c->options, "key-file");
	struct str text, line;

	if (!file)
		return GH_RC_OK;
	TRY(file_read(c->arena, file, KEY_FILE_MAX_BYTES, &text, err));
	str_split(&text, '\n', &line);
	out->primary = str_trim(line);
	if (str_split(&text, '\n', &line) && str_trim(line).n)
		out->secondary = str_trim(line);
	return GH_RC_OK;
}

static gh_rc create(struct cli *c, struct gh_err *err)
{
	static const struct doc_option fields[] = { { "application", "application", DOC_TEXT }, { "tier", "tier", DOC_TEXT }, { "name", "name", DOC_TEXT },
						    { "ends", "ends", DOC_TIME }, DOC_END };
	struct store_keys given = { STR_NULL, STR_NULL };
	json_t *doc = cli_document(c, fields);
	struct resource_outcome out;
	struct printed p = { .user = str_of(option_text(&c->options, "user")) };
	struct str owner = STR_NULL;
	struct store *s;
	bool found;

	TRY(cli_store(c, false, &s, err));
	TRY(find_scope(c, s, doc, err));
	TRY(find_owner(c, s, &owner, err));
	TRY(read_keys(c, &given, err));
	if (owner.p)
		json_object_set_new(doc, "user", json_stringn(owner.p, owner.n));
	if (given.primary.p)
		json_object_set_new(doc, "primaryKey", json_stringn(given.primary.p, given.primary.n));
	if (given.secondary.p)
		json_object_set_new(doc, "secondaryKey", json_stringn(given.secondary.p, given.secondary.n));
	TRY(cli_create(c, "subscription", str_of(option_text(&c->options, "id")), doc, &out, err));
	TRY(store_subscription_find(s, c->arena, out.id, &p.sub, &found, err));
	p.keys = (struct store_keys){ jsn_str(out.issued, "primaryKey"), jsn_str(out.issued, "secondaryKey") };
	output_row(c, columns, ARRAY_LEN(columns), &p, false);
	return GH_RC_OK;
}

const struct command command_subscription_create = {
	.name = "subscription create", .summary = "make a subscription and print its keys",
	.options = create_options, .run = create,
};

/* ---- the others ------------------------------------------------------------------------------------------------------- */

static const struct option list_options[] = {
	{ "product", OPTION_TEXT, "ID", "only of this product", false },
	{ "api", OPTION_TEXT, "ID", "only of this API", false },
	{ "user", OPTION_TEXT, "EMAIL", "only of this owner", false },
	{ "search", OPTION_TEXT, "TEXT", "only those whose id or name contains it", false },
	{ "limit", OPTION_INT, "N", "at most so many (1000)", false },
	{ "offset", OPTION_INT, "N", "after skipping so many", false },
	OPTION_END,
};

static gh_rc with_owner(struct cli *c, struct store *s, const struct store_subscription *sub, struct printed *p,
			struct gh_err *err)
{
	struct store_user user;
	bool found;

	*p = (struct printed){ .sub = *sub };
	TRY(store_subscription_last_used(s, sub->id, &p->last_used_us, err));
	if (!sub->user_id.n)
		return GH_RC_OK;
	TRY(store_user_find(s, c->arena, sub->user_id, &user, &found, err));
	if (found)
		p->user = user.email;
	return GH_RC_OK;
}

static gh_rc list(struct cli *c, struct gh_err *err)
{
	struct store_subscription_filter filter = { .product_id = str_of(option_text(&c->options, "product")),
						    .api_id = str_of(option_text(&c->options, "api")), .state = -1 };
	struct store_page page = { .search = str_of(option_text(&c->options, "search")),
				   .limit = (size_t)option_int(&c->options, "limit", 1000),
				   .offset = (size_t)option_int(&c->options, "offset", 0) };
	struct store_subscription *subs;
	struct printed *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(find_owner(c, s, &filter.user_id, err));
	TRY(store_subscriptions(s, c->arena, &filter, &page, &subs, &n, err));
	rows = arena_alloc(c->arena, n + 1, sizeof(*rows));
	if (!rows)
		FAIL(err, NOMEM, "%zu subscriptions", n);
	for (size_t i = 0; i < n; i++)
		TRY(with_owner(c, s, &subs[i], &rows[i], err));
	output_list(c, columns, COLUMNS_WITHOUT_KEYS, rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_subscription_list = {
	.name = "subscription list", .summary = "list subscriptions, without their keys", .options = list_options, .run = list,
};

static gh_rc keys(struct cli *c, struct gh_err *err)
{
	struct str id = str_of(c->options.args[0]);
	struct store_subscription sub;
	struct store *s;
	struct printed p;
	bool found;

	TRY(cli_store(c, true, &s, err));
	TRY(store_subscription_find(s, c->arena, id, &sub, &found, err));
	if (!found)
		return cli_no_such(c, s, "subscription", id, err);
	TRY(with_owner(c, s, &sub, &p, err));
	TRY(store_subscription_keys_shown(s, c->arena, id, str_of(cli_actor(c)), &p.keys, err));
	output_row(c, columns, ARRAY_LEN(columns), &p, false);
	return GH_RC_OK;
}

const struct command command_subscription_keys = {
	.name = "subscription keys", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "print the keys of a subscription (leaves an audit entry)", .run = keys,
};

static const struct option state_options[] = {
	{ "note", OPTION_TEXT, "TEXT", "why", false },
	OPTION_END,
};

static gh_rc set_state(struct cli *c, struct gh_err *err)
{
	return cli_patch(c, "subscription", str_of(c->options.args[0]),
			 jsn_keep(c->arena, json_pack("{s:s, s:s}", "state", c->options.args[1], "note", option_text_or(&c->options, "note", ""))), err);
}

const struct command command_subscription_set_state = {
	.name = "subscription set-state", .args = "ID submitted|active|suspended|rejected|cancelled|expired", .least_args = 2, .most_args = 2,
	.summary = "activate, suspend, reject or cancel a subscription", .options = state_options, .run = set_state,
};

/* ---- set ---------------------------------------------------------------------------------------------------------------- */

static const struct option set_options[] = {
	{ "name", OPTION_TEXT, "NAME", "name that its owner reads", false },
	{ "tier", OPTION_TEXT, "ID", "tier of the product; empty: none. Its owners get a mail", false },
	{ "ends", OPTION_TEXT, "TIME", "when it ends: 2027-01-01T00:00:00Z; never: it does not", false },
	{ "note", OPTION_TEXT, "TEXT", "why, for the mail about another tier", false },
	OPTION_END,
};

static gh_rc set(struct cli *c, struct gh_err *err)
{
	static const struct doc_option fields[] = { { "name", "name", DOC_TEXT }, { "tier", "tier", DOC_OR_NULL }, { "ends", "ends", DOC_TIME },
						    { "note", "note", DOC_TEXT }, DOC_END };

	return cli_patch(c, "subscription", str_of(c->options.args[0]), cli_document(c, fields), err);
}

const struct command command_subscription_set = {
	.name = "subscription set", .args = "ID", .least_args = 1, .most_args = 1, .summary = "change name, tier or end of a subscription",
	.options = set_options, .run = set, .help = "What is not named stays as it is.",
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "subscription", str_of(c->options.args[0]), err);
}

const struct command command_subscription_delete = {
	.name = "subscription delete", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "delete a subscription; its keys end at once", .run = delete,
};
