/* uri_parts.c - names of schemes, questions about names and characters of addresses, relative addresses; IPAddress's
 * questions about IPv6. */
#include "core/str.h"
#include "policy/net/address.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/types.h"
#include "policy/net/uri.h"

static bool is_hex_digit(char c)
{
	return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

/* ---- names of hosts and schemes ------------------------------------------------------------------------------------------- */

static const struct class_member name_types[] = {
	{ "Unknown = 0" }, { "Basic = 1" }, { "Dns = 2" }, { "IPv4 = 3" }, { "IPv6 = 4" }, { 0 }
};
enum { NAME_UNKNOWN, NAME_BASIC, NAME_DNS, NAME_V4, NAME_V6 };
static struct value_class class_name_type = { .name = "System.UriHostNameType", .kind = CLASS_ENUM, .members = name_types };

enum { LABEL_MAX = 63, HOST_MAX = 255 };

static bool is_dns(struct str s)
{
	size_t label = 0;

	if (s.n == 0 || s.n > HOST_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '.') {
			if (label == 0 || s.p[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (!(ascii_is_alpha(c) || ascii_is_digit(c) || c == '_' || (c == '-' && label > 0) || (unsigned char)c >= 0x80) ||
		    ++label > LABEL_MAX)
			return false;
	}
	return label > 0 || s.n > 1;
}

static bool is_v4(struct str s)
{
	struct address a;
	unsigned dots = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '.' && !ascii_is_digit(s.p[i]))
			return false;
		dots += s.p[i] == '.';
	}
	return dots == 3 && address_read(s, &a) && !a.v6;
}

static int name_type(struct str s)
{
	struct address a;

	if (s.n == 0)
		return NAME_UNKNOWN;
	if (str_find_char(s, ':') != SIZE_MAX)
		return address_read(s, &a) && a.v6 ? NAME_V6 : NAME_UNKNOWN;
	if (is_v4(s))
		return NAME_V4;
	return is_dns(s) ? NAME_DNS : NAME_UNKNOWN;
}

static bool check_host(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_name_type, arg_is_null(c, 0) ? NAME_UNKNOWN : name_type(arg_str(c, 0))));
}

static bool check_scheme(struct vm_call *c)
{
	struct str s = arg_str(c, 0);
	bool ok = s.n && ascii_is_alpha(s.p[0]);

	for (size_t i = 1; ok && i < s.n; i++)
		ok = ascii_is_alpha(s.p[i]) || ascii_is_digit(s.p[i]) || s.p[i] == '+' || s.p[i] == '-' || s.p[i] == '.';
	return give_bool(c, ok);
}

static const struct uri *self_uri(const struct vm_call *c)
{
	return SELF(c, const struct uri);
}

static bool relative(struct vm_call *c)
{
	return vm_throw(c, EX_INVALID_OPERATION, "This operation is not supported for a relative URI.");
}

static bool host_name_type(struct vm_call *c)
{
	const struct uri *u = self_uri(c);

	if (!u->is_absolute)
		return relative(c);
	return vm_return(c, enum_of(c, &class_name_type, u->has_authority && u->host.n ? name_type(u->host) : NAME_BASIC));
}

static bool is_file(struct vm_call *c)
{
	return self_uri(c)->is_absolute ? give_bool(c, str_eq(self_uri(c)->scheme, STR("file"))) : relative(c);
}

static bool is_unc(struct vm_call *c)
{
	const struct uri *u = self_uri(c);

	return u->is_absolute ? give_bool(c, str_eq(u->scheme, STR("file")) && u->host.n > 0) : relative(c);
}

static bool not_escaped(struct vm_call *c)
{
	return give_bool(c, false);
}

static bool well_formed(struct vm_call *c)
{
	struct str s = self_uri(c)->original;
	bool ok = true;

	for (size_t i = 0; i < s.n && ok; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		ok = ch > ' ' && ch != '\\' && ch != '<' && ch != '>' && ch != '"' && ch != '{' && ch != '}' && ch != '|' &&
		     ch != '^' && ch != '`' && ch != 0x7F;
		if (ch == '%')
			ok = i + 2 < s.n && is_hex_digit(s.p[i + 1]) && is_hex_digit(s.p[i + 2]);
	}
	return give_bool(c, ok);
}

