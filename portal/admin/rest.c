/* rest.c - the management API: its table of routes, who asks, and problem details. */
#include "portal/admin/rest_deed.h"

#include "core/clock.h"
#include "core/http_status.h"
#include "core/log.h"
#include "core/str.h"
#include "db/machine_tokens.h"

enum { USED_EVERY_US = 60 * 1000000, PARTS_MAX = 8 };

const struct rest_route rest_routes[] = {
	{ "GET", "/openapi.json", WEB_ANYBODY, false, rest_openapi, rest_describe },
	{ "GET", "/me", WEB_SIGNED_IN, false, rest_me, rest_describe },
	{ "GET", "/export", WEB_VIEW_APIS, false, rest_export, rest_describe_export },
	{ "POST", "/plan", WEB_VIEW_APIS, false, rest_plan, rest_describe_files },
	{ "POST", "/apply", WEB_CHANGE_APIS, true, rest_apply, rest_describe_files },
	{ "GET", "/governance", WEB_VIEW_APIS, false, rest_governance, rest_describe_governance, true },
	{ "POST", "/promote", WEB_CHANGE_APIS, true, rest_promote, rest_describe_files },
	{ "GET", "/analytics", WEB_VIEW_TRAFFIC, false, rest_analytics, rest_describe_analytics, true },
	{ "GET", "/analytics/traffic", WEB_VIEW_TRAFFIC, false, rest_analytics, rest_describe_analytics, true },
	{ "GET", "/analytics/calls", WEB_VIEW_TRAFFIC, false, rest_analytics, rest_describe_analytics, true },
	{ "GET", "/analytics/latency", WEB_VIEW_TRAFFIC, false, rest_analytics, rest_describe_analytics, true },
	{ "GET", "/analytics/exceeders", WEB_VIEW_TRAFFIC, false, rest_analytics, rest_describe_analytics, true },
	{ "GET", "/analytics/failures", WEB_VIEW_TRAFFIC, false, rest_analytics, rest_describe_analytics, true },
	{ "GET", "/analytics/deprecated", WEB_VIEW_TRAFFIC, false, rest_analytics, rest_describe_analytics, true },
	{ "GET", "/calls", WEB_VIEW_TRAFFIC, false, rest_calls, rest_describe_calls },
	{ "GET", "/calls/{call}", WEB_VIEW_TRAFFIC, false, rest_call, rest_describe_calls },
	{ "GET", "/audit", WEB_VIEW_AUDIT, false, rest_audit, rest_describe_audit, true, "audit" },
	{ "GET", "/audit/export", WEB_VIEW_AUDIT, false, rest_audit_export, rest_describe_audit, true, "audit", NULL, "text/csv" },
	{ "GET", "/audit/chain", WEB_VIEW_AUDIT, false, rest_audit_chain, rest_describe_audit, true, "audit" },
	{ "GET", "/captures", WEB_CAPTURE_CALLS, false, rest_captures, rest_describe_captures, true, "captures" },
	{ "POST", "/captures", WEB_CAPTURE_CALLS, true, rest_capture_start, rest_describe_captures, true, "captures" },
	{ "GET", "/captures/{capture}", WEB_CAPTURE_CALLS, false, rest_capture, rest_describe_captures, true, "captures" },
	{ "POST", "/captures/{capture}/stop", WEB_CAPTURE_CALLS, true, rest_capture_stop, rest_describe_captures, true, "captures" },
	{ "GET", "/captured-calls/{call}", WEB_CAPTURE_CALLS, false, rest_captured_call, rest_describe_captures, true, "captures" },
	{ "GET", "/live", WEB_VIEW_TRAFFIC, false, rest_live, rest_describe_live, true, "analytics" },
	{ "GET", "/live/events", WEB_VIEW_TRAFFIC, false, rest_live_events, rest_describe_live, true, "analytics", NULL, "text/event-stream" },
	{ "GET", "/alerts", WEB_VIEW_TRAFFIC, false, rest_alerts, rest_describe_alerts, true, "alert-rules" },
	{ "GET", "/alerts/{rule}", WEB_VIEW_TRAFFIC, false, rest_alert, rest_describe_alerts, true, "alert-rules" },
	{ "GET", "/alert-events", WEB_VIEW_TRAFFIC, false, rest_alert_events, rest_describe_alerts, true, "alert-rules" },
	{ "GET", "/alert-deliveries", WEB_VIEW_SETTINGS, false, rest_alert_deliveries, rest_describe_alerts, true, "alert-webhooks" },
	{ "POST", "/alert-deliveries/{delivery}/again", WEB_CHANGE_SETTINGS, true, rest_alert_delivery_again, rest_describe_alerts, true, "alert-webhooks" },
	{ "GET", "/mails", WEB_VIEW_PEOPLE, false, rest_mails, rest_describe_alerts, true, "users" },
	{ "POST", "/mails/{mail}/again", WEB_MANAGE_PEOPLE, true, rest_mail_again, rest_describe_alerts, true, "users" },
	{ "GET", "/backends/{backend}/state", WEB_VIEW_SETTINGS, false, rest_backend_state, rest_describe_states, false, "backends", "backend" },
	{ "GET", "/traffic-rules/{rule}/state", WEB_VIEW_POLICIES, false, rest_traffic_state, rest_describe_states, false, "traffic-rules", "traffic-rule" },
	{ "GET", "/credential-states", WEB_VIEW_CREDENTIALS, false, rest_credential_states, rest_describe_credentials, false, "credentials" },
	{ "GET", "/credentials/{environment}/{credential}/consent", WEB_CHANGE_CREDENTIALS, false, rest_credential_consent, rest_describe_credentials, false, "credentials" },
	{ "POST", "/credentials/{environment}/{credential}/forget", WEB_CHANGE_CREDENTIALS, true, rest_credential_forget, rest_describe_credentials, false, "credentials" },
	{ "POST", "/credentials/{environment}/{credential}/rotate", WEB_CHANGE_CREDENTIALS, true, rest_credential_rotate, rest_describe_credentials, false, "credentials" },
	{ "POST", "/credentials/{environment}/{credential}/remind", WEB_CHANGE_CREDENTIALS, true, rest_credential_remind, rest_describe_credentials, false, "credentials" },
	{ "GET", "/people/{user}", WEB_VIEW_PEOPLE, false, rest_person, rest_describe_people, true, "users" },
	{ "POST", "/people/{user}/{action}", WEB_MANAGE_PEOPLE, true, rest_person_act, rest_describe_people, true, "users" },
	{ "POST", "/bulk/users", WEB_MANAGE_PEOPLE, true, rest_bulk, rest_describe_people, true, "users" },
	{ "POST", "/bulk/applications", WEB_MANAGE_SUBSCRIPTIONS, true, rest_bulk, rest_describe_people, true, "subscriptions" },
	{ "POST", "/bulk/subscriptions", WEB_MANAGE_SUBSCRIPTIONS, true, rest_bulk, rest_describe_people, true, "subscriptions" },
	{ "GET", "/cache", WEB_VIEW_SETTINGS, false, rest_cache, rest_describe_cache, true },
	{ "POST", "/cache/purge", WEB_CHANGE_SETTINGS, true, rest_cache_purge, rest_describe_cache, true },
	{ "POST", "/imports", WEB_CHANGE_APIS, true, rest_import, rest_describe_import },
	{ "GET", "/apis/{api}/archive", WEB_CHANGE_APIS, false, rest_archive, rest_describe_life, .scope = "apis", .thing = "api",
	  .other_type = "application/zip" },
	{ "POST", "/apis/{api}/current-revision", WEB_CHANGE_APIS, true, rest_current_revision, rest_describe_life, .scope = "apis", .thing = "api" },
	{ "GET", "/subscriptions/{subscription}/request", WEB_VIEW_SUBSCRIPTIONS, false, rest_request, rest_describe_life, .scope = "subscriptions",
	  .thing = "subscription" },
	{ "POST", "/subscriptions/{subscription}/request", WEB_MANAGE_SUBSCRIPTIONS, true, rest_request_decide, rest_describe_life,
	  .scope = "subscriptions", .thing = "subscription" },
	{ "POST", "/subscriptions/{subscription}/keys", WEB_MANAGE_SUBSCRIPTIONS, true, rest_new_key, rest_describe_life, .scope = "subscriptions",
	  .thing = "subscription" },
	{ "GET", "/policy-versions", WEB_VIEW_POLICIES, false, rest_policy_versions, rest_describe_policy, .scope = "policies" },
	{ "GET", "/policy-versions/{version}", WEB_VIEW_POLICIES, false, rest_policy_version, rest_describe_policy, .scope = "policies" },
	{ "POST", "/policy-versions/{version}/restore", WEB_CHANGE_POLICIES, true, rest_policy_restore, rest_describe_policy, .scope = "policies" },
	{ "POST", "/policy-checks", WEB_CHANGE_POLICIES, false, rest_policy_check, rest_describe_policy, .scope = "policies" },
	{ "POST", "/policy-trials", WEB_CHANGE_POLICIES, false, rest_policy_trial, rest_describe_policy, .scope = "policies" },
	{ "GET", "/effective-policies", WEB_VIEW_POLICIES, false, rest_effective_policy, rest_describe_policy, .scope = "policies" },
	{ "GET", "/policy-catalogue", WEB_VIEW_POLICIES, false, rest_policy_catalogue, rest_describe_policy, .scope = "policies" },
	{ "GET", "/policy-snippets", WEB_VIEW_POLICIES, false, rest_policy_snippets, rest_describe_policy, .scope = "policies" },
	{ "GET", "/{kind}", WEB_SIGNED_IN, false, rest_list, rest_describe },
	{ "POST", "/{kind}", WEB_SIGNED_IN, true, rest_create, rest_describe },
	{ "GET", "/{kind}/{id}", WEB_SIGNED_IN, false, rest_get, rest_describe },
	{ "PUT", "/{kind}/{id}", WEB_SIGNED_IN, true, rest_put, rest_describe },
	{ "PATCH", "/{kind}/{id}", WEB_SIGNED_IN, true, rest_patch, rest_describe },
	{ "DELETE", "/{kind}/{id}", WEB_SIGNED_IN, true, rest_delete, rest_describe },
	{ NULL, NULL, WEB_ANYBODY, false, NULL, NULL },
};

