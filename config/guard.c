/* guard.c - what an account, a role or a token may, against what the viewer may; see the header. */
#include "config/guard.h"

#include "core/str.h"
#include "db/machine_tokens.h"
#include "db/roles.h"
#include "db/users.h"

enum { GUARD_BYTES = 4 << 20, NAMED_MAX = 3, PLACES_NAMED = 2, PLACE_NAMED = 40 };

/* ---- one against the other --------------------------------------------------------------------------------------------------- */

/* "change-settings, view-audit and 3 more" */
static struct str names_of(struct arena *a, uint32_t rights)
{
	struct str out = STR("");
	size_t n = 0;

	for (size_t i = 0; i < RIGHT__COUNT; i++)
		if (rights >> i & 1 && n++ < NAMED_MAX)
			out = arena_printf(a, "%.*s%s%s", STR_ARG(out), out.n ? ", " : "", right_texts[i].name);
	return n > NAMED_MAX ? arena_printf(a, "%.*s and %zu more", STR_ARG(out), n - NAMED_MAX) : out;
}

bool rights_cover(const struct rights *r, const struct rights *of, struct arena *a, struct str *lacks)
{
	uint32_t missing = of->everywhere & ~r->everywhere;
	size_t places = 0;

	*lacks = missing ? names_of(a, missing) : STR("");
	for (size_t i = 0; i < of->n; i++) {
		const struct rights_place *p = &of->places[i];

		missing = p->rights & ~r->everywhere;
		for (size_t k = 0; k < r->n; k++)
			if (r->places[k].is_group == p->is_group && str_eq(r->places[k].id, p->id))
				missing &= ~r->places[k].rights;
		if (missing && places++ < PLACES_NAMED)
			*lacks = arena_printf(a, "%.*s%s%.*s in the %s '%.*s'", STR_ARG(*lacks), lacks->n ? "; " : "", STR_ARG(names_of(a, missing)),
					      p->is_group ? "business group" : "environment", STR_ARG(str_first(p->id, PLACE_NAMED)));
	}
	if (places > PLACES_NAMED)
		*lacks = arena_printf(a, "%.*s; and more in %zu other place%s", STR_ARG(*lacks), places - PLACES_NAMED,
				      places - PLACES_NAMED == 1 ? "" : "s");
	return !lacks->n && lacks->p;
}

/* ---- what each kind opens ------------------------------------------------------------------------------------------------------ */

/* What somebody needs to touch one thing: several sets, for an assignment is about a role and about a person. */
struct demand {
	struct rights v[2];
	const char *what[2];             /* "the account", "what it gives" */
	size_t n;
};

static void demand(struct demand *d, const char *what, struct rights of)
{
	d->v[d->n] = of;
	d->what[d->n++] = what;
}

static GH_RC of_account(struct store *s, struct arena *a, struct str id, struct demand *d, struct gh_err *err)
{
	struct store_user u;
	struct rights r;
	bool found;

	TRY(store_user_find(s, a, id, &u, &found, err));
	if (!found)
		return GH_RC_OK;
	TRY(rights_of_user(s, a, u.id, u.role, &r, err));
	demand(d, arena_printf(a, "the account %.*s has", STR_ARG(u.email)).p, r);
	return GH_RC_OK;
}

static GH_RC of_role(struct store *s, struct arena *a, struct str id, struct demand *d, struct gh_err *err)
{
	struct rights r;

	TRY(rights_of_place(s, a, id, STR_NULL, STR_NULL, &r, err));
	demand(d, "the role gives", r);
	return GH_RC_OK;
}

static GH_RC of_assignment(struct store *s, struct arena *a, struct str id, struct demand *d, struct gh_err *err)
{
	struct store_assignment v;
	struct rights r;
	bool found;

	TRY(store_assignment_find(s, a, id, &v, &found, err));
	if (!found)
		return GH_RC_OK;
	TRY(rights_of_place(s, a, v.role, v.environment_id, v.business_group_id, &r, err));
	demand(d, "the assignment gives", r);
	return v.user_id.n ? of_account(s, a, v.user_id, d, err) : GH_RC_OK;
}

static GH_RC of_token(struct store *s, struct arena *a, struct str id, struct demand *d, struct gh_err *err)
{
	struct store_machine_token t;
	struct rights r;
	bool found;

	TRY(store_machine_token_find(s, a, id, &t, &found, err));
	if (!found)
		return GH_RC_OK;
	TRY(rights_of_place(s, a, t.role, t.environment_id, t.business_group_id, &r, err));
	demand(d, "the token has", r);
	return GH_RC_OK;
}

/* What is assigned to it goes with it. */
static GH_RC of_group(struct store *s, struct arena *a, struct str id, struct demand *d, struct gh_err *err)
{
	struct rights r;

	TRY(rights_of_group(s, a, id, &r, err));
	demand(d, "the group gives its members", r);
	return GH_RC_OK;
}

