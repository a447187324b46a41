/* schema_view.c - a schema of an API description as people read it: its fields with type, limits and meaning, fields of
 * fields inside them.
 *
 * What `allOf` puts together is one list. Of `oneOf` and `anyOf` each alternative is a list of its own. A schema that
 * contains itself is named where it comes again. Depth and number of fields of a page are bounded; what is beyond them is in
 * the whole description. */
#include "portal/portal/docs.h"

#include "core/json.h"
#include "core/str.h"
#include "portal/web/markdown.h"

enum { DEPTH_MAX = 6, CHOICES_MAX = 12, PARTS_MAX = 32, WORDS_DEPTH = 3, ALL_OF_DEPTH = 8 };

struct way {                             /* the schemas around the one at hand */
	const struct way *up;
	const json_t *schema;
};

struct view {
	struct web *w;
	const struct openapi *o;
	size_t *left;                    /* fields that the page may still show */
};

/* ---- in words ------------------------------------------------------------------------------------------------------------ */

static struct str last_part(struct str ref)
{
	size_t at = str_rfind_char(ref, '/');

	return at == SIZE_MAX ? ref : str_from(ref, at + 1);
}

/* "string", "string or null"; "" when none is told. */
static struct str type_of(struct web *w, const json_t *schema)
{
	json_t *type = jsn_get(schema, "type"), *one;
	struct str text = jsn_string(type);
	size_t i;

	if (text.n && jsn_bool(schema, "nullable", false))
		return web_textf(w, "{1} or {2}", LANG_STR(text), LANG_STR(STR("null")));
	json_array_foreach(type, i, one) {
		struct str name = json_is_string(one) ? jsn_string(one) : STR("any");

		text = text.n ? web_textf(w, "{1} or {2}", LANG_STR(text), LANG_STR(name)) : name;
	}
	if (!text.n && (jsn_obj(schema, "properties") || jsn_arr(schema, "allOf")))
		return STR("object");
	return text.p ? text : STR("");
}

static struct str words(struct web *w, const struct openapi *o, json_t *schema, unsigned depth)
{
	json_t *resolved = schema ? openapi_resolve(o, schema) : NULL, *items;
	struct str name = last_part(jsn_str(schema, "$ref")), type, format;

	if (!schema || depth > WORDS_DEPTH)
		return STR("");
	if (name.n && (!resolved || jsn_get(resolved, "properties") || jsn_get(resolved, "allOf") || jsn_get(resolved, "oneOf")
		       || jsn_get(resolved, "anyOf")))
		return name;
	if (!resolved)
		return STR("any");
	type = type_of(w, resolved);
	items = jsn_get(resolved, "items");
	if (items && (str_eq(type, STR("array")) || !type.n))
		return web_textf(w, "list of {1}", LANG_STR(words(w, o, items, depth + 1)));
	format = jsn_str(resolved, "format");
	if (!type.n)
		type = jsn_get(resolved, "oneOf") || jsn_get(resolved, "anyOf") ? web_text(w, STR("one of several")) : STR("any");
	return format.n ? arena_printf(w->a, "%.*s, %.*s", STR_ARG(type), STR_ARG(format)) : type;
}

struct str portal_schema_words(struct web *w, const struct openapi *o, json_t *schema)
{
	struct str text = words(w, o, schema, 0);

	return text.p ? text : STR("");
}

void portal_put_choices(struct web *w, const struct openapi *o, json_t *schema, struct liquid_record *to)
{
	json_t *resolved = schema ? openapi_resolve(o, schema) : NULL, *choice, *only = jsn_get(resolved, "const");
	struct liquid_list *l = liquid_set_list(to, "choices");
	size_t i;

	if (only)
		liquid_push(l, liquid_of_text(liquid_to_text(w->a, liquid_of_json(only))));
	json_array_foreach(jsn_arr(resolved, "enum"), i, choice) {
		struct str text = liquid_to_text(w->a, liquid_of_json(choice));

		if (i == CHOICES_MAX)
			break;
		liquid_push(l, liquid_of_text(text.p ? text : STR("")));
	}
}

