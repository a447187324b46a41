/* pieces.h - a format and its values as pieces of text, for arena_printf and buf_fmt.
 *
 * Life cycle: a struct on the stack; pieces_cut fills it, pieces_put copies. The pieces point into the values and into the
 * struct itself, so neither may move or change in between. */
#pragma once

#include "core/base.h"

#include <stdarg.h>

enum { PIECES_MAX = 32, PIECES_DIGITS = 20 };

struct pieces {
	struct str at[PIECES_MAX];
	size_t n, bytes;
	char digits[PIECES_MAX][PIECES_DIGITS + 1];   /* the number of piece i is printed to the end of digits[i] */
};

/* False when the format has more than text, `%.*s`, `%s`, `%%` and plain decimal numbers (widths, hexadecimal, floats), or too
 * many of them: the caller goes to vsnprintf, with a new va_list. */
bool pieces_cut(struct pieces *p, const char *fmt, va_list *ap) MUST_USE;
/* Writes p->bytes and a zero byte behind them; returns where that is. */
char *pieces_put(const struct pieces *p, char *to);
