/* xlinq_element.c - members of XElement, XAttribute and the leaf nodes; the classes of System.Xml.Linq. */
#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/xlinq.h"
#include "policy/net/xml_dom.h"

enum { PRESERVE_WHITESPACE = 1 };

static bool nothing(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

/* ---- XElement ------------------------------------------------------------------------------------------------------------------- */

static bool new_element(struct vm_call *c)
{
	struct xnode *e = c->n == 1 ? value_xnode(c->args[0]) : NULL;
	struct xname name;

	if (e) {
		e = x_clone(c->arena, e);
		return e ? give_xnode(c, e) : x_no_memory(c);
	}
	if (!xname_arg(c, 0, &name))
		return false;
	e = x_new(c->arena, X_ELEMENT);
	if (!e)
		return x_no_memory(c);
	e->ns = name.ns;
	e->local = name.local;
	for (size_t i = 1; i < c->n; i++)
		if (!x_add_content(c, e, NULL, c->args[i]))
			return false;
	return give_xnode(c, e);
}

static bool parse_element(struct vm_call *c)
{
	struct xnode *d, *n;
	struct gh_err err = { 0 };

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "text");
	if (!vm_charge(c->vm, arg_str(c, 0).n / 2))
		return false;
	if (x_read(c->arena, arg_str(c, 0), c->n > 1 && (arg_enum(c, 1) & PRESERVE_WHITESPACE), &d, &err).code)
		return x_throw(c, &err);
	for (n = d->first; n && n->kind != X_ELEMENT;)
		n = n->after;
	if (n)
		x_unlink(n);
	return n ? give_xnode(c, n) : vm_throw(c, EX_XML, "Root element is missing.");
}

static bool get_name(struct vm_call *c)
{
	return give_made(c, xname_value(c->arena, self_xnode(c)->ns, self_xnode(c)->local));
}

static bool set_name(struct vm_call *c)
{
	struct xname name;

	if (!xname_arg(c, 0, &name))
		return false;
	self_xnode(c)->ns = name.ns;
	self_xnode(c)->local = name.local;
	return nothing(c);
}

static bool get_value(struct vm_call *c)
{
	struct str s;

	if (!vm_charge(c->vm, x_count(self_xnode(c)) / 4))
		return false;
	s = x_value(c->arena, self_xnode(c));
	return charge_bytes(c, s.n) && give_new(c, s);
}

static bool set_text(struct vm_call *c, struct xnode *n, struct value v)
{
	struct str s = x_text_of(c->arena, v);

	if (!s.p)
		return x_no_memory(c);
	if (n->kind != X_ELEMENT) {
		n->value = s;
		return true;
	}
	while (n->first)
		x_unlink(n->first);
	return x_add_content(c, n, NULL, v);
}

static bool set_value(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "value");
	return set_text(c, self_xnode(c), c->args[0]) && nothing(c);
}

static bool attributes(struct vm_call *c)
{
	struct value_list l = { 0 };
	struct xname name;
	bool any;

	if (!xname_optional(c, 0, &name, &any))
		return false;
	for (struct xnode *n = self_xnode(c)->attributes; n; n = n->after)
		if ((any || x_is(n, &name)) && !xlist_add(c, &l, n))
			return false;
	return value_list_give(c, &l);
}

static bool attribute(struct vm_call *c)
{
	struct xname name;
	bool any;

	if (!xname_optional(c, 0, &name, &any) || !vm_charge(c->vm, x_count_attributes(self_xnode(c)) / 4))
		return false;
	return give_xnode(c, x_attribute(self_xnode(c), name.ns, name.local));
}

static bool set_attribute(struct vm_call *c)
{
	struct xnode *e = self_xnode(c), *n;
	struct xname name;

	if (!xname_arg(c, 0, &name))
		return false;
	if (!vm_charge(c->vm, x_count_attributes(e) / 4))
		return false;
	n = x_attribute(e, name.ns, name.local);
	if (arg_is_null(c, 1)) {
		if (n)
			x_unlink(n);
		return nothing(c);
	}
	if (n)
		return set_text(c, n, c->args[1]) && nothing(c);
	n = x_new(c->arena, X_ATTRIBUTE);
	if (!n)
		return x_no_memory(c);
	n->ns = name.ns;
	n->local = name.local;
	return set_text(c, n, c->args[1]) && (x_add_attribute(c->arena, e, n) || x_no_memory(c)) && nothing(c);
}

