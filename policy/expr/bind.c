/* bind.c - nodes, variables and scopes, and the types that are written in the source. */
#include "policy/expr/bind.h"

#include "core/str.h"

struct node *bind_node(struct binder *b, enum node_kind kind, size_t at, const struct type *type)
{
	struct node *n = arena_new_of(b->arena, struct node);

	if (!n)
		return expr_error(b->c, at, "out of memory");
	n->kind = kind;
	n->at = (uint32_t)at;
	n->type = type;
	return n;
}

struct node *node_const(struct binder *b, size_t at, const struct type *type, struct value v)
{
	struct node *n = bind_node(b, N_CONST, at, type);

	if (n)
		n->value = v;
	return n;
}

struct node *node_local(struct binder *b, size_t at, struct local *l)
{
	struct node *n = bind_node(b, N_LOCAL, at, l->type);

	if (l->by_ref && l->owner != b->function)
		return expr_error(b->c, at, "`%.*s` stands for another variable: a lambda or function inside cannot use it",
				  STR_ARG(l->name));
	if (n)
		n->local = l;
	local_use(b, l);
	return n;
}

struct node *node_assign(struct binder *b, size_t at, struct local *l, struct node *v)
{
	struct node *n = v ? bind_node(b, N_ASSIGN, at, l->type) : NULL;

	if (!n)
		return NULL;
	n->local = l;
	n->a = v;
	n->assigns = true;
	local_use(b, l);
	return n;
}

/* ---- variables ------------------------------------------------------------------------------------------------------------ */

struct local *local_new(struct binder *b, size_t at, struct str name, const struct type *type)
{
	struct local *l;

	if (name.n && local_find(b, name))
		return expr_error(b->c, at, "a variable `%.*s` exists here already; choose another name", STR_ARG(name));
	if (type->kind != TYPE_CLASS)
		return expr_error(b->c, at, "the type of `%.*s` cannot be found from its value", STR_ARG(name));
	l = arena_new_of(b->arena, struct local);
	if (!l)
		return expr_error(b->c, at, "out of memory");
	l->name = name;
	l->type = type;
	l->owner = b->function;
	l->next = b->scope->locals;
	b->scope->locals = l;
	return l;
}

struct local *local_find(struct binder *b, struct str name)
{
	for (struct var_scope *s = b->scope; s; s = s->parent)
		for (struct local *l = s->locals; l; l = l->next)
			if (l->name.n && !l->hidden && str_eq(l->name, name))
				return l;
	return NULL;
}

static bool add_capture(struct binder *b, struct function *f, struct local *l)
{
	for (size_t i = 0; i < f->n_captures; i++)
		if (f->captures[i] == l)
			return true;
	if (f->n_captures == f->cap_captures) {
		size_t cap = f->cap_captures ? f->cap_captures * 2 : 4;
		struct local **bigger = arena_alloc(b->arena, cap, sizeof(struct local *));

		if (!bigger)
			return expr_error(b->c, 0, "out of memory");
		if (f->n_captures)
			memcpy(bigger, f->captures, f->n_captures * sizeof(struct local *));
		f->captures = bigger;
		f->cap_captures = cap;
	}
	f->captures[f->n_captures++] = l;
	return true;
}

void local_use(struct binder *b, struct local *l)
{
	if (l->owner == b->function)
		return;
	l->captured = true;
	for (struct function *f = b->function; f && f != l->owner; f = f->parent)
		add_capture(b, f, l);
}

void local_track(struct binder *b, struct local *l)
{
	if (!l || l->tracked)
		return;
	l->tracked = true;
	l->index = (uint32_t)b->n_tracked++;
}

struct var_scope *scope_enter(struct binder *b)
{
	struct var_scope *s = arena_new_of(b->arena, struct var_scope);

	if (!s)
		return expr_error(b->c, 0, "out of memory");
	s->parent = b->scope;
	b->scope = s;
	return s;
}

void scope_leave(struct binder *b)
{
	b->scope = b->scope->parent;
}

/* ---- types ---------------------------------------------------------------------------------------------------------------- */

struct str type_name(struct binder *b, const struct type *t)
{
	return type_text(b->arena, t, false);
}

static size_t count(const struct syntax *list)
{
	size_t n = 0;

	for (; list; list = list->next)
		n++;
	return n;
}

/* TimeZoneInfo.AdjustmentRule: a class within a class. */
static const struct value_class *nested_class(struct binder *b, struct str name, size_t n)
{
	size_t dot = str_rfind_char(name, '.');
	const struct value_class *outer = dot == SIZE_MAX ? NULL : class_find(str_first(name, dot), 0);

	return outer ? class_find(arena_printf(b->arena, "%s.%.*s", outer->name, STR_ARG(str_from(name, dot + 1))), n) : NULL;
}

