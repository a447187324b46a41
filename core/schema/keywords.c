/* keywords.c - the table of keywords, and those that judge a value without looking at its parts. Applicators, which hand
 * parts of a value to other schemas, are in applicators.c. */
#include "core/schema/applicators.h"
#include "core/schema/schema.h"

#include "core/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- preparation ------------------------------------------------------------------------------------------------------------ */

static GH_RC bad(struct node *n, const char *keyword, const char *what, struct gh_err *err)
{
	FAIL(err, INVALID, "#%.*s/%s: %s", STR_ARG(str_first(n->pointer, 200)), keyword, what);
}

#define NEEDS(test, keyword, what)                                      \
	do {                                                            \
		if (!(test))                                            \
			return bad(n, (keyword), (what), err);          \
	} while (0)

static GH_RC compile_number(struct compiler *c UNUSED, struct node *n, json_t *v, void **data UNUSED, bool *keep,
			    struct gh_err *err)
{
	/* draft 4 and OpenAPI 3.0 have booleans beside minimum and maximum; those are read by them */
	if (json_is_boolean(v)) {
		*keep = false;
		return GH_RC_OK;
	}
	NEEDS(json_is_number(v), "minimum", "limits of numbers are numbers");
	return GH_RC_OK;
}

static GH_RC compile_count(struct compiler *c UNUSED, struct node *n, json_t *v, void **data UNUSED, bool *keep UNUSED,
			   struct gh_err *err)
{
	NEEDS(is_integer(v, JSONSCHEMA_2020_12) && json_number_value(v) >= 0, "max…, min…", "counts are integers of 0 or more");
	return GH_RC_OK;
}

static GH_RC compile_multiple(struct compiler *c UNUSED, struct node *n, json_t *v, void **data UNUSED, bool *keep UNUSED,
			      struct gh_err *err)
{
	NEEDS(json_is_number(v) && json_number_value(v) > 0, "multipleOf", "must be a number above 0");
	return GH_RC_OK;
}

static GH_RC compile_list(struct compiler *c UNUSED, struct node *n, json_t *v, void **data UNUSED, bool *keep UNUSED,
			  struct gh_err *err)
{
	NEEDS(json_is_array(v), "enum", "must be a list");
	return GH_RC_OK;
}

static GH_RC compile_pattern(struct compiler *c, struct node *n, json_t *v, void **data, bool *keep UNUSED, struct gh_err *err)
{
	struct pattern *p;

	NEEDS(json_is_string(v), "pattern", "must be a text");
	TRY(pattern_of(c, n, jsn_string(v), &p, err));
	*data = p;
	return GH_RC_OK;
}

static GH_RC compile_format(struct compiler *c, struct node *n UNUSED, json_t *v, void **data UNUSED, bool *keep,
			    struct gh_err *err UNUSED)
{
	*keep = c->s->options.formats && json_is_string(v);
	return GH_RC_OK;
}

static bool is_type_name(struct str s)
{
	static const char *const names[] = { "object", "array", "string", "number", "integer", "boolean", "null", "file" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(s, str_of(names[i])))
			return true;
	return false;
}

static GH_RC compile_type(struct compiler *c UNUSED, struct node *n, json_t *v, void **data UNUSED, bool *keep UNUSED,
			  struct gh_err *err)
{
	size_t i;
	json_t *one;

	if (!json_is_array(v)) {
		NEEDS(is_type_name(jsn_string(v)), "type", "must be object, array, string, number, integer, boolean or null");
		return GH_RC_OK;
	}
	json_array_foreach(v, i, one)
		NEEDS(is_type_name(jsn_string(one)), "type", "must be object, array, string, number, integer, boolean or null");
	return GH_RC_OK;
}

/* Properties that the direction does not need are taken out of the list. */
static GH_RC compile_required(struct compiler *c, struct node *n, json_t *v, void **data, bool *keep, struct gh_err *err)
{
	enum jsonschema_direction way = c->s->options.direction;
	const char *excuse = way == JSONSCHEMA_REQUEST ? "readOnly" : "writeOnly";
	json_t *names, *name;
	size_t i;

	if (json_is_boolean(v) && n->dialect == JSONSCHEMA_OPENAPI_3_0) {        /* a slip that is common in Swagger */
		*keep = false;
		return GH_RC_OK;
	}
	NEEDS(json_is_array(v), "required", "must be a list of names");
	names = jsn_keep(c->a, json_array());
	json_array_foreach(v, i, name) {
		json_t *of = jsn_get_n(jsn_obj(n->schema, "properties"), jsn_string(name));
		struct str ref = jsn_str(of, "$ref");

		if (ref.n > 1 && ref.p[0] == '#')
			of = jsn_fragment(c->s->document, str_from(ref, 1));
		if (json_is_string(name) && (way == JSONSCHEMA_ANY_WAY || !jsn_bool(of, excuse, false)))
			json_array_append(names, name);
	}
	if (!names)
		FAIL(err, NOMEM, "schema");
	*data = names;
	return GH_RC_OK;
}

