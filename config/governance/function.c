/* function.c - the functions of rules. What is about text (pattern, casing, enumeration) is put as a JSON Schema, which brings the
 * regular expressions of ECMA-262 and their limits along. Values that a function does not apply to pass, as in Spectral. */
#include "config/governance/function.h"

#include "core/str.h"
#include "policy/net/out.h"

static struct jtoken *plain(struct jtoken *v)
{
	return v && v->type == JT_PROPERTY ? (v->n ? v->v[0] : NULL) : v;
}

static struct str text_of(struct jtoken *v)
{
	return v && !jt_is_container(v) ? value_str(v->value) : STR_NULL;
}

static bool is_truthy(struct jtoken *v)
{
	if (!v || v->type == JT_NULL || v->type == JT_UNDEFINED)
		return false;
	if (jt_is_container(v))
		return true;
	switch (v->value.kind) {
	case VALUE_BOOL:
		return v->value.b;
	case VALUE_STRING:
		return str_trim(value_str(v->value)).n > 0;
	case VALUE_DOUBLE:
		return v->value.d < 0 || v->value.d > 0;
	case VALUE_NULL:
		return false;
	default:
		return v->value.i != 0;
	}
}

static bool say(struct governance_judge *j, struct str error)
{
	j->error = error;
	return false;
}

static bool run_truthy(struct governance_judge *j, const struct governance_then *t UNUSED, struct jtoken *v)
{
	return is_truthy(v) || say(j, STR("is missing or empty"));
}

static bool run_falsy(struct governance_judge *j, const struct governance_then *t UNUSED, struct jtoken *v)
{
	return !is_truthy(v) || say(j, STR("must not be set"));
}

static bool run_defined(struct governance_judge *j, const struct governance_then *t UNUSED, struct jtoken *v)
{
	return v || say(j, STR("is missing"));
}

static bool run_undefined(struct governance_judge *j, const struct governance_then *t UNUSED, struct jtoken *v)
{
	return !v || say(j, STR("must not be there"));
}

/* ---- by a schema ------------------------------------------------------------------------------------------------------------- */

/* Whether the value is valid; *why the first error. What cannot be judged is not valid. */
static bool valid(struct governance_judge *j, const struct jsonschema *s, struct jtoken *v, struct str *why)
{
	struct jsonschema_result result = { .valid = false };
	json_t *value = jsn_keep(j->arena, governance_json(v));
	struct gh_err err;

	*why = STR("is too deep to be judged");
	if (!value)
		return false;
	*why = STR("needs too much work to be judged");
	if (jsonschema_validate(s, value, j->arena, 1, &result, &err).code)
		return false;
	if (!result.valid && result.n_errors)
		*why = result.errors[0].path.n ? arena_printf(j->arena, "%.*s: %.*s", STR_ARG(result.errors[0].path), STR_ARG(result.errors[0].message))
					       : result.errors[0].message;
	return result.valid;
}

static bool run_pattern(struct governance_judge *j, const struct governance_then *t, struct jtoken *v)
{
	struct str why;

	if (!text_of(v).p)
		return true;
	if (t->schema && !valid(j, t->schema, v, &why))
		return say(j, arena_printf(j->arena, "must match %.*s", STR_ARG(t->want)));
	if (t->not_schema && !valid(j, t->not_schema, v, &why))
		return say(j, arena_printf(j->arena, "must not match %.*s", STR_ARG(t->not_want)));
	return true;
}

static bool run_casing(struct governance_judge *j, const struct governance_then *t, struct jtoken *v)
{
	struct str why;

	if (!text_of(v).n || valid(j, t->schema, v, &why))
		return true;
	return say(j, arena_printf(j->arena, "must be in %.*s case", STR_ARG(t->want)));
}

static bool run_enumeration(struct governance_judge *j, const struct governance_then *t, struct jtoken *v)
{
	struct str why;

	if (!v || jt_is_container(v) || valid(j, t->schema, v, &why))
		return true;
	return say(j, arena_printf(j->arena, "must be one of %.*s", STR_ARG(t->want)));
}

static bool run_schema(struct governance_judge *j, const struct governance_then *t, struct jtoken *v)
{
	struct str why;

	return !v || valid(j, t->schema, v, &why) || say(j, why);
}

/* ---- the others ---------------------------------------------------------------------------------------------------------------- */

static bool run_length(struct governance_judge *j, const struct governance_then *t, struct jtoken *v)
{
	struct str text = text_of(v);
	double n;

	if (!v || v->type == JT_NULL || v->type == JT_BOOLEAN)
		return true;
	if (text.p) {
		size_t characters = 0;

		for (size_t i = 0; i < text.n; i++)
			characters += ((unsigned char)text.p[i] & 0xc0) != 0x80;
		n = (double)characters;
	} else if (jt_is_container(v)) {
		n = (double)v->n;
	} else {
		n = v->value.kind == VALUE_DOUBLE ? v->value.d : (double)v->value.i;
	}
	if (t->has_min && n < t->min)
		return say(j, arena_printf(j->arena, "must be %g or more", t->min));
	if (t->has_max && n > t->max)
		return say(j, arena_printf(j->arena, "must be %g or less", t->max));
	return true;
}