/* ---- hexadecimal ------------------------------------------------------------------------------------------------------------ */

static bool is_hex(struct vm_call *c)
{
	uint64_t u = c->args[0].u;

	return give_bool(c, u < 0x80 && is_hex_digit((char)u));
}

static bool from_hex(struct vm_call *c)
{
	uint64_t u = c->args[0].u;

	if (u >= 0x80 || !is_hex_digit((char)u))
		return vm_throw(c, EX_ARGUMENT, "The argument must be a hexadecimal digit. (Parameter 'digit')");
	return give_int(c, ascii_is_digit((char)u) ? (int64_t)u - '0' : ascii_lower((char)u) - 'a' + 10);
}

static bool hex_escape(struct vm_call *c)
{
	if (c->args[0].u > 0xFF)
		return vm_throw_range(c, "character", NULL);
	return give_new(c, arena_printf(c->arena, "%%%02X", (unsigned)c->args[0].u));
}

static bool is_hex_encoding(struct vm_call *c)
{
	struct str s = arg_str(c, 0);
	int64_t at = arg_int(c, 1);

	return give_bool(c, at >= 0 && at + 2 < (int64_t)s.n && s.p[at] == '%' && is_hex_digit(s.p[at + 1]) &&
			       is_hex_digit(s.p[at + 2]));
}

/* ---- relative addresses ----------------------------------------------------------------------------------------------------- */

/* How to get from the path `from` to the path `to`. */
static void path_difference(struct out *o, struct str from, struct str to)
{
	size_t same = 0, up = 0;

	for (size_t i = 0; i < from.n && i < to.n && from.p[i] == to.p[i]; i++)
		if (from.p[i] == '/')
			same = i + 1;
	for (size_t i = same; i < from.n; i++)
		up += from.p[i] == '/';
	while (up--)
		out_put(o, STR("../"));
	to = str_from(to, same);
	/* "a:b" alone would read as a scheme */
	if (o->n == 0 && str_find_char(to, ':') != SIZE_MAX &&
	    str_find_char(to, ':') < (str_find_char(to, '/') == SIZE_MAX ? to.n : str_find_char(to, '/')))
		out_put(o, STR("./"));
	if (o->n == 0 && to.n == 0 && from.n > same)
		out_put(o, STR("./"));
	out_put(o, to);
}

static bool make_relative(struct vm_call *c)
{
	const struct uri *from = self_uri(c), *to = arg_object(c, 0);
	struct out o = out_in(c->arena);
	struct uri *made;

	if (!to)
		return vm_throw_null(c, "uri");
	if (!from->is_absolute || !to->is_absolute)
		return relative(c);
	if (!str_eq(from->scheme, to->scheme) || !str_eq_ci(from->host, to->host) || from->port != to->port)
		return vm_return(c, c->args[0]);
	path_difference(&o, from->path, to->path);
	out_put(&o, to->query);
	out_put(&o, to->fragment);
	made = vm_new(c, &class_uri, sizeof(*made));
	if (!made || !out_str(&o).p)
		return made ? vm_throw(c, EX_OUT_OF_MEMORY, NULL) : false;
	made->original = made->absolute = out_str(&o);
	return vm_return(c, value_object(made));
}

#define SCHEMES(X) X(File, "file") X(Ftp, "ftp") X(Gopher, "gopher") X(Http, "http") X(Https, "https") X(Mailto, "mailto") \
	X(NetPipe, "net.pipe") X(NetTcp, "net.tcp") X(News, "news") X(Nntp, "nntp")
static const struct class_member uri_members[] = {
#define X(name, text) { "const string UriScheme" #name " = \"" text "\"" },
	SCHEMES(X)
#undef X
	{ "const string SchemeDelimiter = \"://\"" },
	{ "static UriHostNameType CheckHostName(string name)", check_host },
	{ "static bool CheckSchemeName(string schemeName)", check_scheme },
	{ "static bool IsHexDigit(char character)", is_hex },
	{ "static int FromHex(char digit)", from_hex },
	{ "static string HexEscape(char character)", hex_escape },
	{ "static bool IsHexEncoding(string pattern, int index)", is_hex_encoding },
	{ "UriHostNameType HostNameType { get; }", host_name_type },
	{ "bool IsFile { get; }", is_file },
	{ "bool IsUnc { get; }", is_unc },
	{ "bool UserEscaped { get; }", not_escaped },
	{ "bool IsWellFormedOriginalString()", well_formed },
	{ "Uri MakeRelativeUri(Uri uri)", make_relative },
	{ 0 }
};

