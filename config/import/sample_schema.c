#include "config/import/sample_schema.h"

#include "core/str.h"

enum {
	DEPTH_MAX = 40,                  /* levels of a sample that are described; what is below may be anything */
	ITEMS_MAX = 100,                 /* items of one list that are looked at */
	PROPERTIES_MAX = 400,            /* of one object; an object used as a table has no properties worth naming */
};

static bool all_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_digit(s.p[i]))
			return false;
	return s.n > 0;
}

static bool is_uuid(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		char c = ascii_lower(s.p[i]);

		if (dash ? c != '-' : !ascii_is_digit(c) && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return s.n == 36;
}

static const char *format_of(struct str s)
{
	bool date = s.n >= 10 && s.p[4] == '-' && s.p[7] == '-' && all_digits(str_first(s, 4)) &&
		    all_digits(str_first(str_from(s, 5), 2)) && all_digits(str_first(str_from(s, 8), 2));

	if (date && s.n == 10)
		return "date";
	if (date && s.n >= 20 && (s.p[10] == 'T' || s.p[10] == 't') && s.p[13] == ':' && s.p[16] == ':' &&
	    (ascii_lower(s.p[s.n - 1]) == 'z' || s.p[s.n - 3] == ':'))
		return "date-time";
	return is_uuid(s) ? "uuid" : NULL;
}

static json_t *of_value(const json_t *v, unsigned depth);

static json_t *of_object(json_t *v, unsigned depth)
{
	json_t *schema = json_pack("{s:s}", "type", "object"), *properties = json_object(), *required = json_array(), *member;
	const char *name;

	if (json_object_size(v) <= PROPERTIES_MAX) {
		json_object_foreach(v, name, member) {
			json_object_set_new(properties, name, of_value(member, depth - 1));
			json_array_append_new(required, json_string(name));
		}
	}
	if (json_object_size(properties)) {
		json_object_set(schema, "properties", properties);
		json_object_set(schema, "required", required);
	}
	json_decref(properties);
	json_decref(required);
	return schema;
}

static json_t *of_array(const json_t *v, unsigned depth)
{
	json_t *schema = json_pack("{s:s}", "type", "array"), *items = NULL;

	for (size_t i = 0; i < json_array_size(v) && i < ITEMS_MAX; i++)
		items = sample_schema_merge(items, of_value(json_array_get(v, i), depth - 1));
	json_object_set_new(schema, "items", items ? items : json_object());
	return schema;
}

static json_t *of_value(const json_t *v, unsigned depth)
{
	if (depth == 0)
		return json_object();
	if (json_is_object(v))
		return of_object((json_t *)(uintptr_t)v, depth);
	if (json_is_array(v))
		return of_array(v, depth);
	if (json_is_string(v)) {
		const char *format = format_of(jsn_string(v));

		return format ? json_pack("{s:s, s:s}", "type", "string", "format", format) : json_pack("{s:s}", "type", "string");
	}
	return json_pack("{s:s}", "type", json_is_integer(v) ? "integer" : json_is_real(v) ? "number" :
			 json_is_boolean(v) ? "boolean" : "null");
}

json_t *sample_schema(const json_t *value)
{
	return of_value(value, DEPTH_MAX);
}

json_t *sample_schema_text(struct str text)
{
	const char *format = format_of(text);

	if (text.n <= 15 && all_digits(text) && (text.n == 1 || text.p[0] != '0'))
		return json_pack("{s:s}", "type", "integer");
	if (str_eq(text, STR("true")) || str_eq(text, STR("false")))
		return json_pack("{s:s}", "type", "boolean");
	return format ? json_pack("{s:s, s:s}", "type", "string", "format", format) : json_pack("{s:s}", "type", "string");
}

/* ---- merging ------------------------------------------------------------------------------------------------------------ */

static void add_type(json_t *list, const char *type)
{
	size_t i;
	json_t *t;

	json_array_foreach(list, i, t) {
		const char *have = json_string_value(t);

		if (strcmp(have, type) == 0 || (strcmp(have, "number") == 0 && strcmp(type, "integer") == 0))
			return;
		if (strcmp(have, "integer") == 0 && strcmp(type, "number") == 0) {
			json_array_set_new(list, i, json_string(type));
			return;
		}
	}
	json_array_append_new(list, json_string(type));
}

static void add_types(json_t *list, const json_t *type)
{
	size_t i;
	json_t *t;

	if (json_is_string(type))
		add_type(list, json_string_value(type));
	json_array_foreach(type, i, t)
		add_type(list, json_string_value(t));
}

static bool lists(const json_t *list, const char *text)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
			return true;
	return false;
}

static bool has_type(const json_t *schema, const char *type)
{
	const json_t *t = jsn_get(schema, "type");

	return json_is_string(t) ? strcmp(json_string_value(t), type) == 0 : lists(t, type);
}

static void merge_objects(json_t *a, json_t *b)
{
	json_t *to = jsn_get(a, "properties"), *from = jsn_get(b, "properties"), *member, *required = json_array();
	json_t *need_a = jsn_get(a, "required"), *need_b = jsn_get(b, "required");
	const char *name;

	if (!has_type(b, "object")) {
		json_decref(required);
		return;
	}
	if (!has_type(a, "object")) {
		json_object_update_missing(a, b);
		json_decref(required);
		return;
	}
	for (size_t i = 0; i < json_array_size(need_a); i++)
		if (lists(need_b, json_string_value(json_array_get(need_a, i))))
			json_array_append(required, json_array_get(need_a, i));
	if (!to && from)
		json_object_set(a, "properties", from);
	else
		json_object_foreach(from, name, member)
			json_object_set_new(to, name, sample_schema_merge(json_incref(jsn_get(to, name)), json_incref(member)));
	json_object_del(a, "required");
	if (json_array_size(required))
		json_object_set(a, "required", required);
	json_decref(required);
}

json_t *sample_schema_merge(json_t *a, json_t *b)
{
	json_t *types = json_array(), *copy;

	if (!a || !b) {
		json_decref(types);
		return a ? a : b;
	}
	copy = json_copy(a);             /* what is shared with others stays as it is */
	json_decref(a);
	a = copy;
	add_types(types, jsn_get(a, "type"));
	add_types(types, jsn_get(b, "type"));
	merge_objects(a, b);
	if (jsn_get(a, "items") && jsn_get(b, "items"))
		json_object_set_new(a, "items", sample_schema_merge(json_incref(jsn_get(a, "items")), json_incref(jsn_get(b, "items"))));
	else if (jsn_get(b, "items"))
		json_object_set(a, "items", jsn_get(b, "items"));
	if (!json_equal(jsn_get(a, "format"), jsn_get(b, "format")))
		json_object_del(a, "format");
	if (json_array_size(types) == 0)
		json_object_del(a, "type");
	else
		json_object_set(a, "type", json_array_size(types) == 1 ? json_array_get(types, 0) : types);
	json_decref(types);
	json_decref(b);
	return a;
}
