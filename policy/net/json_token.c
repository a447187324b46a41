/* json_token.c - members of JToken, which all tokens share, and of JContainer. */
#include "core/str.h"
#include "policy/net/json_net.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"

struct jtoken *self_token(const struct vm_call *c)
{
	return SELF(c, struct jtoken);
}

bool give_token(struct vm_call *c, struct jtoken *t)
{
	return vm_return(c, value_object(t));
}

bool no_memory(struct vm_call *c)
{
	return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

/* ---- content: what constructors and Add take --------------------------------------------------------------------------------- */

static bool is_multi(struct value v)
{
	return v.kind == VALUE_OBJECT && !value_token(v) && !value_bytes(v).p && (value_array(v) || value_class_of(v)->iterate);
}

bool jt_content(struct vm_call *c, struct value v, struct jtoken **out)
{
	struct iterator *it;
	struct value item;
	struct jtoken *t;

	*out = value_token(v);
	if (*out)
		return true;
	if (!is_multi(v)) {
		*out = jt_of_simple(c->arena, v);
		if (*out || v.kind != VALUE_OBJECT)
			return *out || no_memory(c);
		return vm_throw(c, EX_ARGUMENT, "Could not determine JSON object type for type %s.",
				type_text(c->arena, type_of_value(c->vm, v), true).p);
	}
	*out = jt_container(c->arena, JT_ARRAY);
	it = *out ? vm_iterate(c->vm, v) : NULL;
	if (!it)
		return *out ? false : no_memory(c);
	while (vm_next(c->vm, it, &item)) {
		if (!jt_content(c, item, &t))
			return false;
		if (!jt_insert(c->arena, *out, (*out)->n, t, NULL))
			return no_memory(c);
	}
	return !vm_failed(c->vm);
}

bool jt_add_token(struct vm_call *c, struct jtoken *to, size_t at, struct jtoken *t)
{
	bool property = t->type == JT_PROPERTY;

	if (property != (to->type == JT_OBJECT))
		return vm_throw(c, EX_ARGUMENT, "Can not add %s to %s.", t->head.cls->name, to->head.cls->name);
	if (!vm_charge(c->vm, property ? jt_find_cost(to) : (to->n - at) / 64))
		return false;
	if (property && jt_find(to, t->name))
		return vm_throw(c, EX_ARGUMENT,
				"Can not add property %.*s to %s. Property with the same name already exists on object.",
				STR_ARG(t->name), to->head.cls->name);
	if (to->type == JT_PROPERTY && to->n)
		return vm_throw(c, EX_JSON, "Newtonsoft.Json.Linq.JProperty cannot have multiple values.");
	return jt_insert(c->arena, to, at, t, NULL) || no_memory(c);
}

bool jt_add_content(struct vm_call *c, struct jtoken *to, size_t at, struct value v)
{
	struct iterator *it;
	struct value item;
	struct jtoken *t;

	if (!is_multi(v)) {
		if (!jt_content(c, v, &t))
			return false;
		return jt_add_token(c, to, at, t);
	}
	it = vm_iterate(c->vm, v);
	if (!it)
		return false;
	while (vm_next(c->vm, it, &item)) {
		size_t before = to->n;

		if (!jt_add_content(c, to, at, item))
			return false;
		at += to->n - before;
	}
	return !vm_failed(c->vm);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------- */

bool jt_throw(struct vm_call *c, const struct gh_err *err)
{
	return vm_throw(c, err->code == GH_E_NOMEM ? EX_OUT_OF_MEMORY : EX_JSON_READER, "%s", err->message);
}

static const char *start_name(const struct jtoken *t)
{
	switch (t->type) {
	case JT_OBJECT:
		return "StartObject";
	case JT_ARRAY:
		return "StartArray";
	case JT_CONSTRUCTOR:
		return "StartConstructor";
	default:
		return jt_type_name(t->type);
	}
}

/* wanted JT_NONE: any. */
bool jt_parse_as(struct vm_call *c, struct str text, enum jt_type wanted, struct jtoken **out)
{
	struct gh_err err = { 0 };

	if (!vm_charge(c->vm, text.n / 4))
		return false;
	if (jt_read(c->arena, text, 0, out, &err).code) {
		if (wanted != JT_NONE && str_starts(str_of(err.message), STR("Error reading JToken")))
			return vm_throw(c, EX_JSON_READER, "Error reading J%s from JsonReader. Path '', line 0, position 0.",
					jt_type_name(wanted));
		return jt_throw(c, &err);
	}
	if (wanted != JT_NONE && (*out)->type != wanted)
		return vm_throw(c, EX_JSON_READER,
				"Error reading J%s from JsonReader. Current JsonReader item is not an %s: %s. Path '', line 1, "
				"position %zu.",
				jt_type_name(wanted), wanted == JT_OBJECT ? "object" : "array", start_name(*out),
				jt_is_container(*out) ? (size_t)1 : str_trim(text).n);
	return true;
}

static bool parse_as(struct vm_call *c, enum jt_type wanted)
{
	struct jtoken *t;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "s");
	return jt_parse_as(c, arg_str(c, 0), wanted, &t) && give_token(c, t);
}

static bool parse(struct vm_call *c)
{
	return parse_as(c, JT_NONE);
}

bool jt_parse_object(struct vm_call *c)
{
	return parse_as(c, JT_OBJECT);
}

bool jt_parse_array(struct vm_call *c)
{
	return parse_as(c, JT_ARRAY);
}

static bool from_object(struct vm_call *c)
{
	struct jtoken *t;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "o");
	return jt_from_value(c, c->args[0], &t) && give_token(c, t);
}

