/* context_message.c - request, response, their addresses and bodies. */
#include <stdio.h>

#include "core/str.h"
#include "policy/expr/collection.h"
#include "policy/expr/context.h"
#include "policy/expr/text.h"
#include "policy/net/make.h"

/* ---- percent-encoded names and values ------------------------------------------------------------------------------------- */

static int hex(char ch)
{
	if (ascii_is_digit(ch))
		return ch - '0';
	ch = ascii_lower(ch);
	return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

static struct str decoded(struct arena *a, struct str s)
{
	char *to = arena_alloc_text(a, s.n + 1);
	size_t n = 0;

	if (!to)
		return STR_NULL;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
			to[n++] = (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]));
			i += 2;
		} else {
			to[n++] = s.p[i] == '+' ? ' ' : s.p[i];
		}
	}
	return (struct str){ to, n };
}

/* name=value&…: a dictionary of all values of each name. */
static bool pairs(struct vm_call *c, struct str text, const struct type *values, struct value *out)
{
	struct value dictionary = vm_dictionary_new(c, &type_string, values, true), name, list;
	struct str rest = text, part;

	while (dictionary.kind != VALUE_NULL && text.n && str_split(&rest, '&', &part)) {
		size_t eq = str_find_char(part, '=');
		struct str key = decoded(c->arena, eq == SIZE_MAX ? part : str_first(part, eq));
		struct str v = eq == SIZE_MAX ? STR("") : decoded(c->arena, str_from(part, eq + 1));
		struct entry *e;

		if (!part.n)
			continue;
		if (!key.p || !v.p || !vm_text(c->vm, key, &name))
			return vm_failed(c->vm) ? false : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
		e = dictionary_find(dictionary_of(dictionary), name);
		list = e ? e->value : vm_list_new(c, &type_string);
		if (list.kind == VALUE_NULL || (!e && !vm_dictionary_put(c, dictionary, name, list)) || !vm_text(c->vm, v, &name) ||
		    !vm_list_add(c, list, name))
			return false;
	}
	*out = dictionary;
	return dictionary.kind != VALUE_NULL;
}

static bool lists_to_arrays(struct vm_call *c, struct value dictionary)
{
	struct dictionary *d = dictionary_of(dictionary);

	for (size_t i = 0; i < d->used; i++) {
		const struct list *l = list_of(d->entries[i].value);
		struct array *a = vm_array_of(c, &type_string, l->n);

		if (!a)
			return false;
		for (size_t k = 0; k < l->n; k++)
			a->v[k] = l->v[k];
		d->entries[i].value = value_object(a);
	}
	return true;
}

/* ---- IUrl ----------------------------------------------------------------------------------------------------------------- */

static const struct url *iurl_of(struct vm_call *c)
{
	return context_self(c);
}

static unsigned port_of(const struct url *u)
{
	return u->port ? u->port : str_eq_ci(u->scheme, STR("https")) ? 443 : 80;
}

static struct str iurl_text(struct arena *a, const struct url *u)
{
	bool own_port = u->port && u->port != (str_eq_ci(u->scheme, STR("https")) ? 443u : 80u);
	char port[16] = "";

	if (own_port)
		snprintf(port, sizeof(port), ":%u", u->port);
	return arena_join(a, (struct str[]){ u->scheme, STR("://"), u->host, str_of(port), u->path,
					    u->query.n ? STR("?") : STR(""), u->query }, 7);
}

static bool iurl_scheme(struct vm_call *c)
{
	return context_text(c, iurl_of(c)->scheme);
}

static bool iurl_host(struct vm_call *c)
{
	return context_text(c, iurl_of(c)->host);
}

static bool iurl_port(struct vm_call *c)
{
	return vm_return(c, value_int(port_of(iurl_of(c))));
}

static bool iurl_path(struct vm_call *c)
{
	return context_text(c, iurl_of(c)->path);
}

static bool iurl_query_string(struct vm_call *c)
{
	struct str q = iurl_of(c)->query;

	return q.n ? vm_return_str(c, arena_join(c->arena, (struct str[]){ STR("?"), q }, 2)) : context_text(c, STR(""));
}

static bool iurl_query(struct vm_call *c)
{
	return pairs(c, iurl_of(c)->query, type_named("string[]"), &c->result) && lists_to_arrays(c, c->result);
}