enum web_right admin_right_of(const struct resource_kind *k, bool write)
{
	return (enum web_right)(WEB_OWN_ACCOUNT + 1 + (int)resource_right(k, write));
}

/* ---- problems ---------------------------------------------------------------------------------------------------------- */

static GH_RC answer_problem(struct web *w, int status, const char *reason, struct str detail, json_t *errors, struct gh_err *err)
{
	struct str title = http_reason(status);
	json_t *v = json_pack("{s:s+, s:s%, s:i, s:s%, s:s%}", "type", "urn:gatehouse:problem:", reason, "title", title.p, title.n, "status",
			      status, "detail", detail.p ? detail.p : "", detail.n, "requestId", w->rq.id.p ? w->rq.id.p : "", w->rq.id.n);

	if (v && errors)
		json_object_set(v, "errors", errors);
	json_decref(errors);
	if (!jsn_keep(w->a, v))
		FAIL(err, NOMEM, "problem");
	buf_clear(&w->rs.body);
	return web_json(w, status, "application/problem+json", v, err);
}

gh_rc rest_problem(struct rest *r, int status, const char *reason, struct str detail, json_t *errors, struct gh_err *err)
{
	return answer_problem(r->w, status, reason, detail, errors, err);
}

void admin_rest_error(struct web *w, int status, const char *explain)
{
	static const struct {
		int status;
		const char *reason, *detail;
	} known[] = {
		{ 400, "bad-request", "The request could not be read." },
		{ 404, "not-found", "There is nothing at this address." },
		{ 405, "bad-method", "This address does not take this method; Allow says which." },
		{ 413, "too-large", "The body is larger than admin.api_max_bytes allows." },
		{ 503, "unavailable", "This is not available right now; try again." },
		{ 500, "internal", "Something went wrong on our side; the number of the request finds it in the log." },
	};
	size_t i = 0;
	struct gh_err err;

	while (i + 1 < ARRAY_LEN(known) && known[i].status != status)
		i++;
	if (answer_problem(w, status, known[i].reason, str_of(explain ? explain : known[i].detail), NULL, &err).code) {
		buf_clear(&w->rs.body);
		w->rs.status = 500;
	}
}

