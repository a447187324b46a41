/* xml_dom.h - where System.Xml and System.Xml.Linq touch. */
#pragma once

#include "policy/net/xlinq.h"

extern struct value_class class_xml_node_type;

bool xml_reader_read_from(struct vm_call *c);            /* XNode.ReadFrom(XmlReader) */
bool x_descend(struct vm_call *c, struct value_list *l, struct xnode *top, bool with_self, bool elements_only, const struct xname *name);
/* "prefix:local" as the declarations in scope give it, "#text" and the like. */
struct str x_qualified(struct arena *a, const struct xnode *n);
