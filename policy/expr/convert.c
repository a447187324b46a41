/* convert.c - which type converts to which, and the node that does it (C# 5 specification, chapter 6).
 *
 * Values describe themselves at run time, so identity, reference, boxing and nullable conversions cost nothing; numbers
 * change their kind (N_CONVERT), user-defined operators are calls, casts from object are checked (N_CAST). */
#include "core/str.h"
#include "policy/expr/bind.h"

/* Implicit numeric conversions: bit k of row f says that kind f widens to kind k. */
#define K(kind) (1u << VALUE_##kind)
static const uint32_t widens[VALUE__COUNT] = {
	[VALUE_SBYTE] = K(SHORT) | K(INT) | K(LONG) | K(FLOAT) | K(DOUBLE) | K(DECIMAL),
	[VALUE_BYTE] = K(SHORT) | K(USHORT) | K(INT) | K(UINT) | K(LONG) | K(ULONG) | K(FLOAT) | K(DOUBLE) | K(DECIMAL),
	[VALUE_SHORT] = K(INT) | K(LONG) | K(FLOAT) | K(DOUBLE) | K(DECIMAL),
	[VALUE_USHORT] = K(INT) | K(UINT) | K(LONG) | K(ULONG) | K(FLOAT) | K(DOUBLE) | K(DECIMAL),
	[VALUE_INT] = K(LONG) | K(FLOAT) | K(DOUBLE) | K(DECIMAL),
	[VALUE_UINT] = K(LONG) | K(ULONG) | K(FLOAT) | K(DOUBLE) | K(DECIMAL),
	[VALUE_LONG] = K(FLOAT) | K(DOUBLE) | K(DECIMAL),
	[VALUE_ULONG] = K(FLOAT) | K(DOUBLE) | K(DECIMAL),
	[VALUE_CHAR] = K(USHORT) | K(INT) | K(UINT) | K(LONG) | K(ULONG) | K(FLOAT) | K(DOUBLE) | K(DECIMAL),
	[VALUE_FLOAT] = K(DOUBLE),
};
#undef K

bool numeric_widens(enum value_kind from, enum value_kind to)
{
	return widens[from] >> to & 1;
}

static bool constant_fits(const struct node *n, const struct type *to)
{
	static const struct {
		int64_t min, max;
	} range[VALUE__COUNT] = {
		[VALUE_SBYTE] = { INT8_MIN, INT8_MAX }, [VALUE_BYTE] = { 0, UINT8_MAX },
		[VALUE_SHORT] = { INT16_MIN, INT16_MAX }, [VALUE_USHORT] = { 0, UINT16_MAX },
		[VALUE_UINT] = { 0, UINT32_MAX }, [VALUE_ULONG] = { 0, INT64_MAX }, [VALUE_INT] = { INT32_MIN, INT32_MAX },
	};
	enum value_kind kind = type_value_kind(to);

	if (n->kind != N_CONST || !range[kind].max)
		return false;
	if (n->value.kind == VALUE_LONG)
		return kind == VALUE_ULONG && n->value.i >= 0;
	return n->value.kind == VALUE_INT && n->value.i >= range[kind].min && n->value.i <= range[kind].max;
}

/* ---- user-defined conversions -------------------------------------------------------------------------------------------- */

struct search {
	const struct type *from, *to;
	bool is_explicit;
	const struct member *best;
	const struct type *owner;
	int score;
};

/* Standard conversion between types, without user-defined ones; 0: none, larger is nearer. */
static int standard(struct binder *b, const struct type *from, const struct type *to, bool is_explicit)
{
	enum value_kind kf = type_value_kind(from), kt = type_value_kind(to);

	if (type_eq(from, to))
		return 100;
	if (type_is_nullable(to) && type_eq(from, type_bare(to)))
		return 90;
	if (type_is_numeric(from) && type_is_numeric(to)) {
		if (numeric_widens(kf, kt))
			return 80 - (int)kt;
		return is_explicit ? 20 - (int)kt : 0;
	}
	if (type_derives(b->arena, from, to))
		return type_is(to, &class_object) ? 30 : 60;
	return is_explicit && type_derives(b->arena, to, from) ? 10 : 0;
}

