/* openapi_parts.c - servers, security, parameters, headers and examples. */
#include "core/openapi_read.h"

#include "core/str.h"

static const char *const in_names[] = { "path", "query", "header", "cookie" };
static const char *const style_names[] = { "simple", "label", "matrix", "form", "spaceDelimited", "pipeDelimited",
					   "deepObject", "tabDelimited" };

const char *openapi_in_name(enum openapi_in in)
{
	return in_names[in];
}

const char *openapi_style_name(enum openapi_style s)
{
	return style_names[s];
}

bool in_of(struct str name, enum openapi_in *in)
{
	for (size_t i = 0; i < ARRAY_LEN(in_names); i++) {
		if (str_eq(name, str_of(in_names[i]))) {
			*in = (enum openapi_in)i;
			return true;
		}
	}
	return false;
}

/* ---- servers ---------------------------------------------------------------------------------------------------------- */

/* "https://{region}.example/{v}" with each variable's default in its place. */
static struct str fill_variables(struct reader *r, struct str url, const json_t *variables)
{
	struct str out;
	struct buf b;

	if (str_find_char(url, '{') == SIZE_MAX)
		return url;
	buf_init(&b, 8192);
	for (size_t i = 0; i < url.n; i++) {
		size_t end = url.p[i] == '{' ? str_find_char(str_from(url, i), '}') : SIZE_MAX;
		struct str name;
		json_t *variable;

		if (end == SIZE_MAX) {
			buf_char(&b, url.p[i]);
			continue;
		}
		name = (struct str){ url.p + i + 1, end - 1 };
		variable = jsn_get_n(variables, name);
		if (!variable)
			warn(r, "the server variable '%.*s' is not described", STR_ARG(str_first(name, 100)));
		buf_str(&b, read_text(r, variable, "default"));
		i += end;
	}
	out = arena_dup(r->a, buf_ok(&b) ? buf_view(&b) : url);
	buf_release(&b);
	if (!out.p)
		r->failed = true;
	return out;
}

void read_servers(struct reader *r, const json_t *owner, const struct openapi_server **out, size_t *n)
{
	json_t *servers = jsn_arr(owner, "servers"), *v;
	struct openapi_server *to;
	size_t before, i;

	*n = 0;
	if (!servers)
		return;
	to = TAKE(r, json_array_size(servers), struct openapi_server);
	if (!to)
		return;
	before = at_enter(r, STR("servers"));
	json_array_foreach(servers, i, v) {
		size_t inner = at_enter_index(r, i);
		struct str url = read_text(r, v, "url");

		if (str_is_null(url)) {
			warn(r, "a server without a URL");
		} else {
			to[*n].url_template = url;
			to[*n].url = fill_variables(r, url, jsn_obj(v, "variables"));
			to[(*n)++].description = read_text(r, v, "description");
		}
		at_leave(r, inner);
	}
	at_leave(r, before);
	*out = to;
}

/* ---- security --------------------------------------------------------------------------------------------------------- */

static void read_scheme(struct reader *r, struct str key, json_t *v, struct openapi_scheme *to)
{
	static const struct {
		struct str name;
		enum openapi_scheme_type type;
	} types[] = {
		{ STR_INIT("apiKey"), OPENAPI_API_KEY },       { STR_INIT("http"), OPENAPI_HTTP },
		{ STR_INIT("basic"), OPENAPI_HTTP },           { STR_INIT("oauth2"), OPENAPI_OAUTH2 },
		{ STR_INIT("openIdConnect"), OPENAPI_OPENID }, { STR_INIT("mutualTLS"), OPENAPI_MUTUAL_TLS },
	};
	struct str type = read_text(r, v, "type");

	*to = (struct openapi_scheme){ .key = key, .type = OPENAPI_OTHER_SCHEME, .raw = v };
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_eq(types[i].name, type))
			to->type = types[i].type;
	if (to->type == OPENAPI_OTHER_SCHEME)
		warn(r, "the security scheme's type '%.*s' is not known", STR_ARG(str_first(type, 60)));
	to->description = read_text(r, v, "description");
	to->name = read_text(r, v, "name");
	to->scheme = str_eq(type, STR("basic")) ? STR("basic") : read_text(r, v, "scheme");
	to->url = read_text(r, v, "openIdConnectUrl");
	if (to->type == OPENAPI_API_KEY && !in_of(jsn_str(v, "in"), &to->in))
		warn(r, "the API key's place '%.*s' is none of query, header, cookie", STR_ARG(str_first(jsn_str(v, "in"), 60)));
}

