#include "portal/web/internal.h"

#include "core/log.h"
#include "core/str.h"

/* What every request goes through: route, right, form token, handler, and the page that a failure is shown as. */

static const struct {
	const char *name, *value;
} security_headers[] = {                     /* the policy on content is the first */
	{ "Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
				     "object-src 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	{ "Referrer-Policy", "same-origin" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Permissions-Policy", "camera=(), geolocation=(), microphone=()" },
};

void web_header(struct web *w, const char *name, struct str value)
{
	if (w->rs.n_headers == WEB_HEADERS_MAX || str_is_null(value))
		return;
	for (size_t i = 0; i < value.n; i++)             /* a value made of input must not begin another line */
		if ((unsigned char)value.p[i] < ' ')
			return;
	w->rs.headers[w->rs.n_headers].name = name;
	w->rs.headers[w->rs.n_headers++].value = value;
}

void web_content_policy(struct web *w, struct str policy)
{
	for (size_t i = 0; i < w->rs.n_headers; i++)
		if (strcmp(w->rs.headers[i].name, security_headers[0].name) == 0)
			w->rs.headers[i].value = policy;
}

gh_rc web_redirect(struct web *w, struct str path, struct gh_err *err)
{
	struct str to = arena_printf(w->a, "%.*s%.*s", STR_ARG(w->site->base), STR_ARG(path));

	if (!to.p)
		FAIL(err, NOMEM, "redirect");
	w->rs.status = 303;
	web_header(w, "Location", to);
	return GH_RC_OK;
}

/* ---- failures ------------------------------------------------------------------------------------------------------ */

static const struct error_text {
	int status;
	const char *title, *text;
} error_texts[] = {
	{ 400, "That request could not be read", "Something in the address or the form is malformed." },
	{ 403, "You may not see this page", "Your account does not have the right that this page needs." },
	{ 404, "There is nothing here", "The address may be mistyped, or what stood here was removed." },
	{ 409, "That did not work", "Something else was changed meanwhile." },
	{ 405, "That cannot be done here", "This address does not take this kind of request." },
	{ 413, "That is too large", "The form is larger than this server accepts." },
	{ 429, "Too many tries", "Wait a little before you try again." },
	{ 502, "The sign-in service does not answer", "Try again soon." },
	{ 503, "Not available right now", "The server cannot answer this at the moment. Try again soon." },
	{ 500, "Something went wrong on our side", "The failure has been recorded. If it stays, tell the people who run "
						   "this server the number below." },
};

static const struct error_text *error_text(int status)
{
	const struct error_text *t = error_texts;

	while (t->status != status && t->status != 500)
		t++;
	return t;
}

void web_error_page(struct web *w, int status, const char *explain)
{
	const struct error_text *t = error_text(status);
	struct liquid_record *page = liquid_record_new(w->a);
	struct gh_err err;

	if (web_is_rest(w)) {
		w->site->app->rest_error(w, status, explain);
		return;
	}
	if (web_is_json(w)) {
		web_json_error(w, status, NULL, explain);
		return;
	}
	buf_clear(&w->rs.body);
	w->rs.status = status;
	w->page = page;
	w->form = NULL;
	web_title(w, t->title);
	liquid_set_text(page, "text", web_text(w, str_of(explain ? explain : t->text)));
	liquid_set_int(page, "status", status);
	if (!web_page(w, "web/error", &err).code) {
		w->rs.status = status;
		return;
	}
	log_error("error page", KV_STR("request_id", w->rq.id), KV_CSTR("reason", err.message));
	buf_clear(&w->rs.body);
	w->rs.status = status;
	web_header(w, "Content-Type", STR("text/plain; charset=utf-8"));
	buf_fmt(&w->rs.body, "%s\nRequest %.*s\n", t->title, STR_ARG(w->rq.id));
}

static void failed(struct web *w, gh_rc rc, const struct gh_err *err)
{
	int status = gh_code_status(rc.code);
	bool ours = status >= 500;

	if (ours)
		log_error("request failed", KV_STR("request_id", w->rq.id), KV_STR("method", w->rq.method),
			  KV_STR("path", w->rq.path), KV_CSTR("reason", err->message));
	web_error_page(w, status, status == 400 || status == 413 ? err->message : NULL);
}

/* ---- who may ------------------------------------------------------------------------------------------------------- */

