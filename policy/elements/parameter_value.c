#include "policy/elements/parameter_value.h"

#include "core/str.h"
#include "policy/elements/url.h"

#include <math.h>
#include <stdlib.h>

enum { DEPTH_MAX = 16, PARTS_MAX = 4096 };

enum { IS_STRING = 1, IS_INTEGER = 2, IS_NUMBER = 4, IS_BOOLEAN = 8, IS_NULL = 16, IS_ARRAY = 32, IS_OBJECT = 64 };

/* ---- what a schema asks for ----------------------------------------------------------------------------------------- */

static unsigned type_bit(struct str name)
{
	static const struct {
		struct str name;
		unsigned bit;
	} types[] = {
		{ STR_INIT("string"), IS_STRING },   { STR_INIT("integer"), IS_INTEGER }, { STR_INIT("number"), IS_NUMBER },
		{ STR_INIT("boolean"), IS_BOOLEAN }, { STR_INIT("null"), IS_NULL },       { STR_INIT("array"), IS_ARRAY },
		{ STR_INIT("object"), IS_OBJECT },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_eq(types[i].name, name))
			return types[i].bit;
	return 0;
}

static const char *const compositions[] = { "allOf", "anyOf", "oneOf" };

/* The types that a schema names or implies; 0: it does not say. */
static unsigned types_of(const struct openapi *o, json_t *schema, unsigned depth)
{
	json_t *s = schema ? openapi_resolve(o, schema) : NULL, *type = jsn_get(s, "type"), *one;
	unsigned bits = type_bit(jsn_string(type));
	size_t i;

	json_array_foreach(type, i, one)
		bits |= type_bit(jsn_string(one));
	json_array_foreach(jsn_arr(s, "enum"), i, one)
		bits |= type ? 0 : type_bit(str_of(jsn_type_name(one)));
	if (!bits && jsn_get(s, "items"))
		bits = IS_ARRAY;
	if (!bits && jsn_get(s, "properties"))
		bits = IS_OBJECT;
	for (size_t k = 0; !bits && depth < DEPTH_MAX && k < ARRAY_LEN(compositions); k++) {
		json_array_foreach(jsn_arr(s, compositions[k]), i, one)
			bits |= types_of(o, one, depth + 1);
	}
	return bits;
}

/* The schema of a part: of items (name NULL) or of a property; NULL: none is given. */
static json_t *part_schema(const struct openapi *o, json_t *schema, const struct str *name, unsigned depth)
{
	json_t *s = schema ? openapi_resolve(o, schema) : NULL, *found, *one;
	size_t i;

	found = name ? jsn_get_n(jsn_obj(s, "properties"), *name) : jsn_get(s, "items");
	for (size_t k = 0; !found && depth < DEPTH_MAX && k < ARRAY_LEN(compositions); k++) {
		json_array_foreach(jsn_arr(s, compositions[k]), i, one) {
			found = part_schema(o, one, name, depth + 1);
			if (found)
				break;
		}
	}
	if (!found && name && json_is_object(jsn_get(s, "additionalProperties")))
		found = jsn_get(s, "additionalProperties");
	return found;
}

enum parameter_shape parameter_shape(const struct openapi *o, json_t *schema)
{
	unsigned bits = types_of(o, schema, 0);

	return bits & IS_ARRAY ? PARAMETER_LIST : bits & IS_OBJECT ? PARAMETER_OBJECT : PARAMETER_ONE;
}

/* ---- collecting ----------------------------------------------------------------------------------------------------- */

static bool is_spread(const struct openapi *o, const struct openapi_parameter *p)
{
	return p->in == OPENAPI_QUERY && !p->content_type.n && p->style == OPENAPI_FORM && p->explode && parameter_shape(o, p->schema) == PARAMETER_OBJECT;
}

/* "name[property]" gives the property. */
static struct str deep_property(const struct openapi_parameter *p, struct str name)
{
	if (p->style != OPENAPI_DEEP || p->content_type.n || name.n < p->name.n + 3 || !str_starts(name, p->name) || name.p[p->name.n] != '['
	    || name.p[name.n - 1] != ']')
		return STR_NULL;
	return str_first(str_from(name, p->name.n + 1), name.n - p->name.n - 2);
}

static bool names_property(const struct openapi *o, json_t *schema, struct str name)
{
	return json_is_object(part_schema(o, schema, &name, 0));
}

bool parameter_claims(const struct openapi *o, const struct openapi_parameter *p, struct str name)
{
	if (p->in != OPENAPI_QUERY)
		return false;
	if (p->style == OPENAPI_DEEP && !p->content_type.n && parameter_shape(o, p->schema) == PARAMETER_OBJECT)
		return !str_is_null(deep_property(p, name));
	return is_spread(o, p) ? names_property(o, p->schema, name) : str_eq(p->name, name);
}

