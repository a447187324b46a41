/* compile_element.c - an element and its schema to a configuration struct, with all that is wrong reported at once. */
#include "policy/compile.h"

#include "core/str.h"
#include "core/suggest.h"

#include <stdarg.h>
#include <stdio.h>

enum { NAMES_MAX = 64 };

/* ---- reporting --------------------------------------------------------------------------------------------------- */

static void report(struct compiler *c, const struct doc_node *n, const char *attr, bool warning, const char *fmt,
		   va_list ap)
{
	const struct doc_attr *a = attr ? doc_attr(n, str_of(attr)) : NULL;
	char text[1024];
	unsigned line, column;

	vsnprintf(text, sizeof(text), fmt, ap);
	document_place(c->doc, a ? a->at : n->at, &line, &column);
	if (warning)
		policy_warning(c->diags, line, column, "%s", text);
	else
		policy_error(c->diags, line, column, "%s", text);
}

void compile_error(struct compiler *c, const struct doc_node *n, const char *attr, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(c, n, attr, false, fmt, ap);
	va_end(ap);
}

void compile_warning(struct compiler *c, const struct doc_node *n, const char *attr, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(c, n, attr, true, fmt, ap);
	va_end(ap);
}

void *compile_no_memory(struct compiler *c)
{
	c->builder->failed = true;
	return NULL;
}

uint32_t line_of(const struct compiler *c, const struct doc_node *n)
{
	unsigned line, column;

	document_place(c->doc, n->at, &line, &column);
	return line;
}

#define ERROR_AT(c, offset, ...)                                                        \
	do {                                                                            \
		unsigned line_, column_;                                                \
		document_place((c)->doc, (offset), &line_, &column_);                   \
		policy_error((c)->diags, line_, column_, __VA_ARGS__);                  \
	} while (0)

/* ---- arguments --------------------------------------------------------------------------------------------------- */

static struct arg *arg_at(void *config, const struct arg_schema *s)
{
	return (struct arg *)(void *)((char *)config + s->offset);
}

static void set_default(struct compiler *c, const struct arg_schema *s, struct arg *out)
{
	struct str why;

	*out = (struct arg){ .schema = s };
	if (s->def && !arg_literal(c->arena, s, str_of(s->def), out, &why))
		out->text = str_of(s->def);
}

static bool is_liquid(const struct doc_node *n, const struct arg_schema *s)
{
	const struct doc_attr *t = s->flags & ARG_TEMPLATE ? doc_attr(n, STR("template")) : NULL;

	return t && str_eq_ci(str_trim(t->value.text), STR("liquid"));
}

static void fill_arg(struct compiler *c, const struct doc_node *n, const struct arg_schema *s, const struct doc_text *t,
		     struct arg *out)
{
	const char *kind = s->name && doc_attr(n, str_of(s->name)) ? "attribute" : "text";
	struct doc_text text;
	struct str why = STR("another value");

	if (!substitute(c, t, is_liquid(n, s), &text, &out->unknown))
		return;
	out->given = true;
	if (text.expression) {
		if (!(s->flags & ARG_EXPR)) {
			ERROR_AT(c, t->at, "%s `%s` of <%.*s> takes no policy expression", kind, s->name,
				 STR_ARG(n->name));
			return;
		}
		out->expr = compile_expression(c, &text, out->unknown);
		out->text = text.text;
		return;
	}
	if (out->unknown) {
		out->text = text.text;
		out->number = s->least;
		return;
	}
	if (str_find(text.text, STR("@(")) != SIZE_MAX && (s->flags & ARG_EXPR) && s->kind == ARG_TEXT)
		compile_warning(c, n, s->name, "`%s` holds `@(` but does not begin with it, so all of it is plain text",
				s->name);
	if (!arg_literal(c->arena, s, text.text, out, &why))
		ERROR_AT(c, t->at, "%s `%s` of <%.*s> must be %.*s, not `%.*s`", kind, s->name, STR_ARG(n->name),
			 STR_ARG(why), STR_ARG(str_first(text.text, 80)));
}

static const struct arg_schema *find_arg(const struct element_schema *s, struct str name)
{
	for (size_t i = 0; i < s->n_args; i++)
		if (str_eq(str_of(s->args[i].name), name))
			return &s->args[i];
	return NULL;
}

static void unknown_attr(struct compiler *c, const struct doc_node *n, const struct element_schema *s,
			 const struct doc_attr *a)
{
	const char *names[NAMES_MAX + 1], *near;
	size_t k = 0;

	if (str_eq(a->name, STR("id"))) {
		if (!policy_type_find(n->name))
			policy_warning(c->diags, line_of(c, n), 1, "`id` of <%s> has no effect here", s->name);
		return;
	}
	if (str_starts(a->name, STR("xmlns")) || str_starts(a->name, STR("xml:")))
		return;
	for (; k < s->n_args && k < NAMES_MAX; k++)
		names[k] = s->args[k].name;
	names[k] = NULL;
	near = suggest(a->name, names);
	if (near)
		ERROR_AT(c, a->at, "`%s` has no attribute `%.*s`; did you mean `%s`?", s->name, STR_ARG(a->name), near);
	else
		ERROR_AT(c, a->at, "`%s` has no attribute `%.*s`", s->name, STR_ARG(a->name));
}

