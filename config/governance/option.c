/* option.c - functionOptions: what they may hold, and what is made of them before anything runs. */
#include "config/governance/function.h"

#include "core/str.h"
#include "core/suggest.h"
#include "policy/net/out.h"

static void free_schema(void *s)
{
	jsonschema_free(s);
}

static GH_RC compile(struct arena *a, json_t *schema, struct jsonschema **out, struct gh_err *err)
{
	const struct jsonschema_options o = { .dialect = JSONSCHEMA_2020_12, .formats = true };

	*out = NULL;
	if (!jsn_keep(a, schema))
		FAIL(err, NOMEM, "rule");
	TRY(jsonschema_new(out, schema, STR(""), &o, err));
	if (arena_defer(a, free_schema, *out))
		return GH_RC_OK;
	jsonschema_free(*out);
	FAIL(err, NOMEM, "rule");
}

/* Spectral takes "^x$" and "/^x$/"; flags behind the second slash have no place in a JSON Schema. */
static GH_RC pattern(struct arena *a, const json_t *v, bool match, struct governance_then *t, struct gh_err *err)
{
	struct str s = jsn_string(v);
	json_t *schema;

	if (!s.n)
		FAIL(err, INVALID, "must be a regular expression");
	if (s.n > 2 && s.p[0] == '/') {
		size_t end = str_rfind_char(s, '/');

		if (end > 0 && end + 1 < s.n)
			FAIL(err, INVALID, "takes no flags behind the regular expression; write [Aa] for a letter of either case");
		if (end > 0)
			s = (struct str){ s.p + 1, end - 1 };
	}
	schema = json_pack("{s:s%}", "pattern", s.p, s.n);
	if (!match)
		schema = json_pack("{s:o}", "not", schema);
	*(match ? &t->want : &t->not_want) = arena_dup(a, s);
	return compile(a, schema, match ? &t->schema : &t->not_schema, err);
}

static const struct {
	const char *name, *with_digits, *letters_only;
} casings[] = {
	{ "flat", "[a-z][a-z0-9]*", "[a-z]+" },
	{ "camel", "[a-z][a-z0-9]*(?:[A-Z0-9](?:[a-z0-9]+|$))*", "[a-z]+(?:[A-Z](?:[a-z]+|$))*" },
	{ "pascal", "[A-Z][a-z0-9]*(?:[A-Z0-9](?:[a-z0-9]+|$))*", "[A-Z][a-z]*(?:[A-Z](?:[a-z]+|$))*" },
	{ "kebab", "[a-z][a-z0-9]*(?:-[a-z0-9]+)*", "[a-z]+(?:-[a-z]+)*" },
	{ "cobol", "[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*", "[A-Z]+(?:-[A-Z]+)*" },
	{ "snake", "[a-z][a-z0-9]*(?:_[a-z0-9]+)*", "[a-z]+(?:_[a-z]+)*" },
	{ "macro", "[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*", "[A-Z]+(?:_[A-Z]+)*" },
};

static GH_RC casing(struct arena *a, const json_t *o, struct governance_then *t, const char **pointer, struct gh_err *err)
{
	const json_t *separator = jsn_obj(o, "separator");
	struct str type = jsn_str(o, "type"), mark = jsn_str(separator, "char"), text;
	const char *base = NULL;

	for (size_t i = 0; i < ARRAY_LEN(casings); i++)
		if (str_eq(type, str_of(casings[i].name)))
			base = jsn_bool(o, "disallowDigits", false) ? casings[i].letters_only : casings[i].with_digits;
	*pointer = "/type";
	if (!base)
		FAIL(err, INVALID, "must be one of flat, camel, pascal, kebab, cobol, snake, macro");
	*pointer = "/separator";
	if (jsn_get(o, "separator") && (mark.n != 1 || (unsigned char)*mark.p >= 0x80 || ascii_is_alpha(*mark.p) || ascii_is_digit(*mark.p)
					|| (unsigned char)*mark.p <= ' '))
		FAIL(err, INVALID, "has a char, one mark that is neither letter nor digit");
	t->want = arena_dup(a, type);
	if (mark.n)
		text = arena_printf(a, "^%s%s(?:\\x%02x%s)*$", jsn_bool(separator, "allowLeading", false) ? arena_cstr(a, arena_printf(a, "\\x%02x?", *mark.p)) : "",
				    base, *mark.p, base);
	else
		text = arena_printf(a, "^%s$", base);
	*pointer = "";
	return compile(a, json_pack("{s:s%}", "pattern", text.p, text.n), &t->schema, err);
}

