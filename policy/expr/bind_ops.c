/* bind_ops.c - operators: user-defined ones first, then C#'s own on promoted numbers, bool, strings, enums, references. */
#include "core/str.h"
#include "policy/expr/bind.h"
#include "policy/expr/lex.h"
#include "policy/expr/run.h"

/* A constant operation is computed now. */
struct node *fold(struct binder *b, struct node *n)
{
	struct value out;
	bool checked = n->flag || !b->function->unchecked;
	enum vm_exception why = EX__COUNT;

	if (!n->a || n->a->kind != N_CONST || (n->b && n->b->kind != N_CONST))
		return n;
	if (n->kind == N_CONVERT)
		why = run_convert(b->arena, n->a->value, (enum value_kind)n->op, checked, &out);
	else if (n->kind == N_BINARY)
		why = run_binary(b->arena, n->op, n->a->value, n->b->value, checked, &out);
	else if (n->kind == N_UNARY)
		why = run_unary(b->arena, n->op, n->a->value, checked, &out);
	else
		return n;
	if (why == EX_OVERFLOW && checked)       /* constants are computed as if checked (C# 5 specification, 7.19) */
		return expr_error(b->c, n->at, "the constant value does not fit into `%.*s`; write `unchecked(…)` if that is meant",
				  STR_ARG(type_name(b, n->type)));
	return why == EX__COUNT ? node_const(b, n->at, n->type, out) : n;
}

static const char *operator_text(uint32_t op, char out[4])
{
	size_t n = 0;

	for (int shift = 16; shift >= 0; shift -= 8)
		if (op >> shift & 0xFF)
			out[n++] = (char)(op >> shift & 0xFF);
	out[n] = '\0';
	return out;
}

static struct node *no_operator(struct binder *b, size_t at, uint32_t op, const struct node *l, const struct node *r)
{
	char text[4];

	if (!r)
		return expr_error(b->c, at, "the operator `%s` cannot be applied to `%.*s`", operator_text(op, text),
				  STR_ARG(type_name(b, l->type)));
	return expr_error(b->c, at, "the operator `%s` cannot be applied to `%.*s` and `%.*s`", operator_text(op, text),
			  STR_ARG(type_name(b, l->type)), STR_ARG(type_name(b, r->type)));
}

/* ---- numbers -------------------------------------------------------------------------------------------------------------- */

static enum value_kind smallest_int(enum value_kind k)
{
	return k < VALUE_INT ? VALUE_INT : k;
}

/* Binary numeric promotion (7.3.6.2); VALUE_NULL: the two do not go together. */
static enum value_kind promoted(const struct node *l, const struct node *r)
{
	enum value_kind a = type_value_kind(type_bare(l->type)), c = type_value_kind(type_bare(r->type));
	bool has_decimal = a == VALUE_DECIMAL || c == VALUE_DECIMAL;

	if (has_decimal)
		return a == VALUE_DOUBLE || c == VALUE_DOUBLE || a == VALUE_FLOAT || c == VALUE_FLOAT ? VALUE_NULL : VALUE_DECIMAL;
	if (a == VALUE_DOUBLE || c == VALUE_DOUBLE)
		return VALUE_DOUBLE;
	if (a == VALUE_FLOAT || c == VALUE_FLOAT)
		return VALUE_FLOAT;
	a = smallest_int(a);
	c = smallest_int(c);
	if (a == VALUE_ULONG || c == VALUE_ULONG) {
		const struct node *other = a == VALUE_ULONG ? r : l;
		enum value_kind k = a == VALUE_ULONG ? c : a;

		if (k == VALUE_ULONG || k == VALUE_UINT || (other->kind == N_CONST && other->value.i >= 0))
			return VALUE_ULONG;
		return VALUE_NULL;
	}
	if (a == VALUE_LONG || c == VALUE_LONG)
		return VALUE_LONG;
	if (a == VALUE_UINT || c == VALUE_UINT) {
		const struct node *other = a == VALUE_UINT ? r : l;

		if (a == c || (other->kind == N_CONST && other->value.i >= 0))
			return VALUE_UINT;
		return VALUE_LONG;
	}
	return VALUE_INT;
}

static bool is_relational(uint32_t op)
{
	return op == '<' || op == '>' || op == P2('<', '=') || op == P2('>', '=');
}