static void fill_args(struct compiler *c, const struct doc_node *n, const struct element_schema *s, void *config)
{
	for (size_t i = 0; i < s->n_args; i++)
		set_default(c, &s->args[i], arg_at(config, &s->args[i]));
	for (const struct doc_attr *a = n->attrs; a; a = a->next) {
		const struct arg_schema *as = find_arg(s, a->name);

		if (as)
			fill_arg(c, n, as, &a->value, arg_at(config, as));
		else
			unknown_attr(c, n, s, a);
	}
	for (size_t i = 0; i < s->n_args; i++)
		if ((s->args[i].flags & ARG_REQUIRED) && !doc_attr(n, str_of(s->args[i].name)))
			compile_error(c, n, NULL, "`%s` needs the attribute `%s` (%s)", s->name, s->args[i].name,
				      s->args[i].help);
}

/* ---- text and children ------------------------------------------------------------------------------------------- */

static void fill_text(struct compiler *c, const struct doc_node *n, const struct element_schema *s, void *config)
{
	struct doc_text t = n->text;

	if (!s->text) {
		if (n->has_text && s->content != CONTENT_MARKUP)
			compile_error(c, n, NULL, "<%s> holds no text", s->name);
		return;
	}
	set_default(c, s->text, arg_at(config, s->text));
	if (n->first)
		return;
	if (!t.expression && !str_trim(t.text).n)
		t.text = STR("");
	if (s->text->flags & ARG_VERBATIM) {
		/* as it stands */
	} else if (!t.expression && !t.runs) {
		struct str trimmed = str_trim(t.text);

		t.at += trimmed.n ? (uint32_t)(trimmed.p - t.text.p) : 0;
		t.text = trimmed;
	} else if (!t.expression) {
		t.text = str_trim(t.text);
	}
	if (!t.text.n)
		t.at = n->at;
	if (t.text.n || (s->text->flags & ARG_EMPTY))
		fill_arg(c, n, s->text, &t, arg_at(config, s->text));
	else if (s->text->flags & ARG_REQUIRED)
		compile_error(c, n, NULL, "<%s> needs a text: %s", s->name, s->text->help);
}

static const struct child_schema *find_child(const struct element_schema *s, struct str name)
{
	for (size_t i = 0; i < s->n_children; i++)
		if (str_eq(str_of(s->children[i].element->name), name))
			return &s->children[i];
	return NULL;
}

static void unknown_child(struct compiler *c, const struct doc_node *n, const struct element_schema *s)
{
	const char *names[NAMES_MAX + 1], *near;
	size_t k = 0;

	for (; k < s->n_children && k < NAMES_MAX; k++)
		names[k] = s->children[k].element->name;
	names[k] = NULL;
	near = suggest(n->name, names);
	if (!k)
		compile_error(c, n, NULL, "<%s> holds no elements, <%.*s> cannot stand in it", s->name,
			      STR_ARG(n->name));
	else if (near)
		compile_error(c, n, NULL, "<%.*s> cannot stand in <%s>; did you mean <%s>?", STR_ARG(n->name), s->name,
			      near);
	else
		compile_error(c, n, NULL, "<%.*s> cannot stand in <%s>", STR_ARG(n->name), s->name);
}

static bool add_child(struct compiler *c, const struct child_schema *cs, const struct doc_node *n, void *config,
		      size_t most)
{
	struct children *list = (struct children *)(void *)((char *)config + cs->offset);
	struct child *to;

	if (!list->v && !(list->v = arena_alloc(c->arena, most, sizeof(*list->v))))
		return compile_no_memory(c) != NULL;
	to = &list->v[list->n++];
	to->schema = cs->element;
	to->line = line_of(c, n);
	to->config = compile_element(c, n, cs->element);
	return to->config != NULL;
}

static void fill_children(struct compiler *c, const struct doc_node *n, const struct element_schema *s, void *config)
{
	size_t most = 0;

	for (const struct doc_node *k = n->first; k; k = k->next)
		most++;
	for (const struct doc_node *k = n->first; k; k = k->next) {
		const struct child_schema *cs = find_child(s, k->name);
		unsigned before = 0;

		if (!cs) {
			unknown_child(c, k, s);
			continue;
		}
		for (const struct doc_node *i = n->first; i != k; i = i->next)
			before += str_eq(i->name, k->name);
		if (cs->max && before == cs->max)
			compile_error(c, k, NULL, "<%s> stands more than %s in <%s>", cs->element->name,
				      cs->max == 1 ? "once" : "the allowed number of times", s->name);
		if (!add_child(c, cs, k, config, most))
			continue;
	}
	for (size_t i = 0; i < s->n_children; i++) {
		unsigned have = 0;

		for (const struct doc_node *k = n->first; k; k = k->next)
			have += str_eq(k->name, str_of(s->children[i].element->name));
		if (have < s->children[i].min)
			compile_error(c, n, NULL, "<%s> needs %s <%s> inside", s->name,
				      s->children[i].min == 1 ? "a" : "more", s->children[i].element->name);
	}
}

void *compile_element(struct compiler *c, const struct doc_node *n, const struct element_schema *s)
{
	void *config = arena_alloc(c->arena, 1, s->config_size ? s->config_size : 1);
	size_t errors = c->diags->errors;

	if (!config)
		return compile_no_memory(c);
	fill_args(c, n, s, config);
	fill_text(c, n, s, config);
	if (s->content == CONTENT_ELEMENTS)
		fill_children(c, n, s, config);
	if (c->diags->errors != errors)
		return NULL;
	if (s->check && !s->check(c, n, config))
		return NULL;
	return config;
}

void compile_uses_body(struct compiler *c)
{
	if (c->section == SECTION_INBOUND || c->section == SECTION_BACKEND)
		c->uses.request_body = true;
	else
		c->uses.response_body = true;
}
