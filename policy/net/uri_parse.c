#include "policy/net/uri.h"

#include "core/str.h"
#include "policy/net/out.h"
#include "policy/net/unicode.h"

static const struct {
	struct str name;
	unsigned port;
} schemes[] = {
	{ STR_INIT("http"), 80 }, { STR_INIT("https"), 443 }, { STR_INIT("ftp"), 21 }, { STR_INIT("ws"), 80 },
	{ STR_INIT("wss"), 443 }, { STR_INIT("ldap"), 389 },
};

static unsigned default_port(struct str scheme)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (str_eq(scheme, schemes[i].name))
			return schemes[i].port;
	return 0;
}

static bool is_unreserved(unsigned char c)
{
	return ascii_is_alpha((char)c) || ascii_is_digit((char)c) || c == '-' || c == '_' || c == '.' || c == '~';
}

static int hex_digit(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct str uri_escape(struct arena *a, struct str s, bool keep_reserved)
{
	static const char hex[] = "0123456789ABCDEF";
	struct out o = out_in(a);

	out_room(&o, s.n + 1);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_unreserved(c) || (keep_reserved && c && strchr(";/?:@&=+$,!'()*#[]", c)))
			out_char(&o, (char)c);
		else
			out_add(&o, (const char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
	}
	return out_str(&o);
}

/* Runs of %XX that are valid UTF-8 become text; others stay as they are. */
struct str uri_unescape(struct arena *a, struct str s)
{
	struct out o = out_in(a);

	out_room(&o, s.n + 1);
	for (size_t i = 0; i < s.n;) {
		char run[4];
		size_t n = 0, at = i;

		while (n < 4 && at + 2 < s.n && s.p[at] == '%' && hex_digit(s.p[at + 1]) >= 0 && hex_digit(s.p[at + 2]) >= 0) {
			run[n++] = (char)(hex_digit(s.p[at + 1]) << 4 | hex_digit(s.p[at + 2]));
			at += 3;
		}
		n = n ? utf8_decode((struct str){ run, n }, NULL) : 0;
		out_add(&o, n ? run : s.p + i, n ? n : 1);
		i += n ? n * 3 : 1;
	}
	return out_str(&o);
}

struct str uri_display(struct arena *a, struct str s)
{
	struct out o = out_in(a);

	out_room(&o, s.n + 1);
	for (size_t i = 0; i < s.n;) {
		char run[4];
		size_t n = 0, at = i;

		while (n < 4 && at + 2 < s.n && s.p[at] == '%' && hex_digit(s.p[at + 1]) >= 0 && hex_digit(s.p[at + 2]) >= 0) {
			run[n++] = (char)(hex_digit(s.p[at + 1]) << 4 | hex_digit(s.p[at + 2]));
			at += 3;
		}
		n = n ? utf8_decode((struct str){ run, n }, NULL) : 0;
		if (n == 1 && !is_unreserved((unsigned char)run[0]) && !strchr(" \"<>`{}|^", run[0]))
			n = 0;                   /* decoding would change where parts end */
		out_add(&o, n ? run : s.p + i, n ? n : 1);
		i += n ? n * 3 : 1;
	}
	return out_str(&o);
}

bool uri_looks_absolute(struct str s)
{
	size_t i = 0;

	s = str_trim(s);
	if (s.n == 0 || !ascii_is_alpha(s.p[0]))
		return false;
	while (i < s.n && (ascii_is_alpha(s.p[i]) || ascii_is_digit(s.p[i]) || strchr("+-.", s.p[i])))
		i++;
	return i > 1 && i < s.n && s.p[i] == ':';
}

/* What may not stand in an address is encoded; what is encoded stays. */
static void put_part(struct out *o, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c > 0x20 && c < 0x7F && !strchr("\"<>\\^`{|}", c))
			out_char(o, (char)c);
		else
			out_fmt(o, "%%%02X", c);
	}
}

static struct str encoded(struct arena *a, struct str s)
{
	struct out o = out_in(a);

	put_part(&o, s);
	return out_str(&o);
}

/* RFC 3986 section 5.2.4 */
static struct str without_dots(struct arena *a, struct str path)
{
	struct out o = out_in(a);
	struct str rest = path, part;

	if (path.n == 0)
		return STR("/");
	rest = str_from(path, 1);
	out_char(&o, '/');
	while (str_split(&rest, '/', &part)) {
		bool last = rest.p == NULL;

		if (str_eq(part, STR("..")) || str_eq(part, STR("."))) {
			if (part.n == 2 && o.n > 1) {
				o.n--;
				while (o.n > 0 && o.p[o.n - 1] != '/')
					o.n--;
			}
			continue;
		}
		out_put(&o, part);
		if (!last)
			out_char(&o, '/');
	}
	return out_str(&o);
}