static bool is_equality(uint32_t op)
{
	return op == P2('=', '=') || op == P2('!', '=');
}

static bool is_shift(uint32_t op)
{
	return op == P2('<', '<') || op == P2('>', '>');
}

static struct node *operation(struct binder *b, size_t at, uint32_t op, struct node *l, struct node *r,
			      const struct type *type)
{
	struct node *n = l && r ? bind_node(b, N_BINARY, at, type) : NULL;

	if (!n)
		return NULL;
	n->op = op;
	n->a = l;
	n->b = r;
	n->flag = b->function->checked;
	n->assigns = l->assigns || r->assigns;
	return fold(b, n);
}

static const struct type *lifted(struct binder *b, const struct type *t, const struct node *l, const struct node *r)
{
	bool lift = type_is_nullable(l->type) || l->type == &type_null || (r && (type_is_nullable(r->type) ||
										  r->type == &type_null));

	return lift ? type_nullable_of(b->arena, t) : t;
}

static struct node *zero_division(struct binder *b, size_t at, uint32_t op, const struct node *r)
{
	if ((op == '/' || op == '%') && r->kind == N_CONST && type_is_integral(r->type) && r->value.i == 0)
		return expr_error(b->c, at, "division by the constant zero");
	return NULL;
}

static struct node *number_operation(struct binder *b, size_t at, uint32_t op, struct node *l, struct node *r)
{
	enum value_kind kind = promoted(l, r);
	const struct type *t, *operand;

	if (is_shift(op)) {
		kind = smallest_int(type_value_kind(type_bare(l->type)));
		if (kind > VALUE_ULONG)
			return no_operator(b, at, op, l, r);
		t = lifted(b, type_of_kind(kind), l, r);
		return operation(b, at, op, convert(b, l, t), convert(b, r, lifted(b, &type_int, r, NULL)), t);
	}
	if (kind == VALUE_NULL || ((op == '&' || op == '|' || op == '^') && kind > VALUE_ULONG))
		return no_operator(b, at, op, l, r);
	if (kind <= VALUE_ULONG && (zero_division(b, at, op, r) || b->c->errors))
		return NULL;
	t = type_of_kind(kind);
	operand = lifted(b, t, l, r);
	l = convert(b, l, operand);
	r = l ? convert(b, r, operand) : NULL;
	return operation(b, at, op, l, r, is_relational(op) || is_equality(op) ? &type_bool : operand);
}

/* ---- user-defined --------------------------------------------------------------------------------------------------------- */

static size_t user_operators(struct binder *b, const struct type *t, struct str name, struct candidate *list, size_t n,
			     size_t max, size_t operands)
{
	for (t = type_bare(t); t && t->kind == TYPE_CLASS; t = class_link(t->cls)->base)
		for (struct member *m = class_member(t->cls, name); m && n < max; m = m->next)
			if (m->kind == MEMBER_OPERATOR && m->n == operands)
				list[n++] = (struct candidate){ .member = m, .owner = t };
	(void)b;
	return n;
}

static struct argument given(struct node *n)
{
	return (struct argument){ .node = n, .at = n->at };
}

/* An operand of nullable type meets an operator of the bare type: null makes the comparison false, else the result null. */
static struct node *unlifted(struct binder *b, struct node *n, bool *lift)
{
	struct node *bare;

	if (!type_is_nullable(n->type))
		return n;
	*lift = true;
	bare = bind_node(b, n->kind, n->at, NULL);
	if (bare) {
		*bare = *n;
		bare->real = node_type(n);
		bare->type = type_bare(n->type);
	}
	return bare;
}

/* Apart from what recurses: the list is large. */
static __attribute__((noinline)) struct node *user_operation(struct binder *b, size_t at, uint32_t op, struct node *l, struct node *r, bool *none)
{
	struct candidate list[64];
	struct argument args[2];
	char text[4];
	struct str name = str_of(operator_text(op, text));
	bool lift = false;
	struct node *n;
	size_t found;

	*none = true;
	found = user_operators(b, l->type, name, list, 0, ARRAY_LEN(list), 2);
	if (!type_eq(type_bare(l->type), type_bare(r->type)))
		found = user_operators(b, r->type, name, list, found, ARRAY_LEN(list), 2);
	if (!found || l->type == &type_null || r->type == &type_null)
		return NULL;
	l = unlifted(b, l, &lift);
	r = l ? unlifted(b, r, &lift) : NULL;
	if (!r)
		return NULL;
	args[0] = given(l);
	args[1] = given(r);
	args[0].next = &args[1];
	b->c->quiet++;
	n = bind_overload(b, at, name, list, found, args, 2, NULL);
	b->c->quiet--;
	b->c->errors = 0;
	if (!n)
		return NULL;
	*none = false;
	n->flag = lift;
	n->op = lift && is_equality(op) ? op : 0;
	if (lift && !type_is(n->type, &class_bool))
		n->type = type_nullable_of(b->arena, n->type);
	return n;
}

