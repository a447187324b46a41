/* openapi_v2.c - what Swagger 2.0 says in another form than OpenAPI 3: servers, parameter schemas, bodies, responses. */
#include "core/openapi_read.h"

#include "core/str.h"

void v2_servers(struct reader *r)
{
	const json_t *root = r->o->root;
	struct str host = read_text(r, root, "host"), base = read_text(r, root, "basePath");
	json_t *schemes = jsn_arr(root, "schemes"), *v;
	struct openapi_server *to = TAKE(r, json_array_size(schemes) + 1, struct openapi_server);
	size_t i;

	if (!to || (host.n == 0 && base.n == 0))
		return;
	r->o->servers = to;
	if (host.n == 0 || json_array_size(schemes) == 0) {
		to[0].url = host.n ? arena_printf(r->a, "https://%.*s%.*s", STR_ARG(host), STR_ARG(base)) : base;
		to[0].url_template = to[0].url;
		r->o->n_servers = 1;
		return;
	}
	json_array_foreach(schemes, i, v) {
		struct str scheme = jsn_string(v);
		struct openapi_server *s = &to[r->o->n_servers++];

		s->url = arena_printf(r->a, "%.*s://%.*s%.*s", STR_ARG(scheme), STR_ARG(host), STR_ARG(base));
		s->url_template = s->url;
	}
}

/* ---- parameters -------------------------------------------------------------------------------------------------------- */

/* A schema of the members of a parameter that are schema keywords. The arena owns it. */
static json_t *schema_of(struct reader *r, const json_t *v)
{
	static const char *const keywords[] = {
		"type", "format", "items", "default", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength",
		"minLength", "pattern", "maxItems", "minItems", "uniqueItems", "enum", "multipleOf", "x-nullable", "x-example",
	};
	json_t *schema = jsn_keep(r->a, json_object());

	for (size_t i = 0; schema && i < ARRAY_LEN(keywords); i++) {
		json_t *member = jsn_get(v, keywords[i]);

		if (member && json_object_set(schema, keywords[i], member))
			schema = NULL;
	}
	if (!schema)
		r->failed = true;
	return schema;
}

void v2_parameter_schema(struct reader *r, json_t *v, struct openapi_parameter *out)
{
	static const struct {
		struct str name;
		enum openapi_style style;
		bool explode;
	} formats[] = {
		{ STR_INIT("csv"), OPENAPI_FORM, false },  { STR_INIT("ssv"), OPENAPI_SPACE, false },
		{ STR_INIT("tsv"), OPENAPI_TAB, false },   { STR_INIT("pipes"), OPENAPI_PIPE, false },
		{ STR_INIT("multi"), OPENAPI_FORM, true },
	};
	struct str format = read_text(r, v, "collectionFormat");
	bool simple = out->in == OPENAPI_PATH || out->in == OPENAPI_HEADER;

	out->schema = schema_of(r, v);
	out->style = simple ? OPENAPI_SIMPLE : OPENAPI_FORM;
	out->explode = false;
	if (str_is_null(format))
		return;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		if (!str_eq(formats[i].name, format))
			continue;
		if (!simple || formats[i].style != OPENAPI_FORM)
			out->style = formats[i].style;
		out->explode = formats[i].explode;
		return;
	}
	warn(r, "the collectionFormat '%.*s' is not known", STR_ARG(str_first(format, 60)));
}

/* ---- bodies ------------------------------------------------------------------------------------------------------------- */

static const struct str *types_of(struct reader *r, const json_t *operation, const char *which, size_t *n)
{
	static const struct str json[] = { STR_INIT("application/json") };
	json_t *own = jsn_arr(operation, which), *shared = jsn_arr(r->o->root, which);
	const struct str *types = read_texts(r, own ? own : shared, n);

	if (*n > 0)
		return types;
	*n = 1;
	return json;
}

static const struct openapi_media *media_of(struct reader *r, const struct str *types, size_t n, json_t *schema)
{
	struct openapi_media *media = TAKE(r, n, struct openapi_media);

	for (size_t i = 0; media && i < n; i++)
		media[i] = (struct openapi_media){ .type = types[i], .schema = schema };
	return media;
}

struct form {
	json_t *properties, *required;
	bool has_file, given;
};

