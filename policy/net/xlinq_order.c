/* xlinq_order.c - document order, the two comparers of nodes, annotations, and what XElement reads from and writes to. */
#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/types.h"
#include "policy/net/xlinq.h"
#include "policy/net/xml_dom.h"

/* ---- document order ------------------------------------------------------------------------------------------------------- */

static size_t depth_of(const struct xnode *n)
{
	size_t depth = 0;

	while ((n = n->parent))
		depth++;
	return depth;
}

/* -1, 0, 1; *together false: they are in different trees. A parent stands before what it holds. */
static int document_order(struct vm_call *c, const struct xnode *l, const struct xnode *r, bool *together)
{
	size_t dl = depth_of(l), dr = depth_of(r);
	const struct xnode *a = l, *b = r;

	*together = true;
	if (l == r)
		return 0;
	for (; dl > dr; dl--)
		a = a->parent;
	for (; dr > dl; dr--)
		b = b->parent;
	if (a == b)
		return a == l ? -1 : 1;
	while (a->parent != b->parent) {
		a = a->parent;
		b = b->parent;
	}
	*together = a->parent != NULL;
	for (const struct xnode *n = a; n; n = n->after) {
		if (n == b)
			return -1;
		if (!vm_charge(c->vm, 1))
			return 0;
	}
	return 1;
}

static bool compare_nodes(struct vm_call *c, struct value lv, struct value rv, int *order)
{
	const struct xnode *l = value_xnode(lv), *r = value_xnode(rv);
	bool together;

	*order = (l != NULL) - (r != NULL);
	if (!l || !r)
		return true;
	*order = document_order(c, l, r, &together);
	if (!together)
		return vm_throw(c, EX_INVALID_OPERATION, "A common ancestor is missing.");
	return !vm_failed(c->vm);
}

static bool is_after(struct vm_call *c)
{
	int order;

	return compare_nodes(c, c->self, c->args[0], &order) && give_bool(c, order > 0);
}

static bool is_before(struct vm_call *c)
{
	int order;

	return compare_nodes(c, c->self, c->args[0], &order) && give_bool(c, order < 0);
}

static bool compare_order(struct vm_call *c)
{
	int order;

	return compare_nodes(c, c->args[0], c->args[1], &order) && give_int(c, order);
}

/* ---- comparers ------------------------------------------------------------------------------------------------------------ */

static struct value_class class_order_comparer, class_equality_comparer;
static const struct object order_comparer = { &class_order_comparer }, equality_comparer = { &class_equality_comparer };

static bool get_order_comparer(struct vm_call *c)
{
	return vm_return(c, value_object(&order_comparer));
}

static bool get_equality_comparer(struct vm_call *c)
{
	return vm_return(c, value_object(&equality_comparer));
}

static bool nodes_equal(struct vm_call *c)
{
	struct xnode *l = value_xnode(c->args[0]), *r = value_xnode(c->args[1]);

	if (!l || !r)
		return give_bool(c, l == r);
	return vm_charge(c->vm, x_count(l)) && give_bool(c, x_equal(l, r));
}

/* Equal nodes have equal text. */
static bool node_hash(struct vm_call *c)
{
	struct str text = value_xnode(c->args[0]) ? xnode_to_text(c->arena, c->args[0]) : STR("");

	return text.p ? charge_bytes(c, text.n) && give_int(c, (int32_t)(uint32_t)str_hash(text)) : x_no_memory(c);
}

static const struct class_member order_comparer_members[] = {
	{ "XNodeDocumentOrderComparer()", get_order_comparer }, { "int Compare(XNode x, XNode y)", compare_order }, { 0 }
};
static const struct class_member equality_comparer_members[] = {
	{ "XNodeEqualityComparer()", get_equality_comparer },
	{ "bool Equals(XNode x, XNode y)", nodes_equal },
	{ "int GetHashCode(XNode obj)", node_hash },
	{ 0 }
};
static struct value_class class_order_comparer = {
	.name = "System.Xml.Linq.XNodeDocumentOrderComparer", .members = order_comparer_members, .interfaces = "IComparer<XNode>"
};
static struct value_class class_equality_comparer = {
	.name = "System.Xml.Linq.XNodeEqualityComparer", .members = equality_comparer_members,
	.interfaces = "IEqualityComparer<XNode>"
};

