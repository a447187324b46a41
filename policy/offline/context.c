/* context.c - the context and request files to what an exchange holds. */
#include "policy/offline/internal.h"

#include "core/http_status.h"
#include "core/clock.h"
#include "core/str.h"

static struct str text_of(struct offline *o, const json_t *obj, const char *name)
{
	return arena_dup(o->arena, jsn_str(obj, name));
}

static struct str text_or(struct offline *o, const json_t *obj, const char *name, const char *otherwise)
{
	struct str s = jsn_str(obj, name);

	return str_is_null(s) ? str_of(otherwise) : arena_dup(o->arena, s);
}

static struct str optional(struct offline *o, const json_t *obj, const char *name)
{
	struct str s = jsn_str(obj, name);

	return str_is_null(s) ? STR_NULL : arena_dup(o->arena, s);
}

static GH_RC read_time(const json_t *obj, const char *name, int64_t *out, struct gh_err *err)
{
	struct str s = jsn_str(obj, name);

	if (s.n && !clock_parse_iso(s, out))
		FAIL(err, INVALID, "context: %s: `%.*s` is no time such as 2025-01-02T03:04:05Z", name, STR_ARG(s));
	return GH_RC_OK;
}

static GH_RC read_groups(struct offline *o, const json_t *from, const struct ctx_group **out, size_t *n,
			 struct gh_err *err)
{
	size_t count = json_array_size(from);
	struct ctx_group *g = arena_alloc(o->arena, count + 1, sizeof(*g));

	if (!g)
		FAIL(err, NOMEM, "context: groups");
	for (size_t i = 0; i < count; i++) {
		g[i].id = text_of(o, json_array_get(from, i), "id");
		g[i].name = text_of(o, json_array_get(from, i), "name");
	}
	*out = g;
	*n = count;
	return GH_RC_OK;
}

static GH_RC read_api(struct offline *o, const json_t *j, struct gh_err *err)
{
	struct str service = optional(o, j, "serviceUrl");

	o->has_api = j != NULL;
	o->api = (struct ctx_api){
		.id = text_of(o, j, "id"), .name = text_of(o, j, "name"), .path = text_of(o, j, "path"),
		.version = optional(o, j, "version"), .revision = text_or(o, j, "revision", "1"),
		.is_current_revision = jsn_bool(j, "isCurrentRevision", true),
		.key_header = text_or(o, j, "keyHeader", "Ocp-Apim-Subscription-Key"),
		.key_query = text_or(o, j, "keyQuery", "subscription-key"),
	};
	if (service.n && !url_parse(service, &o->api.service_url))
		FAIL(err, INVALID, "context: api.serviceUrl `%.*s` is no http or https address", STR_ARG(service));
	return GH_RC_OK;
}

static GH_RC read_product(struct offline *o, const json_t *j, struct gh_err *err)
{
	o->has_product = j != NULL;
	o->product = (struct ctx_product){
		.id = text_of(o, j, "id"), .name = text_of(o, j, "name"),
		.approval_required = jsn_bool(j, "approvalRequired", false),
		.subscription_required = jsn_bool(j, "subscriptionRequired", true),
		.published = !str_eq_ci(jsn_str(j, "state"), STR("notPublished")),
		.subscriptions_limit = jsn_int(j, "subscriptionsLimit", -1),
	};
	return read_groups(o, jsn_arr(j, "groups"), &o->product.groups, &o->product.n_groups, err);
}

static GH_RC read_subscription(struct offline *o, const json_t *j, struct gh_err *err)
{
	o->has_subscription = j != NULL;
	o->subscription = (struct ctx_subscription){
		.id = text_of(o, j, "id"), .name = text_of(o, j, "name"), .key = text_of(o, j, "key"),
		.primary_key = text_of(o, j, "primaryKey"), .secondary_key = text_of(o, j, "secondaryKey"),
		.created_us = o->now_us,
	};
	TRY(read_time(j, "createdDate", &o->subscription.created_us, err));
	TRY(read_time(j, "startDate", &o->subscription.start_us, err));
	return read_time(j, "endDate", &o->subscription.end_us, err);
}

