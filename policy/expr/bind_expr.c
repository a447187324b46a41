/* bind_expr.c - one function an expression kind, by table. */
#include "core/str.h"
#include "policy/expr/bind.h"

static struct node *literal(struct binder *b, struct syntax *s)
{
	if (s->value.kind == VALUE_NULL)
		return node_const(b, s->at, &type_null, s->value);
	return node_const(b, s->at, type_of_kind(s->value.kind), s->value);
}

static struct node *nameof(struct binder *b, struct syntax *s)
{
	return node_const(b, s->at, &type_string, value_string(b->arena, s->text, false));
}

static struct node *hole(struct binder *b, struct syntax *s)
{
	struct node *v = bind_value(b, s->a), *n;

	if (v)
		v = convert(b, v, &type_object);
	if (!v || (!s->b && !s->text.p))
		return v;
	n = bind_node(b, N_FORMAT, s->at, &type_string);
	if (!n)
		return NULL;
	n->a = v;
	n->value = s->text.p ? value_string(b->arena, s->text, false) : VALUE_NULL_INIT;
	n->assigns = v->assigns;
	if (s->b) {
		n->b = bind_to(b, s->b, &type_int);
		if (!n->b)
			return NULL;
		if (n->b->kind != N_CONST)
			return expr_error(b->c, s->b->at, "the width in an interpolated string must be a constant");
	}
	return n;
}

static struct node *interpolated(struct binder *b, struct syntax *s)
{
	struct node *n = bind_node(b, N_CONCAT, s->at, &type_string), **last;

	if (!n)
		return NULL;
	last = &n->b;
	for (struct syntax *part = s->a; part; part = part->next) {
		*last = part->kind == SX_HOLE ? hole(b, part) : literal(b, part);
		if (!*last)
			return NULL;
		n->assigns |= (*last)->assigns;
		last = &(*last)->next;
	}
	if (!n->b)
		return node_const(b, s->at, &type_string, value_string(b->arena, STR(""), false));
	return n;
}

static struct node *receiver(struct binder *b, struct syntax *s)
{
	(void)s;
	return b->receiver[b->n_receivers - 1];
}

static struct node *conditional(struct binder *b, struct syntax *s)
{
	struct node *target = bind_value(b, s->a), *n, *rest, *self;
	struct local *l;
	const struct type *bare;

	if (!target)
		return NULL;
	if (target->type->kind != TYPE_CLASS)
		return expr_error(b->c, s->at, "`?.` needs a value before it");
	bare = type_bare(target->type);
	if (type_is_value(target->type) && bare == target->type)
		return expr_error(b->c, s->at, "`%.*s` is never null: write `.` instead of `?.`",
				  STR_ARG(type_name(b, target->type)));
	if (b->n_receivers == ARRAY_LEN(b->receiver))
		return expr_error(b->c, s->at, "nested too deeply");
	l = local_new(b, s->at, STR_NULL, bare);
	n = l ? bind_node(b, N_CONDITIONAL, s->at, NULL) : NULL;
	self = n ? node_local(b, s->at, l) : NULL;
	if (!self)
		return NULL;
	l->origin = target;
	b->receiver[b->n_receivers++] = self;
	rest = bind_expr(b, s->b);
	b->n_receivers--;
	if (!rest)
		return NULL;
	if (rest->kind == N_METHODS)            /* a?.Call() is bound as a call of the whole */
		return expr_error(b->c, s->at, "`%.*s` is a method: call it with `()`", STR_ARG(rest->text));
	n->local = l;
	n->a = target;
	n->b = rest;
	n->type = rest->type->kind == TYPE_VOID ? rest->type : type_nullable_of(b->arena, rest->type);
	n->assigns = true;
	return n;
}

static struct node *ternary(struct binder *b, struct syntax *s)
{
	struct node *n = bind_node(b, N_TERNARY, s->at, NULL);
	const struct type *t;

	if (!n || !(n->a = bind_condition(b, s->a)) || !(n->b = bind_value(b, s->b)) || !(n->c = bind_value(b, s->c)))
		return NULL;
	t = common_type(b, (struct node *[]){ n->b, n->c }, NULL, 2);
	if (!t) {
		if (n->b->type == &type_null && n->c->type == &type_null) {
			t = &type_null;
		} else {
			return expr_error(b->c, s->at, "the two results of `? :` have the types `%.*s` and `%.*s`; cast one of them "
					  "to the type you want", STR_ARG(type_name(b, n->b->type)),
					  STR_ARG(type_name(b, n->c->type)));
		}
	}
	n->type = t;
	if (t != &type_null && (!(n->b = convert(b, n->b, t)) || !(n->c = convert(b, n->c, t))))
		return NULL;
	n->assigns = n->a->assigns || n->b->assigns || n->c->assigns;
	return n;
}

static struct node *cast(struct binder *b, struct syntax *s)
{
	const struct type *t = bind_type(b, s->a);
	struct node *v = t ? bind_value(b, s->b) : NULL;

