/* kind_subscription.c - tiers of products, and subscriptions. Keys are told once, when a subscription is made; later only their first
 * characters. */
#include "config/kind.h"

#include "core/str.h"
#include "db/notices.h"
#include "db/subscriptions.h"
#include "db/tiers.h"

#include <stdlib.h>

/* ---- tiers ------------------------------------------------------------------------------------------------------------- */

static const char *const approvals[] = { "auto", "manual", NULL };

static const struct resource_field tier_fields[] = {
	FIELD_ID("Names the tier", store_tier, id),
	{ .name = "product", .type = RESOURCE_REF, .ref = "product", .flags = RESOURCE_REQUIRED | RESOURCE_FIXED, .label = "Product",
	  .description = "The product that it belongs to", AT(store_tier, product_id) },
	{ .name = "name", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Name", .most = 300, .description = "What developers read",
	  AT(store_tier, name) },
	{ .name = "description", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Description", .description = "What it offers",
	  AT(store_tier, description) },
	{ .name = "approval", .type = RESOURCE_ENUM, .values = approvals, .otherwise = "\"auto\"", .label = "Approval",
	  .description = "Whether somebody decides on each request for it", AT(store_tier, approval) },
	{ .name = "deprecated", .type = RESOURCE_BOOL, .otherwise = "false", .label = "Deprecated",
	  .description = "It takes no new subscription", AT(store_tier, deprecated) },
	{ .name = "limits", .type = RESOURCE_OBJECTS, .fields = limit_fields, .label = "Limits",
	  .description = "Limits that hold all at once; none: no limit", .offset = RESOURCE_BY_HAND },
	FIELD_END,
};

static GH_RC tier_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_tier_find(s, a, id, row, found, err);
}

static void tier_check_id(struct resource_change *c, struct str id)
{
	struct gh_err why;

	if (store_check_id("tier", id, &why).code)
		resource_problem(c, &kind_tier, id, STR("/id"), "%s", why.message);
}

static GH_RC tier_show(struct store *s, struct arena *a, const void *row, json_t *doc, struct gh_err *err)
{
	struct store_limit *v;
	size_t n;

	TRY(store_tier_limits(s, a, ((const struct store_tier *)row)->id, &v, &n, err));
	json_object_set_new(doc, "limits", limit_list(v, n));
	return GH_RC_OK;
}

static GH_RC tier_check(struct resource_put *p, struct gh_err *err UNUSED)
{
	check_limits(p, "a tier");
	return GH_RC_OK;
}

static GH_RC tier_save(struct resource_put *p, struct gh_err *err)
{
	struct store_limit v[STORE_TIER_LIMITS_MAX];
	struct store_site site = { .portal = p->c->portal };
	const struct store_tier *t = p->row;
	size_t n = read_limits(p->doc, v);

	TRY(p->exists ? store_tier_update(p->s, t, err) : store_tier_create(p->s, t, err));
	TRY(store_tier_set_limits(p->s, p->id, v, n, err));
	/* what waits for somebody who need not decide any more */
	if (t->approval == STORE_APPROVAL_AUTO && str_eq(jsn_str(p->before, "approval"), STR("manual")))
		return store_tier_grant_waiting(p->s, p->a, t, &site, err);
	return GH_RC_OK;
}

static GH_RC tier_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_tier_delete(s, id, err);
}

static const struct resource_ops tier_ops = {
	.row_size = sizeof(struct store_tier), .store = STORE_RESOURCE_TIER, .check_id = tier_check_id, .find = tier_find, .show = tier_show,
	.check = tier_check, .save = tier_save, .drop = tier_drop,
};

const struct resource_kind kind_tier = {
	.name = "tier", .plural = "tiers", .title = "Tier", .description = "What a subscription to a product is limited to, by name.",
	.area = RESOURCE_AREA_PRODUCTS, .fields = tier_fields, .ops = &tier_ops, .filters = { { "product", "Only tiers of this product", NULL } },
};

/* ---- subscriptions ----------------------------------------------------------------------------------------------------- */

static const char *const scopes[] = { "product", "api", "all-apis", NULL };

struct subscription_row {
	struct store_subscription sub;
	struct store_keys prefixes;
};

