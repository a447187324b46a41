/* promote.c - see the header. */
#include "config/files/promote.h"

#include "core/str.h"
#include "db/alerts.h"
#include "db/apis.h"
#include "db/environments.h"

const char *const promotion_parts[] = { "policies", "tiers", "alerts", "contracts", NULL };

GH_RC promotion_with(struct promotion *p, struct str words, struct gh_err *err)
{
	bool *const parts[] = { &p->policies, &p->tiers, &p->alerts, &p->contracts };
	struct str word;

	while (words.n && str_split(&words, ',', &word)) {
		size_t i = 0;

		word = str_trim(word);
		while (promotion_parts[i] && !str_eq(word, str_of(promotion_parts[i])))
			i++;
		if (!promotion_parts[i])
			FAIL(err, INVALID, "'%.*s' is nothing that goes along: policies, tiers, alerts, contracts", STR_ARG(str_first(word, 80)));
		*parts[i] = true;
	}
	if (p->contracts && !p->tiers)
		FAIL(err, INVALID, "contracts are to products: they go along with tiers only");
	return GH_RC_OK;
}

struct walk_of {
	struct store *store;
	struct arena *arena;
	struct promotion *p;
	struct files_set *set;
	struct str from;                 /* environment of the source */
};

/* ---- names and addresses ------------------------------------------------------------------------------------------------- */

/* "orders-sandbox" becomes "orders-production". */
static struct str counterpart(struct walk_of *w, struct str id)
{
	struct str tail = arena_printf(w->arena, "-%.*s", STR_ARG(w->from));

	if (tail.n && id.n > tail.n && str_ends(id, tail))
		id = str_first(id, id.n - tail.n);
	return arena_printf(w->arena, "%.*s-%.*s", STR_ARG(id), STR_ARG(w->p->to));
}