static GH_RC texts(struct arena *a, const json_t *list, struct governance_then *t, struct gh_err *err)
{
	struct out o = out_in(a);
	size_t i;
	json_t *v;

	t->properties = arena_alloc(a, json_array_size(list) + 1, sizeof(*t->properties));
	if (!t->properties)
		FAIL(err, NOMEM, "rule");
	if (json_array_size(list) < 2 || json_array_size(list) > GOVERNANCE_VALUES_MAX)
		FAIL(err, INVALID, "must be a list of two names or more");
	json_array_foreach(list, i, v) {
		if (!jsn_string(v).n)
			FAIL(err, INVALID, "must be a list of names");
		t->properties[t->n_properties++] = arena_dup(a, jsn_string(v));
		out_add(&o, ", ", i ? 2 : 0);
		out_put(&o, jsn_string(v));
	}
	t->want = out_str(&o);
	return GH_RC_OK;
}

static GH_RC values(struct arena *a, const json_t *list, struct governance_then *t, struct gh_err *err)
{
	struct out o = out_in(a);
	size_t i;
	json_t *v;

	if (!json_array_size(list) || json_array_size(list) > GOVERNANCE_VALUES_MAX)
		FAIL(err, INVALID, "must be a list of values");
	json_array_foreach(list, i, v) {
		if (json_is_object(v) || json_is_array(v))
			FAIL(err, INVALID, "must be a list of simple values");
		out_add(&o, ", ", i ? 2 : 0);
		out_put(&o, json_is_string(v) ? jsn_string(v) : jsn_text(a, v, 0));
	}
	t->want = out_str(&o);
	return compile(a, json_pack("{s:O}", "enum", list), &t->schema, err);
}

static GH_RC number(const json_t *v, bool *has, double *out, struct gh_err *err)
{
	if (v && !json_is_number(v))
		FAIL(err, INVALID, "must be a number");
	*has = v != NULL;
	*out = v ? json_number_value(v) : 0;
	return GH_RC_OK;
}

static GH_RC of_length(struct governance_then *t, const json_t *o, const char **pointer, struct gh_err *err)
{
	*pointer = "/min";
	TRY(number(jsn_get(o, "min"), &t->has_min, &t->min, err));
	*pointer = "/max";
	TRY(number(jsn_get(o, "max"), &t->has_max, &t->max, err));
	*pointer = "";
	if (!t->has_min && !t->has_max)
		FAIL(err, INVALID, "needs min, max or both");
	return GH_RC_OK;
}

static GH_RC of_pattern(struct arena *a, struct governance_then *t, const json_t *o, const char **pointer, struct gh_err *err)
{
	*pointer = "/match";
	if (jsn_get(o, "match"))
		TRY(pattern(a, jsn_get(o, "match"), true, t, err));
	*pointer = "/notMatch";
	if (jsn_get(o, "notMatch"))
		TRY(pattern(a, jsn_get(o, "notMatch"), false, t, err));
	*pointer = "";
	if (!t->schema && !t->not_schema)
		FAIL(err, INVALID, "needs match or notMatch");
	return GH_RC_OK;
}

static GH_RC known(const struct governance_function *f, const json_t *options, struct gh_err *err)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)options, name, v) {
		size_t i = 0;

		while (i < ARRAY_LEN(f->options) && f->options[i] && strcmp(f->options[i], name) != 0)
			i++;
		if (i == ARRAY_LEN(f->options) || !f->options[i])
			FAIL(err, INVALID, "%s knows no option '%.60s'", f->name, name);
	}
	return GH_RC_OK;
}

GH_RC governance_options(struct arena *a, struct governance_then *t, const json_t *options, const char **pointer, struct gh_err *err)
{
	const char *name = t->function->name;

	*pointer = "";
	if (t->function->needs && !json_is_object(options))
		FAIL(err, INVALID, "%s needs functionOptions", name);
	if (options && !json_is_object(options) && !json_is_null(options))
		FAIL(err, INVALID, "must be an object, not %s", jsn_type_name(options));
	TRY(known(t->function, options, err));
	if (strcmp(name, "pattern") == 0)
		return of_pattern(a, t, options, pointer, err);
	if (strcmp(name, "casing") == 0)
		return casing(a, options, t, pointer, err);
	if (strcmp(name, "length") == 0)
		return of_length(t, options, pointer, err);
	if (strcmp(name, "xor") == 0 || strcmp(name, "or") == 0) {
		*pointer = "/properties";
		return texts(a, jsn_arr(options, "properties"), t, err);
	}
	if (strcmp(name, "enumeration") == 0) {
		*pointer = "/values";
		return values(a, jsn_arr(options, "values"), t, err);
	}
	if (strcmp(name, "schema") == 0) {
		*pointer = "/schema";
		if (!json_is_object(jsn_get(options, "schema")) && !json_is_boolean(jsn_get(options, "schema")))
			FAIL(err, INVALID, "must be a JSON Schema");
		return compile(a, json_deep_copy(jsn_get(options, "schema")), &t->schema, err);
	}
	t->keyed_by = arena_dup(a, jsn_str(options, "keyedBy"));
	return GH_RC_OK;
}
