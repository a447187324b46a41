/* routing.c - set-backend-service and rewrite-uri: where the request goes. */
#include "policy/elements/url.h"

#include "core/buf.h"
#include "core/str.h"

enum { URL_MAX = 65536 };

/* ---- set-backend-service ----------------------------------------------------------------------------------------- */

struct backend_config {
	struct arg base_url, backend_id, sf[5], dapr[3];
};

static enum step run_backend(struct exchange *x, const void *config)
{
	const struct backend_config *c = config;
	struct str text, url;

	if (!arg_get_text(x, c->base_url.given ? &c->base_url : &c->backend_id, &text))
		return STEP_FAIL;
	if (c->base_url.given) {
		x->backend_id = STR_NULL;
		exchange_trace(x, "base-url %.*s", STR_ARG(text));
		return url_set_base(x, text) ? STEP_NEXT : STEP_FAIL;
	}
	if (!x->host->backend(x, text, &url))
		return exchange_fail(x, 500, STR("BackendNotFound"), "There is no backend `%.*s`.", STR_ARG(text));
	x->backend_id = text;
	exchange_trace(x, "backend %.*s at %.*s", STR_ARG(text), STR_ARG(url));
	if (str_is_null(url))
		return STEP_NEXT;
	return url_set_base(x, url) ? STEP_NEXT : STEP_FAIL;
}

static bool check_backend(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct backend_config *b = config;
	struct url u;

	for (size_t i = 0; i < ARRAY_LEN(b->sf); i++)
		if (b->sf[i].given) {
			compile_error(c, n, b->sf[i].schema->name,
				      "`%s`: Service Fabric is not supported by this version", b->sf[i].schema->name);
			return false;
		}
	for (size_t i = 0; i < ARRAY_LEN(b->dapr); i++)
		if (b->dapr[i].given) {
			compile_error(c, n, b->dapr[i].schema->name, "`%s`: Dapr is not supported by this version",
				      b->dapr[i].schema->name);
			return false;
		}
	if (b->base_url.given == b->backend_id.given) {
		compile_error(c, n, NULL, "`set-backend-service` needs either `base-url` or `backend-id`%s",
			      b->base_url.given ? ", not both" : "");
		return false;
	}
	if (b->base_url.given && !b->base_url.expr && !b->base_url.unknown
	    && !url_parse(str_trim(b->base_url.text), &u)) {
		compile_error(c, n, "base-url", "`%.*s` is no http or https address", STR_ARG(b->base_url.text));
		return false;
	}
	return true;
}

#define BACKEND_ARG(attr, where, text)                                                                               \
	{                                                                                                            \
		.name = attr, .kind = ARG_TEXT, .flags = ARG_EXPR, .offset = offsetof(struct backend_config, where), \
		.help = text                                                                                         \
	}

static const struct arg_schema backend_args[] = {
	BACKEND_ARG("base-url", base_url, "new address of the backend"),
	BACKEND_ARG("backend-id", backend_id, "a configured backend or pool"),
	BACKEND_ARG("sf-resolve-condition", sf[0], "Service Fabric; not supported"),
	BACKEND_ARG("sf-service-instance-name", sf[1], "Service Fabric; not supported"),
	BACKEND_ARG("sf-listener-name", sf[2], "Service Fabric; not supported"),
	BACKEND_ARG("sf-partition-key", sf[3], "Service Fabric; not supported"),
	BACKEND_ARG("sf-replica-type", sf[4], "Service Fabric; not supported"),
	BACKEND_ARG("dapr-app-id", dapr[0], "Dapr; not supported"),
	BACKEND_ARG("dapr-method", dapr[1], "Dapr; not supported"),
	BACKEND_ARG("dapr-namespace", dapr[2], "Dapr; not supported"),
};
static const struct element_schema backend_schema = {
	.name = "set-backend-service", .help = "Sends the request to another backend than the API's own.",
	.config_size = sizeof(struct backend_config), .args = backend_args, .n_args = ARRAY_LEN(backend_args),
	.check = check_backend,
};
const struct policy_type set_backend_service_type = { .schema = &backend_schema, .sections = IN_INBOUND | IN_BACKEND,
						      .run = run_backend };

/* ---- rewrite-uri ------------------------------------------------------------------------------------------------- */

struct rewrite_config {
	struct arg template, copy;
};

/* "{name}" at the start of s: its name without "*" and default; *len with braces. STR_NULL when it is none. */
static struct str slot_at(struct str s, size_t *len, bool *wild)
{
	size_t end = s.n && *s.p == '{' ? str_find_char(s, '}') : SIZE_MAX;
	struct str name;

	if (end == SIZE_MAX || end < 2)
		return STR_NULL;
	name = (struct str){ s.p + 1, end - 1 };
	*wild = *name.p == '*';
	if (*wild)
		name = str_from(name, 1);
	for (size_t i = 0; i < name.n; i++)
		if (strchr("{}/?&\"' ", name.p[i]))
			return STR_NULL;
	*len = end + 1;
	return str_first(name, str_find_char(name, '='));
}

static bool known_slot(struct str template, struct str name)
{
	for (size_t i = 0, len; i < template.n; i++) {
		bool wild;
		struct str one = slot_at(str_from(template, i), &len, &wild);

		if (!str_is_null(one) && str_eq_ci(one, name))
			return true;
	}
	return false;
}