static bool from_object_as(struct vm_call *c, enum jt_type wanted)
{
	struct jtoken *t;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "o");
	if (!jt_from_value(c, c->args[0], &t))
		return false;
	if (t->type != wanted)
		return vm_throw(c, EX_ARGUMENT, "Object serialized to %s. %s instance expected.", jt_type_name(t->type),
				wanted == JT_OBJECT ? "JObject" : "JArray");
	return give_token(c, t);
}

bool jt_object_from(struct vm_call *c)
{
	return from_object_as(c, JT_OBJECT);
}

bool jt_array_from(struct vm_call *c)
{
	return from_object_as(c, JT_ARRAY);
}

/* ---- places -------------------------------------------------------------------------------------------------------------------- */

static bool cannot_access(struct vm_call *c, const struct jtoken *t)
{
	return vm_throw(c, EX_INVALID_OPERATION, "Cannot access child value on %s.", t->head.cls->name);
}

static bool bad_key(struct vm_call *c, const struct jtoken *t, struct value key)
{
	struct out o = out_in(c->arena);

	if (key.kind == VALUE_STRING)
		jt_write_string(&o, text_str(key.text));
	else
		out_put(&o, value_to_text(c->arena, key));
	return vm_throw(c, EX_ARGUMENT, "Accessed J%s values with invalid key value: %.*s. %s expected.", jt_type_name(t->type),
			STR_ARG(out_str(&o)), t->type == JT_OBJECT ? "Object property name" : "Int32 array index");
}

/* t[key]; *out NULL: there is none. */
static bool child_at(struct vm_call *c, struct jtoken *t, struct value key, struct jtoken **out)
{
	*out = NULL;
	if (!jt_is_container(t) || t->type == JT_PROPERTY)
		return cannot_access(c, t);
	if (key.kind == VALUE_NULL)
		return t->type == JT_OBJECT || vm_throw_null(c, "key");
	if (t->type == JT_OBJECT) {
		if (key.kind != VALUE_STRING)
			return bad_key(c, t, key);
		*out = jt_get(t, text_str(key.text));
		return vm_charge(c->vm, jt_find_cost(t));
	}
	if (key.kind != VALUE_INT)
		return bad_key(c, t, key);
	if (key.i < 0 || key.i >= (int64_t)t->n)
		return vm_throw_range(c, "index", "Index was out of range. Must be non-negative and less than the size of the "
						  "collection.");
	*out = t->v[key.i];
	return true;
}

static bool get_item(struct vm_call *c)
{
	struct jtoken *t;

	return child_at(c, self_token(c), c->args[0], &t) && give_token(c, t);
}