static GH_RC variables_of(struct walk_of *w, struct str environment, json_t **out, struct gh_err *err)
{
	struct store_environment e;
	bool found;

	TRY(store_environment_find(w->store, w->arena, environment, &e, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no environment '%.*s'", STR_ARG(environment));
	return jsn_parse_in(w->arena, e.variables.n ? e.variables : STR("[]"), &(struct jsn_limits){ .flags = JSN_ANY }, out, NULL, err);
}

static struct str variable(const json_t *list, struct str name)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		if (str_eq(jsn_str(v, "name"), name))
			return jsn_str(v, "value");
	return STR_NULL;
}

/* The address in the target; STR_NULL: no variable says one. */
static GH_RC address_of(struct walk_of *w, struct str url, struct str *out, struct gh_err *err)
{
	struct str best = STR_NULL, name = STR_NULL, there;
	json_t *from, *to, *v;
	size_t i;

	*out = w->p->backend.n ? w->p->backend : STR_NULL;
	TRY(variables_of(w, w->from, &from, err));
	TRY(variables_of(w, w->p->to, &to, err));
	if (out->n || !url.n)
		return GH_RC_OK;
	json_array_foreach(from, i, v) {
		struct str value = jsn_str(v, "value");

		if (value.n > best.n && str_starts(url, value)) {
			best = value;
			name = jsn_str(v, "name");
		}
	}
	if (!best.n)
		return GH_RC_OK;
	there = variable(to, name);
	w->p->lacks_address = !there.n;
	if (!there.n)
		FAIL(err, INVALID, "the environment '%.*s' has no variable '%.*s', which says where the backend is: add it, or give an address",
		     STR_ARG(w->p->to), STR_ARG(name));
	*out = arena_printf(w->arena, "%.*s%.*s", STR_ARG(there), STR_ARG(str_from(url, best.n)));
	return GH_RC_OK;
}

/* ---- documents ------------------------------------------------------------------------------------------------------------ */

static void set_text(json_t *doc, const char *field, struct str v)
{
	json_object_set_new(doc, field, json_stringn(v.p ? v.p : "", v.n));
}

static GH_RC put(struct walk_of *w, const char *kind, const json_t *doc, struct str id, json_t **out, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(str_of(kind));
	json_t *copy = resource_document(w->arena, k, doc, RESOURCE_WRITABLE | RESOURCE_SHORT);

	copy = copy ? jsn_keep(w->arena, json_deep_copy(copy)) : NULL;
	if (!copy)
		FAIL(err, NOMEM, "promotion");
	set_text(copy, "id", id);
	for (const struct resource_field *f = k->fields; f->name; f++)
		if (f->type == RESOURCE_REF && strcmp(f->ref, "api") == 0 && str_eq(jsn_str(copy, f->name), w->p->api))
			set_text(copy, f->name, w->p->instance);
	*out = copy;
	return files_set_add(w->set, k, copy, STR("promotion"), err);
}

static GH_RC read_one(struct walk_of *w, const char *kind, struct str id, json_t **out, struct gh_err *err)
{
	return resource_read(w->store, w->arena, resource_kind_find(str_of(kind)), id, out, err);
}

/* The resource of that id, when there is one, under another id. */
static GH_RC along(struct walk_of *w, const char *kind, struct str id, struct str as, struct gh_err *err)
{
	json_t *doc, *copy;

	TRY(read_one(w, kind, id, &doc, err));
	return doc ? put(w, kind, doc, as, &copy, err) : GH_RC_OK;
}

typedef GH_RC each_id(struct walk_of *w, struct str id, void *ctx, struct gh_err *err);

static GH_RC each(struct walk_of *w, const char *kind, const char *filter, struct str value, each_id *run, void *ctx, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(str_of(kind));
	struct resource_query q = { .limit = RESOURCE_LIST_MAX };
	struct str *ids, next;
	size_t n, f = 0;

	while (k->filters[f].name && strcmp(k->filters[f].name, filter) != 0)
		f++;
	q.values[f] = value;
	do {
		TRY(resource_ids(w->store, w->arena, k, &q, &ids, &n, &next, err));
		for (size_t i = 0; i < n; i++)
			TRY(run(w, ids[i], ctx, err));
		q.after = next;
	} while (next.n);
	return GH_RC_OK;
}

/* "orders/get" of the current revision. */
static gh_rc operation_along(struct walk_of *w, struct str id, void *ctx UNUSED, struct gh_err *err)
{
	size_t slash = str_find_char(id, '/');

	if (!str_eq(str_first(id, slash), w->p->api))
		return GH_RC_OK;
	return along(w, "operation", id, arena_printf(w->arena, "%.*s%.*s", STR_ARG(w->p->instance), STR_ARG(str_from(id, slash))), err);
}

static gh_rc policy_along(struct walk_of *w, struct str id, void *ctx UNUSED, struct gh_err *err)
{
	size_t colon = str_find_char(id, ':'), slash = str_find_char(id, '/');
	struct str of = str_from(str_first(id, slash), colon + 1);

	if (colon == SIZE_MAX || !str_eq(of, w->p->api))
		return GH_RC_OK;                 /* of another revision */
	return along(w, "policy", id, arena_printf(w->arena, "%.*s:%.*s%.*s", STR_ARG(str_first(id, colon)), STR_ARG(w->p->instance),
						   STR_ARG(slash == SIZE_MAX ? STR("") : str_from(id, slash))), err);
}

static gh_rc tier_along(struct walk_of *w, struct str id, void *ctx, struct gh_err *err)
{
	json_t *doc, *copy;

	TRY(read_one(w, "tier", id, &doc, err));
	if (!doc)
		return GH_RC_OK;
	TRY(put(w, "tier", doc, counterpart(w, id), &copy, err));
	set_text(copy, "product", *(struct str *)ctx);
	return GH_RC_OK;
}

static gh_rc contract_along(struct walk_of *w, struct str id, void *ctx, struct gh_err *err)
{
	json_t *doc, *copy;

	TRY(read_one(w, "subscription", id, &doc, err));
	if (!doc || !str_eq(jsn_str(doc, "state"), STR("active")))
		return GH_RC_OK;
	TRY(put(w, "subscription", doc, counterpart(w, id), &copy, err));
	set_text(copy, "product", *(struct str *)ctx);
	if (jsn_str(doc, "tier").n)
		set_text(copy, "tier", counterpart(w, jsn_str(doc, "tier")));
	return GH_RC_OK;
}

static bool has(const json_t *list, struct str id)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		if (str_eq(jsn_string(v), id))
			return true;
	return false;
}

