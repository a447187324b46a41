/* type_code.c - TypeCode, and what decimal and Nullable offer beside operators. */
#include "core/str.h"
#include "policy/expr/decimal.h"
#include "policy/expr/run.h"
#include "policy/net/convert.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/number.h"
#include "policy/net/time.h"

/* ---- TypeCode ------------------------------------------------------------------------------------------------------------- */

static const struct class_member codes[] = {
	{ "Empty = 0" },   { "Object = 1" },  { "DBNull = 2" },  { "Boolean = 3" }, { "Char = 4" },    { "SByte = 5" },
	{ "Byte = 6" },    { "Int16 = 7" },   { "UInt16 = 8" },  { "Int32 = 9" },   { "UInt32 = 10" }, { "Int64 = 11" },
	{ "UInt64 = 12" }, { "Single = 13" }, { "Double = 14" }, { "Decimal = 15" }, { "DateTime = 16" }, { "String = 18" },
	{ 0 }
};
struct value_class class_type_code = { .name = "System.TypeCode", .kind = CLASS_ENUM, .members = codes };

enum type_code type_code_of(struct value v)
{
	static const uint8_t of_kind[VALUE__COUNT] = {
		[VALUE_NULL] = CODE_EMPTY, [VALUE_BOOL] = CODE_BOOLEAN, [VALUE_CHAR] = CODE_CHAR, [VALUE_SBYTE] = CODE_SBYTE,
		[VALUE_BYTE] = CODE_BYTE, [VALUE_SHORT] = CODE_INT16, [VALUE_USHORT] = CODE_UINT16, [VALUE_INT] = CODE_INT32,
		[VALUE_UINT] = CODE_UINT32, [VALUE_LONG] = CODE_INT64, [VALUE_ULONG] = CODE_UINT64, [VALUE_FLOAT] = CODE_SINGLE,
		[VALUE_DOUBLE] = CODE_DOUBLE, [VALUE_DECIMAL] = CODE_DECIMAL, [VALUE_STRING] = CODE_STRING,
		[VALUE_OBJECT] = CODE_OBJECT,
	};

	if (v.kind == VALUE_OBJECT && strcmp(value_class_of(v)->name, "System.DBNull") == 0)
		return CODE_DB_NULL;
	if (v.kind == VALUE_OBJECT && value_class_of(v)->kind == CLASS_ENUM)
		return CODE_INT32;
	return value_is(v, &class_date_time) ? CODE_DATE_TIME : (enum type_code)of_kind[v.kind];
}

static bool get_type_code(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_type_code, type_code_of(c->self)));
}

static const struct class_member coded[] = { { "TypeCode GetTypeCode()", get_type_code }, { 0 } };

/* ---- decimal -------------------------------------------------------------------------------------------------------------- */

enum { MONEY_SCALE = 10000 };        /* of an OLE currency */

