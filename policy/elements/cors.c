/* cors.c - cors: browsers of other origins.
 *
 * A preflight is answered by policy_preflight before anything else runs: before the key is checked, as a browser sends
 * none with it. A real cross-origin request passes through run, which leaves the headers to the end of the pipeline, so
 * that refusals and errors carry them too: else a browser hides the reason from the page. A request that is refused before
 * any policy has run (a missing key) comes to policy_cors_refused for the same reason. */
#include "policy/elements/cors.h"

#include "core/str.h"
#include "policy/elements/message_ops.h"
#include "policy/program.h"

/* Texts of the elements inside one of the lists; false after exchange_fail. */
static bool list_has(struct exchange *x, const struct children *outer, struct str want, bool ci, bool *star,
		     bool *found)
{
	const struct cors_list *l = outer->n ? outer->v[0].config : NULL;

	*star = *found = false;
	for (size_t i = 0; l && i < l->list.n; i++) {
		struct str one;

		if (!arg_get_text(x, &((const struct text_config *)l->list.v[i].config)->text, &one))
			return false;
		one = str_trim(one);
		*star |= str_eq(one, STR("*"));
		*found |= ci ? str_eq_ci(one, want) : str_eq(one, want);
	}
	*found |= *star;
	return true;
}

static struct str joined(struct exchange *x, const struct children *list)
{
	struct str all = STR("");

	for (size_t i = 0; i < list->n; i++) {
		struct str one;

		if (!arg_get_text(x, &((const struct text_config *)list->v[i].config)->text, &one))
			return STR_NULL;
		all = arena_printf(x->arena, "%.*s%s%.*s", STR_ARG(all), i ? "," : "", STR_ARG(str_trim(one)));
	}
	return all;
}

/* "https://a.example/" in a document means the origin https://a.example */
static bool origin_allowed(struct exchange *x, const struct cors_config *c, struct str origin, bool *star, bool *found)
{
	struct str with_slash = arena_printf(x->arena, "%.*s/", STR_ARG(origin));
	bool any;

	if (!list_has(x, &c->origins, origin, true, star, found))
		return false;
	return *found || list_has(x, &c->origins, with_slash, true, &any, found);
}

/* The answer depends on who asked, beside what it depends on already. */
static bool vary_by_origin(struct fields *to)
{
	struct str all = fields_count(to, STR("Vary")) ? fields_joined(to, STR("Vary")) : STR("");

	for (struct str one; str_split(&all, ',', &one);)
		if (str_eq(str_trim(one), STR("*")) || str_eq_ci(str_trim(one), STR("Origin")))
			return true;
	return fields_add(to, STR("Vary"), STR("Origin"));
}

static bool add_origin(struct exchange *x, struct fields *to, const struct cors_config *c, struct str origin, bool star)
{
	bool credentials;

	if (!arg_get_bool(x, &c->credentials, &credentials))
		return false;
	star = star && !credentials;
	if (!fields_set(to, STR("Access-Control-Allow-Origin"), star ? STR("*") : origin))
		return false;
	if (!star && !vary_by_origin(to))
		return false;
	return !credentials || fields_set(to, STR("Access-Control-Allow-Credentials"), STR("true"));
}

/* ---- preflight --------------------------------------------------------------------------------------------------- */

static bool method_allowed(struct exchange *x, const struct cors_config *c, struct str method, bool *ok,
			   struct str *all)
{
	const struct cors_methods *m = c->methods.n ? c->methods.v[0].config : NULL;

	*ok = !m && (str_eq(method, STR("GET")) || str_eq(method, STR("POST")));
	*all = STR("GET,POST");
	if (!m)
		return true;
	*all = joined(x, &m->list);
	for (size_t i = 0; i < m->list.n; i++) {
		struct str one;

		if (!arg_get_text(x, &((const struct text_config *)m->list.v[i].config)->text, &one))
			return false;
		if (str_eq(str_trim(one), STR("*")))
			*all = method;
		*ok |= str_eq(str_trim(one), STR("*")) || str_eq_ci(str_trim(one), method);
	}
	return !str_is_null(*all);
}

static bool headers_allowed(struct exchange *x, const struct cors_config *c, struct str asked, bool *ok)
{
	bool star, found;

	*ok = true;
	for (struct str one; *ok && str_split(&asked, ',', &one);) {
		if (!str_trim(one).n)
			continue;
		if (!list_has(x, &c->headers, str_trim(one), true, &star, &found))
			return false;
		*ok = found;
	}
	return true;
}

static bool grant(struct exchange *x, const struct cors_config *c, struct str origin, bool star, struct str methods,
		  struct str asked)
{
	const struct cors_methods *m = c->methods.n ? c->methods.v[0].config : NULL;
	struct fields *h = &x->response.headers;
	int64_t age = 0;

