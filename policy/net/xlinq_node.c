/* xlinq_node.c - members of XObject, XNode, XContainer and XDocument. */
#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/types.h"
#include "policy/net/xlinq.h"
#include "policy/net/xml_dom.h"

enum { DISABLE_FORMATTING = 1, PRESERVE_WHITESPACE = 1 };

bool xlist_add(struct vm_call *c, struct value_list *l, struct xnode *n)
{
	return value_list_add(c, l, value_object(n)) && vm_charge(c->vm, 1);
}

static bool nothing(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

/* ---- XObject, XNode ----------------------------------------------------------------------------------------------------------- */

static bool get_parent(struct vm_call *c)
{
	struct xnode *p = self_xnode(c)->parent;

	return give_xnode(c, p && p->kind == X_ELEMENT ? p : NULL);
}

static bool get_document(struct vm_call *c)
{
	struct xnode *n = self_xnode(c);

	while (n->parent)
		n = n->parent;
	return give_xnode(c, n->kind == X_DOCUMENT ? n : NULL);
}

static bool get_node_type(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_xml_node_type, self_xnode(c)->kind));
}

static bool get_next(struct vm_call *c)
{
	return give_xnode(c, self_xnode(c)->after);
}

static bool get_previous(struct vm_call *c)
{
	return give_xnode(c, self_xnode(c)->before);
}

static bool no_parent(struct vm_call *c)
{
	return vm_throw(c, EX_INVALID_OPERATION, "The parent is missing.");
}

static bool remove_self(struct vm_call *c)
{
	if (!self_xnode(c)->parent)
		return no_parent(c);
	x_unlink(self_xnode(c));
	return nothing(c);
}

static bool add_after_self(struct vm_call *c)
{
	struct xnode *n = self_xnode(c);

	return n->parent ? x_add_content(c, n->parent, n->after, c->args[0]) && nothing(c) : no_parent(c);
}

static bool add_before_self(struct vm_call *c)
{
	struct xnode *n = self_xnode(c);

	return n->parent ? x_add_content(c, n->parent, n, c->args[0]) && nothing(c) : no_parent(c);
}

static bool replace_with(struct vm_call *c)
{
	struct xnode *n = self_xnode(c), *parent = n->parent, *after = n->after;

	if (!parent)
		return no_parent(c);
	x_unlink(n);
	return x_add_content(c, parent, after, c->args[0]) && nothing(c);
}

static bool siblings(struct vm_call *c, bool after, bool elements)
{
	struct xnode *self = self_xnode(c), *n = after ? self->after : self->parent ? self->parent->first : NULL;
	struct value_list l = { 0 };
	struct xname name;
	bool any;

	if (!xname_optional(c, 0, &name, &any))
		return false;
	for (; n && n != self; n = n->after)
		if ((!elements || (n->kind == X_ELEMENT && (any || x_is(n, &name)))) && !xlist_add(c, &l, n))
			return false;
	return value_list_give(c, &l);
}

static bool nodes_after(struct vm_call *c)
{
	return siblings(c, true, false);
}

static bool nodes_before(struct vm_call *c)
{
	return siblings(c, false, false);
}

static bool elements_after(struct vm_call *c)
{
	return siblings(c, true, true);
}

static bool elements_before(struct vm_call *c)
{
	return siblings(c, false, true);
}

static bool ancestors_from(struct vm_call *c, struct xnode *n)
{
	struct value_list l = { 0 };
	struct xname name;
	bool any;

	if (!xname_optional(c, 0, &name, &any))
		return false;
	for (; n; n = n->parent)
		if (n->kind == X_ELEMENT && (any || x_is(n, &name)) && !xlist_add(c, &l, n))
			return false;
	return value_list_give(c, &l);
}

static bool ancestors(struct vm_call *c)
{
	return ancestors_from(c, self_xnode(c)->parent);
}

static bool ancestors_and_self(struct vm_call *c)
{
	return ancestors_from(c, self_xnode(c));
}

static bool deep_equals(struct vm_call *c)
{
	struct xnode *l = value_xnode(c->args[0]), *r = value_xnode(c->args[1]);

	return (!l || vm_charge(c->vm, x_count(l))) && give_bool(c, l == r || (l && r && x_equal(l, r)));
}

