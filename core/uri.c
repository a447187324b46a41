#include "core/uri.h"

#include <string.h>

/* One table of byte classes carries every rule; RFC 3986 section 2 and appendix A. Bytes above 7F are let through where
 * text is: clients send raw UTF-8, and nothing here gives it a meaning. */
enum { UNRESERVED = 1, SUB_DELIM = 2, SEGMENT_MORE = 4, SLASH = 8, QUESTION = 16, HEX = 32, BAD = 64, TEXT = 128 };

static const uint8_t class_of[256] = {
	[0 ... 0x20] = BAD, [0x7F] = BAD,
	['0' ... '9'] = UNRESERVED | HEX, ['A' ... 'F'] = UNRESERVED | HEX, ['G' ... 'Z'] = UNRESERVED,
	['a' ... 'f'] = UNRESERVED | HEX, ['g' ... 'z'] = UNRESERVED, ['-'] = UNRESERVED, ['.'] = UNRESERVED,
	['_'] = UNRESERVED, ['~'] = UNRESERVED,
	['!'] = SUB_DELIM | TEXT, ['$'] = SUB_DELIM | TEXT, ['&'] = SUB_DELIM, ['\''] = SUB_DELIM, ['('] = SUB_DELIM | TEXT,
	[')'] = SUB_DELIM | TEXT, ['*'] = SUB_DELIM | TEXT, ['+'] = SUB_DELIM, [','] = SUB_DELIM | TEXT,
	[';'] = SUB_DELIM | TEXT, ['='] = SUB_DELIM, [':'] = SEGMENT_MORE, ['@'] = SEGMENT_MORE | TEXT, ['/'] = SLASH, ['?'] = QUESTION,
};

static const uint8_t kept[] = {
	[URI_KEEP_UNRESERVED] = UNRESERVED,
	[URI_KEEP_SEGMENT] = UNRESERVED | SUB_DELIM | SEGMENT_MORE,
	[URI_KEEP_PATH] = UNRESERVED | SUB_DELIM | SEGMENT_MORE | SLASH,
	[URI_KEEP_QUERY] = UNRESERVED | SUB_DELIM | SEGMENT_MORE | SLASH | QUESTION,
	[URI_KEEP_TEXT] = UNRESERVED | TEXT,
};

static uint8_t kind(char c)
{
	return class_of[(unsigned char)c];
}

static unsigned hex_value(char c)
{
	return ascii_is_digit(c) ? (unsigned)(c - '0') : (unsigned)(ascii_lower(c) - 'a') + 10;
}

/* The byte that an escape at s.p[at] stands for, or -1. */
static int escaped(struct str s, size_t at)
{
	if (s.n - at < 3 || !(kind(s.p[at + 1]) & HEX) || !(kind(s.p[at + 2]) & HEX))
		return -1;
	return (int)(hex_value(s.p[at + 1]) << 4 | hex_value(s.p[at + 2]));
}

/* ---- parsing ---------------------------------------------------------------------------------------------------------- */

static bool clean(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((kind(s.p[i]) & BAD) || (s.p[i] == '%' && escaped(s, i) < 0))
			return false;
	return true;
}

static bool is_scheme(struct str s)
{
	if (!s.n || !ascii_is_alpha(s.p[0]))
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && !memchr("+-.", s.p[i], 3))
			return false;
	return true;
}

static bool parse_port(struct str s, unsigned *port)
{
	uint64_t v = 0;

	if (s.n > 5 || (s.n && (!str_to_u64(s, 65535, &v) || v == 0)))
		return false;
	*port = (unsigned)v;
	return true;
}

bool uri_parse_authority(struct str s, struct str *host, unsigned *port)
{
	size_t end;

	*port = 0;
	if (s.n && s.p[0] == '[') {
		end = str_find_char(s, ']');
		if (end == SIZE_MAX || end < 3)
			return false;
		for (size_t i = 1; i < end; i++)
			if (!(kind(s.p[i]) & HEX) && s.p[i] != ':' && s.p[i] != '.')
				return false;
		*host = str_first(s, end + 1);
		s = str_from(s, end + 1);
		return s.n == 0 || (s.p[0] == ':' && parse_port(str_from(s, 1), port));
	}
	end = str_find_char(s, ':');
	*host = str_first(s, end);
	for (size_t i = 0; i < host->n; i++)
		if (!(kind(host->p[i]) & (UNRESERVED | SUB_DELIM)) && host->p[i] != '%' && (signed char)host->p[i] >= 0)
			return false;
	return host->n && clean(*host) && (end == SIZE_MAX || parse_port(str_from(s, end + 1), port));
}