	if (!add_origin(x, h, c, origin, star) || !fields_set(h, STR("Access-Control-Allow-Methods"), methods))
		return false;
	if (asked.n && !fields_set(h, STR("Access-Control-Allow-Headers"), asked))
		return false;
	if (m && !arg_get_int(x, &m->max_age, &age))
		return false;
	return !age || fields_set(h, STR("Access-Control-Max-Age"), arena_printf(x->arena, "%lld", (long long)age));
}

/* The answer of one cors policy; *granted says whether it knew the origin, method and headers. */
static bool answer(struct exchange *x, const struct cors_config *c, bool *granted, bool *terminate)
{
	struct str origin = fields_get(&x->request.headers, STR("Origin"));
	struct str method = fields_get(&x->request.headers, STR("Access-Control-Request-Method"));
	struct str asked = fields_joined(&x->request.headers, STR("Access-Control-Request-Headers")), methods;
	bool star, found, method_ok, headers_ok;

	*granted = false;
	if (!arg_get_bool(x, &c->terminate, terminate) || !origin_allowed(x, c, origin, &star, &found)
	    || !method_allowed(x, c, method, &method_ok, &methods) || !headers_allowed(x, c, asked, &headers_ok))
		return false;
	*granted = found && method_ok && headers_ok;
	return !*granted || grant(x, c, origin, star, methods, asked);
}

static bool is_preflight(const struct exchange *x)
{
	return str_eq(x->request.method, STR("OPTIONS")) && fields_count(&x->request.headers, STR("Origin"))
		&& fields_count(&x->request.headers, STR("Access-Control-Request-Method"));
}

static void empty_answer(struct exchange *x)
{
	x->response = (struct response){ .status = 200, .reason = STR_INIT("OK") };
	fields_init(&x->response.headers, x->arena);
}

enum step policy_preflight(struct exchange *x)
{
	bool any = false, granted = false, terminate = false;

	if (!is_preflight(x))
		return STEP_NEXT;
	for (int s = SCOPE_FIRST; s >= 0 && !granted && !terminate; s--) {
		const struct policy_document *d = x->documents[s];

		if (d && d->cors) {
			if (!any)
				empty_answer(x);
			any = true;
			if (!answer(x, d->cors, &granted, &terminate)) {
				x->error = (struct last_error){ 0 };
				empty_answer(x);
				return STEP_RESPOND;
			}
		}
		if (d && !d->has_base[SECTION_INBOUND])
			break;
	}
	return any ? STEP_RESPOND : STEP_NEXT;
}

/* ---- real requests ----------------------------------------------------------------------------------------------- */

struct pending {
	const struct cors_config *config;
	struct str origin;
	bool star;
};

static void add_headers(struct exchange *x, void *arg)
{
	const struct pending *p = arg;
	struct last_error before = x->error;
	const struct cors_list *l = p->config->expose.n ? p->config->expose.v[0].config : NULL;
	struct str expose = l ? joined(x, &l->list) : STR_NULL;

	if (add_origin(x, &x->response.headers, p->config, p->origin, p->star) && expose.n)
		(void)!fields_set(&x->response.headers, STR("Access-Control-Expose-Headers"), expose);
	x->error = before;
}

static bool remember(struct exchange *x, const struct cors_config *c, struct str origin, bool star)
{
	struct pending *p = arena_new_of(x->arena, struct pending);

	if (!p)
		return false;
	*p = (struct pending){ c, origin, star };
	return exchange_at_end(x, add_headers, p);
}

void policy_cors_refused(struct exchange *x)
{
	struct str origin = fields_get(&x->request.headers, STR("Origin"));
	struct last_error before = x->error;
	bool star, found = false;

	for (int s = SCOPE_FIRST; s >= 0 && origin.n && !found; s--) {
		const struct policy_document *d = x->documents[s];

		if (d && d->cors && origin_allowed(x, d->cors, origin, &star, &found) && found)
			(void)!remember(x, d->cors, origin, star);
		if (d && !d->has_base[SECTION_INBOUND])
			break;
	}
	x->error = before;
}

static enum step run(struct exchange *x, const void *config)
{
	const struct cors_config *c = config;
	struct str origin = fields_get(&x->request.headers, STR("Origin"));
	bool star, found, terminate;