void read_schemes(struct reader *r, const json_t *schemes)
{
	bool v2 = r->o->dialect == OPENAPI_2_0;
	size_t before = r->at.n;
	struct openapi_scheme *to = TAKE(r, json_object_size(schemes), struct openapi_scheme);
	const char *key;
	json_t *v;

	if (!to)
		return;
	buf_cstr(&r->at, v2 ? "/securityDefinitions" : "/components/securitySchemes");
	json_object_foreach((json_t *)(uintptr_t)schemes, key, v) {
		size_t inner = at_enter(r, str_of(key));

		v = deref(r, v);
		if (v)
			read_scheme(r, str_of(key), v, &to[r->o->n_schemes++]);
		at_leave(r, inner);
	}
	r->o->schemes = to;
	at_leave(r, before);
}

static const struct openapi_scheme *scheme_of(const struct openapi *o, struct str key)
{
	for (size_t i = 0; i < o->n_schemes; i++)
		if (str_eq(o->schemes[i].key, key))
			return &o->schemes[i];
	return NULL;
}

static void read_requirement(struct reader *r, json_t *v, struct openapi_requirement *to)
{
	struct openapi_need *needs = TAKE(r, json_object_size(v), struct openapi_need);
	const char *key;
	json_t *scopes;

	if (!needs)
		return;
	json_object_foreach(v, key, scopes) {
		struct openapi_need *need = &needs[to->n_needs++];

		need->name = str_of(key);
		need->scheme = scheme_of(r->o, need->name);
		need->scopes = read_texts(r, scopes, &need->n_scopes);
		if (!need->scheme)
			warn(r, "the security scheme '%.100s' is not described", key);
	}
	to->needs = needs;
}

void read_security(struct reader *r, const json_t *owner, const struct openapi_requirement **out, size_t *n)
{
	json_t *list = jsn_arr(owner, "security"), *v;
	struct openapi_requirement *to = TAKE(r, json_array_size(list), struct openapi_requirement);
	size_t i, before = at_enter(r, STR("security"));

	*n = 0;
	if (to) {
		json_array_foreach(list, i, v)
			read_requirement(r, v, &to[(*n)++]);
	}
	*out = to;
	at_leave(r, before);
}

/* ---- examples --------------------------------------------------------------------------------------------------------- */

void read_examples(struct reader *r, const json_t *owner, const struct openapi_example **out, size_t *n)
{
	json_t *one = jsn_get(owner, "example"), *many = jsn_obj(owner, "examples"), *schema = jsn_get(owner, "schema"), *v;
	struct openapi_example *to = TAKE(r, json_object_size(many) + 2, struct openapi_example);
	const char *name;
	size_t before = at_enter(r, STR("examples"));

	*n = 0;
	json_object_foreach(many, name, v) {
		size_t inner = at_enter(r, str_of(name));

		v = to ? deref(r, v) : NULL;
		if (v && jsn_get(v, "value"))
			to[(*n)++] = (struct openapi_example){ .name = str_of(name), .summary = read_text(r, v, "summary"),
							       .value = jsn_get(v, "value") };
		else if (v && jsn_get(v, "externalValue"))
			warn(r, "the example stands in another document, which is not fetched");
		at_leave(r, inner);
	}
	at_leave(r, before);
	if (to && one)
		to[(*n)++] = (struct openapi_example){ .name = STR(""), .value = one };
	if (to && *n == 0) {
		json_t *of_schema = jsn_get(openapi_resolve(r->o, schema), "example");

		if (of_schema)
			to[(*n)++] = (struct openapi_example){ .name = STR(""), .value = of_schema, .generated = true };
	}
	*out = to;
}

/* ---- parameters and headers -------------------------------------------------------------------------------------------- */

