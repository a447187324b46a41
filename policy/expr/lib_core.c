/* lib_core.c - the classes behind C#'s keywords, object, Enum and Type. What strings and numbers can do stands in
 * policy/net; here is only what every value has. */
#include "core/str.h"
#include "policy/expr/library.h"
#include "policy/expr/link.h"
#include "policy/expr/text.h"
#include "policy/expr/vm.h"

/* ---- object --------------------------------------------------------------------------------------------------------------- */

static bool object_new(struct vm_call *c)
{
	return vm_return(c, value_object(vm_new(c, &class_object, sizeof(struct object))));
}

static bool object_to_string(struct vm_call *c)
{
	struct str s = value_to_text(c->arena, c->self);

	if (!s.p)
		return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	return vm_return_str(c, s);
}

static bool object_equals(struct vm_call *c)
{
	return vm_return(c, value_bool(value_equals(c->self, c->args[0])));
}

static bool object_equals_static(struct vm_call *c)
{
	return vm_return(c, value_bool(value_equals(c->args[0], c->args[1])));
}

static bool object_same(struct vm_call *c)
{
	struct value a = c->args[0], b = c->args[1];

	return vm_return(c, value_bool(a.kind == b.kind && (a.kind == VALUE_NULL || a.u == b.u)));
}

static bool object_hash(struct vm_call *c)
{
	uint64_t h = value_hash(c->self);

	return vm_return(c, value_int((int32_t)(uint32_t)(h ^ h >> 32)));
}

struct type_object {
	struct object head;
	const struct type *type;
};

static bool object_type(struct vm_call *c);

static const struct class_member object_members[] = {
	{ "object()", object_new },
	{ "string ToString()", object_to_string },
	{ "bool Equals(object obj)", object_equals },
	{ "int GetHashCode()", object_hash },
	{ "Type GetType()", object_type },
	{ "static bool Equals(object objA, object objB)", object_equals_static },
	{ "static bool ReferenceEquals(object objA, object objB)", object_same },
	{ 0 }
};
struct value_class class_object = { .name = "System.Object", .members = object_members };

/* ---- Type ----------------------------------------------------------------------------------------------------------------- */

static const struct type *type_self(struct value v)
{
	return ((const struct type_object *)(const void *)v.object)->type;
}

const struct type *type_in_value(struct value v)
{
	return v.kind == VALUE_OBJECT && strcmp(v.object->cls->name, "System.Type") == 0 ? type_self(v) : NULL;
}

static bool type_short_name(struct vm_call *c)
{
	return vm_return_str(c, class_link(type_class(type_self(c->self)))->name);
}

static bool type_full_name(struct vm_call *c)
{
	return vm_return_str(c, type_text(c->arena, type_self(c->self), true));
}

static struct str type_to_text(struct arena *a, struct value v)
{
	return type_text(a, type_self(v), true);
}

static bool type_same(struct value v, struct value other)
{
	return type_eq(type_self(v), type_self(other));
}

static uint64_t type_hash(struct value v)
{
	return (uint64_t)(uintptr_t)type_class(type_self(v));
}

static bool type_operator_eq(struct vm_call *c)
{
	return vm_return(c, value_bool(value_equals(c->args[0], c->args[1])));
}

static bool type_operator_ne(struct vm_call *c)
{
	return vm_return(c, value_bool(!value_equals(c->args[0], c->args[1])));
}

static const struct class_member type_members[] = {
	{ "string Name { get; }", type_short_name },
	{ "string FullName { get; }", type_full_name },
	{ "static bool operator ==(Type left, Type right)", type_operator_eq },
	{ "static bool operator !=(Type left, Type right)", type_operator_ne },
	{ 0 }
};
static struct value_class class_type = {
	.name = "System.Type", .members = type_members, .equals = type_same, .hash = type_hash, .to_text = type_to_text,
};

static bool object_type(struct vm_call *c)
{
	struct type_object *o = vm_new(c, &class_type, sizeof(*o));

	if (!o)
		return false;
	o->type = type_of_value(c->vm, c->self);
	return vm_return(c, value_object(o));
}

/* ---- Enum ----------------------------------------------------------------------------------------------------------------- */

static bool enum_to_string(struct vm_call *c)
{
	struct str format = value_str(c->args[0]);
	const struct value_class *cls = value_class_of(c->self);

	if (format.n == 0 || str_eq_ci(format, STR("G")) || str_eq_ci(format, STR("F")))
		return vm_return_str(c, enum_text(c->arena, cls, enum_value(c->self)));
	if (str_eq_ci(format, STR("D")))
		return vm_return_str(c, arena_printf(c->arena, "%lld", (long long)enum_value(c->self)));
	if (str_eq_ci(format, STR("X")))
		return vm_return_str(c, arena_printf(c->arena, "%08llX", (unsigned long long)enum_value(c->self) & 0xFFFFFFFF));
	return vm_throw(c, EX_FORMAT, "Format String can be only \"G\", \"g\", \"X\", \"x\", \"F\", \"f\", \"D\" or \"d\".");
}

static bool enum_has_flag(struct vm_call *c)
{
	int64_t flag = enum_value(c->args[0]);

	return vm_return(c, value_bool((enum_value(c->self) & flag) == flag));
}

