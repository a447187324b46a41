#include "fcgi/fields_util.h"

#include "core/str.h"
#include "core/uri.h"

/* Classes of bytes, one look-up each. */
enum { C_TOKEN = 1, C_CTL = 2, C_PATH = 4, C_ID = 8, C_HEX = 16 };
enum { STRIDE = 16 };                    /* bytes that are looked at together */

static unsigned char classes[256];

__attribute__((constructor)) static void fill_classes(void)
{
	for (int c = 0; c < 256; c++) {
		bool alnum = ascii_is_digit((char)c) || ascii_is_alpha((char)c);
		bool hex = ascii_is_digit((char)c) || (ascii_lower((char)c) >= 'a' && ascii_lower((char)c) <= 'f');

		if (c < 128 && c && (alnum || strchr("!#$%&'*+-.^_`|~", c)))
			classes[c] |= C_TOKEN;
		if ((c < 32 && c != '\t') || c == 127)
			classes[c] |= C_CTL;
		if (c > 32 && c < 127 && c != '\\' && c != '#')
			classes[c] |= C_PATH;
		if (c < 128 && c && (alnum || strchr("-_.:+/=@", c)))
			classes[c] |= C_ID;
		if (c < 128 && hex)
			classes[c] |= C_HEX;
	}
}

static bool all_of(struct str s, unsigned char cls)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned char all = cls;
	size_t i = 0;

	for (; s.n - i >= 4; i += 4)             /* nearly all are good, so none is looked at by itself */
		all &= classes[p[i]] & classes[p[i + 1]] & classes[p[i + 2]] & classes[p[i + 3]];
	for (; i < s.n; i++)
		all &= classes[p[i]];
	return all == cls;
}

bool field_name_ok(struct str s)
{
	return s.n && all_of(s, C_TOKEN);
}

/* Whether one of STRIDE bytes is below a blank or 127: a tab too, so "yes" means look closer. They are looked at together: */
static bool may_hold_ctl(const char *p)
{
	typedef unsigned char bytes __attribute__((vector_size(STRIDE)));
	typedef unsigned long long words __attribute__((vector_size(STRIDE)));
	bytes b;
	words found;

	memcpy(&b, p, sizeof(b));
	found = (words)((b < 32) | (b == 127));
	return found[0] | found[1];
}

/* A token is a thousand bytes, and each field of a call is looked at on its way in and on its way out. The last sixteen are
 * looked at together too, some of them once more. */
bool field_value_ok(struct str s)
{
	unsigned char seen = 0;

	for (size_t i = 0, at; s.n >= STRIDE && i < s.n; i += STRIDE) {
		at = s.n - i < STRIDE ? s.n - STRIDE : i;
		for (size_t k = 0; may_hold_ctl(s.p + at) && k < STRIDE; k++)
			seen |= classes[(unsigned char)s.p[at + k]];
	}
	for (size_t i = 0; s.n < STRIDE && i < s.n; i++)
		seen |= classes[(unsigned char)s.p[i]];
	return !(seen & C_CTL);
}

bool method_ok(struct str s)
{
	return s.n && s.n <= 32 && all_of(s, C_TOKEN);
}

bool request_id_ok(struct str s)
{
	return s.n && s.n <= 128 && all_of(s, C_ID);
}

/* Names whose usual case is not Capital-After-Dash. */
static const struct str odd_names[] = {
	STR_INIT("TE"), STR_INIT("DNT"), STR_INIT("SOAPAction"), STR_INIT("Content-MD5"), STR_INIT("Sec-CH-UA"),
	STR_INIT("Sec-CH-UA-Mobile"), STR_INIT("Sec-CH-UA-Platform"), STR_INIT("Sec-GPC"), STR_INIT("Sec-WebSocket-Key"),
};

