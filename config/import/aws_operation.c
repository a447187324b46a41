/* aws_operation.c - integrations, authorizers, API keys, validators of one operation. */
#include "config/import/aws_operation.h"

#include "config/import/policy_text.h"
#include "core/str.h"

#define X "x-amazon-apigateway-"

struct making {
	struct aws *aws;
	struct str place, what;          /* what: "operation orders/get" for the report */
	struct buf inbound, backend, outbound;
};

/* ---- who may call ---------------------------------------------------------------------------------------------------------------- */

static json_t *scheme_of(const struct aws *x, const char *name)
{
	json_t *v = jsn_get(jsn_obj(jsn_obj(x->doc, "components"), "securitySchemes"), name);

	return v ? v : jsn_get(jsn_obj(x->doc, "securityDefinitions"), name);
}

static void closed(struct making *m, const char *why)
{
	policy_closed(&m->inbound, why);
	import_not_possible(m->aws->bundle->report, m->what, "%s; calls are answered 501 until its policy is mended", why);
}

/* arn:aws:cognito-idp:eu-west-1:123:userpool/eu-west-1_abc */
static struct str cognito_issuer(struct arena *a, struct str arn)
{
	struct str rest = arn, part = STR_NULL, region = STR_NULL;
	size_t slash = str_rfind_char(arn, '/');

	for (int i = 0; i < 4 && str_split(&rest, ':', &part); i++)
		region = part;
	if (slash == SIZE_MAX || !region.n)
		return STR_NULL;
	return arena_printf(a, "https://cognito-idp.%.*s.amazonaws.com/%.*s", STR_ARG(region), STR_ARG(str_from(arn, slash + 1)));
}

/* Where the token is looked for besides Authorization has a row of its own, once for each authorizer. */
static void tell_authorizer(struct making *m, const char *name, const json_t *scheme)
{
	static const struct import_field known[] = {
		{ "type", NULL, NULL }, { "providerARNs", NULL, NULL }, { "jwtConfiguration", NULL, NULL }, { "authorizerUri", NULL, NULL },
		{ "authorizerCredentials", NULL, NULL }, { "authorizerPayloadFormatVersion", NULL, NULL }, { "enableSimpleResponses", NULL, NULL },
		{ "authorizerResultTtlInSeconds", NULL, NULL }, { "identityValidationExpression", NULL, NULL },
		{ "identitySource", "the token is looked for in the header of the scheme, else in Authorization", "\"$request.header.Authorization\"" },
		{ NULL, NULL, NULL },
	};
	const json_t *auth = jsn_obj(scheme, X "authorizer");

	if (jsn_get(m->aws->told, name))
		return;
	json_object_set_new(m->aws->told, name, json_true());
	import_fields(m->aws->bundle->report, auth, arena_printf(m->aws->bundle->arena, "authorizer %s", name), known);
	if (str_eq(jsn_str(auth, "type"), STR("cognito_user_pools")) && json_array_size(jsn_arr(auth, "providerARNs")) > 1)
		import_not_possible(m->aws->bundle->report, arena_printf(m->aws->bundle->arena, "authorizer %s", name),
				    "its other user pools: add an <openid-config> for each to validate-jwt");
}