static bool parse_enum(struct vm_call *c, const struct value_class *cls, struct value text, bool ignore_case)
{
	int64_t number;

	if (text.kind == VALUE_NULL)
		return vm_throw_null(c, "value");
	if (cls->kind != CLASS_ENUM)
		return vm_throw(c, EX_ARGUMENT, "Type provided must be an Enum. (Parameter 'enumType')");
	if (!enum_parse(cls, value_str(text), ignore_case, &number))
		return vm_throw(c, EX_ARGUMENT, "Requested value '%.*s' was not found.", STR_ARG(value_str(text)));
	c->result = enum_of(c, cls, number);
	return c->result.kind != VALUE_NULL;
}

static bool enum_parse_type(struct vm_call *c)
{
	if (c->args[0].kind == VALUE_NULL)
		return vm_throw_null(c, "enumType");
	return parse_enum(c, type_class(type_self(c->args[0])), c->args[1], c->n > 2 && c->args[2].b);
}

static bool enum_parse_generic(struct vm_call *c)
{
	return parse_enum(c, type_class(c->types[0]), c->args[0], c->n > 1 && c->args[1].b);
}

static bool try_enum(struct vm_call *c, struct value *out, bool ignore_case)
{
	const struct value_class *cls = type_class(c->types[0]);
	int64_t number;
	bool ok = c->args[0].kind == VALUE_STRING && cls->kind == CLASS_ENUM &&
		  enum_parse(cls, value_str(c->args[0]), ignore_case, &number);

	*out = ok ? enum_of(c, cls, number) : type_default(c->types[0]);
	return vm_return(c, value_bool(ok));
}

static bool enum_try_parse(struct vm_call *c)
{
	return try_enum(c, &c->args[1], false);
}

static bool enum_try_parse_case(struct vm_call *c)
{
	return try_enum(c, &c->args[2], c->args[1].b);
}

static bool enum_is_defined(struct vm_call *c)
{
	const struct class_link *link;
	bool found = false;

	if (c->args[0].kind == VALUE_NULL)
		return vm_throw_null(c, "enumType");
	link = class_link(type_class(type_self(c->args[0])));
	for (size_t i = 0; i < link->n_rows; i++)
		found |= c->args[1].kind == VALUE_STRING ? str_eq(link->rows[i].name, value_str(c->args[1]))
							 : link->rows[i].object.number == enum_value(c->args[1]);
	return vm_return(c, value_bool(found));
}

static const struct class_member enum_members[] = {
	{ "string ToString(string format)", enum_to_string },
	{ "bool HasFlag(Enum flag)", enum_has_flag },
	{ "static object Parse(Type enumType, string value)", enum_parse_type },
	{ "static object Parse(Type enumType, string value, bool ignoreCase)", enum_parse_type },
	{ "static TEnum Parse<TEnum>(string value)", enum_parse_generic },
	{ "static TEnum Parse<TEnum>(string value, bool ignoreCase)", enum_parse_generic },
	{ "static bool TryParse<TEnum>(string value, out TEnum result)", enum_try_parse },
	{ "static bool TryParse<TEnum>(string value, bool ignoreCase, out TEnum result)", enum_try_parse_case },
	{ "static bool IsDefined(Type enumType, object value)", enum_is_defined },
	{ 0 }
};
struct value_class class_enum = { .name = "System.Enum", .members = enum_members };

/* ---- Nullable, numbers, string -------------------------------------------------------------------------------------------- */

struct value_class class_nullable = { .name = "System.Nullable", .parameters = "T", .kind = CLASS_STRUCT };

#define COMPARABLE(type) "IComparable, IComparable<" type ">, IEquatable<" type ">, IConvertible"
#define NUMBER(id, full, kind_)                                                                              \
	struct value_class class_##id = {                                                                    \
		.name = "System." full, .kind = CLASS_STRUCT, .value_kind = kind_, .interfaces = COMPARABLE(#id), \
	}

NUMBER(bool, "Boolean", VALUE_BOOL);
NUMBER(char, "Char", VALUE_CHAR);
NUMBER(sbyte, "SByte", VALUE_SBYTE);
NUMBER(byte, "Byte", VALUE_BYTE);
NUMBER(short, "Int16", VALUE_SHORT);
NUMBER(ushort, "UInt16", VALUE_USHORT);
NUMBER(int, "Int32", VALUE_INT);
NUMBER(uint, "UInt32", VALUE_UINT);
NUMBER(long, "Int64", VALUE_LONG);
NUMBER(ulong, "UInt64", VALUE_ULONG);
NUMBER(float, "Single", VALUE_FLOAT);
NUMBER(double, "Double", VALUE_DOUBLE);
NUMBER(decimal, "Decimal", VALUE_DECIMAL);
struct value_class class_string = {
	.name = "System.String", .value_kind = VALUE_STRING,
	.interfaces = "IEnumerable<char>, IComparable, IComparable<string>, IEquatable<string>, IConvertible",
};

static struct value_class *const classes[] = {
	&class_object, &class_type, &class_enum, &class_nullable, &class_bool, &class_char, &class_sbyte, &class_byte,
	&class_short, &class_ushort, &class_int, &class_uint, &class_long, &class_ulong, &class_float, &class_double,
	&class_decimal, &class_string, NULL,
};
const struct class_module core_module = { classes, NULL };
