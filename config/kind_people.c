/* kind_people.c - people (without their passwords) and applications. */
#include "config/kind.h"

#include "core/str.h"
#include "db/sessions.h"
#include "db/teams.h"
#include "db/users.h"

static const char *const roles[] = { "developer", "auditor", "publisher", "operator", "administrator", NULL };
static const char *const states[] = { "pending", "active", "blocked", NULL };

static const struct resource_field user_fields[] = {
	FIELD_ID("Names the user; left out, one is made", store_user, id),
	{ .name = "email", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "E-mail", .most = 254,
	  .description = "Address, also for signing in", AT(store_user, email) },
	{ .name = "firstName", .type = RESOURCE_TEXT, .label = "First name", .most = 300, .description = "First name", AT(store_user, first_name) },
	{ .name = "lastName", .type = RESOURCE_TEXT, .label = "Last name", .most = 300, .description = "Last name", AT(store_user, last_name) },
	{ .name = "role", .type = RESOURCE_ENUM, .flags = RESOURCE_AS_TEXT, .values = roles, .otherwise = "\"developer\"", .label = "Role",
	  .description = "What the user may do in the dashboard; developer: nothing", AT(store_user, role) },
	{ .name = "state", .type = RESOURCE_ENUM, .values = states, .otherwise = "\"active\"", .label = "State",
	  .description = "Only who is active may sign in", AT(store_user, state) },
	{ .name = "groups", .type = RESOURCE_REFS, .ref = "group", .flags = RESOURCE_STAYS, .label = "Groups",
	  .description = "Groups of the user; left out of a new one: developers", .offset = RESOURCE_BY_HAND },
	{ .name = "note", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Note", .description = "For those who look after accounts",
	  AT(store_user, note) },
	{ .name = "created", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Made", .description = "Since when there is an account",
	  AT(store_user, created_us) },
	{ .name = "signedIn", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Signed in", .description = "The last time",
	  AT(store_user, signed_in_us) },
	FIELD_END,
};

static GH_RC user_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_user_find(s, a, id, row, found, err);
}

static GH_RC groups_of(struct store *s, struct arena *a, struct str id, struct str **out, size_t *n, struct gh_err *err)
{
	struct store_group *v;

	TRY(store_groups_of_user(s, a, id, &v, n, err));
	*out = arena_alloc(a, *n + 1, sizeof(**out));
	if (!*out)
		FAIL(err, NOMEM, "groups");
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = v[i].id;
	return GH_RC_OK;
}

static GH_RC join_group(struct store *s, struct str id, struct str group, struct gh_err *err)
{
	return store_group_add(s, group, id, err);
}

static GH_RC leave_group(struct store *s, struct str id, struct str group, struct gh_err *err)
{
	return store_group_remove(s, group, id, err);
}

static GH_RC user_show(struct store *s, struct arena *a, const void *row, json_t *doc, struct gh_err *err)
{
	struct str *ids;
	size_t n;

	TRY(groups_of(s, a, ((const struct store_user *)row)->id, &ids, &n, err));
	json_object_set_new(doc, "groups", resource_id_list(ids, n));
	return GH_RC_OK;
}

static GH_RC user_check(struct resource_put *p, struct gh_err *err)
{
	const struct store_user *u = p->row;
	struct store_user other;
	struct gh_err why;
	bool last = false, taken = false;

	if (store_user_check_email(u->email, &why).code)
		put_problem(p, "/email", "%s", why.message);
	TRY(store_user_find_email(p->s, p->a, u->email, &other, &taken, err));
	if (taken && !str_eq(other.id, p->id))
		put_problem(p, "/email", "there is an account with the address '%.*s' already", STR_ARG(u->email));
	if (!str_eq(u->role, STR("administrator")) || u->state != STORE_USER_ACTIVE)
		TRY(store_user_last_administrator(p->s, p->id, &last, err));
	if (last)
		put_problem(p, str_eq(u->role, STR("administrator")) ? "/state" : "/role",
			    "is the last active administrator; make another one first");
	return GH_RC_OK;
}

static GH_RC user_save(struct resource_put *p, struct gh_err *err)
{
	const struct store_user *u = p->row;

	if (p->exists)
		TRY(store_user_update(p->s, u, err));
	else
		TRY(store_user_create(p->s, p->a, u, NULL, err));
	if (p->exists && u->state != STORE_USER_ACTIVE)
		TRY(store_sessions_delete_of_user(p->s, p->id, err));    /* who may not sign in is signed out */
	if (jsn_get(p->doc, "groups"))
		return put_links(p, "groups", groups_of, join_group, leave_group, err);
	if (p->exists)
		return GH_RC_OK;
	TRY(store_group_add(p->s, STR("developers"), u->id, err));
	return str_eq(u->role, STR("administrator")) ? store_group_add(p->s, STR("administrators"), u->id, err) : GH_RC_OK;
}

