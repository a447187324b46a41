/* xml_dom.c - System.Xml: XmlDocument with its nodes, and XPath. They stand on the tree of xml.h.
 *
 * A DOM node is a small object that points at a tree node. XPath runs on a libxml2 document that is made from the tree for the
 * time of one call; each of its nodes carries the tree node it was made from. */
#include "policy/net/xml_dom.h"

#include <libxml/tree.h>
#include <libxml/xpath.h>

#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"

enum { XPATH_STEPS_MAX = 2000000 };

struct dom {
	struct object head;
	struct xnode *n;             /* a document's: what LoadXml read */
};
struct dom_list {
	struct object head;
	struct value *v;
	size_t n;
};

static struct value_class class_dom;
static struct value_class class_dom_document;
static struct value_class class_dom_list;

static bool nothing(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

static struct xnode *dom_node(const struct vm_call *c)
{
	return SELF(c, struct dom)->n;
}

static struct value dom_value(struct vm_call *c, struct xnode *n)
{
	struct dom *d;

	if (!n)
		return VALUE_NULL_INIT;
	d = vm_new(c, n->kind == X_DOCUMENT ? &class_dom_document : &class_dom, sizeof(*d));
	if (d)
		d->n = n;
	return value_object(d);
}

static bool give_dom(struct vm_call *c, struct xnode *n)
{
	return vm_return(c, dom_value(c, n));
}

static bool same(struct value l, struct value r)
{
	return ((struct dom *)(void *)l.object)->n == ((struct dom *)(void *)r.object)->n;
}

static uint64_t hash(struct value v)
{
	return (uint64_t)(uintptr_t)((struct dom *)(void *)v.object)->n >> 4;
}

/* ---- XmlDocument, XmlNode ---------------------------------------------------------------------------------------------------------- */

static bool new_document(struct vm_call *c)
{
	struct xnode *d = x_new(c->arena, X_DOCUMENT);

	return d ? give_dom(c, d) : x_no_memory(c);
}

static bool load_xml(struct vm_call *c)
{
	struct gh_err err = { 0 };
	struct xnode *d;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "xml");
	if (!vm_charge(c->vm, arg_str(c, 0).n / 2))
		return false;
	if (x_read(c->arena, arg_str(c, 0), false, &d, &err).code)
		return x_throw(c, &err);
	SELF(c, struct dom)->n = d;
	return nothing(c);
}

static struct xnode *root_of(struct xnode *d)
{
	struct xnode *n = d->first;

	while (n && n->kind != X_ELEMENT)
		n = n->after;
	return n;
}

static bool get_document_element(struct vm_call *c)
{
	return give_dom(c, root_of(dom_node(c)));
}

static bool get_inner_text(struct vm_call *c)
{
	return give_new(c, x_value(c->arena, dom_node(c)));
}

static bool set_inner_text(struct vm_call *c)
{
	struct xnode *n = dom_node(c);
	struct str s = arg_is_null(c, 0) ? STR("") : arg_str(c, 0);

	if (n->kind != X_ELEMENT) {
		n->value = s;
		return nothing(c);
	}
	while (n->first)
		x_unlink(n->first);
	return (s.n == 0 || x_insert(c->arena, n, NULL, x_text(c->arena, s)) || x_no_memory(c)) && nothing(c);
}

static bool get_value(struct vm_call *c)
{
	struct xnode *n = dom_node(c);

	return n->kind == X_ELEMENT || n->kind == X_DOCUMENT ? nothing(c) : vm_return_str(c, n->value);
}

static bool get_outer_xml(struct vm_call *c)
{
	struct out o = out_in(c->arena);

	if (dom_node(c)->kind == X_DOCUMENT && dom_node(c)->version.p)
		x_write_declaration(&o, dom_node(c));
	x_write(&o, dom_node(c), 0);
	return give_new(c, out_str(&o));
}

static bool get_inner_xml(struct vm_call *c)
{
	struct out o = out_in(c->arena);

	if (dom_node(c)->kind == X_DOCUMENT)
		return get_outer_xml(c);
	for (struct xnode *n = dom_node(c)->first; n; n = n->after)
		x_write(&o, n, 0);
	return give_new(c, out_str(&o));
}

static struct str dom_text(struct arena *a UNUSED, struct value v)
{
	return str_of(value_class_of(v)->name);
}

/* The prefix is not kept: it is found again by what the declarations say. */
struct str x_qualified(struct arena *a, const struct xnode *n)
{
	const struct xnode *e = n->kind == X_ATTRIBUTE ? n->parent : n;

