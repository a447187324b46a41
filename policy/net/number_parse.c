/* number_parse.c - Parse and TryParse of the numeric types, with the leniency of System.Globalization.NumberStyles. */
#include "policy/net/number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "core/str.h"

enum { PARSE_DIGITS_MAX = 800, EXPONENT_MAX = 99999 };

struct scanned {
	char d[PARSE_DIGITS_MAX + 1];   /* digits without leading zeros; those past the room are cut */
	int n, scale;                   /* value = 0.d1d2… * 10^scale */
	int places;                     /* digits after the point as written, for decimal */
	bool negative, any;
};

static bool is_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct str trim_style(struct str s, unsigned style)
{
	while ((style & STYLE_LEADING_WHITE) && s.n && is_white(s.p[0]))
		s = str_from(s, 1);
	while ((style & STYLE_TRAILING_WHITE) && s.n && is_white(s.p[s.n - 1]))
		s.n--;
	while (s.n && s.p[s.n - 1] == '\0')      /* .NET forgives zero characters at the end */
		s.n--;
	return s;
}

static void add_digit(struct scanned *x, char c, bool after_point)
{
	x->any = true;
	if (after_point)
		x->places++;
	if (x->n == 0 && c == '0') {
		if (after_point)
			x->scale--;
		return;
	}
	if (x->n < PARSE_DIGITS_MAX)
		x->d[x->n++] = c;
	else if (c != '0')
		x->d[PARSE_DIGITS_MAX - 1] |= 1;
	if (!after_point)
		x->scale++;
}

static bool scan_exponent(struct scanned *x, struct str *s)
{
	bool minus = false;
	size_t i = 1;
	int e = 0;

	if (i < s->n && (s->p[i] == '+' || s->p[i] == '-'))
		minus = s->p[i++] == '-';
	if (i >= s->n || !ascii_is_digit(s->p[i]))
		return false;
	for (; i < s->n && ascii_is_digit(s->p[i]); i++)
		if (e < EXPONENT_MAX)
			e = e * 10 + (s->p[i] - '0');
	x->scale += minus ? -e : e;
	x->places -= minus ? -e : e;
	*s = str_from(*s, i);
	return true;
}

static struct str scan_sign(struct scanned *x, struct str s, unsigned style, bool *signed_already)
{
	if (!*signed_already && (style & STYLE_LEADING_SIGN) && s.n && (s.p[0] == '-' || s.p[0] == '+')) {
		x->negative = s.p[0] == '-';
		*signed_already = true;
		s = str_from(s, 1);
	} else if (!*signed_already && (style & STYLE_LEADING_SIGN) && str_starts(s, STR("\xE2\x88\x92"))) {
		x->negative = *signed_already = true;
		s = str_from(s, 3);
	}
	return s;
}

static struct str scan_before(struct scanned *x, struct str s, unsigned style, bool *has_sign, bool *closing)
{
	s = scan_sign(x, s, style, has_sign);
	if ((style & STYLE_PARENTHESES) && s.n > 1 && s.p[0] == '(' && s.p[s.n - 1] == ')' && !*has_sign) {
		x->negative = *has_sign = *closing = true;
		s = (struct str){ s.p + 1, s.n - 2 };
	}
	if ((style & STYLE_CURRENCY) && str_starts(s, STR("\xC2\xA4")))
		s = scan_sign(x, str_from(s, 2), style, has_sign);
	return s;
}

