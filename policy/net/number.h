/* number.h - numbers as .NET prints and reads them in the invariant culture.
 *
 * Printing goes through one representation for all types, `struct digits`: significant decimal digits and the place of the
 * point. Reference: "Standard numeric format strings" and "Custom numeric format strings" of the .NET documentation.
 * doubles print as .NET Core 3.0 and later do: the shortest text that reads back ("0.1", "1E+16"). */
#pragma once

#include "policy/expr/decimal.h"
#include "policy/expr/value.h"
#include "policy/net/out.h"

enum { DIGITS_MAX = 800, NUMBER_PRECISION_MAX = 999 };

struct digits {
	char d[DIGITS_MAX];          /* '1'..'9' first, no zeros at the end; n 0 is zero */
	int n;
	int scale;                   /* value = 0.d1d2d3… * 10^scale */
	bool negative;
	bool real;                   /* float or double: keeps the sign of zero */
	bool is_decimal;
	int shown;                   /* decimal: digits after the point to show by default */
};

/* ToString(format) of a value of a numeric kind. False: the format is not valid for it (FormatException "Format specifier
 * was invalid."). An empty format is "G". */
bool number_format(struct out *o, struct value v, struct str format);
/* ToString(); v is of a numeric kind (integers, float, double, decimal). */
void number_text(struct out *o, struct value v);
void double_text(struct out *o, double d);
void single_text(struct out *o, double d);

/* Custom formats and standard ones, for callers who bring digits. */
void digits_custom(struct out *o, struct digits *x, struct str format);
void digits_round(struct digits *x, int places);

/* System.Globalization.NumberStyles */
enum number_style {
	STYLE_LEADING_WHITE = 1, STYLE_TRAILING_WHITE = 2, STYLE_LEADING_SIGN = 4, STYLE_TRAILING_SIGN = 8,
	STYLE_PARENTHESES = 16, STYLE_POINT = 32, STYLE_THOUSANDS = 64, STYLE_EXPONENT = 128, STYLE_CURRENCY = 256,
	STYLE_HEX = 512,
	STYLE_INTEGER = 7, STYLE_NUMBER = 111, STYLE_FLOAT = 167, STYLE_ANY = 511
};

enum parse_result { PARSE_OK, PARSE_FORMAT, PARSE_OVERFLOW };

/* Reads a value of the given kind. out->kind is set; a decimal is allocated in a. */
enum parse_result number_parse(struct arena *a, struct str s, enum value_kind kind, unsigned style, struct value *out);
unsigned number_default_style(enum value_kind kind);
/* "Int32", "Double" … and the end of .NET's overflow message ("an Int32."). */
const char *number_overflow_text(enum value_kind kind);
/* True when i lies within the integer kind. */
bool integer_fits(enum value_kind kind, __int128 i);
