/* kind_consumer_rule.c - what one subscription may do. Its id is the subscription ("s1", every API that has no rule of its own) or the
 * subscription with an API ("s1/orders"). */
#include "config/kind.h"

#include "core/str.h"
#include "db/consumer_rules.h"

struct rule_row {
	struct str id;
	struct store_consumer_rule rule;
};

static const struct resource_field fields[] = {
	FIELD_ID("The subscription, or the subscription and an API: \"s1/orders\"", rule_row, id),
	{ .name = "subscription", .type = RESOURCE_REF, .ref = "subscription", .flags = RESOURCE_READ_ONLY, .label = "Subscription",
	  .description = "Whose rule it is", AT(rule_row, rule.subscription_id) },
	{ .name = "api", .type = RESOURCE_REF, .ref = "api", .flags = RESOURCE_READ_ONLY, .label = "API",
	  .description = "Which calls it is about; none: those of every API that has no rule of its own", AT(rule_row, rule.api_id) },
	{ .name = "methods", .type = RESOURCE_TEXTS, .label = "Methods", .most = 32, .description = "Methods that it may use, such as GET; none: any",
	  .offset = RESOURCE_BY_HAND },
	{ .name = "operations", .type = RESOURCE_TEXTS, .label = "Operations", .most = 300,
	  .description = "Ids of operations of the API that it may use; none: any", .offset = RESOURCE_BY_HAND },
	{ .name = "limits", .type = RESOURCE_OBJECTS, .fields = limit_fields, .label = "Limits",
	  .description = "In place of those of the tier, all at once; none: those of the tier", .offset = RESOURCE_BY_HAND },
	FIELD_END,
};

static void cut(struct str id, struct store_consumer_rule *r)
{
	size_t slash = str_find_char(id, '/');

	r->subscription_id = str_first(id, slash);
	r->api_id = slash == SIZE_MAX ? STR_NULL : str_from(id, slash + 1);
}

static void check_id(struct resource_change *c, struct str id)
{
	struct store_consumer_rule r;
	bool there = true;

	cut(id, &r);
	if (!r.subscription_id.n || (r.api_id.p && !r.api_id.n))
		resource_problem(c, &kind_consumer_rule, id, STR("/id"), "must be SUBSCRIPTION or SUBSCRIPTION/API");
	else if (!resource_exists(c->store, &kind_subscription, r.subscription_id, &there, NULL).code && !there)
		resource_problem(c, &kind_consumer_rule, id, STR("/id"), "there is no subscription '%.*s'", STR_ARG(r.subscription_id));
	else if (r.api_id.n && !resource_exists(c->store, &kind_api, r.api_id, &there, NULL).code && !there)
		resource_problem(c, &kind_consumer_rule, id, STR("/id"), "there is no API '%.*s'%.*s", STR_ARG(r.api_id),
				 STR_ARG(resource_meant(c, &kind_api, r.api_id)));
}

static GH_RC find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct rule_row *r = row;
	struct store_consumer_rule place, *v;
	size_t n;

	*found = false;
	cut(id, &place);
	TRY(store_consumer_rules(s, a, place.subscription_id, &v, &n, err));
	for (size_t i = 0; i < n && !*found; i++) {
		*found = str_eq(v[i].api_id, place.api_id);
		r->rule = v[i];
	}
	r->id = id;
	return GH_RC_OK;
}

static json_t *texts(struct str rest)
{
	json_t *list = json_array();
	struct str part;

	while (rest.n && str_split(&rest, ',', &part))
		json_array_append_new(list, json_stringn(part.p, part.n));
	return list;
}

static GH_RC show(struct store *s, struct arena *a, const void *row, json_t *doc, struct gh_err *err)
{
	const struct store_consumer_rule *r = &((const struct rule_row *)row)->rule;
	struct store_limit *v;
	size_t n;

	json_object_set_new(doc, "methods", texts(r->methods));
	json_object_set_new(doc, "operations", texts(r->operations));
	TRY(store_consumer_rule_limits(s, a, r->subscription_id, r->api_id, &v, &n, err));
	json_object_set_new(doc, "limits", limit_list(v, n));
	return GH_RC_OK;
}

static struct str joined(struct arena *a, const json_t *list)
{
	struct str all = STR_NULL;

	for (size_t i = 0; i < json_array_size(list); i++)
		all = arena_printf(a, "%.*s%s%.*s", STR_ARG(all), i ? "," : "", STR_ARG(jsn_string(json_array_get(list, i))));
	return all;
}

static GH_RC check(struct resource_put *p, struct gh_err *err UNUSED)
{
	static const char *const lists[] = { "methods", "operations" };
	char pointer[40];

	check_limits(p, "a consumer rule");
	if (!json_array_size(jsn_get(p->doc, "methods")) && !json_array_size(jsn_get(p->doc, "operations")) && !json_array_size(jsn_get(p->doc, "limits")))
		put_problem(p, "/methods", "a rule says methods, operations or limits");
	for (size_t k = 0; k < ARRAY_LEN(lists); k++)
		for (size_t i = 0; i < json_array_size(jsn_get(p->doc, lists[k])); i++)
			if (str_find_char(jsn_string(json_array_get(jsn_get(p->doc, lists[k]), i)), ',') != SIZE_MAX) {
				snprintf(pointer, sizeof(pointer), "/%s/%zu", lists[k], i);
				put_problem(p, pointer, "one a line, without commas");
			}
	return GH_RC_OK;
}

static GH_RC save(struct resource_put *p, struct gh_err *err)
{
	struct store_consumer_rule r;
	struct store_limit v[STORE_TIER_LIMITS_MAX];
	size_t n = read_limits(p->doc, v);

	cut(p->id, &r);
	r.methods = joined(p->a, jsn_get(p->doc, "methods"));
	r.operations = joined(p->a, jsn_get(p->doc, "operations"));
	return store_consumer_rule_set(p->s, p->a, &r, v, n, err);
}

static GH_RC drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	struct store_consumer_rule r;

	cut(id, &r);
	return store_consumer_rule_delete(s, r.subscription_id, r.api_id, err);
}

static const struct resource_ops ops = {
	.row_size = sizeof(struct rule_row), .store = STORE_RESOURCE_CONSUMER_RULE, .check_id = check_id, .find = find, .show = show,
	.check = check, .save = save, .drop = drop,
};

const struct resource_kind kind_consumer_rule = {
	.name = "consumer-rule", .plural = "consumer-rules", .title = "Consumer rule",
	.description = "What one subscription may do at an API: methods, operations, limits.", .area = RESOURCE_AREA_SUBSCRIPTIONS,
	.personal = true, .fields = fields, .ops = &ops,
	.filters = { { "subscription", "Only rules of this subscription", NULL } },
};
