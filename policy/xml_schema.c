#include "policy/xml_schema.h"

#include "core/str.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlschemas.h>

enum { PARSE = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING };

struct finding {
	struct arena *a;
	struct str first;
};

static void note(void *ctx, xmlErrorPtr e)
{
	struct finding *f = ctx;

	if (!f->first.p && e && e->message)
		f->first = arena_printf(f->a, "%.*s Line: %d, Position: 1", STR_ARG(str_trim(str_of(e->message))),
					e->line);
}

static xmlSchema *read_schema(struct str text, struct finding *f)
{
	xmlSchemaParserCtxt *p = xmlSchemaNewMemParserCtxt(text.p, (int)text.n);
	xmlSchema *s = NULL;

	if (p) {
		xmlSchemaSetParserStructuredErrors(p, note, f);
		s = xmlSchemaParse(p);
		xmlSchemaFreeParserCtxt(p);
	}
	return s;
}

static xmlNode *child_named(xmlNode *n, const char *name)
{
	for (xmlNode *k = n ? n->children : NULL; k; k = k->next)
		if (k->type == XML_ELEMENT_NODE && (!name || !strcmp((const char *)k->name, name)))
			return k;
	return NULL;
}

static bool validate(xmlSchema *s, xmlDoc *doc, bool soap, struct finding *f)
{
	xmlNode *root = xmlDocGetRootElement(doc), *one = soap ? child_named(child_named(root, "Body"), NULL) : NULL;
	xmlSchemaValidCtxt *v = xmlSchemaNewValidCtxt(s);
	bool ok = false;

	if (!v)
		return false;
	xmlSchemaSetValidStructuredErrors(v, note, f);
	if (!soap)
		ok = !xmlSchemaValidateDoc(v, doc);
	else if (one)
		ok = !xmlSchemaValidateOneElement(v, one);
	else
		f->first = STR("The SOAP message has no body.");
	xmlSchemaFreeValidCtxt(v);
	return ok;
}

GH_RC xml_schema_check(struct arena *a, struct str schema, struct str xml, bool soap, bool *valid, struct str *why,
		       struct gh_err *err)
{
	struct finding f = { .a = a };
	xmlSchema *s = read_schema(schema, &f);
	xmlDoc *doc;

	*valid = false;
	if (!s)
		FAIL(err, SYNTAX, "the XML Schema is wrong: %.*s", STR_ARG(f.first));
	f.first = STR_NULL;
	doc = xmlReadMemory(xml.p, (int)xml.n, NULL, NULL, PARSE);
	if (doc)
		*valid = validate(s, doc, soap, &f);
	else
		note(&f, xmlGetLastError());
	*why = f.first.p ? f.first : STR("The XML is not valid.");
	xmlFreeDoc(doc);
	xmlSchemaFree(s);
	return GH_RC_OK;
}
