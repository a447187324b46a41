#include "core/str.h"
#include "policy/expr/lex.h"

static int hex_digit(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Up to max hexadecimal digits at s[*at]; false when there are fewer than min. */
static bool hex_number(struct str s, size_t *at, unsigned min, unsigned max, uint32_t *out)
{
	unsigned n = 0;

	*out = 0;
	while (n < max && *at < s.n && hex_digit(s.p[*at]) >= 0) {
		*out = *out << 4 | (uint32_t)hex_digit(s.p[*at]);
		n++;
		++*at;
	}
	return n >= min;
}

/* As utf8_encode, but a lone surrogate keeps its three bytes (see text.h). */
static size_t put_unit(char *to, uint32_t cp)
{
	if (cp < 0xD800 || cp > 0xDFFF)
		return utf8_encode(cp, to);
	to[0] = (char)(0xE0 | cp >> 12);
	to[1] = (char)(0x80 | (cp >> 6 & 0x3F));
	to[2] = (char)(0x80 | (cp & 0x3F));
	return 3;
}

static bool escape(struct str s, size_t *at, uint32_t *cp)
{
	static const char names[] = "'\"\\0abfnrtv", values[] = "'\"\\\0\a\b\f\n\r\t\v";
	char c = s.p[(*at)++];
	const char *found = c ? strchr(names, c) : NULL;
	uint32_t low;

	if (found) {
		*cp = (unsigned char)values[found - names];
		return true;
	}
	if (c == 'x')
		return hex_number(s, at, 1, 4, cp);
	if (c == 'U')
		return hex_number(s, at, 8, 8, cp) && *cp <= 0x10FFFF;
	if (c != 'u' || !hex_number(s, at, 4, 4, cp))
		return false;
	if (*cp >= 0xD800 && *cp <= 0xDBFF && *at + 6 <= s.n && s.p[*at] == '\\' && s.p[*at + 1] == 'u') {
		size_t after = *at + 2;

		if (hex_number(s, &after, 4, 4, &low) && low >= 0xDC00 && low <= 0xDFFF) {
			*cp = 0x10000 + ((*cp - 0xD800) << 10) + (low - 0xDC00);
			*at = after;
		}
	}
	return true;
}

struct str lex_unescape(struct arena *a, struct str piece, bool verbatim, bool interpolated, const char **what)
{
	char *to = arena_alloc_text(a, piece.n + 4);
	size_t n = 0;

	*what = "out of memory";
	if (!to)
		return STR_NULL;
	for (size_t i = 0; i < piece.n;) {
		char c = piece.p[i];
		uint32_t cp;

		if (c == '\\' && !verbatim && i + 1 < piece.n) {
			i++;
			if (!escape(piece, &i, &cp)) {
				*what = "unrecognised escape sequence in a string; write \\\\ for a backslash or use @\"…\"";
				return STR_NULL;
			}
			n += put_unit(to + n, cp);
			continue;
		}
		if ((verbatim && c == '"') || (interpolated && (c == '{' || c == '}')))
			i++;                    /* doubled */
		to[n++] = c;
		i++;
	}
	to[n] = '\0';
	return (struct str){ to, n };
}
