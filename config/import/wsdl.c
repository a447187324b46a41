/* wsdl.c - WSDL 1.1 (https://www.w3.org/TR/2001/NOTE-wsdl-20010315) to a description.
 *
 * A SOAP service has one address for all its operations; what is called stands in the SOAPAction field or in the body. So that each
 * operation has its own place for policies and figures, it becomes POST /?soapAction=NAME, and POST / takes the calls of clients
 * that cannot add this. Bodies stay XML and go through as they are. Ports at one address are one API, also with both versions of SOAP. */
#include "config/import/describe.h"
#include "config/import/wsdl_files.h"
#include "config/import/xsd.h"
#include "core/str.h"

#include <libxml/parser.h>

#define WSDL "http://schemas.xmlsoap.org/wsdl/"
#define SOAP "http://schemas.xmlsoap.org/wsdl/soap/"
#define SOAP12 "http://schemas.xmlsoap.org/wsdl/soap12/"

struct wsdl {
	struct arena *arena;
	struct import_report *report;
	const xmlNode *root;
	struct xsd *xsd;
	struct wsdl_files *all;          /* the files that it stands in */
	const xmlNode *binding;
	const char *soap;                /* namespace of the binding's elements */
	bool rpc;
	json_t *paths;
	size_t operations, ports;
	size_t headers, faults, encoded;         /* operations with what the description does not say */
};

static const xmlNode *child(const xmlNode *of, const char *ns, const char *name)
{
	for (const xmlNode *n = of ? of->children : NULL; n; n = n->next)
		if (xsd_is(n, ns, name))
			return n;
	return NULL;
}

/* The top-level element of that kind and name. */
static const xmlNode *named(const struct wsdl *w, const xmlNode *in, const char *kind, const char *name)
{
	for (const xmlNode *n = in->children; n && name; n = n->next) {
		const char *has = xsd_is(n, WSDL, kind) ? xsd_attribute(w->arena, n, "name") : NULL;

		if (has && strcmp(has, name) == 0)
			return n;
	}
	return NULL;
}

static const xmlNode *by_qname(const struct wsdl *w, const xmlNode *at, const char *kind, const char *attribute)
{
	const char *ns, *local, *of;
	const xmlNode *found = NULL;

	if (!xsd_qname(w->arena, at, xsd_attribute(w->arena, at, attribute), &ns, &local))
		return NULL;
	for (size_t i = 0; i < w->all->n_definitions; i++) {
		const xmlNode *one = named(w, w->all->definitions[i], kind, local);

		of = one ? xsd_attribute(w->arena, w->all->definitions[i], "targetNamespace") : NULL;
		if (one && of && ns && strcmp(of, ns) == 0)
			return one;
		found = found ? found : one;     /* the names of one file need no namespace */
	}
	return found;
}

static struct str documentation(const struct wsdl *w, const xmlNode *of)
{
	const xmlNode *n = child(of, WSDL, "documentation");
	xmlChar *text = n ? xmlNodeGetContent(n) : NULL;
	struct str out = text ? arena_dup(w->arena, str_trim(str_of((const char *)text))) : STR_NULL;

	xmlFree(text);
	return out;
}

/* The schema of what stands in the body; its element's name in `xml`. */
static json_t *body_schema(struct wsdl *w, const xmlNode *message, const char *operation)
{
	json_t *properties = json_object(), *schema;
	const char *ns = NULL, *local = operation;

	for (const xmlNode *part = message ? message->children : NULL; part; part = part->next) {
		const char *name = xsd_is(part, WSDL, "part") ? xsd_attribute(w->arena, part, "name") : NULL, *element, *type;

		if (!name)
			continue;
		element = xsd_attribute(w->arena, part, "element");
		type = xsd_attribute(w->arena, part, "type");
		if (element && xsd_qname(w->arena, part, element, &ns, &local)) {
			json_decref(properties);
			schema = xsd_element(w->xsd, ns, local);
			if (jsn_get(schema, "$ref"))
				schema = json_pack("{s:[o]}", "allOf", schema);
			json_object_set_new(schema, "xml", json_pack("{s:s, s:s*}", "name", local, "namespace", ns));
			return schema;
		}
		if (type && xsd_qname(w->arena, part, type, &ns, &local))
			json_object_set_new(properties, name, xsd_type(w->xsd, ns, local));
	}
	schema = json_pack("{s:s, s:o}", "type", "object", "properties", properties);
	json_object_set_new(schema, "xml", json_pack("{s:s}", "name", operation));
	return schema;
}