static bool parse_port(struct str s, struct uri *u)
{
	uint64_t port;

	u->port = default_port(u->scheme);
	if (s.n == 0)
		return true;
	if (!str_to_u64(s, 65535, &port))
		return false;
	u->port_shown = port != u->port;
	u->port = (unsigned)port;
	return true;
}

static bool parse_authority(struct arena *a, struct str s, struct uri *u)
{
	size_t at = str_rfind_char(s, '@'), colon;

	if (at != SIZE_MAX) {
		u->user = str_first(s, at);
		s = str_from(s, at + 1);
	}
	if (s.n && s.p[0] == '[') {
		size_t close = str_find_char(s, ']');

		if (close == SIZE_MAX)
			return false;
		u->host = str_first(s, close + 1);
		s = str_from(s, close + 1);
		if (s.n && s.p[0] != ':')
			return false;
		return parse_port(s.n ? str_from(s, 1) : s, u);
	}
	colon = str_find_char(s, ':');
	u->host = str_first(s, colon == SIZE_MAX ? s.n : colon);
	for (size_t i = 0; i < u->host.n; i++)
		if (strchr(" \"<>\\^`{|}%,;=!$&'()*+", u->host.p[i]) || (unsigned char)u->host.p[i] < 0x21)
			return false;
	u->host = str_to_lower(a, u->host);
	if (u->host.n == 0 && !str_eq(u->scheme, STR("file")))
		return false;
	return parse_port(colon == SIZE_MAX ? STR("") : str_from(s, colon + 1), u);
}

static void join_absolute(struct arena *a, struct uri *u)
{
	struct out o = out_in(a);

	out_put(&o, u->scheme);
	out_put(&o, u->has_authority ? STR("://") : STR(":"));
	if (u->user.n) {
		out_put(&o, u->user);
		out_char(&o, '@');
	}
	out_put(&o, u->host);
	if (u->port_shown)
		out_fmt(&o, ":%u", u->port);
	out_put(&o, u->path);
	out_put(&o, u->query);
	out_put(&o, u->fragment);
	u->absolute = out_str(&o);
}

bool net_uri_parse(struct arena *a, struct str s, struct uri *u)
{
	struct str rest;
	size_t colon, end;

	*u = (struct uri){ .head = u->head, .original = s, .is_absolute = true };
	s = str_trim(s);
	if (!uri_looks_absolute(s))
		return false;
	colon = str_find_char(s, ':');
	u->scheme = str_to_lower(a, str_first(s, colon));
	rest = str_from(s, colon + 1);
	end = str_find_char(rest, '#');
	if (end != SIZE_MAX) {
		u->fragment = encoded(a, str_from(rest, end));
		rest = str_first(rest, end);
	}
	end = str_find_char(rest, '?');
	if (end != SIZE_MAX) {
		u->query = encoded(a, str_from(rest, end));
		rest = str_first(rest, end);
	}
	u->has_authority = str_starts(rest, STR("//"));
	if (!u->has_authority) {
		if (default_port(u->scheme))
			return false;
		u->path = encoded(a, rest);
		u->host = STR("");
	} else {
		rest = str_from(rest, 2);
		for (end = 0; end < rest.n && rest.p[end] != '/' && rest.p[end] != '\\';)
			end++;
		if (!parse_authority(a, str_first(rest, end), u))
			return false;
		u->path = without_dots(a, encoded(a, str_from(rest, end)));
	}
	join_absolute(a, u);
	return u->absolute.p && u->path.p && u->host.p && u->scheme.p;
}

struct str uri_resolve(struct arena *a, const struct uri *base, struct str relative)
{
	struct out o = out_in(a);
	size_t slash;

	out_put(&o, base->scheme);
	if (str_starts(relative, STR("//"))) {
		out_char(&o, ':');
		out_put(&o, relative);
		return out_str(&o);
	}
	out_add(&o, "://", 3);
	if (base->user.n) {
		out_put(&o, base->user);
		out_char(&o, '@');
	}
	out_put(&o, base->host);
	if (base->port_shown)
		out_fmt(&o, ":%u", base->port);
	if (relative.n == 0 || relative.p[0] == '?' || relative.p[0] == '#') {
		out_put(&o, base->path);
		if (relative.n == 0 || relative.p[0] == '#')
			out_put(&o, base->query);
	} else if (relative.p[0] != '/') {
		slash = str_rfind_char(base->path, '/');
		out_put(&o, slash == SIZE_MAX ? STR("/") : str_first(base->path, slash + 1));
	}
	out_put(&o, relative);
	return out_str(&o);
}
