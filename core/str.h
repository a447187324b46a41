/* str.h - questions about text and bounded parsing of numbers. Nothing here allocates; for copies see arena_dup.
 * "ci" means without regard to ASCII case, as HTTP field names and schemes are compared (RFC 9110 section 5.1). */
#pragma once

#include "core/base.h"

static inline bool str_is_null(struct str s)
{
	return s.p == NULL;
}

static inline struct str str_of(const char *cstr)        /* NULL gives STR_NULL */
{
	return cstr ? (struct str){ cstr, strlen(cstr) } : STR_NULL;
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline struct str str_from(struct str s, size_t at)  /* from byte `at` to the end; empty past it */
{
	return at >= s.n ? (struct str){ s.p ? s.p + s.n : NULL, 0 } : (struct str){ s.p + at, s.n - at };
}

static inline struct str str_first(struct str s, size_t n)  /* at most n bytes */
{
	return (struct str){ s.p, n < s.n ? n : s.n };
}

static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline char ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

static inline bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool ascii_is_space(char c)               /* blank, tab, CR, LF, FF, VT */
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool bytes_eq_ci(const char *a, const char *b, size_t n);   /* ASCII letters without case */
static inline bool str_eq_ci(struct str a, struct str b)    /* inline: most names differ in length already */
{
	return a.n == b.n && bytes_eq_ci(a.p, b.p, a.n);
}
int str_cmp(struct str a, struct str b);                /* byte order; <0, 0, >0 */
int str_cmp_ci(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_starts_ci(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
size_t str_find(struct str s, struct str part);         /* first place, or SIZE_MAX */
size_t str_find_char(struct str s, char c);             /* first place, or SIZE_MAX */
size_t str_rfind_char(struct str s, char c);            /* last place, or SIZE_MAX */
struct str str_trim(struct str s);                      /* without ascii_is_space on both ends */
uint64_t str_hash(struct str s);                        /* FNV-1a, 64 bits: for tables of our own making */
uint64_t str_hash_ci(struct str s);

/* Cuts the next word off *rest: words stand between blanks, tabs and commas. False when none is left. */
bool str_word(struct str *rest, struct str *word);
/* Cuts the part before the first `sep` off *rest into *part. False when *rest is NULL (nothing left).
 *     for (struct str part; str_split(&rest, ',', &part);) ...        "a,,b" gives "a", "", "b"; "" gives "" once */
bool str_split(struct str *rest, char sep, struct str *part);

/* The text, or v in decimal (at most 20 digits), at `to`, which has the room; returns where it ends. */
static inline char *str_put(char *to, struct str s)     /* inline: some fifty times for the head of an answer */
{
	if (s.n)
		memcpy(to, s.p, s.n);
	return to + s.n;
}
char *str_put_u64(char *to, uint64_t v);
/* The whole text must be a decimal number within [min, max]: no blank, no plus sign. */
bool str_to_u64(struct str s, uint64_t max, uint64_t *out);
bool str_to_i64(struct str s, int64_t min, int64_t max, int64_t *out);

/* UTF-8 (RFC 3629): length of the valid sequence at s (1..4), 0 when it is not one. Code point in *cp when not NULL. */
unsigned utf8_decode(struct str s, uint32_t *cp);
unsigned utf8_encode(uint32_t cp, char out[4]);         /* bytes written; a surrogate or > 10FFFF becomes U+FFFD */
bool utf8_valid(struct str s);