static void authorizer(struct making *m, const char *name, const json_t *scheme, const json_t *scopes)
{
	const json_t *auth = jsn_obj(scheme, X "authorizer"), *conf = jsn_obj(auth, "jwtConfiguration"), *list = jsn_arr(conf, "audience");
	struct policy_jwt jwt = { .scopes = scopes };
	struct str type = jsn_str(auth, "type");

	if (str_eq(type, STR("jwt"))) {
		jwt.issuer = jsn_str(conf, "issuer");
		for (; jwt.n < json_array_size(list) && jwt.n < ARRAY_LEN(jwt.audiences); jwt.n++)
			jwt.audiences[jwt.n] = jsn_string(json_array_get(list, jwt.n));
	} else if (str_eq(type, STR("cognito_user_pools"))) {
		jwt.issuer = cognito_issuer(m->aws->bundle->arena, jsn_string(json_array_get(jsn_arr(auth, "providerARNs"), 0)));
		jwt.header = jsn_str(scheme, "name");
	}
	if (jwt.issuer.n) {
		policy_jwt(&m->inbound, &jwt);
		tell_authorizer(m, name, scheme);
		import_taken(m->aws->bundle->report, "authorizer of an operation", 1);
	} else {
		closed(m, arena_printf(m->aws->bundle->arena, "the authorizer %s is a Lambda function or a signature of AWS", name).p);
	}
}

static void security(struct making *m, const json_t *op)
{
	const json_t *list = jsn_get(op, "security") ? jsn_get(op, "security") : jsn_get(m->aws->doc, "security"), *needs;
	struct str type = jsn_str(jsn_obj(op, X "auth"), "type");
	bool key = false, authorized = false;
	const char *name;
	json_t *ignored, *scopes;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, ignored) {
		needs = json_array_get(list, i);
		json_object_foreach((json_t *)(uintptr_t)needs, name, scopes) {
			const json_t *scheme = scheme_of(m->aws, name);

			if (jsn_obj(scheme, X "authorizer") || jsn_get(scheme, X "authtype")) {
				authorizer(m, name, scheme, scopes);
				authorized = true;
			} else if (str_eq(jsn_str(scheme, "type"), STR("apiKey"))) {
				key = true;
			} else {
				closed(m, arena_printf(m->aws->bundle->arena, "the security scheme %s has no authorizer", name).p);
			}
		}
	}
	if (type.n && !str_eq_ci(type, STR("NONE")) && !authorized)      /* a signature may be asked for here alone */
		closed(m, arena_printf(m->aws->bundle->arena, "its authorization is %.*s", STR_ARG(type)).p);
	if (key)
		m->aws->needs_key = true;
	else
		m->aws->needs_none++;
}

/* ---- where it goes -------------------------------------------------------------------------------------------------------------------- */

/* "https://erp.example.com" and "/v1/orders/{id}" of an integration's address; false: it is none of a known host. */
static bool split_uri(struct str uri, struct str *base, struct str *path)
{
	size_t at = str_find(uri, STR("://")), slash;

	if (at == SIZE_MAX || !(str_starts(uri, STR("http://")) || str_starts(uri, STR("https://"))))
		return false;
	slash = str_find_char(str_from(uri, at + 3), '/');
	*base = slash == SIZE_MAX ? uri : str_first(uri, at + 3 + slash);
	*path = slash == SIZE_MAX ? STR("/") : str_from(uri, at + 3 + slash);
	return str_find(*base, STR("${")) == SIZE_MAX && str_find_char(*base, '{') == SIZE_MAX;
}

/* 'text' in single quotes is itself, method.request.X.NAME a value of the call. */
static bool put_mapped(struct buf *b, struct str from)
{
	static const struct {
		const char *prefix, *before, *after;
	} sources[] = {
		{ "method.request.header.", "@(context.Request.Headers.GetValueOrDefault(&quot;", "&quot;, &quot;&quot;))" },
		{ "method.request.querystring.", "@(context.Request.OriginalUrl.Query.GetValueOrDefault(&quot;", "&quot;, &quot;&quot;))" },
		{ "method.request.path.", "@(context.Request.MatchedParameters.GetValueOrDefault(&quot;", "&quot;, &quot;&quot;))" },
	};

	if (from.n >= 2 && from.p[0] == '\'' && from.p[from.n - 1] == '\'') {
		policy_value(b, (struct str){ from.p + 1, from.n - 2 });
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		struct str name = str_starts(from, str_of(sources[i].prefix)) ? str_from(from, strlen(sources[i].prefix)) : STR_NULL;
		bool plain = name.n > 0;

		for (size_t k = 0; k < name.n; k++)
			plain = plain && (ascii_is_alpha(name.p[k]) || ascii_is_digit(name.p[k]) || name.p[k] == '-' || name.p[k] == '_' || name.p[k] == '.');
		if (plain) {
			buf_fmt(b, "%s%.*s%s", sources[i].before, STR_ARG(name), sources[i].after);
			return true;
		}
	}
	return false;
}

