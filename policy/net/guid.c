/* guid.c - System.Guid. Bytes are kept in the order of ToByteArray(): the first three groups little-endian. */
#include <stdio.h>

#include "core/str.h"
#include "policy/net/make.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/types.h"
#include "policy/net/world.h"

#define BAD_LENGTH "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)."

static const struct guid zero = { { &class_guid }, { 0 } };
static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };   /* of the text */

static int hex_digit(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_digits(struct str s, uint8_t bytes[16])
{
	for (size_t i = 0; i < 16; i++) {
		int high = hex_digit(s.p[2 * i]), low = hex_digit(s.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[order[i]] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* {0x00000000,0x0000,0x0000,{0x00,…}} without blanks */
static bool parse_x(struct str s, uint8_t bytes[16])
{
	static const uint8_t widths[11] = { 8, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2 };
	char digits[32];
	size_t at = 0, n = 0;

	for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
		size_t begin;

		if (i == 0 || i == 3) {
			if (at >= s.n || s.p[at++] != '{')
				return false;
		}
		if (!str_starts_ci(str_from(s, at), STR("0x")))
			return false;
		begin = at += 2;
		while (at < s.n && hex_digit(s.p[at]) >= 0 && at - begin < widths[i])
			at++;
		if (at == begin)
			return false;
		for (size_t fill = at - begin; fill < widths[i]; fill++)
			digits[n++] = '0';
		memcpy(digits + n, s.p + begin, at - begin);
		n += at - begin;
		if (i < 10 && (at >= s.n || s.p[at++] != ','))
			return false;
	}
	return str_eq(str_from(s, at), STR("}}")) && parse_digits((struct str){ digits, 32 }, bytes);
}

bool guid_parse(struct str s, uint8_t bytes[16])
{
	char digits[32];
	size_t n = 0;

	s = str_trim(s);
	if (s.n == 32)
		return parse_digits(s, bytes);
	if (s.n > 38)
		return parse_x(s, bytes);
	if (s.n == 38 && ((s.p[0] == '{' && s.p[37] == '}') || (s.p[0] == '(' && s.p[37] == ')')))
		s = (struct str){ s.p + 1, 36 };
	if (s.n != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash != (s.p[i] == '-'))
			return false;
		if (!dash)
			digits[n++] = s.p[i];
	}
	return parse_digits((struct str){ digits, 32 }, bytes);
}

struct value guid_value(struct arena *a, const uint8_t bytes[16])
{
	struct guid *g = arena_new_of(a, struct guid);

	if (!g)
		return VALUE_NULL_INIT;
	g->head.cls = &class_guid;
	memcpy(g->bytes, bytes, 16);
	return value_object(g);
}

bool guid_format(struct out *o, const uint8_t b[16], struct str format)
{
	char kind = format.n ? ascii_lower(format.p[0]) : 'd';

	if (format.n > 1 || !strchr("ndbpx", kind) || !kind)
		return false;
	if (kind == 'x') {
		out_fmt(o, "{0x%02x%02x%02x%02x,0x%02x%02x,0x%02x%02x,{", b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6]);
		for (int i = 8; i < 16; i++)
			out_fmt(o, i < 15 ? "0x%02x," : "0x%02x}}", b[i]);
		return true;
	}
	if (kind == 'b' || kind == 'p')
		out_char(o, kind == 'b' ? '{' : '(');
	for (size_t i = 0; i < 16; i++) {
		if (kind != 'n' && (i == 4 || i == 6 || i == 8 || i == 10))
			out_char(o, '-');
		out_fmt(o, "%02x", b[order[i]]);
	}
	if (kind == 'b' || kind == 'p')
		out_char(o, kind == 'b' ? '}' : ')');
	return true;
}

static struct guid *guid_of(struct value v)
{
	return (struct guid *)(void *)v.object;
}

bool guid_value_format(struct out *o, struct value v, struct str format)
{
	return guid_format(o, guid_of(v)->bytes, format);
}

static struct str to_text(struct arena *a, struct value v)
{
	struct out o = out_in(a);

	guid_format(&o, guid_of(v)->bytes, STR("D"));
	return out_str(&o);
}

static bool same(struct value l, struct value r)
{
	return memcmp(guid_of(l)->bytes, guid_of(r)->bytes, 16) == 0;
}

/* As .NET Framework's GetHashCode(), of which documents make seeds: _a ^ ((_b << 16) | (ushort)_c) ^ ((_f << 24) | _k). */
static uint64_t hash(struct value v)
{
	const uint8_t *p = guid_of(v)->bytes;
	uint32_t first = (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
	uint32_t second = (uint32_t)p[5] << 24 | (uint32_t)p[4] << 16 | (uint32_t)p[7] << 8 | p[6];

	return (uint64_t)(int64_t)(int32_t)(first ^ second ^ ((uint32_t)p[10] << 24 | p[15]));
}

static int compare(struct value l, struct value r)
{
	for (size_t i = 0; i < 16; i++) {
		int difference = guid_of(l)->bytes[order[i]] - guid_of(r)->bytes[order[i]];

		if (difference)
			return difference < 0 ? -1 : 1;
	}
	return 0;
}

/* ---- members -------------------------------------------------------------------------------------------------------------- */

static bool give(struct vm_call *c, const uint8_t bytes[16])
{
	return give_made(c, guid_value(c->arena, bytes));
}

static bool new_empty(struct vm_call *c)
{
	return vm_return(c, value_object(&zero));
}

static bool parse(struct vm_call *c)
{
	uint8_t bytes[16];

	if (arg_is_null(c, 0))
		return vm_throw_null(c, type_class(c->type) == &class_guid ? "input" : "g");
	if (!guid_parse(arg_str(c, 0), bytes))
		return vm_throw(c, EX_FORMAT, BAD_LENGTH);
	return give(c, bytes);
}

static bool new_of_bytes(struct vm_call *c)
{
	struct str bytes = value_bytes(c->args[0]);

	if (!bytes.p)
		return vm_throw_null(c, "b");
	if (bytes.n != 16)
		return vm_throw(c, EX_ARGUMENT, "Byte array for GUID must be exactly 16 bytes long.");
	return give(c, (const uint8_t *)bytes.p);
}

static bool make(struct vm_call *c)
{
	uint64_t r[2];

	if (!vm_charge(c->vm, COST_RANDOM))
		return false;
	r[0] = world_random(c);
	r[1] = world_random(c);
	uint8_t bytes[16];

	memcpy(bytes, r, 16);
	bytes[7] = (uint8_t)((bytes[7] & 0x0F) | 0x40);          /* version 4 */
	bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);          /* RFC 4122 variant */
	return give(c, bytes);
}

static bool try_parse(struct vm_call *c)
{
	uint8_t bytes[16] = { 0 };
	bool ok = !arg_is_null(c, 0) && guid_parse(arg_str(c, 0), bytes);

	if (!ok)
		memset(bytes, 0, sizeof(bytes));
	c->args[1] = guid_value(c->arena, bytes);
	return give_bool(c, ok);
}

/* The text must be in the named form exactly. */
static bool exact(struct str s, struct str format, uint8_t bytes[16])
{
	static const struct {
		char kind;
		uint8_t length;
		char first;
	} forms[] = { { 'n', 32, 0 }, { 'd', 36, 0 }, { 'b', 38, '{' }, { 'p', 38, '(' }, { 'x', 68, '{' } };

	s = str_trim(s);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (format.n == 1 && ascii_lower(format.p[0]) == forms[i].kind)
			return s.n == forms[i].length && (!forms[i].first || s.p[0] == forms[i].first) && guid_parse(s, bytes);
	return false;
}

static bool parse_exact(struct vm_call *c)
{
	uint8_t bytes[16];

	if (arg_is_null(c, 0) || arg_is_null(c, 1))
		return vm_throw_null(c, arg_is_null(c, 0) ? "input" : "format");
	if (!exact(arg_str(c, 0), arg_str(c, 1), bytes))
		return vm_throw(c, EX_FORMAT, BAD_LENGTH);
	return give(c, bytes);
}

static bool try_parse_exact(struct vm_call *c)
{
	uint8_t bytes[16] = { 0 };
	bool ok = exact(arg_str(c, 0), arg_str(c, 1), bytes);

	if (!ok)
		memset(bytes, 0, sizeof(bytes));
	c->args[2] = guid_value(c->arena, bytes);
	return give_bool(c, ok);
}

static bool to_string(struct vm_call *c)
{
	struct out o = out_in(c->arena);

	if (!guid_format(&o, SELF(c, struct guid)->bytes, c->n ? arg_str(c, 0) : STR("")))
		return vm_throw(c, EX_FORMAT, "Format String can be only \"D\", \"d\", \"N\", \"n\", \"P\", \"p\", \"B\", \"b\", "
					      "\"X\" or \"x\".");
	return give_new(c, out_str(&o));
}

static bool to_bytes(struct vm_call *c)
{
	struct str copy = arena_dup(c->arena, (struct str){ (const char *)SELF(c, struct guid)->bytes, 16 });

	return copy.p ? give_made(c, vm_bytes(c, copy)) : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static bool equals(struct vm_call *c)
{
	return give_bool(c, same(c->self, c->args[0]));
}

static bool compare_to(struct vm_call *c)
{
	return give_int(c, compare(c->self, c->args[0]));
}

static bool op_equal(struct vm_call *c)
{
	return give_bool(c, same(c->args[0], c->args[1]));
}

static bool op_unequal(struct vm_call *c)
{
	return give_bool(c, !same(c->args[0], c->args[1]));
}

static const struct class_member members[] = {
	{ "Guid()", new_empty },
	{ "Guid(string g)", parse },
	{ "Guid(byte[] b)", new_of_bytes },
	{ "static Guid Empty { get; }", new_empty },
	{ "static Guid NewGuid()", make },
	{ "static Guid Parse(string input)", parse },
	{ "static Guid ParseExact(string input, string format)", parse_exact },
	{ "static bool TryParse(string input, out Guid result)", try_parse },
	{ "static bool TryParseExact(string input, string format, out Guid result)", try_parse_exact },
	{ "string ToString()", to_string },
	{ "string ToString(string format)", to_string },
	{ "string ToString(string format, IFormatProvider provider)", to_string },
	{ "byte[] ToByteArray()", to_bytes },
	{ "bool Equals(Guid g)", equals },
	{ "int CompareTo(Guid value)", compare_to },
	{ "static bool operator ==(Guid a, Guid b)", op_equal },
	{ "static bool operator !=(Guid a, Guid b)", op_unequal },
	{ 0 }
};

struct value_class class_guid = {
	.name = "System.Guid", .kind = CLASS_STRUCT, .members = members, .equals = same, .hash = hash, .compare = compare,
	.to_text = to_text, .zero = &zero.head
};
static struct value_class *const classes[] = { &class_guid, NULL };

const struct class_module net_guid = { .classes = classes };
