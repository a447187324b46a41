#include "config/governance/facts.h"

#include "config/governance/summary.h"
#include "config/resource.h"
#include "core/access_rule.h"
#include "core/map.h"
#include "core/str.h"
#include "db/access_rules.h"
#include "db/backends.h"
#include "db/named_values.h"
#include "db/network.h"
#include "db/policies.h"
#include "db/products.h"
#include "db/tiers.h"

enum { PRODUCTS_MAX = 200, FRAGMENT_DEPTH_MAX = 8, POOL_MEMBERS_MAX = 100 };

struct facts {
	struct arena *a;
	struct store *s;
	struct map documents;            /* "product gold" -> struct jtoken: as the management API shows it */
	struct map summaries;            /* "policy product:gold" -> struct summary; "fragment x" too */
	struct map fragments;            /* id -> struct store_fragment */
	struct map values;               /* named values that are no secrets: id -> struct store_named_value */
	struct map backends;             /* id -> struct store_backend */
	struct map limited;              /* product -> itself: each of its tiers limits */
	struct store_pool_member *members;
	size_t n_members;
	struct store_access_rule *rules;
	size_t n_rules;
	struct store_network_rule *networks;
	size_t n_networks;
	unsigned depth;                  /* of fragments in fragments */
	bool failed;
};

/* One API on its way. */
struct one {
	struct facts *f;
	struct arena *a;
	const struct store_api *api;
	struct jtoken *root;
	const struct summary *global, *environment, *of_api;
	struct store_product *products;
	const struct summary **of_products;
	size_t n_products;
	struct store_operation *operations;
	const struct summary **of_operations;
	size_t n_operations;
};

/* ---- what is shared ------------------------------------------------------------------------------------------------------------ */

static GH_RC index_rows(struct map *m, struct arena *a, void *rows, size_t n, size_t size, struct gh_err *err)
{
	map_init(m, a, false);
	for (size_t i = 0; i < n; i++) {
		char *row = (char *)rows + i * size;     /* the id is the first member */

		if (!map_put(m, *(struct str *)(void *)row, row))
			FAIL(err, NOMEM, "configuration");
	}
	return GH_RC_OK;
}

/* A product whose tiers all limit: whoever subscribes is limited. */
static GH_RC read_tiers(struct facts *f, struct gh_err *err)
{
	struct store_tier *tiers;
	struct store_limit *limits;
	size_t n, n_limits;

	map_init(&f->limited, f->a, false);
	TRY(store_tiers(f->s, f->a, STR_NULL, &tiers, &n, err));
	for (size_t i = 0; i < n;) {
		struct str product = tiers[i].product_id;
		bool all = true;

		for (; i < n && str_eq(tiers[i].product_id, product); i++) {
			TRY(store_tier_limits(f->s, f->a, tiers[i].id, &limits, &n_limits, err));
			all = all && n_limits > 0;
		}
		if (all && !map_put(&f->limited, product, &tiers[i - 1]))
			FAIL(err, NOMEM, "tiers");
	}
	return GH_RC_OK;
}

GH_RC facts_new(struct arena *a, struct store *s, struct facts **out, struct gh_err *err)
{
	struct facts *f = *out = arena_new_of(a, struct facts);
	struct store_named_value *values;
	struct store_fragment *fragments;
	struct store_backend *backends;
	size_t n;

	if (!f)
		FAIL(err, NOMEM, "configuration");
	f->a = a;
	f->s = s;
	map_init(&f->documents, a, false);
	map_init(&f->summaries, a, false);
	TRY(store_named_values(s, a, false, &values, &n, err));
	TRY(index_rows(&f->values, a, values, n, sizeof(*values), err));
	TRY(store_fragments(s, a, &fragments, &n, err));
	TRY(index_rows(&f->fragments, a, fragments, n, sizeof(*fragments), err));
	TRY(store_backends(s, a, false, &backends, &n, err));
	TRY(index_rows(&f->backends, a, backends, n, sizeof(*backends), err));
	TRY(store_pool_members(s, a, &f->members, &f->n_members, err));
	TRY(store_access_rules(s, a, &f->rules, &f->n_rules, err));
	TRY(store_network_rules(s, a, &f->networks, &f->n_networks, err));
	return read_tiers(f, err);
}

