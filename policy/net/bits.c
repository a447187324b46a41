/* bits.c - System.BitConverter, System.Buffer and IPAddress's byte order helpers. The reference system is little-endian. */
#include <stdio.h>

#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/out.h"

static const uint8_t widths[VALUE__COUNT] = {
	[VALUE_BOOL] = 1, [VALUE_CHAR] = 2, [VALUE_SBYTE] = 1, [VALUE_BYTE] = 1, [VALUE_SHORT] = 2, [VALUE_USHORT] = 2,
	[VALUE_INT] = 4, [VALUE_UINT] = 4, [VALUE_LONG] = 8, [VALUE_ULONG] = 8, [VALUE_FLOAT] = 4, [VALUE_DOUBLE] = 8,
};

/* A value as memory has it, in the first widths[kind] bytes. */
static void to_raw(struct value v, char raw[8])
{
	uint64_t u = v.kind == VALUE_BOOL ? v.b : v.u;
	float f = (float)v.d;

	if (v.kind == VALUE_FLOAT)
		memcpy(raw, &f, 4);
	else
		memcpy(raw, &u, 8);
}

static struct value from_raw(enum value_kind kind, const char *raw)
{
	struct value v = { .kind = kind };
	float f;

	memcpy(&v.u, raw, widths[kind]);
	if (kind == VALUE_FLOAT) {
		memcpy(&f, raw, 4);
		v.d = (double)f;
	} else if (kind == VALUE_BOOL) {
		v = value_bool(raw[0] != 0);
	} else if (kind != VALUE_DOUBLE) {
		v = value_of(kind, v.i);
	}
	return v;
}

static bool get_bytes(struct vm_call *c)
{
	struct value v = c->args[0];
	char *bytes = arena_alloc_text(c->arena, 8);

	if (!bytes)
		return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	to_raw(v, bytes);
	return give_made(c, vm_bytes(c, (struct str){ bytes, widths[v.kind] }));
}

static bool to_value(struct vm_call *c)
{
	enum value_kind kind = type_class(c->type)->value_kind;
	struct str bytes = value_bytes(c->args[0]);
	int64_t at = arg_int(c, 1);

	if (!bytes.p)
		return vm_throw_null(c, "value");
	if (at < 0 || at >= (int64_t)bytes.n)
		return vm_throw_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size of the "
						       "collection.");
	if ((size_t)at + widths[kind] > bytes.n)
		return vm_throw(c, EX_ARGUMENT, "Destination array is not long enough to copy all the items in the collection. "
						"Check array index and length.");
	return vm_return(c, from_raw(kind, bytes.p + at));
}

static bool to_string(struct vm_call *c)
{
	struct str bytes = value_bytes(c->args[0]);
	int64_t from = c->n > 1 ? arg_int(c, 1) : 0, count = c->n > 2 ? arg_int(c, 2) : (int64_t)bytes.n - from;
	static const char hex[] = "0123456789ABCDEF";
	struct out o = out_in(c->arena);

	if (!bytes.p)
		return vm_throw_null(c, "value");
	if (from < 0 || count < 0 || from > (int64_t)bytes.n - count)
		return vm_throw_range(c, "startIndex", "StartIndex cannot be less than zero.");
	if (!charge_each(c, (size_t)count))
		return false;
	for (int64_t i = 0; i < count; i++) {
		uint8_t b = (uint8_t)bytes.p[from + i];

		out_add(&o, &(const char[]){ '-', hex[b >> 4], hex[b & 15] }[i == 0], i ? 3 : 2);
	}
	return give_new(c, out_str(&o));
}

static bool double_bits(struct vm_call *c)
{
	int64_t i;

	memcpy(&i, &c->args[0].d, 8);
	return vm_return(c, value_long(i));
}

static bool bits_double(struct vm_call *c)
{
	double d;

	memcpy(&d, &c->args[0].i, 8);
	return vm_return(c, value_double(d));
}

static bool is_little(struct vm_call *c)
{
	return give_bool(c, true);
}