static bool parse_authority(struct str *s, struct uri *out)
{
	size_t end = 2, at;
	struct str authority;

	while (end < s->n && s->p[end] != '/')
		end++;
	authority = (struct str){ s->p + 2, end - 2 };
	*s = str_from(*s, end);
	at = str_rfind_char(authority, '@');
	if (at != SIZE_MAX) {
		out->userinfo = str_first(authority, at);
		authority = str_from(authority, at + 1);
	}
	if (!authority.n && !out->userinfo.p) {
		out->host = authority;           /* file:///x */
		return true;
	}
	return uri_parse_authority(authority, &out->host, &out->port);
}

bool uri_parse(struct str s, struct uri *out)
{
	size_t at;

	*out = (struct uri){ 0 };
	if (!clean(s))
		return false;
	if ((at = str_find_char(s, '#')) != SIZE_MAX) {
		out->fragment = str_from(s, at + 1);
		s = str_first(s, at);
	}
	if ((at = str_find_char(s, '?')) != SIZE_MAX) {
		out->query = str_from(s, at + 1);
		s = str_first(s, at);
	}
	at = str_find_char(s, ':');
	if (at != SIZE_MAX && at < str_find_char(s, '/')) {
		out->scheme = str_first(s, at);
		s = str_from(s, at + 1);
		if (!is_scheme(out->scheme))
			return false;
	}
	if (str_starts(s, STR("//")) && !parse_authority(&s, out))
		return false;
	out->path = s;
	return true;
}

/* ---- the strict check of a request target ----------------------------------------------------------------------------- */

static const char *const fault_texts[] = {
	[URI_OK] = "The address is well formed",
	[URI_NO_SLASH] = "The path does not begin with a slash",
	[URI_BAD_ESCAPE] = "A percent sign is not followed by two hexadecimal digits",
	[URI_BAD_BYTE] = "The address holds a blank or control character",
	[URI_BACKSLASH] = "The path holds a backslash",
	[URI_ENCODED_SLASH] = "The path holds an encoded slash (%2F)",
	[URI_DOT_SEGMENT] = "The path holds a dot segment (\".\" or \"..\")",
	[URI_FRAGMENT] = "The address holds a fragment (\"#\")",
};

const char *uri_fault_text(enum uri_fault f)
{
	return f < URI_FAULT__COUNT ? fault_texts[f] : "";
}

static enum uri_fault byte_fault(struct str s, size_t *at, char *c)
{
	int v;

	*c = s.p[*at];
	if (*c == '%') {
		v = escaped(s, *at);
		if (v < 0)
			return URI_BAD_ESCAPE;
		*at += 2;
		*c = (char)v;
		if (*c == '/')
			return URI_ENCODED_SLASH;
		if (v < 0x20 || v == 0x7F)
			return URI_BAD_BYTE;
	} else if (kind(*c) & BAD) {
		return URI_BAD_BYTE;
	} else if (*c == '#') {
		return URI_FRAGMENT;
	}
	return URI_OK;
}

/* Nearly all bytes of nearly all paths: they are no fault, and make their segment harmless. */
static const bool harmless[256] = { ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['-'] = true, ['_'] = true, ['~'] = true };

/* Dots are counted per segment; any other character makes the segment harmless, but for ";", which some servers cut off
 * together with what follows, so that "..;x" reads as "..". */
enum uri_fault uri_check_path(struct str path)
{
	unsigned dots = 0;
	bool only_dots = true;

	if (!path.n || path.p[0] != '/')
		return URI_NO_SLASH;
	for (size_t i = 1; i < path.n; i++) {
		char c;
		enum uri_fault f;

		if (harmless[(unsigned char)path.p[i]]) {
			only_dots = false;
			continue;
		}
		if (path.p[i] == '/') {
			if (only_dots && dots && dots < 3)
				return URI_DOT_SEGMENT;
			dots = 0, only_dots = true;
			continue;
		}
		if ((f = byte_fault(path, &i, &c)))
			return f;
		if (c == '\\')
			return URI_BACKSLASH;
		if (c == '.')
			dots += only_dots;
		else if (c == ';' && only_dots && dots && dots < 3)
			return URI_DOT_SEGMENT;
		else
			only_dots = false;
	}
	return only_dots && dots && dots < 3 ? URI_DOT_SEGMENT : URI_OK;
}

