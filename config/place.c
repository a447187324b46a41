/* place.c - where a resource belongs, and so who may see and change it: a row a kind. A kind that has no row here belongs to
 * everywhere: who has rights in one place only neither sees nor changes it. */
#include "config/rights.h"

#include "core/str.h"
#include "db/machine_tokens.h"
#include "db/resources.h"
#include "db/roles.h"
#include "db/users.h"

enum how { EVERYWHERE, SHARED, ENVIRONMENT, GROUP, BEFORE_SLASH, OF_API, OF_PRODUCT, OF_TIER, OF_APPLICATION, OF_SUBSCRIPTION, BY_SCOPE };

static const struct {
	const char *kind;
	enum how how;
	bool change_everywhere;          /* changing it could reach beyond the place: the addresses of an environment */
} rows[] = {
	{ "business-group", GROUP, true },        { "environment", ENVIRONMENT, true },  { "certificate", SHARED, true },
	{ "credential", BEFORE_SLASH, false },    { "backend", SHARED, true },           { "named-value", SHARED, true },
	{ "schema", SHARED, true },               { "logger", SHARED, true },            { "policy-fragment", SHARED, true },
	{ "version-set", SHARED, true },          { "api", OF_API, false },              { "revision", OF_API, false },
	{ "operation", OF_API, false },           { "api-description", OF_API, false },  { "product", OF_PRODUCT, false },
	{ "tier", OF_TIER, false },               { "application", OF_APPLICATION, false }, { "subscription", OF_SUBSCRIPTION, false },
	{ "sign-in", OF_API, false },
	{ "policy", BY_SCOPE, false },            { "access-rule", BY_SCOPE, false },    { "network-rule", BY_SCOPE, false },
	{ "traffic-rule", BY_SCOPE, false },
};

/* "everywhere" for what only who may everywhere may see. */
struct place {
	bool everywhere, shared, change_everywhere;
	struct str groups[2], environments[64];          /* products of more environments than that belong to everywhere */
	size_t n_groups, n_environments;
};

static void add_environment(struct place *p, struct str id)
{
	if (p->n_environments == ARRAY_LEN(p->environments))
		p->everywhere = true;
	else
		p->environments[p->n_environments++] = id;
}

static void add_group(struct place *p, struct str id)
{
	if (p->n_groups < ARRAY_LEN(p->groups))
		p->groups[p->n_groups++] = id;
}

/* Follows what the store says; depth: a tier is of a product, which has places. */
static GH_RC follow(struct store *s, struct arena *a, enum store_placed what, struct str id, struct place *p, unsigned depth,
		    struct gh_err *err)
{
	struct store_resource_use *v;
	size_t n;

	TRY(store_places(s, a, what, id, &v, &n, err));
	p->everywhere |= n == 0 && depth == 0;
	for (size_t i = 0; i < n; i++) {
		if (str_eq(v[i].kind, STR("environment")))
			add_environment(p, v[i].id);
		else if (str_eq(v[i].kind, STR("business-group")))
			add_group(p, v[i].id);
		else if (depth && str_eq(v[i].kind, STR("product")))
			TRY(follow(s, a, STORE_PLACE_PRODUCT, v[i].id, p, depth - 1, err));
		else if (depth && str_eq(v[i].kind, STR("api")))
			TRY(follow(s, a, STORE_PLACE_API, v[i].id, p, depth - 1, err));
		else
			p->everywhere = true;
	}
	return GH_RC_OK;
}

/* "orders;rev=2/get-order": the API */
static struct str api_of(struct str id)
{
	size_t slash = str_find_char(id, '/'), rev = str_find_char(id, ';');

	return str_first(id, slash < rev ? slash : rev);
}

/* "api:orders", "product:gold", "global", "all", "environment:sandbox", "workspace:sales", "operation:orders/get" */
static GH_RC by_scope(struct store *s, struct arena *a, struct str id, struct place *p, struct gh_err *err)
{
	size_t colon = str_find_char(id, ':');
	struct str kind = str_first(id, colon), of = colon == SIZE_MAX ? STR("") : str_from(id, colon + 1);

	if (str_eq(kind, STR("api")) || str_eq(kind, STR("operation")))
		return follow(s, a, STORE_PLACE_API, api_of(of), p, 0, err);
	if (str_eq(kind, STR("product")))
		return follow(s, a, STORE_PLACE_PRODUCT, of, p, 0, err);
	if (str_eq(kind, STR("environment")))
		add_environment(p, of);
	else if (str_eq(kind, STR("workspace")))
		add_group(p, of);
	else
		p->shared = p->change_everywhere = true;         /* it acts on all calls */
	return GH_RC_OK;
}