	if (!v)
		return NULL;
	if (t->kind == TYPE_VOID)
		return expr_error(b->c, s->at, "cannot cast to void");
	return convert_explicit(b, v, t, s->at);
}

static struct node *as(struct binder *b, struct syntax *s)
{
	struct node *v = bind_value(b, s->a), *n;
	const struct type *t = v ? bind_type(b, s->b) : NULL;

	if (!t)
		return NULL;
	if (type_is_value(t) && !type_is_nullable(t))
		return expr_error(b->c, s->at, "`as` needs a type that can be null: write `as %.*s?` or a cast",
				  STR_ARG(type_name(b, t)));
	v = convert(b, v, &type_object);
	n = v ? bind_node(b, N_AS, s->at, t) : NULL;
	if (!n)
		return NULL;
	n->a = v;
	n->tested = t;
	n->assigns = v->assigns;
	return n;
}

static struct node *is_type(struct binder *b, struct syntax *s, struct node *v, const struct type *t)
{
	struct node *n, *sequence, *value;
	struct local *kept;

	v = convert(b, v, &type_object);
	if (!v)
		return NULL;
	n = bind_node(b, N_IS, s->at, &type_bool);
	if (!n)
		return NULL;
	n->tested = t;
	n->a = v;
	n->assigns = v->assigns;
	if (!s->text2.n || str_eq(s->text2, STR("_")))
		return n;
	/* `v is T x`: keep the value, and x = it when the test holds: (tmp = v, tmp is T && (x = (T)tmp, true)) */
	kept = local_new(b, s->at, STR_NULL, &type_object);
	sequence = bind_node(b, N_SEQUENCE, s->at, &type_bool);
	value = bind_node(b, N_AND, s->at, &type_bool);
	if (!kept || !sequence || !value)
		return NULL;
	sequence->b = node_assign(b, s->at, kept, v);
	n->a = node_local(b, s->at, kept);
	value->a = n;
	{
		struct local *named = bind_pattern(b, s->at, s->text2, t);
		struct node *set = bind_node(b, N_SEQUENCE, s->at, &type_bool), *cast_node = bind_node(b, N_CAST, s->at, t);

		if (!named || !set || !cast_node || !sequence->b || !n->a)
			return NULL;
		cast_node->a = node_local(b, s->at, kept);
		cast_node->tested = t;
		set->b = node_assign(b, s->at, named, cast_node);
		if (!set->b || !(set->b->next = node_const(b, s->at, &type_bool, value_bool(true))))
			return NULL;
		set->assigns = true;
		value->b = set;
	}
	value->assigns = sequence->assigns = true;
	sequence->b->next = value;
	return sequence;
}

static struct node *is(struct binder *b, struct syntax *s)
{
	struct node *v = bind_value(b, s->a), *constant;
	const struct type *t = NULL;

	if (!v)
		return NULL;
	if (s->b && !s->b->b && !s->b->n && !s->b->op && !s->text2.n) {
		struct local *l = local_find(b, s->b->text);

		if (l && l->is_const)
			return equal_of(b, s->at, false, v, node_const(b, s->at, l->type, l->constant));
	}
	if (s->b) {
		/* `x is Enum.Member` reads like a type */
		size_t dot = str_rfind_char(s->b->text, '.');
		const struct type *outer = dot == SIZE_MAX ? NULL : type_lookup(b, str_first(s->b->text, dot), NULL);

		if (!outer || !type_is_enum(outer)) {
			t = bind_type(b, s->b);
			return t ? is_type(b, s, v, t) : NULL;
		}
		for (size_t i = 0; i < class_link(outer->cls)->n_rows; i++) {
			struct enum_row *row = &class_link(outer->cls)->rows[i];

			if (str_eq(row->name, str_from(s->b->text, dot + 1)))
				return equal_of(b, s->at, false, v, node_const(b, s->at, outer, value_object(&row->object)));
		}
		return expr_error(b->c, s->at, "`%.*s` has no such member", STR_ARG(s->b->text));
	}
	constant = bind_value(b, s->c);
	if (!constant)
		return NULL;
	if (constant->kind != N_CONST)
		return expr_error(b->c, s->c->at, "`is` takes a type or a constant");
	if (type_is(v->type, &class_object) && constant->type != &type_null) {
		struct node *test = bind_node(b, N_IS, s->at, &type_bool), *both = bind_node(b, N_AND, s->at, &type_bool);
		struct node *unboxed;

		if (!test || !both)
			return NULL;
		test->a = v;
		test->tested = constant->type;
		unboxed = convert_explicit(b, v, constant->type, s->at);
		both->a = test;
		both->b = unboxed ? equal_of(b, s->at, false, unboxed, constant) : NULL;
		return both->b ? both : NULL;
	}
	return equal_of(b, s->at, false, v, constant);
}