/* The product's counterpart opens the instance; it keeps other APIs that it opens already. */
static gh_rc product_along(struct walk_of *w, struct str id, void *ctx UNUSED, struct gh_err *err)
{
	struct str as = counterpart(w, id);
	json_t *doc, *there, *copy, *apis;

	TRY(read_one(w, "product", id, &doc, err));
	if (!doc || has(jsn_arr(doc, "apis"), w->p->instance))
		return GH_RC_OK;                 /* one product for both: nothing to do */
	TRY(read_one(w, "product", as, &there, err));
	TRY(put(w, "product", doc, as, &copy, err));
	apis = there ? json_deep_copy(jsn_arr(there, "apis")) : json_array();
	if (!has(apis, w->p->instance))
		json_array_append_new(apis, json_stringn(w->p->instance.p, w->p->instance.n));
	json_object_set_new(copy, "apis", apis);
	TRY(each(w, "tier", "product", id, tier_along, &as, err));
	if (w->p->policies)
		TRY(along(w, "policy", arena_printf(w->arena, "product:%.*s", STR_ARG(id)), arena_printf(w->arena, "product:%.*s", STR_ARG(as)), err));
	return w->p->contracts ? each(w, "subscription", "product", id, contract_along, &as, err) : GH_RC_OK;
}

/* ---- the API itself --------------------------------------------------------------------------------------------------------- */

static GH_RC api_along(struct walk_of *w, const json_t *doc, struct gh_err *err)
{
	static const char *const kept[] = { "state", "deprecated", "sunset", "backendUrl", "backend" };
	struct str address;
	json_t *there, *copy;

	TRY(read_one(w, "api", w->p->instance, &there, err));
	TRY(put(w, "api", doc, w->p->instance, &copy, err));
	set_text(copy, "environment", w->p->to);
	json_object_del(copy, "revision");
	TRY(address_of(w, jsn_str(doc, "backendUrl"), &address, err));
	for (size_t i = 0; there && i < ARRAY_LEN(kept); i++)    /* its stage is its own, and its address where no variable says it */
		if (i < 3 || (!address.n && jsn_str(doc, "backendUrl").n))
			json_object_set(copy, kept[i], jsn_get(there, kept[i]));
	if (address.n) {
		set_text(copy, "backendUrl", address);
		json_object_del(copy, "backend");
	} else if (!there && jsn_str(doc, "backendUrl").n) {
		w->p->lacks_address = true;
		FAIL(err, INVALID, "no variable of the environment '%.*s' is what the address of the backend begins with: give both environments a "
		     "variable for it, or give an address (--backend)", STR_ARG(w->from));
	}
	return GH_RC_OK;
}

static GH_RC find_instance(struct walk_of *w, const json_t *doc, struct gh_err *err)
{
	struct store_api other;
	bool found;

	w->from = jsn_str(doc, "environment");
	if (w->p->from.n && !str_eq(w->p->from, w->from))
		FAIL(err, INVALID, "the API '%.*s' stands in '%.*s', not in '%.*s'", STR_ARG(w->p->api), STR_ARG(w->from), STR_ARG(w->p->from));
	if (str_eq(w->from, w->p->to))
		FAIL(err, INVALID, "the API '%.*s' stands in '%.*s' already", STR_ARG(w->p->api), STR_ARG(w->from));
	TRY(store_api_find_path(w->store, w->arena, w->p->to, jsn_str(doc, "path"), jsn_str(doc, "version"), &other, &found, err));
	w->p->instance = found ? other.id : counterpart(w, w->p->api);
	TRY(store_api_find(w->store, w->arena, w->p->instance, 0, &other, &found, err));
	if (found && !str_eq(other.environment_id, w->p->to))
		FAIL(err, CONFLICT, "the id '%.*s' is that of an API in '%.*s'", STR_ARG(w->p->instance), STR_ARG(other.environment_id));
	return GH_RC_OK;
}

