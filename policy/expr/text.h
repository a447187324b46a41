/* text.h - .NET strings: UTF-8 inside, UTF-16 units outside.
 *
 * Length, indexes and Substring count UTF-16 units; a code point above U+FFFF is two. For ASCII texts (nearly all) units
 * are bytes. Half of a surrogate pair that C# code cuts off is kept as the three bytes that UTF-8 would give it ("WTF-8")
 * and joins its other half again in text_concat; text_clean turns what is left into U+FFFD before bytes leave. */
#pragma once

#include "policy/expr/value.h"

enum { TEXT_NONE = -1 };

extern const struct text text_empty;

struct text *text_new(struct arena *a, struct str s, bool copy);         /* NULL: out of memory; finds out .ascii */
static inline struct str text_str(const struct text *t)
{
	return (struct str){ t->p, t->n };
}
/* While on, this thread remembers where units stand in the few long texts with other characters than ASCII that it met last,
 * so that `s[i]` in a loop is not a walk from the start each time. Texts must not move or change while on; off forgets. */
void text_remember(bool on);
bool str_is_ascii(struct str s);

int64_t text_length(const struct text *t);                               /* UTF-16 units */
uint16_t text_unit(const struct text *t, int64_t index);                 /* index < text_length */
size_t text_offset(const struct text *t, int64_t index);                 /* byte at which the unit begins; n for the end */
int64_t text_index(const struct text *t, size_t offset);                 /* unit index of a byte offset */
/* Units [from, from + count); the caller has checked the range. Shares bytes when it can. NULL: out of memory. */
const struct text *text_slice(struct arena *a, const struct text *t, int64_t from, int64_t count);
const struct text *text_concat(struct arena *a, const struct text *l, const struct text *r);
const struct text *text_of_units(struct arena *a, const uint16_t *units, size_t n);
/* All units; *n of them. NULL: out of memory. */
uint16_t *text_units(struct arena *a, const struct text *t, size_t *n);
int text_compare_ordinal(const struct text *l, const struct text *r);    /* by UTF-16 unit */
struct str text_clean(struct arena *a, struct str s);                    /* valid UTF-8; s itself when it is already */
struct value value_text(const struct text *t);                           /* NULL gives VALUE_NULL */