/* False: not a number in this style. */
static bool scan(struct str s, unsigned style, struct scanned *x)
{
	bool has_sign = false, point = false, closing = false;

	*x = (struct scanned){ .n = 0 };
	s = scan_before(x, trim_style(s, style), style, &has_sign, &closing);
	for (; s.n; s = str_from(s, 1)) {
		char c = s.p[0];

		if (ascii_is_digit(c))
			add_digit(x, c, point);
		else if (c == '.' && (style & STYLE_POINT) && !point)
			point = true;
		else if (!(c == ',' && (style & STYLE_THOUSANDS) && !point && x->any))
			break;
	}
	if (!x->any)
		return false;
	if (s.n && (s.p[0] == 'e' || s.p[0] == 'E') && (style & STYLE_EXPONENT) && !scan_exponent(x, &s))
		return false;
	if ((style & STYLE_TRAILING_SIGN) && !has_sign) {
		struct str t = str_trim(s);

		if (t.n && (t.p[0] == '-' || t.p[0] == '+')) {
			x->negative = t.p[0] == '-';
			s = str_from(t, 1);
		}
	}
	while (x->n > 0 && x->d[x->n - 1] == '0')
		x->n--;
	if (x->n == 0)
		x->scale = 0;
	return s.n == 0;
}

bool integer_fits(enum value_kind kind, __int128 i)
{
	static const struct {
		int64_t min;
		uint64_t max;
	} range[VALUE__COUNT] = {
		[VALUE_SBYTE] = { INT8_MIN, INT8_MAX }, [VALUE_BYTE] = { 0, UINT8_MAX },
		[VALUE_SHORT] = { INT16_MIN, INT16_MAX }, [VALUE_USHORT] = { 0, UINT16_MAX },
		[VALUE_CHAR] = { 0, UINT16_MAX }, [VALUE_INT] = { INT32_MIN, INT32_MAX }, [VALUE_UINT] = { 0, UINT32_MAX },
		[VALUE_LONG] = { INT64_MIN, INT64_MAX }, [VALUE_ULONG] = { 0, UINT64_MAX },
	};

	return i >= range[kind].min && i <= (__int128)range[kind].max;
}

static enum parse_result give_integer(const struct scanned *x, enum value_kind kind, struct value *out)
{
	__int128 i = 0;

	if (x->scale < x->n)
		return PARSE_OVERFLOW;           /* a fraction that is not zero */
	if (x->scale > 20)
		return PARSE_OVERFLOW;
	for (int at = 0; at < x->scale; at++)
		i = i * 10 + (at < x->n ? x->d[at] - '0' : 0);
	if (x->negative)
		i = -i;
	if (!integer_fits(kind, i))
		return PARSE_OVERFLOW;
	*out = (struct value){ .kind = kind, .i = (int64_t)i };
	return PARSE_OK;
}

static enum parse_result parse_hex(struct str s, enum value_kind kind, unsigned style, struct value *out)
{
	static const uint8_t widths[VALUE__COUNT] = {
		[VALUE_SBYTE] = 2, [VALUE_BYTE] = 2, [VALUE_SHORT] = 4, [VALUE_USHORT] = 4, [VALUE_INT] = 8,
		[VALUE_UINT] = 8, [VALUE_LONG] = 16, [VALUE_ULONG] = 16,
	};
	uint64_t u = 0;
	unsigned n = 0;

	s = trim_style(s, style);
	if (s.n == 0 || !widths[kind])
		return PARSE_FORMAT;
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);
		unsigned digit = ascii_is_digit(c) ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;

		if (digit == 16)
			return PARSE_FORMAT;
		u = u << 4 | digit;
		n += n > 0 || digit > 0;
		if (n > widths[kind])
			n = 17;
	}
	if (n > widths[kind])
		return PARSE_OVERFLOW;
	*out = (struct value){ .kind = kind, .u = u };
	if (kind == VALUE_INT)
		out->i = (int32_t)u;
	else if (kind == VALUE_SHORT)
		out->i = (int16_t)u;
	else if (kind == VALUE_SBYTE)
		out->i = (int8_t)u;
	return PARSE_OK;
}

static bool special_real(struct str s, struct value *out)
{
	static const struct {
		struct str text;
		double d;
	} names[] = {
		{ STR_INIT("NaN"), NAN },           { STR_INIT("Infinity"), INFINITY },
		{ STR_INIT("-Infinity"), -INFINITY }, { STR_INIT("+Infinity"), INFINITY },
		{ STR_INIT("\xE2\x88\x9E"), INFINITY }, { STR_INIT("-\xE2\x88\x9E"), -INFINITY },
	};

	s = str_trim(s);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq_ci(s, names[i].text)) {
			out->d = names[i].d;
			return true;
		}
	return false;
}

