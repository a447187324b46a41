/* uri.c - System.Uri for absolute addresses, UriBuilder, escaping. Parts are kept as .NET shows them: scheme and host in
 * lower case, dot segments removed, characters that may not stand in an address percent-encoded. */
#include "policy/net/uri.h"

#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/types.h"

static struct value_class class_uri_builder;
static struct value_class class_uri_kind;
static struct value_class class_uri_partial;

enum { KIND_ANY, KIND_ABSOLUTE, KIND_RELATIVE };
enum { PARTIAL_SCHEME, PARTIAL_AUTHORITY, PARTIAL_PATH, PARTIAL_QUERY };

#define NO_FORMAT "Invalid URI: The format of the URI could not be determined."
#define RELATIVE "This operation is not supported for a relative URI."

static const struct uri *self_of(const struct vm_call *c)
{
	return SELF(c, struct uri);
}

static bool same(struct value l, struct value r)
{
	const struct uri *a = (const struct uri *)(void *)l.object, *b = (const struct uri *)(void *)r.object;

	return str_eq(a->absolute, b->absolute) && a->is_absolute == b->is_absolute;
}

static uint64_t hash(struct value v)
{
	return str_hash(((const struct uri *)(void *)v.object)->absolute);
}

static struct str to_text(struct arena *a, struct value v)
{
	const struct uri *u = (const struct uri *)(void *)v.object;

	return u->is_absolute ? uri_display(a, u->absolute) : u->absolute;
}

struct value uri_value(struct arena *a, struct str s)
{
	struct uri *u = arena_new_of(a, struct uri);

	if (!u || !net_uri_parse(a, s, u))
		return VALUE_NULL_INIT;
	u->head.cls = &class_uri;
	return value_object(u);
}

/* ---- constructors ------------------------------------------------------------------------------------------------------------ */

static struct uri *make(struct vm_call *c, struct str s, int64_t kind, const char **why)
{
	struct uri *u = vm_new(c, &class_uri, sizeof(*u));

	*why = NULL;
	if (!u)
		return NULL;
	if (kind != KIND_RELATIVE && net_uri_parse(c->arena, s, u))
		return u;
	if (kind == KIND_ABSOLUTE || uri_looks_absolute(s)) {
		*why = str_trim(s).n == 0 ? "Invalid URI: The URI is empty."
		       : uri_looks_absolute(s) ? "Invalid URI: The hostname could not be parsed." : NO_FORMAT;
		return NULL;
	}
	u->is_absolute = false;
	u->original = u->absolute = s;
	return u;
}

static bool new_uri(struct vm_call *c)
{
	const char *why;
	struct uri *u;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "uriString");
	if (!charge_each(c, arg_str(c, 0).n * 4))
		return false;
	u = make(c, arg_str(c, 0), c->n > 1 ? arg_enum(c, 1) : KIND_ABSOLUTE, &why);
	if (u)
		return vm_return(c, value_object(u));
	return why ? vm_throw(c, EX_UNPARSABLE_URI, "%s", why) : false;
}

/* new Uri(base, relative): RFC 3986 section 5.2 */
static bool new_relative(struct vm_call *c)
{
	const struct uri *base = arg_object(c, 0), *other = arg_object(c, 1);
	struct str relative = other ? other->absolute : arg_str(c, 1);
	struct value v;

	if (!base)
		return vm_throw_null(c, "baseUri");
	if (!base->is_absolute)
		return vm_throw_range(c, "baseUri", NULL);
	v = uri_looks_absolute(relative) ? uri_value(c->arena, relative)
					 : uri_value(c->arena, uri_resolve(c->arena, base, relative));
	return v.kind != VALUE_NULL ? vm_return(c, v) : vm_throw(c, EX_UNPARSABLE_URI, NO_FORMAT);
}

static bool try_create(struct vm_call *c)
{
	const char *why;
	struct uri *u = arg_is_null(c, 0) ? NULL : make(c, arg_str(c, 0), arg_enum(c, 1), &why);

	if (vm_failed(c->vm))
		return false;
	c->args[2] = value_object(u);
	return give_bool(c, u != NULL);
}

/* ---- parts -------------------------------------------------------------------------------------------------------------------- */

static bool relative(struct vm_call *c)
{
	return !self_of(c)->is_absolute && !vm_throw(c, EX_INVALID_OPERATION, RELATIVE);
}

#define PART(name, expression)                                                \
	static bool name(struct vm_call *c)                                   \
	{                                                                     \
		const struct uri *u = self_of(c);                             \
		return !relative(c) && give_new(c, (expression));             \
	}
