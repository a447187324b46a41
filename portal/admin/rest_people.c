/* rest_people.c - one person as a whole, what is done to accounts, and one deed for many: what the pages of users, applications and
 * subscriptions do besides their forms. Each part of a person is told to those who may see it by a call of its own. */
#include "portal/admin/rest_deed.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/accounts.h"
#include "db/identity_providers.h"
#include "db/machine_tokens.h"
#include "db/passkeys.h"
#include "db/personal_tokens.h"
#include "db/sessions.h"
#include "db/teams.h"
#include "portal/admin/person.h"

/* ---- the account -------------------------------------------------------------------------------------------------------------- */

static GH_RC add_sign_in(struct web *w, const struct store_user *u, json_t *out, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_personal_token *tokens;
	struct store_factor factor;
	struct store_identity *ids;
	struct store_passkey *keys;
	json_t *providers = json_array();
	size_t n_ids, n_keys, n_tokens;
	bool found;

	json_object_set_new(out, "identityProviders", providers);
	TRY(store_identities_of_user(s, w->a, u->id, &ids, &n_ids, err));
	TRY(store_passkeys_of_user(s, w->a, u->id, &keys, &n_keys, err));
	TRY(store_personal_tokens(s, w->a, u->id, &tokens, &n_tokens, err));
	TRY(store_factor_find(s, w->a, u->id, &factor, &found, err));
	for (size_t i = 0; i < n_ids; i++)
		json_array_append_new(providers, rest_text(ids[i].provider_id));
	json_object_set_new(out, "password", json_boolean(u->password_hash.n > 0));
	json_object_set_new(out, "passkeys", json_integer((json_int_t)n_keys));
	json_object_set_new(out, "codes", json_boolean(found && factor.confirmed_us));
	json_object_set_new(out, "personalTokens", json_integer((json_int_t)n_tokens));
	return GH_RC_OK;
}

static GH_RC add_places(struct web *w, const struct store_user *u, json_t *out, struct gh_err *err)
{
	json_t *groups = json_array(), *sessions = json_array();
	struct store_session *v;
	struct store_group *own;
	size_t n, n_own;

	json_object_set_new(out, "groups", groups);
	json_object_set_new(out, "sessions", sessions);
	TRY(store_groups_of_user(w->site->store, w->a, u->id, &own, &n_own, err));
	TRY(store_sessions_of_user(w->site->store, w->a, u->id, &v, &n, err));
	for (size_t i = 0; i < n_own; i++)
		json_array_append_new(groups, rest_text(own[i].id));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(sessions, json_pack("{s:s, s:o, s:o, s:o}", "of", str_eq(v[i].app, STR("gh_admin")) ? "dashboard" : "portal", "agent",
				      rest_text(v[i].agent), "address", rest_text(v[i].address), "seen", rest_time(v[i].seen_us, 0)));
	return GH_RC_OK;
}

/* ---- what he has and did ------------------------------------------------------------------------------------------------------- */

static GH_RC add_belongings(struct web *w, const struct store_user *u, json_t *out, struct store_subscription **subs, size_t *n, struct gh_err *err)
{
	json_t *apps = json_array(), *list = json_array();
	struct store_application *v;
	struct store_keys keys;
	size_t n_apps;

	json_object_set_new(out, "applications", apps);
	json_object_set_new(out, "subscriptions", list);
	TRY(store_applications_of_user(w->site->store, w->a, u->id, &v, &n_apps, err));
	for (size_t i = 0; i < n_apps; i++)
		json_array_append_new(apps, json_pack("{s:o, s:o}", "id", rest_text(v[i].id), "name", rest_text(v[i].name)));
	TRY(store_own_subscriptions(w->site->store, w->a, u->id, subs, n, err));
	for (size_t i = 0; i < *n && i < PERSON_SUBSCRIPTIONS; i++) {
		const struct store_subscription *s = &(*subs)[i];

		TRY(store_subscription_prefixes(w->site->store, w->a, s->id, &keys, err));
		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o}", "id", rest_text(s->id), "name", rest_text(s->name), "product",
				      rest_text(s->product_id), "api", rest_text(s->api_id), "application", rest_text(s->application_id), "state",
				      store_subscription_state_names[s->state], "primaryBegins", rest_text(keys.primary), "secondaryBegins", rest_text(keys.secondary)));
	}
	json_object_set_new(out, "moreSubscriptions", json_integer(*n > PERSON_SUBSCRIPTIONS ? (json_int_t)(*n - PERSON_SUBSCRIPTIONS) : 0));
	return GH_RC_OK;
}