	switch (n->kind) {
	case X_TEXT:
		return STR("#text");
	case X_CDATA:
		return STR("#cdata-section");
	case X_COMMENT:
		return STR("#comment");
	case X_DOCUMENT:
		return STR("#document");
	default:
		break;
	}
	if (n->ns.n == 0 || (n->kind == X_ELEMENT && str_eq(x_namespace_of_prefix(e, STR("")), n->ns)))
		return n->local;
	for (; e; e = e->parent)
		for (const struct xnode *k = e->attributes; k; k = k->after)
			if (str_eq(k->ns, STR(XMLNS_URI)) && str_eq(k->value, n->ns))
				return arena_printf(a, "%.*s:%.*s", STR_ARG(k->local), STR_ARG(n->local));
	return str_eq(n->ns, STR(XMLNS_URI)) ? arena_printf(a, "xmlns:%.*s", STR_ARG(n->local)) : n->local;
}

static bool get_name(struct vm_call *c)
{
	return give_new(c, x_qualified(c->arena, dom_node(c)));
}

static bool get_local_name(struct vm_call *c)
{
	struct xnode *n = dom_node(c);

	return n->local.n ? vm_return_str(c, n->local) : give_new(c, x_qualified(c->arena, n));
}

static bool get_namespace(struct vm_call *c)
{
	return vm_return_str(c, dom_node(c)->ns);
}

static bool get_node_type(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_xml_node_type, dom_node(c)->kind));
}

#define STEP(name, expression)                          \
	static bool name(struct vm_call *c)             \
	{                                               \
		struct xnode *n = dom_node(c);          \
		return give_dom(c, (expression));       \
	}
STEP(get_first_child, n->first)
STEP(get_last_child, n->last)
STEP(get_next_sibling, n->after)
STEP(get_previous_sibling, n->before)
STEP(get_parent, n->kind == X_ATTRIBUTE ? NULL : n->parent)

static bool has_children(struct vm_call *c)
{
	return give_bool(c, dom_node(c)->first != NULL);
}

static bool give_list(struct vm_call *c, const struct value_list *l)
{
	struct dom_list *out = vm_new(c, &class_dom_list, sizeof(*out));

	if (!out)
		return false;
	out->v = l->v;
	out->n = l->n;
	for (size_t i = 0; i < l->n; i++) {
		out->v[i] = dom_value(c, value_xnode(l->v[i]));
		if (out->v[i].kind == VALUE_NULL)
			return false;
	}
	return vm_return(c, value_object(out));
}

static bool chain_list(struct vm_call *c, struct xnode *n)
{
	struct value_list l = { 0 };

	for (; n; n = n->after)
		if (!xlist_add(c, &l, n))
			return false;
	return give_list(c, &l);
}

static bool get_children(struct vm_call *c)
{
	return chain_list(c, dom_node(c)->first);
}

static bool get_attributes(struct vm_call *c)
{
	return dom_node(c)->kind == X_ELEMENT ? chain_list(c, dom_node(c)->attributes) : nothing(c);
}

static bool by_tag_name(struct vm_call *c)
{
	struct xnode *top = dom_node(c);
	struct value_list l = { 0 };
	struct str name = arg_str(c, 0);

	for (struct xnode *n = top->first; n; n = x_next(top, n))
		if (n->kind == X_ELEMENT && (str_eq(name, STR("*")) || str_eq(x_qualified(c->arena, n), name)) && !xlist_add(c, &l, n))
			return false;
	return give_list(c, &l);
}

static struct xnode *find_attribute(struct vm_call *c)
{
	struct xnode *n = dom_node(c)->attributes;

	while (n && !str_eq(x_qualified(c->arena, n), arg_str(c, 0)))
		n = n->after;
	return n;
}

static bool get_attribute(struct vm_call *c)
{
	struct xnode *n = find_attribute(c);

	return vm_return_str(c, n ? n->value : STR(""));
}

static bool has_attribute(struct vm_call *c)
{
	return give_bool(c, find_attribute(c) != NULL);
}

static bool get_child_named(struct vm_call *c)
{
	struct xnode *n = dom_node(c)->kind == X_DOCUMENT ? dom_node(c)->first : dom_node(c)->first;

	while (n && !(n->kind == X_ELEMENT && str_eq(x_qualified(c->arena, n), arg_str(c, 0))))
		n = n->after;
	return give_dom(c, n);
}

/* ---- XPath --------------------------------------------------------------------------------------------------------------------------- */