static bool set_element(struct vm_call *c)
{
	struct xnode *e = self_xnode(c), *n;
	struct xname name;

	if (!xname_arg(c, 0, &name))
		return false;
	for (n = e->first; n && !(n->kind == X_ELEMENT && x_is(n, &name));)
		n = n->after;
	if (arg_is_null(c, 1)) {
		if (n)
			x_unlink(n);
		return nothing(c);
	}
	if (!n) {
		n = x_new(c->arena, X_ELEMENT);
		if (!n)
			return x_no_memory(c);
		n->ns = name.ns;
		n->local = name.local;
		if (!x_insert(c->arena, e, NULL, n))
			return x_no_memory(c);
	}
	return set_text(c, n, c->args[1]) && nothing(c);
}

static bool remove_attributes(struct vm_call *c)
{
	while (self_xnode(c)->attributes)
		x_unlink(self_xnode(c)->attributes);
	return nothing(c);
}

static bool remove_all(struct vm_call *c)
{
	while (self_xnode(c)->first)
		x_unlink(self_xnode(c)->first);
	return remove_attributes(c);
}

static bool replace_all(struct vm_call *c)
{
	return remove_all(c) && x_add_content(c, self_xnode(c), NULL, c->args[0]) && nothing(c);
}

static bool replace_attributes(struct vm_call *c)
{
	return remove_attributes(c) && x_add_content(c, self_xnode(c), NULL, c->args[0]) && nothing(c);
}

static bool get_has_attributes(struct vm_call *c)
{
	return give_bool(c, self_xnode(c)->attributes != NULL);
}

static bool get_has_elements(struct vm_call *c)
{
	for (struct xnode *n = self_xnode(c)->first; n; n = n->after)
		if (n->kind == X_ELEMENT)
			return give_bool(c, true);
	return give_bool(c, false);
}

static bool get_is_empty(struct vm_call *c)
{
	return give_bool(c, !self_xnode(c)->first && !self_xnode(c)->closed_by_tag);
}

static bool get_first_attribute(struct vm_call *c)
{
	return give_xnode(c, self_xnode(c)->attributes);
}

static bool get_last_attribute(struct vm_call *c)
{
	return give_xnode(c, self_xnode(c)->last_attribute);
}

static bool give_namespace(struct vm_call *c, struct str uri)
{
	struct xname *n;

	if (!uri.p)
		return nothing(c);
	n = vm_new(c, &class_xnamespace, sizeof(*n));
	if (!n)
		return false;
	n->ns = uri;
	n->local = STR("");
	return vm_return(c, value_object(n));
}

static bool default_namespace(struct vm_call *c)
{
	return give_namespace(c, x_namespace_of_prefix(self_xnode(c), STR("")));
}

static bool namespace_of_prefix(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "prefix");
	return give_namespace(c, x_namespace_of_prefix(self_xnode(c), arg_str(c, 0)));
}

static bool prefix_of_namespace(struct vm_call *c)
{
	const struct xname *ns = arg_object(c, 0);

	if (!ns)
		return vm_throw_null(c, "ns");
	for (const struct xnode *e = self_xnode(c); e; e = e->parent)
		for (const struct xnode *n = e->attributes; n; n = n->after)
			if (str_eq(n->ns, STR(XMLNS_URI)) && str_eq(n->value, ns->ns) &&
			    str_eq(x_namespace_of_prefix(self_xnode(c), n->local), ns->ns))
				return vm_return_str(c, n->local);
	return nothing(c);
}

