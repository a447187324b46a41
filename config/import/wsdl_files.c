#include "config/import/wsdl_files.h"

#include "config/import/xsd.h"
#include "core/str.h"

#include <libxml/parser.h>

#define WSDL "http://schemas.xmlsoap.org/wsdl/"
#define XS "http://www.w3.org/2001/XMLSchema"

enum { SEGMENTS_MAX = 64 };

static GH_RC of_definitions(struct wsdl_files *f, const xmlNode *root, struct str path, struct gh_err *err);
static GH_RC of_schema(struct wsdl_files *f, const xmlNode *schema, struct str path, struct gh_err *err);

/* A place beside `from`, from the directory of the first file: without "." and with ".." only in front. STR_NULL: it is none. */
static struct str place_of(struct wsdl_files *f, struct str from, struct str to)
{
	size_t slash = str_rfind_char(from, '/'), n = 0;
	struct str part, parts[SEGMENTS_MAX], out = STR("");
	struct str all = slash == SIZE_MAX ? to : arena_printf(f->arena, "%.*s/%.*s", STR_ARG(str_first(from, slash)), STR_ARG(to));

	while (str_split(&all, '/', &part)) {
		if (!part.n || str_eq(part, STR(".")))
			continue;
		if (str_eq(part, STR("..")) && n && !str_eq(parts[n - 1], STR("..")))
			n--;
		else if (n < SEGMENTS_MAX)
			parts[n++] = part;
		else
			return STR_NULL;
	}
	for (size_t i = 0; i < n; i++)
		out = arena_printf(f->arena, "%.*s%s%.*s", STR_ARG(out), i ? "/" : "", STR_ARG(parts[i]));
	return out.n ? out : STR_NULL;
}

/* Why a place is not asked for; NULL: it is a file. */
static const char *refusal(const struct wsdl_files *f, struct str location)
{
	if (!f->files)
		return "other files are not read; what stands in it is left open. Many services give all in one file, at ?singleWsdl";
	if (str_find(location, STR("://")) != SIZE_MAX || str_starts(location, STR("//")))
		return "addresses of the network are not read: put the file beside the WSDL, and its name in the place of the address";
	if (str_starts(location, STR("/")) || str_find_char(location, '\\') != SIZE_MAX || str_find_char(location, ':') != SIZE_MAX)
		return "this is no relative path; files beside the WSDL are read";
	return f->n_docs == WSDL_FILES_MAX ? "these are too many files" : NULL;
}

/* A schema without a namespace that another one includes is of that one's namespace (XML Schema 1.0 part 1, section 4.2.1). */
static void take_namespace(xmlNode *schema, const char *ns)
{
	if (!ns || xmlHasProp(schema, (const xmlChar *)"targetNamespace"))
		return;
	xmlNewProp(schema, (const xmlChar *)"targetNamespace", (const xmlChar *)ns);
	if (!xmlSearchNs(schema->doc, schema, NULL))
		xmlNewNs(schema, (const xmlChar *)ns, NULL);
}