/* The document of a resource that several APIs show; NULL: there is none. */
static GH_RC shared(struct facts *f, const char *kind, struct str id, struct jtoken **out, struct gh_err *err)
{
	struct str key = arena_printf(f->a, "%s %.*s", kind, STR_ARG(id));
	json_t *doc;

	*out = map_get(&f->documents, key);
	if (*out || !id.n)
		return GH_RC_OK;
	TRY(resource_read(f->s, f->a, resource_kind_find(str_of(kind)), id, &doc, err));
	if (!doc)
		return GH_RC_OK;
	*out = governance_token(f->a, doc);
	if (!*out || !map_put(&f->documents, key, *out))
		FAIL(err, NOMEM, "configuration");
	return GH_RC_OK;
}

/* Puts a copy of it in. */
static GH_RC put_shared(struct one *o, struct jtoken *to, const char *name, struct jtoken *v, struct gh_err *err)
{
	struct jtoken *copy = v ? jt_clone(o->a, v) : jt_leaf(o->a, JT_NULL, VALUE_NULL_INIT);

	if (!copy || !(name ? jt_set(o->a, to, str_of(name), copy) : jt_insert(o->a, to, to->n, copy, NULL)))
		FAIL(err, NOMEM, "configuration");
	return GH_RC_OK;
}

static const struct summary *fragment(void *ctx, struct str id)
{
	struct facts *f = ctx;
	struct str key = arena_printf(f->a, "fragment %.*s", STR_ARG(id));
	const struct store_fragment *row = map_get(&f->fragments, id);
	struct summary *out = map_get(&f->summaries, key);

	if (out || !row || f->depth == FRAGMENT_DEPTH_MAX)
		return out;
	out = arena_new_of(f->a, struct summary);
	f->depth++;
	f->failed = f->failed || !out || summary_read(f->a, key, row->bytes, fragment, f, out, NULL).code || !map_put(&f->summaries, key, out);
	f->depth--;
	return out;
}

static GH_RC summary_of(struct facts *f, struct arena *a, const struct store_policy_scope *scope, struct str name, const struct summary **out,
			struct gh_err *err)
{
	struct summary *s;
	struct str text;
	bool found;

	*out = NULL;
	TRY(store_policy_find(f->s, a, scope, &text, &found, err));
	if (!found)
		return GH_RC_OK;
	s = arena_new_of(a, struct summary);
	if (!s || !name.p)
		FAIL(err, NOMEM, "policies");
	TRY(summary_read(a, name, text, fragment, f, s, err));
	if (f->failed)
		FAIL(err, NOMEM, "fragments");
	*out = s;
	return GH_RC_OK;
}

/* Of a scope that several APIs stand in. */
static GH_RC shared_summary(struct facts *f, const struct store_policy_scope *scope, struct str name, const struct summary **out, struct gh_err *err)
{
	static const struct summary none;

	*out = map_get(&f->summaries, name);
	if (!*out) {
		TRY(summary_of(f, f->a, scope, name, out, err));
		if (!map_put(&f->summaries, name, (void *)(uintptr_t)(*out ? *out : &none)))
			FAIL(err, NOMEM, "policies");
	}
	if (*out == &none)
		*out = NULL;
	return GH_RC_OK;
}

/* ---- policies ------------------------------------------------------------------------------------------------------------------ */

