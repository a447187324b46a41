/* value.c - values as JSON Schema compares and counts them. */
#include "core/schema/schema.h"

#include "core/str.h"

#include <math.h>

int numbers_compare(const json_t *a, const json_t *b)
{
	/* 64 bits of mantissa hold every integer and every double exactly */
	long double x = json_is_integer(a) ? (long double)json_integer_value(a) : (long double)json_real_value(a);
	long double y = json_is_integer(b) ? (long double)json_integer_value(b) : (long double)json_real_value(b);

	return x < y ? -1 : x > y;
}

bool is_integer(const json_t *v, enum jsonschema_dialect d)
{
	if (json_is_integer(v))
		return true;
	/* 1.0 is an integer since draft 6; an integer past 64 bits arrives as a real */
	return json_is_real(v) && floor(json_real_value(v)) == json_real_value(v) &&
	       (d != JSONSCHEMA_DRAFT_4 || fabs(json_real_value(v)) >= 9223372036854775807.0);
}

static bool objects_equal(const json_t *a, const json_t *b)
{
	const char *name;
	json_t *member;

	if (json_object_size(a) != json_object_size(b))
		return false;
	json_object_foreach((json_t *)(uintptr_t)a, name, member) {
		const json_t *other = json_object_get(b, name);

		if (!other || !values_equal(member, other))
			return false;
	}
	return true;
}

bool values_equal(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return numbers_compare(a, b) == 0;
	if (json_typeof(a) != json_typeof(b))
		return false;
	if (json_is_object(a))
		return objects_equal(a, b);
	if (json_is_array(a)) {
		if (json_array_size(a) != json_array_size(b))
			return false;
		for (size_t i = 0; i < json_array_size(a); i++)
			if (!values_equal(json_array_get(a, i), json_array_get(b, i)))
				return false;
		return true;
	}
	return !json_is_string(a) || str_eq(jsn_string(a), jsn_string(b));
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h ^= v + 0x9e3779b97f4a7c15u + (h << 6) + (h >> 2);
	return h * 0xff51afd7ed558ccdu;
}

/* Equal values have equal hashes; the order of an object's members does not matter. */
uint64_t schema_value_hash(const json_t *v)
{
	const char *name;
	json_t *member;
	uint64_t h = 0, bits;
	size_t i;
	double d;

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		json_object_foreach((json_t *)(uintptr_t)v, name, member)
			h += mix(str_hash(str_of(name)), schema_value_hash(member));
		return mix(1, h);
	case JSON_ARRAY:
		json_array_foreach(v, i, member)
			h = mix(h, schema_value_hash(member));
		return mix(2, h);
	case JSON_STRING:
		return mix(3, str_hash(jsn_string(v)));
	case JSON_INTEGER:
	case JSON_REAL:
		d = json_number_value(v) + 0.0;
		memcpy(&bits, &d, sizeof(bits));
		return mix(4, d == 0 ? 0 : bits);
	default:
		return mix(5, (uint64_t)json_typeof(v));
	}
}

const char *net_type_name(const json_t *v)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "Object", [JSON_ARRAY] = "Array",  [JSON_STRING] = "String",  [JSON_INTEGER] = "Integer",
		[JSON_REAL] = "Number",   [JSON_TRUE] = "Boolean", [JSON_FALSE] = "Boolean", [JSON_NULL] = "Null",
	};

	return names[json_typeof(v)];
}

size_t schema_text_length(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

struct str value_brief(struct arena *a, const json_t *v)
{
	struct str s = STR("?");
	struct buf b;

	buf_init(&b, 4096);
	jsn_write(&b, v, 0);
	if (buf_ok(&b) && b.n <= 200)
		s = arena_dup(a, buf_view(&b));
	else if (json_is_object(v) || json_is_array(v))
		s = json_is_object(v) ? STR("{…}") : STR("[…]");
	else
		s = arena_dup(a, STR("(a long text)"));
	buf_release(&b);
	return s;
}
