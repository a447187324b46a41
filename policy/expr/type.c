#include "policy/expr/type.h"

#include "core/str.h"
#include "policy/expr/link.h"

#define TYPE_OF(name) const struct type type_##name = { .cls = &class_##name }
TYPE_OF(object);
TYPE_OF(string);
TYPE_OF(bool);
TYPE_OF(char);
TYPE_OF(sbyte);
TYPE_OF(byte);
TYPE_OF(short);
TYPE_OF(ushort);
TYPE_OF(int);
TYPE_OF(uint);
TYPE_OF(long);
TYPE_OF(ulong);
TYPE_OF(float);
TYPE_OF(double);
TYPE_OF(decimal);
TYPE_OF(exception);
const struct type type_void = { .kind = TYPE_VOID };
const struct type type_null = { .kind = TYPE_NULL };
const struct type type_open = { .kind = TYPE_OPEN };
const struct type type_throw = { .kind = TYPE_THROW };

static const struct type *const of_kind[VALUE__COUNT] = {
	[VALUE_BOOL] = &type_bool,   [VALUE_CHAR] = &type_char,     [VALUE_SBYTE] = &type_sbyte,
	[VALUE_BYTE] = &type_byte,   [VALUE_SHORT] = &type_short,   [VALUE_USHORT] = &type_ushort,
	[VALUE_INT] = &type_int,     [VALUE_UINT] = &type_uint,     [VALUE_LONG] = &type_long,
	[VALUE_ULONG] = &type_ulong, [VALUE_FLOAT] = &type_float,   [VALUE_DOUBLE] = &type_double,
	[VALUE_DECIMAL] = &type_decimal, [VALUE_STRING] = &type_string,
};

const struct type *type_of_kind(enum value_kind kind)
{
	return of_kind[kind];
}

const struct type *type_make(struct arena *a, const struct value_class *cls, const struct type *const *args, size_t n)
{
	struct type *t = arena_new_of(a, struct type);
	const struct type **copy = arena_alloc(a, n ? n : 1, sizeof(*copy));

	if (!t || !copy)
		return &type_object;
	t->size = 1;
	for (size_t i = 0; i < n; i++) {
		copy[i] = args[i];
		t->size += args[i]->size ? args[i]->size : 1;
	}
	if (t->size > TYPE_SIZE_MAX)
		return &type_object;
	t->cls = cls;
	t->n = (uint16_t)n;
	t->args = copy;
	return t;
}

const struct type *type_make1(struct arena *a, const struct value_class *cls, const struct type *arg)
{
	return type_make(a, cls, &arg, 1);
}

const struct type *type_with_names(struct arena *a, const struct type *t, const struct str *names)
{
	struct type *copy = names && t->n ? arena_new_of(a, struct type) : NULL;

	if (!copy)
		return t;
	*copy = *t;
	copy->names = names;
	return copy;
}

const struct type *type_array_of(struct arena *a, const struct type *element)
{
	return type_make1(a, &class_array, element);
}

const struct type *type_nullable_of(struct arena *a, const struct type *t)
{
	return type_is_nullable(t) || !type_is_value(t) ? t : type_make1(a, &class_nullable, t);
}

const struct type *type_copy(struct arena *a, const struct type *t)
{
	const struct type *args[TYPE_ARGS_MAX];

	if (t->kind != TYPE_CLASS || (t->n == 0 && (type_of_kind(t->cls->value_kind) == t || t == &type_object)))
		return t;
	if (t->n == 0 && t == class_link(t->cls)->self)
		return t;
	for (size_t i = 0; i < t->n; i++)
		args[i] = type_copy(a, t->args[i]);
	return type_make(a, t->cls, args, t->n);
}

bool type_eq(const struct type *l, const struct type *r)
{
	if (l == r)
		return true;
	if (l->kind != r->kind || l->cls != r->cls || l->n != r->n || l->index != r->index || l->of_method != r->of_method)
		return false;
	for (size_t i = 0; i < l->n; i++)
		if (!type_eq(l->args[i], r->args[i]))
			return false;
	return true;
}

static bool mentions_parameters(const struct type *t, bool of_method_only)
{
	if (t->kind == TYPE_PARAMETER)
		return t->of_method || !of_method_only;
	for (size_t i = 0; i < t->n; i++)
		if (mentions_parameters(t->args[i], of_method_only))
			return true;
	return false;
}

bool type_has_parameters(const struct type *t)
{
	return mentions_parameters(t, true);
}

