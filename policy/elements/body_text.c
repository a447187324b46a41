/* body_text.c - find-and-replace, redirect-content-urls and jsonp. */
#include "policy/elements/body_text.h"

#include "core/str.h"
#include "policy/elements/url.h"
#include "policy/program.h"

void body_replace(struct exchange *x, struct str bytes)
{
	struct body *b = message_body(x);

	*b = (struct body){ .kind = BODY_HELD, .bytes = bytes, .changed = true };
	fields_remove(message_headers(x), STR("Content-Encoding"));
}

struct str content_type_of(const struct fields *headers)
{
	struct str type = fields_get(headers, STR("Content-Type"));

	return str_trim(str_first(type, str_find_char(type, ';')));
}

bool is_json_type(struct str t)
{
	return str_eq_ci(t, STR("application/json")) || str_eq_ci(t, STR("text/json"))
		|| (t.n > 5 && str_eq_ci(str_from(t, t.n - 5), STR("+json")));
}

bool is_xml_type(struct str t)
{
	return str_eq_ci(t, STR("application/xml")) || str_eq_ci(t, STR("text/xml"))
		|| (t.n > 4 && str_eq_ci(str_from(t, t.n - 4), STR("+xml")));
}

struct str text_replace(struct arena *a, struct str text, struct str from, struct str to, size_t *n)
{
	size_t at, size;
	char *p, *w;

	*n = 0;
	if (!from.n)
		return text;
	for (struct str s = text; (at = str_find(s, from)) != SIZE_MAX; s = str_from(s, at + from.n))
		(*n)++;
	if (!*n)
		return text;
	if (to.n && *n > BODY_TEXT_MAX / to.n)
		return STR_NULL;
	size = text.n - *n * from.n + *n * to.n;
	w = p = size <= BODY_TEXT_MAX ? arena_alloc_text(a, size + 1) : NULL;
	if (!p)
		return STR_NULL;
	while ((at = str_find(text, from)) != SIZE_MAX) {
		memcpy(w, text.p, at);
		if (to.n)
			memcpy(w + at, to.p, to.n);
		w += at + to.n;
		text = str_from(text, at + from.n);
	}
	if (text.n)
		memcpy(w, text.p, text.n);
	return (struct str){ p, size };
}

/* ---- find-and-replace -------------------------------------------------------------------------------------------- */

struct replace_config {
	struct arg from, to;
};

static enum step run_replace(struct exchange *x, const void *config)
{
	const struct replace_config *c = config;
	struct body *b = message_body(x);
	struct str from, to, text;
	size_t n;

	if (!arg_get_text(x, &c->from, &from) || !arg_get_text(x, &c->to, &to))
		return STEP_FAIL;
	if (b->kind != BODY_HELD)
		return STEP_NEXT;
	text = text_replace(x->arena, b->bytes, from, to, &n);
	if (str_is_null(text))
		return exchange_no_memory(x);
	exchange_trace(x, "%zu places", n);
	if (n)
		body_replace(x, text);
	return STEP_NEXT;
}

static bool uses_body(struct compiler *c, const struct doc_node *n, void *config)
{
	(void)n;
	(void)config;
	compile_uses_body(c);
	return true;
}

static const struct arg_schema replace_args[] = {
	{ .name = "from",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct replace_config, from),
	  .help = "the text to look for, with case" },
	{ .name = "to",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR | ARG_EMPTY,
	  .offset = offsetof(struct replace_config, to),
	  .help = "the text in its place; empty: it is removed" },
};
static const struct element_schema replace_schema = {
	.name = "find-and-replace",
	.help = "Replaces a text everywhere in the body.",
	.config_size = sizeof(struct replace_config),
	.args = replace_args,
	.n_args = ARRAY_LEN(replace_args),
	.check = uses_body,
};
const struct policy_type find_and_replace_type = { .schema = &replace_schema, .sections = IN_ANY, .run = run_replace };

/* ---- redirect-content-urls --------------------------------------------------------------------------------------- */

static struct str origin_of(struct exchange *x, const struct url *u, struct str path)
{
	struct url top = { .scheme = u->scheme, .host = u->host, .port = u->port, .path = path };

	return url_text(x->arena, &top);
}

/* The part of the path that the caller uses for what the backend calls its base path. */
static struct str gateway_base(const struct exchange *x)
{
	struct str mine = x->request.original_url.path, theirs = x->request.url.path, base = x->program->base_path;
	struct str rest = str_starts(theirs, base) ? str_from(theirs, base.n) : theirs;

	if (str_ends(mine, rest))
		return str_first(mine, mine.n - rest.n);
	return x->api ? x->api->path : STR("");
}

/* Outbound: addresses of the backend become those of the gateway, in the body and in Location. Inbound: the other way.
 */
