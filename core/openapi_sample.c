/* openapi_sample.c - example values out of schemas, for mock responses and for the portal's pages.
 *
 * What the author wrote wins: example, examples, default, const, first enum. Else a value is put together from type, format
 * and limits, properties in the order of the document. A schema that contains itself is entered once: members that would
 * lead into it again are left out, lists of it are empty. A depth and a number of nodes bound the rest. */
#include "core/openapi.h"

#include "core/str.h"

#include <stdlib.h>

#define SAMPLE_DEPTH 16u
#define SAMPLE_NODES 2000u

struct entered {                         /* schemas on the way to the one at hand */
	const struct entered *up;
	const json_t *schema;
};

struct sampler {
	const struct openapi *o;
	unsigned nodes;
	const struct entered *way;
};

static json_t *sample(struct sampler *s, json_t *schema, unsigned depth);

static bool has_type(const json_t *schema, const char *name)
{
	json_t *type = jsn_get(schema, "type"), *v;
	size_t i;

	if (json_is_string(type))
		return strcmp(json_string_value(type), name) == 0;
	json_array_foreach(type, i, v) {
		if (json_is_string(v) && strcmp(json_string_value(v), name) == 0)
			return true;
	}
	return false;
}

/* What the author gives; NULL when nothing. New reference. */
static json_t *given(const json_t *schema)
{
	json_t *examples = jsn_arr(schema, "examples"), *options = jsn_arr(schema, "enum"), *v;

	if ((v = jsn_get(schema, "example")) || (v = json_array_get(examples, 0)) || (v = jsn_get(schema, "default")) ||
	    (v = jsn_get(schema, "const")) || (v = json_array_get(options, 0)) || (v = jsn_get(schema, "x-example")))
		return json_deep_copy(v);
	return NULL;
}

static json_t *sample_text(const json_t *schema)
{
	static const struct {
		struct str format;
		const char *text;
	} formats[] = {
		{ STR_INIT("date-time"), "2025-01-02T03:04:05Z" },
		{ STR_INIT("date"), "2025-01-02" },
		{ STR_INIT("time"), "03:04:05Z" },
		{ STR_INIT("duration"), "P1D" },
		{ STR_INIT("email"), "user@example.com" },
		{ STR_INIT("hostname"), "example.com" },
		{ STR_INIT("ipv4"), "192.0.2.1" },
		{ STR_INIT("ipv6"), "2001:db8::1" },
		{ STR_INIT("uri"), "https://example.com/" },
		{ STR_INIT("url"), "https://example.com/" },
		{ STR_INIT("uuid"), "3fa85f64-5717-4562-b3fc-2c963f66afa6" },
		{ STR_INIT("byte"), "c3RyaW5n" },
	};
	static const char filler[] = "stringstringstringstringstringstringstringstringstringstringstri";
	struct str format = jsn_str(schema, "format");
	int64_t least = jsn_int(schema, "minLength", 0), most = jsn_int(schema, "maxLength", 6);

	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (str_eq(formats[i].format, format))
			return json_string(formats[i].text);
	if (most > 6 || most < 0)
		most = 6;
	if (least > most)
		most = least < 64 ? least : 64;
	return json_stringn(filler, (size_t)most);
}

static json_t *sample_number(const json_t *schema, bool integer)
{
	json_t *least = jsn_get(schema, "minimum"), *most = jsn_get(schema, "maximum"), *above;
	double v = json_is_number(least) ? json_number_value(least) : 0;

	above = jsn_get(schema, "exclusiveMinimum");
	if (json_is_number(above) && json_number_value(above) >= v)
		v = json_number_value(above) + 1;
	else if (json_is_true(above))
		v += 1;
	if (!json_is_number(least) && json_is_number(most) && json_number_value(most) < v)
		v = json_number_value(most);
	if (integer && v > -9e15 && v < 9e15)
		return json_integer((json_int_t)v);
	return json_real(v);
}