static bool mirror(struct vm_call *c, xmlDocPtr doc, xmlNodePtr to, struct xnode *from, unsigned depth)
{
	if (depth > XML_DEPTH_LIMIT * 2)
		return false;
	for (struct xnode *k = from->kind == X_ELEMENT ? from->attributes : NULL; k; k = k->after) {
		const char *name = arena_cstr(c->arena, x_qualified(c->arena, k)), *value = arena_cstr(c->arena, k->value);
		xmlAttrPtr attribute;

		if (!name || !value)
			return false;
		if (str_eq(k->ns, STR(XMLNS_URI)) || (k->ns.n == 0 && str_eq(k->local, STR("xmlns"))))
			continue;
		attribute = xmlNewProp(to, (const xmlChar *)arena_cstr(c->arena, k->local), (const xmlChar *)value);
		if (!attribute)
			return false;
		attribute->_private = k;
		if (k->ns.n)
			attribute->ns = xmlNewNs(to, (const xmlChar *)arena_cstr(c->arena, k->ns), NULL);
	}
	for (struct xnode *k = from->first; k; k = k->after) {
		const char *text = arena_cstr(c->arena, k->value), *local = arena_cstr(c->arena, k->local);
		xmlNodePtr n = NULL;

		if (!text || !local || !vm_charge(c->vm, 4))
			return false;
		if (k->kind == X_ELEMENT)
			n = xmlNewDocNode(doc, NULL, (const xmlChar *)local, NULL);
		else if (k->kind == X_TEXT || k->kind == X_CDATA)
			n = xmlNewDocText(doc, (const xmlChar *)text);
		else if (k->kind == X_COMMENT)
			n = xmlNewDocComment(doc, (const xmlChar *)text);
		else if (k->kind == X_PI)
			n = xmlNewDocPI(doc, (const xmlChar *)local, (const xmlChar *)text);
		if (!n)
			continue;
		n->_private = k;
		if (k->kind == X_ELEMENT && k->ns.n) {
			xmlNsPtr ns = xmlNewNs(n, (const xmlChar *)arena_cstr(c->arena, k->ns), NULL);

			n->ns = ns;
		}
		/* not xmlAddChild: it joins texts that are neighbours, and frees one */
		n->parent = to;
		n->prev = to->last;
		if (to->last)
			to->last->next = n;
		else
			to->children = n;
		to->last = n;
		if (k->kind == X_ELEMENT && !mirror(c, doc, n, k, depth + 1))
			return false;
	}
	return true;
}

static xmlNodePtr mirrored(xmlNodePtr n, const struct xnode *wanted)
{
	for (; n; n = n->next) {
		xmlNodePtr found;

		if (n->_private == wanted)
			return n;
		found = n->type == XML_ELEMENT_NODE ? mirrored(n->children, wanted) : NULL;
		if (found)
			return found;
	}
	return NULL;
}

static bool evaluate(struct vm_call *c, xmlDocPtr doc, const struct xnode *from, struct value_list *l)
{
	xmlXPathContextPtr ctx = xmlXPathNewContext(doc);
	const char *path = arena_cstr(c->arena, arg_str(c, 0));
	xmlXPathObjectPtr found = NULL;
	bool ok = true;

	if (ctx && path) {
		ctx->opLimit = XPATH_STEPS_MAX;
		ctx->node = from->kind == X_DOCUMENT ? (xmlNodePtr)doc : mirrored(doc->children, from);
		found = xmlXPathEvalExpression((const xmlChar *)path, ctx);
	}
	for (int i = 0; found && found->type == XPATH_NODESET && found->nodesetval && ok && i < found->nodesetval->nodeNr; i++)
		if (found->nodesetval->nodeTab[i]->type != XML_NAMESPACE_DECL && found->nodesetval->nodeTab[i]->_private)
			ok = xlist_add(c, l, found->nodesetval->nodeTab[i]->_private);
	if (ok && !found)
		ok = vm_throw(c, EX_XPATH, "'%.*s' has an invalid token.", STR_ARG(arg_str(c, 0)));
	else if (ok && found->type != XPATH_NODESET)
		ok = vm_throw(c, EX_XPATH, "Expression must evaluate to a node-set.");
	xmlXPathFreeObject(found);
	xmlXPathFreeContext(ctx);
	return ok;
}

static void silent(void *user, xmlErrorPtr e)
{
	(void)user, (void)e;
}

static bool run_xpath(struct vm_call *c, struct value_list *l)
{
	struct xnode *from = dom_node(c), *top = from;
	xmlDocPtr doc;
	bool ok;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "xpath");
	while (top->parent)
		top = top->parent;
	doc = xmlNewDoc(NULL);
	if (!doc)
		return x_no_memory(c);
	xmlSetStructuredErrorFunc(NULL, silent);
	ok = mirror(c, doc, (xmlNodePtr)doc, top, 0) || (vm_failed(c->vm) ? false : x_no_memory(c));
	ok = ok && evaluate(c, doc, from, l);
	xmlSetStructuredErrorFunc(NULL, NULL);
	xmlFreeDoc(doc);
	return ok;
}

static bool select_single(struct vm_call *c)
{
	struct value_list l = { 0 };

	return run_xpath(c, &l) && give_dom(c, l.n ? value_xnode(l.v[0]) : NULL);
}

static bool select_nodes(struct vm_call *c)
{
	struct value_list l = { 0 };

	return run_xpath(c, &l) && give_list(c, &l);
}

