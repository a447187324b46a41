/* convert.c - xml-to-json and json-to-xml. */
#include "policy/elements/body_text.h"
#include "policy/elements/json_date.h"

#include "core/str.h"
#include "policy/xml_json.h"

struct config {
	struct arg kind, apply, accept, arrays;                                  /* xml-to-json */
	struct arg parse_date, separator, namespace_prefix, attribute_block;     /* json-to-xml */
};

/* Is the conversion wanted? `apply` 0 is always, 1 by Content-Type; the caller's Accept must name the target, unless
 * consider-accept-header is off. */
static bool wanted(struct exchange *x, const struct config *c, bool (*from)(struct str), struct str target, bool *yes)
{
	struct str accept = fields_joined(&x->request.headers, STR("Accept"));
	int64_t apply;
	bool consider;

	*yes = false;
	if (!arg_get_int(x, &c->apply, &apply) || !arg_get_bool(x, &c->accept, &consider))
		return false;
	if (apply && !from(content_type_of(message_headers(x)))) {
		exchange_trace(x, "left alone: another Content-Type");
		return true;
	}
	if (consider && (str_is_null(accept) || str_find(accept, target) == SIZE_MAX)) {
		exchange_trace(x, "left alone: Accept does not ask for it");
		return true;
	}
	*yes = true;
	return true;
}

static enum step failed(struct exchange *x, const struct gh_err *err)
{
	return exchange_fail(x, works_on_response(x) ? 500 : 400, STR("ConversionFailure"),
			     "The body could not be converted: %s", err->message);
}

static enum step put_body(struct exchange *x, struct str text, struct str type)
{
	if (str_is_null(text) || !fields_set(message_headers(x), STR("Content-Type"), type))
		return exchange_no_memory(x);
	body_replace(x, text);
	exchange_trace(x, "converted, %zu bytes", text.n);
	return STEP_NEXT;
}

static bool uses_body(struct compiler *c, const struct doc_node *n, void *config)
{
	(void)n;
	(void)config;
	compile_uses_body(c);
	return true;
}

static enum step run_to_json(struct exchange *x, const void *config)
{
	const struct config *c = config;
	struct xml_json_options o = { 0 };
	struct body *b = message_body(x);
	struct gh_err err;
	json_t *json;
	int64_t kind;
	bool yes;

	if (!wanted(x, c, is_xml_type, STR("json"), &yes) || !arg_get_int(x, &c->kind, &kind)
	    || !arg_get_bool(x, &c->arrays, &o.arrays))
		return STEP_FAIL;
	if (!yes || b->kind != BODY_HELD || !b->bytes.n)
		return STEP_NEXT;
	o.friendly = kind == 0;
	if (xml_to_json(x->arena, b->bytes, &o, &json, &err).code)
		return failed(x, &err);
	return put_body(x, jsn_text(x->arena, json, 0), STR("application/json"));
}

static const struct arg_schema to_json_args[] = {
	{ .name = "kind",
	  .kind = ARG_ENUM,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .choices = "javascript-friendly|direct",
	  .offset = offsetof(struct config, kind),
	  .help = "attributes as plain properties, or marked with @" },
	{ .name = "apply",
	  .kind = ARG_ENUM,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .choices = "always|content-type-xml",
	  .offset = offsetof(struct config, apply),
	  .help = "always, or only when Content-Type says XML" },
	{ .name = "consider-accept-header",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "true",
	  .offset = offsetof(struct config, accept),
	  .help = "convert only when the request's Accept asks for JSON" },
	{ .name = "always-array-child-elements",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "false",
	  .offset = offsetof(struct config, arrays),
	  .help = "every child element becomes an array" },
};
static const struct element_schema to_json_schema = {
	.name = "xml-to-json",
	.help = "Converts the body from XML to JSON.",
	.config_size = sizeof(struct config),
	.args = to_json_args,
	.n_args = ARRAY_LEN(to_json_args),
	.check = uses_body,
};
const struct policy_type xml_to_json_type = { .schema = &to_json_schema,
					      .sections = IN_INBOUND | IN_OUTBOUND | IN_ON_ERROR,
					      .run = run_to_json };

/* ---- json-to-xml ------------------------------------------------------------------------------------------------- */

static enum step run_to_xml(struct exchange *x, const void *config)
{
	static const struct jsn_limits limits = { .flags = JSN_ANY | JSN_BIG_INTEGERS };
	const struct config *c = config;
	struct json_xml_options o = { 0 };
	struct body *b = message_body(x);
	struct gh_err err;
	struct str text;
	json_t *json;
	bool yes;

	if (!wanted(x, c, is_json_type, STR("xml"), &yes) || !arg_get_text(x, &c->separator, &o.separator)
	    || !arg_get_text(x, &c->namespace_prefix, &o.namespace_prefix)
	    || !arg_get_text(x, &c->attribute_block, &o.attribute_block))
		return STEP_FAIL;
	if (!yes || b->kind != BODY_HELD || !b->bytes.n)
		return STEP_NEXT;
	if (jsn_parse_in(x->arena, b->bytes, &limits, &json, NULL, &err).code)
		return failed(x, &err);
	if (c->parse_date.number)
		json_dates_in_xml_form(x->arena, json, 0);
	if (json_to_xml(x->arena, json, &o, &text, &err).code)
		return failed(x, &err);
	return put_body(x, text, STR("text/xml"));
}

static const struct arg_schema to_xml_args[] = {
	{ .name = "apply",
	  .kind = ARG_ENUM,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .choices = "always|content-type-json",
	  .offset = offsetof(struct config, apply),
	  .help = "always, or only when Content-Type says JSON" },
	{ .name = "consider-accept-header",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "true",
	  .offset = offsetof(struct config, accept),
	  .help = "convert only when the request's Accept asks for XML" },
	{ .name = "parse-date",
	  .kind = ARG_BOOL,
	  .def = "true",
	  .offset = offsetof(struct config, parse_date),
	  .help = "dates are written in the form of XML; false: they are copied as they are" },
	{ .name = "namespace-separator",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR,
	  .def = "_",
	  .offset = offsetof(struct config, separator),
	  .help = "stands between prefix and name in a property" },
	{ .name = "namespace-prefix",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR,
	  .offset = offsetof(struct config, namespace_prefix),
	  .help = "properties that begin with it declare namespaces, usually xmlns" },
	{ .name = "attribute-block-name",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR,
	  .offset = offsetof(struct config, attribute_block),
	  .help = "property whose members become attributes, for example #attrs" },
};
static const struct element_schema to_xml_schema = {
	.name = "json-to-xml",
	.help = "Converts the body from JSON to XML.",
	.config_size = sizeof(struct config),
	.args = to_xml_args,
	.n_args = ARRAY_LEN(to_xml_args),
	.check = uses_body,
};
const struct policy_type json_to_xml_type = { .schema = &to_xml_schema,
					      .sections = IN_INBOUND | IN_OUTBOUND | IN_ON_ERROR,
					      .run = run_to_xml };
