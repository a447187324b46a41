/* number_format.c - standard and custom numeric format strings.
 *
 * Digits of a double come from snprintf with exact expansion (glibc prints all digits of a binary fraction correctly), and
 * are then rounded once, half away from zero, as .NET rounds its digit buffer. */
#include "policy/net/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/str.h"

enum { DOUBLE_DIGITS = 15, FLOAT_DIGITS = 7, EXACT_DIGITS = 767, SHORTEST = -1 };

static void strip(struct digits *x)
{
	while (x->n > 0 && x->d[x->n - 1] == '0')
		x->n--;
	if (x->n == 0)
		x->scale = 0;
}

void digits_round(struct digits *x, int places)
{
	int i = places < 0 ? 0 : places;

	if (places < 0) {
		x->n = 0;
	} else if (i < x->n) {
		bool up = x->d[i] >= '5';

		x->n = i;
		while (up && x->n > 0 && x->d[x->n - 1] == '9')
			x->n--;
		if (up && x->n > 0) {
			x->d[x->n - 1]++;
		} else if (up) {
			x->d[x->n++] = '1';
			x->scale++;
		}
	}
	strip(x);
	if (x->n == 0 && !x->real)
		x->negative = false;
}

static void digits_of_u128(struct digits *x, unsigned __int128 u)
{
	char back[48];
	int n = 0;

	while (u) {
		back[n++] = (char)('0' + (int)(u % 10));
		u /= 10;
	}
	x->scale = n;
	for (x->n = 0; n > 0;)
		x->d[x->n++] = back[--n];
}

/* digits: how many significant ones; SHORTEST: as many as it takes to read the same number back. */
static void digits_of_double(struct digits *x, double d, int digits, bool single)
{
	char text[EXACT_DIGITS + 32];
	int from = digits, to = digits, n = 0;
	const char *p;

	x->real = true;
	x->negative = signbit(d) != 0;
	if (d == 0)
		return;
	d = fabs(d);
	if (digits == SHORTEST) {
		bool tiny = d < (single ? 1.2e-38 : 2.3e-308);

		from = tiny ? 1 : single ? 6 : DOUBLE_DIGITS;
		to = single ? 9 : 17;
	}
	for (int p10 = from; p10 <= to; p10++) {
		n = snprintf(text, sizeof(text), "%.*e", p10 - 1, d);
		if (p10 == to || (single ? (double)strtof(text, NULL) : strtod(text, NULL)) == d)
			break;
	}
	if (n <= 0)
		return;
	p = text;
	for (; *p && *p != 'e'; p++)
		if (*p != '.')
			x->d[x->n++] = *p;
	x->scale = (int)strtol(p + 1, NULL, 10) + 1;
	strip(x);
}

static void digits_of(struct digits *x, struct value v, int digits)
{
	const struct decimal *m;

	x->n = x->scale = x->shown = 0;
	x->negative = x->real = x->is_decimal = false;
	switch (v.kind) {
	case VALUE_FLOAT:
	case VALUE_DOUBLE:
		digits_of_double(x, v.d, digits, v.kind == VALUE_FLOAT);
		return;
	case VALUE_DECIMAL:
		m = value_decimal(v);
		digits_of_u128(x, m->digits);
		x->scale = x->n ? x->scale - m->scale : 0;
		x->negative = m->negative && m->digits;
		x->is_decimal = true;
		x->shown = m->scale;
		break;
	case VALUE_BYTE:
	case VALUE_USHORT:
	case VALUE_UINT:
	case VALUE_ULONG:
	case VALUE_CHAR:
		digits_of_u128(x, v.u);
		break;
	default:
		x->negative = v.i < 0;
		digits_of_u128(x, v.i < 0 ? -(unsigned __int128)(__int128)v.i : (unsigned __int128)v.i);
		break;
	}
	strip(x);
}

/* ---- standard formats -------------------------------------------------------------------------------------------------- */

static void put_exponent(struct out *o, int e, char letter, int min, bool plus)
{
	out_char(o, letter);
	if (e < 0)
		out_char(o, '-');
	else if (plus)
		out_char(o, '+');
	out_fmt(o, "%0*d", min, abs(e));
}