static bool iurl_to_string(struct vm_call *c)
{
	return vm_return_str(c, iurl_text(c->arena, iurl_of(c)));
}

static bool iurl_to_uri(struct vm_call *c)
{
	return vm_return(c, uri_value(c->arena, iurl_text(c->arena, iurl_of(c))));
}

static struct str iurl_value_text(struct arena *a, struct value v)
{
	return iurl_text(a, ((const struct wrapper *)(const void *)v.object)->p);
}

static const struct class_member iurl_members[] = {
	{ "string Scheme { get; }", iurl_scheme },
	{ "string Host { get; }", iurl_host },
	{ "int Port { get; }", iurl_port },
	{ "string Path { get; }", iurl_path },
	{ "string QueryString { get; }", iurl_query_string },
	{ "IReadOnlyDictionary<string, string[]> Query { get; }", iurl_query },
	{ "string ToString()", iurl_to_string },
	{ "Uri ToUri()", iurl_to_uri },
	{ 0 }
};
struct value_class class_url = { .name = "IUrl", .members = iurl_members, .to_text = iurl_value_text };

/* ---- bodies --------------------------------------------------------------------------------------------------------------- */

static struct body *body_of(struct vm_call *c)
{
	return (struct body *)(uintptr_t)context_self(c);
}

/* The bytes, marked as read. */
static bool take(struct vm_call *c, bool preserve, struct str *out)
{
	struct body *b = body_of(c);

	if (b->kind == BODY_STREAM)
		return vm_throw(c, EX_INVALID_OPERATION, "The body of the message is not available to expressions here.");
	*out = b->consumed || b->kind == BODY_NONE || !b->bytes.p ? STR("") : b->bytes;
	if (!preserve)
		b->consumed = true;
	return vm_charge(c->vm, out->n / 64);
}

static struct str without_mark(struct str s)
{
	return str_starts(s, STR("\xEF\xBB\xBF")) ? str_from(s, 3) : s;
}

static bool as_json(struct vm_call *c, struct str text)
{
	struct gh_err err;

	if (!str_trim(text).n)
		return vm_return(c, VALUE_NULL_INIT);
	if (json_value(c->arena, text, &c->result, &err).code)
		return vm_throw(c, EX_JSON_READER, "%s", err.message);
	return vm_cast(c->vm, c->result, c->type, &c->result);
}

static bool as_xml(struct vm_call *c, struct str text, bool document)
{
	struct gh_err err;
	gh_rc rc = document ? xml_document_value(c->arena, text, &c->result, &err)
			    : xml_element_value(c->arena, text, &c->result, &err);

	return rc.code ? vm_throw(c, EX_XML, "%s", err.message) : true;
}

static bool body_as(struct vm_call *c)
{
	const struct value_class *cls = type_class(c->type);
	struct str bytes, name = str_from(str_of(cls->name), str_rfind_char(str_of(cls->name), '.') + 1);

	if (!take(c, c->n && c->args[0].b, &bytes))
		return false;
	if (cls == &class_string)
		return vm_return_str(c, without_mark(bytes));
	if (cls == &class_array && type_is(type_arg(c->type, 0), &class_byte)) {
		c->result = vm_bytes(c, bytes);
		return c->result.kind != VALUE_NULL;
	}
	if (str_eq(name, STR("JObject")) || str_eq(name, STR("JToken")) || str_eq(name, STR("JArray")))
		return as_json(c, without_mark(bytes));
	if (str_eq(name, STR("XElement")) || str_eq(name, STR("XNode")) || str_eq(name, STR("XDocument")))
		return as_xml(c, without_mark(bytes), str_eq(name, STR("XDocument")));
	return vm_throw(c, EX_NOT_SUPPORTED, "A body can be read as string, byte[], JObject, JToken, JArray, XNode, XElement or "
			"XDocument, not as %s.", cls->name);
}

static bool body_form(struct vm_call *c)
{
	struct str bytes;

	return take(c, c->args[0].b, &bytes) && pairs(c, without_mark(bytes), type_named("IList<string>"), &c->result);
}

static const struct class_member body_members[] = {
	{ "T As<T>(bool preserveContent = false)", body_as },
	{ "IDictionary<string, IList<string>> AsFormUrlEncodedContent(bool preserveContent = false)", body_form },
	{ 0 }
};
struct value_class class_body = { .name = "IMessageBody", .members = body_members };

/* ---- IRequest ------------------------------------------------------------------------------------------------------------- */

