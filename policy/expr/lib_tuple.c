/* lib_tuple.c - Tuple, ValueTuple and anonymous types: a few values behind a head. */
#include "core/str.h"
#include "policy/expr/anonymous.h"
#include "policy/expr/library.h"
#include "policy/expr/link.h"
#include "policy/expr/text.h"
#include "policy/expr/vm.h"

enum { ITEMS_MAX = 7 };

struct tuple {
	struct generic_object g;
	size_t n;
	struct value v[ITEMS_MAX];
};

static struct tuple *tuple_of(struct value v)
{
	return (struct tuple *)(void *)v.object;
}

static bool tuple_new(struct vm_call *c)
{
	struct tuple *t = vm_new(c, type_class(c->type), sizeof(*t));

	if (!t)
		return false;
	t->g.type = c->type;
	t->n = c->n < ITEMS_MAX ? c->n : ITEMS_MAX;
	for (size_t i = 0; i < t->n; i++)
		t->v[i] = c->args[i];
	return vm_return(c, value_object(t));
}

/* default((int, string)) is one object for all types: its elements get their zero when they are read. */
static struct value item_of(const struct vm_call *c, size_t i)
{
	const struct tuple *t = tuple_of(c->self);

	if (i >= t->n)
		return VALUE_NULL_INIT;
	return t->v[i].kind == VALUE_NULL && c->types ? type_default(c->types[i]) : t->v[i];
}

#define ITEM(i)                                                                     \
	static bool item##i(struct vm_call *c)                                      \
	{                                                                           \
		return vm_return(c, item_of(c, i - 1));                             \
	}
ITEM(1)
ITEM(2)
ITEM(3)
ITEM(4)
ITEM(5)
ITEM(6)
ITEM(7)

static struct str tuple_text(struct arena *a, struct value v)
{
	const struct tuple *t = tuple_of(v);
	struct str out = STR("(");

	for (size_t i = 0; i < t->n; i++)
		out = arena_join(a, (struct str[]){ out, i ? STR(", ") : STR(""), value_to_text(a, t->v[i]) }, 3);
	return arena_join(a, (struct str[]){ out, STR(")") }, 2);
}

static bool tuple_equals(struct value v, struct value other)
{
	const struct tuple *l = tuple_of(v), *r = tuple_of(other);

	for (size_t i = 0; i < l->n; i++)
		if (l->n != r->n || !value_equals(l->v[i], r->v[i]))
			return false;
	return l->n == r->n;
}

static uint64_t tuple_hash(struct value v)
{
	uint64_t h = 17;

	for (size_t i = 0; i < tuple_of(v)->n; i++)
		h = h * 31 + value_hash(tuple_of(v)->v[i]);
	return h;
}

static int tuple_compare(struct value v, struct value other)
{
	const struct tuple *l = tuple_of(v), *r = tuple_of(other);
	bool comparable;

	for (size_t i = 0; i < l->n && i < r->n; i++) {
		int order = value_compare(l->v[i], r->v[i], &comparable);

		if (order)
			return order;
	}
	return 0;
}

static bool compare_to(struct vm_call *c)
{
	return vm_return(c, value_int(c->args[0].kind == VALUE_NULL ? 1 : tuple_compare(c->self, c->args[0])));
}

#define P1 "A"
#define P2_ P1 ", B"
#define P3_ P2_ ", C"
#define P4 P3_ ", D"
#define P5 P4 ", E"
#define P6 P5 ", F"
#define P7 P6 ", G"
#define G1 { "A Item1 { get; }", item1 }
#define G2 G1, { "B Item2 { get; }", item2 }
#define G3 G2, { "C Item3 { get; }", item3 }
#define G4 G3, { "D Item4 { get; }", item4 }
#define G5 G4, { "E Item5 { get; }", item5 }
#define G6 G5, { "F Item6 { get; }", item6 }
#define G7 G6, { "G Item7 { get; }", item7 }
#define A1 "A a"
#define A2 A1 ", B b"
#define A3 A2 ", C c"
#define A4 A3 ", D d"
#define A5 A4 ", E e"
#define A6 A5 ", F f"
#define A7 A6 ", G g"

