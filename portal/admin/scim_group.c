#include "portal/admin/scim.h"

#include "core/clock.h"
#include "core/map.h"
#include "core/str.h"

/* Groups: those that people or provisioners made. The built-in ones mean something here and are not shown. */

enum { ID_BYTES = 8, NAME_MAX = 200 };
static const char *const columns[] = { "displayName", "members" };

static GH_RC group_json(struct web *w, const struct store_group *g, const struct store_scim_record *r, json_t **out, struct gh_err *err)
{
	json_t *v;

	TRY(scim_base(w, &scim_groups, g->id, r ? r->attributes : STR_NULL, &v, err));
	scim_put_text(v, "displayName", g->name);
	*out = v;
	return scim_put_meta(w, &scim_groups, v, r ? r->created_us : 0, r ? r->changed_us : 0, err);
}

/* The version is made anew: members belong to it. */
static GH_RC complete(struct web *w, json_t *v, struct gh_err *err)
{
	struct str created = jsn_str(jsn_obj(v, "meta"), "created"), changed = jsn_str(jsn_obj(v, "meta"), "lastModified");
	int64_t created_us = 0, changed_us = 0;
	json_t *list = json_array();
	struct store_user *users;
	size_t n;

	if (!jsn_keep(w->a, list))
		FAIL(err, NOMEM, "group");
	TRY(store_users_of_group(w->site->store, w->a, jsn_str(v, "id"), &users, &n, err));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:s, s:s}", "value", json_stringn(users[i].id.p, users[i].id.n), "display",
						      json_stringn(users[i].email.p, users[i].email.n), "type", "User", "$ref",
						      scim_address(w, "Users", users[i].id).p));
	if (json_object_set(v, "members", list) != 0 || !clock_parse_iso(created, &created_us) || !clock_parse_iso(changed, &changed_us))
		FAIL(err, NOMEM, "group");
	return scim_put_meta(w, &scim_groups, v, created_us, changed_us, err);
}

static GH_RC all(struct web *w, json_t ***v, size_t *n, struct gh_err *err)
{
	struct store_scim_record *records;
	struct store_group *groups;
	size_t n_records, n_groups;
	struct map by_id;

	TRY(store_groups(w->site->store, w->a, &groups, &n_groups, err));
	TRY(store_scim_records(w->site->store, w->a, STORE_SCIM_GROUP, &records, &n_records, err));
	map_init(&by_id, w->a, false);
	for (size_t i = 0; i < n_records; i++)
		if (!map_put(&by_id, records[i].id, &records[i]))
			FAIL(err, NOMEM, "groups");
	*v = arena_alloc(w->a, n_groups + 1, sizeof(**v));
	if (!*v)
		FAIL(err, NOMEM, "groups");
	*n = 0;
	for (size_t i = 0; i < n_groups; i++)
		if (!groups[i].built_in) {
			TRY(group_json(w, &groups[i], map_get(&by_id, groups[i].id), &(*v)[*n], err));
			++*n;
		}
	return GH_RC_OK;
}

static GH_RC find(struct web *w, struct str id, json_t **v, struct gh_err *err)
{
	json_t **list;
	size_t n;

	*v = NULL;
	TRY(all(w, &list, &n, err));
	for (size_t i = 0; i < n; i++)
		if (str_eq(jsn_str(list[i], "id"), id))
			*v = list[i];
	return GH_RC_OK;
}

static GH_RC find_by(struct web *w, struct str attribute, struct str value, bool *can, json_t **v, struct gh_err *err)
{
	*v = NULL;
	*can = str_eq_ci(attribute, STR("id"));
	return *can ? find(w, value, v, err) : GH_RC_OK;
}

/* ---- from JSON ---------------------------------------------------------------------------------------------------------- */

static GH_RC wanted_members(struct web *w, const json_t *v, struct map *out, struct gh_err *err)
{
	const json_t *members = scim_get(v, STR("members"));
	static const char member[] = "member";

	map_init(out, w->a, false);
	for (size_t i = 0; i < json_array_size(members); i++) {
		struct str id = jsn_string(scim_get(json_array_get(members, i), STR("value")));
		struct store_user u;
		bool found = false;

		if (id.n)
			TRY(store_user_find(w->site->store, w->a, id, &u, &found, err));
		if (!found)
			FAIL(err, INVALID, "member '%.*s' is no user", STR_ARG(str_first(id.p ? id : STR(""), 100)));
		if (!map_put(out, u.id, (void *)member))
			FAIL(err, NOMEM, "members");
	}
	return GH_RC_OK;
}

static GH_RC set_members(struct web *w, struct str group, const json_t *v, struct gh_err *err)
{
	static const char present[] = "present";
	struct store *s = w->site->store;
	const struct map_slot *slot;
	struct store_user *have;
	struct map want, there;
	size_t n;

	TRY(wanted_members(w, v, &want, err));
	TRY(store_users_of_group(s, w->a, group, &have, &n, err));
	map_init(&there, w->a, false);
	for (size_t i = 0; i < n; i++) {
		if (!map_put(&there, have[i].id, (void *)present))
			FAIL(err, NOMEM, "members");
		if (!map_get(&want, have[i].id))
			TRY(store_group_remove(s, group, have[i].id, err));
	}
	for (size_t i = 0; (slot = map_next(&want, &i));)
		if (!map_get(&there, slot->key))
			TRY(store_group_add(s, group, slot->key, err));
	return GH_RC_OK;
}

static GH_RC save(struct web *w, struct str *id, const json_t *v, struct gh_err *err)
{
	struct store_scim_record r = { .kind = STORE_SCIM_GROUP, .attributes = scim_kept(w, v, columns, ARRAY_LEN(columns)) };
	struct store_group g = { .id = *id, .name = jsn_string(scim_get(v, STR("displayName"))) };
	gh_rc rc;

	if (!r.attributes.p)
		FAIL(err, NOMEM, "group");
	if (!g.name.n || g.name.n > NAME_MAX)
		FAIL(err, INVALID, "displayName is needed, of at most %d characters", NAME_MAX);
	if (!id->n)
		TRY(crypto_random_hex(w->a, ID_BYTES, &g.id, err));
	TRY(id->n ? store_group_update(w->site->store, &g, err) : store_group_create(w->site->store, &g, err));
	*id = r.id = g.id;
	r.name = g.name;
	rc = store_scim_put(w->site->store, &r, err);
	if (rc.code == GH_E_CONFLICT)
		FAIL(err, CONFLICT, "There is a group with this displayName already.");
	TRY(rc);
	return set_members(w, g.id, v, err);
}

static GH_RC drop(struct web *w, struct str id, struct gh_err *err)
{
	TRY(store_scim_delete(w->site->store, STORE_SCIM_GROUP, id, err));
	return store_group_delete(w->site->store, id, err);
}

/* Groups are few. */
static GH_RC page(struct web *w, size_t offset, size_t limit, json_t ***v, size_t *n, size_t *total, struct gh_err *err)
{
	TRY(all(w, v, total, err));
	offset = offset < *total ? offset : *total;
	*v += offset;
	*n = *total - offset < limit ? *total - offset : limit;
	return GH_RC_OK;
}

const struct scim_kind scim_groups = {
	.endpoint = "Groups", .type = "Group", .schema = "urn:ietf:params:scim:schemas:core:2.0:Group", .page = page, .find = find,
	.find_by = find_by, .complete = complete, .save = save, .remove = drop,
};