static void consider(struct binder *b, struct search *s, const struct type *owner, const struct member *m)
{
	const struct type *param = type_put_in(b->arena, m->params[0].type, owner->args, NULL);
	const struct type *result = type_put_in(b->arena, m->type, owner->args, NULL);
	int in = standard(b, s->from, param, s->is_explicit), out = standard(b, result, s->to, s->is_explicit);

	if (in && out && in + out > s->score) {
		s->score = in + out;
		s->best = m;
		s->owner = owner;
	}
}

static void search_class(struct binder *b, struct search *s, const struct type *t)
{
	t = type_bare(t);
	while (t && t->kind == TYPE_CLASS) {
		for (struct member *m = class_member(t->cls, STR("implicit")); m; m = m->next)
			consider(b, s, t, m);
		for (struct member *m = s->is_explicit ? class_member(t->cls, STR("explicit")) : NULL; m; m = m->next)
			consider(b, s, t, m);
		t = class_link(t->cls)->base;
	}
}

static struct conv user_conversion(struct binder *b, const struct type *from, const struct type *to, bool is_explicit)
{
	struct search s = { .from = from, .to = to, .is_explicit = is_explicit };

	search_class(b, &s, from);
	search_class(b, &s, to);
	return s.best ? (struct conv){ CONV_USER, s.best, s.owner } : (struct conv){ CONV_NONE, NULL, NULL };
}

/* ---- implicit ------------------------------------------------------------------------------------------------------------- */

struct conv conv_of_type(struct binder *b, const struct type *from, const struct type *to)
{
	const struct conv none = { CONV_NONE, NULL, NULL };

	if (type_eq(from, to))
		return (struct conv){ CONV_IDENTITY, NULL, NULL };
	if (from->kind == TYPE_THROW)
		return (struct conv){ CONV_REFERENCE, NULL, NULL };
	if (from->kind == TYPE_VOID || to->kind != TYPE_CLASS)
		return none;
	if (from->kind == TYPE_NULL)
		return type_derives(b->arena, from, to) ? (struct conv){ CONV_REFERENCE, NULL, NULL } : none;
	if (from->kind != TYPE_CLASS)
		return none;
	if (numeric_widens(type_value_kind(from), type_value_kind(to)))
		return (struct conv){ CONV_NUMERIC, NULL, NULL };
	if (type_is_nullable(to)) {
		const struct type *bare = type_bare(from);

		if (type_eq(bare, type_bare(to)))
			return (struct conv){ CONV_NULLABLE, NULL, NULL };
		if (numeric_widens(type_value_kind(bare), type_value_kind(type_bare(to))))
			return (struct conv){ CONV_NUMERIC, NULL, NULL };
		if (tuple_type_converts(b, from, to))
			return (struct conv){ CONV_TUPLE, NULL, NULL };
		return user_conversion(b, from, to, false);
	}
	if (type_derives(b->arena, from, to))
		return (struct conv){ CONV_REFERENCE, NULL, NULL };
	if (tuple_type_converts(b, from, to))
		return (struct conv){ CONV_TUPLE, NULL, NULL };
	return user_conversion(b, from, to, false);
}

static struct conv conv_open(struct binder *b, struct node *from, const struct type *to)
{
	const struct conv none = { CONV_NONE, NULL, NULL };
	unsigned quiet = b->c->quiet, errors = b->c->errors;
	struct node *n;

	if (from->kind == N_OPEN && from->syntax->kind == SX_DEFAULT)
		return (struct conv){ CONV_OPEN, NULL, NULL };
	if (node_is_tuple(from))
		return tuple_converts(b, from, to) ? (struct conv){ CONV_TUPLE, NULL, NULL } : none;
	if (from->kind == N_OPEN && from->syntax->kind == SX_LAMBDA && !type_is_delegate(to))
		return none;
	if (from->kind == N_METHODS && !type_is_delegate(to))
		return none;
	b->c->quiet++;
	b->c->errors = 0;
	n = bind_open(b, from, to);
	b->c->quiet = quiet;
	b->c->errors = errors;
	return n ? (struct conv){ CONV_LAMBDA, NULL, NULL } : none;
}