/* ---- the others ----------------------------------------------------------------------------------------------------------- */

static bool is_text(const struct node *n)
{
	return type_is(n->type, &class_string);
}

static struct node *concat(struct binder *b, size_t at, struct node *l, struct node *r)
{
	struct node *n = bind_node(b, N_CONCAT, at, &type_string), *last;

	if (!n)
		return NULL;
	if (l->kind == N_CONST && r->kind == N_CONST && is_text(l) && is_text(r)) {
		struct str ls = value_str(l->value), rs = value_str(r->value);
		char *to = arena_alloc_text(b->arena, ls.n + rs.n + 1);

		if (!to)
			return expr_error(b->c, at, "out of memory");
		memcpy(to, ls.p ? ls.p : "", ls.n);
		memcpy(to + ls.n, rs.p ? rs.p : "", rs.n);
		return node_const(b, at, &type_string, value_string(b->arena, (struct str){ to, ls.n + rs.n }, false));
	}
	l = convert(b, l, &type_object);
	r = l ? convert(b, r, &type_object) : NULL;
	if (!r)
		return NULL;
	n->assigns = l->assigns || r->assigns;
	if (l->kind == N_CONCAT && l->b && l->b->next) {      /* a + b + c is one concatenation */
		n->b = l->b;
		for (last = n->b; last->next; last = last->next)
			;
		last->next = r;
	} else {
		n->b = l;
		l->next = r;
	}
	r->next = NULL;
	return n;
}

static struct node *same(struct binder *b, size_t at, enum node_kind kind, bool negate, struct node *l, struct node *r)
{
	struct node *n = l && r ? bind_node(b, kind, at, &type_bool) : NULL;

	if (!n)
		return NULL;
	n->a = l;
	n->b = r;
	n->flag = negate;
	n->assigns = l->assigns || r->assigns;
	return n;
}

static bool enum_pair(const struct node *l, const struct node *r)
{
	const struct type *tl = type_bare(l->type), *tr = type_bare(r->type);

	return (type_is_enum(tl) && (type_eq(tl, tr) || r->type == &type_null)) || (type_is_enum(tr) && l->type == &type_null);
}

struct node *equal_of(struct binder *b, size_t at, bool negate, struct node *l, struct node *r)
{
	uint32_t op = negate ? P2('!', '=') : P2('=', '=');
	const struct type *tl = type_bare(l->type), *tr = type_bare(r->type);
	struct node *n;
	bool none, null_l = l->type == &type_null, null_r = r->type == &type_null;

	if (l->type == &type_open || r->type == &type_open)
		return no_operator(b, at, op, l, r);
	if ((is_text(l) || null_l) && (is_text(r) || null_r))
		return same(b, at, N_TEXT_SAME, negate, l, r);
	if (type_is_numeric(tl) && type_is_numeric(tr))
		return number_operation(b, at, op, l, r);
	if (type_is(tl, &class_bool) && type_is(tr, &class_bool))
		return operation(b, at, op, l, r, &type_bool);
	if (enum_pair(l, r))
		return operation(b, at, op, l, r, &type_bool);
	if (type_is_enum(tl) && conv_implicit(b, r, tl).kind != CONV_NONE)
		return operation(b, at, op, l, convert(b, r, tl), &type_bool);
	if (type_is_enum(tr) && conv_implicit(b, l, tr).kind != CONV_NONE)
		return operation(b, at, op, convert(b, l, tr), r, &type_bool);
	if (type_is_tuple(l->type) && type_is_tuple(r->type) && l->type->n == r->type->n)
		return tuple_equal(b, at, negate, l, r);
	n = user_operation(b, at, op, l, r, &none);
	if (!none)
		return n;
	if (null_l || null_r) {
		const struct type *other = null_l ? tr : tl;

		if (other->kind == TYPE_VOID)
			return no_operator(b, at, op, l, r);
		return same(b, at, N_SAME, negate, l, r);
	}
	if (l->type->kind == TYPE_CLASS && r->type->kind == TYPE_CLASS && !type_is_value(l->type) && !type_is_value(r->type) &&
	    (type_derives(b->arena, l->type, r->type) || type_derives(b->arena, r->type, l->type) ||
	     l->type->cls->kind == CLASS_INTERFACE || r->type->cls->kind == CLASS_INTERFACE))
		return same(b, at, N_SAME, negate, l, r);
	return no_operator(b, at, op, l, r);
}

