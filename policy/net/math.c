/* math.c - System.Math. Overloads choose the type; c->type says which result is wanted. */
#include <math.h>

#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/number.h"

static struct value_class class_rounding;

enum { TO_EVEN, AWAY_FROM_ZERO, TO_ZERO, TO_NEGATIVE_INFINITY, TO_POSITIVE_INFINITY };
enum { DOUBLE_PLACES_MAX = 15, DECIMAL_PLACES_MAX = 28 };

static bool give_double(struct vm_call *c, double d)
{
	return vm_return(c, value_double(d));
}

static bool give_decimal(struct vm_call *c, struct decimal d)
{
	return give_made(c, decimal_value(c->arena, d));
}

#define DOUBLE_1(name, expression)               \
	static bool name(struct vm_call *c)      \
	{                                        \
		double x = c->args[0].d;         \
		return give_double(c, expression); \
	}
DOUBLE_1(m_acos, acos(x))
DOUBLE_1(m_asin, asin(x))
DOUBLE_1(m_atan, atan(x))
DOUBLE_1(m_cos, cos(x))
DOUBLE_1(m_cosh, cosh(x))
DOUBLE_1(m_sin, sin(x))
DOUBLE_1(m_sinh, sinh(x))
DOUBLE_1(m_tan, tan(x))
DOUBLE_1(m_tanh, tanh(x))
DOUBLE_1(m_exp, exp(x))
DOUBLE_1(m_log, log(x))
DOUBLE_1(m_log10, log10(x))
DOUBLE_1(m_sqrt, sqrt(x))
DOUBLE_1(m_cbrt, cbrt(x))
DOUBLE_1(m_ceiling, ceil(x))
DOUBLE_1(m_floor, floor(x))
DOUBLE_1(m_truncate, trunc(x))
DOUBLE_1(m_round, nearbyint(x))

static bool m_atan2(struct vm_call *c)
{
	return give_double(c, atan2(c->args[0].d, c->args[1].d));
}

static bool m_pow(struct vm_call *c)
{
	return give_double(c, pow(c->args[0].d, c->args[1].d));
}

static bool m_log_base(struct vm_call *c)
{
	return give_double(c, log(c->args[0].d) / log(c->args[1].d));
}

static bool m_remainder(struct vm_call *c)
{
	return give_double(c, remainder(c->args[0].d, c->args[1].d));
}

static double round_double(double x, int64_t mode)
{
	switch (mode) {
	case AWAY_FROM_ZERO:
		return round(x);
	case TO_ZERO:
		return trunc(x);
	case TO_NEGATIVE_INFINITY:
		return floor(x);
	case TO_POSITIVE_INFINITY:
		return ceil(x);
	default:
		return nearbyint(x);
	}
}

/* Overloads: (x, int digits), (x, MidpointRounding), (x, int digits, MidpointRounding). */
static void rounding_of(const struct vm_call *c, int64_t *places, int64_t *mode)
{
	*places = 0;
	*mode = TO_EVEN;
	for (size_t i = 1; i < c->n; i++) {
		if (c->args[i].kind == VALUE_INT)
			*places = c->args[i].i;
		else
			*mode = enum_value(c->args[i]);
	}
}

static bool m_round_places(struct vm_call *c)
{
	int64_t places, mode;
	double scale;

	rounding_of(c, &places, &mode);
	if (places < 0 || places > DOUBLE_PLACES_MAX)
		return vm_throw_range(c, "digits", "Rounding digits must be between 0 and 15, inclusive.");
	scale = pow(10, (double)places);
	if (fabs(c->args[0].d) >= 1e16)
		return give_double(c, c->args[0].d);
	return give_double(c, round_double(c->args[0].d * scale, mode) / scale);
}

/* Cuts digits off until `places` are left; what was cut decides. */
static struct decimal round_decimal(struct decimal d, int64_t places, int64_t mode)
{
	unsigned __int128 unit = 1, rest;
	bool up;

