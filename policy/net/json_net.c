/* json_net.c - JValue and JRaw, conversions, the classes themselves, JsonConvert, Linq.Extensions. */
#include "policy/net/json_net.h"

#include "core/str.h"
#include "policy/expr/vm.h"
#include "policy/net/format.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/types.h"

/* ---- JValue, JRaw ------------------------------------------------------------------------------------------------------------- */

static bool new_value(struct vm_call *c)
{
	struct jtoken *t = value_token(c->args[0]);

	t = t ? jt_clone(c->arena, t) : jt_of_simple(c->arena, c->args[0]);
	if (t)
		return give_token(c, t);
	if (c->args[0].kind != VALUE_OBJECT)
		return no_memory(c);
	return vm_throw(c, EX_ARGUMENT, "Could not determine JSON object type for type %s.",
			type_text(c->arena, type_of_value(c->vm, c->args[0]), true).p);
}

static bool get_value(struct vm_call *c)
{
	struct jtoken *t = self_token(c);

	if (t->raw.p && t->value.kind == VALUE_NULL)
		return vm_return_str(c, t->raw);
	return vm_return(c, t->value);
}

static bool set_value(struct vm_call *c)
{
	struct jtoken *t = self_token(c), *made = jt_of_simple(c->arena, c->args[0]);

	if (!made)
		return no_memory(c);
	t->type = made->type;
	t->value = made->value;
	t->raw = STR_NULL;
	return vm_return(c, VALUE_NULL_INIT);
}

static bool leaf(struct vm_call *c, enum jt_type type, struct value v, struct str raw)
{
	struct jtoken *t = jt_leaf(c->arena, type, v);

	if (!t)
		return no_memory(c);
	t->raw = raw;
	return give_token(c, t);
}

static bool create_null(struct vm_call *c)
{
	return leaf(c, JT_NULL, VALUE_NULL_INIT, STR_NULL);
}

static bool create_undefined(struct vm_call *c)
{
	return leaf(c, JT_UNDEFINED, VALUE_NULL_INIT, STR_NULL);
}

static bool create_string(struct vm_call *c)
{
	return leaf(c, JT_STRING, c->args[0], STR_NULL);
}

static bool create_comment(struct vm_call *c)
{
	return leaf(c, JT_COMMENT, VALUE_NULL_INIT, arg_str(c, 0));
}

static bool new_raw(struct vm_call *c)
{
	return leaf(c, JT_RAW, VALUE_NULL_INIT, value_to_text(c->arena, c->args[0]));
}

static bool value_to_string(struct vm_call *c)
{
	struct jtoken *t = self_token(c);
	struct out o = out_in(c->arena);

	if (c->args[0].kind != VALUE_STRING || t->raw.p) {
		jt_text(c->arena, &o, t);
		return give_new(c, out_str(&o));
	}
	if (!value_format(c->arena, &o, t->value, arg_str(c, 0)))
		return vm_throw(c, EX_FORMAT, "Input string was not in a correct format.");
	return give_new(c, out_str(&o));
}

static int compare(struct value l, struct value r)
{
	bool comparable = true;

	return value_compare(jt_unwrap(l), jt_unwrap(r), &comparable);
}

static bool compare_to(struct vm_call *c)
{
	return give_int(c, compare(c->self, c->args[0]));
}

const struct class_member jvalue_members[] = {
	{ "JValue(object value)", new_value },
	{ "object Value { get; set; }", get_value, set_value },
	{ "static JValue CreateNull()", create_null },
	{ "static JValue CreateUndefined()", create_undefined },
	{ "static JValue CreateString(string value)", create_string },
	{ "static JValue CreateComment(string value)", create_comment },
	{ "string ToString(string format)", value_to_string },
	{ "string ToString(IFormatProvider provider)", value_to_string },
	{ "string ToString(string format, IFormatProvider provider)", value_to_string },
	{ "int CompareTo(JValue obj)", compare_to },
	{ 0 }
};
const struct class_member jraw_members[] = { { "JRaw(object rawJson)", new_raw }, { 0 } };

/* ---- conversions ------------------------------------------------------------------------------------------------------------------ */

static bool implicit(struct vm_call *c)
{
	struct jtoken *t;

	if (type_class(c->type) != &class_jtoken)
		return vm_return(c, c->args[0]);
	t = jt_of_simple(c->arena, c->args[0]);
	return t ? give_token(c, t) : no_memory(c);
}