bool parameter_collect(struct arena *a, const struct openapi *o, const struct openapi_parameter *p, struct str query,
		       struct fields *out)
{
	bool deep = p->style == OPENAPI_DEEP, spread = is_spread(o, p);
	struct str raw, value, name;

	fields_init(out, a);
	while (query.n && query_next(&query, &raw, &value)) {
		name = url_decode(a, raw, true);
		if (str_is_null(name))
			return false;
		if (!parameter_claims(o, p, name))
			continue;
		if (deep && !str_is_null(deep_property(p, name)))
			name = deep_property(p, name);
		else if (!spread)
			name = p->name;
		if (out->n < PARTS_MAX && !fields_add(out, name, str_is_null(value) ? STR("") : value))
			return false;
	}
	return true;
}

/* ---- telling the parts apart ---------------------------------------------------------------------------------------- */

struct reading {
	struct arena *a;
	const struct openapi *o;
	const struct openapi_parameter *p;
	bool encoded;
	struct fields parts;         /* of an object: name and value; of a list: values */
};

/* Where the text is next cut, and how long the cut is; at the end n is 0. */
static size_t next_cut(const struct reading *r, struct str s, const char *mark, size_t *n)
{
	for (size_t i = 0; i < s.n; i++) {
		*n = 1;
		if (s.p[i] == *mark || (*mark == ' ' && r->encoded && s.p[i] == '+'))
			return i;
		*n = 3;
		if (r->encoded && s.p[i] == '%' && i + 2 < s.n
		    && ((*mark == ' ' && s.p[i + 1] == '2' && s.p[i + 2] == '0')
			|| (*mark == '\t' && s.p[i + 1] == '0' && s.p[i + 2] == '9')
			|| (*mark == '|' && s.p[i + 1] == '7' && ascii_upper(s.p[i + 2]) == 'C')))
			return i;
	}
	*n = 0;
	return s.n;
}

static struct str plain(const struct reading *r, struct str s)
{
	if (r->p->in == OPENAPI_HEADER)
		s = str_trim(s);
	return r->encoded ? url_decode(r->a, s, r->p->in == OPENAPI_QUERY) : s;
}

static bool add(struct reading *r, struct str name, struct str value)
{
	name = plain(r, name);
	value = plain(r, value);
	return !str_is_null(value) && r->parts.n < PARTS_MAX && fields_add(&r->parts, name, value);
}

/* "a,b,c" as values; "a,1,b,2" (pairs) or "a=1,b=2" (assigned) as members. */
static bool cut(struct reading *r, struct str s, const char *mark, bool pairs, bool assigned)
{
	size_t at, n;

	do {
		struct str part, name = r->p->name;

		at = next_cut(r, s, mark, &n);
		part = str_first(s, at);
		s = str_from(s, at + n);
		if (assigned) {
			size_t eq = str_find_char(part, '=');

			name = str_first(part, eq);
			part = eq == SIZE_MAX ? STR("") : str_from(part, eq + 1);
		} else if (pairs) {
			if (!n)
				return false;            /* a name without a value */
			name = part;
			at = next_cut(r, s, mark, &n);
			part = str_first(s, at);
			s = str_from(s, at + n);
		}
		if (!add(r, name, part))
			return false;
	} while (n);
	return true;
}

static bool cut_label(struct reading *r, struct str s, bool object)
{
	if (!s.n || s.p[0] != '.')
		return false;
	s = str_from(s, 1);
	if (!object || !r->p->explode)           /* OpenAPI 3.0 writes ".a.b", 3.1 ".a,b" when not exploded */
		return cut(r, s, !r->p->explode && str_find_char(s, ',') != SIZE_MAX ? "," : ".", object, false);
	return cut(r, s, ".", false, true);
}

static bool cut_matrix(struct reading *r, struct str s, bool object)
{
	size_t eq;

	if (!s.n || s.p[0] != ';')
		return false;
	s = str_from(s, 1);
	if (r->p->explode && object)
		return cut(r, s, ";", false, true);
	if (r->p->explode) {
		if (!cut(r, s, ";", false, true))
			return false;
		for (size_t i = 0; i < r->parts.n; i++)
			if (!str_eq(r->parts.v[i].name, r->p->name))
				return false;
		return true;
	}
	eq = str_find_char(s, '=');
	if (!str_eq(str_first(s, eq), r->p->name))
		return false;
	return cut(r, eq == SIZE_MAX ? STR("") : str_from(s, eq + 1), ",", object, false);
}

static bool cut_one(struct reading *r, struct str s, bool object)
{
	switch (r->p->style) {
	case OPENAPI_LABEL:
		return cut_label(r, s, object);
	case OPENAPI_MATRIX:
		return cut_matrix(r, s, object);
	case OPENAPI_SPACE:
		return cut(r, s, " ", object, false);
	case OPENAPI_PIPE:
		return cut(r, s, "|", object, false);
	case OPENAPI_TAB:
		return cut(r, s, "\t", object, false);
	case OPENAPI_SIMPLE:
		return cut(r, s, ",", object && !r->p->explode, object && r->p->explode);
	default:
		return cut(r, s, ",", object, false);
	}
}