	if (d.scale <= places)
		return d;
	for (; d.scale > places; d.scale--)
		unit *= 10;
	rest = d.digits % unit;
	d.digits /= unit;
	switch (mode) {
	case AWAY_FROM_ZERO:
		up = rest * 2 >= unit;
		break;
	case TO_ZERO:
		up = false;
		break;
	case TO_NEGATIVE_INFINITY:
		up = d.negative && rest;
		break;
	case TO_POSITIVE_INFINITY:
		up = !d.negative && rest;
		break;
	default:
		up = rest * 2 > unit || (rest * 2 == unit && (d.digits & 1));
		break;
	}
	if (up)
		d.digits++;
	if (d.digits == 0)
		d.negative = false;
	return d;
}

static bool decimal_round_places(struct vm_call *c)
{
	int64_t places, mode;

	rounding_of(c, &places, &mode);
	if (places < 0 || places > DECIMAL_PLACES_MAX)
		return vm_throw_range(c, "decimals", "Decimal can only round to between 0 and 28 digits of precision.");
	return give_decimal(c, round_decimal(*value_decimal(c->args[0]), places, mode));
}

static bool decimal_ceiling(struct vm_call *c)
{
	return give_decimal(c, round_decimal(*value_decimal(c->args[0]), 0, TO_POSITIVE_INFINITY));
}

static bool decimal_floor(struct vm_call *c)
{
	return give_decimal(c, round_decimal(*value_decimal(c->args[0]), 0, TO_NEGATIVE_INFINITY));
}

static bool decimal_truncate(struct vm_call *c)
{
	return give_decimal(c, round_decimal(*value_decimal(c->args[0]), 0, TO_ZERO));
}

static bool m_abs(struct vm_call *c)
{
	static const int64_t lowest[VALUE__COUNT] = {
		[VALUE_SBYTE] = INT8_MIN, [VALUE_SHORT] = INT16_MIN, [VALUE_INT] = INT32_MIN, [VALUE_LONG] = INT64_MIN,
	};
	struct value v = c->args[0];
	struct decimal d;

	if (v.kind == VALUE_DOUBLE || v.kind == VALUE_FLOAT) {
		v.d = fabs(v.d);
		return vm_return(c, v);
	}
	if (v.kind == VALUE_DECIMAL) {
		d = *value_decimal(v);
		d.negative = false;
		return give_decimal(c, d);
	}
	if (v.i == lowest[v.kind])
		return vm_throw(c, EX_OVERFLOW, "Negating the minimum value of a twos complement number is invalid.");
	v.i = v.i < 0 ? -v.i : v.i;
	return vm_return(c, v);
}

static bool m_sign(struct vm_call *c)
{
	struct value v = c->args[0];

	if (v.kind == VALUE_DOUBLE || v.kind == VALUE_FLOAT) {
		if (isnan(v.d))
			return vm_throw(c, EX_ARITHMETIC, "Function does not accept floating point Not-a-Number values.");
		return give_int(c, v.d > 0 ? 1 : v.d < 0 ? -1 : 0);
	}
	if (v.kind == VALUE_DECIMAL)
		return give_int(c, value_decimal(v)->digits == 0 ? 0 : value_decimal(v)->negative ? -1 : 1);
	return give_int(c, v.i > 0 ? 1 : v.i < 0 ? -1 : 0);
}

static bool pick(struct vm_call *c, int wanted)
{
	bool comparable = true;
	struct value l = c->args[0], r = c->args[1];

	if (l.kind == VALUE_DOUBLE || l.kind == VALUE_FLOAT) {
		if (isnan(l.d) || isnan(r.d))
			return vm_return(c, isnan(l.d) ? l : r);
		return vm_return(c, (l.d > r.d) == (wanted > 0) ? l : r);
	}
	return vm_return(c, value_compare(l, r, &comparable) * wanted >= 0 ? l : r);
}

static bool m_max(struct vm_call *c)
{
	return pick(c, 1);
}

static bool m_min(struct vm_call *c)
{
	return pick(c, -1);
}

static bool big_mul(struct vm_call *c)
{
	return vm_return(c, value_long(c->args[0].i * c->args[1].i));
}