/* A matched value for its place in a path or query; percent-escapes that stand in it already are left alone. */
static void put_value(struct exchange *x, struct buf *b, struct str value, bool wild, bool in_query)
{
	const char *keep = in_query ? "/:@!$'()*,;?%" : wild ? "/:@!$&'()*+,;=%" : ":@!$&'()*+,;=%";

	buf_str(b, url_encode(x->arena, value, keep));
}

static bool fill_template(struct exchange *x, struct str t, struct buf *b)
{
	bool in_query = false, wild;
	size_t len;

	if (!t.n || *t.p != '/')
		buf_char(b, '/');
	for (size_t i = 0; i < t.n; i++) {
		struct str name = slot_at(str_from(t, i), &len, &wild), value;

		in_query |= t.p[i] == '?';
		if (str_is_null(name)) {
			buf_char(b, t.p[i]);
			continue;
		}
		value = fields_get(&x->matched, name);
		if (str_is_null(value) && (!x->operation || !known_slot(x->operation->url_template, name))) {
			exchange_fail(x, 500, STR_NULL,
				      "`{%.*s}`: Only parameters specified in the original URL template can be used "
				      "in the rewrite template.",
				      STR_ARG(name));
			return false;
		}
		put_value(x, b, value, wild, in_query);
		i += len - 1;
	}
	return true;
}

static bool query_has(struct arena *a, struct str query, struct str name)
{
	struct str n, v;

	while (query_next(&query, &n, &v))
		if (str_eq_ci(url_decode(a, n, true), name))
			return true;
	return false;
}

/* The caller's query parameters that neither the operation's template nor the new one speaks of. */
static void copy_unmatched(struct exchange *x, struct str own, struct buf *b)
{
	struct str template = x->operation ? x->operation->url_template : STR_NULL, rest = x->request.url.query, n, v;
	size_t mark = str_find_char(template, '?');
	struct str matched = mark == SIZE_MAX ? STR_NULL : str_from(template, mark + 1);

	while (rest.n && query_next(&rest, &n, &v)) {
		struct str name = url_decode(x->arena, n, true);

		if (query_has(x->arena, matched, name) || query_has(x->arena, own, name))
			continue;
		if (b->n)
			buf_char(b, '&');
		buf_str(b, n);
		if (!str_is_null(v)) {
			buf_char(b, '=');
			buf_str(b, v);
		}
	}
}

static bool rewrite(struct exchange *x, struct str template, bool copy, struct buf *whole, struct buf *query)
{
	struct str text, own;
	size_t mark;

	if (!fill_template(x, str_trim(template), whole))
		return false;
	text = buf_view(whole);
	mark = str_find_char(text, '?');
	own = mark == SIZE_MAX ? STR("") : str_from(text, mark + 1);
	buf_str(query, own);
	if (copy)
		copy_unmatched(x, own, query);
	if (!buf_ok(whole) || !buf_ok(query)) {
		exchange_fail(x, 500, STR_NULL, "The rewritten address is longer than %d bytes.", URL_MAX);
		return false;
	}
	x->request.url.query = query->n ? arena_dup(x->arena, buf_view(query)) : STR_NULL;
	return url_set_operation_path(x, str_first(text, mark));
}

static enum step run_rewrite(struct exchange *x, const void *config)
{
	const struct rewrite_config *c = config;
	struct buf whole, query;
	struct str template;
	bool copy, ok;

	if (!arg_get_text(x, &c->template, &template) || !arg_get_bool(x, &c->copy, &copy))
		return STEP_FAIL;
	buf_init(&whole, URL_MAX);
	buf_init(&query, URL_MAX);
	ok = rewrite(x, template, copy, &whole, &query);
	buf_release(&whole);
	buf_release(&query);
	if (!ok)
		return STEP_FAIL;
	exchange_trace(x, "%.*s%s%.*s", STR_ARG(x->request.url.path), x->request.url.query.n ? "?" : "",
		       STR_ARG(x->request.url.query));
	return STEP_NEXT;
}

static bool check_rewrite(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct rewrite_config *r = config;
	bool ok = true, wild;
	size_t len;

	if (r->template.expr || r->template.unknown || str_is_null(c->source->url_template))
		return true;
	for (size_t i = 0; i < r->template.text.n; i++) {
		struct str name = slot_at(str_from(r->template.text, i), &len, &wild);

		if (str_is_null(name) || known_slot(c->source->url_template, name))
			continue;
		compile_error(c, n, "template",
			      "`{%.*s}`: Only parameters specified in the original URL template can be used in the "
			      "rewrite template",
			      STR_ARG(name));
		ok = false;
	}
	return ok;
}

static const struct arg_schema rewrite_args[] = {
	{ .name = "template",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct rewrite_config, template),
	  .help = "the new path and query; {name} stands for a parameter of the operation's template" },
	{ .name = "copy-unmatched-params",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "true",
	  .offset = offsetof(struct rewrite_config, copy),
	  .help = "keep query parameters that the operation's template does not name" },
};
static const struct element_schema rewrite_schema = {
	.name = "rewrite-uri", .help = "Changes the path and query that the backend sees.",
	.config_size = sizeof(struct rewrite_config), .args = rewrite_args, .n_args = ARRAY_LEN(rewrite_args),
	.check = check_rewrite,
};
const struct policy_type rewrite_uri_type = { .schema = &rewrite_schema, .sections = IN_INBOUND, .run = run_rewrite };
