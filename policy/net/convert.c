#include "policy/net/convert.h"

#include <math.h>

#include "core/str.h"
#include "policy/net/base64.h"
#include "policy/net/json.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/number.h"
#include "policy/net/time.h"

static const char *simple_name(struct value v)
{
	const char *name = value_class_of(v)->name, *dot = strrchr(name, '.');

	return dot ? dot + 1 : name;
}

static bool no_cast(struct vm_call *c, struct value v, const char *to)
{
	if (v.kind == VALUE_OBJECT && value_class_of(v) != &class_date_time)
		return vm_throw(c, EX_INVALID_CAST, "Unable to cast object of type '%s' to type 'System.IConvertible'.",
				value_class_of(v)->name);
	return vm_throw(c, EX_INVALID_CAST, "Invalid cast from '%s' to '%s'.", simple_name(v), to);
}

static bool too_large(struct vm_call *c, enum value_kind to)
{
	return vm_throw(c, EX_OVERFLOW, "Value was either too large or too small for %s", number_overflow_text(to));
}

static bool give_integer(struct vm_call *c, __int128 i, enum value_kind to, struct value *out)
{
	if (!integer_fits(to, i))
		return too_large(c, to);
	*out = (struct value){ .kind = to, .i = (int64_t)i };
	return true;
}

static bool real_to_integer(struct vm_call *c, double d, enum value_kind to, struct value *out)
{
	if (!(fabs(d) < 1.8446744073709552e19))
		return too_large(c, to);
	return give_integer(c, (__int128)nearbyint(d), to, out);
}

static bool decimal_to_integer(struct vm_call *c, struct decimal d, enum value_kind to, struct value *out)
{
	unsigned __int128 whole = d.digits, unit = 1, rest;

	for (int i = 0; i < d.scale; i++)
		unit *= 10;
	rest = whole % unit;
	whole /= unit;
	if (rest * 2 > unit || (rest * 2 == unit && unit > 1 && (whole & 1)))
		whole++;
	if (whole > (unsigned __int128)UINT64_MAX + 1)
		return too_large(c, to);
	return give_integer(c, d.negative ? -(__int128)whole : (__int128)whole, to, out);
}

static bool give_real(struct vm_call *c, double d, enum value_kind to, struct value *out)
{
	struct decimal m;

	if (to == VALUE_DECIMAL) {
		if (!decimal_of_double(d, &m))
			return too_large(c, to);
		*out = decimal_value(c->arena, m);
		return out->kind == VALUE_DECIMAL || vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	}
	*out = (struct value){ .kind = to, .d = to == VALUE_FLOAT ? (double)(float)d : d };
	return true;
}

static bool is_real(enum value_kind k)
{
	return k == VALUE_FLOAT || k == VALUE_DOUBLE;
}

static bool is_unsigned(enum value_kind k)
{
	return k == VALUE_BYTE || k == VALUE_USHORT || k == VALUE_UINT || k == VALUE_ULONG || k == VALUE_CHAR;
}

static bool from_integer(struct vm_call *c, struct value v, enum value_kind to, struct value *out)
{
	struct decimal m;

	if (is_real(to))
		return give_real(c, is_unsigned(v.kind) ? (double)v.u : (double)v.i, to, out);
	if (to == VALUE_DECIMAL) {
		m = is_unsigned(v.kind) ? decimal_of_u64(v.u) : decimal_of_i64(v.i);
		*out = decimal_value(c->arena, m);
		return out->kind == VALUE_DECIMAL || vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	}
	return give_integer(c, is_unsigned(v.kind) ? (__int128)v.u : (__int128)v.i, to, out);
}

static bool from_string(struct vm_call *c, struct value v, enum value_kind to, struct value *out)
{
	switch (number_parse(c->arena, text_str(v.text), to, number_default_style(to), out)) {
	case PARSE_OK:
		return true;
	case PARSE_OVERFLOW:
		return too_large(c, to);
	default:
		return vm_throw(c, EX_FORMAT, "The input string '%.*s' was not in a correct format.", SHOWN(text_str(v.text)));
	}
}

