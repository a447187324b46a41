#include "core/liquid/internal.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

struct liquid_value liquid_of_bool(bool b)
{
	return (struct liquid_value){ .kind = LIQUID_BOOL, .b = b };
}

struct liquid_value liquid_of_int(int64_t i)
{
	return (struct liquid_value){ .kind = LIQUID_INT, .i = i };
}

struct liquid_value liquid_of_float(double d)
{
	return (struct liquid_value){ .kind = LIQUID_FLOAT, .d = d };
}

struct liquid_value liquid_of_text(struct str s)
{
	return str_is_null(s) ? LIQUID_NIL_VALUE : (struct liquid_value){ .kind = LIQUID_TEXT, .text = s };
}

struct liquid_value liquid_of_markup(struct liquid_markup m)
{
	return (struct liquid_value){ .kind = LIQUID_MARKUP, .text = m.safe };
}

struct liquid_value liquid_of_json(struct json_t *j)
{
	return liquid_from_json(j);
}

struct liquid_value liquid_of_list(const struct liquid_list *l)
{
	return l ? (struct liquid_value){ .kind = LIQUID_LIST, .list = l } : LIQUID_NIL_VALUE;
}

struct liquid_value liquid_of_record(const struct liquid_record *r)
{
	return r ? (struct liquid_value){ .kind = LIQUID_RECORD, .record = r } : LIQUID_NIL_VALUE;
}

struct liquid_value liquid_of_object(const struct liquid_class *cls, void *self)
{
	return (struct liquid_value){ .kind = LIQUID_OBJECT, .object = { cls, self } };
}

struct liquid_value liquid_from_json(json_t *j)
{
	switch (j ? json_typeof(j) : JSON_NULL) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		return (struct liquid_value){ .kind = LIQUID_JSON, .json = j };
	case JSON_STRING:
		return liquid_of_text((struct str){ json_string_value(j), json_string_length(j) });
	case JSON_INTEGER:
		return liquid_of_int(json_integer_value(j));
	case JSON_REAL:
		return liquid_of_float(json_real_value(j));
	case JSON_TRUE:
		return liquid_of_bool(true);
	case JSON_FALSE:
		return liquid_of_bool(false);
	default:
		return LIQUID_NIL_VALUE;
	}
}

bool value_truthy(struct liquid_value v)
{
	return !(v.kind == LIQUID_NIL || (v.kind == LIQUID_BOOL && !v.b));
}

bool value_is_text(struct liquid_value v)
{
	return v.kind == LIQUID_TEXT || v.kind == LIQUID_MARKUP;
}

bool value_failed(struct liquid_value v)
{
	return (v.kind == LIQUID_LIST && v.list->failed) || (v.kind == LIQUID_RECORD && v.record->failed);
}

static size_t json_count(json_t *j)
{
	return json_is_array(j) ? json_array_size(j) : json_object_size(j);
}

bool value_is_empty(struct liquid_value v)
{
	switch (v.kind) {
	case LIQUID_TEXT:
	case LIQUID_MARKUP:
		return v.text.n == 0;
	case LIQUID_LIST:
		return v.list->n == 0;
	case LIQUID_RECORD:
		return v.record->n == 0;
	case LIQUID_JSON:
		return json_count(v.json) == 0;
	case LIQUID_OBJECT:
		return v.object.cls->size && v.object.cls->size(v.object.self) == 0;
	default:
		return false;
	}
}

static bool is_blank(struct liquid_value v)
{
	if (value_is_text(v))
		return str_trim(v.text).n == 0;
	return !value_truthy(v) || value_is_empty(v);
}

static bool lists_equal(struct liquid_value a, struct liquid_value b)
{
	struct seq x, y;

	if (!value_seq(a, NULL, &x) || !value_seq(b, NULL, &y) || x.n != y.n)
		return false;
	for (size_t i = 0; i < x.n; i++)
		if (!value_equal(seq_at(&x, i), seq_at(&y, i)))
			return false;
	return true;
}

static bool is_list(struct liquid_value v)
{
	return v.kind == LIQUID_LIST || (v.kind == LIQUID_JSON && json_is_array(v.json));
}

