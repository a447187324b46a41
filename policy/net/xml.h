/* xml.h - the tree behind System.Xml.Linq (XElement …) and XmlDocument.
 *
 * Own nodes in the exchange's arena; libxml2 only reads text (SAX) and evaluates XPath. A node has at most one parent; adding
 * one that has a parent puts in a copy, as .NET does. Bounded: XML_BYTES_MAX of text, XML_DEPTH_LIMIT levels,
 * XML_ATTRIBUTES_MAX of one element, XML_STEPS_MAX looks for namespaces; no DTD with entities, nothing is ever fetched. */
#pragma once

#include "core/error.h"
#include "policy/expr/class.h"
#include "policy/net/annotations.h"
#include "policy/net/out.h"

enum { XML_DEPTH_LIMIT = 256, XML_BYTES_MAX = 16 << 20, XML_ATTRIBUTES_MAX = 256, XML_STEPS_MAX = 20000000 };
#define XMLNS_URI "http://www.w3.org/2000/xmlns/"
#define XML_URI "http://www.w3.org/XML/1998/namespace"

/* System.Xml.XmlNodeType */
enum xkind {
	X_NONE, X_ELEMENT, X_ATTRIBUTE, X_TEXT, X_CDATA, X_ENTITY_REFERENCE, X_ENTITY, X_PI, X_COMMENT, X_DOCUMENT, X_DOCTYPE,
	X_END_ELEMENT = 15
};

struct xnode {
	struct object head;
	enum xkind kind;
	struct xnode *parent, *before, *after;
	struct xnode *first, *last;          /* nodes of an element or document */
	struct xnode *attributes, *last_attribute;
	struct str ns, local;                /* of elements and attributes; target of a PI, name of a DOCTYPE */
	struct str value;                    /* text, comment, data; an attribute's value */
	struct str version, encoding, standalone;    /* XDeclaration of a document; .p NULL: not given */
	struct annotation *annotations;      /* annotations.c */
	bool closed_by_tag;                  /* element without content written as <a></a> */
};

extern struct value_class class_xelement, class_xdocument, class_xattribute, class_xtext, class_xcdata, class_xcomment, class_xpi,
	class_xdoctype, class_xname, class_xnamespace, class_xnode, class_xobject, class_xcontainer, class_xextensions;

struct xname {
	struct object head;
	struct str ns, local;
};

/* ---- tree; NULL or false: out of memory ------------------------------------------------------------------------------------ */
struct xnode *x_new(struct arena *a, enum xkind kind);
struct xnode *x_text(struct arena *a, struct str s);
struct xnode *x_clone(struct arena *a, const struct xnode *n);
void x_unlink(struct xnode *n);
/* Puts n (a copy when it has a parent or holds `to`) into `to` before `before` (NULL: last). Text next to text is joined. */
bool x_insert(struct arena *a, struct xnode *to, struct xnode *before, struct xnode *n);
bool x_add_attribute(struct arena *a, struct xnode *to, struct xnode *attribute);
struct xnode *x_attribute(const struct xnode *e, struct str ns, struct str local);
static inline bool x_is(const struct xnode *n, const struct xname *name)
{
	return n->local.n == name->local.n && n->ns.n == name->ns.n && memcmp(n->local.p, name->local.p, name->local.n) == 0 &&
	       (n->ns.n == 0 || memcmp(n->ns.p, name->ns.p, name->ns.n) == 0);
}
/* The next node of the tree below `top` in document order; NULL: none left. */
struct xnode *x_next(const struct xnode *top, struct xnode *n);
struct str x_value(struct arena *a, const struct xnode *n);      /* all text below; STR_NULL: out of memory */
bool x_equal(const struct xnode *l, const struct xnode *r);
uint64_t x_count(struct xnode *n);                              /* nodes below, and itself */
uint64_t x_count_attributes(const struct xnode *e);
struct str x_namespace_of_prefix(const struct xnode *e, struct str prefix);  /* STR_NULL: not declared */

/* ---- text ---------------------------------------------------------------------------------------------------------------------- */
enum { X_WRITE_INDENT = 1 };
void x_write(struct out *o, const struct xnode *n, unsigned flags);
void x_write_declaration(struct out *o, const struct xnode *document);
/* Blank text between elements is left out unless keep_blanks. err has .NET's message. */
GH_RC x_read(struct arena *a, struct str text, bool keep_blanks, struct xnode **document, struct gh_err *err);

/* ---- values -------------------------------------------------------------------------------------------------------------------- */
struct xnode *value_xnode(struct value v);                       /* NULL when it is none */
/* A name from an XName or a text "{uri}local"; false: threw. */
bool xname_arg(struct vm_call *c, size_t i, struct xname *out);
struct value xname_value(struct arena *a, struct str ns, struct str local);
bool x_throw(struct vm_call *c, const struct gh_err *err);