static struct str encoded(struct arena *a, struct str s)
{
	struct buf b;
	struct str out;

	buf_init(&b, s.n * 3);
	for (size_t i = 0; i < s.n; i++)
		if (ascii_is_alpha(s.p[i]) || ascii_is_digit(s.p[i]) || strchr("/-_.~", s.p[i]))
			buf_char(&b, s.p[i]);
		else
			buf_fmt(&b, "%%%02X", (unsigned char)s.p[i]);
	out = buf_ok(&b) ? arena_dup(a, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return out;
}

static void refuse(struct web *w)
{
	const char *sign_in = w->site->app->sign_in;
	bool can_return = str_eq(w->rq.method, STR("GET"));
	struct gh_err err;
	gh_rc rc;

	if (w->signed_in || !sign_in) {
		web_error_page(w, 403, NULL);
		return;
	}
	rc = web_redirect(w, arena_printf(w->a, "%s%s%.*s", sign_in + 1, can_return ? "?return=" : "",
					  STR_ARG(can_return ? encoded(w->a, w->rq.target) : STR(""))),
			  &err);
	if (rc.code)
		failed(w, rc, &err);
}

static void run_handler(struct web *w)
{
	struct gh_err err = { .message = "" };
	web_handler *before = w->site->app->before;
	gh_rc rc = GH_RC_OK;

	w->rs.status = 0;
	if (before && w->signed_in && w->route->right != WEB_ANYBODY && w->route->right != WEB_TOKEN)
		rc = before(w, &err);
	if (!rc.code && !w->rs.status) {
		w->rs.status = 200;
		rc = w->route->run(w, &err);
	}
	if (rc.code)
		failed(w, rc, &err);
}

/* Whether the right that is held somewhere counts for what the route is about. */
static GH_RC check_place(struct web *w, bool *yes, struct gh_err *err)
{
	enum web_about about = w->route->about;

	*yes = web_may_everywhere(w, w->route->right);
	if (about == WEB_ABOUT_RESOURCES && w->signed_in)
		*yes = true;
	if (!w->signed_in || w->route->right == WEB_TOKEN || !w->site->app->sees)
		return GH_RC_OK;
	store_viewer_set(w->site->store, &w->rights);
	if (about == WEB_ABOUT_ENVIRONMENT || (about == WEB_ABOUT_THING && !*yes))
		return w->site->app->sees(w, yes, err);
	return GH_RC_OK;
}

static void run_route(struct web *w)
{
	struct gh_err err;
	bool yes;
	gh_rc rc;

	if (web_is_json(w)) {
		if (web_json_admit(w))
			run_handler(w);
		return;
	}
	if (!web_may(w, w->route->right)) {
		refuse(w);
		return;
	}
	rc = check_place(w, &yes, &err);
	if (rc.code) {
		failed(w, rc, &err);
		return;
	}
	if (!yes) {
		refuse(w);
		return;
	}
	if (strcmp(w->route->method, "GET") != 0 && w->route->right != WEB_TOKEN && !web_csrf_ok(w)) {
		web_error_page(w, 403, "The form was open for too long or came from somewhere else, so it was not used. "
				       "Go back, load the page again and send it once more.");
		return;
	}
	run_handler(w);
}

void web_dispatch(struct web *w)
{
	struct gh_err err;
	struct buf allow;

	for (size_t i = 0; i < ARRAY_LEN(security_headers); i++)
		web_header(w, security_headers[i].name, str_of(security_headers[i].value));
	web_header(w, "X-Request-Id", w->rq.id);
	w->page = liquid_record_new(w->a);
	web_language_choose(w);
	buf_init(&allow, 100);
	w->route = web_route_find(w->site->app->routes, w->rq.method, w->rq.path, w->rq.args, &allow);
	if (w->route) {
		run_route(w);
	} else if (!w->rq.path.n) {
		if (web_redirect(w, STR(""), &err).code)
			web_error_page(w, 500, NULL);
	} else if (allow.n) {
		web_header(w, "Allow", arena_dup(w->a, buf_view(&allow)));
		web_error_page(w, 405, NULL);
	} else {
		web_error_page(w, 404, NULL);
	}
	buf_release(&allow);
}

void web_answer(struct web *w)
{
	web_identify(w);
	web_dispatch(w);
	if (w->site->store)
		store_viewer_set(w->site->store, NULL);
}
