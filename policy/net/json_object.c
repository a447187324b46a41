/* json_object.c - members of JObject, JArray, JProperty, JConstructor; merging. */
#include "core/str.h"
#include "policy/net/json_net.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/string_search.h"

static struct value_class class_merge_settings;
static struct value_class class_array_handling;
static struct value_class class_null_handling;

static bool nothing(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

/* ---- constructors ------------------------------------------------------------------------------------------------------------ */

static bool new_container(struct vm_call *c, enum jt_type type, size_t from)
{
	struct jtoken *t = jt_container(c->arena, type);

	if (!t)
		return no_memory(c);
	for (size_t i = from; i < c->n; i++)
		if (!(arg_is_null(c, i) && c->n == 1 && from == 0) && !jt_add_content(c, t, t->n, c->args[i]))
			return false;
	return give_token(c, t);
}

static bool copied(struct vm_call *c)
{
	struct jtoken *t = value_token(c->args[0]);

	if (!t)
		return vm_throw_null(c, "other");
	t = jt_clone(c->arena, t);
	return t ? give_token(c, t) : no_memory(c);
}

static bool new_object(struct vm_call *c)
{
	return new_container(c, JT_OBJECT, 0);
}

static bool new_array(struct vm_call *c)
{
	return new_container(c, JT_ARRAY, 0);
}

static bool new_property(struct vm_call *c)
{
	struct jtoken *t, *p;
	const struct array *many = c->n > 1 ? value_array(c->args[1]) : NULL;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "name");
	if (many && type_class(c->type) == &class_jproperty && many->n == 0 && !many->packed) {
		t = jt_container(c->arena, JT_ARRAY);
		if (!t)
			return no_memory(c);
	} else if (!jt_content(c, c->args[1], &t)) {
		return false;
	}
	p = jt_property(c->arena, arg_str(c, 0), t);
	return p ? give_token(c, p) : no_memory(c);
}

static bool new_constructor(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "name");
	if (!new_container(c, JT_CONSTRUCTOR, 1))
		return false;
	value_token(c->result)->name = arg_str(c, 0);
	return true;
}

/* ---- JObject ------------------------------------------------------------------------------------------------------------------- */

/* (string name, [StringComparison]) */
static struct jtoken *lookup(struct vm_call *c)
{
	struct jtoken *o = self_token(c), *p;
	struct str name = arg_str(c, 0);
	bool ignore_case = c->n > 1 && value_is(c->args[1], &class_string_comparison) && comparison_ci(arg_enum(c, 1));

	if (!name.p || !vm_charge(c->vm, jt_find_cost(o) + (ignore_case ? o->n / 4 : 0)))
		return NULL;
	p = jt_find(o, name);
	for (size_t i = 0; !p && ignore_case && i < o->n; i++)
		if (same_text(o->v[i]->name, name, true))
			p = o->v[i];
	return p;
}

static bool get_by_name(struct vm_call *c)
{
	struct jtoken *p = lookup(c);

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "propertyName");
	return give_token(c, p && p->n ? p->v[0] : NULL);
}

static bool get_value(struct vm_call *c)
{
	struct jtoken *p = lookup(c);

	return give_token(c, p && p->n ? p->v[0] : NULL);
}

static bool set_by_name(struct vm_call *c)
{
	struct jtoken *t = value_token(c->args[1]);

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "propertyName");
	if (!t)
		t = jt_leaf(c->arena, JT_NULL, VALUE_NULL_INIT);
	if (t && t->type == JT_PROPERTY)
		return vm_throw(c, EX_ARGUMENT, "Can not add %s to %s.", t->head.cls->name, "Newtonsoft.Json.Linq.JProperty");
	if (!vm_charge(c->vm, jt_find_cost(self_token(c))))
		return false;
	return t && jt_set(c->arena, self_token(c), arg_str(c, 0), t) ? nothing(c) : no_memory(c);
}

static bool add_named(struct vm_call *c)
{
	struct jtoken *t = value_token(c->args[1]), *p;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "propertyName");
	if (!t)
		t = jt_leaf(c->arena, JT_NULL, VALUE_NULL_INIT);
	p = t ? jt_property(c->arena, arg_str(c, 0), t) : NULL;
	if (!p)
		return no_memory(c);
	return jt_add_token(c, self_token(c), self_token(c)->n, p) && nothing(c);
}