struct conv conv_implicit(struct binder *b, struct node *from, const struct type *to)
{
	struct conv c;

	if (from->type == &type_open)
		return conv_open(b, from, to);
	if (type_is_integral(type_bare(to)) && constant_fits(from, type_bare(to)) && !type_eq(from->type, to))
		return (struct conv){ CONV_CONSTANT, NULL, NULL };
	if (node_is_tuple(from) && type_is_tuple(type_bare(to)) && !type_eq(from->type, to) && tuple_converts(b, from, to))
		return (struct conv){ CONV_TUPLE, NULL, NULL };
	c = conv_of_type(b, from->type, to);
	if (c.kind == CONV_NONE && type_is_enum(type_bare(to)) && from->kind == N_CONST && from->value.kind == VALUE_INT &&
	    from->value.i == 0)
		return (struct conv){ CONV_CAST, NULL, NULL };
	return c;
}

/* ---- nodes ---------------------------------------------------------------------------------------------------------------- */

static struct node *number_to(struct binder *b, struct node *from, const struct type *to, bool checked)
{
	struct node *n = bind_node(b, N_CONVERT, from->at, to);

	if (!n)
		return NULL;
	n->a = from;
	n->op = type_value_kind(type_bare(to));
	n->flag = checked;
	n->assigns = from->assigns;
	return fold(b, n);
}

static struct node *retyped(struct binder *b, struct node *from, const struct type *to)
{
	struct node *n;

	if (from->type == to)
		return from;
	n = bind_node(b, from->kind, from->at, to);
	if (n) {
		*n = *from;
		n->real = node_type(from);
		n->type = to;
		n->next = NULL;
	}
	return n;
}

struct node *user_call(struct binder *b, size_t at, const struct member *m, struct node *arg)
{
	struct node *n = bind_node(b, N_CALL, at, m->type);

	if (!n)
		return NULL;
	n->member = m;
	n->b = arg;
	n->assigns = true;
	arg->next = NULL;
	return n;
}

static struct node *to_enum(struct binder *b, struct node *from, const struct type *to)
{
	struct node *n = bind_node(b, N_TO_ENUM, from->at, to);

	if (!n)
		return NULL;
	n->a = from;
	n->tested = type_bare(to);
	return n;
}

static struct node *by_user(struct binder *b, struct conv c, struct node *from, const struct type *to, bool is_explicit)
{
	const struct type *param = c.user->params[0].type;
	struct node *n;

	/* (int?)token, DateTime? → DateTimeOffset?: an operator between the bare types is lifted */
	n = is_explicit ? convert_explicit(b, from, param, from->at) : convert(b, from, param);
	if (!n)
		return NULL;
	n = user_call(b, from->at, c.user, retyped(b, n, param));
	if (!n || type_eq(n->type, to))
		return n;
	return is_explicit ? convert_explicit(b, n, to, from->at) : convert(b, n, to);
}

static struct node *no_conversion(struct binder *b, const struct node *from, const struct type *to)
{
	struct str f, t = type_name(b, to);

	if (from->type == &type_null)
		return expr_error(b->c, from->at, "`%.*s` is a value type and cannot be null; `%.*s?` can", STR_ARG(t), STR_ARG(t));
	if (from->kind == N_METHODS)
		return expr_error(b->c, from->at, "`%.*s` is a method: call it with `()`", STR_ARG(from->text));
	if (node_is_tuple(from) && from->type == &type_open)
		return expr_error(b->c, from->at, "this tuple cannot be converted to `%.*s`", STR_ARG(t));
	if (from->type == &type_open)
		return expr_error(b->c, from->at, "a lambda cannot be converted to `%.*s`", STR_ARG(t));
	if (from->type->kind == TYPE_VOID)
		return expr_error(b->c, from->at, "this call returns nothing, where a `%.*s` is needed", STR_ARG(t));
	f = type_name(b, from->type);
	if (type_derives(b->arena, to, from->type) || (type_is_numeric(from->type) && type_is_numeric(to)))
		return expr_error(b->c, from->at, "cannot implicitly convert `%.*s` to `%.*s`; write a cast: `(%.*s)…`",
				  STR_ARG(f), STR_ARG(t), STR_ARG(t));
	return expr_error(b->c, from->at, "cannot convert `%.*s` to `%.*s`", STR_ARG(f), STR_ARG(t));
}