void field_name_from_cgi(char *p, size_t n)
{
	bool start = true;

	for (size_t i = 0; i < n; i++) {
		p[i] = p[i] == '_' ? '-' : start ? ascii_upper(p[i]) : ascii_lower(p[i]);
		start = p[i] == '-';
	}
	for (size_t i = 0; i < ARRAY_LEN(odd_names); i++)
		if (odd_names[i].n == n && str_eq_ci(odd_names[i], (struct str){ p, n }))
			memcpy(p, odd_names[i].p, n);
}

bool field_is_hop_by_hop(struct str name)
{
	static const struct str names[] = {
		STR_INIT("Connection"), STR_INIT("Keep-Alive"), STR_INIT("Proxy-Connection"), STR_INIT("TE"),
		STR_INIT("Trailer"), STR_INIT("Transfer-Encoding"), STR_INIT("Upgrade"), STR_INIT("Proxy-Authenticate"),
		STR_INIT("Proxy-Authorization"), STR_INIT("Proxy-Authentication-Info"), STR_INIT("HTTP2-Settings"),
	};

	static const uint64_t lengths = 1 << 2 | 1 << 7 | 1 << 10 | 1 << 14 | 1 << 16 | 1 << 17 | 1 << 18 | 1 << 19 | 1 << 25;

	if (name.n > 25 || !(lengths >> name.n & 1))     /* most fields, with one look */
		return false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (name.n == names[i].n && str_eq_ci(name, names[i]))
			return true;
	return false;
}

bool field_listed(struct str connection, struct str name)
{
	if (name.n > connection.n)               /* "close" lists few */
		return false;
	for (struct str part; str_split(&connection, ',', &part);)
		if (str_eq_ci(str_trim(part), name))
			return true;
	return false;
}

/* ---- addresses ---- */

static char *put_encoded(char *to, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (classes[c] & C_PATH) {
			*to++ = (char)c;
			continue;
		}
		*to++ = '%';
		*to++ = hex[c >> 4];
		*to++ = hex[c & 15];
	}
	return to;
}

static char *put_authority(char *to, const struct url *u)
{
	to = str_put(to, u->host);
	if (!u->port)
		return to;
	*to++ = ':';
	return str_put_u64(to, u->port & 0xffff);
}

static char *put_target(char *to, const struct url *u)
{
	if (!u->path.n || u->path.p[0] != '/')
		*to++ = '/';
	to = put_encoded(to, u->path);
	if (str_is_null(u->query))
		return to;
	*to++ = '?';
	return put_encoded(to, u->query);
}

struct str url_for_wire(struct arena *a, const struct url *u)
{
	size_t most = u->scheme.n + u->host.n + 3 * (u->path.n + u->query.n) + 16;
	char *text = arena_alloc_text(a, most), *p = text;

	if (!text)
		return STR_NULL;
	p = put_target(put_authority(str_put(str_put(p, u->scheme), STR("://")), u), u);
	*p = '\0';
	return (struct str){ text, (size_t)(p - text) };
}

void url_write_target(struct buf *b, const struct url *u)
{
	char *p = buf_room(b, 3 * (u->path.n + u->query.n) + 2);

	if (p)
		buf_wrote(b, (size_t)(put_target(p, u) - p));
}

void url_write_authority(struct buf *b, const struct url *u)
{
	char *p = buf_room(b, u->host.n + 8);

	if (p)
		buf_wrote(b, (size_t)(put_authority(p, u) - p));
}

static int hex_value(char c)
{
	return ascii_is_digit(c) ? c - '0' : (ascii_lower(c) - 'a') + 10;
}

bool target_split(struct str target, struct str *path, struct str *query)
{
	size_t mark;

	/* absolute form (RFC 9112 section 3.2.2): the authority is known from elsewhere */
	if (target.n && target.p[0] != '/' && (str_starts_ci(target, STR("http://")) || str_starts_ci(target, STR("https://")))) {
		size_t at = str_find_char(str_from(target, 8), '/');

		target = at == SIZE_MAX ? STR("/") : str_from(target, at + 8);
	}
	mark = str_find_char(target, '?');
	*path = mark == SIZE_MAX ? target : str_first(target, mark);
	*query = mark == SIZE_MAX ? STR_NULL : str_from(target, mark + 1);
	return uri_check_path(*path) == URI_OK && uri_check_query(*query) == URI_OK;
}

