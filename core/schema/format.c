/* format.c - the named formats of JSON Schema (validation section 7.3), each as a small hand-written recogniser: no pattern
 * could be made slow by a hostile text. Formats of international names are judged by their ASCII rules and UTF-8 only. */
#include "core/jsonschema.h"

#include "core/str.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static bool digits(struct str s, size_t at, size_t n, unsigned *out)
{
	unsigned v = 0;

	if (at > s.n || n > s.n - at)
		return false;
	for (size_t i = at; i < at + n; i++) {
		if (!ascii_is_digit(s.p[i]))
			return false;
		v = v * 10 + (unsigned)(s.p[i] - '0');
	}
	*out = v;
	return true;
}

/* ---- dates and times (RFC 3339) ---------------------------------------------------------------------------------------------- */

static bool is_date(struct str s)
{
	static const unsigned char lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned y, m, d, most;

	if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-' || !digits(s, 0, 4, &y) || !digits(s, 5, 2, &m) || !digits(s, 8, 2, &d) ||
	    m < 1 || m > 12)
		return false;
	most = lengths[m - 1] + (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 1u : 0u);
	return d >= 1 && d <= most;
}

static bool is_time(struct str s)
{
	unsigned h, m, sec, oh = 0, om = 0;
	int minutes;
	size_t i = 8;

	if (s.n < 9 || s.p[2] != ':' || s.p[5] != ':' || !digits(s, 0, 2, &h) || !digits(s, 3, 2, &m) || !digits(s, 6, 2, &sec))
		return false;
	if (s.p[i] == '.') {
		size_t from = ++i;

		while (i < s.n && ascii_is_digit(s.p[i]))
			i++;
		if (i == from || i == s.n)
			return false;
	}
	if (s.p[i] == '+' || s.p[i] == '-') {
		if (s.n != i + 6 || s.p[i + 3] != ':' || !digits(s, i + 1, 2, &oh) || !digits(s, i + 4, 2, &om) || oh > 23 || om > 59)
			return false;
	} else if (s.n != i + 1 || (s.p[i] != 'Z' && s.p[i] != 'z')) {
		return false;
	}
	if (h > 23 || m > 59 || sec > 60)
		return false;
	/* a leap second stands at the end of a day in UTC */
	minutes = (int)(h * 60 + m) - (s.p[i] == '-' ? -1 : 1) * (int)(oh * 60 + om);
	return sec < 60 || (minutes + 1440) % 1440 == 1439;
}

static bool is_date_time(struct str s)
{
	return s.n > 11 && (s.p[10] == 'T' || s.p[10] == 't') && is_date(str_first(s, 10)) && is_time(str_from(s, 11));
}

/* Parts in order, each at most once: "4DT12H". Returns the units found as bits; 0 when malformed. */
static unsigned duration_parts(struct str s, const char *units)
{
	unsigned found = 0;
	size_t i = 0, unit = 0;

	while (i < s.n) {
		size_t from = i;
		const char *at;

		while (i < s.n && ascii_is_digit(s.p[i]))
			i++;
		if (i == from || i == s.n)
			return 0;
		at = strchr(units, s.p[i]);
		if (!at || (size_t)(at - units) < unit)
			return 0;
		unit = (size_t)(at - units) + 1;
		found |= 1u << (at - units);
		i++;
	}
	return found;
}

static bool no_gap(unsigned found)       /* years and days need months between them (RFC 3339 appendix A) */
{
	return (found & 5u) != 5u || (found & 2u);
}

static bool is_duration(struct str s)
{
	size_t t;
	unsigned date = 0, time = 0;

	if (s.n < 3 || s.p[0] != 'P')
		return false;
	s = str_from(s, 1);
	if (s.p[s.n - 1] == 'W')
		return duration_parts(s, "W") != 0;
	t = str_find_char(s, 'T');
	if (t != SIZE_MAX)
		time = duration_parts(str_from(s, t + 1), "HMS");
	if (t != SIZE_MAX && (!time || !no_gap(time)))
		return false;
	s = str_first(s, t);
	if (s.n > 0)
		date = duration_parts(s, "YMD");
	return s.n > 0 ? date != 0 && no_gap(date) : time != 0;
}