#define TUPLES(k, params, args, ...)                                                                         \
	static const struct class_member members##k[] = { { "X(" args ")", tuple_new },                      \
							      { "int CompareTo(object other)", compare_to },      \
							      __VA_ARGS__, { 0 } };                               \
	static struct value_class class_tuple##k = {                                                         \
		.name = "System.Tuple", .parameters = params, .members = members##k, .to_text = tuple_text,  \
		.equals = tuple_equals, .hash = tuple_hash, .compare = tuple_compare, .interfaces = "IComparable", \
	};                                                                                                   \
	static struct value_class class_value_tuple##k;                                                      \
	static const struct tuple zero##k = { .g = { .head = { &class_value_tuple##k }, .type = &type_object }, .n = k }; \
	static struct value_class class_value_tuple##k = {                                                   \
		.name = "System.ValueTuple", .parameters = params, .members = members##k, .to_text = tuple_text, \
		.equals = tuple_equals, .hash = tuple_hash, .compare = tuple_compare, .kind = CLASS_STRUCT,  \
		.interfaces = "IComparable", .zero = &zero##k.g.head,                                        \
	}

TUPLES(1, P1, A1, G1);
TUPLES(2, P2_, A2, G2);
TUPLES(3, P3_, A3, G3);
TUPLES(4, P4, A4, G4);
TUPLES(5, P5, A5, G5);
TUPLES(6, P6, A6, G6);
TUPLES(7, P7, A7, G7);

static const struct class_member create_members[] = {
	{ "static Tuple<" P1 "> Create<" P1 ">(" A1 ")", tuple_new },
	{ "static Tuple<" P2_ "> Create<" P2_ ">(" A2 ")", tuple_new },
	{ "static Tuple<" P3_ "> Create<" P3_ ">(" A3 ")", tuple_new },
	{ "static Tuple<" P4 "> Create<" P4 ">(" A4 ")", tuple_new },
	{ "static Tuple<" P5 "> Create<" P5 ">(" A5 ")", tuple_new },
	{ "static Tuple<" P6 "> Create<" P6 ">(" A6 ")", tuple_new },
	{ "static Tuple<" P7 "> Create<" P7 ">(" A7 ")", tuple_new },
	{ 0 }
};
static struct value_class class_tuple = { .name = "System.Tuple", .kind = CLASS_STATIC, .members = create_members };

/* ---- anonymous types ------------------------------------------------------------------------------------------------------ */

static const struct anonymous_object *anonymous_of(struct value v)
{
	return (const struct anonymous_object *)(const void *)v.object;
}

/* { name = value, … } */
static struct str anonymous_text(struct arena *a, struct value v)
{
	const struct anonymous_object *o = anonymous_of(v);
	struct str out = STR("{ ");

	for (size_t i = 0; i < o->n; i++)
		out = arena_join(a, (struct str[]){ out, i ? STR(", ") : STR(""), class_link(o->head.cls)->properties[i]->name,
						   STR(" = "), value_to_text(a, o->v[i]) }, 5);
	return arena_join(a, (struct str[]){ out, STR(" }") }, 2);
}

static bool anonymous_equals(struct value v, struct value other)
{
	const struct anonymous_object *l = anonymous_of(v), *r = anonymous_of(other);

	if (l->head.cls != r->head.cls)
		return false;
	for (size_t i = 0; i < l->n; i++)
		if (!value_equals(l->v[i], r->v[i]))
			return false;
	return true;
}

static uint64_t anonymous_hash(struct value v)
{
	uint64_t h = 17;

	for (size_t i = 0; i < anonymous_of(v)->n; i++)
		h = h * 31 + value_hash(anonymous_of(v)->v[i]);
	return h;
}

const struct value_class class_anonymous = {
	.name = "<>f__AnonymousType", .to_text = anonymous_text, .equals = anonymous_equals, .hash = anonymous_hash,
};

bool value_is_anonymous(struct value v)
{
	return v.kind == VALUE_OBJECT && v.object->cls && v.object->cls->to_text == anonymous_text;
}

#define GETTER(i)                                                     \
	static bool get##i(struct vm_call *c)                         \
	{                                                             \
		return vm_return(c, anonymous_of(c->self)->v[i]);     \
	}
#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18)      \
	X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
EACH(GETTER)

#define NAME(i) get##i,
const vm_fn anonymous_get[ANONYMOUS_MAX] = { EACH(NAME) };

static struct value_class *const tuple_classes[] = {
	&class_tuple, &class_tuple1, &class_tuple2, &class_tuple3, &class_tuple4, &class_tuple5, &class_tuple6, &class_tuple7,
	&class_value_tuple1, &class_value_tuple2, &class_value_tuple3, &class_value_tuple4, &class_value_tuple5,
	&class_value_tuple6, &class_value_tuple7, NULL,
};
const struct class_module tuple_module = { tuple_classes, NULL };