static bool goes_along(const struct walk_of *w, const char *kind, struct str id)
{
	for (size_t i = 0; i < w->set->n; i++)
		if (strcmp(w->set->docs[i].kind->name, kind) == 0 && str_eq(w->set->docs[i].id, id))
			return true;
	return false;
}

/* A rule about this API; a product that does not go along and has no counterpart there stays the one that it is. */
static GH_RC alert_along(struct walk_of *w, struct str id, struct gh_err *err)
{
	struct str as = counterpart(w, id), product;
	json_t *doc, *copy;
	bool there;

	TRY(read_one(w, "alert-rule", id, &doc, err));
	if (!doc)
		return GH_RC_OK;
	TRY(put(w, "alert-rule", doc, as, &copy, err));
	if (jsn_str(doc, "environment").n)
		set_text(copy, "environment", w->p->to);
	product = counterpart(w, jsn_str(doc, "product"));
	if (jsn_str(doc, "product").n) {
		TRY(resource_exists(w->store, resource_kind_find(STR("product")), product, &there, err));
		if (there || goes_along(w, "product", product))
			set_text(copy, "product", product);
	}
	w->p->alert_ids[w->p->n_alerts++] = as;
	return GH_RC_OK;
}

static GH_RC alerts_along(struct walk_of *w, struct gh_err *err)
{
	struct store_alert_rule *v;
	size_t n;

	w->p->n_alerts = 0;
	if (!w->p->alerts)
		return GH_RC_OK;
	TRY(store_alert_rules(w->store, w->arena, &v, &n, err));
	w->p->alert_ids = arena_alloc(w->arena, n + 1, sizeof(*w->p->alert_ids));
	if (!w->p->alert_ids)
		FAIL(err, NOMEM, "promotion");
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].rule.api, w->p->api))
			TRY(alert_along(w, v[i].id, err));
	return GH_RC_OK;
}

GH_RC promotion_set(struct store *s, struct arena *a, struct promotion *p, struct files_set *set, struct gh_err *err)
{
	struct walk_of w = { .store = s, .arena = a, .p = p, .set = set };
	json_t *doc;

	*set = (struct files_set){ .arena = a };
	TRY(read_one(&w, "api", p->api, &doc, err));
	if (!doc)
		FAIL(err, NOT_FOUND, "there is no API '%.*s'", STR_ARG(p->api));
	TRY(find_instance(&w, doc, err));
	TRY(api_along(&w, doc, err));
	TRY(each(&w, "operation", "api", p->api, operation_along, NULL, err));
	TRY(along(&w, "api-description", p->api, p->instance, err));
	if (p->policies) {
		TRY(each(&w, "policy", "api", p->api, policy_along, NULL, err));
		TRY(along(&w, "access-rule", arena_printf(a, "api:%.*s", STR_ARG(p->api)), arena_printf(a, "api:%.*s", STR_ARG(p->instance)), err));
		TRY(along(&w, "network-rule", arena_printf(a, "api:%.*s", STR_ARG(p->api)), arena_printf(a, "api:%.*s", STR_ARG(p->instance)), err));
	}
	if (p->tiers)
		TRY(each(&w, "product", "api", p->api, product_along, NULL, err));
	set->covers[files_kind_index(resource_kind_find(STR("operation")))] = true;
	set->only = arena_printf(a, "%.*s/", STR_ARG(p->instance));
	TRY(alerts_along(&w, err));
	return files_set_finish(set, err);
}
