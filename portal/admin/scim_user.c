#include "portal/admin/scim.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/subscriptions.h"

/* Users. `active` is our state: who is deactivated is signed out at once and, by setting, has the subscriptions suspended
 * until activated again. A user who has subscriptions is not deleted, for the record of calls refers to them, but blocked, and is
 * gone for the provisioner; provisioned again, the same account comes back. */

static const char suspended_note[] = "Suspended by provisioning.";
static const char *const columns[] = { "userName", "name", "active", "emails", "groups" };

/* ---- as JSON ------------------------------------------------------------------------------------------------------------ */

static GH_RC put_name(struct web *w, const struct store_user *u, json_t *v, struct gh_err *err)
{
	struct str formatted = arena_printf(w->a, "%.*s %.*s", STR_ARG(u->first_name), STR_ARG(u->last_name));
	json_t *name = json_object();

	scim_put_text(name, "givenName", u->first_name);
	scim_put_text(name, "familyName", u->last_name);
	scim_put_text(name, "formatted", str_trim(formatted));
	if (!name || json_object_set_new(v, "name", name) != 0)
		FAIL(err, NOMEM, "user");
	return GH_RC_OK;
}

static GH_RC put_email(const struct store_user *u, json_t *v, struct gh_err *err)
{
	json_t *one = json_pack("{s:o, s:s, s:b}", "value", json_stringn(u->email.p, u->email.n), "type", "work", "primary", 1);

	if (!one || json_object_set_new(v, "emails", json_pack("[o]", one)) != 0)
		FAIL(err, NOMEM, "user");
	return GH_RC_OK;
}

static GH_RC user_json(struct web *w, const struct store_user *u, const struct store_scim_record *r, json_t **out, struct gh_err *err)
{
	json_t *v;

	TRY(scim_base(w, &scim_users, u->id, r ? r->attributes : STR_NULL, &v, err));
	scim_put_text(v, "userName", r ? r->name : u->email);
	json_object_set_new(v, "active", json_boolean(u->state == STORE_USER_ACTIVE));
	if (u->first_name.n || u->last_name.n)
		TRY(put_name(w, u, v, err));
	TRY(put_email(u, v, err));
	*out = v;
	return scim_put_meta(w, &scim_users, v, r ? r->created_us : u->created_us, r ? r->changed_us : u->created_us, err);
}

static GH_RC complete(struct web *w, json_t *v, struct gh_err *err)
{
	json_t *list = json_array();
	struct store_group *groups;
	size_t n;

	if (!jsn_keep(w->a, list))
		FAIL(err, NOMEM, "user");
	TRY(store_groups_of_user(w->site->store, w->a, jsn_str(v, "id"), &groups, &n, err));
	for (size_t i = 0; i < n; i++)
		if (!groups[i].built_in)
			json_array_append_new(list, json_pack("{s:o, s:o, s:s, s:s}", "value", json_stringn(groups[i].id.p, groups[i].id.n),
							      "display", json_stringn(groups[i].name.p, groups[i].name.n), "type", "direct",
							      "$ref", scim_address(w, "Groups", groups[i].id).p));
	if (json_array_size(list) && json_object_set(v, "groups", list) != 0)
		FAIL(err, NOMEM, "user");
	return GH_RC_OK;
}

static GH_RC of_user(struct web *w, const struct store_user *u, json_t **v, struct gh_err *err)
{
	struct store_scim_record r;
	bool found;

	TRY(store_scim_find(w->site->store, w->a, STORE_SCIM_USER, u->id, &r, &found, err));
	*v = NULL;
	return found && r.removed ? GH_RC_OK : user_json(w, u, found ? &r : NULL, v, err);
}

static GH_RC find(struct web *w, struct str id, json_t **v, struct gh_err *err)
{
	struct store_user u;
	bool found;

	*v = NULL;
	TRY(store_user_find(w->site->store, w->a, id, &u, &found, err));
	return found ? of_user(w, &u, v, err) : GH_RC_OK;
}

static GH_RC find_by(struct web *w, struct str attribute, struct str value, bool *can, json_t **v, struct gh_err *err)
{
	struct store_scim_record r;
	struct store_user u;
	bool found;

	*v = NULL;
	*can = str_eq_ci(attribute, STR("userName")) || str_eq_ci(attribute, STR("id"));
	if (str_eq_ci(attribute, STR("id")))
		return find(w, value, v, err);
	if (!*can)
		return GH_RC_OK;
	TRY(store_scim_find_name(w->site->store, w->a, STORE_SCIM_USER, value, &r, &found, err));
	if (found)
		return find(w, r.id, v, err);
	TRY(store_user_find_email(w->site->store, w->a, value, &u, &found, err));
	if (!found)
		return GH_RC_OK;
	/* the address is the user name of those only that were never given another one */
	TRY(store_scim_find(w->site->store, w->a, STORE_SCIM_USER, u.id, &r, &found, err));
	return found ? GH_RC_OK : of_user(w, &u, v, err);
}

