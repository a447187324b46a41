/* number.c - members of the numeric types, bool and decimal: Parse, ToString(format), CompareTo, constants. */
#include "policy/net/number.h"

#include <float.h>
#include <math.h>

#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"

/* ---- parsing ---------------------------------------------------------------------------------------------------------- */

static bool parse_as(struct vm_call *c, enum value_kind kind, unsigned style)
{
	struct value v;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "s");
	if (!vm_charge(c->vm, COST_PARSE + arg_str(c, 0).n / 4))
		return false;
	switch (number_parse(c->arena, arg_str(c, 0), kind, style, &v)) {
	case PARSE_OK:
		return vm_return(c, v);
	case PARSE_OVERFLOW:
		return vm_throw(c, EX_OVERFLOW, "Value was either too large or too small for %s", number_overflow_text(kind));
	default:
		return vm_throw(c, EX_FORMAT, "The input string '%.*s' was not in a correct format.", SHOWN(arg_str(c, 0)));
	}
}

static bool parse(struct vm_call *c)
{
	enum value_kind kind = type_class(c->type)->value_kind;

	return parse_as(c, kind, number_default_style(kind));
}

static bool parse_style(struct vm_call *c)
{
	return parse_as(c, type_class(c->type)->value_kind, (unsigned)arg_enum(c, 1));
}

static bool try_as(struct vm_call *c, enum value_kind kind, unsigned style, size_t at)
{
	struct value v, zero = { .kind = kind };
	bool ok = vm_charge(c->vm, COST_PARSE + arg_str(c, 0).n / 4) && !arg_is_null(c, 0) && number_parse(c->arena, arg_str(c, 0), kind, style, &v) == PARSE_OK;

	if (kind == VALUE_DECIMAL)
		zero = decimal_value(c->arena, decimal_of_i64(0));
	c->args[at] = ok ? v : zero;
	return !vm_failed(c->vm) && give_bool(c, ok);
}

#define TRY_FUNCTIONS(name, KIND)                                                    \
	static bool try_##name(struct vm_call *c)                                    \
	{                                                                            \
		return try_as(c, KIND, number_default_style(KIND), 1);               \
	}                                                                            \
	static bool try_style_##name(struct vm_call *c)                              \
	{                                                                            \
		return try_as(c, KIND, (unsigned)arg_enum(c, 1), 3);                 \
	}
TRY_FUNCTIONS(sbyte, VALUE_SBYTE)
TRY_FUNCTIONS(byte, VALUE_BYTE)
TRY_FUNCTIONS(short, VALUE_SHORT)
TRY_FUNCTIONS(ushort, VALUE_USHORT)
TRY_FUNCTIONS(int, VALUE_INT)
TRY_FUNCTIONS(uint, VALUE_UINT)
TRY_FUNCTIONS(long, VALUE_LONG)
TRY_FUNCTIONS(ulong, VALUE_ULONG)
TRY_FUNCTIONS(float, VALUE_FLOAT)
TRY_FUNCTIONS(double, VALUE_DOUBLE)
TRY_FUNCTIONS(decimal, VALUE_DECIMAL)

static bool parse_bool(struct str s, bool *out)
{
	while (s.n && (ascii_is_space(s.p[0]) || s.p[0] == '\0'))
		s = str_from(s, 1);
	while (s.n && (ascii_is_space(s.p[s.n - 1]) || s.p[s.n - 1] == '\0'))
		s.n--;
	*out = str_eq_ci(s, STR("True"));
	return *out || str_eq_ci(s, STR("False"));
}

static bool bool_parse(struct vm_call *c)
{
	bool b;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "value");
	if (!parse_bool(arg_str(c, 0), &b))
		return vm_throw(c, EX_FORMAT, "String '%.*s' was not recognized as a valid Boolean.", SHOWN(arg_str(c, 0)));
	return give_bool(c, b);
}

static bool bool_try_parse(struct vm_call *c)
{
	bool b = false, ok = !arg_is_null(c, 0) && parse_bool(arg_str(c, 0), &b);

	c->args[1] = value_bool(ok && b);
	return give_bool(c, ok);
}

/* ---- printing, comparing ---------------------------------------------------------------------------------------------- */

static bool to_string(struct vm_call *c)
{
	struct out o = out_in(c->arena);

	number_text(&o, c->self);
	return vm_charge(c->vm, COST_FORMAT) && give_new(c, out_str(&o));
}

static bool to_string_format(struct vm_call *c)
{
	struct out o = out_in(c->arena);

	if (!vm_charge(c->vm, COST_EXACT_FORMAT + (c->n ? arg_str(c, 0).n * 2 : 0)))
		return false;
	if (!number_format(&o, c->self, arg_str(c, 0)))
		return vm_throw(c, EX_FORMAT, "Format specifier was invalid.");
	return give_new(c, out_str(&o));
}

static bool bool_to_string(struct vm_call *c)
{
	return vm_return_str(c, c->self.b ? STR("True") : STR("False"));
}

static bool compare_to(struct vm_call *c)
{
	bool comparable = true;

	if (arg_is_null(c, 0))
		return give_int(c, 1);
	if (c->args[0].kind != c->self.kind)
		return vm_throw(c, EX_ARGUMENT, "Object must be of type %s.",
				strrchr(value_class_of(c->self)->name, '.') + 1);
	return give_int(c, value_compare(c->self, c->args[0], &comparable));
}

static bool equals_same(struct vm_call *c)
{
	return give_bool(c, c->args[0].kind == c->self.kind && value_equals(c->self, c->args[0]));
}

static bool is_nan(struct vm_call *c)
{
	return give_bool(c, isnan(c->args[0].d));
}