static bool remove_named(struct vm_call *c)
{
	struct jtoken *p = lookup(c);

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "propertyName");
	if (p)
		jt_remove_at(self_token(c), jt_position(p));
	return give_bool(c, p != NULL);
}

static bool property(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "name");
	return give_token(c, lookup(c));
}

static bool contains_key(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "propertyName");
	return give_bool(c, lookup(c) != NULL);
}

static bool try_get_value(struct vm_call *c)
{
	struct jtoken *p = lookup(c);

	c->args[c->n - 1] = value_object(p && p->n ? p->v[0] : NULL);
	return give_bool(c, p != NULL);
}

static bool list_properties(struct vm_call *c, bool values)
{
	struct jtoken *o = self_token(c);
	struct array *out = vm_array(c, o->n);

	if (!out)
		return false;
	for (size_t i = 0; i < o->n; i++)
		out->v[i] = value_object(values ? o->v[i]->v[0] : o->v[i]);
	return vm_return(c, value_object(out));
}

static bool properties(struct vm_call *c)
{
	return list_properties(c, false);
}

static bool property_values(struct vm_call *c)
{
	return list_properties(c, true);
}

const struct class_member jobject_members[] = {
	{ "JObject()", new_object },
	{ "JObject(JObject other)", copied },
	{ "JObject(object content)", new_object },
	{ "JObject(params object[] content)", new_object },
	{ "static JObject Parse(string json)", jt_parse_object },
	{ "static JObject FromObject(object o)", jt_object_from },
	{ "JToken this[string propertyName] { get; set; }", get_by_name, set_by_name },
	{ "void Add(string propertyName, JToken value)", add_named },
	{ "bool Remove(string propertyName)", remove_named },
	{ "JProperty Property(string name)", property },
	{ "JProperty Property(string name, StringComparison comparison)", property },
	{ "IEnumerable<JProperty> Properties()", properties },
	{ "IEnumerable<JToken> PropertyValues()", property_values },
	{ "bool ContainsKey(string propertyName)", contains_key },
	{ "JToken GetValue(string propertyName)", get_value },
	{ "JToken GetValue(string propertyName, StringComparison comparison)", get_value },
	{ "bool TryGetValue(string propertyName, out JToken value)", try_get_value },
	{ "bool TryGetValue(string propertyName, StringComparison comparison, out JToken value)", try_get_value },
	{ 0 }
};

/* ---- JArray --------------------------------------------------------------------------------------------------------------------- */

static bool in_range(struct vm_call *c, int64_t at, size_t n)
{
	if (at >= 0 && (size_t)at < n)
		return true;
	return vm_throw_range(c, "index", "Index was out of range. Must be non-negative and less than the size of the collection.");
}

static bool get_at(struct vm_call *c)
{
	struct jtoken *t = self_token(c);

	return in_range(c, arg_int(c, 0), t->n) && give_token(c, t->v[arg_int(c, 0)]);
}

static struct jtoken *given(struct vm_call *c, size_t i)
{
	struct jtoken *t = value_token(c->args[i]);

	return t ? t : jt_leaf(c->arena, JT_NULL, VALUE_NULL_INIT);
}

static bool set_at(struct vm_call *c)
{
	struct jtoken *self = self_token(c), *t = given(c, 1);

	if (!in_range(c, arg_int(c, 0), self->n))
		return false;
	return t && jt_replace(c->arena, self->v[arg_int(c, 0)], t) ? nothing(c) : no_memory(c);
}

static bool add_item(struct vm_call *c)
{
	struct jtoken *t = given(c, 0);

	return t ? jt_add_token(c, self_token(c), self_token(c)->n, t) && nothing(c) : no_memory(c);
}

static bool insert_item(struct vm_call *c)
{
	struct jtoken *t = given(c, 1);

	if (!in_range(c, arg_int(c, 0), self_token(c)->n + 1) || !vm_charge(c->vm, self_token(c)->n / 64))
		return false;
	return t ? jt_add_token(c, self_token(c), (size_t)arg_int(c, 0), t) && nothing(c) : no_memory(c);
}

