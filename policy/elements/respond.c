/* respond.c - return-response: the answer of the gateway itself. Nothing runs after it. */
#include "policy/elements/set_body.h"

#include "core/str.h"
#include "policy/context.h"

struct config {
	struct arg variable;
	struct children parts;
};

static bool from_variable(struct exchange *x, struct str name, struct response *out)
{
	const struct value *v = exchange_variable(x, name);
	const struct response *r = v ? context_response_of(x, *v) : NULL;

	if (!r) {
		exchange_fail(x, 500, STR_NULL, "The variable `%.*s` holds no response.", STR_ARG(name));
		return false;
	}
	*out = *r;
	fields_init(&out->headers, x->arena);
	if (fields_copy(&out->headers, &r->headers))
		return true;
	exchange_no_memory(x);
	return false;
}

static bool apply_part(struct exchange *x, const struct child *part, struct response *out)
{
	if (part->schema == &set_status_schema)
		return apply_set_status(x, part->config, out);
	if (part->schema == &set_header_schema)
		return apply_set_header(x, part->config, &out->headers);
	return apply_set_body(x, part->config, &out->body, &out->headers);
}

static enum step run(struct exchange *x, const void *config)
{
	const struct config *c = config;
	struct response made = { .status = 200, .reason = STR_INIT("OK") };

	fields_init(&made.headers, x->arena);
	if (c->variable.given && !from_variable(x, c->variable.text, &made))
		return STEP_FAIL;
	for (size_t i = 0; i < c->parts.n; i++)
		if (!apply_part(x, &c->parts.v[i], &made))
			return STEP_FAIL;
	x->response = made;
	return STEP_RESPOND;
}

static const struct child_schema children[] = {
	{ .element = &set_status_schema, .max = 1, .offset = offsetof(struct config, parts) },
	{ .element = &set_header_schema, .offset = offsetof(struct config, parts) },
	{ .element = &set_body_schema, .max = 1, .offset = offsetof(struct config, parts) },
};
static const struct arg_schema args[] = {
	{ .name = "response-variable-name", .kind = ARG_TEXT, .offset = offsetof(struct config, variable),
	  .help = "variable with a response (of send-request) to start from" },
};
static const struct element_schema schema = {
	.name = "return-response",
	.help = "Ends the work on the request and answers: 200 without a body when nothing else is said.",
	.config_size = sizeof(struct config),
	.args = args,
	.n_args = ARRAY_LEN(args),
	.children = children,
	.n_children = ARRAY_LEN(children),
};
const struct policy_type return_response_type = { .schema = &schema, .sections = IN_ANY, .run = run };
