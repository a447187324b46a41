/* rest_life.c - deeds of the dashboard on one thing that no resource tells: a revision made current, an API as one ZIP, what the owners of a
 * subscription ask for. All else of their life is a field of the resource: the stage of an API, the state of a subscription. */
#include "portal/admin/rest_deed.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/requests.h"
#include "db/users.h"
#include "portal/admin/admin.h"
#include "portal/admin/api_zip.h"
#include "portal/admin/resources.h"

static const char *const nothing[] = { NULL };

/* ---- an API ---------------------------------------------------------------------------------------------------------------------- */

struct current {
	int64_t revision;
	struct str note;
};

static GH_RC make_current(struct rest *r, struct resource_change *c, const json_t *body, json_t **out, struct gh_err *err)
{
	static const struct rest_member members[] = { { "revision", REST_INT, true, offsetof(struct current, revision), 1, INT32_MAX },
						      { "note", REST_TEXT, false, offsetof(struct current, note), 0, 4000 }, { NULL } };
	const struct resource_kind *k = resource_kind_find(STR("api"));
	struct current x = { .note = STR("") };
	bool go;

	if (!rest_take(c, body, members, &x))
		return GH_RC_OK;
	TRY(rest_match(r, k, r->args[0], false, &go, err));
	if (!go)
		return GH_RC_OK;
	TRY(admin_revision_current(r->w, c, r->args[0], x.revision, str_trim(x.note), err));
	TRY(resource_read(r->w->site->store, r->w->a, k, r->args[0], out, err));
	if (*out)
		web_header(r->w, "ETag", resource_etag(r->w->a, *out));
	*out = json_incref(*out);
	return GH_RC_OK;
}

gh_rc rest_current_revision(struct rest *r, struct gh_err *err)
{
	return rest_deed(r, make_current, err);
}

gh_rc rest_archive(struct rest *r, struct gh_err *err)
{
	const struct resource_kind *not;
	struct files_set *set;
	struct gh_err why;
	struct tree t;
	bool ok;
	gh_rc rc;

	TRY(rest_known(r, nothing, &ok, err));
	if (!ok)
		return GH_RC_OK;
	rc = api_zip_tree(r->w, r->args[0], &t, &set, &why);
	if (rc.code)
		return rest_refused(r, rc, &why, NULL, err);
	not = rest_forbidden(r, set, false);
	if (not)
		return rest_problem(r, 403, "forbidden", arena_printf(r->w->a, "You may not see %s.", not->plural), NULL, err);
	return api_zip_give(r->w, r->args[0], &t, err);
}

/* ---- a subscription ---------------------------------------------------------------------------------------------------------------- */

static GH_RC find_request(struct rest *r, struct store_request *out, bool *found, struct gh_err *err)
{
	bool there;

	TRY(resource_exists(r->w->site->store, resource_kind_find(STR("subscription")), r->args[0], &there, err));
	*found = false;
	if (there)
		TRY(store_request_find(r->w->site->store, r->w->a, r->args[0], out, found, err));
	return *found ? GH_RC_OK : rest_problem(r, 404, "not-found", there ? STR("Nobody asks for anything.") : STR("There is no such subscription."), NULL,
						err);
}

gh_rc rest_request(struct rest *r, struct gh_err *err)
{
	struct store_request q;
	struct store_user user;
	bool ok, known = false;
	char at[CLOCK_ISO_MAX];
	json_t *v;

	TRY(rest_known(r, nothing, &ok, err));
	if (ok)
		TRY(find_request(r, &q, &ok, err));
	if (!ok)
		return GH_RC_OK;
	if (q.user_id.n)
		TRY(store_user_find(r->w->site->store, r->w->a, q.user_id, &user, &known, err));
	v = jsn_keep(r->w->a, json_pack("{s:o, s:o, s:o, s:o, s:s}", "tier", rest_text(q.tier_id), "message", rest_text(q.message), "user", rest_text(q.user_id), "email",
					known ? rest_text(user.email) : json_null(), "at", clock_iso(q.created_us, 0, at)));
	if (!v)
		FAIL(err, NOMEM, "request");
	return web_json(r->w, 200, "application/json", v, err);
}

struct decision {
	struct str decision, note;
};