/* integration.request.header.N and .querystring.N; paths stand in the template by their names already. */
static void parameters(struct making *m, const json_t *map)
{
	const char *to;
	json_t *from;

	json_object_foreach((json_t *)(uintptr_t)map, to, from) {
		struct str header = str_starts(str_of(to), STR("integration.request.header.")) ? str_from(str_of(to), 27) : STR_NULL;
		struct str query = str_starts(str_of(to), STR("integration.request.querystring.")) ? str_from(str_of(to), 32) : STR_NULL;
		struct str source = jsn_string(from), path = arena_printf(m->aws->bundle->arena, "method.request.path.%s", to + (strlen(to) > 25 ? 25 : 0));
		struct buf value;

		if (!header.n && !query.n) {
			if (!str_starts(str_of(to), STR("integration.request.path.")) || !str_eq(source, path))
				import_not_possible(m->aws->bundle->report, m->what, "the mapping of %s", to);
			continue;
		}
		if (str_starts(source, STR("method.request.querystring.")) && query.n && str_eq(str_from(source, 27), query))
			continue;                        /* it goes through as it is */
		if (str_starts(source, STR("method.request.header.")) && header.n && str_eq(str_from(source, 22), header))
			continue;
		buf_init(&value, 8192);
		if (put_mapped(&value, source))
			buf_fmt(&m->inbound, "    <%s name=\"%.*s\" exists-action=\"override\">\n      <value>%.*s</value>\n    </%s>\n",
				header.n ? "set-header" : "set-query-parameter", STR_ARG(header.n ? header : query), STR_ARG(buf_view(&value)),
				header.n ? "set-header" : "set-query-parameter");
		else
			import_not_possible(m->aws->bundle->report, m->what, "the mapping of %s from %.*s", to, STR_ARG(source));
		buf_release(&value);
	}
}

static void http(struct making *m, const json_t *in, bool proxy)
{
	struct str uri = jsn_str(in, "uri"), base, path, method = jsn_str(in, "httpMethod");
	int64_t timeout = jsn_int(in, "timeoutInMillis", 0);
	size_t plus;

	if (str_eq(jsn_str(in, "connectionType"), STR("VPC_LINK")))
		import_approximated(m->aws->bundle->report, m->what, "its VPC link: the address must be reachable from here");
	if (!split_uri(uri, &base, &path)) {
		closed(m, arena_printf(m->aws->bundle->arena, "its address %.*s is no plain one", STR_ARG(uri)).p);
		return;
	}
	if (!m->aws->backend.n)
		m->aws->backend = base;
	if (!str_eq(base, m->aws->backend)) {
		buf_cstr(&m->inbound, "    <set-backend-service base-url=\"");
		policy_value(&m->inbound, base);
		buf_cstr(&m->inbound, "\" />\n");
	}
	plus = str_find(path, STR("+}"));
	if (plus != SIZE_MAX)
		path = arena_printf(m->aws->bundle->arena, "%.*s%.*s", STR_ARG(str_first(path, plus)), STR_ARG(str_from(path, plus + 1)));
	buf_cstr(&m->inbound, "    <rewrite-uri template=\"");
	policy_value(&m->inbound, path);
	buf_fmt(&m->inbound, "\" copy-unmatched-params=\"%s\" />\n", proxy ? "true" : "false");
	if (method.n && !str_eq_ci(method, str_of(m->aws->method)) && !str_eq_ci(method, STR("ANY")) && m->aws->method[0]) {
		buf_cstr(&m->inbound, "    <set-method>");
		policy_value(&m->inbound, method);
		buf_cstr(&m->inbound, "</set-method>\n");
	}
	parameters(m, jsn_obj(in, "requestParameters"));
	if (timeout > 0)
		buf_fmt(&m->backend, "    <forward-request timeout=\"%lld\" />\n", (long long)((timeout + 999) / 1000));
	if (!proxy && json_object_size(jsn_obj(in, "requestTemplates")))
		import_not_possible(m->aws->bundle->report, m->what, "its mapping templates of requests (VTL); write them with set-body");
}