static struct str key_of(struct jtoken *t, const struct governance_then *then)
{
	struct jtoken *v = plain(t);

	if (t->type == JT_PROPERTY)
		return t->name;
	if (then->keyed_by.n)
		v = v && v->type == JT_OBJECT ? jt_get(v, then->keyed_by) : NULL;
	return text_of(v);
}

static bool run_alphabetical(struct governance_judge *j, const struct governance_then *t, struct jtoken *v)
{
	if (!v || (v->type != JT_OBJECT && v->type != JT_ARRAY))
		return true;
	for (size_t i = 1; i < v->n; i++) {
		struct str before = key_of(v->v[i - 1], t), here = key_of(v->v[i], t);

		if (before.p && here.p && str_cmp(before, here) > 0)
			return say(j, arena_printf(j->arena, "must be in alphabetical order: '%.*s' stands before '%.*s'", STR_ARG(before), STR_ARG(here)));
	}
	return true;
}

static size_t count_properties(const struct governance_then *t, struct jtoken *v)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_properties; i++)
		n += jt_get(v, t->properties[i]) != NULL;
	return n;
}

static bool run_xor(struct governance_judge *j, const struct governance_then *t, struct jtoken *v)
{
	return !v || v->type != JT_OBJECT || count_properties(t, v) == 1
	       || say(j, arena_printf(j->arena, "must have exactly one of %.*s", STR_ARG(t->want)));
}

static bool run_or(struct governance_judge *j, const struct governance_then *t, struct jtoken *v)
{
	return !v || v->type != JT_OBJECT || count_properties(t, v) > 0
	       || say(j, arena_printf(j->arena, "must have at least one of %.*s", STR_ARG(t->want)));
}

static bool is_of_type(const struct jtoken *v, struct str type)
{
	static const struct {
		const char *name;
		enum jt_type type;
	} types[] = { { "string", JT_STRING }, { "integer", JT_INTEGER }, { "number", JT_FLOAT }, { "boolean", JT_BOOLEAN }, { "null", JT_NULL },
		      { "object", JT_OBJECT }, { "array", JT_ARRAY } };

	if (str_eq(type, STR("number")) && v->type == JT_INTEGER)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_eq(type, str_of(types[i].name)))
			return v->type == types[i].type;
	return true;
}

static bool run_typed_enum(struct governance_judge *j, const struct governance_then *t UNUSED, struct jtoken *v)
{
	struct jtoken *type = v && v->type == JT_OBJECT ? jt_get(v, STR("type")) : NULL;
	struct jtoken *values = v && v->type == JT_OBJECT ? jt_get(v, STR("enum")) : NULL;

	if (!text_of(type).p || !values || values->type != JT_ARRAY)
		return true;
	for (size_t i = 0; i < values->n; i++)
		if (!is_of_type(values->v[i], text_of(type)))
			return say(j, arena_printf(j->arena, "value %zu of enum is no %.*s", i + 1, STR_ARG(text_of(type))));
	return true;
}

/* ---- the table ----------------------------------------------------------------------------------------------------------------- */

static const struct governance_function functions[] = {
	{ "alphabetical", { "keyedBy", NULL }, false, run_alphabetical },
	{ "casing", { "type", "disallowDigits", "separator", NULL }, true, run_casing },
	{ "defined", { NULL }, false, run_defined },
	{ "enumeration", { "values", NULL }, true, run_enumeration },
	{ "falsy", { NULL }, false, run_falsy },
	{ "length", { "min", "max", NULL }, true, run_length },
	{ "or", { "properties", NULL }, true, run_or },
	{ "pattern", { "match", "notMatch", NULL }, true, run_pattern },
	{ "schema", { "schema", "dialect", "allErrors", NULL }, true, run_schema },
	{ "truthy", { NULL }, false, run_truthy },
	{ "typedEnum", { NULL }, false, run_typed_enum },
	{ "undefined", { NULL }, false, run_undefined },
	{ "xor", { "properties", NULL }, true, run_xor },
};
const char *const governance_function_names[] = { "alphabetical", "casing", "defined", "enumeration", "falsy", "length", "or", "pattern",
						  "schema", "truthy", "typedEnum", "undefined", "xor", NULL };

const struct governance_function *governance_function_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		if (str_eq(name, str_of(functions[i].name)))
			return &functions[i];
	return NULL;
}