struct str xnode_to_text(struct arena *a, struct value v)
{
	struct out o = out_in(a);

	x_write(&o, value_xnode(v), X_WRITE_INDENT);
	return out_str(&o);
}

static bool to_string(struct vm_call *c)
{
	struct out o = out_in(c->arena);

	x_write(&o, self_xnode(c), c->n && (arg_enum(c, 0) & DISABLE_FORMATTING) ? 0 : X_WRITE_INDENT);
	return charge_bytes(c, o.n) && give_new(c, out_str(&o));
}

const struct class_member xobject_members[] = {
	{ "XElement Parent { get; }", get_parent },
	{ "XDocument Document { get; }", get_document },
	{ "XmlNodeType NodeType { get; }", get_node_type },
	{ 0 }
};
const struct class_member xnode_members[] = {
	{ "XNode NextNode { get; }", get_next },
	{ "XNode PreviousNode { get; }", get_previous },
	{ "void Remove()", remove_self },
	{ "void AddAfterSelf(object content)", add_after_self },
	{ "void AddAfterSelf(params object[] content)", add_after_self },
	{ "void AddBeforeSelf(object content)", add_before_self },
	{ "void AddBeforeSelf(params object[] content)", add_before_self },
	{ "void ReplaceWith(object content)", replace_with },
	{ "void ReplaceWith(params object[] content)", replace_with },
	{ "IEnumerable<XNode> NodesAfterSelf()", nodes_after },
	{ "IEnumerable<XNode> NodesBeforeSelf()", nodes_before },
	{ "IEnumerable<XElement> ElementsAfterSelf()", elements_after },
	{ "IEnumerable<XElement> ElementsAfterSelf(XName name)", elements_after },
	{ "IEnumerable<XElement> ElementsBeforeSelf()", elements_before },
	{ "IEnumerable<XElement> ElementsBeforeSelf(XName name)", elements_before },
	{ "IEnumerable<XElement> Ancestors()", ancestors },
	{ "IEnumerable<XElement> Ancestors(XName name)", ancestors },
	{ "static bool DeepEquals(XNode n1, XNode n2)", deep_equals },
	{ "static XNode ReadFrom(XmlReader reader)", xml_reader_read_from },
	{ "string ToString()", to_string },
	{ "string ToString(SaveOptions options)", to_string },
	{ 0 }
};

/* ---- XContainer ----------------------------------------------------------------------------------------------------------------- */

static bool get_first(struct vm_call *c)
{
	return give_xnode(c, self_xnode(c)->first);
}

static bool get_last(struct vm_call *c)
{
	return give_xnode(c, self_xnode(c)->last);
}

static bool nodes(struct vm_call *c)
{
	struct value_list l = { 0 };

	for (struct xnode *n = self_xnode(c)->first; n; n = n->after)
		if (!xlist_add(c, &l, n))
			return false;
	return value_list_give(c, &l);
}

static bool elements(struct vm_call *c)
{
	struct value_list l = { 0 };
	struct xname name;
	size_t looked = 0;
	bool any;

	if (!xname_optional(c, 0, &name, &any))
		return false;
	for (struct xnode *n = self_xnode(c)->first; n; n = n->after, looked++)
		if (n->kind == X_ELEMENT && (any || x_is(n, &name)) && !xlist_add(c, &l, n))
			return false;
	return vm_charge(c->vm, looked / 4) && value_list_give(c, &l);
}

static bool element(struct vm_call *c)
{
	struct xname name;
	bool any;
	struct xnode *n;
	size_t looked = 0;

	if (!xname_optional(c, 0, &name, &any))
		return false;
	for (n = self_xnode(c)->first; n && !(n->kind == X_ELEMENT && x_is(n, &name)); looked++)
		n = n->after;
	return vm_charge(c->vm, looked / 4) && give_xnode(c, n);
}

bool x_descend(struct vm_call *c, struct value_list *l, struct xnode *top, bool with_self, bool elements_only, const struct xname *name)
{
	size_t looked = 0;

	for (struct xnode *n = with_self ? top : top->first; n; n = x_next(top, n)) {
		bool wanted = !elements_only || (n->kind == X_ELEMENT && (!name || x_is(n, name)));

		if ((wanted && !xlist_add(c, l, n)) || (++looked % 64 == 0 && !vm_charge(c->vm, 16)))
			return false;
		if (n == top && !top->first)
			break;
	}
	return true;
}