bool value_equal(struct liquid_value a, struct liquid_value b)
{
	if (a.kind == LIQUID_EMPTY || a.kind == LIQUID_BLANK) {
		struct liquid_value t = a;

		a = b;
		b = t;
	}
	if (b.kind == LIQUID_EMPTY)
		return a.kind == LIQUID_EMPTY || value_is_empty(a);
	if (b.kind == LIQUID_BLANK)
		return a.kind == LIQUID_BLANK || (a.kind != LIQUID_EMPTY && is_blank(a));
	if (value_is_text(a) && value_is_text(b))
		return str_eq(a.text, b.text);
	if (a.kind == LIQUID_INT && b.kind == LIQUID_INT)
		return a.i == b.i;
	if ((a.kind == LIQUID_INT || a.kind == LIQUID_FLOAT) && (b.kind == LIQUID_INT || b.kind == LIQUID_FLOAT))
		return value_float(a) == value_float(b);
	if (is_list(a) && is_list(b))
		return lists_equal(a, b);
	if (a.kind != b.kind)
		return false;
	switch (a.kind) {
	case LIQUID_NIL:
		return true;
	case LIQUID_BOOL:
		return a.b == b.b;
	case LIQUID_RANGE:
		return a.range.from == b.range.from && a.range.to == b.range.to;
	case LIQUID_JSON:
		return json_equal(a.json, b.json) == 1;
	case LIQUID_RECORD:
		return a.record == b.record;
	case LIQUID_OBJECT:
		return a.object.self == b.object.self;
	default:
		return false;
	}
}

static bool record_get(const struct liquid_record *r, struct str name, struct liquid_value *out)
{
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(r->v[i].name, name)) {
			*out = r->v[i].value;
			return true;
		}
	return false;
}

static bool json_get(json_t *j, struct str name, struct liquid_value *out)
{
	json_t *v = json_object_getn(j, name.p ? name.p : "", name.n);

	if (v)
		*out = liquid_from_json(v);
	return v != NULL;
}

/* size, first and last of whatever is a list or a text */
static bool general_member(struct liquid_value v, struct str name, struct arena *a, struct liquid_value *out)
{
	struct seq s;

	if (value_is_text(v) && str_eq(name, STR("size"))) {
		int64_t n = 0;

		for (size_t i = 0; i < v.text.n; i++)
			n += ((unsigned char)v.text.p[i] & 0xC0) != 0x80;
		*out = liquid_of_int(n);
		return true;
	}
	if (!value_seq(v, a, &s))
		return false;
	if (str_eq(name, STR("size"))) {
		*out = liquid_of_int((int64_t)s.n);
		return true;
	}
	if (str_eq(name, STR("first"))) {
		*out = s.n ? seq_at(&s, 0) : LIQUID_NIL_VALUE;
		return true;
	}
	if (str_eq(name, STR("last")) && v.kind != LIQUID_RECORD && !(v.kind == LIQUID_JSON && json_is_object(v.json))) {
		*out = s.n ? seq_at(&s, s.n - 1) : LIQUID_NIL_VALUE;
		return true;
	}
	return false;
}

bool value_member(struct liquid_value v, struct str name, struct arena *a, struct liquid_value *out)
{
	bool found = false;

	if (v.kind == LIQUID_RECORD)
		found = record_get(v.record, name, out);
	else if (v.kind == LIQUID_JSON && json_is_object(v.json))
		found = json_get(v.json, name, out);
	else if (v.kind == LIQUID_OBJECT && v.object.cls->get)
		found = v.object.cls->get(v.object.self, name, a, out);
	return found || general_member(v, name, a, out);
}

bool value_index(struct liquid_value v, int64_t i, struct arena *a, struct liquid_value *out)
{
	struct seq s;

	if (v.kind == LIQUID_RECORD || (v.kind == LIQUID_JSON && json_is_object(v.json)) || !value_seq(v, a, &s))
		return false;
	if (i < 0)
		i += (int64_t)s.n;
	if (i < 0 || (uint64_t)i >= s.n)
		return false;
	*out = seq_at(&s, (size_t)i);
	return true;
}

