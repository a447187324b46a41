/* liquid_context.c - what a Liquid template of set-body sees: `body` and `context`, looked up only when asked for.
 *
 *   body                     the message's body: JSON, or XML as JSON ("@attribute", "#text"), or text
 *   context.Request          Method, OriginalMethod, Url, OriginalUrl, IpAddress, MatchedParameters, HasBody, Headers
 *   context.Response         StatusCode, Method, Headers
 *   context.Variables        by name
 *   …Url                     Scheme, Host, Port, Path, Query, QueryString, ToUri, ToString */
#include "policy/elements/body_text.h"
#include "policy/elements/liquid_date.h"
#include "policy/elements/set_body.h"
#include "policy/elements/url.h"

#include "core/json.h"
#include "core/liquid.h"
#include "core/str.h"
#include "policy/expr/class.h"
#include "policy/xml_json.h"

enum { RENDERED_MAX = 8 * 1024 * 1024 };

struct view {                        /* what a class's self points to */
	struct exchange *x;
	const struct url *url;
	const struct fields *fields;
};

static bool give_text(struct liquid_value *out, struct str s)
{
	*out = liquid_of_text(s.p ? s : STR(""));
	return true;
}

static bool give_view(struct exchange *x, const struct liquid_class *cls, const struct url *u, const struct fields *f,
		      struct liquid_value *out)
{
	struct view *v = arena_new_of(x->arena, struct view);

	if (!v)
		return false;
	*v = (struct view){ x, u, f };
	*out = liquid_of_object(cls, v);
	return true;
}

/* ---- headers, matched parameters, query -------------------------------------------------------------------------- */

static bool field_get(void *self, struct str name, struct arena *a, struct liquid_value *out)
{
	struct str value = fields_joined(((const struct view *)self)->fields, name);

	(void)a;
	return !str_is_null(value) && give_text(out, value);
}

static const struct liquid_class fields_class = { .name = "headers", .get = field_get };

static bool query_get(void *self, struct str name, struct arena *a, struct liquid_value *out)
{
	struct str rest = ((const struct view *)self)->url->query, n, v;

	while (rest.n && query_next(&rest, &n, &v))
		if (str_eq_ci(url_decode(a, n, true), name))
			return give_text(out, url_decode(a, v, true));
	return false;
}

static const struct liquid_class query_class = { .name = "query", .get = query_get };

/* ---- addresses --------------------------------------------------------------------------------------------------- */

static struct str url_as_text(void *self, struct arena *a)
{
	return url_text(a, ((const struct view *)self)->url);
}

static bool url_get(void *self, struct str name, struct arena *a, struct liquid_value *out)
{
	const struct view *v = self;
	const struct url *u = v->url;

	if (str_eq_ci(name, STR("Scheme")))
		return give_text(out, u->scheme);
	if (str_eq_ci(name, STR("Host")))
		return give_text(out, u->host);
	if (str_eq_ci(name, STR("Path")))
		return give_text(out, u->path);
	if (str_eq_ci(name, STR("QueryString")))
		return give_text(out, u->query.n ? arena_printf(a, "?%.*s", STR_ARG(u->query)) : STR(""));
	if (str_eq_ci(name, STR("ToString")) || str_eq_ci(name, STR("ToUri")))
		return give_text(out, url_text(a, u));
	if (str_eq_ci(name, STR("Query")))
		return give_view(v->x, &query_class, u, NULL, out);
	if (!str_eq_ci(name, STR("Port")))
		return false;
	*out = liquid_of_int(url_port(u));
	return true;
}

static const struct liquid_class url_class = { .name = "url", .get = url_get, .text = url_as_text };

/* ---- values ------------------------------------------------------------------------------------------------------ */

static bool give_json(struct exchange *x, struct str text, bool dates, struct liquid_value *out, struct gh_err *err)
{
	json_t *json;

	if (jsn_parse_in(x->arena, text, &(struct jsn_limits){ .flags = JSN_ANY | JSN_BIG_INTEGERS }, &json, NULL, err)
		    .code)
		return false;
	*out = dates ? liquid_json_with_dates(x->arena, json) : liquid_of_json(json);
	return true;
}