static const struct resource_field subscription_fields[] = {
	FIELD_ID("Names the subscription; left out, one is made", subscription_row, sub.id),
	{ .name = "name", .type = RESOURCE_TEXT, .label = "Name", .most = 300, .description = "What its owner reads", AT(subscription_row, sub.name) },
	{ .name = "scope", .type = RESOURCE_ENUM, .values = scopes, .otherwise = "\"product\"", .label = "Opens",
	  .description = "What it opens: a product, one API, or all APIs", AT(subscription_row, sub.scope) },
	{ .name = "product", .type = RESOURCE_REF, .ref = "product", .label = "Product", .description = "Which product, when it opens one",
	  AT(subscription_row, sub.product_id) },
	{ .name = "api", .type = RESOURCE_REF, .ref = "api", .label = "API", .description = "Which API, when it opens one",
	  AT(subscription_row, sub.api_id) },
	{ .name = "user", .type = RESOURCE_REF, .ref = "user", .label = "User", .description = "Its owner", AT(subscription_row, sub.user_id) },
	{ .name = "application", .type = RESOURCE_REF, .ref = "application", .label = "Application", .description = "The application it is for",
	  AT(subscription_row, sub.application_id) },
	{ .name = "tier", .type = RESOURCE_REF, .ref = "tier", .label = "Tier", .description = "The tier whose limits it has",
	  AT(subscription_row, sub.tier_id) },
	{ .name = "state", .type = RESOURCE_ENUM, .values = store_subscription_state_names, .otherwise = "\"active\"", .label = "State",
	  .description = "Only the keys of an active one are good; its owners are told of a change by mail", AT(subscription_row, sub.state) },
	{ .name = "starts", .type = RESOURCE_TIME, .flags = RESOURCE_STAYS, .label = "Starts", .description = "From when on it is good",
	  AT(subscription_row, sub.starts_us) },
	{ .name = "ends", .type = RESOURCE_TIME, .label = "Ends", .description = "When it ends; null: it does not", AT(subscription_row, sub.ends_us) },
	{ .name = "note", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Note", .description = "Of whoever decided; its owners read it",
	  AT(subscription_row, sub.note) },
	{ .name = "primaryKey", .type = RESOURCE_SECRET, .flags = RESOURCE_NO_REF | RESOURCE_ALWAYS, .label = "Primary key",
	  .description = "A key of your own (16 to 256 characters); left out of a new one, one is made and told once", .offset = RESOURCE_BY_HAND },
	{ .name = "secondaryKey", .type = RESOURCE_SECRET, .flags = RESOURCE_NO_REF | RESOURCE_ALWAYS, .label = "Secondary key", .description = "The same for the second key",
	  .offset = RESOURCE_BY_HAND },
	{ .name = "primaryKeyPrefix", .type = RESOURCE_TEXT, .flags = RESOURCE_READ_ONLY | RESOURCE_NULL, .label = "Primary key begins",
	  .description = "First characters, to recognise it", AT(subscription_row, prefixes.primary) },
	{ .name = "secondaryKeyPrefix", .type = RESOURCE_TEXT, .flags = RESOURCE_READ_ONLY | RESOURCE_NULL, .label = "Secondary key begins",
	  .description = "First characters, to recognise it", AT(subscription_row, prefixes.secondary) },
	{ .name = "created", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Made", .description = "When it was made",
	  AT(subscription_row, sub.created_us) },
	FIELD_END,
};

static GH_RC subscription_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct subscription_row *r = row;

	TRY(store_subscription_find(s, a, id, &r->sub, found, err));
	return *found ? store_subscription_prefixes(s, a, id, &r->prefixes, err) : GH_RC_OK;
}

static GH_RC subscription_show(struct store *s UNUSED, struct arena *a UNUSED, const void *row, json_t *doc, struct gh_err *err UNUSED)
{
	const struct subscription_row *r = row;

	json_object_set_new(doc, "primaryKey", resource_secret_shown(r->prefixes.primary.n > 0, STR_NULL));
	json_object_set_new(doc, "secondaryKey", resource_secret_shown(r->prefixes.secondary.n > 0, STR_NULL));
	return GH_RC_OK;
}

static void check_keys(struct resource_put *p)
{
	static const char *const names[] = { "/primaryKey", "/secondaryKey" };
	struct str text;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		enum secret_given given = resource_secret(p->doc, names[i] + 1, &text);

		if (given == SECRET_REF)
			put_problem(p, names[i], "a key is a text; a reference is not possible");
		if (given == SECRET_NONE && p->exists)
			put_problem(p, names[i], "a subscription always has both keys; leave it out to keep it");
		if (given == SECRET_TEXT && (text.n < STORE_KEY_MIN || text.n > STORE_KEY_MAX))
			put_problem(p, names[i], "a key has %d to %d characters", STORE_KEY_MIN, STORE_KEY_MAX);
	}
}

