/* validate_content.c - validate-content: size and form of a body, by the API's description or a schema of its own. */
#include "policy/elements/body_text.h"
#include "policy/elements/validation.h"

#include "core/str.h"
#include "policy/schemas.h"

enum { SIZE_MAX_BYTES = 4 * 1024 * 1024, MESSAGES_MAX = 5 };
enum { AS_JSON, AS_XML, AS_SOAP };

struct type_config {
	struct arg from, when, to;
};
struct map_config {
	struct arg any, missing;
	struct children types;
};
struct content_config {
	struct arg type, as, action, schema_id, schema_ref, additional, ignore_case;
};
struct config {
	struct arg unspecified, max_size, size_action, variable;
	struct children map, contents;
};

/* Everything that is known about the body while it is validated. */
struct check {
	struct exchange *x;
	const struct config *c;
	struct validation v;
	struct str type;             /* Content-Type, mapped */
	bool response;
};

static struct str side(const struct check *k)
{
	return k->response ? STR("response") : STR("request");
}

static void add(struct check *k, enum validation_action action, struct str name, struct str rule, struct str details,
		struct str public_text)
{
	validation_add(&k->v, action, name, k->response ? STR("ResponseBody") : STR("RequestBody"), rule, details, public_text);
}

/* ---- size and type ----------------------------------------------------------------------------------------------- */

/* True when the body may be looked at. */
static bool check_size(struct check *k, size_t size, enum validation_action action, int64_t max)
{
	const char *who = k->response ? "Response" : "Request";

	if (size <= (uint64_t)max)
		return true;
	add(k, action, STR(""), STR("SizeLimit"),
	    arena_printf(k->x->arena, "%s's body is %zu bytes long and it exceeds the configured limit of %lld bytes.",
			 who, size, (long long)max),
	    arena_printf(k->x->arena, "%s's body is %zu bytes long and it exceeds the limit of %lld bytes.", who, size,
			 (long long)max));
	return false;
}

static bool map_type(struct check *k)
{
	const struct map_config *m = k->c->map.n ? k->c->map.v[0].config : NULL;
	bool yes;

	k->type = content_type_of(message_headers(k->x));
	if (!m)
		return true;
	for (size_t i = 0; i < m->types.n; i++) {
		const struct type_config *t = m->types.v[i].config;
		struct str from;

		if (t->from.given) {
			if (!arg_get_text(k->x, &t->from, &from))
				return false;
			yes = str_eq_ci(from, k->type);
		} else if (!arg_get_bool(k->x, &t->when, &yes)) {
			return false;
		}
		if (yes)
			return arg_get_text(k->x, &t->to, &k->type);
	}
	if (!k->type.n && m->missing.given)
		return arg_get_text(k->x, &m->missing, &k->type);
	return !m->any.given || arg_get_text(k->x, &m->any, &k->type);
}

static const struct openapi_media *described(struct check *k, struct api_model **m)
{
	const struct openapi_operation *op = model_operation(k->x, m);
	const struct openapi_response *r;

	if (!op)
		return NULL;
	if (!k->response)
		return op->body ? openapi_media(op->body->media, op->body->n_media, k->type) : NULL;
	r = openapi_response(op, (unsigned)k->x->response.status);
	return r ? openapi_media(r->media, r->n_media, k->type) : NULL;
}

/* The first <content> for the type; one without a type is for all types of the description. */
static bool find_content(struct check *k, const struct content_config **out)
{
	struct api_model *m;

	*out = NULL;
	for (size_t i = 0; i < k->c->contents.n && !*out; i++) {
		const struct content_config *c = k->c->contents.v[i].config;
		struct str type;

		if (!arg_get_text(k->x, &c->type, &type))
			return false;
		if (type.n ? str_eq_ci(type, k->type) : c->schema_id.given || described(k, &m))
			*out = c;
	}
	return true;
}

/* ---- findings ---------------------------------------------------------------------------------------------------- */

static struct str definition_name(const json_t *schema)
{
	struct str ref = jsn_str(schema, "$ref");
	size_t slash = str_rfind_char(ref, '/');

	return !ref.n ? STR("(inline)") : slash == SIZE_MAX ? ref : str_from(ref, slash + 1);
}

static void add_wrong(struct check *k, enum validation_action action, struct str definition, struct str message)
{
	struct str details = arena_printf(k->x->arena,
					  "Body of the %.*s does not conform to the definition %.*s, which is "
					  "associated with the content type %.*s.\n%.*s",
					  STR_ARG(side(k)), STR_ARG(definition), STR_ARG(k->type), STR_ARG(message));

	add(k, action, k->type, STR("IncorrectMessage"), details, STR_NULL);
}