static bool give_value(struct exchange *x, struct value v, struct liquid_value *out)
{
	const struct value_class *cls;
	struct gh_err err;

	switch (v.kind) {
	case VALUE_NULL:
		*out = LIQUID_NIL_VALUE;
		return true;
	case VALUE_BOOL:
		*out = liquid_of_bool(v.b);
		return true;
	case VALUE_SBYTE:
	case VALUE_SHORT:
	case VALUE_INT:
	case VALUE_LONG:
		*out = liquid_of_int(v.i);
		return true;
	case VALUE_FLOAT:
	case VALUE_DOUBLE:
		*out = liquid_of_float(v.d);
		return true;
	case VALUE_OBJECT:
		cls = value_class_of(v);
		if (cls && str_starts(str_of(cls->name), STR("Newtonsoft.")))
			return give_json(x, value_to_text(x->arena, v), false, out, &err);
		if (liquid_date_of(x->arena, v, out))
			return true;
		return give_text(out, value_to_text(x->arena, v));
	default:
		return give_text(out, value_to_text(x->arena, v));
	}
}

static bool variables_get(void *self, struct str name, struct arena *a, struct liquid_value *out)
{
	struct exchange *x = ((const struct view *)self)->x;
	const struct value *v = exchange_variable(x, name);

	(void)a;
	return v && give_value(x, *v, out);
}

static const struct liquid_class variables_class = { .name = "variables", .get = variables_get };

/* ---- context ----------------------------------------------------------------------------------------------------- */

static bool request_get(void *self, struct str name, struct arena *a, struct liquid_value *out)
{
	struct exchange *x = ((const struct view *)self)->x;

	(void)a;
	if (str_eq_ci(name, STR("Method")) || str_eq_ci(name, STR("OriginalMethod")))
		return give_text(out, x->request.method);
	if (str_eq_ci(name, STR("IpAddress")))
		return give_text(out, x->request.ip);
	if (str_eq_ci(name, STR("Url")))
		return give_view(x, &url_class, &x->request.url, NULL, out);
	if (str_eq_ci(name, STR("OriginalUrl")))
		return give_view(x, &url_class, &x->request.original_url, NULL, out);
	if (str_eq_ci(name, STR("Headers")))
		return give_view(x, &fields_class, NULL, &x->request.headers, out);
	if (str_eq_ci(name, STR("MatchedParameters")))
		return give_view(x, &fields_class, NULL, &x->matched, out);
	if (str_eq_ci(name, STR("ClientCertificates")))
		return give_text(out, x->request.client_cert_pem);
	if (!str_eq_ci(name, STR("HasBody")))
		return false;
	*out = liquid_of_bool(x->request.body.kind != BODY_NONE);
	return true;
}

static const struct liquid_class request_class = { .name = "request", .get = request_get };

static bool response_get(void *self, struct str name, struct arena *a, struct liquid_value *out)
{
	struct exchange *x = ((const struct view *)self)->x;

	(void)a;
	if (str_eq_ci(name, STR("Method")))
		return give_text(out, x->request.method);
	if (str_eq_ci(name, STR("StatusReason")))
		return give_text(out, x->response.reason);
	if (str_eq_ci(name, STR("Headers")))
		return give_view(x, &fields_class, NULL, &x->response.headers, out);
	if (!str_eq_ci(name, STR("StatusCode")))
		return false;
	*out = liquid_of_int(x->response.status);
	return true;
}

static const struct liquid_class response_class = { .name = "response", .get = response_get };

static bool error_get(void *self, struct str name, struct arena *a, struct liquid_value *out)
{
	const struct last_error *e = &((const struct view *)self)->x->error;
	const struct {
		struct str name, value;
	} members[] = {
		{ STR_INIT("Source"), e->source },      { STR_INIT("Reason"), e->reason },
		{ STR_INIT("Message"), e->message },    { STR_INIT("Scope"), e->scope },
		{ STR_INIT("Section"), e->section },    { STR_INIT("Path"), e->path },
		{ STR_INIT("PolicyId"), e->policy_id },
	};

	(void)a;
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (str_eq_ci(members[i].name, name))
			return give_text(out, members[i].value);
	return false;
}

