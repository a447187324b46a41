/* send_request.c - send-request and send-one-way-request: a call of its own beside the request. */
#include "policy/elements/backend_auth.h"
#include "policy/elements/identity.h"
#include "policy/elements/set_body.h"

#include "core/str.h"
#include "policy/context.h"

enum mode { MODE_NEW, MODE_COPY };

struct config {
	struct arg mode, variable, timeout, ignore_error;
	struct children parts;
};

struct state {
	struct subrequest sub;
	const struct identity_config *identity;
	struct identity_state token;
	bool token_done, sent;
};

/* ---- the request ------------------------------------------------------------------------------------------------- */

static const struct arg_schema url_text_schema = {
	.name = "url", .kind = ARG_TEXT, .flags = ARG_REQUIRED | ARG_EXPR, .offset = offsetof(struct text_config, text),
	.help = "the address",
};
static const struct element_schema set_url_schema = {
	.name = "set-url",
	.help = "Where the request goes.",
	.config_size = sizeof(struct text_config),
	.text = &url_text_schema,
};

static bool apply_url(struct exchange *x, const struct text_config *c, struct request *r)
{
	struct str text, copy;

	if (!arg_get_text(x, &c->text, &text))
		return false;
	copy = arena_dup(x->arena, str_trim(text));
	if (str_is_null(copy)) {
		exchange_no_memory(x);
		return false;
	}
	if (url_parse(copy, &r->url))
		return true;
	exchange_fail(x, 500, STR_NULL, "`%.*s` is no http or https address.", STR_ARG(str_first(text, 200)));
	return false;
}

static bool apply_part(struct exchange *x, const struct child *part, struct state *s)
{
	struct request *r = &s->sub.request;
	struct proxy_choice proxy;

	if (part->schema == &set_url_schema)
		return apply_url(x, part->config, r);
	if (part->schema == &set_method_schema)
		return apply_set_method(x, part->config, &r->method);
	if (part->schema == &set_header_schema)
		return apply_set_header(x, part->config, &r->headers);
	if (part->schema == &set_body_schema)
		return apply_set_body(x, part->config, &r->body, &r->headers);
	if (part->schema == &authentication_certificate_schema)
		return apply_certificate(x, part->config, &s->sub.client_cert_pem, &s->sub.client_key_pem);
	if (part->schema == &authentication_basic_schema)
		return apply_basic(x, part->config, &r->headers);
	if (part->schema == &managed_identity_schema) {
		s->identity = part->config;
		return true;
	}
	if (!apply_proxy(x, part->config, &proxy))
		return false;
	s->sub.proxy_url = proxy.url;
	s->sub.proxy_user = proxy.user;
	s->sub.proxy_password = proxy.password;
	return true;
}

static bool copy_request(struct exchange *x, struct request *r)
{
	static const struct str hop[] = { STR_INIT("Host"), STR_INIT("Content-Length"), STR_INIT("Transfer-Encoding"),
					  STR_INIT("Connection") };

	r->method = x->request.method;
	r->url = x->request.url;
	r->body = x->request.body;
	if (r->body.kind != BODY_HELD)
		r->body = (struct body){ .kind = BODY_NONE };
	if (!fields_copy(&r->headers, &x->request.headers))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(hop); i++)
		fields_remove(&r->headers, hop[i]);
	return true;
}

static bool prepare(struct exchange *x, const struct config *c, struct state *s)
{
	struct request *r = &s->sub.request;
	int64_t mode, timeout;

	fields_init(&r->headers, x->arena);
	r->method = STR("GET");
	if (!arg_get_int(x, &c->mode, &mode) || !arg_get_int(x, &c->timeout, &timeout))
		return false;
	s->sub.timeout_ms = (uint32_t)(timeout * 1000);
	if (mode == MODE_COPY && !copy_request(x, r)) {
		exchange_no_memory(x);
		return false;
	}
	for (size_t i = 0; i < c->parts.n; i++)
		if (!apply_part(x, &c->parts.v[i], s))
			return false;
	return true;
}

/* ---- going ------------------------------------------------------------------------------------------------------- */

static enum step answered(struct exchange *x, const struct config *c, struct state *s)
{
	struct str url = x->trace_on ? url_text(x->arena, &s->sub.request.url) : STR_NULL;
	struct value v = VALUE_NULL_INIT;
	struct str variable;

	if (!arg_get_text(x, &c->variable, &variable))
		return STEP_FAIL;
	if (s->sub.failure == CALL_OK) {
		exchange_trace(x, "%.*s %.*s: %d", STR_ARG(s->sub.request.method), STR_ARG(url),
			       s->sub.response.status);
		v = context_response(x->arena, &s->sub.response);
	} else {
		exchange_trace(x, "%.*s %.*s failed: %.*s", STR_ARG(s->sub.request.method), STR_ARG(url),
			       STR_ARG(s->sub.failure_text));
		if (!c->ignore_error.number)
			return exchange_fail(x, 500,
					     s->sub.failure == CALL_TIMEOUT ? STR("Timeout")
									    : STR("BackendConnectionFailure"),
					     "%.*s", STR_ARG(s->sub.failure_text));
	}
	if (variable.n && !exchange_set_variable(x, variable, v))
		return exchange_no_memory(x);
	return STEP_NEXT;
}

static enum step token_step(struct exchange *x, struct state *s)
{
	enum step step = identity_token(x, s->identity, &s->token);
	struct str value;