/* Cut toward zero, as a cast does; only the message is another. */
#define TO(name, KIND)                                                                                           \
	static bool to_##name(struct vm_call *c)                                                                 \
	{                                                                                                        \
		if (run_convert(c->arena, c->args[0], VALUE_##KIND, true, &c->result) == EX__COUNT)              \
			return true;                                                                             \
		return vm_throw(c, EX_OVERFLOW, "Value was either too large or too small for %s",                \
				number_overflow_text(VALUE_##KIND));                                             \
	}
TO(byte, BYTE)
TO(sbyte, SBYTE)
TO(int16, SHORT)
TO(uint16, USHORT)
TO(int32, INT)
TO(uint32, UINT)
TO(int64, LONG)
TO(uint64, ULONG)
TO(single, FLOAT)
TO(double, DOUBLE)

/* Low, middle and high 32 bits, then the scale in bits 16 to 23 with the sign in the top bit. */
static bool get_bits(struct vm_call *c)
{
	const struct decimal *d = value_decimal(c->args[0]);
	struct array *a = vm_array(c, 4);
	uint32_t flags = (uint32_t)d->scale << 16 | (d->negative ? UINT32_C(1) << 31 : 0);

	if (!a)
		return false;
	for (size_t i = 0; i < 3; i++)
		a->v[i] = value_of(VALUE_INT, (int32_t)(uint32_t)(d->digits >> (32 * i)));
	a->v[3] = value_of(VALUE_INT, (int32_t)flags);
	return vm_return(c, value_object(a));
}

static bool from_currency(struct vm_call *c)
{
	struct decimal d = decimal_of_i64(arg_int(c, 0));

	for (d.scale = 4; d.scale && d.digits % 10 == 0; d.scale--)
		d.digits /= 10;
	return give_made(c, decimal_value(c->arena, d));
}

static bool to_currency(struct vm_call *c)
{
	struct decimal scaled;
	struct value out;

	if (!decimal_mul(*value_decimal(c->args[0]), decimal_of_i64(MONEY_SCALE), &scaled))
		return vm_throw(c, EX_OVERFLOW, "Value was either too large or too small for a Currency.");
	out = decimal_value(c->arena, scaled);
	if (out.kind != VALUE_DECIMAL)
		return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	return convert_number(c, out, VALUE_LONG, &c->result);
}

static const struct class_member decimal_more[] = {
	{ "static byte ToByte(decimal value)", to_byte },
	{ "static sbyte ToSByte(decimal value)", to_sbyte },
	{ "static short ToInt16(decimal value)", to_int16 },
	{ "static ushort ToUInt16(decimal value)", to_uint16 },
	{ "static int ToInt32(decimal d)", to_int32 },
	{ "static uint ToUInt32(decimal d)", to_uint32 },
	{ "static long ToInt64(decimal d)", to_int64 },
	{ "static ulong ToUInt64(decimal d)", to_uint64 },
	{ "static float ToSingle(decimal d)", to_single },
	{ "static double ToDouble(decimal d)", to_double },
	{ "static int[] GetBits(decimal d)", get_bits },
	{ "static decimal FromOACurrency(long cy)", from_currency },
	{ "static long ToOACurrency(decimal value)", to_currency },
	{ "TypeCode GetTypeCode()", get_type_code },
	{ 0 }
};

/* ---- Convert.ChangeType --------------------------------------------------------------------------------------------------- */

static bool change_to(struct vm_call *c, struct value v, enum type_code code)
{
	static const enum value_kind numbers[] = {
		[CODE_CHAR] = VALUE_CHAR, [CODE_SBYTE] = VALUE_SBYTE, [CODE_BYTE] = VALUE_BYTE, [CODE_INT16] = VALUE_SHORT,
		[CODE_UINT16] = VALUE_USHORT, [CODE_INT32] = VALUE_INT, [CODE_UINT32] = VALUE_UINT, [CODE_INT64] = VALUE_LONG,
		[CODE_UINT64] = VALUE_ULONG, [CODE_SINGLE] = VALUE_FLOAT, [CODE_DOUBLE] = VALUE_DOUBLE,
		[CODE_DECIMAL] = VALUE_DECIMAL,
	};
	bool b;

	switch (code) {
	case CODE_BOOLEAN:
		return convert_bool(c, v, &b) && give_bool(c, b);
	case CODE_DATE_TIME:
		return convert_date(c, v, &c->result);
	case CODE_STRING:
		return v.kind == VALUE_STRING ? vm_return(c, v) : give_new(c, value_to_text(c->arena, v));
	case CODE_OBJECT:
		return vm_return(c, v);
	default:
		break;
	}
	if ((size_t)code < ARRAY_LEN(numbers) && numbers[code])
		return convert_number(c, v, numbers[code], &c->result);
	return vm_throw(c, EX_ARGUMENT, "The TypeCode value is not valid.");
}

static bool change_type_code(struct vm_call *c)
{
	if (c->args[0].kind == VALUE_NULL)
		return vm_return(c, VALUE_NULL_INIT);
	return change_to(c, c->args[0], (enum type_code)arg_enum(c, 1));
}

static bool change_type(struct vm_call *c)
{
	const struct type *t = type_in_value(c->args[1]);
	struct value v = c->args[0];

	if (!t)
		return vm_throw_null(c, "conversionType");
	if (v.kind == VALUE_NULL)
		return type_default(t).kind == VALUE_NULL ? vm_return(c, v) :
		       vm_throw(c, EX_INVALID_CAST, "Null object cannot be converted to a value type.");
	if (type_accepts(c->vm, t, v))
		return vm_return(c, v);
	if (type_class(t)->kind != CLASS_ENUM && (type_default(t).kind != VALUE_OBJECT || type_class(t) == &class_string ||
						  type_class(t) == &class_date_time))
		return change_to(c, v, type_class(t) == &class_string ? CODE_STRING : type_code_of(type_default(t)));
	return vm_throw(c, EX_INVALID_CAST, "Invalid cast from '%.*s' to '%.*s'.",
			STR_ARG(type_text(c->arena, type_of_value(c->vm, v), true)), STR_ARG(type_text(c->arena, t, true)));
}

static bool code_of_value(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_type_code, type_code_of(c->args[0])));
}

static const struct class_member convert_members[] = {
	{ "static object ChangeType(object value, TypeCode typeCode)", change_type_code },
	{ "static object ChangeType(object value, TypeCode typeCode, IFormatProvider provider)", change_type_code },
	{ "static object ChangeType(object value, Type conversionType)", change_type },
	{ "static object ChangeType(object value, Type conversionType, IFormatProvider provider)", change_type },
	{ "static TypeCode GetTypeCode(object value)", code_of_value },
	{ 0 }
};

/* ---- Nullable ------------------------------------------------------------------------------------------------------------- */

static bool nullable_compare(struct vm_call *c)
{
	bool comparable;

	return give_int(c, value_compare(c->args[0], c->args[1], &comparable));
}

static bool nullable_equals(struct vm_call *c)
{
	return give_bool(c, value_equals(c->args[0], c->args[1]));
}

static const struct class_member nullable_members[] = {
	{ "static int Compare<T>(T? n1, T? n2)", nullable_compare },
	{ "static bool Equals<T>(T? n1, T? n2)", nullable_equals },
	{ 0 }
};
static struct value_class class_nullable_static = {
	.name = "System.Nullable", .kind = CLASS_STATIC, .members = nullable_members
};

static const struct class_part parts[] = {
	{ &class_bool, coded },  { &class_char, coded },  { &class_sbyte, coded },  { &class_byte, coded },
	{ &class_short, coded }, { &class_ushort, coded }, { &class_int, coded },   { &class_uint, coded },
	{ &class_long, coded },  { &class_ulong, coded }, { &class_float, coded },  { &class_double, coded },
	{ &class_string, coded }, { &class_decimal, decimal_more }, { &class_convert, convert_members }, { NULL, NULL },
};
static struct value_class *const classes[] = { &class_type_code, &class_nullable_static, NULL };

const struct class_module net_type_code = { .classes = classes, .parts = parts };
