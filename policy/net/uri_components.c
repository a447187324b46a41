/* uri_components.c - parts of an address by UriComponents: GetComponents, Compare; and HexUnescape. */
#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/types.h"
#include "policy/net/uri.h"

enum {
	SCHEME = 1, USER = 2, HOST = 4, PORT = 8, PATH = 16, QUERY = 32, FRAGMENT = 64, STRONG_PORT = 128, NORMALIZED_HOST = 256,
	KEEP_DELIMITER = 0x40000000, PARTS = 0x1FF
};
static const struct class_member components[] = {
	{ "Scheme = 1" }, { "UserInfo = 2" }, { "Host = 4" }, { "Port = 8" }, { "Path = 16" }, { "Query = 32" }, { "Fragment = 64" },
	{ "StrongPort = 128" }, { "NormalizedHost = 256" }, { "SchemeAndServer = 13" }, { "HttpRequestUrl = 61" },
	{ "PathAndQuery = 48" }, { "AbsoluteUri = 127" }, { "HostAndPort = 132" }, { "StrongAuthority = 134" },
	{ "KeepDelimiter = 1073741824" }, { "SerializationInfoString = -2147483648" },
	{ 0 }
};
static struct value_class class_components = {
	.name = "System.UriComponents", .kind = CLASS_ENUM, .flags = true, .members = components
};
enum { ESCAPED = 1, UNESCAPED = 2, SAFE_UNESCAPED = 3 };
static const struct class_member formats[] = { { "UriEscaped = 1" }, { "Unescaped = 2" }, { "SafeUnescaped = 3" }, { 0 } };
static struct value_class class_format = { .name = "System.UriFormat", .kind = CLASS_ENUM, .members = formats };

static struct str in_format(struct vm_call *c, struct str s, int64_t format)
{
	return format == ESCAPED ? s : format == UNESCAPED ? uri_unescape(c->arena, s) : uri_display(c->arena, s);
}

/* One component alone stands without its delimiter. */
static struct str parts_of(struct vm_call *c, const struct uri *u, int64_t which, int64_t format)
{
	bool keep = which & KEEP_DELIMITER;
	int64_t parts = which & PARTS;
	struct out o = out_in(c->arena);
	struct str host = u->host;

	if (parts & SCHEME) {
		out_put(&o, u->scheme);
		if (parts != SCHEME || keep)
			out_put(&o, u->has_authority ? STR("://") : STR(":"));
	}
	if (parts & USER && u->user.n) {
		out_put(&o, in_format(c, u->user, format));
		if (parts != USER || keep)
			out_char(&o, '@');
	}
	if (parts & (HOST | NORMALIZED_HOST))
		out_put(&o, host);
	if ((parts & STRONG_PORT && u->port) || (parts & PORT && u->port_shown)) {
		if ((parts & ~(STRONG_PORT | PORT)) || keep)
			out_char(&o, ':');
		out_fmt(&o, "%u", u->port);
	}
	if (parts & PATH) {
		struct str path = u->path;

		if (parts == PATH && !keep && path.n && path.p[0] == '/')
			path = str_from(path, 1);
		out_put(&o, in_format(c, path, format));
	}
	if (parts & QUERY && u->query.n)
		out_put(&o, in_format(c, parts == QUERY && !keep ? str_from(u->query, 1) : u->query, format));
	if (parts & FRAGMENT && u->fragment.n)
		out_put(&o, in_format(c, parts == FRAGMENT && !keep ? str_from(u->fragment, 1) : u->fragment, format));
	return o.n ? out_str(&o) : o.failed ? STR_NULL : STR("");
}

static bool check(struct vm_call *c, int64_t which, int64_t format, const char *name)
{
	if (format < ESCAPED || format > SAFE_UNESCAPED)
		return vm_throw_range(c, "format", NULL);
	if ((which & PARTS) == 0)
		return vm_throw(c, EX_ARGUMENT, "UriComponents.SerializationInfoString must not be combined with other UriComponents. "
				"(Parameter '%s')", name);
	return true;
}

static bool get_components(struct vm_call *c)
{
	const struct uri *u = SELF(c, const struct uri);

	if (!check(c, arg_enum(c, 0), arg_enum(c, 1), "components"))
		return false;
	if (!u->is_absolute)
		return vm_throw(c, EX_INVALID_OPERATION, "This operation is not supported for a relative URI.");
	return charge_each(c, u->absolute.n) && give_new(c, parts_of(c, u, arg_enum(c, 0), arg_enum(c, 1)));
}

/* (uri1, uri2, partsToCompare, compareFormat, comparisonType): null sorts first, a relative one before an absolute one */
static bool compare(struct vm_call *c)
{
	const struct uri *l = arg_object(c, 0), *r = arg_object(c, 1);
	bool ci = arg_enum(c, 4) % 2 == 1;
	struct str a, b;

	if (!l || !r)
		return give_int(c, l ? 1 : r ? -1 : 0);
	if (!check(c, arg_enum(c, 2), arg_enum(c, 3), "partsToCompare"))
		return false;
	if (l->is_absolute != r->is_absolute)
		return give_int(c, l->is_absolute ? 1 : -1);
	a = l->is_absolute ? parts_of(c, l, arg_enum(c, 2), arg_enum(c, 3)) : l->original;
	b = r->is_absolute ? parts_of(c, r, arg_enum(c, 2), arg_enum(c, 3)) : r->original;
	if (!a.p || !b.p)
		return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	if (!charge_each(c, a.n + b.n))
		return false;
	for (size_t i = 0; i < a.n && i < b.n; i++) {
		char x = ci ? ascii_lower(a.p[i]) : a.p[i], y = ci ? ascii_lower(b.p[i]) : b.p[i];

		if (x != y)
			return give_int(c, (unsigned char)x < (unsigned char)y ? -1 : 1);
	}
	return give_int(c, a.n < b.n ? -1 : a.n > b.n);
}

static int digit(char ch)
{
	return ascii_is_digit(ch) ? ch - '0' : ascii_lower(ch) >= 'a' && ascii_lower(ch) <= 'f' ? ascii_lower(ch) - 'a' + 10 : -1;
}

/* The character at index, which moves past it; "%20" counts as one. */
static bool hex_unescape(struct vm_call *c)
{
	const struct text *t = arg_text(c, 0);
	int64_t i = arg_int(c, 1), n = t ? text_length(t) : 0;
	uint16_t unit;

	if (!t)
		return vm_throw_null(c, "pattern");
	if (i < 0 || i >= n)
		return vm_throw_range(c, "index", NULL);
	unit = (uint16_t)text_unit(t, i++);
	if (unit == '%' && i + 1 < n && text_unit(t, i) < 0x80 && text_unit(t, i + 1) < 0x80) {
		int high = digit((char)text_unit(t, i)), low = digit((char)text_unit(t, i + 1));

		if (high >= 0 && low >= 0) {
			unit = (uint16_t)(high * 16 + low);
			i += 2;
		}
	}
	c->args[1] = value_int(i);
	return vm_return(c, value_char(unit));
}

static const struct class_member members[] = {
	{ "string GetComponents(UriComponents components, UriFormat format)", get_components },
	{ "static int Compare(Uri uri1, Uri uri2, UriComponents partsToCompare, UriFormat compareFormat, StringComparison comparisonType)",
	  compare },
	{ "static char HexUnescape(string pattern, ref int index)", hex_unescape },
	{ 0 }
};
static const struct class_part parts[] = { { &class_uri, members }, { NULL, NULL } };
static struct value_class *const classes[] = { &class_components, &class_format, NULL };

const struct class_module net_uri_components = { .classes = classes, .parts = parts };
