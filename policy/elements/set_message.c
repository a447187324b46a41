/* set_message.c - set-method, set-status and set-variable: one small fact of the message or the exchange. */
#include "policy/elements/message_ops.h"

#include "core/http_status.h"
#include "core/str.h"

/* ---- set-method -------------------------------------------------------------------------------------------------- */

static bool is_method(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && !strchr("-_", s.p[i]))
			return false;
	return s.n > 0 && s.n <= 64;
}

bool apply_set_method(struct exchange *x, const struct text_config *c, struct str *to)
{
	struct str method;
	char *p;

	if (!arg_get_text(x, &c->text, &method))
		return false;
	method = str_trim(method);
	if (!is_method(method)) {
		exchange_fail(x, 500, STR_NULL, "`%.*s` is no HTTP method.", STR_ARG(str_first(method, 80)));
		return false;
	}
	p = arena_alloc_text(x->arena, method.n);
	if (!p) {
		exchange_no_memory(x);
		return false;
	}
	for (size_t i = 0; i < method.n; i++)
		p[i] = ascii_upper(method.p[i]);
	*to = (struct str){ p, method.n };
	exchange_trace(x, "method %.*s", STR_ARG(*to));
	return true;
}

static enum step run_method(struct exchange *x, const void *config)
{
	return apply_set_method(x, config, &x->request.method) ? STEP_NEXT : STEP_FAIL;
}

static bool check_method(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct text_config *m = config;

	if (m->text.expr || m->text.unknown || is_method(m->text.text))
		return true;
	compile_error(c, n, NULL, "`%.*s` is no HTTP method", STR_ARG(m->text.text));
	return false;
}

static const struct arg_schema method_text = {
	.name = "method",
	.kind = ARG_TEXT,
	.flags = ARG_REQUIRED | ARG_EXPR,
	.offset = offsetof(struct text_config, text),
	.help = "the HTTP method",
};
const struct element_schema set_method_schema = {
	.name = "set-method",
	.help = "Changes the HTTP method of the request.",
	.config_size = sizeof(struct text_config),
	.text = &method_text,
	.check = check_method,
};
const struct policy_type set_method_type = { .schema = &set_method_schema,
					     .sections = IN_INBOUND | IN_ON_ERROR,
					     .run = run_method };

/* ---- set-status -------------------------------------------------------------------------------------------------- */

bool apply_set_status(struct exchange *x, const struct set_status_config *c, struct response *to)
{
	struct str reason;
	int64_t code;

	if (!arg_get_int(x, &c->code, &code) || !arg_get_text(x, &c->reason, &reason))
		return false;
	for (size_t i = 0; i < reason.n; i++)
		if ((unsigned char)reason.p[i] < ' ' && reason.p[i] != '\t') {
			exchange_fail(x, 500, STR_NULL,
				      "The reason of the status holds a line break or another control character.");
			return false;
		}
	to->status = (int)code;
	to->reason = c->reason.given && !str_is_null(reason) ? reason : http_reason((int)code);
	exchange_trace(x, "status %d %.*s", to->status, STR_ARG(to->reason));
	return true;
}

static enum step run_status(struct exchange *x, const void *config)
{
	return apply_set_status(x, config, &x->response) ? STEP_NEXT : STEP_FAIL;
}

static const struct arg_schema status_args[] = {
	{ .name = "code",
	  .kind = ARG_INT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .least = 100,
	  .most = 999,
	  .offset = offsetof(struct set_status_config, code),
	  .help = "the status code" },
	{ .name = "reason",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR | ARG_EMPTY,
	  .offset = offsetof(struct set_status_config, reason),
	  .help = "the reason phrase; not given: the usual one of the code" },
};
const struct element_schema set_status_schema = {
	.name = "set-status",
	.help = "Sets the status of the response.",
	.config_size = sizeof(struct set_status_config),
	.args = status_args,
	.n_args = ARRAY_LEN(status_args),
};
const struct policy_type set_status_type = { .schema = &set_status_schema, .sections = IN_ANY, .run = run_status };

/* ---- set-variable ------------------------------------------------------------------------------------------------ */

struct variable_config {
	struct arg name, value;
};

static enum step run_variable(struct exchange *x, const void *config)
{
	const struct variable_config *c = config;
	struct value v;

	if (!arg_get_value(x, &c->value, &v))
		return STEP_FAIL;
	if (!exchange_set_variable(x, c->name.text, v))
		return exchange_no_memory(x);
	if (x->trace_on)
		exchange_trace(x, "%.*s = %.*s", STR_ARG(c->name.text),
			       STR_ARG(str_first(exchange_mask(x, value_to_text(x->arena, v)), 200)));
	return STEP_NEXT;
}

static const struct arg_schema variable_args[] = {
	{ .name = "name", .kind = ARG_TEXT, .flags = ARG_REQUIRED, .offset = offsetof(struct variable_config, name),
	  .help = "name of the variable" },
	{ .name = "value", .kind = ARG_TEXT, .flags = ARG_REQUIRED | ARG_EXPR | ARG_EMPTY,
	  .offset = offsetof(struct variable_config, value), .help = "its value; a literal is always a string" },
};
static const struct element_schema variable_schema = {
	.name = "set-variable", .help = "Keeps a value for later policies: `context.Variables[\"name\"]`.",
	.config_size = sizeof(struct variable_config), .args = variable_args, .n_args = ARRAY_LEN(variable_args),
};
const struct policy_type set_variable_type = { .schema = &variable_schema, .sections = IN_ANY, .run = run_variable };