const struct type *type_lookup(struct binder *b, struct str name, const struct syntax *args)
{
	const struct type *types[TYPE_ARGS_MAX];
	size_t n = count(args), i = 0;
	const struct value_class *cls;

	if (n > TYPE_ARGS_MAX)
		return NULL;
	for (const struct type_parameter *p = n ? NULL : b->type_parameters; p; p = p->next)
		if (str_eq(p->name, name))
			return p->type;
	cls = class_find(name, n);
	if (!cls)
		cls = nested_class(b, name, n);
	if (!cls)
		return NULL;
	if (n == 0 && (cls->value_kind || cls == &class_object))
		return cls == &class_object ? &type_object : type_of_kind(cls->value_kind);
	for (; args; args = args->next)
		if (!(types[i++] = bind_type(b, args)))
			return NULL;
	if (n == 0 && cls->kind != CLASS_STATIC && !cls->parameters)
		return class_link(cls)->self;
	if (cls == &class_nullable && n == 1)
		return type_nullable_of(b->arena, types[0]);
	return type_make(b->arena, cls, types, n);
}

/* White space may stand in a dotted name. */
static struct str without_blanks(struct binder *b, struct str s)
{
	char *to;
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (ascii_is_space(s.p[i]) && (to = arena_alloc_text(b->arena, s.n + 1))) {
			for (i = 0; i < s.n; i++)
				if (!ascii_is_space(s.p[i]))
					to[n++] = s.p[i];
			return (struct str){ to, n };
		}
	return s;
}

static void *unknown_type(struct binder *b, const struct syntax *s, struct str name)
{
	const char *near;

	if (b->c->errors)
		return NULL;
	if (str_eq(name, STR("var")))
		return expr_error(b->c, s->at, "`var` cannot stand here");
	if (str_eq(name, STR("dynamic")))
		return expr_error(b->c, s->at, "`dynamic` is not available; name the type or use `var`");
	near = class_suggest(b->arena, name);
	if (near && !str_eq(str_of(near), name))
		return expr_error(b->c, s->at, "unknown type `%.*s`; did you mean `%s`?", STR_ARG(name), near);
	if (near)
		return expr_error(b->c, s->at, "`%.*s` takes another number of type arguments", STR_ARG(name));
	return expr_error(b->c, s->at, "unknown type `%.*s`: policy expressions allow the documented .NET types only",
			  STR_ARG(name));
}

static const struct type *tuple_type(struct binder *b, const struct syntax *s)
{
	size_t n = count(s->b), i = 0;
	struct str *names = arena_alloc(b->arena, n, sizeof(*names));
	const struct type *t = type_lookup(b, STR("System.ValueTuple"), s->b);
	bool any = false;

	if (!t)
		return b->c->errors ? NULL : expr_error(b->c, s->at, "a tuple has 2 to 7 values, not %zu", n);
	for (const struct syntax *item = s->b; names && item; item = item->next, i++) {
		names[i] = item->text2;
		any |= item->text2.n > 0;
		for (size_t k = 0; k < i; k++)
			if (names[i].n && str_eq(names[i], names[k]))
				return expr_error(b->c, item->at, "`%.*s` stands twice in this tuple", STR_ARG(names[i]));
	}
	return any ? type_with_names(b->arena, t, names) : t;
}

const struct type *bind_type(struct binder *b, const struct syntax *s)
{
	const struct type *t;
	struct str name;

	if (s->a) {
		t = bind_type(b, s->a);
		if (t && s->op > 1)
			return grid_class((unsigned)s->op) ? type_make1(b->arena, grid_class((unsigned)s->op), t)
				: expr_error(b->c, s->at, "an array has at most %d dimensions here", GRID_RANK_MAX);
	} else if (s->flag) {
		t = tuple_type(b, s);
	} else {
		name = without_blanks(b, s->text);
		t = str_eq(name, STR("void")) ? &type_void : type_lookup(b, name, s->b);
		if (!t)
			return unknown_type(b, s, name);
	}
	if (!t)
		return NULL;
	if (s->op && !type_is_value(t))
		return expr_error(b->c, s->at, "`%.*s` is a reference type: it can be null without `?`",
				  STR_ARG(type_name(b, t)));
	if (s->op)
		t = type_nullable_of(b->arena, t);
	for (unsigned i = 0; i < s->n; i++)
		t = type_array_of(b->arena, t);
	return t;
}