static enum parse_result give_real(const struct scanned *x, enum value_kind kind, struct value *out)
{
	char text[PARSE_DIGITS_MAX + 32];
	struct out o = { .p = text, .cap = sizeof(text) };
	double d;

	if (x->n == 0) {
		*out = (struct value){ .kind = kind, .d = x->negative ? -0.0 : 0.0 };
		return PARSE_OK;
	}
	if (x->negative)
		out_char(&o, '-');
	out_add(&o, "0.", 2);
	out_add(&o, x->d, (size_t)x->n);
	out_fmt(&o, "e%d", x->scale);
	out_char(&o, '\0');
	d = kind == VALUE_FLOAT ? (double)strtof(text, NULL) : strtod(text, NULL);
	*out = (struct value){ .kind = kind, .d = d };
	return isinf(d) ? PARSE_OVERFLOW : PARSE_OK;
}

static enum parse_result give_decimal(struct arena *a, const struct scanned *x, struct value *out)
{
	char text[128];
	struct out o = { .p = text, .cap = sizeof(text) };
	int places = x->places < 0 ? 0 : x->places > 29 ? 29 : x->places;
	struct decimal d;

	if (x->scale > 29)
		return PARSE_OVERFLOW;
	if (x->negative)
		out_char(&o, '-');
	for (int i = 0; i < x->scale; i++)
		out_char(&o, i < x->n ? x->d[i] : '0');
	if (x->scale <= 0)
		out_char(&o, '0');
	out_char(&o, '.');
	for (int i = 0; i < places; i++) {
		int from = x->scale + i;

		out_char(&o, from >= 0 && from < x->n ? x->d[from] : '0');
	}
	if (!decimal_parse(out_str(&o), &d))
		return PARSE_OVERFLOW;
	if (d.digits == 0)
		d.negative = false;
	*out = decimal_value(a, d);
	return out->kind == VALUE_DECIMAL ? PARSE_OK : PARSE_OVERFLOW;
}

unsigned number_default_style(enum value_kind kind)
{
	if (kind == VALUE_DOUBLE || kind == VALUE_FLOAT)
		return STYLE_FLOAT | STYLE_THOUSANDS;
	return kind == VALUE_DECIMAL ? STYLE_NUMBER : STYLE_INTEGER;
}

enum parse_result number_parse(struct arena *a, struct str s, enum value_kind kind, unsigned style, struct value *out)
{
	struct scanned x;

	*out = (struct value){ .kind = kind };
	if (style & STYLE_HEX)
		return parse_hex(s, kind, style, out);
	if (!scan(s, style, &x)) {
		if ((kind == VALUE_DOUBLE || kind == VALUE_FLOAT) && special_real(s, out))
			return PARSE_OK;
		return PARSE_FORMAT;
	}
	switch (kind) {
	case VALUE_DOUBLE:
	case VALUE_FLOAT:
		return give_real(&x, kind, out);
	case VALUE_DECIMAL:
		return give_decimal(a, &x, out);
	default:
		return give_integer(&x, kind, out);
	}
}

const char *number_overflow_text(enum value_kind kind)
{
	static const char *const texts[VALUE__COUNT] = {
		[VALUE_SBYTE] = "a signed byte.", [VALUE_BYTE] = "an unsigned byte.", [VALUE_SHORT] = "an Int16.",
		[VALUE_USHORT] = "a UInt16.", [VALUE_INT] = "an Int32.", [VALUE_UINT] = "a UInt32.",
		[VALUE_LONG] = "an Int64.", [VALUE_ULONG] = "a UInt64.", [VALUE_FLOAT] = "a Single.",
		[VALUE_DOUBLE] = "a Double.", [VALUE_DECIMAL] = "a Decimal.", [VALUE_CHAR] = "a character.",
	};

	return texts[kind] ? texts[kind] : "a number.";
}
