/* decimal.h - System.Decimal: a 96-bit integer, a sign and a power of ten from 0 to 28.
 * Only the arithmetic that operators need; parsing and printing are built on it elsewhere. */
#pragma once

#include "policy/expr/value.h"

struct decimal {
	struct object head;          /* unused, NULL: VALUE_DECIMAL says what it is */
	unsigned __int128 digits;    /* below 2^96 */
	uint8_t scale;               /* 0..28: value = digits / 10^scale */
	bool negative;
};

const struct decimal *value_decimal(struct value v);
struct value decimal_value(struct arena *a, struct decimal d);            /* VALUE_NULL: out of memory */

/* False: overflow (or division by zero, which the caller tests before). */
bool decimal_add(struct decimal l, struct decimal r, struct decimal *out);
bool decimal_sub(struct decimal l, struct decimal r, struct decimal *out);
bool decimal_mul(struct decimal l, struct decimal r, struct decimal *out);
bool decimal_div(struct decimal l, struct decimal r, struct decimal *out);
bool decimal_rem(struct decimal l, struct decimal r, struct decimal *out);
int decimal_cmp(struct decimal l, struct decimal r);
struct decimal decimal_of_i64(int64_t i);
struct decimal decimal_of_u64(uint64_t u);
bool decimal_of_double(double d, struct decimal *out);                    /* 15 significant digits, as .NET rounds */
double decimal_to_double(struct decimal d);
bool decimal_to_i64(struct decimal d, int64_t *out);                      /* toward zero */
bool decimal_to_u64(struct decimal d, uint64_t *out);
/* Invariant digits ("-1.50" keeps its scale), at most DECIMAL_TEXT_MAX bytes; returns the length. */
enum { DECIMAL_TEXT_MAX = 40 };
size_t decimal_text(struct decimal d, char out[DECIMAL_TEXT_MAX]);
/* Digits with an optional sign and point, no blanks; false: not a number or too large. */
bool decimal_parse(struct str s, struct decimal *out);