static GH_RC read_policies(struct one *o, struct gh_err *err)
{
	const struct store_policy_scope global = { .kind = STORE_POLICY_GLOBAL };
	const struct store_policy_scope environment = { .kind = STORE_POLICY_ENVIRONMENT, .environment_id = o->api->environment_id };
	struct store_policy_scope scope = { .kind = STORE_POLICY_API, .api_id = o->api->id, .revision = o->api->revision };
	struct arena *shared_arena = o->f->a;

	TRY(shared_summary(o->f, &global, STR("policy global"), &o->global, err));
	TRY(shared_summary(o->f, &environment, arena_printf(shared_arena, "policy environment:%.*s", STR_ARG(environment.environment_id)), &o->environment, err));
	TRY(summary_of(o->f, o->a, &scope, arena_printf(o->a, "policy api:%.*s", STR_ARG(o->api->id)), &o->of_api, err));
	for (size_t i = 0; i < o->n_products; i++) {
		const struct store_policy_scope of = { .kind = STORE_POLICY_PRODUCT, .product_id = o->products[i].id };

		TRY(shared_summary(o->f, &of, arena_printf(shared_arena, "policy product:%.*s", STR_ARG(of.product_id)), &o->of_products[i], err));
	}
	scope.kind = STORE_POLICY_OPERATION;
	for (size_t i = 0; i < o->n_operations; i++) {
		scope.operation_id = o->operations[i].id;
		TRY(summary_of(o->f, o->a, &scope, arena_printf(o->a, "policy operation:%.*s/%.*s", STR_ARG(o->api->id), STR_ARG(scope.operation_id)),
			       &o->of_operations[i], err));
	}
	return GH_RC_OK;
}

/* What acts on a call of an operation that came through a product (NULL: through none): an outer document acts as far as each inner one
 * says <base/>; that of the environment always does. */
static struct summary acting(const struct one *o, const struct summary *operation, const struct summary *product)
{
	const struct summary *chain[] = { operation, o->of_api, product, o->global };
	struct summary all = { .name = STR("") };

	for (size_t i = 0; i <= ARRAY_LEN(chain); i++) {
		const struct summary *s = i < ARRAY_LEN(chain) ? chain[i] : o->environment;

		if (!s)
			continue;
		all.authentication |= s->authentication;
		all.conditional |= s->conditional;
		all.limits |= s->limits;
		if (i < ARRAY_LEN(chain) && s->has_inbound && !s->has_base)
			i = ARRAY_LEN(chain) - 1;        /* on to the environment's */
	}
	return all;
}

static void put_bits(struct arena *a, struct jtoken *list, const char *const *names, unsigned bits)
{
	for (unsigned i = 0; names[i]; i++)
		if (bits >> i & 1)
			add_text(a, list, str_of(names[i]));
}

/* ---- who may call -------------------------------------------------------------------------------------------------------------- */

static const struct store_access_rule *rule_of(const struct facts *f, struct str api, struct str product)
{
	for (size_t i = 0; i < f->n_rules; i++)
		if ((api.n && str_eq(f->rules[i].api_id, api)) || (product.n && str_eq(f->rules[i].product_id, product)))
			return &f->rules[i];
	return NULL;
}

static bool anonymous(const struct access_group *groups, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool all = true;

		for (size_t k = 0; k < groups[i].n; k++)
			all = all && groups[i].methods[k].kind == ACCESS_ANONYMOUS;
		if (all)
			return true;
	}
	return false;
}

/* Whether an access rule lets anybody call the operation. */
static GH_RC rule_opens(struct one *o, const struct store_access_rule *row, struct str operation, bool *opens, struct gh_err *err)
{
	struct access_rule rule;
	json_t *stored;

	TRY(jsn_parse_in(o->a, row->rule, NULL, &stored, NULL, err));
	TRY(access_rule_read(o->a, stored, &rule, err));
	*opens = anonymous(rule.groups, rule.n_groups);
	for (size_t i = 0; i < rule.n_operations; i++)
		if (str_eq(rule.operations[i].id, operation) && rule.operations[i].n_groups)
			*opens = anonymous(rule.operations[i].groups, rule.operations[i].n_groups);
	return GH_RC_OK;
}

