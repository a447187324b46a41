/* web.c - System.Net: WebUtility and IPAddress. */
#include <arpa/inet.h>
#include <endian.h>

#include "core/str.h"
#include "policy/net/entities.h"
#include "policy/net/modules.h"
#include "policy/net/address.h"
#include "policy/net/native.h"
#include "policy/net/out.h"
#include "policy/net/unicode.h"

static struct value_class class_family;

/* ---- WebUtility ---------------------------------------------------------------------------------------------------------------- */

static bool null_or(struct vm_call *c, struct str s, struct str (*fn)(struct arena *, struct str))
{
	if (!s.p)
		return vm_return(c, VALUE_NULL_INIT);
	return charge_each(c, s.n) && give_new(c, fn(c->arena, s));
}

static void put_number(struct out *o, uint32_t cp)
{
	char text[] = "&#0000000;";
	size_t at = sizeof(text) - 2;

	for (; cp; cp /= 10)
		text[--at] = (char)('0' + cp % 10);
	out_put(o, STR("&#"));
	out_add(o, text + at, sizeof(text) - 1 - at);
}

struct str html_encode(struct arena *a, struct str s)
{
	struct out o = out_in(a);

	for (size_t at = 0; at < s.n;) {
		size_t begin = at;
		uint32_t cp = utf8_next(s, &at);

		switch (cp) {
		case '<':
			out_put(&o, STR("&lt;"));
			break;
		case '>':
			out_put(&o, STR("&gt;"));
			break;
		case '&':
			out_put(&o, STR("&amp;"));
			break;
		case '"':
			out_put(&o, STR("&quot;"));
			break;
		case '\'':
			out_put(&o, STR("&#39;"));
			break;
		default:
			if ((cp >= 160 && cp < 256) || cp > 0xFFFF)
				put_number(&o, cp);
			else
				out_add(&o, s.p + begin, at - begin);
			break;
		}
	}
	return out_str(&o);
}

/* Code point of what stands between "&" and ";"; 0: none. */
static uint32_t entity(struct str name)
{
	uint64_t cp = 0;

	if (name.n < 2 || name.p[0] != '#')
		return html_entity(name);
	if (name.p[1] != 'x' && name.p[1] != 'X')
		return str_to_u64(str_from(name, 1), 0x10FFFF, &cp) && !(cp >= 0xD800 && cp <= 0xDFFF) ? (uint32_t)cp : 0;
	if (name.n == 2 || name.n > 8)
		return 0;
	for (size_t i = 2; i < name.n; i++) {
		char c = ascii_lower(name.p[i]);

		if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'f'))
			return 0;
		cp = cp << 4 | (uint64_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
	}
	return cp <= 0x10FFFF && !(cp >= 0xD800 && cp <= 0xDFFF) ? (uint32_t)cp : 0;
}

struct str html_decode(struct arena *a, struct str s)
{
	struct out o = out_in(a);

	for (size_t at = 0; at < s.n; at++) {
		size_t end = at + 1;
		uint32_t cp;

		if (s.p[at] != '&') {
			out_char(&o, s.p[at]);
			continue;
		}
		while (end < s.n && end - at <= HTML_ENTITY_MAX && s.p[end] != ';' && s.p[end] != '&')
			end++;
		cp = end < s.n && s.p[end] == ';' ? entity((struct str){ s.p + at + 1, end - at - 1 }) : 0;
		if (cp) {
			out_code_point(&o, cp);
			at = end;
		} else {
			out_char(&o, '&');
		}
	}
	return out_str(&o);
}