static const struct liquid_class error_class = { .name = "error", .get = error_get };

static bool context_get(void *self, struct str name, struct arena *a, struct liquid_value *out)
{
	struct exchange *x = ((const struct view *)self)->x;

	(void)a;
	if (str_eq_ci(name, STR("Request")))
		return give_view(x, &request_class, NULL, NULL, out);
	if (str_eq_ci(name, STR("Response")))
		return x->response.status && give_view(x, &response_class, NULL, NULL, out);
	if (str_eq_ci(name, STR("Variables")))
		return give_view(x, &variables_class, NULL, NULL, out);
	if (str_eq_ci(name, STR("LastError")))
		return x->error.set && give_view(x, &error_class, NULL, NULL, out);
	if (str_eq_ci(name, STR("RequestId")))
		return give_text(out, x->request_id);
	return false;
}

static const struct liquid_class context_class = { .name = "context", .get = context_get };

/* ---- rendering --------------------------------------------------------------------------------------------------- */

/* JSON or XML by Content-Type; without one whatever it looks like, and text when it is neither. False after an error: it is
 * nested too deeply, or has entities. In a text that only has many brackets they mean nothing. */
static bool body_value(struct exchange *x, const struct set_body_config *c, const struct body *from, const struct fields *headers,
		       struct liquid_value *out)
{
	const struct xml_json_options as_is = { .keep_colon = true, .nil = c->xsi_nil.number ? XML_NIL_NULL : XML_NIL_BLANK };
	struct str type = content_type_of(headers), start = str_trim(from->bytes);
	struct gh_err err = { 0 };
	json_t *json;

	*out = LIQUID_NIL_VALUE;
	if (from->kind != BODY_HELD || !start.n)
		return true;
	if (is_xml_type(type) || (!type.n && *start.p == '<')) {
		if (!xml_to_json(x->arena, from->bytes, &as_is, &json, &err).code) {
			*out = liquid_of_json(json);
			return true;
		}
	}
	if (err.code != GH_E_LIMIT && !is_xml_type(type) && give_json(x, from->bytes, c->parse_date.number, out, &err))
		return true;
	if (err.code == GH_E_LIMIT && (is_json_type(type) || is_xml_type(type) || str_find_char(STR("{[<"), *start.p) != SIZE_MAX)) {
		exchange_fail(x, 500, STR("LiquidTemplateFailure"), "The body cannot be read: %s", err.message);
		return false;
	}
	*out = liquid_of_text(from->bytes);
	return true;
}

bool render_liquid(struct exchange *x, const struct set_body_config *c, const struct body *from,
		   const struct fields *headers, struct str *out)
{
	struct liquid_record *globals = liquid_record_new(x->arena);
	struct liquid_env env = { .globals = liquid_of_record(globals),
				  .now_us = x->host->now_us ? x->host->now_us(x) : 0, .date = liquid_format_date, .date_ctx = x };
	struct liquid_value context, body;
	struct gh_err err;
	struct buf b;
	gh_rc rc;

	*out = STR_NULL;
	if (!give_view(x, &context_class, NULL, NULL, &context)) {
		exchange_no_memory(x);
		return false;
	}
	liquid_set(globals, "context", context);
	if (!body_value(x, c, from, headers, &body))
		return false;
	liquid_set(globals, "body", body);
	buf_init(&b, RENDERED_MAX);
	rc = liquid_render(c->liquid, &env, x->arena, &b, &err);
	if (!rc.code)
		*out = arena_dup(x->arena, buf_view(&b));
	buf_release(&b);
	if (rc.code)
		exchange_fail(x, 500, STR("LiquidTemplateFailure"), "The Liquid template failed: %s", err.message);
	else if (str_is_null(*out))
		exchange_no_memory(x);
	return !str_is_null(*out);
}