bool convert_number(struct vm_call *c, struct value v, enum value_kind to, struct value *out)
{
	static const char *const names[VALUE__COUNT] = {
		[VALUE_CHAR] = "Char", [VALUE_SBYTE] = "SByte", [VALUE_BYTE] = "Byte", [VALUE_SHORT] = "Int16",
		[VALUE_USHORT] = "UInt16", [VALUE_INT] = "Int32", [VALUE_UINT] = "UInt32", [VALUE_LONG] = "Int64",
		[VALUE_ULONG] = "UInt64", [VALUE_FLOAT] = "Single", [VALUE_DOUBLE] = "Double", [VALUE_DECIMAL] = "Decimal",
	};

	v = jt_unwrap(v);
	switch (v.kind) {
	case VALUE_NULL:
		return from_integer(c, value_int(0), to, out);
	case VALUE_BOOL:
		if (to == VALUE_CHAR)
			return no_cast(c, v, names[to]);
		return from_integer(c, value_int(v.b), to, out);
	case VALUE_FLOAT:
	case VALUE_DOUBLE:
		if (is_real(to) || to == VALUE_DECIMAL)
			return give_real(c, v.d, to, out);
		return to == VALUE_CHAR ? no_cast(c, v, names[to]) : real_to_integer(c, v.d, to, out);
	case VALUE_DECIMAL:
		if (to == VALUE_DECIMAL) {
			*out = v;
			return true;
		}
		if (is_real(to))
			return give_real(c, decimal_to_double(*value_decimal(v)), to, out);
		return to == VALUE_CHAR ? no_cast(c, v, names[to]) : decimal_to_integer(c, *value_decimal(v), to, out);
	case VALUE_STRING:
		return from_string(c, v, to, out);
	case VALUE_CHAR:
		if (is_real(to) || to == VALUE_DECIMAL)
			return no_cast(c, v, names[to]);
		return from_integer(c, v, to, out);
	case VALUE_OBJECT:
		if (value_class_of(v)->kind == CLASS_ENUM)
			return from_integer(c, value_long(enum_value(v)), to, out);
		return no_cast(c, v, names[to]);
	default:
		return from_integer(c, v, to, out);
	}
}

bool convert_bool(struct vm_call *c, struct value v, bool *out)
{
	struct str s;

	v = jt_unwrap(v);
	switch (v.kind) {
	case VALUE_NULL:
		*out = false;
		return true;
	case VALUE_BOOL:
		*out = v.b;
		return true;
	case VALUE_STRING:
		s = str_trim(text_str(v.text));
		*out = str_eq_ci(s, STR("true"));
		if (*out || str_eq_ci(s, STR("false")))
			return true;
		return vm_throw(c, EX_FORMAT, "String '%.*s' was not recognized as a valid Boolean.", SHOWN(text_str(v.text)));
	case VALUE_FLOAT:
	case VALUE_DOUBLE:
		*out = v.d != 0;
		return true;
	case VALUE_DECIMAL:
		*out = value_decimal(v)->digits != 0;
		return true;
	case VALUE_CHAR:
	case VALUE_OBJECT:
		return no_cast(c, v, "Boolean");
	default:
		*out = v.i != 0;
		return true;
	}
}

bool convert_date(struct vm_call *c, struct value v, struct value *out)
{
	v = jt_unwrap(v);
	if (v.kind == VALUE_NULL) {
		*out = date_time_value(c->arena, 0, DATE_UNSPECIFIED);
		return true;
	}
	if (v.kind == VALUE_STRING)
		return date_parse_value(c, text_str(v.text), out);
	if (value_is(v, &class_date_time)) {
		*out = v;
		return true;
	}
	return no_cast(c, v, "DateTime");
}

/* ---- members ------------------------------------------------------------------------------------------------------------ */

static bool to_number(struct vm_call *c)
{
	struct value v;

	return convert_number(c, c->args[0], type_class(c->type)->value_kind, &v) && vm_return(c, v);
}