static char digit_at(const struct digits *x, int i)
{
	return i >= 0 && i < x->n ? x->d[i] : '0';
}

/* The digits before the point in groups of three, then `places` after it. */
static void put_fixed(struct out *o, const struct digits *x, int places, bool groups)
{
	int whole = x->scale > 0 ? x->scale : 1;

	for (int i = 0; i < whole; i++) {
		out_char(o, x->scale > 0 ? digit_at(x, i) : '0');
		if (groups && i + 1 < whole && (whole - i - 1) % 3 == 0)
			out_char(o, ',');
	}
	if (places > 0)
		out_char(o, '.');
	for (int i = 0; i < places; i++)
		out_char(o, digit_at(x, x->scale + i));
}

static void put_scientific(struct out *o, const struct digits *x, int places, char letter)
{
	out_char(o, digit_at(x, 0));
	if (places > 0)
		out_char(o, '.');
	for (int i = 1; i <= places; i++)
		out_char(o, digit_at(x, i));
	put_exponent(o, x->n ? x->scale - 1 : 0, letter, 3, true);
}

static void put_general(struct out *o, const struct digits *x, int max, char letter, bool plain)
{
	int point = x->scale, i = 0;
	bool scientific = !plain && (point > max || point < -3);

	if (scientific)
		point = 1;
	if (point > 0)
		for (; i < point; i++)
			out_char(o, digit_at(x, i));
	else
		out_char(o, '0');
	if (i < x->n || point < 0) {
		out_char(o, '.');
		out_fill(o, '0', point < 0 ? (size_t)-point : 0);
		for (; i < x->n; i++)
			out_char(o, x->d[i]);
	}
	if (scientific)
		put_exponent(o, x->scale - 1, letter, 2, true);
}

static void put_decimal_text(struct out *o, const struct digits *x)
{
	if (x->negative)
		out_char(o, '-');
	put_fixed(o, x, x->shown, false);
}

static void general(struct out *o, struct digits *x, int precision, char letter, enum value_kind kind)
{
	static const uint8_t widths[VALUE__COUNT] = {
		[VALUE_SBYTE] = 3, [VALUE_BYTE] = 3, [VALUE_SHORT] = 5, [VALUE_USHORT] = 5, [VALUE_INT] = 10,
		[VALUE_UINT] = 10, [VALUE_LONG] = 19, [VALUE_ULONG] = 20, [VALUE_CHAR] = 5,
		[VALUE_FLOAT] = FLOAT_DIGITS, [VALUE_DOUBLE] = DOUBLE_DIGITS, [VALUE_DECIMAL] = 29,
	};

	if (x->is_decimal && precision <= 0) {
		put_decimal_text(o, x);
		return;
	}
	if (precision <= 0) {
		precision = widths[kind];
		if (x->real && x->n > precision)
			precision = x->n;
		if (!x->real)
			precision = 29;          /* integers never turn to E notation by themselves */
	} else {
		digits_round(x, precision);
	}
	if (x->negative)
		out_char(o, '-');
	put_general(o, x, precision, letter, false);
}

static void hexadecimal(struct out *o, struct value v, int precision, bool upper)
{
	static const uint8_t bits[VALUE__COUNT] = {
		[VALUE_SBYTE] = 8, [VALUE_BYTE] = 8, [VALUE_SHORT] = 16, [VALUE_USHORT] = 16, [VALUE_INT] = 32,
		[VALUE_UINT] = 32, [VALUE_LONG] = 64, [VALUE_ULONG] = 64, [VALUE_CHAR] = 16,
	};
	uint64_t u = bits[v.kind] == 64 ? v.u : v.u & ((UINT64_C(1) << bits[v.kind]) - 1);
	char text[24];
	int n = snprintf(text, sizeof(text), upper ? "%lX" : "%lx", u);

	if (precision > n)
		out_fill(o, '0', (size_t)(precision - n));
	out_add(o, text, (size_t)n);
}

