/* kind_access.c - who may call: access rules and network rules of an API, a product, or (networks) all calls. Their id is the place:
 * "api:orders", "product:gold", "all". */
#include "config/kind.h"

#include "core/access_rule.h"
#include "core/ip.h"
#include "core/str.h"
#include "db/access_rules.h"
#include "db/callers.h"
#include "db/network.h"

/* False: no such form. */
static bool place_of(struct str id, bool all, struct str *api, struct str *product)
{
	*api = str_starts(id, STR("api:")) ? str_from(id, 4) : STR_NULL;
	*product = str_starts(id, STR("product:")) ? str_from(id, 8) : STR_NULL;
	return api->n || product->n || (all && str_eq(id, STR("all")));
}

static void check_place(struct resource_change *c, const struct resource_kind *k, struct str id, bool all)
{
	struct str api, product;
	bool there = true;

	if (!place_of(id, all, &api, &product)) {
		resource_problem(c, k, id, STR("/id"), all ? "must be api:ID, product:ID or all" : "must be api:ID or product:ID");
		return;
	}
	if (api.n && !resource_exists(c->store, &kind_api, api, &there, NULL).code && !there)
		resource_problem(c, k, id, STR("/id"), "there is no API '%.*s'%.*s", STR_ARG(api),
				 STR_ARG(resource_meant(c, &kind_api, api)));
	if (product.n && !resource_exists(c->store, &kind_product, product, &there, NULL).code && !there)
		resource_problem(c, k, id, STR("/id"), "there is no product '%.*s'", STR_ARG(product));
}

/* ---- access rules ------------------------------------------------------------------------------------------------------ */

struct access_row {
	struct str id;
	struct store_access_rule rule;
};

static bool access_hint(size_t i, struct resource_hint *out)
{
	for (unsigned k = 0; k < ACCESS_KIND__COUNT; k++) {
		const struct access_method_info *m = &access_methods[k];

		for (const struct access_parameter *p = m->parameters; p->name; p++)
			if (!i--) {
				*out = (struct resource_hint){ str_of(m->name), p->name, p->help, false };
				return true;
			}
		if (m->claims && !i--) {
			*out = (struct resource_hint){ str_of(m->name), "claims", "claims that the token must have: a name and a value, or a list of values", false };
			return true;
		}
	}
	return false;
}

static const struct resource_field access_fields[] = {
	FIELD_ID("The place: api:ID or product:ID", access_row, id),
	{ .name = "rule", .type = RESOURCE_OBJECT, .flags = RESOURCE_REQUIRED | RESOURCE_RULE, .label = "Rule", .hints = access_hint,
	  .description = "What callers have to show, as `gatehouse access show` prints it: {\"anyOf\": [{\"method\": \"key\"}]}",
	  .offset = RESOURCE_BY_HAND },
	{ .name = "changed", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Changed", .description = "When it was last written",
	  AT(access_row, rule.changed_us) },
	FIELD_END,
};

static void access_check_id(struct resource_change *c, struct str id)
{
	check_place(c, &kind_access_rule, id, false);
}

static GH_RC access_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct access_row *r = row;
	struct str api, product;

	*found = false;
	r->id = id;
	if (!place_of(id, false, &api, &product))
		return GH_RC_OK;
	return store_access_rule_find(s, a, api, product, &r->rule, found, err);
}

static GH_RC access_show(struct store *s UNUSED, struct arena *a, const void *row, json_t *doc, struct gh_err *err)
{
	json_t *rule;

	TRY(jsn_parse_in(a, ((const struct access_row *)row)->rule.rule, NULL, &rule, NULL, err));
	json_object_set(doc, "rule", rule);
	return GH_RC_OK;
}

