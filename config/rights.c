/* rights.c - the table of roles, and what somebody may out of it. */
#include "config/rights.h"

#include "core/str.h"
#include "db/roles.h"

const struct right_text right_texts[RIGHT__COUNT] = {
#define RIGHT(name, text, about) [RIGHT_##name] = { text, about },
#include "config/rights.def"
#undef RIGHT
};

#define R(right) (1u << RIGHT_##right)
#define R_LOOK_ON (R(VIEW_APIS) | R(VIEW_TRAFFIC) | R(VIEW_CALLERS))
#define R_APIS                                                                                                                   \
	(R_LOOK_ON | R(VIEW_POLICIES) | R(VIEW_SUBSCRIPTIONS) | R(CHANGE_APIS) | R(MANAGE_SUBSCRIPTIONS) | R(VIEW_CREDENTIALS)    \
	 | R(CHANGE_CREDENTIALS) | R(CHANGE_POLICIES) | R(CHANGE_PRODUCTS) | R(VIEW_SETTINGS))
#define R_OPERATE (R_APIS | R(EDIT_PAGES) | R(VIEW_PEOPLE) | R(CHANGE_SETTINGS) | R(VIEW_AUDIT) | R(CAPTURE_CALLS))
#define R_ALL (R_OPERATE | R(CHANGE_LOOK) | R(MANAGE_PEOPLE))

const struct rights_role rights_roles[] = {
	{ "owner", "Owner", "Everything, people and their roles too", R_ALL },
	{ "api-manager", "API manager", "APIs with policies, products, subscriptions and what is shown to backends", R_APIS },
	{ "policy-author", "Policy author", "Policies; sees APIs, traffic and settings",
	  R_LOOK_ON | R(VIEW_POLICIES) | R(CHANGE_POLICIES) | R(VIEW_SETTINGS) },
	{ "approver", "Approver", "Decides on subscriptions; sees APIs", R(VIEW_APIS) | R(VIEW_SUBSCRIPTIONS) | R(MANAGE_SUBSCRIPTIONS) },
	{ "analyst", "Analyst", "Reads analytics and calls without who made them", R(VIEW_APIS) | R(VIEW_TRAFFIC) },
	{ "auditor", "Auditor", "Reads everything but subscriptions and people, and who changed what",
	  R_LOOK_ON | R(VIEW_POLICIES) | R(VIEW_CREDENTIALS) | R(VIEW_SETTINGS) | R(VIEW_AUDIT) },
	{ "administrator", "Administrator", "The same as owner", R_ALL },
	{ "operator", "Operator", "Everything but people and the look of the portal", R_OPERATE },
	{ "publisher", "Publisher", "APIs, products, subscriptions, pages and look of the portal",
	  R_LOOK_ON | R(CHANGE_APIS) | R(EDIT_PAGES) | R(VIEW_SUBSCRIPTIONS) | R(MANAGE_SUBSCRIPTIONS) | R(CHANGE_PRODUCTS) | R(VIEW_PEOPLE)
	  | R(CHANGE_LOOK) },
	{ NULL, NULL, NULL, 0 },
};

uint32_t rights_of_role(struct str role)
{
	for (size_t i = 0; rights_roles[i].name; i++)
		if (str_eq(role, str_of(rights_roles[i].name)))
			return rights_roles[i].rights;
	return 0;
}

bool rights_parse(struct str words, uint32_t *out)
{
	struct str word;

	*out = 0;
	while (str_word(&words, &word)) {
		size_t i = 0;

		while (i < RIGHT__COUNT && !str_eq(word, str_of(right_texts[i].name)))
			i++;
		if (i == RIGHT__COUNT)
			return false;
		*out |= 1u << i;
	}
	return true;
}

/* A role of the table, or one that people made. */
static GH_RC role_rights(struct store *s, struct arena *a, struct str role, uint32_t *out, bool *found, struct gh_err *err)
{
	struct store_role own;

	*out = rights_of_role(role);
	*found = *out != 0;
	if (*found)
		return GH_RC_OK;
	TRY(store_role_find(s, a, role, &own, found, err));
	if (*found && !rights_parse(own.permissions, out))
		*out = 0;                        /* of a later version: nothing rather than a part */
	return GH_RC_OK;
}

GH_RC rights_role_exists(struct store *s, struct arena *a, struct str role, bool *exists, struct gh_err *err)
{
	uint32_t rights;

	return role_rights(s, a, role, &rights, exists, err);
}