static bool div_rem(struct vm_call *c)
{
	struct value q = c->args[0], r = c->args[0];

	if (c->args[1].i == 0)
		return vm_throw(c, EX_DIVIDE_BY_ZERO, NULL);
	if (c->args[1].i == -1) {
		q = value_of(q.kind, (int64_t)(0 - (uint64_t)q.i));
		r.i = 0;
	} else {
		q.i = c->args[0].i / c->args[1].i;
		r.i = c->args[0].i % c->args[1].i;
	}
	c->args[2] = r;
	return vm_return(c, q);
}

static bool get_pi(struct vm_call *c)
{
	return give_double(c, M_PI);
}

static bool get_e(struct vm_call *c)
{
	return give_double(c, M_E);
}

#define EACH_NUMBER(pre, post, fn)                                                                        \
	{ pre "sbyte" post, fn }, { pre "short" post, fn }, { pre "int" post, fn }, { pre "long" post, fn }, \
	{ pre "float" post, fn }, { pre "double" post, fn }, { pre "decimal" post, fn }
#define MIN_MAX(T)                                            \
	{ "static " T " Max(" T " val1, " T " val2)", m_max }, \
	{ "static " T " Min(" T " val1, " T " val2)", m_min }
#define ABS(T) { "static " T " Abs(" T " value)", m_abs }
#define PLAIN(name, fn) { "static double " name "(double d)", fn }

static const struct class_member members[] = {
	{ "static double PI { get; }", get_pi },
	{ "static double E { get; }", get_e },
	PLAIN("Acos", m_acos), PLAIN("Asin", m_asin), PLAIN("Atan", m_atan), PLAIN("Cos", m_cos), PLAIN("Cosh", m_cosh),
	PLAIN("Sin", m_sin), PLAIN("Sinh", m_sinh), PLAIN("Tan", m_tan), PLAIN("Tanh", m_tanh), PLAIN("Exp", m_exp),
	PLAIN("Log", m_log), PLAIN("Log10", m_log10), PLAIN("Sqrt", m_sqrt), PLAIN("Cbrt", m_cbrt),
	PLAIN("Ceiling", m_ceiling), PLAIN("Floor", m_floor), PLAIN("Truncate", m_truncate), PLAIN("Round", m_round),
	{ "static decimal Ceiling(decimal d)", decimal_ceiling },
	{ "static decimal Floor(decimal d)", decimal_floor },
	{ "static decimal Truncate(decimal d)", decimal_truncate },
	{ "static double Log(double a, double newBase)", m_log_base },
	{ "static double Atan2(double y, double x)", m_atan2 },
	{ "static double Pow(double x, double y)", m_pow },
	{ "static double IEEERemainder(double x, double y)", m_remainder },
	{ "static double Round(double value, int digits)", m_round_places },
	{ "static double Round(double value, MidpointRounding mode)", m_round_places },
	{ "static double Round(double value, int digits, MidpointRounding mode)", m_round_places },
	{ "static decimal Round(decimal d)", decimal_round_places },
	{ "static decimal Round(decimal d, int decimals)", decimal_round_places },
	{ "static decimal Round(decimal d, MidpointRounding mode)", decimal_round_places },
	{ "static decimal Round(decimal d, int decimals, MidpointRounding mode)", decimal_round_places },
	ABS("sbyte"), ABS("short"), ABS("int"), ABS("long"), ABS("float"), ABS("double"), ABS("decimal"),
	EACH_NUMBER("static int Sign(", " value)", m_sign),
	MIN_MAX("sbyte"), MIN_MAX("byte"), MIN_MAX("short"), MIN_MAX("ushort"), MIN_MAX("int"), MIN_MAX("uint"),
	MIN_MAX("long"), MIN_MAX("ulong"), MIN_MAX("float"), MIN_MAX("double"), MIN_MAX("decimal"),
	{ "static long BigMul(int a, int b)", big_mul },
	{ "static int DivRem(int a, int b, out int result)", div_rem },
	{ "static long DivRem(long a, long b, out long result)", div_rem },
	{ 0 }
};

/* ---- static members of Decimal --------------------------------------------------------------------------------------------- */

typedef bool (*decimal_fn)(struct decimal, struct decimal, struct decimal *);

