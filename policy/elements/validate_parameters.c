/* validate_parameters.c - validate-parameters: path, query and headers of a request by the API's description. */
#include "policy/elements/parameter_value.h"
#include "policy/elements/url.h"
#include "policy/elements/validation.h"

#include "core/str.h"

struct parameter_config {
	struct arg name, action;
};
struct place_config {                /* <headers>, <query>, <path> */
	struct arg specified, unspecified;
	struct children parameters;
};
struct config {
	struct arg specified, unspecified, variable;
	struct children headers, query, path;
};

struct check {
	struct exchange *x;
	const struct config *c;
	struct validation v;
	struct api_model *m;
	const struct openapi_operation *op;
};

static const struct {
	const char *noun, *type;
	size_t offset;               /* of the place's children in struct config */
} places[] = {
	[OPENAPI_PATH] = { "path parameter", "PathParameter", offsetof(struct config, path) },
	[OPENAPI_QUERY] = { "query parameter", "QueryParameter", offsetof(struct config, query) },
	[OPENAPI_HEADER] = { "header", "RequestHeader", offsetof(struct config, headers) },
};

/* What is to be done about a parameter: the most particular wish counts. */
static bool action_for(struct check *k, enum openapi_in in, struct str name, bool specified,
		       enum validation_action *out)
{
	const struct children *list = (const struct children *)(const void *)((const char *)k->c + places[in].offset);
	const struct place_config *p = list->n ? list->v[0].config : NULL;
	const struct arg *arg = specified ? &k->c->specified : &k->c->unspecified;
	int64_t action;

