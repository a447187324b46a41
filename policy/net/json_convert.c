/* json_convert.c - between JSON tokens and other values: FromObject, ToObject<T>, Value<T>, casts. */
#include "core/str.h"
#include "policy/net/base64.h"
#include "policy/net/convert.h"
#include "policy/net/json.h"
#include "policy/net/native.h"
#include "policy/net/time.h"
#include "policy/net/types.h"

static bool no_memory(struct vm_call *c)
{
	return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static bool from_value(struct vm_call *c, struct value v, unsigned depth, struct jtoken **out);

static bool put_member(struct vm_call *c, struct jtoken *object, struct str name, struct value v, unsigned depth)
{
	struct jtoken *t;

	if (!from_value(c, v, depth + 1, &t))
		return false;
	return jt_set(c->arena, object, name, t) || no_memory(c);
}

static bool from_dictionary(struct vm_call *c, struct value v, unsigned depth, struct jtoken *object)
{
	struct iterator *it = vm_iterate(c->vm, v);
	struct value pair, key, item;

	if (!it)
		return false;
	while (vm_next(c->vm, it, &pair))
		if (!value_pair(pair, &key, &item) ||
		    !put_member(c, object, value_to_text(c->arena, key), item, depth))
			return false;
	return !vm_failed(c->vm);
}

static bool from_items(struct vm_call *c, struct value v, unsigned depth, struct jtoken *array)
{
	struct iterator *it = vm_iterate(c->vm, v);
	struct value item;
	struct jtoken *t;

	if (!it)
		return false;
	while (vm_next(c->vm, it, &item)) {
		if (!from_value(c, item, depth + 1, &t))
			return false;
		if (!jt_insert(c->arena, array, array->n, t, NULL))
			return no_memory(c);
	}
	return !vm_failed(c->vm);
}

static bool from_properties(struct vm_call *c, struct value v, unsigned depth, struct jtoken *object)
{
	struct str name;
	struct value item;

	for (size_t i = 0; vm_property(c, v, i, &name, &item); i++)
		if (!put_member(c, object, name, item, depth))
			return false;
	return !vm_failed(c->vm);
}

static bool from_value(struct vm_call *c, struct value v, unsigned depth, struct jtoken **out)
{
	struct jtoken *t = value_token(v);
	bool pairs, items;

	if (depth >= JT_DEPTH_MAX / 2)
		return vm_throw(c, EX_JSON_SERIALIZATION, "Self referencing loop detected.");
	if (!vm_charge(c->vm, 2))
		return false;
	*out = t ? jt_clone(c->arena, t) : jt_of_simple(c->arena, v);
	if (*out || t)
		return *out || no_memory(c);
	if (v.kind != VALUE_OBJECT)
		return no_memory(c);
	pairs = value_is_dictionary(v);
	items = !pairs && (value_array(v) || value_class_of(v)->iterate);
	*out = jt_container(c->arena, items ? JT_ARRAY : JT_OBJECT);
	if (!*out)
		return no_memory(c);
	if (items)
		return from_items(c, v, depth, *out);
	return pairs ? from_dictionary(c, v, depth, *out) : from_properties(c, v, depth, *out);
}

bool jt_from_value(struct vm_call *c, struct value v, struct jtoken **out)
{
	return from_value(c, v, 0, out);
}

/* ---- casts: (int)token, (string)token … -------------------------------------------------------------------------------------- */

#define BIT(type) (1u << (type))
#define TEXTS (BIT(JT_STRING) | BIT(JT_COMMENT) | BIT(JT_RAW))
#define NUMBERS (BIT(JT_INTEGER) | BIT(JT_FLOAT) | TEXTS | BIT(JT_BOOLEAN))
#define ANY_TEXT (NUMBERS | BIT(JT_DATE) | BIT(JT_BYTES) | BIT(JT_GUID) | BIT(JT_TIMESPAN) | BIT(JT_URI))

static const char *net_name(const struct value_class *cls)
{
	const char *dot = strrchr(cls->name, '.');

	return dot ? dot + 1 : cls->name;
}

static bool bad_cast(struct vm_call *c, const struct jtoken *t, const struct value_class *cls)
{
	return vm_throw(c, EX_ARGUMENT, "Can not convert %s to %s.", jt_type_name(t->type), net_name(cls));
}

static unsigned allowed(const struct value_class *cls)
{
	if (cls == &class_string)
		return ANY_TEXT;
	if (cls == &class_char)
		return NUMBERS & ~BIT(JT_BOOLEAN);
	if (cls->value_kind >= VALUE_BOOL && cls->value_kind <= VALUE_DECIMAL)
		return NUMBERS;
	if (cls == &class_date_time || cls == &class_date_offset)
		return BIT(JT_DATE) | TEXTS;
	if (cls == &class_guid)
		return BIT(JT_GUID) | BIT(JT_BYTES) | TEXTS;
	if (cls == &class_time_span)
		return BIT(JT_TIMESPAN) | TEXTS;
	if (cls == &class_uri)
		return BIT(JT_URI) | TEXTS;
	return cls == &class_array ? BIT(JT_BYTES) | TEXTS | BIT(JT_INTEGER) : 0;
}

static bool to_bytes(struct vm_call *c, struct value v, struct value *out)
{
	struct str bytes;

	if (value_bytes(v).p) {
		*out = v;
		return true;
	}
	if (v.kind != VALUE_STRING || !base64_bytes(c->arena, text_str(v.text), &bytes))
		return vm_throw(c, EX_FORMAT, "The input is not a valid Base-64 string as it contains a non-base 64 character, "
					      "more than two padding characters, or an illegal character among the padding "
					      "characters.");
	*out = vm_bytes(c, bytes);
	return out->kind != VALUE_NULL;
}

static bool to_offset(struct vm_call *c, struct value v, struct value *out)
{
	if (value_is(v, &class_date_offset)) {
		*out = v;
		return true;
	}
	if (value_is(v, &class_date_time)) {
		*out = date_offset_value(c->arena, value_date(v)->ticks, 0);
		return out->kind != VALUE_NULL || no_memory(c);
	}
	return offset_parse_value(c, value_str(v), out);
}

static bool to_special(struct vm_call *c, const struct value_class *cls, struct value v, struct value *out)
{
	uint8_t bytes[16];
	int64_t ticks;

	if (value_is(v, cls)) {
		*out = v;
		return true;
	}
	if (cls == &class_date_time) {
		if (value_is(v, &class_date_offset)) {
			*out = date_time_value(c->arena, value_offset(v)->ticks, DATE_UNSPECIFIED);
			return true;
		}
		return convert_date(c, v, out);
	}
	if (cls == &class_date_offset)
		return to_offset(c, v, out);
	if (cls == &class_guid) {
		if (v.kind != VALUE_STRING || !guid_parse(text_str(v.text), bytes))
			return vm_throw(c, EX_FORMAT, "Guid should contain 32 digits with 4 dashes "
						      "(xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).");
		*out = guid_value(c->arena, bytes);
		return true;
	}
	if (cls == &class_time_span) {
		if (v.kind != VALUE_STRING || span_read(text_str(v.text), &ticks) != SPAN_OK)
			return vm_throw(c, EX_FORMAT, "String '%.*s' was not recognized as a valid TimeSpan.",
					SHOWN(value_str(v)));
		*out = time_span_value(c->arena, ticks);
		return true;
	}
	if (cls == &class_array)
		return to_bytes(c, v, out);
	*out = uri_value(c->arena, value_str(v));
	return out->kind != VALUE_NULL || vm_throw(c, EX_UNPARSABLE_URI, NULL);
}

/* The plain value as cls; nothing is null here. */
static bool leaf_to(struct vm_call *c, const struct jtoken *t, const struct value_class *cls, struct value *out)
{
	struct value v = t->value;
	struct out o = out_in(c->arena);
	bool b;

	if (cls == &class_string) {
		if (v.kind == VALUE_STRING) {
			*out = v;
			return true;
		}
		jt_text(c->arena, &o, t);
		*out = value_string(c->arena, out_str(&o), false);
		return out->kind != VALUE_NULL || no_memory(c);
	}
	if (cls == &class_bool) {
		if (!convert_bool(c, v, &b))
			return false;
		*out = value_bool(b);
		return true;
	}
	if (cls == &class_char && v.kind == VALUE_STRING) {
		*out = value_char(text_unit(v.text, 0));
		return text_length(v.text) == 1 || vm_throw(c, EX_FORMAT, "String must be exactly one character long.");
	}
	if (cls->value_kind >= VALUE_CHAR && cls->value_kind <= VALUE_DECIMAL)
		return convert_number(c, v, cls->value_kind, out);
	return to_special(c, cls, v, out);
}

static const struct type *bare(const struct type *t, bool *nullable)
{
	*nullable = type_class(t) == &class_nullable;
	return *nullable ? type_arg(t, 0) : t;
}

static bool explicit_cast(struct vm_call *c, struct jtoken *t, const struct type *type, struct value *out)
{
	bool nullable;
	const struct value_class *cls = type_class(bare(type, &nullable));

	if (t->type == JT_PROPERTY && t->n)
		t = t->v[0];
	nullable |= cls == &class_string || cls == &class_array || cls == &class_uri;
	if (!jt_is_container(t) && t->value.kind == VALUE_NULL && nullable && t->type != JT_RAW) {
		*out = VALUE_NULL_INIT;
		return true;
	}
	if (!(allowed(cls) & BIT(t->type)) || (t->value.kind == VALUE_NULL && !t->raw.p))
		return bad_cast(c, t, cls);
	return leaf_to(c, t, cls, out);
}

bool jt_explicit(struct vm_call *c)
{
	struct jtoken *t = value_token(c->args[0]);
	struct value v;
	bool nullable;
	const struct value_class *cls = type_class(bare(c->type, &nullable));

	if (!t) {
		if (nullable || cls == &class_string || cls == &class_array || cls == &class_uri)
			return vm_return(c, VALUE_NULL_INIT);
		return vm_throw_null(c, "value");
	}
	return explicit_cast(c, t, c->type, &v) && vm_return(c, v);
}

/* ---- Value<T> ------------------------------------------------------------------------------------------------------------------ */

bool jt_cast(struct vm_call *c, struct jtoken *t, const struct type *type, struct value *out)
{
	struct value token = value_object(t);
	bool nullable;
	const struct value_class *cls = type_class(bare(type, &nullable));

	*out = type_default(type);
	if (!t)
		return true;
	if (type_accepts(c->vm, type, token) && cls != &class_object) {
		*out = token;
		return true;
	}
	if (cls == &class_object) {
		*out = token;
		return true;
	}
	if (jt_is_container(t))
		return vm_throw(c, EX_INVALID_CAST, "Cannot cast %s to %s.", t->head.cls->name, "Newtonsoft.Json.Linq.JToken");
	if (t->value.kind == VALUE_NULL && !t->raw.p) {
		if (nullable || cls == &class_string || cls->kind == CLASS_CLASS || cls == &class_array)
			return true;
		return vm_throw(c, EX_INVALID_CAST, "Null object cannot be converted to a value type.");
	}
	if (type_accepts(c->vm, type, t->value)) {
		*out = t->value;
		return true;
	}
	if (!allowed(cls))
		return vm_throw(c, EX_INVALID_CAST, "Invalid cast from '%s' to '%s'.", value_class_of(t->value)->name, cls->name);
	return leaf_to(c, t, cls, out);
}

/* ---- ToObject<T> --------------------------------------------------------------------------------------------------------------- */

static bool to_type(struct vm_call *c, struct jtoken *t, const struct type *type, unsigned depth, struct value *out);

static bool name_is(const struct value_class *cls, const char *const *names)
{
	const char *name = net_name(cls);

	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

static bool wrong_token(struct vm_call *c, const struct jtoken *t, const char *wanted)
{
	return vm_throw(c, EX_JSON_SERIALIZATION,
			"Cannot deserialize the current JSON %s (e.g. %s) into type '%s' because the type requires a JSON %s to "
			"deserialize correctly. Path '%s'.",
			t->type == JT_OBJECT ? "object" : t->type == JT_ARRAY ? "array" : "value",
			t->type == JT_OBJECT ? "{\"name\":\"value\"}" : "[1,2,3]", wanted,
			t->type == JT_OBJECT ? "array" : "object", jt_path(c->arena, t).p);
}

static bool to_list(struct vm_call *c, struct jtoken *t, const struct type *type, unsigned depth, struct value *out)
{
	const struct type *element = type_arg(type, 0);
	bool array = type_class(type) == &class_array;
	struct array *to = NULL;
	struct value item;

	if (t->type != JT_ARRAY)
		return wrong_token(c, t, type_text(c->arena, type, true).p);
	if (array) {
		to = vm_array_of(c, element, t->n);
		if (!to)
			return false;
		*out = value_object(to);
	} else {
		*out = vm_list_new(c, element);
		if (out->kind == VALUE_NULL)
			return false;
	}
	for (size_t i = 0; i < t->n; i++) {
		if (!to_type(c, t->v[i], element, depth + 1, &item))
			return false;
		if (array && to->packed)
			to->bytes[i] = (uint8_t)item.u;
		else if (array)
			to->v[i] = item;
		else if (!vm_list_add(c, *out, item))
			return false;
	}
	return true;
}

static bool to_dictionary(struct vm_call *c, struct jtoken *t, const struct type *type, unsigned depth, struct value *out)
{
	struct value item, key;

	if (t->type != JT_OBJECT)
		return wrong_token(c, t, type_text(c->arena, type, true).p);
	*out = vm_dictionary_new(c, type_arg(type, 0), type_arg(type, 1), false);
	if (out->kind == VALUE_NULL)
		return false;
	for (size_t i = 0; i < t->n; i++) {
		key = value_string(c->arena, t->v[i]->name, false);
		if (key.kind == VALUE_NULL)
			return no_memory(c);
		if (!to_type(c, t->v[i]->v[0], type_arg(type, 1), depth + 1, &item) || !vm_dictionary_put(c, *out, key, item))
			return false;
	}
	return true;
}

static bool to_token(struct vm_call *c, struct jtoken *t, const struct value_class *cls, struct value *out)
{
	struct jtoken *copy;

	if (cls != &class_jtoken && cls != &class_object && cls != t->head.cls &&
	    !(cls == &class_jcontainer && jt_is_container(t)))
		return vm_throw(c, EX_JSON_SERIALIZATION,
				"Deserialized JSON type '%s' is not compatible with expected type '%s'. Path '%s'.", t->head.cls->name,
				cls->name, jt_path(c->arena, t).p);
	copy = jt_clone(c->arena, t);
	*out = value_object(copy);
	return copy || no_memory(c);
}

static bool to_enum(struct vm_call *c, const struct jtoken *t, const struct value_class *cls, struct value *out)
{
	int64_t number = t->value.i;

	if (t->type == JT_STRING && !enum_parse(cls, value_str(t->value), true, &number))
		return vm_throw(c, EX_JSON_SERIALIZATION, "Error converting value \"%.*s\" to type '%s'. Path '%s'.",
				STR_ARG(value_str(t->value)), cls->name, jt_path(c->arena, t).p);
	if (t->type != JT_STRING && t->type != JT_INTEGER)
		return wrong_token(c, t, cls->name);
	*out = enum_of(c, cls, number);
	return true;
}

static bool to_type(struct vm_call *c, struct jtoken *t, const struct type *type, unsigned depth, struct value *out)
{
	static const char *const lists[] = { "List", "IList", "IEnumerable", "ICollection", "IReadOnlyList",
					     "IReadOnlyCollection", NULL };
	static const char *const dictionaries[] = { "Dictionary", "IDictionary", "IReadOnlyDictionary", NULL };
	bool nullable;
	const struct type *inner = bare(type, &nullable);
	const struct value_class *cls = type_class(inner);

	if (depth >= JT_DEPTH_MAX)
		return no_memory(c);
	if (t->type == JT_PROPERTY && t->n)
		t = t->v[0];
	if (cls == &class_jtoken || cls == &class_jobject || cls == &class_jarray || cls == &class_jvalue ||
	    cls == &class_jcontainer || (cls == &class_object && jt_is_container(t)))
		return to_token(c, t, cls, out);
	if (!jt_is_container(t) && t->value.kind == VALUE_NULL && !t->raw.p) {
		*out = VALUE_NULL_INIT;
		if (nullable || cls->kind == CLASS_CLASS || cls->kind == CLASS_INTERFACE || cls == &class_string)
			return true;
		return vm_throw(c, EX_JSON_SERIALIZATION, "Error converting value {null} to type '%s'. Path '%s'.", cls->name,
				jt_path(c->arena, t).p);
	}
	if (cls == &class_object) {
		*out = t->value;
		return true;
	}
	if (cls->kind == CLASS_ENUM)
		return to_enum(c, t, cls, out);
	if (type_n_args(inner) == 2 && name_is(cls, dictionaries))
		return to_dictionary(c, t, inner, depth, out);
	if ((cls == &class_array && jt_is_container(t)) || (type_n_args(inner) == 1 && name_is(cls, lists)))
		return to_list(c, t, inner, depth, out);
	if (jt_is_container(t) || !allowed(cls))
		return cls == &class_string
			? vm_throw(c, EX_JSON_READER, "Error reading string. Unexpected token: Start%s. Path '%s'.",
				   jt_type_name(t->type), jt_path(c->arena, t).p)
			: wrong_token(c, t, cls->name);
	return leaf_to(c, t, cls, out);
}

bool jt_to_type(struct vm_call *c, struct jtoken *t, const struct type *type, struct value *out)
{
	return to_type(c, t, type, 0, out);
}