static json_t *field_problems(const struct resource_change *c)
{
	const struct resource_problem *v;
	json_t *list = json_array();
	size_t n;

	v = resource_problems(c, &n);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s+%, s:s%}", "pointer", "#", v[i].pointer.p, v[i].pointer.n, "detail", v[i].message.p,
						      v[i].message.n));
	return list;
}

gh_rc rest_refused(struct rest *r, gh_rc rc, const struct gh_err *why, const struct resource_change *change, struct gh_err *err)
{
	bool fields = change && resource_problem_count(change);
	json_t *errors = fields ? field_problems(change) : NULL;

	switch (rc.code) {
	case GH_E_NOT_FOUND:
		return rest_problem(r, 404, "not-found", str_of(why->message), errors, err);
	case GH_E_DENIED:
		return rest_problem(r, 403, "forbidden", str_of(why->message), NULL, err);
	case GH_E_CONFLICT:
		return rest_problem(r, 409, "conflict", str_of(why->message), errors, err);
	case GH_E_INVALID:
	case GH_E_SYNTAX:
	case GH_E_LIMIT:
		return rest_problem(r, fields ? 422 : 400, fields ? "invalid" : "bad-request",
				    fields ? STR("Some values cannot be used; errors names them.") : str_of(why->message), errors, err);
	case GH_E_BUSY:
		web_header(r->w, "Retry-After", STR("1"));
		return rest_problem(r, 503, "busy", STR("Somebody else is writing; try again."), errors, err);
	default:
		json_decref(errors);
		if (err)
			*err = *why;
		return rc;
	}
}