	if (p && (specified ? &p->specified : &p->unspecified)->given)
		arg = specified ? &p->specified : &p->unspecified;
	for (size_t i = 0; p && i < p->parameters.n; i++) {
		const struct parameter_config *one = p->parameters.v[i].config;
		struct str text;

		if (!arg_get_text(k->x, &one->name, &text))
			return false;
		if (in == OPENAPI_HEADER ? str_eq_ci(text, name) : str_eq(text, name))
			arg = &one->action;
	}
	if (!arg_get_int(k->x, arg, &action))
		return false;
	*out = (enum validation_action)action;
	return true;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* All texts that the request has for a parameter; *encoded: percent-escapes are still in them. */
static bool texts_of(struct check *k, const struct openapi_parameter *p, struct fields *out, bool *encoded)
{
	struct str one;

	*encoded = p->in == OPENAPI_QUERY;
	if (p->in == OPENAPI_QUERY)
		return parameter_collect(k->x->arena, api_model_openapi(k->m), p, k->x->request.original_url.query, out);
	fields_init(out, k->x->arena);
	if (p->in == OPENAPI_PATH) {
		one = fields_get(&k->x->matched, p->name);
		return str_is_null(one) || fields_add(out, p->name, one);
	}
	for (size_t i = 0; i < k->x->request.headers.n; i++)
		if (str_eq_ci(k->x->request.headers.v[i].name, p->name)
		    && !fields_add(out, p->name, k->x->request.headers.v[i].value))
			return false;
	return true;
}

/* ---- checks ------------------------------------------------------------------------------------------------------ */

static void wrong(struct check *k, enum validation_action action, const struct openapi_parameter *p, struct str details,
		  struct str said)
{
	validation_add(&k->v, action, p->name, str_of(places[p->in].type), STR("IncorrectMessage"), details, said);
}

static void cannot_be_validated(struct check *k, enum validation_action action, const struct openapi_parameter *p, const char *why)
{
	validation_add(&k->v, action, p->name, str_of(places[p->in].type), STR("ValidationError"),
		       arena_printf(k->x->arena, "%c%s %.*s cannot be validated.\n%s", ascii_upper(*places[p->in].noun),
				    places[p->in].noun + 1, STR_ARG(p->name), why), validation_generic);
}

static bool validate_value(struct check *k, enum validation_action action, const struct openapi_parameter *p,
			   json_t *value)
{
	const struct schema_choice choice = { .direction = JSONSCHEMA_REQUEST };
	const char *noun = places[p->in].noun;
	const struct jsonschema *js;
	struct jsonschema_result r;
	struct gh_err err = { 0 };

	js = api_model_schema(k->m, p->schema, &choice, &err);
	if (!js) {
		cannot_be_validated(k, action, p, err.message);
		return true;
	}
	if (jsonschema_validate(js, value, k->x->arena, 1, &r, &err).code) {
		exchange_no_memory(k->x);
		return false;
	}
	if (!r.valid) {
		struct str message = r.n_errors ? r.errors[0].message : STR("The value is too complex.");

		wrong(k, action, p,
		      arena_printf(k->x->arena, "Value of the %s %.*s does not conform to the definition.\n%.*s", noun,
				   STR_ARG(p->name), STR_ARG(message)),
		      arena_printf(k->x->arena, "The value of the %s %.*s does not conform to the definition.\n%.*s",
				   noun, STR_ARG(p->name), STR_ARG(message)));
	}
	return true;
}

static bool check_parameter(struct check *k, const struct openapi_parameter *p)
{
	const char *noun = places[p->in].noun;
	enum validation_action action;
	struct fields texts;
	json_t *value;
	bool encoded;

	if (!action_for(k, p->in, p->name, true, &action) || !texts_of(k, p, &texts, &encoded))
		return false;
	if (action == VALIDATION_IGNORE)
		return true;
	if (!texts.n) {
		if (p->required)
			validation_add(
				&k->v, action, p->name, str_of(places[p->in].type), STR("Required"),
				arena_printf(k->x->arena, "Required %s %.*s is missing.", noun, STR_ARG(p->name)),
				STR_NULL);
		return true;
	}
	if (!p->schema || (p->allow_empty && texts.n == 1 && !texts.v[0].value.n))
		return true;
	if (texts.n > 1 && parameter_shape(api_model_openapi(k->m), p->schema) == PARAMETER_ONE) {
		wrong(k, action, p,
		      arena_printf(k->x->arena, "Request cannot contain multiple values for the %s %.*s.", noun,
				   STR_ARG(p->name)),
		      STR_NULL);
		return true;
	}
	value = parameter_value(k->x->arena, api_model_openapi(k->m), p, &texts, encoded);
	if (!value) {
		wrong(k, action, p,
		      arena_printf(k->x->arena, "Value of the %s %.*s cannot be parsed according to the definition.",
				   noun, STR_ARG(p->name)),
		      arena_printf(k->x->arena,
				   "The value of the %s %.*s couldn't be parsed according to the definition.", noun,
				   STR_ARG(p->name)));
		return true;
	}
	return validate_value(k, action, p, value);
}

/* Headers that belong to the transport or that a description does not speak of. */
static bool is_standard_header(const struct exchange *x, struct str name)
{
	static const struct str standard[] = {
		STR_INIT("Accept"),
		STR_INIT("Accept-Encoding"),
		STR_INIT("Authorization"),
		STR_INIT("Connection"),
		STR_INIT("Content-Length"),
		STR_INIT("Content-Type"),
		STR_INIT("Cookie"),
		STR_INIT("Host"),
		STR_INIT("User-Agent"),
		STR_INIT("Transfer-Encoding"),
		STR_INIT("X-Forwarded-For"),
		STR_INIT("X-Forwarded-Host"),
		STR_INIT("X-Forwarded-Proto"),
		STR_INIT("Forwarded"),
		STR_INIT("traceparent"),
		STR_INIT("tracestate"),
		STR_INIT("X-Request-Id"),
	};

	for (size_t i = 0; i < ARRAY_LEN(standard); i++)
		if (str_eq_ci(standard[i], name))
			return true;
	return x->api && (str_eq_ci(x->api->key_header, name));
}

static bool is_specified(const struct check *k, enum openapi_in in, struct str name)
{
	if (openapi_parameter(k->op, in, name))
		return true;
	for (size_t i = 0; in == OPENAPI_QUERY && i < k->op->n_parameters; i++)
		if (parameter_claims(api_model_openapi(k->m), &k->op->parameters[i], name))
			return true;
	return false;
}

static bool unspecified(struct check *k, enum openapi_in in, struct str name)
{
	enum validation_action action;

	if (is_specified(k, in, name))
		return true;
	if (!action_for(k, in, name, false, &action))
		return false;
	validation_add(&k->v, action, name, str_of(places[in].type), STR("Unspecified"), arena_printf(k->x->arena,
		       "Unspecified %s %.*s is not allowed.", places[in].noun, STR_ARG(name)), STR_NULL);
	return true;
}

static bool check_unspecified(struct check *k)
{
	struct str rest = k->x->request.original_url.query, n, v;
	struct str key = k->x->api ? k->x->api->key_query : STR_NULL;

	while (rest.n && query_next(&rest, &n, &v)) {
		struct str name = url_decode(k->x->arena, n, true);

		if (!str_eq(name, key) && !unspecified(k, OPENAPI_QUERY, name))
			return false;
	}
	for (size_t i = 0; i < k->x->request.headers.n; i++) {
		struct str name = k->x->request.headers.v[i].name;

		if (!is_standard_header(k->x, name) && !unspecified(k, OPENAPI_HEADER, name))
			return false;
	}
	return true;
}

static enum step run(struct exchange *x, const void *config)
{
	struct check k = { .x = x, .c = config };
	int64_t action;

