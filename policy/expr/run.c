#include "policy/expr/run.h"

#include <math.h>

#include "policy/expr/decimal.h"
#include "policy/expr/lex.h"
#include "policy/expr/link.h"

#define IN_RANGE(v, lo, hi) ((v) >= (lo) && (v) <= (hi))

static enum vm_exception done(struct value *out, struct value v)
{
	*out = v;
	return EX__COUNT;
}

static bool is_signed(enum value_kind k)
{
	return k == VALUE_SBYTE || k == VALUE_SHORT || k == VALUE_INT || k == VALUE_LONG;
}

/* The exact result fits the kind? */
static bool fits(enum value_kind k, __int128 v)
{
	switch (k) {
	case VALUE_SBYTE: return IN_RANGE(v, INT8_MIN, INT8_MAX);
	case VALUE_BYTE: return IN_RANGE(v, 0, UINT8_MAX);
	case VALUE_SHORT: return IN_RANGE(v, INT16_MIN, INT16_MAX);
	case VALUE_CHAR:
	case VALUE_USHORT: return IN_RANGE(v, 0, UINT16_MAX);
	case VALUE_INT: return IN_RANGE(v, INT32_MIN, INT32_MAX);
	case VALUE_UINT: return IN_RANGE(v, 0, UINT32_MAX);
	case VALUE_LONG: return IN_RANGE(v, INT64_MIN, INT64_MAX);
	default: return IN_RANGE(v, 0, (__int128)UINT64_MAX);
	}
}

static __int128 number(struct value v)
{
	return is_signed(v.kind) ? (__int128)v.i : (__int128)v.u;
}

static enum vm_exception compare(uint32_t op, int order, bool unordered, struct value *out)
{
	bool b;

	switch (op) {
	case P2('=', '='): b = order == 0 && !unordered; break;
	case P2('!', '='): b = order != 0 || unordered; break;
	case '<': b = order < 0 && !unordered; break;
	case '>': b = order > 0 && !unordered; break;
	case P2('<', '='): b = order <= 0 && !unordered; break;
	default: b = order >= 0 && !unordered; break;
	}
	return done(out, value_bool(b));
}

static bool is_comparison(uint32_t op)
{
	return op == P2('=', '=') || op == P2('!', '=') || op == '<' || op == '>' || op == P2('<', '=') || op == P2('>', '=');
}

static enum vm_exception shift(uint32_t op, struct value l, struct value r, struct value *out)
{
	unsigned n = (unsigned)r.i & (l.kind == VALUE_LONG || l.kind == VALUE_ULONG ? 63 : 31);
	uint64_t u = l.u;

	if (op == P2('<', '<'))
		return done(out, value_of(l.kind, (int64_t)(u << n)));
	if (is_signed(l.kind))
		return done(out, value_of(l.kind, l.i >> n));
	return done(out, value_of(l.kind, (int64_t)(u >> n)));
}

static enum vm_exception integers(uint32_t op, struct value l, struct value r, bool checked, struct value *out)
{
	__int128 a = number(l), b = number(r), v;

	if (is_comparison(op))
		return compare(op, a < b ? -1 : a > b, false, out);
	switch (op) {
	case '+': v = a + b; break;
	case '-': v = a - b; break;
	case '*': v = (__int128)((unsigned __int128)a * (unsigned __int128)b); break;
	case '&': v = a & b; break;
	case '|': v = a | b; break;
	case '^': v = a ^ b; break;
	case '/':
	case '%':
		if (b == 0)
			return EX_DIVIDE_BY_ZERO;
		if (op == '/' && !fits(l.kind, a / b))
			return EX_OVERFLOW;
		v = op == '/' ? a / b : a % b;
		break;
	default:
		return shift(op, l, r, out);
	}
	if (checked && !fits(l.kind, v))
		return EX_OVERFLOW;
	return done(out, value_of(l.kind, (int64_t)(uint64_t)(unsigned __int128)v));
}

static enum vm_exception reals(uint32_t op, struct value l, struct value r, struct value *out)
{
	struct value v = { .kind = l.kind };