static GH_RC add_calls(struct web *w, const struct store_subscription *subs, size_t n, json_t *out, struct gh_err *err)
{
	json_t *calls = json_array(), *refusals = json_array(), *one;
	struct store_reason *reasons;
	struct store_call *v;
	size_t n_calls, n_reasons;

	json_object_set_new(out, "calls", calls);
	json_object_set_new(out, "refusals", refusals);
	TRY(person_calls(w, subs, n, &v, &n_calls, err));
	TRY(person_refusals(w, subs, n, &reasons, &n_reasons, err));
	for (size_t i = 0; i < n_calls; i++) {
		TRY(rest_call_json(w, &v[i], &one, err));
		json_array_append(calls, one);
	}
	for (size_t i = 0; i < n_reasons; i++)
		json_array_append_new(refusals, json_pack("{s:o, s:I, s:I, s:o}", "reason", rest_text(reasons[i].reason), "status", (json_int_t)reasons[i].status,
				      "calls", (json_int_t)reasons[i].calls, "last", rest_time(reasons[i].last_us, 0)));
	return GH_RC_OK;
}

static GH_RC add_trail(struct web *w, const struct store_user *u, json_t *out, struct gh_err *err)
{
	struct store_audit_entry *v;
	json_t *list = json_array();
	size_t n;

	json_object_set_new(out, "trail", list);
	TRY(person_trail(w, u, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, admin_audit_json(w, &v[i]));
	return GH_RC_OK;
}

static json_t *account_json(const struct store_user *u)
{
	static const char *const states[] = { "pending", "active", "blocked" };

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:n, s:n, s:n, s:n, s:n, s:n}", "id", rest_text(u->id), "email", rest_text(u->email),
			 "firstName", rest_text(u->first_name), "lastName", rest_text(u->last_name), "role", rest_text(u->role), "state",
			 states[u->state < 0 || u->state > 2 ? 2 : u->state], "note", rest_text(u->note), "created", rest_time(u->created_us, 0), "signedIn",
			 rest_time(u->signed_in_us, 0), "applications", "subscriptions", "moreSubscriptions", "calls", "refusals", "trail");
}

/* A part asks for the right and the scope that its own call asks for. */
static bool reads(const struct rest *r, enum web_right right, struct str scope)
{
	return web_may_everywhere(r->w, right) && store_scopes_allow(r->who.scopes, false, scope);
}

gh_rc rest_person(struct rest *r, struct gh_err *err)
{
	struct web *w = r->w;
	bool keys = reads(r, WEB_VIEW_SUBSCRIPTIONS, STR("subscriptions")), found,
	     calls = keys && reads(r, WEB_VIEW_TRAFFIC, STR("analytics")) && web_may_everywhere(w, WEB_VIEW_CALLERS);
	struct store_subscription *subs = NULL;
	struct store_user u;
	json_t *v;
	size_t n = 0;

	TRY(store_user_find(w->site->store, w->a, r->args[0], &u, &found, err));
	if (!found)
		return rest_problem(r, 404, "not-found", arena_printf(w->a, "There is no account '%.*s'.", STR_ARG(str_first(r->args[0], 200))), NULL, err);
	v = jsn_keep(w->a, account_json(&u));
	if (!v)
		FAIL(err, NOMEM, "person");
	TRY(add_sign_in(w, &u, v, err));
	TRY(add_places(w, &u, v, err));
	if (keys)
		TRY(add_belongings(w, &u, v, &subs, &n, err));
	if (calls)
		TRY(add_calls(w, subs, n, v, err));
	if (reads(r, WEB_VIEW_AUDIT, STR("audit")))
		TRY(add_trail(w, &u, v, err));
	return web_json(w, 200, "application/json", v, err);
}

/* ---- deeds -------------------------------------------------------------------------------------------------------------------- */

