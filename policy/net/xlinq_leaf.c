/* xlinq_leaf.c - members of XText, XCData, XComment, XProcessingInstruction, XDocumentType; Extensions over many nodes. */
#include "core/str.h"
#include "policy/net/native.h"
#include "policy/net/xlinq.h"
#include "policy/net/xml_dom.h"

static bool nothing(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

/* ---- text, comment, processing instruction, document type ------------------------------------------------------------------------- */

static bool new_leaf(struct vm_call *c, enum xkind kind)
{
	struct xnode *n;

	if (value_xnode(c->args[0]))
		n = x_clone(c->arena, value_xnode(c->args[0]));
	else
		n = x_new(c->arena, kind);
	if (!n)
		return x_no_memory(c);
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "value");
	if (c->args[0].kind == VALUE_STRING)
		n->value = arg_str(c, 0);
	return give_xnode(c, n);
}

static bool new_text(struct vm_call *c)
{
	return new_leaf(c, X_TEXT);
}

static bool new_cdata(struct vm_call *c)
{
	return new_leaf(c, X_CDATA);
}

static bool new_comment(struct vm_call *c)
{
	return new_leaf(c, X_COMMENT);
}

static bool new_pi(struct vm_call *c)
{
	struct xnode *n = x_new(c->arena, X_PI);

	if (!n)
		return x_no_memory(c);
	if (arg_is_null(c, 0) || arg_is_null(c, 1))
		return vm_throw_null(c, arg_is_null(c, 0) ? "target" : "data");
	n->local = arg_str(c, 0);
	n->value = arg_str(c, 1);
	return give_xnode(c, n);
}

static bool new_doctype(struct vm_call *c)
{
	struct xnode *n = x_new(c->arena, X_DOCTYPE);

	if (!n)
		return x_no_memory(c);
	n->local = arg_str(c, 0);
	n->version = arg_str(c, 1);
	n->encoding = arg_str(c, 2);
	return n->local.p ? give_xnode(c, n) : vm_throw_null(c, "name");
}

static bool get_target(struct vm_call *c)
{
	return vm_return_str(c, self_xnode(c)->local);
}

static bool get_plain(struct vm_call *c)
{
	return vm_return_str(c, self_xnode(c)->value);
}

static bool set_plain(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "value");
	self_xnode(c)->value = arg_str(c, 0);
	return nothing(c);
}

static bool set_target(struct vm_call *c)
{
	self_xnode(c)->local = arg_is_null(c, 0) ? STR("") : arg_str(c, 0);
	return nothing(c);
}

const struct class_member xtext_members[] = {
	{ "XText(string value)", new_text }, { "XText(XText other)", new_text },
	{ "string Value { get; set; }", get_plain, set_plain },
	{ 0 }
};
const struct class_member xcdata_members[] = { { "XCData(string value)", new_cdata }, { 0 } };
const struct class_member xcomment_members[] = {
	{ "XComment(string value)", new_comment },
	{ "string Value { get; set; }", get_plain, set_plain },
	{ 0 }
};
const struct class_member xpi_members[] = {
	{ "XProcessingInstruction(string target, string data)", new_pi },
	{ "string Target { get; set; }", get_target, set_target },
	{ "string Data { get; set; }", get_plain, set_plain },
	{ 0 }
};
const struct class_member xdoctype_members[] = {
	{ "XDocumentType(string name, string publicId, string systemId, string internalSubset)", new_doctype },
	{ "string Name { get; }", get_target },
	{ 0 }
};

/* ---- Extensions: the same questions to many at once ---------------------------------------------------------------------------------- */

enum ask { ASK_ELEMENTS, ASK_DESCENDANTS, ASK_DESCENDANTS_AND_SELF, ASK_ATTRIBUTES, ASK_NODES, ASK_ANCESTORS };

static bool ask_one(struct vm_call *c, struct value_list *l, struct xnode *e, enum ask what, const struct xname *name)
{
	if (what == ASK_DESCENDANTS || what == ASK_DESCENDANTS_AND_SELF)
		return x_descend(c, l, e, what == ASK_DESCENDANTS_AND_SELF, true, name);
	if (what == ASK_ANCESTORS) {
		for (struct xnode *n = e->parent; n; n = n->parent)
			if (n->kind == X_ELEMENT && (!name || x_is(n, name)) && !xlist_add(c, l, n))
				return false;
		return true;
	}
	for (struct xnode *n = what == ASK_ATTRIBUTES ? e->attributes : e->first; n; n = n->after) {
		bool wanted = what == ASK_NODES || ((what == ASK_ATTRIBUTES || n->kind == X_ELEMENT) && (!name || x_is(n, name)));

		if (wanted && !xlist_add(c, l, n))
			return false;
	}
	return true;
}

static bool ask_all(struct vm_call *c, enum ask what)
{
	struct value_list l = { 0 };
	struct iterator *it;
	struct xname name;
	struct value v;
	bool any;

	if (!xname_optional(c, 1, &name, &any))
		return false;
	it = vm_iterate(c->vm, c->args[0]);
	if (!it)
		return false;
	while (vm_next(c->vm, it, &v))
		if (value_xnode(v) && !ask_one(c, &l, value_xnode(v), what, any ? NULL : &name))
			return false;
	return !vm_failed(c->vm) && value_list_give(c, &l);
}

#define ASK(name, what)                         \
	static bool name(struct vm_call *c)     \
	{                                       \
		return ask_all(c, what);        \
	}
ASK(all_elements, ASK_ELEMENTS)
ASK(all_descendants, ASK_DESCENDANTS)
ASK(all_descendants_and_self, ASK_DESCENDANTS_AND_SELF)
ASK(all_attributes, ASK_ATTRIBUTES)
ASK(all_nodes, ASK_NODES)
ASK(all_ancestors, ASK_ANCESTORS)

static bool remove_every(struct vm_call *c)
{
	struct iterator *it = vm_iterate(c->vm, c->args[0]);
	struct value_list l = { 0 };
	struct value v;

	if (!it)
		return false;
	while (vm_next(c->vm, it, &v))
		if (value_xnode(v) && !xlist_add(c, &l, value_xnode(v)))
			return false;
	for (size_t i = 0; i < l.n; i++)
		x_unlink(value_xnode(l.v[i]));
	return !vm_failed(c->vm) && nothing(c);
}

#define MANY(T, R, name, fn) { "static IEnumerable<" R "> " name "(this IEnumerable<" T "> source)", fn }
#define MANY_NAMED(T, R, name, fn)  \
	MANY(T, R, name, fn), { "static IEnumerable<" R "> " name "(this IEnumerable<" T "> source, XName name)", fn }

const struct class_member xextension_members[] = {
	MANY_NAMED("XContainer", "XElement", "Elements", all_elements),
	MANY_NAMED("XContainer", "XElement", "Descendants", all_descendants),
	MANY_NAMED("XElement", "XElement", "DescendantsAndSelf", all_descendants_and_self),
	MANY_NAMED("XElement", "XAttribute", "Attributes", all_attributes),
	MANY("XContainer", "XNode", "Nodes", all_nodes),
	MANY_NAMED("XNode", "XElement", "Ancestors", all_ancestors),
	{ "static void Remove(this IEnumerable<XNode> source)", remove_every },
	{ "static void Remove(this IEnumerable<XAttribute> source)", remove_every },
	{ 0 }
};