static GH_RC find_place(struct store *s, struct arena *a, const struct resource_kind *k, struct str id, struct place *p,
			struct gh_err *err)
{
	size_t i = 0;

	*p = (struct place){ .everywhere = false };
	while (i < ARRAY_LEN(rows) && strcmp(rows[i].kind, k->name) != 0)
		i++;
	p->change_everywhere = i == ARRAY_LEN(rows) || rows[i].change_everywhere;
	switch (i == ARRAY_LEN(rows) ? EVERYWHERE : rows[i].how) {
	case SHARED:
		p->shared = true;
		return GH_RC_OK;
	case ENVIRONMENT:
		add_environment(p, id);
		return GH_RC_OK;
	case GROUP:
		add_group(p, id);
		return GH_RC_OK;
	case BEFORE_SLASH:
		add_environment(p, str_first(id, str_find_char(id, '/')));
		return GH_RC_OK;
	case OF_API:
		return follow(s, a, STORE_PLACE_API, api_of(id), p, 0, err);
	case OF_PRODUCT:
		return follow(s, a, STORE_PLACE_PRODUCT, id, p, 0, err);
	case OF_TIER:
		return follow(s, a, STORE_PLACE_TIER, id, p, 1, err);
	case OF_APPLICATION:
		return follow(s, a, STORE_PLACE_APPLICATION, id, p, 0, err);
	case OF_SUBSCRIPTION:
		return follow(s, a, STORE_PLACE_SUBSCRIPTION, id, p, 1, err);
	case BY_SCOPE:
		return by_scope(s, a, id, p, err);
	case EVERYWHERE:
		break;
	}
	p->everywhere = true;
	return GH_RC_OK;
}

static bool may(const struct rights *r, enum right x, const struct place *p, bool write)
{
	bool all = p->n_environments > 0;

	if (rights_everywhere(r, x))
		return true;
	if (p->everywhere || (write && p->change_everywhere))
		return false;
	if (p->shared)
		return rights_anywhere(r, x);
	for (size_t i = 0; i < p->n_groups; i++)
		if (rights_in_group(r, x, p->groups[i]))
			return true;
	for (size_t i = 0; i < p->n_environments; i++)
		all = all && rights_in(r, x, p->environments[i]);
	return all;
}

enum right resource_right(const struct resource_kind *k, bool write)
{
	static const struct {
		enum right view, change;
	} rights[RESOURCE_AREA__COUNT] = {
		[RESOURCE_AREA_APIS] = { RIGHT_VIEW_APIS, RIGHT_CHANGE_APIS },
		[RESOURCE_AREA_PRODUCTS] = { RIGHT_VIEW_APIS, RIGHT_CHANGE_PRODUCTS },
		[RESOURCE_AREA_POLICIES] = { RIGHT_VIEW_POLICIES, RIGHT_CHANGE_POLICIES },
		[RESOURCE_AREA_BACKENDS] = { RIGHT_VIEW_SETTINGS, RIGHT_CHANGE_SETTINGS },
		[RESOURCE_AREA_SECRETS] = { RIGHT_VIEW_SETTINGS, RIGHT_CHANGE_SETTINGS },
		[RESOURCE_AREA_SUBSCRIPTIONS] = { RIGHT_VIEW_SUBSCRIPTIONS, RIGHT_MANAGE_SUBSCRIPTIONS },
		[RESOURCE_AREA_PEOPLE] = { RIGHT_VIEW_PEOPLE, RIGHT_MANAGE_PEOPLE },
		[RESOURCE_AREA_PAGES] = { RIGHT_EDIT_PAGES, RIGHT_EDIT_PAGES },
		[RESOURCE_AREA_LOOK] = { RIGHT_CHANGE_LOOK, RIGHT_CHANGE_LOOK },
		[RESOURCE_AREA_SETTINGS] = { RIGHT_VIEW_SETTINGS, RIGHT_CHANGE_SETTINGS },
	};

	return write ? rights[k->area].change : rights[k->area].view;
}

bool resource_id_names_place(const struct resource_kind *k)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].kind, k->name) == 0)
			return rows[i].how == BY_SCOPE || rows[i].how == BEFORE_SLASH;
	return false;
}

enum { PLACE_BYTES = 1 << 20, APPROVERS_LOOKED_AT = 500 };

GH_RC resource_has_right(struct store *s, const struct resource_kind *k, struct str id, enum right x, bool write, bool *yes, struct gh_err *err)
{
	const struct rights *viewer = store_viewer(s);
	struct arena *a;
	struct place p;
	gh_rc rc;

	*yes = !viewer || rights_everywhere(viewer, x) || (viewer->n == 0 && !write);     /* one role everywhere: routes ask before they show */
	if (*yes || viewer->n == 0)
		return GH_RC_OK;
	a = arena_new(PLACE_BYTES);
	if (!a)
		FAIL(err, NOMEM, "place");
	rc = find_place(s, a, k, id, &p, err);
	if (!rc.code)
		*yes = may(viewer, x, &p, write);
	arena_free(a);
	return rc;
}