static struct node *logic(struct binder *b, size_t at, enum node_kind kind, struct node *l, struct node *r)
{
	struct node *n = bind_node(b, kind, at, &type_bool);

	if (!n)
		return NULL;
	if (conv_implicit(b, l, &type_bool).kind == CONV_NONE || conv_implicit(b, r, &type_bool).kind == CONV_NONE)
		return no_operator(b, at, kind == N_AND ? P2('&', '&') : P2('|', '|'), l, r);
	n->a = convert(b, l, &type_bool);
	n->b = convert(b, r, &type_bool);
	if (!n->a || !n->b)
		return NULL;
	n->assigns = n->a->assigns || n->b->assigns;
	return n;
}

static struct node *coalesce(struct binder *b, size_t at, struct node *l, struct node *r)
{
	struct node *n = bind_node(b, N_COALESCE, at, NULL);
	const struct type *t, *bare = type_bare(l->type);

	if (!n)
		return NULL;
	if (l->type == &type_null)
		return r;
	if (l->type->kind != TYPE_CLASS || (type_is_value(l->type) && bare == l->type))
		return expr_error(b->c, at, "the left side of `??` is never null: `%.*s`", STR_ARG(type_name(b, l->type)));
	if (bare != l->type && conv_implicit(b, r, bare).kind != CONV_NONE)
		t = bare;
	else if (conv_implicit(b, r, l->type).kind != CONV_NONE)
		t = l->type;
	else if (r->type->kind == TYPE_CLASS && conv_implicit(b, l, r->type).kind != CONV_NONE)
		t = r->type;
	else
		return no_operator(b, at, P2('?', '?'), l, r);
	n->type = t;
	/* the left side is converted when it is not null: numbers and user-defined operators let null pass */
	n->a = t == bare && bare != l->type ? l : convert(b, l, t);
	n->b = convert(b, r, t);
	if (!n->a || !n->b)
		return NULL;
	n->assigns = n->a->assigns || n->b->assigns;
	return n;
}

static bool is_bitwise(uint32_t op)
{
	return op == '&' || op == '|' || op == '^';
}

static struct node *enum_operation(struct binder *b, size_t at, uint32_t op, struct node *l, struct node *r)
{
	const struct type *tl = type_bare(l->type), *tr = type_bare(r->type);

	if (type_is_enum(tl) && type_eq(tl, tr) && (is_bitwise(op) || is_relational(op)))
		return operation(b, at, op, l, r, is_bitwise(op) ? l->type : &type_bool);
	if (type_is_enum(tl) && type_eq(tl, tr) && op == '-')
		return number_operation(b, at, op, convert_explicit(b, l, &type_int, at), convert_explicit(b, r, &type_int, at));
	if (op != '+' && op != '-')
		return NULL;
	if (type_is_enum(tl) && type_is_integral(tr)) {
		struct node *n = number_operation(b, at, op, convert_explicit(b, l, &type_int, at), r);

		return n ? convert_explicit(b, n, tl, at) : NULL;
	}
	return NULL;
}

struct node *binary_of(struct binder *b, size_t at, uint32_t op, struct node *l, struct node *r)
{
	const struct type *tl, *tr;
	struct node *n;
	bool none;

