/* xml_reader.c - System.Xml.XmlReader: walks over a tree that was read whole. */
#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/types.h"
#include "policy/net/xml_dom.h"

struct reader {
	struct object head;
	struct xnode *top, *at;      /* at NULL: before the first node or at the end */
	bool ended, leaving;         /* leaving: at the end tag of `at` */
	int depth;
};
static struct value_class class_reader;

static bool nothing(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

static struct reader *self_reader(const struct vm_call *c)
{
	return SELF(c, struct reader);
}

static bool create_reader(struct vm_call *c)
{
	struct reader *r = vm_new(c, &class_reader, sizeof(*r));
	struct gh_err err = { 0 };
	struct str text;

	if (!r)
		return false;
	if (!string_reader_rest(c->args[0], &text))
		return vm_throw_null(c, "input");
	if (!vm_charge(c->vm, text.n / 2))
		return false;
	if (x_read(c->arena, text, true, &r->top, &err).code)
		return x_throw(c, &err);
	return vm_return(c, value_object(r));
}

static bool node_reader(struct vm_call *c)
{
	struct reader *r = vm_new(c, &class_reader, sizeof(*r));

	if (!r)
		return false;
	r->top = self_xnode(c);
	return vm_return(c, value_object(r));
}

static bool advance(struct reader *r)
{
	if (r->ended)
		return false;
	if (!r->at && !r->leaving) {
		r->at = r->top->kind == X_DOCUMENT ? r->top->first : r->top;
	} else if (r->at->kind == X_ELEMENT && !r->leaving && r->at->first) {
		r->at = r->at->first;
		r->depth++;
	} else if (r->at->kind == X_ELEMENT && !r->leaving && r->at->closed_by_tag) {
		r->leaving = true;
	} else if (r->at->after && r->at != r->top) {
		r->leaving = false;
		r->at = r->at->after;
	} else if (r->at != r->top && r->at->parent && r->at->parent->kind == X_ELEMENT) {
		r->at = r->at->parent;
		r->leaving = true;
		r->depth--;
	} else {
		r->at = NULL;
	}
	r->ended = !r->at;
	return !r->ended;
}

static bool reader_read(struct vm_call *c)
{
	return vm_charge(c->vm, 2) && give_bool(c, advance(self_reader(c)));
}

static enum xkind kind_at(const struct reader *r)
{
	return !r->at ? X_NONE : r->leaving ? X_END_ELEMENT : r->at->kind;
}

static bool is_blank(struct str s)
{
	return str_trim(s).n == 0;
}

static bool move_to_content(struct vm_call *c)
{
	struct reader *r = self_reader(c);
	enum xkind kind;

	while (!r->ended) {
		kind = kind_at(r);
		if (kind == X_ELEMENT || kind == X_END_ELEMENT || kind == X_CDATA || (kind == X_TEXT && !is_blank(r->at->value)))
			break;
		if (!advance(r))
			break;
	}
	return vm_return(c, enum_of(c, &class_xml_node_type, kind_at(r)));
}

static bool reader_kind(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_xml_node_type, kind_at(self_reader(c))));
}

static bool reader_eof(struct vm_call *c)
{
	return give_bool(c, self_reader(c)->ended);
}

static bool reader_name(struct vm_call *c)
{
	const struct xnode *n = self_reader(c)->at;

	return n && (n->kind == X_ELEMENT || n->kind == X_PI || n->kind == X_DOCTYPE) ? give_new(c, x_qualified(c->arena, n))
										       : vm_return_str(c, STR(""));
}

static bool reader_local_name(struct vm_call *c)
{
	return vm_return_str(c, self_reader(c)->at ? self_reader(c)->at->local : STR(""));
}

static bool reader_namespace(struct vm_call *c)
{
	return vm_return_str(c, self_reader(c)->at ? self_reader(c)->at->ns : STR(""));
}

static bool reader_value(struct vm_call *c)
{
	const struct xnode *n = self_reader(c)->at;

	return vm_return_str(c, n && n->kind != X_ELEMENT ? n->value : STR(""));
}

static bool reader_depth(struct vm_call *c)
{
	return give_int(c, self_reader(c)->depth);
}

static bool reader_is_empty(struct vm_call *c)
{
	const struct xnode *n = self_reader(c)->at;

	return give_bool(c, n && n->kind == X_ELEMENT && !n->first && !n->closed_by_tag);
}

static bool reader_has_attributes(struct vm_call *c)
{
	return give_bool(c, self_reader(c)->at && self_reader(c)->at->attributes);
}