static GH_RC subscription_check(struct resource_put *p, struct gh_err *err)
{
	const struct subscription_row *r = p->row;
	static const char *const fields[] = { "/product", "/api" };
	const struct str given[] = { r->sub.product_id, r->sub.api_id };
	struct gh_err why;
	gh_rc rc;

	for (int64_t i = 0; i < 2; i++) {
		if (r->sub.scope == i && !given[i].n)
			put_problem(p, fields[i], "is required with the scope %s", scopes[i]);
		if (r->sub.scope != i && given[i].n)
			put_problem(p, fields[i], "does not go with the scope %s", scopes[r->sub.scope]);
	}
	if (r->sub.ends_us && r->sub.starts_us && r->sub.ends_us <= r->sub.starts_us)
		put_problem(p, "/ends", "must be after the start");
	check_keys(p);
	rc = store_check_tier(p->s, p->a, &r->sub, r->sub.tier_id, &why);
	return put_refused(p, "/tier", rc, &why, err);
}

static GH_RC make(struct resource_put *p, struct gh_err *err)
{
	const struct subscription_row *r = p->row;
	struct store_keys given = { STR_NULL, STR_NULL }, keys;

	if (resource_secret(p->doc, "primaryKey", &given.primary) != SECRET_TEXT)
		given.primary = STR_NULL;
	if (resource_secret(p->doc, "secondaryKey", &given.secondary) != SECRET_TEXT)
		given.secondary = STR_NULL;
	TRY(store_subscription_create(p->s, p->a, &r->sub, &given, NULL, &keys, err));
	p->c->issued = jsn_keep(p->c->arena, json_pack("{s:s%, s:s%}", "primaryKey", keys.primary.p, keys.primary.n, "secondaryKey",
						       keys.secondary.p, keys.secondary.n));
	return GH_RC_OK;
}

static GH_RC replace_key(struct resource_put *p, const char *name, enum store_key_slot slot, struct gh_err *err)
{
	struct str text, key;

	if (resource_secret(p->doc, name, &text) != SECRET_TEXT)
		return GH_RC_OK;
	return store_key_replace(p->s, p->a, p->id, slot, text, 0, &key, err);
}

/* A new state, or another tier, is told to the owners by the functions that decide it. */
static GH_RC subscription_save(struct resource_put *p, struct gh_err *err)
{
	const struct subscription_row *r = p->row;
	struct store_site site = { .portal = p->c->portal };
	struct store_subscription old, row = r->sub;
	struct str said;
	bool found;

	if (!p->exists)
		return make(p, err);
	TRY(store_subscription_find(p->s, p->a, p->id, &old, &found, err));
	said = str_eq(r->sub.note, old.note) ? STR("") : r->sub.note;   /* an old note was about something else */
	row.state = old.state;
	row.tier_id = old.tier_id;
	TRY(store_subscription_update(p->s, &row, err));
	if (r->sub.state != old.state)
		TRY(store_subscription_change(p->s, p->a, p->id, (enum store_subscription_state)r->sub.state, r->sub.note, &site, err));
	if (!str_eq(r->sub.tier_id, old.tier_id))
		TRY(store_subscription_change_tier(p->s, p->a, p->id, r->sub.tier_id.n ? r->sub.tier_id : STR_NULL, said, &site, err));
	TRY(replace_key(p, "primaryKey", STORE_KEY_PRIMARY, err));
	return replace_key(p, "secondaryKey", STORE_KEY_SECONDARY, err);
}

static GH_RC subscription_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_subscription_delete(s, id, err);
}

static const struct resource_ops subscription_ops = {
	.row_size = sizeof(struct subscription_row), .store = STORE_RESOURCE_SUBSCRIPTION, .find = subscription_find,
	.show = subscription_show, .check = subscription_check, .save = subscription_save, .drop = subscription_drop,
};

const struct resource_kind kind_subscription = {
	.name = "subscription", .plural = "subscriptions", .title = "Subscription",
	.description = "The right to call a product, one API or all APIs, with two keys.", .area = RESOURCE_AREA_SUBSCRIPTIONS,
	.personal = true, .makes_id = true, .fields = subscription_fields, .ops = &subscription_ops,
	.filters = { { "product", "Only subscriptions to this product", NULL }, { "user", "Only subscriptions of this user", NULL },
		     { "application", "Only subscriptions of this application", NULL },
		     { "state", "Only subscriptions in this state", store_subscription_state_names } },
};