/* ---- typing --------------------------------------------------------------------------------------------------------- */

static json_t *number(struct str text)
{
	char copy[64], *end;
	int64_t i;
	double d;

	if (str_to_i64(text, INT64_MIN, INT64_MAX, &i))
		return json_integer(i);
	if (!text.n || text.n >= sizeof(copy) || (!ascii_is_digit(text.p[0]) && text.p[0] != '-'))
		return NULL;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	d = strtod(copy, &end);
	return *end || !isfinite(d) || strpbrk(copy, "xX") ? NULL : json_real(d);
}

/* The text as the schema wants it; NULL: it cannot be read so. */
static json_t *typed(const struct openapi *o, json_t *schema, struct str text)
{
	unsigned bits = types_of(o, schema, 0) & ~(unsigned)(IS_ARRAY | IS_OBJECT);
	json_t *v = NULL;

	if (bits & (IS_INTEGER | IS_NUMBER))
		v = number(text);
	if (json_is_real(v) && !(bits & IS_NUMBER)) {
		json_decref(v);
		v = NULL;
	}
	if (!v && bits & IS_BOOLEAN)
		v = str_eq(text, STR("true")) ? json_true() : str_eq(text, STR("false")) ? json_false() : NULL;
	if (!v && bits & IS_NULL && !text.n)
		v = json_null();
	if (!v && (!bits || bits & IS_STRING))
		v = json_stringn(text.p ? text.p : "", text.n);
	return v;
}

static json_t *list_of(const struct reading *r)
{
	json_t *all = json_array(), *items = part_schema(r->o, r->p->schema, NULL, 0);

	for (size_t i = 0; i < r->parts.n; i++) {
		json_t *one = typed(r->o, items, r->parts.v[i].value);

		if (!one || json_array_append_new(all, one)) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

static json_t *object_of(const struct reading *r)
{
	json_t *all = json_object();

	for (size_t i = 0; i < r->parts.n; i++) {
		const struct field *f = &r->parts.v[i];
		json_t *schema = part_schema(r->o, r->p->schema, &f->name, 0), *one;
		const char *name = arena_cstr(r->a, f->name);

		/* a list inside an object comes as a member that stands several times */
		if (parameter_shape(r->o, schema) == PARAMETER_LIST) {
			json_t *list = name ? json_object_get(all, name) : NULL;

			one = typed(r->o, part_schema(r->o, schema, NULL, 0), f->value);
			if (one && json_is_array(list)) {
				json_array_append_new(list, one);
				continue;
			}
			one = one ? json_pack("[o]", one) : NULL;
		} else {
			one = typed(r->o, schema, f->value);
		}
		if (!one || !name || json_object_set_new(all, name, one)) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

static json_t *document(const struct reading *r, struct str text)
{
	json_t *v;
	struct gh_err err;

	text = r->encoded ? url_decode(r->a, text, r->p->in == OPENAPI_QUERY) : text;
	return !str_is_null(text) && !jsn_parse_in(r->a, text, &(struct jsn_limits){ .flags = JSN_ANY }, &v, NULL, &err).code
		? json_incref(v) : NULL;
}

json_t *parameter_value(struct arena *a, const struct openapi *o, const struct openapi_parameter *p, const struct fields *texts,
			bool encoded)
{
	enum parameter_shape shape = parameter_shape(o, p->schema);
	struct reading r = { .a = a, .o = o, .p = p, .encoded = encoded };
	bool apart = p->in == OPENAPI_QUERY && (p->style == OPENAPI_DEEP || (p->style == OPENAPI_FORM && p->explode));
	json_t *v = NULL;
	bool ok = texts->n > 0;

	fields_init(&r.parts, a);
	if (p->content_type.n)
		return ok ? jsn_keep(a, document(&r, texts->v[0].value)) : NULL;
	for (size_t i = 0; ok && i < texts->n; i++) {
		if (shape == PARAMETER_ONE && p->style != OPENAPI_LABEL && p->style != OPENAPI_MATRIX)
			ok = add(&r, texts->v[i].name, texts->v[i].value);
		else if (shape == PARAMETER_ONE)         /* ".a" and ";name=a": one part, whatever it holds */
			ok = p->style == OPENAPI_LABEL ? texts->v[i].value.n && *texts->v[i].value.p == '.'
				&& add(&r, p->name, str_from(texts->v[i].value, 1)) : cut_matrix(&r, texts->v[i].value, false);
		else
			ok = apart ? add(&r, texts->v[i].name, texts->v[i].value) : cut_one(&r, texts->v[i].value, shape == PARAMETER_OBJECT);
	}
	if (ok)
		v = shape == PARAMETER_LIST ? list_of(&r) : shape == PARAMETER_OBJECT ? object_of(&r)
			: r.parts.n ? typed(o, p->schema, r.parts.v[0].value) : NULL;
	return jsn_keep(a, v);
}