/* ---- hosts and mail ------------------------------------------------------------------------------------------------------------- */

static bool is_label(struct str s, bool ascii_only)
{
	if (s.n == 0 || s.n > 63 || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (!ascii_is_alpha((char)c) && !ascii_is_digit((char)c) && c != '-' && (ascii_only || c < 0x80))
			return false;
	}
	return true;
}

static bool is_host(struct str s, bool ascii_only)
{
	struct str label;

	if (s.n == 0 || s.n > 253)
		return false;
	while (str_split(&s, '.', &label))
		if (!is_label(label, ascii_only))
			return false;
	return true;
}

static bool is_hostname(struct str s)
{
	return is_host(s, true);
}

static bool is_idn_hostname(struct str s)
{
	return utf8_valid(s) && is_host(s, false);
}

static bool is_ipv4(struct str s)
{
	struct str part;
	unsigned n = 0;
	uint64_t v;

	while (str_split(&s, '.', &part)) {
		if (++n > 4 || part.n > 3 || (part.n > 1 && part.p[0] == '0') || !str_to_u64(part, 255, &v))
			return false;
	}
	return n == 4;
}

static bool is_hex(char c)
{
	return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

/* Groups between colons; *n of them, an IPv4 tail counting as two. */
static bool ipv6_groups(struct str s, unsigned *n, bool tail)
{
	struct str part;

	*n = 0;
	if (s.n == 0)
		return true;
	while (str_split(&s, ':', &part)) {
		if (!s.p && tail && str_find_char(part, '.') != SIZE_MAX) {
			*n += 2;
			return is_ipv4(part);
		}
		if (part.n < 1 || part.n > 4 || ++*n > 8)
			return false;
		for (size_t i = 0; i < part.n; i++)
			if (!is_hex(part.p[i]))
				return false;
	}
	return true;
}

static bool is_ipv6(struct str s)
{
	size_t gap = str_find(s, STR("::"));
	unsigned left, right;

	if (gap == SIZE_MAX)
		return s.n > 0 && ipv6_groups(s, &left, true) && left == 8;
	return ipv6_groups(str_first(s, gap), &left, false) && ipv6_groups(str_from(s, gap + 2), &right, true) && left + right <= 7;
}

static bool is_mail(struct str s, bool ascii_only)
{
	size_t at = str_rfind_char(s, '@');
	struct str local = str_first(s, at), domain = at == SIZE_MAX ? STR("") : str_from(s, at + 1);
	bool quoted = local.n > 2 && local.p[0] == '"' && local.p[local.n - 1] == '"';

	if (at == SIZE_MAX || local.n == 0 || local.n > 64 * 4 || domain.n == 0)
		return false;
	for (size_t i = quoted ? 1 : 0; i < local.n - (quoted ? 1 : 0); i++) {
		unsigned char c = (unsigned char)local.p[i];

		if (c < 0x20 || c == 0x7f || (ascii_only && c >= 0x80))
			return false;
		if (!quoted && (strchr("()<>[]:;@\\,\" ", (int)c) || (c == '.' && (i == 0 || i == local.n - 1 || local.p[i + 1] == '.'))))
			return false;
	}
	if (domain.p[0] == '[' && domain.p[domain.n - 1] == ']') {
		domain = str_first(str_from(domain, 1), domain.n - 2);
		return str_starts_ci(domain, STR("IPv6:")) ? is_ipv6(str_from(domain, 5)) : is_ipv4(domain);
	}
	return is_host(domain, ascii_only);
}

static bool is_email(struct str s)
{
	return is_mail(s, true);
}

static bool is_idn_email(struct str s)
{
	return utf8_valid(s) && is_mail(s, false);
}

/* ---- addresses (RFC 3986, 3987) --------------------------------------------------------------------------------------------------- */

static bool uri_chars(struct str s, const char *more, bool international)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '%') {
			if (s.n - i < 3 || !is_hex(s.p[i + 1]) || !is_hex(s.p[i + 2]))
				return false;
			i += 2;
		} else if (c >= 0x80 ? !international : !ascii_is_alpha((char)c) && !ascii_is_digit((char)c) &&
						!(c && strchr("-._~!$&'()*+,;=", c)) && !(c && strchr(more, c))) {
			return false;
		}
	}
	return true;
}

