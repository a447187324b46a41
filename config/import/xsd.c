/* xsd.c - see xsd.h. A type gets its place in the components when it is first referred to, and is turned when its turn comes: what
 * refers holds a reference only, so a type that holds itself ends and a long chain of types takes no stack. The same holds for
 * elements that are referred to (ref="…") and have their type inside. What is copied (members of a base) is bounded by a count of
 * steps, as a base that is named several times on each level would otherwise double with each. */
#include "config/import/xsd.h"

#include "core/map.h"
#include "core/str.h"

#define XS "http://www.w3.org/2001/XMLSchema"

enum {
	DEPTH_MAX = 40,
	STEPS_MAX = 200000,              /* particles that are looked at; the largest schemas of banks have some ten thousand */
};

/* A component that has its place and is not turned yet. */
struct waiting {
	const xmlNode *node;
	const char *as;
	struct waiting *next;
};

struct xsd {
	struct arena *arena;
	struct import_report *report;
	struct map elements, types;      /* "{ns}name" -> xmlNode */
	json_t *components;
	struct map names;                /* "{ns}name" of a type, "element {ns}name" of an element -> its name in the components */
	struct waiting *first, **last;
	bool turning;                    /* somebody sees to those that wait */
	size_t steps;
};

static const struct {
	const char *name, *type, *format;
} basic[] = {
	{ "string", "string", NULL }, { "normalizedString", "string", NULL }, { "token", "string", NULL }, { "anyURI", "string", "uri" },
	{ "boolean", "boolean", NULL }, { "decimal", "number", NULL }, { "float", "number", "float" }, { "double", "number", "double" },
	{ "integer", "integer", NULL }, { "int", "integer", "int32" }, { "long", "integer", "int64" }, { "short", "integer", NULL },
	{ "byte", "integer", NULL }, { "nonNegativeInteger", "integer", NULL }, { "positiveInteger", "integer", NULL },
	{ "unsignedInt", "integer", NULL }, { "unsignedLong", "integer", NULL }, { "unsignedShort", "integer", NULL },
	{ "unsignedByte", "integer", NULL }, { "dateTime", "string", "date-time" }, { "date", "string", "date" }, { "time", "string", "time" },
	{ "duration", "string", "duration" }, { "base64Binary", "string", "byte" }, { "hexBinary", "string", NULL },
};

bool xsd_is(const xmlNode *node, const char *ns, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0 && node->ns &&
	       strcmp((const char *)node->ns->href, ns) == 0;
}

const char *xsd_attribute(struct arena *a, const xmlNode *node, const char *name)
{
	xmlChar *v = xmlGetNoNsProp(node, (const xmlChar *)name);
	const char *copy = v ? arena_cstr(a, str_of((const char *)v)) : NULL;

	xmlFree(v);
	return copy;
}

bool xsd_qname(struct arena *a, const xmlNode *node, const char *qname, const char **ns, const char **local)
{
	const char *colon = qname ? strchr(qname, ':') : NULL;
	const char *prefix = colon ? arena_cstr(a, (struct str){ qname, (size_t)(colon - qname) }) : NULL;
	xmlNs *found;

	if (!qname || (colon && !prefix))
		return false;
	found = xmlSearchNs(node->doc, (xmlNode *)(uintptr_t)node, (const xmlChar *)prefix);
	*ns = found ? (const char *)found->href : NULL;
	*local = colon ? colon + 1 : qname;
	return true;
}

static struct str key_of(struct arena *a, const char *ns, const char *name)
{
	return arena_printf(a, "{%s}%s", ns ? ns : "", name);
}

void xsd_add(struct xsd *x, const xmlNode *schema)
{
	const char *ns = xsd_attribute(x->arena, schema, "targetNamespace");

	for (const xmlNode *n = schema->children; n; n = n->next) {
		const char *name = n->type == XML_ELEMENT_NODE ? xsd_attribute(x->arena, n, "name") : NULL;
		struct map *to = xsd_is(n, XS, "element") ? &x->elements : &x->types;

		if (name && (xsd_is(n, XS, "element") || xsd_is(n, XS, "complexType") || xsd_is(n, XS, "simpleType")) &&
		    !map_get(to, key_of(x->arena, ns, name)) && !map_put(to, key_of(x->arena, ns, name), (void *)(uintptr_t)n))
			x->report->failed = true;
	}
}

struct xsd *xsd_new(struct arena *a, struct import_report *r)
{
	struct xsd *x = arena_new_of(a, struct xsd);

	if (!x)
		return NULL;
	*x = (struct xsd){ .arena = a, .report = r, .components = jsn_keep(a, json_object()) };
	map_init(&x->elements, a, false);
	map_init(&x->types, a, false);
	map_init(&x->names, a, false);
	x->last = &x->first;
	return x->components ? x : NULL;
}

json_t *xsd_components(struct xsd *x)
{
	return x->components;
}

/* ---- types ------------------------------------------------------------------------------------------------------------------ */