#define CONVERSION(T, from) { "static explicit operator " T "(" from " value)", x_explicit }
#define CONVERSIONS(from)                                                                                            \
	CONVERSION("string", from), CONVERSION("bool", from), CONVERSION("bool?", from), CONVERSION("int", from),   \
	CONVERSION("int?", from), CONVERSION("uint", from), CONVERSION("uint?", from), CONVERSION("long", from),    \
	CONVERSION("long?", from), CONVERSION("ulong", from), CONVERSION("ulong?", from), CONVERSION("float", from), \
	CONVERSION("float?", from), CONVERSION("double", from), CONVERSION("double?", from),                        \
	CONVERSION("decimal", from), CONVERSION("decimal?", from), CONVERSION("DateTime", from),                    \
	CONVERSION("DateTime?", from), CONVERSION("DateTimeOffset", from), CONVERSION("DateTimeOffset?", from),     \
	CONVERSION("TimeSpan", from), CONVERSION("TimeSpan?", from), CONVERSION("Guid", from), CONVERSION("Guid?", from)

const struct class_member xelement_members[] = {
	{ "XElement(XName name)", new_element },
	{ "XElement(XElement other)", new_element },
	{ "XElement(XName name, object content)", new_element },
	{ "XElement(XName name, params object[] content)", new_element },
	{ "static XElement Parse(string text)", parse_element },
	{ "static XElement Parse(string text, LoadOptions options)", parse_element },
	{ "XName Name { get; set; }", get_name, set_name },
	{ "string Value { get; set; }", get_value, set_value },
	{ "void SetValue(object value)", set_value },
	{ "IEnumerable<XAttribute> Attributes()", attributes },
	{ "IEnumerable<XAttribute> Attributes(XName name)", attributes },
	{ "XAttribute Attribute(XName name)", attribute },
	{ "XAttribute FirstAttribute { get; }", get_first_attribute },
	{ "XAttribute LastAttribute { get; }", get_last_attribute },
	{ "bool HasAttributes { get; }", get_has_attributes },
	{ "bool HasElements { get; }", get_has_elements },
	{ "bool IsEmpty { get; }", get_is_empty },
	{ "void SetAttributeValue(XName name, object value)", set_attribute },
	{ "void SetElementValue(XName name, object value)", set_element },
	{ "void RemoveAll()", remove_all },
	{ "void RemoveAttributes()", remove_attributes },
	{ "void ReplaceAll(object content)", replace_all },
	{ "void ReplaceAll(params object[] content)", replace_all },
	{ "void ReplaceAttributes(object content)", replace_attributes },
	{ "XNamespace GetDefaultNamespace()", default_namespace },
	{ "XNamespace GetNamespaceOfPrefix(string prefix)", namespace_of_prefix },
	{ "string GetPrefixOfNamespace(XNamespace ns)", prefix_of_namespace },
	CONVERSIONS("XElement"),
	{ 0 }
};

/* ---- XAttribute ---------------------------------------------------------------------------------------------------------------- */

static bool new_attribute(struct vm_call *c)
{
	struct xnode *n = c->n == 1 ? value_xnode(c->args[0]) : NULL;
	struct xname name;

	if (n) {
		n = x_clone(c->arena, n);
		return n ? give_xnode(c, n) : x_no_memory(c);
	}
	if (!xname_arg(c, 0, &name))
		return false;
	if (arg_is_null(c, 1))
		return vm_throw_null(c, "value");
	n = x_new(c->arena, X_ATTRIBUTE);
	if (!n)
		return x_no_memory(c);
	n->ns = name.ns;
	n->local = name.local;
	return set_text(c, n, c->args[1]) && give_xnode(c, n);
}

static bool is_declaration(struct vm_call *c)
{
	const struct xnode *n = self_xnode(c);

	return give_bool(c, str_eq(n->ns, STR(XMLNS_URI)) || (n->ns.n == 0 && str_eq(n->local, STR("xmlns"))));
}

static bool get_next(struct vm_call *c)
{
	return give_xnode(c, self_xnode(c)->after);
}

static bool get_previous(struct vm_call *c)
{
	return give_xnode(c, self_xnode(c)->before);
}

static bool remove_self(struct vm_call *c)
{
	if (!self_xnode(c)->parent)
		return vm_throw(c, EX_INVALID_OPERATION, "The parent is missing.");
	x_unlink(self_xnode(c));
	return nothing(c);
}

static bool attribute_to_string(struct vm_call *c)
{
	return give_new(c, xnode_to_text(c->arena, c->self));
}