static GH_RC page(struct web *w, size_t offset, size_t limit, json_t ***v, size_t *n, size_t *total, struct gh_err *err)
{
	const struct store_page window = { .offset = offset, .limit = limit };
	struct store_user *users;
	struct store_scim_record r;
	int64_t stand;
	bool found;

	TRY(store_scim_users_count(w->site->store, &stand, err));
	*total = (size_t)stand;
	*n = 0;
	if (limit)                       /* 0 in a page means any number */
		TRY(store_scim_users(w->site->store, w->a, &window, &users, n, err));
	*v = arena_alloc(w->a, *n + 1, sizeof(**v));
	if (!*v)
		FAIL(err, NOMEM, "users");
	for (size_t i = 0; i < *n; i++) {
		TRY(store_scim_find(w->site->store, w->a, STORE_SCIM_USER, users[i].id, &r, &found, err));
		TRY(user_json(w, &users[i], found ? &r : NULL, &(*v)[i], err));
	}
	return GH_RC_OK;
}

/* ---- from JSON ---------------------------------------------------------------------------------------------------------- */

/* The primary address, else the first, else a user name that is one. */
static struct str email_of(const json_t *v)
{
	const json_t *emails = scim_get(v, STR("emails"));
	struct str name = jsn_string(scim_get(v, STR("userName"))), first = STR_NULL;

	for (size_t i = 0; i < json_array_size(emails); i++) {
		const json_t *one = json_array_get(emails, i), *primary = scim_get(one, STR("primary"));
		struct str value = json_is_string(one) ? jsn_string(one) : jsn_string(scim_get(one, STR("value")));

		if (value.n && (json_is_true(primary) || str_eq_ci(jsn_string(primary), STR("true"))))
			return value;
		if (!first.p && value.n)
			first = value;
	}
	return first.p ? first : name;
}

static bool is_active(const json_t *v)
{
	const json_t *active = scim_get(v, STR("active"));

	return !active || json_is_true(active) || str_eq_ci(jsn_string(active), STR("true"));
}

/* Who is blocked stays so until `active` is said; who waits for confirmation is inactive as it is. */
static int64_t state_of(const json_t *v, int64_t before)
{
	if (!scim_get(v, STR("active")) || is_active(v) == (before == STORE_USER_ACTIVE))
		return before;
	return is_active(v) ? STORE_USER_ACTIVE : STORE_USER_BLOCKED;
}

static GH_RC fill(const json_t *v, struct store_user *u, struct gh_err *err)
{
	const json_t *name = scim_get(v, STR("name"));

	if (!jsn_string(scim_get(v, STR("userName"))).n)
		FAIL(err, INVALID, "userName is needed");
	u->email = str_trim(email_of(v));
	if (web_email_problem(u->email))
		FAIL(err, INVALID, "emails needs an e-mail address, or userName has to be one");
	u->first_name = jsn_string(scim_get(name, STR("givenName")));
	u->last_name = jsn_string(scim_get(name, STR("familyName")));
	if (!u->first_name.n && !u->last_name.n)
		u->first_name = jsn_string(scim_get(v, STR("displayName")));
	return GH_RC_OK;
}