/* A null string keeps the type String. */
static bool implicit_string(struct vm_call *c)
{
	return leaf(c, JT_STRING, c->args[0], STR_NULL);
}

#define BOTH(T)                                                       \
	{ "static implicit operator JToken(" T " value)", implicit }, \
	{ "static explicit operator " T "(JToken value)", jt_explicit }
#define WITH_NULLABLE(T) BOTH(T), BOTH(T "?")

static const struct class_member conversions[] = {
	{ "static implicit operator JToken(string value)", implicit_string },
	{ "static explicit operator string(JToken value)", jt_explicit },
	WITH_NULLABLE("bool"), WITH_NULLABLE("sbyte"), WITH_NULLABLE("byte"), WITH_NULLABLE("short"), WITH_NULLABLE("ushort"),
	WITH_NULLABLE("int"), WITH_NULLABLE("uint"), WITH_NULLABLE("long"), WITH_NULLABLE("ulong"), WITH_NULLABLE("float"),
	WITH_NULLABLE("double"), WITH_NULLABLE("decimal"), WITH_NULLABLE("DateTime"), WITH_NULLABLE("DateTimeOffset"),
	WITH_NULLABLE("TimeSpan"), WITH_NULLABLE("Guid"), BOTH("byte[]"), BOTH("Uri"),
	{ "static explicit operator char(JToken value)", jt_explicit },
	{ "static explicit operator char?(JToken value)", jt_explicit },
	{ 0 }
};

/* ---- what object offers ------------------------------------------------------------------------------------------------------------ */

static bool same(struct value l, struct value r)
{
	struct jtoken *a = value_token(l), *b = value_token(r);

	return a == b || (a->type != JT_OBJECT && a->type != JT_ARRAY && jt_equal(a, b));
}

static uint64_t hash(struct value v)
{
	struct jtoken *t = value_token(v);

	return jt_is_container(t) ? (uint64_t)(uintptr_t)t >> 4 : jt_hash(t);
}

static bool next_child(struct vm *vm UNUSED, struct iterator *it, struct value *item)
{
	struct jtoken *t = value_token(it->source);

	if (!jt_is_container(t) || it->at >= t->n)
		return false;
	*item = value_object(t->v[it->at++]);
	return true;
}

static bool next_pair(struct vm *vm, struct iterator *it, struct value *item)
{
	static const struct type *key, *value;
	struct jtoken *t = value_token(it->source);
	struct vm_call *c = vm_scratch(vm);
	struct value name;

	if (it->at >= t->n)
		return false;
	if (!__atomic_load_n(&value, __ATOMIC_ACQUIRE)) {
		__atomic_store_n(&key, type_named("string"), __ATOMIC_RELEASE);
		__atomic_store_n(&value, type_named("JToken"), __ATOMIC_RELEASE);
	}
	name = value_string(c->arena, t->v[it->at]->name, false);
	if (name.kind == VALUE_NULL)
		return no_memory(c);
	*item = vm_pair(c, key, value, name, value_object(t->v[it->at]->n ? t->v[it->at]->v[0] : NULL));
	it->at++;
	return item->kind != VALUE_NULL;
}

static struct iterator *iterate(struct vm *vm, struct value v)
{
	return vm_iterator(vm, next_child, v, NULL);
}

static struct iterator *iterate_pairs(struct vm *vm, struct value v)
{
	return vm_iterator(vm, next_pair, v, NULL);
}

#define TOKEN_CLASS .equals = same, .hash = hash, .compare = compare, .to_text = jt_to_text

