/* schema.c - the JSON Schema of a kind's documents, from its table of fields. */
#include "config/document.h"

#include "core/str.h"

static json_t *of_fields(const struct resource_field *fields, bool for_writing, bool top);

static json_t *typed(const char *type, bool null)
{
	return null ? json_pack("{s:[s, s]}", "type", type, "null") : json_pack("{s:s}", "type", type);
}

static json_t *of_enum(const struct resource_field *f)
{
	json_t *v = typed("string", f->flags & RESOURCE_NULL), *all = json_array();

	for (size_t i = 0; f->values[i]; i++)
		json_array_append_new(all, json_string(f->values[i]));
	if (f->flags & RESOURCE_NULL)
		json_array_append_new(all, json_null());
	json_object_set_new(v, "enum", all);
	return v;
}

/* A text is what one writes; it is shown only once, by the answer that makes it. */
static json_t *of_secret(void)
{
	json_t *ref = json_pack("{s:s, s:{s:{s:s, s:s}}, s:[s], s:b}", "type", "object", "properties", "ref", "type", "string", "description",
				"Where the secret stands: env:NAME, file:/PATH, credential:NAME or vault:MOUNT/PATH#FIELD", "required", "ref",
				"additionalProperties", 0);
	json_t *sealed = json_pack("{s:s, s:{s:{s:b}}, s:[s], s:b}", "type", "object", "properties", "sealed", "const", 1, "required",
				   "sealed", "additionalProperties", 0);

	return json_pack("{s:[{s:s}, o, o, {s:s}]}", "oneOf", "type", "string", ref, sealed, "type", "null");
}

static json_t *of_text(const struct resource_field *f, bool for_writing)
{
	json_t *v = typed("string", f->flags & RESOURCE_NULL);

	if (for_writing && f->flags & RESOURCE_NUMBER)
		json_object_set_new(v, "type", f->flags & RESOURCE_NULL ? json_pack("[s, s, s]", "string", "number", "null") : json_pack("[s, s]", "string", "number"));
	if (f->flags & RESOURCE_REQUIRED && !(f->flags & RESOURCE_EMPTY))
		json_object_set_new(v, "minLength", json_integer(1));
	return v;
}

static json_t *of_field(const struct resource_field *f, bool for_writing)
{
	json_t *v;

	switch (f->type) {
	case RESOURCE_BOOL:
		return typed("boolean", false);
	case RESOURCE_INT:
		v = typed("integer", f->flags & RESOURCE_NULL);
		if (f->least || f->most) {
			json_object_set_new(v, "minimum", json_integer(f->least));
			json_object_set_new(v, "maximum", json_integer(f->most));
		}
		return v;
	case RESOURCE_TIME:
		v = typed("string", !(f->flags & RESOURCE_REQUIRED));
		json_object_set_new(v, "format", json_string("date-time"));
		return v;
	case RESOURCE_ENUM:
		return of_enum(f);
	case RESOURCE_REF:
		return typed("string", !(f->flags & RESOURCE_REQUIRED));
	case RESOURCE_TEXTS:
		return json_pack("{s:s, s:{s:s, s:i}}", "type", "array", "items", "type", "string", "minLength", 1);
	case RESOURCE_REFS:
		return json_pack("{s:s, s:{s:s}, s:b}", "type", "array", "items", "type", "string", "uniqueItems", 1);
	case RESOURCE_OBJECTS:
		return json_pack("{s:s, s:o}", "type", "array", "items", of_fields(f->fields, for_writing, false));
	case RESOURCE_OBJECT:
		v = f->fields ? of_fields(f->fields, for_writing, false) : json_pack("{s:s}", "type", "object");
		if (!(f->flags & RESOURCE_REQUIRED))
			json_object_set_new(v, "type", json_pack("[s, s]", "object", "null"));
		return v;
	case RESOURCE_SECRET:
		return of_secret();
	case RESOURCE_TEXT:
		break;
	}
	return of_text(f, for_writing);
}

static json_t *of_fields(const struct resource_field *fields, bool for_writing, bool top)
{
	json_t *properties = json_object(), *required = json_array(), *v;

	for (const struct resource_field *f = fields; f->name; f++) {
		json_t *one;

		if (for_writing && f->flags & RESOURCE_READ_ONLY)
			continue;
		one = of_field(f, for_writing);
		if (f->description)
			json_object_set_new(one, "description", json_string(f->description));
		if (f->label)
			json_object_set_new(one, "title", json_string(f->label));
		if (f->flags & RESOURCE_READ_ONLY)
			json_object_set_new(one, "readOnly", json_true());
		if (for_writing && !(f->flags & (RESOURCE_REQUIRED | RESOURCE_STAYS)) && f->type != RESOURCE_SECRET)
			json_object_set_new(one, "default", resource_default(f));
		if (f->ref && f->type != RESOURCE_TEXT)
			json_object_set_new(one, "x-reference", json_string(f->ref));
		json_object_set_new(properties, f->name, one);
		/* the id of a document that is written stands in the address too */
		if (for_writing ? f->flags & RESOURCE_REQUIRED && !(top && f == fields) : true)
			json_array_append_new(required, json_string(f->name));
	}
	v = json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "properties", properties, "required", required, "additionalProperties", 0);
	return v;
}

json_t *resource_schema(struct arena *a, const struct resource_kind *k, bool for_writing)
{
	json_t *v = of_fields(k->fields, for_writing, true);

	if (v)
		json_object_set_new(v, "description", json_string(k->description));
	return jsn_keep(a, v);
}
