/* validate_response.c - validate-headers and validate-status-code: a response by the API's description. */
#include "policy/elements/parameter_value.h"
#include "policy/elements/validation.h"

#include "core/str.h"

struct item_config {                 /* <header name=>, <status-code code=> */
	struct arg name, code, action;
};
struct config {
	struct arg specified, unspecified, variable;
	struct children items;
};

static const struct openapi_response *described(struct exchange *x, struct api_model **m)
{
	const struct openapi_operation *op = model_operation(x, m);

	return op ? openapi_response(op, (unsigned)x->response.status) : NULL;
}

static bool check(struct compiler *c, const struct doc_node *n, void *config)
{
	(void)n;
	(void)config;
	return compile_uses_model(c);
}

/* ---- validate-status-code ---------------------------------------------------------------------------------------- */

static enum step run_status(struct exchange *x, const void *config)
{
	const struct config *c = config;
	struct validation v;
	struct api_model *m;
	int64_t action, code;

	if (!validation_begin(x, &v) || !arg_get_int(x, &c->unspecified, &action))
		return STEP_FAIL;
	if (described(x, &m))
		return STEP_NEXT;
	for (size_t i = 0; i < c->items.n; i++) {
		const struct item_config *s = c->items.v[i].config;

		if (!arg_get_int(x, &s->code, &code))
			return STEP_FAIL;
		if (code == x->response.status && !arg_get_int(x, &s->action, &action))
			return STEP_FAIL;
	}
	validation_add(&v, (enum validation_action)action, arena_printf(x->arena, "%d", x->response.status), STR("StatusCode"),
		       STR("Unspecified"), arena_printf(x->arena, "Response status code %d is not allowed.", x->response.status), STR_NULL);
	return validation_end(&v, &c->variable);
}

static const struct arg_schema code_args[] = {
	{ .name = "code", .kind = ARG_INT, .flags = ARG_REQUIRED | ARG_EXPR, .least = 100, .most = 999,
	  .offset = offsetof(struct item_config, code), .help = "the status" },
	ACTION_ARG("action", ARG_REQUIRED, struct item_config, action, "what to do about it"),
};
static const struct element_schema code_schema = {
	.name = "status-code",
	.help = "Another action for one status.",
	.config_size = sizeof(struct item_config),
	.args = code_args,
	.n_args = ARRAY_LEN(code_args),
};
static const struct child_schema status_children[] = {
	{ .element = &code_schema, .offset = offsetof(struct config, items) },
};
static const struct arg_schema status_args[] = {
	ACTION_ARG("unspecified-status-code-action", ARG_REQUIRED, struct config, unspecified,
		   "for a status that the description does not name"),
	ERRORS_ARG(struct config, variable),
};
static const struct element_schema status_schema = {
	.name = "validate-status-code",
	.help = "Lets only statuses through that the API's description names.",
	.config_size = sizeof(struct config),
	.args = status_args,
	.n_args = ARRAY_LEN(status_args),
	.children = status_children,
	.n_children = ARRAY_LEN(status_children),
	.check = check,
};
const struct policy_type validate_status_code_type = { .schema = &status_schema, .sections = IN_OUTBOUND | IN_ON_ERROR,
						       .run = run_status };

/* ---- validate-headers -------------------------------------------------------------------------------------------- */

static bool action_for(struct exchange *x, const struct config *c, struct str name, bool specified,
		       enum validation_action *out)
{
	const struct arg *arg = specified ? &c->specified : &c->unspecified;
	int64_t action;

	for (size_t i = 0; i < c->items.n; i++) {
		const struct item_config *h = c->items.v[i].config;
		struct str text;

		if (!arg_get_text(x, &h->name, &text))
			return false;
		if (str_eq_ci(text, name))
			arg = &h->action;
	}
	if (!arg_get_int(x, arg, &action))
		return false;
	*out = (enum validation_action)action;
	return true;
}

static const struct openapi_parameter *header_of(const struct openapi_response *r, struct str name)
{
	for (size_t i = 0; r && i < r->n_headers; i++)
		if (str_eq_ci(r->headers[i].name, name))
			return &r->headers[i];
	return NULL;
}

static void wrong(struct exchange *x, struct validation *v, struct str name, enum validation_action action, struct str rule,
		  const char *before, const char *after)
{
	validation_add(v, action, name, STR("ResponseHeader"), rule,
		       arena_printf(x->arena, "%s %.*s%s", before, STR_ARG(name), after), STR_NULL);
}

/* All fields of a header that is described. */
static bool check_header(struct exchange *x, struct validation *v, struct api_model *m, const struct openapi_parameter *p,
			 enum validation_action action)
{
	const struct openapi *o = api_model_openapi(m);
	struct jsonschema_result r;
	const struct jsonschema *js;
	struct gh_err err = { 0 };
	struct fields texts;
	json_t *value;