static bool set_item(struct vm_call *c)
{
	struct jtoken *self = self_token(c), *t = value_token(c->args[1]), *old;
	struct value key = c->args[0];

	if (!t)
		t = jt_leaf(c->arena, JT_NULL, VALUE_NULL_INIT);
	if (!t)
		return no_memory(c);
	if (self->type == JT_OBJECT && key.kind == VALUE_STRING) {
		if (t->type == JT_PROPERTY)
			return vm_throw(c, EX_ARGUMENT, "Can not add %s to %s.", t->head.cls->name, "Newtonsoft.Json.Linq.JProperty");
		return vm_charge(c->vm, jt_find_cost(self)) && (jt_set(c->arena, self, text_str(key.text), t) || no_memory(c)) && vm_return(c, VALUE_NULL_INIT);
	}
	if (!child_at(c, self, key, &old))
		return false;
	return !old || ((jt_replace(c->arena, old, t) || no_memory(c)) && vm_return(c, VALUE_NULL_INIT));
}

static bool get_first(struct vm_call *c)
{
	struct jtoken *t = self_token(c);

	if (!jt_is_container(t))
		return cannot_access(c, t);
	return give_token(c, t->n ? t->v[0] : NULL);
}

static bool get_last(struct vm_call *c)
{
	struct jtoken *t = self_token(c);

	if (!jt_is_container(t))
		return cannot_access(c, t);
	return give_token(c, t->n ? t->v[t->n - 1] : NULL);
}

static bool neighbour(struct vm_call *c, int step)
{
	struct jtoken *t = self_token(c);
	size_t at = t->parent ? jt_position(t) : 0;

	if (!t->parent || (step < 0 ? at == 0 : at + 1 >= t->parent->n))
		return vm_return(c, VALUE_NULL_INIT);
	return give_token(c, t->parent->v[step < 0 ? at - 1 : at + 1]);
}

static bool get_next(struct vm_call *c)
{
	return neighbour(c, 1);
}

static bool get_previous(struct vm_call *c)
{
	return neighbour(c, -1);
}

static bool get_parent(struct vm_call *c)
{
	return give_token(c, self_token(c)->parent);
}

static bool get_root(struct vm_call *c)
{
	struct jtoken *t = self_token(c);

	while (t->parent)
		t = t->parent;
	return give_token(c, t);
}

static bool get_path(struct vm_call *c)
{
	return give_new(c, jt_path(c->arena, self_token(c)));
}

static bool get_type(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_jtoken_type, self_token(c)->type));
}

static bool get_has_values(struct vm_call *c)
{
	return give_bool(c, jt_is_container(self_token(c)) && self_token(c)->n > 0);
}

/* ---- changing ------------------------------------------------------------------------------------------------------------------- */

static bool no_parent(struct vm_call *c)
{
	return vm_throw(c, EX_INVALID_OPERATION, "The parent is missing.");
}

static bool add_beside(struct vm_call *c, size_t offset)
{
	struct jtoken *t = self_token(c);

	if (!t->parent)
		return no_parent(c);
	return jt_add_content(c, t->parent, jt_position(t) + offset, c->args[0]) && vm_return(c, VALUE_NULL_INIT);
}

static bool add_after_self(struct vm_call *c)
{
	return add_beside(c, 1);
}

static bool add_before_self(struct vm_call *c)
{
	return add_beside(c, 0);
}

static bool remove_self(struct vm_call *c)
{
	struct jtoken *t = self_token(c);

	if (!t->parent)
		return no_parent(c);
	if (t->parent->type == JT_PROPERTY)
		return vm_throw(c, EX_JSON, "Cannot add or remove items from Newtonsoft.Json.Linq.JProperty.");
	if (!vm_charge(c->vm, t->parent->n / 64))
		return false;
	jt_remove_at(t->parent, jt_position(t));
	return vm_return(c, VALUE_NULL_INIT);
}

static bool replace(struct vm_call *c)
{
	struct jtoken *t = self_token(c), *with = value_token(c->args[0]);

	if (!t->parent)
		return no_parent(c);
	if (!with)
		with = jt_leaf(c->arena, JT_NULL, VALUE_NULL_INIT);
	return with && jt_replace(c->arena, t, with) ? vm_return(c, VALUE_NULL_INIT) : no_memory(c);
}

static bool add(struct vm_call *c)
{
	return jt_add_content(c, self_token(c), self_token(c)->n, c->args[0]) && vm_return(c, VALUE_NULL_INIT);
}

static bool add_first(struct vm_call *c)
{
	return jt_add_content(c, self_token(c), 0, c->args[0]) && vm_return(c, VALUE_NULL_INIT);
}

bool jt_remove_all(struct vm_call *c)
{
	struct jtoken *t = self_token(c);

	while (t->n)
		jt_remove_at(t, t->n - 1);
	return vm_return(c, VALUE_NULL_INIT);
}