static GH_RC check_authorities(struct resource_put *p, const struct access_group *groups, size_t n, struct gh_err *err)
{
	for (size_t g = 0; g < n; g++)
		for (size_t m = 0; m < groups[g].n; m++) {
			const struct access_method *method = &groups[g].methods[m];
			struct access_values ca = method->kind == ACCESS_CERT ? access_given(method, "ca") : (struct access_values){ NULL, 0 };

			for (size_t i = 0; i < ca.n; i++) {
				bool there;

				TRY(resource_exists(p->s, &kind_certificate, ca.v[i], &there, err));
				if (!there)
					put_problem(p, "/rule", "cert.ca: there is no certificate '%.*s'; take it in first", STR_ARG(str_first(ca.v[i], 200)));
			}
		}
	return GH_RC_OK;
}

/* "{{name}}" in place of a value, wherever one stands. */
static GH_RC check_values(struct resource_put *p, const json_t *rule, struct gh_err *err)
{
	struct str text = jsn_string(rule);
	const char *name;
	json_t *v;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)rule, i, v)
		TRY(check_values(p, v, err));
	json_object_foreach((json_t *)(uintptr_t)rule, name, v)
		TRY(check_values(p, v, err));
	if (!str_starts(text, STR("{{")) || !str_ends(text, STR("}}")) || text.n < 5)
		return GH_RC_OK;
	return check_named_value(p, "/rule", str_trim((struct str){ text.p + 2, text.n - 4 }), err);
}

/* An authority or a named value that is not there would hold up the whole configuration: the gateway serves no API with less than what
 * was asked for. */
static GH_RC check_names(struct resource_put *p, const json_t *normal, struct gh_err *err)
{
	struct access_rule rule;

	TRY(check_values(p, normal, err));

	TRY(access_rule_read(p->a, normal, &rule, err));
	TRY(check_authorities(p, rule.groups, rule.n_groups, err));
	for (size_t i = 0; i < rule.n_operations; i++)
		TRY(check_authorities(p, rule.operations[i].groups, rule.operations[i].n_groups, err));
	return GH_RC_OK;
}

/* The rule in its stored form takes the place of what was written, so that the same rule is the same document. */
static GH_RC access_check(struct resource_put *p, struct gh_err *err)
{
	json_t *normal = NULL;
	struct gh_err why;
	gh_rc rc = access_rule_normalise(p->a, jsn_text(p->a, jsn_get(p->doc, "rule"), 0), &normal, &why);

	if (!rc.code)
		json_object_set((json_t *)(uintptr_t)p->doc, "rule", normal);
	TRY(put_refused(p, "/rule", rc, &why, err));
	return rc.code ? GH_RC_OK : check_names(p, normal, err);
}

static GH_RC access_save(struct resource_put *p, struct gh_err *err)
{
	const json_t *rule = jsn_get(p->doc, "rule");
	struct store_access_rule row = { .rule = jsn_text(p->a, rule, 0) };

	(void)place_of(p->id, false, &row.api_id, &row.product_id);
	TRY(store_access_rule_set(p->s, &row, err));
	/* signed identities need a key, and there is no reason to ask for it */
	return jsn_obj(jsn_get(rule, "identity"), "token") ? store_auth_key_ensure(p->s, p->a, STR("identity"), err) : GH_RC_OK;
}

static GH_RC access_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	struct str api, product;

	if (!place_of(id, false, &api, &product))
		FAIL(err, NOT_FOUND, "there is no access rule '%.*s'", STR_ARG(id));
	return store_access_rule_delete(s, api, product, err);
}

static const struct resource_ops access_ops = {
	.row_size = sizeof(struct access_row), .store = STORE_RESOURCE_ACCESS_RULE, .check_id = access_check_id, .find = access_find,
	.show = access_show, .check = access_check, .save = access_save, .drop = access_drop,
};

const struct resource_kind kind_access_rule = {
	.name = "access-rule", .plural = "access-rules", .title = "Access rule",
	.description = "Who may call an API, or the APIs of a product.", .area = RESOURCE_AREA_POLICIES, .fields = access_fields,
	.ops = &access_ops, .filters = { { NULL } },
};

/* ---- network rules ----------------------------------------------------------------------------------------------------- */