/* ---- any value -------------------------------------------------------------------------------------------------------------- */

static bool is_of_type(const json_t *v, struct str type, enum jsonschema_dialect d)
{
	if (str_eq(type, STR("integer")))
		return is_integer(v, d);
	if (str_eq(type, STR("number")))
		return json_is_number(v);
	if (str_eq(type, STR("file")))
		return true;
	return str_eq(type, str_of(jsn_type_name(v)));
}

static void put_type(struct buf *b, struct str name, bool more)
{
	char first = name.n ? ascii_upper(name.p[0]) : '?';

	buf_fmt(b, "%s%c%.*s", more ? ", " : "", first, STR_ARG(str_from(name, 1)));
}

static bool check_type(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	struct buf names;
	size_t i;
	json_t *one;

	if (json_is_string(r->value) && is_of_type(v, jsn_string(r->value), n->dialect))
		return true;
	json_array_foreach(r->value, i, one) {
		if (is_of_type(v, jsn_string(one), n->dialect))
			return true;
	}
	buf_init(&names, 200);
	if (json_is_string(r->value))
		put_type(&names, jsn_string(r->value), false);
	json_array_foreach(r->value, i, one)
		put_type(&names, jsn_string(one), i > 0);
	wrong(k, n, r, "Invalid type. Expected %.*s but got %s.", STR_ARG(buf_view(&names)), net_type_name(v));
	buf_release(&names);
	return false;
}

static bool check_enum(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	size_t i;
	json_t *one;

	if (!spend(k, json_array_size(r->value)))
		return false;
	json_array_foreach(r->value, i, one) {
		if (values_equal(one, v))
			return true;
	}
	return wrong(k, n, r, "Value %.*s is not defined in enum.", STR_ARG(value_brief(k->scratch, v)));
}

static bool check_const(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	if (values_equal(r->value, v))
		return true;
	return wrong(k, n, r, "Value %.*s does not match const.", STR_ARG(value_brief(k->scratch, v)));
}

/* ---- numbers ---------------------------------------------------------------------------------------------------------------- */

static const char *number_text(const json_t *v, char out[JSN_NUMBER_MAX])
{
	if (json_is_integer(v))
		snprintf(out, JSN_NUMBER_MAX, "%lld", (long long)json_integer_value(v));
	else
		jsn_number(json_real_value(v), out);
	return out;
}

static bool limit_wrong(struct check *k, const struct node *n, const struct rule *r, const json_t *v, const char *fmt)
{
	char got[JSN_NUMBER_MAX], limit[JSN_NUMBER_MAX];

	number_text(v, got);
	number_text(r->value, limit);
	if (fmt[0] == '<')
		return wrong(k, n, r, "%s %s is less than minimum value of %s.", net_type_name(v), got, limit);
	if (fmt[0] == '>')
		return wrong(k, n, r, "%s %s exceeds maximum value of %s.", net_type_name(v), got, limit);
	return wrong(k, n, r, "%s %s equals %s value of %s and exclusive %s is true.", net_type_name(v), got, fmt, limit, fmt);
}

static bool check_minimum(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	int c = numbers_compare(v, r->value);

	if (c < 0)
		return limit_wrong(k, n, r, v, "<");
	if (c == 0 && json_is_true(jsn_get(n->schema, "exclusiveMinimum")))
		return limit_wrong(k, n, r, v, "minimum");
	return true;
}

static bool check_maximum(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	int c = numbers_compare(v, r->value);

	if (c > 0)
		return limit_wrong(k, n, r, v, ">");
	if (c == 0 && json_is_true(jsn_get(n->schema, "exclusiveMaximum")))
		return limit_wrong(k, n, r, v, "maximum");
	return true;
}

static bool check_exclusive_minimum(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	int c = numbers_compare(v, r->value);

	return c > 0 ? true : limit_wrong(k, n, r, v, c < 0 ? "<" : "minimum");
}

static bool check_exclusive_maximum(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	int c = numbers_compare(v, r->value);

	return c < 0 ? true : limit_wrong(k, n, r, v, c > 0 ? ">" : "maximum");
}