const struct type *type_put_in(struct arena *a, const struct type *t, const struct type *const *of_class,
			       const struct type *const *of_method)
{
	const struct type *args[TYPE_ARGS_MAX], *const *from;
	bool changed = false;

	if (t->kind == TYPE_PARAMETER) {
		from = t->of_method ? of_method : of_class;
		return from && from[t->index] ? from[t->index] : t;
	}
	if (t->n == 0)
		return t;
	for (size_t i = 0; i < t->n; i++) {
		args[i] = type_put_in(a, t->args[i], of_class, of_method);
		changed |= args[i] != t->args[i];
	}
	if (!changed)
		return t;
	if (t->cls == &class_nullable && (type_is_nullable(args[0]) || (!type_is_value(args[0]) &&
									  args[0]->kind != TYPE_PARAMETER)))
		return args[0];
	return type_with_names(a, type_make(a, t->cls, args, t->n), t->names);
}

bool type_is_value(const struct type *t)
{
	if (t->kind != TYPE_CLASS)
		return false;
	return t->cls->kind == CLASS_STRUCT || t->cls->kind == CLASS_ENUM;
}

bool type_is_enum(const struct type *t)
{
	return t->kind == TYPE_CLASS && t->cls->kind == CLASS_ENUM;
}

bool type_is_tuple(const struct type *t)
{
	return t->kind == TYPE_CLASS && t->n && strcmp(t->cls->name, "System.ValueTuple") == 0;
}

bool type_is_delegate(const struct type *t)
{
	return t->kind == TYPE_CLASS && t->cls->kind == CLASS_DELEGATE;
}

const struct type *type_bare(const struct type *t)
{
	return type_is_nullable(t) ? t->args[0] : t;
}

enum value_kind type_value_kind(const struct type *t)
{
	if (t->kind != TYPE_CLASS || t->cls->value_kind == VALUE_NULL)
		return VALUE_OBJECT;
	return t->cls->value_kind;
}

bool type_is_numeric(const struct type *t)
{
	enum value_kind k = type_value_kind(t);

	return k >= VALUE_CHAR && k <= VALUE_DECIMAL;
}

bool type_is_integral(const struct type *t)
{
	enum value_kind k = type_value_kind(t);

	return k >= VALUE_CHAR && k <= VALUE_ULONG;
}

const struct type *type_as(struct arena *a, const struct type *t, const struct value_class *cls)
{
	const struct class_link *link;
	const struct type *found;

	if (t->kind != TYPE_CLASS)
		return NULL;
	if (t->cls == cls)
		return t;
	link = class_link(t->cls);
	for (size_t i = 0; i < link->n_interfaces; i++) {
		found = type_as(a, link->interfaces[i], cls);
		if (found)
			return type_put_in(a, found, t->args, NULL);
	}
	found = link->base ? type_as(a, link->base, cls) : NULL;
	return found ? type_put_in(a, found, t->args, NULL) : NULL;
}

/* 1: <out T>, -1: <in T>; 0: List<string> is no IList<object>, or a number could be added to it. */
static int variance(const struct value_class *cls)
{
	static const struct {
		const char *name;
		int way;
	} known[] = {
		{ "IEnumerable", 1 }, { "IEnumerator", 1 }, { "IReadOnlyCollection", 1 }, { "IReadOnlyList", 1 },
		{ "IGrouping", 1 }, { "IOrderedEnumerable", 1 }, { "IComparer", -1 }, { "IEqualityComparer", -1 },
		{ "IComparable", -1 },
	};

	if (cls->kind != CLASS_INTERFACE)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq(class_link(cls)->name, str_of(known[i].name)))
			return known[i].way;
	return 0;
}

/* Interfaces and delegates whose type arguments may be a base of what is asked for; reference types only, as in C#. */
static bool argument_fits(struct arena *a, const struct type *whole, const struct value_class *cls, size_t i,
			  const struct type *from, const struct type *to)
{
	if (type_eq(from, to))
		return true;
	if (type_is_value(from) || type_is_value(to))
		return false;
	if (cls->kind == CLASS_DELEGATE) {
		bool is_result = strncmp(cls->name, "System.Func", 11) == 0 && cls->parameters && i + 1 ==
				 class_link(cls)->self->n;

		return is_result ? type_derives(a, from, to) : type_derives(a, to, from);
	}
	if (cls == &class_array || (whole->cls == &class_array && cls->kind == CLASS_INTERFACE))
		return type_derives(a, from, to);
	switch (variance(cls)) {
	case 1: return type_derives(a, from, to);
	case -1: return type_derives(a, to, from);
	default: return false;
	}
}