/* [name, value] pairs of an object, made once so that going through them is linear */
static struct liquid_value pairs_of(struct liquid_value v, struct arena *a)
{
	struct liquid_list *all = liquid_list_new(a);
	size_t n = v.kind == LIQUID_RECORD ? v.record->n : 0;
	const char *key;
	json_t *item;
	size_t len;

	for (size_t i = 0; i < n; i++) {
		struct liquid_list *pair = liquid_list_new(a);

		liquid_push(pair, liquid_of_text(v.record->v[i].name));
		liquid_push(pair, v.record->v[i].value);
		liquid_push(all, liquid_of_list(pair));
	}
	if (v.kind == LIQUID_JSON)
		json_object_keylen_foreach(v.json, key, len, item) {
			struct liquid_list *pair = liquid_list_new(a);

			liquid_push(pair, liquid_of_text((struct str){ key, len }));
			liquid_push(pair, liquid_from_json(item));
			liquid_push(all, liquid_of_list(pair));
		}
	return liquid_of_list(all);
}

bool value_seq(struct liquid_value v, struct arena *a, struct seq *out)
{
	*out = (struct seq){ .of = v, .a = a };
	switch (v.kind) {
	case LIQUID_LIST:
		out->n = v.list->n;
		return true;
	case LIQUID_RANGE:
		out->n = v.range.to >= v.range.from ? (size_t)(v.range.to - v.range.from) + 1 : 0;
		return true;
	case LIQUID_OBJECT:
		if (!v.object.cls->size || !v.object.cls->at)
			return false;
		out->n = v.object.cls->size(v.object.self);
		return true;
	case LIQUID_RECORD:
		out->of = pairs_of(v, a);
		out->n = out->of.list->n;
		return true;
	case LIQUID_JSON:
		if (!json_is_array(v.json))
			out->of = pairs_of(v, a);
		out->n = json_is_array(v.json) ? json_array_size(v.json) : out->of.list->n;
		return true;
	default:
		return false;
	}
}

struct liquid_value seq_at(const struct seq *s, size_t i)
{
	struct liquid_value v = LIQUID_NIL_VALUE;

	switch (s->of.kind) {
	case LIQUID_LIST:
		return s->of.list->v[i];
	case LIQUID_RANGE:
		return liquid_of_int(s->of.range.from + (int64_t)i);
	case LIQUID_JSON:
		return liquid_from_json(json_array_get(s->of.json, i));
	case LIQUID_OBJECT:
		return s->of.object.cls->at(s->of.object.self, i, s->a, &v) ? v : LIQUID_NIL_VALUE;
	default:
		return v;
	}
}

bool value_parse_number(struct str s, struct liquid_value *out)
{
	char copy[64], *end;
	int64_t i;
	size_t n = 0;
	double d;

	if (str_to_i64(s, INT64_MIN, INT64_MAX, &i)) {
		*out = liquid_of_int(i);
		return true;
	}
	if (s.n == 0 || s.n >= sizeof(copy))
		return false;
	for (; n < s.n; n++)
		if (!ascii_is_digit(s.p[n]) && !strchr("+-.eE", s.p[n]))
			return false;
	memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	d = strtod(copy, &end);
	if (*end || end == copy || !isfinite(d))
		return false;
	*out = liquid_of_float(d);
	return true;
}

struct liquid_value value_number(struct liquid_value v)
{
	struct liquid_value out;

	if (v.kind == LIQUID_INT || v.kind == LIQUID_FLOAT)
		return v;
	if (value_is_text(v) && value_parse_number(str_trim(v.text), &out))
		return out;
	return liquid_of_int(0);
}

double value_float(struct liquid_value v)
{
	v = value_number(v);
	return v.kind == LIQUID_INT ? (double)v.i : v.d;
}

int64_t liquid_value_int(struct liquid_value v)
{
	v = value_number(v);
	if (v.kind == LIQUID_INT)
		return v.i;
	if (v.d >= 9.2e18)
		return INT64_MAX;
	return v.d <= -9.2e18 ? INT64_MIN : (int64_t)v.d;
}
