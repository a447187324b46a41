/* xslt.c - xsl-transform: the body through a stylesheet that stands in the document. It is compiled with the document
 * and may read and write nothing: no files, no network, and a bound on the work. */
#include "policy/elements/body_text.h"

#include "core/str.h"
#include "policy/xml_json.h"
#include "policy/xml_work.h"

#include <libxml/parser.h>
#include <libxslt/security.h>
#include <libxslt/transform.h>

#include <libxslt/xsltInternals.h>
#include <libxslt/variables.h>
#include <libxslt/xsltutils.h>

enum { PARAMETERS_MAX = 64, XSLT_OPERATIONS_MAX = 1000000, XPATH_OPERATIONS_MAX = 5000000, XSLT_DEPTH_MAX = 500 };

struct parameter_config {
	struct arg name, alias, value;
};
struct config {
	struct parameter_config **parameters;
	size_t n_parameters;
	xsltStylesheet *sheet;
};

static const struct arg_schema parameter_args[] = {
	{ .name = "parameter-name",
	  .kind = ARG_TEXT,
	  .offset = offsetof(struct parameter_config, name),
	  .help = "name of the stylesheet's parameter" },
	/* the reference's page writes the one in its statement and the other in its example */
	{ .name = "name",
	  .kind = ARG_TEXT,
	  .offset = offsetof(struct parameter_config, alias),
	  .help = "the same" },
};
static const struct arg_schema parameter_text = {
	.name = "value",
	.kind = ARG_TEXT,
	.flags = ARG_EXPR | ARG_EMPTY,
	.offset = offsetof(struct parameter_config, value),
	.help = "its value",
};
static bool check_parameter(struct compiler *c, const struct doc_node *n, void *config)
{
	struct parameter_config *p = config;

	if (p->name.given == p->alias.given) {
		compile_error(c, n, NULL, "<parameter> needs a `parameter-name` (or `name`, not both)");
		return false;
	}
	if (p->alias.given)
		p->name = p->alias;
	return true;
}

static const struct element_schema parameter_schema = {
	.name = "parameter", .help = "A parameter for the stylesheet.", .config_size = sizeof(struct parameter_config),
	.args = parameter_args, .n_args = ARRAY_LEN(parameter_args), .text = &parameter_text,
	.check = check_parameter,
};

/* ---- compile ----------------------------------------------------------------------------------------------------- */

static void free_sheet(void *sheet)
{
	xsltFreeStylesheet(sheet);
}

static void quiet(void *ctx, const char *fmt, ...)
{
	(void)ctx;
	(void)fmt;
}