/* The first answer of a mock: its status, fixed headers and body. */
static void mock(struct making *m, const json_t *in)
{
	const json_t *responses = jsn_obj(in, "responses"), *answer = jsn_get(responses, "default");
	const char *name, *header;
	json_t *v, *value;
	struct str status, body = STR_NULL;

	json_object_foreach((json_t *)(uintptr_t)responses, name, v)
		answer = answer ? answer : v;
	status = jsn_str(answer, "statusCode");
	json_object_foreach(jsn_obj(answer, "responseTemplates"), name, v)
		body = body.p ? body : jsn_string(v);
	buf_cstr(&m->inbound, "    <return-response>\n      <set-status code=\"");
	policy_value(&m->inbound, status.n ? status : STR("200"));
	buf_cstr(&m->inbound, "\" />\n");
	json_object_foreach(jsn_obj(answer, "responseParameters"), header, value) {
		struct str fixed = jsn_string(value), field = str_of(header);

		if (!str_starts(field, STR("method.response.header.")) || fixed.n < 2 || fixed.p[0] != '\'')
			continue;
		policy_set_header(&m->inbound, str_from(field, 23), "override", (struct str){ fixed.p + 1, fixed.n - 2 });
	}
	if (body.n && str_find_char(body, '$') == SIZE_MAX && str_find_char(body, '#') == SIZE_MAX) {
		buf_cstr(&m->inbound, "      <set-body>");
		policy_value(&m->inbound, body);
		buf_cstr(&m->inbound, "</set-body>\n");
	} else if (body.n) {
		import_not_possible(m->aws->bundle->report, m->what, "the template of its fixed answer (VTL); the answer is empty");
	}
	buf_cstr(&m->inbound, "    </return-response>\n");
	import_taken(m->aws->bundle->report, "fixed answer", 1);
}

static void validator(struct making *m, const json_t *op)
{
	struct str name = jsn_str(op, X "request-validator");
	const json_t *v;

	if (!name.n)
		name = jsn_str(m->aws->doc, X "request-validator");
	v = jsn_get_n(jsn_obj(m->aws->doc, X "request-validators"), name);
	if (jsn_bool(v, "validateRequestParameters", false))
		buf_cstr(&m->inbound, "    <validate-parameters specified-parameter-action=\"prevent\" unspecified-parameter-action=\"ignore\" />\n");
	if (jsn_bool(v, "validateRequestBody", false))
		buf_cstr(&m->inbound, "    <validate-content unspecified-content-type-action=\"ignore\" max-size=\"4194304\" size-exceeded-action=\"prevent\">\n"
			 "      <content type=\"application/json\" validate-as=\"json\" action=\"prevent\" />\n    </validate-content>\n");
	if (v)
		import_taken(m->aws->bundle->report, "validator of an operation", 1);
}

