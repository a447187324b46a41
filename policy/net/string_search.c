#include "policy/net/string_search.h"

#include "core/str.h"
#include "policy/expr/class.h"
#include "policy/expr/text.h"
#include "policy/net/unicode.h"

enum { SEEN_STEP = 16384 };           /* bytes */

static inline bool is_ascii(char c)
{
	return (unsigned char)c < 0x80;
}

/* Both go over what they have in common up to the next sequence that is not ASCII, the larger part of most texts. */
static void skip_same(struct str l, struct str r, size_t *i, size_t *j)
{
	while (*i < l.n && *j < r.n && l.p[*i] == r.p[*j] && is_ascii(l.p[*i])) {
		++*i;
		++*j;
	}
}

/* match_at; *seen counts the bytes that were looked at. */
static size_t match(struct str s, struct str part, bool ignore_case, uint64_t *seen)
{
	size_t i = 0, j = 0;

	for (; j < part.n && i < s.n; ) {
		uint32_t l, r;

		if (s.p[i] == part.p[j] && (!ignore_case || is_ascii(s.p[i]))) {
			i++;
			j++;
			continue;
		}
		if (!ignore_case)
			break;
		if (is_ascii(s.p[i]) && is_ascii(part.p[j])) {
			if (ascii_lower(s.p[i]) != ascii_lower(part.p[j]))
				break;
			i++;
			j++;
			continue;
		}
		l = utf8_next(s, &i);
		r = utf8_next(part, &j);
		if (l != r && unicode_upper(l) != unicode_upper(r)) {
			*seen += i;
			return SIZE_MAX;
		}
	}
	*seen += i;
	return j == part.n ? i : SIZE_MAX;
}

size_t match_at(struct str s, struct str part, bool ignore_case)
{
	uint64_t seen = 0;

	if (!ignore_case)
		return str_starts(s, part) ? part.n : SIZE_MAX;
	return match(s, part, true, &seen);
}

/* What repeats itself is looked at again at each place where it nearly matches: that is paid for as it happens. */
static bool pay(uint64_t *seen)
{
	uint64_t n = *seen;

	if (n < SEEN_STEP)
		return true;
	*seen = 0;
	return vm_charge_here(n / 4);
}

static bool begins_sequence(char c)
{
	return ((unsigned char)c & 0xC0) != 0x80;
}

size_t find_first(struct str s, struct str part, bool ignore_case, size_t *n)
{
	uint64_t seen = 0;
	size_t found;

	if (n)
		*n = part.n;
	if (part.n == 0)
		return 0;
	if (!ignore_case) {
		const char *p = s.n ? memmem(s.p, s.n, part.p, part.n) : NULL;

		return p ? (size_t)(p - s.p) : SIZE_MAX;
	}
	for (size_t i = 0; i < s.n && pay(&seen); i++) {
		bool ascii = (unsigned char)s.p[i] < 0x80 && (unsigned char)part.p[0] < 0x80;

		if (!begins_sequence(s.p[i]) || (ascii && ascii_lower(s.p[i]) != ascii_lower(part.p[0])))
			continue;
		found = match(str_from(s, i), part, true, &seen);
		if (found != SIZE_MAX) {
			if (n)
				*n = found;
			return i;
		}
	}
	return SIZE_MAX;
}

size_t find_last(struct str s, struct str part, bool ignore_case, size_t *n)
{
	uint64_t seen = 0;

	if (n)
		*n = part.n;
	if (part.n == 0)
		return s.n;
	for (size_t i = s.n; i-- > 0 && pay(&seen);) {
		size_t found = begins_sequence(s.p[i]) ? match(str_from(s, i), part, ignore_case, &seen) : SIZE_MAX;

		if (found != SIZE_MAX) {
			if (n)
				*n = found;
			return i;
		}
	}
	return SIZE_MAX;
}

bool ends_ignoring_case(struct str s, struct str part)
{
	size_t begin = s.n;

	for (size_t j = part.n; j; begin--) {           /* as many code points back as the part has */
		while (--j && !begins_sequence(part.p[j]))
			;
		if (begin == 0)
			return false;
		while (begin > 1 && !begins_sequence(s.p[begin - 1]))
			begin--;
	}
	return match_at(str_from(s, begin), part, true) == s.n - begin;
}

bool same_text(struct str l, struct str r, bool ignore_case)
{
	if (!ignore_case)
		return str_eq(l, r);
	return match_at(l, r, true) == l.n;
}

/* Sorting key of a code point: class, then letter without case. */
static uint32_t weight(uint32_t cp)
{
	if (unicode_upper(cp) != cp || unicode_lower(cp) != cp || (cp >= 0x80 && unicode_is(UNICODE_LETTER, cp)))
		return 0x2000000 | unicode_lower(cp);
	if (cp >= '0' && cp <= '9')
		return 0x1000000 | cp;
	if (cp == '_')
		return 0x20;                     /* before all other punctuation */
	return cp < 0x80 ? 0x100 | cp : 0x10000 + cp;
}

static int compare_culture(struct str l, struct str r, bool ignore_case)
{
	size_t i = 0, j = 0;
	int tie = 0;

	for (skip_same(l, r, &i, &j); i < l.n && j < r.n; skip_same(l, r, &i, &j)) {
		uint32_t cl = utf8_next(l, &i), cr = utf8_next(r, &j), wl, wr;

		if (cl == cr)
			continue;
		wl = weight(cl);
		wr = weight(cr);
		if (wl != wr)
			return wl < wr ? -1 : 1;
		if (tie == 0 && !ignore_case)
			tie = unicode_lower(cl) == cl ? -1 : 1;
	}
	if (i < l.n || j < r.n)
		return i < l.n ? 1 : -1;
	return tie;
}

static int compare_ordinal_ci(struct str l, struct str r)
{
	size_t i = 0, j = 0;

	for (skip_same(l, r, &i, &j); i < l.n && j < r.n; skip_same(l, r, &i, &j)) {
		uint32_t cl = unicode_upper(utf8_next(l, &i)), cr = unicode_upper(utf8_next(r, &j));

		if (cl != cr)
			return cl < cr ? -1 : 1;
	}
	return i < l.n ? 1 : j < r.n ? -1 : 0;
}

int compare_texts(const struct text *l, const struct text *r, int64_t comparison)
{
	if (!l || !r)
		return l ? 1 : r ? -1 : 0;
	switch (comparison) {
	case ORDINAL: {
		int order = text_compare_ordinal(l, r);

		return order < 0 ? -1 : order > 0;
	}
	case ORDINAL_CI:
		return compare_ordinal_ci(text_str(l), text_str(r));
	default:
		return compare_culture(text_str(l), text_str(r), comparison_ci(comparison));
	}
}