/* An envelope around it. */
static json_t *content(struct wsdl *w, json_t *body)
{
	const char *type = w->soap == NULL ? "text/xml" : strcmp(w->soap, SOAP12) == 0 ? "application/soap+xml" : "text/xml";
	const char *ns = strcmp(type, "text/xml") == 0 ? "http://schemas.xmlsoap.org/soap/envelope/" : "http://www.w3.org/2003/05/soap-envelope";
	const char *name = json_string_value(jsn_get(jsn_get(body, "xml"), "name"));

	return json_pack("{s:{s:{s:s, s:{s:s, s:s}, s:{s:o}}}}", type, "schema", "type", "object", "xml", "name", "Envelope", "namespace", ns,
			 "properties", "Body", json_pack("{s:s, s:{s:o}, s:{s:s}}", "type", "object", "properties", name ? name : "any", body, "xml",
			 "namespace", ns));
}

static json_t *answers(struct wsdl *w, const xmlNode *out, const char *name)
{
	const xmlNode *message = out ? by_qname(w, out, "message", "message") : NULL;

	if (!out)
		return json_pack("{s:{s:s}, s:{s:s}}", "200", "description", "Taken; there is no answer", "500", "description", "A SOAP fault");
	return json_pack("{s:{s:s, s:o}, s:{s:s}}", "200", "description", "The answer", "content",
			 content(w, body_schema(w, message, arena_printf(w->arena, "%sResponse", name).p)), "500", "description", "A SOAP fault");
}

/* What of an operation goes through as it is, and is not in the description. */
static void count_unsaid(struct wsdl *w, const xmlNode *bound, const xmlNode *abstract)
{
	static const char *const ways[] = { "input", "output" };
	bool header = false, encoded = false;

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		const xmlNode *way = child(bound, WSDL, ways[i]), *body = child(way, w->soap, "body");
		const char *use = body ? xsd_attribute(w->arena, body, "use") : NULL;

		header = header || child(way, w->soap, "header");
		encoded = encoded || (use && strcmp(use, "encoded") == 0);
	}
	w->headers += header;
	w->encoded += encoded;
	w->faults += child(abstract, WSDL, "fault") != NULL;
}

static void add_operation(struct wsdl *w, const xmlNode *bound, const xmlNode *abstract, const char *name)
{
	const xmlNode *soap = child(bound, w->soap, "operation"), *in = child(abstract, WSDL, "input");
	const char *action = soap ? xsd_attribute(w->arena, soap, "soapAction") : NULL, *path = arena_printf(w->arena, "/?soapAction=%s", name).p;
	const xmlNode *request = in ? by_qname(w, in, "message", "message") : NULL;
	struct str about = documentation(w, abstract);
	json_t *op, *there = jsn_get(jsn_get(w->paths, path), "post");

	if (!in) {
		import_not_possible(w->report, arena_printf(w->arena, "operation %s", name), "it only sends; the gateway takes calls");
		return;
	}
	op = json_pack("{s:s, s:s, s:{s:o}, s:o}", "operationId", name, "summary", name, "requestBody", "content",
		       content(w, body_schema(w, request, name)), "responses", answers(w, child(abstract, WSDL, "output"), name));
	if (!op) {
		w->report->failed = true;
		return;
	}
	if (there) {                             /* of another port: the other version of SOAP */
		json_object_update_missing(jsn_get(jsn_get(there, "requestBody"), "content"), jsn_get(jsn_get(op, "requestBody"), "content"));
		json_object_update_missing(jsn_get(jsn_get(jsn_get(there, "responses"), "200"), "content"),
					   jsn_get(jsn_get(jsn_get(op, "responses"), "200"), "content"));
		json_decref(op);
		return;
	}
	count_unsaid(w, bound, abstract);
	if (about.n)
		json_object_set_new(op, "description", json_stringn(about.p, about.n));
	if (action && action[0])
		json_object_set_new(op, "parameters", json_pack("[{s:s, s:s, s:b, s:{s:s, s:s}}]", "name", "SOAPAction", "in", "header",
				    "required", 0, "schema", "type", "string", "default", action));
	json_object_set_new(w->paths, path, json_pack("{s:o}", "post", op));
	w->operations++;
}

static void add_operations(struct wsdl *w, const xmlNode *port_type)
{
	for (const xmlNode *n = w->binding->children; n; n = n->next) {
		const char *name = xsd_is(n, WSDL, "operation") ? xsd_attribute(w->arena, n, "name") : NULL;
		const xmlNode *abstract = name ? named(w, port_type, "operation", name) : NULL;

		if (!name)
			continue;
		if (abstract)
			add_operation(w, n, abstract, name);
		else
			import_not_possible(w->report, arena_printf(w->arena, "operation %s", name), "its port type does not have it");
	}
	json_object_set_new(w->paths, "/", json_pack("{s:{s:s, s:s, s:s, s:{s:{s:s}}}}", "post", "operationId", "anyCall", "summary",
			    "Any operation, by its SOAPAction", "description", "For clients that cannot add ?soapAction= to the address.",
			    "responses", "200", "description", "The answer"));
}

