/* unicode.c - case from the C library's C.UTF-8 tables, categories from PCRE2's; ASCII never leaves this file's tests. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <locale.h>
#include <pcre2.h>
#include <pthread.h>
#include <wctype.h>

#include "core/str.h"
#include "policy/net/out.h"
#include "policy/net/unicode.h"

enum { DOTTED_I = 0x130, DOTLESS_I = 0x131, LONG_S = 0x17F };

static struct {
	pthread_once_t once;
	locale_t utf8;
	pcre2_code *set[UNICODE__COUNT];
} tables = { .once = PTHREAD_ONCE_INIT };

static void make_tables(void)
{
	static const char *const patterns[UNICODE__COUNT] = {
		[UNICODE_LETTER] = "\\p{L}", [UNICODE_UPPER] = "\\p{Lu}", [UNICODE_LOWER] = "\\p{Ll}",
		[UNICODE_DIGIT] = "\\p{Nd}", [UNICODE_NUMBER] = "\\p{N}", [UNICODE_PUNCTUATION] = "\\p{P}",
		[UNICODE_SYMBOL] = "\\p{S}", [UNICODE_CONTROL] = "\\p{Cc}", [UNICODE_SEPARATOR] = "\\p{Z}",
	};
	int error;
	size_t where;

	tables.utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	for (int i = 0; i < UNICODE__COUNT; i++)
		tables.set[i] = pcre2_compile((PCRE2_SPTR)patterns[i], PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_ANCHORED,
					      &error, &where, NULL);
}

uint32_t unicode_upper(uint32_t cp)
{
	if (cp < 0x80)
		return cp >= 'a' && cp <= 'z' ? cp - 32 : cp;
	pthread_once(&tables.once, make_tables);
	if (cp == DOTLESS_I || cp == LONG_S || !tables.utf8)
		return cp;
	return (uint32_t)towupper_l((wint_t)cp, tables.utf8);
}

uint32_t unicode_lower(uint32_t cp)
{
	if (cp < 0x80)
		return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
	pthread_once(&tables.once, make_tables);
	if (cp == DOTTED_I || !tables.utf8)
		return cp;
	return (uint32_t)towlower_l((wint_t)cp, tables.utf8);
}

uint32_t utf8_next(struct str s, size_t *at)
{
	uint32_t cp;
	const unsigned char *p = (const unsigned char *)s.p + *at;
	unsigned n = p[0] < 0x80 ? 0 : utf8_decode(str_from(s, *at), &cp);

	if (n == 0 && p[0] == 0xED && s.n - *at >= 3 && p[1] >= 0xA0 && (p[2] & 0xC0) == 0x80) {
		*at += 3;
		return 0xD000u | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
	}
	if (n == 0) {
		*at += 1;
		return p[0] < 0x80 ? p[0] : 0xFFFD;
	}
	*at += n;
	return cp;
}

uint32_t utf8_before(struct str s, size_t end, size_t *begin)
{
	size_t at = end - 1, next;
	uint32_t cp;

	while (at > 0 && end - at < 4 && ((unsigned char)s.p[at] & 0xC0) == 0x80)
		at--;
	next = at;
	cp = utf8_next((struct str){ s.p, end }, &next);
	if (next != end) {
		at = end - 1;
		next = at;
		cp = utf8_next((struct str){ s.p, end }, &next);
	}
	*begin = at;
	return cp;
}

static struct str map_case(struct arena *a, struct str s, uint32_t (*map)(uint32_t))
{
	struct out o = out_in(a);
	size_t i = 0, done = 0;

	while (i < s.n) {
		size_t at = i;
		uint32_t cp = utf8_next(s, &i), to = map(cp);

		if (to == cp)
			continue;
		if (done == 0 && !out_room(&o, s.n + 4))
			return STR_NULL;
		out_add(&o, s.p + done, at - done);
		out_code_point(&o, to);
		done = i;
	}
	if (done == 0)
		return (struct str){ s.p ? s.p : "", s.n };
	out_add(&o, s.p + done, s.n - done);
	return out_str(&o);
}

struct str str_to_upper(struct arena *a, struct str s)
{
	return map_case(a, s, unicode_upper);
}

struct str str_to_lower(struct arena *a, struct str s)
{
	return map_case(a, s, unicode_lower);
}

static bool ascii_is(enum unicode_set set, char c)
{
	switch (set) {
	case UNICODE_LETTER:
		return ascii_is_alpha(c);
	case UNICODE_UPPER:
		return c >= 'A' && c <= 'Z';
	case UNICODE_LOWER:
		return c >= 'a' && c <= 'z';
	case UNICODE_DIGIT:
	case UNICODE_NUMBER:
		return ascii_is_digit(c);
	case UNICODE_CONTROL:
		return c < 0x20 || c == 0x7F;
	case UNICODE_SEPARATOR:
		return c == ' ';
	case UNICODE_SYMBOL:
		return c && strchr("$+<=>^`|~", c);
	default:
		return c && strchr("!\"#%&'()*,-./:;?@[\\]_{}", c);
	}
}

bool unicode_is(enum unicode_set set, uint32_t cp)
{
	char text[4];
	unsigned n = utf8_encode(cp, text);
	pcre2_match_data *m;
	bool found;

	if (cp < 0x80)
		return ascii_is(set, (char)cp);
	pthread_once(&tables.once, make_tables);
	if (!tables.set[set] || (cp >= 0xD800 && cp <= 0xDFFF))
		return false;
	m = pcre2_match_data_create(1, NULL);
	if (!m)
		return false;
	found = pcre2_match(tables.set[set], (PCRE2_SPTR)text, n, 0, 0, m, NULL) >= 0;
	pcre2_match_data_free(m);
	return found;
}

bool unicode_is_white(uint32_t cp)
{
	return cp == ' ' || (cp >= 0x09 && cp <= 0x0D) || cp == 0x85 || cp == 0xA0 || cp == 0x1680 ||
	       (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F || cp == 0x3000;
}