	fields_init(&texts, x->arena);
	for (size_t i = 0; i < x->response.headers.n; i++)
		if (str_eq_ci(x->response.headers.v[i].name, p->name)
		    && !fields_add(&texts, p->name, x->response.headers.v[i].value))
			return false;
	if (texts.n > 1 && parameter_shape(o, p->schema) == PARAMETER_ONE) {
		wrong(x, v, p->name, action, STR("IncorrectMessage"), "Response cannot contain multiple values for the header", ".");
		return true;
	}
	value = parameter_value(x->arena, o, p, &texts, false);
	if (!value) {
		wrong(x, v, p->name, action, STR("IncorrectMessage"), "Value of the header", " couldn't be parsed according to the definition.");
		return true;
	}
	js = api_model_schema(m, p->schema, &(struct schema_choice){ .direction = JSONSCHEMA_RESPONSE }, &err);
	if (!js) {
		wrong(x, v, p->name, action, STR("ValidationError"), "Header", arena_printf(x->arena, " cannot be validated.\n%s", err.message).p);
		return true;
	}
	if (jsonschema_validate(js, value, x->arena, 1, &r, &err).code)
		return false;
	if (!r.valid)
		wrong(x, v, p->name, action, STR("IncorrectMessage"), "Value of the header",
		      arena_printf(x->arena, " does not conform to the definition.\n%.*s",
				   STR_ARG(r.n_errors ? r.errors[0].message : STR("The value is too complex."))).p);
	return true;
}

static bool is_standard_header(struct str name)
{
	static const struct str standard[] = {
		STR_INIT("Content-Type"),
		STR_INIT("Content-Length"),
		STR_INIT("Content-Encoding"),
		STR_INIT("Date"),
		STR_INIT("Server"),
		STR_INIT("Connection"),
		STR_INIT("Transfer-Encoding"),
		STR_INIT("Keep-Alive"),
		STR_INIT("Vary"),
	};

	for (size_t i = 0; i < ARRAY_LEN(standard); i++)
		if (str_eq_ci(standard[i], name))
			return true;
	return false;
}

static bool missing(struct exchange *x, struct validation *v, const struct openapi_parameter *p, enum validation_action action)
{
	if (p->required)
		wrong(x, v, p->name, action, STR("Required"), "Required header", " is missing.");
	return true;
}

/* Without a description there is nothing to compare with. */
static enum step undescribed(struct exchange *x, const struct config *c, struct validation *v)
{
	int64_t action;

	if (!arg_get_int(x, &c->specified, &action))
		return STEP_FAIL;
	validation_add(v, (enum validation_action)action, STR(""), STR("ApiSchema"), STR(""),
		       STR("API's schema doesn't exist or it couldn't be resolved."), validation_generic);
	return validation_end(v, &c->variable);
}

static enum step run_headers(struct exchange *x, const void *config)
{
	const struct config *c = config;
	const struct openapi_response *r;
	enum validation_action action;
	struct validation v;
	struct api_model *m = NULL;

	if (!validation_begin(x, &v))
		return STEP_FAIL;
	if (!model_operation(x, &m))
		return undescribed(x, c, &v);
	r = described(x, &m);            /* NULL: this status is not described, so no header is */
	for (size_t i = 0; r && i < r->n_headers; i++) {
		const struct openapi_parameter *p = &r->headers[i];

		if (!action_for(x, c, p->name, true, &action))
			return STEP_FAIL;
		if (action == VALIDATION_IGNORE || !p->schema)
			continue;
		if (!fields_count(&x->response.headers, p->name) ? missing(x, &v, p, action) : check_header(x, &v, m, p, action))
			continue;
		return exchange_no_memory(x);
	}
	for (size_t i = 0; i < x->response.headers.n; i++) {
		const struct field *f = &x->response.headers.v[i];

		if (header_of(r, f->name) || is_standard_header(f->name))
			continue;
		if (!action_for(x, c, f->name, false, &action))
			return STEP_FAIL;
		wrong(x, &v, f->name, action, STR("Unspecified"), "Unspecified header", " is not allowed.");
	}
	return validation_end(&v, &c->variable);
}

static const struct arg_schema header_args[] = {
	{ .name = "name",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct item_config, name),
	  .help = "the header" },
	ACTION_ARG("action", ARG_REQUIRED, struct item_config, action, "what to do about it"),
};
static const struct element_schema header_schema = {
	.name = "header",
	.help = "Another action for one header.",
	.config_size = sizeof(struct item_config),
	.args = header_args,
	.n_args = ARRAY_LEN(header_args),
};
static const struct child_schema headers_children[] = {
	{ .element = &header_schema, .offset = offsetof(struct config, items) },
};
static const struct arg_schema headers_args[] = {
	ACTION_ARG("specified-header-action", ARG_REQUIRED, struct config, specified, "for headers of the description"),
	ACTION_ARG("unspecified-header-action", ARG_REQUIRED, struct config, unspecified, "for all others"),
	ERRORS_ARG(struct config, variable),
};
static const struct element_schema headers_schema = {
	.name = "validate-headers",
	.help = "Validates the headers of a response by the API's description.",
	.config_size = sizeof(struct config),
	.args = headers_args,
	.n_args = ARRAY_LEN(headers_args),
	.children = headers_children,
	.n_children = ARRAY_LEN(headers_children),
	.check = check,
};
const struct policy_type validate_headers_type = { .schema = &headers_schema,
						   .sections = IN_OUTBOUND | IN_ON_ERROR,
						   .once = true,
						   .run = run_headers };
