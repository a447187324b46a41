/* value.c - what every value can do without a machine: text, equality, hash, order. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/str.h"
#include "policy/expr/decimal.h"
#include "policy/expr/link.h"
#include "policy/expr/text.h"
#include "policy/expr/vm.h"
#include "policy/net/number.h"

struct value value_bool(bool b)
{
	return (struct value){ .kind = VALUE_BOOL, .u = b };
}

struct value value_int(int64_t i)
{
	return value_of(VALUE_INT, i);
}

struct value value_long(int64_t i)
{
	return (struct value){ .kind = VALUE_LONG, .i = i };
}

struct value value_char(uint16_t unit)
{
	return (struct value){ .kind = VALUE_CHAR, .u = unit };
}

struct value value_double(double d)
{
	return (struct value){ .kind = VALUE_DOUBLE, .d = d };
}

struct value value_of(enum value_kind kind, int64_t i)
{
	struct value v = { .kind = kind };

	switch (kind) {
	case VALUE_SBYTE: v.i = (int8_t)i; break;
	case VALUE_BYTE: v.u = (uint8_t)i; break;
	case VALUE_SHORT: v.i = (int16_t)i; break;
	case VALUE_CHAR:
	case VALUE_USHORT: v.u = (uint16_t)i; break;
	case VALUE_INT: v.i = (int32_t)i; break;
	case VALUE_UINT: v.u = (uint32_t)i; break;
	default: v.i = i; break;
	}
	return v;
}

struct value value_object(const void *object)
{
	if (!object)
		return VALUE_NULL_INIT;
	return (struct value){ .kind = VALUE_OBJECT, .object = (struct object *)(uintptr_t)object };
}

struct value value_string(struct arena *a, struct str s, bool copy)
{
	return s.p ? value_text(text_new(a, s, copy)) : VALUE_NULL_INIT;
}

bool value_is_string(struct value v)
{
	return v.kind == VALUE_STRING;
}

struct str value_str(struct value v)
{
	return v.kind == VALUE_STRING ? text_str(v.text) : STR_NULL;
}

const struct value_class *value_class_of(struct value v)
{
	if (v.kind == VALUE_NULL)
		return NULL;
	return v.kind == VALUE_OBJECT ? v.object->cls : type_of_kind(v.kind)->cls;
}

bool value_is(struct value v, const struct value_class *cls)
{
	return value_class_of(v) == cls;
}

/* ---- enums ---------------------------------------------------------------------------------------------------------------- */

int64_t enum_value(struct value v)
{
	if (v.kind == VALUE_OBJECT && v.object->cls->kind == CLASS_ENUM)
		return ((const struct enum_object *)(const void *)v.object)->number;
	return v.kind == VALUE_NULL ? 0 : v.i;
}

struct value enum_of(struct vm_call *c, const struct value_class *cls, int64_t number)
{
	const struct class_link *link = class_link(cls);
	struct enum_object *o;

	for (size_t i = 0; i < link->n_rows; i++)
		if (link->rows[i].object.number == number)
			return value_object(&link->rows[i].object);
	o = vm_new(c, cls, sizeof(*o));
	if (!o)
		return VALUE_NULL_INIT;
	o->number = number;
	return value_object(o);
}

static struct str flags_text(struct arena *a, const struct class_link *link, int64_t number)
{
	struct str out = STR("");
	int64_t rest = number;

	for (size_t i = link->n_rows; i-- > 0;) {
		int64_t bits = link->rows[i].object.number;

		if (bits == 0 || (rest & bits) != bits)
			continue;
		rest &= ~bits;
		out = arena_printf(a, "%.*s%s%.*s", STR_ARG(link->rows[i].name), out.n ? ", " : "", STR_ARG(out));
	}
	return rest || !out.n ? arena_printf(a, "%lld", (long long)number) : out;
}

struct str enum_text(struct arena *a, const struct value_class *cls, int64_t number)
{
	const struct class_link *link = class_link(cls);

	for (size_t i = 0; i < link->n_rows; i++)
		if (link->rows[i].object.number == number)
			return link->rows[i].name;
	if (cls->flags && number)
		return flags_text(a, link, number);
	return arena_printf(a, "%lld", (long long)number);
}