static GH_RC user_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	bool last;

	TRY(store_user_last_administrator(s, id, &last, err));
	if (last)
		FAIL(err, CONFLICT, "this is the last active administrator; make another one first");
	return store_user_delete(s, id, err);
}

static const struct resource_ops user_ops = {
	.row_size = sizeof(struct store_user), .store = STORE_RESOURCE_USER, .find = user_find, .show = user_show, .check = user_check,
	.save = user_save, .drop = user_drop,
};

const struct resource_kind kind_user = {
	.name = "user", .plural = "users", .title = "User",
	.description = "A person with an account. Passwords are set by their owners only.", .area = RESOURCE_AREA_PEOPLE, .personal = true,
	.makes_id = true, .fields = user_fields, .ops = &user_ops,
	.filters = { { "state", "Only users in this state", states }, { "role", "Only users of this role", roles },
		     { "group", "Only users of this group", NULL }, { "email", "Only the user with this address", NULL } },
};

/* ---- applications ------------------------------------------------------------------------------------------------------ */

static const struct resource_field application_fields[] = {
	FIELD_ID("Names the application; left out, one is made", store_application, id),
	{ .name = "name", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Name", .most = 300, .description = "What people read",
	  AT(store_application, name) },
	{ .name = "description", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Description", .description = "What it does",
	  AT(store_application, description) },
	{ .name = "redirectUrl", .type = RESOURCE_TEXT, .label = "Redirect address", .most = 2000,
	  .description = "Where an authorization server sends people back to", AT(store_application, redirect_url) },
	{ .name = "businessGroup", .type = RESOURCE_REF, .ref = "business-group", .otherwise = "\"default\"", .label = "Business group",
	  .description = "Who owns it", AT(store_application, business_group_id) },
	{ .name = "owners", .type = RESOURCE_REFS, .ref = "user", .label = "Team", .description = "Its team: all have the same rights",
	  .offset = RESOURCE_BY_HAND },
	{ .name = "created", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Made", .description = "When it was made",
	  AT(store_application, created_us) },
	FIELD_END,
};

static GH_RC application_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_application_find(s, a, id, row, found, err);
}

static int by_id(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static GH_RC owners_of(struct store *s, struct arena *a, struct str id, struct str **out, size_t *n, struct gh_err *err)
{
	struct store_user *v;

	TRY(store_application_owners(s, a, id, &v, n, err));
	*out = arena_alloc(a, *n + 1, sizeof(**out));
	if (!*out)
		FAIL(err, NOMEM, "owners");
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = v[i].id;
	qsort(*out, *n, sizeof(**out), by_id);
	return GH_RC_OK;
}

static GH_RC application_show(struct store *s, struct arena *a, const void *row, json_t *doc, struct gh_err *err)
{
	struct str *ids;
	size_t n;

	TRY(owners_of(s, a, ((const struct store_application *)row)->id, &ids, &n, err));
	json_object_set_new(doc, "owners", resource_id_list(ids, n));
	return GH_RC_OK;
}

static GH_RC application_check(struct resource_put *p, struct gh_err *err UNUSED)
{
	if (json_array_size(jsn_get(p->doc, "owners")) > STORE_TEAM_MAX)
		put_problem(p, "/owners", "a team has at most %d people", STORE_TEAM_MAX);
	check_address(p, "/redirectUrl", ((struct store_application *)p->row)->redirect_url);
	return GH_RC_OK;
}

static GH_RC application_save(struct resource_put *p, struct gh_err *err)
{
	if (p->exists)
		TRY(store_application_update(p->s, p->row, err));
	else
		TRY(store_application_create(p->s, p->a, p->row, STR_NULL, NULL, err));
	return put_links(p, "owners", owners_of, store_application_add_owner, store_application_remove_owner, err);
}

static GH_RC application_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_application_delete(s, id, err);
}

static const struct resource_ops application_ops = {
	.row_size = sizeof(struct store_application), .store = STORE_RESOURCE_APPLICATION, .find = application_find, .show = application_show,
	.check = application_check, .save = application_save, .drop = application_drop,
};

const struct resource_kind kind_application = {
	.name = "application", .plural = "applications", .title = "Application", .description = "A program of developers that calls APIs.",
	.area = RESOURCE_AREA_PEOPLE, .personal = true, .makes_id = true, .fields = application_fields, .ops = &application_ops,
	.filters = { { "owner", "Only applications of this user", NULL, "user" } },
};