static void add_properties(struct sampler *s, const json_t *schema, json_t *to, unsigned depth)
{
	json_t *properties = jsn_obj(schema, "properties"), *v;
	const char *name;

	json_object_foreach(properties, name, v) {
		json_t *value;

		if (json_object_get(to, name))
			continue;
		value = sample(s, v, depth);
		if (value)
			json_object_set_new(to, name, value);
	}
}

static json_t *sample_array(struct sampler *s, const json_t *schema, unsigned depth)
{
	json_t *out = json_array(), *items = jsn_get(schema, "items"), *prefix = jsn_arr(schema, "prefixItems"), *v;
	size_t i;

	json_array_foreach(prefix, i, v) {
		json_t *value = sample(s, v, depth);

		if (value)
			json_array_append_new(out, value);
	}
	if (json_is_object(items) && json_array_size(out) == 0) {
		json_t *value = sample(s, items, depth);

		if (value)
			json_array_append_new(out, value);
	}
	return out;
}

/* allOf: the members of all, else the first that gives a value. */
static json_t *sample_all(struct sampler *s, json_t *schema, json_t *all, unsigned depth)
{
	json_t *out = json_object(), *other = NULL, *part;
	size_t i;

	json_array_foreach(all, i, part) {
		json_t *value = sample(s, part, depth);

		if (json_is_object(value))
			json_object_update_missing(out, value);
		else if (value && !other)
			other = json_incref(value);
		json_decref(value);
	}
	add_properties(s, schema, out, depth);
	if (json_object_size(out) == 0 && other) {
		json_decref(out);
		return other;
	}
	json_decref(other);
	return out;
}

static json_t *by_type(struct sampler *s, json_t *schema, unsigned depth)
{
	if (has_type(schema, "object") || jsn_obj(schema, "properties")) {
		json_t *out = json_object();

		add_properties(s, schema, out, depth);
		return out;
	}
	if (has_type(schema, "array") || jsn_get(schema, "items"))
		return sample_array(s, schema, depth);
	if (has_type(schema, "string"))
		return sample_text(schema);
	if (has_type(schema, "integer") || has_type(schema, "number"))
		return sample_number(schema, has_type(schema, "integer"));
	if (has_type(schema, "boolean"))
		return json_true();
	if (has_type(schema, "null"))
		return json_null();
	return json_object();
}

static json_t *put_together(struct sampler *s, json_t *schema, unsigned depth)
{
	json_t *all = jsn_arr(schema, "allOf"), *any = jsn_arr(schema, "oneOf");

	if (json_array_size(all) > 0)
		return sample_all(s, schema, all, depth);
	if (!any)
		any = jsn_arr(schema, "anyOf");
	if (json_array_size(any) > 0 && !jsn_obj(schema, "properties"))
		return sample(s, json_array_get(any, 0), depth);
	return by_type(s, schema, depth);
}

/* New reference, or NULL: leave this out (recursive, too deep, too much, no memory). */
static json_t *sample(struct sampler *s, json_t *schema, unsigned depth)
{
	struct entered here = { s->way, NULL };
	json_t *out;

	schema = openapi_resolve(s->o, schema);
	if (!json_is_object(schema))
		return json_is_false(schema) || !schema ? NULL : json_object();
	out = given(schema);
	if (out)
		return out;
	for (const struct entered *e = s->way; e; e = e->up)
		if (e->schema == schema)
			return NULL;
	if (depth == 0 || s->nodes == 0)
		return NULL;
	s->nodes--;
	here.schema = schema;
	s->way = &here;
	out = put_together(s, schema, depth - 1);
	s->way = here.up;
	return out;
}

json_t *openapi_sample(const struct openapi *o, struct arena *a, json_t *schema)
{
	struct sampler s = { o, SAMPLE_NODES, NULL };
	json_t *v = sample(&s, schema, SAMPLE_DEPTH);

	return jsn_keep(a, v ? v : json_null());
}

json_t *openapi_media_example(const struct openapi *o, struct arena *a, const struct openapi_media *m)
{
	if (m->n_examples > 0)
		return m->examples[0].value;
	return m->schema ? openapi_sample(o, a, m->schema) : NULL;
}