static GH_RC find_demand(struct store *s, struct arena *a, const struct resource_kind *k, struct str id, bool removed, struct demand *d,
			 struct gh_err *err)
{
	const struct rights all = { .everywhere = (uint32_t)((UINT64_C(1) << RIGHT__COUNT) - 1) };

	if (strcmp(k->name, "user") == 0)
		return of_account(s, a, id, d, err);
	if (strcmp(k->name, "role") == 0)
		return of_role(s, a, id, d, err);
	if (strcmp(k->name, "role-assignment") == 0)
		return of_assignment(s, a, id, d, err);
	if (strcmp(k->name, "machine-token") == 0)
		return of_token(s, a, id, d, err);
	if (strcmp(k->name, "group") == 0 && removed)
		return of_group(s, a, id, d, err);
	if (strcmp(k->name, "identity-provider") == 0)
		demand(d, "whoever runs an identity provider signs in as anybody, with", all);
	else if (strcmp(k->name, "scim-token") == 0)
		demand(d, "a token for provisioning blocks anybody and fills groups, with", all);
	return GH_RC_OK;
}

static GH_RC ask(struct arena *a, const struct rights *viewer, const struct demand *d, struct gh_err *err)
{
	struct str lacks;

	for (size_t i = 0; i < d->n; i++)
		if (!rights_cover(viewer, &d->v[i], a, &lacks))
			FAIL(err, DENIED, "%s rights that you lack (%.*s); ask somebody who has them, such as an administrator", d->what[i], STR_ARG(lacks));
	return GH_RC_OK;
}

GH_RC guard_resource(struct store *s, const struct resource_kind *k, struct str id, bool removed, struct gh_err *err)
{
	const struct rights *viewer = store_viewer(s);
	struct demand d = { .n = 0 };
	struct arena *a;
	gh_rc rc;

	if (!viewer || k->area != RESOURCE_AREA_PEOPLE)
		return GH_RC_OK;
	a = arena_new(GUARD_BYTES);
	if (!a)
		FAIL(err, NOMEM, "rights");
	rc = find_demand(s, a, k, id, removed, &d, err);
	if (!rc.code)
		rc = ask(a, viewer, &d, err);
	arena_free(a);
	return rc;
}

GH_RC guard_account(struct store *s, struct str user, struct gh_err *err)
{
	return guard_resource(s, resource_kind_find(STR("user")), user, false, err);
}

/* ---- what a business group gives with what becomes a part of it ------------------------------------------------------------------ */

/* What a role gives in a place that is about people, pages or all calls counts there for nothing: those belong to everywhere, and
 * applications alone to business groups (config/place.c). */
static uint32_t counting(uint32_t rights, bool in_group)
{
	const uint32_t people = 1u << RIGHT_VIEW_PEOPLE | 1u << RIGHT_MANAGE_PEOPLE;

	rights &= ~(1u << RIGHT_EDIT_PAGES | 1u << RIGHT_CHANGE_LOOK | 1u << RIGHT_VIEW_AUDIT | 1u << RIGHT_CAPTURE_CALLS);
	return in_group ? rights : rights & ~people;
}

static GH_RC roles_of_group(struct store *s, struct arena *a, struct str group, uint32_t *out, struct gh_err *err)
{
	struct store_resource_use *roles;
	size_t n;

	*out = 0;
	TRY(store_roles_in_group(s, a, group, &roles, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct rights r;

		TRY(rights_of_place(s, a, roles[i].id, STR_NULL, STR_NULL, &r, err));
		*out |= r.everywhere;
	}
	return GH_RC_OK;
}

GH_RC guard_joins(struct store *s, struct arena *a, bool is_group, struct str id, struct str group, struct gh_err *err)
{
	struct demand d = { .n = 0 };
	struct store_resource_use *in;
	struct rights_place *v;
	uint32_t rights;
	size_t n;

	if (!store_viewer(s) || !group.n)
		return GH_RC_OK;
	TRY(roles_of_group(s, a, group, &rights, err));
	if (is_group)
		TRY(store_places_of_group(s, a, id, &in, &n, err));
	else
		n = 1;
	v = arena_alloc(a, n, sizeof(*v));
	if (!v)
		FAIL(err, NOMEM, "rights");
	for (size_t i = 0; i < n; i++) {
		bool group_too = is_group && str_eq(in[i].kind, STR("business-group"));

		v[i] = (struct rights_place){ .is_group = group_too, .id = is_group ? in[i].id : id, .rights = counting(rights, group_too) };
	}
	demand(&d, "it becomes a part of a business group where roles give", (struct rights){ .places = v, .n = n });
	return ask(a, store_viewer(s), &d, err);
}