static bool descend(struct vm_call *c, bool with_self, bool elements_only)
{
	struct value_list l = { 0 };
	struct xname name;
	bool any;

	if (!xname_optional(c, 0, &name, &any))
		return false;
	return x_descend(c, &l, self_xnode(c), with_self, elements_only, any ? NULL : &name) && value_list_give(c, &l);
}

static bool descendants(struct vm_call *c)
{
	return descend(c, false, true);
}

static bool descendants_and_self(struct vm_call *c)
{
	return descend(c, true, true);
}

static bool descendant_nodes(struct vm_call *c)
{
	return descend(c, false, false);
}

static bool add(struct vm_call *c)
{
	return x_add_content(c, self_xnode(c), NULL, c->args[0]) && nothing(c);
}

static bool add_first(struct vm_call *c)
{
	return x_add_content(c, self_xnode(c), self_xnode(c)->first, c->args[0]) && nothing(c);
}

static bool remove_nodes(struct vm_call *c)
{
	while (self_xnode(c)->first)
		x_unlink(self_xnode(c)->first);
	return nothing(c);
}

/* The new content may be made of the old: it is added first, then the old nodes go. */
static bool replace_nodes(struct vm_call *c)
{
	struct xnode *e = self_xnode(c), *old = e->first, *next;
	struct xnode *mark = x_new(c->arena, X_COMMENT);

	if (!mark || !x_insert(c->arena, e, NULL, mark))
		return x_no_memory(c);
	if (!x_add_content(c, e, NULL, c->args[0]))
		return false;
	for (; old && old != mark; old = next) {
		next = old->after;
		x_unlink(old);
	}
	x_unlink(mark);
	return nothing(c);
}

const struct class_member xcontainer_members[] = {
	{ "XNode FirstNode { get; }", get_first },
	{ "XNode LastNode { get; }", get_last },
	{ "IEnumerable<XNode> Nodes()", nodes },
	{ "IEnumerable<XElement> Elements()", elements },
	{ "IEnumerable<XElement> Elements(XName name)", elements },
	{ "XElement Element(XName name)", element },
	{ "IEnumerable<XElement> Descendants()", descendants },
	{ "IEnumerable<XElement> Descendants(XName name)", descendants },
	{ "IEnumerable<XNode> DescendantNodes()", descendant_nodes },
	{ "void Add(object content)", add },
	{ "void Add(params object[] content)", add },
	{ "void AddFirst(object content)", add_first },
	{ "void AddFirst(params object[] content)", add_first },
	{ "void RemoveNodes()", remove_nodes },
	{ "void ReplaceNodes(object content)", replace_nodes },
	{ "void ReplaceNodes(params object[] content)", replace_nodes },
	{ 0 }
};

/* ---- XDocument -------------------------------------------------------------------------------------------------------------------- */

struct declaration {
	struct object head;
	struct str version, encoding, standalone;
};

static struct value_class class_declaration;

static bool new_document(struct vm_call *c)
{
	struct xnode *d = x_new(c->arena, X_DOCUMENT);
	struct value v = c->n ? c->args[0] : VALUE_NULL_INIT;
	size_t next = 0;

	if (!d)
		return x_no_memory(c);
	if (value_xnode(v) && value_xnode(v)->kind == X_DOCUMENT) {
		d = x_clone(c->arena, value_xnode(v));
		return d ? give_xnode(c, d) : x_no_memory(c);
	}
	if (value_is(v, &class_declaration)) {
		const struct declaration *from = arg_object(c, 0);

		d->version = from->version;
		d->encoding = from->encoding;
		d->standalone = from->standalone;
		next = 1;
	}
	for (; next < c->n; next++)
		if (!x_add_content(c, d, NULL, c->args[next]))
			return false;
	return give_xnode(c, d);
}

static bool parse_document(struct vm_call *c)
{
	struct xnode *d;
	struct gh_err err = { 0 };

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "text");
	if (!vm_charge(c->vm, arg_str(c, 0).n / 2))
		return false;
	if (x_read(c->arena, arg_str(c, 0), c->n > 1 && (arg_enum(c, 1) & PRESERVE_WHITESPACE), &d, &err).code)
		return x_throw(c, &err);
	return give_xnode(c, d);
}

