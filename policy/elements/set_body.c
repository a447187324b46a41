/* set_body.c - set-body. The text stands as it is, white space included; XML inside is taken as its own text. */
#include "policy/elements/set_body.h"

#include "core/liquid.h"
#include "core/str.h"
#include "policy/expr/class.h"

static bool body_text(struct exchange *x, const struct arg *a, struct str *out)
{
	struct value v;

	if (!a->expr) {
		*out = a->text;
		return true;
	}
	if (!arg_get_value(x, a, &v))
		return false;
	*out = value_bytes(v);
	if (str_is_null(*out))
		*out = v.kind == VALUE_NULL ? STR("") : value_to_text(x->arena, v);
	if (!str_is_null(*out))
		return true;
	exchange_no_memory(x);
	return false;
}

bool apply_set_body(struct exchange *x, const struct set_body_config *c, struct body *to, struct fields *headers)
{
	struct str bytes;

	if (c->liquid ? !render_liquid(x, c, to, headers, &bytes) : !body_text(x, &c->text, &bytes))
		return false;
	*to = (struct body){ .kind = BODY_HELD, .bytes = bytes, .changed = true };
	fields_remove(headers, STR("Content-Encoding"));
	exchange_trace(x, "%zu bytes", bytes.n);
	return true;
}

static enum step run(struct exchange *x, const void *config)
{
	return apply_set_body(x, config, message_body(x), message_headers(x)) ? STEP_NEXT : STEP_FAIL;
}

static bool parse_template(struct compiler *c, const struct doc_node *n, struct set_body_config *s)
{
	struct liquid_options options = { .dialect = LIQUID_DOTLIQUID };
	struct gh_err err;
	unsigned line, column;

	document_place(c->doc, n->text.text.n ? n->text.at : n->at, &line, &column);
	options.line = (int)line;
	options.column = (int)column;
	if (!liquid_parse(c->arena, STR("set-body"), s->text.text, &options, &s->liquid, &err).code)
		return true;
	compile_error(c, n, NULL, "the Liquid template is wrong: %s", err.message);
	return false;
}

/* return-response and send-request make a new message: its template sees no body. */
static bool has_body_of_its_own(const struct doc_node *parent)
{
	return str_eq(parent->name, STR("return-response")) || str_starts(parent->name, STR("send-"));
}

static bool check(struct compiler *c, const struct doc_node *n, void *config)
{
	struct set_body_config *s = config;
	bool liquid = s->template.given && !s->template.number;

	if (n->first) {
		if (!compile_text(c, n->inner, liquid, &s->text.text))
			return false;
		s->text.given = true;
	}
	if (!liquid || s->text.expr)
		return true;
	if (!has_body_of_its_own(n->parent))
		compile_uses_body(c);
	return parse_template(c, n, s);
}

static const struct arg_schema text = {
	.name = "body", .kind = ARG_TEXT, .flags = ARG_EXPR | ARG_EMPTY | ARG_VERBATIM | ARG_TEMPLATE,
	.offset = offsetof(struct set_body_config, text), .help = "the new body",
};
static const struct arg_schema args[] = {
	{ .name = "template",
	  .kind = ARG_ENUM,
	  .choices = "liquid|none",
	  .def = "none",
	  .offset = offsetof(struct set_body_config, template),
	  .help = "the text is a Liquid template" },
	{ .name = "xsi-nil",
	  .kind = ARG_ENUM,
	  .choices = "blank|null",
	  .def = "blank",
	  .offset = offsetof(struct set_body_config, xsi_nil),
	  .help = "what an element of an XML body with xsi:nil=\"true\" is in a template: an empty text, or nothing" },
	{ .name = "parse-date",
	  .kind = ARG_BOOL,
	  .def = "true",
	  .offset = offsetof(struct set_body_config, parse_date),
	  .help = "texts of a JSON body that look like dates are dates in a template and print as MM/dd/yyyy HH:mm:ss" },
};
const struct element_schema set_body_schema = {
	.name = "set-body", .help = "Replaces the body of the request or the response.",
	.config_size = sizeof(struct set_body_config), .args = args, .n_args = ARRAY_LEN(args), .text = &text,
	.content = CONTENT_MARKUP, .check = check,
};
const struct policy_type set_body_type = { .schema = &set_body_schema,
					   .sections = IN_INBOUND | IN_BACKEND | IN_OUTBOUND,
					   .run = run };