static json_t *of_element(struct xsd *x, const xmlNode *n, unsigned depth);
static json_t *of_reference(struct xsd *x, const char *ns, const char *name);
static void add_particles(struct xsd *x, const xmlNode *group, json_t *properties, json_t *required, bool optional, unsigned depth);

/* False: the schema says more than anybody looks at. Told once. */
static bool step(struct xsd *x)
{
	if (x->steps > STEPS_MAX)
		return false;
	if (x->steps++ == STEPS_MAX)
		import_not_possible(x->report, STR("schemas"), "they have more than %d parts, bases counted each time they are named; what is beyond "
				    "is left open", STEPS_MAX);
	return x->steps <= STEPS_MAX;
}

static json_t *of_basic(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(basic); i++)
		if (strcmp(basic[i].name, name) == 0)
			return basic[i].format ? json_pack("{s:s, s:s}", "type", basic[i].type, "format", basic[i].format) :
			       json_pack("{s:s}", "type", basic[i].type);
	return strcmp(name, "anyType") == 0 ? json_object() : json_pack("{s:s}", "type", "string");
}

static json_t *of_simple(struct xsd *x, const xmlNode *type)
{
	json_t *schema = NULL, *values = json_array();

	for (const xmlNode *n = type->children; n; n = n->next) {
		const char *base, *ns, *local;

		if (!xsd_is(n, XS, "restriction"))
			continue;
		base = xsd_attribute(x->arena, n, "base");
		if (base && !schema && xsd_qname(x->arena, n, base, &ns, &local))
			schema = xsd_type(x, ns, local);
		for (const xmlNode *v = n->children; v; v = v->next)
			if (xsd_is(v, XS, "enumeration") && xsd_attribute(x->arena, v, "value"))
				json_array_append_new(values, json_string(xsd_attribute(x->arena, v, "value")));
	}
	if (!schema)
		schema = json_pack("{s:s}", "type", "string");
	if (json_array_size(values) && strcmp(jsn_str(schema, "type").n ? jsn_str(schema, "type").p : "", "string") == 0)
		json_object_set(schema, "enum", values);
	json_decref(values);
	return schema;
}

static void add_attribute(struct xsd *x, const xmlNode *n, json_t *properties, json_t *required)
{
	const char *name = xsd_attribute(x->arena, n, "name"), *type = xsd_attribute(x->arena, n, "type"), *ns, *local;
	const char *use = xsd_attribute(x->arena, n, "use");
	json_t *schema;

	if (!name)
		return;
	schema = type && xsd_qname(x->arena, n, type, &ns, &local) ? xsd_type(x, ns, local) : json_pack("{s:s}", "type", "string");
	if (jsn_get(schema, "$ref"))             /* nothing stands beside a reference in older readers */
		schema = json_pack("{s:[o]}", "allOf", schema);
	json_object_set_new(schema, "xml", json_pack("{s:b}", "attribute", 1));
	json_object_set_new(properties, name, schema);
	if (use && strcmp(use, "required") == 0)
		json_array_append_new(required, json_string(name));
}

/* The members of complexContent or simpleContent: those of the base, then its own. */
static void add_content(struct xsd *x, const xmlNode *content, json_t *properties, json_t *required, unsigned depth)
{
	for (const xmlNode *n = content->children; n && step(x); n = n->next) {
		const char *base, *ns, *local;
		const xmlNode *type = NULL;

		if (!xsd_is(n, XS, "extension") && !xsd_is(n, XS, "restriction"))
			continue;
		base = xsd_attribute(x->arena, n, "base");
		if (base && xsd_qname(x->arena, n, base, &ns, &local))
			type = map_get(&x->types, key_of(x->arena, ns, local));
		if (type && depth && xsd_is(n, XS, "extension"))
			add_particles(x, type, properties, required, false, depth - 1);
		if (xsd_is(content, XS, "simpleContent") && base && xsd_qname(x->arena, n, base, &ns, &local) && !type)
			json_object_set_new(properties, "#text", of_basic(local));
		add_particles(x, n, properties, required, false, depth ? depth - 1 : 0);
	}
}

static void add_member(struct xsd *x, const xmlNode *n, json_t *properties, json_t *required, bool optional, unsigned depth)
{
	const char *name = xsd_attribute(x->arena, n, "name"), *ref = xsd_attribute(x->arena, n, "ref"), *ns, *local = NULL;
	const char *least = xsd_attribute(x->arena, n, "minOccurs"), *most = xsd_attribute(x->arena, n, "maxOccurs");
	json_t *schema;

	if (!name && ref && xsd_qname(x->arena, n, ref, &ns, &local)) {
		schema = of_reference(x, ns, local);
		name = local;
	} else {
		schema = of_element(x, n, depth);
	}
	if (!name) {
		json_decref(schema);
		return;
	}
	if (most && strcmp(most, "0") != 0 && strcmp(most, "1") != 0)
		schema = json_pack("{s:s, s:o}", "type", "array", "items", schema);
	json_object_set_new(properties, name, schema);
	if (!optional && !(least && strcmp(least, "0") == 0))
		json_array_append_new(required, json_string(name));
}