static bool remove_at(struct vm_call *c)
{
	if (!in_range(c, arg_int(c, 0), self_token(c)->n))
		return false;
	jt_remove_at(self_token(c), (size_t)arg_int(c, 0));
	return vm_charge(c->vm, self_token(c)->n / 64) && nothing(c);
}

/* By identity, as JContainer.IndexOfItem. A bare value written as an argument is a new JValue and is never found. */
static int64_t place_of(struct vm_call *c)
{
	struct jtoken *self = self_token(c), *t = value_token(c->args[0]);

	return t && t->parent == self ? (int64_t)jt_position(t) : -1;
}

static bool index_of(struct vm_call *c)
{
	return give_int(c, place_of(c));
}

static bool contains(struct vm_call *c)
{
	return give_bool(c, place_of(c) >= 0);
}

static bool remove_item(struct vm_call *c)
{
	int64_t at = place_of(c);

	if (at >= 0)
		jt_remove_at(self_token(c), (size_t)at);
	return give_bool(c, at >= 0);
}

const struct class_member jarray_members[] = {
	{ "JArray()", new_array },
	{ "JArray(JArray other)", copied },
	{ "JArray(object content)", new_array },
	{ "JArray(params object[] content)", new_array },
	{ "static JArray Parse(string json)", jt_parse_array },
	{ "static JArray FromObject(object o)", jt_array_from },
	{ "JToken this[int index] { get; set; }", get_at, set_at },
	{ "void Add(JToken item)", add_item },
	{ "void Insert(int index, JToken item)", insert_item },
	{ "void RemoveAt(int index)", remove_at },
	{ "bool Remove(JToken item)", remove_item },
	{ "int IndexOf(JToken item)", index_of },
	{ "bool Contains(JToken item)", contains },
	{ "void Clear()", jt_remove_all },
	{ 0 }
};

/* ---- JProperty, JConstructor ----------------------------------------------------------------------------------------------------- */

static bool get_name(struct vm_call *c)
{
	return vm_return_str(c, self_token(c)->name);
}

static bool get_property_value(struct vm_call *c)
{
	return give_token(c, self_token(c)->n ? self_token(c)->v[0] : NULL);
}

static bool set_property_value(struct vm_call *c)
{
	struct jtoken *p = self_token(c), *t = given(c, c->n - 1);

	if (!t)
		return no_memory(c);
	if (p->n)
		return jt_replace(c->arena, p->v[0], t) ? nothing(c) : no_memory(c);
	return jt_insert(c->arena, p, 0, t, NULL) ? nothing(c) : no_memory(c);
}

const struct class_member jproperty_members[] = {
	{ "JProperty(string name, object content)", new_property },
	{ "JProperty(string name, params object[] content)", new_property },
	{ "string Name { get; }", get_name },
	{ "JToken Value { get; set; }", get_property_value, set_property_value },
	{ 0 }
};
const struct class_member jconstructor_members[] = {
	{ "JConstructor(string name)", new_constructor },
	{ "JConstructor(string name, object content)", new_constructor },
	{ "string Name { get; }", get_name },
	{ 0 }
};

/* ---- merging --------------------------------------------------------------------------------------------------------------------- */

enum { MERGE_CONCAT, MERGE_UNION, MERGE_REPLACE, MERGE_MERGE };

struct merge_settings {
	struct object head;
	int64_t arrays, nulls;
};

static bool merge_into(struct vm_call *c, struct jtoken *to, struct jtoken *from, const struct merge_settings *s, unsigned depth);

static bool merge_value(struct vm_call *c, struct jtoken *old, struct jtoken *with, const struct merge_settings *s, unsigned depth)
{
	bool null = with->type == JT_NULL;

	if (jt_is_container(old) && old->type == with->type && old->type != JT_PROPERTY)
		return merge_into(c, old, with, s, depth + 1);
	if (null && !s->nulls)
		return true;
	with = jt_clone(c->arena, with);
	return with && jt_replace(c->arena, old, with) ? true : no_memory(c);
}

static bool has_equal(const struct jtoken *array, const struct jtoken *t)
{
	for (size_t i = 0; i < array->n; i++)
		if (jt_equal(array->v[i], t))
			return true;
	return false;
}