/* ---- IPAddress ---------------------------------------------------------------------------------------------------------------- */

static const struct address *self_address(const struct vm_call *c)
{
	return SELF(c, const struct address);
}

static bool is_mapped(const struct address *a)
{
	static const uint8_t prefix[12] = { [10] = 0xFF, [11] = 0xFF };

	return a->v6 && memcmp(a->bytes, prefix, sizeof(prefix)) == 0;
}

static bool get_mapped(struct vm_call *c)
{
	return give_bool(c, is_mapped(self_address(c)));
}

#define V6(name, test)                                                   \
	static bool name(struct vm_call *c)                              \
	{                                                                \
		const struct address *a = self_address(c);               \
		return give_bool(c, a->v6 && (test));                    \
	}
V6(is_link_local, a->bytes[0] == 0xFE && (a->bytes[1] & 0xC0) == 0x80)
V6(is_site_local, a->bytes[0] == 0xFE && (a->bytes[1] & 0xC0) == 0xC0)
V6(is_multicast, a->bytes[0] == 0xFF)
V6(is_teredo, a->bytes[0] == 0x20 && a->bytes[1] == 1 && a->bytes[2] == 0 && a->bytes[3] == 0)

static bool map_to(struct vm_call *c, bool v6)
{
	const struct address *a = self_address(c);
	struct address *made;

	if (a->v6 == v6)
		return vm_return(c, c->self);
	made = vm_new(c, a->head.cls, sizeof(*made));
	if (!made)
		return false;
	made->v6 = v6;
	if (v6) {
		made->bytes[10] = made->bytes[11] = 0xFF;
		memcpy(made->bytes + 12, a->bytes, 4);
	} else {
		memcpy(made->bytes, a->bytes + 12, 4);
	}
	return vm_return(c, value_object(made));
}

static bool map_to_v4(struct vm_call *c)
{
	return map_to(c, false);
}

static bool map_to_v6(struct vm_call *c)
{
	return map_to(c, true);
}

/* The number of an IPv4 address, its first byte lowest. */
static bool get_number(struct vm_call *c)
{
	const struct address *a = self_address(c);

	if (a->v6)
		return vm_throw(c, EX_NOT_SUPPORTED, "The attempted operation is not supported for the type of object referenced");
	return vm_return(c, value_long((int64_t)((uint32_t)a->bytes[0] | (uint32_t)a->bytes[1] << 8 | (uint32_t)a->bytes[2] << 16 |
						 (uint32_t)a->bytes[3] << 24)));
}

static bool get_scope(struct vm_call *c)         /* a scope in the text is not kept */
{
	if (!self_address(c)->v6)
		return vm_throw(c, EX_NOT_SUPPORTED, "The attempted operation is not supported for the type of object referenced");
	return vm_return(c, value_long(0));
}

static bool none_v6(struct vm_call *c)
{
	struct address *a = vm_new(c, &class_address, sizeof(*a));

	if (!a)
		return false;
	a->v6 = true;
	return vm_return(c, value_object(a));
}

static const struct class_member address_members[] = {
	{ "static IPAddress IPv6None { get; }", none_v6 },
	{ "long Address { get; }", get_number },
	{ "long ScopeId { get; }", get_scope },
	{ "bool IsIPv4MappedToIPv6 { get; }", get_mapped },
	{ "bool IsIPv6LinkLocal { get; }", is_link_local },
	{ "bool IsIPv6SiteLocal { get; }", is_site_local },
	{ "bool IsIPv6Multicast { get; }", is_multicast },
	{ "bool IsIPv6Teredo { get; }", is_teredo },
	{ "IPAddress MapToIPv4()", map_to_v4 },
	{ "IPAddress MapToIPv6()", map_to_v6 },
	{ 0 }
};

static const struct class_part parts[] = { { &class_uri, uri_members }, { &class_address, address_members }, { NULL, NULL } };
static struct value_class *const classes[] = { &class_name_type, NULL };

const struct class_module net_uri_parts = { .classes = classes, .parts = parts };