static bool reader_attribute(struct vm_call *c)
{
	const struct xnode *n = self_reader(c)->at ? self_reader(c)->at->attributes : NULL;

	while (n && !str_eq(x_qualified(c->arena, n), arg_str(c, 0)))
		n = n->after;
	return n ? vm_return_str(c, n->value) : nothing(c);
}

static void skip(struct reader *r)
{
	if (r->at && r->at->kind == X_ELEMENT && !r->leaving && r->at->first) {
		r->leaving = true;
	}
	advance(r);
}

static bool reader_skip(struct vm_call *c)
{
	skip(self_reader(c));
	return nothing(c);
}

static bool read_xml(struct vm_call *c, bool outer)
{
	struct reader *r = self_reader(c);
	struct out o = out_in(c->arena);
	struct xnode *n = r->at;

	if (!n || r->leaving)
		return vm_return_str(c, STR(""));
	if (outer)
		x_write(&o, n, 0);
	for (n = outer ? NULL : n->first; n; n = n->after)
		x_write(&o, n, 0);
	skip(r);
	return give_new(c, out_str(&o));
}

static bool read_outer(struct vm_call *c)
{
	return read_xml(c, true);
}

static bool read_inner(struct vm_call *c)
{
	return read_xml(c, false);
}

static bool read_content(struct vm_call *c)
{
	struct reader *r = self_reader(c);
	struct str s;

	if (kind_at(r) != X_ELEMENT)
		return vm_throw(c, EX_INVALID_OPERATION, "The ReadElementContentAsString method is not supported on this node type.");
	s = x_value(c->arena, r->at);
	skip(r);
	return give_new(c, s);
}

static bool read_to(struct vm_call *c)
{
	struct reader *r = self_reader(c);

	while (vm_charge(c->vm, 2) && advance(r))
		if (kind_at(r) == X_ELEMENT && str_eq(x_qualified(c->arena, r->at), arg_str(c, 0)))
			return give_bool(c, true);
	return !vm_failed(c->vm) && give_bool(c, false);
}

static bool is_start(struct vm_call *c)
{
	return move_to_content(c) && give_bool(c, kind_at(self_reader(c)) == X_ELEMENT &&
							  (c->n == 0 || str_eq(x_qualified(c->arena, self_reader(c)->at), arg_str(c, 0))));
}

bool xml_reader_read_from(struct vm_call *c)
{
	struct reader *r = arg_object(c, 0);
	struct xnode *n;

	if (!r)
		return vm_throw_null(c, "reader");
	if (!r->at || r->leaving)
		return vm_throw(c, EX_INVALID_OPERATION, "The XmlReader state should be Interactive.");
	n = x_clone(c->arena, r->at);
	skip(r);
	return n ? give_xnode(c, n) : x_no_memory(c);
}

static const struct class_member reader_members[] = {
	{ "static XmlReader Create(TextReader input)", create_reader },
	{ "bool Read()", reader_read },
	{ "XmlNodeType MoveToContent()", move_to_content },
	{ "XmlNodeType NodeType { get; }", reader_kind },
	{ "bool EOF { get; }", reader_eof },
	{ "string Name { get; }", reader_name },
	{ "string LocalName { get; }", reader_local_name },
	{ "string NamespaceURI { get; }", reader_namespace },
	{ "string Value { get; }", reader_value },
	{ "int Depth { get; }", reader_depth },
	{ "bool IsEmptyElement { get; }", reader_is_empty },
	{ "bool HasAttributes { get; }", reader_has_attributes },
	{ "string GetAttribute(string name)", reader_attribute },
	{ "void Skip()", reader_skip },
	{ "string ReadOuterXml()", read_outer },
	{ "string ReadInnerXml()", read_inner },
	{ "string ReadElementContentAsString()", read_content },
	{ "bool ReadToFollowing(string name)", read_to },
	{ "bool IsStartElement()", is_start },
	{ "bool IsStartElement(string name)", is_start },
	{ "void Close()", nothing },
	{ "void Dispose()", nothing },
	{ 0 }
};
static const struct class_member more_node_members[] = { { "XmlReader CreateReader()", node_reader }, { 0 } };
static struct value_class class_reader = {
	.name = "System.Xml.XmlReader", .interfaces = "IDisposable", .members = reader_members
};
static struct value_class *const classes[] = { &class_reader, NULL };
static const struct class_part parts[] = { { &class_xnode, more_node_members }, { NULL, NULL } };

const struct class_module net_xml_reader = { .classes = classes, .parts = parts };
