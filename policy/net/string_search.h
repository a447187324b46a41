/* string_search.h - finding and comparing texts: ordinal, without case, and in the order of the invariant culture. */
#pragma once

#include "core/arena.h"
#include "policy/expr/value.h"

/* System.StringComparison; the culture forms search by code point and differ from ordinal in ordering only. */
enum comparison { CURRENT_CULTURE, CURRENT_CULTURE_CI, INVARIANT, INVARIANT_CI, ORDINAL, ORDINAL_CI };

static inline bool comparison_ci(int64_t comparison)
{
	return comparison & 1;
}

/* Length in bytes of what matches `part` at the start of s; SIZE_MAX: no match. */
size_t match_at(struct str s, struct str part, bool ignore_case);
/* First (last) place of part in s: byte offset or SIZE_MAX; the matched length in *n (may be NULL). */
size_t find_first(struct str s, struct str part, bool ignore_case, size_t *n);
size_t find_last(struct str s, struct str part, bool ignore_case, size_t *n);
/* Does it end with the part, without case? */
bool ends_ignoring_case(struct str s, struct str part);
bool same_text(struct str l, struct str r, bool ignore_case);
/* -1, 0, 1. NULL sorts first. Culture order: punctuation, digits, letters; case decides last, small before capital. */
int compare_texts(const struct text *l, const struct text *r, int64_t comparison);