/* A number as written in decimal: digits times a power of ten. 0.0075 is a multiple of 0.0001 although neither is exact in
 * binary, so the question is asked of the decimal forms. */
static bool decimal_of(const json_t *v, uint64_t *digits, int *power)
{
	char text[JSN_NUMBER_MAX], *p = text;

	*digits = 0;
	*power = 0;
	number_text(v, text);
	if (*p == '-')
		p++;
	for (bool fraction = false; ascii_is_digit(*p) || *p == '.'; p++) {
		if (*p == '.') {
			fraction = true;
			continue;
		}
		if (*digits > UINT64_MAX / 10 - 1)
			return false;
		*digits = *digits * 10 + (uint64_t)(*p - '0');
		*power -= fraction;
	}
	if (*p == 'e')
		*power += (int)strtol(p + 1, NULL, 10);
	return true;
}

static bool is_multiple(const json_t *v, const json_t *of)
{
	uint64_t x, y;
	int px, py;

	if (json_is_integer(v) && json_is_integer(of))
		return json_integer_value(v) % json_integer_value(of) == 0;
	if (!decimal_of(v, &x, &px) || !decimal_of(of, &y, &py) || y == 0)
		return fmod(json_number_value(v), json_number_value(of)) == 0;
	for (; py < px; px--)                                    /* x * 10^(px - py) modulo y stays below y */
		x = (uint64_t)((unsigned __int128)(x % y) * 10 % y);
	for (; px < py && y <= UINT64_MAX / 10; py--)
		y *= 10;
	return x == 0 || (px == py && x % y == 0);
}

static bool check_multiple(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	char got[JSN_NUMBER_MAX], of[JSN_NUMBER_MAX];

	if (is_multiple(v, r->value))
		return true;
	return wrong(k, n, r, "%s %s is not a multiple of %s.", net_type_name(v), number_text(v, got), number_text(r->value, of));
}

/* ---- texts ------------------------------------------------------------------------------------------------------------------ */

static bool check_min_length(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	if ((double)schema_text_length(jsn_string(v)) >= json_number_value(r->value))
		return true;
	return wrong(k, n, r, "String '%.*s' is less than minimum length of %.0f.", STR_ARG(str_first(jsn_string(v), 200)),
		     json_number_value(r->value));
}

static bool check_max_length(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	if ((double)schema_text_length(jsn_string(v)) <= json_number_value(r->value))
		return true;
	return wrong(k, n, r, "String '%.*s' exceeds maximum length of %.0f.", STR_ARG(str_first(jsn_string(v), 200)),
		     json_number_value(r->value));
}

static bool check_pattern(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	const struct pattern *p = r->data;

	if (pattern_matches(k, p, jsn_string(v)))
		return true;
	return wrong(k, n, r, "String '%.*s' does not match regex pattern '%.*s'.", STR_ARG(str_first(jsn_string(v), 150)),
		     STR_ARG(str_first(p->text, 150)));
}

static bool check_format(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	struct str format = jsn_string(r->value);
	char got[JSN_NUMBER_MAX];

	if (json_is_number(v)) {
		double d = json_number_value(v);

		if ((!str_eq(format, STR("int32")) || (d >= INT32_MIN && d <= INT32_MAX)) &&
		    (!str_eq(format, STR("int64")) || json_is_integer(v) || fabs(d) < 9223372036854775808.0))
			return true;
		return wrong(k, n, r, "%s %s does not validate against format '%.*s'.", net_type_name(v), number_text(v, got),
			     STR_ARG(str_first(format, 60)));
	}
	if (!json_is_string(v) || jsonschema_format(format, jsn_string(v)))
		return true;
	return wrong(k, n, r, "String '%.*s' does not validate against format '%.*s'.", STR_ARG(str_first(jsn_string(v), 200)),
		     STR_ARG(str_first(format, 60)));
}

/* ---- lists ------------------------------------------------------------------------------------------------------------------ */

static bool check_min_items(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	if ((double)json_array_size(v) >= json_number_value(r->value))
		return true;
	return wrong(k, n, r, "Array item count %zu is less than minimum count of %.0f.", json_array_size(v),
		     json_number_value(r->value));
}

static bool check_max_items(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	if ((double)json_array_size(v) <= json_number_value(r->value))
		return true;
	return wrong(k, n, r, "Array item count %zu exceeds maximum count of %.0f.", json_array_size(v),
		     json_number_value(r->value));
}

struct hashed {
	uint64_t hash;
	size_t index;
};

