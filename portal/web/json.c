#include "portal/web/internal.h"

#include "core/log.h"
#include "core/str.h"

/* What programs get in place of pages: who they are (a bearer token, or the session of a browser with its form token in a
 * header field), bodies as JSON, and errors of the shape that the gateway has too:
 *
 *   {"statusCode": 422, "message": "…", "reason": "invalid", "requestId": "…", "fields": {"name": "…"}} */

enum { BODY_DEPTH = 16 };

static const struct reason {
	int status;
	const char *word, *message;
} reasons[] = {
	{ 400, "bad_request", "The request could not be read" },
	{ 401, "sign_in_required", "This needs a token: send it as Authorization: Bearer TOKEN" },
	{ 403, "forbidden", "You may not do this" },
	{ 404, "not_found", "There is nothing here" },
	{ 405, "bad_method", "This address does not take this method" },
	{ 409, "conflict", "This cannot be done in the present state" },
	{ 412, "changed_meanwhile", "Somebody changed it meanwhile: read it again" },
	{ 413, "body_too_large", "The request body is larger than the limit" },
	{ 415, "media_type", "Send the body as application/json" },
	{ 422, "invalid", "Some values cannot be used" },
	{ 429, "too_many_tries", "Wait a little before you try again" },
	{ 502, "upstream", "A service that is needed does not answer" },
	{ 503, "unavailable", "This is not available right now, try again" },
	{ 500, "internal", "Internal server error" },
};

bool web_is_rest(const struct web *w)
{
	return w->site->app->rest && str_starts(w->rq.path, str_of(w->site->app->rest));
}

bool web_is_json(const struct web *w)
{
	return w->site->app->json && str_starts(w->rq.path, str_of(w->site->app->json));
}

void web_json_error(struct web *w, int status, const char *reason, const char *message)
{
	const struct reason *r = reasons;
	struct gh_err err;
	json_t *v;

	while (r->status != status && r->status != 500)
		r++;
	v = jsn_keep(w->a, json_pack("{s:i, s:s, s:s, s:s%}", "statusCode", status, "message", message ? message : r->message, "reason",
				     reason ? reason : r->word, "requestId", w->rq.id.p ? w->rq.id.p : "", w->rq.id.n));
	if (v && w->fields)
		json_object_set(v, "fields", w->fields);
	if (v && !web_json(w, status, "application/json", v, &err).code)
		return;
	buf_clear(&w->rs.body);
	w->rs.status = 500;
	buf_fmt(&w->rs.body, "{\"statusCode\":500,\"message\":\"Internal server error\",\"reason\":\"internal\"}");
}

void web_json_field(struct web *w, const char *name, const char *message)
{
	if (!w->fields)
		w->fields = jsn_keep(w->a, json_object());
	if (w->fields)
		json_object_set_new(w->fields, name, json_string(message));
}

/* ---- who asks ------------------------------------------------------------------------------------------------------------ */

static void bad_token(struct web *w)
{
	uint32_t wait = web_brake(w, "api-token", w->rq.address);

	if (wait) {
		(void)web_wait_text(w, wait);
		web_json_error(w, 429, NULL, NULL);
		return;
	}
	web_brake_count(w, "api-token", w->rq.address);
	web_header(w, "WWW-Authenticate", STR("Bearer realm=\"portal\", error=\"invalid_token\""));
	web_json_error(w, 401, "token_invalid", "The token is not known, has ended or was taken back");
}

/* A token speaks for its person, whatever session the browser has besides. */
static bool take_token(struct web *w)
{
	struct str field = w->rq.authorization;
	struct gh_err err;
	bool found = false;
	gh_rc rc;

	w->signed_in = false;
	w->by_token = true;
	w->csrf = STR_NULL;
	w->user = (struct store_user){ .role = STR_NULL };
	w->session = (struct store_session){ .id = STR_NULL };
	if (!str_starts_ci(field, STR("Bearer "))) {
		bad_token(w);
		return false;
	}
	rc = w->site->app->token(w, str_trim(str_from(field, 7)), &found, &err);
	if (rc.code) {
		log_error("token", KV_STR("request_id", w->rq.id), KV_CSTR("reason", err.message));
		web_json_error(w, 503, NULL, NULL);
		return false;
	}
	if (!found)
		bad_token(w);
	w->signed_in = found;
	return found;
}

