/* query.c - set-query-parameter. */
#include "policy/elements/message_ops.h"
#include "policy/elements/url.h"

#include "core/str.h"

enum action { OVERRIDE, SKIP, APPEND, DELETE };

struct config {
	struct arg name, action;
	struct children values;
	struct str pairs;            /* name=value&… of a literal name and literal values; null: expressions are among them */
};

static bool has(struct exchange *x, struct str name)
{
	struct str rest = x->request.url.query, n, v;

	while (rest.n && query_next(&rest, &n, &v))
		if (str_eq(url_decode(x->arena, n, true), name))
			return true;
	return false;
}

/* The pair behind what is there. STR_NULL: out of memory. */
static struct str pair(struct arena *a, struct str before, struct str name, struct str value)
{
	struct str key = url_encode(a, name, "$[]"), text = url_encode(a, value, "/:@!$'()*,;?");

	if (str_is_null(key) || str_is_null(text))
		return STR_NULL;
	return arena_join(a, (struct str[]){ before, before.n ? STR("&") : STR(""), key, STR("="), text }, 5);
}

static bool add(struct exchange *x, const struct config *c, struct str name)
{
	struct str query = x->request.url.query, value;
	bool ok = true;

	if (c->pairs.n) {
		query = query.n ? arena_join(x->arena, (struct str[]){ query, STR("&"), c->pairs }, 3) : c->pairs;
		ok = !str_is_null(query);
	}
	for (size_t i = 0; !c->pairs.n && ok && i < c->values.n; i++) {
		if (!arg_get_text(x, &((const struct value_config *)c->values.v[i].config)->text, &value))
			return false;
		query = pair(x->arena, query, name, value);
		ok = !str_is_null(query);
	}
	if (!ok)
		exchange_no_memory(x);
	else
		x->request.url.query = query;
	return ok;
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

/* STR_NULL: an expression is among them. */
static struct str literal_pairs(struct compiler *c, const struct config *s)
{
	struct str pairs = STR_NULL;

	for (size_t i = 0; i < s->values.n && !s->name.expr; i++) {
		const struct value_config *v = s->values.v[i].config;

		if (v->text.expr)
			return STR_NULL;
		pairs = pair(c->arena, pairs, s->name.text, v->text.text);
	}
	return pairs;
}

static bool check(struct compiler *c, const struct doc_node *n, void *config)
{
	struct config *s = config;

	s->pairs = literal_pairs(c, s);
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