bool type_derives(struct arena *a, const struct type *from, const struct type *to)
{
	const struct type *as;

	if (from == to || type_eq(from, to))
		return true;
	if (to->kind != TYPE_CLASS)
		return false;
	if (from->kind == TYPE_NULL)
		return !type_is_value(to) || type_is_nullable(to);
	if (from->kind != TYPE_CLASS)
		return false;
	if (to->cls == &class_object)
		return true;
	if (type_is_nullable(to) || (type_is_nullable(from) && type_is_value(to)))
		return false;
	as = type_as(a, type_is_nullable(from) ? type_bare(from) : from, to->cls);
	if (!as || as->n < to->n)                /* System.Array is no int[] */
		return false;
	for (size_t i = 0; i < to->n; i++)
		if (!argument_fits(a, from, to->cls, i, as->args[i], to->args[i]))
			return false;
	return true;
}

const struct type *type_item(struct arena *a, const struct type *t)
{
	static const struct value_class *enumerable, *plain;
	const struct type *as;

	if (!__atomic_load_n(&enumerable, __ATOMIC_ACQUIRE)) {
		__atomic_store_n(&plain, class_find(STR("IEnumerable"), 0), __ATOMIC_RELEASE);
		__atomic_store_n(&enumerable, class_find(STR("IEnumerable"), 1), __ATOMIC_RELEASE);
	}
	as = type_as(a, t, __atomic_load_n(&enumerable, __ATOMIC_ACQUIRE));
	if (as)
		return as->args[0];
	return plain && type_as(a, t, plain) ? &type_object : NULL;
}

const struct value_class *type_class(const struct type *t)
{
	return t->kind == TYPE_CLASS ? t->cls : &class_object;
}

const struct type *type_arg(const struct type *t, size_t i)
{
	return i < t->n ? t->args[i] : &type_object;
}

size_t type_n_args(const struct type *t)
{
	return t->n;
}

static const char *keyword_of(const struct type *t)
{
	static const char *const words[VALUE__COUNT] = {
		[VALUE_BOOL] = "bool", [VALUE_CHAR] = "char", [VALUE_SBYTE] = "sbyte", [VALUE_BYTE] = "byte",
		[VALUE_SHORT] = "short", [VALUE_USHORT] = "ushort", [VALUE_INT] = "int", [VALUE_UINT] = "uint",
		[VALUE_LONG] = "long", [VALUE_ULONG] = "ulong", [VALUE_FLOAT] = "float", [VALUE_DOUBLE] = "double",
		[VALUE_DECIMAL] = "decimal", [VALUE_STRING] = "string",
	};

	return t->cls == &class_object ? "object" : words[t->cls->value_kind];
}

/* (int, string name) */
static struct str tuple_text(struct arena *a, const struct type *t)
{
	struct str out = STR("(");

	for (size_t i = 0; i < t->n; i++) {
		struct str name = t->names ? t->names[i] : STR_NULL;

		out = arena_printf(a, "%.*s%s%.*s%s%.*s", STR_ARG(out), i ? ", " : "", STR_ARG(type_text(a, t->args[i], false)),
				   name.n ? " " : "", STR_ARG(name));
	}
	return arena_printf(a, "%.*s)", STR_ARG(out));
}

static struct str class_text(struct arena *a, const struct type *t, bool full)
{
	struct str name = full ? str_of(t->cls->name) : class_link(t->cls)->name, out;

	if (t->n == 0)
		return name;
	if (!full && t->n > 1 && type_is_tuple(t))
		return tuple_text(a, t);
	out = full ? arena_printf(a, "%.*s`%u[", STR_ARG(name), t->n) : arena_printf(a, "%.*s<", STR_ARG(name));
	for (size_t i = 0; i < t->n; i++)
		out = arena_printf(a, "%.*s%s%.*s", STR_ARG(out), i ? (full ? "," : ", ") : "",
				   STR_ARG(type_text(a, t->args[i], full)));
	return arena_printf(a, "%.*s%s", STR_ARG(out), full ? "]" : ">");
}

struct str type_text(struct arena *a, const struct type *t, bool full)
{
	static const char *const special[] = { "", "T", "void", "null", "lambda", "throw" };

	if (t->kind != TYPE_CLASS)
		return str_of(special[t->kind]);
	if (t->cls == &class_array)
		return arena_printf(a, "%.*s[]", STR_ARG(type_text(a, t->args[0], full)));
	if (grid_rank(t->cls))
		return arena_printf(a, "%.*s[%.*s]", STR_ARG(type_text(a, t->args[0], full)), (int)grid_rank(t->cls) - 1, ",,,,");
	if (t->cls == &class_nullable && !full)
		return arena_printf(a, "%.*s?", STR_ARG(type_text(a, t->args[0], full)));
	if (!full && keyword_of(t))
		return str_of(keyword_of(t));
	return class_text(a, t, full);
}