bool web_json_admit(struct web *w)
{
	bool reads = strcmp(w->route->method, "GET") == 0;

	if (w->rq.authorization.n && !take_token(w))
		return false;
	if (!web_role_may(w->signed_in ? w->user.role : STR_NULL, w->route->right)) {
		if (!w->signed_in)
			web_header(w, "WWW-Authenticate", STR("Bearer realm=\"portal\""));
		web_json_error(w, w->signed_in ? 403 : 401, NULL, NULL);
		return false;
	}
	if (w->by_token && w->route->right == WEB_OWN_ACCOUNT && !w->may_manage) {
		web_header(w, "WWW-Authenticate", STR("Bearer realm=\"portal\", error=\"insufficient_scope\", scope=\"account\""));
		web_json_error(w, 403, "scope_missing", "This needs a token with the scope account");
		return false;
	}
	if (reads)
		return true;
	if (w->by_token && !w->may_write) {
		web_header(w, "WWW-Authenticate", STR("Bearer realm=\"portal\", error=\"insufficient_scope\", scope=\"write\""));
		web_json_error(w, 403, "scope_missing", "This token may only read: make one that may write");
		return false;
	}
	if (!w->by_token && !web_csrf_matches(w, w->rq.csrf)) {
		web_json_error(w, 403, "csrf_token", "Send the csrfToken of the account as X-CSRF-Token, or use a token");
		return false;
	}
	return true;
}

bool web_tag_listed(struct str field, struct str tag)
{
	struct str one;

	while (field.n && str_split(&field, ',', &one))
		if (str_eq(str_trim(one), STR("*")) || str_eq(str_trim(one), tag))
			return true;
	return false;
}

/* ---- bodies ---------------------------------------------------------------------------------------------------------------- */

gh_rc web_json_body(struct web *w, json_t **out, struct gh_err *err)
{
	const struct jsn_limits limits = { .max_depth = BODY_DEPTH, .flags = JSN_UNIQUE_KEYS };
	struct text_where where;
	struct gh_err why;
	gh_rc rc;

	*out = NULL;
	if (!w->rq.body.n) {
		*out = jsn_keep(w->a, json_object());
		if (!*out)
			FAIL(err, NOMEM, "body");
		return GH_RC_OK;
	}
	if (!str_starts_ci(w->rq.media_type, STR("application/json"))) {
		web_json_error(w, 415, NULL, NULL);
		return GH_RC_OK;
	}
	rc = jsn_parse_in(w->a, w->rq.body, &limits, out, &where, &why);
	if (rc.code == GH_E_NOMEM)
		FAIL(err, NOMEM, "body");
	if (rc.code || !json_is_object(*out)) {
		*out = NULL;
		web_json_error(w, 400, NULL, rc.code ? arena_printf(w->a, "The body is no JSON: line %u, column %u: %s", where.line, where.column,
								    why.message).p : "The body is no JSON object");
	}
	return GH_RC_OK;
}

/* "credential/response/clientDataJSON" leads into objects. */
static const json_t *member(const json_t *body, const char *name)
{
	struct str rest = str_of(name), one;

	while (body && str_split(&rest, '/', &one))
		body = json_is_object(body) ? json_object_getn(body, one.p, one.n) : NULL;
	return body;
}

gh_rc web_json_form(struct web *w, const struct web_json_member *members, bool *ok, struct gh_err *err)
{
	json_t *body;

	*ok = false;
	w->members = members;
	TRY(web_json_body(w, &body, err));
	if (!body)
		return GH_RC_OK;
	for (const struct web_json_member *m = members; m->name; m++) {
		const json_t *v = member(body, m->name);

		if (json_is_string(v))
			TRY(web_params_add(&w->rq.form, w->a, str_of(m->field), jsn_string(v), err));
		else if (json_is_true(v))
			TRY(web_params_add(&w->rq.form, w->a, str_of(m->field), STR("yes"), err));
		else if (v && !json_is_null(v) && !json_is_false(v))
			web_json_field(w, m->name, "This is no text");
	}
	*ok = !w->fields;
	if (w->fields)
		web_json_error(w, 422, NULL, NULL);
	return GH_RC_OK;
}