/* ---- trace context ---- */

static bool lower_hex(struct str s, char *out)
{
	bool any = false;

	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_is_digit(s.p[i]) && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
			return false;
		any |= s.p[i] != '0';
		if (out)
			out[i] = s.p[i];
	}
	if (out)
		out[s.n] = '\0';
	return any;
}

bool trace_context_parse(struct str s, struct trace_context *out)
{
	struct str flags;

	/* version-traceid-parentid-flags; a later version may have more behind another dash */
	if (s.n < 55 || s.p[2] != '-' || s.p[35] != '-' || s.p[52] != '-')
		return false;
	if (!all_of(str_first(s, 2), C_HEX) || str_eq_ci(str_first(s, 2), STR("ff")))
		return false;
	if (str_starts(s, STR("00")) ? s.n != 55 : s.n > 55 && s.p[55] != '-')
		return false;
	flags = (struct str){ s.p + 53, 2 };
	if (!all_of(flags, C_HEX) || !lower_hex((struct str){ s.p + 3, 32 }, out->trace_id)
	    || !lower_hex((struct str){ s.p + 36, 16 }, out->parent_id))
		return false;
	out->flags = (unsigned char)(hex_value(flags.p[0]) << 4 | hex_value(flags.p[1]));
	return true;
}

struct str trace_context_text(struct arena *a, const struct trace_context *t)
{
	static const char hex[] = "0123456789abcdef";
	char *text = arena_alloc_text(a, 56), *p = text;

	if (!text)
		return STR_NULL;
	p = str_put(p, STR("00-"));
	p = str_put(p, (struct str){ t->trace_id, 32 });
	*p++ = '-';
	p = str_put(p, (struct str){ t->span_id, 16 });
	*p++ = '-';
	*p++ = hex[t->flags >> 4];
	*p++ = hex[t->flags & 15];
	*p = '\0';
	return (struct str){ text, 55 };
}

/* ---- cookies ------------------------------------------------------------------------------------------------------- */

/* The value behind "ab=" in one pair; STR_NULL: it is another cookie. */
static struct str value_of(struct str pair, struct str a, struct str b)
{
	size_t n = a.n + b.n;

	return pair.n > n && pair.p[n] == '=' && str_starts(pair, a) && str_starts(str_from(pair, a.n), b) ? str_from(pair, n + 1)
													    : STR_NULL;
}

/* Browsers send one field, HTTP/2 may split it. */
struct str fields_cookie(const struct fields *f, struct str name_a, struct str name_b)
{
	for (size_t i = 0; i < f->n; i++) {
		struct str rest = f->v[i].value, pair, value;

		if (!str_eq_ci(f->v[i].name, STR("Cookie")))
			continue;
		while (rest.n && str_split(&rest, ';', &pair))
			if ((value = value_of(str_trim(pair), name_a, name_b)).p)
				return value;
	}
	return STR_NULL;
}

static struct str without(struct arena *a, struct str value, struct str name_prefix)
{
	struct str rest = value, pair, kept;
	struct buf b;

	buf_init(&b, value.n + 2);
	while (rest.n && str_split(&rest, ';', &pair)) {
		pair = str_trim(pair);
		if (pair.n && !str_starts(pair, name_prefix))
			buf_fmt(&b, "%s%.*s", b.n ? "; " : "", STR_ARG(pair));
	}
	kept = buf_ok(&b) ? arena_dup(a, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return kept;
}

bool fields_hide_cookies(struct fields *f, struct str name_prefix)
{
	size_t to = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct field one = f->v[i];

		if (str_eq_ci(one.name, STR("Cookie")) && str_find(one.value, name_prefix) != SIZE_MAX) {
			one.value = without(f->arena, one.value, name_prefix);
			if (!one.value.p)
				return false;
			if (!one.value.n)
				continue;
		}
		f->v[to++] = one;
	}
	f->n = to;
	return true;
}
