/* schemas_xml.c - XML Schema by libxml2.
 *
 * A schema that includes or imports another is loaded by libxml2 through its external entity loader, of which there is one
 * in a process. Ours knows the schemas of the set that is being compiled in this thread, and nothing else: no file and no
 * address is ever opened, whatever a schema or a document says. */
#include "core/str.h"
#include "policy/apart.h"
#include "policy/schemas_impl.h"
#include "policy/xml_json.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <libxml/xmlregexp.h>
#include <unistd.h>

enum {
	PARSE = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING,
	COUNTED_SMALL = 1000,        /* a body below this many bytes has too few elements to count for long */
};

static const char soap_1_1[] = "http://schemas.xmlsoap.org/soap/envelope/", soap_1_2[] = "http://www.w3.org/2003/05/soap-envelope";

/* ---- compiling ------------------------------------------------------------------------------------------------------ */

static _Thread_local const struct schemas *compiling;    /* NULL: nothing may be loaded */

static xmlParserInput *load(const char *url, const char *id UNUSED, xmlParserCtxt *ctx)
{
	const struct stored *st = compiling && url ? schemas_named(compiling, str_of(url)) : NULL;
	xmlParserInputBuffer *b;
	xmlParserInput *in;

	if (!st || st->kind != SCHEMA_XML)
		return NULL;
	b = xmlParserInputBufferCreateMem(st->text.p, (int)st->text.n, XML_CHAR_ENCODING_NONE);
	in = b ? xmlNewIOInputStream(ctx, b, XML_CHAR_ENCODING_NONE) : NULL;
	if (in)
		in->filename = (char *)xmlStrdup((const xmlChar *)url);
	else
		xmlFreeParserInputBuffer(b);
	return in;
}

static void set_loader(void)
{
	xmlSetExternalEntityLoader(load);
}

/* ---- what may take for ever ------------------------------------------------------------------------------------------ */

/* libxml2 tries one way after the other through a pattern that is not deterministic, and there may be exponentially many. */
static bool ambiguous(const xmlNode *n)
{
	xmlChar *value = xmlGetNoNsProp(n, BAD_CAST "value");
	xmlRegexp *r = value ? xmlRegexpCompile(value) : NULL;
	bool is = r && xmlRegexpIsDeterminist(r) != 1;

	xmlRegFreeRegexp(r);
	xmlFree(value);
	return is;
}

/* 2: as often as one likes; 1: a number above 1 */
static int repeats(const xmlNode *n)
{
	xmlChar *most = xmlGetNoNsProp(n, BAD_CAST "maxOccurs");
	int is = !most ? 0 : xmlStrEqual(most, BAD_CAST "unbounded") ? 2 : !xmlStrEqual(most, BAD_CAST "0") && !xmlStrEqual(most, BAD_CAST "1");

	xmlFree(most);
	return is;
}

static void look_at(struct stored *st, const xmlNode *n, bool repeated)
{
	/* a group that is defined may be repeated where it is used */
	int times = xmlStrEqual(n->name, BAD_CAST "group") && xmlHasProp(n, BAD_CAST "name") ? 2 : repeats(n);

	st->patterns |= xmlStrEqual(n->name, BAD_CAST "pattern") && ambiguous(n);
	st->counts |= times == 1 && repeated;
	for (const xmlNode *k = n->children; k; k = k->next)
		if (k->type == XML_ELEMENT_NODE)
			look_at(st, k, repeated || times);
}

/* Also those that it includes, each once: they may include each other. */
static void look_through(struct schemas *s, struct stored *st, const xmlDoc *doc)
{
	const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;

	if (root)
		look_at(st, root, false);
	for (const xmlNode *k = root ? root->children : NULL; k; k = k->next) {
		xmlChar *where = k->type == XML_ELEMENT_NODE ? xmlGetNoNsProp(k, BAD_CAST "schemaLocation") : NULL;
		struct stored *other = where ? schemas_named(s, str_of((const char *)where)) : NULL;

		xmlFree(where);
		if (other && other->kind == SCHEMA_XML && other->looked_for != st) {
			xmlDoc *inner = xmlReadMemory(other->text.p, (int)other->text.n, NULL, NULL, PARSE);

			other->looked_for = st;
			look_through(s, st, inner);
			xmlFreeDoc(inner);
		}
	}
}

struct finding {
	struct arena *a;
	struct str *errors;
	size_t n, max;
};

static void note(void *ctx, xmlErrorPtr e)
{
	struct finding *f = ctx;

	if (f->n < f->max && e && e->message)
		f->errors[f->n++] = arena_printf(f->a, "%.*s Line: %d, Position: %d", STR_ARG(str_trim(str_of(e->message))), e->line,
						 e->int2 > 0 ? e->int2 : 1);
}

void schemas_compile_xml(struct schemas *s, struct stored *st)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct str why = STR_NULL;
	struct finding f = { s->arena, &why, 0, 1 };
	xmlSchemaParserCtxt *p;
	xmlDoc *doc;
	char url[300];

	if (st->tried)
		return;
	st->tried = true;
	pthread_once(&once, set_loader);
	snprintf(url, sizeof(url), "/schemas/%.*s", STR_ARG(str_first(st->id, 256)));
	xmlResetLastError();
	doc = xmlReadMemory(st->text.p, (int)st->text.n, url, NULL, PARSE);
	p = doc ? xmlSchemaNewDocParserCtxt(doc) : NULL;
	if (p) {
		xmlSchemaSetParserStructuredErrors(p, note, &f);
		compiling = s;
		st->xml = xmlSchemaParse(p);
		compiling = NULL;
		xmlSchemaFreeParserCtxt(p);
		st->looked_for = st;
		if (st->xml)
			look_through(s, st, doc);
	} else {
		note(&f, xmlGetLastError());
	}
	xmlFreeDoc(doc);
	st->why = f.n ? why : STR("it cannot be read");
}