PART(get_scheme, u->scheme)
PART(get_host, u->host)
PART(get_path, u->path)
PART(get_query, u->query.p ? u->query : STR(""))
PART(get_fragment, u->fragment.p ? u->fragment : STR(""))
PART(get_user, u->user.p ? u->user : STR(""))
PART(get_absolute, u->absolute)
PART(get_authority, u->port_shown ? arena_printf(c->arena, "%.*s:%u", STR_ARG(u->host), u->port) : u->host)
PART(get_path_query, arena_printf(c->arena, "%.*s%.*s", STR_ARG(u->path), STR_ARG(u->query)))
PART(get_local_path, uri_unescape(c->arena, u->path))

static bool get_original(struct vm_call *c)
{
	return vm_return_str(c, self_of(c)->original);
}

static bool get_port(struct vm_call *c)
{
	return !relative(c) && give_int(c, self_of(c)->port ? (int64_t)self_of(c)->port : -1);
}

static bool get_default_port(struct vm_call *c)
{
	return !relative(c) && give_bool(c, !self_of(c)->port_shown);
}

static bool get_is_absolute(struct vm_call *c)
{
	return give_bool(c, self_of(c)->is_absolute);
}

static bool get_is_loopback(struct vm_call *c)
{
	struct str h = self_of(c)->host;

	return !relative(c) && give_bool(c, str_eq(h, STR("localhost")) || str_starts(h, STR("127.")) || str_eq(h, STR("[::1]")));
}

static bool get_segments(struct vm_call *c)
{
	struct str path = self_of(c)->path;
	size_t n = 0, begin = 0;
	struct array *out;

	if (relative(c))
		return false;
	for (size_t i = 0; i < path.n; i++)
		n += path.p[i] == '/' || i + 1 == path.n;
	out = vm_array(c, n);
	if (!out)
		return false;
	n = 0;
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] == '/' || i + 1 == path.n) {
			out->v[n++] = value_string(c->arena, (struct str){ path.p + begin, i + 1 - begin }, false);
			begin = i + 1;
		}
	return vm_return(c, value_object(out));
}

static bool get_left_part(struct vm_call *c)
{
	const struct uri *u = self_of(c);
	struct out o = out_in(c->arena);
	int64_t part = arg_enum(c, 0);

	if (relative(c))
		return false;
	out_put(&o, u->scheme);
	out_put(&o, u->has_authority ? STR("://") : STR(":"));
	if (part >= PARTIAL_AUTHORITY) {
		if (u->user.n) {
			out_put(&o, u->user);
			out_char(&o, '@');
		}
		out_put(&o, u->host);
		if (u->port_shown)
			out_fmt(&o, ":%u", u->port);
	}
	if (part >= PARTIAL_PATH)
		out_put(&o, u->path);
	if (part >= PARTIAL_QUERY)
		out_put(&o, u->query);
	return give_new(c, out_str(&o));
}

static bool to_string(struct vm_call *c)
{
	return give_new(c, to_text(c->arena, c->self));
}

static bool op_equal(struct vm_call *c)
{
	bool null = arg_is_null(c, 0) || arg_is_null(c, 1);

	return give_bool(c, null ? arg_is_null(c, 0) && arg_is_null(c, 1) : same(c->args[0], c->args[1]));
}

static bool op_unequal(struct vm_call *c)
{
	return op_equal(c) && give_bool(c, !c->result.b);
}

static bool is_base_of(struct vm_call *c)
{
	const struct uri *u = self_of(c), *other = arg_object(c, 0);
	size_t slash = str_rfind_char(u->path, '/');

	if (!other)
		return vm_throw_null(c, "uri");
	return give_bool(c, str_eq(u->scheme, other->scheme) && str_eq(u->host, other->host) && u->port == other->port &&
				    str_starts(other->path, str_first(u->path, slash + 1)));
}

/* ---- escaping ------------------------------------------------------------------------------------------------------------------ */

static bool escape_data(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "stringToEscape");
	return charge_each(c, arg_str(c, 0).n) && give_new(c, uri_escape(c->arena, arg_str(c, 0), false));
}

static bool escape_uri(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "stringToEscape");
	return charge_each(c, arg_str(c, 0).n) && give_new(c, uri_escape(c->arena, arg_str(c, 0), true));
}

static bool unescape_data(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "stringToUnescape");
	return charge_each(c, arg_str(c, 0).n) && give_new(c, uri_unescape(c->arena, arg_str(c, 0)));
}