/* ---- many nodes ----------------------------------------------------------------------------------------------------------- */

/* Those of a sequence, without doubles, in document order: a merge sort on arrays of nodes. */
static bool sort_nodes(struct vm_call *c, struct value *v, struct value *spare, size_t n)
{
	size_t half = n / 2, i = 0, k = half, out = 0;

	if (n < 2)
		return true;
	if (!sort_nodes(c, v, spare, half) || !sort_nodes(c, v + half, spare, n - half))
		return false;
	while (i < half || k < n) {
		int order = i == half ? 1 : -1;

		if (i < half && k < n && !compare_nodes(c, v[i], v[k], &order))
			return false;
		spare[out++] = order <= 0 ? v[i++] : v[k++];
	}
	memcpy(v, spare, n * sizeof(*v));
	return true;
}

static bool in_document_order(struct vm_call *c)
{
	struct iterator *it = vm_iterate(c->vm, c->args[0]);
	struct value_list l = { 0 };
	struct value v, *spare;

	while (it && vm_next(c->vm, it, &v))
		if (value_xnode(v) && !xlist_add(c, &l, value_xnode(v)))
			return false;
	if (!it || vm_failed(c->vm))
		return false;
	spare = vm_alloc(c, l.n + 1, sizeof(*spare));
	return spare && sort_nodes(c, l.v, spare, l.n) && value_list_give(c, &l);
}

static bool each_below(struct vm_call *c, bool with_self, bool up)
{
	struct iterator *it = vm_iterate(c->vm, c->args[0]);
	struct value_list l = { 0 };
	struct xname name;
	struct value v;
	bool any = true;

	if (!it || (up && !xname_optional(c, 1, &name, &any)))
		return false;
	while (vm_next(c->vm, it, &v)) {
		struct xnode *n = value_xnode(v);

		if (n && !up && !x_descend(c, &l, n, with_self, false, NULL))
			return false;
		for (; up && n; n = n->parent)
			if (n->kind == X_ELEMENT && (any || x_is(n, &name)) && !xlist_add(c, &l, n))
				return false;
	}
	return !vm_failed(c->vm) && value_list_give(c, &l);
}

static bool all_below(struct vm_call *c)
{
	return each_below(c, false, false);
}

static bool all_below_and_self(struct vm_call *c)
{
	return each_below(c, true, false);
}

static bool all_above_and_self(struct vm_call *c)
{
	return each_below(c, true, true);
}

static bool nodes_and_self(struct vm_call *c)
{
	struct value_list l = { 0 };

	return x_descend(c, &l, self_xnode(c), true, false, NULL) && value_list_give(c, &l);
}

static bool no_nodes(struct vm_call *c)
{
	struct array *a = vm_array(c, 0);

	return a && vm_return(c, value_object(a));
}

/* ---- readers and writers -------------------------------------------------------------------------------------------------- */

static bool load(struct vm_call *c)
{
	struct xnode *d;
	struct gh_err err = { 0 };
	struct str text;

	if (!string_reader_rest(c->args[0], &text))
		return vm_throw_null(c, "textReader");
	if (!vm_charge(c->vm, text.n / 2))
		return false;
	if (x_read(c->arena, text, c->n > 1 && (arg_enum(c, 1) & 1), &d, &err).code)
		return x_throw(c, &err);
	for (d = d->first; d && d->kind != X_ELEMENT; d = d->after)
		;
	if (d)
		x_unlink(d);
	return give_xnode(c, d);
}