static bool operate(struct vm_call *c, decimal_fn fn, bool divides)
{
	struct decimal out;

	if (divides && value_decimal(c->args[1])->digits == 0)
		return vm_throw(c, EX_DIVIDE_BY_ZERO, NULL);
	if (!fn(*value_decimal(c->args[0]), *value_decimal(c->args[1]), &out))
		return vm_throw(c, EX_OVERFLOW, "Value was either too large or too small for a Decimal.");
	return give_decimal(c, out);
}

static bool d_add(struct vm_call *c)
{
	return operate(c, decimal_add, false);
}

static bool d_subtract(struct vm_call *c)
{
	return operate(c, decimal_sub, false);
}

static bool d_multiply(struct vm_call *c)
{
	return operate(c, decimal_mul, false);
}

static bool d_divide(struct vm_call *c)
{
	return operate(c, decimal_div, true);
}

static bool d_remainder(struct vm_call *c)
{
	return operate(c, decimal_rem, true);
}

static bool d_negate(struct vm_call *c)
{
	struct decimal d = *value_decimal(c->args[0]);

	d.negative = !d.negative && d.digits;
	return give_decimal(c, d);
}

static bool d_compare(struct vm_call *c)
{
	return give_int(c, decimal_cmp(*value_decimal(c->args[0]), *value_decimal(c->args[1])));
}

#define DECIMAL_CONSTANT(name, high, low, minus)                                                          \
	static bool name(struct vm_call *c)                                                               \
	{                                                                                                 \
		return give_decimal(c, (struct decimal){ .digits = (unsigned __int128)(high) << 64 | (low),  \
							 .negative = (minus) });                          \
	}
DECIMAL_CONSTANT(d_max, UINT32_MAX, UINT64_MAX, false)
DECIMAL_CONSTANT(d_min, UINT32_MAX, UINT64_MAX, true)
DECIMAL_CONSTANT(d_zero, 0, 0, false)
DECIMAL_CONSTANT(d_one, 0, 1, false)
DECIMAL_CONSTANT(d_minus_one, 0, 1, true)

static const struct class_member decimal_members[] = {
	{ "static decimal MaxValue { get; }", d_max },
	{ "static decimal MinValue { get; }", d_min },
	{ "static decimal Zero { get; }", d_zero },
	{ "static decimal One { get; }", d_one },
	{ "static decimal MinusOne { get; }", d_minus_one },
	{ "static decimal Add(decimal d1, decimal d2)", d_add },
	{ "static decimal Subtract(decimal d1, decimal d2)", d_subtract },
	{ "static decimal Multiply(decimal d1, decimal d2)", d_multiply },
	{ "static decimal Divide(decimal d1, decimal d2)", d_divide },
	{ "static decimal Remainder(decimal d1, decimal d2)", d_remainder },
	{ "static decimal Negate(decimal d)", d_negate },
	{ "static int Compare(decimal d1, decimal d2)", d_compare },
	{ "static decimal Ceiling(decimal d)", decimal_ceiling },
	{ "static decimal Floor(decimal d)", decimal_floor },
	{ "static decimal Truncate(decimal d)", decimal_truncate },
	{ "static decimal Round(decimal d)", decimal_round_places },
	{ "static decimal Round(decimal d, int decimals)", decimal_round_places },
	{ "static decimal Round(decimal d, MidpointRounding mode)", decimal_round_places },
	{ "static decimal Round(decimal d, int decimals, MidpointRounding mode)", decimal_round_places },
	{ 0 }
};
static const struct class_member rounding[] = {
	{ "ToEven = 0" }, { "AwayFromZero = 1" }, { "ToZero = 2" }, { "ToNegativeInfinity = 3" }, { "ToPositiveInfinity = 4" },
	{ 0 }
};

static struct value_class class_math = { .name = "System.Math", .kind = CLASS_STATIC, .members = members };
static struct value_class class_rounding = { .name = "System.MidpointRounding", .kind = CLASS_ENUM, .members = rounding };
static struct value_class *const classes[] = { &class_math, &class_rounding, NULL };
static const struct class_part parts[] = { { &class_decimal, decimal_members }, { NULL, NULL } };

const struct class_module net_math = { .classes = classes, .parts = parts };