enum uri_fault uri_check_query(struct str query)
{
	for (size_t i = 0; i < query.n; i++) {
		if (query.p[i] == '%') {
			if (escaped(query, i) < 0)
				return URI_BAD_ESCAPE;
			if (escaped(query, i) == 0)
				return URI_BAD_BYTE;
			i += 2;
		} else if (kind(query.p[i]) & BAD) {
			return URI_BAD_BYTE;
		} else if (query.p[i] == '#') {
			return URI_FRAGMENT;
		}
	}
	return URI_OK;
}

/* ---- escapes ------------------------------------------------------------------------------------------------------------ */

bool uri_has_escape(struct str s)
{
	return s.n && memchr(s.p, '%', s.n);
}

size_t uri_decode_to(char *out, struct str s, bool plus_is_blank)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int v = s.p[i] == '%' ? escaped(s, i) : -1;

		if (v >= 0) {
			out[n++] = (char)v;
			i += 2;
		} else {
			out[n++] = s.p[i] == '+' && plus_is_blank ? ' ' : s.p[i];
		}
	}
	return n;
}

struct str uri_decode(struct arena *a, struct str s, bool plus_is_blank)
{
	char *p;

	if (!uri_has_escape(s) && !(plus_is_blank && s.n && memchr(s.p, '+', s.n)))
		return s.p ? s : STR("");
	p = arena_alloc_text(a, s.n);
	if (!p)
		return STR_NULL;
	return (struct str){ p, uri_decode_to(p, s, plus_is_blank) };
}

struct str uri_encode(struct arena *a, struct str s, enum uri_set keep)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = 0, bad = 0;
	char *p;

	for (size_t i = 0; i < s.n; i++)
		bad += !(kind(s.p[i]) & kept[keep]);
	if (!bad)
		return s.p ? s : STR("");
	if (s.n > SIZE_MAX / 3 || !(p = arena_alloc_text(a, s.n + 2 * bad)))
		return STR_NULL;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (kind(s.p[i]) & kept[keep]) {
			p[n++] = s.p[i];
			continue;
		}
		p[n++] = '%';
		p[n++] = digits[c >> 4];
		p[n++] = digits[c & 15];
	}
	return (struct str){ p, n };
}

/* ---- queries ------------------------------------------------------------------------------------------------------------ */

bool uri_query_next(struct str *rest, struct str *name, struct str *value)
{
	struct str part;
	size_t eq;

	do {
		if (!str_split(rest, '&', &part))
			return false;
	} while (!part.n);
	eq = str_find_char(part, '=');
	*name = str_first(part, eq);
	*value = eq == SIZE_MAX ? STR_NULL : str_from(part, eq + 1);
	return true;
}

bool uri_eq_decoded_ci(struct str raw, struct str plain)
{
	size_t n = 0;

	for (size_t i = 0; i < raw.n; i++, n++) {
		int v = raw.p[i] == '%' ? escaped(raw, i) : -1;
		char c = v >= 0 ? (char)v : raw.p[i];

		if (n >= plain.n || ascii_lower(c) != ascii_lower(plain.p[n]))
			return false;
		i += v >= 0 ? 2 : 0;
	}
	return n == plain.n;
}

bool uri_query_find(struct str query, struct str name, struct str *value)
{
	struct str key;

	while (uri_query_next(&query, &key, value))
		if (uri_eq_decoded_ci(key, name))
			return true;
	return false;
}

bool uri_query_remove(struct arena *a, struct str query, struct str name, struct str *out)
{
	struct str rest = query, key, value;
	size_t n = 0;
	char *p;

	*out = query;
	if (!query.p || !uri_query_find(query, name, &value))
		return true;
	p = arena_alloc_text(a, query.n);
	if (!p)
		return false;
	while (uri_query_next(&rest, &key, &value)) {
		size_t len = key.n + (value.p ? value.n + 1 : 0);

		if (uri_eq_decoded_ci(key, name))
			continue;
		if (n)
			p[n++] = '&';
		memcpy(p + n, key.p, len);
		n += len;
	}
	*out = n ? (struct str){ p, n } : STR_NULL;
	return true;
}