struct node *convert(struct binder *b, struct node *from, const struct type *to)
{
	struct conv c = conv_implicit(b, from, to);

	switch (c.kind) {
	case CONV_IDENTITY:
		return from;
	case CONV_REFERENCE:
	case CONV_NULLABLE:
		return retyped(b, from, to);
	case CONV_NUMERIC:
	case CONV_CONSTANT:
		return number_to(b, from, to, false);
	case CONV_USER:
		return by_user(b, c, from, to, false);
	case CONV_LAMBDA:
	case CONV_OPEN:
		return bind_open(b, from, to);
	case CONV_TUPLE:
		return tuple_convert(b, from, to);
	case CONV_CAST:
		return to_enum(b, from, to);
	case CONV_NONE:
		break;
	}
	if (from->type == &type_open && (type_is_delegate(to) || from->syntax)) {
		unsigned errors = b->c->errors;

		bind_open(b, from, to);         /* says what is wrong inside the lambda */
		if (b->c->errors != errors)
			return NULL;
	}
	return no_conversion(b, from, to);
}

static struct node *cast(struct binder *b, struct node *from, const struct type *to)
{
	struct node *n = bind_node(b, N_CAST, from->at, to);

	if (!n)
		return NULL;
	n->a = from;
	n->tested = to;
	n->assigns = from->assigns;
	return n;
}

/* Could a value of static type `from` be a `to`? */
static bool may_be(struct binder *b, const struct type *from, const struct type *to)
{
	if (type_derives(b->arena, to, from) || type_derives(b->arena, from, to))
		return true;
	if (type_is_value(from) || type_is_value(to) || type_is(from, &class_string) || type_is(to, &class_string))
		return type_is(from, &class_object) || from->cls->kind == CLASS_INTERFACE;
	return from->cls->kind == CLASS_INTERFACE || to->cls->kind == CLASS_INTERFACE || from->cls == to->cls;
}

struct node *convert_explicit(struct binder *b, struct node *from, const struct type *to, size_t at)
{
	struct conv c = conv_implicit(b, from, to);
	const struct type *bf, *bt = type_bare(to);

	if (c.kind != CONV_NONE)
		return convert(b, from, to);
	if (from->type->kind != TYPE_CLASS || to->kind != TYPE_CLASS)
		return no_conversion(b, from, to);
	bf = type_bare(from->type);
	if ((type_is_numeric(bf) || type_is_enum(bf)) && (type_is_numeric(bt) || type_is_enum(bt))) {
		if (type_is_nullable(from->type) && !type_is_nullable(to)) {
			struct node *value = bind_node(b, N_GET_VALUE, at, bf);

			if (!value)
				return NULL;
			value->a = from;
			from = value;
		}
		return type_is_enum(bt) ? to_enum(b, from, to) : number_to(b, from, to, b->function->checked);
	}
	if (type_is_nullable(from->type) && type_eq(bf, to))
		return cast(b, from, to);
	/* a standard conversion comes first: (JObject)variable is a cast, never JToken's operator on a string */
	if (may_be(b, from->type, to))
		return cast(b, from, to);
	c = user_conversion(b, from->type, to, true);
	if (c.kind == CONV_USER)
		return by_user(b, c, from, to, true);
	return expr_error(b->c, at, "cannot convert `%.*s` to `%.*s`", STR_ARG(type_name(b, from->type)),
			  STR_ARG(type_name(b, to)));
}