static enum step run_redirect(struct exchange *x, const void *config)
{
	bool outbound = works_on_response(x);
	struct str backend = origin_of(x, &x->request.url, x->program->base_path);
	struct str gateway = origin_of(x, &x->request.original_url, gateway_base(x));
	struct str from = outbound ? backend : gateway, to = outbound ? gateway : backend, text;
	struct body *b = message_body(x);
	struct str location = fields_get(message_headers(x), STR("Location"));
	size_t n = 0;

	(void)config;
	if (str_is_null(from) || str_is_null(to))
		return exchange_no_memory(x);
	if (b->kind == BODY_HELD) {
		text = text_replace(x->arena, b->bytes, from, to, &n);
		if (str_is_null(text))
			return exchange_no_memory(x);
		if (n)
			body_replace(x, text);
	}
	exchange_trace(x, "%zu places, %.*s to %.*s", n, STR_ARG(from), STR_ARG(to));
	if (!str_is_null(location) && str_starts(location, from)) {
		text = arena_printf(x->arena, "%.*s%.*s", STR_ARG(to), STR_ARG(str_from(location, from.n)));
		if (str_is_null(text) || !fields_set(message_headers(x), STR("Location"), text))
			return exchange_no_memory(x);
	}
	return STEP_NEXT;
}

static const struct element_schema redirect_schema = {
	.name = "redirect-content-urls",
	.help = "Puts the gateway's address in place of the backend's in the body and in Location.",
	.check = uses_body,
};
const struct policy_type redirect_content_urls_type = { .schema = &redirect_schema,
							.sections = IN_INBOUND | IN_OUTBOUND,
							.once = true,
							.run = run_redirect };

/* ---- jsonp ------------------------------------------------------------------------------------------------------- */

struct jsonp_config {
	struct arg name;
};

/* Dotted identifiers with indexes, as callbacks are made: a.b, $c, d[0]. */
static bool is_callback(struct str s)
{
	bool start = true;

	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];

		if (ascii_is_alpha(ch) || ch == '_' || ch == '$' || (!start && ascii_is_digit(ch)))
			start = false;
		else if (ch == '.' && !start)
			start = true;
		else if (ch == '[' && !start && i + 2 < s.n && ascii_is_digit(s.p[i + 1]))
			for (i++; i < s.n && s.p[i] != ']'; i++) {
				if (!ascii_is_digit(s.p[i]))
					return false;
			}
		else
			return false;
	}
	return s.n > 0 && !start;
}

static struct str callback_of(struct exchange *x, struct str name)
{
	struct str rest = x->request.original_url.query, n, v;

	while (rest.n && query_next(&rest, &n, &v))
		if (str_eq(url_decode(x->arena, n, true), name))
			return url_decode(x->arena, v, true);
	return STR_NULL;
}

static enum step run_jsonp(struct exchange *x, const void *config)
{
	const struct jsonp_config *c = config;
	struct str name, callback, text;

	if (!arg_get_text(x, &c->name, &name))
		return STEP_FAIL;
	callback = callback_of(x, name);
	if (!callback.n || x->response.body.kind != BODY_HELD)
		return STEP_NEXT;
	if (!is_callback(callback)) {
		struct str said =
			arena_printf(x->arena, "Value of callback parameter %.*s is not a valid JavaScript identifier.",
				     STR_ARG(name));

		return exchange_refuse(x, 400, STR("CallbackParameterInvalid"), said, said);
	}
	text = arena_printf(x->arena, "%.*s(", STR_ARG(callback));
	if (!str_is_null(text)) {
		char *p = arena_alloc_text(x->arena, text.n + x->response.body.bytes.n + 2);

		if (!p)
			return exchange_no_memory(x);
		memcpy(p, text.p, text.n);
		if (x->response.body.bytes.n)
			memcpy(p + text.n, x->response.body.bytes.p, x->response.body.bytes.n);
		memcpy(p + text.n + x->response.body.bytes.n, ");", 2);
		body_replace(x, (struct str){ p, text.n + x->response.body.bytes.n + 2 });
	}
	return fields_set(&x->response.headers, STR("Content-Type"), STR("application/javascript"))
		? STEP_NEXT
		: exchange_no_memory(x);
}

static const struct arg_schema jsonp_args[] = {
	{ .name = "callback-parameter-name",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct jsonp_config, name),
	  .help = "query parameter that names the callback" },
};
static const struct element_schema jsonp_schema = {
	.name = "jsonp",
	.help = "Wraps the response into a call of the function that the request names.",
	.config_size = sizeof(struct jsonp_config),
	.args = jsonp_args,
	.n_args = ARRAY_LEN(jsonp_args),
	.check = uses_body,
};
const struct policy_type jsonp_type = { .schema = &jsonp_schema, .sections = IN_OUTBOUND, .once = true, .run = run_jsonp };