/* ---- who asks ---------------------------------------------------------------------------------------------------------- */

static GH_RC by_machine(struct rest *r, struct str token, struct gh_err *err)
{
	struct store *s = r->w->site->store;
	struct store_machine_token t;
	bool found;

	TRY(store_machine_token_of(s, r->w->a, token, &t, &found, err));
	if (!found)
		return GH_RC_OK;
	r->who = (struct rest_caller){ .actor = arena_printf(r->w->a, "token:%.*s", STR_ARG(t.id)), .role = t.role, .scopes = t.scopes,
				       .known = true };
	r->w->user = (struct store_user){ .role = t.role };      /* whatever session the browser has besides */
	r->w->session = (struct store_session){ .id = STR_NULL };
	TRY(rights_of_place(s, r->w->a, t.role, t.environment_id, t.business_group_id, &r->who.rights, err));
	if (clock_wall_us() - t.used_us < USED_EVERY_US)
		return GH_RC_OK;
	TRY(store_tx_begin(s, r->who.actor, err));
	return store_tx_end(s, store_machine_token_used(s, t.id, err), err);
}

static GH_RC by_person(struct rest *r, struct str token, struct gh_err *err)
{
	struct web *w = r->w;
	bool found;

	TRY(web_token_user(w, token, &found, err));
	if (found)
		TRY(rights_of_user(w->site->store, w->a, w->user.id, w->user.role, &w->rights, err));
	if (found)
		r->who = (struct rest_caller){ .actor = web_actor(w), .role = w->user.role, .scopes = w->may_write ? STR("write") : STR("read"),
					       .rights = w->rights, .known = true };
	return GH_RC_OK;
}

static GH_RC identify(struct rest *r, struct gh_err *err)
{
	struct web *w = r->w;
	struct str field = w->rq.authorization, token;

	if (!field.n) {
		enum web_factor_state factor;

		TRY(web_factor_state(w, &factor, err));
		if (w->signed_in && factor == WEB_FACTOR_FINE)
			r->who = (struct rest_caller){ .actor = web_actor(w), .role = w->user.role, .scopes = STR("write"), .rights = w->rights,
						       .known = true };
		return GH_RC_OK;
	}
	if (!str_starts_ci(field, STR("Bearer ")))
		return GH_RC_OK;
	token = str_trim(str_from(field, 7));
	TRY(by_machine(r, token, err));
	return r->who.known ? GH_RC_OK : by_person(r, token, err);
}

static GH_RC refuse_stranger(struct rest *r, bool *in, struct gh_err *err)
{
	struct web *w = r->w;
	struct str field = w->rq.authorization;
	uint32_t wait = field.n ? web_brake(w, "api-token", w->rq.address) : 0;

	*in = false;
	if (wait) {
		(void)web_wait_text(w, wait);
		return rest_problem(r, 429, "too-many-tries", STR("There were too many tokens that are not known."), NULL, err);
	}
	if (field.n)
		web_brake_count(w, "api-token", w->rq.address);
	web_header(w, "WWW-Authenticate", field.n ? STR("Bearer realm=\"management\", error=\"invalid_token\"")
					    : STR("Bearer realm=\"management\""));
	return rest_problem(r, 401, field.n ? "token-invalid" : "sign-in-required",
			    field.n ? STR("The token is not known, has ended or was taken back.")
			    : STR("This needs a token: send it as Authorization: Bearer TOKEN."), NULL, err);
}

