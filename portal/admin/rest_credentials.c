/* rest_credentials.c - what the page of credentials shows besides the credentials themselves, which are resources: who consented, the
 * tokens that are held, who replaces secrets and when; and what its buttons do. No secret and no token is read. */
#include "portal/admin/rest_deed.h"

#include "core/clock.h"
#include "core/str.h"
#include "core/tokens.h"
#include "db/credentials.h"
#include "db/rotation.h"
#include "portal/admin/admin.h"
#include "portal/admin/consent.h"

/* ---- what is known ------------------------------------------------------------------------------------------------------------ */

struct held {
	struct tokens_row *v;
	size_t n;
};

static GH_RC read_tokens(struct web *w, struct held *out, struct gh_err *err)
{
	struct tokens *t;
	gh_rc rc = GH_RC_OK;

	*out = (struct held){ .n = 0 };
	TRY(admin_open_tokens(w, &t, err));
	if (t)
		rc = tokens_list(t, w->a, clock_wall_us(), &out->v, &out->n, err);
	tokens_close(t);
	return rc;
}

static json_t *tokens_json(const struct held *held, const struct store_credential *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < held->n; i++) {
		const struct tokens_row *t = &held->v[i];

		if (str_eq(t->environment, c->environment_id) && str_eq(t->credential, c->id))
			json_array_append_new(list, json_pack("{s:o, s:b, s:o, s:o, s:o, s:I, s:o}", "caller", rest_text(t->subject), "live", t->live, "issued",
							      rest_time(t->issued_us, 0), "expires", rest_time(t->expires_us, 0), "used", rest_time(t->used_us, 0),
							      "uses", (json_int_t)t->uses, "failure", rest_text(t->failure)));
	}
	return list;
}

static json_t *state_json(const struct store_credential *c, const struct store_credential_grant *grants, size_t n_grants,
			  const struct rotation_view *r, const struct held *held)
{
	const struct store_credential_grant *g = NULL;
	enum credential_kind kind = CREDENTIAL_CLIENT;
	bool known = credential_kind_of(c->kind, &kind);

	for (size_t i = 0; i < n_grants && !g; i++)
		if (str_eq(grants[i].environment_id, c->environment_id) && str_eq(grants[i].credential_id, c->id))
			g = &grants[i];
	return json_pack("{s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "environment", rest_text(c->environment_id), "id",
			 rest_text(c->id), "kind", rest_text(c->kind), "consent", known && kind == CREDENTIAL_CODE, "connected", g != NULL, "connectedBy",
			 g ? rest_text(g->granted_by) : json_null(), "connectedAt", rest_time(g ? g->granted_us : 0, 0), "replacedBy",
			 rest_text(str_of(r->maker)), "replaced", rest_time(r->replaced_us, 0), "next", rest_time(r->next_us, 0), "rotationWanted", r->wanted,
			 "rotationProblem", rest_text(r->problem), "rotateBy", rest_time(r->by_us, 0), "tokens", tokens_json(held, c));
}