/* ---- validating ----------------------------------------------------------------------------------------------------- */

static bool is_soap(const xmlNode *n, const char *name)
{
	return n && n->type == XML_ELEMENT_NODE && n->ns && n->ns->href && !strcmp((const char *)n->name, name)
	       && (!strcmp((const char *)n->ns->href, soap_1_1) || !strcmp((const char *)n->ns->href, soap_1_2));
}

/* The one body of an envelope; two, or one of another namespace than the envelope's, are none. */
static xmlNode *soap_body(xmlNode *root)
{
	xmlNode *body = NULL;

	if (!is_soap(root, "Envelope"))
		return NULL;
	for (xmlNode *k = root->children; k; k = k->next) {
		if (k->type != XML_ELEMENT_NODE || strcmp((const char *)k->name, "Body") != 0)
			continue;
		if (body || !is_soap(k, "Body") || !xmlStrEqual(k->ns->href, root->ns->href))
			return NULL;
		body = k;
	}
	return body;
}

static void validate_soap(xmlSchemaValidCtxt *v, xmlDoc *doc, enum xml_form form, struct finding *f)
{
	xmlNode *body = soap_body(xmlDocGetRootElement(doc));
	size_t n = 0;

	for (xmlNode *k = body ? body->children : NULL; k; k = k->next) {
		if (k->type != XML_ELEMENT_NODE)
			continue;
		n++;
		if (!(form == XML_SOAP_RESPONSE && is_soap(k, "Fault")) && xmlSchemaValidateOneElement(v, k) != 0 && !f->n)
			f->errors[f->n++] = STR("The SOAP body is not valid.");
	}
	if (!n)
		f->errors[f->n++] = body ? STR("The body of the SOAP message is empty.") : STR("The message is no SOAP envelope with one body.");
}

static GH_RC validate(xmlSchema *schema, xmlDoc *doc, enum xml_form form, struct finding *f, struct gh_err *err)
{
	xmlSchemaValidCtxt *v = xmlSchemaNewValidCtxt(schema);

	if (!v)
		FAIL(err, NOMEM, "XML validation");
	xmlSchemaSetValidStructuredErrors(v, note, f);
	if (form != XML_PLAIN)
		validate_soap(v, doc, form, f);
	else if (xmlSchemaValidateDoc(v, doc) != 0 && !f->n)
		f->errors[f->n++] = STR("The XML is not valid.");
	xmlSchemaFreeValidCtxt(v);
	return GH_RC_OK;
}

/* ---- apart ------------------------------------------------------------------------------------------------------------- */

struct job {
	xmlSchema *schema;
	xmlDoc *doc;
	enum xml_form form;
	struct finding *f;
};

/* In the child: what it found, each with a NUL behind it. */
static bool validate_there(void *ctx, int fd)
{
	const struct job *j = ctx;
	struct gh_err err;

	if (validate(j->schema, j->doc, j->form, j->f, &err).code)
		return false;
	for (size_t i = 0; i < j->f->n; i++)
		if (write(fd, j->f->errors[i].p, j->f->errors[i].n) < 0 || write(fd, "", 1) < 0)
			return false;
	return true;
}

static void validate_apart(struct job *j, size_t bytes)
{
	struct str answer, one;

	if (!apart(j->f->a, bytes, validate_there, j, &answer)) {
		j->f->errors[j->f->n++] = STR("The body is too complex to be validated.");
		return;
	}
	while (j->f->n < j->f->max && answer.n && str_split(&answer, '\0', &one))
		if (one.n)
			j->f->errors[j->f->n++] = one;
}

GH_RC schemas_check_xml(struct schemas *s, struct arena *a, struct str id, struct str xml, enum xml_form form,
			struct xml_verdict *out, struct gh_err *err)
{
	struct stored *st = schemas_named(s, id);
	struct finding f = { a, out->errors, 0, XML_ERRORS_MAX };
	xmlDoc *doc;
	gh_rc rc = GH_RC_OK;

	out->n = 0;
	if (st && st->kind != SCHEMA_XML)
		FAIL(err, INVALID, "the schema '%.*s' is for JSON, not for XML", STR_ARG(id));
	TRY(schemas_check(s, id, err));
	xmlResetLastError();
	doc = xmlReadMemory(xml.p, (int)xml.n, NULL, NULL, PARSE);
	if (doc && xml_has_entities(doc))
		f.errors[f.n++] = STR(XML_NO_ENTITIES);
	else if (doc && (st->patterns || (st->counts && xml.n > COUNTED_SMALL)))
		validate_apart(&(struct job){ st->xml, doc, form, &f }, xml.n);
	else if (doc)
		rc = validate(st->xml, doc, form, &f, err);
	else
		note(&f, xmlGetLastError());
	if (!doc && !f.n)
		f.errors[f.n++] = STR("The XML cannot be read.");
	out->n = f.n;
	xmlFreeDoc(doc);
	return rc;
}