static bool merge_arrays(struct vm_call *c, struct jtoken *to, struct jtoken *from, const struct merge_settings *s, unsigned depth)
{
	while (s->arrays == MERGE_REPLACE && to->n)
		jt_remove_at(to, to->n - 1);
	for (size_t i = 0; i < from->n; i++) {
		struct jtoken *t = from->v[i];

		if (!vm_charge(c->vm, 4 + (s->arrays == MERGE_UNION ? to->n * jt_count(t) : 0)))
			return false;
		if (s->arrays == MERGE_MERGE && i < to->n) {
			if (!merge_value(c, to->v[i], t, s, depth))
				return false;
			continue;
		}
		if (s->arrays == MERGE_UNION && has_equal(to, t))
			continue;
		t = jt_clone(c->arena, t);
		if (!t || !jt_insert(c->arena, to, to->n, t, NULL))
			return no_memory(c);
	}
	return true;
}

static bool merge_into(struct vm_call *c, struct jtoken *to, struct jtoken *from, const struct merge_settings *s, unsigned depth)
{
	if (depth >= JT_DEPTH_MAX)
		return no_memory(c);
	if (to->type != JT_OBJECT || from->type != JT_OBJECT)
		return to->type != from->type || merge_arrays(c, to, from, s, depth);
	for (size_t i = 0; i < from->n; i++) {
		struct jtoken *p = from->v[i], *old = jt_find(to, p->name), *copy;

		if (old && old->n) {
			if (!merge_value(c, old->v[0], p->v[0], s, depth))
				return false;
			continue;
		}
		copy = jt_clone(c->arena, p);
		if (!copy || !jt_insert(c->arena, to, to->n, copy, NULL))
			return no_memory(c);
	}
	return true;
}

bool jt_merge(struct vm_call *c)
{
	static const struct merge_settings plain = { { &class_merge_settings }, MERGE_CONCAT, 0 };
	const struct merge_settings *s = c->n > 1 && !arg_is_null(c, 1) ? arg_object(c, 1) : &plain;
	struct jtoken *from = value_token(c->args[0]);

	if (arg_is_null(c, 0))
		return nothing(c);
	if (!from && !jt_from_value(c, c->args[0], &from))
		return false;
	return merge_into(c, self_token(c), from, s, 0) && nothing(c);
}

static bool new_settings(struct vm_call *c)
{
	struct merge_settings *s = vm_new(c, &class_merge_settings, sizeof(*s));

	return s && vm_return(c, value_object(s));
}

static bool get_arrays(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_array_handling, SELF(c, struct merge_settings)->arrays));
}

static bool set_arrays(struct vm_call *c)
{
	SELF(c, struct merge_settings)->arrays = arg_enum(c, 0);
	return nothing(c);
}

static bool get_nulls(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_null_handling, SELF(c, struct merge_settings)->nulls));
}

static bool set_nulls(struct vm_call *c)
{
	SELF(c, struct merge_settings)->nulls = arg_enum(c, 0);
	return nothing(c);
}

static const struct class_member settings_members[] = {
	{ "JsonMergeSettings()", new_settings },
	{ "MergeArrayHandling MergeArrayHandling { get; set; }", get_arrays, set_arrays },
	{ "MergeNullValueHandling MergeNullValueHandling { get; set; }", get_nulls, set_nulls },
	{ 0 }
};
static const struct class_member array_handling[] = {
	{ "Concat = 0" }, { "Union = 1" }, { "Replace = 2" }, { "Merge = 3" }, { 0 }
};
static const struct class_member null_handling[] = { { "Ignore = 0" }, { "Merge = 1" }, { 0 } };

static struct value_class class_merge_settings = {
	.name = "Newtonsoft.Json.Linq.JsonMergeSettings", .members = settings_members
};
static struct value_class class_array_handling = {
	.name = "Newtonsoft.Json.Linq.MergeArrayHandling", .kind = CLASS_ENUM, .members = array_handling
};
static struct value_class class_null_handling = {
	.name = "Newtonsoft.Json.Linq.MergeNullValueHandling", .kind = CLASS_ENUM, .members = null_handling
};
static struct value_class *const classes[] = { &class_merge_settings, &class_array_handling, &class_null_handling, NULL };

const struct class_module net_json_merge = { .classes = classes };
