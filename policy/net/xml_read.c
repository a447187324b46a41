/* xml_read.c - text to tree, with libxml2's SAX1 interface: it gives attributes in their written order, namespace
 * declarations among them, and builds no tree of its own. Namespaces are resolved here. */
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include "core/str.h"
#include "policy/net/make.h"
#include "policy/net/xml.h"

struct builder {
	struct arena *a;
	struct xnode *document, *open;
	unsigned depth;
	uint64_t steps;                      /* looks for declarations of namespaces that are left */
	bool keep_blanks, no_memory, has_dtd;
	const char *refused;                 /* our own reason to stop */
	xmlParserCtxtPtr ctx;
	struct out text;
	struct gh_err *err;
};

static void stop(struct builder *b, const char *why)
{
	if (!why)
		b->no_memory = true;
	else if (!b->refused)
		b->refused = why;
	xmlStopParser(b->ctx);
}

static struct str copy(struct builder *b, const xmlChar *s)
{
	struct str made = s ? arena_dup(b->a, str_of((const char *)s)) : STR("");

	if (!made.p)
		stop(b, NULL);
	return made.p ? made : STR("");
}

static bool blank(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr(" \t\r\n", s.p[i]))
			return false;
	return true;
}

static void add(struct builder *b, struct xnode *n)
{
	if (!n || !x_insert(b->a, b->open, NULL, n))
		stop(b, NULL);
}

/* Character data comes in pieces: it becomes one node when markup follows. */
static void flush_text(struct builder *b)
{
	struct str s = out_str(&b->text);

	if (b->text.n && b->open != b->document && (b->keep_blanks || !blank(s)))
		add(b, x_text(b->a, s));
	if (b->text.failed)
		stop(b, NULL);
	b->text = out_in(b->a);
}

static void split_name(struct str qname, struct str *prefix, struct str *local)
{
	size_t colon = str_find_char(qname, ':');

	*prefix = colon == SIZE_MAX ? STR("") : str_first(qname, colon);
	*local = colon == SIZE_MAX ? qname : str_from(qname, colon + 1);
}

/* As x_namespace_of_prefix, within the steps. */
static struct str in_scope(struct builder *b, const struct xnode *e, struct str prefix)
{
	if (str_eq(prefix, STR("xml")))
		return STR(XML_URI);
	for (; e; e = e->parent)
		for (const struct xnode *n = e->attributes; n; n = n->after) {
			bool declares = prefix.n ? str_eq(n->local, prefix) && str_eq(n->ns, STR(XMLNS_URI))
						 : n->ns.n == 0 && str_eq(n->local, STR("xmlns"));

			if (declares)
				return n->value;
			if (b->steps == 0)
				stop(b, "The XML document is too complex.");
			else
				b->steps--;
		}
	return prefix.n ? STR_NULL : STR("");
}

static void resolve(struct builder *b, struct xnode *n, const struct xnode *scope)
{
	struct str prefix, local;

	split_name(n->local, &prefix, &local);
	if (n->kind == X_ATTRIBUTE && prefix.n == 0)
		return;
	n->ns = in_scope(b, scope, prefix);
	n->local = local;
	if (!n->ns.p) {
		n->ns = STR("");
		b->refused = arena_printf(b->a, "'%.*s' is an undeclared prefix. Line %d, position %d.", STR_ARG(prefix),
					  xmlSAX2GetLineNumber(b->ctx), xmlSAX2GetColumnNumber(b->ctx)).p;
		stop(b, b->refused ? b->refused : "'' is an undeclared prefix.");
	}
}