bool enum_parse(const struct value_class *cls, struct str name, bool ignore_case, int64_t *number)
{
	const struct class_link *link = class_link(cls);
	struct str rest = name, part;
	int64_t sum = 0;

	if (str_to_i64(str_trim(name), INT64_MIN, INT64_MAX, number))
		return true;
	while (str_split(&rest, ',', &part)) {
		bool found = false;

		part = str_trim(part);
		for (size_t i = 0; i < link->n_rows && !found; i++) {
			found = ignore_case ? str_eq_ci(link->rows[i].name, part) : str_eq(link->rows[i].name, part);
			if (found)
				sum |= link->rows[i].object.number;
		}
		if (!found)
			return false;
	}
	*number = sum;
	return true;
}

/* ---- text ----------------------------------------------------------------------------------------------------------------- */

/* The shortest text that reads back, as .NET prints it: 0.1, 1E+16, 1E-05, NaN, Infinity. */
static struct str real_text(struct arena *a, struct value v)
{
	struct out o = out_in(a);

	number_text(&o, v);
	return out_str(&o);
}

static struct str char_text(struct arena *a, uint16_t unit)
{
	const struct text *t = text_of_units(a, &unit, 1);

	return t ? text_str(t) : STR_NULL;
}

static struct str decimal_str(struct arena *a, struct value v)
{
	char text[DECIMAL_TEXT_MAX];

	return arena_dup(a, (struct str){ text, decimal_text(*value_decimal(v), text) });
}

/* Tuples in tuples in tuples, as deep as a program likes: what goes further down than this is cut off. */
enum { NESTING_MAX = 200, LONG_TEXT = 256 };
static _Thread_local unsigned nesting;

/* Long texts are looked at to their ends; false: no more. */
static bool walk_text(struct str s)
{
	return s.n < LONG_TEXT || vm_charge_here(s.n / 8);
}

/* One step into an object; false: no further. What shares its parts, (o, o) over and over, has more paths than anyone can
 * walk. */
static bool walk(void)
{
	return nesting < NESTING_MAX && vm_charge_here(4);
}

static struct str object_text(struct arena *a, struct value v)
{
	const struct value_class *cls = v.object->cls;
	struct str s;

	for (const struct value_class *c = cls; c; c = class_link(c)->base ? class_link(c)->base->cls : NULL)
		if (c->to_text) {
			if (!walk())
				return STR("…");
			nesting++;
			s = c->to_text(a, v);
			nesting--;
			return s;
		}
	if (cls->kind == CLASS_ENUM)
		return enum_text(a, cls, enum_value(v));
	if (cls->parameters || cls == &class_array)
		return type_text(a, ((const struct generic_object *)(const void *)v.object)->type, true);
	return str_of(cls->name);
}

struct str value_to_text(struct arena *a, struct value v)
{
	switch (v.kind) {
	case VALUE_NULL: return STR("");
	case VALUE_BOOL: return v.b ? STR("True") : STR("False");
	case VALUE_CHAR: return char_text(a, (uint16_t)v.u);
	case VALUE_BYTE:
	case VALUE_USHORT:
	case VALUE_UINT:
	case VALUE_ULONG: return arena_printf(a, "%llu", (unsigned long long)v.u);
	case VALUE_FLOAT:
	case VALUE_DOUBLE: return real_text(a, v);
	case VALUE_DECIMAL: return decimal_str(a, v);
	case VALUE_STRING: return text_str(v.text);
	case VALUE_OBJECT: return object_text(a, v);
	default: return arena_printf(a, "%lld", (long long)v.i);
	}
}

/* ---- equality, hash, order ------------------------------------------------------------------------------------------------ */

static const struct value_class *with_equals(const struct value_class *c)
{
	while (c && !c->equals)
		c = class_link(c)->base ? class_link(c)->base->cls : NULL;
	return c;
}

bool value_equals(struct value a, struct value b)
{
	const struct value_class *c;
	bool same;

	if (a.kind != b.kind)
		return false;
	switch (a.kind) {
	case VALUE_NULL: return true;
	case VALUE_FLOAT:
	case VALUE_DOUBLE: return a.d == b.d || (isnan(a.d) && isnan(b.d));
	case VALUE_STRING:
		if (a.text == b.text || a.text->n != b.text->n)
			return a.text == b.text;
		return walk_text(text_str(a.text)) && str_eq(text_str(a.text), text_str(b.text));
	case VALUE_DECIMAL: return decimal_cmp(*value_decimal(a), *value_decimal(b)) == 0;
	case VALUE_OBJECT: break;
	default: return a.u == b.u;
	}
	if (a.object == b.object)
		return true;
	if (a.object->cls->kind == CLASS_ENUM)
		return a.object->cls == b.object->cls && enum_value(a) == enum_value(b);
	c = with_equals(a.object->cls);
	if (!c || with_equals(b.object->cls) != c || !walk())
		return false;
	nesting++;
	same = c->equals(a, b);
	nesting--;
	return same;
}

