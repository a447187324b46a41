#include "portal/web/internal.h"

#include "core/str.h"

static struct str variable(const struct web_source *from, const char *name)
{
	const char *v = from->variable(from->ctx, name);

	return v ? str_of(v) : STR("");
}

/* "/x" of "/x?y"; a proxy's absolute form loses its scheme and host. */
static struct str target_of(const struct web_source *from)
{
	struct str target = variable(from, "REQUEST_URI");
	size_t at;

	if (target.n && target.p[0] != '/' && (at = str_find(target, STR("://"))) != SIZE_MAX) {
		target = str_from(target, at + 3);
		at = str_find_char(target, '/');
		target = at == SIZE_MAX ? STR("/") : str_from(target, at);
	}
	return target;
}

/* A name, address or [address] with a port; anything else is not repeated on a page. */
static struct str host_of(const struct web_source *from)
{
	struct str host = variable(from, "HTTP_HOST");

	for (size_t i = 0; i < host.n; i++)
		if (!ascii_is_alpha(host.p[i]) && !ascii_is_digit(host.p[i]) && !strchr(".-:[]", host.p[i]))
			return STR("");
	return host.n <= 255 ? host : STR("");
}

static struct str agent_of(const struct web_source *from)
{
	struct str agent = str_first(variable(from, "HTTP_USER_AGENT"), WEB_AGENT_MAX);

	while (agent.n && !utf8_valid(agent))            /* cut in the middle of a character, or no text at all */
		agent.n--;
	return agent;
}

static GH_RC read_path(struct web *w, const struct web_source *from, struct gh_err *err)
{
	struct str base = w->site->base, path;

	w->rq.target = target_of(from);
	if (!w->rq.target.n)
		w->rq.target = arena_printf(w->a, "%s%s", variable(from, "SCRIPT_NAME").p, variable(from, "PATH_INFO").p);
	w->rq.target = arena_dup(w->a, w->rq.target);
	w->rq.path = STR("");
	if (!w->rq.target.p)
		FAIL(err, NOMEM, "request");
	if (!web_path_decode(w->a, str_first(w->rq.target, str_find_char(w->rq.target, '?')), &path))
		FAIL(err, INVALID, "the path is not UTF-8 text, or a '%%' in it is not followed by two hexadecimal digits");
	if (str_starts(path, base))
		w->rq.path = str_from(path, base.n - 1);
	else if (!str_eq(path, str_first(base, base.n - 1)))    /* "/admin" is answered by a redirect */
		w->rq.path = path;
	return GH_RC_OK;
}

static GH_RC read_body(struct web *w, const struct web_source *from, struct gh_err *err)
{
	struct str length = variable(from, "CONTENT_LENGTH");
	enum setting limit = web_is_rest(w) ? w->site->app->rest_max_bytes : CONFIG_WEB_MAX_FORM_BYTES;
	uint64_t max = (uint64_t)config_int(&w->site->config, limit), n = 0;
	char *body;

	if (!str_eq(w->rq.method, STR("POST")) && !str_eq(w->rq.method, STR("PUT")) && !str_eq(w->rq.method, STR("PATCH")))
		return GH_RC_OK;                         /* nobody here looks at it */
	if (length.n && !str_to_u64(length, UINT64_MAX, &n))
		FAIL(err, PROTO, "Content-Length is no number");
	if (n > max)
		FAIL(err, LIMIT, "a form of %llu bytes; at most %llu are read", (unsigned long long)n, (unsigned long long)max);
	body = arena_alloc_text(w->a, n + 1);
	if (!body)
		FAIL(err, NOMEM, "form");
	if (from->read(from->ctx, body, n) != n)
		FAIL(err, PROTO, "the request ended before its body did");
	w->rq.body = (struct str){ body, n };
	if (str_starts_ci(w->rq.media_type, STR("application/x-www-form-urlencoded")))
		return web_params_urlencoded(&w->rq.form, w->a, w->rq.body, err);
	if (str_starts_ci(w->rq.media_type, STR("multipart/form-data")))
		return web_params_multipart(&w->rq.form, w->a, w->rq.media_type, w->rq.body, err);
	return GH_RC_OK;
}

/* Who is behind a proxy that is trusted, and how he came to it. */
static gh_rc read_client(struct web *w, const struct web_source *from, struct gh_err *err)
{
	const struct client_trust *trust = &w->site->trust;
	char text[IP_TEXT_MAX];
	struct client_found c;

	if (!client_is_proxy(trust, w->rq.address))
		return GH_RC_OK;
	client_find(trust, w->rq.address, variable(from, trust->forwarded ? "HTTP_FORWARDED" : "HTTP_X_FORWARDED_FOR"),
		    variable(from, "HTTP_X_FORWARDED_PROTO"), &c);
	w->rq.address = arena_dup(w->a, ip_text(&c.address, text));
	if (!w->rq.address.p)
		FAIL(err, NOMEM, "no memory for a request");
	if (c.scheme.n)
		w->rq.tls = str_eq(c.scheme, STR("https"));
	return GH_RC_OK;
}

gh_rc web_request_read(struct web *w, const struct web_source *from, struct gh_err *err)
{
	size_t max = (size_t)config_int(&w->site->config, CONFIG_WEB_MAX_FORM_FIELDS), at;
	struct str https = variable(from, "HTTPS");

	web_params_init(&w->rq.query, max);
	web_params_init(&w->rq.form, max);
	web_params_init(&w->rq.cookies, max);
	w->rq.path = STR("");
	w->rq.target = STR("/");
	w->rq.method = variable(from, "REQUEST_METHOD");
	w->rq.media_type = variable(from, "CONTENT_TYPE");
	w->rq.address = variable(from, "REMOTE_ADDR");
	w->rq.host = host_of(from);
	w->rq.if_none_match = variable(from, "HTTP_IF_NONE_MATCH");
	w->rq.if_match = variable(from, "HTTP_IF_MATCH");
	w->rq.authorization = variable(from, "HTTP_AUTHORIZATION");
	w->rq.accept_language = str_first(variable(from, "HTTP_ACCEPT_LANGUAGE"), WEB_AGENT_MAX);
	w->rq.accept_encoding = variable(from, "HTTP_ACCEPT_ENCODING");
	w->rq.accept = variable(from, "HTTP_ACCEPT");
	w->rq.idempotency_key = variable(from, "HTTP_IDEMPOTENCY_KEY");
	w->rq.csrf = variable(from, "HTTP_X_CSRF_TOKEN");
	w->rq.agent = agent_of(from);
	w->rq.tls = config_bool(&w->site->config, CONFIG_WEB_BEHIND_TLS) || str_eq_ci(https, STR("on"))
		    || str_eq(https, STR("1")) || str_eq(variable(from, "REQUEST_SCHEME"), STR("https"));
	TRY(read_client(w, from, err));
	TRY(crypto_random_hex(w->a, 16, &w->rq.id, err));
	TRY(read_path(w, from, err));
	at = str_find_char(w->rq.target, '?');
	TRY(web_params_urlencoded(&w->rq.query, w->a, at == SIZE_MAX ? STR("") : str_from(w->rq.target, at + 1), err));
	TRY(web_params_cookies(&w->rq.cookies, w->a, variable(from, "HTTP_COOKIE"), err));
	return read_body(w, from, err);
}