	if (!origin.n)
		return STEP_NEXT;
	if (!origin_allowed(x, c, origin, &star, &found) || !arg_get_bool(x, &c->terminate, &terminate))
		return STEP_FAIL;
	exchange_trace(x, "origin %.*s is %sallowed", STR_ARG(origin), found ? "" : "not ");
	if (!found && terminate) {
		empty_answer(x);
		return STEP_RESPOND;
	}
	if (!found)
		return STEP_NEXT;
	return remember(x, c, origin, star) ? STEP_NEXT : exchange_no_memory(x);
}

/* ---- compile ----------------------------------------------------------------------------------------------------- */

static bool emit_cors(struct compiler *c, const struct doc_node *n, void *config)
{
	if (!config)
		return false;
	if (c->section == SECTION_INBOUND)
		compile_preflight(c, config);
	emit(c, OP_POLICY, n, config);
	return true;
}

#define TEXT_ELEMENT(var, tag, what)                                                                               \
	static const struct arg_schema var##_text = {                                                                 \
		.name = tag, .kind = ARG_TEXT, .flags = ARG_REQUIRED | ARG_EXPR, .offset = offsetof(struct text_config, text), \
		.help = what,                                                                                         \
	};                                                                                                            \
	static const struct element_schema var##_schema = {                                                           \
		.name = tag, .help = what, .config_size = sizeof(struct text_config), .text = &var##_text,        \
	}

TEXT_ELEMENT(origin, "origin", "an origin such as https://www.example.com, or *");
TEXT_ELEMENT(method, "method", "an HTTP method, or *");
TEXT_ELEMENT(header, "header", "name of a header, or *");

#define LIST_ELEMENT(var, tag, least, child, what)                                                                \
	static const struct child_schema var##_children[] = {                                                         \
		{ .element = &child##_schema, .min = least, .offset = offsetof(struct cors_list, list) },             \
	};                                                                                                            \
	static const struct element_schema var##_schema = {                                                           \
		.name = tag, .help = what, .config_size = sizeof(struct cors_list), .children = var##_children,   \
		.n_children = 1,                                                                                      \
	}

LIST_ELEMENT(origins, "allowed-origins", 1, origin, "Origins that may call.");
LIST_ELEMENT(headers, "allowed-headers", 1, header, "Request headers that may be sent.");
LIST_ELEMENT(expose, "expose-headers", 1, header, "Response headers that the page may read.");

static const struct child_schema methods_children[] = {
	{ .element = &method_schema, .min = 1, .offset = offsetof(struct cors_methods, list) },
};
static const struct arg_schema methods_args[] = {
	{ .name = "preflight-result-max-age",
	  .kind = ARG_INT,
	  .flags = ARG_EXPR,
	  .least = 0,
	  .most = INT32_MAX,
	  .def = "0",
	  .offset = offsetof(struct cors_methods, max_age),
	  .help = "seconds for which a browser may remember the answer" },
};
static const struct element_schema methods_schema = {
	.name = "allowed-methods",
	.help = "Methods that may be used; not given: GET and POST.",
	.config_size = sizeof(struct cors_methods),
	.args = methods_args,
	.n_args = ARRAY_LEN(methods_args),
	.children = methods_children,
	.n_children = 1,
};
/* The reference's table requires <allowed-headers>; documents that are deployed leave it out, and it then allows none. */
static bool check_cors(struct compiler *c, const struct doc_node *n, void *config)
{
	if (!((const struct cors_config *)config)->headers.n)
		compile_warning(c, n, NULL, "<cors> without <allowed-headers> lets no header through but those that need no leave");
	return true;
}

static const struct child_schema children[] = {
	{ .element = &origins_schema, .min = 1, .max = 1, .offset = offsetof(struct cors_config, origins) },
	{ .element = &methods_schema, .max = 1, .offset = offsetof(struct cors_config, methods) },
	{ .element = &headers_schema, .max = 1, .offset = offsetof(struct cors_config, headers) },
	{ .element = &expose_schema, .max = 1, .offset = offsetof(struct cors_config, expose) },
};
static const struct arg_schema args[] = {
	{ .name = "allow-credentials",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "false",
	  .offset = offsetof(struct cors_config, credentials),
	  .help = "the browser may send cookies and certificates" },
	{ .name = "terminate-unmatched-request",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "true",
	  .offset = offsetof(struct cors_config, terminate),
	  .help = "answer a request of another origin with an empty 200" },
};
static const struct element_schema schema = {
	.name = "cors",
	.help = "Lets pages of other origins call the API, preflights included.",
	.config_size = sizeof(struct cors_config),
	.args = args,
	.n_args = ARRAY_LEN(args),
	.children = children,
	.n_children = ARRAY_LEN(children),
	.check = check_cors,
};
const struct policy_type cors_type = { .schema = &schema, .sections = IN_INBOUND, .once = true, .emit = emit_cors, .run = run };