static bool is_well_formed(struct vm_call *c)
{
	struct uri u;
	bool paid = charge_each(c, arg_str(c, 0).n * 4), absolute = paid && !arg_is_null(c, 0) && net_uri_parse(c->arena, arg_str(c, 0), &u);
	int64_t kind = arg_enum(c, 1);
	struct str s = arg_str(c, 0);

	if (!paid)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (strchr(" <>\"{}|\\^`", s.p[i]))
			return give_bool(c, false);
	return give_bool(c, s.p && (kind == KIND_ABSOLUTE ? absolute : kind == KIND_RELATIVE ? !absolute : true));
}

static const struct class_member members[] = {
	{ "Uri(string uriString)", new_uri },
	{ "Uri(string uriString, UriKind uriKind)", new_uri },
	{ "Uri(Uri baseUri, string relativeUri)", new_relative },
	{ "Uri(Uri baseUri, Uri relativeUri)", new_relative },
	{ "static bool TryCreate(string uriString, UriKind uriKind, out Uri result)", try_create },
	{ "static bool IsWellFormedUriString(string uriString, UriKind uriKind)", is_well_formed },
	{ "static string EscapeDataString(string stringToEscape)", escape_data },
	{ "static string EscapeUriString(string stringToEscape)", escape_uri },
	{ "static string UnescapeDataString(string stringToUnescape)", unescape_data },
	{ "string Scheme { get; }", get_scheme },
	{ "string Host { get; }", get_host },
	{ "string DnsSafeHost { get; }", get_host },
	{ "string IdnHost { get; }", get_host },
	{ "int Port { get; }", get_port },
	{ "bool IsDefaultPort { get; }", get_default_port },
	{ "string Authority { get; }", get_authority },
	{ "string AbsolutePath { get; }", get_path },
	{ "string LocalPath { get; }", get_local_path },
	{ "string PathAndQuery { get; }", get_path_query },
	{ "string Query { get; }", get_query },
	{ "string Fragment { get; }", get_fragment },
	{ "string UserInfo { get; }", get_user },
	{ "string AbsoluteUri { get; }", get_absolute },
	{ "string OriginalString { get; }", get_original },
	{ "string[] Segments { get; }", get_segments },
	{ "bool IsAbsoluteUri { get; }", get_is_absolute },
	{ "bool IsLoopback { get; }", get_is_loopback },
	{ "bool IsBaseOf(Uri uri)", is_base_of },
	{ "string GetLeftPart(UriPartial part)", get_left_part },
	{ "string ToString()", to_string },
	{ "static bool operator ==(Uri uri1, Uri uri2)", op_equal },
	{ "static bool operator !=(Uri uri1, Uri uri2)", op_unequal },
	{ 0 }
};
static const struct class_member kinds[] = { { "RelativeOrAbsolute = 0" }, { "Absolute = 1" }, { "Relative = 2" }, { 0 } };
static const struct class_member partials[] = {
	{ "Scheme = 0" }, { "Authority = 1" }, { "Path = 2" }, { "Query = 3" }, { 0 }
};

/* ---- UriBuilder ------------------------------------------------------------------------------------------------------------------ */

struct builder {
	struct object head;
	struct str scheme, host, path, query, fragment, user, password;
	int64_t port;                /* -1: the scheme's own */
};

static struct builder *builder_of(const struct vm_call *c)
{
	return SELF(c, struct builder);
}

static bool new_builder(struct vm_call *c)
{
	struct builder *b = vm_new(c, &class_uri_builder, sizeof(*b));
	const struct uri *u = c->n ? arg_object(c, 0) : NULL;
	struct value v = VALUE_NULL_INIT;

	if (!b)
		return false;
	*b = (struct builder){ b->head, STR("http"), STR("localhost"), STR("/"), STR(""), STR(""), STR(""), STR(""), -1 };
	if (c->n && c->args[0].kind == VALUE_STRING) {
		v = uri_value(c->arena, arg_str(c, 0));
		if (v.kind == VALUE_NULL)
			v = uri_value(c->arena, arena_printf(c->arena, "http://%.*s", STR_ARG(arg_str(c, 0))));
		if (v.kind == VALUE_NULL)
			return vm_throw(c, EX_UNPARSABLE_URI, NO_FORMAT);
		u = (const struct uri *)(void *)v.object;
	}
	if (u) {
		size_t colon = str_find_char(u->user, ':');

		b->scheme = u->scheme;
		b->host = u->host;
		b->path = u->path;
		b->query = u->query;
		b->fragment = u->fragment;
		b->user = colon == SIZE_MAX ? u->user : str_first(u->user, colon);
		b->password = colon == SIZE_MAX ? STR("") : str_from(u->user, colon + 1);
		b->port = u->port ? (int64_t)u->port : -1;
	}
	return vm_return(c, value_object(b));
}