static void add_form_field(struct reader *r, const json_t *v, struct form *form)
{
	struct str name = jsn_str(v, "name");
	json_t *schema = schema_of(r, v);

	if (!schema || name.n == 0)
		return;
	if (str_eq(jsn_str(v, "type"), STR("file"))) {
		form->has_file = true;
		json_object_set_new(schema, "type", json_string("string"));
		json_object_set_new(schema, "format", json_string("binary"));
	}
	if (json_object_set(form->properties, name.p, schema))
		r->failed = true;
	if (jsn_bool(v, "required", false))
		json_array_append(form->required, jsn_get(v, "name"));
	form->given = true;
}

static void form_body(struct reader *r, const json_t *operation, const struct form *form, struct openapi_operation *op)
{
	static const struct str multipart[] = { STR_INIT("multipart/form-data") };
	static const struct str urlencoded[] = { STR_INIT("application/x-www-form-urlencoded") };
	struct openapi_body *body = TAKE(r, 1, struct openapi_body);
	json_t *schema = jsn_keep(r->a, json_object());
	size_t n;
	const struct str *types = types_of(r, operation, "consumes", &n);

	if (!body || !schema) {
		r->failed = true;
		return;
	}
	json_object_set_new(schema, "type", json_string("object"));
	json_object_set(schema, "properties", form->properties);
	if (json_array_size(form->required) > 0)
		json_object_set(schema, "required", form->required);
	if (str_eq(types[0], STR("application/json"))) {         /* nothing said, or said wrongly */
		types = form->has_file ? multipart : urlencoded;
		n = 1;
	}
	body->required = json_array_size(form->required) > 0;
	body->media = media_of(r, types, n, schema);
	body->n_media = body->media ? n : 0;
	op->body = body;
}

static void json_body(struct reader *r, const json_t *operation, const json_t *v, struct openapi_operation *op)
{
	struct openapi_body *body = TAKE(r, 1, struct openapi_body);
	size_t n;
	const struct str *types = types_of(r, operation, "consumes", &n);

	if (!body)
		return;
	body->description = read_text(r, v, "description");
	body->required = jsn_bool(v, "required", false);
	body->media = media_of(r, types, n, jsn_get(v, "schema"));
	body->n_media = body->media ? n : 0;
	op->body = body;
}

void v2_body(struct reader *r, json_t *path_item, json_t *operation, struct openapi_operation *op)
{
	json_t *lists[] = { jsn_arr(operation, "parameters"), jsn_arr(path_item, "parameters") }, *v;
	struct form form = { jsn_keep(r->a, json_object()), jsn_keep(r->a, json_array()), false, false };
	size_t i;

	if (!form.properties || !form.required) {
		r->failed = true;
		return;
	}
	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		json_array_foreach(lists[k], i, v) {
			struct str in;

			v = openapi_resolve(r->o, v);
			in = jsn_str(v, "in");
			if (str_eq(in, STR("body")) && !op->body)
				json_body(r, operation, v, op);
			else if (str_eq(in, STR("formData")))
				add_form_field(r, v, &form);
		}
	}
	if (form.given && !op->body)
		form_body(r, operation, &form, op);
}

void v2_response(struct reader *r, json_t *operation, json_t *v, struct openapi_response *out)
{
	json_t *schema = jsn_get(v, "schema"), *examples = jsn_obj(v, "examples");
	struct openapi_media *media;
	size_t n;
	const struct str *types = types_of(r, operation, "produces", &n);

	if (!schema && json_object_size(examples) == 0)
		return;
	media = TAKE(r, n, struct openapi_media);
	for (size_t i = 0; media && i < n; i++) {
		json_t *example = jsn_get_n(examples, types[i]);
		struct openapi_example *e = TAKE(r, 1, struct openapi_example);

		media[i] = (struct openapi_media){ .type = types[i], .schema = schema };
		if (!example)
			example = jsn_get(openapi_resolve(r->o, schema), "example");
		if (e && example) {
			*e = (struct openapi_example){ .name = STR(""), .value = example };
			media[i].examples = e;
			media[i].n_examples = 1;
		}
	}
	out->media = media;
	out->n_media = media ? n : 0;
}