/* A writer is a string: encoding="utf-16" is what .NET puts there. */
static bool save(struct vm_call *c)
{
	struct xnode *n = self_xnode(c);
	struct xnode declared = { .version = STR("1.0"), .encoding = STR("utf-16"),
				  .standalone = n->kind == X_DOCUMENT ? n->standalone : STR_NULL };
	struct out o = out_in(c->arena);

	x_write_declaration(&o, &declared);
	out_add(&o, "\r\n", 2);
	x_write(&o, n, c->n > 1 && (arg_enum(c, 1) & 1) ? 0 : X_WRITE_INDENT);
	if (!string_writer_add(c->args[0], out_str(&o)))
		return vm_throw_null(c, "textWriter");
	return vm_return(c, VALUE_NULL_INIT);
}

/* ---- XObject -------------------------------------------------------------------------------------------------------------- */

static bool empty_text(struct vm_call *c)
{
	return vm_return_str(c, STR(""));
}

static bool doctype_public(struct vm_call *c)
{
	return vm_return_str(c, self_xnode(c)->version);
}

static bool doctype_system(struct vm_call *c)
{
	return vm_return_str(c, self_xnode(c)->encoding);
}

static bool doctype_subset(struct vm_call *c)    /* documents with one are refused */
{
	return vm_return(c, VALUE_NULL_INIT);
}

static const struct class_member object_members[] = { { "string BaseUri { get; }", empty_text }, { 0 } };
static const struct class_member node_members[] = {
	{ "static XNodeDocumentOrderComparer DocumentOrderComparer { get; }", get_order_comparer },
	{ "static XNodeEqualityComparer EqualityComparer { get; }", get_equality_comparer },
	{ "static int CompareDocumentOrder(XNode n1, XNode n2)", compare_order },
	{ "bool IsAfter(XNode node)", is_after },
	{ "bool IsBefore(XNode node)", is_before },
	{ 0 }
};
static const struct class_member element_members[] = {
	{ "static IEnumerable<XElement> EmptySequence { get; }", no_nodes },
	{ "IEnumerable<XNode> DescendantNodesAndSelf()", nodes_and_self },
	{ "static XElement Load(TextReader textReader)", load },
	{ "static XElement Load(TextReader textReader, LoadOptions options)", load },
	{ "void Save(TextWriter textWriter)", save },
	{ "void Save(TextWriter textWriter, SaveOptions options)", save },
	{ 0 }
};
static const struct class_member document_members[] = {
	{ "void Save(TextWriter textWriter)", save }, { "void Save(TextWriter textWriter, SaveOptions options)", save }, { 0 }
};
static const struct class_member attribute_members[] = {
	{ "static IEnumerable<XAttribute> EmptySequence { get; }", no_nodes }, { 0 }
};
static const struct class_member doctype_members[] = {
	{ "string PublicId { get; }", doctype_public },
	{ "string SystemId { get; }", doctype_system },
	{ "string InternalSubset { get; }", doctype_subset },
	{ 0 }
};
static const struct class_member extension_members[] = {
	{ "static IEnumerable<XNode> DescendantNodes(this IEnumerable<XContainer> source)", all_below },
	{ "static IEnumerable<XNode> DescendantNodesAndSelf(this IEnumerable<XElement> source)", all_below_and_self },
	{ "static IEnumerable<XElement> AncestorsAndSelf(this IEnumerable<XElement> source)", all_above_and_self },
	{ "static IEnumerable<XElement> AncestorsAndSelf(this IEnumerable<XElement> source, XName name)", all_above_and_self },
	{ "static IEnumerable<XNode> InDocumentOrder(this IEnumerable<XNode> source)", in_document_order },
	{ "static IEnumerable<XElement> InDocumentOrder(this IEnumerable<XElement> source)", in_document_order },
	{ 0 }
};

static const struct class_part parts[] = {
	{ &class_xobject, object_members },       { &class_xnode, node_members },       { &class_xelement, element_members },
	{ &class_xdocument, document_members },   { &class_xattribute, attribute_members },
	{ &class_xdoctype, doctype_members },     { &class_xextensions, extension_members }, { NULL, NULL },
};
static struct value_class *const classes[] = { &class_order_comparer, &class_equality_comparer, NULL };

const struct class_module net_xlinq_order = { .classes = classes, .parts = parts };