/* What of the operation and its integration is not in the policy. */
static void tell_operation(struct making *m, const json_t *op, const json_t *in)
{
	static const struct import_field of_operation[] = {
		{ X "integration", NULL, NULL }, { X "request-validator", NULL, NULL }, { X "auth", NULL, NULL }, { X "any-method", NULL, NULL }, { NULL, NULL, NULL },
	}, of_integration[] = {
		{ "type", NULL, NULL }, { "uri", NULL, NULL }, { "httpMethod", NULL, NULL }, { "timeoutInMillis", NULL, NULL }, { "connectionType", NULL, NULL },
		{ "connectionId", NULL, NULL }, { "requestParameters", NULL, NULL }, { "requestTemplates", NULL, NULL }, { "responses", NULL, NULL },
		{ "payloadFormatVersion", NULL, NULL }, { "integrationSubtype", NULL, NULL }, { "$ref", NULL, NULL }, { "responseTransferMode", NULL, NULL },
		{ "integrationTarget", NULL, NULL },
		{ "passthroughBehavior", "bodies of every type go through; check types with validate-content", "\"when_no_match\"" },
		{ "contentHandling", "bodies go through as they are, text or not", NULL },
		{ "cacheKeyParameters", "answers are kept by a cache rule: gatehouse cache set", NULL }, { "cacheNamespace", NULL, NULL },
		{ "credentials", "a role of AWS is not assumed; give the backend a credential", NULL },
		{ "tlsConfig", "TLS to the backend: gatehouse backend set --help, and name that backend in the API", NULL }, { NULL, NULL, NULL },
	};
	struct str type = jsn_str(in, "type");
	const char *name;
	json_t *extensions = json_object(), *v;

	json_object_foreach((json_t *)(uintptr_t)op, name, v)
		if (str_starts(str_of(name), STR(X)))
			json_object_set(extensions, name, v);
	import_fields(m->aws->bundle->report, extensions, m->what, of_operation);
	json_decref(extensions);
	import_fields(m->aws->bundle->report, in, m->what, of_integration);
	if (!str_eq_ci(type, STR("http")))
		return;
	json_object_foreach(jsn_obj(in, "responses"), name, v)
		if (strcmp(name, "default") != 0 || json_object_size(jsn_obj(v, "responseParameters")))
			import_not_possible(m->aws->bundle->report, m->what, "its answers go through as the backend gives them; what '%.80s' makes of them (status %.*s, "
					    "headers) is written in outbound", name, STR_ARG(jsn_str(v, "statusCode")));
}

void aws_operation(struct aws *x, struct str place, const json_t *op, const json_t *in)
{
	struct arena *a = x->bundle->arena;
	struct making m = { .aws = x, .place = place, .what = arena_printf(a, "operation %.*s", STR_ARG(place)) };
	struct str type = jsn_str(in, "type");
	const char *name;
	json_t *v;

	buf_init(&m.inbound, POLICY_TEXT_MAX);
	buf_init(&m.backend, POLICY_TEXT_MAX);
	buf_init(&m.outbound, POLICY_TEXT_MAX);
	security(&m, op);
	validator(&m, op);
	if (str_eq_ci(type, STR("http_proxy")) || str_eq_ci(type, STR("http")))
		http(&m, in, str_eq_ci(type, STR("http_proxy")));
	else if (str_eq_ci(type, STR("mock")))
		mock(&m, in);
	else
		closed(&m, in ? arena_printf(a, "its integration (%.*s) is a service of AWS", STR_ARG(type)).p : "it has no integration");
	tell_operation(&m, op, in);
	json_object_foreach(jsn_obj(in, "responses"), name, v)
		if (json_object_size(jsn_obj(v, "responseTemplates")) && !str_eq_ci(type, STR("mock"))) {
			import_not_possible(x->bundle->report, m.what, "its mapping templates of answers (VTL); write them with set-body in outbound");
			break;
		}
	bundle_policy(x->bundle, arena_printf(a, "operation:%.*s", STR_ARG(place)), arena_dup(a, buf_view(&m.inbound)).p,
		      m.backend.n ? arena_dup(a, buf_view(&m.backend)).p : NULL, NULL);
	buf_release(&m.inbound);
	buf_release(&m.backend);
	buf_release(&m.outbound);
}
