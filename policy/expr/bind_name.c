/* bind_name.c - names, members and indexers: what stands before and after a dot. */
#include "core/str.h"
#include "policy/expr/bind.h"

static struct node *type_node(struct binder *b, size_t at, const struct type *t)
{
	struct node *n = bind_node(b, N_TYPE, at, &type_open);

	if (n)
		n->tested = t;
	return n;
}

static const struct type *context_type(void)
{
	static const struct type *cached;
	const struct type *t = __atomic_load_n(&cached, __ATOMIC_ACQUIRE);

	if (!t) {
		t = type_named("IProxyRequestContext");
		__atomic_store_n(&cached, t, __ATOMIC_RELEASE);
	}
	return t;
}

struct node *bind_name(struct binder *b, struct syntax *s)
{
	struct local *l = local_find(b, s->text);
	const struct type *t;
	struct node *n;

	if (s->b && l && !l->generic)
		l = NULL;
	if (l && l->is_const)
		return node_const(b, s->at, l->type, l->constant);
	if (l && l->range)
		return member_get(b, s->at, node_local(b, s->at, l->range), l->owner_type, l->member, NULL);
	if (l && l->declared && !s->flag && ref_parameters(l->declared))
		return expr_error(b->c, s->at, "`%.*s` has ref, out or params parameters: it can be called, but is no function value",
				  STR_ARG(s->text));
	if (l && l->pending)
		return expr_error(b->c, s->at, "`%.*s` is used before its value is known; give it an explicit type",
				  STR_ARG(s->text));
	if (l)
		return node_local(b, s->at, l);
	if (!s->b && str_eq(s->text, STR("context")))
		return bind_node(b, N_CONTEXT, s->at, context_type());
	t = type_lookup(b, s->text, s->b);
	if (t)
		return type_node(b, s->at, t);
	if (b->c->errors)
		return NULL;
	if (class_is_namespace(s->text)) {
		n = bind_node(b, N_NAMESPACE, s->at, &type_open);
		if (n)
			n->text = s->text;
		return n;
	}
	if (str_eq_ci(s->text, STR("context")))
		return expr_error(b->c, s->at, "unknown name `%.*s`; did you mean `context`?", STR_ARG(s->text));
	{
		const char *near = class_suggest(b->arena, s->text);

		if (near)
			return expr_error(b->c, s->at, "unknown name `%.*s`; did you mean `%s`?", STR_ARG(s->text), near);
	}
	return expr_error(b->c, s->at, "unknown name `%.*s`: it is no variable of this expression and no known type",
			  STR_ARG(s->text));
}

/* ---- properties ----------------------------------------------------------------------------------------------------------- */

const struct member *find_property(struct binder *b, const struct type *t, struct str name, bool is_static,
				   const struct type **owner)
{
	const struct class_link *link = class_link(t->cls);

	for (const struct member *m = class_member(t->cls, name); m; m = m->next)
		if (m->is_static == is_static && (m->kind == MEMBER_PROPERTY || m->kind == MEMBER_CONSTANT)) {
			*owner = t;
			return m;
		}
	for (size_t i = 0; i < link->n_interfaces; i++) {
		const struct type *base = type_put_in(b->arena, link->interfaces[i], t->args, NULL);
		const struct member *m = is_static ? NULL : find_property(b, base, name, false, owner);

		if (m)
			return m;
	}
	if (!link->base)
		return NULL;
	return find_property(b, type_put_in(b->arena, link->base, t->args, NULL), name, is_static, owner);
}

struct node *member_get(struct binder *b, size_t at, struct node *self, const struct type *of, const struct member *m,
			struct node *args)
{
	struct node *n = bind_node(b, N_CALL, at, type_put_in(b->arena, m->type, of ? of->args : NULL, NULL));

	if (!n)
		return NULL;
	n->member = m;
	n->a = self;
	n->b = args;
	n->tested = of;
	if (of && of->n) {
		n->types = of->args;
		n->n_types = of->n;
	}
	n->assigns = (self && self->assigns) || (args && args->assigns);
	return n;
}