bool rest_may(const struct rest *r, enum web_right right)
{
	return right == WEB_SIGNED_IN || rights_anywhere(&r->who.rights, web_right_of(right));
}

static enum web_right right_of(const struct rest *r)
{
	return r->kind ? admin_right_of(r->kind, r->route->writes) : r->route->right;
}

/* What a scope must name to open it; STR_NULL: any scope does. */
static struct str scope_of(const struct rest *r)
{
	if (r->route->scope)
		return str_of(r->route->scope);
	if (r->route->describe == rest_describe_cache)
		return STR("cache-rules");
	if (r->route->describe == rest_describe_calls)
		return STR("analytics");
	if (r->route->about_all)         /* what tells of all of a kind: figures, or how the APIs hold to the rulesets */
		return r->route->right == WEB_VIEW_TRAFFIC ? STR("analytics") : STR("apis");
	return r->kind ? str_of(r->kind->plural) : STR_NULL;
}

gh_rc rest_allowed(struct rest *r, const char *kind, struct str id, bool *yes, struct gh_err *err)
{
	return resource_allowed(r->w->site->store, resource_kind_find(str_of(kind)), id, r->route->writes, yes, err);
}

/* What stands where the caller has no right to it is forbidden, also to be seen; what is not there is not. */
static GH_RC sees(struct rest *r, bool *yes, struct gh_err *err)
{
	struct store *s = r->w->site->store;

	*yes = true;
	if (r->route->thing)
		return rest_allowed(r, r->route->thing, r->args[0], yes, err);
	if (r->kind && r->id.n)
		TRY(resource_allowed(s, r->kind, r->id, r->route->writes, yes, err));
	if (*yes || resource_id_names_place(r->kind))
		return GH_RC_OK;
	store_viewer_set(s, NULL);
	TRY(resource_exists(s, r->kind, r->id, yes, err));
	store_viewer_set(s, &r->who.rights);
	*yes = !*yes;
	return GH_RC_OK;
}

/* *in false: the answer stands. */
static GH_RC admit(struct rest *r, bool *in, struct gh_err *err)
{
	struct web *w = r->w;

	*in = true;
	if (r->route->right == WEB_ANYBODY)
		return GH_RC_OK;
	TRY(identify(r, err));
	if (!r->who.known)
		return refuse_stranger(r, in, err);
	r->who.rights.scopes = r->who.scopes;
	store_viewer_set(w->site->store, &r->who.rights);
	w->rights = r->who.rights;               /* what pages and their deeds ask, they are told of whoever asks here */
	w->actor = r->who.actor;
	w->signed_in = true;
	*in = false;
	if (!rest_may(r, WEB_VIEW_APIS) || !rest_may(r, right_of(r)))
		return rest_problem(r, 403, "forbidden", arena_printf(w->a, "The role %.*s may not do this.", STR_ARG(r->who.role)), NULL, err);
	if (r->route->about_all && !rights_everywhere(&r->who.rights, web_right_of(r->route->right)))
		return rest_problem(r, 403, "forbidden", STR("This tells of every environment; your role counts in some only."), NULL, err);
	if (!store_scopes_allow(r->who.scopes, r->route->writes, scope_of(r)) && (scope_of(r).p || r->route->writes)) {
		web_header(w, "WWW-Authenticate", STR("Bearer realm=\"management\", error=\"insufficient_scope\""));
		return rest_problem(r, 403, "scope-missing", r->route->writes ? STR("The token may not write this.")
				    : STR("The token may not read this."), NULL, err);
	}
	if (r->route->writes && !w->rq.authorization.n && !web_csrf_matches(w, w->rq.csrf))
		return rest_problem(r, 403, "csrf-token", STR("Send the form token of the session as X-CSRF-Token, or use a token."), NULL, err);
	TRY(sees(r, in, err));
	return *in ? GH_RC_OK : rest_problem(r, 403, "forbidden", STR("You have no right to where this belongs."), NULL, err);
}

/* ---- routes ------------------------------------------------------------------------------------------------------------ */

bool rest_is_of_kind(const struct rest_route *route)
{
	return strncmp(route->pattern, "/{kind}", 7) == 0;
}

bool rest_serves(const struct rest_route *route, const struct resource_kind *k)
{
	return !k || !k->single || (strcmp(route->method, "POST") != 0 && strcmp(route->method, "DELETE") != 0);
}