static uint64_t mix(uint64_t h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdull;
	h ^= h >> 33;
	return h;
}

static uint64_t object_hash(const struct value_class *c, struct value v)
{
	uint64_t h;

	if (!walk())
		return 0;
	nesting++;
	h = c->hash(v);
	nesting--;
	return h;
}

uint64_t value_hash(struct value v)
{
	switch (v.kind) {
	case VALUE_NULL: return 0;
	case VALUE_STRING:
		return walk_text(text_str(v.text)) ? str_hash(text_str(v.text)) : 0;
	case VALUE_DECIMAL: return mix((uint64_t)decimal_to_double(*value_decimal(v)));
	case VALUE_DOUBLE:
	case VALUE_FLOAT: return v.d == 0 ? 0 : mix(v.u);
	case VALUE_OBJECT:
		for (const struct value_class *c = v.object->cls; c; c = class_link(c)->base ? class_link(c)->base->cls : NULL)
			if (c->hash)
				return object_hash(c, v);
		return v.object->cls->kind == CLASS_ENUM ? mix((uint64_t)enum_value(v)) : mix((uint64_t)(uintptr_t)v.object);
	default: return mix(v.u);
	}
}

static int order(double l, double r)
{
	if (isnan(l) || isnan(r))
		return isnan(r) - isnan(l);
	return l < r ? -1 : l > r;
}

/* The invariant culture's order for what ASCII holds: letters by alphabet first, case only decides a tie, "a" before "A". */
static int letter(unsigned char c)
{
	if (c >= 0x80)
		return 512 + c;
	if (ascii_is_alpha((char)c))
		return 256 + ascii_lower((char)c);
	return ascii_is_digit((char)c) ? 128 + c : c;
}

static int text_order(struct str l, struct str r)
{
	size_t n = l.n < r.n ? l.n : r.n;
	int tie = 0;

	for (size_t i = 0; i < n; i++) {
		int a, b;

		if (l.p[i] == r.p[i])
			continue;
		a = letter((unsigned char)l.p[i]);
		b = letter((unsigned char)r.p[i]);
		if (a != b)
			return a < b ? -1 : 1;
		if (!tie)
			tie = l.p[i] > r.p[i] ? -1 : 1;
	}
	return l.n != r.n ? (l.n < r.n ? -1 : 1) : tie;
}

int value_compare(struct value a, struct value b, bool *comparable)
{
	*comparable = true;
	if (a.kind == VALUE_NULL || b.kind == VALUE_NULL)
		return (a.kind != VALUE_NULL) - (b.kind != VALUE_NULL);
	*comparable = a.kind == b.kind;
	if (!*comparable)
		return 0;
	switch (a.kind) {
	case VALUE_STRING:
		return walk_text(text_str(a.text->n < b.text->n ? a.text : b.text)) ? text_order(text_str(a.text), text_str(b.text)) : 0;
	case VALUE_DECIMAL: return decimal_cmp(*value_decimal(a), *value_decimal(b));
	case VALUE_FLOAT:
	case VALUE_DOUBLE: return order(a.d, b.d);
	case VALUE_SBYTE:
	case VALUE_SHORT:
	case VALUE_INT:
	case VALUE_LONG: return a.i < b.i ? -1 : a.i > b.i;
	case VALUE_OBJECT: break;
	default: return a.u < b.u ? -1 : a.u > b.u;
	}
	if (a.object->cls->kind == CLASS_ENUM)
		return enum_value(a) < enum_value(b) ? -1 : enum_value(a) > enum_value(b);
	for (const struct value_class *c = a.object->cls; c; c = class_link(c)->base ? class_link(c)->base->cls : NULL)
		if (c->compare && walk()) {
			int result;

			nesting++;
			result = c->compare(a, b);
			nesting--;
			return result;
		}
	*comparable = false;
	return 0;
}