static bool is_infinity(struct vm_call *c)
{
	return give_bool(c, isinf(c->args[0].d));
}

static bool is_positive_infinity(struct vm_call *c)
{
	return give_bool(c, isinf(c->args[0].d) && c->args[0].d > 0);
}

static bool is_negative_infinity(struct vm_call *c)
{
	return give_bool(c, isinf(c->args[0].d) && c->args[0].d < 0);
}

#define REAL_CONSTANT(name, number)                                                                          \
	static bool name(struct vm_call *c)                                                                  \
	{                                                                                                    \
		return vm_return(c, (struct value){ .kind = type_class(c->type)->value_kind, .d = (number) }); \
	}
REAL_CONSTANT(get_nan, NAN)
REAL_CONSTANT(get_infinity, INFINITY)
REAL_CONSTANT(get_minus_infinity, -INFINITY)
REAL_CONSTANT(double_max, DBL_MAX)
REAL_CONSTANT(double_min, -DBL_MAX)
REAL_CONSTANT(double_epsilon, DBL_TRUE_MIN)
REAL_CONSTANT(float_max, (double)FLT_MAX)
REAL_CONSTANT(float_min, -(double)FLT_MAX)
REAL_CONSTANT(float_epsilon, (double)FLT_TRUE_MIN)

/* ---- tables ------------------------------------------------------------------------------------------------------------ */

#define COMMON(T)                                                                     \
	{ "static " #T " Parse(string s)", parse },                                   \
	{ "static " #T " Parse(string s, NumberStyles style)", parse_style },         \
	{ "static " #T " Parse(string s, IFormatProvider provider)", parse },         \
	{ "static " #T " Parse(string s, NumberStyles style, IFormatProvider provider)", parse_style }, \
	{ "static bool TryParse(string s, out " #T " result)", try_##T },             \
	{ "static bool TryParse(string s, NumberStyles style, IFormatProvider provider, out " #T " result)", try_style_##T }, \
	{ "string ToString()", to_string },                                           \
	{ "string ToString(string format)", to_string_format },                       \
	{ "string ToString(IFormatProvider provider)", to_string },                   \
	{ "string ToString(string format, IFormatProvider provider)", to_string_format }, \
	{ "int CompareTo(" #T " value)", compare_to },                                \
	{ "int CompareTo(object value)", compare_to },                                \
	{ "bool Equals(" #T " value)", equals_same }

#define REAL(T)                                                                \
	{ "static bool IsNaN(" #T " d)", is_nan },                             \
	{ "static bool IsInfinity(" #T " d)", is_infinity },                   \
	{ "static bool IsPositiveInfinity(" #T " d)", is_positive_infinity },  \
	{ "static bool IsNegativeInfinity(" #T " d)", is_negative_infinity },  \
	{ "static " #T " NaN { get; }", get_nan },                             \
	{ "static " #T " PositiveInfinity { get; }", get_infinity },           \
	{ "static " #T " NegativeInfinity { get; }", get_minus_infinity },     \
	{ "static " #T " MaxValue { get; }", T##_max },                        \
	{ "static " #T " MinValue { get; }", T##_min },                        \
	{ "static " #T " Epsilon { get; }", T##_epsilon }

#define INTEGER(T, min, max) \
	{ "const " #T " MinValue = " min }, { "const " #T " MaxValue = " max }

static const struct class_member sbyte_members[] = { COMMON(sbyte), INTEGER(sbyte, "-128", "127"), { 0 } };
static const struct class_member byte_members[] = { COMMON(byte), INTEGER(byte, "0", "255"), { 0 } };
static const struct class_member short_members[] = { COMMON(short), INTEGER(short, "-32768", "32767"), { 0 } };
static const struct class_member ushort_members[] = { COMMON(ushort), INTEGER(ushort, "0", "65535"), { 0 } };
static const struct class_member int_members[] = { COMMON(int), INTEGER(int, "-2147483648", "2147483647"), { 0 } };
static const struct class_member uint_members[] = { COMMON(uint), INTEGER(uint, "0", "4294967295"), { 0 } };
static const struct class_member long_members[] = {
	COMMON(long), INTEGER(long, "-9223372036854775808", "9223372036854775807"), { 0 }
};
static const struct class_member ulong_members[] = { COMMON(ulong), INTEGER(ulong, "0", "18446744073709551615"), { 0 } };
static const struct class_member float_members[] = { COMMON(float), REAL(float), { 0 } };
static const struct class_member double_members[] = { COMMON(double), REAL(double), { 0 } };
static const struct class_member decimal_members[] = { COMMON(decimal), { 0 } };
static const struct class_member bool_members[] = {
	{ "static bool Parse(string value)", bool_parse },
	{ "static bool TryParse(string value, out bool result)", bool_try_parse },
	{ "string ToString()", bool_to_string },
	{ "string ToString(IFormatProvider provider)", bool_to_string },
	{ "int CompareTo(bool value)", compare_to },
	{ "int CompareTo(object value)", compare_to },
	{ "bool Equals(bool value)", equals_same },
	{ "const string TrueString = \"True\"" },
	{ "const string FalseString = \"False\"" },
	{ 0 }
};

static const struct class_part parts[] = {
	{ &class_sbyte, sbyte_members }, { &class_byte, byte_members },     { &class_short, short_members },
	{ &class_ushort, ushort_members }, { &class_int, int_members },     { &class_uint, uint_members },
	{ &class_long, long_members },   { &class_ulong, ulong_members },   { &class_float, float_members },
	{ &class_double, double_members }, { &class_decimal, decimal_members }, { &class_bool, bool_members },
	{ NULL, NULL },
};

const struct class_module net_number = { .parts = parts };