struct node *member_set(struct binder *b, size_t at, struct node *self, const struct type *of, const struct member *m,
			struct node *args, struct node *value)
{
	struct node *n = member_get(b, at, self, of, m, args), **last;

	if (!n)
		return NULL;
	for (last = &n->b; *last; last = &(*last)->next)
		;
	*last = value;
	value->next = NULL;
	n->op = 1;
	n->assigns = true;
	return n;
}

/* context.Request.Body, context.Response.Body: the loader holds the message for them. */
static void note_use(struct binder *b, const struct node *self, const struct type *owner, struct str name)
{
	bool of_context;

	while (self && self->kind == N_LOCAL && self->local->origin)
		self = self->local->origin;
	of_context = self && self->kind == N_CALL && self->a && self->a->kind == N_CONTEXT;

	if (!b->uses || !str_eq(name, STR("Body")))
		return;
	if (owner->kind == TYPE_CLASS && strcmp(owner->cls->name, "IRequest") == 0)
		b->uses->request_body = true;
	if (owner->kind == TYPE_CLASS && strcmp(owner->cls->name, "IResponse") == 0 && of_context)
		b->uses->response_body = true;
}

static struct node *property_of(struct binder *b, size_t at, struct node *self, const struct type *t, struct str name)
{
	const struct type *owner = t;
	const struct member *m = find_property(b, t, name, self == NULL, &owner);

	if (!m)
		return NULL;
	if (m->kind == MEMBER_CONSTANT)
		return node_const(b, at, m->type, m->constant);
	note_use(b, self, owner, name);
	return member_get(b, at, self, owner, m, NULL);
}

static struct node *nullable_member(struct binder *b, size_t at, struct node *self, struct str name)
{
	struct node *n;

	if (str_eq(name, STR("HasValue")))
		n = bind_node(b, N_HAS_VALUE, at, &type_bool);
	else if (str_eq(name, STR("Value")))
		n = bind_node(b, N_GET_VALUE, at, type_bare(self->type));
	else
		return NULL;
	if (n)
		n->a = self;
	return n;
}

static bool has_methods(struct binder *b, const struct type *t, struct str name, bool is_static)
{
	return has_method(b, t, name, is_static) || (!is_static && class_extensions(name));
}

static struct node *methods_node(struct binder *b, struct syntax *s, struct node *self, const struct type *t)
{
	struct node *n = bind_node(b, N_METHODS, s->at, &type_open);

	if (!n)
		return NULL;
	n->a = self;
	n->tested = t;
	n->text = s->text;
	n->syntax = s;
	return n;
}

static struct node *unknown_member(struct binder *b, const struct syntax *s, const struct type *t, bool is_static)
{
	const char *near = member_suggest(b->arena, t, s->text, is_static);
	struct str name = type_name(b, t);

	if (near)
		return expr_error(b->c, s->at, "`%.*s` has no member `%.*s`; did you mean `%s`?", STR_ARG(name),
				  STR_ARG(s->text), near);
	near = member_suggest(b->arena, t, s->text, !is_static);
	if (near && str_eq(str_of(near), s->text))
		return is_static ? expr_error(b->c, s->at, "`%.*s.%s` needs an object: it is no static member", STR_ARG(name), near)
				 : expr_error(b->c, s->at, "`%s` is a static member: write `%.*s.%s`", near, STR_ARG(name), near);
	return expr_error(b->c, s->at, "`%.*s` has no member `%.*s`", STR_ARG(name), STR_ARG(s->text));
}

static struct node *static_member(struct binder *b, struct syntax *s, const struct type *t)
{
	const struct type *nested;
	struct node *n;

	if (type_is_enum(t)) {
		const struct class_link *link = class_link(t->cls);

		for (size_t i = 0; i < link->n_rows; i++)
			if (str_eq(link->rows[i].name, s->text))
				return node_const(b, s->at, t, value_object(&link->rows[i].object));
	}
	n = property_of(b, s->at, NULL, t, s->text);
	if (n)
		return n;
	if (has_methods(b, t, s->text, true))
		return methods_node(b, s, NULL, t);
	nested = type_lookup(b, arena_printf(b->arena, "%s.%.*s", t->cls->name, STR_ARG(s->text)), NULL);
	if (nested)
		return type_node(b, s->at, nested);
	return unknown_member(b, s, t, true);
}