gh_rc rest_credential_states(struct rest *r, struct gh_err *err)
{
	static const char *const none[] = { NULL };
	struct web *w = r->w;
	json_t *items = json_array();
	struct store_credential_grant *grants;
	struct store_credential *v;
	struct rotation_view *views;
	struct held held;
	size_t n, n_grants;
	bool ok;

	if (!jsn_keep(w->a, items))
		FAIL(err, NOMEM, "credentials");
	TRY(rest_known(r, none, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(store_credentials(w->site->store, w->a, false, &v, &n, err));
	n = admin_credentials_seen(w, v, n);
	TRY(store_credential_grants(w->site->store, w->a, false, &grants, &n_grants, err));
	views = arena_alloc(w->a, n + 1, sizeof(*views));
	if (!views)
		FAIL(err, NOMEM, "credentials");
	TRY(admin_rotations(w, v, n, views, err));
	TRY(read_tokens(w, &held, err));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(items, state_json(&v[i], grants, n_grants, &views[i], &held));
	return rest_window_answer(r, items, 0, err);
}

/* ---- deeds -------------------------------------------------------------------------------------------------------------------- */

/* The right counts where the credential stands. */
static GH_RC find(struct rest *r, struct store_credential *out, struct gh_err *err)
{
	bool found;

	if (!web_may_in(r->w, WEB_CHANGE_CREDENTIALS, r->args[0]))
		FAIL(err, DENIED, "You may not change credentials of this environment.");
	TRY(store_credential_find(r->w->site->store, r->w->a, r->args[0], r->args[1], false, out, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "There is no credential '%.*s/%.*s'.", STR_ARG(str_first(r->args[0], 100)), STR_ARG(str_first(r->args[1], 100)));
	return GH_RC_OK;
}

static GH_RC forget(struct rest *r, struct resource_change *c, const json_t *body, json_t **answer, struct gh_err *err)
{
	static const struct rest_member none[] = { { NULL } };
	struct store_credential v;
	size_t n;

	if (!rest_take(c, body, none, NULL))
		return GH_RC_OK;
	TRY(find(r, &v, err));
	TRY(admin_forget(r->w, v.environment_id, v.id, r->dry_run, &n, err));
	*answer = json_pack("{s:I}", "forgotten", (json_int_t)n);
	return GH_RC_OK;
}

gh_rc rest_credential_forget(struct rest *r, struct gh_err *err)
{
	return rest_deed(r, forget, err);
}

static GH_RC rotate(struct rest *r, struct resource_change *c, const json_t *body, json_t **answer UNUSED, struct gh_err *err)
{
	static const struct rest_member none[] = { { NULL } };
	struct store_credential v;
	struct gh_err why = { .message = "" };
	gh_rc rc;

	if (!rest_take(c, body, none, NULL))
		return GH_RC_OK;
	TRY(find(r, &v, err));
	rc = store_rotation_want(r->w->site->store, r->w->a, v.environment_id, v.id, &why);
	if (rc.code == GH_E_INVALID)
		FAIL(err, CONFLICT, "Nothing replaces the secret by itself: set how in the credential, or a date by /remind.");
	if (rc.code && err)
		*err = why;
	return rc;
}

gh_rc rest_credential_rotate(struct rest *r, struct gh_err *err)
{
	return rest_deed(r, rotate, err);
}

static GH_RC remind(struct rest *r, struct resource_change *c, const json_t *body, json_t **answer, struct gh_err *err)
{
	static const struct rest_member members[] = { { "by", REST_TEXT, .at = 0, .least = 1, .most = 40 }, { NULL } };
	struct str by = STR("");
	struct store_credential v;
	int64_t us = 0;

	if (!jsn_get(body, "by"))        /* null is said: a body that was forgotten takes nothing away */
		resource_problem(c, NULL, STR_NULL, STR("/by"), "is required: a day, 2027-01-31, or null to take the reminder away");
	if (!rest_take(c, body, members, &by))
		return GH_RC_OK;
	TRY(find(r, &v, err));
	if (by.n && !clock_parse_date(by, &us)) {
		resource_problem(c, NULL, STR_NULL, STR("/by"), "is no day: write it as 2027-01-31, or null to take the reminder away");
		return GH_RC_OK;
	}
	TRY(admin_remind(r->w, c, v.environment_id, v.id, us, err));
	*answer = json_pack("{s:o}", "rotateBy", rest_time(us, 0));
	return GH_RC_OK;
}

gh_rc rest_credential_remind(struct rest *r, struct gh_err *err)
{
	return rest_deed(r, remind, err);
}

/* A person consents, in a browser and signed in at the provider: no token can. It begins on the page, whose link is bound to a session. */
gh_rc rest_credential_consent(struct rest *r, struct gh_err *err)
{
	struct web *w = r->w;
	struct store_credential_grant *grants;
	struct store_credential v;
	struct gh_err why = { .message = "" };
	struct str host;
	bool connected = false;
	json_t *answer;
	size_t n;
	gh_rc rc = find(r, &v, &why);

	if (!rc.code && !str_eq(v.kind, STR("authorization-code")))
		rc = gh_err_set(&why, GH_E_CONFLICT, __FILE__, __LINE__, "This kind of credential needs no consent.");
	if (rc.code)
		return rest_refused(r, rc, &why, NULL, err);
	TRY(store_credential_grants(w->site->store, w->a, false, &grants, &n, err));
	for (size_t i = 0; i < n; i++)
		connected = connected || (str_eq(grants[i].environment_id, v.environment_id) && str_eq(grants[i].credential_id, v.id));
	TRY(web_public_address(w, &host, err));
	answer = jsn_keep(w->a, json_pack("{s:b, s:o}", "connected", connected, "address",
					  rest_text(arena_printf(w->a, "%.*s%.*scredentials", STR_ARG(host), STR_ARG(w->site->base)))));
	if (!answer)
		FAIL(err, NOMEM, "consent");
	return web_json(w, 200, "application/json", answer, err);
}

/* ---- in the OpenAPI document ---------------------------------------------------------------------------------------------- */

#define OR_NULL "{'type': ['string', 'null']}"
#define STATE "{'type': 'object', 'required': ['environment', 'id', 'kind', 'consent', 'connected', 'rotationWanted', 'tokens'], 'properties': {"           \
	"'environment': {'type': 'string'}, 'id': {'type': 'string'}, 'kind': {'type': 'string'},"                                                         \
	"'consent': {'type': 'boolean', 'description': 'A person consents to it'}, 'connected': {'type': 'boolean'}, 'connectedBy': " OR_NULL ","           \
	"'connectedAt': " OR_NULL ", 'replacedBy': {'type': ['string', 'null'], 'description': 'Who replaces the secret; null: a person'},"                \
	"'replaced': " OR_NULL ", 'next': " OR_NULL ", 'rotationWanted': {'type': 'boolean'}, 'rotationProblem': " OR_NULL ", 'rotateBy': " OR_NULL ","     \
	"'tokens': {'type': 'array', 'description': 'Held on this machine', 'items': {'type': 'object', 'required': ['caller', 'live', 'uses'],"           \
	"'properties': {'caller': {'type': ['string', 'null'], 'description': 'null: for everybody'}, 'live': {'type': 'boolean'}, 'issued': " OR_NULL ","  \
	"'expires': " OR_NULL ", 'used': " OR_NULL ", 'uses': {'type': 'integer'}, 'failure': " OR_NULL "}}}}}"

json_t *rest_describe_credentials(const struct rest_route *route, const struct resource_kind *kind UNUSED)
{
	static const struct rest_about table[] = {
		{ .run = rest_credential_states, .operation = "listCredentialStates", .summary = "Consents, tokens and new secrets of credentials", .tag = "credentials",
		  .answer = REST_LIST_OF(STATE), .refusals = "400" },
		{ .run = rest_credential_consent, .operation = "getCredentialConsent", .summary = "Where a person consents", .tag = "credentials",
		  .description = "A person opens the address in a browser, signs in and chooses Connect: the consent is bound to that session.",
		  .answer = "{'type': 'object', 'required': ['connected', 'address'], 'properties': {'connected': {'type': 'boolean'}, 'address': {'type': 'string'}}}",
		  .refusals = "404 409" },
		{ .run = rest_credential_forget, .operation = "forgetCredentialTokens", .summary = "Forget the tokens that are held", .tag = "credentials",
		  .description = "The next call asks for a new one. A dry run counts them.",
		  .answer = "{'type': 'object', 'required': ['forgotten'], 'properties': {'forgotten': {'type': 'integer'}}}", .refusals = "404" },
		{ .run = rest_credential_rotate, .operation = "rotateCredential", .summary = "Ask for a new secret now", .tag = "credentials",
		  .description = "The keeper does it; the old one goes on until the new one has worked. 409 when nothing replaces it by itself.",
		  .answer = "{'type': 'object', 'additionalProperties': false}", .refusals = "404" },
		{ .run = rest_credential_remind, .operation = "remindCredential", .summary = "A date by which a person replaces the secret", .tag = "credentials",
		  .body = "{'type': 'object', 'additionalProperties': false, 'required': ['by'], 'properties': {'by': {'type': ['string', 'null'],"
		  "'description': '2027-01-31; null takes the reminder away'}}}", .answer = "{'type': 'object', 'required': ['rotateBy'], 'properties': {'rotateBy': " OR_NULL "}}",
		  .refusals = "404" },
		{ .run = NULL },
	};

	return rest_operation(route, table);
}