static GH_RC act(struct rest *r, struct resource_change *c, const json_t *body, json_t **answer, struct gh_err *err)
{
	struct person_deed d = { .name = r->args[1], .to = STR_NULL };
	bool groups = str_eq(d.name, STR("groups")), move = str_eq(d.name, STR("move")), found = person_deed_known(d.name);
	const struct rest_member of_groups[] = { { "groups", REST_TEXTS, .needed = true, .at = offsetof(struct person_deed, groups) }, { NULL } },
				 of_move[] = { { "to", REST_TEXT, .needed = true, .at = offsetof(struct person_deed, to), .least = 1, .most = 254 }, { NULL } },
				 none[] = { { NULL } };
	struct gh_err why = { .message = "" };
	struct str told = STR("");
	struct store_user u;
	gh_rc rc;

	if (found)
		TRY(store_user_find(r->w->site->store, r->w->a, r->args[0], &u, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "There is no such account, or nothing that is called so may be done to one.");
	if (move && (!store_scopes_allow(r->who.scopes, true, STR("applications")) || !store_scopes_allow(r->who.scopes, true, STR("subscriptions"))))
		FAIL(err, DENIED, "The token may not write applications and subscriptions, which this moves.");
	if (!rest_take(c, body, groups ? of_groups : move ? of_move : none, &d))
		return GH_RC_OK;
	rc = person_do(r->w, c, &u, &d, &told, &why);
	if (rc.code == GH_E_INVALID && move && !resource_problem_count(c)) {
		resource_problem(c, NULL, STR_NULL, STR("/to"), "%s", why.message);
		return GH_RC_OK;
	}
	if (rc.code && err)
		*err = why;
	if (!rc.code)
		*answer = json_pack("{s:o, s:o}", "user", rest_text(u.id), "done", rest_text(told));
	return rc;
}

gh_rc rest_person_act(struct rest *r, struct gh_err *err)
{
	return rest_deed(r, act, err);
}

struct wish {
	struct str action, note;
	json_t *ids;
};

static GH_RC each(struct rest *r, struct resource_change *c, const struct wish *x, struct str plural, json_t **answer, struct gh_err *err)
{
	struct bulk_item *v = arena_alloc(r->w->a, BULK_MAX, sizeof(*v));
	size_t n = json_array_size(x->ids), at = 0, done = 0;
	struct gh_err why = { .message = "" };
	json_t *items;
	gh_rc rc;

	if (!v)
		FAIL(err, NOMEM, "list");
	for (size_t i = 0; i < n; i++)
		v[i] = (struct bulk_item){ .id = jsn_string(json_array_get(x->ids, i)) };
	rc = bulk_do(r->w, c, plural, x->action, x->note, v, n, &at, &why);
	if ((rc.code == GH_E_INVALID || rc.code == GH_E_CONFLICT || rc.code == GH_E_NOT_FOUND) && at < n) {
		char pointer[40];

		snprintf(pointer, sizeof(pointer), "/ids/%zu", at);
		resource_problem(c, NULL, STR_NULL, str_of(pointer), "%s", why.message);
		return GH_RC_OK;
	}
	if (rc.code) {
		if (err)
			*err = why;
		return rc;
	}
	items = json_array();
	for (size_t i = 0; i < n; i++) {
		done += !v[i].why.p;
		json_array_append_new(items, json_pack("{s:o, s:o, s:b, s:o}", "id", rest_text(v[i].id), "name", rest_text(v[i].name), "done", !v[i].why.p, "why",
						       rest_text(v[i].why)));
	}
	*answer = json_pack("{s:I, s:o}", "done", (json_int_t)done, "items", items);
	return GH_RC_OK;
}

static GH_RC bulk(struct rest *r, struct resource_change *c, const json_t *body, json_t **answer, struct gh_err *err)
{
	static const struct rest_member members[] = {
		{ "action", REST_TEXT, .needed = true, .at = offsetof(struct wish, action), .most = 40 },
		{ "ids", REST_TEXTS, .needed = true, .at = offsetof(struct wish, ids), .least = 1, .most = BULK_MAX },
		{ "note", REST_TEXT, .at = offsetof(struct wish, note), .most = 500 },
		{ NULL },
	};
	struct str plural = str_from(str_of(r->route->pattern), strlen("/bulk/"));
	struct wish x = { .note = STR("") };

	if (!rest_take(c, body, members, &x))
		return GH_RC_OK;
	if (!bulk_deed_known(plural, x.action)) {
		resource_problem(c, NULL, STR_NULL, STR("/action"), "%.*s are not done so: approve and reject (users, subscriptions), suspend, restore",
				 STR_ARG(plural));
		return GH_RC_OK;
	}
	return each(r, c, &x, plural, answer, err);
}

gh_rc rest_bulk(struct rest *r, struct gh_err *err)
{
	return rest_deed(r, bulk, err);
}

/* ---- in the OpenAPI document ---------------------------------------------------------------------------------------------- */

#define OR_NULL "{'type': ['string', 'null']}"
#define LIST_OR_NULL "{'type': ['array', 'null'], 'items': {'type': 'object'}}"
#define PERSON "{'type': 'object', 'required': ['id', 'email', 'role', 'state', 'groups', 'sessions', 'applications', 'subscriptions', 'calls', 'refusals', 'trail']," \
	"'properties': {'id': {'type': 'string'}, 'email': {'type': 'string'}, 'firstName': " OR_NULL ", 'lastName': " OR_NULL ", 'role': {'type': 'string'},"        \
	"'state': {'type': 'string', 'enum': ['pending', 'active', 'blocked']}, 'note': " OR_NULL ", 'created': " OR_NULL ", 'signedIn': " OR_NULL ","                \
	"'password': {'type': 'boolean'}, 'passkeys': {'type': 'integer'}, 'codes': {'type': 'boolean', 'description': 'of an app'},"                                \
	"'identityProviders': {'type': 'array', 'items': {'type': 'string'}}, 'personalTokens': {'type': 'integer'},"                                                \
	"'groups': {'type': 'array', 'items': {'type': 'string'}}, 'sessions': {'type': 'array', 'items': {'type': 'object'}},"                                      \
	"'applications': " LIST_OR_NULL ", 'subscriptions': " LIST_OR_NULL ", 'moreSubscriptions': {'type': ['integer', 'null']}, 'calls': " LIST_OR_NULL ","         \
	"'refusals': " LIST_OR_NULL ", 'trail': " LIST_OR_NULL "}}"
#define BULK_ANSWER "{'type': 'object', 'required': ['done', 'items'], 'properties': {'done': {'type': 'integer'}, 'items': {'type': 'array', 'items': {"       \
	"'type': 'object', 'required': ['id', 'done', 'why'], 'properties': {'id': {'type': 'string'}, 'name': " OR_NULL ", 'done': {'type': 'boolean'},"            \
	"'why': {'type': ['string', 'null'], 'description': 'Why it was passed over'}}}}}}"

static json_t *describe_bulk(const struct rest_route *route)
{
	static const struct rest_about rows[][2] = {
#define ROW(name, summary_, actions)                                                                                                                   \
	{ { .run = rest_bulk, .operation = name, .summary = summary_,                                                                                  \
	    .description = "One transaction, at most 1,000. Those that it does not fit are passed over and named; what is refused for another reason " \
	    "leaves everything as it was, and errors names which.", .tag = "people",                                                                 \
	    .body = "{'type': 'object', 'required': ['action', 'ids'], 'additionalProperties': false, 'properties': {'action': {'type': 'string', "  \
	    "'enum': [" actions "]}, 'ids': {'type': 'array', 'minItems': 1, 'maxItems': 1000, 'items': {'type': 'string'}},"                         \
	    "'note': {'type': 'string', 'maxLength': 500, 'description': 'For the owners, in the mail'}}}", .answer = BULK_ANSWER, .refusals = "" },   \
	  { .run = NULL } }
		ROW("bulkUsers", "Approve, reject, suspend or restore many accounts", "'approve', 'reject', 'suspend', 'restore'"),
		ROW("bulkApplications", "Suspend or restore the subscriptions of many applications", "'suspend', 'restore'"),
		ROW("bulkSubscriptions", "Approve, reject, suspend or restore many subscriptions", "'approve', 'reject', 'suspend', 'restore'"),
#undef ROW
	};

	return rest_operation(route, rows[strstr(route->pattern, "users") ? 0 : strstr(route->pattern, "applications") ? 1 : 2]);
}

json_t *rest_describe_people(const struct rest_route *route, const struct resource_kind *kind UNUSED)
{
	static const struct rest_about table[] = {
		{ .run = rest_person, .operation = "getPerson", .summary = "One person as a whole",
		  .description = "Account, ways to sign in, groups, browsers, applications, subscriptions, last calls, refusals and the trail; null: "
		  "the role may not see that part.", .tag = "people", .answer = PERSON, .refusals = "404" },
		{ .run = rest_person_act, .operation = "actOnPerson", .summary = "Do something to an account",
		  .description = "action: approve, reject, suspend, restore, sign-out (all browsers), reset-second-factor (phone and recovery codes are lost), groups (body: groups), move (body: to, the address of the "
		  "account that gets places in teams and own subscriptions). 403 when the account has rights that you lack; 409 when its state does not allow it, or it is your own.",
		  .tag = "people", .body = "{'type': 'object', 'additionalProperties': false, 'properties': {'groups': {'type': 'array', 'items': {'type': 'string'}},"
		  "'to': {'type': 'string'}}}", .answer = "{'type': 'object', 'required': ['user', 'done'], 'properties': {'user': {'type': 'string'}, 'done': "
		  "{'type': 'string', 'description': 'For people'}}}", .refusals = "404" },
		{ .run = NULL },
	};

	return route->run == rest_bulk ? describe_bulk(route) : rest_operation(route, table);
}