/* The one behind it, the first for NULL, of all files; NULL: there is no more. */
static const xmlNode *next_service(const struct wsdl *w, const xmlNode *service)
{
	const xmlNode *n = service ? service->next : NULL;
	size_t i = 0;

	while (service && i < w->all->n_definitions && w->all->definitions[i] != service->parent)
		i++;
	for (; n; n = n->next)
		if (xsd_is(n, WSDL, "service"))
			return n;
	for (i += service != NULL; i < w->all->n_definitions; i++)
		if (child(w->all->definitions[i], WSDL, "service"))
			return child(w->all->definitions[i], WSDL, "service");
	return NULL;
}

/* The next port of any service; NULL: there is no more. */
static const xmlNode *next_port(struct wsdl *w, const xmlNode *port)
{
	const xmlNode *service = port ? port->parent : next_service(w, NULL), *n = port ? port->next : service ? service->children : NULL;

	for (;;) {
		for (; n; n = n->next)
			if (xsd_is(n, WSDL, "port") && xsd_attribute(w->arena, n, "name"))
				return n;
		service = service ? next_service(w, service) : NULL;
		if (!service)
			return NULL;
		n = service->children;
	}
}

/* Makes it the port whose operations are added; false: it does not speak SOAP. */
static bool enter_port(struct wsdl *w, const xmlNode *port, const char **address)
{
	const xmlNode *binding = by_qname(w, port, "binding", "binding"), *at;
	const char *ns = child(binding, SOAP, "binding") ? SOAP : child(binding, SOAP12, "binding") ? SOAP12 : NULL;
	const char *style = ns ? xsd_attribute(w->arena, child(binding, ns, "binding"), "style") : NULL;

	if (!ns)
		return false;
	at = child(port, ns, "address");
	*address = at && xsd_attribute(w->arena, at, "location") ? xsd_attribute(w->arena, at, "location") : "";
	w->binding = binding;
	w->soap = ns;
	w->rpc = w->rpc || (style && strcmp(style, "rpc") == 0);
	return true;
}

/* The port of that name, or the first with a SOAP binding. */
static const xmlNode *choose_port(struct wsdl *w, struct str name, const char **address)
{
	for (const xmlNode *n = next_port(w, NULL); n; n = next_port(w, n))
		if ((!name.n || str_eq(name, str_of(xsd_attribute(w->arena, n, "name")))) && enter_port(w, n, address))
			return n;
	return NULL;
}

static GH_RC add_port(struct wsdl *w, struct gh_err *err)
{
	const xmlNode *port_type = by_qname(w, w->binding, "portType", "type");

	if (!port_type)
		FAIL(err, INVALID, "the binding names no port type that is in the files that were read");
	add_operations(w, port_type);
	w->ports++;
	return GH_RC_OK;
}

/* Ports at the same address are of the same API; it has one backend, so others are told. */
static GH_RC other_ports(struct wsdl *w, const xmlNode *chosen, const char *address, struct gh_err *err)
{
	for (const xmlNode *n = next_port(w, NULL); n; n = next_port(w, n)) {
		const char *name = xsd_attribute(w->arena, n, "name"), *other;
		struct str what = arena_printf(w->arena, "port %s", name);
		bool rpc = w->rpc;

		if (n == chosen)
			continue;
		if (!enter_port(w, n, &other)) {
			import_not_possible(w->report, what, "it is no SOAP port");
		} else if (!by_qname(w, w->binding, "portType", "type")) {
			import_not_possible(w->report, what, "its binding names no port type that is in this file");
		} else if (strcmp(address, other) == 0) {
			TRY(add_port(w, err));
		} else {
			import_not_possible(w->report, what, "it stands at another address, %s: import it as an API of its own, with --port %s", other, name);
			w->rpc = rpc;
		}
	}
	return GH_RC_OK;
}

static void tell_unsaid(struct wsdl *w)
{
	static const char *const policies[] = { "http://www.w3.org/ns/ws-policy", "http://schemas.xmlsoap.org/ws/2004/09/policy" };
	const struct {
		size_t n;
		const char *what, *why;
	} rows[] = {
		{ w->headers, "SOAP headers", "they go through as they are; the schemas describe the bodies" },
		{ w->faults, "faults", "they are described as answers with 500, without their details" },
		{ w->encoded, "encoded bodies", "the schemas name the parts, without the attributes of the encoding" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].n)
			import_approximated(w->report, arena_printf(w->arena, "%s of %zu operation%s", rows[i].what, rows[i].n, rows[i].n == 1 ? "" : "s"), "%s", rows[i].why);
	for (size_t i = 0; i < ARRAY_LEN(policies) * w->all->n_definitions; i++)
		if (child(w->all->definitions[i / ARRAY_LEN(policies)], policies[i % ARRAY_LEN(policies)], "Policy"))
			import_not_possible(w->report, STR("WS-Policy"), "what is asked of messages (signatures, encryption) is not checked: they go through as they are");
}