static const struct request *request_of(struct vm_call *c)
{
	return context_self(c);
}

static bool request_body(struct vm_call *c)
{
	const struct body *b = &request_of(c)->body;

	return context_give(c, &class_body, b->kind == BODY_NONE ? NULL : b);
}

static bool request_certificate(struct vm_call *c)
{
	struct gh_err err;

	if (!request_of(c)->client_cert_pem.n)
		return vm_return(c, VALUE_NULL_INIT);
	if (certificate_value(c->arena, request_of(c)->client_cert_pem, &c->result, &err).code)
		return vm_throw(c, EX_CRYPTOGRAPHIC, "%s", err.message);
	return true;
}

static bool request_headers(struct vm_call *c)
{
	return context_give_part(c, PART_REQUEST_HEADERS, &class_headers, &request_of(c)->headers);
}

static bool request_ip(struct vm_call *c)
{
	return context_text(c, request_of(c)->ip);
}

static bool request_matched(struct vm_call *c)
{
	struct value d = vm_dictionary_new(c, &type_string, &type_string, true), name, v;
	const struct fields *f = c->x ? &c->x->matched : NULL;

	for (size_t i = 0; d.kind != VALUE_NULL && f && i < f->n; i++)
		if (!vm_text(c->vm, f->v[i].name, &name) || !vm_text(c->vm, f->v[i].value.p ? f->v[i].value : STR(""), &v) ||
		    !vm_dictionary_put(c, d, name, v))
			return false;
	return d.kind != VALUE_NULL && vm_return(c, d);
}

static bool request_method(struct vm_call *c)
{
	return context_text(c, request_of(c)->method);
}

static bool request_original_url(struct vm_call *c)
{
	return context_give_part(c, PART_ORIGINAL_URL, &class_url, &request_of(c)->original_url);
}

static bool request_url(struct vm_call *c)
{
	return context_give_part(c, PART_URL, &class_url, &request_of(c)->url);
}

static bool nothing(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

static const struct class_member request_members[] = {
	{ "IMessageBody Body { get; }", request_body },
	{ "X509Certificate2 Certificate { get; }", request_certificate },
	{ "IFoundry Foundry { get; }", nothing },
	{ "Headers Headers { get; }", request_headers },
	{ "string IpAddress { get; }", request_ip },
	{ "IReadOnlyDictionary<string, string> MatchedParameters { get; }", request_matched },
	{ "string Method { get; }", request_method },
	{ "IUrl OriginalUrl { get; }", request_original_url },
	{ "IUrl Url { get; }", request_url },
	{ "IPrivateEndpointConnection PrivateEndpointConnection { get; }", nothing },
	{ 0 }
};
struct value_class class_request = { .name = "IRequest", .members = request_members };

/* ---- IResponse ------------------------------------------------------------------------------------------------------------ */

static const struct response *response_of(struct vm_call *c)
{
	return context_self(c);
}

static bool response_body(struct vm_call *c)
{
	const struct body *b = &response_of(c)->body;

	return context_give(c, &class_body, b->kind == BODY_NONE ? NULL : b);
}

static bool response_headers(struct vm_call *c)
{
	return context_give_part(c, PART_RESPONSE_HEADERS, &class_headers, &response_of(c)->headers);
}

static bool response_status(struct vm_call *c)
{
	return vm_return(c, value_int(response_of(c)->status));
}

static bool response_reason(struct vm_call *c)
{
	return context_text(c, response_of(c)->reason);
}

static const struct class_member response_members[] = {
	{ "IMessageBody Body { get; }", response_body },
	{ "Headers Headers { get; }", response_headers },
	{ "int StatusCode { get; }", response_status },
	{ "string StatusReason { get; }", response_reason },
	{ 0 }
};
struct value_class class_response = { .name = "IResponse", .members = response_members };

struct value context_response(struct arena *a, struct response *r)
{
	struct wrapper *w = arena_new_of(a, struct wrapper);

	if (!w)
		return VALUE_NULL_INIT;
	w->head.cls = &class_response;
	w->p = r;
	return value_object(w);
}

struct response *context_response_of(struct exchange *x, struct value v)
{
	(void)x;
	if (v.kind != VALUE_OBJECT || v.object->cls != &class_response)
		return NULL;
	return (struct response *)(uintptr_t)((const struct wrapper *)(const void *)v.object)->p;
}