static struct node *checked(struct binder *b, struct syntax *s)
{
	bool was = b->function->checked, unchecked = b->function->unchecked;
	struct node *n;

	b->function->checked = !s->flag;
	b->function->unchecked = s->flag;
	n = bind_value(b, s->a);
	b->function->checked = was;
	b->function->unchecked = unchecked;
	return n;
}

static struct node *default_of(struct binder *b, struct syntax *s)
{
	const struct type *t;
	struct node *n;

	if (s->a) {
		t = bind_type(b, s->a);
		return t ? node_const(b, s->at, t, type_default(t)) : NULL;
	}
	n = bind_node(b, N_OPEN, s->at, &type_open);
	if (n)
		n->syntax = s;
	return n;
}

static struct node *open(struct binder *b, struct syntax *s)
{
	struct node *n = bind_node(b, N_OPEN, s->at, &type_open);

	if (n)
		n->syntax = s;
	return n;
}

static struct node *throw(struct binder *b, struct syntax *s)
{
	struct node *n = bind_node(b, N_THROW, s->at, &type_throw);

	if (!n || !(n->a = bind_to(b, s->a, &type_exception)))
		return NULL;
	return n;
}

static struct node *typeof_(struct binder *b, struct syntax *s)
{
	const struct value_class *cls = class_find(STR("System.Type"), 0);
	const struct type *t = bind_type(b, s->a);
	struct type_object {
		struct object head;
		const struct type *type;
	} *o;

	if (!t)
		return NULL;
	o = arena_new_of(b->c->keep, struct type_object);
	if (!o || !cls)
		return expr_error(b->c, s->at, "out of memory");
	o->head.cls = cls;
	o->type = type_copy(b->c->keep, t);
	return node_const(b, s->at, class_link(cls)->self, value_object(o));
}

static struct node *(*const binders[])(struct binder *, struct syntax *) = {
	[SX_LITERAL] = literal, [SX_INTERPOLATED] = interpolated, [SX_NAME] = bind_name, [SX_MEMBER] = bind_member,
	[SX_CONDITIONAL] = conditional, [SX_RECEIVER] = receiver, [SX_CALL] = bind_call, [SX_INDEX] = bind_index,
	[SX_UNARY] = bind_unary, [SX_BINARY] = bind_binary, [SX_ASSIGN] = bind_assign, [SX_TERNARY] = ternary,
	[SX_CAST] = cast, [SX_AS] = as, [SX_IS] = is, [SX_NEW] = bind_new, [SX_NEW_ARRAY] = bind_new_array,
	[SX_NEW_ANONYMOUS] = bind_anonymous, [SX_LAMBDA] = open, [SX_CHECKED] = checked, [SX_TYPEOF] = typeof_,
	[SX_DEFAULT] = default_of, [SX_NAMEOF] = nameof, [SX_THROW_EXPR] = throw, [SX_TUPLE] = bind_tuple,
	[SX_TYPE] = NULL,
};

struct node *bind_expr(struct binder *b, struct syntax *s)
{
	struct node *n;

	if (s->kind >= ARRAY_LEN(binders) || !binders[s->kind])
		return expr_error(b->c, s->at, "this cannot stand where a value is needed");
	if (b->depth >= BIND_DEPTH_MAX)
		return expr_error(b->c, s->at, "nested too deeply");
	b->depth++;
	n = binders[s->kind](b, s);
	b->depth--;
	return n;
}

struct node *bind_value(struct binder *b, struct syntax *s)
{
	struct node *n = bind_expr(b, s);

	if (!n)
		return NULL;
	if (n->kind == N_LOCAL && n->local->generic)
		return expr_error(b->c, n->at, "`%.*s` has type parameters: it can only be called", STR_ARG(n->local->name));
	if (n->kind == N_TYPE)
		return expr_error(b->c, n->at, "`%.*s` is a type, where a value is needed", STR_ARG(type_name(b, n->tested)));
	if (n->kind == N_NAMESPACE)
		return expr_error(b->c, n->at, "`%.*s` is a namespace, where a value is needed", STR_ARG(n->text));
	return n;
}

struct node *bind_to(struct binder *b, struct syntax *s, const struct type *to)
{
	struct node *n = bind_value(b, s);

	return n ? convert(b, n, to) : NULL;
}

struct node *bind_condition(struct binder *b, struct syntax *s)
{
	struct node *n = bind_value(b, s);
	struct conv c;

	if (!n)
		return NULL;
	c = conv_implicit(b, n, &type_bool);
	if (c.kind != CONV_NONE)
		return convert(b, n, &type_bool);
	if (type_is_nullable(n->type) && type_is(type_bare(n->type), &class_bool))
		return expr_error(b->c, s->at, "a `bool?` is no condition: compare it, as in `… == true`");
	return expr_error(b->c, s->at, "a condition must be a bool, this is `%.*s`", STR_ARG(type_name(b, n->type)));
}