struct network_row {
	struct str id;
	struct store_network_rule rule;
};

static const struct resource_field network_fields[] = {
	FIELD_ID("The place: api:ID, product:ID, or all", network_row, id),
	{ .name = "allow", .type = RESOURCE_TEXTS, .label = "Allowed networks", .most = 100,
	  .description = "Networks that may call, like 10.0.0.0/8; none: any address", .offset = RESOURCE_BY_HAND },
	{ .name = "deny", .type = RESOURCE_TEXTS, .label = "Refused networks", .most = 100,
	  .description = "Networks that may not, even when allow holds them", .offset = RESOURCE_BY_HAND },
	{ .name = "httpsOnly", .type = RESOURCE_BOOL, .otherwise = "false", .label = "Only https", .description = "Whether calls must come over https",
	  AT(network_row, rule.https_only) },
	{ .name = "changed", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Changed", .description = "When it was last written",
	  AT(network_row, rule.changed_us) },
	FIELD_END,
};

static void network_check_id(struct resource_change *c, struct str id)
{
	check_place(c, &kind_network_rule, id, true);
}

static GH_RC network_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct network_row *r = row;
	struct str api, product;

	*found = false;
	r->id = id;
	if (!place_of(id, true, &api, &product))
		return GH_RC_OK;
	return store_network_rule_find(s, a, product, api, &r->rule, found, err);
}

static GH_RC network_show(struct store *s UNUSED, struct arena *a UNUSED, const void *row, json_t *doc, struct gh_err *err UNUSED)
{
	const struct network_row *r = row;

	json_object_set_new(doc, "allow", json_words(r->rule.allow));
	json_object_set_new(doc, "deny", json_words(r->rule.deny));
	return GH_RC_OK;
}

static GH_RC network_check(struct resource_put *p, struct gh_err *err UNUSED)
{
	static const char *const names[] = { "allow", "deny" };
	struct gh_err why;
	struct ip_set set;
	char pointer[40];

	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		for (size_t i = 0; i < json_array_size(jsn_get(p->doc, names[k])); i++) {
			snprintf(pointer, sizeof(pointer), "/%s/%zu", names[k], i);
			if (ip_set_parse(p->a, jsn_string(json_array_get(jsn_get(p->doc, names[k]), i)), &set, &why).code)
				put_problem(p, pointer, "%s", why.message);
		}
	return GH_RC_OK;
}

static struct str joined(struct arena *a, const json_t *list)
{
	struct str all = STR("");

	for (size_t i = 0; i < json_array_size(list); i++)
		all = arena_printf(a, "%.*s%s%.*s", STR_ARG(all), i ? " " : "", STR_ARG(jsn_string(json_array_get(list, i))));
	return all;
}

static GH_RC network_save(struct resource_put *p, struct gh_err *err)
{
	struct store_network_rule row = ((struct network_row *)p->row)->rule;

	(void)place_of(p->id, true, &row.api_id, &row.product_id);
	row.allow = joined(p->a, jsn_get(p->doc, "allow"));
	row.deny = joined(p->a, jsn_get(p->doc, "deny"));
	return store_network_rule_set(p->s, &row, err);
}

static GH_RC network_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	struct str api, product;

	if (!place_of(id, true, &api, &product))
		FAIL(err, NOT_FOUND, "there is no network rule '%.*s'", STR_ARG(id));
	return store_network_rule_delete(s, product, api, err);
}

static const struct resource_ops network_ops = {
	.row_size = sizeof(struct network_row), .store = STORE_RESOURCE_NETWORK_RULE, .check_id = network_check_id, .find = network_find,
	.show = network_show, .check = network_check, .save = network_save, .drop = network_drop,
};

const struct resource_kind kind_network_rule = {
	.name = "network-rule", .plural = "network-rules", .title = "Network rule", .description = "From where calls may come.",
	.area = RESOURCE_AREA_POLICIES, .fields = network_fields, .ops = &network_ops, .filters = { { NULL } },
};
