/* unicode.h - case and categories of characters, as System.Char and the invariant culture see them. */
#pragma once

#include "core/arena.h"
#include "policy/expr/value.h"

/* Simple mappings (one code point to one); the Turkish i's stay as they are, as in the invariant culture. */
uint32_t unicode_upper(uint32_t cp);
uint32_t unicode_lower(uint32_t cp);
struct str str_to_upper(struct arena *a, struct str s);      /* s itself when nothing changes; STR_NULL: out of memory */
struct str str_to_lower(struct arena *a, struct str s);

enum unicode_set {
	UNICODE_LETTER, UNICODE_UPPER, UNICODE_LOWER, UNICODE_DIGIT, UNICODE_NUMBER, UNICODE_PUNCTUATION, UNICODE_SYMBOL,
	UNICODE_CONTROL, UNICODE_SEPARATOR, UNICODE__COUNT
};
bool unicode_is(enum unicode_set set, uint32_t cp);
bool unicode_is_white(uint32_t cp);                          /* char.IsWhiteSpace */

/* The next code point of s at *at, which moves past it. A byte that starts no sequence counts as itself; half of a
 * surrogate pair in WTF-8 is read as that half. */
uint32_t utf8_next(struct str s, size_t *at);
/* The code point that ends at byte `end`; its first byte in *begin. */
uint32_t utf8_before(struct str s, size_t end, size_t *begin);
