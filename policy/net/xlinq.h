/* xlinq.h - what the files with members of the System.Xml.Linq types share. */
#pragma once

#include "policy/net/value_list.h"
#include "policy/net/xml.h"

struct xnode *self_xnode(const struct vm_call *c);
bool x_no_memory(struct vm_call *c);                     /* throws */
bool give_xnode(struct vm_call *c, struct xnode *n);     /* NULL gives null */
bool xlist_add(struct vm_call *c, struct value_list *l, struct xnode *n);
bool xname_optional(struct vm_call *c, size_t i, struct xname *name, bool *any);   /* any: no such argument */
/* Adds content (nodes, attributes, texts, lists of them) to an element or document. before NULL: at the end. */
bool x_add_content(struct vm_call *c, struct xnode *to, struct xnode *before, struct value v);
/* The text of a value as XML writes it: true, 1.5, 2025-01-02T03:04:05Z. */
struct str x_text_of(struct arena *a, struct value v);
bool x_explicit(struct vm_call *c);                      /* (int)element and its like */
struct str xnode_to_text(struct arena *a, struct value v);
struct str xname_to_text(struct arena *a, struct value v);
bool xname_same(struct value l, struct value r);
uint64_t xname_hash(struct value v);

extern const struct class_member xname_members[], xnamespace_members[], xobject_members[], xnode_members[],
	xcontainer_members[], xelement_members[], xattribute_members[], xdocument_members[], xextension_members[],
	xtext_members[], xcdata_members[], xcomment_members[], xpi_members[], xdoctype_members[], xelement_value_members[];