	if (is_comparison(op))
		return compare(op, l.d < r.d ? -1 : l.d > r.d, isnan(l.d) || isnan(r.d), out);
	switch (op) {
	case '+': v.d = l.d + r.d; break;
	case '-': v.d = l.d - r.d; break;
	case '*': v.d = l.d * r.d; break;
	case '/': v.d = l.d / r.d; break;
	default: v.d = fmod(l.d, r.d); break;
	}
	if (v.kind == VALUE_FLOAT)
		v.d = (float)v.d;
	return done(out, v);
}

static enum vm_exception decimals(struct arena *a, uint32_t op, struct value l, struct value r, struct value *out)
{
	struct decimal x = *value_decimal(l), y = *value_decimal(r), v;
	bool ok;

	if (is_comparison(op))
		return compare(op, decimal_cmp(x, y), false, out);
	if ((op == '/' || op == '%') && y.digits == 0)
		return EX_DIVIDE_BY_ZERO;
	switch (op) {
	case '+': ok = decimal_add(x, y, &v); break;
	case '-': ok = decimal_sub(x, y, &v); break;
	case '*': ok = decimal_mul(x, y, &v); break;
	case '/': ok = decimal_div(x, y, &v); break;
	default: ok = decimal_rem(x, y, &v); break;
	}
	if (!ok)
		return EX_OVERFLOW;
	*out = decimal_value(a, v);
	return out->kind == VALUE_NULL ? EX_OUT_OF_MEMORY : EX__COUNT;
}

static enum vm_exception bools(uint32_t op, bool l, bool r, struct value *out)
{
	switch (op) {
	case '&': return done(out, value_bool(l && r));
	case '|': return done(out, value_bool(l || r));
	case '^':
	case P2('!', '='): return done(out, value_bool(l != r));
	default: return done(out, value_bool(l == r));
	}
}

static enum vm_exception enums(struct arena *a, uint32_t op, struct value l, struct value r, struct value *out)
{
	int64_t x = enum_value(l), y = enum_value(r), v;
	struct enum_object *o;

	if (is_comparison(op))
		return compare(op, x < y ? -1 : x > y, false, out);
	v = op == '&' ? (x & y) : op == '|' ? (x | y) : (x ^ y);
	o = arena_new_of(a, struct enum_object);
	if (!o)
		return EX_OUT_OF_MEMORY;
	o->head.cls = l.object->cls;
	o->number = v;
	return done(out, value_object(o));
}

/* Lifted operators (7.3.7): a null operand makes comparisons false and arithmetic null; & and | of bool? have three values. */
static enum vm_exception with_null(uint32_t op, struct value l, struct value r, struct value *out)
{
	bool both = l.kind == r.kind;
	struct value other = l.kind == VALUE_NULL ? r : l;

	if (op == P2('=', '='))
		return done(out, value_bool(both));
	if (op == P2('!', '='))
		return done(out, value_bool(!both));
	if (is_comparison(op))
		return done(out, value_bool(false));
	if (other.kind == VALUE_BOOL && ((op == '&' && !other.b) || (op == '|' && other.b)))
		return done(out, other);
	return done(out, VALUE_NULL_INIT);
}

enum vm_exception run_binary(struct arena *a, uint32_t op, struct value l, struct value r, bool checked, struct value *out)
{
	if (l.kind == VALUE_NULL || r.kind == VALUE_NULL)
		return with_null(op, l, r, out);
	switch (l.kind) {
	case VALUE_BOOL:
		return bools(op, l.b, r.b, out);
	case VALUE_FLOAT:
	case VALUE_DOUBLE:
		return reals(op, l, r, out);
	case VALUE_DECIMAL:
		return decimals(a, op, l, r, out);
	case VALUE_OBJECT:
		return enums(a, op, l, r, out);
	case VALUE_STRING:
	case VALUE_NULL:
	case VALUE__COUNT:
		return EX_INVALID_OPERATION;
	default:
		return integers(op, l, r, checked, out);
	}
}