	if (!validation_begin(x, &k.v))
		return STEP_FAIL;
	k.op = model_operation(x, &k.m);
	if (!k.op) {
		if (!arg_get_int(x, &k.c->specified, &action))
			return STEP_FAIL;
		validation_add(
			&k.v, (enum validation_action)action, STR(""), STR("ApiSchema"), STR(""),
			STR("API's schema doesn't exist or it couldn't be resolved."), validation_generic);
		return validation_end(&k.v, &k.c->variable);
	}
	for (size_t i = 0; i < k.op->n_parameters; i++)
		if (k.op->parameters[i].in != OPENAPI_COOKIE && !check_parameter(&k, &k.op->parameters[i]))
			return x->error.set ? STEP_FAIL : exchange_no_memory(x);
	if (!check_unspecified(&k))
		return STEP_FAIL;
	return validation_end(&k.v, &k.c->variable);
}

static bool check(struct compiler *c, const struct doc_node *n, void *config)
{
	(void)n;
	(void)config;
	return compile_uses_model(c);
}

static const struct arg_schema parameter_args[] = {
	{ .name = "name",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct parameter_config, name),
	  .help = "the parameter" },
	ACTION_ARG("action", ARG_REQUIRED, struct parameter_config, action, "what to do about it"),
};
static const struct element_schema parameter_schema = {
	.name = "parameter",
	.help = "Another action for one parameter.",
	.config_size = sizeof(struct parameter_config),
	.args = parameter_args,
	.n_args = ARRAY_LEN(parameter_args),
};
static const struct child_schema place_children[] = {
	{ .element = &parameter_schema, .offset = offsetof(struct place_config, parameters) },
};
static const struct arg_schema place_args[] = {
	ACTION_ARG("specified-parameter-action", 0, struct place_config, specified,
		   "for parameters of the description"),
	ACTION_ARG("unspecified-parameter-action", 0, struct place_config, unspecified, "for all others"),
};
static const struct arg_schema path_args[] = {
	ACTION_ARG("specified-parameter-action", 0, struct place_config, specified,
		   "for parameters of the description"),
};
#define PLACE(var, element_name, what, rows)                                                                                \
	static const struct element_schema var##_schema = {                                                           \
		.name = element_name, .help = "Other actions for " what ".", .config_size = sizeof(struct place_config), \
		.args = rows, .n_args = ARRAY_LEN(rows), .children = place_children, .n_children = 1,     \
	}
PLACE(headers, "headers", "headers", place_args);
PLACE(query, "query", "query parameters", place_args);
PLACE(path, "path", "path parameters", path_args);
static const struct child_schema children[] = {
	{ .element = &headers_schema, .max = 1, .offset = offsetof(struct config, headers) },
	{ .element = &query_schema, .max = 1, .offset = offsetof(struct config, query) },
	{ .element = &path_schema, .max = 1, .offset = offsetof(struct config, path) },
};
static const struct arg_schema args[] = {
	ACTION_ARG("specified-parameter-action", ARG_REQUIRED, struct config, specified,
		   "for parameters of the description"),
	ACTION_ARG("unspecified-parameter-action", ARG_REQUIRED, struct config, unspecified, "for all others"),
	ERRORS_ARG(struct config, variable),
};
static const struct element_schema schema = {
	.name = "validate-parameters",
	.help = "Validates path, query and headers of a request by the API's description.",
	.config_size = sizeof(struct config),
	.args = args,
	.n_args = ARRAY_LEN(args),
	.children = children,
	.n_children = ARRAY_LEN(children),
	.check = check,
};
const struct policy_type validate_parameters_type = { .schema = &schema, .sections = IN_INBOUND, .once = true, .run = run };