/* Bytes of one element; 0: it is none of the primitive types. */
static size_t element_width(const struct array *a)
{
	return a->packed ? 1 : widths[type_class(type_arg(a->g.type, 0))->value_kind];
}

static char byte_get(const struct array *a, size_t width, size_t at)
{
	char raw[8];

	if (a->packed)
		return (char)a->bytes[at];
	to_raw(a->v[at / width], raw);
	return raw[at % width];
}

static void byte_set(struct array *a, size_t width, size_t at, char byte)
{
	struct value *v = a->packed ? NULL : &a->v[at / width];
	char raw[8];

	if (!v) {
		a->bytes[at] = (uint8_t)byte;
		return;
	}
	to_raw(*v, raw);
	raw[at % width] = byte;
	*v = from_raw(v->kind, raw);
}

/* By bytes whatever the elements are. Backwards where the target begins behind the source in the same array. */
static bool block_copy(struct vm_call *c)
{
	struct array *from = value_array(c->args[0]), *to = value_array(c->args[2]);
	int64_t at = arg_int(c, 1), put = arg_int(c, 3), n = arg_int(c, 4);
	size_t wide, put_wide;

	if (!from || !to)
		return vm_throw_null(c, from ? "dst" : "src");
	wide = element_width(from);
	put_wide = element_width(to);
	if (!wide || !put_wide)
		return vm_throw(c, EX_ARGUMENT, "Object must be an array of primitives.");
	if (at < 0 || put < 0 || n < 0)
		return vm_throw_range(c, at < 0 ? "srcOffset" : put < 0 ? "dstOffset" : "count",
				      "Non-negative number required.");
	if (at > (int64_t)(from->n * wide) - n || put > (int64_t)(to->n * put_wide) - n)
		return vm_throw(c, EX_ARGUMENT, "Offset and length were out of bounds for the array or count is greater than the "
						"number of elements from index to the end of the source collection.");
	if (from->packed && to->packed) {
		memmove(to->bytes + put, from->bytes + at, (size_t)n);
		return charge_bytes(c, (size_t)n) && vm_return(c, VALUE_NULL_INIT);
	}
	if (!charge_each(c, (size_t)n))
		return false;
	for (int64_t i = 0; i < n; i++) {
		size_t k = (size_t)(from == to && put > at ? n - 1 - i : i);

		byte_set(to, put_wide, (size_t)put + k, byte_get(from, wide, (size_t)at + k));
	}
	return vm_return(c, VALUE_NULL_INIT);
}

#define GET(T) { "static byte[] GetBytes(" #T " value)", get_bytes }
#define TO(T, name) { "static " #T " To" #name "(byte[] value, int startIndex)", to_value }

static const struct class_member members[] = {
	GET(bool), GET(char), GET(short), GET(ushort), GET(int), GET(uint), GET(long), GET(ulong), GET(float), GET(double),
	TO(bool, Boolean), TO(char, Char), TO(short, Int16), TO(ushort, UInt16), TO(int, Int32), TO(uint, UInt32),
	TO(long, Int64), TO(ulong, UInt64), TO(float, Single), TO(double, Double),
	{ "static string ToString(byte[] value)", to_string },
	{ "static string ToString(byte[] value, int startIndex)", to_string },
	{ "static string ToString(byte[] value, int startIndex, int length)", to_string },
	{ "static long DoubleToInt64Bits(double value)", double_bits },
	{ "static double Int64BitsToDouble(long value)", bits_double },
	{ "static bool IsLittleEndian { get; }", is_little },
	{ 0 }
};
static const struct class_member buffer_members[] = {
	{ "static void BlockCopy(Array src, int srcOffset, Array dst, int dstOffset, int count)", block_copy },
	{ 0 }
};

static struct value_class class_bits = { .name = "System.BitConverter", .kind = CLASS_STATIC, .members = members };
static struct value_class class_buffer = { .name = "System.Buffer", .kind = CLASS_STATIC, .members = buffer_members };
static struct value_class *const classes[] = { &class_bits, &class_buffer, NULL };

const struct class_module net_bits = { .classes = classes };
