#include "policy/net/xml.h"

#include "core/str.h"
#include "policy/expr/class.h"

enum { COPY_COST = 10 };             /* of a node, in instructions */

static const struct value_class *class_of(enum xkind kind)
{
	switch (kind) {
	case X_ELEMENT:
		return &class_xelement;
	case X_ATTRIBUTE:
		return &class_xattribute;
	case X_TEXT:
		return &class_xtext;
	case X_CDATA:
		return &class_xcdata;
	case X_PI:
		return &class_xpi;
	case X_COMMENT:
		return &class_xcomment;
	case X_DOCTYPE:
		return &class_xdoctype;
	default:
		return &class_xdocument;
	}
}

struct xnode *value_xnode(struct value v)
{
	const struct xnode *n = v.kind == VALUE_OBJECT ? (const struct xnode *)(const void *)v.object : NULL;
	const struct value_class *cls = n ? n->head.cls : NULL;

	if (cls != &class_xelement && cls != &class_xattribute && cls != &class_xtext && cls != &class_xcdata &&
	    cls != &class_xpi && cls != &class_xcomment && cls != &class_xdoctype && cls != &class_xdocument)
		return NULL;
	return (struct xnode *)(void *)v.object;
}

struct xnode *x_new(struct arena *a, enum xkind kind)
{
	struct xnode *n = arena_new_of(a, struct xnode);

	if (n) {
		n->head.cls = class_of(kind);
		n->kind = kind;
		n->ns = n->local = n->value = STR("");
	}
	return n;
}

struct xnode *x_text(struct arena *a, struct str s)
{
	struct xnode *n = x_new(a, X_TEXT);

	if (n)
		n->value = s;
	return n;
}

static struct xnode *clone(struct arena *a, const struct xnode *n, unsigned depth)
{
	struct xnode *copy = depth < XML_DEPTH_LIMIT * 2 && vm_charge_here(COPY_COST) ? x_new(a, n->kind) : NULL, *child;

	if (!copy)
		return NULL;
	copy->ns = n->ns;
	copy->local = n->local;
	copy->value = n->value;
	copy->version = n->version;
	copy->encoding = n->encoding;
	copy->standalone = n->standalone;
	copy->closed_by_tag = n->closed_by_tag;
	for (const struct xnode *from = n->attributes; from; from = from->after) {
		child = clone(a, from, depth + 1);
		if (!child || !x_add_attribute(a, copy, child))
			return NULL;
	}
	for (const struct xnode *from = n->first; from; from = from->after) {
		child = clone(a, from, depth + 1);
		if (!child)
			return NULL;
		child->parent = copy;
		child->before = copy->last;
		if (copy->last)
			copy->last->after = child;
		else
			copy->first = child;
		copy->last = child;
	}
	return copy;
}

struct xnode *x_clone(struct arena *a, const struct xnode *n)
{
	return clone(a, n, 0);
}

void x_unlink(struct xnode *n)
{
	struct xnode *parent = n->parent;
	bool attribute = n->kind == X_ATTRIBUTE;

	if (!parent)
		return;
	if (n->before)
		n->before->after = n->after;
	else if (attribute)
		parent->attributes = n->after;
	else
		parent->first = n->after;
	if (n->after)
		n->after->before = n->before;
	else if (attribute)
		parent->last_attribute = n->before;
	else
		parent->last = n->before;
	n->parent = n->before = n->after = NULL;
}

static bool holds(const struct xnode *n, const struct xnode *inner)
{
	for (; inner; inner = inner->parent)
		if (inner == n)
			return true;
	return false;
}

static bool join(struct arena *a, struct xnode *to, struct str l, struct str r)
{
	struct out o = out_in(a);

	out_put(&o, l);
	out_put(&o, r);
	to->value = out_str(&o);
	return to->value.p != NULL;
}