/* ---- who may what ------------------------------------------------------------------------------------------------------------ */

struct gathered {
	struct rights_place *v;
	size_t n, cap;
};

static GH_RC add(struct gathered *g, struct arena *a, const struct rights_place *p, struct gh_err *err)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].is_group == p->is_group && str_eq(g->v[i].id, p->id)) {
			g->v[i].rights |= p->rights;
			return GH_RC_OK;
		}
	if (g->n == g->cap) {
		size_t cap = g->cap ? 2 * g->cap : 8;
		struct rights_place *v = arena_alloc(a, cap, sizeof(*v));

		if (!v)
			FAIL(err, NOMEM, "rights");
		if (g->n)
			memcpy(v, g->v, g->n * sizeof(*v));
		g->v = v;
		g->cap = cap;
	}
	g->v[g->n++] = *p;
	return GH_RC_OK;
}

static GH_RC add_role(struct store *s, struct arena *a, const struct store_assignment *v, struct gathered *g, uint32_t *everywhere,
		      struct gh_err *err)
{
	struct store_resource_use *places;
	uint32_t rights;
	bool found;
	size_t n;

	TRY(role_rights(s, a, v->role, &rights, &found, err));
	if (!rights)
		return GH_RC_OK;
	if (v->environment_id.n)
		return add(g, a, &(struct rights_place){ .id = v->environment_id, .rights = rights }, err);
	if (!v->business_group_id.n) {
		*everywhere |= rights;
		return GH_RC_OK;
	}
	TRY(store_places_of_group(s, a, v->business_group_id, &places, &n, err));
	for (size_t i = 0; i < n; i++)
		TRY(add(g, a, &(struct rights_place){ .is_group = str_eq(places[i].kind, STR("business-group")), .id = places[i].id,
						      .rights = rights }, err));
	return GH_RC_OK;
}

GH_RC rights_of_user(struct store *s, struct arena *a, struct str user, struct str role, struct rights *out, struct gh_err *err)
{
	struct gathered g = { .v = NULL };
	struct store_assignment *v;
	size_t n;

	*out = (struct rights){ .everywhere = rights_of_role(role) };
	TRY(store_assignments_of(s, a, user, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		TRY(add_role(s, a, &v[i], &g, &out->everywhere, err));
	out->places = g.v;
	out->n = g.n;
	return GH_RC_OK;
}

GH_RC rights_of_group(struct store *s, struct arena *a, struct str group, struct rights *out, struct gh_err *err)
{
	struct gathered g = { .v = NULL };
	struct store_assignment *v;
	size_t n;

	*out = (struct rights){ .everywhere = 0 };
	TRY(store_assignments(s, a, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].group_id, group))
			TRY(add_role(s, a, &v[i], &g, &out->everywhere, err));
	out->places = g.v;
	out->n = g.n;
	return GH_RC_OK;
}

GH_RC rights_of_place(struct store *s, struct arena *a, struct str role, struct str environment, struct str business_group,
		      struct rights *out, struct gh_err *err)
{
	const struct store_assignment v = { .role = role, .environment_id = environment, .business_group_id = business_group };
	struct gathered g = { .v = NULL };

	*out = (struct rights){ .everywhere = 0 };
	TRY(add_role(s, a, &v, &g, &out->everywhere, err));
	out->places = g.v;
	out->n = g.n;
	return GH_RC_OK;
}

bool rights_everywhere(const struct rights *r, enum right x)
{
	return r->everywhere >> x & 1;
}

bool rights_anywhere(const struct rights *r, enum right x)
{
	bool any = rights_everywhere(r, x);

	for (size_t i = 0; i < r->n; i++)
		any |= r->places[i].rights >> x & 1;
	return any;
}

static bool in_place(const struct rights *r, enum right x, bool is_group, struct str id)
{
	bool yes = rights_everywhere(r, x);

	for (size_t i = 0; i < r->n; i++)
		yes |= r->places[i].is_group == is_group && r->places[i].rights >> x & 1 && str_eq(r->places[i].id, id);
	return yes;
}

bool rights_in(const struct rights *r, enum right x, struct str environment)
{
	return in_place(r, x, false, environment);
}

bool rights_in_group(const struct rights *r, enum right x, struct str business_group)
{
	return in_place(r, x, true, business_group);
}