static void read_style(struct reader *r, const json_t *v, struct openapi_parameter *out)
{
	struct str style = read_text(r, v, "style");

	out->style = out->in == OPENAPI_QUERY || out->in == OPENAPI_COOKIE ? OPENAPI_FORM : OPENAPI_SIMPLE;
	if (!str_is_null(style)) {
		size_t i = 0;

		while (i < ARRAY_LEN(style_names) && !str_eq(style, str_of(style_names[i])))
			i++;
		if (i < ARRAY_LEN(style_names))
			out->style = (enum openapi_style)i;
		else
			warn(r, "the style '%.*s' is not known", STR_ARG(str_first(style, 60)));
	}
	out->explode = jsn_bool(v, "explode", out->style == OPENAPI_FORM);
}

static void read_value_shape(struct reader *r, json_t *v, struct openapi_parameter *out)
{
	json_t *content = jsn_obj(v, "content");
	const char *type;
	json_t *media;

	out->description = read_text(r, v, "description");
	out->deprecated = jsn_bool(v, "deprecated", false);
	out->allow_empty = jsn_bool(v, "allowEmptyValue", false);
	out->allow_reserved = jsn_bool(v, "allowReserved", false);
	if (r->o->dialect == OPENAPI_2_0) {
		v2_parameter_schema(r, v, out);
	} else {
		read_style(r, v, out);
		out->schema = jsn_get(v, "schema");
	}
	read_examples(r, v, &out->examples, &out->n_examples);
	json_object_foreach(content, type, media) {
		out->content_type = str_of(type);
		out->schema = jsn_get(media, "schema");
		if (out->n_examples == 0)
			read_examples(r, media, &out->examples, &out->n_examples);
		break;
	}
}

void read_parameter(struct reader *r, json_t *v, struct openapi_parameter *out)
{
	out->name = read_text(r, v, "name");
	out->required = jsn_bool(v, "required", false);
	read_value_shape(r, v, out);
	if (out->in == OPENAPI_PATH && !out->required) {
		warn(r, "a path parameter is always required");
		out->required = true;
	}
}

void read_header(struct reader *r, struct str name, json_t *v, struct openapi_parameter *out)
{
	out->name = name;
	out->in = OPENAPI_HEADER;
	out->required = jsn_bool(v, "required", false);
	read_value_shape(r, v, out);
}

static bool has_parameter(const struct openapi_parameter *list, size_t n, enum openapi_in in, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].in == in && str_eq(list[i].name, name))
			return true;
	return false;
}

/* The list `of` an operation or path item; what stands in `to` already is kept. */
static void read_list(struct reader *r, json_t *list, struct openapi_parameter *to, size_t *n, bool of_operation)
{
	size_t i, before = at_enter(r, STR("parameters"));
	json_t *v;

	json_array_foreach(list, i, v) {
		size_t inner = at_enter_index(r, i);
		struct str name, in;

		v = deref(r, v);
		name = jsn_str(v, "name");
		in = jsn_str(v, "in");
		if (v && (str_eq(in, STR("body")) || str_eq(in, STR("formData"))) && r->o->dialect == OPENAPI_2_0) {
			at_leave(r, inner);
			continue;
		}
		to[*n] = (struct openapi_parameter){ 0 };
		if (v && (name.n == 0 || !in_of(in, &to[*n].in))) {
			warn(r, "a parameter needs a name and a place ('in': path, query, header or cookie)");
		} else if (v && !has_parameter(to, *n, to[*n].in, name)) {
			read_parameter(r, v, &to[(*n)++]);
		} else if (v && of_operation) {
			warn(r, "the parameter '%.*s' stands twice", STR_ARG(str_first(name, 100)));
		}
		at_leave(r, inner);
	}
	at_leave(r, before);
}

void read_parameters(struct reader *r, json_t *path_item, json_t *operation, struct openapi_operation *op)
{
	json_t *own = jsn_arr(operation, "parameters"), *shared = jsn_arr(path_item, "parameters");
	struct openapi_parameter *to = TAKE(r, json_array_size(own) + json_array_size(shared) + 1, struct openapi_parameter);

	if (!to)
		return;
	read_list(r, own, to, &op->n_parameters, true);
	read_list(r, shared, to, &op->n_parameters, false);
	op->parameters = to;
}