bool x_insert(struct arena *a, struct xnode *to, struct xnode *before, struct xnode *n)
{
	struct xnode *previous = before ? before->before : to->last;

	if (n->parent || holds(n, to))
		n = x_clone(a, n);
	if (!n)
		return false;
	if (n->kind == X_TEXT && previous && previous->kind == X_TEXT)
		return join(a, previous, previous->value, n->value);
	if (n->kind == X_TEXT && before && before->kind == X_TEXT)
		return join(a, before, n->value, before->value);
	n->parent = to;
	n->before = previous;
	n->after = before;
	if (previous)
		previous->after = n;
	else
		to->first = n;
	if (before)
		before->before = n;
	else
		to->last = n;
	return true;
}

bool x_add_attribute(struct arena *a, struct xnode *to, struct xnode *attribute)
{
	if (attribute->parent)
		attribute = x_clone(a, attribute);
	if (!attribute)
		return false;
	attribute->parent = to;
	attribute->before = to->last_attribute;
	if (to->last_attribute)
		to->last_attribute->after = attribute;
	else
		to->attributes = attribute;
	to->last_attribute = attribute;
	return true;
}

struct xnode *x_attribute(const struct xnode *e, struct str ns, struct str local)
{
	for (struct xnode *n = e->attributes; n; n = n->after)
		if (str_eq(n->local, local) && str_eq(n->ns, ns))
			return n;
	return NULL;
}

struct xnode *x_next(const struct xnode *top, struct xnode *n)
{
	if (n->first)
		return n->first;
	while (n != top && !n->after)
		n = n->parent;
	return n == top ? NULL : n->after;
}

struct str x_value(struct arena *a, const struct xnode *n)
{
	struct out o = out_in(a);

	if (n->kind != X_ELEMENT && n->kind != X_DOCUMENT)
		return n->value;
	if (n->first && n->first == n->last && (n->first->kind == X_TEXT || n->first->kind == X_CDATA))
		return n->first->value;
	for (struct xnode *t = n->first ? n->first : NULL; t; t = x_next(n, t))
		if (t->kind == X_TEXT || t->kind == X_CDATA)
			out_put(&o, t->value);
	return out_str(&o);
}

static const struct xnode *significant(const struct xnode *n)
{
	while (n && (n->kind == X_COMMENT || n->kind == X_PI))
		n = n->after;
	return n;
}

static bool equal(const struct xnode *l, const struct xnode *r, unsigned depth)
{
	const struct xnode *a, *b;

	if (l->kind != r->kind || !str_eq(l->local, r->local) || !str_eq(l->ns, r->ns) || !str_eq(l->value, r->value) ||
	    depth > XML_DEPTH_LIMIT * 2)
		return false;
	for (a = l->attributes, b = r->attributes; a && b; a = a->after, b = b->after)
		if (!equal(a, b, depth + 1))
			return false;
	if (a || b)
		return false;
	a = l->kind == X_DOCUMENT ? significant(l->first) : l->first;
	b = r->kind == X_DOCUMENT ? significant(r->first) : r->first;
	for (; a && b; a = a->after, b = b->after)
		if (!equal(a, b, depth + 1))
			return false;
	return !a && !b;
}

bool x_equal(const struct xnode *l, const struct xnode *r)
{
	return equal(l, r, 0);
}

struct str x_namespace_of_prefix(const struct xnode *e, struct str prefix)
{
	if (str_eq(prefix, STR("xml")))
		return STR(XML_URI);
	if (str_eq(prefix, STR("xmlns")))
		return STR(XMLNS_URI);
	for (; e; e = e->parent) {
		struct xnode *n = prefix.n ? x_attribute(e, STR(XMLNS_URI), prefix) : x_attribute(e, STR(""), STR("xmlns"));

		if (n)
			return n->value;
	}
	return prefix.n ? STR_NULL : STR("");
}

uint64_t x_count(struct xnode *n)
{
	uint64_t count = 1;

	for (struct xnode *k = n->first; k; k = x_next(n, k))
		count++;
	return count;
}

uint64_t x_count_attributes(const struct xnode *e)
{
	uint64_t count = 0;

	for (const struct xnode *k = e->attributes; k; k = k->after)
		count++;
	return count;
}