/* Whether a call without any credential gets to the policies, straight or through a product. */
static GH_RC unprotected(struct one *o, size_t operation, bool *out, struct gh_err *err)
{
	const struct store_access_rule *rule = rule_of(o->f, o->api->id, STR_NULL);
	const struct summary *own = o->of_operations[operation];
	struct str id = o->operations[operation].id;
	struct summary all;
	bool open = !o->api->subscription_required;

	if (rule)
		TRY(rule_opens(o, rule, id, &open, err));
	all = acting(o, own, NULL);
	*out = open && !all.authentication && !all.conditional;
	for (size_t i = 0; i < o->n_products && !*out && !rule; i++) {
		const struct store_access_rule *of = rule_of(o->f, STR_NULL, o->products[i].id);

		open = !o->products[i].subscription_required && !of;
		if (of)
			TRY(rule_opens(o, of, id, &open, err));
		all = acting(o, own, o->of_products[i]);
		*out = open && o->products[i].state == STORE_PRODUCT_PUBLISHED && !all.authentication && !all.conditional;
	}
	return GH_RC_OK;
}

/* Whether somebody may call it without end. */
static bool unlimited(const struct one *o, size_t operation)
{
	const struct summary *own = o->of_operations[operation];
	bool straight = !o->n_products || !o->api->subscription_required;

	if (straight && !acting(o, own, NULL).limits)
		return true;
	for (size_t i = 0; i < o->n_products; i++)
		if (!acting(o, own, o->of_products[i]).limits && !(o->products[i].subscription_required && map_get(&o->f->limited, o->products[i].id)))
			return true;
	return false;
}

static GH_RC put_operations(struct one *o, struct gh_err *err)
{
	struct jtoken *list = put_list(o->a, o->root, "operations"), *who = put_object(o->a, o->root, "authentication");
	struct jtoken *limits = put_object(o->a, o->root, "limits"), *open, *endless;
	const struct store_access_rule *rule = rule_of(o->f, o->api->id, STR_NULL);
	struct summary all = acting(o, NULL, o->n_products ? o->of_products[0] : NULL);

	put_bool(o->a, who, "key", o->api->subscription_required && !rule);
	put_bool(o->a, who, "accessRule", rule != NULL);
	put_bits(o->a, put_list(o->a, who, "policies"), summary_authentication, all.authentication);
	put_bits(o->a, put_list(o->a, who, "conditional"), summary_authentication, all.conditional & ~all.authentication);
	put_bits(o->a, put_list(o->a, limits, "policies"), summary_limits, all.limits);
	open = put_list(o->a, who, "unprotected");
	endless = put_list(o->a, limits, "unlimited");
	for (size_t i = 0; i < o->n_operations; i++) {
		const struct store_operation *op = &o->operations[i];
		struct jtoken *v = add_object(o->a, list);
		bool any;

		put_text(o->a, v, "place", arena_printf(o->a, "operation %.*s", STR_ARG(op->id)));
		put_text(o->a, v, "id", op->id);
		put_text(o->a, v, "name", op->name);
		put_text(o->a, v, "method", op->method);
		put_text(o->a, v, "uriTemplate", op->uri_template);
		put_text(o->a, v, "description", op->description);
		all = acting(o, o->of_operations[i], o->n_products ? o->of_products[0] : NULL);
		put_bits(o->a, put_list(o->a, v, "authentication"), summary_authentication, all.authentication | all.conditional);
		put_bits(o->a, put_list(o->a, v, "limits"), summary_limits, all.limits);
		TRY(unprotected(o, i, &any, err));
		if (any)
			add_text(o->a, open, op->id);
		if (unlimited(o, i))
			add_text(o->a, endless, op->id);
	}
	return GH_RC_OK;
}

/* ---- backends ------------------------------------------------------------------------------------------------------------------ */

static bool is_local(struct str url)
{
	static const struct str here[] = { STR_INIT("://127."), STR_INIT("://localhost"), STR_INIT("://[::1]"), STR_INIT("://unix") };

	for (size_t i = 0; i < ARRAY_LEN(here); i++)
		if (str_starts_ci(str_from(url, str_find(url, STR("://"))), here[i]))
			return true;
	return false;
}

