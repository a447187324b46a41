/* client.h - a browser without a network: requests straight into a web app, with cookies kept between them. */
#pragma once

#include "tests/unit/portal/fixture.h"

#include "portal/web/internal.h"

struct client {
	struct web_site *site;
	struct arena *a;                 /* of the last request */
	struct web w;                    /* the last request and its answer */
	char cookies[6][500];            /* name=value */
	const char *address, *forwarded_for, *forwarded_proto;
	const char *authorization, *csrf, *accept, *match;       /* header fields of programs and scripts */
	bool tls;
	/* of the request that is being sent */
	const char *method, *uri, *body, *type;
};

static UNUSED const char *client_cookie_header(struct client *c, char *to, size_t n)
{
	size_t used = 0;

	to[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(c->cookies); i++)
		if (c->cookies[i][0])
			used += (size_t)snprintf(to + used, n - used, "%s%s", used ? "; " : "", c->cookies[i]);
	return to;
}

static UNUSED const char *client_variable(void *ctx, const char *name)
{
	static char cookies[3100], length[20];
	struct client *c = ctx;

	if (strcmp(name, "REQUEST_METHOD") == 0)
		return c->method;
	if (strcmp(name, "REQUEST_URI") == 0)
		return c->uri;
	if (strcmp(name, "REMOTE_ADDR") == 0)
		return c->address ? c->address : "203.0.113.9";
	if (strcmp(name, "HTTP_X_FORWARDED_FOR") == 0)
		return c->forwarded_for;
	if (strcmp(name, "HTTP_X_FORWARDED_PROTO") == 0)
		return c->forwarded_proto;
	if (strcmp(name, "HTTP_HOST") == 0)
		return "gw.example";
	if (strcmp(name, "HTTP_AUTHORIZATION") == 0)
		return c->authorization;
	if (strcmp(name, "HTTP_X_CSRF_TOKEN") == 0)
		return c->csrf;
	if (strcmp(name, "HTTP_IF_MATCH") == 0)
		return c->match;
	if (strcmp(name, "HTTP_ACCEPT") == 0)
		return c->accept;
	if (strcmp(name, "HTTPS") == 0)
		return c->tls ? "on" : NULL;
	if (strcmp(name, "HTTP_COOKIE") == 0)
		return client_cookie_header(c, cookies, sizeof(cookies));
	if (c->body && strcmp(name, "CONTENT_TYPE") == 0)
		return c->type ? c->type : "application/x-www-form-urlencoded";
	if (c->body && strcmp(name, "CONTENT_LENGTH") == 0) {
		snprintf(length, sizeof(length), "%zu", strlen(c->body));
		return length;
	}
	return NULL;
}

static size_t client_read(void *ctx, char *to, size_t n)
{
	struct client *c = ctx;
	size_t have = c->body ? strlen(c->body) : 0;

	if (n > have)
		n = have;
	if (n)
		memcpy(to, c->body, n);
	return n;
}

/* Keeps or drops what Set-Cookie says. */
static UNUSED void client_store_cookie(struct client *c, struct str header)
{
	size_t end = str_find_char(header, ';'), eq = str_find_char(header, '=');
	struct str pair = str_first(header, end), name = str_first(header, eq + 1);
	size_t free_slot = ARRAY_LEN(c->cookies);

	for (size_t i = 0; i < ARRAY_LEN(c->cookies); i++) {
		if (str_starts(str_of(c->cookies[i]), name))
			c->cookies[i][0] = '\0';
		if (!c->cookies[i][0] && free_slot == ARRAY_LEN(c->cookies))
			free_slot = i;
	}
	if (pair.n > name.n && free_slot < ARRAY_LEN(c->cookies))
		snprintf(c->cookies[free_slot], sizeof(c->cookies[0]), "%.*s", (int)pair.n, pair.p);
}

static UNUSED struct str client_header(const struct client *c, const char *name)
{
	for (size_t i = 0; i < c->w.rs.n_headers; i++)
		if (strcmp(c->w.rs.headers[i].name, name) == 0)
			return c->w.rs.headers[i].value;
	return STR_NULL;
}

/* Sends; the answer stays until the next request. Returns the status. */
static UNUSED int client_send(struct client *c, const char *method, const char *uri, const char *body)
{
	struct web_source from = { client_variable, client_read, c };
	struct gh_err err;
	gh_rc rc;

	buf_release(&c->w.rs.body);
	arena_free(c->a);
	c->a = arena_new(64 << 20);
	c->method = method;
	c->uri = uri;
	c->body = body;
	c->w = (struct web){ .site = c->site, .a = c->a };
	buf_init(&c->w.rs.body, 8 << 20);
	rc = web_request_read(&c->w, &from, &err);
	if (rc.code) {
		c->w.page = liquid_record_new(c->a);
		web_error_page(&c->w, gh_code_status(rc.code), err.message);
	} else {
		web_answer(&c->w);
	}
	for (size_t i = 0; i < c->w.rs.n_headers; i++)
		if (strcmp(c->w.rs.headers[i].name, "Set-Cookie") == 0)
			client_store_cookie(c, c->w.rs.headers[i].value);
	return c->w.rs.status;
}

static UNUSED bool client_shows(const struct client *c, const char *text)
{
	return str_find(buf_view(&c->w.rs.body), str_of(text)) != SIZE_MAX;
}

/* The form token on the last page; "" when there is none. */
static UNUSED const char *client_token(const struct client *c)
{
	static char token[100];
	struct str page = buf_view(&c->w.rs.body), mark = STR("name=\"csrf\" value=\"");
	size_t at = str_find(page, mark);

	token[0] = '\0';
	if (at != SIZE_MAX) {
		struct str rest = str_from(page, at + mark.n);

		snprintf(token, sizeof(token), "%.*s", (int)str_find_char(rest, '"'), rest.p);
	}
	return token;
}

/* A session without the form: for tests of what comes behind it. */
static UNUSED void client_session(struct client *c, const char *user)
{
	struct store_user u;
	struct gh_err err;
	bool found;

	buf_release(&c->w.rs.body);
	arena_free(c->a);
	c->w = (struct web){ .site = c->site, .a = c->a = arena_new(1 << 20) };
	must(store_user_find(c->site->store, c->a, str_of(user), &u, &found, &err), &err);
	must(web_session_begin(&c->w, &u, &err), &err);
	client_store_cookie(c, client_header(c, "Set-Cookie"));
}

static UNUSED int client_sign_in(struct client *c, const char *email, const char *password)
{
	char form[600];

	client_send(c, "GET", "/admin/sign-in", NULL);
	snprintf(form, sizeof(form), "csrf=%s&email=%s&password=%s&return=", client_token(c), email, password);
	return client_send(c, "POST", "/admin/sign-in", form);
}

static UNUSED void client_end(struct client *c)
{
	buf_release(&c->w.rs.body);
	arena_free(c->a);
	*c = (struct client){ .site = c->site };
}

static UNUSED void site_up(struct web_site *site, const struct web_app *app, const char *dir, char share[PATHS_MAX])
{
	struct gh_err err;
	char path[200];

	must(paths_share(share, &err), &err);
	*site = (struct web_site){ .app = app, .state_dir = dir, .share_dir = share };
	must(web_site_load(site, &err), &err);
	must(store_open(&site->store, dir, STORE_WRITE, &err), &err);
	snprintf(path, sizeof(path), "%s/web-counters", dir);
	must(counters_open(path, 1024, &site->counters, &err), &err);
}

static UNUSED void site_down(struct web_site *site)
{
	counters_close(site->counters);
	store_free(site->store);
	arena_free(site->arena);
}