static void add_particles(struct xsd *x, const xmlNode *group, json_t *properties, json_t *required, bool optional, unsigned depth)
{
	if (depth == 0)
		return;
	for (const xmlNode *n = group->children; n && step(x); n = n->next) {
		const char *least = n->type == XML_ELEMENT_NODE ? xsd_attribute(x->arena, n, "minOccurs") : NULL;
		bool loose = optional || (least && strcmp(least, "0") == 0);

		if (xsd_is(n, XS, "element"))
			add_member(x, n, properties, required, optional, depth - 1);
		else if (xsd_is(n, XS, "attribute"))
			add_attribute(x, n, properties, required);
		else if (xsd_is(n, XS, "sequence") || xsd_is(n, XS, "all"))
			add_particles(x, n, properties, required, loose, depth - 1);
		else if (xsd_is(n, XS, "choice"))
			add_particles(x, n, properties, required, true, depth - 1);
		else if (xsd_is(n, XS, "complexContent") || xsd_is(n, XS, "simpleContent"))
			add_content(x, n, properties, required, depth - 1);
	}
}

static json_t *of_complex(struct xsd *x, const xmlNode *type, unsigned depth)
{
	json_t *properties = json_object(), *required = json_array(), *schema = json_pack("{s:s}", "type", "object");

	add_particles(x, type, properties, required, false, depth);
	if (json_object_size(properties))
		json_object_set(schema, "properties", properties);
	if (json_array_size(required))
		json_object_set(schema, "required", required);
	json_decref(properties);
	json_decref(required);
	return schema;
}

/* A name for the components: the local one, or with a number when another namespace has it. */
static const char *component_name(struct xsd *x, const char *local)
{
	struct str name = str_of(local);

	for (unsigned i = 2; name.p && jsn_get_n(x->components, name); i++)
		name = arena_printf(x->arena, "%s%u", local, i);
	return name.p;
}

static void turn(struct xsd *x)
{
	if (x->turning)
		return;
	x->turning = true;
	for (; x->first; x->first = x->first->next) {
		const struct waiting *w = x->first;

		json_object_set_new(x->components, w->as, xsd_is(w->node, XS, "simpleType") ? of_simple(x, w->node) : xsd_is(w->node, XS, "complexType")
				    ? of_complex(x, w->node, DEPTH_MAX) : of_element(x, w->node, DEPTH_MAX));
	}
	x->last = &x->first;
	x->turning = false;
}

/* A reference to the component that the node is, or will be. */
static json_t *component(struct xsd *x, struct str key, const xmlNode *node, const char *name)
{
	const char *as = key.p ? map_get(&x->names, key) : NULL;

	if (!as) {
		struct waiting *w = arena_new_of(x->arena, struct waiting);

		as = key.p && w ? component_name(x, name) : NULL;
		if (!as || !map_put(&x->names, key, (void *)(uintptr_t)as))
			return json_object();
		json_object_set_new(x->components, as, json_object());
		*w = (struct waiting){ .node = node, .as = as };
		*x->last = w;
		x->last = &w->next;
		turn(x);
	}
	return json_pack("{s:o}", "$ref", json_sprintf("#/components/schemas/%s", as));
}

json_t *xsd_type(struct xsd *x, const char *ns, const char *name)
{
	struct str key = key_of(x->arena, ns, name);
	const xmlNode *type = key.p ? map_get(&x->types, key) : NULL;

	if (ns && strcmp(ns, XS) == 0)
		return of_basic(name);
	return type ? component(x, key, type, name) : json_object();
}

static json_t *of_element(struct xsd *x, const xmlNode *n, unsigned depth)
{
	const char *type = xsd_attribute(x->arena, n, "type"), *ns, *local;

	if (type && xsd_qname(x->arena, n, type, &ns, &local))
		return xsd_type(x, ns, local);
	for (const xmlNode *c = n->children; c && depth; c = c->next) {
		if (xsd_is(c, XS, "complexType"))
			return of_complex(x, c, depth - 1);
		if (xsd_is(c, XS, "simpleType"))
			return of_simple(x, c);
	}
	return json_object();
}

json_t *xsd_element(struct xsd *x, const char *ns, const char *name)
{
	const xmlNode *n = map_get(&x->elements, key_of(x->arena, ns, name));

	return n ? of_element(x, n, DEPTH_MAX) : json_object();
}

/* An element that another one refers to: in place when its type has a name, else a component, for it may hold itself. */
static json_t *of_reference(struct xsd *x, const char *ns, const char *name)
{
	struct str key = key_of(x->arena, ns, name);
	const xmlNode *n = key.p ? map_get(&x->elements, key) : NULL;

	if (!n || xmlHasProp(n, (const xmlChar *)"type"))
		return n ? of_element(x, n, DEPTH_MAX) : json_object();
	return component(x, arena_printf(x->arena, "element %.*s", STR_ARG(key)), n, name);
}