struct value_class class_jtoken = {
	.name = "Newtonsoft.Json.Linq.JToken", .interfaces = "IEnumerable<JToken>", .members = jtoken_members,
	TOKEN_CLASS, .iterate = iterate
};
struct value_class class_jcontainer = {
	.name = "Newtonsoft.Json.Linq.JContainer", .base = "JToken", .members = jcontainer_members, TOKEN_CLASS, .iterate = iterate
};
struct value_class class_jobject = {
	.name = "Newtonsoft.Json.Linq.JObject", .base = "JContainer", .interfaces = "IEnumerable<KeyValuePair<string, JToken>>",
	.members = jobject_members, TOKEN_CLASS, .iterate = iterate_pairs
};
struct value_class class_jarray = {
	.name = "Newtonsoft.Json.Linq.JArray", .base = "JContainer", .members = jarray_members, TOKEN_CLASS, .iterate = iterate
};
struct value_class class_jproperty = {
	.name = "Newtonsoft.Json.Linq.JProperty", .base = "JContainer", .members = jproperty_members, TOKEN_CLASS,
	.iterate = iterate
};
struct value_class class_jconstructor = {
	.name = "Newtonsoft.Json.Linq.JConstructor", .base = "JContainer", .members = jconstructor_members, TOKEN_CLASS,
	.iterate = iterate
};
struct value_class class_jvalue = {
	.name = "Newtonsoft.Json.Linq.JValue", .base = "JToken", .members = jvalue_members, TOKEN_CLASS, .iterate = iterate
};
struct value_class class_jraw = {
	.name = "Newtonsoft.Json.Linq.JRaw", .base = "JValue", .members = jraw_members, TOKEN_CLASS, .iterate = iterate
};

static const struct class_member token_types[] = {
	{ "None = 0" }, { "Object = 1" }, { "Array = 2" }, { "Constructor = 3" }, { "Property = 4" }, { "Comment = 5" },
	{ "Integer = 6" }, { "Float = 7" }, { "String = 8" }, { "Boolean = 9" }, { "Null = 10" }, { "Undefined = 11" },
	{ "Date = 12" }, { "Raw = 13" }, { "Bytes = 14" }, { "Guid = 15" }, { "Uri = 16" }, { "TimeSpan = 17" },
	{ 0 }
};
static const struct class_member formattings[] = { { "None = 0" }, { "Indented = 1" }, { 0 } };

struct value_class class_jtoken_type = {
	.name = "Newtonsoft.Json.Linq.JTokenType", .kind = CLASS_ENUM, .members = token_types
};
struct value_class class_formatting = { .name = "Newtonsoft.Json.Formatting", .kind = CLASS_ENUM, .members = formattings };

/* ---- JsonConvert -------------------------------------------------------------------------------------------------------------------- */

static bool serialize(struct vm_call *c)
{
	struct out o = out_in(c->arena);
	struct jtoken *t = value_token(c->args[0]);

	if (!t && !jt_from_value(c, c->args[0], &t))
		return false;
	jt_write(&o, t, c->n > 1 && arg_enum(c, 1) == 1);
	return charge_bytes(c, o.n * 2) && give_new(c, out_str(&o));
}

static bool read_any(struct vm_call *c, struct jtoken **t)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "value");
	*t = NULL;
	if (str_trim(arg_str(c, 0)).n == 0)
		return true;                     /* DeserializeObject("") is null */
	return jt_parse_as(c, arg_str(c, 0), JT_NONE, t);
}

static bool deserialize(struct vm_call *c)
{
	struct jtoken *t;
	struct value v;

	if (!read_any(c, &t))
		return false;
	if (!t)
		return vm_return(c, type_default(c->type));
	return jt_to_type(c, t, c->type, &v) && vm_return(c, v);
}

static bool deserialize_object(struct vm_call *c)
{
	struct jtoken *t;

	if (!read_any(c, &t))
		return false;
	if (!t || jt_is_container(t))
		return give_token(c, t);
	return vm_return(c, t->value);
}

static const struct class_member convert_members[] = {
	{ "static string SerializeObject(object value)", serialize },
	{ "static string SerializeObject(object value, Formatting formatting)", serialize },
	{ "static object DeserializeObject(string value)", deserialize_object },
	{ "static T DeserializeObject<T>(string value)", deserialize },
	{ 0 }
};

/* ---- Linq.Extensions ---------------------------------------------------------------------------------------------------------------- */

static bool collect_one(struct vm_call *c, struct jtoken *t, struct value list)
{
	struct value v;

	return jt_cast(c, t, c->types[0], &v) && vm_list_add(c, list, v);
}

/* With a key the members of that name; without, what is inside of containers, and values themselves. */
static bool collect_values(struct vm_call *c)
{
	struct iterator *it = vm_iterate(c->vm, c->args[0]);
	struct value v, list = vm_list_new(c, c->types[0]);
	struct str key = c->n > 1 ? arg_str(c, 1) : STR_NULL;

	if (!it || list.kind == VALUE_NULL)
		return false;
	while (vm_next(c->vm, it, &v)) {
		struct jtoken *t = value_token(v);

		if (t && c->n > 1)
			t = t->type == JT_OBJECT && key.p ? jt_get(t, key) : NULL;
		if (t && c->n == 1 && jt_is_container(t)) {
			for (size_t i = 0; i < t->n; i++)
				if (!collect_one(c, t->v[i], list))
					return false;
		} else if (t && !collect_one(c, t, list)) {
			return false;
		}
	}
	return !vm_failed(c->vm) && vm_return(c, list);
}

