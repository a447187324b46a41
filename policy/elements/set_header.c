/* set_header.c - set-header: one header field of the request or the response. */
#include "policy/elements/message_ops.h"

#include "core/str.h"

enum action { OVERRIDE, SKIP, APPEND, DELETE };
enum { VALUES_MAX = 64 };

/* Fields that belong to the connection: they are made anew on each hop. */
static const struct str untouchable[] = { STR_INIT("Connection"), STR_INIT("Content-Length"), STR_INIT("Keep-Alive"),
					  STR_INIT("Transfer-Encoding") };
/* Several values of these stay several fields; of all others they become one, separated by commas. */
static const struct str never_joined[] = {
	STR_INIT("User-Agent"),
	STR_INIT("WWW-Authenticate"),
	STR_INIT("Proxy-Authenticate"),
	STR_INIT("Cookie"),
	STR_INIT("Set-Cookie"),
	STR_INIT("Warning"),
	STR_INIT("Date"),
	STR_INIT("Expires"),
	STR_INIT("If-Modified-Since"),
	STR_INIT("If-Unmodified-Since"),
	STR_INIT("Last-Modified"),
	STR_INIT("Retry-After"),
};

static bool among(struct str name, const struct str *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_ci(list[i], name))
			return true;
	return false;
}

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && !strchr("!#$%&'*+-.^_`|~", s.p[i]))
			return false;
	return s.n > 0;
}

static bool is_field_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' && s.p[i] != '\t')
			return false;
	return true;
}

static struct header_kind kind_of(struct str name)
{
	return (struct header_kind){ among(name, untouchable, ARRAY_LEN(untouchable)),
				     among(name, never_joined, ARRAY_LEN(never_joined)) };
}

static bool read_values(struct exchange *x, const struct set_header_config *c, struct str name,
			struct str out[VALUES_MAX])
{
	for (size_t i = 0; i < c->values.n; i++) {
		const struct value_config *v = c->values.v[i].config;

		if (c->fixed) {
			out[i] = v->text.text;
			continue;
		}
		if (!arg_get_text(x, &v->text, &out[i]))
			return false;
		out[i] = str_trim(out[i]);
		if (str_is_null(out[i]))
			out[i] = STR("");
		if (!is_field_value(out[i])) {
			exchange_fail(x, 500, STR_NULL,
				      "The value of header %.*s holds a line break or another control character.",
				      STR_ARG(name));
			return false;
		}
	}
	return true;
}

static bool add_values(struct exchange *x, struct fields *to, struct str name, struct header_kind kind,
		       const struct str *v, size_t n)
{
	struct str all = n ? v[0] : STR("");

	if (kind.never_joined) {
		for (size_t i = 0; i < n; i++)
			if (!fields_add(to, name, v[i]))
				return false;
		return true;
	}
	for (size_t i = 1; i < n; i++)
		all = arena_printf(x->arena, "%.*s,%.*s", STR_ARG(all), STR_ARG(v[i]));
	return !str_is_null(all) && fields_add(to, name, all);
}

static bool append_values(struct exchange *x, struct fields *to, struct str name, struct header_kind kind,
			  struct str *v, size_t n)
{
	struct str before = fields_joined(to, name);

	if (str_is_null(before) || kind.never_joined)
		return add_values(x, to, name, kind, v, n);
	for (size_t i = 0; i < n; i++)
		before = arena_printf(x->arena, "%.*s,%.*s", STR_ARG(before), STR_ARG(v[i]));
	return !str_is_null(before) && fields_set(to, name, before);
}

/* What a literal name is like was found out when the document was compiled. */
static bool read_name(struct exchange *x, const struct set_header_config *c, struct str *name, struct header_kind *kind)
{
	*kind = c->kind;
	if (!arg_get_text(x, &c->name, name))
		return false;
	if (!c->name.expr)
		return true;
	*kind = kind_of(*name);
	if (is_token(*name))
		return true;
	exchange_fail(x, 500, STR_NULL, "`%.*s` is no name of a header.", STR_ARG(str_first(*name, 80)));
	return false;
}