static int by_hash(const void *l, const void *r)
{
	const struct hashed *a = l, *b = r;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static bool check_unique(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	size_t count = json_array_size(v), twin = SIZE_MAX;
	struct hashed *items;

	if (!json_is_true(r->value) || count < 2)
		return true;
	items = calloc(count, sizeof(*items));
	if (!items || !spend(k, count)) {
		free(items);
		return give_up(k);
	}
	for (size_t i = 0; i < count; i++)
		items[i] = (struct hashed){ schema_value_hash(json_array_get(v, i)), i };
	qsort(items, count, sizeof(*items), by_hash);
	for (size_t i = 1; i < count && twin == SIZE_MAX; i++)
		for (size_t j = i; j-- > 0 && items[j].hash == items[i].hash && spend(k, 1);)
			if (values_equal(json_array_get(v, items[i].index), json_array_get(v, items[j].index)))
				twin = items[i].index;
	free(items);
	if (k->result->gave_up || twin == SIZE_MAX)
		return !k->result->gave_up;
	return wrong(k, n, r, "Non-unique array item at index %zu.", twin);
}

/* ---- objects ---------------------------------------------------------------------------------------------------------------- */

static bool check_min_properties(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	if ((double)json_object_size(v) >= json_number_value(r->value))
		return true;
	return wrong(k, n, r, "Object property count %zu is less than minimum count of %.0f.", json_object_size(v),
		     json_number_value(r->value));
}

static bool check_max_properties(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	if ((double)json_object_size(v) <= json_number_value(r->value))
		return true;
	return wrong(k, n, r, "Object property count %zu exceeds maximum count of %.0f.", json_object_size(v),
		     json_number_value(r->value));
}

static bool missing_names(const struct check *k, const json_t *names, const json_t *obj, struct buf *out)
{
	size_t i;
	json_t *name;

	buf_init(out, 400);
	json_array_foreach(names, i, name) {
		if (json_is_string(name) && !has_member(k, obj, jsn_string(name))) {
			if (out->n > 0)
				buf_cstr(out, ", ");
			buf_str(out, str_first(jsn_string(name), 100));
		}
	}
	return out->n > 0;
}

static bool check_required(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	struct buf names;
	bool missing = missing_names(k, r->data, v, &names);

	if (missing)
		wrong(k, n, r, "Required properties are missing from object: %.*s.", STR_ARG(buf_view(&names)));
	buf_release(&names);
	return !missing;
}

bool check_dependent_names(struct check *k, const struct node *n, const struct rule *r, const json_t *v, const char *name,
			   const json_t *needed)
{
	struct buf names;
	bool missing = missing_names(k, needed, v, &names);

	if (missing)
		wrong(k, n, r, "Dependencies for property '%.100s' failed. Missing required keys: %.*s.", name,
		      STR_ARG(buf_view(&names)));
	buf_release(&names);
	return !missing;
}

static bool check_dependent_required(struct check *k, const struct node *n, const struct rule *r, const json_t *v)
{
	const char *name;
	json_t *needed;
	bool ok = true;

	json_object_foreach(r->value, name, needed) {
		if (has_member(k, v, str_of(name)) && !check_dependent_names(k, n, r, v, name, needed))
			ok = false;
	}
	return ok;
}

/* ---- the table -------------------------------------------------------------------------------------------------------------- */

#define BIT(d) (1u << JSONSCHEMA_##d)
#define OAS30 BIT(OPENAPI_3_0)
#define NEWEST (BIT(2020_12) | BIT(OPENAPI_3_1))
#define SINCE_2019 (NEWEST | BIT(2019_09))
#define SINCE_7 (SINCE_2019 | BIT(DRAFT_7))
#define SINCE_6 (SINCE_7 | BIT(DRAFT_6))
#define DRAFTS (SINCE_6 | BIT(DRAFT_4))
#define ALL (DRAFTS | OAS30)
#define UP_TO_2019 (DRAFTS & ~NEWEST)

const struct keyword schema_keywords[] = {
	{ "$ref", ALL, SHAPE_NONE, TO_ANY, compile_ref, check_ref },
	{ "$dynamicRef", NEWEST, SHAPE_NONE, TO_ANY, compile_dynamic_ref, check_dynamic_ref },
	{ "$recursiveRef", BIT(2019_09), SHAPE_NONE, TO_ANY, compile_recursive_ref, check_recursive_ref },
	{ "$defs", SINCE_2019, SHAPE_MAP, TO_ANY, NULL, NULL },
	{ "definitions", ALL, SHAPE_MAP, TO_ANY, NULL, NULL },
	{ "type", ALL, SHAPE_NONE, TO_ANY, compile_type, check_type },
	{ "enum", ALL, SHAPE_NONE, TO_ANY, compile_list, check_enum },
	{ "const", SINCE_6, SHAPE_NONE, TO_ANY, NULL, check_const },
	{ "minimum", ALL, SHAPE_NONE, TO_NUMBER, compile_number, check_minimum },
	{ "maximum", ALL, SHAPE_NONE, TO_NUMBER, compile_number, check_maximum },
	{ "exclusiveMinimum", ALL, SHAPE_NONE, TO_NUMBER, compile_number, check_exclusive_minimum },
	{ "exclusiveMaximum", ALL, SHAPE_NONE, TO_NUMBER, compile_number, check_exclusive_maximum },
	{ "multipleOf", ALL, SHAPE_NONE, TO_NUMBER, compile_multiple, check_multiple },
	{ "minLength", ALL, SHAPE_NONE, TO_STRING, compile_count, check_min_length },
	{ "maxLength", ALL, SHAPE_NONE, TO_STRING, compile_count, check_max_length },
	{ "pattern", ALL, SHAPE_NONE, TO_STRING, compile_pattern, check_pattern },
	{ "format", ALL, SHAPE_NONE, TO_ANY, compile_format, check_format },
	{ "minItems", ALL, SHAPE_NONE, TO_ARRAY, compile_count, check_min_items },
	{ "maxItems", ALL, SHAPE_NONE, TO_ARRAY, compile_count, check_max_items },
	{ "uniqueItems", ALL, SHAPE_NONE, TO_ARRAY, NULL, check_unique },
	{ "prefixItems", NEWEST, SHAPE_LIST, TO_ARRAY, compile_prefix, check_prefix },
	{ "items", ALL, SHAPE_SCHEMA_OR_LIST, TO_ARRAY, compile_items, check_items },
	{ "additionalItems", UP_TO_2019, SHAPE_SCHEMA, TO_ARRAY, compile_additional_items, check_additional_items },
	{ "contains", SINCE_6, SHAPE_SCHEMA, TO_ARRAY, compile_contains, check_contains },
	{ "minProperties", ALL, SHAPE_NONE, TO_OBJECT, compile_count, check_min_properties },
	{ "maxProperties", ALL, SHAPE_NONE, TO_OBJECT, compile_count, check_max_properties },
	{ "required", ALL, SHAPE_NONE, TO_OBJECT, compile_required, check_required },
	{ "dependentRequired", SINCE_2019, SHAPE_NONE, TO_OBJECT, NULL, check_dependent_required },
	{ "dependentSchemas", SINCE_2019, SHAPE_MAP, TO_OBJECT, compile_schema_map, check_dependent_schemas },
	{ "dependencies", DRAFTS, SHAPE_MAP, TO_OBJECT, compile_dependencies, check_dependencies },
	{ "properties", ALL, SHAPE_MAP, TO_OBJECT, compile_properties, check_properties },
	{ "patternProperties", DRAFTS, SHAPE_MAP, TO_OBJECT, compile_pattern_properties, check_pattern_properties },
	{ "additionalProperties", ALL, SHAPE_SCHEMA, TO_OBJECT, compile_additional, check_additional },
	{ "propertyNames", SINCE_6, SHAPE_SCHEMA, TO_OBJECT, compile_one, check_property_names },
	{ "allOf", ALL, SHAPE_LIST, TO_ANY, compile_schema_list, check_all_of },
	{ "anyOf", ALL, SHAPE_LIST, TO_ANY, compile_schema_list, check_any_of },
	{ "oneOf", ALL, SHAPE_LIST, TO_ANY, compile_schema_list, check_one_of },
	{ "not", ALL, SHAPE_SCHEMA, TO_ANY, compile_one, check_not },
	{ "if", SINCE_7, SHAPE_SCHEMA, TO_ANY, compile_if, check_if },
	{ "then", SINCE_7, SHAPE_SCHEMA, TO_ANY, NULL, NULL },
	{ "else", SINCE_7, SHAPE_SCHEMA, TO_ANY, NULL, NULL },
	{ "contentSchema", SINCE_2019, SHAPE_SCHEMA, TO_ANY, NULL, NULL },
	{ "unevaluatedItems", SINCE_2019, SHAPE_SCHEMA, TO_ARRAY, compile_unevaluated, check_unevaluated_items },
	{ "unevaluatedProperties", SINCE_2019, SHAPE_SCHEMA, TO_OBJECT, compile_unevaluated, check_unevaluated_properties },
	{ NULL, 0, SHAPE_NONE, TO_ANY, NULL, NULL },
};