static bool replace_all(struct vm_call *c)
{
	return jt_remove_all(c) && add(c);
}

bool jt_get_count(struct vm_call *c)
{
	return give_int(c, (int64_t)self_token(c)->n);
}

/* ---- comparing, copying, text ------------------------------------------------------------------------------------------------------ */

static bool deep_equals(struct vm_call *c)
{
	struct jtoken *l = value_token(c->args[0]), *r = value_token(c->args[1]);

	return (!l || vm_charge(c->vm, jt_count(l))) && give_bool(c, l == r || (l && r && jt_equal(l, r)));
}

static bool deep_clone(struct vm_call *c)
{
	struct jtoken *copy = vm_charge(c->vm, jt_count(self_token(c))) ? jt_clone(c->arena, self_token(c)) : NULL;

	if (vm_failed(c->vm))
		return false;

	return copy ? give_token(c, copy) : no_memory(c);
}

static bool to_string(struct vm_call *c)
{
	struct out o = out_in(c->arena);

	if (c->n)
		jt_write(&o, self_token(c), arg_enum(c, 0) == 1);
	else
		jt_text(c->arena, &o, self_token(c));
	return vm_charge(c->vm, o.n / 8) && give_new(c, out_str(&o));
}

struct str jt_to_text(struct arena *a, struct value v)
{
	struct out o = out_in(a);

	jt_text(a, &o, value_token(v));
	return out_str(&o);
}

static bool to_object(struct vm_call *c)
{
	struct value v;

	return jt_to_type(c, self_token(c), c->type, &v) && vm_return(c, v);
}

static bool value_as(struct vm_call *c)
{
	struct jtoken *t = self_token(c);
	struct value v;

	if (c->n && !child_at(c, t, c->args[0], &t))
		return false;
	return jt_cast(c, t, c->type, &v) && vm_return(c, v);
}

static bool values_as(struct vm_call *c)
{
	struct jtoken *t = self_token(c);
	size_t n = jt_is_container(t) ? t->n : 0;
	struct array *out = vm_array(c, n);

	if (!out)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct jtoken *item = t->v[i]->type == JT_PROPERTY && t->v[i]->n ? t->v[i]->v[0] : t->v[i];
		struct value v;

		if (!jt_cast(c, item, c->types[0], &v))
			return false;
		if (out->packed)
			out->bytes[i] = (uint8_t)v.u;
		else
			out->v[i] = v;
	}
	return vm_return(c, value_object(out));
}

const struct class_member jtoken_members[] = {
	{ "static JToken Parse(string json)", parse },
	{ "static JToken FromObject(object o)", from_object },
	{ "static bool DeepEquals(JToken t1, JToken t2)", deep_equals },
	{ "JToken DeepClone()", deep_clone },
	{ "JToken this[object key] { get; set; }", get_item, set_item },
	{ "JToken First { get; }", get_first },
	{ "JToken Last { get; }", get_last },
	{ "JToken Next { get; }", get_next },
	{ "JToken Previous { get; }", get_previous },
	{ "JContainer Parent { get; }", get_parent },
	{ "JToken Root { get; }", get_root },
	{ "string Path { get; }", get_path },
	{ "JTokenType Type { get; }", get_type },
	{ "bool HasValues { get; }", get_has_values },
	{ "void AddAfterSelf(object content)", add_after_self },
	{ "void AddBeforeSelf(object content)", add_before_self },
	{ "void Remove()", remove_self },
	{ "void Replace(JToken value)", replace },
	{ "T Value<T>(object key)", value_as },
	{ "T Value<T>()", value_as },
	{ "IEnumerable<T> Values<T>()", values_as },
	{ "T ToObject<T>()", to_object },
	{ "string ToString()", to_string },
	{ "string ToString(Formatting formatting)", to_string },
	{ 0 }
};

const struct class_member jcontainer_members[] = {
	{ "int Count { get; }", jt_get_count },
	{ "void Add(object content)", add },
	{ "void AddFirst(object content)", add_first },
	{ "void RemoveAll()", jt_remove_all },
	{ "void ReplaceAll(object content)", replace_all },
	{ "void Merge(object content)", jt_merge },
	{ "void Merge(object content, JsonMergeSettings settings)", jt_merge },
	{ 0 }
};