static GH_RC decide(struct rest *r, struct resource_change *c, const json_t *body, json_t **out, struct gh_err *err)
{
	static const struct rest_member members[] = { { "decision", REST_TEXT, true, offsetof(struct decision, decision), 1, 20 },
						      { "note", REST_TEXT, false, offsetof(struct decision, note), 0, 500 }, { NULL } };
	const struct resource_kind *k = resource_kind_find(STR("subscription"));
	struct decision x = { .note = STR("") };
	struct store_request q;
	bool ok, late;

	if (!rest_take(c, body, members, &x))
		return GH_RC_OK;
	if (!str_eq(x.decision, STR("grant")) && !str_eq(x.decision, STR("refuse")))
		resource_problem(c, k, r->args[0], STR("/decision"), "is grant or refuse");
	if (resource_problem_count(c))
		return GH_RC_OK;
	TRY(find_request(r, &q, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(admin_wish_decide(r->w, c, r->args[0], str_eq(x.decision, STR("grant")), str_trim(x.note), &late, err));
	if (late)
		FAIL(err, CONFLICT, "nobody asks for another tier; a subscription that waits is decided by its state");
	TRY(resource_read(r->w->site->store, r->w->a, k, r->args[0], out, err));
	*out = json_incref(*out);
	return GH_RC_OK;
}

gh_rc rest_request_decide(struct rest *r, struct gh_err *err)
{
	return rest_deed(r, decide, err);
}

struct new_key {
	struct str key;
	int64_t keep_s;
};

static GH_RC make_key(struct rest *r, struct resource_change *c, const json_t *body, json_t **out, struct gh_err *err)
{
	static const struct rest_member members[] = { { "key", REST_TEXT, true, offsetof(struct new_key, key), 1, 20 },
						      { "overlapSeconds", REST_INT, false, offsetof(struct new_key, keep_s), 0, ADMIN_KEY_KEEP_MAX_S }, { NULL } };
	const struct resource_kind *k = resource_kind_find(STR("subscription"));
	struct new_key x = { .keep_s = 0 };
	struct str key;
	bool second;

	if (!rest_take(c, body, members, &x))
		return GH_RC_OK;
	second = str_eq(x.key, STR("secondary"));
	if (!second && !str_eq(x.key, STR("primary")))
		resource_problem(c, k, r->args[0], STR("/key"), "is primary or secondary");
	if (resource_problem_count(c))
		return GH_RC_OK;
	TRY(admin_key_new(r->w, r->args[0], second, x.keep_s, &key, err));
	*out = json_pack("{s:s%}", second ? "secondaryKey" : "primaryKey", key.p, key.n);
	return GH_RC_OK;
}

gh_rc rest_new_key(struct rest *r, struct gh_err *err)
{
	return rest_deed(r, make_key, err);
}

/* ---- in the OpenAPI document --------------------------------------------------------------------------------------------------------- */

static const struct rest_about about[] = {
	{ rest_current_revision, "makeRevisionCurrent", "Make a revision current",
	  "Calls go to it from now on, and to the backend that it has. An older one is a way back. The note stands in the change log.", "apis", NULL,
	  "{'type': 'object', 'required': ['revision'], 'additionalProperties': false, 'properties': {'revision': {'type': 'integer', 'minimum': 1}, 'note': "
	  "{'type': 'string', 'maxLength': 4000, 'description': 'Left out: the description of the revision'}}}", "{'$ref': '#/components/schemas/Api'}",
	  "404", .takes_match = true },
	{ rest_archive, "getApiArchive", "The API as one ZIP, with what it needs", "What `gatehouse export --api` writes; POST /imports takes it.", "apis",
	  NULL, NULL, "{'type': 'string', 'format': 'binary'}", "404", .media_type = "application/zip" },
	{ rest_request, "getSubscriptionRequest", "What the owners of a subscription ask for", NULL, "subscriptions", NULL, NULL,
	  "{'type': 'object', 'required': ['tier', 'message', 'user', 'email', 'at'], 'properties': {'tier': {'type': ['string', 'null'], 'description': "
	  "'null: the subscription itself'}, 'message': {'type': ['string', 'null']}, 'user': {'type': ['string', 'null']}, 'email': {'type': ['string', "
	  "'null']}, 'at': {'type': 'string', 'format': 'date-time'}}}", "404" },
	{ rest_request_decide, "decideSubscriptionRequest", "Grant or refuse another tier",
	  "A subscription that waits itself is approved or rejected by its state. The owners are told by mail.", "subscriptions", NULL,
	  "{'type': 'object', 'required': ['decision'], 'additionalProperties': false, 'properties': {'decision': {'type': 'string', 'enum': ['grant', "
	  "'refuse']}, 'note': {'type': 'string', 'maxLength': 500, 'description': 'The owners read it'}}}",
	  "{'$ref': '#/components/schemas/Subscription'}", "404" },
	{ rest_new_key, "replaceSubscriptionKey", "A new key in the place of one, told this once", "The old one goes on for as long as overlapSeconds says.",
	  "subscriptions", NULL,
	  "{'type': 'object', 'required': ['key'], 'additionalProperties': false, 'properties': {'key': {'type': 'string', 'enum': ['primary', 'secondary']}, "
	  "'overlapSeconds': {'type': 'integer', 'minimum': 0, 'maximum': 2592000, 'default': 0}}}",
	  "{'type': 'object', 'properties': {'primaryKey': {'type': 'string'}, 'secondaryKey': {'type': 'string'}}}", "404" },
	{ NULL },
};

json_t *rest_describe_life(const struct rest_route *route, const struct resource_kind *kind UNUSED)
{
	return rest_operation(route, about);
}