/* What a method of each token gives, one after the other. */
static bool collect_from(struct vm_call *c, struct str method, const char *item)
{
	struct iterator *it = vm_iterate(c->vm, c->args[0]);
	struct value token, one, list = vm_list_new(c, type_named(item));
	struct iterator *inner;
	bool known;

	if (!it || list.kind == VALUE_NULL)
		return false;
	while (vm_next(c->vm, it, &token)) {
		vm_call_member(c->vm, token, method, MEMBER_METHOD, NULL, 0, &one, &known);
		inner = vm_failed(c->vm) ? NULL : vm_iterate(c->vm, one);
		while (inner && vm_next(c->vm, inner, &one))
			if (!vm_list_add(c, list, one))
				return false;
	}
	return !vm_failed(c->vm) && vm_return(c, list);
}

#define COLLECT(fn, method, item)                                  \
	static bool fn(struct vm_call *c)                          \
	{                                                          \
		return collect_from(c, STR(method), item);         \
	}
COLLECT(collect_children, "Children", "JToken")
COLLECT(collect_properties, "Properties", "JProperty")
COLLECT(collect_ancestors, "Ancestors", "JContainer")
COLLECT(collect_ancestors_and_self, "AncestorsAndSelf", "JContainer")
COLLECT(collect_descendants, "Descendants", "JToken")
COLLECT(collect_descendants_and_self, "DescendantsAndSelf", "JToken")

/* Values() and Values(key), as tokens */
static bool collect_tokens(struct vm_call *c)
{
	c->types = (const struct type *[]){ type_named("JToken") };
	return collect_values(c);
}

static bool as_enumerable(struct vm_call *c)
{
	return vm_return(c, c->args[0]);
}

static const struct class_member extension_members[] = {
	{ "static IEnumerable<JToken> Values(this IEnumerable<JToken> source, object key)", collect_tokens },
	{ "static IEnumerable<JToken> Values(this IEnumerable<JToken> source)", collect_tokens },
	{ "static IEnumerable<JToken> Children(this IEnumerable<JToken> source)", collect_children },
	{ "static IEnumerable<JProperty> Properties(this IEnumerable<JObject> source)", collect_properties },
	{ "static IEnumerable<JToken> Ancestors(this IEnumerable<JToken> source)", collect_ancestors },
	{ "static IEnumerable<JToken> AncestorsAndSelf(this IEnumerable<JToken> source)", collect_ancestors_and_self },
	{ "static IEnumerable<JToken> Descendants(this IEnumerable<JContainer> source)", collect_descendants },
	{ "static IEnumerable<JToken> DescendantsAndSelf(this IEnumerable<JContainer> source)", collect_descendants_and_self },
	{ "static IEnumerable<JToken> AsJEnumerable(this IEnumerable<JToken> source)", as_enumerable },
	{ "static IEnumerable<T> Values<T>(this IEnumerable<JToken> source)", collect_values },
	{ "static IEnumerable<T> Values<T>(this IEnumerable<JToken> source, object key)", collect_values },
	{ 0 }
};

static struct value_class class_json_convert = {
	.name = "Newtonsoft.Json.JsonConvert", .kind = CLASS_STATIC, .members = convert_members
};
static struct value_class class_json_extensions = {
	.name = "Newtonsoft.Json.Linq.Extensions", .kind = CLASS_STATIC, .members = extension_members, .extensions = true
};
static struct value_class *const classes[] = {
	&class_jtoken, &class_jcontainer, &class_jobject, &class_jarray, &class_jproperty, &class_jconstructor, &class_jvalue,
	&class_jraw, &class_jtoken_type, &class_formatting, &class_json_convert, &class_json_extensions, NULL
};
static const struct class_part parts[] = { { &class_jtoken, conversions },
					   { &class_jtoken, jtoken_walk_members },
					   { &class_jcontainer, jcontainer_walk_members },
					   { NULL, NULL } };

const struct class_module net_json = { .classes = classes, .parts = parts };