struct str web_url_encode(struct arena *a, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";
	struct out o = out_in(a);

	out_room(&o, s.n + 1);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (ascii_is_alpha((char)c) || ascii_is_digit((char)c) || (c && strchr("-_.!*()", c)))
			out_char(&o, (char)c);
		else if (c == ' ')
			out_char(&o, '+');
		else
			out_add(&o, (const char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
	}
	return out_str(&o);
}

static int hex_digit(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static struct str url_decode_bytes(struct arena *a, struct str s)
{
	struct out o = out_in(a);

	out_room(&o, s.n + 1);
	for (size_t i = 0; i < s.n; i++) {
		int high = s.p[i] == '%' && i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(s.p[i + 2]) : -1;

		if (low >= 0) {
			out_char(&o, (char)(high << 4 | low));
			i += 2;
		} else {
			out_char(&o, s.p[i] == '+' ? ' ' : s.p[i]);
		}
	}
	return out_str(&o);
}

struct str web_url_decode(struct arena *a, struct str s)
{
	struct str bytes = url_decode_bytes(a, s);

	return bytes.p ? text_clean(a, bytes) : bytes;
}

static bool w_html_encode(struct vm_call *c)
{
	return null_or(c, arg_str(c, 0), html_encode);
}

static bool w_html_decode(struct vm_call *c)
{
	return null_or(c, arg_str(c, 0), html_decode);
}

static bool w_url_encode(struct vm_call *c)
{
	return null_or(c, arg_str(c, 0), web_url_encode);
}

static bool w_url_decode(struct vm_call *c)
{
	return null_or(c, arg_str(c, 0), web_url_decode);
}

static bool bytes_through(struct vm_call *c, struct str (*fn)(struct arena *, struct str))
{
	struct str bytes = value_bytes(c->args[0]);

	if (!bytes.p)
		return vm_return(c, VALUE_NULL_INIT);
	if (arg_int(c, 1) < 0 || arg_int(c, 1) > (int64_t)bytes.n)
		return vm_throw_range(c, "offset", NULL);
	if (arg_int(c, 2) < 0 || arg_int(c, 1) > (int64_t)bytes.n - arg_int(c, 2))
		return vm_throw_range(c, "count", NULL);
	bytes = fn(c->arena, (struct str){ bytes.p + arg_int(c, 1), (size_t)arg_int(c, 2) });
	return bytes.p ? give_made(c, vm_bytes(c, bytes)) : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static bool encode_to_bytes(struct vm_call *c)
{
	return bytes_through(c, web_url_encode);
}

static bool decode_to_bytes(struct vm_call *c)
{
	return bytes_through(c, url_decode_bytes);
}

static const struct class_member web_members[] = {
	{ "static string HtmlEncode(string value)", w_html_encode },
	{ "static string HtmlDecode(string value)", w_html_decode },
	{ "static string UrlEncode(string value)", w_url_encode },
	{ "static string UrlDecode(string encodedValue)", w_url_decode },
	{ "static byte[] UrlEncodeToBytes(byte[] value, int offset, int count)", encode_to_bytes },
	{ "static byte[] UrlDecodeToBytes(byte[] encodedValue, int offset, int count)", decode_to_bytes },
	{ 0 }
};

/* ---- IPAddress ------------------------------------------------------------------------------------------------------------------ */

enum { FAMILY_V4 = 2, FAMILY_V6 = 23 };

static struct address *address_of(struct value v)
{
	return (struct address *)(void *)v.object;
}

static bool same_address(struct value l, struct value r)
{
	return address_of(l)->v6 == address_of(r)->v6 && memcmp(address_of(l)->bytes, address_of(r)->bytes, 16) == 0;
}

static uint64_t address_hash(struct value v)
{
	return str_hash((struct str){ (const char *)address_of(v)->bytes, 16 });
}

static struct str address_text(struct arena *a, struct value v)
{
	char text[INET6_ADDRSTRLEN];

	if (!inet_ntop(address_of(v)->v6 ? AF_INET6 : AF_INET, address_of(v)->bytes, text, sizeof(text)))
		return STR_NULL;
	return arena_dup(a, str_of(text));
}

/* .NET also reads IPv4 with fewer than four parts ("127.1") and in hexadecimal or octal, as inet_aton does. */
bool address_read(struct str s, struct address *out)
{
	char text[64];
	struct in_addr v4;

	if (s.n >= sizeof(text) - 1 || s.n == 0 || memchr(s.p, '\0', s.n))
		return false;
	if (s.p[0] == '[' && s.p[s.n - 1] == ']')
		s = (struct str){ s.p + 1, s.n - 2 };
	if (str_find_char(s, '%') != SIZE_MAX && str_find_char(s, ':') != SIZE_MAX)
		s = str_first(s, str_find_char(s, '%'));
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	memset(out->bytes, 0, sizeof(out->bytes));
	out->v6 = inet_pton(AF_INET6, text, out->bytes) == 1;
	if (out->v6)
		return true;
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789abcdefABCDEFxX.", text[i]))
			return false;
	if (!inet_aton(text, &v4))
		return false;
	memcpy(out->bytes, &v4, 4);
	return true;
}

static bool parse(struct vm_call *c)
{
	struct address *a = vm_new(c, &class_address, sizeof(*a));

	if (!a)
		return false;
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "ipString");
	if (!address_read(arg_str(c, 0), a))
		return vm_throw(c, EX_FORMAT, "An invalid IP address was specified.");
	return vm_return(c, value_object(a));
}

static bool try_parse(struct vm_call *c)
{
	struct address *a = vm_new(c, &class_address, sizeof(*a));
	bool ok = a && !arg_is_null(c, 0) && address_read(arg_str(c, 0), a);

	if (!a)
		return false;
	c->args[1] = value_object(ok ? a : NULL);
	return give_bool(c, ok);
}

static bool new_address(struct vm_call *c)
{
	struct str bytes = value_bytes(c->args[0]);
	struct address *a = vm_new(c, &class_address, sizeof(*a));

	if (!a)
		return false;
	if (!bytes.p)
		return vm_throw_null(c, "address");
	if (bytes.n != 4 && bytes.n != 16)
		return vm_throw(c, EX_ARGUMENT, "An invalid IP address was specified. (Parameter 'address')");
	a->v6 = bytes.n == 16;
	memcpy(a->bytes, bytes.p, bytes.n);
	return vm_return(c, value_object(a));
}

static bool get_bytes(struct vm_call *c)
{
	struct str copy = arena_dup(c->arena, (struct str){ (const char *)address_of(c->self)->bytes,
							    address_of(c->self)->v6 ? 16 : 4 });

	return copy.p ? give_made(c, vm_bytes(c, copy)) : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static bool get_family(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_family, address_of(c->self)->v6 ? FAMILY_V6 : FAMILY_V4));
}

static bool is_loopback(struct vm_call *c)
{
	static const uint8_t one[16] = { [15] = 1 };
	const struct address *a = arg_object(c, 0);

	if (!a)
		return vm_throw_null(c, "address");
	return give_bool(c, a->v6 ? memcmp(a->bytes, one, 16) == 0 : a->bytes[0] == 127);
}

static bool equals(struct vm_call *c)
{
	return give_bool(c, value_is(c->args[0], &class_address) && same_address(c->self, c->args[0]));
}

static bool network_order(struct vm_call *c)
{
	struct value v = c->args[0];

	switch (v.kind) {
	case VALUE_SHORT:
		return vm_return(c, value_of(VALUE_SHORT, (int16_t)htobe16((uint16_t)v.i)));
	case VALUE_INT:
		return vm_return(c, value_of(VALUE_INT, (int32_t)htobe32((uint32_t)v.i)));
	default:
		return vm_return(c, value_long((int64_t)htobe64((uint64_t)v.i)));
	}
}

static bool fixed(struct vm_call *c, const char *text)
{
	struct address *a = vm_new(c, &class_address, sizeof(*a));

	return a && address_read(str_of(text), a) && vm_return(c, value_object(a));
}

#define FIXED(name, text)                       \
	static bool name(struct vm_call *c)     \
	{                                       \
		return fixed(c, text);          \
	}
FIXED(get_any, "0.0.0.0")
FIXED(get_loopback, "127.0.0.1")
FIXED(get_broadcast, "255.255.255.255")
FIXED(get_v6_any, "::")
FIXED(get_v6_loopback, "::1")

#define ORDER(name, T) { "static " T " " name "(" T " value)", network_order }

static const struct class_member address_members[] = {
	{ "IPAddress(byte[] address)", new_address },
	{ "static IPAddress Parse(string ipString)", parse },
	{ "static bool TryParse(string ipString, out IPAddress address)", try_parse },
	{ "static bool IsLoopback(IPAddress address)", is_loopback },
	{ "static IPAddress Any { get; }", get_any },
	{ "static IPAddress Loopback { get; }", get_loopback },
	{ "static IPAddress Broadcast { get; }", get_broadcast },
	{ "static IPAddress None { get; }", get_broadcast },
	{ "static IPAddress IPv6Any { get; }", get_v6_any },
	{ "static IPAddress IPv6Loopback { get; }", get_v6_loopback },
	{ "byte[] GetAddressBytes()", get_bytes },
	{ "AddressFamily AddressFamily { get; }", get_family },
	{ "bool Equals(object comparand)", equals },
	ORDER("HostToNetworkOrder", "short"), ORDER("HostToNetworkOrder", "int"), ORDER("HostToNetworkOrder", "long"),
	ORDER("NetworkToHostOrder", "short"), ORDER("NetworkToHostOrder", "int"), ORDER("NetworkToHostOrder", "long"),
	{ 0 }
};
static const struct class_member families[] = {
	{ "Unknown = -1" }, { "Unspecified = 0" }, { "Unix = 1" }, { "InterNetwork = 2" }, { "InterNetworkV6 = 23" }, { 0 }
};

static struct value_class class_web = { .name = "System.Net.WebUtility", .kind = CLASS_STATIC, .members = web_members };
struct value_class class_address = {
	.name = "System.Net.IPAddress", .members = address_members, .equals = same_address, .hash = address_hash,
	.to_text = address_text
};
static struct value_class class_family = {
	.name = "System.Net.Sockets.AddressFamily", .kind = CLASS_ENUM, .members = families
};
static struct value_class *const classes[] = { &class_web, &class_address, &class_family, NULL };

const struct class_module net_web = { .classes = classes };