static GH_RC read_user(struct offline *o, const json_t *j, struct gh_err *err)
{
	const json_t *ids = jsn_arr(j, "identities");
	struct ctx_identity *v = arena_alloc(o->arena, json_array_size(ids) + 1, sizeof(*v));

	if (!v)
		FAIL(err, NOMEM, "context: user");
	o->has_user = j != NULL;
	o->user = (struct ctx_user){
		.id = text_of(o, j, "id"), .email = text_of(o, j, "email"), .first_name = text_of(o, j, "firstName"),
		.last_name = text_of(o, j, "lastName"), .note = text_of(o, j, "note"), .registered_us = o->now_us,
		.identities = v, .n_identities = json_array_size(ids),
	};
	for (size_t i = 0; i < o->user.n_identities; i++) {
		v[i].id = text_of(o, json_array_get(ids, i), "id");
		v[i].provider = text_of(o, json_array_get(ids, i), "provider");
	}
	TRY(read_time(j, "registrationDate", &o->user.registered_us, err));
	return read_groups(o, jsn_arr(j, "groups"), &o->user.groups, &o->user.n_groups, err);
}

GH_RC offline_read_context(struct offline *o, struct gh_err *err)
{
	const json_t *c = o->context, *op = jsn_obj(c, "operation"), *d = jsn_obj(c, "deployment"),
		     *w = jsn_obj(c, "workspace");

	TRY(read_time(c, "now", &o->now_us, err));
	o->random_state = (uint64_t)jsn_int(c, "seed", 1);
	TRY(read_api(o, jsn_obj(c, "api"), err));
	TRY(read_product(o, jsn_obj(c, "product"), err));
	TRY(read_subscription(o, jsn_obj(c, "subscription"), err));
	TRY(read_user(o, jsn_obj(c, "user"), err));
	o->application_id = text_of(o, jsn_obj(c, "application"), "id");
	o->has_operation = op != NULL;
	o->operation = (struct ctx_operation){ .id = text_of(o, op, "id"),
					       .name = text_of(o, op, "name"),
					       .method = text_of(o, op, "method"),
					       .url_template = optional(o, op, "urlTemplate") };
	o->has_workspace = w != NULL;
	o->workspace = (struct ctx_workspace){ .id = text_of(o, w, "id"), .name = text_of(o, w, "name") };
	o->deployment = (struct ctx_deployment){
		.region = text_or(o, d, "region", "local"),
		.service_id = text_or(o, d, "serviceId", "gatehouse"),
		.service_name = text_or(o, d, "serviceName", "gatehouse"),
		.gateway_id = text_or(o, d, "gatewayId", "managed"),
		.gateway_instance_id = text_or(o, d, "gatewayInstanceId", "offline"),
	};
	o->deployment.gateway_is_managed = str_eq(o->deployment.gateway_id, STR("managed"));
	return GH_RC_OK;
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

static bool add_header(struct arena *a, struct fields *out, const char *name, const json_t *value)
{
	struct str v = jsn_string(value);

	if (str_is_null(v))
		v = jsn_text(a, value, 0);
	return fields_add(out, arena_dup(a, str_of(name)), arena_dup(a, v));
}

bool offline_read_headers(json_t *headers, struct arena *a, struct fields *out)
{
	const char *name;
	json_t *value, *one;
	size_t i;

	json_object_foreach(headers, name, value) {
		if (!json_is_array(value)) {
			if (!add_header(a, out, name, value))
				return false;
			continue;
		}
		json_array_foreach(value, i, one) {
			if (!add_header(a, out, name, one))
				return false;
		}
	}
	return true;
}

/* A string as it is; anything else as JSON text. */
static void read_body(struct arena *a, const json_t *from, struct body *out)
{
	if (!from || json_is_null(from))
		return;
	out->kind = BODY_HELD;
	out->bytes = json_is_string(from) ? arena_dup(a, jsn_string(from)) : jsn_text(a, from, 0);
}

GH_RC offline_read_response(struct arena *a, json_t *from, struct response *out, struct gh_err *err)
{
	struct str reason = jsn_str(from, "reason");

	*out = (struct response){ .status = (int)jsn_int(from, "status", 200) };
	fields_init(&out->headers, a);
	out->reason = str_is_null(reason) ? http_reason(out->status) : arena_dup(a, reason);
	out->body.kind = BODY_NONE;
	read_body(a, jsn_get(from, "body"), &out->body);
	if (!offline_read_headers(jsn_obj(from, "headers"), a, &out->headers))
		FAIL(err, NOMEM, "response headers");
	if (out->status < 100 || out->status > 999)
		FAIL(err, INVALID, "a canned response has the status %d", out->status);
	return GH_RC_OK;
}

/* The part of the path behind "/api-path" and "/version". */
static struct str operation_part(const struct offline *o, struct str path)
{
	struct str api = o->api.path, rest = path;

	while (api.n && *api.p == '/')
		api = str_from(api, 1);
	while (api.n && api.p[api.n - 1] == '/')
		api.n--;
	if (api.n && str_starts_ci(str_from(rest, 1), api) && (rest.n == api.n + 1 || rest.p[api.n + 1] == '/'))
		rest = str_from(rest, api.n + 1);
	if (o->api.version.n && rest.n > 1 && str_starts_ci(str_from(rest, 1), o->api.version)
	    && (rest.n == o->api.version.n + 1 || rest.p[o->api.version.n + 1] == '/')
	    && !str_starts_ci(str_from(o->operation.url_template, 1), o->api.version))
		rest = str_from(rest, o->api.version.n + 1);
	return rest;
}

static bool backend_address(struct offline *o, struct exchange *x)
{
	const struct url *s = &o->api.service_url;
	struct str base = s->path;

	x->request.url = x->request.original_url;
	if (!o->has_api || !s->host.n)
		return true;
	while (base.n && base.p[base.n - 1] == '/')
		base.n--;
	x->request.url.scheme = s->scheme;
	x->request.url.host = s->host;
	x->request.url.port = s->port;
	x->request.url.path =
		arena_printf(x->arena, "%.*s%.*s", STR_ARG(base), STR_ARG(operation_part(o, x->request.url.path)));
	if (!x->request.url.path.n)
		x->request.url.path = STR("/");
	return !str_is_null(x->request.url.path);
}

static GH_RC read_values(struct exchange *x, json_t *from, struct gh_err *err)
{
	const char *name;
	json_t *value;

	json_object_foreach(from, name, value) {
		struct value v;

		if (json_is_boolean(value))
			v = value_bool(json_is_true(value));
		else if (json_is_integer(value))
			v = value_int(json_integer_value(value));
		else
			v = value_string(x->arena,
					 json_is_string(value) ? jsn_string(value) : jsn_text(x->arena, value, 0),
					 true);
		if (!exchange_set_variable(x, arena_dup(x->arena, str_of(name)), v))
			FAIL(err, NOMEM, "context: variables");
	}
	return GH_RC_OK;
}

GH_RC offline_read_request(struct offline *o, json_t *request, struct exchange *x, struct gh_err *err)
{
	struct arena *a = x->arena;
	struct str url = jsn_str(request, "url");

	if (str_is_null(url))
		url = STR("https://gateway.example/");
	x->request.method =
		arena_dup(a, str_is_null(jsn_str(request, "method")) ? STR("GET") : jsn_str(request, "method"));
	if (!url_parse(arena_dup(a, url), &x->request.original_url))
		FAIL(err, INVALID, "request: url `%.*s` is no http or https address", STR_ARG(url));
	fields_init(&x->request.headers, a);
	fields_init(&x->response.headers, a);
	fields_init(&x->matched, a);
	read_body(a, jsn_get(request, "body"), &x->request.body);
	x->request.ip = arena_dup(a, jsn_str(request, "ip"));
	x->request.client_cert_pem = str_is_null(jsn_str(request, "clientCertificate")) ? STR_NULL
		: arena_dup(a, jsn_str(request, "clientCertificate"));
	if (!offline_read_headers(jsn_obj(request, "headers"), a, &x->request.headers)
	    || !offline_read_headers(jsn_obj(o->context, "matchedParameters"), a, &x->matched)
	    || !backend_address(o, x))
		FAIL(err, NOMEM, "request");
	return read_values(x, jsn_obj(o->context, "variables"), err);
}