/* {{name}} alone or in front is put in where it is readable. */
static struct str with_value(const struct one *o, struct str url)
{
	size_t end = str_find(url, STR("}}"));
	const struct store_named_value *v;

	if (!str_starts(url, STR("{{")) || end == SIZE_MAX)
		return url;
	v = map_get(&o->f->values, str_trim((struct str){ url.p + 2, end - 2 }));
	return v && !v->secret && v->value.n ? arena_printf(o->a, "%.*s%.*s", STR_ARG(v->value), STR_ARG(str_from(url, end + 2))) : url;
}

static void put_address(struct one *o, struct jtoken *list, struct str url, const struct store_backend *b, struct str place)
{
	struct jtoken *v;

	url = with_value(o, url);
	if (!str_starts_ci(url, STR("http")))            /* an expression or a secret: not known before the call */
		return;
	v = add_object(o->a, list);
	put_text(o->a, v, "address", str_first(url, str_find_char(url, '?')));
	put_text(o->a, v, "place", place);
	put_bool(o->a, v, "tls", str_starts_ci(url, STR("https:")));
	put_bool(o->a, v, "local", is_local(url));
	put_bool(o->a, v, "verifyTls", !b || b->verify_tls || b->tls_pins.n);
	put_bool(o->a, v, "verifyName", !b || b->verify_name || b->tls_pins.n);
}

static void put_backend(struct one *o, struct jtoken *list, struct str id, unsigned depth)
{
	const struct store_backend *b = map_get(&o->f->backends, id);
	size_t n = 0;

	if (!b || depth > 2)
		return;
	if (!b->is_pool)
		put_address(o, list, b->url, b, arena_printf(o->a, "backend %.*s", STR_ARG(id)));
	for (size_t i = 0; i < o->f->n_members && b->is_pool && n < POOL_MEMBERS_MAX; i++)
		if (str_eq(o->f->members[i].pool_id, id)) {
			put_backend(o, list, o->f->members[i].backend_id, depth + 1);
			n++;
		}
}

static void put_chosen(struct one *o, struct jtoken *list, const struct summary *s)
{
	for (size_t i = 0; s && i < s->n_backends; i++) {
		if (s->backends[i].id.n)
			put_backend(o, list, s->backends[i].id, 0);
		else
			put_address(o, list, s->backends[i].address, NULL, s->backends[i].place);
	}
}

static void put_backends(struct one *o)
{
	struct jtoken *list = put_list(o->a, o->root, "backends");

	if (o->api->backend_id.n)
		put_backend(o, list, o->api->backend_id, 0);
	else
		put_address(o, list, o->api->backend_url, NULL, STR("backend address of the API"));
	put_chosen(o, list, o->global);
	put_chosen(o, list, o->environment);
	for (size_t i = 0; i < o->n_products; i++)
		put_chosen(o, list, o->of_products[i]);
	put_chosen(o, list, o->of_api);
	for (size_t i = 0; i < o->n_operations; i++)
		put_chosen(o, list, o->of_operations[i]);
}

/* ---- all of it ------------------------------------------------------------------------------------------------------------------- */

static GH_RC put_documents(struct one *o, struct gh_err *err)
{
	struct jtoken *list = put_list(o->a, o->root, "policies");

	TRY(o->global ? put_shared(o, list, NULL, o->global->token, err) : GH_RC_OK);
	TRY(o->environment ? put_shared(o, list, NULL, o->environment->token, err) : GH_RC_OK);
	for (size_t i = 0; i < o->n_products; i++)
		TRY(o->of_products[i] ? put_shared(o, list, NULL, o->of_products[i]->token, err) : GH_RC_OK);
	TRY(o->of_api ? put_shared(o, list, NULL, o->of_api->token, err) : GH_RC_OK);
	for (size_t i = 0; i < o->n_operations; i++)
		TRY(o->of_operations[i] ? put_shared(o, list, NULL, o->of_operations[i]->token, err) : GH_RC_OK);
	return GH_RC_OK;
}