static GH_RC describe(struct wsdl *w, struct str port, struct described *out, struct text_where *where, struct gh_err *err)
{
	const xmlNode *service, *chosen;
	const char *address = NULL, *name;
	struct str about;
	json_t *doc;

	*where = (struct text_where){ (unsigned)xmlGetLineNo(w->root), 1 };
	if (!xsd_is(w->root, WSDL, "definitions"))
		FAIL(err, INVALID, "this is no WSDL 1.1: its root is %s", (const char *)w->root->name);
	TRY(wsdl_files_gather(w->all, w->root, err));
	service = next_service(w, NULL);
	name = service ? xsd_attribute(w->arena, service, "name") : NULL;
	about = documentation(w, service ? service : w->root);
	w->xsd = xsd_new(w->arena, w->report);
	w->paths = json_object();
	if (!w->xsd || !w->paths)
		FAIL(err, NOMEM, "WSDL");
	for (size_t i = 0; i < w->all->n_schemas; i++)
		xsd_add(w->xsd, w->all->schemas[i]);
	jsn_keep(w->arena, w->paths);
	chosen = choose_port(w, port, &address);
	if (!chosen && port.n)
		FAIL(err, INVALID, "the WSDL has no SOAP port '%.*s'", STR_ARG(str_first(port, 200)));
	if (!chosen)
		FAIL(err, INVALID, "the WSDL has no service with a SOAP port");
	TRY(add_port(w, err));
	TRY(other_ports(w, chosen, address, err));
	tell_unsaid(w);
	import_taken(w->report, "port", w->ports);
	import_taken(w->report, "operation", w->operations);
	import_taken(w->report, "schema", json_object_size(xsd_components(w->xsd)));
	import_approximated(w->report, STR("one address"), "each operation is called with ?soapAction=NAME, so that it has policies and figures "
			    "of its own; calls without it are taken by one more operation, anyCall");
	if (w->rpc)
		import_approximated(w->report, STR("style rpc"), "the schemas name the parts; the element around them is the operation");
	out->title = str_of(name ? name : "service");
	out->server = str_of(address ? address : "");
	doc = json_pack("{s:s, s:{s:s, s:s}, s:[{s:s}], s:O, s:{s:O}}", "openapi", "3.1.0", "info", "title", name ? name : "service", "version",
			"1.0", "servers", "url", address && address[0] ? address : "/", "paths", w->paths, "components", "schemas",
			xsd_components(w->xsd));
	if (doc && about.n)
		json_object_set_new(jsn_get(doc, "info"), "description", json_stringn(about.p, about.n));
	out->openapi = jsn_keep(w->arena, doc);
	if (!out->openapi)
		FAIL(err, NOMEM, "WSDL");
	return GH_RC_OK;
}

GH_RC import_wsdl(struct arena *a, struct str text, struct str port, const struct openapi_files *files, struct import_report *r,
		  struct described *out, struct text_where *where, struct gh_err *err)
{
	struct wsdl w = { .arena = a, .report = r, .all = arena_new_of(a, struct wsdl_files) };
	xmlParserCtxt *ctx = text.n <= INT32_MAX ? xmlNewParserCtxt() : NULL;
	const xmlError *why;
	xmlDoc *doc;
	gh_rc rc;

	if (!ctx || !w.all) {
		xmlFreeParserCtxt(ctx);
		FAIL(err, NOMEM, "WSDL");
	}
	*w.all = (struct wsdl_files){ .arena = a, .report = r, .files = files };
	doc = xmlCtxtReadMemory(ctx, text.p ? text.p : "", (int)text.n, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!doc || !xmlDocGetRootElement(doc)) {
		why = xmlCtxtGetLastError(ctx);
		*where = (struct text_where){ why && why->line > 0 ? (unsigned)why->line : 1, why && why->int2 > 0 ? (unsigned)why->int2 : 1 };
		rc = gh_err_set(err, GH_E_SYNTAX, __FILE__, __LINE__, "this is no XML: %s", why && why->message ? why->message : "it is empty");
	} else {
		w.root = xmlDocGetRootElement(doc);
		rc = describe(&w, port, out, where, err);
	}
	wsdl_files_release(w.all);
	xmlFreeDoc(doc);
	xmlFreeParserCtxt(ctx);
	return rc;
}