/* ---- limits ------------------------------------------------------------------------------------------------------------- */

static struct str number_text(struct arena *a, const json_t *v)
{
	return json_is_number(v) ? jsn_text(a, v, 0) : STR("");
}

/* "3 to 40 characters", "at least 1 entry", "at most 100": one entry of the list for each pair of bounds. */
static void put_bounds(struct view *v, struct liquid_list *to, const json_t *schema, const char *const names[2],
		       const char *const texts[3])
{
	struct str least = number_text(v->w->a, jsn_get(schema, names[0])), most = number_text(v->w->a, jsn_get(schema, names[1]));
	struct lang_value both[] = { LANG_STR(least), LANG_STR(most) };

	if (!least.n && !most.n)
		return;
	if (least.n && most.n)
		liquid_push(to, liquid_of_text(web_text_values(v->w, texts[0], both, 2)));
	else
		liquid_push(to, liquid_of_text(web_text_values(v->w, least.n ? texts[1] : texts[2], least.n ? both : both + 1, 1)));
}

static void put_limits(struct view *v, struct liquid_record *to, const json_t *schema)
{
	static const struct {
		const char *names[2], *texts[3];
	} bounds[] = {
		{ { "minimum", "maximum" }, { "{1} to {2}", "at least {1}", "at most {1}" } },
		{ { "exclusiveMinimum", "exclusiveMaximum" }, { "between {1} and {2}", "more than {1}", "less than {1}" } },
		{ { "minLength", "maxLength" }, { "{1} to {2} characters", "at least {1} characters", "at most {1} characters" } },
		{ { "minItems", "maxItems" }, { "{1} to {2} entries", "at least {1} entries", "at most {1} entries" } },
		{ { "minProperties", "maxProperties" }, { "{1} to {2} fields", "at least {1} fields", "at most {1} fields" } },
	};
	struct liquid_list *l = liquid_set_list(to, "limits");
	struct str step = number_text(v->w->a, jsn_get(schema, "multipleOf")), pattern = jsn_str(schema, "pattern");

	for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
		put_bounds(v, l, schema, bounds[i].names, bounds[i].texts);
	if (step.n)
		liquid_push(l, liquid_of_text(web_textf(v->w, "a multiple of {1}", LANG_STR(step))));
	if (jsn_bool(schema, "uniqueItems", false))
		liquid_push(l, liquid_of_text(web_text(v->w, STR("no entry twice"))));
	liquid_set_text(to, "pattern", pattern.p ? pattern : STR(""));
}

/* ---- fields ---------------------------------------------------------------------------------------------------------------- */

static GH_RC put_fields(struct view *v, json_t *schema, struct liquid_record *to, const struct way *up, struct gh_err *err);

static bool entered(const struct way *way, const json_t *schema)
{
	for (; way; way = way->up)
		if (way->schema == schema)
			return true;
	return false;
}

static bool required(json_t *const *parts, size_t n, const char *name)
{
	json_t *one;
	size_t i;

	for (size_t k = 0; k < n; k++)
		json_array_foreach(jsn_arr(parts[k], "required"), i, one)
			if (json_is_string(one) && !strcmp(json_string_value(one), name))
				return true;
	return false;
}

static GH_RC put_field(struct view *v, struct liquid_list *l, struct str name, json_t *schema, bool must, const struct way *up,
		       struct gh_err *err)
{
	json_t *resolved = openapi_resolve(v->o, schema), *value;
	struct liquid_record *row = liquid_push_record(l);
	struct liquid_value nodes;
	struct str text = jsn_str(resolved, "description");