static bool to_char(struct vm_call *c)
{
	struct value v = jt_unwrap(c->args[0]);

	if (v.kind != VALUE_STRING)
		return to_number(c);
	if (text_length(v.text) != 1)
		return vm_throw(c, EX_FORMAT, "String must be exactly one character long.");
	return vm_return(c, value_char(text_unit(v.text, 0)));
}

static bool to_bool(struct vm_call *c)
{
	bool b;

	return convert_bool(c, c->args[0], &b) && give_bool(c, b);
}

static bool to_date(struct vm_call *c)
{
	struct value v;

	return convert_date(c, c->args[0], &v) && give_made(c, v);
}

static bool to_string(struct vm_call *c)
{
	struct value v = jt_unwrap(c->args[0]);

	if (c->args[0].kind == VALUE_STRING || c->args[0].kind == VALUE_NULL)
		return vm_return(c, c->args[0].kind == VALUE_NULL ? value_string(c->arena, STR(""), false) : c->args[0]);
	return give_new(c, value_to_text(c->arena, v));
}

static bool digit_of(char ch, unsigned base, unsigned *digit)
{
	char l = ascii_lower(ch);

	*digit = ascii_is_digit(l) ? (unsigned)(l - '0') : l >= 'a' && l <= 'z' ? (unsigned)(l - 'a') + 10 : 99;
	return *digit < base;
}

/* ToInt32("ff", 16) and its like: the bits of the type, so that "FFFFFFFF" is -1. */
static bool from_base(struct vm_call *c)
{
	static const uint8_t bits[VALUE__COUNT] = {
		[VALUE_SBYTE] = 8, [VALUE_BYTE] = 8, [VALUE_SHORT] = 16, [VALUE_USHORT] = 16, [VALUE_INT] = 32,
		[VALUE_UINT] = 32, [VALUE_LONG] = 64, [VALUE_ULONG] = 64,
	};
	enum value_kind to = type_class(c->type)->value_kind;
	int64_t base = arg_int(c, 1);
	struct str s = arg_str(c, 0);
	bool minus = false;
	unsigned __int128 u = 0;
	unsigned digit;

	if (base != 2 && base != 8 && base != 10 && base != 16)
		return vm_throw(c, EX_ARGUMENT, "Invalid Base.");
	if (!s.p)
		return vm_return(c, value_of(to, 0));
	if (s.n == 0)
		return vm_throw_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size "
						       "of the collection.");
	if (base == 10 && s.p[0] == '-') {
		minus = true;
		s = str_from(s, 1);
	}
	if (base == 16 && s.n > 2 && str_starts_ci(s, STR("0x")))
		s = str_from(s, 2);
	for (size_t i = 0; i < s.n; i++) {
		if (!digit_of(s.p[i], (unsigned)base, &digit))
			return vm_throw(c, EX_FORMAT, i ? "Additional non-parsable characters are at the end of the string."
							: "Could not find any recognizable digits.");
		u = u * (unsigned)base + digit;
		if (u >> 65)
			return too_large(c, to);
	}
	if (base == 10) {
		struct value v;

		return give_integer(c, minus ? -(__int128)u : (__int128)u, to, &v) && vm_return(c, v);
	}
	if (u >> bits[to])
		return too_large(c, to);
	return vm_return(c, value_of(to, (int64_t)(uint64_t)u));
}

static bool to_base(struct vm_call *c)
{
	int64_t base = arg_int(c, 1);
	unsigned width = c->args[0].kind == VALUE_BYTE ? 8 : c->args[0].kind == VALUE_SHORT ? 16
			 : c->args[0].kind == VALUE_INT ? 32 : 64;
	uint64_t u = width == 64 ? c->args[0].u : c->args[0].u & ((UINT64_C(1) << width) - 1);
	char back[64];
	size_t at = sizeof(back);

	if (base != 2 && base != 8 && base != 10 && base != 16)
		return vm_throw(c, EX_ARGUMENT, "Invalid Base.");
	if (base == 10)
		return give_new(c, value_to_text(c->arena, c->args[0]));
	do {
		back[--at] = "0123456789abcdef"[u % (uint64_t)base];
		u /= (uint64_t)base;
	} while (u);
	return vm_return_copy(c, (struct str){ back + at, sizeof(back) - at });
}