static struct node *in_namespace(struct binder *b, struct syntax *s, struct str outer)
{
	struct str full = arena_printf(b->arena, "%.*s.%.*s", STR_ARG(outer), STR_ARG(s->text));
	const struct type *t = type_lookup(b, full, s->b);
	struct node *n;

	if (t)
		return type_node(b, s->at, t);
	if (b->c->errors)
		return NULL;
	if (!class_is_namespace(full))
		return expr_error(b->c, s->at, "unknown type or namespace `%.*s`", STR_ARG(full));
	n = bind_node(b, N_NAMESPACE, s->at, &type_open);
	if (n)
		n->text = full;
	return n;
}

struct node *bind_member(struct binder *b, struct syntax *s)
{
	struct node *target = bind_expr(b, s->a), *n;

	if (!target)
		return NULL;
	if (target->kind == N_NAMESPACE)
		return in_namespace(b, s, target->text);
	if (target->kind == N_TYPE)
		return static_member(b, s, target->tested);
	if (target->type->kind != TYPE_CLASS) {
		if (target->kind == N_METHODS)
			return expr_error(b->c, s->at, "`%.*s` is a method: call it with `()` before `.%.*s`",
					  STR_ARG(target->text), STR_ARG(s->text));
		return expr_error(b->c, s->at, "`.%.*s` needs a value before it", STR_ARG(s->text));
	}
	if (type_is_nullable(target->type)) {
		n = nullable_member(b, s->at, target, s->text);
		if (n)
			return n;
	}
	if (s->flag && has_methods(b, target->type, s->text, false))
		return methods_node(b, s, target, target->type);        /* list.Count() beside list.Count */
	n = tuple_member(b, s->at, target, s->text);
	if (!n && !b->c->errors)
		n = property_of(b, s->at, target, target->type, s->text);
	if (n || b->c->errors)
		return n;
	if (has_methods(b, target->type, s->text, false))
		return methods_node(b, s, target, target->type);
	return unknown_member(b, s, target->type, false);
}

/* ---- indexers ------------------------------------------------------------------------------------------------------------- */

static struct node *array_element(struct binder *b, struct syntax *s, struct node *target)
{
	struct node *index, *n;

	if (!s->b || s->b->next)
		return expr_error(b->c, s->at, "an array takes one index");
	index = bind_value(b, s->b->a);
	if (!index)
		return NULL;
	if (conv_implicit(b, index, &type_int).kind != CONV_NONE)
		index = convert(b, index, &type_int);
	else
		index = convert(b, index, &type_long);
	n = index ? bind_node(b, N_ELEMENT, s->at, type_arg(target->type, 0)) : NULL;
	if (!n)
		return NULL;
	n->a = target;
	n->b = index;
	n->assigns = target->assigns || index->assigns;
	return n;
}

struct node *bind_index(struct binder *b, struct syntax *s)
{
	struct candidate *list;
	struct argument *args;
	struct node *target = bind_value(b, s->a);
	size_t n_args, found;

	if (!target)
		return NULL;
	if (target->type->kind != TYPE_CLASS)
		return expr_error(b->c, s->at, "`[…]` needs a value before it");
	if (type_is_array(target->type))
		return array_element(b, s, target);
	list = collect_methods(b, target->type, STR("this[]"), MEMBER_INDEXER, false, &found);
	if (!found)
		return expr_error(b->c, s->at, "`%.*s` cannot be indexed with `[…]`", STR_ARG(type_name(b, target->type)));
	if (!bind_arguments(b, s->b, &args, &n_args))
		return NULL;
	return bind_overload(b, s->at, arena_printf(b->arena, "the indexer of `%.*s`", STR_ARG(type_name(b, target->type))), list,
			     found, args, n_args, target);
}