/* Whether the pattern fits; kind and id of it, or what its {…} matched. */
static bool fits(const struct rest_route *route, struct str path, const struct resource_kind **kind, struct str *id, struct str args[4])
{
	size_t slash = str_find_char(path, '/');
	struct str first = str_first(path, slash), rest = slash == SIZE_MAX ? STR_NULL : str_from(path, slash + 1);

	*kind = NULL;
	*id = STR_NULL;
	if (!rest_is_of_kind(route))
		return web_match(route->pattern + 1, path, args);
	*kind = resource_kind_find(first);
	if (!*kind || !str_eq(first, str_of((*kind)->plural)) || !rest_serves(route, *kind))
		return false;
	*id = rest;
	return route->pattern[7] ? rest.n > 0 : !rest.p;
}

static GH_RC no_route(struct rest *r, struct str allow, struct gh_err *err)
{
	if (!allow.n)
		return rest_problem(r, 404, "not-found", STR("There is nothing at this address; see openapi.json."), NULL, err);
	web_header(r->w, "Allow", allow);
	return rest_problem(r, 405, "bad-method", STR("This address does not take this method; Allow says which."), NULL, err);
}

/* Besides JSON: what the answer may be too. */
static struct str other_type(const struct rest *r)
{
	if (r->route->run == rest_analytics && str_eq(web_param(&r->w->rq.query, "format"), STR("csv")))
		return STR("text/csv");
	return r->route->other_type ? str_of(r->route->other_type) : STR_NULL;
}

static bool takes_answer(struct str accept, struct str other)
{
	size_t slash = str_find_char(other, '/');
	struct str part;

	if (!accept.n)
		return true;
	while (str_split(&accept, ',', &part)) {
		struct str type = str_trim(str_first(part, str_find_char(part, ';')));

		if (str_eq(type, STR("*/*")) || str_eq_ci(type, STR("application/*")) || str_ends(type, STR("json")))
			return true;
		if (other.n && (str_eq_ci(type, other) || (str_ends(type, STR("/*")) && str_starts_ci(type, str_first(other, slash + 1)))))
			return true;
	}
	return false;
}

/* A trial that is misspelt would be the real thing. */
static GH_RC check_dry_run(struct rest *r, bool *ok, struct gh_err *err)
{
	static const char *const known[] = { "dry-run", NULL };
	const struct web_param *given = web_param_find(&r->w->rq.query, "dry-run");

	TRY(rest_known(r, known, ok, err));
	if (!*ok || !given || str_eq(given->value, STR("true")) || str_eq(given->value, STR("false")))
		return GH_RC_OK;
	*ok = false;
	return rest_problem(r, 400, "bad-request", STR("dry-run is true or false."), NULL, err);
}

gh_rc admin_rest(struct web *w, struct gh_err *err)
{
	struct str method = str_eq(w->rq.method, STR("HEAD")) ? STR("GET") : w->rq.method, allow = STR("");
	struct rest r = { .w = w, .dry_run = str_eq(web_param(&w->rq.query, "dry-run"), STR("true")) };
	bool in, ours = false;           /* ours: the path is one of no kind */

	web_header(w, "Cache-Control", STR("no-store"));
	for (const struct rest_route *route = rest_routes; route->method && !r.route; route++) {
		const struct resource_kind *kind;
		struct str id, args[4] = { STR_NULL };

		if (rest_is_of_kind(route) && ours)
			break;
		if (!fits(route, w->rq.args[0], &kind, &id, args))
			continue;
		ours = !kind;
		allow = arena_printf(w->a, "%.*s%s%s%s", STR_ARG(allow), allow.n ? ", " : "", route->method,
				     strcmp(route->method, "GET") == 0 ? ", HEAD" : "");
		if (!str_eq(method, str_of(route->method)))
			continue;
		r.route = route;
		r.kind = kind;
		r.id = id;
		memcpy(r.args, args, sizeof(r.args));
	}
	if (!r.route)
		return no_route(&r, allow, err);
	if (!takes_answer(w->rq.accept, other_type(&r)))
		return rest_problem(&r, 406, "not-acceptable", STR("Answers are application/json; send Accept: application/json."), NULL, err);
	TRY(admit(&r, &in, err));
	if (in && r.route->writes)
		TRY(check_dry_run(&r, &in, err));
	return in ? r.route->run(&r, err) : GH_RC_OK;
}