static bool to_base64(struct vm_call *c)
{
	struct str bytes = value_bytes(c->args[0]), text;
	struct out o = out_in(c->arena);
	bool lines = c->n > 1 && c->args[c->n - 1].kind == VALUE_OBJECT && arg_enum(c, c->n - 1) == 1;

	if (!bytes.p)
		return vm_throw_null(c, "inArray");
	if (c->n > 2) {
		if (arg_int(c, 1) < 0 || arg_int(c, 2) < 0 || arg_int(c, 1) > (int64_t)bytes.n - arg_int(c, 2))
			return vm_throw_range(c, "offset", "Offset and length must refer to a position in the string.");
		bytes = (struct str){ bytes.p + arg_int(c, 1), (size_t)arg_int(c, 2) };
	}
	if (!charge_work(c, bytes.n * 2))
		return false;
	text = base64_text(c->arena, bytes);
	if (!lines || !text.p)
		return give_new(c, text);
	for (; text.n > 76; text = str_from(text, 76)) {
		out_add(&o, text.p, 76);
		out_add(&o, "\r\n", 2);
	}
	out_put(&o, text);
	return give_new(c, out_str(&o));
}

static bool from_base64(struct vm_call *c)
{
	struct str s = arg_str(c, 0), bytes;
	struct out o = out_in(c->arena);

	if (!s.p)
		return vm_throw_null(c, "s");
	if (!charge_work(c, s.n * 2))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r' && s.p[i] != '\n')
			out_char(&o, s.p[i]);
	s = out_str(&o);
	if (!s.p)
		return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && s.p[i] != '+' && s.p[i] != '/' && s.p[i] != '=')
			goto bad;
	if (s.n % 4)
		return vm_throw(c, EX_FORMAT, "Invalid length for a Base-64 char array or string.");
	if (!base64_bytes(c->arena, s, &bytes))
		goto bad;
	return give_made(c, vm_bytes(c, bytes));
bad:
	return vm_throw(c, EX_FORMAT, "The input is not a valid Base-64 string as it contains a non-base 64 character, more "
				      "than two padding characters, or an illegal character among the padding characters.");
}