bool apply_set_header(struct exchange *x, const struct set_header_config *c, struct fields *to)
{
	struct str name, values[VALUES_MAX];
	struct header_kind kind;
	int64_t action;
	bool ok = true;

	if (!read_name(x, c, &name, &kind) || !arg_get_int(x, &c->action, &action) || !read_values(x, c, name, values))
		return false;
	if (kind.untouchable) {
		exchange_trace(x, "%.*s belongs to the connection and is left alone", STR_ARG(name));
		return true;
	}
	if (action == SKIP && fields_count(to, name)) {
		exchange_trace(x, "%.*s is there already", STR_ARG(name));
		return true;
	}
	if (action == APPEND) {
		ok = append_values(x, to, name, kind, values, c->values.n);
	} else {
		fields_remove(to, name);
		if (action != DELETE)
			ok = add_values(x, to, name, kind, values, c->values.n);
	}
	exchange_trace(x, action == DELETE ? "%.*s removed%.*s" : "%.*s: %.*s", STR_ARG(name),
		       STR_ARG(c->values.n && action != DELETE ? values[0] : STR("")));
	if (!ok)
		exchange_no_memory(x);
	return ok;
}

/* Literal values are trimmed and looked through once; one that no field can have fails when it is used. */
static bool fix_values(struct children *values)
{
	bool all = true;

	for (size_t i = 0; i < values->n; i++) {
		struct value_config *v = values->v[i].config;

		if (v->text.expr || !is_field_value(str_trim(v->text.text))) {
			all = false;
			continue;
		}
		v->text.text = str_is_null(v->text.text) ? STR("") : str_trim(v->text.text);
	}
	return all;
}

static bool check(struct compiler *c, const struct doc_node *n, void *config)
{
	struct set_header_config *s = config;
	bool removes = !s->action.expr && s->action.number == DELETE;

	if (!s->values.n && !removes && !s->action.expr) {
		compile_error(c, n, NULL, "`set-header` needs a <value>, unless exists-action is `delete`");
		return false;
	}
	if (s->values.n > VALUES_MAX) {
		compile_error(c, n, NULL, "`set-header` takes at most %d values", VALUES_MAX);
		return false;
	}
	if (!s->name.expr && !s->name.unknown && !is_token(s->name.text)) {
		compile_error(c, n, "name", "`%.*s` is no name of a header", STR_ARG(s->name.text));
		return false;
	}
	s->fixed = fix_values(&s->values);
	if (s->name.expr)
		return true;
	s->kind = kind_of(s->name.text);
	if (s->kind.untouchable)
		compile_warning(c, n, "name", "`%.*s` belongs to the connection; setting it has no effect",
				STR_ARG(s->name.text));
	return true;
}

static const struct arg_schema value_text = {
	.name = "value", .kind = ARG_TEXT, .flags = ARG_EXPR | ARG_EMPTY, .offset = offsetof(struct value_config, text),
	.help = "a value of the header",
};
static const struct element_schema value_schema = {
	.name = "value", .help = "A value.", .config_size = sizeof(struct value_config), .text = &value_text,
};
static const struct child_schema children[] = {
	{ .element = &value_schema, .offset = offsetof(struct set_header_config, values) },
};
static const struct arg_schema args[] = {
	{ .name = "name",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct set_header_config, name),
	  .help = "name of the header" },
	{ .name = "exists-action",
	  .kind = ARG_ENUM,
	  .flags = ARG_EXPR,
	  .choices = "override|skip|append|delete",
	  .def = "override",
	  .offset = offsetof(struct set_header_config, action),
	  .help = "what to do when the header is there already" },
};
const struct element_schema set_header_schema = {
	.name = "set-header", .help = "Adds, replaces or removes a header of the request or the response.",
	.config_size = sizeof(struct set_header_config), .args = args, .n_args = ARRAY_LEN(args), .children = children,
	.n_children = ARRAY_LEN(children), .check = check,
};

static enum step run(struct exchange *x, const void *config)
{
	return apply_set_header(x, config, message_headers(x)) ? STEP_NEXT : STEP_FAIL;
}

const struct policy_type set_header_type = { .schema = &set_header_schema, .sections = IN_ANY, .run = run };