	if (!l || !r)
		return NULL;
	if (op == P2('&', '&') || op == P2('|', '|'))
		return logic(b, at, op == P2('&', '&') ? N_AND : N_OR, l, r);
	if (op == P2('?', '?'))
		return coalesce(b, at, l, r);
	if (is_equality(op))
		return equal_of(b, at, op == P2('!', '='), l, r);
	if (l->type == &type_open || r->type == &type_open || l->type->kind == TYPE_VOID || r->type->kind == TYPE_VOID)
		return no_operator(b, at, op, l, r);
	tl = type_bare(l->type);
	tr = type_bare(r->type);
	if (op == '+' && (is_text(l) || is_text(r))) {           /* XNamespace + "name" has an operator of its own */
		n = user_operation(b, at, op, l, r, &none);
		return none ? concat(b, at, l, r) : n;
	}
	if ((type_is_numeric(tl) || l->type == &type_null) && (type_is_numeric(tr) || r->type == &type_null) &&
	    (l->type != &type_null || r->type != &type_null)) {
		if (l->type == &type_null)
			l->type = type_nullable_of(b->arena, tr);
		if (r->type == &type_null)
			r->type = type_nullable_of(b->arena, tl);
		return number_operation(b, at, op, l, r);
	}
	if (is_bitwise(op) && type_is(tl, &class_bool) && type_is(tr, &class_bool))
		return operation(b, at, op, l, r, lifted(b, &type_bool, l, r));
	n = user_operation(b, at, op, l, r, &none);
	if (!none)
		return n;
	n = enum_operation(b, at, op, l, r);
	if (n || b->c->errors)
		return n;
	return no_operator(b, at, op, l, r);
}

struct node *bind_binary(struct binder *b, struct syntax *s)
{
	struct node *l = bind_value(b, s->a), *r = l ? bind_value(b, s->b) : NULL;

	return binary_of(b, s->at, s->op, l, r);
}

/* ---- unary ---------------------------------------------------------------------------------------------------------------- */

static struct node *unary_of(struct binder *b, size_t at, uint32_t op, struct node *v, const struct type *t)
{
	struct node *n;

	v = convert(b, v, t);
	n = v ? bind_node(b, N_UNARY, at, t) : NULL;
	if (!n)
		return NULL;
	n->op = op;
	n->a = v;
	n->flag = b->function->checked;
	n->assigns = v->assigns;
	return fold(b, n);
}

static struct node *negate(struct binder *b, size_t at, uint32_t op, struct node *v)
{
	enum value_kind k = smallest_int(type_value_kind(type_bare(v->type)));

	if (op == '-' && k == VALUE_UINT) {
		/* -2147483648: the literal was a uint */
		if (v->kind == N_CONST && v->value.u == 1u + (uint64_t)INT32_MAX)
			return node_const(b, at, &type_int, value_of(VALUE_INT, INT32_MIN));
		k = VALUE_LONG;
	}
	if (op == '-' && k == VALUE_ULONG) {
		if (v->kind == N_CONST && v->value.u == 1u + (uint64_t)INT64_MAX)
			return node_const(b, at, &type_long, value_of(VALUE_LONG, INT64_MIN));
		return no_operator(b, at, op, v, NULL);
	}
	if (op == '~' && k > VALUE_ULONG)
		return no_operator(b, at, op, v, NULL);
	return unary_of(b, at, op, v, lifted(b, type_of_kind(k), v, NULL));
}

struct node *bind_unary(struct binder *b, struct syntax *s)
{
	struct candidate list[8];
	struct argument arg;
	char text[4];
	struct node *v;
	size_t n;

	if (s->op == P2('+', '+') || s->op == P2('-', '-'))
		return bind_increment(b, s);
	v = bind_value(b, s->a);
	if (!v)
		return NULL;
	if (s->op == '!') {
		if (conv_implicit(b, v, &type_bool).kind == CONV_NONE)
			return no_operator(b, s->at, s->op, v, NULL);
		return unary_of(b, s->at, '!', v, &type_bool);
	}
	if (type_is_numeric(type_bare(v->type)))
		return negate(b, s->at, s->op, v);
	if (type_is_enum(type_bare(v->type)) && s->op == '~') {
		struct node *number = convert_explicit(b, v, &type_int, s->at);

		number = number ? unary_of(b, s->at, '~', number, &type_int) : NULL;
		return number ? convert_explicit(b, number, v->type, s->at) : NULL;
	}
	if (v->type->kind != TYPE_CLASS)
		return no_operator(b, s->at, s->op, v, NULL);
	n = user_operators(b, v->type, str_of(operator_text(s->op, text)), list, 0, ARRAY_LEN(list), 1);
	if (!n)
		return no_operator(b, s->at, s->op, v, NULL);
	arg = given(v);
	return bind_overload(b, s->at, STR("operator"), list, n, &arg, 1, NULL);
}
