/* rest.h - the management API at /admin/api/v1/. One table of routes (rest.c); the resources behind it are those of
 * config/resource.h, so that a call, a form and a file are the same thing. The OpenAPI document is made from both tables
 * (rest_document.c). Errors are problem details (RFC 9457).
 *
 * Who asks is a personal token, a machine token, or a signed-in browser that sends its form token (X-CSRF-Token). What they may
 * says the one table of rights (portal/web/route.c); a machine token's scopes narrow that of its role. */
#pragma once

#include "config/resource.h"
#include "portal/web/web.h"

#define REST_PATH "/api/v1/"

enum { REST_DEPTH = 64, REST_KEY_MAX = 255 };

/* Who asks. */
struct rest_caller {
	struct str actor;                /* for the audit trail: "user:ann@example.com", "token:pipeline" */
	struct str role;
	struct rights rights;            /* what the role and the assignments allow, and where */
	struct str scopes;               /* of a machine token; "read" or "write" of a personal one */
	bool known;
};

/* One request of the API. */
struct rest {
	struct web *w;
	struct rest_caller who;
	const struct rest_route *route;
	const struct resource_kind *kind;        /* of {kind} in the pattern */
	struct str id;                   /* of {id} */
	struct str args[4];              /* of a pattern that is of no kind: what its {…} matched, in order */
	bool dry_run;
	void *ctx;                       /* of a handler, for its rest_work */
};

typedef gh_rc rest_handler(struct rest *r, struct gh_err *err);

struct rest_route {
	/* "/{kind}", "/{kind}/{id}", "/me", "/calls/{call}". One that begins with a kind's plural is taken before the resource of that
	 * id: "/apis/{api}/archive". */
	const char *method, *pattern;
	enum web_right right;            /* WEB_SIGNED_IN with {kind}: that of the kind */
	bool writes;
	rest_handler *run;
	/* The OpenAPI operation (a new reference); kind is NULL without {kind}. */
	json_t *(*describe)(const struct rest_route *route, const struct resource_kind *kind);
	bool about_all;                  /* tells of every environment: takes the right everywhere */
	const char *scope;               /* of no kind: what a token's scope must name ("policies"); NULL: any does to read */
	const char *thing;               /* of no kind: name of the kind whose id is the first {…}; it takes the right where that belongs */
	const char *other_type;          /* the answer is this and no JSON ("application/zip"); refusals are problems all the same */
};
/* Of a kind of which there is one, nothing is made or removed. */
bool rest_serves(const struct rest_route *route, const struct resource_kind *k);
bool rest_is_of_kind(const struct rest_route *route);
extern const struct rest_route rest_routes[];            /* ends with a NULL method */

web_handler admin_rest;
/* Whether the caller has the right somewhere. */
bool rest_may(const struct rest *r, enum web_right right);
/* Whether the route's caller may see, or of a writing route change, the resource of that kind and id where it belongs. */
GH_RC rest_allowed(struct rest *r, const char *kind, struct str id, bool *yes, struct gh_err *err);
/* The right to see or to change resources of the kind. */
enum web_right admin_right_of(const struct resource_kind *k, bool write);
/* An answer in place of one of ours that failed before or outside a handler: struct web_app.rest_error. */
void admin_rest_error(struct web *w, int status, const char *explain);

/* ---- for handlers ------------------------------------------------------------------------------------------------------ */

/* Problem details. `reason` is a word that programs compare ("stale"); errors (taken over, may be NULL) an array of
 * {"pointer", "detail"}. */
GH_RC rest_problem(struct rest *r, int status, const char *reason, struct str detail, json_t *errors, struct gh_err *err);
/* What failed in config/ or db/ as a problem; our own failures stay errors. `change` (may be NULL) has the problems of fields. */
GH_RC rest_refused(struct rest *r, gh_rc rc, const struct gh_err *why, const struct resource_change *change, struct gh_err *err);
/* The body as JSON; *out NULL: refused, the answer stands. */
GH_RC rest_body(struct rest *r, bool patch, json_t **out, struct gh_err *err);
/* Whether an If-Match or If-None-Match field names the tag ("*" names each). */
bool rest_tag_matches(struct str field, struct str tag);

/* Whoever replaces or removes says what he has seen (If-Match), `needed`: must; *go false: the answer stands. Inside the change. */
GH_RC rest_match(struct rest *r, const struct resource_kind *k, struct str id, bool needed, bool *go, struct gh_err *err);
/* The end of every write: commits the change `c`, or undoes it when `rc` is a failure of ours, when the answer that stands refuses
 * (`refused`), and for a dry run. What the commit refuses becomes a problem. `c` is over afterwards. */
GH_RC rest_end(struct rest *r, struct resource_change *c, gh_rc rc, bool refused, struct gh_err *err);