static GH_RC of_file(struct wsdl_files *f, struct str what, struct str path, struct str bytes, const char *ns, struct gh_err *err)
{
	xmlParserCtxt *ctx = xmlNewParserCtxt();
	const xmlError *why;
	xmlNode *root;
	xmlDoc *doc;

	if (!ctx)
		FAIL(err, NOMEM, "WSDL");
	doc = xmlCtxtReadMemory(ctx, bytes.p ? bytes.p : "", (int)bytes.n, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	root = doc ? xmlDocGetRootElement(doc) : NULL;
	why = xmlCtxtGetLastError(ctx);
	if (!root)
		import_not_possible(f->report, what, "line %d: it is no XML; what stands in it is left open", why ? why->line : 1);
	xmlFreeParserCtxt(ctx);
	if (doc)
		f->docs[f->n_docs++] = doc;
	if (!root)
		return GH_RC_OK;
	if (xsd_is(root, WSDL, "definitions")) {
		import_taken(f->report, "other file", 1);
		return of_definitions(f, root, path, err);
	}
	if (!xsd_is(root, XS, "schema")) {
		import_not_possible(f->report, what, "it is neither WSDL nor a schema: its root is %s", (const char *)root->name);
		return GH_RC_OK;
	}
	import_taken(f->report, "other file", 1);
	/* one with a namespace of its own is the same for whoever includes it */
	if (xmlHasProp(root, (const xmlChar *)"targetNamespace") && !map_put(&f->seen, arena_printf(f->arena, "%.*s ", STR_ARG(path)), f))
		FAIL(err, NOMEM, "WSDL");
	take_namespace(root, ns);
	return of_schema(f, root, path, err);
}

/* `ns`: that of the schema which includes it; NULL: it is imported. */
static GH_RC follow(struct wsdl_files *f, const char *kind, const char *location, struct str from, const char *ns, struct gh_err *err)
{
	struct str what = arena_printf(f->arena, "%s %s", kind, location), path = STR_NULL, key, bytes;
	const char *why = refusal(f, str_of(location));
	struct gh_err no;
	gh_rc rc;

	if (!why) {
		path = place_of(f, from, str_first(str_of(location), str_find_char(str_of(location), '#')));
		why = path.p ? NULL : "this is no name of a file";
	}
	if (why) {
		import_not_possible(f->report, what, "%s", why);
		return GH_RC_OK;
	}
	key = arena_printf(f->arena, "%.*s %s", STR_ARG(path), ns ? ns : "");
	if (!key.p)
		FAIL(err, NOMEM, "WSDL");
	if (map_get(&f->seen, key) || map_get(&f->seen, str_first(key, path.n + 1)))
		return GH_RC_OK;
	if (!map_put(&f->seen, key, f))
		FAIL(err, NOMEM, "WSDL");
	rc = f->files->read(f->files->ctx, f->arena, path, &bytes, &no);
	if (rc.code == GH_E_NOMEM)
		FAIL(err, NOMEM, "WSDL");
	if (rc.code || bytes.n > WSDL_FILES_BYTES - f->bytes) {
		import_not_possible(f->report, what, "%s; what stands in it is left open", rc.code ? no.message : "the files are too large together");
		return GH_RC_OK;
	}
	f->bytes += bytes.n;
	return of_file(f, what, path, bytes, ns, err);
}

static GH_RC of_schema(struct wsdl_files *f, const xmlNode *schema, struct str path, struct gh_err *err)
{
	const char *ns = xsd_attribute(f->arena, schema, "targetNamespace");

	if (f->n_schemas == ARRAY_LEN(f->schemas)) {
		import_not_possible(f->report, STR("schemas"), "there are more than %zu; what is beyond is left open", ARRAY_LEN(f->schemas));
		return GH_RC_OK;
	}
	f->schemas[f->n_schemas++] = schema;
	for (const xmlNode *n = schema->children; n; n = n->next) {
		const char *place = n->type == XML_ELEMENT_NODE ? xsd_attribute(f->arena, n, "schemaLocation") : NULL;
		bool included = place && (xsd_is(n, XS, "include") || xsd_is(n, XS, "redefine"));

		if (included || (place && xsd_is(n, XS, "import")))
			TRY(follow(f, "schema", place, path, included ? ns : NULL, err));
	}
	return GH_RC_OK;
}

static GH_RC of_definitions(struct wsdl_files *f, const xmlNode *root, struct str path, struct gh_err *err)
{
	f->definitions[f->n_definitions++] = root;       /* one a file */
	for (const xmlNode *n = root->children; n; n = n->next) {
		const char *place = xsd_is(n, WSDL, "import") ? xsd_attribute(f->arena, n, "location") : NULL;

		if (place)
			TRY(follow(f, "import", place, path, NULL, err));
		for (const xmlNode *s = xsd_is(n, WSDL, "types") ? n->children : NULL; s; s = s->next)
			if (xsd_is(s, XS, "schema"))
				TRY(of_schema(f, s, path, err));
	}
	return GH_RC_OK;
}

GH_RC wsdl_files_gather(struct wsdl_files *f, const xmlNode *root, struct gh_err *err)
{
	struct str name = f->files && f->files->name.n ? f->files->name : STR("service.wsdl");

	map_init(&f->seen, f->arena, false);
	if (!map_put(&f->seen, arena_printf(f->arena, "%.*s ", STR_ARG(name)), f))
		FAIL(err, NOMEM, "WSDL");
	return of_definitions(f, root, name, err);
}

void wsdl_files_release(struct wsdl_files *f)
{
	for (size_t i = 0; i < f->n_docs; i++)
		xmlFreeDoc(f->docs[i]);
}