static bool load_sheet(struct compiler *c, const struct doc_node *n, struct config *s)
{
	struct str text;
	xmlDoc *doc;

	if (!compile_text(c, n->outer, false, &text))
		return false;
	doc = xmlReadMemory(text.p, (int)text.n, NULL, NULL,
			    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
	xsltSetGenericErrorFunc(NULL, quiet);
	s->sheet = doc ? xsltParseStylesheetDoc(doc) : NULL;
	if (!s->sheet || s->sheet->errors) {
		const xmlError *e = xmlGetLastError();
		struct str why = str_trim(e && e->message ? str_of(e->message) : STR("it is no XSLT 1.0 stylesheet"));

		compile_error(c, n, NULL, "the stylesheet is wrong: %.*s", STR_ARG(why));
		if (s->sheet)
			xsltFreeStylesheet(s->sheet);
		else
			xmlFreeDoc(doc);
		return false;
	}
	if (arena_defer(c->arena, free_sheet, s->sheet))
		return true;
	xsltFreeStylesheet(s->sheet);
	compile_error(c, n, NULL, "out of memory");
	return false;
}

static bool add_parameter(struct compiler *c, const struct doc_node *n, struct config *s)
{
	if (!s->parameters)
		s->parameters = arena_alloc(c->arena, PARAMETERS_MAX, sizeof(*s->parameters));
	if (!s->parameters || s->n_parameters == PARAMETERS_MAX) {
		compile_error(c, n, NULL, "`xsl-transform` takes at most %d parameters", PARAMETERS_MAX);
		return false;
	}
	s->parameters[s->n_parameters] = compile_element(c, n, &parameter_schema);
	return s->parameters[s->n_parameters++] != NULL;
}

static bool check(struct compiler *c, const struct doc_node *n, void *config)
{
	struct config *s = config;
	bool ok = true;

	compile_uses_body(c);
	for (const struct doc_node *k = n->first; k; k = k->next) {
		if (str_eq(k->name, STR("parameter")))
			ok &= add_parameter(c, k, s);
		else if (str_ends(k->name, STR("stylesheet")) || str_ends(k->name, STR("transform")))
			ok &= load_sheet(c, k, s);
		else
			compile_error(c, k, NULL, "<%.*s> cannot stand in <xsl-transform>", STR_ARG(k->name));
	}
	if (!s->sheet && ok)
		compile_error(c, n, NULL, "<xsl-transform> needs an <xsl:stylesheet> inside");
	return ok && s->sheet;
}

/* ---- run --------------------------------------------------------------------------------------------------------- */

static bool read_parameters(struct exchange *x, const struct config *c, const char **out)
{
	size_t k = 0;

	for (size_t i = 0; i < c->n_parameters; i++) {
		struct str value;

		if (!arg_get_text(x, &c->parameters[i]->value, &value))
			return false;
		out[k++] = arena_cstr(x->arena, c->parameters[i]->name.text);
		out[k++] = arena_cstr(x->arena, value);
		if (!out[k - 2] || !out[k - 1]) {
			exchange_no_memory(x);
			return false;
		}
	}
	out[k] = NULL;
	return true;
}

/* bytes: of the body; work for each of them is no surprise */
static xsltTransformContext *context_for(const struct config *c, xmlDoc *doc, xsltSecurityPrefs *prefs, size_t bytes)
{
	static const xsltSecurityOption all[] = { XSLT_SECPREF_READ_FILE, XSLT_SECPREF_WRITE_FILE,
						  XSLT_SECPREF_CREATE_DIRECTORY, XSLT_SECPREF_READ_NETWORK,
						  XSLT_SECPREF_WRITE_NETWORK };
	xsltTransformContext *t = xsltNewTransformContext(c->sheet, doc);

	if (!t)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		xsltSetSecurityPrefs(prefs, all[i], xsltSecurityForbid);
	xsltSetCtxtSecurityPrefs(prefs, t);
	xsltSetTransformErrorFunc(t, NULL, quiet);
	t->opLimit = XSLT_OPERATIONS_MAX + bytes;
	t->xpathCtxt->opLimit = XPATH_OPERATIONS_MAX + 4 * bytes;
	t->maxTemplateDepth = XSLT_DEPTH_MAX;
	return t;
}

static bool transform(struct exchange *x, const struct config *c, xmlDoc *doc, size_t bytes, const char **parameters, struct str *out,
		      bool *over)
{
	xsltSecurityPrefs *prefs = xsltNewSecurityPrefs();
	xsltTransformContext *t = prefs ? context_for(c, doc, prefs, bytes) : NULL;
	xmlDoc *result = NULL;
	xmlChar *text = NULL;
	struct xml_work work;
	int n = 0;
	bool ok = false;

	*over = false;
	if (t && !xsltQuoteUserParams(t, parameters)) {
		xml_work_begin(&work, bytes, arena_left(x->arena), &t->opLimit, &t->xpathCtxt->opLimit);
		result = xsltApplyStylesheetUser(c->sheet, doc, NULL, NULL, NULL, t);
		xml_work_end(&work);
		*over = work.over || t->opCount >= t->opLimit || t->xpathCtxt->opCount >= t->xpathCtxt->opLimit;
	}
	if (result && t->state == XSLT_STATE_OK && !xsltSaveResultToString(&text, &n, result, c->sheet)) {
		/* libxslt ends a document with a line break of its own unless indent is "no"; nobody asked for it */
		if (n && text[n - 1] == '\n' && c->sheet->indent == -1 && (!c->sheet->method || !xmlStrEqual(c->sheet->method, BAD_CAST "text")))
			n--;
		*out = arena_dup(x->arena, (struct str){ (const char *)text, (size_t)n });
		ok = !str_is_null(*out);
	}
	xmlFree(text);
	xmlFreeDoc(result);
	if (t)
		xsltFreeTransformContext(t);
	xsltFreeSecurityPrefs(prefs);
	return ok;
}

static enum step run(struct exchange *x, const void *config)
{
	const struct config *c = config;
	struct body *b = message_body(x);
	const char *parameters[2 * PARAMETERS_MAX + 1];
	struct str out;
	xmlDoc *doc;
	bool ok, over;

	if (b->kind != BODY_HELD || !b->bytes.n)
		return STEP_NEXT;
	if (!read_parameters(x, c, parameters))
		return STEP_FAIL;
	doc = b->bytes.n > BODY_TEXT_MAX ? NULL
					 : xmlReadMemory(b->bytes.p, (int)b->bytes.n, NULL, NULL,
							 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!doc)
		return exchange_fail(x, works_on_response(x) ? 500 : 400, STR("TransformationFailure"),
				     "The body is no well-formed XML.");
	if (xml_has_entities(doc)) {
		xmlFreeDoc(doc);
		return exchange_fail(x, works_on_response(x) ? 500 : 400, STR("TransformationFailure"), XML_NO_ENTITIES);
	}
	ok = transform(x, c, doc, b->bytes.n, parameters, &out, &over);
	xmlFreeDoc(doc);
	if (!ok)
		return exchange_fail(x, 500, STR("TransformationFailure"), "The stylesheet could not be applied to the body%s.",
				     over ? ": it takes more work or memory than it may" : "");
	body_replace(x, out);
	exchange_trace(x, "%zu bytes", out.n);
	return STEP_NEXT;
}

static const struct child_schema children[] = { { .element = &parameter_schema } };
static const struct element_schema schema = {
	.name = "xsl-transform",
	.help = "Sends an XML body through the XSLT 1.0 stylesheet that stands inside.",
	.config_size = sizeof(struct config),
	.content = CONTENT_MARKUP,
	.children = children,
	.n_children = 1,
	.check = check,
};
const struct policy_type xsl_transform_type = { .schema = &schema, .sections = IN_INBOUND | IN_OUTBOUND, .run = run };