/* ---- XmlNodeList, XmlAttributeCollection ------------------------------------------------------------------------------------------------ */

static bool list_count(struct vm_call *c)
{
	return give_int(c, (int64_t)SELF(c, struct dom_list)->n);
}

static bool list_item(struct vm_call *c)
{
	const struct dom_list *l = SELF(c, struct dom_list);

	if (c->args[0].kind == VALUE_STRING) {
		for (size_t i = 0; i < l->n; i++)
			if (str_eq(x_qualified(c->arena, ((struct dom *)(void *)l->v[i].object)->n), arg_str(c, 0)))
				return vm_return(c, l->v[i]);
		return nothing(c);
	}
	return arg_int(c, 0) >= 0 && arg_int(c, 0) < (int64_t)l->n ? vm_return(c, l->v[arg_int(c, 0)]) : nothing(c);
}

static bool next_item(struct vm *vm UNUSED, struct iterator *it, struct value *item)
{
	const struct dom_list *l = (const struct dom_list *)(void *)it->source.object;

	if (it->at >= l->n)
		return false;
	*item = l->v[it->at++];
	return true;
}

static struct iterator *iterate(struct vm *vm, struct value v)
{
	return vm_iterator(vm, next_item, v, NULL);
}

static const struct class_member node_members[] = {
	{ "XmlNode SelectSingleNode(string xpath)", select_single },
	{ "XmlNodeList SelectNodes(string xpath)", select_nodes },
	{ "string InnerText { get; set; }", get_inner_text, set_inner_text },
	{ "string InnerXml { get; }", get_inner_xml },
	{ "string OuterXml { get; }", get_outer_xml },
	{ "string Value { get; }", get_value },
	{ "string Name { get; }", get_name },
	{ "string LocalName { get; }", get_local_name },
	{ "string NamespaceURI { get; }", get_namespace },
	{ "XmlNodeType NodeType { get; }", get_node_type },
	{ "XmlNode FirstChild { get; }", get_first_child },
	{ "XmlNode LastChild { get; }", get_last_child },
	{ "XmlNode NextSibling { get; }", get_next_sibling },
	{ "XmlNode PreviousSibling { get; }", get_previous_sibling },
	{ "XmlNode ParentNode { get; }", get_parent },
	{ "bool HasChildNodes { get; }", has_children },
	{ "XmlNodeList ChildNodes { get; }", get_children },
	{ "XmlNodeList Attributes { get; }", get_attributes },
	{ "XmlNode this[string name] { get; }", get_child_named },
	{ "string GetAttribute(string name)", get_attribute },
	{ "bool HasAttribute(string name)", has_attribute },
	{ "XmlNodeList GetElementsByTagName(string name)", by_tag_name },
	{ 0 }
};
static const struct class_member document_members[] = {
	{ "XmlDocument()", new_document },
	{ "void LoadXml(string xml)", load_xml },
	{ "XmlNode DocumentElement { get; }", get_document_element },
	{ 0 }
};
static const struct class_member list_members[] = {
	{ "int Count { get; }", list_count },
	{ "XmlNode this[int i] { get; }", list_item },
	{ "XmlNode this[string name] { get; }", list_item },
	{ "XmlNode Item(int index)", list_item },
	{ 0 }
};
static const struct class_member node_types[] = {
	{ "None = 0" }, { "Element = 1" }, { "Attribute = 2" }, { "Text = 3" }, { "CDATA = 4" }, { "EntityReference = 5" },
	{ "Entity = 6" }, { "ProcessingInstruction = 7" }, { "Comment = 8" }, { "Document = 9" }, { "DocumentType = 10" },
	{ "DocumentFragment = 11" }, { "Notation = 12" }, { "Whitespace = 13" }, { "SignificantWhitespace = 14" },
	{ "EndElement = 15" }, { "EndEntity = 16" }, { "XmlDeclaration = 17" },
	{ 0 }
};

struct value_class class_xml_node_type = { .name = "System.Xml.XmlNodeType", .kind = CLASS_ENUM, .members = node_types };
static struct value_class class_dom = {
	.name = "System.Xml.XmlNode", .members = node_members, .equals = same, .hash = hash, .to_text = dom_text
};
static struct value_class class_dom_document = {
	.name = "System.Xml.XmlDocument", .base = "XmlNode", .members = document_members, .equals = same, .hash = hash,
	.to_text = dom_text
};
static struct value_class class_dom_list = {
	.name = "System.Xml.XmlNodeList", .interfaces = "IEnumerable<XmlNode>", .members = list_members, .iterate = iterate
};
static struct value_class *const classes[] = { &class_xml_node_type, &class_dom, &class_dom_document, &class_dom_list, NULL };

const struct class_module net_xml = { .classes = classes };