static bool is_authority(struct str s, bool international)
{
	size_t at = str_find_char(s, '@'), colon;
	struct str host = at == SIZE_MAX ? s : str_from(s, at + 1), port = STR("");

	if (at != SIZE_MAX && !uri_chars(str_first(s, at), ":", international))
		return false;
	if (host.n > 0 && host.p[0] == '[') {
		size_t end = str_find_char(host, ']');
		struct str inside;

		if (end == SIZE_MAX || (end + 1 < host.n && host.p[end + 1] != ':'))
			return false;
		inside = str_first(str_from(host, 1), end - 1);
		port = str_from(host, end + 2);
		if (!is_ipv6(inside) && !(inside.n > 3 && ascii_lower(inside.p[0]) == 'v' && uri_chars(inside, ":", false)))
			return false;
	} else {
		colon = str_find_char(host, ':');
		port = colon == SIZE_MAX ? STR("") : str_from(host, colon + 1);
		if (!uri_chars(str_first(host, colon), "", international))
			return false;
	}
	for (size_t i = 0; i < port.n; i++)
		if (!ascii_is_digit(port.p[i]))
			return false;
	return true;
}

static bool is_reference(struct str s, bool absolute, bool international)
{
	size_t hash = str_find_char(s, '#'), query, colon = 0;
	struct str rest = str_first(s, hash), path;

	if (!utf8_valid(s) || (hash != SIZE_MAX && !uri_chars(str_from(s, hash + 1), ":@/?", international)))
		return false;
	while (colon < rest.n && (ascii_is_alpha(rest.p[colon]) || (colon > 0 && (ascii_is_digit(rest.p[colon]) ||
										 strchr("+-.", rest.p[colon])))))
		colon++;
	if (colon > 0 && colon < rest.n && rest.p[colon] == ':')
		rest = str_from(rest, colon + 1);
	else if (absolute)
		return false;
	else if (str_find_char(str_first(rest, str_find_char(rest, '/')), ':') != SIZE_MAX &&
		 str_find_char(rest, ':') < str_find_char(rest, '?'))
		return false;    /* a first segment with a colon would be read as a scheme */
	query = str_find_char(rest, '?');
	if (query != SIZE_MAX && !uri_chars(str_from(rest, query + 1), ":@/?", international))
		return false;
	path = str_first(rest, query);
	if (str_starts(path, STR("//"))) {
		struct str authority = str_from(path, 2);

		authority = str_first(authority, str_find_char(authority, '/'));
		if (!is_authority(authority, international))
			return false;
		path = str_from(path, 2 + authority.n);
	}
	return uri_chars(path, ":@/", international);
}

static bool is_uri(struct str s)
{
	return is_reference(s, true, false);
}

static bool is_uri_reference(struct str s)
{
	return is_reference(s, false, false);
}

static bool is_iri(struct str s)
{
	return is_reference(s, true, true);
}

static bool is_iri_reference(struct str s)
{
	return is_reference(s, false, true);
}

/* "name", "name:30", "name*" (RFC 6570 section 2.3) */
static bool is_varspec(struct str s)
{
	size_t colon = str_find_char(s, ':');
	struct str digits_of = colon == SIZE_MAX ? STR_NULL : str_from(s, colon + 1), part;
	uint64_t length;

	if (digits_of.p && (digits_of.n == 0 || digits_of.p[0] == '0' || !str_to_u64(digits_of, 9999, &length)))
		return false;
	s = str_first(s, colon);
	if (!digits_of.p && str_ends(s, STR("*")))
		s.n--;
	while (str_split(&s, '.', &part)) {
		if (part.n == 0)
			return false;
		for (size_t i = 0; i < part.n; i++) {
			char c = part.p[i];

			if (c == '%' && part.n - i >= 3 && is_hex(part.p[i + 1]) && is_hex(part.p[i + 2]))
				i += 2;
			else if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '_')
				return false;
		}
	}
	return true;
}