#define TO(T, name)                                                                   \
	{ "static " #T " To" #name "(object value)", to_number },                     \
	{ "static " #T " To" #name "(object value, IFormatProvider provider)", to_number }
static bool from_base64_chars(struct vm_call *c)
{
	const struct array *a = value_array(c->args[0]);
	int64_t from = arg_int(c, 1), n = arg_int(c, 2);
	struct out o = out_in(c->arena);

	if (!a)
		return vm_throw_null(c, "inArray");
	if (from < 0 || n < 0 || from > (int64_t)a->n - n)
		return vm_throw_range(c, from < 0 ? "offset" : "length", NULL);
	for (int64_t i = 0; i < n; i++)
		out_char(&o, a->v[from + i].u < 0x80 ? (char)a->v[from + i].u : '?');
	c->args[0] = value_string(c->arena, out_str(&o), false);
	return c->args[0].kind == VALUE_STRING ? from_base64(c) : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static struct value_class class_db_null;
static const struct object db_null = { &class_db_null };

static bool get_db_null(struct vm_call *c)
{
	return vm_return(c, value_object(&db_null));
}

static struct str db_null_text(struct arena *a UNUSED, struct value v UNUSED)
{
	return STR("");
}

static bool is_db_null(struct vm_call *c)
{
	return give_bool(c, value_is(c->args[0], &class_db_null));
}

static const struct class_member db_null_members[] = { { "static DBNull Value { get; }", get_db_null }, { 0 } };
static struct value_class class_db_null = { .name = "System.DBNull", .members = db_null_members, .to_text = db_null_text };

/* (inArray, offsetIn, length, outArray, offsetOut): how many characters were written */
static bool to_base64_chars(struct vm_call *c)
{
	struct str bytes = value_bytes(c->args[0]), text;
	struct array *to = value_array(c->args[3]);
	int64_t from = arg_int(c, 1), n = arg_int(c, 2), at = arg_int(c, 4);

	if (!bytes.p || !to)
		return vm_throw_null(c, bytes.p ? "outArray" : "inArray");
	if (n < 0)
		return vm_throw_range(c, "length", NULL);
	if (from < 0 || from > (int64_t)bytes.n - n)
		return vm_throw_range(c, "offsetIn", from < 0 ? "Value must be positive." :
				      "Offset and length must refer to a position in the string.");
	if (at < 0)
		return vm_throw_range(c, "offsetOut", "Value must be positive.");
	if (!charge_work(c, (size_t)n * 2))
		return false;
	text = base64_text(c->arena, (struct str){ bytes.p + from, (size_t)n });
	if (!text.p)
		return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	if (at > (int64_t)to->n || text.n > to->n - (size_t)at)
		return vm_throw_range(c, "offsetOut", "Either offset did not refer to a position in the string, or there is an "
				      "insufficient length of destination character array.");
	for (size_t i = 0; i < text.n; i++)
		to->v[at + (int64_t)i] = value_char((uint8_t)text.p[i]);
	return give_int(c, (int64_t)text.n);
}

#define TO_BASED(T, name) TO(T, name), { "static " #T " To" #name "(string value, int fromBase)", from_base }

static const struct class_member members[] = {
	TO_BASED(sbyte, SByte), TO_BASED(byte, Byte), TO_BASED(short, Int16), TO_BASED(ushort, UInt16),
	TO_BASED(int, Int32), TO_BASED(uint, UInt32), TO_BASED(long, Int64), TO_BASED(ulong, UInt64),
	TO(float, Single), TO(double, Double), TO(decimal, Decimal),
	{ "static char ToChar(object value)", to_char },
	{ "static char ToChar(object value, IFormatProvider provider)", to_char },
	{ "static bool ToBoolean(object value)", to_bool },
	{ "static bool ToBoolean(object value, IFormatProvider provider)", to_bool },
	{ "static DateTime ToDateTime(object value)", to_date },
	{ "static DateTime ToDateTime(object value, IFormatProvider provider)", to_date },
	{ "static string ToString(object value)", to_string },
	{ "static string ToString(object value, IFormatProvider provider)", to_string },
	{ "static string ToString(byte value, int toBase)", to_base },
	{ "static string ToString(short value, int toBase)", to_base },
	{ "static string ToString(int value, int toBase)", to_base },
	{ "static string ToString(long value, int toBase)", to_base },
	{ "static string ToBase64String(byte[] inArray)", to_base64 },
	{ "static string ToBase64String(byte[] inArray, Base64FormattingOptions options)", to_base64 },
	{ "static string ToBase64String(byte[] inArray, int offset, int length)", to_base64 },
	{ "static byte[] FromBase64String(string s)", from_base64 },
	{ "static int ToBase64CharArray(byte[] inArray, int offsetIn, int length, char[] outArray, int offsetOut)", to_base64_chars },
	{ "static object DBNull { get; }", get_db_null },
	{ "static bool IsDBNull(object value)", is_db_null },
	{ "static byte[] FromBase64CharArray(char[] inArray, int offset, int length)", from_base64_chars },
	{ 0 }
};
static const struct class_member base64_options[] = { { "None = 0" }, { "InsertLineBreaks = 1" }, { 0 } };

struct value_class class_convert = { .name = "System.Convert", .kind = CLASS_STATIC, .members = members };
static struct value_class class_base64_options = {
	.name = "System.Base64FormattingOptions", .kind = CLASS_ENUM, .members = base64_options
};
static struct value_class *const classes[] = { &class_convert, &class_base64_options, &class_db_null, NULL };

const struct class_module net_convert = { .classes = classes };