static GH_RC put_resources(struct one *o, struct gh_err *err)
{
	struct jtoken *list, *v;
	json_t *doc;

	TRY(resource_read(o->f->s, o->a, resource_kind_find(STR("api")), o->api->id, &doc, err));
	v = doc ? governance_token(o->a, doc) : NULL;
	if (!v || !jt_set(o->a, o->root, STR("api"), v))
		FAIL(err, NOMEM, "API %.*s", STR_ARG(o->api->id));
	TRY(shared(o->f, "environment", o->api->environment_id, &v, err));
	TRY(put_shared(o, o->root, "environment", v, err));
	list = put_list(o->a, o->root, "products");
	for (size_t i = 0; i < o->n_products; i++) {
		TRY(shared(o->f, "product", o->products[i].id, &v, err));
		TRY(put_shared(o, list, NULL, v, err));
		put_bool(o->a, list->v[list->n - 1], "hasLimits", map_get(&o->f->limited, o->products[i].id)
			 || (o->of_products[i] && o->of_products[i]->limits));
	}
	return GH_RC_OK;
}

static void put_lifecycle(struct one *o)
{
	struct jtoken *v = put_object(o->a, o->root, "lifecycle"), *api = jt_get(o->root, STR("api")), *sunset = jt_get(api, STR("sunset"));

	put_text(o->a, v, "state", value_str(jt_get(api, STR("state"))->value));
	put_text(o->a, v, "sunset", sunset ? value_str(sunset->value) : STR_NULL);
	put_number(o->a, v, "products", (int64_t)o->n_products);
	put_number(o->a, v, "operations", (int64_t)o->n_operations);
}

static void put_network(struct one *o)
{
	struct jtoken *v = put_object(o->a, o->root, "network");
	bool only = false;

	for (size_t i = 0; i < o->f->n_networks; i++) {
		const struct store_network_rule *r = &o->f->networks[i];

		only = only || (r->https_only && !r->product_id.n && (!r->api_id.n || str_eq(r->api_id, o->api->id)));
	}
	put_bool(o->a, v, "httpsOnly", only);
}

GH_RC facts_of(struct facts *f, struct arena *a, const struct store_api *api, struct governance_subject *out, struct gh_err *err)
{
	struct one o = { .f = f, .a = a, .api = api, .root = jt_container(a, JT_OBJECT) };
	int64_t bytes;

	*out = (struct governance_subject){ .document = GOVERNANCE_CONFIGURATION, .root = o.root };
	TRY(store_products_of_api(f->s, a, api->id, &o.products, &o.n_products, err));
	TRY(store_operations_of(f->s, a, api->id, api->revision, &o.operations, &o.n_operations, err));
	if (o.n_products > PRODUCTS_MAX)
		o.n_products = PRODUCTS_MAX;
	o.of_products = arena_alloc(a, o.n_products + 1, sizeof(*o.of_products));
	o.of_operations = arena_alloc(a, o.n_operations + 1, sizeof(*o.of_operations));
	if (!o.root || !o.of_products || !o.of_operations)
		FAIL(err, NOMEM, "API %.*s", STR_ARG(api->id));
	TRY(read_policies(&o, err));
	TRY(put_resources(&o, err));
	TRY(put_operations(&o, err));
	put_backends(&o);
	put_lifecycle(&o);
	put_network(&o);
	TRY(store_api_document_size(f->s, api->id, api->revision, &bytes, err));
	put_bool(a, put_object(a, o.root, "description"), "present", bytes > 0);
	TRY(put_documents(&o, err));
	if (arena_left(a) < 1024)                        /* a member may have been left out */
		FAIL(err, NOMEM, "API %.*s", STR_ARG(api->id));
	return GH_RC_OK;
}
