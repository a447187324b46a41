/* query.c - set-query-parameter. */
#include "policy/elements/message_ops.h"
#include "policy/elements/url.h"

#include "core/str.h"

enum action { OVERRIDE, SKIP, APPEND, DELETE };

struct config {
	struct arg name, action;
	struct children values;
};

static bool has(struct exchange *x, struct str name)
{
	struct str rest = x->request.url.query, n, v;

	while (rest.n && query_next(&rest, &n, &v))
		if (str_eq(url_decode(x->arena, n, true), name))
			return true;
	return false;
}

static bool add(struct exchange *x, const struct config *c, struct str name)
{
	struct str query = x->request.url.query, key = url_encode(x->arena, name, "$[]");

	for (size_t i = 0; i < c->values.n; i++) {
		struct str value;

		if (!arg_get_text(x, &((const struct value_config *)c->values.v[i].config)->text, &value))
			return false;
		query = arena_printf(x->arena, "%.*s%s%.*s=%.*s", STR_ARG(query), query.n ? "&" : "", STR_ARG(key),
				     STR_ARG(url_encode(x->arena, value, "/:@!$'()*,;?")));
	}
	if (c->values.n && str_is_null(query)) {
		exchange_no_memory(x);
		return false;
	}
	x->request.url.query = query;
	return true;
}

static enum step run(struct exchange *x, const void *config)
{
	const struct config *c = config;
	struct str name;
	int64_t action;

	if (!arg_get_text(x, &c->name, &name) || !arg_get_int(x, &c->action, &action))
		return STEP_FAIL;
	if (action == SKIP && has(x, name)) {
		exchange_trace(x, "%.*s is there already", STR_ARG(name));
		return STEP_NEXT;
	}
	if (action == OVERRIDE || action == DELETE)
		x->request.url.query = query_without(x->arena, x->request.url.query, name);
	if (action != DELETE && !add(x, c, name))
		return STEP_FAIL;
	exchange_trace(x, "query %.*s", STR_ARG(x->request.url.query));
	return STEP_NEXT;
}

static bool check(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct config *s = config;

	if (s->values.n || s->action.expr || s->action.number == DELETE)
		return true;
	compile_error(c, n, NULL, "`set-query-parameter` needs a <value>, unless exists-action is `delete`");
	return false;
}

static const struct arg_schema value_text = {
	.name = "value", .kind = ARG_TEXT, .flags = ARG_EXPR | ARG_EMPTY, .offset = offsetof(struct value_config, text),
	.help = "a value of the parameter",
};
static const struct element_schema value_schema = {
	.name = "value", .help = "A value.", .config_size = sizeof(struct value_config), .text = &value_text,
};
static const struct child_schema children[] = {
	{ .element = &value_schema, .offset = offsetof(struct config, values) },
};
static const struct arg_schema args[] = {
	{ .name = "name",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct config, name),
	  .help = "name of the parameter" },
	{ .name = "exists-action",
	  .kind = ARG_ENUM,
	  .flags = ARG_EXPR,
	  .choices = "override|skip|append|delete",
	  .def = "override",
	  .offset = offsetof(struct config, action),
	  .help = "what to do when the parameter is there already" },
};
static const struct element_schema schema = {
	.name = "set-query-parameter",
	.help = "Adds, replaces or removes a query parameter of the request to the backend.",
	.config_size = sizeof(struct config),
	.args = args,
	.n_args = ARRAY_LEN(args),
	.children = children,
	.n_children = ARRAY_LEN(children),
	.check = check,
};
const struct policy_type set_query_parameter_type = { .schema = &schema,
						      .sections = IN_INBOUND | IN_BACKEND,
						      .run = run };