enum vm_exception run_unary(struct arena *a, uint32_t op, struct value v, bool checked, struct value *out)
{
	if (v.kind == VALUE_NULL || op == '+')
		return done(out, v);
	if (v.kind == VALUE_BOOL)
		return done(out, value_bool(!v.b));
	if (v.kind == VALUE_FLOAT || v.kind == VALUE_DOUBLE) {
		v.d = -v.d;
		return done(out, v);
	}
	if (v.kind == VALUE_DECIMAL) {
		struct decimal d = *value_decimal(v);

		d.negative = !d.negative && d.digits;
		*out = decimal_value(a, d);
		return out->kind == VALUE_NULL ? EX_OUT_OF_MEMORY : EX__COUNT;
	}
	if (op == '~')
		return done(out, value_of(v.kind, ~v.i));
	if (checked && !fits(v.kind, -number(v)))
		return EX_OVERFLOW;
	return done(out, value_of(v.kind, (int64_t)(0 - v.u)));
}

/* ---- conversions ---------------------------------------------------------------------------------------------------------- */

static enum vm_exception real_to_integer(double d, enum value_kind to, bool checked, struct value *out)
{
	double t = trunc(d);
	bool in = !isnan(t) && t >= -9223372036854775808.0 && t < 18446744073709551616.0;
	__int128 v = in ? (__int128)t : 0;

	if (checked && (!in || !fits(to, v)))
		return EX_OVERFLOW;
	if (!in)        /* what x86 gives for a conversion out of range */
		v = to == VALUE_LONG ? (__int128)INT64_MIN : to == VALUE_ULONG ? (__int128)(UINT64_MAX / 2 + 1) :
		    to == VALUE_INT || to == VALUE_UINT ? (__int128)INT32_MIN : 0;
	else if (!fits(to, v) && to == VALUE_INT)
		v = INT32_MIN;
	return done(out, value_of(to, (int64_t)(uint64_t)(unsigned __int128)v));
}

static enum vm_exception from_decimal(struct value v, enum value_kind to, struct value *out)
{
	const struct decimal *d = value_decimal(v);
	int64_t i;
	uint64_t u;

	if (to == VALUE_DOUBLE || to == VALUE_FLOAT) {
		double real = decimal_to_double(*d);

		return done(out, (struct value){ .kind = to, .d = to == VALUE_FLOAT ? (float)real : real });
	}
	if (to == VALUE_ULONG) {
		if (!decimal_to_u64(*d, &u))
			return EX_OVERFLOW;
		return done(out, value_of(to, (int64_t)u));
	}
	if (!decimal_to_i64(*d, &i) || !fits(to, i))
		return EX_OVERFLOW;
	return done(out, value_of(to, i));
}

static enum vm_exception to_decimal(struct arena *a, struct value v, struct value *out)
{
	struct decimal d;

	if (v.kind == VALUE_DOUBLE || v.kind == VALUE_FLOAT) {
		if (!decimal_of_double(v.d, &d))
			return EX_OVERFLOW;
	} else {
		d = is_signed(v.kind) ? decimal_of_i64(v.i) : decimal_of_u64(v.u);
	}
	*out = decimal_value(a, d);
	return out->kind == VALUE_NULL ? EX_OUT_OF_MEMORY : EX__COUNT;
}

enum vm_exception run_convert(struct arena *a, struct value v, enum value_kind to, bool checked, struct value *out)
{
	if (v.kind == VALUE_NULL || v.kind == to)
		return done(out, v);
	if (v.kind == VALUE_OBJECT)
		v = value_of(VALUE_LONG, enum_value(v));
	if (v.kind == VALUE_DECIMAL)
		return from_decimal(v, to, out);
	if (to == VALUE_DECIMAL)
		return to_decimal(a, v, out);
	if (v.kind == VALUE_DOUBLE || v.kind == VALUE_FLOAT) {
		if (to == VALUE_DOUBLE || to == VALUE_FLOAT)
			return done(out, (struct value){ .kind = to, .d = to == VALUE_FLOAT ? (float)v.d : v.d });
		return real_to_integer(v.d, to, checked, out);
	}
	if (to == VALUE_DOUBLE || to == VALUE_FLOAT) {
		double d = is_signed(v.kind) ? (double)v.i : (double)v.u;

		return done(out, (struct value){ .kind = to, .d = to == VALUE_FLOAT ? (float)d : d });
	}
	if (checked && !fits(to, number(v)))
		return EX_OVERFLOW;
	return done(out, value_of(to, (int64_t)(uint64_t)(unsigned __int128)number(v)));
}