static void on_start(void *user, const xmlChar *name, const xmlChar **attributes)
{
	struct builder *b = user;
	struct xnode *e;

	flush_text(b);
	e = x_new(b->a, X_ELEMENT);
	if (!e || ++b->depth > XML_DEPTH_LIMIT) {
		stop(b, e ? "The XML document is nested too deeply." : NULL);
		return;
	}
	e->local = copy(b, name);
	for (; attributes && attributes[0]; attributes += 2) {
		struct xnode *n = x_new(b->a, X_ATTRIBUTE);

		if (!n) {
			stop(b, NULL);
			return;
		}
		n->local = copy(b, attributes[0]);
		n->value = copy(b, attributes[1]);
		if (str_starts(n->local, STR("xmlns:"))) {
			n->ns = STR(XMLNS_URI);
			n->local = str_from(n->local, 6);
		}
		x_add_attribute(b->a, e, n);
	}
	e->parent = b->open;
	resolve(b, e, e);
	for (struct xnode *n = e->attributes; n; n = n->after)
		if (n->ns.n == 0)
			resolve(b, n, e);
	e->parent = NULL;
	add(b, e);
	b->open = e;
}

static void on_end(void *user, const xmlChar *name)
{
	struct builder *b = user;

	(void)name;
	flush_text(b);
	if (b->open == b->document)
		return;
	b->depth--;
	b->open->closed_by_tag = !b->open->first && b->ctx->input->cur - b->ctx->input->base >= 2 && b->ctx->input->cur[-2] != '/';
	b->open = b->open->parent;
}

static void on_text(void *user, const xmlChar *s, int n)
{
	struct builder *b = user;

	out_add(&b->text, s, (size_t)n);
}

static void on_cdata(void *user, const xmlChar *s, int n)
{
	struct builder *b = user;
	struct xnode *node;

	flush_text(b);
	node = x_new(b->a, X_CDATA);
	if (node)
		node->value = arena_dup(b->a, (struct str){ (const char *)s, (size_t)n });
	add(b, node);
}

static void on_comment(void *user, const xmlChar *s)
{
	struct builder *b = user;
	struct xnode *node;

	flush_text(b);
	node = x_new(b->a, X_COMMENT);
	if (node)
		node->value = copy(b, s);
	add(b, node);
}

static void on_pi(void *user, const xmlChar *target, const xmlChar *data)
{
	struct builder *b = user;
	struct xnode *node;

	flush_text(b);
	node = x_new(b->a, X_PI);
	if (node) {
		node->local = copy(b, target);
		node->value = copy(b, data);
	}
	add(b, node);
}

static void on_doctype(void *user, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
	struct builder *b = user;
	struct xnode *node = x_new(b->a, X_DOCTYPE);

	if (node) {
		node->local = copy(b, name);
		node->version = public_id ? copy(b, public_id) : STR_NULL;
		node->encoding = system_id ? copy(b, system_id) : STR_NULL;
	}
	add(b, node);
}

static void on_entity(void *user, const xmlChar *name, int type, const xmlChar *public_id, const xmlChar *system_id,
		      xmlChar *content)
{
	(void)name, (void)type, (void)public_id, (void)system_id, (void)content;
	stop(user, "For security reasons DTD is prohibited in this XML document. To enable DTD processing set the DtdProcessing "
		   "property on XmlReaderSettings to Parse and pass the settings into XmlReader.Create method.");
}

static void on_reference(void *user, const xmlChar *name)
{
	struct builder *b = user;
	const char *why = arena_printf(b->a, "Reference to undeclared entity '%s'. Line %d, position %d.", (const char *)name,
				       xmlSAX2GetLineNumber(b->ctx), xmlSAX2GetColumnNumber(b->ctx)).p;

	stop(b, why ? why : "Reference to undeclared entity.");
}