	liquid_set_text(row, "name", name);
	liquid_set_bool(row, "required", must);
	liquid_set_text(row, "type", portal_schema_words(v->w, v->o, schema));
	liquid_set_bool(row, "deprecated", jsn_bool(resolved, "deprecated", false));
	liquid_set_bool(row, "read_only", jsn_bool(resolved, "readOnly", false));
	liquid_set_bool(row, "write_only", jsn_bool(resolved, "writeOnly", false));
	portal_put_choices(v->w, v->o, schema, row);
	put_limits(v, row, resolved);
	value = jsn_get(resolved, "default");
	liquid_set_text(row, "otherwise", value ? jsn_text(v->w->a, value, 0) : STR(""));
	if (jsn_str(schema, "description").n)        /* OpenAPI 3.1: what stands beside a reference is nearer */
		text = jsn_str(schema, "description");
	TRY(web_markdown(v->w->a, str_first(text.p ? text : STR(""), WEB_MARKDOWN_MAX), &nodes, err));
	liquid_set(row, "description", nodes);
	return put_fields(v, schema, row, up, err);
}

/* The schema and what `allOf` adds to it. */
static size_t parts_of(const struct openapi *o, json_t *schema, json_t **parts, size_t n, unsigned depth)
{
	json_t *one;
	size_t i;

	schema = schema ? openapi_resolve(o, schema) : NULL;
	if (!json_is_object(schema) || n == PARTS_MAX || depth > ALL_OF_DEPTH)
		return n;
	parts[n++] = schema;
	json_array_foreach(jsn_arr(schema, "allOf"), i, one)
		n = parts_of(o, one, parts, n, depth + 1);
	return n;
}

static GH_RC put_alternatives(struct view *v, json_t *schema, struct liquid_record *to, const struct way *way, struct gh_err *err)
{
	json_t *list = jsn_arr(schema, "oneOf") ? jsn_arr(schema, "oneOf") : jsn_arr(schema, "anyOf"), *one;
	struct liquid_list *l = liquid_set_list(to, "alternatives");
	size_t i;

	json_array_foreach(list, i, one) {
		json_t *resolved = openapi_resolve(v->o, one);
		struct str title = jsn_str(resolved, "title");
		struct liquid_record *row;

		if (!resolved || !*v->left)
			continue;
		--*v->left;
		row = liquid_push_record(l);
		liquid_set_text(row, "type", title.n ? title : portal_schema_words(v->w, v->o, one));
		TRY(put_fields(v, one, row, way, err));
	}
	return GH_RC_OK;
}

/* `fields` and `alternatives` of a schema, of the entries of a list, of the values under any name. */
static GH_RC put_fields(struct view *v, json_t *schema, struct liquid_record *to, const struct way *up, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(to, "fields");
	json_t *parts[PARTS_MAX], *resolved = openapi_resolve(v->o, schema), *any, *value;
	struct way way = { up, resolved };
	unsigned depth = 0;
	const char *name;
	size_t n;

	for (const struct way *x = up; x; x = x->up)
		depth++;
	liquid_set_bool(to, "again", entered(up, resolved));
	if (!resolved || depth > DEPTH_MAX || entered(up, resolved))
		return GH_RC_OK;
	n = parts_of(v->o, resolved, parts, 0, 0);
	for (size_t k = 0; k < n; k++)
		json_object_foreach(jsn_obj(parts[k], "properties"), name, value) {
			if (!*v->left)
				return GH_RC_OK;
			--*v->left;
			TRY(put_field(v, l, str_of(name), value, required(parts, n, name), &way, err));
		}
	any = jsn_obj(resolved, "additionalProperties");
	if (any && json_object_size(any) && *v->left) {
		--*v->left;
		TRY(put_field(v, l, STR(""), any, false, &way, err));
	}
	if (jsn_get(resolved, "items") && !json_object_size(jsn_obj(resolved, "properties")))
		return put_fields(v, jsn_get(resolved, "items"), to, &way, err);
	return put_alternatives(v, resolved, to, &way, err);
}

gh_rc portal_put_schema(struct web *w, const struct openapi *o, json_t *schema, size_t *left, struct liquid_record *to,
			struct gh_err *err)
{
	struct view v = { .w = w, .o = o, .left = left };

	if (!o || !schema)
		return GH_RC_OK;
	return put_fields(&v, schema, to, NULL, err);
}