const struct class_member xattribute_members[] = {
	{ "XAttribute(XName name, object value)", new_attribute },
	{ "XAttribute(XAttribute other)", new_attribute },
	{ "XName Name { get; }", get_name },
	{ "string Value { get; set; }", get_value, set_value },
	{ "void SetValue(object value)", set_value },
	{ "bool IsNamespaceDeclaration { get; }", is_declaration },
	{ "XAttribute NextAttribute { get; }", get_next },
	{ "XAttribute PreviousAttribute { get; }", get_previous },
	{ "void Remove()", remove_self },
	{ "string ToString()", attribute_to_string },
	CONVERSIONS("XAttribute"),
	{ 0 }
};

static const struct class_member load_options[] = {
	{ "None = 0" }, { "PreserveWhitespace = 1" }, { "SetBaseUri = 2" }, { "SetLineInfo = 4" }, { 0 }
};
static const struct class_member save_options[] = {
	{ "None = 0" }, { "DisableFormatting = 1" }, { "OmitDuplicateNamespaces = 2" }, { 0 }
};

#define NAMESPACE "System.Xml.Linq."
struct value_class class_xname = {
	.name = NAMESPACE "XName", .members = xname_members, .equals = xname_same, .hash = xname_hash, .to_text = xname_to_text
};
static struct str namespace_text(struct arena *a UNUSED, struct value v)
{
	return ((const struct xname *)(const void *)v.object)->ns;
}
struct value_class class_xnamespace = {
	.name = NAMESPACE "XNamespace", .members = xnamespace_members, .equals = xname_same, .hash = xname_hash,
	.to_text = namespace_text
};
struct value_class class_xobject = { .name = NAMESPACE "XObject", .members = xobject_members };
struct value_class class_xnode = {
	.name = NAMESPACE "XNode", .base = "XObject", .members = xnode_members, .to_text = xnode_to_text
};
struct value_class class_xcontainer = {
	.name = NAMESPACE "XContainer", .base = "XNode", .members = xcontainer_members, .to_text = xnode_to_text
};
struct value_class class_xelement = {
	.name = NAMESPACE "XElement", .base = "XContainer", .members = xelement_members, .to_text = xnode_to_text
};
struct value_class class_xdocument = {
	.name = NAMESPACE "XDocument", .base = "XContainer", .members = xdocument_members, .to_text = xnode_to_text
};
struct value_class class_xattribute = {
	.name = NAMESPACE "XAttribute", .base = "XObject", .members = xattribute_members, .to_text = xnode_to_text
};
struct value_class class_xtext = {
	.name = NAMESPACE "XText", .base = "XNode", .members = xtext_members, .to_text = xnode_to_text
};
struct value_class class_xcdata = {
	.name = NAMESPACE "XCData", .base = "XText", .members = xcdata_members, .to_text = xnode_to_text
};
struct value_class class_xcomment = {
	.name = NAMESPACE "XComment", .base = "XNode", .members = xcomment_members, .to_text = xnode_to_text
};
struct value_class class_xpi = {
	.name = NAMESPACE "XProcessingInstruction", .base = "XNode", .members = xpi_members, .to_text = xnode_to_text
};
struct value_class class_xdoctype = {
	.name = NAMESPACE "XDocumentType", .base = "XNode", .members = xdoctype_members, .to_text = xnode_to_text
};
struct value_class class_xextensions = {
	.name = NAMESPACE "Extensions", .kind = CLASS_STATIC, .members = xextension_members, .extensions = true
};
static struct value_class class_load_options = {
	.name = NAMESPACE "LoadOptions", .kind = CLASS_ENUM, .flags = true, .members = load_options
};
static struct value_class class_save_options = {
	.name = NAMESPACE "SaveOptions", .kind = CLASS_ENUM, .flags = true, .members = save_options
};
static struct value_class *const classes[] = {
	&class_xname, &class_xnamespace, &class_xobject, &class_xnode,    &class_xcontainer, &class_xelement,   &class_xdocument,
	&class_xattribute, &class_xtext, &class_xcdata,  &class_xcomment, &class_xpi,        &class_xdoctype,   &class_xextensions,
	&class_load_options, &class_save_options, NULL
};

const struct class_module net_xlinq = { .classes = classes };
