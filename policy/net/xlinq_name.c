/* xlinq_name.c - XName and XNamespace, content, values as XML text. */
#include <math.h>

#include "core/str.h"
#include "policy/net/convert.h"
#include "policy/net/json.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/number.h"
#include "policy/net/time.h"
#include "policy/net/xlinq.h"

bool x_no_memory(struct vm_call *c)
{
	return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

struct xnode *self_xnode(const struct vm_call *c)
{
	return SELF(c, struct xnode);
}

bool give_xnode(struct vm_call *c, struct xnode *n)
{
	return vm_return(c, value_object(n));
}

bool x_throw(struct vm_call *c, const struct gh_err *err)
{
	return err->code == GH_E_NOMEM ? x_no_memory(c) : vm_throw(c, EX_XML, "%s", err->message);
}

/* ---- names ---------------------------------------------------------------------------------------------------------------------- */

static const struct xname *name_of(struct value v)
{
	return (const struct xname *)(const void *)v.object;
}

struct value xname_value(struct arena *a, struct str ns, struct str local)
{
	struct xname *n = arena_new_of(a, struct xname);

	if (!n)
		return VALUE_NULL_INIT;
	*n = (struct xname){ { &class_xname }, ns, local };
	return value_object(n);
}

struct str xname_to_text(struct arena *a, struct value v)
{
	const struct xname *n = name_of(v);

	return n->ns.n ? arena_printf(a, "{%.*s}%.*s", STR_ARG(n->ns), STR_ARG(n->local)) : n->local;
}

bool xname_same(struct value l, struct value r)
{
	return str_eq(name_of(l)->ns, name_of(r)->ns) && str_eq(name_of(l)->local, name_of(r)->local);
}

uint64_t xname_hash(struct value v)
{
	return str_hash(name_of(v)->ns) * 31 + str_hash(name_of(v)->local);
}

static bool starts_name(char c)
{
	return ascii_is_alpha(c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool bad_name(struct vm_call *c, struct str local)
{
	for (size_t i = 0; i < local.n; i++)
		if (!starts_name(local.p[i]) && !(i && (ascii_is_digit(local.p[i]) || local.p[i] == '-' || local.p[i] == '.')))
			return !vm_throw(c, EX_XML, "The '%c' character, hexadecimal value 0x%02X, cannot be included in a name.",
					 local.p[i], (unsigned char)local.p[i]);
	return local.n == 0 && !vm_throw(c, EX_ARGUMENT, "The value cannot be an empty string. (Parameter 'name')");
}

static bool parse_name(struct vm_call *c, struct str s, struct xname *out)
{
	size_t close = s.n && s.p[0] == '{' ? str_rfind_char(s, '}') : SIZE_MAX;

	*out = (struct xname){ { &class_xname }, STR(""), s };
	if (close != SIZE_MAX) {
		out->ns = (struct str){ s.p + 1, close - 1 };
		out->local = str_from(s, close + 1);
	}
	return !bad_name(c, out->local);
}

bool xname_arg(struct vm_call *c, size_t i, struct xname *out)
{
	if (arg_is_null(c, i))
		return vm_throw_null(c, "name");
	if (c->args[i].kind == VALUE_STRING)
		return parse_name(c, arg_str(c, i), out);
	*out = *name_of(c->args[i]);
	return true;
}

bool xname_optional(struct vm_call *c, size_t i, struct xname *name, bool *any)
{
	*any = c->n <= i;
	*name = (struct xname){ { &class_xname }, STR(""), STR("") };
	if (*any)
		return true;
	if (arg_is_null(c, i)) {                 /* Elements(null) finds nothing */
		name->local = STR("\x01");
		return true;
	}
	return xname_arg(c, i, name);
}

static bool name_of_text(struct vm_call *c)
{
	struct xname n;

	if (arg_is_null(c, 0))
		return vm_return(c, VALUE_NULL_INIT);
	return parse_name(c, arg_str(c, 0), &n) && give_made(c, xname_value(c->arena, n.ns, n.local));
}

static bool name_of_parts(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "localName");
	return !bad_name(c, arg_str(c, 0)) &&
	       give_made(c, xname_value(c->arena, arg_str(c, 1).p ? arg_str(c, 1) : STR(""), arg_str(c, 0)));
}

static bool get_local(struct vm_call *c)
{
	return vm_return_str(c, name_of(c->self)->local);
}

static bool get_namespace_name(struct vm_call *c)
{
	return vm_return_str(c, name_of(c->self)->ns);
}

/* An XNamespace is kept as a name without a local part. */
static bool give_namespace(struct vm_call *c, struct str uri)
{
	struct xname *n = vm_new(c, &class_xnamespace, sizeof(*n));

	if (!n)
		return false;
	n->ns = uri.p ? uri : STR("");
	n->local = STR("");
	return vm_return(c, value_object(n));
}

static bool get_namespace(struct vm_call *c)
{
	return give_namespace(c, name_of(c->self)->ns);
}

static bool names_equal(struct vm_call *c)
{
	bool null = arg_is_null(c, 0) || arg_is_null(c, 1);

	return give_bool(c, null ? arg_is_null(c, 0) && arg_is_null(c, 1) : xname_same(c->args[0], c->args[1]));
}

static bool names_differ(struct vm_call *c)
{
	return names_equal(c) && give_bool(c, !c->result.b);
}

static bool namespace_of_text(struct vm_call *c)
{
	return arg_is_null(c, 0) ? vm_return(c, VALUE_NULL_INIT) : give_namespace(c, arg_str(c, 0));
}

static bool namespace_plus(struct vm_call *c)
{
	if (arg_is_null(c, 0) || arg_is_null(c, 1))
		return vm_throw_null(c, arg_is_null(c, 0) ? "ns" : "localName");
	return !bad_name(c, arg_str(c, 1)) && give_made(c, xname_value(c->arena, name_of(c->args[0])->ns, arg_str(c, 1)));
}

static bool namespace_name(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "localName");
	return !bad_name(c, arg_str(c, 0)) && give_made(c, xname_value(c->arena, name_of(c->self)->ns, arg_str(c, 0)));
}

static bool no_namespace(struct vm_call *c)
{
	return give_namespace(c, STR(""));
}

static bool xml_namespace(struct vm_call *c)
{
	return give_namespace(c, STR(XML_URI));
}

static bool xmlns_namespace(struct vm_call *c)
{
	return give_namespace(c, STR(XMLNS_URI));
}

const struct class_member xname_members[] = {
	{ "static implicit operator XName(string expandedName)", name_of_text },
	{ "static XName Get(string expandedName)", name_of_text },
	{ "static XName Get(string localName, string namespaceName)", name_of_parts },
	{ "string LocalName { get; }", get_local },
	{ "string NamespaceName { get; }", get_namespace_name },
	{ "XNamespace Namespace { get; }", get_namespace },
	{ "static bool operator ==(XName left, XName right)", names_equal },
	{ "static bool operator !=(XName left, XName right)", names_differ },
	{ 0 }
};
const struct class_member xnamespace_members[] = {
	{ "static implicit operator XNamespace(string namespaceName)", namespace_of_text },
	{ "static XNamespace Get(string namespaceName)", namespace_of_text },
	{ "static XName operator +(XNamespace ns, string localName)", namespace_plus },
	{ "static bool operator ==(XNamespace left, XNamespace right)", names_equal },
	{ "static bool operator !=(XNamespace left, XNamespace right)", names_differ },
	{ "XName GetName(string localName)", namespace_name },
	{ "string NamespaceName { get; }", get_namespace_name },
	{ "static XNamespace None { get; }", no_namespace },
	{ "static XNamespace Xml { get; }", xml_namespace },
	{ "static XNamespace Xmlns { get; }", xmlns_namespace },
	{ 0 }
};

/* ---- values -------------------------------------------------------------------------------------------------------------------- */

struct str x_text_of(struct arena *a, struct value v)
{
	struct out o = out_in(a);

	v = jt_unwrap(v);
	if (v.kind == VALUE_BOOL)
		return v.b ? STR("true") : STR("false");
	if ((v.kind == VALUE_DOUBLE || v.kind == VALUE_FLOAT) && isinf(v.d))
		return v.d < 0 ? STR("-INF") : STR("INF");
	if (v.kind == VALUE_OBJECT && value_class_of(v) == &class_date_time)
		date_value_format(&o, v, STR("yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"));
	else if (v.kind == VALUE_OBJECT && value_class_of(v) == &class_date_offset)
		offset_value_format(&o, v, value_offset(v)->offset ? STR("yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz")
								   : STR("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"));
	else
		return value_to_text(a, v);
	return out_str(&o);
}

static bool to_bool(struct vm_call *c, struct str s)
{
	s = str_trim(s);
	if (str_eq_ci(s, STR("true")) || str_eq(s, STR("1")))
		return give_bool(c, true);
	if (str_eq_ci(s, STR("false")) || str_eq(s, STR("0")))
		return give_bool(c, false);
	return vm_throw(c, EX_FORMAT, "The string '%.*s' is not a valid Boolean value.", STR_ARG(s));
}

static bool to_special(struct vm_call *c, const struct value_class *cls, struct str s)
{
	uint8_t bytes[16];
	struct value v;
	int64_t ticks;

	if (cls == &class_date_time)
		return date_parse_value(c, s, &v) && vm_return(c, v);
	if (cls == &class_date_offset)
		return offset_parse_value(c, s, &v) && vm_return(c, v);
	if (cls == &class_guid)
		return guid_parse(s, bytes) ? give_made(c, guid_value(c->arena, bytes))
					    : vm_throw(c, EX_FORMAT, "Unrecognized Guid format.");
	return span_read(s, &ticks) == SPAN_OK ? give_made(c, time_span_value(c->arena, ticks))
					       : vm_throw(c, EX_FORMAT, "The string '%.*s' is not a valid TimeSpan value.", STR_ARG(s));
}

bool x_explicit(struct vm_call *c)
{
	struct xnode *n = value_xnode(c->args[0]);
	bool nullable = type_class(c->type) == &class_nullable;
	const struct value_class *cls = type_class(nullable ? type_arg(c->type, 0) : c->type);
	struct str s;
	struct value v;

	if (!n && (nullable || cls == &class_string))
		return vm_return(c, VALUE_NULL_INIT);
	if (!n)
		return vm_throw_null(c, "element");
	s = x_value(c->arena, n);
	if (!s.p || cls == &class_string)
		return give_new(c, s);
	if (cls == &class_bool)
		return to_bool(c, s);
	if (cls->value_kind < VALUE_SBYTE || cls->value_kind > VALUE_DECIMAL)
		return to_special(c, cls, s);
	v = value_string(c->arena, str_trim(s), false);
	return convert_number(c, v, cls->value_kind, &v) && vm_return(c, v);
}

/* ---- content --------------------------------------------------------------------------------------------------------------------- */

static bool add_text(struct vm_call *c, struct xnode *to, struct xnode *before, struct str s)
{
	struct xnode *n;

	if (!s.p)
		return x_no_memory(c);
	if (s.n == 0) {
		to->closed_by_tag = true;
		return true;
	}
	if (to->kind == X_DOCUMENT)
		return str_trim(s).n == 0 || vm_throw(c, EX_ARGUMENT, "Non-whitespace characters cannot be added to content.");
	n = x_text(c->arena, s);
	return (n && x_insert(c->arena, to, before, n)) || x_no_memory(c);
}

static bool add_attribute(struct vm_call *c, struct xnode *to, struct xnode *attribute)
{
	if (to->kind != X_ELEMENT)
		return vm_throw(c, EX_ARGUMENT, "An attribute cannot be added to content.");
	if (x_attribute(to, attribute->ns, attribute->local))
		return vm_throw(c, EX_INVALID_OPERATION, "Duplicate attribute.");
	return x_add_attribute(c->arena, to, attribute) || x_no_memory(c);
}

static bool add_document_node(struct vm_call *c, struct xnode *to, struct xnode *before, struct xnode *n)
{
	if (n->kind == X_ELEMENT)
		for (struct xnode *k = to->first; k; k = k->after)
			if (k->kind == X_ELEMENT)
				return vm_throw(c, EX_INVALID_OPERATION, "This operation would create an incorrectly structured document.");
	return x_insert(c->arena, to, before, n) || x_no_memory(c);
}

bool x_add_content(struct vm_call *c, struct xnode *to, struct xnode *before, struct value v)
{
	struct xnode *n = value_xnode(v);
	struct iterator *it;

	if (v.kind == VALUE_NULL)
		return true;
	if (n && n->kind == X_ATTRIBUTE)
		return add_attribute(c, to, n);
	if (n && n->kind == X_DOCUMENT)
		return vm_throw(c, EX_ARGUMENT, "A node of type Document cannot be added to content.");
	if (n && to->kind == X_DOCUMENT)
		return add_document_node(c, to, before, n);
	if (n)
		return x_insert(c->arena, to, before, n) || x_no_memory(c);
	if (v.kind != VALUE_OBJECT || value_token(v) || (!value_array(v) && !value_class_of(v)->iterate))
		return add_text(c, to, before, x_text_of(c->arena, v));
	it = vm_iterate(c->vm, v);
	if (!it)
		return false;
	while (vm_next(c->vm, it, &v))
		if (!x_add_content(c, to, before, v))
			return false;
	return !vm_failed(c->vm);
}