static bool get_root(struct vm_call *c)
{
	struct xnode *n = self_xnode(c)->first;

	while (n && n->kind != X_ELEMENT)
		n = n->after;
	return give_xnode(c, n);
}

static bool get_doctype(struct vm_call *c)
{
	struct xnode *n = self_xnode(c)->first;

	while (n && n->kind != X_DOCTYPE)
		n = n->after;
	return give_xnode(c, n);
}

static bool give_declaration(struct vm_call *c, struct str version, struct str encoding, struct str standalone)
{
	struct declaration *d = vm_new(c, &class_declaration, sizeof(*d));

	if (!d)
		return false;
	d->version = version;
	d->encoding = encoding;
	d->standalone = standalone;
	return vm_return(c, value_object(d));
}

static bool get_declaration(struct vm_call *c)
{
	const struct xnode *d = self_xnode(c);

	return d->version.p ? give_declaration(c, d->version, d->encoding, d->standalone) : nothing(c);
}

static bool set_declaration(struct vm_call *c)
{
	const struct declaration *from = arg_object(c, 0);
	struct xnode *d = self_xnode(c);

	d->version = from ? from->version : STR_NULL;
	d->encoding = from ? from->encoding : STR_NULL;
	d->standalone = from ? from->standalone : STR_NULL;
	return nothing(c);
}

static bool new_declaration(struct vm_call *c)
{
	return give_declaration(c, arg_str(c, 0), arg_str(c, 1), arg_str(c, 2));
}

#define PART(name, field)                                                      \
	static bool get_##name(struct vm_call *c)                              \
	{                                                                      \
		return vm_return_str(c, SELF(c, struct declaration)->field);   \
	}                                                                      \
	static bool set_##name(struct vm_call *c)                              \
	{                                                                      \
		SELF(c, struct declaration)->field = arg_str(c, 0);            \
		return nothing(c);                                             \
	}
PART(version, version)
PART(encoding, encoding)
PART(standalone, standalone)

static struct str declaration_text(struct arena *a, struct value v)
{
	const struct declaration *d = (const struct declaration *)(const void *)v.object;
	struct xnode n = { .version = d->version, .encoding = d->encoding, .standalone = d->standalone };
	struct out o = out_in(a);

	x_write_declaration(&o, &n);
	return out_str(&o);
}

const struct class_member xdocument_members[] = {
	{ "XDocument()", new_document },
	{ "XDocument(XDocument other)", new_document },
	{ "XDocument(params object[] content)", new_document },
	{ "XDocument(XDeclaration declaration, params object[] content)", new_document },
	{ "static XDocument Parse(string text)", parse_document },
	{ "static XDocument Parse(string text, LoadOptions options)", parse_document },
	{ "XElement Root { get; }", get_root },
	{ "XDocumentType DocumentType { get; }", get_doctype },
	{ "XDeclaration Declaration { get; set; }", get_declaration, set_declaration },
	{ 0 }
};
static const struct class_member declaration_members[] = {
	{ "XDeclaration(string version, string encoding, string standalone)", new_declaration },
	{ "string Version { get; set; }", get_version, set_version },
	{ "string Encoding { get; set; }", get_encoding, set_encoding },
	{ "string Standalone { get; set; }", get_standalone, set_standalone },
	{ 0 }
};
static struct value_class class_declaration = {
	.name = "System.Xml.Linq.XDeclaration", .members = declaration_members, .to_text = declaration_text
};
static const struct class_member more_element_members[] = {
	{ "IEnumerable<XElement> DescendantsAndSelf()", descendants_and_self },
	{ "IEnumerable<XElement> DescendantsAndSelf(XName name)", descendants_and_self },
	{ "IEnumerable<XElement> AncestorsAndSelf()", ancestors_and_self },
	{ "IEnumerable<XElement> AncestorsAndSelf(XName name)", ancestors_and_self },
	{ 0 }
};
static struct value_class *const classes[] = { &class_declaration, NULL };
static const struct class_part parts[] = { { &class_xelement, more_element_members }, { NULL, NULL } };

const struct class_module net_xnode = { .classes = classes, .parts = parts };