/* ---- the OpenAPI operation of a route that is no kind -------------------------------------------------------------------- */

/* Schemas and parameters are JSON with ' in place of ". */
struct rest_about {
	rest_handler *run;
	const char *operation, *summary, *description;   /* "listPolicyVersions"; the last may be NULL */
	const char *tag;
	const char *query;               /* array of {'name', 'description', 'schema'} with 'required' where it is; NULL: none */
	const char *body;                /* schema of the body; NULL: it has none */
	const char *answer;              /* schema of the answer */
	const char *refusals;            /* "400 404": besides 401, 403, 406 and, of a write, what each may be answered */
	const char *media_type;          /* of the answer; NULL: JSON */
	bool takes_match;                /* If-Match is heeded */
};
json_t *rest_write_parameters(void);     /* those of each write */
/* The row of the route in a table that ends with a NULL run, as an OpenAPI operation. */
json_t *rest_operation(const struct rest_route *route, const struct rest_about *table);

/* ---- a request that comes twice (Idempotency-Key) ----------------------------------------------------------------------- */

/* Inside the change: *given false: it is new, or carries no key; else the answer stands already. */
GH_RC rest_again(struct rest *r, bool *given, struct gh_err *err);
/* Keeps the answer that stands in w->rs, in the transaction of the change. */
GH_RC rest_remember(struct rest *r, struct gh_err *err);

/* ---- handlers and their descriptions ------------------------------------------------------------------------------------ */

rest_handler rest_list, rest_create, rest_get, rest_put, rest_patch, rest_delete, rest_me, rest_openapi, rest_plan, rest_apply, rest_export, rest_promote,
	rest_governance, rest_analytics, rest_cache, rest_cache_purge, rest_calls, rest_call, rest_audit, rest_audit_export, rest_audit_chain;
rest_handler rest_captures, rest_capture_start, rest_capture, rest_capture_stop, rest_captured_call, rest_live, rest_live_events, rest_alerts, rest_alert,
	rest_alert_events, rest_alert_deliveries, rest_alert_delivery_again, rest_mails, rest_mail_again, rest_backend_state, rest_traffic_state,
	rest_credential_states, rest_credential_forget, rest_credential_rotate, rest_credential_remind, rest_credential_consent;
rest_handler rest_person, rest_person_act, rest_bulk;
rest_handler rest_policy_versions, rest_policy_version, rest_policy_restore, rest_policy_check, rest_policy_trial, rest_effective_policy,
	rest_policy_catalogue, rest_policy_snippets;
rest_handler rest_import, rest_archive, rest_current_revision, rest_request, rest_request_decide, rest_new_key;
/* The first kind of the files that the caller may not touch; NULL: none. */
struct files_set;
bool rest_blind_to_alerts(const struct rest *r);         /* for struct plan_options */
const struct resource_kind *rest_forbidden(const struct rest *r, const struct files_set *set, bool write);
/* The problems of the set as those of the member that it came from ("#/files"). */
GH_RC rest_files_problems(struct rest *r, const struct files_set *set, const char *pointer, struct gh_err *err);
json_t *rest_promote_schema(void);
json_t *rest_describe(const struct rest_route *route, const struct resource_kind *kind);
json_t *rest_describe_governance(const struct rest_route *route, const struct resource_kind *kind);
json_t *rest_describe_analytics(const struct rest_route *route, const struct resource_kind *kind);
json_t *rest_describe_calls(const struct rest_route *route, const struct resource_kind *kind);
json_t *rest_describe_captures(const struct rest_route *route, const struct resource_kind *kind);
json_t *rest_describe_alerts(const struct rest_route *route, const struct resource_kind *kind);
json_t *rest_describe_live(const struct rest_route *route, const struct resource_kind *kind);
json_t *rest_describe_states(const struct rest_route *route, const struct resource_kind *kind);
json_t *rest_describe_credentials(const struct rest_route *route, const struct resource_kind *kind);
json_t *rest_describe_people(const struct rest_route *route, const struct resource_kind *kind);
json_t *rest_describe_audit(const struct rest_route *route, const struct resource_kind *kind);
json_t *rest_describe_cache(const struct rest_route *route, const struct resource_kind *kind);
json_t *rest_describe_import(const struct rest_route *route, const struct resource_kind *kind);
json_t *rest_describe_life(const struct rest_route *route, const struct resource_kind *kind);
json_t *rest_describe_policy(const struct rest_route *route, const struct resource_kind *kind);
json_t *rest_describe_files(const struct rest_route *route, const struct resource_kind *kind);
json_t *rest_describe_export(const struct rest_route *route, const struct resource_kind *kind);
/* The document as it is served. NULL when out of memory. */
json_t *rest_document(struct arena *a, struct str server);