static struct str builder_text(struct arena *a, struct value v)
{
	const struct builder *b = (const struct builder *)(void *)v.object;
	struct out o = out_in(a);

	out_put(&o, b->scheme);
	out_add(&o, "://", 3);
	if (b->user.n) {
		out_put(&o, b->user);
		if (b->password.n) {
			out_char(&o, ':');
			out_put(&o, b->password);
		}
		out_char(&o, '@');
	}
	out_put(&o, b->host);
	if (b->port >= 0)
		out_fmt(&o, ":%ld", b->port);
	out_put(&o, b->path);
	out_put(&o, b->query);
	out_put(&o, b->fragment);
	return out_str(&o);
}

static bool builder_to_string(struct vm_call *c)
{
	return give_new(c, builder_text(c->arena, c->self));
}

static bool builder_uri(struct vm_call *c)
{
	struct value v = uri_value(c->arena, builder_text(c->arena, c->self));

	return v.kind != VALUE_NULL ? vm_return(c, v) : vm_throw(c, EX_UNPARSABLE_URI, NO_FORMAT);
}

static struct str led_by(struct vm_call *c, char lead, struct str s)
{
	if (s.n == 0 || s.p[0] == lead)
		return s.n ? s : STR("");
	return arena_printf(c->arena, "%c%.*s", lead, STR_ARG(s));
}

#define FIELD(name, field, made)                             \
	static bool get_b_##name(struct vm_call *c)          \
	{                                                    \
		return vm_return_str(c, builder_of(c)->field); \
	}                                                    \
	static bool set_b_##name(struct vm_call *c)          \
	{                                                    \
		struct str s = arg_is_null(c, 0) ? STR("") : arg_str(c, 0); \
		builder_of(c)->field = (made);               \
		return vm_return(c, VALUE_NULL_INIT);        \
	}
FIELD(scheme, scheme, s)
FIELD(host, host, s)
FIELD(path, path, s.n ? led_by(c, '/', s) : STR("/"))
FIELD(query, query, led_by(c, '?', s))
FIELD(fragment, fragment, led_by(c, '#', s))
FIELD(user, user, s)
FIELD(password, password, s)

static bool get_b_port(struct vm_call *c)
{
	return give_int(c, builder_of(c)->port);
}

static bool set_b_port(struct vm_call *c)
{
	if (arg_int(c, 0) < -1 || arg_int(c, 0) > 65535)
		return vm_throw_range(c, "value", NULL);
	builder_of(c)->port = arg_int(c, 0);
	return vm_return(c, VALUE_NULL_INIT);
}

static const struct class_member builder_members[] = {
	{ "UriBuilder()", new_builder },
	{ "UriBuilder(string uri)", new_builder },
	{ "UriBuilder(Uri uri)", new_builder },
	{ "string Scheme { get; set; }", get_b_scheme, set_b_scheme },
	{ "string Host { get; set; }", get_b_host, set_b_host },
	{ "int Port { get; set; }", get_b_port, set_b_port },
	{ "string Path { get; set; }", get_b_path, set_b_path },
	{ "string Query { get; set; }", get_b_query, set_b_query },
	{ "string Fragment { get; set; }", get_b_fragment, set_b_fragment },
	{ "string UserName { get; set; }", get_b_user, set_b_user },
	{ "string Password { get; set; }", get_b_password, set_b_password },
	{ "Uri Uri { get; }", builder_uri },
	{ "string ToString()", builder_to_string },
	{ 0 }
};

struct value_class class_uri = {
	.name = "System.Uri", .members = members, .equals = same, .hash = hash, .to_text = to_text
};
static struct value_class class_uri_kind = { .name = "System.UriKind", .kind = CLASS_ENUM, .members = kinds };
static struct value_class class_uri_partial = { .name = "System.UriPartial", .kind = CLASS_ENUM, .members = partials };
static struct value_class class_uri_builder = {
	.name = "System.UriBuilder", .members = builder_members, .to_text = builder_text
};
static struct value_class *const classes[] = { &class_uri, &class_uri_kind, &class_uri_partial, &class_uri_builder, NULL };

const struct class_module net_uri = { .classes = classes };