/* Subscriptions of who goes are suspended; those that we suspended come back with the person. */
static GH_RC subscriptions(struct web *w, struct str user_id, bool active, struct gh_err *err)
{
	const struct store_subscription_filter own = { .user_id = user_id, .state = active ? STORE_SUB_SUSPENDED : STORE_SUB_ACTIVE };
	struct store *s = w->site->store;
	struct store_subscription *v;
	size_t n;

	if (!config_bool(&w->site->config, CONFIG_SCIM_SUSPEND))
		return GH_RC_OK;
	TRY(store_subscriptions(s, w->a, &own, NULL, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (!active || str_eq(v[i].note, STR(suspended_note)))
			TRY(store_subscription_set_state(s, v[i].id, active ? STORE_SUB_ACTIVE : STORE_SUB_SUSPENDED,
							 active ? STR("") : STR(suspended_note), err));
	return GH_RC_OK;
}

static GH_RC state_changed(struct web *w, const struct store_user *u, struct gh_err *err)
{
	bool active = u->state == STORE_USER_ACTIVE;

	if (!active)
		TRY(store_sessions_delete_of_user(w->site->store, u->id, err));
	return subscriptions(w, u->id, active, err);
}

static GH_RC must_not_be_last(struct web *w, const struct store_user *u, struct gh_err *err)
{
	bool last;

	TRY(web_last_administrator(w, u, &last, err));
	if (last)
		FAIL(err, DENIED, "This is the only administrator, who cannot be deactivated or removed.");
	return GH_RC_OK;
}

/* Somebody who was removed here and kept because of subscriptions is the same person when provisioned again. */
static GH_RC back_again(struct web *w, struct str email, struct store_user *u, bool *back, struct gh_err *err)
{
	struct store_scim_record r;

	TRY(store_user_find_email(w->site->store, w->a, email, u, back, err));
	if (!*back)
		return GH_RC_OK;
	TRY(store_scim_find(w->site->store, w->a, STORE_SCIM_USER, u->id, &r, back, err));
	if (*back && r.removed)
		return GH_RC_OK;
	FAIL(err, CONFLICT, "There is a user with this e-mail address already.");
}

static GH_RC make(struct web *w, const json_t *v, struct store_user *u, struct gh_err *err)
{
	struct store_user wanted = { .role = STR("developer"), .state = STORE_USER_BLOCKED };
	bool back;

	TRY(fill(v, &wanted, err));
	wanted.state = is_active(v) ? STORE_USER_ACTIVE : STORE_USER_BLOCKED;
	TRY(back_again(w, wanted.email, u, &back, err));
	if (back) {
		wanted.id = u->id;
		wanted.role = u->role;
		wanted.note = u->note;
		*u = wanted;
		TRY(store_user_update(w->site->store, u, err));
		return state_changed(w, u, err);
	}
	*u = wanted;
	TRY(store_user_create(w->site->store, w->a, u, &u->id, err));
	return store_group_add(w->site->store, STR("developers"), u->id, err);
}

static GH_RC change(struct web *w, struct str id, const json_t *v, struct store_user *u, struct gh_err *err)
{
	struct str email;
	bool found, administers = false;
	int64_t before;

	TRY(store_user_find(w->site->store, w->a, id, u, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such user");
	before = u->state;
	if (scim_get(v, STR("active")) && !is_active(v))
		TRY(must_not_be_last(w, u, err));
	email = u->email;
	TRY(fill(v, u, err));
	/* whoever has the address of an account can set its password: a token for provisioning must not reach the dashboard so */
	if (!str_eq_ci(email, u->email))
		TRY(web_enters_dashboard(w, u, &administers, err));
	if (administers)
		FAIL(err, DENIED, "The address of somebody with a role in the dashboard is not changed by provisioning.");
	u->state = state_of(v, before);
	TRY(store_user_update(w->site->store, u, err));
	return u->state != before ? state_changed(w, u, err) : GH_RC_OK;
}

static GH_RC save(struct web *w, struct str *id, const json_t *v, struct gh_err *err)
{
	struct store_scim_record r = { .kind = STORE_SCIM_USER, .name = jsn_string(scim_get(v, STR("userName"))),
				       .attributes = scim_kept(w, v, columns, ARRAY_LEN(columns)) };
	struct store_user u;
	gh_rc rc;

	if (!r.attributes.p)
		FAIL(err, NOMEM, "user");
	TRY(id->n ? change(w, *id, v, &u, err) : make(w, v, &u, err));
	*id = r.id = u.id;
	rc = store_scim_put(w->site->store, &r, err);
	if (rc.code == GH_E_CONFLICT)
		FAIL(err, CONFLICT, "There is a user with this userName already.");
	return rc;
}

static GH_RC drop(struct web *w, struct str id, struct gh_err *err)
{
	const struct store_subscription_filter own = { .user_id = id, .state = -1 };
	struct store *s = w->site->store;
	struct store_scim_record r = { .kind = STORE_SCIM_USER, .id = id, .attributes = STR("{}"), .removed = true };
	struct store_user u;
	int64_t subscribed;
	bool found;

	TRY(store_user_find(s, w->a, id, &u, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such user");
	TRY(must_not_be_last(w, &u, err));
	TRY(store_subscriptions_count(s, &own, &subscribed, err));
	if (!subscribed) {
		TRY(store_scim_delete(s, STORE_SCIM_USER, id, err));
		return store_user_delete(s, id, err);
	}
	u.state = STORE_USER_BLOCKED;
	r.name = u.email;
	TRY(store_user_update(s, &u, err));
	TRY(state_changed(w, &u, err));
	return store_scim_put(s, &r, err);
}

const struct scim_kind scim_users = {
	.endpoint = "Users", .type = "User", .schema = "urn:ietf:params:scim:schemas:core:2.0:User", .page = page, .find = find,
	.find_by = find_by, .complete = complete, .save = save, .remove = drop,
};