GH_RC resource_allowed(struct store *s, const struct resource_kind *k, struct str id, bool write, bool *yes, struct gh_err *err)
{
	return resource_has_right(s, k, id, resource_right(k, write), write, yes, err);
}

bool resource_kind_told(const struct store *s, const struct resource_kind *k)
{
	const struct rights *viewer = store_viewer(s);

	return !viewer || (rights_anywhere(viewer, resource_right(k, false))
			   && (!viewer->scopes.p || store_scopes_allow(viewer->scopes, false, str_of(k->plural))));
}

GH_RC resource_told(struct store *s, const struct resource_kind *k, struct str id, bool *yes, struct gh_err *err)
{
	*yes = resource_kind_told(s, k);
	return *yes ? resource_allowed(s, k, id, false, yes, err) : GH_RC_OK;
}

/* The ids of all of a kind where the viewer has the right, as a JSON array. */
static GH_RC ids_where(struct store *s, struct arena *a, enum store_resource what, enum store_placed placed, enum right x, struct str *out,
		       struct gh_err *err)
{
	struct store_resource_page page = { .limit = 1000 };
	json_t *list = jsn_keep(a, json_array());
	struct arena *scratch = arena_new(PLACE_BYTES);
	struct str *ids = NULL;
	size_t n = 0;
	gh_rc rc = GH_RC_OK;

	if (!list || !scratch)
		rc = gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "places");
	do {
		if (!rc.code)
			rc = store_resource_ids(s, a, what, &page, &ids, &n, err);
		for (size_t i = 0; i < n && !rc.code; i++) {
			struct place p = { .everywhere = false };

			arena_reset(scratch);
			rc = follow(s, scratch, placed, ids[i], &p, 0, err);
			if (!rc.code && may(store_viewer(s), x, &p, false))
				json_array_append_new(list, json_stringn(ids[i].p, ids[i].n));
			page.after = ids[i];
		}
	} while (!rc.code && n == page.limit);
	arena_free(scratch);
	*out = rc.code ? STR_NULL : jsn_text(a, list, JSON_COMPACT);
	return rc;
}

GH_RC resource_holders_in_sight(struct store *s, struct arena *a, const struct resource_kind *k, struct str *products, struct str *apis,
				struct gh_err *err)
{
	const struct rights *viewer = store_viewer(s);
	enum right x = resource_right(k, false);

	*products = *apis = STR_NULL;
	if (strcmp(k->name, "subscription") != 0 || !viewer || viewer->n == 0 || rights_everywhere(viewer, x))
		return GH_RC_OK;
	TRY(ids_where(s, a, STORE_RESOURCE_PRODUCT, STORE_PLACE_PRODUCT, x, products, err));
	return ids_where(s, a, STORE_RESOURCE_API, STORE_PLACE_API, x, apis, err);
}

GH_RC resource_in_reach(struct store *s, const struct resource_kind *k, struct str id, bool *yes, struct gh_err *err)
{
	const struct rights *viewer = store_viewer(s);
	struct arena *a;
	struct place p;
	gh_rc rc;

	*yes = true;
	if (!viewer || viewer->n == 0)
		return GH_RC_OK;
	a = arena_new(PLACE_BYTES);
	if (!a)
		FAIL(err, NOMEM, "place");
	rc = find_place(s, a, k, id, &p, err);
	if (!rc.code && !p.shared && p.n_environments) {         /* business groups are named by what one may change anyway */
		*yes = false;
		for (enum right x = 0; x < RIGHT__COUNT && !*yes; x++)
			*yes = may(viewer, x, &p, false);
	}
	arena_free(a);
	return rc;
}

GH_RC rights_approvers(struct store *s, struct arena *a, struct str subscription, struct store_user **out, size_t *n, struct gh_err *err)
{
	struct store_user *all;
	struct place p;
	size_t n_all;

	*n = 0;
	TRY(store_users_with_roles(s, a, APPROVERS_LOOKED_AT, &all, &n_all, err));
	*out = all;
	p = (struct place){ .everywhere = false };
	TRY(follow(s, a, STORE_PLACE_SUBSCRIPTION, subscription, &p, 1, err));
	for (size_t i = 0; i < n_all && *n < RIGHTS_APPROVERS_MAX; i++) {
		struct rights r;

		TRY(rights_of_user(s, a, all[i].id, all[i].role, &r, err));
		if (may(&r, RIGHT_MANAGE_SUBSCRIPTIONS, &p, true))
			all[(*n)++] = all[i];
	}
	return GH_RC_OK;
}