	if (step != STEP_NEXT)
		return step;
	s->token_done = true;
	if (str_is_null(s->token.token))
		return STEP_NEXT;
	if (s->identity->variable.given)
		return exchange_set_variable(x, s->identity->variable.text,
					     value_string(x->arena, s->token.token, true))
			? STEP_NEXT
			: exchange_no_memory(x);
	value = arena_printf(x->arena, "Bearer %.*s", STR_ARG(s->token.token));
	if (str_is_null(value) || !fields_set(&s->sub.request.headers, STR("Authorization"), value))
		return exchange_no_memory(x);
	return STEP_NEXT;
}

static enum step go_on(struct exchange *x, const struct config *c, struct state *s)
{
	enum step step = STEP_NEXT;

	if (s->identity && !s->token_done) {
		step = token_step(x, s);
		if (step != STEP_NEXT)
			return step;
	}
	if (!s->sent) {
		s->sent = true;
		step = x->host->send(x, &s->sub);
		if (step == STEP_FAIL)
			return step;
	}
	if (s->sub.one_way)
		return STEP_NEXT;
	return s->sub.done ? answered(x, c, s) : STEP_WAIT;
}

static enum step start(struct exchange *x, const void *config, bool one_way)
{
	struct state *s = arena_new_of(x->arena, struct state);

	if (!s)
		return exchange_no_memory(x);
	*step_state(x) = s;
	s->sub.one_way = one_way;
	return prepare(x, config, s) ? go_on(x, config, s) : STEP_FAIL;
}

static enum step run(struct exchange *x, const void *config)
{
	return start(x, config, false);
}

static enum step run_one_way(struct exchange *x, const void *config)
{
	return start(x, config, true);
}

static enum step resume(struct exchange *x, const void *config)
{
	return go_on(x, config, *step_state(x));
}

/* ---- compile ----------------------------------------------------------------------------------------------------- */

static bool check(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct config *s = config;
	bool url = false;

	for (size_t i = 0; i < s->parts.n; i++)
		url |= s->parts.v[i].schema == &set_url_schema;
	if (!s->mode.expr && s->mode.number == MODE_COPY) {
		c->uses.request_body = true;
		return true;
	}
	if (!url && !s->mode.expr)
		compile_error(c, n, NULL, "<%.*s mode=\"new\"> needs a <set-url>", STR_ARG(n->name));
	return url || s->mode.expr;
}

static bool check_answered(struct compiler *c, const struct doc_node *n, void *config)
{
	if (!((const struct config *)config)->variable.given)
		compile_warning(c, n, NULL, "<send-request> without `response-variable-name` waits for a response that nobody can read");
	return check(c, n, config);
}

static const struct child_schema children[] = {
	{ .element = &set_url_schema, .max = 1, .offset = offsetof(struct config, parts) },
	{ .element = &set_method_schema, .max = 1, .offset = offsetof(struct config, parts) },
	{ .element = &set_header_schema, .offset = offsetof(struct config, parts) },
	{ .element = &set_body_schema, .max = 1, .offset = offsetof(struct config, parts) },
	{ .element = &authentication_certificate_schema, .max = 1, .offset = offsetof(struct config, parts) },
	{ .element = &authentication_basic_schema, .max = 1, .offset = offsetof(struct config, parts) },
	{ .element = &managed_identity_schema, .max = 1, .offset = offsetof(struct config, parts) },
	{ .element = &proxy_schema, .max = 1, .offset = offsetof(struct config, parts) },
};

#define COMMON_ARGS                                                                                                   \
	{ .name = "mode", .kind = ARG_ENUM, .flags = ARG_EXPR, .choices = "new|copy", .def = "new",                   \
	  .offset = offsetof(struct config, mode), .help = "an empty request, or a copy of the present one" },        \
	{ .name = "timeout", .kind = ARG_INT, .flags = ARG_EXPR, .least = 1, .most = 86400, .def = "60",              \
	  .offset = offsetof(struct config, timeout), .help = "seconds the call may take" }

static const struct arg_schema args[] = {
	COMMON_ARGS,
	/* the reference's table calls it required, and two of its examples leave it out */
	{ .name = "response-variable-name",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR,
	  .offset = offsetof(struct config, variable),
	  .help = "variable for the response" },
	{ .name = "ignore-error",
	  .kind = ARG_BOOL,
	  .def = "false",
	  .offset = offsetof(struct config, ignore_error),
	  .help = "a failed call leaves null in the variable instead of going to on-error" },
};
static const struct element_schema schema = {
	.name = "send-request",
	.help = "Calls an address and keeps the response in a variable.",
	.config_size = sizeof(struct config),
	.args = args,
	.n_args = ARRAY_LEN(args),
	.children = children,
	.n_children = ARRAY_LEN(children),
	.check = check_answered,
};
const struct policy_type send_request_type = { .schema = &schema, .sections = IN_ANY, .run = run, .resume = resume };

static const struct arg_schema one_way_args[] = { COMMON_ARGS };
static const struct element_schema one_way_schema = {
	.name = "send-one-way-request",
	.help = "Calls an address and does not wait for the response.",
	.config_size = sizeof(struct config),
	.args = one_way_args,
	.n_args = ARRAY_LEN(one_way_args),
	.children = children,
	.n_children = ARRAY_LEN(children),
	.check = check,
};
const struct policy_type send_one_way_request_type = {
	.schema = &one_way_schema, .sections = IN_ANY, .run = run_one_way, .resume = resume
};