static void add_api_schema(struct check *k, enum validation_action action, struct str details)
{
	validation_add(&k->v, action, STR(""), STR("ApiSchema"), STR(""), details, validation_generic);
}

static void add_missing(struct check *k, enum validation_action action, struct str definition)
{
	add(k, action, k->type, STR("MissingDefinition"),
	    arena_printf(k->x->arena, "API's schema does not contain definition %.*s, which is associated with the content type %.*s.",
			 STR_ARG(definition), STR_ARG(k->type)), validation_generic);
}

static void add_exception(struct check *k, enum validation_action action, const char *why)
{
	add(k, action, STR(""), STR("ValidationException"),
	    arena_printf(k->x->arena, "Body of the %.*s cannot be validated for the content type %.*s.\n%s", STR_ARG(side(k)),
			 STR_ARG(k->type), why), validation_generic);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

/* A schema to validate by, and what it is called. js NULL: a finding has been added. */
struct found {
	const struct jsonschema *js;
	struct str name;
};

/* "#/components/schemas/address" as a JSON Pointer. */
static struct str pointer_of(struct str ref)
{
	return str_starts(ref, STR("#")) ? str_from(ref, 1) : ref;
}

static bool stored_schema(struct check *k, const struct content_config *c, enum validation_action action,
			  const struct schema_choice *choice, struct found *out)
{
	struct schemas *set = k->x->host->schemas ? k->x->host->schemas(k->x) : NULL;
	struct gh_err err = { 0 };
	struct str ref = STR_NULL;

	if (!arg_get_text(k->x, &c->schema_id, &out->name) || (c->schema_ref.given && !arg_get_text(k->x, &c->schema_ref, &ref)))
		return false;
	if (set)
		out->js = schemas_json(set, out->name, pointer_of(ref), choice, &err);
	if (out->js)
		return true;
	exchange_trace(k->x, "%s", set ? err.message : "this installation has no schemas");
	add_api_schema(k, action, STR("API's schema does not exist or it could not be resolved."));
	return true;
}

static bool schema_of(struct check *k, const struct content_config *c, struct api_model **m, json_t **schema, struct str *name)
{
	const struct openapi_media *media = described(k, m);
	struct str ref = STR_NULL;

	if (c->schema_ref.given && !arg_get_text(k->x, &c->schema_ref, &ref))
		return false;
	*schema = media ? media->schema : NULL;
	*name = *schema ? definition_name(*schema) : STR("(none)");
	if (!ref.n || !*m)
		return true;
	*name = ref;
	*schema = jsn_fragment(api_model_openapi(*m)->root, pointer_of(ref));
	if (!*schema)
		*schema = jsn_get_n(api_model_openapi(*m)->schemas, ref);
	return true;
}

static bool api_schema(struct check *k, const struct content_config *c, enum validation_action action,
		       const struct schema_choice *choice, struct found *out)
{
	struct api_model *m = NULL;
	struct gh_err err = { 0 };
	json_t *schema;

	if (!schema_of(k, c, &m, &schema, &out->name))
		return false;
	if (!m)
		add_api_schema(k, action, STR("API's schema does not exist or it could not be resolved."));
	else if (!schema)
		add_missing(k, action, out->name);
	else if (!(out->js = api_model_schema(m, schema, choice, &err)))
		add_exception(k, action, err.message);
	return true;
}

static bool choose(struct check *k, const struct content_config *c, struct schema_choice *out)
{
	bool additional = false;

	*out = (struct schema_choice){ .direction = k->response ? JSONSCHEMA_RESPONSE : JSONSCHEMA_REQUEST };
	if (!arg_get_bool(k->x, &c->ignore_case, &out->ignore_case))
		return false;
	if (!c->additional.given)
		return true;
	if (!arg_get_bool(k->x, &c->additional, &additional))
		return false;
	out->open = additional;
	out->closed = !additional;
	return true;
}

static void add_result(struct check *k, enum validation_action action, struct str name, struct str body,
		       const struct jsonschema_result *r)
{
	for (size_t i = 0; i < r->n_errors; i++) {
		struct text_where where = { 1, 1 };

		if (!jsn_locate(k->x->arena, body, r->errors[i].instance, &where))
			where = (struct text_where){ 1, 1 };
		add_wrong(k, action, name, arena_printf(k->x->arena, "%.*s Line: %u, Position: %u",
							STR_ARG(r->errors[i].message), where.line, where.column));
	}
	if (!r->n_errors)
		add_wrong(k, action, name, STR("The body is too complex to be validated."));
}

static bool check_json(struct check *k, const struct content_config *c, enum validation_action action, struct str body)
{
	static const struct jsn_limits limits = { .flags = JSN_ANY | JSN_BIG_INTEGERS };
	struct jsonschema_result result;
	struct schema_choice choice;
	struct found found = { 0 };
	struct text_where where = { 0 };
	struct gh_err err;
	json_t *json;

	if (!choose(k, c, &choice))
		return false;
	if (!(c->schema_id.given ? stored_schema : api_schema)(k, c, action, &choice, &found))
		return false;
	if (!found.js)
		return true;
	if (jsn_parse_in(k->x->arena, body, &limits, &json, &where, &err).code) {
		add_wrong(k, action, found.name,
			  arena_printf(k->x->arena, "%s Line: %u, Position: %u", err.message, where.line, where.column));
		return true;
	}
	if (jsonschema_validate(found.js, json, k->x->arena, MESSAGES_MAX, &result, &err).code) {
		exchange_no_memory(k->x);
		return false;
	}
	if (!result.valid)
		add_result(k, action, found.name, body, &result);
	return true;
}

/* ---- XML --------------------------------------------------------------------------------------------------------- */

static bool check_xml(struct check *k, const struct content_config *c, enum validation_action action, struct str body,
		      bool soap)
{
	struct schemas *set = k->x->host->schemas ? k->x->host->schemas(k->x) : NULL;
	enum xml_form form = !soap ? XML_PLAIN : k->response ? XML_SOAP_RESPONSE : XML_SOAP_REQUEST;
	struct xml_verdict verdict;
	struct gh_err err = { 0 };
	struct str name;

	if (!arg_get_text(k->x, &c->schema_id, &name))
		return false;
	if (!name.n || !set || schemas_check(set, name, &err).code) {
		exchange_trace(k->x, "%s", err.code ? err.message : "there is no such XML Schema");
		add_api_schema(k, action, STR("API's schema does not exist or it could not be resolved."));
	} else if (schemas_check_xml(set, k->x->arena, name, body, form, &verdict, &err).code) {
		add_exception(k, action, err.message);
	} else {
		for (size_t i = 0; i < verdict.n; i++)
			add_wrong(k, action, name, verdict.errors[i]);
	}
	return true;
}

/* ---- run --------------------------------------------------------------------------------------------------------- */

static bool check_body(struct check *k, struct str body)
{
	const struct content_config *c;
	int64_t unspecified, as = AS_JSON, action;
	struct api_model *m;

	if (!map_type(k) || !find_content(k, &c) || !arg_get_int(k->x, &k->c->unspecified, &unspecified))
		return false;
	if (!c) {
		if (!described(k, &m))
			add(k, (enum validation_action)unspecified, k->type, STR("Unspecified"), arena_printf(k->x->arena,
			    "Unspecified content type %.*s is not allowed.", STR_ARG(k->type)), STR_NULL);
		return true;
	}
	if (!arg_get_int(k->x, &c->as, &as) || !arg_get_int(k->x, &c->action, &action))
		return false;
	if (action == VALIDATION_IGNORE)
		return true;
	if (as == AS_JSON)
		return check_json(k, c, (enum validation_action)action, body);
	return check_xml(k, c, (enum validation_action)action, body, as == AS_SOAP);
}

static enum step run(struct exchange *x, const void *config)
{
	struct check k = { .x = x, .c = config, .response = works_on_response(x) };
	struct body *b = message_body(x);
	int64_t max, action;

	if (b->kind != BODY_HELD || !b->bytes.n)
		return STEP_NEXT;
	if (!validation_begin(x, &k.v) || !arg_get_int(x, &k.c->max_size, &max)
	    || !arg_get_int(x, &k.c->size_action, &action))
		return STEP_FAIL;
	if (check_size(&k, b->bytes.n, (enum validation_action)action, max) && !check_body(&k, b->bytes))
		return STEP_FAIL;
	return validation_end(&k.v, &k.c->variable);
}

static bool check(struct compiler *c, const struct doc_node *n, void *config)
{
	(void)n;
	(void)config;
	compile_uses_body(c);
	return compile_uses_model(c);
}

static bool check_content(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct content_config *s = config;

	if (!s->as.expr && s->as.number != AS_JSON && !s->schema_id.given)
		compile_warning(c, n, NULL, "XML is validated against a schema of its own: give a `schema-id`");
	if (!s->as.expr && s->as.number != AS_JSON && s->schema_ref.given) {
		compile_error(c, n, "schema-ref", "`schema-ref` is for JSON; any top-level element of an XML Schema may be the root");
		return false;
	}
	return true;
}

static const struct arg_schema type_args[] = {
	{ .name = "from", .kind = ARG_TEXT, .flags = ARG_EXPR | ARG_EMPTY, .offset = offsetof(struct type_config, from),
	  .help = "the Content-Type as it came" },
	{ .name = "when", .kind = ARG_BOOL, .flags = ARG_EXPR, .offset = offsetof(struct type_config, when),
	  .help = "or a condition" },
	{ .name = "to", .kind = ARG_TEXT, .flags = ARG_REQUIRED | ARG_EXPR, .offset = offsetof(struct type_config, to),
	  .help = "the Content-Type to validate as" },
};
static const struct element_schema type_schema = {
	.name = "type",
	.help = "Maps one Content-Type to another.",
	.config_size = sizeof(struct type_config),
	.args = type_args,
	.n_args = ARRAY_LEN(type_args),
};
static const struct child_schema map_children[] = {
	{ .element = &type_schema, .offset = offsetof(struct map_config, types) },
};
static const struct arg_schema map_args[] = {
	{ .name = "any-content-type-value",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR,
	  .offset = offsetof(struct map_config, any),
	  .help = "validate everything as this Content-Type" },
	{ .name = "missing-content-type-value",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR,
	  .offset = offsetof(struct map_config, missing),
	  .help = "validate a body without Content-Type as this one" },
};
static const struct element_schema map_schema = {
	.name = "content-type-map",
	.help = "Validates bodies as another Content-Type than they name.",
	.config_size = sizeof(struct map_config),
	.args = map_args,
	.n_args = ARRAY_LEN(map_args),
	.children = map_children,
	.n_children = ARRAY_LEN(map_children),
};
#define CONTENT_ARG(attr, k, f, where, text)                                                                          \
	{ .name = attr, .kind = k, .flags = f, .offset = offsetof(struct content_config, where), .help = text }
static const struct arg_schema content_args[] = {
	CONTENT_ARG("type", ARG_TEXT, ARG_EXPR | ARG_EMPTY, type,
		    "Content-Type; not given: all that the description names"),
	{ .name = "validate-as",
	  .kind = ARG_ENUM,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .choices = "json|xml|soap",
	  .offset = offsetof(struct content_config, as),
	  .help = "how to read the body" },
	ACTION_ARG("action", ARG_REQUIRED, struct content_config, action, "what to do when the body is wrong"),
	CONTENT_ARG("schema-id", ARG_TEXT, ARG_EXPR, schema_id,
		    "a schema that stands apart from the API's description"),
	CONTENT_ARG("schema-ref", ARG_TEXT, ARG_EXPR, schema_ref,
		    "a schema inside the stored one or the description, such as #/components/schemas/Order"),
	CONTENT_ARG("allow-additional-properties", ARG_BOOL, ARG_EXPR, additional,
		    "false: properties that the schema does not name are errors, true: they are none; not given: as the schema says"),
	{ .name = "case-insensitive-property-names", .kind = ARG_BOOL, .flags = ARG_EXPR, .def = "false",
	  .offset = offsetof(struct content_config, ignore_case), .help = "names of properties compare without case" },
};
static const struct element_schema content_schema = {
	.name = "content",
	.help = "How bodies of a Content-Type are validated.",
	.config_size = sizeof(struct content_config),
	.args = content_args,
	.n_args = ARRAY_LEN(content_args),
	.check = check_content,
};
static const struct child_schema children[] = {
	{ .element = &map_schema, .max = 1, .offset = offsetof(struct config, map) },
	{ .element = &content_schema, .offset = offsetof(struct config, contents) },
};
static const struct arg_schema args[] = {
	ACTION_ARG("unspecified-content-type-action", ARG_REQUIRED, struct config, unspecified,
		   "for a Content-Type that neither the policy nor the description names"),
	{ .name = "max-size", .kind = ARG_INT, .flags = ARG_REQUIRED | ARG_EXPR, .least = 0, .most = SIZE_MAX_BYTES,
	  .offset = offsetof(struct config, max_size), .help = "largest body in bytes, at most 4194304" },
	ACTION_ARG("size-exceeded-action", ARG_REQUIRED, struct config, size_action, "for a larger body"),
	ERRORS_ARG(struct config, variable),
};
static const struct element_schema schema = {
	.name = "validate-content", .help = "Validates size and form of the body of a request or response.",
	.config_size = sizeof(struct config), .args = args, .n_args = ARRAY_LEN(args), .children = children,
	.n_children = ARRAY_LEN(children), .check = check,
};
const struct policy_type validate_content_type = { .schema = &schema,
						   .sections = IN_INBOUND | IN_OUTBOUND | IN_ON_ERROR,
						   .run = run };