/* .NET's wording for what people meet most; libxml2's own for the rest. */
static void describe(struct builder *b, const xmlError *e)
{
	const char *text = e->message ? e->message : "An XML error has occurred.";
	int line = e->line, column = e->int2 > 0 ? e->int2 : 1;

	switch (e->code) {
	case XML_ERR_DOCUMENT_EMPTY:
	case XML_ERR_DOCUMENT_START:
		text = "Data at the root level is invalid.";
		break;
	case XML_ERR_DOCUMENT_END:
		text = b->document->last ? "There are multiple root elements." : "Root element is missing.";
		break;
	case XML_ERR_TAG_NAME_MISMATCH:
		gh_err_set(b->err, GH_E_SYNTAX, __FILE__, __LINE__,
			   "The '%s' start tag on line %d does not match the end tag of '%s'. Line %d, position %d.",
			   e->str1 ? e->str1 : "", e->int1 ? e->int1 : line, e->str2 ? e->str2 : "", line, column);
		return;
	case XML_ERR_TAG_NOT_FINISHED:
	case XML_ERR_GT_REQUIRED:
		text = "Unexpected end of file has occurred.";
		break;
	case XML_ERR_UNDECLARED_ENTITY:
		gh_err_set(b->err, GH_E_SYNTAX, __FILE__, __LINE__, "Reference to undeclared entity '%s'. Line %d, position %d.",
			   e->str1 ? e->str1 : "", line, column);
		return;
	case XML_ERR_ATTRIBUTE_REDEFINED:
		gh_err_set(b->err, GH_E_SYNTAX, __FILE__, __LINE__, "'%s' is a duplicate attribute name. Line %d, position %d.",
			   e->str1 ? e->str1 : "", line, column);
		return;
	default:
		break;
	}
	gh_err_set(b->err, GH_E_SYNTAX, __FILE__, __LINE__, "%.*s Line %d, position %d.", STR_ARG(str_trim(str_of(text))), line, column);
}

/* The value of a pseudo-attribute in "<?xml … ?>"; libxml2 forgets the encoding when it is told to ignore it. */
static struct str declared(struct str declaration, const char *name)
{
	size_t at = str_find(declaration, str_of(name)), end;
	char quote[2] = "";
	struct str rest;

	if (at == SIZE_MAX)
		return STR_NULL;
	rest = str_trim(str_from(declaration, at + strlen(name)));
	if (rest.n && rest.p[0] == '=')
		rest = str_trim(str_from(rest, 1));
	if (!rest.n || (rest.p[0] != '"' && rest.p[0] != '\''))
		return STR_NULL;
	quote[0] = rest.p[0];
	rest = str_from(rest, 1);
	end = str_find(rest, str_of(quote));
	return end == SIZE_MAX ? STR_NULL : str_first(rest, end);
}

static void take_declaration(struct arena *a, struct xnode *d, struct str text)
{
	size_t end = str_starts(text, STR("<?xml")) ? str_find(text, STR("?>")) : SIZE_MAX;
	struct str declaration = end == SIZE_MAX ? STR("") : arena_dup(a, str_first(text, end));

	if (!declaration.n)
		return;
	d->version = declared(declaration, " version");
	d->encoding = declared(declaration, " encoding");
	d->standalone = declared(declaration, " standalone");
}

static gh_rc finish(struct builder *b, struct gh_err *err)
{
	xmlErrorPtr e;

	if (b->no_memory)
		FAIL(err, NOMEM, "Insufficient memory to continue the execution of the program.");
	if (b->refused)
		FAIL(err, LIMIT, "%s", b->refused);
	if (b->ctx->wellFormed)
		return GH_RC_OK;
	e = xmlCtxtGetLastError(b->ctx);
	if (!e)
		FAIL(err, SYNTAX, "Data at the root level is invalid. Line 1, position 1.");
	describe(b, e);
	return (gh_rc){ GH_E_SYNTAX };
}

static const char *past(const char *p, const char *end, const char *mark)
{
	const char *found = memmem(p, (size_t)(end - p), mark, strlen(mark));

	return found ? found + strlen(mark) : end;
}

/* The end of a start tag, and how many attributes it has. */
static const char *skim_tag(const char *p, const char *end, size_t *attributes)
{
	for (*attributes = 0; p < end && *p != '>'; p++) {
		if (*p != '"' && *p != '\'')
			continue;
		++*attributes;
		p = memchr(p + 1, *p, (size_t)(end - p - 1));
		if (!p)
			return end;
	}
	return p;
}