static void currency(struct out *o, struct digits *x, int places)
{
	digits_round(x, x->scale + places);
	out_put(o, x->negative ? STR("(\xC2\xA4") : STR("\xC2\xA4"));
	put_fixed(o, x, places, true);
	if (x->negative)
		out_char(o, ')');
}

static void fixed(struct out *o, struct digits *x, int places, bool groups)
{
	digits_round(x, x->scale + places);
	if (x->negative)
		out_char(o, '-');
	put_fixed(o, x, places, groups);
}

static bool is_integer(enum value_kind k)
{
	return (k >= VALUE_SBYTE && k <= VALUE_ULONG) || k == VALUE_CHAR;
}

static bool standard(struct out *o, struct value v, char letter, int precision)
{
	char up = ascii_upper(letter);
	struct digits x;

	if (up == 'X' || up == 'D') {
		if (!is_integer(v.kind))
			return false;
		if (up == 'X') {
			hexadecimal(o, v, precision, letter == 'X');
			return true;
		}
	}
	digits_of(&x, v, (up == 'G' && precision <= 0) || up == 'R' ? SHORTEST : EXACT_DIGITS);
	switch (up) {
	case 'D':
		if (x.negative)
			out_char(o, '-');
		out_fill(o, '0', precision > x.scale ? (size_t)(precision - x.scale) : x.n == 0 && precision < 1 ? 1 : 0);
		for (int i = 0; i < x.scale; i++)
			out_char(o, digit_at(&x, i));
		return true;
	case 'F':
	case 'N':
		fixed(o, &x, precision < 0 ? 2 : precision, up == 'N');
		return true;
	case 'C':
		currency(o, &x, precision < 0 ? 2 : precision);
		return true;
	case 'P':
		x.scale += x.n ? 2 : 0;
		fixed(o, &x, precision < 0 ? 2 : precision, true);
		out_add(o, " %", 2);
		return true;
	case 'E':
		digits_round(&x, (precision < 0 ? 6 : precision) + 1);
		if (x.negative)
			out_char(o, '-');
		put_scientific(o, &x, precision < 0 ? 6 : precision, letter);
		return true;
	case 'R':
		if (!x.real)
			return false;
		general(o, &x, -1, 'E', v.kind);
		return true;
	case 'G':
		general(o, &x, precision, letter == 'g' ? 'e' : 'E', v.kind);
		return true;
	default:
		return false;
	}
}

static bool put_special(struct out *o, struct value v)
{
	if (v.kind != VALUE_DOUBLE && v.kind != VALUE_FLOAT)
		return false;
	if (isnan(v.d))
		out_put(o, STR("NaN"));
	else if (isinf(v.d))
		out_put(o, v.d < 0 ? STR("-Infinity") : STR("Infinity"));
	else
		return false;
	return true;
}

bool number_format(struct out *o, struct value v, struct str format)
{
	struct digits x;
	int precision = -1;
	size_t i = 1;

	if (format.n == 0) {
		number_text(o, v);
		return true;
	}
	if (put_special(o, v))
		return true;
	if (ascii_is_alpha(format.p[0])) {
		for (; i < format.n && ascii_is_digit(format.p[i]) && precision <= NUMBER_PRECISION_MAX; i++)
			precision = (precision < 0 ? 0 : precision) * 10 + (format.p[i] - '0');
		if (precision > NUMBER_PRECISION_MAX)
			return false;
		if (i == format.n)
			return standard(o, v, format.p[0], precision);
	}
	digits_of(&x, v, DOUBLE_DIGITS);
	digits_custom(o, &x, format);
	return true;
}

void number_text(struct out *o, struct value v)
{
	struct digits x;

	if (put_special(o, v))
		return;
	digits_of(&x, v, SHORTEST);
	general(o, &x, -1, 'E', v.kind);
}

void double_text(struct out *o, double d)
{
	number_text(o, (struct value){ .kind = VALUE_DOUBLE, .d = d });
}

void single_text(struct out *o, double d)
{
	number_text(o, (struct value){ .kind = VALUE_FLOAT, .d = d });
}