static bool is_expression(struct str s)
{
	struct str spec;

	if (s.n > 0 && strchr("+#./;?&=,!@|", s.p[0]))
		s = str_from(s, 1);
	if (s.n == 0)
		return false;
	while (str_split(&s, ',', &spec))
		if (!is_varspec(spec))
			return false;
	return true;
}

static bool is_uri_template(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		size_t end = c == '{' ? str_find_char(str_from(s, i), '}') : 0;

		if (c == '{') {
			if (end == SIZE_MAX || !is_expression(str_first(str_from(s, i + 1), end - 1)))
				return false;
			i += end;
			continue;
		}
		if (c <= 0x20 || c == 0x7f || strchr("\"<>\\^`|}", c) ||
		    (c == '%' && (s.n - i < 3 || !is_hex(s.p[i + 1]) || !is_hex(s.p[i + 2]))))
			return false;
	}
	return true;
}

/* ---- the rest ----------------------------------------------------------------------------------------------------------------------- */

static bool is_uuid(struct str s)
{
	if (s.n != 36)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s.p[i] != '-' : !is_hex(s.p[i]))
			return false;
	}
	return true;
}

static bool is_pointer(struct str s)
{
	if (s.n > 0 && s.p[0] != '/')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '~' && (i + 1 == s.n || (s.p[i + 1] != '0' && s.p[i + 1] != '1')))
			return false;
	return true;
}

static bool is_relative_pointer(struct str s)
{
	size_t i = 0;

	while (i < s.n && ascii_is_digit(s.p[i]))
		i++;
	if (i == 0 || (i > 1 && s.p[0] == '0'))
		return false;
	s = str_from(s, i);
	return str_eq(s, STR("#")) || is_pointer(s);
}

static bool is_regex(struct str s)
{
	pcre2_compile_context *cc = pcre2_compile_context_create(NULL);
	pcre2_code *code = NULL;
	PCRE2_SIZE at;
	int error;

	if (str_find(s, STR("\\a")) != SIZE_MAX || !cc || s.n > 16384) {        /* \a is PCRE's own */
		pcre2_compile_context_free(cc);
		return false;
	}
	pcre2_set_compile_extra_options(cc, PCRE2_EXTRA_ALT_BSUX);
	code = pcre2_compile((PCRE2_SPTR)(s.p ? s.p : ""), s.n, PCRE2_UTF | PCRE2_ALLOW_EMPTY_CLASS | PCRE2_NEVER_BACKSLASH_C, &error,
			     &at, cc);
	pcre2_code_free(code);
	pcre2_compile_context_free(cc);
	return code != NULL;
}

static bool is_base64(struct str s)
{
	size_t n = s.n;

	if (n % 4 != 0)
		return false;
	while (n > 0 && s.n - n < 2 && s.p[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && s.p[i] != '+' && s.p[i] != '/')
			return false;
	return true;
}

bool jsonschema_format(struct str format, struct str text)
{
	static const struct {
		struct str name;
		bool (*is)(struct str s);
	} formats[] = {
		{ STR_INIT("byte"), is_base64 },
		{ STR_INIT("date"), is_date },
		{ STR_INIT("date-time"), is_date_time },
		{ STR_INIT("duration"), is_duration },
		{ STR_INIT("email"), is_email },
		{ STR_INIT("hostname"), is_hostname },
		{ STR_INIT("idn-email"), is_idn_email },
		{ STR_INIT("idn-hostname"), is_idn_hostname },
		{ STR_INIT("ip-address"), is_ipv4 },
		{ STR_INIT("ipv4"), is_ipv4 },
		{ STR_INIT("ipv6"), is_ipv6 },
		{ STR_INIT("iri"), is_iri },
		{ STR_INIT("iri-reference"), is_iri_reference },
		{ STR_INIT("json-pointer"), is_pointer },
		{ STR_INIT("regex"), is_regex },
		{ STR_INIT("relative-json-pointer"), is_relative_pointer },
		{ STR_INIT("time"), is_time },
		{ STR_INIT("uri"), is_uri },
		{ STR_INIT("uri-reference"), is_uri_reference },
		{ STR_INIT("uri-template"), is_uri_template },
		{ STR_INIT("uuid"), is_uuid },
	};

	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (str_eq(formats[i].name, format))
			return formats[i].is(text);
	return true;
}