/* libxml2 compares each attribute of an element with every other: their number is bounded before it sees them. */
static bool few_attributes(struct str text)
{
	const char *p = text.p, *end = text.p + text.n;
	size_t n = 0;

	while (p < end && (p = memchr(p, '<', (size_t)(end - p)))) {
		struct str rest = { p, (size_t)(end - p) };

		if (str_starts(rest, STR("<!--")))
			p = past(p, end, "-->");
		else if (str_starts(rest, STR("<![CDATA[")))
			p = past(p, end, "]]>");
		else if (str_starts(rest, STR("<?")))
			p = past(p, end, "?>");
		else
			p = skim_tag(p, end, &n) + 1;
		if (rest.n > 1 && rest.p[1] != '!' && rest.p[1] != '?' && n > XML_ATTRIBUTES_MAX)
			return false;
	}
	return true;
}

GH_RC x_read(struct arena *a, struct str text, bool keep_blanks, struct xnode **document, struct gh_err *err)
{
	struct builder b = { .a = a, .keep_blanks = keep_blanks, .text = out_in(a), .err = err, .steps = XML_STEPS_MAX };
	gh_rc rc;

	if (text.n > XML_BYTES_MAX)
		FAIL(err, LIMIT, "The XML document is too large.");
	if (!few_attributes(text))
		FAIL(err, LIMIT, "An element of the XML document has too many attributes.");
	if (str_starts(text, STR("\xEF\xBB\xBF")))
		text = str_from(text, 3);
	if (text.n == 0)
		FAIL(err, SYNTAX, "Root element is missing.");
	b.document = b.open = x_new(a, X_DOCUMENT);
	b.ctx = b.document ? xmlCreateMemoryParserCtxt(text.p, (int)text.n) : NULL;
	if (!b.ctx)
		FAIL(err, NOMEM, "Insufficient memory to continue the execution of the program.");
	xmlCtxtUseOptions(b.ctx, XML_PARSE_NONET | XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC);
	memset(b.ctx->sax, 0, sizeof(*b.ctx->sax));
	b.ctx->sax->initialized = 1;             /* elements come with their names as written: the SAX1 form */
	b.ctx->sax->startElement = on_start;
	b.ctx->sax->endElement = on_end;
	b.ctx->sax->characters = b.ctx->sax->ignorableWhitespace = on_text;
	b.ctx->sax->cdataBlock = on_cdata;
	b.ctx->sax->comment = on_comment;
	b.ctx->sax->processingInstruction = on_pi;
	b.ctx->sax->internalSubset = on_doctype;
	b.ctx->sax->entityDecl = on_entity;
	b.ctx->sax->reference = on_reference;
	b.ctx->userData = &b;
	b.ctx->replaceEntities = 1;      /* "&amp;" in attributes is told as "&"; there are no other entities */
	xmlParseDocument(b.ctx);
	rc = finish(&b, err);
	xmlFreeDoc(b.ctx->myDoc);        /* libxml2 makes one when it meets an entity */
	xmlFreeParserCtxt(b.ctx);
	take_declaration(a, b.document, text);
	*document = b.document;
	return rc;
}

GH_RC xml_document_value(struct arena *a, struct str text, struct value *out, struct gh_err *err)
{
	struct xnode *document;

	*out = VALUE_NULL_INIT;
	TRY(x_read(a, text, false, &document, err));
	*out = value_object(document);
	return GH_RC_OK;
}

GH_RC xml_element_value(struct arena *a, struct str text, struct value *out, struct gh_err *err)
{
	struct xnode *document, *n;

	*out = VALUE_NULL_INIT;
	TRY(x_read(a, text, false, &document, err));
	for (n = document->first; n && n->kind != X_ELEMENT;)
		n = n->after;
	if (!n)
		FAIL(err, SYNTAX, "Root element is missing.");
	x_unlink(n);
	*out = value_object(n);
	return GH_RC_OK;
}
